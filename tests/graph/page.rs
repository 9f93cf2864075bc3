//! Lists, links, and the addresses that queries become.

use super::*;

#[tokio::test]
async fn the_token_goes_to_the_root_only() {
    let other = Server::script(vec![]);
    let foreign = [
        format!("{}/v1.0/users?$skiptoken=x", other.root()),
        "https://graph.microsoft.com/v1.0/users".to_owned(),
        "https://{host}/v1.0/users".to_owned(),
        "{root}@evil.example/v1.0/users".to_owned(),
        "http://user@{host}/v1.0/users".to_owned(),
        "{root}/v2.0/users".to_owned(),
        "{root}/v1.0/../oauth2/token".to_owned(),
        "{root}/v1.0".to_owned(),
        "/v1.0/users".to_owned(),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ];
    for link in foreign {
        // The host of the server is known only when it answers.
        let answer = link.clone();
        let setup = Setup::new(Server::handler(move |_, seen| {
            page(
                &[1],
                Some(&answer.replace("{host}", seen.header("host").unwrap())),
            )
        }));
        let pages: Vec<_> = setup.client.pages(users()).collect().await;
        assert_eq!(
            pages.len(),
            1,
            "{link}: the page with such a link is not taken for good"
        );
        assert!(
            matches!(&pages[0], Err(GraphError::ForeignLink { .. })),
            "{link}: {pages:?}"
        );
        assert_eq!(setup.server.seen().len(), 1, "{link}");

        let link = link
            .replace("{root}", &setup.server.root())
            .replace("{host}", &setup.server.root()[7..]);
        let followed: Vec<_> = setup.client.follow(&link).collect().await;
        assert!(
            matches!(&followed[..], [Err(GraphError::ForeignLink { .. })]),
            "{link}: {followed:?}"
        );
        assert_eq!(setup.server.seen().len(), 1, "{link}");
    }
    for code in [301, 302, 307, 308] {
        let setup = Setup::script(vec![
            Reply::new(code, "").header("Location", &format!("{}/x?secret", other.root())),
        ]);
        match setup.client.get(&users()).await.unwrap_err() {
            GraphError::Redirected { host, .. } => {
                assert_eq!(format!("http://{host}"), other.root());
            }
            error => panic!("{error}"),
        }
    }
    assert!(other.seen().is_empty());

    let clock = FakeClock::new();
    let root = http::Url::parse("http://graph.example").unwrap();
    let http = http::client(&[]).unwrap();
    let client = GraphClient::new(http, root, Arc::new(Tokens::default()), clock, Pace::fast());
    assert!(matches!(client, Err(GraphError::InsecureRoot { .. })));
}

