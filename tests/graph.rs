//! The Graph client against a server that misbehaves on purpose.

mod scripted;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use m365audit::auth::{AccessToken, AuthError, Renewal, TokenSource};
use m365audit::graph::{
    Clock as _, Effort, ErrorKind, Event, GraphClient, GraphError, Observer, Pace, Page, Query,
    Service, http, odata,
};
use scripted::{FakeClock, Log, Reply, Seen, Server};
use secrecy::SecretString;
use serde_json::json;

/// Hands out numbered tokens and remembers why.
#[derive(Default)]
struct Tokens(Mutex<Vec<Renewal>>);

impl Tokens {
    /// The renewals beyond "if needed".
    fn renewals(&self) -> Vec<Renewal> {
        self.0
            .lock()
            .unwrap()
            .iter()
            .filter(|renewal| **renewal != Renewal::IfNeeded)
            .cloned()
            .collect()
    }
}

impl TokenSource for Tokens {
    fn token(&self, renewal: Renewal) -> BoxFuture<'_, Result<Arc<AccessToken>, AuthError>> {
        let number = {
            let mut asked = self.0.lock().unwrap();
            asked.push(renewal);
            1 + asked
                .iter()
                .filter(|renewal| **renewal != Renewal::IfNeeded)
                .count() as u64
        };
        let token = SecretString::from(format!("TOKENTEXT{number}"));
        let token = AccessToken::new(
            number,
            token,
            "2026-08-20T10:17:05Z".parse().unwrap(),
            Duration::from_secs(3600),
        );
        async move { Ok(Arc::new(token.unwrap())) }.boxed()
    }
}

struct Setup {
    server: Server,
    client: GraphClient,
    clock: Arc<FakeClock>,
    tokens: Arc<Tokens>,
}

impl Setup {
    fn new(server: Server) -> Self {
        Self::observed(server, None)
    }

    fn script(replies: Vec<Reply>) -> Self {
        Self::new(Server::script(replies))
    }

    fn observed(server: Server, observer: Option<Arc<dyn Observer>>) -> Self {
        let root = http::root(&server.root()).unwrap();
        let (clock, tokens) = (FakeClock::new(), Arc::new(Tokens::default()));
        let http = http::client(&[&root]).unwrap();
        let client = GraphClient::observed(
            http,
            root,
            tokens.clone(),
            clock.clone(),
            Pace::published(),
            observer,
        )
        .unwrap();
        Self {
            server,
            client,
            clock,
            tokens,
        }
    }

    async fn pages(&self, query: Query) -> Result<Vec<Page>, GraphError> {
        self.client.pages(query).try_collect().await
    }

    fn targets(&self) -> Vec<String> {
        self.server
            .seen()
            .into_iter()
            .map(|seen| seen.target)
            .collect()
    }
}

fn users() -> Query {
    Query::v1("/users")
}

fn page(ids: &[u32], next: Option<&str>) -> Reply {
    let rows: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
    let mut body = json!({ "@odata.context": "x", "value": rows });
    if let Some(next) = next {
        body["@odata.nextLink"] = next.into();
    }
    Reply::ok(body.to_string())
}

fn status(status: u16) -> Reply {
    Reply::error(status, "", "")
}

