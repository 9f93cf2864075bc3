//! What lies between client and service: time, a slow tail, a narrow line, and trouble by chance. Seeded, so that a run can be
//! repeated; which request is hit depends on the order of arrival.
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::faults::{FaultKind, RetryAfter};
use super::synthetic::Source;

/// How long answers take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latency {
    /// Of an ordinary answer.
    pub base: Duration,
    /// An answer takes up to this share more or less; 0.2 is +-20 %.
    pub jitter: f64,
    /// This share of answers is slow.
    pub slow_share: f64,
    /// A slow answer takes so many times as long.
    pub slow_factor: f64,
}

impl From<Duration> for Latency {
    /// Always the same time.
    fn from(base: Duration) -> Self {
        Self {
            base,
            jitter: 0.0,
            slow_share: 0.0,
            slow_factor: 1.0,
        }
    }
}

impl Latency {
    /// This time, +-20 %, and three times as long for 1 % of answers.
    pub fn ragged(base: Duration) -> Self {
        Self {
            base,
            jitter: 0.2,
            slow_share: 0.01,
            slow_factor: 3.0,
        }
    }

    /// The mean: the jitter is as often more as less.
    pub fn mean(&self) -> Duration {
        self.base
            .mul_f64(1.0 + self.slow_share * (self.slow_factor - 1.0))
    }

    fn draw(&self, first: f64, second: f64) -> Duration {
        let spread = 1.0 + self.jitter * (2.0 * first - 1.0);
        let slow = if second < self.slow_share {
            self.slow_factor
        } else {
            1.0
        };
        self.base.mul_f64((spread * slow).max(0.0))
    }
}

/// Trouble by chance, after a request was counted against its limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    /// This share of requests is hit; the parts of a batch each for itself, a batch as a whole never.
    pub share: f64,
    /// What happens, each as often.
    pub kinds: Vec<FaultKind>,
}

impl Trouble {
    /// 429 and 503 which both ask to wait so many seconds.
    pub fn with_retry_after(share: f64, seconds: u64) -> Self {
        let retry_after = RetryAfter::Seconds(seconds);
        let kinds = vec![
            FaultKind::Throttle {
                retry_after: retry_after.clone(),
            },
            FaultKind::Unavailable { retry_after },
        ];
        Self { share, kinds }
    }

    /// 429 and 503 without a word of when to come back, and connections that break.
    pub fn without_retry_after(share: f64) -> Self {
        let retry_after = RetryAfter::None;
        let kinds = vec![
            FaultKind::Throttle {
                retry_after: retry_after.clone(),
            },
            FaultKind::Unavailable { retry_after },
            FaultKind::ResetConnection,
        ];
        Self { share, kinds }
    }

    /// The shortest wait that is asked for, in seconds.
    pub(super) fn wait(&self) -> f64 {
        let waits = self.kinds.iter().map(|kind| match kind {
            FaultKind::Throttle { retry_after } | FaultKind::Unavailable { retry_after } => {
                retry_after.seconds()
            }
            _ => 0.0,
        });
        waits.reduce(f64::min).unwrap_or(0.0)
    }
}

/// The network of one emulator.
#[derive(Debug)]
pub(super) struct Network {
    seed: Source,
    latency: Option<Latency>,
    trouble: Option<Trouble>,
    /// Bytes a second, for all connections together.
    bandwidth: Option<u64>,
    answers: AtomicU64,
    requests: AtomicU64,
    hit: AtomicU64,
    /// When the line is free again.
    free: Mutex<Option<Instant>>,
}

impl Network {
    pub(super) fn new(
        seed: u64,
        latency: Option<Latency>,
        trouble: Option<Trouble>,
        bandwidth: Option<u64>,
    ) -> Self {
        Self {
            seed: Source::of_seed(seed),
            latency,
            trouble,
            bandwidth,
            answers: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            hit: AtomicU64::new(0),
            free: Mutex::default(),
        }
    }

