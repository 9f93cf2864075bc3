//! Who signs in and with what: what works, and what is said when it does not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use m365audit::emulator::{Options, TenantData};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::json;
use sha2::Digest as _;

use crate::support::binary::{Desk, Stage, changed, key, result};

const CLIENT: &str = "9aca0790-0215-5d90-a537-310e378af7ac";

/// One rule is enough to see that a scan went through.
const SCAN: &str = "scan --format json --rule guest-invitation-open";

#[test]
fn the_secret_comes_from_our_variable_before_azures_and_from_a_file() {
    let stage = Stage::of("demo");
    let ok = |call| {
        let report = stage.run(call).code(0).json();
        assert_eq!(report["tenant"]["id"], stage.tenant);
        assert_eq!(result(&report, "guest-invitation-open")["status"], "fail");
    };
    ok(stage
        .call(SCAN)
        .secret("AZURE_CLIENT_SECRET", "another-one"));
    ok(stage
        .bare(SCAN)
        .secret("AZURE_CLIENT_SECRET", &stage.secret));
    let file = stage.desk.write("secret", format!("{}\r\n", stage.secret));
    ok(stage.bare(SCAN).arg("--client-secret-file").arg(file));

    // The other way round it is refused: the order is as documented.
    let call = stage
        .bare(SCAN)
        .secret("AZURE_CLIENT_SECRET", &stage.secret);
    stage
        .run(call.secret("M365AUDIT_CLIENT_SECRET", "another-one"))
        .failed(3, &["the client secret is wrong"], &[]);
}

#[test]
fn tenant_and_client_come_from_the_environment_or_the_configuration() {
    let stage = Stage::of("demo");
    let roots = format!(
        "{SCAN} --login-url {0} --graph-url {0}",
        stage.emulator.login_url()
    );
    let call = || {
        stage
            .desk
            .call(&roots)
            .secret("AZURE_CLIENT_SECRET", &stage.secret)
    };
    let by_env = call()
        .env("AZURE_TENANT_ID", "tideglass.example")
        .env("AZURE_CLIENT_ID", &stage.client);
    let report = stage.run(by_env).code(0).json();
    assert_eq!(
        report["tenant"]["id"], stage.tenant,
        "the id, though a domain was given"
    );

    let config = format!(
        "tenant = \"{}\"\nclient-id = \"{}\"\n",
        stage.tenant, stage.client
    );
    stage.desk.write("m365audit.toml", config);
    stage.run(call()).code(0);
    stage
        .run(call().env("AZURE_TENANT_ID", "elsewhere.example"))
        .failed(3, &["AADSTS90002"], &[]);
}

/// The demo, whose application knows the test certificate and checks signatures.
fn with_certificate() -> TenantData {
    let pem = std::fs::read(key("pkcs8.pem")).unwrap();
    let der = CertificateDer::pem_slice_iter(&pem)
        .next()
        .unwrap()
        .unwrap();
    let print = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(&der));
    let public = std::fs::read_to_string(key("public.pem")).unwrap();
    changed("demo", move |file, content| {
        if file == "tenant.json" {
            content["app"]["certificates"] = json!([{"x5t#S256": print, "publicKey": public}]);
            content["app"]["secrets"] = json!([]);
        }
    })
}

#[test]
fn a_certificate_signs_in_as_pem_and_as_pkcs12() {
    let stage = Stage::serve(with_certificate(), Options::default());
    for (file, password) in [
        ("pkcs8.pem", ""),
        ("encrypted.pem", "test-only"),
        ("modern.p12", "test-only"),
    ] {
        let call = stage.bare(SCAN).arg("--certificate").arg(key(file));
        let call = call.secret(
            "M365AUDIT_CERTIFICATE_PASSWORD",
            match password {
                "" => "not-needed",
                password => password,
            },
        );
        let report = stage.run(call).code(0).json();
        assert_eq!(report["tenant"]["id"], stage.tenant, "{file}");
    }
    let by_env = stage
        .bare(SCAN)
        .env("AZURE_CLIENT_CERTIFICATE_PATH", key("modern.p12"))
        .secret("AZURE_CLIENT_CERTIFICATE_PASSWORD", "test-only");
    stage.run(by_env).code(0);
}

