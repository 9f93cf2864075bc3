//! Whole tenants: one that may not be read, one that is empty, one without premium licences, a real one.

use std::collections::BTreeSet;

use m365audit::emulator::Options;
use m365audit::rules;
use serde_json::{Value, json};

use super::faults::nothing_passes_unread;
use crate::support::binary::{Stage, changed, collected, folder, result};

fn statuses(report: &Value) -> Vec<(&str, &str)> {
    let results = report["results"].as_array().unwrap().iter();
    results
        .map(|result| {
            (
                result["rule_id"].as_str().unwrap(),
                result["status"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn an_application_that_may_read_little_says_what_is_missing() {
    let stage = Stage::of("restricted");
    let snapshot = stage.desk.path("restricted.gz");
    let report = stage.scan(&format!("--save {}", snapshot.display()));
    assert_eq!(report["complete"], false);
    let policy = collected(&report, "/v1.0/policies/authorizationPolicy");
    assert_eq!(policy["status"], "forbidden");
    assert_eq!(policy["permission"], "Policy.Read.All");
    assert!(
        policy["error"]
            .as_str()
            .unwrap()
            .contains("Graph answered 403"),
        "{policy}"
    );
    assert_eq!(collected(&report, "/v1.0/users")["status"], "collected");
    let invitations = result(&report, "guest-invitation-open");
    assert_eq!(invitations["status"], "not_evaluated");
    let reason = invitations["reason"].as_str().unwrap();
    assert!(
        reason.contains("Policy.Read.All") && reason.contains("/policies/authorizationPolicy"),
        "{reason}"
    );
    nothing_passes_unread(&report);

    // Every rule that stands on a refused request names the permission of one.
    let refused: Vec<&str> = report["collection"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["status"] == "forbidden")
        .map(|entry| entry["permission"].as_str().unwrap())
        .collect();
    assert!(refused.len() > 10);
    for rule in rules::registry().filter(|rule| rule.reads.len() == 1) {
        let found = result(&report, rule.id);
        if found["status"] == "not_evaluated"
            && refused.contains(&rule.reads[0].permission().as_str())
        {
            let reason = found["reason"].as_str().unwrap();
            assert!(
                reason.contains(&rule.reads[0].permission()),
                "{}: {reason}",
                rule.id
            );
        }
    }

    let code = |arguments: &str, code: i32| {
        let call = format!("scan --rule guest-invitation-open {arguments} --from");
        stage.desk.call(&call).arg(&snapshot).run().code(code);
    };
    code("", 0);
    code("--fail-on medium", 4);
    code("--fail-on low", 4);
    code("--fail-on high", 0); // this rule is never high
    code("--fail-on medium --allow-incomplete", 0);
}

#[test]
fn an_empty_tenant_has_nothing_to_judge() {
    let empty = changed("sound", |file, content| {
        if file != "tenant.json" {
            for body in content.as_object_mut().unwrap().values_mut() {
                if body.is_array() {
                    *body = json!([]);
                }
            }
        }
    });
    let stage = Stage::serve(empty, Options::default());
    let report = stage.scan("--mailbox-rules");
    assert_eq!(report["tenant"]["id"], stage.tenant);
    for entry in report["collection"].as_array().unwrap() {
        let fine = entry["status"] == "collected" || entry["status"] == "not_licensed";
        assert!(fine && entry["count"].as_u64().unwrap() <= 1, "{entry}");
    }
    let of_population = rules::registry().filter(|rule| rule.kind == rules::Kind::Population);
    for rule in of_population {
        let result = result(&report, rule.id);
        let status = result["status"].as_str().unwrap();
        let nothing_judged = ["not_applicable", "not_licensed", "not_evaluated"].contains(&status);
        assert!(
            nothing_judged || result["affected"]["count"] == 0,
            "{result:#}"
        );
    }
    assert_eq!(
        result(&report, "guest-stale")["status"],
        "not_licensed",
        "no licence, no sign-in data"
    );
    assert_eq!(
        result(&report, "admin-account-guest")["status"],
        "not_applicable"
    );
    stage.run(stage.call("scan")).code(0);
}

#[test]
fn a_tenant_without_premium_licences() {
    let report = Stage::of("basic").scan("");
    let activity = collected(&report, "/v1.0/users?$select=id,signInActivity");
    assert_eq!(activity["status"], "not_licensed");
    let stale = result(&report, "account-stale");
    assert_eq!(stale["status"], "not_licensed");
    assert!(!stale["reason"].as_str().unwrap().is_empty());
    for (rule, status) in statuses(&report) {
        let asked = !rule.starts_with("inbox-rule-"); // only with --mailbox-rules
        assert!(
            !asked || status != "not_evaluated",
            "{rule}: {}",
            result(&report, rule)["reason"]
        );
    }
    assert_eq!(
        report["complete"], true,
        "what no licence offers is not missing"
    );
    assert_eq!(result(&report, "guest-invitation-open")["status"], "fail");
}

/// The published settings of a real test tenant; large parts of it are absent, and Graph refuses them.
#[test]
fn a_real_test_tenant() {
    let stage = Stage::of("scuba-sample");
    let report = stage.scan("");
    nothing_passes_unread(&report);
    for result in report["results"].as_array().unwrap() {
        if result["status"] == "not_evaluated" {
            let reason = result["reason"].as_str().unwrap();
            assert!(reason.contains("GET /"), "{}: {reason}", result["rule_id"]);
        }
    }
    // Looked up by hand in graph.json.
    for (rule, status, actual) in [
        ("guest-invitation-open", "pass", "adminsAndGuestInviters"),
        (
            "guest-directory-access-wide",
            "pass",
            "10dae51f-b6af-4016-8d66-8c2a99b929b3",
        ),
        ("users-can-register-apps", "fail", "true"),
        (
            "user-consent-unrestricted",
            "pass",
            "microsoft-user-default-low",
        ),
        ("admin-consent-workflow-off", "pass", "true"),
        ("sharepoint-anonymous-sharing-allowed", "pass", "disabled"),
        ("sharepoint-guest-resharing-allowed", "pass", "disabled"),
        ("sharepoint-legacy-authentication-allowed", "pass", "false"),
        ("security-contact-missing", "fail", "empty"),
        ("account-stale", "pass", "0 of 7"),
        // Off, but seven Conditional Access policies stand in their place.
        ("security-defaults-off", "pass", "false"),
        ("legacy-authentication-allowed", "pass", "0 of 7"),
        ("mfa-not-enforced-for-all-users", "pass", "0 of 7"),
        ("risky-user-access-unrestricted", "pass", "0 of 7"),
        // High risk is blocked, medium is not; one account is left out of the block of device codes.
        ("risky-sign-in-not-challenged", "fail", "7 of 7"),
        ("device-code-flow-allowed", "fail", "1 of 7"),
    ] {
        let result = result(&report, rule);
        assert_eq!(result["status"], status, "{rule}: {}", result["reason"]);
        let mut evidence = result["evidence"].as_array().unwrap().iter();
        assert!(
            evidence.any(|line| line["actual"] == actual),
            "{rule}: {}",
            result["evidence"]
        );
    }
    for resource in [
        "/v1.0/deviceManagement/managedDevices",
        "/v1.0/oauth2PermissionGrants",
        "/v1.0/security/alerts_v2",
    ] {
        assert_eq!(
            collected(&report, resource)["status"],
            "forbidden",
            "the source did not hold it"
        );
    }
}

/// The tenants that were made for the purpose, against a second reading of the catalogue that shares nothing with this program:
/// `fixtures/tenants/expected.tsv` (see `fixtures/README.md`).
#[test]
fn the_tenants_made_for_the_purpose_come_out_as_an_independent_reading_says() {
    let expected = include_str!("../../fixtures/tenants/expected.tsv");
    for tenant in ["demo", "sound", "basic"] {
        let stage = Stage::of(tenant);
        let config = folder(tenant).join("m365audit.toml");
        let config = if config.exists() {
            format!("--config {}", config.display())
        } else {
            String::new()
        };
        let report = stage.scan(&format!("--mailbox-rules {config}"));
        let found: BTreeSet<String> = report["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| {
                let affected = if result["status"] == "fail" {
                    result["affected"]["count"].to_string()
                } else {
                    "-".to_owned()
                };
                let word = |key: &str| result[key].as_str().unwrap().to_owned();
                format!(
                    "{tenant}\t{}\t{}\t{affected}",
                    word("rule_id"),
                    word("status")
                )
            })
            .collect();
        let wanted: BTreeSet<String> = expected
            .lines()
            .filter(|line| line.starts_with(&format!("{tenant}\t")))
            .map(str::to_owned)
            .collect();
        let differ: Vec<_> = found.symmetric_difference(&wanted).collect();
        assert!(differ.is_empty(), "{differ:#?}");
    }
}
