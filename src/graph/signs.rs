//! What the headers of an answer say about the pace.
//!
//! Sources: "Microsoft Graph throttling guidance" (`x-ms-resource-unit`, `x-ms-throttle-limit-percentage`), "Avoid getting throttled
//! in SharePoint Online" (`RateLimit-*`). A header that cannot be read counts as absent.

use std::time::Duration;

use super::pace::{Heard, Signs};
use super::retry::LONGEST;

impl Signs {
    /// Reads an answer to a request for which `units` were taken; `header` finds a header by its name in lower case.
    pub(crate) fn read(status: u16, units: u32, header: impl Fn(&str) -> Option<String>) -> Self {
        let number = |name: &str| {
            header(name)?
                .trim()
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite() && *number >= 0.0)
        };
        let reset = number("ratelimit-reset")
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .map(|reset| reset.min(LONGEST));
        Self {
            heard: match status {
                429 | 509 => Heard::Refused,
                502..=504 => Heard::Failing,
                _ => Heard::Good,
            },
            wait: Duration::ZERO,
            asked: false,
            units,
            cost: number("x-ms-resource-unit"),
            used: number("x-ms-throttle-limit-percentage"),
            left: number("ratelimit-remaining").zip(reset),
        }
    }

    /// With the wait before the repetition, and whether the answer asked for it.
    pub(crate) fn with_wait(self, wait: Duration, asked: bool) -> Self {
        Self {
            wait,
            asked,
            ..self
        }
    }
}
