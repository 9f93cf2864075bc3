//! Laws that hold whatever the tenant: what must change nothing, and what must never make things better, or worse.

use std::collections::BTreeMap;

use m365audit::access::{Guarantee, Proof, Verdict, When, Who};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::pools::{self, USERS};
use super::random::cases;
use super::world::World;

/// Verdict, affected accounts, how many are asked about: not what stands in words.
fn essence(proof: &Proof) -> (Verdict, Vec<String>, u64) {
    let ids = proof.affected_users.ids.iter().map(ToString::to_string);
    (proof.verdict, ids.collect(), proof.asked_users)
}

fn a_case() -> BoxedStrategy<(World, Guarantee)> {
    prop_oneof![
        2 => pools::nearly_covered(),
        1 => (pools::world(), pools::guarantee()),
    ]
    .boxed()
}

/// Every list the other way round.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().rev().map(reversed).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), reversed(value)))
            .collect(),
        other => other.clone(),
    }
}

/// The same text with other ids: those of our own users, groups and locations, which stand nowhere in published tables.
fn renamed(value: &Value) -> Value {
    let own = "00000000-0000-0000-0000-0000000000";
    match value {
        Value::String(text) if text.starts_with(own) && !is_built_in(text) => {
            json!(text.replace(own, "ffffffff-0000-0000-0000-0000000000"))
        }
        Value::Array(list) => list.iter().map(renamed).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), renamed(value)))
            .collect(),
        other => other.clone(),
    }
}

/// Users have the numbers of built-in strengths and stay as they are.
fn is_built_in(text: &str) -> bool {
    USERS.contains(&text) || text.ends_with("aa01") || text.ends_with("aa02")
}

fn rename_text(text: &str) -> String {
    renamed(&json!(text)).as_str().unwrap().to_owned()
}

fn all_renamed(world: &World) -> World {
    let rows = |rows: &[Value]| rows.iter().map(renamed).collect::<Vec<_>>();
    World {
        users: rows(&world.users),
        groups: world
            .groups
            .iter()
            .map(|(group, members)| {
                let members = members.iter().map(|id| rename_text(id)).collect();
                (rename_text(group), members)
            })
            .collect::<BTreeMap<_, _>>(),
        role_assignments: rows(&world.role_assignments),
        eligible: rows(&world.eligible),
        policies: rows(&world.policies),
        locations: rows(&world.locations),
        strengths: rows(&world.strengths),
        partners: rows(&world.partners),
        homes: world
            .homes
            .iter()
            .map(|(user, home)| (user.clone(), rename_text(home)))
            .collect(),
        ..world.clone()
    }
}

/// How good a verdict is: the greater the better.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Proved | Verdict::Vacuous => 2,
        Verdict::Depends | Verdict::Unknown => 1,
        Verdict::Violated => 0,
    }
}

/// The second is no better than the first, and affects all of those whom the first affects.
fn no_better(first: &Proof, second: &Proof) -> Result<(), TestCaseError> {
    prop_assert!(
        rank(second.verdict) <= rank(first.verdict),
        "{:?} became {:?}",
        first.verdict,
        second.verdict
    );
    if first.verdict == Verdict::Violated {
        for id in &first.affected_users.ids {
            prop_assert!(second.affected_users.ids.contains(id), "{id}");
        }
    }
    Ok(())
}

fn push(list: &mut Value, word: &Value) {
    match list.as_array_mut() {
        Some(list) => list.push(word.clone()),
        None => *list = json!([word]),
    }
}

