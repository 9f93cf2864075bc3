//! Application permissions that reach too far.

use std::collections::{BTreeMap, BTreeSet};

use crate::rules::prelude::*;
use crate::snapshot::model::ServicePrincipal;
use crate::snapshot::reference::{
    self, EXCHANGE_FULL_ACCESS_AS_APP, EXCHANGE_MANAGE_AS_APP, EXCHANGE_ONLINE, SHAREPOINT_ONLINE,
    SHAREPOINT_SITES_FULL_CONTROL,
};
use crate::snapshot::tenant::Grant;

declare_rule! {
    /// With an application permission a program acts for itself: no user, no second factor, day and night. The permission to
    /// read mail or files then means everybody's mail or files, and one leaked secret takes all of it at once.
    ///
    /// Exchange can narrow such permissions to some mailboxes (role-based access control for applications, application access
    /// policies). Graph does not show this: an application that is narrowed there stands in the list all the same, and is
    /// accepted after checking.
    pub(crate) static APPLICATION_BULK_DATA_PERMISSION = {
        id: "application-bulk-data-permission",
        title: "Applications can read or change everybody’s mail, files or chats",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(2, 3, 3),
        effort: Effort::M.always(),
        disruption: Disruption::Users,
        licence: Licence::Any,
        reads: &[Resource::AppRoleAssignedTo, Resource::ServicePrincipals],
        may_read: &[Resource::Organization],
        controls: &[MitreAttack("T1114.002"), MitreAttack("T1213.002"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::AppRoleAssignedTo), property: "appRoleId", expected: "no permission for the content of all users, outside Microsoft's own applications" },
        remediation: Remediation {
            summary: "Each application reaches only the mailboxes and sites that it works with, and applications that nobody needs are gone.",
            notices: "Users of the application if it was narrowed too far: backup, archiving, signature and ticket software are typical.",
            check_first: "For each application: who runs it, what it does, when it last signed in (Entra admin center > Monitoring & health > Sign-in logs > Service principal sign-ins). In Exchange Online PowerShell: Get-ManagementRoleAssignment -RoleAssigneeType ServicePrincipal and Get-ApplicationAccessPolicy show whether it is narrowed already.",
            steps: &[
                "Revoke the permissions of applications that have not signed in for 90 days or that nobody answers for.",
                "Mail: give the application a role with a scope in Exchange (role-based access control for applications) and take the Graph permission away; the two add up, so the scope counts only then.",
                "Files: replace Sites.* and Files.* permissions by Sites.Selected and grant the sites one by one.",
                "Replace Exchange Web Services' full_access_as_app by Graph permissions; give Exchange.ManageAsApp the smallest Exchange role.",
                "Where an application must reach everything, use a certificate or a managed identity, no secret, and accept the finding until a date.",
            ],
            portal: "Entra admin center > Enterprise apps > All applications > (application) > Permissions",
            request: "DELETE /v1.0/servicePrincipals/{resource-id}/appRoleAssignedTo/{id}",
            roll_out: "One application at a time, with its vendor's word on the least it needs; soak 7 days before the next.",
            verify: "No application other than Microsoft's own holds such a permission, or each that does is accepted.",
            roll_back: "Grant admin consent for the application again on the same page.",
            dangers: &[Danger::BreaksIntegrations],
            learn: &[
                "https://learn.microsoft.com/exchange/permissions-exo/application-rbac",
                "https://learn.microsoft.com/graph/permissions-selected-overview",
            ],
        },
        check: application_bulk_data_permission,
    }
}

fn application_bulk_data_permission(cx: &Context<'_>) -> Verdict {
    let bulk = |grant: &Grant| match (grant.resource_app, grant.app_role) {
        (EXCHANGE_ONLINE, EXCHANGE_FULL_ACCESS_AS_APP) => Some("Exchange full_access_as_app"),
        (EXCHANGE_ONLINE, EXCHANGE_MANAGE_AS_APP) => Some("Exchange.ManageAsApp"),
        (SHAREPOINT_ONLINE, SHAREPOINT_SITES_FULL_CONTROL) => {
            Some("SharePoint Sites.FullControl.All")
        }
        _ => graph_permission(grant, 1),
    };
    judge(cx, bulk, |with, all| {
        format!(
            "{with} of {all} applications that are not Microsoft's can reach the content of all users; scopes set in Exchange are not visible"
        )
    })
}

