//! Which credential is found, what files may hold, which roots are allowed.

use super::*;

#[test]
fn certificate_files() {
    use CertificateProblem as P;
    let cases = [
        ("pkcs8.pem", None, Ok(())),
        ("pkcs1.pem", None, Ok(())),
        ("encrypted.pem", Some("test-only"), Ok(())),
        ("encrypted.pem", Some("wrong"), Err(P::WrongPassword)),
        ("encrypted.pem", None, Err(P::PasswordNeeded)),
        (
            "old-encryption.pem",
            Some("test-only"),
            Err(P::OldEncryption),
        ),
        ("mismatch.pem", None, Err(P::NoMatch)),
        ("two-pairs.pem", None, Ok(())),
        ("short.pem", None, Err(P::TooShort { bits: 1024 })),
        ("ec.pem", None, Err(P::NotRsa)),
        ("public.pem", None, Err(P::NoKey)),
        ("modern.p12", Some("test-only"), Ok(())),
        ("modern.p12", Some("wrong"), Err(P::WrongPassword)),
        ("modern.p12", None, Err(P::PasswordNeeded)),
        ("legacy.p12", Some("test-only"), Ok(())),
        ("legacy.p12", Some("wrong"), Err(P::WrongPassword)),
        ("empty-password.p12", None, Ok(())),
        ("empty-password.p12", Some(""), Ok(())),
        ("README.md", None, Err(P::UnknownFormat)),
        (
            "absent.pem",
            None,
            Err(P::Unreadable(std::io::ErrorKind::NotFound)),
        ),
    ];
    for (file, password, expected) in cases {
        match (load(file, password), expected) {
            (Ok(certificate), Ok(())) => {
                // For two pairs: the one that is valid longer.
                assert_eq!(certificate.thumbprints().sha1, SHA1, "{file}");
                assert_eq!(certificate.thumbprints().sha256, SHA256, "{file}");
            }
            (Err(error), Err(problem)) => {
                assert_eq!(
                    error,
                    AuthError::Certificate {
                        file: key(file),
                        problem
                    },
                    "{file} {password:?}"
                );
                assert!(error.help().is_some(), "{file}");
            }
            (found, _) => panic!("{file} {password:?}: {found:?} instead of {expected:?}"),
        }
    }
    let problem = Certificate::from_bytes(
        b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        None,
    )
    .unwrap_err();
    assert_eq!(problem, P::NoKey);
}

/// Runs discovery with `name=value` pairs; those that begin with `--` are flags.
fn find(settings: &[(&str, &str)]) -> Result<SignIn, AuthError> {
    let mut options = Options::default();
    let mut env = BTreeMap::new();
    for (name, value) in settings {
        let value = (*value).to_owned();
        match *name {
            "--auth" => options.auth = Some(value.parse().unwrap()),
            "--tenant" => options.tenant = Some(value),
            "--client-id" => options.client_id = Some(value),
            "--client-secret-file" => options.client_secret_file = Some(value.into()),
            "--certificate" => options.certificate = Some(value.into()),
            name => {
                env.insert(name.to_owned(), value);
            }
        }
    }
    discover(&options, &env)
}

/// What, the settings, and the credential or words of the error.
type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, Result<&'a str, &'a str>);

