//! How fast rows are taken in and judged, at the size of a large company.
//!
//! `cargo bench --bench evaluate`; with `-- 100k` or `-- 2m` the goals at that size instead, each once.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark ends where its ground is missing, and its figures are for a person"
)]

#[path = "sizes.rs"]
mod sizes;
#[path = "tenant.rs"]
mod tenant;

use std::hint::black_box;
use std::io;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group};
use m365audit::config::Config;
use m365audit::plan;
use m365audit::report::{self, Assessment, TenantName};
use m365audit::rules;
use m365audit::snapshot::tenant::Licences;
use m365audit::snapshot::{Resource, Tenant, file};

const USERS: usize = 100_000;

fn all(criterion: &mut Criterion) {
    let lists = tenant::lists(USERS);
    let rows: usize = lists.iter().map(|list| list.rows.len()).sum();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.jsonl.gz");

    let mut taken_in = criterion.benchmark_group("rows");
    let users = lists
        .iter()
        .find(|list| list.resource == Resource::Users)
        .unwrap();
    taken_in.throughput(Throughput::Elements(users.rows.len() as u64));
    taken_in.bench_function("fold users", |bench| {
        bench.iter_batched(
            Tenant::default,
            |mut tenant| {
                for row in &users.rows {
                    tenant.fold(Resource::Users, None, row).unwrap();
                }
                tenant
            },
            BatchSize::PerIteration,
        );
    });
    taken_in.throughput(Throughput::Elements(rows as u64));
    taken_in.bench_function("write snapshot", |bench| {
        bench.iter(|| tenant::write(&lists, &path));
    });
    taken_in.bench_function("read snapshot", |bench| {
        bench.iter(|| file::read(&path).unwrap());
    });
    taken_in.finish();

    let (tenant, records) = (tenant::fold(&lists), tenant::records(&lists));
    drop(lists);
    let config = Config::default();
    let mut judged = criterion.benchmark_group("100,000 users");
    let evaluate = || rules::evaluate(rules::registry(), &tenant, &config, tenant::now());
    judged.bench_function("evaluate all rules", |bench| bench.iter(evaluate));
    let header = tenant::header();
    judged.bench_function("plan and report", |bench| {
        bench.iter_batched(
            evaluate,
            |findings| {
                let plan = plan::plan(&findings);
                let entitlements = plan::entitlements(&findings, &Licences::of(&tenant));
                let questions = plan::questions(&findings, &plan, &entitlements);
                let assessment = Assessment {
                    access: Vec::new(),
                    header: &header,
                    tenant: TenantName::of(&header, &tenant),
                    evaluated_at: tenant::now(),
                    findings,
                    plan,
                    entitlements,
                    questions,
                    records: &records,
                    owners: &config.owners,
                };
                report::json::write(black_box(&assessment), &mut io::sink()).unwrap();
            },
            BatchSize::PerIteration,
        );
    });
    judged.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    targets = all
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !sizes::named(&arguments) {
        benches();
        Criterion::default().configure_from_args().final_summary();
    }
}
