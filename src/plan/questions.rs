//! The questions of a review, answered from the findings.

use super::schedule::Horizon;
use super::{Entitlement, Plan, is_unused, worst_first};
use crate::rules::{Area, Finding, Kind, Severity, Status};

/// One question and its answer.
#[derive(Debug, Clone)]
pub struct Question {
    /// `most_exposed`, `owned_unused`, `plan`, `access`, `data`, `detection`, `ownership`.
    pub key: &'static str,
    /// The question as people ask it.
    pub question: &'static str,
    /// One or two sentences, with the numbers.
    pub answer: String,
    /// The rules that the answer rests on, weightiest first.
    pub rules: Vec<&'static str>,
}

/// How many rules an answer names.
const NAMED: usize = 5;

/// Answers the seven questions.
pub fn questions(findings: &[Finding], plan: &Plan, entitlements: &[Entitlement]) -> Vec<Question> {
    vec![
        most_exposed(findings),
        owned_unused(entitlements),
        the_plan(plan),
        about(
            "access",
            "How does someone get access?",
            findings,
            |finding| finding.rule.area == Area::Identity,
        ),
        about(
            "data",
            "How is sensitive data protected?",
            findings,
            |finding| {
                matches!(
                    finding.rule.area,
                    Area::Data | Area::Sharing | Area::Devices
                )
            },
        ),
        about(
            "detection",
            "How is risky behaviour detected and addressed?",
            findings,
            |finding| finding.rule.area == Area::Monitoring && !is_ownership(finding),
        ),
        about(
            "ownership",
            "Who is responsible for improving it?",
            findings,
            is_ownership,
        ),
    ]
}

fn is_ownership(finding: &Finding) -> bool {
    finding.rule.kind == Kind::Owners || finding.rule.id == "security-contact-missing"
}

fn failing(findings: &[Finding], wanted: impl Fn(&Finding) -> bool) -> Vec<&Finding> {
    worst_first(findings)
        .into_iter()
        .filter(|finding| finding.status == Status::Fail && wanted(finding))
        .collect()
}

fn named(findings: &[&Finding]) -> Vec<&'static str> {
    findings
        .iter()
        .take(NAMED)
        .map(|finding| finding.rule.id)
        .collect()
}

fn most_exposed(findings: &[Finding]) -> Question {
    let failing = failing(findings, |_| true);
    let of = |severity| {
        failing
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let answer = match failing.first() {
        None => "Nothing that was evaluated fails.".to_owned(),
        Some(worst) => {
            let area = Area::ALL
                .into_iter()
                .max_by_key(|&area| {
                    let risk: u32 = failing
                        .iter()
                        .filter(|finding| finding.rule.area == area)
                        .map(|finding| finding.risk.score)
                        .sum();
                    (risk, std::cmp::Reverse(area))
                })
                .map_or("", Area::name);
            format!(
                "{area}: {} critical and {} high findings in all; the worst is \"{}\".",
                of(Severity::Critical),
                of(Severity::High),
                worst.rule.title
            )
        }
    };
    Question {
        key: "most_exposed",
        question: "Where are we most exposed today?",
        answer,
        rules: named(&failing),
    }
}

fn owned_unused(entitlements: &[Entitlement]) -> Question {
    let unused: Vec<&Entitlement> = entitlements
        .iter()
        .filter(|entitlement| is_unused(entitlement.state))
        .collect();
    let names: Vec<&str> = unused
        .iter()
        .map(|entitlement| entitlement.protection)
        .collect();
    let answer = if names.is_empty() {
        "No protection that is owned and could be judged stands unused.".to_owned()
    } else {
        format!(
            "{} owned and not fully used: {}.",
            names.len(),
            names.join(", ")
        )
    };
    let rules = unused
        .iter()
        .flat_map(|entitlement| entitlement.rules.iter().copied())
        .collect();
    Question {
        key: "owned_unused",
        question: "Which protections do we own but not use properly?",
        answer,
        rules,
    }
}

fn the_plan(plan: &Plan) -> Question {
    let [first, second, third] = Horizon::ALL.map(|horizon| plan.of(horizon).count());
    let this_week = plan.tasks.iter().filter(|task| task.this_week).count();
    let week = match this_week {
        0 => String::new(),
        some => format!(" ({some} of them this week)"),
    };
    let tasks = if first == 1 { "task" } else { "tasks" };
    let answer = format!("{first} {tasks} in 30 days{week}, {second} in 60, {third} in 90.");
    let rules = plan
        .of(Horizon::Days30)
        .take(NAMED)
        .map(|task| task.rule.id)
        .collect();
    Question {
        key: "plan",
        question: "What should we improve over the next 30, 60, 90 days?",
        answer,
        rules,
    }
}

fn about(
    key: &'static str,
    question: &'static str,
    findings: &[Finding],
    wanted: impl Fn(&Finding) -> bool,
) -> Question {
    let failing = failing(findings, &wanted);
    let count = |statuses: &[Status]| {
        findings
            .iter()
            .filter(|finding| wanted(finding) && statuses.contains(&finding.status))
            .count()
    };
    let evaluated = count(&[Status::Pass, Status::Fail, Status::Accepted]);
    let unread = count(&[Status::NotEvaluated, Status::Manual]);
    let mut answer = match failing.first() {
        _ if evaluated == 0 => "Nothing about it could be evaluated.".to_owned(),
        None => format!("All {evaluated} controls that were evaluated are in place."),
        Some(worst) => format!(
            "{} of {evaluated} controls are in place; first to mend: \"{}\".",
            evaluated - failing.len(),
            worst.rule.title
        ),
    };
    if unread > 0 && evaluated > 0 {
        answer.push_str(&format!(" {unread} could not be evaluated."));
    }
    Question {
        key,
        question,
        answer,
        rules: named(&failing),
    }
}
