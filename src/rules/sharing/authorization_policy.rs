//! What the authorization policy lets guests do, and who may invite them.

use crate::config::GuestDirectoryAccess;
use crate::rules::prelude::*;
use crate::snapshot::model::AllowInvitesFrom;
use crate::snapshot::reference::{GUEST_ROLE_LIMITED, GUEST_ROLE_RESTRICTED};

declare_rule! {
    /// Anybody in the organization, or any guest, decides who comes in.
    ///
    /// A guest is a foreign account with a password and a device that somebody else looks after. When every member can
    /// invite, nobody knows who invited whom and why, and clean-up never catches up.
    pub(crate) static GUEST_INVITATION_OPEN = {
        id: "guest-invitation-open",
        title: "Members or guests can invite guests",
        area: Area::Sharing,
        kind: Kind::Setting,
        side: Side::Shared,
        risk: Risk(2, 2, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        licence: Licence::Any,
        reads: &[Resource::AuthorizationPolicy],
        controls: &[Cis7("5.1.6.3"), Cis6("5.1.6.3"), Scuba("MS.AAD.8.2v1"), Eidsca("AP04"), MitreAttack("T1136.003"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::AuthorizationPolicy), property: "allowInvitesFrom", expected: "adminsAndGuestInviters or none" },
        remediation: Remediation {
            summary: "Only administrators and holders of the Guest Inviter role can invite guests.",
            notices: "Members who invited guests themselves now ask an inviter; existing guests are not touched.",
            check_first: "List who invited guests in the last 90 days: audit log, category UserManagement, activity 'Invite external user'.",
            steps: &[
                "Give the Guest Inviter role to the people who need to invite.",
                "Set 'Guest invite restrictions' to 'Only users assigned to specific admin roles can invite guest users'.",
            ],
            portal: "Entra admin center > External Identities > External collaboration settings",
            request: "PATCH /v1.0/policies/authorizationPolicy {\"allowInvitesFrom\": \"adminsAndGuestInviters\"}",
            roll_out: "Announce it a week ahead; there is no report-only mode.",
            verify: "allowInvitesFrom is adminsAndGuestInviters or none.",
            roll_back: "Set the restriction back to its former value on the same page.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/external-id/external-collaboration-settings-configure"],
        },
        check: guest_invitation_open,
    }
}

fn guest_invitation_open(cx: &Context<'_>) -> Verdict {
    let Some(from) = &cx.authorization_policy()?.allow_invites_from else {
        return Err(NotEvaluated::unknown("allowInvitesFrom is absent"));
    };
    let in_place = matches!(
        from,
        AllowInvitesFrom::AdminsAndGuestInviters | AllowInvitesFrom::None
    );
    Ok(Outcome::setting(
        in_place,
        from.as_str(),
        "only administrators and guest inviters can invite guests",
        "members or guests can invite guests",
    ))
}

declare_rule! {
    /// Whoever reads the directory knows whom to phish: names, titles, managers, who sits in which group, which applications
    /// there are. A guest account that is taken over elsewhere opens all of this when guests see as much as members.
    ///
    /// Limited access, the default, hides most of it; restricted access leaves guests only their own entry. Both are accepted
    /// here unless the configuration asks for the stricter one (`[guests] directory-access = "restricted"`).
    pub(crate) static GUEST_DIRECTORY_ACCESS_WIDE = {
        id: "guest-directory-access-wide",
        title: "Guests can read the directory like members",
        area: Area::Sharing,
        kind: Kind::Setting,
        side: Side::Shared,
        risk: Risk(2, 2, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        licence: Licence::Any,
        reads: &[Resource::AuthorizationPolicy],
        controls: &[Cis7("5.1.6.2"), Cis6("5.1.6.2"), Scuba("MS.AAD.8.1v1"), Eidsca("AP07"), MitreAttack("T1087.004"), NistCsf2("PR.AA-05")],
        evidence: Expected {
            source: Some(Resource::AuthorizationPolicy),
            property: "guestUserRoleId",
            expected: "2af84b1e-32c8-42b7-82bc-daa82404023b (restricted) or 10dae51f-b6af-4016-8d66-8c2a99b929b3 (limited)",
        },
        remediation: Remediation {
            summary: "Guests see their own entry, and at most what the limited guest role shows, instead of the whole directory.",
            notices: "Guests who look people or groups up; in Teams and Planner some names may be missing for them when access is restricted.",
            check_first: "Ask which portals or applications let guests choose from a list of people; try them with one test guest.",
            steps: &[
                "Choose: limited access is the default of Entra, restricted access is the safer one.",
                "Set 'Guest user access restrictions' to 'Guest users have limited access to properties and memberships of directory objects' or to the restricted option below it.",
            ],
            portal: "Entra admin center > External Identities > External collaboration settings",
            request: "PATCH /v1.0/policies/authorizationPolicy {\"guestUserRoleId\": \"2af84b1e-32c8-42b7-82bc-daa82404023b\"}",
            roll_out: "There is no pilot: the setting holds for all guests at once. Change it early in a week and ask two partners what they see.",
            verify: "guestUserRoleId is that of the restricted or the limited guest role.",
            roll_back: "Set the restriction back to its former value on the same page.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/users/users-restrict-guest-permissions"],
        },
        check: guest_directory_access_wide,
    }
}

fn guest_directory_access_wide(cx: &Context<'_>) -> Verdict {
    let role = cx.authorization_policy()?.guest_user_role_id;
    let restricted = role == Some(GUEST_ROLE_RESTRICTED);
    let limited = role == Some(GUEST_ROLE_LIMITED);
    let in_place = restricted
        || limited && cx.config().guests.directory_access == GuestDirectoryAccess::Limited;
    let passes = if restricted {
        "guests see only their own entry"
    } else {
        "guests have limited access to the directory"
    };
    let fails = if limited {
        "guests have limited access to the directory, and the configuration asks for restricted access"
    } else {
        "guests are neither limited nor restricted in what they read of the directory"
    };
    Ok(Outcome::setting(
        in_place,
        role.map_or_else(|| "null".to_owned(), |role| role.to_string()),
        passes,
        fails,
    ))
}
