//! Access tokens: asked for once, kept in memory, renewed in time.
//!
//! Promises that one request for a token is on its way at a time, whoever waits for it, and that a failure is
//! shared by those who waited instead of being repeated by each of them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::{
    AuthType, ClientCredentialsTokenRequest, ClientId, ClientSecret, HttpRequest, HttpResponse,
    RequestTokenError, Scope, TokenResponse as _, TokenUrl,
};
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::cloud::Endpoints;
use super::credential::Credential;
use super::discover::SignIn;
use super::error::AuthError;
use super::refusal::Refused;
use crate::graph::http::{self, NetworkProblem};
use crate::graph::{Clock, later, retry_after};

/// How long before its end a token is renewed; less for tokens that live less than 50 minutes.
const MARGIN: Duration = Duration::from_mins(5);
/// How often a token is asked for when the sign-in service does not answer or asks to wait.
const TRIES: u32 = 4;
/// After a failed early renewal the old token is used this long before the next attempt.
const HOLD: Duration = Duration::from_secs(30);
/// Assumed when the answer does not say how long the token lives.
const LIFETIME: Duration = Duration::from_mins(10);

/// Tells one token of a run from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenId(u64);

/// A bearer token for Graph.
pub struct AccessToken {
    id: TokenId,
    secret: SecretString,
    expires_at: Timestamp,
    renew_at: Timestamp,
    hints: Option<Hints>,
}

/// What the payload of the token says; Microsoft may encrypt it one day.
#[derive(Deserialize)]
struct Hints {
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    tid: String,
}

impl AccessToken {
    /// A token that was issued at `now` for this long. `number` tells it from the other tokens of a run.
    ///
    /// `None`: the text cannot be a bearer token (not visible ASCII).
    pub fn new(
        number: u64,
        secret: SecretString,
        now: Timestamp,
        lifetime: Duration,
    ) -> Option<Self> {
        let text = secret.expose_secret();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let hints = hints(text);
        let margin = MARGIN.min(lifetime / 10);
        Some(Self {
            id: TokenId(number),
            hints,
            secret,
            expires_at: later(now, lifetime),
            renew_at: later(now, lifetime.saturating_sub(margin)),
        })
    }

    /// Which token it is.
    pub fn id(&self) -> TokenId {
        self.id
    }

    /// When it ends.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The token itself, for the `Authorization` header.
    pub(crate) fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// Application permissions in the token, sorted; a hint only. `None`: the token cannot be read.
    /// An empty list: nothing has been granted (or consent is younger than the token).
    pub fn roles(&self) -> Option<&[String]> {
        self.hints.as_ref().map(|hints| hints.roles.as_slice())
    }

    /// The tenant's id (a GUID) from the token; a hint only.
    pub fn tenant_id(&self) -> Option<&str> {
        self.hints
            .as_ref()
            .map(|hints| hints.tid.as_str())
            .filter(|tid| !tid.is_empty())
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("id", &self.id.0)
            .finish_non_exhaustive()
    }
}

fn hints(token: &str) -> Option<Hints> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None; // five parts: encrypted
    }
    let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let mut hints: Hints = serde_json::from_slice(&json).ok()?;
    hints.roles.retain(|role| {
        role.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    });
    hints.roles.sort();
    hints.tid = uuid::Uuid::try_parse(&hints.tid)
        .map(|tid| tid.to_string())
        .unwrap_or_default();
    Some(hints)
}

/// Why a token is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    /// Any token that is not about to end.
    IfNeeded,
    /// Graph refused this token: any other one.
    Rejected {
        /// The refused token.
        token_id: TokenId,
    },
    /// Graph wants a token that satisfies these claims (continuous access evaluation).
    Challenge {
        /// The challenged token.
        token_id: TokenId,
        /// The claims as JSON.
        claims: String,
    },
}

/// Where the Graph client gets its token from.
pub trait TokenSource: Send + Sync {
    /// A token that can be sent now.
    fn token(&self, renewal: Renewal) -> BoxFuture<'_, Result<Arc<AccessToken>, AuthError>>;
}

/// Tokens by the client credentials flow.
pub struct AppTokens {
    sign_in: SignIn,
    endpoints: Endpoints,
    http: Client,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Failed attempts so far.
    failures: AtomicU64,
}

struct State {
    current: Option<Arc<AccessToken>>,
    /// The claims that the current token was asked for with.
    claims: Option<String>,
    failed: Option<AuthError>,
    hold: Timestamp,
    issued: u64,
}

