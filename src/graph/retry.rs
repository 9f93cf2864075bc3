//! Sending one request until it is answered for good.
//!
//! Promises: 429, 509, 500 (twice), 502, 503, 504, connection failures and cut answers are repeated, at most
//! [`TRIES`] times and for at most [`BUDGET`] in all, as long as the run has repetitions left
//! ([`RunBudget`](super::budget::RunBudget)); 400, 403 and 404 never are; a 401 leads to a newer
//! token and a repetition, [`RENEWALS`] times at most. The token goes nowhere but to the origin of the Graph root.
//!
//! Before a repetition the request waits as long as the answer asks, or up to 1, 2, 4 … 32 s (full jitter) when it does not ask.
//! Whether the whole service waits with it is decided at its gate (`pace::gate`).

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use reqwest::{Method, Url};
use secrecy::ExposeSecret;

use super::client::{Effort, Event, Inner};
use super::clock::until;
use super::error::{self, ErrorKind, GraphError};
use super::http::{self, NetworkProblem};
use super::odata;
use super::pace::{Service, Signs};
use crate::auth::{AccessToken, Renewal, TokenId};

/// How often a request is sent at most.
pub(crate) const TRIES: u32 = 7;
/// How often a request is sent when it fails in a way that seldom passes: 500, TLS, proxy.
const TRIES_HARD: u32 = 3;
/// How many tokens of one request may be refused before it fails. More than one, because a token can be revoked a second
/// time while the request that lost the first is on its way; few, because a Graph that refuses every token refuses the next.
pub(crate) const RENEWALS: u32 = 3;
/// The longest single wait, whatever the server asks for.
pub(crate) const LONGEST: Duration = Duration::from_mins(5);
/// Failed tries and the waits after them, of one request together.
pub(crate) const BUDGET: Duration = Duration::from_mins(10);

/// One request, ready to be sent.
pub(crate) struct Call {
    pub(crate) url: Url,
    /// Whether `ConsistencyLevel: eventual` is needed.
    pub(crate) eventual: bool,
    pub(crate) service: Service,
    /// What it takes from the service.
    pub(crate) units: u32,
    /// What messages call it.
    pub(crate) path: String,
    /// The body of a `$batch`; `None` for a GET.
    pub(crate) batch: Option<Batch>,
    /// Whether the answer is an address (302 with `Location`) instead of a body: the reader is given the address.
    pub(crate) expects_location: bool,
}

/// The one thing that is ever posted: a list of GETs.
pub(crate) struct Batch {
    pub(crate) body: Bytes,
    /// How many GETs.
    pub(crate) parts: u32,
}

/// What was read in the end.
pub(crate) struct Reply<T> {
    pub(crate) content: T,
    pub(crate) effort: Effort,
    /// The token it was read with.
    pub(crate) token: TokenId,
    /// When the try that was answered was sent.
    pub(crate) started: Timestamp,
}

/// The body of a success, as a reader sees it.
pub(crate) enum Body<T> {
    Content(T),
    /// An error document under a success status.
    Refused,
}

/// Why a reader cannot make sense of a body.
pub(crate) enum Unreadable {
    /// It ends too early: worth a repetition.
    Cut,
    /// It is JSON, but there is no `value` list in it.
    NoList,
    /// Anything else.
    Other(String),
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        if error.is_eof() {
            Self::Cut
        } else {
            // The text of the error may quote the document; line and column say enough.
            let what = if error.is_data() {
                "unexpected content"
            } else {
                "no JSON"
            };
            Self::Other(format!(
                "{what} at line {} column {}",
                error.line(),
                error.column()
            ))
        }
    }
}

