//! The Entra token endpoint for applications and for a person with a device code, and the OpenID metadata of the tenant.
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Value, json};

use super::device_code::{Person, Poll};
use super::errors::{Trace, entra};
use super::odata::pairs;
use super::reply::Reply;
use super::state::State;
use super::tenant::{App, Certificate};

const JSON: &str = "application/json; charset=utf-8";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Entra tolerates clocks that differ by about five minutes.
const SKEW: i64 = 300;

/// Why there is no token.
enum Refusal {
    /// An AADSTS number with what is filled into its text.
    Numbered(String, Vec<String>),
    /// An error of RFC 8628 that has no number.
    Plain(&'static str),
}

fn refused(code: &str, args: &[&str]) -> Refusal {
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    Refusal::Numbered(code.to_owned(), args)
}

fn reply(result: Result<Value, Refusal>, trace: &Trace) -> Reply {
    let mut reply = match result {
        Ok(body) => Reply::new(200, JSON, body.to_string().into_bytes()),
        Err(Refusal::Numbered(code, args)) => {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let (status, body) = entra(&code, &args, trace);
            Reply::new(status, JSON, body)
        }
        Err(Refusal::Plain(error)) => {
            let body = json!({"error": error, "error_description": error});
            Reply::new(400, JSON, body.to_string().into_bytes())
        }
    };
    reply.header("Cache-Control", "no-store, no-cache");
    reply.header("Pragma", "no-cache");
    reply.header("x-ms-request-id", &trace.request_id);
    reply
}

/// A request for a token.
pub(super) struct TokenAsk<'a> {
    pub(super) method: &'a str,
    /// Tenant in the path.
    pub(super) tenant: &'a str,
    /// Authority of the request, `host:port`.
    pub(super) host: &'a str,
    /// Path of the request.
    pub(super) path: &'a str,
    pub(super) content_type: &'a str,
    pub(super) body: &'a str,
    pub(super) trace: Trace,
}

/// `POST /{tenant}/oauth2/v2.0/token`.
pub(super) fn answer(state: &State, ask: &TokenAsk<'_>) -> Reply {
    reply(grant(state, ask), &ask.trace)
}

fn grant(state: &State, ask: &TokenAsk<'_>) -> Result<Value, Refusal> {
    if ask.method != "POST" {
        return Err(refused("900561", &[ask.method]));
    }
    let form = if ask
        .content_type
        .starts_with("application/x-www-form-urlencoded")
    {
        pairs(ask.body)
    } else {
        Vec::new()
    };
    let field = |name: &str| {
        form.iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    };
    let need = |name: &str| {
        field(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| refused("900144", &[name]))
    };
    let grant_type = need("grant_type")?;
    if !matches!(
        grant_type,
        "client_credentials" | "refresh_token" | DEVICE_CODE
    ) {
        return Err(refused("70003", &[grant_type]));
    }
    check_tenant(state, ask.tenant)?;
    check_app(state, need("client_id")?)?;
    let app = &state.tenant.profile.app;
    match grant_type {
        DEVICE_CODE => {
            let person = person(app)?;
            return match state.codes.poll(person, need("device_code")?) {
                Poll::Granted => Ok(delegated(state, person)),
                Poll::Refused(code) => Err(refused(&code, &[])),
                Poll::Plain(error) => Err(Refusal::Plain(error)),
            };
        }
        "refresh_token" => {
            let person = person(app)?;
            return if state.codes.redeem(need("refresh_token")?) {
                Ok(delegated(state, person))
            } else {
                Err(refused("700082", &[]))
            };
        }
        _ => {}
    }
    let resource = check_scope(state, ask.host, need("scope")?)?;
    match (field("client_secret"), field("client_assertion")) {
        (Some(secret), _) => check_secret(state, secret)?,
        (None, Some(assertion)) => {
            if need("client_assertion_type")? != ASSERTION_TYPE {
                return Err(refused("900144", &["client_assertion_type"]));
            }
            check_assertion(app, assertion, ask)?;
        }
        (None, None) => return Err(refused("7000218", &[])),
    }
    let lifetime = state.options.expires_in.unwrap_or(3_599);
    let bearer = Bearer {
        client_id: &app.client_id,
        permissions: &app.permissions,
        is_delegated: false,
    };
    let token = bearer.issue(state, resource, lifetime);
    Ok(json!({
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": token,
    }))
}

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The person who signs in with a device code, if the application may be used so.
fn person(app: &App) -> Result<&Person, Refusal> {
    app.person.as_ref().ok_or_else(|| refused("7000218", &[]))
}

