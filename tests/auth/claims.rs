//! What a token says of itself is a hint.

use m365audit::auth::{AccessToken, Claims};

use super::*;

fn jwt(payload: &serde_json::Value) -> String {
    format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload.to_string()))
}

const NONE: Claims = Claims {
    tenant: None,
    app_id: None,
    roles: Vec::new(),
    scopes: Vec::new(),
    expires: None,
    is_delegated: false,
};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn tokens_that_can_be_read() {
    let cases = [
        (
            "an application's, version 1.0",
            json!({ "tid": TENANT.to_uppercase(), "appid": CLIENT, "exp": 1_787_223_900,
                    "roles": ["User.Read.All", "Policy.Read.All", "evil\u{1b}[0m", "User.Read.All"] }),
            Claims {
                tenant: Some(TENANT.to_owned()),
                app_id: Some(CLIENT.to_owned()),
                roles: names(&["Policy.Read.All", "User.Read.All"]),
                expires: "2026-08-20T11:05:00Z".parse().ok(),
                ..NONE
            },
        ),
        (
            "a person's, version 2.0",
            json!({ "tid": TENANT, "azp": CLIENT, "scp": "User.Read.All  Directory.Read.All" }),
            Claims {
                tenant: Some(TENANT.to_owned()),
                app_id: Some(CLIENT.to_owned()),
                scopes: names(&["Directory.Read.All", "User.Read.All"]),
                is_delegated: true,
                ..NONE
            },
        ),
        (
            "nothing granted",
            json!({ "tid": TENANT }),
            Claims {
                tenant: Some(TENANT.to_owned()),
                ..NONE
            },
        ),
        (
            "a person without a scope",
            json!({ "scp": "" }),
            Claims {
                is_delegated: true,
                ..NONE
            },
        ),
        (
            "what is no GUID",
            json!({ "tid": "contoso.example", "appid": "x" }),
            NONE,
        ),
        ("an end out of time", json!({ "exp": i64::MAX }), NONE),
        (
            "an end that is no number",
            json!({ "exp": "tomorrow" }),
            NONE,
        ),
        ("nothing at all", json!({}), NONE),
    ];
    for (name, payload, expected) in cases {
        assert_eq!(Claims::read(&jwt(&payload)), Some(expected), "{name}");
    }
}

#[test]
fn tokens_that_cannot_be_read() {
    let encrypted = format!("{}.x.y", jwt(&json!({ "tid": TENANT })));
    let cases = [
        "",
        "opaque",
        "a.b",
        "a.!.c",
        &encrypted,
        &jwt(&json!([1])),
        &jwt(&json!({ "roles": "all" })),
    ];
    for token in cases {
        assert_eq!(Claims::read(token), None, "{token}");
    }
    let opaque = AccessToken::new(
        1,
        "opaque".into(),
        jiff::Timestamp::UNIX_EPOCH,
        Duration::from_hours(1),
    );
    assert_eq!(opaque.unwrap().claims(), None);
}

#[test]
fn permissions_are_roles_and_scopes() {
    let claims = Claims {
        roles: names(&["B"]),
        scopes: names(&["A"]),
        ..NONE
    };
    assert_eq!(claims.permissions().collect::<Vec<_>>(), ["B", "A"]);
}
