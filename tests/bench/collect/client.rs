//! The program that is measured.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::serve::{Server, sound};

const PROGRAM: &str = env!("CARGO_BIN_EXE_m365audit");

/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Which flags the program has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Abilities {
    /// `--pace published`: the pace for Microsoft's Graph on this machine too.
    pub(crate) pace: bool,
    /// `--without registration-report,sign-in-activity`
    pub(crate) without: bool,
    /// `--resume`
    pub(crate) resume: bool,
}

impl Abilities {
    pub(crate) fn of_the_program() -> Self {
        let takes = |flags: &[&str]| {
            let mut command = Command::new(PROGRAM);
            command.arg("collect").args(flags).arg("--help");
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.status().unwrap().success()
        };
        Self {
            pace: takes(&["--pace", "published"]),
            without: takes(&["--without", "registration-report"]),
            resume: takes(&["--resume"]),
        }
    }
}

impl fmt::Display for Abilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pace {
            writeln!(
                f,
                "no --pace: the limits of the services are off, as the program would not keep them here"
            )?;
        }
        if !self.without {
            writeln!(f, "no --without: the reports are always read")?;
        }
        Ok(())
    }
}

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// Seconds.
    pub(crate) wall: f64,
    /// Bytes at most.
    pub(crate) peak: Option<u64>,
    /// Seconds of processor time.
    pub(crate) cpu: f64,
}

/// Collects into a file. `stop` is asked while it runs, with the time that has passed; `true` kills it.
pub(crate) fn collect(
    server: &Server,
    path: &Path,
    arguments: &[&str],
    stop: &mut dyn FnMut(Duration) -> bool,
) -> Run {
    let tenant = sound();
    let mut command = Command::new(PROGRAM);
    command
        .args(["collect", "--quiet", "--save"])
        .arg(path)
        .args(["--login-url", &server.url, "--graph-url", &server.url])
        .args([
            "--tenant",
            tenant.tenant_id(),
            "--client-id",
            tenant.client_id(),
        ])
        .args(arguments)
        .env_clear()
        .env("M365AUDIT_CLIENT_SECRET", tenant.first_secret().unwrap());
    run(command, path, stop)
}

/// Evaluates a snapshot.
pub(crate) fn evaluate(path: &Path) -> Run {
    let mut command = Command::new(PROGRAM);
    command
        .args(["scan", "--format", "json", "--from"])
        .arg(path)
        .env_clear();
    run(command, path, &mut |_| false)
}

fn run(mut command: Command, path: &Path, stop: &mut dyn FnMut(Duration) -> bool) -> Run {
    let folder = path.parent().unwrap();
    let said = folder.join("stderr");
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&said).unwrap());
    let begun = Instant::now();
    let mut child = command.spawn().unwrap();
    let (mut peak, mut cpu) = (None, 0.0);
    loop {
        peak = peak.max(peak_bytes(child.id()));
        cpu = cpu_seconds(child.id()).unwrap_or(cpu).max(cpu);
        if let Some(ended) = child.try_wait().unwrap() {
            let said = std::fs::read_to_string(&said).unwrap();
            assert!(ended.success(), "{ended}: {said}");
            break;
        }
        if stop(begun.elapsed()) {
            child.kill().unwrap();
            child.wait().unwrap();
            break;
        }
        std::thread::sleep(LOOK);
    }
    Run {
        wall: begun.elapsed().as_secs_f64(),
        peak,
        cpu,
    }
}

/// The most memory that a process has had so far (`VmHWM`).
fn peak_bytes(id: u32) -> Option<u64> {
    let text = std::fs::read_to_string(process(id, "status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibi: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibi * 1_024)
}

/// Processor time of a process, its own and the system's for it (proc(5): fields 14 and 15, in hundredths of a second).
pub(crate) fn cpu_seconds(id: u32) -> Option<f64> {
    let text = std::fs::read_to_string(process(id, "stat")).ok()?;
    // The name of the program stands in parentheses and may hold blanks; field 3 follows.
    let (_, fields) = text.rsplit_once(')')?;
    let ticks = |field: usize| {
        fields
            .split_whitespace()
            .nth(field - 3)?
            .parse::<u32>()
            .ok()
    };
    Some(f64::from(ticks(14)? + ticks(15)?) / 100.0)
}

fn process(id: u32, file: &str) -> std::path::PathBuf {
    Path::new("/proc").join(id.to_string()).join(file)
}
