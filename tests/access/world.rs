//! A small tenant as plain JSON, and what is signed in with.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use m365audit::access::{Analyzer, BaselineScopes, Guarantee, Proof, Settings};
use m365audit::snapshot::{Guid, Resource, State, Tenant};
use serde_json::{Value, json};

use super::filter::Device;

/// Everything that the evaluator knows of a tenant, in Graph's words.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) users: Vec<Value>,
    /// Direct members of each group: accounts and groups.
    pub(crate) groups: BTreeMap<String, Vec<String>>,
    /// Groups whose members Graph did not give.
    pub(crate) unread_groups: BTreeSet<String>,
    pub(crate) role_definitions: Vec<Value>,
    pub(crate) role_assignments: Vec<Value>,
    pub(crate) eligible: Vec<Value>,
    pub(crate) policies: Vec<Value>,
    pub(crate) locations: Vec<Value>,
    pub(crate) strengths: Vec<Value>,
    pub(crate) trust_default: Value,
    pub(crate) partners: Vec<Value>,
    /// Home tenants of guests that are known.
    pub(crate) homes: BTreeMap<String, String>,
    pub(crate) mfa_trusted_ips: Vec<String>,
    pub(crate) legacy_scopes: bool,
    /// `All` does not reach people who have no account here.
    pub(crate) all_misses_strangers: bool,
}

/// Without what is null or empty: shrunk cases are read by people.
fn bare(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), bare(value)))
            .filter(|(_, value)| !value.is_null() && *value != json!([]) && *value != json!({}))
            .collect(),
        Value::Array(list) => list.iter().map(bare).collect(),
        other => other.clone(),
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, rows) in [
            ("users", &self.users),
            ("role_definitions", &self.role_definitions),
            ("role_assignments", &self.role_assignments),
            ("eligible", &self.eligible),
            ("policies", &self.policies),
            ("locations", &self.locations),
            ("partners", &self.partners),
        ] {
            for row in rows {
                writeln!(f, "{name}: {}", bare(row))?;
            }
        }
        writeln!(f, "trust_default: {}", bare(&self.trust_default))?;
        writeln!(
            f,
            "groups: {:?}, unread: {:?}",
            self.groups, self.unread_groups
        )?;
        write!(
            f,
            "homes: {:?}, mfa_trusted_ips: {:?}, legacy_scopes: {}, all_misses_strangers: {}",
            self.homes, self.mfa_trusted_ips, self.legacy_scopes, self.all_misses_strangers
        )
    }
}

pub(crate) fn id(text: &str) -> Guid {
    text.parse().unwrap()
}

impl World {
    /// The accounts in a group, through groups in it however deep.
    pub(crate) fn members(&self, group: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut next = vec![group.to_owned()];
        let mut accounts = BTreeSet::new();
        while let Some(group) = next.pop() {
            if !seen.insert(group.clone()) {
                continue;
            }
            for member in self.groups.get(&group).into_iter().flatten() {
                if self.groups.contains_key(member) {
                    next.push(member.clone());
                } else {
                    accounts.insert(member.clone());
                }
            }
        }
        accounts
    }

