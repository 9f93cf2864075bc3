//! What a tenant pays for: which licences of `routes.tsv` its service plans are.
use std::collections::BTreeSet;

use serde_json::Value;

use super::tenant::List;

/// Enabled service plans. A tenant whose data holds no `/subscribedSkus` counts as licensed for everything.
#[derive(Debug)]
pub(super) struct Licences {
    plans: Option<BTreeSet<String>>,
}

impl Licences {
    /// Those of the rows of `/subscribedSkus`; `None`: the tenant holds no such list.
    pub(super) fn new(skus: Option<&List>) -> Self {
        let Some(skus) = skus else {
            return Self { plans: None };
        };
        let text = |value: &Value, name: &str| {
            value
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let mut plans = BTreeSet::new();
        for sku in &skus.rows {
            if !matches!(
                text(sku, "capabilityStatus").as_str(),
                "Enabled" | "Warning"
            ) {
                continue;
            }
            for plan in sku
                .get("servicePlans")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                let status = text(plan, "provisioningStatus");
                if status == "Success" || status.starts_with("Pending") {
                    plans.insert(text(plan, "servicePlanName").to_ascii_uppercase());
                }
            }
        }
        Self { plans: Some(plans) }
    }

    /// Whether the tenant has the licence that `routes.tsv` names.
    pub(super) fn has(&self, licence: &str) -> bool {
        let Some(plans) = &self.plans else {
            return true;
        };
        let one = |names: &[&str]| names.iter().any(|name| plans.contains(*name));
        let starts = |start: &str| plans.iter().any(|plan| plan.starts_with(start));
        match licence {
            "p1" => one(&["AAD_PREMIUM", "AAD_PREMIUM_P2"]),
            "p2" => one(&["AAD_PREMIUM_P2"]),
            "p2orGovernance" => one(&["AAD_PREMIUM_P2", "ENTRA_IDENTITY_GOVERNANCE"]),
            "governance" => one(&["ENTRA_IDENTITY_GOVERNANCE"]),
            "workloadIdentities" => starts("AAD_WRKLDID_"),
            "globalSecureAccess" => starts("ENTRA_PREMIUM_"),
            "privateAccess" => one(&["ENTRA_PREMIUM_PRIVATE_ACCESS"]),
            // INTUNE_O365 is Basic Mobility and Security, which has no Intune in Graph.
            "intune" => starts("INTUNE_A") || one(&["INTUNE_EDU", "INTUNE_SMBIZ", "INTUNE_P2"]),
            "sharepoint" => starts("SHAREPOINT"),
            "teams" => starts("TEAMS"),
            "exchange" => starts("EXCHANGE_S_"),
            "defender" => {
                starts("MDE_")
                    || starts("THREAT_INTELLIGENCE")
                    || starts("ATP_ENTERPRISE")
                    || starts("ADALLOM_S_STANDALONE")
                    || one(&["WINDEFATP", "ATA", "MTP"])
            }
            "defenderOffice2" => starts("THREAT_INTELLIGENCE"),
            "defenderIdentity" => one(&["ATA"]),
            "informationProtection" => {
                starts("RMS_S_ENTERPRISE") || starts("RMS_S_PREMIUM") || starts("MIP_S_CLP")
            }
            "any" => !plans.is_empty(),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::TenantData;

    const TENANT: &str =
        r#"{"tenantId": "t", "now": "2026-08-20T10:00:00Z", "app": {"clientId": "c"}}"#;

    #[test]
    fn only_usable_plans_license() {
        let plan = |name, status| serde_json::json!({"servicePlanName": name, "provisioningStatus": status});
        let mut tenant = TenantData::from_files([("tenant.json", TENANT)]).unwrap();
        assert!(
            tenant.licences().has("p2"),
            "no list of licences: nothing is withheld"
        );
        tenant.set("/subscribedSkus", serde_json::json!([
            {"capabilityStatus": "Enabled", "servicePlans": [plan("AAD_PREMIUM", "Success"), plan("AAD_PREMIUM_P2", "Disabled")]},
            {"capabilityStatus": "Suspended", "servicePlans": [plan("INTUNE_A", "Success")]},
        ]));
        let licences = tenant.licences();
        assert!(licences.has("p1") && licences.has("any"));
        assert!(!licences.has("p2") && !licences.has("intune"));
    }
}
