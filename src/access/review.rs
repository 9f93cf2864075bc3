//! What is wrong with a set of policies, beside what it lets in: policies that change nothing or reach nobody, people who are locked
//! out, what report-only policies would change, and leftovers.
//!
//! **Promise.** A policy is called redundant only if no sign-in of anybody is treated differently without it, whatever is not known;
//! dead only if it can apply to no sign-in at all. What cannot be told either way is listed as undecided. Each redundant policy is
//! redundant alone: taking two of them away needs a new review.

mod dead;
mod impact;
mod leftovers;
mod lockout;
mod names;
mod redundant;
mod variants;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::analyzer::{Analyzer, not_read};
use super::bits::Bits;
use super::controls::{Scene, people_rows};
use super::crowd::Crowd;
use super::guarantee::{Assume, Guarantee, Who};
use super::open::{Parts, is_covered, open_parts};
use super::policy::{Policy, Reading, Span};
use super::proof::Accounts;
use super::space::{Patch, Space};
use crate::snapshot::Untrusted;

/// The steps that one question may take.
const BUDGET: u64 = 20_000_000;

/// When, and by which limits.
#[derive(Debug, Clone, Copy)]
pub struct ReviewedAt {
    /// The moment of the snapshot.
    pub at: Timestamp,
    /// Days after which a report-only policy is a leftover.
    pub report_only_days: u32,
}

/// What came out. The JSON form is the contract of `access review`.
#[derive(Debug, Clone, Serialize)]
pub struct Review {
    /// Enabled policies without which every sign-in is treated the same.
    pub redundant: Vec<Redundant>,
    /// Policies, enabled or report-only, that can never keep anybody out.
    pub dead: Vec<Dead>,
    /// Ids of enabled policies of which neither can be told.
    pub undecided: Vec<Untrusted>,
    /// Who cannot get in.
    pub lockout: LockOut,
    /// What switching on all report-only policies together would change.
    pub report_only: Impact,
    /// What switching on each alone would change.
    pub report_only_policies: Vec<ImpactOf>,
    /// What was forgotten, or does not do what it seems to.
    pub leftovers: Vec<Leftover>,
    /// What the review rests on and is not known, in sentences.
    pub assumptions: Vec<Untrusted>,
}

/// A policy that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Redundant {
    /// Its id.
    pub policy: Untrusted,
    /// Its name.
    pub name: Untrusted,
    /// Ids of others that do together what it does; none of them can be left out. Of what is no policy but acts like one, its name.
    pub by: Vec<Untrusted>,
}

/// A policy that can keep nobody out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dead {
    /// Its id.
    pub policy: Untrusted,
    /// Its name.
    pub name: Untrusted,
    /// Why, in words.
    pub reason: Untrusted,
}

/// Who cannot get in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LockOut {
    /// Enabled accounts that get into no resource with a modern client, whatever they show.
    pub users: Accounts,
    /// Holders of Global Administrator or Conditional Access Administrator who get into none of the admin portals.
    pub administrators: Accounts,
    /// Declared emergency access accounts that get in nowhere with only a second factor: no managed device, no special app.
    pub emergency: Accounts,
}

/// What policies would change if they were on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Impact {
    /// Nobody: a policy more never lets in more.
    pub weaker_users: Accounts,
    /// Accounts that would be asked for a control where they are not asked for it now.
    pub stronger_users: Accounts,
    /// Accounts of which some sign-in that gets in now with everything that can be shown would be denied: from a legacy client, or
    /// from a device that does not meet what is asked, too.
    pub newly_blocked_users: Accounts,
}

/// What one policy would change if it were on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImpactOf {
    /// Its id.
    pub policy: Untrusted,
    /// Its name.
    pub name: Untrusted,
    /// Accounts that would be asked for a control where they are not asked for it now.
    pub stronger_users: Accounts,
    /// Accounts of which some sign-in would be denied that gets in now.
    pub newly_blocked_users: Accounts,
}

/// Something that was forgotten, or that does not do what it seems to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// The policy's id.
    pub policy: Untrusted,
    /// Its name.
    pub name: Untrusted,
    /// Of which kind.
    pub kind: LeftoverKind,
    /// What, in words.
    pub detail: Untrusted,
}

/// Kinds of leftovers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftoverKind {
    /// Report-only for longer than the limit.
    ReportOnly,
    /// It names something that is gone.
    DeletedReference,
    /// What it excludes is not covered by anything else.
    UncoveredExclusion,
    /// What a client says of itself keeps its control away.
    SpoofableCondition,
}

impl LeftoverKind {
    /// The word in the JSON form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReportOnly => "report_only",
            Self::DeletedReference => "deleted_reference",
            Self::UncoveredExclusion => "uncovered_exclusion",
            Self::SpoofableCondition => "spoofable_condition",
        }
    }
}

impl Analyzer<'_> {
    /// Reviews the policies.
    pub fn review(&self, when: &ReviewedAt) -> Review {
        let everybody = Everybody::of(self);
        let dead = dead::dead(self, &everybody);
        let idle: BTreeSet<usize> = dead.keys().copied().collect();
        let redundant = redundant::redundant(self, &everybody, &idle);
        let (report_only, report_only_policies, unsure) = impact::impact(self, &everybody);
        let mut assumptions: BTreeSet<String> = self.unread().iter().map(not_read).collect();
        let (lockout, untold) = lockout::lock_out(self);
        assumptions.extend(untold);
        assumptions.extend(unsure);
        let policies = &self.space.policies;
        Review {
            redundant: redundant.redundant,
            dead: named(policies, dead)
                .map(|(policy, name, reason)| Dead {
                    policy,
                    name,
                    reason,
                })
                .collect(),
            undecided: redundant.undecided,
            lockout,
            report_only,
            report_only_policies,
            leftovers: leftovers::leftovers(self, when),
            assumptions: assumptions.into_iter().map(Untrusted::from).collect(),
        }
    }
}

