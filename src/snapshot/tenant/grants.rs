//! Delegated permissions, in compact form.

use serde_json::value::RawValue;

use super::compact::Distinct;
use super::fold::{Arrival, Bad, Fold, parse};
use crate::snapshot::model::{ConsentType, OAuth2PermissionGrant};
use crate::snapshot::{Guid, Untrusted};

/// What was granted. The applications of a tenant ask for few different things.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Terms {
    consent_type: Option<ConsentType>,
    resource: Option<Guid>,
    scope: Option<Untrusted>,
}

#[derive(Debug, Clone)]
struct Row {
    client: Option<Guid>,
    principal: Option<Guid>,
    terms: u32,
}

/// All delegated permissions: forty bytes each.
#[derive(Debug, Clone, Default)]
pub struct DelegatedGrants {
    list: Vec<Row>,
    terms: Distinct<Terms>,
}

/// A delegated permission, granted to an application by one user or for all.
#[derive(Debug, Clone, Copy)]
pub struct DelegatedGrant<'a> {
    row: &'a Row,
    terms: &'a Terms,
}

impl<'a> DelegatedGrant<'a> {
    /// Object id of the service principal that may act.
    pub fn client_id(self) -> Option<Guid> {
        self.row.client
    }

    /// The user who granted it; `None` where it holds for all.
    pub fn principal_id(self) -> Option<Guid> {
        self.row.principal
    }

    /// Object id of the service principal of the resource.
    pub fn resource_id(self) -> Option<Guid> {
        self.terms.resource
    }

    /// For one user or for everybody.
    pub fn consent_type(self) -> Option<&'a ConsentType> {
        self.terms.consent_type.as_ref()
    }

    /// Names of permissions, separated by blanks.
    pub fn scope(self) -> Option<&'a Untrusted> {
        self.terms.scope.as_ref()
    }
}

impl DelegatedGrants {
    pub(super) fn push(&mut self, mut arrival: Arrival<'_>, row: &RawValue) -> Result<Fold, Bad> {
        let grant: OAuth2PermissionGrant = parse(row)?;
        let fold = arrival.note(row)?;
        if fold == Fold::New {
            let terms = self.terms.place(Terms {
                consent_type: grant.consent_type,
                resource: grant.resource_id,
                scope: grant.scope,
            })?;
            self.list.push(Row {
                client: grant.client_id,
                principal: grant.principal_id,
                terms,
            });
        }
        Ok(fold)
    }

    /// All of them, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = DelegatedGrant<'_>> {
        self.list.iter().filter_map(|row| {
            let terms = self.terms.at(row.terms)?;
            Some(DelegatedGrant { row, terms })
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}
