//! How fast each service of Graph may be asked, in one table.
//!
//! Sources: Microsoft's published throttling limits (identity, reports, Intune and Outlook: 2023; the global limit:
//! 2025). Since 30 September 2025 one app gets at most half of a tenant's limit, and a 429 occurs below
//! the numbers under load, so the gate slows down on a 429 and recovers while nothing is refused.
//! Must not know what is asked for, only which service answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::clock::{Clock, earlier, later, until};

/// The services of Graph that have limits of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Service {
    /// Users, groups, applications, roles, domains, devices, policies: resource units, 3,500 to 8,000 per 10 s.
    Identity,
    /// Audit logs, registration details, recommendations, sign-in activity: 5 requests per 10 s.
    IdentityReports,
    /// Conditional Access and Identity Protection: 1 request per second for the tenant, no `Retry-After`.
    ConditionalAccess,
    /// Privileged Identity Management: no published number, heavy answers.
    Pim,
    /// Intune: 1,000 to 2,000 requests per 20 s.
    Intune,
    /// Alerts, incidents and attack simulation: 150 (incidents 50) requests per minute.
    SecurityAlerts,
    /// Secure scores and their control profiles: 4 concurrent requests.
    SecureScore,
    /// SharePoint settings and sites: resource units per minute.
    SharePoint,
    /// Mailbox settings, rules and calendars: 4 concurrent requests.
    Outlook,
    /// Everything else.
    Other,
}

impl Service {
    /// All services, in the order of the enum.
    pub const ALL: [Self; 10] = [
        Self::Identity,
        Self::IdentityReports,
        Self::ConditionalAccess,
        Self::Pim,
        Self::Intune,
        Self::SecurityAlerts,
        Self::SecureScore,
        Self::SharePoint,
        Self::Outlook,
        Self::Other,
    ];

    /// Which service answers for a path, with or without `/v1.0` or `/beta` and a query.
    pub fn of(path: &str) -> Self {
        let path = path
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let path = path
            .strip_prefix("/v1.0")
            .or_else(|| path.strip_prefix("/beta"))
            .unwrap_or(&path);
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        // `users('id')` and `users(id='…')` are the same resource as `users`.
        let mut next = || {
            segments
                .next()
                .unwrap_or_default()
                .split('(')
                .next()
                .unwrap_or_default()
        };
        let (first, second, third) = (next(), next(), next());
        match (first, second, third) {
            ("identity", "conditionalaccess", _)
            | ("identityprotection" | "conditionalaccess", _, _) => Self::ConditionalAccess,
            ("auditlogs", _, _)
            | (
                "reports",
                "authenticationmethods"
                | "serviceprincipalsigninactivities"
                | "appcredentialsigninactivities",
                _,
            )
            | ("directory", "recommendations", _) => Self::IdentityReports,
            ("rolemanagement", _, third) if third.contains("schedule") => Self::Pim,
            ("policies", second, _) if second.starts_with("rolemanagementpolic") => Self::Pim,
            ("identitygovernance", "privilegedaccess", _) | ("privilegedaccess", _, _) => Self::Pim,
            ("devicemanagement" | "deviceappmanagement", _, _) => Self::Intune,
            ("security", second, _) if second.starts_with("securescore") => Self::SecureScore,
            ("security", second, _)
                if second.starts_with("alerts")
                    || second == "incidents"
                    || second == "attacksimulation" =>
            {
                Self::SecurityAlerts
            }
            ("sites" | "shares" | "drives", _, _) | ("admin", "sharepoint", _) => Self::SharePoint,
            (
                "users",
                _,
                "mailboxsettings" | "mailfolders" | "messages" | "calendar" | "calendars"
                | "events",
            )
            | (
                "me",
                "mailboxsettings" | "mailfolders" | "messages" | "calendar" | "calendars"
                | "events",
                _,
            ) => Self::Outlook,
            (
                "users"
                | "groups"
                | "applications"
                | "serviceprincipals"
                | "directoryroles"
                | "directoryroletemplates"
                | "rolemanagement"
                | "domains"
                | "organization"
                | "subscribedskus"
                | "devices"
                | "directoryobjects"
                | "directory"
                | "oauth2permissiongrants"
                | "policies"
                | "contracts"
                | "groupsettings"
                | "groupsettingtemplates"
                | "contacts"
                | "applicationtemplates",
                _,
                _,
            ) => Self::Identity,
            _ => Self::Other,
        }
    }
}

/// What one service is given: requests at a time, and a bucket of starts that refills one per `spacing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Requests in flight.
    pub concurrency: usize,
    /// Time after which one more start is allowed; zero for no limit.
    pub spacing: Duration,
    /// How many starts may follow each other at once after a rest.
    pub burst: u32,
}

/// The pace table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    limits: BTreeMap<Service, Limit>,
    /// One second of back-off in milliseconds.
    second: u64,
}

