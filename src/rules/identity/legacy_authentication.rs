//! Sign-in with protocols that cannot carry a second factor.

use super::conditional_access::{
    MAY_REST_ON_POLICIES, Words, asked, list, prove, security_defaults_are_on,
};
use crate::access::{When, Who};
use crate::rules::prelude::*;

declare_rule! {
    /// Old protocols carry a name and a password and nothing else, so a guessed or reused password is enough to read a mailbox.
    ///
    /// Password spraying goes for exactly these doors, because no prompt ever appears and nobody notices the attempts. One account that is
    /// left out, a scanner or an old phone, is enough for the attacker.
    pub(crate) static LEGACY_AUTHENTICATION_ALLOWED = {
        id: "legacy-authentication-allowed",
        title: "Legacy authentication is not blocked for every user",
        area: Area::Identity,
        kind: Kind::Analyzer,
        side: Side::Shared,
        risk: Risk(4, 3, 3),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::Any,
        reads: &[Resource::SecurityDefaults, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON_POLICIES,
        controls: &[Cis7("5.2.2.3"), Cis6("5.2.2.3"), Scuba("MS.AAD.1.1v1"), Maester("MT.1009"), Maester("MT.1010"), Maester("MT.1033"), MitreAttack("T1110.003"), MitreAttack("T1078.004"), NistCsf2("PR.AA-03")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.clientAppTypes", expected: "exchangeActiveSync and other denied for every enabled user on all resources" },
        remediation: Remediation {
            summary: "Every sign-in with Exchange ActiveSync or another legacy protocol is blocked.",
            notices: "Old phones, scanners and scripts that send or fetch mail with a password stop; people with current Outlook notice nothing.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter 'Client app' on all entries under 'Legacy authentication clients', last 30 days, interactive and non-interactive.",
            steps: &[
                "Move the devices and scripts found to OAuth, or to a relay that needs no mailbox password.",
                "Create a policy: all users, all resources, client apps 'Exchange ActiveSync clients' and 'Other clients', grant 'Block access'.",
                "Exclude nobody but accounts with a written reason and an end date; emergency access accounts need no legacy protocol and may stay included.",
                "Without Entra ID P1: turn on security defaults, which block legacy authentication for everybody.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Block legacy authentication\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"exchangeActiveSync\", \"other\"]}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"block\"]}}",
            roll_out: "Report-only for 14 days, then enable; look at the sign-in log again after a week.",
            verify: "Every enabled user is denied on exchangeActiveSync and other.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::BreaksIntegrations, Danger::BreaksDevices],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-block-legacy-authentication"],
        },
        check: legacy_authentication_allowed,
    }
}

fn legacy_authentication_allowed(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled users",
        held: "are denied with legacy clients",
        nobody: "no enabled user account",
    };
    // Being kept out is the only answer: every control keeps out clients that can satisfy none.
    let guarantee = asked(vec![Vec::new()]).who(Who::EveryAccount).when(When {
        client_app_types: list(&["exchangeActiveSync", "other"]),
        ..When::default()
    });
    if let Some(pass) = security_defaults_are_on(
        cx,
        &guarantee,
        &WORDS,
        "security defaults are on and block legacy authentication for everybody",
    )? {
        return Ok(pass);
    }
    prove(cx, &guarantee, &WORDS)
}
