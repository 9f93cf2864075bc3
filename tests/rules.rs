//! The rules, case by case and all together.
//!
//! `fixtures/rules/<rule-id>.json` holds the cases of one rule: each is laid over the small sound tenant of `fixtures/rules/_base.json`,
//! so that it shows only what matters. See `fixtures/README.md` for the notation.

mod support;

use std::collections::BTreeSet;

use m365audit::rules::{self, Finding, Rule, Status};
use m365audit::snapshot::{Resource, State, Tenant};
use support::cases::{self, Case};

#[test]
fn every_case_comes_out_as_it_says() {
    let mut failures = Vec::new();
    let mut ran = 0;
    for rule in rules::registry() {
        for case in cases::of(rule.id) {
            ran += 1;
            if let Err(wrong) = case.check(&case.evaluate(rule)) {
                failures.push(format!("{} / {}: {wrong}", rule.id, case.name));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {ran} cases came out differently:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn every_rule_has_a_passing_and_a_failing_case_and_no_case_is_without_a_rule() {
    let mut missing = Vec::new();
    for rule in rules::registry() {
        let have: BTreeSet<String> = cases::of(rule.id)
            .iter()
            .map(|case| case.expected_status().to_owned())
            .collect();
        let mut wanted = vec!["pass", "fail"];
        if !rule.licence.plans().is_empty() {
            wanted.push("not_licensed");
        }
        if !rule.reads.is_empty() {
            wanted.push("not_evaluated");
        }
        missing.extend(
            wanted
                .into_iter()
                .filter(|status| !have.contains(*status))
                .map(|status| format!("{}: no case that is {status}", rule.id)),
        );
    }
    let known: BTreeSet<&str> = rules::registry().map(|rule| rule.id).collect();
    missing.extend(
        cases::files()
            .into_iter()
            .filter(|id| !known.contains(id.as_str()))
            .map(|id| format!("{id}.json: no such rule")),
    );
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// The one promise everything rests on: data that was not read, or was read in part, never becomes a pass.
#[test]
fn forbidding_or_cutting_short_any_resource_never_leaves_a_pass_that_rests_on_it() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for rule in rules::registry() {
        for case in cases::of(rule.id)
            .iter()
            .filter(|case| matches!(case.expected_status(), "pass" | "not_applicable"))
        {
            let tenant = case.tenant();
            for &resource in rule.reads {
                for state in [forbidden(resource), cut_short()] {
                    checked += 1;
                    let found = with_state(case, &tenant, rule, resource, state.clone());
                    let names_it = found
                        .gap
                        .as_ref()
                        .is_some_and(|gap| gap.resource == resource);
                    if found.status != Status::NotEvaluated || !names_it {
                        wrong.push(format!(
                            "{} / {}: {resource} {state:?} gives {:?}",
                            rule.id, case.name, found.status
                        ));
                    }
                }
            }
        }
    }
    assert!(checked > 1_000, "only {checked} combinations");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a rule may read in some tenants only can keep it from a verdict; it can never make one better.
#[test]
fn an_optional_resource_that_is_refused_never_turns_a_fail_into_a_pass() {
    let mut wrong = Vec::new();
    for rule in rules::registry() {
        for case in cases::of(rule.id)
            .iter()
            .filter(|case| case.expected_status() == "fail")
        {
            let tenant = case.tenant();
            for &resource in rule.may_read {
                for state in [forbidden(resource), cut_short()] {
                    let status = with_state(case, &tenant, rule, resource, state).status;
                    if !matches!(status, Status::Fail | Status::NotEvaluated) {
                        wrong.push(format!(
                            "{} / {}: without {resource} it is {status:?}",
                            rule.id, case.name
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A verdict that passes without an optional resource does not depend on it: no content of it may fail the rule.
#[test]
fn a_pass_without_an_optional_resource_is_no_fail_with_an_empty_one() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for rule in rules::registry() {
        for case in cases::of(rule.id)
            .iter()
            .filter(|case| case.expected_status() == "pass")
        {
            let tenant = case.tenant();
            for &resource in rule.may_read {
                let without = with_state(case, &tenant, rule, resource, forbidden(resource));
                if without.status != Status::Pass {
                    continue;
                }
                checked += 1;
                let empty = case.tenant_without_rows(resource);
                let found = rules::evaluate_one(rule, &empty, &case.config(), cases::now());
                if found.status == Status::Fail {
                    wrong.push(format!("{} / {}: {resource}", rule.id, case.name));
                }
            }
        }
    }
    assert!(checked > 100, "only {checked} combinations");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_tenant_of_which_nothing_was_read_passes_nothing() {
    let tenant = m365audit::snapshot::Tenant::default();
    let findings = rules::evaluate(
        rules::registry(),
        &tenant,
        &m365audit::config::Config::default(),
        cases::now(),
    );
    let passed: Vec<_> = findings
        .iter()
        .filter(|found| found.status == Status::Pass)
        .map(|found| found.rule.id)
        .collect();
    assert_eq!(passed, Vec::<&str>::new());
}

#[test]
fn an_empty_tenant_panics_nowhere() {
    let tenant = m365audit::snapshot::Tenant::empty();
    let findings = rules::evaluate(
        rules::registry(),
        &tenant,
        &m365audit::config::Config::default(),
        cases::now(),
    );
    let broken: Vec<_> = findings
        .iter()
        .filter(|found| found.reason.raw().contains("the check failed"))
        .map(|found| found.rule.id)
        .collect();
    assert_eq!(broken, Vec::<&str>::new());
}

#[test]
fn every_rule_says_everything_a_reader_needs() {
    let mut wrong = Vec::new();
    let mut ids = BTreeSet::new();
    for rule in rules::registry() {
        let mut ask = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("{}: {what}", rule.id));
            }
        };
        ask(ids.insert(rule.id), "the id is not unique");
        ask(
            rule.id
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
            "the id is not kebab-case",
        );
        let fix = &rule.remediation;
        let texts = [
            rule.title,
            fix.summary,
            fix.notices,
            fix.check_first,
            fix.portal,
            fix.roll_out,
            fix.verify,
            fix.roll_back,
        ];
        ask(
            texts.iter().all(|text| !text.is_empty()),
            "a text is missing",
        );
        ask(!fix.steps.is_empty(), "no steps");
        ask(
            rule.docs.iter().any(|line| !line.trim().is_empty()),
            "no documentation",
        );
        ask(
            !rule.evidence.property.is_empty() && !rule.evidence.expected.is_empty(),
            "no expected evidence",
        );
        ask(
            (1..=4).contains(&rule.risk.0) && (1..=4).contains(&rule.risk.1) && rule.risk.2 <= 3,
            "risk out of range",
        );
        ask(
            matches!(rule.confidence, 60 | 80 | 100),
            "confidence is none of 60, 80, 100",
        );
        ask(
            rule.after.iter().all(|id| rules::find(id).is_some()),
            "a rule in `after` does not exist",
        );
        ask(!after_cycle(rule, &mut Vec::new()), "`after` has a cycle");
        ask(
            rule.reads
                .iter()
                .all(|resource| !rule.may_read.contains(resource)),
            "a resource is both required and optional",
        );
        ask(
            (rule.kind == rules::Kind::Entitlement) <= rule.protection.is_some(),
            "an entitlement without a protection",
        );
        ask(
            rule.licence
                .plans()
                .iter()
                .all(|plan| m365audit::snapshot::reference::service_plan(plan).is_some()),
            "an unknown service plan",
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_core_catalogue_is_covered_row_by_row() {
    let wanted: BTreeSet<&str> = include_str!("../fixtures/rules/_core-catalogue.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let have: BTreeSet<&str> = rules::registry()
        .filter(|rule| rule.tier == rules::Tier::Core)
        .map(|rule| rule.id)
        .collect();
    assert_eq!(have, wanted);
}

fn after_cycle(rule: &Rule, path: &mut Vec<&'static str>) -> bool {
    if path.contains(&rule.id) {
        return true;
    }
    path.push(rule.id);
    let found = rule
        .after
        .iter()
        .filter_map(|id| rules::find(id))
        .any(|before| after_cycle(before, path));
    path.pop();
    found
}

fn with_state(
    case: &Case,
    tenant: &Tenant,
    rule: &'static Rule,
    resource: Resource,
    state: State,
) -> Finding {
    let mut tenant = tenant.clone();
    tenant.end(resource, state);
    rules::evaluate_one(rule, &tenant, &case.config(), cases::now())
}

fn forbidden(resource: Resource) -> State {
    State::Forbidden {
        permission: resource.permission(),
        error: "Authorization_RequestDenied".into(),
    }
}

fn cut_short() -> State {
    State::Partial {
        of: Some(1_000_000),
        error: "connection reset".into(),
    }
}
