//! The tenant, its domains and its licences.

use super::{graph_enum, wire};
use crate::snapshot::{Guid, Untrusted};

wire! {
    /// The tenant: `/organization` answers a collection of exactly one.
    Organization = "organization" {
        id: Option<Guid>,
        display_name: Option<Untrusted>,
        tenant_type: Option<Untrusted>,
        created_date_time: Option<jiff::Timestamp>,
        on_premises_sync_enabled: Option<bool>,
        on_premises_last_sync_date_time: Option<jiff::Timestamp>,
        security_compliance_notification_mails: Option<Vec<Untrusted>>,
        technical_notification_mails: Option<Vec<Untrusted>>,
        verified_domains: Option<Vec<VerifiedDomain>>,
    }

    /// A verified domain as the organization lists it.
    VerifiedDomain = "verifiedDomain" {
        name: Option<Untrusted>,
        is_default: Option<bool>,
        is_initial: Option<bool>,
    }

    /// A domain; its id is its name.
    Domain = "domain" {
        id: Untrusted,
        authentication_type: Option<DomainAuthenticationType>,
        is_verified: Option<bool>,
        is_default: Option<bool>,
        is_initial: Option<bool>,
        is_root: Option<bool>,
        /// 2147483647 stands for never; null for whatever the root domain or the service has.
        password_validity_period_in_days: Option<i64>,
        supported_services: Option<Vec<Untrusted>>,
    }

    /// A subscription: a SKU with its seats and service plans.
    SubscribedSku = "subscribedSku" {
        sku_id: Option<Guid>,
        sku_part_number: Option<Untrusted>,
        capability_status: Option<SkuCapabilityStatus>,
        consumed_units: Option<i64>,
        prepaid_units: Option<LicenseUnitsDetail>,
        service_plans: Option<Vec<ServicePlanInfo>>,
    }

    /// A service plan inside a SKU.
    ServicePlanInfo = "servicePlanInfo" {
        service_plan_id: Option<Guid>,
        service_plan_name: Option<Untrusted>,
        provisioning_status: Option<ProvisioningStatus>,
        applies_to: Option<Untrusted>,
    }

    /// Seats by state.
    LicenseUnitsDetail = "licenseUnitsDetail" {
        enabled: Option<i64>,
        warning: Option<i64>,
        suspended: Option<i64>,
    }
}

graph_enum! {
    /// Who authenticates the users of a domain.
    DomainAuthenticationType { Managed = "Managed", Federated = "Federated" }
    /// Whether a subscription still gives anything.
    SkuCapabilityStatus { Enabled = "Enabled", Warning = "Warning", Suspended = "Suspended", Deleted = "Deleted", LockedOut = "LockedOut" }
    /// Whether a service plan is switched on.
    ProvisioningStatus { Success = "Success", Disabled = "Disabled", PendingInput = "PendingInput", PendingActivation = "PendingActivation", PendingProvisioning = "PendingProvisioning", Error = "Error" }
}