#[tokio::test]
async fn lists_are_read_to_their_end() {
    let next = |number: u32| format!("{{root}}/v1.0/users?$skiptoken={number}");
    let setup = Setup::script(vec![
        Reply::ok(
            json!({ "@odata.count": 3, "value": [{ "id": 1 }], "@odata.nextLink": next(1) })
                .to_string(),
        ),
        page(&[], Some(&next(2))),
        page(&[], Some(&next(3))),
        status(503),
        page(&[2, 3], None),
    ]);
    let pages = setup.pages(users().count().top(1)).await.unwrap();
    let rows: Vec<&str> = pages
        .iter()
        .flat_map(|page| &page.rows)
        .map(|row| row.get())
        .collect();
    assert_eq!(rows, [r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#]);
    assert_eq!(
        pages.iter().map(|page| page.count).collect::<Vec<_>>(),
        [Some(3), None, None, None]
    );
    assert_eq!(
        pages[3].effort,
        Effort {
            requests: 2,
            retries: 1
        }
    );
    assert_eq!(
        (pages[0].next.is_some(), pages[3].next.is_some()),
        (true, false)
    );
    let seen = setup.server.seen();
    assert_eq!(seen[0].target, "/v1.0/users?$count=true&$top=1");
    for seen in &seen {
        assert_eq!(seen.method, "GET");
        assert_eq!(
            seen.header("consistencylevel"),
            Some("eventual"),
            "on each page"
        );
        assert_eq!(seen.header("prefer"), Some("include-unknown-enum-members"));
        assert!(seen.header("user-agent").unwrap().starts_with("m365audit/"));
    }

    // Going on from a link: the header follows from the link, and is absent where it was not needed.
    for (link, level) in [
        ("$count=true&$skiptoken=x", Some("eventual")),
        ("%24count=true", Some("eventual")),
        ("$skiptoken=x", None),
    ] {
        let setup = Setup::script(vec![page(&[4], None)]);
        let link = format!("{}/beta/users?{link}", setup.server.root());
        let pages: Vec<Page> = setup.client.follow(&link).try_collect().await.unwrap();
        assert_eq!(pages.len(), 1);
        assert_eq!(setup.server.seen()[0].header("consistencylevel"), level);
        assert_eq!(
            format!("{}{}", setup.server.root(), setup.server.seen()[0].target),
            link,
            "as it is"
        );
    }
}

type Check = fn(&GraphError) -> bool;

#[tokio::test]
async fn wrong_pages_end_the_list() {
    let next = |number: u32| format!("{{root}}/v1.0/users?$skiptoken={number}");
    let expired = Reply::error(
        400,
        "Directory_ExpiredPageToken",
        "The specified page token value has expired.",
    );
    let denied = Reply::error(
        200,
        "Authorization_RequestDenied",
        "Insufficient privileges",
    );
    let own = "{root}/v1.0/users";
    #[rustfmt::skip]
    let cases: Vec<(&str, Vec<Reply>, usize, Check)> = vec![
        ("loop", vec![page(&[1], Some(&next(1))), page(&[2], Some(&next(2))), page(&[3], Some(&next(1)))], 2, |error| matches!(error, GraphError::Loop { .. })),
        ("loop to the start", vec![page(&[1], Some(own))], 0, |error| matches!(error, GraphError::Loop { .. })),
        ("loop of empty pages", vec![page(&[], Some(&next(1))), page(&[], Some(&next(1)))], 1, |error| matches!(error, GraphError::Loop { .. })),
        ("repeated", vec![page(&[1], Some(&next(1))), page(&[], Some(&next(2))), page(&[1], Some(&next(3)))], 2, |error| matches!(error, GraphError::RepeatedPage { .. })),
        ("no collection", vec![page(&[1], Some(&next(1))), Reply::ok(r#"{"id": 1}"#)], 1, |error| matches!(error, GraphError::NotACollection { .. })),
        ("value is no list", vec![Reply::ok(r#"{"value": {"a": [1]}}"#)], 0, |error| matches!(error, GraphError::NotACollection { .. })),
        ("value is a number", vec![Reply::ok(r#"{"value": -1.5}"#)], 0, |error| matches!(error, GraphError::NotACollection { .. })),
        ("value is a text", vec![Reply::ok(r#"{"value": "a\n"}"#)], 0, |error| matches!(error, GraphError::NotACollection { .. })),
        ("value is null", vec![Reply::ok(r#"{"value": null}"#)], 0, |error| matches!(error, GraphError::NotACollection { .. })),
        ("value is null, with an error", vec![Reply::ok(r#"{"value": null, "error": {"code": "x"}}"#)], 0, |error| error.status() == Some(200)),
        ("rows without end", vec![Reply::ok(r#"{"value": [1 2]}"#)], 0, |error| matches!(error, GraphError::Malformed { .. })),
        ("an error under 200", vec![page(&[1], Some(&next(1))), denied], 1, |error| error.kind() == ErrorKind::Forbidden && error.status() == Some(200)),
        ("expired", vec![page(&[1], Some(&next(1))), expired], 1, |error| matches!(error, GraphError::ExpiredPageToken(_))),
    ];
    for (what, script, good, check) in cases {
        let requests = script.len();
        let setup = Setup::script(script);
        let pages: Vec<_> = setup.client.pages(users()).collect().await;
        assert_eq!(
            pages.iter().filter(|page| page.is_ok()).count(),
            good,
            "{what}"
        );
        let error = pages.last().unwrap().as_ref().unwrap_err();
        assert!(check(error), "{what}: {error}");
        assert!(error.help().is_some(), "{what}");
        assert_eq!(
            setup.server.seen().len(),
            requests,
            "{what}: nothing is asked after the error"
        );
    }
    // An object, too, can be an error in disguise; one with an `error` property among others cannot.
    let setup = Setup::script(vec![
        Reply::error(200, "TooManyRequests", "x"),
        page(&[1], None),
        Reply::ok("\u{feff}8"),
    ]);
    assert!(setup.client.get(&users()).await.is_err());
    assert_eq!(
        setup
            .client
            .get(&users())
            .await
            .unwrap()
            .rows()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        setup
            .client
            .get(&Query::v1("/users/$count").eventual())
            .await
            .unwrap()
            .parse::<u64>()
            .unwrap(),
        8
    );
}

#[tokio::test]
async fn queries_mean_what_they_say() {
    let name = odata::quote("O'Neil & Söhne #1+2%");
    let cases = [
        (
            users().select(&["id", "displayName"]).top(999),
            "/v1.0/users?$select=id,displayName&$top=999",
        ),
        (users().top(5).top(9), "/v1.0/users?$top=9"),
        (
            users().filter(&format!("displayName eq {name}")),
            "/v1.0/users?$filter=displayName%20eq%20%27O%27%27Neil%20%26%20S%C3%B6hne%20%231%2B2%25%27",
        ),
        (
            Query::beta("/roleManagement/directory/roleAssignments")
                .expand("principal($select=id;$top=1)"),
            "/beta/roleManagement/directory/roleAssignments?$expand=principal($select%3Did;$top%3D1)",
        ),
        (
            Query::v1("/servicePrincipals(appId='a b')"),
            "/v1.0/servicePrincipals(appId='a%20b')",
        ),
        (
            users().segment("a#EXT#@b.c").segment("memberOf"),
            "/v1.0/users/a%23EXT%23@b.c/memberOf",
        ),
        (
            users().segment("a/../b?c=d%2F\\e"),
            "/v1.0/users/a%2F..%2Fb%3Fc=d%252F%5Ce",
        ),
        (Query::v1("users/$count").eventual(), "/v1.0/users/$count"),
    ];
    let setup = Setup::new(Server::handler(|_, _| Reply::ok("{}")));
    for (query, target) in cases {
        setup.client.get(&query).await.unwrap();
        assert_eq!(setup.targets().pop().unwrap(), target);
    }
    assert_eq!(
        users().segment("1").filter("mail eq 'x'").path(),
        "/v1.0/users/1"
    );
    let before = setup.targets().len();
    for id in [".", "..", ""] {
        let error = setup
            .client
            .get(&users().segment(id).segment("memberOf"))
            .await
            .unwrap_err();
        assert!(matches!(error, GraphError::InvalidQuery { .. }), "{id:?}");
    }
    assert_eq!(setup.targets().len(), before);
}
