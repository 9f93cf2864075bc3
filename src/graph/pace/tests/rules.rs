//! Each rule by itself, at its boundaries.

use proptest::prelude::*;

use super::*;
use crate::graph::pace::bucket::Bucket;

/// The rate of a service relative to its published one, after answers that all began at the same moment.
fn rate_after(service: Service, words: &[Word]) -> (f64, f64) {
    let pace = Pace::published();
    let gates = Gates::new(&pace);
    let start = later(Timestamp::UNIX_EPOCH, Duration::from_secs(1));
    tell(&gates, service, start, start, words);
    let (rate, held) = gates.seen(service);
    let held = until(start, held).as_secs_f64();
    (rate / pace.limit(service).rate, held)
}

fn tell(gates: &Gates, service: Service, started: Timestamp, now: Timestamp, words: &[Word]) {
    for word in words {
        let used = word.used.map(|used| used.to_string());
        let header = |name: &str| {
            (name == "x-ms-throttle-limit-percentage")
                .then(|| used.clone())
                .flatten()
        };
        let wait = Duration::from_secs(word.after.unwrap_or(1));
        let signs = Signs::read(word.status, 1, header).with_wait(wait, word.after.is_some());
        gates.told(service, started, &signs, now);
    }
}

/// So many answers, each so-and-so-many-th of them a refusal that asks for ten seconds.
fn each(nth: usize, of: usize) -> Vec<Word> {
    let word = |number: usize| {
        if number.is_multiple_of(nth) {
            refused(Some(10))
        } else {
            OK
        }
    };
    (1..=of).map(word).collect()
}

#[test]
fn a_service_is_held_only_when_it_is_really_out_of_quota() {
    let failing = |times| {
        (0..times)
            .map(|_| Word {
                status: 503,
                after: Some(10),
                ..OK
            })
            .collect::<Vec<_>>()
    };
    let warned = |between: usize| {
        let mut words = vec![Word {
            used: Some(0.8),
            ..OK
        }];
        words.extend((0..between).map(|_| OK));
        words.push(refused(Some(10)));
        words
    };
    let row = |refusals| (0..refusals).map(|_| refused(Some(10))).collect::<Vec<_>>();
    let (fast, slow, alone, silent) = (
        Service::Identity,
        Service::SecurityAlerts,
        Service::IdentityReports,
        Service::ConditionalAccess,
    );
    #[rustfmt::skip]
    let cases = [
        ("one refusal", fast, row(1), 1.0, 0.0),
        ("four in a row", fast, row(4), 1.0, 0.0),
        ("five in a row", fast, row(5), 0.5, 10.0),
        ("one in five", fast, each(5, 200), 1.0, 0.0),
        ("one in four, not for long enough", fast, each(4, 60), 1.0, 0.0),
        ("one in four", fast, each(4, 64), 0.5, 10.0),
        ("one in six, slow", slow, each(6, 200), 1.0, 0.0),
        ("one in four, slow, not for long enough", slow, each(4, 12), 1.0, 0.0),
        ("one in four, slow", slow, each(4, 16), 0.5, 10.0),
        ("80 % used 15 answers ago", fast, warned(14), 0.5, 10.0),
        ("80 % used 16 answers ago", fast, warned(15), 1.0, 0.0),
        ("one at a time, with a wait", alone, row(1), 0.5, 10.0),
        ("one at a time, without one", alone, vec![refused(None)], 1.0, 0.0),
        ("never names a wait, once", silent, vec![refused(None)], 0.875, 0.0),
        ("five failures", fast, failing(5), 1.0, 0.0),
        ("six failures", fast, failing(6), 0.5, 10.0),
    ];
    for (what, service, words, rate, held) in cases {
        let found = rate_after(service, &words);
        assert!(
            (found.0 - rate).abs() < 1e-9 && (found.1 - held).abs() < 1e-9,
            "{what}: {found:?}"
        );
    }
}

