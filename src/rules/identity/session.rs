//! How long sessions last, and what binds them to a device.

use super::conditional_access::{
    MAY_REST_ON, Words, asked, list, managed_device, members, prove, resources,
};
use super::mfa::{ADMINS_MAY_REST_ON, Admins};
use crate::access::{Atom, Guarantee, SessionAtom, When, Who};
use crate::rules::prelude::*;
use crate::snapshot::reference;

declare_rule! {
    /// The session of an administrator is worth as much as the password and the second factor together, and it lies on the disk of a
    /// laptop. Stolen, it should be dead within hours.
    ///
    /// A browser that stays signed in after it was closed keeps the session for whoever opens it next.
    pub(crate) static ADMIN_SESSION_UNLIMITED = {
        id: "admin-session-unlimited",
        title: "Admin sessions last too long or persist in the browser",
        area: Area::Identity,
        tier: Tier::Standard,
        kind: Kind::Analyzer,
        risk: Risk(3, 3, 2),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["mfa-not-enforced-for-admins"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments, Resource::GroupTransitiveMembers],
        may_read: ADMINS_MAY_REST_ON,
        controls: &[Cis7("5.2.2.4"), Cis6("5.2.2.4"), MitreAttack("T1539"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "sessionControls.signInFrequency and sessionControls.persistentBrowser", expected: "at most session.admin-hours and never, for every holder of an admin role on all resources" },
        remediation: Remediation {
            summary: "Administrators sign in again every few hours, and their browsers forget them when they are closed.",
            notices: "Administrators, several times a day.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter by the holders of admin roles: how often each signs in on a working day.",
            steps: &[
                "Decide on the hours; four fit half a working day.",
                "Create a policy: all admin roles, all resources, session 'Sign-in frequency: 4 hours' and 'Persistent browser session: Never persistent'.",
                "Include administrators whose role is limited to an administrative unit by name or group.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Short sessions for admins\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeRoles\": [\"{role template id}\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"]}, \"sessionControls\": {\"signInFrequency\": {\"isEnabled\": true, \"type\": \"hours\", \"value\": 4, \"frequencyInterval\": \"timeBased\"}, \"persistentBrowser\": {\"isEnabled\": true, \"mode\": \"never\"}}}",
            roll_out: "Report-only for 7 days, then enable.",
            verify: "Every enabled holder of an admin role is limited by both session controls.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/howto-conditional-access-session-lifetime"],
        },
        check: admin_session_unlimited,
    }
}
declare_rule! {
    /// A browser on a device that nobody manages, and that was told to stay signed in, waits for the next person who sits down
    /// there.
    ///
    /// A session that ends with the browser costs its owner one sign-in.
    pub(crate) static PERSISTENT_BROWSER_ON_UNMANAGED_DEVICE = {
        id: "persistent-browser-on-unmanaged-device",
        title: "Browser sessions stay signed in on unmanaged devices",
        area: Area::Identity,
        tier: Tier::Standard,
        kind: Kind::Analyzer,
        risk: Risk(3, 2, 2),
        effort: Effort::M.always(),
        disruption: Disruption::Users,
        after: &["mfa-not-enforced-for-all-users"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[Maester("MT.1017"), MitreAttack("T1539"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "sessionControls.persistentBrowser", expected: "never, or a managed device required, in browsers on unmanaged devices" },
        remediation: Remediation {
            summary: "On unmanaged devices the browser forgets the session when it is closed.",
            notices: "People who work in a browser on a private or borrowed computer: they sign in each time.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter 'Client app: Browser' and 'Device compliant: No', last 30 days: who works this way.",
            steps: &[
                "Create a policy: all users, all resources (the control works on no other), a device filter that excludes managed devices, session 'Persistent browser session: Never persistent'.",
                "Turn off 'Show option to remain signed in' in the company branding if managed devices do not need it either.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"No persistent browser on unmanaged devices\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"browser\"], \"devices\": {\"deviceFilter\": {\"mode\": \"exclude\", \"rule\": \"device.isCompliant -eq True -or device.trustType -eq \\\"ServerAD\\\"\"}}}, \"sessionControls\": {\"persistentBrowser\": {\"isEnabled\": true, \"mode\": \"never\"}}}",
            roll_out: "Report-only for 14 days, then enable.",
            verify: "Every enabled member is limited in browsers on unmanaged devices.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/howto-conditional-access-session-lifetime"],
        },
        check: persistent_browser_on_unmanaged_device,
    }
}
declare_rule! {
    /// A token that was copied from a private device works as long as its session does: without a limit, for months.
    ///
    /// On devices that nobody manages nobody would notice the copy either.
    pub(crate) static SIGN_IN_FREQUENCY_UNSET_ON_UNMANAGED_DEVICE = {
        id: "sign-in-frequency-unset-on-unmanaged-device",
        title: "Sessions on unmanaged devices never expire",
        area: Area::Identity,
        tier: Tier::Standard,
        kind: Kind::Analyzer,
        risk: Risk(3, 2, 2),
        effort: Effort::M.always(),
        disruption: Disruption::Users,
        after: &["mfa-not-enforced-for-all-users"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[Maester("MT.1018"), MitreAttack("T1539"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "sessionControls.signInFrequency", expected: "at most session.unmanaged-hours, or a managed device required, on unmanaged devices" },
        remediation: Remediation {
            summary: "On unmanaged devices people sign in again at least once a day.",
            notices: "Everybody who works from a private device, once a day.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter 'Device compliant: No', last 30 days: who works this way, and with which apps.",
            steps: &[
                "Create a policy: all users, all resources, a device filter that excludes managed devices, session 'Sign-in frequency: 1 day' or less.",
                "Tell people with private phones beforehand: mail apps ask too.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Daily sign-in on unmanaged devices\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"], \"devices\": {\"deviceFilter\": {\"mode\": \"exclude\", \"rule\": \"device.isCompliant -eq True -or device.trustType -eq \\\"ServerAD\\\"\"}}}, \"sessionControls\": {\"signInFrequency\": {\"isEnabled\": true, \"type\": \"days\", \"value\": 1, \"frequencyInterval\": \"timeBased\"}}}",
            roll_out: "Pilot with one department for 14 days; then all users, announced.",
            verify: "Every enabled member is limited or held to a managed device.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/howto-conditional-access-session-lifetime"],
        },
        check: sign_in_frequency_unset_on_unmanaged_device,
    }
}
declare_rule! {
    /// A stolen token works from any computer, unless it is bound to the device that it was given to.
    ///
    /// Windows can bind the sign-in sessions of desktop apps; a copied one is then worth nothing elsewhere.
    pub(crate) static TOKEN_PROTECTION_MISSING = {
        id: "token-protection-missing",
        title: "Token protection is not enforced on Windows",
        area: Area::Identity,
        tier: Tier::Standard,
        kind: Kind::Analyzer,
        risk: Risk(3, 2, 1),
        effort: Effort::M.always(),
        disruption: Disruption::Users,
        after: &["mfa-not-enforced-for-all-users"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON_AND_DEVICES,
        controls: &[Cis7("5.2.2.16"), MitreAttack("T1539"), MitreAttack("T1550.001"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "sessionControls.secureSignInSession", expected: "isEnabled true for Exchange Online, SharePoint Online and Teams in desktop apps on Windows" },
        remediation: Remediation {
            summary: "Desktop apps on Windows get into mail, files and Teams only with a session that is bound to the device.",
            notices: "People with apps that cannot bind a session: those apps stop.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter 'Token Protection - Sign In Session', last 30 days: which clients are unbound.",
            steps: &[
                "Create a policy in report-only: all users, resources Exchange Online, SharePoint Online and Teams, platform Windows, client apps 'Mobile apps and desktop clients', session 'Require token protection for sign-in sessions'.",
                "Update or replace the clients that show up as unbound; start with administrators.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Token protection on Windows\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"00000002-0000-0ff1-ce00-000000000000\", \"00000003-0000-0ff1-ce00-000000000000\", \"cc15fd57-2c6c-4117-a88c-83b1d56b4bbe\"]}, \"clientAppTypes\": [\"mobileAppsAndDesktopClients\"], \"platforms\": {\"includePlatforms\": [\"windows\"]}}, \"sessionControls\": {\"secureSignInSession\": {\"isEnabled\": true}}}",
            roll_out: "Report-only for 30 days, then by pilot groups, administrators first.",
            verify: "Every enabled member is held to bound sessions on Windows.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::BreaksIntegrations, Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/concept-token-protection"],
        },
        check: token_protection_missing,
    }
}
declare_rule! {
    /// The devices of guests, and the tokens on them, are out of everybody's reach here. A session without a limit outlives the
    /// reason why the guest was invited.
    pub(crate) static GUEST_SESSION_UNLIMITED = {
        id: "guest-session-unlimited",
        title: "Guest sessions have no time limit",
        area: Area::Identity,
        tier: Tier::Extended,
        kind: Kind::Analyzer,
        risk: Risk(2, 2, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["mfa-not-enforced-for-guests"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: &[Resource::GroupTransitiveMembers, Resource::AuthenticationStrengthPolicies, Resource::NamedLocations, Resource::RoleEligibilityScheduleInstances, Resource::CrossTenantAccessDefault, Resource::CrossTenantAccessPartners],
        controls: &[MitreAttack("T1539"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "sessionControls.signInFrequency", expected: "at most 24 hours for every kind of guestOrExternalUserTypes on all resources" },
        remediation: Remediation {
            summary: "Guests sign in again at least once a day.",
            notices: "Guests, once a day.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter 'User type: Guest', last 30 days: who works here every day.",
            steps: &[
                "Create a policy: 'Guest or external users', all kinds, all external tenants, all resources, session 'Sign-in frequency: 1 day' or less.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Daily sign-in for guests\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeGuestsOrExternalUsers\": {\"guestOrExternalUserTypes\": \"internalGuest,b2bCollaborationGuest,b2bCollaborationMember,b2bDirectConnectUser,otherExternalUser,serviceProvider\", \"externalTenants\": {\"@odata.type\": \"#microsoft.graph.conditionalAccessAllExternalTenants\", \"membershipKind\": \"all\"}}}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"]}, \"sessionControls\": {\"signInFrequency\": {\"isEnabled\": true, \"type\": \"hours\", \"value\": 24, \"frequencyInterval\": \"timeBased\"}}}",
            roll_out: "Report-only for 14 days, then enable.",
            verify: "All kinds of external users and all guests in the directory are limited.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/howto-conditional-access-session-lifetime"],
        },
        check: guest_session_unlimited,
    }
}
declare_rule! {
    /// A limit on sessions, even a wide one, shortens the life of every stolen token.
    ///
    /// A week is a wide limit: people on managed devices hardly notice it.
    pub(crate) static SIGN_IN_FREQUENCY_UNSET_FOR_ALL_USERS = {
        id: "sign-in-frequency-unset-for-all-users",
        title: "No sign-in frequency of seven days or less for all users",
        area: Area::Identity,
        tier: Tier::Extended,
        kind: Kind::Analyzer,
        risk: Risk(2, 2, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Users,
        after: &["mfa-not-enforced-for-all-users"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[Cis7("5.2.2.13"), MitreAttack("T1539"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "sessionControls.signInFrequency", expected: "everyTime or at most 168 hours for every enabled member on all resources" },
        remediation: Remediation {
            summary: "Everybody signs in again at least once a week.",
            notices: "Everybody, once a week.",
            check_first: "Look at the policies that set a sign-in frequency already: the strictest one wins.",
            steps: &[
                "Create a policy: all users, all resources, session 'Sign-in frequency: 7 days' or less.",
                "Announce it: apps that were never closed will ask.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Weekly sign-in\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"]}, \"sessionControls\": {\"signInFrequency\": {\"isEnabled\": true, \"type\": \"days\", \"value\": 7, \"frequencyInterval\": \"timeBased\"}}}",
            roll_out: "Report-only for 14 days, then enable.",
            verify: "Every enabled member is limited on all resources.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/howto-conditional-access-session-lifetime"],
        },
        check: sign_in_frequency_unset_for_all_users,
    }
}
/// Microsoft Teams.
const TEAMS: &str = "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe";

/// What the analyzer may rest on, and the list that says whether there is a Windows device.
const MAY_REST_ON_AND_DEVICES: &[Resource] = &[
    Resource::GroupTransitiveMembers,
    Resource::AuthenticationStrengthPolicies,
    Resource::NamedLocations,
    Resource::RoleEligibilityScheduleInstances,
    Resource::CrossTenantAccessDefault,
    Resource::CrossTenantAccessPartners,
    Resource::ManagedDevices,
];

/// Sessions belong to modern clients: legacy ones send the password each time, and are the business of legacy-authentication-allowed.
fn modern() -> When {
    When {
        client_app_types: list(&["browser", "mobileAppsAndDesktopClients"]),
        ..When::default()
    }
}

fn frequency(hours: u32) -> Atom {
    Atom::Session(SessionAtom::SignInFrequency(i64::from(hours)))
}

fn never_persistent() -> Atom {
    Atom::Session(SessionAtom::PersistentBrowser("never".to_owned()))
}

fn admin_session_unlimited(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled holders of admin roles",
        held: "sign in again in time and are forgotten by their browser",
        nobody: "no enabled account besides emergency and synchronisation accounts holds an admin role",
    };
    let admins = Admins::read(cx)?;
    let hours = cx.config().session.admin_hours;
    let guarantee = admins
        .guarantee(vec![vec![frequency(hours)], vec![never_persistent()]])
        .when(modern());
    admins.prove(cx, &guarantee, &WORDS)
}

fn persistent_browser_on_unmanaged_device(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "are forgotten by browsers on unmanaged devices",
        nobody: "no enabled member",
    };
    let guarantee = on_unmanaged(never_persistent()).when(When {
        client_app_types: list(&["browser"]),
        managed: Some(false),
        ..When::default()
    });
    prove(cx, &guarantee, &WORDS)
}

fn sign_in_frequency_unset_on_unmanaged_device(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "have to sign in again in time on unmanaged devices",
        nobody: "no enabled member",
    };
    let guarantee = on_unmanaged(frequency(cx.config().session.unmanaged_hours)).when(When {
        managed: Some(false),
        ..modern()
    });
    prove(cx, &guarantee, &WORDS)
}

/// A session control, or a managed device.
fn on_unmanaged(control: Atom) -> Guarantee {
    let mut limited = managed_device();
    limited.push(control);
    members(vec![limited])
}

fn token_protection_missing(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "are held to sessions that are bound to the Windows device",
        nobody: "no enabled member",
    };
    if cx.manages_device_with("Windows") == Some(false) {
        return Ok(Outcome::not_applicable("no Windows device is managed"));
    }
    let exchange = reference::EXCHANGE_ONLINE.to_string();
    let sharepoint = reference::SHAREPOINT_ONLINE.to_string();
    let guarantee = members(vec![vec![Atom::Session(SessionAtom::SecureSignInSession)]])
        .target(resources(&[&*exchange, &*sharepoint, TEAMS]))
        .when(When {
            client_app_types: list(&["mobileAppsAndDesktopClients"]),
            platforms: list(&["windows"]),
            ..When::default()
        });
    prove(cx, &guarantee, &WORDS)
}

fn guest_session_unlimited(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "kinds of external users and guests",
        held: "have to sign in again at least once a day",
        nobody: "no kind of external user is judged",
    };
    const HOURS: u32 = 24;
    if !cx
        .users()?
        .iter()
        .any(crate::snapshot::tenant::User::is_guest)
    {
        return Ok(Outcome::not_applicable("no guest"));
    }
    let mut guarantee = asked(vec![vec![frequency(HOURS)]])
        .who(Who::EveryExternal {
            providers: cx.config().guests.judge_service_providers,
        })
        .when(modern());
    guarantee.assume.all_reaches_everyone = true;
    prove(cx, &guarantee, &WORDS)
}

fn sign_in_frequency_unset_for_all_users(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "have to sign in again at least once a week",
        nobody: "no enabled member",
    };
    const WEEK: u32 = 7 * 24;
    let guarantee = members(vec![vec![frequency(WEEK)]]).when(modern());
    prove(cx, &guarantee, &WORDS)
}
