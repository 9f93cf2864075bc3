//! The gates: a request waits here for its turn, and what its answer says about the service is remembered.
//!
//! Rules, for each service by itself:
//!
//! - A request takes its units from the bucket before it starts, in the order of arrival. When the answer names another cost
//!   (`x-ms-resource-unit`), the difference is charged afterwards. Where requests are spaced one at a time, the space is counted from
//!   the moment of sending, and made wider by as much as the sender woke late: on a busy machine a late request would otherwise be
//!   followed by one on time, and both would fall into one window of the service.
//! - A refusal makes only its own request wait. One request in ten can be refused by chance, and a service that stood still each
//!   time would stand still for good.
//! - The whole service is held until the end of that wait when the service is really out of quota: its latest answers show it
//!   (`Recent`), or it is asked one request at a time and names the wait itself. Requests made during the wait would count.
//! - Each hold halves the rate, once for all requests that were under way. So does a refusal of a service that never names a
//!   wait, if it is not the first in a while: one alone takes an eighth, for two requests may have come closer on their way. The rate comes back by a quarter of the published one per answer, or per second where answers come faster; by a twelfth
//!   for a while after a hold.
//! - From 80 % of the quota on Graph says how much is used: the rate goes down a little with each per cent, before any refusal.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use super::bucket::Bucket;
use super::recent::Recent;
use super::{Limit, Pace, Service, identity};
use crate::graph::clock::{Clock, later, until};

/// The rate never falls below this part of the published one.
const SLOWEST: f64 = 1.0 / 16.0;
/// What is left of the rate after a hold.
const HALF: f64 = 1.0 / 2.0;
/// What is left of it after a refusal that may be chance.
const LESS: f64 = 7.0 / 8.0;
/// The most that a space between two requests is widened because the machine is busy.
const LATEST: Duration = Duration::from_millis(250);
/// What comes back at a time, as a part of the published rate.
const RECOVERY: f64 = 1.0 / 4.0;
/// As above, while the last hold is not long ago.
const CAUTIOUS: f64 = 1.0 / 12.0;
/// For so many answers after a hold the recovery is cautious.
const CALM: u32 = 64;
/// How much is added at a time beyond the published rate.
const EXPLORE: f64 = 1.0 / 16.0;
/// From so many units per second on a service counts as fast: recovery is per second, not per answer.
const FAST: f64 = 5.0;
/// The most units that one answer is believed to have cost.
const COSTLIEST: f64 = 1_000.0;

/// Lets requests of a service through at its pace.
pub(crate) struct Gates {
    gates: BTreeMap<Service, Gate>,
    /// For all services together.
    all: Option<Gate>,
}

struct Gate {
    permits: Arc<Semaphore>,
    /// Held by the one that waits for its units: the others queue behind it, in order.
    turn: Arc<tokio::sync::Mutex<()>>,
    state: Mutex<State>,
}

struct State {
    limit: Limit,
    bucket: Bucket,
    /// Nothing starts before this instant.
    held: Timestamp,
    /// When the rate was last lowered. What was under way then has nothing new to say.
    slowed: Timestamp,
    /// Good answers since the last hold; `None` when there was none.
    since_hold: Option<u32>,
    recent: Recent,
}

/// Leave to send one request; the place is taken until it is dropped.
pub(crate) struct Pass {
    /// When it was given.
    pub(crate) started: Timestamp,
    _place: Option<OwnedSemaphorePermit>,
    /// Where requests are spaced one at a time nobody else has his turn before this one is sent.
    turn: Option<Turn>,
}

/// The turn of a request that is not sent yet.
struct Turn {
    _turn: OwnedMutexGuard<()>,
    /// How much later than it should have been it came.
    late: Duration,
}

/// How an answer bears on the pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Any answer that says nothing against the pace, 403 and 404 included.
    Good,
    /// 429 or 509.
    Refused,
    /// 502, 503 or 504.
    Failing,
}