    /// How long the next answer takes.
    pub(super) fn latency(&self) -> Option<Duration> {
        let latency = self.latency?;
        let number = self.answers.fetch_add(1, Ordering::Relaxed);
        Some(latency.draw(self.seed.share(number, 1), self.seed.share(number, 2)))
    }

    /// The trouble that hits the next request.
    pub(super) fn trouble(&self, batch_part: bool) -> Option<FaultKind> {
        let trouble = self.trouble.as_ref()?;
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        if self.seed.share(number, 3) >= trouble.share || trouble.kinds.is_empty() {
            return None;
        }
        self.hit.fetch_add(1, Ordering::Relaxed);
        let at = self.seed.number(number, 4) % trouble.kinds.len() as u64;
        let kind = trouble.kinds.get(usize::try_from(at).unwrap_or(0)).cloned();
        // A part has no connection of its own.
        match kind {
            Some(FaultKind::ResetConnection) if batch_part => Some(FaultKind::Unavailable {
                retry_after: RetryAfter::None,
            }),
            kind => kind,
        }
    }

    /// How many requests were hit.
    pub(super) fn hit(&self) -> u64 {
        self.hit.load(Ordering::Relaxed)
    }

    /// How long so many bytes are on their way, after those before them.
    pub(super) fn transfer(&self, bytes: u64, now: Instant) -> Duration {
        let Some(bandwidth) = self.bandwidth.filter(|bandwidth| *bandwidth > 0) else {
            return Duration::ZERO;
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "far below the 2^53 bytes where it would matter"
        )]
        let takes = Duration::from_secs_f64(bytes as f64 / bandwidth as f64);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let end = free.map_or(now, |free| free.max(now)) + takes;
        *free = Some(end);
        end.duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAGGED: f64 = 0.02;

    #[test]
    fn latencies_stay_in_their_bounds_and_reach_their_mean() {
        let base = Duration::from_millis(500);
        let latency = Latency::ragged(base);
        let network = |seed| Network::new(seed, Some(latency), None, None);
        let drawn = |network: &Network| -> Vec<Duration> {
            (0..20_000).filter_map(|_| network.latency()).collect()
        };
        let (first, again, other) = (drawn(&network(1)), drawn(&network(1)), drawn(&network(2)));
        assert_eq!(first, again);
        assert_ne!(first, other);
        let slow = first
            .iter()
            .filter(|time| **time > base.mul_f64(1.2))
            .count();
        assert!((150..250).contains(&slow), "{slow} of 20,000 are slow");
        assert!(
            first
                .iter()
                .all(|time| { (base.mul_f64(0.8)..=base.mul_f64(3.6)).contains(time) })
        );
        let mean = first.iter().sum::<Duration>().div_f64(20_000.0);
        let off = mean.as_secs_f64() / latency.mean().as_secs_f64() - 1.0;
        assert!(off.abs() < RAGGED, "{mean:?} against {:?}", latency.mean());
    }

    #[test]
    fn trouble_has_the_share_that_was_asked_for_and_is_seeded() {
        let hits = |seed| -> Vec<Option<FaultKind>> {
            let trouble = Trouble::without_retry_after(0.1);
            let network = Network::new(seed, None, Some(trouble), None);
            (0..10_000).map(|_| network.trouble(false)).collect()
        };
        let first = hits(5);
        assert_eq!(first, hits(5));
        assert_ne!(first, hits(6));
        let many = first.iter().flatten().count();
        assert!((900..1_100).contains(&many), "{many} of 10,000");
        let resets = first
            .iter()
            .flatten()
            .filter(|kind| **kind == FaultKind::ResetConnection);
        assert!((250..420).contains(&resets.count()));
    }

    #[test]
    fn bytes_wait_for_those_before_them() {
        let network = Network::new(0, None, None, Some(1_000));
        let now = Instant::now();
        assert_eq!(network.transfer(500, now), Duration::from_millis(500));
        assert_eq!(network.transfer(500, now), Duration::from_secs(1));
        let later = now + Duration::from_secs(5);
        assert_eq!(network.transfer(1_000, later), Duration::from_secs(1));
    }
}