impl fmt::Debug for AppTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppTokens")
            .field("sign_in", &self.sign_in)
            .finish_non_exhaustive()
    }
}

impl TokenSource for AppTokens {
    fn token(&self, renewal: Renewal) -> BoxFuture<'_, Result<Arc<AccessToken>, AuthError>> {
        Box::pin(self.current_or_new(renewal))
    }
}

/// Why one try failed, and whether the next may succeed.
struct Failure {
    error: AuthError,
    wait: Option<Duration>,
    passing: bool,
}

impl AppTokens {
    /// Nothing is sent before the first token is asked for.
    pub fn new(sign_in: SignIn, endpoints: Endpoints, http: Client, clock: Arc<dyn Clock>) -> Self {
        let state = State {
            current: None,
            claims: None,
            failed: None,
            hold: Timestamp::MIN,
            issued: 0,
        };
        Self {
            sign_in,
            endpoints,
            http,
            clock,
            state: Mutex::new(state),
            failures: AtomicU64::new(0),
        }
    }

    async fn current_or_new(&self, renewal: Renewal) -> Result<Arc<AccessToken>, AuthError> {
        let seen = self.failures.load(Ordering::SeqCst);
        let mut state = self.state.lock().await;
        if let Some(token) = state.usable(&renewal, self.clock.now()) {
            return Ok(token);
        }
        if self.failures.load(Ordering::SeqCst) > seen
            && let Some(error) = &state.failed
        {
            return Err(error.clone());
        }
        let claims = match &renewal {
            Renewal::Challenge { claims, .. } => Some(claims.clone()),
            Renewal::IfNeeded | Renewal::Rejected { .. } => None,
        };
        match self.ask(claims.as_deref(), state.issued + 1).await {
            Ok(token) => {
                let token = Arc::new(token);
                state.issued += 1;
                state.claims = claims;
                state.failed = None;
                state.current = Some(Arc::clone(&token));
                Ok(token)
            }
            Err(failure) => {
                let now = self.clock.now();
                if failure.passing && renewal == Renewal::IfNeeded {
                    // An early renewal failed, and the old token is still good for some minutes.
                    state.hold = later(now, HOLD);
                    if let Some(token) = state.usable(&renewal, now) {
                        return Ok(token);
                    }
                }
                self.failures.fetch_add(1, Ordering::SeqCst);
                state.failed = Some(failure.error.clone());
                Err(failure.error)
            }
        }
    }

