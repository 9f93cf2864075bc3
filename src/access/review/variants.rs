//! Policies as they would be without one exclusion or one condition: what only that keeps away from them.

use std::collections::BTreeSet;

use super::{BUDGET, Leftover, LeftoverKind, Walls, patches_of};
use crate::access::analyzer::Analyzer;
use crate::access::controls::{demands, kept_out, scenes};
use crate::access::crowd::Crowd;
use crate::access::device::Attribute;
use crate::access::guarantee::{Guarantee, Who};
use crate::access::open::open_parts;
use crate::access::policy::{Effect, Mode, PLATFORMS, Policy, Reading, Span};
use crate::snapshot::Untrusted;

/// Exclusions of one kind in one policy that are looked at one by one; of more, all together.
const ONE_BY_ONE: usize = 24;

/// Attributes that come from the device itself, so its user can change them.
const EDITABLE: [Attribute; 5] = [
    Attribute::DisplayName,
    Attribute::Manufacturer,
    Attribute::Model,
    Attribute::OperatingSystem,
    Attribute::OperatingSystemVersion,
];

/// A policy without something.
struct Variant {
    /// The place of the policy that it was made from.
    of: usize,
    policy: Policy,
    kind: LeftoverKind,
    /// What was taken out.
    without: String,
}

/// Exclusions that nothing else covers, and conditions that a client can fake.
pub(super) fn opened(analyzer: &Analyzer<'_>) -> Vec<(usize, Leftover)> {
    let own = &analyzer.space.policies;
    let variants: Vec<Variant> = own
        .iter()
        .enumerate()
        .filter(|(_, policy)| {
            policy.effect == Effect::Enabled
                && !policy.is_virtual
                && policy.who.is_some()
                && !policy.grant.asks.is_empty()
        })
        .flat_map(|(index, policy)| variants(analyzer, index, policy))
        .collect();
    if variants.is_empty() {
        return Vec::new();
    }
    let hypothetical = variants.iter().map(|variant| Policy {
        effect: Effect::Disabled,
        ..variant.policy.clone()
    });
    let with = Analyzer::with_policies(
        analyzer.tenant,
        analyzer.settings.clone(),
        own.iter().cloned().chain(hypothetical).collect(),
        &[],
    );
    let mut walls = Walls::default();
    let mut found = Vec::new();
    for (place, variant) in variants.iter().enumerate() {
        let index = own.len() + place;
        if let Some(users) = let_out(&with, &mut walls, index) {
            let whom = match users {
                0 => "external users without an account here".to_owned(),
                1 => "1 account".to_owned(),
                users => format!("{users} accounts"),
            };
            let detail = match variant.kind {
                LeftoverKind::UncoveredExclusion => format!(
                    "{} is excluded, and no other enabled policy asks for the same there ({whom})",
                    variant.without
                ),
                _ => format!(
                    "{}, and no other enabled policy asks for the same of those who claim otherwise ({whom})",
                    variant.without
                ),
            };
            found.push((
                variant.of,
                Leftover {
                    policy: variant.policy.id.clone(),
                    name: variant.policy.name.clone(),
                    kind: variant.kind,
                    detail: Untrusted::from(detail),
                },
            ));
        }
    }
    found
}

/// How many accounts a policy would newly keep from getting in without what it asks for; `None` is nobody at all. Accounts that are
/// declared to stand apart do not count: they are excluded on purpose.
fn let_out(with: &Analyzer<'_>, walls: &mut Walls, index: usize) -> Option<u64> {
    let space = &with.space;
    let policy = space.policies.get(index)?;
    let everybody = Guarantee::new("", "", Vec::new()).who(Who::All);
    let crowd = Crowd::of(
        &everybody,
        &space.people,
        &with.facts(),
        &with.trusts,
        &with.settings.apart,
    )
    .ok()?;
    let impossible = space.impossible();
    let states = crowd.states();
    let must = space.membership_rows(Reading::Must);
    let mut open = BTreeSet::new();
    let mut budget = BUDGET;
    for scene in scenes(policy) {
        for demand in demands(space, policy) {
            if demand.is_vague || demand.of_session {
                continue;
            }
            let wall = walls.against(space, &demand.clause, &scene, Reading::May);
            let patches = patches_of(&impossible, &wall, |_| true);
            for part in kept_out(space, index, policy, &demand, &scene, Reading::Must) {
                let inside = states.iter().copied().filter(|&state| {
                    let row = must.get(state);
                    row.is_some_and(|row| part.people.iter().all(|&set| row.has(set)))
                });
                let found = open_parts(
                    space.membership_rows(Reading::May),
                    inside,
                    space.product(&part.region),
                    &patches,
                    &mut budget,
                );
                open.extend(found.open);
            }
        }
    }
    (!open.is_empty()).then(|| crowd.count(&open))
}

