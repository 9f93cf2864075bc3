//! The Graph client against a server that misbehaves on purpose.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail wherever it finds something else"
)]

mod scripted;

#[path = "graph/batch.rs"]
mod batch;
#[path = "graph/page.rs"]
mod page;
#[path = "graph/retry.rs"]
mod retry;
#[path = "graph/tls.rs"]
mod tls;
#[path = "graph/words.rs"]
mod words;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use m365audit::auth::{AccessToken, AuthError, Renewal, TokenSource};
use m365audit::graph::{
    Effort, ErrorKind, Event, GraphClient, GraphError, Observer, Pace, Page, Query, Service, http,
    odata,
};
use scripted::{FakeClock, Log, Reply, Seen, Server};
use secrecy::SecretString;
use serde_json::json;

/// Hands out numbered tokens and remembers why.
#[derive(Default)]
struct Tokens(Mutex<Vec<Renewal>>);

impl Tokens {
    /// The renewals beyond "if needed".
    fn renewals(&self) -> Vec<Renewal> {
        self.0
            .lock()
            .unwrap()
            .iter()
            .filter(|renewal| **renewal != Renewal::IfNeeded)
            .cloned()
            .collect()
    }
}

impl TokenSource for Tokens {
    fn token(&self, renewal: Renewal) -> BoxFuture<'_, Result<Arc<AccessToken>, AuthError>> {
        let number = {
            let mut asked = self.0.lock().unwrap();
            asked.push(renewal);
            1 + asked
                .iter()
                .filter(|renewal| **renewal != Renewal::IfNeeded)
                .count() as u64
        };
        let token = SecretString::from(format!("TOKENTEXT{number}"));
        let token = AccessToken::new(
            number,
            token,
            "2026-08-20T10:17:05Z".parse().unwrap(),
            Duration::from_hours(1),
        );
        async move { Ok(Arc::new(token.unwrap())) }.boxed()
    }
}

struct Setup {
    server: Server,
    client: GraphClient,
    clock: Arc<FakeClock>,
    tokens: Arc<Tokens>,
}

impl Setup {
    fn new(server: Server) -> Self {
        Self::observed(server, None)
    }

    fn script(replies: Vec<Reply>) -> Self {
        Self::new(Server::script(replies))
    }

    fn observed(server: Server, observer: Option<Arc<dyn Observer>>) -> Self {
        let root = http::root(&server.root()).unwrap();
        let (clock, tokens) = (FakeClock::new(), Arc::new(Tokens::default()));
        let http = http::client(&[&root]).unwrap();
        let client = GraphClient::observed(
            http,
            root,
            tokens.clone(),
            clock.clone(),
            Pace::published(),
            observer,
        )
        .unwrap();
        Self {
            server,
            client,
            clock,
            tokens,
        }
    }

    async fn pages(&self, query: Query) -> Result<Vec<Page>, GraphError> {
        self.client.pages(query).try_collect().await
    }

    fn targets(&self) -> Vec<String> {
        self.server
            .seen()
            .into_iter()
            .map(|seen| seen.target)
            .collect()
    }
}

fn users() -> Query {
    Query::v1("/users")
}

fn page(ids: &[u32], next: Option<&str>) -> Reply {
    let rows: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
    let mut body = json!({ "@odata.context": "x", "value": rows });
    if let Some(next) = next {
        body["@odata.nextLink"] = next.into();
    }
    Reply::ok(body.to_string())
}

fn status(status: u16) -> Reply {
    Reply::error(status, "", "")
}
