//! What lists hold and how filters cut them.

use std::collections::BTreeSet;

use m365audit::emulator::{Options, Order};
use serde_json::Value;

use super::{Client, MIX, by_id, grown};

/// (list, property, texts at which it is cut)
const CUTS: &[(&str, &str, &[&str])] = &[
    (
        "/v1.0/users",
        "userPrincipalName",
        &["a", "anna.s", "j", "maria", "maria.", "s", "sz"],
    ),
    (
        "/v1.0/users",
        "displayName",
        &["Anna", "m", "María Ł", "o''b", "s", "z"],
    ),
    (
        "/v1.0/servicePrincipals",
        "displayName",
        &["App", "b", "microsoft graph", "s", "über"],
    ),
    ("/v1.0/groups", "displayName", &["[", "a", "p", "team"]),
    ("/v1.0/applications", "displayName", &["d", "Sales"]),
    ("/v1.0/devices", "deviceId", &["1", "3f", "8", "c0ffee"]),
];

#[tokio::test]
async fn the_same_seed_gives_the_same_rows_and_another_seed_others() {
    let path = "/v1.0/users?$select=id,userPrincipalName,displayName,assignedLicenses,createdDateTime&$top=999";
    let mut answers = Vec::new();
    for seed in [1, 1, 2] {
        let client = Client::new(grown(seed, Order::Hashed), Options::default()).await;
        answers.push(client.all(path).await.0);
    }
    assert_eq!(answers[0], answers[1]);
    let ids = |rows: &[Value]| -> BTreeSet<String> {
        rows.iter().map(|row| row["id"].to_string()).collect()
    };
    // The rows of the stored tenant are in both.
    assert_eq!(ids(&answers[0]).intersection(&ids(&answers[2])).count(), 71);
}

#[tokio::test]
async fn lists_have_the_sizes_that_were_asked_for() {
    let client = Client::of(Order::Hashed).await;
    let sizes = [
        ("/v1.0/users?$select=id,userType", MIX.users),
        ("/v1.0/users?$select=id,signInActivity&$top=500", MIX.users),
        ("/v1.0/devices?$top=999", MIX.devices),
        ("/v1.0/servicePrincipals?$top=999", MIX.service_principals),
        ("/v1.0/applications", MIX.applications),
        ("/v1.0/groups", MIX.groups),
        ("/v1.0/oauth2PermissionGrants?$top=999", MIX.grants),
        ("/v1.0/deviceManagement/managedDevices", MIX.managed_devices),
        (
            "/v1.0/reports/authenticationMethods/userRegistrationDetails",
            MIX.users - 71 + 66,
        ),
        (
            "/v1.0/identityProtection/riskyUsers?$filter=riskState eq 'atRisk' or riskState eq 'confirmedCompromised'&$top=500",
            MIX.at_risk,
        ),
    ];
    for (path, size) in sizes {
        let rows = by_id(client.all(path).await.0);
        assert_eq!(rows.len(), usize::try_from(size).unwrap(), "{path}");
    }
    let guests = client
        .all("/v1.0/users?$filter=userType eq 'Guest'&$select=id,userPrincipalName&$top=50")
        .await;
    assert_eq!(guests.0.len(), usize::try_from(MIX.guests).unwrap());
    assert!(
        guests
            .0
            .iter()
            .all(|row| row["userPrincipalName"].as_str().unwrap().contains("#EXT#"))
    );
    for (kind, share) in [("Principal", 120), ("AllPrincipals", 120)] {
        let path = format!("/v1.0/oauth2PermissionGrants?$filter=consentType eq '{kind}'&$top=50");
        assert_eq!(client.all(&path).await.0.len(), share, "{kind}");
    }
    let counted = client.eventual("/v1.0/users/$count").await;
    assert_eq!(counted.text, MIX.users.to_string());
}

#[tokio::test]
async fn ranges_are_disjoint_cover_the_list_and_count_it_in_either_order() {
    for order in [Order::Hashed, Order::ByKey] {
        let client = Client::of(order).await;
        for (list, key, cuts) in CUTS {
            let whole = by_id(
                client
                    .all(&format!("{list}?$select=id,{key}&$top=999"))
                    .await
                    .0,
            );
            let mut ranges = vec![format!("{key} lt '{}'", cuts[0])];
            for pair in cuts.windows(2) {
                ranges.push(format!("{key} ge '{}' and {key} lt '{}'", pair[0], pair[1]));
            }
            ranges.push(format!("{key} ge '{}'", cuts[cuts.len() - 1]));
            let (mut rows, mut sum) = (Vec::new(), 0);
            for range in ranges {
                let path = format!("{list}?$select=id,{key}&$top=40&$count=true&$filter={range}");
                let (page, count) = client.all(&path).await;
                assert_eq!(count, Some(page.len() as u64), "{path}");
                sum += page.len();
                rows.extend(page);
            }
            assert_eq!(sum, whole.len(), "{list} by {key}");
            assert_eq!(by_id(rows), whole, "{list} by {key}");
        }
    }
}

