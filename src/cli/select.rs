//! Which rules are looked at.

use std::collections::BTreeSet;

use super::args::{GroupArgs, SelectArgs};
use super::failure::Failure;
use crate::collect;
use crate::rules::{self, Finding, Rule, Severity, Status};
use crate::snapshot::Resource;

/// The rules that the flags select, in the registry's order.
pub(super) fn rules(select: &SelectArgs) -> Result<Vec<&'static Rule>, Failure> {
    for id in select.rule.iter().chain(&select.skip_rule) {
        if rules::find(id).is_none() {
            return Err(unknown(id));
        }
    }
    Ok(rules::registry()
        .filter(|rule| rule.tier <= select.tier || select.rule.iter().any(|id| id == rule.id))
        .filter(|rule| select.area.is_empty() || select.area.contains(&rule.area))
        .filter(|rule| select.rule.is_empty() || select.rule.iter().any(|id| id == rule.id))
        .filter(|rule| !select.skip_rule.iter().any(|id| id == rule.id))
        .collect())
}

/// The rules that the flags select and that can be as severe as they ask for: those whose results `scan` would show.
pub(super) fn rules_shown(select: &SelectArgs) -> Result<Vec<&'static Rule>, Failure> {
    let mut rules = rules(select)?;
    if let Some(least) = select.min_severity {
        rules.retain(|rule| Severity::of(rule.risk.full()) >= least);
    }
    Ok(rules)
}

/// No rule has this id.
pub(super) fn unknown(id: &str) -> Failure {
    let help = match rules::nearest(id) {
        Some(near) => format!("did you mean `{near}`? `m365audit rules list` shows all"),
        None => "`m365audit rules list` shows all".to_owned(),
    };
    Failure::usage(format!("there is no rule `{id}`"), help)
}

/// Everything that these rules read, and what every report needs, as far as it is to be read.
pub(super) fn resources(rules: &[&Rule], read: &GroupArgs) -> BTreeSet<Resource> {
    let mut wanted = BTreeSet::from([Resource::Organization, Resource::SubscribedSkus]);
    for rule in rules {
        wanted.extend(rule.reads);
        wanted.extend(rule.may_read);
    }
    choose(wanted, read)
}

/// Everything that can be read, for a snapshot that answers later questions, too.
pub(super) fn all_resources(read: &GroupArgs) -> BTreeSet<Resource> {
    choose(Resource::ALL.iter().copied().collect(), read)
}

fn choose(wanted: BTreeSet<Resource>, read: &GroupArgs) -> BTreeSet<Resource> {
    let mut with = read.with.clone();
    if read.mailbox_rules {
        with.push(collect::Group::MailboxRules);
    }
    collect::choose(wanted, &with, &read.without, !read.no_beta)
}

/// Keeps the findings that are at least as severe, and the other results that could be.
pub(super) fn at_least(select: &SelectArgs, findings: Vec<Finding>) -> Vec<Finding> {
    let Some(least) = select.min_severity else {
        return findings;
    };
    let counts = |finding: &Finding| match finding.status {
        Status::Fail | Status::Accepted => finding.severity >= least,
        _ => finding.worst_severity() >= least,
    };
    findings.into_iter().filter(counts).collect()
}
