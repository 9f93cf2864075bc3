//! Registering and joining devices.

use crate::access::{Asked, Atom, When};
use crate::rules::Evidence;
use crate::rules::identity::conditional_access::{
    MAY_REST_ON_POLICIES, Words, list, members, prove,
};
use crate::rules::prelude::*;
use crate::snapshot::model::MultiFactorAuthConfiguration;

declare_rule! {
    /// A stolen password that registers a device of its own gets a token that lasts for months, and a device that policies may trust.
    ///
    /// A policy that asks for a second factor on all resources does not reach this action: it needs the device setting, or a policy
    /// on the user action itself.
    pub(crate) static DEVICE_REGISTRATION_WITHOUT_MFA = {
        id: "device-registration-without-mfa",
        title: "A device can be registered or joined without a second factor",
        area: Area::Devices,
        kind: Kind::Analyzer,
        risk: Risk(2, 3, 2),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::Any,
        reads: &[Resource::DeviceRegistrationPolicy, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: MAY_REST_ON_POLICIES,
        controls: &[Maester("MT.1061"), MitreAttack("T1098.005"), NistCsf2("PR.AA-02")],
        evidence: Expected { source: Some(Resource::DeviceRegistrationPolicy), property: "multiFactorAuthConfiguration", expected: "required, or a policy on urn:user:registerdevice with mfa for every enabled member" },
        remediation: Remediation {
            summary: "Registering or joining a device takes a second factor.",
            notices: "People who set up a new device are asked once.",
            check_first: "List registrations of the last 30 days: audit log, service 'Device Registration Service', activity 'Register device'; bulk enrolment accounts and provisioning packages cannot answer a prompt.",
            steps: &[
                "With Entra ID P1: create a policy: all users, user action 'Register or join devices', grant 'Require multifactor authentication', and leave the device setting at No, as Microsoft asks where a policy is used.",
                "Without: set 'Require multifactor authentication to register or join devices with Microsoft Entra' to Yes.",
                "Exclude accounts of bulk enrolment only while they are in use.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies; or Entra admin center > Devices > Device settings",
            request: "POST /v1.0/identity/conditionalAccess/policies {\"displayName\": \"MFA to register devices\", \"state\": \"enabled\", \"conditions\": {\"users\": {\"includeUsers\": [\"All\"], \"excludeUsers\": [\"{emergency account id}\"]}, \"applications\": {\"includeUserActions\": [\"urn:user:registerdevice\"]}, \"clientAppTypes\": [\"all\"]}, \"grantControls\": {\"operator\": \"OR\", \"builtInControls\": [\"mfa\"]}}",
            roll_out: "There is no report-only result for user actions: pilot with the people who set up devices for a week, then all users.",
            verify: "The setting is required, or every enabled member is covered for the user action.",
            roll_back: "Disable the policy, or set the device setting back to No.",
            dangers: &[Danger::BreaksDevices],
            learn: &["https://learn.microsoft.com/entra/identity/conditional-access/policy-all-users-device-registration"],
        },
        check: device_registration_without_mfa,
    }
}

fn device_registration_without_mfa(cx: &Context<'_>) -> Verdict {
    const WORDS: Words = Words {
        who: "enabled members",
        held: "need a second factor to register a device",
        nobody: "no enabled member",
    };
    // Legacy clients register no device.
    let guarantee = members(vec![vec![Atom::Mfa]])
        .target(Asked::UserAction("urn:user:registerdevice".to_owned()))
        .when(When {
            client_app_types: list(&["browser", "mobileAppsAndDesktopClients"]),
            ..When::default()
        });
    cx.users()?;
    cx.whole(Resource::RoleAssignments)?;
    let (judged, _) = cx.analyzer().asked(&guarantee, cx.apart());
    // Null is Graph's default, which asks for nothing.
    let setting = &cx
        .device_registration_policy()?
        .multi_factor_auth_configuration;
    let written = setting
        .as_ref()
        .map_or("notRequired", MultiFactorAuthConfiguration::as_str);
    if judged > 0 && *setting == Some(MultiFactorAuthConfiguration::Required) {
        return Ok(Outcome::pass("the device setting asks for a second factor")
            .actual(written)
            .affecting(Affected::default(), judged));
    }
    let outcome = prove(cx, &guarantee, &WORDS)?;
    let covered = outcome.actual.clone();
    Ok(outcome.actual(written).with_evidence(Evidence::new(
        Some(Resource::ConditionalAccessPolicies),
        "conditions.applications.includeUserActions",
        "0 members open",
        covered.unwrap_or_default(),
    )))
}
