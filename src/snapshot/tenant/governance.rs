//! Which objects governance and policies point at: what is asked object by object follows from here.

use std::collections::{BTreeMap, BTreeSet};

use super::Tenant;
use crate::snapshot::model::{
    ConditionalAccessPolicyState, DomainAuthenticationType, NetworkAccessStatus,
};
use crate::snapshot::{Guid, Untrusted};

impl Tenant {
    /// Federated domains by the GUID that stands for their name.
    pub fn federated_domains(&self) -> BTreeMap<Guid, Untrusted> {
        let federated = Some(DomainAuthenticationType::Federated);
        let domains = self.domains.hints().iter();
        domains
            .filter(|domain| domain.authentication_type == federated)
            .map(|domain| (Guid::of_domain(domain.id.raw()), domain.id.clone()))
            .collect()
    }

    /// Groups whose members approve requests for access packages or review requests for consent.
    pub fn approving_groups(&self) -> BTreeSet<Guid> {
        let policies = self.assignment_policies.hints().iter();
        let approvers = policies
            .filter_map(|policy| policy.request_approval_settings.as_ref()?.stages.as_ref())
            .flatten()
            .flat_map(|stage| [&stage.primary_approvers, &stage.fallback_primary_approvers])
            .flatten()
            .flatten()
            .filter_map(|approver| approver.group_id);
        let consent = self.admin_consent_request_policy.hints().iter();
        let reviewers = consent
            .filter_map(|policy| policy.reviewers.as_ref())
            .flatten()
            .filter_map(|reviewer| group_of(reviewer.query.as_ref()?.raw()));
        approvers.chain(reviewers).collect()
    }

    /// Access packages of the catalogues that were read.
    pub fn access_package_ids(&self) -> BTreeSet<Guid> {
        let catalogs = self.access_package_catalogs.hints().iter();
        catalogs
            .filter_map(|catalog| catalog.access_packages.as_ref())
            .flatten()
            .filter_map(|package| package.id)
            .collect()
    }

    /// Whether a Conditional Access policy is enabled, as far as policies were read.
    pub fn has_enabled_policy(&self) -> bool {
        let mut policies = self.conditional_access_policies.hints().iter();
        policies.any(|policy| policy.state == Some(ConditionalAccessPolicyState::Enabled))
    }

    /// Whether Global Secure Access signals to Conditional Access, so that there is a compliant network.
    pub fn signals_compliant_network(&self) -> bool {
        let mut settings = self.network_access_conditional_access.hints().iter();
        settings.any(|setting| setting.signaling_status == Some(NetworkAccessStatus::Enabled))
    }
}

/// The group that an address such as `/v1.0/groups/{id}/transitiveMembers/microsoft.graph.user` is about.
fn group_of(query: &str) -> Option<Guid> {
    let path = query.split('?').next()?;
    let mut segments = path.split('/');
    segments.find(|segment| segment.eq_ignore_ascii_case("groups"))?;
    segments.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_in_an_address_and_nothing_else_is() {
        let id = "62e90394-69f5-4237-9190-012177145e10";
        let cases = [
            (
                format!("/groups/{id}/transitiveMembers/microsoft.graph.user"),
                true,
            ),
            (format!("/v1.0/groups/{id}/members?$count=true"), true),
            (format!("/beta/Groups/{id}"), true),
            (format!("/users/{id}"), false),
            (format!("/v1.0/users/{id}?$expand=/groups/{id}"), false),
            ("/groups/everybody".to_owned(), false),
            ("/groups".to_owned(), false),
            (String::new(), false),
        ];
        for (query, found) in cases {
            assert_eq!(group_of(&query).is_some(), found, "{query}");
        }
    }
}
