//! The clock, handed in: what the time is and how to wait.
//!
//! Promises that nothing else in `graph` and `auth` asks the system for the time or sleeps. Must not know
//! what the waiting is for.

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

/// The time and the ability to wait; a test hands in one that records waits and never sleeps.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Timestamp;

    /// Waits for this long.
    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()>;
}

/// The real clock: the instant of the start, given once, plus monotonic time since then.
///
/// A correction of the system clock during a run therefore moves neither expiry nor waits.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Timestamp,
    since: Instant,
}

impl SystemClock {
    /// A clock that shows `now` at this moment.
    pub fn starting_at(now: Timestamp) -> Self {
        Self {
            start: now,
            since: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        later(self.start, self.since.elapsed())
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(wait))
    }
}

/// `start` plus `span`, held at the end of time instead of overflowing.
pub(crate) fn later(start: Timestamp, span: Duration) -> Timestamp {
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    start.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// How long from `now` until `then`; zero when it has passed.
pub(crate) fn until(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO)
}
