//! Policies, governance, groups and Global Secure Access: what is asked of whom, and what is not asked in vain.

use super::*;

fn sound() -> TenantData {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tenants/sound");
    let mut tenant = TenantData::load(folder.as_ref()).unwrap();
    *tenant.permissions_mut() = least().into_iter().map(str::to_owned).collect();
    tenant
}

/// Collects these and what they follow from.
async fn with_needs(
    tenant: TenantData,
    resources: impl IntoIterator<Item = Resource>,
    options: Options,
) -> Run {
    let mut all = resources.into_iter().collect();
    collect::with_needs(&mut all);
    let run = run(tenant, all, options).await;
    assert!(run.ended.is_ok(), "{:?}", run.ended);
    run
}

/// Paths that were asked for, with their options, that hold this text.
fn asked<'a>(run: &'a Run, text: &'a str) -> Vec<&'a str> {
    let lines = run.requests.iter().map(|line| line.path.as_str());
    lines.filter(|path| path.contains(text)).collect()
}

fn refused(path: &'static str) -> Options {
    faults([(path, Nth::Always, FaultKind::Status(403))])
}

#[tokio::test]
async fn only_federated_domains_are_asked_and_their_rows_name_them() {
    let run = with_needs(
        demo(),
        [Resource::FederationConfiguration],
        Options::default(),
    )
    .await;
    let paths = asked(&run, "federationConfiguration");
    assert_eq!(paths.len(), 1, "{paths:?}");
    assert!(paths[0].contains("/domains/fernwick.tideglass.example/"));
    let domain = Guid::of_domain("fernwick.tideglass.example");
    let rows = &run.kept.rows[&Resource::FederationConfiguration];
    assert_eq!(rows.keys().collect::<Vec<_>>(), [&Some(domain)]);
    assert!(rows[&Some(domain)][0].contains("acceptIfMfaDoneByFederatedIdp"));
}

/// A domain's name is text from outside: it stays one segment of the path.
#[tokio::test]
async fn a_domain_with_a_hostile_name_asks_for_nothing_else() {
    let mut tenant = demo();
    let name = "a/../../users?$top=1#";
    tenant.set(
        "/domains",
        serde_json::json!([{"id": name, "authenticationType": "Federated", "isVerified": true}]),
    );
    let run = with_needs(
        tenant,
        [Resource::FederationConfiguration],
        Options::default(),
    )
    .await;
    assert_eq!(asked(&run, "/users"), [""; 0]);
    let paths = asked(&run, "federationConfiguration");
    assert!(
        paths.iter().all(|path| path.contains("%2F..%2F..%2Fusers")),
        "{paths:?}"
    );
}

#[tokio::test]
async fn owners_are_asked_of_the_groups_that_hold_roles() {
    let run = with_needs(demo(), [Resource::GroupOwners], Options::default()).await;
    let groups: Vec<_> = run.kept.rows[&Resource::GroupOwners]
        .keys()
        .flatten()
        .collect();
    assert!(!groups.is_empty() && groups.len() < 4, "{groups:?}");
    assert_eq!(
        groups,
        run.kept
            .tenant
            .role_holding_groups()
            .iter()
            .collect::<Vec<_>>()
    );
    assert_eq!(run.kept.state(Resource::GroupOwners), &State::Collected);
}

#[tokio::test]
async fn members_of_groups_that_approve_are_read_as_well() {
    let finance: Guid = "94fe9f16-a575-5f23-810e-81cbb871fe47".parse().unwrap();
    for (resources, found) in [
        (vec![Resource::GroupTransitiveMembers], false),
        (
            vec![
                Resource::GroupTransitiveMembers,
                Resource::AssignmentPolicies,
            ],
            true,
        ),
    ] {
        let run = with_needs(demo(), resources, Options::default()).await;
        let groups = &run.kept.rows[&Resource::GroupTransitiveMembers];
        assert_eq!(groups.contains_key(&Some(finance)), found);
    }
}

#[tokio::test]
async fn each_access_package_is_asked_for_what_it_gives() {
    let run = with_needs(demo(), [Resource::AccessPackages], Options::default()).await;
    let rows = &run.kept.rows[&Resource::AccessPackages];
    assert_eq!(rows.len(), 2);
    for (package, rows) in rows {
        let row: Value = serde_json::from_str(&rows[0]).unwrap();
        assert_eq!(row["id"], package.unwrap().to_string());
        let origin = &row["resourceRoleScopes"][0]["scope"]["originId"];
        assert!(origin.is_string(), "the nested expansion: {row}");
    }
}

