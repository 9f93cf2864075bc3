//! Which credential: flags first, then the environment, in a fixed order, and last what the machine itself offers.
//!
//! Promises that the environment is only the map handed in, and that every absence is said with the flag and the variable
//! that end it. [`discover`] talks to nobody; [`sign_in`] asks the machine when nothing is configured.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;

use super::azure_cli::{AzureCli, CliProblem};
use super::certificate::Certificate;
use super::cloud::{Cloud, Endpoints};
use super::credential::{AuthKind, Credential, SignIn, check_client_id, check_tenant};
use super::device_code::DeviceCode;
use super::error::AuthError;
use super::federated::{Aliases, Federated};
use super::managed_identity::{ManagedIdentity, Platform};
use super::platform::PlatformProblem;
use super::token::{Renewal, TokenSource as _, Tokens};
use crate::graph::Clock;
use crate::graph::http::Client;

/// What the command line says about signing in. Secrets are never flags.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--auth`.
    pub auth: Option<AuthKind>,
    /// `--tenant`, else `AZURE_TENANT_ID` or what the platform calls it.
    pub tenant: Option<String>,
    /// `--client-id`, else `AZURE_CLIENT_ID` or what the platform calls it. For a managed identity: the user-assigned one, by client
    /// id or resource id.
    pub client_id: Option<String>,
    /// The tenant of the configuration file, after all others.
    pub configured_tenant: Option<String>,
    /// The client id of the configuration file, after all others.
    pub configured_client_id: Option<String>,
    /// `--client-secret-file`.
    pub client_secret_file: Option<PathBuf>,
    /// `--certificate`.
    pub certificate: Option<PathBuf>,
    /// `--cloud`: the audience of federated tokens depends on it.
    pub cloud: Cloud,
}

impl Options {
    fn tenant<'a>(&'a self, env: Env<'a>, aliases: Aliases) -> Option<&'a str> {
        let alias = aliases.tenant.and_then(|name| env.get(name));
        self.tenant
            .as_deref()
            .or_else(|| env.get("AZURE_TENANT_ID"))
            .or(alias)
            .or(self.configured_tenant.as_deref())
    }

    fn client_id<'a>(&'a self, env: Env<'a>, aliases: Aliases) -> Option<&'a str> {
        let alias = aliases.client_id.and_then(|name| env.get(name));
        self.client_id
            .as_deref()
            .or_else(|| env.get("AZURE_CLIENT_ID"))
            .or(alias)
            .or(self.configured_client_id.as_deref())
    }
}

/// Finds out how to sign in, from flags and environment alone.
///
/// Order: client secret, certificate, federated token, managed identity. A flag beats the environment, and `--auth`
/// beats both. [`AuthError::NothingFound`]: nothing is configured; the machine itself may offer something, see [`sign_in`].
pub fn discover(options: &Options, env: &BTreeMap<String, String>) -> Result<SignIn, AuthError> {
    let env = Env(env);
    let none = Aliases::default();
    match choose(options, env)? {
        AuthKind::Secret => application(options, env, none, || secret(options, env)),
        AuthKind::Certificate => application(options, env, none, || certificate(options, env)),
        AuthKind::Federated => {
            let found = Federated::find(env, options.cloud.federation_audience())?;
            let (federated, aliases) = found.ok_or_else(|| Federated::missing(env))?;
            application(options, env, aliases, || {
                Ok(Credential::Federated(federated))
            })
        }
        AuthKind::ManagedIdentity => {
            let platform = match Platform::find(env)? {
                Some(platform) => platform,
                None if options.auth.is_some() => Platform::metadata(env)?,
                None => return Err(AuthError::NothingFound),
            };
            Ok(SignIn::ManagedIdentity(identity(options, env, platform)?))
        }
        AuthKind::AzureCli => AzureCli::find(env, options.tenant(env, none)).map(SignIn::AzureCli),
        AuthKind::DeviceCode => {
            let (tenant, client_id) = ids(options, env, none)?;
            Ok(SignIn::DeviceCode(DeviceCode { tenant, client_id }))
        }
    }
}

/// The tokens of what [`discover`] finds; when that is nothing, of what the machine offers: its managed identity, then the Azure CLI.
///
/// Outside Azure the answer is there after a second. A machine that has no identity of the tenant asked for counts as
/// outside. [`AuthError::NothingFound`]: neither.
pub async fn sign_in(
    options: &Options,
    env: &BTreeMap<String, String>,
    endpoints: &Endpoints,
    http: &Client,
    clock: &Arc<dyn Clock>,
) -> Result<Tokens, AuthError> {
    let tokens = |sign_in| Tokens::new(sign_in, endpoints.clone(), http.clone(), Arc::clone(clock));
    match discover(options, env) {
        Err(AuthError::NothingFound) => {}
        found => return found.map(tokens),
    }
    let env = Env(env);
    let machine = identity(options, env, Platform::metadata(env)?)?;
    if machine.is_here(clock).await {
        let machine = tokens(SignIn::ManagedIdentity(machine));
        match machine.token(Renewal::IfNeeded).await {
            Err(
                AuthError::OtherTenant { .. }
                | AuthError::Platform {
                    problem: PlatformProblem::NoIdentity,
                    ..
                },
            ) => {}
            Err(error) => return Err(error),
            Ok(_) => return Ok(machine),
        }
    }
    match AzureCli::find(env, options.tenant(env, Aliases::default())) {
        Err(AuthError::AzureCli(CliProblem::Missing)) => Err(AuthError::NothingFound),
        found => found.map(|cli| tokens(SignIn::AzureCli(cli))),
    }
}

