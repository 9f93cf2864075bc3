//! The OIDC endpoint of an Azure DevOps job.
use serde::Deserialize;
use serde_json::json;

use super::platforms::{Knock, job_claims, nothing, reply};
use super::reply::Reply;
use super::state::State;
use super::token::unsigned;

pub(super) const PATH: &str = "/azure-devops/oidc";
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// `platforms.azureDevOps`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Job {
    access_token: String,
    service_connection_id: String,
    issuer: String,
    subject: String,
}

/// `POST /azure-devops/oidc?api-version=7.1&serviceConnectionId=...`.
pub(super) fn answer(state: &State, knock: &Knock<'_>) -> Reply {
    let Some(job) = &state.tenant.profile.platforms.azure_dev_ops else {
        return nothing();
    };
    let json_body = knock
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/json"));
    if knock.method != "POST" || !json_body || knock.query("api-version") != Some("7.1") {
        return reply(400, &json!({"message": "Bad request"}));
    }
    if !knock.bears(&job.access_token) {
        if knock.header("x-tfs-fedauthredirect") == Some("Suppress") {
            return reply(401, &json!({"message": "Access denied"}));
        }
        let mut away = Reply::new(302, "text/html", Vec::new());
        away.header(
            "Location",
            "https://spsprodweu1.vssps.visualstudio.com/_signin",
        );
        return away;
    }
    if knock.query("serviceConnectionId") != Some(job.service_connection_id.as_str()) {
        return reply(
            404,
            &json!({"message": "No service connection with this id"}),
        );
    }
    let claims = job_claims(knock.trace, (&job.issuer, &job.subject, AUDIENCE));
    reply(200, &json!({"oidcToken": unsigned(&claims)}))
}
