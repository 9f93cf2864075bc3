//! The gates in simulated time: tasks, a clock that jumps from one wake-up to the next, and servers with buckets of their own.

mod rules;
mod runs;

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures_util::future::{BoxFuture, LocalBoxFuture};
use futures_util::stream::{FuturesUnordered, Stream as _};
use jiff::Timestamp;

use super::*;
use crate::graph::clock::{Clock, later, until};

/// Time that passes only when everybody waits for it.
#[derive(Default)]
struct Simulated(std::sync::Mutex<Sleepers>);

#[derive(Default)]
struct Sleepers {
    nanos: u64,
    next: u64,
    sleeping: BinaryHeap<Reverse<(u64, u64, WakerOf)>>,
}

/// Wakers have no order; the two numbers before it are enough.
struct WakerOf(Waker);

impl PartialEq for WakerOf {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for WakerOf {}
impl PartialOrd for WakerOf {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for WakerOf {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl Simulated {
    fn seconds(&self) -> f64 {
        until(Timestamp::UNIX_EPOCH, self.now()).as_secs_f64()
    }

    /// Goes to the next wake-up; nobody waits: `false`.
    fn advance(&self) -> bool {
        let mut state = self.0.lock().unwrap();
        let Some(Reverse((at, _, waker))) = state.sleeping.pop() else {
            return false;
        };
        state.nanos = at;
        drop(state);
        waker.0.wake();
        true
    }
}

impl Clock for Simulated {
    fn now(&self) -> Timestamp {
        let nanos = self.0.lock().unwrap().nanos;
        later(Timestamp::UNIX_EPOCH, Duration::from_nanos(nanos))
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        let until = self.0.lock().unwrap().nanos + u64::try_from(wait.as_nanos()).unwrap();
        Box::pin(std::future::poll_fn(move |context| {
            let mut state = self.0.lock().unwrap();
            if state.nanos >= until {
                return Poll::Ready(());
            }
            let number = state.next;
            state.next += 1;
            let waker = WakerOf(context.waker().clone());
            state.sleeping.push(Reverse((until, number, waker)));
            Poll::Pending
        }))
    }
}

/// Runs the tasks to their end, or until nobody has anything to do before `end` seconds.
fn run(clock: &Simulated, tasks: Vec<LocalBoxFuture<'_, ()>>, end: f64) {
    let mut tasks = pin!(tasks.into_iter().collect::<FuturesUnordered<_>>());
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match tasks.as_mut().poll_next(&mut context) {
            Poll::Ready(None) => return,
            Poll::Ready(Some(())) => {}
            Poll::Pending => {
                assert!(clock.advance(), "everybody waits for nothing");
                if clock.seconds() > end {
                    return;
                }
            }
        }
    }
}

/// What a server does with one request, at the moment it arrives.
#[derive(Clone, Copy)]
struct Word {
    status: u16,
    /// `Retry-After` in seconds.
    after: Option<u64>,
    used: Option<f64>,
    cost: Option<f64>,
}

const OK: Word = Word {
    status: 200,
    after: None,
    used: None,
    cost: None,
};

const fn refused(after: Option<u64>) -> Word {
    Word {
        status: 429,
        after,
        ..OK
    }
}

/// One run against one service.
struct Stage {
    clock: Simulated,
    gates: Gates,
    service: Service,
    units: u32,
    /// Seconds on the way there, and as many on the way back.
    way: f64,
    server: RefCell<Box<dyn FnMut(f64) -> Word>>,
    /// When requests arrived, in seconds, and what they were answered.
    log: RefCell<Vec<(f64, u16)>>,
    random: RefCell<fastrand::Rng>,
}

impl Stage {
    fn new(pace: &Pace, service: Service, server: impl FnMut(f64) -> Word + 'static) -> Self {
        Self {
            clock: Simulated::default(),
            gates: Gates::new(pace),
            service,
            units: 1,
            way: 0.05,
            server: RefCell::new(Box::new(server)),
            log: RefCell::default(),
            random: RefCell::new(fastrand::Rng::with_seed(365)),
        }
    }

    fn published(service: Service, server: impl FnMut(f64) -> Word + 'static) -> Self {
        Self::new(&Pace::published(), service, server)
    }

