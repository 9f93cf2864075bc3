//! Workload identity federation: the token of another issuer, shown to Entra in place of a secret.
//!
//! Promises that the token is read or fetched anew for each request to Entra (files are rotated, a job's token lives minutes), that
//! the job's own token goes to the address that the platform named and nowhere else, and that neither is ever printed.
//! Source: <https://learn.microsoft.com/entra/workload-id/workload-identity-federation>.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use secrecy::SecretString;
use serde::Deserialize;

use super::credential::AuthKind;
use super::discover::Env;
use super::error::AuthError;
use super::grant::Failure;
use super::platform::{PlatformProblem, Provider, Service, hidden};
use crate::graph::Clock;
use crate::graph::http::{self, Url};

/// A token file is some kilobytes; whatever is longer is no token.
const MOST: u64 = 64 * 1024;

/// Files with a token, by the variable that names them, and where tenant and client id stand if not in `AZURE_…`.
const FILES: [(&str, Aliases); 2] = [
    ("AZURE_FEDERATED_TOKEN_FILE", Aliases::NONE),
    (
        "ARM_OIDC_TOKEN_FILE_PATH",
        Aliases {
            tenant: Some("ARM_TENANT_ID"),
            client_id: Some("ARM_CLIENT_ID"),
        },
    ),
];

/// Other names of `AZURE_TENANT_ID` and `AZURE_CLIENT_ID` on a platform.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Aliases {
    pub(super) tenant: Option<&'static str>,
    pub(super) client_id: Option<&'static str>,
}

impl Aliases {
    const NONE: Self = Self {
        tenant: None,
        client_id: None,
    };
}

/// Where the token of the other issuer comes from.
#[derive(Clone)]
pub enum Federated {
    /// A file, as Kubernetes mounts it.
    File(PathBuf),
    /// The job of a GitHub Actions workflow.
    GitHub {
        /// `ACTIONS_ID_TOKEN_REQUEST_URL`; it has a query already.
        url: Url,
        /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
        token: SecretString,
        /// The audience to ask for, see [`Cloud::federation_audience`](super::Cloud::federation_audience).
        audience: &'static str,
    },
    /// The job of an Azure DevOps pipeline.
    AzureDevOps {
        /// `SYSTEM_OIDCREQUESTURI`.
        url: Url,
        /// `SYSTEM_ACCESSTOKEN`.
        token: SecretString,
        /// Id of the service connection.
        connection: String,
    },
}

impl fmt::Debug for Federated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = match self {
            Self::File(_) => f.debug_struct("File"),
            Self::GitHub { .. } => f.debug_struct("GitHub"),
            Self::AzureDevOps { .. } => f.debug_struct("AzureDevOps"),
        };
        shown.finish_non_exhaustive()
    }
}

/// GitHub's answer.
#[derive(Deserialize)]
struct GitHubToken {
    value: SecretString,
}

/// The answer of Azure DevOps.
#[derive(Deserialize)]
struct AzureDevOpsToken {
    #[serde(rename = "oidcToken")]
    token: SecretString,
}

impl Federated {
    /// What the environment names, with the aliases of its platform; `None`: nothing, or not all that a platform needs.
    pub(super) fn find(
        env: Env<'_>,
        audience: &'static str,
    ) -> Result<Option<(Self, Aliases)>, AuthError> {
        for (variable, aliases) in FILES {
            if let Some(file) = env.get(variable) {
                return Ok(Some((Self::File(file.into()), aliases)));
            }
        }
        let address = |flag, text| {
            http::platform_address(text).map_err(|problem| AuthError::Endpoint { flag, problem })
        };
        let (url, token) = (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        );
        if let (Some(text), Some(token)) = (env.get(url), env.get(token)) {
            let job = Self::GitHub {
                url: address(url, text)?,
                token: token.into(),
                audience,
            };
            return Ok(Some((job, Aliases::NONE)));
        }
        let (url, token) = ("SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN");
        let connection = env.get("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID");
        if let (Some(text), Some(token), Some(connection)) =
            (env.get(url), env.get(token), connection)
        {
            let job = Self::AzureDevOps {
                url: address(url, text)?,
                token: token.into(),
                connection: connection.to_owned(),
            };
            let aliases = Aliases {
                tenant: Some("AZURESUBSCRIPTION_TENANT_ID"),
                client_id: Some("AZURESUBSCRIPTION_CLIENT_ID"),
            };
            return Ok(Some((job, aliases)));
        }
        Ok(None)
    }

