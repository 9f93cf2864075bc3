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
async fn each_service_has_its_pace() {
    for (path, waits) in [
        ("/identity/conditionalAccess/policies", vec![1_000; 4]),
        (
            "/reports/authenticationMethods/userRegistrationDetails",
            vec![2_000; 2],
        ),
        ("/policies/roleManagementPolicies", vec![500; 4]),
        ("/users", vec![]),
    ] {
        let setup = Setup::new(Server::handler(|_, _| Reply::ok("{}")));
        for _ in 0..5 {
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
        ("/deviceManagement/managedDevices", Service::Intune),
        (
            "/deviceAppManagement/iosManagedAppProtections",
            Service::Intune,
        ),
        ("/security/alerts_v2", Service::SecurityAlerts),
        ("/security/incidents", Service::SecurityAlerts),
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
    assert_eq!(
        setup.tokens.renewals(),
        [Renewal::Challenge {
            claims: claims.to_owned()
        }]
    );

    let setup = Setup::script(vec![challenge("no JSON"), Reply::ok("{}")]);
    setup.client.get(&users()).await.unwrap();
    assert!(
        matches!(setup.tokens.renewals()[..], [Renewal::Rejected { .. }]),
        "claims are never passed on unread"
    );

    let setup = Setup::script(vec![invalid(), status(503), invalid(), Reply::ok("{}")]);
    assert_eq!(
        setup.client.get(&users()).await.unwrap_err().kind(),
        ErrorKind::Unauthorized
    );
    assert_eq!(setup.server.seen().len(), 3);

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
