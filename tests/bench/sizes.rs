//! A hundred thousand and two million objects: what they cost in time and memory, beside what they may cost.
//!
//! Each size is measured once, in a process of its own: the peak of a process is never given back. Times are processor time of the work
//! alone, so other work on the machine does not show, and making the rows does not count.

use std::fs;
use std::process::Command;
use std::time::Instant;

use m365audit::config::Config;
use m365audit::plan;
use m365audit::rules;
use m365audit::snapshot::tenant::Fold;
use m365audit::snapshot::{Guid, Resource, State, Tenant};
use serde_json::value::RawValue;

use crate::tenant::{self, Mix};

/// Rows folded in one go: long enough for the clock, short enough not to matter in memory.
const BATCH: usize = 1_000;

struct Goals {
    rows_per_second: f64,
    held_mebi: f64,
    peak_mebi: f64,
    bytes_per_user: f64,
    evaluation_ms: f64,
}

const SMALL: Goals = Goals {
    rows_per_second: 400_000.0,
    held_mebi: 64.0,
    peak_mebi: 80.0,
    bytes_per_user: 256.0,
    evaluation_ms: 150.0,
};

/// A collection may have 512 MiB in all; a fifth of it are pages on their way.
const LARGE: Goals = Goals {
    rows_per_second: 400_000.0,
    held_mebi: 330.0,
    peak_mebi: 410.0,
    bytes_per_user: 256.0,
    evaluation_ms: 2_000.0,
};

/// Measures the sizes that the arguments name, `100k` and `2m`; whether there was one. `2m` is told beside `100k`.
pub(crate) fn named(arguments: &[String]) -> bool {
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if has("in-this-process") {
        measure(has("2m"));
        return true;
    }
    let sizes: &[&str] = match (has("100k"), has("2m")) {
        (_, true) => &["100k", "2m"],
        (true, false) => &["100k"],
        (false, false) => return false,
    };
    for size in sizes {
        let own = std::env::current_exe().unwrap();
        let ended = Command::new(own).args(["in-this-process", size]).status();
        assert!(ended.unwrap().success());
    }
    true
}

/// What the folds cost so far.
#[derive(Default)]
struct Folding {
    tenant: Tenant,
    waiting: Vec<(Resource, Option<Guid>, Box<RawValue>)>,
    rows: u64,
    seconds: f64,
    users: u64,
    user_seconds: f64,
}

impl Folding {
    fn fold(&mut self) {
        let users = self.waiting.iter().all(|(resource, ..)| {
            matches!(
                resource,
                Resource::Users | Resource::SignInActivity | Resource::RegistrationDetails
            )
        });
        let (begun, rows) = (processor_seconds(), self.waiting.len() as u64);
        for (resource, of, row) in &self.waiting {
            let fold = self.tenant.fold(*resource, *of, row).unwrap();
            assert_eq!(fold, Fold::New, "{resource} {row}");
        }
        let spent = processor_seconds() - begun;
        self.rows += rows;
        self.seconds += spent;
        if users {
            self.users += rows;
            self.user_seconds += spent;
        }
        self.waiting.clear();
    }
}

#[allow(clippy::cast_precision_loss, reason = "figures for a person")]
fn measure(large: bool) {
    let (mix, goals, name) = if large {
        (Mix::LARGE, LARGE, "two million objects")
    } else {
        (Mix::SMALL, SMALL, "a hundred thousand objects")
    };
    let before = status("VmRSS:");
    let mut folding = Folding {
        tenant: Tenant::empty(),
        ..Folding::default()
    };
    let mut users_held = 0.0;
    tenant::rows(mix, &mut |resource, of, row| {
        if resource == Resource::Organization {
            folding.fold();
            users_held = status("VmRSS:") - before;
        }
        folding.waiting.push((resource, of, row));
        if folding.waiting.len() == BATCH {
            folding.fold();
        }
    });
    folding.fold();
    for &resource in Resource::ALL {
        folding.tenant.end(resource, State::Collected);
    }
    let Folding { tenant, .. } = &folding;
    let (loaded, now) = (status("VmHWM:"), status("VmRSS:"));

    let config = Config::default();
    let (begun, worked) = (Instant::now(), process_seconds());
    let findings = rules::evaluate(rules::registry(), tenant, &config, tenant::now());
    let (evaluated, worked) = (begun.elapsed(), process_seconds() - worked);
    let begun = Instant::now();
    let plan = plan::plan(&findings);
    let planned = begun.elapsed();
    drop(plan);

    println!("{name}: {} users, {} rows", mix.users, folding.rows);
    tell(
        "rows folded a second, one processor",
        folding.rows as f64 / folding.seconds,
        "",
        &format!(">= {:.0}", goals.rows_per_second),
    );
    tell(
        "  of accounts, their sign-ins and methods",
        folding.users as f64 / folding.user_seconds,
        "",
        "",
    );
    tell(
        "memory held, the program's own included",
        now / 1024.0,
        "MiB",
        &format!("<= {:.0}", goals.held_mebi),
    );
    tell("peak memory while loading", loaded / 1024.0, "MiB", "");
    tell(
        "a user with sign-ins and methods",
        users_held * 1024.0 / mix.users as f64,
        "B",
        &format!("<= {:.0}", goals.bytes_per_user),
    );
    let rules_ms = evaluated.as_secs_f64() * 1e3;
    let plan_ms = planned.as_secs_f64() * 1e3;
    tell("rules", rules_ms, "ms", "");
    tell("  processor time, all threads", worked * 1e3, "ms", "");
    tell("plan", plan_ms, "ms", "");
    tell(
        "rules and plan",
        rules_ms + plan_ms,
        "ms",
        &format!("<= {:.0}", goals.evaluation_ms),
    );
    tell(
        "peak memory after rules",
        status("VmHWM:") / 1024.0,
        "MiB",
        &format!("<= {:.0}", goals.peak_mebi),
    );
}

fn tell(what: &str, figure: f64, unit: &str, goal: &str) {
    println!("  {what:<44} {figure:>10.1} {unit:<4} {goal}");
}

/// Processor time of this thread so far, where the system tells; else the clock.
fn processor_seconds() -> f64 {
    use std::sync::LazyLock;
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    // Waking up brings the figure up to date.
    std::thread::yield_now();
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| BEGUN.elapsed().as_secs_f64(), |ns| ns / 1e9)
}

/// Processor time of all threads so far, to a hundredth of a second; 0 where the system does not tell.
fn process_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in brackets, may hold anything; user and system time are the 12th and 13th figure after it.
    let after = text.rsplit_once(") ").map_or("", |(_, after)| after);
    let ticks = after.split(' ').skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

/// A figure of this process in KiB; 0 where the system does not tell.
fn status(name: &str) -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let figure = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    figure.unwrap_or_default()
}
