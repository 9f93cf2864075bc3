//! Accounts that nobody uses.

use crate::rules::prelude::*;

declare_rule! {
    /// Forgotten accounts are taken over unseen: nobody misses the mails, nobody sees the prompts.
    ///
    /// Leavers, projects that ended and accounts made for one migration keep their licences, group memberships and passwords
    /// for years. The password spray that finds one needs no victim and raises no question.
    pub(crate) static ACCOUNT_STALE = {
        id: "account-stale",
        title: "Enabled member accounts have not been used for 90 days",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(3, 2, 2),
        effort: Effort::M.always(),
        disruption: Disruption::Admins,
        licence: Licence::ENTRA_P1,
        reads: &[Resource::Users, Resource::SignInActivity],
        controls: &[MitreAttack("T1078.004"), NistCsf2("PR.AA-01")],
        evidence: Expected { source: Some(Resource::SignInActivity), property: "signInActivity", expected: "a sign-in in the last 90 days" },
        remediation: Remediation {
            summary: "Accounts that nobody uses are disabled, and deleted after a while.",
            notices: "Nobody, if the list is right; whoever comes back from long leave finds the account disabled.",
            check_first: "Go through the list with the personnel department: long leave, seasonal work, shared mailboxes.",
            steps: &[
                "Disable the accounts that nobody claims and revoke their sessions.",
                "Remove their licences after 30 days, delete them after 90.",
                "Make leaving part of the personnel process: the last day disables the account.",
            ],
            portal: "Entra admin center > Users > All users",
            request: "PATCH /v1.0/users/{id} {\"accountEnabled\": false}",
            roll_out: "In batches, oldest first; wait a week between batches.",
            verify: "No enabled member account is older than the limit.",
            roll_back: "Enable the account again; a deleted one can be restored for 30 days.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/monitoring-health/howto-manage-inactive-user-accounts"],
        },
        check: account_stale,
    }
}

fn account_stale(cx: &Context<'_>) -> Verdict {
    let limit = i64::from(cx.config().accounts.stale_days);
    let (users, mut last_sign_in) = (cx.users()?, cx.sign_ins()?.in_turn());
    let mut tally = Tally::new();
    for user in users.iter().filter(|user| {
        user.is_enabled_member() && !cx.is_emergency(user.id()) && !cx.is_sync_account(user.id())
    }) {
        // Accounts without any sign-in are the business of account-never-used.
        let Some(last) = last_sign_in(user.id()) else {
            continue;
        };
        let days = cx.days_since(last);
        if days > limit {
            tally.fail_user(cx, user, || format!("last used {days} days ago"));
        } else {
            tally.pass();
        }
    }
    Ok(tally.outcome("no enabled member has ever signed in", |stale, all| {
        format!("{stale} of {all} enabled members with a sign-in have not been used for more than {limit} days")
    }))
}
