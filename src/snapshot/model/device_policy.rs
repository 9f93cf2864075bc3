//! What Intune asks of devices and apps: compliance, configuration, app protection.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use super::{graph_enum, wire};
use crate::snapshot::{Guid, Untrusted};

wire! {
    /// A compliance policy; `odata_type` says for which platform, and with it which of the properties it has.
    DeviceCompliancePolicy = "deviceCompliancePolicy" {
        #[serde(rename = "@odata.type")]
        odata_type: Option<Untrusted>,
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        bit_locker_enabled: Option<bool>,
        storage_require_encryption: Option<bool>,
        security_block_jailbroken_devices: Option<bool>,
        os_minimum_version: Option<Untrusted>,
        min_android_security_patch_level: Option<Untrusted>,
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

    /// A configuration profile made from a template; `odata_type` says which, and with it which of the properties it has.
    DeviceConfiguration = "deviceConfiguration" {
        #[serde(rename = "@odata.type")]
        odata_type: Option<Untrusted>,
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        bit_locker_encrypt_device: Option<bool>,
        file_vault_enabled: Option<bool>,
        quality_updates_paused: Option<bool>,
        assignments: Option<Vec<DeviceConfigurationAssignment>>,
    }

    /// To whom a configuration profile is assigned.
    DeviceConfigurationAssignment = "deviceConfigurationAssignment" {
        target: Option<AssignmentTarget>,
    }

    /// A policy of the settings catalogue or of endpoint security (beta).
    DeviceManagementConfigurationPolicy = "deviceManagementConfigurationPolicy" {
        id: Option<Guid>,
        name: Option<Untrusted>,
        /// Flags: `windows10`, or several with commas. See [`Self::is_for`].
        platforms: Option<Untrusted>,
        is_assigned: Option<bool>,
        template_reference: Option<DeviceManagementConfigurationPolicyTemplateReference>,
        assignments: Option<Vec<DeviceManagementConfigurationPolicyAssignment>>,
    }

    /// The template that a policy was made from.
    DeviceManagementConfigurationPolicyTemplateReference = "deviceManagementConfigurationPolicyTemplateReference" {
        template_family: Option<TemplateFamily>,
        template_display_name: Option<Untrusted>,
    }

    /// To whom a policy of the settings catalogue is assigned.
    DeviceManagementConfigurationPolicyAssignment = "deviceManagementConfigurationPolicyAssignment" {
        target: Option<AssignmentTarget>,
    }

    /// One setting of a policy with those that hang below it.
    DeviceManagementConfigurationSetting = "deviceManagementConfigurationSetting" {
        setting_instance: Option<DeviceManagementConfigurationSettingInstance>,
    }

    /// What is set; which of the values is there depends on the kind of setting.
    DeviceManagementConfigurationSettingInstance = "deviceManagementConfigurationSettingInstance" {
        /// The name of the setting, in lower case: `device_vendor_msft_bitlocker_requiredeviceencryption`.
        setting_definition_id: Option<Untrusted>,
        choice_setting_value: Option<DeviceManagementConfigurationChoiceSettingValue>,
        choice_setting_collection_value: Option<Vec<DeviceManagementConfigurationChoiceSettingValue>>,
        simple_setting_value: Option<DeviceManagementConfigurationSimpleSettingValue>,
        simple_setting_collection_value: Option<Vec<DeviceManagementConfigurationSimpleSettingValue>>,
        group_setting_value: Option<DeviceManagementConfigurationGroupSettingValue>,
        group_setting_collection_value: Option<Vec<DeviceManagementConfigurationGroupSettingValue>>,
    }

    /// The option that was chosen, with what it opens up.
    DeviceManagementConfigurationChoiceSettingValue = "deviceManagementConfigurationChoiceSettingValue" {
        /// The name of the setting and of the option: `device_vendor_msft_bitlocker_requiredeviceencryption_1`.
        value: Option<Untrusted>,
        children: Option<Vec<DeviceManagementConfigurationSettingInstance>>,
    }

    /// A number or a text.
    DeviceManagementConfigurationSimpleSettingValue = "deviceManagementConfigurationSimpleSettingValue" {
        value: Option<SimpleValue>,
    }

    /// Settings that belong together.
    DeviceManagementConfigurationGroupSettingValue = "deviceManagementConfigurationGroupSettingValue" {
        children: Option<Vec<DeviceManagementConfigurationSettingInstance>>,
    }

    /// A baseline or an endpoint security policy of the old kind (beta).
    DeviceManagementIntent = "deviceManagementIntent" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        template_id: Option<Untrusted>,
        is_assigned: Option<bool>,
    }

    /// An app protection policy for one platform.
    ManagedAppProtection = "targetedManagedAppProtection" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        is_assigned: Option<bool>,
        allowed_outbound_data_transfer_destinations: Option<ManagedAppDataTransferLevel>,
        allowed_outbound_clipboard_sharing_level: Option<ManagedAppClipboardSharingLevel>,
        save_as_blocked: Option<bool>,
        allowed_data_storage_locations: Option<Vec<Untrusted>>,
        data_backup_blocked: Option<bool>,
        assignments: Option<Vec<TargetedManagedAppPolicyAssignment>>,
    }

    /// What an app protection policy asks before an app opens; v1.0 does not tell what happens to who does not meet it.
    ManagedAppProtectionBeta = "targetedManagedAppProtection" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        is_assigned: Option<bool>,
        pin_required: Option<bool>,
        organizational_credentials_required: Option<bool>,
        period_online_before_access_check: Option<IsoDuration>,
        app_action_if_unable_to_authenticate_user: Option<ManagedAppRemediationAction>,
        device_compliance_required: Option<bool>,
        app_action_if_device_compliance_required: Option<ManagedAppRemediationAction>,
        /// Android only. The portal calls it Play Integrity.
        required_android_safety_net_device_attestation_type: Option<SafetyNetDeviceAttestationType>,
        app_action_if_android_safety_net_device_attestation_failed: Option<ManagedAppRemediationAction>,
    }

    /// To whom an app protection policy is assigned.
    TargetedManagedAppPolicyAssignment = "targetedManagedAppPolicyAssignment" {
        target: Option<AssignmentTarget>,
    }
}

