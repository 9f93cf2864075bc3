//! Usage reports: Graph answers with an address, and what is there is a CSV file.
//!
//! The address is on a host of Microsoft's choice, not below the Graph root, and lets anybody read who has it. So the promises
//! are others than for a page: the file is asked for without the token; by `https`, or from this machine when Graph itself is on
//! this machine (an emulator); no second redirect is followed; the file is read as it comes and never held as a whole; and it
//! ends as an error when it is longer than [`MOST_BYTES`] or does not have the columns that were asked for.
//! Source: Graph reference, `reportRoot: getEmailActivityUserDetail`, "302 Found".

use std::time::Duration;

use bytes::Bytes;
use csv_core::{ReadRecordResult, Reader};
use futures_util::stream;
use reqwest::{Response, Url};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::client::GraphClient;
use super::error::GraphError;
use super::http::{self, NetworkProblem};
use super::odata::Query;
use super::page::{Page, Pages};
use super::retry::{self, Body, Call, Unreadable};
use crate::auth::Renewal;

/// The longest file that is read: about two hundred bytes for each of two million mailboxes.
const MOST_BYTES: u64 = 512 * 1024 * 1024;
/// The longest row; Microsoft's are a few hundred bytes.
const LONGEST_ROW: usize = 64 * 1024;
/// Columns at most.
const MOST_COLUMNS: usize = 256;
/// Rows that are handed on together.
const PAGE: usize = 1_000;
/// How long a file may take.
const DOWNLOAD: Duration = Duration::from_mins(10);

/// The rows of a report as JSON objects of texts, under Graph's names for the columns (`Send Count` is `sendCount`).
pub(super) fn report(
    client: GraphClient,
    query: &Query,
    columns: &'static [&'static str],
) -> Pages {
    let call = client.inner.call(query).map(|call| Call {
        expects_location: true,
        ..call
    });
    match call {
        Ok(call) => {
            let start = Step::Ask(client, call, columns);
            Box::pin(stream::try_unfold(start, step))
        }
        Err(error) => Box::pin(stream::iter([Err(error)])),
    }
}

enum Step {
    Ask(GraphClient, Call, &'static [&'static str]),
    Read(Box<File>),
    Done,
}

/// A file that is being read.
struct File {
    answer: Response,
    path: String,
    table: Table,
    bytes: u64,
}

async fn step(step: Step) -> Result<Option<(Page, Step)>, GraphError> {
    let mut page = Page {
        rows: Vec::new(),
        count: None,
        next: None,
        effort: super::Effort::default(),
    };
    let mut file = match step {
        Step::Done => return Ok(None),
        Step::Read(file) => file,
        Step::Ask(client, call, columns) => {
            let inner = &client.inner;
            let reply = retry::send(inner, &call, Renewal::IfNeeded, read_location).await?;
            page.effort = reply.effort;
            page.effort.requests += 1;
            let answer = open(&client, &call.path, reply.content).await?;
            Box::new(File {
                answer,
                path: call.path,
                table: Table::new(columns),
                bytes: 0,
            })
        }
    };
    loop {
        let chunk = file
            .answer
            .chunk()
            .await
            .map_err(|error| cut(&file.path, file.answer.url(), &error))?;
        let malformed = |reason| GraphError::Malformed {
            path: file.path.clone(),
            reason,
        };
        let Some(chunk) = chunk else {
            file.table.end(&mut page.rows).map_err(malformed)?;
            return Ok(Some((page, Step::Done)));
        };
        file.bytes = file.bytes.saturating_add(chunk.len() as u64);
        if file.bytes > MOST_BYTES {
            return Err(malformed("its file is too long to be true".to_owned()));
        }
        let read = file.table.feed(&chunk, &mut page.rows);
        read.map_err(malformed)?;
        if page.rows.len() >= PAGE {
            return Ok(Some((page, Step::Read(file))));
        }
    }
}

fn read_location(location: &Bytes) -> Result<Body<Url>, Unreadable> {
    let text = std::str::from_utf8(location).ok();
    let url = text.and_then(|text| Url::parse(text).ok());
    url.map(Body::Content)
        .ok_or_else(|| Unreadable::Other("no address of a file".to_owned()))
}

