//! Policies, groups, governance and tenant state as the sample tenants have them: each body reads as its type, and says what it says.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail wherever it finds something else"
)]

use std::collections::BTreeMap;

use m365audit::snapshot::model::*;
use m365audit::snapshot::{Guid, Untrusted};
use serde_json::{Value, json};

/// The rows behind a path of a tenant; an object is its only row.
fn rows<T: Wire>(tenant: &str, path: &str) -> Vec<T> {
    let folder = format!("{}/fixtures/tenants/{tenant}", env!("CARGO_MANIFEST_DIR"));
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(file).unwrap();
        let mut bodies: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
        match bodies.remove(path) {
            Some(Value::Array(rows)) => {
                let read = |row| serde_json::from_value(row).unwrap();
                return rows.into_iter().map(read).collect();
            }
            Some(one) => return vec![serde_json::from_value(one).unwrap()],
            None => {}
        }
    }
    panic!("{tenant} has no {path}");
}

fn one<T: Wire>(tenant: &str, path: &str) -> T {
    let mut rows = rows(tenant, path);
    assert_eq!(rows.len(), 1, "{path}");
    rows.remove(0)
}

fn is(text: Option<&Untrusted>, wanted: &str) -> bool {
    text.is_some_and(|text| text.is(wanted))
}

fn guid(text: &str) -> Guid {
    text.parse().unwrap()
}

fn method<'a>(
    policy: &'a AuthenticationMethodsPolicy,
    id: &str,
) -> &'a AuthenticationMethodConfiguration {
    let all = policy
        .authentication_method_configurations
        .as_ref()
        .unwrap();
    all.iter().find(|one| is(one.id.as_ref(), id)).unwrap()
}

const METHODS: &str = "/policies/authenticationMethodsPolicy";

#[test]
fn authentication_methods_policy() {
    let demo: AuthenticationMethodsPolicy = one("demo", METHODS);
    assert_eq!(
        demo.policy_migration_state,
        Some(PolicyMigrationState::MigrationInProgress)
    );
    let campaign = demo.registration_enforcement.as_ref().unwrap();
    let campaign = campaign
        .authentication_methods_registration_campaign
        .as_ref()
        .unwrap();
    assert_eq!(campaign.state, Some(AdvancedConfigState::Default));
    assert!(is(
        campaign.include_targets.as_ref().unwrap()[0].id.as_ref(),
        "all_users"
    ));
    let sms = method(&demo, "sms");
    assert_eq!(sms.state, Some(AuthenticationMethodState::Enabled));
    let target = &sms.include_targets.as_ref().unwrap()[0];
    assert_eq!(target.is_usable_for_sign_in, Some(false));
    assert_eq!(
        target.target_type,
        Some(AuthenticationMethodTargetType::Group)
    );
    let fido = method(&demo, "Fido2");
    assert_eq!(fido.is_self_service_registration_allowed, Some(true));
    assert_eq!(fido.is_attestation_enforced, Some(false));
    let restrictions = fido.key_restrictions.as_ref().unwrap();
    assert_eq!(restrictions.is_enforced, Some(false));
    assert_eq!(
        restrictions.enforcement_type,
        Some(Fido2RestrictionEnforcementType::Allow)
    );
    assert_eq!(restrictions.aa_guids, Some(Vec::new()));
    let authenticator = method(&demo, "MicrosoftAuthenticator");
    assert_eq!(authenticator.is_software_oath_enabled, Some(true));
    let target = &authenticator.include_targets.as_ref().unwrap()[0];
    assert_eq!(target.authentication_mode, Some(AuthenticatorMode::Any));
    let sound: AuthenticationMethodsPolicy = one("sound", METHODS);
    let features = method(&sound, "MicrosoftAuthenticator")
        .feature_settings
        .as_ref()
        .unwrap();
    let shown = features
        .display_app_information_required_state
        .as_ref()
        .unwrap();
    assert_eq!(shown.state, Some(AdvancedConfigState::Enabled));
    assert!(is(
        shown.include_target.as_ref().unwrap().id.as_ref(),
        "all_users"
    ));
    let pass = method(&sound, "TemporaryAccessPass");
    assert!(pass.is_usable_once.is_some());
}