/// An answer as it came.
struct Raw {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

/// What an answer means for the loop.
enum Verdict<T> {
    Done(T),
    Final(GraphError),
    /// Send again after the wait, or after one of our own choice.
    Again {
        error: GraphError,
        wait: Option<Duration>,
        tries: u32,
    },
    /// Get a new token and send again.
    Renew {
        renewal: Renewal,
        error: GraphError,
    },
}

/// Sends a call until it is answered; `read` makes sense of the body of a success.
pub(crate) async fn send<T>(
    inner: &Inner,
    call: &Call,
    mut renewal: Renewal,
    read: impl Fn(&Bytes) -> Result<Body<T>, Unreadable> + Send + Sync,
) -> Result<Reply<T>, GraphError>
where
    T: Send,
{
    // Every address was checked where it came from; this is the last line before a token leaves.
    if !http::same_origin(&inner.root, &call.url) || !http::is_allowed(&call.url) {
        return Err(GraphError::ForeignLink {
            path: call.path.clone(),
            host: http::host(&call.url),
        });
    }
    let mut effort = Effort::default();
    let mut spent = Duration::ZERO;
    let mut repeated = 0;
    let mut renewals = u32::from(renewal != Renewal::IfNeeded);
    loop {
        let parts = call.batch.as_ref().map_or(1, |batch| batch.parts);
        let mut pass = inner
            .gates
            .enter(call.service, call.units, parts, inner.clock.as_ref())
            .await;
        let token = inner
            .tokens
            .token(std::mem::replace(&mut renewal, Renewal::IfNeeded))
            .await?;
        effort.requests += 1;
        let sent = inner.clock.now();
        inner.gates.sent(call.service, &mut pass, sent);
        let answer = exchange(inner, call, &token).await;
        let started = pass.started;
        drop(pass);
        let now = inner.clock.now();
        let duration = until(sent, now);
        let status = log(inner, call, duration, &answer);
        let signs = answer.as_ref().ok().and_then(|raw| signs(call, raw));
        let verdict = match answer {
            Ok(raw) => judge(call, &raw, effort.requests, &token, now, &read),
            Err(problem) => Verdict::Again {
                error: network(call, problem, effort.requests),
                wait: None,
                tries: if matches!(problem, NetworkProblem::Tls | NetworkProblem::Proxy) {
                    TRIES_HARD
                } else {
                    TRIES
                },
            },
        };
        let wait = match &verdict {
            Verdict::Again { wait, .. } => {
                Some(wait.unwrap_or_else(|| jitter(inner.pace.backoff(repeated + 1))))
            }
            _ => None,
        };
        if let Some(signs) = signs {
            let asked = matches!(verdict, Verdict::Again { wait: Some(_), .. });
            let signs = signs.with_wait(wait.unwrap_or_default(), asked);
            inner.gates.told(call.service, started, &signs, now);
        }
        match verdict {
            Verdict::Done(content) => {
                inner.budget.earn();
                return Ok(Reply {
                    content,
                    effort,
                    token: token.id(),
                    started,
                });
            }
            Verdict::Final(error) => return Err(error),
            Verdict::Renew { error, .. } if renewals >= RENEWALS => return Err(error),
            Verdict::Renew {
                renewal: wanted, ..
            } => {
                renewals += 1;
                renewal = wanted;
                effort.retries += 1;
            }
            Verdict::Again { error, tries, .. } => {
                repeated += 1;
                let wait = wait.unwrap_or_default().min(LONGEST);
                spent = spent.saturating_add(duration).saturating_add(wait);
                if repeated >= tries || spent > BUDGET || !inner.budget.spend() {
                    return Err(error);
                }
                effort.retries += 1;
                inner.notify(Event::Retry {
                    service: call.service,
                    path: &call.path,
                    status,
                    attempt: repeated,
                    wait,
                });
                tracing::debug!(path = %call.path, attempt = repeated, wait_ms = wait.as_millis(), "repeating");
                inner.clock.sleep(wait).await;
            }
        }
    }
}

/// What the answer says about the pace; a batch says it with its parts, unless it was refused as a whole.
fn signs(call: &Call, raw: &Raw) -> Option<Signs> {
    if call.batch.is_some() && (200..=299).contains(&raw.status) {
        return None;
    }
    let header = |name: &str| Some(raw.headers.get(name)?.to_str().ok()?.to_owned());
    Some(Signs::read(raw.status, call.units, header))
}

/// Sends the request once and reads the whole answer.
async fn exchange(inner: &Inner, call: &Call, token: &AccessToken) -> Result<Raw, NetworkProblem> {
    let request = match &call.batch {
        None => inner.http.request(Method::GET, call.url.clone()),
        // The only POST of this program: a batch is a list of GETs, built in `batch.rs` and nowhere else.
        Some(batch) => inner
            .http
            .request(Method::POST, call.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(batch.body.clone()),
    };
    let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.secret().expose_secret()))
        .map_err(|_| NetworkProblem::Cut)?; // an `AccessToken` holds visible ASCII only
    bearer.set_sensitive(true);
    let mut request = request
        .header(AUTHORIZATION, bearer)
        .header("Prefer", "include-unknown-enum-members")
        .header("client-request-id", uuid::Uuid::new_v4().to_string())
        .header("return-client-request-id", "true");
    if call.eventual {
        request = request.header("ConsistencyLevel", "eventual");
    }
    let answer = request
        .send()
        .await
        .map_err(|error| NetworkProblem::of(&error))?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer
        .bytes()
        .await
        .map_err(|error| NetworkProblem::of(&error))?;
    Ok(Raw {
        status,
        headers,
        body,
    })
}

