//! How fast a tenant is collected, against what limits and latency allow.
//!
//! `cargo bench --bench collect` plays the small scenarios; `-- 2m`, `-- 100k-resume` ... those whose name contains the word, `-- 2m$` the one of that name, `-- all`
//! all of them. The emulator runs in a process of its own (this program again, with `serve`), so that its memory and time are not
//! those of the program that is measured. With `-- --dry` only the floors are printed.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a benchmark ends where its ground is missing, and its figures are for a person"
)]

#[path = "collect/client.rs"]
mod client;
#[path = "collect/quota.rs"]
mod quota;
#[path = "collect/saved.rs"]
mod saved;
#[path = "collect/sequential.rs"]
mod sequential;
#[path = "collect/serve.rs"]
mod serve;
#[path = "collect/table.rs"]
mod table;

use std::path::Path;

use Kind::{Collect, Evaluate, Quota, Resume, Sequential, Trouble};
use client::{Abilities, Run};
use quota::{Neighbour, Used};
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
    /// Resource units are the wall, also beside another application that takes half of them.
    Quota { shared: bool },
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
    // So fast that one request for each account, of which there are 60,000, takes as long as the quota lasts.
    let quota = Setting {
        latency: 30,
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
        scenario("100k-quota", Quota { shared: false }, quota),
        scenario("100k-quota-shared", Quota { shared: true }, quota),
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
    let scenarios = scenarios();
    let (played, left): (Vec<_>, Vec<_>) = scenarios.iter().partition(|scenario| chosen(scenario));
    if !left.is_empty() {
        let names: Vec<&str> = left.iter().map(|scenario| scenario.name).collect();
        println!("not played: {}", names.join(", "));
    }
    let mut table = Table::of(command(&arguments));
    for scenario in played {
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
            Server::start(scenario.setting).floor(reports);
            continue;
        }
        let line = match scenario.kind {
            Kind::Collect | Kind::Trouble => stage.collect(),
            Kind::Quota { shared } => stage.quota(shared),
            Kind::Resume => stage.resume(),
            Kind::Sequential => stage.sequential(),
            Kind::Evaluate => stage.evaluate(),
        };
        table.add(line);
    }
    if !dry {
        println!("\n{table}");
    }
}

/// What a person types to play the same.
fn command(arguments: &[String]) -> String {
    let words = arguments.iter().filter(|word| *word != "--bench");
    let words: Vec<String> = words
        .map(|word| {
            // A shell would look for a variable.
            if word.contains('$') {
                format!("'{word}'")
            } else {
                word.clone()
            }
        })
        .collect();
    let mut command = "cargo bench --bench collect".to_owned();
    if !words.is_empty() {
        command.push_str(" -- ");
        command.push_str(&words.join(" "));
    }
    command
}

