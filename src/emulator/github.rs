//! The OIDC endpoint of a GitHub Actions job.
use serde::Deserialize;
use serde_json::json;

use super::platforms::{Knock, job_claims, nothing, reply};
use super::reply::Reply;
use super::state::State;
use super::token::unsigned;

pub(super) const PATH: &str = "/github/oidc";

/// `platforms.github`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Job {
    request_token: String,
    #[serde(default = "issuer")]
    issuer: String,
    subject: String,
}

fn issuer() -> String {
    "https://token.actions.githubusercontent.com".to_owned()
}

/// `GET /github/oidc?api-version=2.0&audience=...`.
pub(super) fn answer(state: &State, knock: &Knock<'_>) -> Reply {
    let Some(job) = &state.tenant.profile.platforms.github else {
        return nothing();
    };
    if knock.method != "GET" || knock.query("api-version") != Some("2.0") {
        return reply(400, &json!({"message": "Bad request"}));
    }
    if !knock.bears(&job.request_token) {
        return reply(401, &json!({"message": "Not authorized"}));
    }
    // Without an audience GitHub names the owner of the repository.
    let audience = knock
        .query("audience")
        .unwrap_or("https://github.com/owner");
    let claims = job_claims(knock.trace, (&job.issuer, &job.subject, audience));
    let token = unsigned(&claims);
    reply(200, &json!({"count": token.len(), "value": token}))
}
