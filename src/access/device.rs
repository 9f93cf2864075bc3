//! The filter language for devices: what a rule says of one device, and of all devices there can be.
//!
//! **Promise.** [`parse`] reads any text without panic or deep recursion. [`Rule::matches`] follows the documented treatment of
//! devices without attributes, and says [`Truth::Unknown`] where nothing is documented. [`Dimensions`] splits all devices into
//! finitely many classes without loss: two devices of one class are the same to every rule the dimensions were read from.
//!
//! Facts: Microsoft's pages "Conditional Access: Filter for devices" (attributes, operators, unregistered devices, extension
//! attributes) and "Rules for dynamic membership groups" (the syntax). Knows no policy: whether a rule includes or excludes is
//! the caller's affair, as is whether a sign-in shows its device at all.

mod dimensions;
mod parse;
mod terms;
#[cfg(test)]
mod tests;
mod texts;

pub(super) use dimensions::Dimensions;
pub(super) use parse::parse;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Whether something holds, as far as it is known; ordered, so that `and` is the smaller and `or` the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Truth {
    /// It does not hold.
    No,
    /// Nobody can say.
    Unknown,
    /// It holds.
    Yes,
}

impl Truth {
    /// Both hold.
    pub(super) fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Either holds.
    pub(super) fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// The opposite; what is unknown stays so.
    pub(super) fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// An attribute of a device that a filter can test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Attribute {
    DeviceId,
    DisplayName,
    DeviceOwnership,
    EnrollmentProfileName,
    IsCompliant,
    Manufacturer,
    MdmAppId,
    Model,
    OperatingSystem,
    OperatingSystemVersion,
    PhysicalIds,
    ProfileType,
    SystemLabels,
    TrustType,
    /// `extensionAttribute1` to `extensionAttribute15`.
    Extension(u8),
}

/// All but the extension attributes.
pub(super) const NAMED: [(&str, Attribute); 14] = [
    ("deviceId", Attribute::DeviceId),
    ("displayName", Attribute::DisplayName),
    ("deviceOwnership", Attribute::DeviceOwnership),
    ("enrollmentProfileName", Attribute::EnrollmentProfileName),
    ("isCompliant", Attribute::IsCompliant),
    ("manufacturer", Attribute::Manufacturer),
    ("mdmAppId", Attribute::MdmAppId),
    ("model", Attribute::Model),
    ("operatingSystem", Attribute::OperatingSystem),
    ("operatingSystemVersion", Attribute::OperatingSystemVersion),
    ("physicalIds", Attribute::PhysicalIds),
    ("profileType", Attribute::ProfileType),
    ("systemLabels", Attribute::SystemLabels),
    ("trustType", Attribute::TrustType),
];

const EXTENSION: &str = "extensionAttribute";

impl Attribute {
    /// The attribute of this name, in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        let known = NAMED
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map(|&(_, attribute)| attribute).or_else(|| {
            let (word, number) = name.split_at_checked(EXTENSION.len())?;
            let number = (1..=15).find(|known: &u8| known.to_string() == number)?;
            word.eq_ignore_ascii_case(EXTENSION)
                .then_some(Self::Extension(number))
        })
    }

    /// The values it can have besides none, where there are few and all are known.
    pub(super) fn closed(self) -> Option<&'static [&'static str]> {
        match self {
            Self::IsCompliant => Some(&["False", "True"]),
            Self::TrustType => Some(&["AzureAD", "ServerAD", "Workplace"]),
            Self::DeviceOwnership => Some(&["Company", "Personal", "Unknown"]),
            _ => None,
        }
    }

    /// Whether it is a collection of texts.
    pub(super) fn is_collection(self) -> bool {
        matches!(self, Self::PhysicalIds | Self::SystemLabels)
    }

    fn is_extension(self) -> bool {
        matches!(self, Self::Extension(_))
    }

    /// Whether the filter offers this comparison for it; of the others nobody knows what they would do. `in` goes with `eq`:
    /// it has no second reading.
    fn offers(self, comparison: &Comparison) -> bool {
        match comparison {
            Comparison::Is(_) => !self.is_collection(),
            Comparison::Contains(_) if self.is_collection() => true,
            _ => {
                !self.is_collection()
                    && self.closed().is_none()
                    && !matches!(self, Self::DeviceId | Self::MdmAppId | Self::ProfileType)
            }
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Extension(number) = self {
            return write!(out, "{EXTENSION}{number}");
        }
        let name = NAMED.iter().find(|(_, attribute)| attribute == self);
        out.write_str(name.map_or("", |(name, _)| name))
    }
}

/// What an attribute of a device holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// One text; `True` and `False` for what is or is not.
    Text(String),
    /// The elements of a collection.
    Texts(Vec<String>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Texts(texts) => f.write_str(&texts.join(", ")),
        }
    }
}

