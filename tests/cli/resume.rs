//! A collection that was interrupted: what was read is kept, and the same command goes on from there.

use std::collections::BTreeMap;

use m365audit::emulator::{Fault, FaultKind, Nth, Options};
use serde_json::Value;

use crate::support::binary::{Desk, Stage};

/// From then on no connection lasts.
fn gone(after: u64) -> Fault {
    Fault {
        path_contains: "/".to_owned(),
        nth: Nth::After(after),
        kind: FaultKind::ResetConnection,
    }
}

/// Rows and digest of each section that was read whole.
fn sections(bytes: &[u8]) -> BTreeMap<String, (u64, String)> {
    use std::io::Read as _;
    let mut text = String::new();
    let mut gzip = flate2::bufread::MultiGzDecoder::new(bytes);
    gzip.read_to_string(&mut text).unwrap();
    let last = text.lines().last().unwrap();
    let manifest: Value = serde_json::from_str(last).unwrap();
    let all = manifest["manifest"]["sections"].as_object().unwrap();
    all.iter()
        .filter(|(_, section)| section["status"] == "collected")
        .map(|(key, section)| {
            let digest = section["digest"].as_str().unwrap().to_owned();
            (key.clone(), (section["count"].as_u64().unwrap(), digest))
        })
        .collect()
}

#[test]
fn a_lost_network_leaves_a_file_that_the_same_command_goes_on_with() {
    let pages = |faults| Options {
        max_page: Some(20),
        faults,
        ..Options::default()
    };
    let whole = Stage::with("demo", pages(Vec::new()));
    let unbroken = whole.run(whole.call("collect --save -")).code(0).bytes;

    for after in [40, 120] {
        let broken = Stage::with("demo", pages(vec![gone(after)]));
        let ran = broken
            .run(broken.call("collect --save t.gz --resume"))
            .failed(
                5,
                &[
                    "the collection was interrupted; what was read is in",
                    "t.gz.partial",
                ],
                &["run the same command with --resume"],
            );
        drop(ran);
        assert!(!broken.desk.path("t.gz").exists());
        let left = std::fs::read(broken.desk.path("t.gz.partial")).unwrap();

        let again = Stage::with("demo", pages(Vec::new()));
        again.desk.write("t.gz.partial", &left);
        again
            .run(again.call("collect --save t.gz --resume"))
            .code(0);
        assert!(!again.desk.path("t.gz.partial").exists());
        let resumed = std::fs::read(again.desk.path("t.gz")).unwrap();
        let (resumed, unbroken) = (sections(&resumed), sections(&unbroken));
        assert_eq!(resumed.len(), unbroken.len());
        for (key, section) in &unbroken {
            assert_eq!(resumed.get(key), Some(section), "{key} after {after}");
        }
        assert!(
            again.answered(200) < whole.answered(200),
            "after {after}: {} of {}",
            again.answered(200),
            whole.answered(200)
        );
    }
}

/// Killed when everything had come but the lines that say how each section ended.
#[test]
fn rows_without_an_id_are_not_doubled() {
    use std::io::{Read as _, Write as _};
    let stage = Stage::of("demo");
    let unbroken = stage.run(stage.call("collect --save -")).code(0).bytes;
    let mut text = String::new();
    let mut gzip = flate2::bufread::MultiGzDecoder::new(&unbroken[..]);
    gzip.read_to_string(&mut text).unwrap();
    let mut members: Vec<String> = Vec::new();
    for line in text.lines() {
        let begins = [
            "{\"m365audit_snapshot\"",
            "{\"page\"",
            "{\"end\"",
            "{\"manifest\"",
        ];
        if begins.iter().any(|begin| line.starts_with(begin)) {
            members.push(String::new());
        }
        let member = members.last_mut().unwrap();
        member.push_str(line);
        member.push('\n');
    }
    let mut left = Vec::new();
    for member in members {
        if !member.starts_with("{\"end\"") && !member.starts_with("{\"manifest\"") {
            let fast = flate2::Compression::fast();
            let mut gzip = flate2::write::GzEncoder::new(&mut left, fast);
            gzip.write_all(member.as_bytes()).unwrap();
            gzip.finish().unwrap();
        }
    }
    stage.desk.write("t.gz.partial", &left);
    let before = stage.answered(200);
    stage
        .run(stage.call("collect --save t.gz --resume"))
        .code(0);
    let resumed = std::fs::read(stage.desk.path("t.gz")).unwrap();
    assert_eq!(sections(&resumed), sections(&unbroken));
    let again = stage.answered(200) - before;
    assert!(again * 4 < before, "{again} after {before}");
}

#[test]
fn it_goes_on_only_with_the_same_question() {
    let options = Options {
        faults: vec![gone(60)],
        ..Options::default()
    };
    let broken = Stage::with("demo", options);
    broken.run(broken.call("collect --save t.gz")).code(5);
    let left = std::fs::read(broken.desk.path("t.gz.partial")).unwrap();
    let again = Stage::of("demo");
    again.desk.write("t.gz.partial", &left);
    again
        .run(again.call("collect --save t.gz --resume --without devices"))
        .failed(
            2,
            &["cannot go on with", "it was begun with"],
            &["the flags of the interrupted run"],
        );
    assert_eq!(
        std::fs::read(again.desk.path("t.gz.partial")).unwrap(),
        left
    );
    // Without the flag it begins anew.
    again
        .run(again.call("collect --save t.gz --without devices"))
        .code(0);
}

#[test]
fn groups_are_left_out_and_asked_for_by_name() {
    let desk = Desk::new();
    let less = "collect --demo --save less.gz --without devices,risk --no-beta";
    desk.call(less).run().code(0);
    let sections = |name: &str| sections(&std::fs::read(desk.path(name)).unwrap());
    let read = sections("less.gz");
    for key in [
        "managedDevices",
        "devices",
        "riskyUsers",
        "directoryRecommendations",
    ] {
        assert!(!read.contains_key(key), "{key}");
    }
    assert!(read.contains_key("users") && read.contains_key("deviceCompliancePolicies"));
    desk.call("collect --demo --save more.gz --with mailbox-rules,federated-credentials")
        .run()
        .code(0);
    assert!(sections("more.gz").contains_key("federatedIdentityCredentials"));
    desk.call("collect --demo --save x.gz --without device")
        .run()
        .says("there is no group `device`")
        .says("registration-report, sign-in-activity")
        .code(2);
}

#[test]
fn a_time_that_is_up_ends_the_run_and_nothing_passes_by_it() {
    let desk = Desk::new();
    desk.call("scan --demo --timeout soon")
        .run()
        .says("is not a length of time such as 90s, 45m or 2h")
        .code(2);
    desk.call("collect --demo --save - --resume").run().failed(
        2,
        &["--resume needs a file"],
        &["give --save a file name"],
    );
}
