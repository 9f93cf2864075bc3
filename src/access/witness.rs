//! A gap in words that an admin can check: who gets in, to what, from where, with what, and which policy comes near.

use std::collections::BTreeMap;

use super::analyzer::{Analyzer, Answer};
use super::bits::Bits;
use super::cover::Product;
use super::guarantee::Asked;
use super::guarantee::{Atom, Clause, Guarantee};
use super::near::{Nearness, Walls};
use super::policy::{CLIENTS, FLOWS, INSIDER_RISKS, PLATFORMS, RISKS, Words};
use super::proof::{Example, NearMiss, Witness};
use super::resources::Resource;
use super::search::{Gap, asked_apps};
use super::space::dimension::{
    CLIENT, COMPLIANT_NETWORK, DEVICE, FLOW, GPS_COUNTRY, INSIDER_RISK, IP_COUNTRY, NETWORK,
    PLATFORM, SIGN_IN_RISK, TARGET, USER_RISK,
};
use crate::snapshot::{Guid, Untrusted};

/// How many witnesses of one guarantee are shown.
const SHOWN: usize = 10;
/// How many gaps are looked at for them.
const LOOKED_AT: usize = 64;
/// How many values of a dimension are named.
const NAMED: usize = 8;

impl Analyzer<'_> {
    /// The witnesses of an answer, those of the most people first and one for each cause, and how many more gaps there are.
    /// None are given when the evaluator of single sign-ins denies one of them.
    pub(super) fn witnesses(
        &self,
        guarantee: &Guarantee,
        answer: &Answer,
    ) -> (Option<Vec<Witness>>, usize) {
        let mut gaps: Vec<(u64, &Gap)> = answer
            .found
            .gaps
            .iter()
            .map(|gap| (people_in(answer, gap), gap))
            .collect();
        gaps.sort_by_key(|(people, _)| std::cmp::Reverse(*people));
        let mut by_cause: BTreeMap<Vec<NearMiss>, usize> = BTreeMap::new();
        let mut causes: Vec<Cause<'_>> = Vec::new();
        let walls = Walls::of(self, guarantee, answer.reading);
        for &(_, gap) in gaps.iter().take(LOOKED_AT) {
            let mut near = Nearness::of(self, guarantee, gap, answer.reading, &walls).misses();
            near.sort_by_key(|near| {
                let is_exclusion = near.kind == "exclusion";
                (
                    !is_exclusion,
                    near.dimension == "who",
                    near.dimension == "target",
                )
            });
            let states = gap.product.first().cloned().unwrap_or(Bits::none(0));
            if let Some(cause) = by_cause.get(&near).and_then(|&known| causes.get_mut(known)) {
                cause.states.add(&states);
            } else {
                by_cause.insert(near.clone(), causes.len());
                causes.push(Cause { gap, near, states });
            }
        }
        let more = causes.len().saturating_sub(SHOWN) + gaps.len().saturating_sub(LOOKED_AT);
        let shown = causes.into_iter().take(SHOWN);
        let witnesses: Option<Vec<Witness>> = shown
            .map(|cause| self.witness(guarantee, answer, cause, &walls))
            .collect();
        (witnesses, more)
    }

    /// `None` when the evaluator of single sign-ins denies it.
    fn witness(
        &self,
        guarantee: &Guarantee,
        answer: &Answer,
        cause: Cause<'_>,
        walls: &Walls,
    ) -> Option<Witness> {
        let users = answer.crowd.count_in(&cause.states);
        let (sign_in, mut example) = self.example(guarantee, answer, cause.gap);
        example.evidence = self.evidence(guarantee, cause.gap, &sign_in)?;
        let region = self.region(guarantee, cause.gap);
        let who = self.who(answer, &cause.states, users, &example);
        let mut sentence = format!(
            "{who} {}",
            self.reach(guarantee, cause.gap, &region, &example)
        );
        let why = cause
            .near
            .iter()
            .take(2)
            .map(|near| format!("'{}' {}", near.name.raw(), near.detail.raw()));
        let why: Vec<String> = why.collect();
        if why.is_empty() {
            sentence.push_str("; no policy comes near");
        } else {
            sentence.push_str("; ");
            sentence.push_str(&why.join("; "));
        }
        sentence.push('.');
        let closed_by = self.closed_by(guarantee, answer, cause.gap, &cause.near, walls);
        Some(Witness {
            sentence: sentence.into(),
            users,
            region,
            example,
            near_misses: cause.near,
            closed_by,
        })
    }

    fn who(&self, answer: &Answer, states: &Bits, users: u64, example: &Example) -> String {
        if users == 0 {
            let kinds: Vec<&str> = answer
                .crowd
                .externals(states)
                .into_iter()
                .map(super::ExternalKind::as_str)
                .collect();
            return format!("people without an account here ({}) get", kinds.join(", "));
        }
        let name = example
            .user
            .as_ref()
            .and_then(|id| id.parse().ok())
            .map(|id: Guid| self.user_name(id));
        match (users, name) {
            (1, Some(name)) => format!("{name} gets"),
            (users, Some(name)) => format!("{users} accounts ({name} among them) get"),
            (users, None) => format!("{users} accounts get"),
        }
    }

    /// To what, from where and with what they get in.
    fn reach(
        &self,
        guarantee: &Guarantee,
        gap: &Gap,
        region: &BTreeMap<&'static str, Vec<Untrusted>>,
        example: &Example,
    ) -> String {
        let join = |words: &[Untrusted]| {
            let words: Vec<&str> = words.iter().map(Untrusted::raw).collect();
            words.join(", ")
        };
        let target = match (&guarantee.target, region.get("target")) {
            (Asked::UserAction(_), _) | (_, None) => match &guarantee.target {
                Asked::UserAction(urn) => {
                    self.resource_name(&Resource::Action(urn.to_ascii_lowercase()))
                }
                Asked::AuthContext(context) => {
                    format!("what asks for authentication context {context}")
                }
                Asked::Resources(words) => words
                    .iter()
                    .map(|word| self.application_name(&word.as_str().into()))
                    .collect::<Vec<_>>()
                    .join(", "),
                Asked::AnyResource => "every resource".to_owned(),
            },
            (_, Some(names)) => join(names),
        };
        let mut text = format!("to {target}");
        let parts: Vec<String> = region
            .iter()
            .filter(|(dimension, _)| **dimension != "target")
            .map(|(dimension, words)| format!("{} {}", dimension.replace('_', " "), join(words)))
            .collect();
        if !parts.is_empty() {
            text.push_str(&format!(" ({})", parts.join("; ")));
        }
        let clause = guarantee.must.get(gap.clause);
        let without = clause.map(lacking).unwrap_or_default();
        let methods = example.evidence.methods.join(" + ");
        match (without.is_empty(), methods.is_empty()) {
            (true, _) => {}
            (false, true) => text.push_str(&format!(" without {without}")),
            (false, false) => text.push_str(&format!(" with {methods} and without {without}")),
        }
        text
    }

    /// What of each dimension is in the gap; dimensions of which all that is asked about is in it are left out.
    pub(super) fn region_of(
        &self,
        guarantee: &Guarantee,
        product: &Product,
    ) -> BTreeMap<&'static str, Vec<Untrusted>> {
        let gap = Gap {
            clause: 0,
            product: product.clone(),
            point: Vec::new(),
        };
        self.region(guarantee, &gap)
    }

    pub(super) fn region(
        &self,
        guarantee: &Guarantee,
        gap: &Gap,
    ) -> BTreeMap<&'static str, Vec<Untrusted>> {
        let mut region = BTreeMap::new();
        for (dimension, values) in gap.product.iter().enumerate().skip(1) {
            if values.is_all()
                || (dimension == TARGET && self.is_all_that_is_asked(guarantee, values))
            {
                continue;
            }
            // What is left out is named where that is shorter; of resources it may be anything.
            let rest = values.not();
            let (prefix, named) = if dimension != TARGET && rest.count() < values.count() {
                ("not ", &rest)
            } else {
                ("", values)
            };
            let names: Vec<Untrusted> = named
                .iter()
                .map(|value| format!("{prefix}{}", self.label(guarantee, dimension, value)).into())
                .collect();
            let mut shown: Vec<Untrusted> = names.iter().take(NAMED).cloned().collect();
            if names.len() > NAMED {
                shown.push(format!("{} more", names.len() - NAMED).into());
            }
            region
                .entry(dimension_name(dimension))
                .or_insert_with(Vec::new)
                .extend(shown);
        }
        region
    }

    fn is_all_that_is_asked(&self, guarantee: &Guarantee, values: &Bits) -> bool {
        super::search::asked_targets(&self.space, &guarantee.target).within(values)
    }

    fn label(&self, guarantee: &Guarantee, dimension: usize, value: usize) -> String {
        let word = |words: &Words| words.word(value).to_owned();
        match dimension {
            TARGET => {
                let class = self.space.resources.class(value);
                let asked = match &guarantee.target {
                    Asked::Resources(words) => Some(asked_apps(words)),
                    _ => None,
                };
                let meant = |resource: &&Resource| match (&asked, resource) {
                    (Some(asked), Resource::App(app)) => asked.contains(app),
                    (Some(_), _) => false,
                    (None, _) => true,
                };
                let mut names = class
                    .iter()
                    .filter(meant)
                    .map(|resource| self.resource_name(resource));
                let first = names
                    .next()
                    .unwrap_or_else(|| "any other resource".to_owned());
                match names.count() {
                    0 => first,
                    more => format!("{first} and {more} like it"),
                }
            }
            CLIENT => word(&CLIENTS),
            PLATFORM => word(&PLATFORMS),
            IP_COUNTRY | GPS_COUNTRY => {
                let label = self.space.networks.label(dimension - NETWORK, value);
                label.split(" (by ").next().unwrap_or_default().to_owned()
            }
            NETWORK..SIGN_IN_RISK => self.space.networks.label(dimension - NETWORK, value),
            SIGN_IN_RISK | USER_RISK => word(&RISKS),
            INSIDER_RISK => word(&INSIDER_RISKS),
            FLOW => word(&FLOWS),
            _ => self.space.devices.label(dimension - DEVICE, value),
        }
    }
}

