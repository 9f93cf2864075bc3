//! A second factor for administrators and for members.

use super::conditional_access::{
    Guarantee, Population, Words, all_policies, population, population_among, read_policies,
    security_defaults_are_on,
};
use crate::access::{Question, Requirement, Shapes, Subject, Target};
use crate::rules::prelude::*;
use crate::snapshot::tenant::{Held, Holders, PrincipalKind, User};

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
        may_read: &[Resource::ConditionalAccessPolicies, Resource::AuthenticationStrengthPolicies, Resource::RoleEligibilityScheduleInstances],
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
        may_read: &[Resource::ConditionalAccessPolicies, Resource::GroupTransitiveMembers, Resource::AuthenticationStrengthPolicies, Resource::RoleEligibilityScheduleInstances],
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
    if let Some(outcome) = security_defaults_are_on(
        cx,
        admins.population.len(),
        &WORDS,
        "security defaults are on and ask administrators for a second factor",
    )? {
        let nobody = admins.population.is_empty();
        return if nobody {
            admins.conclude(outcome)
        } else {
            Ok(outcome)
        };
    }
    let policies = read_policies(cx, all_policies(cx)?, &[])?;
    let question = Question::new(Target::AllResources, Requirement::Mfa);
    let mut guarantee = Guarantee::new(&policies, &[question]);
    admins.judge(cx, &policies.shapes, &mut guarantee);
    admins.conclude(guarantee.verdict(&WORDS)?)
}

fn mfa_not_enforced_for_all_users(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "are asked for a second factor in every sign-in",
        nobody: "no enabled member besides emergency and synchronisation accounts",
    };
    let population = population(cx, |user| !user.is_guest())?;
    if let Some(outcome) = security_defaults_are_on(
        cx,
        population.len(),
        &WORDS,
        "security defaults are on; they ask ordinary members for a second factor only when Microsoft sees need, so it is not proved for every sign-in",
    )? {
        return Ok(outcome);
    }
    let policies = read_policies(cx, all_policies(cx)?, &[])?;
    let question = Question::new(Target::AllResources, Requirement::Mfa);
    let mut guarantee = Guarantee::new(&policies, &[question]);
    guarantee.judge_all(cx, &population);
    guarantee.verdict(&WORDS)
}

/// The enabled accounts that hold an admin role, active or eligible, groups expanded.
pub(super) struct Admins<'a> {
    holders: &'a Holders,
    pub(super) population: Population<'a>,
    /// Groups that hold an admin role and whose members are not known.
    unknown_groups: Vec<Guid>,
    without_eligible: bool,
}

impl<'a> Admins<'a> {
    /// Reads holders and accounts.
    pub(super) fn read(cx: &Context<'a>) -> Result<Self, NotEvaluated> {
        let holders = cx.holders()?;
        cx.whole(Resource::GroupTransitiveMembers)?;
        let ids = holders.admin_users();
        let population = population_among(cx, &ids)?;
        let mut unknown_groups: Vec<Guid> = holders
            .admins()
            .filter(|holder| holder.kind == PrincipalKind::Group)
            .map(|holder| holder.principal)
            .collect();
        unknown_groups.dedup();
        Ok(Self {
            holders,
            population,
            unknown_groups,
            without_eligible: cx.owns(Licence::PIM) == Some(false),
        })
    }

    /// Asks for every administrator, in each state in which an admin role is held.
    pub(super) fn judge(
        &self,
        cx: &Context<'_>,
        shapes: &Shapes<'_>,
        guarantee: &mut Guarantee<'_, '_>,
    ) {
        for user in self.population.judged() {
            let states = self.states(user, shapes.subject(user));
            guarantee.judge_user(cx, user, &states);
        }
        guarantee.show_apart(&self.population.apart);
    }

    /// With an active admin role the account is an administrator as it is. Otherwise it becomes one by activating any one
    /// of its eligible roles; more than one at a time only adds policies. A role that is limited to an administrative unit makes
    /// an administrator and is not seen by policies on roles.
    fn states(&self, user: User<'_>, subject: Subject) -> Vec<Subject> {
        let roles = || {
            self.holders
                .of(user.id())
                .filter(|holder| self.holders.is_admin_role(holder.role))
        };
        if roles().any(|holder| holder.held == Held::Active) {
            return vec![subject];
        }
        roles()
            .map(|holder| {
                if holder.is_tenant_wide() {
                    subject.assuming(holder.role)
                } else {
                    subject
                }
            })
            .collect()
    }

    /// A pass needs every administrator to be known; without Privileged Identity Management the reason says what was left out.
    pub(super) fn conclude(&self, mut outcome: Outcome) -> Verdict {
        let passes = outcome.affected.count() == 0;
        if passes && let Some(group) = self.unknown_groups.first() {
            return Err(NotEvaluated::unknown(format!(
                "the members of group {group}, which holds an admin role, were not read"
            )));
        }
        if self.without_eligible {
            outcome.reason = format!(
                "{}; only active assignments were judged, eligible ones need Entra ID P2",
                outcome.reason.raw()
            )
            .into();
        }
        Ok(outcome)
    }
}