impl Pace {
    /// The pace for Microsoft's own Graph, from the published limits.
    pub fn published() -> Self {
        let limits = Service::ALL
            .into_iter()
            .map(|service| {
                let (concurrency, spacing, burst) = match service {
                    Service::Identity => (32, 0, 1),
                    // 5 in 10 s; a small tenant's two or three requests need not wait for each other.
                    Service::IdentityReports => (1, 2_000, 3),
                    Service::ConditionalAccess => (1, 1_000, 1),
                    Service::Pim => (2, 500, 1),
                    Service::Intune => (4, 20, 1),
                    Service::SecurityAlerts => (2, 400, 1),
                    Service::SecureScore | Service::Outlook | Service::Other => (4, 0, 1),
                    Service::SharePoint => (2, 0, 1),
                };
                (
                    service,
                    Limit {
                        concurrency,
                        spacing: Duration::from_millis(spacing),
                        burst,
                    },
                )
            })
            .collect();
        Self {
            limits,
            second: 1_000,
        }
    }

    /// The pace for the built-in emulator: no spacing, and back-off in milliseconds.
    pub fn fast() -> Self {
        let limit = Limit {
            concurrency: 32,
            spacing: Duration::ZERO,
            burst: 1,
        };
        Self {
            limits: Service::ALL
                .into_iter()
                .map(|service| (service, limit))
                .collect(),
            second: 1,
        }
    }

    /// What a service is given.
    pub fn limit(&self, service: Service) -> Limit {
        const NARROW: Limit = Limit {
            concurrency: 1,
            spacing: Duration::from_secs(1),
            burst: 1,
        };
        self.limits.get(&service).copied().unwrap_or(NARROW)
    }

    /// The ceiling of the back-off before try `attempt` (1 is the first repetition): 1, 2, 4 … 32 s, scaled.
    pub(crate) fn backoff(&self, attempt: u32) -> Duration {
        Duration::from_millis(self.second << attempt.saturating_sub(1).min(5))
    }
}

/// Lets requests of a service through at its pace, and holds all of them after a 429.
pub(crate) struct Gates {
    gates: BTreeMap<Service, Gate>,
}

struct Gate {
    limit: Limit,
    permits: Arc<Semaphore>,
    state: Mutex<State>,
}

struct State {
    /// When the bucket of starts is full again.
    next: Timestamp,
    /// Nothing starts before this instant.
    paused: Timestamp,
    /// Factor on the spacing, 1 to 16; doubled by a 429.
    slow: u32,
    /// Answers without a 429 since the factor last changed.
    calm: u32,
}

impl State {
    /// Takes the next start, as a bucket that refills one start per spacing.
    fn reserve(&mut self, now: Timestamp, limit: Limit) -> Timestamp {
        let spacing = limit.spacing.saturating_mul(self.slow);
        let full = self.next.max(now);
        self.next = later(full, spacing);
        // A slowed service has no burst: the burst may have been what it objected to.
        let ahead = if self.slow > 1 {
            0
        } else {
            limit.burst.saturating_sub(1)
        };
        earlier(full, spacing.saturating_mul(ahead)).max(now)
    }
}

/// After this many answers without a 429 the spacing halves again.
const RECOVERY: u32 = 20;

impl Gates {
    pub(crate) fn new(pace: &Pace) -> Self {
        let gates = Service::ALL
            .into_iter()
            .map(|service| {
                let limit = pace.limit(service);
                let state = State {
                    next: Timestamp::MIN,
                    paused: Timestamp::MIN,
                    slow: 1,
                    calm: 0,
                };
                let permits = Arc::new(Semaphore::new(limit.concurrency.max(1)));
                (
                    service,
                    Gate {
                        limit,
                        permits,
                        state: Mutex::new(state),
                    },
                )
            })
            .collect();
        Self { gates }
    }

    /// Waits until a request of this service may start. The permit is held until its answer has been read.
    pub(crate) async fn enter(
        &self,
        service: Service,
        clock: &dyn Clock,
    ) -> Option<OwnedSemaphorePermit> {
        let gate = self.gates.get(&service)?;
        // The semaphore is never closed.
        let permit = Arc::clone(&gate.permits).acquire_owned().await.ok();
        let mut turn = None;
        loop {
            let now = clock.now();
            let start = {
                let mut state = gate.state();
                let turn = *turn.get_or_insert_with(|| state.reserve(now, gate.limit));
                // A pause may begin while this request waits for its turn, so it is looked at again each time.
                turn.max(state.paused)
            };
            let wait = until(now, start);
            if wait.is_zero() {
                return permit;
            }
            clock.sleep(wait).await;
        }
    }

    /// Holds the whole service until `then` and doubles its spacing: Graph counts requests made during the wait.
    pub(crate) fn pause(&self, service: Service, then: Timestamp) {
        if let Some(gate) = self.gates.get(&service) {
            let mut state = gate.state();
            state.paused = state.paused.max(then);
            state.slow = (state.slow * 2).min(16);
            state.calm = 0;
        }
    }

    /// An answer arrived that was not a 429.
    pub(crate) fn answered(&self, service: Service) {
        if let Some(gate) = self.gates.get(&service) {
            let mut state = gate.state();
            state.calm += 1;
            if state.calm >= RECOVERY {
                state.slow = (state.slow / 2).max(1);
                state.calm = 0;
            }
        }
    }
}

impl Gate {
    /// A panic elsewhere leaves nothing half-done in these four numbers.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