/// (what follows, from what, a part of the path of the latter)
const FOLLOWS: [(Resource, Resource, &str); 6] = [
    (
        Resource::FederationConfiguration,
        Resource::Domains,
        "/v1.0/domains",
    ),
    (
        Resource::GroupOwners,
        Resource::RoleAssignments,
        "/roleAssignments?",
    ),
    (
        Resource::GroupOwners,
        Resource::RoleEligibilityScheduleInstances,
        "/roleEligibilityScheduleInstances",
    ),
    (
        Resource::AccessPackages,
        Resource::AccessPackageCatalogs,
        "/accessPackageCatalogs",
    ),
    (
        Resource::ConditionalAccessPoliciesBeta,
        Resource::ConditionalAccessPolicies,
        "/v1.0/identity/conditionalAccess/policies",
    ),
    (
        Resource::NamedLocationsBeta,
        Resource::NetworkAccessConditionalAccess,
        "/networkAccess/settings",
    ),
];

#[tokio::test]
async fn what_follows_from_a_refused_list_is_not_read_and_says_so() {
    for (resource, source, path) in FOLLOWS {
        let run = with_needs(demo(), [resource], refused(path)).await;
        assert_eq!(word(run.kept.state(source)), "forbidden", "{source}");
        let state = run.kept.state(resource);
        assert_eq!(word(state), "failed", "{resource} after {source}");
        let words = format!("follows from {}, which was not read", source.source());
        assert!(error(state).contains(&words), "{state:?}");
        assert_eq!(run.kept.records[&resource].requests, 0, "{resource}");
    }
}

/// One request a second: the beta list is worth its second only when a policy is enabled.
#[tokio::test]
async fn the_beta_policies_are_read_only_when_one_is_enabled() {
    let beta = "/beta/identity/conditionalAccess/policies";
    let wanted = [Resource::ConditionalAccessPoliciesBeta];
    let run = with_needs(demo(), wanted, Options::default()).await;
    assert_eq!(asked(&run, beta).len(), 1);
    let list = run.kept.all(Resource::ConditionalAccessPoliciesBeta);
    assert!(
        list.iter()
            .any(|(_, row)| row.contains(r#""mode":"disabled""#))
    );

    let mut tenant = demo();
    tenant.set(
        "/identity/conditionalAccess/policies",
        serde_json::json!([{"id": "p", "state": "enabledForReportingButNotEnforced"}]),
    );
    let run = with_needs(tenant, wanted, Options::default()).await;
    assert_eq!(asked(&run, beta), [""; 0]);
    assert_eq!(word(run.kept.state(wanted[0])), "skipped");
}

#[tokio::test]
async fn the_beta_locations_are_read_only_when_there_can_be_a_compliant_network() {
    let wanted = [Resource::NamedLocationsBeta];
    for (tenant, state, networks) in [(demo(), "skipped", 0), (sound(), "collected", 1)] {
        let run = with_needs(tenant, wanted, Options::default()).await;
        assert_eq!(word(run.kept.state(wanted[0])), state);
        let list = run.kept.all(wanted[0]);
        let found = list
            .iter()
            .filter(|(_, row)| row.contains("compliantNetworkNamedLocation"));
        assert_eq!(found.count(), networks);
    }
}

/// Without the options that Graph insists on, or the properties that it gives only when named, there would be no answer or half of one.
#[tokio::test]
async fn what_is_asked_names_what_graph_gives_only_when_named() {
    let all = Resource::ALL.iter().copied().collect();
    let run = run(demo(), all, Options::default()).await;
    for (path, options) in [
        (
            "/policies/roleManagementPolicyAssignments",
            &[
                "scopeId eq '/' and scopeType eq 'DirectoryRole'",
                "policy($expand=rules)",
            ][..],
        ),
        (
            "/roleManagementAlerts/alerts",
            &["scopeType eq 'DirectoryRole'"],
        ),
        (
            "/microsoft.directory/resourceActions",
            &["authenticationContextId", "isAuthenticationContextSettable"],
        ),
        (
            "/v1.0/groups?",
            &["isManagementRestricted", "owners($select=id)", "$top=999"],
        ),
        (
            "/networkAccess/filteringProfiles",
            &["policies($expand=policy)"],
        ),
        (
            "/accessPackageCatalogs",
            &["accessPackageResources,accessPackages"],
        ),
        ("/v1.0/organization?", &["onPremisesLastSyncDateTime"]),
    ] {
        let paths = asked(&run, path);
        let found = paths
            .last()
            .unwrap_or_else(|| panic!("{path} was not asked for"));
        let plain = ["%20 ", "%27'", "%3D="]
            .iter()
            .fold((*found).to_owned(), |text, pair| {
                text.replace(&pair[..3], &pair[3..])
            });
        for option in options {
            assert!(plain.contains(option), "{option} is not in {plain}");
        }
    }
}
