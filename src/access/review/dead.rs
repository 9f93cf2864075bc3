//! Policies that can keep nobody out, and why.

use std::collections::{BTreeMap, BTreeSet};

use super::Everybody;
use crate::access::analyzer::Analyzer;
use crate::access::assignment::Side;
use crate::access::controls::{demands, kept_out, scenes};
use crate::access::cover::Region;
use crate::access::policy::{Effect, Mode, Policy, Reading};
use crate::access::space::dimension::TARGET;
use crate::access::space::{Patch, Space};
use crate::snapshot::{Guid, Untrusted};

/// Enabled and report-only policies that are dead, each with the reason.
pub(super) fn dead(analyzer: &Analyzer<'_>, everybody: &Everybody) -> BTreeMap<usize, Untrusted> {
    let space = &analyzer.space;
    let impossible = space.impossible();
    let mut found = BTreeMap::new();
    for (index, policy) in space.policies.iter().enumerate() {
        let judged =
            policy.effect != Effect::Disabled && !policy.is_virtual && policy.who.is_some();
        if !judged {
            continue;
        }
        let reason = reason(analyzer, everybody, &impossible, index, policy);
        if let Some(reason) = reason {
            found.insert(index, Untrusted::from(reason));
        }
    }
    found
}

fn reason(
    analyzer: &Analyzer<'_>,
    everybody: &Everybody,
    impossible: &[Patch],
    index: usize,
    policy: &Policy,
) -> Option<String> {
    let space = &analyzer.space;
    if let Some(reason) = names_what_is_gone(analyzer, policy) {
        return Some(reason);
    }
    let reached = everybody
        .states
        .iter()
        .any(|&state| everybody.may.get(state).is_some_and(|row| row.has(index)));
    if !reached {
        return Some(reaches_nobody(analyzer, policy));
    }
    if let Some(reason) = no_sign_in(space, impossible, index, policy) {
        return Some(reason.to_owned());
    }
    let boxes = boxes(space, index, policy);
    if everybody.covers(space, &boxes, Reading::May, impossible) == Some(true) {
        return Some("its conditions contradict each other: no sign-in meets them all".to_owned());
    }
    let understood = policy.not_understood.is_empty() && analyzer.has_plain_session(policy);
    if !understood {
        return None;
    }
    let demands = demands(space, policy);
    if demands.is_empty() {
        return Some("it asks for nothing and does nothing to sessions".to_owned());
    }
    let kept_out: Vec<Patch> = scenes(policy)
        .iter()
        .flat_map(|scene| demands.iter().map(move |demand| (scene, demand)))
        .flat_map(|(scene, demand)| kept_out(space, index, policy, demand, scene, Reading::May))
        .collect();
    let meets = everybody.covers(space, &kept_out, Reading::May, impossible) == Some(true);
    meets.then(|| "every sign-in to which it applies meets what it asks for anyway".to_owned())
}

/// Everything to which a policy may apply.
fn boxes(space: &Space<'_>, index: usize, policy: &Policy) -> Vec<Patch> {
    let mut boxes = Vec::new();
    for scene in scenes(policy) {
        let target = match (&scene, space.target(index)) {
            (None, Some(target)) => Region::whole().with(TARGET, target.may.clone()),
            _ => Region::whole(),
        };
        for condition in space
            .conditions
            .get(index)
            .map_or(&[][..], |boxes| boxes.read(Reading::May))
        {
            boxes.push(Patch {
                policy: Some(index),
                people: vec![index],
                region: condition.clone().and(&target),
            });
        }
    }
    boxes
}

