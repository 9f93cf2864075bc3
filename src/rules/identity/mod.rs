//! Identity and access.

mod stale_accounts;

use super::Rule;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&stale_accounts::ACCOUNT_STALE];
