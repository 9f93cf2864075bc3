//! From a guarantee to a search: which part of the space is asked about, which boxes enforce what is asked, and what stays open.
//!
//! For each clause of a guarantee the largest evidence is taken that lacks everything the clause names; a box enforces the clause
//! where its policy cannot be met with that evidence. Satisfaction only grows with evidence, so nothing else has to be tried.

use std::collections::BTreeSet;

use super::bits::Bits;
use super::cover::{Product, Region};
use super::crowd::Crowd;
use super::guarantee::{Asked, Assume, Atom, Clause, Guarantee, SessionAtom, When};
use super::methods::MethodSet;
use super::open::{Opening, is_covered, open_parts};
use super::policy::{
    Ask, CLIENTS, DEVICE_CODE, Effect, FLOWS, INSIDER_RISKS, LEGACY, Mask, PLATFORMS, Policy,
    RISKS, Reading, Span, Words,
};
use super::resources::{AZURE_MANAGEMENT, Resource, Suite};
use super::space::dimension::{
    CLIENT, DEVICE, FLOW, INSIDER_RISK, IP_COUNTRY, IS_COMPLIANT, PLATFORM, SIGN_IN_RISK, TARGET,
    TRUST_TYPE, USER_RISK,
};
use super::space::{Patch, PeopleSet, Space, Trait};
use crate::snapshot::{Guid, Untrusted};

/// A code that is no country's, as ISO 3166 leaves it to its users: stands for every country that nothing names.
const ELSEWHERE: &str = "ZZ";

/// A part of the space that is open: all of these people, in all of these sign-ins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap {
    /// Which clause is not met.
    pub(super) clause: usize,
    /// As in [`Opening`].
    pub(super) product: Product,
    /// As in [`Opening`].
    pub(super) point: Vec<usize>,
}

/// What a search over all clauses came to.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) gaps: Vec<Gap>,
    /// States of people in any gap.
    pub(super) open: BTreeSet<usize>,
    /// The budget was used up.
    pub(super) spent: bool,
    /// Nothing is asked about.
    pub(super) vacuous: bool,
}

/// The boxes that enforce one clause, and what cannot be.
pub(super) fn patches(
    space: &Space<'_>,
    guarantee: &Guarantee,
    clause: &Clause,
    reading: Reading,
) -> Vec<Patch> {
    let mut patches = space.impossible();
    for (index, policy) in space.policies.iter().enumerate() {
        if policy.effect == Effect::Enabled {
            patches.extend(enforcing(space, index, policy, guarantee, clause, reading));
        }
    }
    patches
}

/// The boxes in which one policy, were it enabled, enforces a clause.
pub(super) fn enforcing(
    space: &Space<'_>,
    index: usize,
    policy: &Policy,
    guarantee: &Guarantee,
    clause: &Clause,
    reading: Reading,
) -> Vec<Patch> {
    let (Some(conditions), Some(target)) = (space.conditions.get(index), space.target(index))
    else {
        return Vec::new();
    };
    in_boxes(
        space,
        index,
        policy,
        &Boxes { conditions, target },
        guarantee,
        clause,
        reading,
    )
}

/// The boxes in which a policy enforces a clause that is not, or not in this form, one of the space.
pub(super) fn enforcing_as(
    space: &Space<'_>,
    index: usize,
    policy: &Policy,
    guarantee: &Guarantee,
    clause: &Clause,
    reading: Reading,
) -> Vec<Patch> {
    let (conditions, target) = (space.conditions_of(policy), space.targets_of(policy));
    let boxes = Boxes {
        conditions: &conditions,
        target: &target,
    };
    in_boxes(space, index, policy, &boxes, guarantee, clause, reading)
}

/// Where a policy applies, people apart.
struct Boxes<'b> {
    conditions: &'b Span<Vec<Region>>,
    target: &'b Span<Bits>,
}