graph_enum! {
    /// What kind of template a policy was made from; settings catalogue policies have `none`.
    TemplateFamily {
        None = "none", AppQuietTime = "appQuietTime", Baseline = "baseline", CompanyPortal = "companyPortal",
        DeviceConfigurationPolicies = "deviceConfigurationPolicies", DeviceConfigurationScripts = "deviceConfigurationScripts",
        AccountProtection = "endpointSecurityAccountProtection", Antivirus = "endpointSecurityAntivirus",
        ApplicationControl = "endpointSecurityApplicationControl", AttackSurfaceReduction = "endpointSecurityAttackSurfaceReduction",
        DiskEncryption = "endpointSecurityDiskEncryption", EndpointDetectionAndResponse = "endpointSecurityEndpointDetectionAndResponse",
        EndpointPrivilegeManagement = "endpointSecurityEndpointPrivilegeManagement", Firewall = "endpointSecurityFirewall",
        EnrollmentConfiguration = "enrollmentConfiguration", WindowsOsRecoveryPolicies = "windowsOsRecoveryPolicies",
        WindowsRecoveryAndRemediationConfiguration = "windowsRecoveryAndRemediationConfiguration",
    }
    /// To which apps data may go.
    ManagedAppDataTransferLevel { AllApps = "allApps", ManagedApps = "managedApps", None = "none" }
    /// To which apps the clipboard may go.
    ManagedAppClipboardSharingLevel { AllApps = "allApps", ManagedAppsWithPasteIn = "managedAppsWithPasteIn", ManagedApps = "managedApps", Blocked = "blocked" }
    /// What an app does when a condition is not met.
    ManagedAppRemediationAction { Block = "block", Wipe = "wipe", Warn = "warn", BlockWhenSettingIsSupported = "blockWhenSettingIsSupported" }
    /// How an Android device must prove that it is one.
    SafetyNetDeviceAttestationType { None = "none", BasicIntegrity = "basicIntegrity", BasicIntegrityAndDeviceCertification = "basicIntegrityAndDeviceCertification" }
}

