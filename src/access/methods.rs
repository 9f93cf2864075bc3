//! What a sign-in can show of authentication methods, and which of it a strength accepts.
//!
//! A strength lists combinations of methods; strengths are compared by these sets, never by name. A restriction to certain FIDO2
//! keys or certificates cuts its combination into parts: the keys that are named, one by one, and all others.
//! Source: Microsoft Entra, Conditional Access authentication strength; Graph, authenticationStrengthPolicy and
//! authenticationCombinationConfiguration.

use std::collections::{BTreeMap, BTreeSet};

use super::bits::Bits;
use crate::snapshot::Guid;
use crate::snapshot::model::{AuthenticationStrengthPolicy, CombinationConfiguration};

/// Combinations that the built-in strength "Multifactor authentication" accepts. Source: Graph,
/// `/policies/authenticationStrengthPolicies/00000000-0000-0000-0000-000000000002`.
const MULTI_FACTOR: [&str; 17] = [
    "windowsHelloForBusiness",
    "fido2",
    "x509CertificateMultiFactor",
    "deviceBasedPush",
    "temporaryAccessPassOneTime",
    "temporaryAccessPassMultiUse",
    "password,microsoftAuthenticatorPush",
    "password,softwareOath",
    "password,hardwareOath",
    "password,sms",
    "password,voice",
    "federatedMultiFactor",
    "microsoftAuthenticatorPush,federatedSingleFactor",
    "softwareOath,federatedSingleFactor",
    "hardwareOath,federatedSingleFactor",
    "sms,federatedSingleFactor",
    "voice,federatedSingleFactor",
];

/// Those of them that cannot be phished: what the built-in strength "Phishing-resistant MFA" accepts.
const PHISHING_RESISTANT: [&str; 3] = [
    "windowsHelloForBusiness",
    "fido2",
    "x509CertificateMultiFactor",
];

/// Those that need no password: what the built-in strength "Passwordless MFA" accepts.
const PASSWORDLESS: [&str; 4] = [
    "windowsHelloForBusiness",
    "fido2",
    "x509CertificateMultiFactor",
    "deviceBasedPush",
];

/// Single factors: never a second one.
const SINGLE_FACTOR: [&str; 6] = [
    "password",
    "sms",
    "federatedSingleFactor",
    "x509CertificateSingleFactor",
    "qrCodePin",
    "email",
];

/// What a guest can do here as a second factor when the home tenant's is not trusted: text message, voice call, push, software
/// token. Source: Authentication and Conditional Access for External ID, table 1.
const IN_RESOURCE_TENANT: [&str; 8] = [
    "password,sms",
    "password,voice",
    "password,microsoftAuthenticatorPush",
    "password,softwareOath",
    "sms,federatedSingleFactor",
    "voice,federatedSingleFactor",
    "microsoftAuthenticatorPush,federatedSingleFactor",
    "softwareOath,federatedSingleFactor",
];

/// The built-in strengths by id, for tenants whose list of strengths was not read.
const BUILT_IN: [(Guid, &[&str]); 3] = [
    (Guid::new(2), &MULTI_FACTOR),
    (Guid::new(3), &PASSWORDLESS),
    (Guid::new(4), &PHISHING_RESISTANT),
];

/// A set of combinations that a person may have performed.
pub(super) type MethodSet = Bits;

/// All combinations that anything in this tenant tells apart.
#[derive(Debug)]
pub(super) struct Methods {
    /// A combination, and of one that some strength restricts, the key or certificate that is meant.
    atoms: Vec<(String, Option<String>)>,
    by_combination: BTreeMap<String, Vec<usize>>,
    strengths: BTreeMap<Guid, MethodSet>,
}

/// A combination in one spelling: the parts sorted.
fn spelled(combination: &str) -> String {
    let mut parts: Vec<&str> = combination.split(',').map(str::trim).collect();
    parts.sort_unstable_by_key(|part| part.to_ascii_lowercase());
    parts.join(",").to_ascii_lowercase()
}

/// What a restriction names: keys one by one, or a whole rule about certificates as one thing.
fn named_by(configuration: &CombinationConfiguration) -> Vec<String> {
    if let Some(keys) = &configuration.allowed_aa_guids {
        return keys
            .iter()
            .map(|key| key.raw().to_ascii_lowercase())
            .collect();
    }
    let list = |texts: &Option<Vec<crate::snapshot::Untrusted>>| {
        let mut texts: Vec<String> = texts
            .iter()
            .flatten()
            .map(|text| text.raw().to_ascii_lowercase())
            .collect();
        texts.sort_unstable();
        texts.join(" ")
    };
    vec![format!(
        "issuers {} policies {}",
        list(&configuration.allowed_issuer_skis),
        list(&configuration.allowed_policy_oids)
    )]
}