#[test]
fn what_beta_adds_to_the_authentication_methods_policy() {
    for (tenant, prefers, companion) in [
        (
            "demo",
            AdvancedConfigState::Default,
            AdvancedConfigState::Default,
        ),
        (
            "sound",
            AdvancedConfigState::Enabled,
            AdvancedConfigState::Disabled,
        ),
    ] {
        let policy: AuthenticationMethodsPolicyBeta =
            one(tenant, "beta:/policies/authenticationMethodsPolicy");
        let preferences = policy.system_credential_preferences.unwrap();
        assert_eq!(preferences.state, Some(prefers.clone()));
        assert!(is(
            preferences.include_targets.unwrap()[0].id.as_ref(),
            "all_users"
        ));
        let report = policy.report_suspicious_activity_settings.unwrap();
        assert_eq!(report.state, Some(prefers));
        assert!(is(report.include_target.unwrap().id.as_ref(), "all_users"));
        let configurations = policy.authentication_method_configurations.unwrap();
        let mut features = configurations
            .into_iter()
            .filter_map(|one| one.feature_settings);
        let features = features.next().unwrap();
        assert_eq!(
            features.companion_app_allowed_state.unwrap().state,
            Some(companion)
        );
        assert!(features.number_matching_required_state.is_some());
    }
}

#[test]
fn limits_on_credentials_of_applications() {
    let path = "/policies/defaultAppManagementPolicy";
    let demo: TenantAppManagementPolicy = one("demo", path);
    assert_eq!(demo.is_enabled, Some(false));
    let sound: TenantAppManagementPolicy = one("sound", path);
    for half in [
        sound.application_restrictions.unwrap(),
        sound.service_principal_restrictions.unwrap(),
    ] {
        let secrets = half.password_credentials.unwrap();
        let kinds: Vec<_> = secrets
            .iter()
            .filter_map(|one| one.restriction_type.clone())
            .collect();
        assert_eq!(
            kinds,
            [
                AppCredentialRestrictionType::PasswordAddition,
                AppCredentialRestrictionType::CustomPasswordAddition,
                AppCredentialRestrictionType::PasswordLifetime,
            ]
        );
        assert!(is(secrets[2].max_lifetime.as_ref(), "P180D"));
        assert_eq!(
            secrets[2].state,
            Some(AppManagementRestrictionState::Enabled)
        );
        assert_eq!(secrets[2].restrict_for_apps_created_after_date_time, None);
        let keys = half.key_credentials.unwrap();
        assert_eq!(
            keys[0].restriction_type,
            Some(AppKeyCredentialRestrictionType::AsymmetricKeyLifetime)
        );
    }
    let exception: AppManagementPolicy = one("demo", "/policies/appManagementPolicies");
    assert_eq!(exception.is_enabled, Some(true));
    let secrets = exception
        .restrictions
        .unwrap()
        .password_credentials
        .unwrap();
    assert_eq!(
        secrets[0].state,
        Some(AppManagementRestrictionState::Disabled)
    );
    assert_eq!(
        exception.applies_to.unwrap()[0].id,
        Some(guid("05877fc0-32b8-57a4-a75d-1689a561cc2a"))
    );
}

#[test]
fn flows_idle_sessions_and_policies_of_the_old_kind() {
    for (tenant, open) in [("demo", true), ("sound", false)] {
        let flows: AuthenticationFlowsPolicy = one(tenant, "/policies/authenticationFlowsPolicy");
        assert_eq!(flows.self_service_sign_up.unwrap().is_enabled, Some(open));
        let legacy: LegacyPolicy = one(tenant, "beta:/legacy/policies");
        assert!(is(legacy.policy_type.as_ref(), "B2BManagementPolicy"));
        let inner: Value = serde_json::from_str(legacy.definition.unwrap()[0].raw()).unwrap();
        let domains = &inner["B2BManagementPolicy"]["InvitationsAllowedAndBlockedDomainsPolicy"];
        assert_eq!(domains["AllowedDomains"].is_array(), !open);
    }
    let idle: ActivityBasedTimeoutPolicy = one("sound", "/policies/activityBasedTimeoutPolicies");
    assert!(idle.definition.unwrap()[0].raw().contains("01:00:00"));
}

