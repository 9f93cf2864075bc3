//! All devices there can be, as one small set of values for each attribute that a rule tests.

use super::texts::{Probes, Texts};
use super::{Attribute, Comparison, Device, Literal, Rule, Test, Value};
use crate::access::bits::Bits;
use crate::snapshot::UntrustedRef;
use std::collections::{BTreeMap, BTreeSet};

/// Whether the directory knows the device.
pub(in crate::access) const REGISTRATION: usize = 0;
/// Whether it is compliant; there even if no rule asks.
pub(in crate::access) const IS_COMPLIANT: usize = 1;
/// How it is joined; there even if no rule asks.
pub(in crate::access) const TRUST_TYPE: usize = 2;

/// Values of [`REGISTRATION`].
pub(in crate::access) const UNREGISTERED: usize = 0;
/// Registered; everybody sees its extension attributes.
pub(in crate::access) const VISIBLE: usize = 1;
/// Registered; its extension attributes are hidden.
pub(in crate::access) const HIDDEN: usize = 2;

/// No value, in every dimension of an attribute.
pub(in crate::access) const NOT_SET: usize = 0;

/// The values of one attribute that rules tell apart. The first of them is always [`NOT_SET`].
enum Values {
    Closed(&'static [&'static str]),
    Texts(Texts),
    /// One element of a collection: the device has it or not.
    Element(Literal),
}

impl Values {
    fn size(&self) -> usize {
        1 + match self {
            Self::Closed(values) => values.len(),
            Self::Texts(texts) => texts.len(),
            Self::Element(_) => 1,
        }
    }

    /// What is written for a value; none for [`NOT_SET`].
    fn written(&self, value: usize) -> Option<&str> {
        let index = value.checked_sub(1)?;
        match self {
            Self::Closed(values) => values.get(index).copied(),
            Self::Texts(texts) => texts.written(index),
            Self::Element(literal) => (index == 0).then_some(literal.written.as_str()),
        }
    }
}

/// The dimensions of devices that a set of rules can tell apart. A class of devices is one value in each; two devices of one class
/// are the same to each of the rules.
pub(in crate::access) struct Dimensions {
    attributes: Vec<(Attribute, Values)>,
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "what is left out of the dimensions; tests look at it"
        )
    )]
    coarse: BTreeSet<Attribute>,
}

impl Dimensions {
    /// Those of all the rules together.
    pub(in crate::access) fn read(rules: &[&Rule]) -> Self {
        let mut probes: BTreeMap<Attribute, Probes> = BTreeMap::new();
        let mut elements: BTreeMap<(Attribute, &str), &Literal> = BTreeMap::new();
        for rule in rules {
            rule.root
                .each_test(&mut |test: &Test| match &test.comparison {
                    Comparison::Contains(literal) if test.attribute.is_collection() => {
                        elements
                            .entry((test.attribute, &literal.folded))
                            .or_insert(literal);
                    }
                    comparison => probes.entry(test.attribute).or_default().add(comparison),
                });
        }
        let always = [Attribute::IsCompliant, Attribute::TrustType];
        for attribute in always {
            probes.remove(&attribute);
        }
        let mut found: Vec<(Attribute, Values)> = Vec::new();
        let mut coarse = BTreeSet::new();
        for (attribute, probes) in probes {
            match attribute.closed() {
                Some(values) => found.push((attribute, Values::Closed(values))),
                None => match Texts::read(probes, plain(attribute)) {
                    Some(texts) => found.push((attribute, Values::Texts(texts))),
                    None => _ = coarse.insert(attribute),
                },
            }
        }
        found.extend(
            elements
                .into_iter()
                .map(|((attribute, _), literal)| (attribute, Values::Element(literal.clone()))),
        );
        found.sort_by_key(|(attribute, _)| *attribute); // stable: elements stay in their order
        let always = always.map(|attribute| {
            let values = attribute.closed().unwrap_or_default();
            (attribute, Values::Closed(values))
        });
        Self {
            attributes: always.into_iter().chain(found).collect(),
            coarse,
        }
    }

    /// How many dimensions there are: [`REGISTRATION`], [`IS_COMPLIANT`], [`TRUST_TYPE`], and the others in the order of
    /// [`Attribute`].
    pub(in crate::access) fn len(&self) -> usize {
        1 + self.attributes.len()
    }

    /// Attributes whose tests have more outcomes than can be listed. They have no dimension, and every test on them counts as
    /// unknown for a registered device.
    #[cfg(test)]
    pub(in crate::access) fn coarse(&self) -> &BTreeSet<Attribute> {
        &self.coarse
    }

    fn values(&self, dim: usize) -> Option<(Attribute, &Values)> {
        let (attribute, values) = self.attributes.get(dim.checked_sub(1)?)?;
        Some((*attribute, values))
    }

    /// How many values a dimension has.
    pub(in crate::access) fn size(&self, dim: usize) -> usize {
        self.values(dim).map_or(3, |(_, values)| values.size())
    }

    /// What a dimension is about; none for [`REGISTRATION`].
    pub(in crate::access) fn attribute(&self, dim: usize) -> Option<Attribute> {
        self.values(dim).map(|(attribute, _)| attribute)
    }

