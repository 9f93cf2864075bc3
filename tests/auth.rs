//! Sign-in: credential files, discovery, assertions, tokens, and Entra's refusals.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail wherever it finds something else"
)]

mod scripted;

#[cfg(unix)]
#[path = "auth/azure_cli.rs"]
mod azure_cli;
#[path = "auth/claims.rs"]
mod claims;
#[path = "auth/credential.rs"]
mod credential;
#[path = "auth/device_code.rs"]
mod device_code;
#[path = "auth/federated.rs"]
mod federated;
#[path = "auth/managed_identity.rs"]
mod managed_identity;
#[path = "auth/platforms.rs"]
mod platforms;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use m365audit::auth::{
    AuthError, AuthKind, Certificate, CertificateProblem, Cloud, Credential, Endpoints, Options,
    Renewal, SignIn, TokenSource, Tokens, discover,
};
use m365audit::graph::http::{self, NetworkProblem};
use scripted::{FakeClock, Log, Reply, Server};
use secrecy::SecretString;
use serde_json::json;

const TENANT: &str = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
const CLIENT: &str = "000000a2-0000-4000-8000-0000000000a2";
const SECRET: &str = "s3cr~t+/=&%value";
const SHA1: &str = "A9A937DF6565F355CE619453ADEBE03881D9054A";
const SHA256: &str = "FB21271A11120B3676C2FBFC30D7352642F37A8480FA70A0FE1C1F9866D14FFC";

fn key(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "fixtures", "keys", name]
        .iter()
        .collect()
}

fn load(name: &str, password: Option<&str>) -> Result<Certificate, AuthError> {
    Certificate::from_file(&key(name), password.map(SecretString::from).as_ref())
}

fn secret() -> Credential {
    Credential::Secret(SecretString::from(SECRET))
}

fn tokens(server: &Server, credential: Credential, clock: &Arc<FakeClock>) -> Tokens {
    let endpoints = Endpoints::new(Cloud::Global, Some(&server.root()), None).unwrap();
    let client = http::client(&[&endpoints.login]).unwrap();
    let sign_in = SignIn::new(TENANT, CLIENT, credential).unwrap();
    Tokens::new(sign_in, endpoints, client, clock.clone())
}

fn token(text: &str, seconds: u64) -> Reply {
    Reply::ok(json!({ "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": text }).to_string())
}

fn refusal(status: u16, code: u32) -> Reply {
    let body = json!({
        "error": "invalid_client",
        "error_description": format!("AADSTS{code}: \u{1b}[31mhostile\u{202e} text about 'Contoso'. Trace ID: x"),
        "error_codes": [code],
        "timestamp": "2026-08-20 10:17:05Z",
        "trace_id": "00000ff2-0000-4000-8000-000000000ff2",
        "correlation_id": "\u{1b}[31mnot a guid",
    });
    Reply::new(status, body.to_string())
}

