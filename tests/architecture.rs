//! The layout of the source: which room may know which, what stands in no file, and what nobody has to remember.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail wherever it finds something else"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What each room may import; `cli` and the two roots may import everything.
const ROOMS: &[(&str, &[&str])] = &[
    ("access", &["snapshot"]),
    ("auth", &["graph"]),
    ("collect", &["graph", "snapshot"]),
    ("config", &[]),
    ("emulator", &[]),
    ("graph", &["auth", "json"]),
    ("json", &[]),
    ("plan", &["rules", "snapshot", "config"]),
    ("report", &["plan", "rules", "snapshot", "config", "access"]),
    ("rules", &["snapshot", "access", "config"]),
    ("snapshot", &["json"]),
];

/// Rooms that see all others.
const ABOVE: &[&str] = &["cli", "lib", "main"];

/// Longest source file; the guide is 500, and this leaves room to finish a thought.
const LINES: usize = 700;

#[test]
fn rooms_import_only_what_they_may() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in sources() {
        let room = file.modules.first().map_or("", String::as_str);
        if ABOVE.contains(&room) {
            continue;
        }
        let (_, allowed) = ROOMS
            .iter()
            .find(|(name, _)| *name == room)
            .unwrap_or_else(|| panic!("{} is in no room", file.path.display()));
        for (line, target) in imports(&file) {
            seen += 1;
            if target != room && !allowed.contains(&target.as_str()) {
                wrong.push(format!(
                    "{}:{line}: {room} -> {target}",
                    file.path.display()
                ));
            }
        }
    }
    assert!(seen > 50, "only {seen} imports were found");
    assert!(wrong.is_empty(), "not allowed:\n{}", wrong.join("\n"));
}

#[test]
fn imports_are_found_however_they_are_written() {
    let file = |text: &str| {
        let source = Source {
            path: PathBuf::new(),
            modules: vec!["rules".to_owned(), "identity".to_owned()],
            text: text.to_owned(),
        };
        imports(&source)
            .into_iter()
            .map(|(_, target)| target)
            .collect::<Vec<_>>()
    };
    assert_eq!(file("use crate::plan::Plan;"), ["plan"]);
    assert_eq!(
        file("use crate::{\n    plan::{self, x},\n    report,\n};"),
        ["plan", "report"]
    );
    assert_eq!(file("fn f(x: crate::cli::World) {}"), ["cli"]);
    assert_eq!(file("use super::super::emulator;"), ["emulator"]);
    assert_eq!(file("use super::score;"), [""; 0]);
    assert_eq!(
        file("// crate::plan\nlet x = \"crate::plan\"; /* crate::plan */"),
        [""; 0]
    );
}

#[test]
fn every_file_is_a_module_of_its_folder() {
    let mut stray = Vec::new();
    for file in sources() {
        let Some((name, parents)) = file.modules.split_last() else {
            continue;
        };
        if parents.is_empty() && ABOVE.contains(&name.as_str()) && name != "cli" {
            continue;
        }
        let folder = root().join("src").join(parents.join("/"));
        let parent = match parents.last() {
            None => folder.join("lib.rs"),
            Some(_) if folder.join("mod.rs").exists() => folder.join("mod.rs"),
            Some(_) => folder.with_extension("rs"),
        };
        let declares = std::fs::read_to_string(&parent).unwrap_or_default();
        let declared = bare(&declares)
            .split(';')
            .any(|item| item.trim_end().ends_with(&format!("mod {name}")));
        if !declared {
            stray.push(format!("{} in {}", file.path.display(), parent.display()));
        }
    }
    assert!(stray.is_empty(), "compiled by nobody: {stray:#?}");
}