#[test]
fn the_rate_is_halved_once_for_what_was_under_way_and_comes_back() {
    let pace = Pace::published();
    let at = |seconds| later(Timestamp::UNIX_EPOCH, Duration::from_secs(seconds));
    let rate = |gates: &Gates, service| gates.seen(service).0 / pace.limit(service).rate;
    let near =
        |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-9, "{found}, not {wanted}");

    // Conditional Access: an eighth for the first, half for one that follows within eight answers; a quarter per answer comes back, and
    // there is always a sixteenth.
    let (service, gates) = (Service::ConditionalAccess, Gates::new(&pace));
    tell(&gates, service, at(1), at(2), &[refused(None)]);
    near(rate(&gates, service), 0.875);
    tell(&gates, service, at(1), at(2), &[refused(None), OK]);
    near(rate(&gates, service), 0.875);
    for (begun, wanted) in [(3, 0.875), (5, 0.5)] {
        tell(&gates, service, at(begun), at(begun), &[OK; 7]);
        near(rate(&gates, service), 1.0);
        tell(
            &gates,
            service,
            at(begun + 1),
            at(begun + 1),
            &[refused(None)],
        );
        near(rate(&gates, service), wanted);
    }
    for wanted in [0.75, 1.0, 1.0] {
        tell(&gates, service, at(7), at(7), &[OK]);
        near(rate(&gates, service), wanted);
    }
    for second in 10..20 {
        tell(&gates, service, at(second), at(second), &[refused(None)]);
    }
    near(rate(&gates, service), 1.0 / 16.0);

    // After a hold a twelfth at a time, until 64 answers were good.
    let gates = Gates::new(&pace);
    let row = [const { refused(None) }; 5];
    tell(&gates, service, at(1), at(1), &row[..1]);
    tell(&gates, service, at(2), at(2), &row[1..]);
    near(rate(&gates, service), 0.4375);
    for times in 1..=6 {
        tell(&gates, service, at(3), at(3), &[OK]);
        near(rate(&gates, service), 0.4375 + f64::from(times) / 12.0);
    }
    tell(&gates, service, at(4), at(4), &[OK; 57]);
    tell(&gates, service, at(5), at(5), &row[..1]);
    tell(&gates, service, at(6), at(6), &row[..1]);
    near(rate(&gates, service), 0.4375);
    tell(&gates, service, at(7), at(7), &[OK]);
    near(rate(&gates, service), 0.4375 + 1.0 / 12.0);
    tell(&gates, service, at(8), at(8), &[OK]);
    near(rate(&gates, service), 0.4375 + 1.0 / 12.0 + 1.0 / 4.0);

    // Identity: a twelfth of a unit for each of the first 64 answers, then a quarter, which is a quarter of the rate per second.
    let (service, gates) = (Service::Identity, Gates::new(&pace));
    tell(&gates, service, at(1), at(1), &row);
    near(rate(&gates, service), 0.5);
    tell(&gates, service, at(2), at(2), &[OK; 64 + 100]);
    let units = 64.0 / 12.0 + 100.0 / 4.0;
    near(
        rate(&gates, service),
        0.5 + units / pace.limit(service).rate,
    );
}

/// A machine that is busy: whoever sleeps wakes late.
struct Busy(Simulated);

impl Clock for Busy {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        self.0.sleep(wait + Duration::from_millis(100))
    }
}

#[test]
fn requests_a_second_apart_are_a_second_apart_when_they_are_sent() {
    let clock = Busy(Simulated::default());
    let gates = Gates::new(&Pace::published());
    let service = Service::ConditionalAccess;
    let sent = RefCell::new(Vec::new());
    let task = |token| {
        let (gates, clock, sent) = (&gates, &clock, &sent);
        async move {
            let mut pass = gates.enter(service, 1, 1, clock).await;
            clock.0.sleep(Duration::from_millis(token)).await;
            gates.sent(service, &mut pass, clock.now());
            sent.borrow_mut().push(clock.0.seconds());
            clock.0.sleep(Duration::from_millis(500)).await;
        }
    };
    // The first has to wait for its token.
    let tasks = [2_000, 0, 0].map(|token| Box::pin(task(token)) as _);
    run(&clock.0, tasks.into(), f64::INFINITY);
    let sent = sent.into_inner();
    let apart: Vec<f64> = sent.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // What was sent late may have arrived late: the next one keeps its distance from that.
    let wanted = [1.02 + 0.1, 1.02 + 0.1 + 0.1];
    let is_near = apart
        .iter()
        .zip(wanted)
        .all(|(apart, wanted)| (apart - wanted).abs() < 1e-6);
    assert!(is_near, "{apart:?}");
}

