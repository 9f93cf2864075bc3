//! What happens when Microsoft rates a sign-in or a user risky.

use super::conditional_access::{MAY_REST_ON, Words, all_policies, list, members, prove};
use crate::access::{Atom, SessionAtom, When};
use crate::rules::Evidence;
use crate::rules::prelude::*;
use crate::snapshot::model::{ConditionalAccessPolicy, ConditionalAccessPolicyState};

declare_rule! {
    /// Microsoft already sees that a sign-in comes from a strange place or with stolen tokens. Unless a policy reacts, nothing happens:
    /// the session goes on, and the mark stands in a report that nobody reads in time.
    ///
    /// A challenge counts only when it is fresh: a second factor from last week proves nothing about the one who sits there now.
    pub(crate) static RISKY_SIGN_IN_NOT_CHALLENGED = {
        id: "risky-sign-in-not-challenged",
        title: "Risky sign-ins are not challenged",
        area: Area::Identity,
        kind: Kind::Analyzer,
        risk: Risk(3, 3, 2),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["mfa-not-enforced-for-all-users"],
        licence: Licence::ENTRA_P2,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[Cis7("5.2.2.7"), Cis6("5.2.2.7"), Maester("MT.1012"), MitreAttack("T1078.004"), MitreAttack("T1110"), NistCsf2("DE.CM-03")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.signInRiskLevels", expected: "medium and high, with mfa and signInFrequency everyTime, or block" },
        remediation: Remediation {
            summary: "A sign-in at medium or high risk has to prove itself with a second factor at once.",
            notices: "A few people a week, mostly travellers, are asked once more.",
            check_first: "Entra admin center > Protection > Identity Protection > Risky sign-ins, risk level medium and high, last 30 days: who would have been asked.",
            steps: &[
                "Make sure that people have registered a second factor: an unregistered user at risk is blocked.",
                "Create a policy: all users, all resources, condition 'Sign-in risk: medium and high', grant 'Require multifactor authentication', session 'Sign-in frequency: every time'.",
                "Keep user risk in a policy of its own: two risk conditions in one policy apply only when both are met.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Challenge risky sign-ins\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"], \"signInRiskLevels\": [\"medium\", \"high\"]}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"mfa\"]}, \"sessionControls\": {\"signInFrequency\": {\"isEnabled\": true, \"frequencyInterval\": \"everyTime\"}}}",
            roll_out: "Report-only for 14 days, then enable.",
            verify: "Every enabled member is challenged at medium and at high sign-in risk.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-risk-based-sign-in"],
        },
        check: risky_sign_in_not_challenged,
    }
}

declare_rule! {
    /// An account that Microsoft rates as most likely compromised goes on working until somebody looks. The attacker works in the meantime.
    ///
    /// Blocking it, or letting its owner prove himself and choose a new password, ends that without anybody being awake.
    pub(crate) static RISKY_USER_ACCESS_UNRESTRICTED = {
        id: "risky-user-access-unrestricted",
        title: "High-risk users keep their access",
        area: Area::Identity,
        kind: Kind::Analyzer,
        risk: Risk(3, 3, 2),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["mfa-not-enforced-for-all-users"],
        licence: Licence::ENTRA_P2,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[Cis7("5.2.2.6"), Cis6("5.2.2.6"), Maester("MT.1013"), MitreAttack("T1078.004"), NistCsf2("RS.MI-01")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.userRiskLevels", expected: "high, with block, riskRemediation, or passwordChange and mfa" },
        remediation: Remediation {
            summary: "A user at high risk is blocked, or lets himself in again with a second factor and a new password.",
            notices: "The few people a month whom Microsoft rates at high risk.",
            check_first: "Entra admin center > Protection > Identity Protection > Risky users, risk level high: dismiss what is known to be harmless, act on the rest first.",
            steps: &[
                "Turn on self-service password reset; for synchronised users also password writeback. Without them, block instead.",
                "Create a policy: all users, all resources, condition 'User risk: high', grant 'Require risk remediation', or 'Require password change' together with a second factor, session 'Sign-in frequency: every time'.",
                "Keep sign-in risk in a policy of its own.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Restrict high-risk users\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"], \"userRiskLevels\": [\"high\"]}, \"grantControls\": {\"operator\": \"AND\", \"builtInControls\": [\"mfa\", \"passwordChange\"]}}",
            roll_out: "Clear the list of risky users first, report-only for 7 days, then enable.",
            verify: "Every enabled member is restricted at high user risk.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-risk-based-user"],
        },
        check: risky_user_access_unrestricted,
    }
}

