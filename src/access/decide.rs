//! One concrete sign-in, decided policy by policy and literally: no boxes, no search.
//!
//! A policy applies when all of its conditions match; exclusions beat inclusions; every policy that applies must be satisfied; no
//! policy means in. What configuration does not tell stays [`Truth::Unknown`]. Serves `access what-if`, and checks the example of
//! every witness of a proof. Sources: Microsoft Entra, Building a Conditional Access policy; Grant; Troubleshoot Conditional Access
//! policies with the What If tool. Service dependencies (Teams on Exchange, for example) are not followed, as in Microsoft's tool.

mod conditions;
pub(super) mod controls;
mod names;
mod sign_in;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::analyzer::{Analyzer, not_read};
use super::device::Truth;
use super::network::{GPS_COUNTRY, IP, IP_COUNTRY};
use super::policy::{Effect, Policy, Session};
use super::proof::Evidence;
use super::resources;
use crate::snapshot::{Guid, Resource as List, Untrusted};
use conditions::Scene;
use controls::Ended;
pub use sign_in::{
    AUTHENTICATION_FLOWS, CLIENT_APPS, INSIDER_RISK_LEVELS, PLATFORMS, RISK_LEVELS, SignIn,
    SignInDevice, SignInTarget, Someone, UnfitAttribute,
};

/// How a sign-in ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Let in; nothing is left to be met.
    Allowed,
    /// Let in once the controls are met.
    AllowedWithControls,
    /// A policy asks for what this sign-in cannot meet.
    CannotBeSatisfied,
    /// A policy blocks it.
    Blocked,
    /// It rests on something that is not known.
    Unknown,
}

impl Outcome {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::AllowedWithControls => "allowed_with_controls",
            Self::CannotBeSatisfied => "cannot_be_satisfied",
            Self::Blocked => "blocked",
            Self::Unknown => "unknown",
        }
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A sign-in decided.
#[derive(Debug, Clone, Serialize)]
pub struct Decision {
    /// How it ends.
    pub decision: Outcome,
    /// What is still to be met: one of each list. Controls are in Graph's words (`mfa`, `compliantDevice`, `strength:<id>`,
    /// `termsOfUse:<id>`, `custom`).
    pub required: Vec<Vec<String>>,
    /// What is done to the session, in Graph's words.
    pub session: Vec<String>,
    /// Every policy, by id, and then what acts like one.
    pub policies: Vec<PolicyDecision>,
    /// What was not said of the sign-in and is taken for granted.
    pub assumed: Vec<&'static str>,
    /// Why the decision is not known; otherwise empty. Names in it are inert.
    pub undecided: Vec<Untrusted>,
    /// Names of the strengths among the controls.
    #[serde(skip)]
    pub strengths: BTreeMap<String, Untrusted>,
}

/// What one policy has to say.
#[derive(Debug, Clone, Serialize)]
pub struct PolicyDecision {
    /// Its id; of what is no policy but acts like one, a name in plain words.
    pub id: Untrusted,
    /// Its name.
    pub name: Untrusted,
    /// `enabled`, `enabledForReportingButNotEnforced` or `disabled`.
    pub state: &'static str,
    /// Whether it decides over this sign-in; `None` (null in JSON) when that is not known.
    pub applies: Option<bool>,
    /// Through what it applies, or the first condition that it does not meet. Names in it are inert.
    pub reason: Untrusted,
    /// It blocks.
    pub blocks: bool,
    /// What it still asks for, as in [`Decision::required`].
    pub required: Vec<Vec<String>>,
}

