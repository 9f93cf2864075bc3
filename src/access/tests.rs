//! The reading against a literal evaluator: random policies, every sign-in of a small world, one by one.
//!
//! The evaluator is written from Microsoft's description (all conditions by AND, exclusions first, every applying policy must be
//! satisfied, no policy means in) and shares no code with the reading.

use std::sync::OnceLock;

use fastrand::Rng;
use serde_json::{Value, json};

use super::{Clients, Coverage, Facts, Flow, Places, Question, Requirement, Shapes, Target};
use crate::snapshot::model::{ConditionalAccessPolicy, NamedLocation};
use crate::snapshot::tenant::Holders;
use crate::snapshot::{Guid, Resource, State, Tenant};

const ROLE: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
const GROUP: &str = "00000000-0000-0000-0000-0000000000aa";
const OFFICE: &str = "00000000-0000-0000-0000-0000000000bb";
const APP: &str = "00000000-0000-0000-0000-0000000000cc";
const USERS: [&str; 4] = [
    "00000000-0000-0000-0000-000000000001", // named by nothing but `All`
    "00000000-0000-0000-0000-000000000002", // in the group
    "00000000-0000-0000-0000-000000000003", // may activate the role
    "00000000-0000-0000-0000-000000000004", // a guest by invitation
];
const RISKS: [&str; 2] = ["none", "high"];
const CLIENTS: [&str; 4] = [
    "browser",
    "mobileAppsAndDesktopClients",
    "exchangeActiveSync",
    "other",
];

#[allow(
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    reason = "one field for each dimension, under its own name"
)]
struct SignIn {
    user: usize,
    activated: bool,
    resource: Option<&'static str>,
    action: Option<&'static str>,
    client: &'static str,
    platform: &'static str,
    in_office: bool,
    managed: bool,
    sign_in_risk: &'static str,
    user_risk: &'static str,
    device_code: bool,
}

fn tenant() -> Tenant {
    let mut tenant = Tenant::empty();
    let mut fold = |resource, subject: Option<&str>, row: Value| {
        let raw = serde_json::value::to_raw_value(&row).unwrap();
        let subject = subject.map(|id| id.parse::<Guid>().unwrap());
        tenant.fold(resource, subject, &raw).unwrap();
    };
    for (index, id) in USERS.iter().enumerate() {
        let guest = index == 3;
        let name = if guest {
            "g_p.example#EXT#@t.example"
        } else {
            "u@t.example"
        };
        fold(
            Resource::Users,
            None,
            json!({"id": id, "userPrincipalName": name, "accountEnabled": true,
            "userType": if guest { "Guest" } else { "Member" }, "creationType": guest.then_some("Invitation")}),
        );
    }
    fold(
        Resource::GroupTransitiveMembers,
        Some(GROUP),
        json!({"id": USERS[1]}),
    );
    fold(
        Resource::RoleEligibilityScheduleInstances,
        None,
        json!({"principalId": USERS[2], "roleDefinitionId": ROLE,
        "directoryScopeId": "/", "principal": {"@odata.type": "#microsoft.graph.user", "id": USERS[2]}}),
    );
    tenant.end(Resource::Users, State::Collected);
    tenant
}

