//! The Graph emulator, asked over loopback as a client would.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

#[path = "support/emulated.rs"]
mod emulated;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use emulated::{Answer, Client, send};
use m365audit::emulator::{Clock, Fault, FaultKind, Nth, Options, Pace, RetryAfter, TenantData};
use serde_json::{Value, json};

const TENANT: &str = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
const CLIENT: &str = "000000a2-0000-4000-8000-0000000000a2";
const NOW: &str = "2026-08-20T10:00:00Z";

/// A tenant of ten users with P2 and Intune, three nested groups, a role and its policy.
fn tenant() -> TenantData {
    let profile = json!({
        "about": "a small tenant", "tenantId": TENANT, "domains": ["contoso.example"], "now": NOW, "absent": "empty",
        "app": {
            "clientId": CLIENT,
            "secrets": [
                {"value": "s3cret~+/=", "endDateTime": "2027-01-01T00:00:00Z"},
                {"value": "old", "endDateTime": "2026-01-01T00:00:00Z"},
            ],
            "certificates": [{"x5t#S256": "c29tZS10aHVtYnByaW50"}],
            "federatedCredentials": [{"issuer": "https://token.example", "subject": "repo:contoso/audit:ref:refs/heads/main"}],
            "permissions": ["User.Read.All", "AuditLog.Read.All", "Group.Read.All", "GroupMember.Read.All", "Application.Read.All",
                "RoleManagement.Read.Directory", "Policy.Read.All", "Domain.Read.All", "LicenseAssignment.Read.All",
                "DeviceManagementConfiguration.Read.All", "IdentityRiskyUser.ReadWrite.All", "SecurityAlert.Read.All",
                "MailboxSettings.Read", "Reports.Read.All", "Organization.Read.All"],
        },
    });
    let users: Vec<Value> = (0..10)
        .map(|number| {
            json!({
                "id": format!("u{number}"), "userPrincipalName": format!("user{number}@contoso.example"),
                "displayName": format!("User {number}"), "accountEnabled": number != 3,
                "userType": if number < 8 { "Member" } else { "Guest" },
                "signInActivity": {"lastSignInDateTime": format!("2026-08-1{number}T00:00:00Z")},
            })
        })
        .collect();
    let plan = |name: &str| json!({"servicePlanName": name, "servicePlanId": "x", "provisioningStatus": "Success"});
    let owners: Vec<Value> = (0..25)
        .map(|number| json!({"id": format!("o{number}"), "@odata.type": "#microsoft.graph.user"}))
        .collect();
    let data = json!({
        "/users": users,
        "/groups": [{"id": "g1", "displayName": "One", "isAssignableToRole": true}, {"id": "g2", "displayName": "Two"}, {"id": "g3", "displayName": "Three"}],
        "/groups/g1/members": [{"id": "u1", "@odata.type": "#microsoft.graph.user"}, {"id": "g2", "@odata.type": "#microsoft.graph.group"}],
        "/groups/g2/members": [{"id": "u9", "@odata.type": "#microsoft.graph.user"}, {"id": "g3", "@odata.type": "#microsoft.graph.group"}],
        "/groups/g3/members": [{"id": "g1", "@odata.type": "#microsoft.graph.group"}, {"id": "u1", "@odata.type": "#microsoft.graph.user"}],
        "/groups/g1/owners": owners,
        "/applications": [{"id": "a1", "appId": "11111111-0000-4000-8000-000000000001", "displayName": "App"}],
        "/servicePrincipals": [{"id": "sp1", "appId": "11111111-0000-4000-8000-000000000001", "displayName": "App"}],
        "/servicePrincipals/sp1/owners": [{"id": "u2"}],
        "/domains": [{"id": "contoso.example", "authenticationType": "Managed"}],
        "/organization": [{"id": TENANT, "displayName": "Contoso", "mobileDeviceManagementAuthority": "intune"}],
        "/subscribedSkus": [{"id": "sku", "capabilityStatus": "Enabled",
            "servicePlans": [plan("AAD_PREMIUM"), plan("AAD_PREMIUM_P2"), plan("INTUNE_A"), plan("EXCHANGE_S_STANDARD"), plan("WINDEFATP")]}],
        "/roleManagement/directory/roleDefinitions": [{"id": "rd1", "displayName": "Global Administrator", "isBuiltIn": true}],
        "/roleManagement/directory/roleAssignments": [{"id": "ra1", "principalId": "u1", "roleDefinitionId": "rd1", "directoryScopeId": "/"}],
        "/roleManagement/directory/roleEligibilityScheduleInstances": [],
        "/policies/roleManagementPolicies": [{"id": "p1", "scopeId": "/", "scopeType": "DirectoryRole"}],
        "/policies/roleManagementPolicies/p1/rules": [{"id": "Expiration_Admin_Eligibility"}],
        "/policies/roleManagementPolicyAssignments": [{"id": "pa1", "policyId": "p1", "scopeId": "/", "scopeType": "DirectoryRole", "roleDefinitionId": "rd1"}],
        "/policies/authorizationPolicy": {"id": "authorizationPolicy", "allowInvitesFrom": "everyone"},
        "/identity/conditionalAccess/policies": [{"id": "ca1", "state": "enabled"}],
        "/identityProtection/riskyUsers": [{"id": "u1", "riskState": "atRisk"}],
        "/reports/authenticationMethods/userRegistrationDetails": [{"id": "u1", "isMfaRegistered": true}],
        "/reports/getEmailActivityUserDetail(period='D7')": "Report Refresh Date,User\n2026-08-19,A\n",
        "/security/alerts_v2": [],
        "/deviceManagement/deviceCompliancePolicies": [],
        "beta:/policies/authenticationMethodsPolicy": {"id": "authenticationMethodsPolicy", "reportSuspiciousActivitySettings": {"state": "enabled"}},
        "v1.0:/policies/authenticationMethodsPolicy": {"id": "authenticationMethodsPolicy"},
    });
    TenantData::from_files([
        ("tenant.json", profile.to_string().as_str()),
        ("data.json", &data.to_string()),
    ])
    .unwrap()
}

