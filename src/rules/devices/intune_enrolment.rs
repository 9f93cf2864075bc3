//! Enrolling devices in Intune.

use crate::access::{Atom, SessionAtom, When};
use crate::rules::identity::conditional_access::{
    MAY_REST_ON, Words, list, members, prove, resources,
};
use crate::rules::prelude::*;

declare_rule! {
    /// A device that is enrolled counts as managed from then on. Whoever holds a stolen session, and is not asked again, enrols a
    /// device of his own with it.
    pub(crate) static INTUNE_ENROLMENT_WITHOUT_FRESH_MFA = {
        id: "intune-enrolment-without-fresh-mfa",
        title: "Enrolling a device in Intune does not ask for a fresh second factor",
        area: Area::Devices,
        tier: Tier::Standard,
        kind: Kind::Analyzer,
        risk: Risk(2, 3, 2),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["device-registration-without-mfa"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments, Resource::ServicePrincipals],
        may_read: MAY_REST_ON,
        controls: &[Cis7("5.2.2.11"), Cis6("5.2.2.11"), MitreAttack("T1098.005"), NistCsf2("PR.AA-02")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.applications.includeApplications", expected: "Microsoft Intune Enrollment with mfa and signInFrequency everyTime, or block, for every enabled member" },
        remediation: Remediation {
            summary: "Enrolling a device takes a fresh second factor.",
            notices: "People who set up a new device are asked once.",
            check_first: "List enrolments of the last 30 days: Intune admin center > Devices > Monitor > Enrollment failures and Device enrollment; bulk enrolment and enrolment managers cannot answer a prompt.",
            steps: &[
                "Create the service principal of Microsoft Intune Enrollment if the picker does not show it (application id d4ebce55-015a-49b5-a083-c84d1797ae8c).",
                "Create a policy: all users, resource 'Microsoft Intune Enrollment', grant 'Require multifactor authentication', session 'Sign-in frequency: every time'.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Fresh MFA to enrol devices\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"d4ebce55-015a-49b5-a083-c84d1797ae8c\"]}, \"clientAppTypes\": [\"all\"]}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"mfa\"]}, \"sessionControls\": {\"signInFrequency\": {\"isEnabled\": true, \"frequencyInterval\": \"everyTime\"}}}",
            roll_out: "Report-only for 7 days, then enable.",
            verify: "Every enabled member is freshly challenged when a device is enrolled.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::BreaksDevices],
            learn: &["https://learn.microsoft.com/mem/intune/enrollment/multi-factor-authentication"],
        },
        check: intune_enrolment_without_fresh_mfa,
    }
}
/// Microsoft Intune Enrollment.
const ENROLMENT: Guid = Guid::new(0xd4eb_ce55_015a_49b5_a083_c84d_1797_ae8c);

fn intune_enrolment_without_fresh_mfa(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "are freshly challenged when they enrol a device",
        nobody: "no enabled member",
    };
    if cx.service_principals()?.by_app_id(ENROLMENT).is_none() {
        return Ok(Outcome::not_applicable(
            "Microsoft Intune Enrollment has no service principal in this tenant: create it, so that a policy can name it",
        ));
    }
    let guarantee = members(vec![
        vec![Atom::Mfa],
        vec![Atom::Session(SessionAtom::SignInFrequency(0))],
    ])
    .target(resources(&[ENROLMENT.to_string()]))
    .when(When {
        client_app_types: list(&["browser", "mobileAppsAndDesktopClients"]),
        ..When::default()
    });
    prove(cx, &guarantee, &WORDS)
}
