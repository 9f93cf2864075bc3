//! A token of another issuer: from a file, of a GitHub job, of an Azure DevOps job.

use super::*;

fn trusting(content: &mut Value) {
    content["app"]["secrets"] = json!([]);
    content["app"]["federatedCredentials"] = json!([
        {"issuer": ISSUER, "subject": SUBJECT},
        {"issuer": "https://vstoken.dev.azure.example/org", "subject": "sc://contoso/audit/graph"},
    ]);
    content["platforms"] = json!({
        "github": {"requestToken": REQUEST_TOKEN, "subject": SUBJECT},
        "azureDevOps": {
            "accessToken": REQUEST_TOKEN,
            "serviceConnectionId": "11111111-2222-4333-8444-555555555555",
            "issuer": "https://vstoken.dev.azure.example/org",
            "subject": "sc://contoso/audit/graph",
        },
    });
}

/// A token of another issuer; `end` in seconds since 1970.
fn token(issuer: &str, subject: &str, audience: &str, end: i64) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"iss": issuer, "sub": subject, "aud": audience, "exp": end});
    format!("{}.{}.c2ln", part(json!({"alg": "RS256"})), part(claims))
}

const FAR: i64 = 4_102_444_800;

fn with_file(stage: &Stage, token: &str) -> Call {
    let file = stage.desk.write("token", format!("{token}\n"));
    stage
        .bare(SCAN)
        .env("AZURE_FEDERATED_TOKEN_FILE", file)
        .hidden(token)
}

fn github(stage: &Stage) -> Call {
    let url = format!("{}/github/oidc?api-version=2.0", stage.emulator.login_url());
    stage
        .bare(SCAN)
        .env("GITHUB_ACTIONS", "true")
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", url)
        .secret("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN)
}

fn azure_devops(stage: &Stage, token: &str, connection: &str) -> Call {
    let root = stage.emulator.login_url();
    unnamed(stage, "")
        .env("SYSTEM_OIDCREQUESTURI", format!("{root}/azure-devops/oidc"))
        .secret("SYSTEM_ACCESSTOKEN", token)
        .env("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", connection)
        .env("AZURESUBSCRIPTION_TENANT_ID", &stage.tenant)
        .env("AZURESUBSCRIPTION_CLIENT_ID", &stage.client)
}

#[test]
fn a_token_file_signs_in() {
    let stage = stage(trusting);
    let token = token(ISSUER, SUBJECT, AUDIENCE, FAR);
    good(&stage, with_file(&stage, &token));
    let file = stage.desk.path("token");
    let call = unnamed(&stage, "")
        .env("ARM_OIDC_TOKEN_FILE_PATH", file)
        .env("ARM_TENANT_ID", &stage.tenant)
        .env("ARM_CLIENT_ID", &stage.client)
        .hidden(&token);
    good(&stage, call);
}

#[test]
fn a_secret_comes_before_a_token_file() {
    let stage = stage(|content| {
        trusting(content);
        content["app"]["federatedCredentials"] = json!([]);
        content["app"]["secrets"] = json!([{"value": "chosen"}]);
    });
    let call = with_file(&stage, &token(ISSUER, SUBJECT, AUDIENCE, FAR));
    good(&stage, call.secret("AZURE_CLIENT_SECRET", "chosen"));
}

#[test]
fn github_and_azure_devops_sign_in_and_are_asked_anew_for_each_token() {
    let options = Options {
        token_requests: Some(1),
        ..Options::default()
    };
    let stage = Stage::serve(demo(trusting), options);
    good(&stage, github(&stage).arg("--mailbox-rules"));
    assert!(
        asked(&stage.emulator, "/github/oidc?") >= 2,
        "one for each token"
    );
    let line = stage.emulator.requests().remove(0);
    assert_eq!(
        line.path,
        "/github/oidc?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange"
    );
    let connection = "11111111-2222-4333-8444-555555555555";
    good(&stage, azure_devops(&stage, REQUEST_TOKEN, connection));
}

/// Issuer, subject, audience, end; the code, and what the help says.
type Case<'a> = (&'a str, &'a str, &'a str, i64, &'a str, Vec<&'a str>);

