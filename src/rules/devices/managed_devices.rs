//! The devices themselves: compliant, encrypted, without a reported threat.

use std::fmt::Write as _;

use crate::rules::prelude::*;
use crate::snapshot::model::{ComplianceState, ManagedDeviceOwnerType, PartnerReportedThreatState};
use crate::snapshot::tenant::ManagedDevice;

declare_rule! {
    /// The share of devices that keep the rules is the number behind every other promise about devices.
    ///
    /// A few devices are always behind: on holiday, in repair, just set up. When it is more than a few, either the policy does not fit
    /// the fleet or nobody follows up, and Conditional Access cannot ask for compliance without locking out those people.
    ///
    /// Devices in their grace period count as compliant. Devices without a state, and those that only Configuration Manager manages,
    /// are left out.
    pub(crate) static DEVICE_NON_COMPLIANT = {
        id: "device-non-compliant",
        title: "Too many managed devices are not compliant",
        area: Area::Devices,
        kind: Kind::Population,
        risk: Risk(2, 2, 1),
        effort: EffortBySize(Effort::M, Effort::L, Effort::L),
        disruption: Disruption::Admins,
        after: &["compliance-policy-missing", "device-without-policy-compliant"],
        licence: Licence::INTUNE,
        reads: &[Resource::ManagedDevices],
        controls: &[NistCsf2("DE.CM-09")],
        evidence: Expected { source: Some(Resource::ManagedDevices), property: "complianceState", expected: "at most 5 % noncompliant, conflict or error (devices.non-compliant-share)" },
        remediation: Remediation {
            summary: "Non-compliant devices are put right or retired, until they are few.",
            notices: "The users of these devices: they are asked to update, to encrypt or to set a screen lock.",
            check_first: "Intune admin center > Reports > Device compliance > 'Noncompliant devices and settings': which setting fails most often.",
            steps: &[
                "Take the setting that fails most often first: one cause usually explains most of the devices.",
                "Resolve 'conflict' (two policies with different values) and 'error' (the policy cannot be applied) in the policies, not on the devices.",
                "Turn on the mail to the user in 'Actions for noncompliance'.",
                "Retire devices that have not checked in for months, and set a clean-up rule for them.",
            ],
            portal: "Intune admin center > Devices > Compliance",
            request: "POST /v1.0/deviceManagement/managedDevices/{id}/syncDevice",
            roll_out: "Setting by setting; give users 14 days after the first mail.",
            verify: "The share of non-compliant devices is at or below the limit.",
            roll_back: "Nothing to take back for devices that were put right; a retired device is enrolled again.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/intune/intune-service/protect/compliance-policy-monitor"],
        },
        check: device_non_compliant,
    }
}

declare_rule! {
    /// The threat protection on the device says that it is in trouble.
    ///
    /// High severity or compromised means that the product found something that it did not, or could not, clean up. Whoever sits on
    /// that device has the user's sessions and files at this moment.
    ///
    /// It needs a threat defence product that is connected to Intune; without one no device ever reports a threat.
    pub(crate) static DEVICE_THREAT_REPORTED = {
        id: "device-threat-reported",
        title: "A device has a serious threat reported",
        area: Area::Devices,
        kind: Kind::Population,
        risk: Risk(3, 3, 3),
        effort: Effort::S.always(),
        disruption: Disruption::Nobody,
        licence: Licence::INTUNE,
        reads: &[Resource::ManagedDevices],
        controls: &[NistCsf2("RS.MA-02")],
        act_now: true,
        evidence: Expected { source: Some(Resource::ManagedDevices), property: "partnerReportedThreatState", expected: "neither highSeverity nor compromised" },
        remediation: Remediation {
            summary: "The devices are isolated, looked at, and cleaned or set up anew.",
            notices: "The user of each device cannot work on it until it is released.",
            check_first: "Open the device in the Defender portal (or the connected product): active alerts, signed-in users, first sign of the threat.",
            steps: &[
                "Isolate the device from the network.",
                "Revoke the sessions of everybody who signed in on it and reset their passwords from another device.",
                "Run a full scan and follow the incident to its first step; set the device up anew when that step is not understood.",
                "Release the device when the product reports it as secured.",
            ],
            portal: "Microsoft Defender portal > Assets > Devices",
            request: "POST /v1.0/deviceManagement/managedDevices/{id}/windowsDefenderScan {\"quickScan\": false}",
            roll_out: "At once, device by device.",
            verify: "partnerReportedThreatState of each device is neither highSeverity nor compromised.",
            roll_back: "Release the device from isolation in the same place.",
            dangers: &[Danger::BreaksDevices],
            learn: &["https://learn.microsoft.com/defender-endpoint/respond-machine-alerts"],
        },
        check: device_threat_reported,
    }
}

