//! The listening side: what belongs to HTTP and not to Graph (tokens, verbs, headers, compression, broken connections, the log).
use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::ConnectInfo;
use axum::extract::{Request, State as Extract};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::connection::{BreakableListener, Line};
use super::device_code::Codes;
use super::errors::{Failure, Trace};
use super::faults::{FaultKind, Faults, http_date};
use super::graph;
use super::network::Network;
use super::page::Places;
use super::platforms;
use super::reply::{Ask, Mishap, Reply, with_status};
use super::summary::{Counts, Summary};
use super::tenant::{Licences, TenantData};
use super::throttle::{Buckets, Service};
use super::token::{self, TokenAsk};
use super::{Options, Pace, RequestLine, batch, control};

/// Bodies of requests are small: a form or a batch.
const MAX_BODY: usize = 1 << 20;
/// Smaller bodies are not worth compressing.
const MIN_GZIP: usize = 2_048;

/// All that one emulator knows.
pub(super) struct State {
    pub(super) tenant: TenantData,
    pub(super) options: Options,
    pub(super) faults: Faults,
    pub(super) places: Places,
    pub(super) network: Network,
    licences: Licences,
    buckets: Mutex<Buckets>,
    tokens: Mutex<HashMap<String, Token>>,
    downloads: Mutex<HashMap<String, String>>,
    pub(super) codes: Codes,
    log: Mutex<Vec<RequestLine>>,
    counts: Mutex<Counts>,
    stopped: AtomicBool,
}

#[derive(Debug, Clone)]
struct Token {
    expires: jiff::Timestamp,
    requests: u64,
    refused: bool,
    permissions: Vec<String>,
}

/// A poisoned lock holds whole values all the same: nothing here is left half done.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(super) fn new(tenant: TenantData, mut options: Options) -> Self {
        let licences = tenant.licences();
        let buckets = Buckets::new(tenant.users(), options.unit_scale);
        let network = Network::new(
            options.seed,
            options.latency,
            options.trouble.clone(),
            options.bandwidth,
        );
        Self {
            faults: Faults::new(std::mem::take(&mut options.faults)),
            tenant,
            options,
            places: Places::default(),
            network,
            licences,
            buckets: Mutex::new(buckets),
            tokens: Mutex::default(),
            downloads: Mutex::default(),
            codes: Codes::default(),
            log: Mutex::default(),
            counts: Mutex::default(),
            stopped: AtomicBool::new(false),
        }
    }

    pub(super) fn log(&self) -> Vec<RequestLine> {
        lock(&self.log).clone()
    }

    /// Notes an answer; `broken`: its connection breaks before it.
    pub(super) fn record(&self, line: RequestLine, broken: bool) {
        lock(&self.counts).answered(&line, broken);
        if !self.options.counts_only {
            lock(&self.log).push(line);
        }
    }

    pub(super) fn summary(&self) -> Summary {
        lock(&self.counts).summary(self.network.hit())
    }

    /// Connections that are still open break off from now on.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    pub(super) fn licences(&self) -> &Licences {
        &self.licences
    }

    /// Takes units of a service; in the fast pace nothing is refused.
    pub(super) fn take(&self, service: Service, units: u32) -> Result<Option<f64>, Failure> {
        let share = if self.options.pace == Pace::Fast {
            None
        } else {
            let ids = (self.tenant.client_id(), self.tenant.tenant_id());
            lock(&self.buckets).take(service, units, ids, Instant::now())?
        };
        if service == Service::Identity {
            lock(&self.counts).charged(units);
        }
        Ok(share)
    }

    /// Makes a token with `make` and remembers it with its permissions.
    pub(super) fn issue(
        &self,
        lifetime: u64,
        permissions: &[String],
        make: impl FnOnce(jiff::Timestamp) -> String,
    ) -> String {
        let now = self.options.clock.now();
        let token = make(now);
        let lifetime = i64::try_from(lifetime).unwrap_or(i64::MAX);
        let expires = now
            .checked_add(jiff::SignedDuration::from_secs(lifetime))
            .unwrap_or(jiff::Timestamp::MAX);
        let entry = Token {
            expires,
            requests: 0,
            refused: false,
            permissions: permissions.to_vec(),
        };
        lock(&self.tokens).insert(token.clone(), entry);
        token
    }

    /// Permissions of a token, if it may still be used.
    fn redeem(&self, token: Option<&str>) -> Result<Vec<String>, Failure> {
        let invalid = |message: &str| Failure::new("invalidToken", &[message]);
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Err(invalid("Access token is empty."));
        };
        let mut tokens = lock(&self.tokens);
        let Some(entry) = tokens.get_mut(token) else {
            return Err(invalid(
                "CompactToken parsing failed with error code: 80049217",
            ));
        };
        entry.requests += 1;
        let used_up = self
            .options
            .token_requests
            .is_some_and(|limit| entry.requests > limit);
        if entry.refused || used_up || entry.expires <= self.options.clock.now() {
            return Err(invalid("Access token has expired or is not yet valid."));
        }
        Ok(entry.permissions.clone())
    }

    fn revoke(&self, token: &str) {
        if let Some(entry) = lock(&self.tokens).get_mut(token) {
            entry.refused = true;
        }
    }

    /// Keeps a file for download without a token and returns its name.
    pub(super) fn keep_download(&self, text: &str) -> String {
        let name = uuid::Uuid::new_v4().simple().to_string();
        lock(&self.downloads).insert(name.clone(), text.to_owned());
        name
    }
}

