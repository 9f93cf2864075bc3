//! Service principals and the application permissions they hold.

use std::collections::BTreeSet;

use super::{Bad, Tenant};
use crate::snapshot::model::ServicePrincipal;
use crate::snapshot::{Guid, GuidMap, reference};

/// All service principals, by id.
#[derive(Debug, Clone, Default)]
pub struct ServicePrincipals {
    list: Vec<ServicePrincipal>,
    by_id: GuidMap<u32>,
}

impl ServicePrincipals {
    pub(super) fn push(&mut self, row: ServicePrincipal) -> Result<(), Bad> {
        let id = row.id.ok_or_else(|| Bad::new("id", "missing"))?;
        let index = u32::try_from(self.list.len())
            .map_err(|_| Bad::new("id", "more service principals than this version can hold"))?;
        if let std::collections::hash_map::Entry::Vacant(e) = self.by_id.entry(id) {
            e.insert(index);
            self.list.push(row);
        }
        Ok(())
    }

    /// All of them, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &ServicePrincipal> {
        self.list.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The one with this object id.
    pub fn get(&self, id: Guid) -> Option<&ServicePrincipal> {
        self.by_id
            .get(&id)
            .and_then(|&index| self.list.get(index as usize))
    }

    /// The one of this application.
    pub fn by_app_id(&self, app_id: Guid) -> Option<&ServicePrincipal> {
        self.list
            .iter()
            .find(|principal| principal.app_id == Some(app_id))
    }
}

impl ServicePrincipal {
    /// Written and run by Microsoft.
    pub fn is_microsoft_owned(&self) -> bool {
        self.app_owner_organization_id
            .is_some_and(|owner| reference::MICROSOFT_TENANTS.contains(&owner))
    }

    /// Microsoft verified who publishes it. Graph sends the object with null members where nobody is verified.
    pub fn has_verified_publisher(&self) -> bool {
        self.verified_publisher
            .as_ref()
            .and_then(|publisher| publisher.verified_publisher_id.as_ref())
            .is_some_and(|id| !id.is_blank())
    }
}

/// An application permission held by a service principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// Who holds it.
    pub principal: Guid,
    /// App id of the resource that offers it (Graph, Exchange Online, SharePoint Online).
    pub resource_app: Guid,
    /// App role id.
    pub app_role: Guid,
}

impl Grant {
    /// Whether it is a permission of Microsoft Graph of this tier.
    pub fn is_graph_tier(&self, tier: u8) -> bool {
        self.resource_app == reference::MICROSOFT_GRAPH
            && reference::permission(self.app_role)
                .is_some_and(|permission| permission.tier == tier)
    }
}

impl Tenant {
    /// Application permissions granted to service principals, as far as read.
    pub(crate) fn grants(&self) -> impl Iterator<Item = Grant> {
        self.app_role_assigned_to
            .hints()
            .iter()
            .flat_map(|(resource, rows)| {
                let resource_app = self
                    .service_principals
                    .hints()
                    .get(*resource)
                    .and_then(|principal| principal.app_id);
                rows.iter().filter_map(move |row| {
                    row.principal_type
                        .as_ref()
                        .is_none_or(|kind| kind.is("ServicePrincipal"))
                        .then_some(())?;
                    Some(Grant {
                        principal: row.principal_id?,
                        resource_app: resource_app?,
                        app_role: row.app_role_id?,
                    })
                })
            })
    }

    /// Object ids of the resource principals whose grants are read: Graph, Exchange Online, SharePoint Online.
    pub fn permission_resources(&self) -> BTreeSet<Guid> {
        [
            reference::MICROSOFT_GRAPH,
            reference::EXCHANGE_ONLINE,
            reference::SHAREPOINT_ONLINE,
        ]
        .iter()
        .filter_map(|&app| self.service_principals.hints().by_app_id(app)?.id)
        .collect()
    }

    /// Service principals from which the tenant can be taken: a tier-0 permission or an admin role.
    pub fn powerful_service_principals(&self) -> BTreeSet<Guid> {
        let by_permission = self
            .grants()
            .filter(|grant| grant.is_graph_tier(0))
            .map(|grant| grant.principal);
        let holders = super::Holders::build(self, true);
        by_permission
            .chain(holders.admin_service_principals().into_keys())
            .collect()
    }

    /// Registrations in this tenant behind the powerful service principals.
    pub fn powerful_applications(&self) -> BTreeSet<Guid> {
        let powerful = self.powerful_service_principals();
        let principals = self.service_principals.hints();
        let app_ids: BTreeSet<Guid> = powerful
            .iter()
            .filter_map(|&id| principals.get(id)?.app_id)
            .collect();
        let applications = self.applications.hints().iter();
        applications
            .filter(|app| app.app_id.is_some_and(|id| app_ids.contains(&id)))
            .filter_map(|app| app.id)
            .collect()
    }
}
