//! The listening side: what belongs to HTTP and not to Graph (tokens, verbs, headers, compression, broken connections, the log).
use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::Arc;

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
use super::errors::{Failure, Trace};
use super::faults::{FaultKind, http_date};
use super::graph;
use super::platforms;
use super::reply::{Ask, Mishap, Reply, with_status};
use super::state::{State, Waiting};
use super::token::{self, TokenAsk};
use super::{RequestLine, batch, control};

/// Bodies of requests are small: a form or a batch.
const MAX_BODY: usize = 1 << 20;
/// Smaller bodies are not worth compressing.
const MIN_GZIP: usize = 2_048;

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
    if state.is_stopped()
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
    state.sent(bytes);
    let delay = delay.unwrap_or_default() + state.network.transfer(bytes, Instant::now());
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    if broken && let Some(connection) = &connection {
        connection.cut();
    }
    Ok(response)
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
        let file = state.download(name);
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
