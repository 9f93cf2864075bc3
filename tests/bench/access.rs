//! How fast the Conditional Access analyzer answers, beside what is promised of it.
//!
//! `cargo bench --bench access`: all named guarantees with their witnesses on seeded tenants, one thread, each size once; with `-- large` or
//! `-- small` one size alone. Times are processor time of one thread, memory is the peak of the process.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark ends where its ground is missing, and its figures are for a person"
)]

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use m365audit::access::{
    Analyzer, Guarantee, Proof, Settings, SignIn, SignInTarget, Someone, Verdict,
};
use m365audit::snapshot::{Guid, Resource, State, Tenant};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// A tenant to be made.
#[derive(Clone, Copy)]
struct Size {
    name: &'static str,
    users: u64,
    groups: u64,
    memberships: u64,
    apps: u64,
    policies: u64,
    /// All named guarantees, in milliseconds.
    goal: f64,
}

const SIZES: [Size; 5] = [
    Size {
        name: "small",
        users: 10_000,
        groups: 400,
        memberships: 30_000,
        apps: 500,
        policies: 40,
        goal: 10.0,
    },
    Size {
        name: "120 policies",
        users: 1_000_000,
        groups: 20_000,
        memberships: 10_000_000,
        apps: 10_000,
        policies: 120,
        goal: 1_000.0,
    },
    Size {
        name: "large",
        users: 1_000_000,
        groups: 20_000,
        memberships: 10_000_000,
        apps: 10_000,
        policies: 240,
        goal: 1_000.0,
    },
    Size {
        name: "half the users",
        users: 500_000,
        groups: 20_000,
        memberships: 5_000_000,
        apps: 10_000,
        policies: 240,
        goal: 1_000.0,
    },
    Size {
        name: "1,000 policies",
        users: 100_000,
        groups: 2_000,
        memberships: 1_000_000,
        apps: 10_000,
        policies: 1_000,
        goal: f64::INFINITY,
    },
];

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    if let Ok(name) = std::env::var("ACCESS_BENCH_SIZE") {
        let size = SIZES.iter().find(|size| size.name == name).unwrap();
        measure(*size);
        return;
    }
    println!(
        "| tenant | users | policies | read (ms) | guarantees (ms) | goal | what-if (ms) | proved / violated / depends | classes | peak (MiB), of it the tenant |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for size in SIZES
        .iter()
        .filter(|size| wanted.is_empty() || wanted.iter().any(|name| name == size.name))
    {
        // A process each: the peak of a process is never given back.
        let ended = Command::new(std::env::current_exe().unwrap())
            .env("ACCESS_BENCH_SIZE", size.name)
            .status()
            .unwrap();
        assert!(ended.success());
    }
    println!(
        "\n`cargo bench --bench access`; goals: 1,000,000 users and 240 policies in 1 s and 300 MiB, 10,000 and 40 in 10 ms."
    );
}

fn measure(size: Size) {
    let tenant = make(size);
    let held = memory("VmRSS");
    let started = processor_seconds();
    let analyzer = Analyzer::read(&tenant, Settings::default());
    let read = processor_seconds() - started;
    let started = processor_seconds();
    let mut proofs: Vec<(Proof, f64)> = Vec::new();
    for guarantee in Guarantee::named() {
        let started = processor_seconds();
        proofs.push((
            analyzer.prove(&guarantee, true),
            processor_seconds() - started,
        ));
    }
    let answered = processor_seconds() - started;
    let started = processor_seconds();
    for number in 0..100 {
        let who = Someone::Account {
            id: id(USER, number),
            roles: Vec::new(),
        };
        std::hint::black_box(analyzer.decide(&SignIn::new(who, SignInTarget::AnyOther), false));
    }
    let what_if = (processor_seconds() - started) / 100.0;
    let count = |verdict: Verdict| {
        proofs
            .iter()
            .filter(|(proof, _)| proof.verdict == verdict)
            .count()
    };
    let milliseconds = |seconds: f64| seconds * 1_000.0;
    let total = milliseconds(read + answered);
    println!(
        "| {} | {} | {} | {:.0} | {:.0} | {} | {:.2} | {} / {} / {} | {} | {}, {} |",
        size.name,
        size.users,
        size.policies,
        milliseconds(read),
        milliseconds(answered),
        if total <= size.goal { "met" } else { "NOT met" },
        milliseconds(what_if),
        count(Verdict::Proved),
        count(Verdict::Violated),
        count(Verdict::Depends) + count(Verdict::Unknown),
        analyzer.classes(),
        memory("VmHWM"),
        held,
    );
    if std::env::var("ACCESS_BENCH_EACH").is_ok() {
        for (proof, took) in &proofs {
            println!(
                "    {:.1} ms {} {} {}",
                milliseconds(*took),
                proof.id,
                proof.verdict.as_str(),
                proof.affected_users.count
            );
        }
    }
}

