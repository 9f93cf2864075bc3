//! Collaboration and sharing controls.

mod authorization_policy;

use super::Rule;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&authorization_policy::GUEST_INVITATION_OPEN];
