//! Whether anything at all protects sign-in.

use super::conditional_access::all_policies;
use crate::rules::Evidence;
use crate::rules::prelude::*;
use crate::snapshot::model::{
    ConditionalAccessGrantControl, ConditionalAccessPolicy, ConditionalAccessPolicyState,
};

declare_rule! {
    /// Security defaults are the free baseline: they block legacy protocols and ask administrators for a second factor. They have to be off
    /// where Conditional Access is used; when they are off and no policy took their place, a password alone opens everything.
    pub(crate) static SECURITY_DEFAULTS_OFF = {
        id: "security-defaults-off",
        title: "Neither security defaults nor Conditional Access protects sign-in",
        area: Area::Identity,
        kind: Kind::Setting,
        side: Side::Shared,
        risk: Risk(4, 4, 3),
        effort: Effort::S.always(),
        disruption: Disruption::Users,
        after: &["emergency-access-account-missing"],
        licence: Licence::Any,
        reads: &[Resource::SecurityDefaults],
        may_read: &[Resource::ConditionalAccessPolicies],
        controls: &[Maester("MT.1021"), MitreAttack("T1110.003"), MitreAttack("T1078.004"), NistCsf2("PR.AA-03")],
        evidence: Expected { source: Some(Resource::SecurityDefaults), property: "isEnabled", expected: "true, or an enabled Conditional Access policy with block, mfa or a strength" },
        remediation: Remediation {
            summary: "Security defaults are on, or Conditional Access stands in their place.",
            notices: "Everybody registers a second factor within 14 days; clients with legacy protocols stop.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter 'Client app' on legacy authentication clients, last 30 days: what would stop.",
            steps: &[
                "Without Entra ID P1: turn on security defaults.",
                "With Entra ID P1: create the policies of legacy-authentication-allowed, mfa-not-enforced-for-admins and mfa-not-enforced-for-all-users instead.",
                "Tell people a week ahead how to register the second factor.",
            ],
            portal: "Entra admin center > Overview > Properties > Manage security defaults",
            request: "PATCH /v1.0/policies/identitySecurityDefaultsEnforcementPolicy {\"isEnabled\": true}",
            roll_out: "At once for security defaults (people have 14 days to register); policies go through report-only.",
            verify: "isEnabled is true, or an enabled policy blocks or asks for a second factor.",
            roll_back: "Turn security defaults off on the same page.",
            dangers: &[Danger::BreaksIntegrations, Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/entra/fundamentals/security-defaults"],
        },
        check: security_defaults_off,
    }
}

fn security_defaults_off(cx: &Context<'_>) -> Verdict {
    let defaults = cx.security_defaults()?.is_enabled;
    if defaults == Some(true) {
        return Ok(Outcome::pass("security defaults are on").actual("true"));
    }
    let policies = match cx.conditional_access_policies() {
        // One policy that was read is enough; that there is none needs the whole list.
        Ok(policies) if policies.iter().any(protects) => policies,
        _ => all_policies(cx)?,
    };
    let protecting = policies.iter().filter(|policy| protects(policy)).count();
    let actual = match defaults {
        Some(_) => "false",
        None if protecting > 0 => "absent",
        None => {
            return Err(NotEvaluated::unknown(
                "isEnabled of the security defaults is absent",
            ));
        }
    };
    let outcome = if protecting > 0 {
        Outcome::pass(format!(
            "{protecting} enabled Conditional Access policies block or ask for a second factor"
        ))
    } else {
        Outcome::fail(
            "security defaults are off, and no enabled Conditional Access policy blocks or asks for a second factor",
        )
    };
    Ok(outcome.actual(actual).with_evidence(Evidence::new(
        Some(Resource::ConditionalAccessPolicies),
        "state and grantControls",
        "enabled, with block, mfa or a strength",
        format!("{protecting} of {} policies", policies.len()),
    )))
}

fn protects(policy: &ConditionalAccessPolicy) -> bool {
    let Some(grant) = &policy.grant_controls else {
        return false;
    };
    policy.state == Some(ConditionalAccessPolicyState::Enabled)
        && (grant.authentication_strength.is_some()
            || grant.built_in_controls.iter().flatten().any(|control| {
                matches!(
                    control,
                    ConditionalAccessGrantControl::Block | ConditionalAccessGrantControl::Mfa
                )
            }))
}
