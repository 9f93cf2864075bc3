//! Committed text that is made from the program itself: the rule pages and the blocks of the README between `generated` marks.
//!
//! `UPDATE_GENERATED=1 cargo test --test generated` writes them; without it, a copy that differs fails.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use m365audit::rules::{self, Area, Severity};

#[test]
fn the_page_of_rules_is_that_of_the_registry() {
    let mut page = String::from(
        "# The rules\n\nMade from the registry by `UPDATE_GENERATED=1 cargo test --test generated`; `m365audit rules show ID` says everything about one.\n\
         Severity is that of a failure at full reach.\n",
    );
    for area in Area::ALL {
        let here: Vec<_> = rules::registry().filter(|rule| rule.area == area).collect();
        let _ = writeln!(
            page,
            "\n## {} ({})\n\n| rule | what it finds | severity | licence |\n|---|---|---|---|",
            area.name(),
            here.len()
        );
        for rule in here {
            let licence = match rule.licence.plans() {
                [] => "none".to_owned(),
                plans => plans.join(" or "),
            };
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {licence} |",
                rule.id,
                rule.title,
                Severity::of(rule.risk.full()).word()
            );
        }
    }
    compare("src/rules/README.md", &page);
}

#[test]
fn the_blocks_of_the_readme_are_real_output() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let blocks = BTreeMap::from([
        (
            "demo",
            code(&first_screen(&output(&["scan", "--demo", "--quiet"]))),
        ),
        ("help", code(&output(&["--help"]))),
        ("rules", rules_by_area()),
        ("permissions", code(&head(&output(&["permissions"]), 9))),
        ("doctor", code(&output(&["doctor", "--demo"]))),
    ]);
    let mut made = readme.clone();
    for (name, text) in blocks {
        let (begin, end) = (
            format!("<!-- generated:{name} -->\n"),
            format!("<!-- /generated:{name} -->"),
        );
        let start = made
            .find(&begin)
            .unwrap_or_else(|| panic!("README.md has no {begin}"))
            + begin.len();
        let stop = made[start..]
            .find(&end)
            .unwrap_or_else(|| panic!("README.md has no {end}"))
            + start;
        made.replace_range(start..stop, &text);
    }
    compare("README.md", &made);
}

/// Up to the end of the first table of findings: what a reader sees first.
fn first_screen(report: &str) -> String {
    let tables = report
        .match_indices("\nIdentity and access:")
        .next()
        .map_or(report.len(), |(at, _)| at);
    let more: Vec<&str> = report[tables..].lines().take(22).collect();
    format!("{}{}\n…\n", &report[..tables], more.join("\n"))
}

/// The first lines, and the last two.
fn head(page: &str, lines: usize) -> String {
    let all: Vec<&str> = page.trim_end().lines().collect();
    let (first, last) = (&all[..lines], &all[all.len() - 2..]);
    format!("{}\n…\n{}\n", first.join("\n"), last.join("\n"))
}

fn rules_by_area() -> String {
    let mut table = String::from(
        "| area | rules | critical | high | medium | low |\n|---|---|---|---|---|---|\n",
    );
    for area in Area::ALL {
        let of = |severity| {
            rules::registry()
                .filter(|rule| rule.area == area && Severity::of(rule.risk.full()) == severity)
                .count()
        };
        let all = rules::registry().filter(|rule| rule.area == area).count();
        let [critical, high, medium, low, _] = Severity::ALL.map(of);
        let _ = writeln!(
            table,
            "| {} | {all} | {critical} | {high} | {medium} | {low} |",
            area.name()
        );
    }
    table
}

fn output(arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_m365audit"))
        .args(arguments)
        .env_clear()
        .output()
        .expect("the binary runs");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    String::from_utf8(run.stdout).expect("text")
}

fn code(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    format!("```text\n{}\n```\n", lines.join("\n").trim_matches('\n'))
}

fn compare(path: &str, made: &str) {
    let file = root().join(path);
    if std::env::vars_os().any(|(name, _)| name == "UPDATE_GENERATED") {
        std::fs::write(&file, made).expect("the file is written");
        return;
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == made,
        "{path} is not what the program makes: run UPDATE_GENERATED=1 cargo test --test generated, and read the difference"
    );
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
