//! Who holds which directory role, and how.

use std::collections::{BTreeMap, BTreeSet};

use super::{ById, Tenant};
use crate::snapshot::model::DirectoryObject;
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
pub struct Holders(Vec<Holder>);

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
        Self(holders.into_iter().collect())
    }

    /// All of them, by principal.
    pub fn iter(&self) -> impl Iterator<Item = &Holder> {
        self.0.iter()
    }

    /// Holders of an admin role (see [`reference::is_admin_role`]).
    pub fn admins(&self) -> impl Iterator<Item = &Holder> {
        self.iter()
            .filter(|holder| reference::is_admin_role(holder.role))
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
            .0
            .partition_point(|holder| holder.principal < principal);
        self.0
            .iter()
            .skip(start)
            .take_while(move |holder| holder.principal == principal)
    }

    /// Whether the principal holds a role from which the tenant can be taken.
    pub fn holds_tier_0(&self, principal: Guid) -> bool {
        self.of(principal)
            .any(|holder| reference::is_tier_0_role(holder.role))
    }

    /// Whether the principal holds a role that Microsoft flags as privileged.
    pub fn holds_privileged(&self, principal: Guid) -> bool {
        self.of(principal)
            .any(|holder| reference::role(holder.role).is_some_and(|role| role.privileged))
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
    members: &ById<DirectoryObject>,
    principal: Guid,
    kind: PrincipalKind,
) -> Option<impl Iterator<Item = Guid>> {
    (kind == PrincipalKind::Group).then_some(())?;
    members
        .get(&principal)
        .map(|rows| rows.iter().filter_map(|row| row.id))
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

impl Tenant {
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
