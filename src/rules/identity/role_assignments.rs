//! How many hold the highest role, and for how long admin roles are held.

use std::collections::{BTreeMap, BTreeSet};

use super::admins::role_name;
use crate::rules::prelude::*;
use crate::snapshot::model::{AssignmentType, UnifiedRoleAssignmentScheduleInstance};
use crate::snapshot::reference::{self, GLOBAL_ADMINISTRATOR};
use crate::snapshot::tenant::{Held, Holder, PrincipalKind};

declare_rule! {
    /// Every Global Administrator is one more person whose mailbox, laptop and good faith the whole tenant depends on.
    ///
    /// Hardly any task needs the role: there is a narrower one for users, for Exchange, for devices, for licences. A short list is
    /// one that somebody can know by heart, and on which a new name is noticed.
    pub(crate) static GLOBAL_ADMINISTRATORS_TOO_MANY = {
        id: "global-administrators-too-many",
        title: "There are too many Global Administrators",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(2, 4, 2),
        effort: Effort::M.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::Any,
        reads: &[Resource::RoleDefinitions, Resource::RoleAssignments, Resource::GroupTransitiveMembers, Resource::Users],
        may_read: &[Resource::RoleEligibilityScheduleInstances],
        controls: &[Cis7("1.1.3"), Cis6("1.1.3"), Scuba("MS.AAD.7.1v1"), Maester("MT.1032"), MitreAttack("T1078.004"), MitreAttack("T1098.003"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::RoleAssignments), property: "roleDefinitionId 62e90394-69f5-4237-9190-012177145e10 at \"/\"", expected: "at most 4 enabled users, or roles.max-global-administrators" },
        remediation: Remediation {
            summary: "The role is held by as few people as can answer for the tenant; everybody else has a narrower role.",
            notices: "The administrators who lose the role: pages that they never used, and some that they did, ask for another role.",
            check_first: "For each holder, list what was done with the role in the last 90 days: audit log, filter by initiator.",
            steps: &[
                "Decide who keeps the role: the emergency access accounts and one or two persons.",
                "Find the narrower role for what each of the others does, and assign it first.",
                "Remove Global Administrator from them; where it comes through a group, remove them from the group.",
                "Make the role eligible instead of active for those who keep it, where Privileged Identity Management is owned.",
            ],
            portal: "Entra admin center > Entra ID > Roles & admins > Global Administrator > Assignments",
            request: "DELETE /v1.0/roleManagement/directory/roleAssignments/{id}",
            roll_out: "Give the narrower role, wait a week, then take the wide one; one person at a time, never the emergency access accounts.",
            verify: "The number of enabled Global Administrators, active and eligible, is within the limit.",
            roll_back: "Assign the role at \"/\" to the same person again.",
            dangers: &[Danger::CanLockOut],
            learn: &["https://learn.microsoft.com/entra/identity/role-based-access-control/best-practices"],
        },
        check: global_administrators_too_many,
    }
}

fn global_administrators_too_many(cx: &Context<'_>) -> Verdict {
    let limit = u64::from(cx.config().roles.max_global_administrators);
    let (holders, users) = (cx.holders()?, cx.users()?);
    let mut by_user: BTreeMap<Guid, Vec<&Holder>> = BTreeMap::new();
    let mut unread_groups = 0;
    for holder in holders
        .iter()
        .filter(|holder| holder.role == GLOBAL_ADMINISTRATOR && holder.is_tenant_wide())
    {
        match holder.kind {
            PrincipalKind::User => by_user.entry(holder.principal).or_default().push(holder),
            PrincipalKind::Group => unread_groups += 1,
            PrincipalKind::ServicePrincipal | PrincipalKind::Unknown => {}
        }
    }
    let (mut enabled, mut unknown) = (0, 0);
    let mut affected = Affected::default();
    for (id, held) in by_user {
        match users.get(id).map(|user| (user, user.account_enabled())) {
            Some((user, Some(true))) => {
                enabled += 1;
                affected.add(cx.user_object(user).detail(how_held(&held)));
            }
            Some((_, Some(false))) => {}
            Some((_, None)) | None => unknown += 1,
        }
    }
    let sentence = format!("{enabled} enabled users are Global Administrator, {limit} may be");
    if enabled > limit {
        return Ok(Outcome::fail(sentence)
            .actual(enabled.to_string())
            .affecting(affected, enabled));
    }
    if unread_groups > 0 || enabled + unknown > limit {
        return Err(NotEvaluated::unknown(format!(
            "{sentence}; {unknown} more users and {unread_groups} groups with the role could not be judged"
        )));
    }
    Ok(Outcome::pass(sentence)
        .actual(enabled.to_string())
        .affecting(Affected::default(), enabled))
}