#[test]
fn the_credential_is_found_in_order() {
    let base = [
        ("AZURE_TENANT_ID", "Contoso.example"),
        ("AZURE_CLIENT_ID", CLIENT),
    ];
    let pem = key("pkcs8.pem").display().to_string();
    let p12 = key("modern.p12").display().to_string();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (good, empty) = (file("good", "from-file\r\n"), file("empty", "\n"));
    let (lines, absent) = (
        file("lines", "a\n\nb\n"),
        folder.path().join("absent").display().to_string(),
    );
    let secret = ("AZURE_CLIENT_SECRET", "from-azure");
    let certificate = ("AZURE_CLIENT_CERTIFICATE_PATH", pem.as_str());
    let cases: Vec<Case<'_>> = vec![
        (
            "the secret first",
            vec![secret, certificate],
            Ok("from-azure"),
        ),
        (
            "ours before Azure's",
            vec![secret, ("M365AUDIT_CLIENT_SECRET", "ours")],
            Ok("ours"),
        ),
        (
            "a file beats the environment",
            vec![secret, ("--client-secret-file", &good)],
            Ok("from-file"),
        ),
        (
            "a certificate flag beats a secret",
            vec![secret, ("--certificate", &pem)],
            Ok("certificate"),
        ),
        (
            "--auth chooses",
            vec![secret, certificate, ("--auth", "certificate")],
            Ok("certificate"),
        ),
        ("a certificate alone", vec![certificate], Ok("certificate")),
        (
            "its password, ours first",
            vec![
                ("AZURE_CLIENT_CERTIFICATE_PATH", &p12),
                ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "wrong"),
                ("M365AUDIT_CERTIFICATE_PASSWORD", "test-only"),
            ],
            Ok("certificate"),
        ),
        (
            "empty is unset",
            vec![("AZURE_CLIENT_SECRET", ""), certificate],
            Ok("certificate"),
        ),
        (
            "two flags",
            vec![("--client-secret-file", &good), ("--certificate", &pem)],
            Err("cannot be used together"),
        ),
        (
            "an empty file",
            vec![("--client-secret-file", &empty)],
            Err("is empty"),
        ),
        (
            "several lines",
            vec![("--client-secret-file", &lines)],
            Err("more than one line"),
        ),
        (
            "no file",
            vec![("--client-secret-file", &absent)],
            Err("cannot be read"),
        ),
        ("nothing", vec![], Err("no credential")),
        (
            "chosen but absent",
            vec![certificate, ("--auth", "secret")],
            Err("no client secret"),
        ),
        (
            "a token file",
            vec![("AZURE_FEDERATED_TOKEN_FILE", "x")],
            Ok("federated"),
        ),
        (
            "a secret before a token file",
            vec![("AZURE_FEDERATED_TOKEN_FILE", "x"), secret],
            Ok("from-azure"),
        ),
        (
            "GitHub Actions before a managed identity",
            vec![
                ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://run.example/?x=y"),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "x"),
                ("IDENTITY_ENDPOINT", "http://localhost/t"),
                ("IDENTITY_HEADER", "x"),
            ],
            Ok("federated"),
        ),
        (
            "half of GitHub's variables",
            vec![("ACTIONS_ID_TOKEN_REQUEST_URL", "https://run.example")],
            Err("no credential"),
        ),
        (
            "half of Azure DevOps' variables",
            vec![
                ("SYSTEM_OIDCREQUESTURI", "https://dev.example"),
                ("SYSTEM_ACCESSTOKEN", "x"),
            ],
            Err("no credential"),
        ),
        (
            "a job's address that is not secure",
            vec![
                ("ACTIONS_ID_TOKEN_REQUEST_URL", "http://run.example"),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "x"),
            ],
            Err("ACTIONS_ID_TOKEN_REQUEST_URL"),
        ),
        (
            "no Azure CLI",
            vec![secret, ("--auth", "azure-cli")],
            Err("not found on PATH"),
        ),
        (
            "chosen without a token of another issuer",
            vec![secret, ("--auth", "federated")],
            Err("no token of another issuer"),
        ),
        (
            "common",
            vec![secret, ("--tenant", "common")],
            Err("one tenant"),
        ),
        (
            "organizations",
            vec![secret, ("--tenant", "Organizations")],
            Err("one tenant"),
        ),
        (
            "no tenant at all",
            vec![secret, ("--tenant", "contoso")],
            Err("neither a GUID nor a domain"),
        ),
        (
            "a path",
            vec![secret, ("--tenant", "a.b/../c")],
            Err("neither a GUID nor a domain"),
        ),
        (
            "no GUID",
            vec![secret, ("--client-id", "m365")],
            Err("not a GUID"),
        ),
    ];
    for (name, mut settings, expected) in cases {
        settings.splice(0..0, base);
        match (find(&settings), expected) {
            (Ok(found), Ok(expected)) => {
                let SignIn::Application(found) = found else {
                    panic!("{name}: {found:?}");
                };
                assert_eq!(
                    (found.tenant.as_str(), found.client_id.as_str()),
                    ("contoso.example", CLIENT)
                );
                let kind = match &found.credential {
                    Credential::Secret(secret) => secrecy::ExposeSecret::expose_secret(secret),
                    Credential::Certificate(_) => "certificate",
                    Credential::Federated(_) => "federated",
                };
                assert_eq!(kind, expected, "{name}");
            }
            (Err(error), Err(words)) => {
                assert!(error.to_string().contains(words), "{name}: {error}");
                assert!(error.help().is_some(), "{name}");
            }
            (found, _) => panic!("{name}: {found:?}"),
        }
    }
    for (left, flag) in [
        ("AZURE_TENANT_ID", "--tenant"),
        ("AZURE_CLIENT_ID", "--client-id"),
    ] {
        let settings: Vec<_> = base
            .into_iter()
            .chain([secret])
            .filter(|(name, _)| *name != left)
            .collect();
        let help = find(&settings).unwrap_err().help().unwrap();
        assert!(help.contains(left) && help.contains(flag), "{help}");
    }
    let help = find(&base).unwrap_err().help().unwrap();
    for name in [
        "AZURE_CLIENT_SECRET",
        "--client-secret-file",
        "--certificate",
        "AZURE_CLIENT_CERTIFICATE_PATH",
    ] {
        assert!(help.contains(name), "{help}");
    }
}

