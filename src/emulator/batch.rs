//! JSON batching: up to 20 GETs in one POST, each checked, charged and answered on its own.
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::RequestLine;
use super::errors::{Failure, Trace};
use super::graph;
use super::reply::{Ask, Mishap, Reply};
use super::state::State;

const MAX_PARTS: usize = 20;

#[derive(Deserialize)]
struct Batch {
    requests: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// Answers a batch. `outer`: the request that carries it, its path is `/{version}/$batch`.
pub(super) fn answer(
    state: &State,
    outer: &Ask,
    body: &[u8],
    granted: &[String],
    line: &RequestLine,
) -> Reply {
    match parse(body) {
        Ok(batch) => run(state, outer, &batch, granted, line),
        Err(failure) => Reply::failure(&failure, &outer.trace),
    }
}

fn parse(body: &[u8]) -> Result<Batch, Failure> {
    let invalid =
        |what: String| Failure::bad_request(&format!("Invalid batch payload format. {what}"));
    let batch: Batch = serde_json::from_slice(body).map_err(|error| invalid(error.to_string()))?;
    if batch.requests.is_empty() {
        return Err(invalid("There are no requests.".to_owned()));
    }
    if batch.requests.len() > MAX_PARTS {
        return Err(Failure::bad_request(&format!(
            "Number of batch request steps exceeds the maximum value of {MAX_PARTS}."
        )));
    }
    for (index, part) in batch.requests.iter().enumerate() {
        let before = batch.requests.get(..index).unwrap_or_default();
        if before.iter().any(|other| other.id == part.id) {
            return Err(invalid(format!("The id '{}' is used twice.", part.id)));
        }
        if let Some(missing) = part
            .depends_on
            .iter()
            .find(|id| !before.iter().any(|other| other.id == **id))
        {
            return Err(invalid(format!(
                "'{}' depends on '{missing}', which does not precede it.",
                part.id
            )));
        }
        if !part.url.starts_with('/') || part.url.starts_with("//") {
            return Err(invalid(format!(
                "The url of '{}' must be relative to the version.",
                part.id
            )));
        }
    }
    Ok(batch)
}

fn run(state: &State, outer: &Ask, batch: &Batch, granted: &[String], line: &RequestLine) -> Reply {
    let version = outer.path.split('/').nth(1).unwrap_or_default();
    let mut statuses: BTreeMap<&str, u16> = BTreeMap::new();
    let mut responses = Vec::with_capacity(batch.requests.len());
    let mut whole = Reply::json(Vec::new());
    for part in &batch.requests {
        let failed = part.depends_on.iter().any(|id| {
            statuses
                .get(id.as_str())
                .is_some_and(|status| *status >= 400)
        });
        let ask = ask(outer, version, part);
        let reply = if failed {
            let failure = Failure {
                status: 424,
                code: "FailedDependency".to_owned(),
                ..Failure::bad_request("A request that this one depends on failed.")
            };
            Reply::failure(&failure, &ask.trace)
        } else if part.method.eq_ignore_ascii_case("GET") {
            graph::answer(state, &ask, granted)
        } else {
            Reply::failure(&Failure::new("methodNotAllowed", &[]), &ask.trace)
        };
        whole.revoke |= reply.revoke;
        whole.delay = whole.delay.max(reply.delay);
        statuses.insert(&part.id, reply.status);
        state.record(
            RequestLine {
                method: part.method.to_ascii_uppercase(),
                path: ask.path_and_query(),
                status: reply.status,
                batch_part: true,
                ..line.clone()
            },
            false,
        );
        responses.push(response(part, &reply));
    }
    // The order of answers is not the order of requests: a client has to go by id.
    responses.reverse();
    whole.body = json!({"responses": responses}).to_string().into_bytes();
    whole
}

fn ask(outer: &Ask, version: &str, part: &Part) -> Ask {
    let header = |name: &str| {
        part.headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    let (path, query) = part.url.split_once('?').unwrap_or((&part.url, ""));
    Ask {
        origin: outer.origin.clone(),
        path: format!("/{version}{path}"),
        query: query.to_owned(),
        eventual: header("ConsistencyLevel")
            .is_some_and(|value| value.eq_ignore_ascii_case("eventual")),
        prefer: header("Prefer").map(ToOwned::to_owned),
        trace: Trace::new(outer.trace.at, header("client-request-id")),
        batch_part: true,
    }
}

fn response(part: &Part, reply: &Reply) -> Value {
    let mut headers: Map<String, Value> = reply
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
        .collect();
    headers.insert("Cache-Control".to_owned(), Value::from("no-cache"));
    headers.insert("Content-Type".to_owned(), Value::from(reply.content_type));
    let kept = match reply.mishap {
        None => reply.body.as_slice(),
        Some(Mishap::Cut | Mishap::Reset) => b"",
    };
    // A plain number is a number, any other text a string, and no body no key.
    let body = serde_json::from_slice(kept).ok().or_else(|| {
        let text = String::from_utf8_lossy(kept);
        (!text.is_empty()).then(|| Value::from(text.into_owned()))
    });
    let mut response = json!({"id": part.id, "status": reply.status, "headers": headers});
    if let (Some(body), Some(object)) = (body, response.as_object_mut()) {
        object.insert("body".to_owned(), body);
    }
    response
}
