//! What is asked object by object or only by some tenants: about whom, and what it means that there is nobody.

use super::*;
use serde_json::json;

fn guid(text: &str) -> Guid {
    text.parse().unwrap()
}

/// The objects that a list by object was read for.
fn asked_about(kept: &Kept, resource: Resource) -> BTreeSet<Guid> {
    let lists = kept.rows.get(&resource).into_iter();
    lists
        .flat_map(BTreeMap::keys)
        .map(|of| of.unwrap())
        .collect()
}

fn needed(resource: Resource) -> BTreeSet<Resource> {
    let mut resources = BTreeSet::from([resource]);
    collect::with_needs(&mut resources);
    resources
}

#[tokio::test]
async fn the_own_grants_are_those_of_the_application_that_signs_in() {
    let resource = Resource::OwnAppRoleAssignments;
    let kept = read(demo(), needed(resource), Options::default()).await;
    let own = guid("4f8c88c9-f4c2-5db5-a131-d0420fee438a");
    assert_eq!(asked_about(&kept, resource), [own].into());
    assert!(kept.records[&resource].count > 40);

    let stranger = guid("7f11d4e7-0261-59e5-839b-000000000000");
    for (who, why) in [
        (Own::NotKnown, "not known which application signed in"),
        (Own::Other(stranger), "not among the service principals"),
    ] {
        let run = run_as(
            who,
            Kept::default(),
            demo(),
            needed(resource),
            Options::default(),
        )
        .await;
        run.ended.unwrap();
        let state = run.kept.state(resource);
        assert_eq!(word(state), "failed", "{who:?}");
        assert!(error(state).contains(why), "{who:?}: {state:?}");
    }
}

/// The demo with a Private Access application, Quick Access and a traffic forwarding profile, licensed for everything.
fn with_private_access() -> TenantData {
    let mut tenant = small();
    tenant.remove("/subscribedSkus");
    let principal = |id: &str, app: &str, name: &str, tags: &[&str]| {
        json!({"id": id, "appId": app, "displayName": name, "servicePrincipalType": "Application", "accountEnabled": true,
            "appRoleAssignmentRequired": true, "tags": tags, "passwordCredentials": [], "keyCredentials": []})
    };
    tenant.set(
        "/servicePrincipals",
        json!([
            principal(
                SHARE,
                SHARE_APP,
                "File share",
                &["PrivateAccessNonWebApplication"]
            ),
            principal(
                QUICK,
                QUICK_APP,
                "Quick Access",
                &["HideApp", "networkAccessQuickAccessApplication"]
            ),
            principal(
                PROFILE,
                PROFILE_APP,
                "Internet Traffic Forwarding Profile",
                &[]
            ),
            principal(
                OTHER,
                OTHER_APP,
                "Private Access handbook",
                &["WindowsAzureActiveDirectoryIntegratedApp"]
            ),
        ]),
    );
    tenant.set(
        "/applications",
        json!([
            {"id": SHARE_OBJECT, "appId": SHARE_APP, "displayName": "File share"},
            {"id": QUICK_OBJECT, "appId": QUICK_APP, "displayName": "Quick Access"},
            {"id": OTHER, "appId": OTHER_APP, "displayName": "Private Access handbook"},
        ]),
    );
    for object in [SHARE_OBJECT, QUICK_OBJECT] {
        let path = format!(
            "beta:/applications/{object}/onPremisesPublishing/segmentsConfiguration/microsoft.graph.ipSegmentConfiguration/applicationSegments"
        );
        tenant.set(
            path,
            json!([{"id": "1", "destinationHost": "10.0.0.0/8", "destinationType": "ipRangeCidr", "ports": ["1-65535"], "protocol": "tcp,udp"}]),
        );
    }
    let warehouse = "4c3a9cf7-4d88-5b87-acde-4a72de3c1113";
    for (principal, kind, who) in [
        (SHARE, "Group", warehouse),
        (QUICK, "User", OTHER),
        (PROFILE, "Group", GONE),
    ] {
        tenant.set(
            format!("/servicePrincipals/{principal}/appRoleAssignedTo"),
            json!([{"id": "1", "principalType": kind, "principalId": who, "resourceId": principal}]),
        );
    }
    tenant
}

