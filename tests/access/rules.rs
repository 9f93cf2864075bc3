//! Each rule of Conditional Access by an example that comes out otherwise when the rule is turned round.

use m365audit::access::{
    Asked, Assume, Atom, Guarantee, Pim, RoleScope, SessionAtom, Verdict, When, Who,
};
use serde_json::{Value, json};

use super::brute::truth;
use super::evaluator::{AZURE_API, AZURE_PORTAL, EXCHANGE, PHISHING_RESISTANT};
use super::pools::{
    GROUPS, KEYS, LOCATIONS, MIXED, ROLES, SINGLE_FACTOR, TENANTS, USERS, number, strengths,
};
use super::world::{World, id};

use Verdict::{Proved, Vacuous, Violated};

/// A member and nothing else.
pub(crate) fn tenant() -> World {
    World {
        users: vec![member(0)],
        strengths: strengths(),
        trust_default: json!({"inboundTrust": {"isMfaAccepted": false, "isCompliantDeviceAccepted": false, "isHybridAzureADJoinedDeviceAccepted": false}}),
        ..World::default()
    }
}

pub(crate) fn member(place: usize) -> Value {
    json!({"id": USERS[place], "userPrincipalName": format!("{place}@t.example"), "userType": "Member", "accountEnabled": true})
}

pub(crate) fn guest(place: usize) -> Value {
    json!({"id": USERS[place], "userPrincipalName": format!("{place}_p.example#EXT#@t.example"), "userType": "Guest", "creationType": "Invitation", "accountEnabled": true})
}

/// Everybody, everything, with this in place of what stands there.
pub(crate) fn policy(controls: &[&str], conditions: &Value) -> Value {
    let mut policy = json!({"displayName": "P", "state": "enabled", "createdDateTime": "2026-01-01T00:00:00Z",
        "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}, "clientAppTypes": ["all"]},
        "grantControls": {"operator": "OR", "builtInControls": controls}});
    for (key, value) in conditions.as_object().into_iter().flatten() {
        policy["conditions"][key] = value.clone();
    }
    policy
}

pub(crate) fn mfa(conditions: &Value) -> Value {
    policy(&["mfa"], conditions)
}

pub(crate) fn with(world: &World, policies: &[Value]) -> World {
    let mut world = World {
        policies: policies.to_vec(),
        ..world.clone()
    };
    number(&mut world.policies);
    world
}

pub(crate) fn needs(must: &[Atom]) -> Guarantee {
    Guarantee::new("example", "an example", vec![must.to_vec()])
}

/// The analyzer says this, and so does looking at every sign-in.
#[track_caller]
pub(crate) fn comes_out(world: &World, guarantee: &Guarantee, expected: Verdict) {
    let proof = world.prove(guarantee);
    assert_eq!(
        proof.verdict, expected,
        "{:?}\n{world:?}",
        proof.assumptions
    );
    let truth = truth(world, guarantee);
    let found = match (truth.asked, truth.open) {
        (false, _) => Vacuous,
        (true, false) => Proved,
        (true, true) => Violated,
    };
    assert_eq!(found, expected, "by brute force\n{world:?}");
}

fn is_mfa_for_all(world: &World, policies: &[Value], expected: Verdict) {
    comes_out(&with(world, policies), &needs(&[Atom::Mfa]), expected);
}

#[test]
fn conditions_are_joined_by_and_policies_are_all_enforced_and_none_means_in() {
    let world = tenant();
    is_mfa_for_all(&world, &[], Violated);
    is_mfa_for_all(&world, &[mfa(&json!({}))], Proved);
    // A second policy that a device satisfies takes nothing away.
    let device = policy(&["compliantDevice"], &json!({}));
    is_mfa_for_all(&world, &[device.clone(), mfa(&json!({}))], Proved);
    // Risk of the user and of the sign-in in one policy: both, not either.
    let both = json!({"userRiskLevels": ["high"], "signInRiskLevels": ["high"]});
    let high = When {
        user_risk: vec!["high".to_owned()],
        ..When::default()
    };
    comes_out(
        &with(&world, &[mfa(&both)]),
        &needs(&[Atom::Mfa]).when(high),
        Violated,
    );
}

