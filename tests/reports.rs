//! The reports as their readers get them: the whole table of the demo tenant, and the JSON report part by part.
//!
//! `INSTA_UPDATE=always cargo test --test reports` takes over what the program makes; read the difference before it is committed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::process::Command;

use serde_json::Value;

fn demo(arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_m365audit"))
        .args(["scan", "--demo", "--quiet"])
        .args(arguments)
        .env_clear()
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    String::from_utf8(run.stdout).unwrap()
}

fn report() -> Value {
    let text = demo(&["--format", "json"]);
    let version = env!("CARGO_PKG_VERSION");
    serde_json::from_str(
        &text.replace(&format!("\"version\": \"{version}\""), "\"version\": \"…\""),
    )
    .unwrap()
}

#[test]
fn the_table_of_the_demo_tenant() {
    let lines: Vec<String> = demo(&[])
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    insta::assert_snapshot!("table", lines.join("\n"));
}

#[test]
fn the_json_report_without_its_results() {
    let mut report = report();
    let results = report["results"].take();
    // One guarantee with one witness shows the form; `access prove` has tests of its own.
    let guarantees = report["access"]["guarantees"].as_array_mut().unwrap();
    assert!(guarantees.len() > 15, "all that have a name");
    guarantees.truncate(1);
    guarantees[0]["witnesses"]
        .as_array_mut()
        .unwrap()
        .truncate(1);
    insta::assert_snapshot!("json-frame", serde_json::to_string_pretty(&report).unwrap());

    // Worst first, and every result in the same shape.
    let results = results.as_array().unwrap();
    let keys = |result: &Value| {
        result
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert!(
        results
            .iter()
            .all(|result| keys(result) == keys(&results[0]))
    );
    let failing: Vec<u64> = results
        .iter()
        .filter(|result| result["status"] == "fail")
        .map(|result| result["risk"]["score"].as_u64().unwrap())
        .collect();
    assert!(
        failing.len() > 50 && failing.is_sorted_by(|a, b| a >= b),
        "{failing:?}"
    );
    for (rule, name) in [
        ("mfa-not-enforced-for-admins", "json-analyzer"),
        ("sharepoint-anonymous-sharing-allowed", "json-setting"),
        ("user-consented-risky-grant", "json-hostile-names"),
    ] {
        let result = results
            .iter()
            .find(|result| result["rule_id"] == rule)
            .unwrap();
        insta::assert_snapshot!(name, serde_json::to_string_pretty(result).unwrap());
    }
}

#[test]
fn a_rule_for_a_reader() {
    let run = Command::new(env!("CARGO_BIN_EXE_m365audit"))
        .args(["rules", "show", "legacy-authentication-allowed"])
        .env_clear()
        .output()
        .unwrap();
    insta::assert_snapshot!("rule", String::from_utf8(run.stdout).unwrap());
}

/// Every task says why it stands where it stands, and the whole plan keeps its promises on a real tenant.
#[test]
fn the_plan_of_the_demo_tenant_can_be_followed() {
    let report = report();
    let mut settled: Vec<&str> = Vec::new();
    for days in ["30", "60", "90"] {
        for (order, task) in (1u64..).zip(report["plan"][days].as_array().unwrap()) {
            assert_eq!(task["order"], order);
            assert!(
                task["why_now"]
                    .as_str()
                    .unwrap()
                    .starts_with(&format!("{days} because ")),
                "{task}"
            );
            for before in task["after"].as_array().unwrap() {
                assert!(
                    settled.contains(&before.as_str().unwrap()),
                    "{task} comes before {before}"
                );
            }
            if task["part"] != "prepare" {
                settled.push(task["rule_id"].as_str().unwrap());
            }
        }
    }
    let first = &report["plan"]["30"][0];
    assert_eq!(
        first["rule_id"], "emergency-access-account-missing",
        "nothing that can lock out comes before the way back in"
    );
}

/// A snapshot comes from somebody else: what its header says of the tenant is as hostile as any display name.
#[test]
fn a_snapshot_header_cannot_reach_the_terminal() {
    use m365audit::snapshot::Header;
    use m365audit::snapshot::file::Writer;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.jsonl.gz");
    let now = "2026-11-02T08:00:00Z".parse().unwrap();
    let header = Header::new(
        "evil\u{1b}[31m\u{202e}".to_owned(),
        "glo\u{1b}]0;x\u{7}bal".to_owned(),
        now,
        Vec::new(),
    );
    let writer = Writer::create(&path, &header).unwrap();
    writer.finish(&std::collections::BTreeMap::new()).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_m365audit"))
        .args(["scan", "--quiet", "--from"])
        .arg(&path)
        .env_clear()
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(text.contains("evil\\u{1b}"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
}
