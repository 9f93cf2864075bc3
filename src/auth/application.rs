//! An application that signs in by itself (client credentials): with a secret, a certificate, or the token of another issuer.

use futures_util::future::BoxFuture;
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::{AuthType, ClientCredentialsTokenRequest, ClientId, ClientSecret, Scope};
use secrecy::{ExposeSecret as _, SecretString};

use super::credential::{Application, Credential};
use super::entra::{Entra, Exchange, Settled, Who};
use super::grant::{Failure, Granted};
use super::refusal::Presented;

/// Source: <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>; federation uses the same type.
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Asks once. `claims` is what Graph challenged the last token with.
pub(super) async fn ask(
    application: &Application,
    entra: &Entra,
    claims: Option<&str>,
) -> Result<Granted, Failure> {
    let Application {
        tenant,
        client_id,
        credential,
    } = application;
    let who = Who { tenant, client_id };
    let token_url = entra.token_url(who)?;
    // The assertion first: it may have to be fetched, and the token's life begins after that.
    let assertion: Option<SecretString> = match credential {
        Credential::Secret(_) => None,
        Credential::Certificate(certificate) => {
            Some(certificate.assertion(client_id, token_url.as_str(), entra.clock.now())?)
        }
        Credential::Federated(federated) => Some(federated.assertion(entra.clock.as_ref()).await?),
    };
    let mut client = BasicClient::new(ClientId::new(client_id.clone()))
        .set_token_uri(token_url)
        .set_auth_type(AuthType::RequestBody);
    if let Credential::Secret(secret) = credential {
        client = client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
    }
    let mut request = client
        .exchange_client_credentials()
        .add_scope(Scope::new(entra.endpoints.scope().to_owned()));
    if let Some(assertion) = &assertion {
        request = request
            .add_extra_param("client_assertion_type", ASSERTION)
            .add_extra_param("client_assertion", assertion.expose_secret().to_owned());
    }
    if let Some(claims) = claims {
        request = request.add_extra_param("claims", claims.to_owned());
    }
    let started = entra.clock.now();
    let settled = settle(request, &entra.exchange()).await;
    entra.granted(who, started, settled).map_err(|failure| {
        failure.explained(|refused| match credential {
            Credential::Secret(_) => {}
            Credential::Certificate(certificate) => {
                refused.thumbprints = Some(certificate.thumbprints().clone());
            }
            Credential::Federated(_) => {
                refused.presented = assertion
                    .as_ref()
                    .and_then(|token| Presented::of(token.expose_secret()));
            }
        })
    })
}

type TokenRequest<'a> = ClientCredentialsTokenRequest<'a, BasicErrorResponse, BasicTokenResponse>;

/// Boxed here, with one named lifetime: the compiler cannot prove the future of `oauth2` to be `Send` otherwise.
fn settle<'a>(request: TokenRequest<'a>, send: &'a Exchange) -> BoxFuture<'a, Settled> {
    Box::pin(request.request_async(send))
}
