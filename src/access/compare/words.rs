//! Changes in words. Names are a tenant's text and come as they are.

use std::collections::BTreeMap;

use super::{Both, Change, Kind, Piece, states_of};
use crate::access::guarantee::{Atom, Clause};
use crate::access::policy::{CLIENTS, FLOWS, INSIDER_RISKS, PLATFORMS, RISKS};
use crate::access::resources::{Resource, well_known_name};
use crate::access::space::Space;
use crate::access::space::dimension::{
    CLIENT, DEVICE, FLOW, INSIDER_RISK, NETWORK, PLATFORM, SIGN_IN_RISK, TARGET, USER_RISK,
};
use crate::snapshot::Untrusted;

/// At most so many values of one dimension are named.
const NAMED: usize = 8;

impl Piece {
    /// The sentence and the region; `None` where its policy is not there, which cannot be.
    pub(super) fn put_into_words(&self, both: &Both<'_>) -> Option<Change> {
        let space = both.space(self.which);
        let policy = space.policies.get(self.policy)?;
        let users = both.pairs.accounts(&states_of(&self.product)).len() as u64;
        let mut region: BTreeMap<&'static str, Vec<Untrusted>> = BTreeMap::new();
        for (dimension, values) in self.product.iter().enumerate().skip(1) {
            if values.is_all() {
                continue;
            }
            let words = region.entry(dimension_in_words(dimension)).or_default();
            let more = values.count().saturating_sub(NAMED);
            for value in values.iter().take(NAMED) {
                words.push(Untrusted::from(value_in_words(space, dimension, value)));
            }
            if more > 0 {
                words.push(Untrusted::from(format!("{more} more")));
            }
        }
        let who = match users {
            0 => "external users without an account here".to_owned(),
            1 => "1 account".to_owned(),
            users => format!("{users} accounts"),
        };
        let name = policy.name.raw();
        let what = in_words(&self.clause);
        let told = match self.kind {
            Kind::Weaker if self.clause.is_empty() => {
                format!("{who}: policy '{name}' blocked this before, and nothing blocks it now")
            }
            Kind::Weaker => format!(
                "{who}: policy '{name}' asked for {what} before, and nothing asks for it now"
            ),
            Kind::Stronger if self.clause.is_empty() => {
                format!("{who}: policy '{name}' blocks this now, and nothing blocked it before")
            }
            Kind::Stronger => format!(
                "{who}: policy '{name}' asks for {what} now, and nothing asked for it before"
            ),
            Kind::NewlyBlocked => format!("{who}: nobody gets in any more, by policy '{name}'"),
        };
        let narrowed: Vec<String> = region
            .iter()
            .map(|(dimension, words)| {
                let words: Vec<&str> = words.iter().map(Untrusted::raw).collect();
                format!("{} {}", dimension.replace('_', " "), words.join(" or "))
            })
            .collect();
        let sentence = if narrowed.is_empty() {
            format!("{told}: any sign-in")
        } else {
            format!("{told}: {}", narrowed.join("; "))
        };
        Some(Change {
            kind: self.kind,
            sentence: Untrusted::from(sentence),
            policy: policy.id.clone(),
            name: policy.name.clone(),
            users,
            region,
        })
    }
}

fn dimension_in_words(dimension: usize) -> &'static str {
    match dimension {
        TARGET => "target",
        CLIENT => "client_app",
        PLATFORM => "platform",
        SIGN_IN_RISK => "sign_in_risk",
        USER_RISK => "user_risk",
        INSIDER_RISK => "insider_risk",
        FLOW => "authentication_flow",
        NETWORK..SIGN_IN_RISK => "network",
        _ => "device",
    }
}

fn value_in_words(space: &Space<'_>, dimension: usize, value: usize) -> String {
    match dimension {
        TARGET => space
            .resources
            .class(value)
            .first()
            .map_or_else(String::new, resource_in_words),
        CLIENT => CLIENTS.word(value).to_owned(),
        PLATFORM => PLATFORMS.word(value).to_owned(),
        SIGN_IN_RISK | USER_RISK => RISKS.word(value).to_owned(),
        INSIDER_RISK => INSIDER_RISKS.word(value).to_owned(),
        FLOW => FLOWS.word(value).to_owned(),
        NETWORK..SIGN_IN_RISK => space.networks.label(dimension - NETWORK, value),
        _ => space.devices.label(dimension - DEVICE, value),
    }
}

fn resource_in_words(resource: &Resource) -> String {
    match resource {
        Resource::App(id) => well_known_name(*id).map_or_else(|| id.to_string(), str::to_owned),
        Resource::Other => "any other resource".to_owned(),
        Resource::BaselineScopes => "baseline scopes alone".to_owned(),
        Resource::Action(urn) => urn.clone(),
    }
}

/// What a clause asks for.
fn in_words(clause: &Clause) -> String {
    let words: Vec<&str> = clause
        .iter()
        .map(|atom| match atom {
            Atom::Mfa => "a second factor",
            Atom::PhishingResistantMfa => "a second factor that cannot be phished",
            Atom::Strength(_) => "its authentication strength",
            Atom::CompliantDevice => "a compliant device",
            Atom::DomainJoinedDevice => "a hybrid joined device",
            Atom::CompliantApplication => "a protected app",
            Atom::ApprovedApplication => "an approved app",
            Atom::PasswordChange => "a new password",
            Atom::RiskRemediation => "risk remediation",
            Atom::TermsOfUse(_) => "terms of use",
            Atom::Session(_) => "its session control",
        })
        .collect();
    words.join(" or ")
}