#[tokio::test]
async fn waits_are_what_the_server_asks_for() {
    let after = |value: &str| status(429).header("Retry-After", value);
    let ok = || Reply::ok("{}");
    // (what, answers, requests, waits in milliseconds: exact, or a ceiling where the wait is our own)
    let cases: Vec<(
        &str,
        Vec<Reply>,
        usize,
        Vec<Result<u64, u64>>,
        Option<ErrorKind>,
    )> = vec![
        (
            "seconds",
            vec![after("10"), ok()],
            2,
            vec![Ok(10_000)],
            None,
        ),
        (
            "decimal",
            vec![after("2.128"), ok()],
            2,
            vec![Ok(2_128)],
            None,
        ),
        (
            "date",
            vec![after("Thu, 20 Aug 2026 10:17:35 GMT"), ok()],
            2,
            vec![Ok(30_000)],
            None,
        ),
        (
            "far too long",
            vec![after("86400"), ok()],
            2,
            vec![Ok(300_000)],
            None,
        ),
        (
            "nonsense",
            vec![after("soon"), ok()],
            2,
            vec![Err(1_000)],
            None,
        ),
        (
            "negative",
            vec![after("-5"), ok()],
            2,
            vec![Err(1_000)],
            None,
        ),
        (
            "absent",
            vec![status(429), status(429), ok()],
            3,
            vec![Err(1_000), Err(2_000)],
            None,
        ),
        (
            "509 and 503",
            vec![status(509), status(503).header("Retry-After", "3"), ok()],
            3,
            vec![Err(1_000), Ok(3_000)],
            None,
        ),
        (
            "502 and 504",
            vec![status(502), status(504), ok()],
            3,
            vec![Err(1_000), Err(2_000)],
            None,
        ),
        (
            "500 twice",
            vec![status(500), status(500), ok()],
            3,
            vec![Err(1_000), Err(2_000)],
            None,
        ),
        (
            "500 for good",
            vec![status(500); 9],
            3,
            vec![Err(1_000), Err(2_000)],
            Some(ErrorKind::Server),
        ),
        (
            "429 for good",
            vec![after("1"); 9],
            7,
            vec![Ok(1_000); 6],
            Some(ErrorKind::Throttled),
        ),
        (
            "beyond the budget",
            vec![after("300"); 9],
            3,
            vec![Ok(300_000); 2],
            Some(ErrorKind::Throttled),
        ),
        (
            "html while overloaded",
            vec![Reply::new(503, "<html>"), ok()],
            2,
            vec![Err(1_000)],
            None,
        ),
        ("cut", vec![ok().cut(), ok()], 2, vec![Err(1_000)], None),
        (
            "cut inside the JSON",
            vec![Reply::ok("{\"id\": \"1"), ok()],
            2,
            vec![Err(1_000)],
            None,
        ),
        (
            "empty",
            vec![Reply::ok(""), ok()],
            2,
            vec![Err(1_000)],
            None,
        ),
        (
            "400",
            vec![status(400), ok()],
            1,
            vec![],
            Some(ErrorKind::BadRequest),
        ),
        (
            "403",
            vec![status(403), ok()],
            1,
            vec![],
            Some(ErrorKind::Forbidden),
        ),
        (
            "404",
            vec![status(404), ok()],
            1,
            vec![],
            Some(ErrorKind::NotFound),
        ),
        (
            "no JSON",
            vec![Reply::ok("{]"), ok()],
            1,
            vec![],
            Some(ErrorKind::Protocol),
        ),
        (
            "a web page",
            vec![Reply::ok("<!doctype html>"), ok()],
            1,
            vec![],
            Some(ErrorKind::Protocol),
        ),
        (
            "a proxy's refusal",
            vec![
                Reply::new(403, "no").header("Content-Type", "text/html"),
                ok(),
            ],
            1,
            vec![],
            Some(ErrorKind::Protocol),
        ),
    ];
    for (what, script, requests, waits, kind) in cases {
        let setup = Setup::script(script);
        let result = setup.client.get(&users()).await;
        assert_eq!(
            result.as_ref().err().map(GraphError::kind),
            kind,
            "{what}: {result:?}"
        );
        assert_eq!(setup.server.seen().len(), requests, "{what}");
        // A wait of no time at all is not slept.
        let slept: Vec<u64> = setup.clock.waits();
        assert!(slept.len() <= waits.len(), "{what}: {slept:?}");
        if waits.iter().all(Result::is_ok) {
            assert_eq!(
                slept,
                waits.iter().map(|wait| wait.unwrap()).collect::<Vec<_>>(),
                "{what}"
            );
        }
        for (slept, wait) in slept.iter().zip(&waits) {
            assert!(
                wait.map_or_else(|most| *slept <= most, |exact| *slept == exact),
                "{what}: {slept}"
            );
        }
        if let Ok(answer) = result {
            let retries = u32::try_from(requests - 1).unwrap();
            assert_eq!(
                answer.effort,
                Effort {
                    requests: retries + 1,
                    retries
                },
                "{what}"
            );
        }
    }
}

