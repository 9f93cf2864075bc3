//! Evaluation: from outcomes to statuses. The only place where a `pass` is made.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use jiff::Timestamp;

use super::context::Shared;
use super::finding::Gap;
use super::outcome::Answer;
use super::score::reach;
use super::{
    Affected, Context, EntitlementState, Evidence, Finding, Licence, NotEvaluated, Outcome, Rule,
    Severity, Status,
};
use crate::config::Config;
use crate::snapshot::{State, Tenant, Unread};

/// Evaluates the rules at this moment in time; findings come in the order of the rules.
///
/// Rules are independent of each other and spread over the processors. A check that panics becomes `not_evaluated`: one
/// rule's defect never ends a run.
pub fn evaluate(
    rules: impl IntoIterator<Item = &'static Rule>,
    tenant: &Tenant,
    config: &Config,
    now: Timestamp,
) -> Vec<Finding> {
    let shared = Shared::new(tenant, config, now);
    let rules: Vec<&'static Rule> = rules.into_iter().collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(rule) = rules.get(index) else {
                break done;
            };
            done.push((index, judge(rule, &shared)));
        }
    };
    let helpers = thread::available_parallelism().map_or(0, |processors| processors.get() - 1);
    let mut findings = thread::scope(|scope| {
        let helpers: Vec<_> = (0..helpers.min(rules.len()))
            .map(|_| scope.spawn(work))
            .collect();
        let mut findings = work();
        // A check that panics is caught where it is called, so a helper always ends.
        findings.extend(
            helpers
                .into_iter()
                .filter_map(|helper| helper.join().ok())
                .flatten(),
        );
        findings
    });
    findings.sort_by_key(|(index, _)| *index);
    findings.into_iter().map(|(_, finding)| finding).collect()
}

/// Evaluates one rule.
pub fn evaluate_one(
    rule: &'static Rule,
    tenant: &Tenant,
    config: &Config,
    now: Timestamp,
) -> Finding {
    judge(rule, &Shared::new(tenant, config, now))
}

fn judge<'a>(rule: &'static Rule, shared: &'a Shared<'a>) -> Finding {
    if shared.owns(rule.licence) == Some(false) {
        return not_licensed(rule, shared);
    }
    // The gate: whatever the check says, nothing is concluded from data that was not read.
    let missing = rule
        .reads
        .iter()
        .map(|&resource| unread(shared.tenant, resource))
        .find(|unread| {
            unread
                .as_ref()
                .is_some_and(|unread| !matches!(unread.state, State::Partial { .. }))
        });
    if let Some(Some(missing)) = missing {
        return not_evaluated(rule, shared, NotEvaluated::Unread(missing));
    }
    let context = Context::new(shared, rule);
    let outcome = match catch_unwind(AssertUnwindSafe(|| (rule.check)(&context))) {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(why)) => return not_evaluated(rule, shared, why),
        Err(_) => {
            return not_evaluated(
                rule,
                shared,
                NotEvaluated::unknown(
                    "the check failed on this data; please report it with the version",
                ),
            );
        }
    };
    let partial = context.partial().or_else(|| {
        rule.reads
            .iter()
            .find_map(|&resource| unread(shared.tenant, resource))
    });
    match (outcome.answer, partial) {
        (Answer::Fail, _) => conclude(rule, shared, Status::Fail, outcome),
        (_, Some(partial)) => not_evaluated(rule, shared, NotEvaluated::Unread(partial)),
        (Answer::Pass, None) if !mostly_known(&outcome) => {
            let known = outcome.judged;
            let all = known + outcome.unknown;
            not_evaluated(
                rule,
                shared,
                NotEvaluated::unknown(format!(
                    "only {known} of {all} could be judged; none of them fails"
                )),
            )
        }
        (Answer::Pass, None) => conclude(rule, shared, Status::Pass, outcome),
        (Answer::NotApplicable, None) => conclude(rule, shared, Status::NotApplicable, outcome),
    }
}

/// At least 95 % of the population is known.
fn mostly_known(outcome: &Outcome) -> bool {
    let all = u128::from(outcome.judged) + u128::from(outcome.unknown);
    outcome.unknown == 0 || u128::from(outcome.judged) * 100 >= all * 95
}

fn unread(tenant: &Tenant, resource: crate::snapshot::Resource) -> Option<Unread> {
    match tenant.state(resource) {
        (State::Collected, _) => None,
        (state, read) => Some(Unread {
            resource,
            state: state.clone(),
            read,
        }),
    }
}