/// Mostly without a condition, so that coverage happens.
fn policy(rng: &mut Rng) -> Value {
    let mut rare = |value: Value| if rng.u8(..6) == 0 { value } else { Value::Null };
    let platforms = rare(json!({"includePlatforms": ["windows"]}));
    let locations = rare(json!({"includeLocations": ["All"], "excludeLocations": [OFFICE]}));
    let devices =
        rare(json!({"deviceFilter": {"mode": "exclude", "rule": "device.isCompliant -eq True"}}));
    let flows = rare(json!({"transferMethods": "deviceCodeFlow"}));
    let excluded_apps = rare(json!([APP]));
    let excluded = [
        rare(json!([GROUP])),
        rare(json!([ROLE])),
        rare(
            json!({"guestOrExternalUserTypes": "b2bCollaborationGuest", "externalTenants": {"membershipKind": "all"}}),
        ),
        rare(json!([USERS[0]])),
    ];
    let user_risk = rare(json!([RISKS[1]]));
    let sign_in_risk = match rng.u8(..6) {
        0 => json!([RISKS[0], "low", "medium"]),
        1 => json!([RISKS[1]]),
        _ => json!([]),
    };
    let clients = match rng.u8(..5) {
        0 => json!(["browser", "mobileAppsAndDesktopClients"]),
        1 => json!(["exchangeActiveSync", "other"]),
        2 => json!(["browser"]),
        _ => json!(["all"]),
    };
    let applications = match rng.u8(..6) {
        0 => json!({"includeUserActions": ["urn:user:registersecurityinfo"]}),
        1 => json!({"includeApplications": [APP]}),
        _ => json!({"includeApplications": ["All"], "excludeApplications": excluded_apps}),
    };
    let mut users = match rng.u8(..8) {
        0 => json!({"includeGroups": [GROUP]}),
        1 => json!({"includeRoles": [ROLE]}),
        2 => json!({"includeUsers": ["GuestsOrExternalUsers"]}),
        3 => json!({"includeUsers": [USERS[0], USERS[2]]}),
        _ => json!({"includeUsers": ["All"]}),
    };
    let [groups, roles, guests, names] = excluded;
    users["excludeGroups"] = groups;
    users["excludeRoles"] = roles;
    users["excludeGuestsOrExternalUsers"] = guests;
    users["excludeUsers"] = names;
    let controls = [
        json!(["block"]),
        json!(["mfa"]),
        json!(["mfa"]),
        json!(["mfa", "compliantDevice"]),
        json!(["compliantDevice"]),
        json!([]),
    ];
    let states = [
        "enabled",
        "enabled",
        "enabled",
        "enabledForReportingButNotEnforced",
        "disabled",
    ];
    json!({
        "id": "p", "displayName": "p", "state": rng.choice(states), "createdDateTime": "2026-01-01T00:00:00Z",
        "conditions": {"users": users, "applications": applications, "clientAppTypes": clients, "platforms": platforms,
            "locations": locations, "devices": devices, "authenticationFlows": flows, "signInRiskLevels": sign_in_risk, "userRiskLevels": user_risk},
        "grantControls": {"operator": rng.choice(["AND", "OR"]), "builtInControls": rng.choice(controls)},
    })
}

fn lists(value: &Value, word: &str) -> bool {
    value
        .as_array()
        .is_some_and(|words| words.iter().any(|each| each == word))
}

/// Listed, or nothing is listed.
fn allows(value: &Value, word: &str) -> bool {
    value.as_array().is_none_or(Vec::is_empty) || lists(value, word)
}

fn applies(policy: &Value, sign_in: &SignIn) -> bool {
    let conditions = &policy["conditions"];
    let (users, apps) = (&conditions["users"], &conditions["applications"]);
    let named = |key: &str| {
        let has_role = sign_in.user == 2 && sign_in.activated;
        lists(&users[format!("{key}Users")], USERS[sign_in.user])
            || lists(&users[format!("{key}Users")], "All")
            || sign_in.user == 3 && lists(&users[format!("{key}Users")], "GuestsOrExternalUsers")
            || sign_in.user == 3 && !users[format!("{key}GuestsOrExternalUsers")].is_null()
            || sign_in.user == 1 && lists(&users[format!("{key}Groups")], GROUP)
            || has_role && lists(&users[format!("{key}Roles")], ROLE)
    };
    let target = match (sign_in.resource, sign_in.action) {
        (Some(app), _) => {
            (lists(&apps["includeApplications"], "All") || lists(&apps["includeApplications"], app))
                && !lists(&apps["excludeApplications"], app)
        }
        (None, Some(action)) => lists(&apps["includeUserActions"], action),
        (None, None) => false,
    };
    named("include")
        && !named("exclude")
        && target
        && (lists(&conditions["clientAppTypes"], "all")
            || lists(&conditions["clientAppTypes"], sign_in.client))
        && allows(
            &conditions["platforms"]["includePlatforms"],
            sign_in.platform,
        )
        && (!sign_in.in_office || conditions["locations"].is_null())
        && (!sign_in.managed || conditions["devices"].is_null())
        && (sign_in.device_code || conditions["authenticationFlows"].is_null())
        && allows(&conditions["signInRiskLevels"], sign_in.sign_in_risk)
        && allows(&conditions["userRiskLevels"], sign_in.user_risk)
}

