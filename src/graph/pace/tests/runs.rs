//! Whole runs against servers that count.

use super::*;

#[test]
fn the_identity_quota_is_used_and_not_passed() {
    for (users, quota) in [
        (None, 3_500.0),
        (Some(49), 3_500.0),
        (Some(50), 5_000.0),
        (Some(500), 5_000.0),
        (Some(501), 8_000.0),
        (Some(1_000_000), 8_000.0),
    ] {
        // What the client thinks a request costs, and what it costs.
        let costs = [(1, 1.0), (2, 2.0), (1, 2.0), (2, 1.0)];
        for (units, cost) in costs.into_iter().skip(if users.is_none() { 0 } else { 2 }) {
            for counts in ["bucket", "window"] {
                let server: Box<dyn FnMut(f64) -> Word> = match counts {
                    "bucket" => Box::new(bucket_server(quota, 10.0, cost)),
                    _ => Box::new(window_server(quota, 10.0, cost)),
                };
                let mut stage = Stage::published(Service::Identity, server);
                stage.units = units;
                stage.way = 0.03;
                if let Some(users) = users {
                    stage.gates.learn_users(users, stage.clock.now());
                }
                stage.during(20.0, 64);
                let answered = f64::from(u32::try_from(stage.count(200)).unwrap());
                let used = answered * cost / (quota * 2.0);
                let what = format!("{users:?} users, {units} for {cost}, {counts}");
                assert!((0.90..=1.0).contains(&used), "{what}: {used} of the quota");
                assert!(stage.refused() <= 0.005, "{what}: {}", stage.refused());
            }
        }
    }
}

#[test]
fn the_class_is_the_smallest_until_it_is_known_and_keeps_what_was_learned() {
    let limit = |users| identity(64, users);
    assert_eq!(Pace::published().limit(Service::Identity), limit(0));
    assert!((limit(0).rate - 339.5).abs() < 1e-9 && (limit(0).burst - 70.0).abs() < 1e-9);
    assert!((limit(501).rate - 776.0).abs() < 1e-9 && (limit(501).burst - 160.0).abs() < 1e-9);

    let mut stage = Stage::new(&Pace::fast(), Service::Identity, |_| OK);
    stage.gates.learn_users(10, stage.clock.now());
    stage.way = 0.0;
    assert!(stage.all(5_000, 64) < 0.001, "the fast pace has no class");
}

#[test]
fn one_refusal_in_ten_by_chance_costs_little_more_than_its_repetition() {
    let tenth = |after: Option<u64>| {
        let mut number = 0;
        move |_| {
            number += 1;
            if number % 10 == 0 { refused(after) } else { OK }
        }
    };
    // Conditional Access: 46 answers are 51 requests, one per second.
    for way in [0.0, 0.05, 0.4] {
        let mut stage = Stage::published(Service::ConditionalAccess, tenth(None));
        stage.way = way;
        let took = stage.all(46, 4);
        assert!(took <= 1.3 * 46.0 / 0.9, "{took} s at {way} s a way");
        assert_eq!((stage.count(200), stage.count(429)), (46, 5));
    }
    // Identity: the others go on beside the ones that wait. The last ones may be refused again, and have nobody beside them.
    let stage = Stage::published(Service::Identity, tenth(Some(5)));
    let took = stage.all(10_000, 640);
    assert!(took < 1.1 * 10_000.0 / 0.9 / 339.5 + 15.0, "{took}");

    // At random the same, on average over many runs.
    let runs = 200;
    let total: f64 = (0..runs)
        .map(|seed| {
            let mut random = fastrand::Rng::with_seed(seed);
            let server = move |_| {
                if random.f64() < 0.1 {
                    refused(None)
                } else {
                    OK
                }
            };
            Stage::published(Service::ConditionalAccess, server).all(46, 4)
        })
        .sum();
    let mean = total / f64::from(u32::try_from(runs).unwrap());
    assert!(mean <= 1.3 * 46.0 / 0.9, "{mean} s on average");
}

