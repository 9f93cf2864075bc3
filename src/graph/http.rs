//! The one HTTP client: TLS, proxy, time-outs, no redirects.
//!
//! Promises that plain `http` is spoken to loopback addresses only, that no redirect is followed (a token
//! must not travel to a host of somebody else's choice), and that a network failure can be told apart by
//! what a person can do about it. Must not know Graph or Entra.

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use thiserror::Error as ThisError;

pub use reqwest::{Client, Url};

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long to wait for a service of the platform: it is on this machine or one step away.
const NEAR: Duration = Duration::from_secs(1);
/// How long to wait for the token of a platform; a cold machine takes some seconds.
const PLATFORM: Duration = Duration::from_secs(30);
/// How long to wait for an answer: Graph itself gives up after about 100 seconds with 504.
const ANSWER: Duration = Duration::from_secs(100);

/// Why a root URL or the HTTP client could not be used.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum HttpError {
    /// The text is no absolute URL with a host.
    #[error("{text} is not a web address like https://graph.microsoft.com")]
    NotUrl {
        /// The text as given, control characters removed.
        text: String,
    },
    /// Plain `http` (or another scheme) to a host that is not this machine.
    #[error(
        "{url} does not use https; plain http is allowed only for loopback addresses (127.0.0.1, [::1], localhost)"
    )]
    Insecure {
        /// The address without user name, password and query.
        url: String,
    },
    /// Plain `http` (or another scheme) for a service of the platform that is neither on this machine nor on its link.
    #[error(
        "{url} does not use https; plain http is allowed only for this machine and for link-local addresses (169.254.0.0/16)"
    )]
    NotNear {
        /// The address without user name, password and query.
        url: String,
    },
    /// User name, password, query or fragment in a root URL.
    #[error("{url} must be a plain root: no user name, password, query or fragment")]
    NotRoot {
        /// The address without user name, password and query.
        url: String,
    },
    /// The TLS library or the proxy settings of the system could not be set up.
    #[error("the HTTP client could not be set up: {reason}")]
    Setup {
        /// What the HTTP library says.
        reason: String,
    },
}

impl HttpError {
    /// What to do next.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::Setup { .. } => {
                "check that this machine has trusted certificates (package ca-certificates, or SSL_CERT_FILE) and that HTTPS_PROXY is an address"
            }
            Self::NotNear { .. } => {
                "set the address as the platform gives it, or unset the variable"
            }
            Self::NotUrl { .. } | Self::Insecure { .. } | Self::NotRoot { .. } => {
                "give an address like https://graph.microsoft.com"
            }
        };
        Some(help.to_owned())
    }
}

/// How much of one answer may be under way before it is read: a page of the largest size, and more, without a pause.
const STREAM_WINDOW: u32 = 1 << 20;
/// How much of all answers of one HTTP/2 connection together: 64 streams with half a page each.
const CONNECTION_WINDOW: u32 = 16 << 20;
/// An HTTP/2 connection on which nothing has come for so long is asked whether it is still there.
const PING: Duration = Duration::from_secs(20);

/// A builder with everything that is the same for all connections of this program.
///
/// `roots` are the hosts that will be talked to. When all of them are loopback addresses, the proxy of the
/// system is left out; when all use `https`, plain `http` is impossible; when none does, the trusted certificates are not looked for.
pub fn builder(roots: &[&Url]) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("m365audit/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .gzip(true)
        // Each list that is read over HTTP/1.1 keeps its connection; over HTTP/2 all share one.
        .pool_max_idle_per_host(usize::MAX)
        .pool_idle_timeout(Duration::from_secs(90))
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(CONNECT)
        .https_only(!roots.is_empty() && roots.iter().all(|root| root.scheme() == "https"));
    let all = |is: fn(&Url) -> bool| !roots.is_empty() && roots.iter().all(|root| is(root));
    let builder = if all(is_loopback) {
        builder.no_proxy()
    } else {
        builder
    };
    if all(|root| root.scheme() == "http") {
        // No TLS will be spoken: a machine without trusted certificates can run the demo all the same.
        builder.tls_certs_only([])
    } else {
        builder
    }
}

/// The client for these roots; see [`builder`].
pub fn client(roots: &[&Url]) -> Result<Client, HttpError> {
    builder(roots).build().map_err(|error| HttpError::Setup {
        reason: innermost(&error),
    })
}

/// The client for one service of the platform that hands out tokens, at an address from [`platform_address`].
///
/// What is near is asked without a proxy and not waited for: 1 s for the connection.
pub fn platform_client(address: &Url) -> Result<Client, HttpError> {
    let builder = builder(&[address]).timeout(PLATFORM);
    let builder = if address.scheme() == "http" {
        builder.no_proxy().connect_timeout(NEAR)
    } else {
        builder
    };
    builder.build().map_err(|error| HttpError::Setup {
        reason: innermost(&error),
    })
}

