//! Writing, page by page.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use super::member::{Member, Packer};
use super::{
    EndLine, Header, Manifest, ManifestLine, Page, PageLine, Record, Sealed, SetDigest,
    SnapshotError,
};
use crate::snapshot::Resource;

/// A snapshot being written. Memory does not grow with the number of rows.
pub struct Writer {
    out: Box<dyn Write + Send>,
    packer: Packer,
    /// Where the file is and what it will be called; `None` for a pipe.
    place: Option<(PathBuf, PathBuf)>,
    header_line: String,
    digests: BTreeMap<Resource, SetDigest>,
}

impl Writer {
    /// Begins `path.partial`, readable by its owner alone.
    pub fn create(path: &Path, header: &Header) -> Result<Self, SnapshotError> {
        let partial = partial(path);
        // Never from under another run that is writing it.
        if let Ok(there) = File::open(&partial) {
            lock(&there, &partial)?;
        }
        let file = open_private(&partial).map_err(|source| SnapshotError::Io {
            doing: "create",
            path: partial.clone(),
            source,
        })?;
        lock(&file, &partial)?;
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
            packer: Packer::new(),
            place,
            header_line: String::new(),
            digests: BTreeMap::new(),
        };
        writer.header_line = json(header).map_err(|source| writer.io(source))?;
        let line = writer.header_line.clone();
        writer.member(|member| member.add(line.as_bytes()))?;
        Ok(writer)
    }

    /// Goes on with a file that was read up to its last whole page.
    pub(super) fn go_on(
        file: File,
        path: &Path,
        header_line: String,
        digests: BTreeMap<Resource, SetDigest>,
    ) -> Self {
        Self {
            out: Box::new(BufWriter::new(file)),
            packer: Packer::new(),
            place: Some((partial(path), path.to_owned())),
            header_line,
            digests,
        }
    }

    /// Adds one page of a section.
    pub fn page(&mut self, page: &Page<'_>) -> Result<(), SnapshotError> {
        let line = PageLine {
            page: page.resource,
            of: page.of,
            shard: page.shard.cloned(),
            rows: page.rows.len() as u64,
            count: page.count,
            next: page.next.map(str::to_owned),
        };
        let first = json(&line).map_err(|source| self.io(source))?;
        let mut digest = self
            .digests
            .get(&page.resource)
            .copied()
            .unwrap_or_default();
        if page.rows.is_empty() && page.of.is_some() {
            digest.add_of(page.of, b"");
        }
        self.member(|member| {
            member.add(first.as_bytes())?;
            for row in page.rows {
                let row = on_one_line(row)?;
                digest.add_of(page.of, row.as_bytes());
                member.add(row.as_bytes())?;
                member.add(b"\n")?;
            }
            Ok(())
        })?;
        self.digests.insert(page.resource, digest);
        Ok(())
    }

    /// Notes how a section ended, for a run that has to go on from here.
    pub fn end(&mut self, resource: Resource, record: &Record) -> Result<(), SnapshotError> {
        let record = record.clone();
        let end = resource;
        let line = json(&EndLine { end, record }).map_err(|source| self.io(source))?;
        self.member(|member| member.add(line.as_bytes()))
    }

    /// Leaves the file unfinished, for [`resume`](super::resume), and says where it is; `None` for a pipe.
    pub fn leave(mut self) -> Result<Option<PathBuf>, SnapshotError> {
        self.out.flush().map_err(|source| self.io(source))?;
        Ok(self.place.map(|(partial, _)| partial))
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
        self.member(|member| member.add(line.as_bytes()))?;
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
        fill: impl FnOnce(&mut Member<'_, dyn Write + Send>) -> io::Result<()>,
    ) -> Result<(), SnapshotError> {
        let written = self.packer.member(self.out.as_mut(), fill);
        // A member that is on its way to the disk is there whatever happens to this process.
        let written = written.and_then(|()| self.out.flush());
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

/// What the file is called until it is whole.
pub(super) fn partial(path: &Path) -> PathBuf {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    PathBuf::from(partial)
}

/// Holds the file for this process; given back by the system when the process ends, however it ends.
pub(super) fn lock(file: &File, path: &Path) -> Result<(), SnapshotError> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(SnapshotError::Busy(path.display().to_string())),
        // Held, or on a file system that knows no locks.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
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
