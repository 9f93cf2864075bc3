//! What can be left out of a collection, or added to it, by name.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::with_needs;
use crate::snapshot::Resource;

macro_rules! groups {
    ($( $(#[$doc:meta])* $variant:ident = $name:literal, $opt_in:literal, [$($resource:ident),+ $(,)?]; )+) => {
        /// Resources that one may want to do without, because they are slow, large or private.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Group { $( $(#[$doc])* $variant, )+ }

        impl Group {
            /// All groups.
            pub const ALL: &'static [Group] = &[$(Group::$variant),+];

            /// The name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Group::$variant => $name,)+ }
            }

            /// Read only when asked for: one request per account, or private.
            pub const fn is_opt_in(self) -> bool {
                match self { $(Group::$variant => $opt_in,)+ }
            }

            /// What belongs to it.
            pub const fn resources(self) -> &'static [Resource] {
                match self { $(Group::$variant => &[$(Resource::$resource),+],)+ }
            }
        }
    };
}

groups! {
    /// Which sign-in methods everybody has registered: five requests in ten seconds at best.
    RegistrationReport = "registration-report", false, [RegistrationDetails];
    /// When accounts were last used: behaves as if it counted as a report.
    SignInActivity = "sign-in-activity", false, [SignInActivity];
    /// Everything of Intune.
    Intune = "intune", false, [
        DeviceManagement, ManagedDevices, ManagedDeviceOverview, DeviceCompliancePolicies,
        DeviceCompliancePoliciesBeta, CompliancePolicies, IosManagedAppProtections,
        AndroidManagedAppProtections, DeviceConfigurations, ConfigurationPolicies,
        ConfigurationPolicySettings, Intents, IosManagedAppProtectionsBeta,
        AndroidManagedAppProtectionsBeta, DeviceEnrollmentConfigurations, DepOnboardingSettings,
        DepEnrollmentProfiles, VppTokens, ApplePushNotificationCertificate,
        AndroidManagedStoreAccountEnterpriseSettings, MobileThreatDefenseConnectors,
        NdesConnectors, ManagedDeviceCleanupRules, WindowsFeatureUpdateProfiles,
        DataProcessorServiceForWindowsFeaturesOnboarding, IntuneBrandingProfiles,
        OperationApprovalPolicies, OperationApprovalPolicy, IntuneRoleAssignments,
        IntuneRoleAssignment,
    ];
    /// Devices, in the directory and in Intune; not the policies for them.
    Devices = "devices", false, [
        Devices, DeviceLocalCredentials, ManagedDevices, DeviceCompliancePoliciesBeta,
        CompliancePolicies,
    ];
    /// Groups, their owners, and when they expire; members of groups that hold roles are read all the same.
    Groups = "groups", false, [Groups, GroupOwners, GroupLifecyclePolicies];
    /// Owners of every application and service principal; those of powerful ones are read all the same.
    ApplicationOwners = "application-owners", false, [
        ApplicationsWithOwners, ServicePrincipalsWithOwners,
    ];
    /// Delegated permissions.
    DelegatedGrants = "delegated-grants", false, [OAuth2PermissionGrants];
    /// Sponsors of guests, leave dates of employees.
    AccountDetails = "account-details", false, [GuestSponsors, EmployeeLeave, KrbtgtAccounts];
    /// Risky users, service principals and sign-ins: one request a second at best.
    Risk = "risk", false, [
        RiskyUsers, RiskDetections, RiskyServicePrincipals, RiskNotifications,
    ];
    /// Alerts and incidents.
    Alerts = "alerts", false, [
        Alerts, DlpAlerts, CloudAppsAlerts, InsiderRiskAlerts, Incidents, ResolvedIncidents,
    ];
    /// Access reviews, access packages, lifecycle workflows.
    Governance = "governance", false, [
        AccessReviewDefinitions, AssignmentPolicies, AccessPackageCatalogs, AccessPackages,
        LifecycleWorkflows,
    ];
    /// Global Secure Access.
    SecureAccess = "secure-access", false, [
        ForwardingProfiles, NetworkAccessConditionalAccess, FilteringPolicies, FilteringProfiles,
        NamedLocationsBeta, SecureAccessAssignments, AssignedGroupNestedGroups,
        ApplicationSegments,
    ];
    /// Usage: who sent mail, which applications signed in.
    UsageReports = "usage-reports", false, [EmailActivity, ServicePrincipalSignInActivities];
    /// Inbox rules of every mailbox.
    MailboxRules = "mailbox-rules", true, [InboxRules];
    /// What every mailbox is for.
    MailboxSettings = "mailbox-settings", true, [MailboxSettings];
    /// The per-user state of multifactor authentication of every account.
    PerUserMfa = "per-user-mfa", true, [AuthenticationRequirements];
    /// Federated credentials of every application.
    FederatedCredentials = "federated-credentials", true, [FederatedIdentityCredentials];
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no such group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no group `{name}`: {known}")]
pub struct UnknownGroup {
    name: String,
    known: String,
}

impl FromStr for Group {
    type Err = UnknownGroup;

    fn from_str(name: &str) -> Result<Self, UnknownGroup> {
        Self::ALL
            .iter()
            .copied()
            .find(|group| group.name() == name)
            .ok_or_else(|| UnknownGroup {
                name: name.to_owned(),
                known: Self::ALL
                    .iter()
                    .map(|group| group.name())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }
}

/// Every resource that these groups leave: what was wanted and what it needs, without what was given up and what nobody asked for.
pub fn choose(
    mut wanted: BTreeSet<Resource>,
    with: &[Group],
    without: &[Group],
    beta: bool,
) -> BTreeSet<Resource> {
    with_needs(&mut wanted);
    for group in Group::ALL {
        if without.contains(group) || (group.is_opt_in() && !with.contains(group)) {
            for resource in group.resources() {
                wanted.remove(resource);
            }
        }
    }
    wanted.retain(|resource| beta || resource.version() != "beta");
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_a_request_per_account_is_in_a_group_to_ask_for() {
        let opt_in = Group::ALL.iter().filter(|group| group.is_opt_in());
        let named: BTreeSet<_> = opt_in.flat_map(|group| group.resources()).collect();
        let all = Resource::ALL.iter();
        assert_eq!(named, all.filter(|resource| resource.is_opt_in()).collect());
    }

    #[test]
    fn what_is_private_is_read_on_request_only() {
        let all = || Resource::ALL.iter().copied().collect::<BTreeSet<_>>();
        let plain = choose(all(), &[], &[], true);
        assert!(!plain.contains(&Resource::InboxRules));
        assert!(plain.contains(&Resource::CompliancePolicies));
        assert!(choose(all(), &[Group::MailboxRules], &[], true).contains(&Resource::InboxRules));
        let less = choose(
            all(),
            &[],
            &[Group::Devices, Group::RegistrationReport],
            true,
        );
        assert!(!less.contains(&Resource::ManagedDevices));
        assert!(!less.contains(&Resource::RegistrationDetails));
        assert!(less.contains(&Resource::SignInActivity));
        let stable = choose(all(), &[], &[], false);
        assert!(stable.iter().all(|resource| resource.version() == "v1.0"));
        assert_eq!(
            "device"
                .parse::<Group>()
                .unwrap_err()
                .to_string()
                .split(':')
                .next(),
            Some("there is no group `device`")
        );
    }
}
