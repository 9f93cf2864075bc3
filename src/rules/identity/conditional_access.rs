//! What all rules share that ask Conditional Access for a guarantee: what they read, whom they judge, how the answer is told.

use crate::access::{self, Analyzer, Asked, Atom, Clause, Guarantee, Judgement, Who};
use crate::rules::Evidence;
use crate::rules::prelude::*;
use crate::snapshot::State;
use crate::snapshot::model::{ConditionalAccessPolicy, ConditionalAccessPolicyState};

/// What the analyzer may rest on beside policies, accounts and active roles.
pub(in crate::rules) const MAY_REST_ON: &[Resource] = &[
    Resource::GroupTransitiveMembers,
    Resource::AuthenticationStrengthPolicies,
    Resource::NamedLocations,
    Resource::RoleEligibilityScheduleInstances,
    Resource::CrossTenantAccessDefault,
    Resource::CrossTenantAccessPartners,
];

/// The same and the policies themselves, for rules that may have an answer without them.
pub(in crate::rules) const MAY_REST_ON_POLICIES: &[Resource] = &[
    Resource::ConditionalAccessPolicies,
    Resource::GroupTransitiveMembers,
    Resource::AuthenticationStrengthPolicies,
    Resource::NamedLocations,
    Resource::RoleEligibilityScheduleInstances,
    Resource::CrossTenantAccessDefault,
    Resource::CrossTenantAccessPartners,
];

/// The policies, read to their end: what fails because no policy covers something needs all of them. A tenant without a licence
/// for Conditional Access has none.
pub(in crate::rules) fn all_policies<'a>(
    cx: &Context<'a>,
) -> Result<&'a [ConditionalAccessPolicy], NotEvaluated> {
    match cx.conditional_access_policies() {
        Ok(policies) => {
            cx.whole(Resource::ConditionalAccessPolicies)?;
            Ok(policies)
        }
        Err(NotEvaluated::Unread(unread))
            if matches!(unread.state, State::NotLicensed { .. })
                && cx.owns(Licence::ENTRA_P1) == Some(false) =>
        {
            Ok(&[])
        }
        Err(why) => Err(why),
    }
}

/// The analyzer, when what every question rests on was read: policies and active roles to their end, accounts as far as they came.
pub(in crate::rules) fn analyzer<'a>(cx: &Context<'a>) -> Result<&'a Analyzer<'a>, NotEvaluated> {
    cx.users()?;
    // Synchronisation accounts are known by their role: without the assignments, one of them would be judged.
    cx.whole(Resource::RoleAssignments)?;
    all_policies(cx)?;
    Ok(cx.analyzer())
}

/// What enabled policies rest on to name people and strengths, and was not read: the reason for an answer that cannot be given.
pub(in crate::rules) fn missing(cx: &Context<'_>) -> Option<NotEvaluated> {
    let named = Named::by_enabled(cx.known_policies());
    let unread = |resource| cx.whole(resource).err();
    let groups = (named.groups || named.roles)
        .then(|| unread(Resource::GroupTransitiveMembers))
        .flatten();
    let eligible = (named.roles && cx.owns(Licence::PIM) != Some(false))
        .then(|| unread(Resource::RoleEligibilityScheduleInstances))
        .flatten();
    let strengths = named
        .bare_strengths
        .then(|| unread(Resource::AuthenticationStrengthPolicies))
        .flatten();
    groups.or(eligible).or(strengths)
}

/// The same for a guarantee about all sign-ins: places, and what is trusted of other tenants.
fn missing_for_all(cx: &Context<'_>) -> Option<NotEvaluated> {
    let named = Named::by_enabled(cx.known_policies());
    let unread = |resource| cx.whole(resource).err();
    missing(cx)
        .or_else(|| {
            named
                .places
                .then(|| unread(Resource::NamedLocations))
                .flatten()
        })
        .or_else(|| {
            named
                .devices
                .then(|| {
                    unread(Resource::CrossTenantAccessDefault)
                        .or_else(|| unread(Resource::CrossTenantAccessPartners))
                })
                .flatten()
        })
}

/// What enabled policies name.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
struct Named {
    groups: bool,
    roles: bool,
    bare_strengths: bool,
    places: bool,
    devices: bool,
}

impl Named {
    fn by_enabled(policies: &[ConditionalAccessPolicy]) -> Self {
        let mut named = Self::default();
        let any = |words: Option<&Vec<Untrusted>>| words.is_some_and(|words| !words.is_empty());
        for policy in policies
            .iter()
            .filter(|policy| policy.state == Some(ConditionalAccessPolicyState::Enabled))
        {
            if let Some(users) = policy
                .conditions
                .as_ref()
                .and_then(|conditions| conditions.users.as_ref())
            {
                named.groups |=
                    any(users.include_groups.as_ref()) || any(users.exclude_groups.as_ref());
                named.roles |=
                    any(users.include_roles.as_ref()) || any(users.exclude_roles.as_ref());
            }
            named.places |= policy
                .conditions
                .as_ref()
                .is_some_and(|conditions| conditions.locations.is_some());
            let controls = policy
                .grant_controls
                .as_ref()
                .and_then(|grant| grant.built_in_controls.as_ref());
            named.devices |= controls.is_some_and(|controls| !controls.is_empty());
            named.bare_strengths |= policy
                .grant_controls
                .as_ref()
                .and_then(|grant| grant.authentication_strength.as_ref())
                .is_some_and(|strength| {
                    strength.requirements_satisfied.is_none()
                        || strength.allowed_combinations.is_none()
                });
        }
        named
    }
}

