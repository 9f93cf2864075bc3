//! What is known beforehand of the answers for each resource: their shape, how long they are, what must not be kept of them.
//! Sources: Microsoft Graph reference pages of each path.

use crate::graph::Service;
use crate::snapshot::Resource;

/// The columns to take from a usage report; `None` for everything that is no report.
pub(super) fn columns(resource: Resource) -> Option<&'static [&'static str]> {
    match resource {
        Resource::EmailActivity => Some(&["reportRefreshDate", "userPrincipalName", "sendCount"]),
        _ => None,
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
            | Resource::AuthenticationMethodsPolicy
            | Resource::AuthenticationMethodsPolicyBeta
            | Resource::AuthenticationFlowsPolicy
            | Resource::DefaultAppManagementPolicy
            | Resource::PremiumLicenseInsight
            | Resource::NetworkAccessConditionalAccess
            | Resource::AccessPackages
            | Resource::SharePointSettings
            | Resource::ApplicationPublishing
            | Resource::MailboxSettings
            | Resource::AuthenticationRequirements
            | Resource::RiskNotifications
            | Resource::AppsAndServices
            | Resource::Forms
            | Resource::ReportSettings
            | Resource::DeviceManagement
            | Resource::ManagedDeviceOverview
            | Resource::MobileDeviceManagementAuthority
            | Resource::ApplePushNotificationCertificate
            | Resource::AndroidManagedStoreAccountEnterpriseSettings
            | Resource::DataProcessorServiceForWindowsFeaturesOnboarding
            | Resource::OperationApprovalPolicy
            | Resource::IntuneRoleAssignment
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
                | Resource::GroupSettingTemplates
                | Resource::GroupLifecyclePolicies
                | Resource::OnPremisesSynchronization
                | Resource::DirectorySubscriptions
                | Resource::Contracts
                | Resource::DirectoryRecommendations
                | Resource::RoleManagementAlerts
                | Resource::ActivityBasedTimeoutPolicies
                | Resource::AppManagementPolicies
                | Resource::LegacyPolicies
                | Resource::LifecycleWorkflows
                | Resource::ForwardingProfiles
                | Resource::FilteringPolicies
                | Resource::FilteringProfiles
                | Resource::SecureScores
                | Resource::DlpAlerts
                | Resource::CloudAppsAlerts
                | Resource::InsiderRiskAlerts
                | Resource::SensitivityLabels
                | Resource::DeviceCompliancePolicies
                | Resource::IosManagedAppProtections
                | Resource::AndroidManagedAppProtections
                | Resource::IosManagedAppProtectionsBeta
                | Resource::AndroidManagedAppProtectionsBeta
                | Resource::Intents
                | Resource::DeviceEnrollmentConfigurations
                | Resource::DepOnboardingSettings
                | Resource::VppTokens
                | Resource::MobileThreatDefenseConnectors
                | Resource::NdesConnectors
                | Resource::ManagedDeviceCleanupRules
                | Resource::WindowsFeatureUpdateProfiles
                | Resource::IntuneBrandingProfiles
                | Resource::OperationApprovalPolicies
                | Resource::IntuneRoleAssignments
        )
}

/// Whether the next link leads to more of what was asked for. Secure Scores go back day by day, and one alert is sign enough of use.
pub(super) fn goes_on(resource: Resource) -> bool {
    !matches!(
        resource,
        Resource::SecureScores
            | Resource::DlpAlerts
            | Resource::CloudAppsAlerts
            | Resource::InsiderRiskAlerts
    )
}

/// What not every tenant has (a push certificate, a workspace of Defender for Identity, agents): Graph then says 404, and there is
/// nothing to read.
pub(super) fn may_not_exist(resource: Resource) -> bool {
    matches!(
        resource,
        Resource::ApplePushNotificationCertificate
            | Resource::IdentitySensors
            | Resource::IdentityHealthIssues
            | Resource::AgentIdentities
    )
}

/// Properties that are secrets. They are not selected, or documented to come as null; should a service send them all the same, they are
/// taken out before anything is kept.
pub(super) fn secrets(resource: Resource) -> &'static [&'static str] {
    match resource {
        Resource::DeviceLocalCredentials => &["credentials"],
        Resource::DepEnrollmentProfiles => &["adminAccountPassword"],
        Resource::VppTokens => &["token"],
        Resource::AndroidManagedStoreAccountEnterpriseSettings => &["companyCodes"],
        _ => &[],
    }
}

/// Asked for at the pace of the reports: the longest part of any collection.
pub(super) fn is_slow(resource: Resource) -> bool {
    matches!(
        resource,
        Resource::RegistrationDetails | Resource::SignInActivity
    )
}

/// A list of the service that answers one request a second: in a small tenant the longest part of a collection.
pub(super) fn is_paced_by_the_second(resource: Resource) -> bool {
    !fits_a_batch(resource) && Service::of(resource.path()) == Service::ConditionalAccess
}
