//! Waiting, repeating, renewing, pacing.

use super::*;

type Case = (
    &'static str,
    Vec<Reply>,
    usize,
    Vec<Result<u64, u64>>,
    Option<ErrorKind>,
);

#[tokio::test]
async fn waits_are_what_the_server_asks_for() {
    let after = |value: &str| status(429).header("Retry-After", value);
    let ok = || Reply::ok("{}");
    // What, answers, requests, waits in milliseconds (exact, or a ceiling where the wait is our own), outcome.
    #[rustfmt::skip]
    let cases: Vec<Case> = vec![
        ("seconds", vec![after("10"), ok()], 2, vec![Ok(10_000)], None),
        ("decimal", vec![after("2.128"), ok()], 2, vec![Ok(2_128)], None),
        ("date", vec![after("Thu, 20 Aug 2026 10:17:35 GMT"), ok()], 2, vec![Ok(30_000)], None),
        ("far too long", vec![after("86400"), ok()], 2, vec![Ok(300_000)], None),
        ("nonsense", vec![after("soon"), ok()], 2, vec![Err(1_000)], None),
        ("negative", vec![after("-5"), ok()], 2, vec![Err(1_000)], None),
        ("absent", vec![status(429), status(429), ok()], 3, vec![Err(1_000), Err(2_000)], None),
        ("509, 503", vec![status(509), status(503).header("Retry-After", "3"), ok()], 3, vec![Err(1_000), Ok(3_000)], None),
        ("502, 504", vec![status(502), status(504), ok()], 3, vec![Err(1_000), Err(2_000)], None),
        ("500 twice", vec![status(500), status(500), ok()], 3, vec![Err(1_000), Err(2_000)], None),
        ("500 for good", vec![status(500); 9], 3, vec![Err(1_000), Err(2_000)], Some(ErrorKind::Server)),
        ("429 for good", vec![after("1"); 9], 7, vec![Ok(1_000); 6], Some(ErrorKind::Throttled)),
        ("beyond the budget", vec![after("300"); 9], 3, vec![Ok(300_000); 2], Some(ErrorKind::Throttled)),
        ("a page while overloaded", vec![Reply::new(503, "<html>"), ok()], 2, vec![Err(1_000)], None),
        ("cut", vec![ok().cut(), ok()], 2, vec![Err(1_000)], None),
        ("cut inside the JSON", vec![Reply::ok("{\"id\": \"1"), ok()], 2, vec![Err(1_000)], None),
        ("empty", vec![Reply::ok(""), ok()], 2, vec![Err(1_000)], None),
        ("400", vec![status(400), ok()], 1, vec![], Some(ErrorKind::BadRequest)),
        ("403", vec![status(403), ok()], 1, vec![], Some(ErrorKind::Forbidden)),
        ("404", vec![status(404), ok()], 1, vec![], Some(ErrorKind::NotFound)),
        ("no JSON", vec![Reply::ok("{]"), ok()], 1, vec![], Some(ErrorKind::Protocol)),
        ("a web page", vec![Reply::ok("<!doctype html>"), ok()], 1, vec![], Some(ErrorKind::Protocol)),
        ("a proxy's no", vec![Reply::new(403, "no").header("Content-Type", "text/html"), ok()], 1, vec![], Some(ErrorKind::Protocol)),
    ];
    for (what, script, requests, waits, kind) in cases {
        let setup = Setup::script(script);
        let result = setup.client.get(&users()).await;
        assert_eq!(
            result.as_ref().err().map(GraphError::kind),
            kind,
            "{what}: {result:?}"
        );
        assert_eq!(setup.server.seen().len(), requests, "{what}");
        // A wait of no time at all is not slept.
        let slept: Vec<u64> = setup.clock.waits();
        assert!(slept.len() <= waits.len(), "{what}: {slept:?}");
        if waits.iter().all(Result::is_ok) {
            assert_eq!(
                slept,
                waits.iter().map(|wait| wait.unwrap()).collect::<Vec<_>>(),
                "{what}"
            );
        }
        for (slept, wait) in slept.iter().zip(&waits) {
            assert!(
                wait.map_or_else(|most| *slept <= most, |exact| *slept == exact),
                "{what}: {slept}"
            );
        }
        if let Ok(answer) = result {
            let retries = u32::try_from(requests - 1).unwrap();
            assert_eq!(
                answer.effort,
                Effort {
                    requests: retries + 1,
                    retries
                },
                "{what}"
            );
        }
    }
}

