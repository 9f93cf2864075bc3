//! How alerts and incidents are handled: the two questions are the same for both.

use jiff::Timestamp;

use crate::rules::prelude::*;
use crate::snapshot::model::AlertSeverity;

/// An alert or an incident that is not closed.
pub(super) struct Open<'a> {
    /// How bad it would be; `None` when Graph did not say.
    pub(super) severity: Option<&'a AlertSeverity>,
    /// `assignedTo` as it came; null and blank both mean nobody.
    pub(super) assigned_to: Option<&'a Untrusted>,
    /// From when its age counts.
    pub(super) since: Option<Timestamp>,
    /// As an affected object; gets what to say about it.
    pub(super) object: Box<dyn FnOnce(String) -> Object + 'a>,
}

impl Open<'_> {
    fn is_assigned(&self) -> bool {
        self.assigned_to.is_some_and(|who| !who.is_blank())
    }
}

/// Judges what is of high severity: fails without an assignee after more than the configured hours (`monitoring.assign-hours`).
pub(super) fn judge_unassigned(cx: &Context<'_>, tally: &mut Tally, open: Open<'_>) {
    let limit = i64::from(cx.config().monitoring.assign_hours);
    match open.severity {
        None => tally.unknown(),
        Some(AlertSeverity::High) if open.is_assigned() => tally.pass(),
        Some(AlertSeverity::High) => match open.since {
            None => tally.unknown(),
            Some(since) => {
                let hours = cx.hours_since(since);
                tally.judge(hours > limit, || {
                    (open.object)(format!("nobody assigned for {}", age(hours)))
                });
            }
        },
        Some(_) => {}
    }
}

/// Judges what is of high severity and assigned, or of medium severity: fails after more than the configured days
/// (`monitoring.high-days`, `monitoring.medium-days`). Unassigned ones of high severity are judged by [`judge_unassigned`].
pub(super) fn judge_open_long(cx: &Context<'_>, tally: &mut Tally, open: Open<'_>) {
    let monitoring = &cx.config().monitoring;
    let (severity, limit) = match open.severity {
        None => return tally.unknown(),
        Some(AlertSeverity::High) if open.is_assigned() => ("high", monitoring.high_days),
        Some(AlertSeverity::Medium) => ("medium", monitoring.medium_days),
        Some(_) => return,
    };
    let Some(since) = open.since else {
        return tally.unknown();
    };
    let days = cx.days_since(since);
    let assignee = match open.assigned_to {
        Some(who) if !who.is_blank() => format!("assigned to {}", who.raw()),
        _ => "nobody assigned".to_owned(),
    };
    tally.judge(days > i64::from(limit), || {
        (open.object)(format!("{severity}, {days} days, {assignee}"))
    });
}

/// The conclusion of a rule that always applies: nothing to judge is a pass.
pub(super) fn conclude(
    tally: Tally,
    nothing: &str,
    sentence: impl FnOnce(u64, u64) -> String,
) -> Outcome {
    if tally.is_empty() {
        return Outcome::pass(nothing)
            .actual("none")
            .affecting(Affected::default(), 0);
    }
    tally.outcome(nothing, sentence)
}

fn age(hours: i64) -> String {
    match hours {
        0..48 => format!("{hours} hours"),
        _ => format!("{} days", hours / 24),
    }
}
