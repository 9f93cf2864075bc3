//! Collection: every resource that a rule needs is asked for once, and how that ended is written down.
//!
//! Rows go to a [`Sink`], page by page as they come; a resource that is refused or breaks off becomes the state of its section,
//! never the end of the run. What the rows are for is not known here, and nothing is judged.

mod per_object;
mod requests;

use std::collections::BTreeSet;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use crate::graph::{Answer, Effort, ErrorKind, GraphClient, GraphError, Page};
use crate::snapshot::tenant::RowError;
use crate::snapshot::{Guid, Record, Resource, SnapshotError, State, Tenant};

/// Where rows go.
pub trait Sink {
    /// One page of a resource. `of` is the object that a per-object page belongs to; `next` the link that follows it.
    fn page(
        &mut self,
        resource: Resource,
        of: Option<Guid>,
        rows: &[Box<RawValue>],
        next: Option<&str>,
    ) -> Result<(), SinkError>;

    /// A resource's reading begins.
    fn begin(&mut self, resource: Resource);

    /// A resource's reading has ended; [`Record::count`] is filled in by the sink, which saw the rows.
    fn end(&mut self, resource: Resource, record: Record);

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
#[derive(Debug, Clone)]
pub struct Ask {
    /// The resources that are wanted; some are asked only when others show that there is something to ask.
    pub resources: BTreeSet<Resource>,
    /// When the collection began: windows such as "alerts of 90 days" are counted from here.
    pub now: Timestamp,
    /// How many days back alerts are read.
    pub alert_days: u32,
    /// Declared emergency access accounts (ids or UPNs), whose methods are read where no report tells.
    pub emergency_accounts: Vec<String>,
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
        rows: Vec<Box<RawValue>>,
        count: Option<u64>,
        next: Option<String>,
        effort: Effort,
    },
    End {
        resource: Resource,
        state: State,
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
) -> Result<(), CollectError> {
    probe(client).await?;
    let mut ledger = Ledger::default();
    let (singles, lists): (Vec<_>, Vec<_>) = ask
        .resources
        .iter()
        .copied()
        .filter(|resource| !resource.is_per_object() && !requests::is_conditional(*resource))
        .partition(|&resource| requests::fits_a_batch(resource));
    let first = |tell: mpsc::Sender<Told>| async move {
        let reading = FuturesUnordered::new();
        for resource in lists {
            reading.push(read_list(client, resource, ask, tell.clone()));
        }
        futures_util::future::join(
            read_singles(client, singles, ask, tell),
            reading.collect::<()>(),
        )
        .await;
    };
    pump(sink, &mut ledger, first).await?;
    per_object::collect(client, ask, sink, &mut ledger).await
}

/// The first request decides whether there is any point in the others: a proxy, a captive portal or a wrong host
/// answers all of them alike.
async fn probe(client: &GraphClient) -> Result<(), CollectError> {
    match client
        .get(&requests::query(
            Resource::Organization,
            Timestamp::UNIX_EPOCH,
            0,
        ))
        .await
    {
        Err(error @ GraphError::SignIn(_)) => Err(CollectError::Graph(error)),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::Network
                    | ErrorKind::Protocol
                    | ErrorKind::Unauthorized
                    | ErrorKind::Server
            ) =>
        {
            Err(CollectError::Graph(error))
        }
        _ => Ok(()),
    }
}

/// Runs the readers and feeds the sink with what they tell.
async fn pump<F: Future<Output = ()>>(
    sink: &mut dyn Sink,
    ledger: &mut Ledger,
    readers: impl FnOnce(mpsc::Sender<Told>) -> F,
) -> Result<(), CollectError> {
    let (tell, mut told) = mpsc::channel(PAGES_IN_FLIGHT);
    let reading = readers(tell);
    let feeding = async move {
        while let Some(message) = told.recv().await {
            ledger.take(message, sink)?;
        }
        Ok(())
    };
    // When the sink fails the receiver is dropped and the readers stop at their next word.
    let (fed, ()) = futures_util::future::join(feeding, reading).await;
    fed
}

