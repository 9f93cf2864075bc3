//! Who owns applications from which the tenant can be taken.

use std::collections::{BTreeMap, BTreeSet};

use super::privileged_service_principals::{self as privileged, Privileged};
use crate::rules::prelude::*;
use crate::snapshot::model::DirectoryObject;
use crate::snapshot::reference;
use crate::snapshot::tenant::{Holders, PrincipalKind};

declare_rule! {
    /// Whoever owns an application can add a secret to it and sign in as the application. If the application may grant
    /// permissions or roles, its owner holds the tenant, without any role, approval or second factor of an administrator.
    ///
    /// Owners who could take the tenant anyway add no new way and are left alone. Who answers for an application can be
    /// written down elsewhere; ownership is not a note, it is a right.
    pub(crate) static APPLICATION_TAKEOVER_OWNER = {
        id: "application-takeover-owner",
        title: "An ordinary account owns an application with takeover permissions",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(2, 4, 2),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        licence: Licence::Any,
        reads: &[
            Resource::AppRoleAssignedTo,
            Resource::ServicePrincipals,
            Resource::Applications,
            Resource::ApplicationOwners,
            Resource::ServicePrincipalOwners,
            Resource::RoleDefinitions, Resource::RoleAssignments,
            Resource::GroupTransitiveMembers,
        ],
        may_read: &[Resource::RoleEligibilityScheduleInstances],
        controls: &[Maester("MT.1077"), MitreAttack("T1098.001"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::ServicePrincipalOwners), property: "owners", expected: "none, or only holders of a role from which the tenant can be taken anyway" },
        remediation: Remediation {
            summary: "Nobody but administrators who could take the tenant anyway can add credentials to these applications.",
            notices: "The former owners: they no longer see the application among their own and ask an administrator for changes.",
            check_first: "Audit log, category ApplicationManagement, by the application's name: what the owners changed in the last 90 days, new credentials above all.",
            steps: &[
                "Write down who answers for the application, in a field of the ticket system or in its notes.",
                "Remove the owners in the list, on the application registration and on the enterprise application.",
                "If an owner added a credential that nobody knows, remove it and treat it as an incident.",
                "Take away takeover permissions that the application does not need; then it may have owners again.",
            ],
            portal: "Entra admin center > App registrations > All applications > (application) > Owners; Enterprise apps > (application) > Owners",
            request: "DELETE /v1.0/applications/{id}/owners/{owner-id}/$ref; DELETE /v1.0/servicePrincipals/{id}/owners/{owner-id}/$ref",
            roll_out: "At once, application by application; tell the owner the same day.",
            verify: "Every owner of such an application holds a role from which the tenant can be taken, or there is none.",
            roll_back: "Add the owner again on the same page.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/enterprise-apps/overview-assign-app-owners"],
        },
        check: application_takeover_owner,
    }
}

fn application_takeover_owner(cx: &Context<'_>) -> Verdict {
    let mut powerful: BTreeMap<Guid, BTreeSet<&str>> = BTreeMap::new();
    for grant in cx.grants()? {
        if grant.is_graph_tier(0) {
            let name =
                reference::permission(grant.app_role).map_or("", |permission| permission.name);
            powerful.entry(grant.principal).or_default().insert(name);
        }
    }
    let powerful = powerful.into_iter().map(|(id, names)| {
        let names: Vec<&str> = names.into_iter().collect();
        (id, names.join(", "))
    });
    judge(
        cx,
        powerful,
        0,
        "no application holds a permission that leads to control of the tenant",
        |owned, all| {
            format!(
                "{owned} of {all} applications with a permission that leads to control of the tenant have an owner without such a role"
            )
        },
    )
}

declare_rule! {
    /// An application with an admin role is an administrator, and its owner can become it: one new secret, one sign-in. The
    /// owner needs no role for that, and Privileged Identity Management never hears of it.
    ///
    /// Owners who hold a role from which the tenant can be taken gain nothing by it and are left alone.
    pub(crate) static SERVICE_PRINCIPAL_PRIVILEGED_ROLE_WITH_OWNER = {
        id: "service-principal-privileged-role-with-owner",
        title: "An ordinary account owns a service principal that holds an admin role",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(2, 4, 2),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        licence: Licence::Any,
        reads: &[
            Resource::RoleDefinitions, Resource::RoleAssignments,
            Resource::GroupTransitiveMembers,
            Resource::ServicePrincipals,
            Resource::Applications,
            Resource::ServicePrincipalOwners,
            Resource::ApplicationOwners,
        ],
        may_read: &[Resource::RoleEligibilityScheduleInstances],
        controls: &[Maester("MT.1078"), MitreAttack("T1098.001"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::ServicePrincipalOwners), property: "owners", expected: "none, or only holders of a role from which the tenant can be taken anyway" },
        remediation: Remediation {
            summary: "Nobody but administrators who could take the tenant anyway can add credentials to applications that hold an admin role.",
            notices: "The former owners: they no longer see the application among their own and ask an administrator for changes.",
            check_first: "Audit log, category ApplicationManagement, by the application's name: what the owners changed in the last 90 days, new credentials above all.",
            steps: &[
                "Write down who answers for the application, in a field of the ticket system or in its notes.",
                "Remove the owners in the list, on the service principal and on its application registration.",
                "If an owner added a credential that nobody knows, remove it and treat it as an incident.",
                "Ask whether the application needs the role at all; a single permission is often enough.",
            ],
            portal: "Entra admin center > Enterprise apps > All applications > (application) > Owners; App registrations > (application) > Owners",
            request: "DELETE /v1.0/servicePrincipals/{id}/owners/{owner-id}/$ref; DELETE /v1.0/applications/{id}/owners/{owner-id}/$ref",
            roll_out: "At once, application by application; tell the owner the same day.",
            verify: "Every owner of a service principal with an admin role holds a role from which the tenant can be taken, or there is none.",
            roll_back: "Add the owner again on the same page.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/enterprise-apps/overview-assign-app-owners"],
        },
        check: privileged_role_with_owner,
    }
}

