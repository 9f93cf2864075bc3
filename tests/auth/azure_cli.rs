//! The Azure CLI: how long its token is believed. Everything else is seen with the program itself.

use std::os::unix::fs::PermissionsExt as _;

use m365audit::auth::AzureCli;

use super::*;

#[tokio::test]
async fn the_end_is_read_in_seconds_and_never_in_local_time() {
    let now = 1_787_221_025;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("az");
    let local = "\"expiresOn\": \"2031-08-20 13:17:05.000000\"";
    for (end, expected) in [
        (
            format!("\"expires_on\": {}, {local}", now + 4_000),
            now + 4_000,
        ),
        (local.to_owned(), now + 600),
        (format!("\"expires_on\": {}, {local}", now - 1), now + 600),
    ] {
        let script = format!("#!/bin/sh\necho '{{\"accessToken\": \"TOKENTEXT\", {end}}}'\n");
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let endpoints = Endpoints::from(Cloud::China);
        let client = http::client(&[&endpoints.login]).unwrap();
        let cli = AzureCli {
            tenant: None,
            program: program.clone(),
        };
        let tokens = Tokens::new(SignIn::AzureCli(cli), endpoints, client, FakeClock::new());
        let token = tokens.token(Renewal::IfNeeded).await.unwrap();
        assert_eq!(token.expires_at().as_second(), expected, "{end}");
    }
}
