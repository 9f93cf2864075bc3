//! Pairs of small tenants, and laws over random ones.

use std::slice::from_ref;

use fastrand::Rng;
use m365audit::access::{Comparison, DifferenceKind, Sameness, compare};

use super::*;

fn comparison(old: &[Value], new: &[Value]) -> Comparison {
    compare(
        (&tenant(old), &Settings::default()),
        (&tenant(new), &Settings::default()),
    )
}

#[test]
fn what_changed_between_two_states_is_found_for_whom_it_changed() {
    let ids = |ids: &[&str]| {
        ids.iter()
            .map(|id| id.parse::<Guid>().unwrap())
            .collect::<Vec<_>>()
    };
    let old = policy("p", "mfa", &[]);
    let new = policy(
        "p",
        "mfa",
        &[(
            USERS,
            json!({"includeUsers": ["All"], "excludeGroups": [GROUP]}),
        )],
    );
    let found = comparison(from_ref(&old), &[new]);
    assert_eq!(found.verdict, Sameness::Different);
    assert_eq!(found.weaker_users.ids, ids(&[BEN]));
    assert_eq!(
        (found.stronger_users.count, found.newly_blocked_users.count),
        (0, 0)
    );
    assert!(
        found
            .witnesses
            .iter()
            .all(|change| change.kind == DifferenceKind::Weaker && change.policy.raw() == "p")
    );
    // The same in other words.
    let halves = [
        policy(
            "x",
            "mfa",
            &[(PLACES, json!({"includeLocations": [OFFICE]}))],
        ),
        policy(
            "y",
            "mfa",
            &[(
                PLACES,
                json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
            )],
        ),
    ];
    assert_eq!(
        comparison(from_ref(&old), &halves).verdict,
        Sameness::Equivalent
    );
    assert_eq!(
        comparison(&halves, from_ref(&old)).verdict,
        Sameness::Equivalent
    );
    // A policy that blocks some.
    let wall = policy(
        "wall",
        "block",
        &[
            (USERS, json!({"includeUsers": [ANNA]})),
            (PLACES, json!({"includeLocations": [OFFICE]})),
        ],
    );
    let found = comparison(from_ref(&old), &[old.clone(), wall]);
    assert_eq!(
        (
            found.stronger_users.ids.as_slice(),
            found.newly_blocked_users.ids.as_slice()
        ),
        (&*ids(&[ANNA]), &*ids(&[ANNA]))
    );
    assert_eq!(found.weaker_users.count, 0);
    assert!(
        found
            .witnesses
            .iter()
            .all(|change| change.region.contains_key("network")),
        "{:?}",
        found.witnesses
    );
}

#[test]
fn each_state_has_its_own_members_places_roles_and_accounts() {
    let grouped = policy("p", "mfa", &[(USERS, json!({"includeGroups": [GROUP]}))]);
    let (old, mut new) = (
        tenant(std::slice::from_ref(&grouped)),
        tenant(std::slice::from_ref(&grouped)),
    );
    fold(
        &mut new,
        Resource::GroupTransitiveMembers,
        Some(GROUP),
        &json!({"id": CLEO}),
    );
    let settings = Settings::default();
    let found = compare((&old, &settings), (&new, &settings));
    assert_eq!(
        (found.stronger_users.ids, found.weaker_users.count),
        (vec![CLEO.parse().unwrap()], 0)
    );

    let placed = policy(
        "p",
        "mfa",
        &[(
            PLACES,
            json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
        )],
    );
    let (old, mut new) = (
        tenant(std::slice::from_ref(&placed)),
        tenant(std::slice::from_ref(&placed)),
    );
    let more = json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": APP, "displayName": "Home", "isTrusted": true, "ipRanges": [{"cidrAddress": "198.51.100.0/24"}]});
    fold(&mut new, Resource::NamedLocations, None, &more);
    let found = compare((&old, &settings), (&new, &settings));
    assert_eq!(
        (
            found.verdict,
            found.weaker_users.count,
            found.stronger_users.count
        ),
        (Sameness::Different, 4, 0)
    );

    let roles = policy("p", "mfa", &[(USERS, json!({"includeRoles": [HELPDESK]}))]);
    let (old, mut new) = (
        tenant(std::slice::from_ref(&roles)),
        tenant(std::slice::from_ref(&roles)),
    );
    assert_eq!(
        compare((&old, &settings), (&old, &settings)).verdict,
        Sameness::Equivalent
    );
    let held = json!({"id": "x", "principalId": ANNA, "roleDefinitionId": HELPDESK, "directoryScopeId": "/", "principal": {"@odata.type": "#microsoft.graph.user", "id": ANNA}});
    fold(&mut new, Resource::RoleAssignments, None, &held);
    let found = compare((&old, &settings), (&new, &settings));
    assert_eq!(
        (found.stronger_users.ids, found.weaker_users.count),
        (vec![ANNA.parse().unwrap()], 0)
    );

    let mut new = tenant(&[]);
    fold(
        &mut new,
        Resource::Users,
        None,
        &json!({"id": GONE, "userPrincipalName": "n@t.example", "userType": "Member", "accountEnabled": true}),
    );
    let found = compare((&tenant(&[]), &settings), (&new, &settings));
    assert_eq!(
        (
            found.verdict,
            found.only_in_old.count,
            found.only_in_new.count
        ),
        (Sameness::Equivalent, 0, 1)
    );
}