async fn read_singles(
    client: &GraphClient,
    resources: Vec<Resource>,
    ask: &Ask,
    tell: mpsc::Sender<Told>,
) {
    let queries = resources
        .iter()
        .map(|&resource| requests::query(resource, ask.now, ask.alert_days))
        .collect();
    for &resource in &resources {
        let _ = tell.send(Told::Begin(resource)).await;
    }
    for (&resource, answer) in resources.iter().zip(client.batch(queries).await) {
        let () = tell_answer(client, resource, None, answer, &tell)
            .await
            .end(resource, &tell)
            .await;
    }
}

async fn read_list(client: &GraphClient, resource: Resource, ask: &Ask, tell: mpsc::Sender<Told>) {
    let _ = tell.send(Told::Begin(resource)).await;
    let query = requests::query(resource, ask.now, ask.alert_days);
    let pages = client.pages(query.clone());
    let mut ended = tell_pages(pages, resource, None, Ended::default(), &tell).await;
    if ended.shortfall().is_some() {
        // Rows were left out, or objects were deleted while the list was read: a second count tells which.
        if let Some(Ok(Page {
            count: Some(again),
            effort,
            ..
        })) = client.pages(query.top(1)).next().await
        {
            ended.of = ended.of.map(|of| of.min(again));
            ended.effort += effort;
        }
    }
    ended.end(resource, &tell).await;
}

/// How one reading ended.
#[derive(Default)]
struct Ended {
    error: Option<GraphError>,
    /// Whether a page had come before the error.
    begun: bool,
    /// Rows that came.
    read: u64,
    /// Rows that Graph counted (`@odata.count`), where it was asked to.
    of: Option<u64>,
    /// What was spent beside the pages.
    effort: Effort,
}

impl Ended {
    /// The end of a reading of which nothing came.
    fn refused(error: GraphError) -> Self {
        Self {
            error: Some(error),
            ..Self::default()
        }
    }

    /// A list that ends before the rows that Graph counted is not whole, however smoothly it ended. More rows than counted are
    /// no sign of a loss: the count comes from an index that lags behind.
    fn shortfall(&self) -> Option<String> {
        let of = self
            .of
            .filter(|&of| self.error.is_none() && self.read < of)?;
        let read = self.read;
        Some(format!(
            "the list ended after {read} of the {of} rows that Graph counted"
        ))
    }

    async fn end(self, resource: Resource, tell: &mpsc::Sender<Told>) {
        let mut effort = spent(self.error.as_ref());
        effort += self.effort;
        let state = match (&self.error, self.shortfall()) {
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
        };
        let _ = tell
            .send(Told::End {
                resource,
                state,
                effort,
            })
            .await;
    }
}

/// What a request that failed cost; successful ones say it with their page.
fn spent(error: Option<&GraphError>) -> Effort {
    let tries = match error {
        None => 0,
        Some(GraphError::Network { tries, .. }) => *tries,
        Some(error) => error.refusal().map_or(1, |refusal| refusal.tries),
    };
    Effort {
        requests: tries,
        retries: tries.saturating_sub(1),
    }
}

async fn tell_answer(
    client: &GraphClient,
    resource: Resource,
    of: Option<Guid>,
    answer: Result<Answer, GraphError>,
    tell: &mpsc::Sender<Told>,
) -> Ended {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Ended::refused(error),
    };
    let (effort, next, count) = (answer.effort, answer.next(), counted(&answer));
    let rows = if requests::is_collection(resource) {
        answer.rows()
    } else {
        Ok(vec![answer.body])
    };
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => return Ended::refused(error),
    };
    let begun = Ended {
        begun: true,
        read: rows.len() as u64,
        of: count,
        ..Ended::default()
    };
    let follow = next.filter(|_| requests::goes_on(resource));
    let _ = tell
        .send(Told::Rows {
            resource,
            of,
            rows,
            count,
            next: follow.clone(),
            effort,
        })
        .await;
    match follow {
        None => begun,
        Some(link) => tell_pages(client.follow(&link), resource, of, begun, tell).await,
    }
}

