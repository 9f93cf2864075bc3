//! Who holds which directory role, and how.

use std::collections::{BTreeMap, BTreeSet};

use super::{ById, Tenant};
use crate::snapshot::model::{DirectoryObject, UnifiedRoleDefinition};
use crate::snapshot::reference;
use crate::snapshot::{Guid, Untrusted};

/// The directory scope of an assignment that holds for the whole tenant.
pub const SCOPE_TENANT: &str = "/";

/// What kind of object holds a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKind {
    /// A user.
    User,
    /// A role-assignable group; its members hold the role too.
    Group,
    /// An application.
    ServicePrincipal,
    /// Graph did not say and the id is in no list that was read.
    Unknown,
}

/// Held now, or available on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Held {
    /// An active assignment.
    Active,
    /// An eligible assignment (Privileged Identity Management).
    Eligible,
}

/// One principal holding one role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// The user or service principal; a group only where its members are unknown.
    pub principal: Guid,
    /// What it is.
    pub kind: PrincipalKind,
    /// Role template id.
    pub role: Guid,
    /// Active or eligible.
    pub held: Held,
    /// `/` for the whole tenant, else an administrative unit or an object.
    pub scope: Untrusted,
    /// The group through which it is held.
    pub through: Option<Guid>,
}

impl Holder {
    /// Held for the whole tenant.
    pub fn is_tenant_wide(&self) -> bool {
        self.scope.raw() == SCOPE_TENANT
    }
}

/// Everybody who holds a directory role, groups expanded.
#[derive(Debug, Clone, Default)]
pub struct Holders {
    /// By principal.
    list: Vec<Holder>,
    /// Roles of the tenant's own making from which it can be taken.
    custom_admin_roles: BTreeSet<Guid>,
}

impl Holders {
    /// Puts together what was read: active assignments, eligible ones if `with_eligible`, members of the groups among them.
    pub(crate) fn build(tenant: &Tenant, with_eligible: bool) -> Self {
        let active = tenant.role_assignments.hints().iter().map(|row| {
            (
                row.principal_id,
                row.role_definition_id,
                &row.directory_scope_id,
                &row.principal,
                Held::Active,
            )
        });
        let eligible = tenant
            .role_eligibility
            .hints()
            .iter()
            .filter(|_| with_eligible)
            .map(|row| {
                (
                    row.principal_id,
                    row.role_definition_id,
                    &row.directory_scope_id,
                    &row.principal,
                    Held::Eligible,
                )
            });
        let members = tenant.group_members.hints();
        let mut holders = BTreeSet::new();
        for (principal, role, scope, expanded, held) in active.chain(eligible) {
            let (Some(principal), Some(role)) = (principal, role) else {
                continue;
            };
            let scope = scope.clone().unwrap_or_else(|| SCOPE_TENANT.into());
            let kind = kind_of(tenant, principal, expanded.as_ref());
            let one = |principal, kind, through| Holder {
                principal,
                kind,
                role,
                held,
                scope: scope.clone(),
                through,
            };
            match group_members(members, principal, kind) {
                Some(users) => holders
                    .extend(users.map(|user| one(user, PrincipalKind::User, Some(principal)))),
                None => drop(holders.insert(one(principal, kind, None))),
            }
        }
        Self {
            list: holders.into_iter().collect(),
            custom_admin_roles: tenant.custom_admin_roles(),
        }
    }

    /// All of them, by principal.
    pub fn iter(&self) -> impl Iterator<Item = &Holder> {
        self.list.iter()
    }

    /// Whether a role is an admin role: one of Microsoft's (see [`reference::is_admin_role`]), or a custom one that carries
    /// actions from which the tenant can be taken.
    pub fn is_admin_role(&self, role: Guid) -> bool {
        reference::is_admin_role(role) || self.custom_admin_roles.contains(&role)
    }

    /// Holders of an admin role.
    pub fn admins(&self) -> impl Iterator<Item = &Holder> {
        self.iter().filter(|holder| self.is_admin_role(holder.role))
    }

    /// Ids of the users who hold an admin role, each once.
    pub fn admin_users(&self) -> BTreeSet<Guid> {
        self.admins()
            .filter(|holder| holder.kind == PrincipalKind::User)
            .map(|holder| holder.principal)
            .collect()
    }

    /// Service principals that hold an admin role, with the roles.
    pub fn admin_service_principals(&self) -> BTreeMap<Guid, Vec<&Holder>> {
        let mut found: BTreeMap<Guid, Vec<&Holder>> = BTreeMap::new();
        for holder in self
            .admins()
            .filter(|holder| holder.kind == PrincipalKind::ServicePrincipal)
        {
            found.entry(holder.principal).or_default().push(holder);
        }
        found
    }