/// `active`, `eligible, through a group`.
fn how_held(held: &[&Holder]) -> String {
    let ways: BTreeSet<(Held, bool)> = held
        .iter()
        .map(|holder| (holder.held, holder.through.is_some()))
        .collect();
    ways.into_iter()
        .map(|(held, through_group)| match (held, through_group) {
            (Held::Active, false) => "active",
            (Held::Active, true) => "active through a group",
            (Held::Eligible, false) => "eligible",
            (Held::Eligible, true) => "eligible through a group",
        })
        .collect::<Vec<_>>()
        .join(", ")
}

declare_rule! {
    /// A role that is always on is there for whoever takes over the session, at three in the morning too.
    ///
    /// Privileged Identity Management lets an administrator hold a role for the hours of the work, with a second factor and a reason
    /// each time. The licence is owned; roles that are assigned for good do without it.
    pub(crate) static PRIVILEGED_ROLE_PERMANENTLY_ACTIVE = {
        id: "privileged-role-permanently-active",
        title: "Admin roles are held permanently",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(2, 4, 2),
        effort: Effort::M.always(),
        disruption: Disruption::Admins,
        after: &["global-administrators-too-many", "phishing-resistant-mfa-not-enforced-for-admins"],
        licence: Licence::PIM,
        reads: &[Resource::RoleDefinitions, Resource::RoleAssignmentScheduleInstances, Resource::GroupTransitiveMembers, Resource::Users],
        controls: &[Cis7("5.3.1"), Cis6("5.3.1"), Scuba("MS.AAD.7.4v1"), MitreAttack("T1098.003"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::RoleAssignmentScheduleInstances), property: "assignmentType, endDateTime", expected: "Activated, or Assigned with an end" },
        remediation: Remediation {
            summary: "Admin roles are eligible and activated when needed; only emergency access accounts hold one for good.",
            notices: "Administrators, who activate a role before they work and again after some hours.",
            check_first: "List which scripts and service accounts sign in with these accounts: nobody activates a role for them at night.",
            steps: &[
                "Set for each admin role how long an activation lasts, and that it asks for multifactor authentication and a reason.",
                "Ask for approval of Global Administrator and Privileged Role Administrator, with two approvers.",
                "Add an eligible assignment for each holder and let the holder activate it once.",
                "Remove the permanent active assignment.",
                "Move scripts to a managed identity or an application with a narrow role.",
            ],
            portal: "Entra admin center > ID Governance > Privileged Identity Management > Microsoft Entra roles > Assignments",
            request: "POST /v1.0/roleManagement/directory/roleEligibilityScheduleRequests {\"action\": \"adminAssign\", \"principalId\": \"{principal}\", \"roleDefinitionId\": \"{role}\", \"directoryScopeId\": \"/\", \"justification\": \"eligible instead of permanent\", \"scheduleInfo\": {\"expiration\": {\"type\": \"noExpiration\"}}}",
            roll_out: "The rarely used roles first, Global Administrator last; a week between two roles.",
            verify: "No user and no group besides emergency access accounts has an assignment of type Assigned without an end.",
            roll_back: "Add the active assignment again, with an end of one month.",
            dangers: &[Danger::CanLockOut, Danger::BreaksIntegrations],
            learn: &["https://learn.microsoft.com/entra/id-governance/privileged-identity-management/pim-configure"],
        },
        check: privileged_role_permanently_active,
    }
}

