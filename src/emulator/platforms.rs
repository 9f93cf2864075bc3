//! The places that hand out tokens besides Entra, as far as the tenant has them: one file for each.
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::Trace;
use super::odata::pairs;
use super::reply::Reply;
use super::state::State;
use super::{azure_devops, github, managed_identity};

const JSON: &str = "application/json; charset=utf-8";
/// Tokens of a job live minutes.
const LIFETIME: u64 = 300;

/// `platforms` of `tenant.json`.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Platforms {
    pub(super) github: Option<github::Job>,
    pub(super) azure_dev_ops: Option<azure_devops::Job>,
    pub(super) managed_identity: Option<managed_identity::Identity>,
}

/// A request to one of them.
pub(super) struct Knock<'a> {
    pub(super) method: &'a str,
    pub(super) headers: &'a HeaderMap,
    /// The query, decoded.
    query: Vec<(String, String)>,
    pub(super) trace: &'a Trace,
}

impl Knock<'_> {
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the request has this token.
    pub(super) fn bears(&self, token: &str) -> bool {
        self.header("authorization")
            .and_then(|value| value.split_once(' '))
            .is_some_and(|(kind, own)| kind.eq_ignore_ascii_case("bearer") && own == token)
    }
}

/// Answers a request to a platform; `None`: the path is of no platform.
pub(super) fn answer(
    state: &State,
    path: &str,
    method: &str,
    query: &str,
    headers: &HeaderMap,
    trace: &Trace,
) -> Option<Reply> {
    let respond = match path {
        github::PATH => github::answer,
        azure_devops::PATH => azure_devops::answer,
        managed_identity::METADATA => managed_identity::metadata,
        managed_identity::APP_SERVICE => managed_identity::app_service,
        managed_identity::ARC => managed_identity::arc,
        _ => return None,
    };
    let knock = Knock {
        method,
        headers,
        query: pairs(query),
        trace,
    };
    Some(respond(state, &knock))
}

/// A JSON answer.
pub(super) fn reply(status: u16, body: &Value) -> Reply {
    Reply::new(status, JSON, body.to_string().into_bytes())
}

/// A refusal as the metadata service words it.
pub(super) fn refusal(status: u16, error: &str, description: &str) -> Reply {
    reply(
        status,
        &json!({"error": error, "error_description": description}),
    )
}

/// What there is not.
pub(super) fn nothing() -> Reply {
    Reply::new(404, "text/plain", Vec::new())
}

/// The claims of an OIDC token of a job.
pub(super) fn job_claims(trace: &Trace, (issuer, subject, audience): (&str, &str, &str)) -> Value {
    let at = trace.at.as_second();
    json!({
        "iss": issuer,
        "sub": subject,
        "aud": audience,
        "iat": at,
        "nbf": at,
        "exp": at.saturating_add_unsigned(LIFETIME),
        "jti": uuid::Uuid::new_v4().to_string(),
    })
}
