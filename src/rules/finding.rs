//! What an evaluation says about one rule.

use serde::Serialize;

use super::{Affected, Effort, EntitlementState, RiskScore, Rule, Severity};
use crate::snapshot::{Resource, State, Untrusted};

/// A rule's outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Read, and not in place: a finding.
    Fail,
    /// Fails, and a live acceptance covers it.
    Accepted,
    /// Not read: which request, which permission, which error.
    NotEvaluated,
    /// A person's recorded answer decides.
    Manual,
    /// The tenant owns no licence that offers the control.
    NotLicensed,
    /// Nothing to judge.
    NotApplicable,
    /// Read, and in place.
    Pass,
}

impl Status {
    /// All of them, worst first.
    pub const ALL: [Self; 7] = [
        Self::Fail,
        Self::Accepted,
        Self::NotEvaluated,
        Self::Manual,
        Self::NotLicensed,
        Self::NotApplicable,
        Self::Pass,
    ];

    /// Its word in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Accepted => "accepted",
            Self::NotEvaluated => "not_evaluated",
            Self::Manual => "manual",
            Self::NotLicensed => "not_licensed",
            Self::NotApplicable => "not_applicable",
            Self::Pass => "pass",
        }
    }
}

/// One line of evidence: where to look, and what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The request that it was read from, or the configuration file.
    pub source: String,
    /// The property, under Graph's name.
    pub property: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub actual: Untrusted,
}

impl Evidence {
    /// Evidence from a resource, or from the configuration when `None`.
    pub fn new(
        source: Option<Resource>,
        property: &str,
        expected: &str,
        actual: impl Into<Untrusted>,
    ) -> Self {
        Self {
            source: source.map_or_else(|| "m365audit.toml".to_owned(), Resource::source),
            property: property.to_owned(),
            expected: expected.to_owned(),
            actual: actual.into(),
        }
    }
}

/// What kept a rule from being evaluated, for the list at the end of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// What was not read.
    pub resource: Resource,
    /// How its reading ended.
    pub state: State,
}

/// One rule's result.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// What came out.
    pub status: Status,
    /// One sentence with the numbers.
    pub reason: Untrusted,
    /// Risk with its parts; for a status other than fail at the reach that a failure could have.
    pub risk: RiskScore,
    /// Severity of that risk.
    pub severity: Severity,
    /// Effort in a tenant of this size.
    pub effort: Effort,
    /// How surely it is known, in percent.
    pub confidence: u8,
    /// Where to look.
    pub evidence: Vec<Evidence>,
    /// Whom or what it is about.
    pub affected: Affected,
    /// Objects judged.
    pub judged: u64,
    /// How far an owned protection is used.
    pub entitlement: Option<EntitlementState>,
    /// What was not read, where that is the reason.
    pub gap: Option<Gap>,
}

impl Finding {
    /// The severity that the rule could reach at full reach and confidence.
    pub fn worst_severity(&self) -> Severity {
        Severity::of(self.rule.risk.full())
    }
}