impl Answer {
    fn code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    fn message(&self) -> String {
        self.json()["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    fn ids(&self) -> Vec<String> {
        let body = self.json();
        let rows = body["value"]
            .as_array()
            .unwrap_or_else(|| panic!("no value: {body}"));
        rows.iter()
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn fault(path: &str, nth: Nth, kind: FaultKind) -> Options {
    Options {
        faults: vec![Fault {
            path_contains: path.to_owned(),
            nth,
            kind,
        }],
        ..Options::default()
    }
}

async fn with_fault(path: &str, kind: FaultKind) -> Client {
    Client::new(tenant(), fault(path, Nth::Only(1), kind)).await
}

// Sign-in

/// Tenant, changed fields, AADSTS number and status.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], u64, u16);

#[tokio::test]
async fn a_token_names_what_was_granted() {
    let client = Client::new(tenant(), Options::default()).await;
    let first = client.ask_token("contoso.example", &[]).await.json();
    assert_eq!(
        (first["token_type"].as_str(), first["expires_in"].as_u64()),
        (Some("Bearer"), Some(3_599))
    );
    let token = first["access_token"].as_str().unwrap();
    assert_ne!(token, client.token, "tokens differ");
    let claims: Value = serde_json::from_slice(
        &URL_SAFE_NO_PAD
            .decode(token.split('.').nth(1).unwrap())
            .unwrap(),
    )
    .unwrap();
    assert_eq!(claims["tid"], TENANT);
    assert_eq!(claims["appid"], CLIENT);
    assert_eq!(claims["aud"], client.emulator.graph_url());
    assert!(
        claims["roles"]
            .as_array()
            .unwrap()
            .contains(&json!("User.Read.All"))
    );
    assert_eq!(client.get("/v1.0/users").await.status, 200);
    let log = client.emulator.requests();
    let line = log.last().unwrap();
    assert_eq!(
        (line.path.as_str(), line.bearer, line.user_agent.as_deref()),
        ("/v1.0/users", true, Some("emulator-test"))
    );
    assert!(!log.first().unwrap().bearer);
}

#[tokio::test]
async fn sign_in_errors_have_entras_codes() {
    let client = Client::without_token(tenant(), Options::default()).await;
    let other = "https://graph.microsoft.us/.default";
    let graph = client.emulator.graph_url();
    let narrow = format!("{graph}/User.Read.All");
    let cases: &[Case<'_>] = &[
        (TENANT, &[("client_secret", "wrong")], 7_000_215, 401),
        (TENANT, &[("client_secret", "old")], 7_000_222, 401),
        (
            TENANT,
            &[("client_id", "22222222-0000-4000-8000-000000000000")],
            700_016,
            400,
        ),
        (TENANT, &[("client_secret", "")], 7_000_218, 401),
        (TENANT, &[("scope", other)], 500_011, 400),
        (TENANT, &[("scope", &narrow)], 1_002_012, 400),
        (TENANT, &[("scope", "User.Read")], 70_011, 400),
        (TENANT, &[("grant_type", "password")], 70_003, 400),
        (TENANT, &[("grant_type", "")], 900_144, 400),
        ("nosuch.onmicrosoft.com", &[], 90_002, 400),
        ("contoso", &[], 900_023, 400),
    ];
    for (tenant, changes, code, status) in cases {
        let answer = client.ask_token(tenant, changes).await;
        let body = answer.json();
        assert_eq!(body["error_codes"], json!([code]), "{}", answer.text);
        assert_eq!(answer.status, *status, "{code}");
        let description = body["error_description"].as_str().unwrap();
        assert!(
            description.starts_with(&format!("AADSTS{code}: ")) && !description.contains('{'),
            "{description}"
        );
        assert!(!answer.text.contains("s3cret"));
    }
    let url = format!("{}/{TENANT}/oauth2/v2.0/token", client.emulator.login_url());
    let wrong_type = send(
        client
            .http
            .post(url)
            .header("Content-Type", "application/json")
            .body("{}"),
    )
    .await
    .unwrap();
    assert_eq!(wrong_type.json()["error_codes"], json!([900_144]));
}

#[tokio::test]
async fn disabled_and_unconsented_applications_get_no_token() {
    for (flag, code) in [("enabled", 7_000_112), ("consented", 7_000_229)] {
        let profile = json!({"tenantId": TENANT, "now": NOW, "app": {"clientId": CLIENT, "secrets": [{"value": "s3cret~+/="}], flag: false}});
        let tenant =
            TenantData::from_files([("tenant.json", profile.to_string().as_str())]).unwrap();
        let client = Client::without_token(tenant, Options::default()).await;
        assert_eq!(
            client.ask_token(TENANT, &[]).await.json()["error_codes"],
            json!([code])
        );
    }
}

fn assertion(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.{}",
        part(header),
        part(claims),
        URL_SAFE_NO_PAD.encode("signature")
    )
}

#[tokio::test]
async fn client_assertions_are_checked() {
    let now: jiff::Timestamp = "2026-08-20T10:00:00Z".parse().unwrap();
    let options = Options {
        clock: Clock::Fixed(now),
        ..Options::default()
    };
    let client = Client::without_token(tenant(), options).await;
    let audience = format!("{}/{TENANT}/oauth2/v2.0/token", client.emulator.login_url());
    let at = now.as_second();
    let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": "c29tZS10aHVtYnByaW50"});
    let good = json!({"aud": audience, "iss": CLIENT, "sub": CLIENT, "jti": "1", "nbf": at, "iat": at, "exp": at + 600});
    let change = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let workload = json!({"aud": "api://AzureADTokenExchange", "iss": "https://token.example",
        "sub": "repo:contoso/audit:ref:refs/heads/main", "exp": at + 300});
    let mut wrong_branch = workload.clone();
    wrong_branch["sub"] = json!("repo:contoso/audit:ref:refs/heads/dev");
    let unknown = json!({"alg": "PS256", "x5t#S256": "b3RoZXI"});
    let weak = json!({"alg": "none"});
    let cases = [
        (assertion(&header, &good), None),
        (assertion(&header, &workload), None),
        (assertion(&unknown, &good), Some(700_027)),
        (assertion(&weak, &good), Some(50_027)),
        ("a.b".to_owned(), Some(50_027)),
        (
            assertion(
                &header,
                &change("aud", json!("https://login.microsoftonline.com")),
            ),
            Some(700_023),
        ),
        (
            assertion(&header, &change("exp", json!(at - 301))),
            Some(700_024),
        ),
        (
            assertion(&header, &change("nbf", json!(at + 301))),
            Some(700_024),
        ),
        (
            assertion(&header, &change("sub", json!("someone"))),
            Some(700_021),
        ),
        (assertion(&header, &wrong_branch), Some(700_213)),
    ];
    for (token, code) in cases {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let changes = [
            ("client_secret", ""),
            ("client_assertion_type", kind),
            ("client_assertion", token.as_str()),
        ];
        let answer = client.ask_token(TENANT, &changes).await;
        match code {
            None => assert_eq!(answer.status, 200, "{}", answer.text),
            Some(code) => assert_eq!(
                answer.json()["error_codes"],
                json!([code]),
                "{}",
                answer.text
            ),
        }
    }
}

#[tokio::test]
async fn a_registered_public_key_is_used() {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let profile = json!({"tenantId": TENANT, "now": NOW, "app": {"clientId": CLIENT,
        "certificates": [{"x5t#S256": "c29tZS10aHVtYnByaW50", "publicKey": key.public_key_pem()}]}});
    let tenant = TenantData::from_files([("tenant.json", profile.to_string().as_str())]).unwrap();
    let now: jiff::Timestamp = NOW.parse().unwrap();
    let client = Client::without_token(
        tenant,
        Options {
            clock: Clock::Fixed(now),
            ..Options::default()
        },
    )
    .await;
    let audience = format!("{}/{TENANT}/oauth2/v2.0/token", client.emulator.login_url());
    let claims =
        json!({"aud": audience, "iss": CLIENT, "sub": CLIENT, "exp": now.as_second() + 600});
    let mut header = Header::new(Algorithm::PS256);
    header.x5t_s256 = Some("c29tZS10aHVtYnByaW50".to_owned());
    let signed = encode(
        &header,
        &claims,
        &EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).unwrap(),
    )
    .unwrap();
    let forged = format!(
        "{}.{}",
        signed.rsplit_once('.').unwrap().0,
        URL_SAFE_NO_PAD.encode([7_u8; 256])
    );
    for (token, status) in [(signed, 200), (forged, 401)] {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let answer = client
            .ask_token(
                TENANT,
                &[
                    ("client_secret", ""),
                    ("client_assertion_type", kind),
                    ("client_assertion", &token),
                ],
            )
            .await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
}

#[tokio::test]
async fn metadata_names_the_tenant() {
    let client = Client::without_token(tenant(), Options::default()).await;
    let path = |tenant| {
        format!(
            "{}/{tenant}/v2.0/.well-known/openid-configuration",
            client.emulator.login_url()
        )
    };
    let known = client.get(&path("contoso.example")).await.json();
    assert!(
        known["token_endpoint"]
            .as_str()
            .unwrap()
            .ends_with(&format!("/{TENANT}/oauth2/v2.0/token"))
    );
    assert_eq!(
        client.get(&path("other.example")).await.json()["error_codes"],
        json!([90_002])
    );
}

// Requests

#[tokio::test]
async fn only_gets_with_a_valid_token_are_answered() {
    let mut client = Client::new(
        tenant(),
        Options {
            token_requests: Some(2),
            ..Options::default()
        },
    )
    .await;
    let url = format!("{}/v1.0/users", client.emulator.graph_url());
    for method in ["HEAD", "PATCH", "DELETE", "POST"] {
        let request = client
            .http
            .request(method.parse().unwrap(), &url)
            .bearer_auth(&client.token);
        assert!(
            matches!(send(request).await.unwrap().status, 401 | 405),
            "{method}"
        );
    }
    client.sign_in().await;
    assert_eq!(
        send(client.http.delete(&url).bearer_auth(&client.token))
            .await
            .unwrap()
            .status,
        405
    );
    assert_eq!(client.get("/v1.0/users").await.status, 200);
    let expired = client.get("/v1.0/users").await;
    assert_eq!(
        (expired.status, expired.code().as_str()),
        (401, "InvalidAuthenticationToken")
    );
    assert!(
        expired
            .header("WWW-Authenticate")
            .unwrap()
            .starts_with("Bearer")
    );
    let none = send(client.http.get(&url)).await.unwrap();
    assert_eq!(
        (none.status, none.message().as_str()),
        (401, "Access token is empty.")
    );
    let short = Client::new(
        tenant(),
        Options {
            expires_in: Some(0),
            ..Options::default()
        },
    )
    .await;
    assert_eq!(short.get("/v1.0/users").await.status, 401);
}

#[tokio::test]
async fn unknown_paths_and_missing_permissions_are_told_apart() {
    let mut data = tenant();
    data.permissions_mut()
        .retain(|name| name == "Domain.Read.All");
    let client = Client::new(data, Options::default()).await;
    for (path, status, code) in [
        ("/v1.0/users", 403, "Authorization_RequestDenied"),
        (
            "/v1.0/reports/authenticationMethods/userRegistrationDetails",
            403,
            "Authentication_MSGraphPermissionMissing",
        ),
        (
            "/v1.0/identity/conditionalAccess/policies",
            403,
            "AccessDenied",
        ),
        (
            "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances",
            403,
            "Forbidden",
        ),
        (
            "/v1.0/deviceManagement/deviceCompliancePolicies",
            403,
            "Forbidden",
        ),
        ("/v1.0/admin/sharepoint/settings", 403, "accessDenied"),
        ("/v1.0/users/u1/mailboxSettings", 403, "ErrorAccessDenied"),
        ("/v1.0/identityProtection/riskyUsers", 403, "UnknownError"),
        (
            "/v1.0/deviceManagement/configurationPolicies",
            400,
            "BadRequest",
        ),
        ("/v1.0/nothing", 400, "BadRequest"),
        ("/v2.0/users", 400, "BadRequest"),
        ("/v1.0/domains", 200, ""),
        (
            "/v1.0/users?$select=nonsense",
            403,
            "Authorization_RequestDenied",
        ),
    ] {
        let answer = client.get(path).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{path}"
        );
    }
    let intune = client
        .get("/v1.0/deviceManagement/deviceCompliancePolicies")
        .await;
    assert!(
        intune
            .message()
            .contains("DeviceManagementConfiguration.Read.All")
    );
    let segment = client
        .get("/v1.0/deviceManagement/configurationPolicies")
        .await;
    assert_eq!(
        segment.message(),
        "Resource not found for the segment 'configurationPolicies'."
    );
}

#[tokio::test]
async fn licences_come_from_the_tenants_own_list() {
    let paths = [
        ("/v1.0/identityProtection/riskyUsers", 403, "Forbidden"),
        (
            "/v1.0/reports/authenticationMethods/userRegistrationDetails",
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        ),
        (
            "/v1.0/users?$select=signInActivity",
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        ),
        (
            "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances",
            400,
            "AadPremiumLicenseRequired",
        ),
        (
            "/v1.0/deviceManagement/deviceCompliancePolicies",
            400,
            "BadRequest",
        ),
        ("/v1.0/security/alerts_v2", 401, "Unauthorized"),
        (
            "/v1.0/users/u1/mailFolders/inbox/messageRules",
            404,
            "MailboxNotEnabledForRESTAPI",
        ),
    ];
    let mut free = tenant();
    free.set("/subscribedSkus", json!([]));
    let client = Client::new(free, Options::default()).await;
    for (path, status, code) in paths {
        let answer = client.get(path).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{path}"
        );
    }
    assert!(
        client
            .get("/v1.0/identity/conditionalAccess/policies")
            .await
            .ids()
            .is_empty()
    );
    let client = Client::new(tenant(), Options::default()).await;
    for (path, _, _) in paths {
        assert_eq!(client.get(path).await.status, 200, "{path}");
    }
    assert_eq!(
        client
            .get("/v1.0/identity/conditionalAccess/policies")
            .await
            .ids(),
        ["ca1"]
    );
}

