//! `doctor`: it says before a scan what the scan would say, asks for little, and keeps what it sees to itself.

use std::collections::BTreeSet;

use m365audit::emulator::{Clock, Options, TenantData};
use m365audit::snapshot::reference;
use serde_json::{Value, json};

use crate::support::binary::{Desk, Stage, changed, folder};

fn look(stage: &Stage, arguments: &str, code: i32) -> Value {
    let call = format!("doctor --format json {arguments}");
    stage.run(stage.call(&call)).code(code).json()
}

fn list(value: &Value) -> BTreeSet<&str> {
    let all = value.as_array().unwrap().iter();
    all.map(|entry| entry.as_str().unwrap()).collect()
}

/// The status of each check of the own application.
fn checks(page: &Value) -> Vec<(&str, &str)> {
    let all = page["application"].as_array().unwrap().iter();
    all.map(|check| {
        (
            check["id"].as_str().unwrap(),
            check["status"].as_str().unwrap(),
        )
    })
    .collect()
}

#[test]
fn the_demo_has_something_to_say() {
    let desk = Desk::new();
    let page = desk
        .call("doctor --demo --format json")
        .run()
        .code(0)
        .json();
    assert_eq!(page["schema_version"], "1");
    assert_eq!(page["complete"], true);
    assert_eq!(page["tenant"]["display_name"], "Tideglass Lanterns");
    assert_eq!(page["sign_in"]["credential"], "secret");
    assert_eq!(page["sign_in"]["delegated"], false);
    assert_eq!(page["clock"], json!({"ahead_seconds": 0, "status": "ok"}));
    assert_eq!(page["permissions"]["source"], "application");
    assert_eq!(page["permissions"]["pending"], json!([]));
    assert_eq!(
        checks(&page),
        [
            ("permission-beyond-need", "warn"),
            ("directory-role", "ok"),
            ("secret-long-lived", "warn")
        ]
    );
    let left = ["inbox-rule-forwards-outside", "inbox-rule-hides-mail"];
    assert_eq!(list(&page["rules"]["left_out"]), BTreeSet::from(left));

    let mut again = desk.call("doctor --demo --format json").run().json();
    for measured in ["token_expires_at", "token_minutes_left"] {
        again["sign_in"][measured] = page["sign_in"][measured].clone();
    }
    assert_eq!(again, page);
}

/// What becomes of each rule is what a scan of the same tenant with the same sign-in comes to.
#[test]
fn what_it_foresees_is_what_a_scan_finds() {
    for (tenant, code) in [("demo", 0), ("sound", 0), ("basic", 0), ("restricted", 4)] {
        let stage = Stage::of(tenant);
        let page = look(&stage, "", code);
        let report = stage.scan("");
        let rules = &page["rules"];
        let unread = &list(&rules["unevaluated"]) | &list(&rules["doubtful"]);
        assert_eq!(page["complete"], unread.is_empty(), "{tenant}");
        let mut evaluated = 0;
        for result in report["results"].as_array().unwrap() {
            let id = result["rule_id"].as_str().unwrap();
            let status = result["status"].as_str().unwrap();
            let line = format!("{tenant}: {id} is {status}: {}", result["reason"]);
            if list(&rules["not_licensed"]).contains(id) {
                assert_eq!(status, "not_licensed", "{line}");
            } else if list(&rules["unevaluated"]).contains(id) {
                assert_eq!(status, "not_evaluated", "{line}");
                let needs = page["permissions"]["missing"].as_array().unwrap();
                let of_rule = |entry: &&Value| list(&entry["unevaluated_rules"]).contains(id);
                assert!(needs.iter().any(|entry| of_rule(&entry)), "{line}");
            } else if list(&rules["left_out"]).contains(id) {
                assert_eq!(status, "not_evaluated", "{line}");
                assert!(
                    result["reason"].as_str().unwrap().contains("not asked for"),
                    "{line}"
                );
            } else if !list(&rules["doubtful"]).contains(id) {
                assert!(
                    !["not_evaluated", "not_licensed"].contains(&status),
                    "{line}"
                );
                evaluated += 1;
            }
        }
        assert_eq!(rules["evaluated"], evaluated, "{tenant}");
    }
}

