//! `$select` and `$expand`: parsing, and writing a row with no more than what was asked for.
use serde_json::Value;

use super::super::errors::Failure;
use super::super::routes::{Version, cast_of};
use super::super::schema;
use super::resolve_path;

/// One navigation property of `$expand` with its own options.
#[derive(Debug)]
pub(in super::super) struct Expand {
    pub(in super::super) name: String,
    pub(in super::super) select: Option<Vec<String>>,
    /// What is expanded below it.
    pub(in super::super) below: Vec<Expand>,
    /// Full name of the target type; empty if not public.
    pub(in super::super) type_name: String,
    pub(in super::super) collection: bool,
}

/// Properties that Graph sends for a user when `$select` is not used (reference page "user resource type").
const USER_DEFAULTS: &[&str] = &[
    "id",
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];

/// (type, property) that only come when selected.
const ONLY_SELECTED: &[(&str, &str)] = &[
    ("user", "signInActivity"),
    (
        "unifiedRbacResourceAction",
        "isAuthenticationContextSettable",
    ),
    ("unifiedRbacResourceAction", "authenticationContextId"),
    ("deviceManagement", "subscriptionState"),
    ("deviceManagement", "settings"),
    ("deviceManagement", "intuneBrand"),
    ("organization", "mobileDeviceManagementAuthority"),
    ("application", "onPremisesPublishing"),
];

/// (type, navigation property) that come without `$expand`.
const ALWAYS_EXPANDED: &[(&str, &str)] = &[(
    "authenticationMethodsPolicy",
    "authenticationMethodConfigurations",
)];

/// Parses `$select`.
///
/// # Errors
/// 400 for a property that the type does not have.
pub(in super::super) fn parse_select(
    text: &str,
    version: Version,
    type_name: &str,
) -> Result<Vec<String>, Failure> {
    let mut selected = Vec::new();
    for item in text.split(',') {
        let item = item.trim();
        if item.is_empty() {
            return Err(Failure::bad_request(
                "Parsing OData Select and Expand failed: Syntax error: a property name is missing.",
            ));
        }
        if item != "*" {
            let path: Vec<String> = item.split('/').map(ToOwned::to_owned).collect();
            resolve_path(version, type_name, &path)
                .map_err(|(name, of)| Failure::new("unknownProperty", &[&name, &of]))?;
        }
        selected.push(item.to_owned());
    }
    Ok(selected)
}

/// Parses `$expand`.
///
/// # Errors
/// 400 for a name that is no navigation property of the type, and for nested options other than `$select` and `$expand`.
pub(in super::super) fn parse_expand(
    text: &str,
    version: Version,
    type_name: &str,
) -> Result<Vec<Expand>, Failure> {
    parse_expand_at(text, version, type_name, 0)
}

fn parse_expand_at(
    text: &str,
    version: Version,
    type_name: &str,
    depth: usize,
) -> Result<Vec<Expand>, Failure> {
    let failed = |what: &str| {
        Failure::bad_request(&format!("Parsing OData Select and Expand failed: {what}"))
    };
    if depth > 4 {
        return Err(failed("the expand is too deep."));
    }
    let mut expands = Vec::new();
    for item in split_outside(text, ',').ok_or_else(|| failed("parentheses do not match."))? {
        let (name, options) = match item.split_once('(') {
            Some((name, rest)) => (
                name.trim(),
                rest.strip_suffix(')')
                    .ok_or_else(|| failed("a parenthesis is missing."))?,
            ),
            None => (item.trim(), ""),
        };
        let property = schema::property(version, type_name, name)
            .filter(|property| property.navigation || !schema::is_known(version, type_name))
            .ok_or_else(|| Failure::new("unknownProperty", &[name, type_name]))?;
        // Documented as refused on the list of applications; the relation has a path of its own.
        if name == "federatedIdentityCredentials" {
            return Err(failed(
                "Expand of 'federatedIdentityCredentials' is not supported.",
            ));
        }
        let mut expand = Expand {
            name: name.to_owned(),
            select: None,
            below: Vec::new(),
            type_name: property.type_name,
            collection: property.collection,
        };
        for option in
            split_outside(options, ';').ok_or_else(|| failed("parentheses do not match."))?
        {
            match option.split_once('=') {
                Some(("$select", value)) => {
                    expand.select = Some(parse_select(value, version, &expand.type_name)?);
                }
                Some(("$expand", value)) => {
                    expand.below = parse_expand_at(value, version, &expand.type_name, depth + 1)?;
                }
                _ => {
                    return Err(failed(&format!(
                        "the option '{option}' is not supported here."
                    )));
                }
            }
        }
        expands.push(expand);
    }
    Ok(expands)
}

