//! Going on with the file of an interrupted collection: everything up to its last whole page is kept.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::member::Unpacker;
use super::read::{LONGEST_LINE, Reading};
use super::write::{Writer, lock, partial};
use super::{Earlier, EndLine, FORMAT, Header, PageLine, SnapshotError};
use crate::snapshot::{Resource, Tenant};

/// The longest page that is believed, unpacked.
const LONGEST_PAGE: u64 = 16 * LONGEST_LINE;

/// An interrupted collection, ready to go on.
pub struct Resumed {
    /// The header of the interrupted run: its moment stays the moment of the snapshot.
    pub header: Header,
    /// The rows that were read.
    pub tenant: Tenant,
    /// How many, by resource.
    pub counts: BTreeMap<Resource, u64>,
    /// Which pages they came on.
    pub earlier: Earlier,
    /// Adds to the file behind the last whole page.
    pub writer: Writer,
}

/// Whether an interrupted collection stands beside this name.
pub fn is_interrupted(path: &Path) -> bool {
    partial(path).exists()
}

/// Opens `path.partial` and reads it up to its last whole page; what comes after that is cut off.
///
/// # Errors
/// There is no such file, it is not ours, another run is writing it, or it was begun with another question than `wanted`: another
/// tenant, cloud, or list of resources, or by another version, which may have asked differently.
pub fn resume(path: &Path, wanted: &Header) -> Result<Resumed, SnapshotError> {
    let place = partial(path);
    let name = place.display().to_string();
    let io = |doing| {
        let path = place.clone();
        move |source| SnapshotError::Io {
            doing,
            path,
            source,
        }
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&place)
        .map_err(io("open"))?;
    lock(&file, &place)?;
    let mut members = Members {
        input: Counted {
            inner: BufReader::with_capacity(256 * 1024, file.try_clone().map_err(io("read"))?),
            taken: 0,
        },
        unpacker: Unpacker::new(),
    };
    let foreign = |why| SnapshotError::Foreign(name.clone(), why);
    let Some(header_line) = members.next().map(str::to_owned) else {
        return Err(foreign("it does not begin with a snapshot header"));
    };
    let header: Header = serde_json::from_str(&header_line)
        .map_err(|_| foreign("its first line is not a snapshot header"))?;
    agree(&header, wanted).map_err(|why| SnapshotError::Different(name.clone(), why))?;
    let mut reading = Reading::new(&name);
    let mut earlier = Earlier::default();
    let mut whole = members.input.taken;
    while let Some(text) = members.next()
        && take(text, &mut reading, &mut earlier)?
    {
        whole = members.input.taken;
    }
    // What is cut off here was torn when the run was interrupted.
    file.set_len(whole).map_err(io("shorten"))?;
    file.seek(SeekFrom::End(0)).map_err(io("write to"))?;
    let counts = reading.found.iter();
    let counts = counts
        .map(|(&resource, &(count, _))| (resource, count))
        .collect();
    let digests = reading.found.iter();
    let digests = digests
        .map(|(&resource, &(_, digest))| (resource, digest))
        .collect();
    Ok(Resumed {
        header,
        tenant: reading.tenant,
        counts,
        earlier,
        writer: Writer::go_on(file, path, header_line, digests),
    })
}

/// Whether both ask the same, of the same tenant, in the same words.
fn agree(header: &Header, wanted: &Header) -> Result<(), String> {
    if header.format != FORMAT || header.tool != wanted.tool {
        let tool = &header.tool;
        return Err(format!(
            "it was begun by version {}",
            crate::snapshot::Untrusted::from(tool.version.as_str()).for_terminal()
        ));
    }
    if header.tenant != wanted.tenant || header.cloud != wanted.cloud {
        return Err(format!(
            "it was begun for the tenant {} in the cloud {}",
            header.tenant.for_terminal(),
            header.cloud.for_terminal()
        ));
    }
    let names = |all: &[Resource], known: &[Resource]| {
        all.iter()
            .filter(|resource| !known.contains(resource))
            .map(|resource| resource.key())
            .collect::<Vec<_>>()
            .join(", ")
    };
    if header.asked != wanted.asked {
        let (more, less) = (
            names(&wanted.asked, &header.asked),
            names(&header.asked, &wanted.asked),
        );
        return Err(match (more.is_empty(), less.is_empty()) {
            (false, true) => format!("it was begun without {more}"),
            (true, false) => format!("it was begun with {less}"),
            _ => format!("it was begun without {more} and with {less}"),
        });
    }
    Ok(())
}

/// Takes in one member; false for one that is not whole or that closes the file.
fn take(
    text: &str,
    reading: &mut Reading<'_>,
    earlier: &mut Earlier,
) -> Result<bool, SnapshotError> {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    if let Ok(EndLine { end, record }) = serde_json::from_str(first) {
        earlier.end(end, record);
        return Ok(true);
    }
    let Ok(page) = serde_json::from_str::<PageLine>(first) else {
        // The manifest of a run that was cut before the file got its name: it is written anew.
        return Ok(false);
    };
    if text.lines().count() as u64 != page.rows + 1 {
        return Ok(false);
    }
    for row in lines {
        reading.row(&page, row)?;
    }
    reading.page(&page);
    let PageLine {
        page: resource,
        of,
        shard,
        rows,
        count,
        next,
    } = page;
    earlier.page(resource, (of, shard), rows, count, next);
    Ok(true)
}

/// The members of a file, one after the other, with the place where each ends.
struct Members {
    input: Counted<BufReader<File>>,
    unpacker: Unpacker,
}

impl Members {
    /// Unpacks the next member; `None` at the end or where one is torn.
    fn next(&mut self) -> Option<&str> {
        let text = self.unpacker.member(&mut self.input, LONGEST_PAGE)?;
        text.ends_with('\n').then_some(text)
    }
}

/// Counts what was taken out of a buffer.
struct Counted<R> {
    inner: R,
    taken: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.taken += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount as u64;
        self.inner.consume(amount);
    }
}
