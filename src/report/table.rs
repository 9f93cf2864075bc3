//! The report for a terminal: summary, findings by area, the plan, what was not evaluated.
//!
//! Text from the tenant is made inert; colour is only added when the caller says that there is a terminal that wants it.

use std::io::{self, Write};

use comfy_table::{
    Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, Width, presets,
};

use super::Assessment;
use super::build::is_complete;
use crate::access::{Proof, Verdict};
use crate::plan::{Horizon, Part, Task, evaluated, exposure_score, worst_first};
use crate::rules::{Area, Effort, EntitlementState, Finding, Severity, Status};

/// What severity, affected, effort and days take at most, with the gaps between all columns.
const NARROW_COLUMNS: u16 = 51;

/// How to draw.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Columns to fill.
    pub width: u16,
    /// Whether to colour.
    pub colour: bool,
}

/// Writes the report.
pub fn write(assessment: &Assessment<'_>, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(style.colour);
    summary(assessment, paint, out)?;
    act_now(assessment, paint, style, out)?;
    findings(assessment, paint, style, out)?;
    plan(assessment, paint, style, out)?;
    access(assessment, paint, style, out)?;
    entitlements(assessment, paint, style, out)?;
    not_evaluated(assessment, paint, style, out)?;
    writeln!(
        out,
        "\nNot assessed by design: Microsoft's side of shared responsibility (datacenters, network, platform resilience, service \
         engineering).\nEverything above is implementation risk: how this organization runs what Microsoft secures."
    )
}

