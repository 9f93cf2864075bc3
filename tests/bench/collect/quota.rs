//! How much of the quota is used, and another application that takes a part of it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::serve::{Server, bearer};

/// Resource units of a tenant of size L: so many in so many seconds ("Microsoft Graph service-specific throttling limits").
const UNITS: f64 = 8_000.0;
const WINDOW: f64 = 10.0;
/// How often the emulator is asked.
const LOOK: Duration = Duration::from_millis(200);

/// Units over time.
#[derive(Debug, Default)]
pub(crate) struct Used {
    /// (seconds, units so far)
    samples: Vec<(f64, f64)>,
}

/// The busy part of a run: from the first second to the last in which at least half of the quota was used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Busy {
    pub(crate) seconds: f64,
    /// Mean share of the quota.
    pub(crate) share: f64,
    /// The least and the most that a window of ten seconds used of it.
    least: f64,
    most: f64,
}

impl Used {
    /// Looks, if it is time to.
    pub(crate) fn look(&mut self, server: &Server, passed: Duration) {
        let passed = passed.as_secs_f64();
        let last = self.samples.last().map_or(-1.0, |(last, _)| *last);
        if passed - last >= LOOK.as_secs_f64() {
            let units = server.ask("summary")["units"].as_f64().unwrap();
            self.samples.push((passed, units));
        }
    }

    /// Share of the quota in the window from this sample on; `None` where the samples end before.
    fn share(&self, from: usize, window: f64) -> Option<(f64, f64)> {
        let (begin, before) = *self.samples.get(from)?;
        let later = &self.samples[from..];
        let (end, after) = *later.iter().find(|(at, _)| at - begin >= window)?;
        let seconds = end - begin;
        Some((end, (after - before) / (UNITS / WINDOW * seconds)))
    }

    pub(crate) fn busy(&self) -> Option<Busy> {
        let seconds = |from| self.share(from, 1.0).filter(|(_, share)| *share >= 0.5);
        let first = (0..self.samples.len()).find(|from| seconds(*from).is_some())?;
        let (end, _) = (0..self.samples.len()).rev().find_map(seconds)?;
        let last = self.samples.iter().position(|(at, _)| *at >= end)?;
        let ((begin, before), (end, after)) = (self.samples[first], self.samples[last]);
        let windows = (first..last)
            .filter_map(|from| self.share(from, WINDOW))
            .filter(|(until, _)| *until <= end)
            .map(|(_, share)| share);
        let (least, most) = windows.fold((f64::INFINITY, 0.0_f64), |(least, most), share| {
            (least.min(share), most.max(share))
        });
        Some(Busy {
            seconds: end - begin,
            share: (after - before) / (UNITS / WINDOW * (end - begin)),
            least,
            most,
        })
    }
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.1} % of 800 units/s over {:.0} s (windows of 10 s: {:.0} to {:.0} %)",
            100.0 * self.share,
            self.seconds,
            100.0 * self.least,
            100.0 * self.most
        )
    }
}

/// Another application that reads the same tenant at an even pace, whatever it is told.
pub(crate) struct Neighbour {
    ended: Arc<AtomicBool>,
    counts: Arc<[AtomicU64; 2]>,
    thread: Option<JoinHandle<()>>,
}

/// Parts of a batch, of one unit each, and the time from one batch to the next: 400 units a second, half of the quota.
const PARTS: u64 = 20;
const EVERY: Duration = Duration::from_millis(50);

impl Neighbour {
    pub(crate) fn start(server: &Server) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let counts = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let (url, end, counted) = (server.url.clone(), Arc::clone(&ended), Arc::clone(&counts));
        let thread = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(ask(&url, &end, &counted))
                .unwrap();
        });
        Self {
            ended,
            counts,
            thread: Some(thread),
        }
    }

    /// Ends it; its requests, and those of them that were refused.
    pub(crate) fn end(mut self) -> (u64, u64) {
        self.stop();
        let [asked, refused] = &*self.counts;
        (asked.load(Ordering::SeqCst), refused.load(Ordering::SeqCst))
    }

    fn stop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn ask(url: &str, ended: &AtomicBool, counts: &[AtomicU64; 2]) -> reqwest::Result<()> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let token = bearer(url).await?;
    let part = |id: u64| json!({"id": id.to_string(), "method": "GET", "url": "/groups?$select=id&$top=1"});
    let parts: Vec<Value> = (0..PARTS).map(part).collect();
    let body = json!({"requests": parts}).to_string();
    let begun = Instant::now();
    for number in 0_u32.. {
        if ended.load(Ordering::SeqCst) {
            break;
        }
        tokio::time::sleep_until((begun + EVERY * number).into()).await;
        let request = http.post(format!("{url}/v1.0/$batch")).bearer_auth(&token);
        let request = request.header("Content-Type", "application/json");
        let text = request.body(body.clone()).send().await?.text().await?;
        let answer: Value = serde_json::from_str(&text).unwrap();
        let answers = answer["responses"].as_array().unwrap();
        let refused = answers.iter().filter(|part| part["status"] == 429).count();
        counts[0].fetch_add(PARTS, Ordering::SeqCst);
        counts[1].fetch_add(refused as u64, Ordering::SeqCst);
    }
    Ok(())
}
