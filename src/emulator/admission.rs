//! Whether a request is let in: what it is charged, which permission it takes, which filter it must have.
use super::errors::Failure;
use super::odata::Query;
use super::routes::{Matched, Needs, Shape};
use super::state::State;
use super::throttle::{Cost, Service, cost};

/// Charges the request; the units are named in the answer of identity requests.
pub(super) fn charge(
    state: &State,
    found: &Matched,
    path: &[String],
    query: Option<&Query>,
) -> Result<Option<(u32, Option<f64>)>, Failure> {
    let keys = query.is_some_and(|query| query.mentions("keyCredentials"))
        && found.type_name == "microsoft.graph.servicePrincipal";
    let sign_ins = state.options.sign_ins_are_reports
        && found.type_name == "microsoft.graph.user"
        && query.is_some_and(|query| query.mentions("signInActivity"));
    let service = if keys {
        Service::KeyCredentials
    } else if sign_ins {
        Service::Reports
    } else {
        found.route.service
    };
    let parts = query.map_or_else(Cost::default, |query| Cost {
        select: query.select.is_some(),
        expand: !query.expand.is_empty(),
        top: query.top,
    });
    let units = cost(service, path, parts);
    let share = state.take(service, units)?;
    Ok((service == Service::Identity).then_some((units, share)))
}

/// Checks permissions, then the query: an application that may not read is not told what is wrong with its query.
pub(super) fn permitted(
    state: &State,
    found: &Matched,
    granted: &[String],
    query: Result<Query, Failure>,
) -> Result<Query, Failure> {
    let route = found.route;
    if !route
        .permissions
        .iter()
        .any(|accepted| has(granted, accepted))
    {
        return Err(denied(route.denied, &route.permissions, granted));
    }
    let query = query?;
    if query.mentions("signInActivity")
        && found.type_name == "microsoft.graph.user"
        && !has(granted, "AuditLog.Read.All")
    {
        return Err(denied("reports", &["AuditLog.Read.All"], granted));
    }
    if state.licences().has(route.licence) {
        needs(route.needs, found.shape, &query)?;
    }
    Ok(query)
}

/// A permission to write includes the one to read.
fn has(granted: &[String], accepted: &str) -> bool {
    granted
        .iter()
        .any(|granted| granted == accepted || granted.replace(".ReadWrite.", ".Read.") == accepted)
}

pub(super) fn denied(family: &str, accepted: &[&str], granted: &[String]) -> Failure {
    let names = match family {
        "intune" => accepted
            .iter()
            .flat_map(|name| [(*name).to_owned(), name.replace(".Read.", ".ReadWrite.")])
            .collect::<Vec<_>>()
            .join(", "),
        _ => accepted.join(","),
    };
    Failure::new(&format!("denied.{family}"), &[&names, &granted.join(",")])
}

fn needs(needs: Needs, shape: Shape, query: &Query) -> Result<(), Failure> {
    let filters = |name: &str| {
        query
            .filter
            .as_ref()
            .is_some_and(|filter| filter.mentions(name))
    };
    let missing = match needs {
        Needs::Scope if !(filters("scopeId") && filters("scopeType")) => "scopeId or scopeType",
        Needs::Group if !(filters("groupId") || filters("principalId")) => "groupId or principalId",
        _ => return Ok(()),
    };
    if shape == Shape::List {
        Err(Failure::new("pimFilterMissing", &[missing]))
    } else {
        Ok(())
    }
}
