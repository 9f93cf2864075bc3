//! Many reads in one request.

use super::*;

fn part(id: &str, status: u16, body: &serde_json::Value) -> serde_json::Value {
    json!({ "id": id, "status": status, "headers": { "Content-Type": "application/json" }, "body": body })
}

/// The ids and URLs of the parts of a batch request.
fn parts(seen: &Seen) -> Vec<(String, String)> {
    let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
    let parts = body["requests"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    parts
        .iter()
        .map(|part| {
            assert_eq!(part["method"], "GET");
            assert_eq!(part["headers"]["Prefer"], "include-unknown-enum-members");
            (text(&part["id"]), text(&part["url"]))
        })
        .collect()
}

#[tokio::test]
async fn a_batch_repeats_only_what_was_refused() {
    let rules = |user: &str| Query::v1("/users").segment(user).segment("mailFolders");
    let link = "{root}/v1.0/users/a/mailFolders?$skip=10";
    let setup = Setup::new(Server::handler(move |number, seen| {
        let asked = parts(seen);
        let answers: Vec<_> = asked
            .iter()
            .rev() // in any order
            .filter_map(|(id, url)| {
                Some(match (number, url.as_str()) {
                    (_, "/users/a/mailFolders") => {
                        part(id, 200, &json!({ "value": [{ "id": 1 }], "@odata.nextLink": link }))
                    }
                    (0, "/users/b/mailFolders") => {
                        let mut part = part(id, 429, &json!({ "error": { "code": "ApplicationThrottled", "message": "" } }));
                        part["headers"]["retry-after"] = "7".into();
                        part
                    }
                    (0, "/users/c/mailFolders") => part(id, 503, &json!({})),
                    (0, "/users/d/mailFolders") => return None,
                    (_, "/users/e/mailFolders") => {
                        part(id, 404, &json!({ "error": { "code": "MailboxNotEnabledForRESTAPI", "message": "x" } }))
                    }
                    (_, url) => part(id, 200, &json!({ "url": url })),
                })
            })
            .collect();
        Reply::ok(json!({ "responses": answers }).to_string())
    }));
    let mut queries: Vec<Query> = ["a", "b", "c", "d", "e"].into_iter().map(rules).collect();
    queries.insert(2, rules(".."));
    let results = setup.client.batch(queries).await;
    let seen = setup.server.seen();
    assert_eq!(seen.len(), 2);
    assert!(
        seen.iter()
            .all(|seen| seen.method == "POST" && seen.target == "/v1.0/$batch")
    );
    let urls = |number: usize| {
        parts(&seen[number])
            .into_iter()
            .map(|(_, url)| url)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        urls(1),
        [
            "/users/b/mailFolders",
            "/users/c/mailFolders",
            "/users/d/mailFolders"
        ]
    );
    assert_eq!(setup.clock.waits(), [7_000]);

    let first = results[0].as_ref().unwrap();
    assert_eq!(
        (first.rows().unwrap().len(), first.effort),
        (
            1,
            Effort {
                requests: 1,
                retries: 0
            }
        )
    );
    let next = first.next().unwrap();
    assert_eq!(next, link.replace("{root}", &setup.server.root()));
    for (place, user) in [(1, "b"), (3, "c"), (4, "d")] {
        let answer = results[place].as_ref().unwrap();
        assert_eq!(
            answer.parse::<serde_json::Value>().unwrap()["url"],
            format!("/users/{user}/mailFolders")
        );
        assert_eq!(
            answer.effort,
            Effort {
                requests: 2,
                retries: 1
            }
        );
    }
    assert!(matches!(results[2], Err(GraphError::InvalidQuery { .. })));
    assert_eq!(results[5].as_ref().unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn batches_are_of_one_service_and_at_most_twenty() {
    let first = std::sync::atomic::AtomicBool::new(true);
    let setup = Setup::new(Server::handler(move |_, seen| {
        if seen.method == "GET" {
            return Reply::ok(
                json!({ "url": seen.target.trim_start_matches("/v1.0") }).to_string(),
            );
        }
        // Of the batches; single requests may come before them.
        let token_refused = first.swap(false, std::sync::atomic::Ordering::SeqCst);
        let answers = parts(seen).into_iter().map(|(id, url)| {
            if token_refused {
                part(&id, 401, &json!({ "error": { "code": "InvalidAuthenticationToken", "message": "expired" } }))
            } else {
                part(&id, 200, &json!({ "url": url }))
            }
        });
        Reply::ok(json!({ "responses": answers.collect::<Vec<_>>() }).to_string())
    }));
    let mut queries: Vec<Query> = (0..41)
        .map(|number| Query::v1("/groups").segment(&number.to_string()))
        .collect();
    queries.insert(3, Query::beta("/groups/x"));
    queries.insert(5, Query::v1("/deviceManagement/intents"));
    queries.insert(7, Query::v1("/security/secureScores"));
    queries.insert(9, Query::v1("/security/secureScoreControlProfiles"));
    queries.insert(11, Query::v1("/identity/conditionalAccess/policies"));
    queries.insert(13, Query::v1("/identity/conditionalAccess/namedLocations"));
    let paths: Vec<String> = queries
        .iter()
        .map(|query| query.path()[5..].to_owned())
        .collect();
    let results = setup.client.batch(queries).await;
    for (result, path) in results.iter().zip(&paths) {
        let body: serde_json::Value = result.as_ref().unwrap().parse().unwrap();
        assert!(
            body["url"].as_str().unwrap().ends_with(path),
            "{body} for {path}"
        );
    }
    for seen in setup
        .server
        .seen()
        .iter()
        .filter(|seen| seen.method == "POST")
    {
        let parts = parts(seen);
        let services: Vec<Service> = parts.iter().map(|(_, url)| Service::of(url)).collect();
        assert!(
            parts.len() <= 20 && services.iter().all(|service| *service == services[0]),
            "{parts:?}"
        );
        assert!(
            !services.contains(&Service::ConditionalAccess),
            "one per second: no batch"
        );
    }
    assert_eq!(setup.tokens.renewals().len(), 1);
}
