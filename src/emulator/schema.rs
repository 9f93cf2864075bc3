//! The types of Graph: which properties a type has, for `$select`, `$expand` and `$filter`.
//!
//! v1.0 from the CSDL subset; beta from the list of beta names plus all of v1.0. Both are read when first needed.
use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, OnceLock};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde::Deserialize;

use super::packed;
use super::routes::Version;

/// A property of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    /// Full name of the type without `Collection()`, for example `Edm.String`, `microsoft.graph.user`; empty if not public.
    pub(super) type_name: String,
    pub(super) collection: bool,
    pub(super) navigation: bool,
}

#[derive(Debug, Default)]
struct Type {
    base: Option<String>,
    derived: Vec<String>,
    properties: Vec<(&'static str, &'static str, bool)>,
}

/// Bases of beta types that v1.0 does not know; the list of beta names holds inherited properties with the base only.
const BETA_BASES: &[(&str, &str)] = &[
    ("networkaccess.filteringProfile", "networkaccess.profile"),
    ("networkaccess.forwardingProfile", "networkaccess.profile"),
    ("networkaccess.filteringPolicy", "networkaccess.policy"),
    (
        "networkaccess.threatIntelligencePolicy",
        "networkaccess.policy",
    ),
    (
        "networkaccess.filteringPolicyLink",
        "networkaccess.policyLink",
    ),
    (
        "networkaccess.threatIntelligencePolicyLink",
        "networkaccess.policyLink",
    ),
    (
        "networkaccess.tlsInspectionPolicyLink",
        "networkaccess.policyLink",
    ),
    (
        "networkaccess.cloudFirewallPolicyLink",
        "networkaccess.policyLink",
    ),
    ("networkaccess.filteringRule", "networkaccess.policyRule"),
    (
        "networkaccess.webCategoryFilteringRule",
        "networkaccess.filteringRule",
    ),
    (
        "networkaccess.fqdnFilteringRule",
        "networkaccess.filteringRule",
    ),
    ("recommendation", "recommendationBase"),
    ("depMacOSEnrollmentProfile", "depEnrollmentBaseProfile"),
    ("depIOSEnrollmentProfile", "depEnrollmentBaseProfile"),
    ("depEnrollmentBaseProfile", "enrollmentProfile"),
    ("mobileDeviceManagementPolicy", "mobilityManagementPolicy"),
    ("windowsManagedAppProtection", "managedAppProtection"),
    ("compliantNetworkNamedLocation", "namedLocation"),
    ("ipApplicationSegment", "applicationSegment"),
    ("agentIdentity", "servicePrincipal"),
    ("agentIdentityBlueprint", "application"),
    ("agentIdentityBlueprintPrincipal", "servicePrincipal"),
];

/// Documented navigation properties that the CSDL subset lost together with their target type: (type, property, target, collection).
const MORE_NAVIGATION: &[(&str, &str, &str, bool)] = &[
    (
        "unifiedRoleManagementPolicy",
        "rules",
        "unifiedRoleManagementPolicyRule",
        true,
    ),
    (
        "unifiedRoleManagementPolicy",
        "effectiveRules",
        "unifiedRoleManagementPolicyRule",
        true,
    ),
    (
        "crossTenantAccessPolicyConfigurationPartner",
        "identitySynchronization",
        "crossTenantIdentitySyncPolicyPartner",
        false,
    ),
    (
        "samlOrWsFedExternalDomainFederation",
        "domains",
        "externalDomainName",
        true,
    ),
    ("iosManagedAppProtection", "apps", "managedMobileApp", true),
    (
        "androidManagedAppProtection",
        "apps",
        "managedMobileApp",
        true,
    ),
];

/// Finds a property of a type, of its bases or of a type derived from it.
///
/// `None`: there is no such property. A type that neither schema has counts as open: each name is a property of unknown type.
pub(super) fn property(version: Version, type_name: &str, name: &str) -> Option<Property> {
    let open = Property {
        type_name: String::new(),
        collection: false,
        navigation: false,
    };
    if name == "id" || name.starts_with("extension_") {
        return Some(Property {
            type_name: "Edm.String".to_owned(),
            ..open
        });
    }
    if !is_known(version, type_name) {
        return Some(open);
    }
    let family = family(version, type_name);
    if version == Version::Beta
        && let Some(found) = family.iter().find_map(|member| beta_own(member, name))
    {
        return Some(found);
    }
    family.iter().find_map(|member| v1_own(member, name))
}

