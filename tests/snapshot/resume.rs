//! Going on with an unfinished file: wherever it was torn, everything before is kept, and the end is as if nothing had happened.

use std::path::{Path, PathBuf};

use m365audit::snapshot::{Page as FilePage, Shard};

use super::*;

/// A file that a run has left behind: its pages, and the end of one section.
fn left(folder: &Path, pages: &[Page]) -> (PathBuf, Vec<u8>) {
    let path = folder.join("tenant.jsonl.gz");
    let mut writer = Writer::create(&path, &header()).unwrap();
    let records = fill(&mut writer, pages);
    writer
        .end(Resource::Domains, &records[&Resource::Domains])
        .unwrap();
    let partial = writer.leave().unwrap().unwrap();
    let bytes = std::fs::read(&partial).unwrap();
    (path, bytes)
}

fn put(path: &Path, bytes: &[u8]) {
    std::fs::write(path.with_extension("gz.partial"), bytes).unwrap();
}

#[test]
fn wherever_it_was_torn_the_result_is_that_of_an_unbroken_run() {
    let folder = tempfile::tempdir().unwrap();
    let (path, bytes) = left(folder.path(), &pages());
    let whole = written(&pages());
    // One member for the header, one for each page, one for the end of a section.
    let ends = ends(&bytes);
    assert_eq!(ends.len(), 1 + 1 + pages().len() + 1);
    for cut in ends[1]..=bytes.len() {
        put(&path, &bytes[..cut]);
        let mut resumed = file::resume(&path, &header()).unwrap();
        let members = ends.iter().filter(|&&end| end <= cut).count();
        let kept = (members - 2).min(pages().len());
        let rows: u64 = resumed.counts.values().sum();
        let wanted: usize = pages()[..kept].iter().map(|page| page.rows.len()).sum();
        assert_eq!(rows, wanted as u64, "cut at {cut}");
        fill(&mut resumed.writer, &pages()[kept..]);
        let records = fill(
            &mut Writer::to_pipe(Box::new(Pipe::default()), &header()).unwrap(),
            &pages(),
        );
        resumed.writer.finish(&records).unwrap();
        let result = std::fs::read(&path).unwrap();
        assert_eq!(digests(&result), digests(&whole), "cut at {cut}");
        assert_eq!(file::read(&path).unwrap().records, records);
        std::fs::remove_file(&path).unwrap();
    }
    for cut in 0..ends[1] {
        put(&path, &bytes[..cut]);
        assert!(
            matches!(
                file::resume(&path, &header()),
                Err(SnapshotError::Foreign(..))
            ),
            "cut at {cut}"
        );
    }
}

#[test]
fn it_says_how_far_each_chain_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.jsonl.gz");
    let mut writer = Writer::create(&path, &header()).unwrap();
    let rows = |numbers: std::ops::Range<u128>| -> Vec<Box<RawValue>> {
        numbers
            .map(|number| RawValue::from_string(user(number).to_string()).unwrap())
            .collect()
    };
    let (low, high) = (Shard::range(None, Some("m")), Shard::range(Some("m"), None));
    for (shard, rows, count, next) in [
        (Some(&low), rows(0..3), Some(5), Some("https://graph/2")),
        (Some(&high), rows(10..12), Some(2), None),
        (Some(&low), rows(3..5), None, Some("https://graph/3")),
        (None, rows(20..21), None, None),
    ] {
        let page = FilePage {
            shard,
            rows: &rows,
            count,
            next,
            ..FilePage::empty(Resource::Users)
        };
        writer.page(&page).unwrap();
    }
    let of = Some(Guid::new(90));
    let page = FilePage {
        of,
        ..FilePage::empty(Resource::GroupTransitiveMembers)
    };
    writer.page(&page).unwrap();
    let failed = Record {
        state: State::Failed {
            error: "gone".into(),
        },
        ..Record::default()
    };
    let collected = Record {
        state: State::Collected,
        requests: 3,
        ..Record::default()
    };
    writer.end(Resource::Users, &failed).unwrap();
    writer.end(Resource::Domains, &collected).unwrap();
    writer.leave().unwrap();

    let earlier = file::resume(&path, &header()).unwrap().earlier;
    let users: Vec<_> = earlier
        .chains(Resource::Users, None)
        .into_iter()
        .map(|(shard, chain)| (shard.clone(), chain.read, chain.count, chain.next.clone()))
        .collect();
    assert_eq!(
        users,
        [
            (None, 1, None, None),
            (Some(low), 5, Some(5), Some("https://graph/3".to_owned())),
            (Some(high), 2, Some(2), None),
        ]
    );
    assert_eq!(
        earlier.chains(Resource::GroupTransitiveMembers, of).len(),
        1
    );
    assert_eq!(
        earlier.chains(Resource::GroupTransitiveMembers, None).len(),
        0
    );
    assert_eq!(earlier.ended(Resource::Users), None, "worth another try");
    assert_eq!(earlier.ended(Resource::Domains), Some(&collected));
}

#[test]
fn another_question_is_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = left(folder.path(), &pages());
    let other = |change: fn(&mut Header)| {
        let mut header = header();
        change(&mut header);
        header
    };
    for (wanted, words) in [
        (
            other(|header| header.tenant = "fabrikam.example".into()),
            "the tenant contoso.example",
        ),
        (
            other(|header| header.cloud = "china".into()),
            "in the cloud global",
        ),
        (
            other(|header| header.tool.version = "9.9.9".to_owned()),
            "by version",
        ),
        (
            other(|header| header.asked.push(Resource::Alerts)),
            "begun without alerts",
        ),
        (
            other(|header| header.asked.clear()),
            "begun with users, domains, riskyUsers",
        ),
    ] {
        let error = file::resume(&path, &wanted).map(drop).unwrap_err();
        assert!(matches!(error, SnapshotError::Different(..)), "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.help().unwrap().contains("--resume"));
    }
    // The moment of the first run stays that of the snapshot.
    let later = other(|header| header.collected_at = "2027-01-01T00:00:00Z".parse().unwrap());
    let resumed = file::resume(&path, &later).unwrap();
    assert_eq!(resumed.header.collected_at, header().collected_at);
}

#[test]
fn two_runs_do_not_write_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.jsonl.gz");
    let writer = Writer::create(&path, &header()).unwrap();
    let busy = |error: SnapshotError| matches!(error, SnapshotError::Busy(_));
    assert!(busy(file::resume(&path, &header()).map(drop).unwrap_err()));
    assert!(busy(
        Writer::create(&path, &header()).map(drop).unwrap_err()
    ));
    drop(writer);
    let resumed = file::resume(&path, &header()).unwrap();
    assert!(busy(
        Writer::create(&path, &header()).map(drop).unwrap_err()
    ));
    drop(resumed);
    drop(Writer::create(&path, &header()).unwrap());
}

#[test]
fn a_manifest_that_was_written_before_the_file_got_its_name_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.jsonl.gz");
    put(&path, &written(&pages()));
    let resumed = file::resume(&path, &header()).unwrap();
    assert_eq!(resumed.counts[&Resource::Users], 4);
    let records = fill(
        &mut Writer::to_pipe(Box::new(Pipe::default()), &header()).unwrap(),
        &pages(),
    );
    resumed.writer.finish(&records).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), written(&pages()));
}