/// Asks for the file. There is no token in the request: whoever has the address may read.
async fn open(client: &GraphClient, path: &str, url: Url) -> Result<Response, GraphError> {
    let malformed = |reason| GraphError::Malformed {
        path: path.to_owned(),
        reason,
    };
    let host = http::host(&url);
    if !may_be_read(&client.inner.root, &url) {
        return Err(malformed(format!(
            "its file would be read from {host} without https"
        )));
    }
    let request = client.inner.http.get(url.clone()).timeout(DOWNLOAD);
    let answer = request
        .send()
        .await
        .map_err(|error| cut(path, &url, &error))?;
    match answer.status().as_u16() {
        200 => Ok(answer),
        status => Err(malformed(format!("its file at {host} answers {status}"))),
    }
}

/// Whether a file at this address is read: `https` anywhere, plain `http` only where Graph itself is on this machine.
fn may_be_read(root: &Url, url: &Url) -> bool {
    let plain = url.scheme() == "http" && http::is_loopback(url) && http::is_loopback(root);
    (url.scheme() == "https" || plain) && url.username().is_empty() && url.password().is_none()
}

fn cut(path: &str, url: &Url, error: &reqwest::Error) -> GraphError {
    GraphError::Network {
        path: path.to_owned(),
        host: http::host(url),
        problem: NetworkProblem::of(error),
        tries: 1,
    }
}

/// A CSV table that comes in pieces.
struct Table {
    reader: Reader,
    columns: &'static [&'static str],
    /// Where each of the columns stands; `None` until the first row was read.
    places: Option<Vec<usize>>,
    /// How many columns there are.
    width: usize,
    text: Vec<u8>,
    text_length: usize,
    ends: Vec<usize>,
    ends_length: usize,
}

impl Table {
    fn new(columns: &'static [&'static str]) -> Self {
        Self {
            reader: Reader::new(),
            columns,
            places: None,
            width: 0,
            text: vec![0; LONGEST_ROW],
            text_length: 0,
            ends: vec![0; MOST_COLUMNS],
            ends_length: 0,
        }
    }

    /// Takes in a piece.
    fn feed(&mut self, mut piece: &[u8], rows: &mut Vec<Box<RawValue>>) -> Result<(), String> {
        // An empty piece would mean the end.
        while !piece.is_empty() {
            let read = self.read(piece, rows)?;
            piece = piece.get(read..).unwrap_or_default();
        }
        Ok(())
    }

    /// The file has come to its end; its last row may have no end of line.
    fn end(&mut self, rows: &mut Vec<Box<RawValue>>) -> Result<(), String> {
        self.read(&[], rows)?;
        match self.places {
            Some(_) => Ok(()),
            None => Err("its file is empty".to_owned()),
        }
    }

    /// Reads as far as the end of a row; how many bytes that were.
    fn read(&mut self, piece: &[u8], rows: &mut Vec<Box<RawValue>>) -> Result<usize, String> {
        let text = self.text.get_mut(self.text_length..).unwrap_or_default();
        let ends = self.ends.get_mut(self.ends_length..).unwrap_or_default();
        let (result, read, written, ended) = self.reader.read_record(piece, text, ends);
        self.text_length += written;
        self.ends_length += ended;
        match result {
            ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                return Err("a row of its file is too long".to_owned());
            }
            ReadRecordResult::Record => {
                self.row(rows)?;
                (self.text_length, self.ends_length) = (0, 0);
            }
        }
        Ok(read)
    }

    fn row(&mut self, rows: &mut Vec<Box<RawValue>>) -> Result<(), String> {
        let mut start = 0;
        let fields: Vec<_> = self
            .ends
            .iter()
            .take(self.ends_length)
            .map(|&end| {
                let field = self.text.get(start..end).unwrap_or_default();
                start = end;
                String::from_utf8_lossy(field)
            })
            .collect();
        let Some(places) = &self.places else {
            let names: Vec<String> = fields.iter().map(|field| property(field)).collect();
            let place = |column: &&str| {
                let found = names.iter().position(|name| name == column);
                found.ok_or_else(|| format!("its file has no column {column}"))
            };
            self.places = Some(self.columns.iter().map(place).collect::<Result<_, _>>()?);
            self.width = names.len();
            return Ok(());
        };
        if fields.len() != self.width {
            let (has, width) = (fields.len(), self.width);
            return Err(format!("a row of its file has {has} of {width} fields"));
        }
        let of = |&place: &usize| fields.get(place).map_or("", |field| field.as_ref());
        let row: Map<String, Value> = self
            .columns
            .iter()
            .zip(places)
            .map(|(&column, place)| (column.to_owned(), Value::from(of(place))))
            .collect();
        rows.push(to_raw_value(&row).map_err(|_| "a row cannot be written".to_owned())?);
        Ok(())
    }
}

