//! Which policies nearly close a gap, by what they miss it, and the smallest change that would close it.

use std::collections::{BTreeMap, BTreeSet};

use super::analyzer::{Analyzer, Answer};
use super::assignment::Entry;
use super::bits::Bits;
use super::cover::{Region, Search, find_open};
use super::crowd::Crowd;
use super::guarantee::{Asked, Guarantee, RoleScope, When, Who};
use super::policy::{Ask, CLIENTS, Effect, Mask, PLATFORMS, Policy, RISKS, Reading, Span, Words};
use super::proof::{Change, NearMiss};
use super::resources::{AZURE_MANAGEMENT, names_one};
use super::search::{Gap, enforcing, enforcing_as, open_sign_ins};
use super::space::Patch;
use super::space::dimension::{
    CLIENT, DEVICE, FLOW, INSIDER_RISK, NETWORK, PLATFORM, SIGN_IN_RISK, TARGET, USER_RISK, WHO,
};
use super::subjects::Belongs;
use super::witness::dimension_name;
use crate::snapshot::{Untrusted, reference};

/// How many changes of one gap are tried.
const TRIED: usize = 8;

/// The boxes in which each policy would enforce each clause, were it enabled: made once for all gaps of an answer.
pub(super) struct Walls(Vec<Vec<Vec<Patch>>>);

impl Walls {
    pub(super) fn of(analyzer: &Analyzer<'_>, guarantee: &Guarantee, reading: Reading) -> Self {
        let space = &analyzer.space;
        let of_clause = |clause| {
            let policies = space.policies.iter().enumerate();
            let of_policy =
                |(index, policy)| enforcing(space, index, policy, guarantee, clause, reading);
            policies.map(of_policy).collect()
        };
        Self(guarantee.must.iter().map(of_clause).collect())
    }

    fn patches(&self, clause: usize, policy: usize) -> &[Patch] {
        let of_clause = self.0.get(clause);
        of_clause
            .and_then(|policies| policies.get(policy))
            .map_or(&[], Vec::as_slice)
    }
}

/// A gap looked at beside the policies.
pub(super) struct Nearness<'n, 'a> {
    analyzer: &'n Analyzer<'a>,
    guarantee: &'n Guarantee,
    gap: &'n Gap,
    reading: Reading,
    walls: &'n Walls,
    /// Sets of people that at least one of the gap's is in.
    met: Bits,
    /// One state of the gap's people.
    state: usize,
}

impl<'n, 'a> Nearness<'n, 'a> {
    pub(super) fn of(
        analyzer: &'n Analyzer<'a>,
        guarantee: &'n Guarantee,
        gap: &'n Gap,
        reading: Reading,
        walls: &'n Walls,
    ) -> Self {
        let space = &analyzer.space;
        let mut met = Bits::none(space.people_sets());
        let states = gap.product.first();
        for state in states.into_iter().flat_map(Bits::iter) {
            if let Some(row) = space.membership(state, reading) {
                met.add(row);
            }
        }
        let state = states.and_then(Bits::first).unwrap_or_default();
        Self {
            analyzer,
            guarantee,
            gap,
            reading,
            walls,
            met,
            state,
        }
    }

    /// Enabled policies that miss the gap in one dimension only.
    pub(super) fn misses(&self) -> Vec<NearMiss> {
        let mut misses = Vec::new();
        for (index, policy) in self.analyzer.space.policies.iter().enumerate() {
            if policy.effect != Effect::Enabled {
                continue;
            }
            let missed = self
                .walls
                .patches(self.gap.clause, index)
                .iter()
                .find_map(|patch| self.missed(patch));
            if let Some(dimension) = missed
                && !self.is_met_there(policy, dimension)
            {
                misses.push(self.near_miss(policy, dimension));
            }
        }
        misses
    }

    /// The policy does apply there, and lets in with what is shown: it is no near miss but asks for something else.
    fn is_met_there(&self, policy: &Policy, dimension: usize) -> bool {
        let mask = match dimension {
            CLIENT => policy.clients.may,
            PLATFORM => policy.platforms.may,
            FLOW => policy.flows.may,
            DEVICE.. => return policy.devices.is_none(),
            _ => return false,
        };
        let gap = self.gap.product.get(dimension);
        gap.is_some_and(|values| values.iter().any(|value| mask >> value & 1 == 1))
    }

    /// The one dimension in which a box has nothing of the gap.
    fn missed(&self, patch: &Patch) -> Option<usize> {
        let who = patch
            .people
            .iter()
            .any(|&set| !self.met.has(set))
            .then_some(WHO);
        let mut missed = patch.region.misses(&self.gap.product).chain(who);
        let first = missed.next()?;
        missed.next().is_none().then_some(first)
    }

