//! What kind of account an administrator works with: whose it is, where it lives, whether it is used.

use super::admins::{Admins, NOBODY};
use crate::rules::prelude::*;
use crate::snapshot::model::DomainAuthenticationType;

declare_rule! {
    /// A guest signs in with an account that another organization issues, protects and one day forgets.
    ///
    /// Its password, its second factor and its devices are somebody else's decision, and so is the moment at which it is
    /// closed. With an admin role on it, a break-in over there is a break-in here.
    pub(crate) static ADMIN_ACCOUNT_GUEST = {
        id: "admin-account-guest",
        title: "A guest holds an admin role",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(2, 4, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::Any,
        reads: &[Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments, Resource::GroupTransitiveMembers],
        may_read: &[Resource::RoleEligibilityScheduleInstances],
        controls: &[Maester("MT.1025"), MitreAttack("T1078.004"), MitreAttack("T1199"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::Users), property: "userType", expected: "Member, and the account was not invited" },
        remediation: Remediation {
            summary: "Admin roles are held by accounts of this organization only.",
            notices: "The external administrators named in the finding; they go on with an account that you issue.",
            check_first: "Ask what each of them administers, and look at the audit log, category RoleManagement, for what they did in the last 30 days.",
            steps: &[
                "Issue an account of your own to every external person who still has to administer, with phishing-resistant sign-in.",
                "Give it the narrowest role that does the work, eligible instead of active where Privileged Identity Management is owned.",
                "Remove the role assignment of the guest; where it comes through a group, remove the guest from the group.",
                "Move service providers to granular delegated admin privileges instead of guest accounts.",
            ],
            portal: "Entra admin center > Entra ID > Roles & admins > (role) > Assignments",
            request: "DELETE /v1.0/roleManagement/directory/roleAssignments/{id}",
            roll_out: "One person at a time; remove the old assignment once the new account has done its first task.",
            verify: "No holder of an admin role is a guest or was invited.",
            roll_back: "Assign the same role at the same scope to the guest again.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/role-based-access-control/best-practices"],
        },
        check: admin_account_guest,
    }
}

fn admin_account_guest(cx: &Context<'_>) -> Verdict {
    let admins = Admins::all(cx)?;
    let mut tally = admins.tally();
    for admin in &admins.enabled {
        // Invited people turned into members are still somebody else's accounts.
        tally.judge(admin.user.is_guest() || admin.user.is_invited(), || {
            let wrong = if admin.user.is_guest() {
                "guest"
            } else {
                "invited, user type Member"
            };
            admin.object(cx, wrong)
        });
    }
    Ok(tally.outcome(NOBODY, |guests, all| {
        format!("{guests} of {all} enabled holders of an admin role come from another organization")
    }))
}

declare_rule! {
    /// An admin account that nobody uses is an admin account that nobody watches.
    ///
    /// Its owner sees no strange prompt and misses no session. Whoever finds the password, or registers the second factor that was
    /// never set up, works undisturbed.
    pub(crate) static ADMIN_ACCOUNT_STALE = {
        id: "admin-account-stale",
        title: "An admin account has not signed in for 30 days",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(3, 4, 2),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        licence: Licence::ENTRA_P1,
        reads: &[Resource::Users, Resource::SignInActivity, Resource::RoleDefinitions, Resource::RoleAssignments, Resource::GroupTransitiveMembers],
        may_read: &[Resource::RoleEligibilityScheduleInstances],
        controls: &[Maester("MT.1029"), MitreAttack("T1078.004"), NistCsf2("PR.AA-01")],
        evidence: Expected { source: Some(Resource::SignInActivity), property: "signInActivity", expected: "a sign-in in the last 30 days" },
        remediation: Remediation {
            summary: "Admin roles are taken away from accounts that nobody uses, and the accounts are disabled.",
            notices: "Whoever owns such an account and comes back to it.",
            check_first: "Ask the owner of each account; look in the sign-in log under service principal and non-interactive sign-ins for scripts that still use it.",
            steps: &[
                "Remove the role assignments of accounts that nobody claims.",
                "Disable those accounts and revoke their sessions; delete them after 30 days.",
                "Turn roles that are needed a few times a year into eligible assignments where Privileged Identity Management is owned.",
                "Declare accounts that are kept for emergencies under [emergency-access] in m365audit.toml.",
            ],
            portal: "Entra admin center > Entra ID > Roles & admins > (role) > Assignments",
            request: "DELETE /v1.0/roleManagement/directory/roleAssignments/{id}",
            roll_out: "Roles first, accounts a week later; keep the emergency access accounts out of it.",
            verify: "Every enabled holder of an active admin role has signed in within the limit, or is younger than it.",
            roll_back: "Enable the account and assign the same role at the same scope again.",
            dangers: &[Danger::BreaksIntegrations],
            learn: &["https://learn.microsoft.com/entra/identity/monitoring-health/howto-manage-inactive-user-accounts"],
        },
        check: admin_account_stale,
    }
}