fn variants(analyzer: &Analyzer<'_>, of: usize, policy: &Policy) -> Vec<Variant> {
    let exclusion = |policy: Policy, without: String| Variant {
        of,
        policy,
        kind: LeftoverKind::UncoveredExclusion,
        without,
    };
    let spoofable = |policy: Policy, without: &str| Variant {
        of,
        policy,
        kind: LeftoverKind::SpoofableCondition,
        without: without.to_owned(),
    };
    let mut found = Vec::new();
    if let Some(who) = &policy.who {
        let without = |exclude| Policy {
            who: Some(super::super::assignment::Assignment {
                include: who.include.clone(),
                exclude,
            }),
            ..policy.clone()
        };
        let entries: Vec<_> = who.exclude.entries().collect();
        if entries.len() > ONE_BY_ONE {
            let all = without(super::super::assignment::Side::default());
            found.push(exclusion(
                all,
                format!("each of {} accounts, groups and roles", entries.len()),
            ));
        } else {
            found.extend(entries.into_iter().map(|entry| {
                exclusion(
                    without(who.exclude.without(entry)),
                    analyzer.entry_in_words(entry),
                )
            }));
        }
    }
    let apps = &policy.target.exclude;
    for (left, word) in one_by_one(apps) {
        let words = word.map_or_else(
            || format!("each of {} resources", apps.len()),
            |word| analyzer.app_in_words(word),
        );
        let mut policy = policy.clone();
        policy.target.exclude = left;
        found.push(exclusion(policy, words));
    }
    if let Some((include, exclude)) = &policy.locations {
        for (left, word) in one_by_one(exclude) {
            let words = word.map_or_else(
                || format!("each of {} locations", exclude.len()),
                |word| analyzer.place_in_words(word),
            );
            let policy = Policy {
                locations: Some((include.clone(), left)),
                ..policy.clone()
            };
            found.push(exclusion(policy, words));
        }
    }
    if policy.platforms.may != PLATFORMS.all() {
        let anywhere = Policy {
            platforms: Span::sure(PLATFORMS.all()),
            ..policy.clone()
        };
        found.push(spoofable(
            anywhere,
            "it applies to some platforms only, and the platform is what the client says",
        ));
    }
    let filter = policy.devices.as_ref();
    let editable = filter
        .filter(|filter| filter.mode == Mode::Exclude)
        .and_then(|filter| filter.rule.as_ref())
        .map(super::super::device::Rule::attributes)
        .unwrap_or_default();
    let editable: Vec<String> = editable
        .into_iter()
        .filter(|attribute| EDITABLE.contains(attribute))
        .map(|attribute| format!("device.{attribute}"))
        .collect();
    if !editable.is_empty() {
        let any_device = Policy {
            devices: None,
            ..policy.clone()
        };
        found.push(spoofable(
            any_device,
            &format!(
                "its device filter excludes by {}, which the user of a device can change",
                editable.join(" and ")
            ),
        ));
    }
    found
}

/// A list without each of its words in turn; without all of them at once where there are many.
fn one_by_one(words: &[Untrusted]) -> Vec<(Vec<Untrusted>, Option<&Untrusted>)> {
    if words.len() > ONE_BY_ONE {
        return vec![(Vec::new(), None)];
    }
    let without = |word: &Untrusted| {
        let left = words.iter().filter(|other| *other != word);
        left.cloned().collect()
    };
    words
        .iter()
        .map(|word| (without(word), Some(word)))
        .collect()
}