fn in_boxes(
    space: &Space<'_>,
    index: usize,
    policy: &Policy,
    boxes: &Boxes<'_>,
    guarantee: &Guarantee,
    clause: &Clause,
    reading: Reading,
) -> Vec<Patch> {
    if policy.who.is_none() {
        return Vec::new();
    }
    let ways = ways(space, policy, clause, guarantee.assume, reading);
    if ways.is_empty() {
        return Vec::new();
    }
    let by_context = matches!(&guarantee.target, Asked::AuthContext(context) if policy.target.names_context(context));
    let target = if by_context && !policy.has_unknown_condition {
        Region::whole()
    } else {
        Region::whole().with(TARGET, boxes.target.read(reading).clone())
    };
    let mut patches = Vec::new();
    for way in &ways {
        for condition in boxes.conditions.read(reading) {
            let region = condition.clone().and(&way.region).and(&target);
            if !region.is_empty() {
                patches.push(Patch {
                    policy: Some(index),
                    people: [vec![index], way.people.clone()].concat(),
                    region,
                });
            }
        }
    }
    patches
}

/// One way in which a control is not met.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    people: Vec<PeopleSet>,
    region: Region,
}

impl Way {
    fn always() -> Self {
        Self::when(Region::whole())
    }

    fn when(region: Region) -> Self {
        Self {
            people: Vec::new(),
            region,
        }
    }

    fn of(people: PeopleSet) -> Self {
        Self {
            people: vec![people],
            region: Region::whole(),
        }
    }

    fn and(&self, other: &Self) -> Self {
        let mut people = [self.people.clone(), other.people.clone()].concat();
        people.sort_unstable();
        people.dedup();
        Self {
            people,
            region: self.region.clone().and(&other.region),
        }
    }
}

/// The ways in which a policy keeps out everybody who does not meet the clause, or stamps their sessions with what it asks.
fn ways(
    space: &Space<'_>,
    policy: &Policy,
    clause: &Clause,
    assume: Assume,
    reading: Reading,
) -> Vec<Way> {
    let unmet = |ask: &Ask| unmet(space, ask, clause, assume, reading);
    let mut ways = match policy.grant.asks.as_slice() {
        [] => Vec::new(),
        asks if policy.grant.all || asks.len() == 1 => asks.iter().flat_map(unmet).collect(),
        // Any one control lets in: all must be unmet.
        asks => asks.iter().fold(vec![Way::always()], |ways, ask| {
            let also = unmet(ask);
            let mut both: Vec<Way> = ways
                .iter()
                .flat_map(|way| also.iter().map(move |other| way.and(other)))
                .filter(|way| !way.region.is_empty())
                .collect();
            both.sort_unstable();
            both.dedup();
            both
        }),
    };
    if clause.iter().any(|atom| stamps(policy, atom)) {
        ways.push(Way::always());
    }
    if ways.contains(&Way::always()) {
        return vec![Way::always()];
    }
    ways
}

/// Whether a policy's session controls do what an atom asks for.
fn stamps(policy: &Policy, atom: &Atom) -> bool {
    let Atom::Session(asked) = atom else {
        return false;
    };
    let session = &policy.session;
    match asked {
        SessionAtom::ApplicationEnforcedRestrictions => session.application_enforced_restrictions,
        SessionAtom::CloudAppSecurity(kind) => session
            .cloud_app_security
            .as_ref()
            .is_some_and(|held| kind.as_ref().is_none_or(|kind| held.is(kind))),
        SessionAtom::PersistentBrowser(mode) => session
            .persistent_browser
            .as_ref()
            .is_some_and(|held| held.is(mode)),
        SessionAtom::SignInFrequency(hours) => {
            session.sign_in_frequency.is_some_and(|held| held <= *hours)
        }
        SessionAtom::SecureSignInSession => session.token_protection,
    }
}

/// What a person who lacks everything that the clause names can have performed.
pub(super) fn performed(space: &Space<'_>, clause: &Clause) -> MethodSet {
    let methods = &space.methods;
    clause.iter().fold(methods.any(), |mut performed, atom| {
        match atom {
            Atom::Mfa => performed.cut(&methods.multi_factor()),
            Atom::PhishingResistantMfa => performed.cut(&methods.phishing_resistant()),
            Atom::Strength(id) => {
                if let Some(accepted) = methods.strength(*id) {
                    performed.cut(accepted);
                }
            }
            _ => {}
        }
        performed
    })
}

