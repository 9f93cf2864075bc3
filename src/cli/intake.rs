//! Where collected rows go: into the in-memory tenant, and into the snapshot file if one is kept.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::progress::Progress;
use crate::collect::{Sink, SinkError};
use crate::snapshot::file::Writer;
use crate::snapshot::{Guid, Record, Resource, Tenant};

/// The sink of the command line.
pub(super) struct Intake {
    pub(super) tenant: Tenant,
    pub(super) records: BTreeMap<Resource, Record>,
    writer: Option<Writer>,
    progress: Progress,
    counts: BTreeMap<Resource, u64>,
}

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

    /// Closes the snapshot file and gives back what was read.
    pub(super) fn finish(
        self,
    ) -> Result<(Tenant, BTreeMap<Resource, Record>), crate::snapshot::SnapshotError> {
        self.progress.finish();
        if let Some(writer) = self.writer {
            writer.finish(&self.records)?;
        }
        Ok((self.tenant, self.records))
    }
}

impl Sink for Intake {
    fn begin(&mut self, resource: Resource) {
        self.progress.begin(resource);
    }

    fn page(
        &mut self,
        resource: Resource,
        of: Option<Guid>,
        rows: &[Box<RawValue>],
        next: Option<&str>,
    ) -> Result<(), SinkError> {
        // Rows are read before they are written: the file never holds a row that does not read.
        for row in rows {
            self.tenant.fold(resource, of, row)?;
        }
        if let Some(subject) = of {
            self.tenant.touch(resource, subject);
        }
        if let Some(writer) = &mut self.writer {
            writer.page(resource, of, rows, next)?;
        }
        let count = self.counts.entry(resource).or_default();
        *count += rows.len() as u64;
        self.progress.rows(resource, *count);
        Ok(())
    }

    fn end(&mut self, resource: Resource, mut record: Record) {
        record.count = self.counts.get(&resource).copied().unwrap_or_default();
        self.tenant.end(resource, record.state.clone());
        self.progress.end(resource, &record);
        self.records.insert(resource, record);
    }

    fn tenant(&self) -> &Tenant {
        &self.tenant
    }
}
