//! How the service behaves: limits, trouble by chance, what is counted.

use std::time::Duration;

use m365audit::emulator::{Fault, FaultKind, Nth, Options, Order, Pace, Trouble};
use serde_json::{Value, json};

use super::{Client, grown};

async fn client(options: Options) -> Client {
    Client::new(grown(1, Order::Hashed), options).await
}

const USERS: &str = "/v1.0/users?$select=id&$top=100";

#[tokio::test]
async fn resource_units_are_named_charged_and_scaled() {
    // 8,000 units scaled to 8: the tenth request of one unit is too many.
    let options = Options {
        pace: Pace::Strict,
        unit_scale: Some(0.001),
        ..Options::default()
    };
    let client = client(options).await;
    let mut last = None;
    for number in 1..=8 {
        let answer = client.get(USERS).await;
        assert_eq!(answer.status, 200, "request {number}");
        assert_eq!(answer.header("x-ms-resource-unit"), Some("1"));
        last = answer
            .header("x-ms-throttle-limit-percentage")
            .map(|share| share.parse::<f64>().unwrap());
        if number < 7 {
            assert_eq!(last, None, "request {number}");
        }
    }
    assert!(last.unwrap() >= 0.8, "{last:?}");
    // Without $select a page of users costs two.
    let refused = client.get("/v1.0/users?$top=100").await;
    assert_eq!(refused.status, 429);
    for (name, starts) in [
        ("Retry-After", ""),
        ("x-ms-throttle-scope", "Tenant_Application/"),
        ("x-ms-throttle-information", "ResourceUnitLimitExceeded"),
        ("x-ms-throttle-limit-percentage", "1."),
    ] {
        let value = refused.header(name).unwrap_or_default();
        assert!(
            value.starts_with(starts) && !value.is_empty(),
            "{name}: {value}"
        );
    }
    // Other services have their own limits.
    assert_eq!(
        client
            .get("/v1.0/identityProtection/riskyUsers?$top=1")
            .await
            .status,
        200
    );
    let summary = client.emulator.summary();
    assert_eq!((summary.throttled, summary.units), (1, 8));
}

#[tokio::test]
async fn sign_ins_count_as_reports_where_that_is_played() {
    let path = "/v1.0/users?$select=id,signInActivity&$top=1";
    for (reports, refused_after) in [(false, None), (true, Some(5))] {
        let options = Options {
            pace: Pace::Strict,
            sign_ins_are_reports: reports,
            ..Options::default()
        };
        let client = client(options).await;
        let mut statuses = Vec::new();
        for _ in 0..7 {
            statuses.push(client.get(path).await.status);
        }
        assert_eq!(
            statuses.iter().position(|status| *status == 429),
            refused_after
        );
    }
}

#[tokio::test]
async fn trouble_by_chance_has_its_share_and_follows_from_the_seed() {
    let statuses = |trouble: Trouble, seed| async move {
        let client = client(Options {
            trouble: Some(trouble),
            seed,
            ..Options::default()
        })
        .await;
        let mut statuses = Vec::new();
        for _ in 0..300 {
            let url = format!(
                "{}/v1.0/groups?$top=1&$select=id",
                client.emulator.graph_url()
            );
            let request = client.http.get(url).bearer_auth(&client.token);
            statuses.push(match request.send().await {
                Ok(answer) => (
                    answer.status().as_u16(),
                    answer.headers().contains_key("Retry-After"),
                ),
                Err(_) => (0, false),
            });
        }
        (statuses, client.emulator.summary())
    };
    let (with, summary) = statuses(Trouble::with_retry_after(0.1, 1), 3).await;
    let (again, _) = statuses(Trouble::with_retry_after(0.1, 1), 3).await;
    assert_eq!(with, again);
    let of = |statuses: &[(u16, bool)], wanted: (u16, bool)| {
        statuses.iter().filter(|status| **status == wanted).count()
    };
    let hit = 300 - of(&with, (200, false));
    assert!((15..=50).contains(&hit), "{hit} of 300");
    assert_eq!(hit, of(&with, (429, true)) + of(&with, (503, true)));
    assert_eq!(summary.hit, u64::try_from(hit).unwrap());
    assert_eq!(summary.by_service["Identity"].values().sum::<u64>(), 300);
    let (without, summary) = statuses(Trouble::without_retry_after(0.1), 3).await;
    for kind in [(429, false), (503, false), (0, false)] {
        assert!(of(&without, kind) > 1, "{kind:?}");
    }
    assert_eq!(
        summary.by_service["Identity"][&0],
        u64::try_from(of(&without, (0, false))).unwrap()
    );
}