#[tokio::test]
async fn a_throttled_service_waits_as_a_whole() {
    let throttled = status(429).header("Retry-After", "10");
    let setup = Setup::new(Server::handler(move |_, seen| {
        if seen.target.starts_with("/v1.0/users") {
            throttled.clone()
        } else {
            Reply::ok("{}")
        }
    }));
    assert_eq!(
        setup.client.get(&users()).await.unwrap_err().kind(),
        ErrorKind::Throttled
    );
    assert_eq!(setup.clock.waits(), [10_000; 6]);
    setup
        .client
        .get(&Query::v1("/security/secureScores"))
        .await
        .unwrap();
    assert_eq!(setup.clock.waits().len(), 6, "another service goes on");
    setup.client.get(&Query::v1("/groups")).await.unwrap();
    assert_eq!(
        setup.clock.waits(),
        [10_000; 7],
        "the same service waits for the last refusal"
    );
}

#[tokio::test]
async fn a_refusal_by_chance_makes_only_its_own_request_wait() {
    let refused = status(429).header("Retry-After", "10");
    let setup = Setup::script(vec![refused, Reply::ok("{}"), Reply::ok("{}")]);
    let (client, groups) = (&setup.client, Query::v1("/groups"));
    let first = users();
    let (refused, other) = tokio::join!(client.get(&first), client.get(&groups));
    assert_eq!(setup.clock.waits(), [10_000]);
    assert_eq!(
        refused.unwrap().effort.requests + other.unwrap().effort.requests,
        3
    );
}

/// 46 reads of Conditional Access, every tenth request refused without a word about the wait.
#[tokio::test]
async fn conditional_access_bears_refusals_by_chance() {
    let setup = Setup::new(Server::handler(|number, _| {
        if number % 10 == 9 {
            status(429)
        } else {
            Reply::ok("{}")
        }
    }));
    for _ in 0..46 {
        let query = Query::v1("/identity/conditionalAccess/policies");
        setup.client.get(&query).await.unwrap();
    }
    assert_eq!(setup.server.seen().len(), 51);
    let took: u64 = setup.clock.waits().iter().sum();
    let floor = 46_000.0 / 0.9;
    assert!(took <= 66_444, "{took} ms, more than 1.3 times {floor}");
}

#[tokio::test]
async fn the_quota_of_identity_follows_from_the_number_of_users() {
    // Requests without a wait (the burst), and the wait for each further one in whole milliseconds.
    for (count, filter, burst, wait) in [
        (49, None, 70, 2),
        (50, None, 100, 2),
        (501, None, 160, 1),
        (501, Some("userType eq 'Guest'"), 70, 2),
    ] {
        let setup = Setup::new(Server::handler(move |_, _| {
            Reply::ok(json!({ "@odata.count": count, "value": [] }).to_string())
        }));
        let query = filter.map_or_else(users, |filter| users().filter(filter));
        setup.pages(query.select(&["id"]).count()).await.unwrap();
        // A bucket keeps what is in it when its size becomes known: the burst of the smallest class, less one request.
        for _ in 0..69 {
            setup.client.get(&Query::v1("/groups")).await.unwrap();
        }
        assert!(setup.clock.waits().is_empty());
        setup.client.get(&Query::v1("/groups")).await.unwrap();
        assert_eq!(setup.clock.waits(), [wait], "{count}");
        // After a rest the whole burst is there.
        setup.clock.advance(Duration::from_mins(1));
        for _ in 0..=burst {
            setup.client.get(&Query::v1("/groups")).await.unwrap();
        }
        assert_eq!(setup.clock.waits().len(), 2, "{count}");
    }
}

#[tokio::test]
async fn a_cost_that_the_answer_names_is_charged_afterwards() {
    // 70 units at once are there for 7 requests of 10, and for one more, for which is waited.
    let setup = Setup::new(Server::handler(|_, _| {
        Reply::ok("{}").header("x-ms-resource-unit", "10")
    }));
    for _ in 0..7 {
        setup.client.get(&Query::v1("/groups")).await.unwrap();
    }
    assert!(setup.clock.waits().is_empty());
    setup.client.get(&Query::v1("/groups")).await.unwrap();
    assert_eq!(setup.clock.waits(), [2]);
    setup.client.get(&Query::v1("/groups")).await.unwrap();
    assert_eq!(setup.clock.waits(), [2, 29]);
}

