//! The beginning of a run: what is asked once a second does not wait for the first answer of all.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use m365audit::auth::{AccessToken, AuthError, Renewal, TokenSource};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::*;

struct Token;

impl TokenSource for Token {
    fn token(&self, _: Renewal) -> BoxFuture<'_, Result<Arc<AccessToken>, AuthError>> {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let token = AccessToken::new(
            1,
            "TOKENTEXT".to_owned().into(),
            now,
            Duration::from_hours(1),
        );
        async move { Ok(Arc::new(token.unwrap())) }.boxed()
    }
}

/// Answers one request with an empty list; the one for the organization only once another has arrived.
async fn answer(mut stream: TcpStream, other: Arc<Notify>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    if String::from_utf8_lossy(&head).starts_with("GET /v1.0/organization") {
        other.notified().await;
    } else {
        other.notify_one();
    }
    let body = r#"{"value":[]}"#;
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn what_is_asked_once_a_second_begins_beside_the_first_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let other = Arc::new(Notify::new());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, Arc::clone(&other)));
        }
    });
    let root = http::root(&root).unwrap();
    let web = http::client(&[&root]).unwrap();
    let clock = FakeClock::new();
    let client = GraphClient::new(web, root, Arc::new(Token), clock, Pace::published()).unwrap();
    let ask = Ask {
        resources: [Resource::NamedLocations, Resource::Applications].into(),
        ..Ask::default()
    };
    let mut kept = Kept::default();
    let run = collect::collect(&client, &ask, &mut kept);
    // Only a run that waits for the first answer comes near to this time.
    let ended = tokio::time::timeout(Duration::from_secs(20), run).await;
    ended.unwrap().unwrap();
    for resource in ask.resources {
        assert_eq!(kept.state(resource), &State::Collected, "{resource}");
    }
}
