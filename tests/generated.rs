//! Committed text that is made from the program itself: the rule pages and the blocks of the README between `generated` marks.
//!
//! `UPDATE_GENERATED=1 cargo test --test generated` writes them; without it, a copy that differs fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use m365audit::collect;
use m365audit::rules::{self, Area, Severity};
use m365audit::snapshot::Resource;

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

/// Every resource, what is asked for it, what that takes, and which controls rest on it.
#[test]
fn the_page_of_resources_is_that_of_the_collector() {
    let mut page = String::from(
        "# What is read\n\nMade from the collector by `UPDATE_GENERATED=1 cargo test --test generated`. A unit is what Graph charges one request \
         of that service; `{id}` is asked once for each object that matters; lists in parts are cut when they are long. Controls in italics have \
         no rule yet.\n\n| resource | request | permission | licence | service, units | in parts | feeds |\n|---|---|---|---|---|---|---|\n",
    );
    let now = "2026-11-02T08:00:00Z".parse().expect("a moment");
    let sources = sources();
    for &resource in Resource::ALL {
        #[allow(
            clippy::use_debug,
            reason = "the name of a service is for readers of the code"
        )]
        let service = |request: &collect::Request| format!("{:?}", request.service);
        let asked = collect::describe(resource, now);
        let built: BTreeSet<&str> = rules::registry()
            .filter(|rule| rule.reads.contains(&resource) || rule.may_read.contains(&resource))
            .map(|rule| rule.id)
            .collect();
        let planned: BTreeSet<&str> = sources
            .iter()
            .filter(|source| answers(resource, source.version, source.path))
            .map(|source| source.key)
            .filter(|key| rules::find(key).is_none())
            .collect();
        let feeds: Vec<String> = (built.iter().map(|rule| format!("`{rule}`")))
            .chain(planned.iter().map(|rule| format!("*{rule}*")))
            .collect();
        let _ = writeln!(
            page,
            "| `{}` | `{}` | {} | {} | {}, {} | {} | {} |",
            resource.key(),
            asked.address.replace("%20", " "),
            resource.permission(),
            resource.licence().name().unwrap_or("none"),
            service(&asked),
            asked.units,
            if asked.in_parts { "yes" } else { "" },
            feeds.join(", ")
        );
    }
    compare("src/collect/README.md", &page);
}

/// Each request that a control of the catalogue rests on is a resource of the collector.
#[test]
fn everything_that_a_control_rests_on_is_read() {
    let mut missing = BTreeSet::new();
    for source in sources() {
        let known = Resource::ALL
            .iter()
            .any(|&resource| answers(resource, source.version, source.path));
        if !known {
            missing.insert(format!("{} {}", source.version, source.path));
        }
    }
    // A search of the unified audit log is a job that has to be created: not read by default, and so not here.
    let left = BTreeSet::from(["POST v1.0 /security/auditLog/queries".to_owned()]);
    assert_eq!(missing, left);
}

/// A request that a control rests on.
struct Source {
    key: &'static str,
    version: &'static str,
    path: &'static str,
}

/// The requests of all controls; DNS, the configuration and recorded answers are no requests.
fn sources() -> Vec<Source> {
    let table = include_str!("../fixtures/rules/sources.tsv");
    let mut sources = Vec::new();
    for line in table.lines().skip(1) {
        let mut columns = line.split('\t');
        let (key, all) = (columns.next().unwrap_or(""), columns.nth(1).unwrap_or(""));
        for request in all.split(" ; ").map(str::trim) {
            let (version, path) = if let Some(rest) = request.strip_prefix("GET ") {
                rest.split_once(' ').unwrap_or((rest, ""))
            } else if request.starts_with("POST ") {
                ("POST v1.0", request.split(' ').nth(2).unwrap_or(""))
            } else {
                continue;
            };
            sources.push(Source { key, version, path });
        }
    }
    sources
}

/// Whether a resource is the answer to a request of the catalogue, whatever its options.
fn answers(resource: Resource, version: &str, path: &str) -> bool {
    let bare = |path: &str| {
        let path = path.split('?').next().unwrap_or_default();
        let ids = ["{own-id}", "{resource-id}"];
        ids.iter()
            .fold(path.to_owned(), |path, id| path.replace(id, "{id}"))
    };
    let (own, asked) = (bare(resource.path()), bare(path));
    // Of a list of mixed types one may be asked for alone.
    let cast = own
        .strip_prefix(&asked)
        .is_some_and(|rest| rest.starts_with("/microsoft.graph."));
    resource.version() == version && (own == asked || cast)
}