/// Platforms with approved client apps.
const MOBILE: Mask = 0b011;
/// Platforms with apps under app protection policies: Edge on Windows among them.
const MOBILE_AND_WINDOWS: Mask = 0b111;

/// The ways in which one control is not met by the largest evidence that lacks what the clause names.
fn unmet(
    space: &Space<'_>,
    ask: &Ask,
    clause: &Clause,
    assume: Assume,
    reading: Reading,
) -> Vec<Way> {
    let legacy = Way::when(space.narrow(Region::whole(), CLIENT, LEGACY));
    let lacks = |atom: &Atom| clause.contains(atom);
    let external = || Way::of(space.people_with(Trait::External));
    let off = |platforms: Mask| {
        Way::when(space.narrow(Region::whole(), PLATFORM, PLATFORMS.all() & !platforms))
    };
    match ask {
        Ask::Unknown(_) if reading == Reading::Must => Vec::new(),
        Ask::Block | Ask::Unknown(_) => vec![Way::always()],
        Ask::Mfa => methods_unmet(space, &space.methods.multi_factor(), clause, legacy),
        Ask::Strength(id, content) => {
            let listed = content
                .as_deref()
                .and_then(|content| space.methods.accepted(content));
            let known = listed.or_else(|| id.and_then(|id| space.methods.strength(id).cloned()));
            match known {
                // One that accepts nothing would let nobody in: nobody has such a one, so it promises nothing.
                Some(accepted) if accepted.is_empty() => vec![legacy],
                Some(accepted) => methods_unmet(space, &accepted, clause, legacy),
                // A strength that is gone or was not read may accept anything, or nothing.
                None if reading == Reading::Must => vec![legacy],
                None => vec![Way::always()],
            }
        }
        Ask::CompliantDevice => {
            let untrusted = Way::of(space.people_with(Trait::NoCompliant));
            let unmet = device_unmet(space, IS_COMPLIANT, &space.compliant(), assume);
            vec![unmet, untrusted, legacy]
        }
        Ask::DomainJoinedDevice => {
            let untrusted = Way::of(space.people_with(Trait::NoHybrid));
            let unmet = device_unmet(space, TRUST_TYPE, &space.hybrid(), assume);
            vec![unmet, untrusted, legacy]
        }
        Ask::ApprovedApplication if lacks(&Atom::ApprovedApplication) => vec![Way::always()],
        Ask::ApprovedApplication => vec![off(MOBILE), external(), legacy],
        Ask::CompliantApplication if lacks(&Atom::CompliantApplication) => vec![Way::always()],
        Ask::CompliantApplication => vec![off(MOBILE_AND_WINDOWS), external(), legacy],
        Ask::PasswordChange if lacks(&Atom::PasswordChange) => vec![Way::always()],
        Ask::RiskRemediation if lacks(&Atom::RiskRemediation) => vec![Way::always()],
        Ask::PasswordChange | Ask::RiskRemediation => vec![external(), legacy],
        Ask::TermsOfUse(id)
            if clause
                .iter()
                .any(|atom| matches!(atom, Atom::TermsOfUse(asked) if id.is(asked))) =>
        {
            vec![Way::always()]
        }
        Ask::TermsOfUse(_) | Ask::CustomFactor => vec![legacy],
    }
}

fn methods_unmet(
    space: &Space<'_>,
    accepted: &MethodSet,
    clause: &Clause,
    legacy: Way,
) -> Vec<Way> {
    let performed = performed(space, clause);
    let met_by = |possible: &MethodSet| accepted.clone().and(&performed).meets(possible);
    if !met_by(&space.methods.any()) {
        return vec![Way::always()];
    }
    let mut ways = vec![legacy];
    if !met_by(&space.methods.in_resource_tenant()) {
        ways.push(Way::of(space.people_with(Trait::NoMfa)));
    }
    if !met_by(&space.methods.single_factor()) {
        ways.push(Way::of(space.people_with(Trait::NoMfaHere)));
    }
    ways
}

/// In the device code flow the device that is shown may be another one than the one that gets the token.
fn device_unmet(space: &Space<'_>, dimension: usize, good: &Bits, assume: Assume) -> Way {
    let mut region = Region::whole().with(dimension, good.not());
    if assume.device_code_shows_any_device {
        region = space.narrow(region, FLOW, FLOWS.all() & !DEVICE_CODE);
    }
    Way::when(region)
}

