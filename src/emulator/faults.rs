//! Trouble on order, counted and not timed, so that a test sees the same each time.
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Trouble for some requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Part of the path and query of the requests that are meant, for example `/v1.0/users`; empty: all. The token endpoint and the
    /// parts of a batch (with the version in front) are matched too.
    pub path_contains: String,
    /// Which of the matching requests.
    pub nth: Nth,
    /// What happens.
    pub kind: FaultKind,
}

/// Which of the matching requests; the first is number 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nth {
    /// This one only.
    Only(u64),
    /// The first so many.
    First(u64),
    /// Each n-th; 0 never.
    Every(u64),
    /// All after the first so many.
    After(u64),
    /// All.
    Always,
}

impl Nth {
    fn hits(self, number: u64) -> bool {
        match self {
            Self::Only(n) => number == n,
            Self::First(n) => number <= n,
            Self::After(n) => number > n,
            Self::Every(n) => n != 0 && number.is_multiple_of(n),
            Self::Always => true,
        }
    }
}

/// `Retry-After` of a refusal, in the forms that Graph has been seen to use.
#[derive(Debug, Clone, PartialEq)]
pub enum RetryAfter {
    /// No header, as Conditional Access and Identity Protection do it.
    None,
    /// Whole seconds.
    Seconds(u64),
    /// An HTTP date, this many seconds after the `Date` of the answer.
    HttpDate(u64),
    /// A decimal number, for example `2.128`.
    Decimal(f64),
}

/// Kinds of trouble.
#[derive(Debug, Clone, PartialEq)]
pub enum FaultKind {
    /// 429 in the words of the service.
    Throttle {
        /// The wait that is asked for.
        retry_after: RetryAfter,
    },
    /// 503.
    Unavailable {
        /// The wait that is asked for.
        retry_after: RetryAfter,
    },
    /// This status, with the body of Graph for 500, 502, 503 and 504.
    Status(u16),
    /// 401; the token stays refused.
    ExpiredToken,
    /// 401 with a claims challenge (continuous access evaluation); the token stays refused.
    ClaimsChallenge,
    /// The body ends in the middle.
    CutBody,
    /// The connection closes without an answer. Behind a listener of one's own: an answer that breaks off at once.
    ResetConnection,
    /// This status (200, 502) with a text/html body, as a proxy sends it.
    Html(u16),
    /// The page names this address as its next.
    WrongHostNextLink(String),
    /// The page names itself as its next.
    LoopNextLink,
    /// The rows of the page before once more, in place of its own.
    RepeatPage,
    /// A page without `value`.
    MissingValue,
    /// An error body under status 200.
    ErrorUnder200,
    /// No rows and a nextLink, behind which the rows come.
    EmptyPageWithNextLink,
    /// 302 to this address.
    Redirect(String),
    /// `$top` is taken as not sent: the page has the default size of the service.
    IgnoreTop,
    /// The last so many rows of the page are left out, without a word.
    DropRows(usize),
    /// A part of a batch answers 500 while the batch is well; only parts are counted.
    BatchPartFailure,
    /// The answer is held back this long.
    Latency(Duration),
}

/// The faults of one emulator with their counters.
#[derive(Debug)]
pub(super) struct Faults {
    faults: Vec<(Fault, AtomicU64)>,
}

impl Faults {
    pub(super) fn new(faults: Vec<Fault>) -> Self {
        Self {
            faults: faults
                .into_iter()
                .map(|fault| (fault, AtomicU64::new(0)))
                .collect(),
        }
    }

    /// Counts a request and returns the first fault that is due.
    pub(super) fn due(&self, path_and_query: &str, batch_part: bool) -> Option<FaultKind> {
        let mut due = None;
        for (fault, seen) in &self.faults {
            if !path_and_query.contains(&fault.path_contains)
                || (fault.kind == FaultKind::BatchPartFailure && !batch_part)
            {
                continue;
            }
            let number = seen.fetch_add(1, Ordering::SeqCst) + 1;
            if due.is_none() && fault.nth.hits(number) {
                due = Some(fault.kind.clone());
            }
        }
        due
    }
}

impl RetryAfter {
    /// The wait in seconds.
    #[expect(clippy::cast_precision_loss, reason = "waits are short")]
    pub(super) const fn seconds(&self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Seconds(seconds) | Self::HttpDate(seconds) => *seconds as f64,
            Self::Decimal(seconds) => *seconds,
        }
    }

    /// The header value at this moment.
    pub(super) fn header(&self, now: jiff::Timestamp) -> Option<String> {
        match self {
            Self::None => None,
            Self::Seconds(seconds) => Some(seconds.to_string()),
            Self::HttpDate(seconds) => {
                let wait = jiff::SignedDuration::try_from(Duration::from_secs(*seconds)).ok()?;
                Some(http_date(now.checked_add(wait).ok()?))
            }
            Self::Decimal(seconds) => Some(format!("{seconds}")),
        }
    }
}

/// An instant as HTTP writes it.
pub(super) fn http_date(at: jiff::Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_per_fault() {
        let fault = |path: &str, nth| Fault {
            path_contains: path.to_owned(),
            nth,
            kind: FaultKind::Status(503),
        };
        let faults = Faults::new(vec![
            fault("/users", Nth::Only(2)),
            fault("/groups", Nth::Every(2)),
        ]);
        let hits: Vec<bool> = [
            "/users", "/groups", "/users", "/groups", "/users", "/groups",
        ]
        .map(|path| faults.due(path, false).is_some())
        .to_vec();
        assert_eq!(hits, [false, false, true, true, false, false]);
    }
}