/// Splits at a separator that stands outside of parentheses; `None` if they do not match. An empty text has no parts.
fn split_outside(text: &str, separator: char) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_u32, 0);
    for (index, next) in text.char_indices() {
        match next {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            _ if next == separator && depth == 0 => {
                parts.push(&text[start..index]);
                start = index + separator.len_utf8();
            }
            _ => {}
        }
    }
    if !text.is_empty() {
        parts.push(&text[start..]);
    }
    (depth == 0).then_some(parts)
}

/// What of a row is written.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Projection<'a> {
    pub(in super::super) version: Version,
    /// Type of the collection.
    pub(in super::super) type_name: &'a str,
    pub(in super::super) select: Option<&'a [String]>,
    /// A collection, not a request for one object by id.
    pub(in super::super) listed: bool,
}

impl Projection<'_> {
    /// Writes a row as a JSON object. `odata_type` is added where the row has none; `expanded` comes after its own properties.
    pub(in super::super) fn write(
        &self,
        out: &mut Vec<u8>,
        row: &Value,
        odata_type: Option<&str>,
        expanded: &[(&str, Value)],
    ) {
        let Value::Object(properties) = row else {
            push_json(out, row);
            return;
        };
        let own_type = properties
            .get("@odata.type")
            .and_then(Value::as_str)
            .or(odata_type);
        let type_name = own_type.map_or(self.type_name, |name| name.trim_start_matches('#'));
        let mut writer = ObjectWriter::new(out);
        if let Some(odata_type) = odata_type
            && !properties.contains_key("@odata.type")
        {
            writer.field("@odata.type", &Value::from(odata_type));
        }
        for (name, value) in properties {
            if expanded.iter().any(|(expanded, _)| expanded == name) {
                continue;
            }
            match self.keeps(type_name, name) {
                Keep::No => {}
                Keep::All => writer.field(name, value),
                Keep::Inner(inner) => writer.field(name, &inner_of(value, &inner)),
            }
        }
        for (name, value) in expanded {
            writer.field(name, value);
        }
        writer.end();
    }

    /// How much of a property is written.
    pub(in super::super) fn keeps(&self, type_name: &str, name: &str) -> Keep {
        if name == "@odata.type" || name == "id" {
            return Keep::All;
        }
        if name.starts_with('@') {
            return Keep::No;
        }
        // `owners@odata.context` goes with `owners`.
        let property = name.split('@').next().unwrap_or(name);
        let short = type_name
            .strip_prefix("microsoft.graph.")
            .unwrap_or(type_name);
        let listed_in = |table: &[(&str, &str)]| table.contains(&(short, property));
        let Some(select) = self.select else {
            let default = if short == "user" {
                USER_DEFAULTS.contains(&property)
            } else {
                !listed_in(ONLY_SELECTED)
                    && (!self.is_navigation(type_name, property) || listed_in(ALWAYS_EXPANDED))
            };
            return if default { Keep::All } else { Keep::No };
        };
        // Documented: the list of organizations does not fill it, the request by id does.
        if self.listed && property == "mobileDeviceManagementAuthority" && short == "organization" {
            return Keep::No;
        }
        let mut inner = Vec::new();
        for item in select {
            if item == property {
                return Keep::All;
            }
            if item == "*" && !listed_in(ONLY_SELECTED) && !self.is_navigation(type_name, property)
            {
                return Keep::All;
            }
            let path = item.split('/').find(|part| cast_of(part).is_none());
            if path == Some(property) {
                let part = item.rsplit('/').next().unwrap_or_default();
                if part == property {
                    return Keep::All;
                }
                inner.push(part.to_owned());
            }
        }
        if inner.is_empty() {
            Keep::No
        } else {
            Keep::Inner(inner)
        }
    }

    fn is_navigation(&self, type_name: &str, property: &str) -> bool {
        schema::is_known(self.version, type_name)
            && schema::property(self.version, type_name, property)
                .is_some_and(|property| property.navigation)
    }
}

