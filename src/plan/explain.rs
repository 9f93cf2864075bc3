//! Why a task stands where it stands, in one line.

use super::schedule::{Horizon, Part, Slot};
use super::{Emergency, Finding};
use crate::rules::{Effort, Risk, Severity};

/// "30 because Critical (100: no foothold needed, the whole tenant, observed at mass), S effort, administrators only; waits for ..".
pub(super) fn task(finding: &Finding, slot: &Slot<'_>, lock_out: Option<Emergency>) -> String {
    let mut line = format!(
        "{} because {} ({}: {}), {} effort, {}",
        slot.horizon.days(),
        capitalised(finding.severity),
        finding.risk.score,
        risk(finding.risk.risk),
        effort(finding.effort),
        disruption(finding.rule.disruption.level()),
    );
    match slot.part {
        Part::Prepare => line.push_str("; prepare now, enforce later"),
        Part::Enforce => line.push_str("; enforce what was prepared"),
        Part::Do | Part::Decide => {}
    }
    if slot.horizon < slot.own_horizon && slot.part != Part::Prepare {
        line.push_str(&format!("; moved forward from {}", slot.own_horizon.days()));
    }
    if !slot.after.is_empty() {
        line.push_str(&format!("; waits for {}", slot.after.join(", ")));
    }
    if !slot.unlocks.is_empty() {
        line.push_str(&format!("; unlocks {}", slot.unlocks.join(", ")));
    }
    match lock_out {
        Some(Emergency::Ready) => {
            line.push_str("; can lock out: two emergency access accounts are ready");
        }
        Some(Emergency::Missing) => {
            line.push_str("; can lock out: emergency access accounts are missing");
        }
        Some(Emergency::Unknown) => {
            line.push_str("; can lock out: emergency access accounts could not be checked");
        }
        None => {}
    }
    line
}

/// One decision for all that waits for a licence.
pub(super) fn decision(plans: &[&str], waiting: &[&Finding]) -> String {
    let count = waiting.len();
    let controls = if count == 1 {
        "1 control needs".to_owned()
    } else {
        format!("{count} controls need")
    };
    format!(
        "{} because {controls} a licence with {}",
        Horizon::Days60.days(),
        plans.join(" or ")
    )
}

fn capitalised(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "Info",
    }
}

fn effort(effort: Effort) -> &'static str {
    match effort {
        Effort::S => "S",
        Effort::M => "M",
        Effort::L => "L",
    }
}

fn disruption(level: u8) -> &'static str {
    match level {
        0 => "nobody notices",
        1 => "administrators only",
        2 => "many users notice",
        _ => "work can stop",
    }
}

fn risk(Risk(exposure, impact, threat): Risk) -> String {
    let exposure = match exposure {
        4 => "no foothold needed",
        3 => "one act of a victim",
        2 => "an ordinary session is enough",
        _ => "takes privilege or accident",
    };
    let impact = match impact {
        4 => "the whole tenant",
        3 => "money or bulk data",
        2 => "one mailbox or site",
        _ => "hygiene",
    };
    let threat = match threat {
        3 => "observed at mass",
        2 => "seen in named campaigns",
        1 => "plausible",
        _ => "compliance only",
    };
    format!("{exposure}, {impact}, {threat}")
}
