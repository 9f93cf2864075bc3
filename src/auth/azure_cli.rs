//! The Azure CLI: the token of whoever `az login` signed in.
//!
//! Promises that the program is found on `PATH` by an absolute path and started without a shell, that its arguments hold nothing
//! secret, and that of its output only the token is kept and of its complaint some printable words.
//! Source: <https://learn.microsoft.com/cli/azure/account#az-account-get-access-token>.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use thiserror::Error as ThisError;
use tokio::process::Command;

use super::cloud::Endpoints;
use super::credential::check_tenant;
use super::discover::Env;
use super::error::AuthError;
use super::grant::{Failure, Granted, LIFETIME, Seconds, lifetime};
use crate::graph::{Clock, printable};

/// The program starts slowly, and may have to renew its own token first.
const PATIENCE: Duration = Duration::from_mins(1);
/// How much of a complaint is shown, in characters.
const WORDS: usize = 300;

/// Permissions on Graph that the Azure CLI's own registration has; Microsoft fixes them, and no consent adds to them.
pub const SCOPES: [&str; 7] = [
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "AuditLog.Read.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.AccessAsUser.All",
    "Group.ReadWrite.All",
    "User.ReadWrite.All",
];

/// The program, and which tenant it is asked about.
#[derive(Debug, Clone)]
pub struct AzureCli {
    /// The tenant, a GUID in lower case or a domain; `None`: the one of the CLI's default subscription.
    pub tenant: Option<String>,
    /// Absolute path of the program.
    pub program: PathBuf,
}

/// Why the Azure CLI gave no token.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum CliProblem {
    /// No `az` in any folder of `PATH`.
    #[error("it was not found on PATH")]
    Missing,
    /// It is there and cannot be run.
    #[error("it could not be started: {0}")]
    NotStarted(std::io::ErrorKind),
    /// It did not end in time.
    #[error("it did not answer within a minute")]
    Silent,
    /// It ended with an error.
    #[error("it ended with code {code}: {words}")]
    Failed {
        /// Exit code; -1 when a signal ended it.
        code: i32,
        /// What it wrote to stderr, printable and cut.
        words: String,
    },
    /// It ended well and printed no token.
    #[error("what it printed holds no token")]
    NoToken,
}

impl CliProblem {
    /// What to do next.
    pub(super) fn help(&self) -> &'static str {
        match self {
            Self::Missing => {
                "install the Azure CLI and run `az login`, or sign in with a certificate, a client secret or federation"
            }
            Self::Failed { words, .. } if words.contains("AADSTS") => {
                "run `az login --tenant ID` for the tenant that is to be read; a national cloud needs `az cloud set` first"
            }
            Self::Failed { .. } => {
                "run `az login`, or sign in with a certificate, a client secret or federation"
            }
            Self::NotStarted(_) | Self::Silent | Self::NoToken => {
                "try `az account get-access-token --resource-type ms-graph --query expiresOn` yourself"
            }
        }
    }
}

impl From<CliProblem> for Failure {
    fn from(problem: CliProblem) -> Self {
        Self::lasting(AuthError::AzureCli(problem))
    }
}

/// What `az account get-access-token` prints; `expiresOn`, in local time without a zone, is not read.
#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "accessToken")]
    access_token: SecretString,
    /// Since version 2.54.
    expires_on: Option<Seconds>,
}

impl AzureCli {
    /// The program on the `PATH` of this environment; [`CliProblem::Missing`] when there is none.
    pub(super) fn find(env: Env<'_>, tenant: Option<&str>) -> Result<Self, AuthError> {
        let names: &[&str] = if cfg!(windows) {
            &["az.cmd", "az.exe"]
        } else {
            &["az"]
        };
        let path = env
            .get("PATH")
            .or_else(|| env.get("Path"))
            .unwrap_or_default();
        let program = std::env::split_paths(OsStr::new(path))
            // A relative folder would be one of the working directory, which may be anybody's.
            .filter(|folder| folder.is_absolute())
            .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
            .find(|program| is_program(program));
        Ok(Self {
            tenant: tenant.map(check_tenant).transpose()?,
            program: program.ok_or(AuthError::AzureCli(CliProblem::Missing))?,
        })
    }
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Asks once.
pub(super) async fn ask(
    cli: &AzureCli,
    endpoints: &Endpoints,
    clock: &dyn Clock,
) -> Result<Granted, Failure> {
    let started = clock.now();
    let output = run(cli, endpoints.scope()).await?;
    if !output.status.success() {
        return Err(CliProblem::Failed {
            code: output.status.code().unwrap_or(-1),
            words: complaint(&output.stderr),
        }
        .into());
    }
    let wire: Wire = serde_json::from_slice(&output.stdout).map_err(|_| CliProblem::NoToken)?;
    let lifetime = match &wire.expires_on {
        Some(_) => lifetime(started, wire.expires_on.as_ref(), None),
        // An old CLI: asking again costs a second, and it hands out what it has for as long as that is good.
        None => LIFETIME,
    };
    Ok(Granted {
        secret: wire.access_token,
        started,
        lifetime,
        refresh: None,
    })
}

async fn run(cli: &AzureCli, scope: &str) -> Result<Output, CliProblem> {
    let mut command = Command::new(&cli.program);
    command
        .args([
            "account",
            "get-access-token",
            "--output",
            "json",
            "--scope",
            scope,
        ])
        .env("AZURE_CORE_NO_COLOR", "true")
        .env("AZURE_CORE_ONLY_SHOW_ERRORS", "true")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if let Some(tenant) = &cli.tenant {
        command.args(["--tenant", tenant]);
    }
    match tokio::time::timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(error)) => Err(CliProblem::NotStarted(error.kind())),
        Err(_) => Err(CliProblem::Silent),
    }
}

/// What was written to stderr, without anything that looks like a token.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|word| if word.contains("eyJ") { "…" } else { word })
        .collect();
    match printable(&words.join(" "), WORDS) {
        words if words.is_empty() => "it says nothing".to_owned(),
        words => words,
    }
}