fn privileged_role_permanently_active(cx: &Context<'_>) -> Verdict {
    let rows = cx.role_assignment_schedules()?;
    let through_groups = through_groups(cx, rows)?;
    cx.emergency_accounts_known()?;
    let mut tally = Tally::new();
    let mut emergency = 0;
    for row in rows {
        let (Some(principal), Some(role)) = (row.principal_id, row.role_definition_id) else {
            tally.unknown();
            continue;
        };
        if !cx.is_admin_role(role)?
            || is_member_row(row) && through_groups.contains(&(principal, role, scope(row)))
        {
            continue;
        }
        if cx.is_emergency(principal) {
            emergency += 1;
            tally.pass();
            continue;
        }
        let kind = cx.principal_kind(principal, row.principal.as_ref());
        match (kind, &row.assignment_type) {
            (PrincipalKind::ServicePrincipal, _) => {}
            (PrincipalKind::Unknown, _) | (_, None) => tally.unknown(),
            (PrincipalKind::User | PrincipalKind::Group, Some(assignment)) => {
                let permanent =
                    *assignment == AssignmentType::Assigned && row.end_date_time.is_none();
                tally.judge(permanent, || {
                    assignment_object(cx, row, kind, principal, role)
                });
            }
        }
    }
    Ok(tally.outcome(
        "no user and no group holds an admin role",
        |permanent, all| {
            let of = format!("{permanent} of {all} active admin role assignments are permanent");
            match emergency {
                0 => of,
                emergency => format!("{of}; {emergency} of emergency access accounts may be"),
            }
        },
    ))
}

/// Graph lists every member of a group that holds a role beside the group itself.
fn is_member_row(row: &UnifiedRoleAssignmentScheduleInstance) -> bool {
    row.member_type
        .as_ref()
        .is_some_and(|kind| kind.is("Group"))
}

fn scope(row: &UnifiedRoleAssignmentScheduleInstance) -> Option<&str> {
    row.directory_scope_id.as_ref().map(Untrusted::raw)
}

/// Principal, role and scope.
type Assigned<'a> = (Guid, Guid, Option<&'a str>);

/// What members hold through a group that has a row of its own: the group is counted, its members are not.
fn through_groups<'a>(
    cx: &Context<'a>,
    rows: &'a [UnifiedRoleAssignmentScheduleInstance],
) -> Result<BTreeSet<Assigned<'a>>, NotEvaluated> {
    let members = cx.group_members()?;
    let groups = rows.iter().filter(|row| !is_member_row(row));
    Ok(groups
        .filter_map(|row| {
            Some((
                members.get(&row.principal_id?)?,
                row.role_definition_id?,
                row,
            ))
        })
        .flat_map(|(members, role, row)| {
            members
                .iter()
                .map(move |&member| (member, role, scope(row)))
        })
        .collect())
}

fn assignment_object(
    cx: &Context<'_>,
    row: &UnifiedRoleAssignmentScheduleInstance,
    kind: PrincipalKind,
    principal: Guid,
    role: Guid,
) -> Object {
    let holder = if kind == PrincipalKind::Group {
        let name = row
            .principal
            .as_ref()
            .and_then(|group| group.display_name.as_ref());
        name.map_or_else(
            || format!("group {principal}"),
            |name| format!("group {}", name.raw()),
        )
    } else {
        cx.user_id_object(principal).name.raw().to_owned()
    };
    let id = row.id.as_ref().map_or_else(
        || format!("{principal}/{role}/{}", scope(row).unwrap_or_default()),
        |id| id.raw().to_owned(),
    );
    let name = format!("{}: {holder}", role_name(role));
    let mut object = Object::new(ObjectType::RoleAssignment, id, name).detail("active without end");
    object.tier_0 = reference::is_tier_0_role(role);
    object
}