fn restriction<'s>(
    strength: &'s AuthenticationStrengthPolicy,
    combination: &str,
) -> Option<&'s CombinationConfiguration> {
    strength
        .combination_configurations
        .iter()
        .flatten()
        .find(|configuration| {
            configuration
                .applies_to_combinations
                .iter()
                .flatten()
                .any(|applies| spelled(applies.raw()) == combination)
        })
}

impl Methods {
    /// Reads all strengths there are: those of the list and those that policies carry inside.
    pub(super) fn read<'a>(
        strengths: impl Iterator<Item = &'a AuthenticationStrengthPolicy> + Clone,
    ) -> Self {
        let mut parts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let known = MULTI_FACTOR.iter().chain(&SINGLE_FACTOR);
        for combination in known {
            parts.entry(spelled(combination)).or_default();
        }
        for strength in strengths.clone() {
            for combination in strength.allowed_combinations.iter().flatten() {
                let combination = spelled(combination.raw());
                let named = restriction(strength, &combination).map(named_by);
                parts
                    .entry(combination)
                    .or_default()
                    .extend(named.unwrap_or_default());
            }
        }
        let mut methods = Self {
            atoms: Vec::new(),
            by_combination: BTreeMap::new(),
            strengths: BTreeMap::new(),
        };
        for (combination, named) in parts {
            let of = methods
                .by_combination
                .entry(combination.clone())
                .or_default();
            for part in named.into_iter().map(Some).chain([None]) {
                of.push(methods.atoms.len());
                methods.atoms.push((combination.clone(), part));
            }
        }
        for (id, combinations) in BUILT_IN {
            let set = methods.of(combinations);
            methods.strengths.insert(id, set);
        }
        for strength in strengths {
            let id = strength.id.as_ref().and_then(|id| id.raw().parse().ok());
            if let (Some(id), Some(set)) = (id, methods.accepted(strength)) {
                methods.strengths.insert(id, set);
            }
        }
        methods
    }

    fn of(&self, combinations: &[&str]) -> MethodSet {
        let atoms = combinations
            .iter()
            .filter_map(|combination| self.by_combination.get(&spelled(combination)))
            .flatten();
        atoms.fold(Bits::none(self.atoms.len()), |mut set, &atom| {
            set.insert(atom);
            set
        })
    }

    /// What a strength accepts; `None` where Graph did not say.
    pub(super) fn accepted(&self, strength: &AuthenticationStrengthPolicy) -> Option<MethodSet> {
        let mut set = Bits::none(self.atoms.len());
        for combination in strength.allowed_combinations.as_ref()? {
            let combination = spelled(combination.raw());
            let named = restriction(strength, &combination).map(named_by);
            for &atom in self.by_combination.get(&combination).into_iter().flatten() {
                let part = self.atoms.get(atom).and_then(|(_, part)| part.as_ref());
                let accepts = named
                    .as_ref()
                    .is_none_or(|named| part.is_some_and(|part| named.contains(part)));
                if accepts {
                    set.insert(atom);
                }
            }
        }
        Some(set)
    }

    /// What the strength with this id accepts, if it is known.
    pub(super) fn strength(&self, id: Guid) -> Option<&MethodSet> {
        self.strengths.get(&id)
    }

    /// Everything that anybody can perform.
    pub(super) fn any(&self) -> MethodSet {
        Bits::all(self.atoms.len())
    }

    /// What counts as a second factor.
    pub(super) fn multi_factor(&self) -> MethodSet {
        self.of(&MULTI_FACTOR)
    }

    /// What counts as a second factor that cannot be phished.
    pub(super) fn phishing_resistant(&self) -> MethodSet {
        self.of(&PHISHING_RESISTANT)
    }

    /// What guests can do here whose own second factor is not trusted.
    pub(super) fn in_resource_tenant(&self) -> MethodSet {
        self.of(&IN_RESOURCE_TENANT).or(&self.of(&SINGLE_FACTOR))
    }

    /// What people can do here who do everything at home and whose second factor is not trusted.
    pub(super) fn single_factor(&self) -> MethodSet {
        self.of(&SINGLE_FACTOR)
    }

    /// One combination of the set in Graph's words, the most ordinary first.
    pub(super) fn example(&self, set: &MethodSet) -> Option<&'static str> {
        ["password", "password,microsoftAuthenticatorPush"]
            .into_iter()
            .chain(MULTI_FACTOR)
            .chain(SINGLE_FACTOR)
            .find(|combination| self.of(&[combination]).meets(set))
    }

    /// Every combination of the set in Graph's words.
    pub(super) fn words(&self, set: &MethodSet) -> Vec<&'static str> {
        let known = SINGLE_FACTOR.into_iter().chain(MULTI_FACTOR);
        known
            .filter(|combination| self.of(&[combination]).meets(set))
            .collect()
    }

    /// The atoms with this combination in Graph's words.
    pub(super) fn performed(&self, combination: &str) -> MethodSet {
        self.of(&[combination])
    }
}
