//! All sign-ins of a tenant as a finite space, and each policy as boxes in it.
//!
//! Every condition of a policy narrows one dimension and they are joined by AND, so the sign-ins that a policy applies to are a box;
//! conditions whose parts are of different kinds (locations by address and by country, device filters with OR) are a few boxes.

use super::bits::Bits;
use super::cover::Region;
use super::device::{Attribute, Device, Dimensions as DeviceDimensions, Value};
use super::methods::Methods;
use super::network::Networks;
use super::people::People;
use super::policy::{
    CLIENTS, DeviceFilter, FLOWS, INSIDER_RISKS, LEGACY, Mask, Mode, PLATFORMS, Policy, RISKS,
    Reading, Span,
};
use super::resources::{BaselineScopes, Resources};

/// The dimensions, by index. The dimensions of devices come last: their number depends on the filters.
pub(super) mod dimension {
    pub(in crate::access) const WHO: usize = 0;
    pub(in crate::access) const TARGET: usize = 1;
    pub(in crate::access) const CLIENT: usize = 2;
    pub(in crate::access) const PLATFORM: usize = 3;
    /// First of the four of [`Networks`](crate::access::network::Networks).
    pub(in crate::access) const NETWORK: usize = 4;
    pub(in crate::access) const IP_COUNTRY: usize = 5;
    pub(in crate::access) const GPS_COUNTRY: usize = 6;
    pub(in crate::access) const COMPLIANT_NETWORK: usize = 7;
    pub(in crate::access) const SIGN_IN_RISK: usize = 8;
    pub(in crate::access) const USER_RISK: usize = 9;
    pub(in crate::access) const INSIDER_RISK: usize = 10;
    pub(in crate::access) const FLOW: usize = 11;
    /// First of those of [`Dimensions`](crate::access::device::Dimensions): registered or not.
    pub(in crate::access) const DEVICE: usize = 12;
    pub(in crate::access) const IS_COMPLIANT: usize = 13;
    pub(in crate::access) const TRUST_TYPE: usize = 14;
}
use dimension::{
    CLIENT, DEVICE, FLOW, INSIDER_RISK, IS_COMPLIANT, NETWORK, PLATFORM, SIGN_IN_RISK, TARGET,
    TRUST_TYPE, USER_RISK, WHO,
};

/// Facts about people, beside the policies, that decide what controls they can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trait {
    /// Signs in at another tenant.
    External,
    /// A second factor done at home does not count.
    NoMfa,
    /// Nor can one be done here.
    NoMfaHere,
    /// A compliant device does not count.
    NoCompliant,
    /// A hybrid joined device does not count.
    NoHybrid,
    /// No device counts.
    NoDevice,
}

/// How many there are.
pub(super) const TRAITS: usize = 6;

/// A set of people: those to whom a policy applies, or of whom something holds.
pub(super) type PeopleSet = usize;

/// A box with the sets that its people must all be in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Patch {
    /// The policy that it comes from; `None` for what cannot be at all.
    pub(super) policy: Option<usize>,
    pub(super) people: Vec<PeopleSet>,
    pub(super) region: Region,
}

/// The space.
pub(super) struct Space<'a> {
    pub(super) policies: Vec<Policy>,
    pub(super) people: People,
    pub(super) resources: Resources,
    pub(super) networks: Networks<'a>,
    pub(super) devices: DeviceDimensions,
    pub(super) methods: Methods,
    pub(super) baseline: BaselineScopes,
    /// Named locations were read to their end.
    places_known: bool,
    /// Values of each dimension.
    pub(super) sizes: Vec<usize>,
    /// Of each policy, the boxes of its conditions, people and targets apart.
    pub(super) conditions: Vec<Span<Vec<Region>>>,
    /// Of each policy, the resources and actions that it is about.
    targets: Vec<Span<Bits>>,
    /// Of each state of people, the sets that it is in.
    memberships: Span<Vec<Bits>>,
}