fn form(body: &str) -> BTreeMap<String, String> {
    let url = http::Url::parse(&format!("http://form/?{body}")).unwrap();
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn the_assertion_is_what_entra_documents() {
    for (chain, sent) in [(false, 0), (true, 2)] {
        let server = Server::script(vec![token("opaque", 3600)]);
        let certificate = load("modern.p12", Some("test-only"))
            .unwrap()
            .sending_chain(chain);
        let clock = FakeClock::new();
        let tokens = tokens(&server, Credential::Certificate(certificate), &clock);
        tokens.token(Renewal::IfNeeded).await.unwrap();

        let seen = server.seen().remove(0);
        assert_eq!(
            (seen.method.as_str(), seen.target.as_str()),
            ("POST", &*format!("/{TENANT}/oauth2/v2.0/token"))
        );
        let form = form(&seen.body);
        assert_eq!(form["grant_type"], "client_credentials");
        assert_eq!(form["scope"], "https://graph.microsoft.com/.default");
        assert_eq!(form["client_id"], CLIENT);
        assert_eq!(
            form["client_assertion_type"],
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        assert!(!form.contains_key("client_secret"));

        let public = std::fs::read(key("public.pem")).unwrap();
        let public = jsonwebtoken::DecodingKey::from_rsa_pem(&public).unwrap();
        let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::PS256);
        rules.set_audience(&[format!("{}/{TENANT}/oauth2/v2.0/token", server.root())]);
        rules.validate_exp = false; // the fake clock's time
        let jwt =
            jsonwebtoken::decode::<serde_json::Value>(&form["client_assertion"], &public, &rules)
                .unwrap();
        let now = 1_787_221_025;
        assert_eq!(jwt.claims["iss"], CLIENT);
        assert_eq!(jwt.claims["sub"], CLIENT);
        assert_eq!(jwt.claims["iat"], now);
        assert_eq!(jwt.claims["nbf"], now);
        assert_eq!(jwt.claims["exp"], now + 600);
        assert!(uuid::Uuid::try_parse(jwt.claims["jti"].as_str().unwrap()).is_ok());
        let thumbprint = URL_SAFE_NO_PAD
            .decode(jwt.header.x5t_s256.clone().unwrap())
            .unwrap();
        let hex: Vec<String> = thumbprint
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        assert_eq!(hex.concat(), SHA256);
        assert_eq!(jwt.header.x5t, None);
        let x5c = jwt.header.x5c_der().unwrap().unwrap_or_default();
        assert_eq!(x5c.len(), sent);
        if let Some(leaf) = x5c.first() {
            use sha2::Digest as _;
            assert_eq!(
                sha2::Sha256::digest(leaf).as_slice(),
                thumbprint,
                "the leaf comes first"
            );
        }
    }
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_renewed_in_time() {
    let server = Server::handler(|number, _| {
        token(
            &format!("token-{number}"),
            if number == 1 { 600 } else { 3600 },
        )
    });
    let clock = FakeClock::new();
    let tokens = tokens(&server, secret(), &clock);

    let all = join_all((0..20).map(|_| tokens.token(Renewal::IfNeeded))).await;
    let first = all.into_iter().map(Result::unwrap).next().unwrap();
    assert_eq!(server.seen().len(), 1, "twenty at once, one request");
    assert_eq!(form(&server.seen()[0].body)["client_secret"], SECRET);

    let ask = async |renewal| {
        tokens.token(renewal).await.unwrap();
        server.seen().len()
    };
    clock.advance(Duration::from_secs(3299));
    assert_eq!(ask(Renewal::IfNeeded).await, 1);
    clock.advance(Duration::from_secs(1)); // five minutes before its end
    assert_eq!(ask(Renewal::IfNeeded).await, 2);
    clock.advance(Duration::from_secs(539));
    assert_eq!(ask(Renewal::IfNeeded).await, 2);
    clock.advance(Duration::from_secs(1)); // a tenth before the end of a short one
    assert_eq!(ask(Renewal::IfNeeded).await, 3);

    // A token that was replaced long ago needs no new one; the present one does.
    assert_eq!(
        ask(Renewal::Rejected {
            token_id: first.id()
        })
        .await,
        3
    );
    let now = tokens.token(Renewal::IfNeeded).await.unwrap().id();
    assert_eq!(ask(Renewal::Rejected { token_id: now }).await, 4);
    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#.to_owned();
    let challenged = tokens.token(Renewal::IfNeeded).await.unwrap().id();
    let challenge = |token_id| Renewal::Challenge {
        token_id,
        claims: claims.clone(),
    };
    assert_eq!(ask(challenge(challenged)).await, 5);
    assert_eq!(
        ask(challenge(challenged)).await,
        5,
        "challenged by twenty requests, renewed once"
    );
    assert_eq!(form(&server.seen()[4].body)["claims"], claims);
    let again = tokens.token(Renewal::IfNeeded).await.unwrap().id();
    assert_eq!(
        ask(challenge(again)).await,
        6,
        "the answer to a challenge can be challenged with the same words"
    );
}

#[tokio::test]
async fn what_passes_is_asked_again_and_what_does_not_is_not() {
    let wait = |status| Reply::new(status, "{}").header("Retry-After", "7");
    let cases: Vec<(&str, Vec<Reply>, bool, usize)> = vec![
        (
            "throttled, then fine",
            vec![wait(429), wait(503), token("a", 3600)],
            true,
            3,
        ),
        (
            "throttled for good",
            vec![wait(429), wait(429), wait(429), wait(429), token("a", 3600)],
            false,
            4,
        ),
        (
            "refused",
            vec![refusal(401, 7_000_215), token("a", 3600)],
            false,
            1,
        ),
        (
            "asked in a loop",
            vec![refusal(429, 50_196), token("a", 3600)],
            false,
            1,
        ),
        (
            "cut",
            vec![token("a", 3600).cut(), token("a", 3600)],
            true,
            2,
        ),
        (
            "a web page",
            vec![Reply::ok("<html>"), token("a", 3600)],
            false,
            1,
        ),
        (
            "no token in it",
            vec![Reply::ok("{}"), token("a", 3600)],
            false,
            1,
        ),
        (
            "a redirect",
            vec![
                Reply::new(302, "").header("Location", "http://127.0.0.1:9/"),
                token("a", 3600),
            ],
            false,
            1,
        ),
    ];
    for (name, script, good, requests) in cases {
        let server = Server::script(script);
        let clock = FakeClock::new();
        let result = tokens(&server, secret(), &clock)
            .token(Renewal::IfNeeded)
            .await;
        assert_eq!(result.is_ok(), good, "{name}: {result:?}");
        assert_eq!(server.seen().len(), requests, "{name}");
        if name.starts_with("throttled") {
            assert_eq!(clock.waits(), vec![7000; requests - 1], "{name}");
        }
        if let Err(error) = result {
            assert!(error.help().is_some(), "{name}");
        }
    }
}

#[tokio::test]
async fn a_failed_early_renewal_leaves_the_old_token_in_use() {
    let server = Server::handler(|number, _| {
        if number == 0 {
            token("a", 3600)
        } else {
            Reply::new(503, "")
        }
    });
    let clock = FakeClock::new();
    let tokens = tokens(&server, secret(), &clock);
    let first = tokens.token(Renewal::IfNeeded).await.unwrap().id();
    clock.advance(Duration::from_secs(3400));
    assert_eq!(tokens.token(Renewal::IfNeeded).await.unwrap().id(), first);
    let asked = server.seen().len();
    assert_eq!(tokens.token(Renewal::IfNeeded).await.unwrap().id(), first);
    assert_eq!(server.seen().len(), asked, "not asked again at once");
    clock.advance(Duration::from_mins(5));
    assert!(
        tokens.token(Renewal::IfNeeded).await.is_err(),
        "an expired token is never used"
    );
}

#[tokio::test]
async fn those_who_wait_share_a_failure() {
    let server = Server::handler(|_, _| refusal(401, 7_000_222));
    let clock = FakeClock::new();
    let tokens = tokens(&server, secret(), &clock);
    let all = join_all((0..20).map(|_| tokens.token(Renewal::IfNeeded))).await;
    assert!(all.iter().all(Result::is_err));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn each_code_of_entra_says_what_to_do() {
    let codes = [
        7_000_215, 7_000_222, 700_016, 7_000_229, 7_000_112, 90_002, 900_023, 700_027, 700_024,
        700_023, 700_021, 700_022, 50_027, 700_211, 700_212, 700_213, 70_021, 700_238, 7_002_131,
        70_011, 1_002_012, 500_011, 53_003, 530_035, 65_001, 7_000_218, 70_016, 70_020, 70_018,
        50_076, 50_079, 50_158, 50_196, 530_036, 700_082, 50_173, 70_043,
    ];
    let unknown = 99_999;
    let server = Server::handler(move |number, _| {
        refusal(401, codes.get(number).copied().unwrap_or(unknown))
    });
    let clock = FakeClock::new();
    let tokens = tokens(
        &server,
        Credential::Certificate(load("pkcs8.pem", None).unwrap()),
        &clock,
    );
    let mut fallback = None;
    let mut said = Vec::new();
    for number in 0..=codes.len() {
        let error = tokens.token(Renewal::IfNeeded).await.unwrap_err();
        let (text, help) = (error.to_string(), error.help().unwrap());
        let code = codes.get(number).copied().unwrap_or(unknown);
        assert_eq!(error.code(), Some(code));
        assert!(
            text.contains(&format!("AADSTS{code})"))
                && text.contains(TENANT)
                && text.contains(CLIENT),
            "{text}"
        );
        assert!(
            text.contains("[trace id 00000ff2-0000-4000-8000-000000000ff2]"),
            "{text}"
        );
        for shown in [&text, &help, &format!("{error:?}")] {
            assert!(
                !shown.contains("hostile")
                    && !shown.contains("Contoso")
                    && !shown.contains('\u{1b}'),
                "{shown}"
            );
        }
        assert_eq!(
            help.contains(SHA1) && help.contains(SHA256),
            code == 700_027,
            "{help}"
        );
        if code == unknown {
            fallback = Some(help);
        } else {
            said.push(help);
        }
    }
    assert!(
        said.iter().all(|help| Some(help) != fallback.as_ref()),
        "a code of the table has no sentence of its own"
    );
}

#[tokio::test]
async fn network_failures_are_told_apart() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let plain = Server::script(vec![]);
    let not_tls = plain.root().replace("http://", "https://");
    let proxy = Server::handler(|_, _| Reply::new(407, ""));
    let cases = [
        (closed, None, NetworkProblem::Connect),
        (not_tls, None, NetworkProblem::Tls),
        (
            "https://login.example".to_owned(),
            Some(proxy.root()),
            NetworkProblem::Proxy,
        ),
    ];
    for (login, proxy, expected) in cases {
        let endpoints = Endpoints::new(Cloud::Global, Some(&login), None).unwrap();
        let mut client = http::builder(&[&endpoints.login]);
        if let Some(proxy) = proxy {
            client = client.proxy(reqwest::Proxy::all(proxy).unwrap());
        }
        let sign_in = SignIn::new(TENANT, CLIENT, secret()).unwrap();
        let tokens = Tokens::new(
            sign_in,
            endpoints,
            client.build().unwrap(),
            FakeClock::new(),
        );
        match tokens.token(Renewal::IfNeeded).await.unwrap_err() {
            AuthError::Network { problem, .. } => assert_eq!(problem, expected, "{login}"),
            other => panic!("{login}: {other}"),
        }
    }
}

#[tokio::test]
async fn nothing_prints_a_secret() {
    let (log, _guard) = Log::start();
    let server = Server::script(vec![
        Reply::new(503, "SERVERTEXT"),
        token("TOKENTEXT", 3600),
        refusal(401, 7_000_215),
    ]);
    let clock = FakeClock::new();
    let tokens = tokens(&server, secret(), &clock);
    let token = tokens.token(Renewal::IfNeeded).await.unwrap();
    let error = tokens
        .token(Renewal::Rejected {
            token_id: token.id(),
        })
        .await
        .unwrap_err();
    let certificate = load("modern.p12", Some("test-only")).unwrap();
    let shown = format!(
        "{tokens:?} {token:?} {error:?} {error} {certificate:?} {:?}",
        secret()
    );
    assert!(log.text().contains("signed in"), "the log is captured");
    for text in [shown, log.text()] {
        for hidden in [SECRET, "TOKENTEXT", "test-only", "SERVERTEXT"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
}
