//! Managed identities: what is asked, how patiently, and which file may be shown.

use std::path::Path;

use m365audit::auth::{ManagedIdentity, Platform, PlatformProblem, UserAssigned};
use secrecy::ExposeSecret as _;

use super::*;

const RESOURCE: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";

fn source(platform: Platform, assigned: Option<UserAssigned>, clock: &Arc<FakeClock>) -> Tokens {
    let endpoints = Endpoints::from(Cloud::Global);
    let client = http::client(&[&endpoints.login]).unwrap();
    let identity = ManagedIdentity {
        tenant: None,
        assigned,
        platform,
    };
    Tokens::new(
        SignIn::ManagedIdentity(identity),
        endpoints,
        client,
        clock.clone(),
    )
}

fn address(server: &Server, path: &str) -> http::Url {
    http::platform_address(&format!("{}{path}", server.root())).unwrap()
}

fn metadata(server: &Server) -> Platform {
    Platform::InstanceMetadata {
        root: address(server, ""),
    }
}

fn answer(body: &serde_json::Value) -> Reply {
    Reply::ok(body.to_string())
}

/// As the metadata service writes it: numbers are texts.
fn day() -> Reply {
    answer(&json!({
        "access_token": "TOKENTEXT", "client_id": CLIENT, "expires_in": "86399", "expires_on": "1787306400",
        "resource": "https://graph.microsoft.com", "token_type": "Bearer",
    }))
}

#[tokio::test]
async fn the_metadata_service_is_asked_as_documented() {
    let start = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fgraph.microsoft.com";
    let resource = RESOURCE.replace('/', "%2F");
    for (assigned, end) in [
        (None, String::new()),
        (
            Some(UserAssigned::ClientId(CLIENT.to_owned())),
            format!("&client_id={CLIENT}"),
        ),
        (
            Some(UserAssigned::ResourceId(RESOURCE.to_owned())),
            format!("&msi_res_id={resource}"),
        ),
    ] {
        let server = Server::script(vec![day()]);
        let tokens = source(metadata(&server), assigned, &FakeClock::new());
        let token = tokens.token(Renewal::IfNeeded).await.unwrap();
        assert_eq!(token.expires_at().as_second(), 1_787_306_400);
        let seen = server.seen().remove(0);
        assert_eq!(
            (seen.method.as_str(), seen.target.clone()),
            ("GET", format!("{start}{end}"))
        );
        assert_eq!(seen.header("metadata"), Some("true"));
        assert_eq!(seen.header("authorization"), None);
    }
}

#[tokio::test]
async fn app_service_is_asked_with_its_header() {
    let server = Server::script(vec![day()]);
    let platform = Platform::AppService {
        endpoint: address(&server, "/msi/token"),
        header: "HEADERTEXT".into(),
    };
    let assigned = Some(UserAssigned::ResourceId(RESOURCE.to_owned()));
    let tokens = source(platform, assigned, &FakeClock::new());
    tokens.token(Renewal::IfNeeded).await.unwrap();
    assert!(!format!("{tokens:?}").contains("HEADERTEXT"));
    let seen = server.seen().remove(0);
    assert!(seen.target.starts_with(
        "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fgraph.microsoft.com&mi_res_id="
    ));
    assert_eq!(seen.header("x-identity-header"), Some("HEADERTEXT"));
    assert_eq!(seen.header("metadata"), None);
}

#[tokio::test]
async fn lives_are_read_however_they_are_written() {
    let now = 1_787_221_025;
    let cases = [
        (
            json!({ "expires_on": "1787306400", "expires_in": "1" }),
            1_787_306_400,
        ),
        (json!({ "expires_on": 1_787_306_400 }), 1_787_306_400),
        (json!({ "expires_in": "3599" }), now + 3_599),
        (json!({ "expires_in": 3_599 }), now + 3_599),
        // A clock that is wrong by days, and dates that are no numbers.
        (
            json!({ "expires_on": "1700000000", "expires_in": "3599" }),
            now + 3_599,
        ),
        (
            json!({ "expires_on": "2026-08-20 11:17:05 +00:00" }),
            now + 600,
        ),
        (json!({}), now + 600),
    ];
    for (mut body, expected) in cases {
        body["access_token"] = "TOKENTEXT".into();
        let server = Server::script(vec![answer(&body)]);
        let tokens = source(metadata(&server), None, &FakeClock::new());
        let token = tokens.token(Renewal::IfNeeded).await.unwrap();
        assert_eq!(token.expires_at().as_second(), expected, "{body}");
    }
}

