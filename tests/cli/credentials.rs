//! Every kind of credential besides secret and certificate: each collects the demo's tenant, and each failure says what to do.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use m365audit::emulator::{Emulator, Fault, FaultKind, Nth, Options, RetryAfter, TenantData};
use serde_json::{Value, json};

use crate::support::binary::{Call, Stage, changed, collected, result};

/// One rule is enough to see that a scan went through.
const SCAN: &str = "scan --format json --rule guest-invitation-open";
const ISSUER: &str = "https://token.actions.githubusercontent.com";
const SUBJECT: &str = "repo:contoso/audit:ref:refs/heads/main";
const AUDIENCE: &str = "api://AzureADTokenExchange";
const IDENTITY: &str = "000000a3-0000-4000-8000-0000000000a3";
const RESOURCE: &str = "/subscriptions/00000a21-0000-4000-8000-000000000a21/resourcegroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/audit";
const REQUEST_TOKEN: &str = "job-request-token";

/// The demo, whose `tenant.json` is changed.
fn demo(change: impl Fn(&mut Value)) -> TenantData {
    changed("demo", move |file, content| {
        if file == "tenant.json" {
            change(content);
        }
    })
}

fn stage(change: impl Fn(&mut Value)) -> Stage {
    Stage::serve(demo(change), Options::default())
}

/// A scan that names neither tenant nor client.
fn unnamed(stage: &Stage, arguments: &str) -> Call {
    let root = stage.emulator.login_url();
    let call = format!("{SCAN} --login-url {root} --graph-url {root} {arguments}");
    stage.desk.call(&call)
}

/// The scan ends well and has read the tenant.
#[track_caller]
fn good(stage: &Stage, call: Call) -> crate::support::binary::Ran {
    let ran = stage.run(call).code(0);
    let report = ran.json();
    assert_eq!(report["tenant"]["id"], stage.tenant);
    assert_eq!(result(&report, "guest-invitation-open")["status"], "fail");
    ran
}

/// How often a path was asked for.
fn asked(emulator: &Emulator, path: &str) -> usize {
    let lines = emulator.requests();
    lines.iter().filter(|line| line.path.contains(path)).count()
}

mod federation {
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

