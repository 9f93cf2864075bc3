//! What changed between two snapshots of a tenant: sign-ins that became weaker, stronger or newly blocked.
//!
//! **Promise.** Every sign-in of every account that is enabled in both is looked at in both states of the tenant at once, each with
//! its own policies, memberships, roles, named locations and strengths. [`Sameness::Equivalent`] means that no sign-in is treated
//! differently; what is listed as changed is certain. Where something was not read, or changes in a way that cannot be compared, the
//! answer is [`Sameness::Unknown`] unless a change is certain.

mod pairs;
mod shared;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::analyzer::{Settings, all_unread, holders, not_read, people, read_policies};
use super::bits::Bits;
use super::controls::{Demand, Scene, demands, denying, kept_out, scenes};
use super::cover::Product;
use super::guarantee::Clause;
use super::open::{Opening, Parts, is_covered, open_parts};
use super::policy::{Effect, Policy, Reading};
use super::proof::Accounts;
use super::space::{Patch, Space};
use crate::snapshot::model::ConditionalAccessPolicy;
use crate::snapshot::tenant::User;
use crate::snapshot::{Guid, Resource, State, Tenant, Untrusted};
use pairs::Pairs;
use shared::Shared;

/// The steps that the search for the changes of one policy may take.
const BUDGET: u64 = 20_000_000;

/// At most so many changes are put into words.
const SHOWN: usize = 50;

/// Whether two snapshots treat every sign-in the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sameness {
    /// Every one.
    Equivalent,
    /// Some certainly not.
    Different,
    /// It depends on what is not known.
    Unknown,
}

impl Sameness {
    /// The word in the JSON form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equivalent => "equivalent",
            Self::Different => "different",
            Self::Unknown => "unknown",
        }
    }
}

/// What came out. The JSON form is the contract of `access compare`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Whether anything changed.
    pub verdict: Sameness,
    /// Accounts with a sign-in that needs less than before.
    pub weaker_users: Accounts,
    /// Accounts with a sign-in that needs more than before.
    pub stronger_users: Accounts,
    /// Accounts with a sign-in that got in with everything that can be shown, and does not any more.
    pub newly_blocked_users: Accounts,
    /// Accounts that could sign in before and are gone or disabled: not compared.
    pub only_in_old: Accounts,
    /// Accounts that could not sign in before: not compared.
    pub only_in_new: Accounts,
    /// What changed, the most accounts first.
    pub witnesses: Vec<Change>,
    /// How many more there are.
    pub witnesses_not_shown: usize,
    /// What the verdict rests on and is not known, in sentences.
    pub assumptions: Vec<Untrusted>,
}

/// How sign-ins changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// They need less.
    Weaker,
    /// They need more.
    Stronger,
    /// They do not get in any more, whatever they show.
    NewlyBlocked,
}

/// A part of the sign-ins that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// How.
    pub kind: Kind,
    /// What changed, in one sentence.
    pub sentence: Untrusted,
    /// The policy that asked before, or asks now.
    pub policy: Untrusted,
    /// Its name.
    pub name: Untrusted,
    /// How many accounts.
    pub users: u64,
    /// What of each dimension is in it, in words; dimensions of which everything is in it are left out.
    pub region: BTreeMap<&'static str, Vec<Untrusted>>,
}

