//! `permissions`: the list is what the resources say, it is enough, and the commands are ones that a shell runs.

use std::collections::BTreeSet;

use m365audit::emulator::{Options, TenantData};
use m365audit::rules;
use m365audit::snapshot::{Resource, reference};
use serde_json::{Value, json};

use crate::support::binary::{Desk, Stage, folder};

fn array(arguments: &str) -> Value {
    let call = format!("permissions --format json {arguments}");
    let ran = Desk::new().call(&call).run().code(0);
    assert!(ran.err.is_empty(), "{}", ran.err);
    ran.json()
}

/// The names behind the app role ids.
fn names(array: &Value) -> BTreeSet<&'static str> {
    let roles = array[0]["resourceAccess"].as_array().unwrap();
    let name = |role: &Value| {
        let id = role["id"].as_str().unwrap().parse().unwrap();
        reference::permission(id).unwrap().name
    };
    let names: BTreeSet<&'static str> = roles.iter().map(name).collect();
    assert_eq!(names.len(), roles.len(), "each once");
    names
}

fn of(resources: impl IntoIterator<Item = Resource>) -> BTreeSet<&'static str> {
    let resources = resources.into_iter();
    resources
        .flat_map(|resource| resource.permissions().iter().copied())
        .collect()
}

#[test]
fn the_array_is_what_a_manifest_takes() {
    let array = array("--rule users-can-register-apps");
    let policy = reference::permission_named("Policy.Read.All").unwrap().0;
    let ids: Vec<Value> = ["LicenseAssignment.Read.All", "Organization.Read.All"]
        .iter()
        .map(|name| json!(reference::permission_named(name).unwrap().0))
        .chain([json!(policy)])
        .map(|id| json!({"id": id, "type": "Role"}))
        .collect();
    let graph = "00000003-0000-0000-c000-000000000000";
    assert_eq!(
        array,
        json!([{"resourceAppId": graph, "resourceAccess": ids}])
    );
}

#[test]
fn every_permission_is_needed_and_none_is_forgotten() {
    let all = array("--all");
    assert_eq!(names(&all), of(Resource::ALL.iter().copied()));
    assert!(names(&all).into_iter().all(reference::only_reads));

    let usual = array("");
    let private = of([Resource::InboxRules]);
    let more: BTreeSet<_> = names(&all).difference(&names(&usual)).copied().collect();
    assert!(private.is_subset(&more), "{more:?}");
    let with = array("--with mailbox-rules");
    assert_eq!(with, array("--mailbox-rules"));
    assert_eq!(&names(&with) - &names(&usual), private);

    let without = names(&array("--without intune,devices"));
    assert!(
        without
            .iter()
            .all(|name| !name.contains("DeviceManagement"))
    );
    let less = names(&array("--without delegated-grants"));
    assert!(
        !less.contains("Directory.Read.All"),
        "no list but one needs it"
    );
    let severe = names(&array("--min-severity critical"));
    assert!(severe.len() < names(&usual).len() && severe.contains("Policy.Read.All"));
    let area = names(&array("--area sharing"));
    assert!(area.contains("SharePointTenantSettings.Read.All"));
    assert!(!area.contains("IdentityRiskyUser.Read.All"));
    let skipped = names(&array("--area sharing --skip-rule guest-stale"));
    assert!(!skipped.contains("AuditLog.Read.All") && area.contains("AuditLog.Read.All"));
}

/// An application with exactly these permissions reads everything, and each that is taken away leaves a hole.
#[test]
fn the_list_is_enough() {
    let names: Vec<String> = names(&array("--with mailbox-rules"))
        .into_iter()
        .map(str::to_owned)
        .collect();
    let mut data = TenantData::load(&folder("demo")).unwrap();
    data.permissions_mut().clone_from(&names);
    let stage = Stage::serve(data, Options::default());
    let report = stage.scan("--mailbox-rules");
    let collection = report["collection"].as_array().unwrap();
    assert!(collection.len() > 40);
    for entry in collection {
        assert_eq!(entry["status"], "collected", "{entry}");
    }
    let doctor = "doctor --mailbox-rules --format json";
    let page = stage.run(stage.call(doctor)).code(0).json();
    assert_eq!(page["permissions"]["granted"], json!(names));
    assert_eq!(page["permissions"]["missing"], json!([]));
}

