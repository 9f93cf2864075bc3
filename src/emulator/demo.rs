//! The sample tenant that is built in: `scan --demo`.

use super::{EmulatorError, TenantData};

macro_rules! files {
    ($($name:literal)+) => {
        &[$(($name, include_str!(concat!("../../fixtures/tenants/demo/", $name)))),+]
    };
}

const FILES: &[(&str, &str)] = files! {
    "tenant.json" "account-details.json" "application-details.json" "applications.json" "conditional-access.json" "devices.json"
    "governance.json" "groups.json" "licences.json" "mailboxes.json" "organization.json" "policies.json" "registration.json"
    "risk-details.json" "roles.json" "security.json" "settings.json" "sharing.json" "tenant-policies.json" "users.json"
};

/// What the sample tenant has declared in its `m365audit.toml`.
pub const CONFIG: &str = include_str!("../../fixtures/tenants/demo/m365audit.toml");

impl TenantData {
    /// The sample tenant.
    pub fn demo() -> Result<Self, EmulatorError> {
        Self::from_files(FILES.iter().copied())
    }
}
