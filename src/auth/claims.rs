//! What an access token says of itself: a hint, and nothing more.
//!
//! Promises that nothing is decided on it that Graph would not decide anyway: the signature is not checked (a token for Graph
//! does not verify by ordinary means), and Microsoft may encrypt the token one day. Nothing of it is ever logged.
//! Source of the claims: <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// The claims of an access token that tell what it is good for. Unverified; every list is sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `tid`, the tenant that issued it: a GUID in lower case.
    pub tenant: Option<String>,
    /// `appid` (tokens of version 1.0, as Graph gets them) or `azp`: client id of the application, a GUID in lower case.
    pub app_id: Option<String>,
    /// `roles`: application permissions granted on Graph. Empty: nothing is granted, or consent is younger than the token.
    pub roles: Vec<String>,
    /// `scp`: delegated permissions; what they reach depends on the roles of the person. Empty for an application.
    pub scopes: Vec<String>,
    /// `exp`, when it ends.
    pub expires: Option<Timestamp>,
    /// Whether it stands for a person (there is a `scp`), not for the application itself.
    pub is_delegated: bool,
}

#[derive(Deserialize)]
struct Wire {
    tid: Option<String>,
    appid: Option<String>,
    azp: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    scp: Option<String>,
    exp: Option<Value>,
}

impl Claims {
    /// Reads a token. `None`: it is opaque, encrypted, or not of the known shape.
    pub fn read(token: &str) -> Option<Self> {
        let wire: Wire = serde_json::from_slice(&payload(token)?).ok()?;
        Some(Self {
            tenant: guid(wire.tid),
            app_id: guid(wire.appid).or_else(|| guid(wire.azp)),
            roles: names(wire.roles.iter().map(String::as_str)),
            scopes: names(wire.scp.iter().flat_map(|scopes| scopes.split(' '))),
            expires: wire
                .exp
                .and_then(|exp| exp.as_i64())
                .and_then(|exp| Timestamp::from_second(exp).ok()),
            is_delegated: wire.scp.is_some(),
        })
    }

    /// Application and delegated permissions alike.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().chain(&self.scopes).map(String::as_str)
    }
}

/// The middle part of a signed token, decoded. An encrypted one has five parts.
pub(super) fn payload(token: &str) -> Option<Vec<u8>> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()
}

fn guid(text: Option<String>) -> Option<String> {
    uuid::Uuid::try_parse(&text?)
        .ok()
        .map(|guid| guid.to_string())
}

/// Names of permissions, sorted, each once; whatever is no such name is dropped.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let is_name = |name: &&str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    };
    let mut names: Vec<String> = names.filter(is_name).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}
