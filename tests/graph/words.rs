//! What errors mean, and what is never shown.

use super::*;

#[test]
fn permission_and_licence_are_told_apart() {
    use ErrorKind::{
        BadRequest, Forbidden, NotFound, NotLicensed, Server as Failing, Throttled, Unauthorized,
    };
    let intune = |text: &str| {
        format!(
            "{{\r\n  \"_version\": 3,\r\n  \"Message\": \"{text} - Operation ID: 0\",\r\n  \"RetryAfter\": null\r\n}}"
        )
    };
    let (no_intune, no_scope) = (
        intune("Request not applicable to target tenant."),
        intune("Application is not authorized to perform this operation."),
    );
    let pim = r#"{"errorCode":"PermissionScopeNotGranted","message":"Authorization failed due to missing permission scope X.","instanceAnnotations":[]}"#;
    #[rustfmt::skip]
    let cases = [
        (400, "BadRequest", "Resource not found for the segment 'configurationPolicies'.", BadRequest),
        (400, "Request_BadRequest", "$count is not currently supported.", BadRequest),
        (400, "BadRequest", &no_intune, NotLicensed),
        (400, "BadRequest", "Tenant does not have a SPO license.", NotLicensed),
        (400, "BadRequest", "The filter is invalid. Missing scopeId or scopeType.", BadRequest),
        (400, "AadPremiumLicenseRequired", "The tenant needs to have Microsoft Entra ID P2.", NotLicensed),
        (400, "Request_UnsupportedQuery", "Unsupported Query.", BadRequest),
        (401, "Unauthorized", "Unauthorized request - Account is not provisioned.", NotLicensed),
        (401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.", Unauthorized),
        (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.", Forbidden),
        (403, "AccessDenied", "Your tenant is not licensed for this feature. Please upgrade.", NotLicensed),
        (403, "Forbidden", pim, Forbidden),
        (403, "Forbidden", "Your tenant is not licensed for this feature.", NotLicensed),
        (403, "Forbidden", &no_scope, Forbidden),
        (403, "ErrorAccessDenied", "Access to OData is disabled: [RAOP] : Blocked by tenant.", Forbidden),
        (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Neither tenant is B2C", NotLicensed),
        (403, "Authentication_MSGraphPermissionMissing", "Calling principal lacks AuditLog.Read.All", Forbidden),
        (403, "AccessDenied", "required scopes are missing in the token.", Forbidden),
        (403, "accessDenied", "Access denied", Forbidden),
        (403, "UnknownError", "", Forbidden),
        (404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, or is hosted on-premise.", NotFound),
        (404, "Request_ResourceNotFound", "Resource 'is not licensed' does not exist", NotFound),
        (429, "TooManyRequests", "Too many requests.", Throttled),
        (500, "generalException", "General exception while processing", Failing),
        (504, "UnknownError", "", Failing),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for (status, code, message, kind) in cases {
        let setup = Setup::script(vec![Reply::error(status, code, message); 7]);
        let error = runtime.block_on(setup.client.get(&users())).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!((error.status(), error.code()), (Some(status), Some(code)));
        assert_eq!(error.help().is_some(), kind != NotFound, "{error}");
        assert!(
            !error.to_string().contains('{'),
            "JSON in JSON is unpacked: {error}"
        );
    }
}

#[tokio::test]
async fn hostile_text_stays_on_one_short_line() {
    let message = format!(
        "\u{1b}[2J\r\nerror: all is well\u{202e}\u{200b}{}",
        "x".repeat(5000)
    );
    let body = json!({ "error": { "code": "Evil\u{1b}[31m Code", "message": message, "innerError": { "request-id": "../x" } } });
    let setup = Setup::script(vec![Reply::new(403, body.to_string())]);
    let error = setup.client.get(&users()).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.chars()
            .all(|c| !c.is_control() && c != '\u{202e}' && c != '\u{200b}'),
        "{text:?}"
    );
    assert!(text.chars().count() < 300, "{text}");
    assert_eq!(error.code(), Some("Evil31mCode"));
    assert_eq!(error.request_id(), None, "only a GUID is a request-id");

    let id = "00000ff0-0000-4000-8000-000000000ff0";
    let body =
        json!({ "error": { "code": "x", "message": "y", "innerError": { "request-id": id } } });
    let setup = Setup::script(vec![Reply::new(403, body.to_string())]);
    let error = setup.client.get(&users()).await.unwrap_err();
    assert_eq!(error.request_id(), Some(id));
    assert!(error.to_string().contains(id));
}

#[derive(Default)]
struct Events(Mutex<Vec<String>>);

impl Observer for Events {
    fn event(&self, event: Event<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }
}

#[tokio::test]
async fn tokens_and_values_stay_out_of_sight() {
    let (log, _guard) = Log::start();
    let events = Arc::new(Events::default());
    let next = "{root}/v1.0/users?$select=id&$skiptoken=SKIPTEXT";
    let refused = Reply::error(401, "InvalidAuthenticationToken", "x");
    let mut script = vec![status(503), page(&[1], Some(next))];
    script.extend(vec![refused; 4]);
    let server = Server::script(script);
    let setup = Setup::observed(server, Some(events.clone()));
    let query = users().select(&["id"]).filter("mail eq 'FILTERTEXT'");
    let mut pages = setup.client.pages(query);
    let page = pages.next().await.unwrap().unwrap();
    assert!(
        page.next.as_ref().unwrap().contains("SKIPTEXT"),
        "needed to resume"
    );
    let error = pages.next().await.unwrap().unwrap_err();
    assert!(pages.next().await.is_none());

    let log = log.text();
    assert!(
        log.contains("answered") && log.contains("/v1.0/users") && log.contains("$select=id"),
        "{log}"
    );
    let events = events.0.lock().unwrap().join("\n");
    assert_eq!(
        events
            .lines()
            .filter(|line| line.starts_with("Finished"))
            .count(),
        6,
        "{events}"
    );
    assert_eq!(
        events
            .lines()
            .filter(|line| line.starts_with("Retry"))
            .count(),
        1,
        "{events}"
    );
    let token = setup.tokens.token(Renewal::IfNeeded).await.unwrap();
    let shown = format!(
        "{:?} {error:?} {error} {:?} {token:?}",
        setup.client,
        error.help()
    );
    // The HTTP library's own lines at TRACE level name the address; m365audit shows its own targets only.
    let ours: String = log
        .lines()
        .filter(|line| line.contains("m365audit"))
        .collect();
    for text in [&shown, &events, &ours] {
        assert!(
            !text.contains("SKIPTEXT") && !text.contains("FILTERTEXT"),
            "{text}"
        );
    }
    for text in [&shown, &events, &log] {
        assert!(!text.contains("TOKENTEXT"), "{text}");
    }
}
