//! Microsoft Graph, read only.
//!
//! [`GraphClient`] can GET, page through collections, and post a `$batch` made of GETs; no other verb exists
//! in this room. It keeps the pace of each service and learns it from the answers, waits and repeats what is worth repeating,
//! renews a refused token, and sends the token to the configured Graph root only. It does not know what
//! the rows mean, which permission a request needs, or who asks.

mod batch;
mod budget;
mod client;
mod clock;
mod error;
pub mod http;
pub mod odata;
mod pace;
mod page;
mod report;
mod retry;
mod signs;

pub use batch::Answers;
pub use client::{Answer, Effort, Event, GraphClient, Observer};
pub use clock::{Clock, SystemClock};
pub(crate) use clock::{later, until};
pub(crate) use error::printable;
pub use error::{ErrorKind, GraphError, Refusal};
pub use odata::Query;
pub use pace::{Limit, Pace, Service};
pub use page::{Page, Pages};
pub(crate) use retry::retry_after;
