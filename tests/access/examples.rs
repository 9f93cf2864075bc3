//! The examples that Microsoft publishes, and its template policies: each meets its guarantee, and fails it when one documented
//! piece is taken away.

use m365audit::access::{Asked, Atom, Guarantee, Verdict, When, Who};
use serde_json::{Value, json};

use super::evaluator::{AZURE_API, DIRECTORY, EXCHANGE, PHISHING_RESISTANT};
use super::pools::{GROUPS, LOCATIONS, ROLES, USERS};
use super::rules::{comes_out, guest, member, mfa, needs, policy, tenant, with};
use super::world::World;

use Verdict::{Proved, Violated};

const PAYROLL: &str = "00000000-0000-0000-0000-0000000a0001";

fn asked(app: &str) -> Asked {
    Asked::Resources(vec![app.to_owned()])
}

/// Plan a Conditional Access deployment: payroll is for the finance group, with a second factor and a compliant device.
#[test]
fn finance_and_payroll() {
    let mut world = tenant();
    world.users = vec![member(0), member(1)];
    world.groups = [(GROUPS[0].to_owned(), vec![USERS[0].to_owned()])].into();
    let payroll = json!({"includeApplications": [PAYROLL]});
    let mut finance = policy(
        &["mfa", "compliantDevice"],
        &json!({"users": {"includeGroups": [GROUPS[0]]}, "applications": payroll}),
    );
    finance["grantControls"]["operator"] = json!("AND");
    let others = policy(
        &["block"],
        &json!({"users": {"includeUsers": ["All"], "excludeGroups": [GROUPS[0]]}, "applications": payroll}),
    );
    let both = with(&world, &[finance.clone(), others.clone()]);
    let goal = needs(&[Atom::Mfa]).target(asked(PAYROLL));
    comes_out(&both, &goal, Proved);
    let outside = Guarantee {
        except_users: vec![USERS[0].parse().unwrap()],
        ..needs(&[]).target(asked(PAYROLL))
    };
    comes_out(&both, &outside, Proved);
    comes_out(&both, &needs(&[]).target(asked(PAYROLL)), Violated);
    comes_out(
        &with(&world, std::slice::from_ref(&finance)),
        &goal,
        Violated,
    );
    comes_out(
        &with(&world, std::slice::from_ref(&others)),
        &goal,
        Violated,
    );
    finance["grantControls"]["operator"] = json!("OR");
    comes_out(&with(&world, &[finance, others]), &goal, Violated);
}

fn filter(mode: &str, rule: &str) -> Value {
    json!({"deviceFilter": {"mode": mode, "rule": rule}})
}

/// Conditional Access: Filter for devices, the three common scenarios.
#[test]
fn device_filter_scenarios() {
    let mut world = tenant();
    world.role_assignments = vec![
        json!({"id": "a", "principalId": USERS[0], "roleDefinitionId": ROLES[0], "directoryScopeId": "/",
        "principal": {"@odata.type": "#microsoft.graph.user", "id": USERS[0]}}),
    ];
    // Privileged resources from secure admin workstations alone: everything else is blocked.
    let azure = json!({"includeApplications": [AZURE_API]});
    let admins = json!({"includeRoles": [ROLES[0]]});
    let mut ask = policy(
        &["mfa", "compliantDevice"],
        &json!({"users": admins, "applications": azure}),
    );
    ask["grantControls"]["operator"] = json!("AND");
    let block = policy(
        &["block"],
        &json!({"users": admins, "applications": azure, "devices": filter("exclude", "device.model -eq \"SAW\"")}),
    );
    let elsewhere = needs(&[]).target(asked(AZURE_API)).when(When {
        not_matches: Some("device.model -eq \"SAW\"".to_owned()),
        ..When::default()
    });
    let both = with(&world, &[ask.clone(), block.clone()]);
    comes_out(&both, &elsewhere, Proved);
    comes_out(&both, &needs(&[Atom::Mfa]).target(asked(AZURE_API)), Proved);
    comes_out(
        &with(&world, std::slice::from_ref(&ask)),
        &elsewhere,
        Violated,
    );
    // The classic hole: a negative filter that excludes lets unregistered devices out of the policy.
    let hole = policy(
        &["block"],
        &json!({"users": admins, "applications": azure, "devices": filter("exclude", "device.model -ne \"Other\"")}),
    );
    comes_out(&with(&world, &[ask, hole]), &elsewhere, Violated);
    // Devices with an operating system that is not supported.
    let old = "device.operatingSystem -eq \"Windows\" -and device.operatingSystemVersion -startsWith \"10.0\"";
    let block = policy(&["block"], &json!({"devices": filter("exclude", old)}));
    let on_others = needs(&[]).when(When {
        not_matches: Some(old.to_owned()),
        ..When::default()
    });
    comes_out(&with(&world, &[block]), &on_others, Proved);
    let block = policy(
        &["block"],
        &json!({"devices": filter("include", &format!("not ({old})"))}),
    );
    comes_out(&with(&world, &[block]), &on_others, Proved);
    // No second factor for room devices: everybody else still needs one.
    let rooms = "device.enrollmentProfileName -startsWith \"Room\"";
    let but_rooms = with(
        &world,
        &[mfa(&json!({"devices": filter("exclude", rooms)}))],
    );
    comes_out(&but_rooms, &needs(&[Atom::Mfa]), Violated);
    let others = needs(&[Atom::Mfa]).when(When {
        not_matches: Some(rooms.to_owned()),
        ..When::default()
    });
    comes_out(&but_rooms, &others, Proved);
}

