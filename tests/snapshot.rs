//! The snapshot file: what is written comes back, and what was cut, changed or never ours is refused for the right reason.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail wherever it finds something else"
)]

#[path = "snapshot/resume.rs"]
mod resume;

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::bufread::{GzDecoder, MultiGzDecoder};
use flate2::write::GzEncoder;
use m365audit::snapshot::file::{self, Snapshot, Writer};
use m365audit::snapshot::{Guid, Header, Record, Resource, SnapshotError, State};
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// A page as it is handed to the writer.
#[derive(Debug, Clone)]
struct Page {
    resource: Resource,
    of: Option<Guid>,
    rows: Vec<String>,
}

fn page(resource: Resource, of: Option<u128>, rows: &[Value]) -> Page {
    Page {
        resource,
        of: of.map(Guid::new),
        rows: rows.iter().map(Value::to_string).collect(),
    }
}

fn user(number: u128) -> Value {
    json!({"id": Guid::new(number), "userPrincipalName": format!("user{number}@contoso.example"), "accountEnabled": true})
}

/// Two lists, a list by object with an empty one among them, and a list that was refused.
fn pages() -> Vec<Page> {
    let member = |number| json!({"id": Guid::new(number)});
    vec![
        page(Resource::Users, None, &[user(1), user(2), user(3)]),
        page(
            Resource::Domains,
            None,
            &[json!({"id": "contoso.example", "isVerified": true})],
        ),
        page(Resource::Users, None, &[user(4)]),
        page(
            Resource::GroupTransitiveMembers,
            Some(90),
            &[member(1), member(2)],
        ),
        page(Resource::GroupTransitiveMembers, Some(91), &[]),
    ]
}

fn header() -> Header {
    let asked = vec![Resource::Users, Resource::Domains, Resource::RiskyUsers];
    let at = "2026-08-20T10:00:00Z".parse().unwrap();
    Header::new("contoso.example".to_owned(), "global".to_owned(), at, asked)
}

/// A writer's output.
#[derive(Clone, Default)]
struct Pipe(Arc<Mutex<Vec<u8>>>);

impl io::Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn file_page(
    resource: Resource,
    of: Option<Guid>,
    rows: &[Box<RawValue>],
) -> m365audit::snapshot::Page<'_> {
    m365audit::snapshot::Page {
        of,
        rows,
        ..m365audit::snapshot::Page::empty(resource)
    }
}

fn fill(writer: &mut Writer, pages: &[Page]) -> BTreeMap<Resource, Record> {
    let mut records: BTreeMap<Resource, Record> = BTreeMap::new();
    for Page { resource, of, rows } in pages {
        let raw: Vec<Box<RawValue>> = rows
            .iter()
            .map(|row| RawValue::from_string(row.clone()).unwrap())
            .collect();
        let page = file_page(*resource, *of, &raw);
        writer.page(&page).unwrap();
        let record = records.entry(*resource).or_default();
        record.state = State::Collected;
        record.count += rows.len() as u64;
        record.requests += 1;
    }
    let refused = State::Forbidden {
        permission: Resource::RiskyUsers.permission(),
        error: "Authorization_RequestDenied".into(),
    };
    records.entry(Resource::RiskyUsers).or_default().state = refused;
    records
}

fn written(pages: &[Page]) -> Vec<u8> {
    let pipe = Pipe::default();
    let mut writer = Writer::to_pipe(Box::new(pipe.clone()), &header()).unwrap();
    let records = fill(&mut writer, pages);
    writer.finish(&records).unwrap();
    let bytes = pipe.0.lock().unwrap();
    bytes.clone()
}

fn read(bytes: &[u8]) -> Result<Snapshot, SnapshotError> {
    file::read_from(bytes, "test.jsonl.gz")
}

fn text(bytes: &[u8]) -> io::Result<String> {
    let mut text = String::new();
    MultiGzDecoder::new(bytes).read_to_string(&mut text)?;
    Ok(text)
}

fn lines(bytes: &[u8]) -> Vec<String> {
    text(bytes).unwrap().lines().map(str::to_owned).collect()
}

fn zipped(lines: &[String]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    for line in lines {
        writeln!(gzip, "{line}").unwrap();
    }
    gzip.finish().unwrap()
}

/// Where each gzip member ends.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let mut ends = vec![0];
    while let Some(&start) = ends.last().filter(|&&end| end < bytes.len()) {
        let mut member = GzDecoder::new(&bytes[start..]);
        io::copy(&mut member, &mut io::sink()).unwrap();
        ends.push(bytes.len() - member.into_inner().len());
    }
    ends
}