#[test]
fn exclusions_beat_inclusions() {
    let world = tenant();
    for users in [
        json!({"includeUsers": [USERS[0]], "excludeUsers": [USERS[0]]}),
        json!({"includeUsers": ["All", USERS[0]], "excludeUsers": ["All"]}),
    ] {
        is_mfa_for_all(&world, &[mfa(&json!({"users": users}))], Violated);
    }
    let apps = json!({"applications": {"includeApplications": ["All", EXCHANGE], "excludeApplications": [EXCHANGE]}});
    is_mfa_for_all(&world, &[mfa(&apps)], Violated);
    let platforms =
        json!({"platforms": {"includePlatforms": ["all", "iOS"], "excludePlatforms": ["iOS"]}});
    is_mfa_for_all(&world, &[mfa(&platforms)], Violated);
}

#[test]
fn only_enabled_policies_count() {
    let world = tenant();
    for (state, expected) in [
        ("enabled", Proved),
        ("disabled", Violated),
        ("enabledForReportingButNotEnforced", Violated),
    ] {
        let mut policy = mfa(&json!({}));
        policy["state"] = json!(state);
        is_mfa_for_all(&world, &[policy], expected);
    }
}

#[test]
fn words_for_everybody_and_nobody() {
    let mut world = tenant();
    let of = |users: Value| [mfa(&json!({"users": users}))];
    is_mfa_for_all(&world, &of(json!({"includeUsers": ["All"]})), Proved);
    is_mfa_for_all(&world, &of(json!({"includeUsers": ["None"]})), Violated);
    is_mfa_for_all(&world, &of(json!({"includeUsers": []})), Violated);
    is_mfa_for_all(
        &world,
        &of(json!({"includeUsers": ["GuestsOrExternalUsers"]})),
        Violated,
    );
    // `All` has guests in it, and they are what the older word means.
    world.users = vec![guest(0)];
    is_mfa_for_all(&world, &of(json!({"includeUsers": ["All"]})), Proved);
    is_mfa_for_all(
        &world,
        &of(json!({"includeUsers": ["GuestsOrExternalUsers"]})),
        Proved,
    );
}

#[test]
fn accounts_that_cannot_sign_in_are_not_asked_about() {
    let mut world = tenant();
    world.users[0]["accountEnabled"] = json!(false);
    is_mfa_for_all(&world, &[], Vacuous);
}

#[test]
fn groups_nest_also_in_circles() {
    let mut world = tenant();
    let group = |members: &[&str]| members.iter().map(|&id| id.to_owned()).collect();
    world.groups = [
        (GROUPS[0].to_owned(), group(&[GROUPS[1]])),
        (GROUPS[1].to_owned(), group(&[GROUPS[2]])),
        (GROUPS[2].to_owned(), group(&[USERS[0], GROUPS[0]])),
    ]
    .into();
    let inside = json!({"users": {"includeGroups": [GROUPS[0]]}});
    is_mfa_for_all(&world, &[mfa(&inside)], Proved);
    let outside = json!({"users": {"includeUsers": ["All"], "excludeGroups": [GROUPS[0]]}});
    is_mfa_for_all(&world, &[mfa(&outside)], Violated);
}

fn role(place: usize, scope: &str) -> Value {
    json!({"id": scope, "principalId": USERS[place], "roleDefinitionId": ROLES[0], "directoryScopeId": scope,
        "principal": {"@odata.type": "#microsoft.graph.user", "id": USERS[place]}})
}

const UNIT: &str = "/administrativeUnits/00000000-0000-0000-0000-0000000000e1";