#[tokio::test]
async fn the_metadata_service_is_waited_for_as_long_as_it_may_take() {
    let refused = |status, text: &str| {
        let body = json!({ "error": "invalid_request", "error_description": text });
        Reply::new(status, body.to_string())
    };
    let unknown = PlatformProblem::NoIdentity;
    let status = |status| PlatformProblem::Status {
        status,
        code: "invalid_request".to_owned(),
    };
    for (reply, requests, expected) in [
        (refused(400, "Identity not found"), 1, unknown),
        (refused(400, "Invalid resource"), 1, status(400)),
        (refused(403, "x"), 1, status(403)),
        (refused(404, "x"), 6, status(404)),
        (refused(410, "x"), 8, status(410)),
        (refused(429, "x"), 6, status(429)),
        (refused(500, "x"), 6, status(500)),
    ] {
        let server = Server::handler(move |_, _| reply.clone());
        let clock = FakeClock::new();
        let tokens = source(metadata(&server), None, &clock);
        match tokens.token(Renewal::IfNeeded).await.unwrap_err() {
            AuthError::Platform { problem, .. } => assert_eq!(problem, expected),
            other => panic!("{other}"),
        }
        assert_eq!(server.seen().len(), requests, "{expected}");
        if expected == status(410) {
            assert_eq!(clock.waits(), vec![10_000; 7], "seventy seconds");
        }
        for (number, wait) in clock.waits().into_iter().enumerate() {
            assert!(
                expected == status(410) || wait <= 1_000 << number,
                "{expected}: {wait}"
            );
        }
    }
    let server = Server::script(vec![refused(410, "x"), refused(404, "x"), day()]);
    let tokens = source(metadata(&server), None, &FakeClock::new());
    assert!(tokens.token(Renewal::IfNeeded).await.is_ok());
}

/// The agent of Azure Arc, and what its second request brought.
async fn arc(realm: &str, keys: &Path) -> (Result<(), AuthError>, Vec<Option<String>>) {
    let realm = realm.to_owned();
    let server = Server::handler(move |_, seen| {
        if seen.header("authorization").is_some() {
            day()
        } else {
            Reply::new(401, "{}").header("WWW-Authenticate", &realm)
        }
    });
    let platform = Platform::Arc {
        endpoint: address(&server, "/metadata/identity/oauth2/token"),
        keys: keys.to_owned(),
    };
    let tokens = source(platform, None, &FakeClock::new());
    let result = tokens.token(Renewal::IfNeeded).await.map(|_| ());
    let seen = server.seen();
    for seen in &seen {
        assert!(
            seen.target
                .starts_with("/metadata/identity/oauth2/token?api-version=2020-06-01&resource=")
        );
        assert_eq!(seen.header("metadata"), Some("true"));
    }
    let shown = seen
        .iter()
        .map(|seen| seen.header("authorization").map(str::to_owned));
    (result, shown.collect())
}

#[tokio::test]
async fn an_arc_agent_is_shown_its_own_key_and_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("tokens");
    std::fs::create_dir(&keys).unwrap();
    let write = |path: &Path, length: usize| {
        std::fs::write(path, "K".repeat(length)).unwrap();
        format!("Basic realm={}", path.display())
    };
    let good = write(&keys.join("a.key"), 4096);
    let (result, shown) = arc(&good, &keys).await;
    result.unwrap();
    assert_eq!(shown, [None, Some(format!("Basic {}", "K".repeat(4096)))]);

    let outside = write(&folder.path().join("b.key"), 10);
    let mut cases = vec![
        (write(&keys.join("long.key"), 4097), "too long"),
        (write(&keys.join("a.txt"), 10), "no key of the agent"),
        (outside, "no key of the agent"),
        (
            format!("Basic realm={}/../b.key", keys.display()),
            "no key of the agent",
        ),
        (
            format!("Basic realm={}/absent.key", keys.display()),
            "cannot be read",
        ),
        (
            format!("Basic realm={}", keys.display()),
            "no key of the agent",
        ),
        ("Bearer realm=x".to_owned(), "names no file"),
        ("Basic realm=".to_owned(), "cannot be read"),
    ];
    #[cfg(unix)]
    {
        let link = keys.join("link.key");
        std::os::unix::fs::symlink(folder.path().join("b.key"), &link).unwrap();
        cases.push((
            format!("Basic realm={}", link.display()),
            "no key of the agent",
        ));
    }
    for (realm, words) in cases {
        let (result, shown) = arc(&realm, &keys).await;
        let error = result.unwrap_err();
        assert!(error.to_string().contains(words), "{realm}: {error}");
        assert!(error.help().is_some());
        assert_eq!(shown, [None], "{realm}: nothing was shown");
    }
    let (result, _) = arc(&good, &folder.path().join("no-agent")).await;
    assert!(result.unwrap_err().to_string().contains("folder of keys"));
}

