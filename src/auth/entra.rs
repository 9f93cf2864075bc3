//! One round trip to Entra: sent through `oauth2`, its refusals read here.
//!
//! Promises that what is no token becomes an error that says nothing of the answer but Entra's code and ids.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use oauth2::basic::{BasicErrorResponse, BasicTokenResponse};
use oauth2::{HttpRequest, HttpResponse, RequestTokenError, TokenResponse as _, TokenUrl};
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use secrecy::SecretString;

use super::cloud::Endpoints;
use super::error::AuthError;
use super::grant::{Failure, Granted, LIFETIME};
use super::refusal::Refused;
use crate::graph::http::{self, NetworkProblem};
use crate::graph::{Clock, retry_after};

/// The sign-in service, and how it is reached.
pub(super) struct Entra {
    pub(super) endpoints: Endpoints,
    pub(super) http: Client,
    pub(super) clock: Arc<dyn Clock>,
}

/// Who signs in, for addresses and messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who<'a> {
    pub(super) tenant: &'a str,
    pub(super) client_id: &'a str,
}

/// Sends one request; the form that `oauth2` wants of an HTTP client.
pub(super) type Exchange =
    Box<dyn Fn(HttpRequest) -> BoxFuture<'static, Result<HttpResponse, Fault>> + Send + Sync>;

/// How a request for a token ended.
pub(super) type Settled = Result<BasicTokenResponse, RequestTokenError<Fault, BasicErrorResponse>>;

impl Entra {
    pub(super) fn token_url(&self, who: Who<'_>) -> Result<TokenUrl, AuthError> {
        TokenUrl::new(self.endpoints.token_url(who.tenant)).map_err(|_| misfit(who))
    }

    pub(super) fn exchange(&self) -> Exchange {
        let (http, clock) = (self.http.clone(), Arc::clone(&self.clock));
        Box::new(move |request| Box::pin(exchange(http.clone(), Arc::clone(&clock), request)))
    }

    /// The token of an answer, or why there is none. `started` is when it was asked for.
    pub(super) fn granted(
        &self,
        who: Who<'_>,
        started: jiff::Timestamp,
        settled: Settled,
    ) -> Result<Granted, Failure> {
        match settled {
            Ok(answer) => {
                tracing::debug!(tenant = who.tenant, host = %http::host(&self.endpoints.login), "signed in");
                let secret = |text: &str| SecretString::from(text.to_owned());
                Ok(Granted {
                    secret: secret(answer.access_token().secret()),
                    started,
                    lifetime: answer.expires_in().unwrap_or(LIFETIME),
                    refresh: answer.refresh_token().map(|token| secret(token.secret())),
                })
            }
            Err(error) => Err(self.refused(who, error)),
        }
    }

    /// Why `oauth2` brought no answer.
    pub(super) fn refused<E: oauth2::ErrorResponse>(
        &self,
        who: Who<'_>,
        error: RequestTokenError<Fault, E>,
    ) -> Failure {
        match error {
            RequestTokenError::Request(fault) => self.failure(who, fault),
            // The other variants may quote the answer, so nothing of them is kept.
            _ => Failure::lasting(self.not_entra(who, 200, "JSON without a token")),
        }
    }

    /// What a round trip without an answer means.
    pub(super) fn failure(&self, who: Who<'_>, fault: Fault) -> Failure {
        match fault {
            Fault::Network(problem) => {
                let error = AuthError::Network {
                    tenant: who.tenant.to_owned(),
                    host: http::host(&self.endpoints.login),
                    problem,
                };
                match problem {
                    NetworkProblem::Tls | NetworkProblem::Proxy => Failure::lasting(error),
                    _ => Failure::passing(error, None),
                }
            }
            Fault::Status { status, wait, body } => self.answered(who, status, wait, &body),
        }
    }

    /// What an answer without a token means.
    fn answered(&self, who: Who<'_>, status: u16, wait: Option<Duration>, body: &[u8]) -> Failure {
        let may_pass = status == 429 || status >= 500;
        let failure = |error, passes| {
            if passes {
                Failure::passing(error, wait)
            } else {
                Failure::lasting(error)
            }
        };
        if status >= 400
            && let Some(refused) = Refused::read(status, body, who.tenant, who.client_id)
        {
            // 50196 is the answer to asking in a loop; asking again would be the loop.
            let passes = may_pass && refused.code != Some(50_196);
            return failure(AuthError::Refused(Box::new(refused)), passes);
        }
        let what = match body.trim_ascii_start().first() {
            _ if (300..400).contains(&status) => "a redirect",
            Some(b'<') => "a web page, not JSON",
            None => "an empty answer",
            Some(_) => "something that is not Entra's JSON",
        };
        failure(self.not_entra(who, status, what), may_pass)
    }

    pub(super) fn not_entra(&self, who: Who<'_>, status: u16, what: &'static str) -> AuthError {
        AuthError::NotEntra {
            tenant: who.tenant.to_owned(),
            host: http::host(&self.endpoints.login),
            status,
            what,
        }
    }
}

/// A tenant that was checked fits into an address; this is for one that was not.
pub(super) fn misfit(who: Who<'_>) -> AuthError {
    AuthError::invalid("tenant", who.tenant, "it does not fit into an address")
}

/// One round trip. Entra's errors are read here, because their integer `error_codes` fit no type of `oauth2`.
async fn exchange(
    http: Client,
    clock: Arc<dyn Clock>,
    request: HttpRequest,
) -> Result<HttpResponse, Fault> {
    let request =
        reqwest::Request::try_from(request).map_err(|_| Fault::Network(NetworkProblem::Connect))?;
    let answer = http
        .execute(request)
        .await
        .map_err(|error| Fault::network(&error))?;
    let status = answer.status().as_u16();
    let wait = retry_after(answer.headers().get(RETRY_AFTER), clock.now());
    let kind = answer.headers().get(CONTENT_TYPE).cloned();
    let body = answer
        .bytes()
        .await
        .map_err(|error| Fault::network(&error))?;
    if status != 200 || body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Fault::Status {
            status,
            wait,
            body: body.to_vec(),
        });
    }
    let mut response = HttpResponse::new(body.to_vec());
    if let Some(kind) = kind {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    Ok(response)
}

/// Why a round trip brought no token. `Debug` and `Display` say nothing of the answer.
pub(super) enum Fault {
    Network(NetworkProblem),
    Status {
        status: u16,
        wait: Option<Duration>,
        body: Vec<u8>,
    },
}

impl Fault {
    fn network(error: &reqwest::Error) -> Self {
        Self::Network(NetworkProblem::of(error))
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fault")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no token")
    }
}

impl std::error::Error for Fault {}
