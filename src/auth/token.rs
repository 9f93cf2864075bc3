//! Access tokens: asked for once, kept in memory, renewed in time.
//!
//! Promises that one request for a token is on its way at a time, whoever waits for it, and that a failure is
//! shared by those who waited instead of being repeated by each of them. How a token is asked for stands in a file per kind.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use super::claims::Claims;
use super::cloud::Endpoints;
use super::credential::{SignIn, guid};
use super::device_code::{self, Prompt};
use super::entra::Entra;
use super::error::AuthError;
use super::grant::{Failure, Granted};
use super::{application, azure_cli, managed_identity};
use crate::graph::{Clock, later};

/// How long before its end a token is renewed; less for tokens that live less than 50 minutes.
const MARGIN: Duration = Duration::from_mins(5);
/// After a failed early renewal the old token is used this long before the next attempt.
const HOLD: Duration = Duration::from_secs(30);

/// Tells one token of a run from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenId(u64);

/// A bearer token for Graph.
pub struct AccessToken {
    id: TokenId,
    secret: SecretString,
    expires_at: Timestamp,
    renew_at: Timestamp,
    claims: Option<Claims>,
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
        let claims = Claims::read(text);
        let margin = MARGIN.min(lifetime / 10);
        Some(Self {
            id: TokenId(number),
            claims,
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

    /// What the token says of itself; a hint only. `None`: it cannot be read.
    pub fn claims(&self) -> Option<&Claims> {
        self.claims.as_ref()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("id", &self.id.0)
            .finish_non_exhaustive()
    }
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

/// The tokens of one sign-in.
pub struct Tokens {
    sign_in: SignIn,
    entra: Entra,
    prompt: Prompt,
    state: Mutex<State>,
    /// Failed attempts so far.
    failures: AtomicU64,
}

struct State {
    current: Option<Arc<AccessToken>>,
    /// The claims that the current token was asked for with.
    claims: Option<String>,
    /// What the next token can be had for without a person.
    refresh: Option<SecretString>,
    failed: Option<AuthError>,
    hold: Timestamp,
    issued: u64,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("sign_in", &self.sign_in)
            .finish_non_exhaustive()
    }
}

impl TokenSource for Tokens {
    fn token(&self, renewal: Renewal) -> BoxFuture<'_, Result<Arc<AccessToken>, AuthError>> {
        Box::pin(self.current_or_new(renewal))
    }
}

impl Tokens {
    /// Nothing is sent before the first token is asked for. `http` reaches the sign-in service; platforms have clients of their own.
    pub fn new(sign_in: SignIn, endpoints: Endpoints, http: Client, clock: Arc<dyn Clock>) -> Self {
        let state = State {
            current: None,
            claims: None,
            refresh: None,
            failed: None,
            hold: Timestamp::MIN,
            issued: 0,
        };
        Self {
            sign_in,
            entra: Entra {
                endpoints,
                http,
                clock,
            },
            prompt: Box::new(|_| {}),
            state: Mutex::new(state),
            failures: AtomicU64::new(0),
        }
    }

    /// Says who shows a person what to do; without it a device code is never seen.
    pub fn prompting(mut self, prompt: Prompt) -> Self {
        self.prompt = prompt;
        self
    }

    /// Who signs in.
    pub fn sign_in(&self) -> &SignIn {
        &self.sign_in
    }

    async fn current_or_new(&self, renewal: Renewal) -> Result<Arc<AccessToken>, AuthError> {
        let clock = &self.entra.clock;
        let seen = self.failures.load(Ordering::SeqCst);
        let mut state = self.state.lock().await;
        if let Some(token) = state.usable(&renewal, clock.now()) {
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
        let asked = self.ask(claims.as_deref(), state.refresh.as_ref()).await;
        let taken = asked.and_then(|granted| self.take(granted, state.issued + 1));
        match taken {
            Ok((token, refresh)) => {
                let token = Arc::new(token);
                state.issued += 1;
                state.claims = claims;
                state.refresh = refresh;
                state.failed = None;
                state.current = Some(Arc::clone(&token));
                Ok(token)
            }
            Err(failure) => {
                let now = clock.now();
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
    async fn ask(
        &self,
        claims: Option<&str>,
        refresh: Option<&SecretString>,
    ) -> Result<Granted, Failure> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.ask_once(claims, refresh).await {
                Err(Failure {
                    error,
                    wait,
                    passing: true,
                    tries: most,
                }) if tries < most => {
                    let ceiling = 1_000_u64 << (tries - 1);
                    let wait =
                        wait.unwrap_or_else(|| Duration::from_millis(fastrand::u64(0..=ceiling)));
                    tracing::debug!(%error, wait_ms = wait.as_millis(), "asking for a token again");
                    self.entra.clock.sleep(wait).await;
                }
                result => return result,
            }
        }
    }

    async fn ask_once(
        &self,
        claims: Option<&str>,
        refresh: Option<&SecretString>,
    ) -> Result<Granted, Failure> {
        let entra = &self.entra;
        match &self.sign_in {
            SignIn::Application(application) => application::ask(application, entra, claims).await,
            SignIn::ManagedIdentity(identity) => {
                managed_identity::ask(identity, &entra.endpoints, &entra.clock).await
            }
            SignIn::AzureCli(cli) => {
                azure_cli::ask(cli, &entra.endpoints, entra.clock.as_ref()).await
            }
            SignIn::DeviceCode(person) => {
                device_code::ask(person, entra, &self.prompt, claims, refresh).await
            }
        }
    }

    /// Checks what was handed out: that it can be sent, and that it is for the tenant that was asked for.
    fn take(
        &self,
        granted: Granted,
        number: u64,
    ) -> Result<(AccessToken, Option<SecretString>), Failure> {
        let Granted {
            secret,
            started,
            lifetime,
            refresh,
        } = granted;
        let token = AccessToken::new(number, secret, started, lifetime)
            .ok_or(AuthError::Unusable(self.sign_in.kind()))?;
        let found = token.claims().and_then(|claims| claims.tenant.as_deref());
        if let (Some(asked), Some(found)) = (self.sign_in.tenant().and_then(guid), found)
            && asked != found
        {
            return Err(Failure::lasting(AuthError::OtherTenant {
                kind: self.sign_in.kind(),
                asked,
                found: found.to_owned(),
            }));
        }
        Ok((token, refresh))
    }
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
