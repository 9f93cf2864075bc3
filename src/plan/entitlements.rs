//! Which protections are owned, and how far they are used.

use crate::rules::{EntitlementState, Finding};
use crate::snapshot::Untrusted;
use crate::snapshot::tenant::Licences;

/// One protection that a licence gives.
#[derive(Debug, Clone)]
pub struct Entitlement {
    /// Its name for people.
    pub protection: &'static str,
    /// Part numbers of the SKUs that carry it.
    pub owned_through: Vec<Untrusted>,
    /// How far it is used.
    pub state: EntitlementState,
    /// Seats owned.
    pub seats: u64,
    /// The sign of use, or why none could be found.
    pub evidence: Untrusted,
    /// The rules that judged it.
    pub rules: Vec<&'static str>,
}

/// The protections that were judged, in the order of the rules.
pub fn entitlements(findings: &[Finding], licences: &Licences) -> Vec<Entitlement> {
    findings
        .iter()
        .filter_map(|finding| {
            let protection = finding.rule.protection?;
            let owned = licences
                .owned(finding.rule.licence.plans())
                .unwrap_or_default();
            Some(Entitlement {
                protection: protection.name,
                owned_through: owned.through,
                state: finding.entitlement.unwrap_or(EntitlementState::Unknown),
                seats: owned.seats,
                evidence: finding.reason.clone(),
                rules: vec![finding.rule.id],
            })
        })
        .collect()
}