/// Compares two snapshots, each with its settings.
pub fn compare(old: (&Tenant, &Settings), new: (&Tenant, &Settings)) -> Comparison {
    let policies = [read_policies(old.0), read_policies(new.0)];
    let shared = Shared::read([old, new], policies);
    let [before, after] = [(old, 0), (new, 1)].map(|((tenant, settings), which)| {
        let policies = shared.policies(which);
        let (people, trusts) = people(tenant, &holders(tenant), settings, &policies);
        (shared.space(policies, people), trusts)
    });
    let pairs = Pairs::read([old.0, new.0], [&before.0, &after.0], [&before.1, &after.1]);
    let both = Both {
        tenants: [old.0, new.0],
        spaces: [&before.0, &after.0],
        pairs: &pairs,
        impossible: [before.0.impossible(), pairs.moved(after.0.impossible())].concat(),
    };
    let mut found = Found {
        untold: [old.0, new.0].into_iter().flat_map(not_known).collect(),
        ..Found::default()
    };
    if pairs.device_trust_differs() {
        found.untold.insert(
            "which devices of external users count has changed, and their sign-ins are not compared for it"
                .to_owned(),
        );
    }
    both.lost(0, Kind::Weaker, &mut found);
    both.lost(1, Kind::Stronger, &mut found);
    both.blocked(&mut found);
    found.into_comparison(&both, old.0, new.0)
}

/// What of a snapshot is not known.
fn not_known(tenant: &Tenant) -> Vec<String> {
    let mut unread = all_unread(tenant);
    let more = [
        (
            Resource::GroupTransitiveMembers,
            !tenant.policy_groups().is_empty(),
        ),
        (Resource::RoleEligibilityScheduleInstances, true),
        (Resource::CrossTenantAccessDefault, true),
        (Resource::CrossTenantAccessPartners, true),
    ];
    for (resource, _) in more.into_iter().filter(|(_, matters)| *matters) {
        let (state, read) = tenant.state(resource);
        if !matches!(state, State::Collected | State::NotLicensed { .. }) {
            unread.push(crate::snapshot::Unread {
                resource,
                state: state.clone(),
                read,
            });
        }
    }
    unread.iter().map(not_read).collect()
}

/// The two states side by side.
struct Both<'s> {
    tenants: [&'s Tenant; 2],
    spaces: [&'s Space<'s>; 2],
    pairs: &'s Pairs,
    impossible: Vec<Patch>,
}

/// One open part, before it is put into words.
struct Piece {
    kind: Kind,
    /// The state of the tenant that its policy is in.
    which: usize,
    policy: usize,
    clause: Clause,
    product: Product,
}

#[derive(Default)]
struct Found {
    pieces: Vec<Piece>,
    weaker: BTreeSet<usize>,
    stronger: BTreeSet<usize>,
    blocked: BTreeSet<usize>,
    untold: BTreeSet<String>,
}

