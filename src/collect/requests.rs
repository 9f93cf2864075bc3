//! What exactly is asked of Graph for each resource: only the properties that rules use, in the largest pages that the
//! endpoint takes. Sources: Microsoft Graph reference pages of each path; page sizes as documented or, where not, as Graph serves them.

use jiff::{SignedDuration, Timestamp};

use super::shard::Partition;
use crate::graph::Query;
use crate::snapshot::{Guid, Resource};

/// Rows of a page of directory objects.
pub(super) const PAGE: u64 = 999;

/// How a list can be read in parts: by filters that Graph documents for the property.
pub(super) const fn partition(resource: Resource) -> Option<Partition> {
    Some(match resource {
        Resource::Users => Partition::Ranges("userPrincipalName"),
        Resource::Applications | Resource::ServicePrincipals => Partition::Ranges("displayName"),
        Resource::OAuth2PermissionGrants => {
            Partition::Values("consentType", &["AllPrincipals", "Principal"])
        }
        _ => return None,
    })
}

/// Asked for at the pace of the reports: the longest part of any collection.
pub(super) fn is_slow(resource: Resource) -> bool {
    matches!(
        resource,
        Resource::RegistrationDetails | Resource::SignInActivity
    )
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
    "onPremisesSyncEnabled",
    "assignedLicenses",
];

const APPLICATION: &[&str] = &[
    "id",
    "appId",
    "displayName",
    "disabledByMicrosoftStatus",
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
    "disabledByMicrosoftStatus",
    "verifiedPublisher",
    "passwordCredentials",
    "keyCredentials",
];

const MANAGED_DEVICE: &[&str] = &[
    "id",
    "deviceName",
    "managedDeviceOwnerType",
    "operatingSystem",
    "complianceState",
    "isEncrypted",
    "lastSyncDateTime",
    "partnerReportedThreatState",
    "userPrincipalName",
];

const ORGANIZATION: &[&str] = &[
    "id",
    "displayName",
    "tenantType",
    "createdDateTime",
    "onPremisesSyncEnabled",
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

/// The request for a resource that is not per object.
pub(super) fn query(resource: Resource, now: Timestamp, alert_days: u32) -> Query {
    let path = resource.path().split('?').next().unwrap_or_default();
    let base = if resource.version() == "beta" {
        Query::beta(path)
    } else {
        Query::v1(path)
    };
    let principal = "principal($select=id,displayName)";
    match resource {
        // Tenant, accounts and roles
        Resource::Organization => base.select(ORGANIZATION),
        Resource::SubscribedSkus => base.select(SKU),
        Resource::Users => base.select(USER).top(999).count(),
        Resource::SignInActivity => base.select(&["id", "signInActivity"]).top(500),
        Resource::RegistrationDetails
        | Resource::OAuth2PermissionGrants
        | Resource::SecureScoreControlProfiles => base.top(999),
        Resource::RoleDefinitions => {
            base.select(&["id", "isBuiltIn", "isEnabled", "rolePermissions"])
        }
        Resource::RoleAssignments => base.expand(principal),
        Resource::RoleEligibilityScheduleInstances | Resource::RoleAssignmentScheduleInstances => {
            base.expand("principal")
        }
        // Conditional Access and tenant-wide policies
        Resource::PermissionGrantPolicies => base.expand("includes,excludes"),
        Resource::CrossTenantAccessPartners => base.expand("identitySynchronization"),
        // Applications and what they were granted
        Resource::Applications => base.select(APPLICATION).top(999).count(),
        Resource::ServicePrincipals => base.select(SERVICE_PRINCIPAL).top(999).count(),
        // Risk, alerts, scores
        Resource::RiskyUsers => base
            .filter("riskState eq 'atRisk' or riskState eq 'confirmedCompromised'")
            .top(500),
        Resource::Alerts => base
            .filter(&format!(
                "status ne 'resolved' and createdDateTime ge {}",
                days_ago(now, alert_days)
            ))
            .top(100),
        Resource::DlpAlerts => base
            .filter(&format!(
                "serviceSource eq 'dataLossPrevention' and createdDateTime ge {}",
                days_ago(now, 90)
            ))
            .top(1),
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
        | Resource::IosManagedAppProtections
        | Resource::AndroidManagedAppProtections => base.expand("assignments"),
        _ => base,
    }
}

/// The request for one object's rows of a per-object resource.
pub(super) fn query_of(resource: Resource, id: Guid) -> Query {
    let query = Query::v1(&resource.path().replace("{id}", &id.to_string()));
    match resource {
        Resource::GroupTransitiveMembers => query.select(&["id"]).top(999).count(),
        Resource::AppRoleAssignedTo => query.top(999),
        Resource::ApplicationOwners | Resource::ServicePrincipalOwners => {
            query.select(&["id", "displayName", "userPrincipalName"])
        }
        _ => query,
    }
}

/// Whether the answer is a collection (`value`) or the object itself.
pub(super) fn is_collection(resource: Resource) -> bool {
    !matches!(
        resource,
        Resource::SecurityDefaults
            | Resource::AuthorizationPolicy
            | Resource::AdminConsentRequestPolicy
            | Resource::CrossTenantAccessDefault
            | Resource::DeviceRegistrationPolicy
            | Resource::SharePointSettings
            | Resource::DeviceManagement
            | Resource::ManagedDeviceOverview
    )
}

/// Short answers that share a round trip with others.
pub(super) fn fits_a_batch(resource: Resource) -> bool {
    !is_collection(resource)
        || matches!(
            resource,
            Resource::Organization
                | Resource::Domains
                | Resource::SubscribedSkus
                | Resource::AuthenticationStrengthPolicies
                | Resource::PermissionGrantPolicies
                | Resource::CrossTenantAccessPartners
                | Resource::GroupSettings
                | Resource::SecureScores
                | Resource::DlpAlerts
                | Resource::SensitivityLabels
                | Resource::DeviceCompliancePolicies
                | Resource::IosManagedAppProtections
                | Resource::AndroidManagedAppProtections
        )
}

/// Whether the next link leads to more of what was asked for. Secure Scores go back day by day, and one DLP alert is sign enough.
pub(super) fn goes_on(resource: Resource) -> bool {
    !matches!(resource, Resource::SecureScores | Resource::DlpAlerts)
}

fn days_ago(now: Timestamp, days: u32) -> String {
    let then = now
        .checked_sub(SignedDuration::from_hours(24 * i64::from(days)))
        .unwrap_or(Timestamp::UNIX_EPOCH);
    then.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
