//! The in-memory tenant: rows of a snapshot folded into what rules read.
//!
//! Filled by [`Tenant::fold`], row by row and in any order, from a live collection or from a file; read by rules only
//! through the sections' own gates. Long lists are folded into compact forms, short ones are kept as they came.

mod applications;
mod compact;
mod devices;
mod fold;
mod governance;
mod grants;
mod groups;
mod intune;
mod licences;
mod managed_devices;
mod registration;
mod roles;
mod sign_ins;
mod users;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::model::{
    AccessPackage, AccessPackageAssignmentPolicy, AccessPackageCatalog,
    AccessReviewScheduleDefinition, ActivityBasedTimeoutPolicy, AdminAppsAndServices,
    AdminConsentRequestPolicy, AdminForms, AdminReportSettings, AgentIdentity, Alert,
    AndroidManagedStoreAccountEnterpriseSettings, AppManagementPolicy, AppRoleAssignment,
    ApplePushNotificationCertificate, Application, ApplicationWithOwners,
    AuthenticationFlowsPolicy, AuthenticationMethod, AuthenticationMethodsPolicy,
    AuthenticationMethodsPolicyBeta, AuthenticationStrengthPolicy, AuthorizationPolicy,
    AzureADPremiumLicenseInsight, CompanySubscription, ConditionalAccessPolicy,
    ConditionalAccessPolicyBeta, Contract, CrossTenantAccessPolicyConfigurationDefault,
    CrossTenantAccessPolicyConfigurationPartner, DataProcessorServiceForWindowsFeaturesOnboarding,
    DelegatedPermissionClassification, DeletedConditionalAccessPolicy, DepOnboardingSetting,
    DeviceAndAppManagementRoleAssignment, DeviceCompliancePolicy, DeviceConfiguration,
    DeviceEnrollmentConfiguration, DeviceLocalCredentialInfo, DeviceManagement,
    DeviceManagementCompliancePolicy, DeviceManagementConfigurationPolicy,
    DeviceManagementConfigurationSetting, DeviceManagementIntent, DeviceRegistrationPolicy,
    DirectoryObject, Domain, EmailActivityUserDetail, EmployeeLeave, EnrollmentProfile,
    FederatedIdentityCredential, FilteringPolicy, FilteringProfile, ForwardingProfile,
    GroupLifecyclePolicy, GroupSetting, GroupSettingTemplate, GuestSponsors, HealthIssue,
    IdentitySecurityDefaultsEnforcementPolicy, Incident, InternalDomainFederation,
    IntuneBrandingProfile, IpApplicationSegment, KrbtgtAccount, LegacyPolicy, MailboxSettings,
    ManagedAppProtection, ManagedAppProtectionBeta, ManagedDeviceCleanupRule,
    ManagedDeviceOverview, MessageRule, MobileThreatDefenseConnector, NamedLocation, NdesConnector,
    NetworkAccessConditionalAccessSettings, OnPremisesDirectorySynchronization,
    OperationApprovalPolicy, Organization, OrganizationMdmAuthority, PermissionGrantPolicy,
    PublishedApplication, Recommendation, RiskDetection, RiskNotifications, RiskyServicePrincipal,
    RiskyUser, SecureScore, SecureScoreControlProfile, SensitivityLabel, Sensor,
    ServicePrincipalSignInActivity, ServicePrincipalWithOwners, SharepointSettings, Simulation,
    StrongAuthenticationRequirements, SubscribedSku, TenantAppManagementPolicy,
    UnifiedRbacResourceAction, UnifiedRoleAssignment, UnifiedRoleAssignmentScheduleInstance,
    UnifiedRoleDefinition, UnifiedRoleEligibilityScheduleInstance, UnifiedRoleManagementAlert,
    UnifiedRoleManagementPolicyAssignment, VppToken, WindowsFeatureUpdateProfile, Workflow,
};
use super::{Guid, Resource, Section, State, Untrusted};

pub use applications::{CredentialsById, Grant, ServicePrincipals};
pub use devices::{Device, Devices};
use fold::{Arrival, Bad, Seen, parse, push, push_by_id};
pub use fold::{Fold, RowError};
pub use grants::{DelegatedGrant, DelegatedGrants};
pub use groups::{Group, Groups};
pub use licences::Licences;
pub use managed_devices::{ManagedDevice, ManagedDevices};
pub use registration::{Registration, RegistrationDetails};
pub use roles::{Held, Holder, Holders, PrincipalKind, SCOPE_TENANT};
pub use sign_ins::SignIns;
pub use users::{User, Users};

