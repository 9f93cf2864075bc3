//! The strict reading of risk: who is risky stays outside.

use super::conditional_access::{MAY_REST_ON, Words, list, members, prove, resources};
use crate::access::{Guarantee, When};
use crate::config::BlockedRisk;
use crate::rules::prelude::*;

declare_rule! {
    /// A sign-in at high risk is almost surely hostile. A prompt for a second factor gives it one more chance to fool somebody.
    ///
    /// This is the strict reading; the plain one asks for a fresh second factor.
    pub(crate) static RISKY_SIGN_IN_NOT_BLOCKED = {
        id: "risky-sign-in-not-blocked",
        title: "High-risk sign-ins are let in after a second factor",
        area: Area::Identity,
        tier: Tier::Extended,
        kind: Kind::Analyzer,
        risk: Risk(3, 3, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Users,
        after: &["risky-sign-in-not-challenged"],
        licence: Licence::ENTRA_P2,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[Cis7("5.2.2.8"), Cis6("5.2.2.8"), Scuba("MS.AAD.2.3v1"), MitreAttack("T1078.004"), NistCsf2("DE.CM-03")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.signInRiskLevels", expected: "the levels of risk.block-sign-in with block for every enabled member" },
        remediation: Remediation {
            summary: "Sign-ins at high risk are blocked.",
            notices: "A few people a month, mostly travellers: they call the help desk.",
            check_first: "Entra admin center > Protection > Identity Protection > Risky sign-ins, risk level high, last 30 days: who would have been blocked.",
            steps: &[
                "Tell the help desk how to check a caller and dismiss a risk.",
                "Create a policy: all users, all resources, condition 'Sign-in risk: high', grant 'Block access'.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Block high-risk sign-ins\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"], \"signInRiskLevels\": [\"high\"]}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"block\"]}}",
            roll_out: "Report-only for 14 days, then enable.",
            verify: "Every enabled member is blocked at the levels of risk.block-sign-in.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-risk-based-sign-in"],
        },
        check: risky_sign_in_not_blocked,
    }
}
declare_rule! {
    /// An account that Microsoft rates compromised is shut until a person has looked. Self-repair is faster; it also lets in whoever
    /// holds both factors.
    ///
    /// This is the strict reading, and stands against the plain one that wants self-repair.
    pub(crate) static RISKY_USER_NOT_BLOCKED = {
        id: "risky-user-not-blocked",
        title: "High-risk users are not blocked outright",
        area: Area::Identity,
        tier: Tier::Extended,
        kind: Kind::Analyzer,
        risk: Risk(3, 3, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Users,
        after: &["risky-user-access-unrestricted"],
        licence: Licence::ENTRA_P2,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[Scuba("MS.AAD.2.1v1"), MitreAttack("T1078.004"), NistCsf2("RS.MI-01")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.userRiskLevels", expected: "high, with block, for every enabled member" },
        remediation: Remediation {
            summary: "Users at high risk are blocked until somebody has looked.",
            notices: "The few people a month whom Microsoft rates at high risk: they cannot work until they are released.",
            check_first: "Entra admin center > Protection > Identity Protection > Risky users, risk level high: dismiss what is known to be harmless, act on the rest first.",
            steps: &[
                "Decide who looks at night and at weekends.",
                "Create a policy: all users, all resources, condition 'User risk: high', grant 'Block access'.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Block high-risk users\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"], \"userRiskLevels\": [\"high\"]}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"block\"]}}",
            roll_out: "Clear the list of risky users first, report-only for 7 days, then enable.",
            verify: "Every enabled member is blocked at high user risk.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-risk-based-user"],
        },
        check: risky_user_not_blocked,
    }
}
declare_rule! {
    /// Adaptive protection of Microsoft Purview rates people who are about to carry data away. Unless a policy names the level, the
    /// rating changes nothing about what they can open.
    pub(crate) static ELEVATED_INSIDER_RISK_ALLOWED = {
        id: "elevated-insider-risk-allowed",
        title: "People at elevated insider risk keep full access",
        area: Area::Identity,
        tier: Tier::Extended,
        kind: Kind::Analyzer,
        risk: Risk(1, 3, 1),
        effort: Effort::M.always(),
        disruption: Disruption::Admins,
        licence: Licence::OneOf(&["INSIDER_RISK", "INSIDER_RISK_MANAGEMENT"]),
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[NistCsf2("DE.CM-03")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.insiderRiskLevels", expected: "elevated, with block, for every enabled member on Office365 at least" },
        remediation: Remediation {
            summary: "People at elevated insider risk are kept out of Office 365 until the case is closed.",
            notices: "The few people whom adaptive protection rates at elevated risk.",
            check_first: "Microsoft Purview portal > Insider risk management > Adaptive protection: whether it is on, and who is rated elevated today.",
            steps: &[
                "Turn on adaptive protection; agree with the works council or legal counsel who sees what.",
                "Create a policy: all users, resource Office 365, condition 'Insider risk: elevated', grant 'Block access'.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Block elevated insider risk\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"Office365\"]}, \"clientAppTypes\": [\"all\"], \"insiderRiskLevels\": \"elevated\"}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"block\"]}}",
            roll_out: "Report-only for 14 days, then enable.",
            verify: "Every enabled member is blocked at elevated insider risk.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-risk-based-insider-block"],
        },
        check: elevated_insider_risk_allowed,
    }
}
fn risky_sign_in_not_blocked(cx: &Context<'_>) -> Verdict {
    let levels: &[&str] = match cx.config().risk.block_sign_in {
        BlockedRisk::High => &["high"],
        BlockedRisk::HighAndMedium => &["medium", "high"],
    };
    let guarantee = blocked(When {
        sign_in_risk: list(levels),
        ..When::default()
    });
    let words = Words {
        who: "enabled members",
        held: "are blocked at the sign-in risks of risk.block-sign-in",
        nobody: "no enabled member",
    };
    prove(cx, &guarantee, &words)
}

fn risky_user_not_blocked(cx: &Context<'_>) -> Verdict {
    let guarantee = blocked(When {
        user_risk: list(&["high"]),
        ..When::default()
    });
    let words = Words {
        who: "enabled members",
        held: "are blocked at high user risk",
        nobody: "no enabled member",
    };
    prove(cx, &guarantee, &words)
}

fn elevated_insider_risk_allowed(cx: &Context<'_>) -> Verdict {
    let guarantee = blocked(When {
        insider_risk: list(&["elevated"]),
        ..When::default()
    })
    .target(resources(&["Office365"]));
    let words = Words {
        who: "enabled members",
        held: "are blocked in Office 365 at elevated insider risk",
        nobody: "no enabled member",
    };
    prove(cx, &guarantee, &words)
}

fn blocked(when: When) -> Guarantee {
    members(vec![Vec::new()]).when(when)
}