/// Processor time of this thread so far: other work on the machine does not show.
fn processor_seconds() -> f64 {
    // Waking up brings the figure up to date.
    std::thread::yield_now();
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told
        .split(' ')
        .next()
        .and_then(|text| text.parse::<f64>().ok());
    nanoseconds.unwrap_or_default() / 1e9
}

/// Memory of this process in MiB.
fn memory(which: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(which));
    let kibi = line
        .and_then(|line| line.split_whitespace().nth(1))
        .and_then(|kibi| kibi.parse::<u64>().ok());
    kibi.unwrap_or_default() / 1024
}

/// Numbers that look drawn by chance and are the same at every run. Source: the finaliser of `SplitMix64`.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

fn id(kind: u128, number: u64) -> Guid {
    Guid::new(kind << 96 | u128::from(number))
}

const USER: u128 = 1;
const GROUP: u128 = 2;
const APP: u128 = 3;
const LOCATION: u128 = 4;

fn make(size: Size) -> Tenant {
    let mut tenant = Tenant::empty();
    let fold = |tenant: &mut Tenant, resource, subject, row: Value| {
        let row = RawValue::from_string(row.to_string()).unwrap();
        tenant.fold(resource, subject, &row).unwrap();
    };
    for number in 0..size.users {
        let is_guest = number % 12 == 0;
        let name = if is_guest {
            format!("u{number}_partner.example#EXT#@x.example")
        } else {
            format!("u{number}@x.example")
        };
        fold(
            &mut tenant,
            Resource::Users,
            None,
            json!({
                "id": id(USER, number), "userPrincipalName": name, "accountEnabled": number % 20 != 0,
                "userType": if is_guest { "Guest" } else { "Member" }, "creationType": if is_guest { json!("Invitation") } else { Value::Null },
            }),
        );
    }
    let mut draw = Draw(42);
    let members = nested_members(size, &mut draw);
    let policies: Vec<Value> = (0..size.policies)
        .map(|number| policy(number, size, &mut draw))
        .collect();
    let named: std::collections::BTreeSet<String> = policies
        .iter()
        .flat_map(|policy| {
            ["includeGroups", "excludeGroups"]
                .map(|side| policy["conditions"]["users"][side].clone())
        })
        .flat_map(|groups| groups.as_array().cloned().unwrap_or_default())
        .filter_map(|group| group.as_str().map(str::to_owned))
        .collect();
    for policy in policies {
        fold(
            &mut tenant,
            Resource::ConditionalAccessPolicies,
            None,
            policy,
        );
    }
    for number in 0..40_u64 {
        let (high, low) = (number / 8, number % 8 * 32);
        fold(
            &mut tenant,
            Resource::NamedLocations,
            None,
            json!({
                "@odata.type": "#microsoft.graph.ipNamedLocation", "id": id(LOCATION, number), "displayName": format!("Site {number}"),
                "isTrusted": number % 2 == 0, "ipRanges": [{"cidrAddress": format!("203.{high}.113.{low}/27")}],
            }),
        );
    }
    for number in 0..size.groups {
        let group = id(GROUP, number);
        if !named.contains(&group.to_string()) {
            continue;
        }
        for &member in members.get(&number).into_iter().flatten() {
            fold(
                &mut tenant,
                Resource::GroupTransitiveMembers,
                Some(group),
                json!({"id": id(USER, member)}),
            );
        }
        tenant.touch(Resource::GroupTransitiveMembers, group);
    }
    for &resource in Resource::ALL {
        tenant.end(resource, State::Collected);
    }
    tenant
}

