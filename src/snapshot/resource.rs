//! Everything that can be asked of Graph: one entry per request, named once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Licence;

macro_rules! resources {
    ($( $(#[$doc:meta])* $variant:ident = $key:literal, $version:literal, $path:literal, [$($permission:literal),+], $licence:ident; )+) => {
        /// One Graph request whose answer a snapshot holds.
        ///
        /// The order is the order of the snapshot file and of the report's `collection` part.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Resource { $( $(#[$doc])* $variant, )+ }

        impl Resource {
            /// Every resource, in order.
            pub const ALL: &'static [Resource] = &[$(Resource::$variant),+];

            /// The name of its section in a snapshot file: camelCase, stable for ever.
            pub const fn key(self) -> &'static str {
                match self { $(Resource::$variant => $key,)+ }
            }

            /// `v1.0` or `beta`.
            pub const fn version(self) -> &'static str {
                match self { $(Resource::$variant => $version,)+ }
            }

            /// The path below the version; `{id}` stands for one object each.
            pub const fn path(self) -> &'static str {
                match self { $(Resource::$variant => $path,)+ }
            }

            /// The least application permissions that let it be read; all of them are needed.
            /// Source: Microsoft Graph permission tables, August 2026.
            pub const fn permissions(self) -> &'static [&'static str] {
                match self { $(Resource::$variant => &[$($permission),+],)+ }
            }

            /// What the tenant must own for Graph to answer it.
            pub const fn licence(self) -> Licence {
                match self { $(Resource::$variant => Licence::$licence,)+ }
            }
        }
    };
}

