//! Where collected rows go: into the in-memory tenant, and into the snapshot file if one is kept.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::value::RawValue;

use super::progress::Progress;
use crate::collect::{Sink, SinkError};
use crate::snapshot::file::Writer;
use crate::snapshot::tenant::Fold;
use crate::snapshot::{Page, Record, Resource, SnapshotError, Tenant};

/// The sink of the command line.
pub(super) struct Intake {
    tenant: Tenant,
    records: BTreeMap<Resource, Record>,
    writer: Option<Writer>,
    progress: Progress,
    counts: BTreeMap<Resource, u64>,
}

/// What was read, and how each part of it ended.
pub(super) type Taken = (Tenant, BTreeMap<Resource, Record>);

impl Intake {
    pub(super) fn new(writer: Option<Writer>, progress: Progress) -> Self {
        Self {
            tenant: Tenant::default(),
            records: BTreeMap::new(),
            writer,
            progress,
            counts: BTreeMap::new(),
        }
    }

    /// With what an interrupted run has read.
    pub(super) fn go_on(
        tenant: Tenant,
        counts: BTreeMap<Resource, u64>,
        writer: Writer,
        progress: Progress,
    ) -> Self {
        Self {
            tenant,
            records: BTreeMap::new(),
            writer: Some(writer),
            progress,
            counts,
        }
    }

    /// Closes the snapshot file and gives back what was read.
    pub(super) fn finish(self) -> Result<Taken, SnapshotError> {
        self.progress.finish();
        if let Some(writer) = self.writer {
            writer.finish(&self.records)?;
        }
        Ok((self.tenant, self.records))
    }

    /// Leaves the snapshot file unfinished, to go on with it later, and says where it is.
    pub(super) fn leave(self) -> Result<(Taken, Option<PathBuf>), SnapshotError> {
        self.progress.finish();
        let place = match self.writer {
            Some(writer) => writer.leave()?,
            None => None,
        };
        Ok(((self.tenant, self.records), place))
    }
}

impl Sink for Intake {
    fn begin(&mut self, resource: Resource) {
        self.progress.begin(resource);
    }

    fn page(&mut self, page: &Page<'_>) -> Result<(), SinkError> {
        // Rows are read before they are written: the file never holds a row that does not read, nor one that came before.
        let mut rows = Cow::Borrowed(page.rows);
        let mut known = Vec::new();
        for (index, row) in page.rows.iter().enumerate() {
            if self.tenant.fold(page.resource, page.of, row)? == Fold::Known {
                known.push(index);
            }
        }
        if !known.is_empty() {
            let mut known = known.into_iter().peekable();
            let new = page.rows.iter().enumerate();
            let new: Vec<Box<RawValue>> = new
                .filter(|(index, _)| known.next_if_eq(index).is_none())
                .map(|(_, row)| row.clone())
                .collect();
            rows = Cow::Owned(new);
        }
        let new_object = page
            .of
            .is_some_and(|subject| self.tenant.touch(page.resource, subject));
        // That an object has no rows is written once; that a page brought nothing new, where the list goes on.
        let says_something = !rows.is_empty() || page.of.is_none() || new_object;
        if let Some(writer) = &mut self.writer
            && says_something
        {
            writer.page(&Page {
                rows: &rows,
                ..*page
            })?;
        }
        let count = self.counts.entry(page.resource).or_default();
        *count += rows.len() as u64;
        self.progress.rows(page.resource, *count);
        Ok(())
    }

    fn end(&mut self, resource: Resource, mut record: Record) -> Result<(), SinkError> {
        record.count = self.count(resource);
        self.tenant.end(resource, record.state.clone());
        self.progress.end(resource, &record);
        if let Some(writer) = &mut self.writer {
            writer.end(resource, &record)?;
        }
        self.records.insert(resource, record);
        Ok(())
    }

    fn count(&self, resource: Resource) -> u64 {
        self.counts.get(&resource).copied().unwrap_or_default()
    }

    fn tenant(&self) -> &Tenant {
        &self.tenant
    }
}