/// With everything to show but a second factor, or but a managed device where that is the goal too.
fn admitted(policies: &[Value], sign_in: &SignIn, mfa_shown: bool) -> bool {
    let legacy = !matches!(sign_in.client, "browser" | "mobileAppsAndDesktopClients");
    policies
        .iter()
        .filter(|policy| policy["state"] == "enabled" && applies(policy, sign_in))
        .all(|policy| {
            let grant = &policy["grantControls"];
            let controls = grant["builtInControls"].as_array().unwrap();
            let met = |control: &Value| match control.as_str().unwrap() {
                "mfa" => mfa_shown && !legacy,
                "compliantDevice" => sign_in.managed && !legacy,
                _ => false,
            };
            controls.is_empty()
                || if grant["operator"] == "AND" {
                    controls.iter().all(met)
                } else {
                    controls.iter().any(met)
                }
        })
}

fn each_sign_in(user: usize, question: &Question, mut visit: impl FnMut(&SignIn)) {
    let targets: &[(Option<&'static str>, Option<&'static str>)] = match question.target {
        Target::UserAction(action) => &[(None, Some(action))],
        _ => &[(Some(APP), None), (Some("any other"), None)],
    };
    let both = [false, true];
    for (resource, action) in targets.iter().copied() {
        for client in CLIENTS
            .into_iter()
            .filter(|client| question.clients.words().contains(client))
        {
            for platform in ["windows", "unknown"] {
                for (in_office, managed) in both.into_iter().flat_map(|a| both.map(|b| (a, b))) {
                    if in_office && question.places == Places::Untrusted
                        || managed
                            && question.requirement != Requirement::Mfa
                            && question.requirement != Requirement::Block
                    {
                        continue;
                    }
                    for (sign_in_risk, user_risk) in
                        RISKS.into_iter().flat_map(|a| RISKS.map(|b| (a, b)))
                    {
                        for (device_code, activated) in
                            both.into_iter().flat_map(|a| both.map(|b| (a, b)))
                        {
                            if question.flow == Flow::DeviceCode && !device_code {
                                continue;
                            }
                            visit(&SignIn {
                                user,
                                activated,
                                resource,
                                action,
                                client,
                                platform,
                                in_office,
                                managed,
                                sign_in_risk,
                                user_risk,
                                device_code,
                            });
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_covered_lets_nothing_through_and_what_is_certainly_open_does() {
    let everything = Question::new(Target::AllResources, Requirement::Mfa);
    let questions = [
        everything,
        Question {
            clients: Clients::LEGACY,
            ..Question::new(Target::AllResources, Requirement::Block)
        },
        Question {
            clients: Clients::MODERN,
            flow: Flow::DeviceCode,
            ..Question::new(Target::AllResources, Requirement::ManagedDevice)
        },
        Question {
            clients: Clients::MODERN,
            places: Places::Untrusted,
            ..Question::new(
                Target::UserAction("urn:user:registersecurityinfo"),
                Requirement::MfaOrManagedDevice,
            )
        },
    ];
    let tenant = tenant();
    let holders = Holders::build(&tenant, true);
    let locations: Vec<NamedLocation> = serde_json::from_value(json!([
        {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": OFFICE, "isTrusted": true}
    ]))
    .unwrap();
    let (mut covered, mut certain) = (0, 0);
    for seed in 0..150 {
        let mut rng = Rng::with_seed(seed);
        let values: Vec<Value> = (0..rng.usize(1..6)).map(|_| policy(&mut rng)).collect();
        let policies: Vec<ConditionalAccessPolicy> = values
            .iter()
            .map(|value| serde_json::from_value(value.clone()).unwrap())
            .collect();
        let shapes = Shapes::read(
            &Facts {
                policies: &policies,
                strengths: &[],
                locations: &locations,
                group_members: Some(tenant.group_members.hints()),
                users: tenant.users.hints(),
                holders: &holders,
                active_known: true,
                eligible_known: true,
            },
            &OnceLock::new(),
        );
        for (number, question) in questions.iter().enumerate() {
            let mut answer = shapes.ask(*question);
            for (user, id) in USERS.iter().enumerate() {
                let account = tenant.users.hints().get(id.parse().unwrap()).unwrap();
                let verdict = answer.of(shapes.subject(account)).clone();
                // A second factor is shown where the goal is another one.
                let mfa_shown = question.requirement == Requirement::ManagedDevice
                    || question.requirement == Requirement::Block;
                let mut through = 0;
                each_sign_in(user, question, |sign_in| {
                    through += u32::from(admitted(&values, sign_in, mfa_shown));
                });
                let context = || {
                    format!("seed {seed}, question {number}, user {user}: {verdict:?}\n{values:#?}")
                };
                match &verdict {
                    Coverage::Covered => {
                        covered += 1;
                        assert_eq!(through, 0, "{}", context());
                    }
                    Coverage::Open(gap) if gap.certain => {
                        certain += 1;
                        assert!(through > 0, "{}", context());
                    }
                    Coverage::Open(_) => {}
                    Coverage::Unknown(why) => {
                        panic!("nothing is unknown here: {why}\n{}", context())
                    }
                }
            }
        }
    }
    assert!(
        covered > 100 && certain > 100,
        "both must happen often: {covered}, {certain}"
    );
}

#[test]
fn an_exclusion_never_covers_more_and_report_only_changes_nothing() {
    let tenant = tenant();
    let holders = Holders::build(&tenant, true);
    let question = Question::new(Target::AllResources, Requirement::Mfa);
    let covers = |values: &[Value]| -> Vec<bool> {
        let policies: Vec<ConditionalAccessPolicy> = values
            .iter()
            .map(|value| serde_json::from_value(value.clone()).unwrap())
            .collect();
        let shapes = Shapes::read(
            &Facts {
                policies: &policies,
                strengths: &[],
                locations: &[],
                group_members: Some(tenant.group_members.hints()),
                users: tenant.users.hints(),
                holders: &holders,
                active_known: true,
                eligible_known: true,
            },
            &OnceLock::new(),
        );
        let mut answer = shapes.ask(question);
        tenant
            .users
            .hints()
            .iter()
            .map(|user| *answer.of(shapes.subject(user)) == Coverage::Covered)
            .collect()
    };
    for seed in 1_000..1_100 {
        let mut rng = Rng::with_seed(seed);
        let values: Vec<Value> = (0..4).map(|_| policy(&mut rng)).collect();
        let before = covers(&values);
        let mut narrower = values.clone();
        narrower[0]["conditions"]["users"]["excludeGroups"] = json!([GROUP]);
        let after = covers(&narrower);
        assert!(
            before
                .iter()
                .zip(&after)
                .all(|(before, after)| after <= before),
            "seed {seed}"
        );
        let mut trial = policy(&mut rng);
        trial["state"] = json!("enabledForReportingButNotEnforced");
        let mut with_trial = values;
        with_trial.push(trial);
        assert_eq!(covers(&with_trial), before, "seed {seed}");
    }
}