#[tokio::test]
async fn a_throttled_service_waits_as_a_whole() {
    let throttled = status(429).header("Retry-After", "10");
    let setup = Setup::new(Server::handler(move |_, seen| {
        if seen.target.starts_with("/v1.0/users") {
            throttled.clone()
        } else {
            Reply::ok("{}")
        }
    }));
    assert_eq!(
        setup.client.get(&users()).await.unwrap_err().kind(),
        ErrorKind::Throttled
    );
    assert_eq!(setup.clock.waits(), [10_000; 6]);
    setup
        .client
        .get(&Query::v1("/security/secureScores"))
        .await
        .unwrap();
    assert_eq!(setup.clock.waits().len(), 6, "another service goes on");
    setup.client.get(&Query::v1("/groups")).await.unwrap();
    assert_eq!(
        setup.clock.waits(),
        [10_000; 7],
        "the same service waits for the last refusal"
    );
}

#[tokio::test]
async fn each_service_has_its_pace() {
    for (path, waits) in [
        ("/identity/conditionalAccess/policies", vec![1_000; 4]),
        (
            "/reports/authenticationMethods/userRegistrationDetails",
            vec![2_000; 2],
        ),
        ("/policies/roleManagementPolicies", vec![500; 4]),
        ("/users", vec![]),
    ] {
        let setup = Setup::new(Server::handler(|_, _| Reply::ok("{}")));
        for _ in 0..5 {
            setup.client.get(&Query::v1(path)).await.unwrap();
        }
        assert_eq!(setup.clock.waits(), waits, "{path}");
    }
    for (path, service) in [
        ("/users", Service::Identity),
        ("/users('1')/memberOf", Service::Identity),
        (
            "/v1.0/users/1/mailFolders/inbox/messageRules",
            Service::Outlook,
        ),
        ("/beta/users/1/mailboxSettings?$select=x", Service::Outlook),
        (
            "/roleManagement/directory/roleAssignments",
            Service::Identity,
        ),
        (
            "/roleManagement/directory/roleEligibilityScheduleInstances",
            Service::Pim,
        ),
        (
            "/identityGovernance/privilegedAccess/group/assignmentScheduleInstances",
            Service::Pim,
        ),
        ("/policies/roleManagementPolicyAssignments", Service::Pim),
        ("/policies/authorizationPolicy", Service::Identity),
        ("/identityProtection/riskyUsers", Service::ConditionalAccess),
        (
            "/identity/conditionalAccess/namedLocations",
            Service::ConditionalAccess,
        ),
        ("/auditLogs/signIns", Service::IdentityReports),
        ("/directory/recommendations", Service::IdentityReports),
        ("/directory/administrativeUnits", Service::Identity),
        ("/deviceManagement/managedDevices", Service::Intune),
        (
            "/deviceAppManagement/iosManagedAppProtections",
            Service::Intune,
        ),
        ("/security/alerts_v2", Service::SecurityAlerts),
        ("/security/incidents", Service::SecurityAlerts),
        ("/security/secureScoreControlProfiles", Service::SecureScore),
        ("/admin/sharepoint/settings", Service::SharePoint),
        ("/sites/root", Service::SharePoint),
        ("/admin/forms", Service::Other),
        ("/usersettings", Service::Other),
    ] {
        assert_eq!(Service::of(path), service, "{path}");
    }
    assert_eq!(
        users().select(&["id", "signInActivity"]).service(),
        Service::IdentityReports
    );
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let invalid = || {
        Reply::error(
            401,
            "InvalidAuthenticationToken",
            "Access token has expired or is not yet valid.",
        )
    };
    let claims = r#"{"access_token":{"nbf":{"essential":true, "value":"1604106651"}}}"#;
    let challenge = |claims: &str| {
        let value = base64::engine::general_purpose::STANDARD.encode(claims);
        let value = format!(
            r#"Bearer realm="", authorization_uri="https://x/", error="insufficient_claims", claims="{value}""#
        );
        invalid().header("WWW-Authenticate", &value)
    };

    let setup = Setup::script(vec![invalid(), Reply::ok("{}")]);
    setup.client.get(&users()).await.unwrap();
    assert!(matches!(
        setup.tokens.renewals()[..],
        [Renewal::Rejected { .. }]
    ));
    let sent = |number: usize| {
        setup.server.seen()[number]
            .header("authorization")
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (&*sent(0), &*sent(1)),
        ("Bearer TOKENTEXT1", "Bearer TOKENTEXT2")
    );

    let setup = Setup::script(vec![challenge(claims), Reply::ok("{}")]);
    setup.client.get(&users()).await.unwrap();
    assert_eq!(
        setup.tokens.renewals(),
        [Renewal::Challenge {
            claims: claims.to_owned()
        }]
    );

    let setup = Setup::script(vec![challenge("no JSON"), Reply::ok("{}")]);
    setup.client.get(&users()).await.unwrap();
    assert!(
        matches!(setup.tokens.renewals()[..], [Renewal::Rejected { .. }]),
        "claims are never passed on unread"
    );

    let setup = Setup::script(vec![invalid(), status(503), invalid(), Reply::ok("{}")]);
    assert_eq!(
        setup.client.get(&users()).await.unwrap_err().kind(),
        ErrorKind::Unauthorized
    );
    assert_eq!(setup.server.seen().len(), 3);

    let never = Reply::error(
        401,
        "Unauthorized",
        "Unauthorized request - Account is not provisioned.",
    );
    let setup = Setup::script(vec![never, Reply::ok("{}")]);
    assert_eq!(
        setup
            .client
            .get(&Query::v1("/security/alerts_v2"))
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::NotLicensed
    );
    assert_eq!(
        (setup.server.seen().len(), setup.tokens.renewals().len()),
        (1, 0)
    );
}

