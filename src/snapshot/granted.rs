//! Permissions that somebody holds, against those that a request needs.

use std::collections::BTreeSet;

use super::Resource;

/// Names of granted permissions, application or delegated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted(BTreeSet<String>);

impl<T: Into<String>> FromIterator<T> for Granted {
    fn from_iter<I: IntoIterator<Item = T>>(names: I) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }
}

impl Resource {
    /// Permissions that Graph takes in place of the first of [`Resource::permissions`]; each covers more, so none is ever asked for.
    /// Source: Microsoft Graph permission tables, August 2026. What stands in them but answers less than is read here, is left out.
    pub const fn also_accepted(self) -> &'static [&'static str] {
        match self {
            Self::Organization
            | Self::Domains
            | Self::Users
            | Self::SignInActivity
            | Self::RoleAssignments
            | Self::AdminConsentRequestPolicy
            | Self::Applications
            | Self::ServicePrincipals
            | Self::AppRoleAssignedTo
            | Self::ApplicationOwners
            | Self::ServicePrincipalOwners => &["Directory.Read.All"],
            Self::SubscribedSkus => &["Organization.Read.All", "Directory.Read.All"],
            Self::RoleDefinitions => &["Directory.Read.All", "RoleManagement.Read.All"],
            Self::RoleEligibilityScheduleInstances | Self::RoleAssignmentScheduleInstances => {
                &["RoleManagement.Read.Directory", "RoleManagement.Read.All"]
            }
            Self::GroupTransitiveMembers | Self::GroupSettings => {
                &["Group.Read.All", "Directory.Read.All"]
            }
            Self::AuthenticationStrengthPolicies => &["Policy.Read.All"],
            _ => &[],
        }
    }
}

impl Granted {
    /// Every name, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The granted permission that gives this one: itself, or the one to write, which includes the one to read.
    pub fn gives(&self, permission: &str) -> Option<&str> {
        let writes = permission.replacen(".Read", ".ReadWrite", 1);
        let given = self.0.get(permission).or_else(|| self.0.get(&writes));
        given.map(String::as_str)
    }

    /// The granted permissions that a resource is read with, and those that are missing for it.
    pub fn for_resource(&self, resource: Resource) -> (BTreeSet<&str>, BTreeSet<&'static str>) {
        let (mut used, mut missing) = (BTreeSet::new(), BTreeSet::new());
        for (place, &permission) in resource.permissions().iter().enumerate() {
            let instead = resource
                .also_accepted()
                .iter()
                .filter(|_| place == 0)
                .copied();
            let mut given = std::iter::once(permission).chain(instead);
            match given.find_map(|permission| self.gives(permission)) {
                Some(name) => used.insert(name),
                None => missing.insert(permission),
            };
        }
        (used, missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(granted: &[&str], resource: Resource) -> Vec<&'static str> {
        let granted: Granted = granted.iter().copied().collect();
        granted.for_resource(resource).1.into_iter().collect()
    }

    #[test]
    fn what_covers_more_will_do() {
        for (granted, resource) in [
            (&["User.Read.All"][..], Resource::Users),
            (&["Directory.Read.All"], Resource::Users),
            (&["User.ReadWrite.All"], Resource::Users),
            (&["Directory.ReadWrite.All"], Resource::Users),
            (
                &["Directory.Read.All", "AuditLog.Read.All"],
                Resource::SignInActivity,
            ),
            (&["MailboxSettings.ReadWrite"], Resource::InboxRules),
            (
                &["RoleManagement.Read.Directory"],
                Resource::RoleAssignmentScheduleInstances,
            ),
        ] {
            assert!(missing(granted, resource).is_empty(), "{granted:?}");
        }
    }

    #[test]
    fn what_is_missing_is_named_by_the_least_that_mends_it() {
        let both = ["AuditLog.Read.All", "User.Read.All"];
        assert_eq!(missing(&[], Resource::SignInActivity), both);
        let one = ["AuditLog.Read.All"];
        assert_eq!(
            missing(&["Directory.Read.All"], Resource::SignInActivity),
            one,
            "another in place of the first only"
        );
        assert_eq!(missing(&both, Resource::Domains), ["Domain.Read.All"]);
        let basic = ["User.ReadBasic.All", "User.Read", "user.read.all"];
        assert_eq!(missing(&basic, Resource::Users), ["User.Read.All"]);
        assert_eq!(
            missing(&["Policy.Read.All"], Resource::PermissionGrantPolicies),
            ["Policy.Read.PermissionGrant"]
        );
    }

    #[test]
    fn what_is_used_is_the_least_that_is_there() {
        let granted: Granted = ["User.Read.All", "Directory.Read.All"]
            .into_iter()
            .collect();
        let used = granted.for_resource(Resource::Users).0;
        assert_eq!(used.into_iter().collect::<Vec<_>>(), ["User.Read.All"]);
    }
}