    /// One request, repeated until it is answered, as the client does it.
    async fn request(&self) {
        for attempt in 1.. {
            let mut pass = self
                .gates
                .enter(self.service, self.units, 1, &self.clock)
                .await;
            self.gates.sent(self.service, &mut pass, self.clock.now());
            let jitter = self.random.borrow_mut().f64() * 0.2 + 0.9;
            let way = Duration::from_secs_f64(self.way * jitter);
            self.clock.sleep(way).await;
            let at = self.clock.seconds();
            let word = (self.server.borrow_mut())(at);
            self.log.borrow_mut().push((at, word.status));
            self.clock.sleep(way).await;
            let started = pass.started;
            drop(pass);
            let header = |name: &str| match name {
                "x-ms-throttle-limit-percentage" => word.used.map(|used| used.to_string()),
                "x-ms-resource-unit" => word.cost.map(|cost| cost.to_string()),
                _ => None,
            };
            let ceiling = Duration::from_secs(1 << (attempt - 1).min(5));
            let wait = match (word.status, word.after) {
                (200, _) => Duration::ZERO,
                (_, Some(after)) => Duration::from_secs(after),
                (_, None) => ceiling.mul_f64(self.random.borrow_mut().f64()),
            };
            let signs =
                Signs::read(word.status, self.units, header).with_wait(wait, word.after.is_some());
            self.gates
                .told(self.service, started, &signs, self.clock.now());
            if word.status == 200 {
                return;
            }
            self.clock.sleep(wait).await;
        }
    }

    /// So many requests by so many streams; the seconds until the last was answered.
    fn all(&self, requests: usize, streams: usize) -> f64 {
        let left = Rc::new(Cell::new(requests));
        let stream = || {
            let left = Rc::clone(&left);
            async move {
                while left.get() > 0 {
                    left.set(left.get() - 1);
                    self.request().await;
                }
            }
        };
        let tasks = (0..streams).map(|_| Box::pin(stream()) as _).collect();
        run(&self.clock, tasks, f64::INFINITY);
        self.clock.seconds()
    }

    /// As many requests as can be made in so many seconds.
    fn during(&self, seconds: f64, streams: usize) {
        let stream = || async {
            while self.clock.seconds() < seconds {
                self.request().await;
            }
        };
        let tasks = (0..streams).map(|_| Box::pin(stream()) as _).collect();
        run(&self.clock, tasks, seconds);
    }

    fn count(&self, status: u16) -> usize {
        let log = self.log.borrow();
        log.iter().filter(|(_, seen)| *seen == status).count()
    }

    /// The part of the answers that were refusals.
    fn refused(&self) -> f64 {
        part(self.count(429), self.log.borrow().len())
    }
}

fn part(some: usize, all: usize) -> f64 {
    f64::from(u32::try_from(some).unwrap()) / f64::from(u32::try_from(all).unwrap())
}

/// The most requests that arrived within any window of so many seconds.
fn busiest(times: &[f64], seconds: f64) -> usize {
    let mut first = 0;
    let mut most = 0;
    for (last, time) in times.iter().enumerate() {
        while times[first] <= time - seconds {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most
}

/// A server whose bucket holds so many units and refills them in so many seconds, as the published numbers say.
fn bucket_server(units: f64, seconds: f64, cost: f64) -> impl FnMut(f64) -> Word {
    let (mut level, mut filled) = (units, 0.0);
    move |now| {
        level = f64::min(level + (now - filled) * units / seconds, units);
        filled = now;
        if level < cost {
            let wait = (cost - level) * seconds / units;
            let after = (1..300u32).find(|after| f64::from(*after) >= wait);
            return refused(Some(after.map_or(300, u64::from)));
        }
        level -= cost;
        let used = 1.0 - level / units;
        Word {
            used: (used > 0.8).then_some(used),
            cost: Some(cost),
            ..OK
        }
    }
}

/// A server that counts the units of the last so many seconds.
fn window_server(units: f64, seconds: f64, cost: f64) -> impl FnMut(f64) -> Word {
    let mut taken = std::collections::VecDeque::new();
    move |now| {
        while taken.front().is_some_and(|then| *then <= now - seconds) {
            taken.pop_front();
        }
        let used = (f64::from(u32::try_from(taken.len()).unwrap()) + 1.0) * cost / units;
        if used > 1.0 {
            return refused(Some(1));
        }
        taken.push_back(now);
        Word {
            used: (used > 0.8).then_some(used),
            cost: Some(cost),
            ..OK
        }
    }
}