#[tokio::test]
async fn prefixes_of_device_ids_share_the_devices_out() {
    let client = Client::of(Order::Hashed).await;
    let mut sum = 0;
    for digit in "0123456789abcdef".chars() {
        let path = format!(
            "/v1.0/devices?$filter=startsWith(deviceId,'{digit}')&$count=true&$top=1&$select=id,deviceId"
        );
        let answer = client.eventual(&path).await;
        let count = answer.count();
        assert!(count > 5, "{digit}: {count} of {} devices", MIX.devices);
        assert!(
            answer.json()["value"][0]["deviceId"]
                .as_str()
                .unwrap()
                .starts_with(digit)
        );
        sum += count;
    }
    assert_eq!(sum, u64::from(MIX.devices));
}

/// The computed lists decide by their orders and partial rows; the same rows, stored, are looked at one by one.
#[tokio::test]
async fn filters_agree_with_a_look_at_every_row() {
    let select = "id,userPrincipalName,displayName,userType,accountEnabled,createdDateTime";
    let computed = Client::of(Order::Hashed).await;
    let (users, _) = computed
        .all(&format!("/v1.0/users?$select={select}&$top=999"))
        .await;
    let (groups, _) = computed
        .all("/v1.0/groups?$top=999&$select=id,displayName,groupTypes,mailEnabled")
        .await;
    let mut tenant = super::sound();
    tenant.set("/users", Value::Array(users));
    tenant.set("/groups", Value::Array(groups));
    let stored = Client::new(tenant, Options::default()).await;
    let by_key = Client::of(Order::ByKey).await;
    let filters = [
        (
            "/v1.0/users",
            "userPrincipalName ge 'm' and userPrincipalName le 'n'",
        ),
        ("/v1.0/users", "userPrincipalName le 'B'"),
        ("/v1.0/users", "userPrincipalName ge 'T'"),
        ("/v1.0/users", "userPrincipalName gt '_'"),
        (
            "/v1.0/users",
            "userPrincipalName ge 'z' and userPrincipalName le 'a'",
        ),
        ("/v1.0/users", "startsWith(userPrincipalName,'SV')"),
        ("/v1.0/users", "startsWith(userPrincipalName,'')"),
        ("/v1.0/users", "startsWith(displayName,'ł')"),
        ("/v1.0/users", "displayName eq 'meeting ROOM'"),
        ("/v1.0/users", "displayName ge 'o''' and displayName lt 'P'"),
        (
            "/v1.0/users",
            "userType eq 'Guest' and userPrincipalName ge 'k'",
        ),
        (
            "/v1.0/users",
            "userPrincipalName ge 'k' and displayName le 'k'",
        ),
        (
            "/v1.0/users",
            "userPrincipalName ge 'k' or userType eq 'Guest'",
        ),
        ("/v1.0/users", "accountEnabled eq false"),
        ("/v1.0/users", "createdDateTime ge 2024-01-01T00:00:00Z"),
        ("/v1.0/users", "createdDateTime eq null"),
        ("/v1.0/users", "userType ne 'Guest'"),
        ("/v1.0/groups", "groupTypes/any(t:t eq 'Unified')"),
        (
            "/v1.0/groups",
            "displayName in ('Sales Portal', 'Azure Connector')",
        ),
        (
            "/v1.0/groups",
            "mailEnabled eq true and startsWith(displayName,'a')",
        ),
    ];
    for (list, filter) in filters {
        let path = format!("{list}?$select=id&$count=true&$top=30&$filter={filter}");
        let naive = by_id(stored.all(&path).await.0);
        for client in [&computed, &by_key] {
            // The second time the answer comes from what was kept.
            for _ in 0..2 {
                let (rows, count) = client.all(&path).await;
                assert_eq!(count, Some(rows.len() as u64), "{filter}");
                assert_eq!(by_id(rows), naive, "{filter}");
            }
        }
    }
}

#[tokio::test]
async fn only_what_is_selected_is_written_and_unknown_names_are_refused() {
    let client = Client::of(Order::Hashed).await;
    let rows = client
        .all("/v1.0/users?$select=id,accountEnabled,signInActivity&$top=500")
        .await
        .0;
    let mut names = BTreeSet::new();
    for row in &rows {
        names.extend(row.as_object().unwrap().keys().cloned());
    }
    let expected = ["accountEnabled", "id", "signInActivity"];
    assert_eq!(names, expected.map(ToOwned::to_owned).into());
    let plain = client.eventual("/v1.0/users?$top=5").await.json();
    for row in plain["value"].as_array().unwrap() {
        assert!(
            row.get("userPrincipalName").is_some()
                && row.get("userType").is_none()
                && row.get("signInActivity").is_none()
        );
    }
    let inner = client
        .all("/v1.0/users?$select=signInActivity/lastSignInDateTime")
        .await
        .0;
    let parts = |row: &Value| row["signInActivity"].as_object().map(serde_json::Map::len);
    assert!(
        inner.iter().any(|row| parts(row) == Some(1))
            && inner.iter().all(|row| parts(row) != Some(3))
    );
    for (path, status) in [
        ("/v1.0/users?$select=id,nothing", 400),
        ("/v1.0/users?$top=1000", 400),
        ("/v1.0/users?$top=999&$select=id,signInActivity", 200),
        ("/v1.0/identityProtection/riskyUsers?$top=501", 400),
        ("/v1.0/users?$filter=id ge '3'", 400),
        ("/v1.0/users?$orderby=accountEnabled&$count=true", 400),
    ] {
        assert_eq!(client.eventual(path).await.status, status, "{path}");
    }
    let page = client
        .eventual("/v1.0/users?$top=999&$select=id,signInActivity")
        .await
        .json();
    assert_eq!(
        page["value"].as_array().unwrap().len(),
        500,
        "larger values are cut"
    );
}

