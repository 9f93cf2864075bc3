//! Writing, page by page.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::value::RawValue;

use super::{Header, Manifest, ManifestLine, PageLine, Record, Sealed, SetDigest, SnapshotError};
use crate::snapshot::{Guid, Resource};

/// A snapshot being written. Memory does not grow with the number of rows.
pub struct Writer {
    out: Box<dyn Write + Send>,
    /// Where the file is and what it will be called; `None` for a pipe.
    place: Option<(PathBuf, PathBuf)>,
    header_line: String,
    digests: BTreeMap<Resource, SetDigest>,
}

impl Writer {
    /// Begins `path.partial`, readable by its owner alone.
    pub fn create(path: &Path, header: &Header) -> Result<Self, SnapshotError> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = open_private(&partial).map_err(|source| SnapshotError::Io {
            doing: "create",
            path: partial.clone(),
            source,
        })?;
        Self::begin(
            Box::new(BufWriter::new(file)),
            Some((partial, path.to_owned())),
            header,
        )
    }

    /// Writes to a pipe: `--save -`.
    pub fn to_pipe(out: Box<dyn Write + Send>, header: &Header) -> Result<Self, SnapshotError> {
        Self::begin(out, None, header)
    }

    fn begin(
        out: Box<dyn Write + Send>,
        place: Option<(PathBuf, PathBuf)>,
        header: &Header,
    ) -> Result<Self, SnapshotError> {
        let mut writer = Self {
            out,
            place,
            header_line: String::new(),
            digests: BTreeMap::new(),
        };
        writer.header_line = json(header).map_err(|source| writer.io(source))?;
        let line = writer.header_line.clone();
        writer.member(|gzip| gzip.write_all(line.as_bytes()))?;
        Ok(writer)
    }

    /// Adds one page of a section; `of` is the object that a per-object page belongs to, `next` the link that follows.
    pub fn page(
        &mut self,
        resource: Resource,
        of: Option<Guid>,
        rows: &[Box<RawValue>],
        next: Option<&str>,
    ) -> Result<(), SnapshotError> {
        let line = PageLine {
            page: resource,
            of,
            rows: rows.len() as u64,
            next: next.map(str::to_owned),
        };
        let first = json(&line).map_err(|source| self.io(source))?;
        let mut digest = self.digests.get(&resource).copied().unwrap_or_default();
        if rows.is_empty() && of.is_some() {
            digest.add_of(of, b"");
        }
        self.member(|gzip| {
            gzip.write_all(first.as_bytes())?;
            for row in rows {
                let row = on_one_line(row)?;
                digest.add_of(of, row.as_bytes());
                gzip.write_all(row.as_bytes())?;
                gzip.write_all(b"\n")?;
            }
            Ok(())
        })?;
        self.digests.insert(resource, digest);
        Ok(())
    }

    /// Closes the file with its manifest and gives it its name.
    pub fn finish(mut self, records: &BTreeMap<Resource, Record>) -> Result<(), SnapshotError> {
        let sections: BTreeMap<Resource, Sealed> = records
            .iter()
            .map(|(&resource, record)| {
                let digest = self.digests.get(&resource).copied().unwrap_or_default();
                (
                    resource,
                    Sealed {
                        record: record.clone(),
                        digest,
                    },
                )
            })
            .collect();
        let sealed = Manifest::seal(&self.header_line, &sections).map_err(io::Error::from);
        let seal = sealed.map_err(|source| self.io(source))?;
        let line = json(&ManifestLine {
            manifest: Manifest { sections, seal },
        })
        .map_err(|source| self.io(source))?;
        self.member(|gzip| gzip.write_all(line.as_bytes()))?;
        self.out.flush().map_err(|source| self.io(source))?;
        if let Some((partial, path)) = &self.place {
            std::fs::rename(partial, path).map_err(|source| SnapshotError::Io {
                doing: "rename to",
                path: path.clone(),
                source,
            })?;
        }
        Ok(())
    }

    fn member(
        &mut self,
        fill: impl FnOnce(&mut GzEncoder<&mut Box<dyn Write + Send>>) -> io::Result<()>,
    ) -> Result<(), SnapshotError> {
        let mut gzip = GzEncoder::new(&mut self.out, Compression::fast());
        let written = fill(&mut gzip).and_then(|()| gzip.finish().map(|_| ()));
        written.map_err(|source| self.io(source))
    }

    fn io(&self, source: io::Error) -> SnapshotError {
        let path = self
            .place
            .as_ref()
            .map_or_else(|| PathBuf::from("-"), |(partial, _)| partial.clone());
        SnapshotError::Io {
            doing: "write",
            path,
            source,
        }
    }
}

fn json(line: &impl serde::Serialize) -> io::Result<String> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    Ok(text)
}

/// A row may come indented; in JSON Lines it is one line.
fn on_one_line(row: &RawValue) -> io::Result<Cow<'_, str>> {
    let text = row.get();
    if text.contains(['\n', '\r']) {
        let value: serde_json::Value = serde_json::from_str(text)?;
        return Ok(Cow::Owned(value.to_string()));
    }
    Ok(Cow::Borrowed(text))
}

/// A new file for its owner alone. What stands there from an earlier run is put aside first: it may be readable by others, or a link.
fn open_private(path: &Path) -> io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}
