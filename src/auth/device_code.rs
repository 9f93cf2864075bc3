//! Device code: a person signs in with a browser, anywhere, by typing a code.
//!
//! Promises that the code to be typed is all that is shown, that the sign-in service is asked no more often than it wants, and that
//! the refresh token stays in memory. Sources: RFC 8628,
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code>.

use std::time::Duration;

use futures_util::future::BoxFuture;
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicErrorResponseType, BasicTokenResponse};
use oauth2::http::{Method, header};
use oauth2::url::form_urlencoded::Serializer;
use oauth2::{
    AuthType, ClientId, DeviceAuthorizationResponse, DeviceAuthorizationUrl,
    ExtraDeviceAuthorizationFields, HttpRequest, RefreshToken, RequestTokenError, Scope,
    StandardErrorResponse,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use thiserror::Error as ThisError;

use super::entra::{Entra, Exchange, Fault, Settled, Who, misfit};
use super::error::AuthError;
use super::grant::{Failure, Granted};
use crate::graph::{later, printable};

/// Asks for what renews the token without the person.
const OFFLINE: &str = "offline_access";
/// RFC 8628: what `slow_down` adds to the interval.
const SLOWER: Duration = Duration::from_secs(5);
/// Never asked more often, whatever the interval is said to be.
const LEAST: Duration = Duration::from_secs(1);

/// A directory role that covers nearly every read that this program makes for a person.
pub const ROLE: &str = "Global Reader";

/// Reads that take more than [`ROLE`], and what they take. A person reaches only what both the delegated permission and a directory
/// role allow. Source: the "Permissions" section of the Graph page of each request.
pub const BEYOND_ROLE: [(&str, &str); 2] = [
    (
        "/directory/onPremisesSynchronization",
        "the role Global Administrator",
    ),
    (
        "/users/{id}/mailFolders/inbox/messageRules",
        "an application: a person reads the rules of the own mailbox only",
    ),
];

/// A person who is to sign in.
#[derive(Debug, Clone)]
pub struct DeviceCode {
    /// The tenant: a GUID in lower case or a domain.
    pub tenant: String,
    /// The application (client) id: a GUID in lower case. Its registration must allow public client flows.
    pub client_id: String,
}

/// Shows a person what to do: one line of Entra's, printable and cut.
pub type Prompt = Box<dyn Fn(&str) + Send + Sync>;

/// Why nobody signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum DeviceCodeProblem {
    /// The person said no.
    #[error("the sign-in was declined in the browser")]
    Declined,
    /// Nobody typed the code in time (15 minutes, as a rule).
    #[error("the code was not used in time")]
    Expired,
}

/// Entra's sentence, which `oauth2` does not know.
#[derive(Debug, Serialize, Deserialize)]
struct Extra {
    #[serde(default)]
    message: String,
}

impl ExtraDeviceAuthorizationFields for Extra {}

type Authorization = DeviceAuthorizationResponse<Extra>;
type Refused = RequestTokenError<Fault, StandardErrorResponse<BasicErrorResponseType>>;

/// Asks once: with the refresh token if there is one, else a person.
///
/// Waits for the person through the clock.
pub(super) async fn ask(
    person: &DeviceCode,
    entra: &Entra,
    prompt: &Prompt,
    claims: Option<&str>,
    refresh: Option<&SecretString>,
) -> Result<Granted, Failure> {
    let who = Who {
        tenant: &person.tenant,
        client_id: &person.client_id,
    };
    if let Some(refresh) = refresh {
        return renew(who, entra, claims, refresh).await;
    }
    let authorization = authorize(who, entra).await?;
    prompt(&instruction(&authorization));
    wait_for_person(who, entra, claims, &authorization).await
}

async fn authorize(who: Who<'_>, entra: &Entra) -> Result<Authorization, Failure> {
    let url = DeviceAuthorizationUrl::new(entra.endpoints.device_code_url(who.tenant))
        .map_err(|_| misfit(who))?;
    let client = BasicClient::new(ClientId::new(who.client_id.to_owned()))
        .set_device_authorization_url(url)
        .set_auth_type(AuthType::RequestBody);
    let request = client
        .exchange_device_code()
        .add_scope(Scope::new(entra.endpoints.scope().to_owned()))
        .add_scope(Scope::new(OFFLINE.to_owned()));
    let send = entra.exchange();
    // Boxed for the same reason as in `application`.
    let settled: BoxFuture<'_, Result<Authorization, Refused>> =
        Box::pin(request.request_async(&send));
    settled.await.map_err(|error| entra.refused(who, error))
}