/// How much of a property is written.
pub(in super::super) enum Keep {
    No,
    All,
    /// These parts of a complex value.
    Inner(Vec<String>),
}

/// These parts of a complex value.
pub(in super::super) fn inner_of(value: &Value, names: &[String]) -> Value {
    match value {
        Value::Object(object) => Value::Object(
            object
                .iter()
                .filter(|(name, _)| names.contains(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Writes JSON into a byte buffer; writing to memory cannot fail.
pub(in super::super) fn push_json(out: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.extend_from_slice(b"null");
    }
}

/// An object that is written field by field.
pub(in super::super) struct ObjectWriter<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> ObjectWriter<'a> {
    pub(in super::super) fn new(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    pub(in super::super) fn field(&mut self, name: &str, value: &Value) {
        push_json(self.start(name), value);
    }

    /// Writes the name; the caller writes the value.
    pub(in super::super) fn start(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        push_json(self.out, name);
        self.out.push(b':');
        self.out
    }

    pub(in super::super) fn end(self) {
        self.out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(select: Option<&str>, type_name: &str, row: &Value) -> Value {
        let type_name = format!("microsoft.graph.{type_name}");
        let select = select.map(|text| parse_select(text, Version::V1, &type_name).unwrap());
        let projection = Projection {
            version: Version::V1,
            type_name: &type_name,
            select: select.as_deref(),
            listed: true,
        };
        let mut out = Vec::new();
        projection.write(&mut out, row, None, &[]);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn rows_hold_what_was_asked_for() {
        let user = json!({"id": "1", "displayName": "A", "accountEnabled": true, "signInActivity": {"lastSignInDateTime": null},
            "onPremisesExtensionAttributes": {"extensionAttribute1": "x", "extensionAttribute2": "y"}});
        assert_eq!(
            written(None, "user", &user),
            json!({"id": "1", "displayName": "A"})
        );
        assert_eq!(
            written(Some("accountEnabled"), "user", &user),
            json!({"id": "1", "accountEnabled": true})
        );
        assert!(
            written(Some("*"), "user", &user)
                .get("signInActivity")
                .is_none()
        );
        assert!(
            written(Some("signInActivity"), "user", &user)
                .get("signInActivity")
                .is_some()
        );
        assert_eq!(
            written(
                Some("onPremisesExtensionAttributes/extensionAttribute2"),
                "user",
                &user
            ),
            json!({"id": "1", "onPremisesExtensionAttributes": {"extensionAttribute2": "y"}})
        );
        let group = json!({"id": "1", "owners": [{"id": "2"}], "visibility": "Private"});
        assert_eq!(
            written(None, "group", &group),
            json!({"id": "1", "visibility": "Private"})
        );
    }

    #[test]
    fn only_navigation_properties_expand() {
        let expand = |text| parse_expand(text, Version::V1, "microsoft.graph.group");
        let owners = expand("owners($select=id,displayName)").unwrap();
        assert_eq!(owners[0].select.as_deref().unwrap().len(), 2);
        for text in [
            "displayName",
            "nothing",
            "owners(",
            "owners($top=5)",
            "owners($select=foo)",
        ] {
            assert_eq!(expand(text).unwrap_err().status, 400, "{text}");
        }
    }
}
