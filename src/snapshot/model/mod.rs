//! Wire types: what Graph sends, under Graph's names.
//!
//! Every field is optional unless it is an id: Graph omits what was not selected and sends null without system,
//! and a rule decides what null means, not the parser. Enumerations keep what they do not know as `Other`.
//! Each type names its Graph type in [`Wire`]; `tests/schema.rs` checks fields and types against the published schema.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeOwned};

mod admin;
mod app_management;
mod application;
mod authentication;
mod authentication_policy;
mod conditional_access;
mod device;
mod device_policy;
mod device_service;
mod governance;
mod group;
mod mail;
mod network_access;
mod object;
mod organization;
mod policy;
mod privileged;
mod role;
mod security;
mod tenant_state;
pub(crate) mod unknown_members;
mod user;

pub use admin::*;
pub use app_management::*;
pub use application::*;
pub use authentication::*;
pub use authentication_policy::*;
pub use conditional_access::*;
pub use device::*;
pub use device_policy::*;
pub use device_service::*;
pub use governance::*;
pub use group::*;
pub use mail::*;
pub use network_access::*;
pub use organization::*;
pub use policy::*;
pub use privileged::*;
pub use role::*;
pub use security::*;
pub use tenant_state::*;
pub use user::*;

/// A type of the wire.
pub trait Wire: DeserializeOwned {
    /// Its name in Graph's schema, without the `microsoft.graph.` in front.
    const GRAPH_TYPE: &'static str;
}

/// Declares a wire type: a struct whose fields are all optional, with its Graph type.
macro_rules! wire {
    ($( $(#[$meta:meta])* $name:ident = $graph:literal { $( $(#[$field_meta:meta])* $field:ident: $type:ty, )* } )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
        #[serde(default, rename_all = "camelCase", remote = "Self")]
        pub struct $name {
            $( $(#[$field_meta])* #[allow(missing_docs, reason = "named and described by Graph")] pub $field: $type, )*
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize($crate::snapshot::model::object::Object(deserializer))
            }
        }
        impl $crate::snapshot::model::Wire for $name {
            const GRAPH_TYPE: &'static str = $graph;
        }
    )+};
}
use wire;

/// Reads a member of an enumeration without a copy of its text.
struct Word<T>(PhantomData<T>);

impl<T: for<'a> From<&'a str>> de::Visitor<'_> for Word<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        Ok(text.into())
    }
}

/// Declares an enumeration of Graph that keeps members it does not know, compared without regard to case.
macro_rules! graph_enum {
    ($( $(#[$meta:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? } )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $variant,)+
            /// A member that this version does not know, as Graph sent it.
            Other(crate::snapshot::Untrusted),
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                $( if text.eq_ignore_ascii_case($text) { return Self::$variant; } )+
                Self::Other(text.into())
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::snapshot::model::Word(std::marker::PhantomData))
            }
        }
        impl $name {
            /// The value as Graph writes it.
            pub fn as_str(&self) -> &str {
                match self { $(Self::$variant => $text,)+ Self::Other(text) => text.raw() }
            }
        }
    )+};
}
use graph_enum;

