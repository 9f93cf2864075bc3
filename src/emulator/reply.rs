//! Requests and answers as the parts of the emulator hand them to each other.
use super::errors::{Failure, Trace};

/// Content type of Graph's JSON.
pub(super) const JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// A GET as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// Scheme and host for links.
    pub(super) origin: String,
    /// Path as sent, with the version.
    pub(super) path: String,
    /// Query as sent, without `?`.
    pub(super) query: String,
    pub(super) eventual: bool,
    /// The `Prefer` header.
    pub(super) prefer: Option<String>,
    pub(super) trace: Trace,
    pub(super) batch_part: bool,
}

impl Ask {
    pub(super) fn path_and_query(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }
}

/// What the network is to do with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mishap {
    Cut,
    Reset,
}

/// An answer before it is put on the wire.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
    pub(super) mishap: Option<Mishap>,
    pub(super) delay: Option<std::time::Duration>,
    /// The token of the request is refused from now on.
    pub(super) revoke: bool,
}

impl Reply {
    pub(super) fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content_type,
            body,
            mishap: None,
            delay: None,
            revoke: false,
        }
    }

    pub(super) fn json(body: Vec<u8>) -> Self {
        Self::new(200, JSON, body)
    }

    pub(super) fn failure(failure: &Failure, trace: &Trace) -> Self {
        let mut reply = Self::new(failure.status, "application/json", failure.body(trace));
        reply.headers.clone_from(&failure.headers);
        reply
    }

    pub(super) fn header(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), value.into()));
    }
}

/// A refusal with any status, in Graph's words where they are known.
pub(super) fn with_status(status: u16) -> Failure {
    let key = match status {
        502 => "badGateway",
        503 => "unavailable",
        504 => "timeout",
        _ => "internal",
    };
    Failure {
        status,
        ..Failure::new(key, &[])
    }
}