/// One device, as a sign-in shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Device {
    /// Whether the directory knows it; if not, it has no attributes, whatever stands below.
    pub(super) registered: bool,
    /// Whether its extension attributes can be seen: it is managed by Intune. Compliant and hybrid joined devices show theirs anyway.
    pub(super) extension_attributes_visible: bool,
    /// What is set. A value that its attribute cannot have counts as not set.
    pub(super) attributes: BTreeMap<Attribute, Value>,
}

impl Device {
    /// The text that an attribute holds for a filter, in small letters.
    fn text(&self, attribute: Attribute) -> Option<String> {
        if !self.registered || (attribute.is_extension() && self.hides_extension_attributes()) {
            return None;
        }
        let Some(Value::Text(text)) = self.attributes.get(&attribute) else {
            return None;
        };
        let text = fold(text);
        let possible = attribute
            .closed()
            .is_none_or(|values| values.iter().any(|value| fold(value) == text));
        possible.then_some(text)
    }

    /// Whether a collection has this element, given in small letters.
    fn has(&self, attribute: Attribute, element: &str) -> bool {
        let elements = self
            .attributes
            .get(&attribute)
            .filter(|_| self.registered && attribute.is_collection());
        match elements {
            Some(Value::Texts(elements)) => elements.iter().any(|text| fold(text) == element),
            Some(Value::Text(_)) | None => false,
        }
    }

    /// Registered, and nobody sees its extension attributes.
    fn hides_extension_attributes(&self) -> bool {
        let is = |attribute, wanted: &str| self.text(attribute).as_deref() == Some(wanted);
        self.registered
            && !self.extension_attributes_visible
            && !is(Attribute::IsCompliant, "true")
            && !is(Attribute::TrustType, "serverad")
    }
}

/// Small letters, one character at a time: then the parts of a text fold as the whole does.
fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// A text in a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Literal {
    folded: String,
    /// As it stands there.
    written: String,
}

impl From<String> for Literal {
    fn from(written: String) -> Self {
        Self {
            folded: fold(&written),
            written,
        }
    }
}

/// What is compared, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Comparison {
    /// `eq` with one text, `in` with several.
    Is(Vec<Literal>),
    StartsWith(Literal),
    EndsWith(Literal),
    /// A part of a text, or an element of a collection.
    Contains(Literal),
}

impl Comparison {
    /// Whether it holds of a text in small letters.
    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Is(literals) => literals.iter().any(|literal| literal.folded == text),
            Self::StartsWith(literal) => text.starts_with(&literal.folded),
            Self::EndsWith(literal) => text.ends_with(&literal.folded),
            Self::Contains(literal) => text.contains(&literal.folded),
        }
    }
}

/// One comparison of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Test {
    attribute: Attribute,
    comparison: Comparison,
    /// `ne`, `notStartsWith` and so on: true where there is no value.
    negative: bool,
}

impl Test {
    fn matches(&self, device: &Device) -> Truth {
        let hidden = self.attribute.is_extension() && device.hides_extension_attributes();
        if self.negative && hidden {
            return Truth::Unknown;
        }
        let holds = match &self.comparison {
            Comparison::Contains(literal) if self.attribute.is_collection() => {
                device.has(self.attribute, &literal.folded)
            }
            comparison => device
                .text(self.attribute)
                .is_some_and(|text| comparison.holds(&text)),
        };
        Truth::from(holds != self.negative)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Test(Test),
    /// A test that is well formed and not understood: an attribute, an operator or a value that is not documented.
    Unknown,
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
}

impl Node {
    fn matches(&self, device: &Device) -> Truth {
        match self {
            Self::Test(test) => test.matches(device),
            Self::Unknown => Truth::Unknown,
            Self::Not(inner) => inner.matches(device).not(),
            Self::And(parts) => parts
                .iter()
                .fold(Truth::Yes, |truth, part| truth.and(part.matches(device))),
            Self::Or(parts) => parts
                .iter()
                .fold(Truth::No, |truth, part| truth.or(part.matches(device))),
        }
    }

    fn each_test<'a>(&'a self, visit: &mut impl FnMut(&'a Test)) {
        match self {
            Self::Test(test) => visit(test),
            Self::Unknown => {}
            Self::Not(inner) => inner.each_test(visit),
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.each_test(visit);
                }
            }
        }
    }
}

/// A rule that was read; nested no deeper than [`parse`] allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    root: Node,
}

impl Rule {
    /// Whether it matches a device.
    pub(super) fn matches(&self, device: &Device) -> Truth {
        self.root.matches(device)
    }

    /// The attributes that it tests.
    pub(super) fn attributes(&self) -> BTreeSet<Attribute> {
        let mut found = BTreeSet::new();
        self.root.each_test(&mut |test| {
            found.insert(test.attribute);
        });
        found
    }
}