/// What an answer said, beside its content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signs {
    pub(crate) heard: Heard,
    /// How long its own request waits before it is repeated.
    pub(crate) wait: Duration,
    /// Whether the answer asked for that wait.
    pub(crate) asked: bool,
    /// Units that were taken for it.
    pub(crate) units: u32,
    /// `x-ms-resource-unit`: units that it cost.
    pub(crate) cost: Option<f64>,
    /// `x-ms-throttle-limit-percentage`: used part of the quota, 0.8 to 1.8; absent below.
    pub(crate) used: Option<f64>,
    /// `RateLimit-Remaining` and `RateLimit-Reset`: units that are left, and the time until all come back.
    pub(crate) left: Option<(f64, Duration)>,
}

impl Gates {
    pub(crate) fn new(pace: &Pace) -> Self {
        Self {
            gates: Service::ALL
                .into_iter()
                .map(|service| (service, Gate::new(pace.limit(service))))
                .collect(),
            all: pace.all.map(Gate::new),
        }
    }

    /// Waits until a request of this service may start. It takes `units` of the service, and counts as `requests` for the limit over
    /// all services.
    pub(crate) async fn enter(
        &self,
        service: Service,
        units: u32,
        requests: u32,
        clock: &dyn Clock,
    ) -> Pass {
        let (mut place, mut turn) = (None, None);
        if let Some(gate) = self.gates.get(&service) {
            // The semaphore is never closed.
            place = Arc::clone(&gate.permits).acquire_owned().await.ok();
            turn = gate.wait(units, clock).await;
        }
        if let Some(all) = &self.all {
            all.wait(requests, clock).await;
        }
        Pass {
            started: clock.now(),
            _place: place,
            turn,
        }
    }

    /// A request that was let through is sent only now: it may have waited for a token.
    pub(crate) fn sent(&self, service: Service, pass: &mut Pass, now: Timestamp) {
        if let Some(turn) = pass.turn.take()
            && let Some(gate) = self.gates.get(&service)
        {
            gate.state().bucket.put_off(turn.late, now);
        }
    }

    /// An answer arrived for a request that was `started` then.
    pub(crate) fn told(&self, service: Service, started: Timestamp, signs: &Signs, now: Timestamp) {
        if let Some(gate) = self.gates.get(&service) {
            gate.state().told(started, signs, now);
        }
    }

    /// The tenant has so many users, on which the quota of the identity service depends.
    pub(crate) fn learn_users(&self, users: u64, now: Timestamp) {
        if let Some(gate) = self.gates.get(&Service::Identity) {
            let mut state = gate.state();
            if state.bucket.is_unlimited() {
                return;
            }
            let limit = identity(state.limit.concurrency, users);
            let share = state.bucket.rate() / state.limit.rate;
            state
                .bucket
                .resize(limit.rate * share.min(1.0), limit.burst, now);
            state.limit = limit;
        }
    }
}

#[cfg(test)]
impl Gates {
    /// The rate of a service, and the end of its hold.
    pub(super) fn seen(&self, service: Service) -> (f64, Timestamp) {
        let state = self.gates[&service].state();
        (state.bucket.rate(), state.held)
    }
}