/// The environment, where empty means unset: build systems set variables that have no value to "".
#[derive(Clone, Copy)]
pub(super) struct Env<'a>(&'a BTreeMap<String, String>);

impl<'a> Env<'a> {
    pub(super) fn get(self, name: &str) -> Option<&'a str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    fn first(self, names: &[&str]) -> Option<&'a str> {
        names.iter().find_map(|name| self.get(name))
    }

    fn is_true(self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
    }
}

const SECRET: [&str; 2] = ["M365AUDIT_CLIENT_SECRET", "AZURE_CLIENT_SECRET"];
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const PASSWORD: [&str; 2] = [
    "M365AUDIT_CERTIFICATE_PASSWORD",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
];

/// The kind of sign-in; a managed identity is the answer when nothing else is configured.
fn choose(options: &Options, env: Env<'_>) -> Result<AuthKind, AuthError> {
    if let Some(kind) = options.auth {
        return Ok(kind);
    }
    match (&options.client_secret_file, &options.certificate) {
        (Some(_), Some(_)) => {
            return Err(AuthError::Conflict {
                first: "--client-secret-file",
                second: "--certificate",
            });
        }
        (Some(_), None) => return Ok(AuthKind::Secret),
        (None, Some(_)) => return Ok(AuthKind::Certificate),
        (None, None) => {}
    }
    Ok(if env.first(&SECRET).is_some() {
        AuthKind::Secret
    } else if env.get(CERTIFICATE).is_some() {
        AuthKind::Certificate
    } else if Federated::find(env, options.cloud.federation_audience())?.is_some() {
        AuthKind::Federated
    } else {
        AuthKind::ManagedIdentity
    })
}

/// Tenant and client id, checked, in this order: the first that is missing is named.
fn ids(options: &Options, env: Env<'_>, aliases: Aliases) -> Result<(String, String), AuthError> {
    let tenant = options.tenant(env, aliases).ok_or(AuthError::Missing {
        what: "tenant",
        flag: "--tenant",
        variable: "AZURE_TENANT_ID",
    })?;
    let tenant = check_tenant(tenant)?;
    let client_id = options.client_id(env, aliases).ok_or(AuthError::Missing {
        what: "client id",
        flag: "--client-id",
        variable: "AZURE_CLIENT_ID",
    })?;
    Ok((tenant, check_client_id(client_id)?))
}

/// An application: who it is before what it shows, so that a file is read last.
fn application(
    options: &Options,
    env: Env<'_>,
    aliases: Aliases,
    credential: impl FnOnce() -> Result<Credential, AuthError>,
) -> Result<SignIn, AuthError> {
    let (tenant, client_id) = ids(options, env, aliases)?;
    SignIn::new(&tenant, &client_id, credential()?)
}

fn identity(
    options: &Options,
    env: Env<'_>,
    platform: Platform,
) -> Result<ManagedIdentity, AuthError> {
    let none = Aliases::default();
    ManagedIdentity::new(
        platform,
        options.tenant(env, none),
        options.client_id(env, none),
    )
}

fn secret(options: &Options, env: Env<'_>) -> Result<Credential, AuthError> {
    let secret = match &options.client_secret_file {
        Some(file) => secret_from(file)?,
        None => env.first(&SECRET).map(SecretString::from).ok_or(AuthError::NoCredential {
            kind: AuthKind::Secret,
            what: "client secret",
            sources: "M365AUDIT_CLIENT_SECRET or AZURE_CLIENT_SECRET, or give --client-secret-file FILE",
        })?,
    };
    Ok(Credential::Secret(secret))
}

/// The content of the file without one line end: editors add it, and no secret ends with one.
fn secret_from(file: &Path) -> Result<SecretString, AuthError> {
    let at = |reason: String| AuthError::SecretFile {
        file: file.to_path_buf(),
        reason,
    };
    let bytes =
        std::fs::read(file).map_err(|error| at(format!("cannot be read: {}", error.kind())))?;
    let text = String::from_utf8(bytes).map_err(|_| at("is not text".to_owned()))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.trim().is_empty() {
        return Err(at("is empty".to_owned()));
    }
    if line.contains(['\n', '\r']) {
        return Err(at("has more than one line".to_owned()));
    }
    Ok(SecretString::from(line))
}

fn certificate(options: &Options, env: Env<'_>) -> Result<Credential, AuthError> {
    let file = options
        .certificate
        .clone()
        .or_else(|| env.get(CERTIFICATE).map(PathBuf::from))
        .ok_or(AuthError::NoCredential {
            kind: AuthKind::Certificate,
            what: "certificate file",
            sources: "--certificate FILE or AZURE_CLIENT_CERTIFICATE_PATH",
        })?;
    let password = env.first(&PASSWORD).map(SecretString::from);
    let certificate = Certificate::from_file(&file, password.as_ref())?;
    let send = env.is_true("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN");
    Ok(Credential::Certificate(certificate.sending_chain(send)))
}