/// `@odata.count` of a first page that came as a single answer.
fn counted(answer: &Answer) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct Counted {
        #[serde(rename = "@odata.count")]
        count: Option<u64>,
    }
    let counted: Counted = serde_json::from_str(answer.body.get()).ok()?;
    counted.count
}

/// Tells the pages as they come; `ended` is what came before them.
async fn tell_pages(
    mut pages: crate::graph::Pages,
    resource: Resource,
    of: Option<Guid>,
    mut ended: Ended,
    tell: &mpsc::Sender<Told>,
) -> Ended {
    while let Some(page) = pages.next().await {
        match page {
            Err(error) => ended.error = Some(error),
            Ok(Page {
                rows,
                count,
                next,
                effort,
            }) => {
                ended.begun = true;
                ended.read += rows.len() as u64;
                // Only the first page tells; a link that carries the question on would have it counted twice.
                let count = count.filter(|_| ended.of.is_none());
                ended.of = ended.of.or(count);
                if tell
                    .send(Told::Rows {
                        resource,
                        of,
                        rows,
                        count,
                        next,
                        effort,
                    })
                    .await
                    .is_err()
                {
                    break;
                }
            }
        }
    }
    ended
}

/// What a failed reading means for its section.
fn state_of(resource: Resource, error: &GraphError) -> State {
    let text = error.to_string().into();
    match error.kind() {
        ErrorKind::Forbidden => State::Forbidden {
            permission: resource.permission(),
            error: text,
        },
        ErrorKind::NotLicensed => State::NotLicensed { error: text },
        _ => State::Failed { error: text },
    }
}

/// What each resource has cost so far, and whether one of its rows could not be read.
#[derive(Default)]
struct Ledger {
    open: std::collections::BTreeMap<Resource, Record>,
    unreadable: std::collections::BTreeMap<Resource, String>,
}

impl Ledger {
    fn take(&mut self, message: Told, sink: &mut dyn Sink) -> Result<(), CollectError> {
        match message {
            Told::Begin(resource) => {
                self.open.entry(resource).or_default();
                sink.begin(resource);
            }
            Told::Rows {
                resource,
                of,
                rows,
                count,
                next,
                effort,
            } => {
                self.charge(resource, effort);
                let record = self.open.entry(resource).or_default();
                // One list has one count, lists by object have one each.
                record.expected = match (record.expected, count) {
                    (Some(earlier), Some(more)) => Some(earlier.saturating_add(more)),
                    (earlier, count) => earlier.or(count),
                };
                if self.unreadable.contains_key(&resource) {
                    return Ok(());
                }
                match sink.page(resource, of, &rows, next.as_deref()) {
                    Ok(()) => {}
                    Err(SinkError::Row(error)) => {
                        drop(self.unreadable.insert(resource, error.to_string()));
                    }
                    Err(SinkError::File(error)) => return Err(error.into()),
                }
            }
            Told::End {
                resource,
                state,
                effort,
            } => {
                self.charge(resource, effort);
                self.end(resource, state, sink);
            }
        }
        Ok(())
    }

    fn charge(&mut self, resource: Resource, effort: Effort) {
        let record = self.open.entry(resource).or_default();
        record.requests += u64::from(effort.requests);
        record.retries += u64::from(effort.retries);
    }

    fn end(&mut self, resource: Resource, state: State, sink: &mut dyn Sink) {
        let mut record = self.open.remove(&resource).unwrap_or_default();
        record.state = match self.unreadable.remove(&resource) {
            Some(error) => State::Failed {
                error: error.into(),
            },
            None => state,
        };
        sink.end(resource, record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fewer_rows_than_counted_are_a_shortfall() {
        let ended = |read, of| Ended {
            begun: true,
            read,
            of,
            ..Ended::default()
        };
        assert_eq!(ended(0, None).shortfall(), None, "nobody counted");
        assert_eq!(ended(7, Some(7)).shortfall(), None);
        assert_eq!(ended(8, Some(7)).shortfall(), None, "the count lags behind");
        assert_eq!(
            ended(6, Some(7)).shortfall().unwrap(),
            "the list ended after 6 of the 7 rows that Graph counted"
        );
    }
}
