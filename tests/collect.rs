//! Collection against the emulator: everything is asked for, and whatever goes wrong ends up as the state of what was asked.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail wherever it finds something else"
)]

mod scripted;

#[path = "collect/details.rs"]
mod details;
#[path = "collect/devices.rs"]
mod devices;
#[path = "collect/faults.rs"]
mod faults;
#[path = "collect/governance.rs"]
mod governance;
#[path = "collect/hundred.rs"]
mod hundred;
#[path = "collect/parts.rs"]
mod parts;
#[path = "collect/place.rs"]
mod place;
#[path = "collect/refusals.rs"]
mod refusals;
#[path = "collect/resume.rs"]
mod resume;
#[path = "collect/start.rs"]
mod start;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use m365audit::auth::{Cloud, Credential, Endpoints, SignIn, Tokens};
use m365audit::collect::{self, Ask, CollectError, Outcome, Sink, SinkError};
use m365audit::config;
use m365audit::emulator::{self, Emulator, Fault, FaultKind, Nth, Options, TenantData};
use m365audit::graph::{Clock, GraphClient, Pace, http};
use m365audit::snapshot::tenant::Fold;
use m365audit::snapshot::{
    Earlier, Guid, Licence, Page, Record, Resource, SnapshotError, State, Tenant,
};
use place::Place;
use scripted::FakeClock;
use serde_json::Value;
use serde_json::value::RawValue;

/// A sink that keeps everything.
#[derive(Default)]
struct Kept {
    /// On the heap: it is as long as the list of sections.
    tenant: Box<Tenant>,
    records: BTreeMap<Resource, Record>,
    /// Rows by resource and by the object that they belong to, as they came.
    rows: BTreeMap<Resource, BTreeMap<Option<Guid>, Vec<String>>>,
    begun: Vec<Resource>,
    /// What a snapshot file would hold of them.
    pages: Vec<resume::Kept>,
    /// Pages to take before the disk is full.
    room: Option<usize>,
}

impl Sink for Kept {
    fn page(&mut self, page: &Page<'_>) -> Result<(), SinkError> {
        if let Some(room) = &mut self.room {
            *room = room.checked_sub(1).ok_or_else(|| SnapshotError::Io {
                doing: "write",
                path: "full.jsonl.gz.partial".into(),
                source: std::io::ErrorKind::StorageFull.into(),
            })?;
        }
        let rows = self.rows.entry(page.resource).or_default();
        let kept = rows.entry(page.of).or_default();
        let mut new = Vec::new();
        for row in page.rows {
            if self.tenant.fold(page.resource, page.of, row)? == Fold::New {
                kept.push(without_context(row));
                new.push(row.clone());
            }
        }
        self.pages.push(resume::Kept::new(page, new));
        if let Some(subject) = page.of {
            self.tenant.touch(page.resource, subject);
        }
        Ok(())
    }

    fn begin(&mut self, resource: Resource) {
        self.begun.push(resource);
    }

    fn end(&mut self, resource: Resource, mut record: Record) -> Result<(), SinkError> {
        record.count = self.count(resource);
        self.tenant.end(resource, record.state.clone());
        let earlier = self.records.insert(resource, record);
        assert_eq!(earlier, None, "{resource} ended twice");
        Ok(())
    }

    fn count(&self, resource: Resource) -> u64 {
        self.all(resource).len() as u64
    }

    fn tenant(&self) -> &Tenant {
        &self.tenant
    }
}

impl Kept {
    /// All rows of a resource with their objects, sorted.
    fn all(&self, resource: Resource) -> Vec<(Option<Guid>, &str)> {
        let lists = self.rows.get(&resource).into_iter().flatten();
        let mut all: Vec<_> = lists
            .flat_map(|(of, rows)| rows.iter().map(|row| (*of, row.as_str())))
            .collect();
        all.sort_unstable();
        all
    }

    fn state(&self, resource: Resource) -> &State {
        self.records
            .get(&resource)
            .map_or(&State::Skipped, |record| &record.state)
    }

