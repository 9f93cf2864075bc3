//! Who gets into Azure management and the admin portals, and with what.

use super::conditional_access::{
    MAY_REST_ON_POLICIES, Words, asked, prove, resources, security_defaults_are_on,
};
use super::mfa::ADMINS_MAY_REST_ON;
use crate::access::{Atom, Who};
use crate::rules::prelude::*;
use crate::snapshot::tenant::PrincipalKind;

declare_rule! {
    /// The portals, and the interfaces behind them, give an intruder every setting at once; what cannot be changed can be looked at.
    ///
    /// Microsoft asks for a second factor on its own portals by now. The tenant's policies still decide for clients that speak to
    /// the interfaces directly.
    pub(crate) static AZURE_MANAGEMENT_WITHOUT_MFA = {
        id: "azure-management-without-mfa",
        title: "Azure management or admin portals can be opened without a second factor",
        area: Area::Identity,
        tier: Tier::Standard,
        kind: Kind::Analyzer,
        side: Side::Shared,
        risk: Risk(4, 3, 2),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::Any,
        reads: &[Resource::SecurityDefaults, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON_POLICIES,
        controls: &[Maester("MT.1008"), MitreAttack("T1078.004"), MitreAttack("T1651"), NistCsf2("PR.AA-03")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.applications.includeApplications", expected: "mfa or block for every enabled user on Windows Azure Service Management API and MicrosoftAdminPortals" },
        remediation: Remediation {
            summary: "Whoever opens Azure management or an admin portal is asked for a second factor.",
            notices: "Administrators, developers with Azure subscriptions, and scripts that sign in to Azure with a password.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter resource 'Windows Azure Service Management API' and 'Authentication requirement: Single-factor authentication', last 30 days.",
            steps: &[
                "Move scripts that sign in to Azure as a user to managed identities or workload identities.",
                "Create a policy: all users, resources 'Windows Azure Service Management API' and 'Microsoft Admin Portals', no other condition, grant 'Require multifactor authentication'.",
                "Without Entra ID P1: turn on security defaults.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"MFA for Azure management\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"797f4846-ba00-4fd7-ba43-dac1f8f63013\", \"MicrosoftAdminPortals\"]}, \"clientAppTypes\": [\"all\"]}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"mfa\"]}}",
            roll_out: "Report-only for 14 days, then enable.",
            verify: "Every enabled user is asked on both resources.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::BreaksIntegrations, Danger::CanLockOut],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-old-require-mfa-azure-mgmt"],
        },
        check: azure_management_without_mfa,
    }
}
declare_rule! {
    /// People without a role have no business in the admin portals. A stolen ordinary account uses them to look around: who is who,
    /// which devices, which policies.
    ///
    /// Whoever holds any directory role keeps the way in.
    pub(crate) static ADMIN_PORTALS_OPEN_TO_NON_ADMINS = {
        id: "admin-portals-open-to-non-admins",
        title: "Admin portals are open to people without an admin role",
        area: Area::Identity,
        tier: Tier::Extended,
        kind: Kind::Analyzer,
        risk: Risk(2, 1, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Users,
        after: &["emergency-access-account-missing"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments, Resource::GroupTransitiveMembers],
        may_read: ADMINS_MAY_REST_ON,
        controls: &[NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.applications.includeApplications", expected: "MicrosoftAdminPortals blocked for every enabled user without a directory role" },
        remediation: Remediation {
            summary: "Only people with a directory role get into the admin portals.",
            notices: "Curious people, and helpers who used a portal without a role.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter resource 'Microsoft Admin Portals', last 30 days: who without a role is there.",
            steps: &[
                "Create a policy: all users, directory roles excluded, resource 'Microsoft Admin Portals', grant 'Block access'.",
                "Exclude holders of roles that are limited to an administrative unit by name or group: policies on roles do not see them.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Portals for admins only\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeRoles\": [\"{role template id}\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"MicrosoftAdminPortals\"]}, \"clientAppTypes\": [\"all\"]}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"block\"]}}",
            roll_out: "Report-only for 14 days, then enable.",
            verify: "Every enabled user without a role is blocked.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::CanLockOut],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-cloud-apps"],
        },
        check: admin_portals_open_to_non_admins,
    }
}
/// Windows Azure Service Management API, which stands for Azure Resource Manager and the Azure portal too.
const AZURE_MANAGEMENT: &str = "797f4846-ba00-4fd7-ba43-dac1f8f63013";
const ADMIN_PORTALS: &str = "MicrosoftAdminPortals";

fn azure_management_without_mfa(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled users",
        held: "are asked for a second factor in Azure management and the admin portals",
        nobody: "no enabled user account",
    };
    let guarantee = asked(vec![vec![Atom::Mfa]])
        .who(Who::EveryAccount)
        .target(resources(&[AZURE_MANAGEMENT, ADMIN_PORTALS]));
    if let Some(outcome) = security_defaults_are_on(
        cx,
        &guarantee,
        &WORDS,
        "security defaults are on and ask for a second factor in Azure management and of administrators",
    )? {
        return Ok(outcome);
    }
    prove(cx, &guarantee, &WORDS)
}

fn admin_portals_open_to_non_admins(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled users without a role",
        held: "are kept out of the admin portals",
        nobody: "every enabled user holds a directory role",
    };
    let holders = cx.holders()?;
    cx.whole(Resource::GroupTransitiveMembers)?;
    let mut guarantee = asked(vec![Vec::new()])
        .who(Who::EveryAccount)
        .target(resources(&[ADMIN_PORTALS]));
    guarantee.except_users = holders.iter().map(|holder| holder.principal).collect();
    guarantee.except_users.sort_unstable();
    guarantee.except_users.dedup();
    let outcome = prove(cx, &guarantee, &WORDS)?;
    let unknown_group = holders
        .iter()
        .find(|holder| holder.kind == PrincipalKind::Group);
    match unknown_group {
        // Whoever is open may hold the role through it.
        Some(holder) if outcome.affected.count() > 0 => Err(NotEvaluated::unknown(format!(
            "the members of group {}, which holds a role, were not read",
            holder.principal
        ))),
        _ => Ok(outcome),
    }
}
