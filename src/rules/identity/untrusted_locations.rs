//! Sign-in from networks that nobody knows.

use super::conditional_access::{MAY_REST_ON, Words, members, prove};
use crate::access::When;
use crate::rules::prelude::*;

declare_rule! {
    /// The strict reading: people sign in from known networks and nowhere else. A stolen password and a stolen token are then
    /// useless from outside.
    ///
    /// It fits organizations whose people work from offices, or through a gateway of their own.
    pub(crate) static UNTRUSTED_LOCATION_ACCESS_ALLOWED = {
        id: "untrusted-location-access-allowed",
        title: "Sign-in from untrusted networks is not blocked",
        area: Area::Identity,
        tier: Tier::Extended,
        kind: Kind::Analyzer,
        risk: Risk(3, 2, 1),
        effort: Effort::M.always(),
        disruption: Disruption::WorkStops,
        after: &["emergency-access-account-missing"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON,
        controls: &[Cis7("5.2.2.15"), MitreAttack("T1078.004"), NistCsf2("PR.IR-01")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions.locations", expected: "block outside trusted locations and the countries of locations.allowed-countries, for every enabled member" },
        remediation: Remediation {
            summary: "Sign-in is blocked outside trusted networks.",
            notices: "Everybody who works from elsewhere.",
            check_first: "Entra admin center > Monitoring & health > Sign-in logs, filter 'Location' and 'IP address' on what is outside the trusted networks, last 30 days: who would be blocked.",
            steps: &[
                "Define the networks as named locations and mark them as trusted.",
                "Declare countries that are allowed in m365audit.toml: [locations] allowed-countries.",
                "Create a policy: all users, all resources, locations 'Any location', excluded 'All trusted locations', grant 'Block access'; keep the emergency access accounts out of it.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"Block untrusted networks\", \"state\": \"enabledForReportingButNotEnforced\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeApplications\": [\"All\"]}, \"clientAppTypes\": [\"all\"], \"locations\": {\"includeLocations\": [\"All\"], \"excludeLocations\": [\"AllTrusted\"]}}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"block\"]}}",
            roll_out: "Report-only for 30 days, then by pilot groups.",
            verify: "Every enabled member is blocked outside trusted places.",
            roll_back: "Set the policy's state back to report-only.",
            dangers: &[Danger::CanLockOut, Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-block-by-location"],
        },
        check: untrusted_location_access_allowed,
    }
}
fn untrusted_location_access_allowed(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "are blocked outside trusted places",
        nobody: "no enabled member",
    };
    let guarantee = members(vec![Vec::new()]).when(When {
        trusted: Some(false),
        country_not_in: cx.config().locations.allowed_countries.clone(),
        ..When::default()
    });
    prove(cx, &guarantee, &WORDS)
}
