//! Which sign-in methods are allowed and for whom; who may sign up and how long a session idles.

use super::{graph_enum, wire};
use crate::snapshot::Untrusted;

wire! {
    /// Sign-in methods, tenant-wide.
    AuthenticationMethodsPolicy = "authenticationMethodsPolicy" {
        /// Until it is complete, the old policies for MFA and password reset count as well, and Graph does not show those.
        policy_migration_state: Option<PolicyMigrationState>,
        registration_enforcement: Option<RegistrationEnforcement>,
        authentication_method_configurations: Option<Vec<AuthenticationMethodConfiguration>>,
    }

    /// What makes users register.
    RegistrationEnforcement = "registrationEnforcement" {
        authentication_methods_registration_campaign: Option<AuthenticationMethodsRegistrationCampaign>,
    }

    /// The nudge towards a stronger method at sign-in.
    AuthenticationMethodsRegistrationCampaign = "authenticationMethodsRegistrationCampaign" {
        state: Option<AdvancedConfigState>,
        include_targets: Option<Vec<RegistrationCampaignTarget>>,
    }

    /// Whom it nudges: `all_users` or the id of a group.
    RegistrationCampaignTarget = "authenticationMethodsRegistrationCampaignIncludeTarget" {
        id: Option<Untrusted>,
    }

    /// One method, by `id`: `Fido2`, `MicrosoftAuthenticator`, `Sms` and so on. Which other fields there are depends on it.
    AuthenticationMethodConfiguration = "authenticationMethodConfiguration" {
        id: Option<Untrusted>,
        state: Option<AuthenticationMethodState>,
        /// Empty reaches nobody, whatever the state.
        include_targets: Option<Vec<AuthenticationMethodTarget>>,
        exclude_targets: Option<Vec<ExcludeTarget>>,
        /// Of `MicrosoftAuthenticator`.
        feature_settings: Option<MicrosoftAuthenticatorFeatureSettings>,
        is_software_oath_enabled: Option<bool>,
        /// Of `Fido2`. A default profile means that profiles decide, which only beta shows.
        default_passkey_profile: Option<Untrusted>,
        is_attestation_enforced: Option<bool>,
        is_self_service_registration_allowed: Option<bool>,
        key_restrictions: Option<Fido2KeyRestrictions>,
        /// Of `TemporaryAccessPass`.
        is_usable_once: Option<bool>,
    }

    /// Whom a method is for: `all_users` or the id of a group.
    AuthenticationMethodTarget = "authenticationMethodTarget" {
        id: Option<Untrusted>,
        target_type: Option<AuthenticationMethodTargetType>,
        /// Of `Sms`.
        is_usable_for_sign_in: Option<bool>,
        /// Of `MicrosoftAuthenticator`.
        authentication_mode: Option<AuthenticatorMode>,
    }

    /// Whom a method is not for; beats the others.
    ExcludeTarget = "excludeTarget" {
        id: Option<Untrusted>,
        target_type: Option<AuthenticationMethodTargetType>,
    }

    /// What the Authenticator shows when it asks; the last two are beta only.
    MicrosoftAuthenticatorFeatureSettings = "microsoftAuthenticatorFeatureSettings" {
        display_app_information_required_state: Option<AuthenticationMethodFeatureConfiguration>,
        display_location_information_required_state: Option<AuthenticationMethodFeatureConfiguration>,
        companion_app_allowed_state: Option<AuthenticationMethodFeatureConfiguration>,
        number_matching_required_state: Option<AuthenticationMethodFeatureConfiguration>,
    }

    /// A feature and whom it is on for.
    AuthenticationMethodFeatureConfiguration = "authenticationMethodFeatureConfiguration" {
        state: Option<AdvancedConfigState>,
        include_target: Option<FeatureTarget>,
        exclude_target: Option<FeatureTarget>,
    }

    /// `all_users`, the id of a group, or the GUID of zeros for nobody.
    FeatureTarget = "featureTarget" {
        id: Option<Untrusted>,
    }

    /// Which makes of security key are let in or kept out.
    Fido2KeyRestrictions = "fido2KeyRestrictions" {
        is_enforced: Option<bool>,
        enforcement_type: Option<Fido2RestrictionEnforcementType>,
        aa_guids: Option<Vec<Untrusted>>,
    }

    /// What only beta says of the policy.
    AuthenticationMethodsPolicyBeta = "authenticationMethodsPolicy" {
        system_credential_preferences: Option<SystemCredentialPreferences>,
        report_suspicious_activity_settings: Option<ReportSuspiciousActivitySettings>,
        authentication_method_configurations: Option<Vec<AuthenticationMethodConfigurationBeta>>,
    }

    /// What only beta says of a method.
    AuthenticationMethodConfigurationBeta = "authenticationMethodConfiguration" {
        id: Option<Untrusted>,
        feature_settings: Option<MicrosoftAuthenticatorFeatureSettings>,
    }

    /// Whether the strongest registered method is asked first.
    SystemCredentialPreferences = "systemCredentialPreferences" {
        state: Option<AdvancedConfigState>,
        include_targets: Option<Vec<IncludeTarget>>,
    }

    /// Whether users can report a prompt that they did not cause.
    ReportSuspiciousActivitySettings = "reportSuspiciousActivitySettings" {
        state: Option<AdvancedConfigState>,
        include_target: Option<IncludeTarget>,
    }

    /// `all_users` or the id of a group.
    IncludeTarget = "includeTarget" {
        id: Option<Untrusted>,
    }

    /// User flows of guests.
    AuthenticationFlowsPolicy = "authenticationFlowsPolicy" {
        self_service_sign_up: Option<SelfServiceSignUp>,
    }

    /// Whether guests may sign up by themselves.
    SelfServiceSignUp = "selfServiceSignUpAuthenticationFlowConfiguration" {
        is_enabled: Option<bool>,
    }

    /// When idle sessions in the browser end: JSON inside of strings.
    ActivityBasedTimeoutPolicy = "activityBasedTimeoutPolicy" {
        definition: Option<Vec<Untrusted>>,
    }

    /// A policy of the old kind; undocumented, with JSON inside of strings.
    LegacyPolicy = "legacyPolicy" {
        #[serde(rename = "type")]
        policy_type: Option<Untrusted>,
        definition: Option<Vec<Untrusted>>,
    }
}

graph_enum! {
    /// How far the move away from the old MFA and password reset policies is.
    PolicyMigrationState { PreMigration = "preMigration", MigrationInProgress = "migrationInProgress", MigrationComplete = "migrationComplete" }
    /// On, off, or as Microsoft sees fit at the time.
    AdvancedConfigState { Default = "default", Enabled = "enabled", Disabled = "disabled" }
    /// Whether a method may be used.
    AuthenticationMethodState { Enabled = "enabled", Disabled = "disabled" }
    /// What the id of a target is of.
    AuthenticationMethodTargetType { User = "user", Group = "group" }
    /// How the Authenticator may be used.
    AuthenticatorMode { DeviceBasedPush = "deviceBasedPush", Push = "push", Any = "any" }
    /// Whether the listed keys are the only ones, or the ones kept out.
    Fido2RestrictionEnforcementType { Allow = "allow", Block = "block" }
}
