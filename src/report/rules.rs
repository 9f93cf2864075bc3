//! `rules list` and `rules show`: the catalogue for readers.

use std::io::{self, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};

use super::build::remediation;
use super::model::References;
use super::table::Style;
use crate::rules::{Effort, Licence, Rule, Severity};
use crate::snapshot::Resource;

/// Writes the rules as a table: one line each.
pub fn list(rules: &[&'static Rule], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(style.width);
    table.set_header(["Rule", "Area", "Severity", "Title"]);
    // An id that is broken in two cannot be copied.
    table.set_constraints([ColumnConstraint::ContentWidth]);
    for rule in rules {
        table.add_row([
            rule.id,
            rule.area.key(),
            Severity::of(rule.risk.full()).word(),
            rule.title,
        ]);
    }
    writeln!(out, "{table}\n{} rules", rules.len())
}

/// Writes the rules as JSON: the same fields as `show`.
pub fn list_json(rules: &[&'static Rule], out: &mut dyn Write) -> io::Result<()> {
    let rules: Vec<serde_json::Value> = rules.iter().map(|rule| as_json(rule)).collect();
    serde_json::to_writer_pretty(&mut *out, &rules)?;
    writeln!(out)
}

/// Writes one rule as JSON.
pub fn show_json(rule: &'static Rule, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &as_json(rule))?;
    writeln!(out)
}

fn as_json(rule: &'static Rule) -> serde_json::Value {
    let crate::rules::Risk(exposure, impact, threat) = rule.risk;
    serde_json::json!({
        "id": rule.id, "title": rule.title, "docs": docs(rule), "area": rule.area, "tier": rule.tier, "kind": rule.kind, "side": rule.side,
        "severity": Severity::of(rule.risk.full()),
        "risk": {"score": rule.risk.full(), "exposure": exposure, "impact": impact, "threat": threat},
        "confidence": rule.confidence, "effort": [rule.effort.0, rule.effort.1, rule.effort.2], "disruption": rule.disruption.level(),
        "after": rule.after, "licence": rule.licence.plans(), "permissions": permissions(rule),
        "reads": sources(rule.reads), "may_read": sources(rule.may_read), "act_now": rule.act_now,
        "evidence": {"property": rule.evidence.property, "expected": rule.evidence.expected},
        "remediation": remediation(rule), "references": References::of(rule),
    })
}

fn sources(resources: &[Resource]) -> Vec<String> {
    resources.iter().map(|resource| resource.source()).collect()
}

/// Every permission that the rule's requests need, each once.
fn permissions(rule: &Rule) -> Vec<&'static str> {
    let mut all: Vec<&'static str> = rule
        .reads
        .iter()
        .chain(rule.may_read)
        .flat_map(|resource| resource.permissions().iter().copied())
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn docs(rule: &Rule) -> String {
    rule.docs
        .iter()
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
        .trim()
        .to_owned()
}

/// Writes one rule for a reader.
pub fn show(rule: &'static Rule, out: &mut dyn Write) -> io::Result<()> {
    let crate::rules::Risk(exposure, impact, threat) = rule.risk;
    let effort = |effort| match effort {
        Effort::S => "S",
        Effort::M => "M",
        Effort::L => "L",
    };
    writeln!(out, "{}\n{}\n", rule.id, rule.title)?;
    writeln!(out, "{}\n", docs(rule))?;
    writeln!(out, "area        {}", rule.area.name())?;
    writeln!(
        out,
        "severity    {} at full reach (risk {}: exposure {exposure}, impact {impact}, threat {threat}; confidence {} %)",
        Severity::of(rule.risk.full()).word(),
        rule.risk.full(),
        rule.confidence
    )?;
    writeln!(
        out,
        "effort      {} up to 300 seats, {} up to 3,000, {} beyond; disruption {} of 3",
        effort(rule.effort.0),
        effort(rule.effort.1),
        effort(rule.effort.2),
        rule.disruption.level()
    )?;
    match rule.licence {
        Licence::Any => writeln!(out, "licence     none needed")?,
        Licence::OneOf(plans) => writeln!(out, "licence     one of {}", plans.join(", "))?,
    }
    lines(out, "first", rule.after)?;
    lines(out, "permission", &permissions(rule))?;
    for resource in rule.reads {
        writeln!(out, "reads       {}", resource.source())?;
    }
    for resource in rule.may_read {
        writeln!(out, "may read    {}", resource.source())?;
    }
    writeln!(
        out,
        "expects     {}: {}",
        rule.evidence.property, rule.evidence.expected
    )?;

    let fix = &rule.remediation;
    writeln!(out, "\nWhat changes   {}", fix.summary)?;
    writeln!(out, "Who notices    {}", fix.notices)?;
    writeln!(out, "Check first    {}", fix.check_first)?;
    writeln!(out, "Where          {}", fix.portal)?;
    for (number, step) in (1..).zip(fix.steps) {
        writeln!(out, "  {number}. {step}")?;
    }
    if !fix.request.is_empty() {
        writeln!(out, "As a request   {} (shown, never sent)", fix.request)?;
    }
    writeln!(out, "Roll out       {}", fix.roll_out)?;
    writeln!(out, "Verify         {}", fix.verify)?;
    writeln!(out, "Roll back      {}", fix.roll_back)?;
    for danger in fix.dangers {
        writeln!(out, "Danger         {}", danger.tag())?;
    }

    let references = References::of(rule);
    writeln!(out)?;
    lines(out, "CIS 7.0", &references.cis_m365_v7)?;
    lines(out, "CIS 6.0", &references.cis_m365_v6)?;
    lines(out, "SCuBA", &references.scuba)?;
    lines(out, "EIDSCA", &references.eidsca)?;
    lines(out, "Maester", &references.maester)?;
    lines(out, "ATT&CK", &references.mitre_attack)?;
    lines(out, "NIST CSF 2", &references.nist_csf_2)?;
    lines(out, "Learn", &references.microsoft_learn)
}

fn lines(out: &mut dyn Write, label: &str, values: &[&str]) -> io::Result<()> {
    if values.is_empty() {
        Ok(())
    } else {
        writeln!(out, "{label:<11} {}", values.join(", "))
    }
}