/// What to tell the person. A message of our own stands in for one that is missing.
fn instruction(authorization: &Authorization) -> String {
    let message = printable(&authorization.extra_fields().message, 300);
    if message.is_empty() {
        let address = printable(authorization.verification_uri().as_str(), 100);
        let code = printable(authorization.user_code().secret(), 40);
        format!("To sign in, open {address} in a browser and enter the code {code}.")
    } else {
        message
    }
}

async fn wait_for_person(
    who: Who<'_>,
    entra: &Entra,
    claims: Option<&str>,
    authorization: &Authorization,
) -> Result<Granted, Failure> {
    let url = entra.token_url(who)?;
    let send = entra.exchange();
    let end = later(entra.clock.now(), authorization.expires_in());
    let mut interval = authorization.interval().max(LEAST);
    loop {
        entra.clock.sleep(interval).await;
        let started = entra.clock.now();
        if started >= end {
            return Err(DeviceCodeProblem::Expired.into());
        }
        let body = form(who, claims, authorization.device_code().secret());
        let mut request = HttpRequest::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url.as_str().parse().map_err(|_| misfit(who))?;
        request.headers_mut().insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        let fault = match send(request).await {
            Ok(answer) => {
                let answer: Result<BasicTokenResponse, _> = serde_json::from_slice(answer.body());
                return match answer {
                    Ok(answer) => entra.granted(who, started, Ok(answer)),
                    Err(_) => Err(Failure::lasting(entra.not_entra(
                        who,
                        200,
                        "JSON without a token",
                    ))),
                };
            }
            Err(fault) => fault,
        };
        match word(&fault).as_deref() {
            Some("authorization_pending") => {}
            Some("slow_down") => interval += SLOWER,
            Some("authorization_declined") => return Err(DeviceCodeProblem::Declined.into()),
            Some("expired_token") => return Err(DeviceCodeProblem::Expired.into()),
            _ => {
                let failure = entra.failure(who, fault);
                if !failure.passing {
                    return Err(failure);
                }
                // RFC 8628, 3.5: a time-out asks for fewer requests.
                interval = failure.wait.unwrap_or(interval * 2).max(interval);
            }
        }
    }
}

/// The request of a poll, which `oauth2` makes only together with a loop and a clock of its own.
fn form(who: Who<'_>, claims: Option<&str>, device_code: &str) -> Vec<u8> {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:device_code")
        .append_pair("client_id", who.client_id)
        .append_pair("device_code", device_code);
    if let Some(claims) = claims {
        form.append_pair("claims", claims);
    }
    form.finish().into_bytes()
}

/// The `error` of a refusal (RFC 8628, 3.5).
fn word(fault: &Fault) -> Option<String> {
    #[derive(Deserialize)]
    struct Wire {
        error: String,
    }
    match fault {
        Fault::Status { body, .. } => serde_json::from_slice::<Wire>(body)
            .ok()
            .map(|wire| wire.error),
        Fault::Network(_) => None,
    }
}

async fn renew(
    who: Who<'_>,
    entra: &Entra,
    claims: Option<&str>,
    refresh: &SecretString,
) -> Result<Granted, Failure> {
    let token = RefreshToken::new(refresh.expose_secret().to_owned());
    let client = BasicClient::new(ClientId::new(who.client_id.to_owned()))
        .set_token_uri(entra.token_url(who)?)
        .set_auth_type(AuthType::RequestBody);
    let mut request = client
        .exchange_refresh_token(&token)
        .add_scope(Scope::new(entra.endpoints.scope().to_owned()))
        .add_scope(Scope::new(OFFLINE.to_owned()));
    if let Some(claims) = claims {
        request = request.add_extra_param("claims", claims.to_owned());
    }
    let started = entra.clock.now();
    let send = entra.exchange();
    let settled = settle(request, &send).await;
    let mut granted = entra.granted(who, started, settled)?;
    // An answer without a new one leaves the old one in force.
    granted.refresh.get_or_insert_with(|| refresh.clone());
    Ok(granted)
}

fn settle<'a>(
    request: oauth2::RefreshTokenRequest<'a, BasicErrorResponse, BasicTokenResponse>,
    send: &'a Exchange,
) -> BoxFuture<'a, Settled> {
    Box::pin(request.request_async(send))
}

impl From<DeviceCodeProblem> for Failure {
    fn from(problem: DeviceCodeProblem) -> Self {
        Self::lasting(AuthError::DeviceCode(problem))
    }
}