#[test]
fn the_table_says_what_for() {
    let desk = Desk::new();
    let table = desk.call("permissions").run().code(0).out();
    for name in names(&array("")) {
        let (id, _) = reference::permission_named(name).unwrap();
        assert!(
            table.contains(name) && table.contains(&id.to_string()),
            "{name}"
        );
    }
    assert!(
        table.contains("Not among them: MailboxSettings.Read, which --with mailbox-rules needs")
    );
    let all = desk.call("permissions --all").run().code(0).out();
    assert!(all.contains("opt-in: --with mailbox-rules"), "{all}");
    assert!(!all.contains("Not among them"), "{all}");

    let by_rule = desk.call("permissions --by-rule --tier extended").run();
    let by_rule = by_rule.code(0).out();
    for rule in rules::registry() {
        assert!(by_rule.contains(rule.id), "{}", rule.id);
    }
}

#[test]
fn what_cannot_be_meant() {
    let desk = Desk::new();
    let run = |arguments: &str| desk.call(arguments).run();
    run("permissions --format yaml")
        .code(2)
        .says("table, json, az");
    run("permissions --with mailbox")
        .code(2)
        .says("mailbox-rules");
    run("permissions --all --rule guest-stale")
        .code(2)
        .says("cannot be used with");
    run("permissions --tenant contoso.example")
        .code(2)
        .says("--tenant");
    run("permissions --rule guest-stael").failed(
        2,
        &["no rule `guest-stael`"],
        &["did you mean `guest-stale`?"],
    );
}

/// The script, run by a real shell with an `az` that writes down what it was asked and answers as the real one does.
#[cfg(unix)]
#[test]
fn a_shell_runs_the_commands() {
    use std::os::unix::fs::PermissionsExt as _;
    const AZ: &str = r#"#!/bin/sh
printf '%s\n' "$*" >> "$HOME/asked"
case "$*" in
  'ad app create '*) printf 'app-id\n' ;;
  'ad sp create '*) printf 'sp-id\n' ;;
  'ad sp show '*) printf 'graph-id\n' ;;
  'cloud show '*) printf 'https://graph.example/\n' ;;
  'ad app credential reset '*) printf "$HOME/a key.pem\n" ;;
  'account show '*) printf 'tenant-id\n' ;;
  'rest '*) cat > /dev/null ;;
  *) exit 64 ;;
esac
"#;
    let desk = Desk::new();
    let script = desk.call("permissions --format az").run().code(0).out();
    let script = desk.write("register.sh", script);
    let az = desk.write("az", AZ);
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    let home = desk.path("");
    let ran = std::process::Command::new("sh")
        .arg(&script)
        .env_clear()
        .env("HOME", &home)
        .env("PATH", format!("{}:/usr/bin:/bin", home.display()))
        .env("NAME", "it's $HOME")
        .output()
        .unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    let err = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.status.success() && err.is_empty(), "{err}");
    assert!(
        said.contains("m365audit doctor --tenant tenant-id --client-id app-id --certificate '"),
        "{said}"
    );
    assert!(said.contains("a key.pem'"), "{said}");

    let asked = std::fs::read_to_string(desk.path("asked")).unwrap();
    let start = "--required-resource-accesses ";
    let at = asked.find(start).unwrap() + start.len();
    let mut values = serde_json::Deserializer::from_str(&asked[at..]).into_iter();
    let access: Value = values.next().unwrap().unwrap();
    assert_eq!(access, array(""), "what is asked for is the list");
    assert!(
        asked.starts_with("ad app create --display-name it's $HOME "),
        "{asked}"
    );
    let granted: BTreeSet<&str> = asked
        .lines()
        .filter(|line| line.starts_with("rest --method POST --url https://graph.example/v1.0/servicePrincipals/graph-id/appRoleAssignedTo "))
        .map(|line| {
            let body = line.split_once("--body ").unwrap().1;
            let body: Value = serde_json::from_str(body).unwrap();
            assert_eq!((&body["principalId"], &body["resourceId"]), (&json!("sp-id"), &json!("graph-id")));
            let id = body["appRoleId"].as_str().unwrap().parse().unwrap();
            reference::permission(id).unwrap().name
        })
        .collect();
    assert_eq!(
        granted,
        names(&array("")),
        "and what is granted is the list"
    );
}
