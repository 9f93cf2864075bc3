//! Guests that are here and no longer come.

use crate::rules::prelude::*;

declare_rule! {
    /// A project ends and its guests stay: they keep the teams, the sites and the files that were shared with them.
    ///
    /// Nobody in the organization knows whether the person still works for the partner, and nobody at the partner knows that the
    /// account exists. Whoever takes it over over there walks in here.
    pub(crate) static GUEST_STALE = {
        id: "guest-stale",
        title: "Guests have not signed in for 90 days",
        area: Area::Sharing,
        kind: Kind::Population,
        risk: Risk(2, 2, 1),
        effort: EffortBySize(Effort::M, Effort::M, Effort::L),
        disruption: Disruption::Admins,
        after: &["guest-invitation-open"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::Users, Resource::SignInActivity],
        controls: &[MitreAttack("T1078.004"), NistCsf2("PR.AA-01")],
        evidence: Expected { source: Some(Resource::SignInActivity), property: "signInActivity", expected: "a sign-in in the last 90 days" },
        remediation: Remediation {
            summary: "Guests that no longer come are blocked, and deleted after a while.",
            notices: "Guests who come back after months, and the people who work with them.",
            check_first: "Send each list to the owners of the teams and sites that the guests are in and ask whom they still need.",
            steps: &[
                "Block the sign-in of guests whom nobody claims.",
                "Delete them after 30 days; what they wrote and uploaded stays.",
                "Have owners confirm the guests of their teams twice a year, by an access review where the licence is owned.",
            ],
            portal: "Entra admin center > Entra ID > Users > All users, filter User type = Guest",
            request: "PATCH /v1.0/users/{id} {\"accountEnabled\": false}",
            roll_out: "In batches, oldest first; wait two weeks between blocking and the next batch.",
            verify: "No enabled guest was last seen longer ago than the limit.",
            roll_back: "Enable the account again; a deleted guest can be restored for 30 days.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/users/clean-up-stale-guest-accounts"],
        },
        check: guest_stale,
    }
}

fn guest_stale(cx: &Context<'_>) -> Verdict {
    let limit = i64::from(cx.config().guests.stale_days);
    let (users, mut last_sign_in) = (cx.users()?, cx.sign_ins()?.in_turn());
    let mut tally = Tally::new();
    for user in users.iter().filter(|user| user.is_guest()) {
        // Guests who never came, and invitations that nobody took up, are other findings.
        let Some(last) = last_sign_in(user.id()) else {
            continue;
        };
        match user.account_enabled() {
            Some(false) => {}
            Some(true) => {
                let days = cx.days_since(last);
                if days > limit {
                    tally.fail_user(cx, user, || format!("last used {days} days ago"));
                } else {
                    tally.pass();
                }
            }
            None => tally.unknown(),
        }
    }
    Ok(tally.outcome("no enabled guest has ever signed in", |stale, all| {
        format!("{stale} of {all} enabled guests with a sign-in have not been seen for more than {limit} days")
    }))
}
