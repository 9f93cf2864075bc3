//! The client: one object, a collection, a batch. Nothing that changes a tenant can be expressed here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, Url};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use super::batch::{self, Answers};
use super::budget::RunBudget;
use super::clock::Clock;
use super::error::{self, GraphError};
use super::http;
use super::odata::Query;
use super::pace::{Gates, Pace, Service};
use super::page::{self, Pages};
use super::report;
use super::retry::{self, Body, Call, Unreadable};
use crate::auth::{Renewal, TokenSource};
use crate::json;

/// What an answer cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effort {
    /// Requests sent, repetitions included. A part of a batch counts as one.
    pub requests: u32,
    /// Requests that were repetitions.
    pub retries: u32,
}

impl std::ops::AddAssign for Effort {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.retries += other.retries;
    }
}

/// The answer to one request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Path of the request with version, without options.
    pub path: String,
    /// The JSON as it came; `null` for an empty answer.
    pub body: Box<RawValue>,
    /// What it cost.
    pub effort: Effort,
}

impl Answer {
    /// Reads the answer into a type. The error names the place in the document, not its content.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, GraphError> {
        serde_json::from_str(self.body.get()).map_err(|error| GraphError::Malformed {
            path: self.path.clone(),
            reason: format!(
                "unexpected content at {}",
                error::printable(&json::place(self.body.get(), &error), 100)
            ),
        })
    }

    /// The rows of a collection; [`GraphError::NotACollection`] when there is no `value` list.
    pub fn rows(&self) -> Result<Vec<Box<RawValue>>, GraphError> {
        #[derive(Deserialize)]
        struct Rows {
            value: Vec<Box<RawValue>>,
        }
        serde_json::from_str::<Rows>(self.body.get())
            .map(|rows| rows.value)
            .map_err(|_| GraphError::NotACollection {
                path: self.path.clone(),
            })
    }

    /// `@odata.count`: rows in all pages, where it was asked for.
    pub fn count(&self) -> Option<u64> {
        #[derive(Deserialize)]
        struct Counted {
            #[serde(rename = "@odata.count")]
            count: Option<u64>,
        }
        serde_json::from_str::<Counted>(self.body.get()).ok()?.count
    }

    /// The link to the next page of a collection, for [`GraphClient::follow`]; `None` on the last page.
    pub fn next(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Next {
            #[serde(rename = "@odata.nextLink")]
            next: Option<String>,
        }
        serde_json::from_str::<Next>(self.body.get())
            .ok()
            .and_then(|body| body.next)
    }
}

/// What happens while requests run, for a progress display or a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An answer was read to its end, whatever its status.
    Finished {
        /// Service that answered.
        service: Service,
        /// Path with version, without options.
        path: &'a str,
        /// HTTP status.
        status: u16,
        /// From sending to the end of the answer.
        duration: Duration,
    },
    /// A request will be repeated.
    Retry {
        /// Service that is asked.
        service: Service,
        /// Path with version, without options.
        path: &'a str,
        /// HTTP status; `None` when no complete answer arrived.
        status: Option<u16>,
        /// Which repetition it will be, from 1.
        attempt: u32,
        /// Time until then.
        wait: Duration,
    },
}

/// Somebody who wants to know what the client does.
pub trait Observer: Send + Sync {
    /// Called from the tasks that read; must be quick and must not block.
    fn event(&self, event: Event<'_>);
}

/// Reads Microsoft Graph. Clones share connections, token, and pace.
#[derive(Clone)]
pub struct GraphClient {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) http: Client,
    pub(crate) root: Url,
    pub(crate) tokens: Arc<dyn TokenSource>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) pace: Pace,
    pub(crate) gates: Gates,
    /// Repetitions that are left to all requests of this client.
    pub(crate) budget: RunBudget,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

impl fmt::Debug for GraphClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphClient")
            .field("root", &self.inner.root.as_str())
            .finish_non_exhaustive()
    }
}

impl GraphClient {
    /// A client for the Graph at `root` (see [`http::root`] and [`http::client`]).
    ///
    /// [`GraphError::InsecureRoot`]: `root` is neither `https` nor this machine.
    pub fn new(
        http: Client,
        root: Url,
        tokens: Arc<dyn TokenSource>,
        clock: Arc<dyn Clock>,
        pace: Pace,
    ) -> Result<Self, GraphError> {
        Self::observed(http, root, tokens, clock, pace, None)
    }