declare_rule! {
    /// Microsoft computes a risk for every sign-in and every user of a tenant with Entra ID P2. It is paid for, and without a policy that names
    /// it nothing follows from it.
    pub(crate) static IDENTITY_PROTECTION_UNUSED = {
        id: "identity-protection-unused",
        title: "Risk-based protection is owned and not used",
        area: Area::Identity,
        kind: Kind::Entitlement,
        risk: Risk(3, 3, 2),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["mfa-not-enforced-for-all-users"],
        licence: Licence::ENTRA_P2,
        protection: Some(Protection { name: "Identity Protection" }),
        reads: &[Resource::ConditionalAccessPolicies, Resource::SubscribedSkus],
        controls: &[NistCsf2("DE.CM-03")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.signInRiskLevels and conditions.userRiskLevels", expected: "one enabled policy for each" },
        remediation: Remediation {
            summary: "Risk decides: one policy for sign-in risk, one for user risk.",
            notices: "The few people whom Microsoft rates at risk.",
            check_first: "Entra admin center > Protection > Identity Protection > Risky users and Risky sign-ins: who would have been asked in the last 30 days.",
            steps: &[
                "Create the sign-in risk policy (see risky-sign-in-not-challenged).",
                "Create the user risk policy (see risky-user-access-unrestricted).",
                "Switch off the old policies of Identity Protection itself, which are not seen here.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "",
            roll_out: "Report-only for 14 days each, then enable.",
            verify: "An enabled policy names sign-in risk and an enabled policy names user risk.",
            roll_back: "Set the policies' state back to report-only.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/id-protection/howto-identity-protection-configure-risk-policies"],
        },
        check: identity_protection_unused,
    }
}

fn risky_sign_in_not_challenged(cx: &Context<'_>) -> Verdict {
    let guarantee = members(vec![
        vec![Atom::Mfa, Atom::RiskRemediation],
        vec![Atom::Session(SessionAtom::SignInFrequency(0))],
    ])
    .when(When {
        sign_in_risk: list(&["medium", "high"]),
        ..When::default()
    });
    prove(
        cx,
        &guarantee,
        &Words {
            who: "enabled members",
            held: "are freshly challenged at medium and high sign-in risk",
            nobody: "no enabled member",
        },
    )
}

fn risky_user_access_unrestricted(cx: &Context<'_>) -> Verdict {
    let guarantee = members(vec![
        vec![Atom::Mfa, Atom::RiskRemediation],
        vec![Atom::PasswordChange, Atom::RiskRemediation],
    ])
    .when(When {
        user_risk: list(&["high"]),
        ..When::default()
    });
    prove(
        cx,
        &guarantee,
        &Words {
            who: "enabled members",
            held: "are blocked or have to remedy at high user risk",
            nobody: "no enabled member",
        },
    )
}

fn identity_protection_unused(cx: &Context<'_>) -> Verdict {
    cx.subscribed_skus()?;
    let policies = all_policies(cx)?;
    let has = |state: &ConditionalAccessPolicyState,
               levels: fn(&ConditionalAccessPolicy) -> bool| {
        policies
            .iter()
            .any(|policy| policy.state.as_ref() == Some(state) && levels(policy))
    };
    let enabled = ConditionalAccessPolicyState::Enabled;
    let trial = ConditionalAccessPolicyState::ReportOnly;
    let (sign_in, user) = (
        has(&enabled, names_sign_in_risk),
        has(&enabled, names_user_risk),
    );
    let tried = has(&trial, names_sign_in_risk) || has(&trial, names_user_risk);
    let (state, reason) = match (sign_in, user, tried) {
        (true, true, _) => (
            EntitlementState::InUse,
            "enabled policies react to sign-in risk and to user risk",
        ),
        (true, false, _) => (
            EntitlementState::Partial,
            "an enabled policy reacts to sign-in risk, none to user risk",
        ),
        (false, true, _) => (
            EntitlementState::Partial,
            "an enabled policy reacts to user risk, none to sign-in risk",
        ),
        (false, false, true) => (
            EntitlementState::NotEnforced,
            "policies that react to risk are report-only",
        ),
        (false, false, false) => (EntitlementState::Off, "no policy reacts to risk"),
    };
    let seats = cx
        .licences()
        .owned(Licence::ENTRA_P2.plans())
        .map_or(0, |owned| owned.seats);
    Ok(
        Outcome::setting(state == EntitlementState::InUse, reason, reason, reason)
            .entitlement(state)
            .with_evidence(Evidence::new(
                Some(Resource::SubscribedSkus),
                "prepaidUnits.enabled",
                "owned and used",
                format!("{seats} seats with Entra ID P2"),
            )),
    )
}

fn names_sign_in_risk(policy: &ConditionalAccessPolicy) -> bool {
    policy
        .conditions
        .as_ref()
        .and_then(|conditions| conditions.sign_in_risk_levels.as_ref())
        .is_some_and(|levels| !levels.is_empty())
}

fn names_user_risk(policy: &ConditionalAccessPolicy) -> bool {
    policy
        .conditions
        .as_ref()
        .and_then(|conditions| conditions.user_risk_levels.as_ref())
        .is_some_and(|levels| !levels.is_empty())
}
