//! Going on after an interruption: what is there is not asked again, what is missing is, and nothing comes twice.

use super::*;
use m365audit::snapshot::Shard;
use m365audit::snapshot::file::{self, Header, Writer};

/// A page as a snapshot file holds it.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    resource: Resource,
    of: Option<Guid>,
    shard: Option<Shard>,
    rows: Vec<Box<RawValue>>,
    count: Option<u64>,
    next: Option<String>,
}

impl Kept {
    pub(crate) fn new(page: &Page<'_>, rows: Vec<Box<RawValue>>) -> Self {
        Self {
            resource: page.resource,
            of: page.of,
            shard: page.shard.cloned(),
            rows,
            count: page.count,
            next: page.next.map(str::to_owned),
        }
    }

    pub(crate) const fn shard(&self) -> Option<&Shard> {
        self.shard.as_ref()
    }

    fn page(&self) -> Page<'_> {
        Page {
            resource: self.resource,
            of: self.of,
            shard: self.shard.as_ref(),
            rows: &self.rows,
            count: self.count,
            next: self.next.as_deref(),
        }
    }
}

/// What a file with these pages, and the ends of these sections, tells the next run.
fn left(pages: &[Kept], ended: &BTreeMap<Resource, Record>) -> (super::Kept, Earlier) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.jsonl.gz");
    let header = Header::new(
        "contoso.example",
        "global",
        jiff::Timestamp::UNIX_EPOCH,
        Vec::new(),
    );
    let mut writer = Writer::create(&path, &header).unwrap();
    let mut kept = super::Kept::default();
    for page in pages {
        writer.page(&page.page()).unwrap();
        kept.page(&page.page()).unwrap();
    }
    for (&resource, record) in ended {
        writer.end(resource, record).unwrap();
    }
    writer.leave().unwrap();
    (kept, file::resume(&path, &header).unwrap().earlier)
}

async fn start(resources: BTreeSet<Resource>, options: Options) -> Place {
    Place::start(Own::Known, demo(), resources, options, Pace::fast()).await
}

fn pages_of(rows: usize) -> Options {
    Options {
        max_page: Some(rows),
        ..Options::default()
    }
}

#[track_caller]
fn assert_whole(run: &Run, whole: &super::Kept, resource: Resource) {
    let state = run.kept.state(resource);
    assert_eq!(state, &State::Collected, "{resource}");
    assert!(run.kept.all(resource) == whole.all(resource), "{resource}");
}

#[tokio::test]
async fn objects_that_a_second_try_brings_to_light_are_asked_for_and_no_others() {
    let whole = read(demo(), most(), Options::default()).await;
    let refused = faults([(
        "/v1.0/identity/conditionalAccess/policies",
        Nth::Always,
        FaultKind::Status(403),
    )]);
    let first = read(demo(), most(), refused).await;
    let members = Resource::GroupTransitiveMembers;
    assert_eq!(first.state(members), &State::Collected);
    let known = &first.rows[&members];
    let new = whole.rows[&members]
        .keys()
        .filter(|of| !known.contains_key(of));
    let new: Vec<String> = new.map(|of| of.unwrap().to_string()).collect();
    assert!(!new.is_empty() && !known.is_empty());

    let (kept, earlier) = left(&first.pages, &first.records);
    let run = start(most(), Options::default())
        .await
        .collect(kept, earlier)
        .await;
    run.ended.as_ref().unwrap();
    for &resource in Resource::ALL {
        assert_eq!(
            word(run.kept.state(resource)),
            word(whole.state(resource)),
            "{resource}"
        );
        assert!(run.kept.all(resource) == whole.all(resource), "{resource}");
    }
    let asked = run.requests.iter().map(|line| line.path.as_str());
    let asked: Vec<&str> = asked
        .filter(|path| path.contains("/transitiveMembers"))
        .collect();
    assert_eq!(asked.len(), new.len(), "{asked:#?}");
    for id in new {
        assert!(
            asked.iter().any(|path| path.contains(&id)),
            "{id}: {asked:#?}"
        );
    }
}

