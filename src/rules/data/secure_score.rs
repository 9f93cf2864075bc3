//! Microsoft's Secure Score, as a proxy for settings that Graph does not show.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::rules::prelude::*;
use crate::snapshot::model::{SecureScore, SecureScoreControlProfile};

declare_rule! {
    /// Links, attachments and impersonation reach people although the protection against them is paid for.
    ///
    /// Defender for Office 365 is not fully on by itself: Safe Links, Safe Attachments and anti-phishing come with mild defaults, and
    /// Microsoft's preset policies have to be assigned to somebody.
    ///
    /// The policies are in Exchange, which Graph does not show. What Graph shows is Microsoft's own Secure Score of these controls,
    /// so this is a hint to be confirmed in the Defender portal.
    pub(crate) static MAIL_PROTECTION_PRESETS_UNUSED = {
        id: "mail-protection-presets-unused",
        title: "Defender for Office 365 is owned and its protections are not fully on",
        area: Area::Data,
        kind: Kind::Entitlement,
        risk: Risk(3, 3, 2),
        confidence: 60,
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        licence: Licence::OneOf(&["ATP_ENTERPRISE", "ATP_ENTERPRISE_GOV"]),
        protection: Some(Protection { name: "Defender for Office 365" }),
        reads: &[Resource::SecureScores, Resource::SecureScoreControlProfiles],
        controls: &[MitreAttack("T1566"), NistCsf2("PR.PS-05")],
        evidence: Expected { source: Some(Resource::SecureScores), property: "controlScores", expected: "at least 80 % of the points of Defender for Office 365 (data.mail-score-share)" },
        remediation: Remediation {
            summary: "The preset security policy 'Standard' applies to everybody and 'Strict' to the people who are aimed at.",
            notices: "Administrators get more mail in quarantine to look at; users see rewritten links, a tip on a first contact, and a delay of minutes for some attachments.",
            check_first: "Defender portal > Email & collaboration > Policies & rules > Threat policies > Configuration analyzer: which settings of existing policies are weaker than Standard.",
            steps: &[
                "Open 'Preset security policies' and turn on 'Standard protection' for all recipients.",
                "Turn on 'Strict protection' for management, finance and administrators; name them for protection against impersonation, and add your domains.",
                "Move what custom policies allow on purpose (senders, domains) to the Tenant Allow/Block List, with an end date.",
                "Remove custom policies that are weaker; the presets come first in any case.",
            ],
            portal: "Microsoft Defender portal > Email & collaboration > Policies & rules > Threat policies > Preset security policies",
            request: "",
            roll_out: "A pilot group for 7 days, watching the quarantine each day, then everybody.",
            verify: "The controls of Defender for Office 365 have at least 80 % of their points; the score follows within about two days.",
            roll_back: "Turn the preset off, or take the recipients out of it; custom and default policies apply again at once.",
            dangers: &[Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/defender-office-365/preset-security-policies"],
        },
        check: mail_protection_presets_unused,
    }
}

/// What one control has and could have, in hundredths of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Points {
    /// `None`: the score has no entry for the control, or none that makes sense.
    pub(super) has: Option<u64>,
    /// Always more than 0.
    pub(super) most: u64,
}

impl Points {
    /// Whether the control has all that it can have.
    pub(super) fn is_full(self) -> bool {
        self.has.is_some_and(|has| has >= self.most)
    }
}

/// The newest score among those read.
pub(super) fn newest(scores: &[SecureScore]) -> Option<&SecureScore> {
    scores.iter().max_by_key(|score| score.created_date_time)
}

/// What this score gives to those controls of the profiles that are wanted.
///
/// Deprecated controls are left out, and so are those without points to win: they weigh nothing. A control's id is the
/// `controlName` of its score. Source: `secureScoreControlProfile` and `controlScore`, Graph v1.0.
pub(super) fn points<'a>(
    score: &SecureScore,
    profiles: &'a [SecureScoreControlProfile],
    wanted: impl Fn(&SecureScoreControlProfile) -> bool,
) -> Vec<(&'a SecureScoreControlProfile, Points)> {
    let scores: BTreeMap<String, Option<u64>> = score
        .control_scores
        .iter()
        .flatten()
        .filter_map(|control| {
            let name = control.control_name.as_ref()?.raw().to_ascii_lowercase();
            Some((name, hundredths(control.score)))
        })
        .collect();
    profiles
        .iter()
        .filter(|profile| profile.deprecated != Some(true) && wanted(profile))
        .filter_map(|profile| {
            let most = hundredths(profile.max_score).filter(|&most| most > 0)?;
            let id = profile.id.as_ref()?.raw().to_ascii_lowercase();
            let has = scores.get(&id).copied().flatten();
            Some((profile, Points { has, most }))
        })
        .collect()
}

