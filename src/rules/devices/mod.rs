//! Device posture.

mod app_protection;
mod assignment;
mod compliance_policies;
mod device_management;
mod device_registration;
mod intune_enrolment;
mod managed_devices;
mod unmanaged_access;

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
    &intune_enrolment::INTUNE_ENROLMENT_WITHOUT_FRESH_MFA,
    &device_management::INTUNE_UNUSED,
    &unmanaged_access::MOBILE_APP_PROTECTION_NOT_REQUIRED,
    &unmanaged_access::UNKNOWN_PLATFORM_ACCESS_ALLOWED,
    &unmanaged_access::UNMANAGED_DEVICE_ACCESS_ALLOWED,
    &unmanaged_access::UNMANAGED_DEVICE_ACCESS_ALLOWED_FOR_ADMINS,
];
