//! `access what-if`: one sign-in of the demo, from the words on the command line to the decision.

use m365audit::emulator::{Options, TenantData};
use serde_json::{Value, json};

use crate::support::binary::{Desk, Ran, Stage, changed, folder};

/// Holds Global Administrator.
const ADMIN: &str = "juniper.quartz@tideglass.example";
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";

/// A desk with the demo as `s.gz`.
fn demo() -> Desk {
    let desk = Desk::new();
    desk.call("collect --demo --save s.gz").run().code(0);
    desk
}

/// What-if on the saved demo; names with blanks are joined by `+`.
fn ask(desk: &Desk, arguments: &str) -> Ran {
    let mut call = desk.call("access what-if --from s.gz");
    for argument in arguments.split_whitespace() {
        call = call.arg(argument.replace('+', " "));
    }
    call.run()
}

fn decided(desk: &Desk, arguments: &str) -> Value {
    let ran = ask(desk, &format!("--format json {arguments}"));
    assert_eq!(ran.err, "");
    ran.code(0).json()
}

/// What a policy that begins like this says: whether it applies, and why.
fn policy<'v>(decision: &'v Value, start: &str) -> (&'v Value, &'v str) {
    let mut policies = decision["policies"].as_array().unwrap().iter();
    let found = policies.find(|policy| policy["name"].as_str().unwrap().starts_with(start));
    let found = found.unwrap();
    (&found["applies"], found["reason"].as_str().unwrap())
}

#[test]
fn what_is_said_of_the_sign_in_decides() {
    let desk = demo();
    let user = format!("--user {ADMIN}");
    for (arguments, decision, required) in [
        (
            "--app Office+365+Exchange+Online",
            "allowed_with_controls",
            json!([["mfa"]]),
        ),
        (
            "--app LedgerLamp+ERP --client-app OTHER",
            "blocked",
            json!([]),
        ),
        (
            "--app LedgerLamp+ERP --country AQ",
            "blocked",
            json!([["mfa"]]),
        ),
        (
            "--app LedgerLamp+ERP --location countries+without+business",
            "blocked",
            json!([["mfa"]]),
        ),
        (
            "--user-action registersecurityinfo",
            "allowed_with_controls",
            json!([["mfa"]]),
        ),
        (
            "--user-action urn:user:registersecurityinfo --location Head+office",
            "allowed",
            json!([]),
        ),
        (
            "--auth-context c1",
            "allowed_with_controls",
            json!([["mfa"]]),
        ),
        (
            "--app LedgerLamp+ERP --auth-flow deviceCodeFlow",
            "allowed_with_controls",
            json!([["mfa"]]),
        ),
        (
            "--app LedgerLamp+ERP --auth-flow deviceCodeFlow --include-report-only",
            "blocked",
            json!([["mfa"]]),
        ),
        (
            "--app 00000002-0000-0ff1-ce00-000000000000 --client-app mobileAppsAndDesktopClients --platform macos",
            "allowed_with_controls",
            json!([["mfa"], ["compliantDevice", "domainJoinedDevice"]]),
        ),
        (
            "--app 00000002-0000-0ff1-ce00-000000000000 --client-app mobileAppsAndDesktopClients --platform windows --device-state hybrid_joined",
            "allowed_with_controls",
            json!([["mfa"]]),
        ),
        (
            "--app 00000002-0000-0ff1-ce00-000000000000 --client-app mobileAppsAndDesktopClients --platform windows --device-state unregistered",
            "cannot_be_satisfied",
            json!([["mfa"]]),
        ),
    ] {
        let page = decided(&desk, &format!("{user} {arguments}"));
        assert_eq!(page["decision"], decision, "{arguments}");
        assert_eq!(page["required"], required, "{arguments}");
    }
    let page = decided(&desk, &format!("{user} --app {EXCHANGE} --ip 203.0.113.9"));
    let says = (&json!(false), "excludes sign-ins from 'Head office'");
    assert_eq!(policy(&page, "CA01"), says);
    let page = decided(
        &desk,
        &format!("{user} --app {EXCHANGE} --device trustType=Workplace"),
    );
    assert_eq!(policy(&page, "CA14").0, &json!(true));
    assert!(!page["session"].as_array().unwrap().is_empty());
    let (applies, reason) = policy(&page, "CA08");
    assert_eq!(applies, &json!(false));
    assert!(
        reason.starts_with("is report-only; switched on, it would not apply either"),
        "{reason}"
    );
}

#[test]
fn the_demo_and_its_snapshot_give_the_same_page() {
    let desk = demo();
    let arguments = format!("--user {ADMIN} --app Office+365+Exchange+Online");
    let saved = ask(&desk, &arguments).code(0);
    let mut call = desk.call("-q access what-if --demo");
    for argument in arguments.split_whitespace() {
        call = call.arg(argument.replace('+', " "));
    }
    assert_eq!(call.run().code(0).out(), saved.out());
    let lines: Vec<String> = saved
        .out()
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("access-what-if", lines.join("\n"));
    });
}