#[test]
fn roles_count_when_they_are_active_and_for_the_whole_directory() {
    let by_role = [mfa(&json!({"users": {"includeRoles": [ROLES[0]]}}))];
    let mut world = tenant();
    world.role_assignments = vec![role(0, "/")];
    is_mfa_for_all(&world, &by_role, Proved);
    world.role_assignments = vec![role(0, UNIT)];
    is_mfa_for_all(&world, &by_role, Violated);
    // Nor does it exclude.
    let not_by_role = [mfa(
        &json!({"users": {"includeUsers": ["All"], "excludeRoles": [ROLES[0]]}}),
    )];
    is_mfa_for_all(&world, &not_by_role, Proved);
    // Those whom policies by role miss are found by asking for every holder.
    let holders = |scope| needs(&[Atom::Mfa]).who(Who::Roles(vec![id(ROLES[0])], scope));
    let world = with(&world, &by_role);
    comes_out(&world, &holders(RoleScope::Any), Violated);
    comes_out(&world, &holders(RoleScope::Directory), Vacuous);
}

#[test]
fn a_role_that_may_be_activated_is_looked_at_both_ways() {
    let mut world = tenant();
    world.eligible = vec![role(0, "/")];
    let included = with(
        &world,
        &[mfa(&json!({"users": {"includeRoles": [ROLES[0]]}}))],
    );
    comes_out(&included, &needs(&[Atom::Mfa]), Violated);
    let holder = needs(&[Atom::Mfa]).who(Who::Roles(vec![id(ROLES[0])], RoleScope::Any));
    comes_out(&included, &holder, Proved);
    let users = json!({"users": {"includeUsers": ["All"], "excludeRoles": [ROLES[0]]}});
    let excluded = with(&world, &[mfa(&users)]);
    comes_out(&excluded, &needs(&[Atom::Mfa]), Violated);
    let inactive = Guarantee {
        assume: Assume {
            pim: Pim::Inactive,
            ..Assume::default()
        },
        ..needs(&[Atom::Mfa])
    };
    comes_out(&excluded, &inactive, Proved);
}

/// Found by random tenants: of two roles that may be activated a policy tells only one apart; the other may be the active one.
#[test]
fn a_role_that_no_policy_names_may_be_the_one_that_is_active() {
    let mut world = tenant();
    let mut other = role(0, "/");
    other["roleDefinitionId"] = json!(ROLES[1]);
    other["id"] = json!("other");
    world.eligible = vec![role(0, "/"), other];
    let world = with(
        &world,
        &[mfa(&json!({"users": {"includeRoles": [ROLES[0]]}}))],
    );
    let holders =
        needs(&[Atom::Mfa]).who(Who::Roles(vec![id(ROLES[0]), id(ROLES[1])], RoleScope::Any));
    comes_out(&world, &holders, Violated);
    // The same by an assignment for a part of the directory, which policies do not see.
    let mut world = with(&tenant(), &world.policies);
    world.eligible = vec![role(0, "/"), role(0, UNIT)];
    let holders = needs(&[Atom::Mfa]).who(Who::Roles(vec![id(ROLES[0])], RoleScope::Any));
    comes_out(&world, &holders, Violated);
}

#[test]
fn kinds_of_guests_are_flags_and_come_from_tenants() {
    let mut world = tenant();
    world.users = vec![guest(0)];
    world.homes = [(USERS[0].to_owned(), TENANTS[0].to_owned())].into();
    let of = |kinds: &str, tenants: Value| {
        [mfa(
            &json!({"users": {"includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": kinds, "externalTenants": tenants}}}),
        )]
    };
    let all = json!({"membershipKind": "all"});
    let listed = |tenant: &str| json!({"membershipKind": "enumerated", "members": [tenant]});
    let kinds = "internalGuest,b2bCollaborationGuest";
    is_mfa_for_all(&world, &of(kinds, all.clone()), Proved);
    is_mfa_for_all(&world, &of(kinds, listed(TENANTS[0])), Proved);
    is_mfa_for_all(&world, &of(kinds, listed(TENANTS[1])), Violated);
    is_mfa_for_all(&world, &of("internalGuest", all.clone()), Violated);
    is_mfa_for_all(&world, &of("b2bCollaborationMember", all.clone()), Violated);
    world.users[0]["userType"] = json!("Member");
    is_mfa_for_all(&world, &of("b2bCollaborationMember", all.clone()), Proved);
    world.users = vec![
        json!({"id": USERS[0], "userPrincipalName": "g@t.example", "userType": "Guest", "accountEnabled": true}),
    ];
    is_mfa_for_all(&world, &of("internalGuest", all), Proved);
}

