//! Data loss prevention, by the signs of its use.

use super::secure_score::{newest, points};
use crate::rules::Evidence;
use crate::rules::prelude::*;
use crate::snapshot::model::SecureScoreControlProfile;

declare_rule! {
    /// Nothing stops card numbers, health records or drawings from leaving by mail, chat or a shared link.
    ///
    /// Most of what leaves does so by mistake: a wrong recipient, a file with one sheet too many. A policy notices, tells the person,
    /// and stops it where it matters.
    ///
    /// The policies are in Purview, which Graph does not show. What Graph shows are signs of use: an alert in the last 90 days, or a
    /// Secure Score control with all its points. No sign is no proof that there is no policy: one that works silently leaves none. Look in the
    /// Purview portal and record the answer in the configuration (`[answers.dlp-policies-missing]`).
    pub(crate) static DLP_POLICIES_MISSING = {
        id: "dlp-policies-missing",
        title: "Data loss prevention is owned and shows no sign of use",
        area: Area::Data,
        kind: Kind::Entitlement,
        risk: Risk(2, 3, 1),
        confidence: 60,
        effort: EffortBySize(Effort::M, Effort::M, Effort::L),
        disruption: Disruption::Users,
        licence: Licence::OneOf(&["EXCHANGE_S_ENTERPRISE", "EXCHANGE_S_ENTERPRISE_GOV", "BPOS_S_DlpAddOn", "COMMUNICATIONS_DLP"]),
        protection: Some(Protection { name: "Data loss prevention" }),
        // One sign is enough, so no single list is needed in every tenant; the check asks for the next only when the last showed none.
        may_read: &[Resource::DlpAlerts, Resource::SecureScores, Resource::SecureScoreControlProfiles],
        controls: &[NistCsf2("PR.DS-10")],
        evidence: Expected { source: Some(Resource::DlpAlerts), property: "createdDateTime", expected: "an alert in the last 90 days, a full Secure Score control, or a recorded answer" },
        remediation: Remediation {
            summary: "A policy watches mail, SharePoint, OneDrive and Teams for the kinds of data that matter here.",
            notices: "Users see a tip when they are about to send such data; later some messages and links are blocked.",
            check_first: "Purview portal > Data loss prevention > Policies: there may be policies that never alerted. If so, record the answer in the configuration.",
            steps: &[
                "Name the two or three kinds of data that must not leave (cards, health, national ids, a label).",
                "Create one policy from a template for Exchange, SharePoint, OneDrive and Teams, in simulation mode.",
                "After two weeks look at the matches in Activity explorer and narrow the conditions.",
                "Turn on policy tips, then blocking with a reason that people may give, and alerts to a named owner.",
            ],
            portal: "Microsoft Purview portal > Solutions > Data Loss Prevention > Policies",
            request: "",
            roll_out: "14 days in simulation, 14 days with tips only, then blocking.",
            verify: "An alert with serviceSource dataLossPrevention exists, or the answer is recorded in [answers.dlp-policies-missing] with in-place = true.",
            roll_back: "Set the policy back to simulation mode.",
            dangers: &[Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/purview/dlp-learn-about-dlp", "https://learn.microsoft.com/purview/dlp-create-deploy-policy"],
        },
        check: dlp_policies_missing,
    }
}

/// How old an alert may be to count as a sign of use, in days.
const ALERT_DAYS: i64 = 90;

fn dlp_policies_missing(cx: &Context<'_>) -> Verdict {
    let in_use = |outcome: Outcome| Ok(outcome.entitlement(EntitlementState::InUse));
    if answered_yes(cx) {
        return in_use(
            Outcome::pass("a person has recorded that policies are in place").with_evidence(
                Evidence::new(
                    None,
                    "answers.dlp-policies-missing.in-place",
                    "true",
                    "true",
                ),
            ),
        );
    }
    // One sign is enough whatever else could not be read; that there is none is only known when everything was.
    let mut unread = None;
    match alerts(cx) {
        Ok(0) => {}
        Ok(alerts) => {
            return in_use(
                Outcome::pass(format!(
                    "{alerts} alerts of data loss prevention in the last {ALERT_DAYS} days"
                ))
                .actual(format!("{alerts} alerts")),
            );
        }
        Err(why) => unread = Some(why),
    }
    match full_controls(cx) {
        Ok(0) => {}
        Ok(controls) => {
            return in_use(
                Outcome::pass(format!(
                    "{controls} Secure Score controls about data loss prevention have all their points"
                ))
                .with_evidence(Evidence::new(
                    Some(Resource::SecureScores),
                    "controlScores",
                    "a control about data loss prevention with all its points",
                    format!("{controls} controls"),
                )),
            );
        }
        Err(why) => unread = unread.or(Some(why)),
    }
    match unread {
        Some(why) => Err(why),
        None => Ok(Outcome::fail(
            "no alert in 90 days, no full Secure Score control and no recorded answer: no sign of use, which is no proof that \
             no policy exists",
        )
        .actual("no sign")
        .entitlement(EntitlementState::Off)),
    }
}

/// A recorded yes that still holds: its last day included.
fn answered_yes(cx: &Context<'_>) -> bool {
    let today = jiff::tz::Offset::UTC.to_datetime(cx.now()).date();
    cx.config()
        .answers
        .get(DLP_POLICIES_MISSING.id)
        .is_some_and(|answer| answer.in_place && today <= answer.expires)
}

/// Alerts that data loss prevention raised lately.
fn alerts(cx: &Context<'_>) -> Result<usize, NotEvaluated> {
    let found = cx
        .dlp_alerts()?
        .iter()
        .filter(|alert| {
            alert
                .service_source
                .as_ref()
                .is_some_and(|source| source.is("dataLossPrevention"))
                && alert
                    .created_date_time
                    .is_some_and(|created| cx.days_since(created) <= ALERT_DAYS)
        })
        .count();
    if found == 0 {
        cx.whole(Resource::DlpAlerts)?;
    }
    Ok(found)
}

/// Secure Score controls about data loss prevention that have all their points.
fn full_controls(cx: &Context<'_>) -> Result<usize, NotEvaluated> {
    let (scores, profiles) = (cx.secure_scores()?, cx.secure_score_control_profiles()?);
    let found = newest(scores).map_or(0, |score| {
        points(score, profiles, is_dlp)
            .into_iter()
            .filter(|(_, points)| points.is_full())
            .count()
    });
    if found == 0 {
        cx.whole(Resource::SecureScores)?;
        cx.whole(Resource::SecureScoreControlProfiles)?;
    }
    Ok(found)
}

fn is_dlp(profile: &SecureScoreControlProfile) -> bool {
    profile
        .service
        .as_ref()
        .is_some_and(|service| service.is("MIP"))
        && profile.title.as_ref().is_some_and(|title| {
            let title = title.raw().to_lowercase();
            title.contains("dlp") || title.contains("data loss prevention")
        })
}