#[tokio::test]
async fn the_token_goes_to_the_root_only() {
    let other = Server::script(vec![]);
    let foreign = [
        format!("{}/v1.0/users?$skiptoken=x", other.root()),
        "https://graph.microsoft.com/v1.0/users".to_owned(),
        "https://{host}/v1.0/users".to_owned(),
        "{root}@evil.example/v1.0/users".to_owned(),
        "http://user@{host}/v1.0/users".to_owned(),
        "{root}/v2.0/users".to_owned(),
        "{root}/v1.0/../oauth2/token".to_owned(),
        "{root}/v1.0".to_owned(),
        "/v1.0/users".to_owned(),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ];
    for link in foreign {
        // The host of the server is known only when it answers.
        let answer = link.clone();
        let setup = Setup::new(Server::handler(move |_, seen| {
            page(
                &[1],
                Some(&answer.replace("{host}", seen.header("host").unwrap())),
            )
        }));
        let pages: Vec<_> = setup.client.pages(users()).collect().await;
        assert_eq!(
            pages.len(),
            1,
            "{link}: the page with such a link is not taken for good"
        );
        assert!(
            matches!(&pages[0], Err(GraphError::ForeignLink { .. })),
            "{link}: {pages:?}"
        );
        assert_eq!(setup.server.seen().len(), 1, "{link}");

        let link = link
            .replace("{root}", &setup.server.root())
            .replace("{host}", &setup.server.root()[7..]);
        let followed: Vec<_> = setup.client.follow(&link).collect().await;
        assert!(
            matches!(&followed[..], [Err(GraphError::ForeignLink { .. })]),
            "{link}: {followed:?}"
        );
        assert_eq!(setup.server.seen().len(), 1, "{link}");
    }
    for code in [301, 302, 307, 308] {
        let setup = Setup::script(vec![
            Reply::new(code, "").header("Location", &format!("{}/x?secret", other.root())),
        ]);
        match setup.client.get(&users()).await.unwrap_err() {
            GraphError::Redirected { host, .. } => {
                assert_eq!(format!("http://{host}"), other.root())
            }
            error => panic!("{error}"),
        }
    }
    assert!(other.seen().is_empty());

    let clock = FakeClock::new();
    let root = http::Url::parse("http://graph.example").unwrap();
    let http = http::client(&[]).unwrap();
    let client = GraphClient::new(http, root, Arc::new(Tokens::default()), clock, Pace::fast());
    assert!(matches!(client, Err(GraphError::InsecureRoot { .. })));
}