#[test]
fn the_blocks_of_the_readme_are_real_output() {
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
    compare("README.md", &filled("README.md", blocks));
}

#[test]
fn the_blocks_of_the_page_on_access_are_real_output() {
    let example = "docs/examples/own-guarantees.toml";
    let query = std::fs::read_to_string(root().join(example)).expect("the example");
    let prove = |flags: &[&str]| {
        let call = [&["access", "prove", "--demo", "--quiet"], flags].concat();
        code(&ended_with(1, &call))
    };
    let blocks = BTreeMap::from([
        ("named", prove(&["--guarantee", "legacy-blocked"])),
        ("list", code(&output(&["access", "prove", "--list"]))),
        ("query", format!("```toml\n{}\n```\n", query.trim_end())),
        ("own", prove(&["--query", example])),
    ]);
    compare("docs/access.md", &filled("docs/access.md", blocks));
}

/// A page with what stands between its marks replaced.
fn filled(page: &str, blocks: BTreeMap<&str, String>) -> String {
    let mut made = std::fs::read_to_string(root().join(page)).expect("the page");
    for (name, text) in blocks {
        let (begin, end) = (
            format!("<!-- generated:{name} -->\n"),
            format!("<!-- /generated:{name} -->"),
        );
        let start = made
            .find(&begin)
            .unwrap_or_else(|| panic!("{page} has no {begin}"))
            + begin.len();
        let stop = made[start..]
            .find(&end)
            .unwrap_or_else(|| panic!("{page} has no {end}"))
            + start;
        made.replace_range(start..stop, &text);
    }
    made
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
    ended_with(0, arguments)
}

/// What a run prints that ends with this exit code.
fn ended_with(exit_code: i32, arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_m365audit"))
        .args(arguments)
        .env_clear()
        .current_dir(root())
        .output()
        .expect("the binary runs");
    assert_eq!(
        run.status.code(),
        Some(exit_code),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    String::from_utf8(run.stdout).expect("text")
}

fn code(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    format!("```text\n{}\n```\n", lines.join("\n").trim_matches('\n'))
}

/// What the emulator carries is what lies readable in `fixtures/`. Compared as text: another version of the packer packs otherwise.
#[test]
fn the_packed_data_is_that_of_the_fixtures() {
    let text = |path: &str| std::fs::read_to_string(root().join(path)).expect("a fixture");
    let folder = root().join("fixtures/tenants/demo");
    let files: BTreeMap<String, String> = std::fs::read_dir(folder)
        .expect("the sample tenant")
        .map(|entry| {
            let name = entry.expect("a file").file_name();
            name.into_string().expect("a name of ours")
        })
        .filter(|name| Path::new(name).extension() == Some("json".as_ref()))
        .map(|name| {
            let content = text(&format!("fixtures/tenants/demo/{name}"));
            (name, content)
        })
        .collect();
    assert!(files.contains_key("tenant.json"));
    let members: Vec<String> = files
        .iter()
        .map(|(name, content)| format!("\"{name}\":{content}"))
        .collect();
    compare_packed("demo.json", &format!("{{{}}}", members.join(",")));
    for name in ["v1.0-subset.csdl", "beta-subset.json"] {
        compare_packed(name, &text(&format!("fixtures/graph/{name}")));
    }
}

fn compare_packed(name: &str, made: &str) {
    let file = root().join(format!("fixtures/packed/{name}.gz"));
    let mut committed = String::new();
    // A file that is not there, or not packed, is one that differs.
    let _ =
        std::fs::read(&file).map(|bytes| GzDecoder::new(&bytes[..]).read_to_string(&mut committed));
    if committed == made {
        return;
    }
    assert!(
        std::env::vars_os().any(|(name, _)| name == "UPDATE_GENERATED"),
        "{name} was changed and not packed: run UPDATE_GENERATED=1 cargo test --test generated, and build again"
    );
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(made.as_bytes()).expect("memory");
    std::fs::write(&file, packer.finish().expect("memory")).expect("the file is written");
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
