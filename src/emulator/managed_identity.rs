//! The endpoints of managed identities: the metadata service, App Service, the agent of Azure Arc.
use serde::Deserialize;
use serde_json::{Value, json};

use super::platforms::{Knock, nothing, refusal, reply};
use super::reply::Reply;
use super::state::State;
use super::token::{Bearer, GRAPH};

pub(super) const METADATA: &str = "/metadata/identity/oauth2/token";
pub(super) const APP_SERVICE: &str = "/app-service/token";
pub(super) const ARC: &str = "/arc/token";

/// Tokens of a managed identity live a day.
const LIFETIME: u64 = 86_399;

/// `platforms.managedIdentity`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identity {
    /// Client id of the one identity.
    client_id: String,
    /// Its resource id, when it is user-assigned; else it is the machine's own.
    resource_id: Option<String>,
    /// `IDENTITY_HEADER` of App Service.
    #[serde(default)]
    header: String,
    /// The file that the agent of Azure Arc wants to be shown, and its content.
    #[serde(default)]
    key_file: String,
    #[serde(default)]
    key: String,
}

impl Identity {
    /// Whether the one that is asked for is this one; `names` are those of the client id and of the resource id.
    fn is_meant(&self, knock: &Knock<'_>, names: (&str, &str)) -> bool {
        let by_client = knock.query(names.0);
        let by_resource = knock.query(names.1);
        match (by_client, by_resource) {
            (None, None) => self.resource_id.is_none(),
            (Some(id), _) => self.client_id.eq_ignore_ascii_case(id),
            (None, Some(id)) => {
                let own = self.resource_id.as_deref();
                own.is_some_and(|own| own.eq_ignore_ascii_case(id))
            }
        }
    }
}

fn identity(state: &State) -> Option<&Identity> {
    state.tenant.profile.platforms.managed_identity.as_ref()
}

/// `GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=...`.
pub(super) fn metadata(state: &State, knock: &Knock<'_>) -> Reply {
    let Some(identity) = identity(state) else {
        return nothing();
    };
    if let Some(bad) = malformed(knock, "2018-02-01") {
        return bad;
    }
    if !identity.is_meant(knock, ("client_id", "msi_res_id")) {
        return refusal(400, "invalid_request", "Identity not found");
    }
    token(state, identity, knock)
}

/// `GET /app-service/token?api-version=2019-08-01&resource=...`.
pub(super) fn app_service(state: &State, knock: &Knock<'_>) -> Reply {
    let Some(identity) = identity(state) else {
        return nothing();
    };
    if knock.header("x-identity-header") != Some(identity.header.as_str()) {
        return reply(401, &json!({"statusCode": 401, "message": "Unauthorized"}));
    }
    if knock.query("api-version") != Some("2019-08-01") {
        return reply(
            400,
            &json!({"statusCode": 400, "message": "Unsupported version"}),
        );
    }
    if !identity.is_meant(knock, ("client_id", "mi_res_id")) {
        let message = "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.";
        return reply(400, &json!({"statusCode": 400, "message": message}));
    }
    token(state, identity, knock)
}

/// `GET /arc/token?api-version=2020-06-01&resource=...`, twice: the second time with the key.
pub(super) fn arc(state: &State, knock: &Knock<'_>) -> Reply {
    let Some(identity) = identity(state) else {
        return nothing();
    };
    if let Some(bad) = malformed(knock, "2020-06-01") {
        return bad;
    }
    let shown = knock
        .header("authorization")
        .and_then(|value| value.strip_prefix("Basic "));
    match shown {
        None => {
            let mut challenge = refusal(
                401,
                "unauthorized_client",
                "Missing Basic Authorization header",
            );
            challenge.header(
                "WWW-Authenticate",
                format!("Basic realm={}", identity.key_file),
            );
            challenge
        }
        Some(key) if key == identity.key => token(state, identity, knock),
        Some(_) => refusal(
            403,
            "unauthorized_client",
            "Invalid Basic Authorization header",
        ),
    }
}

fn malformed(knock: &Knock<'_>, version: &str) -> Option<Reply> {
    let bad = |description| Some(refusal(400, "invalid_request", description));
    if knock.header("metadata") != Some("true") {
        bad("Required metadata header not specified")
    } else if knock.header("x-forwarded-for").is_some() {
        bad("Forwarded requests are not answered")
    } else if knock.method != "GET" {
        bad("Only GET is allowed")
    } else if knock.query("api-version") != Some(version) {
        bad("Invalid api-version")
    } else {
        None
    }
}

fn token(state: &State, identity: &Identity, knock: &Knock<'_>) -> Reply {
    let Some(resource) = knock
        .query("resource")
        .filter(|resource| *resource == GRAPH)
    else {
        return refusal(
            400,
            "invalid_resource",
            "The resource principal was not found in the tenant",
        );
    };
    let lifetime = state.options.expires_in.unwrap_or(LIFETIME);
    let bearer = Bearer {
        client_id: &identity.client_id,
        permissions: &state.tenant.profile.app.permissions,
        is_delegated: false,
    };
    let token = bearer.issue(state, resource, lifetime);
    let end = knock.trace.at.as_second().saturating_add_unsigned(lifetime);
    // Numbers come as texts.
    let body: Value = json!({
        "access_token": token,
        "client_id": identity.client_id,
        "expires_in": lifetime.to_string(),
        "expires_on": end.to_string(),
        "resource": resource,
        "token_type": "Bearer",
    });
    reply(200, &body)
}
