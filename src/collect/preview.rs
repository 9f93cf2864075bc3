//! The few requests of `doctor`: the tenant, its licences, the application that asks and what it was granted. Two round trips.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::requests;
use crate::graph::odata::quote;
use crate::graph::{Answer, ErrorKind, GraphClient, GraphError, Query};
use crate::snapshot::model::ServicePrincipal;
use crate::snapshot::preview::{Answered, Own, Preview};
use crate::snapshot::{Guid, Resource};

/// Asks. A request that is refused leaves its part unread; the error is that no answer can be had at all.
pub async fn preview(client: &GraphClient, app_id: Option<Guid>) -> Result<Preview, GraphError> {
    let now = client.clock().now();
    let mut queries = vec![
        requests::query(Resource::Organization, now, 0),
        requests::query(Resource::SubscribedSkus, now, 0),
    ];
    if let Some(app_id) = app_id {
        let same = format!("appId eq {}", quote(&app_id.to_string()));
        for resource in [Resource::Applications, Resource::ServicePrincipals] {
            // Without $top and $count: one object at most, and no advanced query.
            let select = requests::properties(resource);
            queries.push(Query::v1(resource.path()).select(select).filter(&same));
        }
    }
    let mut answers = client.batch(queries).await;
    if answers.iter().all(is_lost)
        && let Some(Err(error)) = answers.pop()
    {
        return Err(error);
    }
    let mut answers = answers.into_iter();
    let mut next = || answers.next().unwrap_or_else(|| Err(unasked()));
    let organization = first(next());
    let subscribed_skus = rows(next());
    let Some(_) = app_id else {
        return Ok(Preview {
            organization,
            subscribed_skus,
            own: None,
        });
    };
    let application = first(next());
    let service_principal: Answered<Option<ServicePrincipal>> = first(next());
    let id = match &service_principal {
        Ok(Some(found)) => found
            .id
            .ok_or_else(|| "its id is not in the answer".to_owned()),
        Ok(None) => Err("there is no service principal".to_owned()),
        Err(error) => Err(error.clone()),
    };
    let (app_roles, directory_roles) = match id {
        Err(error) => (Err(error.clone()), Err(error)),
        Ok(id) => {
            let queries = vec![
                Query::v1(&format!("/servicePrincipals/{id}/appRoleAssignments")).top(999),
                Query::v1(Resource::RoleAssignments.path())
                    .filter(&format!("principalId eq {}", quote(&id.to_string()))),
            ];
            let mut answers = client.batch(queries).await.into_iter();
            let mut next = || answers.next().unwrap_or_else(|| Err(unasked()));
            (rows(next()), rows(next()))
        }
    };
    Ok(Preview {
        organization,
        subscribed_skus,
        own: Some(Own {
            application,
            service_principal,
            app_roles,
            directory_roles,
        }),
    })
}

/// Whether it is no answer of Graph at all.
fn is_lost(answer: &Result<Answer, GraphError>) -> bool {
    answer.as_ref().is_err_and(|error| {
        !matches!(
            error.kind(),
            ErrorKind::Forbidden
                | ErrorKind::NotLicensed
                | ErrorKind::NotFound
                | ErrorKind::BadRequest
        )
    })
}

fn unasked() -> GraphError {
    GraphError::MissingPart {
        path: "a part that was asked for".to_owned(),
    }
}

fn first<T: DeserializeOwned>(answer: Result<Answer, GraphError>) -> Answered<Option<T>> {
    Ok(rows(answer)?.into_iter().next())
}

fn rows<T: DeserializeOwned>(answer: Result<Answer, GraphError>) -> Answered<Vec<T>> {
    let answer = answer.map_err(|error| error.to_string())?;
    let rows = answer.rows().map_err(|error| error.to_string())?;
    let read = |row: &RawValue| serde_json::from_str(row.get()).ok();
    let rows: Option<Vec<T>> = rows.iter().map(|row| read(row)).collect();
    rows.ok_or_else(|| {
        format!(
            "the answer to {} holds a row that cannot be read",
            answer.path
        )
    })
}
