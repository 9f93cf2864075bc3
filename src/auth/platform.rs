//! Services of the place where this program runs that hand out tokens: GitHub, Azure DevOps, Azure's machines.
//!
//! Promises that each is asked at its own address only, over `https` or on this machine and its link, without following a
//! redirect; that no answer is read without end; and that nothing of an answer but its status and its error code is shown.

use std::fmt;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error as ThisError;

use super::error::AuthError;
use super::grant::Failure;
use crate::graph::http::{self, HttpError, NetworkProblem, Url};
use crate::graph::{Clock, retry_after};

/// Answers are a token and some words around it.
const MOST: usize = 64 * 1024;

/// Who hands out a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// The OIDC endpoint of a GitHub Actions job.
    GitHub,
    /// The OIDC endpoint of an Azure DevOps job.
    AzureDevOps,
    /// The instance metadata service (IMDS) of an Azure machine, or what stands in for it in a cluster.
    InstanceMetadata,
    /// The identity endpoint of App Service, Functions, Container Apps and Automation.
    AppService,
    /// The agent of an Azure Arc machine.
    Arc,
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GitHub => "GitHub Actions",
            Self::AzureDevOps => "Azure DevOps",
            Self::InstanceMetadata => "the Azure instance metadata service",
            Self::AppService => "the identity endpoint of App Service",
            Self::Arc => "the Azure Arc agent",
        })
    }
}

/// Why a provider gave no token.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum PlatformProblem {
    /// No connection can be set up at all.
    #[error("{0}")]
    Setup(HttpError),
    /// No (whole) answer.
    #[error("{0}")]
    Network(NetworkProblem),
    /// An error status.
    #[error("it answered with status {status}{}", Code(.code))]
    Status {
        /// HTTP status.
        status: u16,
        /// The error code in the answer: letters, digits, `_` and `-` only; empty when there was none.
        code: String,
    },
    /// No such identity is assigned here.
    #[error("no such managed identity is assigned here")]
    NoIdentity,
    /// A success without a token in it.
    #[error("its answer holds no token")]
    NoToken,
    /// Azure Arc asks for a proof that cannot be given.
    #[error("its challenge {0}")]
    Challenge(&'static str),
}

/// An error code as it is shown: in brackets, if there is one.
struct Code<'a>(&'a str);

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            code => write!(f, " ({code})"),
        }
    }
}

impl Provider {
    /// What to do about a problem.
    pub(super) fn help(self, problem: &PlatformProblem) -> &'static str {
        use PlatformProblem as P;
        match (self, problem) {
            (Self::GitHub, P::Status { .. }) => {
                "give the job `permissions: id-token: write`; the token that it asks with ends with the job"
            }
            (Self::AzureDevOps, P::Status { status: 404, .. }) => {
                "check AZURESUBSCRIPTION_SERVICE_CONNECTION_ID: it is the id of the service connection, and the pipeline must be allowed to use it"
            }
            (Self::AzureDevOps, P::Status { .. }) => {
                "map the job's token into the step (`env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`) and allow the pipeline to use the service connection"
            }
            (Self::GitHub | Self::AzureDevOps, P::Network(problem)) => problem.help(),
            (_, P::NoIdentity) => {
                "switch on the system-assigned identity of this machine or service; or assign the user-assigned identity that --client-id \
                 (AZURE_CLIENT_ID) names to it; without --client-id the system-assigned one is asked for"
            }
            (Self::InstanceMetadata, P::Network(_)) => {
                "a managed identity is there on Azure's machines only; elsewhere sign in with a certificate, a client secret or federation"
            }
            (Self::Arc, P::Challenge(_)) => {
                "run as a member of the group that may ask the agent (himds on Linux, Hybrid agent extension applications on Windows), or as administrator"
            }
            (Self::Arc | Self::AppService, P::Network(_)) => {
                "check that the service is running; IDENTITY_ENDPOINT must be as the platform sets it"
            }
            _ => {
                "run again in some minutes; if it stays, look at the platform's own state of its identity service"
            }
        }
    }

    fn failed(self, address: &Url, problem: PlatformProblem) -> AuthError {
        AuthError::Platform {
            provider: self,
            host: http::host(address),
            problem,
        }
    }
}

/// One provider at its address.
pub(super) struct Service<'a> {
    pub(super) provider: Provider,
    pub(super) address: &'a Url,
    clock: &'a dyn Clock,
}

/// An answer, whatever its status.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    body: Vec<u8>,
}

/// An error as the providers write it; only the code is read, and of the text only what is looked for.
#[derive(Deserialize, Default)]
struct Wire {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

impl<'a> Service<'a> {
    pub(super) fn new(provider: Provider, address: &'a Url, clock: &'a dyn Clock) -> Self {
        Self {
            provider,
            address,
            clock,
        }
    }

    /// A client for this address and nothing else.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        http::platform_client(self.address)
            .map_err(|problem| self.lasting(PlatformProblem::Setup(problem)))
    }

    /// Sends a request and reads the answer to its end.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        let network = |error: reqwest::Error| {
            let problem = NetworkProblem::of(&error);
            let error = self
                .provider
                .failed(self.address, PlatformProblem::Network(problem));
            match problem {
                NetworkProblem::Tls | NetworkProblem::Proxy => Failure::lasting(error),
                _ => Failure::passing(error, None),
            }
        };
        let mut answer = request.send().await.map_err(network)?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(network)? {
            body.extend_from_slice(&chunk);
            if body.len() > MOST {
                return Err(self.lasting(PlatformProblem::NoToken));
            }
        }
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    /// A failure that stays.
    pub(super) fn lasting(&self, problem: PlatformProblem) -> Failure {
        Failure::lasting(self.provider.failed(self.address, problem))
    }

    /// The failure that an answer stands for: 429 and 5xx may pass.
    pub(super) fn refused(&self, answer: &Answer) -> Failure {
        let problem = PlatformProblem::Status {
            status: answer.status,
            code: answer.code(),
        };
        let error = self.provider.failed(self.address, problem);
        if answer.status == 429 || answer.status >= 500 {
            let wait = retry_after(answer.headers.get(RETRY_AFTER), self.clock.now());
            Failure::passing(error, wait)
        } else {
            Failure::lasting(error)
        }
    }

    /// The content of a success.
    pub(super) fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Failure> {
        if answer.status != 200 {
            return Err(self.refused(answer));
        }
        // The text of the error may quote the answer.
        serde_json::from_slice(&answer.body).map_err(|_| self.lasting(PlatformProblem::NoToken))
    }
}

impl Answer {
    fn wire(&self) -> Wire {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The error code, made harmless.
    pub(super) fn code(&self) -> String {
        self.wire()
            .error
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
            .take(60)
            .collect()
    }

    /// Whether the text of the error has these words, in any case.
    pub(super) fn says(&self, words: &str) -> bool {
        let text = self.wire().error_description.to_ascii_lowercase();
        text.contains(&words.to_ascii_lowercase())
    }
}

/// A header that no log of the HTTP library shows. `None`: the value does not fit into a header.
pub(super) fn hidden(prefix: &str, secret: &SecretString) -> Option<HeaderValue> {
    let text = SecretString::from(format!("{prefix}{}", secret.expose_secret()));
    let mut value = HeaderValue::try_from(text.expose_secret()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// How long an address of Azure's machines is waited for when it is only looked for.
pub(super) const PROBE: Duration = Duration::from_secs(1);