#[test]
fn what_does_not_exist_is_named_with_what_comes_near() {
    let desk = demo();
    let user = format!("--user {ADMIN}");
    let app = format!("{user} --app {EXCHANGE}");
    for (arguments, error, help) in [
        (
            "--user juniper.quarz@tideglass.example --app x".to_owned(),
            "no user 'juniper.quarz@tideglass.example'",
            "'juniper.quartz@tideglass.example'",
        ),
        (
            format!("{user} --app LedgerLamp+ERPP"),
            "no app 'LedgerLamp ERPP'",
            "'LedgerLamp ERP'",
        ),
        (
            format!("{user} --app Office365"),
            "'Office365' is a word of policies and no single app",
            "Office 365 Exchange Online",
        ),
        (
            format!("{user} --app microsoftadminportals"),
            "no single app",
            "a sign-in is to one app",
        ),
        (
            format!("{user} --app 00000000-0000-0000-0000-0000000000aa"),
            "no app",
            "no service principal",
        ),
        (
            format!("{user} --user-action registersecurityinf"),
            "no user action 'registersecurityinf'",
            "'registersecurityinfo'",
        ),
        (
            format!("{user} --auth-context c100"),
            "no authentication context 'c100'",
            "c1 to c99",
        ),
        (
            format!("{app} --location Head+offices"),
            "no named location 'Head offices'",
            "'Head office'",
        ),
        (
            format!("{app} --country Germany"),
            "no country 'Germany'",
            "ISO 3166",
        ),
        (
            format!("{app} --device trustTyp=AzureAD"),
            "no device attribute 'trustTyp'",
            "'trustType'",
        ),
        (
            format!("{app} --device trustType=Azure"),
            "trustType of a device is never 'Azure'",
            "AzureAD or ServerAD or Workplace",
        ),
        (
            format!("{app} --device trustType"),
            "has no value",
            "KEY=VALUE",
        ),
        (
            format!("{app} --device-state unregistered --device model=x"),
            "has no attributes",
            "--device-state",
        ),
        (
            format!("{app} --role Global+Administratr"),
            "no built-in role 'Global Administratr'",
            "'Global Administrator'",
        ),
    ] {
        ask(&desk, &arguments).failed(2, &[error], &[help]);
    }
    ask(
        &desk,
        &format!("{app} --device-state compliant --device isCompliant=False"),
    )
    .code(2)
    .says("contradicts --device-state compliant");
    for (arguments, says) in [
        (user.clone(), "--app"),
        (format!("{app} --client-app browsr"), "'browser'"),
        (format!("{app} --sign-in-risk severe"), "medium"),
        (format!("{app} --platform amiga"), "windowsPhone"),
        (
            format!("{app} --user-action registerdevice"),
            "cannot be used with",
        ),
        (
            format!("{app} --location x --ip 192.0.2.1"),
            "cannot be used with",
        ),
    ] {
        ask(&desk, &arguments).code(2).says(says);
    }
}

#[test]
fn policies_that_may_not_be_read_leave_it_open() {
    let mut data = TenantData::load(&folder("demo")).unwrap();
    data.permissions_mut()
        .retain(|name| name != "Policy.Read.All");
    let stage = Stage::serve(data, Options::default());
    let call = format!("access what-if --format json --user {ADMIN} --app {EXCHANGE}");
    let page = stage.run(stage.call(&call)).code(4).json();
    assert_eq!(page["decision"], "unknown");
    let why = page["undecided"].to_string();
    assert!(
        why.contains(
            "/identity/conditionalAccess/policies was not read (it takes Policy.Read.All)"
        ),
        "{why}"
    );
}

#[test]
fn names_of_the_tenant_do_nothing_to_a_terminal() {
    const HOSTILE: &str = "CA\u{1b}]0;x\u{7} \u{202e}";
    let data = changed("demo", |file, content| {
        if file == "conditional-access.json" {
            for rows in content.as_object_mut().unwrap().values_mut() {
                let rows = if rows.is_array() {
                    rows
                } else {
                    &mut rows["value"]
                };
                for row in rows.as_array_mut().unwrap() {
                    row["displayName"] = json!(HOSTILE);
                }
            }
        }
    });
    let stage = Stage::serve(data, Options::default());
    let call = |format: &str| {
        let call = format!(
            "access what-if --format {format} --user {ADMIN} --app {EXCHANGE} --ip 203.0.113.9"
        );
        stage.run(stage.call(&call)).code(0)
    };
    let table = call("table").out();
    assert!(
        table.contains("excludes sign-ins from 'CA\\u{1b}]0;x"),
        "{table}"
    );
    assert!(!table.contains(['\u{1b}', '\u{7}', '\u{202e}']));
    // JSON keeps names as they are.
    assert_eq!(call("json").json()["policies"][0]["name"], HOSTILE);
}
