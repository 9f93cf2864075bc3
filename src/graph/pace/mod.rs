//! How fast each service of Graph may be asked, in one table.
//!
//! Sources: Microsoft's published throttling limits (identity, reports, Intune and Outlook: 2023; the global limit:
//! 2025). Since 30 September 2025 one app gets at most half of a limit that counts for the whole tenant, and a 429 occurs below
//! the numbers under load, so each gate slows down when its service is short of quota and recovers afterwards.
//! Must not know what is asked for, only which service answers.
//!
//! - `service`: which service answers, and what a request takes from it
//! - `bucket`: units over time
//! - `gate`: waiting for a turn, and learning from answers

mod bucket;
mod gate;
mod recent;
mod service;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) use gate::{Gates, Heard, Signs};
pub use service::Service;
pub(crate) use service::Toll;

/// What one service is given.
///
/// In any window of `w` seconds at most `burst + rate × w` units are asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Requests in flight.
    pub concurrency: usize,
    /// Units that may be asked for in a second; infinite for no limit.
    pub rate: f64,
    /// Units that may follow each other at once after a rest.
    pub burst: f64,
    /// Up to this multiple of the rate the pace is raised while nothing is refused; 1 for never.
    pub explore: f64,
    /// Whether refusals come without `Retry-After`, so that they themselves have to be taken as a word about the pace.
    pub silent: bool,
}

impl Limit {
    /// One after the other, or a few at a time, as many as there are: the number of requests in flight is the limit.
    const fn unlimited(concurrency: usize) -> Self {
        Self {
            concurrency,
            rate: f64::INFINITY,
            burst: 1.0,
            explore: 1.0,
            silent: false,
        }
    }

    /// So many units in so many seconds, kept in every window of that length: 97 % come back at an even pace, 2 % may come
    /// at once, and 1 % is left for requests that overtake each other on their way.
    const fn windowed(concurrency: usize, units: f64, seconds: f64) -> Self {
        let burst = units * 0.02;
        Self {
            rate: units * 0.97 / seconds,
            burst: if burst < 1.0 { 1.0 } else { burst },
            ..Self::unlimited(concurrency)
        }
    }

    /// So many at once after a rest, and then one every so many seconds: small quotas, which Graph counts as a bucket.
    const fn bucket(concurrency: usize, burst: f64, seconds: f64) -> Self {
        Self {
            rate: 1.0 / seconds,
            burst,
            ..Self::unlimited(concurrency)
        }
    }

    /// How many parts a batch may have: no more than may come at once.
    pub(crate) fn batch(&self, most: u32) -> u32 {
        if self.rate.is_infinite() {
            return most;
        }
        (2..=most)
            .rev()
            .find(|parts| f64::from(*parts) <= self.burst)
            .unwrap_or(1)
    }
}

/// Resource units of the identity service per 10 s and app: by the number of users of the tenant.
const fn identity_units(users: u64) -> f64 {
    match users {
        0..50 => 3_500.0,
        50..=500 => 5_000.0,
        _ => 8_000.0,
    }
}

/// The identity service of a tenant with so many users.
const fn identity(concurrency: usize, users: u64) -> Limit {
    Limit::windowed(concurrency, identity_units(users), 10.0)
}

/// Streams to the identity service, unless another number is asked for.
const STREAMS: usize = 64;

/// The pace table.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    limits: BTreeMap<Service, Limit>,
    /// For all services together.
    all: Option<Limit>,
    /// One second of back-off in milliseconds.
    second: u64,
}

impl Pace {
    /// The pace for Microsoft's own Graph, from the published limits.
    pub fn published() -> Self {
        let limit = |service| match service {
            // The smallest class until the number of users is known.
            Service::Identity => identity(STREAMS, 0),
            Service::KeyCredentials | Service::SecurityAlerts => Limit::windowed(2, 150.0, 60.0),
            // 5 in 10 s. What is counted here is not certain (registration details, signInActivity), so more is tried.
            Service::IdentityReports => Limit {
                explore: 8.0,
                ..Limit::bucket(1, 5.0, 2.0)
            },
            // 14 in 10 minutes, and for each report: a run asks for each once.
            Service::UsageReports => Limit::bucket(2, 14.0, 600.0 / 14.0),
            // For all apps of the tenant together; our share may be half of it, which its refusals tell.
            Service::ConditionalAccess => Limit {
                silent: true,
                // Two requests a second apart may arrive a little closer: a refusal costs more than the margin.
                ..Limit::bucket(1, 1.0, 1.02)
            },
            // Not published: a handful of calls is safe.
            Service::IdentityProviders => Limit::bucket(2, 4.0, 1.0),
            Service::Pim => Limit::bucket(2, 1.0, 0.5),
            Service::IntuneDevices => Limit::windowed(4, 2_000.0, 20.0),
            Service::Intune => Limit::windowed(4, 1_000.0, 20.0),
            Service::Incidents => Limit::windowed(1, 50.0, 60.0),
            Service::SecureScore => Limit {
                burst: 4.0,
                ..Limit::windowed(4, 10_000.0, 600.0)
            },
            Service::ServiceCommunications => Limit::windowed(2, 240.0, 60.0),
            // The class of the fewest licences.
            Service::SharePoint => Limit::windowed(2, 1_250.0, 60.0),
            Service::Teams => Limit {
                burst: 4.0,
                ..Limit::windowed(4, 26.0, 1.0)
            },
            // 10,000 in 10 minutes for each mailbox: four at a time never come near.
            Service::Outlook => Limit::unlimited(4),
            // No published number: a modest one.
            Service::Other => Limit {
                burst: 20.0,
                ..Limit::windowed(4, 80.0, 10.0)
            },
        };
        Self {
            limits: Service::ALL
                .into_iter()
                .map(|service| (service, limit(service)))
                .collect(),
            all: None,
            second: 1_000,
        }
    }

    /// The pace for the built-in emulator: no limits, and back-off in milliseconds.
    pub fn fast() -> Self {
        Self {
            limits: Service::ALL
                .into_iter()
                .map(|service| (service, Limit::unlimited(STREAMS)))
                .collect(),
            all: None,
            second: 1,
        }
    }

    /// With so many requests to the identity service in flight (at least 1), and no more than that to any other.
    #[must_use]
    pub fn with_concurrency(mut self, streams: usize) -> Self {
        let streams = streams.max(1);
        for (service, limit) in &mut self.limits {
            limit.concurrency = match service {
                Service::Identity => streams,
                _ => limit.concurrency.min(streams),
            };
        }
        self
    }

    /// With at most so many requests in a second to all services together; each part of a batch counts.
    ///
    /// A number that is not above zero is no limit.
    #[must_use]
    pub fn with_max_requests_per_second(mut self, most: f64) -> Self {
        self.all = (most > 0.0 && most.is_finite()).then(|| {
            // Of a second's requests a twentieth may come at once: timers are no finer than that.
            let burst = (most / 20.0).max(1.0);
            let spare = if burst > 1.0 { burst } else { 0.0 };
            Limit {
                rate: most - spare,
                burst,
                ..Limit::unlimited(usize::MAX)
            }
        });
        self
    }

    /// What a service is given at first.
    pub fn limit(&self, service: Service) -> Limit {
        let narrow = Limit::bucket(1, 1.0, 1.0);
        self.limits.get(&service).copied().unwrap_or(narrow)
    }

    /// The ceiling of the back-off before try `attempt` (1 is the first repetition): 1, 2, 4 … 32 s, scaled.
    pub(crate) fn backoff(&self, attempt: u32) -> Duration {
        Duration::from_millis(self.second << attempt.saturating_sub(1).min(5))
    }
}
