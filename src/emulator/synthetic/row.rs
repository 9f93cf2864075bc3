//! One computed row: what its properties are written with.

use std::io::Write as _;

use uuid::Uuid;

use super::super::odata::select::push_json;
use super::draw::Source;

/// What all rows of a synthetic tenant are computed from.
#[derive(Debug, Clone)]
pub(in super::super) struct World {
    pub(super) seed: Source,
    pub(super) tenant_id: String,
    /// The domain of members, and the first domain of the tenant, under which guests are kept.
    pub(super) domain: String,
    pub(super) initial_domain: String,
    /// The moment of the data, in seconds since 1970.
    pub(super) now: i64,
    /// Ids of the subscribed licences.
    pub(super) skus: Vec<String>,
    /// Computed users, of which the first so many are guests.
    pub(super) users: u32,
    pub(super) guests: u32,
    /// Computed risky users that are at risk; the others were.
    pub(super) at_risk: u32,
    pub(super) service_principals: u32,
    /// Computed grants for all principals; the others are for one.
    pub(super) for_all: u32,
    /// Ids of the stored service principals, the resources of grants.
    pub(super) resources: Vec<String>,
}

/// The lists that are computed, as far as rows of one name rows of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Users = 1,
    Devices,
    ServicePrincipals,
    Applications,
    Groups,
    Grants,
    RiskyUsers,
    ManagedDevices,
}

impl World {
    pub(super) const fn row(&self, of: Of, index: u32) -> Row<'_> {
        Row {
            world: self,
            source: self.seed.of(of as u64),
            index,
        }
    }
}

/// One computed row. Its index counts the computed rows of its list only.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) world: &'a World,
    pub(super) source: Source,
    pub(super) index: u32,
}

/// A property that can be computed.
pub(super) struct Property {
    pub(super) name: &'static str,
    /// Writes its value as JSON.
    pub(super) write: fn(&Row<'_>, &mut Vec<u8>),
}

/// A table of properties: name and how it is written.
macro_rules! properties {
    ($($name:literal => $write:expr),+ $(,)?) => {
        &[$(Property { name: $name, write: $write }),+]
    };
}
pub(super) use properties;

impl Row<'_> {
    pub(super) fn id(&self) -> Uuid {
        self.source.guid(self.index)
    }

    /// Another GUID of the row, such as `appId`.
    pub(super) fn other_id(&self, what: u64) -> Uuid {
        self.source.of(what).guid(self.index)
    }

    pub(super) const fn draw(&self, what: u64) -> u64 {
        self.source.draw(self.index, what)
    }

    pub(super) const fn below(&self, what: u64, below: u64) -> u64 {
        self.source.below(self.index, what, below)
    }

    pub(super) const fn chance(&self, what: u64, per_thousand: u64) -> bool {
        self.source.chance(self.index, what, per_thousand)
    }

    /// One of a few words.
    pub(super) fn one_of<'w>(&self, what: u64, words: &[&'w str]) -> &'w str {
        let at = usize::try_from(self.below(what, words.len() as u64)).unwrap_or(0);
        words.get(at).copied().unwrap_or_default()
    }

    /// Another row, chosen by chance.
    pub(super) fn any(&self, of: Of, what: u64, rows: u32) -> Self {
        let index = u32::try_from(self.below(what, u64::from(rows.max(1)))).unwrap_or(0);
        self.world.row(of, index)
    }

    /// A moment up to so many days before the data was taken; the newer, the more often.
    pub(super) fn ago(&self, out: &mut Vec<u8>, what: u64, days: u64) {
        let back = self.below(what, days * 86_400) * self.below(what ^ 0x5A5A, 1_000) / 1_000;
        moment(out, self.world.now, -i64::try_from(back).unwrap_or(0));
    }
}

/// Text, escaped.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    push_json(out, text);
}

/// JSON as it stands.
pub(super) fn raw(out: &mut Vec<u8>, json: &str) {
    out.extend_from_slice(json.as_bytes());
}

pub(super) fn boolean(out: &mut Vec<u8>, value: bool) {
    raw(out, if value { "true" } else { "false" });
}

pub(super) fn guid(out: &mut Vec<u8>, guid: Uuid) {
    let mut buffer = Uuid::encode_buffer();
    raw(out, "\"");
    raw(out, guid.hyphenated().encode_lower(&mut buffer));
    raw(out, "\"");
}

/// A moment so many seconds after another, as Graph writes it.
pub(super) fn moment(out: &mut Vec<u8>, now: i64, after: i64) {
    match jiff::Timestamp::from_second(now.saturating_add(after)) {
        // Writing into memory cannot fail.
        Ok(at) => drop(write!(out, "\"{at}\"")),
        Err(_) => raw(out, "null"),
    }
}
