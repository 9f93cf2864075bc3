//! The Azure CLI, played by a script on the path.

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
    let endless =
        "i=0; while [ $i -lt 5000 ]; do echo 'all work and no play' >&2; i=$((i+1)); done; exit 1";
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
    std::fs::set_permissions(folder.join("az"), std::fs::Permissions::from_mode(0o644)).unwrap();
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
