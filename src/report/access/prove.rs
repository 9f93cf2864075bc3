//! Guarantees with their verdicts and witnesses.
//!
//! For people: first one line for each guarantee, then what is behind every verdict that is not proved. Names of accounts, policies
//! and places are a tenant's text, and what somebody wrote into an own guarantee is anybody's.

use std::io::{self, Write};

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, LineStyle, Table, Width, presets};
use jiff::Timestamp;
use serde::Serialize;

use crate::access::{Accounts, Change, Guarantee, NearMiss, Proof, Verdict, Witness};
use crate::report::TenantName;
use crate::report::table::{Style, table, unbroken};
use crate::snapshot::tenant::{User, Users};
use crate::snapshot::{Guid, Untrusted};

/// How many accounts are named to people; programs get more.
const NAMED: usize = 5;

/// How many witnesses of one guarantee are shown beside others, and how many policies that come near a witness.
const SHOWN: usize = 3;

/// The label of a line below a witness, with blanks on both sides.
const LABEL_COLUMN: u16 = 14;

/// A dash in its place.
const DASH_COLUMN: u16 = 5;

/// The JSON form: `{"schema_version": "1", "guarantees": [...]}`.
#[derive(Serialize)]
struct Answers<'a, T> {
    schema_version: &'static str,
    guarantees: &'a [T],
}

/// Writes the JSON form, indented by two, with a line break at its end.
pub fn write_json(proofs: &[Proof], out: &mut dyn Write) -> io::Result<()> {
    json(proofs, out)
}

fn json<T: Serialize>(guarantees: &[T], out: &mut dyn Write) -> io::Result<()> {
    let answers = Answers {
        schema_version: "1",
        guarantees,
    };
    serde_json::to_writer_pretty(&mut *out, &answers)?;
    out.write_all(b"\n")
}

/// A guarantee and what came of it.
#[derive(Clone, Copy)]
pub struct Answered<'a> {
    /// What was asked.
    pub guarantee: &'a Guarantee,
    /// The answer.
    pub proof: &'a Proof,
}

/// Everything that the page for people is made from.
pub struct Page<'a> {
    /// Which tenant.
    pub tenant: &'a TenantName,
    /// When it was read.
    pub collected_at: Timestamp,
    /// The answers, in the order in which they were asked for.
    pub answered: &'a [Answered<'a>],
    /// Names of accounts, as far as they were read.
    pub users: &'a Users,
}

/// Writes the answers for people.
pub fn write_table(page: &Page<'_>, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let tenant = page.tenant;
    let name = tenant.display_name.as_ref().unwrap_or(&tenant.id);
    let domain = tenant.default_domain.as_ref();
    let domain = domain.map(|domain| format!(" ({})", domain.for_terminal()));
    let heading = format!("{}{}", name.for_terminal(), domain.unwrap_or_default());
    writeln!(out, "{}", bold(&heading, style))?;
    writeln!(out, "read {}; {}\n", page.collected_at, counts(page, style))?;
    writeln!(out, "{}", overview(page, style))?;
    for answered in page.answered {
        let verdict = answered.proof.verdict;
        if !matches!(verdict, Verdict::Proved | Verdict::Vacuous) {
            details(page, *answered, style, out)?;
        }
    }
    taken_for_granted(page, style, out)?;
    left_out(page, style, out)
}

fn counts(page: &Page<'_>, style: Style) -> String {
    let all = [
        Verdict::Violated,
        Verdict::Depends,
        Verdict::Unknown,
        Verdict::Proved,
        Verdict::Vacuous,
    ];
    let counts: Vec<String> = all
        .into_iter()
        .filter_map(|verdict| {
            let mut proofs = page.answered.iter().map(|answered| answered.proof);
            let first = proofs.find(|proof| proof.verdict == verdict)?;
            let count = 1 + proofs.filter(|proof| proof.verdict == verdict).count();
            Some(painted(
                &format!("{count} {}", first.verdict.as_str()),
                verdict,
                style,
            ))
        })
        .collect();
    counts.join("  ")
}

fn overview(page: &Page<'_>, style: Style) -> Table {
    let mut table = table(style, &["Verdict", "Guarantee", "Who and what", "Open to"]);
    for answered in page.answered {
        let Answered { guarantee, proof } = answered;
        let mut verdict = Cell::new(proof.verdict.as_str());
        if style.colour {
            verdict = verdict
                .fg(colour(proof.verdict))
                .add_attribute(Attribute::Bold);
        }
        let what = format!(
            "{}: {}",
            guarantee.who_in_words(),
            guarantee.what_in_words()
        );
        table.add_row(vec![
            verdict,
            Cell::new(inert(&guarantee.id)),
            Cell::new(inert(&what)),
            Cell::new(open_to(proof)),
        ]);
    }
    // One line for each as far as they fit: rules between them would hide that.
    table.load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    for column in [0, 1, 3] {
        unbroken(&mut table, column);
    }
    table
}

