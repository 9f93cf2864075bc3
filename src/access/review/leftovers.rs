//! What was forgotten: trials that never ended, references to what is gone; and what [`variants`](super::variants) finds.

use super::variants::opened;
use super::{Leftover, LeftoverKind, ReviewedAt};
use crate::access::analyzer::Analyzer;
use crate::access::assignment::Entry;
use crate::access::network::ALL_COMPLIANT_NETWORKS;
use crate::access::policy::{Ask, Effect, Policy};
use crate::access::resources::{AZURE_MANAGEMENT, DIRECTORY, well_known_name};
use crate::access::subjects::Named;
use crate::snapshot::model::ConditionalAccessPolicy;
use crate::snapshot::{Guid, Untrusted, reference};

const SECONDS_A_DAY: i64 = 86_400;

/// The id by which policies mean the trusted addresses of the old service settings.
const MFA_TRUSTED_IPS: Guid = Guid::new(0);

/// The built-in strengths have the ids 1 to 4 or so; they are never deleted.
const BUILT_IN_STRENGTHS: Guid = Guid::new(0xffff);

/// All leftovers, policy by policy.
pub(super) fn leftovers(analyzer: &Analyzer<'_>, when: &ReviewedAt) -> Vec<Leftover> {
    let mut found: Vec<(usize, Leftover)> = Vec::new();
    for (index, policy) in analyzer.space.policies.iter().enumerate() {
        if policy.is_virtual {
            continue;
        }
        let leftover = |kind, detail: String| {
            let (policy, name) = (policy.id.clone(), policy.name.clone());
            let detail = Untrusted::from(detail);
            (
                index,
                Leftover {
                    policy,
                    name,
                    kind,
                    detail,
                },
            )
        };
        if policy.effect == Effect::ReportOnly
            && let Some(detail) = forgotten(analyzer, policy, when)
        {
            found.push(leftover(LeftoverKind::ReportOnly, detail));
        }
        let gone = gone(analyzer, policy);
        found.extend(gone.into_iter().map(|what| {
            leftover(
                LeftoverKind::DeletedReference,
                format!("it names {what}, which does not exist"),
            )
        }));
    }
    found.extend(opened(analyzer));
    found.sort_by(|(left, one), (right, other)| {
        (left, one.kind, one.detail.raw()).cmp(&(right, other.kind, other.detail.raw()))
    });
    found.into_iter().map(|(_, leftover)| leftover).collect()
}

/// Whether a trial has gone on for longer than the limit. A policy without any date is an old one.
fn forgotten(analyzer: &Analyzer<'_>, policy: &Policy, when: &ReviewedAt) -> Option<String> {
    let mut raw = analyzer.facts().policies.iter();
    let raw: &ConditionalAccessPolicy = raw.find(|raw| raw.id.as_ref() == Some(&policy.id))?;
    let since = raw.modified_date_time.or(raw.created_date_time);
    let Some(since) = since else {
        return Some("report-only for an unknown time".to_owned());
    };
    let days = (when.at.as_second() - since.as_second()) / SECONDS_A_DAY;
    (days >= i64::from(when.report_only_days)).then(|| format!("report-only for {days} days"))
}

/// What a policy names and is in no list, of the lists that were read to their end.
fn gone(analyzer: &Analyzer<'_>, policy: &Policy) -> Vec<String> {
    let tenant = analyzer.tenant;
    let mut gone = Vec::new();
    let entries = policy
        .who
        .iter()
        .flat_map(|who| who.include.entries().chain(who.exclude.entries()));
    for entry in entries {
        let is_gone = match entry {
            Entry::Named(Named::Account(id)) => tenant
                .users
                .complete()
                .is_ok_and(|users| users.get(id).is_none()),
            Entry::Named(Named::Group(id)) => tenant
                .groups
                .complete()
                .is_ok_and(|groups| groups.get(id).is_none()),
            Entry::Named(Named::Active(id)) => {
                tenant.role_definitions.complete().is_ok_and(|roles| {
                    !roles.is_empty()
                        && reference::role(id).is_none()
                        && !roles.iter().any(|role| role.id == Some(id))
                })
            }
            _ => false,
        };
        if is_gone {
            gone.push(analyzer.entry_in_words(entry));
        }
    }
    let listed = tenant.service_principals.complete().ok();
    for word in policy.target.include.iter().chain(&policy.target.exclude) {
        let Ok(id) = word.raw().parse::<Guid>() else {
            continue;
        };
        // Microsoft's own apps can be named before anybody has used them here.
        let is_known = well_known_name(id).is_some() || id == AZURE_MANAGEMENT || id == DIRECTORY;
        if !is_known && listed.is_some_and(|listed| listed.by_app_id(id).is_none()) {
            gone.push(analyzer.app_in_words(word));
        }
    }
    let places = tenant.named_locations.complete().ok();
    let words = policy.locations.iter();
    for word in words.flat_map(|(include, exclude)| include.iter().chain(exclude)) {
        let Ok(id) = word.raw().parse::<Guid>() else {
            continue;
        };
        let is_special = id == MFA_TRUSTED_IPS || word.is(ALL_COMPLIANT_NETWORKS);
        let is_listed = |places: &Vec<_>| {
            places
                .iter()
                .any(|place: &crate::snapshot::model::NamedLocation| place.id == Some(id))
        };
        if !is_special && places.is_some_and(|places| !is_listed(places)) {
            gone.push(analyzer.place_in_words(word));
        }
    }
    let strengths = tenant.authentication_strengths.complete().ok();
    for ask in &policy.grant.asks {
        let Ask::Strength(Some(id), _) = ask else {
            continue;
        };
        let written = id.to_string();
        let is_gone = *id > BUILT_IN_STRENGTHS
            && strengths.is_some_and(|strengths| {
                !strengths
                    .iter()
                    .any(|known| known.id.as_ref().is_some_and(|known| known.is(&written)))
            });
        if is_gone {
            gone.push(format!("authentication strength {id}"));
        }
    }
    gone.sort();
    gone.dedup();
    gone
}
