//! Reviews and comparisons of small tenants: one for each kind of result, and laws over random ones.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail wherever it finds something else"
)]

#[path = "access_review/compare.rs"]
mod changes;
#[path = "access_review/leftovers.rs"]
mod leftovers;

use m365audit::access::{Analyzer, Review, ReviewedAt, Settings};
use m365audit::snapshot::{Guid, Resource, State, Tenant, Untrusted};
use serde_json::{Value, json};

const ANNA: &str = "00000000-0000-4000-8000-000000000001";
const BEN: &str = "00000000-0000-4000-8000-000000000002"; // in the group
const CLEO: &str = "00000000-0000-4000-8000-000000000003"; // may activate the role
const DAN: &str = "00000000-0000-4000-8000-000000000004"; // Conditional Access Administrator
const OFF: &str = "00000000-0000-4000-8000-000000000005"; // disabled
const GROUP: &str = "00000000-0000-4000-8000-0000000000a1";
const EMPTY_GROUP: &str = "00000000-0000-4000-8000-0000000000a2";
const APP: &str = "00000000-0000-4000-8000-0000000000b1";
const OFFICE: &str = "00000000-0000-4000-8000-0000000000c1";
const GONE: &str = "00000000-0000-4000-8000-00000000dead";
const HELPDESK: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
const CA_ADMINISTRATOR: &str = "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9";

fn fold(tenant: &mut Tenant, resource: Resource, subject: Option<&str>, row: &Value) {
    let raw = serde_json::value::to_raw_value(row).unwrap();
    let subject = subject.map(|id| id.parse::<Guid>().unwrap());
    tenant.fold(resource, subject, &raw).unwrap();
}

fn tenant(policies: &[Value]) -> Tenant {
    let mut tenant = Tenant::empty();
    for (number, id) in [ANNA, BEN, CLEO, DAN, OFF].iter().enumerate() {
        let row = json!({"id": id, "userPrincipalName": format!("u{number}@t.example"), "userType": "Member", "accountEnabled": *id != OFF});
        fold(&mut tenant, Resource::Users, None, &row);
    }
    for group in [GROUP, EMPTY_GROUP] {
        fold(
            &mut tenant,
            Resource::Groups,
            None,
            &json!({"id": group, "displayName": "g"}),
        );
        let id = group.parse().unwrap();
        tenant.touch(Resource::GroupTransitiveMembers, id);
    }
    fold(
        &mut tenant,
        Resource::GroupTransitiveMembers,
        Some(GROUP),
        &json!({"id": BEN}),
    );
    let held = |user: &str, role: &str| json!({"id": role, "principalId": user, "roleDefinitionId": role, "directoryScopeId": "/", "principal": {"@odata.type": "#microsoft.graph.user", "id": user}});
    fold(
        &mut tenant,
        Resource::RoleEligibilityScheduleInstances,
        None,
        &held(CLEO, HELPDESK),
    );
    fold(
        &mut tenant,
        Resource::RoleAssignments,
        None,
        &held(DAN, CA_ADMINISTRATOR),
    );
    let office = json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": OFFICE, "displayName": "Office", "isTrusted": true, "ipRanges": [{"cidrAddress": "192.0.2.0/24"}]});
    fold(&mut tenant, Resource::NamedLocations, None, &office);
    fold(
        &mut tenant,
        Resource::ServicePrincipals,
        None,
        &json!({"id": APP, "appId": APP}),
    );
    fold(
        &mut tenant,
        Resource::SecurityDefaults,
        None,
        &json!({"isEnabled": false}),
    );
    fold(
        &mut tenant,
        Resource::CrossTenantAccessDefault,
        None,
        &json!({}),
    );
    for policy in policies {
        fold(
            &mut tenant,
            Resource::ConditionalAccessPolicies,
            None,
            policy,
        );
    }
    tenant
}

/// An enabled policy for everybody and everything, with this control; `change` sets members by their path.
fn policy(id: &str, control: &str, change: &[(&str, Value)]) -> Value {
    let mut policy = json!({
        "id": id, "displayName": id, "state": "enabled", "createdDateTime": "2026-01-01T00:00:00Z",
        "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}, "clientAppTypes": ["all"]},
        "grantControls": {"operator": "OR", "builtInControls": [control]},
    });
    for (path, value) in change {
        let mut place = &mut policy;
        for step in path.split('/') {
            if place.is_null() {
                *place = json!({});
            }
            place = &mut place[step];
        }
        *place = value.clone();
    }
    policy
}

