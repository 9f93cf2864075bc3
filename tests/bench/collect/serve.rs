//! The emulator in a process of its own, and what it is asked.

use std::collections::BTreeSet;
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
    pub(crate) unit_scale: f64,
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
            unit_scale: 1.0,
            trouble: 0.0,
            retry_after: None,
            sign_ins_are_reports: false,
        }
    }
}

impl Setting {
    fn words(&self) -> [String; 7] {
        let size = match self.size {
            Size::Thousand => "1k",
            Size::HundredThousand => "100k",
            Size::TwoMillion => "2m",
        };
        [
            size.to_owned(),
            self.latency.to_string(),
            self.limits.to_string(),
            self.unit_scale.to_string(),
            self.trouble.to_string(),
            self.retry_after
                .map_or_else(String::new, |seconds| seconds.to_string()),
            self.sign_ins_are_reports.to_string(),
        ]
    }

    fn of(words: &[String]) -> Self {
        let [
            size,
            latency,
            limits,
            unit_scale,
            trouble,
            retry_after,
            sign_ins,
        ] = words
        else {
            panic!("serve takes seven words, not {words:?}");
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
            unit_scale: unit_scale.parse().unwrap(),
            trouble: trouble.parse().unwrap(),
            retry_after: retry_after.parse().ok(),
            sign_ins_are_reports: sign_ins.parse().unwrap(),
        }
    }
}

/// Lists that the floor counts page by page.
pub(crate) const LISTS: &[&str] = &[
    "/users",
    "/devices",
    "/servicePrincipals",
    "/applications",
    "/groups",
    "/oauth2PermissionGrants",
    "/identityProtection/riskyUsers",
    "/identity/conditionalAccess/policies",
    "/identity/conditionalAccess/namedLocations",
    "/reports/authenticationMethods/userRegistrationDetails",
];

/// The stored tenant in which the computed one begins.
pub(crate) fn sound() -> TenantData {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tenants/sound");
    TenantData::load(&folder).unwrap()
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
        unit_scale: Some(setting.unit_scale),
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

    /// The floor of these lists (all if none is named), printed; and its wall.
    pub(crate) fn floor(
        &self,
        reports: &[&str],
        lists: &BTreeSet<String>,
        (restricted, singles): (usize, usize),
    ) -> (f64, String) {
        let lists: Vec<&str> = lists.iter().map(String::as_str).collect();
        let mut question = format!("floor?singles={singles}&restricted={restricted}");
        for report in reports {
            question.push_str(&format!("&{report}=true"));
        }
        if !lists.is_empty() {
            question.push_str(&format!("&lists={}", lists.join(",")));
        }
        let floor = self.ask(&question);
        println!("{}", floor["text"].as_str().unwrap());
        (
            floor["seconds"].as_f64().unwrap(),
            floor["wall"].as_str().unwrap_or_default().to_owned(),
        )
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
