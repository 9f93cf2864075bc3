//! Many GETs in one request.
//!
//! Promises that results come in the order of the queries, that only refused parts are sent again, and that one
//! batch never mixes services: its slowest part would decide for all, and their limits differ.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use reqwest::Url;
use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::client::{Answer, Effort, Event, GraphClient, read_object};
use super::error::{self, ErrorKind, GraphError};
use super::odata::{Query, Version};
use super::pace::{Service, Signs};
use super::retry::{self, BUDGET, Batch, Body, Call, RENEWALS, Reply, TRIES, Unreadable};
use crate::auth::Renewal;

/// Parts that Graph takes in one batch.
const MOST: u32 = 20;

#[derive(Serialize)]
struct Request {
    requests: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    id: String,
    method: &'static str,
    url: String,
    headers: BTreeMap<&'static str, &'static str>,
}

#[derive(Deserialize)]
struct Response {
    responses: Option<Vec<PartAnswer>>,
    error: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct PartAnswer {
    id: String,
    status: u16,
    #[serde(default)]
    headers: Option<BTreeMap<String, serde_json::Value>>,
    #[serde(default)]
    body: Option<Box<RawValue>>,
}

impl PartAnswer {
    fn header(&self, name: &str) -> Option<String> {
        let found = self
            .headers
            .iter()
            .flatten()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        })
    }
}

/// A query on its way.
struct Open {
    /// Its place in the caller's list.
    place: usize,
    query: Query,
    tries: u32,
}

/// What one part came to.
enum Outcome {
    Done(Result<Answer, GraphError>),
    Again {
        wait: Option<Duration>,
        error: GraphError,
    },
    Renew(GraphError),
}

type Placed = (usize, Result<Answer, GraphError>);

pub(super) async fn run(
    client: &GraphClient,
    queries: Vec<Query>,
) -> Vec<Result<Answer, GraphError>> {
    let mut groups: BTreeMap<(Version, Service), Vec<Open>> = BTreeMap::new();
    for (place, query) in queries.into_iter().enumerate() {
        let group = (query.version(), query.service());
        groups.entry(group).or_default().push(Open {
            place,
            query,
            tries: 0,
        });
    }
    let mut work = Vec::new();
    for ((version, service), mut open) in groups {
        // No more than the service takes at once: twenty of one per second would only be refused.
        let size = client.inner.pace.limit(service).batch(MOST) as usize;
        while !open.is_empty() {
            let rest = open.split_off(open.len().min(size));
            let chunk = std::mem::replace(&mut open, rest);
            work.push(settle(client, version, service, chunk));
        }
    }
    let mut placed: Vec<Placed> = join_all(work).await.into_iter().flatten().collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, result)| result).collect()
}

/// Sends a chunk, and its refused parts again, until each has a result.
async fn settle(
    client: &GraphClient,
    version: Version,
    service: Service,
    chunk: Vec<Open>,
) -> Vec<Placed> {
    let inner = &client.inner;
    let mut done = Vec::new();
    let mut open = Vec::new();
    for part in chunk {
        // A query that cannot be expressed must not spoil the batch for the others.
        match inner.call(&part.query) {
            Ok(_) => open.push(part),
            Err(error) => done.push((part.place, Err(error))),
        }
    }
    let mut renewal = Renewal::IfNeeded;
    let mut renewals = 0;
    let mut round = 0;
    let mut waited = Duration::ZERO;
    while let Some(first) = open.first() {
        if open.len() == 1 && round == 0 {
            done.push((first.place, client.get(&first.query).await));
            break;
        }
        round += 1;
        let sent = post(
            client,
            version,
            service,
            &open,
            std::mem::replace(&mut renewal, Renewal::IfNeeded),
        )
        .await;
        let Reply {
            content: mut answers,
            token,
            started,
            ..
        } = match sent {
            Ok(sent) => sent,
            Err(error) => {
                done.extend(
                    open.into_iter()
                        .map(|part| (part.place, Err(error.clone()))),
                );
                break;
            }
        };
        let mut longest = None;
        let mut left = Vec::new();
        let mut renew = false;
        for (number, mut part) in open.into_iter().enumerate() {
            part.tries += 1;
            let answer = answers.remove(&number.to_string());
            let signs = answer.as_ref().map(|answer| {
                let header = |name: &str| answer.header(name);
                Signs::read(answer.status, part.query.units(), header)
            });
            let mut outcome = judge(client, &part, answer);
            let (mut own, mut asked) = (Duration::ZERO, false);
            if let Outcome::Again { wait, .. } = &mut outcome {
                asked = wait.is_some();
                own = *wait.get_or_insert_with(|| retry::jitter(inner.pace.backoff(part.tries)));
            }
            if let Some(signs) = signs {
                let signs = signs.with_wait(own, asked);
                inner
                    .gates
                    .told(service, started, &signs, inner.clock.now());
            }
            match outcome {
                Outcome::Done(result) => done.push((part.place, result)),
                Outcome::Renew(error) if renewals >= RENEWALS => {
                    done.push((part.place, Err(error)));
                }
                Outcome::Renew(_) => {
                    renew = true;
                    left.push(part);
                }
                Outcome::Again { error, .. }
                    if part.tries >= TRIES || waited > BUDGET || !inner.budget.spend() =>
                {
                    done.push((part.place, Err(error)));
                }
                Outcome::Again { error, .. } => {
                    let wait = own;
                    let path = part.query.path();
                    let event = Event::Retry {
                        service,
                        path: &path,
                        status: error.status(),
                        attempt: part.tries,
                        wait,
                    };
                    inner.notify(event);
                    longest = longest.max(Some(wait));
                    left.push(part);
                }
            }
        }
        if renew {
            renewals += 1;
            renewal = Renewal::Rejected { token_id: token };
        }
        if let Some(wait) = longest {
            // The refused parts wait together; whether the whole service waits with them is decided at its gate.
            waited = waited.saturating_add(wait);
            inner.clock.sleep(wait).await;
        }
        open = left;
    }
    done
}

