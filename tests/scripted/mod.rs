//! A server with scripted answers, and a clock that never sleeps: for faults that no well-behaved server shows.

#![allow(dead_code, reason = "each test crate uses its part")]

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use m365audit::graph::Clock;

/// One scripted answer.
#[derive(Clone, Default)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    /// Announce a longer body than is sent.
    cut: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            body: body.into(),
            ..Self::default()
        }
        .header("Content-Type", "application/json")
    }

    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self::new(200, body)
    }

    /// An error as Graph writes it.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let error = serde_json::json!({ "error": { "code": code, "message": message } });
        Self::new(status, error.to_string())
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn cut(mut self) -> Self {
        self.cut = true;
        self
    }
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

type Handler = Box<dyn FnMut(usize, &Seen) -> Reply + Send>;

/// A server on loopback; it ends with the process.
pub(crate) struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Answers with these replies in order, then with 418.
    pub(crate) fn script(replies: Vec<Reply>) -> Self {
        Self::handler(move |number, _| {
            replies
                .get(number)
                .cloned()
                .unwrap_or(Reply::new(418, "{}"))
        })
    }

    /// The handler is given the number of the request, from 0. `{root}` in its body and headers becomes the root URL.
    pub(crate) fn handler(handler: impl FnMut(usize, &Seen) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let mut handler: Handler = Box::new(handler);
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), port, &log, &mut handler);
            }
        });
        Self { port, seen }
    }

    pub(crate) fn root(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, port: u16, log: &Mutex<Vec<Seen>>, handler: &mut Handler) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let (head, mut body) = loop {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let body = bytes.split_off(end + 4);
            break (String::from_utf8_lossy(&bytes).into_owned(), body);
        }
        if bytes.first() == Some(&0x16) {
            // A TLS client: talk HTTP to it.
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            return;
        }
    };
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ').map(str::to_owned);
    let (method, target) = (first.next().unwrap(), first.next().unwrap());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut seen = Seen {
        method,
        target,
        headers,
        body: String::new(),
    };
    let length = seen
        .header("content-length")
        .map_or(0, |length| length.parse().unwrap());
    while body.len() < length {
        let read = stream.read(&mut buffer).unwrap();
        body.extend_from_slice(&buffer[..read]);
    }
    seen.body = String::from_utf8(body).unwrap();
    let reply = {
        let mut log = log.lock().unwrap();
        log.push(seen.clone());
        handler(log.len() - 1, &seen)
    };
    let root = format!("http://127.0.0.1:{port}");
    let body = reply.body.replace("{root}", &root);
    let length = body.len() + usize::from(reply.cut) * 10;
    let mut head = format!(
        "HTTP/1.1 {} Scripted\r\nContent-Length: {length}\r\nConnection: close\r\n",
        reply.status
    );
    for (name, value) in &reply.headers {
        let _ = write!(head, "{name}: {}\r\n", value.replace("{root}", &root));
    }
    let _ = stream.write_all(format!("{head}\r\n{body}").as_bytes());
}

/// A clock that jumps instead of sleeping, and remembers each jump.
pub(crate) struct FakeClock(Mutex<(Timestamp, Vec<Duration>)>);

impl FakeClock {
    pub(crate) fn new() -> Arc<Self> {
        let start = "2026-08-20T10:17:05Z".parse().unwrap();
        Arc::new(Self(Mutex::new((start, Vec::new()))))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.lock().unwrap().0 += by;
    }

    /// The waits so far, in milliseconds.
    pub(crate) fn waits(&self) -> Vec<u64> {
        let state = self.0.lock().unwrap();
        state
            .1
            .iter()
            .map(|wait| u64::try_from(wait.as_millis()).unwrap())
            .collect()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            {
                let mut state = self.0.lock().unwrap();
                state.0 += wait;
                state.1.push(wait);
            }
            tokio::task::yield_now().await;
        })
    }
}

/// Everything logged at any level while the guard lives, on this thread.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        // With a single subscriber alive, tracing asks the thread that comes to a line first, and remembers its "no"
        // for all threads. A second one, never used, makes it ask both.
        static SECOND: OnceLock<tracing::Dispatch> = OnceLock::new();
        let subscriber = |log: Self| {
            tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_writer(move || log.clone())
                .finish()
        };
        SECOND.get_or_init(|| subscriber(Self::default()).into());
        let log = Self::default();
        let guard = tracing::subscriber::set_default(subscriber(log.clone()));
        (log, guard)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
