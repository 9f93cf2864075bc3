//! Open security alerts.

use super::handling::{Open, conclude, judge_open_long, judge_unassigned};
use crate::rules::prelude::*;
use crate::snapshot::model::{Alert, AlertClassification, AlertStatus};

declare_rule! {
    /// An alert that somebody took and nobody finished.
    ///
    /// An open alert of high severity is an attack that may still go on. When it stays open for weeks, either it was real and nobody
    /// cleared it up, or it was not and nobody said so; after some time the whole list is noise, and the next real one sinks in it.
    ///
    /// Alerts of high severity without an assignee are the business of alert-unassigned, so that nothing counts twice.
    pub(crate) static ALERT_OPEN_LONG = {
        id: "alert-open-long",
        title: "Serious alerts have been open for more than 7 days",
        area: Area::Monitoring,
        kind: Kind::Population,
        risk: Risk(3, 3, 2),
        effort: Effort::M.always(),
        disruption: Disruption::Nobody,
        licence: Licence::DEFENDER,
        reads: &[Resource::Alerts],
        controls: &[NistCsf2("RS.MA-02")],
        evidence: Expected { source: Some(Resource::Alerts), property: "createdDateTime", expected: "high severity at most 7 days open, medium at most 30 (monitoring.high-days, monitoring.medium-days)" },
        remediation: Remediation {
            summary: "Each serious alert is finished: cleared up, or closed as harmless with a classification.",
            notices: "Nobody; the people in charge of alerts have work to do.",
            check_first: "Defender portal > Investigation & response > Incidents & alerts > Alerts: status New and In progress, severity High and Medium, oldest first.",
            steps: &[
                "Take the oldest high ones first; ask each assignee what is missing.",
                "Close what is harmless with a classification, so that the product learns.",
                "Tune the rules that produce most of the harmless ones.",
                "Look at the oldest open alerts once a week with the owner of this area.",
            ],
            portal: "Microsoft Defender portal > Investigation & response > Incidents & alerts > Alerts",
            request: "PATCH /v1.0/security/alerts_v2/{id} {\"status\": \"resolved\", \"classification\": \"{classification}\"}",
            roll_out: "At once; the backlog within two weeks.",
            verify: "No high alert that is assigned is older than 7 days, no medium one older than 30.",
            roll_back: "Set the status of an alert back to 'In progress'.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/defender-xdr/investigate-alerts"],
        },
        check: alert_open_long,
    }
}

declare_rule! {
    /// An alarm that nobody answers is noise.
    ///
    /// The first hours after an intrusion decide how far it gets. An alert of high severity that belongs to nobody for a day means that
    /// nobody looks, or that everybody thinks somebody else does.
    pub(crate) static ALERT_UNASSIGNED = {
        id: "alert-unassigned",
        title: "High-severity alerts have nobody assigned for more than a day",
        area: Area::Monitoring,
        kind: Kind::Population,
        risk: Risk(3, 3, 2),
        effort: Effort::M.always(),
        disruption: Disruption::Nobody,
        licence: Licence::DEFENDER,
        reads: &[Resource::Alerts],
        controls: &[NistCsf2("RS.MA-02")],
        evidence: Expected { source: Some(Resource::Alerts), property: "assignedTo", expected: "somebody within 24 hours for high severity (monitoring.assign-hours)" },
        remediation: Remediation {
            summary: "Each alert of high severity gets a person within a day.",
            notices: "Nobody; the people in charge of alerts get mails and work.",
            check_first: "Defender portal > Investigation & response > Incidents & alerts > Alerts: severity High, assigned to nobody.",
            steps: &[
                "Assign each of the listed alerts today and look at it.",
                "Name who looks at alerts on which day, and a deputy.",
                "Create an e-mail notification for alerts of high severity to a mailbox that several people read.",
                "Where nobody has the time, hand it to a managed service.",
            ],
            portal: "Microsoft Defender portal > Investigation & response > Incidents & alerts > Alerts",
            request: "PATCH /v1.0/security/alerts_v2/{id} {\"assignedTo\": \"{user}\", \"status\": \"inProgress\"}",
            roll_out: "At once.",
            verify: "No open alert of high severity is without an assignee for more than 24 hours.",
            roll_back: "Take the assignment of an alert back.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/defender-xdr/investigate-alerts"],
        },
        check: alert_unassigned,
    }
}

fn alert_open_long(cx: &Context<'_>) -> Verdict {
    let tally = each_open(cx, judge_open_long)?;
    let monitoring = &cx.config().monitoring;
    let (high, medium) = (monitoring.high_days, monitoring.medium_days);
    Ok(conclude(
        tally,
        "no assigned alert of high severity and no alert of medium severity is open",
        |failing, all| {
            format!(
                "{failing} of {all} open alerts are too old: high severity and assigned for more than {high} days, or medium for more than {medium}"
            )
        },
    ))
}

fn alert_unassigned(cx: &Context<'_>) -> Verdict {
    let tally = each_open(cx, judge_unassigned)?;
    let hours = cx.config().monitoring.assign_hours;
    Ok(conclude(
        tally,
        "no alert of high severity is open",
        |failing, all| {
            format!(
                "{failing} of {all} open alerts of high severity have nobody assigned for more than {hours} hours"
            )
        },
    ))
}

/// Judges each open alert that nobody has called harmless.
fn each_open(
    cx: &Context<'_>,
    judge: fn(&Context<'_>, &mut Tally, Open<'_>),
) -> Result<Tally, NotEvaluated> {
    let mut tally = Tally::new();
    for alert in cx.alerts()? {
        if matches!(
            alert.classification,
            Some(
                AlertClassification::FalsePositive
                    | AlertClassification::InformationalExpectedActivity
            )
        ) {
            continue;
        }
        match alert.status {
            Some(AlertStatus::New | AlertStatus::InProgress | AlertStatus::Unknown) => {
                judge(
                    cx,
                    &mut tally,
                    Open {
                        severity: alert.severity.as_ref(),
                        assigned_to: alert.assigned_to.as_ref(),
                        since: alert.created_date_time,
                        object: Box::new(|what| object(alert, &what)),
                    },
                );
            }
            Some(AlertStatus::Resolved | AlertStatus::Other(_)) => {}
            None => tally.unknown(),
        }
    }
    Ok(tally)
}

fn object(alert: &Alert, what: &str) -> Object {
    let id = alert.id.clone().unwrap_or_default();
    let title = alert.title.clone().unwrap_or_else(|| id.clone());
    let source = alert
        .service_source
        .as_ref()
        .map_or("unknown service", Untrusted::raw);
    Object::new(ObjectType::Alert, id.raw(), title).detail(format!("{source}: {what}"))
}
