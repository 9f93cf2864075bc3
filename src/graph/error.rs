//! What can go wrong when Graph is read, and what to do about it.
//!
//! Promises: nothing of a token or of a query's values is kept; text from the other side is cut, one line, and free of
//! control characters; missing permission and missing licence are told apart by code *and* text,
//! because both can have the same status. Must not know who asks.

use serde_json::Value;
use thiserror::Error as ThisError;

use super::http::NetworkProblem;
use crate::auth::AuthError;

/// What a failure means for the one who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// The application lacks a permission (or a service's own policy excludes it).
    Forbidden,
    /// The tenant lacks the licence or the service.
    NotLicensed,
    /// There is no such object.
    NotFound,
    /// Sign-in failed or the token was refused twice.
    Unauthorized,
    /// Still throttled after all tries.
    Throttled,
    /// Graph does not understand the request: a property, path or filter that this cloud lacks.
    BadRequest,
    /// Graph failed and went on failing.
    Server,
    /// No (complete) answer arrived.
    Network,
    /// An answer that Graph should not give: no JSON, a foreign link, a repeated page.
    Protocol,
}

/// An answer with which Graph refused a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status; 200 when an error came in the body of a success.
    pub status: u16,
    /// Graph's `error.code`, letters, digits, `.`, `_` and `-` only; empty when there was none.
    pub code: String,
    /// Graph's `error.message`, one line, at most 200 characters; JSON within it unpacked.
    pub message: String,
    /// `request-id` for Microsoft's support; always a GUID.
    pub request_id: Option<String>,
    /// Path of the request, without options.
    pub path: String,
    /// What it means.
    pub kind: ErrorKind,
    /// How often the request was sent.
    pub tries: u32,
}

impl Refusal {
    fn words(&self) -> String {
        let mut words = format!("Graph answered {}", self.status);
        if !self.code.is_empty() {
            words = format!("{words} {}", self.code);
        }
        words = format!("{words} to GET {}", self.path);
        if self.tries > 1 {
            words = format!("{words} ({} tries)", self.tries);
        }
        if !self.message.is_empty() {
            words = format!("{words}: {}", self.message);
        }
        match &self.request_id {
            Some(id) => format!("{words} [request-id {id}]"),
            None => words,
        }
    }
}

/// Why a read failed.
#[derive(Debug, Clone, ThisError)]
#[non_exhaustive]
pub enum GraphError {
    /// Graph answered with an error.
    #[error("{}", .0.words())]
    Refused(Box<Refusal>),
    /// The token of a page has expired: the list (or its shard) has to be read anew, once.
    #[error("{}", .0.words())]
    ExpiredPageToken(Box<Refusal>),
    /// Sign-in failed.
    #[error(transparent)]
    SignIn(#[from] AuthError),
    /// No complete answer arrived, whatever was tried.
    #[error("could not read {path} from {host}: {problem} ({tries} tries)")]
    Network {
        /// Path of the request.
        path: String,
        /// Host and port.
        host: String,
        /// What happened at the last try.
        problem: NetworkProblem,
        /// How often the request was sent.
        tries: u32,
    },
    /// Graph, or something in between, wanted to send us elsewhere.
    #[error("{path} was redirected to {host}; redirects are not followed")]
    Redirected {
        /// Path of the request.
        path: String,
        /// Host that was named.
        host: String,
    },
    /// An HTML page instead of JSON: a proxy, a captive portal or a wrong Graph root answered.
    #[error("{host} answered {path} with a web page (status {status}), not with Graph's JSON")]
    WebPage {
        /// Path of the request.
        path: String,
        /// Host and port.
        host: String,
        /// HTTP status.
        status: u16,
    },
    /// The answer is no JSON or not of the shape that Graph documents.
    #[error("the answer to {path} cannot be read: {reason}")]
    Malformed {
        /// Path of the request.
        path: String,
        /// What is wrong with it; nothing of its text.
        reason: String,
    },
    /// A collection was asked for and the answer has no `value` list.
    #[error("the answer to {path} is not a collection: it has no \"value\" list")]
    NotACollection {
        /// Path of the request.
        path: String,
    },
    /// A next link that does not lead to the Graph root in use. The token was not sent.
    #[error(
        "the next page of {path} would be on {host}, which is not the Graph root in use; the token was not sent"
    )]
    ForeignLink {
        /// Path of the request.
        path: String,
        /// Host of the link.
        host: String,
    },
    /// A next link that was followed before.
    #[error("the pages of {path} form a loop: a next link came a second time")]
    Loop {
        /// Path of the request.
        path: String,
    },
    /// A page with the same rows as the one before.
    #[error("the same page of {path} came twice in a row")]
    RepeatedPage {
        /// Path of the request.
        path: String,
    },
    /// A part of a batch that was not answered.
    #[error("the batch answer lacks the part for {path}")]
    MissingPart {
        /// Path of the part.
        path: String,
    },
    /// A request that cannot be expressed as a URL below the Graph root.
    #[error("the request {path} cannot be expressed as a Graph address")]
    InvalidQuery {
        /// Path of the request.
        path: String,
    },
    /// The Graph root is neither `https` nor this machine.
    #[error("the Graph root {host} does not use https and is not a loopback address")]
    InsecureRoot {
        /// Host and port.
        host: String,
    },
}