#[test]
fn a_certificate_that_is_not_registered_is_named_by_its_thumbprint() {
    // As `openssl x509 -fingerprint` gives them.
    const SHA1: &str = "A9A937DF6565F355CE619453ADEBE03881D9054A";
    const SHA256: &str = "FB21271A11120B3676C2FBFC30D7352642F37A8480FA70A0FE1C1F9866D14FFC";
    let stage = Stage::of("demo");
    let call = stage.bare(SCAN).arg("--certificate").arg(key("pkcs8.pem"));
    stage.run(call).failed(
        3,
        &[
            "AADSTS700027",
            "certificate is not registered",
            &stage.client,
        ],
        &["upload the certificate", SHA1, SHA256],
    );
}

#[test]
fn certificate_files_that_cannot_be_used() {
    let stage = Stage::of("demo");
    let try_with = |path: &std::path::Path, password: Option<&str>, error: &str, help: &str| {
        let mut call = stage.bare(SCAN).arg("--certificate").arg(path);
        if let Some(password) = password {
            call = call.secret("M365AUDIT_CERTIFICATE_PASSWORD", password);
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        stage.run(call).failed(3, &[name, error], &[help]);
    };
    let path = "check the path";
    try_with(
        &stage.desk.path("absent.pem"),
        None,
        "cannot be read: entity not found",
        path,
    );
    let directory = stage.desk.path("directory");
    std::fs::create_dir(&directory).unwrap();
    try_with(&directory, None, "cannot be read: is a directory", path);
    try_with(
        &key("modern.p12"),
        None,
        "none was given",
        "M365AUDIT_CERTIFICATE_PASSWORD",
    );
    try_with(
        &key("modern.p12"),
        Some("guessed-wrong"),
        "cannot be opened",
        "CERTIFICATE_PASSWORD",
    );
    try_with(
        &key("encrypted.pem"),
        Some("guessed-wrong"),
        "cannot be opened",
        "CERTIFICATE_PASSWORD",
    );
    try_with(&key("ec.pem"), None, "not RSA", "openssl req");
    try_with(
        &key("public.pem"),
        None,
        "holds no private key",
        "private key into the same file",
    );
    let junk = stage
        .desk
        .write("junk.pfx", [0x30, 0x82, 0xff, 0xff, 0, 1, 2, 3]);
    try_with(&junk, None, "neither PEM nor PKCS#12", "give a PEM file");
    assert!(stage.emulator.requests().is_empty(), "nobody was asked");
}

#[cfg(unix)]
#[test]
fn files_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::of("demo");
    let file = stage.desk.write("closed", "x");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(&file).is_ok() {
        return; // root reads everything
    }
    for flag in ["--certificate", "--client-secret-file"] {
        stage.run(stage.bare(SCAN).arg(flag).arg(&file)).failed(
            3,
            &["closed", "cannot be read: permission denied"],
            &[],
        );
    }
}

#[test]
fn secret_files_that_cannot_be_used() {
    let stage = Stage::of("demo");
    for (content, error) in [("", "is empty"), ("one\ntwo\n", "more than one line")] {
        let file = stage.desk.write("secret", content);
        let call = stage.bare(SCAN).arg("--client-secret-file").arg(file);
        stage.run(call).failed(3, &[error], &["and nothing else"]);
    }
    let absent = stage.desk.path("absent");
    let call = stage.bare(SCAN).arg("--client-secret-file").arg(absent);
    stage
        .run(call)
        .failed(3, &["absent", "cannot be read"], &[]);
}