#[tokio::test]
async fn objects_are_found_by_id_name_and_relation() {
    let client = Client::new(tenant(), Options::default()).await;
    for path in [
        "/v1.0/users/u4",
        "/v1.0/users/U4",
        "/v1.0/users/user4%40contoso.example",
        "/v1.0/users('u4')",
        "/v1.0/users/user4@contoso.example",
    ] {
        assert_eq!(client.get(path).await.json()["id"], "u4", "{path}");
    }
    let by_app = "/v1.0/servicePrincipals(appId='11111111-0000-4000-8000-000000000001')";
    assert_eq!(client.get(by_app).await.json()["id"], "sp1");
    let owner = client
        .get(&format!("{by_app}/owners?$select=displayName"))
        .await
        .json()["value"][0]
        .clone();
    assert_eq!(
        owner,
        json!({"@odata.type": "#microsoft.graph.user", "id": "u2", "displayName": "User 2"})
    );
    assert_eq!(
        client
            .get(&format!(
                "/v1.0/organization/{TENANT}?$select=id,mobileDeviceManagementAuthority"
            ))
            .await
            .json()["mobileDeviceManagementAuthority"],
        "intune"
    );
    let missing = client.get("/v1.0/users/nobody").await;
    assert_eq!(
        (missing.status, missing.code().as_str()),
        (404, "Request_ResourceNotFound")
    );
    assert!(
        client
            .get("/v1.0/applications/a1/owners")
            .await
            .ids()
            .is_empty(),
        "absent: empty"
    );
    assert_eq!(client.get("/v1.0/applications/zz/owners").await.status, 404);
    assert_eq!(
        client
            .get("/v1.0/policies/adminConsentRequestPolicy")
            .await
            .status,
        403,
        "a singleton that is not held"
    );
    assert_eq!(
        client
            .get("/beta/policies/authenticationMethodsPolicy")
            .await
            .json()["reportSuspiciousActivitySettings"]["state"],
        "enabled"
    );
    assert!(
        client
            .get("/v1.0/policies/authenticationMethodsPolicy")
            .await
            .json()
            .get("reportSuspiciousActivitySettings")
            .is_none()
    );
}