impl GraphError {
    /// What the failure means for the one who asked.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused(refusal) | Self::ExpiredPageToken(refusal) => refusal.kind,
            Self::Network { .. } | Self::SignIn(AuthError::Network { .. }) => ErrorKind::Network,
            Self::SignIn(_) => ErrorKind::Unauthorized,
            Self::InvalidQuery { .. } => ErrorKind::BadRequest,
            Self::Redirected { .. }
            | Self::WebPage { .. }
            | Self::Malformed { .. }
            | Self::NotACollection { .. }
            | Self::ForeignLink { .. }
            | Self::Loop { .. }
            | Self::RepeatedPage { .. }
            | Self::MissingPart { .. }
            | Self::InsecureRoot { .. } => ErrorKind::Protocol,
        }
    }

    /// Graph's answer, when there was one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) | Self::ExpiredPageToken(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// HTTP status, when there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::WebPage { status, .. } => Some(*status),
            _ => self.refusal().map(|refusal| refusal.status),
        }
    }

    /// Graph's error code, when there was one.
    pub fn code(&self) -> Option<&str> {
        self.refusal()
            .map(|refusal| refusal.code.as_str())
            .filter(|code| !code.is_empty())
    }

    /// Graph's `request-id`, when there was one.
    pub fn request_id(&self) -> Option<&str> {
        self.refusal()
            .and_then(|refusal| refusal.request_id.as_deref())
    }

    /// Path of the request, without options; `None` for a failed sign-in.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) | Self::ExpiredPageToken(refusal) => Some(&refusal.path),
            Self::SignIn(_) | Self::InsecureRoot { .. } => None,
            Self::Network { path, .. }
            | Self::Redirected { path, .. }
            | Self::WebPage { path, .. }
            | Self::Malformed { path, .. }
            | Self::NotACollection { path }
            | Self::ForeignLink { path, .. }
            | Self::Loop { path }
            | Self::RepeatedPage { path }
            | Self::MissingPart { path }
            | Self::InvalidQuery { path } => Some(path),
        }
    }

    /// What to do next.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::SignIn(error) => return error.help(),
            Self::Network { problem, .. } => problem.help(),
            Self::ExpiredPageToken(_) => {
                "read the list anew; a slow run can outlive the tokens of its pages"
            }
            Self::Redirected { .. } | Self::WebPage { .. } => {
                "check --graph-url and --cloud; a proxy or a captive portal may be answering instead of Graph"
            }
            Self::Malformed { .. }
            | Self::NotACollection { .. }
            | Self::Loop { .. }
            | Self::RepeatedPage { .. }
            | Self::MissingPart { .. } => {
                "run again; if it stays, Graph (or a proxy) is answering wrongly for this list"
            }
            Self::ForeignLink { .. } => {
                "check --graph-url and --cloud; if they are right, do not trust this connection"
            }
            Self::InvalidQuery { .. } => {
                "an id in the tenant's data cannot be asked for; please report it"
            }
            Self::InsecureRoot { .. } => "use an https address for --graph-url",
            Self::Refused(refusal) => match refusal.kind {
                ErrorKind::Forbidden => {
                    "grant the permission named for this request (`m365audit permissions`) to the application, with admin consent, and sign in anew"
                }
                ErrorKind::NotLicensed => {
                    "the tenant has no licence for this feature; what depends on it is not evaluated"
                }
                ErrorKind::NotFound => return None,
                ErrorKind::Unauthorized => {
                    "Graph refused a fresh token; check that --cloud and --graph-url belong to the tenant's cloud"
                }
                ErrorKind::Throttled => {
                    "Graph still throttles this tenant; run again later, or stop other tools that read the same tenant"
                }
                ErrorKind::BadRequest => {
                    "the tenant's cloud may lack this request or a property of it; please report it with the request-id"
                }
                ErrorKind::Server | ErrorKind::Network | ErrorKind::Protocol => {
                    "run again later; if it stays, give the request-id to Microsoft's support"
                }
            },
        };
        Some(help.to_owned())
    }
}

