//! What a check may look at: the rows of a tenant, behind the gates that keep unread data from becoming a verdict.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::OnceLock;

use jiff::Timestamp;

use super::{Licence, NotEvaluated, Object, ObjectType, Rule};
use crate::access::{Analyzer, BaselineScopes, Settings};
use crate::config::{self, Config};
use crate::snapshot::model::{
    AdminConsentRequestPolicy, Alert, Application, AuthenticationMethod,
    AuthenticationStrengthPolicy, AuthorizationPolicy, ConditionalAccessPolicy,
    CrossTenantAccessPolicyConfigurationDefault, CrossTenantAccessPolicyConfigurationPartner,
    DeviceCompliancePolicy, DeviceManagement, DeviceManagementCompliancePolicy,
    DeviceRegistrationPolicy, DirectoryObject, Domain, GroupSetting,
    IdentitySecurityDefaultsEnforcementPolicy, Incident, ManagedAppProtection,
    ManagedDeviceOverview, MessageRule, NamedLocation, Organization, PermissionGrantPolicy,
    RiskyUser, SecureScore, SecureScoreControlProfile, SensitivityLabel, ServicePrincipal,
    SharepointSettings, SubscribedSku, UnifiedRoleAssignment,
    UnifiedRoleAssignmentScheduleInstance,
};
use crate::snapshot::tenant::{
    ById, CredentialsById, DelegatedGrants, Grant, Holders, Licences, ManagedDevices,
    PrincipalKind, RegistrationDetails, ServicePrincipals, SignIns, User, Users,
};
use crate::snapshot::{Guid, GuidSet, Resource, Section, State, Tenant, Unread, reference};

/// What all checks of one evaluation share: computed once, on first use.
#[derive(Debug)]
pub(crate) struct Shared<'a> {
    pub(crate) tenant: &'a Tenant,
    pub(crate) config: &'a Config,
    pub(crate) now: Timestamp,
    pub(crate) licences: Licences,
    holders: OnceLock<Holders>,
    emergency: OnceLock<BTreeSet<Guid>>,
    tier_0_apps: OnceLock<GuidSet>,
    privileged: OnceLock<GuidSet>,
    sync_accounts: OnceLock<BTreeSet<Guid>>,
    analyzer: OnceLock<Analyzer<'a>>,
    apart: OnceLock<BTreeSet<Guid>>,
}

impl<'a> Shared<'a> {
    pub(crate) fn new(tenant: &'a Tenant, config: &'a Config, now: Timestamp) -> Self {
        Self {
            tenant,
            config,
            now,
            licences: Licences::from_skus(tenant.subscribed_skus.hints()),
            holders: OnceLock::new(),
            emergency: OnceLock::new(),
            tier_0_apps: OnceLock::new(),
            privileged: OnceLock::new(),
            sync_accounts: OnceLock::new(),
            analyzer: OnceLock::new(),
            apart: OnceLock::new(),
        }
    }

    /// Whether the licence is owned; `None` when the list of licences was not read.
    pub(crate) fn owns(&self, licence: Licence) -> Option<bool> {
        match licence {
            Licence::Any => Some(true),
            Licence::OneOf(plans) if self.licences.owns_any(plans) => Some(true),
            Licence::OneOf(_) => self
                .tenant
                .subscribed_skus
                .complete()
                .is_ok()
                .then_some(false),
        }
    }

    fn holders(&self) -> &Holders {
        self.holders
            .get_or_init(|| Holders::build(self.tenant, self.owns(Licence::PIM) != Some(false)))
    }

    /// Who holds a role that Microsoft flags as privileged: asked for every failing account until one does.
    fn privileged(&self) -> &GuidSet {
        self.privileged
            .get_or_init(|| self.holders().privileged().collect())
    }

    fn tier_0_apps(&self) -> &GuidSet {
        self.tier_0_apps.get_or_init(|| {
            self.tenant
                .grants()
                .filter(|grant| grant.is_graph_tier(0))
                .map(|grant| grant.principal)
                .collect()
        })
    }

    fn emergency(&self) -> &BTreeSet<Guid> {
        self.emergency.get_or_init(|| {
            let users = self.tenant.users.hints();
            self.config
                .emergency_access
                .accounts
                .iter()
                .filter_map(|name| users.find(name))
                .map(User::id)
                .collect()
        })
    }
}