impl<'a> Space<'a> {
    #[allow(
        clippy::too_many_arguments,
        reason = "each is one dimension or more of the space"
    )]
    pub(super) fn new(
        policies: Vec<Policy>,
        people: People,
        resources: Resources,
        networks: Networks<'a>,
        devices: DeviceDimensions,
        methods: Methods,
        baseline: BaselineScopes,
        places_known: bool,
    ) -> Self {
        let mut sizes = vec![
            people.len(),
            resources.len(),
            CLIENTS.len(),
            PLATFORMS.len(),
        ];
        sizes.extend((0..4).map(|network| networks.size(network)));
        sizes.extend([RISKS.len(), RISKS.len(), INSIDER_RISKS.len(), FLOWS.len()]);
        sizes.extend((0..devices.len()).map(|device| devices.size(device)));
        let mut space = Self {
            conditions: Vec::new(),
            targets: Vec::new(),
            memberships: Span {
                must: Vec::new(),
                may: Vec::new(),
            },
            policies,
            people,
            resources,
            networks,
            devices,
            methods,
            baseline,
            places_known,
            sizes,
        };
        space.conditions = space
            .policies
            .iter()
            .map(|policy| space.conditions_of(policy))
            .collect();
        space.targets = space
            .policies
            .iter()
            .map(|policy| space.targets_of(policy))
            .collect();
        space.memberships = space.read_memberships();
        space
    }

    /// How many values a dimension has.
    pub(super) fn size(&self, dimension: usize) -> usize {
        self.sizes.get(dimension).copied().unwrap_or_default()
    }

    /// The resources and actions that a policy is about.
    pub(super) fn target(&self, policy: usize) -> Option<&Span<Bits>> {
        self.targets.get(policy)
    }

    /// The sets that a state of people is in.
    pub(super) fn membership(&self, state: usize, reading: Reading) -> Option<&Bits> {
        self.memberships.read(reading).get(state)
    }

    /// The sets that each state of people is in.
    pub(super) fn membership_rows(&self, reading: Reading) -> &[Bits] {
        self.memberships.read(reading)
    }

    /// A box as a product of values.
    pub(super) fn product(&self, region: &Region) -> Vec<Bits> {
        let mut product = self.whole();
        for (dimension, values) in region.sides() {
            if let Some(side) = product.get_mut(dimension) {
                side.keep(values);
            }
        }
        product
    }

    /// How many sets of people there are.
    pub(super) fn people_sets(&self) -> usize {
        self.policies.len() + TRAITS
    }

    /// The set of those of whom something holds.
    pub(super) fn people_with(&self, which: Trait) -> PeopleSet {
        self.policies.len() + which as usize
    }

    fn read_memberships(&self) -> Span<Vec<Bits>> {
        let mut rows = Span {
            must: Vec::new(),
            may: Vec::new(),
        };
        for state in 0..self.people.len() {
            let Some(row) = self.people.row(state) else {
                continue;
            };
            let trust = self.people.class_of_state(state).map(|class| class.trust);
            for (reading, rows) in [
                (Reading::Must, &mut rows.must),
                (Reading::May, &mut rows.may),
            ] {
                let applies = row.read(reading);
                let mut sets = Bits::none(self.people_sets());
                applies.iter().for_each(|policy| sets.insert(policy));
                if let Some(trust) = trust {
                    let device =
                        *trust.no_compliant.read(reading) && *trust.no_hybrid.read(reading);
                    let holds = [
                        (Trait::External, *trust.external.read(reading)),
                        (Trait::NoMfa, *trust.no_mfa.read(reading)),
                        (Trait::NoMfaHere, *trust.no_mfa_here.read(reading)),
                        (Trait::NoCompliant, *trust.no_compliant.read(reading)),
                        (Trait::NoHybrid, *trust.no_hybrid.read(reading)),
                        (Trait::NoDevice, device),
                    ];
                    for (which, _) in holds.into_iter().filter(|(_, holds)| *holds) {
                        sets.insert(self.people_with(which));
                    }
                }
                rows.push(sets);
            }
        }
        rows
    }

    /// The resources and actions that a policy is about.
    pub(super) fn targets_of(&self, policy: &Policy) -> Span<Bits> {
        let len = self.resources.len();
        let covered = |value| self.resources.covered(&policy.target, value, self.baseline);
        let sure = !policy.has_unknown_condition;
        Span {
            must: Bits::of(len, |value| sure && covered(value).must),
            may: Bits::of(len, |value| covered(value).may),
        }
    }

    /// The boxes of a policy's conditions, people and targets apart.
    pub(super) fn conditions_of(&self, policy: &Policy) -> Span<Vec<Region>> {
        let read = |reading| {
            if reading == Reading::Must && policy.has_unknown_condition {
                return Vec::new();
            }
            let risk = match policy.workloads {
                Some(_) => policy.service_principal_risk,
                None => policy.sign_in_risk,
            };
            let masks = [
                (CLIENT, policy.clients),
                (PLATFORM, policy.platforms),
                // Of workload identities, the risk of the service principal stands in its place.
                (SIGN_IN_RISK, risk),
                (USER_RISK, policy.user_risk),
                (INSIDER_RISK, policy.insider_risk),
                (FLOW, policy.flows),
            ];
            let base = masks
                .into_iter()
                .fold(Region::whole(), |region, (dimension, span)| {
                    self.narrow(region, dimension, *span.read(reading))
                });
            let places = self.places_of(policy, reading);
            let devices = self.devices_of(policy.devices.as_ref(), reading);
            let mut boxes = Vec::new();
            for place in &places {
                for device in &devices {
                    let region = base.clone().and(place).and(device);
                    if !region.is_empty() {
                        boxes.push(region);
                    }
                }
            }
            boxes
        };
        Span {
            must: read(Reading::Must),
            may: read(Reading::May),
        }
    }

    /// Keeps the values of a mask in a dimension of words.
    pub(super) fn narrow(&self, region: Region, dimension: usize, mask: Mask) -> Region {
        let values = Bits::of(self.size(dimension), |value| mask >> value & 1 == 1);
        if values.is_all() {
            region
        } else {
            region.with(dimension, values)
        }
    }

    /// The places that a policy is about, as boxes.
    pub(super) fn places_of(&self, policy: &Policy, reading: Reading) -> Vec<Region> {
        let Some((include, exclude)) = &policy.locations else {
            return vec![Region::whole()];
        };
        if include.is_empty() && exclude.is_empty() {
            return vec![Region::whole()];
        }
        let rest = exclude.iter().fold(Region::whole(), |rest, word| {
            self.outside(rest, word.raw(), reading.swapped())
        });
        let mut boxes = Vec::new();
        for word in include {
            let inside = self.inside(word.raw(), reading);
            boxes.extend(inside.into_iter().map(|place| rest.clone().and(&place)));
        }
        boxes
    }

    /// A named location, or a word that stands for several, as boxes.
    pub(super) fn inside(&self, word: &str, reading: Reading) -> Vec<Region> {
        let sets = self.place(word, reading);
        let side = |(network, values): (usize, Bits)| {
            if values.is_all() {
                Region::whole()
            } else {
                Region::whole().with(NETWORK + network, values)
            }
        };
        sets.into_iter().map(side).collect()
    }

    /// What is left of a region outside a named location.
    pub(super) fn outside(&self, region: Region, word: &str, reading: Reading) -> Region {
        let sets = self.place(word, reading);
        sets.into_iter().fold(region, |rest, (network, values)| {
            rest.with(NETWORK + network, values.not())
        })
    }

    /// A place as sets of values, one for each of its dimensions. Where locations were not read, any word but `All` may be any place.
    fn place(&self, word: &str, reading: Reading) -> Vec<(usize, Bits)> {
        if !self.places_known && !word.eq_ignore_ascii_case("All") {
            return match reading {
                Reading::Must => Vec::new(),
                Reading::May => vec![(0, Bits::all(self.size(NETWORK)))],
            };
        }
        let place = self.networks.place(word);
        match reading {
            Reading::Must => place.must,
            Reading::May => place.may,
        }
    }

    pub(super) fn devices_of(
        &self,
        filter: Option<&DeviceFilter>,
        reading: Reading,
    ) -> Vec<Region> {
        let Some(filter) = filter else {
            return vec![Region::whole()];
        };
        let unknown = match reading {
            Reading::Must => Vec::new(),
            Reading::May => vec![Region::whole()],
        };
        let negated = match filter.mode {
            Mode::Include => false,
            Mode::Exclude => true,
            Mode::Unknown => return unknown,
        };
        match filter
            .rule
            .as_ref()
            .and_then(|rule| self.matching(rule, negated, reading))
        {
            Some(boxes) => boxes,
            None => unknown,
        }
    }

    /// The devices that a filter rule matches, as boxes; `None` when there are too many to tell.
    pub(super) fn matching(
        &self,
        rule: &super::device::Rule,
        negated: bool,
        reading: Reading,
    ) -> Option<Vec<Region>> {
        let terms = self.devices.terms(rule, negated)?;
        let terms = match reading {
            Reading::Must => terms.must,
            Reading::May => terms.may,
        };
        let region = |term: Vec<(usize, Bits)>| {
            term.into_iter()
                .fold(Region::whole(), |region, (device, values)| {
                    region.with(DEVICE + device, values)
                })
        };
        Some(terms.into_iter().map(region).collect())
    }

    /// Devices that are compliant, as values of their dimension.
    pub(super) fn compliant(&self) -> Bits {
        self.with_value(IS_COMPLIANT, Attribute::IsCompliant, "True")
    }

    /// Devices that are hybrid joined.
    pub(super) fn hybrid(&self) -> Bits {
        self.with_value(TRUST_TYPE, Attribute::TrustType, "ServerAD")
    }

    /// Devices that are registered.
    pub(super) fn registered(&self) -> Bits {
        let unregistered = self.devices.locate(&Device::default());
        let here = unregistered.first().copied().unwrap_or_default();
        Bits::one(self.size(DEVICE), here).not()
    }

    /// The value that a registered device has in one dimension when its attribute reads like this.
    fn with_value(&self, dimension: usize, attribute: Attribute, text: &str) -> Bits {
        let device = Device {
            registered: true,
            extension_attributes_visible: true,
            attributes: [(attribute, Value::Text(text.to_owned()))].into(),
        };
        let values = self.devices.locate(&device);
        let value = values.get(dimension - DEVICE).copied().unwrap_or_default();
        Bits::one(self.size(dimension), value)
    }

    /// What cannot be: legacy clients show no device, devices of external users count only where the home tenant is trusted, and
    /// what the attributes of devices rule out.
    pub(super) fn impossible(&self) -> Vec<Patch> {
        let patch = |people: Vec<PeopleSet>, region: Region| Patch {
            policy: None,
            people,
            region,
        };
        let mut patches: Vec<Patch> = self
            .devices
            .impossible()
            .into_iter()
            .map(|term| {
                let region = term
                    .into_iter()
                    .fold(Region::whole(), |region, (device, values)| {
                        region.with(DEVICE + device, values)
                    });
                patch(Vec::new(), region)
            })
            .collect();
        let legacy = self.narrow(Region::whole(), CLIENT, LEGACY);
        patches.push(patch(Vec::new(), legacy.with(DEVICE, self.registered())));
        for (which, region) in [
            (
                Trait::NoCompliant,
                Region::whole().with(IS_COMPLIANT, self.compliant()),
            ),
            (
                Trait::NoHybrid,
                Region::whole().with(TRUST_TYPE, self.hybrid()),
            ),
            (
                Trait::NoDevice,
                Region::whole().with(DEVICE, self.registered()),
            ),
        ] {
            patches.push(patch(vec![self.people_with(which)], region));
        }
        patches
    }

    /// Every value of every dimension but people.
    pub(super) fn whole(&self) -> Vec<Bits> {
        self.sizes.iter().map(|&size| Bits::all(size)).collect()
    }
}

/// The dimensions that are not people, for searching in and naming.
pub(super) const NOT_PEOPLE: usize = TARGET;
const _: () = assert!(WHO == 0 && NOT_PEOPLE == 1);