fn conclude(rule: &'static Rule, shared: &Shared<'_>, status: Status, outcome: Outcome) -> Finding {
    let confidence = outcome
        .confidence
        .map_or(rule.confidence, |lower| lower.min(rule.confidence));
    // A setting affects the whole tenant; objects affect their share of what was judged.
    let reach = match status {
        Status::Fail if outcome.affected.count() > 0 => reach(
            outcome.affected.count(),
            outcome.judged,
            outcome.affected.touches_tier_0(),
        ),
        _ => 100,
    };
    let risk = rule.risk.score(reach, confidence);
    let mut evidence = Vec::with_capacity(outcome.evidence.len() + 1);
    if let Some(actual) = outcome.actual {
        evidence.push(Evidence::new(
            rule.evidence.source,
            rule.evidence.property,
            rule.evidence.expected,
            actual,
        ));
    }
    evidence.extend(outcome.evidence);
    Finding {
        rule,
        status,
        reason: outcome.reason,
        risk,
        severity: Severity::of(risk.score),
        effort: rule.effort.for_seats(shared.licences.largest_seat_count()),
        confidence,
        evidence,
        affected: outcome.affected,
        judged: outcome.judged,
        entitlement: entitlement(rule, status, outcome.entitlement),
        gap: None,
    }
}

/// A rule of kind entitlement that names no state of its own is in use when it passes and off when it fails.
fn entitlement(
    rule: &Rule,
    status: Status,
    named: Option<EntitlementState>,
) -> Option<EntitlementState> {
    rule.protection?;
    Some(match (status, named) {
        (Status::NotLicensed, _) => EntitlementState::NotOwned,
        (Status::Pass | Status::Fail, Some(state)) => state,
        (Status::Pass, None) => EntitlementState::InUse,
        (Status::Fail | Status::Accepted, _) => EntitlementState::Off,
        _ => EntitlementState::Unknown,
    })
}

fn without_verdict(
    rule: &'static Rule,
    shared: &Shared<'_>,
    status: Status,
    reason: crate::snapshot::Untrusted,
    gap: Option<Gap>,
) -> Finding {
    let risk = rule.risk.score(100, 100);
    Finding {
        rule,
        status,
        reason,
        risk,
        severity: Severity::of(risk.score),
        effort: rule.effort.for_seats(shared.licences.largest_seat_count()),
        confidence: rule.confidence,
        evidence: Vec::new(),
        affected: Affected::default(),
        judged: 0,
        entitlement: entitlement(rule, status, None),
        gap,
    }
}

fn not_licensed(rule: &'static Rule, shared: &Shared<'_>) -> Finding {
    let plans = match rule.licence {
        Licence::Any => String::new(),
        Licence::OneOf(plans) => plans.join(" or "),
    };
    without_verdict(
        rule,
        shared,
        Status::NotLicensed,
        format!("needs a licence with {plans}").into(),
        None,
    )
}

fn not_evaluated(rule: &'static Rule, shared: &Shared<'_>, why: NotEvaluated) -> Finding {
    let unread = match why {
        NotEvaluated::Unknown(reason) => {
            return without_verdict(rule, shared, Status::NotEvaluated, reason, None);
        }
        NotEvaluated::Unread(unread) => unread,
    };
    let source = unread.resource.source();
    let reason = match &unread.state {
        State::Skipped | State::Collected => format!("{source} was not asked for"),
        State::Partial {
            of: Some(of),
            error,
        } => format!(
            "{source} broke off after {} of {of}: {}",
            unread.read,
            error.raw()
        ),
        State::Partial { of: None, error } => {
            format!("{source} broke off after {}: {}", unread.read, error.raw())
        }
        State::Forbidden { permission, .. } => format!("{source} was refused: grant {permission}"),
        State::NotLicensed { error } => {
            format!("{source} is not licensed in this tenant: {}", error.raw())
        }
        State::Failed { error } => format!("{source} failed: {}", error.raw()),
    };
    // Graph itself says that no licence of the tenant offers what would be read.
    let status = match unread.state {
        State::NotLicensed { .. } => Status::NotLicensed,
        _ => Status::NotEvaluated,
    };
    let gap = Gap {
        resource: unread.resource,
        state: unread.state,
    };
    without_verdict(rule, shared, status, reason.into(), Some(gap))
}