    /// What is missing, when this kind was chosen and [`Federated::find`] found nothing.
    pub(super) fn missing(env: Env<'_>) -> AuthError {
        let (what, sources) = if env.get("GITHUB_ACTIONS").is_some() {
            (
                "request token of the job (ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN)",
                "`permissions: id-token: write` on the job; a workflow that a fork's pull request starts gets none",
            )
        } else if env.get("SYSTEM_OIDCREQUESTURI").is_some() {
            (
                "access token of the job or service connection (SYSTEM_ACCESSTOKEN, AZURESUBSCRIPTION_SERVICE_CONNECTION_ID)",
                "`env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)` on the step, and run it in an AzureCLI or AzurePowerShell task, which \
                 names the service connection",
            )
        } else {
            (
                "token of another issuer",
                "AZURE_FEDERATED_TOKEN_FILE, or run in GitHub Actions (ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN) or Azure DevOps \
                 (SYSTEM_OIDCREQUESTURI, SYSTEM_ACCESSTOKEN, AZURESUBSCRIPTION_SERVICE_CONNECTION_ID)",
            )
        };
        AuthError::NoCredential {
            kind: AuthKind::Federated,
            what,
            sources,
        }
    }

    /// The token of the other issuer, as it is at this moment.
    pub(super) async fn assertion(&self, clock: &dyn Clock) -> Result<SecretString, Failure> {
        match self {
            Self::File(file) => Ok(read(file)?),
            Self::GitHub {
                url,
                token,
                audience,
            } => {
                let service = Service::new(Provider::GitHub, url, clock);
                let mut asked = url.clone();
                asked.query_pairs_mut().append_pair("audience", audience);
                let request = service
                    .client()?
                    .get(asked)
                    .header(ACCEPT, "application/json")
                    .header(AUTHORIZATION, bearer(&service, token)?);
                let answer = service.send(request).await?;
                usable(&service, service.read::<GitHubToken>(&answer)?.value)
            }
            Self::AzureDevOps {
                url,
                token,
                connection,
            } => {
                let service = Service::new(Provider::AzureDevOps, url, clock);
                let mut asked = url.clone();
                asked
                    .query_pairs_mut()
                    .append_pair("api-version", "7.1")
                    .append_pair("serviceConnectionId", connection);
                let request = service
                    .client()?
                    .post(asked)
                    .header(ACCEPT, "application/json")
                    .header(CONTENT_TYPE, "application/json")
                    .header(CONTENT_LENGTH, 0)
                    // Otherwise a token that is not good any more is answered with a redirect to a sign-in page.
                    .header("X-TFS-FedAuthRedirect", "Suppress")
                    .header(AUTHORIZATION, bearer(&service, token)?);
                let answer = service.send(request).await?;
                usable(&service, service.read::<AzureDevOpsToken>(&answer)?.token)
            }
        }
    }
}

fn bearer(
    service: &Service<'_>,
    token: &SecretString,
) -> Result<reqwest::header::HeaderValue, Failure> {
    hidden("Bearer ", token).ok_or_else(|| {
        Failure::lasting(AuthError::Endpoint {
            flag: match service.provider {
                Provider::GitHub => "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                _ => "SYSTEM_ACCESSTOKEN",
            },
            problem: http::HttpError::Setup {
                reason: "the token does not fit into a header".to_owned(),
            },
        })
    })
}

fn usable(service: &Service<'_>, token: SecretString) -> Result<SecretString, Failure> {
    if is_token(&token) {
        Ok(token)
    } else {
        Err(service.lasting(PlatformProblem::NoToken))
    }
}

fn is_token(token: &SecretString) -> bool {
    use secrecy::ExposeSecret as _;
    let text = token.expose_secret();
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn read(file: &Path) -> Result<SecretString, AuthError> {
    let at = |reason: String| AuthError::TokenFile {
        file: file.to_path_buf(),
        reason,
    };
    let mut text = String::new();
    let read = std::fs::File::open(file)
        .and_then(|open| open.take(MOST + 1).read_to_string(&mut text))
        .map_err(|error| at(format!("cannot be read: {}", error.kind())))?;
    let token = SecretString::from(text.trim());
    if text.trim().is_empty() {
        Err(at("is empty".to_owned()))
    } else if read as u64 > MOST || !is_token(&token) {
        Err(at("does not hold one token and nothing else".to_owned()))
    } else {
        Ok(token)
    }
}
