//! What Conditional Access guarantees, read from the configuration alone.
//!
//! **Promise.** A [`Guarantee`] that comes out proved holds for every sign-in that it is about: each is denied, or forced to what is
//! required, by one policy or by several that share the work. One that comes out violated has a sign-in that certainly gets in without.
//! Exclusions beat inclusions, an alternative joined by OR weakens, report-only and disabled policies never count, and what was not
//! read, or is not understood, leaves a guarantee open to both: it depends.
//!
//! Facts come from Microsoft's pages on Conditional Access (users, target resources, conditions, grant, filter for devices) and the
//! Graph types of the policy. Assumptions are named with each verdict. Nothing here asks Graph, knows a rule or reads the
//! configuration file: callers hand in what was read.

mod analyzer;
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
mod guarantee;
mod judge;
mod methods;
mod names;
mod near;
mod network;
mod open;
mod people;
mod policy;
mod proof;
pub mod query;
mod reach;
mod resources;
mod review;
mod search;
mod space;
mod subjects;
mod witness;
mod workloads;

pub use analyzer::{Analyzer, Settings, Verdict};
pub use compare::{Change as Difference, Comparison, Kind as DifferenceKind, Sameness, compare};
pub use decide::{
    AUTHENTICATION_FLOWS, CLIENT_APPS, Decision, INSIDER_RISK_LEVELS, Outcome, PLATFORMS,
    PolicyDecision, RISK_LEVELS, SignIn, SignInDevice, SignInTarget, Someone, UnfitAttribute,
};
pub use guarantee::{
    Asked, Assume, Atom, Clause, Guarantee, Pim, RoleScope, SessionAtom, When, Who,
};
pub use judge::Judgement;
pub use proof::{Accounts, Change, Evidence, Example, ExampleTarget, NearMiss, Proof, Witness};
pub use reach::{EnabledPolicy, Kept, PeopleClass};
pub use resources::{BaselineScopes, well_known_apps, well_known_name};
pub use review::{
    Dead, Impact, ImpactOf, Leftover, LeftoverKind, LockOut, Redundant, Review, ReviewedAt,
};
pub use subjects::{Belongs, ExternalKind};

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