#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn heading(self, text: &str) -> String {
        let bold = anstyle::Style::new().bold();
        if self.0 {
            format!("{bold}{text}{bold:#}")
        } else {
            text.to_owned()
        }
    }

    fn severity(self, severity: Severity, text: &str) -> String {
        let style = anstyle::Style::new().bold().fg_color(Some(match severity {
            Severity::Critical => anstyle::AnsiColor::Magenta.into(),
            Severity::High => anstyle::AnsiColor::Red.into(),
            Severity::Medium => anstyle::AnsiColor::Yellow.into(),
            Severity::Low => anstyle::AnsiColor::Blue.into(),
            Severity::Info => anstyle::AnsiColor::BrightBlack.into(),
        }));
        if self.0 {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

fn summary(assessment: &Assessment<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let tenant = &assessment.tenant;
    let name = tenant
        .display_name
        .as_ref()
        .unwrap_or(&tenant.id)
        .for_terminal();
    let domain = tenant
        .default_domain
        .as_ref()
        .map(|domain| format!(" ({})", domain.for_terminal()))
        .unwrap_or_default();
    writeln!(out, "{}", paint.heading(&format!("{name}{domain}")))?;
    writeln!(
        out,
        "tenant {}, {} cloud, read {}",
        tenant.id.for_terminal(),
        assessment.header.cloud.for_terminal(),
        assessment.header.collected_at
    )?;
    let (done, applicable) = evaluated(&assessment.findings);
    writeln!(
        out,
        "\nExposure {} of 100 (lower is better), from {done} of {applicable} rules that apply{}",
        exposure_score(&assessment.findings),
        if is_complete(assessment.records) {
            ""
        } else {
            "; the collection is not complete"
        },
    )?;
    let failing = |severity| {
        assessment
            .findings
            .iter()
            .filter(|finding| finding.status == Status::Fail && finding.severity == severity)
            .count()
    };
    let counts: Vec<String> = Severity::ALL
        .into_iter()
        .map(|severity| {
            paint.severity(
                severity,
                &format!("{} {}", failing(severity), severity.word()),
            )
        })
        .collect();
    writeln!(out, "Findings: {}", counts.join("  "))?;
    let others: Vec<String> = Status::ALL
        .into_iter()
        .filter(|status| *status != Status::Fail)
        .filter_map(|status| {
            let count = assessment
                .findings
                .iter()
                .filter(|finding| finding.status == status)
                .count();
            (count > 0).then(|| format!("{count} {}", status.word().replace('_', " ")))
        })
        .collect();
    if !others.is_empty() {
        writeln!(out, "Besides:  {}", others.join("  "))?;
    }
    writeln!(out)?;
    for question in assessment.questions.iter().take(3) {
        writeln!(
            out,
            "{}\n  {}",
            paint.heading(question.question),
            question.answer
        )?;
    }
    Ok(())
}

fn act_now(
    assessment: &Assessment<'_>,
    paint: Paint,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    if assessment.plan.act_now.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{}",
        paint.severity(
            Severity::Critical,
            "Act now: signs of compromise, not of posture"
        )
    )?;
    let mut table = table(style, &["Sign", "What was found", "Rule"]);
    unbroken(&mut table, 2);
    for entry in &assessment.plan.act_now {
        table.add_row(vec![
            entry.rule.title.to_owned(),
            entry.why_now.for_terminal(),
            entry.rule.id.to_owned(),
        ]);
    }
    writeln!(out, "{table}")
}

fn findings(
    assessment: &Assessment<'_>,
    paint: Paint,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let failing: Vec<&Finding> = worst_first(&assessment.findings)
        .into_iter()
        .filter(|finding| finding.status == Status::Fail)
        .collect();
    if failing.is_empty() {
        return writeln!(out, "\nNo findings.");
    }
    for area in Area::ALL {
        let here: Vec<&&Finding> = failing
            .iter()
            .filter(|finding| finding.rule.area == area)
            .collect();
        if here.is_empty() {
            continue;
        }
        let owner = assessment.owners.of(area.key()).unwrap_or("nobody");
        let owner = crate::snapshot::Untrusted::from(owner).for_terminal();
        writeln!(
            out,
            "\n{} (owner: {owner})",
            paint.heading(&format!(
                "{}: {}",
                area.name(),
                count(here.len(), "finding")
            ))
        )?;
        let mut table = table(
            style,
            &["Severity", "Finding", "Affected", "Effort", "Days", "Owner"],
        );
        // The heading has the whole name; the column needs only enough to know whom.
        let short = owner.split('@').next().unwrap_or(&owner);
        let narrow = NARROW_COLUMNS + u16::try_from(short.chars().count().min(24)).unwrap_or(24);
        let finding = style.width.saturating_sub(narrow).max(24);
        table.set_constraints([
            ColumnConstraint::ContentWidth,
            ColumnConstraint::LowerBoundary(Width::Fixed(finding)),
            ColumnConstraint::ContentWidth,
            ColumnConstraint::ContentWidth,
            ColumnConstraint::ContentWidth,
        ]);
        for finding in here {
            table.add_row(row(finding, assessment, style, short));
        }
        writeln!(out, "{table}")?;
    }
    Ok(())
}

fn row(finding: &Finding, assessment: &Assessment<'_>, style: Style, owner: &str) -> Vec<Cell> {
    let severity = match finding.confidence {
        100 => finding.severity.word().to_owned(),
        80 => format!("{}, likely", finding.severity.word()),
        _ => format!("{}, confirm", finding.severity.word()),
    };
    let mut first = Cell::new(severity);
    if style.colour {
        first = first
            .fg(colour(finding.severity))
            .add_attribute(Attribute::Bold);
    }
    let affected = match (finding.affected.count(), finding.judged) {
        (0, _) => "tenant".to_owned(),
        (count, judged) if judged > count => format!("{count} of {judged}"),
        (count, _) => count.to_string(),
    };
    let days = match assessment.plan.horizon_of(finding.rule.id) {
        Some(horizon) => horizon.days().to_string(),
        None => "now".to_owned(),
    };
    let text = format!("{}\n{}", finding.rule.title, finding.reason.for_terminal());
    vec![
        first,
        Cell::new(text),
        Cell::new(affected),
        Cell::new(effort(finding.effort)),
        Cell::new(days),
        Cell::new(owner),
    ]
}

const fn effort(effort: Effort) -> &'static str {
    match effort {
        Effort::S => "S",
        Effort::M => "M",
        Effort::L => "L",
    }
}

const fn colour(severity: Severity) -> Color {
    match severity {
        Severity::Critical => Color::Magenta,
        Severity::High => Color::Red,
        Severity::Medium => Color::Yellow,
        Severity::Low => Color::Blue,
        Severity::Info => Color::DarkGrey,
    }
}

fn plan(
    assessment: &Assessment<'_>,
    paint: Paint,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for horizon in Horizon::ALL {
        let tasks: Vec<&Task> = assessment.plan.of(horizon).collect();
        if tasks.is_empty() {
            continue;
        }
        let this_week = tasks.iter().filter(|task| task.this_week).count();
        let week = if this_week > 0 {
            format!(", {this_week} of them this week")
        } else {
            String::new()
        };
        writeln!(
            out,
            "\n{}",
            paint.heading(&format!(
                "Within {} days: {}{week}",
                horizon.days(),
                count(tasks.len(), "task")
            ))
        )?;
        let mut table = table(style, &["#", "Task", "Why now"]);
        for task in tasks {
            table.add_row(vec![
                Cell::new(task.order),
                Cell::new(format!("{}\n{}", what_to_do(task), task.rule.id)),
                Cell::new(&task.why_now),
            ]);
        }
        writeln!(out, "{table}")?;
    }
    Ok(())
}

