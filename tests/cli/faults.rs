//! A Graph that pages, throttles, fails and breaks off: the same results, or none.

use m365audit::emulator::{Fault, FaultKind, Nth, Options, RetryAfter};
use serde_json::Value;

use crate::support::binary::{Desk, Stage, collected, result};

/// The report without what may differ between two runs of the same tenant: when, and at what cost.
fn lasting(mut report: Value) -> Value {
    report["collected_at"] = Value::Null;
    for entry in report["collection"].as_array_mut().unwrap() {
        entry["requests"] = Value::Null;
        entry["retries"] = Value::Null;
    }
    report
}

fn fault(path: &str, nth: Nth, kind: FaultKind) -> Fault {
    Fault {
        path_contains: path.to_owned(),
        nth,
        kind,
    }
}

fn sum(report: &Value, what: &str) -> u64 {
    let entries = report["collection"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry[what].as_u64().unwrap())
        .sum()
}

#[test]
fn the_demo_gives_the_same_bytes_each_time() {
    let desk = Desk::new();
    for format in ["json", "table"] {
        let run = || {
            desk.call(&format!("scan --demo --mailbox-rules --format {format}"))
                .run()
                .code(0)
        };
        assert_eq!(run().out(), run().out(), "{format}");
    }
}

#[test]
fn small_pages_change_nothing_but_the_number_of_requests() {
    let whole = Stage::of("demo").scan("--mailbox-rules");
    let options = Options {
        max_page: Some(7),
        ..Options::default()
    };
    let stage = Stage::with("demo", options);
    let small = stage.scan("--mailbox-rules");
    assert!(sum(&small, "requests") > sum(&whole, "requests") + 100);
    assert_eq!(sum(&small, "retries"), 0);
    assert_eq!(lasting(small), lasting(whole));
}

#[test]
fn trouble_that_passes_changes_nothing_but_the_number_of_retries() {
    let clean = Stage::of("demo").scan("");
    let throttle = |retry_after| FaultKind::Throttle { retry_after };
    let (users, only) = ("/v1.0/users?", Nth::Only);
    let options = Options {
        max_page: Some(100),
        faults: vec![
            fault(users, only(2), throttle(RetryAfter::Seconds(0))),
            fault(users, only(4), throttle(RetryAfter::None)),
            fault(
                "/v1.0/servicePrincipals?$select=id,appId",
                Nth::First(2),
                FaultKind::Status(503),
            ),
            fault(
                "/conditionalAccess/policies",
                Nth::First(2),
                throttle(RetryAfter::None),
            ),
            fault("/v1.0/$batch", only(1), FaultKind::Status(504)),
            fault("/v1.0/applications?", only(1), FaultKind::CutBody),
            fault("/riskyUsers", only(1), FaultKind::ResetConnection),
            fault("/managedDevices?", only(2), FaultKind::ExpiredToken),
            fault(
                "/policies/authorizationPolicy",
                only(1),
                FaultKind::BatchPartFailure,
            ),
            fault("/oauth2PermissionGrants", only(1), FaultKind::Html(502)),
            fault(
                "/userRegistrationDetails",
                only(2),
                FaultKind::EmptyPageWithNextLink,
            ),
            fault("/oauth2/v2.0/token", only(2), FaultKind::Status(503)),
        ],
        ..Options::default()
    };
    let stage = Stage::with("demo", options);
    let troubled = stage.scan("");
    assert!(
        sum(&troubled, "retries") >= 10,
        "{:#}",
        troubled["collection"]
    );
    for (status, times) in [(401, 1), (429, 4), (502, 1), (503, 3), (504, 1)] {
        assert!(
            stage.answered(status) >= times,
            "{status} came {} times",
            stage.answered(status)
        );
    }
    let retries = |resource| collected(&troubled, resource)["retries"].as_u64().unwrap();
    // More where a token expired meanwhile.
    assert!(retries("/v1.0/servicePrincipals") >= 2);
    assert!(retries("/v1.0/identity/conditionalAccess/policies") >= 2);
    assert!(retries("/v1.0/policies/authorizationPolicy") >= 1);
    assert_eq!(troubled["complete"], true);
    assert_eq!(lasting(troubled), lasting(clean));
}

#[test]
fn a_token_that_is_challenged_is_replaced() {
    let clean = Stage::of("demo").scan("");
    let options = Options {
        faults: vec![fault(
            "/security/alerts_v2",
            Nth::Only(1),
            FaultKind::ClaimsChallenge,
        )],
        ..Options::default()
    };
    let stage = Stage::with("demo", options);
    let challenged = stage.scan("");
    assert!(stage.answered(401) >= 1);
    assert!(sum(&challenged, "retries") >= 1);
    assert_eq!(lasting(challenged), lasting(clean));
    let lines = stage.emulator.requests();
    let tokens = lines.iter().filter(|line| line.path.ends_with("/token"));
    // One for the challenge, and one for those who were only told that theirs is not good any more.
    assert!((2..=3).contains(&tokens.count()), "{lines:?}");
}

