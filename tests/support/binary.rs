//! The real program in a world of its own: an empty folder, an empty environment, and a Graph emulator of this process.
//!
//! What holds for every run is checked after every run: nothing secret is said, and nothing but reads was asked of Graph.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use m365audit::emulator::{Emulator, Options, RequestLine, TenantData};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Nobody listens there: the port is below those that are given out.
const NO_METADATA: &str = "http://127.0.0.1:1";

/// A run that takes this long has hung.
const HUNG: Duration = Duration::from_mins(2);

/// An empty folder to work in.
pub struct Desk(TempDir);

impl Desk {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program with these arguments (split at blanks), nothing in its environment, this folder as its home, and a machine
    /// without a metadata service: a closed port stands in for it, so that no test asks the machine that it runs on.
    pub fn call(&self, arguments: &str) -> Call {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_m365audit"));
        command
            .args(arguments.split_whitespace())
            .env_clear()
            .env("HOME", self.0.path())
            .env("AZURE_POD_IDENTITY_AUTHORITY_HOST", NO_METADATA)
            .current_dir(self.0.path());
        Call {
            command,
            secrets: Vec::new(),
        }
    }
}

/// A tenant behind an emulator, and a desk.
pub struct Stage {
    pub desk: Desk,
    pub emulator: Emulator,
    pub tenant: String,
    pub client: String,
    pub secret: String,
    pub now: String,
    /// Last: the emulator runs on it.
    pub runtime: Runtime,
}

/// The folder of a tenant.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/tenants")
        .join(name)
}

/// A test key.
pub fn key(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/keys")
        .join(name)
}

/// The tenant with each of its files changed.
pub fn changed(name: &str, change: impl Fn(&str, &mut Value)) -> TenantData {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder(name)).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let mut content = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            change(&file, &mut content);
            files.push((file, content.to_string()));
        }
    }
    TenantData::from_files(files.iter().map(|(name, text)| (&**name, &**text))).unwrap()
}

impl Stage {
    pub fn of(name: &str) -> Self {
        Self::with(name, Options::default())
    }

    pub fn with(name: &str, options: Options) -> Self {
        Self::serve(TenantData::load(&folder(name)).unwrap(), options)
    }

    pub fn serve(data: TenantData, options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (tenant, client) = (data.tenant_id().to_owned(), data.client_id().to_owned());
        let secret = data.first_secret().unwrap_or_default().to_owned();
        let now = data.now().to_string();
        let emulator = runtime.block_on(Emulator::start(data, options)).unwrap();
        Self {
            desk: Desk::new(),
            emulator,
            tenant,
            client,
            secret,
            now,
            runtime,
        }
    }

    /// `scan` or `collect` with tenant, client id and roots, but without a credential.
    pub fn bare(&self, arguments: &str) -> Call {
        let mut call = self.desk.call(arguments);
        call.command
            .args(["--tenant", &self.tenant, "--client-id", &self.client])
            .args(["--login-url", &self.emulator.login_url()])
            .args(["--graph-url", &self.emulator.graph_url()]);
        call
    }

    /// The same with the client secret.
    pub fn call(&self, arguments: &str) -> Call {
        self.bare(arguments)
            .secret("M365AUDIT_CLIENT_SECRET", &self.secret)
    }

    /// Runs the call and looks at what was asked of the emulator.
    pub fn run(&self, call: Call) -> Ran {
        let before = self.emulator.requests().len();
        let ran = call.run();
        for line in &self.emulator.requests()[before..] {
            assert_reads(line);
        }
        ran
    }

    /// A live scan as JSON, ages counted to the moment of the data; it must end well.
    pub fn scan(&self, arguments: &str) -> Value {
        let call = self.call(&format!(
            "scan --format json --now {} {arguments}",
            self.now
        ));
        self.run(call).code(0).json()
    }

    /// How often the emulator answered with this status.
    pub fn answered(&self, status: u16) -> usize {
        let lines = self.emulator.requests();
        lines.iter().filter(|line| line.status == status).count()
    }
}