/// Whether the schema of this version has the type.
pub(super) fn is_known(version: Version, type_name: &str) -> bool {
    v1().contains_key(type_name) || (version == Version::Beta && beta_type(type_name).is_some())
}

/// Whether `type_name` is `ancestor` or derived from it.
pub(super) fn is_a(type_name: &str, ancestor: &str) -> bool {
    let mut current = Some(type_name.to_owned());
    while let Some(name) = current {
        if name == ancestor {
            return true;
        }
        current = base(Version::Beta, &name);
    }
    false
}

/// The type itself, its bases and all types derived from it.
fn family(version: Version, type_name: &str) -> Vec<String> {
    let mut members = vec![type_name.to_owned()];
    let mut current = base(version, type_name);
    while let Some(name) = current {
        current = base(version, &name);
        members.push(name);
    }
    let mut open = vec![type_name.to_owned()];
    while let Some(name) = open.pop() {
        if let Some(found) = v1().get(&name) {
            open.extend(found.derived.iter().cloned());
        }
        if version == Version::Beta {
            let short = short(&name);
            let derived = BETA_BASES.iter().filter(|(_, base)| *base == short);
            open.extend(derived.map(|(derived, _)| format!("microsoft.graph.{derived}")));
        }
        if !members.contains(&name) {
            members.push(name);
        }
    }
    members
}

fn base(version: Version, type_name: &str) -> Option<String> {
    let v1_base = v1().get(type_name).and_then(|found| found.base.clone());
    if v1_base.is_some() || version == Version::V1 {
        return v1_base;
    }
    let short = short(type_name);
    BETA_BASES
        .iter()
        .find(|(derived, _)| *derived == short)
        .map(|(_, base)| format!("microsoft.graph.{base}"))
}

fn short(type_name: &str) -> &str {
    type_name
        .strip_prefix("microsoft.graph.")
        .unwrap_or(type_name)
}

fn v1_own(type_name: &str, name: &str) -> Option<Property> {
    let short = short(type_name);
    let more = MORE_NAVIGATION
        .iter()
        .find(|(of, own, _, _)| *of == short && *own == name);
    if let Some((_, _, target, collection)) = more {
        return Some(Property {
            type_name: format!("microsoft.graph.{target}"),
            collection: *collection,
            navigation: true,
        });
    }
    let found = v1().get(type_name)?;
    let (_, declared, navigation) = found.properties.iter().find(|(own, _, _)| *own == name)?;
    Some(described(declared, *navigation))
}

fn described(declared: &str, navigation: bool) -> Property {
    let inner = declared
        .strip_prefix("Collection(")
        .and_then(|rest| rest.strip_suffix(')'));
    Property {
        type_name: full_name(inner.unwrap_or(declared)),
        collection: inner.is_some(),
        navigation,
    }
}

/// `graph.user` and `self.alert` in full.
fn full_name(name: &str) -> String {
    if let Some(rest) = name.strip_prefix("graph.") {
        format!("microsoft.graph.{rest}")
    } else if let Some(rest) = name.strip_prefix("self.") {
        format!("microsoft.graph.security.{rest}")
    } else {
        name.to_owned()
    }
}

fn v1() -> &'static HashMap<String, Type> {
    static TEXT: LazyLock<String> = LazyLock::new(packed::v1_schema);
    static TYPES: OnceLock<HashMap<String, Type>> = OnceLock::new();
    TYPES.get_or_init(|| {
        parse(&TEXT).expect("the schema is part of the program and parsed by a test")
    })
}