#[test]
fn a_comparison_of_what_was_not_read_is_unknown() {
    let settings = Settings::default();
    let (whole, mut part) = (
        tenant(&[policy("p", "mfa", &[])]),
        tenant(&[policy("p", "mfa", &[])]),
    );
    part.end(Resource::ConditionalAccessPolicies, State::Skipped);
    let found = compare((&whole, &settings), (&part, &settings));
    assert_eq!(found.verdict, Sameness::Unknown);
    assert_eq!(found.assumptions.len(), 1);
    let odd = |at: &str| {
        policy(
            "p",
            "mfa",
            &[
                ("conditions/moonPhase", json!("full")),
                ("modifiedDateTime", json!(at)),
            ],
        )
    };
    let (one, other) = (odd("2026-01-01T00:00:00Z"), odd("2026-01-02T00:00:00Z"));
    assert_eq!(
        comparison(std::slice::from_ref(&one), std::slice::from_ref(&one)).verdict,
        Sameness::Equivalent
    );
    assert_eq!(comparison(&[one], &[other]).verdict, Sameness::Unknown);
}

/// A policy of a few words each of which matters.
fn random(rng: &mut Rng, id: &str) -> Value {
    let mut change: Vec<(&str, Value)> = Vec::new();
    let users = [
        json!({"includeUsers": ["All"]}),
        json!({"includeUsers": ["All"], "excludeGroups": [GROUP]}),
        json!({"includeRoles": [HELPDESK]}),
        json!({"includeUsers": [ANNA, CLEO], "excludeRoles": [HELPDESK]}),
        json!({"includeUsers": ["GuestsOrExternalUsers"]}),
    ];
    change.push((USERS, rng.choice(users).unwrap()));
    if rng.u8(..3) == 0 {
        let places = [
            json!({"includeLocations": [OFFICE]}),
            json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
        ];
        change.push((PLACES, rng.choice(places).unwrap()));
    }
    if rng.u8(..3) == 0 {
        let clients = [
            json!(["browser"]),
            json!(["browser", "mobileAppsAndDesktopClients"]),
            json!(["other"]),
        ];
        change.push(("conditions/clientAppTypes", rng.choice(clients).unwrap()));
    }
    if rng.u8(..4) == 0 {
        let targets = [
            json!({"includeApplications": [APP]}),
            json!({"includeApplications": ["All"], "excludeApplications": [APP]}),
            json!({"includeUserActions": ["urn:user:registerdevice"]}),
        ];
        change.push(("conditions/applications", rng.choice(targets).unwrap()));
    }
    if rng.u8(..4) == 0 {
        change.push(("conditions/devices", json!({"deviceFilter": {"mode": "exclude", "rule": "device.trustType -eq \"ServerAD\""}})));
    }
    let grants = [
        json!({"operator": "OR", "builtInControls": ["mfa"]}),
        json!({"operator": "OR", "builtInControls": ["mfa", "compliantDevice"]}),
        json!({"operator": "AND", "builtInControls": ["mfa", "compliantDevice"]}),
        json!({"operator": "OR", "builtInControls": ["block"]}),
        json!({"operator": "OR", "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000004"}}),
    ];
    change.push(("grantControls", rng.choice(grants).unwrap()));
    if rng.u8(..6) == 0 {
        change.push(report_only());
    }
    policy(id, "mfa", &change)
}

#[test]
fn comparisons_of_random_tenants_keep_the_laws() {
    let mut rng = Rng::with_seed(20_260_301);
    let (mut same, mut other) = (0, 0);
    for round in 0..60 {
        let mut some = |from: usize| -> Vec<Value> {
            (from..from + 1 + rng.usize(..3))
                .map(|number| random(&mut rng, &format!("p{number}")))
                .collect()
        };
        let (old, new) = (some(0), some(2));
        let there = comparison(&old, &new);
        let back = comparison(&new, &old);
        assert_eq!(there.verdict, back.verdict, "{round}");
        assert_eq!(there.weaker_users, back.stronger_users, "{round}");
        assert_eq!(there.stronger_users, back.weaker_users, "{round}");
        assert!(
            there.newly_blocked_users.count <= there.stronger_users.count,
            "{round}"
        );
        assert_ne!(
            there.verdict,
            Sameness::Unknown,
            "{round}: {:?}",
            there.assumptions
        );
        let renamed: Vec<Value> = old
            .iter()
            .cloned()
            .map(|mut policy| {
                policy["id"] = json!(format!("new {}", policy["id"]));
                policy
            })
            .collect();
        assert_eq!(
            comparison(&old, &old).verdict,
            Sameness::Equivalent,
            "{round}"
        );
        assert_eq!(
            comparison(&old, &renamed).verdict,
            Sameness::Equivalent,
            "{round}: {old:?}"
        );
        // Whatever is redundant or dead may go, alone; what is neither may not.
        let found = review(&old);
        for policy in old.iter().filter(|policy| policy["state"] == "enabled") {
            let is = |id: &Untrusted| policy["id"] == id.raw();
            let may_go = found.redundant.iter().any(|one| is(&one.policy))
                || found.dead.iter().any(|one| is(&one.policy));
            let rest: Vec<Value> = old
                .iter()
                .filter(|other| *other != policy)
                .cloned()
                .collect();
            let change = comparison(&old, &rest);
            assert_eq!(
                change.verdict == Sameness::Equivalent,
                may_go,
                "{round}: {policy} of {old:?}"
            );
            if may_go { same += 1 } else { other += 1 }
        }
    }
    assert!(same > 15 && other > 15, "{same} and {other}");
}