#[tokio::test]
async fn transitive_members_survive_a_cycle() {
    let client = Client::new(tenant(), Options::default()).await;
    let mut all = client.get("/v1.0/groups/g1/transitiveMembers").await.ids();
    all.sort();
    assert_eq!(all, ["g2", "g3", "u1", "u9"]);
    let path =
        "/v1.0/groups/g1/transitiveMembers/microsoft.graph.user?$select=id,userType&$count=true";
    assert_eq!(client.get(path).await.code(), "Request_UnsupportedQuery");
    let users = client.eventual(path).await.json();
    assert_eq!(users["@odata.count"], 2);
    assert!(
        users["value"]
            .as_array()
            .unwrap()
            .contains(&json!({"id": "u9", "userType": "Guest"}))
    );
    let guests = client.eventual("/v1.0/groups/g2/members/microsoft.graph.user?$filter=userType eq 'Guest'&$count=true&$select=id").await;
    assert_eq!(guests.ids(), ["u9"]);
    assert_eq!(
        client.get("/v1.0/users/u9/transitiveMemberOf").await.ids(),
        ["g2", "g1", "g3"]
    );
}

// Queries

#[tokio::test]
async fn select_is_checked_and_obeyed() {
    let client = Client::new(tenant(), Options::default()).await;
    let unknown = client
        .get("/v1.0/roleManagement/directory/roleDefinitions?$select=id,isPrivileged")
        .await;
    assert_eq!(unknown.status, 400);
    assert_eq!(
        unknown.message(),
        "Parsing OData Select and Expand failed: Could not find a property named 'isPrivileged' on type 'microsoft.graph.unifiedRoleDefinition'."
    );
    assert_eq!(
        client
            .get("/beta/roleManagement/directory/roleDefinitions?$select=id,isPrivileged")
            .await
            .status,
        200
    );
    let plain = client.get("/v1.0/users?$top=1").await.json()["value"][0].clone();
    assert!(
        plain.get("accountEnabled").is_none() && plain.get("signInActivity").is_none(),
        "defaults only: {plain}"
    );
    let active = client
        .get("/v1.0/users?$select=signInActivity")
        .await
        .json()["value"][0]
        .clone();
    assert_eq!(
        active,
        json!({"id": "u0", "signInActivity": {"lastSignInDateTime": "2026-08-10T00:00:00Z"}})
    );
}

