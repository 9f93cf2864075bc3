//! Policies without which nothing changes.

use std::collections::BTreeSet;

use super::{Everybody, Redundant, Walls, patches_of};
use crate::access::analyzer::Analyzer;
use crate::access::controls::{Scene, demands, kept_out, scenes};
use crate::access::guarantee::Clause;
use crate::access::policy::{Effect, Policy, Reading};
use crate::access::space::Patch;
use crate::snapshot::Untrusted;

#[derive(Default)]
pub(super) struct Found {
    pub(super) redundant: Vec<Redundant>,
    pub(super) undecided: Vec<Untrusted>,
}

/// What one demand of a policy covers.
struct Part {
    scene: Scene,
    clause: Clause,
    boxes: Vec<Patch>,
}

/// `idle` are policies that keep nobody out.
pub(super) fn redundant(
    analyzer: &Analyzer<'_>,
    everybody: &Everybody,
    idle: &BTreeSet<usize>,
) -> Found {
    let space = &analyzer.space;
    let impossible = space.impossible();
    let mut walls = Walls::default();
    let mut found = Found::default();
    for (index, policy) in space.policies.iter().enumerate() {
        let asked =
            policy.effect == Effect::Enabled && !policy.is_virtual && !idle.contains(&index);
        if !asked {
            continue;
        }
        if policy.who.is_none()
            || !policy.not_understood.is_empty()
            || !analyzer.has_plain_session(policy)
        {
            found.undecided.push(policy.id.clone());
            continue;
        }
        let parts = parts(analyzer, index, policy, Reading::May);
        let mut covered_by = |others: &BTreeSet<usize>| {
            all(&parts, |part| {
                let wall = walls.against(space, &part.clause, &part.scene, Reading::Must);
                let patches = patches_of(&impossible, &wall, |other| others.contains(&other));
                everybody.covers(space, &part.boxes, Reading::May, &patches)
            })
        };
        let others: Vec<usize> = space
            .policies
            .iter()
            .enumerate()
            .filter(|(other, policy)| *other != index && policy.effect == Effect::Enabled)
            .map(|(other, _)| other)
            .collect();
        match covered_by(&others.iter().copied().collect()) {
            Some(true) => {
                let mut holds = |set: &BTreeSet<usize>| covered_by(set) == Some(true);
                let by = fewest(&mut holds, &BTreeSet::new(), false, &others);
                let id = |index: usize| Some(space.policies.get(index)?.id.clone());
                found.redundant.push(Redundant {
                    policy: policy.id.clone(),
                    name: policy.name.clone(),
                    by: by.into_iter().filter_map(id).collect(),
                });
                continue;
            }
            None => {
                found.undecided.push(policy.id.clone());
                continue;
            }
            Some(false) => {}
        }
        // Not for certain; then certainly not?
        let parts = self::parts(analyzer, index, policy, Reading::Must);
        let perhaps = all(&parts, |part| {
            let wall = walls.against(space, &part.clause, &part.scene, Reading::May);
            let patches = patches_of(&impossible, &wall, |other| other != index);
            everybody.covers(space, &part.boxes, Reading::Must, &patches)
        });
        if perhaps != Some(false) {
            found.undecided.push(policy.id.clone());
        }
    }
    found
}

fn parts(analyzer: &Analyzer<'_>, index: usize, policy: &Policy, reading: Reading) -> Vec<Part> {
    let space = &analyzer.space;
    let demands = demands(space, policy);
    let scenes = scenes(policy);
    let each = scenes
        .iter()
        .flat_map(|scene| demands.iter().map(move |demand| (scene, demand)));
    each.map(|(scene, demand)| Part {
        scene: scene.clone(),
        clause: demand.clause.clone(),
        boxes: kept_out(space, index, policy, demand, scene, reading),
    })
    .collect()
}

/// Whether all hold; `None` where the budget did not suffice to tell.
fn all(parts: &[Part], mut holds: impl FnMut(&Part) -> Option<bool>) -> Option<bool> {
    for part in parts {
        if !holds(part)? {
            return Some(false);
        }
    }
    Some(true)
}

/// A set of candidates that suffices beside `given`, and of which none can be left out: halves are tried first, so that few of many
/// take few tries (U. Junker, `QuickXplain`, 2004). `more`: something was added since `given` was last tried.
fn fewest(
    holds: &mut impl FnMut(&BTreeSet<usize>) -> bool,
    given: &BTreeSet<usize>,
    more: bool,
    candidates: &[usize],
) -> BTreeSet<usize> {
    if candidates.is_empty() || (more && holds(given)) {
        return BTreeSet::new();
    }
    if let [only] = candidates {
        return BTreeSet::from([*only]);
    }
    let (first, second) = candidates.split_at(candidates.len() / 2);
    let with_first: BTreeSet<usize> = given.iter().chain(first).copied().collect();
    let of_second = fewest(holds, &with_first, true, second);
    let with_second: BTreeSet<usize> = given.union(&of_second).copied().collect();
    let of_first = fewest(holds, &with_second, !of_second.is_empty(), first);
    of_second.union(&of_first).copied().collect()
}
