//! What lies between the program and Graph: proxies, TLS, web pages in place of answers.

use axum::http::Version;
use m365audit::emulator::{Fault, FaultKind, Nth, Options};

use crate::support::binary::{Desk, Ran, Stage, collected, result};
use crate::support::tls;

const CLIENT: &str = "9aca0790-0215-5d90-a537-310e378af7ac";

/// A loopback port on which nobody listens.
fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn always(path: &str, kind: FaultKind) -> Options {
    Options {
        faults: vec![Fault {
            path_contains: path.to_owned(),
            nth: Nth::Always,
            kind,
        }],
        ..Options::default()
    }
}

#[test]
fn a_proxy_that_is_down_is_called_a_proxy() {
    let root = "https://localhost.invalid";
    Desk::new()
        .call(&format!(
            "scan --tenant a.example --client-id {CLIENT} --login-url {root} --graph-url {root}"
        ))
        .secret("AZURE_CLIENT_SECRET", "worthless")
        .env("HTTPS_PROXY", format!("http://127.0.0.1:{}", closed_port()))
        .run()
        .failed(
            5,
            &[
                "could not sign in to tenant a.example at localhost.invalid",
                "the proxy refused",
            ],
            &["HTTPS_PROXY", "NO_PROXY"],
        );
}

#[test]
fn a_proxy_is_not_asked_for_this_machine() {
    let stage = Stage::of("demo");
    let dead = format!("http://127.0.0.1:{}", closed_port());
    let call = stage.call("scan --rule guest-invitation-open");
    let call = call
        .env("HTTP_PROXY", &dead)
        .env("HTTPS_PROXY", &dead)
        .env("ALL_PROXY", &dead);
    stage.run(call).code(0);
    let demo = stage.desk.call("scan --demo").env("HTTP_PROXY", &dead);
    demo.run().code(0);
}

#[test]
fn a_host_that_does_not_listen() {
    let root = format!("http://127.0.0.1:{}", closed_port());
    let stage = Stage::of("demo");
    let call = stage
        .desk
        .call(&format!(
            "scan --tenant {} --client-id {}",
            stage.tenant, stage.client
        ))
        .secret("AZURE_CLIENT_SECRET", &stage.secret)
        .arg(format!("--login-url={}", stage.emulator.login_url()))
        .arg(format!("--graph-url={root}"));
    let ran = stage.run(call).failed(
        5,
        &["could not read from Microsoft Graph"],
        &["the firewall"],
    );
    ran.says("cause: could not read /v1.0/organization from 127.0.0.1:")
        .says("no connection could be made");
}

/// The emulator behind TLS, and a scan of it with the certificate of `trusted`.
fn behind_tls(stage: &Stage, listener: &tls::Tls, trusted: &str, arguments: &str) -> Ran {
    let file = stage.desk.write("trusted.pem", trusted);
    let call = stage
        .desk
        .call(arguments)
        .secret("AZURE_CLIENT_SECRET", &stage.secret)
        .env("SSL_CERT_FILE", file)
        .arg(format!("--tenant={}", stage.tenant))
        .arg(format!("--client-id={}", stage.client))
        .arg(format!("--graph-url={}", listener.root));
    stage.run(call)
}

#[test]
fn a_certificate_that_is_not_trusted_is_called_tls() {
    let stage = Stage::of("demo");
    let listener = stage.runtime.block_on(tls::serve(stage.emulator.router()));
    let stranger = tls::certificate().cert.pem();
    let says = "the TLS connection could not be made";
    let help = &["trusted certificates"];
    let login = format!("scan --login-url {}", listener.root);
    behind_tls(&stage, &listener, &stranger, &login).failed(
        5,
        &["could not sign in to tenant", says],
        help,
    );
    let login = format!("scan --login-url {}", stage.emulator.login_url());
    behind_tls(&stage, &listener, &stranger, &login)
        .failed(5, &["could not read from Microsoft Graph"], help)
        .says(says);
    assert!(
        listener.versions.lock().unwrap().is_empty(),
        "nothing was asked"
    );
}

#[test]
fn a_trusted_certificate_carries_a_whole_scan_over_http2() {
    let options = Options {
        max_page: Some(50),
        ..Options::default()
    };
    let stage = Stage::with("demo", options);
    let plain = stage.scan("");
    let listener = stage.runtime.block_on(tls::serve(stage.emulator.router()));
    let arguments = format!(
        "scan --format json --now {} --login-url {}",
        stage.now, listener.root
    );
    let report = behind_tls(&stage, &listener, &listener.certificate, &arguments)
        .code(0)
        .json();
    assert_eq!(report["results"], plain["results"]);
    let versions = listener.versions.lock().unwrap();
    assert!(versions.len() > 20, "pages went over TLS, too");
    assert!(
        versions.iter().all(|version| *version == Version::HTTP_2),
        "{versions:?}"
    );
}

