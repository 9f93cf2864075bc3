//! What is printed where: reports on stdout, everything else on stderr, nothing that a terminal would obey.

use m365audit::emulator::{Fault, FaultKind, Nth, Options, TenantData};
use serde_json::json;

use crate::support::binary::{Desk, Ran, Stage, folder};

#[test]
fn progress_is_on_stderr_and_can_be_silenced() {
    let desk = Desk::new();
    let loud = desk.call("scan --demo").run().code(0);
    assert!(
        loud.err.lines().any(|line| line == "users: 349 rows"),
        "{}",
        loud.err
    );
    for call in ["scan --demo --quiet", "-q scan --demo"] {
        let quiet = desk.call(call).run().code(0);
        assert_eq!(quiet.err, "");
        assert_eq!(quiet.out(), loud.out());
    }
    // Errors are said all the same.
    desk.call("scan --quiet --from absent.gz")
        .run()
        .failed(5, &["absent.gz"], &[]);
}

#[test]
fn the_log_names_requests_and_keeps_secrets() {
    let options = || Options {
        max_page: Some(50),
        faults: vec![
            Fault {
                path_contains: "/v1.0/users?".to_owned(),
                nth: Nth::Only(2),
                kind: FaultKind::Status(503),
            },
            Fault {
                path_contains: "/groupSettings".to_owned(),
                nth: Nth::Only(1),
                kind: FaultKind::ExpiredToken,
            },
        ],
        ..Options::default()
    };
    for flag in ["-v", "-vv", "-vvv"] {
        let stage = Stage::with("demo", options());
        let ran = stage.run(stage.call(&format!("scan {flag}"))).code(0);
        for part in [
            "signed in",
            "method=\"GET\"",
            "method=\"POST\"",
            "path=/v1.0/users",
            "path=/v1.0/$batch",
            "status=200",
            "status=503",
            "repeating",
        ] {
            assert!(ran.err.contains(part), "{part} is not logged with {flag}");
        }
        // Ran looks for the secret, for tokens and for page tokens; these are the other words that must not be there.
        for word in [
            "Authorization",
            "authorization:",
            "client_secret",
            "assertion",
            "status ne",
        ] {
            assert!(!ran.err.contains(word), "{word} is logged with {flag}");
        }
        assert!(!ran.err.contains('\u{1b}'));
        assert!(!ran.out().contains("DEBUG"));
    }
    // Without the flag there is no log, whatever the environment says.
    let stage = Stage::with("demo", options());
    let ran = stage
        .run(stage.call("scan").env("RUST_LOG", "trace"))
        .code(0);
    assert!(
        !ran.err.contains("DEBUG") && !ran.err.contains("TRACE"),
        "{}",
        ran.err
    );
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let desk = Desk::new();
    let colourful =
        |call: crate::support::binary::Call| call.run().code(0).out().contains('\u{1b}');
    for arguments in [
        "scan --demo",
        "rules list",
        "rules show guest-invitation-open",
    ] {
        assert!(!colourful(desk.call(arguments)), "{arguments} in a pipe");
        assert!(
            !colourful(desk.call(arguments).env("NO_COLOR", "1")),
            "{arguments}"
        );
        assert!(
            !colourful(desk.call(arguments).env("TERM", "xterm-256color")),
            "{arguments}"
        );
    }
    assert!(colourful(
        desk.call("scan --demo").env("CLICOLOR_FORCE", "1")
    ));
    assert!(!colourful(
        desk.call("scan --demo --format json")
            .env("CLICOLOR_FORCE", "1")
    ));
}