resources! {
    // Tenant, accounts and roles
    /// The tenant itself.
    Organization = "organization", "v1.0", "/organization", ["Organization.Read.All"], None;
    /// Its domains, verified or not.
    Domains = "domains", "v1.0", "/domains", ["Domain.Read.All"], None;
    /// How federated domains sign their users in. Pages belong to one domain each: `of` is [`Guid::of_domain`](super::Guid::of_domain) of its name.
    FederationConfiguration = "federationConfiguration", "v1.0", "/domains/{id}/federationConfiguration", ["Domain-InternalFederation.Read.All"], None;
    /// Features of directory synchronisation. Permission tables have it for signed-in people only, though the application permission exists.
    OnPremisesSynchronization = "onPremisesSynchronization", "v1.0", "/directory/onPremisesSynchronization", ["OnPremDirectorySynchronization.Read.All"], None;
    /// Commercial subscriptions with their state and their next date.
    DirectorySubscriptions = "directorySubscriptions", "v1.0", "/directory/subscriptions", ["Organization.Read.All"], None;
    /// Customers of a partner tenant; empty in every other.
    Contracts = "contracts", "v1.0", "/contracts", ["Directory.Read.All"], None;
    /// Seats of Entra ID P1 and P2 beside the people who use their features; beta only, global cloud only.
    PremiumLicenseInsight = "azureADPremiumLicenseInsight", "beta", "/reports/azureADPremiumLicenseInsight", ["Reports.Read.All"], EntraP1;
    /// What Entra itself recommends; beta only.
    DirectoryRecommendations = "directoryRecommendations", "beta", "/directory/recommendations", ["DirectoryRecommendations.Read.All"], None;
    /// The licences it owns.
    SubscribedSkus = "subscribedSkus", "v1.0", "/subscribedSkus", ["LicenseAssignment.Read.All"], None;
    /// Accounts, members and guests.
    Users = "users", "v1.0", "/users", ["User.Read.All"], None;
    /// When each account last signed in. A request of its own: it needs Entra ID P1 and smaller pages.
    SignInActivity = "signInActivity", "v1.0", "/users?$select=id,signInActivity", ["User.Read.All", "AuditLog.Read.All"], EntraP1;
    /// Guests with those who answer for them. A request of its own: `$expand` allows no count, and most rules do without.
    GuestSponsors = "guestSponsors", "v1.0", "/users?$filter=userType eq 'Guest'&$expand=sponsors", ["User.Read.All"], None;
    /// When people leave. A request of its own: without a permission of its own Graph leaves the date null.
    EmployeeLeave = "employeeLeave", "v1.0", "/users?$select=id,accountEnabled,employeeLeaveDateTime", ["User.Read.All", "User-LifeCycleInfo.Read.All"], None;
    /// Accounts that came from an on-premises key distribution account, by their names; found by filter, because three
    /// properties of each account for a handful of them would be a waste.
    KrbtgtAccounts = "krbtgtAccounts", "v1.0", "/users?$filter=startsWith(userPrincipalName,'krbtgt_AzureAD') or startsWith(mailNickname,'krbtgt_AzureAD')", ["User.Read.All"], None;
    /// Which sign-in methods each user has registered.
    RegistrationDetails = "userRegistrationDetails", "v1.0", "/reports/authenticationMethods/userRegistrationDetails", ["AuditLog.Read.All"], EntraP1;
    /// Directory roles, built in and custom.
    RoleDefinitions = "roleDefinitions", "v1.0", "/roleManagement/directory/roleDefinitions", ["RoleManagement.Read.Directory"], None;
    /// Active directory role assignments.
    RoleAssignments = "roleAssignments", "v1.0", "/roleManagement/directory/roleAssignments", ["RoleManagement.Read.Directory"], None;
    /// Eligible directory role assignments (Privileged Identity Management).
    RoleEligibilityScheduleInstances = "roleEligibilityScheduleInstances", "v1.0", "/roleManagement/directory/roleEligibilityScheduleInstances", ["RoleEligibilitySchedule.Read.Directory"], EntraP2OrGovernance;
    /// Active assignments with how and until when they are held (Privileged Identity Management).
    RoleAssignmentScheduleInstances = "roleAssignmentScheduleInstances", "v1.0", "/roleManagement/directory/roleAssignmentScheduleInstances", ["RoleAssignmentSchedule.Read.Directory"], EntraP2OrGovernance;
    /// How each directory role is activated, assigned and approved (Privileged Identity Management).
    RoleManagementPolicyAssignments = "roleManagementPolicyAssignments", "v1.0", "/policies/roleManagementPolicyAssignments", ["RoleManagement.Read.Directory"], EntraP2OrGovernance;
    /// Alerts of Privileged Identity Management; beta only.
    RoleManagementAlerts = "roleManagementAlerts", "beta", "/identityGovernance/roleManagementAlerts/alerts", ["RoleManagementAlert.Read.Directory"], EntraP2OrGovernance;
    /// Actions of the directory, with the authentication context that protects each; documented in beta only.
    ResourceActions = "resourceActions", "beta", "/roleManagement/directory/resourceNamespaces/microsoft.directory/resourceActions", ["RoleManagement.Read.Directory"], None;
    /// Users in the groups that hold roles, that Conditional Access policies name or that approve access, nested groups included.
    GroupTransitiveMembers = "groupTransitiveMembers", "v1.0", "/groups/{id}/transitiveMembers/microsoft.graph.user", ["GroupMember.Read.All"], None;

    // Groups
    /// Every group with its first twenty owners: that is where Graph cuts an expanded list of directory objects.
    Groups = "groups", "v1.0", "/groups", ["Group.Read.All"], None;
    /// Owners of the groups that hold directory roles.
    GroupOwners = "groupOwners", "v1.0", "/groups/{id}/owners", ["Group.Read.All"], None;
    /// When groups that nobody renews expire.
    GroupLifecyclePolicies = "groupLifecyclePolicies", "v1.0", "/groupLifecyclePolicies", ["Directory.Read.All"], None;

    // Conditional Access and tenant-wide policies
    /// Conditional Access policies in every state.
    ConditionalAccessPolicies = "conditionalAccessPolicies", "v1.0", "/identity/conditionalAccess/policies", ["Policy.Read.All"], None;
    /// What only beta says of the same policies. Read only when one is enabled: this service answers one request a second.
    ConditionalAccessPoliciesBeta = "conditionalAccessPoliciesBeta", "beta", "/identity/conditionalAccess/policies", ["Policy.Read.All"], None;
    /// Conditional Access policies that were deleted in the last 30 days.
    DeletedConditionalAccessPolicies = "conditionalAccessDeletedPolicies", "v1.0", "/identity/conditionalAccess/deletedItems/policies", ["Policy.Read.All"], None;
    /// Named locations of Conditional Access.
    NamedLocations = "namedLocations", "v1.0", "/identity/conditionalAccess/namedLocations", ["Policy.Read.All"], None;
    /// The same list in beta: v1.0 hides the compliant network. Read only when Global Secure Access signals to Conditional Access.
    NamedLocationsBeta = "namedLocationsBeta", "beta", "/identity/conditionalAccess/namedLocations", ["Policy.Read.All"], None;
    /// Authentication strengths, built in and own.
    AuthenticationStrengthPolicies = "authenticationStrengthPolicies", "v1.0", "/policies/authenticationStrengthPolicies", ["Policy.Read.AuthenticationMethod"], None;
    /// Which sign-in methods are allowed, and for whom.
    AuthenticationMethodsPolicy = "authenticationMethodsPolicy", "v1.0", "/policies/authenticationMethodsPolicy", ["Policy.Read.AuthenticationMethod"], None;
    /// What only beta says of the same policy.
    AuthenticationMethodsPolicyBeta = "authenticationMethodsPolicyBeta", "beta", "/policies/authenticationMethodsPolicy", ["Policy.Read.AuthenticationMethod"], None;
    /// Whether guests may sign up by themselves.
    AuthenticationFlowsPolicy = "authenticationFlowsPolicy", "v1.0", "/policies/authenticationFlowsPolicy", ["Policy.Read.All"], None;
    /// When idle sessions in the browser end.
    ActivityBasedTimeoutPolicies = "activityBasedTimeoutPolicies", "v1.0", "/policies/activityBasedTimeoutPolicies", ["Policy.Read.All"], None;
    /// What secrets and certificates of applications may be, tenant-wide.
    DefaultAppManagementPolicy = "defaultAppManagementPolicy", "v1.0", "/policies/defaultAppManagementPolicy", ["Policy.Read.All"], None;
    /// Exceptions from it, with the applications that they are for.
    AppManagementPolicies = "appManagementPolicies", "v1.0", "/policies/appManagementPolicies", ["Policy.Read.All"], None;
    /// Policies of the old Azure AD kind, the domains that may be invited among them; undocumented.
    LegacyPolicies = "legacyPolicies", "beta", "/legacy/policies", ["Policy.Read.All"], None;
    /// Security defaults.
    SecurityDefaults = "identitySecurityDefaultsEnforcementPolicy", "v1.0", "/policies/identitySecurityDefaultsEnforcementPolicy", ["Policy.Read.All"], None;
    /// What members and guests may do by default.
    AuthorizationPolicy = "authorizationPolicy", "v1.0", "/policies/authorizationPolicy", ["Policy.Read.All"], None;
    /// The admin consent workflow.
    AdminConsentRequestPolicy = "adminConsentRequestPolicy", "v1.0", "/policies/adminConsentRequestPolicy", ["Policy.Read.All"], None;
    /// Conditions under which users may consent to applications.
    PermissionGrantPolicies = "permissionGrantPolicies", "v1.0", "/policies/permissionGrantPolicies", ["Policy.Read.PermissionGrant"], None;
    /// Cross-tenant access for every tenant that has no entry of its own.
    CrossTenantAccessDefault = "crossTenantAccessPolicyDefault", "v1.0", "/policies/crossTenantAccessPolicy/default", ["Policy.Read.All"], None;
    /// Cross-tenant access by partner tenant.
    CrossTenantAccessPartners = "crossTenantAccessPolicyPartners", "v1.0", "/policies/crossTenantAccessPolicy/partners", ["Policy.Read.All"], None;
    /// Who may register and join devices, and how.
    DeviceRegistrationPolicy = "deviceRegistrationPolicy", "v1.0", "/policies/deviceRegistrationPolicy", ["Policy.Read.DeviceConfiguration"], None;
    /// Directory settings.
    GroupSettings = "groupSettings", "v1.0", "/groupSettings", ["GroupSettings.Read.All"], None;
    /// What a directory setting is where nobody set it.
    GroupSettingTemplates = "groupSettingTemplates", "v1.0", "/groupSettingTemplates", ["GroupSettings.Read.All"], None;

    // Governance
    /// Access reviews: of what, by whom, how often.
    AccessReviewDefinitions = "accessReviewDefinitions", "v1.0", "/identityGovernance/accessReviews/definitions", ["AccessReview.Read.All"], EntraP2OrGovernance;
    /// Who may ask for which access package, who approves, when it ends.
    AssignmentPolicies = "accessPackageAssignmentPolicies", "v1.0", "/identityGovernance/entitlementManagement/assignmentPolicies", ["EntitlementManagement.Read.All"], EntraP2OrGovernance;
    /// Catalogues with their resources and packages; the beta form, which names the object behind each resource.
    AccessPackageCatalogs = "accessPackageCatalogs", "beta", "/identityGovernance/entitlementManagement/accessPackageCatalogs", ["EntitlementManagement.Read.All"], EntraP2OrGovernance;
    /// What each access package of those catalogues gives.
    AccessPackages = "accessPackages", "v1.0", "/identityGovernance/entitlementManagement/accessPackages/{id}", ["EntitlementManagement.Read.All"], EntraP2OrGovernance;
    /// Lifecycle workflows for joiners, movers and leavers.
    LifecycleWorkflows = "lifecycleWorkflows", "v1.0", "/identityGovernance/lifecycleWorkflows/workflows", ["LifecycleWorkflows-Workflow.ReadBasic.All"], Governance;

    // Global Secure Access
    /// Which traffic goes through Global Secure Access; beta only.
    ForwardingProfiles = "networkAccessForwardingProfiles", "beta", "/networkAccess/forwardingProfiles", ["NetworkAccess.Read.All"], GlobalSecureAccess;
    /// Whether Conditional Access hears of the compliant network; beta only.
    NetworkAccessConditionalAccess = "networkAccessConditionalAccessSettings", "beta", "/networkAccess/settings/conditionalAccess", ["NetworkAccess.Read.All"], GlobalSecureAccess;
    /// Web filtering policies with their rules; beta only.
    FilteringPolicies = "networkAccessFilteringPolicies", "beta", "/networkAccess/filteringPolicies", ["NetworkAccess.Read.All"], GlobalSecureAccess;
    /// Security profiles with the policies that each links; beta only.
    FilteringProfiles = "networkAccessFilteringProfiles", "beta", "/networkAccess/filteringProfiles", ["NetworkAccess.Read.All"], GlobalSecureAccess;

    // Applications and what they were granted
    /// Application registrations of this tenant.
    Applications = "applications", "v1.0", "/applications", ["Application.Read.All"], None;
    /// Applications present in this tenant, whoever wrote them.
    ServicePrincipals = "servicePrincipals", "v1.0", "/servicePrincipals", ["Application.Read.All"], None;
    /// Secrets and certificates on service principals. A request of its own: Graph answers 150 with `keyCredentials` a minute in each tenant.
    ServicePrincipalCredentials = "servicePrincipalCredentials", "v1.0", "/servicePrincipals?$select=id,passwordCredentials,keyCredentials", ["Application.Read.All"], None;
    /// Owners of every application registration, twenty of each at most. A request of its own: `$expand` allows no count.
    ApplicationsWithOwners = "applicationsWithOwners", "v1.0", "/applications?$expand=owners", ["Application.Read.All"], None;
    /// Owners of every service principal, twenty of each at most; costs twice as much as the plain list.
    ServicePrincipalsWithOwners = "servicePrincipalsWithOwners", "v1.0", "/servicePrincipals?$expand=owners", ["Application.Read.All"], None;
    /// When each application was last signed in to or with; beta only.
    ServicePrincipalSignInActivities = "servicePrincipalSignInActivities", "beta", "/reports/servicePrincipalSignInActivities", ["AuditLog.Read.All"], EntraP1;
    /// Identities of AI agents with their sponsors; beta only, global cloud only.
    AgentIdentities = "agentIdentities", "beta", "/servicePrincipals/microsoft.graph.agentIdentity?$expand=sponsors", ["AgentIdentity.Read.All"], None;
    /// Owners of those identities: Graph expands one relation for each request.
    AgentIdentityOwners = "agentIdentityOwners", "v1.0", "/servicePrincipals/{id}/owners", ["Application.Read.All"], None;
    /// How Application Proxy publishes the applications that it publishes; beta only.
    ApplicationPublishing = "applicationPublishing", "beta", "/applications/{id}", ["Application.Read.All"], EntraP1;
    /// Parts of the own network that Private Access applications open; beta only.
    ApplicationSegments = "applicationSegments", "beta", "/applications/{id}/onPremisesPublishing/segmentsConfiguration/microsoft.graph.ipSegmentConfiguration/applicationSegments", ["Application.Read.All"], PrivateAccess;
    /// Who is assigned to Private Access applications and to traffic forwarding profiles.
    SecureAccessAssignments = "secureAccessAssignments", "v1.0", "/servicePrincipals/{id}/appRoleAssignedTo", ["Application.Read.All"], None;
    /// Groups inside the groups that are assigned there.
    AssignedGroupNestedGroups = "assignedGroupNestedGroups", "v1.0", "/groups/{id}/members/microsoft.graph.group", ["GroupMember.Read.All"], None;
    /// What the tenant calls harmless of the delegated permissions of Microsoft Graph, Exchange Online and SharePoint Online.
    DelegatedPermissionClassifications = "delegatedPermissionClassifications", "v1.0", "/servicePrincipals/{id}/delegatedPermissionClassifications", ["Application.Read.All"], None;
    /// What the application that reads all this was granted itself; its service principal is the one object.
    OwnAppRoleAssignments = "ownAppRoleAssignments", "v1.0", "/servicePrincipals/{id}/appRoleAssignments", ["Application.Read.All"], None;
    /// Foreign tokens that applications take for a credential; only when asked for: one request for each application.
    FederatedIdentityCredentials = "federatedIdentityCredentials", "v1.0", "/applications/{id}/federatedIdentityCredentials", ["Application.Read.All"], None;
    /// Application permissions granted on Microsoft Graph, Exchange Online and SharePoint Online.
    AppRoleAssignedTo = "appRoleAssignedTo", "v1.0", "/servicePrincipals/{id}/appRoleAssignedTo", ["Application.Read.All"], None;
    /// Owners of the application registrations behind powerful service principals.
    ApplicationOwners = "applicationOwners", "v1.0", "/applications/{id}/owners", ["Application.Read.All"], None;
    /// Owners of powerful service principals.
    ServicePrincipalOwners = "servicePrincipalOwners", "v1.0", "/servicePrincipals/{id}/owners", ["Application.Read.All"], None;
    /// Delegated permissions granted, by whom and for whom.
    OAuth2PermissionGrants = "oauth2PermissionGrants", "v1.0", "/oauth2PermissionGrants", ["Directory.Read.All"], None;

    // Single accounts
    /// Sign-in methods of single accounts: the declared emergency access accounts where no report tells.
    AuthenticationMethods = "authenticationMethods", "v1.0", "/users/{id}/authentication/methods", ["UserAuthenticationMethod.Read.All"], None;
    /// Inbox rules; only when asked for.
    InboxRules = "inboxMessageRules", "v1.0", "/users/{id}/mailFolders/inbox/messageRules", ["MailboxSettings.Read"], Exchange;
    /// Whose mailbox it is, of enabled members with a mail address; only when asked for.
    MailboxSettings = "mailboxSettings", "v1.0", "/users/{id}/mailboxSettings", ["MailboxSettings.Read"], Exchange;
    /// The old multi-factor authentication setting of each enabled account; beta, and only when asked for.
    AuthenticationRequirements = "authenticationRequirements", "beta", "/users/{id}/authentication/requirements", ["Policy.Read.All"], None;

    // Risk, alerts, scores
    /// Users whom Identity Protection rates at risk or compromised.
    RiskyUsers = "riskyUsers", "v1.0", "/identityProtection/riskyUsers", ["IdentityRiskyUser.Read.All"], EntraP1;
    /// Risky activities that Identity Protection saw in the last seven days.
    RiskDetections = "riskDetections", "v1.0", "/identityProtection/riskDetections?$filter=detectedDateTime ge {7 days ago}", ["IdentityRiskEvent.Read.All"], EntraP2;
    /// Service principals that Identity Protection rates at risk or compromised.
    RiskyServicePrincipals = "riskyServicePrincipals", "v1.0", "/identityProtection/riskyServicePrincipals", ["IdentityRiskyServicePrincipal.Read.All"], WorkloadIdentities;
    /// Whom Identity Protection tells of risk; beta, undocumented, and perhaps never open to an application.
    RiskNotifications = "riskNotifications", "beta", "/identityProtection/settings/notifications", ["IdentityRiskEvent.Read.All"], EntraP2;
    /// Open security alerts.
    Alerts = "alerts", "v1.0", "/security/alerts_v2", ["SecurityAlert.Read.All"], Defender;
    /// Alerts that data loss prevention raised: a sign that it is in use.
    DlpAlerts = "dlpAlerts", "v1.0", "/security/alerts_v2?$filter=serviceSource eq 'dataLossPrevention'", ["SecurityAlert.Read.All"], Defender;
    /// Alerts of Defender for Cloud Apps: a sign that it is in use.
    CloudAppsAlerts = "cloudAppsAlerts", "v1.0", "/security/alerts_v2?$filter=serviceSource eq 'microsoftDefenderForCloudApps'", ["SecurityAlert.Read.All"], Defender;
    /// Alerts of Insider Risk Management: a sign that it is in use.
    InsiderRiskAlerts = "insiderRiskAlerts", "v1.0", "/security/alerts_v2?$filter=serviceSource eq 'microsoftInsiderRiskManagement'", ["SecurityAlert.Read.All"], Defender;
    /// Open security incidents.
    Incidents = "incidents", "v1.0", "/security/incidents", ["SecurityIncident.Read.All"], Defender;
    /// Security incidents that were resolved in the last thirty days.
    ResolvedIncidents = "resolvedIncidents", "v1.0", "/security/incidents?$filter=status eq 'resolved'", ["SecurityIncident.Read.All"], Defender;
    /// Simulated attacks on the own people.
    AttackSimulations = "attackSimulations", "v1.0", "/security/attackSimulation/simulations", ["AttackSimulation.Read.All"], DefenderForOffice2;
    /// Sensors of Defender for Identity.
    IdentitySensors = "identitySensors", "v1.0", "/security/identities/sensors", ["SecurityIdentitiesSensors.Read.All"], DefenderForIdentity;
    /// Open health issues of those sensors.
    IdentityHealthIssues = "identityHealthIssues", "v1.0", "/security/identities/healthIssues?$filter=status eq 'open'", ["SecurityIdentitiesHealth.Read.All"], DefenderForIdentity;
    /// The newest Secure Score.
    SecureScores = "secureScores", "v1.0", "/security/secureScores", ["SecurityEvents.Read.All"], None;
    /// What each control of the Secure Score is and gives at most.
    SecureScoreControlProfiles = "secureScoreControlProfiles", "v1.0", "/security/secureScoreControlProfiles", ["SecurityEvents.Read.All"], None;

    // Data and sharing
    /// Sensitivity labels with their sublabels.
    SensitivityLabels = "sensitivityLabels", "v1.0", "/security/dataSecurityAndGovernance/sensitivityLabels", ["SensitivityLabels.Read.All"], InformationProtection;
    /// Tenant-wide settings of SharePoint and OneDrive.
    SharePointSettings = "sharepointSettings", "v1.0", "/admin/sharepoint/settings", ["SharePointTenantSettings.Read.All"], SharePoint;
    /// What people may get for themselves from the Office store; beta only.
    AppsAndServices = "adminAppsAndServices", "beta", "/admin/appsAndServices", ["OrgSettings-AppsAndServices.Read.All"], None;
    /// Microsoft Forms; beta only.
    Forms = "adminForms", "beta", "/admin/forms", ["OrgSettings-Forms.Read.All"], None;
    /// How much mail each account sent in seven days, by a usage report: 302 to a CSV file, which is read without the token.
    EmailActivity = "emailActivityUserDetail", "v1.0", "/reports/getEmailActivityUserDetail(period='D7')", ["Reports.Read.All"], None;
    /// Whether usage reports show names.
    ReportSettings = "adminReportSettings", "v1.0", "/admin/reportSettings", ["ReportSettings.Read.All"], None;

    // Devices
    /// The Intune subscription and its tenant-wide compliance settings.
    DeviceManagement = "deviceManagement", "v1.0", "/deviceManagement", ["DeviceManagementServiceConfig.Read.All"], Intune;
    /// Devices that Intune manages.
    ManagedDevices = "managedDevices", "v1.0", "/deviceManagement/managedDevices", ["DeviceManagementManagedDevices.Read.All"], Intune;
    /// Counts of managed devices.
    ManagedDeviceOverview = "managedDeviceOverview", "v1.0", "/deviceManagement/managedDeviceOverview", ["DeviceManagementManagedDevices.Read.All"], Intune;
    /// Compliance policies with their assignments.
    DeviceCompliancePolicies = "deviceCompliancePolicies", "v1.0", "/deviceManagement/deviceCompliancePolicies", ["DeviceManagementConfiguration.Read.All"], Intune;
    /// The same list in beta: v1.0 hides the policies for corporate Android devices. Read only when there are Android devices.
    DeviceCompliancePoliciesBeta = "deviceCompliancePoliciesBeta", "beta", "/deviceManagement/deviceCompliancePolicies", ["DeviceManagementConfiguration.Read.All"], Intune;
    /// Compliance policies of the settings catalogue (Linux); beta only. Read only when there are Linux devices.
    CompliancePolicies = "compliancePolicies", "beta", "/deviceManagement/compliancePolicies", ["DeviceManagementConfiguration.Read.All"], Intune;
    /// App protection policies for iOS and iPadOS.
    IosManagedAppProtections = "iosManagedAppProtections", "v1.0", "/deviceAppManagement/iosManagedAppProtections", ["DeviceManagementApps.Read.All"], Intune;
    /// App protection policies for Android.
    AndroidManagedAppProtections = "androidManagedAppProtections", "v1.0", "/deviceAppManagement/androidManagedAppProtections", ["DeviceManagementApps.Read.All"], Intune;
    /// Devices of the directory, managed or not.
    Devices = "devices", "v1.0", "/devices", ["Device.Read.All"], None;
    /// When each device last backed up the password of its local administrator (LAPS); never the passwords.
    DeviceLocalCredentials = "deviceLocalCredentials", "v1.0", "/directory/deviceLocalCredentials", ["DeviceLocalCredential.ReadBasic.All"], None;
    /// Who manages the tenant's devices. A request of its own: the list of organizations leaves it out.
    MobileDeviceManagementAuthority = "mobileDeviceManagementAuthority", "v1.0", "/organization/{id}?$select=mobileDeviceManagementAuthority", ["Organization.Read.All"], None;
    /// Configuration profiles made from templates; v1.0 hides those for macOS and half of the properties.
    DeviceConfigurations = "deviceConfigurations", "beta", "/deviceManagement/deviceConfigurations", ["DeviceManagementConfiguration.Read.All"], Intune;
    /// Policies of the settings catalogue and of endpoint security; beta only.
    ConfigurationPolicies = "configurationPolicies", "beta", "/deviceManagement/configurationPolicies", ["DeviceManagementConfiguration.Read.All"], Intune;
    /// What the assigned ones among them set, where a rule looks into it.
    ConfigurationPolicySettings = "configurationPolicySettings", "beta", "/deviceManagement/configurationPolicies/{id}/settings", ["DeviceManagementConfiguration.Read.All"], Intune;
    /// Security baselines and endpoint security policies of the old kind; beta only.
    Intents = "intents", "beta", "/deviceManagement/intents", ["DeviceManagementConfiguration.Read.All"], Intune;
    /// The iOS list in beta: v1.0 does not tell what happens to who does not meet a condition.
    IosManagedAppProtectionsBeta = "iosManagedAppProtectionsBeta", "beta", "/deviceAppManagement/iosManagedAppProtections", ["DeviceManagementApps.Read.All"], Intune;
    /// The Android list in beta, for the same reason.
    AndroidManagedAppProtectionsBeta = "androidManagedAppProtectionsBeta", "beta", "/deviceAppManagement/androidManagedAppProtections", ["DeviceManagementApps.Read.All"], Intune;
    /// Rules of enrolment: platform restrictions, Windows Hello for Business.
    DeviceEnrollmentConfigurations = "deviceEnrollmentConfigurations", "v1.0", "/deviceManagement/deviceEnrollmentConfigurations", ["DeviceManagementServiceConfig.Read.All"], Intune;
    /// Tokens of Apple's automated device enrolment; beta only.
    DepOnboardingSettings = "depOnboardingSettings", "beta", "/deviceManagement/depOnboardingSettings", ["DeviceManagementServiceConfig.Read.All"], Intune;
    /// How devices of each such token are set up; beta only.
    DepEnrollmentProfiles = "depEnrollmentProfiles", "beta", "/deviceManagement/depOnboardingSettings/{id}/enrollmentProfiles", ["DeviceManagementServiceConfig.Read.All"], Intune;
    /// Tokens of Apple's volume purchase programme.
    VppTokens = "vppTokens", "v1.0", "/deviceAppManagement/vppTokens", ["DeviceManagementServiceConfig.Read.All"], Intune;
    /// The certificate through which Apple devices are reached; no row where none was ever uploaded.
    ApplePushNotificationCertificate = "applePushNotificationCertificate", "v1.0", "/deviceManagement/applePushNotificationCertificate", ["DeviceManagementConfiguration.Read.All"], Intune;
    /// The binding to managed Google Play; beta only.
    AndroidManagedStoreAccountEnterpriseSettings = "androidManagedStoreAccountEnterpriseSettings", "beta", "/deviceManagement/androidManagedStoreAccountEnterpriseSettings", ["DeviceManagementConfiguration.Read.All"], Intune;
    /// Threat defence products that report to Intune.
    MobileThreatDefenseConnectors = "mobileThreatDefenseConnectors", "v1.0", "/deviceManagement/mobileThreatDefenseConnectors", ["DeviceManagementServiceConfig.Read.All"], Intune;
    /// Servers that hand out certificates to devices; beta only.
    NdesConnectors = "ndesConnectors", "beta", "/deviceManagement/ndesConnectors", ["DeviceManagementConfiguration.Read.All"], Intune;
    /// When silent devices are removed; beta only.
    ManagedDeviceCleanupRules = "managedDeviceCleanupRules", "beta", "/deviceManagement/managedDeviceCleanupRules", ["DeviceManagementManagedDevices.Read.All"], Intune;
    /// Policies that hold Windows at one version; beta only.
    WindowsFeatureUpdateProfiles = "windowsFeatureUpdateProfiles", "beta", "/deviceManagement/windowsFeatureUpdateProfiles", ["DeviceManagementConfiguration.Read.All"], Intune;
    /// Whether Windows diagnostic data may feed the reports; beta only. No permission is documented: an application may be refused.
    DataProcessorServiceForWindowsFeaturesOnboarding = "dataProcessorServiceForWindowsFeaturesOnboarding", "beta", "/deviceManagement/dataProcessorServiceForWindowsFeaturesOnboarding", ["DeviceManagementConfiguration.Read.All"], Intune;
    /// How the company portal presents itself; beta only.
    IntuneBrandingProfiles = "intuneBrandingProfiles", "beta", "/deviceManagement/intuneBrandingProfiles", ["DeviceManagementApps.Read.All"], Intune;
    /// What takes a second administrator's approval; beta only.
    OperationApprovalPolicies = "operationApprovalPolicies", "beta", "/deviceManagement/operationApprovalPolicies", ["DeviceManagementConfiguration.Read.All"], Intune;
    /// Those policies one by one, where the list does not tell who approves.
    OperationApprovalPolicy = "operationApprovalPolicy", "beta", "/deviceManagement/operationApprovalPolicies/{id}", ["DeviceManagementConfiguration.Read.All"], Intune;
    /// Who holds a role of Intune.
    IntuneRoleAssignments = "intuneRoleAssignments", "v1.0", "/deviceManagement/roleAssignments", ["DeviceManagementRBAC.Read.All"], Intune;
    /// Those assignments one by one, where the list does not tell the groups.
    IntuneRoleAssignment = "intuneRoleAssignment", "v1.0", "/deviceManagement/roleAssignments/{id}", ["DeviceManagementRBAC.Read.All"], Intune;
}