#[tokio::test]
async fn expand_resolves_relations_and_stops_at_twenty() {
    let client = Client::new(tenant(), Options::default()).await;
    let assignment = client
        .get("/v1.0/roleManagement/directory/roleAssignments?$expand=principal($select=id,displayName)")
        .await
        .json()["value"][0]
        .clone();
    assert_eq!(
        assignment["principal"],
        json!({"@odata.type": "#microsoft.graph.user", "id": "u1", "displayName": "User 1"})
    );
    let two = client
        .get("/v1.0/roleManagement/directory/roleAssignments?$expand=principal,roleDefinition")
        .await;
    assert_eq!(two.status, 400);
    let groups = client
        .get("/v1.0/groups?$expand=owners($select=id)")
        .await
        .json();
    assert_eq!(groups["value"][0]["owners"].as_array().unwrap().len(), 20);
    assert_eq!(groups["value"][1]["owners"], json!([]));
    assert!(
        client.get("/v1.0/groups").await.json()["value"][0]
            .get("owners")
            .is_none()
    );
    assert_eq!(
        client.get("/v1.0/groups?$expand=displayName").await.status,
        400
    );
    let nested = "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'&$expand=policy($expand=rules)";
    assert_eq!(
        client.get(nested).await.json()["value"][0]["policy"]["rules"][0]["id"],
        "Expiration_Admin_Eligibility"
    );
    let unfiltered = client.get("/v1.0/policies/roleManagementPolicies").await;
    assert_eq!(
        (unfiltered.status, unfiltered.message().contains("scopeId")),
        (400, true)
    );
}