/// Reads the address of a service of the platform, as its environment gives it: `https`, or `http` to this machine or its link
/// (App Service listens on 127.0.0.1 or in 169.254.0.0/16, Azure's metadata service on 169.254.169.254). A query may follow.
pub fn platform_address(text: &str) -> Result<Url, HttpError> {
    let url = Url::parse(text.trim()).map_err(|_| HttpError::NotUrl {
        text: super::error::printable(text, 100),
    })?;
    let near = url.scheme() == "http" && (is_loopback(&url) || is_link_local(&url));
    if url.host_str().is_none_or(str::is_empty) {
        Err(HttpError::NotUrl { text: shown(&url) })
    } else if url.scheme() != "https" && !near {
        Err(HttpError::NotNear { url: shown(&url) })
    } else if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        Err(HttpError::NotRoot { url: shown(&url) })
    } else {
        Ok(url)
    }
}

/// Whether the address is on the link of this machine: `169.254.0.0/16`, `fe80::/10`.
fn is_link_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_ok_and(|ip| match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    })
}

/// Reads the root of a service: absolute, `https` or loopback, nothing but scheme, host, port and path.
///
/// The path of the result ends without a slash, except for the bare root.
pub fn root(text: &str) -> Result<Url, HttpError> {
    let mut url = Url::parse(text.trim()).map_err(|_| HttpError::NotUrl {
        text: super::error::printable(text, 100),
    })?;
    let shown = shown(&url);
    if url.host_str().is_none_or(str::is_empty) {
        return Err(HttpError::NotUrl { text: shown });
    }
    if !is_allowed(&url) {
        return Err(HttpError::Insecure { url: shown });
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(HttpError::NotRoot { url: shown });
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// Whether a request may be sent to this address at all: `https`, or `http` to this machine.
pub fn is_allowed(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

/// Whether the address names this machine: `127.0.0.0/8`, `[::1]` or `localhost`.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether both have the same scheme, host and port.
pub(crate) fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && a.host_str() == b.host_str()
        && a.port_or_known_default() == b.port_or_known_default()
}

/// Host and port of an address for messages.
pub(crate) fn host(url: &Url) -> String {
    let host = super::error::printable(url.host_str().unwrap_or("(no host)"), 100);
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host,
    }
}

fn shown(url: &Url) -> String {
    super::error::printable(
        &format!("{}://{}{}", url.scheme(), host(url), url.path()),
        100,
    )
}

/// Why no answer arrived, as far as a person can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum NetworkProblem {
    /// The name of the host has no address.
    #[error("the host name could not be resolved")]
    Resolve,
    /// The name was resolved, but nothing accepted the connection.
    #[error("no connection could be made")]
    Connect,
    /// The proxy refused to build the tunnel, or wants to be signed in to.
    #[error("the proxy refused the connection")]
    Proxy,
    /// The TLS handshake failed, mostly because the certificate of the other side is not trusted.
    #[error("the TLS connection could not be made (the certificate may not be trusted)")]
    Tls,
    /// No connection within 10 s, or no answer within 100 s.
    #[error("no answer arrived in time")]
    Timeout,
    /// The connection broke while the answer was read.
    #[error("the connection broke before the answer was complete")]
    Cut,
}

impl NetworkProblem {
    /// Sorts a failure of the HTTP library. Neither its text nor the URL inside it is kept.
    pub fn of(error: &reqwest::Error) -> Self {
        // hyper-util's tunnel error is private, so it is known by the beginning of its own words.
        if chain(error).any(|source| {
            let text = source.to_string();
            text.starts_with("tunnel error") || text.starts_with("proxy authorization required")
        }) {
            Self::Proxy
        } else if error.is_dns() {
            Self::Resolve
        } else if error.is_timeout() {
            Self::Timeout
        } else if error.is_connect() {
            if chain(error).any(is_tls) {
                Self::Tls
            } else {
                Self::Connect
            }
        } else {
            Self::Cut
        }
    }

    /// What to do about it.
    pub fn help(self) -> &'static str {
        match self {
            Self::Resolve => {
                "check the spelling of the host, DNS, and whether a proxy has to be set (HTTPS_PROXY)"
            }
            Self::Connect => {
                "check the network, the firewall, and whether a proxy has to be set (HTTPS_PROXY)"
            }
            Self::Proxy => {
                "check HTTPS_PROXY and NO_PROXY, and user name and password of the proxy"
            }
            Self::Tls => {
                "if a proxy inspects TLS, add its certificate to the trusted certificates of this machine; check the machine's date"
            }
            Self::Timeout => "try again; if it stays, check the firewall and the proxy",
            Self::Cut => {
                "try again; if it stays, something between here and Microsoft breaks long answers"
            }
        }
    }
}

/// rustls failures arrive as I/O errors of kind "invalid data", a handshake that ends early as "unexpected end";
/// both lie inside a second I/O error, which `source` steps over.
fn is_tls(source: &(dyn Error + 'static)) -> bool {
    let mut error = source.downcast_ref::<io::Error>();
    while let Some(inner) = error {
        if matches!(
            inner.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
        ) {
            return true;
        }
        error = inner.get_ref().and_then(|inner| inner.downcast_ref());
    }
    false
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(
        Some(error),
        |error: &&'a (dyn Error + 'static)| -> Option<&'a (dyn Error + 'static)> {
            (*error).source()
        },
    )
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    let text = chain(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default();
    super::error::printable(&text, 200)
}