/// Whether a terminal would do something else with it than show it.
fn is_hostile(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[track_caller]
fn inert(ran: &Ran) {
    for text in [&ran.out(), &ran.err] {
        let found = text
            .char_indices()
            .find(|(_, character)| is_hostile(*character));
        if let Some((at, character)) = found {
            let near: String = text[at..].chars().take(60).collect();
            panic!("{character:?} in {near:?}");
        }
    }
}

#[test]
fn hostile_names_do_nothing_to_a_terminal() {
    const EVIL: &str =
        "Evil\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}gpj.exe\u{200b}\r\nerror: forged\u{e0041}";
    let mut data = TenantData::load(&folder("demo")).unwrap();
    data.set("/organization", json!([{
        "id": data.tenant_id(), "displayName": EVIL, "tenantType": "AAD", "createdDateTime": "2019-05-14T07:12:00Z",
        "onPremisesSyncEnabled": true, "securityComplianceNotificationMails": [], "technicalNotificationMails": [EVIL],
        "verifiedDomains": [{"name": EVIL, "isDefault": true, "isInitial": true, "type": "Managed", "capabilities": "", "id": null}],
    }]));
    data.set(
        "/admin/sharepoint/settings",
        json!({"sharingCapability": EVIL, "isLegacyAuthProtocolsEnabled": true}),
    );
    let stage = Stage::serve(data, Options::default());
    let now = format!("--now {}", stage.now);
    let table = stage
        .run(stage.call(&format!("scan -vv --mailbox-rules --save s.gz {now}")))
        .code(0);
    inert(&table);
    assert!(
        table
            .out()
            .contains("Evil\\u{1b}]0;owned\\u{7}\\u{9b}31m\\u{202e}"),
        "shown, but inert"
    );
    assert!(
        !table
            .out()
            .lines()
            .any(|line| line.starts_with("error: forged"))
    );
    inert(&stage.desk.call("scan --from s.gz").run().code(0));

    // JSON escapes by itself; the names of the demo are as hostile, and they are there.
    let report = stage
        .desk
        .call("scan --from s.gz --format json")
        .run()
        .code(0);
    assert_eq!(report.json()["tenant"]["display_name"], EVIL);
    let strings = report.json().to_string();
    assert!(strings.contains("\\u001b") && strings.contains('\u{202e}'));
    let raw = report.out();
    assert!(!raw.contains(['\u{1b}', '\u{7}', '\r']), "not even in JSON");
}

#[test]
fn hostile_arguments_and_file_names_are_shown_inert() {
    let desk = Desk::new();
    let name = "a\u{1b}[2Jb\u{202e}c";
    inert(&desk.call("scan --from").arg(name).run().code(5));
    inert(&desk.call("scan --demo --config").arg(name).run().code(2));
    inert(&desk.call("scan --demo --rule").arg(name).run().code(2));
    inert(
        &desk
            .call("scan --demo --save")
            .arg(format!("{name}/x"))
            .run()
            .code(5),
    );
    let tenant = desk
        .call("scan --tenant")
        .arg(name)
        .secret("AZURE_CLIENT_SECRET", "worthless");
    inert(&tenant.run().code(2));
    desk.write("bad.toml", format!("\"{name}\" = 1\n"));
    inert(&desk.call("scan --demo --config bad.toml").run().code(2));
}

#[test]
fn rule_ids_can_be_copied_out_of_the_table() {
    let stage = Stage::of("restricted");
    let now = format!("--now {}", stage.now);
    let table = stage
        .run(stage.call(&format!("scan --save s.gz {now}")))
        .code(0)
        .out();
    let report = stage
        .desk
        .call("scan --from s.gz --format json")
        .run()
        .json();
    for result in report["results"].as_array().unwrap() {
        if result["status"] == "not_evaluated" {
            let id = result["rule_id"].as_str().unwrap();
            assert!(table.contains(id), "{id}");
        }
    }
    let demo = Desk::new();
    let table = demo.call("scan --demo").run().code(0).out();
    let report = demo.call("scan --demo --format json").run().json();
    let now = report["act_now"].as_array().unwrap();
    assert!(!now.is_empty());
    let signs = table.split("\nAct now").nth(1).unwrap();
    let signs = signs.split("(owner:").next().unwrap();
    for sign in now {
        let id = sign["rule_id"].as_str().unwrap();
        assert!(signs.contains(id), "{id}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let desk = Desk::new();
    for (arguments, code) in [
        ("scan --demo --format json", 0),
        ("scan --demo", 0),
        ("scan --demo --format json --fail-on low", 1),
        ("rules list", 0),
        ("rules show account-stale --format json", 0),
        ("--help", 0),
    ] {
        let ran = desk.call(arguments).run_unheard().code(code);
        assert!(!ran.err.contains("error:"), "{arguments}: {}", ran.err);
    }
    // A snapshot that did not arrive is one.
    let ran = desk.call("collect --demo --save -").run_unheard().code(5);
    assert!(ran.err.contains("error: could not write"), "{}", ran.err);
}

#[test]
fn what_the_contract_says_about_the_report_is_there() {
    let report = Stage::of("demo").scan("");
    let keys: Vec<&str> = report
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    for key in [
        "schema_version",
        "tool",
        "tenant",
        "collected_at",
        "evaluated_at",
        "complete",
        "summary",
        "results",
        "act_now",
        "plan",
        "entitlements",
        "questions",
        "access",
        "collection",
    ] {
        assert!(keys.contains(&key), "{key}");
    }
    assert_eq!(report["schema_version"], "1");
    for result in report["results"].as_array().unwrap() {
        for key in [
            "rule_id",
            "title",
            "area",
            "severity",
            "status",
            "reason",
            "confidence",
            "risk",
            "effort",
            "disruption",
            "evidence",
            "affected",
            "fingerprint",
            "remediation",
            "references",
        ] {
            assert!(!result[key].is_null(), "{key} of {}", result["rule_id"]);
        }
        if result["status"] == "fail" {
            assert!(
                !result["evidence"].as_array().unwrap().is_empty(),
                "{}",
                result["rule_id"]
            );
            assert!(!result["evidence"][0]["source"].as_str().unwrap().is_empty());
        }
    }
    let asked: Vec<&str> = report["questions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["key"].as_str().unwrap())
        .collect();
    assert_eq!(
        asked,
        [
            "most_exposed",
            "owned_unused",
            "plan",
            "access",
            "data",
            "detection",
            "ownership"
        ]
    );
    let planned: usize = ["30", "60", "90"]
        .iter()
        .map(|days| report["plan"][days].as_array().unwrap().len())
        .sum();
    assert!(planned > 0);
}
