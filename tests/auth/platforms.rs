//! The emulator's endpoints are as strict as their originals.

use std::path::Path;

use m365audit::auth::{ManagedIdentity, Platform};
use m365audit::emulator::{self, Emulator, TenantData};

use super::*;

const CONNECTION: &str = "11111111-2222-4333-8444-555555555555";

async fn emulator(platforms: &serde_json::Value) -> Emulator {
    let profile = json!({
        "tenantId": TENANT,
        "now": "2026-08-20T10:00:00Z",
        "app": { "clientId": CLIENT, "permissions": ["User.Read.All"], "person": { "scopes": ["User.Read.All"] } },
        "platforms": platforms,
    });
    let profile = profile.to_string();
    let tenant = TenantData::from_files([("tenant.json", profile.as_str())]).unwrap();
    Emulator::start(tenant, emulator::Options::default())
        .await
        .unwrap()
}

fn platforms(key_file: &Path) -> serde_json::Value {
    json!({
        "github": { "requestToken": "job", "subject": "repo:contoso/audit:pull_request" },
        "azureDevOps": { "accessToken": "job", "serviceConnectionId": CONNECTION, "issuer": "https://i.example", "subject": "s" },
        "managedIdentity": { "clientId": CLIENT, "header": "own", "keyFile": key_file, "key": "the-key" },
    })
}

/// Method, path with query, headers, and the status that is expected.
type Case<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>, u16);

#[tokio::test]
async fn requests_that_are_not_as_documented_are_refused() {
    let graph = "resource=https%3A%2F%2Fgraph.microsoft.com";
    let (metadata, version) = ("/metadata/identity/oauth2/token?", "api-version=2018-02-01");
    let good = format!("{metadata}{version}&{graph}");
    let old = format!("{metadata}api-version=2017-01-01&{graph}");
    let other = format!("{metadata}{version}&resource=https%3A%2F%2Fvault.azure.net");
    let service = format!("/app-service/token?api-version=2019-08-01&{graph}");
    let unversioned = format!("/app-service/token?{graph}");
    let arc = format!("/arc/token?api-version=2020-06-01&{graph}");
    let github = "/github/oidc?api-version=2.0&audience=x";
    let devops = format!("/azure-devops/oidc?api-version=7.1&serviceConnectionId={CONNECTION}");
    let nowhere = "/azure-devops/oidc?api-version=7.1&serviceConnectionId=other";
    let (yes, json) = (("Metadata", "true"), ("Content-Type", "application/json"));
    let (job, away) = (
        ("Authorization", "bearer job"),
        ("X-TFS-FedAuthRedirect", "Suppress"),
    );
    let cases: Vec<Case<'_>> = vec![
        ("GET", &good, vec![yes], 200),
        ("GET", &good, vec![], 400),
        (
            "GET",
            &good,
            vec![yes, ("X-Forwarded-For", "10.0.0.1")],
            400,
        ),
        ("POST", &good, vec![yes], 400),
        ("GET", &old, vec![yes], 400),
        ("GET", &other, vec![yes], 400),
        ("GET", &service, vec![("X-IDENTITY-HEADER", "own")], 200),
        ("GET", &service, vec![("X-IDENTITY-HEADER", "other")], 401),
        ("GET", &service, vec![], 401),
        ("GET", &unversioned, vec![("X-IDENTITY-HEADER", "own")], 400),
        (
            "GET",
            &arc,
            vec![yes, ("Authorization", "Basic the-key")],
            200,
        ),
        (
            "GET",
            &arc,
            vec![yes, ("Authorization", "Basic other")],
            403,
        ),
        ("GET", &arc, vec![yes], 401),
        ("GET", &arc, vec![], 400),
        ("GET", github, vec![job], 200),
        ("POST", github, vec![job], 400),
        ("GET", github, vec![], 401),
        ("GET", "/github/oidc?audience=x", vec![job], 400),
        ("POST", &devops, vec![job, json], 200),
        ("POST", &devops, vec![job], 400),
        ("GET", &devops, vec![job, json], 400),
        ("POST", &devops, vec![json, away], 401),
        ("POST", &devops, vec![json], 302),
        ("POST", nowhere, vec![job, json], 404),
    ];
    let with = emulator(&platforms(Path::new("a.key"))).await;
    let without = emulator(&json!({})).await;
    for (method, path, headers, expected) in cases {
        for (emulator, expected) in [(&with, expected), (&without, 404)] {
            let url = http::Url::parse(&format!("{}{path}", emulator.login_url())).unwrap();
            let client = http::client(&[&url]).unwrap();
            let mut request = client.request(method.parse().unwrap(), url);
            for (name, value) in &headers {
                request = request.header(*name, *value);
            }
            let status = request.send().await.unwrap().status().as_u16();
            assert_eq!(status, expected, "{method} {path} {headers:?}");
        }
    }
}