    /// As [`GraphClient::new`], with somebody who is told of each request.
    pub fn observed(
        http: Client,
        root: Url,
        tokens: Arc<dyn TokenSource>,
        clock: Arc<dyn Clock>,
        pace: Pace,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self, GraphError> {
        if !http::is_allowed(&root) {
            return Err(GraphError::InsecureRoot {
                host: http::host(&root),
            });
        }
        let gates = Gates::new(&pace);
        let inner = Inner {
            http,
            root,
            tokens,
            clock,
            pace,
            gates,
            budget: RunBudget::new(),
            observer,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The clock that it waits by.
    pub fn clock(&self) -> &dyn Clock {
        self.inner.clock.as_ref()
    }

    /// How many requests to the identity service, which has the long lists, are in flight at best; at least 1.
    pub fn streams(&self) -> usize {
        self.inner.pace.limit(Service::Identity).concurrency.max(1)
    }

    /// Tells how many users the tenant has: the quota of the identity service depends on it (3,500 units per 10 s below 50 users,
    /// 5,000 up to 500, 8,000 above). The smallest is kept to until then.
    ///
    /// A list of all users that was asked to [count](Query::count) tells by itself.
    pub fn learn_users(&self, users: u64) {
        self.inner.gates.learn_users(users, self.inner.clock.now());
    }

    /// Reads one object (or the first page of a collection, see [`Answer::rows`]).
    pub async fn get(&self, query: &Query) -> Result<Answer, GraphError> {
        let call = self.inner.call(query)?;
        let reply = retry::send(&self.inner, &call, Renewal::IfNeeded, |body| {
            read_object(body)
        })
        .await?;
        Ok(Answer {
            path: call.path,
            body: reply.content,
            effort: reply.effort,
        })
    }

    /// Reads a collection page by page, to the end of its links. The stream ends after the first error.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "callers build the query in place, and a stream that outlives it says so by taking it"
    )]
    pub fn pages(&self, query: Query) -> Pages {
        page::pages(self.clone(), &query)
    }

    /// Reads a usage report, which Graph answers with the address of a CSV file: rows as objects of texts with these columns
    /// under Graph's names (`Send Count` is `sendCount`). The file's host gets no token.
    #[allow(clippy::needless_pass_by_value, reason = "as for pages")]
    pub fn report(&self, query: Query, columns: &'static [&'static str]) -> Pages {
        report::report(self.clone(), &query, columns)
    }

    /// Goes on from a next link of an earlier answer. The link is checked like any other.
    pub fn follow(&self, next_link: &str) -> Pages {
        page::follow(self.clone(), next_link)
    }

    /// Reads many small objects in few round trips; results in the order of the queries.
    ///
    /// Requests of one service and version share a batch, twenty at most. Services with a limit per second are asked
    /// one by one: twenty at once would only be refused.
    pub async fn batch(&self, queries: Vec<Query>) -> Vec<Result<Answer, GraphError>> {
        batch::run(self, queries).await
    }

    /// As [`GraphClient::batch`], for any number: each answer is told as soon as it is there, with what its query was marked with, and
    /// further batches start as others end. To be called within a tokio runtime.
    pub fn answers<T: Send + Sync + 'static>(
        &self,
        queries: impl Iterator<Item = (T, Query)> + Send + 'static,
    ) -> Answers<T> {
        batch::answers(self.clone(), queries)
    }
}

impl Inner {
    /// The call for a query.
    pub(crate) fn call(&self, query: &Query) -> Result<Call, GraphError> {
        let path = query.path();
        let invalid = || GraphError::InvalidQuery {
            path: error::printable(&path, 200),
        };
        if query.is_broken() {
            return Err(invalid());
        }
        let base = self.root.as_str().trim_end_matches('/');
        let text = format!("{base}{}{}", query.version().segment(), query.relative());
        let url = Url::parse(&text).map_err(|_| invalid())?;
        if !page::is_below(&self.root, &url) {
            return Err(invalid());
        }
        let toll = query.toll();
        Ok(Call {
            url,
            eventual: query.is_eventual(),
            service: toll.service,
            units: toll.units,
            path: error::printable(&path, 200),
            batch: None,
            expects_location: false,
        })
    }

    pub(crate) fn notify(&self, event: Event<'_>) {
        if let Some(observer) = &self.observer {
            observer.event(event);
        }
    }
}

/// Reads any JSON; an object with `error` and without `value` is a refusal in disguise.
pub(crate) fn read_object(body: &Bytes) -> Result<Body<Box<RawValue>>, Unreadable> {
    #[derive(Deserialize)]
    struct Probe {
        error: Option<IgnoredAny>,
        value: Option<IgnoredAny>,
    }
    let content: Box<RawValue> = serde_json::from_slice(body)?;
    if let Ok(Probe {
        error: Some(_),
        value: None,
    }) = serde_json::from_str(content.get())
    {
        return Ok(Body::Refused);
    }
    Ok(Body::Content(content))
}
