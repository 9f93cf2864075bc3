//! What was asked, counted: for runs of so many requests that their lines would fill the memory.
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{Hash as _, Hasher as _};

use serde::Serialize;
use tokio::task;
use tokio::time::Instant;

use super::RequestLine;
use super::floor::SIGN_INS;
use super::routes;
use super::throttle::Service;

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
    /// Graph requests by the service whose limit they were charged to, and by status; a broken connection has status 0.
    pub by_service: BTreeMap<String, BTreeMap<u16, u64>>,
    /// Graph requests by route (`/users/{id}/memberOf`).
    pub by_route: BTreeMap<String, u64>,
    /// Different paths that got their answer, granted or refused for good (200, 302, 403, 404), by service and by version and route:
    /// `{"Identity": {"v1.0 /users/{id}/memberOf": 3}}`. A path counts once, however often and with whatever query it was asked; the
    /// pages of a list are therefore one, and `$count` is none.
    pub needed: BTreeMap<String, BTreeMap<String, u64>>,
    /// Graph requests answered 429.
    pub throttled: u64,
    /// Graph requests hit by chance.
    pub hit: u64,
    /// Good answers to a path and query that had been answered well before.
    pub repeated: u64,
    /// The same by route.
    pub repeated_by_route: BTreeMap<String, u64>,
    /// Resource units charged.
    pub units: u64,
    /// Bytes of bodies sent, as compressed.
    pub bytes: u64,
    /// Requests that wait for their answer now, batches as one.
    pub in_flight: u64,
    /// The same with each part of a batch for itself, once the batch was taken apart.
    pub in_flight_requests: u64,
    /// Requests (batches as one) that waited at the most.
    pub most_in_flight: u64,
    /// Seconds from the first request to the last answer.
    pub seconds: f64,
}

/// The counts while they grow. Beside them a number is kept for each page and each path that was answered: 8 bytes.
#[derive(Debug, Default)]
pub(super) struct Counts {
    summary: Summary,
    answered: HashSet<u64>,
    /// What `needed` has counted.
    needed: HashSet<u64>,
    first: Option<Instant>,
    /// Parts of the batch that each task is answering. A connection (with HTTP/2: a stream) is a task and has one request at a time.
    flying: HashMap<Option<task::Id>, u64>,
}

impl Counts {
    /// A request arrived.
    pub(super) fn begin(&mut self, now: Instant) {
        self.first.get_or_insert(now);
        self.flying.insert(task::try_id(), 0);
        let summary = &mut self.summary;
        summary.in_flight += 1;
        summary.most_in_flight = summary.most_in_flight.max(summary.in_flight);
    }

    /// Its answer is complete, or nobody waits for it any more.
    pub(super) fn end(&mut self, now: Instant) {
        self.flying.remove(&task::try_id());
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
        let (path, query) = line.path.split_once('?').unwrap_or((&line.path, ""));
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
        if line.batch_part {
            *self.flying.entry(task::try_id()).or_default() += 1;
        }
        let (service, route) = match routes::find(version, &segments) {
            Ok(found) => {
                let route = found.route.template();
                let service = found.route.service.charged(&route, query);
                let name = name_of(&route, &segments, query);
                if matches!(status, 200 | 302 | 403 | 404) && !name.ends_with("/$count") {
                    self.need(service, version, &name, path, status);
                }
                (format!("{service:?}"), route)
            }
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
        if status == 200 {
            let mut hasher = DefaultHasher::new();
            line.path.hash(&mut hasher);
            if !self.answered.insert(hasher.finish()) {
                summary.repeated += 1;
                *summary.repeated_by_route.entry(route.clone()).or_default() += 1;
            }
        }
        *summary.by_route.entry(route).or_default() += 1;
    }

    /// Counts a path once for each service that it is charged to.
    fn need(
        &mut self,
        service: Service,
        version: routes::Version,
        name: &str,
        path: &str,
        status: u16,
    ) {
        let mut hasher = DefaultHasher::new();
        (service, name, path).hash(&mut hasher);
        if !self.needed.insert(hasher.finish()) {
            return;
        }
        // What is refused is one answer, however long the list would be.
        let refused = if status == 200 { "" } else { REFUSED };
        let key = format!("{} {name}{refused}", version.as_str());
        let routes = self
            .summary
            .needed
            .entry(format!("{service:?}"))
            .or_default();
        *routes.entry(key).or_default() += 1;
    }

    pub(super) fn summary(&self, hit: u64) -> Summary {
        Summary {
            hit,
            in_flight_requests: self.flying.values().map(|parts| (*parts).max(1)).sum(),
            ..self.summary.clone()
        }
    }
}

/// Ends the name of a route that was refused.
const REFUSED: &str = " refused";

/// The name of what was asked: its route, and what the path has beyond it. Accounts with their sign-ins are a list of their own.
fn name_of(route: &str, path: &[String], query: &str) -> String {
    let beyond = path.get(route.split('/').skip(1).count()..);
    match beyond.and_then(<[String]>::first) {
        None if route == "/users" && query.contains("signInActivity") => SIGN_INS.to_owned(),
        None => route.to_owned(),
        Some(last) if last.starts_with('$') || last.contains("graph.") => format!("{route}/{last}"),
        Some(_) => format!("{route}/{{id}}"),
    }
}
