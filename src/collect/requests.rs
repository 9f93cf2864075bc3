//! What exactly is asked of Graph for each resource: only the properties that rules use, in the largest pages that the
//! endpoint takes. Sources: Microsoft Graph reference pages of each path; page sizes as documented or, where not, as Graph serves them.

use jiff::{SignedDuration, Timestamp};

use super::shard::Partition;
use crate::graph::{Query, Service};
use crate::snapshot::{Guid, Resource};

/// What is asked for a resource, for people to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Path with version and options; `{id}` stands for one object each.
    pub address: String,
    /// Whose limits count.
    pub service: Service,
    /// What one page costs, in units of that service.
    pub units: u32,
    /// Whether a long list is read in parts.
    pub in_parts: bool,
}

/// What exactly is asked for a resource, with windows of time as of `now`.
pub fn describe(resource: Resource, now: Timestamp) -> Request {
    let query = if resource.is_per_object() {
        query_of(resource, Guid::new(0))
    } else {
        query(resource, now, 90)
    };
    let nobody = Guid::new(0).to_string();
    Request {
        address: format!("/{}{}", resource.version(), query.relative()).replace(&nobody, "{id}"),
        service: query.service(),
        units: query.units(),
        in_parts: partition(resource).is_some(),
    }
}

/// Rows of a page of directory objects.
pub(super) const PAGE: u64 = 999;

/// How a list can be read in parts: by filters that Graph documents for the property.
pub(super) const fn partition(resource: Resource) -> Option<Partition> {
    Some(match resource {
        Resource::Users | Resource::EmployeeLeave | Resource::GuestSponsors => {
            Partition::Ranges("userPrincipalName")
        }
        Resource::Applications
        | Resource::ServicePrincipals
        | Resource::ServicePrincipalCredentials
        | Resource::ApplicationsWithOwners
        | Resource::ServicePrincipalsWithOwners
        | Resource::Groups => Partition::Ranges("displayName"),
        Resource::Devices => Partition::Digits("deviceId"),
        Resource::OAuth2PermissionGrants => {
            Partition::Values("consentType", &["AllPrincipals", "Principal"])
        }
        _ => return None,
    })
}

/// The question how many rows a list has; `None` where Graph does not say. `$expand` rules a count out, so it is left out here.
pub(super) fn counting(resource: Resource, query: &Query) -> Option<Query> {
    match partition(resource) {
        Some(Partition::Values(..)) => None,
        Some(_) => Some(
            query
                .clone()
                .without("$expand")
                .select(&["id"])
                .top(1)
                .count(),
        ),
        None => query.is_counted().then(|| query.clone().top(1)),
    }
}

/// Properties of accounts that rules use.
const USER: &[&str] = &[
    "id",
    "userPrincipalName",
    "displayName",
    "mail",
    "userType",
    "accountEnabled",
    "createdDateTime",
    "creationType",
    "externalUserState",
    "externalUserStateChangeDateTime",
    "onPremisesSyncEnabled",
    "passwordPolicies",
    "assignedLicenses",
];

const APPLICATION: &[&str] = &[
    "id",
    "appId",
    "displayName",
    "signInAudience",
    "disabledByMicrosoftStatus",
    "servicePrincipalLockConfiguration",
    "web",
    "spa",
    "publicClient",
    "passwordCredentials",
    "keyCredentials",
];

const SERVICE_PRINCIPAL: &[&str] = &[
    "id",
    "appId",
    "displayName",
    "servicePrincipalType",
    "accountEnabled",
    "appOwnerOrganizationId",
    "appRoleAssignmentRequired",
    "disabledByMicrosoftStatus",
    "verifiedPublisher",
    "preferredSingleSignOnMode",
    "preferredTokenSigningKeyThumbprint",
    "tags",
    "replyUrls",
];

