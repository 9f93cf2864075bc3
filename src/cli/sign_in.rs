//! Signing in to a tenant: flags, environment and configuration in, tokens out, and what a person has to know of them.

use std::io::Write as _;
use std::sync::Arc;

use super::World;
use super::args::{Cli, SignInArgs};
use super::failure::Failure;
use crate::auth::{
    self, AZURE_CLI_SCOPES, AccessToken, AuthKind, BEYOND_ROLE, Cloud, Endpoints, ROLE, Tokens,
};
use crate::config::Config;
use crate::graph::Clock;
use crate::graph::http::{self, Client};

/// Where to sign in and read, and with which tokens.
pub(super) struct Live {
    pub(super) cloud: Cloud,
    pub(super) endpoints: Endpoints,
    pub(super) http: Client,
    pub(super) tokens: Tokens,
}

/// Finds the credential; nothing is sent to Entra yet.
pub(super) async fn live(
    args: &SignInArgs,
    config: &Config,
    world: &World,
    clock: &Arc<dyn Clock>,
) -> Result<Live, Failure> {
    let cloud = match (args.cloud, &config.cloud) {
        (Some(cloud), _) => cloud,
        (None, Some(name)) => name.parse()?,
        (None, None) => Cloud::default(),
    };
    let authority = world
        .environment
        .get("AZURE_AUTHORITY_HOST")
        .map(String::as_str)
        .filter(|host| !host.is_empty());
    let login = args.login_url.as_deref().or(authority);
    let endpoints = Endpoints::new(cloud, login, args.graph_url.as_deref())?;
    let options = auth::Options {
        auth: args.auth,
        tenant: args.tenant.clone(),
        client_id: args.client_id.clone(),
        configured_tenant: config.tenant.clone(),
        configured_client_id: config.client_id.clone(),
        client_secret_file: args.client_secret_file.clone(),
        certificate: args.certificate.clone(),
        cloud,
    };
    let http = http::client(&[&endpoints.login, &endpoints.graph])?;
    let tokens = auth::sign_in(&options, &world.environment, &endpoints, &http, clock)
        .await?
        .prompting(Box::new(say));
    Ok(Live {
        cloud,
        endpoints,
        http,
        tokens,
    })
}

/// Says what a token of this kind cannot read, when that is known before anything is refused.
pub(super) fn note(kind: AuthKind, token: &AccessToken, cli: &Cli) {
    let is_of_a_person = token.claims().is_none_or(|claims| claims.is_delegated);
    if cli.quiet || !is_of_a_person {
        return;
    }
    match kind {
        AuthKind::AzureCli => say(&format!(
            "note: what the Azure CLI may read is fixed by Microsoft ({}), and no consent adds to it. Without Policy.Read.All, Conditional \
             Access and most policies are refused, and their rules are not evaluated; a certificate or secret of an application reads all.",
            AZURE_CLI_SCOPES.join(", ")
        )),
        AuthKind::DeviceCode => {
            let beyond = BEYOND_ROLE.map(|(path, needs)| format!("{path} needs {needs}"));
            say(&format!(
                "note: a person reads what their directory roles allow. {ROLE} covers nearly all; {}.",
                beyond.join("; ")
            ));
        }
        _ => {}
    }
}

/// One line on stderr; a stderr that is gone is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
