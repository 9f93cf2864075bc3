//! What a policy makes sure of, one by one: what a sign-in to which it applies does not get in without.
//!
//! Taking a policy away changes nothing where, for each of its demands, others keep out everybody who lacks just that. Because
//! satisfaction only grows with evidence, the largest evidence that lacks it is the only one to look at.

use super::assignment::{Side, Tenants};
use super::bits::Bits;
use super::guarantee::{Asked, Assume, Atom, Clause, Guarantee, SessionAtom};
use super::policy::{Ask, Effect, Policy, Reading, Span};
use super::search::{asked_targets, enforcing};
use super::space::dimension::TARGET;
use super::space::{Patch, Space};

/// One thing that a policy demands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Demand {
    /// At least one of these.
    pub(super) clause: Clause,
    /// Evidence that lacks just it cannot be named: all that can be told is who is kept out with any evidence.
    pub(super) is_vague: bool,
    /// It is about the session of those who get in.
    pub(super) of_session: bool,
}

/// Everything that a policy demands. Blocking is the demand of nothing: nobody can have it.
pub(super) fn demands(space: &Space<'_>, policy: &Policy) -> Vec<Demand> {
    let demand = |asks: &[Ask]| {
        let atoms: Option<Vec<Clause>> = asks.iter().map(|ask| atoms(space, ask)).collect();
        Demand {
            is_vague: atoms.is_none(),
            clause: atoms.unwrap_or_default().concat(),
            of_session: false,
        }
    };
    let grant = &policy.grant;
    let mut demands: Vec<Demand> = match grant.asks.as_slice() {
        [] => Vec::new(),
        asks if grant.all => asks
            .iter()
            .map(|ask| demand(std::slice::from_ref(ask)))
            .collect(),
        asks => vec![demand(asks)],
    };
    demands.extend(stamps(policy).into_iter().map(|atom| Demand {
        clause: vec![Atom::Session(atom)],
        is_vague: false,
        of_session: true,
    }));
    let mut each: Vec<Demand> = Vec::new();
    for demand in demands {
        if !each.contains(&demand) {
            each.push(demand);
        }
    }
    each
}

/// What meets a control, in the words of questions; `None` where they have none for it.
fn atoms(space: &Space<'_>, ask: &Ask) -> Option<Clause> {
    Some(vec![match ask {
        Ask::Block => return Some(Vec::new()),
        Ask::Mfa => Atom::Mfa,
        Ask::Strength(id, content) => {
            let id = (*id)?;
            let known = space.methods.strength(id)?;
            let inside = content
                .as_deref()
                .and_then(|content| space.methods.accepted(content));
            if inside.is_some_and(|inside| inside != *known) {
                return None;
            }
            Atom::Strength(id)
        }
        Ask::CompliantDevice => Atom::CompliantDevice,
        Ask::DomainJoinedDevice => Atom::DomainJoinedDevice,
        Ask::ApprovedApplication => Atom::ApprovedApplication,
        Ask::CompliantApplication => Atom::CompliantApplication,
        Ask::PasswordChange => Atom::PasswordChange,
        Ask::RiskRemediation => Atom::RiskRemediation,
        Ask::TermsOfUse(id) => Atom::TermsOfUse(id.raw().to_owned()),
        Ask::CustomFactor | Ask::Unknown(_) => return None,
    }])
}

fn stamps(policy: &Policy) -> Vec<SessionAtom> {
    let session = &policy.session;
    let owned = |text: &crate::snapshot::Untrusted| text.raw().to_owned();
    let parts = [
        session
            .application_enforced_restrictions
            .then_some(SessionAtom::ApplicationEnforcedRestrictions),
        session
            .cloud_app_security
            .as_ref()
            .map(|kind| SessionAtom::CloudAppSecurity(Some(owned(kind)))),
        session
            .persistent_browser
            .as_ref()
            .map(|mode| SessionAtom::PersistentBrowser(owned(mode))),
        session.sign_in_frequency.map(SessionAtom::SignInFrequency),
        session
            .token_protection
            .then_some(SessionAtom::SecureSignInSession),
    ];
    parts.into_iter().flatten().collect()
}

