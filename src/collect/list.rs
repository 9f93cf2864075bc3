//! One list, read whole: as a single chain where it is short, in parts side by side where it is long.

use std::sync::Arc;

use futures_util::StreamExt as _;
use tokio::task::JoinSet;

use super::chain::{Broken, Chain, Ended, Reader, Start, shortfall, spent};
use super::shard::{self, Partition};
use super::{requests, shape};
use crate::graph::{Effort, ErrorKind, GraphError, Query, Service};
use crate::snapshot::file::ChainSoFar;
use crate::snapshot::{Resource, Shard, State};

/// A list of more pages than this is cut.
const SHORT: u64 = 4;
/// Parts are meant to be this long, in pages: long enough that their half-filled last pages cost little, short enough that
/// the last one to end does not keep the others waiting.
const PART: std::ops::RangeInclusive<u64> = 3..=10;
/// How often a part is cut again.
const DEPTH: u32 = 8;
/// A list whose parts are all whole and which is short of rows all the same is read once more in one chain, if it has no more pages.
const REREAD: u64 = 200;

/// Parts of all lists that are read at the same time: the streams, but for an eighth that is left to lists of a single chain.
pub(super) const fn parts_at_a_time(streams: usize) -> usize {
    let parts = streams - streams.div_ceil(8);
    if parts == 0 { 1 } else { parts }
}

/// Reads a list to its end and tells how it ended.
pub(super) async fn read(reader: &Reader, resource: Resource) {
    reader.begin(resource).await;
    let (state, of, effort) = read_rows(reader, resource).await;
    reader.end(resource, state, of, effort).await;
}

async fn read_rows(reader: &Reader, resource: Resource) -> (State, Option<u64>, Effort) {
    let query = requests::query(resource, reader.ask.now, reader.ask.alert_days);
    if let Some(columns) = shape::columns(resource) {
        let report = Start {
            pages: reader.client.report(query.clone(), columns),
            read: None,
            of: None,
            is_old: false,
        };
        let mut ended = Chain::whole(resource).follow(reader, report).await;
        let effort = std::mem::take(&mut ended.effort);
        return (ended.state(resource), ended.of, effort);
    }
    let earlier = reader.ask.earlier.chains(resource, None);
    let partition = requests::partition(resource);
    if let Some(partition) = partition
        && earlier.iter().any(|(shard, _)| shard.is_some())
    {
        return Parts::new(reader, resource, &query, partition)
            .go_on()
            .await;
    }
    let ended = if let Some((_, chain)) = earlier.first() {
        let whole = Chain::whole(resource);
        whole.go_on(reader, &query, chain).await
    } else {
        let mut pages = reader.client.pages(query.clone());
        match pages.next().await {
            None => Ended::default(),
            Some(Err(error)) => {
                let mut ended = Ended::refused(error);
                if shape::may_not_exist(resource) {
                    ended.forgive_absence();
                }
                ended
            }
            Some(Ok(first)) => {
                let (count, counting) = match partition {
                    Some(_) if first.next.is_some() && first.count.is_none() => {
                        recount(reader, resource, &query).await
                    }
                    _ => (first.count, Effort::default()),
                };
                let size = first.rows.len() as u64;
                if let Some(partition) = partition
                    && first.next.is_some()
                    && count.is_none_or(|count| count > SHORT * size)
                {
                    let parts = Parts::new(reader, resource, &query, partition);
                    let keys = super::chain::keys(&first.rows, partition.property());
                    let mut effort = first.effort;
                    effort += counting;
                    return parts.begin(count, size, &keys, effort).await;
                }
                let start = Start::with(first, pages);
                let whole = Chain::whole(resource);
                let mut ended = whole.read(reader, &query, Some(start)).await;
                ended.of = ended.of.or(count);
                ended.effort += counting;
                ended
            }
        }
    };
    settle(reader, resource, &query, ended).await
}

/// Rows were left out, or objects were deleted while the list was read: a second count tells which.
async fn settle(
    reader: &Reader,
    resource: Resource,
    query: &Query,
    mut ended: Ended,
) -> (State, Option<u64>, Effort) {
    if ended.shortfall().is_some() {
        let (again, effort) = recount(reader, resource, query).await;
        ended.effort += effort;
        ended.of = least(ended.of, again);
    }
    (ended.state(resource), ended.of, ended.effort)
}

/// How many rows there are now, where Graph says it.
async fn recount(reader: &Reader, resource: Resource, query: &Query) -> (Option<u64>, Effort) {
    let Some(counting) = requests::counting(resource, query) else {
        return (None, Effort::default());
    };
    match reader.client.pages(counting).next().await {
        Some(Ok(page)) => (page.count, page.effort),
        Some(Err(error)) => (None, spent(&error)),
        None => (None, Effort::default()),
    }
}

