//! Which credential: flags first, then the environment, in a fixed order.
//!
//! Promises that the environment is only the map handed in, and that every absence is said with the flag and the variable
//! that end it. Must not talk to anybody.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::certificate::Certificate;
use super::credential::{AuthKind, Credential};
use super::error::AuthError;

/// What the command line says about signing in. Secrets are never flags.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--auth`.
    pub auth: Option<AuthKind>,
    /// `--tenant`, else `AZURE_TENANT_ID`.
    pub tenant: Option<String>,
    /// `--client-id`, else `AZURE_CLIENT_ID`.
    pub client_id: Option<String>,
    /// `--client-secret-file`.
    pub client_secret_file: Option<PathBuf>,
    /// `--certificate`.
    pub certificate: Option<PathBuf>,
}

/// Who signs in, and with what.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The tenant: a GUID in lower case or a domain.
    pub tenant: String,
    /// The application (client) id: a GUID in lower case.
    pub client_id: String,
    /// What proves that we are the application.
    pub credential: Credential,
}

impl SignIn {
    /// Checks tenant and client id; see [`AuthError::Invalid`].
    pub fn new(tenant: &str, client_id: &str, credential: Credential) -> Result<Self, AuthError> {
        Ok(Self {
            tenant: check_tenant(tenant)?,
            client_id: check_client_id(client_id)?,
            credential,
        })
    }
}

/// Finds out how to sign in.
///
/// Order: client secret, certificate, federated token, managed identity. A flag beats the environment, and `--auth`
/// beats both. Kinds that this version cannot do give [`AuthError::NotYet`].
pub fn discover(options: &Options, env: &BTreeMap<String, String>) -> Result<SignIn, AuthError> {
    let env = Env(env);
    let kind = choose(options, &env)?;
    let tenant = named(
        options.tenant.as_deref(),
        &env,
        "tenant",
        "--tenant",
        "AZURE_TENANT_ID",
    )?;
    let tenant = check_tenant(&tenant)?;
    let client_id = named(
        options.client_id.as_deref(),
        &env,
        "client id",
        "--client-id",
        "AZURE_CLIENT_ID",
    )?;
    let client_id = check_client_id(&client_id)?;
    let credential = match kind {
        AuthKind::Secret => secret(options, &env)?,
        AuthKind::Certificate => certificate(options, &env)?,
        other => return Err(AuthError::NotYet(other)),
    };
    Ok(SignIn {
        tenant,
        client_id,
        credential,
    })
}

/// The environment, where empty means unset: build systems set variables that have no value to "".
struct Env<'a>(&'a BTreeMap<String, String>);

impl Env<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    fn is_true(&self, name: &str) -> bool {
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

/// The kind of sign-in; only kinds that can be done are returned.
fn choose(options: &Options, env: &Env<'_>) -> Result<AuthKind, AuthError> {
    let kind = if let Some(kind) = options.auth {
        kind
    } else if options.client_secret_file.is_some() && options.certificate.is_some() {
        return Err(AuthError::Conflict {
            first: "--client-secret-file",
            second: "--certificate",
        });
    } else if options.client_secret_file.is_some() {
        AuthKind::Secret
    } else if options.certificate.is_some() {
        AuthKind::Certificate
    } else if env.first(&SECRET).is_some() {
        AuthKind::Secret
    } else if env.get(CERTIFICATE).is_some() {
        AuthKind::Certificate
    } else if env.get("AZURE_FEDERATED_TOKEN_FILE").is_some()
        || (env.get("ACTIONS_ID_TOKEN_REQUEST_URL").is_some()
            && env.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN").is_some())
    {
        AuthKind::Federated
    } else if env.first(&["IDENTITY_ENDPOINT", "MSI_ENDPOINT"]).is_some() {
        AuthKind::ManagedIdentity
    } else {
        return Err(AuthError::NothingFound);
    };
    match kind {
        AuthKind::Secret | AuthKind::Certificate => Ok(kind),
        other => Err(AuthError::NotYet(other)),
    }
}

fn named(
    flag: Option<&str>,
    env: &Env<'_>,
    what: &'static str,
    name: &'static str,
    variable: &'static str,
) -> Result<String, AuthError> {
    flag.or_else(|| env.get(variable))
        .map(str::to_owned)
        .ok_or(AuthError::Missing {
            what,
            flag: name,
            variable,
        })
}

fn secret(options: &Options, env: &Env<'_>) -> Result<Credential, AuthError> {
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

fn certificate(options: &Options, env: &Env<'_>) -> Result<Credential, AuthError> {
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

fn check_tenant(text: &str) -> Result<String, AuthError> {
    let tenant = text.trim().to_ascii_lowercase();
    let invalid = |reason| Err(AuthError::invalid("tenant", text, reason));
    if matches!(tenant.as_str(), "common" | "organizations" | "consumers") {
        return invalid("an application signs in to one tenant, so its id or domain is needed");
    }
    if let Some(guid) = guid(&tenant) {
        return Ok(guid);
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if tenant.len() <= 253 && tenant.contains('.') && tenant.split('.').all(is_label) {
        Ok(tenant)
    } else {
        invalid("it is neither a GUID nor a domain")
    }
}

fn check_client_id(text: &str) -> Result<String, AuthError> {
    guid(text.trim()).ok_or_else(|| AuthError::invalid("client id", text, "it is not a GUID"))
}

/// A GUID in its usual form with hyphens, in lower case.
fn guid(text: &str) -> Option<String> {
    let hyphenated = text.len() == 36;
    uuid::Uuid::try_parse(text)
        .ok()
        .filter(|_| hyphenated)
        .map(|id| id.to_string())
}
