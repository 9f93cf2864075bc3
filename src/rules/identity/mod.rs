//! Identity and access.

mod admin_consent_request_policy;
mod authorization_policy;
mod stale_accounts;

use super::Rule;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &stale_accounts::ACCOUNT_STALE,
    &admin_consent_request_policy::ADMIN_CONSENT_WORKFLOW_OFF,
    &authorization_policy::USER_CONSENT_UNRESTRICTED,
    &authorization_policy::USERS_CAN_REGISTER_APPS,
];