/// Improved enforcement for All resources policies with resource exclusions.
#[test]
fn baseline_scopes_before_and_after() {
    let mut world = tenant();
    let excluding = |app: &str| {
        mfa(
            &json!({"applications": {"includeApplications": ["All"], "excludeApplications": [app]}}),
        )
    };
    let whole = mfa(&json!({}));
    let rest = |app: &str| mfa(&json!({"applications": {"includeApplications": [app]}}));
    for (policies, after, before) in [
        (vec![whole], Proved, Proved),
        (vec![excluding(EXCHANGE), rest(EXCHANGE)], Proved, Violated),
        (
            vec![excluding(DIRECTORY), rest(DIRECTORY)],
            Proved,
            Violated,
        ),
        (vec![excluding(DIRECTORY)], Violated, Violated),
    ] {
        world.legacy_scopes = false;
        comes_out(&with(&world, &policies), &needs(&[Atom::Mfa]), after);
        world.legacy_scopes = true;
        comes_out(&with(&world, &policies), &needs(&[Atom::Mfa]), before);
    }
}

/// One template policy: the guarantee it is meant for, and what it must not lose.
struct Template {
    guarantee: &'static str,
    policy: Value,
    /// Where something documented stands, and what it may not become.
    pieces: Vec<(&'static str, Value)>,
}

fn templates() -> Vec<Template> {
    let one = |guarantee, policy, pieces| Template {
        guarantee,
        policy,
        pieces,
    };
    let admins: Vec<String> = match named("admins-mfa").who {
        Who::Roles(roles, _) => roles.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    let users = "/conditions/users/includeUsers";
    let apps = "/conditions/applications";
    let clients = "/conditions/clientAppTypes";
    let grant = "/grantControls/builtInControls";
    let some_users = || json!([USERS[1]]);
    let one_app = || json!({"includeApplications": [EXCHANGE]});
    let but_one = || json!({"includeApplications": ["All"], "excludeApplications": [EXCHANGE]});
    let mut phishing_resistant = mfa(&json!({"users": {"includeRoles": admins}}));
    phishing_resistant["grantControls"] =
        json!({"operator": "OR", "authenticationStrength": {"id": PHISHING_RESISTANT}});
    let mut risky_users = policy(
        &["mfa", "passwordChange"],
        &json!({"userRiskLevels": ["high"]}),
    );
    risky_users["grantControls"]["operator"] = json!("AND");
    let outside = json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]});
    vec![
        one(
            "mfa-everywhere",
            mfa(&json!({})),
            vec![
                (users, some_users()),
                (apps, one_app()),
                (apps, but_one()),
                (clients, json!(["browser", "mobileAppsAndDesktopClients"])),
                (grant, json!(["mfa", "compliantDevice"])),
                ("/state", json!("enabledForReportingButNotEnforced")),
                ("/conditions/locations", outside.clone()),
            ],
        ),
        one(
            "legacy-blocked",
            policy(
                &["block"],
                &json!({"clientAppTypes": ["exchangeActiveSync", "other"]}),
            ),
            vec![
                (clients, json!(["exchangeActiveSync"])),
                (clients, json!(["other"])),
                (users, some_users()),
                (apps, one_app()),
            ],
        ),
        one(
            "admins-mfa",
            mfa(&json!({"users": {"includeRoles": admins}})),
            vec![
                ("/conditions/users/includeRoles", json!([ROLES[1]])),
                (apps, one_app()),
            ],
        ),
        one(
            "admins-phishing-resistant",
            phishing_resistant,
            vec![(
                "/grantControls",
                json!({"operator": "OR", "builtInControls": ["mfa"]}),
            )],
        ),
        one(
            "guests-mfa",
            mfa(
                &json!({"users": {"includeGuestsOrExternalUsers": {"guestOrExternalUserTypes":
                "internalGuest,b2bCollaborationGuest,b2bCollaborationMember,b2bDirectConnectUser,otherExternalUser,serviceProvider",
                "externalTenants": {"membershipKind": "all"}}}}),
            ),
            vec![
                (
                    "/conditions/users/includeGuestsOrExternalUsers/guestOrExternalUserTypes",
                    json!("internalGuest,b2bCollaborationMember"),
                ),
                (apps, one_app()),
            ],
        ),
        one(
            "azure-management-mfa",
            mfa(&json!({"applications": {"includeApplications": [AZURE_API]}})),
            vec![
                (
                    apps,
                    json!({"includeApplications": ["MicrosoftAdminPortals"]}),
                ),
                (users, some_users()),
            ],
        ),
        one(
            "admin-portals-mfa",
            mfa(&json!({"applications": {"includeApplications": ["MicrosoftAdminPortals"]}})),
            vec![(apps, json!({"includeApplications": [AZURE_API]}))],
        ),
        one(
            "device-code-blocked",
            policy(
                &["block"],
                &json!({"authenticationFlows": {"transferMethods": "deviceCodeFlow"}}),
            ),
            vec![
                (
                    "/conditions/authenticationFlows/transferMethods",
                    json!("authenticationTransfer"),
                ),
                (grant, json!(["compliantDevice"])),
            ],
        ),
        one(
            "high-sign-in-risk",
            mfa(&json!({"signInRiskLevels": ["high", "medium"]})),
            vec![
                ("/conditions/signInRiskLevels", json!(["medium"])),
                ("/conditions/userRiskLevels", json!(["high"])),
            ],
        ),
        one(
            "high-user-risk",
            risky_users,
            vec![
                (grant, json!(["passwordChange"])),
                (grant, json!(["mfa"])),
                ("/grantControls/operator", json!("OR")),
                ("/conditions/userRiskLevels", json!(["low", "medium"])),
            ],
        ),
        one(
            "registration-protected",
            mfa(
                &json!({"applications": {"includeUserActions": ["urn:user:registersecurityinfo"]}, "locations": outside}),
            ),
            vec![
                (apps, json!({"includeApplications": ["All"]})),
                (
                    apps,
                    json!({"includeUserActions": ["urn:user:registerdevice"]}),
                ),
                (
                    "/conditions/locations/excludeLocations",
                    json!(["AllTrusted", LOCATIONS[1]]),
                ),
            ],
        ),
        one(
            "unknown-platform-blocked",
            policy(
                &["block"],
                &json!({"platforms": {"includePlatforms": ["all"], "excludePlatforms": ["android", "iOS", "windows", "macOS", "linux"]}}),
            ),
            vec![(
                "/conditions/platforms/includePlatforms",
                json!([
                    "android",
                    "iOS",
                    "windows",
                    "windowsPhone",
                    "macOS",
                    "linux"
                ]),
            )],
        ),
        one(
            "unmanaged-no-desktop",
            policy(
                &["block"],
                &json!({"applications": {"includeApplications": ["Office365"]}, "clientAppTypes": ["mobileAppsAndDesktopClients"],
                    "devices": filter("exclude", "device.isCompliant -eq True -or device.trustType -eq \"ServerAD\"")}),
            ),
            vec![
                (
                    "/conditions/devices",
                    filter("exclude", "device.isCompliant -ne False"),
                ),
                (
                    "/conditions/devices",
                    filter(
                        "exclude",
                        "device.trustType -in [\"ServerAD\", \"AzureAD\"]",
                    ),
                ),
                (clients, json!(["browser"])),
            ],
        ),
    ]
}