#[test]
fn all_resources_is_more_than_a_list_of_them() {
    let world = tenant();
    let apps = |include: Value| {
        [mfa(
            &json!({"applications": {"includeApplications": include}}),
        )]
    };
    is_mfa_for_all(&world, &apps(json!(["All"])), Proved);
    is_mfa_for_all(
        &world,
        &apps(json!(["Office365", "MicrosoftAdminPortals", EXCHANGE])),
        Violated,
    );
    is_mfa_for_all(&world, &apps(json!(["None"])), Violated);
    // The portals are not what manages Azure; what manages Azure has a portal in it.
    let asked = |app: &str| needs(&[Atom::Mfa]).target(Asked::Resources(vec![app.to_owned()]));
    let portals = with(&world, &apps(json!(["MicrosoftAdminPortals"])));
    comes_out(&portals, &asked(AZURE_PORTAL), Proved);
    comes_out(&portals, &asked(AZURE_API), Violated);
    let azure = with(&world, &apps(json!([AZURE_API])));
    comes_out(&azure, &asked(AZURE_PORTAL), Proved);
    comes_out(&azure, &asked("MicrosoftAdminPortals"), Violated);
}

#[test]
fn user_actions_and_contexts_are_protected_by_policies_that_name_them() {
    let world = tenant();
    let action = needs(&[Atom::Mfa]).target(Asked::UserAction(
        "urn:user:registersecurityinfo".to_owned(),
    ));
    comes_out(&with(&world, &[mfa(&json!({}))]), &action, Violated);
    let named = json!({"applications": {"includeUserActions": ["urn:user:registersecurityinfo"]}});
    comes_out(&with(&world, &[mfa(&named)]), &action, Proved);
    let context = needs(&[Atom::Mfa]).target(Asked::AuthContext("c1".to_owned()));
    let named = json!({"applications": {"includeAuthenticationContextClassReferences": ["c1"]}});
    comes_out(&with(&world, &[mfa(&named)]), &context, Proved);
    comes_out(
        &with(&world, &[mfa(&named)]),
        &needs(&[Atom::Mfa]),
        Violated,
    );
    // What holds for the app holds with the context too.
    comes_out(&with(&world, &[mfa(&json!({}))]), &context, Proved);
}

#[test]
fn legacy_clients_can_answer_nothing() {
    let world = tenant();
    let legacy = |must: &[Atom]| {
        needs(must).when(When {
            client_app_types: vec!["exchangeActiveSync".to_owned(), "other".to_owned()],
            ..When::default()
        })
    };
    for controls in [
        json!(["mfa"]),
        json!(["compliantDevice"]),
        json!(["passwordChange"]),
    ] {
        let mut policy = mfa(&json!({}));
        policy["grantControls"]["builtInControls"] = controls;
        comes_out(
            &with(&world, std::slice::from_ref(&policy)),
            &legacy(&[]),
            Proved,
        );
        policy["conditions"]["clientAppTypes"] = json!([]);
        comes_out(
            &with(&world, std::slice::from_ref(&policy)),
            &legacy(&[]),
            Proved,
        );
        policy["conditions"]["clientAppTypes"] = json!(["browser", "mobileAppsAndDesktopClients"]);
        comes_out(&with(&world, &[policy]), &legacy(&[]), Violated);
    }
    let mut terms = mfa(&json!({}));
    terms["grantControls"] = json!({"operator": "OR", "termsOfUse": ["terms"]});
    comes_out(&with(&world, &[terms]), &legacy(&[]), Proved);
    // Session controls ask for nothing.
    let mut session = mfa(&json!({}));
    session["grantControls"] = Value::Null;
    session["sessionControls"] = json!({"persistentBrowser": {"isEnabled": true, "mode": "never"}});
    comes_out(&with(&world, &[session]), &legacy(&[]), Violated);
    // They show no device.
    let filter = json!({"devices": {"deviceFilter": {"mode": "exclude", "rule": "device.isCompliant -eq True"}}});
    comes_out(
        &with(&world, &[policy(&["block"], &filter)]),
        &legacy(&[]),
        Proved,
    );
}