fn parse(text: &'static str) -> Result<HashMap<String, Type>, quick_xml::Error> {
    let mut types: HashMap<String, Type> = HashMap::with_capacity(1_024);
    let mut reader = Reader::from_str(text);
    let mut namespace = "";
    let mut current: Option<(String, Type)> = None;
    loop {
        match reader.read_event()? {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "Schema" => namespace = attribute(&tag, "Namespace", text).unwrap_or_default(),
                "EntityType" | "ComplexType" => current = opened(&tag, namespace, text),
                _ => {}
            },
            Event::Empty(tag) => match tag.local_name().as_ref() {
                "EntityType" | "ComplexType" => types.extend(opened(&tag, namespace, text)),
                kind @ ("Property" | "NavigationProperty") => {
                    if let Some((_, open)) = &mut current
                        && let Some(name) = attribute(&tag, "Name", text)
                        && let Some(declared) = attribute(&tag, "Type", text)
                    {
                        open.properties.push((name, declared, kind.len() > 8));
                    }
                }
                _ => {}
            },
            Event::End(tag)
                if matches!(tag.local_name().as_ref(), "EntityType" | "ComplexType") =>
            {
                types.extend(current.take());
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let mut derived: Vec<(String, String)> = types
        .iter()
        .filter_map(|(name, found)| Some((found.base.clone()?, name.clone())))
        .collect();
    derived.sort();
    for (base, name) in derived {
        if let Some(found) = types.get_mut(&base) {
            found.derived.push(name);
        }
    }
    Ok(types)
}

fn opened(tag: &BytesStart<'_>, namespace: &str, text: &'static str) -> Option<(String, Type)> {
    let name = attribute(tag, "Name", text)?;
    let opened = Type {
        base: attribute(tag, "BaseType", text).map(full_name),
        ..Type::default()
    };
    Some((format!("{namespace}.{name}"), opened))
}

/// The value of an attribute as a slice of the schema text itself: names and types there never need unescaping.
fn attribute(tag: &BytesStart<'_>, name: &str, text: &'static str) -> Option<&'static str> {
    let found = tag.try_get_attribute(name).ok().flatten()?;
    let value: &str = &found.value;
    let start = (value.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    text.get(start..start + value.len())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Beta {
    entity_types: BTreeMap<String, BetaType>,
    complex_types: BTreeMap<String, BetaType>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BetaType {
    #[serde(default)]
    properties: BTreeMap<String, BetaProperty>,
    #[serde(default)]
    navigation_properties: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct BetaProperty {
    r#type: Option<String>,
}

fn beta() -> &'static Beta {
    static BETA: OnceLock<Beta> = OnceLock::new();
    BETA.get_or_init(|| {
        serde_json::from_str(&packed::beta_names())
            .expect("the list of beta names is part of the program and parsed by a test")
    })
}

fn beta_type(type_name: &str) -> Option<&'static BetaType> {
    let short = short(type_name);
    let beta = beta();
    beta.entity_types
        .get(short)
        .or_else(|| beta.complex_types.get(short))
}

fn beta_own(type_name: &str, name: &str) -> Option<Property> {
    let found = beta_type(type_name)?;
    if found.navigation_properties.iter().any(|own| own == name) {
        // The list of names has no types of navigation properties; v1.0 knows those of most.
        return Some(v1_own(type_name, name).unwrap_or(Property {
            type_name: String::new(),
            collection: name.ends_with('s'),
            navigation: true,
        }));
    }
    let declared = found
        .properties
        .get(name)?
        .r#type
        .as_deref()
        .unwrap_or_default();
    let mut property = described(declared, false);
    if !property.type_name.is_empty() && !property.type_name.contains('.') {
        let primitive = property
            .type_name
            .starts_with(|first: char| first.is_ascii_uppercase());
        let prefix = if primitive {
            "Edm."
        } else {
            "microsoft.graph."
        };
        property.type_name.insert_str(0, prefix);
    }
    Some(property)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_derived_types_and_versions_count() {
        let has = |version, type_name: &str, name| {
            property(version, &format!("microsoft.graph.{type_name}"), name)
        };
        assert_eq!(
            has(Version::V1, "user", "userPrincipalName")
                .unwrap()
                .type_name,
            "Edm.String"
        );
        assert!(
            has(Version::V1, "user", "deletedDateTime").is_some(),
            "from directoryObject"
        );
        assert!(
            has(Version::V1, "namedLocation", "isTrusted").is_some(),
            "from ipNamedLocation"
        );
        assert!(has(Version::V1, "unifiedRoleDefinition", "isPrivileged").is_none());
        assert!(has(Version::Beta, "unifiedRoleDefinition", "isPrivileged").is_some());
        let principal = has(Version::V1, "unifiedRoleAssignment", "principal").unwrap();
        assert!(principal.navigation && !principal.collection);
        assert!(is_a(
            "microsoft.graph.user",
            "microsoft.graph.directoryObject"
        ));
        assert!(!is_a(
            "microsoft.graph.directoryObject",
            "microsoft.graph.user"
        ));
        assert!(has(Version::V1, "security.alert", "severity").is_some());
    }
}
