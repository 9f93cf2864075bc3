//! Open security incidents.

use super::handling::{Open, conclude, judge_open_long, judge_unassigned};
use crate::rules::prelude::*;
use crate::snapshot::model::{Incident, IncidentStatus};

declare_rule! {
    /// An attack that is only in the list.
    ///
    /// An incident joins the alerts that belong together: it is the whole attack, as far as it was seen. One that nobody has touched
    /// for a week was either forgotten, or its handling happens where nobody can follow it.
    ///
    /// Unassigned incidents of high severity are the business of incident-unassigned.
    pub(crate) static INCIDENT_OPEN_LONG = {
        id: "incident-open-long",
        title: "Serious incidents have been open for more than 7 days without change",
        area: Area::Monitoring,
        kind: Kind::Population,
        risk: Risk(3, 3, 2),
        effort: Effort::M.always(),
        disruption: Disruption::Nobody,
        licence: Licence::DEFENDER,
        reads: &[Resource::Incidents],
        controls: &[NistCsf2("RS.MA-03")],
        evidence: Expected { source: Some(Resource::Incidents), property: "lastUpdateDateTime", expected: "a change in the last 7 days for high severity, in the last 30 for medium (monitoring.high-days, monitoring.medium-days)" },
        remediation: Remediation {
            summary: "Each serious incident moves on every week until it is resolved.",
            notices: "Nobody; the people in charge of incidents have work to do.",
            check_first: "Defender portal > Investigation & response > Incidents & alerts > Incidents: status Active and In progress, severity High and Medium, by last update.",
            steps: &[
                "Go through the list with the assignees: what is known, what is missing, who does it by when.",
                "Resolve what is cleared up or harmless, with a classification.",
                "Hand over the incidents of people who have left.",
                "Look at the list once a week with the owner of this area.",
            ],
            portal: "Microsoft Defender portal > Investigation & response > Incidents & alerts > Incidents",
            request: "PATCH /v1.0/security/incidents/{id} {\"status\": \"resolved\", \"classification\": \"{classification}\"}",
            roll_out: "At once; the backlog within two weeks.",
            verify: "Each open incident of high severity that is assigned changed in the last 7 days, each medium one in the last 30.",
            roll_back: "Set the status of an incident back to 'Active'.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/defender-xdr/manage-incidents"],
        },
        check: incident_open_long,
    }
}

declare_rule! {
    /// Whole attacks without an owner.
    ///
    /// An incident of high severity is what the product is most certain about. If it belongs to nobody for a day, the intruder has that day.
    pub(crate) static INCIDENT_UNASSIGNED = {
        id: "incident-unassigned",
        title: "High-severity incidents have nobody assigned for more than a day",
        area: Area::Monitoring,
        kind: Kind::Population,
        risk: Risk(3, 3, 2),
        effort: Effort::M.always(),
        disruption: Disruption::Nobody,
        licence: Licence::DEFENDER,
        reads: &[Resource::Incidents],
        controls: &[NistCsf2("RS.MA-02")],
        evidence: Expected { source: Some(Resource::Incidents), property: "assignedTo", expected: "somebody within 24 hours for high severity (monitoring.assign-hours)" },
        remediation: Remediation {
            summary: "Each incident of high severity gets a person within a day.",
            notices: "Nobody; the people in charge of incidents get mails and work.",
            check_first: "Defender portal > Investigation & response > Incidents & alerts > Incidents: severity High, assigned to nobody.",
            steps: &[
                "Assign each of the listed incidents today and look at it.",
                "Name who takes incidents on which day, and a deputy.",
                "Create an e-mail notification for incidents of high severity to a mailbox that several people read.",
                "Write down on one page what is done first: isolate, revoke sessions, call whom.",
            ],
            portal: "Microsoft Defender portal > Investigation & response > Incidents & alerts > Incidents",
            request: "PATCH /v1.0/security/incidents/{id} {\"assignedTo\": \"{user}\", \"status\": \"inProgress\"}",
            roll_out: "At once.",
            verify: "No open incident of high severity is without an assignee for more than 24 hours.",
            roll_back: "Take the assignment of an incident back.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/defender-xdr/manage-incidents"],
        },
        check: incident_unassigned,
    }
}

fn incident_open_long(cx: &Context<'_>) -> Verdict {
    let since = |incident: &Incident| incident.last_update_date_time;
    let tally = each_open(cx, since, judge_open_long)?;
    let monitoring = &cx.config().monitoring;
    let (high, medium) = (monitoring.high_days, monitoring.medium_days);
    Ok(conclude(
        tally,
        "no assigned incident of high severity and no incident of medium severity is open",
        |failing, all| {
            format!(
                "{failing} of {all} open incidents have not changed: high severity and assigned for more than {high} days, or medium for more than {medium}"
            )
        },
    ))
}

fn incident_unassigned(cx: &Context<'_>) -> Verdict {
    let since = |incident: &Incident| incident.created_date_time;
    let tally = each_open(cx, since, judge_unassigned)?;
    let hours = cx.config().monitoring.assign_hours;
    Ok(conclude(
        tally,
        "no incident of high severity is open",
        |failing, all| {
            format!(
                "{failing} of {all} open incidents of high severity have nobody assigned for more than {hours} hours"
            )
        },
    ))
}

/// Judges each open incident; its age counts from `since`. One that was merged into another (`redirected`) is not open.
fn each_open(
    cx: &Context<'_>,
    since: fn(&Incident) -> Option<jiff::Timestamp>,
    judge: fn(&Context<'_>, &mut Tally, Open<'_>),
) -> Result<Tally, NotEvaluated> {
    let mut tally = Tally::new();
    for incident in cx.incidents()? {
        match incident.status {
            Some(
                IncidentStatus::Active
                | IncidentStatus::InProgress
                | IncidentStatus::AwaitingAction,
            ) => judge(
                cx,
                &mut tally,
                Open {
                    severity: incident.severity.as_ref(),
                    assigned_to: incident.assigned_to.as_ref(),
                    since: since(incident),
                    object: Box::new(|what| object(incident, what)),
                },
            ),
            Some(
                IncidentStatus::Resolved | IncidentStatus::Redirected | IncidentStatus::Other(_),
            ) => {}
            None => tally.unknown(),
        }
    }
    Ok(tally)
}

fn object(incident: &Incident, what: String) -> Object {
    let id = incident.id.clone().unwrap_or_default();
    let name = incident.display_name.clone().unwrap_or_else(|| id.clone());
    Object::new(ObjectType::Incident, id.raw(), name).detail(what)
}