const USERS: &str = "conditions/users";
const PLACES: &str = "conditions/locations";
const STATE: &str = "state";

fn report_only() -> (&'static str, Value) {
    (STATE, json!("enabledForReportingButNotEnforced"))
}

fn review_of(tenant: &Tenant, settings: Settings) -> Review {
    Analyzer::read(tenant, settings).review(&ReviewedAt {
        at: "2026-03-01T00:00:00Z".parse().unwrap(),
        report_only_days: 30,
    })
}

fn review(policies: &[Value]) -> Review {
    review_of(&tenant(policies), Settings::default())
}

fn redundant(review: &Review) -> Vec<(&str, Vec<&str>)> {
    review
        .redundant
        .iter()
        .map(|found| {
            (
                found.policy.raw(),
                found.by.iter().map(Untrusted::raw).collect(),
            )
        })
        .collect()
}

#[test]
fn a_policy_that_another_one_covers_is_redundant() {
    let narrow = policy(
        "narrow",
        "mfa",
        &[(USERS, json!({"includeGroups": [GROUP]}))],
    );
    let found = review(&[narrow.clone(), policy("wide", "mfa", &[])]);
    assert_eq!(redundant(&found), [("narrow", vec!["wide"])]);
    assert!(found.undecided.is_empty());
    // A stronger control covers a weaker one and not the other way round; blocking covers everything.
    let strength = |id: &str| {
        policy(
            id,
            "mfa",
            &[(
                "grantControls",
                json!({"operator": "OR", "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000004"}}),
            )],
        )
    };
    let found = review(&[policy("plain", "mfa", &[]), strength("strong")]);
    assert_eq!(redundant(&found), [("plain", vec!["strong"])]);
    let found = review(&[
        policy("blocked", "compliantDevice", &[]),
        policy("wall", "block", &[]),
    ]);
    assert_eq!(redundant(&found), [("blocked", vec!["wall"])]);
    // Another control, or what is only reported, covers nothing.
    let other = policy("other", "compliantDevice", &[]);
    assert_eq!(redundant(&review(&[policy("a", "mfa", &[]), other])), []);
    let trial = policy("trial", "mfa", &[report_only()]);
    assert_eq!(redundant(&review(&[policy("a", "mfa", &[]), trial])), []);
}

#[test]
fn a_policy_that_two_cover_together_names_both_and_no_third() {
    let inside = policy(
        "inside",
        "mfa",
        &[(PLACES, json!({"includeLocations": ["AllTrusted"]}))],
    );
    let outside = policy(
        "outside",
        "mfa",
        &[(
            PLACES,
            json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
        )],
    );
    let extra = policy(
        "extra",
        "mfa",
        &[("conditions/clientAppTypes", json!(["browser"]))],
    );
    let whole = policy("whole", "mfa", &[]);
    let found = review(&[inside, outside, extra, whole]);
    let of = |id: &str| {
        redundant(&found)
            .into_iter()
            .find(|(policy, _)| *policy == id)
            .map(|(_, by)| by)
    };
    assert_eq!(of("whole"), Some(vec!["inside", "outside"]));
    assert_eq!(of("inside"), Some(vec!["whole"]));
}

#[test]
fn copies_are_each_redundant_alone() {
    let found = review(&[policy("a", "mfa", &[]), policy("b", "mfa", &[])]);
    assert_eq!(redundant(&found), [("a", vec!["b"]), ("b", vec!["a"])]);
}

