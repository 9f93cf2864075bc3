//! How an assessment becomes the JSON report.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::Assessment;
use super::model::{
    Access, ActNow, Affected, Collection, Entitlement, Evidence, Object, Outcome, PlanTask,
    Question, References, Remediation, Report, Risk, Summary, Tenant, Tool,
};
use crate::plan::{Task, evaluated, exposure_score, worst_first};
use crate::rules::{Area, Finding, Severity, Status};
use crate::snapshot::{Record, Resource, State};

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
            access: Access {
                guarantees: &assessment.access,
            },
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
