//! The program as it is started: time to its first word, the demo end to end, its size, and the memory of a large snapshot.
//!
//! `cargo bench --bench process`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark ends where its ground is missing, and its figures are for a person"
)]

#[path = "tenant.rs"]
mod tenant;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};

const PROGRAM: &str = env!("CARGO_BIN_EXE_m365audit");

fn started(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_clear();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn all(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("process");
    for arguments in [&["--help"][..], &["scan", "--demo", "--format", "json"]] {
        let name = arguments.join(" ");
        group.bench_function(&name, |bench| {
            bench.iter(|| assert!(started(arguments).status().unwrap().success()));
        });
    }
    group.finish();
    let size = std::fs::metadata(PROGRAM).unwrap().len();
    println!("size of the program: {:.1} MiB", mebi(size));
    large(100_000);
}

/// One run over a snapshot of so many users: too long to repeat, and its memory is what matters.
fn large(users: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.jsonl.gz");
    tenant::write(&tenant::lists(users), &path);
    println!(
        "snapshot of {users} users: {:.1} MiB",
        mebi(std::fs::metadata(&path).unwrap().len())
    );

    let begun = Instant::now();
    let mut child = started(&["scan", "--format", "json", "--from"])
        .arg(&path)
        .spawn()
        .unwrap();
    let status = Path::new("/proc")
        .join(child.id().to_string())
        .join("status");
    let mut peak = None;
    let ended = loop {
        peak = peak.max(peak_kibi(&status));
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(ended.success());
    println!(
        "scan of {users} users from a snapshot: {:.2} s",
        begun.elapsed().as_secs_f64()
    );
    match peak {
        Some(kibi) => println!("peak memory of that scan: {:.1} MiB", mebi(kibi * 1024)),
        None => println!("peak memory of that scan: not known on this system"),
    }
}

/// The most memory that a process has had so far (`VmHWM`); `None` where the system does not tell, or no longer.
fn peak_kibi(status: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[allow(clippy::cast_precision_loss, reason = "for reading")]
fn mebi(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    targets = all
}
criterion_main!(benches);
