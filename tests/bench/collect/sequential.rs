//! A plain client for comparison: one request at a time, list after list, along the next links, without batches.
//!
//! It asks for everything that the program asked for, with the same addresses. Of long lists the first pages are timed and the rest
//! worked out; what is asked object by object is taken to last as long as any other short answer.

use std::fmt;
use std::time::{Duration, Instant};

use m365audit::collect::describe;
use m365audit::snapshot::Resource;
use serde_json::Value;

use super::saved::Saved;
use super::serve::{Server, bearer, sound};

/// Pages of one list that are timed.
const TIMED: u64 = 6;

/// One list or single answer, read by the plain client.
#[derive(Debug)]
struct Reading {
    name: &'static str,
    /// All of its pages.
    pages: u64,
    /// Those that were timed, and the seconds that they took.
    timed: u64,
    seconds: f64,
}

impl Reading {
    #[allow(clippy::cast_precision_loss, reason = "pages are few")]
    fn whole(&self) -> f64 {
        self.seconds / self.timed as f64 * self.pages as f64
    }
}

/// What the plain client takes.
#[derive(Debug)]
pub(crate) struct Plain {
    readings: Vec<Reading>,
    /// Requests for one object each, and the seconds of one.
    objects: (u64, f64),
    /// Requests that were refused with 429 while it was timed.
    refused: u64,
}

/// Times the plain client on what the program has `saved`, which took it what `summary` says.
pub(crate) fn time(server: &Server, saved: &Saved, summary: &Value) -> Plain {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut client = Client {
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
        token: runtime.block_on(bearer(&server.url)).unwrap(),
        refused: 0,
    };
    let now = sound().now();
    let asked = Resource::ALL
        .iter()
        .filter(|resource| !resource.is_per_object() && saved.was_asked(resource.key()));
    let readings: Vec<Reading> = asked
        .map(|resource| {
            let url = format!("{}{}", server.url, describe(*resource, now).address);
            let rows = saved.rows(resource.key());
            let read = client.read(resource.key(), url, rows);
            runtime.block_on(read).unwrap()
        })
        .collect();
    let short = readings.iter().filter(|reading| reading.pages == 1);
    let (many, seconds) = short.fold((0_u32, 0.0), |(many, seconds), reading| {
        (many + 1, seconds + reading.seconds)
    });
    let needed = summary["needed"].as_object().unwrap().values();
    let objects = needed
        .flat_map(|routes| routes.as_object().unwrap())
        .filter(|(route, _)| route.contains("{id}"))
        .filter_map(|(_, paths)| paths.as_u64())
        .sum();
    Plain {
        readings,
        objects: (objects, seconds / f64::from(many.max(1))),
        refused: client.refused,
    }
}

struct Client {
    http: reqwest::Client,
    token: String,
    refused: u64,
}

impl Client {
    async fn read(
        &mut self,
        name: &'static str,
        url: String,
        rows: u64,
    ) -> Result<Reading, reqwest::Error> {
        let (mut next, mut timed, mut of_page) = (Some(url), 0, 0);
        // A counted list is an advanced query, on each of its pages.
        let eventual = next.as_ref().is_some_and(|url| url.contains("$count=true"));
        let begun = Instant::now();
        while let Some(url) = next.take_if(|_| timed < TIMED) {
            let text = self.get(&url, eventual).await?;
            timed += 1;
            // Reports are no JSON, and have no next page.
            let page: Value = serde_json::from_str(&text).unwrap_or_default();
            let rows = page["value"].as_array().map_or(0, Vec::len);
            of_page = rows.max(of_page);
            next = page["@odata.nextLink"].as_str().map(ToOwned::to_owned);
        }
        let pages = match next {
            None => timed,
            Some(_) => rows.div_ceil(of_page.max(1) as u64).max(timed + 1),
        };
        let seconds = begun.elapsed().as_secs_f64();
        Ok(Reading {
            name,
            pages,
            timed,
            seconds,
        })
    }

    /// Asks until it is not refused for the pace: after the wait that is asked for, else at once.
    async fn get(&mut self, url: &str, eventual: bool) -> Result<String, reqwest::Error> {
        loop {
            let mut request = self.http.get(url).bearer_auth(&self.token);
            if eventual {
                request = request.header("ConsistencyLevel", "eventual");
            }
            let answer = request.send().await?;
            let status = answer.status().as_u16();
            let wait = answer.headers().get("Retry-After");
            let wait = wait.and_then(|wait| wait.to_str().ok()?.parse().ok());
            let text = answer.text().await?;
            match status {
                429 => {
                    self.refused += 1;
                    tokio::time::sleep(Duration::from_secs(wait.unwrap_or(0))).await;
                }
                // A refusal for want of a licence or a permission is an answer too.
                200 | 403 | 404 => return Ok(text),
                other => panic!("{other} to {url}: {text}"),
            }
        }
    }
}

impl Plain {
    /// Seconds, one request after the other.
    #[allow(clippy::cast_precision_loss, reason = "requests are few")]
    pub(crate) fn one_by_one(&self) -> f64 {
        let lists: f64 = self.readings.iter().map(Reading::whole).sum();
        lists + self.objects.0 as f64 * self.objects.1
    }

    /// Seconds where all lists are read at the same time, each page after page.
    pub(crate) fn beside(&self) -> f64 {
        self.readings.iter().map(Reading::whole).fold(0.0, f64::max)
    }
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "a plain client, one request at a time ({} of those timed were refused and asked again):",
            self.refused
        )?;
        let (long, short): (Vec<_>, Vec<_>) = self
            .readings
            .iter()
            .partition(|reading| reading.pages > reading.timed);
        for reading in long {
            writeln!(
                f,
                "{:>9.1} s = {} pages x {:.3} s ({} timed) of {}",
                reading.whole(),
                reading.pages,
                reading.whole() / reading.pages as f64,
                reading.timed,
                reading.name
            )?;
        }
        let pages: u64 = short.iter().map(|reading| reading.pages).sum();
        let seconds: f64 = short.iter().map(|reading| reading.seconds).sum();
        writeln!(
            f,
            "{seconds:>9.1} s = {pages} pages of {} lists and single answers (all timed)",
            short.len()
        )?;
        let (objects, each) = self.objects;
        writeln!(
            f,
            "{:>9.1} s = {objects} objects asked one by one x {each:.3} s",
            objects as f64 * each
        )?;
        writeln!(
            f,
            "{:>9.1} s in all; {:.1} s for the longest list alone",
            self.one_by_one(),
            self.beside()
        )
    }
}