/// Reads the refusal out of an error answer; any body will do.
pub(crate) fn refusal(
    status: u16,
    body: &[u8],
    header_id: Option<&str>,
    path: &str,
    tries: u32,
) -> Refusal {
    let body: Value = serde_json::from_slice(strip_bom(body)).unwrap_or(Value::Null);
    let error = &body["error"];
    let code = error["code"].as_str().unwrap_or_default();
    let raw = error["message"].as_str().unwrap_or_default();
    let request_id = header_id
        .or_else(|| error["innerError"]["request-id"].as_str())
        .or_else(|| error["innererror"]["request-id"].as_str())
        .and_then(|id| uuid::Uuid::try_parse(id).ok())
        .map(|id| id.to_string());
    Refusal {
        status,
        code: token(code),
        message: printable(&unpacked(raw), 200),
        request_id,
        path: path.to_owned(),
        kind: classify(status, code, raw),
        tries,
    }
}

/// Turns a refusal into the error that a caller can act on.
pub(crate) fn refused(refusal: Refusal) -> GraphError {
    if refusal
        .code
        .eq_ignore_ascii_case("Directory_ExpiredPageToken")
    {
        GraphError::ExpiredPageToken(Box::new(refusal))
    } else {
        GraphError::Refused(Box::new(refusal))
    }
}

/// Codes that mean a missing licence whatever the status is.
const LICENCE_CODES: [&str; 2] = [
    "authentication_requestfromnonpremiumtenantorb2ctenant",
    "aadpremiumlicenserequired",
];
/// Texts that mean a missing licence or service where the code is a general one.
const LICENCE_TEXTS: [&str; 5] = [
    "not licensed",
    "request not applicable to target tenant",
    "does not have a spo license",
    "account is not provisioned",
    "doesn't have premium license",
];
/// Codes that mean a missing permission whatever the status is.
const PERMISSION_CODES: [&str; 4] = [
    "authorization_requestdenied",
    "authentication_msgraphpermissionmissing",
    "permissionscopenotgranted",
    "erroraccessdenied",
];

fn classify(status: u16, code: &str, message: &str) -> ErrorKind {
    let code = code.to_ascii_lowercase();
    let text = message.to_ascii_lowercase();
    if LICENCE_CODES.contains(&code.as_str())
        || (matches!(status, 200 | 400 | 401 | 403)
            && LICENCE_TEXTS.iter().any(|known| text.contains(known)))
    {
        return ErrorKind::NotLicensed;
    }
    if PERMISSION_CODES.contains(&code.as_str()) {
        return ErrorKind::Forbidden;
    }
    match status {
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        429 | 509 => ErrorKind::Throttled,
        400..=499 => ErrorKind::BadRequest,
        500..=599 => ErrorKind::Server,
        _ => ErrorKind::Protocol,
    }
}

/// Intune and PIM put a JSON document into the message: take the sentence out of it.
fn unpacked(message: &str) -> String {
    let inner = message
        .trim_start()
        .starts_with('{')
        .then(|| serde_json::from_str::<Value>(message).ok())
        .flatten();
    inner
        .as_ref()
        .and_then(|inner| {
            inner["Message"]
                .as_str()
                .or_else(|| inner["message"].as_str())
        })
        .unwrap_or(message)
        .to_owned()
}

/// An error code is a word; whatever else stands there is dropped.
fn token(code: &str) -> String {
    code.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
        .take(80)
        .collect()
}

/// Foreign text for messages: one line, no control, invisible or direction-changing characters, at most `most` characters.
pub(crate) fn printable(text: &str, most: usize) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_invisible(*c))
        .collect();
    let mut words = clean
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    if words.chars().count() > most {
        words = words.chars().take(most.saturating_sub(1)).collect();
        words.push('…');
    }
    words
}

fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// `$count` answers begin with a byte order mark at times.
pub(crate) fn strip_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}
