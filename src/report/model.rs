//! The JSON report, version 1: a contract with whoever reads it. Fields are added, never changed.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::Assessment;
use crate::plan::{Part, Task, evaluated, exposure_score, worst_first};
use crate::rules::{
    Area, Control, Effort, EntitlementState, Finding, ObjectType, Severity, Status,
};
use crate::snapshot::{Record, Resource, State, Untrusted};

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
    pub access: Access,
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

/// The Conditional Access analyzer's part; it has no guarantees to report yet.
#[derive(Debug, Default, Serialize)]
#[allow(missing_docs, reason = "as above")]
pub struct Access {
    pub guarantees: Vec<()>,
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

impl<'a> Report<'a> {
    /// The report of an assessment.
    pub fn new(assessment: &'a Assessment<'a>) -> Self {
        Self {
            schema_version: "1",
            tool: Tool {
                name: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
            },
            tenant: Tenant {
                id: &assessment.tenant.id,
                display_name: assessment.tenant.display_name.as_ref(),
                default_domain: assessment.tenant.default_domain.as_ref(),
                cloud: &assessment.header.cloud,
            },
            collected_at: assessment.header.collected_at.to_string(),
            evaluated_at: assessment.evaluated_at.to_string(),
            complete: is_complete(assessment.records),
            summary: summary(&assessment.findings),
            results: worst_first(&assessment.findings)
                .into_iter()
                .map(|finding| outcome(finding, assessment))
                .collect(),
            act_now: assessment
                .plan
                .act_now
                .iter()
                .map(|entry| ActNow {
                    rule_id: entry.rule.id,
                    why_now: &entry.why_now,
                })
                .collect(),
            plan: crate::plan::Horizon::ALL
                .into_iter()
                .map(|horizon| {
                    (
                        days(horizon),
                        assessment.plan.of(horizon).map(plan_task).collect(),
                    )
                })
                .collect(),
            entitlements: assessment
                .entitlements
                .iter()
                .map(|entry| Entitlement {
                    protection: entry.protection,
                    owned_through: &entry.owned_through,
                    state: entry.state,
                    seats: entry.seats,
                    evidence: &entry.evidence,
                    rules: &entry.rules,
                })
                .collect(),
            questions: assessment
                .questions
                .iter()
                .map(|entry| Question {
                    key: entry.key,
                    question: entry.question,
                    answer: &entry.answer,
                    rules: &entry.rules,
                })
                .collect(),
            access: Access::default(),
            collection: assessment
                .records
                .iter()
                .map(|(&resource, record)| collection(resource, record))
                .collect(),
        }
    }
}

fn days(horizon: crate::plan::Horizon) -> &'static str {
    match horizon.days() {
        30 => "30",
        60 => "60",
        _ => "90",
    }
}

/// Whether everything that was asked for was read; what no licence offers is not missing.
pub(super) fn is_complete(records: &BTreeMap<Resource, Record>) -> bool {
    records
        .values()
        .all(|record| matches!(record.state, State::Collected | State::NotLicensed { .. }))
}

fn summary(findings: &[Finding]) -> Summary {
    let failing = || {
        findings
            .iter()
            .filter(|finding| finding.status == Status::Fail)
    };
    let (evaluated, applicable) = evaluated(findings);
    Summary {
        by_status: Status::ALL
            .into_iter()
            .map(|status| {
                (
                    status.word(),
                    findings
                        .iter()
                        .filter(|finding| finding.status == status)
                        .count(),
                )
            })
            .collect(),
        by_severity: Severity::ALL
            .into_iter()
            .map(|severity| {
                (
                    severity.word(),
                    failing()
                        .filter(|finding| finding.severity == severity)
                        .count(),
                )
            })
            .collect(),
        by_area: Area::ALL
            .into_iter()
            .map(|area| {
                (
                    area.key(),
                    failing()
                        .filter(|finding| finding.rule.area == area)
                        .count(),
                )
            })
            .collect(),
        exposure_score: exposure_score(findings),
        evaluated,
        applicable,
    }
}

fn outcome<'a>(finding: &'a Finding, assessment: &'a Assessment<'a>) -> Outcome<'a> {
    let rule = finding.rule;
    let crate::rules::Risk(exposure, impact, threat) = finding.risk.risk;
    let objects: Vec<Object<'a>> = finding
        .affected
        .objects()
        .map(|object| Object {
            kind: object.kind,
            id: &object.id,
            name: &object.name,
            detail: Some(&object.detail).filter(|detail| !detail.is_blank()),
        })
        .collect();
    let truncated = finding.affected.count() > objects.len() as u64;
    Outcome {
        rule_id: rule.id,
        title: rule.title,
        area: rule.area,
        severity: finding.severity,
        status: finding.status,
        reason: &finding.reason,
        confidence: finding.confidence,
        risk: Risk {
            score: finding.risk.score,
            exposure,
            impact,
            threat,
            reach: finding.risk.reach,
        },
        horizon: assessment
            .plan
            .horizon_of(rule.id)
            .map(crate::plan::Horizon::days),
        effort: finding.effort,
        disruption: rule.disruption.level(),
        owner: assessment.owners.of(rule.area.key()),
        evidence: finding
            .evidence
            .iter()
            .map(|line| Evidence {
                source: &line.source,
                property: &line.property,
                expected: &line.expected,
                actual: &line.actual,
            })
            .collect(),
        affected: Affected {
            count: finding.affected.count(),
            judged: finding.judged,
            objects,
            truncated,
        },
        fingerprint: fingerprint(finding),
        remediation: remediation(rule),
        references: References::of(rule),
    }
}

/// Stable across runs: rule and what was judged; never names, counts or dates.
fn fingerprint(finding: &Finding) -> String {
    use std::fmt::Write as _;
    let source = finding
        .rule
        .evidence
        .source
        .map_or("m365audit.toml", Resource::key);
    let judged = format!(
        "m365audit/1\n{}\n{source}\n{}",
        finding.rule.id, finding.rule.evidence.property
    );
    Sha256::digest(judged.as_bytes())
        .iter()
        .take(16)
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

pub(super) fn remediation(rule: &crate::rules::Rule) -> Remediation {
    let fix = &rule.remediation;
    Remediation {
        summary: fix.summary,
        notices: fix.notices,
        check_first: fix.check_first,
        prerequisites: rule.after,
        steps: fix.steps,
        portal: fix.portal,
        request: fix.request,
        roll_out: fix.roll_out,
        verify: fix.verify,
        roll_back: fix.roll_back,
        licence: rule.licence.plans(),
        dangers: fix.dangers.iter().map(|danger| danger.tag()).collect(),
    }
}

fn plan_task(task: &Task) -> PlanTask<'_> {
    PlanTask {
        rule_id: task.rule.id,
        part: task.part,
        order: task.order,
        this_week: task.this_week,
        why_now: &task.why_now,
        after: &task.after,
        licence: task.licence,
        rules: &task.rules,
    }
}

fn collection(resource: Resource, record: &Record) -> Collection<'_> {
    let (status, error) = match &record.state {
        State::Skipped => ("skipped", None),
        State::Collected => ("collected", None),
        State::Partial { error, .. } => ("partial", Some(error)),
        State::Forbidden { error, .. } => ("forbidden", Some(error)),
        State::NotLicensed { error } => ("not_licensed", Some(error)),
        State::Failed { error } => ("failed", Some(error)),
    };
    Collection {
        resource: resource.source(),
        status,
        count: record.count,
        expected: record.expected,
        permission: resource.permission(),
        error,
        requests: record.requests,
        retries: record.retries,
    }
}