    /// What is not collected, in words.
    fn troubles(&self) -> BTreeMap<Resource, &'static str> {
        Resource::ALL
            .iter()
            .map(|&resource| (resource, word(self.state(resource))))
            .filter(|(_, word)| *word != "collected")
            .collect()
    }
}

/// The row without the address of the emulator, which is another in each run.
fn without_context(row: &RawValue) -> String {
    let mut row: Value = serde_json::from_str(row.get()).unwrap();
    row.as_object_mut().unwrap().remove("@odata.context");
    row.to_string()
}

fn word(state: &State) -> &'static str {
    match state {
        State::Skipped => "skipped",
        State::Collected => "collected",
        State::Partial { .. } => "partial",
        State::Forbidden { .. } => "forbidden",
        State::NotLicensed { .. } => "not licensed",
        State::Failed { .. } => "failed",
    }
}

fn error(state: &State) -> &str {
    match state {
        State::Partial { error, .. }
        | State::Forbidden { error, .. }
        | State::NotLicensed { error }
        | State::Failed { error } => error.raw(),
        State::Skipped | State::Collected => "",
    }
}

/// The demo tenant with an app that holds exactly what the resources name.
fn demo() -> TenantData {
    static DEMO: LazyLock<TenantData> = LazyLock::new(|| {
        let mut tenant = TenantData::demo().unwrap();
        *tenant.permissions_mut() = least().into_iter().map(str::to_owned).collect();
        tenant
    });
    DEMO.clone()
}

/// The demo with its long lists cut down: for tests that read it many times.
fn small() -> TenantData {
    static SMALL: LazyLock<TenantData> = LazyLock::new(|| {
        let mut tenant = demo();
        for text in [
            include_str!("../fixtures/tenants/demo/users.json"),
            include_str!("../fixtures/tenants/demo/registration.json"),
            include_str!("../fixtures/tenants/demo/devices.json"),
        ] {
            let lists: BTreeMap<String, Value> = serde_json::from_str(text).unwrap();
            for (path, rows) in lists {
                // Every eighth: each platform is still there.
                if let Some(rows) = rows.as_array().filter(|rows| rows.len() > 100) {
                    tenant.set(path, rows.iter().step_by(8).cloned().collect());
                }
            }
        }
        tenant
    });
    SMALL.clone()
}

fn least() -> BTreeSet<&'static str> {
    let all = Resource::ALL.iter();
    all.flat_map(|resource| resource.permissions())
        .copied()
        .collect()
}

/// Everything but what is read only when asked for: a request for each mailbox, account or application.
fn most() -> BTreeSet<Resource> {
    let all = Resource::ALL.iter().copied();
    all.filter(|resource| !resource.is_opt_in()).collect()
}

/// What is not read of the demo by an application that may read everything: there is no Linux device, no licence for workload
/// identities, and no permission that opens the settings of Identity Protection to an application.
fn out_of_reach() -> BTreeMap<Resource, &'static str> {
    BTreeMap::from([
        (Resource::CompliancePolicies, "skipped"),
        (Resource::NamedLocationsBeta, "skipped"),
        (Resource::RiskyServicePrincipals, "not licensed"),
        (Resource::RiskNotifications, "forbidden"),
    ])
}

/// The same, and what nobody asked for.
fn out_of_reach_of_most() -> BTreeMap<Resource, &'static str> {
    let all = Resource::ALL.iter().copied();
    let opt_in = all.filter(|resource| resource.is_opt_in());
    let mut troubles = out_of_reach();
    troubles.extend(opt_in.map(|resource| (resource, "skipped")));
    troubles
}

/// The application that signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Own {
    Known,
    NotKnown,
    Other(Guid),
}

struct Run {
    kept: Kept,
    ended: Result<Outcome, CollectError>,
    requests: Vec<emulator::RequestLine>,
}

/// Collects these resources from the tenant, with trouble on order, on a clock that jumps.
async fn run(tenant: TenantData, resources: BTreeSet<Resource>, options: Options) -> Run {
    run_into(Kept::default(), tenant, resources, options).await
}