#[tokio::test]
async fn each_service_has_its_pace() {
    for (path, requests, waits) in [
        ("/identity/conditionalAccess/policies", 5, vec![1_020; 4]),
        // Five at once, then 1 per 2 s, and a sixteenth faster with each answer.
        (
            "/reports/authenticationMethods/userRegistrationDetails",
            7,
            vec![1_882, 1_777],
        ),
        ("/policies/roleManagementPolicies", 5, vec![500; 4]),
        ("/identity/identityProviders", 6, vec![1_000; 2]),
        (
            "/reports/getOffice365ActiveUserDetail(period='D30')",
            15,
            vec![42_857],
        ),
        ("/security/incidents", 3, vec![1_237; 2]),
        ("/security/alerts_v2", 4, vec![412]),
        ("/users", 20, vec![]),
        ("/users/1/mailFolders", 20, vec![]),
    ] {
        let setup = Setup::new(Server::handler(|_, _| Reply::ok("{}")));
        for _ in 0..requests {
            setup.client.get(&Query::v1(path)).await.unwrap();
        }
        assert_eq!(setup.clock.waits(), waits, "{path}");
    }
    for (path, service) in [
        ("/users", Service::Identity),
        ("/users('1')/memberOf", Service::Identity),
        (
            "/v1.0/users/1/mailFolders/inbox/messageRules",
            Service::Outlook,
        ),
        ("/beta/users/1/mailboxSettings?$select=x", Service::Outlook),
        (
            "/roleManagement/directory/roleAssignments",
            Service::Identity,
        ),
        (
            "/roleManagement/directory/roleEligibilityScheduleInstances",
            Service::Pim,
        ),
        (
            "/identityGovernance/privilegedAccess/group/assignmentScheduleInstances",
            Service::Pim,
        ),
        ("/policies/roleManagementPolicyAssignments", Service::Pim),
        ("/policies/authorizationPolicy", Service::Identity),
        ("/identityProtection/riskyUsers", Service::ConditionalAccess),
        (
            "/identity/conditionalAccess/namedLocations",
            Service::ConditionalAccess,
        ),
        ("/auditLogs/signIns", Service::IdentityReports),
        ("/directory/recommendations", Service::IdentityReports),
        ("/directory/administrativeUnits", Service::Identity),
        (
            "/policies/authenticationFlowsPolicy",
            Service::IdentityProviders,
        ),
        ("/identity/identityProviders", Service::IdentityProviders),
        ("/identity/b2xUserFlows", Service::IdentityProviders),
        (
            "/reports/getTeamsUserActivityUserDetail(period='D7')",
            Service::UsageReports,
        ),
        (
            "/reports/authenticationMethods/userRegistrationDetails",
            Service::IdentityReports,
        ),
        ("/users('1')/mailboxSettings", Service::Outlook),
        (
            "/admin/serviceAnnouncement/issues",
            Service::ServiceCommunications,
        ),
        ("/teams/1/channels", Service::Teams),
        ("/deviceManagement/managedDevices", Service::IntuneDevices),
        ("/deviceManagement/managedDevices/1", Service::IntuneDevices),
        (
            "/deviceManagement/managedDeviceOverview",
            Service::IntuneDevices,
        ),
        (
            "/deviceManagement/managedDeviceCleanupRules",
            Service::Intune,
        ),
        (
            "/deviceAppManagement/iosManagedAppProtections",
            Service::Intune,
        ),
        ("/security/alerts_v2", Service::SecurityAlerts),
        ("/security/incidents", Service::Incidents),
        ("/security/secureScoreControlProfiles", Service::SecureScore),
        ("/admin/sharepoint/settings", Service::SharePoint),
        ("/sites/root", Service::SharePoint),
        ("/admin/forms", Service::Other),
        ("/usersettings", Service::Other),
    ] {
        assert_eq!(Service::of(path), service, "{path}");
    }
    assert_eq!(
        users().select(&["id", "signInActivity"]).service(),
        Service::IdentityReports
    );
    for path in ["/servicePrincipals", "/servicePrincipals/1"] {
        assert_eq!(
            Query::v1(path).select(&["id", "keyCredentials"]).service(),
            Service::KeyCredentials
        );
    }
    assert_eq!(
        Query::v1("/applications")
            .select(&["keyCredentials"])
            .service(),
        Service::Identity
    );
}