fn named(id: &str) -> Guarantee {
    let all = Guarantee::named();
    all.into_iter().find(|one| one.id == id).unwrap()
}

fn everybody() -> World {
    let mut world = tenant();
    world.users = vec![member(0), member(1), guest(2)];
    world.homes = [(USERS[2].to_owned(), super::pools::TENANTS[0].to_owned())].into();
    world.trust_default["inboundTrust"]["isMfaAccepted"] = json!(true);
    world.role_assignments = vec![
        json!({"id": "a", "principalId": USERS[0], "roleDefinitionId": ROLES[0], "directoryScopeId": "/",
        "principal": {"@odata.type": "#microsoft.graph.user", "id": USERS[0]}}),
    ];
    let ranges = |range: &str| json!([{"cidrAddress": range}]);
    world.locations = vec![
        json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": LOCATIONS[0], "isTrusted": true, "ipRanges": ranges("198.51.100.0/24")}),
        json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": LOCATIONS[1], "isTrusted": false, "ipRanges": ranges("203.0.113.0/24")}),
    ];
    world
}

#[test]
fn each_template_meets_its_guarantee_and_fails_it_without_one_piece() {
    for template in templates() {
        let guarantee = named(template.guarantee);
        let world = with(&everybody(), std::slice::from_ref(&template.policy));
        comes_out(&world, &guarantee, Proved);
        for (path, value) in template.pieces {
            let mut policy = template.policy.clone();
            let (parent, key) = path.rsplit_once('/').unwrap();
            policy.pointer_mut(parent).unwrap()[key] = value;
            comes_out(&with(&everybody(), &[policy]), &guarantee, Violated);
        }
        // Without the policy at all.
        comes_out(&with(&everybody(), &[]), &guarantee, Violated);
    }
}