/// Calls a macro with every wire type, for tests over all of them.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_wire_type {
    ($call:ident) => {
        $call! {
            Organization VerifiedDomain Domain SubscribedSku ServicePlanInfo LicenseUnitsDetail
            User AssignedLicense SignInActivityRow SignInActivity UserRegistrationDetails AuthenticationMethod
            UnifiedRoleDefinition UnifiedRolePermission UnifiedRoleAssignment UnifiedRoleEligibilityScheduleInstance UnifiedRoleAssignmentScheduleInstance DirectoryObject
            ConditionalAccessPolicy ConditionalAccessConditionSet ConditionalAccessUsers
            ConditionalAccessGuestsOrExternalUsers ConditionalAccessExternalTenants ConditionalAccessApplications
            ConditionalAccessPlatforms ConditionalAccessLocations ConditionalAccessDevices ConditionalAccessFilter
            ConditionalAccessAuthenticationFlows ConditionalAccessClientApplications ConditionalAccessGrantControls
            ConditionalAccessSessionControls ApplicationEnforcedRestrictionsSessionControl
            CloudAppSecuritySessionControl SignInFrequencySessionControl PersistentBrowserSessionControl
            NamedLocation AuthenticationStrengthPolicy CombinationConfiguration
            TenantAppManagementPolicy AppManagementPolicy AppManagementConfiguration PasswordCredentialConfiguration
            KeyCredentialConfiguration AuthenticationMethodsPolicy RegistrationEnforcement
            AuthenticationMethodsRegistrationCampaign RegistrationCampaignTarget AuthenticationMethodConfiguration
            AuthenticationMethodTarget ExcludeTarget MicrosoftAuthenticatorFeatureSettings
            AuthenticationMethodFeatureConfiguration FeatureTarget Fido2KeyRestrictions AuthenticationMethodsPolicyBeta
            AuthenticationMethodConfigurationBeta SystemCredentialPreferences ReportSuspiciousActivitySettings
            IncludeTarget AuthenticationFlowsPolicy SelfServiceSignUp ActivityBasedTimeoutPolicy LegacyPolicy
            SecureSignInSessionControl IpRange DeletedConditionalAccessPolicy ConditionalAccessPolicyBeta
            ConditionalAccessConditionSetBeta ConditionalAccessClientApplicationsBeta
            ConditionalAccessSessionControlsBeta ContinuousAccessEvaluationSessionControl
            GlobalSecureAccessFilteringProfileSessionControl AccessReviewScheduleDefinition AccessReviewScope
            AccessReviewReviewerScope AccessReviewStageSettings AccessReviewScheduleSettings PatternedRecurrence
            RecurrencePattern RecurrenceRange AccessPackageAssignmentPolicy ExpirationPattern
            AccessPackageAssignmentRequestorSettings AccessPackageAssignmentApprovalSettings AccessPackageApprovalStage
            SubjectSet AccessPackage AccessPackageResourceRoleScope AccessPackageResourceRole
            AccessPackageResourceScope AccessPackageCatalog AccessPackageResource Workflow Group ObjectReference
            GroupLifecyclePolicy GroupSettingTemplate SettingTemplateValue ForwardingProfile
            NetworkAccessConditionalAccessSettings FilteringPolicy FilteringRule FilteringProfile PolicyLink
            LinkedPolicy CrossTenantAccessPolicyTarget CrossTenantAccessPolicyAppServiceConnectSetting
            CrossTenantAccessPolicyM365CollaborationInboundSetting
            CrossTenantAccessPolicyM365CollaborationOutboundSetting
            DeviceRegistrationMembership LocalAdminPasswordSettings UnifiedRoleManagementPolicyAssignment
            UnifiedRoleManagementPolicy UnifiedRoleManagementPolicyRule ApprovalSettings UnifiedApprovalStage
            UnifiedRoleManagementAlert UnifiedRbacResourceAction InternalDomainFederation
            OnPremisesDirectorySynchronization OnPremisesDirectorySynchronizationFeature CompanySubscription Contract
            AzureADPremiumLicenseInsight AzureADPremiumP1FeatureUtilizations AzureADPremiumP2FeatureUtilizations
            AzureADPremiumFeatureUtilization Recommendation
            IdentitySecurityDefaultsEnforcementPolicy AuthorizationPolicy DefaultUserRolePermissions AdminConsentRequestPolicy
            PermissionGrantPolicy PermissionGrantConditionSet CrossTenantAccessPolicyConfigurationDefault
            CrossTenantAccessPolicyConfigurationPartner CrossTenantAccessPolicyB2BSetting
            CrossTenantAccessPolicyTargetConfiguration CrossTenantAccessPolicyInboundTrust InboundOutboundPolicyConfiguration
            DeviceRegistrationPolicy GroupSetting SettingValue SharepointSettings
            CrossTenantIdentitySyncPolicyPartner CrossTenantUserSyncInbound DirectoryObject AssignmentTarget
            Application ServicePrincipal PasswordCredential KeyCredential VerifiedPublisher AppRole AppRoleAssignment OAuth2PermissionGrant
            WebApplication SpaApplication PublicClientApplication ServicePrincipalLockConfiguration ApplicationWithOwners FederatedIdentityCredential
            PublishedApplication OnPremisesPublishing IpApplicationSegment ServicePrincipalCredentials ServicePrincipalWithOwners AgentIdentity
            ServicePrincipalSignInActivity DelegatedPermissionClassification GuestSponsors EmployeeLeave KrbtgtAccount StrongAuthenticationRequirements
            MailboxSettings EmailActivityUserDetail IdleSessionSignOut AdminReportSettings AdminAppsAndServices AppsAndServicesSettings AdminForms FormsSettings
            RiskDetection RiskyServicePrincipal RiskNotifications RiskNotificationRecipient Simulation Sensor HealthIssue
            RiskyUser Alert Incident SecureScore ControlScore SecureScoreControlProfile SensitivityLabel
            DeviceManagement DeviceManagementSettings ManagedDevice ManagedDeviceOverview DeviceCompliancePolicy
            Device DeviceLocalCredentialInfo OrganizationMdmAuthority
            AzureAdJoinPolicy LocalAdminSettings DeviceRegistrationMembership LocalAdminPasswordSettings
            DeviceConfiguration DeviceConfigurationAssignment DeviceManagementConfigurationPolicy
            DeviceManagementConfigurationPolicyTemplateReference DeviceManagementConfigurationPolicyAssignment
            DeviceManagementConfigurationSetting DeviceManagementConfigurationSettingInstance
            DeviceManagementConfigurationChoiceSettingValue DeviceManagementConfigurationSimpleSettingValue
            DeviceManagementConfigurationGroupSettingValue DeviceManagementIntent ManagedAppProtectionBeta
            DeviceEnrollmentConfiguration DeviceEnrollmentPlatformRestriction EnrollmentConfigurationAssignment
            DepOnboardingSetting EnrollmentProfile DepProfileAdminAccountPasswordRotationSetting VppToken
            ApplePushNotificationCertificate MobileThreatDefenseConnector NdesConnector ManagedDeviceCleanupRule
            IntuneBrandingProfile OperationApprovalPolicy DeviceAndAppManagementRoleAssignment WindowsFeatureUpdateProfile
            AndroidManagedStoreAccountEnterpriseSettings DataProcessorServiceForWindowsFeaturesOnboarding
            DeviceManagementCompliancePolicy DeviceCompliancePolicyAssignment ManagedAppProtection TargetedManagedAppPolicyAssignment AssignmentTarget MessageRule MessageRuleActions MessageRulePredicates Recipient EmailAddress
        }
    };
}
