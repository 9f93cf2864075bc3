//! Who is left out of the policies that are meant for everybody.

use std::collections::{BTreeMap, HashMap};

use super::conditional_access::{Policies, read_policies};
use crate::access::{Belongs, Shape, Subject};
use crate::rules::prelude::*;
use crate::snapshot::GuidHasher;
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
        may_read: &[Resource::ConditionalAccessPolicies, Resource::GroupTransitiveMembers, Resource::AuthenticationStrengthPolicies, Resource::RoleEligibilityScheduleInstances],
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
    let listed = match cx.conditional_access_policies() {
        // A policy that was read and leaves out too many stands, whatever else the list holds.
        Ok(listed) => listed,
        Err(_) => super::conditional_access::all_policies(cx)?,
    };
    let policies = read_policies(cx, listed, &[])?;
    let mut counted: HashMap<Subject, u64, GuidHasher> = HashMap::default();
    for user in cx.users()?.iter().filter(|user| {
        user.is_enabled() && !cx.is_emergency(user.id()) && !cx.is_sync_account(user.id())
    }) {
        *counted.entry(policies.shapes.subject(user)).or_default() += 1;
    }
    let people: BTreeMap<Subject, u64> = counted.into_iter().collect();
    let mut tally = Tally::new();
    for shape in policies.shapes.enabled().filter(|shape| is_wide(shape)) {
        let excluded = Excluded::count(&policies, shape, &people);
        if excluded.surely <= limit && excluded.at_most > limit {
            tally.unknown();
            continue;
        }
        tally.judge(excluded.surely > limit, || {
            let id = shape.policy().id.as_ref().map_or("", Untrusted::raw);
            let guests = match excluded.guests {
                0 => String::new(),
                guests => format!(", {guests} of them guests"),
            };
            Object::new(ObjectType::ConditionalAccessPolicy, id, shape.name()).detail(format!(
                "{} enabled users excluded{guests}",
                excluded.surely
            ))
        });
    }
    if tally.judged() == 0
        && let Some(missing) = policies.missing
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
fn is_wide(shape: &Shape<'_>) -> bool {
    shape.guards()
        && (shape.includes_everyone()
            || shape.includes_all_guests()
            || shape.includes_roles(reference::admin_roles()))
}

/// How many enabled users one policy excludes.
struct Excluded {
    surely: u64,
    at_most: u64,
    guests: u64,
}

impl Excluded {
    fn count(policies: &Policies<'_>, shape: &Shape<'_>, people: &BTreeMap<Subject, u64>) -> Self {
        let mut excluded = Self {
            surely: 0,
            at_most: 0,
            guests: 0,
        };
        for (&subject, &count) in people {
            let belongs = policies.shapes.excludes(shape, subject);
            if belongs == Belongs::No || covered_as_guest(policies, subject) {
                continue;
            }
            excluded.at_most += count;
            if belongs == Belongs::Yes {
                excluded.surely += count;
                if subject.may_be_external() {
                    excluded.guests += count;
                }
            }
        }
        excluded
    }
}

/// Guests that a policy of their own covers are not left out: they are somewhere else.
fn covered_as_guest(policies: &Policies<'_>, subject: Subject) -> bool {
    subject.may_be_external()
        && policies.shapes.enabled().any(|shape| {
            shape.is_about_guests()
                && shape.guards()
                && shape.is_about_all_resources()
                && policies.shapes.applies(shape, subject) == Belongs::Yes
        })
}