#[tokio::test]
async fn batches_are_hit_part_by_part_and_never_as_a_whole() {
    let client = client(Options {
        trouble: Some(Trouble::without_retry_after(1.0)),
        ..Options::default()
    })
    .await;
    let part = |id: usize| json!({"id": id.to_string(), "method": "GET", "url": "/groups?$top=1"});
    let parts: Vec<Value> = (0..20).map(part).collect();
    let answer = client.batch(json!(parts)).await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    let parts = body["responses"].as_array().unwrap();
    assert!(
        parts
            .iter()
            .all(|part| part["status"] == 429 || part["status"] == 503)
    );
    let summary = client.emulator.summary();
    assert_eq!(
        (
            summary.requests,
            summary.parts,
            summary.batches,
            summary.hit
        ),
        (20, 20, 1, 20)
    );
}

#[tokio::test]
async fn ordered_faults_reach_computed_lists() {
    let fault = |kind| Options {
        faults: vec![Fault {
            path_contains: "/v1.0/users".to_owned(),
            nth: Nth::Only(2),
            kind,
        }],
        ..Options::default()
    };
    for (kind, expected) in [
        (FaultKind::DropRows(10), 690),
        (FaultKind::RepeatPage, 700),
        (FaultKind::EmptyPageWithNextLink, 700),
    ] {
        let rows = client(fault(kind.clone())).await.all(USERS).await.0;
        assert_eq!(rows.len(), expected, "{kind:?}");
    }
}

#[tokio::test]
async fn what_was_asked_is_counted_and_told_only_where_that_is_allowed() {
    let client = client(Options {
        counts_only: true,
        control: true,
        pace: Pace::Strict,
        ..Options::default()
    })
    .await;
    client.all(USERS).await;
    client.all(USERS).await;
    assert!(client.emulator.requests().is_empty());
    let summary = client.get("/emulator/summary").await.json();
    assert_eq!(summary["requests"], 14);
    assert_eq!(summary["repeated"], 7, "{summary}");
    assert_eq!(summary["tokens"], 1);
    assert_eq!(summary["inFlight"], 0);
    assert_eq!(summary["byRoute"], json!({"/users": 14}));
    assert_eq!(summary["byService"], json!({"Identity": {"200": 14}}));
    assert!(summary["bytes"].as_u64().unwrap() > 10_000);
    let other = Client::of(Order::Hashed).await;
    assert_eq!(other.get("/emulator/summary").await.status, 400);
}

#[tokio::test]
async fn the_floor_counts_what_has_to_be_asked() {
    let client = client(Options {
        control: true,
        ..Options::default()
    })
    .await;
    for path in [
        // In the largest pages a list of 700 users is one page, whatever is asked and how often.
        USERS,
        "/v1.0/users?$select=id,displayName&$top=1&$count=true",
        "/v1.0/users/$count",
        // 300 with their keys, under another limit.
        "/v1.0/servicePrincipals?$select=id&$top=999",
        "/v1.0/servicePrincipals?$select=id,keyCredentials&$top=999",
        // 600 at risk are two pages.
        "/v1.0/identityProtection/riskyUsers?$top=1",
        // Two versions, two answers; and one that is not licensed.
        "/v1.0/identity/conditionalAccess/policies",
        "/beta/identity/conditionalAccess/policies",
        "/v1.0/identityProtection/riskyServicePrincipals",
        "/v1.0/organization",
        "/v1.0/organization?$select=id",
    ] {
        client.eventual(path).await;
    }
    let floor = client.get("/emulator/floor").await.json();
    let expected = json!({"Identity": 2, "KeyCredentials": 1, "ConditionalAccess": 5});
    assert_eq!(floor["requests"], expected, "{floor}");
    let summary = client.emulator.summary();
    assert_eq!(
        summary.needed["ConditionalAccess"]["v1.0 /identityProtection/riskyServicePrincipals refused"],
        1
    );
    let asked: u64 = summary.by_service["KeyCredentials"].values().sum();
    assert_eq!(asked, 1);
    // With the last sign-ins a page has 500.
    let path = "/v1.0/users?$select=id,signInActivity&$top=500";
    assert_eq!(client.get(path).await.status, 200);
    let floor = client.get("/emulator/floor").await.json();
    assert_eq!(floor["requests"]["Identity"], 3, "{floor}");
}

#[tokio::test]
async fn parts_of_a_batch_are_in_flight_each_for_itself() {
    let client = client(Options {
        faults: vec![Fault {
            path_contains: "$batch".to_owned(),
            nth: Nth::Only(1),
            kind: FaultKind::Latency(Duration::from_mins(10)),
        }],
        ..Options::default()
    })
    .await;
    let seen = |wanted: u64| {
        let emulator = &client.emulator;
        let looked = async move {
            while emulator.summary().in_flight_requests != wanted {
                tokio::task::yield_now().await;
            }
            emulator.summary().in_flight
        };
        tokio::time::timeout(Duration::from_mins(1), looked)
    };
    let part = |id: u8| json!({"id": id.to_string(), "method": "GET", "url": "/groups?$top=1"});
    let batch = client.batch_request(&json!([part(1), part(2), part(3)]));
    let asking = tokio::spawn(batch.send());
    assert_eq!(seen(3).await.unwrap(), 1);
    asking.abort();
    assert_eq!(seen(0).await.unwrap(), 0);
}