/// What is asked about, people apart, as boxes that together make it up: the sign-ins that may be meant when a proof is looked for,
/// and those that are surely meant when a gap is.
pub(super) fn scope(space: &Space<'_>, guarantee: &Guarantee, reading: Reading) -> Vec<Region> {
    let wide = reading.swapped();
    let when = &guarantee.when;
    let mut base = Region::whole().with(TARGET, asked_targets(space, &guarantee.target));
    for (dimension, words, listed) in [
        (CLIENT, &CLIENTS, &when.client_app_types),
        (PLATFORM, &PLATFORMS, &when.platforms),
        (SIGN_IN_RISK, &RISKS, &when.sign_in_risk),
        (USER_RISK, &RISKS, &when.user_risk),
        (INSIDER_RISK, &INSIDER_RISKS, &when.insider_risk),
        (FLOW, &FLOWS, &when.authentication_flows),
    ] {
        base = space.narrow(base, dimension, mask(words, listed));
    }
    base = narrow_places(space, base, when, wide);
    let mut boxes = vec![base];
    if when.trusted == Some(true) {
        boxes = times(&boxes, &space.inside("AllTrusted", wide));
    }
    if !when.named.is_empty() {
        let named: Vec<Region> = when
            .named
            .iter()
            .flat_map(|id| space.inside(&id.to_string(), wide))
            .collect();
        boxes = times(&boxes, &named);
    }
    if when.managed == Some(true) {
        let managed = [
            Region::whole().with(IS_COMPLIANT, space.compliant()),
            Region::whole().with(TRUST_TYPE, space.hybrid()),
        ];
        boxes = times(&boxes, &managed);
    }
    for (rule, negated) in [(&when.matches, false), (&when.not_matches, true)] {
        let Some(rule) = rule
            .as_deref()
            .and_then(|rule| super::device::parse(rule).ok())
        else {
            continue;
        };
        // A rule that cannot be told narrows nothing when a proof is looked for.
        let matching = space
            .matching(&rule, negated, wide)
            .unwrap_or_else(|| vec![Region::whole()]);
        boxes = times(&boxes, &matching);
    }
    boxes.retain(|region| !region.is_empty());
    boxes
}

fn narrow_places(space: &Space<'_>, base: Region, when: &When, wide: Reading) -> Region {
    let narrow = wide.swapped();
    let mut base = base;
    if when.trusted == Some(false) {
        base = space.outside(base, "AllTrusted", narrow);
    }
    for id in &when.not_named {
        base = space.outside(base, &id.to_string(), narrow);
    }
    let countries = |codes: &[String]| {
        codes
            .iter()
            .fold(Bits::none(space.size(IP_COUNTRY)), |mut set, code| {
                set.insert(space.networks.ip_country_class(code));
                set
            })
    };
    if !when.country_in.is_empty() {
        let left_out = |code: &String| {
            when.country_not_in
                .iter()
                .any(|out| out.eq_ignore_ascii_case(code))
        };
        let left: Vec<String> = when
            .country_in
            .iter()
            .filter(|code| !left_out(code))
            .cloned()
            .collect();
        base = base.with(IP_COUNTRY, countries(&left));
    }
    if !when.country_not_in.is_empty() {
        // Countries that nothing tells apart are one value: it stays while any of them is asked about.
        let mut out = countries(&when.country_not_in);
        out.remove(space.networks.ip_country_class(ELSEWHERE));
        base = base.with(IP_COUNTRY, out.not());
    }
    match when.registered {
        Some(true) => base = base.with(DEVICE, space.registered()),
        Some(false) => base = base.with(DEVICE, space.registered().not()),
        None => {}
    }
    if when.managed == Some(false) {
        base = base
            .with(IS_COMPLIANT, space.compliant().not())
            .with(TRUST_TYPE, space.hybrid().not());
    }
    base
}

fn times(left: &[Region], right: &[Region]) -> Vec<Region> {
    left.iter()
        .flat_map(|one| right.iter().map(move |other| one.clone().and(other)))
        .collect()
}

