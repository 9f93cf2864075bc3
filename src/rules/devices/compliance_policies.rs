//! Compliance policies, platform by platform.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::assignment::{any, reaches_anybody};
use crate::rules::prelude::*;
use crate::snapshot::model::{
    DeviceCompliancePolicy, DeviceCompliancePolicyAssignment, ManagedDeviceOwnerType,
};

declare_rule! {
    /// Where no compliance policy applies, no device is ever non-compliant.
    ///
    /// A compliance policy says what a healthy device is: encrypted, up to date, with a screen lock, without a threat. A platform
    /// in use without one passes every check unseen, however old or open the device is. Company and personal Android devices need a
    /// policy of their own type each.
    ///
    /// Policies for company Android devices and for Linux are only in Graph's beta version, which is read when there are such devices.
    pub(crate) static COMPLIANCE_POLICY_MISSING = {
        id: "compliance-policy-missing",
        title: "A platform in use has no assigned compliance policy",
        area: Area::Devices,
        kind: Kind::Setting,
        risk: Risk(2, 2, 1),
        effort: Effort::M.always(),
        disruption: Disruption::Admins,
        licence: Licence::INTUNE,
        reads: &[Resource::ManagedDevices, Resource::DeviceCompliancePolicies],
        may_read: &[Resource::DeviceCompliancePoliciesBeta, Resource::CompliancePolicies],
        controls: &[NistCsf2("PR.PS-01")],
        evidence: Expected { source: Some(Resource::DeviceCompliancePolicies), property: "assignments", expected: "an assigned policy for each platform in use" },
        remediation: Remediation {
            summary: "Each platform in use has a compliance policy that is assigned to its devices.",
            notices: "Nobody at first: devices get a state. People notice when Conditional Access asks for a compliant device.",
            check_first: "Intune admin center > Devices > All devices, grouped by OS and ownership: how many devices of the missing platform there are and which versions they run.",
            steps: &[
                "Create a policy for each missing platform: encryption, a minimum OS version that is still supported, a screen lock, no jailbreak or root.",
                "Set the action 'Mark device noncompliant' to a grace period of a few days and add a mail to the user.",
                "Assign it to all devices or all users of the platform, not to a test group.",
                "For Android make one policy for fully managed and dedicated devices and one for personally owned work profiles.",
            ],
            portal: "Intune admin center > Devices > Compliance > Policies",
            request: "POST /v1.0/deviceManagement/deviceCompliancePolicies/{id}/assign {\"assignments\": [{\"target\": {\"@odata.type\": \"#microsoft.graph.allDevicesAssignmentTarget\"}}]}",
            roll_out: "Pilot group for 7 days, then everybody; look at the non-compliant devices before Conditional Access asks for compliance.",
            verify: "Each platform with a managed device has a policy whose assignments are not empty.",
            roll_back: "Remove the assignment of the policy.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/intune/intune-service/protect/device-compliance-get-started"],
        },
        check: compliance_policy_missing,
    }
}

/// Devices that one kind of policy covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Platform {
    Windows,
    MacOs,
    Ios,
    /// `managedDeviceOwnerType` company.
    AndroidCompany,
    /// `managedDeviceOwnerType` personal.
    AndroidPersonal,
    /// Whose it is, is not said: any policy for Android will do.
    Android,
    Linux,
}

