//! Emergency access accounts that a policy keeps out.

use std::collections::BTreeMap;

use super::conditional_access::{MAY_REST_ON, missing};
use super::emergency_access::{Sound, soundness};
use crate::access::Kept;
use crate::rules::prelude::*;
use crate::snapshot::model::ConditionalAccessPolicyState;
use crate::snapshot::tenant::User;

declare_rule! {
    /// An emergency access account is for the day on which nothing else works: the policy with the mistake, the device service that is down, the
    /// administrator who left. If a policy blocks it, or sends it to a check of a device that it does not have, it is no way back in.
    ///
    /// A second factor is fine, because Microsoft asks for one on the admin portals anyway; the account should carry a security key.
    pub(crate) static EMERGENCY_ACCESS_ACCOUNT_LOCKED_OUT = {
        id: "emergency-access-account-locked-out",
        title: "A Conditional Access policy can lock out an emergency access account",
        area: Area::Identity,
        kind: Kind::Analyzer,
        risk: Risk(1, 4, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Nobody,
        after: &["emergency-access-account-missing"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::Domains, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[Cis7("1.1.2"), Cis6("1.1.2"), Maester("MT.1005"), Maester("MT.1034"), MitreAttack("T1531"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "grantControls", expected: "nothing but mfa or a strength for declared emergency access accounts" },
        remediation: Remediation {
            summary: "No policy asks the emergency access accounts for anything but their security key.",
            notices: "Nobody.",
            check_first: "Entra admin center > Protection > Conditional Access > What If: run it for each emergency access account, any cloud app, and look at the policies that apply.",
            steps: &[
                "Exclude the emergency access accounts, by name or through one group that nobody else is in, from every policy that blocks or asks for a device, an app, a new password or terms of use.",
                "Keep or create a policy that asks them for a security key.",
                "Sign in with each account once and write down the date; alert on every other use.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "PATCH /v1.0/identity/conditionalAccess/policies/{id} {\"conditions\": {\"users\": {\"excludeUsers\": [\"{emergency account id}\"]}}}",
            roll_out: "At once; test each account afterwards.",
            verify: "No enabled policy that blocks or asks for more than a second factor can apply to a declared account.",
            roll_back: "Remove the exclusion again.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/role-based-access-control/security-emergency-access"],
        },
        check: emergency_access_account_locked_out,
    }
}

fn emergency_access_account_locked_out(cx: &Context<'_>) -> Verdict {
    let declared: Vec<User<'_>> = cx
        .users()?
        .iter()
        .filter(|user| user.is_enabled() && cx.is_emergency(user.id()))
        .collect();
    if declared.is_empty() {
        return Ok(Outcome::not_applicable(
            "no emergency access account is declared and enabled",
        ));
    }
    // An account that could not help anyway is the business of emergency-access-account-missing; one of which that cannot be told
    // is judged.
    let mut accounts = Vec::new();
    for user in declared {
        if !matches!(soundness(cx, user)?, Sound::No(_)) {
            accounts.push(user);
        }
    }
    if accounts.is_empty() {
        return Ok(Outcome::not_applicable(
            "no declared emergency access account is sound",
        ));
    }
    // A policy that was read and locks somebody out stands, whatever else the list holds.
    let listed = cx.conditional_access_policies()?;
    let enabled = listed
        .iter()
        .filter(|policy| policy.state == Some(ConditionalAccessPolicyState::Enabled))
        .count();
    if enabled == 0 {
        return Ok(Outcome::not_applicable("no policy is enabled"));
    }
    cx.whole(Resource::RoleAssignments)?;
    let analyzer = cx.analyzer();
    let mut certain: BTreeMap<&str, (&Untrusted, Kept, Vec<&str>)> = BTreeMap::new();
    let mut possible = false;
    for policy in analyzer.enabled_policies() {
        for &user in &accounts {
            let Some(kept) = analyzer
                .class_of(user)
                .and_then(|class| policy.keeps_out(class))
            else {
                continue;
            };
            if !kept.certain {
                possible = true;
                continue;
            }
            let entry = certain.entry(policy.id());
            let (.., names) = entry.or_insert_with(|| (policy.name(), kept, Vec::new()));
            names.push(user.user_principal_name().raw());
        }
    }
    if certain.is_empty() && possible {
        return Err(missing(cx).unwrap_or_else(|| {
            NotEvaluated::unknown(
                "a policy that blocks names users in a way that does not tell whether it reaches an emergency access account",
            )
        }));
    }
    let mut tally = Tally::new();
    for _ in certain.len()..enabled {
        tally.pass();
    }
    for (id, (name, kept, names)) in certain {
        tally.fail(
            Object::new(ObjectType::ConditionalAccessPolicy, id, name.clone()).detail(format!(
                "{}: {}",
                kept.how,
                names.join(", ")
            )),
        );
    }
    let accounts = accounts.len();
    Ok(tally.outcome("no policy is enabled", |failing, all| {
        format!("{failing} of {all} enabled policies can keep one of {accounts} emergency access accounts out")
    }))
}
