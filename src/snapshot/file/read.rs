//! Reading, row by row, believing nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use serde_json::value::RawValue;

use super::{
    EndLine, FORMAT, Header, Manifest, ManifestLine, PageLine, Record, Sealed, SetDigest,
    SnapshotError,
};
use crate::snapshot::{Resource, State, Tenant};

/// No row of Graph is anywhere near this long; a longer line is not ours.
pub(super) const LONGEST_LINE: u64 = 16 * 1024 * 1024;

/// A snapshot that was read to its end and found whole.
#[derive(Debug)]
pub struct Snapshot {
    /// What the file says of itself.
    pub header: Header,
    /// Its rows.
    pub tenant: Tenant,
    /// How each section's reading ended.
    pub records: BTreeMap<Resource, Record>,
}

/// Reads a snapshot file.
pub fn read(path: &Path) -> Result<Snapshot, SnapshotError> {
    let file = File::open(path).map_err(|source| SnapshotError::Io {
        doing: "read",
        path: path.to_owned(),
        source,
    })?;
    read_from(file, &path.display().to_string())
}

/// Reads a snapshot from anywhere; `name` is how errors call it.
pub fn read_from(input: impl Read, name: &str) -> Result<Snapshot, SnapshotError> {
    let mut input = BufReader::with_capacity(64 * 1024, input);
    match input.fill_buf() {
        Ok([0x1f, 0x8b, ..]) => {}
        Ok([]) => return Err(SnapshotError::Foreign(name.to_owned(), "it is empty")),
        Ok(_) => {
            return Err(SnapshotError::Foreign(
                name.to_owned(),
                "it is not compressed with gzip",
            ));
        }
        Err(source) => {
            return Err(SnapshotError::Io {
                doing: "read",
                path: name.into(),
                source,
            });
        }
    }
    let mut lines = Lines {
        name,
        input: BufReader::with_capacity(256 * 1024, MultiGzDecoder::new(input)),
        line: String::new(),
    };
    let header = lines.header()?;
    let header_line = lines.line.clone();
    let mut reading = Reading::new(name);
    loop {
        if !lines.next()? {
            return Err(SnapshotError::Cut(
                name.to_owned(),
                "it ends before its manifest".to_owned(),
            ));
        }
        if lines.line.starts_with("{\"manifest\"") {
            let line: ManifestLine = serde_json::from_str(&lines.line)
                .map_err(|_| lines.edited("its manifest is not readable"))?;
            let snapshot = reading.close(header, &header_line, line.manifest)?;
            return if lines.next()? {
                Err(lines.edited("something stands after its manifest"))
            } else {
                Ok(snapshot)
            };
        }
        if lines.line.starts_with("{\"end\"") {
            // The manifest says it again, under its seal.
            let _: EndLine = serde_json::from_str(&lines.line)
                .map_err(|_| lines.edited("a line about the end of a section is not readable"))?;
            continue;
        }
        let page: PageLine = serde_json::from_str(&lines.line)
            .map_err(|_| lines.edited("a line is neither a page nor the manifest"))?;
        for _ in 0..page.rows {
            if !lines.next()? {
                return Err(SnapshotError::Cut(
                    name.to_owned(),
                    format!("a page of {} ends in the middle", page.page),
                ));
            }
            reading.row(&page, lines.line.trim_end())?;
        }
        reading.page(&page);
    }
}

/// The one field that every version of the format has.
#[derive(serde::Deserialize)]
struct Format {
    m365audit_snapshot: u32,
}

struct Lines<'a, R> {
    name: &'a str,
    input: R,
    line: String,
}