/// Groups in chains of five: the members of each are those of its own and of the groups below it.
fn nested_members(size: Size, draw: &mut Draw) -> BTreeMap<u64, Vec<u64>> {
    let own = size.memberships / size.groups;
    let mut members: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    // Only groups that policies name are read; policies name the first 400.
    for number in 0..size.groups.min(400) {
        let mut all: Vec<u64> = (0..=number % 5)
            .flat_map(|_| (0..own).map(|_| draw.below(size.users)).collect::<Vec<_>>())
            .collect();
        all.sort_unstable();
        all.dedup();
        members.insert(number, all);
    }
    members
}

fn policy(number: u64, size: Size, draw: &mut Draw) -> Value {
    let group = |draw: &mut Draw| id(GROUP, draw.below(size.groups.min(400))).to_string();
    let everyone = draw.one_in(3);
    let users = json!({
        "includeUsers": if everyone { json!(["All"]) } else { json!([]) },
        "includeGroups": if everyone { json!([]) } else { json!([group(draw), group(draw)]) },
        "excludeGroups": if draw.one_in(2) { json!([group(draw)]) } else { json!([]) },
        "excludeUsers": [id(USER, 7), id(USER, 8)],
    });
    let app = |draw: &mut Draw| id(APP, draw.below(size.apps)).to_string();
    let (to_all, to_office) = (draw.one_in(2), draw.one_in(2));
    let applications = if to_all {
        json!({"includeApplications": ["All"], "excludeApplications": if draw.one_in(3) { json!([app(draw)]) } else { json!([]) }})
    } else if to_office {
        json!({"includeApplications": ["Office365"]})
    } else {
        json!({"includeApplications": [app(draw), app(draw), app(draw)]})
    };
    let mut conditions =
        json!({"users": users, "applications": applications, "clientAppTypes": ["all"]});
    if draw.one_in(4) {
        conditions["clientAppTypes"] = if draw.one_in(2) {
            json!(["browser", "mobileAppsAndDesktopClients"])
        } else {
            json!(["exchangeActiveSync", "other"])
        };
    }
    if draw.one_in(5) {
        conditions["platforms"] =
            json!({"includePlatforms": ["all"], "excludePlatforms": ["iOS", "android"]});
    }
    if draw.one_in(4) {
        let place = id(LOCATION, draw.below(40)).to_string();
        conditions["locations"] = json!({"includeLocations": ["All"], "excludeLocations": [if draw.one_in(2) { "AllTrusted".to_owned() } else { place }]});
    }
    if draw.one_in(8) {
        conditions["signInRiskLevels"] = json!(["high"]);
    }
    if draw.one_in(10) {
        conditions["devices"] = json!({"deviceFilter": {"mode": "exclude", "rule": "device.isCompliant -eq True -or device.extensionAttribute1 -eq \"kiosk\""}});
    }
    let grant = match draw.below(6) {
        0 => json!({"operator": "OR", "builtInControls": ["block"]}),
        1 => json!({"operator": "OR", "builtInControls": ["mfa", "compliantDevice"]}),
        2 => json!({"operator": "AND", "builtInControls": ["mfa", "compliantDevice"]}),
        3 => {
            json!({"operator": "OR", "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000004", "allowedCombinations": ["fido2", "windowsHelloForBusiness"]}})
        }
        _ => json!({"operator": "OR", "builtInControls": ["mfa"]}),
    };
    json!({
        "id": format!("p{number:05}"), "displayName": format!("CA{number:03}"), "createdDateTime": "2024-01-01T00:00:00Z",
        "state": if draw.one_in(10) { "enabledForReportingButNotEnforced" } else { "enabled" },
        "conditions": conditions, "grantControls": grant,
    })
}