#[test]
fn a_list_of_all_known_platforms_is_not_all_platforms() {
    let world = tenant();
    let on = |include: Value, exclude: Value| {
        [mfa(
            &json!({"platforms": {"includePlatforms": include, "excludePlatforms": exclude}}),
        )]
    };
    let known = json!([
        "android",
        "iOS",
        "windows",
        "windowsPhone",
        "macOS",
        "linux"
    ]);
    is_mfa_for_all(&world, &on(json!(["all"]), json!([])), Proved);
    is_mfa_for_all(&world, &on(known.clone(), json!([])), Violated);
    let unknown = needs(&[]).when(When {
        platforms: vec!["unknown".to_owned()],
        ..When::default()
    });
    let mut block =
        mfa(&json!({"platforms": {"includePlatforms": ["all"], "excludePlatforms": known}}));
    block["grantControls"]["builtInControls"] = json!(["block"]);
    comes_out(&with(&world, &[block]), &unknown, Proved);
}

fn ip(place: usize, trusted: bool, ranges: &[&str]) -> Value {
    let ranges: Vec<Value> = ranges
        .iter()
        .map(|range| json!({"cidrAddress": range}))
        .collect();
    json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": LOCATIONS[place], "displayName": "L", "isTrusted": trusted, "ipRanges": ranges})
}

fn country(place: usize, lookup: &str, unknown: bool) -> Value {
    json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "id": LOCATIONS[place], "displayName": "L", "countriesAndRegions": ["DE"],
        "countryLookupMethod": lookup, "includeUnknownCountriesAndRegions": unknown})
}

#[test]
fn places_are_addresses_countries_and_trusted_ones() {
    let mut world = tenant();
    world.locations = vec![
        ip(0, true, &["198.51.100.0/24"]),
        ip(1, false, &["198.51.100.128/25"]),
        ip(2, false, &["0.0.0.0/0"]),
        country(3, "clientIpAddress", false),
        country(4, "clientIpAddress", true),
    ];
    let outside = |places: Value| {
        mfa(&json!({"locations": {"includeLocations": ["All"], "excludeLocations": places}}))
    };
    let inside = |places: Value| mfa(&json!({"locations": {"includeLocations": places}}));
    is_mfa_for_all(&world, &[outside(json!(["AllTrusted"]))], Violated);
    is_mfa_for_all(
        &world,
        &[
            outside(json!(["AllTrusted"])),
            inside(json!([LOCATIONS[0]])),
        ],
        Proved,
    );
    // An address may be in two locations; an IPv4 list says nothing of IPv6.
    is_mfa_for_all(
        &world,
        &[
            outside(json!(["AllTrusted"])),
            inside(json!([LOCATIONS[1]])),
        ],
        Violated,
    );
    is_mfa_for_all(&world, &[inside(json!([LOCATIONS[2]]))], Violated);
    let untrusted = needs(&[Atom::Mfa]).when(When {
        trusted: Some(false),
        ..When::default()
    });
    comes_out(
        &with(&world, &[outside(json!(["AllTrusted"]))]),
        &untrusted,
        Proved,
    );
    comes_out(
        &with(&world, &[outside(json!([LOCATIONS[1]]))]),
        &untrusted,
        Proved,
    );
    world.mfa_trusted_ips = vec!["203.0.113.0/28".to_owned()];
    comes_out(
        &with(&world, &[outside(json!([LOCATIONS[0]]))]),
        &untrusted,
        Proved,
    );
    comes_out(
        &with(&world, &[outside(json!([LOCATIONS[2]]))]),
        &untrusted,
        Violated,
    );
    // An address without a country.
    let known = [
        outside(json!([LOCATIONS[3]])),
        inside(json!([LOCATIONS[3]])),
    ];
    is_mfa_for_all(&world, &known, Proved);
    let without = [
        inside(json!([LOCATIONS[3]])),
        outside(json!([LOCATIONS[4]])),
    ];
    is_mfa_for_all(&world, &without, Violated);
    // By GPS is not by address.
    world.locations[3] = country(3, "authenticatorAppGps", false);
    let in_germany = needs(&[Atom::Mfa]).when(When {
        country_in: vec!["DE".to_owned()],
        ..When::default()
    });
    comes_out(
        &with(&world, &[inside(json!([LOCATIONS[3]]))]),
        &in_germany,
        Violated,
    );
    comes_out(
        &with(&world, &[inside(json!([LOCATIONS[4]]))]),
        &in_germany,
        Proved,
    );
}