impl Analyzer<'_> {
    /// Whether all that a policy does to sessions can be compared.
    fn has_plain_session(&self, policy: &Policy) -> bool {
        let mut raw = self.facts().policies.iter();
        let session = raw
            .find(|raw| raw.id.as_ref() == Some(&policy.id))
            .and_then(|raw| raw.session_controls.as_ref());
        session.is_none_or(|session| session.disable_resilience_defaults != Some(true))
    }
}

/// Policies by their place, as id and name.
fn named<T>(
    policies: &[Policy],
    found: BTreeMap<usize, T>,
) -> impl Iterator<Item = (Untrusted, Untrusted, T)> {
    found.into_iter().filter_map(|(index, value)| {
        let policy = policies.get(index)?;
        Some((policy.id.clone(), policy.name.clone(), value))
    })
}

/// Everybody who may sign in, with the sets of people that they are in.
struct Everybody {
    states: Vec<usize>,
    must: Vec<Bits>,
    may: Vec<Bits>,
    /// All accounts, to count them.
    crowd: Crowd,
}

impl Everybody {
    fn of(analyzer: &Analyzer<'_>) -> Self {
        let space = &analyzer.space;
        let Span { must, may } = people_rows(space);
        let mut everybody = Self {
            states: Vec::new(),
            must,
            may,
            crowd: Crowd::of(
                &Guarantee::new("", "", Vec::new()),
                &space.people,
                &analyzer.facts(),
                &analyzer.trusts,
                &BTreeSet::new(),
            )
            .unwrap_or_else(|_| Crowd::nobody()),
        };
        for state in 0..space.people.len() {
            let Some(class) = space.people.class_of_state(state) else {
                continue;
            };
            let comes = class
                .external
                .is_none_or(|kind| analyzer.trusts.lets_in(kind, class.home));
            if comes {
                everybody.states.push(state);
            }
        }
        everybody
    }

    fn rows(&self, reading: Reading) -> &[Bits] {
        match reading {
            Reading::Must => &self.must,
            Reading::May => &self.may,
        }
    }

    /// The states that a box is about.
    fn inside<'s>(
        &'s self,
        patch: &'s Patch,
        reading: Reading,
    ) -> impl Iterator<Item = usize> + 's {
        let rows = self.rows(reading);
        let is_in = |row: &Bits| -> bool { patch.people.iter().all(|&set| row.has(set)) };
        self.states
            .iter()
            .copied()
            .filter(move |&state| rows.get(state).is_some_and(is_in))
    }

    /// Whether boxes, read in one way, are covered by patches that are read in the other.
    fn covers(
        &self,
        space: &Space<'_>,
        boxes: &[Patch],
        reading: Reading,
        patches: &[Patch],
    ) -> Option<bool> {
        let mut budget = BUDGET;
        for region in boxes {
            let covered = is_covered(
                self.rows(reading.swapped()),
                self.inside(region, reading),
                space.product(&region.region),
                patches,
                &mut budget,
            )?;
            if !covered {
                return Some(false);
            }
        }
        Some(true)
    }

    /// What of some boxes, read in one way, is not covered by patches that are read in the other.
    fn open(
        &self,
        space: &Space<'_>,
        boxes: &[Patch],
        reading: Reading,
        patches: &[Patch],
    ) -> Parts {
        let mut budget = BUDGET;
        let mut all = Parts::default();
        for region in boxes {
            let parts = open_parts(
                self.rows(reading.swapped()),
                self.inside(region, reading),
                space.product(&region.region),
                patches,
                &mut budget,
            );
            all.products.extend(parts.products);
            all.open.extend(parts.open);
            all.spent |= parts.spent;
        }
        all
    }
}

/// A question about all accounts.
fn about(who: Who) -> Guarantee {
    Guarantee {
        who,
        assume: Assume {
            device_code_shows_any_device: false,
            all_reaches_everyone: true,
            ..Assume::default()
        },
        ..Guarantee::new("", "", Vec::new())
    }
}

/// Where enabled policies keep out what lacks a clause; each is put together once.
#[derive(Default)]
struct Walls {
    known: Vec<(Scene, super::guarantee::Clause, Reading, Wall)>,
}

type Wall = std::rc::Rc<Vec<(usize, Vec<Patch>)>>;

impl Walls {
    fn against(
        &mut self,
        space: &Space<'_>,
        clause: &super::guarantee::Clause,
        scene: &Scene,
        reading: Reading,
    ) -> Wall {
        let found = self
            .known
            .iter()
            .find(|(known, other, read, _)| known == scene && other == clause && *read == reading);
        if let Some((.., wall)) = found {
            return wall.clone();
        }
        let wall = Wall::new(super::controls::denying_each(space, clause, scene, reading));
        self.known
            .push((scene.clone(), clause.clone(), reading, wall.clone()));
        wall
    }
}

/// Patches of what cannot be, and of the policies that the closure takes.
fn patches_of(
    impossible: &[Patch],
    wall: &[(usize, Vec<Patch>)],
    takes: impl Fn(usize) -> bool,
) -> Vec<Patch> {
    let taken = wall.iter().filter(|(index, _)| takes(*index));
    impossible
        .iter()
        .chain(taken.flat_map(|(_, patches)| patches))
        .cloned()
        .collect()
}
