//! The snapshot file between `collect`, `scan --save` and `scan --from`: the same report, or a clear refusal.

use std::io::{Read as _, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::support::binary::{Desk, Ran, Stage};

fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(bytes)
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn packed(text: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn a_scan_a_saved_scan_and_a_collection_give_the_same_bytes() {
    let desk = Desk::new();
    let live = desk
        .call("scan --demo --mailbox-rules --format json --save scan.gz")
        .run()
        .code(0);
    desk.call("collect --demo --mailbox-rules --save collect.gz")
        .run()
        .code(0);
    let piped = desk
        .call("collect --demo --mailbox-rules --save -")
        .run()
        .code(0);
    desk.write("pipe.gz", &piped.bytes);
    // What the demo declares about itself is not in the snapshot.
    desk.write("demo.toml", m365audit::emulator::demo::CONFIG);
    for file in ["scan.gz", "collect.gz", "pipe.gz"] {
        let again = desk
            .call(&format!(
                "scan --format json --config demo.toml --from {file}"
            ))
            .run()
            .code(0);
        if file == "scan.gz" {
            assert!(again.bytes == live.bytes, "{file}");
        }
        // A collection holds more than these rules read; what they say is the same.
        let without_collection = |bytes: &[u8]| {
            let mut report: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            report.as_object_mut().unwrap().remove("collection");
            report.as_object_mut().unwrap().remove("complete");
            report
        };
        assert_eq!(
            without_collection(&again.bytes),
            without_collection(&live.bytes),
            "{file}"
        );
        assert_eq!(again.err, "", "nothing is read from anywhere else");
    }
    assert!(!desk.path("scan.gz.partial").exists());
    assert!(unpacked(&piped.bytes).starts_with("{\"m365audit_snapshot\":1,"));
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_a_snapshot() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    desk.call("scan --demo --rule guest-invitation-open --save s.gz")
        .run()
        .code(0);
    let mode = std::fs::metadata(desk.path("s.gz"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_live_snapshot_holds_neither_secret_nor_token() {
    let stage = Stage::of("demo");
    let ran = stage.run(stage.call("collect --save -")).code(0);
    let text = unpacked(&ran.bytes);
    assert!(text.contains("\"page\":\"users\""));
    for secret in [stage.secret.as_str(), "eyJ", "Bearer"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn rules_that_the_snapshot_was_not_asked_for_are_not_evaluated() {
    let desk = Desk::new();
    desk.call("scan --demo --rule guest-invitation-open --save s.gz")
        .run()
        .code(0);
    let report = desk
        .call("scan --from s.gz --format json")
        .run()
        .code(0)
        .json();
    for result in report["results"].as_array().unwrap() {
        if result["rule_id"] == "account-stale" {
            assert_eq!(result["status"], "not_evaluated");
            assert!(
                result["reason"]
                    .as_str()
                    .unwrap()
                    .contains("was not asked for"),
                "{result}"
            );
        }
    }
}

fn read(desk: &Desk, bytes: impl AsRef<[u8]>) -> Ran {
    desk.write("s.gz", bytes);
    desk.call("scan --from s.gz").run()
}

#[test]
fn files_that_are_no_snapshots() {
    let desk = Desk::new();
    let give = &["a file written by"];
    for (content, why) in [
        (Vec::new(), "it is empty"),
        (
            b"{\"results\": []}\n".to_vec(),
            "it is not compressed with gzip",
        ),
        (
            packed("{\"results\": []}\n"),
            "its first line is not a snapshot header",
        ),
        (
            packed("\u{1b}[31m\n"),
            "its first line is not a snapshot header",
        ),
        (packed("{\"m365audit_snapshot\":1}\n"), "its header lacks"),
        (
            b"\x1f\x8b\x08\0\0\0\0\0\0\xffnot deflate".to_vec(),
            "not readable as gzip",
        ),
    ] {
        read(&desk, content).failed(5, &["s.gz is not an m365audit snapshot", why], give);
    }
    read(&desk, packed("{\"m365audit_snapshot\":2,\"new\":true}\n")).failed(
        5,
        &["s.gz has snapshot format 2, and this version reads format 1"],
        &["a newer one"],
    );
    desk.call("scan --from absent.gz").run().failed(
        5,
        &["could not read absent.gz"],
        &["check the path"],
    );
    desk.call("scan --from .")
        .run()
        .failed(5, &["could not read ."], &[]);
}

fn demo(desk: &Desk) -> Vec<u8> {
    desk.call("collect --demo --save whole.gz").run().code(0);
    std::fs::read(desk.path("whole.gz")).unwrap()
}

#[test]
fn a_file_that_was_cut_anywhere_is_refused() {
    let desk = Desk::new();
    let whole = demo(&desk);
    // The beginnings of the gzip members: header, pages, manifest.
    let mut members: Vec<usize> = (1..whole.len() - 3)
        .filter(|&at| whole[at..].starts_with(&[0x1f, 0x8b, 0x08, 0]))
        .filter(|&at| MultiGzDecoder::new(&whole[at..]).read(&mut [0]).is_ok())
        .collect();
    let manifest = members.pop().unwrap();
    let (first, middle) = (members[0], members[members.len() / 2]);
    let inside = usize::midpoint(middle, members[members.len() / 2 + 1]);
    for end in [
        first,
        first + 5,
        middle,
        inside,
        manifest,
        manifest + 20,
        whole.len() - 9,
        whole.len() - 1,
    ] {
        read(&desk, &whole[..end]).failed(
            5,
            &["s.gz is cut short"],
            &["get the whole file", ".partial"],
        );
    }
    read(&desk, &whole[..first / 2]).code(5).says("error: s.gz");
    read(&desk, &whole).code(0);
}

#[test]
fn a_file_that_was_edited_is_refused() {
    let desk = Desk::new();
    let text = unpacked(&demo(&desk));
    read(&desk, packed(&text)).code(0); // packing it anew is no edit
    let guest = text
        .lines()
        .find(|line| line.contains("\"userType\":\"Guest\""))
        .unwrap();
    let manifest = text.lines().last().unwrap();
    let page = text
        .lines()
        .find(|line| line.starts_with("{\"page\":\"users\""))
        .unwrap();
    for (from, to, what) in [
        (guest, guest.replace("Guest", "Member"), "rows of users"),
        (guest, format!("{guest}\n{guest}"), ""),
        (page, page.replace("\"rows\":", "\"rows\":1"), ""),
        (
            manifest,
            manifest.replacen("\"count\":", "\"count\":1", 1),
            "header or manifest",
        ),
        (
            manifest,
            manifest.replacen("\"collected\"", "\"skipped\"", 1),
            "header or manifest",
        ),
        (
            manifest,
            manifest.replace("\"manifest\"", "\"Manifest\""),
            "neither a page nor the manifest",
        ),
        (
            manifest,
            format!("{manifest}\n{{}}"),
            "something stands after its manifest",
        ),
        (
            "\"cloud\":\"global\"",
            "\"cloud\":\"usgov\"".to_owned(),
            "header or manifest",
        ),
    ] {
        let edited = text.replacen(from, &to, 1);
        assert_ne!(edited, text, "{what}");
        let ran = read(&desk, packed(&edited))
            .code(5)
            .says("error: s.gz ")
            .says(what);
        assert_eq!(ran.out(), "", "no report of an edited file");
    }
    // A row less, and its page told to be shorter: still noticed.
    let rows: u64 = page
        .split("\"rows\":")
        .nth(1)
        .unwrap()
        .split([',', '}'])
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let shorter = page.replace(
        &format!("\"rows\":{rows}"),
        &format!("\"rows\":{}", rows - 1),
    );
    let first = text
        .lines()
        .skip_while(|line| *line != page)
        .nth(1)
        .unwrap();
    let without = text.replacen(&format!("{page}\n{first}\n"), &format!("{shorter}\n"), 1);
    assert!(without.len() < text.len());
    read(&desk, packed(&without)).failed(
        5,
        &["s.gz was changed after it was written", "users has"],
        &["collect again"],
    );
}

#[test]
fn a_place_that_cannot_be_written() {
    let desk = Desk::new();
    desk.write("file", "x");
    for place in ["absent/s.gz", "file/s.gz"] {
        for command in ["scan", "collect"] {
            desk.call(&format!("{command} --demo --save {place}"))
                .run()
                .failed(5, &["could not create", place], &["check the path"]);
        }
    }
    // A folder stands where the file should be: said, and nothing is lost.
    std::fs::create_dir(desk.path("folder")).unwrap();
    desk.call("collect --demo --save folder")
        .run()
        .failed(5, &["folder"], &["check the path"]);
    assert!(Path::new(&desk.path("folder.partial")).exists());
}