#[test]
fn kinds_that_are_no_application() {
    let device = [
        ("--auth", "device-code"),
        ("AZURE_TENANT_ID", "Contoso.example"),
        ("AZURE_CLIENT_ID", CLIENT),
    ];
    match find(&device).unwrap() {
        SignIn::DeviceCode(person) => assert_eq!(
            (person.tenant.as_str(), person.client_id.as_str()),
            ("contoso.example", CLIENT)
        ),
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        find(&device[..1]),
        Err(AuthError::Missing { what: "tenant", .. })
    ));
    let identity = [
        ("IDENTITY_ENDPOINT", "http://localhost/t"),
        ("IDENTITY_HEADER", "x"),
    ];
    let found = find(&identity).unwrap();
    assert_eq!(
        (found.kind(), found.tenant()),
        (AuthKind::ManagedIdentity, None)
    );
}

#[test]
fn the_names_of_a_platform_come_before_the_configuration() {
    let env = |settings: &[(&str, &str)]| -> BTreeMap<String, String> {
        let settings = settings.iter();
        settings
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let options = Options {
        configured_tenant: Some("configured.example".to_owned()),
        configured_client_id: Some(CLIENT.to_owned()),
        ..Options::default()
    };
    let pipeline = [
        ("SYSTEM_OIDCREQUESTURI", "https://dev.example"),
        ("SYSTEM_ACCESSTOKEN", "x"),
        ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "x"),
        ("AZURESUBSCRIPTION_TENANT_ID", "pipeline.example"),
        ("AZURE_TENANT_ID", "azure.example"),
    ];
    let tenant = |options: &Options, settings| {
        let found = discover(options, &env(settings)).unwrap();
        found.tenant().unwrap().to_owned()
    };
    assert_eq!(tenant(&options, &pipeline), "azure.example");
    assert_eq!(tenant(&options, &pipeline[..4]), "pipeline.example");
    assert_eq!(tenant(&options, &pipeline[..3]), "configured.example");
    let flag = Options {
        tenant: Some("flag.example".to_owned()),
        ..options
    };
    assert_eq!(tenant(&flag, &pipeline), "flag.example");
}

#[test]
fn roots_are_https_or_this_machine() {
    for cloud in Cloud::ALL {
        assert_eq!(cloud.name().parse::<Cloud>().unwrap(), cloud);
        let endpoints = Endpoints::from(cloud);
        assert_eq!(endpoints.scope(), cloud.scope());
        assert_eq!(endpoints.graph.scheme(), "https");
    }
    for kind in AuthKind::ALL {
        assert_eq!(kind.name().parse::<AuthKind>().unwrap(), kind);
    }
    let scope = |graph| {
        Endpoints::new(Cloud::China, None, Some(graph))
            .map(|endpoints| endpoints.scope().to_owned())
    };
    let china = "https://microsoftgraph.chinacloudapi.cn/.default";
    let own = "https://graph.example/.default";
    for (graph, expected) in [
        ("https://graph.example/", Some(own)),
        ("http://127.0.0.1:8080", Some(china)),
        ("http://[::1]:8080/", Some(china)),
        ("http://localhost:8080", Some(china)),
        ("http://graph.example", None),
        ("http://127.0.0.1.evil.example", None),
        ("http://localhost.evil.example", None),
        ("ftp://127.0.0.1", None),
        ("https://user:password@graph.example", None),
        ("https://graph.example/?x=y", None),
        ("graph.example", None),
        ("", None),
    ] {
        let found = scope(graph);
        assert_eq!(found.as_deref().ok(), expected, "{graph}");
        if let Err(error) = found {
            let text = error.to_string();
            assert!(
                text.starts_with("--graph-url: ") && !text.contains("password@"),
                "{text}"
            );
            assert_eq!(
                text.contains("loopback"),
                graph.starts_with("http:") || graph.starts_with("ftp:"),
                "{text}"
            );
        }
    }
}
