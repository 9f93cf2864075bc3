//! Intune as a service: enrolment, tokens, certificates and connectors, and who runs it.

use super::{AssignmentTarget, graph_enum, wire};
use crate::snapshot::{Guid, Untrusted};

wire! {
    /// A rule of enrolment; `odata_type` says which kind, and with it which of the properties it has.
    DeviceEnrollmentConfiguration = "deviceEnrollmentConfiguration" {
        #[serde(rename = "@odata.type")]
        odata_type: Option<Untrusted>,
        /// The defaults end with `_DefaultPlatformRestrictions`, `_DefaultWindowsHelloForBusiness`, ...
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        /// The defaults have 0, the lowest.
        priority: Option<i64>,
        windows_restriction: Option<DeviceEnrollmentPlatformRestriction>,
        #[serde(rename = "macOSRestriction")]
        mac_os_restriction: Option<DeviceEnrollmentPlatformRestriction>,
        ios_restriction: Option<DeviceEnrollmentPlatformRestriction>,
        android_restriction: Option<DeviceEnrollmentPlatformRestriction>,
        /// Whether Windows Hello for Business is set up.
        state: Option<Enablement>,
        /// Empty for the defaults, which apply to everybody.
        assignments: Option<Vec<EnrollmentConfigurationAssignment>>,
    }

    /// What may be enrolled of one platform.
    DeviceEnrollmentPlatformRestriction = "deviceEnrollmentPlatformRestriction" {
        platform_blocked: Option<bool>,
        personal_device_enrollment_blocked: Option<bool>,
    }

    /// To whom a rule of enrolment is assigned.
    EnrollmentConfigurationAssignment = "enrollmentConfigurationAssignment" {
        target: Option<AssignmentTarget>,
    }

    /// A token of Apple's automated device enrolment (beta).
    DepOnboardingSetting = "depOnboardingSetting" {
        id: Option<Guid>,
        token_name: Option<Untrusted>,
        token_expiration_date_time: Option<jiff::Timestamp>,
        last_successful_sync_date_time: Option<jiff::Timestamp>,
    }

    /// How a device of one enrolment token is set up (beta); `odata_type` says for which platform.
    EnrollmentProfile = "enrollmentProfile" {
        #[serde(rename = "@odata.type")]
        odata_type: Option<Untrusted>,
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        /// Macs only; `None` where the password of the local administrator stays as it is.
        dep_profile_admin_account_password_rotation_setting: Option<DepProfileAdminAccountPasswordRotationSetting>,
    }

    /// How often the password of the local administrator is changed.
    DepProfileAdminAccountPasswordRotationSetting = "depProfileAdminAccountPasswordRotationSetting" {
        auto_rotation_period_in_days: Option<i64>,
    }

    /// A token of Apple's volume purchase programme; never the token itself.
    VppToken = "vppToken" {
        id: Option<Untrusted>,
        organization_name: Option<Untrusted>,
        state: Option<VppTokenState>,
        expiration_date_time: Option<jiff::Timestamp>,
        last_sync_date_time: Option<jiff::Timestamp>,
    }

    /// The certificate without which no Apple device hears of Intune.
    ApplePushNotificationCertificate = "applePushNotificationCertificate" {
        apple_identifier: Option<Untrusted>,
        expiration_date_time: Option<jiff::Timestamp>,
    }

    /// A threat defence product that reports to Intune.
    MobileThreatDefenseConnector = "mobileThreatDefenseConnector" {
        /// Fixed for each product.
        id: Option<Untrusted>,
        partner_state: Option<MobileThreatPartnerTenantState>,
        last_heartbeat_date_time: Option<jiff::Timestamp>,
        windows_enabled: Option<bool>,
        android_enabled: Option<bool>,
        ios_enabled: Option<bool>,
    }

    /// A server that hands out certificates to devices (beta).
    NdesConnector = "ndesConnector" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        machine_name: Option<Untrusted>,
        state: Option<NdesConnectorState>,
        connector_version: Option<Untrusted>,
        last_connection_date_time: Option<jiff::Timestamp>,
    }

    /// When devices that fell silent are removed (beta).
    ManagedDeviceCleanupRule = "managedDeviceCleanupRule" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        /// 0: never.
        device_inactivity_before_retirement_in_days: Option<i64>,
    }

    /// How the company portal presents itself (beta).
    IntuneBrandingProfile = "intuneBrandingProfile" {
        id: Option<Untrusted>,
        profile_name: Option<Untrusted>,
        display_name: Option<Untrusted>,
        is_default_profile: Option<bool>,
        privacy_url: Option<Untrusted>,
    }

    /// What takes a second administrator's approval (beta).
    OperationApprovalPolicy = "operationApprovalPolicy" {
        id: Option<Guid>,
        display_name: Option<Untrusted>,
        /// The list may leave it out; the policy by its id has it.
        approver_group_ids: Option<Vec<Untrusted>>,
    }

    /// Who holds a role of Intune.
    DeviceAndAppManagementRoleAssignment = "deviceAndAppManagementRoleAssignment" {
        id: Option<Guid>,
        display_name: Option<Untrusted>,
        /// Ids of groups. The list may leave it empty; the assignment by its id has it.
        members: Option<Vec<Untrusted>>,
    }

    /// A policy that holds Windows at one version (beta).
    WindowsFeatureUpdateProfile = "windowsFeatureUpdateProfile" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        /// As it is shown: `Windows 11, version 24H2`.
        feature_update_version: Option<Untrusted>,
        end_of_support_date: Option<jiff::Timestamp>,
    }

    /// How the tenant is bound to managed Google Play (beta); never the enrolment codes.
    AndroidManagedStoreAccountEnterpriseSettings = "androidManagedStoreAccountEnterpriseSettings" {
        bind_status: Option<AndroidManagedStoreAccountBindStatus>,
        last_app_sync_status: Option<AndroidManagedStoreAccountAppSyncStatus>,
        last_app_sync_date_time: Option<jiff::Timestamp>,
    }

    /// Whether Windows diagnostic data may feed the reports (beta).
    DataProcessorServiceForWindowsFeaturesOnboarding = "dataProcessorServiceForWindowsFeaturesOnboarding" {
        are_data_processor_service_for_windows_features_enabled: Option<bool>,
        has_valid_windows_license: Option<bool>,
    }
}