fn what_to_do(task: &Task) -> String {
    let summary = task.rule.remediation.summary;
    match task.part {
        Part::Do if task.this_week => format!("This week: {summary}"),
        Part::Do => summary.to_owned(),
        Part::Prepare => format!("Prepare: {summary}"),
        Part::Enforce => format!("Enforce: {summary}"),
        Part::Decide => format!(
            "Decide on a licence with {} ({} controls wait for it)",
            task.licence.join(" or "),
            task.rules.len()
        ),
    }
}

/// Who is covered by what: the named guarantees of Conditional Access, the open ones first.
fn access(
    assessment: &Assessment<'_>,
    paint: Paint,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    if assessment.access.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{}",
        paint.heading("Conditional Access, for every possible sign-in")
    )?;
    let mut table = table(style, &["Guarantee", "Verdict", "Open to"]);
    let mut proofs: Vec<&Proof> = assessment.access.iter().collect();
    proofs.sort_by_key(|proof| std::cmp::Reverse(proof.verdict));
    for proof in proofs {
        let open = match proof.verdict {
            Verdict::Violated | Verdict::Depends => {
                let count = proof.affected_users.count;
                format!("{count} of {}", proof.asked_users)
            }
            Verdict::Proved => format!("none of {}", proof.asked_users),
            Verdict::Vacuous => "nobody is asked about".to_owned(),
            Verdict::Unknown => String::new(),
        };
        table.add_row(vec![
            crate::snapshot::Untrusted::from(proof.says.as_str()).for_terminal(),
            proof.verdict.as_str().to_owned(),
            open,
        ]);
    }
    writeln!(out, "{table}")?;
    writeln!(
        out,
        "`m365audit access prove` shows which sign-ins, which policy comes near and what closes the gap."
    )
}

fn entitlements(
    assessment: &Assessment<'_>,
    paint: Paint,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let owned: Vec<_> = assessment
        .entitlements
        .iter()
        .filter(|entry| entry.state != EntitlementState::NotOwned)
        .collect();
    if owned.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.heading("Owned, and how far it is used"))?;
    let mut table = table(style, &["Protection", "State", "Seats", "What shows it"]);
    for entry in owned {
        let state = match entry.state {
            EntitlementState::NotOwned => "not owned",
            EntitlementState::Off => "off",
            EntitlementState::NotEnforced => "not enforced",
            EntitlementState::Partial => "partial",
            EntitlementState::InUse => "in use",
            EntitlementState::Unknown => "unknown",
        };
        table.add_row(vec![
            entry.protection.to_owned(),
            state.to_owned(),
            entry.seats.to_string(),
            entry.evidence.for_terminal(),
        ]);
    }
    writeln!(out, "{table}")
}

fn not_evaluated(
    assessment: &Assessment<'_>,
    paint: Paint,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let unread: Vec<&Finding> = assessment
        .findings
        .iter()
        .filter(|finding| {
            matches!(
                finding.status,
                Status::NotEvaluated | Status::NotLicensed | Status::Manual
            )
        })
        .collect();
    if unread.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{}",
        paint.heading(&format!("Not evaluated: {}", count(unread.len(), "rule")))
    )?;
    let mut table = table(style, &["Rule", "Status", "Why"]);
    unbroken(&mut table, 0);
    for finding in unread {
        table.add_row(vec![
            finding.rule.id.to_owned(),
            finding.status.word().replace('_', " "),
            finding.reason.for_terminal(),
        ]);
    }
    writeln!(out, "{table}")
}

fn count(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}

/// Keeps a column of rule ids whole: an id that is broken in two cannot be copied.
pub(super) fn unbroken(table: &mut Table, column: usize) {
    if let Some(column) = table.column_mut(column) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
}

/// A table as wide as the terminal, with the borders that survive a pipe.
pub(super) fn table(style: Style, header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(style.width);
    if style.colour {
        table.enforce_styling();
        table.set_header(
            header
                .iter()
                .map(|title| Cell::new(title).add_attribute(Attribute::Bold)),
        );
    } else {
        table.force_no_tty();
        table.set_header(header.iter().map(Cell::new));
    }
    table
}
