//! The rules: what is judged, how, and what to do about it.
//!
//! A rule is one `static` with its check beside it, a pure function of the tenant: no request, no clock, no environment.
//! `declare_rule!` joins metadata, documentation and check; each area lists its rules; [`registry`] joins the areas.

mod catalogue;
mod context;
mod engine;
mod finding;
mod outcome;
mod rule;
mod score;

pub mod data;
pub mod devices;
pub mod identity;
pub mod monitoring;
pub mod preflight;
pub mod sharing;

pub use catalogue::{find, nearest, registry};
pub use context::{Context, access_settings};
pub use engine::{evaluate, evaluate_one};
pub use finding::{Evidence, Finding, Gap, Status};
pub use outcome::{
    Affected, EntitlementState, NotEvaluated, Object, ObjectType, Outcome, Tally, Verdict,
};
pub use rule::{
    Area, Control, Danger, Disruption, Effort, EffortBySize, Expected, Kind, Licence, Protection,
    Remediation, Risk, Rule, Side, Tier,
};
pub use score::{RiskScore, Severity, reach};

/// What every rule file imports.
pub(crate) mod prelude {
    pub(crate) use super::Control::{Cis6, Cis7, Eidsca, Maester, MitreAttack, NistCsf2, Scuba};
    pub(crate) use super::rule::declare_rule;
    pub(crate) use super::{
        Affected, Area, Context, Danger, Disruption, Effort, EffortBySize, EntitlementState,
        Expected, Kind, Licence, NotEvaluated, Object, ObjectType, Outcome, Protection,
        Remediation, Risk, Side, Tally, Tier, Verdict,
    };
    pub(crate) use crate::snapshot::{Guid, Resource, Untrusted};
}