declare_rule! {
    /// A lost laptop without encryption is a lost file server.
    ///
    /// Whoever finds it takes the disk out and reads mail, files and stored sign-ins; no password is asked for. Nobody can prove
    /// afterwards that the data was not read, so it must be reported as if it was.
    pub(crate) static DEVICE_UNENCRYPTED = {
        id: "device-unencrypted",
        title: "Managed computers are not encrypted",
        area: Area::Devices,
        kind: Kind::Population,
        risk: Risk(2, 2, 1),
        effort: EffortBySize(Effort::M, Effort::M, Effort::L),
        disruption: Disruption::Admins,
        licence: Licence::INTUNE,
        reads: &[Resource::ManagedDevices],
        controls: &[NistCsf2("PR.DS-01")],
        evidence: Expected { source: Some(Resource::ManagedDevices), property: "isEncrypted", expected: "true on each Windows and macOS device" },
        remediation: Remediation {
            summary: "Managed Windows and macOS computers are encrypted and their recovery keys are kept in the directory.",
            notices: "On Windows hardly anybody; Mac users sign out and in once and confirm FileVault.",
            check_first: "Intune admin center > Devices > Monitor > Device encryption status: readiness, TPM and error of each computer.",
            steps: &[
                "Create a disk encryption policy for Windows (BitLocker, silent, recovery key to Entra ID) and one for macOS (FileVault, key escrow to Intune).",
                "Assign them to a pilot group and look at the encryption report for errors.",
                "Assign them to all computers; replace computers without a TPM.",
                "Ask for encryption in the compliance policy, so that a new gap shows up by itself.",
                "Decide about personally owned computers separately: they are marked in the list.",
            ],
            portal: "Intune admin center > Endpoint security > Disk encryption",
            request: "",
            roll_out: "Pilot for 7 days with each hardware model in it, then in waves; check that keys arrive before each wave.",
            verify: "isEncrypted is true on each Windows and macOS device.",
            roll_back: "Remove the assignment; computers stay encrypted until somebody decrypts them, which is not advised.",
            dangers: &[Danger::BreaksDevices],
            learn: &["https://learn.microsoft.com/intune/intune-service/protect/encrypt-devices"],
        },
        check: device_unencrypted,
    }
}

fn device_non_compliant(cx: &Context<'_>) -> Verdict {
    let limit = cx.config().devices.non_compliant_share;
    let devices = cx.managed_devices()?;
    // A share of a part says nothing about the whole, in either direction.
    cx.whole(Resource::ManagedDevices)?;
    let mut affected = Affected::default();
    let (mut judged, mut in_grace, mut stateless, mut untold) = (0_u64, 0_u64, 0_u64, 0_u64);
    for device in devices.iter() {
        match device.compliance_state() {
            None => untold += 1,
            Some(ComplianceState::Unknown) => stateless += 1,
            Some(ComplianceState::ConfigManager) => {}
            Some(state) => {
                judged += 1;
                match state {
                    ComplianceState::Noncompliant
                    | ComplianceState::Conflict
                    | ComplianceState::Error => {
                        let object = || {
                            device_object(device).detail(format!(
                                "{}, {}",
                                state.as_str(),
                                owner(device)
                            ))
                        };
                        affected.add_lazily(ObjectType::Device, device.id(), || false, object);
                    }
                    ComplianceState::InGracePeriod => in_grace += 1,
                    _ => {}
                }
            }
        }
    }
    if judged == 0 {
        return match untold {
            0 => Ok(Outcome::not_applicable(
                "no managed device has a compliance state",
            )),
            _ => Err(NotEvaluated::unknown(format!(
                "complianceState of {untold} managed devices is absent"
            ))),
        };
    }
    let failing = affected.count();
    let mut reason = format!("{failing} of {judged} managed devices are not compliant");
    for (count, what) in [
        (in_grace, "in the grace period count as compliant"),
        (
            stateless.saturating_add(untold),
            "without a known state are left out",
        ),
    ] {
        if count > 0 {
            let _ = write!(reason, "; {count} {what}");
        }
    }
    let in_place = u128::from(failing) * 100 <= u128::from(limit) * u128::from(judged);
    let mut outcome = if in_place {
        Outcome::pass(format!("{reason}; up to {limit} % is accepted"))
            .affecting(Affected::default(), judged)
    } else {
        Outcome::fail(format!("{reason}; that is more than {limit} %")).affecting(affected, judged)
    };
    outcome.unknown = untold;
    Ok(outcome.actual(format!("{failing} of {judged}")))
}

