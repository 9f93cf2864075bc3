//! Whether Conditional Access policies protect or only stand in the list.

use super::conditional_access::all_policies;
use crate::rules::Evidence;
use crate::rules::prelude::*;
use crate::snapshot::model::{
    ConditionalAccessGrantControls, ConditionalAccessPolicy, ConditionalAccessPolicyState as State,
};
use crate::snapshot::reference;

declare_rule! {
    /// A report-only policy looks like protection in the list and protects nobody. It was meant to be watched for two weeks and has been
    /// forgotten since.
    ///
    /// Policies that Microsoft adds by itself start in this state and count too.
    pub(crate) static CONDITIONAL_ACCESS_POLICY_REPORT_ONLY = {
        id: "conditional-access-policy-report-only",
        title: "A Conditional Access policy has been in report-only mode for 30 days or more",
        area: Area::Identity,
        kind: Kind::Setting,
        risk: Risk(3, 3, 2),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::Any,
        reads: &[Resource::ConditionalAccessPolicies],
        controls: &[NistCsf2("PR.PS-01")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "state", expected: "enabled or disabled, or report-only for less than conditional-access.report-only-days" },
        remediation: Remediation {
            summary: "A policy that was tried out is enabled or deleted.",
            notices: "Whoever the policy is for, as its report shows.",
            check_first: "Entra admin center > Protection > Conditional Access > Insights and reporting, pick the policy: failures and required user actions of the last 30 days.",
            steps: &[
                "Look at who would have been blocked or asked, and solve these cases.",
                "Enable the policy, or delete it when another one does the same.",
                "Write the end of the trial into the policy's name.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "PATCH /v1.0/identity/conditionalAccess/policies/{id} {\"state\": \"enabled\"}",
            roll_out: "One policy a day, the narrowest first.",
            verify: "No policy is report-only for longer than the limit.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::CanLockOut],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-report-only"],
        },
        check: conditional_access_policy_report_only,
    }
}

declare_rule! {
    /// Conditional Access is the decision point that is paid for with Entra ID P1: who gets in, from where, with what. Unused, everybody gets in
    /// with a password.
    pub(crate) static CONDITIONAL_ACCESS_UNUSED = {
        id: "conditional-access-unused",
        title: "Conditional Access is owned and not used",
        area: Area::Identity,
        kind: Kind::Entitlement,
        risk: Risk(4, 3, 2),
        effort: Effort::M.always(),
        disruption: Disruption::Users,
        after: &["emergency-access-account-missing"],
        licence: Licence::ENTRA_P1,
        protection: Some(Protection { name: "Conditional Access" }),
        reads: &[Resource::ConditionalAccessPolicies, Resource::SubscribedSkus],
        may_read: &[Resource::SecurityDefaults],
        controls: &[NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "state and conditions.users", expected: "an enabled policy with a grant for all users or all admin roles" },
        remediation: Remediation {
            summary: "A small set of policies for everybody replaces security defaults or nothing at all.",
            notices: "Everybody is asked for a second factor; old clients stop.",
            check_first: "Sign-in log of the last 30 days: legacy authentication clients, and single-factor sign-ins by user.",
            steps: &[
                "Declare two emergency access accounts.",
                "Create in report-only: block legacy authentication, MFA for admins, MFA for all users, protection of security info registration.",
                "Turn security defaults off in the same hour in which the policies are enabled.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "",
            roll_out: "Report-only for 14 days, then one policy after the other.",
            verify: "An enabled policy with a grant includes all users or all admin roles.",
            roll_back: "Set the policies back to report-only and turn security defaults on again.",
            dangers: &[Danger::CanLockOut, Danger::BreaksIntegrations, Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/plan-conditional-access"],
        },
        check: conditional_access_unused,
    }
}

fn conditional_access_policy_report_only(cx: &Context<'_>) -> Verdict {
    let limit = i64::from(cx.config().conditional_access.report_only_days);
    let mut tally = Tally::new();
    for policy in cx.conditional_access_policies()? {
        let age = policy
            .modified_date_time
            .or(policy.created_date_time)
            .map(|at| cx.days_since(at));
        match &policy.state {
            None => tally.unknown(),
            // A policy without any date is an old one.
            Some(State::ReportOnly) if age.is_none_or(|days| days >= limit) => {
                let id = policy.id.as_ref().map_or("", Untrusted::raw);
                let name = policy.display_name.clone().unwrap_or_default();
                let since = age.map_or("for an unknown time".to_owned(), |days| {
                    format!("for {days} days")
                });
                tally.fail(
                    Object::new(ObjectType::ConditionalAccessPolicy, id, name)
                        .detail(format!("report-only {since}")),
                );
            }
            Some(_) => tally.pass(),
        }
    }
    Ok(tally.outcome("there is no policy", |failing, all| {
        format!("{failing} of {all} policies have been report-only for {limit} days or more")
    }))
}

fn conditional_access_unused(cx: &Context<'_>) -> Verdict {
    cx.subscribed_skus()?;
    let policies = all_policies(cx)?;
    let in_state = |state: &State| {
        policies
            .iter()
            .filter(|policy| policy.state.as_ref() == Some(state))
            .count()
    };
    let wide = policies
        .iter()
        .filter(|policy| policy.state == Some(State::Enabled) && is_wide(policy))
        .count();
    let (enabled, trial) = (in_state(&State::Enabled), in_state(&State::ReportOnly));
    let all = policies.len();
    let (state, reason) = match (wide, enabled, trial) {
        (1.., ..) => (
            EntitlementState::InUse,
            format!(
                "{wide} of {all} policies are enabled with a grant for all users or all admin roles"
            ),
        ),
        (0, 1.., _) => (
            EntitlementState::Partial,
            format!(
                "{enabled} of {all} policies are enabled, none with a grant for all users or all admin roles"
            ),
        ),
        (0, 0, 1..) => (
            EntitlementState::NotEnforced,
            format!("none of {all} policies is enabled, {trial} are report-only"),
        ),
        (0, 0, 0) => (
            EntitlementState::Off,
            format!("none of {all} policies is enabled or report-only"),
        ),
    };
    let seats = cx
        .licences()
        .owned(Licence::ENTRA_P1.plans())
        .map_or(0, |owned| owned.seats);
    let mut outcome = Outcome::setting(
        state == EntitlementState::InUse,
        reason.clone(),
        &reason,
        &reason,
    )
    .entitlement(state)
    .with_evidence(Evidence::new(
        Some(Resource::SubscribedSkus),
        "prepaidUnits.enabled",
        "owned and used",
        format!("{seats} seats with Entra ID P1 or P2"),
    ));
    // Shown only: the two cannot be on together.
    if let Ok(defaults) = cx.security_defaults() {
        let written = match defaults.is_enabled {
            Some(true) => "true",
            Some(false) => "false",
            None => "absent",
        };
        outcome = outcome.with_evidence(Evidence::new(
            Some(Resource::SecurityDefaults),
            "isEnabled",
            "false where Conditional Access is used",
            written,
        ));
    }
    Ok(outcome)
}

/// With a grant, for all users or all admin roles.
fn is_wide(policy: &ConditionalAccessPolicy) -> bool {
    let users = policy
        .conditions
        .as_ref()
        .and_then(|conditions| conditions.users.as_ref());
    let all_users = users
        .and_then(|users| users.include_users.as_ref())
        .is_some_and(|words| words.iter().any(|word| word.is("All")));
    let all_admin_roles = || {
        let included: Vec<Guid> = users
            .and_then(|users| users.include_roles.as_ref())
            .into_iter()
            .flatten()
            .filter_map(|word| word.raw().parse().ok())
            .collect();
        !included.is_empty() && reference::admin_roles().all(|role| included.contains(&role))
    };
    policy.grant_controls.as_ref().is_some_and(has_grant) && (all_users || all_admin_roles())
}

fn has_grant(grant: &ConditionalAccessGrantControls) -> bool {
    grant.authentication_strength.is_some()
        || grant.built_in_controls.iter().flatten().next().is_some()
        || grant.terms_of_use.iter().flatten().next().is_some()
        || grant
            .custom_authentication_factors
            .iter()
            .flatten()
            .next()
            .is_some()
}
