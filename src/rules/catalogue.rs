//! The registry: every rule, found by its id.

use super::{Rule, data, devices, identity, monitoring, sharing};

/// Every rule, area by area in the order of reports.
pub fn registry() -> impl Iterator<Item = &'static Rule> {
    [
        identity::RULES,
        data::RULES,
        sharing::RULES,
        devices::RULES,
        monitoring::RULES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The rule with this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    registry().find(|rule| rule.id == id)
}

/// The id nearest to one that does not exist, if any is near.
pub fn nearest(id: &str) -> Option<&'static str> {
    registry()
        .map(|rule| (strsim::damerau_levenshtein(id, rule.id), rule.id))
        .min()
        .filter(|(distance, known)| *distance <= known.len() / 2)
        .map(|(_, known)| known)
}
