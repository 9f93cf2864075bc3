//! The state of one list of a snapshot.

use serde::{Deserialize, Serialize};

use super::{Resource, Untrusted};

/// How the reading of one resource ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum State {
    /// Nobody asked for it (left out on purpose, or the run was cut before).
    #[default]
    Skipped,
    /// Read to its end.
    Collected,
    /// Broke off: some rows are here, and it is known that others are not.
    Partial {
        /// How many there are in all, when Graph said so.
        of: Option<u64>,
        /// What ended the reading.
        error: Untrusted,
    },
    /// Graph refused: the application lacks a permission.
    Forbidden {
        /// The least permission that would have done.
        permission: String,
        /// What Graph answered.
        error: Untrusted,
    },
    /// Graph refused: the tenant has no licence that offers it.
    NotLicensed {
        /// What Graph answered.
        error: Untrusted,
    },
    /// Anything else: network, a server error to the end of the retries, an answer that makes no sense.
    Failed {
        /// What happened.
        error: Untrusted,
    },
}

/// Why a resource cannot be judged: the reason that a rule passes on with `?` instead of a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What was not read, or not to its end.
    pub resource: Resource,
    /// How its reading ended; never [`State::Collected`].
    pub state: State,
    /// Rows that were read before it broke off.
    pub read: u64,
}

/// The rows of one resource together with how their reading ended.
///
/// The rows are private: they come out only through [`complete`](Self::complete), which refuses a list that
/// was not read to its end, or through [`so_far`](Self::so_far), which says what is missing. An empty list that was read and a
/// list that was never read are different things, and no rule can confuse them.
#[derive(Debug, Clone)]
pub struct Section<T> {
    resource: Resource,
    state: State,
    count: u64,
    rows: T,
}

impl<T: Default> Section<T> {
    /// A section that nobody has asked for yet.
    pub fn new(resource: Resource) -> Self {
        Self {
            resource,
            state: State::Skipped,
            count: 0,
            rows: T::default(),
        }
    }
}

impl<T> Section<T> {
    /// What it holds.
    pub fn resource(&self) -> Resource {
        self.resource
    }

    /// How its reading ended.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Rows read, complete or not; one that came twice counts once.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The rows, only if every one of them was read.
    pub fn complete(&self) -> Result<&T, Unread> {
        match self.state {
            State::Collected => Ok(&self.rows),
            _ => Err(self.unread()),
        }
    }

    /// The rows that were read, and what is missing if they are not all: enough for a fail that is already
    /// seen, never enough for a pass.
    pub fn so_far(&self) -> Result<(&T, Option<Unread>), Unread> {
        match self.state {
            State::Collected => Ok((&self.rows, None)),
            State::Partial { .. } => Ok((&self.rows, Some(self.unread()))),
            _ => Err(self.unread()),
        }
    }

    /// The rows for the one who fills them.
    pub(crate) fn rows_mut(&mut self) -> &mut T {
        &mut self.rows
    }

    /// Whatever was read, complete or not, for looking up names: never for a verdict.
    pub(crate) fn hints(&self) -> &T {
        &self.rows
    }

    /// Adds to the number of rows read.
    pub(crate) fn count_rows(&mut self, rows: u64) {
        self.count += rows;
    }

    /// Says how the reading ended.
    pub(crate) fn end(&mut self, state: State) {
        self.state = state;
    }

    fn unread(&self) -> Unread {
        Unread {
            resource: self.resource,
            state: self.state.clone(),
            read: self.count,
        }
    }
}