/// A token for the person, with what renews it.
fn delegated(state: &State, person: &Person) -> Value {
    let app = &state.tenant.profile.app;
    let lifetime = state.options.expires_in.unwrap_or(3_599);
    let permissions = person.scopes.as_ref().unwrap_or(&app.permissions);
    let bearer = Bearer {
        client_id: &app.client_id,
        permissions,
        is_delegated: true,
    };
    json!({
        "token_type": "Bearer",
        "scope": permissions.join(" "),
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": bearer.issue(state, GRAPH, lifetime),
        "refresh_token": state.codes.refresh_token(),
    })
}

/// `POST /{tenant}/oauth2/v2.0/devicecode`.
pub(super) fn device_code(state: &State, ask: &TokenAsk<'_>, origin: &str) -> Reply {
    let form = pairs(ask.body);
    let field = |name: &str| {
        let found = form.iter().find(|(own, _)| own == name);
        found
            .map(|(_, value)| value.as_str())
            .ok_or_else(|| refused("900144", &[name]))
    };
    let answer = || {
        if ask.method != "POST" {
            return Err(refused("900561", &[ask.method]));
        }
        check_tenant(state, ask.tenant)?;
        check_app(state, field("client_id")?)?;
        let scope = field("scope")?;
        let scopes: Vec<&str> = scope.split(' ').collect();
        match scopes.as_slice() {
            [graph, "offline_access"] => check_scope(state, ask.host, graph)?,
            _ => return Err(refused("70011", &[scope])),
        };
        // Whether the application may do this is said when it asks for the token.
        let nobody = Person::default();
        let person = state.tenant.profile.app.person.as_ref();
        Ok(state.codes.hand_out(person.unwrap_or(&nobody), origin))
    };
    reply(answer(), &ask.trace)
}

fn check_app(state: &State, client_id: &str) -> Result<(), Refusal> {
    let app = &state.tenant.profile.app;
    if !client_id.eq_ignore_ascii_case(&app.client_id) {
        Err(refused("700016", &[client_id, state.tenant.tenant_id()]))
    } else if !app.enabled {
        Err(refused("7000112", &[client_id]))
    } else if !app.consented {
        Err(refused("7000229", &[client_id, state.tenant.tenant_id()]))
    } else {
        Ok(())
    }
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::parse_str(text).is_ok()
}

fn check_tenant(state: &State, tenant: &str) -> Result<(), Refusal> {
    let profile = &state.tenant.profile;
    let known = profile.tenant_id.eq_ignore_ascii_case(tenant)
        || profile
            .domains
            .iter()
            .any(|domain| domain.eq_ignore_ascii_case(tenant));
    if known {
        return Ok(());
    }
    let shared = matches!(tenant, "common" | "organizations" | "consumers");
    if is_guid(tenant) || tenant.contains('.') || shared {
        Err(refused("90002", &[tenant]))
    } else {
        Err(refused("900023", &[tenant]))
    }
}

/// The Graph of the cloud that is played here; its name is known to Entra although this server answers for it.
pub(super) const GRAPH: &str = "https://graph.microsoft.com";

/// The resource that the scope asks for: `{graph root}/.default`, where the root is this server or the global cloud's Graph.
fn check_scope<'a>(state: &State, host: &str, scope: &'a str) -> Result<&'a str, Refusal> {
    let is_here = |url: &str| {
        url.strip_prefix("http://")
            .or_else(|| url.strip_prefix("https://"))
            .is_some_and(|authority| authority == host)
    };
    match scope.strip_suffix("/.default") {
        Some(resource) if resource == GRAPH || is_here(resource) => Ok(resource),
        Some(resource) => Err(refused("500011", &[resource, state.tenant.tenant_id()])),
        None if scope.contains("://") && !scope.contains(' ') => Err(refused("1002012", &[scope])),
        None => Err(refused("70011", &[scope])),
    }
}

