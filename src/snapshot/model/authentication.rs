//! Sign-in methods.

use super::wire;
use crate::snapshot::{Guid, Untrusted};

wire! {
    /// What a user has registered; one row per user in the registration report.
    UserRegistrationDetails = "userRegistrationDetails" {
        id: Option<Guid>,
        user_principal_name: Option<Untrusted>,
        is_admin: Option<bool>,
        is_mfa_capable: Option<bool>,
        is_mfa_registered: Option<bool>,
        is_sspr_enabled: Option<bool>,
        methods_registered: Option<Vec<Untrusted>>,
    }

    /// One sign-in method of one account; `odata_type` says which kind.
    AuthenticationMethod = "authenticationMethod" {
        #[serde(rename = "@odata.type")]
        odata_type: Option<Untrusted>,
        id: Option<Untrusted>,
    }
}
