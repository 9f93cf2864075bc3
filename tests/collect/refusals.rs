//! Each resource refused in turn: it says so, names the permission, and takes nothing with it but what follows from it.

use super::*;

/// Application permissions of which any one opens the list of a resource, as the emulator's table has them.
fn accepted(resource: Resource) -> BTreeSet<&'static str> {
    let path = resource.path().split('?').next().unwrap();
    let path = &path.replace("'D7'", "'{period}'");
    // A cast is the same list.
    let path = ["/microsoft.graph.user", "/microsoft.graph.group"]
        .iter()
        .find_map(|cast| path.strip_suffix(cast))
        .unwrap_or(path.as_str());
    let routes = include_str!("../../fixtures/graph/routes.tsv").lines();
    let line = routes
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .find(|line| line[1] == path && (line[0] == "both" || line[0] == resource.version()))
        .unwrap_or_else(|| panic!("no route {path}"));
    line[2].split(',').collect()
}

/// The lists from which the objects of a list by object follow.
fn sources(resource: Resource) -> &'static [Resource] {
    match resource {
        Resource::AppRoleAssignedTo
        | Resource::SecureAccessAssignments
        | Resource::DelegatedPermissionClassifications
        | Resource::OwnAppRoleAssignments => &[Resource::ServicePrincipals],
        Resource::ApplicationPublishing | Resource::ApplicationSegments => {
            &[Resource::ServicePrincipals, Resource::Applications]
        }
        Resource::AssignedGroupNestedGroups => &[Resource::SecureAccessAssignments],
        Resource::AgentIdentityOwners => &[Resource::AgentIdentities],
        Resource::ServicePrincipalOwners => &[Resource::AppRoleAssignedTo],
        Resource::ApplicationOwners => &[Resource::AppRoleAssignedTo, Resource::Applications],
        Resource::MobileDeviceManagementAuthority => &[Resource::Organization],
        Resource::ConfigurationPolicySettings => &[Resource::ConfigurationPolicies],
        Resource::DepEnrollmentProfiles => &[Resource::DepOnboardingSettings],
        Resource::OperationApprovalPolicy => &[Resource::OperationApprovalPolicies],
        Resource::IntuneRoleAssignment => &[Resource::IntuneRoleAssignments],
        Resource::FederationConfiguration => &[Resource::Domains],
        Resource::GroupOwners => &[
            Resource::RoleAssignments,
            Resource::RoleEligibilityScheduleInstances,
        ],
        Resource::AccessPackages => &[Resource::AccessPackageCatalogs],
        Resource::ConditionalAccessPoliciesBeta => &[Resource::ConditionalAccessPolicies],
        Resource::NamedLocationsBeta => &[Resource::NetworkAccessConditionalAccess],
        _ => &[],
    }
}

/// Asked only when another list shows that there is something to ask, which it does not in this tenant: no Linux device, no compliant
/// network, no Private Access.
fn is_left_out(resource: Resource) -> bool {
    matches!(
        resource,
        Resource::CompliancePolicies
            | Resource::NamedLocationsBeta
            | Resource::ApplicationSegments
            | Resource::SecureAccessAssignments
            | Resource::AssignedGroupNestedGroups
    )
}

/// Everything, and nothing before what it follows from.
fn in_order() -> Vec<Resource> {
    fn depth(resource: Resource) -> usize {
        let above = sources(resource).iter().map(|&source| 1 + depth(source));
        above.max().unwrap_or_default()
    }
    let mut all: Vec<Resource> = most().into_iter().collect();
    all.sort_by_key(|&resource| depth(resource));
    all
}

/// What an app with these permissions should get.
fn expected(granted: &BTreeSet<String>) -> BTreeMap<Resource, &'static str> {
    let mut troubles = out_of_reach_of_most();
    for &resource in &in_order() {
        let opens = accepted(resource)
            .iter()
            .any(|permission| granted.contains(*permission));
        // Beyond the list itself, what is selected from it may need more: `signInActivity`. The date on which somebody leaves is
        // null without its permission.
        let selected = if resource == Resource::EmployeeLeave {
            1
        } else {
            usize::MAX
        };
        let more = resource.permissions().iter().take(selected).skip(1);
        let refused = !opens
            || !more
                .into_iter()
                .all(|permission| granted.contains(*permission));
        if sources(resource)
            .iter()
            .any(|source| troubles.contains_key(source))
        {
            troubles.insert(resource, "failed");
        } else if refused && !is_left_out(resource) {
            troubles.insert(resource, "forbidden");
        }
    }
    // Nobody knows of Android devices then.
    if troubles.contains_key(&Resource::ManagedDevices) {
        troubles.insert(Resource::DeviceCompliancePoliciesBeta, "skipped");
    }
    troubles
}

/// Lists by object that are whole for the objects that are known, where a refused list would have named more.
fn may_be_fewer(resource: Resource, troubles: &BTreeMap<Resource, &str>) -> bool {
    let named_by: &[Resource] = match resource {
        Resource::GroupTransitiveMembers => &[
            Resource::RoleAssignments,
            Resource::RoleEligibilityScheduleInstances,
            Resource::ConditionalAccessPolicies,
            Resource::AdminConsentRequestPolicy,
            Resource::AssignmentPolicies,
        ],
        Resource::ApplicationOwners | Resource::ServicePrincipalOwners => &[
            Resource::RoleAssignments,
            Resource::RoleEligibilityScheduleInstances,
        ],
        Resource::AuthenticationMethods => &[Resource::Users, Resource::RegistrationDetails],
        _ => &[],
    };
    named_by.iter().any(|source| troubles.contains_key(source))
}