fn least(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// A list that is read in parts.
struct Parts<'a> {
    reader: &'a Reader,
    resource: Resource,
    query: &'a Query,
    partition: Partition,
    /// Pages that a part is meant to have.
    part: u64,
    running: JoinSet<Finished>,
    effort: Effort,
    error: Option<Broken>,
    /// Why the filter cannot be trusted, or is not understood.
    unfiltered: bool,
}

/// What became of one part.
struct Finished {
    shard: Shard,
    depth: u32,
    outcome: Outcome,
    effort: Effort,
}

enum Outcome {
    Ended(Ended),
    /// Longer than was thought: these instead.
    Split(Vec<Shard>),
}

impl<'a> Parts<'a> {
    fn new(reader: &'a Reader, resource: Resource, query: &'a Query, partition: Partition) -> Self {
        Self {
            reader,
            resource,
            query,
            partition,
            part: *PART.end(),
            running: JoinSet::new(),
            effort: Effort::default(),
            error: None,
            unfiltered: false,
        }
    }

    /// Cuts the list for the first time, by what its first page shows.
    async fn begin(
        mut self,
        count: Option<u64>,
        page: u64,
        keys: &[String],
        effort: Effort,
    ) -> (State, Option<u64>, Effort) {
        self.effort += effort;
        let pages = count.unwrap_or_default().div_ceil(page.max(1));
        // Where requests are counted by the minute, each half-filled last page costs more than the streams gain.
        let shortest = match self.query.service() {
            Service::KeyCredentials => *PART.end(),
            _ => *PART.start(),
        };
        let streams = self.reader.client.streams() as u64;
        self.part = (pages / streams).clamp(shortest, *PART.end());
        let parts = usize::try_from(pages.div_ceil(self.part)).unwrap_or(usize::MAX);
        for shard in self.partition.cut(keys, parts) {
            self.spawn(shard, None, 0);
        }
        self.run(count, pages).await
    }

    /// Goes on where an earlier run stopped.
    async fn go_on(mut self) -> (State, Option<u64>, Effort) {
        let (count, effort) = recount(self.reader, self.resource, self.query).await;
        self.effort += effort;
        let earlier = self.reader.ask.earlier.chains(self.resource, None);
        // A part that was cut again is covered by what it was cut into.
        let known: Vec<_> = earlier
            .iter()
            .filter_map(|(shard, chain)| Some((shard.as_ref()?, *chain)))
            .collect();
        let leaves: Vec<_> = known
            .iter()
            .filter(|(shard, _)| {
                !known
                    .iter()
                    .any(|(other, _)| other != shard && shard::contains(shard, other))
            })
            .collect();
        for shard in self.partition.rest(leaves.iter().map(|(shard, _)| *shard)) {
            self.spawn(shard, None, 0);
        }
        for (shard, chain) in leaves {
            if !chain.is_whole() {
                self.spawn((*shard).clone(), Some((*chain).clone()), 0);
            }
        }
        let read = self.reader.taken(self.resource).await;
        let pages = count.unwrap_or(read).div_ceil(requests::PAGE);
        self.run(count, pages).await
    }

    fn spawn(&mut self, shard: Shard, from: Option<ChainSoFar>, depth: u32) {
        let condition = self.partition.filter(&shard);
        let query = self.query.clone().and_filter(&condition);
        let task = Part {
            reader: self.reader.clone(),
            // Where the list can be counted, the part can.
            query: if self.query.is_counted() {
                query.count()
            } else {
                query
            },
            chain: Chain {
                resource: self.resource,
                of: None,
                part: Some((self.partition, shard.clone())),
            },
            partition: self.partition,
            pages: self.part,
            depth,
        };
        let places = Arc::clone(&self.reader.places);
        let is_long_chain = matches!(self.partition, Partition::Values(..));
        self.running.spawn(async move {
            // Halves of a list are as long as chains get: they do not wait. The semaphore is never closed.
            let _place = if is_long_chain {
                None
            } else {
                places.acquire_owned().await.ok()
            };
            let (outcome, effort) = task.read(&shard, from).await;
            Finished {
                shard,
                depth,
                outcome,
                effort,
            }
        });
    }

