//! Users whom Identity Protection rates at risk.

use super::handling::conclude;
use crate::rules::prelude::*;
use crate::snapshot::model::{RiskLevel, RiskState, RiskyUser};

declare_rule! {
    /// Microsoft says that these accounts are probably in other hands.
    ///
    /// A user at risk stays so until somebody resets the password, dismisses the risk or confirms the compromise. As long as nobody
    /// does, whoever has the password keeps the session, reads the mail and waits.
    ///
    /// Confirmed compromise and high risk count at once, medium risk after a week. Where Microsoft hides the level nothing is
    /// concluded.
    pub(crate) static RISKY_USER_OPEN = {
        id: "risky-user-open",
        title: "Users at risk have not been dealt with",
        area: Area::Monitoring,
        kind: Kind::Population,
        risk: Risk(3, 3, 3),
        effort: Effort::M.always(),
        disruption: Disruption::Admins,
        licence: Licence::ENTRA_P2,
        reads: &[Resource::RiskyUsers],
        controls: &[MitreAttack("T1078.004"), NistCsf2("RS.MA-02")],
        act_now: true,
        evidence: Expected { source: Some(Resource::RiskyUsers), property: "riskState", expected: "no user confirmedCompromised, none atRisk with level high, none with medium for more than 7 days" },
        remediation: Remediation {
            summary: "Each user at risk is looked at, and either made safe or found to be harmless.",
            notices: "The users concerned are signed out everywhere and get a new password.",
            check_first: "Entra admin center > ID Protection > Risky users: open each user, then 'Risky sign-ins' and 'Detections'; ask the person by phone.",
            steps: &[
                "Revoke the sessions and reset the password with proof of identity; remove sign-in methods that the person does not know.",
                "Look for what was done meanwhile: inbox rules, forwarding, application consents, new devices, files shared.",
                "Choose 'Confirm user compromised' or 'Dismiss user risk', with the reason written down.",
                "Let Conditional Access ask for a password change on high user risk, so that this happens by itself.",
            ],
            portal: "Entra admin center > ID Protection > Risky users",
            request: "POST /v1.0/users/{id}/revokeSignInSessions",
            roll_out: "At once, highest level and administrators first.",
            verify: "No user is confirmed compromised or at high risk, and none at medium risk for more than 7 days.",
            roll_back: "A password reset cannot be taken back; a risk that was dismissed by mistake can be confirmed again.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/id-protection/howto-identity-protection-remediate-unblock"],
        },
        check: risky_user_open,
    }
}

/// How long a medium risk may stay open, in days.
const MEDIUM_DAYS: i64 = 7;

fn risky_user_open(cx: &Context<'_>) -> Verdict {
    let mut tally = Tally::new();
    for user in cx
        .risky_users()?
        .iter()
        .filter(|user| user.is_deleted != Some(true))
    {
        match is_urgent(cx, user) {
            Urgent::NotOpen => {}
            Urgent::Unknown => tally.unknown(),
            Urgent::No => tally.pass(),
            Urgent::Yes => tally.fail(object(cx, user)),
        }
    }
    Ok(conclude(tally, "no user is at risk", |failing, all| {
        format!(
            "{failing} of {all} users at risk are confirmed compromised, at high risk, or at medium risk for more than {MEDIUM_DAYS} days"
        )
    }))
}

enum Urgent {
    NotOpen,
    No,
    Yes,
    Unknown,
}

fn is_urgent(cx: &Context<'_>, user: &RiskyUser) -> Urgent {
    match user.risk_state {
        Some(RiskState::ConfirmedCompromised) => return Urgent::Yes,
        Some(RiskState::AtRisk) => {}
        Some(
            RiskState::None
            | RiskState::ConfirmedSafe
            | RiskState::Remediated
            | RiskState::Dismissed,
        ) => return Urgent::NotOpen,
        None | Some(RiskState::Other(_)) => return Urgent::Unknown,
    }
    match user.risk_level {
        Some(RiskLevel::High) => Urgent::Yes,
        Some(RiskLevel::Medium) => match user.risk_last_updated_date_time {
            None => Urgent::Unknown,
            Some(at) if cx.days_since(at) > MEDIUM_DAYS => Urgent::Yes,
            Some(_) => Urgent::No,
        },
        Some(RiskLevel::Low | RiskLevel::None) => Urgent::No,
        // A level that is hidden, or that this version does not know, may be a high one.
        None | Some(RiskLevel::Hidden | RiskLevel::Other(_)) => Urgent::Unknown,
    }
}

fn object(cx: &Context<'_>, user: &RiskyUser) -> Object {
    let name = [&user.user_principal_name, &user.user_display_name]
        .into_iter()
        .flatten()
        .find(|name| !name.is_blank());
    let mut object = match user.id {
        Some(id) => cx.user_id_object(id),
        None => Object::new(ObjectType::User, name.map_or("", Untrusted::raw), ""),
    };
    if let Some(name) = name {
        object.name = name.clone();
    }
    let state = user.risk_state.as_ref().map_or("null", RiskState::as_str);
    let level = user.risk_level.as_ref().map_or("null", RiskLevel::as_str);
    let age = user
        .risk_last_updated_date_time
        .map(|at| format!(", last change {} days ago", cx.days_since(at)))
        .unwrap_or_default();
    object.detail(format!("{state}, level {level}{age}"))
}