#[test]
fn a_request_costs_what_the_published_table_says() {
    let v1 = Query::v1;
    let select = |path: &str| v1(path).select(&["id"]);
    for (query, units) in [
        (v1("/users"), 2),
        (select("/users"), 1),
        (v1("/users").top(19), 1),
        (v1("/users").top(20), 2),
        (select("/users").top(5), 1),
        (v1("/users").expand("manager"), 3),
        (select("/users").expand("manager"), 2),
        (v1("/users/1"), 1),
        (v1("/users('1')"), 1),
        (v1("/users/1/memberOf"), 2),
        (v1("/users('1')/memberOf"), 2),
        (v1("/users/1/transitiveMemberOf"), 2),
        (v1("/users/1/licenseDetails"), 2),
        (v1("/applications"), 2),
        (v1("/applications/1/owners"), 1),
        (v1("/oauth2PermissionGrants"), 2),
        (v1("/servicePrincipals"), 1),
        (select("/servicePrincipals").expand("owners"), 1),
        (v1("/servicePrincipals/1/appRoleAssignments"), 2),
        (v1("/servicePrincipals/1/appRoleAssignedTo"), 1),
        (v1("/groups"), 1),
        (v1("/groups/1/members"), 3),
        (select("/groups/1/members").top(5), 1),
        (v1("/groups/1/transitiveMembers"), 5),
        (select("/groups/1/transitiveMembers").expand("x").top(5), 4),
        (v1("/groups/1/transitiveMembers/microsoft.graph.user"), 5),
        (v1("/subscribedSkus"), 3),
        (v1("/contracts"), 3),
        (v1("/directoryObjects/getByIds"), 3),
        (v1("/domains/a.example/domainNameReferences"), 4),
        (v1("/policies/authorizationPolicy"), 1),
        (v1("/sites"), 2),
        (v1("/sites/1/permissions"), 5),
        (v1("/admin/sharepoint/settings"), 1),
        (v1("/identity/conditionalAccess/policies").expand("x"), 1),
    ] {
        assert_eq!(query.units(), units, "{query:?}");
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let invalid = || {
        Reply::error(
            401,
            "InvalidAuthenticationToken",
            "Access token has expired or is not yet valid.",
        )
    };
    let claims = r#"{"access_token":{"nbf":{"essential":true, "value":"1604106651"}}}"#;
    let challenge = |claims: &str| {
        let value = base64::engine::general_purpose::STANDARD.encode(claims);
        let value = format!(
            r#"Bearer realm="", authorization_uri="https://x/", error="insufficient_claims", claims="{value}""#
        );
        invalid().header("WWW-Authenticate", &value)
    };

    let setup = Setup::script(vec![invalid(), Reply::ok("{}")]);
    setup.client.get(&users()).await.unwrap();
    assert!(matches!(
        setup.tokens.renewals()[..],
        [Renewal::Rejected { .. }]
    ));
    let sent = |number: usize| {
        setup.server.seen()[number]
            .header("authorization")
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (&*sent(0), &*sent(1)),
        ("Bearer TOKENTEXT1", "Bearer TOKENTEXT2")
    );

    let setup = Setup::script(vec![challenge(claims), Reply::ok("{}")]);
    setup.client.get(&users()).await.unwrap();
    match &setup.tokens.renewals()[..] {
        [Renewal::Challenge { claims: found, .. }] => assert_eq!(found, claims),
        other => panic!("{other:?}"),
    }

    let setup = Setup::script(vec![challenge("no JSON"), Reply::ok("{}")]);
    setup.client.get(&users()).await.unwrap();
    assert!(
        matches!(setup.tokens.renewals()[..], [Renewal::Rejected { .. }]),
        "claims are never passed on unread"
    );

    // Revoked again and again while the request is on its way: a few times are survived.
    let setup = Setup::script(vec![
        invalid(),
        status(503),
        invalid(),
        invalid(),
        Reply::ok("{}"),
    ]);
    setup.client.get(&users()).await.unwrap();
    let setup = Setup::script(vec![invalid(); 4]);
    assert_eq!(
        setup.client.get(&users()).await.unwrap_err().kind(),
        ErrorKind::Unauthorized
    );
    assert_eq!(setup.server.seen().len(), 4);

    let never = Reply::error(
        401,
        "Unauthorized",
        "Unauthorized request - Account is not provisioned.",
    );
    let setup = Setup::script(vec![never, Reply::ok("{}")]);
    assert_eq!(
        setup
            .client
            .get(&Query::v1("/security/alerts_v2"))
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::NotLicensed
    );
    assert_eq!(
        (setup.server.seen().len(), setup.tokens.renewals().len()),
        (1, 0)
    );
}
