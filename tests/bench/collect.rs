//! How fast a tenant is collected, against what limits and latency allow.
//!
//! `cargo bench --bench collect` plays the small scenarios; `-- 2m`, `-- 100k-resume` ... those whose name contains the word, `-- 2m$` the one of that name, `-- all`
//! all of them. The emulator runs in a process of its own (this program again, with `serve`), so that its memory and time are not
//! those of the program that is measured. With `-- --dry` only the floors are printed.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark ends where its ground is missing, and its figures are for a person"
)]

#[path = "collect/client.rs"]
mod client;
#[path = "collect/saved.rs"]
mod saved;
#[path = "collect/sequential.rs"]
mod sequential;
#[path = "collect/serve.rs"]
mod serve;
#[path = "collect/table.rs"]
mod table;

use std::collections::BTreeSet;
use std::path::Path;

use Kind::{Collect, Evaluate, Quota, Resume, Sequential, Trouble};
use client::{Abilities, Run};
use saved::Saved;
use serde_json::Value;
use serve::Size::{HundredThousand, Thousand, TwoMillion};
use serve::{Server, Setting, Size};
use table::{Line, Table};

/// What is done in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Collected once.
    Collect,
    /// Resource units are the wall.
    Quota,
    /// One request in ten fails by chance.
    Trouble,
    /// Killed half way and resumed.
    Resume,
    /// One request at a time, by a plain client.
    Sequential,
    /// Evaluated from the snapshot.
    Evaluate,
}

struct Scenario {
    name: &'static str,
    kind: Kind,
    setting: Setting,
    /// Played when nothing is named.
    usual: bool,
    /// Registration and sign-ins are read too.
    reports: bool,
}

/// Half a second an answer, as collection against Microsoft's Graph has it.
const ANSWER: u64 = 500;

fn scenarios() -> Vec<Scenario> {
    let setting = |size| Setting {
        size,
        latency: ANSWER,
        ..Setting::default()
    };
    let scenario = |name, kind, setting| Scenario {
        name,
        kind,
        setting,
        usual: true,
        reports: false,
    };
    let large = |name, kind, setting| Scenario {
        usual: false,
        ..scenario(name, kind, setting)
    };
    let trouble = |size, retry_after| Setting {
        trouble: 0.1,
        retry_after,
        ..setting(size)
    };
    // Few enough that a hundred thousand objects take about half a minute.
    let quota = Setting {
        latency: 50,
        unit_scale: 0.005,
        ..setting(Size::HundredThousand)
    };
    let sign_ins = Setting {
        sign_ins_are_reports: true,
        ..setting(HundredThousand)
    };
    vec![
        scenario("1k", Collect, setting(Thousand)),
        scenario("100k", Collect, setting(HundredThousand)),
        scenario("100k-sequential", Sequential, setting(HundredThousand)),
        scenario("100k-quota", Quota, quota),
        scenario("100k-trouble", Trouble, trouble(HundredThousand, Some(1))),
        scenario(
            "100k-trouble-silent",
            Trouble,
            trouble(HundredThousand, None),
        ),
        scenario("100k-resume", Resume, setting(HundredThousand)),
        scenario("100k-evaluate", Evaluate, setting(HundredThousand)),
        Scenario {
            reports: true,
            ..large("100k-reports", Collect, setting(HundredThousand))
        },
        Scenario {
            reports: true,
            ..large("100k-reports-all", Collect, sign_ins)
        },
        large("2m", Collect, setting(TwoMillion)),
        large("2m-sequential", Sequential, setting(TwoMillion)),
        large("2m-trouble", Trouble, trouble(TwoMillion, Some(1))),
        large("2m-trouble-silent", Trouble, trouble(TwoMillion, None)),
        large("2m-resume", Resume, setting(TwoMillion)),
        large("2m-evaluate", Evaluate, setting(TwoMillion)),
    ]
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "serve") {
        return serve::serve(&arguments[1..]);
    }
    let dry = arguments.iter().any(|argument| argument == "--dry");
    let words: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    // `cargo test --all-targets` starts benchmarks too, without this word.
    if words.is_empty() && !dry && !arguments.iter().any(|argument| argument == "--bench") {
        println!("run with `cargo bench --bench collect`");
        return;
    }
    let chosen = |scenario: &Scenario| match words.as_slice() {
        [] => scenario.usual,
        words => words.iter().any(|word| match word.strip_suffix('$') {
            Some(name) => scenario.name == name,
            None => *word == "all" || scenario.name.contains(word.as_str()),
        }),
    };
    let abilities = Abilities::of_the_program();
    println!("{abilities}");
    let mut table = Table::default();
    for scenario in scenarios().iter().filter(|scenario| chosen(scenario)) {
        println!("\n== {} ==", scenario.name);
        let folder = tempfile::tempdir().unwrap();
        let stage = Stage {
            scenario,
            abilities,
            folder: folder.path(),
        };
        if dry {
            let reports: &[&str] = if scenario.reports {
                &["signIns", "registration"]
            } else {
                &[]
            };
            Server::start(scenario.setting).floor(reports, &BTreeSet::new(), (0, 66));
            continue;
        }
        let line = match scenario.kind {
            Kind::Collect | Kind::Quota | Kind::Trouble => stage.collect(),
            Kind::Resume => stage.resume(),
            Kind::Sequential => stage.sequential(),
            Kind::Evaluate => stage.evaluate(),
        };
        table.add(line);
    }
    println!("\n{table}");
}