#[test]
fn what_is_missing_is_named_with_what_it_costs() {
    let stage = Stage::of("restricted");
    let page = look(&stage, "", 4);
    let missing = page["permissions"]["missing"].as_array().unwrap();
    assert!(missing.len() > 15, "{missing:?}");
    for entry in missing {
        let name = entry["permission"].as_str().unwrap();
        let (id, _) = reference::permission_named(name).unwrap();
        assert_eq!(entry["app_role_id"], id.to_string());
        assert!(!list(&entry["resources"]).is_empty());
        let rules = &list(&entry["unevaluated_rules"]) | &list(&entry["doubtful_rules"]);
        assert!(!rules.is_empty(), "{name} costs something");
    }
    let table = stage.run(stage.call("doctor")).code(4).out();
    for part in [
        "fail  ",
        "SharePointTenantSettings.Read.All",
        "sharepoint-anonymous-sharing-allowed",
        "permissions --format az",
        "Application.Read.All",
    ] {
        assert!(table.contains(part), "{part}:\n{table}");
    }
    assert_eq!(
        checks(&page),
        [
            ("permission-beyond-need", "ok"),
            ("permission-unread", "note"),
            ("directory-role-unread", "note"),
            ("credential-unread", "note")
        ]
    );

    // What the flags select decides.
    look(&stage, "--rule federated-domain-undeclared", 0);
    look(&stage, "--rule guest-invitation-open", 4);
    look(&stage, "--rule guest-stale --without sign-in-activity", 0);
}

#[test]
fn a_licence_that_is_not_owned_is_no_failure() {
    let stage = Stage::of("basic");
    let page = look(&stage, "", 0);
    let licences = page["licences"].as_array().unwrap();
    let p1 = licences
        .iter()
        .find(|entry| entry["licence"] == "Entra ID P1")
        .unwrap();
    assert_eq!(
        (&p1["owned"], &p1["owned_through"]),
        (&json!(false), &json!([]))
    );
    assert!(list(&p1["not_licensed_rules"]).contains("account-stale"));
    let table = stage.run(stage.call("doctor")).code(0).out();
    assert!(
        table.contains("Entra ID P1: not owned; not_licensed: "),
        "{table}"
    );
}

#[test]
fn it_asks_for_little_and_collects_nothing() {
    let stage = Stage::of("demo");
    look(&stage, "", 0);
    let asked: BTreeSet<String> = stage
        .emulator
        .requests()
        .iter()
        .map(|line| {
            let path = line.path.split('?').next().unwrap();
            path.replace(&stage.tenant, "{tenant}")
        })
        .collect();
    assert!(asked.contains("/{tenant}/v2.0/.well-known/openid-configuration"));
    assert!(asked.contains("/{tenant}/oauth2/v2.0/token"));
    let graph = asked.iter().filter(|path| path.starts_with("/v1.0"));
    for path in graph {
        let expected = [
            "/v1.0/$batch",
            "/v1.0/organization",
            "/v1.0/subscribedSkus",
            "/v1.0/applications",
            "/v1.0/servicePrincipals",
            "/v1.0/roleManagement/directory/roleAssignments",
        ];
        let own = path.ends_with("/appRoleAssignments");
        assert!(own || expected.contains(&&**path), "{path}");
    }
    assert!(stage.emulator.requests().len() <= 12, "{asked:?}");
}

#[test]
fn how_it_ends_when_it_cannot_look() {
    let stage = Stage::of("demo");
    stage
        .run(
            stage
                .bare("doctor")
                .secret("AZURE_CLIENT_SECRET", "guessed-wrong"),
        )
        .failed(3, &["AADSTS7000215"], &[]);
    let desk = Desk::new();
    desk.call("doctor --tenant contoso.example --login-url http://127.0.0.1:1 --graph-url http://127.0.0.1:1")
        .arg("--client-id")
        .arg(&stage.client)
        .secret("AZURE_CLIENT_SECRET", "sesame-sesame")
        .run()
        .failed(5, &["could not sign in"], &[]);
    let graph_is_gone = stage.desk.call("doctor --graph-url http://127.0.0.1:1");
    graph_is_gone
        .arg("--tenant")
        .arg(&stage.tenant)
        .arg("--client-id")
        .arg(&stage.client)
        .arg("--login-url")
        .arg(stage.emulator.login_url())
        .secret("AZURE_CLIENT_SECRET", &stage.secret)
        .run()
        .failed(5, &["could not read from Microsoft Graph"], &[]);
    desk.call("doctor --demo --format yaml")
        .run()
        .code(2)
        .says("table, json");
    desk.call("doctor --demo --tenant x")
        .run()
        .code(2)
        .says("cannot be used with");
    desk.call("doctor --demo --rule guest-stael")
        .run()
        .failed(2, &["no rule"], &["guest-stale"]);
}