    /// Asks until there is a token or no hope.
    async fn ask(&self, claims: Option<&str>, number: u64) -> Result<AccessToken, Failure> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.ask_once(claims, number).await {
                Err(Failure {
                    wait,
                    passing: true,
                    error,
                }) if tries < TRIES => {
                    let ceiling = 1_000_u64 << (tries - 1);
                    let wait =
                        wait.unwrap_or_else(|| Duration::from_millis(fastrand::u64(0..=ceiling)));
                    tracing::debug!(%error, wait_ms = wait.as_millis(), "asking for a token again");
                    self.clock.sleep(wait).await;
                }
                result => return result,
            }
        }
    }

    async fn ask_once(&self, claims: Option<&str>, number: u64) -> Result<AccessToken, Failure> {
        let SignIn {
            tenant,
            client_id,
            credential,
        } = &self.sign_in;
        let lasting = |error| Failure {
            error,
            wait: None,
            passing: false,
        };
        let url = self.endpoints.token_url(tenant);
        let token_url = TokenUrl::new(url.clone()).map_err(|_| {
            lasting(AuthError::invalid(
                "tenant",
                tenant,
                "it does not fit into an address",
            ))
        })?;
        let mut client = BasicClient::new(ClientId::new(client_id.clone()))
            .set_token_uri(token_url)
            .set_auth_type(AuthType::RequestBody);
        if let Credential::Secret(secret) = credential {
            client = client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
        }
        let mut request = client
            .exchange_client_credentials()
            .add_scope(Scope::new(self.endpoints.scope().to_owned()));
        if let Credential::Certificate(certificate) = credential {
            let assertion = certificate
                .assertion(client_id, &url, self.clock.now())
                .map_err(lasting)?;
            request = request
                .add_extra_param(
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                )
                .add_extra_param("client_assertion", assertion.expose_secret().to_owned());
        }
        if let Some(claims) = claims {
            request = request.add_extra_param("claims", claims.to_owned());
        }
        let started = self.clock.now();
        let (http, clock) = (self.http.clone(), Arc::clone(&self.clock));
        let send: Exchange =
            Box::new(move |request| Box::pin(exchange(http.clone(), Arc::clone(&clock), request)));
        match settle(request, &send).await {
            Ok(answer) => {
                tracing::debug!(tenant, host = %http::host(&self.endpoints.login), "signed in");
                let secret = SecretString::from(answer.access_token().secret().to_owned());
                let lifetime = answer.expires_in().unwrap_or(LIFETIME);
                AccessToken::new(number, secret, started, lifetime)
                    .ok_or_else(|| lasting(self.not_entra(200, "a token that cannot be sent")))
            }
            Err(RequestTokenError::Request(fault)) => Err(self.failure(fault)),
            // The other variants may quote the answer, so nothing of them is kept.
            Err(_) => Err(lasting(self.not_entra(200, "JSON without a token"))),
        }
    }

    fn failure(&self, fault: Fault) -> Failure {
        match fault {
            Fault::Network(problem) => Failure {
                error: AuthError::Network {
                    tenant: self.sign_in.tenant.clone(),
                    host: http::host(&self.endpoints.login),
                    problem,
                },
                wait: None,
                passing: !matches!(problem, NetworkProblem::Tls | NetworkProblem::Proxy),
            },
            Fault::Status { status, wait, body } => self.answered(status, wait, &body),
        }
    }

    /// What an answer without a token means.
    fn answered(&self, status: u16, wait: Option<Duration>, body: &[u8]) -> Failure {
        let SignIn {
            tenant,
            client_id,
            credential,
        } = &self.sign_in;
        let passing = status == 429 || status >= 500;
        if status >= 400
            && let Some(mut refused) = Refused::read(status, body, tenant, client_id)
        {
            if let Credential::Certificate(certificate) = credential {
                refused.thumbprints = Some(certificate.thumbprints().clone());
            }
            // 50196 is the answer to asking in a loop; asking again would be the loop.
            let passing = passing && refused.code != Some(50_196);
            return Failure {
                error: AuthError::Refused(Box::new(refused)),
                wait,
                passing,
            };
        }
        let what = match body.trim_ascii_start().first() {
            _ if (300..400).contains(&status) => "a redirect",
            Some(b'<') => "a web page, not JSON",
            None => "an empty answer",
            Some(_) => "something that is not Entra's JSON",
        };
        Failure {
            error: self.not_entra(status, what),
            wait,
            passing,
        }
    }

    fn not_entra(&self, status: u16, what: &'static str) -> AuthError {
        let host = http::host(&self.endpoints.login);
        AuthError::NotEntra {
            tenant: self.sign_in.tenant.clone(),
            host,
            status,
            what,
        }
    }
}

type TokenRequest<'a> = ClientCredentialsTokenRequest<'a, BasicErrorResponse, BasicTokenResponse>;
type Exchange =
    Box<dyn Fn(HttpRequest) -> BoxFuture<'static, Result<HttpResponse, Fault>> + Send + Sync>;
type Settled = Result<BasicTokenResponse, RequestTokenError<Fault, BasicErrorResponse>>;

/// Boxed here, with one named lifetime: the compiler cannot prove the future of `oauth2` to be `Send` otherwise.
fn settle<'a>(request: TokenRequest<'a>, send: &'a Exchange) -> BoxFuture<'a, Settled> {
    Box::pin(request.request_async(send))
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
    if status != 200 {
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
    if response.body().trim_ascii_start().first() != Some(&b'{') {
        return Err(Fault::Status {
            status,
            wait,
            body: body.to_vec(),
        });
    }
    Ok(response)
}

impl State {
    /// The token at hand, if it will do.
    fn usable(&self, renewal: &Renewal, now: Timestamp) -> Option<Arc<AccessToken>> {
        let token = self
            .current
            .as_ref()
            .filter(|token| now < token.expires_at)?;
        let good = match renewal {
            Renewal::IfNeeded => now < token.renew_at || now < self.hold,
            Renewal::Rejected { token_id } => token.id != *token_id,
            Renewal::Challenge { token_id, claims } => {
                token.id != *token_id && self.claims.as_ref() == Some(claims)
            }
        };
        good.then(|| Arc::clone(token))
    }
}

/// Why a round trip brought no token. `Debug` and `Display` say nothing of the answer.
enum Fault {
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
