//! Long lists are read in parts side by side; together they are the list.

use super::*;

/// Lists that can be cut, with pages small enough that they are.
const LISTS: [(Resource, &str, usize); 5] = [
    (Resource::Users, "/v1.0/users?", 10),
    (Resource::ServicePrincipals, "/v1.0/servicePrincipals?", 4),
    (Resource::Applications, "/v1.0/applications?", 1),
    (Resource::Devices, "/v1.0/devices?", 5),
    (
        Resource::OAuth2PermissionGrants,
        "/v1.0/oauth2PermissionGrants",
        3,
    ),
];

fn pages_of(rows: usize) -> Options {
    Options {
        max_page: Some(rows),
        ..Options::default()
    }
}

fn asked(run: &Run, path: &str) -> Vec<String> {
    let lines = run
        .requests
        .iter()
        .map(|line| line.path.replace("%20", " "));
    lines.filter(|line| line.contains(path)).collect()
}

#[tokio::test]
async fn a_long_list_is_cut_and_nothing_is_lost_or_doubled() {
    for (resource, path, page) in LISTS {
        let whole = read(demo(), [resource].into(), Options::default()).await;
        let run = run(demo(), [resource].into(), pages_of(page)).await;
        run.ended.as_ref().unwrap();
        assert_eq!(run.kept.state(resource), &State::Collected, "{resource}");
        assert!(run.kept.all(resource) == whole.all(resource), "{resource}");
        let lines = asked(&run, path);
        let filtered = lines.iter().filter(|line| line.contains("$filter="));
        assert!(filtered.count() > 1, "{resource}: {lines:#?}");
        // Parts end with half-filled pages, and the list is counted before and after.
        let rows = whole.all(resource).len();
        let most = 2 * rows.div_ceil(page) + 20;
        assert!(
            lines.len() <= most,
            "{resource}: {} requests for {rows} rows",
            lines.len()
        );
        let record = &run.kept.records[&resource];
        assert_eq!(record.count, rows as u64);
        assert!(
            record
                .expected
                .is_none_or(|expected| expected == record.count)
        );
    }
}

#[tokio::test]
async fn a_short_list_stays_one_chain() {
    let run = run(demo(), [Resource::Users].into(), pages_of(100)).await;
    let lines = asked(&run, "/v1.0/users?");
    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert!(
        lines.iter().all(|line| !line.contains("$filter=")),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn fewer_streams_make_longer_parts() {
    let mut parts = Vec::new();
    for streams in [64, 4] {
        let pace = Pace::fast().with_concurrency(streams);
        let resources = [Resource::Users].into();
        let place = Place::start(Own::Known, demo(), resources, pages_of(10), pace).await;
        let run = place.collect(Kept::default(), Earlier::default()).await;
        assert_eq!(run.kept.state(Resource::Users), &State::Collected);
        let shards = run.kept.pages.iter().map(|page| page.shard().cloned());
        parts.push(shards.collect::<BTreeSet<_>>().len());
    }
    // 35 pages: three to a part at least, or as many as give each stream one.
    assert!(parts[0] >= 10 && parts[1] <= 6, "{parts:?}");
}