#[test]
fn how_roles_are_activated() {
    let path = "/policies/roleManagementPolicyAssignments";
    let global = guid("62e90394-69f5-4237-9190-012177145e10");
    for (tenant, approvers) in [("demo", 0), ("sound", 1)] {
        let all: Vec<UnifiedRoleManagementPolicyAssignment> = rows(tenant, path);
        let of = all
            .into_iter()
            .find(|one| one.role_definition_id == Some(global));
        let rules = of.unwrap().policy.unwrap().rules.unwrap();
        let rule = |id: &str| {
            let mut found = rules.iter().filter(|rule| is(rule.id.as_ref(), id));
            found.next().unwrap()
        };
        let setting = rule("Approval_EndUser_Assignment")
            .setting
            .as_ref()
            .unwrap();
        assert_eq!(setting.is_approval_required, Some(true));
        let stage = &setting.approval_stages.as_ref().unwrap()[0];
        let primary = stage.primary_approvers.as_ref().unwrap();
        assert_eq!(primary.len(), approvers);
        assert!(primary.iter().all(|one| one.group_id.is_some()));
        let expiration = rule("Expiration_EndUser_Assignment");
        assert_eq!(expiration.is_expiration_required, Some(true));
        assert!(expiration.maximum_duration.is_some());
        let enabled = rule("Enablement_EndUser_Assignment").enabled_rules.as_ref();
        assert!(enabled.unwrap()[0].is("MultiFactorAuthentication"));
        let context = rule("AuthenticationContext_EndUser_Assignment");
        assert_eq!(context.is_enabled, Some(false));
        assert!(is(context.claim_value.as_ref(), ""));
        let notification = rule("Notification_Admin_EndUser_Assignment");
        assert!(is(notification.notification_type.as_ref(), "Email"));
        let recipients = notification.notification_recipients.as_ref().unwrap();
        assert_eq!(recipients.len(), approvers);
    }
}

#[test]
fn alerts_and_actions_of_roles() {
    let alerts: Vec<UnifiedRoleManagementAlert> = rows(
        "demo",
        "beta:/identityGovernance/roleManagementAlerts/alerts",
    );
    let redundant = alerts.iter().find(|alert| {
        alert
            .id
            .as_ref()
            .unwrap()
            .raw()
            .ends_with("RedundantAssignmentAlert")
    });
    let redundant = redundant.unwrap();
    assert_eq!(redundant.incident_count, Some(2));
    assert_eq!(redundant.is_active, Some(true));
    let path =
        "beta:/roleManagement/directory/resourceNamespaces/microsoft.directory/resourceActions";
    for (tenant, context) in [("demo", None), ("sound", Some("c1"))] {
        let actions: Vec<UnifiedRbacResourceAction> = rows(tenant, path);
        let name = "microsoft.directory/conditionalAccessPolicies/delete";
        let action = actions
            .iter()
            .find(|one| is(one.name.as_ref(), name))
            .unwrap();
        assert_eq!(action.is_authentication_context_settable, Some(true));
        let found = action
            .authentication_context_id
            .as_ref()
            .map(Untrusted::raw);
        assert_eq!(found, context);
    }
}

