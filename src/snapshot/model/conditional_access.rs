//! Conditional Access policies as Graph sends them.

use super::{graph_enum, wire};
use crate::snapshot::{Guid, Untrusted};

wire! {
    /// A Conditional Access policy.
    ConditionalAccessPolicy = "conditionalAccessPolicy" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        template_id: Option<Untrusted>,
        created_date_time: Option<jiff::Timestamp>,
        modified_date_time: Option<jiff::Timestamp>,
        state: Option<ConditionalAccessPolicyState>,
        conditions: Option<ConditionalAccessConditionSet>,
        grant_controls: Option<ConditionalAccessGrantControls>,
        session_controls: Option<ConditionalAccessSessionControls>,
        /// Paths of members that carry a value and that this version does not know: they may narrow the policy or widen it.
        #[serde(skip)]
        unknown_members: Vec<Untrusted>,
    }

    /// When a policy applies; conditions are joined by AND, an absent one is no restriction.
    ConditionalAccessConditionSet = "conditionalAccessConditionSet" {
        users: Option<ConditionalAccessUsers>,
        applications: Option<ConditionalAccessApplications>,
        client_applications: Option<ConditionalAccessClientApplications>,
        client_app_types: Option<Vec<ConditionalAccessClientApp>>,
        platforms: Option<ConditionalAccessPlatforms>,
        locations: Option<ConditionalAccessLocations>,
        devices: Option<ConditionalAccessDevices>,
        user_risk_levels: Option<Vec<RiskLevel>>,
        sign_in_risk_levels: Option<Vec<RiskLevel>>,
        service_principal_risk_levels: Option<Vec<RiskLevel>>,
        /// Flags, comma separated in one string.
        insider_risk_levels: Option<Untrusted>,
        authentication_flows: Option<ConditionalAccessAuthenticationFlows>,
    }

    /// Whom a policy is about. Ids, or the words `All`, `None`, `GuestsOrExternalUsers`.
    ConditionalAccessUsers = "conditionalAccessUsers" {
        include_users: Option<Vec<Untrusted>>,
        exclude_users: Option<Vec<Untrusted>>,
        include_groups: Option<Vec<Untrusted>>,
        exclude_groups: Option<Vec<Untrusted>>,
        include_roles: Option<Vec<Untrusted>>,
        exclude_roles: Option<Vec<Untrusted>>,
        include_guests_or_external_users: Option<ConditionalAccessGuestsOrExternalUsers>,
        exclude_guests_or_external_users: Option<ConditionalAccessGuestsOrExternalUsers>,
    }

    /// Kinds of guests and the tenants they come from.
    ConditionalAccessGuestsOrExternalUsers = "conditionalAccessGuestsOrExternalUsers" {
        /// Flags, comma separated in one string.
        guest_or_external_user_types: Option<Untrusted>,
        external_tenants: Option<ConditionalAccessExternalTenants>,
    }

    /// All external tenants, or those listed.
    ConditionalAccessExternalTenants = "conditionalAccessEnumeratedExternalTenants" {
        membership_kind: Option<Untrusted>,
        members: Option<Vec<Untrusted>>,
    }

    /// Which resources, user actions or authentication contexts a policy is about.
    ConditionalAccessApplications = "conditionalAccessApplications" {
        include_applications: Option<Vec<Untrusted>>,
        exclude_applications: Option<Vec<Untrusted>>,
        include_user_actions: Option<Vec<Untrusted>>,
        include_authentication_context_class_references: Option<Vec<Untrusted>>,
        application_filter: Option<ConditionalAccessFilter>,
    }

    /// Platforms; taken from the user agent, so chosen by the client.
    ConditionalAccessPlatforms = "conditionalAccessPlatforms" {
        include_platforms: Option<Vec<Untrusted>>,
        exclude_platforms: Option<Vec<Untrusted>>,
    }

    /// Named locations, or the words `All` and `AllTrusted`.
    ConditionalAccessLocations = "conditionalAccessLocations" {
        include_locations: Option<Vec<Untrusted>>,
        exclude_locations: Option<Vec<Untrusted>>,
    }

    /// A filter on devices.
    ConditionalAccessDevices = "conditionalAccessDevices" {
        device_filter: Option<ConditionalAccessFilter>,
    }

    /// A filter rule and whether it includes or excludes.
    ConditionalAccessFilter = "conditionalAccessFilter" {
        mode: Option<Untrusted>,
        rule: Option<Untrusted>,
    }

    /// Device code flow and authentication transfer; flags, comma separated in one string.
    ConditionalAccessAuthenticationFlows = "conditionalAccessAuthenticationFlows" {
        transfer_methods: Option<Untrusted>,
    }

    /// Workload identities that a policy is about.
    ConditionalAccessClientApplications = "conditionalAccessClientApplications" {
        include_service_principals: Option<Vec<Untrusted>>,
        exclude_service_principals: Option<Vec<Untrusted>>,
        service_principal_filter: Option<ConditionalAccessFilter>,
    }

    /// What a policy asks for; `operator` joins the controls.
    ConditionalAccessGrantControls = "conditionalAccessGrantControls" {
        operator: Option<Untrusted>,
        built_in_controls: Option<Vec<ConditionalAccessGrantControl>>,
        custom_authentication_factors: Option<Vec<Untrusted>>,
        terms_of_use: Option<Vec<Untrusted>>,
        authentication_strength: Option<AuthenticationStrengthPolicy>,
    }

    /// What a policy does to the session.
    ConditionalAccessSessionControls = "conditionalAccessSessionControls" {
        application_enforced_restrictions: Option<ApplicationEnforcedRestrictionsSessionControl>,
        cloud_app_security: Option<CloudAppSecuritySessionControl>,
        persistent_browser: Option<PersistentBrowserSessionControl>,
        sign_in_frequency: Option<SignInFrequencySessionControl>,
        secure_sign_in_session: Option<SecureSignInSessionControl>,
        disable_resilience_defaults: Option<bool>,
    }

    /// SharePoint and Exchange limit what an unmanaged device can do.
    ApplicationEnforcedRestrictionsSessionControl = "applicationEnforcedRestrictionsSessionControl" {
        is_enabled: Option<bool>,
    }

    /// Defender for Cloud Apps watches the session.
    CloudAppSecuritySessionControl = "cloudAppSecuritySessionControl" {
        is_enabled: Option<bool>,
        cloud_app_security_type: Option<Untrusted>,
    }

    /// Whether tokens must be bound to the device.
    SecureSignInSessionControl = "secureSignInSessionControl" {
        is_enabled: Option<bool>,
    }

    /// How often to ask again.
    SignInFrequencySessionControl = "signInFrequencySessionControl" {
        is_enabled: Option<bool>,
        frequency_interval: Option<Untrusted>,
        #[serde(rename = "type")]
        unit: Option<Untrusted>,
        value: Option<i64>,
    }

    /// Whether the browser stays signed in.
    PersistentBrowserSessionControl = "persistentBrowserSessionControl" {
        is_enabled: Option<bool>,
        mode: Option<Untrusted>,
    }

    /// A named location: IP ranges or countries, by `odata_type`; in beta also the compliant network.
    NamedLocation = "namedLocation" {
        #[serde(rename = "@odata.type")]
        odata_type: Option<Untrusted>,
        id: Option<Guid>,
        display_name: Option<Untrusted>,
        is_trusted: Option<bool>,
        ip_ranges: Option<Vec<IpRange>>,
        countries_and_regions: Option<Vec<Untrusted>>,
        /// `clientIpAddress` or `authenticatorAppGps`.
        country_lookup_method: Option<Untrusted>,
        include_unknown_countries_and_regions: Option<bool>,
    }

    /// A range of IP addresses, `192.0.2.0/24` or `2001:db8::/32`.
    IpRange = "ipRange" {
        cidr_address: Option<Untrusted>,
    }

    /// An authentication strength: the combinations of methods that satisfy it.
    AuthenticationStrengthPolicy = "authenticationStrengthPolicy" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        policy_type: Option<AuthenticationStrengthPolicyType>,
        requirements_satisfied: Option<Untrusted>,
        allowed_combinations: Option<Vec<Untrusted>>,
        combination_configurations: Option<Vec<CombinationConfiguration>>,
    }

    /// Narrows combinations of a strength: to FIDO2 keys by model, or to certificates by issuer and policy.
    CombinationConfiguration = "authenticationCombinationConfiguration" {
        applies_to_combinations: Option<Vec<Untrusted>>,
        #[serde(rename = "allowedAAGUIDs")]
        allowed_aa_guids: Option<Vec<Untrusted>>,
        allowed_issuer_skis: Option<Vec<Untrusted>>,
        #[serde(rename = "allowedPolicyOIDs")]
        allowed_policy_oids: Option<Vec<Untrusted>>,
    }
}

