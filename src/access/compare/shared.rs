//! What two states of a tenant are measured by: one list of named locations and one of strengths, in which each state finds its own.
//!
//! Ids stay the same while what they stand for may not: a location or strength of the new state that is not the old one of the same
//! id gets an id of its own, and its policies name that.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::analyzer::{Settings, places_known, strengths};
use crate::access::device::Dimensions;
use crate::access::methods::Methods;
use crate::access::network::Networks;
use crate::access::people::People;
use crate::access::policy::{Ask, Policy, Target};
use crate::access::resources::{BaselineScopes, Resources};
use crate::access::space::Space;
use crate::snapshot::model::{AuthenticationStrengthPolicy, IpRange, NamedLocation};
use crate::snapshot::{Guid, Tenant, Untrusted};

pub(super) struct Shared {
    policies: [Vec<Policy>; 2],
    locations: Vec<NamedLocation>,
    strengths: Vec<AuthenticationStrengthPolicy>,
    baseline: BaselineScopes,
    places_known: bool,
}

/// Ids that nothing has.
struct Fresh {
    taken: BTreeSet<Guid>,
    next: u128,
}

impl Fresh {
    fn id(&mut self) -> Guid {
        loop {
            self.next += 1;
            let id = Guid::new(self.next);
            if self.taken.insert(id) {
                return id;
            }
        }
    }
}

impl Shared {
    pub(super) fn read(states: [(&Tenant, &Settings); 2], mut policies: [Vec<Policy>; 2]) -> Self {
        let mut fresh = Fresh {
            taken: BTreeSet::new(),
            next: 0xffff_0000_0000,
        };
        for (tenant, _) in states {
            let locations = tenant.named_locations.hints().iter();
            fresh
                .taken
                .extend(locations.filter_map(|location| location.id));
        }
        for words in policies
            .iter()
            .flatten()
            .filter_map(|policy| policy.locations.as_ref())
        {
            let words = words.0.iter().chain(&words.1);
            fresh
                .taken
                .extend(words.filter_map(|word| word.raw().parse::<Guid>().ok()));
        }
        let mut locations: Vec<NamedLocation> = Vec::new();
        for ((tenant, settings), policies) in states.into_iter().zip(&mut policies) {
            let names = places(tenant, settings, &mut locations, &mut fresh);
            for policy in policies.iter_mut() {
                if let Some((include, exclude)) = &mut policy.locations {
                    *include = names.rewritten(include);
                    *exclude = names.rewritten(exclude);
                }
            }
        }
        let strengths = rewrite_strengths(states.map(|(tenant, _)| tenant), &mut policies);
        Self {
            policies,
            locations,
            strengths,
            baseline: states[0].1.baseline_scopes,
            places_known: states.iter().all(|(tenant, _)| places_known(tenant)),
        }
    }

    pub(super) fn policies(&self, which: usize) -> Vec<Policy> {
        self.policies.get(which).cloned().unwrap_or_default()
    }

    /// The space of one state, in the dimensions that both need.
    pub(super) fn space(&self, policies: Vec<Policy>, people: People) -> Space<'_> {
        let all = || self.policies.iter().flatten();
        let targets: Vec<&Target> = all().map(|policy| &policy.target).collect();
        let rules: Vec<_> = all()
            .filter_map(|policy| policy.devices.as_ref()?.rule.as_ref())
            .collect();
        Space::new(
            policies,
            people,
            Resources::read(&targets, std::iter::empty(), self.baseline),
            Networks::read(&self.locations, &[]),
            Dimensions::read(&rules),
            Methods::read(self.strengths.iter()),
            self.baseline,
            self.places_known,
        )
    }
}

/// What words of one state's locations stand for in the shared list.
struct Names {
    renamed: BTreeMap<Guid, Guid>,
    trusted: Vec<Untrusted>,
}

impl Names {
    fn rewritten(&self, words: &[Untrusted]) -> Vec<Untrusted> {
        let mut rewritten = Vec::new();
        for word in words {
            if word.is("AllTrusted") {
                rewritten.extend(self.trusted.iter().cloned());
                continue;
            }
            let id = word.raw().parse::<Guid>().ok();
            let new = id.and_then(|id| self.renamed.get(&id));
            rewritten.push(new.map_or_else(|| word.clone(), |id| written(*id)));
        }
        rewritten
    }
}

fn written(id: Guid) -> Untrusted {
    Untrusted::from(id.to_string())
}

