//! Reports: what an evaluation says, for people and for programs.
//!
//! [`model`] is the JSON report, version 1, with structures of its own so that inner types may change; each format is a file. Nothing is
//! judged here. Every text from a tenant goes through the escaping of the place it is written to.

pub mod access;
mod build;
pub mod doctor;
pub mod json;
pub mod model;
pub mod permissions;
pub mod rules;
pub mod table;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::access::Proof;
use crate::config::Owners;
use crate::plan::{Entitlement, Plan, Question};
use crate::rules::Finding;
use crate::snapshot::model::Organization;
use crate::snapshot::{Header, Record, Resource, Untrusted};

/// Everything that a report is made from.
#[derive(Debug)]
pub struct Assessment<'a> {
    /// Which tenant, and when it was read.
    pub header: &'a Header,
    /// What the tenant says of itself.
    pub tenant: TenantName,
    /// The moment that ages were counted to.
    pub evaluated_at: Timestamp,
    /// One finding per rule that was looked at.
    pub findings: Vec<Finding>,
    /// What to do, in which order.
    pub plan: Plan,
    /// What is owned, and how far it is used.
    pub entitlements: Vec<Entitlement>,
    /// The questions of a review.
    pub questions: Vec<Question>,
    /// The named guarantees of Conditional Access, answered; none where policies were not asked for.
    pub access: Vec<Proof>,
    /// How the reading of each resource ended.
    pub records: &'a BTreeMap<Resource, Record>,
    /// Who looks after each area.
    pub owners: &'a Owners,
}

/// A tenant's name.
#[derive(Debug, Clone, Default)]
pub struct TenantName {
    /// Tenant id, or the domain that it was asked by when its id could not be read.
    pub id: Untrusted,
    /// Display name.
    pub display_name: Option<Untrusted>,
    /// Default domain.
    pub default_domain: Option<Untrusted>,
}

impl TenantName {
    /// The name of the tenant of a snapshot.
    pub fn of(header: &Header, tenant: &crate::snapshot::Tenant) -> Self {
        Self::from_organization(header.tenant.clone(), tenant.organization())
    }

    /// The name of the tenant that was asked for as `asked`, by what it says of itself.
    pub fn from_organization(asked: Untrusted, organization: Option<&Organization>) -> Self {
        Self {
            id: organization
                .and_then(|row| row.id)
                .map_or(asked, |id| id.to_string().into()),
            display_name: organization.and_then(|row| row.display_name.clone()),
            default_domain: organization.and_then(|row| {
                let domains = row.verified_domains.iter().flatten();
                domains
                    .into_iter()
                    .find(|domain| domain.is_default == Some(true))
                    .and_then(|domain| domain.name.clone())
            }),
        }
    }
}