wire! {
    /// A policy that was deleted and can be restored for 30 days.
    DeletedConditionalAccessPolicy = "conditionalAccessPolicy" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        state: Option<ConditionalAccessPolicyState>,
        deleted_date_time: Option<jiff::Timestamp>,
    }

    /// What only beta says of a policy; the rest stands under the same id in the list of v1.0.
    ConditionalAccessPolicyBeta = "conditionalAccessPolicy" {
        id: Option<Untrusted>,
        state: Option<ConditionalAccessPolicyState>,
        conditions: Option<ConditionalAccessConditionSetBeta>,
        session_controls: Option<ConditionalAccessSessionControlsBeta>,
    }

    /// Conditions about agents.
    ConditionalAccessConditionSetBeta = "conditionalAccessConditionSet" {
        /// Flags, comma separated in one string.
        agent_id_risk_levels: Option<Untrusted>,
        client_applications: Option<ConditionalAccessClientApplicationsBeta>,
    }

    /// Agent identities that a policy is about: ids, or `All`.
    ConditionalAccessClientApplicationsBeta = "conditionalAccessClientApplications" {
        include_agent_id_service_principals: Option<Vec<Untrusted>>,
        exclude_agent_id_service_principals: Option<Vec<Untrusted>>,
        agent_id_service_principal_filter: Option<ConditionalAccessFilter>,
    }

    /// Session controls that v1.0 lacks.
    ConditionalAccessSessionControlsBeta = "conditionalAccessSessionControls" {
        continuous_access_evaluation: Option<ContinuousAccessEvaluationSessionControl>,
        global_secure_access_filtering_profile: Option<GlobalSecureAccessFilteringProfileSessionControl>,
    }

    /// Whether sessions end as soon as something changes; absent means yes.
    ContinuousAccessEvaluationSessionControl = "continuousAccessEvaluationSessionControl" {
        mode: Option<ContinuousAccessEvaluationMode>,
    }

    /// The security profile of Global Secure Access that a policy hands its users.
    GlobalSecureAccessFilteringProfileSessionControl = "globalSecureAccessFilteringProfileSessionControl" {
        is_enabled: Option<bool>,
        profile_id: Option<Untrusted>,
    }
}