    /// A value in plain words, inert on a terminal.
    pub(in crate::access) fn label(&self, dim: usize, value: usize) -> String {
        let Some((attribute, values)) = self.values(dim) else {
            let words = [
                "an unregistered device",
                "a registered device whose extension attributes are visible",
                "a registered device whose extension attributes are hidden",
            ];
            return words.get(value).copied().unwrap_or_default().to_owned();
        };
        let inert = |text: &str| UntrustedRef::from(text).for_terminal();
        match (values, values.written(value)) {
            (Values::Element(element), written) => {
                let verb = if written.is_some() {
                    "has"
                } else {
                    "does not have"
                };
                format!("device.{attribute} {verb} \"{}\"", inert(&element.written))
            }
            (_, Some(text)) => format!("device.{attribute} = \"{}\"", inert(text)),
            (_, None) => format!("device.{attribute} is not set"),
        }
    }

    /// A device of a class: one value for each dimension. Of an impossible class, some device.
    pub(in crate::access) fn example(&self, values: &[usize]) -> Device {
        let registration = values.first().copied().unwrap_or(UNREGISTERED);
        let mut device = Device {
            registered: registration != UNREGISTERED,
            extension_attributes_visible: registration == VISIBLE,
            attributes: BTreeMap::new(),
        };
        if !device.registered {
            return device;
        }
        for ((attribute, domain), &value) in self.attributes.iter().zip(values.iter().skip(1)) {
            let Some(text) = domain.written(value) else {
                continue;
            };
            let one = Value::Text(text.to_owned());
            match (domain, device.attributes.get_mut(attribute)) {
                (Values::Element(_), Some(Value::Texts(texts))) => texts.push(text.to_owned()),
                (Values::Element(_), _) => {
                    let texts = Value::Texts(vec![text.to_owned()]);
                    device.attributes.insert(*attribute, texts);
                }
                _ if attribute.is_extension() && registration == HIDDEN => {}
                _ => _ = device.attributes.insert(*attribute, one),
            }
        }
        device
    }

    /// The class of a device: one value for each dimension. A registered device must say how it is joined to be in a
    /// possible class.
    pub(in crate::access) fn locate(&self, device: &Device) -> Vec<usize> {
        let registration = match (device.registered, device.hides_extension_attributes()) {
            (false, _) => UNREGISTERED,
            (true, false) => VISIBLE,
            (true, true) => HIDDEN,
        };
        let value = |(attribute, values): &(Attribute, Values)| match values {
            Values::Element(literal) => usize::from(device.has(*attribute, &literal.folded)),
            Values::Closed(known) => device.text(*attribute).map_or(NOT_SET, |text| {
                let at = known.iter().position(|known| super::fold(known) == text);
                at.map_or(NOT_SET, |at| at + 1)
            }),
            Values::Texts(texts) => device
                .text(*attribute)
                .map_or(NOT_SET, |text| texts.locate(&text) + 1),
        };
        std::iter::once(registration)
            .chain(self.attributes.iter().map(value))
            .collect()
    }

    /// What no device can be, each as the sets of values that do not go together.
    pub(in crate::access) fn impossible(&self) -> Vec<Vec<(usize, Bits)>> {
        let one = |dim: usize, value: usize| (dim, Bits::one(self.size(dim), value));
        let not_one = |dim: usize, value: usize| (dim, Bits::one(self.size(dim), value).not());
        let closed = |dim: usize, wanted: &str| {
            let written = |value| {
                self.values(dim)
                    .and_then(|(_, values)| values.written(value))
            };
            let is = |value| written(value) == Some(wanted);
            (dim, Bits::of(self.size(dim), is))
        };
        let mut found = vec![
            vec![
                not_one(REGISTRATION, UNREGISTERED),
                one(TRUST_TYPE, NOT_SET),
            ],
            vec![one(REGISTRATION, HIDDEN), closed(IS_COMPLIANT, "True")],
            vec![one(REGISTRATION, HIDDEN), closed(TRUST_TYPE, "ServerAD")],
        ];
        for dim in 1..self.len() {
            found.push(vec![one(REGISTRATION, UNREGISTERED), not_one(dim, NOT_SET)]);
            if self.attribute(dim).is_some_and(Attribute::is_extension) {
                found.push(vec![one(REGISTRATION, HIDDEN), not_one(dim, NOT_SET)]);
            }
        }
        found
    }

    /// The dimension of a test and the values for which its comparison holds; `None` if it has no dimension.
    pub(super) fn holding(&self, test: &Test) -> Option<(usize, Bits)> {
        self.attributes
            .iter()
            .zip(1..)
            .filter(|((attribute, _), _)| *attribute == test.attribute)
            .find_map(|((_, values), dim)| {
                let holds: Vec<bool> = match (values, &test.comparison) {
                    (Values::Element(element), Comparison::Contains(literal)) => {
                        (element.folded == literal.folded).then(|| vec![true])?
                    }
                    (Values::Element(_), _) => return None,
                    (Values::Texts(texts), comparison) => texts.holding(comparison)?,
                    (Values::Closed(known), comparison) => known
                        .iter()
                        .map(|known| comparison.holds(&super::fold(known)))
                        .collect(),
                };
                let has = |value: usize| {
                    let index = value.checked_sub(1);
                    index.and_then(|index| holds.get(index)).copied() == Some(true)
                };
                Some((dim, Bits::of(self.size(dim), has)))
            })
    }
}

/// A value that looks like the attribute's own, for examples.
fn plain(attribute: Attribute) -> &'static str {
    match attribute {
        Attribute::DeviceId | Attribute::MdmAppId => "5f0c1d6e-0000-4000-8000-000000000001",
        Attribute::OperatingSystemVersion => "1.0",
        Attribute::ProfileType => "RegisteredDevice",
        _ => "other",
    }
}
