//! What devices that nobody manages get into.

use crate::access::{Atom, When};
use crate::rules::identity::conditional_access::{
    MAY_REST_ON, Words, list, managed_device, members, prove, resources,
};
use crate::rules::identity::mfa::{ADMINS_MAY_REST_ON, Admins};
use crate::rules::prelude::*;

declare_rule! {
    /// What is opened on a device that nobody manages stays there: it cannot be wiped, patched or trusted, and whatever else runs on
    /// it reads along.
    ///
    /// Of all controls this one is felt most. It stands at the end of a road: compliance policies, devices that meet them, a second
    /// factor for everybody.
    pub(crate) static UNMANAGED_DEVICE_ACCESS_ALLOWED = {
        id: "unmanaged-device-access-allowed",
        title: "Resources can be used from unmanaged devices",
        area: Area::Devices,
        tier: Tier::Standard,
        kind: Kind::Analyzer,
        risk: Risk(3, 3, 2),
        effort: Effort::L.always(),
        disruption: Disruption::WorkStops,
        after: &["emergency-access-account-missing", "compliance-policy-missing", "device-non-compliant", "mfa-not-enforced-for-all-users"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[Cis7("5.2.2.9"), Cis6("5.2.2.9"), Scuba("MS.AAD.3.7v1"), Maester("MT.1001"), MitreAttack("T1078.004"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "grantControls.builtInControls", expected: "compliantDevice or domainJoinedDevice, either of them, or block, for every enabled member on all resources" },
        remediation: Remediation {
            summary: "Resources can be used from managed devices only.",
            notices: "Everybody who works from a private computer or phone: it has to be enrolled, or stays outside.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter 'Device compliant: No', last 30 days: who, with which apps, on which platforms.",
            steps: &[
                "Enrol devices and bring them to compliance first (see device-non-compliant).",
                "Give people with private phones app protection instead (see mobile-app-protection-not-required).",
                "Create a policy: all users, all resources, grant 'Require device to be marked as compliant' or 'Require Microsoft Entra hybrid joined device', one of the two and nothing else beside them.",
                "Leave out the registration of devices and Intune enrolment, or nobody can enrol.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Managed devices only\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"]}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"compliantDevice\", \"domainJoinedDevice\"]}}",
            roll_out: "Report-only for 30 days, then platform by platform and group by group.",
            verify: "Every enabled member is held to a managed device.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::CanLockOut, Danger::BreaksDevices, Danger::BreaksIntegrations, Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-alt-all-users-compliant-hybrid-or-mfa"],
        },
        check: unmanaged_device_access_allowed,
    }
}
declare_rule! {
    /// Administration from a private laptop hands the tenant to whatever runs on that laptop.
    ///
    /// Administrators are few and have a managed computer: for them the step is small.
    pub(crate) static UNMANAGED_DEVICE_ACCESS_ALLOWED_FOR_ADMINS = {
        id: "unmanaged-device-access-allowed-for-admins",
        title: "Admin roles can be used from unmanaged devices",
        area: Area::Devices,
        tier: Tier::Standard,
        kind: Kind::Analyzer,
        risk: Risk(2, 4, 1),
        effort: Effort::M.always(),
        disruption: Disruption::Users,
        after: &["emergency-access-account-missing", "compliance-policy-missing"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments, Resource::GroupTransitiveMembers],
        may_read: ADMINS_MAY_REST_ON,
        controls: &[Maester("MT.1014"), MitreAttack("T1078.004"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "grantControls.builtInControls", expected: "compliantDevice or domainJoinedDevice for every holder of an admin role on all resources" },
        remediation: Remediation {
            summary: "Admin roles can be used from managed devices only.",
            notices: "Administrators who work from a private device.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter by the holders of admin roles and 'Device compliant: No', last 30 days.",
            steps: &[
                "Give every administrator a managed computer.",
                "Create a policy: all admin roles, all resources, grant 'Require device to be marked as compliant' or 'Require Microsoft Entra hybrid joined device'; a second factor comes with 'and', never with 'or'.",
                "Include administrators whose role is limited to an administrative unit by name or group.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Managed devices for admins\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeRoles\": [\"{role template id}\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"]}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"compliantDevice\", \"domainJoinedDevice\"]}}",
            roll_out: "Report-only for 14 days, then enable; keep one administrator signed in while doing so.",
            verify: "Every enabled holder of an admin role is held to a managed device.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::CanLockOut],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-alt-admin-device-compliand-hybrid"],
        },
        check: unmanaged_device_access_allowed_for_admins,
    }
}
declare_rule! {
    /// Company mail in any app on a private phone goes wherever that app sends it. Either the phone is managed, or the app is one
    /// that keeps company data to itself.
    pub(crate) static MOBILE_APP_PROTECTION_NOT_REQUIRED = {
        id: "mobile-app-protection-not-required",
        title: "Phones can use company data without a managed device or a protected app",
        area: Area::Devices,
        tier: Tier::Standard,
        kind: Kind::Analyzer,
        risk: Risk(2, 2, 1),
        effort: Effort::M.always(),
        disruption: Disruption::Users,
        after: &["app-protection-policy-missing"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[MitreAttack("T1530"), NistCsf2("PR.DS-10")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "grantControls.builtInControls", expected: "compliantApplication, compliantDevice or approvedApplication for every enabled member in apps on Android and iOS, for Office 365" },
        remediation: Remediation {
            summary: "On phones and tablets company data opens in protected apps or on managed devices only.",
            notices: "People who read mail in the app that came with the phone: they change to Outlook.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter 'Operating system' Android and iOS and 'Client app: Mobile apps and desktop clients', last 30 days: which apps.",
            steps: &[
                "Create and assign app protection policies for iOS and Android (see app-protection-policy-missing).",
                "Create a policy: all users, resource Office 365, platforms Android and iOS, client apps 'Mobile apps and desktop clients', grant 'Require app protection policy' or 'Require device to be marked as compliant'.",
                "Do not choose 'Require approved client app' any more: it is retired.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Protected apps on phones\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"Office365\"]}, \"clientAppTypes\": [\"mobileAppsAndDesktopClients\"], \"platforms\": {\"includePlatforms\": [\"android\", \"iOS\"]}}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"compliantApplication\", \"compliantDevice\"]}}",
            roll_out: "Pilot with one department for 14 days; then all users, announced.",
            verify: "Every enabled member is held to a protected app or a managed device on both platforms.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::BreaksDevices, Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-all-users-approved-app-or-app-protection"],
        },
        check: mobile_app_protection_not_required,
    }
}
declare_rule! {
    /// Conditions on platforms believe what the client says about itself. Policies that name platforms leave out whoever claims to
    /// be something else.
    pub(crate) static UNKNOWN_PLATFORM_ACCESS_ALLOWED = {
        id: "unknown-platform-access-allowed",
        title: "Sign-in from unknown device platforms is not blocked",
        area: Area::Devices,
        tier: Tier::Standard,
        kind: Kind::Analyzer,
        risk: Risk(3, 2, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[Maester("MT.1015"), MitreAttack("T1078.004"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.platforms", expected: "block, or a managed device, for every enabled member on platforms that are none of android, iOS, windows, macOS and linux" },
        remediation: Remediation {
            summary: "Sign-in is blocked on platforms that nobody here uses.",
            notices: "People with odd devices or old browsers that do not say what they run on.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter 'Operating system' on empty and unknown values, last 30 days.",
            steps: &[
                "Create a policy: all users, all resources, device platforms 'Any device', excluded Android, iOS, Windows, macOS and Linux, grant 'Block access'.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Block unknown platforms\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"], \"platforms\": {\"includePlatforms\": [\"all\"], \"excludePlatforms\": [\"android\", \"iOS\", \"windows\", \"macOS\", \"linux\"]}}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"block\"]}}",
            roll_out: "Report-only for 14 days, then enable.",
            verify: "Every enabled member is blocked on platforms that are not recognised.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::BreaksDevices],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-all-users-device-unknown-unsupported"],
        },
        check: unknown_platform_access_allowed,
    }
}
fn unmanaged_device_access_allowed(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "are held to a managed device in every sign-in",
        nobody: "no enabled member",
    };
    prove(cx, &members(vec![managed_device()]), &WORDS)
}

fn unmanaged_device_access_allowed_for_admins(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled holders of admin roles",
        held: "are held to a managed device in every sign-in",
        nobody: "no enabled account besides emergency and synchronisation accounts holds an admin role",
    };
    let admins = Admins::read(cx)?;
    admins.prove(cx, &admins.guarantee(vec![managed_device()]), &WORDS)
}

fn mobile_app_protection_not_required(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "are held to protected apps or managed devices on phones",
        nobody: "no enabled member",
    };
    let protected = vec![
        Atom::CompliantApplication,
        Atom::CompliantDevice,
        Atom::ApprovedApplication,
    ];
    let guarantee = members(vec![protected])
        .target(resources(&["Office365"]))
        .when(When {
            client_app_types: list(&["mobileAppsAndDesktopClients"]),
            platforms: list(&["android", "iOS"]),
            ..When::default()
        });
    prove(cx, &guarantee, &WORDS)
}

fn unknown_platform_access_allowed(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "are blocked or held to a managed device on unknown platforms",
        nobody: "no enabled member",
    };
    let guarantee = members(vec![managed_device()]).when(When {
        platforms: list(&["unknown"]),
        ..When::default()
    });
    prove(cx, &guarantee, &WORDS)
}
