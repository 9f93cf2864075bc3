//! What is asked object by object, because no list answers it: members of the groups that matter, grants and owners of the
//! applications that matter. The objects follow from what was read before; each kind is batched and bounded by them.

use std::collections::BTreeSet;

use tokio::sync::mpsc;

use super::{
    Ask, CollectError, Ended, Ledger, Sink, Told, pump, requests, spent, state_of, tell_answer,
};
use crate::graph::{ErrorKind, GraphClient, GraphError};
use crate::snapshot::{Guid, Resource, State, Tenant};

/// Requests handed to the client at once; it splits them into batches of twenty.
const CHUNK: usize = 400;

/// Reads the per-object resources that are asked for, and those that only some tenants need.
pub(super) async fn collect(
    client: &GraphClient,
    ask: &Ask,
    sink: &mut dyn Sink,
    ledger: &mut Ledger,
) -> Result<(), CollectError> {
    // Owners follow from grants, so they come last.
    let rounds: [&[Resource]; 2] = [
        &[
            Resource::GroupTransitiveMembers,
            Resource::AppRoleAssignedTo,
            Resource::AuthenticationMethods,
            Resource::InboxRules,
        ],
        &[
            Resource::ApplicationOwners,
            Resource::ServicePrincipalOwners,
        ],
    ];
    for round in rounds {
        for &resource in round
            .iter()
            .filter(|resource| ask.resources.contains(resource))
        {
            match subjects(resource, sink.tenant(), ask) {
                Ok(subjects) => {
                    let reading = |tell| read(client, resource, subjects, tell);
                    pump(sink, ledger, reading).await?;
                }
                Err(state) => {
                    sink.begin(resource);
                    ledger.end(resource, state, sink);
                }
            }
        }
    }
    for &resource in &[
        Resource::DeviceCompliancePoliciesBeta,
        Resource::CompliancePolicies,
    ] {
        if ask.resources.contains(&resource) && has_platform(resource, sink.tenant()) {
            pump(sink, ledger, |tell| {
                super::read_list(client, resource, ask, tell)
            })
            .await?;
        }
    }
    Ok(())
}

/// What has to be read before it is known which objects this resource is asked about, or whether it is asked at all.
pub(super) const fn needs(resource: Resource) -> &'static [Resource] {
    match resource {
        // Groups
        Resource::GroupTransitiveMembers => &[
            Resource::ConditionalAccessPolicies,
            Resource::RoleAssignments,
        ],
        // Applications
        Resource::AppRoleAssignedTo => &[Resource::ServicePrincipals],
        Resource::ApplicationOwners => &[
            Resource::AppRoleAssignedTo,
            Resource::ServicePrincipals,
            Resource::Applications,
        ],
        Resource::ServicePrincipalOwners => {
            &[Resource::AppRoleAssignedTo, Resource::ServicePrincipals]
        }
        // Single accounts
        Resource::AuthenticationMethods | Resource::InboxRules => &[Resource::Users],
        // Devices
        Resource::DeviceCompliancePoliciesBeta | Resource::CompliancePolicies => {
            &[Resource::ManagedDevices]
        }
        _ => &[],
    }
}

/// The objects to ask about.
struct Subjects {
    ids: BTreeSet<Guid>,
    /// Why there may be others: the list that they follow from was read in part. Then no list by object is whole either.
    doubt: Option<String>,
}

/// The objects to ask about, or why they are not known.
fn subjects(resource: Resource, tenant: &Tenant, ask: &Ask) -> Result<Subjects, State> {
    let mut doubt = None;
    let mut known = |source: Resource| {
        let how = match tenant.state(source).0 {
            State::Collected => return Ok(()),
            State::Partial { .. } => "read in part",
            State::Skipped => "not asked for",
            _ => "not read",
        };
        let follows = format!(
            "which objects to ask about follows from {}, which was {how}",
            source.source()
        );
        if matches!(tenant.state(source).0, State::Partial { .. }) {
            doubt.get_or_insert(follows);
            return Ok(());
        }
        Err(State::Failed {
            error: follows.into(),
        })
    };
    let ids = match resource {
        Resource::GroupTransitiveMembers => {
            let mut groups = tenant.role_holding_groups();
            groups.extend(tenant.policy_groups());
            groups
        }
        Resource::AppRoleAssignedTo => {
            known(Resource::ServicePrincipals)?;
            tenant.permission_resources()
        }
        Resource::ServicePrincipalOwners => {
            known(Resource::AppRoleAssignedTo)?;
            tenant.powerful_service_principals()
        }
        Resource::ApplicationOwners => {
            known(Resource::AppRoleAssignedTo)?;
            known(Resource::Applications)?;
            tenant.powerful_applications()
        }
        // The report tells about all accounts at once; only those that it leaves out are asked for one by one.
        Resource::AuthenticationMethods => tenant.without_registration_row(&ask.emergency_accounts),
        Resource::InboxRules => {
            known(Resource::Users)?;
            tenant.mailbox_candidates()
        }
        _ => BTreeSet::new(),
    };
    Ok(Subjects { ids, doubt })
}

fn has_platform(resource: Resource, tenant: &Tenant) -> bool {
    match resource {
        Resource::DeviceCompliancePoliciesBeta => tenant.has_managed_device("Android"),
        _ => tenant.has_managed_device("Linux"),
    }
}

async fn read(
    client: &GraphClient,
    resource: Resource,
    subjects: Subjects,
    tell: mpsc::Sender<Told>,
) {
    let _ = tell.send(Told::Begin(resource)).await;
    let (mut done, mut first_error, mut shortfall) = (0u64, None, subjects.doubt);
    let mut counted = shortfall.is_none().then_some(0u64);
    let all: Vec<Guid> = subjects.ids.into_iter().collect();
    for chunk in all.chunks(CHUNK) {
        let queries = chunk
            .iter()
            .map(|&id| requests::query_of(resource, id))
            .collect();
        for (&id, answer) in chunk.iter().zip(client.batch(queries).await) {
            match tell_answer(client, resource, Some(id), answer, &tell).await {
                ended @ Ended { error: None, .. } => {
                    done += 1;
                    counted = counted
                        .zip(ended.of)
                        .map(|(sum, of)| sum.saturating_add(of));
                    shortfall = shortfall.or_else(|| ended.shortfall());
                }
                Ended {
                    error: Some(error),
                    begun,
                    ..
                } if !begun && is_gone(&error) => {
                    // A deleted group has no members, an account without a mailbox no rules.
                    let effort = spent(Some(&error));
                    let _ = tell
                        .send(Told::Rows {
                            resource,
                            of: Some(id),
                            rows: Vec::new(),
                            count: None,
                            next: None,
                            effort,
                        })
                        .await;
                    done += 1;
                }
                Ended { error, .. } => first_error = first_error.or(error),
            }
        }
    }
    let state = match (first_error, shortfall) {
        (None, None) => State::Collected,
        (None, Some(shortfall)) => State::Partial {
            of: counted,
            error: shortfall.into(),
        },
        (Some(error), _) if done > 0 => State::Partial {
            of: None,
            error: error.to_string().into(),
        },
        (Some(error), _) => state_of(resource, &error),
    };
    let _ = tell
        .send(Told::End {
            resource,
            state,
            effort: crate::graph::Effort::default(),
        })
        .await;
}

fn is_gone(error: &GraphError) -> bool {
    error.kind() == ErrorKind::NotFound
}
