//! What an interrupted collection has read already, as its unfinished file tells.

use std::collections::BTreeMap;

use super::Record;
use crate::snapshot::{Guid, Resource, Shard};

/// How far a chain of pages was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChainSoFar {
    /// Rows that were kept of it.
    pub read: u64,
    /// Rows that Graph counted at its start.
    pub count: Option<u64>,
    /// The page that comes next; `None` when it was read to its end.
    pub next: Option<String>,
}

impl ChainSoFar {
    /// Whether it was read to its end and brought all the rows that Graph counted: nothing of it has to be asked again.
    pub fn is_whole(&self) -> bool {
        self.next.is_none() && self.count.is_none_or(|count| self.read >= count)
    }
}

/// The list or the part of it that a chain is: of which object, which part.
type Key = (Option<Guid>, Option<Shard>);

/// Everything that was read before the interruption. Empty for a collection that begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Earlier {
    ended: BTreeMap<Resource, Record>,
    chains: BTreeMap<Resource, BTreeMap<Key, ChainSoFar>>,
}

impl Earlier {
    /// How a resource ended, if it was read to its end; whatever ended otherwise is worth another try.
    pub fn ended(&self, resource: Resource) -> Option<&Record> {
        self.ended
            .get(&resource)
            .filter(|record| record.state == crate::snapshot::State::Collected)
    }

    /// The chains of one list: a single one without a part, or several parts. Empty when no page of it is here.
    pub fn chains(
        &self,
        resource: Resource,
        of: Option<Guid>,
    ) -> Vec<(&Option<Shard>, &ChainSoFar)> {
        let chains = self.chains.get(&resource).into_iter();
        chains
            .flat_map(|chains| chains.range((of, None)..))
            .take_while(|((object, _), _)| *object == of)
            .map(|((_, shard), chain)| (shard, chain))
            .collect()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.ended.is_empty() && self.chains.is_empty()
    }

    /// Notes a page that is in the file.
    pub(super) fn page(
        &mut self,
        resource: Resource,
        key: Key,
        rows: u64,
        count: Option<u64>,
        next: Option<String>,
    ) {
        let chains = self.chains.entry(resource).or_default();
        let chain = chains.entry(key).or_default();
        chain.read += rows;
        chain.count = count.or(chain.count);
        chain.next = next;
    }

    /// Notes how a resource ended.
    pub(super) fn end(&mut self, resource: Resource, record: Record) {
        self.ended.insert(resource, record);
    }
}