/// What the configuration tells the analyzer. Emergency access accounts and those that synchronise the local directory stand apart.
pub fn access_settings(tenant: &Tenant, config: &Config) -> Settings {
    let access = &config.access;
    let guid = |id: &uuid::Uuid| Guid::new(id.as_u128());
    Settings {
        baseline_scopes: match access.baseline_scopes {
            None => BaselineScopes::default(),
            Some(config::BaselineScopes::Enforced) => BaselineScopes::Enforced,
            Some(config::BaselineScopes::Legacy) => BaselineScopes::Legacy,
        },
        mfa_trusted_ips: access.mfa_trusted_ips.clone(),
        home_tenants: access
            .home_tenants
            .iter()
            .map(|(guest, home)| (guid(guest), guid(home)))
            .collect(),
        apart: Settings::apart(tenant, &config.emergency_access.accounts),
        emergency: Settings::emergency(tenant, &config.emergency_access.accounts),
        groups_and_apps_by_id: false,
    }
}

/// One check's view of a tenant.
///
/// Every accessor answers `Err` when the data was refused, failed or never asked for, so `?` ends the check as not evaluated. A
/// list that was cut short is handed out (a fail already seen stands) and remembered: the engine turns a pass over it into
/// `not_evaluated`. A check that would *fail* because something is missing from a list asks for it with [`whole`](Self::whole) first.
#[derive(Debug)]
pub struct Context<'a> {
    shared: &'a Shared<'a>,
    rule: &'a Rule,
    partial: RefCell<Vec<Unread>>,
}