/// The digest of each section as the manifest has it.
fn digests(bytes: &[u8]) -> BTreeMap<String, String> {
    let manifest: Value = serde_json::from_str(lines(bytes).last().unwrap()).unwrap();
    let sections = manifest["manifest"]["sections"].as_object().unwrap();
    sections
        .iter()
        .map(|(key, sealed)| (key.clone(), sealed["digest"].to_string()))
        .collect()
}

fn kind(result: &Result<Snapshot, SnapshotError>) -> &'static str {
    match result {
        Ok(_) => "accepted",
        Err(SnapshotError::Io { .. }) => "io",
        Err(SnapshotError::Foreign(..)) => "foreign",
        Err(SnapshotError::Newer(..)) => "newer",
        Err(SnapshotError::Cut(..)) => "cut",
        Err(SnapshotError::Edited(..)) => "edited",
        Err(SnapshotError::Different(..)) => "different",
        Err(SnapshotError::Busy(..)) => "busy",
    }
}

#[test]
fn what_is_written_comes_back_with_how_it_ended() {
    let snapshot = read(&written(&pages())).unwrap();
    assert_eq!(snapshot.header, header());
    assert_eq!(snapshot.records[&Resource::Users].count, 4);
    let state = |resource| snapshot.tenant.state(resource);
    assert_eq!(state(Resource::Users), (&State::Collected, 4));
    assert_eq!(
        state(Resource::GroupTransitiveMembers),
        (&State::Collected, 2)
    );
    assert!(
        matches!(state(Resource::RiskyUsers), (State::Forbidden { permission, .. }, 0) if permission == "IdentityRiskyUser.Read.All")
    );
    assert_eq!(
        state(Resource::Alerts),
        (&State::Skipped, 0),
        "never asked for is not empty"
    );
    let found = snapshot
        .tenant
        .without_registration_row(&["USER4@contoso.example".to_owned()]);
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [Guid::new(4)]);
}

#[test]
fn it_is_json_lines_in_gzip_members_one_for_each_page() {
    let bytes = written(&pages());
    assert_eq!(
        ends(&bytes).len() - 1,
        pages().len() + 2,
        "header, pages, manifest"
    );
    let lines = lines(&bytes);
    let rows: usize = pages().iter().map(|page| page.rows.len()).sum();
    assert_eq!(lines.len(), 2 + pages().len() + rows);
    for line in &lines {
        assert!(
            serde_json::from_str::<Value>(line).unwrap().is_object(),
            "{line}"
        );
    }
    assert!(lines[0].starts_with("{\"m365audit_snapshot\":1,"));
    assert!(lines.last().unwrap().starts_with("{\"manifest\":"));
}

#[test]
fn a_row_that_comes_indented_is_written_on_one_line() {
    let indented =
        "{\n  \"id\": \"00000000-0000-0000-0000-000000000001\",\r\n  \"displayName\": \"a\\nb\"\n}";
    let mut pages = pages();
    pages[0].rows = vec![indented.to_owned()];
    let bytes = written(&pages);
    let row = "{\"displayName\":\"a\\nb\",\"id\":\"00000000-0000-0000-0000-000000000001\"}";
    assert_eq!(lines(&bytes)[2], row);
    assert_eq!(read(&bytes).unwrap().records[&Resource::Users].count, 2);
}

#[test]
fn until_it_is_whole_it_has_another_name_and_one_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.jsonl.gz");
    let partial = folder.path().join("tenant.jsonl.gz.partial");
    // What an earlier run left is nobody's to read either.
    std::fs::write(&partial, "left behind").unwrap();
    let mut writer = Writer::create(&path, &header()).unwrap();
    let records = fill(&mut writer, &pages());
    assert!(partial.exists() && !path.exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&partial).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    writer.finish(&records).unwrap();
    assert!(path.exists() && !partial.exists());
    assert_eq!(file::read(&path).unwrap().records, records);

    // A run that ends early leaves the earlier file as it was.
    let before = std::fs::read(&path).unwrap();
    let mut writer = Writer::create(&path, &header()).unwrap();
    fill(&mut writer, &pages()[..1]);
    drop(writer);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(kind(&file::read(&partial)), "cut");
}

#[test]
fn the_file_system_is_quoted_when_it_says_no() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing").join("tenant.jsonl.gz");
    for error in [
        file::read(&missing).map(drop),
        Writer::create(&missing, &header()).map(drop),
    ] {
        let error = error.unwrap_err();
        assert!(matches!(error, SnapshotError::Io { .. }), "{error}");
        assert!(error.to_string().contains("tenant.jsonl.gz"), "{error}");
    }
}