/// A secret is judged by the date of the data, so that a sample tenant does not lose its secret with time.
fn check_secret(state: &State, secret: &str) -> Result<(), Refusal> {
    let app = &state.tenant.profile.app;
    let Some(found) = app.secrets.iter().find(|own| own.value == secret) else {
        return Err(refused("7000215", &[&app.client_id]));
    };
    match found.end_date_time {
        Some(end) if end <= state.tenant.now() => Err(refused("7000222", &[&app.client_id])),
        _ => Ok(()),
    }
}

fn decode_json(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn check_assertion(app: &App, assertion: &str, ask: &TokenAsk<'_>) -> Result<(), Refusal> {
    let malformed = |what: &str| refused("50027", &[what]);
    let parts: Vec<&str> = assertion.split('.').collect();
    let [head, body, signature] = parts.as_slice() else {
        return Err(malformed("JWT must have three segments."));
    };
    let (Some(header), Some(claims)) = (decode_json(head), decode_json(body)) else {
        return Err(malformed("Segments must be base64url of JSON."));
    };
    let text = |value: &Value, name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .map(ToOwned::to_owned)
    };
    let algorithm = match text(&header, "alg").as_deref() {
        Some("PS256") => Algorithm::PS256,
        Some("RS256") => Algorithm::RS256,
        _ => return Err(malformed("The algorithm must be PS256 or RS256.")),
    };
    if signature.is_empty() || URL_SAFE_NO_PAD.decode(signature).is_err() {
        return Err(malformed("The signature is missing."));
    }
    let (Some(issuer), Some(subject), Some(audience)) = (
        text(&claims, "iss"),
        text(&claims, "sub"),
        text(&claims, "aud"),
    ) else {
        return Err(malformed("iss, sub or aud is missing."));
    };
    let (Some(expiry), begin) = (
        claims.get("exp").and_then(Value::as_i64),
        claims.get("nbf").and_then(Value::as_i64),
    ) else {
        return Err(malformed("exp is missing or not a whole number."));
    };
    let own = |value: &str| value.eq_ignore_ascii_case(&app.client_id);
    if issuer.starts_with("https://") {
        federated(app, &issuer, &subject, &audience)?;
        return in_time(expiry, begin, ask);
    }
    if !own(&issuer) || !own(&subject) {
        return Err(refused("700021", &[]));
    }
    let expected = format!("{}{}", ask.host, ask.path);
    let here = audience
        .strip_prefix("http://")
        .or_else(|| audience.strip_prefix("https://"))
        .is_some_and(|rest| rest == expected);
    if !here {
        return Err(refused("700023", &[]));
    }
    in_time(expiry, begin, ask)?;
    let (sha256, sha1) = (text(&header, "x5t#S256"), text(&header, "x5t"));
    let thumbprint = hex(sha256.as_deref().or(sha1.as_deref()).unwrap_or_default());
    let found = app.certificates.iter().find(|certificate| {
        (sha256.is_some() && certificate.sha256 == sha256)
            || (sha1.is_some() && certificate.sha1 == sha1)
    });
    let unregistered = |reason: &str| refused("700027", &[reason, &thumbprint, &app.client_id]);
    let Some(certificate) = found else {
        return Err(unregistered("The key was not found."));
    };
    if signature_holds(certificate, &format!("{head}.{body}"), signature, algorithm) {
        Ok(())
    } else {
        Err(unregistered(
            "Key was found, but use of the key to verify the signature failed.",
        ))
    }
}

fn in_time(expiry: i64, begin: Option<i64>, ask: &TokenAsk<'_>) -> Result<(), Refusal> {
    let now = ask.trace.at;
    let seconds = now.as_second();
    if seconds > expiry + SKEW || begin.is_some_and(|begin| seconds < begin - SKEW) {
        let show = |at: jiff::Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S.0000000Z").to_string();
        let end = jiff::Timestamp::from_second(expiry).unwrap_or(jiff::Timestamp::MAX);
        return Err(refused("700024", &[&show(now), &show(end)]));
    }
    Ok(())
}

