//! What a question names, looked up where the tenant is known.

use super::{Fault, nearest};
use crate::snapshot::tenant::User;
use crate::snapshot::{Guid, Resource, State, Tenant, UntrustedRef, reference};

/// Against what names are looked up.
#[derive(Clone, Copy)]
pub enum Names<'a> {
    /// Nothing was read yet: whether something exists is not asked, and UPNs stand for nobody.
    Later,
    /// The accounts, places and strengths of a tenant, as far as they were read.
    In(&'a Tenant),
}

impl Names<'_> {
    fn was_read(self, resource: Resource) -> bool {
        match self {
            Self::Later => false,
            Self::In(tenant) => matches!(tenant.state(resource).0, State::Collected),
        }
    }

    /// An account by object id or UPN.
    pub(super) fn user(self, at: usize, text: &str) -> Result<Guid, Fault> {
        let id = text.parse::<Guid>().ok();
        if id.is_none() && !text.contains('@') {
            return Err(Fault::at(
                at,
                format!("`{text}` is neither the object id of an account nor a UPN"),
            ));
        }
        let Self::In(tenant) = self else {
            return Ok(id.unwrap_or(Guid::new(0)));
        };
        let users = tenant.users.hints();
        if let Some(user) = users.find(text) {
            return Ok(user.id());
        }
        let whole = self.was_read(Resource::Users);
        match id {
            Some(id) if !whole => Ok(id),
            _ => Err(Fault {
                at,
                message: if whole {
                    format!("there is no account `{text}`")
                } else {
                    format!(
                        "there is no account `{text}` among those that were read, and not all were"
                    )
                },
                nearest: nearest(
                    text,
                    users
                        .iter()
                        .map(User::user_principal_name)
                        .map(UntrustedRef::raw),
                ),
            }),
        }
    }

    /// A role by template id or by the name of a built-in one.
    pub(super) fn role(at: usize, text: &str) -> Result<Guid, Fault> {
        if let Some(id) = text
            .parse()
            .ok()
            .or_else(|| reference::role_named(text.trim()))
        {
            return Ok(id);
        }
        let names = reference::admin_roles().filter_map(reference::role);
        Err(Fault {
            at,
            message: format!("`{text}` is neither the template id nor the name of a built-in role"),
            nearest: nearest(text, names.map(|role| role.name)),
        })
    }

    /// A named location by its id.
    pub(super) fn location(self, at: usize, text: &str) -> Result<Guid, Fault> {
        let id = guid(at, text, "the id of a named location")?;
        if let Self::In(tenant) = self {
            let known = tenant.named_locations.hints().iter();
            let mut ids = known
                .filter_map(|location| location.id.as_ref())
                .map(ToString::to_string);
            if self.was_read(Resource::NamedLocations)
                && id != ALL_COMPLIANT_NETWORKS
                && !ids.any(|known| known.eq_ignore_ascii_case(&id.to_string()))
            {
                return Err(Fault::at(
                    at,
                    format!("there is no named location `{text}`"),
                ));
            }
        }
        Ok(id)
    }

    /// An authentication strength by its id.
    pub(super) fn strength(self, at: usize, text: &str) -> Result<Guid, Fault> {
        let id = guid(at, text, "the id of an authentication strength")?;
        if let Self::In(tenant) = self {
            let known = tenant.authentication_strengths.hints().iter();
            let mut ids = known.filter_map(|strength| strength.id.as_ref());
            if self.was_read(Resource::AuthenticationStrengthPolicies)
                && !ids.any(|known| known.is(&id.to_string()))
            {
                return Err(Fault::at(
                    at,
                    format!("there is no authentication strength `{text}`"),
                ));
            }
        }
        Ok(id)
    }
}

/// The place that stands for every compliant network. Source: Graph's `conditionalAccessLocations`.
const ALL_COMPLIANT_NETWORKS: Guid = Guid::new(0x3d46_dbda_8382_466a_856d_eb00_cbc6_b910);

/// An id of something that only has one.
pub(super) fn guid(at: usize, text: &str, what: &str) -> Result<Guid, Fault> {
    text.parse()
        .map_err(|_| Fault::at(at, format!("`{text}` is not {what}: a GUID is needed")))
}
