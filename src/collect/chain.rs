//! One chain of pages, read to its end: what is wrong with it is found here.

use std::collections::HashSet;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::shard::{self, Partition};
use super::{Ask, Told};
use crate::graph::{Effort, ErrorKind, GraphClient, GraphError, Page, Pages, Query};
use crate::snapshot::file::ChainSoFar;
use crate::snapshot::{Guid, Resource, Shard, State};

/// What the reading tasks share.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) client: GraphClient,
    pub(super) ask: Arc<Ask>,
    pub(super) tell: mpsc::Sender<Told>,
    /// Places for parts of lists: fewer than there are streams, so that what can only be read page after page never queues
    /// behind what can be read side by side.
    pub(super) places: Arc<Semaphore>,
}

impl Reader {
    /// Tells that a resource's reading begins.
    pub(super) async fn begin(&self, resource: Resource) {
        let _ = self.tell.send(Told::Begin(resource)).await;
    }

    /// Tells how a resource's reading ended; `of` as in [`Told::End`].
    pub(super) async fn end(
        &self,
        resource: Resource,
        state: State,
        of: Option<u64>,
        effort: Effort,
    ) {
        let told = Told::End {
            resource,
            state,
            of,
            effort,
        };
        let _ = self.tell.send(told).await;
    }

    /// How many different rows of a resource have been taken in, counted after all that was told before.
    pub(super) async fn taken(&self, resource: Resource) -> u64 {
        let (reply, answer) = oneshot::channel();
        let _ = self.tell.send(Told::Count { resource, reply }).await;
        answer.await.unwrap_or_default()
    }
}

/// Why a chain was not read to its end.
#[derive(Debug, Clone)]
pub(super) enum Broken {
    /// A request failed.
    Graph(GraphError),
    /// The rows are not those that were asked for.
    Rows(&'static str),
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Graph(error) => error.fmt(f),
            Self::Rows(what) => f.write_str(what),
        }
    }
}

impl Broken {
    /// Whether reading the chain anew from its start may help: requests were repeated already, so what is left is a chain that
    /// went wrong on the way.
    fn is_mended_by_a_restart(&self) -> bool {
        match self {
            Self::Rows(_) | Self::Graph(GraphError::ExpiredPageToken(_)) => true,
            // An error under status 200 is no refusal that anybody meant.
            Self::Graph(error) => {
                error.kind() == ErrorKind::Protocol || error.status() == Some(200)
            }
        }
    }
}

/// How one chain ended.
#[derive(Default)]
pub(super) struct Ended {
    pub(super) error: Option<Broken>,
    /// Whether a page had come before the error.
    pub(super) begun: bool,
    /// Whether such a page came in this reading, and not only in an earlier run.
    came: bool,
    /// Different rows that came.
    pub(super) read: u64,
    /// Rows that Graph counted (`@odata.count`), where it was asked to.
    pub(super) of: Option<u64>,
    /// What was spent beside the pages that were told.
    pub(super) effort: Effort,
}

impl Ended {
    /// The end of a reading of which nothing came.
    pub(super) fn refused(error: GraphError) -> Self {
        let effort = spent(&error);
        Self {
            error: Some(Broken::Graph(error)),
            effort,
            ..Self::default()
        }
    }

    /// The end that a chain came to in an earlier run; `None` where that run did not bring all of it.
    pub(super) fn earlier(chain: &ChainSoFar) -> Option<Self> {
        chain.is_whole().then(|| Self {
            begun: true,
            read: chain.read,
            of: chain.count,
            ..Self::default()
        })
    }

    /// The first page of an answer.
    pub(super) fn with_page(rows: u64, count: Option<u64>) -> Self {
        Self {
            begun: true,
            came: true,
            read: rows,
            of: count,
            ..Self::default()
        }
    }

    /// Whether reading the chain anew from its start may help.
    fn is_mended_by_a_restart(&self) -> bool {
        self.begun
            && match &self.error {
                Some(error) => error.is_mended_by_a_restart(),
                None => self.shortfall().is_some(),
            }
    }

    /// Whether a link was refused at once, as one is that has lost its meaning.
    fn is_of_a_dead_link(&self) -> bool {
        !self.came
            && matches!(&self.error, Some(Broken::Graph(error)) if matches!(error.status(), Some(400 | 404 | 410)))
    }

    /// Of two readings of a chain the second, unless it could not begin: then it tells less than the first.
    fn or(self, again: Self) -> Self {
        let mut effort = self.effort;
        effort += again.effort;
        let told = if again.begun { again } else { self };
        Self { effort, ..told }
    }

