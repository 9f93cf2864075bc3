//! Workload identity federation: where the token of the other issuer comes from, and that it is fetched anew.

use m365audit::auth::{AuthKind, Federated, PlatformProblem, Provider};

use super::*;

const JOB: &str = "JOBTOKENTEXT";

fn github(job: &Server, cloud: Cloud) -> Credential {
    Credential::Federated(Federated::GitHub {
        url: http::platform_address(&format!("{}/idtoken?api-version=2.0", job.root())).unwrap(),
        token: JOB.into(),
        audience: cloud.federation_audience(),
    })
}

fn azure_devops(job: &Server) -> Credential {
    Credential::Federated(Federated::AzureDevOps {
        url: http::platform_address(&format!("{}/oidctoken", job.root())).unwrap(),
        token: JOB.into(),
        connection: "of the pipeline&x".to_owned(),
    })
}

fn entra() -> Server {
    Server::handler(|number, _| token(&format!("token-{number}"), 3600))
}

#[tokio::test]
async fn github_is_asked_for_each_token_with_the_audience_of_the_cloud() {
    for (cloud, audience) in [
        (Cloud::Global, "AzureADTokenExchange"),
        (Cloud::UsGov, "AzureADTokenExchangeUSGov"),
        (Cloud::Dod, "AzureADTokenExchangeUSGov"),
        (Cloud::China, "AzureADTokenExchangeChina"),
    ] {
        let job = Server::handler(|number, _| {
            Reply::ok(json!({ "count": 1, "value": format!("ASSERTION{number}") }).to_string())
        });
        let (entra, clock) = (entra(), FakeClock::new());
        let tokens = tokens(&entra, github(&job, cloud), &clock);
        let first = tokens.token(Renewal::IfNeeded).await.unwrap();
        let rejected = Renewal::Rejected {
            token_id: first.id(),
        };
        tokens.token(rejected).await.unwrap();

        let asked = job.seen();
        assert_eq!(asked.len(), 2);
        for seen in &asked {
            assert_eq!(seen.method, "GET");
            assert_eq!(
                seen.target,
                format!("/idtoken?api-version=2.0&audience=api%3A%2F%2F{audience}")
            );
            assert_eq!(seen.header("authorization"), Some("Bearer JOBTOKENTEXT"));
        }
        for (number, seen) in entra.seen().iter().enumerate() {
            let form = form(&seen.body);
            assert_eq!(form["client_assertion"], format!("ASSERTION{number}"));
            assert_eq!(
                form["client_assertion_type"],
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            );
            assert_eq!(form["grant_type"], "client_credentials");
            assert_eq!(seen.header("authorization"), None);
            assert!(
                !seen.body.contains(JOB),
                "the job's own token stays at GitHub"
            );
        }
    }
}

