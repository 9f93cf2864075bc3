//! Device code: what is asked, how often, what the person sees, and how the token is renewed.

use std::sync::Mutex;

use m365audit::auth::{DeviceCode, DeviceCodeProblem};

use super::*;

/// A source of tokens, and what it shows.
fn person(server: &Server, clock: &Arc<FakeClock>) -> (Tokens, Arc<Mutex<Vec<String>>>) {
    let endpoints = Endpoints::new(Cloud::Global, Some(&server.root()), None).unwrap();
    let client = http::client(&[&endpoints.login]).unwrap();
    let sign_in = SignIn::DeviceCode(DeviceCode {
        tenant: TENANT.to_owned(),
        client_id: CLIENT.to_owned(),
    });
    let shown = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&shown);
    let tokens =
        Tokens::new(sign_in, endpoints, client, clock.clone()).prompting(Box::new(move |line| {
            list.lock().unwrap().push(line.to_owned());
        }));
    (tokens, shown)
}

fn code(message: &str) -> Reply {
    let body = json!({
        "user_code": "GTHK5QRS7", "device_code": "DEVICECODETEXT", "expires_in": 900, "interval": 5,
        "verification_uri": "https://login.microsoft.com/device", "message": message,
    });
    Reply::ok(body.to_string())
}

fn says(error: &str) -> Reply {
    Reply::new(
        400,
        json!({ "error": error, "error_description": "x", "error_codes": [70_016] }).to_string(),
    )
}

fn granted(token: &str, refresh: Option<&str>) -> Reply {
    let mut body =
        json!({ "token_type": "Bearer", "expires_in": 3600, "scope": "x", "access_token": token });
    if let Some(refresh) = refresh {
        body["refresh_token"] = refresh.into();
    }
    Reply::ok(body.to_string())
}