/// Killed between the last page of a list and the line that says how it ended.
#[tokio::test]
async fn where_only_the_ends_are_missing_nothing_is_asked_again() {
    let place = start(most(), Options::default()).await;
    let first = place
        .collect(super::Kept::default(), Earlier::default())
        .await
        .kept;
    let (kept, earlier) = left(&first.pages, &BTreeMap::new());
    let run = place.collect(kept, earlier).await;
    run.ended.as_ref().unwrap();
    for &resource in Resource::ALL {
        assert_eq!(
            word(run.kept.state(resource)),
            word(first.state(resource)),
            "{resource}"
        );
        assert!(run.kept.all(resource) == first.all(resource), "{resource}");
    }
    // The report is one file, which says nothing of how far it was read.
    for resource in [Resource::EmailActivity, Resource::CrossTenantAccessPartners] {
        assert!(!first.all(resource).is_empty(), "{resource}");
    }
    for single in [
        "/admin/sharepoint/settings",
        "/crossTenantAccessPolicy/",
        "/transitiveMembers",
    ] {
        let again = run
            .requests
            .iter()
            .filter(|line| line.path.contains(single));
        assert_eq!(again.count(), 0, "{single}");
    }
}

#[tokio::test]
async fn a_chain_that_ended_short_of_its_count_is_read_again() {
    for (resource, rows) in [(Resource::Applications, 100), (Resource::Users, 10)] {
        let place = start([resource].into(), pages_of(rows)).await;
        let whole = place
            .collect(super::Kept::default(), Earlier::default())
            .await
            .kept;
        let mut pages = whole.pages.clone();
        let last = pages
            .iter_mut()
            .rfind(|page| page.next.is_none() && page.rows.len() > 1);
        let last = last.unwrap();
        last.rows.pop();
        let is_part = last.shard.is_some();
        assert_eq!(is_part, resource == Resource::Users);
        let (kept, earlier) = left(&pages, &BTreeMap::new());
        let run = place.collect(kept, earlier).await;
        assert_whole(&run, &whole, resource);
        let record = &run.kept.records[&resource];
        assert!(
            !is_part || record.requests < 10,
            "one part only: {record:?}"
        );
    }
    // Lists by object.
    let place = start(most(), Options::default()).await;
    let whole = place
        .collect(super::Kept::default(), Earlier::default())
        .await
        .kept;
    let members = Resource::GroupTransitiveMembers;
    let mut pages = whole.pages.clone();
    let short = pages
        .iter_mut()
        .find(|page| page.resource == members && page.rows.len() > 1);
    let short = short.unwrap();
    short.rows.pop();
    let of = short.of.unwrap().to_string();
    let (kept, earlier) = left(&pages, &BTreeMap::new());
    let run = place.collect(kept, earlier).await;
    assert_whole(&run, &whole, members);
    let asked = run.requests.iter().map(|line| line.path.as_str());
    let asked: Vec<&str> = asked
        .filter(|path| path.contains("/transitiveMembers"))
        .collect();
    assert!(asked.len() == 1 && asked[0].contains(&of), "{asked:#?}");
}

/// Links of pages do not live for ever.
#[tokio::test]
async fn a_link_that_leads_nowhere_any_more_is_followed_by_a_new_beginning() {
    for (resource, rows) in [
        (Resource::RegistrationDetails, 60),
        (Resource::CrossTenantAccessPartners, 1),
        (Resource::Users, 10),
    ] {
        let probe = start([resource].into(), pages_of(rows)).await;
        let whole = probe
            .collect(super::Kept::default(), Earlier::default())
            .await;
        let links = whole
            .requests
            .iter()
            .filter(|line| line.path.contains("skiptoken"));
        let links = u64::try_from(links.count()).unwrap();
        let whole = whole.kept;
        for status in [400, 404, 410] {
            let options = Options {
                max_page: Some(rows),
                ..faults([("skiptoken", Nth::Only(links + 1), FaultKind::Status(status))])
            };
            let place = start([resource].into(), options).await;
            let first = place
                .collect(super::Kept::default(), Earlier::default())
                .await
                .kept;
            // The last of its pages, or of those of a part, had not come.
            let at = first
                .pages
                .iter()
                .rposition(|page| page.next.is_some())
                .unwrap();
            let cut = first.pages[at].clone();
            let mut pages = first.pages.clone();
            let mut number = 0;
            pages.retain(|page| {
                number += 1;
                page.shard != cut.shard || number <= at + 1
            });
            assert!(pages.len() < first.pages.len());
            let (kept, earlier) = left(&pages, &BTreeMap::new());
            let run = place.collect(kept, earlier).await;
            assert_whole(&run, &whole, resource);
        }
    }
}