#[tokio::test]
async fn lists_are_read_to_their_end() {
    let next = |number: u32| format!("{{root}}/v1.0/users?$skiptoken={number}");
    let setup = Setup::script(vec![
        Reply::ok(
            json!({ "@odata.count": 3, "value": [{ "id": 1 }], "@odata.nextLink": next(1) })
                .to_string(),
        ),
        page(&[], Some(&next(2))),
        page(&[], Some(&next(3))),
        status(503),
        page(&[2, 3], None),
    ]);
    let pages = setup.pages(users().count().top(1)).await.unwrap();
    let rows: Vec<&str> = pages
        .iter()
        .flat_map(|page| &page.rows)
        .map(|row| row.get())
        .collect();
    assert_eq!(rows, [r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#]);
    assert_eq!(
        pages.iter().map(|page| page.count).collect::<Vec<_>>(),
        [Some(3), None, None, None]
    );
    assert_eq!(
        pages[3].effort,
        Effort {
            requests: 2,
            retries: 1
        }
    );
    assert_eq!(
        (pages[0].next.is_some(), pages[3].next.is_some()),
        (true, false)
    );
    let seen = setup.server.seen();
    assert_eq!(seen[0].target, "/v1.0/users?$count=true&$top=1");
    for seen in &seen {
        assert_eq!(seen.method, "GET");
        assert_eq!(
            seen.header("consistencylevel"),
            Some("eventual"),
            "on each page"
        );
        assert_eq!(seen.header("prefer"), Some("include-unknown-enum-members"));
        assert!(seen.header("user-agent").unwrap().starts_with("m365audit/"));
    }

    // Going on from a link: the header follows from the link, and is absent where it was not needed.
    for (link, level) in [
        ("$count=true&$skiptoken=x", Some("eventual")),
        ("%24count=true", Some("eventual")),
        ("$skiptoken=x", None),
    ] {
        let setup = Setup::script(vec![page(&[4], None)]);
        let link = format!("{}/beta/users?{link}", setup.server.root());
        let pages: Vec<Page> = setup.client.follow(&link).try_collect().await.unwrap();
        assert_eq!(pages.len(), 1);
        assert_eq!(setup.server.seen()[0].header("consistencylevel"), level);
        assert_eq!(
            format!("{}{}", setup.server.root(), setup.server.seen()[0].target),
            link,
            "as it is"
        );
    }
}

#[tokio::test]
async fn wrong_pages_end_the_list() {
    let next = |number: u32| format!("{{root}}/v1.0/users?$skiptoken={number}");
    let expired = Reply::error(
        400,
        "Directory_ExpiredPageToken",
        "The specified page token value has expired.",
    );
    let own = "{root}/v1.0/users";
    type Check = fn(&GraphError) -> bool;
    let cases: Vec<(&str, Vec<Reply>, usize, Check)> = vec![
        (
            "loop",
            vec![
                page(&[1], Some(&next(1))),
                page(&[2], Some(&next(2))),
                page(&[3], Some(&next(1))),
            ],
            2,
            |error| matches!(error, GraphError::Loop { .. }),
        ),
        (
            "loop to the start",
            vec![page(&[1], Some(own))],
            0,
            |error| matches!(error, GraphError::Loop { .. }),
        ),
        (
            "loop of empty pages",
            vec![page(&[], Some(&next(1))), page(&[], Some(&next(1)))],
            1,
            |error| matches!(error, GraphError::Loop { .. }),
        ),
        (
            "repeated",
            vec![
                page(&[1], Some(&next(1))),
                page(&[], Some(&next(2))),
                page(&[1], Some(&next(3))),
            ],
            2,
            |error| matches!(error, GraphError::RepeatedPage { .. }),
        ),
        (
            "no collection",
            vec![page(&[1], Some(&next(1))), Reply::ok(r#"{"id": 1}"#)],
            1,
            |error| matches!(error, GraphError::NotACollection { .. }),
        ),
        (
            "value is no list",
            vec![Reply::ok(r#"{"value": {}}"#)],
            0,
            |error| matches!(error, GraphError::NotACollection { .. }),
        ),
        (
            "an error under 200",
            vec![
                page(&[1], Some(&next(1))),
                Reply::error(
                    200,
                    "Authorization_RequestDenied",
                    "Insufficient privileges",
                ),
            ],
            1,
            |error| error.kind() == ErrorKind::Forbidden && error.status() == Some(200),
        ),
        (
            "expired",
            vec![page(&[1], Some(&next(1))), expired],
            1,
            |error| matches!(error, GraphError::ExpiredPageToken(_)),
        ),
    ];
    for (what, script, good, check) in cases {
        let requests = script.len();
        let setup = Setup::script(script);
        let pages: Vec<_> = setup.client.pages(users()).collect().await;
        assert_eq!(
            pages.iter().filter(|page| page.is_ok()).count(),
            good,
            "{what}"
        );
        let error = pages.last().unwrap().as_ref().unwrap_err();
        assert!(check(error), "{what}: {error}");
        assert!(error.help().is_some(), "{what}");
        assert_eq!(
            setup.server.seen().len(),
            requests,
            "{what}: nothing is asked after the error"
        );
    }
    // An object, too, can be an error in disguise; one with an `error` property among others cannot.
    let setup = Setup::script(vec![
        Reply::error(200, "TooManyRequests", "x"),
        page(&[1], None),
        Reply::ok("\u{feff}8"),
    ]);
    assert!(setup.client.get(&users()).await.is_err());
    assert_eq!(
        setup
            .client
            .get(&users())
            .await
            .unwrap()
            .rows()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        setup
            .client
            .get(&Query::v1("/users/$count").eventual())
            .await
            .unwrap()
            .parse::<u64>()
            .unwrap(),
        8
    );
}

#[tokio::test]
async fn queries_mean_what_they_say() {
    let name = odata::quote("O'Neil & Söhne #1+2%");
    let cases = [
        (
            users().select(&["id", "displayName"]).top(999),
            "/v1.0/users?$select=id,displayName&$top=999",
        ),
        (users().top(5).top(9), "/v1.0/users?$top=9"),
        (
            users().filter(&format!("displayName eq {name}")),
            "/v1.0/users?$filter=displayName%20eq%20%27O%27%27Neil%20%26%20S%C3%B6hne%20%231%2B2%25%27",
        ),
        (
            Query::beta("/roleManagement/directory/roleAssignments")
                .expand("principal($select=id;$top=1)"),
            "/beta/roleManagement/directory/roleAssignments?$expand=principal($select%3Did;$top%3D1)",
        ),
        (
            Query::v1("/servicePrincipals(appId='a b')"),
            "/v1.0/servicePrincipals(appId='a%20b')",
        ),
        (
            users().segment("a#EXT#@b.c").segment("memberOf"),
            "/v1.0/users/a%23EXT%23@b.c/memberOf",
        ),
        (
            users().segment("a/../b?c=d%2F\\e"),
            "/v1.0/users/a%2F..%2Fb%3Fc%3Dd%252F%5Ce",
        ),
        (Query::v1("users/$count").eventual(), "/v1.0/users/$count"),
    ];
    let setup = Setup::new(Server::handler(|_, _| Reply::ok("{}")));
    for (query, target) in cases {
        setup.client.get(&query).await.unwrap();
        // `=` is a legal character of a path.
        assert_eq!(
            setup.targets().pop().unwrap().replace("?c%3D", "?c="),
            target.replace("%3Fc%3D", "%3Fc=")
        );
    }
    assert_eq!(
        users().segment("1").filter("mail eq 'x'").path(),
        "/v1.0/users/1"
    );
    let before = setup.targets().len();
    for id in [".", "..", ""] {
        let error = setup
            .client
            .get(&users().segment(id).segment("memberOf"))
            .await
            .unwrap_err();
        assert!(matches!(error, GraphError::InvalidQuery { .. }), "{id:?}");
    }
    assert_eq!(setup.targets().len(), before);
}

fn part(id: &str, status: u16, body: serde_json::Value) -> serde_json::Value {
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
    let rules = |user: &str| {
        Query::v1("/users")
            .segment(user)
            .segment("mailFolders/inbox/messageRules".split('/').next().unwrap())
    };
    let link = "{root}/v1.0/users/a/mailFolders?$skip=10";
    let setup = Setup::new(Server::handler(move |number, seen| {
        let asked = parts(seen);
        let answers: Vec<_> = asked
            .iter()
            .rev() // in any order
            .filter_map(|(id, url)| {
                Some(match (number, url.as_str()) {
                    (_, "/users/a/mailFolders") => {
                        part(id, 200, json!({ "value": [{ "id": 1 }], "@odata.nextLink": link }))
                    }
                    (0, "/users/b/mailFolders") => {
                        let mut part = part(id, 429, json!({ "error": { "code": "ApplicationThrottled", "message": "" } }));
                        part["headers"]["retry-after"] = "7".into();
                        part
                    }
                    (0, "/users/c/mailFolders") => part(id, 503, json!({})),
                    (0, "/users/d/mailFolders") => return None,
                    (_, "/users/e/mailFolders") => {
                        part(id, 404, json!({ "error": { "code": "MailboxNotEnabledForRESTAPI", "message": "x" } }))
                    }
                    (_, url) => part(id, 200, json!({ "url": url })),
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
    let setup = Setup::new(Server::handler(|number, seen| {
        if seen.method == "GET" {
            return Reply::ok(
                json!({ "url": seen.target.trim_start_matches("/v1.0") }).to_string(),
            );
        }
        let token_refused = number == 0;
        let answers = parts(seen).into_iter().map(|(id, url)| {
            if token_refused {
                part(&id, 401, json!({ "error": { "code": "InvalidAuthenticationToken", "message": "expired" } }))
            } else {
                part(&id, 200, json!({ "url": url }))
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

#[test]
fn permission_and_licence_are_told_apart() {
    use ErrorKind::{
        BadRequest, Forbidden, NotFound, NotLicensed, Server as Failing, Throttled, Unauthorized,
    };
    let intune = |text: &str| {
        format!(
            "{{\r\n  \"_version\": 3,\r\n  \"Message\": \"{text} - Operation ID: 0\",\r\n  \"RetryAfter\": null\r\n}}"
        )
    };
    let (no_intune, no_scope) = (
        intune("Request not applicable to target tenant."),
        intune("Application is not authorized to perform this operation."),
    );
    let pim = r#"{"errorCode":"PermissionScopeNotGranted","message":"Authorization failed due to missing permission scope X.","instanceAnnotations":[]}"#;
    let cases = [
        (
            400,
            "BadRequest",
            "Resource not found for the segment 'configurationPolicies'.",
            BadRequest,
        ),
        (
            400,
            "Request_BadRequest",
            "$count is not currently supported.",
            BadRequest,
        ),
        (400, "BadRequest", &no_intune, NotLicensed),
        (
            400,
            "BadRequest",
            "Tenant does not have a SPO license.",
            NotLicensed,
        ),
        (
            400,
            "BadRequest",
            "The filter is invalid. Missing scopeId or scopeType.",
            BadRequest,
        ),
        (
            400,
            "AadPremiumLicenseRequired",
            "The tenant needs to have Microsoft Entra ID P2.",
            NotLicensed,
        ),
        (
            400,
            "Request_UnsupportedQuery",
            "Unsupported Query.",
            BadRequest,
        ),
        (
            401,
            "Unauthorized",
            "Unauthorized request - Account is not provisioned.",
            NotLicensed,
        ),
        (
            401,
            "InvalidAuthenticationToken",
            "Access token has expired or is not yet valid.",
            Unauthorized,
        ),
        (
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
            Forbidden,
        ),
        (
            403,
            "AccessDenied",
            "Your tenant is not licensed for this feature. Please upgrade.",
            NotLicensed,
        ),
        (403, "Forbidden", pim, Forbidden),
        (
            403,
            "Forbidden",
            "Your tenant is not licensed for this feature.",
            NotLicensed,
        ),
        (403, "Forbidden", &no_scope, Forbidden),
        (
            403,
            "ErrorAccessDenied",
            "Access to OData is disabled: [RAOP] : Blocked by tenant.",
            Forbidden,
        ),
        (
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "Neither tenant is B2C",
            NotLicensed,
        ),
        (
            403,
            "Authentication_MSGraphPermissionMissing",
            "Calling principal lacks AuditLog.Read.All",
            Forbidden,
        ),
        (
            403,
            "AccessDenied",
            "required scopes are missing in the token.",
            Forbidden,
        ),
        (403, "accessDenied", "Access denied", Forbidden),
        (403, "UnknownError", "", Forbidden),
        (
            404,
            "MailboxNotEnabledForRESTAPI",
            "The mailbox is either inactive, or is hosted on-premise.",
            NotFound,
        ),
        (
            404,
            "Request_ResourceNotFound",
            "Resource 'is not licensed' does not exist",
            NotFound,
        ),
        (429, "TooManyRequests", "Too many requests.", Throttled),
        (
            500,
            "generalException",
            "General exception while processing",
            Failing,
        ),
        (504, "UnknownError", "", Failing),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for (status, code, message, kind) in cases {
        let setup = Setup::script(vec![Reply::error(status, code, message); 7]);
        let error = runtime.block_on(setup.client.get(&users())).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!((error.status(), error.code()), (Some(status), Some(code)));
        assert_eq!(error.help().is_some(), kind != NotFound, "{error}");
        assert!(
            !error.to_string().contains('{'),
            "JSON in JSON is unpacked: {error}"
        );
    }
}

#[tokio::test]
async fn hostile_text_stays_on_one_short_line() {
    let message = format!(
        "\u{1b}[2J\r\nerror: all is well\u{202e}\u{200b}{}",
        "x".repeat(5000)
    );
    let body = json!({ "error": { "code": "Evil\u{1b}[31m Code", "message": message, "innerError": { "request-id": "../x" } } });
    let setup = Setup::script(vec![Reply::new(403, body.to_string())]);
    let error = setup.client.get(&users()).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.chars()
            .all(|c| !c.is_control() && c != '\u{202e}' && c != '\u{200b}'),
        "{text:?}"
    );
    assert!(text.chars().count() < 300, "{text}");
    assert_eq!(error.code(), Some("Evil31mCode"));
    assert_eq!(error.request_id(), None, "only a GUID is a request-id");

    let id = "00000ff0-0000-4000-8000-000000000ff0";
    let body =
        json!({ "error": { "code": "x", "message": "y", "innerError": { "request-id": id } } });
    let setup = Setup::script(vec![Reply::new(403, body.to_string())]);
    let error = setup.client.get(&users()).await.unwrap_err();
    assert_eq!(error.request_id(), Some(id));
    assert!(error.to_string().contains(id));
}

#[derive(Default)]
struct Events(Mutex<Vec<String>>);

impl Observer for Events {
    fn event(&self, event: Event<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }
}

#[tokio::test]
async fn tokens_and_values_stay_out_of_sight() {
    let (log, _guard) = Log::start();
    let events = Arc::new(Events::default());
    let next = "{root}/v1.0/users?$select=id&$skiptoken=SKIPTEXT";
    let refused = Reply::error(401, "InvalidAuthenticationToken", "x");
    let server = Server::script(vec![
        status(503),
        page(&[1], Some(next)),
        refused.clone(),
        refused,
    ]);
    let setup = Setup::observed(server, Some(events.clone()));
    let query = users().select(&["id"]).filter("mail eq 'FILTERTEXT'");
    let mut pages = setup.client.pages(query);
    let page = pages.next().await.unwrap().unwrap();
    assert!(
        page.next.as_ref().unwrap().contains("SKIPTEXT"),
        "needed to resume"
    );
    let error = pages.next().await.unwrap().unwrap_err();
    assert!(pages.next().await.is_none());

    let log = log.text();
    assert!(
        log.contains("answered") && log.contains("/v1.0/users") && log.contains("$select=id"),
        "{log}"
    );
    let events = events.0.lock().unwrap().join("\n");
    assert_eq!(
        events
            .lines()
            .filter(|line| line.starts_with("Finished"))
            .count(),
        4,
        "{events}"
    );
    assert_eq!(
        events
            .lines()
            .filter(|line| line.starts_with("Retry"))
            .count(),
        1,
        "{events}"
    );
    let token = setup.tokens.token(Renewal::IfNeeded).await.unwrap();
    let shown = format!(
        "{:?} {error:?} {error} {:?} {token:?}",
        setup.client,
        error.help()
    );
    // The HTTP library's own lines at TRACE level name the address; m365audit shows its own targets only.
    let ours: String = log
        .lines()
        .filter(|line| line.contains("m365audit"))
        .collect();
    for text in [&shown, &events, &ours] {
        assert!(
            !text.contains("SKIPTEXT") && !text.contains("FILTERTEXT"),
            "{text}"
        );
    }
    for text in [&shown, &events, &log] {
        assert!(!text.contains("TOKENTEXT"), "{text}");
    }
    assert!(
        setup.clock.now() > "2026-08-20T10:17:05Z".parse().unwrap()
            || setup.clock.waits().is_empty()
    );
}
