//! Cases of rules: a small tenant each, laid over a sound base tenant.
//!
//! Notation, in values only: `"@anna"` stands for the GUID that belongs to the name anna, `"now-90d"` and `"now-24h"` for that moment.
//! In `tenant`, by section: an array replaces the rows, `{"+": [...]}` adds rows, an object of a singleton is merged into the base's, an object of a
//! per-object section (`{"@group": [...]}`) replaces those objects' rows, and `{"!": "forbidden"}` (also partial, `not_licensed`, failed, skipped) sets
//! how the reading ended.

use std::path::PathBuf;
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use m365audit::config::{self, Config};
use m365audit::rules::{self, Finding, Rule};
use m365audit::snapshot::{Guid, Resource, State, Tenant};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    /// Why it comes out as it does, for the reader.
    #[serde(rename = "why", default)]
    pub _why: String,
    #[serde(default)]
    tenant: Map<String, Value>,
    /// The configuration, as TOML.
    #[serde(default)]
    config: String,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    status: String,
    /// Ids of all affected objects, in any order.
    affected: Option<Vec<String>>,
    count: Option<u64>,
    /// A part of the reason.
    reason: Option<String>,
    confidence: Option<u8>,
    entitlement: Option<String>,
}

pub fn now() -> Timestamp {
    "2026-11-02T08:00:00Z".parse().unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules")
}

/// Rule ids that have a file of cases.
pub fn files() -> Vec<String> {
    let mut ids: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .filter_map(|entry| {
            entry
                .unwrap()
                .file_name()
                .into_string()
                .unwrap()
                .strip_suffix(".json")
                .map(str::to_owned)
        })
        .filter(|id| !id.starts_with('_'))
        .collect();
    ids.sort();
    ids
}

/// The cases of one rule; none if it has no file.
pub fn of(rule: &str) -> Vec<Case> {
    let path = folder().join(format!("{rule}.json"));
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{rule}.json: {error}"))
        }
        Err(_) => Vec::new(),
    }
}

impl Case {
    pub fn expected_status(&self) -> &str {
        &self.expect.status
    }

    pub fn evaluate(&self, rule: &'static Rule) -> Finding {
        rules::evaluate_one(rule, &self.tenant(), &self.config(), now())
    }

    pub fn config(&self) -> Config {
        let text = base()["config"].as_str().unwrap().to_owned();
        let mut table: toml::Table = expand_text(&text).parse().unwrap();
        for (key, value) in expand_text(&self.config).parse::<toml::Table>().unwrap() {
            table.insert(key, value);
        }
        config::parse(&table.to_string(), "case")
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    pub fn tenant(&self) -> Tenant {
        self.tenant_with(|_| {})
    }

    /// The case's tenant, in which this resource was read and has no rows.
    pub fn tenant_without_rows(&self, resource: Resource) -> Tenant {
        let mut tenant = self.tenant_with(|sections| drop(sections.remove(resource.key())));
        tenant.end(resource, State::Collected);
        tenant
    }

    fn tenant_with(&self, change: impl FnOnce(&mut Map<String, Value>)) -> Tenant {
        let mut sections = base()["tenant"].as_object().unwrap().clone();
        let mut states = Vec::new();
        for (key, change) in &self.tenant {
            let resource: Resource = key
                .parse()
                .unwrap_or_else(|error| panic!("{}: {error}", self.name));
            lay_over(
                sections.entry(key).or_insert(Value::Null),
                resource,
                change,
                &mut states,
            );
        }
        change(&mut sections);
        let mut tenant = Tenant::empty();
        for (key, rows) in sections {
            fold(&mut tenant, key.parse().unwrap(), &expand(rows));
        }
        for (resource, state) in states {
            tenant.end(resource, state);
        }
        tenant
    }

    pub fn check(&self, found: &Finding) -> Result<(), String> {
        let expect = &self.expect;
        let reason = found.reason.raw();
        if found.status.word() != expect.status {
            return Err(format!(
                "is {} ({reason}), not {}",
                found.status.word(),
                expect.status
            ));
        }
        if let Some(ids) = &expect.affected {
            let mut wanted: Vec<String> = ids.iter().map(|id| expand_text(id)).collect();
            let mut have: Vec<String> = found
                .affected
                .objects()
                .map(|object| object.id.clone())
                .collect();
            wanted.sort();
            have.sort();
            if wanted != have {
                return Err(format!("affects {have:?}, not {wanted:?} ({ids:?})"));
            }
        }
        if expect
            .count
            .is_some_and(|count| count != found.affected.count())
        {
            return Err(format!(
                "affects {}, not {:?}",
                found.affected.count(),
                expect.count
            ));
        }
        if expect
            .reason
            .as_ref()
            .is_some_and(|part| !reason.contains(part.as_str()))
        {
            return Err(format!("says {reason:?}, without {:?}", expect.reason));
        }
        if expect
            .confidence
            .is_some_and(|percent| percent != found.confidence)
        {
            return Err(format!(
                "confidence is {}, not {:?}",
                found.confidence, expect.confidence
            ));
        }
        if let Some(state) = &expect.entitlement {
            let have = serde_json::to_value(found.entitlement).unwrap();
            if have != state.as_str() {
                return Err(format!("entitlement is {have}, not {state}"));
            }
        }
        Ok(())
    }
}

/// The base tenant, read once.
fn base() -> &'static Value {
    static BASE: LazyLock<Value> = LazyLock::new(|| {
        serde_json::from_str(include_str!("../../fixtures/rules/_base.json")).unwrap()
    });
    &BASE
}

