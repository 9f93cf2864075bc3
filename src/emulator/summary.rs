//! What was asked, counted: for runs of so many requests that their lines would fill the memory.
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash as _, Hasher as _};

use serde::Serialize;
use tokio::time::Instant;

use super::RequestLine;
use super::routes;

/// Counts of one emulator so far. A part of a batch is a request; a batch itself is not.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Graph requests.
    pub requests: u64,
    /// Of them parts of batches.
    pub parts: u64,
    /// Batches.
    pub batches: u64,
    /// Token requests.
    pub tokens: u64,
    /// Graph requests by service and status; a broken connection has status 0.
    pub by_service: BTreeMap<String, BTreeMap<u16, u64>>,
    /// Graph requests by route (`/users/{id}/memberOf`).
    pub by_route: BTreeMap<String, u64>,
    /// Graph requests answered 429.
    pub throttled: u64,
    /// Graph requests hit by chance.
    pub hit: u64,
    /// Good answers to a path and query that had been answered well before.
    pub repeated: u64,
    /// Resource units charged.
    pub units: u64,
    /// Bytes of bodies sent, as compressed.
    pub bytes: u64,
    /// Requests that wait for their answer now, batches as one.
    pub in_flight: u64,
    /// And at the most.
    pub most_in_flight: u64,
    /// Seconds from the first request to the last answer.
    pub seconds: f64,
}

/// The counts while they grow. Beside them a number is kept for each page that was answered: 8 bytes.
#[derive(Debug, Default)]
pub(super) struct Counts {
    summary: Summary,
    answered: HashSet<u64>,
    first: Option<Instant>,
}

impl Counts {
    /// A request arrived.
    pub(super) fn begin(&mut self, now: Instant) {
        self.first.get_or_insert(now);
        let summary = &mut self.summary;
        summary.in_flight += 1;
        summary.most_in_flight = summary.most_in_flight.max(summary.in_flight);
    }

    /// Its answer is complete, or nobody waits for it any more.
    pub(super) fn end(&mut self, now: Instant) {
        self.summary.in_flight = self.summary.in_flight.saturating_sub(1);
        let passed = self.first.map(|first| now.duration_since(first));
        self.summary.seconds = passed.unwrap_or_default().as_secs_f64();
    }

    pub(super) fn sent(&mut self, bytes: u64) {
        self.summary.bytes += bytes;
    }

    pub(super) fn charged(&mut self, units: u32) {
        self.summary.units += u64::from(units);
    }

    /// A request was answered; `broken`: with nothing.
    pub(super) fn answered(&mut self, line: &RequestLine, broken: bool) {
        let path = line.path.split('?').next().unwrap_or_default();
        let mut segments = path.split('/').skip(1);
        let Some(version) = segments.next().and_then(routes::Version::parse) else {
            if path.ends_with("/oauth2/v2.0/token") {
                self.summary.tokens += 1;
            }
            return;
        };
        let segments: Vec<String> = segments.map(ToOwned::to_owned).collect();
        if segments.first().is_some_and(|first| first == "$batch") {
            self.summary.batches += 1;
            return;
        }
        let status = if broken { 0 } else { line.status };
        let (service, route) = match routes::find(version, &segments) {
            Ok(found) => (format!("{:?}", found.route.service), found.route.template()),
            Err(_) => ("Unknown".to_owned(), path.to_owned()),
        };
        let summary = &mut self.summary;
        summary.requests += 1;
        summary.parts += u64::from(line.batch_part);
        summary.throttled += u64::from(status == 429);
        *summary
            .by_service
            .entry(service)
            .or_default()
            .entry(status)
            .or_default() += 1;
        *summary.by_route.entry(route).or_default() += 1;
        if status == 200 {
            let mut hasher = DefaultHasher::new();
            line.path.hash(&mut hasher);
            summary.repeated += u64::from(!self.answered.insert(hasher.finish()));
        }
    }

    pub(super) fn summary(&self, hit: u64) -> Summary {
        Summary {
            hit,
            ..self.summary.clone()
        }
    }
}