const SHARE: &str = "00000001-0000-4000-8000-000000000001";
const SHARE_APP: &str = "00000001-0000-4000-8000-000000000002";
const SHARE_OBJECT: &str = "00000001-0000-4000-8000-000000000003";
const QUICK: &str = "00000002-0000-4000-8000-000000000001";
const QUICK_APP: &str = "00000002-0000-4000-8000-000000000002";
const QUICK_OBJECT: &str = "00000002-0000-4000-8000-000000000003";
const PROFILE: &str = "00000003-0000-4000-8000-000000000001";
const PROFILE_APP: &str = "00000003-0000-4000-8000-000000000002";
const OTHER: &str = "00000004-0000-4000-8000-000000000001";
const OTHER_APP: &str = "00000004-0000-4000-8000-000000000002";
const GONE: &str = "00000005-0000-4000-8000-000000000001";

#[tokio::test]
async fn private_access_is_known_by_its_tags_and_profiles_by_their_name() {
    let resources: BTreeSet<Resource> = [
        Resource::ApplicationSegments,
        Resource::AssignedGroupNestedGroups,
    ]
    .into_iter()
    .flat_map(needed)
    .collect();
    let kept = read(with_private_access(), resources, Options::default()).await;
    for resource in [
        Resource::ApplicationSegments,
        Resource::SecureAccessAssignments,
        Resource::AssignedGroupNestedGroups,
    ] {
        assert_eq!(kept.state(resource), &State::Collected, "{resource}");
    }
    assert_eq!(
        asked_about(&kept, Resource::ApplicationSegments),
        [SHARE_OBJECT, QUICK_OBJECT].map(guid).into()
    );
    assert_eq!(
        asked_about(&kept, Resource::SecureAccessAssignments),
        [SHARE, QUICK, PROFILE].map(guid).into()
    );
    // A user is no group, and a group that is gone has nobody in it.
    assert_eq!(
        asked_about(&kept, Resource::AssignedGroupNestedGroups),
        [guid("4c3a9cf7-4d88-5b87-acde-4a72de3c1113"), guid(GONE)].into()
    );
}

#[tokio::test]
async fn a_tenant_without_them_is_asked_nothing_about_them() {
    let mut tenant = small();
    tenant.set(
        "beta:/servicePrincipals/microsoft.graph.agentIdentity",
        json!([]),
    );
    let run = run(tenant, most(), Options::default()).await;
    run.ended.unwrap();
    for resource in [
        Resource::ApplicationSegments,
        Resource::SecureAccessAssignments,
        Resource::AssignedGroupNestedGroups,
        Resource::AgentIdentityOwners,
    ] {
        assert_eq!(run.kept.state(resource), &State::Collected, "{resource}");
        let record = &run.kept.records[&resource];
        assert_eq!((record.count, record.requests), (0, 0), "{resource}");
    }
}

#[tokio::test]
async fn the_published_application_is_the_tagged_one() {
    let resource = Resource::ApplicationPublishing;
    let kept = read(demo(), needed(resource), Options::default()).await;
    let rows = kept.all(resource);
    let [(Some(of), row)] = rows[..] else {
        panic!("{rows:?}");
    };
    assert_eq!(of, guid("05877fc0-32b8-57a4-a75d-1689a561cc2a"));
    let row: Value = serde_json::from_str(row).unwrap();
    assert_eq!(
        row["onPremisesPublishing"]["externalAuthenticationType"],
        "passthru"
    );
}

#[tokio::test]
async fn where_a_service_has_nothing_a_404_is_an_empty_list_and_elsewhere_a_failure() {
    let gone = |path| (path, Nth::Always, FaultKind::Status(404));
    let resources = BTreeSet::from([
        Resource::AgentIdentities,
        Resource::IdentitySensors,
        Resource::IdentityHealthIssues,
        Resource::RiskDetections,
    ]);
    let at = [
        gone("microsoft.graph.agentIdentity"),
        gone("/security/identities/"),
        gone("/riskDetections"),
    ];
    let kept = read(demo(), resources.clone(), faults(at)).await;
    for &resource in &resources {
        let wanted = if resource == Resource::RiskDetections {
            "failed"
        } else {
            "collected"
        };
        assert_eq!(word(kept.state(resource)), wanted, "{resource}");
        assert_eq!(kept.records[&resource].count, 0, "{resource}");
        assert_eq!(kept.records[&resource].requests, 1, "{resource}");
    }
}

