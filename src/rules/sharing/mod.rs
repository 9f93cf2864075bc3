//! Collaboration and sharing controls.

mod authorization_policy;
mod cross_tenant_access_partners;
mod guest_accounts;
mod sharepoint_settings;

use super::Rule;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &cross_tenant_access_partners::CROSS_TENANT_SYNC_OPEN,
    &authorization_policy::GUEST_DIRECTORY_ACCESS_WIDE,
    &authorization_policy::GUEST_INVITATION_OPEN,
    &guest_accounts::GUEST_STALE,
    &sharepoint_settings::SHAREPOINT_ANONYMOUS_SHARING_ALLOWED,
    &sharepoint_settings::SHAREPOINT_GUEST_RESHARING_ALLOWED,
    &sharepoint_settings::SHAREPOINT_LEGACY_AUTHENTICATION_ALLOWED,
];
