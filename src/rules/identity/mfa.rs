//! A second factor for administrators and for members.

use super::conditional_access::{
    MAY_REST_ON_POLICIES, Words, asked, members, prove, security_defaults_are_on,
};
use crate::access::{Atom, Clause, Guarantee, RoleScope, Who};
use crate::rules::prelude::*;
use crate::snapshot::reference;

/// What the analyzer may rest on beside policies, accounts, active roles and members of groups.
pub(in crate::rules) const ADMINS_MAY_REST_ON: &[Resource] = &[
    Resource::AuthenticationStrengthPolicies,
    Resource::NamedLocations,
    Resource::RoleEligibilityScheduleInstances,
    Resource::CrossTenantAccessDefault,
    Resource::CrossTenantAccessPartners,
];

const ADMINS_MAY_REST_ON_POLICIES: &[Resource] = &[
    Resource::ConditionalAccessPolicies,
    Resource::AuthenticationStrengthPolicies,
    Resource::NamedLocations,
    Resource::RoleEligibilityScheduleInstances,
    Resource::CrossTenantAccessDefault,
    Resource::CrossTenantAccessPartners,
];

declare_rule! {
    /// One guessed password of one administrator is the whole tenant, unless a second factor stands behind it.
    ///
    /// What counts is every way in: the policy that names fourteen roles and forgets the fifteenth, leaves out the office network or
    /// asks browsers only, protects until somebody comes through the part that it does not cover. Roles that are only eligible
    /// count too, because they can be activated with the same password.
    pub(crate) static MFA_NOT_ENFORCED_FOR_ADMINS = {
        id: "mfa-not-enforced-for-admins",
        title: "Holders of admin roles can sign in without a second factor",
        area: Area::Identity,
        kind: Kind::Analyzer,
        side: Side::Shared,
        risk: Risk(4, 4, 3),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::Any,
        reads: &[Resource::SecurityDefaults, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments, Resource::GroupTransitiveMembers],
        may_read: ADMINS_MAY_REST_ON_POLICIES,
        controls: &[Cis7("5.2.2.1"), Cis6("5.2.2.1"), Maester("MT.1006"), MitreAttack("T1110.003"), MitreAttack("T1078.004"), NistCsf2("PR.AA-03")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "grantControls", expected: "mfa, a strength that satisfies it, or block, for every holder of an admin role in every sign-in" },
        remediation: Remediation {
            summary: "Whoever holds an admin role, active or eligible, is asked for a second factor in every sign-in.",
            notices: "Administrators without a registered method must register one at the next sign-in; scripts that sign in as an administrator with a password stop.",
            check_first: "List the holders of admin roles without a registered method: GET /v1.0/reports/authenticationMethods/userRegistrationDetails?$filter=isAdmin eq true and isMfaCapable eq false.",
            steps: &[
                "Make sure that the emergency access accounts are declared, excluded here and protected by a policy of their own.",
                "Create a policy: all admin roles (pick every role, or target all users), all resources, no other condition, grant 'Require multifactor authentication' or an authentication strength.",
                "Include administrators whose role is limited to an administrative unit by name or group: policies on roles do not reach them.",
                "Remove conditions on location, platform and client type from the existing policy, and alternatives such as 'or compliant device'.",
                "Move scripts that use an administrator's password to an application with a certificate or managed identity.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"MFA for admins\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeRoles\": [\"{role template id}\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"]}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"mfa\"]}}",
            roll_out: "Report-only for 7 days, then enable; keep one administrator signed in while doing so.",
            verify: "Every enabled holder of an admin role is covered in every sign-in.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::CanLockOut, Danger::BreaksIntegrations],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-old-require-mfa-admin"],
        },
        check: mfa_not_enforced_for_admins,
    }
}

