//! Factors that cannot be phished, for administrators.

use super::conditional_access::{MAY_REST_ON, Words, members, prove};
use super::mfa::{ADMINS_MAY_REST_ON, Admins};
use crate::access::Atom;
use crate::rules::prelude::*;

declare_rule! {
    /// A relay site shows the real sign-in page and passes codes, numbers and prompts on; the session that comes out of it belongs to the
    /// attacker. Passkeys, Windows Hello for Business and certificates do not work on the wrong site.
    ///
    /// The accounts that can change everything are worth the effort first.
    pub(crate) static PHISHING_RESISTANT_MFA_NOT_ENFORCED_FOR_ADMINS = {
        id: "phishing-resistant-mfa-not-enforced-for-admins",
        title: "Holders of admin roles can sign in with a factor that can be phished",
        area: Area::Identity,
        kind: Kind::Analyzer,
        risk: Risk(3, 4, 3),
        effort: Effort::M.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing", "mfa-not-enforced-for-admins", "admins-without-phishing-resistant-method"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments, Resource::GroupTransitiveMembers],
        may_read: ADMINS_MAY_REST_ON,
        controls: &[Cis7("5.2.2.5"), Cis6("5.2.2.5"), Scuba("MS.AAD.3.6v1"), MitreAttack("T1566.002"), MitreAttack("T1557"), MitreAttack("T1078.004"), NistCsf2("PR.AA-03")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "grantControls.authenticationStrength.allowedCombinations", expected: "nothing but fido2, windowsHelloForBusiness and x509CertificateMultiFactor, for every holder of an admin role" },
        remediation: Remediation {
            summary: "Administrators can only sign in with a passkey, Windows Hello for Business or a certificate.",
            notices: "Administrators use their passkey at every sign-in; whoever has none cannot work as administrator until one is registered.",
            check_first: "List the holders of admin roles without a phishing-resistant method: GET /v1.0/reports/authenticationMethods/userRegistrationDetails?$filter=isAdmin eq true, and look at methodsRegistered.",
            steps: &[
                "Give every administrator two passkeys or a passkey and Windows Hello for Business; hand out a Temporary Access Pass for the registration.",
                "Create a policy: all admin roles, all resources, no other condition, grant 'Require authentication strength: Phishing-resistant MFA'.",
                "Include administrators whose role is limited to an administrative unit by name or group.",
                "Exclude the emergency access accounts only if a policy of their own asks them for a security key.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Phishing-resistant MFA for admins\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeRoles\": [\"{role template id}\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"]}, \"grantControls\": {\"operator\": \"OR\", \"authenticationStrength\": {\"id\": \"00000000-0000-0000-0000-000000000004\"}}}",
            roll_out: "Report-only for 14 days; enable when the report shows no administrator who would fail; keep one administrator signed in while doing so.",
            verify: "Every enabled holder of an admin role is forced to a phishing-resistant strength.",
            roll_back: "Set the policy's state back to report-only; ordinary MFA stays in force through its own policy.",
            dangers: &[Danger::CanLockOut],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-admin-phish-resistant-mfa"],
        },
        check: phishing_resistant_mfa_not_enforced_for_admins,
    }
}

declare_rule! {
    /// Codes, numbers and prompts can be relayed by a site that shows the real one. The end state is a method that works on the
    /// right site only, for everybody.
    ///
    /// For most tenants this is a goal beyond a quarter: passkeys have to reach everybody first.
    pub(crate) static PHISHING_RESISTANT_MFA_NOT_ENFORCED_FOR_ALL_USERS = {
        id: "phishing-resistant-mfa-not-enforced-for-all-users",
        title: "Phishing-resistant sign-in is not demanded from all users",
        area: Area::Identity,
        tier: Tier::Extended,
        kind: Kind::Analyzer,
        risk: Risk(3, 2, 1),
        effort: Effort::L.always(),
        disruption: Disruption::WorkStops,
        after: &["mfa-not-enforced-for-all-users"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[Scuba("MS.AAD.3.1v1"), MitreAttack("T1566.002"), MitreAttack("T1557"), NistCsf2("PR.AA-03")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "grantControls.authenticationStrength.allowedCombinations", expected: "nothing but fido2, windowsHelloForBusiness and x509CertificateMultiFactor, for every enabled member" },
        remediation: Remediation {
            summary: "Everybody signs in with a passkey, Windows Hello for Business or a certificate.",
            notices: "Everybody: the password and the prompt on the phone go away.",
            check_first: "List members without a phishing-resistant method: GET /v1.0/reports/authenticationMethods/userRegistrationDetails, and look at methodsRegistered.",
            steps: &[
                "Turn on passkeys in Microsoft Authenticator and security keys for all users; give out Temporary Access Passes for the registration.",
                "Roll out Windows Hello for Business on managed computers.",
                "Create a policy: all users, all resources, no other condition, grant 'Require authentication strength: Phishing-resistant MFA'; widen it group by group.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Phishing-resistant MFA for all users\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"]}, \"grantControls\": {\"operator\": \"OR\", \"authenticationStrength\": {\"id\": \"00000000-0000-0000-0000-000000000004\"}}}",
            roll_out: "Group by group over months, each report-only for 14 days first.",
            verify: "Every enabled member is forced to a phishing-resistant strength.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::CanLockOut, Danger::BreaksIntegrations, Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/entra/identity/authentication/how-to-deploy-phishing-resistant-passwordless-authentication"],
        },
        check: phishing_resistant_mfa_not_enforced_for_all_users,
    }
}
fn phishing_resistant_mfa_not_enforced_for_admins(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled holders of admin roles",
        held: "are forced to a factor that cannot be phished in every sign-in",
        nobody: "no enabled account besides emergency and synchronisation accounts holds an admin role",
    };
    let admins = Admins::read(cx)?;
    admins.prove(
        cx,
        &admins.guarantee(vec![vec![Atom::PhishingResistantMfa]]),
        &WORDS,
    )
}

fn phishing_resistant_mfa_not_enforced_for_all_users(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "are forced to a factor that cannot be phished in every sign-in",
        nobody: "no enabled member besides emergency and synchronisation accounts",
    };
    prove(cx, &members(vec![vec![Atom::PhishingResistantMfa]]), &WORDS)
}
