//! What is looked at, and what fails the run.

use m365audit::rules::{self, Severity};
use serde_json::Value;

use crate::support::binary::{Desk, Stage};

fn results(report: &Value) -> &Vec<Value> {
    report["results"].as_array().unwrap()
}

fn ids(report: &Value) -> Vec<&str> {
    let results = results(report).iter();
    results
        .map(|result| result["rule_id"].as_str().unwrap())
        .collect()
}

/// A desk with the demo as `s.gz` and its configuration.
fn demo() -> Desk {
    let desk = Desk::new();
    desk.write("m365audit.toml", m365audit::emulator::demo::CONFIG);
    desk.call("collect --demo --save s.gz").run().code(0);
    desk
}

fn scan(desk: &Desk, arguments: &str) -> Value {
    desk.call(&format!("scan --from s.gz --format json {arguments}"))
        .run()
        .code(0)
        .json()
}

#[test]
fn areas_and_rules_are_picked_and_left_out() {
    let desk = demo();
    let all = scan(&desk, "");
    let listed: Vec<_> = rules::registry()
        .filter(|rule| rule.tier <= rules::Tier::Standard)
        .collect();
    assert_eq!(results(&all).len(), listed.len(), "every rule has a result");
    let some = scan(&desk, "--area sharing --area devices");
    assert!(
        results(&some)
            .iter()
            .all(|result| result["area"] == "sharing" || result["area"] == "devices")
    );
    let of_areas = |result: &&Value| result["area"] == "sharing" || result["area"] == "devices";
    assert_eq!(
        results(&some).len(),
        results(&all).iter().filter(of_areas).count()
    );

    let mut two = ids(&scan(
        &desk,
        "--rule guest-invitation-open --rule account-stale",
    ))
    .iter()
    .map(ToString::to_string)
    .collect::<Vec<_>>();
    two.sort();
    assert_eq!(two, ["account-stale", "guest-invitation-open"]);
    let rest = scan(&desk, "--skip-rule guest-invitation-open");
    assert_eq!(results(&rest).len(), results(&all).len() - 1);
    assert!(!ids(&rest).contains(&"guest-invitation-open"));
    assert!(ids(&scan(&desk, "--area identity --rule guest-invitation-open")).is_empty());
}

#[test]
fn only_what_is_picked_is_asked_for() {
    let stage = Stage::of("demo");
    let report = stage.scan("--rule guest-invitation-open");
    let asked: Vec<_> = report["collection"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["resource"])
        .collect();
    assert_eq!(
        asked,
        [
            "GET /v1.0/organization",
            "GET /v1.0/subscribedSkus",
            "GET /v1.0/policies/authorizationPolicy"
        ]
    );
    assert!(
        stage
            .emulator
            .requests()
            .iter()
            .all(|line| !line.path.contains("/users"))
    );
}

fn severity(result: &Value) -> Severity {
    let found = Severity::ALL
        .into_iter()
        .find(|severity| result["severity"] == severity.word());
    found.unwrap_or_else(|| panic!("{}", result["severity"]))
}

#[test]
fn findings_below_the_asked_severity_are_left_out() {
    let desk = demo();
    let all = scan(&desk, "");
    for (word, least) in [
        ("critical", Severity::Critical),
        ("high", Severity::High),
        ("medium", Severity::Medium),
        ("low", Severity::Low),
    ] {
        let some = scan(&desk, &format!("--min-severity {word}"));
        let fails = |report: &Value| {
            results(report)
                .iter()
                .filter(|result| result["status"] == "fail")
                .cloned()
                .collect::<Vec<_>>()
        };
        assert!(
            fails(&some).iter().all(|result| severity(result) >= least),
            "{word}"
        );
        let expected = fails(&all)
            .iter()
            .filter(|result| severity(result) >= least)
            .count();
        assert_eq!(fails(&some).len(), expected, "{word}");
        assert!(expected > 0, "{word}");
    }
}

/// The exit code of the contract, from the report alone and the catalogue.
fn contract(report: &Value, least: Option<Severity>, allow_incomplete: bool) -> i32 {
    let Some(least) = least else { return 0 };
    let any = |is: &dyn Fn(&Value) -> bool| results(report).iter().any(is);
    let worst = |result: &Value| {
        let rule = rules::find(result["rule_id"].as_str().unwrap()).unwrap();
        Severity::of(rule.risk.full())
    };
    if any(&|result| result["status"] == "fail" && severity(result) >= least) {
        1
    } else if !allow_incomplete
        && any(&|result| result["status"] == "not_evaluated" && worst(result) >= least)
    {
        4
    } else {
        0
    }
}

#[test]
fn exit_codes_follow_from_findings_and_from_what_was_not_read() {
    let mut seen = std::collections::BTreeSet::new();
    for tenant in ["demo", "sound", "basic", "restricted", "scuba-sample"] {
        let stage = Stage::of(tenant);
        let config = super::support::binary::folder(tenant).join("m365audit.toml");
        if config.exists() {
            std::fs::copy(config, stage.desk.path("m365audit.toml")).unwrap();
        }
        stage.run(stage.call("collect --save s.gz")).code(0);
        for narrow in ["", "--rule guest-invitation-open"] {
            let now = format!("{narrow} --now {}", stage.now);
            let report = scan(&stage.desk, &now);
            let lines = [
                ("critical", Some(Severity::Critical), false),
                ("high", Some(Severity::High), false),
                ("high", Some(Severity::High), true),
                ("medium", Some(Severity::Medium), false),
                ("medium", Some(Severity::Medium), true),
                ("low", Some(Severity::Low), false),
                ("never", None, false),
            ];
            for (word, least, allow) in lines {
                let code = contract(&report, least, allow);
                let flag = if allow { "--allow-incomplete" } else { "" };
                let arguments =
                    format!("scan --from s.gz --format json --fail-on {word} {flag} {now}");
                let ran = stage.desk.call(&arguments).run().code(code);
                assert_eq!(
                    ran.json(),
                    report,
                    "what fails the run does not change the report"
                );
                seen.insert((code, allow));
            }
        }
    }
    let expected = [(0, false), (0, true), (1, false), (1, true), (4, false)];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn ages_are_counted_to_the_given_moment() {
    let desk = demo();
    let stale = |now: &str| {
        let report = scan(&desk, &format!("--rule account-stale {now}"));
        let evaluated = report["evaluated_at"].as_str().unwrap().to_owned();
        assert_eq!(report["collected_at"], "2026-11-02T08:00:00Z");
        (
            evaluated,
            report["results"][0]["affected"]["count"].as_u64().unwrap(),
        )
    };
    let (at, today) = stale("");
    assert_eq!(at, "2026-11-02T08:00:00Z");
    let (at, later) = stale("--now 2027-11-02T09:30:00+01:00");
    assert_eq!(at, "2027-11-02T08:30:00Z");
    let (_, before) = stale("--now 2024-01-01T00:00:00Z");
    assert!(before < today && today < later, "{before} {today} {later}");
}