fn device_threat_reported(cx: &Context<'_>) -> Verdict {
    let mut tally = Tally::new();
    let mut silent = 0_u64;
    for device in cx.managed_devices()?.iter() {
        let Some(state) = device.partner_reported_threat_state() else {
            tally.unknown();
            continue;
        };
        if matches!(
            state,
            PartnerReportedThreatState::Misconfigured | PartnerReportedThreatState::Unresponsive
        ) {
            silent += 1;
        }
        let serious = matches!(
            state,
            PartnerReportedThreatState::HighSeverity | PartnerReportedThreatState::Compromised
        );
        if serious {
            tally.fail_directory(ObjectType::Device, device.id(), || {
                device_object(device).detail(format!("{}, {}", state.as_str(), owner(device)))
            });
        } else {
            tally.pass();
        }
    }
    Ok(
        tally.outcome("there are no managed devices", |failing, all| {
            let mut reason = format!("{failing} of {all} managed devices report a serious threat");
            if silent > 0 {
                let _ = write!(
                    reason,
                    "; on {silent} the threat protection is misconfigured or does not answer"
                );
            }
            reason
        }),
    )
}

fn device_unencrypted(cx: &Context<'_>) -> Verdict {
    let mut tally = Tally::new();
    let (mut personal, mut of_unknown_system) = (0_u64, 0_u64);
    for device in cx.managed_devices()?.iter() {
        let Some(system) = device.operating_system() else {
            of_unknown_system += 1;
            continue;
        };
        if !(system.is("Windows") || system.is("macOS")) {
            continue;
        }
        let Some(encrypted) = device.is_encrypted() else {
            tally.unknown();
            continue;
        };
        if !encrypted
            && device.managed_device_owner_type() == Some(&ManagedDeviceOwnerType::Personal)
        {
            personal += 1;
        }
        if encrypted {
            tally.pass();
        } else {
            tally.fail_directory(ObjectType::Device, device.id(), || {
                device_object(device).detail(format!("{}, {}", system.raw(), owner(device)))
            });
        }
    }
    // Whether such a device is a computer is not known, so it is neither judged nor left out.
    (0..of_unknown_system).for_each(|_| tally.unknown());
    Ok(tally.outcome(
        "there are no managed Windows or macOS devices",
        |failing, all| {
            let mut reason =
                format!("{failing} of {all} managed Windows and macOS devices are not encrypted");
            if personal > 0 {
                let _ = write!(reason, "; {personal} of these are personally owned");
            }
            reason
        },
    ))
}

fn device_object(device: ManagedDevice<'_>) -> Object {
    let (id, name) = (device.id(), device.device_name());
    if name.is_blank() {
        Object::directory(ObjectType::Device, id, id.to_string())
    } else {
        Object::directory(ObjectType::Device, id, name)
    }
}

fn owner(device: ManagedDevice<'_>) -> &'static str {
    match device.managed_device_owner_type() {
        Some(ManagedDeviceOwnerType::Company) => "company-owned",
        Some(ManagedDeviceOwnerType::Personal) => "personally owned",
        _ => "owner not known",
    }
}
