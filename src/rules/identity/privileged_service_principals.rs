//! Which service principals hold an admin role: what the rules about their secrets and owners start from.

use std::collections::{BTreeMap, BTreeSet};

use crate::rules::prelude::*;
use crate::snapshot::reference;
use crate::snapshot::tenant::{Holder, PrincipalKind};

/// Service principals with an admin role.
pub(super) struct Privileged<'a> {
    /// By object id, with what they hold; may be empty only together with objects of unknown kind.
    pub(super) admins: BTreeMap<Guid, Vec<&'a Holder>>,
    /// Holders of an admin role of which Graph did not say what they are: each may be a service principal.
    pub(super) of_unknown_kind: u64,
}

/// Finds them; the inner `Err` is the outcome where there is none to judge.
///
/// The caller declares what [`Context::holders`] reads.
pub(super) fn find<'a>(cx: &Context<'a>) -> Result<Result<Privileged<'a>, Outcome>, NotEvaluated> {
    let holders = cx.holders()?;
    let admins = holders.admin_service_principals();
    let of_unknown_kind = holders
        .admins()
        .filter(|holder| holder.kind == PrincipalKind::Unknown)
        .map(|holder| holder.principal)
        .collect::<BTreeSet<_>>()
        .len() as u64;
    if !admins.is_empty() || of_unknown_kind > 0 {
        return Ok(Ok(Privileged {
            admins,
            of_unknown_kind,
        }));
    }
    let any_role = holders.iter().any(|holder| {
        matches!(
            holder.kind,
            PrincipalKind::ServicePrincipal | PrincipalKind::Unknown
        )
    });
    Ok(Err(if any_role {
        Outcome::pass("no service principal holds an admin role")
    } else {
        Outcome::not_applicable("no service principal holds a directory role")
    }))
}

/// The roles as one phrase, each once; a role that is not built in stands under its id.
pub(super) fn role_names(held: &[&Holder]) -> String {
    let names: BTreeSet<String> = held
        .iter()
        .map(|holder| {
            reference::role(holder.role)
                .map_or_else(|| holder.role.to_string(), |role| role.name.to_owned())
        })
        .collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}
