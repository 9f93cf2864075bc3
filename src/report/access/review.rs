//! The review of a set of policies.

use std::io::{self, Write};

use serde::Serialize;

use crate::access::{Accounts, Review};
use crate::snapshot::Untrusted;

/// The JSON form: the review with the version of the form.
#[derive(Serialize)]
struct Answer<'a> {
    schema_version: &'static str,
    #[serde(flatten)]
    review: &'a Review,
}

/// Writes the JSON form, indented by two, with a line break at its end.
pub fn write_json(review: &Review, out: &mut dyn Write) -> io::Result<()> {
    let answer = Answer {
        schema_version: "1",
        review,
    };
    serde_json::to_writer_pretty(&mut *out, &answer)?;
    out.write_all(b"\n")
}

/// Writes what a person reads: one part for each kind of result, parts without a result in one word.
pub fn write_table(review: &Review, out: &mut dyn Write) -> io::Result<()> {
    part(
        out,
        "Redundant (each may go alone: the others do the same)",
        review
            .redundant
            .iter()
            .map(|found| {
                let by: Vec<String> = found.by.iter().map(Untrusted::for_terminal).collect();
                let name = found.name.for_terminal();
                format!("{name}: covered by {}", by.join(", "))
            })
            .collect(),
    )?;
    part(
        out,
        "Dead (can keep nobody out)",
        review
            .dead
            .iter()
            .map(|found| {
                format!(
                    "{}: {}",
                    found.name.for_terminal(),
                    found.reason.for_terminal()
                )
            })
            .collect(),
    )?;
    part(
        out,
        "Undecided (neither can be told)",
        review
            .undecided
            .iter()
            .map(Untrusted::for_terminal)
            .collect(),
    )?;
    let lockout = &review.lockout;
    part(
        out,
        "Locked out",
        [
            ("accounts", &lockout.users),
            ("administrators", &lockout.administrators),
            ("emergency access accounts", &lockout.emergency),
        ]
        .into_iter()
        .filter(|(_, accounts)| accounts.count > 0)
        .map(|(who, accounts)| format!("{who}: {}", listed(accounts)))
        .collect(),
    )?;
    part(
        out,
        "Report-only policies, if each were on",
        review
            .report_only_policies
            .iter()
            .map(|impact| {
                format!(
                    "{}: {} newly asked for a control, {} with a sign-in newly blocked",
                    impact.name.for_terminal(),
                    impact.stronger_users.count,
                    impact.newly_blocked_users.count
                )
            })
            .collect(),
    )?;
    part(
        out,
        "Leftovers",
        review
            .leftovers
            .iter()
            .map(|leftover| {
                format!(
                    "{}: {} ({})",
                    leftover.name.for_terminal(),
                    leftover.detail.for_terminal(),
                    leftover.kind.as_str()
                )
            })
            .collect(),
    )?;
    if review.assumptions.is_empty() {
        return Ok(());
    }
    part(
        out,
        "Not known",
        review
            .assumptions
            .iter()
            .map(Untrusted::for_terminal)
            .collect(),
    )
}

/// How many accounts, and the first of them.
pub(super) fn listed(accounts: &Accounts) -> String {
    const SHOWN: usize = 5;
    let ids: Vec<String> = accounts
        .ids
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    let more = if accounts.count > ids.len() as u64 {
        ", ..."
    } else {
        ""
    };
    if ids.is_empty() {
        return accounts.count.to_string();
    }
    format!("{} ({}{more})", accounts.count, ids.join(", "))
}

fn part(out: &mut dyn Write, title: &str, lines: Vec<String>) -> io::Result<()> {
    if lines.is_empty() {
        return writeln!(out, "{title}: none");
    }
    writeln!(out, "{title}:")?;
    for line in lines {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}
