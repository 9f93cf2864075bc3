//! Monitoring and response ownership.

mod alerts;
mod disabled_applications;
mod handling;
mod inbox_rules;
mod incidents;
mod organization;
mod owners;
mod risky_users;

use super::Rule;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &alerts::ALERT_OPEN_LONG,
    &alerts::ALERT_UNASSIGNED,
    &disabled_applications::APPLICATION_DISABLED_BY_MICROSOFT,
    &owners::AREA_OWNER_DISABLED,
    &owners::AREA_OWNER_MISSING,
    &inbox_rules::INBOX_RULE_FORWARDS_OUTSIDE,
    &inbox_rules::INBOX_RULE_HIDES_MAIL,
    &incidents::INCIDENT_OPEN_LONG,
    &incidents::INCIDENT_UNASSIGNED,
    &risky_users::RISKY_USER_OPEN,
    &organization::SECURITY_CONTACT_MISSING,
];
