//! Requests as Graph reads them: path, version and OData options, encoded correctly.
//!
//! Promises that text from a tenant (an id, a name in a filter) can never change the meaning of a request.
//! Must not know hosts, tokens or retries.

use std::fmt::Write as _;

use super::pace::{Service, Toll};

/// Puts a value into single quotes for `$filter`, inner quotes doubled: `O'Neil` becomes `'O''Neil'`.
pub fn quote(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// The version of the API in the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    V1,
    Beta,
}

impl Version {
    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::V1 => "/v1.0",
            Self::Beta => "/beta",
        }
    }
}

/// One read request: `Query::v1("/users").select(&["id"]).top(999)`.
///
/// Every request carries `Prefer: include-unknown-enum-members`, without which Graph hides enum members
/// that were added later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    version: Version,
    path: String,
    options: Vec<(String, String)>,
    eventual: bool,
    broken: bool,
}

impl Query {
    /// A request of the v1.0 API. `path` starts with a slash and is not encoded:
    /// `/users`, `/servicePrincipals(appId='…')`. Use [`Query::segment`] for ids that came from outside.
    pub fn v1(path: &str) -> Self {
        Self::new(Version::V1, path)
    }

    /// A request of the beta API; see [`Query::v1`].
    pub fn beta(path: &str) -> Self {
        Self::new(Version::Beta, path)
    }

    fn new(version: Version, path: &str) -> Self {
        let mut query = Self {
            version,
            path: String::new(),
            options: Vec::new(),
            eventual: false,
            broken: false,
        };
        for segment in path.trim_matches('/').split('/') {
            query = query.segment(segment);
        }
        query
    }

    /// Adds one path segment; everything in it that has a meaning in a URL is encoded, slashes included.
    #[must_use]
    pub fn segment(mut self, segment: &str) -> Self {
        // URL parsers take "." and ".." (encoded, too) as steps in the path, so such an id cannot be asked for.
        self.broken |= segment.is_empty() || segment == "." || segment == "..";
        self.path.push('/');
        encode(&mut self.path, segment, b"$()'=,:@!*;");
        self
    }

    /// `$select`: the properties to answer with.
    #[must_use]
    pub fn select(self, properties: &[&str]) -> Self {
        self.param("$select", &properties.join(","))
    }

    /// `$filter`; put values into it with [`quote`].
    #[must_use]
    pub fn filter(self, filter: &str) -> Self {
        self.param("$filter", filter)
    }

    /// `$expand`; Graph allows one, and 20 items in it for directory objects.
    #[must_use]
    pub fn expand(self, expand: &str) -> Self {
        self.param("$expand", expand)
    }

    /// `$orderby`.
    #[must_use]
    pub fn orderby(self, order: &str) -> Self {
        self.param("$orderby", order)
    }

    /// `$top`: the size of a page, a hint only.
    #[must_use]
    pub fn top(self, rows: u32) -> Self {
        self.param("$top", &rows.to_string())
    }

    /// `$count=true` with `ConsistencyLevel: eventual`: how many rows there are in all, in the first page's
    /// [`count`](super::Page::count). Advanced filters on directory objects need it too.
    #[must_use]
    pub fn count(self) -> Self {
        self.param("$count", "true").eventual()
    }

    /// `$filter` with one more condition; what was asked before holds as well.
    #[must_use]
    pub fn and_filter(self, condition: &str) -> Self {
        let before = self.options.iter().find(|(name, _)| name == "$filter");
        let filter = match before {
            Some((_, before)) => format!("({before}) and {condition}"),
            None => condition.to_owned(),
        };
        self.filter(&filter)
    }

    /// The same without an option.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.options.retain(|(known, _)| known != name);
        self
    }

    /// Whether the answer says how many rows there are in all.
    pub fn is_counted(&self) -> bool {
        self.options.iter().any(|(name, _)| name == "$count")
    }

    /// `ConsistencyLevel: eventual` alone, as `/users/$count` wants it.
    #[must_use]
    pub fn eventual(mut self) -> Self {
        self.eventual = true;
        self
    }

    /// Any other option of the request. Setting a name twice replaces the value.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.options.retain(|(known, _)| known != name);
        self.options.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Path with version for messages, without options: `/v1.0/users`.
    pub fn path(&self) -> String {
        format!("{}{}", self.version.segment(), self.path)
    }

    /// The service whose limits count for this request.
    pub fn service(&self) -> Service {
        self.toll().service
    }

    /// What the request takes from its service by the published table: resource units of the identity service and of SharePoint,
    /// 1 elsewhere. An answer can say that it was another number.
    pub fn units(&self) -> u32 {
        self.toll().units
    }

    pub(crate) fn toll(&self) -> Toll {
        let options = self
            .options
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        Toll::of(&self.path, options)
    }

    /// Whether `@odata.count` of the answer is the number of all users.
    pub(crate) fn counts_users(&self) -> bool {
        let sets = |name: &str| self.options.iter().any(|(known, _)| known == name);
        self.path == "/users" && sets("$count") && !sets("$filter") && !sets("$search")
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    pub(crate) fn is_eventual(&self) -> bool {
        self.eventual
    }

    /// Whether a path segment cannot be expressed in a URL.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Path and options behind the version, encoded: what a part of a `$batch` names as its URL.
    pub(crate) fn relative(&self) -> String {
        let mut url = self.path.clone();
        for (number, (name, value)) in self.options.iter().enumerate() {
            url.push(if number == 0 { '?' } else { '&' });
            encode(&mut url, name, b"$");
            url.push('=');
            encode(&mut url, value, b"$(),':@/*!;");
        }
        url
    }
}

/// Percent-encodes everything but unreserved characters and those of `keep`.
fn encode(into: &mut String, text: &str, keep: &[u8]) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            into.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

/// A query string for the log: values of harmless options only, `$skiptoken=…` and the like without them.
pub(crate) fn shown_query(url: &reqwest::Url) -> String {
    let mut shown = String::new();
    for (name, value) in url.query_pairs().take(12) {
        shown.push(if shown.is_empty() { '?' } else { '&' });
        shown.push_str(&super::error::printable(&name, 40));
        shown.push('=');
        if matches!(
            name.as_ref(),
            "$select" | "$top" | "$count" | "$orderby" | "$expand"
        ) {
            shown.push_str(&super::error::printable(&value, 200));
        } else {
            shown.push('…');
        }
    }
    shown
}