type Answers = BTreeMap<String, PartAnswer>;

/// Posts the one thing that is ever posted: a list of GETs.
async fn post(
    client: &GraphClient,
    version: Version,
    service: Service,
    open: &[Open],
    renewal: Renewal,
) -> Result<Reply<Answers>, GraphError> {
    let inner = &client.inner;
    let path = format!("{}/$batch", version.segment());
    let parts = open.iter().enumerate().map(|(number, part)| {
        let mut headers = BTreeMap::from([("Prefer", "include-unknown-enum-members")]);
        if part.query.is_eventual() {
            headers.insert("ConsistencyLevel", "eventual");
        }
        Part {
            id: number.to_string(),
            method: "GET",
            url: part.query.relative(),
            headers,
        }
    });
    let invalid = || GraphError::InvalidQuery { path: path.clone() };
    let body = serde_json::to_vec(&Request {
        requests: parts.collect(),
    })
    .map_err(|_| invalid())?;
    let base = inner.root.as_str().trim_end_matches('/');
    let call = Call {
        url: Url::parse(&format!("{base}{path}")).map_err(|_| invalid())?,
        eventual: false,
        service,
        units: open.iter().map(|part| part.query.units()).sum(),
        path: path.clone(),
        batch: Some(Batch {
            body: Bytes::from(body),
            parts: u32::try_from(open.len()).unwrap_or(MOST),
        }),
        expects_location: false,
    };
    retry::send(inner, &call, renewal, read_batch).await
}

fn read_batch(body: &Bytes) -> Result<Body<Answers>, Unreadable> {
    let response: Response = serde_json::from_slice(body)?;
    match response.responses {
        Some(parts) => {
            let mut answers = BTreeMap::new();
            for part in parts {
                // Should an id come twice, the first one counts.
                answers.entry(part.id.clone()).or_insert(part);
            }
            Ok(Body::Content(answers))
        }
        None if response.error.is_some() => Ok(Body::Refused),
        None => Err(Unreadable::Other(
            "a batch answer without \"responses\"".to_owned(),
        )),
    }
}

fn judge(client: &GraphClient, part: &Open, answer: Option<PartAnswer>) -> Outcome {
    let inner = &client.inner;
    let path = error::printable(&part.query.path(), 200);
    let Some(answer) = answer else {
        return Outcome::Again {
            wait: None,
            error: GraphError::MissingPart { path },
        };
    };
    let body = answer.body.as_ref().map_or("null", |body| body.get());
    let refusal = || {
        let id = answer.header("request-id");
        error::refusal(
            answer.status,
            body.as_bytes(),
            id.as_deref(),
            &path,
            part.tries,
        )
    };
    let again = || Outcome::Again {
        wait: answer
            .header("retry-after")
            .and_then(|text| HeaderValue::try_from(text).ok())
            .and_then(|value| retry::retry_after(Some(&value), inner.clock.now())),
        error: error::refused(refusal()),
    };
    match answer.status {
        200..=299 => match read_object(&Bytes::copy_from_slice(body.as_bytes())) {
            Ok(Body::Content(body)) => {
                let effort = Effort {
                    requests: part.tries,
                    retries: part.tries.saturating_sub(1),
                };
                Outcome::Done(Ok(Answer { path, body, effort }))
            }
            Ok(Body::Refused) => Outcome::Done(Err(error::refused(refusal()))),
            Err(_) => {
                let reason = "a part of a batch is no JSON".to_owned();
                Outcome::Done(Err(GraphError::Malformed { path, reason }))
            }
        },
        401 if refusal().kind == ErrorKind::Unauthorized => {
            Outcome::Renew(error::refused(refusal()))
        }
        // 424: "another part failed", which older services answer when one part was throttled.
        424 | 429 | 502..=504 | 509 => again(),
        500 if part.tries < 3 => again(),
        _ => Outcome::Done(Err(error::refused(refusal()))),
    }
}