/// Adds the locations of a state that are not in the list. What all trusted locations are is no single thing in two states, so each
/// is named.
fn places(
    tenant: &Tenant,
    settings: &Settings,
    list: &mut Vec<NamedLocation>,
    fresh: &mut Fresh,
) -> Names {
    let mut names = Names {
        renamed: BTreeMap::new(),
        trusted: Vec::new(),
    };
    let mut add = |location: NamedLocation, is_named: bool, list: &mut Vec<NamedLocation>| {
        if is_named && list.contains(&location) {
            return location.id;
        }
        let is_taken = list.iter().any(|known| known.id == location.id);
        let id = match location.id {
            Some(id) if !is_taken => id,
            _ => fresh.id(),
        };
        list.push(NamedLocation {
            id: Some(id),
            ..location
        });
        Some(id)
    };
    for location in tenant.named_locations.hints() {
        // Of two with one id the first counts.
        let is_second = location
            .id
            .is_some_and(|id| names.renamed.contains_key(&id));
        let Some(id) = add(location.clone(), location.id.is_some(), list) else {
            continue;
        };
        if let Some(own) = location.id.filter(|_| !is_second) {
            names.renamed.insert(own, id);
        }
        // Countries are never trusted.
        let is_country = location
            .odata_type
            .as_ref()
            .is_some_and(|kind| kind.raw().ends_with("countryNamedLocation"));
        if location.is_trusted == Some(true) && !is_country {
            names.trusted.push(written(id));
        }
    }
    let service_settings = NamedLocation {
        odata_type: Some("#microsoft.graph.ipNamedLocation".into()),
        display_name: Some("the trusted IPs of multifactor authentication".into()),
        ip_ranges: Some(
            settings
                .mfa_trusted_ips
                .iter()
                .map(|net| IpRange {
                    cidr_address: Some(Untrusted::from(net.to_string())),
                })
                .collect(),
        ),
        ..NamedLocation::default()
    };
    let same = list.iter().find(|known| {
        known.odata_type == service_settings.odata_type
            && known.display_name == service_settings.display_name
            && known.ip_ranges == service_settings.ip_ranges
    });
    let id = match same {
        Some(known) => known.id,
        None => add(service_settings, false, list),
    };
    names.trusted.extend(id.map(written));
    names.trusted.sort();
    names
}

/// Gives strengths with the same content the same id, and others different ones, in all policies.
fn rewrite_strengths(
    tenants: [&Tenant; 2],
    policies: &mut [Vec<Policy>; 2],
) -> Vec<AuthenticationStrengthPolicy> {
    let mut known: Vec<AuthenticationStrengthPolicy> = Vec::new();
    for (tenant, policies) in tenants.into_iter().zip(policies) {
        for ask in policies
            .iter_mut()
            .flat_map(|policy| &mut policy.grant.asks)
        {
            let Ask::Strength(id, inside) = ask else {
                continue;
            };
            let listed = || {
                let written = (*id)?.to_string();
                strengths(tenant)
                    .filter(|listed| listed.allowed_combinations.is_some())
                    .find(|listed| listed.id.as_ref().is_some_and(|id| id.is(&written)))
            };
            let Some(content) = inside.as_deref().or_else(listed) else {
                continue;
            };
            let plain = plain(content);
            let place = known.iter().position(|known| {
                known.allowed_combinations == plain.allowed_combinations
                    && known.combination_configurations == plain.combination_configurations
            });
            let place = place.unwrap_or_else(|| {
                // Beyond the ids of built-in strengths.
                let id = Guid::new(0xffff_0001_0000 + known.len() as u128);
                known.push(AuthenticationStrengthPolicy {
                    id: Some(written(id)),
                    ..plain
                });
                known.len() - 1
            });
            let same = known.get(place).cloned();
            *id = same
                .as_ref()
                .and_then(|same| same.id.as_ref()?.raw().parse().ok());
            *inside = same.map(Box::new);
        }
    }
    known
}

/// A strength by its content alone.
fn plain(strength: &AuthenticationStrengthPolicy) -> AuthenticationStrengthPolicy {
    let mut combinations = strength.allowed_combinations.clone();
    if let Some(combinations) = &mut combinations {
        combinations.sort();
        combinations.dedup();
    }
    AuthenticationStrengthPolicy {
        allowed_combinations: combinations,
        combination_configurations: strength.combination_configurations.clone(),
        ..AuthenticationStrengthPolicy::default()
    }
}
