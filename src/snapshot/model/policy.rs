//! Tenant-wide policies and settings.

use super::{
    AccessReviewReviewerScope, AzureAdJoinPolicy, LocalAdminPasswordSettings, graph_enum, wire,
};
use crate::snapshot::{Guid, Untrusted};

wire! {
    /// Security defaults.
    IdentitySecurityDefaultsEnforcementPolicy = "identitySecurityDefaultsEnforcementPolicy" {
        is_enabled: Option<bool>,
    }

    /// What members and guests may do by default.
    AuthorizationPolicy = "authorizationPolicy" {
        allow_invites_from: Option<AllowInvitesFrom>,
        guest_user_role_id: Option<Guid>,
        /// Null counts as false.
        allow_user_consent_for_risky_apps: Option<bool>,
        allow_email_verified_users_to_join_organization: Option<bool>,
        allowed_to_sign_up_email_based_subscriptions: Option<bool>,
        /// Of administrators only.
        #[serde(rename = "allowedToUseSSPR")]
        allowed_to_use_sspr: Option<bool>,
        block_msol_power_shell: Option<bool>,
        default_user_role_permissions: Option<DefaultUserRolePermissions>,
    }

    /// What a member may do without any role.
    DefaultUserRolePermissions = "defaultUserRolePermissions" {
        allowed_to_create_apps: Option<bool>,
        allowed_to_create_security_groups: Option<bool>,
        allowed_to_create_tenants: Option<bool>,
        allowed_to_read_bitlocker_keys_for_owned_device: Option<bool>,
        allowed_to_read_other_users: Option<bool>,
        permission_grant_policies_assigned: Option<Vec<Untrusted>>,
    }

    /// The admin consent workflow.
    AdminConsentRequestPolicy = "adminConsentRequestPolicy" {
        is_enabled: Option<bool>,
        notify_reviewers: Option<bool>,
        reminders_enabled: Option<bool>,
        request_duration_in_days: Option<i64>,
        reviewers: Option<Vec<AccessReviewReviewerScope>>,
    }

    /// Conditions under which somebody may consent to an application.
    PermissionGrantPolicy = "permissionGrantPolicy" {
        id: Option<Untrusted>,
        includes: Option<Vec<PermissionGrantConditionSet>>,
        excludes: Option<Vec<PermissionGrantConditionSet>>,
    }

    /// One set of conditions of a permission grant policy.
    PermissionGrantConditionSet = "permissionGrantConditionSet" {
        permission_classification: Option<Untrusted>,
        client_applications_from_verified_publisher_only: Option<bool>,
    }

    /// Cross-tenant access for tenants without an entry of their own.
    CrossTenantAccessPolicyConfigurationDefault = "crossTenantAccessPolicyConfigurationDefault" {
        /// Whether nobody ever changed it.
        is_service_default: Option<bool>,
        b2b_collaboration_inbound: Option<CrossTenantAccessPolicyB2BSetting>,
        b2b_collaboration_outbound: Option<CrossTenantAccessPolicyB2BSetting>,
        b2b_direct_connect_inbound: Option<CrossTenantAccessPolicyB2BSetting>,
        b2b_direct_connect_outbound: Option<CrossTenantAccessPolicyB2BSetting>,
        tenant_restrictions: Option<CrossTenantAccessPolicyB2BSetting>,
        inbound_trust: Option<CrossTenantAccessPolicyInboundTrust>,
    }

    /// Cross-tenant access for one partner tenant. Null parts fall back to the default.
    CrossTenantAccessPolicyConfigurationPartner = "crossTenantAccessPolicyConfigurationPartner" {
        tenant_id: Option<Guid>,
        is_service_provider: Option<bool>,
        is_in_multi_tenant_organization: Option<bool>,
        automatic_user_consent_settings: Option<InboundOutboundPolicyConfiguration>,
        b2b_collaboration_inbound: Option<CrossTenantAccessPolicyB2BSetting>,
        b2b_collaboration_outbound: Option<CrossTenantAccessPolicyB2BSetting>,
        b2b_direct_connect_inbound: Option<CrossTenantAccessPolicyB2BSetting>,
        b2b_direct_connect_outbound: Option<CrossTenantAccessPolicyB2BSetting>,
        tenant_restrictions: Option<CrossTenantAccessPolicyB2BSetting>,
        app_service_connect_inbound: Option<CrossTenantAccessPolicyAppServiceConnectSetting>,
        m365_collaboration_inbound: Option<CrossTenantAccessPolicyM365CollaborationInboundSetting>,
        m365_collaboration_outbound: Option<CrossTenantAccessPolicyM365CollaborationOutboundSetting>,
        inbound_trust: Option<CrossTenantAccessPolicyInboundTrust>,
        identity_synchronization: Option<CrossTenantIdentitySyncPolicyPartner>,
    }

    /// What a partner tenant may synchronise into this one.
    CrossTenantIdentitySyncPolicyPartner = "crossTenantIdentitySyncPolicyPartner" {
        user_sync_inbound: Option<CrossTenantUserSyncInbound>,
    }

    /// Whether a partner tenant may push users.
    CrossTenantUserSyncInbound = "crossTenantUserSyncInbound" {
        is_sync_allowed: Option<bool>,
    }

    /// Who and what a cross-tenant setting lets through.
    CrossTenantAccessPolicyB2BSetting = "crossTenantAccessPolicyB2BSetting" {
        users_and_groups: Option<CrossTenantAccessPolicyTargetConfiguration>,
        applications: Option<CrossTenantAccessPolicyTargetConfiguration>,
    }

    /// Allowed or blocked, and for what.
    CrossTenantAccessPolicyTargetConfiguration = "crossTenantAccessPolicyTargetConfiguration" {
        access_type: Option<AccessType>,
        targets: Option<Vec<CrossTenantAccessPolicyTarget>>,
    }

    /// An id, or `AllUsers` or `AllApplications`.
    CrossTenantAccessPolicyTarget = "crossTenantAccessPolicyTarget" {
        target: Option<Untrusted>,
    }

    /// Applications of a partner that may connect.
    CrossTenantAccessPolicyAppServiceConnectSetting = "crossTenantAccessPolicyAppServiceConnectSetting" {
        applications: Option<CrossTenantAccessPolicyTargetConfiguration>,
    }

    /// People of a partner with whom Microsoft 365 may be shared.
    CrossTenantAccessPolicyM365CollaborationInboundSetting = "crossTenantAccessPolicyM365CollaborationInboundSetting" {
        users: Option<CrossTenantAccessPolicyTargetConfiguration>,
    }

    /// Own people whom a partner may share Microsoft 365 with.
    CrossTenantAccessPolicyM365CollaborationOutboundSetting = "crossTenantAccessPolicyM365CollaborationOutboundSetting" {
        users_and_groups: Option<CrossTenantAccessPolicyTargetConfiguration>,
    }

    /// Which claims of the home tenant are believed.
    CrossTenantAccessPolicyInboundTrust = "crossTenantAccessPolicyInboundTrust" {
        is_mfa_accepted: Option<bool>,
        is_compliant_device_accepted: Option<bool>,
        #[serde(rename = "isHybridAzureADJoinedDeviceAccepted")]
        is_hybrid_joined_device_accepted: Option<bool>,
    }

    /// Whether consent prompts are skipped, by direction.
    InboundOutboundPolicyConfiguration = "inboundOutboundPolicyConfiguration" {
        inbound_allowed: Option<bool>,
        outbound_allowed: Option<bool>,
    }

    /// Who may register and join devices.
    DeviceRegistrationPolicy = "deviceRegistrationPolicy" {
        multi_factor_auth_configuration: Option<MultiFactorAuthConfiguration>,
        user_device_quota: Option<i64>,
        #[serde(rename = "azureADJoin")]
        azure_ad_join: Option<AzureAdJoinPolicy>,
        local_admin_password: Option<LocalAdminPasswordSettings>,
    }

    /// A directory settings object made from a template.
    GroupSetting = "groupSetting" {
        template_id: Option<Guid>,
        display_name: Option<Untrusted>,
        values: Option<Vec<SettingValue>>,
    }

    /// One setting; every value is a string.
    SettingValue = "settingValue" {
        name: Option<Untrusted>,
        value: Option<Untrusted>,
    }

    /// Tenant-wide settings of SharePoint and OneDrive.
    SharepointSettings = "sharepointSettings" {
        sharing_capability: Option<SharingCapability>,
        is_resharing_by_external_users_enabled: Option<bool>,
        is_legacy_auth_protocols_enabled: Option<bool>,
        sharing_domain_restriction_mode: Option<SharingDomainRestrictionMode>,
        sharing_allowed_domain_list: Option<Vec<Untrusted>>,
        sharing_blocked_domain_list: Option<Vec<Untrusted>>,
        deleted_user_personal_site_retention_period_in_days: Option<i32>,
        is_unmanaged_sync_app_for_tenant_restricted: Option<bool>,
        /// Ids of the Active Directory domains whose computers may synchronise.
        allowed_domain_guids_for_sync_app: Option<Vec<Guid>>,
        idle_session_sign_out: Option<IdleSessionSignOut>,
    }

    /// When people are signed out of SharePoint and OneDrive in a browser that they left alone.
    IdleSessionSignOut = "idleSessionSignOut" {
        is_enabled: Option<bool>,
        sign_out_after_in_seconds: Option<i64>,
    }
}

graph_enum! {
    /// Which of the two lists of domains decides with whom may be shared.
    SharingDomainRestrictionMode { None = "none", AllowList = "allowList", BlockList = "blockList" }
    /// Who may invite guests.
    AllowInvitesFrom { None = "none", AdminsAndGuestInviters = "adminsAndGuestInviters", AdminsGuestInvitersAndAllMembers = "adminsGuestInvitersAndAllMembers", Everyone = "everyone" }
    /// Whether a cross-tenant setting lets its targets through.
    AccessType { Allowed = "allowed", Blocked = "blocked" }
    /// Whether registering or joining a device takes a second factor.
    MultiFactorAuthConfiguration { NotRequired = "notRequired", Required = "required" }
    /// The widest sharing that SharePoint and OneDrive allow.
    SharingCapability { Disabled = "disabled", ExternalUserSharingOnly = "externalUserSharingOnly", ExternalUserAndGuestSharing = "externalUserAndGuestSharing", ExistingExternalUserSharingOnly = "existingExternalUserSharingOnly" }
}