    /// Waits for all parts, cuts what is too long, and checks the sum.
    async fn run(mut self, before: Option<u64>, pages: u64) -> (State, Option<u64>, Effort) {
        while let Some(finished) = self.running.join_next().await {
            let Ok(Finished {
                shard,
                depth,
                outcome,
                effort,
            }) = finished
            else {
                self.error
                    .get_or_insert(Broken::Rows("the reading of a part was given up"));
                continue;
            };
            self.effort += effort;
            match outcome {
                Outcome::Split(smaller) => {
                    for shard in smaller {
                        self.spawn(shard, None, depth + 1);
                    }
                }
                Outcome::Ended(ended) => self.ended(&shard, ended),
            }
            if self.unfiltered {
                break;
            }
        }
        if self.unfiltered {
            // Without a filter that can be trusted there is one chain only.
            self.running.shutdown().await;
            self.error = None;
            return self.reread(before).await;
        }
        let (after, effort) = recount(self.reader, self.resource, self.query).await;
        self.effort += effort;
        let of = least(before, after);
        if let Some(error) = self.error {
            let error = error.to_string().into();
            return (State::Partial { of, error }, of, self.effort);
        }
        let taken = self.reader.taken(self.resource).await;
        match of {
            Some(of) if taken < of && pages <= REREAD => self.reread(Some(of)).await,
            Some(of) if taken < of => {
                let error = shortfall(taken, of).into();
                let of = Some(of);
                (State::Partial { of, error }, of, self.effort)
            }
            of => (State::Collected, of, self.effort),
        }
    }

    fn ended(&mut self, shard: &Shard, ended: Ended) {
        self.effort += ended.effort;
        if let Some(text) = ended.shortfall() {
            tracing::debug!(resource = %self.resource, ?shard, text, "a part is short");
        }
        match ended.error {
            None => {}
            Some(Broken::Rows(_)) => self.unfiltered = true,
            // This cloud, or this kind of tenant, does not filter so.
            Some(Broken::Graph(error)) if error.kind() == ErrorKind::BadRequest && !ended.begun => {
                self.unfiltered = true;
            }
            Some(error) => {
                self.error.get_or_insert(error);
            }
        }
    }

    /// Reads the list in one chain; rows that came before are known.
    async fn reread(self, before: Option<u64>) -> (State, Option<u64>, Effort) {
        let mut ended = Chain::whole(self.resource)
            .read(self.reader, self.query, None)
            .await;
        ended.effort += self.effort;
        ended.of = least(ended.of, before);
        if ended.error.is_none() {
            ended.read = ended.read.max(self.reader.taken(self.resource).await);
        }
        settle(self.reader, self.resource, self.query, ended).await
    }
}

/// One part, being read.
struct Part {
    reader: Reader,
    query: Query,
    chain: Chain,
    partition: Partition,
    /// Pages that it is meant to have.
    pages: u64,
    depth: u32,
}

impl Part {
    async fn read(&self, shard: &Shard, from: Option<ChainSoFar>) -> (Outcome, Effort) {
        let old = from.and_then(|from| Start::old(&self.reader, &from));
        let start = if let Some(old) = old {
            old
        } else {
            let mut pages = self.reader.client.pages(self.query.clone());
            match pages.next().await {
                None => return (Outcome::Ended(Ended::default()), Effort::default()),
                Some(Err(error)) => {
                    return (Outcome::Ended(Ended::refused(error)), Effort::default());
                }
                Some(Ok(first)) => {
                    let size = first.rows.len() as u64;
                    let count = first.count.filter(|_| first.next.is_some());
                    if let Some(count) = count.filter(|&count| count > 2 * self.pages * size)
                        && let Some(smaller) = self.smaller(
                            shard,
                            &super::chain::keys(&first.rows, self.partition.property()),
                            count.div_ceil(size.max(1)),
                        )
                    {
                        return (Outcome::Split(smaller), first.effort);
                    }
                    Start::with(first, pages)
                }
            }
        };
        let ended = self
            .chain
            .read(&self.reader, &self.query, Some(start))
            .await;
        if let Some(Broken::Graph(GraphError::ExpiredPageToken(_))) = &ended.error
            && let Some(smaller) = self.smaller(shard, &[], 2 * self.pages)
        {
            // It outlives the tokens of its pages even when it is read anew: shorter ones may not.
            return (Outcome::Split(smaller), ended.effort);
        }
        (Outcome::Ended(ended), Effort::default())
    }

    fn smaller(&self, shard: &Shard, keys: &[String], pages: u64) -> Option<Vec<Shard>> {
        let parts = usize::try_from(pages.div_ceil(self.pages)).ok()?;
        let smaller = shard::split(shard, keys, parts);
        (self.depth < DEPTH && !smaller.is_empty()).then_some(smaller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eighth_of_the_streams_is_left_to_single_chains() {
        let parts = [1, 2, 8, 32, 64].map(parts_at_a_time);
        assert_eq!(parts, [1, 1, 7, 28, 56]);
    }
}
