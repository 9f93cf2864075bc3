//! What Conditional Access guarantees, read from the configuration alone.
//!
//! **Promise.** When a [`Question`] comes out [`Coverage::Covered`], every sign-in that the question is about is denied or forced to
//! what it requires. The reading behind it is plain: an enabled policy counts only for what it covers over the whole of the
//! question's space (resources, platforms, places, devices, flows); the parts that several policies may share are accounts,
//! client types and risk levels. Exclusions beat inclusions, an alternative joined by OR weakens, report-only policies and disabled
//! ones never count, and what was not read (members of a group, an unreadable strength) is [`Coverage::Unknown`], never covered.
//!
//! **No promise.** [`Coverage::Open`] does not always mean that a sign-in gets through: policies that close a place together, for
//! example one for trusted locations and one for all others, are not put together. [`Gap::certain`] tells the two cases apart.
//!
//! Facts come from Microsoft's pages on Conditional Access (users, target resources, conditions, grant, filter for devices) and the
//! Graph types of the policy. Assumptions: eligible role assignments may be activated at any time, eligible group memberships are
//! not looked at; `All` users includes external users without an object in this directory. Nothing here asks Graph, knows
//! a rule or reads the configuration file: callers hand in what was read.

#![allow(
    dead_code,
    reason = "the analyzer grows beside the reading that it replaces"
)]

mod analyzer;
mod answer;
mod assignment;
mod assumptions;
mod bits;
mod compare;
mod controls;
mod cover;
mod crowd;
mod decide;
mod device;
mod example;
mod externals;
mod grant;
mod guarantee;
mod methods;
mod names;
mod near;
mod network;
mod open;
mod people;
mod policy;
mod proof;
pub mod query;
mod question;
mod resources;
mod review;
mod search;
mod shape;
mod space;
mod subjects;
#[cfg(test)]
mod tests;
mod who;
mod witness;
mod workloads;

pub use analyzer::{Analyzer, Settings, Verdict};
pub use answer::{Answer, Coverage, Denial, Gap, Shapes};
pub use compare::{Change as Difference, Comparison, Kind as DifferenceKind, Sameness, compare};
pub use decide::{
    AUTHENTICATION_FLOWS, CLIENT_APPS, Decision, INSIDER_RISK_LEVELS, Outcome, PLATFORMS,
    PolicyDecision, RISK_LEVELS, SignIn, SignInDevice, SignInTarget, Someone, UnfitAttribute,
};
pub use grant::Requirement;
pub use guarantee::{
    Asked, Assume, Atom, Clause, Guarantee, Pim, RoleScope, SessionAtom, When, Who,
};
pub use proof::{Accounts, Change, Evidence, Example, ExampleTarget, NearMiss, Proof, Witness};
pub use question::{Clients, Devices, Flow, Places, Question, RiskLevels, Target};

pub use resources::{BaselineScopes, well_known_apps, well_known_name};
pub use review::{
    Dead, Impact, ImpactOf, Leftover, LeftoverKind, LockOut, Redundant, Review, ReviewedAt,
};
pub use shape::Shape;
pub use subjects::{Belongs, Directory, ExternalKind, Subject};

use crate::snapshot::Guid;
use crate::snapshot::model::{
    AuthenticationStrengthPolicy, ConditionalAccessPolicy, NamedLocation,
};
use crate::snapshot::tenant::{ById, Holders, Users};

/// What the reading rests on.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Policies in every state.
    pub policies: &'a [ConditionalAccessPolicy],
    /// Strengths, for policies that name one without its content.
    pub strengths: &'a [AuthenticationStrengthPolicy],
    /// Named locations: which are trusted IP ranges.
    pub locations: &'a [NamedLocation],
    /// Users in groups, nested ones included, read to the end. A group that is not a key here has members that nobody knows;
    /// `None` when the lists were not read: then no group is known.
    pub group_members: Option<&'a ById<Guid>>,
    /// Accounts, as far as they were read: those that are asked about.
    pub users: &'a Users,
    /// Who holds which role.
    pub holders: &'a Holders,
    /// Whether active assignments were read to their end.
    pub active_known: bool,
    /// Whether the holders have all eligible assignments; there are none without Privileged Identity Management.
    pub eligible_known: bool,
}