fn admin_account_stale(cx: &Context<'_>) -> Verdict {
    let limit = i64::from(cx.config().roles.stale_days);
    let (admins, sign_ins) = (Admins::active(cx)?, cx.sign_ins()?);
    // An account without a date in a list that broke off may have one in the part that is missing.
    let all_read = cx.whole(Resource::SignInActivity).is_ok();
    let mut tally = admins.tally();
    for admin in &admins.enabled {
        let user = admin.user;
        if cx.is_emergency(user.id()) {
            continue;
        }
        match (sign_ins.last(user.id()), user.created()) {
            (Some(last), _) => {
                let days = cx.days_since(last);
                tally.judge(days > limit, || {
                    admin.object(cx, &format!("last used {days} days ago"))
                });
            }
            (None, Some(created)) => {
                let days = cx.days_since(created);
                if days > limit && !all_read {
                    tally.unknown();
                } else {
                    tally.judge(days > limit, || {
                        admin.object(cx, &format!("never used since it was made {days} days ago"))
                    });
                }
            }
            (None, None) => tally.unknown(),
        }
    }
    Ok(tally.outcome(
        "no enabled account besides emergency access accounts holds an active admin role",
        |stale, all| format!("{stale} of {all} enabled holders of an active admin role have not signed in for more than {limit} days"),
    ))
}

declare_rule! {
    /// An account that is synchronised, or whose domain signs in elsewhere, is only as safe as the servers it comes from.
    ///
    /// Whoever controls the local directory sets its password; whoever controls the federation server signs in as it without any
    /// password. Ransomware crews go this way, from one server in the basement to every mailbox in the cloud.
    ///
    /// Accounts that administer the cloud therefore belong in the cloud alone.
    pub(crate) static ADMIN_ACCOUNT_SYNCHRONISED = {
        id: "admin-account-synchronised",
        title: "An admin account is synchronised from on-premises or signs in through federation",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(2, 4, 2),
        effort: Effort::M.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::Any,
        reads: &[Resource::Users, Resource::Domains, Resource::RoleDefinitions, Resource::RoleAssignments, Resource::GroupTransitiveMembers],
        may_read: &[Resource::RoleEligibilityScheduleInstances],
        controls: &[Cis7("1.1.1"), Cis6("1.1.1"), Scuba("MS.AAD.7.3v1"), Maester("MT.1026"), Maester("MT.1081"), MitreAttack("T1556.007"), MitreAttack("T1078.004"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::Users), property: "onPremisesSyncEnabled", expected: "not true, and the domain of the UPN is not Federated" },
        remediation: Remediation {
            summary: "Administrators get cloud-only accounts on a managed domain, apart from the accounts they work with.",
            notices: "The administrators named in the finding: they sign in with a second account for admin work.",
            check_first: "List what runs under each account (scheduled scripts, connectors, delegated consents) in the sign-in log, by application.",
            steps: &[
                "Make a cloud-only account for each of them with a UPN on the initial onmicrosoft.com domain, without mailbox and without licence for it.",
                "Register a passkey or security key for it, by a Temporary Access Pass.",
                "Assign the admin roles to the new account and let its owner do a working day with it.",
                "Remove the roles from the synchronised or federated account.",
                "Keep the new accounts out of the scope of the synchronisation.",
            ],
            portal: "Entra admin center > Entra ID > Roles & admins > (role) > Assignments",
            request: "POST /v1.0/roleManagement/directory/roleAssignments {\"principalId\": \"{new-account}\", \"roleDefinitionId\": \"{role}\", \"directoryScopeId\": \"/\"}",
            roll_out: "One administrator first, the rest in the two weeks after; remove old roles only when the new account works.",
            verify: "No enabled holder of an admin role is synchronised or on a federated domain.",
            roll_back: "Assign the same roles to the former account again.",
            dangers: &[Danger::CanLockOut, Danger::BreaksIntegrations],
            learn: &["https://learn.microsoft.com/entra/identity/role-based-access-control/best-practices"],
        },
        check: admin_account_synchronised,
    }
}

fn admin_account_synchronised(cx: &Context<'_>) -> Verdict {
    let (admins, domains) = (Admins::all(cx)?, cx.domains()?);
    let authentication = |name: &str| {
        domains
            .iter()
            .find(|domain| domain.id.is(name))
            .and_then(|domain| domain.authentication_type.as_ref())
    };
    let mut tally = admins.tally();
    for admin in &admins.enabled {
        if admin.user.is_synchronised() {
            tally.fail(admin.object(cx, "synchronised from on-premises"));
            continue;
        }
        match admin.user.domain().and_then(authentication) {
            Some(DomainAuthenticationType::Federated) => {
                tally.fail(admin.object(cx, "on a federated domain"));
            }
            Some(_) => tally.pass(),
            None => tally.unknown(),
        }
    }
    Ok(tally.outcome(NOBODY, |foreign, all| {
        format!("{foreign} of {all} enabled holders of an admin role are synchronised from on-premises or sign in through federation")
    }))
}