#[test]
fn the_demo_needs_no_trusted_certificates() {
    let desk = Desk::new();
    let absent = desk.path("absent.pem");
    desk.call("scan --demo --rule guest-invitation-open")
        .env("SSL_CERT_FILE", &absent)
        .env("SSL_CERT_DIR", &absent)
        .run()
        .code(0);
    desk.call(&format!("scan --tenant a.example --client-id {CLIENT}"))
        .secret("AZURE_CLIENT_SECRET", "worthless")
        .env("SSL_CERT_FILE", &absent)
        .env("SSL_CERT_DIR", &absent)
        .run()
        .failed(5, &["could not be set up"], &["SSL_CERT_FILE"]);
}

#[test]
fn a_web_page_in_place_of_graph_ends_the_run() {
    let stage = Stage::with("demo", always("/v1.0/", FaultKind::Html(200)));
    stage
        .run(stage.call("scan"))
        .failed(
            5,
            &["could not read from Microsoft Graph"],
            &["captive portal"],
        )
        .says("answered /v1.0/organization with a web page (status 200)");
    let stage = Stage::with("demo", always("/oauth2/", FaultKind::Html(200)));
    stage.run(stage.call("scan")).failed(
        5,
        &["could not sign in", "status 200", "a web page"],
        &["captive portal"],
    );
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Stage::of("sound");
    let to = format!("{}/v1.0/organization", elsewhere.emulator.graph_url());
    for (path, error, cause) in [
        (
            "/v1.0/",
            "could not read from Microsoft Graph",
            "redirects are not followed",
        ),
        ("/oauth2/", "could not sign in", "a redirect"),
    ] {
        let stage = Stage::with("demo", always(path, FaultKind::Redirect(to.clone())));
        stage
            .run(stage.call("scan"))
            .failed(5, &[error], &[])
            .says(cause);
    }
    assert!(
        elsewhere.emulator.requests().is_empty(),
        "nobody went there"
    );
}

#[test]
fn trouble_with_one_list_is_no_end() {
    let elsewhere = Stage::of("sound");
    let to = format!("{}/v1.0/groupSettings", elsewhere.emulator.graph_url());
    for (kind, says) in [
        (FaultKind::Html(200), "web page"),
        (FaultKind::Redirect(to), "redirected"),
        (FaultKind::MissingValue, "not a collection"),
        (FaultKind::ErrorUnder200, "Graph answered 200"),
    ] {
        let stage = Stage::with("demo", always("/oauth2PermissionGrants", kind));
        let report = stage.scan("");
        let entry = collected(&report, "/v1.0/oauth2PermissionGrants");
        assert_eq!(entry["status"], "failed", "{says}");
        assert!(entry["error"].as_str().unwrap().contains(says), "{entry}");
        let result = result(&report, "user-consented-risky-grant");
        assert_eq!(result["status"], "not_evaluated", "{says}");
        assert!(
            result["reason"]
                .as_str()
                .unwrap()
                .contains("oauth2PermissionGrants"),
            "{result}"
        );
        assert_eq!(report["complete"], false);
    }
    assert!(
        elsewhere.emulator.requests().is_empty(),
        "nobody went there"
    );
}

#[test]
fn a_token_goes_to_no_other_host() {
    let elsewhere = Stage::of("demo");
    let to = format!("{}/v1.0/users?$skiptoken=x", elsewhere.emulator.graph_url());
    let options = Options {
        max_page: Some(100),
        ..always("/v1.0/users?", FaultKind::WrongHostNextLink(to))
    };
    let stage = Stage::with("demo", options);
    let report = stage.scan("");
    let entry = collected(&report, "/v1.0/users");
    assert_eq!(
        (&entry["status"], &entry["count"]),
        (&"failed".into(), &0.into()),
        "{entry}"
    );
    assert!(
        entry["error"]
            .as_str()
            .unwrap()
            .contains("the token was not sent"),
        "{entry}"
    );
    assert_ne!(result(&report, "account-stale")["status"], "pass");
    assert!(elsewhere.emulator.requests().is_empty());
}
