//! What was read from a tenant, and what was not.
//!
//! [`model`] holds the wire types as Graph names them, [`tenant`] the in-memory tenant that rules read,
//! [`section`] the state of each list, [`resource`] the list of everything that can be asked for, and
//! [`mod@file`] the snapshot file. Nothing here signs in, asks Graph or judges: rows come in, rows are held,
//! and a row that was not read can never be mistaken for one that is not there.

pub mod file;
mod granted;
pub mod id;
mod licence;
pub mod model;
pub mod preview;
pub mod reference;
pub mod resource;
pub mod section;
pub mod shard;
pub mod tenant;
pub mod text;

pub use file::{Earlier, Header, Page, Record, SnapshotError};
pub use granted::Granted;
pub use id::{Guid, GuidHasher, GuidMap, GuidSet};
pub use licence::Licence;
pub use resource::Resource;
pub use section::{Section, State, Unread};
pub use shard::Shard;
pub use tenant::Tenant;
pub use text::{Untrusted, UntrustedRef};