impl Resource {
    /// What stands in evidence: `GET /v1.0/users`.
    pub fn source(self) -> String {
        format!("GET /{}{}", self.version(), self.path())
    }

    /// The permissions as one phrase: `User.Read.All + AuditLog.Read.All`.
    pub fn permission(self) -> String {
        self.permissions().join(" + ")
    }

    /// Read only when somebody asks for it by a flag: it takes a request for each account or application, or looks into mailboxes.
    pub const fn is_opt_in(self) -> bool {
        matches!(
            self,
            Self::InboxRules
                | Self::MailboxSettings
                | Self::AuthenticationRequirements
                | Self::FederatedIdentityCredentials
        )
    }

    /// Whether its rows belong to one object each (`{id}` in the path), which their snapshot pages name.
    pub fn is_per_object(self) -> bool {
        self.path().contains("{id}")
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// No resource has this key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown section {0:?}")]
pub struct UnknownResource(pub String);

impl FromStr for Resource {
    type Err = UnknownResource;

    fn from_str(key: &str) -> Result<Self, UnknownResource> {
        Self::ALL
            .iter()
            .copied()
            .find(|resource| resource.key() == key)
            .ok_or_else(|| UnknownResource(key.to_owned()))
    }
}

impl TryFrom<String> for Resource {
    type Error = UnknownResource;

    fn try_from(key: String) -> Result<Self, UnknownResource> {
        key.parse()
    }
}

impl From<Resource> for String {
    fn from(resource: Resource) -> Self {
        resource.key().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::reference;

    #[test]
    fn every_permission_is_an_application_permission_to_read() {
        for resource in Resource::ALL {
            for permission in resource
                .permissions()
                .iter()
                .chain(resource.also_accepted())
            {
                assert!(
                    reference::permission_named(permission).is_some(),
                    "{permission} of {resource} is no application permission"
                );
                assert!(
                    reference::only_reads(permission),
                    "{permission} of {resource} does more than read"
                );
            }
        }
    }
}