#[test]
fn a_file_that_was_cut_is_refused_wherever_it_was_cut() {
    let bytes = written(&pages());
    let ends = ends(&bytes);
    for (member, &end) in ends.iter().enumerate().take(ends.len() - 1) {
        let wanted = if member == 0 { "foreign" } else { "cut" };
        assert_eq!(kind(&read(&bytes[..end])), wanted, "after member {member}");
    }
    for end in 1..bytes.len() {
        let found = read(&bytes[..end]);
        let in_header = end < ends[1];
        assert!(
            kind(&found) == "cut" || (in_header && kind(&found) == "foreign"),
            "at byte {end} of {}: {found:?}",
            bytes.len()
        );
    }
}

#[test]
fn a_byte_that_was_flipped_is_noticed() {
    let bytes = written(&pages());
    let whole = text(&bytes).unwrap();
    for at in 0..bytes.len() {
        for bit in [0x01, 0x10, 0x80] {
            let mut flipped = bytes.clone();
            flipped[at] ^= bit;
            let found = read(&flipped);
            // Date and system in a gzip header say nothing about the content.
            let harmless = text(&flipped).is_ok_and(|text| text == whole);
            match kind(&found) {
                "accepted" => assert!(harmless, "byte {at} ^ {bit:#x}"),
                "io" => panic!("byte {at} ^ {bit:#x}: {found:?}"),
                _ => {}
            }
        }
    }
}

#[test]
fn what_was_changed_and_packed_anew_is_refused() {
    type Change = fn(&mut Vec<String>);
    let changes: &[(&str, &str, Change)] = &[
        ("nothing", "accepted", |_| {}),
        ("a value in a row", "edited", |lines| {
            lines[2] = lines[2].replace("user1", "user9");
        }),
        ("blanks in a row", "edited", |lines| {
            lines[2] = lines[2].replace(",\"", ", \"");
        }),
        ("a row for another", "edited", |lines| {
            lines[3] = lines[2].clone();
        }),
        ("a row that is no JSON", "edited", |lines| {
            lines[2] = "{".to_owned();
        }),
        ("a row of the wrong type", "edited", |lines| {
            lines[2] = lines[2].replace(":true", ":\"yes\"");
        }),
        ("a row that is too deep", "edited", |lines| {
            lines[2] = "[".repeat(100_000);
        }),
        ("a row less", "edited", |lines| drop(lines.remove(2))),
        ("a row less and the page says so", "edited", |lines| {
            lines.remove(2);
            lines[1] = lines[1].replace("\"rows\":3", "\"rows\":2");
        }),
        ("a row more and the page says so", "edited", |lines| {
            lines[1] = lines[1].replace("\"rows\":3", "\"rows\":4");
            lines.insert(2, user(7).to_string());
        }),
        ("a page that promises more than there is", "cut", |lines| {
            lines[1] = lines[1].replace("\"rows\":3", "\"rows\":18446744073709551615");
            lines.truncate(5);
        }),
        ("a page without its page line", "edited", |lines| {
            drop(lines.remove(1));
        }),
        ("a page of another section", "edited", |lines| {
            lines[1] = lines[1].replace("users", "applications");
        }),
        ("a section that nobody knows", "edited", |lines| {
            lines[1] = lines[1].replace("users", "martians");
        }),
        ("a section less", "edited", |lines| {
            let at = lines
                .iter()
                .position(|line| line.contains("\"domains\"") && line.starts_with("{\"page\""))
                .unwrap();
            lines.drain(at..at + 2);
        }),
        ("a section more", "edited", |lines| {
            lines.insert(1, "{\"page\":\"alerts\",\"rows\":1}".to_owned());
            lines.insert(2, "{\"id\":\"a\"}".to_owned());
        }),
        ("members of another group", "edited", |lines| {
            let group = Guid::new(90).to_string();
            let other = Guid::new(95).to_string();
            for line in lines.iter_mut() {
                *line = line.replace(&group, &other);
            }
        }),
        ("an empty group less", "edited", |lines| {
            let group = Guid::new(91).to_string();
            lines.retain(|line| !line.contains(&group));
        }),
        ("a count in the manifest", "edited", |lines| {
            change_last(lines, "\"count\":4", "\"count\":5");
        }),
        ("a state in the manifest", "edited", |lines| {
            change_last(lines, "forbidden", "collected");
        }),
        ("a word in the manifest", "edited", |lines| {
            change_last(lines, "requests", "requests_");
        }),
        ("the header", "edited", |lines| {
            lines[0] = lines[0].replace("contoso", "fabrikam");
        }),
        ("the date in the header", "edited", |lines| {
            lines[0] = lines[0].replace("2026-08-20", "2025-08-20");
        }),
        ("a row after the manifest", "edited", |lines| {
            lines.push(user(7).to_string());
        }),
        ("a second manifest", "edited", |lines| {
            lines.push(lines.last().unwrap().clone());
        }),
        ("no manifest", "cut", |lines| drop(lines.pop())),
        ("no header", "foreign", |lines| drop(lines.remove(0))),
        ("a newer format", "newer", |lines| {
            lines[0] = lines[0].replace(":1,", ":2,");
        }),
        ("a newer format with another header", "newer", |lines| {
            lines[0] = "{\"m365audit_snapshot\":7}".to_owned();
        }),
        ("a header that lacks its tenant", "foreign", |lines| {
            lines[0] = lines[0].replace("\"tenant\"", "\"renter\"");
        }),
        ("a line without end", "cut", |lines| {
            lines[1] = "a".repeat(17 << 20);
        }),
    ];
    for (what, wanted, change) in changes {
        let mut lines = lines(&written(&pages()));
        change(&mut lines);
        let found = read(&zipped(&lines));
        assert_eq!(kind(&found), *wanted, "{what}: {:?}", found.err());
    }
}