impl Platform {
    /// Of a device's `operatingSystem`, free text in Graph; `None` for systems that have no compliance policies here.
    fn of(system: &str, owner: Option<&ManagedDeviceOwnerType>) -> Option<Self> {
        let system = system.trim().to_ascii_lowercase();
        Some(match system.as_str() {
            "windows" => Self::Windows,
            "macos" => Self::MacOs,
            "ios" | "ipados" => Self::Ios,
            // `Linux (ubuntu)` names the distribution.
            _ if system.starts_with("linux") => Self::Linux,
            _ if system.starts_with("android") => match owner {
                Some(ManagedDeviceOwnerType::Company) => Self::AndroidCompany,
                Some(ManagedDeviceOwnerType::Personal) => Self::AndroidPersonal,
                _ => Self::Android,
            },
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Windows => "Windows",
            Self::MacOs => "macOS",
            Self::Ios => "iOS/iPadOS",
            Self::AndroidCompany => "Android (company-owned)",
            Self::AndroidPersonal => "Android (personally owned)",
            Self::Android => "Android",
            Self::Linux => "Linux",
        }
    }

    /// Whether a policy of this Graph type (`@odata.type`) is for this platform. Source: `deviceCompliancePolicy`, v1.0 and beta.
    fn is_covered_by(self, odata_type: &str) -> bool {
        let kind = odata_type
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        match self {
            Self::Windows => kind == "windows10compliancepolicy",
            Self::MacOs => kind == "macoscompliancepolicy",
            Self::Ios => kind == "ioscompliancepolicy",
            Self::AndroidCompany => kind == "androiddeviceownercompliancepolicy",
            Self::AndroidPersonal => kind == "androidworkprofilecompliancepolicy",
            Self::Android => kind.starts_with("android") && kind.ends_with("compliancepolicy"),
            Self::Linux => false,
        }
    }

    /// Whether policies for this platform may be in beta only.
    const fn needs_beta(self) -> bool {
        matches!(self, Self::AndroidCompany | Self::Android)
    }
}

fn compliance_policy_missing(cx: &Context<'_>) -> Verdict {
    let devices = cx.managed_devices()?;
    let mut platforms: BTreeMap<Platform, u64> = BTreeMap::new();
    let (mut untold, mut others) = (0_u64, 0_u64);
    for device in devices.iter() {
        let owner = device.managed_device_owner_type();
        match device.operating_system() {
            None => untold += 1,
            Some(system) => match Platform::of(system.raw(), owner) {
                Some(platform) => *platforms.entry(platform).or_default() += 1,
                None => others += 1,
            },
        }
    }
    if platforms.is_empty() {
        return match (untold, others) {
            (0, 0) => Ok(Outcome::not_applicable("there are no managed devices")),
            (0, _) => Ok(Outcome::not_applicable(format!(
                "the {others} managed devices run systems without compliance policies"
            ))),
            _ => Err(NotEvaluated::unknown(format!(
                "the operating system of {untold} managed devices is not known"
            ))),
        };
    }
    let mut missing = Affected::default();
    let mut covered = BTreeSet::new();
    let mut unclear = None;
    for (&platform, count) in &platforms {
        match has_policy(cx, platform) {
            Ok(true) => drop(covered.insert(platform.name())),
            Ok(false) => missing.add(
                Object::new(ObjectType::Platform, platform.name(), platform.name())
                    .detail(format!("{count} managed devices")),
            ),
            Err(why) => unclear = unclear.or(Some(why)),
        }
    }
    let all = platforms.len();
    let mut notes = String::new();
    if others > 0 {
        let _ = write!(
            notes,
            "; {others} devices run systems without compliance policies"
        );
    }
    if missing.count() > 0 {
        let known = u64::try_from(covered.len()).unwrap_or(u64::MAX) + missing.count();
        if unclear.is_some() {
            notes.push_str("; other platforms could not be judged");
        }
        let names: Vec<&str> = missing.objects().map(|object| object.id.as_str()).collect();
        return Ok(Outcome::fail(format!(
            "{} of {all} platforms in use have no assigned compliance policy{notes}",
            missing.count()
        ))
        .actual(format!("none for {}", names.join(", ")))
        .affecting(missing, known));
    }
    if let Some(why) = unclear {
        return Err(why);
    }
    if untold > 0 {
        let _ = write!(
            notes,
            "; the operating system of {untold} devices is not known"
        );
    }
    let names: Vec<&str> = covered.into_iter().collect();
    let mut outcome = Outcome::pass(format!(
        "all {all} platforms in use have an assigned compliance policy{notes}"
    ))
    .actual(format!("assigned for {}", names.join(", ")));
    // Devices of an unknown system may be of a platform without a policy: too many of them and there is no pass.
    outcome.judged = platforms.values().sum();
    outcome.unknown = untold;
    Ok(outcome)
}

/// Whether a policy for the platform is assigned to anybody. A list that was cut short proves nothing missing.
fn has_policy(cx: &Context<'_>, platform: Platform) -> Result<bool, NotEvaluated> {
    if platform == Platform::Linux {
        return linux_has_policy(cx);
    }
    let mut sources = vec![(
        cx.device_compliance_policies()?,
        Resource::DeviceCompliancePolicies,
    )];
    let mut answer = assigned(platform, cx.device_compliance_policies()?);
    if answer != Some(true) && platform.needs_beta() {
        let beta = cx.device_compliance_policies_beta()?;
        sources.push((beta, Resource::DeviceCompliancePoliciesBeta));
        answer = any([answer, assigned(platform, beta)].into_iter());
    }
    match answer {
        Some(true) => Ok(true),
        Some(false) => {
            for (_, resource) in sources {
                cx.whole(resource)?;
            }
            Ok(false)
        }
        None => Err(unassignable(platform)),
    }
}

fn assigned(platform: Platform, policies: &[DeviceCompliancePolicy]) -> Option<bool> {
    any(policies
        .iter()
        .filter_map(|policy| match &policy.odata_type {
            Some(kind) => platform
                .is_covered_by(kind.raw())
                .then(|| targets_anybody(policy.assignments.as_ref())),
            // A policy of unknown type may be for this platform.
            None => match targets_anybody(policy.assignments.as_ref()) {
                Some(false) => None,
                _ => Some(None),
            },
        }))
}

fn linux_has_policy(cx: &Context<'_>) -> Result<bool, NotEvaluated> {
    let policies = cx.compliance_policies()?;
    let answer = any(policies.iter().filter_map(|policy| {
        let reaches = targets_anybody(policy.assignments.as_ref());
        match &policy.platforms {
            Some(platforms) => platforms
                .raw()
                .split(',')
                .any(|platform| platform.trim().eq_ignore_ascii_case("linux"))
                .then_some(reaches),
            None if reaches == Some(false) => None,
            None => Some(None),
        }
    }));
    match answer {
        Some(true) => Ok(true),
        Some(false) => {
            cx.whole(Resource::CompliancePolicies)?;
            Ok(false)
        }
        None => Err(unassignable(Platform::Linux)),
    }
}

fn targets_anybody(assignments: Option<&Vec<DeviceCompliancePolicyAssignment>>) -> Option<bool> {
    reaches_anybody(
        assignments?
            .iter()
            .map(|assignment| assignment.target.as_ref()),
    )
}

fn unassignable(platform: Platform) -> NotEvaluated {
    NotEvaluated::unknown(format!(
        "whether a policy for {} is assigned is not said",
        platform.name()
    ))
}
