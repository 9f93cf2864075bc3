//! The snapshot file: what was read from a tenant, in one file that says of itself whether it is whole.
//!
//! A `.jsonl.gz` of JSON Lines that `zcat` and `jq` read, one gzip member per page:
//!
//! ```text
//! {"m365audit_snapshot":1,"tool":{..},"tenant":"..","cloud":"global","collected_at":"..","asked":["users",..]}   header
//! {"page":"users","rows":999,"next":"https://.."}                                                                    a page ..
//! {"id":"..","userPrincipalName":".."}                                                                               .. and its rows, as Graph sent them
//! {"page":"groupTransitiveMembers","of":"<group id>","rows":2}                                                       per-object lists name the object
//! {"page":"users","shard":{"range":{"from":"k","to":"m"}},"rows":999,"count":10231,"next":".."}                        one of the parts of a long list
//! {"end":"users","record":{"status":"collected",..}}                                                               how a section ended
//! {"manifest":{"sections":{"users":{"status":"collected","count":1200,"digest":".."},..},"seal":".."}}               closes the file
//! ```
//!
//! Counts and digests by section tell a cut or edited file; a section's digest does not depend on the order of its rows. While it is
//! being written the file is called `NAME.partial` and only its owner may read it; it gets its name when it is whole. A file that was
//! left behind by an interrupted collection is read up to its last whole page and goes on from there: [`resume`].

mod digest;
mod journal;
mod member;
mod read;
mod resume;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use digest::SetDigest;
pub use journal::{ChainSoFar, Earlier};
pub use read::{Snapshot, read, read_from};
pub use resume::{Resumed, is_interrupted, resume};
pub use write::Writer;

use serde_json::value::RawValue;

use super::{Guid, Resource, Shard, State, Untrusted};

/// The format that this version writes and reads.
pub const FORMAT: u32 = 1;

/// The first line: what the file is and what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The format's version.
    #[serde(rename = "m365audit_snapshot")]
    pub format: u32,
    /// Which program wrote it.
    pub tool: Tool,
    /// The tenant as it was named when signing in: an id or a domain.
    pub tenant: Untrusted,
    /// `global`, `usgov`, `dod` or `china`.
    pub cloud: Untrusted,
    /// When the collection began.
    pub collected_at: Timestamp,
    /// Every section that was asked for.
    pub asked: Vec<Resource>,
}

/// A program and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `m365audit`.
    pub name: String,
    /// `0.1.0`.
    pub version: String,
}

impl Header {
    /// The header of a collection that begins now.
    pub fn new(
        tenant: impl Into<Untrusted>,
        cloud: impl Into<Untrusted>,
        collected_at: Timestamp,
        asked: Vec<Resource>,
    ) -> Self {
        let tool = Tool {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        Self {
            format: FORMAT,
            tool,
            tenant: tenant.into(),
            cloud: cloud.into(),
            collected_at,
            asked,
        }
    }
}

/// How the reading of one section ended and what it cost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// How it ended.
    #[serde(flatten)]
    pub state: State,
    /// Rows read.
    pub count: u64,
    /// Rows that Graph said there are (`@odata.count`), where it was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expected: Option<u64>,
    /// Requests made for it, retries included.
    pub requests: u64,
    /// Requests that had to be repeated.
    pub retries: u64,
}

/// One page of a resource on its way into the snapshot.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// What was asked for.
    pub resource: Resource,
    /// The object that a per-object page belongs to.
    pub of: Option<Guid>,
    /// The part of the list that it belongs to.
    pub shard: Option<&'a Shard>,
    /// The rows as they came.
    pub rows: &'a [Box<RawValue>],
    /// Rows that Graph counted, on the first page of a chain.
    pub count: Option<u64>,
    /// The link to the page that comes next; `None` on the last one.
    pub next: Option<&'a str>,
}

impl Page<'_> {
    /// A page without rows.
    pub const fn empty(resource: Resource) -> Self {
        Self {
            resource,
            of: None,
            shard: None,
            rows: &[],
            count: None,
            next: None,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct PageLine {
    page: Resource,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    of: Option<Guid>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    shard: Option<Shard>,
    rows: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    next: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct EndLine {
    end: Resource,
    record: Record,
}

#[derive(Serialize, Deserialize)]
struct ManifestLine {
    manifest: Manifest,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    sections: BTreeMap<Resource, Sealed>,
    /// Digest over the header line and the sections, so that neither can be changed alone.
    seal: String,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    #[serde(flatten)]
    record: Record,
    digest: SetDigest,
}

impl Manifest {
    fn seal(
        header_line: &str,
        sections: &BTreeMap<Resource, Sealed>,
    ) -> Result<String, serde_json::Error> {
        let mut text = header_line.trim_end().to_owned();
        text.push_str(&serde_json::to_string(sections)?);
        Ok(digest::hex(&digest::sha256(text.as_bytes())))
    }
}

/// A snapshot file cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file system says no.
    #[error("could not {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// Not a snapshot of this program at all.
    #[error("{0} is not an m365audit snapshot: {1}")]
    Foreign(String, &'static str),
    /// Written by a newer version.
    #[error("{0} has snapshot format {1}, and this version reads format {FORMAT}")]
    Newer(String, u32),
    /// Ends before its manifest.
    #[error("{0} is cut short: {1}")]
    Cut(String, String),
    /// An unfinished file that this run cannot go on with.
    #[error("cannot go on with {0}: {1}")]
    Different(String, String),
    /// Somebody else is writing it.
    #[error("{0} is being written by another run")]
    Busy(String),
    /// Rows, counts or the manifest are not those that were written.
    #[error("{0} was changed after it was written: {1}")]
    Edited(String, String),
}

impl SnapshotError {
    /// What to do next.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Io { .. } => "check the path, the free space and who may write there".to_owned(),
            Self::Foreign(..) => "give a file written by `m365audit collect --save FILE` or `scan --save FILE`".to_owned(),
            Self::Newer(..) => "read it with the version that wrote it, or a newer one".to_owned(),
            Self::Cut(..) => "get the whole file, or collect again; a NAME.partial file is a collection that did not finish: `--save NAME --resume` goes on with it".to_owned(),
            Self::Different(..) => "go on with the flags of the interrupted run, or leave --resume out to begin anew".to_owned(),
            Self::Busy(..) => "wait for it, or give another name to --save".to_owned(),
            Self::Edited(..) => "get the file again from whoever collected it, or collect again".to_owned(),
        })
    }
}
