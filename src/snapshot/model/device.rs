//! Intune: devices and the policies that make them compliant.

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
        compliance_state: Option<ComplianceState>,
        is_encrypted: Option<bool>,
        last_sync_date_time: Option<jiff::Timestamp>,
        partner_reported_threat_state: Option<PartnerReportedThreatState>,
        user_principal_name: Option<Untrusted>,
    }

    /// Counts of managed devices.
    ManagedDeviceOverview = "managedDeviceOverview" {
        enrolled_device_count: Option<i64>,
    }

    /// A compliance policy; `odata_type` says for which platform.
    DeviceCompliancePolicy = "deviceCompliancePolicy" {
        #[serde(rename = "@odata.type")]
        odata_type: Option<Untrusted>,
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        assignments: Option<Vec<DeviceCompliancePolicyAssignment>>,
    }

    /// A compliance policy of the settings catalogue (beta): Linux, and whatever follows it.
    DeviceManagementCompliancePolicy = "deviceManagementCompliancePolicy" {
        id: Option<Untrusted>,
        name: Option<Untrusted>,
        /// Flags: `linux`, or several with commas.
        platforms: Option<Untrusted>,
        assignments: Option<Vec<DeviceCompliancePolicyAssignment>>,
    }

    /// To whom a policy is assigned.
    DeviceCompliancePolicyAssignment = "deviceCompliancePolicyAssignment" {
        target: Option<AssignmentTarget>,
    }

    /// The group or the everybody of an assignment.
    AssignmentTarget = "groupAssignmentTarget" {
        #[serde(rename = "@odata.type")]
        odata_type: Option<Untrusted>,
        group_id: Option<Untrusted>,
    }

    /// An app protection policy for one platform.
    ManagedAppProtection = "targetedManagedAppProtection" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        is_assigned: Option<bool>,
        assignments: Option<Vec<TargetedManagedAppPolicyAssignment>>,
    }

    /// To whom an app protection policy is assigned.
    TargetedManagedAppPolicyAssignment = "targetedManagedAppPolicyAssignment" {
        target: Option<AssignmentTarget>,
    }
}

graph_enum! {
    /// Who owns a device.
    ManagedDeviceOwnerType { Unknown = "unknown", Company = "company", Personal = "personal" }
    /// What Intune thinks of a device.
    ComplianceState { Unknown = "unknown", Compliant = "compliant", Noncompliant = "noncompliant", Conflict = "conflict", Error = "error", InGracePeriod = "inGracePeriod", ConfigManager = "configManager" }
    /// What the threat defence product thinks of a device.
    PartnerReportedThreatState { Unknown = "unknown", Activated = "activated", Deactivated = "deactivated", Secured = "secured", LowSeverity = "lowSeverity", MediumSeverity = "mediumSeverity", HighSeverity = "highSeverity", Unresponsive = "unresponsive", Compromised = "compromised", Misconfigured = "misconfigured" }
}