/// Graph's name for a column: `Send Count` is `sendCount`.
fn property(heading: &str) -> String {
    let heading = heading.trim_start_matches('\u{feff}').trim();
    let mut words = heading.split_whitespace();
    let first = words.next().unwrap_or_default().to_ascii_lowercase();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(&letters.as_str().to_ascii_lowercase());
        name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[&str] = &["userPrincipalName", "sendCount"];
    const HEAD: &str = "\u{feff}Report Refresh Date,User Principal Name,Send Count\n";

    /// The rows of a file that comes in pieces of this many bytes.
    fn read(text: &str, piece: usize) -> Result<Vec<String>, String> {
        let (mut table, mut rows) = (Table::new(COLUMNS), Vec::new());
        for piece in text.as_bytes().chunks(piece) {
            table.feed(piece, &mut rows)?;
        }
        table.end(&mut rows)?;
        Ok(rows.iter().map(|row| row.get().to_owned()).collect())
    }

    #[test]
    fn rows_do_not_depend_on_how_the_file_is_cut() {
        let text =
            format!("{HEAD}2026-10-31,anna@contoso.example,31\r\n2026-10-31,\"a \"\"b\"\",\nc\",0");
        let whole = read(&text, text.len()).unwrap();
        assert_eq!(
            whole,
            [
                r#"{"sendCount":"31","userPrincipalName":"anna@contoso.example"}"#,
                r#"{"sendCount":"0","userPrincipalName":"a \"b\",\nc"}"#,
            ]
        );
        for piece in 1..text.len() {
            assert_eq!(read(&text, piece).unwrap(), whole, "pieces of {piece}");
        }
        assert_eq!(read(HEAD, 7).unwrap(), [""; 0]);
    }

    #[test]
    fn a_file_that_is_no_such_report_is_refused() {
        for (text, why) in [
            (String::new(), "is empty"),
            ("<html>".to_owned(), "no column userPrincipalName"),
            ("User Principal Name\n".to_owned(), "no column sendCount"),
            (format!("{HEAD}2026-10-31,anna\n"), "2 of 3 fields"),
            (format!("{HEAD}{}", "x".repeat(LONGEST_ROW + 1)), "too long"),
            (",".repeat(MOST_COLUMNS), "too long"),
        ] {
            let error = read(&text, 1_000).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        let fits = format!("{HEAD}1,{},2\n", "x".repeat(LONGEST_ROW - 3));
        assert_eq!(read(&fits, 1_000).unwrap().len(), 1);
    }

    #[test]
    fn a_file_is_read_by_https_or_from_this_machine_to_this_machine() {
        let graph = "https://graph.microsoft.com";
        let emulator = "http://127.0.0.1:8080";
        for (root, file, may) in [
            (graph, "https://reports.example/x", true),
            (graph, "http://reports.example/x", false),
            (graph, "http://127.0.0.1/x", false),
            (graph, "https://anna@reports.example/x", false),
            (graph, "file:///etc/hosts", false),
            (emulator, "http://127.0.0.1:8080/download/1", true),
            (emulator, "http://localhost/x", true),
            (emulator, "http://reports.example/x", false),
        ] {
            let (root, url) = (Url::parse(root).unwrap(), Url::parse(file).unwrap());
            assert_eq!(may_be_read(&root, &url), may, "{file} of {root}");
        }
    }
}
