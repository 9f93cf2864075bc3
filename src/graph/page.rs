//! Paging: from link to link, and only where the links may lead.
//!
//! Promises that a link to another host gets no token, that loops and repeated pages end the list with an
//! error, and that a collection ends only when Graph says so (an empty page with a link is not the end).

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::LazyLock;

use bytes::Bytes;
use foldhash::quality::RandomState;
use futures_util::stream::{self, BoxStream};
use reqwest::Url;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::client::{Effort, GraphClient};
use super::error::{self, GraphError};
use super::http;
use super::odata::Query;
use super::pace::Toll;
use super::retry::{self, Body, Call, Unreadable};
use crate::auth::Renewal;

/// The pages of a collection, one after the other; ends after the first error.
pub type Pages = BoxStream<'static, Result<Page, GraphError>>;

/// One page of a collection.
#[derive(Debug, Clone)]
pub struct Page {
    /// The rows as they came.
    pub rows: Vec<Box<RawValue>>,
    /// `@odata.count`: rows in all pages; first page only, and only when asked for.
    pub count: Option<u64>,
    /// The checked link to the next page, for a log from which a run can be resumed; `None` on the last page.
    pub next: Option<String>,
    /// What the page cost.
    pub effort: Effort,
}

/// A page as Graph writes it.
#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    value: Listed,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(rename = "@odata.count")]
    count: Option<serde_json::Value>,
    error: Option<IgnoredAny>,
}

/// What stands in `value`; read in one pass, as pages are most of what a run reads.
#[derive(Default)]
enum Listed {
    #[default]
    Nothing,
    Rows {
        rows: Vec<Box<RawValue>>,
        mark: Mark,
    },
    Other,
}

struct Content {
    rows: Vec<Box<RawValue>>,
    mark: Mark,
    next: Option<String>,
    count: Option<u64>,
}

/// Tells links and pages of one list apart: a hash with a key that nobody outside of this process can know, so that two of them
/// are alike by chance only (1 in 2^64), and cannot be made so.
type Mark = u64;

static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::default);

fn mark(text: &str) -> Mark {
    KEY.hash_one(text)
}

struct Chain {
    client: GraphClient,
    /// The next request; `None` when the list is at its end.
    call: Option<Call>,
    seen: BTreeSet<Mark>,
    last: Option<Mark>,
    /// Whether the count of the first page is the number of all users.
    counts_users: bool,
}

pub(super) fn pages(client: GraphClient, query: &Query) -> Pages {
    let call = client.inner.call(query);
    chain(client, call, query.counts_users())
}

pub(super) fn follow(client: GraphClient, next_link: &str) -> Pages {
    let root = &client.inner.root;
    let label = Url::parse(next_link).map_or_else(
        |_| "(no address)".to_owned(),
        |url| below(root, &url).unwrap_or_default(),
    );
    let label = error::printable(&label, 200);
    let call = checked(root, next_link, &label).map(|url| {
        let options: Vec<_> = url.query_pairs().collect();
        let toll = Toll::of(
            &label,
            options.iter().map(|(name, value)| (&**name, &**value)),
        );
        // The header has to be repeated on each page; the link is the only witness of the first request.
        let eventual = options
            .iter()
            .any(|(name, value)| (name == "$count" && value == "true") || name == "$search");
        drop(options);
        Call {
            url,
            eventual,
            service: toll.service,
            units: toll.units,
            path: label,
            batch: None,
            expects_location: false,
        }
    });
    chain(client, call, false)
}

fn chain(client: GraphClient, call: Result<Call, GraphError>, counts_users: bool) -> Pages {
    let start = call.map(|call| Chain {
        seen: BTreeSet::from([mark(call.url.as_str())]),
        client,
        call: Some(call),
        last: None,
        counts_users,
    });
    match start {
        Ok(start) => Box::pin(stream::try_unfold(start, step)),
        Err(error) => Box::pin(stream::iter([Err(error)])),
    }
}

async fn step(mut chain: Chain) -> Result<Option<(Page, Chain)>, GraphError> {
    let Some(mut call) = chain.call.take() else {
        return Ok(None);
    };
    let inner = &chain.client.inner;
    let reply = retry::send(inner, &call, Renewal::IfNeeded, read_page).await?;
    let Content {
        rows,
        mark: page,
        next,
        count,
    } = reply.content;
    if !rows.is_empty() {
        if chain.last == Some(page) {
            return Err(GraphError::RepeatedPage { path: call.path });
        }
        chain.last = Some(page);
    }
    if let (true, Some(users)) = (std::mem::take(&mut chain.counts_users), count) {
        chain.client.learn_users(users);
    }
    if let Some(link) = &next {
        let url = checked(&inner.root, link, &call.path)?;
        if !chain.seen.insert(mark(url.as_str())) {
            return Err(GraphError::Loop { path: call.path });
        }
        call.url = url;
        chain.call = Some(call);
    }
    Ok(Some((
        Page {
            rows,
            count,
            next,
            effort: reply.effort,
        },
        chain,
    )))
}

fn read_page(body: &Bytes) -> Result<Body<Content>, Unreadable> {
    let wire: Wire = serde_json::from_slice(body)?;
    match wire.value {
        Listed::Rows { rows, mark } => Ok(Body::Content(Content {
            rows,
            mark,
            next: wire.next,
            count: wire.count.and_then(|count| count.as_u64()),
        })),
        Listed::Nothing if wire.error.is_some() => Ok(Body::Refused),
        Listed::Nothing | Listed::Other => Err(Unreadable::NoList),
    }
}

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Lister)
    }
}

struct Lister;

impl<'de> Visitor<'de> for Lister {
    type Value = Listed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Listed, A::Error> {
        let mut hasher = KEY.build_hasher();
        let mut rows = Vec::with_capacity(1_000);
        while let Some(row) = list.next_element::<Box<RawValue>>()? {
            hasher.write(row.get().as_bytes());
            rows.push(row);
        }
        rows.shrink_to_fit();
        let mark = hasher.finish();
        Ok(Listed::Rows { rows, mark })
    }

    fn visit_unit<E>(self) -> Result<Listed, E> {
        Ok(Listed::Nothing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Listed, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Listed::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Listed, E> {
        Ok(Listed::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Listed, E> {
        Ok(Listed::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Listed, E> {
        Ok(Listed::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Listed, E> {
        Ok(Listed::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Listed, E> {
        Ok(Listed::Other)
    }
}

/// A next link as an address, if the token may be sent there: the origin of the root, below `/v1.0` or `/beta`.
fn checked(root: &Url, link: &str, path: &str) -> Result<Url, GraphError> {
    let foreign = |host| GraphError::ForeignLink {
        path: path.to_owned(),
        host,
    };
    let url = Url::parse(link).map_err(|_| foreign("no address at all".to_owned()))?;
    if is_below(root, &url) {
        Ok(url)
    } else {
        Err(foreign(http::host(&url)))
    }
}

/// Whether an address belongs to the API of the root.
pub(crate) fn is_below(root: &Url, url: &Url) -> bool {
    url.username().is_empty()
        && url.password().is_none()
        && http::same_origin(root, url)
        && below(root, url).is_some()
}

/// The path below the root, with version, when it is one of the two versions.
fn below(root: &Url, url: &Url) -> Option<String> {
    let path = url.path().strip_prefix(root.path().trim_end_matches('/'))?;
    (path.starts_with("/v1.0/") || path.starts_with("/beta/")).then(|| path.to_owned())
}
