//! What the authorization policy lets guests do, and who may invite them.

use crate::rules::prelude::*;
use crate::snapshot::model::AllowInvitesFrom;

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
