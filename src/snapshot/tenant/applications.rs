//! Service principals and the application permissions they hold.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry;

use super::Tenant;
use super::compact::Table;
use super::fold::{Bad, Fold};
use crate::snapshot::model::{ServicePrincipal, ServicePrincipalCredentials};
use crate::snapshot::{Guid, GuidMap, reference};

/// All service principals, by id.
#[derive(Debug, Clone, Default)]
pub struct ServicePrincipals {
    list: Table<ServicePrincipal>,
    by_app_id: GuidMap<u32>,
}

impl ServicePrincipals {
    pub(super) fn push(&mut self, row: ServicePrincipal) -> Result<Fold, Bad> {
        let id = row.id.ok_or_else(|| Bad::new("id", "missing"))?;
        let mut row = row;
        // Nobody but Microsoft decides where Microsoft's own applications answer to, and their lists are the longest.
        if row.is_microsoft_owned() {
            row.reply_urls = None;
        }
        let (app_id, place) = (row.app_id, u32::try_from(self.list.len()));
        let fold = self.list.insert(id, || Ok(row))?;
        if let (Fold::New, Some(app_id), Ok(place)) = (fold, app_id, place) {
            self.by_app_id.entry(app_id).or_insert(place);
        }
        Ok(fold)
    }

    /// All of them, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &ServicePrincipal> {
        self.list.iter().map(|(_, (_, principal))| principal)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.len() == 0
    }

    /// The one with this object id.
    pub fn get(&self, id: Guid) -> Option<&ServicePrincipal> {
        self.list.get(id).map(|(_, (_, principal))| principal)
    }

    /// The first one of this application.
    pub fn by_app_id(&self, app_id: Guid) -> Option<&ServicePrincipal> {
        let place = *self.by_app_id.get(&app_id)?;
        self.list.at(place).map(|(_, principal)| principal)
    }
}

/// Secrets and certificates of service principals, by object id.
#[derive(Debug, Clone, Default)]
pub struct CredentialsById(GuidMap<Option<Box<ServicePrincipalCredentials>>>);

impl CredentialsById {
    pub(super) fn push(&mut self, row: ServicePrincipalCredentials) -> Result<Fold, Bad> {
        let id = row.id.ok_or_else(|| Bad::new("id", "missing"))?;
        // Nearly all of them carry none: then the id alone is kept.
        let none = |length: Option<usize>| length == Some(0);
        let carries_none = none(row.password_credentials.as_ref().map(Vec::len))
            && none(row.key_credentials.as_ref().map(Vec::len));
        Ok(match self.0.entry(id) {
            Entry::Occupied(_) => Fold::Known,
            Entry::Vacant(place) => {
                place.insert((!carries_none).then(|| Box::new(row)));
                Fold::New
            }
        })
    }

    /// What this service principal carries; `None` when there is no row for it.
    pub fn get(&self, id: Guid) -> Option<&ServicePrincipalCredentials> {
        static NONE: ServicePrincipalCredentials = ServicePrincipalCredentials {
            id: None,
            password_credentials: Some(Vec::new()),
            key_credentials: Some(Vec::new()),
        };
        self.0.get(&id).map(|row| row.as_deref().unwrap_or(&NONE))
    }
}

/// Tags that Entra puts on service principals.
const TAG_APPLICATION_PROXY: &str = "WindowsAzureActiveDirectoryOnPremApp";
const TAG_PRIVATE_ACCESS: [&str; 2] = [
    "PrivateAccessNonWebApplication",
    "NetworkAccessQuickAccessApplication",
];

/// Global Secure Access names the service principal of a traffic forwarding profile like this; there is no tag for them.
const FORWARDING_PROFILE: &str = "trafficforwardingprofile";

impl ServicePrincipal {
    /// Carries this tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().flatten().any(|own| own.is(tag))
    }

    /// Published by Application Proxy.
    pub fn is_published_on_premises(&self) -> bool {
        self.has_tag(TAG_APPLICATION_PROXY)
    }

    /// An application of Private Access, Quick Access included.
    pub fn is_private_access(&self) -> bool {
        TAG_PRIVATE_ACCESS.iter().any(|tag| self.has_tag(tag))
    }

    /// Stands for a traffic forwarding profile of Global Secure Access.
    pub fn is_forwarding_profile(&self) -> bool {
        self.display_name.as_ref().is_some_and(|name| {
            name.raw()
                .to_ascii_lowercase()
                .replace(' ', "")
                .contains(FORWARDING_PROFILE)
        })
    }

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
        self.applications_behind(|principal| principal.id.is_some_and(|id| powerful.contains(&id)))
    }

    /// Registrations in this tenant that Application Proxy publishes.
    pub fn published_applications(&self) -> BTreeSet<Guid> {
        self.applications_behind(ServicePrincipal::is_published_on_premises)
    }

    /// Registrations in this tenant that Private Access opens a part of the network for.
    pub fn private_access_applications(&self) -> BTreeSet<Guid> {
        self.applications_behind(ServicePrincipal::is_private_access)
    }

    /// Service principals of Private Access applications and of traffic forwarding profiles.
    pub fn secure_access_principals(&self) -> BTreeSet<Guid> {
        let principals = self.service_principals.hints().iter();
        principals
            .filter(|principal| principal.is_private_access() || principal.is_forwarding_profile())
            .filter_map(|principal| principal.id)
            .collect()
    }

    /// Groups that are assigned to any of those.
    pub fn secure_access_groups(&self) -> BTreeSet<Guid> {
        let assigned = self.secure_access_assignments.hints().values().flatten();
        assigned
            .filter(|row| {
                let kind = row.principal_type.as_ref();
                kind.is_some_and(|kind| kind.is("Group"))
            })
            .filter_map(|row| row.principal_id)
            .collect()
    }

    /// Identities of agents.
    pub fn agents(&self) -> BTreeSet<Guid> {
        let agents = self.agent_identities.hints().iter();
        agents.filter_map(|agent| agent.id).collect()
    }

    /// The service principal of this application.
    pub fn service_principal_of(&self, app_id: Guid) -> BTreeSet<Guid> {
        let principal = self.service_principals.hints().by_app_id(app_id);
        principal
            .and_then(|principal| principal.id)
            .into_iter()
            .collect()
    }

    /// All registrations in this tenant.
    pub fn application_ids(&self) -> BTreeSet<Guid> {
        let applications = self.applications.hints().iter();
        applications
            .filter_map(|application| application.id)
            .collect()
    }

    /// Registrations in this tenant behind the service principals of a kind.
    fn applications_behind(&self, is: impl Fn(&ServicePrincipal) -> bool) -> BTreeSet<Guid> {
        let app_ids: BTreeSet<Guid> = self
            .service_principals
            .hints()
            .iter()
            .filter(|principal| is(principal))
            .filter_map(|principal| principal.app_id)
            .collect();
        let applications = self.applications.hints().iter();
        applications
            .filter(|app| app.app_id.is_some_and(|id| app_ids.contains(&id)))
            .filter_map(|app| app.id)
            .collect()
    }
}
