//! Files on devices that nobody manages.

use crate::access::{Atom, SessionAtom, When};
use crate::rules::identity::conditional_access::{
    MAY_REST_ON, Words, list, managed_device, members, prove, resources,
};
use crate::rules::prelude::*;
use crate::snapshot::reference;

declare_rule! {
    /// The copy on the private laptop is out of reach for ever: no lock, no wipe, no update, and the next owner of the laptop finds it.
    ///
    /// A browser session can be limited so that people read and edit without taking files along, or the door can stay shut for devices that
    /// nobody manages. SharePoint and Exchange must have limited access switched on too; Graph does not tell whether they have.
    pub(crate) static UNMANAGED_DEVICE_DOWNLOAD_ALLOWED = {
        id: "unmanaged-device-download-allowed",
        title: "Files can be downloaded to unmanaged devices",
        area: Area::Data,
        kind: Kind::Analyzer,
        risk: Risk(2, 3, 1),
        effort: Effort::M.always(),
        disruption: Disruption::Users,
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[Cis7("1.3.2"), Cis6("1.3.2"), Maester("MT.1019"), MitreAttack("T1530"), NistCsf2("PR.DS-10")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "sessionControls.applicationEnforcedRestrictions", expected: "isEnabled true, or downloads blocked, or a managed device required, in browsers on unmanaged devices, for Exchange Online and SharePoint Online" },
        remediation: Remediation {
            summary: "In a browser on an unmanaged device people can read and edit, and cannot download, print or synchronise.",
            notices: "Everybody who works from a private computer.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter 'Device compliant: No', 'Client app: Browser', resource Office 365 Exchange Online and Office 365 SharePoint Online, last 30 days: who works this way.",
            steps: &[
                "SharePoint admin center > Policies > Access control > Unmanaged devices: 'Allow limited, web-only access'.",
                "Exchange Online PowerShell: Set-OwaMailboxPolicy -ConditionalAccessPolicy ReadOnly on every mailbox policy.",
                "Create a policy: all users, resource Office 365, client app Browser, session 'Use app enforced restrictions'.",
                "Block desktop and mobile apps on unmanaged devices, or ask for a managed device or a protected app there.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies; SharePoint admin center > Policies > Access control",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Limit sessions on unmanaged devices\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"Office365\"]}, \"clientAppTypes\": [\"browser\"]}, \"sessionControls\": {\"applicationEnforcedRestrictions\": {\"isEnabled\": true}}}",
            roll_out: "Pilot with one department for 14 days; then all users, announced.",
            verify: "Every enabled member is limited or held to a managed device in browsers on unmanaged devices.",
            roll_back: "Set the policy's state back to report-only and access control in SharePoint back to 'Allow full access'.",
            dangers: &[Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/sharepoint/control-access-from-unmanaged-devices"],
        },
        check: unmanaged_device_download_allowed,
    }
}

fn unmanaged_device_download_allowed(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "are kept from downloading in a browser on an unmanaged device",
        nobody: "no enabled member",
    };
    let mut limited = managed_device();
    limited.extend([
        Atom::Session(SessionAtom::ApplicationEnforcedRestrictions),
        Atom::Session(SessionAtom::CloudAppSecurity(Some(
            "blockDownloads".to_owned(),
        ))),
    ]);
    let mail_and_files = [reference::EXCHANGE_ONLINE, reference::SHAREPOINT_ONLINE];
    let guarantee = members(vec![limited])
        .target(resources(&mail_and_files.map(|app| app.to_string())))
        .when(When {
            client_app_types: list(&["browser"]),
            managed: Some(false),
            ..When::default()
        });
    prove(cx, &guarantee, &WORDS)
}