#[tokio::test]
async fn what_is_read_only_when_asked_for_is_read_for_those_whom_it_concerns() {
    let users: Value =
        serde_json::from_str(include_str!("../../fixtures/tenants/demo/users.json")).unwrap();
    let users = users["/users"].as_array().unwrap();
    let ids = |is: fn(&Value) -> bool| -> BTreeSet<Guid> {
        let users = users.iter().filter(|user| is(user));
        users
            .map(|user| guid(user["id"].as_str().unwrap()))
            .collect()
    };
    let enabled = ids(|user| user["accountEnabled"] == true);
    let with_mail = ids(|user| {
        user["accountEnabled"] == true && user["userType"] != "Guest" && user["mail"].is_string()
    });
    let mut tenant = demo();
    let some = with_mail.first().unwrap();
    tenant.remove(format!("/users/{some}/mailboxSettings"));
    let resources = [
        Resource::AuthenticationRequirements,
        Resource::MailboxSettings,
        Resource::FederatedIdentityCredentials,
    ];
    let kept = read(
        tenant,
        resources.into_iter().flat_map(needed).collect(),
        Options::default(),
    )
    .await;
    for resource in resources {
        assert!(resource.is_opt_in());
        assert_eq!(kept.state(resource), &State::Collected, "{resource}");
    }
    let about = |resource| asked_about(&kept, resource);
    assert_eq!(about(Resource::AuthenticationRequirements), enabled);
    // One of them has no mailbox.
    assert_eq!(about(Resource::MailboxSettings), with_mail);
    let rows = kept.all(Resource::MailboxSettings);
    assert_eq!(rows.len(), with_mail.len() - 1);
    assert!(
        rows.iter()
            .all(|(_, row)| !row.contains("automaticReplies")),
        "only what the mailbox is for is read"
    );
    assert_eq!(about(Resource::FederatedIdentityCredentials).len(), 11);
    assert_eq!(kept.all(Resource::FederatedIdentityCredentials).len(), 3);
}

#[tokio::test]
async fn nobody_is_asked_about_where_the_list_of_them_was_refused() {
    let refused = faults([
        ("/v1.0/users?", Nth::Always, FaultKind::Status(403)),
        ("/v1.0/applications?", Nth::Always, FaultKind::Status(403)),
    ]);
    let resources = [
        Resource::AuthenticationRequirements,
        Resource::MailboxSettings,
        Resource::FederatedIdentityCredentials,
        Resource::ApplicationPublishing,
    ];
    let kept = read(
        demo(),
        resources.into_iter().flat_map(needed).collect(),
        refused,
    )
    .await;
    for resource in resources {
        let state = kept.state(resource);
        assert_eq!(word(state), "failed", "{resource}");
        assert!(error(state).contains("which was not read"), "{state:?}");
    }
}

