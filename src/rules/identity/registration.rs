//! Who may register sign-in methods, and from where.

use super::conditional_access::{MAY_REST_ON, Words, list, members, prove};
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