#[test]
fn groups_and_what_governs_them() {
    let groups: Vec<Group> = rows("demo", "/groups");
    let named = |name: &str| {
        let mut found = groups
            .iter()
            .filter(|group| is(group.display_name.as_ref(), name));
        found.next().unwrap()
    };
    let studio = named("Design Studio");
    assert_eq!(studio.visibility, Some(GroupVisibility::Public));
    assert!(studio.group_types.as_ref().unwrap()[0].is("Unified"));
    assert!(studio.owners.as_ref().unwrap()[0].id.is_some());
    assert_eq!(studio.is_management_restricted, Some(false));
    assert_eq!(named("Tier 0 Operators").is_assignable_to_role, Some(true));
    let staff = named("All Staff");
    assert!(staff.membership_rule.is_some());
    assert_eq!(
        staff.membership_rule_processing_state,
        Some(MembershipRuleProcessingState::On)
    );
    assert_eq!(named("Warehouse").on_premises_sync_enabled, Some(true));
    let lifecycle: GroupLifecyclePolicy = one("sound", "/groupLifecyclePolicies");
    assert_eq!(lifecycle.group_lifetime_in_days, Some(365));
    assert_eq!(lifecycle.managed_group_types, Some(ManagedGroupTypes::All));
    let templates: Vec<GroupSettingTemplate> = rows("demo", "/groupSettingTemplates");
    let unified = guid("62375ab9-6b52-47ed-826b-58e47e0e304b");
    let unified = templates
        .iter()
        .find(|one| one.id == Some(unified))
        .unwrap();
    let values = unified.values.as_ref().unwrap();
    let creation = values
        .iter()
        .find(|value| is(value.name.as_ref(), "EnableGroupCreation"));
    assert!(is(creation.unwrap().default_value.as_ref(), "true"));
}

#[test]
fn access_reviews() {
    let reviews: Vec<AccessReviewScheduleDefinition> =
        rows("sound", "/identityGovernance/accessReviews/definitions");
    let [guests, roles] = &reviews[..] else {
        panic!("{} reviews", reviews.len())
    };
    assert!(is(guests.status.as_ref(), "InProgress"));
    let scope = guests.scope.as_ref().unwrap();
    assert!(
        scope
            .query
            .as_ref()
            .unwrap()
            .raw()
            .contains("userType eq 'Guest'")
    );
    assert!(
        guests
            .instance_enumeration_scope
            .as_ref()
            .unwrap()
            .query
            .is_some()
    );
    assert!(guests.reviewers.as_ref().unwrap()[0].query.is_some());
    let settings = guests.settings.as_ref().unwrap();
    assert_eq!(settings.auto_apply_decisions_enabled, Some(true));
    let recurrence = settings.recurrence.as_ref().unwrap();
    let pattern = recurrence.pattern.as_ref().unwrap();
    assert_eq!(
        pattern.pattern_type,
        Some(RecurrencePatternType::AbsoluteMonthly)
    );
    assert_eq!(pattern.interval, Some(3));
    let range = recurrence.range.as_ref().unwrap();
    assert_eq!(range.range_type, Some(RecurrenceRangeType::NoEnd));
    assert_eq!(range.start_date, Some(jiff::civil::date(2025, 2, 3)));
    assert_eq!(range.end_date, Some(jiff::civil::date(9999, 12, 31)));
    let scope = roles.scope.as_ref().unwrap();
    let resources = scope.resource_scopes.as_ref().unwrap();
    assert!(
        resources[0]
            .query
            .as_ref()
            .unwrap()
            .raw()
            .contains("roleDefinitions")
    );
    assert!(scope.principal_scopes.is_some());
}

