//! A Microsoft Graph and Entra token endpoint of our own, on a loopback port.
//!
//! It serves `scan --demo` and the tests: the product takes the same path as against Microsoft. It promises to be as strict as the
//! real service where that can be known: permissions, licences, page sizes, `$select` checked against the schema, advanced queries,
//! expiring page tokens, throttling, and the error bodies that Graph really sends. [`Fault`] adds trouble on order.
//!
//! It must not know who asks: no other room of this crate is imported here, and nothing here is shaped after a collector.
//!
//! - `tenant`, `licences`: the JSON of a tenant, [`TenantData`], and what it pays for
//! - `synthetic`: tenants of any size, computed
//! - `packed`: what is part of the program, compressed
//! - `routes`, `schema`, `errors`: what Graph knows, from `fixtures/graph/`
//! - `token`, `device_code`: the token endpoint
//! - `platforms`, `github`, `azure_devops`, `managed_identity`: the places that hand out tokens besides Entra
//! - `graph`, `admission`, `resolve`, `expand`, `page`, `odata`, `batch`, `reply`: answering a Graph request
//! - `throttle`, `faults`: refusing on purpose
//! - `network`: time, bandwidth and trouble by chance
//! - `summary`, [`floor`], `control`: what was asked, and the least time it can take
//! - `server`, `connection`, `state`: the listening side, and what it remembers
mod admission;
mod azure_devops;
mod batch;
mod connection;
mod control;
pub mod demo;
mod device_code;
mod errors;
mod expand;
mod faults;
pub mod floor;
mod github;
mod graph;
mod licences;
mod managed_identity;
mod network;
mod odata;
mod packed;
mod page;
mod platforms;
mod reply;
mod resolve;
mod routes;
mod schema;
mod server;
mod state;
mod summary;
mod synthetic;
mod tenant;
mod throttle;
mod token;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::JoinHandle;

pub use faults::{Fault, FaultKind, Nth, RetryAfter};
pub use network::{Latency, Trouble};
pub use summary::Summary;
pub use synthetic::{Mix, Order, Synthetic};
pub use tenant::TenantData;

/// How requests are paced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// No throttling: for demos and for tests of something else.
    #[default]
    Fast,
    /// The published limits per service ("Microsoft Graph service-specific throttling limits"), in real time.
    Strict,
}

/// Where the server takes its time from (`Date`, token lifetimes, the validity of client assertions).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// The clock of the machine.
    #[default]
    System,
    /// A clock that stands still.
    Fixed(jiff::Timestamp),
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "a server has a clock of its own; tests hand in a fixed one"
    )]
    fn now(self) -> jiff::Timestamp {
        match self {
            Self::System => jiff::Timestamp::now(),
            Self::Fixed(at) => at,
        }
    }
}

/// Settings of one emulator. The default is fast, without faults and with the page sizes of Graph.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Pacing of requests.
    pub pace: Pace,
    /// Trouble on order.
    pub faults: Vec<Fault>,
    /// No page holds more rows than this, on any list. `None`: what Graph sends.
    pub max_page: Option<usize>,
    /// A token is refused as expired after this many Graph requests (a batch counts once).
    pub token_requests: Option<u64>,
    /// `expires_in` of tokens in seconds; 3599 by default.
    pub expires_in: Option<u64>,
    /// How long each answer is held back.
    pub latency: Option<Latency>,
    /// Bytes a second that come through, all connections together.
    pub bandwidth: Option<u64>,
    /// Trouble by chance.
    pub trouble: Option<Trouble>,
    /// What is drawn by chance follows from it.
    pub seed: u64,
    /// The resource units of identity services times this: below 1 they become the wall.
    pub unit_scale: Option<f64>,
    /// Users with `signInActivity` count as reports (5 requests in 10 s) and not as identity: seen in reality, not documented.
    pub sign_ins_are_reports: bool,
    /// Requests are only counted ([`Emulator::summary`]), not remembered line by line.
    pub counts_only: bool,
    /// `GET /emulator/summary` and `GET /emulator/floor` are answered.
    pub control: bool,
    /// The clock of the server.
    pub clock: Clock,
}

/// One request that arrived, for assertions in tests. Never holds a token or a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLine {
    /// HTTP method.
    pub method: String,
    /// Path and query as sent.
    pub path: String,
    /// Status of the answer.
    pub status: u16,
    /// Whether an `Authorization: Bearer` header was sent.
    pub bearer: bool,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// Whether this is a part of a `$batch` (the batch itself has a line of its own, after its parts).
    pub batch_part: bool,
}

/// Why an emulator could not be made.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// A file of the tenant folder could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the tenant is not JSON of the expected shape.
    #[error("{file}: not valid: {source}")]
    Json {
        /// File name.
        file: String,
        /// Where and what.
        source: serde_json::Error,
    },
    /// There is no `tenant.json`.
    #[error("the tenant has no tenant.json")]
    NoTenantFile,
    /// `like` is not the name of a folder.
    #[error("tenant.json: like is {name:?}, which is not the name of a folder beside this one")]
    Like {
        /// The name as given.
        name: String,
    },
    /// A key is not a request path.
    #[error("{file}: the key {key:?} is not a request path")]
    Key {
        /// File name.
        file: String,
        /// The key.
        key: String,
    },
    /// Two files hold the same request path.
    #[error("{file}: {key} is already in another file")]
    Duplicate {
        /// File name of the second.
        file: String,
        /// The key.
        key: String,
    },
    /// The loopback port could not be opened.
    #[error("cannot listen on the loopback address")]
    Listen(#[source] io::Error),
}

impl EmulatorError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::Read { .. } => "check that the folder exists and can be read",
            Self::Json { .. } => "a tenant file is one JSON object: request path -> body",
            Self::NoTenantFile => "add a tenant.json with tenantId, now and app",
            Self::Like { .. } => {
                "like names a folder beside this one: letters, digits, `-` and `_`"
            }
            Self::Key { .. } => "a key begins with `/`, `v1.0:/` or `beta:/`",
            Self::Duplicate { .. } => "keep each request path in one file only",
            Self::Listen(_) => "check that local connections are allowed",
        };
        Some(help.to_owned())
    }
}

/// A running emulator; it stops when dropped.
pub struct Emulator {
    state: Arc<state::State>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Emulator {
    /// Opens a free port on 127.0.0.1 and serves the tenant there, on the current tokio runtime.
    pub async fn start(tenant: TenantData, options: Options) -> Result<Self, EmulatorError> {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(EmulatorError::Listen)?;
        let address = listener.local_addr().map_err(EmulatorError::Listen)?;
        let state = Arc::new(state::State::new(tenant, options));
        let task = tokio::spawn(server::serve(listener, Arc::clone(&state)));
        Ok(Self {
            state,
            address,
            task,
        })
    }

    /// Root of the sign-in endpoints, `http://127.0.0.1:{port}`.
    pub fn login_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Root of Graph without a version; the same origin as [`Self::login_url`].
    pub fn graph_url(&self) -> String {
        self.login_url()
    }

    /// What was asked so far, in the order of the answers.
    pub fn requests(&self) -> Vec<RequestLine> {
        self.state.log()
    }

    /// What was asked so far, counted.
    pub fn summary(&self) -> Summary {
        self.state.summary()
    }

    /// The same service for a listener of one's own, behind TLS: links in answers are `https` and name the authority of the request.
    pub fn router(&self) -> axum::Router {
        server::router(Arc::clone(&self.state))
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.state.stop();
        self.task.abort();
    }
}