const MANAGED_DEVICE: &[&str] = &[
    "id",
    "deviceName",
    "managedDeviceOwnerType",
    "operatingSystem",
    "osVersion",
    "complianceState",
    "jailBroken",
    "isEncrypted",
    "isSupervised",
    "lastSyncDateTime",
    "partnerReportedThreatState",
    "userPrincipalName",
    "userId",
];

const DEVICE: &[&str] = &[
    "id",
    "deviceId",
    "displayName",
    "accountEnabled",
    "operatingSystem",
    "trustType",
    "isManaged",
    "registrationDateTime",
    "approximateLastSignInDateTime",
];

const CONFIGURATION_POLICY: &[&str] =
    &["id", "name", "platforms", "isAssigned", "templateReference"];

const BRANDING_PROFILE: &[&str] = &[
    "id",
    "profileName",
    "displayName",
    "isDefaultProfile",
    "privacyUrl",
];

const VPP_TOKEN: &[&str] = &[
    "id",
    "organizationName",
    "state",
    "expirationDateTime",
    "lastSyncDateTime",
];

const MANAGED_STORE: &[&str] = &[
    "id",
    "bindStatus",
    "lastAppSyncStatus",
    "lastAppSyncDateTime",
];

const ORGANIZATION: &[&str] = &[
    "id",
    "displayName",
    "tenantType",
    "createdDateTime",
    "onPremisesSyncEnabled",
    "onPremisesLastSyncDateTime",
    "securityComplianceNotificationMails",
    "technicalNotificationMails",
    "verifiedDomains",
];

const SKU: &[&str] = &[
    "id",
    "skuId",
    "skuPartNumber",
    "appliesTo",
    "capabilityStatus",
    "consumedUnits",
    "prepaidUnits",
    "servicePlans",
];

/// The bare path of a resource in its version, with the object that it is asked of.
fn base(resource: Resource, id: &str) -> Query {
    let path = resource.path().split('?').next().unwrap_or_default();
    let path = path.replace("{id}", id);
    if resource.version() == "beta" {
        Query::beta(&path)
    } else {
        Query::v1(&path)
    }
}

/// `isManagementRestricted` comes only where it is named.
const GROUP: &[&str] = &[
    "id",
    "displayName",
    "groupTypes",
    "visibility",
    "isAssignableToRole",
    "isManagementRestricted",
    "membershipRule",
    "membershipRuleProcessingState",
    "onPremisesSyncEnabled",
    "resourceProvisioningOptions",
    "assignedLicenses",
];

/// The last two come only where they are named.
const RESOURCE_ACTION: &[&str] = &[
    "id",
    "name",
    "actionVerb",
    "isAuthenticationContextSettable",
    "authenticationContextId",
];

/// Privileged Identity Management answers only for one scope: the whole directory, its roles.
const DIRECTORY_ROLES: &str = "scopeId eq '/' and scopeType eq 'DirectoryRole'";

/// The properties of application objects that are asked for; none for others.
pub(super) const fn properties(resource: Resource) -> &'static [&'static str] {
    match resource {
        Resource::Applications => APPLICATION,
        Resource::ServicePrincipals => SERVICE_PRINCIPAL,
        _ => &[],
    }
}