#[tokio::test]
async fn azure_devops_is_asked_not_to_redirect() {
    let job = Server::script(vec![Reply::ok(r#"{"oidcToken": "ASSERTION"}"#)]);
    let (entra, clock) = (entra(), FakeClock::new());
    let tokens = tokens(&entra, azure_devops(&job), &clock);
    tokens.token(Renewal::IfNeeded).await.unwrap();
    let seen = job.seen().remove(0);
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        (
            "POST",
            "/oidctoken?api-version=7.1&serviceConnectionId=of+the+pipeline%26x"
        )
    );
    assert_eq!(seen.header("authorization"), Some("Bearer JOBTOKENTEXT"));
    assert_eq!(seen.header("x-tfs-fedauthredirect"), Some("Suppress"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(
        (seen.header("content-length"), &*seen.body),
        (Some("0"), "")
    );
    assert_eq!(form(&entra.seen()[0].body)["client_assertion"], "ASSERTION");
}

#[tokio::test]
async fn a_token_file_is_read_anew() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "FIRST\r\n").unwrap();
    let (entra, clock) = (entra(), FakeClock::new());
    let tokens = tokens(
        &entra,
        Credential::Federated(Federated::File(file.clone())),
        &clock,
    );
    tokens.token(Renewal::IfNeeded).await.unwrap();
    std::fs::write(&file, "SECOND").unwrap();
    clock.advance(Duration::from_hours(2));
    tokens.token(Renewal::IfNeeded).await.unwrap();
    std::fs::remove_file(&file).unwrap();
    clock.advance(Duration::from_hours(2));
    let error = tokens.token(Renewal::IfNeeded).await.unwrap_err();
    assert!(matches!(error, AuthError::TokenFile { .. }), "{error}");
    let sent: Vec<String> = entra
        .seen()
        .iter()
        .map(|seen| form(&seen.body)["client_assertion"].clone())
        .collect();
    assert_eq!(sent, ["FIRST", "SECOND"]);
}

#[tokio::test]
async fn a_job_without_a_token_says_why_and_says_nothing_of_the_answer() {
    let hostile = json!({ "error": "SERVER\u{1b}TEXT", "value": "two words" }).to_string();
    let status = |status, code: &str| PlatformProblem::Status {
        status,
        code: code.to_owned(),
    };
    let big = format!("{{\"value\": \"{}\"}}", "x".repeat(70_000));
    let cases = [
        (
            Reply::new(401, hostile.clone()),
            status(401, "SERVERTEXT"),
            1,
        ),
        (
            Reply::new(302, "").header("Location", "{root}/elsewhere"),
            status(302, ""),
            1,
        ),
        (Reply::new(503, "<html>"), status(503, ""), 4),
        (
            Reply::new(429, "{}").header("Retry-After", "3"),
            status(429, ""),
            4,
        ),
        (Reply::ok(hostile), PlatformProblem::NoToken, 1),
        (Reply::ok("<html>"), PlatformProblem::NoToken, 1),
        (Reply::ok("{}"), PlatformProblem::NoToken, 1),
        (Reply::ok(big), PlatformProblem::NoToken, 1),
        (
            Reply::ok("{}").cut(),
            PlatformProblem::Network(NetworkProblem::Cut),
            4,
        ),
    ];
    for (reply, expected, requests) in cases {
        let waits = matches!(expected, PlatformProblem::Status { status: 429, .. });
        let job = Server::handler(move |_, _| reply.clone());
        let (entra, clock) = (entra(), FakeClock::new());
        let tokens = tokens(&entra, github(&job, Cloud::Global), &clock);
        let error = tokens.token(Renewal::IfNeeded).await.unwrap_err();
        match &error {
            AuthError::Platform {
                provider: Provider::GitHub,
                problem,
                ..
            } => assert_eq!(problem, &expected),
            other => panic!("{other}"),
        }
        assert!(error.help().is_some() && !error.to_string().contains('\u{1b}'));
        assert_eq!(job.seen().len(), requests, "{error}");
        assert!(entra.seen().is_empty(), "{error}");
        if waits {
            assert_eq!(clock.waits(), [3000, 3000, 3000]);
        }
    }
}

#[tokio::test]
async fn nothing_prints_a_token_of_a_job() {
    let (log, _guard) = Log::start();
    let job = Server::script(vec![Reply::ok(r#"{"value": "ASSERTIONTEXT"}"#)]);
    let entra = Server::script(vec![refusal(401, 700_213)]);
    let credential = github(&job, Cloud::Global);
    assert_eq!(credential.kind(), AuthKind::Federated);
    let shown = format!("{credential:?} {:?}", azure_devops(&job));
    let tokens = tokens(&entra, credential, &FakeClock::new());
    let error = tokens.token(Renewal::IfNeeded).await.unwrap_err();
    let shown = format!("{shown} {tokens:?} {error:?} {error} {:?}", error.help());
    for text in [shown, log.text()] {
        for hidden in [JOB, "ASSERTIONTEXT", "idtoken"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
}