declare_rule! {
    /// Some permissions let an application give itself more: assign roles, grant permissions, add secrets to other
    /// applications, reset passwords and sign-in methods, switch off the policies that protect all of it. One secret of such an
    /// application is worth as much as a Global Administrator, and no sign-in policy for people applies to it.
    ///
    /// A few applications need such a permission. They deserve the care of an administrator's account: known, narrowed,
    /// without secrets, and accepted one by one until a date.
    pub(crate) static APPLICATION_TENANT_TAKEOVER_PERMISSION = {
        id: "application-tenant-takeover-permission",
        title: "Applications hold permissions that lead to control of the tenant",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(2, 4, 2),
        effort: Effort::M.always(),
        disruption: Disruption::Users,
        licence: Licence::Any,
        reads: &[Resource::AppRoleAssignedTo, Resource::ServicePrincipals],
        may_read: &[Resource::Organization],
        controls: &[Maester("MT.1050"), Maester("MT.1051"), MitreAttack("T1098.003"), MitreAttack("T1528"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::AppRoleAssignedTo), property: "appRoleId", expected: "no permission that leads to control of the tenant, outside Microsoft's own applications" },
        remediation: Remediation {
            summary: "Only applications that are known and need it hold a permission from which the tenant can be taken.",
            notices: "Users of an application that loses a permission it needed: provisioning and identity management software are typical.",
            check_first: "For each application: who runs it, what it does with the permission (Microsoft Graph activity logs show the requests, where they are kept), when it last signed in (Entra admin center > Monitoring & health > Sign-in logs > Service principal sign-ins). Begin with those of other organizations and those without a verified publisher.",
            steps: &[
                "Revoke what has not been used for 90 days, and everything of applications that nobody knows.",
                "Ask the vendor for the least permissions and replace wide ones: Directory.ReadWrite.All by the single ones that are needed, Application.ReadWrite.All by Application.ReadWrite.OwnedBy, RoleManagement.ReadWrite.Directory by a role with a scope.",
                "For those that stay: certificate or managed identity instead of a secret, no owners, a person who answers for them, an alert on new credentials.",
                "Accept each of them by id with an end date.",
            ],
            portal: "Entra admin center > Enterprise apps > All applications > (application) > Permissions",
            request: "DELETE /v1.0/servicePrincipals/{resource-id}/appRoleAssignedTo/{id}",
            roll_out: "One application at a time, unused ones first; soak 7 days before the next.",
            verify: "No application other than Microsoft's own holds such a permission, or each that does is accepted.",
            roll_back: "Grant admin consent for the application again on the same page.",
            dangers: &[Danger::BreaksIntegrations],
            learn: &[
                "https://learn.microsoft.com/entra/identity/enterprise-apps/manage-application-permissions",
                "https://learn.microsoft.com/graph/permissions-reference",
            ],
        },
        check: application_tenant_takeover_permission,
    }
}

fn application_tenant_takeover_permission(cx: &Context<'_>) -> Verdict {
    judge(
        cx,
        |grant| graph_permission(grant, 0),
        |with, all| {
            format!(
                "{with} of {all} applications that are not Microsoft's hold a permission that leads to control of the tenant"
            )
        },
    )
}

fn graph_permission(grant: &Grant, tier: u8) -> Option<&'static str> {
    grant
        .is_graph_tier(tier)
        .then(|| reference::permission(grant.app_role))?
        .map(|permission| permission.name)
}

/// Judges every service principal that is not Microsoft's by the permissions that `strong` names.
fn judge(
    cx: &Context<'_>,
    strong: impl Fn(&Grant) -> Option<&'static str>,
    sentence: impl FnOnce(u64, u64) -> String,
) -> Verdict {
    let mut held: BTreeMap<Guid, BTreeSet<&'static str>> = BTreeMap::new();
    for grant in cx.grants()? {
        if let Some(name) = strong(&grant) {
            held.entry(grant.principal).or_default().insert(name);
        }
    }
    let principals = cx.service_principals()?;
    let home = home(cx);
    let mut tally = Tally::new();
    for principal in principals.iter().filter(|one| !one.is_microsoft_owned()) {
        match principal.id.and_then(|id| Some((id, held.get(&id)?))) {
            Some((id, names)) => {
                tally.fail_service_principal(cx, id, || detail(principal, names, home));
            }
            None => tally.pass(),
        }
    }
    // Whoever holds a permission and is in no list may be Microsoft's.
    let strangers = held
        .keys()
        .filter(|&&id| principals.get(id).is_none())
        .count();
    (0..strangers).for_each(|_| tally.unknown());
    if tally.judged() == 0 && strangers == 0 {
        return Ok(Outcome::pass(
            "there is no application that is not Microsoft's",
        ));
    }
    Ok(tally.outcome("there is no application", sentence))
}

/// The tenant's own id, where it is known: it only says in the detail where an application comes from.
fn home(cx: &Context<'_>) -> Option<Guid> {
    cx.whole(Resource::Organization).ok()?;
    cx.organization().ok()?.id
}

fn detail(
    principal: &ServicePrincipal,
    names: &BTreeSet<&'static str>,
    home: Option<Guid>,
) -> String {
    let mut detail = names.iter().copied().collect::<Vec<_>>().join(", ");
    let foreign = principal
        .app_owner_organization_id
        .zip(home)
        .is_some_and(|(owner, home)| owner != home);
    if foreign {
        detail.push_str("; from another organization");
        if !principal.has_verified_publisher() {
            detail.push_str(", publisher not verified");
        }
    }
    if principal.account_enabled == Some(false) {
        detail.push_str("; sign-in is disabled");
    }
    detail
}