#[test]
fn access_packages_and_workflows() {
    let root = "/identityGovernance/entitlementManagement";
    let policies: Vec<AccessPackageAssignmentPolicy> =
        rows("demo", &format!("{root}/assignmentPolicies"));
    let open = &policies[0];
    assert_eq!(
        open.allowed_target_scope,
        Some(AllowedTargetScope::AllExternalUsers)
    );
    assert_eq!(
        open.expiration.as_ref().unwrap().expiration_type,
        Some(ExpirationPatternType::NoExpiration)
    );
    let approval = open.request_approval_settings.as_ref().unwrap();
    assert_eq!(approval.is_approval_required_for_add, Some(false));
    assert_eq!(
        open.requestor_settings
            .as_ref()
            .unwrap()
            .enable_targets_to_self_add_access,
        Some(true)
    );
    let approver = |policy: &AccessPackageAssignmentPolicy| {
        let stages = policy.request_approval_settings.clone().unwrap().stages;
        stages.unwrap()[0].primary_approvers.clone().unwrap()[0].clone()
    };
    assert!(approver(&policies[1]).group_id.is_some());
    assert!(approver(&policies[2]).user_id.is_some());
    assert_eq!(
        policies[2].expiration.as_ref().unwrap().end_date_time,
        Some("2026-03-31T22:00:00Z".parse().unwrap())
    );

    let catalog: AccessPackageCatalog = one("demo", &format!("beta:{root}/accessPackageCatalogs"));
    let resources = catalog.access_package_resources.unwrap();
    assert!(is(resources[0].origin_system.as_ref(), "AadGroup"));
    assert_eq!(catalog.access_package_resources_next, None);
    for package in catalog.access_packages.unwrap() {
        let id = package.id.unwrap();
        assert!(
            policies
                .iter()
                .any(|policy| { policy.access_package.as_ref().unwrap().id == Some(id) })
        );
        let package: AccessPackage = one("demo", &format!("v1.0:{root}/accessPackages/{id}"));
        let given = package.resource_role_scopes.unwrap();
        let origin = given[0].scope.as_ref().unwrap().origin_id.as_ref().unwrap();
        assert!(
            resources
                .iter()
                .any(|one| is(one.origin_id.as_ref(), origin.raw()))
        );
        let role = given[0].role.as_ref().unwrap();
        assert!(
            role.origin_id
                .as_ref()
                .unwrap()
                .raw()
                .starts_with("Member_")
        );
    }
    let workflows: Vec<Workflow> = rows("demo", "/identityGovernance/lifecycleWorkflows/workflows");
    assert_eq!(
        workflows[1].category,
        Some(LifecycleWorkflowCategory::Leaver)
    );
    assert_eq!(workflows[1].is_enabled, Some(true));
    assert_eq!(workflows[1].is_scheduling_enabled, Some(false));
}

/// A list that Graph cut says so by a link beside it.
#[test]
fn a_catalogue_whose_lists_were_cut_says_so() {
    let catalog: AccessPackageCatalog = serde_json::from_value(json!({
        "accessPackageResources": [],
        "accessPackageResources@odata.nextLink": "https://graph.microsoft.com/beta/next",
    }))
    .unwrap();
    assert!(catalog.access_package_resources_next.is_some());
    assert_eq!(catalog.access_packages_next, None);
}

#[test]
fn conditional_access() {
    let beta: Vec<ConditionalAccessPolicyBeta> =
        rows("demo", "/identity/conditionalAccess/policies");
    let modes: Vec<_> = beta
        .into_iter()
        .filter_map(|policy| policy.session_controls?.continuous_access_evaluation?.mode)
        .collect();
    assert_eq!(modes, [ContinuousAccessEvaluationMode::Disabled]);
    let agents: ConditionalAccessPolicyBeta = serde_json::from_value(json!({
        "conditions": {
            "agentIdRiskLevels": "high",
            "clientApplications": {"includeAgentIdServicePrincipals": ["All"]},
        },
        "sessionControls": {"globalSecureAccessFilteringProfile": {"isEnabled": true, "profileId": "p"}},
    }))
    .unwrap();
    let conditions = agents.conditions.unwrap();
    assert!(is(conditions.agent_id_risk_levels.as_ref(), "high"));
    let applications = conditions.client_applications.unwrap();
    assert!(applications.include_agent_id_service_principals.unwrap()[0].is("All"));
    let profile = agents.session_controls.unwrap();
    let profile = profile.global_secure_access_filtering_profile.unwrap();
    assert_eq!(profile.is_enabled, Some(true));
    assert!(is(profile.profile_id.as_ref(), "p"));

    let deleted: DeletedConditionalAccessPolicy =
        one("demo", "/identity/conditionalAccess/deletedItems/policies");
    assert_eq!(
        deleted.deleted_date_time,
        Some("2026-10-14T14:20:00Z".parse().unwrap())
    );
    assert_eq!(deleted.state, Some(ConditionalAccessPolicyState::Enabled));

    let locations: Vec<NamedLocation> = rows("demo", "/identity/conditionalAccess/namedLocations");
    let ranges = locations.iter().filter_map(|one| one.ip_ranges.as_ref());
    assert!(ranges.flatten().all(|range| range.cidr_address.is_some()));
    let countries = locations
        .iter()
        .filter_map(|one| one.countries_and_regions.as_ref());
    assert!(countries.count() > 0);
    let beta: Vec<NamedLocation> = rows("sound", "beta:/identity/conditionalAccess/namedLocations");
    let kind = beta.last().unwrap().odata_type.as_ref();
    assert!(is(kind, "#microsoft.graph.compliantNetworkNamedLocation"));
}

