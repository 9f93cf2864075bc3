//! Members of a Conditional Access policy that this version does not know.
//!
//! Graph adds conditions and controls to policies. One that is not known here may narrow the policy or widen it, so its presence must
//! not go unseen: whoever judges what a policy guarantees takes it as not understood.

use serde_json::{Map, Value};

use crate::snapshot::Untrusted;

/// What is known, by path. Members that decide nothing about who gets in (names, dates, session controls) are known as a whole.
const KNOWN: [(&str, &[&str]); 10] = [
    (
        "",
        &[
            "id",
            "displayName",
            "description",
            "templateId",
            "createdDateTime",
            "modifiedDateTime",
            "deletedDateTime",
            "state",
            "partialEnablementStrategy",
            "conditions",
            "grantControls",
            "sessionControls",
        ],
    ),
    (
        "conditions",
        &[
            "users",
            "applications",
            "clientApplications",
            "clientAppTypes",
            "platforms",
            "locations",
            "devices",
            "userRiskLevels",
            "signInRiskLevels",
            "servicePrincipalRiskLevels",
            "insiderRiskLevels",
            "authenticationFlows",
        ],
    ),
    (
        "conditions.users",
        &[
            "includeUsers",
            "excludeUsers",
            "includeGroups",
            "excludeGroups",
            "includeRoles",
            "excludeRoles",
            "includeGuestsOrExternalUsers",
            "excludeGuestsOrExternalUsers",
        ],
    ),
    (
        "conditions.applications",
        &[
            "includeApplications",
            "excludeApplications",
            "includeUserActions",
            "includeAuthenticationContextClassReferences",
            "applicationFilter",
        ],
    ),
    (
        "conditions.clientApplications",
        &[
            "includeServicePrincipals",
            "excludeServicePrincipals",
            "servicePrincipalFilter",
        ],
    ),
    (
        "conditions.platforms",
        &["includePlatforms", "excludePlatforms"],
    ),
    (
        "conditions.locations",
        &["includeLocations", "excludeLocations"],
    ),
    ("conditions.devices", &["deviceFilter"]),
    ("conditions.authenticationFlows", &["transferMethods"]),
    (
        "grantControls",
        &[
            "operator",
            "builtInControls",
            "customAuthenticationFactors",
            "termsOfUse",
            "authenticationStrength",
        ],
    ),
];

/// Paths of members that carry a value and are not known.
pub(crate) fn of_policy(policy: &str) -> Vec<Untrusted> {
    let Ok(Value::Object(policy)) = serde_json::from_str(policy) else {
        return Vec::new();
    };
    let mut unknown = Vec::new();
    for (path, known) in KNOWN {
        let Some(members) = at(&policy, path) else {
            continue;
        };
        for (name, value) in members {
            let says_nothing = match value {
                Value::Null => true,
                Value::String(text) => text.is_empty(),
                Value::Array(items) => items.is_empty(),
                Value::Object(members) => members.is_empty(),
                Value::Bool(_) | Value::Number(_) => false,
            };
            let annotates = name.contains('@');
            if !says_nothing && !annotates && !known.contains(&name.as_str()) {
                let dot = if path.is_empty() { "" } else { "." };
                unknown.push(Untrusted::from(format!("{path}{dot}{name}")));
            }
        }
    }
    unknown
}

fn at<'v>(policy: &'v Map<String, Value>, path: &str) -> Option<&'v Map<String, Value>> {
    path.split('.')
        .filter(|name| !name.is_empty())
        .try_fold(policy, |members, name| members.get(name)?.as_object())
}

#[cfg(test)]
mod tests {
    use super::of_policy;

    #[test]
    fn a_condition_that_is_not_known_is_seen() {
        let policy = r#"{"@odata.context": "x", "id": "p", "conditions": {"users": {"includeUsers": ["All"], "includeMoods": ["bad"]}, "times": null,
            "weather": {"includeWeather": ["rain"]}, "applications": {"networkAccess": {}}},
            "grantControls": {"operator": "OR", "authenticationStrength@odata.context": "x", "handshake": true}}"#;
        let paths: Vec<String> = of_policy(policy)
            .iter()
            .map(|path| path.raw().to_owned())
            .collect();
        assert_eq!(
            paths,
            [
                "conditions.weather",
                "conditions.users.includeMoods",
                "grantControls.handshake"
            ]
        );
    }
}