fn mask(words: &Words, listed: &[String]) -> Mask {
    if listed.is_empty() {
        return words.all();
    }
    listed
        .iter()
        .filter_map(|word| words.bit(word))
        .fold(0, |mask, bit| mask | bit)
}

/// The resources and actions that are asked about.
pub(super) fn asked_targets(space: &Space<'_>, asked: &Asked) -> Bits {
    let len = space.resources.len();
    let is_resource = |resource: &Resource| !matches!(resource, Resource::Action(_));
    match asked {
        Asked::AnyResource => Bits::of(len, |value| {
            space.resources.class(value).iter().any(is_resource)
        }),
        Asked::AuthContext(_) => Bits::of(len, |value| {
            let class = space.resources.class(value);
            class
                .iter()
                .any(|resource| is_resource(resource) && *resource != Resource::BaselineScopes)
        }),
        Asked::UserAction(urn) => {
            let action = Resource::Action(urn.to_ascii_lowercase());
            space
                .resources
                .place(&action)
                .map_or(Bits::none(len), |value| Bits::one(len, value))
        }
        Asked::Resources(words) => {
            asked_apps(words)
                .into_iter()
                .fold(Bits::none(len), |mut set, app| {
                    if let Some(value) = space.resources.place(&Resource::App(app)) {
                        set.insert(value);
                    }
                    set
                })
        }
    }
}

/// The apps that words of a question stand for.
pub(super) fn asked_apps(words: &[String]) -> BTreeSet<Guid> {
    let mut apps = BTreeSet::new();
    for word in words {
        let word = Untrusted::from(word.as_str());
        match (Suite::named(&word), word.raw().parse()) {
            (Some(suite), id) => {
                apps.extend(suite.apps());
                apps.extend(id.ok().filter(|&id: &Guid| id == AZURE_MANAGEMENT));
            }
            (None, Ok(id)) => drop(apps.insert(id)),
            (None, Err(_)) => {}
        }
    }
    apps
}

/// What of the scope a clause is about: where what it names is there anyway, nothing is asked.
pub(super) fn lacking(space: &Space<'_>, clause: &Clause) -> Region {
    clause
        .iter()
        .fold(Region::whole(), |region, atom| match atom {
            Atom::CompliantDevice => region.with(IS_COMPLIANT, space.compliant().not()),
            Atom::DomainJoinedDevice => region.with(TRUST_TYPE, space.hybrid().not()),
            _ => region,
        })
}

/// Looks for everything that is open.
pub(super) fn open_sign_ins(
    space: &Space<'_>,
    guarantee: &Guarantee,
    crowd: &Crowd,
    reading: Reading,
    budget: &mut u64,
) -> Found {
    let scope = scope(space, guarantee, reading);
    let mut found = Found {
        vacuous: scope.is_empty() || crowd.is_empty(),
        ..Found::default()
    };
    if found.vacuous {
        return found;
    }
    let states = crowd.states();
    for (clause, atoms) in guarantee.must.iter().enumerate() {
        let lacking = lacking(space, atoms);
        let patches = patches(space, guarantee, atoms, reading);
        for region in &scope {
            let parts = open_parts(
                space.membership_rows(reading),
                states.iter().copied(),
                space.product(&region.clone().and(&lacking)),
                &patches,
                budget,
            );
            found.spent |= parts.spent;
            found.open.extend(parts.open);
            let gap = |Opening { product, point }| Gap {
                clause,
                product,
                point,
            };
            found.gaps.extend(parts.products.into_iter().map(gap));
        }
    }
    found.vacuous = found.gaps.is_empty() && nobody_can(space, &scope, crowd, reading, budget);
    found
}

/// Whether what is asked about cannot be: a device that is managed and not registered, legacy clients that show one.
fn nobody_can(
    space: &Space<'_>,
    scope: &[Region],
    crowd: &Crowd,
    reading: Reading,
    budget: &mut u64,
) -> bool {
    let impossible = space.impossible();
    let sets = space.membership_rows(reading);
    scope.iter().all(|region| {
        is_covered(
            sets,
            crowd.states(),
            space.product(region),
            &impossible,
            budget,
        ) == Some(true)
    })
}
