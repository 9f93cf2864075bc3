//! Devices: the Intune subscription, what it manages, what the directory knows, and who may register one.

use super::{graph_enum, wire};
use crate::snapshot::{Guid, Untrusted};

wire! {
    /// The Intune subscription and its tenant-wide settings.
    DeviceManagement = "deviceManagement" {
        subscription_state: Option<Untrusted>,
        settings: Option<DeviceManagementSettings>,
    }

    /// Tenant-wide compliance settings.
    DeviceManagementSettings = "deviceManagementSettings" {
        secure_by_default: Option<bool>,
    }

    /// A device that Intune manages.
    ManagedDevice = "managedDevice" {
        id: Option<Guid>,
        device_name: Option<Untrusted>,
        managed_device_owner_type: Option<ManagedDeviceOwnerType>,
        operating_system: Option<Untrusted>,
        /// `10.0.26100.6584` on Windows, `18.6.2` on iOS; empty where the device did not tell.
        os_version: Option<Untrusted>,
        compliance_state: Option<ComplianceState>,
        jail_broken: Option<JailBroken>,
        is_encrypted: Option<bool>,
        is_supervised: Option<bool>,
        /// Year 1 stands for never.
        last_sync_date_time: Option<jiff::Timestamp>,
        partner_reported_threat_state: Option<PartnerReportedThreatState>,
        user_principal_name: Option<Untrusted>,
        /// The id of the primary user in the directory; empty where there is none.
        user_id: Option<Untrusted>,
    }

    /// Counts of managed devices.
    ManagedDeviceOverview = "managedDeviceOverview" {
        enrolled_device_count: Option<i64>,
    }

    /// A device of the directory: registered, joined or hybrid joined.
    Device = "device" {
        id: Option<Guid>,
        /// What other services call the device by, [`DeviceLocalCredentialInfo::id`] among them.
        device_id: Option<Guid>,
        display_name: Option<Untrusted>,
        account_enabled: Option<bool>,
        operating_system: Option<Untrusted>,
        trust_type: Option<TrustType>,
        /// `None` where nothing manages the device.
        is_managed: Option<bool>,
        registration_date_time: Option<jiff::Timestamp>,
        /// Brought up to date every fourteen days or so.
        approximate_last_sign_in_date_time: Option<jiff::Timestamp>,
    }

    /// When a device last left the password of its local administrator in the directory; never the password.
    DeviceLocalCredentialInfo = "deviceLocalCredentialInfo" {
        /// The `deviceId` of the device.
        id: Option<Guid>,
        device_name: Option<Untrusted>,
        last_backup_date_time: Option<jiff::Timestamp>,
    }

    /// Who manages the tenant's devices; the list of organizations leaves it out.
    OrganizationMdmAuthority = "organization" {
        mobile_device_management_authority: Option<MdmAuthority>,
    }

    /// Who may join devices to the directory, and what that makes them.
    AzureAdJoinPolicy = "azureADJoinPolicy" {
        allowed_to_join: Option<DeviceRegistrationMembership>,
        local_admins: Option<LocalAdminSettings>,
    }

    /// Who becomes a local administrator of a joined device.
    LocalAdminSettings = "localAdminSettings" {
        enable_global_admins: Option<bool>,
        registering_users: Option<DeviceRegistrationMembership>,
    }

    /// All, some or none; `odata_type` says which.
    DeviceRegistrationMembership = "deviceRegistrationMembership" {
        #[serde(rename = "@odata.type")]
        odata_type: Option<Untrusted>,
    }

    /// Whether devices may back up the password of their local administrator (LAPS).
    LocalAdminPasswordSettings = "localAdminPasswordSettings" {
        is_enabled: Option<bool>,
    }
}

graph_enum! {
    /// Who owns a device.
    ManagedDeviceOwnerType { Unknown = "unknown", Company = "company", Personal = "personal" }
    /// What Intune thinks of a device.
    ComplianceState { Unknown = "unknown", Compliant = "compliant", Noncompliant = "noncompliant", Conflict = "conflict", Error = "error", InGracePeriod = "inGracePeriod", ConfigManager = "configManager" }
    /// What the threat defence product thinks of a device.
    PartnerReportedThreatState { Unknown = "unknown", Activated = "activated", Deactivated = "deactivated", Secured = "secured", LowSeverity = "lowSeverity", MediumSeverity = "mediumSeverity", HighSeverity = "highSeverity", Unresponsive = "unresponsive", Compromised = "compromised", Misconfigured = "misconfigured" }
    /// Whether a phone's own protections were removed. Graph types it as a string.
    JailBroken { True = "True", False = "False", Unknown = "Unknown" }
    /// How a device is tied to the directory. Graph types it as a string.
    TrustType { Workplace = "Workplace", AzureAd = "AzureAd", ServerAd = "ServerAd" }
    /// Who manages the tenant's devices.
    MdmAuthority { Unknown = "unknown", Intune = "intune", Sccm = "sccm", Office365 = "office365" }
}
