//! From findings to an order that an administrator can follow.
//!
//! [`schedule`](mod@schedule) puts tasks into 30, 60 and 90 days by fixed rules; `explain` says why in one line; [`entitlements`] lists what is owned
//! and not used; [`questions`] answers what a review asks. Pure: findings in, plan out, integers only.

mod entitlements;
mod explain;
mod questions;
pub mod schedule;

use std::collections::BTreeMap;

use crate::rules::{Disruption, EntitlementState, Finding, Licence, Rule, Severity, Status};
use crate::snapshot::Untrusted;

pub use entitlements::{Entitlement, entitlements};
pub use questions::{Question, questions};
pub use schedule::{Horizon, Part};

/// What to do, in which order.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Signs of compromise: above the plan, in no bucket.
    pub act_now: Vec<ActNow>,
    /// Every task, by horizon and order.
    pub tasks: Vec<Task>,
}

/// A sign of compromise.
#[derive(Debug, Clone)]
pub struct ActNow {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// Why it cannot wait.
    pub why_now: Untrusted,
}

/// One task.
#[derive(Debug, Clone)]
pub struct Task {
    /// The rule whose finding it settles; for a decision the weightiest of those that wait for it.
    pub rule: &'static Rule,
    /// Do, prepare, enforce or decide.
    pub part: Part,
    /// Within how many days.
    pub horizon: Horizon,
    /// Place in its bucket, from 1.
    pub order: usize,
    /// Can and should be done in the first week.
    pub this_week: bool,
    /// Why it stands here, in one line.
    pub why_now: String,
    /// Rules with tasks in this plan that must be settled first.
    pub after: Vec<&'static str>,
    /// For a decision: the service plans, any of which would do.
    pub licence: &'static [&'static str],
    /// For a decision: the rules that wait for it.
    pub rules: Vec<&'static str>,
}

impl Plan {
    /// The tasks of one horizon, in order.
    pub fn of(&self, horizon: Horizon) -> impl Iterator<Item = &Task> {
        self.tasks
            .iter()
            .filter(move |task| task.horizon == horizon)
    }

    /// Where a rule's finding is settled: the horizon of its last part.
    pub fn horizon_of(&self, rule: &str) -> Option<Horizon> {
        self.tasks
            .iter()
            .filter(|task| task.part != Part::Decide && task.rule.id == rule)
            .map(|task| task.horizon)
            .max()
    }
}

/// What weakens the whole picture while a licence is missing, and what stands in for it: the rule of the compensating control
/// by the licence that is missing.
const COMPENSATING: &[(Licence, &str)] = &[(Licence::ENTRA_P1, "security-defaults-off")];

/// Makes the plan.
pub fn plan(findings: &[Finding]) -> Plan {
    let (urgent, ordinary): (Vec<&Finding>, Vec<&Finding>) = findings
        .iter()
        .filter(|finding| finding.status == Status::Fail)
        .partition(|finding| finding.rule.act_now);
    let unlicensed = unlicensed(findings);
    let compensating: Vec<&str> = COMPENSATING
        .iter()
        .filter(|(licence, _)| unlicensed.contains_key(licence.plans()))
        .map(|(_, rule)| *rule)
        .collect();
    let items: Vec<schedule::Item<'static>> = ordinary
        .iter()
        .map(|finding| item(finding, findings, &compensating))
        .collect();
    let by_id: BTreeMap<&str, &Finding> = ordinary
        .iter()
        .map(|finding| (finding.rule.id, *finding))
        .collect();
    let emergency = emergency_state(findings);
    let mut tasks: Vec<Task> = schedule::schedule(&items)
        .into_iter()
        .filter_map(|slot| {
            let finding = by_id.get(slot.id)?;
            let lock_out = finding
                .rule
                .remediation
                .dangers
                .contains(&crate::rules::Danger::CanLockOut);
            let this_week = slot.this_week && !(lock_out && emergency == Emergency::Missing);
            Some(Task {
                rule: finding.rule,
                part: slot.part,
                horizon: slot.horizon,
                order: 0,
                this_week,
                why_now: explain::task(finding, &slot, lock_out.then_some(emergency)),
                after: slot.after,
                licence: &[],
                rules: Vec::new(),
            })
        })
        .collect();
    tasks.extend(
        unlicensed
            .into_iter()
            .map(|(plans, waiting)| decision(plans, &waiting)),
    );
    number(&mut tasks);
    Plan {
        act_now: act_now(urgent),
        tasks,
    }
}

/// What is known about the accounts that get back in when something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Emergency {
    Ready,
    Missing,
    Unknown,
}

fn emergency_state(findings: &[Finding]) -> Emergency {
    match findings
        .iter()
        .find(|finding| finding.rule.id == "emergency-access-account-missing")
        .map(|finding| finding.status)
    {
        Some(Status::Pass) => Emergency::Ready,
        Some(Status::Fail | Status::Accepted) => Emergency::Missing,
        _ => Emergency::Unknown,
    }
}