/// What is requested beside the resource: nothing, or an authentication context.
pub(super) type Scene = Option<String>;

/// The scenes in which a policy can apply.
pub(super) fn scenes(policy: &Policy) -> Vec<Scene> {
    let contexts = policy
        .target
        .contexts
        .iter()
        .map(|context| Some(context.raw().to_owned()));
    let target = &policy.target;
    let plain = !target.include.is_empty() || !target.actions.is_empty() || target.filter.is_some();
    let plain = (plain || target.contexts.is_empty()).then_some(None);
    plain.into_iter().chain(contexts).collect()
}

/// A question in a scene, as far as it says how policies are read. Devices are what they show, in every flow: policies are compared
/// with each other here, not with what somebody is promised.
fn question(scene: &Scene) -> Guarantee {
    let question = Guarantee {
        assume: Assume {
            device_code_shows_any_device: false,
            ..Assume::default()
        },
        ..Guarantee::new("", "", Vec::new())
    };
    match scene {
        None => question,
        Some(context) => question.target(Asked::AuthContext(context.clone())),
    }
}

/// Where a policy keeps out, or stamps, what lacks just this demand of its own.
pub(super) fn kept_out(
    space: &Space<'_>,
    index: usize,
    policy: &Policy,
    demand: &Demand,
    scene: &Scene,
    reading: Reading,
) -> Vec<Patch> {
    if demand.is_vague {
        // Wherever it applies, it may keep out.
        let blocks = Policy {
            grant: super::policy::Grant {
                asks: vec![Ask::Block],
                all: false,
            },
            ..policy.clone()
        };
        return denying(space, index, &blocks, &Vec::new(), scene, reading);
    }
    denying(space, index, policy, &demand.clause, scene, reading)
}

/// Where a policy keeps out the largest evidence that lacks all of a clause.
pub(super) fn denying(
    space: &Space<'_>,
    index: usize,
    policy: &Policy,
    clause: &Clause,
    scene: &Scene,
    reading: Reading,
) -> Vec<Patch> {
    let question = question(scene);
    let mut patches = enforcing(space, index, policy, &question, clause, reading);
    if scene.is_some() {
        let targets = asked_targets(space, &question.target);
        for patch in &mut patches {
            patch.region = patch.region.clone().with(TARGET, targets.clone());
        }
    }
    patches
}

/// Where the enabled policies keep it out, one by one.
pub(super) fn denying_each(
    space: &Space<'_>,
    clause: &Clause,
    scene: &Scene,
    reading: Reading,
) -> Vec<(usize, Vec<Patch>)> {
    space
        .policies
        .iter()
        .enumerate()
        .filter(|(_, policy)| policy.effect == Effect::Enabled)
        .map(|(index, policy)| (index, denying(space, index, policy, clause, scene, reading)))
        .collect()
}

/// The sets of people that each state is in. Whether `All` reaches people without an object here is one question for all policies:
/// in the classes of which it is taken that it does not, it reaches nobody in either reading.
pub(super) fn people_rows(space: &Space<'_>) -> Span<Vec<Bits>> {
    let is_sure = Bits::of(space.people_sets(), |set| {
        space.policies.get(set).is_some_and(is_sure_of_kinds)
    });
    let mut rows = Span {
        must: space.membership_rows(Reading::Must).to_vec(),
        may: space.membership_rows(Reading::May).to_vec(),
    };
    for (state, (must, may)) in rows.must.iter().zip(&mut rows.may).enumerate() {
        let class = space.people.class_of_state(state);
        if class.is_some_and(|class| !class.all_reaches) {
            may.cut(&is_sure);
            may.add(must);
        }
    }
    rows
}

/// Whether it is certain which kinds of people without an object a policy names, `All` apart.
fn is_sure_of_kinds(policy: &Policy) -> bool {
    policy.who.as_ref().is_none_or(|who| {
        let is_sure = |side: &Side| {
            !side.has_unknown && side.kinds.iter().all(|(_, from)| *from != Tenants::Unknown)
        };
        is_sure(&who.include) && is_sure(&who.exclude) && !who.exclude.everyone
    })
}