#[tokio::test]
async fn a_person_is_asked_once_and_the_service_as_often_as_it_likes() {
    let (log, _guard) = Log::start();
    let server = Server::script(vec![
        code("To sign in, open the page and enter GTHK5QRS7"),
        says("authorization_pending"),
        says("slow_down"),
        says("authorization_pending"),
        Reply::new(503, "{}").header("Retry-After", "30"),
        says("authorization_pending").cut(),
        granted("TOKENTEXT1", Some("REFRESHTEXT1")),
        granted("TOKENTEXT2", None),
        granted("TOKENTEXT3", Some("REFRESHTEXT2")),
        granted("TOKENTEXT4", None),
    ]);
    let clock = FakeClock::new();
    let (tokens, shown) = person(&server, &clock);
    tokens.token(Renewal::IfNeeded).await.unwrap();
    assert_eq!(
        *shown.lock().unwrap(),
        ["To sign in, open the page and enter GTHK5QRS7"]
    );
    assert_eq!(
        clock.waits(),
        [5_000, 5_000, 10_000, 10_000, 30_000, 60_000]
    );

    let seen = server.seen();
    assert_eq!(seen[0].target, format!("/{TENANT}/oauth2/v2.0/devicecode"));
    let first = form(&seen[0].body);
    assert_eq!(first["client_id"], CLIENT);
    assert_eq!(
        first["scope"],
        "https://graph.microsoft.com/.default offline_access"
    );
    let poll = form(&seen[1].body);
    assert_eq!(seen[1].target, format!("/{TENANT}/oauth2/v2.0/token"));
    assert_eq!(
        poll["grant_type"],
        "urn:ietf:params:oauth:grant-type:device_code"
    );
    assert_eq!(
        (&*poll["device_code"], &*poll["client_id"]),
        ("DEVICECODETEXT", CLIENT)
    );

    for _ in 0..3 {
        clock.advance(Duration::from_hours(1));
        tokens.token(Renewal::IfNeeded).await.unwrap();
    }
    let used: Vec<String> = server.seen()[7..]
        .iter()
        .map(|seen| {
            let form = form(&seen.body);
            assert_eq!(form["grant_type"], "refresh_token");
            form["refresh_token"].clone()
        })
        .collect();
    // An answer without a new one leaves the old one in force.
    assert_eq!(used, ["REFRESHTEXT1", "REFRESHTEXT1", "REFRESHTEXT2"]);
    assert_eq!(shown.lock().unwrap().len(), 1, "nobody was asked again");
    for text in [format!("{tokens:?}"), log.text()] {
        for hidden in ["TOKENTEXT", "REFRESHTEXT", "DEVICECODETEXT"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
}

#[tokio::test]
async fn without_offline_access_the_person_is_asked_again() {
    let server = Server::script(vec![
        code("one"),
        granted("a", None),
        code("two"),
        granted("b", None),
    ]);
    let clock = FakeClock::new();
    let (tokens, shown) = person(&server, &clock);
    tokens.token(Renewal::IfNeeded).await.unwrap();
    clock.advance(Duration::from_hours(1));
    tokens.token(Renewal::IfNeeded).await.unwrap();
    assert_eq!(*shown.lock().unwrap(), ["one", "two"]);
}

#[tokio::test]
async fn sign_ins_that_come_to_nothing() {
    for (answer, expected) in [
        ("authorization_declined", DeviceCodeProblem::Declined),
        ("expired_token", DeviceCodeProblem::Expired),
    ] {
        let server = Server::script(vec![code("x"), says("authorization_pending"), says(answer)]);
        let clock = FakeClock::new();
        let (tokens, _) = person(&server, &clock);
        let error = tokens.token(Renewal::IfNeeded).await.unwrap_err();
        assert_eq!(error, AuthError::DeviceCode(expected));
        assert!(error.help().is_some());
    }
    // Nobody comes, and the service does not say when it is over.
    let server = Server::handler(|number, _| match number {
        0 => code("x"),
        _ => says("authorization_pending"),
    });
    let clock = FakeClock::new();
    let (tokens, _) = person(&server, &clock);
    let error = tokens.token(Renewal::IfNeeded).await.unwrap_err();
    assert_eq!(error, AuthError::DeviceCode(DeviceCodeProblem::Expired));
    assert_eq!(
        server.seen().len(),
        180,
        "900 seconds, one request in five, none at the end"
    );

    for (script, code) in [
        (vec![refusal(400, 7_000_218)], 7_000_218),
        (vec![code("x"), refusal(400, 53_003)], 53_003),
        (vec![code("x"), refusal(400, 70_018)], 70_018),
        (
            vec![code("x"), granted("a", Some("r")), refusal(400, 700_082)],
            700_082,
        ),
    ] {
        let server = Server::script(script);
        let clock = FakeClock::new();
        let (tokens, _) = person(&server, &clock);
        let mut result = tokens.token(Renewal::IfNeeded).await;
        if result.is_ok() {
            clock.advance(Duration::from_hours(1));
            result = tokens.token(Renewal::IfNeeded).await;
        }
        assert_eq!(result.unwrap_err().code(), Some(code));
    }
}

#[tokio::test]
async fn what_is_shown_is_inert() {
    for (message, expected) in [
        (
            "open\u{1b}]8;;http://evil\u{7} it\u{202e}\nnow",
            "open]8;;http://evil it now",
        ),
        (
            "",
            "To sign in, open https://login.microsoft.com/device in a browser and enter the code GTHK5QRS7.",
        ),
    ] {
        let server = Server::script(vec![code(message), granted("a", None)]);
        let (tokens, shown) = person(&server, &FakeClock::new());
        tokens.token(Renewal::IfNeeded).await.unwrap();
        assert_eq!(*shown.lock().unwrap(), [expected]);
    }
}

#[tokio::test]
async fn a_challenge_is_passed_on_with_the_refresh_token() {
    let server = Server::script(vec![code("x"), granted("a", Some("r")), granted("b", None)]);
    let clock = FakeClock::new();
    let (tokens, _) = person(&server, &clock);
    let token_id = tokens.token(Renewal::IfNeeded).await.unwrap().id();
    let claims = r#"{"access_token":{}}"#.to_owned();
    let challenge = Renewal::Challenge {
        token_id,
        claims: claims.clone(),
    };
    tokens.token(challenge).await.unwrap();
    assert_eq!(form(&server.seen()[2].body)["claims"], claims);
}
