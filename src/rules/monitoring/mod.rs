//! Monitoring and response ownership.

mod disabled_applications;

use super::Rule;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&disabled_applications::APPLICATION_DISABLED_BY_MICROSOFT];