#[test]
fn global_secure_access() {
    let root = "beta:/networkAccess";
    for (tenant, m365) in [
        ("demo", NetworkAccessStatus::Disabled),
        ("sound", NetworkAccessStatus::Enabled),
    ] {
        let profiles: Vec<ForwardingProfile> = rows(tenant, &format!("{root}/forwardingProfiles"));
        let kind = Some(TrafficForwardingType::M365);
        let of = profiles
            .iter()
            .find(|one| one.traffic_forwarding_type == kind);
        assert_eq!(of.unwrap().state, Some(m365.clone()));
        let settings: NetworkAccessConditionalAccessSettings =
            one(tenant, &format!("{root}/settings/conditionalAccess"));
        assert_eq!(settings.signaling_status, Some(m365));
    }
    let policies: Vec<FilteringPolicy> = rows("sound", &format!("{root}/filteringPolicies"));
    let block = policies
        .iter()
        .find(|policy| policy.action == Some(FilteringPolicyAction::Block));
    let block = block.unwrap();
    assert_eq!(
        block.policy_rules.as_ref().unwrap()[0].rule_type,
        Some(NetworkDestinationType::WebCategory)
    );
    let baseline: FilteringProfile = one("sound", &format!("{root}/filteringProfiles"));
    assert_eq!(baseline.priority, Some(65_000));
    assert_eq!(baseline.state, Some(NetworkAccessStatus::Enabled));
    let links = baseline.policies.unwrap();
    assert_eq!(links[0].policy.as_ref().unwrap().id, block.id);
    assert!(is(
        links[1].odata_type.as_ref(),
        "#microsoft.graph.networkaccess.threatIntelligencePolicyLink"
    ));
    assert_eq!(links[1].state, Some(NetworkAccessStatus::Enabled));
}

#[test]
fn the_state_of_the_tenant() {
    let federation: InternalDomainFederation = one(
        "demo",
        "/domains/fernwick.tideglass.example/federationConfiguration",
    );
    assert_eq!(
        federation.federated_idp_mfa_behavior,
        Some(FederatedIdpMfaBehavior::AcceptIfMfaDone)
    );
    assert!(federation.signing_certificate.is_some());
    let sync: OnPremisesDirectorySynchronization =
        one("demo", "/directory/onPremisesSynchronization");
    let features = sync.features.unwrap();
    assert_eq!(features.password_sync_enabled, Some(true));
    assert_eq!(features.block_soft_match_enabled, Some(false));
    assert_eq!(
        features.block_cloud_object_takeover_through_hard_match_enabled,
        Some(false)
    );
    let subscriptions: Vec<CompanySubscription> = rows("demo", "/directory/subscriptions");
    let trial = subscriptions
        .iter()
        .find(|one| one.is_trial == Some(true))
        .unwrap();
    assert_eq!(trial.status, Some(SkuCapabilityStatus::Enabled));
    assert_eq!(trial.total_licenses, Some(25));
    assert_eq!(
        trial.next_lifecycle_date_time,
        Some("2026-11-20T00:00:00Z".parse().unwrap())
    );
    let contract: Contract =
        serde_json::from_value(json!({"customerId": "62e90394-69f5-4237-9190-012177145e10"}))
            .unwrap();
    assert!(contract.customer_id.is_some());
    let insight: AzureADPremiumLicenseInsight =
        one("demo", "beta:/reports/azureADPremiumLicenseInsight");
    assert_eq!(insight.entitled_p2_license_count, Some(15));
    let risk = insight.p2_feature_utilizations.unwrap();
    assert_eq!(
        risk.risk_based_conditional_access.unwrap().user_count,
        Some(38)
    );
    let access = insight.p1_feature_utilizations.unwrap();
    assert_eq!(access.conditional_access.unwrap().user_count, Some(281));
    let recommendations: Vec<Recommendation> = rows("demo", "beta:/directory/recommendations");
    assert_eq!(
        recommendations[1].status,
        Some(RecommendationStatus::Postponed)
    );
    assert_eq!(
        recommendations[1].priority,
        Some(RecommendationPriority::High)
    );
    assert!(is(
        recommendations[1].recommendation_type.as_ref(),
        "adalToMsalMigration"
    ));
}