#[tokio::test]
async fn filters_counts_and_order_work() {
    let client = Client::new(tenant(), Options::default()).await;
    assert_eq!(
        client
            .get("/v1.0/users?$filter=userType eq 'Guest'")
            .await
            .ids(),
        ["u8", "u9"]
    );
    assert_eq!(
        client
            .get("/v1.0/users?$filter=userType ne 'Member'")
            .await
            .code(),
        "Request_UnsupportedQuery"
    );
    let advanced =
        "/v1.0/users?$filter=userType ne 'Member' and not endsWith(displayName,'9')&$count=true";
    let found = client.eventual(advanced).await;
    assert_eq!(
        (found.ids(), found.json()["@odata.count"].as_u64()),
        (vec!["u8".to_owned()], Some(1))
    );
    let top = client
        .get("/v1.0/users?$orderby=displayName desc&$top=2")
        .await;
    assert_eq!(top.ids(), ["u9", "u8"]);
    let count = client
        .eventual("/v1.0/users/$count?$filter=accountEnabled eq false")
        .await;
    assert_eq!(
        (count.text.as_str(), count.header("content-type")),
        ("1", Some("text/plain"))
    );
    assert_eq!(
        client.get("/v1.0/users/$count").await.message(),
        "$count is not currently supported."
    );
    for bad in [
        "$filter=nothing eq 1",
        "$filter=accountEnabled eq 'true'",
        "$top=0",
        "$top=1000",
        "$skip=1",
        "$search=a",
        "$foo=1",
    ] {
        assert_eq!(
            client.get(&format!("/v1.0/users?{bad}")).await.status,
            400,
            "{bad}"
        );
    }
    assert_eq!(
        client
            .get("/v1.0/users?$select=signInActivity&$top=999")
            .await
            .status,
        200,
        "documented to be cut"
    );
}

#[tokio::test]
async fn pages_hang_together_and_tokens_are_opaque() {
    let client = Client::new(tenant(), Options::default()).await;
    let first = client.get("/v1.0/users?$select=id&$top=4").await;
    let next = first.json()["@odata.nextLink"].as_str().unwrap().to_owned();
    assert!(next.starts_with(&format!(
        "{}/v1.0/users?$select=id&$top=4&$skiptoken=",
        client.emulator.graph_url()
    )));
    let second = client.get(&next).await;
    assert_eq!(second.ids(), ["u4", "u5", "u6", "u7"]);
    assert_eq!(
        client.get(&next).await.ids(),
        second.ids(),
        "a page can be asked again"
    );
    let last = client
        .get(second.json()["@odata.nextLink"].as_str().unwrap())
        .await;
    assert_eq!(last.ids(), ["u8", "u9"]);
    assert!(last.json().get("@odata.nextLink").is_none());
    for stale in [
        "/v1.0/users?$skiptoken=made-up".to_owned(),
        next.replace("users", "groups"),
    ] {
        assert_eq!(
            client.get(&stale).await.code(),
            "Directory_ExpiredPageToken",
            "{stale}"
        );
    }
    let small = Client::new(
        tenant(),
        Options {
            max_page: Some(3),
            ..Options::default()
        },
    )
    .await;
    assert_eq!(small.get("/v1.0/users?$top=999").await.ids().len(), 3);
}

#[tokio::test]
async fn headers_are_those_of_graph() {
    let client = Client::new(
        tenant(),
        Options {
            clock: Clock::Fixed(NOW.parse().unwrap()),
            ..Options::default()
        },
    )
    .await;
    let request = client
        .request("/v1.0/users?$select=id")
        .header("client-request-id", "11111111-2222-4333-8444-555555555555")
        .header("Prefer", "include-unknown-enum-members");
    let answer = send(request).await.unwrap();
    assert_eq!(
        answer.header("client-request-id"),
        Some("11111111-2222-4333-8444-555555555555")
    );
    assert_eq!(
        answer.header("Preference-Applied"),
        Some("include-unknown-enum-members")
    );
    assert_eq!(answer.header("x-ms-resource-unit"), Some("1"));
    assert_eq!(answer.header("Date"), Some("Thu, 20 Aug 2026 10:00:00 GMT"));
    assert!(answer.header("request-id").is_some());
    let raw = reqwest::Client::builder()
        .no_gzip()
        .no_proxy()
        .build()
        .unwrap();
    let many: Vec<Value> = (0..200)
        .map(|number| json!({"id": format!("user-{number}"), "displayName": "x"}))
        .collect();
    let mut large = tenant();
    large.set("/users", json!(many));
    let client = Client::new(large, Options::default()).await;
    let url = format!("{}/v1.0/users", client.emulator.graph_url());
    let packed = raw
        .get(url)
        .bearer_auth(&client.token)
        .header("Accept-Encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert_eq!(
        client.get("/v1.0/users").await.ids().len(),
        100,
        "read through gzip, default page"
    );
}

