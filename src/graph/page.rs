//! Paging: from link to link, and only where the links may lead.
//!
//! Promises that a link to another host gets no token, that loops and repeated pages end the list with an
//! error, and that a collection ends only when Graph says so (an empty page with a link is not the end).

use std::collections::BTreeSet;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use reqwest::Url;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::client::{Effort, GraphClient};
use super::error::{self, GraphError};
use super::http;
use super::odata::Query;
use super::pace::Service;
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
    value: Option<Box<RawValue>>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(rename = "@odata.count")]
    count: Option<serde_json::Value>,
    error: Option<IgnoredAny>,
}

struct Content {
    rows: Vec<Box<RawValue>>,
    digest: Short,
    next: Option<String>,
    count: Option<u64>,
}

/// Half a SHA-256: enough to tell links and pages of one list apart.
type Short = [u8; 16];

struct Chain {
    client: GraphClient,
    /// The next request; `None` when the list is at its end.
    call: Option<Call>,
    seen: BTreeSet<Short>,
    last: Option<Short>,
}

pub(super) fn pages(client: GraphClient, query: &Query) -> Pages {
    let call = client.inner.call(query);
    chain(client, call)
}

pub(super) fn follow(client: GraphClient, next_link: &str) -> Pages {
    let root = &client.inner.root;
    let label = Url::parse(next_link).map_or_else(
        |_| "(no address)".to_owned(),
        |url| below(root, &url).unwrap_or_default(),
    );
    let label = error::printable(&label, 200);
    let call = checked(root, next_link, &label).map(|url| Call {
        // The header has to be repeated on each page; the link is the only witness of the first request.
        eventual: url
            .query_pairs()
            .any(|(name, value)| (name == "$count" && value == "true") || name == "$search"),
        service: match Service::of(&label) {
            Service::Identity
                if url
                    .query()
                    .is_some_and(|query| query.contains("signInActivity")) =>
            {
                Service::IdentityReports
            }
            service => service,
        },
        url,
        path: label,
        batch: None,
        expects_location: false,
    });
    chain(client, call)
}

fn chain(client: GraphClient, call: Result<Call, GraphError>) -> Pages {
    let start = call.map(|call| Chain {
        seen: BTreeSet::from([short(call.url.as_str().as_bytes())]),
        client,
        call: Some(call),
        last: None,
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
        digest,
        next,
        count,
    } = reply.content;
    if !rows.is_empty() {
        if chain.last == Some(digest) {
            return Err(GraphError::RepeatedPage { path: call.path });
        }
        chain.last = Some(digest);
    }
    if let Some(link) = &next {
        let url = checked(&inner.root, link, &call.path)?;
        if !chain.seen.insert(short(url.as_str().as_bytes())) {
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
    let Some(value) = wire.value else {
        return if wire.error.is_some() {
            Ok(Body::Refused)
        } else {
            Err(Unreadable::NoList)
        };
    };
    let rows = serde_json::from_str(value.get()).map_err(|_| Unreadable::NoList)?;
    Ok(Body::Content(Content {
        rows,
        digest: short(value.get().as_bytes()),
        next: wire.next,
        count: wire.count.and_then(|count| count.as_u64()),
    }))
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

fn short(bytes: &[u8]) -> Short {
    let mut half = Short::default();
    half.iter_mut()
        .zip(Sha256::digest(bytes))
        .for_each(|(to, from)| *to = from);
    half
}
