//! A second factor for guests and external users.

use super::conditional_access::{Words, analyzer, asked, conclude};
use crate::access::{Atom, ExternalKind, Who};
use crate::rules::Evidence;
use crate::rules::prelude::*;
use crate::snapshot::model::{AccessType, AllowInvitesFrom, CrossTenantAccessPolicyB2BSetting};
use crate::snapshot::tenant::User;

declare_rule! {
    /// Guests come with passwords and devices that somebody else looks after. A mailbox that was taken over in another company opens what was
    /// shared here.
    ///
    /// There are six kinds of external users, and policies name them one by one. A policy that leaves guests out because they
    /// "cannot register here" needs another one that includes them; a second factor from their home organization can be accepted instead.
    pub(crate) static MFA_NOT_ENFORCED_FOR_GUESTS = {
        id: "mfa-not-enforced-for-guests",
        title: "Guests and external users can reach resources without a second factor",
        area: Area::Identity,
        kind: Kind::Analyzer,
        risk: Risk(4, 3, 2),
        effort: Effort::S.always(),
        disruption: Disruption::Users,
        after: &["emergency-access-account-missing"],
        licence: Licence::Any,
        reads: &[Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: &[Resource::ConditionalAccessPolicies, Resource::GroupTransitiveMembers, Resource::AuthenticationStrengthPolicies, Resource::NamedLocations, Resource::RoleEligibilityScheduleInstances, Resource::AuthorizationPolicy, Resource::CrossTenantAccessDefault, Resource::CrossTenantAccessPartners],
        controls: &[Maester("MT.1016"), MitreAttack("T1078.004"), MitreAttack("T1199"), NistCsf2("PR.AA-03")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.users", expected: "mfa or block for every kind of guestOrExternalUserTypes of all external tenants, on all resources" },
        remediation: Remediation {
            summary: "Every guest and external user is asked for a second factor, here or at home.",
            notices: "Guests without a second factor at home register one here at their next visit.",
            check_first: "List sign-ins of guests with one factor: Entra admin center > Monitoring & health > Sign-in logs, filter 'User type: Guest' and 'Authentication requirement: Single-factor authentication'.",
            steps: &[
                "Create a policy: 'Guest or external users', all six kinds, all external tenants, all resources, grant 'Require multifactor authentication'; or remove the exclusion of guests from the policy for all users.",
                "Accept the second factor of the home organization for partners whom you trust: cross-tenant access settings, inbound trust.",
                "Service providers: agree with the partner before its technicians are asked.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"MFA for guests\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeGuestsOrExternalUsers\": {\"guestOrExternalUserTypes\": \"internalGuest,b2bCollaborationGuest,b2bCollaborationMember,b2bDirectConnectUser,otherExternalUser,serviceProvider\", \"externalTenants\": {\"@odata.type\": \"#microsoft.graph.conditionalAccessAllExternalTenants\", \"membershipKind\": \"all\"}}}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"]}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"mfa\"]}}",
            roll_out: "Report-only for 14 days, tell the hosts of active guests, then enable.",
            verify: "All kinds of external users and all guests in the directory are covered.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::BreaksIntegrations],
            learn: &["https://learn.microsoft.com/entra/external-id/authentication-conditional-access"],
        },
        check: mfa_not_enforced_for_guests,
    }
}

/// A pass that rests on `All` users reaching external users who have no object here is well founded and not documented in so many words.
const ALL_USERS_READING: u8 = 80;

fn mfa_not_enforced_for_guests(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "kinds of external users and guests",
        held: "are asked for a second factor in every sign-in",
        nobody: "no kind of external user is judged",
    };
    if !externals_can_come(cx)? {
        return Ok(Outcome::not_applicable(
            "nobody can invite guests, there are none, and direct connect is blocked",
        ));
    }
    let providers_count = cx.config().guests.judge_service_providers;
    let mut guarantee = asked(vec![vec![Atom::Mfa]]).who(Who::EveryExternal {
        providers: providers_count,
    });
    // `All` users are taken to reach everybody.
    guarantee.assume.all_reaches_everyone = true;
    let analyzer = analyzer(cx)?;
    let mut outcome = conclude(cx, &analyzer.judge(&guarantee, cx.apart()), &WORDS)?;
    if outcome.affected.count() == 0 {
        guarantee.assume.all_reaches_everyone = false;
        let strictly = analyzer.judge(&guarantee, cx.apart());
        let mut unsure = strictly.unknown_kinds.iter().copied();
        if unsure.any(ExternalKind::has_no_object) {
            outcome = outcome.confidence(ALL_USERS_READING);
        }
    }
    if !providers_count {
        outcome = outcome.with_evidence(Evidence::new(
            None,
            "guests.judge-service-providers",
            "true",
            "false: serviceProvider is not judged",
        ));
    }
    Ok(outcome)
}

fn externals_can_come(cx: &Context<'_>) -> Result<bool, NotEvaluated> {
    if cx.users()?.iter().any(User::is_guest) {
        return Ok(true);
    }
    if cx.authorization_policy()?.allow_invites_from != Some(AllowInvitesFrom::None) {
        return Ok(true);
    }
    let open = |setting: &Option<CrossTenantAccessPolicyB2BSetting>| {
        setting
            .as_ref()
            .and_then(|setting| setting.users_and_groups.as_ref())
            .is_some_and(|target| target.access_type != Some(AccessType::Blocked))
    };
    let by_default = &cx.cross_tenant_access_default()?.b2b_direct_connect_inbound;
    let by_partner = cx
        .cross_tenant_access_partners()?
        .iter()
        .any(|partner| open(&partner.b2b_direct_connect_inbound));
    // What the default does not say is not known to be blocked.
    Ok(by_partner || by_default.is_none() || open(by_default))
}