#[test]
fn no_file_turns_off_the_borrow_checker_or_grows_without_end() {
    let mut wrong = Vec::new();
    for file in sources() {
        let text = bare(&file.text);
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        if words.into_iter().any(|word| word == "unsafe") {
            wrong.push(format!("{}: unsafe", file.path.display()));
        }
        let lines = file.text.lines().count();
        if lines > LINES {
            wrong.push(format!("{}: {lines} lines", file.path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A path that exists on one machine only is a trace of it, or a test that passes there only.
#[test]
fn no_file_names_a_place_on_somebodys_machine() {
    // Put together here, so that this file is not its own first finding.
    let places = ["work", "home", "root", "tmp", "mnt"].map(|place| format!("/{place}/"));
    let mut wrong = Vec::new();
    for path in files(&root(), &|name| !matches!(name, ".git" | "target")) {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue; // keys and the like
        };
        for (number, line) in text.lines().enumerate() {
            for place in &places {
                let absolute = line.match_indices(place).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || "/.-_}~".contains(c))
                });
                if absolute {
                    let path = path.strip_prefix(root()).unwrap().display();
                    wrong.push(format!("{path}:{}: {place}", number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

struct Source {
    path: PathBuf,
    /// `["rules", "identity", "stale_accounts"]`; a `mod.rs` is its folder.
    modules: Vec<String>,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let all = files(&src, &|_| true).into_iter();
    let rust = all.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.map(|path| {
        let below = path.strip_prefix(&src).unwrap().with_extension("");
        let mut modules: Vec<String> = below
            .iter()
            .map(|part| part.to_str().unwrap().to_owned())
            .collect();
        if modules.last().is_some_and(|name| name == "mod") {
            modules.pop();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        Source {
            path: path.strip_prefix(root()).unwrap().to_owned(),
            modules,
            text,
        }
    })
    .collect()
}

/// Every file below a folder, in order; `enter` says which names are looked at.
fn files(folder: &Path, enter: &dyn Fn(&str) -> bool) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if !enter(entry.file_name().to_str().unwrap()) {
            continue;
        }
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files(&entry.path(), enter));
        } else if kind.is_file() {
            found.insert(entry.path());
        }
    }
    found
}

/// The line and the room of each path that leads out of a module: `crate::x`, `crate::{x, y}`, `super::super::x`.
fn imports(file: &Source) -> Vec<(usize, String)> {
    let text = bare(&file.text);
    let line = |at: usize| text[..at].lines().count();
    let mut found = Vec::new();
    for (at, start) in text.match_indices("crate::") {
        let rest = &text[at + start.len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(heads(group).into_iter().map(|name| (line(at), name))),
            None => found.push((line(at), word(rest).to_owned())),
        }
    }
    for (at, _) in text.match_indices("super::") {
        if text[..at].ends_with("super::") {
            continue;
        }
        let rest = text[at..].trim_start_matches("super::");
        let up = (text.len() - at - rest.len()) / "super::".len();
        // An inline module (tests) is one further down; its lines are indented.
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let depth = file.modules.len() + usize::from(text[start..].starts_with(' '));
        if up >= depth && !rest.starts_with(['{', '*']) {
            found.push((line(at), word(rest).to_owned()));
        }
    }
    found
}

/// The first word of each member of `a::b, c::{d, e}, f}`.
fn heads(group: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let (mut depth, mut fresh) = (1, true);
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => {
                names.push(String::new());
                fresh = true;
            }
            ':' => fresh = false,
            c if depth == 1 && fresh && (c.is_alphanumeric() || c == '_') => {
                names.last_mut().unwrap().push(c);
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// The text without comments and without what stands in string literals; line breaks stay.
fn bare(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(end) = raw_string(rest) {
            end
        } else if c == '"' {
            string(rest)
        } else if rest.starts_with("'\"'") || rest.starts_with("'{'") || rest.starts_with("'}'") {
            3
        } else if let Some(escape) = rest.strip_prefix("'\\") {
            // What is escaped may be a quote itself.
            let end = escape.get(1..).and_then(|after| after.find('\''));
            end.map_or(rest.len(), |end| end + 4)
        } else {
            0
        };
        if skip == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            out.extend(rest[..skip].matches('\n'));
            rest = &rest[skip..];
        }
    }
    out
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_string(text: &str) -> Option<usize> {
    let hashes = text.strip_prefix('r')?;
    let body = hashes.trim_start_matches('#');
    let end = format!("\"{}", "#".repeat(hashes.len() - body.len()));
    let body = body.strip_prefix('"')?;
    let start = text.len() - body.len();
    Some(
        body.find(&end)
            .map_or(text.len(), |at| start + at + end.len()),
    )
}
