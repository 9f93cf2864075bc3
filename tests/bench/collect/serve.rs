//! The emulator in a process of its own, and what it is asked.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use m365audit::emulator::{
    Emulator, Latency, Mix, Options, Order, Pace, Synthetic, TenantData, Trouble,
};
use serde_json::Value;

/// How large a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Size {
    #[default]
    Thousand,
    HundredThousand,
    TwoMillion,
}

impl Size {
    pub(crate) fn mix(self) -> Mix {
        match self {
            Self::Thousand => Mix::THOUSAND,
            Self::HundredThousand => Mix::HUNDRED_THOUSAND,
            Self::TwoMillion => Mix::TWO_MILLION,
        }
    }
}

/// What is played.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) size: Size,
    /// Milliseconds of an ordinary answer.
    pub(crate) latency: u64,
    /// The published limits are enforced.
    pub(crate) limits: bool,
    /// Share of requests that fail.
    pub(crate) trouble: f64,
    /// Seconds that failures ask to wait; `None`: they do not say.
    pub(crate) retry_after: Option<u64>,
    /// Sign-ins are charged as reports.
    pub(crate) sign_ins_are_reports: bool,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            size: Size::default(),
            latency: 0,
            limits: true,
            trouble: 0.0,
            retry_after: None,
            sign_ins_are_reports: false,
        }
    }
}

impl Setting {
    fn words(&self) -> [String; 6] {
        let size = match self.size {
            Size::Thousand => "1k",
            Size::HundredThousand => "100k",
            Size::TwoMillion => "2m",
        };
        [
            size.to_owned(),
            self.latency.to_string(),
            self.limits.to_string(),
            self.trouble.to_string(),
            self.retry_after
                .map_or_else(String::new, |seconds| seconds.to_string()),
            self.sign_ins_are_reports.to_string(),
        ]
    }

    fn of(words: &[String]) -> Self {
        let [size, latency, limits, trouble, retry_after, sign_ins] = words else {
            panic!("serve takes six words, not {words:?}");
        };
        Self {
            size: match size.as_str() {
                "1k" => Size::Thousand,
                "100k" => Size::HundredThousand,
                "2m" => Size::TwoMillion,
                other => panic!("no tenant has the size {other}"),
            },
            latency: latency.parse().unwrap(),
            limits: limits.parse().unwrap(),
            trouble: trouble.parse().unwrap(),
            retry_after: retry_after.parse().ok(),
            sign_ins_are_reports: sign_ins.parse().unwrap(),
        }
    }
}

/// The stored tenant in which the computed one begins.
pub(crate) fn sound() -> TenantData {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tenants/sound");
    TenantData::load(&folder).unwrap()
}

/// A token of the application, from the emulator at this address.
pub(crate) async fn bearer(url: &str) -> reqwest::Result<String> {
    let tenant = sound();
    let http = reqwest::Client::builder().no_proxy().build()?;
    let scope = format!("{url}/.default");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", tenant.client_id()),
        ("client_secret", tenant.first_secret().unwrap()),
        ("scope", &scope),
    ];
    let url = format!("{url}/{}/oauth2/v2.0/token", tenant.tenant_id());
    let answer = http.post(url).form(&form).send().await?.text().await?;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    Ok(answer["access_token"].as_str().unwrap().to_owned())
}

/// Serves until nobody holds the other end of standard input any more.
pub(crate) fn serve(words: &[String]) {
    let setting = Setting::of(words);
    let tenant = sound().grown(&Synthetic {
        seed: 1,
        mix: setting.size.mix(),
        order: Order::Hashed,
    });
    tenant.prepare();
    let trouble = (setting.trouble > 0.0).then(|| match setting.retry_after {
        Some(seconds) => Trouble::with_retry_after(setting.trouble, seconds),
        None => Trouble::without_retry_after(setting.trouble),
    });
    let options = Options {
        pace: if setting.limits {
            Pace::Strict
        } else {
            Pace::Fast
        },
        latency: (setting.latency > 0)
            .then(|| Latency::ragged(Duration::from_millis(setting.latency))),
        sign_ins_are_reports: setting.sign_ins_are_reports,
        trouble,
        seed: 1,
        counts_only: true,
        control: true,
        ..Options::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let emulator = runtime.block_on(Emulator::start(tenant, options)).unwrap();
    println!("{}", emulator.graph_url());
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// A running emulator; it ends with this value.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
}

impl Server {
    pub(crate) fn start(setting: Setting) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("serve")
            .args(setting.words())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut url).unwrap();
        Self {
            child,
            url: url.trim().to_owned(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// Asks the emulator about itself.
    pub(crate) fn ask(&self, question: &str) -> Value {
        let url = format!("{}/emulator/{question}", self.url);
        let text = self
            .runtime
            .block_on(async { self.http.get(url).send().await?.text().await });
        serde_json::from_str(&text.unwrap()).unwrap()
    }

    /// The floor of what was asked so far, printed with its arithmetic and beside it what was asked; in seconds. Before the first
    /// request it is that of a full reading with these `reports`.
    pub(crate) fn floor(&self, reports: &[&str]) -> f64 {
        let reports: Vec<String> = reports.iter().map(|name| format!("{name}=true")).collect();
        let floor = self.ask(&format!("floor?{}", reports.join("&")));
        println!("{}", floor["text"].as_str().unwrap());
        let needed = floor["requests"].as_object().unwrap();
        let asked = &self.ask("summary")["byService"];
        println!("requests answered, and those needed at least, by service:");
        for (service, statuses) in asked.as_object().unwrap() {
            let answered: u64 = statuses
                .as_object()
                .unwrap()
                .iter()
                .filter(|(status, _)| !matches!(status.as_str(), "0" | "429" | "503"))
                .filter_map(|(_, many)| many.as_u64())
                .sum();
            let needed = needed.get(service).and_then(Value::as_u64).unwrap_or(0);
            let warning = if needed > answered {
                "  <- the floor counts too much"
            } else {
                ""
            };
            println!("{answered:>9} {needed:>9} {service} {statuses}{warning}");
        }
        println!(
            "(more than needed: counts, last pages of parts, and lists that are read again: for owners, keys, sponsors, leave dates, under another filter)\n"
        );
        floor["seconds"].as_f64().unwrap()
    }

    /// Seconds of processor time so far; `None` where the system does not tell.
    pub(crate) fn cpu(&self) -> Option<f64> {
        super::client::cpu_seconds(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}