#[test]
fn what_entra_does_not_trust_is_shown_with_what_was_presented() {
    let stage = stage(trusting);
    let moved = "repo:contoso@4711/audit@42:ref:refs/heads/main";
    let cases: Vec<Case<'_>> = vec![
        (
            "https://elsewhere.example",
            SUBJECT,
            AUDIENCE,
            FAR,
            "AADSTS700211",
            vec!["issuer \"https://elsewhere.example\""],
        ),
        (
            ISSUER,
            SUBJECT,
            "api://other",
            FAR,
            "AADSTS700212",
            vec!["audience \"api://other\""],
        ),
        (
            ISSUER,
            moved,
            AUDIENCE,
            FAR,
            "AADSTS700213",
            vec![
                moved,
                "letter by letter",
                "GitHub puts ids into the subject",
            ],
        ),
        (
            ISSUER,
            "evil\u{1b}[31m\u{202e}",
            AUDIENCE,
            FAR,
            "AADSTS700213",
            vec!["subject \"evil[31m\""],
        ),
        (
            ISSUER,
            SUBJECT,
            AUDIENCE,
            1_000_000_000,
            "AADSTS700024",
            vec!["token file is renewed"],
        ),
    ];
    for (issuer, subject, audience, end, code, help) in cases {
        let call = with_file(&stage, &token(issuer, subject, audience, end));
        stage.run(call).failed(3, &[code, &stage.client], &help);
    }
}

#[test]
fn token_files_that_cannot_be_used() {
    let stage = stage(trusting);
    for (content, error) in [
        ("", "is empty"),
        ("two\ntokens\n", "one token and nothing else"),
        (&"x".repeat(70_000), "one token"),
    ] {
        let call = with_file(&stage, "placeholder-of-a-token");
        stage.desk.write("token", content);
        stage
            .run(call)
            .failed(3, &["token", error], &["AZURE_FEDERATED_TOKEN_FILE"]);
    }
    let absent = stage
        .bare(SCAN)
        .env("AZURE_FEDERATED_TOKEN_FILE", stage.desk.path("absent"));
    stage
        .run(absent)
        .failed(3, &["absent", "cannot be read: entity not found"], &[]);
    assert!(stage.emulator.requests().is_empty(), "nobody was asked");
}

#[test]
fn jobs_that_get_no_token() {
    let stage = stage(trusting);
    let call = github(&stage).secret("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-another-job");
    stage
        .run(call)
        .failed(3, &["GitHub Actions", "status 401"], &["id-token: write"]);
    let call = azure_devops(&stage, "of-another-job", "x");
    stage
        .run(call)
        .failed(3, &["Azure DevOps", "status 401"], &["SYSTEM_ACCESSTOKEN"]);
    let call = azure_devops(&stage, REQUEST_TOKEN, "of-another-project");
    stage.run(call).failed(
        3,
        &["Azure DevOps", "status 404"],
        &["SERVICE_CONNECTION_ID"],
    );

    // Chosen, but the job was not given what it needs.
    let chosen = |name: &str| {
        stage
            .bare(SCAN)
            .arg("--auth")
            .arg("federated")
            .env(name, "true")
    };
    stage.run(chosen("GITHUB_ACTIONS")).failed(
        2,
        &["no request token of the job"],
        &["id-token: write", "fork"],
    );
    stage.run(chosen("SYSTEM_OIDCREQUESTURI")).failed(
        2,
        &["no access token of the job"],
        &["SYSTEM_ACCESSTOKEN: $(System.AccessToken)"],
    );
    stage.run(chosen("NOTHING")).failed(
        2,
        &["no token of another issuer"],
        &["AZURE_FEDERATED_TOKEN_FILE"],
    );
}

#[test]
fn the_jobs_token_goes_nowhere_insecure() {
    let stage = stage(trusting);
    for url in [
        "http://pipelines.example/oidc?x=1",
        "http://user:hidden@127.0.0.1/",
        "no address",
    ] {
        let call = github(&stage).env("ACTIONS_ID_TOKEN_REQUEST_URL", url);
        let ran = stage
            .run(call)
            .failed(2, &["ACTIONS_ID_TOKEN_REQUEST_URL"], &[]);
        assert!(!ran.err.contains("hidden"));
    }
    assert!(stage.emulator.requests().is_empty(), "nobody was asked");
}

#[test]
fn trouble_that_passes_is_waited_out_and_a_redirect_is_not_followed() {
    let fault = |nth, kind| Fault {
        path_contains: "/github/oidc".to_owned(),
        nth,
        kind,
    };
    let serve = |fault| {
        Stage::serve(
            demo(trusting),
            Options {
                faults: vec![fault],
                ..Options::default()
            },
        )
    };
    let throttle = FaultKind::Throttle {
        retry_after: RetryAfter::Seconds(0),
    };
    for kind in [throttle, FaultKind::ResetConnection, FaultKind::CutBody] {
        let stage = serve(fault(Nth::First(1), kind));
        good(&stage, github(&stage));
        assert_eq!(asked(&stage.emulator, "/github/oidc"), 2);
    }
    let stage = serve(fault(
        Nth::Always,
        FaultKind::Redirect("http://127.0.0.1:1/".to_owned()),
    ));
    stage
        .run(github(&stage))
        .failed(3, &["GitHub Actions", "status 302"], &[]);
    let stage = serve(fault(Nth::Always, FaultKind::Html(200)));
    stage
        .run(github(&stage))
        .failed(3, &["GitHub Actions", "holds no token"], &[]);
}
