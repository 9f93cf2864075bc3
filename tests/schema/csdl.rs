//! Graph's schema as published: types, their bases, their properties, and the members of enumerations.
//!
//! Names are without `microsoft.graph.` in front (`security.alert`, `user`), scalars keep their `Edm.`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::documented;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value, json};

/// Each cut of the schema that is tested against, v1.0 first.
pub(crate) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let mut schema = Schema::default();
    schema.read_csdl(include_str!("../../fixtures/graph/v1.0-subset.csdl"));
    schema.read_beta(include_str!("../../fixtures/graph/beta-subset.json"));
    schema.read_documented();
    schema
});

/// A property of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Property {
    /// Type without `Collection()`; `None` where the beta cut does not tell.
    pub(crate) kind: Option<String>,
    pub(crate) collection: bool,
}

#[derive(Debug, Default)]
struct Type {
    base: Option<String>,
    properties: BTreeMap<String, Property>,
    /// Navigation properties that beta names; nothing tells their types.
    navigation: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Schema {
    types: BTreeMap<String, Type>,
    enums: BTreeMap<String, (Vec<String>, bool)>,
}

impl Schema {
    fn read_csdl(&mut self, text: &str) {
        let mut reader = Reader::from_str(text);
        let (mut namespace, mut open) = (String::new(), String::new());
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => return,
                Event::Start(tag) | Event::Empty(tag) => {
                    let at = |name| attribute(&tag, name);
                    let own = |name: String| short(&format!("{namespace}.{name}"), &namespace);
                    match tag.local_name().as_ref() {
                        "Schema" => namespace = at("Namespace").unwrap(),
                        "EntityType" | "ComplexType" => {
                            open = own(at("Name").unwrap());
                            let base = at("BaseType").map(|base| short(&base, &namespace));
                            self.types.entry(open.clone()).or_default().base = base;
                        }
                        "EnumType" => {
                            open = own(at("Name").unwrap());
                            let flags = at("IsFlags").as_deref() == Some("true");
                            self.enums.insert(open.clone(), (Vec::new(), flags));
                        }
                        "Member" => {
                            let (members, _) = self.enums.get_mut(&open).unwrap();
                            members.push(at("Name").unwrap());
                        }
                        "Property" | "NavigationProperty" => {
                            let property = Property::of(&at("Type").unwrap(), &namespace);
                            let known = self.types.get_mut(&open).unwrap();
                            known.properties.insert(at("Name").unwrap(), property);
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }

    /// The beta cut names what v1.0 lacks; where both know a property, v1.0 decides.
    fn read_beta(&mut self, text: &str) {
        let beta: Value = serde_json::from_str(text).unwrap();
        for group in ["entityTypes", "complexTypes"] {
            for (name, kind) in beta[group].as_object().unwrap() {
                let known = self.types.entry(name.clone()).or_default();
                let navigation = kind["navigationProperties"].as_array();
                let navigation = navigation.into_iter().flatten().filter_map(Value::as_str);
                known.navigation.extend(navigation.map(str::to_owned));
                for (property, about) in kind["properties"].as_object().unwrap() {
                    known
                        .properties
                        .entry(property.clone())
                        .or_insert_with(|| match about["type"].as_str() {
                            Some(kind) => Property::of_beta(kind),
                            None => Property {
                                kind: None,
                                collection: false,
                            },
                        });
                }
            }
        }
        for (name, base) in BETA_BASES {
            self.types.entry((*name).to_owned()).or_default().base = Some((*base).to_owned());
        }
        for (name, members) in beta["enumTypes"].as_object().unwrap() {
            let (known, _) = self.enums.entry(name.clone()).or_default();
            for member in members.as_array().unwrap() {
                let member = member.as_str().unwrap().to_owned();
                if !known.contains(&member) {
                    known.push(member);
                }
            }
        }
    }

    /// Types of what beta only names. A property must be named there: the pages add nothing of their own.
    fn read_documented(&mut self) {
        for (name, base) in documented::BASES {
            let known = self.types.get_mut(*name).expect(name);
            assert_eq!(known.base, None, "{name} has a base");
            known.base = Some((*base).to_owned());
        }
        for (name, properties) in documented::PROPERTIES {
            let known = self.types.get_mut(*name).expect(name);
            for (property, kind) in *properties {
                let named = known.properties.get(*property);
                let untyped = named.map_or_else(
                    || known.navigation.iter().any(|name| name == property),
                    |named| named.kind.is_none(),
                );
                assert!(untyped, "{name}.{property} is not named, or has a type");
                let typed = Property::of(kind, "microsoft.graph");
                known.properties.insert((*property).to_owned(), typed);
            }
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.types.contains_key(name)
    }

    /// The property of a type, of its bases, or of a type derived from it.
    pub(crate) fn property(&self, of: &str, name: &str) -> Option<&Property> {
        let own = |kind: &str| self.types.get(kind)?.properties.get(name);
        self.line(of)
            .find_map(own)
            .or_else(|| self.derived(of).find_map(own))
    }

    /// The type and its bases.
    fn line<'a>(&'a self, of: &'a str) -> impl Iterator<Item = &'a str> {
        std::iter::successors(Some(of), |name| self.types.get(*name)?.base.as_deref())
    }

    fn derived<'a>(&'a self, of: &'a str) -> impl Iterator<Item = &'a str> {
        let all = self.types.keys().map(String::as_str);
        all.filter(move |name| self.line(name).skip(1).any(|base| base == of))
    }

    /// Whether one of the two types is the other or a base of it.
    pub(crate) fn related(&self, one: &str, other: &str) -> bool {
        self.line(one).any(|base| base == other) || self.line(other).any(|base| base == one)
    }

    /// Members of an enumeration, and whether several can stand in one value.
    pub(crate) fn members(&self, kind: &str) -> Option<(&[String], bool)> {
        let (members, flags) = self.enums.get(kind)?;
        Some((members, *flags))
    }

    /// Right-typed values of a property; more than one where it is an enumeration.
    pub(crate) fn values(&self, property: &Property, depth: u8) -> Vec<Value> {
        let Some(kind) = property.kind.as_deref() else {
            return vec![Value::Null];
        };
        let ones = self.scalars(kind, depth);
        if property.collection && ones == [Value::Null] {
            return vec![json!([])];
        }
        if property.collection {
            return ones.into_iter().map(|one| json!([one])).collect();
        }
        ones
    }

    fn scalars(&self, kind: &str, depth: u8) -> Vec<Value> {
        if let Some((members, _)) = self.members(kind) {
            let all = members.iter().map(String::as_str).chain([UNKNOWN]);
            return all.map(Value::from).collect();
        }
        vec![match kind {
            "Edm.Boolean" => json!(true),
            "Edm.Int32" | "Edm.Int64" | "Edm.Byte" => json!(17),
            "Edm.Double" | "Edm.Single" => json!(17.5),
            "Edm.DateTimeOffset" => json!("2026-08-20T10:00:00.1234567Z"),
            "Edm.Date" => json!("2026-08-20"),
            "Edm.TimeOfDay" => json!("10:00:00"),
            "Edm.Duration" => json!("PT1H"),
            // Most ids are strings to the schema and GUIDs in fact.
            "Edm.String" | "Edm.Guid" | "Edm.Binary" | "Edm.Stream" => json!(GUID),
            _ if depth == 0 => Value::Null,
            complex => self.object(complex, depth - 1),
        }]
    }

    /// An object of this type with every declared property filled in.
    pub(crate) fn object(&self, kind: &str, depth: u8) -> Value {
        let mut object = Map::new();
        object.insert(
            "@odata.type".into(),
            format!("#microsoft.graph.{kind}").into(),
        );
        for name in self.line(kind) {
            for (key, property) in self
                .types
                .get(name)
                .into_iter()
                .flat_map(|of| &of.properties)
            {
                if let Some(value) = self.values(property, depth).into_iter().next() {
                    object.insert(key.clone(), value);
                }
            }
        }
        object.into()
    }
}

/// A member that no version of any enumeration has.
pub(crate) const UNKNOWN: &str = "aMemberOfTomorrow";
const GUID: &str = "62e90394-69f5-4237-9190-012177145e10";

/// Bases of types that only beta has: its cut gives inherited properties with the base alone.
const BETA_BASES: &[(&str, &str)] = &[
    ("networkaccess.filteringPolicy", "networkaccess.policy"),
    ("networkaccess.filteringProfile", "networkaccess.profile"),
    ("networkaccess.forwardingProfile", "networkaccess.profile"),
    ("recommendation", "recommendationBase"),
];

/// Scalars that the beta cut writes without `Edm.` in front.
const SCALARS: [&str; 10] = [
    "Boolean",
    "Byte",
    "Date",
    "DateTimeOffset",
    "Double",
    "Duration",
    "Guid",
    "Int32",
    "Int64",
    "String",
];

impl Property {
    fn of_beta(kind: &str) -> Self {
        let mut property = Self::of(kind, "microsoft.graph");
        if let Some(scalar) = SCALARS
            .iter()
            .find(|scalar| property.kind.as_deref() == Some(**scalar))
        {
            property.kind = Some(format!("Edm.{scalar}"));
        }
        property
    }

    fn of(kind: &str, namespace: &str) -> Self {
        let element = kind
            .strip_prefix("Collection(")
            .and_then(|rest| rest.strip_suffix(')'));
        Self {
            kind: Some(short(element.unwrap_or(kind), namespace)),
            collection: element.is_some(),
        }
    }
}

/// The name without the alias or namespace in front.
fn short(name: &str, namespace: &str) -> String {
    let name = match name.strip_prefix("self.") {
        Some(own) => format!("{namespace}.{own}"),
        None => name.to_owned(),
    };
    let cut = ["microsoft.graph.", "graph."];
    let rest = cut.iter().find_map(|start| name.strip_prefix(start));
    rest.unwrap_or(&name).to_owned()
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let value = tag.try_get_attribute(name).unwrap()?.value;
    Some(value.into_owned())
}
