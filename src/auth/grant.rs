//! What every way of getting a token gives back: a token, or why not and whether the next try may succeed.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;

use super::error::AuthError;
use super::refusal::Refused;
use crate::graph::until;

/// Assumed when an answer does not say how long its token lives.
pub(super) const LIFETIME: Duration = Duration::from_mins(10);
/// How often a token is asked for when nobody answers or a wait is asked for.
const TRIES: u32 = 4;

/// A token as it was handed out.
pub(super) struct Granted {
    pub(super) secret: SecretString,
    /// When it was asked for: its life is counted from here.
    pub(super) started: Timestamp,
    pub(super) lifetime: Duration,
    /// What the next token can be had for without a person; device code only.
    pub(super) refresh: Option<SecretString>,
}

/// Why one try failed, and whether the next may succeed.
pub(super) struct Failure {
    pub(super) error: AuthError,
    /// The wait that was asked for; `None`: our own back-off.
    pub(super) wait: Option<Duration>,
    /// Whether it may pass by itself.
    pub(super) passing: bool,
    /// How many tries are worth it, this one included, when it may pass.
    pub(super) tries: u32,
}

impl Failure {
    /// A failure that asking again does not mend.
    pub(super) fn lasting(error: AuthError) -> Self {
        Self {
            error,
            wait: None,
            passing: false,
            tries: 1,
        }
    }

    /// A failure that may have passed at the next try.
    pub(super) fn passing(error: AuthError, wait: Option<Duration>) -> Self {
        Self {
            error,
            wait,
            passing: true,
            tries: TRIES,
        }
    }

    /// Adds what only the one who asked knows to Entra's refusal.
    pub(super) fn explained(mut self, add: impl FnOnce(&mut Refused)) -> Self {
        if let AuthError::Refused(refused) = &mut self.error {
            add(refused);
        }
        self
    }
}

impl From<AuthError> for Failure {
    fn from(error: AuthError) -> Self {
        Self::lasting(error)
    }
}

/// A number of seconds, which the platforms write as a number or as a text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Seconds {
    Number(i64),
    Text(String),
}

impl Seconds {
    pub(super) fn value(&self) -> Option<i64> {
        match self {
            Self::Number(seconds) => Some(*seconds),
            Self::Text(text) => text.trim().parse().ok(),
        }
    }
}

/// How long a token lives that ends at `on` (seconds since 1970) or lived `within` seconds when it was made.
///
/// The end comes first: a platform hands out tokens that it made hours ago. An end that has passed is a clock gone wrong.
pub(super) fn lifetime(now: Timestamp, on: Option<&Seconds>, within: Option<&Seconds>) -> Duration {
    on.and_then(Seconds::value)
        .and_then(|end| Timestamp::from_second(end).ok())
        .map(|end| until(now, end))
        .filter(|left| !left.is_zero())
        .or_else(|| {
            within
                .and_then(Seconds::value)
                .and_then(|seconds| u64::try_from(seconds).ok())
                .map(Duration::from_secs)
        })
        .unwrap_or(LIFETIME)
}
