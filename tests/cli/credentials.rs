//! Every kind of credential besides secret and certificate: each collects the demo's tenant, and each failure says what to do.

#[cfg(unix)]
#[path = "credentials/azure_cli.rs"]
mod azure_cli;
#[path = "credentials/device_code.rs"]
mod device_code;
#[path = "credentials/federation.rs"]
mod federation;
#[path = "credentials/managed_identity.rs"]
mod managed_identity;

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
