//! What SharePoint and OneDrive allow in the whole tenant.

use crate::rules::Evidence;
use crate::rules::prelude::*;
use crate::snapshot::model::{SharepointSettings, SharingCapability};

declare_rule! {
    /// A link that needs no sign-in is a key without a name on it: whoever gets it forwarded, finds it in a mailbox or in a chat
    /// opens the file, and no log says who it was.
    ///
    /// The tenant's setting is the ceiling: single sites may be stricter, none can be wider. Which links exist, how long they
    /// live and which kind is offered first cannot be read through Graph.
    pub(crate) static SHAREPOINT_ANONYMOUS_SHARING_ALLOWED = {
        id: "sharepoint-anonymous-sharing-allowed",
        title: "Files can be shared with anyone who has the link",
        area: Area::Sharing,
        kind: Kind::Setting,
        risk: Risk(3, 3, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Users,
        licence: Licence::Any,
        reads: &[Resource::SharePointSettings],
        controls: &[Cis7("7.2.3"), Cis6("7.2.3"), MitreAttack("T1213.002"), MitreAttack("T1567"), NistCsf2("PR.DS-10")],
        evidence: Expected { source: Some(Resource::SharePointSettings), property: "sharingCapability", expected: "not externalUserAndGuestSharing" },
        remediation: Remediation {
            summary: "Whoever opens a shared file signs in or proves an address with a code; links for anyone stop working.",
            notices: "People outside who hold a link for anyone get an error at once; users no longer find 'Anyone with the link' when they share.",
            check_first: "Purview audit log, activities AnonymousLinkCreated and AnonymousLinkUsed of the last 90 days: which sites use such links, and for what.",
            steps: &[
                "Ask the owners of the sites that use such links to share again with named people, or to publish what is meant for everybody on a web site.",
                "Set the SharePoint slider of 'External sharing' to 'New and existing guests' or further down; OneDrive cannot be wider and follows.",
                "Where a site really needs links for anyone, keep the tenant's slider, set every other site to 'New and existing guests', let links expire, and accept this finding until a date.",
            ],
            portal: "SharePoint admin center > Policies > Sharing",
            request: "PATCH /v1.0/admin/sharepoint/settings {\"sharingCapability\": \"externalUserSharingOnly\"}",
            roll_out: "First set the sites that never used such links, site by site; announce a date; change the tenant's slider after two weeks without objection.",
            verify: "sharingCapability is externalUserSharingOnly, existingExternalUserSharingOnly or disabled.",
            roll_back: "Set the slider back to 'Anyone' on the same page; links that have not expired or been deleted work again.",
            dangers: &[Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/sharepoint/turn-external-sharing-on-or-off"],
        },
        check: anonymous_sharing_allowed,
    }
}

fn anonymous_sharing_allowed(cx: &Context<'_>) -> Verdict {
    let Some(capability) = &cx.sharepoint_settings()?.sharing_capability else {
        return Err(NotEvaluated::unknown("sharingCapability is absent"));
    };
    // A value made after this version may be wider or narrower than those known.
    if let SharingCapability::Other(_) = capability {
        return Err(NotEvaluated::unknown(
            "sharingCapability has a value that this version does not know",
        ));
    }
    Ok(Outcome::setting(
        *capability != SharingCapability::ExternalUserAndGuestSharing,
        capability.as_str(),
        "whoever opens a shared file must sign in",
        "files can be shared by links that need no sign-in",
    ))
}

declare_rule! {
    /// Whoever shares a file with one guest decides about that guest. When guests may pass it on, the decision about everybody
    /// after the first is made outside the organization, by people who do not know its rules.
    pub(crate) static SHAREPOINT_GUEST_RESHARING_ALLOWED = {
        id: "sharepoint-guest-resharing-allowed",
        title: "Guests can pass on files they do not own",
        area: Area::Sharing,
        kind: Kind::Setting,
        risk: Risk(2, 2, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        licence: Licence::Any,
        reads: &[Resource::SharePointSettings],
        controls: &[Cis7("7.2.5"), Cis6("7.2.5"), MitreAttack("T1213.002"), NistCsf2("PR.DS-10")],
        evidence: Expected { source: Some(Resource::SharePointSettings), property: "isResharingByExternalUsersEnabled", expected: "false (or sharingCapability disabled)" },
        remediation: Remediation {
            summary: "Guests can open and edit what was shared with them and no longer share it with others.",
            notices: "Guests who bring in colleagues themselves now have to ask a member; what they shared before stays shared.",
            check_first: "Purview audit log, activities SharingInvitationCreated and AddedToSecureLink of the last 90 days whose user is a guest (#ext#): who shares on behalf of whom.",
            steps: &[
                "Tell the owners of sites with many guests that they add the guests' colleagues from now on.",
                "Under 'More external sharing settings' clear 'Allow guests to share items they don't own' and save.",
            ],
            portal: "SharePoint admin center > Policies > Sharing > More external sharing settings",
            request: "PATCH /v1.0/admin/sharepoint/settings {\"isResharingByExternalUsersEnabled\": false}",
            roll_out: "In one step after a week's notice to the owners of sites with guests; there is no report-only mode.",
            verify: "isResharingByExternalUsersEnabled is false.",
            roll_back: "Tick 'Allow guests to share items they don't own' again on the same page.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/sharepoint/turn-external-sharing-on-or-off"],
        },
        check: guest_resharing_allowed,
    }
}

fn guest_resharing_allowed(cx: &Context<'_>) -> Verdict {
    let settings = cx.sharepoint_settings()?;
    let resharing = settings.is_resharing_by_external_users_enabled;
    let closed = settings.sharing_capability == Some(SharingCapability::Disabled);
    let passes = if closed {
        "nothing can be shared with people outside"
    } else {
        "guests cannot share what they do not own"
    };
    let fails = if resharing.is_some() {
        "guests can share what they do not own"
    } else {
        "nothing forbids guests to share what they do not own: the setting is absent"
    };
    Ok(Outcome::setting(
        closed || resharing == Some(false),
        boolean(resharing),
        passes,
        fails,
    )
    .with_evidence(Evidence::new(
        Some(Resource::SharePointSettings),
        "sharingCapability",
        "disabled makes resharing impossible",
        capability(settings),
    )))
}

declare_rule! {
    /// Old sign-in protocols carry a user name and a password and nothing else: no second factor can be asked for, no
    /// condition on the device or the place applies. A guessed password is then enough to read files.
    pub(crate) static SHAREPOINT_LEGACY_AUTHENTICATION_ALLOWED = {
        id: "sharepoint-legacy-authentication-allowed",
        title: "SharePoint accepts old sign-in protocols",
        area: Area::Sharing,
        kind: Kind::Setting,
        side: Side::Shared,
        risk: Risk(3, 2, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        licence: Licence::Any,
        reads: &[Resource::SharePointSettings],
        controls: &[Cis7("7.2.1"), Cis6("7.2.1"), MitreAttack("T1110.003"), NistCsf2("PR.AA-03")],
        evidence: Expected { source: Some(Resource::SharePointSettings), property: "isLegacyAuthProtocolsEnabled", expected: "false" },
        remediation: Remediation {
            summary: "SharePoint and OneDrive accept modern authentication only.",
            notices: "Old Office versions, mapped network drives, and scripts or scanners that sign in with a stored user name and password.",
            check_first: "Entra sign-in logs of the last 30 days, filter 'Client app' on all legacy authentication clients, resource Office 365 SharePoint Online: who and what still signs in so.",
            steps: &[
                "Move scripts and scanners that are in the list to an application with a certificate, or to a managed identity.",
                "Update old Office versions.",
                "Set 'Apps that don't use modern authentication' to 'Block access'.",
            ],
            portal: "SharePoint admin center > Policies > Access control > Apps that don't use modern authentication",
            request: "PATCH /v1.0/admin/sharepoint/settings {\"isLegacyAuthProtocolsEnabled\": false}",
            roll_out: "Wait until the list of old clients has been empty for 14 days, then switch; it takes up to a day to work everywhere.",
            verify: "isLegacyAuthProtocolsEnabled is false.",
            roll_back: "Set it back to 'Allow access' on the same page.",
            dangers: &[Danger::BreaksIntegrations],
            learn: &["https://learn.microsoft.com/graph/api/resources/sharepointsettings"],
        },
        check: legacy_authentication_allowed,
    }
}

fn legacy_authentication_allowed(cx: &Context<'_>) -> Verdict {
    let enabled = cx.sharepoint_settings()?.is_legacy_auth_protocols_enabled;
    let fails = if enabled.is_some() {
        "protocols that know only a password are accepted"
    } else {
        "nothing blocks protocols that know only a password: the setting is absent"
    };
    Ok(Outcome::setting(
        enabled == Some(false),
        boolean(enabled),
        "only modern authentication is accepted",
        fails,
    ))
}

fn boolean(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "true",
        Some(false) => "false",
        None => "null",
    }
}

fn capability(settings: &SharepointSettings) -> &str {
    settings
        .sharing_capability
        .as_ref()
        .map_or("null", SharingCapability::as_str)
}
