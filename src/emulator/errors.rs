//! Error answers of Graph and of the token endpoint, worded as the services word them (`fixtures/graph/errors.json`).
use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Catalogue {
    graph: BTreeMap<String, GraphError>,
    aadsts: BTreeMap<String, EntraError>,
}

#[derive(Deserialize)]
struct GraphError {
    status: u16,
    code: String,
    message: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct EntraError {
    status: u16,
    error: String,
    text: String,
}

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        serde_json::from_str(include_str!("../../fixtures/graph/errors.json"))
            .expect("errors.json is part of the program and parsed by a test")
    })
}

/// Puts `args` in the place of `{0}`, `{1}` ...
fn fill(template: &str, args: &[&str]) -> String {
    let mut text = template.to_owned();
    for (index, arg) in args.iter().enumerate() {
        text = text.replace(&format!("{{{index}}}"), arg);
    }
    text
}

/// A refusal by Graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) headers: Vec<(String, String)>,
}

impl Failure {
    /// The error `key` of the catalogue with its blanks filled in. An unknown key is a mistake of ours and shows as a 500.
    pub(super) fn new(key: &str, args: &[&str]) -> Self {
        let Some(entry) = catalogue().graph.get(key) else {
            return Self {
                status: 500,
                code: "generalException".to_owned(),
                message: format!("the emulator has no error {key:?}"),
                headers: Vec::new(),
            };
        };
        Self {
            status: entry.status,
            code: entry.code.clone(),
            message: fill(&entry.message, args),
            headers: entry
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), fill(value, args)))
                .collect(),
        }
    }

    /// Whether the catalogue has this key.
    #[cfg(test)]
    pub(super) fn exists(key: &str) -> bool {
        catalogue().graph.contains_key(key)
    }

    /// A 400 with code `BadRequest`.
    pub(super) fn bad_request(message: &str) -> Self {
        Self::new("badRequest", &[message])
    }

    /// A 400 with code `Request_UnsupportedQuery`.
    pub(super) fn unsupported(message: &str) -> Self {
        Self::new("unsupported", &[message])
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The body on the wire.
    pub(super) fn body(&self, trace: &Trace) -> Vec<u8> {
        let inner = json!({
            "date": trace.date(),
            "request-id": trace.request_id,
            "client-request-id": trace.client_request_id,
        });
        json!({"error": {"code": self.code, "message": self.message, "innerError": inner}})
            .to_string()
            .into_bytes()
    }
}

/// What identifies a request in its answer.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    pub(super) at: jiff::Timestamp,
    pub(super) request_id: String,
    pub(super) client_request_id: String,
}

impl Trace {
    /// `client`: the header `client-request-id`, repeated in the answer.
    pub(super) fn new(at: jiff::Timestamp, client: Option<&str>) -> Self {
        let request_id = uuid::Uuid::new_v4().to_string();
        Self {
            at,
            client_request_id: client.map_or_else(|| request_id.clone(), ToOwned::to_owned),
            request_id,
        }
    }

    fn date(&self) -> String {
        self.at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }
}

/// Status and body of an error of the token endpoint; `code` is the AADSTS number.
pub(super) fn entra(code: &str, args: &[&str], trace: &Trace) -> (u16, Vec<u8>) {
    let Some(entry) = catalogue().aadsts.get(code) else {
        return (
            500,
            format!("the emulator has no AADSTS{code}").into_bytes(),
        );
    };
    let at = trace.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    let number: u64 = code.parse().unwrap_or_default();
    let body = json!({
        "error": entry.error,
        "error_description": format!(
            "AADSTS{code}: {} Trace ID: {} Correlation ID: {} Timestamp: {at}",
            fill(&entry.text, args), trace.request_id, trace.client_request_id,
        ),
        "error_codes": [number],
        "timestamp": at,
        "trace_id": trace.request_id,
        "correlation_id": trace.client_request_id,
        "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
    });
    (entry.status, body.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_filled_and_unknown_keys_show() {
        let failure = Failure::new("unknownProperty", &["isPrivileged", "microsoft.graph.user"]);
        assert_eq!(failure.status, 400);
        assert!(failure.message.ends_with(
            "Could not find a property named 'isPrivileged' on type 'microsoft.graph.user'."
        ));
        assert_eq!(Failure::new("no such key", &[]).status, 500);
    }
}
