//! Collection: every resource that a rule needs is asked for once, and how that ended is written down.
//!
//! Rows go to a [`Sink`], page by page as they come; a resource that is refused or breaks off becomes the state of its section,
//! never the end of the run. What the rows are for is not known here, and nothing is judged.
//!
//! - `requests`: what exactly is asked for each resource
//! - `shape`: what is known of the answers beforehand
//! - `list`, `shard`, `chain`: reading one list whole: in one chain, or in parts side by side, each checked against counts
//! - `answers`: many short answers in few round trips
//! - `groups`: what can be left out or added by name
//! - `per_object`: what is asked object by object, as soon as it is known which objects
//! - `preview`: the few requests of a look before anything is collected
//! - `ledger`: what each resource has cost, and how it ended

mod answers;
mod chain;
mod groups;
mod ledger;
mod list;
mod per_object;
mod preview;
mod requests;
mod rows;
mod shape;
mod shard;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::Either;
use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::{Id, JoinSet};

use crate::graph::{Effort, ErrorKind, GraphClient, GraphError};
use crate::snapshot::tenant::RowError;
use crate::snapshot::{Earlier, Guid, Page, Record, Resource, Shard, SnapshotError, State, Tenant};
use chain::Reader;
pub use groups::{Group, UnknownGroup, choose};
use ledger::Ledger;
pub use preview::preview;
pub use requests::{Request, describe};