#[tokio::test]
async fn an_arc_machine_has_one_identity_only() {
    let server = Server::script(vec![day()]);
    let platform = Platform::Arc {
        endpoint: address(&server, "/t"),
        keys: PathBuf::new(),
    };
    let assigned = Some(UserAssigned::ClientId(CLIENT.to_owned()));
    let tokens = source(platform, assigned, &FakeClock::new());
    let error = tokens.token(Renewal::IfNeeded).await.unwrap_err();
    assert!(
        error.to_string().contains("no such managed identity"),
        "{error}"
    );
    assert!(server.seen().is_empty());
}

#[test]
fn the_platform_is_known_by_its_variables() {
    let find = |settings: &[(&str, &str)]| {
        let env = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let options = Options {
            auth: Some(AuthKind::ManagedIdentity),
            ..Options::default()
        };
        match discover(&options, &env.collect())? {
            SignIn::ManagedIdentity(identity) => Ok(identity),
            other => panic!("{other:?}"),
        }
    };
    let near = ("IDENTITY_ENDPOINT", "http://169.254.129.3:8081/msi/token");
    let header = ("IDENTITY_HEADER", "x");
    match find(&[near, header, ("IMDS_ENDPOINT", "http://localhost:40342")])
        .unwrap()
        .platform
    {
        Platform::AppService { endpoint, header } => {
            assert_eq!((endpoint.as_str(), header.expose_secret()), (near.1, "x"));
        }
        other => panic!("{other:?}"),
    }
    let arc = [
        ("IDENTITY_ENDPOINT", "http://localhost:40342/t"),
        ("IMDS_ENDPOINT", "http://localhost:40342"),
    ];
    assert!(matches!(find(&arc).unwrap().platform, Platform::Arc { .. }));
    for (settings, expected) in [
        (vec![], "http://169.254.169.254/"),
        (
            vec![("MSI_ENDPOINT", "http://localhost:50342/t")],
            "http://169.254.169.254/",
        ),
        (
            vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:2579")],
            "http://127.0.0.1:2579/",
        ),
    ] {
        match find(&settings).unwrap().platform {
            Platform::InstanceMetadata { root } => assert_eq!(root.as_str(), expected),
            other => panic!("{other:?}"),
        }
    }
    let fabric = find(&[near, header, ("IDENTITY_SERVER_THUMBPRINT", "AB")]).unwrap_err();
    assert!(matches!(fabric, AuthError::NotSupported(_)), "{fabric}");
    let named = find(&[near, header, ("AZURE_CLIENT_ID", &CLIENT.to_uppercase())]).unwrap();
    assert_eq!(
        named.assigned,
        Some(UserAssigned::ClientId(CLIENT.to_owned()))
    );
}

#[test]
fn addresses_of_a_platform_are_https_or_near() {
    for (text, good) in [
        ("https://run.example/token?api-version=2.0", true),
        ("http://127.0.0.1:41000/msi/token/", true),
        ("http://localhost:42356/msi/token", true),
        ("http://[::1]/x", true),
        ("http://[fe80::1]/x", true),
        ("http://169.254.0.0", true),
        ("http://169.254.255.255", true),
        ("http://169.253.255.255", false),
        ("http://169.255.0.0", false),
        ("http://169.254.169.254.evil.example", false),
        ("http://10.0.0.1", false),
        ("ftp://127.0.0.1", false),
        ("https://user@run.example", false),
        ("https://run.example/#x", false),
        ("run.example", false),
        ("", false),
    ] {
        assert_eq!(http::platform_address(text).is_ok(), good, "{text}");
    }
}