/// The table of section "Filter for devices": what an unregistered device meets.
#[test]
fn nothing_that_is_negative_misses_a_device_without_attributes() {
    let unregistered = needs(&[Atom::Mfa]).when(When {
        registered: Some(false),
        ..When::default()
    });
    for (mode, rule, expected) in [
        ("include", "device.model -eq \"Hub\"", Violated),
        ("include", "device.model -ne \"Hub\"", Proved),
        ("exclude", "device.model -eq \"Hub\"", Proved),
        ("exclude", "device.model -ne \"Hub\"", Violated),
        ("include", "device.trustType -notIn [\"AzureAD\"]", Proved),
        ("exclude", "device.isCompliant -ne True", Violated),
        ("include", "not (device.model -eq \"Hub\")", Proved),
        (
            "exclude",
            "device.physicalIds -notContains \"[X]:1\"",
            Violated,
        ),
    ] {
        let filter = json!({"devices": {"deviceFilter": {"mode": mode, "rule": rule}}});
        comes_out(&with(&tenant(), &[mfa(&filter)]), &unregistered, expected);
    }
}

#[test]
fn levels_are_no_thresholds() {
    let high = |levels: Value, expected| {
        let asked = needs(&[Atom::Mfa]).when(When {
            sign_in_risk: vec!["high".to_owned()],
            ..When::default()
        });
        let policies = [mfa(&json!({"signInRiskLevels": levels}))];
        comes_out(&with(&tenant(), &policies), &asked, expected);
    };
    high(json!(["medium"]), Violated);
    high(json!(["high"]), Proved);
    high(json!([]), Proved);
    is_mfa_for_all(
        &tenant(),
        &[mfa(&json!({"signInRiskLevels": ["low", "medium", "high"]}))],
        Violated,
    );
    is_mfa_for_all(
        &tenant(),
        &[mfa(
            &json!({"signInRiskLevels": ["none", "low", "medium", "high"]}),
        )],
        Proved,
    );
    is_mfa_for_all(
        &tenant(),
        &[mfa(
            &json!({"insiderRiskLevels": "minor,moderate,elevated"}),
        )],
        Violated,
    );
}

#[test]
fn flows_are_flags() {
    for (methods, expected) in [
        ("deviceCodeFlow", Proved),
        ("authenticationTransfer,deviceCodeFlow", Proved),
        ("authenticationTransfer", Violated),
    ] {
        let asked = needs(&[]).when(When {
            authentication_flows: vec!["deviceCodeFlow".to_owned()],
            ..When::default()
        });
        let block = policy(
            &["block"],
            &json!({"authenticationFlows": {"transferMethods": methods}}),
        );
        comes_out(
            &with(&tenant(), std::slice::from_ref(&block)),
            &asked,
            expected,
        );
        comes_out(&with(&tenant(), &[block]), &needs(&[]), Violated);
    }
}