/// The one promise to every tenant.
fn assert_reads(line: &RequestLine) {
    let path = line.path.split('?').next().unwrap();
    let allowed = match line.method.as_str() {
        "GET" => true,
        "POST" => [
            "/oauth2/v2.0/token",
            "/oauth2/v2.0/devicecode",
            "/$batch",
            "/azure-devops/oidc",
        ]
        .iter()
        .any(|end| path.ends_with(end)),
        _ => false,
    };
    assert!(allowed, "not a read: {line:?}");
    if path == "/github/oidc" || path == "/azure-devops/oidc" {
        return; // asked with a token of the job
    }
    let graph = path.starts_with("/v1.0/") || path.starts_with("/beta/");
    assert_eq!(
        graph, line.bearer,
        "a token belongs to Graph and only there: {line:?}"
    );
}

/// A run that has not begun.
pub struct Call {
    command: std::process::Command,
    secrets: Vec<String>,
}

impl Call {
    pub fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Something else that must not be said by anything.
    pub fn hidden(mut self, text: &str) -> Self {
        self.secrets.push(text.to_owned());
        self
    }

    /// A variable whose value must not be said by anything.
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.push(value.to_owned());
        self.env(name, value)
    }

    pub fn run(self) -> Ran {
        let mut command = assert_cmd::Command::from_std(self.command);
        let output = command.timeout(HUNG).output().unwrap();
        Ran::of(output, &self.secrets)
    }

    /// Runs with a stdout that nobody reads.
    pub fn run_unheard(mut self) -> Ran {
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        Ran::of(child.wait_with_output().unwrap(), &self.secrets)
    }
}

/// A run that has ended.
#[derive(Debug)]
pub struct Ran {
    code: Option<i32>,
    pub bytes: Vec<u8>,
    pub err: String,
}

impl Ran {
    fn of(output: Output, secrets: &[String]) -> Self {
        let ran = Self {
            code: output.status.code(),
            bytes: output.stdout,
            err: String::from_utf8(output.stderr).unwrap(),
        };
        for text in [&ran.err, &ran.out()] {
            for secret in secrets {
                assert!(
                    !text.contains(secret.as_str()),
                    "the secret is said:\n{text}"
                );
            }
            // The first letters of every JSON web token, and of the page tokens of the emulator.
            for token in ["eyJ", "skiptoken=RFNwd", "Bearer", "PRIVATE KEY"] {
                assert!(!text.contains(token), "{token} is said:\n{text}");
            }
            assert!(!text.contains("panicked"), "{text}");
        }
        ran
    }

    /// Stdout as text; a snapshot is not text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        let head: String = self.out().chars().take(2_000).collect();
        assert_eq!(
            self.code,
            Some(code),
            "stderr:\n{}\nstdout:\n{head}",
            self.err
        );
        self
    }

    /// A failed run: code, what is said after `error:`, and what is said after `help:`, each as parts that must be there. Nothing on stdout.
    #[track_caller]
    pub fn failed(self, code: i32, error: &[&str], help: &[&str]) -> Self {
        let ran = self.code(code);
        assert_eq!(ran.out(), "", "a failed run prints no report");
        let line = |start: &str| {
            let found = ran.err.lines().find_map(|line| line.strip_prefix(start));
            found.unwrap_or_else(|| panic!("no {start:?} in:\n{}", ran.err))
        };
        let has = |line: &str, parts: &[&str]| {
            for part in parts {
                assert!(line.contains(part), "{part:?} is not said:\n{}", ran.err);
            }
        };
        has(line("error: "), error);
        has(line("  help: "), help);
        ran
    }

    #[track_caller]
    pub fn says(self, part: &str) -> Self {
        assert!(
            self.err.contains(part),
            "{part:?} is not said:\n{}",
            self.err
        );
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.err, self.out()))
    }
}

/// The result of a rule; it must be there.
#[track_caller]
pub fn result<'a>(report: &'a Value, rule: &str) -> &'a Value {
    let results = report["results"].as_array().unwrap();
    results
        .iter()
        .find(|result| result["rule_id"] == rule)
        .unwrap_or_else(|| panic!("no result of {rule}"))
}

/// The entry of a request in the collection part, by the end of its path.
#[track_caller]
pub fn collected<'a>(report: &'a Value, resource: &str) -> &'a Value {
    let all = report["collection"].as_array().unwrap();
    all.iter()
        .find(|entry| entry["resource"] == format!("GET {resource}"))
        .unwrap_or_else(|| panic!("{resource} was not asked for"))
}