#[tokio::test]
async fn each_resource_refused_in_turn_is_forbidden_and_nothing_else_suffers() {
    let whole = read(small(), most(), Options::default()).await;
    let mut tried = BTreeSet::new();
    for &resource in &most() {
        let never = [
            Resource::Organization,
            Resource::EmployeeLeave,
            Resource::RiskNotifications,
        ];
        if never.contains(&resource) || is_left_out(resource) {
            continue;
        }
        let mut taken = match resource.permissions() {
            // The last permission named is the resource's own, where there are two.
            [_, own] => BTreeSet::from([*own]),
            _ => accepted(resource),
        };
        // Nobody is asked about one by one where the report tells about all.
        if resource == Resource::AuthenticationMethods {
            taken.extend(accepted(Resource::RegistrationDetails));
        }
        if !tried.insert(taken.clone()) {
            continue;
        }
        let mut tenant = small();
        let granted = tenant.permissions_mut();
        granted.retain(|permission| !taken.contains(permission.as_str()));
        let granted: BTreeSet<String> = granted.iter().cloned().collect();
        let kept = read(tenant, most(), Options::default()).await;

        let wanted = expected(&granted);
        assert_eq!(
            kept.troubles(),
            wanted,
            "without {taken:?}: {:#?}",
            kept.records
        );
        assert!(wanted.contains_key(&resource), "{resource}");
        for &other in &most() {
            match kept.state(other) {
                State::Forbidden { permission, .. } => assert_eq!(*permission, other.permission()),
                State::Failed { error } => assert!(
                    sources(other)
                        .iter()
                        .any(|source| error.raw().contains(&source.source())),
                    "{other}: {error:?}"
                ),
                _ if may_be_fewer(other, &wanted) => {}
                State::Collected => assert!(
                    kept.all(other) == whole.all(other),
                    "{other} without {taken:?}"
                ),
                state => assert_eq!(word(state), wanted[&other], "{other}"),
            }
        }
    }
    assert!(tried.len() > 20, "only {} sets of permissions", tried.len());
}

#[tokio::test]
async fn owners_follow_from_grants_and_say_so_when_those_were_refused() {
    let refused = faults([("/appRoleAssignedTo", Nth::Always, FaultKind::Status(403))]);
    let kept = read(small(), most(), refused).await;
    let mut wanted = out_of_reach_of_most();
    wanted.extend([
        (Resource::AppRoleAssignedTo, "forbidden"),
        (Resource::ApplicationOwners, "failed"),
        (Resource::ServicePrincipalOwners, "failed"),
    ]);
    assert_eq!(kept.troubles(), wanted);
    for owners in [
        Resource::ApplicationOwners,
        Resource::ServicePrincipalOwners,
    ] {
        let error = error(kept.state(owners));
        assert!(
            error.contains("GET /v1.0/servicePrincipals/{id}/appRoleAssignedTo"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_graph_that_is_none_ends_the_run_at_its_first_request() {
    for (kind, at_most) in [
        (FaultKind::Html(200), 2),
        (FaultKind::Html(502), 20),
        (FaultKind::ResetConnection, 20),
        (FaultKind::Status(500), 20),
        (FaultKind::Redirect("https://portal.example/".to_owned()), 2),
    ] {
        let options = faults([
            ("/v1.0/", Nth::Always, kind.clone()),
            ("/beta/", Nth::Always, kind.clone()),
        ]);
        // Beside the first request there is one to the service that is asked one at a time.
        let pace = Pace::published();
        let place = Place::start(Own::Known, small(), most(), options, pace).await;
        let run = place.collect(Kept::default(), Earlier::default()).await;
        assert!(
            matches!(run.ended, Err(CollectError::Graph(_))),
            "{kind:?}: {:?}",
            run.ended
        );
        assert!(run.kept.records.is_empty() && run.kept.begun.is_empty());
        let graph = run.requests.iter().filter(|line| line.bearer).count();
        assert!(graph <= at_most, "{kind:?}: {graph} requests");
    }
}

#[tokio::test]
async fn a_row_that_does_not_read_fails_its_section_and_no_other() {
    let mut tenant = small();
    let rows = serde_json::json!([
        {"id": "0f5c1d6e-54cc-4d2c-8f29-0a1b2c3d4e5f", "displayName": "Office", "isTrusted": true},
        {"id": "0f5c1d6e-54cc-4d2c-8f29-0a1b2c3d4e60", "displayName": "hidden words", "isTrusted": "hidden words"},
        {"id": "0f5c1d6e-54cc-4d2c-8f29-0a1b2c3d4e61", "displayName": "Home", "isTrusted": false},
    ]);
    tenant.set("/identity/conditionalAccess/namedLocations", rows);
    let kept = read(tenant, most(), Options::default()).await;
    let mut wanted = out_of_reach_of_most();
    wanted.insert(Resource::NamedLocations, "failed");
    assert_eq!(kept.troubles(), wanted);
    let error = error(kept.state(Resource::NamedLocations));
    assert!(error.contains("isTrusted"), "{error}");
    assert!(
        !error.contains("hidden"),
        "values stay out of errors: {error}"
    );
}