#[tokio::test]
async fn a_usage_report_is_a_redirect_to_a_file() {
    let client = Client::new(tenant(), Options::default()).await;
    let answer = client
        .get("/v1.0/reports/getEmailActivityUserDetail(period='D7')")
        .await;
    assert_eq!(answer.status, 302);
    let file = send(client.http.get(answer.header("Location").unwrap()))
        .await
        .unwrap();
    assert!(file.text.starts_with("Report Refresh Date"));
    assert_eq!(
        client
            .get("/v1.0/reports/getEmailActivityUserDetail(period='D8')")
            .await
            .status,
        400
    );
}

// Batches

#[tokio::test]
async fn batch_parts_stand_alone() {
    let client = Client::new(tenant(), Options::default()).await;
    let answer = client
        .batch(json!([
            {"id": "1", "method": "GET", "url": "/users/u1?$select=id"},
            {"id": "2", "method": "GET", "url": "/users/$count", "headers": {"ConsistencyLevel": "eventual"}},
            {"id": "3", "method": "GET", "url": "/users/$count"},
            {"id": "4", "method": "DELETE", "url": "/users/u1"},
            {"id": "5", "method": "GET", "url": "/users/u1", "dependsOn": ["4"]},
            {"id": "6", "method": "GET", "url": "/users?$select=id&$top=2"},
        ]))
        .await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    let parts = body["responses"].as_array().unwrap();
    assert_ne!(parts[0]["id"], "1", "answers come in another order");
    let part = |id: &str| parts.iter().find(|part| part["id"] == id).unwrap();
    let statuses = ["1", "2", "3", "4", "5", "6"].map(|id| part(id)["status"].as_u64().unwrap());
    assert_eq!(statuses, [200, 200, 400, 405, 424, 200]);
    assert_eq!(part("2")["body"], 10);
    let next = part("6")["body"]["@odata.nextLink"].as_str().unwrap();
    assert_eq!(client.get(next).await.ids(), ["u2", "u3"]);
    let log = client.emulator.requests();
    assert_eq!(log.iter().filter(|line| line.batch_part).count(), 6);
    assert!(
        log.iter()
            .any(|line| line.path == "/v1.0/users/$count" && line.batch_part && line.status == 200)
    );
}

#[tokio::test]
async fn bad_batches_are_refused_as_a_whole() {
    let client = with_fault("/$batch", FaultKind::Status(503)).await;
    assert_eq!(
        client.batch(json!([])).await.status,
        503,
        "faults reach the batch itself"
    );
    let part = |id: usize, url: &str| json!({"id": id.to_string(), "method": "GET", "url": url});
    let many: Vec<Value> = (0..21).map(|id| part(id, "/users")).collect();
    for requests in [
        json!(many),
        json!([]),
        json!([part(1, "/users"), part(1, "/groups")]),
        json!([part(1, "https://graph.microsoft.com/v1.0/users")]),
        json!([{"id": "1"}]),
    ] {
        assert_eq!(client.batch(requests).await.status, 400);
    }
}

// Throttling and trouble

#[tokio::test]
async fn the_strict_pace_refuses_and_charges_batch_parts() {
    let client = Client::new(
        tenant(),
        Options {
            pace: Pace::Strict,
            ..Options::default()
        },
    )
    .await;
    let statuses = |body: &Value, status: u64| -> Vec<Value> {
        let parts = body["responses"].as_array().unwrap().clone();
        parts
            .into_iter()
            .filter(|part| part["status"] == status)
            .collect()
    };
    // In one batch, so that no time passes between the requests.
    let policies = "/identity/conditionalAccess/policies";
    let part = |id: &str| json!({"id": id, "method": "GET", "url": policies});
    let body = client.batch(json!([part("1"), part("2")])).await.json();
    let refused = statuses(&body, 429);
    assert_eq!((statuses(&body, 200).len(), refused.len()), (1, 1));
    assert!(refused[0]["headers"].get("Retry-After").is_none());
    let report = "/reports/authenticationMethods/userRegistrationDetails";
    let parts: Vec<Value> = (0..7)
        .map(|id| json!({"id": id.to_string(), "method": "GET", "url": report}))
        .collect();
    let body = client.batch(json!(parts)).await.json();
    let throttled = statuses(&body, 429);
    assert_eq!(throttled.len(), 2);
    assert!(throttled[0]["headers"]["Retry-After"].is_string());
}

#[tokio::test]
async fn refusals_name_the_wait_in_each_form() {
    for (retry_after, expected) in [
        (RetryAfter::None, None),
        (RetryAfter::Seconds(7), Some("7")),
        (RetryAfter::Decimal(2.128), Some("2.128")),
        (
            RetryAfter::HttpDate(60),
            Some("Thu, 20 Aug 2026 10:01:00 GMT"),
        ),
    ] {
        let options = Options {
            clock: Clock::Fixed(NOW.parse().unwrap()),
            ..fault("/users", Nth::First(2), FaultKind::Throttle { retry_after })
        };
        let client = Client::new(tenant(), options).await;
        for _ in 0..2 {
            let answer = client.get("/v1.0/users").await;
            assert_eq!(
                (answer.status, answer.header("Retry-After")),
                (429, expected)
            );
        }
        assert_eq!(client.get("/v1.0/users").await.status, 200);
    }
}