macro_rules! accessors {
    ($( $(#[$doc:meta])* $name:ident: $type:ty = $field:ident; )+) => {
        impl<'a> Context<'a> {
            $( $(#[$doc])* pub fn $name(&self) -> Result<&'a $type, NotEvaluated> { self.read(&self.shared.tenant.$field) } )+
        }
    };
}

macro_rules! singletons {
    ($( $(#[$doc:meta])* $name:ident: $type:ty = $field:ident; )+) => {
        impl<'a> Context<'a> {
            $( $(#[$doc])* pub fn $name(&self) -> Result<&'a $type, NotEvaluated> { self.read_one(&self.shared.tenant.$field) } )+
        }
    };
}

accessors! {
    /// Domains, verified or not.
    domains: [Domain] = domains;
    /// Subscriptions.
    subscribed_skus: [SubscribedSku] = subscribed_skus;
    /// All accounts.
    users: Users = users;
    /// When accounts were last used.
    sign_ins: SignIns = sign_in_activity;
    /// The registration report.
    registration_details: RegistrationDetails = registration_details;
    /// Active role assignments as they came; [`Context::holders`] expands groups and adds eligible ones.
    role_assignments: [UnifiedRoleAssignment] = role_assignments;
    /// Active role assignments with how long they last.
    role_assignment_schedules: [UnifiedRoleAssignmentScheduleInstance] = role_assignment_schedules;
    /// Users of the groups that hold roles or that Conditional Access names.
    group_members: ById<Guid> = group_members;
    /// Conditional Access policies in every state.
    conditional_access_policies: [ConditionalAccessPolicy] = conditional_access_policies;
    /// Named locations.
    named_locations: [NamedLocation] = named_locations;
    /// Authentication strengths.
    authentication_strengths: [AuthenticationStrengthPolicy] = authentication_strengths;
    /// Permission grant policies.
    permission_grant_policies: [PermissionGrantPolicy] = permission_grant_policies;
    /// Cross-tenant access by partner.
    cross_tenant_access_partners: [CrossTenantAccessPolicyConfigurationPartner] = cross_tenant_access_partners;
    /// Directory settings.
    group_settings: [GroupSetting] = group_settings;
    /// Application registrations.
    applications: [Application] = applications;
    /// Service principals.
    service_principals: ServicePrincipals = service_principals;
    /// Secrets and certificates of service principals, by object id.
    service_principal_credentials: CredentialsById = service_principal_credentials;
    /// Owners of application registrations, by the application's object id; only powerful ones are read.
    application_owners: ById<DirectoryObject> = application_owners;
    /// Owners of service principals, by object id; only powerful ones are read.
    service_principal_owners: ById<DirectoryObject> = service_principal_owners;
    /// Delegated permissions.
    oauth2_permission_grants: DelegatedGrants = oauth2_permission_grants;
    /// Sign-in methods of single accounts, by user.
    authentication_methods: ById<AuthenticationMethod> = authentication_methods;
    /// Inbox rules, by user.
    inbox_rules: ById<MessageRule> = inbox_rules;
    /// Users at risk.
    risky_users: [RiskyUser] = risky_users;
    /// Open alerts.
    alerts: [Alert] = alerts;
    /// Alerts of data loss prevention.
    dlp_alerts: [Alert] = dlp_alerts;
    /// Open incidents.
    incidents: [Incident] = incidents;
    /// The newest Secure Score.
    secure_scores: [SecureScore] = secure_scores;
    /// Secure Score controls.
    secure_score_control_profiles: [SecureScoreControlProfile] = secure_score_control_profiles;
    /// Sensitivity labels.
    sensitivity_labels: [SensitivityLabel] = sensitivity_labels;
    /// Managed devices.
    managed_devices: ManagedDevices = managed_devices;
    /// Compliance policies, v1.0.
    device_compliance_policies: [DeviceCompliancePolicy] = device_compliance_policies;
    /// Compliance policies, beta: those for corporate Android devices too.
    device_compliance_policies_beta: [DeviceCompliancePolicy] = device_compliance_policies_beta;
    /// Compliance policies of the settings catalogue, beta: Linux.
    compliance_policies: [DeviceManagementCompliancePolicy] = compliance_policies;
    /// App protection for iOS and iPadOS.
    ios_app_protections: [ManagedAppProtection] = ios_app_protections;
    /// App protection for Android.
    android_app_protections: [ManagedAppProtection] = android_app_protections;
}

singletons! {
    /// The tenant itself.
    organization: Organization = organization;
    /// Security defaults.
    security_defaults: IdentitySecurityDefaultsEnforcementPolicy = security_defaults;
    /// What members and guests may do by default.
    authorization_policy: AuthorizationPolicy = authorization_policy;
    /// The admin consent workflow.
    admin_consent_request_policy: AdminConsentRequestPolicy = admin_consent_request_policy;
    /// Cross-tenant access by default.
    cross_tenant_access_default: CrossTenantAccessPolicyConfigurationDefault = cross_tenant_access_default;
    /// Device registration.
    device_registration_policy: DeviceRegistrationPolicy = device_registration_policy;
    /// SharePoint and OneDrive.
    sharepoint_settings: SharepointSettings = sharepoint_settings;
    /// Intune.
    device_management: DeviceManagement = device_management;
    /// Counts of managed devices.
    managed_device_overview: ManagedDeviceOverview = managed_device_overview;
}

impl<'a> Context<'a> {
    pub(crate) fn new(shared: &'a Shared<'a>, rule: &'a Rule) -> Self {
        Self {
            shared,
            rule,
            partial: RefCell::default(),
        }
    }

    /// The configuration.
    pub fn config(&self) -> &'a Config {
        self.shared.config
    }

    /// What the tenant owns. Rules of kind entitlement declare [`Resource::SubscribedSkus`] in `reads`.
    pub fn licences(&self) -> &'a Licences {
        &self.shared.licences
    }

    /// When the data was taken: ages are counted from here.
    pub fn now(&self) -> Timestamp {
        self.shared.now
    }

    /// Whole days from then to now, rounded down; negative for a date to come.
    pub fn days_since(&self, then: Timestamp) -> i64 {
        self.hours_since(then).div_euclid(24)
    }

    /// Whole hours from then to now, rounded down; negative for a date to come.
    pub fn hours_since(&self, then: Timestamp) -> i64 {
        (self.shared.now.as_second() - then.as_second()).div_euclid(3_600)
    }

    /// Ends the check unless the resource was read to its end: for verdicts that rest on something *not* being in a list.
    pub fn whole(&self, resource: Resource) -> Result<(), NotEvaluated> {
        let (state, read) = self.shared.tenant.state(resource);
        match state {
            State::Collected => Ok(()),
            state => Err(Unread {
                resource,
                state: state.clone(),
                read,
            }
            .into()),
        }
    }

    /// Everybody who holds a directory role, active or eligible, groups expanded. Reads role assignments, role definitions and group members,
    /// and eligible assignments where Privileged Identity Management is owned (declare them in `may_read`).
    pub fn holders(&self) -> Result<&'a Holders, NotEvaluated> {
        self.role_assignments()?;
        self.read::<Vec<_>, _>(&self.shared.tenant.role_definitions)?;
        self.group_members()?;
        self.declared(Resource::RoleEligibilityScheduleInstances);
        match self.read::<Vec<_>, _>(&self.shared.tenant.role_eligibility) {
            Ok(_) => {}
            // Without the licence nobody can be eligible: the half that cannot be read is empty.
            Err(_) if self.shared.owns(Licence::PIM) == Some(false) => {}
            Err(unread) => return Err(unread),
        }
        Ok(self.shared.holders())
    }

    /// Whether a role is an admin role: one of Microsoft's, or a custom one that carries actions from which the tenant can be taken.
    pub fn is_admin_role(&self, role: Guid) -> Result<bool, NotEvaluated> {
        self.read::<Vec<_>, _>(&self.shared.tenant.role_definitions)?;
        Ok(self.shared.holders().is_admin_role(role))
    }

    /// Application permissions of Graph, Exchange Online and SharePoint Online held by service principals.
    ///
    /// Both lists may be complete and still say nothing: Microsoft Graph is in every tenant, and what is granted on a resource
    /// is known only if its list was read, even when it is empty.
    pub fn grants(&self) -> Result<Vec<Grant>, NotEvaluated> {
        let tenant = self.shared.tenant;
        let assigned = self.read::<ById<_>, _>(&tenant.app_role_assigned_to)?;
        let principals = self.service_principals()?;
        if self.whole(Resource::ServicePrincipals).is_ok()
            && principals.by_app_id(reference::MICROSOFT_GRAPH).is_none()
        {
            return Err(NotEvaluated::unknown(
                "Microsoft Graph is not among the service principals",
            ));
        }
        let resources = tenant.permission_resources();
        let unread = resources
            .iter()
            .filter(|&resource| !assigned.contains_key(resource))
            .count();
        if self.whole(Resource::AppRoleAssignedTo).is_ok() && unread > 0 {
            return Err(NotEvaluated::unknown(format!(
                "the permissions granted on {unread} of {} resources are not known",
                resources.len()
            )));
        }
        Ok(tenant.grants().collect())
    }

    /// The application registration behind an app id: its object id, if it is in this tenant.
    pub fn application_id(&self, app_id: Guid) -> Result<Option<Guid>, NotEvaluated> {
        Ok(self
            .applications()?
            .iter()
            .find(|app| app.app_id == Some(app_id))
            .and_then(|app| app.id))
    }

    /// Whether an account is declared as emergency access account (`[emergency-access] accounts`).
    pub fn is_emergency(&self, user: Guid) -> bool {
        self.shared.emergency().contains(&user)
    }

    /// Ends the check when a declared emergency access account was not found and the list of accounts was cut short: it may be in the
    /// part that is missing, and a rule that leaves such accounts out would fail one of them.
    pub fn emergency_accounts_known(&self) -> Result<(), NotEvaluated> {
        let users = self.users()?;
        let mut declared = self.config().emergency_access.accounts.iter();
        if declared.all(|name| users.find(name).is_some()) {
            return Ok(());
        }
        self.whole(Resource::Users)
    }

    /// What the principal of a role assignment is: what Graph expanded, else the list that has it, as far as lists were read.
    pub fn principal_kind(&self, id: Guid, expanded: Option<&DirectoryObject>) -> PrincipalKind {
        self.shared.tenant.principal_kind(id, expanded)
    }

    /// Whether an account synchronises the local directory, as far as role assignments were read: such accounts are left out of
    /// populations, so nothing rests on it.
    pub fn is_sync_account(&self, user: Guid) -> bool {
        let accounts = || self.shared.holders().sync_accounts();
        self.shared
            .sync_accounts
            .get_or_init(accounts)
            .contains(&user)
    }

    /// The analyzer of Conditional Access, the same for every rule. It takes the tenant as far as it was read: a check asks by itself
    /// whether what it rests on was.
    pub(crate) fn analyzer(&self) -> &'a Analyzer<'a> {
        let shared = self.shared;
        shared.analyzer.get_or_init(|| {
            let settings = Settings {
                groups_and_apps_by_id: true,
                ..access_settings(shared.tenant, shared.config)
            };
            Analyzer::read(shared.tenant, settings)
        })
    }

    /// Accounts that guarantees leave out and show apart: declared emergency access accounts and those that synchronise the local
    /// directory. Microsoft's guidance excludes both from policies.
    pub(crate) fn apart(&self) -> &'a BTreeSet<Guid> {
        let shared = self.shared;
        shared.apart.get_or_init(|| {
            let accounts = &shared.config.emergency_access.accounts;
            Settings::apart(shared.tenant, accounts)
        })
    }

    /// Whether Intune manages a device with this operating system (any, when empty); `None` when the list was not read to its end.
    pub(crate) fn manages_device_with(&self, operating_system: &str) -> Option<bool> {
        self.declared(Resource::ManagedDevices);
        self.whole(Resource::ManagedDevices).ok()?;
        Some(self.shared.tenant.has_managed_device(operating_system))
    }

    /// Policies as far as they were read, for the reason why something cannot be told.
    pub(crate) fn known_policies(&self) -> &'a [ConditionalAccessPolicy] {
        self.shared.tenant.conditional_access_policies.hints()
    }

    /// Whether the rule's licence, or another one, is owned; `None` when the list of licences was not read.
    pub fn owns(&self, licence: Licence) -> Option<bool> {
        self.shared.owns(licence)
    }

    /// Whether an account or application holds a role that Microsoft flags as privileged, as far as roles were read.
    pub(crate) fn is_privileged(&self, id: Guid) -> bool {
        self.shared.privileged().contains(&id)
    }

    /// Whether a service principal leads to control of the tenant: by a tier-0 permission or a privileged role.
    pub(crate) fn leads_to_tier_0(&self, id: Guid) -> bool {
        self.shared.tier_0_apps().contains(&id) || self.is_privileged(id)
    }

    /// A user as an affected object.
    pub fn user_object(&self, user: User<'_>) -> Object {
        let name = if user.user_principal_name().is_blank() {
            user.display_name()
        } else {
            user.user_principal_name()
        };
        let mut object = Object::directory(ObjectType::User, user.id(), name);
        object.tier_0 = self.is_privileged(user.id());
        object
    }

    /// A user of whom only the id is known for sure, as an affected object.
    pub fn user_id_object(&self, id: Guid) -> Object {
        match self.shared.tenant.users.hints().get(id) {
            Some(user) => self.user_object(user),
            None => Object {
                tier_0: self.is_privileged(id),
                ..Object::directory(ObjectType::User, id, id.to_string())
            },
        }
    }

    /// A service principal as an affected object.
    pub fn service_principal_object(&self, id: Guid) -> Object {
        let name = self
            .shared
            .tenant
            .service_principals
            .hints()
            .get(id)
            .and_then(|principal: &ServicePrincipal| principal.display_name.clone());
        let mut object = Object::directory(
            ObjectType::ServicePrincipal,
            id,
            name.unwrap_or_else(|| id.to_string().into()),
        );
        object.tier_0 = self.leads_to_tier_0(id);
        object
    }

    /// Lists that were handed out although they were cut short.
    pub(crate) fn partial(&self) -> Option<Unread> {
        self.partial.borrow().first().cloned()
    }

    fn read<T: ?Sized, R: std::borrow::Borrow<T>>(
        &self,
        section: &'a Section<R>,
    ) -> Result<&'a T, NotEvaluated> {
        self.declared(section.resource());
        let (rows, missing) = section.so_far()?;
        self.partial.borrow_mut().extend(missing);
        Ok(rows.borrow())
    }

    fn read_one<T>(&self, section: &'a Section<Vec<T>>) -> Result<&'a T, NotEvaluated> {
        let rows: &[T] = self.read(section)?;
        rows.first().ok_or_else(|| {
            NotEvaluated::unknown(format!("{} came back empty", section.resource().source()))
        })
    }

    /// A rule reads nothing that it does not declare: what `rules show` and `permissions` say would be wrong.
    fn declared(&self, resource: Resource) {
        debug_assert!(
            self.rule.reads.contains(&resource) || self.rule.may_read.contains(&resource),
            "rule {} reads {resource} without declaring it",
            self.rule.id
        );
    }
}