#[test]
fn properties_that_lists_read_before_have_gained() {
    let organization: Organization = one("demo", "/organization");
    assert!(organization.on_premises_last_sync_date_time.is_some());
    let domains: Vec<Domain> = rows("demo", "/domains");
    assert!(domains.iter().all(|domain| domain.is_root.is_some()));
    assert!(
        domains
            .iter()
            .any(|domain| domain.supported_services.is_some())
    );
    let policy: AuthorizationPolicy = one("demo", "/policies/authorizationPolicy");
    assert_eq!(policy.block_msol_power_shell, Some(false));
    assert_eq!(policy.allowed_to_use_sspr, Some(true));
    assert_eq!(policy.allow_user_consent_for_risky_apps, None);
    let members = policy.default_user_role_permissions.unwrap();
    assert_eq!(members.allowed_to_create_tenants, Some(true));
    assert_eq!(
        members.allowed_to_read_bitlocker_keys_for_owned_device,
        Some(true)
    );
    let consent: AdminConsentRequestPolicy = one("demo", "/policies/adminConsentRequestPolicy");
    assert_eq!(consent.request_duration_in_days, Some(30));
    assert_eq!(consent.reviewers.unwrap().len(), 2);
    let default: CrossTenantAccessPolicyConfigurationDefault =
        one("demo", "/policies/crossTenantAccessPolicy/default");
    assert_eq!(default.is_service_default, Some(true));
    let outbound = default.b2b_collaboration_outbound.unwrap().users_and_groups;
    let targets = outbound.unwrap().targets.unwrap();
    assert!(is(targets[0].target.as_ref(), "AllUsers"));
    let restrictions = default.tenant_restrictions.unwrap().applications.unwrap();
    assert_eq!(restrictions.access_type, Some(AccessType::Blocked));
    let devices: DeviceRegistrationPolicy = one("demo", "/policies/deviceRegistrationPolicy");
    assert_eq!(devices.user_device_quota, Some(50));
    assert_eq!(
        devices.local_admin_password.unwrap().is_enabled,
        Some(false)
    );
    let join = devices.azure_ad_join.unwrap();
    let all = "#microsoft.graph.allDeviceRegistrationMembership";
    assert!(is(join.allowed_to_join.unwrap().odata_type.as_ref(), all));
    let admins = join.local_admins.unwrap();
    assert_eq!(admins.enable_global_admins, Some(true));
    assert!(is(
        admins.registering_users.unwrap().odata_type.as_ref(),
        all
    ));
    let roles: Vec<UnifiedRoleDefinition> =
        rows("demo", "/roleManagement/directory/roleDefinitions");
    assert!(roles.iter().all(|role| role.template_id.is_some()));
    let strengths: Vec<AuthenticationStrengthPolicy> =
        rows("demo", "/policies/authenticationStrengthPolicies");
    let built_in = Some(AuthenticationStrengthPolicyType::BuiltIn);
    assert!(strengths.iter().any(|one| one.policy_type == built_in));
}