/// Where rows go.
pub trait Sink {
    /// One page of a resource.
    fn page(&mut self, page: &Page<'_>) -> Result<(), SinkError>;

    /// A resource's reading begins.
    fn begin(&mut self, resource: Resource);

    /// A resource's reading has ended; [`Record::count`] is filled in by the sink, which saw the rows.
    fn end(&mut self, resource: Resource, record: Record) -> Result<(), SinkError>;

    /// How many different rows of a resource were taken in.
    fn count(&self, resource: Resource) -> u64;

    /// What has been read so far: some requests follow from the answers to others.
    fn tenant(&self) -> &Tenant;
}

/// A page could not be taken in.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// A row does not read as its type: the resource ends as failed.
    #[error(transparent)]
    Row(#[from] RowError),
    /// The snapshot file cannot be written: the run ends.
    #[error(transparent)]
    File(#[from] SnapshotError),
}

/// The collection could not go on.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// Graph itself could not be reached, or what answers is not Graph.
    #[error("could not read from Microsoft Graph")]
    Graph(#[source] GraphError),
    /// The snapshot file cannot be written.
    #[error(transparent)]
    File(#[from] SnapshotError),
}

/// What to ask for.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// The resources that are wanted; some are asked only when others show that there is something to ask.
    pub resources: BTreeSet<Resource>,
    /// When the collection began: windows such as "alerts of 90 days" are counted from here.
    pub now: Timestamp,
    /// How many days back alerts are read.
    pub alert_days: u32,
    /// Declared emergency access accounts (ids or UPNs), whose methods are read where no report tells.
    pub emergency_accounts: Vec<String>,
    /// The application (client) id that is signed in with: its own grants are read. `None`: not known.
    pub client_id: Option<Guid>,
    /// What an interrupted run has read already; the sink holds its rows.
    pub earlier: Earlier,
    /// After this long no more is asked, and what is still open ends as it is.
    pub timeout: Option<Duration>,
}

/// How the collection as a whole ended.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Graph can no longer be reached or no longer lets us in: whoever kept the rows can go on later.
    pub lost: Option<GraphError>,
}

/// Adds what has to be read first, so that it is known which objects to ask about.
pub fn with_needs(resources: &mut BTreeSet<Resource>) {
    let mut open: Vec<Resource> = resources.iter().copied().collect();
    while let Some(resource) = open.pop() {
        open.extend(
            per_object::needs(resource)
                .iter()
                .filter(|&&need| resources.insert(need)),
        );
    }
}

/// What the reading tasks tell the one that owns the sink.
enum Told {
    Begin(Resource),
    Rows {
        resource: Resource,
        of: Option<Guid>,
        shard: Option<Shard>,
        rows: Vec<Box<RawValue>>,
        count: Option<u64>,
        next: Option<String>,
        effort: Effort,
    },
    /// Something was spent without rows; `of` is an object that turned out to be gone.
    Spent {
        resource: Resource,
        of: Option<Guid>,
        effort: Effort,
    },
    /// There is nothing to ask for.
    Forget(Resource),
    /// How many different rows have been taken in so far?
    Count {
        resource: Resource,
        reply: oneshot::Sender<u64>,
    },
    End {
        resource: Resource,
        state: State,
        /// Rows that there are at least, by Graph's own count.
        of: Option<u64>,
        effort: Effort,
    },
}

/// Pages in flight between the readers and the sink: enough to keep both busy, few enough to bound memory.
const PAGES_IN_FLIGHT: usize = 32;

/// Reads everything that is asked for into the sink.
///
/// # Errors
/// Only what makes going on pointless: Graph unreachable at the first request, or a file that cannot be written.
pub async fn collect(
    client: &GraphClient,
    ask: &Ask,
    sink: &mut dyn Sink,
) -> Result<Outcome, CollectError> {
    let (tell, mut told) = mpsc::channel(PAGES_IN_FLIGHT);
    let reader = Reader {
        client: client.clone(),
        ask: Arc::new(ask.clone()),
        tell,
        places: Arc::new(Semaphore::new(list::parts_at_a_time(client.streams()))),
    };
    let mut run = Run {
        reader: Some(reader),
        ledger: Ledger::new(ask),
        kept: BTreeMap::new(),
        waiting: BTreeSet::new(),
        tasks: JoinSet::new(),
        reads: BTreeMap::new(),
    };
    run.begin_early();
    if let Err(error) = probe(client).await {
        run.tasks.shutdown().await;
        return Err(CollectError::Graph(error));
    }
    run.begin(sink)?;
    let mut deadline = match ask.timeout {
        Some(timeout) => Either::Left(client.clock().sleep(timeout)),
        None => Either::Right(std::future::pending()),
    };
    loop {
        run.start_what_can(sink)?;
        tokio::select! {
            biased;
            message = told.recv() => match message {
                Some(message) => run.ledger.take(message, sink)?,
                None => break,
            },
            Some(task) = run.tasks.join_next_with_id() => run.joined(task, sink)?,
            () = &mut deadline => {
                run.tasks.shutdown().await;
                run.ledger.close("it was not read within the time that --timeout gives", sink)?;
                return Ok(Outcome::default());
            }
        }
    }
    run.ledger.close("its reading was given up", sink)?;
    let mut outcome = Outcome::default();
    if run.ledger.has_lost_graph() {
        // One list that fails is a section that failed; nothing that answers any more is the end of the run.
        outcome.lost = probe(client).await.err();
    }
    Ok(outcome)
}

/// The first request decides whether there is any point in the others: a proxy, a captive portal or a wrong host
/// answers all of them alike.
async fn probe(client: &GraphClient) -> Result<(), GraphError> {
    let query = requests::query(Resource::Organization, Timestamp::UNIX_EPOCH, 0);
    match client.get(&query).await {
        Err(error)
            if matches!(error, GraphError::SignIn(_))
                || matches!(
                    error.kind(),
                    ErrorKind::Network
                        | ErrorKind::Protocol
                        | ErrorKind::Unauthorized
                        | ErrorKind::Server
                ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

/// What an earlier run has read to its end and nothing can add to. Where something is read again from which the objects to ask about
/// follow, there may be more of them.
fn kept(ask: &Ask) -> BTreeMap<Resource, Record> {
    let ended = |&resource: &Resource| Some((resource, ask.earlier.ended(resource)?.clone()));
    let mut kept: BTreeMap<Resource, Record> = ask.resources.iter().filter_map(ended).collect();
    loop {
        let is_open = |resource: &Resource| !kept.contains_key(resource);
        let open: BTreeSet<Resource> = ask.resources.iter().copied().filter(is_open).collect();
        let before = kept.len();
        kept.retain(|&resource, _| {
            per_object::waits_for(resource).all(|first| !open.contains(&first))
        });
        if kept.len() == before {
            return kept;
        }
    }
}

/// One collection under way.
struct Run {
    /// Handed to new readers; gone when there will be no more.
    reader: Option<Reader>,
    ledger: Ledger,
    /// What an earlier run has read to its end.
    kept: BTreeMap<Resource, Record>,
    /// What can be asked only after something else has ended.
    waiting: BTreeSet<Resource>,
    tasks: JoinSet<()>,
    /// What each task reads.
    reads: BTreeMap<Id, Vec<Resource>>,
}

impl Run {
    /// Starts what is asked once a second: in a small tenant that is the longest part, and it need not wait for the first request of
    /// all. What it tells waits in the channel until that is answered: where there is no Graph, nothing was read, and nothing failed.
    fn begin_early(&mut self) {
        let Some(reader) = self.reader.clone() else {
            return;
        };
        self.kept = kept(&reader.ask);
        for &resource in &reader.ask.resources {
            if self.starts_at_once(resource) && shape::is_paced_by_the_second(resource) {
                self.spawn_list(resource, &reader);
            }
        }
    }

    /// Ends what an earlier run has read to its end, and starts everything else that follows from nothing, the slowest first.
    fn begin(&mut self, sink: &mut dyn Sink) -> Result<(), CollectError> {
        let Some(reader) = self.reader.clone() else {
            return Ok(());
        };
        let ask = &reader.ask;
        let (now, later): (Vec<Resource>, Vec<_>) = ask
            .resources
            .iter()
            .filter(|resource| !self.kept.contains_key(resource))
            .partition(|&&resource| self.starts_at_once(resource));
        for (resource, record) in std::mem::take(&mut self.kept) {
            self.ledger.keep(resource, record, sink)?;
        }
        self.waiting.extend(later);
        // What an earlier run has begun goes on by itself: many of these rows have no id by which they would be known again.
        let (singles, mut lists): (Vec<_>, Vec<_>) = now.into_iter().partition(|&resource| {
            shape::fits_a_batch(resource) && ask.earlier.chains(resource, None).is_empty()
        });
        lists.retain(|&resource| !shape::is_paced_by_the_second(resource));
        // Reports are asked for every two seconds at best: whatever else there is to read is read beside them.
        lists.sort_by_key(|&resource| !shape::is_slow(resource));
        for resource in lists {
            self.spawn_list(resource, &reader);
        }
        if !singles.is_empty() {
            let reads = singles.clone();
            let reader = reader.clone();
            self.spawn(reads, async move {
                answers::read_singles(&reader, singles).await;
            });
        }
        Ok(())
    }

    /// Whether a resource is read, and follows from nothing.
    fn starts_at_once(&self, resource: Resource) -> bool {
        !self.kept.contains_key(&resource) && !per_object::follows(resource)
    }

    fn spawn_list(&mut self, resource: Resource, reader: &Reader) {
        let reader = reader.clone();
        self.spawn(vec![resource], async move {
            list::read(&reader, resource).await;
        });
    }

    /// Starts what waited for something that has ended by now.
    fn start_what_can(&mut self, sink: &mut dyn Sink) -> Result<(), CollectError> {
        let Some(reader) = self.reader.clone() else {
            return Ok(());
        };
        let ready: Vec<Resource> = self
            .waiting
            .iter()
            .copied()
            .filter(|&resource| {
                per_object::waits_for(resource).all(|first| !self.ledger.is_open(first))
            })
            .collect();
        for resource in ready {
            self.waiting.remove(&resource);
            match per_object::next(resource, sink.tenant(), &reader.ask) {
                Ok(work) => {
                    let reader = reader.clone();
                    self.spawn(vec![resource], async move {
                        per_object::read(&reader, resource, work).await;
                    });
                }
                Err(state) => {
                    sink.begin(resource);
                    self.ledger.end(resource, state, None, sink)?;
                }
            }
        }
        if self.waiting.is_empty() {
            self.reader = None;
        }
        Ok(())
    }

    fn spawn(&mut self, reads: Vec<Resource>, task: impl Future<Output = ()> + Send + 'static) {
        let handle = self.tasks.spawn(task);
        self.reads.insert(handle.id(), reads);
    }

    /// A task that broke down leaves what it was reading unread, and whatever waits for it must not wait for ever.
    fn joined(
        &mut self,
        task: Result<(Id, ()), tokio::task::JoinError>,
        sink: &mut dyn Sink,
    ) -> Result<(), CollectError> {
        match task {
            Ok((id, ())) => {
                self.reads.remove(&id);
                Ok(())
            }
            Err(error) => {
                let reads = self.reads.remove(&error.id()).unwrap_or_default();
                self.ledger.give_up(&reads, sink)
            }
        }
    }
}