impl DeviceManagementConfigurationPolicy {
    /// Whether the policy is for this platform: `windows10`, `macOS`, `iOS`.
    pub fn is_for(&self, platform: &str) -> bool {
        let all = self.platforms.as_ref().map_or("", Untrusted::raw);
        all.split(',')
            .any(|one| one.trim().eq_ignore_ascii_case(platform))
    }

    /// Whether anybody gets it: as Graph says, or because its assignments say so.
    pub fn is_in_use(&self) -> bool {
        let some = |list: &Vec<_>| !list.is_empty();
        self.is_assigned == Some(true) || self.assignments.as_ref().is_some_and(some)
    }

    /// The kind of template; `None` where Graph does not tell.
    pub fn family(&self) -> Option<&TemplateFamily> {
        self.template_reference.as_ref()?.template_family.as_ref()
    }
}

impl DeviceManagementConfigurationSetting {
    /// The setting and all that hang below it, at any depth: attack surface reduction rules sit two levels down.
    pub fn instances(&self) -> impl Iterator<Item = &DeviceManagementConfigurationSettingInstance> {
        let mut open: Vec<_> = self.setting_instance.iter().collect();
        std::iter::from_fn(move || {
            let next = open.pop()?;
            // The first child comes off first.
            let below = open.len();
            open.extend(next.children());
            open[below..].reverse();
            Some(next)
        })
    }
}

impl DeviceManagementConfigurationSettingInstance {
    fn children(&self) -> impl Iterator<Item = &Self> {
        let choices = self.choice_setting_value.iter();
        let choices = choices.chain(self.choice_setting_collection_value.iter().flatten());
        let groups = self.group_setting_value.iter();
        let groups = groups.chain(self.group_setting_collection_value.iter().flatten());
        let below = choices.map(|choice| &choice.children);
        below
            .chain(groups.map(|group| &group.children))
            .flatten()
            .flatten()
    }
}

/// The value of a simple setting. A secret comes as null or as a reference, never as itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SimpleValue {
    /// Of an `IntegerSettingValue`.
    Integer(i64),
    /// Of a `StringSettingValue`, or the reference of a secret.
    Text(Untrusted),
}

impl<'de> Deserialize<'de> for SimpleValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = SimpleValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a text")
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<SimpleValue, E> {
                Ok(SimpleValue::Integer(number))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<SimpleValue, E> {
                i64::try_from(number)
                    .map(SimpleValue::Integer)
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<SimpleValue, E> {
                Ok(SimpleValue::Text(text.into()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A length of time, written `PT30M` or `P90D`; a day has 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct IsoDuration(pub jiff::SignedDuration);

impl<'de> Deserialize<'de> for IsoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = IsoDuration;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time")
            }
            // Checked here, while the reader still stands at the value: an error names it.
            fn visit_str<E: de::Error>(self, text: &str) -> Result<IsoDuration, E> {
                text.parse::<jiff::Span>()
                    .and_then(|span| span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()))
                    .map(IsoDuration)
                    .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_all_the_forms_that_intune_writes() {
        let minutes = |text: &str| -> i64 {
            let duration: IsoDuration = serde_json::from_value(text.into()).unwrap();
            duration.0.as_mins()
        };
        assert_eq!(minutes("PT30M"), 30);
        assert_eq!(minutes("PT720M"), 720);
        assert_eq!(minutes("PT0S"), 0);
        assert_eq!(minutes("P90D"), 90 * 24 * 60);
        // A month is no length of time.
        for wrong in ["P1M", "30", "", "soon"] {
            assert!(serde_json::from_value::<IsoDuration>(wrong.into()).is_err());
        }
    }

    #[test]
    fn a_policy_is_for_each_platform_that_its_flags_name() {
        let policy = DeviceManagementConfigurationPolicy {
            platforms: Some("iOS, macos".into()),
            ..Default::default()
        };
        assert!(policy.is_for("macOS") && policy.is_for("iOS"));
        assert!(!policy.is_for("windows10") && !policy.is_for("mac"));
    }
}