#[test]
fn a_clock_that_is_far_off_is_said_and_no_more() {
    let data = TenantData::load(&folder("demo")).unwrap();
    let long_ago = data.now();
    let at = Clock::Fixed(long_ago - jiff::SignedDuration::from_hours(24 * 365));
    let options = Options {
        clock: at,
        ..Options::default()
    };
    let stage = Stage::serve(data, options);
    let page = look(&stage, "", 0);
    assert_eq!(page["clock"]["status"], "fail");
    assert!(page["clock"]["ahead_seconds"].as_i64().unwrap() > 300);
    let table = stage.run(stage.call("doctor")).code(0).out();
    assert!(
        table.contains("ahead of Entra's: set it by a time server"),
        "{table}"
    );
    let refused = stage
        .bare("doctor")
        .secret("AZURE_CLIENT_SECRET", "guessed-wrong");
    stage.run(refused).code(3).says("this machine's clock is");
}

#[test]
fn a_permission_to_write_and_a_directory_role_are_dangers() {
    let own = own_principal();
    let assignment = json!({"id": "made", "principalId": own, "directoryScopeId": "/",
        "roleDefinitionId": reference::GLOBAL_ADMINISTRATOR});
    let data = changed("demo", |file, content| {
        if file == "tenant.json" {
            let granted = content["app"]["permissions"].as_array_mut().unwrap();
            granted.push(json!("User.ReadWrite.All"));
        }
        if file == "roles.json" {
            let roles = &mut content["/roleManagement/directory/roleAssignments"];
            roles.as_array_mut().unwrap().push(assignment.clone());
        }
    });
    let stage = Stage::serve(data, Options::default());
    let page = look(&stage, "", 0);
    let found = checks(&page);
    assert!(found.contains(&("permission-writes", "fail")), "{found:?}");
    assert!(found.contains(&("directory-role", "fail")), "{found:?}");
    let table = stage.run(stage.call("doctor")).code(0).out();
    assert!(
        table.contains("it may do more than read: User.ReadWrite.All"),
        "{table}"
    );
    assert!(table.contains("it holds Global Administrator"), "{table}");
}

/// The id of the demo's own service principal.
fn own_principal() -> String {
    let read = |file: &str| -> Value {
        let text = std::fs::read(folder("demo").join(file)).unwrap();
        serde_json::from_slice(&text).unwrap()
    };
    let (profile, content) = (read("tenant.json"), read("applications.json"));
    let principals = content["/servicePrincipals"].as_array().unwrap().iter();
    let mut own = principals.filter(|row| row["appId"] == profile["app"]["clientId"]);
    own.next().unwrap()["id"].as_str().unwrap().to_owned()
}

/// Consent shows in new tokens only, and a broader permission does for a narrower one.
#[test]
fn what_was_granted_a_moment_ago_is_pending() {
    let mut data = TenantData::load(&folder("demo")).unwrap();
    let young = ["AuditLog.Read.All", "Domain.Read.All"];
    let granted = data.permissions_mut();
    granted.retain(|name| !young.contains(&name.as_str()));
    let stage = Stage::serve(data, Options::default());
    let page = look(&stage, "", 4);
    assert_eq!(page["permissions"]["pending"], json!(young));
    let missing = page["permissions"]["missing"].as_array().unwrap();
    let names: Vec<&Value> = missing.iter().map(|entry| &entry["permission"]).collect();
    assert_eq!(
        names,
        ["AuditLog.Read.All"],
        "the directory is read with Directory.Read.All"
    );
}

#[test]
fn names_from_the_tenant_are_inert() {
    let evil = "\u{1b}]8;;https://evil.example\u{7}\u{202e}red\r\n";
    let data = changed("demo", |file, content| match file {
        "organization.json" => content["/organization"][0]["displayName"] = json!(evil),
        "licences.json" => {
            for sku in content["/subscribedSkus"].as_array_mut().unwrap() {
                sku["skuPartNumber"] = json!(evil);
            }
        }
        _ => {}
    });
    let stage = Stage::serve(data, Options::default());
    let table = stage.run(stage.call("doctor")).code(0).out();
    assert!(table.contains("evil.example"), "{table}");
    assert!(
        !table.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']),
        "{table:?}"
    );
    assert_eq!(look(&stage, "", 0)["tenant"]["display_name"], evil);
}
