//! How the tenant stands: federation, synchronisation, subscriptions, recommendations.

use super::{SkuCapabilityStatus, graph_enum, wire};
use crate::snapshot::{Guid, Untrusted};

wire! {
    /// How a federated domain signs its users in.
    InternalDomainFederation = "internalDomainFederation" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        /// Null: an old setting decides that Graph does not show.
        federated_idp_mfa_behavior: Option<FederatedIdpMfaBehavior>,
        /// DER in base64, without the marks of PEM.
        signing_certificate: Option<Untrusted>,
        next_signing_certificate: Option<Untrusted>,
    }

    /// Directory synchronisation from on premises.
    OnPremisesDirectorySynchronization = "onPremisesDirectorySynchronization" {
        features: Option<OnPremisesDirectorySynchronizationFeature>,
    }

    /// Its switches.
    OnPremisesDirectorySynchronizationFeature = "onPremisesDirectorySynchronizationFeature" {
        password_sync_enabled: Option<bool>,
        block_soft_match_enabled: Option<bool>,
        block_cloud_object_takeover_through_hard_match_enabled: Option<bool>,
        allow_on_prem_update_of_on_premises_object_identifier_enabled: Option<bool>,
    }

    /// A commercial subscription.
    CompanySubscription = "companySubscription" {
        id: Option<Untrusted>,
        sku_part_number: Option<Untrusted>,
        status: Option<SkuCapabilityStatus>,
        is_trial: Option<bool>,
        total_licenses: Option<i64>,
        next_lifecycle_date_time: Option<jiff::Timestamp>,
    }

    /// A customer of a partner tenant.
    Contract = "contract" {
        customer_id: Option<Guid>,
    }

    /// Seats beside the people who use what they pay for. The two counts of seats are disjoint, and P2 covers P1.
    AzureADPremiumLicenseInsight = "azureADPremiumLicenseInsight" {
        entitled_p1_license_count: Option<i64>,
        entitled_p2_license_count: Option<i64>,
        p1_feature_utilizations: Option<AzureADPremiumP1FeatureUtilizations>,
        p2_feature_utilizations: Option<AzureADPremiumP2FeatureUtilizations>,
    }

    /// Use of P1.
    AzureADPremiumP1FeatureUtilizations = "azureADPremiumP1FeatureUtilizations" {
        conditional_access: Option<AzureADPremiumFeatureUtilization>,
        conditional_access_guest_users: Option<AzureADPremiumFeatureUtilization>,
    }

    /// Use of P2.
    AzureADPremiumP2FeatureUtilizations = "azureADPremiumP2FeatureUtilizations" {
        risk_based_conditional_access: Option<AzureADPremiumFeatureUtilization>,
        risk_based_conditional_access_guest_users: Option<AzureADPremiumFeatureUtilization>,
    }

    /// How many people use a feature.
    AzureADPremiumFeatureUtilization = "azureADPremiumFeatureUtilization" {
        user_count: Option<i64>,
    }

    /// What Entra recommends.
    Recommendation = "recommendation" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        recommendation_type: Option<Untrusted>,
        priority: Option<RecommendationPriority>,
        status: Option<RecommendationStatus>,
    }
}

graph_enum! {
    /// Whether MFA that the federation server claims is believed.
    FederatedIdpMfaBehavior { AcceptIfMfaDone = "acceptIfMfaDoneByFederatedIdp", Enforce = "enforceMfaByFederatedIdp", Reject = "rejectMfaByFederatedIdp" }
    /// How much a recommendation matters.
    RecommendationPriority { Low = "low", Medium = "medium", High = "high" }
    /// What became of a recommendation.
    RecommendationStatus { Active = "active", CompletedBySystem = "completedBySystem", CompletedByUser = "completedByUser", Dismissed = "dismissed", Postponed = "postponed", Planned = "planned", RiskAccepted = "riskAccepted", ThirdParty = "thirdParty", AlternateMitigation = "alternateMitigation" }
}