/// What of a condition alone makes that it matches no sign-in.
fn no_sign_in(
    space: &Space<'_>,
    impossible: &[Patch],
    index: usize,
    policy: &Policy,
) -> Option<&'static str> {
    let target = &policy.target;
    let no_target = space
        .target(index)
        .is_none_or(|target| target.may.is_empty());
    if no_target && target.contexts.is_empty() {
        let names_some = target.include.iter().any(|word| !word.is("None"));
        return Some(if names_some {
            "every resource that it includes is excluded"
        } else {
            "it includes no resource, no user action and no authentication context"
        });
    }
    if policy.platforms.may == 0 {
        return Some("every platform that it includes is excluded");
    }
    let is_empty = |boxes: &[Region]| boxes.iter().all(Region::is_empty);
    if is_empty(&space.places_of(policy, Reading::May)) {
        let excludes = policy
            .locations
            .as_ref()
            .is_some_and(|(_, exclude)| !exclude.is_empty());
        return Some(if excludes {
            "every location that it includes is excluded"
        } else {
            "no address lies in the locations that it includes"
        });
    }
    let filter = policy.devices.as_ref()?;
    let devices = space.devices_of(Some(filter), Reading::May);
    // People apart: what the attributes of devices rule out by themselves.
    let ruled_out: Vec<Region> = impossible
        .iter()
        .filter(|patch| patch.people.is_empty())
        .map(|patch| patch.region.clone())
        .collect();
    let nothing = devices.iter().all(|region| {
        let mut product = space.product(region);
        if let Some(who) = product.first_mut() {
            *who = crate::access::bits::Bits::all(1);
        }
        let mut budget = super::BUDGET;
        region.is_empty()
            || crate::access::cover::find_open(&product, &ruled_out, &mut budget)
                == crate::access::cover::Search::Covered
    });
    nothing.then_some(match filter.mode {
        Mode::Exclude => "its device filter excludes every device",
        _ => "no device matches its filter",
    })
}

/// All that the policy includes is in no list that was read to its end.
fn names_what_is_gone(analyzer: &Analyzer<'_>, policy: &Policy) -> Option<String> {
    let side = &policy.who.as_ref()?.include;
    let plain =
        !side.everyone && side.kinds.is_empty() && !side.has_unknown && side.roles.is_empty();
    let named = side.accounts.len() + side.groups.len();
    if !plain || side.groups.is_empty() || named == 0 {
        return None;
    }
    let tenant = analyzer.tenant;
    let groups = tenant.groups.complete().ok()?;
    let gone = side.groups.iter().all(|&id| groups.get(id).is_none());
    let users = analyzer.facts().users;
    let no_account = side
        .accounts
        .iter()
        .all(|&id| users.get(id).is_none() && tenant.users.complete().is_ok());
    (gone && no_account).then(|| {
        if side.accounts.is_empty() {
            "every group that it includes is deleted".to_owned()
        } else {
            "every account and group that it includes is deleted".to_owned()
        }
    })
}

fn reaches_nobody(analyzer: &Analyzer<'_>, policy: &Policy) -> String {
    let Some(who) = &policy.who else {
        return "it includes nobody".to_owned();
    };
    let side = &who.include;
    if side.everyone {
        return "everybody whom it includes is excluded".to_owned();
    }
    let included = included(analyzer, side);
    let users = analyzer.facts().users;
    let here: Vec<_> = included.iter().filter_map(|&id| users.get(id)).collect();
    let nothing_named = side.entries().next().is_none();
    let reason = if nothing_named {
        "it includes nobody"
    } else if here.iter().any(|user| user.is_enabled()) {
        "everybody whom it includes is excluded"
    } else if !here.is_empty() {
        "every account that it includes is disabled"
    } else if !included.is_empty() {
        "every account that it includes is deleted"
    } else if !side.kinds.is_empty() {
        "nobody of the kinds that it includes is here, or everybody of them is excluded"
    } else if side.groups.is_empty() {
        "nobody holds the roles that it includes"
    } else if side.roles.is_empty() {
        "the groups that it includes have no members"
    } else {
        "the groups that it includes have no members, and nobody holds the roles"
    };
    reason.to_owned()
}

/// Accounts that a side names by id, group or role.
fn included(analyzer: &Analyzer<'_>, side: &Side) -> BTreeSet<Guid> {
    let facts = analyzer.facts();
    let mut ids: BTreeSet<Guid> = side.accounts.iter().copied().collect();
    for group in &side.groups {
        let members = facts.group_members.and_then(|groups| groups.get(group));
        ids.extend(members.into_iter().flatten());
    }
    let held = facts
        .holders
        .iter()
        .filter(|holder| side.roles.contains(&holder.role) && holder.is_tenant_wide());
    ids.extend(held.map(|holder| holder.principal));
    ids
}