#[test]
fn and_asks_for_all_or_for_any() {
    let either = |operator: &str, expected: Verdict| {
        let mut policy = policy(&["mfa", "compliantDevice"], &json!({}));
        policy["grantControls"]["operator"] = json!(operator);
        is_mfa_for_all(&tenant(), &[policy], expected);
    };
    either("AND", Proved);
    either("OR", Violated);
    let both = policy(&["mfa", "compliantDevice"], &json!({}));
    let goal = needs(&[Atom::Mfa, Atom::CompliantDevice]);
    let modern = Guarantee {
        assume: Assume {
            device_code_shows_any_device: false,
            ..Assume::default()
        },
        ..goal.clone()
    };
    comes_out(
        &with(&tenant(), std::slice::from_ref(&both)),
        &modern,
        Proved,
    );
    // Another device may be shown in the device code flow.
    comes_out(&with(&tenant(), &[both]), &goal, Violated);
}

fn strength(id: &str) -> Value {
    let mut policy = mfa(&json!({}));
    policy["grantControls"] = json!({"operator": "OR", "authenticationStrength": {"id": id}});
    policy
}

#[test]
fn strengths_are_compared_by_what_they_accept() {
    let world = tenant();
    let check = |policies: &[Value], goal: Atom, expected| {
        comes_out(&with(&world, policies), &needs(&[goal]), expected);
    };
    check(&[strength(PHISHING_RESISTANT)], Atom::Mfa, Proved);
    check(
        &[strength(PHISHING_RESISTANT)],
        Atom::PhishingResistantMfa,
        Proved,
    );
    check(&[mfa(&json!({}))], Atom::PhishingResistantMfa, Violated);
    check(&[strength(SINGLE_FACTOR)], Atom::Mfa, Violated);
    check(&[strength(KEYS)], Atom::PhishingResistantMfa, Proved);
    check(&[strength(KEYS)], Atom::Strength(id(MIXED)), Proved);
    check(&[strength(MIXED)], Atom::Strength(id(KEYS)), Violated);
    check(&[strength(MIXED)], Atom::PhishingResistantMfa, Violated);
    // Two strengths are met by two methods: neither is what the other asks for.
    check(
        &[strength(SINGLE_FACTOR), strength(MIXED)],
        Atom::PhishingResistantMfa,
        Violated,
    );
    // A custom factor is nobody's second one.
    let mut custom = mfa(&json!({}));
    custom["grantControls"] = json!({"operator": "OR", "customAuthenticationFactors": ["f"]});
    check(&[custom], Atom::Mfa, Violated);
}

/// Authentication and Conditional Access for External ID, table 1, and the trust of each partner.
#[test]
fn what_is_done_at_home_counts_where_the_partner_is_trusted() {
    let mut world = tenant();
    world.users = vec![guest(0)];
    world.homes = [(USERS[0].to_owned(), TENANTS[0].to_owned())].into();
    let trust = |key: &str| json!({"tenantId": TENANTS[0], "inboundTrust": {key: true}});
    let locked_out = needs(&[]);
    let check = |world: &World, policy: Value, expected| {
        comes_out(&with(world, &[policy]), &locked_out, expected);
    };
    let device = || policy(&["compliantDevice"], &json!({}));
    let hybrid = || policy(&["domainJoinedDevice"], &json!({}));
    // A second factor can be done here; one that cannot be phished, or a device, cannot be shown.
    check(&world, mfa(&json!({})), Violated);
    check(&world, strength(PHISHING_RESISTANT), Proved);
    check(&world, device(), Proved);
    for control in [
        "approvedApplication",
        "compliantApplication",
        "passwordChange",
        "riskRemediation",
    ] {
        check(&world, policy(&[control], &json!({})), Proved);
    }
    world.partners = vec![trust("isMfaAccepted")];
    check(&world, strength(PHISHING_RESISTANT), Violated);
    check(&world, device(), Proved);
    world.partners = vec![trust("isCompliantDeviceAccepted")];
    check(&world, device(), Violated);
    check(&world, hybrid(), Proved);
    world.partners = vec![trust("isHybridAzureADJoinedDeviceAccepted")];
    check(&world, hybrid(), Violated);
    // The partner's entry is another's.
    world.partners[0]["tenantId"] = json!(TENANTS[1]);
    check(&world, hybrid(), Proved);
    // Field by field from the default.
    world.partners = vec![trust("isMfaAccepted")];
    world.trust_default["inboundTrust"]["isCompliantDeviceAccepted"] = json!(true);
    check(&world, device(), Violated);
    world.partners[0]["inboundTrust"]["isCompliantDeviceAccepted"] = json!(false);
    check(&world, device(), Proved);
    // An internal guest signs in here.
    world.users = vec![
        json!({"id": USERS[0], "userPrincipalName": "g@t.example", "userType": "Guest", "accountEnabled": true}),
    ];
    check(&world, device(), Violated);
}