#[test]
fn each_control_and_session_control_has_to_be_covered() {
    let both = |id: &str| {
        policy(
            id,
            "mfa",
            &[(
                "grantControls",
                json!({"operator": "AND", "builtInControls": ["mfa", "compliantDevice"]}),
            )],
        )
    };
    let found = review(&[
        both("both"),
        policy("mfa", "mfa", &[]),
        policy("device", "compliantDevice", &[]),
    ]);
    let names: Vec<_> = redundant(&found)
        .into_iter()
        .map(|(policy, _)| policy)
        .collect();
    assert_eq!(names, ["both", "device", "mfa"]);
    let frequency = |id: &str, hours: u8| {
        policy(
            id,
            "mfa",
            &[(
                "sessionControls",
                json!({"signInFrequency": {"isEnabled": true, "type": "hours", "value": hours}}),
            )],
        )
    };
    assert_eq!(
        redundant(&review(&[
            frequency("often", 1),
            policy("plain", "mfa", &[])
        ])),
        [("plain", vec!["often"])]
    );
    assert_eq!(
        redundant(&review(&[frequency("often", 1), frequency("seldom", 9)])),
        [("seldom", vec!["often"])]
    );
    // Either is not both.
    let either = policy(
        "either",
        "mfa",
        &[(
            "grantControls",
            json!({"operator": "OR", "builtInControls": ["mfa", "compliantDevice"]}),
        )],
    );
    assert_eq!(
        redundant(&review(&[either, policy("mfa", "mfa", &[])])),
        [("either", vec!["mfa"])]
    );
}

#[test]
fn what_is_not_understood_is_undecided() {
    let unknown = policy("new", "mfa", &[("conditions/moonPhase", json!("full"))]);
    let found = review(&[unknown, policy("wide", "mfa", &[])]);
    let undecided: Vec<&str> = found.undecided.iter().map(Untrusted::raw).collect();
    assert_eq!(undecided, ["new", "wide"]);
    assert_eq!(redundant(&found), []);
}

#[test]
fn dead_policies_say_why() {
    for (change, reason) in [
        (
            (USERS, json!({"includeUsers": ["None"]})),
            "it includes nobody",
        ),
        (
            (USERS, json!({"includeGroups": [EMPTY_GROUP]})),
            "the groups that it includes have no members",
        ),
        (
            (USERS, json!({"includeGroups": [GONE]})),
            "every group that it includes is deleted",
        ),
        (
            (USERS, json!({"includeUsers": [OFF]})),
            "every account that it includes is disabled",
        ),
        (
            (USERS, json!({"includeUsers": [GONE]})),
            "every account that it includes is deleted",
        ),
        (
            (
                USERS,
                json!({"includeUsers": [BEN], "excludeGroups": [GROUP]}),
            ),
            "everybody whom it includes is excluded",
        ),
        (
            (
                "conditions/applications",
                json!({"includeApplications": ["None"]}),
            ),
            "it includes no resource, no user action and no authentication context",
        ),
        (
            (
                "conditions/applications",
                json!({"includeApplications": [APP], "excludeApplications": [APP]}),
            ),
            "every resource that it includes is excluded",
        ),
        (
            (
                "conditions/platforms",
                json!({"includePlatforms": ["iOS"], "excludePlatforms": ["iOS"]}),
            ),
            "every platform that it includes is excluded",
        ),
        (
            (
                PLACES,
                json!({"includeLocations": [OFFICE], "excludeLocations": ["AllTrusted"]}),
            ),
            "every location that it includes is excluded",
        ),
        (
            (
                "conditions/devices",
                json!({"deviceFilter": {"mode": "include", "rule": "device.model -eq \"a\" -and device.model -eq \"b\""}}),
            ),
            "no device matches its filter",
        ),
        (
            ("grantControls", Value::Null),
            "it asks for nothing and does nothing to sessions",
        ),
    ] {
        let found = review(&[policy("p", "mfa", std::slice::from_ref(&change))]);
        let reasons: Vec<&str> = found.dead.iter().map(|dead| dead.reason.raw()).collect();
        assert_eq!(reasons, [reason], "{change:?}");
        let off = review(&[policy("p", "mfa", &[change, (STATE, json!("disabled"))])]);
        assert!(off.dead.is_empty());
    }
    let legacy = policy(
        "p",
        "mfa",
        &[
            ("conditions/clientAppTypes", json!(["other"])),
            (
                "conditions/devices",
                json!({"deviceFilter": {"mode": "include", "rule": "device.isCompliant -eq True"}}),
            ),
        ],
    );
    let found = review(&[legacy]);
    assert!(found.dead[0].reason.raw().contains("contradict"));
    assert!(review(&[policy("p", "mfa", &[])]).dead.is_empty());
}

#[test]
fn a_group_whose_members_were_not_read_is_not_called_empty() {
    let mut tenant = tenant(&[policy(
        "p",
        "mfa",
        &[(USERS, json!({"includeGroups": [EMPTY_GROUP]}))],
    )]);
    tenant.end(Resource::GroupTransitiveMembers, State::Skipped);
    let found = review_of(&tenant, Settings::default());
    assert!(found.dead.is_empty());
}