#[test]
fn what_is_used_slows_down_smoothly_before_anything_is_refused() {
    for (used, rate) in [
        (0.79, 1.0),
        (0.8, 1.0),
        (0.9, 0.975),
        (1.0, 0.95),
        (1.4, 0.725),
        (1.8, 0.5),
        (9.0, 0.5),
    ] {
        let word = Word {
            used: Some(used),
            ..OK
        };
        let found = rate_after(Service::Identity, &[word]).0;
        assert!((found - rate).abs() < 1e-9, "{used}: {found}");
    }
}

#[test]
fn sharepoint_says_what_is_left() {
    let service = Service::SharePoint;
    let after = |left: &str, reset: &str| {
        let gates = Gates::new(&Pace::published());
        let header = |name: &str| match name {
            "ratelimit-remaining" => Some(left.to_owned()),
            "ratelimit-reset" => Some(reset.to_owned()),
            _ => None,
        };
        let now = Timestamp::UNIX_EPOCH;
        gates.told(service, now, &Signs::read(200, 1, header), now);
        let (rate, held) = gates.seen(service);
        (rate, (held > now).then(|| until(now, held).as_secs()))
    };
    let usual = Pace::published().limit(service).rate;
    let near = |found: (f64, Option<u64>), rate: f64, held| {
        assert!(
            (found.0 - rate).abs() < 1e-9 && found.1 == held,
            "{found:?}"
        );
    };
    near(after("100", "10"), 10.0, None);
    near(after("1000", "10"), usual, None);
    near(after("0", "10"), usual, Some(10));
    near(after("0", "86400"), usual, Some(300));
    near(after("0", "0"), usual, None);
    near(after("-3", "10"), usual, None);
    near(after("NaN", "inf"), usual, None);
    near(after("many", "soon"), usual, None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked for, and whenever: in no window of its length are more units taken than the quota has.
    #[test]
    fn no_window_sees_more_than_the_quota(
        quota in prop::sample::select(vec![(3_500.0, 10.0), (5_000.0, 10.0), (8_000.0, 10.0), (1_000.0, 20.0), (150.0, 60.0), (50.0, 60.0)]),
        steps in prop::collection::vec((0u64..2_000, 1u32..=5, 0u8..10), 1..400),
    ) {
        let (units, seconds) = quota;
        let limit = Limit::windowed(64, units, seconds);
        let mut bucket = Bucket::new(limit.rate, limit.burst);
        let mut now = Timestamp::UNIX_EPOCH;
        let mut taken: Vec<(f64, f64)> = Vec::new();
        for (pause, cost, what) in steps {
            now = later(now, Duration::from_millis(pause));
            match what {
                0 => bucket.set_rate(limit.rate / f64::from(cost), now),
                1 => bucket.set_rate(limit.rate, now),
                2 => bucket.charge(f64::from(cost)),
                _ => {}
            }
            // As many as there are, and then one more, for which is waited.
            for _ in 0..200 {
                if let Err(wait) = bucket.take(cost, now) {
                    now = later(now, wait);
                    prop_assert_eq!(bucket.take(cost, now), Ok(()));
                    taken.push((until(Timestamp::UNIX_EPOCH, now).as_secs_f64(), f64::from(cost)));
                    break;
                }
                taken.push((until(Timestamp::UNIX_EPOCH, now).as_secs_f64(), f64::from(cost)));
            }
        }
        let (mut first, mut sum) = (0, 0.0);
        for (at, cost) in &taken {
            sum += cost;
            while taken[first].0 <= at - seconds {
                sum -= taken[first].1;
                first += 1;
            }
            // Where the burst is one, a request of five is taken on credit; the quotas in units have room for it.
            let credit = (cost - limit.burst).max(0.0);
            prop_assert!(sum <= units + credit + 1e-6, "{} in {} s", sum, seconds);
        }
    }
}
