//! The JSON report, version 1: a contract with whoever reads it. Fields are added, never changed.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::plan::Part;
use crate::rules::{Area, Control, Effort, EntitlementState, ObjectType, Severity, Status};
use crate::snapshot::Untrusted;

/// The report.
#[derive(Debug, Serialize)]
#[allow(
    missing_docs,
    reason = "described field by field in the product's contract and in README"
)]
pub struct Report<'a> {
    pub schema_version: &'static str,
    pub tool: Tool,
    pub tenant: Tenant<'a>,
    pub collected_at: String,
    pub evaluated_at: String,
    pub complete: bool,
    pub summary: Summary,
    pub results: Vec<Outcome<'a>>,
    pub act_now: Vec<ActNow<'a>>,
    pub plan: BTreeMap<&'static str, Vec<PlanTask<'a>>>,
    pub entitlements: Vec<Entitlement<'a>>,
    pub questions: Vec<Question<'a>>,
    pub access: Access<'a>,
    pub collection: Vec<Collection<'a>>,
}

#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct Tool {
    pub name: &'static str,
    pub version: &'static str,
}

#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct Tenant<'a> {
    pub id: &'a Untrusted,
    pub display_name: Option<&'a Untrusted>,
    pub default_domain: Option<&'a Untrusted>,
    pub cloud: &'a Untrusted,
}

#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct Summary {
    pub by_status: BTreeMap<&'static str, usize>,
    /// Failing rules by severity.
    pub by_severity: BTreeMap<&'static str, usize>,
    /// Failing rules by area.
    pub by_area: BTreeMap<&'static str, usize>,
    pub exposure_score: u32,
    /// Rules evaluated and rules that apply: what the exposure score rests on.
    pub evaluated: usize,
    pub applicable: usize,
}

#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct Outcome<'a> {
    pub rule_id: &'static str,
    pub title: &'static str,
    pub area: Area,
    pub severity: Severity,
    pub status: Status,
    pub reason: &'a Untrusted,
    pub confidence: u8,
    pub risk: Risk,
    pub horizon: Option<u8>,
    pub effort: Effort,
    pub disruption: u8,
    pub owner: Option<&'a str>,
    pub evidence: Vec<Evidence<'a>>,
    pub affected: Affected<'a>,
    pub fingerprint: String,
    pub remediation: Remediation,
    pub references: References,
}

#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct Risk {
    pub score: u32,
    pub exposure: u8,
    pub impact: u8,
    pub threat: u8,
    pub reach: u32,
}

#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct Evidence<'a> {
    pub source: &'a str,
    pub property: &'a str,
    pub expected: &'a str,
    pub actual: &'a Untrusted,
}

#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct Affected<'a> {
    pub count: u64,
    pub judged: u64,
    pub objects: Vec<Object<'a>>,
    pub truncated: bool,
}

#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct Object<'a> {
    #[serde(rename = "type")]
    pub kind: ObjectType,
    pub id: &'a str,
    pub name: &'a Untrusted,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a Untrusted>,
}

#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct Remediation {
    pub summary: &'static str,
    pub notices: &'static str,
    pub check_first: &'static str,
    pub prerequisites: &'static [&'static str],
    pub steps: &'static [&'static str],
    pub portal: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub request: &'static str,
    pub roll_out: &'static str,
    pub verify: &'static str,
    pub roll_back: &'static str,
    pub licence: &'static [&'static str],
    pub dangers: Vec<&'static str>,
}

/// Ids in published frameworks, by framework.
#[derive(Debug, Default, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct References {
    pub cis_m365_v7: Vec<&'static str>,
    pub cis_m365_v6: Vec<&'static str>,
    pub scuba: Vec<&'static str>,
    pub eidsca: Vec<&'static str>,
    pub maester: Vec<&'static str>,
    pub mitre_attack: Vec<&'static str>,
    pub nist_csf_2: Vec<&'static str>,
    pub microsoft_learn: Vec<&'static str>,
}

impl References {
    /// The references of a rule.
    pub fn of(rule: &crate::rules::Rule) -> Self {
        let mut references = Self {
            microsoft_learn: rule.remediation.learn.to_vec(),
            ..Self::default()
        };
        for control in rule.controls {
            match control {
                Control::Cis7(id) => references.cis_m365_v7.push(id),
                Control::Cis6(id) => references.cis_m365_v6.push(id),
                Control::Scuba(id) => references.scuba.push(id),
                Control::Eidsca(id) => references.eidsca.push(id),
                Control::Maester(id) => references.maester.push(id),
                Control::MitreAttack(id) => references.mitre_attack.push(id),
                Control::NistCsf2(id) => references.nist_csf_2.push(id),
            }
        }
        references
    }
}

#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct ActNow<'a> {
    pub rule_id: &'static str,
    pub why_now: &'a Untrusted,
}

#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct PlanTask<'a> {
    pub rule_id: &'static str,
    pub part: Part,
    pub order: usize,
    pub this_week: bool,
    pub why_now: &'a str,
    pub after: &'a [&'static str],
    /// For a decision: service plans, any of which would do.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub licence: &'static [&'static str],
    /// For a decision: the rules that wait for it.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub rules: &'a [&'static str],
}

#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct Entitlement<'a> {
    pub protection: &'static str,
    pub owned_through: &'a [Untrusted],
    pub state: EntitlementState,
    pub seats: u64,
    pub evidence: &'a Untrusted,
    pub rules: &'a [&'static str],
}

#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct Question<'a> {
    pub key: &'static str,
    pub question: &'static str,
    pub answer: &'a str,
    pub rules: &'a [&'static str],
}

/// The Conditional Access analyzer's part.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct Access<'a> {
    pub guarantees: &'a [crate::access::Proof],
}

#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct Collection<'a> {
    pub resource: String,
    pub status: &'static str,
    pub count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    pub permission: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a Untrusted>,
    pub requests: u64,
    pub retries: u64,
}