/// One line per answer: never a header, never a value of the query that could identify or unlock something.
fn log(
    inner: &Inner,
    call: &Call,
    duration: Duration,
    answer: &Result<Raw, NetworkProblem>,
) -> Option<u16> {
    let query = odata::shown_query(&call.url);
    match answer {
        Ok(raw) => {
            let request_id = request_id(&raw.headers).and_then(|id| uuid::Uuid::try_parse(id).ok());
            let request_id = request_id.map(|id| id.to_string()).unwrap_or_default();
            let method = if call.batch.is_some() { "POST" } else { "GET" };
            tracing::debug!(method, path = %call.path, query, status = raw.status, request_id, "answered");
            inner.notify(Event::Finished {
                service: call.service,
                path: &call.path,
                status: raw.status,
                duration,
            });
            Some(raw.status)
        }
        Err(problem) => {
            tracing::debug!(path = %call.path, query, %problem, "not answered");
            None
        }
    }
}

fn judge<T>(
    call: &Call,
    raw: &Raw,
    tries: u32,
    token: &AccessToken,
    now: Timestamp,
    read: &(impl Fn(&Bytes) -> Result<Body<T>, Unreadable> + Sync),
) -> Verdict<T> {
    let refusal = || {
        error::refusal(
            raw.status,
            &raw.body,
            request_id(&raw.headers),
            &call.path,
            tries,
        )
    };
    let again = |tries| Verdict::Again {
        error: error::refused(refusal()),
        wait: retry_after(raw.headers.get(RETRY_AFTER), now),
        tries,
    };
    match raw.status {
        200..=299 if raw.body.is_empty() && raw.status == 204 => {
            accept(call, raw, tries, read(&Bytes::from_static(b"null")))
        }
        200..=299 | 400..=428 | 430..=499 if is_web_page(raw) => {
            Verdict::Final(GraphError::WebPage {
                path: call.path.clone(),
                host: http::host(&call.url),
                status: raw.status,
            })
        }
        200..=299 => accept(
            call,
            raw,
            tries,
            read(&raw.body.slice_ref(error::strip_bom(&raw.body))),
        ),
        302 if call.expects_location && raw.headers.contains_key(LOCATION) => {
            let location = raw.headers.get(LOCATION).map(HeaderValue::as_bytes);
            let location = Bytes::copy_from_slice(location.unwrap_or_default());
            accept(call, raw, tries, read(&location))
        }
        300..=399 => Verdict::Final(GraphError::Redirected {
            path: call.path.clone(),
            host: redirect_host(call, raw),
        }),
        401 => {
            let refusal = refusal();
            if refusal.kind != ErrorKind::Unauthorized {
                // "Account is not provisioned": no token will ever help.
                return Verdict::Final(error::refused(refusal));
            }
            let renewal = match claims(raw.headers.get_all(WWW_AUTHENTICATE).iter()) {
                Some(claims) => Renewal::Challenge {
                    token_id: token.id(),
                    claims,
                },
                None => Renewal::Rejected {
                    token_id: token.id(),
                },
            };
            Verdict::Renew {
                renewal,
                error: error::refused(refusal),
            }
        }
        429 | 502..=504 | 509 => again(TRIES),
        500 => again(TRIES_HARD),
        _ => Verdict::Final(error::refused(refusal())),
    }
}

