//! How fast pages are read: 64 lists side by side, each a chain of pages of 999 users, over loopback.
//!
//! `cargo bench --bench pages`. The client has one thread to itself; its share of a core is printed beside the rate.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark ends where its ground is missing, and its figures are for a person"
)]

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, join_all};
use futures_util::{FutureExt as _, TryStreamExt as _};
use m365audit::auth::{AccessToken, AuthError, Renewal, TokenSource};
use m365audit::graph::{GraphClient, Pace, Query, SystemClock, http};

const STREAMS: usize = 64;
const PAGES: usize = 60;
const ROWS: usize = 999;

struct Tokens;

impl TokenSource for Tokens {
    fn token(&self, _: Renewal) -> BoxFuture<'_, Result<Arc<AccessToken>, AuthError>> {
        let begin = "2026-08-20T10:17:05Z".parse().unwrap();
        let token = AccessToken::new(1, "t".into(), begin, Duration::from_hours(1));
        async move { Ok(Arc::new(token.unwrap())) }.boxed()
    }
}

/// All rows of a page but the first, about 400 KB.
fn rows() -> String {
    let mut rows = String::new();
    for number in 1..ROWS {
        let _ = write!(
            rows,
            r#",{{"id":"00000000-0000-4000-8000-{number:012}","userPrincipalName":"person.number{number}@contoso.example","displayName":"Person Number {number}","mail":"person.number{number}@contoso.example","userType":"Member","accountEnabled":true,"createdDateTime":"2021-03-04T05:06:07Z","creationType":null,"externalUserState":null,"onPremisesSyncEnabled":true,"assignedLicenses":[{{"disabledPlans":[],"skuId":"05e9a617-0261-4cee-bb44-138d3ef5d965"}}]}}"#
        );
    }
    rows
}

/// Answers each request of a connection with the page of that number.
fn serve(mut stream: TcpStream, root: &str, rows: &str) {
    let mut buffer = [0; 4096];
    let mut head = Vec::new();
    let mut answer = String::new();
    loop {
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(read) => head.extend_from_slice(&buffer[..read]),
            }
        }
        let text = std::str::from_utf8(&head).unwrap();
        let target = text.split(' ').nth(1).unwrap();
        let (list, page) = target
            .split_once("$skiptoken=")
            .and_then(|(_, token)| token.split_once('-'))
            .unwrap();
        let number: usize = page.parse().unwrap();
        let mut body = format!(r#"{{"value":[{{"id":"{list}-{number}"}}"#);
        body.push_str(rows);
        body.push(']');
        if number < PAGES {
            let next = number + 1;
            let _ = write!(
                body,
                r#","@odata.nextLink":"{root}/v1.0/users?$skiptoken={list}-{next}""#
            );
        }
        body.push('}');
        answer.clear();
        let _ = write!(
            answer,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        answer.push_str(&body);
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
        head.clear();
    }
}

/// Nanoseconds for which this thread has had a processor; `None` where the system does not tell.
fn busy() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}

fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let rows: &'static str = rows().leak();
    let base: &'static str = root.clone().leak();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            std::thread::spawn(move || serve(stream, base, rows));
        }
    });
    let root = http::root(&root).unwrap();
    let client = http::client(&[&root]).unwrap();
    let clock = SystemClock::starting_at("2026-08-20T10:17:05Z".parse().unwrap());
    let client = GraphClient::new(
        client,
        root,
        Arc::new(Tokens),
        Arc::new(clock),
        Pace::fast(),
    )
    .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for round in 0..3 {
        let (begun, before) = (Instant::now(), busy());
        let lists = (0..STREAMS).map(|list| {
            let query = Query::v1("/users").param("$skiptoken", &format!("{round}x{list}-1"));
            client
                .pages(query)
                .try_fold(0, async |sum, page| Ok(sum + page.rows.len()))
        });
        let read: usize = runtime
            .block_on(join_all(lists))
            .into_iter()
            .map(Result::unwrap)
            .sum();
        assert_eq!(read, STREAMS * PAGES * ROWS);
        let took = begun.elapsed().as_secs_f64();
        let rate = f64::from(u32::try_from(read).unwrap()) / took;
        let cpu = busy()
            .zip(before)
            .map(|(after, before)| (after - before) / 1e9);
        println!(
            "{read} rows in {took:.2} s: {rate:.0} rows/s, {:.0} rows per second of processor time",
            cpu.map_or(f64::NAN, |cpu| rate * took / cpu)
        );
    }
}