    /// What Graph does not find is not there: read, and empty.
    pub(super) fn forgive_absence(&mut self) -> bool {
        let absent = matches!(&self.error, Some(Broken::Graph(error)) if error.kind() == ErrorKind::NotFound);
        if absent && !self.begun {
            self.error = None;
            self.of = Some(0);
        }
        absent && !self.begun
    }

    /// A list that ends before the rows that Graph counted is not whole, however smoothly it ended. More rows than counted are
    /// no sign of a loss: the count comes from an index that lags behind.
    pub(super) fn shortfall(&self) -> Option<String> {
        let of = self
            .of
            .filter(|&of| self.error.is_none() && self.read < of)?;
        Some(shortfall(self.read, of))
    }

    /// The state of a resource that this chain is all of.
    pub(super) fn state(&self, resource: Resource) -> State {
        match (&self.error, self.shortfall()) {
            (None, None) => State::Collected,
            (None, Some(shortfall)) => State::Partial {
                of: self.of,
                error: shortfall.into(),
            },
            (Some(error), _) if self.begun => State::Partial {
                of: self.of,
                error: error.to_string().into(),
            },
            (Some(error), _) => state_of(resource, error),
        }
    }
}

/// The words for rows that were counted and did not come.
pub(super) fn shortfall(read: u64, of: u64) -> String {
    format!("the list ended after {read} of the {of} rows that Graph counted")
}

/// What a failed reading means for its section.
pub(super) fn state_of(resource: Resource, error: &Broken) -> State {
    let text = error.to_string().into();
    let Broken::Graph(error) = error else {
        return State::Failed { error: text };
    };
    match error.kind() {
        ErrorKind::Forbidden => State::Forbidden {
            permission: resource.permission(),
            error: text,
        },
        ErrorKind::NotLicensed => State::NotLicensed { error: text },
        _ => State::Failed { error: text },
    }
}

/// What a request that failed cost; successful ones say it with their page.
pub(super) fn spent(error: &GraphError) -> Effort {
    let tries = match error {
        GraphError::Network { tries, .. } => *tries,
        error => error.refusal().map_or(1, |refusal| refusal.tries),
    };
    Effort {
        requests: tries,
        retries: tries.saturating_sub(1),
    }
}

/// One chain of pages.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub(super) resource: Resource,
    /// The object whose list it is.
    pub(super) of: Option<Guid>,
    /// The part of the list that it is, with what the rows are told apart by.
    pub(super) part: Option<(Partition, Shard)>,
}

impl Chain {
    /// The whole list of a resource.
    pub(super) const fn whole(resource: Resource) -> Self {
        Self {
            resource,
            of: None,
            part: None,
        }
    }

    fn shard(&self) -> Option<&Shard> {
        self.part.as_ref().map(|(_, shard)| shard)
    }

    /// Reads from the first page to the last; a chain that goes wrong on the way is read once more from its start.
    ///
    /// `first` is a beginning that is there already: pages that go on where an earlier run stopped, or whose first one was looked at.
    pub(super) async fn read(&self, reader: &Reader, query: &Query, first: Option<Start>) -> Ended {
        let start = || Start {
            pages: reader.client.pages(query.clone()),
            read: None,
            of: None,
            is_old: false,
        };
        let first = first.unwrap_or_else(start);
        let is_old = first.is_old;
        let mut ended = self.follow(reader, first).await;
        if is_old && ended.is_of_a_dead_link() {
            // Links of pages do not live for ever: nothing of this reading went wrong yet.
            ended = ended.or(self.follow(reader, start()).await);
        }
        if ended.is_mended_by_a_restart() {
            ended = ended.or(self.follow(reader, start()).await);
        }
        ended
    }

    /// Goes on where an earlier run stopped; reads a chain anew that ended there before all its rows had come.
    pub(super) async fn go_on(&self, reader: &Reader, query: &Query, so_far: &ChainSoFar) -> Ended {
        if let Some(ended) = Ended::earlier(so_far) {
            return ended;
        }
        let start = Start::old(reader, so_far);
        let mut ended = self.read(reader, query, start).await;
        // Whatever became of it now: pages of it are there.
        ended.begun = true;
        ended
    }