/// One scenario while it is played.
struct Stage<'a> {
    scenario: &'a Scenario,
    abilities: Abilities,
    folder: &'a Path,
}

impl Stage<'_> {
    fn server(&self) -> Server {
        let mut setting = self.scenario.setting;
        // A program that cannot keep the published pace would only be refused.
        setting.limits = self.abilities.pace;
        Server::start(setting)
    }

    fn arguments(&self) -> Vec<&'static str> {
        let mut arguments = Vec::new();
        if self.abilities.pace {
            arguments.extend(["--pace", "published"]);
        }
        if self.abilities.without && !self.scenario.reports {
            arguments.extend(["--without", "registration-report,sign-in-activity"]);
        }
        arguments
    }

    /// Collects once and says what it took.
    fn measured(&self, server: &Server) -> (Run, Saved, Value, f64) {
        let path = self.folder.join("tenant.jsonl.gz");
        let run = client::collect(server, &path, &self.arguments(), &mut |_| false);
        let summary = server.ask("summary");
        let saved = Saved::read(&path);
        let (floor, _) = Self::floor(server, &saved, &summary);
        (run, saved, summary, floor)
    }

    /// The floor for the lists that were read: a list that nobody reads takes no time.
    fn floor(server: &Server, saved: &Saved, summary: &Value) -> (f64, String) {
        let mut reports = Vec::new();
        if saved.has("signInActivity") {
            reports.push("signIns");
        }
        if saved.has("userRegistrationDetails") {
            reports.push("registration");
        }
        let routes: BTreeSet<String> = summary["byRoute"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        let (restricted, others): (Vec<_>, Vec<_>) = routes
            .iter()
            .filter(|route| !serve::LISTS.contains(&route.as_str()))
            .partition(|route| {
                route.starts_with("/identity/conditionalAccess/")
                    || route.starts_with("/identityProtection/")
            });
        server.floor(&reports, &routes, (restricted.len(), others.len()))
    }

    fn line(&self, run: &Run, saved: &Saved, summary: &Value, floor: f64) -> Line {
        let number = |name: &str| summary[name].as_u64().unwrap_or_default();
        let (missing, repeated) = saved.against(&self.scenario.setting.size.mix());
        Line {
            name: self.scenario.name,
            wall: run.wall,
            floor: Some(floor),
            peak: run.peak,
            cpu: run.cpu,
            server_cpu: None,
            requests: number("requests"),
            throttled: number("throttled"),
            bytes: number("bytes"),
            missing,
            repeated,
            goals: Vec::new(),
        }
    }

    fn collect(&self) -> Line {
        let server = self.server();
        let (run, saved, summary, floor) = self.measured(&server);
        println!("{saved}");
        println!("asked: {}", summary["byService"]);
        println!("most in flight: {}", summary["mostInFlight"]);
        let mut line = self.line(&run, &saved, &summary, floor);
        line.server_cpu = server.cpu();
        let whole = line.missing == 0 && line.repeated == 0 && saved.is_whole();
        match self.scenario.kind {
            Kind::Quota => {
                let setting = self.scenario.setting;
                let units = summary["units"].as_f64().unwrap();
                let had = 8_000.0 * setting.unit_scale * (1.0 + run.wall / 10.0);
                let share = f64::from(u32::try_from(line.throttled).unwrap())
                    / f64::from(u32::try_from(line.requests).unwrap());
                line.goal(
                    "G4 90-100 % of quota",
                    format!("{:.0} %", 100.0 * units / had),
                    units / had >= 0.9,
                );
                line.goal(
                    "G4 429 < 0.5 %",
                    format!("{:.1} %", 100.0 * share),
                    share < 0.005,
                );
                line.goal("G4 nothing lost", saved.verdict(), whole);
            }
            Kind::Trouble => {
                line.goal(
                    "G5 <= 1.3 F",
                    format!("{:.2} F", run.wall / floor),
                    run.wall <= 1.3 * floor,
                );
                line.goal("G5 nothing lost", saved.verdict(), whole);
            }
            _ => {
                let (goal, met) = match self.scenario.setting.size {
                    Size::Thousand => ("G1 <= F + 1 s", run.wall <= floor + 1.0),
                    Size::HundredThousand => ("G1 <= 1.5 F", run.wall <= 1.5 * floor),
                    Size::TwoMillion => ("G1 <= 1.25 F", run.wall <= 1.25 * floor),
                };
                line.goal(goal, format!("{:.2} F", run.wall / floor), met);
                line.goal("nothing lost", saved.verdict(), whole);
                if self.scenario.setting.size == Size::TwoMillion {
                    let peak = run.peak.unwrap_or_default();
                    line.goal(
                        "G7 <= 512 MiB",
                        format!("{:.0} MiB", table::mebi(peak)),
                        peak <= 512 << 20,
                    );
                    let share = run.cpu / run.wall;
                    line.goal(
                        "G8 CPU <= 10 % of wall",
                        format!("{:.0} %", share * 100.0),
                        share <= 0.1,
                    );
                }
            }
        }
        line
    }

    /// The same tenant by one request at a time, and by this program.
    fn sequential(&self) -> Line {
        let server = self.server();
        let (run, saved, summary, floor) = self.measured(&server);
        let mix = self.scenario.setting.size.mix();
        let routes = summary["byRoute"].as_object().unwrap();
        let read = |list: &str| routes.contains_key(list);
        let plain = sequential::time(&server, &mix, &read);
        println!("{plain}");
        let mut line = self.line(&run, &saved, &summary, floor);
        line.server_cpu = server.cpu();
        let ratio = plain.one_by_one / run.wall;
        let beside = plain.beside / run.wall;
        let wanted = match self.scenario.setting.size {
            Size::TwoMillion => 20.0,
            _ => 5.0,
        };
        let goal = if wanted > 10.0 {
            "G2 >= 20 x"
        } else {
            "G2 >= 5 x"
        };
        line.goal(
            goal,
            format!("{ratio:.1} x (lists beside each other {beside:.1} x)"),
            ratio >= wanted,
        );
        line
    }

    fn resume(&self) -> Line {
        let (unbroken, whole) = {
            let server = self.server();
            let (_, saved, summary, _) = self.measured(&server);
            (summary["requests"].as_u64().unwrap(), saved)
        };
        std::fs::remove_file(self.folder.join("tenant.jsonl.gz")).unwrap();
        let server = self.server();
        let path = self.folder.join("tenant.jsonl.gz");
        let mut flying = 0;
        let killed = client::collect(&server, &path, &self.arguments(), &mut |_| {
            let summary = server.ask("summary");
            flying = summary["inFlight"].as_u64().unwrap_or_default();
            summary["requests"].as_u64().unwrap_or_default() * 2 >= unbroken
        });
        println!(
            "killed after {:.1} s with {flying} requests in flight",
            killed.wall
        );
        let mut arguments = self.arguments();
        if self.abilities.resume {
            arguments.push("--resume");
        } else {
            println!("the program has no --resume: it begins anew");
        }
        let run = client::collect(&server, &path, &arguments, &mut |_| false);
        let (summary, saved) = (server.ask("summary"), Saved::read(&path));
        let (floor, _) = Self::floor(&server, &saved, &summary);
        let mut line = self.line(&run, &saved, &summary, floor);
        line.server_cpu = server.cpu();
        let again = summary["repeated"].as_u64().unwrap_or_default();
        let beyond = again.saturating_sub(flying);
        line.goal(
            "G11 repeats <= 2 %",
            format!("{beyond} of {unbroken}"),
            beyond * 50 <= unbroken,
        );
        let same = saved.digests() == whole.digests();
        line.goal(
            "G11 same snapshot",
            if same { "yes" } else { "no" }.to_owned(),
            same,
        );
        line
    }

    fn evaluate(&self) -> Line {
        let server = Server::start(Setting {
            latency: 0,
            limits: false,
            ..self.scenario.setting
        });
        let path = self.folder.join("tenant.jsonl.gz");
        client::collect(&server, &path, &[], &mut |_| false);
        let run = client::evaluate(&path);
        let mut line = Line {
            name: self.scenario.name,
            wall: run.wall,
            peak: run.peak,
            cpu: run.cpu,
            ..Line::default()
        };
        let most = match self.scenario.setting.size {
            Size::TwoMillion => 2.0,
            _ => 0.15,
        };
        let goal = if most > 1.0 {
            "G9 <= 2 s, parsing included"
        } else {
            "G9 <= 150 ms, parsing included"
        };
        let reading = Saved::time_to_read(&path);
        let rest = (run.wall - reading).max(0.0);
        line.goal(
            goal,
            format!("{rest:.2} s (after {reading:.2} s of unpacking)"),
            rest <= most,
        );
        line
    }
}