    /// The roles of one principal.
    pub fn of(&self, principal: Guid) -> impl Iterator<Item = &Holder> {
        let start = self
            .list
            .partition_point(|holder| holder.principal < principal);
        self.list
            .iter()
            .skip(start)
            .take_while(move |holder| holder.principal == principal)
    }

    /// Whether the principal holds a role from which the tenant can be taken.
    pub fn holds_tier_0(&self, principal: Guid) -> bool {
        self.of(principal)
            .any(|holder| reference::is_tier_0_role(holder.role))
    }

    /// Who holds a role that Microsoft flags as privileged.
    pub fn privileged(&self) -> impl Iterator<Item = Guid> {
        self.iter()
            .filter(|holder| reference::role(holder.role).is_some_and(|role| role.privileged))
            .map(|holder| holder.principal)
    }

    /// The accounts that synchronise the local directory.
    pub fn sync_accounts(&self) -> BTreeSet<Guid> {
        self.iter()
            .filter(|holder| reference::SYNC_ROLES.contains(&holder.role))
            .map(|holder| holder.principal)
            .collect()
    }
}

fn group_members(
    members: &ById<Guid>,
    principal: Guid,
    kind: PrincipalKind,
) -> Option<impl Iterator<Item = Guid>> {
    (kind == PrincipalKind::Group).then_some(())?;
    members.get(&principal).map(|ids| ids.iter().copied())
}

/// What an assignment's principal is: what Graph expanded, else the list it is in.
fn kind_of(tenant: &Tenant, id: Guid, expanded: Option<&DirectoryObject>) -> PrincipalKind {
    let named = expanded
        .and_then(|object| object.odata_type.as_ref())
        .map(|kind| kind.raw().to_ascii_lowercase());
    match named.as_deref() {
        Some("#microsoft.graph.user") => PrincipalKind::User,
        Some("#microsoft.graph.group") => PrincipalKind::Group,
        Some("#microsoft.graph.serviceprincipal") => PrincipalKind::ServicePrincipal,
        _ if tenant.users.hints().get(id).is_some() => PrincipalKind::User,
        _ if tenant.service_principals.hints().get(id).is_some() => PrincipalKind::ServicePrincipal,
        _ if tenant.group_members.hints().contains_key(&id) => PrincipalKind::Group,
        _ => PrincipalKind::Unknown,
    }
}

/// Actions of a custom role from which the tenant can be taken: whoever has one makes himself an application or a group with
/// more rights. Entries that end in a dot or a slash stand for everything below them.
const TAKEOVER_ACTIONS: [&str; 7] = [
    "microsoft.directory/applications/credentials/update",
    "microsoft.directory/servicePrincipals/credentials/update",
    "microsoft.directory/applications/owners/update",
    "microsoft.directory/servicePrincipals/owners/update",
    "microsoft.directory/applications/allProperties/update",
    "microsoft.directory/servicePrincipals/managePermissionGrantsForAll.",
    "microsoft.directory/groupsAssignableToRoles/",
];

fn is_takeover(action: &str) -> bool {
    TAKEOVER_ACTIONS.iter().any(|known| {
        if known.ends_with(['.', '/']) {
            action
                .get(..known.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(known))
        } else {
            action.eq_ignore_ascii_case(known)
        }
    })
}

impl Tenant {
    /// Enabled custom roles that carry an action from which the tenant can be taken, as far as roles were read.
    pub(crate) fn custom_admin_roles(&self) -> BTreeSet<Guid> {
        let carries = |role: &UnifiedRoleDefinition| {
            let permissions = role.role_permissions.iter().flatten();
            permissions
                .flat_map(|permission| permission.allowed_resource_actions.iter().flatten())
                .any(|action| is_takeover(action.raw()))
        };
        let roles = self.role_definitions.hints().iter();
        roles
            .filter(|role| {
                role.is_built_in == Some(false) && role.is_enabled != Some(false) && carries(role)
            })
            .filter_map(|role| role.id)
            .collect()
    }

    /// What the principal of a role assignment is: what Graph expanded, else the list that has it.
    pub(crate) fn principal_kind(
        &self,
        id: Guid,
        expanded: Option<&DirectoryObject>,
    ) -> PrincipalKind {
        kind_of(self, id, expanded)
    }

    /// Groups that hold a directory role, active or eligible.
    pub fn role_holding_groups(&self) -> BTreeSet<Guid> {
        let active = self
            .role_assignments
            .hints()
            .iter()
            .map(|row| (row.principal_id, &row.principal));
        let eligible = self
            .role_eligibility
            .hints()
            .iter()
            .map(|row| (row.principal_id, &row.principal));
        active
            .chain(eligible)
            .filter_map(|(id, expanded)| {
                let id = id?;
                matches!(
                    kind_of(self, id, expanded.as_ref()),
                    PrincipalKind::Group | PrincipalKind::Unknown
                )
                .then_some(id)
            })
            .collect()
    }
}
