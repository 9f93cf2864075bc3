//! App protection policies for phones and tablets.

use super::assignment::{any, reaches_anybody};
use super::device_management::unless_active;
use crate::rules::prelude::*;
use crate::snapshot::model::ManagedAppProtection;

declare_rule! {
    /// Company mail and files on a private phone can be copied anywhere and cannot be taken back.
    ///
    /// An app protection policy guards the data inside Outlook, Teams and the other Office apps without managing the phone: a PIN
    /// for the app, no copying into private apps, a wipe of company data alone. Without one, a lost phone or a leaver takes the
    /// data along. A policy that is assigned to nobody protects nobody.
    pub(crate) static APP_PROTECTION_POLICY_MISSING = {
        id: "app-protection-policy-missing",
        title: "Phones have no app protection policy",
        area: Area::Devices,
        kind: Kind::Entitlement,
        risk: Risk(2, 2, 1),
        effort: Effort::M.always(),
        disruption: Disruption::Users,
        licence: Licence::INTUNE,
        protection: Some(Protection { name: "App protection" }),
        reads: &[Resource::DeviceManagement, Resource::IosManagedAppProtections, Resource::AndroidManagedAppProtections],
        controls: &[NistCsf2("PR.DS-10")],
        evidence: Expected { source: Some(Resource::IosManagedAppProtections), property: "isAssigned", expected: "an assigned policy for iOS and one for Android" },
        remediation: Remediation {
            summary: "Company data in the Office apps on iOS and Android is protected by a policy that is assigned to the people who have it.",
            notices: "People who use company apps on a phone: the app restarts once, asks for a PIN and refuses copying into private apps. On Android the Company Portal app must be present.",
            check_first: "Intune admin center > Apps > Monitor > App protection status: who uses company apps on which platform.",
            steps: &[
                "Create one policy for iOS/iPadOS and one for Android, target 'Core Microsoft Apps', and begin with Microsoft's level 1 (enterprise basic data protection).",
                "Assign both to a pilot group, then to everybody who reads company mail on a phone.",
                "Later require 'app protection policy' for phones in Conditional Access: without that, apps that know no policies still get in.",
            ],
            portal: "Intune admin center > Apps > Protection",
            request: "POST /v1.0/deviceAppManagement/iosManagedAppProtections/{id}/assign {\"assignments\": [{\"target\": {\"@odata.type\": \"#microsoft.graph.groupAssignmentTarget\", \"groupId\": \"{group}\"}}]}",
            roll_out: "Pilot for 7 days with both platforms in it, then everybody; tell people about the PIN beforehand.",
            verify: "iOS and Android each have a policy with isAssigned true.",
            roll_back: "Remove the assignment; the apps drop the policy at their next check-in and the data stays.",
            dangers: &[Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/intune/intune-service/apps/app-protection-policies"],
        },
        check: app_protection_policy_missing,
    }
}

fn app_protection_policy_missing(cx: &Context<'_>) -> Verdict {
    if let Some(inactive) = unless_active(cx)? {
        return Ok(inactive);
    }
    let platforms = [
        (
            "iOS",
            cx.ios_app_protections()?,
            Resource::IosManagedAppProtections,
        ),
        (
            "Android",
            cx.android_app_protections()?,
            Resource::AndroidManagedAppProtections,
        ),
    ];
    let mut tally = Tally::new();
    let mut covered = 0_u32;
    for (platform, policies, resource) in platforms {
        match any(policies.iter().map(is_assigned)) {
            Some(true) => {
                covered += 1;
                tally.pass();
            }
            // A policy that was not read may be the assigned one.
            Some(false) if cx.whole(resource).is_ok() => tally.fail(
                Object::new(ObjectType::Platform, platform, platform).detail(
                    match policies.len() {
                        0 => "no policy".to_owned(),
                        1 => "1 policy, assigned to nobody".to_owned(),
                        some => format!("{some} policies, assigned to nobody"),
                    },
                ),
            ),
            _ => tally.unknown(),
        }
    }
    let state = match (covered, tally.failing()) {
        (_, 0) => EntitlementState::InUse,
        (0, _) => EntitlementState::Off,
        _ => EntitlementState::Partial,
    };
    Ok(tally
        .outcome("no platform", |failing, all| match failing {
            0 => "iOS and Android have an assigned app protection policy".to_owned(),
            _ => {
                format!("{failing} of {all} phone platforms have no assigned app protection policy")
            }
        })
        .entitlement(state))
}

/// Assigned, and not to exclusions alone; `None` when neither the flag nor the list says.
fn is_assigned(policy: &ManagedAppProtection) -> Option<bool> {
    let targets = policy.assignments.as_ref().map(|assignments| {
        reaches_anybody(
            assignments
                .iter()
                .map(|assignment| assignment.target.as_ref()),
        )
    });
    match (policy.is_assigned, targets) {
        (Some(false), _) => Some(false),
        (flag, None) => flag,
        (_, Some(answer)) => answer,
    }
}