impl Analyzer<'_> {
    /// Decides one sign-in. Report-only policies count where they are asked for, and are listed anyway.
    pub fn decide(&self, sign_in: &SignIn, include_report_only: bool) -> Decision {
        let scene = Scene::of(self, sign_in);
        let mut sum = Sum::default();
        let mut policies = Vec::new();
        for policy in &self.space.policies {
            policies.push(weigh(&scene, policy, include_report_only, &mut sum));
        }
        let unread = self.unread().iter();
        let policies_unread: Vec<Untrusted> = unread
            .filter(|unread| unread.resource == List::ConditionalAccessPolicies)
            .map(|unread| not_read(unread).into())
            .collect();
        let required = least(sum.required);
        let mut undecided: Vec<Untrusted> = policies_unread;
        undecided.extend(sum.doubts.into_iter().filter_map(|doubt| {
            let known = doubt.clauses.iter().all(|clause| {
                let met_by = |other: &BTreeSet<String>| other.is_subset(clause);
                required.iter().any(met_by)
            });
            (doubt.may_close || !known).then_some(doubt.why)
        }));
        let decision = match () {
            () if sum.blocked => Outcome::Blocked,
            () if sum.never => Outcome::CannotBeSatisfied,
            () if !undecided.is_empty() => Outcome::Unknown,
            () if required.is_empty() => Outcome::Allowed,
            () => Outcome::AllowedWithControls,
        };
        if decision != Outcome::Unknown {
            undecided.clear();
        }
        Decision {
            decision,
            required: listed(required),
            session: sum.session.into_iter().collect(),
            policies,
            assumed: sign_in.assumed(),
            undecided,
            strengths: self.strength_names(),
        }
    }

    /// Whether the sign-in gets in with what was performed and met: every enabled policy that applies is satisfied.
    ///
    /// Methods are combinations in Graph's words; a restricted key counts as one that fits. Controls are `approvedApplication`,
    /// `compliantApplication`, `passwordChange`, `riskRemediation`, `termsOfUse:<id>` and `custom`; `compliantDevice` and
    /// `domainJoinedDevice` are facts of the device, and count as evidence in the device code flow alone, where another device may be
    /// shown than the one that gets the token.
    pub(super) fn admits(&self, sign_in: &SignIn, evidence: &Evidence) -> Truth {
        let scene = Scene::of(self, sign_in);
        let enforced = self.space.policies.iter();
        enforced
            .filter(|policy| policy.effect == Effect::Enabled)
            .map(|policy| match scene.applies(policy).truth {
                Truth::No => Truth::Yes,
                applies => applies.not().or(scene.satisfied(&policy.grant, evidence)),
            })
            .fold(Truth::Yes, Truth::and)
    }

    /// Moves the sign-in into a named location: to an address in it and in as few others as can be, to one of its countries, or into
    /// the compliant network. False where nothing lies in it, or what lies in it is not known.
    pub fn go_to(&self, location: Guid, sign_in: &mut SignIn) -> bool {
        let networks = &self.space.networks;
        let place = networks.place(&location.to_string()).must;
        let Some((dimension, set)) = place.first() else {
            return false;
        };
        match *dimension {
            IP => {
                let mut classes: Vec<usize> = set.iter().collect();
                classes.sort_by_key(|&class| networks.locations_of(class).len());
                let mut found = classes
                    .iter()
                    .filter_map(|&class| networks.ip_example(class));
                sign_in.ip = found.next();
                sign_in.ip.is_some()
            }
            IP_COUNTRY => {
                sign_in.country = set.first().map(|class| networks.ip_country_example(class));
                sign_in.country.is_some()
            }
            GPS_COUNTRY => {
                let class = set.first();
                sign_in.gps_country = class.map(|class| networks.gps_country_example(class));
                sign_in.gps_country.is_some()
            }
            _ => {
                sign_in.compliant_network = true;
                true
            }
        }
    }

    /// Whether some policy names an app.
    pub fn names_app(&self, app: Guid) -> bool {
        let mut policies = self.space.policies.iter();
        policies.any(|policy| policy.target.apps().any(|named| named == app))
    }

    /// Whether some policy is about a user action.
    pub fn names_action(&self, urn: &str) -> bool {
        let known = [
            resources::REGISTER_SECURITY_INFO,
            resources::REGISTER_DEVICE,
        ];
        let mut targets = self.space.policies.iter().map(|policy| &policy.target);
        known.iter().any(|known| known.eq_ignore_ascii_case(urn))
            || targets.any(|target| target.actions.iter().any(|action| action.is(urn)))
    }
}