async fn run_into(
    kept: Kept,
    tenant: TenantData,
    resources: BTreeSet<Resource>,
    options: Options,
) -> Run {
    run_as(Own::Known, kept, tenant, resources, options).await
}

async fn run_as(
    own: Own,
    kept: Kept,
    tenant: TenantData,
    resources: BTreeSet<Resource>,
    options: Options,
) -> Run {
    let place = Place::start(own, tenant, resources, options, Pace::fast()).await;
    place.collect(kept, Earlier::default()).await
}

/// As [`run`], and the collection must come to its end.
async fn read(tenant: TenantData, resources: BTreeSet<Resource>, options: Options) -> Kept {
    let run = run(tenant, resources, options).await;
    run.ended.unwrap();
    run.kept
}

fn faults(faults: impl IntoIterator<Item = (&'static str, Nth, FaultKind)>) -> Options {
    Options {
        faults: faults
            .into_iter()
            .map(|(path, nth, kind)| Fault {
                path_contains: path.to_owned(),
                nth,
                kind,
            })
            .collect(),
        max_page: Some(60),
        ..Options::default()
    }
}

#[tokio::test]
async fn the_demo_tenant_is_read_to_its_end() {
    let run = run(
        demo(),
        Resource::ALL.iter().copied().collect(),
        Options::default(),
    )
    .await;
    run.ended.unwrap();
    let kept = run.kept;
    assert_eq!(kept.troubles(), out_of_reach(), "{:?}", kept.records);

    let demo: Value =
        serde_json::from_str(include_str!("../fixtures/tenants/demo/users.json")).unwrap();
    let users = demo["/users"].as_array().unwrap();
    let ids = |rows: &[Value]| {
        rows.iter()
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect::<BTreeSet<_>>()
    };
    for resource in [Resource::Users, Resource::SignInActivity] {
        let rows: Vec<Value> = kept
            .all(resource)
            .iter()
            .map(|(_, row)| serde_json::from_str(row).unwrap())
            .collect();
        assert_eq!(rows.len(), users.len());
        assert_eq!(ids(&rows), ids(users));
    }
    let record = &kept.records[&Resource::Users];
    assert_eq!(record.expected, Some(users.len() as u64));
    assert_eq!(record.retries, 0);
    assert_eq!(kept.records[&Resource::SecurityDefaults].count, 1);

    // Each record says what it cost, and together that is what was sent; the first request is a probe.
    let batches = run
        .requests
        .iter()
        .filter(|line| line.path.ends_with("$batch"))
        .count();
    let sent = run
        .requests
        .iter()
        .filter(|line| line.bearer || line.batch_part || line.path.starts_with("/download/"))
        .count();
    let charged: u64 = kept.records.values().map(|record| record.requests).sum();
    assert_eq!(charged, (sent - batches - 1) as u64);
    assert!(run.requests.iter().all(|line| line.method == "GET"
        || line.path.ends_with("$batch")
        || line.path.ends_with("/token")));
    let mut begun = kept.begun.clone();
    begun.sort_unstable();
    assert_eq!(
        begun,
        kept.records.keys().copied().collect::<Vec<_>>(),
        "each begins once and ends once"
    );
}

#[tokio::test]
async fn a_group_that_is_gone_has_no_members_and_is_no_failure() {
    let kept = read(demo(), most(), Options::default()).await;
    let gone: Guid = "7db18a32-22d2-5ac7-91fd-885ef387dc8c".parse().unwrap();
    let groups = &kept.rows[&Resource::GroupTransitiveMembers];
    assert_eq!(groups[&Some(gone)], [""; 0]);
    assert!(groups.values().any(|members| members.len() > 10));
    assert_eq!(
        kept.state(Resource::GroupTransitiveMembers),
        &State::Collected
    );
    let record = &kept.records[&Resource::GroupTransitiveMembers];
    assert_eq!(
        record.expected,
        Some(record.count),
        "the counts of all groups together"
    );
}

#[tokio::test]
async fn what_the_tenant_does_not_own_is_not_licensed() {
    let basic = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tenants/basic");
    let tenant = TenantData::load(basic.as_ref()).unwrap();
    let kept = read(
        tenant,
        Resource::ALL.iter().copied().collect(),
        Options::default(),
    )
    .await;
    let wanted: BTreeMap<Resource, &str> = [
        Resource::SignInActivity,
        Resource::RegistrationDetails,
        Resource::RoleEligibilityScheduleInstances,
        Resource::RoleAssignmentScheduleInstances,
        Resource::RiskyUsers,
        Resource::PremiumLicenseInsight,
        Resource::RoleManagementPolicyAssignments,
        Resource::RoleManagementAlerts,
        Resource::AccessReviewDefinitions,
        Resource::AssignmentPolicies,
        Resource::AccessPackageCatalogs,
        Resource::AccessPackages,
        Resource::LifecycleWorkflows,
        Resource::ForwardingProfiles,
        Resource::NetworkAccessConditionalAccess,
        Resource::FilteringPolicies,
        Resource::FilteringProfiles,
        Resource::Alerts,
        Resource::DlpAlerts,
        Resource::Incidents,
        Resource::ServicePrincipalSignInActivities,
        Resource::RiskDetections,
        Resource::RiskyServicePrincipals,
        Resource::CloudAppsAlerts,
        Resource::InsiderRiskAlerts,
        Resource::ResolvedIncidents,
        Resource::AttackSimulations,
        Resource::IdentitySensors,
        Resource::IdentityHealthIssues,
        Resource::DeviceManagement,
        Resource::ManagedDevices,
        Resource::ManagedDeviceOverview,
        Resource::DeviceCompliancePolicies,
        Resource::IosManagedAppProtections,
        Resource::AndroidManagedAppProtections,
    ]
    .into_iter()
    // All of Intune, what hangs below its lists included.
    .chain(
        Resource::ALL
            .iter()
            .copied()
            .filter(|resource| resource.licence() == Licence::Intune),
    )
    .map(|resource| (resource, "not licensed"))
    .chain(
        [
            Resource::ConditionalAccessPoliciesBeta,
            Resource::NamedLocationsBeta,
            Resource::DeviceCompliancePoliciesBeta,
            Resource::CompliancePolicies,
        ]
        .map(|resource| (resource, "skipped")),
    )
    .chain([(Resource::RiskNotifications, "forbidden")])
    .collect();
    assert_eq!(kept.troubles(), wanted, "{:#?}", kept.records);
}

#[tokio::test]
async fn only_what_is_asked_for_is_asked_and_what_follows_from_it_says_so() {
    let asked = BTreeSet::from([
        Resource::Users,
        Resource::ServicePrincipalOwners,
        Resource::AppRoleAssignedTo,
    ]);
    let kept = read(demo(), asked.clone(), Options::default()).await;
    assert_eq!(kept.records.keys().copied().collect::<BTreeSet<_>>(), asked);
    assert_eq!(kept.state(Resource::Users), &State::Collected);
    let grants = error(kept.state(Resource::AppRoleAssignedTo));
    assert!(
        grants.contains("GET /v1.0/servicePrincipals, which was not asked for"),
        "{grants}"
    );
    let owners = error(kept.state(Resource::ServicePrincipalOwners));
    assert!(
        owners.contains("GET /v1.0/servicePrincipals/{id}/appRoleAssignedTo, which was not read"),
        "{owners}"
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_written_ends_the_run() {
    for room in [0, 3] {
        let kept = Kept {
            room: Some(room),
            ..Kept::default()
        };
        let run = run_into(kept, demo(), most(), Options::default()).await;
        assert!(
            matches!(run.ended, Err(CollectError::File(SnapshotError::Io { .. }))),
            "{:?}",
            run.ended
        );
        let pages: usize = run.kept.rows.values().map(BTreeMap::len).sum();
        assert!(pages <= room);
    }
}