graph_enum! {
    /// Whether something is on.
    Enablement { NotConfigured = "notConfigured", Enabled = "enabled", Disabled = "disabled" }
    /// Whether a volume token can be used.
    VppTokenState { Unknown = "unknown", Valid = "valid", Expired = "expired", Invalid = "invalid", AssignedToExternalMdm = "assignedToExternalMDM", DuplicateLocationId = "duplicateLocationId" }
    /// How a threat defence product stands. Documented beyond the schema: `notSetUp`.
    MobileThreatPartnerTenantState { Unavailable = "unavailable", Available = "available", Enabled = "enabled", Unresponsive = "unresponsive", NotSetUp = "notSetUp" }
    /// Whether a certificate connector is heard of.
    NdesConnectorState { None = "none", Active = "active", Inactive = "inactive" }
    /// How far the tenant is bound to managed Google Play.
    AndroidManagedStoreAccountBindStatus { NotBound = "notBound", Bound = "bound", BoundAndValidated = "boundAndValidated", Unbinding = "unbinding" }
    /// How the last exchange of apps with managed Google Play ended.
    AndroidManagedStoreAccountAppSyncStatus { Success = "success", CredentialsNotValid = "credentialsNotValid", AndroidForWorkApiError = "androidForWorkApiError", ManagementServiceError = "managementServiceError", UnknownError = "unknownError", None = "none" }
}
