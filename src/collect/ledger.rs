//! What each resource has cost so far, and how it ended.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::shortfall;
use super::{Ask, CollectError, Sink, SinkError, Told, rows, shape};
use crate::graph::Effort;
use crate::snapshot::{Page, Record, Resource, State};

/// The books of one collection.
pub(super) struct Ledger {
    /// Asked for and not yet ended.
    open: BTreeSet<Resource>,
    records: BTreeMap<Resource, Record>,
    /// Rows that did not read as their type.
    unreadable: BTreeMap<Resource, String>,
    failed: bool,
}

impl Ledger {
    pub(super) fn new(ask: &Ask) -> Self {
        Self {
            open: ask.resources.clone(),
            records: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            failed: false,
        }
    }

    /// Whether a resource was asked for and has not ended.
    pub(super) fn is_open(&self, resource: Resource) -> bool {
        self.open.contains(&resource)
    }

    /// Whether something failed in a way that may mean that Graph is gone.
    pub(super) fn has_lost_graph(&self) -> bool {
        self.failed
    }

    /// Writes down what a reader tells and hands rows on.
    pub(super) fn take(&mut self, message: Told, sink: &mut dyn Sink) -> Result<(), CollectError> {
        match message {
            Told::Begin(resource) => {
                self.records.entry(resource).or_default();
                sink.begin(resource);
            }
            Told::Spent {
                resource,
                of,
                effort,
            } => {
                self.charge(resource, effort);
                if of.is_some() {
                    let page = Page {
                        of,
                        ..Page::empty(resource)
                    };
                    self.page(&page, sink)?;
                }
            }
            Told::Forget(resource) => {
                self.open.remove(&resource);
            }
            Told::Count { resource, reply } => {
                // A reader that is gone does not mind.
                let _ = reply.send(sink.count(resource));
            }
            Told::Rows {
                resource,
                of,
                shard,
                rows,
                count,
                next,
                effort,
            } => {
                self.charge(resource, effort);
                if self.unreadable.contains_key(&resource) {
                    return Ok(());
                }
                let rows = rows::without(shape::secrets(resource), rows);
                let page = Page {
                    resource,
                    of,
                    shard: shard.as_ref(),
                    rows: &rows,
                    count,
                    next: next.as_deref(),
                };
                self.page(&page, sink)?;
            }
            Told::End {
                resource,
                state,
                of,
                effort,
            } => {
                self.charge(resource, effort);
                self.end(resource, state, of, sink)?;
            }
        }
        Ok(())
    }

    fn page(&mut self, page: &Page<'_>, sink: &mut dyn Sink) -> Result<(), CollectError> {
        match sink.page(page) {
            Ok(()) => Ok(()),
            Err(SinkError::Row(error)) => {
                self.unreadable.insert(page.resource, error.to_string());
                Ok(())
            }
            Err(SinkError::File(error)) => Err(error.into()),
        }
    }

    fn charge(&mut self, resource: Resource, effort: Effort) {
        let record = self.records.entry(resource).or_default();
        record.requests += u64::from(effort.requests);
        record.retries += u64::from(effort.retries);
    }

    /// Ends a resource. Whatever a reader believes: with fewer rows than Graph counted it is not whole.
    pub(super) fn end(
        &mut self,
        resource: Resource,
        state: State,
        of: Option<u64>,
        sink: &mut dyn Sink,
    ) -> Result<(), CollectError> {
        if !self.open.remove(&resource) {
            return Ok(());
        }
        let mut record = self.records.remove(&resource).unwrap_or_default();
        record.expected = of;
        let taken = sink.count(resource);
        record.state = match (self.unreadable.remove(&resource), of) {
            (Some(error), _) => State::Failed {
                error: error.into(),
            },
            (None, Some(least)) if state == State::Collected && taken < least => State::Partial {
                of,
                error: shortfall(taken, least).into(),
            },
            (None, _) => state,
        };
        self.failed |= matches!(record.state, State::Failed { .. } | State::Partial { .. });
        Self::tell(resource, record, sink)
    }

    /// Ends a resource as an earlier run did.
    pub(super) fn keep(
        &mut self,
        resource: Resource,
        record: Record,
        sink: &mut dyn Sink,
    ) -> Result<(), CollectError> {
        self.open.remove(&resource);
        sink.begin(resource);
        Self::tell(resource, record, sink)
    }

    /// Ends what a broken task was reading.
    pub(super) fn give_up(
        &mut self,
        resources: &[Resource],
        sink: &mut dyn Sink,
    ) -> Result<(), CollectError> {
        let broken = |resource: &Resource| resources.contains(resource);
        self.end_open(broken, "its reading broke down; please report it", sink)
    }

    /// Ends whatever is open.
    pub(super) fn close(&mut self, why: &str, sink: &mut dyn Sink) -> Result<(), CollectError> {
        self.end_open(|_| true, why, sink)
    }

    fn end_open(
        &mut self,
        which: impl Fn(&Resource) -> bool,
        why: &str,
        sink: &mut dyn Sink,
    ) -> Result<(), CollectError> {
        for resource in self.open.clone().into_iter().filter(which) {
            let error = why.to_owned().into();
            let state = if sink.count(resource) > 0 {
                State::Partial { of: None, error }
            } else {
                State::Failed { error }
            };
            self.end(resource, state, None, sink)?;
        }
        Ok(())
    }

    fn tell(resource: Resource, record: Record, sink: &mut dyn Sink) -> Result<(), CollectError> {
        match sink.end(resource, record) {
            Err(SinkError::File(error)) => Err(error.into()),
            Ok(()) | Err(SinkError::Row(_)) => Ok(()),
        }
    }
}