fn open_to(proof: &Proof) -> String {
    let (count, of) = (proof.affected_users.count, proof.asked_users);
    match proof.verdict {
        Verdict::Proved => "nobody".to_owned(),
        Verdict::Vacuous => "asks of nobody".to_owned(),
        // Whoever it is open to then has no account here.
        Verdict::Violated if count == 0 => "external users".to_owned(),
        Verdict::Violated => format!("{count} of {of}"),
        Verdict::Depends | Verdict::Unknown if count == 0 => "not known".to_owned(),
        Verdict::Depends | Verdict::Unknown => format!("up to {count} of {of}"),
    }
}

fn details(
    page: &Page<'_>,
    answered: Answered<'_>,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Answered { guarantee, proof } = answered;
    let verdict = painted(proof.verdict.as_str(), proof.verdict, style);
    let id = bold(&inert(&guarantee.id), style);
    writeln!(out, "\n{verdict}  {id}")?;
    let mut lines = Lines::new(style);
    lines.add("says", &inert(&guarantee.says));
    let must = guarantee.must_in_words();
    // What a guarantee that somebody wrote says is made of it.
    if !guarantee.says.ends_with(&must) {
        lines.add("must", &inert(&must));
    }
    if proof.affected_users.count > 0 {
        lines.add("accounts", &accounts(&proof.affected_users, page));
    }
    let is_alone = page.answered.len() == 1;
    let shown = if is_alone { usize::MAX } else { SHOWN };
    for witness in proof.witnesses.iter().take(shown) {
        lines.witness(witness, proof.affected_users.count);
    }
    let more = proof.witnesses.len().saturating_sub(shown) + proof.witnesses_not_shown;
    if more > 0 {
        lines.add("", &format!("and {more} more"));
    }
    if proof.verdict != Verdict::Violated {
        for assumption in &proof.assumptions {
            lines.add("rests on", &assumption.for_terminal());
        }
    }
    lines.write(out)
}

/// The first accounts of a set by name, and how many more there are.
fn accounts(accounts: &Accounts, page: &Page<'_>) -> String {
    let first: Vec<String> = accounts
        .ids
        .iter()
        .take(NAMED)
        .map(|&id| account(page.users, id))
        .collect();
    let more = accounts.count.saturating_sub(first.len() as u64);
    let first = first.join(", ");
    match more {
        0 => first,
        _ => format!("{first} and {more} more"),
    }
}

/// The name of an account for people: its UPN, else its id.
fn account(users: &Users, id: Guid) -> String {
    let user = users.get(id);
    let name = user.map(User::user_principal_name);
    match name.filter(|name| !name.is_blank()) {
        Some(name) => name.for_terminal(),
        None => id.to_string(),
    }
}

/// Assumptions are much the same for all guarantees: each once, with the guarantees that rest on it.
fn taken_for_granted(page: &Page<'_>, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut said: Vec<(&Untrusted, Vec<&str>)> = Vec::new();
    for Answered { guarantee, proof } in page.answered {
        let is_said_above = matches!(proof.verdict, Verdict::Depends | Verdict::Unknown);
        for assumption in proof.assumptions.iter().filter(|_| !is_said_above) {
            match said.iter_mut().find(|(other, _)| *other == assumption) {
                Some((_, by)) => by.push(&guarantee.id),
                None => said.push((assumption, vec![&guarantee.id])),
            }
        }
    }
    if said.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{}",
        bold("What these verdicts take for granted", style)
    )?;
    let mut lines = Lines::dashed(style);
    for (assumption, by) in said {
        let by = match by.len() {
            all if all == page.answered.len() => String::new(),
            some if some > SHOWN => format!(" ({some} of them)"),
            _ => format!(" ({})", inert(&by.join(", "))),
        };
        lines.add("-", &format!("{}{by}", assumption.for_terminal()));
    }
    lines.write(out)
}