/// The service without a listener.
pub(super) fn router(state: Arc<State>) -> Router {
    Router::new().fallback(handle).with_state(state)
}

/// Serves until the task is aborted.
pub(super) async fn serve(listener: TcpListener, state: Arc<State>) {
    let listener = BreakableListener { listener };
    let service = router(state).into_make_service_with_connect_info::<Line>();
    let result: io::Result<()> = axum::serve(listener, service).await;
    if let Err(error) = result {
        tracing::warn!(%error, "the emulator stopped");
    }
}

/// Header facts that are needed after the request was taken apart.
struct Facts {
    origin: String,
    host: String,
    bearer: Option<String>,
    gzip: bool,
    trace: Trace,
}

impl Facts {
    fn new(request: &Request, state: &State) -> Self {
        let headers = request.headers();
        // A listener in front of the router is there for its TLS.
        let own_listener = request.extensions().get::<ConnectInfo<Line>>().is_some();
        let host = request
            .uri()
            .authority()
            .map(ToString::to_string)
            .or_else(|| text(headers, header::HOST.as_str()).map(ToOwned::to_owned))
            .unwrap_or_default();
        let scheme =
            request
                .uri()
                .scheme_str()
                .unwrap_or(if own_listener { "http" } else { "https" });
        let bearer = text(headers, "authorization")
            .and_then(|value| value.split_once(' '))
            .filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim().to_owned());
        Self {
            origin: format!("{scheme}://{host}"),
            host,
            bearer,
            gzip: text(headers, "accept-encoding").is_some_and(|value| value.contains("gzip")),
            trace: Trace::new(
                state.options.clock.now(),
                text(headers, "client-request-id"),
            ),
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

async fn handle(
    Extract(state): Extract<Arc<State>>,
    request: Request,
) -> Result<Response, Infallible> {
    let facts = Facts::new(&request, &state);
    let connection = request
        .extensions()
        .get::<ConnectInfo<Line>>()
        .map(|info| info.0.clone());
    if state.stopped.load(Ordering::SeqCst)
        && let Some(connection) = &connection
    {
        connection.cut();
    }
    let mut line = RequestLine {
        method: request.method().to_string(),
        path: request
            .uri()
            .path_and_query()
            .map(ToString::to_string)
            .unwrap_or_default(),
        status: 0,
        bearer: facts.bearer.is_some(),
        user_agent: text(request.headers(), "user-agent").map(ToOwned::to_owned),
        batch_part: false,
    };
    if line.method == "GET"
        && let Some(reply) = control::answer(
            &state,
            request.uri().path(),
            request.uri().query().unwrap_or_default(),
        )
    {
        return Ok(wire(reply, &facts));
    }
    let _waiting = Waiting::begin(&state);
    let reply = route(&state, request, &facts, &line).await;
    if reply.revoke
        && let Some(token) = &facts.bearer
    {
        state.revoke(token);
    }
    line.status = reply.status;
    let broken = reply.mishap == Some(Mishap::Reset);
    state.record(line, broken);
    let delay = reply.delay.max(state.network.latency());
    let response = wire(reply, &facts);
    let bytes = response.body().size_hint().exact().unwrap_or_default();
    lock(&state.counts).sent(bytes);
    let delay = delay.unwrap_or_default() + state.network.transfer(bytes, Instant::now());
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    if broken && let Some(connection) = &connection {
        connection.cut();
    }
    Ok(response)
}

/// A request that waits for its answer, until its client gives up or gets it.
struct Waiting<'a>(&'a State);

impl<'a> Waiting<'a> {
    fn begin(state: &'a State) -> Self {
        lock(&state.counts).begin(Instant::now());
        Self(state)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(&self.0.counts).end(Instant::now());
    }
}

/// Sorts a request to sign-in, download or Graph.
async fn route(state: &State, request: Request, facts: &Facts, line: &RequestLine) -> Reply {
    let path = request.uri().path().to_owned();
    let first = path.split('/').nth(1).unwrap_or_default().to_owned();
    if let Some(reply) = platform(state, &request, facts, &path) {
        return reply;
    }
    if path.ends_with("/oauth2/v2.0/token") || path.ends_with("/oauth2/v2.0/devicecode") {
        return sign_in(state, request, facts, &path, &first).await;
    }
    if path.ends_with("/v2.0/.well-known/openid-configuration") {
        return token::metadata(state, &first, &facts.origin, &facts.trace);
    }
    if let Some(name) = path.strip_prefix("/download/") {
        let file = lock(&state.downloads).get(name).cloned();
        return match file {
            Some(file) if request.method() == Method::GET => {
                Reply::new(200, "application/octet-stream", file.into_bytes())
            }
            _ => Reply::new(404, "text/plain", Vec::new()),
        };
    }
    let granted = match state.redeem(facts.bearer.as_deref()) {
        Ok(granted) => granted,
        Err(failure) => return Reply::failure(&failure, &facts.trace),
    };
    let headers = request.headers();
    let ask = Ask {
        origin: facts.origin.clone(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        eventual: text(headers, "consistencylevel")
            .is_some_and(|value| value.eq_ignore_ascii_case("eventual")),
        prefer: text(headers, "prefer").map(ToOwned::to_owned),
        trace: facts.trace.clone(),
        batch_part: false,
        path,
    };
    let is_batch = matches!(ask.path.as_str(), "/v1.0/$batch" | "/beta/$batch");
    match (request.method().as_str(), is_batch) {
        ("GET", false) => graph::answer(state, &ask, &granted),
        ("POST", true) => batched(state, request, &ask, &granted, line).await,
        _ => Reply::failure(&Failure::new("methodNotAllowed", &[]), &facts.trace),
    }
}

async fn batched(
    state: &State,
    request: Request,
    ask: &Ask,
    granted: &[String],
    line: &RequestLine,
) -> Reply {
    let json = text(request.headers(), "content-type")
        .is_some_and(|value| value.starts_with("application/json"));
    if !json {
        let failure = Failure::bad_request("The content type of a batch must be application/json.");
        return Reply::failure(&failure, &ask.trace);
    }
    let body = to_bytes(request.into_body(), MAX_BODY)
        .await
        .unwrap_or_default();
    graph::with_fault(state, ask, |_| {
        batch::answer(state, ask, &body, granted, line)
    })
}

async fn sign_in(
    state: &State,
    request: Request,
    facts: &Facts,
    path: &str,
    tenant: &str,
) -> Reply {
    let fault = state.faults.due(path, false);
    if let Some(reply) = fault.as_ref().and_then(|fault| early(fault, facts)) {
        return reply;
    }
    let method = request.method().to_string();
    let content_type = text(request.headers(), "content-type")
        .unwrap_or_default()
        .to_owned();
    let body = to_bytes(request.into_body(), MAX_BODY)
        .await
        .unwrap_or_default();
    let ask = TokenAsk {
        method: &method,
        tenant,
        host: &facts.host,
        path,
        content_type: &content_type,
        body: &String::from_utf8_lossy(&body),
        trace: facts.trace.clone(),
    };
    let reply = if path.ends_with("/devicecode") {
        token::device_code(state, &ask, &facts.origin)
    } else {
        token::answer(state, &ask)
    };
    late(reply, fault.as_ref())
}

/// Answers a request to a platform that hands out tokens; `None`: it is to somebody else.
fn platform(state: &State, request: &Request, facts: &Facts, path: &str) -> Option<Reply> {
    let method = request.method().as_str();
    let query = request.uri().query().unwrap_or_default();
    let reply = platforms::answer(state, path, method, query, request.headers(), &facts.trace)?;
    let fault = state.faults.due(path, false);
    let refusal = fault.as_ref().and_then(|fault| early(fault, facts));
    Some(refusal.unwrap_or_else(|| late(reply, fault.as_ref())))
}

/// Trouble in place of an answer of a sign-in service.
fn early(fault: &FaultKind, facts: &Facts) -> Option<Reply> {
    Some(match fault {
        FaultKind::Throttle { retry_after } => {
            let mut failure = Failure::new("throttled.conditionalAccess", &[]);
            if let Some(value) = retry_after.header(facts.trace.at) {
                failure = failure.header("Retry-After", value);
            }
            Reply::failure(&failure, &facts.trace)
        }
        FaultKind::Status(status) => Reply::failure(&with_status(*status), &facts.trace),
        FaultKind::Html(status) => Reply::new(
            *status,
            "text/html; charset=utf-8",
            b"<html><body>Proxy</body></html>".to_vec(),
        ),
        FaultKind::Redirect(url) => {
            let mut reply = Reply::new(302, "text/plain", Vec::new());
            reply.header("Location", url);
            reply
        }
        _ => return None,
    })
}

/// Trouble with the way of an answer of a sign-in service.
fn late(mut reply: Reply, fault: Option<&FaultKind>) -> Reply {
    match fault {
        Some(FaultKind::CutBody) => reply.mishap = Some(Mishap::Cut),
        Some(FaultKind::ResetConnection) => reply.mishap = Some(Mishap::Reset),
        Some(FaultKind::Latency(delay)) => reply.delay = Some(*delay),
        _ => {}
    }
    reply
}

/// Puts an answer on the wire.
fn wire(reply: Reply, facts: &Facts) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let date = http_date(facts.trace.at);
    let fixed = [
        ("content-type", reply.content_type),
        ("cache-control", "no-cache"),
        ("request-id", facts.trace.request_id.as_str()),
        ("client-request-id", facts.trace.client_request_id.as_str()),
        ("odata-version", "4.0"),
        ("date", date.as_str()),
    ];
    let own = reply
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in fixed.into_iter().chain(own) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    let (body, packed) = if facts.gzip && reply.body.len() >= MIN_GZIP {
        packed(reply.body)
    } else {
        (reply.body, false)
    };
    if packed {
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    *response.body_mut() = match reply.mishap {
        None => Body::from(body),
        Some(mishap) => {
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, HeaderValue::from(body.len().max(1)));
            let half = if mishap == Mishap::Cut {
                body.len() / 2
            } else {
                0
            };
            broken_body(body, half)
        }
    };
    response
}

fn packed(body: Vec<u8>) -> (Vec<u8>, bool) {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    match encoder.write_all(&body).and_then(|()| encoder.finish()) {
        Ok(small) => (small, true),
        Err(_) => (body, false),
    }
}

/// The first bytes, then an error: the connection ends before the announced length.
fn broken_body(mut body: Vec<u8>, length: usize) -> Body {
    body.truncate(length);
    let first = (!body.is_empty()).then(|| Ok(Bytes::from(body)));
    let error = Err(io::Error::from(io::ErrorKind::ConnectionReset));
    Body::from_stream(stream::iter(first.into_iter().chain([error])))
}
