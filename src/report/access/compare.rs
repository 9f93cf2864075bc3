//! What changed between two snapshots.

use std::io::{self, Write};

use serde::Serialize;

use super::review::listed;
use crate::access::{Comparison, Sameness};

/// The JSON form: the comparison with the version of the form.
#[derive(Serialize)]
struct Answer<'a> {
    schema_version: &'static str,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

/// Writes the JSON form, indented by two, with a line break at its end.
pub fn write_json(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    let answer = Answer {
        schema_version: "1",
        comparison,
    };
    serde_json::to_writer_pretty(&mut *out, &answer)?;
    out.write_all(b"\n")
}

/// Writes what a person reads: the verdict, how many accounts, and each change in a sentence.
pub fn write_table(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    let verdict = match comparison.verdict {
        Sameness::Equivalent => "Every sign-in is treated the same.",
        Sameness::Different => "Sign-ins are treated differently.",
        Sameness::Unknown => "Whether any sign-in is treated differently is not known.",
    };
    writeln!(out, "{verdict}")?;
    for (what, accounts) in [
        ("weaker for", &comparison.weaker_users),
        ("stronger for", &comparison.stronger_users),
        ("newly blocked", &comparison.newly_blocked_users),
        ("only in the old snapshot", &comparison.only_in_old),
        ("only in the new snapshot", &comparison.only_in_new),
    ] {
        writeln!(out, "  {what}: {}", listed(accounts))?;
    }
    for change in &comparison.witnesses {
        let kind = match change.kind {
            crate::access::DifferenceKind::Weaker => "weaker",
            crate::access::DifferenceKind::Stronger => "stronger",
            crate::access::DifferenceKind::NewlyBlocked => "newly blocked",
        };
        writeln!(out, "{kind}: {}", change.sentence.for_terminal())?;
    }
    if comparison.witnesses_not_shown > 0 {
        writeln!(out, "and {} more", comparison.witnesses_not_shown)?;
    }
    for assumption in &comparison.assumptions {
        writeln!(out, "not known: {}", assumption.for_terminal())?;
    }
    Ok(())
}