#[test]
fn lock_outs_are_of_accounts_administrators_and_emergency_accounts() {
    let ids = |ids: &[Guid]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(review(&[policy("mfa", "mfa", &[])]).lockout.users.count, 0);
    let all = review(&[policy("wall", "block", &[])]).lockout;
    assert_eq!(all.users.count, 4);
    assert_eq!(ids(&all.administrators.ids), [DAN]);
    // Legacy clients and single resources are not everything.
    let legacy = policy(
        "legacy",
        "block",
        &[(
            "conditions/clientAppTypes",
            json!(["exchangeActiveSync", "other"]),
        )],
    );
    assert_eq!(review(&[legacy]).lockout.users.count, 0);
    // Two walls that leave no gap.
    let inside = policy(
        "inside",
        "block",
        &[
            (PLACES, json!({"includeLocations": [OFFICE]})),
            (USERS, json!({"includeUsers": [ANNA]})),
        ],
    );
    let outside = policy(
        "outside",
        "block",
        &[(
            PLACES,
            json!({"includeLocations": ["All"], "excludeLocations": [OFFICE]}),
        )],
    );
    assert_eq!(
        ids(&review(&[inside, outside.clone()]).lockout.users.ids),
        [ANNA]
    );
    assert_eq!(review(&[outside]).lockout.users.count, 0);
    // The admin portals alone; the role that may be activated does not make an administrator of this kind.
    let portals = policy(
        "portals",
        "block",
        &[(
            "conditions/applications",
            json!({"includeApplications": ["MicrosoftAdminPortals"]}),
        )],
    );
    let found = review(&[portals]).lockout;
    assert_eq!((found.users.count, found.administrators.count), (0, 1));
    // Whoever can leave a role behind gets in.
    let role = policy(
        "role",
        "block",
        &[(USERS, json!({"includeRoles": [HELPDESK]}))],
    );
    assert_eq!(review(&[role]).lockout.users.count, 0);

    let emergency = |policies: &[Value]| {
        let settings = Settings {
            emergency: [ANNA.parse().unwrap()].into(),
            ..Settings::default()
        };
        review_of(&tenant(policies), settings)
            .lockout
            .emergency
            .count
    };
    assert_eq!(emergency(&[policy("mfa", "mfa", &[])]), 0);
    let device = |change: &[(&str, Value)]| policy("device", "compliantDevice", change);
    assert_eq!(emergency(&[device(&[])]), 1);
    assert_eq!(
        emergency(&[device(&[(
            USERS,
            json!({"includeUsers": ["All"], "excludeUsers": [ANNA]})
        )])]),
        0
    );
    assert_eq!(
        emergency(&[device(&[(
            "grantControls/builtInControls",
            json!(["mfa", "compliantDevice"])
        )])]),
        0
    );
}

#[test]
fn report_only_policies_are_switched_on_in_thought() {
    let of = |users: Value, control: &str, id: &str| {
        policy(
            id,
            control,
            &[
                (USERS, users),
                report_only(),
                ("conditions/clientAppTypes", json!(["browser"])),
            ],
        )
    };
    let mfa = of(json!({"includeUsers": [ANNA, BEN, OFF]}), "mfa", "mfa");
    let wall = of(json!({"includeUsers": [CLEO]}), "block", "wall");
    let enabled = policy(
        "group",
        "mfa",
        &[(USERS, json!({"includeGroups": [GROUP]}))],
    );
    let found = review(&[mfa, wall, enabled]);
    // Ben is asked already.
    assert_eq!(
        found.report_only.stronger_users.ids,
        [ANNA, CLEO].map(|id| id.parse().unwrap())
    );
    assert_eq!(
        found.report_only.newly_blocked_users.ids,
        [CLEO].map(|id| id.parse().unwrap())
    );
    assert_eq!(found.report_only.weaker_users.count, 0);
    let each: Vec<_> = found
        .report_only_policies
        .iter()
        .map(|one| {
            (
                one.policy.raw(),
                one.stronger_users.count,
                one.newly_blocked_users.count,
            )
        })
        .collect();
    assert_eq!(each, [("mfa", 1, 0), ("wall", 1, 1)]);
    assert!(found.assumptions.is_empty(), "{:?}", found.assumptions);
}