    /// The tenant as it is collected from Graph.
    pub(crate) fn tenant(&self) -> Tenant {
        let mut tenant = Tenant::empty();
        let mut fold = |resource, subject: Option<&str>, row: &Value| {
            let raw = serde_json::value::to_raw_value(row).unwrap();
            tenant.fold(resource, subject.map(id), &raw).unwrap();
        };
        for (resource, rows) in [
            (Resource::Users, &self.users),
            (Resource::RoleDefinitions, &self.role_definitions),
            (Resource::RoleAssignments, &self.role_assignments),
            (Resource::RoleEligibilityScheduleInstances, &self.eligible),
            (Resource::ConditionalAccessPolicies, &self.policies),
            (Resource::NamedLocations, &self.locations),
            (Resource::AuthenticationStrengthPolicies, &self.strengths),
            (Resource::CrossTenantAccessPartners, &self.partners),
        ] {
            for row in rows {
                fold(resource, None, row);
            }
        }
        if !self.trust_default.is_null() {
            fold(
                Resource::CrossTenantAccessDefault,
                None,
                &self.trust_default,
            );
        }
        fold(
            Resource::SecurityDefaults,
            None,
            &json!({"id": "00000000-0000-0000-0000-000000000005", "isEnabled": false}),
        );
        let read = |group: &&String| !self.unread_groups.contains(*group);
        for group in self.groups.keys().filter(read) {
            for member in self.members(group) {
                fold(
                    Resource::GroupTransitiveMembers,
                    Some(group),
                    &json!({"id": member}),
                );
            }
        }
        for group in self.groups.keys().filter(read) {
            tenant.touch(Resource::GroupTransitiveMembers, id(group));
        }
        for &resource in Resource::ALL {
            tenant.end(resource, State::Collected);
        }
        tenant
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            baseline_scopes: if self.legacy_scopes {
                BaselineScopes::Legacy
            } else {
                BaselineScopes::Enforced
            },
            mfa_trusted_ips: self
                .mfa_trusted_ips
                .iter()
                .map(|range| range.parse().unwrap())
                .collect(),
            home_tenants: self
                .homes
                .iter()
                .map(|(guest, home)| (id(guest), id(home)))
                .collect(),
            ..Settings::default()
        }
    }

    /// What the analyzer says of a guarantee.
    pub(crate) fn prove(&self, guarantee: &Guarantee) -> Proof {
        let tenant = self.tenant();
        Analyzer::read(&tenant, self.settings()).prove(guarantee, false)
    }
}

/// Who signs in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Person {
    /// An account, by its place in the list.
    Account(usize),
    /// Somebody without an account here: kind and home tenant.
    Stranger(&'static str, String),
}

/// What is signed in to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// An application by its id, with the authentication contexts that it asks for.
    App(String, Vec<String>),
    /// An application that nothing names.
    AnyOther(Vec<String>),
    /// Baseline scopes alone.
    Baseline,
    /// A user action.
    Action(String),
}

/// The network that a sign-in comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) ip: IpAddr,
    /// By address.
    pub(crate) country: Option<String>,
    /// By the Authenticator's GPS.
    pub(crate) gps: Option<String>,
    pub(crate) compliant: bool,
}

/// One sign-in.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_field_names,
    reason = "the risk of the sign-in is Graph's word"
)]
pub(crate) struct SignIn {
    pub(crate) person: Person,
    /// Places of the eligible assignments that are activated.
    pub(crate) activated: BTreeSet<usize>,
    pub(crate) target: Target,
    pub(crate) client: &'static str,
    pub(crate) platform: &'static str,
    pub(crate) network: Network,
    /// None: not registered.
    pub(crate) device: Option<Device>,
    pub(crate) sign_in_risk: &'static str,
    pub(crate) user_risk: &'static str,
    pub(crate) insider_risk: &'static str,
    pub(crate) flow: &'static str,
}

/// One method combination that was performed, with what strengths can tell apart of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Performed {
    pub(crate) combination: &'static str,
    /// The model of a FIDO2 key.
    pub(crate) model: &'static str,
    /// The issuer of a certificate.
    pub(crate) issuer: &'static str,
    /// The policy of a certificate.
    pub(crate) oid: &'static str,
}

/// What the session shows besides its device.
#[derive(Debug, Clone, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "one field for each control, under its own name"
)]
pub(crate) struct Evidence {
    pub(crate) performed: Vec<Performed>,
    pub(crate) approved_app: bool,
    pub(crate) compliant_app: bool,
    pub(crate) password_change: bool,
    pub(crate) risk_remediation: bool,
    pub(crate) custom_factor: bool,
    /// Ids of the terms that are accepted.
    pub(crate) terms: BTreeSet<String>,
    /// A compliant device that is another one than that which gets the token is shown; possible in the device code flow alone.
    pub(crate) foreign_compliant: bool,
    /// The same of a hybrid joined device.
    pub(crate) foreign_hybrid: bool,
}