fn change_last(lines: &mut [String], from: &str, to: &str) {
    let last = lines.last_mut().unwrap();
    assert!(last.contains(from), "{last}");
    *last = last.replace(from, to);
}

#[test]
fn what_never_was_a_snapshot_is_called_so() {
    let gzip = |bytes: &[u8]| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    };
    for (bytes, words) in [
        (Vec::new(), "it is empty"),
        (b"{\"schema_version\":\"1\"}\n".to_vec(), "not compressed"),
        (gzip(b""), "first line"),
        (gzip(b"hello\n"), "first line"),
        (gzip(b"{\"id\":1}\n"), "first line"),
        (gzip(b"\xff\xfe\n"), "not text"),
        (b"\x1f\x8bnot really".to_vec(), "not readable"),
    ] {
        let error = read(&bytes).unwrap_err();
        assert!(matches!(error, SnapshotError::Foreign(..)), "{error:?}");
        assert!(error.to_string().contains(words), "{error} lacks {words}");
        assert!(error.help().is_some_and(|help| help.contains("--save")));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The order of rows and where pages end are accidents of a collection: counts and digests know nothing of them.
    #[test]
    fn order_and_pages_leave_no_trace(
        order in Just((0..24usize).collect::<Vec<_>>()).prop_shuffle(),
        lengths in prop::collection::vec(0..7usize, 1..12),
    ) {
        let rows: Vec<(Resource, Value)> = (0..24u32)
            .map(|number| match number % 3 {
                0 => (Resource::Domains, json!({"id": format!("d{number}.example")})),
                _ => (Resource::Users, user(u128::from(number))),
            })
            .collect();
        let straight: Vec<Page> = rows.iter().map(|(resource, row)| page(*resource, None, std::slice::from_ref(row))).collect();
        let mut shuffled: Vec<Page> = Vec::new();
        let mut lengths = lengths.iter().copied().cycle();
        let mut room = 0;
        for &index in &order {
            let (resource, row) = &rows[index];
            match shuffled.last_mut() {
                Some(last) if last.resource == *resource && room > 0 => {
                    last.rows.push(row.to_string());
                    room -= 1;
                }
                _ => {
                    room = lengths.next().unwrap();
                    shuffled.push(page(*resource, None, std::slice::from_ref(row)));
                }
            }
        }
        let (one, other) = (written(&straight), written(&shuffled));
        prop_assert_eq!(digests(&one), digests(&other));
        let (one, other) = (read(&one).unwrap(), read(&other).unwrap());
        for &resource in Resource::ALL {
            prop_assert_eq!(one.tenant.state(resource), other.tenant.state(resource));
        }
        prop_assert_eq!(one.records[&Resource::Users].count, 16);
    }

    #[test]
    fn whatever_the_bytes_are_nothing_breaks(bytes in prop::collection::vec(any::<u8>(), 0..400), keep in 0..200usize) {
        prop_assert!(read(&bytes).is_err());
        let mut mixed = written(&pages())[..keep].to_vec();
        mixed.extend_from_slice(&bytes);
        prop_assert!(read(&mixed).is_err());
    }

    #[test]
    fn whatever_the_lines_are_nothing_breaks(noise in prop::collection::vec("[ -~]{0,40}", 0..8), at in 1..6usize) {
        let mut lines = lines(&written(&pages()));
        let lost = lines.split_off(at);
        prop_assume!(noise.first().is_none_or(|line| *line != lost[0]));
        lines.extend(noise);
        prop_assert!(read(&zipped(&lines)).is_err());
    }
}
