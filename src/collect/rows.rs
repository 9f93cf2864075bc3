//! What is done to rows before they are kept: as little as possible.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::snapshot::{Licence, Resource};

/// The object of a single answer, without the address of its metadata, which says where it was asked and nothing of the tenant: lists
/// have it on the page and not in their rows.
pub(super) fn object(resource: Resource, body: Box<RawValue>) -> Box<RawValue> {
    let body = unwrapped(resource, body);
    let mut rows = without(&["@odata.context"], vec![body]);
    rows.pop().unwrap_or_default()
}

/// Intune's reference pages show some objects inside `value`, and the service sends them bare: both are read.
fn unwrapped(resource: Resource, body: Box<RawValue>) -> Box<RawValue> {
    #[derive(Deserialize)]
    struct Wrapped<'a> {
        #[serde(borrow)]
        value: &'a RawValue,
    }
    if resource.licence() != Licence::Intune {
        return body;
    }
    match serde_json::from_str::<Wrapped<'_>>(body.get()) {
        Ok(Wrapped { value }) if value.get().starts_with('{') => value.to_owned(),
        _ => body,
    }
}

/// The rows without these properties.
pub(super) fn without(properties: &[&str], mut rows: Vec<Box<RawValue>>) -> Vec<Box<RawValue>> {
    if properties.is_empty() {
        return rows;
    }
    for row in &mut rows {
        // What is no object has no properties, and does not read as a row.
        let Ok(mut object) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(row.get())
        else {
            continue;
        };
        let before = object.len();
        object.retain(|name, _| !properties.contains(&name.as_str()));
        if object.len() < before
            && let Ok(rest) = to_raw_value(&object)
        {
            *row = rest;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::super::shape;
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn an_object_of_intune_is_read_bare_and_in_value() {
        let resource = Resource::AndroidManagedStoreAccountEnterpriseSettings;
        let bare = r#"{"bindStatus":"bound"}"#;
        for body in [bare, r#"{"value": {"bindStatus":"bound"}}"#] {
            assert_eq!(object(resource, raw(body)).get(), bare);
        }
        let context =
            r#"{"@odata.context":"https://graph.example/$metadata#x","bindStatus":"bound"}"#;
        assert_eq!(object(resource, raw(context)).get(), bare);
        // A list is none, and elsewhere `value` is a property like any other.
        let list = r#"{"value":[{"bindStatus":"bound"}]}"#;
        assert_eq!(object(resource, raw(list)).get(), list);
        let other = r#"{"value":{"a":1}}"#;
        let elsewhere = object(Resource::SharePointSettings, raw(other));
        assert_eq!(elsewhere.get(), other);
    }

    #[test]
    fn secrets_that_come_unasked_are_taken_out() {
        for (resource, property) in [
            (Resource::VppTokens, "token"),
            (Resource::DeviceLocalCredentials, "credentials"),
            (Resource::DepEnrollmentProfiles, "adminAccountPassword"),
            (
                Resource::AndroidManagedStoreAccountEnterpriseSettings,
                "companyCodes",
            ),
        ] {
            let row = raw(&format!(
                r#"{{"id":"1","{property}":["hidden"],"state":"valid"}}"#
            ));
            let kept = without(shape::secrets(resource), vec![row]);
            assert_eq!(kept[0].get(), r#"{"id":"1","state":"valid"}"#, "{resource}");
        }
        let untouched = raw(r#"{"b": 1, "a": 2}"#);
        let kept = without(&["token"], vec![untouched.clone(), raw("17")]);
        assert_eq!(kept[0].get(), untouched.get());
        assert_eq!(kept[1].get(), "17");
    }
}