fn lay_over(
    section: &mut Value,
    resource: Resource,
    change: &Value,
    states: &mut Vec<(Resource, State)>,
) {
    match change {
        Value::Object(map) if map.contains_key("!") => {
            let error = || "as the case says".into();
            let state = match map["!"].as_str().unwrap() {
                "forbidden" => State::Forbidden {
                    permission: resource.permission(),
                    error: error(),
                },
                "partial" => State::Partial {
                    of: Some(1_000),
                    error: error(),
                },
                "not_licensed" => State::NotLicensed { error: error() },
                "failed" => State::Failed { error: error() },
                "skipped" => State::Skipped,
                other => panic!("unknown state {other}"),
            };
            if let Some(rows) = map.get("rows") {
                *section = rows.clone();
            }
            states.push((resource, state));
        }
        Value::Object(map) if map.contains_key("+") => {
            if section.is_null() {
                *section = Value::Array(Vec::new());
            }
            section
                .as_array_mut()
                .unwrap()
                .extend(map["+"].as_array().unwrap().iter().cloned());
        }
        Value::Object(map) if resource.is_per_object() => {
            if section.is_null() {
                *section = Value::Object(Map::new());
            }
            section.as_object_mut().unwrap().extend(map.clone());
        }
        Value::Object(map) => {
            if section.is_null() {
                *section = Value::Object(Map::new());
            }
            section.as_object_mut().unwrap().extend(map.clone());
        }
        rows => *section = rows.clone(),
    }
}

fn fold(tenant: &mut Tenant, resource: Resource, section: &Value) {
    match section {
        Value::Array(rows) => rows
            .iter()
            .for_each(|row| fold_row(tenant, resource, None, row)),
        Value::Object(map) if resource.is_per_object() => {
            for (subject, rows) in map {
                let subject: Guid = subject.parse().unwrap();
                tenant.touch(resource, subject);
                rows.as_array()
                    .unwrap()
                    .iter()
                    .for_each(|row| fold_row(tenant, resource, Some(subject), row));
            }
        }
        Value::Null => {}
        single => fold_row(tenant, resource, None, single),
    }
}

fn fold_row(tenant: &mut Tenant, resource: Resource, subject: Option<Guid>, row: &Value) {
    let raw = serde_json::value::to_raw_value(row).unwrap();
    tenant
        .fold(resource, subject, &raw)
        .unwrap_or_else(|error| panic!("{error}: {row}"));
}

/// Replaces `@names` and `now-90d` in every value (and in the keys that are `@names`).
fn expand(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(expand_text(&text)),
        Value::Array(items) => items.into_iter().map(expand).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| {
                let key = if key.starts_with('@') && !key.starts_with("@odata.") {
                    expand_text(&key)
                } else {
                    key
                };
                (key, expand(value))
            })
            .collect(),
        other => other,
    }
}

fn expand_text(text: &str) -> String {
    if let Some(moment) = text.strip_prefix("now")
        && let Some(at) = moment_of(moment)
    {
        return at.to_string();
    }
    if text.starts_with('@') && text.len() > 1 && !text.contains(char::is_whitespace) {
        return guid_of(&text[1..]).to_string();
    }
    // Inside longer text (TOML): every "@name" between quotes.
    if text.contains("\"@") {
        let mut parts = text.split("\"@");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('"').unwrap();
            out.push_str(&format!("\"{}\"{rest}", guid_of(name)));
        }
        return out;
    }
    text.to_owned()
}

/// `""`, `-90d`, `+24h`, `-30d-1h`.
fn moment_of(offset: &str) -> Option<Timestamp> {
    let mut at = now();
    let mut rest = offset;
    while !rest.is_empty() {
        let sign = match rest.as_bytes()[0] {
            b'-' => -1,
            b'+' => 1,
            _ => return None,
        };
        let end = rest[1..].find(['d', 'h', 's'])? + 1;
        let number: i64 = rest[1..end].parse().ok()?;
        let unit = match rest.as_bytes()[end] {
            b'd' => 86_400,
            b'h' => 3_600,
            _ => 1,
        };
        at = at
            .checked_add(SignedDuration::from_secs(sign * number * unit))
            .ok()?;
        rest = &rest[end + 1..];
    }
    Some(at)
}

fn guid_of(name: &str) -> Guid {
    let digest = Sha256::digest(name.as_bytes());
    Guid::new(u128::from_be_bytes(digest[..16].try_into().unwrap()))
}