impl Both<'_> {
    /// The enabled policies of one state that are not the same in the other.
    fn changed(&self, which: usize) -> impl Iterator<Item = (usize, &Policy)> {
        let policies = self.spaces.get(which).map(|space| &space.policies);
        let all = policies.into_iter().flatten().enumerate();
        all.filter(move |(index, policy)| {
            policy.effect == Effect::Enabled && !self.is_the_same(which, *index, policy)
        })
    }

    /// Whether the other state has a policy that is this one to the last sign-in, whatever is not known.
    fn is_the_same(&self, which: usize, index: usize, policy: &Policy) -> bool {
        let [Some(here), Some(there)] =
            [which, 1 - which].map(|which| self.spaces.get(which).copied())
        else {
            return false;
        };
        let twin = there
            .policies
            .iter()
            .enumerate()
            .find(|(_, other)| other.id == policy.id);
        let Some((place, twin)) = twin else {
            return false;
        };
        let read = |reading| {
            let boxes = |space: &Space<'_>, index: usize| {
                space
                    .conditions
                    .get(index)
                    .map(|boxes| boxes.read(reading).clone())
            };
            boxes(here, index) == boxes(there, place)
        };
        let [old, new] = [0, 1].map(|which| self.raw(which, policy));
        // Words that are not understood are the same only if they are written the same.
        let same_words = match (old, new) {
            (None, None) => true,
            (Some(old), Some(new)) => {
                let same_time = old.modified_date_time == new.modified_date_time;
                old.conditions == new.conditions
                    && old.grant_controls == new.grant_controls
                    && old.session_controls == new.session_controls
                    && old.unknown_members == new.unknown_members
                    && (old.unknown_members.is_empty() || same_time)
            }
            _ => false,
        };
        same_words
            && twin.effect == policy.effect
            && twin.who == policy.who
            && twin.grant == policy.grant
            && twin.session == policy.session
            && twin.not_understood == policy.not_understood
            && here.target(index) == there.target(place)
            && read(Reading::Must)
            && read(Reading::May)
            && self.pairs.is_same_for_all(which, index, place)
    }

    /// The policy as Graph sent it in one of the states.
    fn raw(&self, which: usize, policy: &Policy) -> Option<&ConditionalAccessPolicy> {
        let policies = self.tenants.get(which)?.conditional_access_policies.hints();
        let is_it = |raw: &&ConditionalAccessPolicy| raw.id.as_ref() == Some(&policy.id);
        policies.iter().find(is_it)
    }

    fn space(&self, which: usize) -> &Space<'_> {
        let [old, new] = self.spaces;
        if which == 0 { old } else { new }
    }

    /// Where all enabled policies of a state keep out what lacks a clause, and what cannot be.
    fn wall(&self, which: usize, clause: &Clause, scene: &Scene, reading: Reading) -> Vec<Patch> {
        let space = self.space(which);
        let each = super::controls::denying_each(space, clause, scene, reading);
        let patches = each.into_iter().flat_map(|(_, patches)| patches).collect();
        let patches = if which == 1 {
            self.pairs.moved(patches)
        } else {
            patches
        };
        self.impossible.iter().cloned().chain(patches).collect()
    }

    fn boxes(&self, which: usize, patches: Vec<Patch>) -> Vec<Patch> {
        if which == 1 {
            self.pairs.moved(patches)
        } else {
            patches
        }
    }

    fn open(&self, boxes: &[Patch], wall: &[Patch]) -> Parts {
        let mut budget = BUDGET;
        let mut all = Parts::default();
        for part in boxes {
            let found = open_parts(
                self.pairs.rows(Reading::May),
                self.pairs.inside(part, Reading::Must),
                self.space(0).product(&part.region),
                wall,
                &mut budget,
            );
            all.products.extend(found.products);
            all.open.extend(found.open);
            all.spent |= found.spent;
        }
        all
    }

    fn may_be_open(&self, boxes: &[Patch], wall: &[Patch]) -> bool {
        let mut budget = BUDGET;
        boxes.iter().any(|part| {
            let covered = is_covered(
                self.pairs.rows(Reading::Must),
                self.pairs.inside(part, Reading::May),
                self.space(0).product(&part.region),
                wall,
                &mut budget,
            );
            covered != Some(true)
        })
    }

    /// What the policies of one state demand and those of the other do not.
    fn lost(&self, which: usize, kind: Kind, found: &mut Found) {
        let space = self.space(which);
        for (index, policy) in self.changed(which) {
            if policy.who.is_none() {
                found.untold.insert(format!(
                    "policy '{}' is about workload identities, which are not compared",
                    policy.name.for_terminal()
                ));
                continue;
            }
            let session = self
                .raw(which, policy)
                .and_then(|raw| raw.session_controls.as_ref());
            if session.is_some_and(|session| session.disable_resilience_defaults == Some(true)) {
                found.untold.insert(format!(
                    "policy '{}' has a session control that is not compared",
                    policy.name.for_terminal()
                ));
            }
            for demand in demands(space, policy) {
                for scene in scenes(policy) {
                    self.lost_of(which, kind, (index, policy), &demand, &scene, found);
                }
            }
        }
    }

    fn lost_of(
        &self,
        which: usize,
        kind: Kind,
        (index, policy): (usize, &Policy),
        demand: &Demand,
        scene: &Scene,
        found: &mut Found,
    ) {
        let read = |reading| {
            let patches = kept_out(self.space(which), index, policy, demand, scene, reading);
            self.boxes(which, patches)
        };
        let wall = |reading| self.wall(1 - which, &demand.clause, scene, reading);
        let certain = if demand.is_vague {
            Parts::default()
        } else {
            self.open(&read(Reading::Must), &wall(Reading::May))
        };
        if certain.products.is_empty() {
            if certain.spent || self.may_be_open(&read(Reading::May), &wall(Reading::Must)) {
                found.untold.insert(format!(
                    "policy '{}': whether others do the same in the other snapshot rests on something that is not known",
                    policy.name.for_terminal()
                ));
            }
            return;
        }
        let states = match kind {
            Kind::Weaker => &mut found.weaker,
            _ => &mut found.stronger,
        };
        states.extend(certain.open);
        let piece = |Opening { product, .. }| Piece {
            kind,
            which,
            policy: index,
            clause: demand.clause.clone(),
            product,
        };
        found.pieces.extend(certain.products.into_iter().map(piece));
    }

    /// What got in with everything that can be shown, and does not any more.
    fn blocked(&self, found: &mut Found) {
        let nothing = Clause::new();
        for (index, policy) in self.changed(1) {
            for scene in scenes(policy) {
                let patches = denying(
                    self.space(1),
                    index,
                    policy,
                    &nothing,
                    &scene,
                    Reading::Must,
                );
                let boxes = self.boxes(1, patches);
                let open = self.open(&boxes, &self.wall(0, &nothing, &scene, Reading::May));
                found.blocked.extend(open.open);
                let piece = |Opening { product, .. }| Piece {
                    kind: Kind::NewlyBlocked,
                    which: 1,
                    policy: index,
                    clause: Clause::new(),
                    product,
                };
                found.pieces.extend(open.products.into_iter().map(piece));
            }
        }
    }
}

