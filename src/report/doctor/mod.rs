//! `doctor`: what a sign-in can read, and what becomes of the rules. Facts come in, two forms go out.

mod json;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::TenantName;
use crate::rules::Rule;
use crate::rules::preflight::own::Check;
use crate::rules::preflight::{self, Outlook};
use crate::snapshot::tenant::Licences;
use crate::snapshot::{Granted, Licence, Resource, Untrusted};

pub use json::write as json;
pub use table::write as table;

/// Everything that was found.
#[derive(Debug)]
pub struct Examination {
    /// Which tenant.
    pub tenant: TenantName,
    /// How the sign-in went.
    pub sign_in: SignIn,
    /// Seconds by which this machine's clock is ahead of Entra's; `None`: Entra did not say.
    pub ahead: Option<i64>,
    /// What stands between.
    pub network: Network,
    /// Permissions that can be used.
    pub granted: Granted,
    /// Where that is known from.
    pub source: GrantSource,
    /// Granted, but not in the token yet.
    pub pending: Vec<String>,
    /// What the selected rules read.
    pub resources: BTreeSet<Resource>,
    /// What becomes of each selected rule.
    pub prospects: Vec<(&'static Rule, Outlook)>,
    /// What the tenant owns, or why that is not known.
    pub licences: Result<Licences, String>,
    /// How well the application that asks is kept; empty when it is not ours to keep.
    pub application: Vec<Check>,
}

/// How the sign-in went.
#[derive(Debug, Clone, Serialize)]
pub struct SignIn {
    /// Kind of credential, as `--auth` names it.
    pub credential: &'static str,
    /// `global`, `usgov`, `dod` or `china`.
    pub cloud: &'static str,
    /// Tenant id, as the token says.
    pub tenant: Option<String>,
    /// Application (client) id, as the token says.
    pub application_id: Option<String>,
    /// Whether the token stands for a person; `None`: it cannot be read.
    pub delegated: Option<bool>,
    /// When the token ends, to the second.
    pub token_expires_at: Timestamp,
    /// Whole minutes until then.
    pub token_minutes_left: i64,
}

/// Where requests go.
#[derive(Debug, Clone, Serialize)]
pub struct Network {
    /// Host of the sign-in service.
    pub login: String,
    /// Host of Graph.
    pub graph: String,
    /// Host of the proxy between, by the environment.
    pub proxy: Option<String>,
    /// Host of the Graph that the tenant belongs to, when it is another one.
    pub tenant_graph: Option<Untrusted>,
}

/// Where the granted permissions are known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantSource {
    /// `roles` of the token.
    Application,
    /// `scp` of the token; directory roles bound what they reach.
    Person,
    /// The app role assignments of our service principal: the token cannot be read.
    Directory,
    /// Nowhere: the token cannot be read, nor can the assignments.
    Unknown,
}

impl Examination {
    /// Whether every selected rule can be evaluated, as far as permissions go.
    pub fn is_complete(&self) -> bool {
        let wants =
            |outlook: &Outlook| matches!(outlook, Outlook::Unread { .. } | Outlook::Doubtful(_));
        !self.prospects.iter().any(|(_, outlook)| wants(outlook))
    }

    /// The permissions that are missing, with what they cost.
    fn missing(&self) -> BTreeMap<&'static str, Missing> {
        let owns = |resource: &Resource| {
            let plans = resource.licence().plans();
            plans.is_empty()
                || self
                    .licences
                    .as_ref()
                    .map_or(true, |own| own.owns_any(plans))
        };
        let mut missing: BTreeMap<&'static str, Missing> = BTreeMap::new();
        for &resource in self.resources.iter().filter(|resource| owns(resource)) {
            for permission in self.granted.for_resource(resource).1 {
                missing
                    .entry(permission)
                    .or_default()
                    .resources
                    .push(resource.key());
            }
        }
        for (rule, outlook) in &self.prospects {
            let none = BTreeSet::new();
            let (sure, doubtful) = match outlook {
                Outlook::Unread { missing, besides } => (missing, besides),
                Outlook::Doubtful(permissions) => (&none, permissions),
                _ => continue,
            };
            for permission in sure {
                missing.entry(permission).or_default().rules.push(rule.id);
            }
            for permission in doubtful {
                let entry = missing.entry(permission).or_default();
                entry.doubtful.push(rule.id);
            }
        }
        missing
    }

    fn not_licensed(&self, plans: &[&str]) -> Vec<&'static str> {
        let of = |outlook: &Outlook| matches!(outlook, Outlook::NotLicensed(own) if *own == plans);
        let rules = self.prospects.iter().filter(|(_, outlook)| of(outlook));
        rules.map(|(rule, _)| rule.id).collect()
    }

    /// Licences that anything selected depends on, by the name people know, with their plans.
    fn licences(&self) -> Vec<(String, &'static [&'static str])> {
        let mut all: Vec<(String, &'static [&'static str])> = Vec::new();
        for licence in preflight::licences_of(&self.resources) {
            let name = Licence::name(licence).unwrap_or_default();
            all.push((name.to_owned(), licence.plans()));
        }
        for (rule, _) in &self.prospects {
            let plans = rule.licence.plans();
            if !plans.is_empty() && all.iter().all(|(_, known)| *known != plans) {
                let named = Licence::ALL
                    .into_iter()
                    .find(|known| known.plans() == plans);
                let own = rule.protection.map(|protection| protection.name);
                let name = named.and_then(Licence::name).or(own);
                let plans_by_name = || plans.join(" or ");
                all.push((name.map_or_else(plans_by_name, str::to_owned), plans));
            }
        }
        all
    }
}

/// What a missing permission costs.
#[derive(Debug, Default)]
struct Missing {
    resources: Vec<&'static str>,
    rules: Vec<&'static str>,
    doubtful: Vec<&'static str>,
}

/// The selected rules by what becomes of them.
#[derive(Serialize)]
struct Rules {
    selected: usize,
    evaluated: usize,
    unevaluated: Vec<&'static str>,
    doubtful: Vec<&'static str>,
    not_licensed: Vec<&'static str>,
    left_out: Vec<&'static str>,
}

impl Rules {
    fn of(prospects: &[(&'static Rule, Outlook)]) -> Self {
        let mut rules = Self {
            selected: prospects.len(),
            evaluated: 0,
            unevaluated: Vec::new(),
            doubtful: Vec::new(),
            not_licensed: Vec::new(),
            left_out: Vec::new(),
        };
        for (rule, outlook) in prospects {
            match outlook {
                Outlook::Evaluated => rules.evaluated += 1,
                Outlook::Unread { .. } => rules.unevaluated.push(rule.id),
                Outlook::Doubtful(_) => rules.doubtful.push(rule.id),
                Outlook::NotLicensed(_) => rules.not_licensed.push(rule.id),
                Outlook::LeftOut(_) => rules.left_out.push(rule.id),
            }
        }
        rules
    }
}

/// Part numbers of the SKUs that carry any of these plans, each once.
fn through(own: &Licences, plans: &[&str]) -> Vec<Untrusted> {
    let mut skus = own.owned(plans).unwrap_or_default().through;
    skus.sort();
    skus.dedup();
    skus
}