    fn near_miss(&self, policy: &Policy, dimension: usize) -> NearMiss {
        let (is_exclusion, detail) = self.why(policy, dimension);
        NearMiss {
            policy: policy.id.clone(),
            name: policy.name.clone(),
            dimension: dimension_name(dimension),
            kind: if is_exclusion {
                "exclusion"
            } else {
                "missing_inclusion"
            },
            detail: detail.into(),
        }
    }

    /// Whether an exclusion leaves the gap open, and what it says or what is not included.
    fn why(&self, policy: &Policy, dimension: usize) -> (bool, String) {
        let words = |words: &Words, mask: Mask| {
            let held = words
                .0
                .iter()
                .enumerate()
                .filter(|(index, _)| mask >> index & 1 == 1);
            held.map(|(_, word)| *word).collect::<Vec<_>>().join(", ")
        };
        match dimension {
            WHO => match self.excluded_by(policy) {
                Some(entry) => (
                    true,
                    format!("excludes {}", self.analyzer.entry_name(policy, entry, true)),
                ),
                None => (false, "does not include them".to_owned()),
            },
            TARGET => match self.excluded_app(policy) {
                Some(word) => (
                    true,
                    format!("excludes {}", self.analyzer.application_name(word)),
                ),
                None => (false, "is about other resources".to_owned()),
            },
            CLIENT => (
                false,
                format!(
                    "is only for client types {}",
                    words(&CLIENTS, policy.clients.may)
                ),
            ),
            PLATFORM => {
                let has_unknown = policy.platforms.may >> (PLATFORMS.len() - 1) & 1 == 1;
                (
                    has_unknown,
                    format!(
                        "is only for platforms {}",
                        words(&PLATFORMS, policy.platforms.may)
                    ),
                )
            }
            NETWORK..SIGN_IN_RISK => match self.excluded_place(policy) {
                Some(word) => (
                    true,
                    format!("excludes {}", self.analyzer.location_name(word)),
                ),
                None => (false, "is only for other locations".to_owned()),
            },
            SIGN_IN_RISK => (
                false,
                format!(
                    "is only for sign-in risk {}",
                    words(&RISKS, policy.sign_in_risk.may)
                ),
            ),
            USER_RISK => (
                false,
                format!(
                    "is only for user risk {}",
                    words(&RISKS, policy.user_risk.may)
                ),
            ),
            INSIDER_RISK => (false, "is only for some insider risks".to_owned()),
            FLOW => (false, "is only for some authentication flows".to_owned()),
            _ => match policy.devices.as_ref().map(|filter| filter.mode) {
                Some(super::policy::Mode::Exclude) => {
                    (true, "excludes them by its device filter".to_owned())
                }
                Some(_) => (
                    false,
                    "is only for devices that its filter matches".to_owned(),
                ),
                None => (false, "is met by the device".to_owned()),
            },
        }
    }

    fn excluded_by(&self, policy: &Policy) -> Option<Entry> {
        let people = &self.analyzer.space.people;
        let assignment = policy.who.as_ref()?;
        let alone = |entry: Entry| {
            let others = assignment.exclude.entries().filter(|other| *other != entry);
            others.fold(assignment.exclude.clone(), |side, other| match other {
                // Kinds are named by their places: the last ones go first.
                Entry::Kind(_) => side,
                other => side.without(other),
            })
        };
        let holds = |entry: &Entry| people.holds(&alone(*entry), self.state) != Belongs::No;
        assignment.exclude.entries().find(holds)
    }