impl Found {
    fn into_comparison(self, both: &Both<'_>, old: &Tenant, new: &Tenant) -> Comparison {
        let policies_known = [old, new].iter().all(|tenant| {
            let state = tenant.state(Resource::ConditionalAccessPolicies).0;
            matches!(state, State::Collected | State::NotLicensed { .. })
        });
        // A list that was cut short may go on with what makes up for a change.
        let verdict = if !self.pieces.is_empty() && policies_known {
            Sameness::Different
        } else if self.untold.is_empty() {
            Sameness::Equivalent
        } else {
            Sameness::Unknown
        };
        let accounts =
            |states: &BTreeSet<usize>| Accounts::first_of(both.pairs.accounts(states).into_iter());
        let mut witnesses: Vec<Change> = self
            .pieces
            .iter()
            .filter_map(|piece| piece.put_into_words(both))
            .collect();
        witnesses.sort_by(|one, other| {
            (one.kind, other.users, one.policy.raw(), one.sentence.raw()).cmp(&(
                other.kind,
                one.users,
                other.policy.raw(),
                other.sentence.raw(),
            ))
        });
        witnesses.dedup();
        let all = witnesses.len();
        witnesses.truncate(SHOWN);
        Comparison {
            verdict,
            weaker_users: accounts(&self.weaker),
            stronger_users: accounts(&self.stronger),
            newly_blocked_users: accounts(&self.blocked),
            only_in_old: only(old, new),
            only_in_new: only(new, old),
            witnesses_not_shown: all - witnesses.len(),
            witnesses,
            assumptions: self.untold.into_iter().map(Untrusted::from).collect(),
        }
    }
}

/// Accounts that can sign in to the first and not to the second.
fn only(here: &Tenant, there: &Tenant) -> Accounts {
    let there = there.users.hints();
    let gone = |id: &Guid| !there.get(*id).is_some_and(User::is_enabled);
    let users = here.users.hints().iter().filter(|user| user.is_enabled());
    Accounts::first_of(users.map(User::id).filter(gone))
}

/// The states of a product.
fn states_of(product: &Product) -> BTreeSet<usize> {
    product
        .first()
        .map(|who: &Bits| who.iter().collect())
        .unwrap_or_default()
}