#[test]
fn apps_are_shown_on_platforms_that_have_them() {
    let world = tenant();
    let on = |platform: &str| {
        needs(&[]).when(When {
            platforms: vec![platform.to_owned()],
            ..When::default()
        })
    };
    for (control, platform, expected) in [
        ("approvedApplication", "iOS", Violated),
        ("approvedApplication", "windows", Proved),
        ("compliantApplication", "android", Violated),
        ("compliantApplication", "windows", Violated),
        ("compliantApplication", "macOS", Proved),
    ] {
        let policies = [policy(&[control], &json!({}))];
        comes_out(&with(&world, &policies), &on(platform), expected);
    }
}

#[test]
fn session_controls_stamp_and_do_not_ask() {
    let world = tenant();
    let goal = |atom| needs(&[Atom::Session(atom)]);
    let with_session = |session: Value| {
        let mut policy = mfa(&json!({}));
        policy["grantControls"] = Value::Null;
        policy["sessionControls"] = session;
        with(&world, &[policy])
    };
    let frequency = |interval: &str, unit: &str, value: i64| {
        with_session(
            json!({"signInFrequency": {"isEnabled": true, "frequencyInterval": interval, "type": unit, "value": value}}),
        )
    };
    comes_out(
        &frequency("timeBased", "hours", 4),
        &goal(SessionAtom::SignInFrequency(4)),
        Proved,
    );
    comes_out(
        &frequency("timeBased", "days", 1),
        &goal(SessionAtom::SignInFrequency(4)),
        Violated,
    );
    comes_out(
        &frequency("timeBased", "days", 1),
        &goal(SessionAtom::SignInFrequency(24)),
        Proved,
    );
    let off = with_session(json!({"applicationEnforcedRestrictions": {"isEnabled": false}}));
    let restrictions = goal(SessionAtom::ApplicationEnforcedRestrictions);
    comes_out(&off, &restrictions, Violated);
    let on = with_session(json!({"applicationEnforcedRestrictions": {"isEnabled": true}}));
    comes_out(&on, &restrictions, Proved);
    comes_out(&on, &needs(&[Atom::Mfa]), Violated);
}

/// Found by random tenants.
#[test]
fn what_cannot_be_is_not_asked_about() {
    let world = with(&tenant(), &[mfa(&json!({}))]);
    let never = When {
        registered: Some(false),
        managed: Some(true),
        ..When::default()
    };
    comes_out(&world, &needs(&[Atom::Mfa]).when(never), Vacuous);
    let legacy_with_device = When {
        client_app_types: vec!["other".to_owned()],
        registered: Some(true),
        ..When::default()
    };
    comes_out(&world, &needs(&[]).when(legacy_with_device), Vacuous);
    let nowhere = When {
        country_in: vec!["XX".to_owned()],
        country_not_in: vec!["XX".to_owned()],
        ..When::default()
    };
    comes_out(&world, &needs(&[Atom::Mfa]).when(nowhere), Vacuous);
}

/// Found by random tenants: whose home tenant is not trusted shows no device, in the device code flow either.
#[test]
fn no_device_of_an_untrusted_partner_counts_in_the_device_code_flow() {
    let mut world = tenant();
    world.users = vec![guest(0)];
    world.homes = [(USERS[0].to_owned(), TENANTS[0].to_owned())].into();
    let world = with(&world, &[policy(&["compliantDevice"], &json!({}))]);
    comes_out(&world, &needs(&[Atom::Mfa]), Proved);
}
