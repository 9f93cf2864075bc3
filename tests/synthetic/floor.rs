//! The floor, against figures worked out by hand.

use m365audit::emulator::floor::{Conditions, Cut, Floor, Service, SignIns, Work};
use m365audit::emulator::{Latency, Mix};

const MIXES: [Mix; 3] = [Mix::THOUSAND, Mix::HUNDRED_THOUSAND, Mix::TWO_MILLION];

/// (list, pages of each mix): rows divided by 999 (500 with sign-ins, and for risky users) and rounded up.
const PAGES: &[(&str, [u64; 3])] = &[
    ("/users", [2, 120, 2_400]),
    ("/devices", [1, 21, 501]),
    ("/servicePrincipals", [1, 9, 111]),
    ("/applications", [1, 3, 11]),
    ("/groups", [1, 11, 181]),
    ("/oauth2PermissionGrants", [1, 15, 199]),
    ("/identityProtection/riskyUsers", [4, 6, 44]),
];

fn works(sign_ins: SignIns, registration: bool) -> [Work; 3] {
    MIXES.map(|mix| Work::of(&mix, sign_ins, registration))
}

fn term(floor: &Floor, name: &str) -> f64 {
    let found = floor.terms.iter().find(|term| term.name == name);
    found
        .unwrap_or_else(|| panic!("no {name} in\n{floor}"))
        .seconds
}

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() < 0.005 * right.abs().max(1.0)
}

#[test]
fn pages_row_by_row() {
    let works = works(SignIns::Identity, false);
    for (list, pages) in PAGES {
        let found = works.each_ref().map(|work| {
            let chain = work.chains.iter().find(|chain| chain.name == *list);
            chain.unwrap().pages()
        });
        assert_eq!(found, *pages, "{list}");
    }
    let requests = works
        .each_ref()
        .map(|work| work.requests(Service::Identity));
    assert_eq!(requests, [73, 245, 3_469]);
    let risk = works
        .each_ref()
        .map(|work| work.requests(Service::ConditionalAccess));
    assert_eq!(risk, [6, 8, 46]);
    // With `$expand` a page of service principals costs two.
    let units = works.map(|mut work| {
        for chain in &mut work.chains {
            chain.units = if chain.name == "/servicePrincipals" {
                2
            } else {
                1
            };
        }
        work.units(Service::Identity)
    });
    assert_eq!(units, [74, 254, 3_580]);
}

#[test]
fn users_alone_take_the_largest_pages() {
    let pages = works(SignIns::Unread, false).map(|work| work.chains[0].pages());
    assert_eq!(pages, [1, 61, 1_202]);
}

#[test]
fn each_bound_is_what_a_pencil_says() {
    let second = Conditions {
        latency: 1.0,
        ..Conditions::default()
    };
    let floors = works(SignIns::Identity, false).map(|work| Floor::of(&work, &second));
    let expected = [
        // 7, 179 and 3,403 pages, and 66 short answers in 4 batches.
        ("requests", [0.1719, 2.8594, 53.234]),
        // One a second, and the answer to the last.
        ("Conditional Access and risk", [6.0, 8.0, 46.0]),
        ("chain, Conditional Access and risk", [4.0, 6.0, 44.0]),
        // 8,000 units can be had at once.
        ("resource units", [1.0, 1.0, 1.0]),
    ];
    for (name, seconds) in expected {
        for (floor, seconds) in floors.iter().zip(seconds) {
            assert!(
                close(term(floor, name), seconds),
                "{name}: {seconds} s, not\n{floor}"
            );
        }
    }
    // The larger half of the grants: 7,200 and 99,000 rows; 135 are one page and no chain.
    for (floor, pages) in floors[1..].iter().zip([8.0, 100.0]) {
        assert!(close(term(floor, "longest chain"), pages), "{floor}");
    }
    let half = Floor::of(&works(SignIns::Identity, false)[2], &Conditions::default());
    assert!(close(term(&half, "requests"), 26.62), "{half}");
    assert!(close(half.seconds(), 50.0), "{half}");
    assert_eq!(half.wall().unwrap().name, "longest chain");
}