/// The request for a resource that is not per object.
pub(super) fn query(resource: Resource, now: Timestamp, alert_days: u32) -> Query {
    let base = base(resource, "");
    let principal = "principal($select=id,displayName)";
    match resource {
        // Tenant, accounts and roles
        Resource::Organization => base.select(ORGANIZATION),
        Resource::SubscribedSkus => base.select(SKU),
        Resource::Users => base.select(USER).top(999).count(),
        Resource::SignInActivity => base.select(&["id", "signInActivity"]).top(500),
        Resource::GuestSponsors => base
            .select(&["id", "userPrincipalName"])
            .filter("userType eq 'Guest'")
            .expand("sponsors($select=id)")
            .top(999),
        Resource::EmployeeLeave => base
            .select(&["id", "userPrincipalName", "accountEnabled", "employeeLeaveDateTime"])
            .top(999)
            .count(),
        Resource::KrbtgtAccounts => base
            .select(&["id", "userPrincipalName", "displayName", "mailNickname", "onPremisesDistinguishedName"])
            .filter("startsWith(userPrincipalName,'krbtgt_AzureAD') or startsWith(mailNickname,'krbtgt_AzureAD')")
            .top(999),
        Resource::RegistrationDetails
        | Resource::OAuth2PermissionGrants
        | Resource::SecureScoreControlProfiles => base.top(999),
        Resource::RoleDefinitions => base.select(&[
            "id",
            "templateId",
            "displayName",
            "isBuiltIn",
            "isEnabled",
            "rolePermissions",
        ]),
        Resource::RoleAssignments => base.expand(principal),
        Resource::RoleEligibilityScheduleInstances | Resource::RoleAssignmentScheduleInstances => {
            base.expand("principal")
        }
        Resource::RoleManagementPolicyAssignments => {
            base.filter(DIRECTORY_ROLES).expand("policy($expand=rules)")
        }
        Resource::RoleManagementAlerts => base.filter(DIRECTORY_ROLES),
        Resource::ResourceActions => base.select(RESOURCE_ACTION).top(500),
        // Groups. A count would need an advanced query, and those know no `$expand`.
        Resource::Groups => base.select(GROUP).expand("owners($select=id)").top(999),
        // Governance
        Resource::AccessReviewDefinitions => base.top(100),
        Resource::AssignmentPolicies => base.expand("accessPackage").top(100),
        Resource::AccessPackageCatalogs => base.expand("accessPackageResources,accessPackages"),
        Resource::LifecycleWorkflows => base.select(&[
            "id",
            "displayName",
            "category",
            "isEnabled",
            "isSchedulingEnabled",
        ]),
        // Global Secure Access. Only the nested form names the policy behind a link.
        Resource::FilteringPolicies => base.expand("policyRules"),
        Resource::FilteringProfiles => base.expand("policies($expand=policy)"),
        // Conditional Access and tenant-wide policies
        Resource::AppManagementPolicies => base.expand("appliesTo"),
        Resource::PermissionGrantPolicies => base.expand("includes,excludes"),
        Resource::CrossTenantAccessPartners => base.expand("identitySynchronization"),
        // Applications and what they were granted
        Resource::Applications => base.select(APPLICATION).top(999).count(),
        Resource::ServicePrincipals => base.select(SERVICE_PRINCIPAL).top(999).count(),
        Resource::ServicePrincipalCredentials => base
            // The name is what the list is cut by.
            .select(&["id", "displayName", "passwordCredentials", "keyCredentials"])
            .top(999)
            .count(),
        Resource::ApplicationsWithOwners | Resource::ServicePrincipalsWithOwners => base
            .select(&["id", "displayName"])
            .expand("owners($select=id)")
            .top(999),
        Resource::AgentIdentities => base.expand("sponsors").top(100),
        // Risk, alerts, scores
        Resource::RiskDetections => base
            .filter(&format!("detectedDateTime ge {}", days_ago(now, 7)))
            .top(500),
        Resource::RiskyUsers | Resource::RiskyServicePrincipals => base
            .filter("riskState eq 'atRisk' or riskState eq 'confirmedCompromised'")
            .top(500),
        Resource::Alerts => base
            .filter(&format!(
                "status ne 'resolved' and createdDateTime ge {}",
                days_ago(now, alert_days)
            ))
            .top(100),
        Resource::DlpAlerts => sign_of_use(base, "dataLossPrevention", now),
        Resource::CloudAppsAlerts => sign_of_use(base, "microsoftDefenderForCloudApps", now),
        Resource::InsiderRiskAlerts => sign_of_use(base, "microsoftInsiderRiskManagement", now),
        Resource::ResolvedIncidents => base
            .filter(&format!(
                "status eq 'resolved' and lastUpdateDateTime ge {}",
                days_ago(now, 30)
            ))
            .top(50),
        Resource::AttackSimulations => base
            .select(&["id", "displayName", "status", "createdDateTime", "launchDateTime"])
            .top(50),
        Resource::IdentityHealthIssues => base.filter("status eq 'open'"),
        Resource::Incidents => base
            .filter("status eq 'active' or status eq 'inProgress' or status eq 'awaitingAction'")
            .top(50),
        Resource::SecureScores => base.top(1),
        // Data and sharing
        Resource::SensitivityLabels => base.expand("sublabels"),
        // Devices
        Resource::DeviceManagement => base.select(&["id", "subscriptionState", "settings"]),
        Resource::ManagedDevices => base.select(MANAGED_DEVICE).top(1_000),
        Resource::DeviceCompliancePolicies
        | Resource::DeviceCompliancePoliciesBeta
        | Resource::CompliancePolicies
        | Resource::DeviceConfigurations
        | Resource::DeviceEnrollmentConfigurations
        | Resource::IosManagedAppProtections
        | Resource::AndroidManagedAppProtections => base.expand("assignments"),
        Resource::Devices => base.select(DEVICE).top(999).count(),
        Resource::DeviceLocalCredentials => {
            base.select(&["id", "deviceName", "lastBackupDateTime"])
        }
        Resource::ConfigurationPolicies => base.select(CONFIGURATION_POLICY).expand("assignments"),
        Resource::Intents => base.select(&["id", "displayName", "templateId", "isAssigned"]),
        Resource::VppTokens => base.select(VPP_TOKEN),
        Resource::ApplePushNotificationCertificate => {
            base.select(&["appleIdentifier", "expirationDateTime"])
        }
        Resource::AndroidManagedStoreAccountEnterpriseSettings => base.select(MANAGED_STORE),
        Resource::IntuneBrandingProfiles => base.select(BRANDING_PROFILE),
        _ => base,
    }
}

