//! Device posture.

mod app_protection;
mod assignment;
mod compliance_policies;
mod device_management;
mod device_registration;
mod managed_devices;

use super::Rule;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &app_protection::APP_PROTECTION_POLICY_MISSING,
    &compliance_policies::COMPLIANCE_POLICY_MISSING,
    &managed_devices::DEVICE_NON_COMPLIANT,
    &device_registration::DEVICE_REGISTRATION_WITHOUT_MFA,
    &managed_devices::DEVICE_THREAT_REPORTED,
    &managed_devices::DEVICE_UNENCRYPTED,
    &device_management::DEVICE_WITHOUT_POLICY_COMPLIANT,
    &device_management::INTUNE_UNUSED,
];