    fn excluded_app<'p>(&self, policy: &'p Policy) -> Option<&'p Untrusted> {
        let targets = self.gap.product.get(TARGET)?;
        let mut resources = targets
            .iter()
            .flat_map(|value| self.analyzer.space.resources.class(value));
        let resource = resources.next()?;
        policy
            .target
            .exclude
            .iter()
            .find(|word| names_one(word, resource, Reading::May))
    }

    fn excluded_place<'p>(&self, policy: &'p Policy) -> Option<&'p Untrusted> {
        let (_, exclude) = policy.locations.as_ref()?;
        exclude.iter().find(|word| {
            let boxes = self.analyzer.space.inside(word.raw(), Reading::May);
            boxes.iter().any(|place| place.meets(&self.gap.product))
        })
    }

    /// Changes to one policy each that may close the gap, the smallest first.
    fn candidates(&self, near: &[NearMiss]) -> Vec<(usize, Policy, &'static str, String)> {
        let mut candidates = Vec::new();
        for (index, policy) in self.analyzer.space.policies.iter().enumerate() {
            if policy.is_virtual || policy.who.is_none() {
                continue;
            }
            let patches = self.walls.patches(self.gap.clause, index);
            let is_near = policy.effect == Effect::Enabled
                && near.iter().any(|near| near.policy == policy.id);
            if is_near && let Some(dimension) = patches.iter().find_map(|patch| self.missed(patch))
            {
                if (NETWORK..SIGN_IN_RISK).contains(&dimension) && policy.locations.is_some() {
                    let everywhere = Policy {
                        locations: None,
                        ..policy.clone()
                    };
                    let what = "apply it at every location".to_owned();
                    candidates.push((index, everywhere, "remove_exclusion", what));
                }
                candidates.extend(
                    self.widened(policy, dimension)
                        .map(|(policy, kind, what)| (index, policy, kind, what)),
                );
            }
            if policy.effect == Effect::ReportOnly
                && patches.iter().any(|patch| self.touches(patch))
            {
                let enabled = Policy {
                    effect: Effect::Enabled,
                    ..policy.clone()
                };
                candidates.push((index, enabled, "enable", "turn it on".to_owned()));
            }
            if policy.effect == Effect::Enabled && !policy.grant.all && policy.grant.asks.len() > 1
            {
                let mut strict = policy.clone();
                strict.grant.all = true;
                if self.tightened(index, &strict) {
                    let what = "require all of its controls instead of one".to_owned();
                    candidates.push((index, strict, "require_all_controls", what));
                }
            }
        }
        candidates.sort_by_key(|(index, _, kind, _)| {
            (*kind != "remove_exclusion", *kind != "enable", *index)
        });
        candidates.truncate(TRIED);
        candidates
    }

    fn tightened(&self, index: usize, strict: &Policy) -> bool {
        let clause = self.guarantee.must.get(self.gap.clause);
        clause.is_some_and(|clause| {
            let space = &self.analyzer.space;
            let patches = enforcing(space, index, strict, self.guarantee, clause, self.reading);
            patches.iter().any(|patch| self.touches(patch))
        })
    }

    fn touches(&self, patch: &Patch) -> bool {
        patch.people.iter().all(|&set| self.met.has(set)) && patch.region.meets(&self.gap.product)
    }

    /// The policy with the exclusion taken out, or what is missing put in.
    fn widened(&self, policy: &Policy, dimension: usize) -> Option<(Policy, &'static str, String)> {
        let mut wider = policy.clone();
        // To block more than was meant to be blocked is no mending.
        let may_grow = !policy.grant.asks.contains(&Ask::Block);
        let exclusion = "remove_exclusion";
        match dimension {
            WHO => {
                let who = wider.who.as_mut()?;
                if let Some(entry) = self.excluded_by(policy) {
                    who.exclude = who.exclude.without(entry);
                    let name = self.analyzer.entry_name(policy, entry, true);
                    return Some((wider, exclusion, format!("remove the exclusion of {name}")));
                }
                who.include.everyone = true;
                may_grow.then_some((wider, "add_inclusion", "include all users".to_owned()))
            }
            TARGET => {
                if let Some(word) = self.excluded_app(policy) {
                    wider.target.exclude.retain(|held| held != word);
                    let name = self.analyzer.application_name(word);
                    return Some((wider, exclusion, format!("remove the exclusion of {name}")));
                }
                wider.target.include.push("All".into());
                may_grow.then_some((wider, "add_inclusion", "include all resources".to_owned()))
            }
            CLIENT => {
                wider.clients = Span::sure(CLIENTS.all());
                may_grow.then_some((
                    wider,
                    "add_inclusion",
                    "include all client types".to_owned(),
                ))
            }
            PLATFORM => {
                wider.platforms = Span::sure(PLATFORMS.all());
                Some((wider, exclusion, "apply it to every platform".to_owned()))
            }
            NETWORK..SIGN_IN_RISK => {
                let word = self.excluded_place(policy)?.clone();
                let (_, exclude) = wider.locations.as_mut()?;
                exclude.retain(|held| *held != word);
                let name = self.analyzer.location_name(&word);
                Some((wider, exclusion, format!("remove the exclusion of {name}")))
            }
            SIGN_IN_RISK => {
                wider.sign_in_risk = Span::sure(RISKS.all());
                may_grow.then_some((
                    wider,
                    "add_inclusion",
                    "drop the condition on sign-in risk".to_owned(),
                ))
            }
            USER_RISK => {
                wider.user_risk = Span::sure(RISKS.all());
                may_grow.then_some((
                    wider,
                    "add_inclusion",
                    "drop the condition on user risk".to_owned(),
                ))
            }
            DEVICE.. if policy.devices.is_some() => {
                wider.devices = None;
                Some((wider, exclusion, "remove its device filter".to_owned()))
            }
            _ => None,
        }
    }
}

/// A policy as it would be after a change.
struct Changed<'p> {
    index: usize,
    policy: &'p Policy,
    /// Whom it is about changes too.
    changes_people: bool,
}