declare_rule! {
    /// Passwords are guessed, reused and given away every day. Without a second factor one of them opens a mailbox, and from there the
    /// attacker writes in the name of its owner.
    ///
    /// The guarantee is about all of the sign-ins: an exclusion for the office network, for one platform or for a group is a door
    /// that a stolen password fits.
    pub(crate) static MFA_NOT_ENFORCED_FOR_ALL_USERS = {
        id: "mfa-not-enforced-for-all-users",
        title: "Members can sign in without a second factor",
        area: Area::Identity,
        kind: Kind::Analyzer,
        side: Side::Shared,
        risk: Risk(4, 3, 3),
        effort: Effort::M.always(),
        disruption: Disruption::Users,
        after: &["emergency-access-account-missing", "users-without-mfa-method", "security-info-registration-unprotected"],
        licence: Licence::Any,
        reads: &[Resource::SecurityDefaults, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON_POLICIES,
        controls: &[Cis7("5.2.2.2"), Cis6("5.2.2.2"), Scuba("MS.AAD.3.2v2"), Maester("MT.1007"), MitreAttack("T1110.003"), MitreAttack("T1078.004"), NistCsf2("PR.AA-03")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "grantControls", expected: "mfa, a strength that satisfies it, or block, for every enabled member in every sign-in" },
        remediation: Remediation {
            summary: "Every member is asked for a second factor, whatever is opened, with whatever client, from wherever.",
            notices: "Everybody without a registered method has to register one; shared accounts and scripts that sign in with a password stop.",
            check_first: "List members who cannot satisfy a prompt: GET /v1.0/reports/authenticationMethods/userRegistrationDetails?$filter=isMfaCapable eq false, and single-factor sign-ins of the last 30 days in the sign-in log.",
            steps: &[
                "Let people register first: registration campaign, then a Temporary Access Pass for the rest.",
                "Give service and room accounts another way: shared mailboxes without sign-in, applications with certificates, managed identities.",
                "Create one policy: all users, all resources, no other condition, grant 'Require multifactor authentication'; exclude the emergency access accounts only.",
                "Remove exclusions of trusted locations, platforms and groups from older policies, and alternatives joined by 'or'.",
                "Without Entra ID P1: turn on security defaults.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"MFA for all users\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"]}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"mfa\"]}}",
            roll_out: "Report-only for 14 days, then by pilot groups over two to four weeks, then all users.",
            verify: "Every enabled member is covered in every sign-in.",
            roll_back: "Set the policy's state back to report-only, or exclude the group that is in trouble for a few days.",
            dangers: &[Danger::CanLockOut, Danger::BreaksIntegrations, Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-all-users-mfa-strength"],
        },
        check: mfa_not_enforced_for_all_users,
    }
}

fn mfa_not_enforced_for_admins(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled holders of admin roles",
        held: "are asked for a second factor in every sign-in",
        nobody: "no enabled account besides emergency and synchronisation accounts holds an admin role",
    };
    let admins = Admins::read(cx)?;
    let guarantee = admins.guarantee(vec![vec![Atom::Mfa]]);
    if let Some(outcome) = security_defaults_are_on(
        cx,
        &guarantee,
        &WORDS,
        "security defaults are on and ask administrators for a second factor",
    )? {
        return Ok(admins.conclude(outcome));
    }
    admins.prove(cx, &guarantee, &WORDS)
}

fn mfa_not_enforced_for_all_users(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "are asked for a second factor in every sign-in",
        nobody: "no enabled member besides emergency and synchronisation accounts",
    };
    let guarantee = members(vec![vec![Atom::Mfa]]);
    if let Some(outcome) = security_defaults_are_on(
        cx,
        &guarantee,
        &WORDS,
        "security defaults are on; they ask ordinary members for a second factor only when Microsoft sees need, so it is not proved for every sign-in",
    )? {
        return Ok(outcome);
    }
    prove(cx, &guarantee, &WORDS)
}

/// The accounts that hold an admin role, active or eligible, groups expanded.
pub(in crate::rules) struct Admins {
    roles: Vec<Guid>,
    without_eligible: bool,
}

impl Admins {
    /// Reads holders: which roles count, those of the tenant's own that carry the tenant among them.
    pub(in crate::rules) fn read(cx: &Context<'_>) -> Result<Self, NotEvaluated> {
        let holders = cx.holders()?;
        cx.whole(Resource::GroupTransitiveMembers)?;
        let mut roles: Vec<Guid> = holders.admins().map(|holder| holder.role).collect();
        roles.extend(reference::admin_roles());
        roles.sort_unstable();
        roles.dedup();
        Ok(Self {
            roles,
            without_eligible: cx.owns(Licence::PIM) == Some(false),
        })
    }

    /// Every sign-in of theirs, in the states in which an admin role is held.
    pub(in crate::rules) fn guarantee(&self, must: Vec<Clause>) -> Guarantee {
        asked(must).who(Who::Roles(self.roles.clone(), RoleScope::Any))
    }

    /// Judges a guarantee about them.
    pub(in crate::rules) fn prove(
        &self,
        cx: &Context<'_>,
        guarantee: &Guarantee,
        words: &Words,
    ) -> Verdict {
        Ok(self.conclude(prove(cx, guarantee, words)?))
    }

    /// Without Privileged Identity Management the reason says what was left out.
    fn conclude(&self, mut outcome: Outcome) -> Outcome {
        if self.without_eligible {
            outcome.reason = format!(
                "{}; only active assignments were judged, eligible ones need Entra ID P2",
                outcome.reason.raw()
            )
            .into();
        }
        outcome
    }
}