/// The whole address matters: a property too many costs every tenant, one too few leaves a rule without an answer.
#[tokio::test]
async fn what_exactly_is_asked() {
    let run = run(demo(), most(), Options::default()).await;
    run.ended.unwrap();
    let asked: BTreeSet<String> = run
        .requests
        .iter()
        .map(|line| percent_decoded(&line.path))
        .collect();
    for wanted in [
        "/v1.0/servicePrincipals?$select=id,displayName,passwordCredentials,keyCredentials&$top=999&$count=true",
        "/v1.0/servicePrincipals?$select=id,displayName&$expand=owners($select=id)&$top=999",
        "/v1.0/applications?$select=id,displayName&$expand=owners($select=id)&$top=999",
        "/v1.0/users?$select=id,userPrincipalName&$filter=userType eq 'Guest'&$expand=sponsors($select=id)&$top=999",
        "/v1.0/users?$select=id,userPrincipalName,accountEnabled,employeeLeaveDateTime&$top=999&$count=true",
        "/beta/servicePrincipals/microsoft.graph.agentIdentity?$expand=sponsors&$top=100",
        "/beta/reports/servicePrincipalSignInActivities",
        "/beta/applications/05877fc0-32b8-57a4-a75d-1689a561cc2a?$select=id,appId,displayName,onPremisesPublishing",
        "/v1.0/identityProtection/riskDetections?$filter=detectedDateTime ge 2026-10-26T08:00:00Z&$top=500",
        "/v1.0/security/incidents?$filter=status eq 'resolved' and lastUpdateDateTime ge 2026-10-03T08:00:00Z&$top=50",
        "/v1.0/security/alerts_v2?$filter=serviceSource eq 'microsoftDefenderForCloudApps' and createdDateTime ge 2026-08-04T08:00:00Z&$top=1",
        "/v1.0/security/identities/healthIssues?$filter=status eq 'open'",
        "/beta/admin/forms",
    ] {
        assert!(asked.contains(wanted), "{wanted} is not in {asked:#?}");
    }
    let long = asked.iter().filter(|path| {
        path.contains("servicePrincipals?") && path.contains("appOwnerOrganizationId")
    });
    for path in long {
        for heavy in ["keyCredentials", "appRoles", "oauth2PermissionScopes"] {
            assert!(!path.contains(heavy), "{path}");
        }
    }
}

fn percent_decoded(text: &str) -> String {
    text.replace("%20", " ")
        .replace("%27", "'")
        .replace("%3D", "=")
}

/// A usage report lies on a host of Graph's choice, which must not see the token.
#[tokio::test]
async fn a_report_is_a_file_that_is_read_without_the_token() {
    let asked = BTreeSet::from([Resource::EmailActivity]);
    let run = run(demo(), asked.clone(), Options::default()).await;
    run.ended.unwrap();
    let record = &run.kept.records[&Resource::EmailActivity];
    assert_eq!(
        (&record.state, record.count, record.requests),
        (&State::Collected, 62, 2)
    );
    let rows = run.kept.all(Resource::EmailActivity);
    assert!(rows.contains(&(
        None,
        r#"{"reportRefreshDate":"2026-10-31","sendCount":"18","userPrincipalName":"svc-scanner@tideglass.onmicrosoft.example"}"#
    )));
    let download = run
        .requests
        .iter()
        .filter(|line| line.path.starts_with("/download/"));
    let tokens: Vec<bool> = download.map(|line| line.bearer).collect();
    assert_eq!(tokens, [false]);

    let (path, always) = ("/reports/getEmail", Nth::Always);
    let elsewhere = |url: &str| FaultKind::Redirect(url.to_owned());
    for (kind, why) in [
        (
            elsewhere("http://reports.example/file"),
            "reports.example without https",
        ),
        (elsewhere("/relative"), "no address of a file"),
        (FaultKind::Html(200), ""),
    ] {
        let kept = read(
            demo(),
            asked.clone(),
            faults([(path, always, kind.clone())]),
        )
        .await;
        let state = kept.state(Resource::EmailActivity);
        assert_eq!(word(state), "failed", "{kind:?}");
        assert!(error(state).contains(why), "{kind:?}: {state:?}");
    }
    let mut tenant = demo();
    tenant.set(
        "/reports/getEmailActivityUserDetail(period='D7')",
        json!("<html>sign in</html>"),
    );
    let kept = read(tenant, asked, Options::default()).await;
    let state = kept.state(Resource::EmailActivity);
    assert!(
        error(state).contains("no column reportRefreshDate"),
        "{state:?}"
    );
}

#[tokio::test]
async fn the_sound_tenant_is_read_to_its_end() {
    let sound = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tenants/sound");
    let tenant = TenantData::load(sound.as_ref()).unwrap();
    let everything = Resource::ALL.iter().copied().collect();
    let kept = read(tenant, everything, Options::default()).await;
    let mut wanted = out_of_reach();
    // Its Global Secure Access tells Conditional Access of compliant networks.
    wanted.remove(&Resource::NamedLocationsBeta);
    assert_eq!(kept.troubles(), wanted, "{:#?}", kept.records);
}