/// Rows that belong to one object each: group -> ids of members, application -> owners.
pub type ById<T> = BTreeMap<Guid, Vec<T>>;

/// Rows that may belong to objects, which may have none.
trait Rows {
    /// Notes an object; false when it was known, or when rows belong to no object.
    fn note(&mut self, _: Guid) -> bool {
        false
    }
}

impl<T> Rows for Vec<T> {}

impl<T> Rows for ById<T> {
    fn note(&mut self, subject: Guid) -> bool {
        let mut new = false;
        self.entry(subject).or_insert_with(|| {
            new = true;
            Vec::new()
        });
        new
    }
}

impl Rows for Users {}
impl Rows for SignIns {}
impl Rows for RegistrationDetails {}
impl Rows for ServicePrincipals {}
impl Rows for CredentialsById {}
impl Rows for DelegatedGrants {}
impl Rows for Devices {}
impl Rows for Groups {}
impl Rows for ManagedDevices {}

macro_rules! tenant {
    ($( $field:ident: $type:ty = $resource:ident, $fold:expr; )+) => {
        /// Everything that was read from one tenant.
        #[derive(Debug, Clone)]
        pub struct Tenant {
            $( pub(crate) $field: Section<$type>, )+
            /// Rows that came so far, for lists that keep no table of their ids; forgotten when a list ends.
            seen: BTreeMap<Resource, Seen>,
        }

        impl Default for Tenant {
            fn default() -> Self {
                Self {
                    $( $field: Section::new(Resource::$resource), )+
                    seen: BTreeMap::new(),
                }
            }
        }

        impl Tenant {
            /// Takes in one row of one resource; `subject` is the object that a per-object row belongs to. A row is known by its
            /// `id` (in lists by object by both); in lists whose rows have none, every row is new.
            ///
            /// # Errors
            /// The row does not read as its type. The section is left as it was: the caller ends it as failed.
            pub fn fold(&mut self, resource: Resource, subject: Option<Guid>, row: &RawValue) -> Result<Fold, RowError> {
                let arrival = Arrival { subject, seen: self.seen.entry(resource).or_default() };
                match resource {
                    $( Resource::$resource => {
                        let fold: fn(&mut $type, Arrival<'_>, &RawValue) -> Result<Fold, Bad> = $fold;
                        let done = fold(self.$field.rows_mut(), arrival, row).map_err(|bad| bad.at(resource))?;
                        if done == Fold::New {
                            self.$field.count_rows(1);
                        }
                        Ok(done)
                    } )+
                }
            }

            /// Says how the reading of a resource ended.
            pub fn end(&mut self, resource: Resource, state: State) {
                self.seen.remove(&resource);
                match resource { $( Resource::$resource => self.$field.end(state), )+ }
            }

            /// Notes that a per-object list was read for this object, even when it has no rows; false when that was known, and for
            /// lists that belong to no object.
            pub fn touch(&mut self, resource: Resource, subject: Guid) -> bool {
                match resource { $( Resource::$resource => self.$field.rows_mut().note(subject), )+ }
            }

            /// How the reading of a resource ended, and how many rows there are.
            pub fn state(&self, resource: Resource) -> (&State, u64) {
                match resource { $( Resource::$resource => (self.$field.state(), self.$field.count()), )+ }
            }
        }
    };
}

tenant! {
    // Tenant, accounts and roles
    organization: Vec<Organization> = Organization, push;
    domains: Vec<Domain> = Domains, push;
    federation_configuration: ById<InternalDomainFederation> = FederationConfiguration, push_by_id;
    on_premises_synchronization: Vec<OnPremisesDirectorySynchronization> = OnPremisesSynchronization, push;
    directory_subscriptions: Vec<CompanySubscription> = DirectorySubscriptions, push;
    contracts: Vec<Contract> = Contracts, push;
    premium_license_insight: Vec<AzureADPremiumLicenseInsight> = PremiumLicenseInsight, push;
    directory_recommendations: Vec<Recommendation> = DirectoryRecommendations, push;
    subscribed_skus: Vec<SubscribedSku> = SubscribedSkus, push;
    users: Users = Users, |users, _, row| users.push(parse(row)?);
    sign_in_activity: SignIns = SignInActivity, |signs, _, row| signs.push(parse(row)?);
    guest_sponsors: Vec<GuestSponsors> = GuestSponsors, push;
    employee_leave: Vec<EmployeeLeave> = EmployeeLeave, |rows, arrival, row| push_if(rows, arrival, row, |row: &EmployeeLeave| row.employee_leave_date_time.is_some());
    krbtgt_accounts: Vec<KrbtgtAccount> = KrbtgtAccounts, push;
    registration_details: RegistrationDetails = RegistrationDetails, |details, _, row| details.push(parse(row)?);
    role_definitions: Vec<UnifiedRoleDefinition> = RoleDefinitions, push;
    role_assignments: Vec<UnifiedRoleAssignment> = RoleAssignments, push;
    role_eligibility: Vec<UnifiedRoleEligibilityScheduleInstance> = RoleEligibilityScheduleInstances, push;
    role_assignment_schedules: Vec<UnifiedRoleAssignmentScheduleInstance> = RoleAssignmentScheduleInstances, push;
    role_management_policies: Vec<UnifiedRoleManagementPolicyAssignment> = RoleManagementPolicyAssignments, push;
    role_management_alerts: Vec<UnifiedRoleManagementAlert> = RoleManagementAlerts, push;
    resource_actions: Vec<UnifiedRbacResourceAction> = ResourceActions, push;
    group_members: ById<Guid> = GroupTransitiveMembers, push_member;

    // Groups
    groups: Groups = Groups, |groups, _, row| groups.push(parse(row)?);
    group_owners: ById<DirectoryObject> = GroupOwners, push_by_id;
    group_lifecycle_policies: Vec<GroupLifecyclePolicy> = GroupLifecyclePolicies, push;

    // Conditional Access and tenant-wide policies
    conditional_access_policies: Vec<ConditionalAccessPolicy> = ConditionalAccessPolicies, push_policy;
    conditional_access_policies_beta: Vec<ConditionalAccessPolicyBeta> = ConditionalAccessPoliciesBeta, push;
    deleted_conditional_access_policies: Vec<DeletedConditionalAccessPolicy> = DeletedConditionalAccessPolicies, push;
    named_locations: Vec<NamedLocation> = NamedLocations, push;
    named_locations_beta: Vec<NamedLocation> = NamedLocationsBeta, push;
    authentication_strengths: Vec<AuthenticationStrengthPolicy> = AuthenticationStrengthPolicies, push;
    authentication_methods_policy: Vec<AuthenticationMethodsPolicy> = AuthenticationMethodsPolicy, push;
    authentication_methods_policy_beta: Vec<AuthenticationMethodsPolicyBeta> = AuthenticationMethodsPolicyBeta, push;
    authentication_flows_policy: Vec<AuthenticationFlowsPolicy> = AuthenticationFlowsPolicy, push;
    activity_based_timeout_policies: Vec<ActivityBasedTimeoutPolicy> = ActivityBasedTimeoutPolicies, push;
    default_app_management_policy: Vec<TenantAppManagementPolicy> = DefaultAppManagementPolicy, push;
    app_management_policies: Vec<AppManagementPolicy> = AppManagementPolicies, push;
    legacy_policies: Vec<LegacyPolicy> = LegacyPolicies, push;
    security_defaults: Vec<IdentitySecurityDefaultsEnforcementPolicy> = SecurityDefaults, push;
    authorization_policy: Vec<AuthorizationPolicy> = AuthorizationPolicy, push;
    admin_consent_request_policy: Vec<AdminConsentRequestPolicy> = AdminConsentRequestPolicy, push;
    permission_grant_policies: Vec<PermissionGrantPolicy> = PermissionGrantPolicies, push;
    cross_tenant_access_default: Vec<CrossTenantAccessPolicyConfigurationDefault> = CrossTenantAccessDefault, push;
    cross_tenant_access_partners: Vec<CrossTenantAccessPolicyConfigurationPartner> = CrossTenantAccessPartners, push_partner;
    device_registration_policy: Vec<DeviceRegistrationPolicy> = DeviceRegistrationPolicy, push;
    group_settings: Vec<GroupSetting> = GroupSettings, push;
    group_setting_templates: Vec<GroupSettingTemplate> = GroupSettingTemplates, push;

    // Governance
    access_reviews: Vec<AccessReviewScheduleDefinition> = AccessReviewDefinitions, push;
    assignment_policies: Vec<AccessPackageAssignmentPolicy> = AssignmentPolicies, push;
    access_package_catalogs: Vec<AccessPackageCatalog> = AccessPackageCatalogs, push;
    access_packages: ById<AccessPackage> = AccessPackages, push_by_id;
    lifecycle_workflows: Vec<Workflow> = LifecycleWorkflows, push;

    // Global Secure Access
    forwarding_profiles: Vec<ForwardingProfile> = ForwardingProfiles, push;
    network_access_conditional_access: Vec<NetworkAccessConditionalAccessSettings> = NetworkAccessConditionalAccess, push;
    filtering_policies: Vec<FilteringPolicy> = FilteringPolicies, push;
    filtering_profiles: Vec<FilteringProfile> = FilteringProfiles, push;

    // Applications and what they were granted
    applications: Vec<Application> = Applications, push;
    service_principals: ServicePrincipals = ServicePrincipals, |list, _, row| list.push(parse(row)?);
    service_principal_credentials: CredentialsById = ServicePrincipalCredentials, |list, _, row| list.push(parse(row)?);
    applications_with_owners: Vec<ApplicationWithOwners> = ApplicationsWithOwners, push;
    service_principals_with_owners: Vec<ServicePrincipalWithOwners> = ServicePrincipalsWithOwners, |rows, arrival, row| push_if(rows, arrival, row, |row: &ServicePrincipalWithOwners| row.owners.as_ref().is_none_or(|owners| !owners.is_empty()));
    service_principal_sign_ins: Vec<ServicePrincipalSignInActivity> = ServicePrincipalSignInActivities, push;
    agent_identities: Vec<AgentIdentity> = AgentIdentities, push;
    agent_identity_owners: ById<DirectoryObject> = AgentIdentityOwners, push_by_id;
    application_publishing: ById<PublishedApplication> = ApplicationPublishing, push_by_id;
    application_segments: ById<IpApplicationSegment> = ApplicationSegments, push_by_id;
    secure_access_assignments: ById<AppRoleAssignment> = SecureAccessAssignments, push_by_id;
    assigned_group_nested_groups: ById<DirectoryObject> = AssignedGroupNestedGroups, push_by_id;
    permission_classifications: ById<DelegatedPermissionClassification> = DelegatedPermissionClassifications, push_by_id;
    own_app_role_assignments: ById<AppRoleAssignment> = OwnAppRoleAssignments, push_by_id;
    federated_identity_credentials: ById<FederatedIdentityCredential> = FederatedIdentityCredentials, push_by_id;
    app_role_assigned_to: ById<AppRoleAssignment> = AppRoleAssignedTo, push_by_id;
    application_owners: ById<DirectoryObject> = ApplicationOwners, push_by_id;
    service_principal_owners: ById<DirectoryObject> = ServicePrincipalOwners, push_by_id;
    oauth2_permission_grants: DelegatedGrants = OAuth2PermissionGrants, |grants, arrival, row| grants.push(arrival, row);

    // Single accounts
    authentication_methods: ById<AuthenticationMethod> = AuthenticationMethods, push_by_id;
    inbox_rules: ById<MessageRule> = InboxRules, push_by_id;
    mailbox_settings: ById<MailboxSettings> = MailboxSettings, push_by_id;
    authentication_requirements: ById<StrongAuthenticationRequirements> = AuthenticationRequirements, push_by_id;

    // Risk, alerts, scores
    risky_users: Vec<RiskyUser> = RiskyUsers, push;
    risk_detections: Vec<RiskDetection> = RiskDetections, push;
    risky_service_principals: Vec<RiskyServicePrincipal> = RiskyServicePrincipals, push;
    risk_notifications: Vec<RiskNotifications> = RiskNotifications, push;
    alerts: Vec<Alert> = Alerts, push;
    cloud_apps_alerts: Vec<Alert> = CloudAppsAlerts, push;
    insider_risk_alerts: Vec<Alert> = InsiderRiskAlerts, push;
    dlp_alerts: Vec<Alert> = DlpAlerts, push;
    incidents: Vec<Incident> = Incidents, push;
    resolved_incidents: Vec<Incident> = ResolvedIncidents, push;
    attack_simulations: Vec<Simulation> = AttackSimulations, push;
    identity_sensors: Vec<Sensor> = IdentitySensors, push;
    identity_health_issues: Vec<HealthIssue> = IdentityHealthIssues, push;
    secure_scores: Vec<SecureScore> = SecureScores, push;
    secure_score_control_profiles: Vec<SecureScoreControlProfile> = SecureScoreControlProfiles, push;

    // Data and sharing
    sensitivity_labels: Vec<SensitivityLabel> = SensitivityLabels, push;
    sharepoint_settings: Vec<SharepointSettings> = SharePointSettings, push;
    apps_and_services: Vec<AdminAppsAndServices> = AppsAndServices, push;
    forms: Vec<AdminForms> = Forms, push;
    email_activity: Vec<EmailActivityUserDetail> = EmailActivity, push_activity;
    report_settings: Vec<AdminReportSettings> = ReportSettings, push;

    // Devices
    device_management: Vec<DeviceManagement> = DeviceManagement, push;
    managed_devices: ManagedDevices = ManagedDevices, |devices, _, row| devices.push(parse(row)?);
    managed_device_overview: Vec<ManagedDeviceOverview> = ManagedDeviceOverview, push;
    device_compliance_policies: Vec<DeviceCompliancePolicy> = DeviceCompliancePolicies, push;
    device_compliance_policies_beta: Vec<DeviceCompliancePolicy> = DeviceCompliancePoliciesBeta, push;
    compliance_policies: Vec<DeviceManagementCompliancePolicy> = CompliancePolicies, push;
    ios_app_protections: Vec<ManagedAppProtection> = IosManagedAppProtections, push;
    android_app_protections: Vec<ManagedAppProtection> = AndroidManagedAppProtections, push;
    devices: Devices = Devices, |devices, _, row| devices.push(parse(row)?);
    device_local_credentials: Vec<DeviceLocalCredentialInfo> = DeviceLocalCredentials, push;
    mdm_authority: ById<OrganizationMdmAuthority> = MobileDeviceManagementAuthority, push_by_id;
    device_configurations: Vec<DeviceConfiguration> = DeviceConfigurations, push;
    configuration_policies: Vec<DeviceManagementConfigurationPolicy> = ConfigurationPolicies, push;
    configuration_policy_settings: ById<DeviceManagementConfigurationSetting> = ConfigurationPolicySettings, push_by_id;
    intents: Vec<DeviceManagementIntent> = Intents, push;
    ios_app_protections_beta: Vec<ManagedAppProtectionBeta> = IosManagedAppProtectionsBeta, push;
    android_app_protections_beta: Vec<ManagedAppProtectionBeta> = AndroidManagedAppProtectionsBeta, push;
    device_enrollment_configurations: Vec<DeviceEnrollmentConfiguration> = DeviceEnrollmentConfigurations, push;
    dep_onboarding_settings: Vec<DepOnboardingSetting> = DepOnboardingSettings, push;
    dep_enrollment_profiles: ById<EnrollmentProfile> = DepEnrollmentProfiles, push_by_id;
    vpp_tokens: Vec<VppToken> = VppTokens, push;
    apple_push_notification_certificate: Vec<ApplePushNotificationCertificate> = ApplePushNotificationCertificate, push;
    android_managed_store: Vec<AndroidManagedStoreAccountEnterpriseSettings> = AndroidManagedStoreAccountEnterpriseSettings, push;
    mobile_threat_defense_connectors: Vec<MobileThreatDefenseConnector> = MobileThreatDefenseConnectors, push;
    ndes_connectors: Vec<NdesConnector> = NdesConnectors, push;
    managed_device_cleanup_rules: Vec<ManagedDeviceCleanupRule> = ManagedDeviceCleanupRules, push;
    windows_feature_update_profiles: Vec<WindowsFeatureUpdateProfile> = WindowsFeatureUpdateProfiles, push;
    windows_data_processor: Vec<DataProcessorServiceForWindowsFeaturesOnboarding> = DataProcessorServiceForWindowsFeaturesOnboarding, push;
    intune_branding_profiles: Vec<IntuneBrandingProfile> = IntuneBrandingProfiles, push;
    operation_approval_policies: Vec<OperationApprovalPolicy> = OperationApprovalPolicies, push;
    operation_approval_policy: ById<OperationApprovalPolicy> = OperationApprovalPolicy, push_by_id;
    intune_role_assignments: Vec<DeviceAndAppManagementRoleAssignment> = IntuneRoleAssignments, push;
    intune_role_assignment: ById<DeviceAndAppManagementRoleAssignment> = IntuneRoleAssignment, push_by_id;
}

impl EmailActivityUserDetail {
    /// Of an account under the tenant's initial domain (`contoso.onmicrosoft.com`; other endings in national clouds): the only
    /// ones that are looked at.
    fn is_initial_domain(&self) -> bool {
        let name = self.user_principal_name.as_ref();
        name.is_some_and(|name| name.raw().to_ascii_lowercase().contains(".onmicrosoft."))
    }
}

impl Tenant {
    /// A tenant of which every list was asked for and none has a row: the starting point of tests.
    pub fn empty() -> Self {
        let mut tenant = Self::default();
        for &resource in Resource::ALL {
            tenant.end(resource, State::Collected);
        }
        tenant
    }

    /// Whether a managed device runs this operating system, as far as devices were read.
    pub fn has_managed_device(&self, operating_system: &str) -> bool {
        let runs = |name: &Untrusted| {
            name.raw()
                .get(..operating_system.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(operating_system))
        };
        let mut devices = self.managed_devices.hints().iter();
        devices.any(|device| device.operating_system().is_some_and(runs))
    }

    /// Groups that Conditional Access policies name, enabled or not.
    pub fn policy_groups(&self) -> BTreeSet<Guid> {
        let policies = self.conditional_access_policies.hints().iter();
        policies
            .filter_map(|policy| policy.conditions.as_ref()?.users.as_ref())
            .flat_map(|users| [&users.include_groups, &users.exclude_groups])
            .flatten()
            .flatten()
            .filter_map(|id| id.raw().parse().ok())
            .collect()
    }

    /// The tenant's own description, if it was read.
    pub fn organization(&self) -> Option<&Organization> {
        self.organization.hints().first()
    }
}

/// A policy, with what of it this version does not know.
fn push_policy(
    policies: &mut Vec<ConditionalAccessPolicy>,
    arrival: Arrival<'_>,
    row: &RawValue,
) -> Result<Fold, Bad> {
    let fold = push(policies, arrival, row)?;
    if let (Fold::New, Some(policy)) = (fold, policies.last_mut()) {
        policy.unknown_members = crate::snapshot::model::unknown_members::of_policy(row.get());
    }
    Ok(fold)
}

/// A member of a group: nothing but its id, for groups of a million.
fn push_member(
    members: &mut ById<Guid>,
    arrival: Arrival<'_>,
    row: &RawValue,
) -> Result<Fold, Bad> {
    let subject = arrival.subject()?;
    let Arrival { seen, .. } = arrival;
    let DirectoryObject { id, .. } = parse(row)?;
    let id = id.ok_or_else(|| Bad::new("id", "missing"))?;
    let fold = seen.note((subject, id));
    let members = members.entry(subject).or_default();
    if fold == Fold::New {
        members.push(id);
    }
    Ok(fold)
}

/// Keeps the rows that say something; the others are read, counted and passed over.
fn push_if<T: for<'a> Deserialize<'a>>(
    rows: &mut Vec<T>,
    mut arrival: Arrival<'_>,
    row: &RawValue,
    keep: impl FnOnce(&T) -> bool,
) -> Result<Fold, Bad> {
    let parsed: T = parse(row)?;
    let fold = arrival.note(row)?;
    if fold == Fold::New && keep(&parsed) {
        rows.push(parsed);
    }
    Ok(fold)
}

/// A partner is known by its tenant.
fn push_partner(
    rows: &mut Vec<CrossTenantAccessPolicyConfigurationPartner>,
    mut arrival: Arrival<'_>,
    row: &RawValue,
) -> Result<Fold, Bad> {
    let partner: CrossTenantAccessPolicyConfigurationPartner = parse(row)?;
    let fold = arrival.note_key(partner.tenant_id);
    if fold == Fold::New {
        rows.push(partner);
    }
    Ok(fold)
}

/// A row of the report is known by the name of its user, a hash where names are concealed. Few of them are kept.
fn push_activity(
    rows: &mut Vec<EmailActivityUserDetail>,
    mut arrival: Arrival<'_>,
    row: &RawValue,
) -> Result<Fold, Bad> {
    let activity: EmailActivityUserDetail = parse(row)?;
    let name = activity.user_principal_name.as_ref().map(Untrusted::raw);
    let fold = arrival.note_key(name.filter(|name| !name.is_empty()));
    if fold == Fold::New && activity.is_initial_domain() {
        rows.push(activity);
    }
    Ok(fold)
}