graph_enum! {
    /// How strictly continuous access evaluation is enforced.
    ContinuousAccessEvaluationMode { StrictEnforcement = "strictEnforcement", Disabled = "disabled", StrictLocation = "strictLocation" }
    /// Whether Microsoft or the tenant made a strength.
    AuthenticationStrengthPolicyType { BuiltIn = "builtIn", Custom = "custom" }
    /// Only `enabled` protects.
    ConditionalAccessPolicyState { Enabled = "enabled", Disabled = "disabled", ReportOnly = "enabledForReportingButNotEnforced" }
    /// Kinds of client; the last three are legacy protocols.
    ConditionalAccessClientApp { All = "all", Browser = "browser", MobileAppsAndDesktopClients = "mobileAppsAndDesktopClients", ExchangeActiveSync = "exchangeActiveSync", EasSupported = "easSupported", OtherClients = "other" }
    /// Grant controls that are built in.
    ConditionalAccessGrantControl { Block = "block", Mfa = "mfa", CompliantDevice = "compliantDevice", DomainJoinedDevice = "domainJoinedDevice", ApprovedApplication = "approvedApplication", CompliantApplication = "compliantApplication", PasswordChange = "passwordChange", RiskRemediation = "riskRemediation" }
    /// How sure Microsoft is that something is wrong.
    RiskLevel { None = "none", Low = "low", Medium = "medium", High = "high", Hidden = "hidden" }
}