#[test]
fn refusals_of_entra() {
    let expired = changed("demo", |file, content| {
        if file == "tenant.json" {
            content["app"]["secrets"][0]["endDateTime"] = json!("2026-10-01T00:00:00Z");
        }
    });
    let stage = Stage::serve(expired, Options::default());
    stage.run(stage.call(SCAN)).failed(
        3,
        &[
            "the client secret has expired",
            "AADSTS7000222",
            &stage.tenant,
        ],
        &["create a new client secret"],
    );
    stage
        .run(
            stage
                .bare(SCAN)
                .secret("AZURE_CLIENT_SECRET", "a-wrong-secret"),
        )
        .failed(
            3,
            &["the client secret is wrong", "AADSTS7000215"],
            &["not its id"],
        );

    let root = stage.emulator.login_url();
    let with = |tenant: &str, client: &str| {
        let call = format!(
            "{SCAN} --login-url {root} --graph-url {root} --tenant {tenant} --client-id {client}"
        );
        stage.run(
            stage
                .desk
                .call(&call)
                .secret("AZURE_CLIENT_SECRET", &stage.secret),
        )
    };
    for unknown in ["11111111-1111-4111-8111-111111111111", "nobody.example"] {
        with(unknown, CLIENT).failed(
            3,
            &[unknown, "the tenant was not found", "AADSTS90002"],
            &["spelling of the tenant", "--cloud"],
        );
    }
    let stranger = "22222222-2222-4222-8222-222222222222";
    with(&stage.tenant, stranger).failed(
        3,
        &[stranger, "not known in this tenant", "AADSTS700016"],
        &["admin consent"],
    );
}

#[test]
fn values_that_cannot_be_right_are_refused_before_anybody_is_asked() {
    let desk = Desk::new();
    let with = |arguments: &str| {
        desk.call(arguments)
            .secret("AZURE_CLIENT_SECRET", "worthless")
            .run()
    };
    for tenant in ["contoso", "common", "a..b", "x_y.example"] {
        with(&format!("scan --tenant {tenant} --client-id {CLIENT}")).failed(
            2,
            &["tenant", tenant],
            &["GUID", "domain"],
        );
    }
    with("scan --tenant a.example --client-id my-app").failed(
        2,
        &["client id \"my-app\"", "not a GUID"],
        &["not the object id"],
    );
    for (root, error) in [
        ("http://graph.microsoft.com", "does not use https"),
        ("https://user:hidden@graph.microsoft.com", "plain root"),
        ("graph", "is not a web address"),
    ] {
        let ran = with(&format!(
            "scan --tenant a.example --client-id {CLIENT} --graph-url {root}"
        ))
        .failed(2, &["--graph-url", error], &["https://graph.microsoft.com"]);
        assert!(!ran.err.contains("hidden"));
    }
}

#[test]
fn what_is_missing_is_named_with_flag_and_variable() {
    let desk = Desk::new();
    desk.call("scan").run().failed(
        2,
        &["no credential"],
        &[
            "M365AUDIT_CLIENT_SECRET",
            "AZURE_CLIENT_SECRET",
            "--client-secret-file",
            "--certificate",
            "AZURE_FEDERATED_TOKEN_FILE",
            "managed identity of this machine",
            "Azure CLI",
            "--auth device-code",
        ],
    );
    let with = |arguments: &str| {
        desk.call(arguments)
            .secret("AZURE_CLIENT_SECRET", "worthless")
            .run()
    };
    with("scan").failed(
        2,
        &["the tenant is missing"],
        &["--tenant", "AZURE_TENANT_ID"],
    );
    with("scan --tenant a.example").failed(
        2,
        &["the client id is missing"],
        &["--client-id", "AZURE_CLIENT_ID"],
    );
    with("scan --auth certificate --tenant a.example --client-id 9aca0790-0215-5d90-a537-310e378af7ac")
        .failed(2, &["certificate was chosen"], &["--certificate FILE"]);
    // A variable that a build system set to nothing is not set.
    desk.call("scan")
        .env("AZURE_CLIENT_SECRET", "")
        .run()
        .failed(2, &["no credential"], &[]);
}