impl<R: BufRead> Lines<'_, R> {
    fn header(&mut self) -> Result<Header, SnapshotError> {
        let foreign = |why| SnapshotError::Foreign(self.name.to_owned(), why);
        let mut first = Vec::new();
        let read = self
            .input
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut first);
        if read.is_err() && first.is_empty() {
            return Err(foreign("it is not readable as gzip"));
        }
        let text = String::from_utf8(first).map_err(|_| foreign("its first line is not text"))?;
        let format: Format = serde_json::from_str(&text)
            .map_err(|_| foreign("its first line is not a snapshot header"))?;
        if format.m365audit_snapshot > FORMAT {
            return Err(SnapshotError::Newer(
                self.name.to_owned(),
                format.m365audit_snapshot,
            ));
        }
        let header = serde_json::from_str(&text)
            .map_err(|_| foreign("its header lacks what a header holds"))?;
        self.line = text;
        Ok(header)
    }

    /// Reads the next line; false at the end of the file.
    fn next(&mut self) -> Result<bool, SnapshotError> {
        self.line.clear();
        match self
            .input
            .by_ref()
            .take(LONGEST_LINE)
            .read_line(&mut self.line)
        {
            Ok(0) => Ok(false),
            Ok(_) if self.line.ends_with('\n') => Ok(true),
            Ok(_) => Err(SnapshotError::Cut(
                self.name.to_owned(),
                "its last line has no end".to_owned(),
            )),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(SnapshotError::Cut(
                self.name.to_owned(),
                "a compressed page ends in the middle".to_owned(),
            )),
            Err(_) => Err(self.edited("a compressed page is damaged")),
        }
    }

    fn edited(&self, what: &str) -> SnapshotError {
        SnapshotError::Edited(self.name.to_owned(), what.to_owned())
    }
}

/// The rows of a file as far as they were read.
pub(super) struct Reading<'a> {
    name: &'a str,
    pub(super) tenant: Tenant,
    /// Rows and their digest, by section.
    pub(super) found: BTreeMap<Resource, (u64, SetDigest)>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(name: &'a str) -> Self {
        Self {
            name,
            tenant: Tenant::default(),
            found: BTreeMap::new(),
        }
    }

    pub(super) fn row(&mut self, page: &PageLine, line: &str) -> Result<(), SnapshotError> {
        let edited = |what: String| SnapshotError::Edited(self.name.to_owned(), what);
        let row: &RawValue = serde_json::from_str(line)
            .map_err(|_| edited(format!("a row of {} is not JSON", page.page)))?;
        self.tenant
            .fold(page.page, page.of, row)
            .map_err(|error| edited(error.to_string()))?;
        let (count, digest) = self.found.entry(page.page).or_default();
        *count += 1;
        digest.add_of(page.of, line.as_bytes());
        Ok(())
    }

    pub(super) fn page(&mut self, page: &PageLine) {
        if let Some(subject) = page.of {
            self.tenant.touch(page.page, subject);
            if page.rows == 0 {
                let (_, digest) = self.found.entry(page.page).or_default();
                digest.add_of(page.of, b"");
            }
        }
    }

    fn close(
        mut self,
        header: Header,
        header_line: &str,
        manifest: Manifest,
    ) -> Result<Snapshot, SnapshotError> {
        let edited = |what: String| SnapshotError::Edited(self.name.to_owned(), what);
        let seal = Manifest::seal(header_line, &manifest.sections)
            .map_err(|_| edited("its manifest is not readable".to_owned()))?;
        if seal != manifest.seal {
            return Err(edited(
                "its header or manifest is not the one that was written".to_owned(),
            ));
        }
        if let Some(stray) = self
            .found
            .keys()
            .find(|resource| !manifest.sections.contains_key(resource))
        {
            return Err(edited(format!(
                "{stray} has rows that the manifest does not know"
            )));
        }
        let mut records = BTreeMap::new();
        for (resource, Sealed { record, digest }) in manifest.sections {
            let (count, found) = self.found.get(&resource).copied().unwrap_or_default();
            if count != record.count {
                return Err(edited(format!(
                    "{resource} has {count} rows, and {} were written",
                    record.count
                )));
            }
            if found != digest {
                return Err(edited(format!(
                    "rows of {resource} are not those that were written"
                )));
            }
            self.tenant.end(resource, record.state.clone());
            records.insert(resource, record);
        }
        for &resource in Resource::ALL {
            if !records.contains_key(&resource) {
                self.tenant.end(resource, State::Skipped);
            }
        }
        Ok(Snapshot {
            header,
            tenant: self.tenant,
            records,
        })
    }
}