/// A wall clock time beside the floor.
fn against(run: &Run, floor: f64) -> String {
    let Run { wall, .. } = run;
    format!("{wall:.2} s = {:.2} x {floor:.2} s", wall / floor)
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
        let floor = server.floor(&[]);
        (run, saved, summary, floor)
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
        println!("most in flight: {}", summary["mostInFlight"]);
        let mut line = self.line(&run, &saved, &summary, floor);
        line.server_cpu = server.cpu();
        if self.scenario.kind == Kind::Trouble {
            line.goal("G5 <= 1.3 F", against(&run, floor), run.wall <= 1.3 * floor);
            line.whole("G5 nothing lost", &saved);
            return line;
        }
        let size = self.scenario.setting.size;
        let (goal, met) = match size {
            Size::Thousand => ("G1 <= F + 1 s", run.wall <= floor + 1.0),
            Size::HundredThousand => ("G1 <= 1.5 F", run.wall <= 1.5 * floor),
            Size::TwoMillion => ("G1 <= 1.25 F", run.wall <= 1.25 * floor),
        };
        line.goal(goal, against(&run, floor), met);
        line.whole("nothing lost", &saved);
        if size == Size::TwoMillion {
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
        line
    }

    /// With one request for each account, so that resource units are the wall.
    fn quota(&self, shared: bool) -> Line {
        let server = self.server();
        let path = self.folder.join("tenant.jsonl.gz");
        let mut arguments = self.arguments();
        arguments.extend(["--with", "per-user-mfa,federated-credentials"]);
        let neighbour = shared.then(|| Neighbour::start(&server));
        let mut used = Used::default();
        let run = client::collect(&server, &path, &arguments, &mut |passed| {
            used.look(&server, passed);
            false
        });
        let (others, refused) = neighbour.map_or((0, 0), Neighbour::end);
        let (summary, saved) = (server.ask("summary"), Saved::read(&path));
        println!("{saved}");
        let floor = server.floor(&[]);
        let mut line = self.line(&run, &saved, &summary, floor);
        line.server_cpu = server.cpu();
        line.requests -= others;
        line.throttled -= refused;
        if shared {
            println!(
                "the other application: {others} requests, {refused} of them refused; the floor knows nothing of it"
            );
            line.floor = None;
        }
        let busy = used.busy();
        let found = busy.map_or_else(|| "never busy".to_owned(), |busy| busy.to_string());
        // Two that do not know of each other also use up what had gathered before: more than what comes back meanwhile.
        let (goal, most) = if shared {
            ("both together >= 90 % of quota", f64::INFINITY)
        } else {
            ("G4 90-100 % of quota", 1.0)
        };
        let met = busy.is_some_and(|busy| (0.9..=most).contains(&busy.share));
        line.goal(goal, found, met);
        let share = line.throttled as f64 / line.requests as f64;
        let goal = if shared {
            "429 < 0.5 % beside another application"
        } else {
            "G4 429 < 0.5 %"
        };
        let found = format!(
            "{:.2} % ({} of {})",
            100.0 * share,
            line.throttled,
            line.requests
        );
        line.goal(goal, found, share < 0.005);
        line.whole("G4 nothing lost", &saved);
        line
    }

    /// The same tenant by one request at a time, and by this program.
    fn sequential(&self) -> Line {
        let server = self.server();
        let (run, saved, summary, floor) = self.measured(&server);
        let plain = sequential::time(&server, &saved, &summary);
        println!("{plain}");
        let mut line = self.line(&run, &saved, &summary, floor);
        line.server_cpu = server.cpu();
        let ratio = plain.one_by_one() / run.wall;
        let beside = plain.beside() / run.wall;
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
            format!(
                "{ratio:.1} x = {:.0} s / {:.1} s (its longest list alone {beside:.1} x)",
                plain.one_by_one(),
                run.wall
            ),
            ratio >= wanted,
        );
        line
    }

    /// Killed after half of the requests that an unbroken run takes, and resumed.
    fn resume(&self) -> Line {
        let count = |summary: &Value, name: &str| summary[name].as_u64().unwrap_or_default();
        let path = self.folder.join("tenant.jsonl.gz");
        let (unbroken, usual, whole) = {
            let server = self.server();
            let run = client::collect(&server, &path, &self.arguments(), &mut |_| false);
            let summary = server.ask("summary");
            let requests = count(&summary, "requests");
            println!("unbroken: {:.1} s, {requests} requests", run.wall);
            (requests, count(&summary, "repeated"), Saved::read(&path))
        };
        std::fs::remove_file(&path).unwrap();
        let server = self.server();
        let (mut flying, mut before) = (0, 0);
        let killed = client::collect(&server, &path, &self.arguments(), &mut |_| {
            let summary = server.ask("summary");
            flying = count(&summary, "inFlightRequests");
            before = count(&summary, "requests");
            before * 2 >= unbroken
        });
        println!(
            "killed after {:.1} s and {before} requests, {flying} of them in flight (parts of batches each for itself)",
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
        let floor = server.floor(&[]);
        let mut line = self.line(&run, &saved, &summary, floor);
        line.server_cpu = server.cpu();
        // The floor is that of a whole run.
        line.floor = None;
        let again = count(&summary, "repeated");
        let beyond = again.saturating_sub(flying + usual);
        let all = count(&summary, "requests");
        println!("repeated: {}", summary["repeatedByRoute"]);
        line.goal(
            "G11 repeats <= 2 % beyond those in flight",
            format!(
                "{:.1} % = {beyond} of {unbroken} ({again} repeated, {flying} in flight, {usual} repeated by any run; {all} requests in all)",
                100.0 * beyond as f64 / unbroken as f64
            ),
            beyond * 50 <= unbroken,
        );
        let differing = saved.differing(&whole);
        let found = if differing.is_empty() {
            "all digests are those of an unbroken run".to_owned()
        } else {
            format!("other digests: {}", differing.join(", "))
        };
        line.goal("G11 same snapshot", found, differing.is_empty());
        line.whole("G11 nothing lost", &saved);
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
