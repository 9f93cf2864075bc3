//! `access review` and `access compare`, from the demo and from snapshots.

use serde_json::{Value, json};

use crate::support::binary::Desk;

fn ids(list: &Value) -> Vec<&str> {
    let policies = list.as_array().unwrap().iter();
    policies.map(|one| one["name"].as_str().unwrap()).collect()
}

#[test]
fn the_demo_is_reviewed_and_compares_as_itself() {
    let desk = Desk::new();
    desk.call("scan --demo -q --save a.jsonl.gz").run().code(0);
    let live = desk
        .call("access review --demo -q --format json")
        .run()
        .code(0);
    let review = live.json();
    assert_eq!(review["schema_version"], "1");
    assert_eq!(
        ids(&review["dead"]),
        [
            "CA11 - Contractors - Block",
            "CA12 - LedgerLamp - Strong sign-in for approvers"
        ]
    );
    let nobody = json!({"count": 0, "ids": [], "truncated": false});
    for part in ["users", "administrators", "emergency"] {
        assert_eq!(review["lockout"][part], nobody, "{part}");
    }
    assert_eq!(review["report_only"]["weaker_users"], nobody);
    assert!(
        review["report_only"]["stronger_users"]["count"]
            .as_u64()
            .unwrap()
            > 0
    );
    let kinds: Vec<&str> = review["leftovers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    for kind in ["report_only", "uncovered_exclusion", "spoofable_condition"] {
        assert!(kinds.contains(&kind), "{kind}");
    }
    for list in ["redundant", "undecided", "report_only_policies"] {
        assert!(review[list].is_array(), "{list}");
    }
    // The same bytes again, and the same policies from the file.
    let review_file = "access review --from a.jsonl.gz --format json";
    let once = desk.call(review_file).run().code(0);
    assert_eq!(once.bytes, desk.call(review_file).run().code(0).bytes);
    assert_eq!(ids(&once.json()["dead"]), ids(&review["dead"]));
    let table = desk
        .call("access review --from a.jsonl.gz")
        .run()
        .code(0)
        .out();
    assert!(
        table.contains("Dead (can keep nobody out):\n  CA11"),
        "{table}"
    );
    assert!(table.contains("Locked out: none\n"), "{table}");

    let same = desk
        .call("access compare a.jsonl.gz a.jsonl.gz --format json")
        .run()
        .code(0)
        .json();
    assert_eq!(same["verdict"], "equivalent");
    assert_eq!(same["witnesses"], json!([]));
    for set in ["weaker_users", "stronger_users", "newly_blocked_users"] {
        assert_eq!(same[set], nobody, "{set}");
    }
    let table = desk
        .call("access compare a.jsonl.gz a.jsonl.gz")
        .run()
        .code(0)
        .out();
    assert!(
        table.starts_with("Every sign-in is treated the same.\n"),
        "{table}"
    );
    let usage = desk.call("access compare a.jsonl.gz").run().code(2);
    assert!(usage.err.contains("<NEW>"), "{}", usage.err);
    desk.call("access compare a.jsonl.gz absent.gz")
        .run()
        .failed(5, &["absent.gz"], &[]);
}
