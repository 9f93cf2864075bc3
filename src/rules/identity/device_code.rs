//! Sign-in by a code that is typed in on another device.

use std::collections::BTreeSet;

use super::conditional_access::{MAY_REST_ON, Words, list, managed_device, members, prove};
use crate::access::When;
use crate::rules::prelude::*;

declare_rule! {
    /// In device code flow one device shows a code and another one signs in for it. The attacker starts the flow, sends the code with a good
    /// story, and the victim signs in on the real Microsoft page: the token goes to the attacker, and no passkey helps, because
    /// nothing about the page is wrong.
    ///
    /// Few people need this flow: meeting-room devices and command-line tools on machines without a browser.
    pub(crate) static DEVICE_CODE_FLOW_ALLOWED = {
        id: "device-code-flow-allowed",
        title: "Device code sign-in is open",
        area: Area::Identity,
        kind: Kind::Analyzer,
        risk: Risk(3, 3, 3),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[Cis7("5.2.2.12"), Cis6("5.2.2.12"), Scuba("MS.AAD.3.9v1"), Maester("MT.1052"), MitreAttack("T1528"), MitreAttack("T1566.002"), NistCsf2("PR.AA-03")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.authenticationFlows.transferMethods", expected: "deviceCodeFlow blocked, or a managed device required, for every enabled member" },
        remediation: Remediation {
            summary: "Device code sign-in is blocked for everybody who does not need it.",
            notices: "People who sign in to command-line tools or meeting-room devices by code; everybody else notices nothing.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter 'Authentication protocol' equals 'Device code', last 30 days.",
            steps: &[
                "Put the accounts that need the flow into one group and declare it in m365audit.toml: [device-code] allowed.",
                "Create a policy: all users, all resources, condition 'Authentication flows: Device code flow', grant 'Block access', the group excluded.",
                "Let command-line users sign in with a browser or the account broker instead.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Block device code flow\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeGroups\": [\"{group id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"], \"authenticationFlows\": {\"transferMethods\": \"deviceCodeFlow\"}}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"block\"]}}",
            roll_out: "Report-only for 7 days, then enable.",
            verify: "Every enabled member who is not declared is blocked in device code flow.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::BreaksDevices, Danger::BreaksIntegrations],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-block-authentication-flows"],
        },
        check: device_code_flow_allowed,
    }
}

fn device_code_flow_allowed(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "are blocked in device code flow or held to a managed device",
        nobody: "no enabled member has to do without device code flow",
    };
    let allowed = Allowed::read(cx)?;
    // The flow belongs to modern clients: legacy ones take a name and a password.
    let mut guarantee = members(vec![managed_device()]).when(When {
        client_app_types: list(&["browser", "mobileAppsAndDesktopClients"]),
        authentication_flows: list(&["deviceCodeFlow"]),
        ..When::default()
    });
    guarantee.except_users = allowed.accounts.into_iter().collect();
    let outcome = prove(cx, &guarantee, &WORDS)?;
    match allowed.unknown {
        // Whoever is still open may be allowed.
        Some(group) if outcome.affected.count() > 0 => Err(NotEvaluated::unknown(format!(
            "the members of {group}, which may use device code flow, were not read"
        ))),
        _ => Ok(outcome),
    }
}

/// Accounts that may use the flow, by `[device-code] allowed`.
struct Allowed {
    accounts: BTreeSet<Guid>,
    /// A declared id that is no account and whose members, if it is a group, are not known.
    unknown: Option<Guid>,
}

impl Allowed {
    fn read(cx: &Context<'_>) -> Result<Self, NotEvaluated> {
        let declared = &cx.config().device_code.allowed;
        let mut allowed = Self {
            accounts: BTreeSet::new(),
            unknown: None,
        };
        if declared.is_empty() {
            return Ok(allowed);
        }
        let users = cx.users()?;
        cx.whole(Resource::GroupTransitiveMembers)?;
        let groups = cx.group_members()?;
        for name in declared {
            let id = name.parse::<Guid>().ok();
            if let Some(user) = users.find(name) {
                allowed.accounts.insert(user.id());
            } else if let Some(members) = id.and_then(|id| groups.get(&id)) {
                allowed.accounts.extend(members.iter().copied());
            } else {
                allowed.unknown = allowed.unknown.or(id);
            }
        }
        Ok(allowed)
    }
}