#[test]
fn reports_are_the_wall_of_a_full_reading() {
    let floors = works(SignIns::Reports, true).map(|work| Floor::of(&work, &Conditions::default()));
    // Sign-ins at 500 a page and registrations at 999: 2 + 1, 120 + 61 and 2,400 + 1,202 requests.
    for (floor, reports) in floors.iter().zip([3.0_f64, 181.0, 3_602.0]) {
        let seconds = ((reports - 5.0) * 2.0).max(0.0) + 0.5;
        assert!(close(term(floor, "reports"), seconds), "{floor}");
    }
    assert_eq!(floors[2].wall().unwrap().name, "reports");
    assert_eq!(
        floors[0].wall().unwrap().name,
        "Conditional Access and risk"
    );
}

#[test]
fn units_are_the_wall_when_there_are_few() {
    let work = &works(SignIns::Unread, false)[1];
    // 61 + 21 + 9 + 3 + 11 + 15 + 66 = 186 units, of which 40 can be had at once and 4 a second.
    let few = Conditions {
        latency: 0.05,
        unit_scale: Some(0.005),
        ..Conditions::default()
    };
    let floor = Floor::of(work, &few);
    assert_eq!(work.units(Service::Identity), 186);
    assert!(close(floor.seconds(), 36.55), "{floor}");
    let text = floor.to_string();
    assert!(
        text.contains("36.55 s = (186 units - 40 at once) / 4 a second + 0.050 s  <- the wall"),
        "{text}"
    );
    let narrow = Conditions {
        bytes: Some((125e6, 1.25e6)),
        limits: false,
        ..few
    };
    let floor = Floor::of(work, &narrow);
    assert!(close(floor.seconds(), 100.0), "{floor}");
    let paced =
        |term: &m365audit::emulator::floor::Term| term.name == "Conditional Access and risk";
    assert!(!floor.terms.iter().any(paced), "{floor}");
}

#[test]
fn keys_of_principals_have_a_limit_by_the_minute() {
    let [small, _, mut large] = works(SignIns::Unread, false).map(Work::with_keys);
    let name = "keys of service principals";
    let pages = |work: &Work| work.requests(Service::KeyCredentials);
    assert_eq!((pages(&small), pages(&large)), (1, 111));
    let floor = Floor::of(&large, &Conditions::default());
    assert!(close(term(&floor, name), 0.5), "{floor}");
    // 400 pages: 150 at once, the others 2.5 a second.
    for chain in &mut large.chains {
        if chain.service == Service::KeyCredentials {
            chain.rows = 399_600;
        }
    }
    let floor = Floor::of(&large, &Conditions::default());
    assert!(close(term(&floor, name), 100.5), "{floor}");
    assert_eq!(floor.wall().unwrap().name, name);
}

#[test]
fn trouble_costs_tries_and_in_a_chain_waits() {
    let work = &works(SignIns::Unread, false)[1];
    let floor = Floor::of(
        work,
        &Conditions {
            trouble: 0.1,
            wait: 1.0,
            ..Conditions::default()
        },
    );
    // (120 + 4) x 1.1111 / 64 x 0.5; 8 pages x (0.5 x 1.1111 + 0.1111 x 1); 8 x 1.1111 - 1 + 0.5; 6 x (0.5 x 1.1111 + 0.1111 x 1).
    for (name, seconds) in [
        ("requests", 1.0764),
        ("longest chain", 5.3333),
        ("Conditional Access and risk", 8.3889),
        ("chain, Conditional Access and risk", 4.0),
    ] {
        assert!(close(term(&floor, name), seconds), "{name}\n{floor}");
    }
    let mean = Latency::ragged(std::time::Duration::from_millis(500)).mean();
    assert!(close(mean.as_secs_f64(), 0.51));
}

#[test]
fn a_chain_is_as_long_as_its_longest_part() {
    let mut chain = works(SignIns::Unread, false)[0].chains[0].clone();
    chain.rows = 2_000;
    for (cut, longest) in [
        (Cut::Anywhere, 1),
        (Cut::Nowhere, 3),
        (Cut::Into(vec![999, 1_001]), 2),
        (Cut::Into(vec![]), 1),
    ] {
        chain.cut = cut;
        assert_eq!((chain.pages(), chain.longest()), (3, longest));
    }
    chain.rows = 0;
    assert_eq!(chain.pages(), 1, "an empty list is a page");
}