#[tokio::test]
async fn codes_and_refresh_tokens_are_good_once() {
    let emulator = emulator(&json!({})).await;
    let post = async |path: &str, pairs: &[(&str, &str)]| -> serde_json::Value {
        let url = format!("{}/{TENANT}/oauth2/v2.0/{path}", emulator.login_url());
        let url = http::Url::parse(&url).unwrap();
        let request = http::client(&[&url]).unwrap().post(url).form(pairs);
        let answer = request.send().await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    };
    let (client, graph) = (
        ("client_id", CLIENT),
        "https://graph.microsoft.com/.default",
    );
    let refused = post("devicecode", &[client, ("scope", graph)]).await;
    assert_eq!(refused["error_codes"][0], 70_011, "no offline_access");
    let scope = format!("{graph} offline_access");
    let code = post("devicecode", &[client, ("scope", &scope)]).await;
    let code = code["device_code"].as_str().unwrap();
    let device = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
    let poll = [device, client, ("device_code", code)];
    let granted = post("token", &poll).await;
    assert_eq!(granted["scope"], "User.Read.All");
    assert_eq!(post("token", &poll).await["error"], "bad_verification_code");

    let refresh = granted["refresh_token"].as_str().unwrap();
    let renew = [
        ("grant_type", "refresh_token"),
        client,
        ("refresh_token", refresh),
    ];
    let token = post("token", &renew).await;
    let claims = m365audit::auth::Claims::read(token["access_token"].as_str().unwrap()).unwrap();
    assert!(claims.is_delegated && claims.roles.is_empty());
    assert_eq!(claims.scopes, ["User.Read.All"]);
    assert_eq!(post("token", &renew).await["error_codes"][0], 700_082);
}

#[tokio::test]
async fn an_arc_machine_signs_in() {
    let keys = tempfile::tempdir().unwrap();
    let file = keys.path().join("a.key");
    std::fs::write(&file, "the-key\n").unwrap();
    let emulator = emulator(&platforms(&file)).await;
    let endpoint = format!("{}/arc/token", emulator.login_url());
    let identity = ManagedIdentity {
        tenant: Some(TENANT.to_owned()),
        assigned: None,
        platform: Platform::Arc {
            endpoint: http::platform_address(&endpoint).unwrap(),
            keys: keys.path().to_owned(),
        },
    };
    let endpoints = Endpoints::from(Cloud::Global);
    let client = http::client(&[&endpoints.login]).unwrap();
    let sign_in = SignIn::ManagedIdentity(identity);
    let clock = FakeClock::new();
    let tokens = Tokens::new(sign_in, endpoints, client, clock);
    let token = tokens.token(Renewal::IfNeeded).await.unwrap();
    let claims = token.claims().unwrap();
    assert_eq!(claims.tenant.as_deref(), Some(TENANT));
    assert_eq!(claims.roles, ["User.Read.All"]);
}