/// A token of another issuer; its signature cannot be checked here.
fn federated(app: &App, issuer: &str, subject: &str, audience: &str) -> Result<(), Refusal> {
    let by_issuer: Vec<_> = app
        .federated_credentials
        .iter()
        .filter(|own| own.issuer == issuer)
        .collect();
    if by_issuer.is_empty() {
        return Err(refused("700211", &[issuer]));
    }
    if !by_issuer.iter().any(|own| own.audience == audience) {
        return Err(refused("700212", &[audience]));
    }
    if by_issuer
        .iter()
        .any(|own| own.audience == audience && own.subject == subject)
    {
        Ok(())
    } else {
        Err(refused("700213", &[subject]))
    }
}

/// Without a registered public key any signature holds.
fn signature_holds(
    certificate: &Certificate,
    message: &str,
    signature: &str,
    algorithm: Algorithm,
) -> bool {
    let Some(pem) = &certificate.public_key else {
        return true;
    };
    DecodingKey::from_rsa_pem(pem.as_bytes())
        .and_then(|key| {
            jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, algorithm)
        })
        .unwrap_or(false)
}

/// A base64url thumbprint in capital hexadecimal digits, as Entra shows it.
fn hex(thumbprint: &str) -> String {
    use std::fmt::Write;
    let bytes = URL_SAFE_NO_PAD
        .decode(thumbprint)
        .or_else(|_| STANDARD.decode(thumbprint));
    let mut text = String::new();
    for byte in bytes.unwrap_or_default() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

/// Whom an access token is for.
pub(super) struct Bearer<'a> {
    pub(super) client_id: &'a str,
    pub(super) permissions: &'a [String],
    pub(super) is_delegated: bool,
}

impl Bearer<'_> {
    /// Makes a token that this server's Graph accepts.
    pub(super) fn issue(&self, state: &State, resource: &str, lifetime: u64) -> String {
        state.issue(lifetime, self.permissions, |now| {
            self.jwt(state, resource, now, lifetime)
        })
    }

    /// An access token of version 1.0, as Graph gets them.
    fn jwt(&self, state: &State, resource: &str, now: jiff::Timestamp, lifetime: u64) -> String {
        let profile = &state.tenant.profile;
        let issuer = format!("https://sts.windows.net/{}/", profile.tenant_id);
        let at = now.as_second();
        let mut claims = json!({
            "aud": resource,
            "iss": issuer,
            "iat": at,
            "nbf": at,
            "exp": at.saturating_add_unsigned(lifetime),
            "app_displayname": "m365 auditor",
            "appid": self.client_id,
            "appidacr": if self.is_delegated { "0" } else { "1" },
            "idp": issuer,
            "idtyp": if self.is_delegated { "user" } else { "app" },
            "oid": self.client_id,
            "sub": self.client_id,
            "tid": profile.tenant_id,
            "uti": uuid::Uuid::new_v4().simple().to_string(),
            "ver": "1.0",
            "wids": ["0997a1d0-0d1d-4acb-b408-d5ca73121e90"],
        });
        if self.is_delegated {
            claims["scp"] = json!(self.permissions.join(" "));
        } else if !self.permissions.is_empty() {
            // Documented: without a grant the claim is absent.
            claims["roles"] = json!(self.permissions);
        }
        unsigned(&claims)
    }
}

/// A JSON web token with these claims. The signature is random.
pub(super) fn unsigned(claims: &Value) -> String {
    let header =
        json!({"typ": "JWT", "alg": "RS256", "nonce": uuid::Uuid::new_v4().simple().to_string()});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let noise = [
        uuid::Uuid::new_v4().into_bytes(),
        uuid::Uuid::new_v4().into_bytes(),
    ]
    .concat();
    format!(
        "{}.{}.{}",
        part(&header),
        part(claims),
        URL_SAFE_NO_PAD.encode(noise)
    )
}

/// `GET /{tenant}/v2.0/.well-known/openid-configuration`.
pub(super) fn metadata(state: &State, tenant: &str, origin: &str, trace: &Trace) -> Reply {
    let result = check_tenant(state, tenant).map(|()| {
        let id = state.tenant.tenant_id();
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        json!({
            "token_endpoint": format!("{origin}/{id}/oauth2/v2.0/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": format!("{origin}/{id}/discovery/v2.0/keys"),
            "issuer": format!("{origin}/{id}/v2.0"),
            "device_authorization_endpoint": format!("{origin}/{id}/oauth2/v2.0/devicecode"),
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": host,
        })
    });
    reply(result, trace)
}