#[tokio::test]
async fn one_object_and_what_is_below_it() {
    let client = Client::of(Order::Hashed).await;
    for list in [
        "users",
        "devices",
        "servicePrincipals",
        "applications",
        "groups",
        "oauth2PermissionGrants",
    ] {
        let rows = client.all(&format!("/v1.0/{list}?$top=999")).await.0;
        for row in rows.iter().rev().take(60) {
            let id = row["id"].as_str().unwrap();
            let mut one = client.eventual(&format!("/v1.0/{list}/{id}")).await.json();
            one.as_object_mut().unwrap().remove("@odata.context");
            assert_eq!(&one, row, "{list}");
        }
    }
    let user = client
        .all(
            "/v1.0/users?$filter=startsWith(userPrincipalName,'svc-')&$select=id,userPrincipalName",
        )
        .await
        .0
        .remove(0);
    let name = user["userPrincipalName"].as_str().unwrap().to_uppercase();
    let found = client
        .eventual(&format!("/v1.0/users/{name}?$select=id"))
        .await;
    assert_eq!(found.json()["id"], user["id"]);
    let id = user["id"].as_str().unwrap();
    let methods = client
        .eventual(&format!("/v1.0/users/{id}/authentication/methods"))
        .await;
    assert_eq!(
        (
            methods.status,
            methods.json()["value"].as_array().unwrap().len()
        ),
        (200, 0)
    );
    let unknown = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
    assert_eq!(
        client
            .eventual(&format!("/v1.0/users/{unknown}"))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn orders_differ_and_neither_changes_between_two_readings() {
    let path = "/v1.0/users?$select=id,userPrincipalName&$top=300";
    let names = |rows: &[Value]| -> Vec<String> {
        rows.iter()
            .map(|row| row["userPrincipalName"].as_str().unwrap().to_lowercase())
            .collect()
    };
    let hashed = Client::of(Order::Hashed).await;
    let (first, again) = (hashed.all(path).await.0, hashed.all(path).await.0);
    assert_eq!(first, again);
    assert!(!names(&first).is_sorted());
    let by_key = Client::of(Order::ByKey).await;
    assert!(names(&by_key.all(path).await.0).is_sorted());
    let backwards = hashed
        .all(&format!(
            "{path}&$orderby=userPrincipalName desc&$count=true"
        ))
        .await
        .0;
    assert!(names(&backwards).iter().rev().is_sorted());
    let letters = names(&first)
        .iter()
        .filter_map(|name| name.chars().next())
        .fold([0; 128], |mut sums, letter| {
            sums[letter as usize & 127] += 1;
            sums
        });
    let of = |letter: char| letters[letter as usize];
    assert!(
        of('m') > 3 * of('z') && of('0') > 0 && of('_') > 0,
        "skewed as in a directory"
    );
}

#[tokio::test]
async fn a_page_token_leads_only_where_it_was_given_out() {
    let client = Client::of(Order::Hashed).await;
    let token = |answer: &Value| {
        let link = answer["@odata.nextLink"].as_str().unwrap().to_owned();
        link.split_once("$skiptoken=").unwrap().1.to_owned()
    };
    let users = token(
        &client
            .eventual("/v1.0/users?$top=50&$select=id")
            .await
            .json(),
    );
    for path in [
        "/v1.0/users?$top=50&$select=id,mail",
        "/v1.0/groups?$top=50&$select=id",
        "/v1.0/users?$top=51&$select=id",
    ] {
        let refused = client.eventual(&format!("{path}&$skiptoken={users}")).await;
        assert_eq!(refused.status, 400, "{path}");
        assert_eq!(
            refused.json()["error"]["code"],
            "Directory_ExpiredPageToken"
        );
    }
    let mut changed = users.clone();
    let last = changed.pop().unwrap();
    changed.push(if last == '0' { '1' } else { '0' });
    for wrong in [&changed, "x", "", &users[..20], "RFNwdAIAAQé"] {
        let refused = client
            .eventual(&format!(
                "/v1.0/users?$top=50&$select=id&$skiptoken={wrong}"
            ))
            .await;
        assert_eq!(refused.status, 400, "{wrong}");
    }
    let path = format!("/v1.0/users?$top=50&$select=id&$skiptoken={users}");
    assert_eq!(
        client.eventual(&path).await.text,
        client.eventual(&path).await.text,
        "a link can be asked again"
    );
}
