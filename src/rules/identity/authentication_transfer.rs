//! Carrying a session from one device to another.

use super::conditional_access::{MAY_REST_ON, Words, list, members, prove};
use crate::access::When;
use crate::rules::prelude::*;

declare_rule! {
    /// Authentication transfer carries a session from a computer to a phone by a code on the screen. The phone need not be managed,
    /// and whoever gets somebody to scan a code gets the session.
    ///
    /// Few people ever use it on purpose.
    pub(crate) static AUTHENTICATION_TRANSFER_ALLOWED = {
        id: "authentication-transfer-allowed",
        title: "Authentication transfer is open",
        area: Area::Identity,
        tier: Tier::Standard,
        kind: Kind::Analyzer,
        risk: Risk(3, 3, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[Cis7("5.2.2.17"), MitreAttack("T1539"), NistCsf2("PR.AA-03")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.authenticationFlows.transferMethods", expected: "authenticationTransfer blocked for every enabled member" },
        remediation: Remediation {
            summary: "Sessions cannot be carried to another device.",
            notices: "People who move Outlook to a phone by scanning a code: they sign in there instead.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter 'Transfer method: Authentication transfer', last 30 days.",
            steps: &[
                "Create a policy: all users, all resources, condition 'Authentication flows: Authentication transfer', grant 'Block access'; or add it to the policy that blocks device code flow.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Block authentication transfer\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"], \"authenticationFlows\": {\"transferMethods\": \"authenticationTransfer\"}}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"block\"]}}",
            roll_out: "Report-only for 7 days, then enable.",
            verify: "Every enabled member is blocked in authentication transfer.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-block-authentication-flows"],
        },
        check: authentication_transfer_allowed,
    }
}
fn authentication_transfer_allowed(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "are blocked in authentication transfer",
        nobody: "no enabled member",
    };
    let guarantee = members(vec![Vec::new()]).when(When {
        client_app_types: list(&["browser", "mobileAppsAndDesktopClients"]),
        authentication_flows: list(&["authenticationTransfer"]),
        ..When::default()
    });
    prove(cx, &guarantee, &WORDS)
}