impl Analyzer<'_> {
    /// The one change that closes a gap for the most accounts and locks nobody out.
    pub(super) fn closed_by(
        &self,
        guarantee: &Guarantee,
        answer: &Answer,
        gap: &Gap,
        near: &[NearMiss],
        walls: &Walls,
    ) -> Option<Change> {
        let nearness = Nearness::of(self, guarantee, gap, answer.reading, walls);
        let mut best: Option<Change> = None;
        for (index, policy, kind, detail) in nearness.candidates(near) {
            let now = self.space.policies.get(index);
            let changes_people = now.is_none_or(|now| now.who != policy.who);
            let changed = Changed {
                index,
                policy: &policy,
                changes_people,
            };
            let closed = self.closed_states(guarantee, gap, answer.reading, &changed);
            let users_closed = answer.crowd.count_in(&closed);
            let is_better = best
                .as_ref()
                .is_none_or(|best| users_closed > best.users_closed);
            if !closed.is_empty() && is_better && !self.locks_out(&changed) {
                best = Some(Change {
                    policy: policy.id.clone(),
                    name: policy.name.clone(),
                    kind,
                    detail: detail.into(),
                    users_closed,
                });
            }
        }
        best
    }

    /// The states of a gap's people for whom a changed policy closes it. No other policy has anything of a gap, so its boxes alone
    /// decide.
    fn closed_states(
        &self,
        guarantee: &Guarantee,
        gap: &Gap,
        reading: Reading,
        changed: &Changed<'_>,
    ) -> Bits {
        let space = &self.space;
        let mut closed = Bits::none(space.people.len());
        let (Some(clause), Some(people)) = (guarantee.must.get(gap.clause), gap.product.first())
        else {
            return closed;
        };
        let patches = enforcing_as(
            space,
            changed.index,
            changed.policy,
            guarantee,
            clause,
            reading,
        );
        let mut product = gap.product.clone();
        if let Some(who) = product.get_mut(WHO) {
            *who = Bits::all(1);
        }
        // Beside the policy itself, a box may be for external people only and the like.
        let mut decided: BTreeMap<Vec<bool>, bool> = BTreeMap::new();
        for state in people.iter() {
            let Some(row) = space.membership(state, reading) else {
                continue;
            };
            let applies = if changed.changes_people {
                let assignment = changed.policy.who.as_ref();
                assignment.is_some_and(|assignment| {
                    *space.people.applies(assignment, state).read(reading)
                })
            } else {
                row.has(changed.index)
            };
            if !applies {
                continue;
            }
            let in_others = |patch: &Patch| {
                patch
                    .people
                    .iter()
                    .all(|&set| set == changed.index || row.has(set))
            };
            let theirs: Vec<bool> = patches.iter().map(in_others).collect();
            let covers = *decided.entry(theirs).or_insert_with_key(|theirs| {
                let theirs = patches.iter().zip(theirs).filter(|(_, theirs)| **theirs);
                let boxes: Vec<Region> = theirs.map(|(patch, _)| patch.region.clone()).collect();
                find_open(&product, &boxes, &mut 100_000) == Search::Covered
            });
            if covers {
                closed.insert(state);
            }
        }
        closed
    }

    /// Whether a change keeps everybody who could undo it out of the portals.
    fn locks_out(&self, changed: &Changed<'_>) -> bool {
        if !changed.policy.grant.asks.contains(&Ask::Block) {
            return false;
        }
        let undoers = ["Global Administrator", "Conditional Access Administrator"];
        let roles = undoers
            .into_iter()
            .filter_map(reference::role_named)
            .collect();
        let portals = Asked::Resources(vec![
            "MicrosoftAdminPortals".to_owned(),
            AZURE_MANAGEMENT.to_string(),
        ]);
        let kept_out = Guarantee::new("", "", vec![Vec::new()])
            .who(Who::Roles(roles, RoleScope::Directory))
            .target(portals)
            .when(When {
                client_app_types: vec!["browser".to_owned()],
                ..When::default()
            });
        let crowd = Crowd::of(
            &kept_out,
            &self.space.people,
            &self.facts(),
            &self.trusts,
            &BTreeSet::new(),
        );
        let Ok(crowd) = crowd else {
            return true;
        };
        let let_in = open_sign_ins(&self.space, &kept_out, &crowd, Reading::May, &mut 1_000_000);
        // Where they have a way in now, they must keep one.
        let closes = |gap: &Gap| {
            let closed = self.closed_states(&kept_out, gap, Reading::May, changed);
            gap.product
                .first()
                .is_some_and(|people| people.within(&closed))
        };
        !let_in.gaps.is_empty() && let_in.gaps.iter().all(closes)
    }
}