/// Points as Graph writes them, in whole hundredths, so that sums and shares are exact. Nothing that is negative, absurd or
/// not a number.
fn hundredths(points: Option<f64>) -> Option<u64> {
    const MOST: f64 = 1e9;
    let points = points.filter(|points| (0.0..=MOST).contains(points))?;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 1e11, rounded"
    )]
    let hundredths = (points * 100.0).round() as u64;
    Some(hundredths)
}

/// `5.00`.
fn shown(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn mail_protection_presets_unused(cx: &Context<'_>) -> Verdict {
    const FEWEST: usize = 3;
    let (scores, profiles) = (cx.secure_scores()?, cx.secure_score_control_profiles()?);
    // A share of a part says nothing about the whole.
    cx.whole(Resource::SecureScores)?;
    cx.whole(Resource::SecureScoreControlProfiles)?;
    let score = newest(scores);
    let controls = points(
        score.unwrap_or(&SecureScore::default()),
        profiles,
        is_mail_protection,
    );
    if controls.len() < FEWEST {
        return Ok(Outcome::not_applicable(format!(
            "the Secure Score lists {} controls of Defender for Office 365, too few to tell",
            controls.len()
        )));
    }
    if score.is_none() {
        return Err(NotEvaluated::unknown("there is no Secure Score"));
    }
    let share = cx.config().data.mail_score_share;
    let (mut has, mut missing, mut most) = (0_u64, 0_u64, 0_u64);
    let mut affected = Affected::default();
    let (mut judged, mut unknown) = (0_u64, 0_u64);
    for (control, points) in &controls {
        most = most.saturating_add(points.most);
        if let Some(now) = points.has {
            has = has.saturating_add(now.min(points.most));
            judged += 1;
            if !points.is_full() {
                affected.add(control_object(control, *points));
            }
        } else {
            missing = missing.saturating_add(points.most);
            unknown += 1;
        }
    }
    let reaches = |points: u64| u128::from(points) * 100 >= u128::from(share) * u128::from(most);
    let mut reason = format!(
        "Defender for Office 365 has {} of {} points in the Secure Score",
        shown(has),
        shown(most)
    );
    if unknown > 0 {
        let _ = write!(reason, "; {unknown} controls have no score");
    }
    let actual = format!("{} of {}", shown(has), shown(most));
    // Controls without a score count as nothing for a pass and as full for a fail: what is certain either way.
    if reaches(has) {
        Ok(Outcome::pass(format!("{reason}, at least {share} %"))
            .actual(actual)
            .affecting(Affected::default(), judged)
            .entitlement(EntitlementState::InUse))
    } else if !reaches(has.saturating_add(missing)) {
        let state = match has {
            0 => EntitlementState::Off,
            _ => EntitlementState::Partial,
        };
        Ok(Outcome::fail(format!(
            "{reason}, less than {share} %; confirm it in the Defender portal"
        ))
        .actual(actual)
        .affecting(affected, judged)
        .entitlement(state))
    } else {
        Err(NotEvaluated::unknown(format!(
            "{reason}; whether that is {share} % depends on them"
        )))
    }
}

fn is_mail_protection(profile: &SecureScoreControlProfile) -> bool {
    let named = |text: &Option<Untrusted>, is: fn(&str) -> bool| {
        text.as_ref()
            .is_some_and(|text| is(&text.raw().to_ascii_lowercase()))
    };
    named(&profile.service, |service| service == "mdo")
        || named(&profile.id, |id| id.starts_with("mdo_"))
}

fn control_object(profile: &SecureScoreControlProfile, points: Points) -> Object {
    let id = profile.id.clone().unwrap_or_default();
    let name = profile.title.clone().unwrap_or_else(|| id.clone());
    Object::new(ObjectType::SecureScoreControl, id.raw(), name).detail(format!(
        "{} of {} points",
        shown(points.has.unwrap_or(0)),
        shown(points.most)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_become_whole_hundredths_and_nonsense_becomes_nothing() {
        let cases = [
            (8.33, Some(833)),
            (8.335, Some(834)),
            (0.0, Some(0)),
            (-0.01, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
            (1e300, None),
        ];
        for (points, expected) in cases {
            assert_eq!(hundredths(Some(points)), expected, "{points}");
        }
        assert_eq!(shown(1_205), "12.05");
    }
}