fn accept<T>(call: &Call, raw: &Raw, tries: u32, body: Result<Body<T>, Unreadable>) -> Verdict<T> {
    match body {
        Ok(Body::Content(content)) => Verdict::Done(content),
        Ok(Body::Refused) => {
            let id = request_id(&raw.headers);
            Verdict::Final(error::refused(error::refusal(
                raw.status, &raw.body, id, &call.path, tries,
            )))
        }
        Err(Unreadable::Cut) => Verdict::Again {
            error: network(call, NetworkProblem::Cut, tries),
            wait: None,
            tries: TRIES,
        },
        Err(Unreadable::NoList) => Verdict::Final(GraphError::NotACollection {
            path: call.path.clone(),
        }),
        Err(Unreadable::Other(reason)) => Verdict::Final(GraphError::Malformed {
            path: call.path.clone(),
            reason,
        }),
    }
}

fn network(call: &Call, problem: NetworkProblem, tries: u32) -> GraphError {
    GraphError::Network {
        path: call.path.clone(),
        host: http::host(&call.url),
        problem,
        tries,
    }
}

fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("request-id").and_then(|id| id.to_str().ok())
}

fn redirect_host(call: &Call, raw: &Raw) -> String {
    raw.headers
        .get(LOCATION)
        .and_then(|location| location.to_str().ok())
        .and_then(|location| call.url.join(location).ok())
        .map_or_else(|| "an unnamed place".to_owned(), |url| http::host(&url))
}

fn is_web_page(raw: &Raw) -> bool {
    let html = raw.headers.get(CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes()
            .to_ascii_lowercase()
            .starts_with(b"text/html")
    });
    html || error::strip_bom(&raw.body).trim_ascii_start().first() == Some(&b'<')
}

/// The wait that a server asks for: seconds, a decimal number of seconds, or an HTTP date; at most [`LONGEST`].
pub(crate) fn retry_after(value: Option<&HeaderValue>, now: Timestamp) -> Option<Duration> {
    let text = value?.to_str().ok()?.trim();
    let wait = if let Ok(seconds) = text.parse::<f64>() {
        // `inf`, `nan` and negative numbers parse, too.
        Duration::try_from_secs_f64(seconds).ok()?
    } else {
        let then = Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok()?;
        until(now, then)
    };
    Some(wait.min(LONGEST))
}

/// Anything up to the ceiling: callers that failed together should not come back together.
pub(crate) fn jitter(ceiling: Duration) -> Duration {
    let most = u64::try_from(ceiling.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(fastrand::u64(0..=most))
}

/// The claims of a continuous access evaluation challenge, decoded; they must be a JSON object.
fn claims<'a>(mut values: impl Iterator<Item = &'a HeaderValue>) -> Option<String> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

    let text = values.find_map(|value| {
        value
            .to_str()
            .ok()
            .filter(|text| text.contains("insufficient_claims"))
    })?;
    let encoded = text.split("claims=\"").nth(1)?.split('"').next()?;
    let decoded = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|engine| engine.decode(encoded).ok())?;
    let claims = String::from_utf8(decoded).ok()?;
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&claims)
        .is_ok()
        .then_some(claims)
}