fn privileged_role_with_owner(cx: &Context<'_>) -> Verdict {
    let Privileged {
        admins,
        of_unknown_kind,
    } = match privileged::find(cx)? {
        Ok(found) => found,
        Err(outcome) => return Ok(outcome),
    };
    let powerful = admins
        .into_iter()
        .map(|(id, roles)| (id, privileged::role_names(&roles)));
    judge(
        cx,
        powerful,
        of_unknown_kind,
        "no service principal holds an admin role",
        |owned, all| {
            format!(
                "{owned} of {all} service principals that hold an admin role have an owner who could not take the tenant otherwise"
            )
        },
    )
}

/// Judges the owners of powerful service principals, each given with what makes it powerful.
fn judge(
    cx: &Context<'_>,
    powerful: impl Iterator<Item = (Guid, String)>,
    of_unknown_kind: u64,
    nobody: &str,
    sentence: impl FnOnce(u64, u64) -> String,
) -> Verdict {
    let holders = all_holders(cx)?;
    let mut tally = Tally::new();
    (0..of_unknown_kind).for_each(|_| tally.unknown());
    let mut unread = of_unknown_kind;
    for (id, power) in powerful {
        let owners = owners(cx, holders, id)?;
        if !owners.ordinary.is_empty() {
            tally.fail(cx.service_principal_object(id).detail(format!(
                "owned by {}; holds {power}",
                phrase(&owners.ordinary)
            )));
        } else if owners.unknown {
            unread += 1;
            tally.unknown();
        } else {
            tally.pass();
        }
    }
    // Owners that were not read are not "no owners", not even one in a hundred.
    if unread > 0 && tally.failing() == 0 {
        for list in [
            Resource::ServicePrincipals,
            Resource::ServicePrincipalOwners,
            Resource::ApplicationOwners,
        ] {
            cx.whole(list)?;
        }
        return Err(NotEvaluated::unknown(format!(
            "the owners of {unread} of {} are not known",
            tally.judged() + unread
        )));
    }
    Ok(tally.outcome(nobody, sentence))
}

/// Everybody who holds a role, from lists that were read to their end: an owner fails for not being among them.
fn all_holders<'a>(cx: &Context<'a>) -> Result<&'a Holders, NotEvaluated> {
    let holders = cx.holders()?;
    cx.whole(Resource::RoleAssignments)?;
    cx.whole(Resource::GroupTransitiveMembers)?;
    // Without the licence nobody can be eligible, and the list may be refused.
    if cx.owns(Licence::PIM) != Some(false) {
        cx.whole(Resource::RoleEligibilityScheduleInstances)?;
    }
    Ok(holders)
}

/// Who owns a service principal or the application behind it.
#[derive(Default)]
struct Owners {
    /// Those without a role from which the tenant can be taken, by id.
    ordinary: BTreeMap<Guid, Untrusted>,
    /// A list, or something about an owner, is missing.
    unknown: bool,
}

fn owners(cx: &Context<'_>, holders: &Holders, principal: Guid) -> Result<Owners, NotEvaluated> {
    let mut owners = Owners::default();
    let of_principal = cx.service_principal_owners()?.get(&principal);
    owners.add(of_principal, holders);
    let app_id = cx
        .service_principals()?
        .get(principal)
        .and_then(|principal| principal.app_id);
    match app_id {
        // Applications of other organizations are registered there, and so are their owners.
        Some(app_id) => {
            if let Some(application) = cx.application_id(app_id)? {
                owners.add(cx.application_owners()?.get(&application), holders);
            }
        }
        None => owners.unknown = true,
    }
    Ok(owners)
}

impl Owners {
    fn add(&mut self, list: Option<&Vec<DirectoryObject>>, holders: &Holders) {
        let Some(list) = list else {
            self.unknown = true;
            return;
        };
        for owner in list {
            match owner.id {
                None => self.unknown = true,
                Some(id) if holders.holds_tier_0(id) => {}
                // A group whose members were not read may hold the role for this owner.
                Some(_) if has_tier_0_group_unread(holders) => self.unknown = true,
                Some(id) => drop(self.ordinary.insert(id, name(owner, id))),
            }
        }
    }
}

fn has_tier_0_group_unread(holders: &Holders) -> bool {
    holders.iter().any(|holder| {
        reference::is_tier_0_role(holder.role)
            && matches!(holder.kind, PrincipalKind::Group | PrincipalKind::Unknown)
    })
}

fn name(owner: &DirectoryObject, id: Guid) -> Untrusted {
    [&owner.user_principal_name, &owner.display_name]
        .into_iter()
        .flatten()
        .find(|name| !name.is_blank())
        .cloned()
        .unwrap_or_else(|| id.to_string().into())
}

/// The first few names and how many more there are.
fn phrase(owners: &BTreeMap<Guid, Untrusted>) -> String {
    const SHOWN: usize = 5;
    let names: Vec<&str> = owners.values().take(SHOWN).map(Untrusted::raw).collect();
    let more = owners.len().saturating_sub(SHOWN);
    if more == 0 {
        names.join(", ")
    } else {
        format!("{} and {more} more", names.join(", "))
    }
}
