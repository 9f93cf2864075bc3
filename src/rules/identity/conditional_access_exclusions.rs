//! Who is left out of the policies that are meant for everybody.

use std::collections::BTreeMap;

use super::conditional_access::{MAY_REST_ON_POLICIES, all_policies, missing};
use crate::access::{Analyzer, Belongs, EnabledPolicy, PeopleClass};
use crate::rules::prelude::*;
use crate::snapshot::reference;

declare_rule! {
    /// Exclusion groups only grow: the scanner, the traveller, the project, the manager who was annoyed. Each member is a hole in the policy,
    /// and nobody looks at the group when looking at the policy.
    ///
    /// Emergency access accounts and the accounts that synchronise the local directory do not count.
    pub(crate) static CONDITIONAL_ACCESS_EXCLUSION_LARGE = {
        id: "conditional-access-exclusion-large",
        title: "Many users are excluded from a wide Conditional Access policy",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(3, 3, 2),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::Any,
        reads: &[Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON_POLICIES,
        controls: &[MitreAttack("T1078.004"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.users", expected: "no more than conditional-access.max-excluded enabled users excluded from each wide policy" },
        remediation: Remediation {
            summary: "Only accounts with a reason and an end date are excluded from policies that are meant for everybody.",
            notices: "The people who are taken out of the exclusion groups: they are asked like everybody else.",
            check_first: "List the members of every excluded group: GET /v1.0/groups/{id}/transitiveMembers/microsoft.graph.user; ask the owner of the group why each one is in it.",
            steps: &[
                "Take out of the groups who needs no exclusion any more.",
                "Cover the rest by another policy: guests by a policy for guests, scanners by one that allows a single place.",
                "Set up an access review for every group that a policy excludes, or a monthly look at its members.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies > {policy} > Users > Exclude",
            request: "DELETE /v1.0/groups/{group id}/members/{user id}/$ref",
            roll_out: "In batches of a few people, one day apart.",
            verify: "No wide policy excludes more enabled users than the limit.",
            roll_back: "Add the account to the group again.",
            dangers: &[Danger::BreaksIntegrations],
            learn: &[],
        },
        check: conditional_access_exclusion_large,
    }
}

fn conditional_access_exclusion_large(cx: &Context<'_>) -> Verdict {
    let limit = u64::from(cx.config().conditional_access.max_excluded);
    // A policy that was read and leaves out too many stands, whatever else the list holds.
    if cx.conditional_access_policies().is_err() {
        all_policies(cx)?;
    }
    cx.whole(Resource::RoleAssignments)?;
    let analyzer = cx.analyzer();
    let mut people: BTreeMap<PeopleClass, u64> = BTreeMap::new();
    let judged = cx
        .users()?
        .iter()
        .filter(|user| !cx.apart().contains(&user.id()));
    for class in judged.filter_map(|user| analyzer.class_of(user)) {
        *people.entry(class).or_default() += 1;
    }
    let mut tally = Tally::new();
    for policy in analyzer.enabled_policies().filter(is_wide) {
        let excluded = Excluded::count(analyzer, policy, &people);
        if excluded.surely <= limit && excluded.at_most > limit {
            tally.unknown();
            continue;
        }
        tally.judge(excluded.surely > limit, || {
            let guests = match excluded.guests {
                0 => String::new(),
                guests => format!(", {guests} of them guests"),
            };
            Object::new(
                ObjectType::ConditionalAccessPolicy,
                policy.id(),
                policy.name().clone(),
            )
            .detail(format!(
                "{} enabled users excluded{guests}",
                excluded.surely
            ))
        });
    }
    if tally.judged() == 0
        && let Some(missing) = missing(cx)
    {
        return Err(missing);
    }
    Ok(tally.outcome(
        "no enabled policy includes all users, all guests or all admin roles with block, a second factor or a managed device",
        |failing, all| {
            format!("{failing} of {all} wide policies exclude more than {limit} enabled users")
        },
    ))
}

/// For all users, all guests or all admin roles, with block, a second factor, a strength or a managed device.
fn is_wide(policy: &EnabledPolicy<'_, '_>) -> bool {
    policy.guards()
        && (policy.includes_everyone()
            || policy.includes_all_guests()
            || policy.includes_roles(reference::admin_roles()))
}

/// How many enabled users one policy excludes.
struct Excluded {
    surely: u64,
    at_most: u64,
    guests: u64,
}

impl Excluded {
    fn count(
        analyzer: &Analyzer<'_>,
        policy: EnabledPolicy<'_, '_>,
        people: &BTreeMap<PeopleClass, u64>,
    ) -> Self {
        let mut excluded = Self {
            surely: 0,
            at_most: 0,
            guests: 0,
        };
        for (&class, &count) in people {
            let belongs = policy.excludes(class);
            if belongs == Belongs::No || covered_as_guest(analyzer, class) {
                continue;
            }
            excluded.at_most += count;
            if belongs == Belongs::Yes {
                excluded.surely += count;
                if analyzer.may_be_external(class) {
                    excluded.guests += count;
                }
            }
        }
        excluded
    }
}

/// Guests that a policy of their own covers are not left out: they are somewhere else.
fn covered_as_guest(analyzer: &Analyzer<'_>, class: PeopleClass) -> bool {
    analyzer.may_be_external(class)
        && analyzer.enabled_policies().any(|policy| {
            policy.is_about_guests()
                && policy.guards()
                && policy.is_about_all_resources()
                && policy.applies(class) == Belongs::Yes
        })
}