#[test]
fn half_of_the_conditional_access_quota_is_found() {
    // Another application has the other half: one request per 2 s, whatever is asked.
    let stage = Stage::published(Service::ConditionalAccess, bucket_server(1.0, 2.0, 1.0));
    stage.during(600.0, 4);
    let used = part(stage.count(200), 300);
    assert!(used > 0.7, "{used} of the share");
    assert!(stage.refused() < 0.25, "{}", stage.refused());
}

#[test]
fn reports_are_asked_faster_while_nothing_is_refused() {
    let mut free = Stage::published(Service::IdentityReports, |_| OK);
    free.way = 0.1;
    let took = free.all(200, 4);
    assert!(took < 0.4 * 195.0 * 2.0, "{took} s, not 390");
    assert!(
        took > 40.0,
        "no faster than one answer after the other: {took}"
    );

    // Where the published numbers hold, what was too fast costs little, and the pace stays where it belongs.
    let mut strict = Stage::published(Service::IdentityReports, bucket_server(5.0, 10.0, 1.0));
    strict.way = 0.1;
    let took = strict.all(100, 4);
    let floor = 95.0 * 2.0;
    assert!(took < floor * 1.15, "{took} s of {floor}");
    assert!(strict.count(429) <= 5, "{}", strict.count(429));
}

#[test]
fn a_hold_ends_in_order_and_one_at_a_time() {
    // All are refused until second 20 and told to come back after 7 s; then all is well.
    let stage = Stage::published(Service::Identity, |now| {
        if now < 20.0 { refused(Some(7)) } else { OK }
    });
    stage.all(500, 64);
    let log = stage.log.borrow();
    let early = log.iter().filter(|(at, _)| *at < 20.0).count();
    // What was under way at first, and one or a few at each end of a hold.
    assert!(
        early < 64 + 64,
        "{early} requests were spent on a service that said no"
    );
    let times: Vec<f64> = log
        .iter()
        .map(|(at, _)| *at)
        .filter(|at| *at > 1.0)
        .collect();
    assert!(busiest(&times, 0.1) < 30, "{}", busiest(&times, 0.1));
}

#[test]
fn streams_and_all_requests_can_be_capped() {
    let pace = Pace::published().with_concurrency(3);
    let streams = |service| pace.limit(service).concurrency;
    assert_eq!(streams(Service::Identity), 3);
    assert_eq!(streams(Service::Intune), 3);
    assert_eq!(streams(Service::ConditionalAccess), 1);
    let pace = pace.with_concurrency(200);
    assert_eq!(pace.limit(Service::Identity).concurrency, 200);
    assert_eq!(pace.limit(Service::Intune).concurrency, 3);
    assert_eq!(
        pace.with_concurrency(0)
            .limit(Service::Identity)
            .concurrency,
        1
    );

    for (most, seconds) in [
        (0.5, 10.0),
        (3.0, 10.0),
        (20.0, 1.0),
        (21.0, 1.0),
        (200.0, 1.0),
    ] {
        let pace = Pace::fast().with_max_requests_per_second(most);
        let mut stage = Stage::new(&pace, Service::Identity, |_| OK);
        stage.way = 0.0;
        stage.during(30.0, 64);
        let log = stage.log.borrow();
        let times: Vec<f64> = log.iter().map(|(at, _)| *at).collect();
        let all = f64::from(u32::try_from(times.len()).unwrap());
        assert!(all > 0.9 * most * 30.0, "{most}: {all}");
        let window = f64::from(u32::try_from(busiest(&times, seconds - 1e-6)).unwrap());
        assert!(
            window <= most * seconds + 1e-6,
            "{most}: {window} in {seconds} s"
        );
    }
    assert_eq!(
        Pace::fast().with_max_requests_per_second(f64::NAN),
        Pace::fast()
    );
    assert_eq!(Pace::fast().with_max_requests_per_second(0.0), Pace::fast());
}
