//! Many GETs in one request.
//!
//! Promises that each result is told as soon as it is there, that only refused parts are sent again, and that one
//! batch never mixes services: its slowest part would decide for all, and their limits differ.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use reqwest::Url;
use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::client::{Answer, Effort, Event, GraphClient, read_object};
use super::error::{self, ErrorKind, GraphError};
use super::odata::{Query, Version};
use super::pace::{Service, Signs};
use super::retry::{self, BUDGET, Batch, Body, Call, RENEWALS, Reply, TRIES, Unreadable};
use crate::auth::Renewal;

/// Parts that Graph takes in one batch.
const MOST: u32 = 20;
/// Batches that are under way or wait for their turn: where a batch takes a second, as many as the largest quota lets through.
const AT_ONCE: usize = 40;
/// Answers that wait to be taken: two batches, beyond which it is the taking that is slow.
const WAITING: usize = 2 * MOST as usize;

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

/// Answers to many queries as they arrive, each with what its query was marked with. Dropped, it asks no more.
pub type Answers<T> = BoxStream<'static, (T, Result<Answer, GraphError>)>;

/// A query on its way.
struct Open<T> {
    /// What the caller knows it by.
    mark: T,
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

/// What shares a batch.
type Group = (Version, Service);

/// Where answers go.
type Tell<T> = mpsc::Sender<(T, Result<Answer, GraphError>)>;

/// Asks all of it, and tells the answers in the order of the queries.
pub(super) async fn run(
    client: &GraphClient,
    queries: Vec<Query>,
) -> Vec<Result<Answer, GraphError>> {
    let queries = queries.into_iter().enumerate();
    let mut placed: Vec<_> = answers(client.clone(), queries).collect().await;
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, result)| result).collect()
}

/// Asks all of it, batch after batch as there is room. In tasks of their own: whoever takes the answers may ask something himself in
/// between, and a batch that has its turn must not stand still meanwhile.
pub(super) fn answers<T: Send + Sync + 'static>(
    client: GraphClient,
    queries: impl Iterator<Item = (T, Query)> + Send + 'static,
) -> Answers<T> {
    let (tell, told) = mpsc::channel(WAITING);
    let mut work = JoinSet::new();
    let packs = Packs {
        client: client.clone(),
        queries,
        begun: BTreeMap::new(),
    };
    work.spawn(settle_all(client, packs, tell));
    stream::unfold((told, work), async |(mut told, mut work)| {
        if let Some(answer) = told.recv().await {
            return Some((answer, (told, work)));
        }
        while let Some(ended) = work.join_next().await {
            unpanicked(ended);
        }
        None
    })
    .boxed()
}

async fn settle_all<T: Send + Sync + 'static>(
    client: GraphClient,
    mut packs: impl Iterator<Item = (Group, Vec<Open<T>>)>,
    tell: Tell<T>,
) {
    let mut running = JoinSet::new();
    loop {
        while running.len() < AT_ONCE
            && let Some((group, pack)) = packs.next()
        {
            running.spawn(settle(client.clone(), group, pack, tell.clone()));
        }
        match running.join_next().await {
            Some(ended) => unpanicked(ended),
            None => return,
        }
    }
}

/// An answer that is missing because its task broke down must not pass for one that nobody asked for.
fn unpanicked(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

/// Queries put together as they come, those that can share a batch.
struct Packs<T, I> {
    client: GraphClient,
    queries: I,
    /// Not full yet.
    begun: BTreeMap<Group, Vec<Open<T>>>,
}

impl<T, I: Iterator<Item = (T, Query)>> Iterator for Packs<T, I> {
    type Item = (Group, Vec<Open<T>>);

    fn next(&mut self) -> Option<Self::Item> {
        for (mark, query) in self.queries.by_ref() {
            let group = (query.version(), query.service());
            let pack = self.begun.entry(group).or_default();
            pack.push(Open {
                mark,
                query,
                tries: 0,
            });
            // No more than the service takes at once: twenty of one per second would only be refused.
            let limit = self.client.inner.pace.limit(group.1);
            if pack.len() >= limit.batch(MOST) as usize {
                return Some((group, std::mem::take(pack)));
            }
        }
        let rest = std::iter::from_fn(|| self.begun.pop_first());
        rest.into_iter().find(|(_, pack)| !pack.is_empty())
    }
}

/// Sends a chunk, and its refused parts again, until each has a result.
async fn settle<T: Send + Sync>(
    client: GraphClient,
    (version, service): Group,
    chunk: Vec<Open<T>>,
    tell: Tell<T>,
) {
    let inner = &client.inner;
    let mut open = Vec::new();
    // That nobody listens any more ends this task from outside.
    let done = async |mark, result| drop(tell.send((mark, result)).await);
    for part in chunk {
        // A query that cannot be expressed must not spoil the batch for the others.
        match inner.call(&part.query) {
            Ok(_) => open.push(part),
            Err(error) => done(part.mark, Err(error)).await,
        }
    }
    let mut renewal = Renewal::IfNeeded;
    let mut renewals = 0;
    let mut round = 0;
    let mut waited = Duration::ZERO;
    while !open.is_empty() {
        if open.len() == 1 && round == 0 {
            for part in open {
                done(part.mark, client.get(&part.query).await).await;
            }
            return;
        }
        round += 1;
        let sent = post(
            &client,
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
                for part in open {
                    done(part.mark, Err(error.clone())).await;
                }
                return;
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
            let mut outcome = judge(&client, &part.query, part.tries, answer);
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
                Outcome::Done(result) => done(part.mark, result).await,
                Outcome::Renew(error) if renewals >= RENEWALS => {
                    done(part.mark, Err(error)).await;
                }
                Outcome::Renew(_) => {
                    renew = true;
                    left.push(part);
                }
                Outcome::Again { error, .. }
                    if part.tries >= TRIES || waited > BUDGET || !inner.budget.spend() =>
                {
                    done(part.mark, Err(error)).await;
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
}

type Parts = BTreeMap<String, PartAnswer>;

/// Posts the one thing that is ever posted: a list of GETs.
async fn post<T>(
    client: &GraphClient,
    version: Version,
    service: Service,
    open: &[Open<T>],
    renewal: Renewal,
) -> Result<Reply<Parts>, GraphError> {
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

fn read_batch(body: &Bytes) -> Result<Body<Parts>, Unreadable> {
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

fn judge(client: &GraphClient, query: &Query, tries: u32, answer: Option<PartAnswer>) -> Outcome {
    let inner = &client.inner;
    let path = error::printable(&query.path(), 200);
    let Some(answer) = answer else {
        return Outcome::Again {
            wait: None,
            error: GraphError::MissingPart { path },
        };
    };
    let body = answer.body.as_ref().map_or("null", |body| body.get());
    let refusal = || {
        let id = answer.header("request-id");
        error::refusal(answer.status, body.as_bytes(), id.as_deref(), &path, tries)
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
                    requests: tries,
                    retries: tries.saturating_sub(1),
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
        500 if tries < 3 => again(),
        _ => Outcome::Done(Err(error::refused(refusal()))),
    }
}