#[tokio::test]
async fn tokens_can_be_revoked() {
    for (kind, challenged) in [
        (FaultKind::ExpiredToken, false),
        (FaultKind::ClaimsChallenge, true),
    ] {
        let mut client = with_fault("/users", kind).await;
        let answer = client.get("/v1.0/users").await;
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer
                .header("WWW-Authenticate")
                .unwrap()
                .contains("insufficient_claims"),
            challenged
        );
        assert_eq!(
            client.get("/v1.0/users").await.status,
            401,
            "the same token stays refused"
        );
        client.sign_in().await;
        assert_eq!(client.get("/v1.0/users").await.status, 200);
    }
}

#[tokio::test]
async fn connections_and_bodies_break() {
    for kind in [FaultKind::CutBody, FaultKind::ResetConnection] {
        let client = with_fault("/users", kind.clone()).await;
        assert!(
            send(client.request("/v1.0/users")).await.is_err(),
            "{kind:?}"
        );
        assert_eq!(
            client.get("/v1.0/users").await.status,
            200,
            "{kind:?}: only once"
        );
    }
}

#[tokio::test]
async fn answers_go_wrong_on_order() {
    let path = "/v1.0/users?$select=id&$top=4";
    let html = with_fault("/users", FaultKind::Html(200))
        .await
        .get(path)
        .await;
    assert!(
        html.header("content-type")
            .unwrap()
            .starts_with("text/html")
            && html.status == 200
    );
    let status = with_fault("/users", FaultKind::Status(504))
        .await
        .get(path)
        .await;
    assert_eq!(
        (status.status, status.code().as_str()),
        (504, "UnknownError")
    );
    let redirect = with_fault(
        "/users",
        FaultKind::Redirect("https://evil.example/".to_owned()),
    )
    .await
    .get(path)
    .await;
    assert_eq!(
        (redirect.status, redirect.header("Location")),
        (302, Some("https://evil.example/"))
    );
    let error = with_fault("/users", FaultKind::ErrorUnder200)
        .await
        .get(path)
        .await;
    assert_eq!((error.status, error.code().is_empty()), (200, false));
    let missing = with_fault("/users", FaultKind::MissingValue)
        .await
        .get(path)
        .await
        .json();
    assert!(missing.get("value").is_none() && missing.get("@odata.nextLink").is_some());
    let wrong = "https://evil.example/v1.0/users".to_owned();
    let page = with_fault("/users", FaultKind::WrongHostNextLink(wrong.clone()))
        .await
        .get(path)
        .await
        .json();
    assert_eq!(page["@odata.nextLink"], wrong);
    assert_eq!(
        with_fault("/users", FaultKind::DropRows(1))
            .await
            .get(path)
            .await
            .ids(),
        ["u0", "u1", "u2"]
    );
    let ignored = with_fault("/users", FaultKind::IgnoreTop)
        .await
        .get(path)
        .await;
    assert_eq!(ignored.ids().len(), 10);
    let slow = with_fault("/users", FaultKind::Latency(Duration::from_millis(5))).await;
    let before = std::time::Instant::now();
    slow.get(path).await;
    assert!(before.elapsed() >= Duration::from_millis(5));
}

#[tokio::test]
async fn chains_of_pages_go_wrong_on_order() {
    let path = "/v1.0/users?$select=id&$top=4";
    let client = Client::new(
        tenant(),
        fault("skiptoken", Nth::Only(1), FaultKind::RepeatPage),
    )
    .await;
    let first = client.get(path).await;
    let link = |answer: &Answer| {
        answer.json()["@odata.nextLink"]
            .as_str()
            .map(ToOwned::to_owned)
    };
    let second = client.get(&link(&first).unwrap()).await;
    assert_eq!(second.ids(), first.ids());
    assert_eq!(
        client.get(&link(&second).unwrap()).await.ids(),
        ["u8", "u9"]
    );
    let client = Client::new(
        tenant(),
        fault("/users", Nth::Always, FaultKind::LoopNextLink),
    )
    .await;
    let page = client.get(path).await;
    assert!(link(&page).unwrap().ends_with(path));
    let client = with_fault("/users", FaultKind::EmptyPageWithNextLink).await;
    let empty = client.get(path).await;
    assert!(empty.ids().is_empty());
    assert_eq!(
        client.get(&link(&empty).unwrap()).await.ids(),
        ["u0", "u1", "u2", "u3"]
    );
    let client = Client::new(
        tenant(),
        fault("/groups", Nth::Only(2), FaultKind::BatchPartFailure),
    )
    .await;
    assert_eq!(
        client.get("/v1.0/groups").await.status,
        200,
        "only parts are counted"
    );
    let part = |id: &str| json!({"id": id, "method": "GET", "url": "/groups"});
    let body = client
        .batch(json!([part("1"), part("2"), part("3")]))
        .await
        .json();
    let failed: Vec<&Value> = body["responses"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|part| part["status"] == 500)
        .collect();
    assert_eq!((failed.len(), failed[0]["id"].as_str()), (1, Some("2")));
}

#[tokio::test]
async fn a_dropped_emulator_does_not_answer() {
    let Client {
        http,
        emulator,
        token,
        ..
    } = Client::new(tenant(), Options::default()).await;
    let url = format!("{}/v1.0/users", emulator.graph_url());
    assert_eq!(
        send(http.get(&url).bearer_auth(&token))
            .await
            .unwrap()
            .status,
        200
    );
    drop(emulator);
    assert!(send(http.get(&url).bearer_auth(&token)).await.is_err());
}