proptest! {
    #![proptest_config(cases(80))]

    /// The order of lists, the ids of things, policies that do nothing, policies that stand twice, the time of day.
    #[test]
    fn what_says_nothing_changes_nothing((world, guarantee) in a_case(), idle in pools::policy(), which in any::<Index>(), state in 0..2_usize) {
        let before = essence(&world.prove(&guarantee));
        let mut turned = world.clone();
        for rows in [&mut turned.users, &mut turned.policies, &mut turned.locations, &mut turned.role_assignments, &mut turned.eligible, &mut turned.partners, &mut turned.strengths] {
            *rows = rows.iter().rev().map(reversed).collect();
        }
        prop_assert_eq!(&essence(&turned.prove(&guarantee)), &before, "in another order");
        let mut more = world.clone();
        let mut idle = idle;
        idle["state"] = json!(["disabled", "enabledForReportingButNotEnforced"][state]);
        more.policies.push(idle);
        let twice = world.policies[which.index(world.policies.len())].clone();
        more.policies.push(twice);
        pools::number(&mut more.policies);
        // Device rules of the idle one may tell apart what the question tests: then the answer may be clearer, and no other.
        let after = essence(&more.prove(&guarantee));
        prop_assert!(after == before || before.0 == Verdict::Depends, "{after:?} after {before:?}");
        if matches!(guarantee.who, Who::All | Who::Members | Who::Guests | Who::Users(_))
            && guarantee.when.named.is_empty() && guarantee.when.not_named.is_empty()
            && !guarantee.must.iter().flatten().any(|atom| matches!(atom, m365audit::access::Atom::Strength(_))) {
            prop_assert_eq!(&essence(&all_renamed(&world).prove(&guarantee)), &before, "under other ids");
        }
    }

    /// Two halves of a policy are the policy.
    #[test]
    fn a_policy_in_two_halves_is_the_same((world, guarantee) in a_case(), which in any::<Index>(), (key, one, other) in pools::split()) {
        let at = which.index(world.policies.len());
        let plain = &world.policies[at]["conditions"][key];
        let unset = plain.is_null() || *plain == json!([]) || *plain == json!(["all"])
            || key == "applications" && plain["includeApplications"] == json!(["All"]) && plain["excludeApplications"].is_null() && !world.legacy_scopes
            || key == "users" && *plain == json!({"includeUsers": ["All"]});
        prop_assume!(unset);
        let mut halves = world.clone();
        let mut second = world.policies[at].clone();
        halves.policies[at]["conditions"][key] = one;
        second["conditions"][key] = other;
        halves.policies.push(second);
        pools::number(&mut halves.policies);
        let (whole, halves) = (essence(&world.prove(&guarantee)), essence(&halves.prove(&guarantee)));
        prop_assert!(whole == halves || whole.0 == Verdict::Depends || halves.0 == Verdict::Depends, "{whole:?} and {halves:?}");
    }

    /// One more enabled policy never opens anything; an exclusion, an alternative, a switch to report-only never closes anything.
    #[test]
    fn more_policies_never_open_and_exclusions_never_close(
        (world, guarantee) in a_case(),
        more in pools::policy(),
        which in any::<Index>(),
        word in 0..5_usize,
    ) {
        // Rules that only the question tests are told apart or not by what policies test.
        let guarantee = Guarantee { when: When { matches: None, not_matches: None, ..guarantee.when }, ..guarantee };
        let before = world.prove(&guarantee);
        let mut stronger = world.clone();
        let mut more = more;
        more["state"] = json!("enabled");
        stronger.policies.push(more);
        pools::number(&mut stronger.policies);
        no_better(&stronger.prove(&guarantee), &before)?;
        let at = which.index(world.policies.len());
        let mut weaker = world.clone();
        let policy = &mut weaker.policies[at];
        match word {
            0 => push(&mut policy["conditions"]["users"]["excludeUsers"], &json!(USERS[0])),
            1 => push(&mut policy["conditions"]["applications"]["excludeApplications"], &json!("Office365")),
            2 => policy["grantControls"]["operator"] = json!("OR"),
            3 => policy["state"] = json!("enabledForReportingButNotEnforced"),
            _ => if policy["conditions"]["locations"].is_null() {
                policy["conditions"]["locations"] = json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]});
            },
        }
        no_better(&before, &weaker.prove(&guarantee))?;
    }

    /// Asking about more is never answered better, nor asking for more; and what was certain stays so when less is known.
    #[test]
    fn a_wider_question_is_never_answered_better((world, guarantee) in a_case(), part in 0..6_usize, hidden in any::<Index>()) {
        let asked = Guarantee { when: When { matches: None, not_matches: None, ..guarantee.when.clone() }, ..guarantee };
        let mut wider = asked.clone();
        let none = When::default();
        match part {
            0 => wider.when = none,
            1 => wider.when.client_app_types = none.client_app_types,
            2 => wider.when.trusted = None,
            3 => wider.except_users.clear(),
            4 => wider.when.authentication_flows.clear(),
            // More is asked for: one more clause.
            _ => wider.must.push(vec![m365audit::access::Atom::PhishingResistantMfa]),
        }
        let (asked_proof, wider_proof) = (world.prove(&asked), world.prove(&wider));
        no_better(&asked_proof, &wider_proof)?;
        // Members of one group are not known any more: proved may become depends, never violated; violated never proved.
        let mut less = world.clone();
        less.unread_groups.insert(pools::GROUPS[hidden.index(3)].to_owned());
        let less = less.prove(&asked);
        match less.verdict {
            Verdict::Proved => prop_assert!(matches!(asked_proof.verdict, Verdict::Proved | Verdict::Vacuous)),
            Verdict::Violated => prop_assert_eq!(asked_proof.verdict, Verdict::Violated),
            Verdict::Vacuous => prop_assert_eq!(asked_proof.verdict, Verdict::Vacuous),
            Verdict::Depends | Verdict::Unknown => {}
        }
    }
}
