//! What secrets and certificates applications may have.

use super::{DirectoryObject, graph_enum, wire};
use crate::snapshot::Untrusted;

wire! {
    /// The tenant's own limits. Switched off, none of them holds.
    TenantAppManagementPolicy = "tenantAppManagementPolicy" {
        is_enabled: Option<bool>,
        application_restrictions: Option<AppManagementConfiguration>,
        service_principal_restrictions: Option<AppManagementConfiguration>,
    }

    /// Other limits for some applications.
    AppManagementPolicy = "appManagementPolicy" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        is_enabled: Option<bool>,
        restrictions: Option<AppManagementConfiguration>,
        applies_to: Option<Vec<DirectoryObject>>,
    }

    /// Limits by kind of credential; what is not listed is not limited.
    AppManagementConfiguration = "appManagementConfiguration" {
        password_credentials: Option<Vec<PasswordCredentialConfiguration>>,
        key_credentials: Option<Vec<KeyCredentialConfiguration>>,
    }

    /// One limit on secrets.
    PasswordCredentialConfiguration = "passwordCredentialConfiguration" {
        restriction_type: Option<AppCredentialRestrictionType>,
        /// Null counts as enabled: tenants from before the property have it so.
        state: Option<AppManagementRestrictionState>,
        /// An ISO 8601 duration.
        max_lifetime: Option<Untrusted>,
        restrict_for_apps_created_after_date_time: Option<jiff::Timestamp>,
    }

    /// One limit on certificates.
    KeyCredentialConfiguration = "keyCredentialConfiguration" {
        restriction_type: Option<AppKeyCredentialRestrictionType>,
        state: Option<AppManagementRestrictionState>,
        /// An ISO 8601 duration.
        max_lifetime: Option<Untrusted>,
        restrict_for_apps_created_after_date_time: Option<jiff::Timestamp>,
    }
}

graph_enum! {
    /// What is limited about secrets.
    AppCredentialRestrictionType { PasswordAddition = "passwordAddition", PasswordLifetime = "passwordLifetime", SymmetricKeyAddition = "symmetricKeyAddition", SymmetricKeyLifetime = "symmetricKeyLifetime", CustomPasswordAddition = "customPasswordAddition" }
    /// What is limited about certificates.
    AppKeyCredentialRestrictionType { AsymmetricKeyLifetime = "asymmetricKeyLifetime" }
    /// Whether a limit holds.
    AppManagementRestrictionState { Enabled = "enabled", Disabled = "disabled" }
}
