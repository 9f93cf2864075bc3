//! The identity of an Azure machine or service.

use super::*;

fn on_azure(content: &mut Value) {
    content["app"]["secrets"] = json!([]);
    content["platforms"] =
        json!({"managedIdentity": {"clientId": IDENTITY, "header": "identity-header"}});
}

fn user_assigned(content: &mut Value) {
    on_azure(content);
    content["platforms"]["managedIdentity"]["resourceId"] = json!(RESOURCE);
}

fn machine(stage: &Stage, arguments: &str) -> Call {
    unnamed(stage, arguments).env(
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
        stage.emulator.login_url(),
    )
}

fn app_service(stage: &Stage, arguments: &str, header: &str) -> Call {
    let endpoint = format!("{}/app-service/token", stage.emulator.login_url());
    unnamed(stage, arguments)
        .env("IDENTITY_ENDPOINT", endpoint)
        .secret("IDENTITY_HEADER", header)
}

#[test]
fn a_machine_and_a_service_sign_in_without_being_told_anything() {
    let stage = stage(on_azure);
    good(&stage, machine(&stage, ""));
    good(&stage, machine(&stage, "--auth managed-identity"));
    good(
        &stage,
        machine(
            &stage,
            &format!("--auth managed-identity --tenant {}", stage.tenant),
        ),
    );
    good(&stage, machine(&stage, "").env("AZURE_CLIENT_ID", IDENTITY));
    good(&stage, app_service(&stage, "", "identity-header"));
}

#[test]
fn a_user_assigned_identity_is_named_by_client_or_resource_id() {
    let stage = stage(user_assigned);
    for id in [IDENTITY, RESOURCE] {
        good(
            &stage,
            machine(&stage, &format!("--auth managed-identity --client-id {id}")),
        );
        good(
            &stage,
            app_service(&stage, &format!("--client-id {id}"), "identity-header"),
        );
    }
    let other = "--auth managed-identity --client-id 22222222-2222-4222-8222-222222222222";
    for call in [
        machine(&stage, other),
        app_service(&stage, other, "identity-header"),
        machine(&stage, "--auth managed-identity"),
    ] {
        stage.run(call).failed(
            3,
            &["no such managed identity is assigned here"],
            &["--client-id", "AZURE_CLIENT_ID"],
        );
    }
    let call = machine(&stage, "--auth managed-identity --client-id my-identity");
    stage
        .run(call)
        .failed(2, &["my-identity", "resource id"], &[]);
}

#[test]
fn an_identity_of_another_tenant_is_not_used() {
    let stage = stage(on_azure);
    let other = "33333333-3333-4333-8333-333333333333";
    let call = machine(&stage, &format!("--auth managed-identity --tenant {other}"));
    stage.run(call).failed(
        3,
        &["managed-identity", other, &stage.tenant],
        &["leave out --tenant"],
    );
    // Found by itself it is as if there were none.
    let call = machine(&stage, &format!("--tenant {other}"));
    stage.run(call).failed(2, &["no credential"], &[]);
}

#[test]
fn outside_azure() {
    let stage = stage(|content| content["platforms"] = json!({}));
    // Something answers at the address, as in other clouds, but it is not Azure.
    stage
        .run(machine(&stage, ""))
        .failed(2, &["no credential"], &["managed identity"]);
    let nobody = unnamed(&stage, "--auth managed-identity");
    stage.run(nobody).failed(
        3,
        &["instance metadata service", "127.0.0.1:1"],
        &["Azure's machines only"],
    );
}

#[test]
fn platforms_that_refuse_or_are_not_supported() {
    let stage = stage(on_azure);
    stage.run(app_service(&stage, "", "of-another-app")).failed(
        3,
        &["App Service", "status 401"],
        &[],
    );
    let fabric =
        app_service(&stage, "", "identity-header").env("IDENTITY_SERVER_THUMBPRINT", "AB12");
    stage
        .run(fabric)
        .failed(3, &["not supported on Service Fabric"], &["certificate"]);
    let far = unnamed(&stage, "")
        .env("IDENTITY_ENDPOINT", "http://identity.example/token")
        .secret("IDENTITY_HEADER", "x-header");
    stage.run(far).failed(
        2,
        &["IDENTITY_ENDPOINT", "link-local"],
        &["as the platform gives it"],
    );
}

#[test]
fn the_metadata_service_is_given_time() {
    let fault = |nth, status| Fault {
        path_contains: "/metadata/identity".to_owned(),
        nth,
        kind: FaultKind::Status(status),
    };
    for status in [404, 500, 503] {
        let options = Options {
            faults: vec![fault(Nth::First(1), status)],
            ..Options::default()
        };
        let stage = Stage::serve(demo(on_azure), options);
        good(&stage, machine(&stage, "--auth managed-identity"));
        assert_eq!(asked(&stage.emulator, "/metadata/identity"), 2, "{status}");
    }
}