/// How many accounts a gap is open to.
fn people_in(answer: &Answer, gap: &Gap) -> u64 {
    gap.product
        .first()
        .map_or(0, |people| answer.crowd.count_in(people))
}

/// Gaps that the same policies nearly close.
struct Cause<'g> {
    gap: &'g Gap,
    near: Vec<NearMiss>,
    states: Bits,
}

/// A dimension in the words of the contract.
pub(super) fn dimension_name(dimension: usize) -> &'static str {
    match dimension {
        0 => "who",
        TARGET => "target",
        CLIENT => "client_app",
        PLATFORM => "platform",
        NETWORK => "network",
        IP_COUNTRY => "country",
        GPS_COUNTRY => "gps_country",
        COMPLIANT_NETWORK => "compliant_network",
        SIGN_IN_RISK => "sign_in_risk",
        USER_RISK => "user_risk",
        INSIDER_RISK => "insider_risk",
        FLOW => "authentication_flow",
        _ => "device",
    }
}

/// What a clause asks for, in words; empty where only being kept out would do.
fn lacking(clause: &Clause) -> String {
    let words: Vec<String> = clause
        .iter()
        .map(|atom| match atom {
            Atom::Mfa => "a second factor".to_owned(),
            Atom::PhishingResistantMfa => "a factor that cannot be phished".to_owned(),
            Atom::Strength(id) => format!("authentication strength {id}"),
            Atom::CompliantDevice => "a compliant device".to_owned(),
            Atom::DomainJoinedDevice => "a hybrid joined device".to_owned(),
            Atom::CompliantApplication => "an app under app protection".to_owned(),
            Atom::ApprovedApplication => "an approved client app".to_owned(),
            Atom::PasswordChange => "a new password".to_owned(),
            Atom::RiskRemediation => "remediation of the risk".to_owned(),
            Atom::TermsOfUse(id) => format!("accepting terms of use {id}"),
            Atom::Session(_) => "a limited session".to_owned(),
        })
        .collect();
    words.join(" or ")
}
