use m365audit::{
    config::Config,
    rules,
    snapshot::{Guid, Resource, Tenant},
};
#[test]
fn perf() {
    let mut t = Tenant::empty();
    let mut fold = |r: Resource, s: Option<Guid>, v: serde_json::Value| {
        t.fold(r, s, &serde_json::value::to_raw_value(&v).unwrap())
            .unwrap()
    };
    let id = |n: u128| Guid::new(n).to_string();
    for n in 0..100_000u128 {
        fold(
            Resource::Users,
            None,
            serde_json::json!({"id": id(n), "userPrincipalName": format!("u{n}@x.example"), "userType": "Member", "accountEnabled": true}),
        );
    }
    for g in 0..20u128 {
        for n in 0..50_000u128 {
            if (n + g) % 3 == 0 {
                fold(
                    Resource::GroupTransitiveMembers,
                    Some(Guid::new(1 << 100 | g)),
                    serde_json::json!({"id": id(n)}),
                );
            }
        }
    }
    for g in 0..40u128 {
        fold(
            Resource::ConditionalAccessPolicies,
            None,
            serde_json::json!({"id": format!("p{g}"), "displayName": "p", "state": "enabled", "createdDateTime": "2026-01-01T00:00:00Z",
          "conditions": {"users": {"includeUsers": ["All"], "excludeGroups": [id(1<<100 | (g%20))]}, "applications": {"includeApplications": ["All"]}, "clientAppTypes": ["all"]},
          "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}}),
        );
    }
    fold(
        Resource::SecurityDefaults,
        None,
        serde_json::json!({"isEnabled": false}),
    );
    fold(
        Resource::SubscribedSkus,
        None,
        serde_json::json!({"skuPartNumber":"E5","capabilityStatus":"Enabled","consumedUnits":6,"prepaidUnits":{"enabled":10},"servicePlans":[{"servicePlanId":"41781fb2-bc02-4b7c-bd55-b576c07bb09d","provisioningStatus":"Success"},{"servicePlanId":"eec0eb4f-6444-4f95-aba0-50c24d67f998","provisioningStatus":"Success"}]}),
    );
    for r in rules::registry() {
        let at = std::time::Instant::now();
        let f = rules::evaluate_one(
            r,
            &t,
            &Config::default(),
            "2026-11-02T08:00:00Z".parse().unwrap(),
        );
        println!(
            "{:8.1?} {} {:?} {}",
            at.elapsed(),
            r.id,
            f.status,
            f.reason.raw()
        );
    }
}