    #[test]
    fn what_entra_does_not_trust_is_shown_with_what_was_presented() {
        let stage = stage(trusting);
        let moved = "repo:contoso@4711/audit@42:ref:refs/heads/main";
        let cases: [(&str, &str, &str, i64, &str, &[&str]); 5] = [
            (
                "https://elsewhere.example",
                SUBJECT,
                AUDIENCE,
                FAR,
                "AADSTS700211",
                &["issuer \"https://elsewhere.example\""],
            ),
            (
                ISSUER,
                SUBJECT,
                "api://other",
                FAR,
                "AADSTS700212",
                &["audience \"api://other\""],
            ),
            (
                ISSUER,
                moved,
                AUDIENCE,
                FAR,
                "AADSTS700213",
                &[
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
                &["subject \"evil[31m\""],
            ),
            (
                ISSUER,
                SUBJECT,
                AUDIENCE,
                1_000_000_000,
                "AADSTS700024",
                &["token file is renewed"],
            ),
        ];
        for (issuer, subject, audience, end, code, help) in cases {
            let call = with_file(&stage, &token(issuer, subject, audience, end));
            stage.run(call).failed(3, &[code, &stage.client], help);
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
}

mod managed_identity {
    use super::*;

    fn on_azure(content: &mut Value) {
        content["app"]["secrets"] = json!([]);
        content["platforms"] =
            json!({"managedIdentity": {"clientId": IDENTITY, "header": "identity-header"}});
    }

    fn user_assigned(content: &mut Value) {
        on_azure(content);
        content["platforms"]["managedIdentity"]["resourceId"] = json!(RESOURCE);
    }

    fn machine(stage: &Stage, arguments: &str) -> Call {
        unnamed(stage, arguments).env(
            "AZURE_POD_IDENTITY_AUTHORITY_HOST",
            stage.emulator.login_url(),
        )
    }

    fn app_service(stage: &Stage, arguments: &str, header: &str) -> Call {
        let endpoint = format!("{}/app-service/token", stage.emulator.login_url());
        unnamed(stage, arguments)
            .env("IDENTITY_ENDPOINT", endpoint)
            .secret("IDENTITY_HEADER", header)
    }

    #[test]
    fn a_machine_and_a_service_sign_in_without_being_told_anything() {
        let stage = stage(on_azure);
        good(&stage, machine(&stage, ""));
        good(&stage, machine(&stage, "--auth managed-identity"));
        good(
            &stage,
            machine(
                &stage,
                &format!("--auth managed-identity --tenant {}", stage.tenant),
            ),
        );
        good(&stage, machine(&stage, "").env("AZURE_CLIENT_ID", IDENTITY));
        good(&stage, app_service(&stage, "", "identity-header"));
    }

    #[test]
    fn a_user_assigned_identity_is_named_by_client_or_resource_id() {
        let stage = stage(user_assigned);
        for id in [IDENTITY, RESOURCE] {
            good(
                &stage,
                machine(&stage, &format!("--auth managed-identity --client-id {id}")),
            );
            good(
                &stage,
                app_service(&stage, &format!("--client-id {id}"), "identity-header"),
            );
        }
        let other = "--auth managed-identity --client-id 22222222-2222-4222-8222-222222222222";
        for call in [
            machine(&stage, other),
            app_service(&stage, other, "identity-header"),
            machine(&stage, "--auth managed-identity"),
        ] {
            stage.run(call).failed(
                3,
                &["no such managed identity is assigned here"],
                &["--client-id", "AZURE_CLIENT_ID"],
            );
        }
        let call = machine(&stage, "--auth managed-identity --client-id my-identity");
        stage
            .run(call)
            .failed(2, &["my-identity", "resource id"], &[]);
    }

    #[test]
    fn an_identity_of_another_tenant_is_not_used() {
        let stage = stage(on_azure);
        let other = "33333333-3333-4333-8333-333333333333";
        let call = machine(&stage, &format!("--auth managed-identity --tenant {other}"));
        stage.run(call).failed(
            3,
            &["managed-identity", other, &stage.tenant],
            &["leave out --tenant"],
        );
        // Found by itself it is as if there were none.
        let call = machine(&stage, &format!("--tenant {other}"));
        stage.run(call).failed(2, &["no credential"], &[]);
    }

    #[test]
    fn outside_azure() {
        let stage = stage(|content| content["platforms"] = json!({}));
        // Something answers at the address, as in other clouds, but it is not Azure.
        stage
            .run(machine(&stage, ""))
            .failed(2, &["no credential"], &["managed identity"]);
        let nobody = unnamed(&stage, "--auth managed-identity");
        stage.run(nobody).failed(
            3,
            &["instance metadata service", "127.0.0.1:1"],
            &["Azure's machines only"],
        );
    }

    #[test]
    fn platforms_that_refuse_or_are_not_supported() {
        let stage = stage(on_azure);
        stage.run(app_service(&stage, "", "of-another-app")).failed(
            3,
            &["App Service", "status 401"],
            &[],
        );
        let fabric =
            app_service(&stage, "", "identity-header").env("IDENTITY_SERVER_THUMBPRINT", "AB12");
        stage
            .run(fabric)
            .failed(3, &["not supported on Service Fabric"], &["certificate"]);
        let far = unnamed(&stage, "")
            .env("IDENTITY_ENDPOINT", "http://identity.example/token")
            .secret("IDENTITY_HEADER", "x-header");
        stage.run(far).failed(
            2,
            &["IDENTITY_ENDPOINT", "link-local"],
            &["as the platform gives it"],
        );
    }

    #[test]
    fn the_metadata_service_is_given_time() {
        let fault = |nth, status| Fault {
            path_contains: "/metadata/identity".to_owned(),
            nth,
            kind: FaultKind::Status(status),
        };
        for status in [404, 500, 503] {
            let options = Options {
                faults: vec![fault(Nth::First(1), status)],
                ..Options::default()
            };
            let stage = Stage::serve(demo(on_azure), options);
            good(&stage, machine(&stage, "--auth managed-identity"));
            assert_eq!(asked(&stage.emulator, "/metadata/identity"), 2, "{status}");
        }
    }
}

#[cfg(unix)]
mod azure_cli {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A program named `az` in a folder of its own.
    fn az(stage: &Stage, script: &str) -> PathBuf {
        let folder = stage.desk.path("bin");
        std::fs::create_dir_all(&folder).unwrap();
        let program = stage.desk.write("bin/az", format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).unwrap();
        folder
    }

    fn call(stage: &Stage, script: &str, arguments: &str) -> Call {
        unnamed(stage, arguments).env("PATH", az(stage, script))
    }

    /// A token of the emulator, as somebody else would have got it.
    fn token(stage: &Stage, form: &[(&str, &str)]) -> Value {
        let url = format!(
            "{}/{}/oauth2/v2.0/{}",
            stage.emulator.login_url(),
            stage.tenant,
            if form.len() == 2 {
                "devicecode"
            } else {
                "token"
            }
        );
        let query = reqwest::Url::parse_with_params("http://form", form).unwrap();
        stage.runtime.block_on(async {
            let request = reqwest::Client::builder()
                .no_proxy()
                .build()
                .unwrap()
                .post(url);
            let request = request.header("Content-Type", "application/x-www-form-urlencoded");
            let answer = request
                .body(query.query().unwrap().to_owned())
                .send()
                .await
                .unwrap();
            serde_json::from_str(&answer.text().await.unwrap()).unwrap()
        })
    }

    fn app_token(stage: &Stage) -> String {
        let scope = "https://graph.microsoft.com/.default";
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &stage.client),
            ("client_secret", &stage.secret),
            ("scope", scope),
        ];
        token(stage, &form)["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn persons_token(stage: &Stage) -> String {
        let scope = "https://graph.microsoft.com/.default offline_access";
        let code = token(stage, &[("client_id", &stage.client), ("scope", scope)]);
        let code = code["device_code"].as_str().unwrap();
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let form = [
            ("grant_type", grant),
            ("client_id", &stage.client),
            ("device_code", code),
        ];
        token(stage, &form)["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn prints(token: &str) -> String {
        let answer = json!({"accessToken": token, "expires_on": 4_102_444_800_i64, "expiresOn": "2026-08-20 13:17:05.000000", "tokenType": "Bearer"});
        format!("echo \"$@\" > arguments\nprintf '%s' '{answer}'")
    }

    #[test]
    fn its_token_reads_the_tenant() {
        let stage = Stage::of("demo");
        let token = app_token(&stage);
        let ran = good(&stage, call(&stage, &prints(&token), "").hidden(&token));
        assert!(
            !ran.err.contains("note:"),
            "the token of an application: {}",
            ran.err
        );
        let arguments = std::fs::read_to_string(stage.desk.path("arguments")).unwrap();
        assert_eq!(
            arguments,
            "account get-access-token --output json --scope https://graph.microsoft.com/.default\n"
        );
        let named = call(
            &stage,
            &prints(&token),
            &format!("--auth azure-cli --tenant {}", stage.tenant),
        )
        .hidden(&token);
        good(&stage, named);
        let arguments = std::fs::read_to_string(stage.desk.path("arguments")).unwrap();
        assert!(
            arguments.ends_with(&format!(" --tenant {}\n", stage.tenant)),
            "{arguments}"
        );
    }

    #[test]
    fn a_persons_token_says_what_it_can_never_read() {
        let stage = stage(|content| {
            content["app"]["person"] = json!({"scopes": ["AuditLog.Read.All", "User.ReadWrite.All", "Organization.Read.All", "User.Read.All"]});
        });
        let token = persons_token(&stage);
        let all = call(&stage, &prints(&token), "")
            .hidden(&token)
            .arg("--rule")
            .arg("legacy-authentication-allowed");
        let ran = stage
            .run(all)
            .code(0)
            .says("note: what the Azure CLI may read is fixed by Microsoft");
        let report = ran.says("Policy.Read.All").json();
        assert_eq!(
            collected(&report, "/v1.0/identity/conditionalAccess/policies")["status"],
            "forbidden"
        );
        assert_eq!(
            result(&report, "legacy-authentication-allowed")["status"],
            "not_evaluated"
        );
        let quiet = call(&stage, &prints(&token), "--quiet").hidden(&token);
        assert_eq!(stage.run(quiet).code(0).err, "");
    }

    #[test]
    fn what_it_complains_about_is_shown() {
        let stage = Stage::of("demo");
        let complaint = "printf 'ERROR: Please run \\033[31maz login\\033[0m to setup account. eyJ0eXAi' >&2; exit 1";
        stage.run(call(&stage, complaint, "")).failed(
            3,
            &["Azure CLI (az)", "code 1", "Please run", "az login"],
            &["run `az login`"],
        );
        let refused = "echo 'AADSTS50078: expired' >&2; exit 1";
        stage
            .run(call(&stage, refused, ""))
            .failed(3, &["AADSTS50078"], &["az login --tenant"]);
        for (script, error) in [
            ("exit 3", "code 3: it says nothing"),
            ("echo no JSON", "holds no token"),
            ("echo '{}'", "holds no token"),
            (
                "echo '{\"accessToken\": \"two words\"}'",
                "a token that cannot be sent",
            ),
            ("kill -9 $$", "code -1"),
        ] {
            stage.run(call(&stage, script, "")).failed(3, &[error], &[]);
        }
        let endless = "i=0; while [ $i -lt 5000 ]; do echo 'all work and no play' >&2; i=$((i+1)); done; exit 1";
        let ran = stage
            .run(call(&stage, endless, ""))
            .failed(3, &["no play"], &[]);
        assert!(ran.err.len() < 1_000, "{}", ran.err);
        assert!(stage.emulator.requests().is_empty(), "nobody was asked");
    }

    #[test]
    fn it_is_looked_for_on_the_path_only() {
        let stage = Stage::of("demo");
        let token = app_token(&stage);
        stage.run(unnamed(&stage, "--auth azure-cli")).failed(
            3,
            &["was not found on PATH"],
            &["az login"],
        );
        az(&stage, &prints(&token));
        let relative = unnamed(&stage, "--auth azure-cli").env("PATH", "bin:.:");
        stage
            .run(relative)
            .failed(3, &["was not found on PATH"], &[]);
        let folder = stage.desk.path("bin");
        std::fs::set_permissions(folder.join("az"), std::fs::Permissions::from_mode(0o644))
            .unwrap();
        stage
            .run(unnamed(&stage, "--auth azure-cli").env("PATH", &folder))
            .failed(3, &["was not found on PATH"], &[]);
    }

    #[test]
    fn a_machine_without_an_identity_leaves_it_to_the_azure_cli() {
        let stage = stage(|content| {
            content["platforms"] =
                json!({"managedIdentity": {"clientId": IDENTITY, "resourceId": RESOURCE}});
        });
        let token = app_token(&stage);
        let on_azure = call(&stage, &prints(&token), "").hidden(&token).env(
            "AZURE_POD_IDENTITY_AUTHORITY_HOST",
            stage.emulator.login_url(),
        );
        good(&stage, on_azure);
        assert_eq!(
            asked(&stage.emulator, "/metadata/identity"),
            2,
            "looked for, and asked for a token"
        );
    }
}

mod device_code {
    use super::*;

    fn person(polls: &[&str]) -> impl Fn(&mut Value) {
        let polls = json!(polls);
        move |content| {
            content["app"]["secrets"] = json!([]);
            content["app"]["person"] = json!({"interval": 1, "polls": polls});
        }
    }

    fn call(stage: &Stage) -> Call {
        stage.bare(SCAN).arg("--auth").arg("device-code")
    }

    #[test]
    fn a_person_signs_in_and_is_not_asked_again() {
        let options = Options {
            token_requests: Some(1),
            ..Options::default()
        };
        let stage = Stage::serve(demo(person(&["pending", "granted"])), options);
        let ran = good(&stage, call(&stage).arg("--quiet"));
        assert!(
            ran.err
                .starts_with("To sign in, use a web browser to open the page"),
            "{}",
            ran.err
        );
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        assert_eq!(asked(&stage.emulator, "/devicecode"), 1);
        assert!(
            asked(&stage.emulator, "/token") >= 3,
            "two polls, and the refresh token after that"
        );
        good(&stage, call(&stage))
            .says("Global Reader")
            .says("/directory/onPremisesSynchronization needs the role Global Administrator");
    }

    #[test]
    fn it_is_never_found_by_itself() {
        let stage = stage(person(&["granted"]));
        stage
            .run(stage.bare(SCAN))
            .failed(2, &["no credential"], &["--auth device-code"]);
        assert!(stage.emulator.requests().is_empty());
    }

    #[test]
    fn sign_ins_that_come_to_nothing() {
        for (polls, error, help) in [
            (["declined"], "declined", "run again"),
            (["expired"], "was not used in time", "run again"),
            (["53003"], "AADSTS53003", "device code"),
            (["530036"], "AADSTS530036", "client secret or a certificate"),
        ] {
            let stage = stage(person(&polls));
            stage.run(call(&stage)).code(3).says(error).says(help);
        }
        let stage = stage(|content| content["app"]["secrets"] = json!([]));
        stage
            .run(call(&stage).arg("--quiet"))
            .code(3)
            .says("AADSTS7000218")
            .says("Allow public client flows");
    }
}