/// The request for one object's rows of a per-object resource.
pub(super) fn query_of(resource: Resource, id: Guid) -> Query {
    let query = base(resource, &id.to_string());
    match resource {
        Resource::GroupTransitiveMembers | Resource::AssignedGroupNestedGroups => {
            query.select(&["id"]).top(999).count()
        }
        Resource::AppRoleAssignedTo
        | Resource::SecureAccessAssignments
        | Resource::OwnAppRoleAssignments => query.top(999),
        Resource::ApplicationPublishing => {
            query.select(&["id", "appId", "displayName", "onPremisesPublishing"])
        }
        // The rest of a mailbox's settings (absence messages among them) is nobody's business.
        Resource::MailboxSettings => query.select(&["userPurpose"]),
        Resource::ApplicationOwners
        | Resource::ServicePrincipalOwners
        | Resource::AgentIdentityOwners
        | Resource::GroupOwners => query.select(&["id", "displayName", "userPrincipalName"]),
        Resource::AccessPackages => query.expand("resourceRoleScopes($expand=role,scope)"),
        // Devices
        Resource::ConfigurationPolicySettings => query.top(1_000),
        Resource::MobileDeviceManagementAuthority => {
            query.select(&["id", "mobileDeviceManagementAuthority"])
        }
        _ => query,
    }
}

/// The request for the rows of one object that has a name and no GUID: a domain.
pub(super) fn query_of_name(resource: Resource, name: &str) -> Query {
    let (before, after) = resource.path().split_once("{id}").unwrap_or_default();
    Query::v1(before)
        .segment(name)
        .segment(after.trim_start_matches('/'))
}

/// One alert of a service in 90 days shows that it is in use.
fn sign_of_use(base: Query, service: &str, now: Timestamp) -> Query {
    let since = days_ago(now, 90);
    base.filter(&format!(
        "serviceSource eq '{service}' and createdDateTime ge {since}"
    ))
    .top(1)
}

fn days_ago(now: Timestamp, days: u32) -> String {
    let then = now
        .checked_sub(SignedDuration::from_hours(24 * i64::from(days)))
        .unwrap_or(Timestamp::UNIX_EPOCH);
    then.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
