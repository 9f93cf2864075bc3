//! The Intune subscription: its tenant-wide compliance settings, and whether it is used at all.

use crate::rules::Evidence;
use crate::rules::prelude::*;

declare_rule! {
    /// A device to which no compliance policy applies counts as compliant, unless the tenant says otherwise.
    ///
    /// Whoever enrols a device of a kind that nobody has thought of passes every access rule that asks for a compliant one. The
    /// setting is open in a new tenant, and as long as it is, each other promise about devices has a hole of unknown size.
    pub(crate) static DEVICE_WITHOUT_POLICY_COMPLIANT = {
        id: "device-without-policy-compliant",
        title: "Devices without a compliance policy count as compliant",
        area: Area::Devices,
        kind: Kind::Setting,
        risk: Risk(2, 2, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Users,
        after: &["compliance-policy-missing"],
        licence: Licence::INTUNE,
        reads: &[Resource::DeviceManagement],
        controls: &[Cis7("4.1"), Cis6("4.1"), Maester("MT.1054"), NistCsf2("PR.PS-01")],
        evidence: Expected { source: Some(Resource::DeviceManagement), property: "settings.secureByDefault", expected: "true" },
        remediation: Remediation {
            summary: "A device to which no compliance policy applies counts as not compliant.",
            notices: "People whose device no policy reaches lose access to whatever Conditional Access opens to compliant devices only.",
            check_first: "Intune admin center > Reports > Device compliance > 'Devices without compliance policy': every device in it turns non-compliant.",
            steps: &[
                "Assign a compliance policy to each platform in use (compliance-policy-missing).",
                "Give the devices of the report a policy, or retire them.",
                "Set 'Mark devices with no compliance policy assigned as' to 'Not compliant'.",
            ],
            portal: "Intune admin center > Devices > Compliance > Compliance settings",
            request: "PATCH /v1.0/deviceManagement {\"settings\": {\"secureByDefault\": true}}",
            roll_out: "There is no report-only mode: go on once the report has been empty for 7 days, and not on a Friday.",
            verify: "settings.secureByDefault is true.",
            roll_back: "Set 'Mark devices with no compliance policy assigned as' back to 'Compliant'.",
            dangers: &[Danger::BreaksDevices],
            learn: &["https://learn.microsoft.com/intune/intune-service/protect/device-compliance-get-started"],
        },
        check: device_without_policy_compliant,
    }
}

declare_rule! {
    /// Management is paid for and the fleet is not in it.
    ///
    /// A device that is not enrolled has no compliance state, no encryption check and no remote wipe, and Conditional Access cannot
    /// tell it from an attacker's. Nobody knows how many such devices there are.
    ///
    /// The number is rough: some people have several devices and some have none, so it is compared with half of the assigned seats.
    pub(crate) static INTUNE_UNUSED = {
        id: "intune-unused",
        title: "Intune is owned and few devices are enrolled",
        area: Area::Devices,
        kind: Kind::Entitlement,
        risk: Risk(2, 2, 1),
        confidence: 80,
        effort: Effort::L.always(),
        disruption: Disruption::Users,
        licence: Licence::INTUNE,
        protection: Some(Protection { name: "Intune device management" }),
        reads: &[Resource::ManagedDeviceOverview, Resource::SubscribedSkus],
        may_read: &[Resource::DeviceManagement],
        controls: &[NistCsf2("ID.AM-01")],
        evidence: Expected { source: Some(Resource::ManagedDeviceOverview), property: "enrolledDeviceCount", expected: "at least half of the assigned seats (devices.enrolled-share)" },
        remediation: Remediation {
            summary: "Company devices are enrolled in Intune.",
            notices: "Everybody whose device is enrolled: a sign-in during set-up, a management profile on phones, settings that change.",
            check_first: "Entra admin center > Devices > All devices, filtered by 'MDM' none: computers that are joined or registered and not managed.",
            steps: &[
                "Decide per platform which devices must be enrolled and which only need app protection (private phones).",
                "Turn on automatic enrolment for Windows for a pilot group, and connect Apple Business Manager and managed Google Play for phones.",
                "Assign compliance policies before the first wave, so that devices get a state at once.",
                "Enrol department by department; enrol new devices through Autopilot and Apple's automated enrolment only.",
            ],
            portal: "Intune admin center > Devices > Enrollment",
            request: "",
            roll_out: "Pilot with the IT department for 14 days, then one department a week.",
            verify: "enrolledDeviceCount has reached the share of assigned seats that the configuration asks for.",
            roll_back: "Take the group out of the MDM user scope; retire single devices, which removes company data and management only.",
            dangers: &[Danger::VisibleToAll, Danger::BreaksDevices],
            learn: &["https://learn.microsoft.com/intune/intune-service/fundamentals/deployment-guide-enrollment"],
        },
        check: intune_unused,
    }
}

/// Nothing when the Intune subscription is active; the outcome of rules that only apply then when it is not.
pub(super) fn unless_active(cx: &Context<'_>) -> Result<Option<Outcome>, NotEvaluated> {
    let Some(state) = &cx.device_management()?.subscription_state else {
        return Err(NotEvaluated::unknown("subscriptionState is absent"));
    };
    Ok((!state.is("active")).then(|| {
        Outcome::not_applicable(format!(
            "the state of the Intune subscription is {}, not active",
            state.raw()
        ))
    }))
}

fn device_without_policy_compliant(cx: &Context<'_>) -> Verdict {
    if let Some(inactive) = unless_active(cx)? {
        return Ok(inactive);
    }
    // Graph leaves the settings out unless they are selected: then nothing is known. Null inside them is the open default.
    let Some(settings) = &cx.device_management()?.settings else {
        return Err(NotEvaluated::unknown("settings is absent"));
    };
    let actual = match settings.secure_by_default {
        Some(true) => "true",
        Some(false) => "false",
        None => "null",
    };
    Ok(Outcome::setting(
        settings.secure_by_default == Some(true),
        actual,
        "devices without a compliance policy count as not compliant",
        "devices without a compliance policy count as compliant",
    ))
}

fn intune_unused(cx: &Context<'_>) -> Verdict {
    let enrolled = cx
        .managed_device_overview()?
        .enrolled_device_count
        .and_then(|count| u64::try_from(count).ok())
        .ok_or_else(|| NotEvaluated::unknown("enrolledDeviceCount is absent"))?;
    cx.subscribed_skus()?;
    cx.whole(Resource::SubscribedSkus)?;
    let owned = cx
        .licences()
        .owned(Licence::INTUNE.plans())
        .ok_or_else(|| NotEvaluated::unknown("no subscription carries Intune"))?;
    let (seats, consumed) = (owned.seats, owned.consumed);
    let share = cx.config().devices.enrolled_share;
    let numbers = format!(
        "{enrolled} devices are enrolled, {consumed} of {seats} seats with Intune are assigned"
    );
    // No device at all is off, even where nobody has a seat: the share of nothing is no use.
    let outcome = if enrolled == 0 {
        Outcome::fail(numbers).entitlement(EntitlementState::Off)
    } else if u128::from(enrolled) * 100 >= u128::from(share) * u128::from(consumed) {
        Outcome::pass(numbers).entitlement(EntitlementState::InUse)
    } else {
        Outcome::fail(format!("{numbers}; that is less than {share} %"))
            .entitlement(EntitlementState::Partial)
    };
    let outcome = outcome.actual(enrolled.to_string());
    // Only shown: a subscription that is not active explains an empty fleet.
    Ok(match cx.device_management() {
        Ok(intune) => outcome.with_evidence(Evidence::new(
            Some(Resource::DeviceManagement),
            "subscriptionState",
            "active",
            intune
                .subscription_state
                .clone()
                .unwrap_or_else(|| "null".into()),
        )),
        Err(_) => outcome,
    })
}