impl Gate {
    fn new(limit: Limit) -> Self {
        let concurrency = limit.concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            permits: Arc::new(Semaphore::new(concurrency)),
            turn: Arc::default(),
            state: Mutex::new(State {
                limit,
                bucket: Bucket::new(limit.rate, limit.burst),
                held: Timestamp::MIN,
                slowed: Timestamp::MIN,
                since_hold: None,
                recent: Recent::default(),
            }),
        }
    }

    /// Takes the units when they are there and nothing is held. The turn lasts until the request is sent where that matters.
    async fn wait(&self, units: u32, clock: &dyn Clock) -> Option<Turn> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let mut late = Duration::ZERO;
        loop {
            let now = clock.now();
            let wait = {
                let mut state = self.state();
                // A hold or another rate may come while this request waits, so both are looked at each time.
                match until(now, state.held) {
                    Duration::ZERO => match state.bucket.take(units, now) {
                        Ok(()) => {
                            let late = late.min(LATEST);
                            return state
                                .bucket
                                .is_spaced()
                                .then_some(Turn { _turn: turn, late });
                        }
                        Err(wait) => wait,
                    },
                    held => held,
                }
            };
            clock.sleep(wait).await;
            late = until(later(now, wait), clock.now());
        }
    }

    /// A panic elsewhere leaves nothing half-done in these numbers.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn told(&mut self, started: Timestamp, signs: &Signs, now: Timestamp) {
        if let Some(cost) = signs.cost {
            self.bucket
                .charge(cost.min(COSTLIEST) - f64::from(signs.units));
        }
        let strained = signs.used.is_some_and(|used| used >= 0.8);
        let fast = self.limit.rate > FAST;
        match signs.heard {
            Heard::Good => {
                self.recent.good(strained);
                if started > self.slowed {
                    self.speed_up(signs.used, now);
                }
            }
            Heard::Refused => {
                self.recent.refused(strained);
                // What was tried beyond the published rate has been answered.
                self.limit.explore = 1.0;
                let alone = self.limit.concurrency == 1 && signs.asked;
                let hold = alone || self.recent.is_throttled(fast);
                if hold || (self.limit.silent && self.recent.was_refused_before()) {
                    self.slow_down(started, now, HALF);
                } else if self.limit.silent {
                    self.slow_down(started, now, LESS);
                }
                if hold {
                    self.hold(later(now, signs.wait), signs.units);
                }
            }
            Heard::Failing => {
                self.recent.failing();
                if self.recent.is_down() {
                    self.slow_down(started, now, HALF);
                    self.hold(later(now, signs.wait), signs.units);
                }
            }
        }
        if let Some((units, reset)) = signs.left {
            self.share_out(units, reset, now);
        }
    }

    /// Holds the service. Afterwards one request may go at once: nothing gathers during a hold.
    fn hold(&mut self, then: Timestamp, units: u32) {
        if then > self.held {
            self.held = then;
            self.bucket.restart(units, then);
        }
        self.since_hold = Some(0);
    }

    /// Leaves only this part of the rate, once for all requests that are under way.
    fn slow_down(&mut self, started: Timestamp, now: Timestamp, part: f64) {
        if started <= self.slowed || self.bucket.is_unlimited() {
            return;
        }
        self.slowed = now;
        // Whatever was tried beyond the published rate is forgotten first.
        let rate = self.bucket.rate().min(self.limit.rate) * part;
        self.bucket
            .set_rate(rate.max(self.limit.rate * SLOWEST), now);
    }

    fn speed_up(&mut self, used: Option<f64>, now: Timestamp) {
        if self.bucket.is_unlimited() {
            return;
        }
        let (nominal, rate) = (self.limit.rate, self.bucket.rate());
        let part = match &mut self.since_hold {
            Some(answers) if *answers < CALM => {
                *answers += 1;
                CAUTIOUS
            }
            // That the pace can be borne is shown by a request that had to keep to it, not by those after a rest.
            _ if rate >= nominal && self.bucket.level() >= 1.0 => 0.0,
            _ if rate >= nominal => EXPLORE,
            _ => RECOVERY,
        };
        let step = nominal * part / if nominal > FAST { nominal } else { 1.0 };
        let most = nominal * self.limit.explore * used.map_or(1.0, eased);
        self.bucket.set_rate((rate + step).min(most), now);
    }

    /// The rest of a window, spread over its time.
    fn share_out(&mut self, units: f64, reset: Duration, now: Timestamp) {
        if reset.is_zero() {
            return;
        }
        if units < 1.0 {
            self.hold(later(now, reset), 1);
        } else if units / reset.as_secs_f64() < self.bucket.rate() {
            self.bucket.set_rate(units / reset.as_secs_f64(), now);
        }
    }
}

/// Which part of the rate is kept when so much of the quota is used: all at 80 %, 95 % at 100 %, half at 180 %.
///
/// Gentle at first: a run that uses its quota well is meant to come near to 100 %.
fn eased(used: f64) -> f64 {
    if used <= 1.0 {
        0.25f64.mul_add(-(used - 0.8).max(0.0), 1.0)
    } else {
        (0.45f64 / 0.8).mul_add(-(used.min(1.8) - 1.0), 0.95)
    }
}
