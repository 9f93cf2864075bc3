//! Who may register sign-in methods, and from where.

use super::conditional_access::{MAY_REST_ON, Words, list, managed_device, members, prove};
use crate::access::{Asked, Atom, When};
use crate::rules::prelude::*;

declare_rule! {
    /// Whoever guesses the password of an account without a second factor registers his own, and from then on the account is better protected
    /// against its owner than against him.
    ///
    /// A policy that asks for a second factor on all resources does not help: it sends the one who has none to this very registration.
    pub(crate) static SECURITY_INFO_REGISTRATION_UNPROTECTED = {
        id: "security-info-registration-unprotected",
        title: "Security info can be registered from anywhere with a password alone",
        area: Area::Identity,
        kind: Kind::Analyzer,
        risk: Risk(3, 3, 2),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[Maester("MT.1011"), MitreAttack("T1098.005"), MitreAttack("T1556.006"), NistCsf2("PR.AA-02")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.applications.includeUserActions", expected: "urn:user:registersecurityinfo with mfa, a managed device or block, at least outside trusted IP locations" },
        remediation: Remediation {
            summary: "New sign-in methods can only be registered with a second factor, on a managed device, or from a trusted place.",
            notices: "Newcomers and people with a new phone: they register in the office or with a Temporary Access Pass.",
            check_first: "Count who has no method yet: GET /v1.0/reports/authenticationMethods/userRegistrationDetails?$filter=isMfaRegistered eq false; these people need a Temporary Access Pass or the office network.",
            steps: &[
                "Turn on Temporary Access Pass and tell the help desk how to hand one out after checking who is calling.",
                "Create a policy: all users, user action 'Register security information', grant 'Require multifactor authentication'; exclude trusted IP locations if people should register in the office.",
                "Guests register at home: exclude them only if another policy holds for them.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Protect registration of security info\", \"state\": \"enabled\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeUserActions\": [\"urn:user:registersecurityinfo\"]}, \"clientAppTypes\": [\"all\"]}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"mfa\"]}}",
            roll_out: "There is no report-only result for user actions: pilot with one department for a week, then all users.",
            verify: "Every enabled member is covered for the user action outside trusted places.",
            roll_back: "Disable the policy.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-all-users-security-info-registration"],
        },
        check: security_info_registration_unprotected,
    }
}

declare_rule! {
    /// The network from which somebody registers a second factor proves little. A device that is managed proves that its owner was
    /// checked once.
    ///
    /// People without a managed device register with the help desk, or with a Temporary Access Pass in a policy of its own.
    pub(crate) static SECURITY_INFO_REGISTRATION_FROM_UNMANAGED_DEVICE = {
        id: "security-info-registration-from-unmanaged-device",
        title: "Security info can be registered from an unmanaged device",
        area: Area::Identity,
        tier: Tier::Extended,
        kind: Kind::Analyzer,
        risk: Risk(3, 2, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Users,
        after: &["security-info-registration-unprotected", "compliance-policy-missing"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON_AND_DEVICES,
        controls: &[Cis7("5.2.2.10"), Cis6("5.2.2.10"), Scuba("MS.AAD.3.8v1"), MitreAttack("T1098.005"), NistCsf2("PR.AA-02")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.applications.includeUserActions", expected: "urn:user:registersecurityinfo with a compliant or hybrid joined device, or block" },
        remediation: Remediation {
            summary: "New sign-in methods can only be registered on a managed device.",
            notices: "Newcomers and people with a new phone: they register on the computer of the organization.",
            check_first: "Count members without a managed device, and without a method: GET /v1.0/reports/authenticationMethods/userRegistrationDetails?$filter=isMfaRegistered eq false.",
            steps: &[
                "Give newcomers their computer before they register.",
                "Create a policy: all users, user action 'Register security information', grant 'Require device to be marked as compliant' or 'Require Microsoft Entra hybrid joined device', one of the two.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Register security info on managed devices\", \"state\": \"enabled\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeUserActions\": [\"urn:user:registersecurityinfo\"]}, \"clientAppTypes\": [\"all\"]}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"compliantDevice\", \"domainJoinedDevice\"]}}",
            roll_out: "There is no report-only result for user actions: pilot with one department for a week, then all users.",
            verify: "Every enabled member is held to a managed device for the user action.",
            roll_back: "Disable the policy.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-all-users-security-info-registration"],
        },
        check: security_info_registration_from_unmanaged_device,
    }
}
/// What the analyzer may rest on, and the list that says whether any device is managed.
const MAY_REST_ON_AND_DEVICES: &[Resource] = &[
    Resource::GroupTransitiveMembers,
    Resource::AuthenticationStrengthPolicies,
    Resource::NamedLocations,
    Resource::RoleEligibilityScheduleInstances,
    Resource::CrossTenantAccessDefault,
    Resource::CrossTenantAccessPartners,
    Resource::ManagedDevices,
];

fn security_info_registration_unprotected(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "are kept from registering security info with a password alone from an untrusted place",
        nobody: "no enabled member",
    };
    let guarantee = members(vec![vec![
        Atom::Mfa,
        Atom::CompliantDevice,
        Atom::DomainJoinedDevice,
    ]])
    .target(Asked::UserAction(
        "urn:user:registersecurityinfo".to_owned(),
    ))
    .when(When {
        client_app_types: list(&["browser", "mobileAppsAndDesktopClients"]),
        trusted: Some(false),
        ..When::default()
    });
    prove(cx, &guarantee, &WORDS)
}

fn security_info_registration_from_unmanaged_device(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "need a managed device to register security info",
        nobody: "no enabled member",
    };
    if cx.manages_device_with("") == Some(false) {
        return Ok(Outcome::not_applicable("no device is managed"));
    }
    let guarantee = members(vec![managed_device()])
        .target(Asked::UserAction(
            "urn:user:registersecurityinfo".to_owned(),
        ))
        .when(When {
            client_app_types: list(&["browser", "mobileAppsAndDesktopClients"]),
            ..When::default()
        });
    prove(cx, &guarantee, &WORDS)
}