fn left_out(page: &Page<'_>, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let sets = page
        .answered
        .iter()
        .map(|answered| &answered.proof.left_out);
    let Some(apart) = sets.max_by_key(|accounts| accounts.count) else {
        return Ok(());
    };
    if apart.count == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "\n{}",
        bold("Left out of the guarantees that have a name", style)
    )?;
    let mut lines = Lines::dashed(style);
    lines.add(
        "-",
        &format!(
            "accounts that are declared for emergency access, or that synchronise the local directory: {}",
            accounts(apart, page)
        ),
    );
    lines.write(out)
}

/// Lines below a heading: a label, and text that is broken where the terminal ends.
struct Lines {
    table: Table,
    first: u16,
}

impl Lines {
    fn new(style: Style) -> Self {
        let mut lines = table(style, &[]);
        lines.load_style(presets::NOTHING);
        Self {
            table: lines,
            first: LABEL_COLUMN,
        }
    }

    fn dashed(style: Style) -> Self {
        Self {
            first: DASH_COLUMN,
            ..Self::new(style)
        }
    }

    fn add(&mut self, label: &str, text: &str) {
        self.table
            .add_row(vec![Cell::new(format!("  {label}")), Cell::new(text)]);
    }

    fn witness(&mut self, witness: &Witness, affected: u64) {
        self.add("open", &witness.sentence.for_terminal());
        for near in witness.near_misses.iter().take(SHOWN) {
            self.add("  near", &near_miss(near));
        }
        if let Some(more @ 1..) = witness.near_misses.len().checked_sub(SHOWN) {
            self.add("", &format!("and {more} more that miss it in one way only"));
        }
        if let Some(change) = &witness.closed_by {
            self.add("  close it", &closing(change, affected));
        }
    }

    fn write(mut self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(column) = self.table.column_mut(0) {
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(self.first)));
        }
        // An empty header is an empty line.
        for line in self.table.lines().skip(1) {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn near_miss(near: &NearMiss) -> String {
    format!(
        "'{}', by {}: {}",
        near.name.for_terminal(),
        near.dimension.replace('_', " "),
        near.detail.for_terminal()
    )
}

fn closing(change: &Change, affected: u64) -> String {
    let name = change.name.for_terminal();
    let closed = change.users_closed;
    let whom = if closed == 0 {
        String::new()
    } else if closed >= affected {
        format!(" (closes it for all {closed})")
    } else {
        format!(" (closes it for {closed} of {affected})")
    };
    format!("'{name}': {}{whom}", change.detail.for_terminal())
}

/// Writes the guarantees that have a name for people.
pub fn write_list(named: &[Guarantee], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut table = table(style, &["Guarantee", "Who and what", "Must"]);
    for guarantee in named {
        table.add_row(vec![
            format!("{}\n{}", guarantee.id, guarantee.says),
            format!(
                "{}: {}",
                guarantee.who_in_words(),
                guarantee.what_in_words()
            ),
            guarantee.must_in_words(),
        ]);
    }
    writeln!(out, "{table}")
}

/// A guarantee that can be asked for.
#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    says: &'a str,
    who: String,
    what: String,
    must: String,
}

/// Writes the guarantees that have a name for programs.
pub fn write_list_json(named: &[Guarantee], out: &mut dyn Write) -> io::Result<()> {
    let listed: Vec<Listed<'_>> = named
        .iter()
        .map(|guarantee| Listed {
            id: &guarantee.id,
            says: &guarantee.says,
            who: guarantee.who_in_words(),
            what: guarantee.what_in_words(),
            must: guarantee.must_in_words(),
        })
        .collect();
    json(&listed, out)
}

fn inert(text: &str) -> String {
    Untrusted::from(text).for_terminal()
}

const fn colour(verdict: Verdict) -> Color {
    match verdict {
        Verdict::Proved => Color::Green,
        Verdict::Violated => Color::Red,
        Verdict::Depends | Verdict::Unknown => Color::Yellow,
        Verdict::Vacuous => Color::DarkGrey,
    }
}

fn painted(text: &str, verdict: Verdict, style: Style) -> String {
    if !style.colour {
        return text.to_owned();
    }
    let colour = match verdict {
        Verdict::Proved => anstyle::AnsiColor::Green,
        Verdict::Violated => anstyle::AnsiColor::Red,
        Verdict::Depends | Verdict::Unknown => anstyle::AnsiColor::Yellow,
        Verdict::Vacuous => anstyle::AnsiColor::BrightBlack,
    };
    let paint = colour.on_default().bold();
    format!("{paint}{text}{paint:#}")
}

fn bold(text: &str, style: Style) -> String {
    if !style.colour {
        return text.to_owned();
    }
    let paint = anstyle::Style::new().bold();
    format!("{paint}{text}{paint:#}")
}