    /// Tells the pages as they come.
    pub(super) async fn follow(&self, reader: &Reader, start: Start) -> Ended {
        let Start {
            mut pages,
            read,
            of,
            ..
        } = start;
        let mut ended = Ended {
            begun: read.is_some(),
            read: read.unwrap_or_default(),
            of,
            ..Ended::default()
        };
        let mut ids = Ids::default();
        while let Some(page) = pages.next().await {
            let Page {
                rows,
                count,
                next,
                effort,
            } = match page {
                Ok(page) => page,
                Err(error) => {
                    ended.effort += spent(&error);
                    ended.error = Some(Broken::Graph(error));
                    break;
                }
            };
            let new = match self.check(&rows, &mut ids) {
                Ok(new) => new,
                Err(what) => {
                    ended.effort += effort;
                    ended.error = Some(Broken::Rows(what));
                    break;
                }
            };
            // Only the first page tells; a link that carries the question on would have it counted twice.
            let count = count.filter(|_| !ended.begun);
            ended.of = ended.of.or(count);
            (ended.begun, ended.came) = (true, true);
            ended.read += new;
            let told = Told::Rows {
                resource: self.resource,
                of: self.of,
                shard: self.shard().cloned(),
                rows,
                count,
                next,
                effort,
            };
            if reader.tell.send(told).await.is_err() {
                break;
            }
        }
        ended
    }

    /// How many rows are new to this chain, or what is wrong with them.
    fn check(&self, rows: &[Box<RawValue>], ids: &mut Ids) -> Result<u64, &'static str> {
        let mut new = 0;
        for row in rows {
            let Ok(marks) = serde_json::from_str::<Marks<'_>>(row.get()) else {
                // Not an object with these members: whoever reads it as its type says so.
                new += 1;
                continue;
            };
            if let Some((partition, shard)) = &self.part
                && let Some(key) = marks.key(partition.property())
                && shard::holds(shard, &key) == Some(false)
            {
                return Err("rows came that the filter of the request excludes");
            }
            new += u64::from(marks.id.is_none_or(|id| ids.insert(id.get())));
        }
        if new == 0 && !rows.is_empty() && self.of.is_none() {
            return Err("a page came whose rows had all come before");
        }
        Ok(new)
    }
}

/// Where the reading of a chain begins.
pub(super) struct Start {
    pub(super) pages: Pages,
    /// Rows that were read before these pages; `None` at the beginning of the chain.
    pub(super) read: Option<u64>,
    /// Rows that Graph counted when they were.
    pub(super) of: Option<u64>,
    /// Whether an earlier run was given the link, so that it may lead nowhere by now.
    pub(super) is_old: bool,
}

impl Start {
    /// Where an earlier run stopped; `None` where it had come to the end.
    pub(super) fn old(reader: &Reader, so_far: &ChainSoFar) -> Option<Self> {
        Some(Self {
            pages: reader.client.follow(so_far.next.as_deref()?),
            read: Some(so_far.read),
            of: so_far.count,
            is_old: true,
        })
    }

    /// A chain whose first page was looked at already.
    pub(super) fn with(first: Page, rest: Pages) -> Self {
        Self {
            pages: stream::once(async { Ok(first) }).chain(rest).boxed(),
            read: None,
            of: None,
            is_old: false,
        }
    }
}

/// Ids that a chain has brought, as keyed hashes of 64 bits: that two of a million ids fall together has a chance of one in
/// thirty million, and would show as a row too few, never as one too many.
#[derive(Default)]
struct Ids {
    seen: HashSet<u64, foldhash::fast::FixedState>,
    hasher: foldhash::fast::RandomState,
}

impl Ids {
    fn insert(&mut self, id: &str) -> bool {
        self.seen.insert(self.hasher.hash_one(id))
    }
}

/// What tells rows apart; texts as they stand in the JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marks<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    user_principal_name: Option<&'a RawValue>,
    #[serde(borrow)]
    display_name: Option<&'a RawValue>,
    #[serde(borrow)]
    device_id: Option<&'a RawValue>,
    #[serde(borrow)]
    consent_type: Option<&'a RawValue>,
}

impl Marks<'_> {
    fn key(&self, property: &str) -> Option<String> {
        let text = match property {
            "userPrincipalName" => self.user_principal_name,
            "displayName" => self.display_name,
            "deviceId" => self.device_id,
            "consentType" => self.consent_type,
            _ => None,
        };
        serde_json::from_str(text?.get()).ok()
    }
}

/// The keys of rows, in the order in which they came.
pub(super) fn keys(rows: &[Box<RawValue>], property: &str) -> Vec<String> {
    rows.iter()
        .filter_map(|row| {
            serde_json::from_str::<Marks<'_>>(row.get())
                .ok()?
                .key(property)
        })
        .collect()
}