/// What one policy has to say, and what it adds to the sum.
fn weigh(
    scene: &Scene<'_, '_>,
    policy: &Policy,
    include_report_only: bool,
    sum: &mut Sum,
) -> PolicyDecision {
    let (state, counts) = match policy.effect {
        Effect::Enabled => ("enabled", true),
        Effect::ReportOnly => ("enabledForReportingButNotEnforced", include_report_only),
        Effect::Disabled => ("disabled", false),
    };
    let said = |applies, reason: String| PolicyDecision {
        id: policy.id.clone(),
        name: policy.name.clone(),
        state,
        applies,
        reason: reason.into(),
        blocks: false,
        required: Vec::new(),
    };
    if policy.effect == Effect::Disabled {
        return said(Some(false), "is switched off".to_owned());
    }
    let applies = scene.applies(policy);
    if !counts {
        let would = match applies.truth {
            Truth::Yes => "is report-only; switched on, it would apply: it ",
            Truth::Unknown => "is report-only; switched on, it might apply: ",
            Truth::No => "is report-only; switched on, it would not apply either: it ",
        };
        return said(Some(false), format!("{would}{}", applies.why));
    }
    if applies.truth == Truth::No {
        return said(Some(false), applies.why);
    }
    let ended = scene.grant(&policy.grant);
    let session = session_words(&policy.session);
    let mut decided = said(
        (applies.truth == Truth::Yes).then_some(true),
        applies.why.clone(),
    );
    decided.required = listed(least(ended.clauses()));
    decided.blocks = matches!(ended, Ended::Blocked);
    if let Ended::Never(why) | Ended::Unsure(why) = &ended {
        decided.reason = format!("{}; {why}", applies.why).into();
    }
    let doubt = |why: &str| Doubt {
        why: format!("policy '{}': {why}", policy.name.for_terminal()).into(),
        clauses: ended.clauses(),
        may_close: matches!(ended, Ended::Blocked | Ended::Never(_) | Ended::Unsure(_)),
    };
    match (applies.truth, &ended) {
        (Truth::Yes, Ended::Unsure(why)) => sum.doubts.push(doubt(why)),
        (Truth::Yes, _) => {
            sum.blocked |= matches!(ended, Ended::Blocked);
            sum.never |= matches!(ended, Ended::Never(_));
            sum.required.extend(ended.clauses());
            sum.session.extend(session);
        }
        _ => sum.doubts.push(doubt(&applies.why)),
    }
    decided
}

/// What the policies come to together.
#[derive(Default)]
struct Sum {
    blocked: bool,
    never: bool,
    required: Vec<BTreeSet<String>>,
    session: BTreeSet<String>,
    doubts: Vec<Doubt>,
}

/// A policy of which it is not known whether it applies, or whether it can be met.
struct Doubt {
    why: Untrusted,
    clauses: Vec<BTreeSet<String>>,
    /// It may keep the sign-in out.
    may_close: bool,
}

/// Each list once, and none that another one implies; the shortest first.
fn least(clauses: Vec<BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let distinct: BTreeSet<BTreeSet<String>> = clauses.into_iter().collect();
    let implied = |clause: &BTreeSet<String>| {
        distinct
            .iter()
            .any(|other| other != clause && other.is_subset(clause))
    };
    let mut least: Vec<BTreeSet<String>> = distinct
        .iter()
        .filter(|clause| !implied(clause))
        .cloned()
        .collect();
    least.sort_by_key(BTreeSet::len);
    least
}

fn listed(clauses: Vec<BTreeSet<String>>) -> Vec<Vec<String>> {
    clauses
        .into_iter()
        .map(|clause| clause.into_iter().collect())
        .collect()
}

/// Session controls, in Graph's words.
fn session_words(session: &Session) -> Vec<String> {
    let inert = |text: &Untrusted| text.for_terminal();
    [
        session
            .application_enforced_restrictions
            .then(|| "applicationEnforcedRestrictions".to_owned()),
        session
            .cloud_app_security
            .as_ref()
            .map(|kind| format!("cloudAppSecurity:{}", inert(kind))),
        session
            .persistent_browser
            .as_ref()
            .map(|mode| format!("persistentBrowser:{}", inert(mode))),
        session.sign_in_frequency.map(|hours| match hours {
            0 => "signInFrequency:everyTime".to_owned(),
            hours => format!("signInFrequency:{hours}h"),
        }),
        session
            .token_protection
            .then(|| "secureSignInSession".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect()
}