fn item(finding: &Finding, findings: &[Finding], compensating: &[&str]) -> schedule::Item<'static> {
    schedule::Item {
        id: finding.rule.id,
        severity: finding.severity,
        score: finding.risk.score,
        effort: finding.effort,
        disruption: finding.rule.disruption.level(),
        after: finding.rule.after,
        prepared: is_prepared(finding, findings),
        compensating: compensating.contains(&finding.rule.id),
    }
}

/// Whether the preparation of a disruptive task is measured as done: MFA for everybody once 95 % are registered.
fn is_prepared(finding: &Finding, findings: &[Finding]) -> bool {
    if finding.rule.id != "mfa-not-enforced-for-all-users"
        || finding.rule.disruption != Disruption::Users
    {
        return false;
    }
    let registration = findings
        .iter()
        .find(|finding| finding.rule.id == "users-without-mfa-method");
    registration.is_some_and(|found| match found.status {
        Status::Pass => true,
        Status::Fail => {
            u128::from(found.judged.saturating_sub(found.affected.count())) * 100
                >= u128::from(found.judged) * 95
        }
        _ => false,
    })
}

/// Rules that are not licensed, by the licence that they wait for.
fn unlicensed(findings: &[Finding]) -> BTreeMap<&'static [&'static str], Vec<&Finding>> {
    let mut by_licence: BTreeMap<&'static [&'static str], Vec<&Finding>> = BTreeMap::new();
    for finding in findings
        .iter()
        // A rule that names no licence of its own waits for whatever Graph missed; there is no name to decide on.
        .filter(|finding| {
            finding.status == Status::NotLicensed && finding.rule.licence != Licence::Any
        })
    {
        by_licence
            .entry(finding.rule.licence.plans())
            .or_default()
            .push(finding);
    }
    by_licence
}

fn decision(plans: &'static [&'static str], waiting: &[&Finding]) -> Task {
    let heaviest = waiting
        .iter()
        .max_by_key(|finding| (finding.risk.score, std::cmp::Reverse(finding.rule.id)));
    let rule = heaviest.map_or(waiting[0].rule, |finding| finding.rule);
    let mut rules: Vec<&'static str> = waiting.iter().map(|finding| finding.rule.id).collect();
    rules.sort_unstable();
    Task {
        rule,
        part: Part::Decide,
        horizon: Horizon::Days60,
        order: 0,
        this_week: false,
        why_now: explain::decision(plans, waiting),
        after: Vec::new(),
        licence: plans,
        rules,
    }
}

/// Numbers the tasks of each bucket; the schedule's order stands, decisions come last.
fn number(tasks: &mut [Task]) {
    tasks.sort_by_key(|task| (task.horizon, task.part == Part::Decide));
    for horizon in Horizon::ALL {
        for (order, task) in (1..).zip(tasks.iter_mut().filter(|task| task.horizon == horizon)) {
            task.order = order;
        }
    }
}

fn act_now(mut urgent: Vec<&Finding>) -> Vec<ActNow> {
    urgent.sort_by_key(|finding| (std::cmp::Reverse(finding.risk.score), finding.rule.id));
    urgent
        .into_iter()
        .map(|finding| ActNow {
            rule: finding.rule,
            why_now: finding.reason.clone(),
        })
        .collect()
}

/// 0 to 100, lower is better: the risk of what fails, as a share of the risk of all that was evaluated.
pub fn exposure_score(findings: &[Finding]) -> u32 {
    let (mut failing, mut all) = (0u32, 0u32);
    for finding in findings {
        match finding.status {
            Status::Fail | Status::Accepted => {
                failing += finding.risk.score;
                all += finding.rule.risk.full();
            }
            Status::Pass => all += finding.rule.risk.full(),
            _ => {}
        }
    }
    (100 * failing).checked_div(all).unwrap_or(0)
}

/// How many rules were evaluated, out of all that apply here: the number that the exposure score is always shown with.
pub fn evaluated(findings: &[Finding]) -> (usize, usize) {
    let count = |wanted: &[Status]| {
        findings
            .iter()
            .filter(|finding| wanted.contains(&finding.status))
            .count()
    };
    let done = count(&[Status::Pass, Status::Fail, Status::Accepted]);
    (done, done + count(&[Status::NotEvaluated, Status::Manual]))
}

/// Findings in the order of reports: failing first, by risk, then by id.
pub fn worst_first(findings: &[Finding]) -> Vec<&Finding> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| {
        (
            finding.status,
            std::cmp::Reverse(finding.risk.score),
            finding.rule.id,
        )
    });
    sorted
}

/// Whether a state means that an owned protection is not fully used.
pub(crate) fn is_unused(state: EntitlementState) -> bool {
    matches!(
        state,
        EntitlementState::Off | EntitlementState::NotEnforced | EntitlementState::Partial
    )
}

/// The worst severity among failing findings.
pub fn worst(findings: &[Finding]) -> Option<Severity> {
    findings
        .iter()
        .filter(|finding| finding.status == Status::Fail)
        .map(|finding| finding.severity)
        .max()
}
