//! How the service behaves: limits, trouble by chance, what is counted.

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
    let url = format!("{}/v1.0/$batch", client.emulator.graph_url());
    let request = client
        .http
        .post(url)
        .bearer_auth(&client.token)
        .header("Content-Type", "application/json");
    let answer = request
        .body(json!({"requests": parts}).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
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
    let floor = client
        .get("/emulator/floor?lists=/users,/identityProtection/riskyUsers")
        .await
        .json();
    // 600 at risk are two pages under one request a second.
    assert_eq!(floor["seconds"], 1.0, "{floor}");
    assert_eq!(floor["wall"], "Conditional Access and risk");
    let other = Client::of(Order::Hashed).await;
    assert_eq!(other.get("/emulator/summary").await.status, 400);
}