#[test]
fn tokens_revoked_in_quick_succession_cost_requests_and_no_list() {
    let clean = Stage::of("demo").scan("");
    let options = Options {
        max_page: Some(20),
        faults: vec![
            fault("/v1.0/users?", Nth::Only(3), FaultKind::ExpiredToken),
            fault("/v1.0/groups?", Nth::First(2), FaultKind::ExpiredToken),
            fault(
                "/v1.0/servicePrincipals?",
                Nth::Only(2),
                FaultKind::ExpiredToken,
            ),
        ],
        ..Options::default()
    };
    let stage = Stage::with("demo", options);
    let revoked = stage.scan("");
    assert!(stage.answered(401) >= 4);
    assert_eq!(revoked["complete"], true);
    assert_eq!(lasting(revoked), lasting(clean));
}

#[test]
fn a_list_that_breaks_off_for_good_is_partial_and_nothing_passes_on_it() {
    let clean = Stage::of("sound").scan("");
    for kind in [
        FaultKind::CutBody,
        FaultKind::Status(503),
        FaultKind::LoopNextLink,
        FaultKind::RepeatPage,
    ] {
        let options = Options {
            max_page: Some(20),
            // Every list is well up to its first next link.
            faults: vec![fault("skiptoken", Nth::Always, kind.clone())],
            ..Options::default()
        };
        let report = Stage::with("sound", options).scan("");
        assert_eq!(report["complete"], false, "{kind:?}");
        let users = collected(&report, "/v1.0/users");
        assert_eq!(users["status"], "partial", "{kind:?}");
        assert!(
            users["count"].as_u64() < users["expected"].as_u64(),
            "{users}"
        );
        assert!(!users["error"].as_str().unwrap().is_empty());
        nothing_passes_unread(&report);
        // Whoever is missing might be the one who fails.
        for rule in ["users-without-mfa-method", "users-with-weak-methods-only"] {
            if m365audit::rules::find(rule).is_some() && result(&clean, rule)["status"] == "pass" {
                let result = result(&report, rule);
                assert_eq!(result["status"], "not_evaluated", "{kind:?}");
                assert!(
                    result["reason"].as_str().unwrap().contains("GET /v1.0/"),
                    "{result}"
                );
            }
        }
        // Who was read and fails, fails: the rest cannot make it better.
        let before = result(&clean, "account-stale")["status"].clone();
        let after = result(&report, "account-stale")["status"].clone();
        assert!(
            before == "fail" && (after == "fail" || after == "not_evaluated"),
            "{after}"
        );
    }
}

/// The promise on which everything rests.
pub(crate) fn nothing_passes_unread(report: &Value) {
    for rule in m365audit::rules::registry() {
        let unread = rule.reads.iter().find(|resource| {
            let entries = report["collection"].as_array().unwrap().iter();
            entries
                .filter(|entry| entry["resource"] == resource.source())
                .all(|entry| entry["status"] != "collected" && entry["status"] != "not_licensed")
        });
        let found = report["results"]
            .as_array()
            .unwrap()
            .iter()
            .find(|result| result["rule_id"] == rule.id);
        if let (Some(unread), Some(found)) = (unread, found) {
            assert_ne!(
                found["status"], "pass",
                "{} passes, though {unread} was not read",
                rule.id
            );
        }
    }
}

#[test]
fn rows_that_go_missing_without_a_word_are_noticed() {
    let options = Options {
        faults: vec![fault(
            "/v1.0/users?$select=id,userPrincipalName",
            Nth::Always,
            FaultKind::DropRows(5),
        )],
        ..Options::default()
    };
    let report = Stage::with("demo", options).scan("");
    let users = collected(&report, "/v1.0/users");
    assert_eq!(
        (&users["expected"], &users["count"]),
        (&349.into(), &344.into())
    );
    assert_eq!(users["status"], "partial", "{users}");
    let error = "the list ended after 344 of the 349 rows that Graph counted";
    assert_eq!(users["error"], error);
    assert_eq!(report["complete"], false);
    nothing_passes_unread(&report);
}

#[test]
fn a_graph_that_stays_down_ends_the_run() {
    let stage = Stage::with(
        "demo",
        Options {
            faults: vec![fault(
                "/v1.0/organization",
                Nth::Always,
                FaultKind::Status(503),
            )],
            ..Options::default()
        },
    );
    let ran = stage.run(stage.call("scan")).failed(
        5,
        &["could not read from Microsoft Graph"],
        &["run again later"],
    );
    ran.says("Graph answered 503").says("tries");
}