/// What a guarantee says, in words: `pass` and `fail` complete sentences about accounts.
pub(in crate::rules) struct Words {
    /// Whom: `enabled members`.
    pub(in crate::rules) who: &'static str,
    /// What must hold for each: `are asked for a second factor in every sign-in`.
    pub(in crate::rules) held: &'static str,
    /// The reason when there is nobody.
    pub(in crate::rules) nobody: &'static str,
}

/// A guarantee for enabled members and every resource; the fields narrow it.
pub(in crate::rules) fn members(must: Vec<Clause>) -> Guarantee {
    asked(must).who(Who::Members)
}

/// A guarantee as the catalogue asks for it. A managed device is taken at its word: that a device code may be typed in on another
/// one is the business of device-code-flow-allowed.
pub(in crate::rules) fn asked(must: Vec<Clause>) -> Guarantee {
    let mut guarantee = Guarantee::new("", "", must);
    guarantee.assume.device_code_shows_any_device = false;
    guarantee
}

/// Apps and sets of apps.
pub(in crate::rules) fn resources(ids: &[impl AsRef<str>]) -> Asked {
    Asked::Resources(ids.iter().map(|id| id.as_ref().to_owned()).collect())
}

/// Being kept out, or a device that is compliant or hybrid joined.
pub(in crate::rules) fn managed_device() -> Clause {
    vec![Atom::CompliantDevice, Atom::DomainJoinedDevice]
}

/// Words as a list.
pub(in crate::rules) fn list(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Judges a guarantee and says how it came out.
pub(in crate::rules) fn prove(cx: &Context<'_>, guarantee: &Guarantee, words: &Words) -> Verdict {
    let analyzer = analyzer(cx)?;
    conclude(cx, &analyzer.judge(guarantee, cx.apart()), words)
}

/// Draws the conclusion of a judgement.
pub(in crate::rules) fn conclude(
    cx: &Context<'_>,
    judgement: &Judgement<'_, '_>,
    words: &Words,
) -> Verdict {
    let Words { who, held, nobody } = words;
    let verdict = judgement.verdict;
    if matches!(verdict, access::Verdict::Depends | access::Verdict::Unknown) {
        let why = judgement.untold.first();
        return Err(missing_for_all(cx).unwrap_or_else(|| {
            NotEvaluated::unknown(format!(
                "whether all {who} {held} cannot be told: {}",
                why.map_or("what was read does not tell", String::as_str)
            ))
        }));
    }
    let outcome = tally(cx, judgement).outcome(nobody, |failing, all| {
        if failing == 0 {
            format!("all {all} {who} {held}")
        } else if cx.analyzer().enabled_policies().next().is_none() {
            format!("no Conditional Access policy is enabled to make sure that {failing} of {all} {who} {held}")
        } else {
            format!("the enabled policies do not make sure that {failing} of {all} {who} {held}")
        }
    });
    Ok(match judgement.apart {
        0 => outcome,
        apart => outcome.with_evidence(Evidence::new(
            Some(Resource::Users),
            "declared emergency access and synchronisation accounts",
            "left out of the judgement",
            format!(
                "{apart} left out, {} of them not covered",
                judgement.apart_open
            ),
        )),
    })
}

/// Accounts, and kinds of people without one, that are open or not.
fn tally(cx: &Context<'_>, judgement: &Judgement<'_, '_>) -> Tally {
    let mut tally = Tally::new();
    let mut open = 0;
    for (user, number) in judgement.affected() {
        open += 1;
        tally.fail_user(cx, user, || judgement.detail(number));
    }
    tally.pass_more(judgement.judged - open);
    tally.unknown_more(judgement.unknown);
    for &kind in &judgement.kinds {
        match judgement.open_kinds.get(&kind) {
            Some(&number) => tally.fail(
                Object::new(ObjectType::GuestType, kind.as_str(), kind.as_str())
                    .detail(judgement.detail(number)),
            ),
            None if judgement.unknown_kinds.contains(&kind) => tally.unknown(),
            None => tally.pass(),
        }
    }
    tally
}

/// Security defaults as proof: the outcome where they are on or where there is nobody to judge, `None` where policies must answer.
pub(in crate::rules) fn security_defaults_are_on(
    cx: &Context<'_>,
    guarantee: &Guarantee,
    words: &Words,
    reason: &str,
) -> Result<Option<Outcome>, NotEvaluated> {
    cx.users()?;
    cx.whole(Resource::RoleAssignments)?;
    let (judged, not_told) = cx.analyzer().asked(guarantee, cx.apart());
    if judged == 0 {
        return match not_told {
            Some(why) => Err(NotEvaluated::unknown(why)),
            None => Ok(Some(Outcome::not_applicable(words.nobody))),
        };
    }
    match cx.security_defaults()?.is_enabled {
        Some(true) => Ok(Some(
            Outcome::pass(reason)
                .actual("security defaults are on")
                .affecting(Affected::default(), judged),
        )),
        Some(false) => Ok(None),
        None => Err(NotEvaluated::unknown(
            "isEnabled of the security defaults is absent",
        )),
    }
}
