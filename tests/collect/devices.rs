//! Devices: what is asked of Intune and the directory, object by object where no list tells, and what comes back as typed rows.

use super::*;
use m365audit::snapshot::model::*;
use serde::de::DeserializeOwned;

/// All of Intune, what the directory knows of devices, and what both follow from.
fn devices() -> BTreeSet<Resource> {
    let all = Resource::ALL.iter().copied();
    let mut resources: BTreeSet<Resource> = all
        .filter(|resource| resource.licence() == Licence::Intune)
        .chain([
            Resource::Devices,
            Resource::DeviceLocalCredentials,
            Resource::MobileDeviceManagementAuthority,
        ])
        .collect();
    collect::with_needs(&mut resources);
    resources
}

fn sound() -> TenantData {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tenants/sound");
    let mut tenant = TenantData::load(folder.as_ref()).unwrap();
    *tenant.permissions_mut() = least().into_iter().map(str::to_owned).collect();
    tenant
}

/// The rows of a resource as their type, in the order of their objects.
fn rows<T: DeserializeOwned>(kept: &Kept, resource: Resource) -> Vec<T> {
    let all = kept.all(resource);
    all.iter()
        .map(|(_, row)| serde_json::from_str(row).unwrap())
        .collect()
}

fn one<T: DeserializeOwned>(kept: &Kept, resource: Resource) -> T {
    let mut all = rows(kept, resource);
    assert_eq!(all.len(), 1, "{resource}");
    all.remove(0)
}

/// The settings of one policy: the name of each with its option or number.
fn settings(kept: &Kept, policy: &str) -> BTreeMap<String, String> {
    let policies: Vec<DeviceManagementConfigurationPolicy> =
        rows(kept, Resource::ConfigurationPolicies);
    let named = |of: &&DeviceManagementConfigurationPolicy| of.name.as_ref().unwrap().is(policy);
    let id = policies.iter().find(named).unwrap().id;
    let lists = &kept.rows[&Resource::ConfigurationPolicySettings];
    let rows = lists.get(&id).into_iter().flatten();
    let all: Vec<DeviceManagementConfigurationSetting> =
        rows.map(|row| serde_json::from_str(row).unwrap()).collect();
    let value = |instance: &DeviceManagementConfigurationSettingInstance| {
        let choice = instance.choice_setting_value.as_ref();
        let simple = instance.simple_setting_value.as_ref();
        choice
            .and_then(|choice| Some(choice.value.as_ref()?.raw().to_owned()))
            .or_else(|| {
                Some(match simple?.value.as_ref()? {
                    SimpleValue::Integer(number) => number.to_string(),
                    SimpleValue::Text(text) => text.raw().to_owned(),
                })
            })
    };
    all.iter()
        .flat_map(DeviceManagementConfigurationSetting::instances)
        .filter_map(|one| {
            Some((
                one.setting_definition_id.as_ref()?.raw().to_owned(),
                value(one)?,
            ))
        })
        .collect()
}

/// What is asked, word for word: secrets and what no rule uses are not selected, properties of derived types are not cut off.
#[tokio::test]
async fn each_list_is_asked_for_what_rules_use_and_no_more() {
    let run = run(demo(), devices(), Options::default()).await;
    let asked: BTreeSet<&str> = run
        .requests
        .iter()
        .map(|line| line.path.as_str())
        .filter(|path| path.contains("evice") || path.contains("/organization/"))
        .collect();
    let managed = "/v1.0/deviceManagement/managedDevices?$select=id,deviceName,managedDeviceOwnerType,operatingSystem,osVersion,complianceState,jailBroken,isEncrypted,isSupervised,lastSyncDateTime,partnerReportedThreatState,userPrincipalName,userId&$top=1000";
    let wanted = BTreeSet::from([
        "/v1.0/devices?$select=id,deviceId,displayName,accountEnabled,operatingSystem,trustType,isManaged,registrationDateTime,approximateLastSignInDateTime&$top=999&$count=true",
        "/v1.0/directory/deviceLocalCredentials?$select=id,deviceName,lastBackupDateTime",
        "/v1.0/organization/41f131c7-d58a-5c9c-a731-465be552d8f8?$select=id,mobileDeviceManagementAuthority",
        "/v1.0/deviceManagement?$select=id,subscriptionState,settings",
        managed,
        "/v1.0/deviceManagement/managedDeviceOverview",
        "/v1.0/deviceManagement/deviceCompliancePolicies?$expand=assignments",
        "/beta/deviceManagement/deviceCompliancePolicies?$expand=assignments",
        "/beta/deviceManagement/deviceConfigurations?$expand=assignments",
        "/beta/deviceManagement/configurationPolicies?$select=id,name,platforms,isAssigned,templateReference&$expand=assignments",
        // Assigned, and of a kind that a rule looks into: not the drafts of firewall and LAPS.
        "/beta/deviceManagement/configurationPolicies/239b6cd2-430e-5ab5-b977-85e30845bd0d/settings?$top=1000",
        "/beta/deviceManagement/configurationPolicies/3c4ccb91-8f1c-559d-8ed3-8134c6bbfa76/settings?$top=1000",
        "/beta/deviceManagement/configurationPolicies/3eaf42be-e3a1-53c8-8910-e014438536a9/settings?$top=1000",
        "/beta/deviceManagement/configurationPolicies/6bb4d824-ca77-5847-9ad1-d846a30040bd/settings?$top=1000",
        "/beta/deviceManagement/configurationPolicies/a0519d66-dde4-5529-bb52-4ab59d4e784d/settings?$top=1000",
        "/beta/deviceManagement/intents?$select=id,displayName,templateId,isAssigned",
        "/v1.0/deviceAppManagement/iosManagedAppProtections?$expand=assignments",
        "/v1.0/deviceAppManagement/androidManagedAppProtections?$expand=assignments",
        "/beta/deviceAppManagement/iosManagedAppProtections",
        "/beta/deviceAppManagement/androidManagedAppProtections",
        "/v1.0/deviceManagement/deviceEnrollmentConfigurations?$expand=assignments",
        "/beta/deviceManagement/depOnboardingSettings",
        "/beta/deviceManagement/depOnboardingSettings/8a4696f8-d1ef-5a6a-97cb-0cf9f9dc8a85/enrollmentProfiles",
        "/v1.0/deviceAppManagement/vppTokens?$select=id,organizationName,state,expirationDateTime,lastSyncDateTime",
        "/v1.0/deviceManagement/applePushNotificationCertificate?$select=appleIdentifier,expirationDateTime",
        "/beta/deviceManagement/androidManagedStoreAccountEnterpriseSettings?$select=id,bindStatus,lastAppSyncStatus,lastAppSyncDateTime",
        "/v1.0/deviceManagement/mobileThreatDefenseConnectors",
        "/beta/deviceManagement/ndesConnectors",
        "/beta/deviceManagement/managedDeviceCleanupRules",
        "/beta/deviceManagement/windowsFeatureUpdateProfiles",
        "/beta/deviceManagement/dataProcessorServiceForWindowsFeaturesOnboarding",
        "/beta/deviceManagement/intuneBrandingProfiles?$select=id,profileName,displayName,isDefaultProfile,privacyUrl",
        "/beta/deviceManagement/operationApprovalPolicies",
        "/beta/deviceManagement/operationApprovalPolicies/8d179f75-f9db-5019-8200-ea1b83725e68",
        "/v1.0/deviceManagement/roleAssignments",
        // The other two assignments tell their groups in the list.
        "/v1.0/deviceManagement/roleAssignments/3c854d2c-08fb-57d4-964b-3ad49f1d11a9",
    ]);
    assert_eq!(asked, wanted);
}

#[tokio::test]
async fn the_devices_of_the_demo_tenant_come_as_typed_rows() {
    let kept = read(demo(), devices(), Options::default()).await;
    let authority: OrganizationMdmAuthority = one(&kept, Resource::MobileDeviceManagementAuthority);
    assert_eq!(
        authority.mobile_device_management_authority,
        Some(MdmAuthority::Intune)
    );
    let managed: Vec<ManagedDevice> = rows(&kept, Resource::ManagedDevices);
    let jailbroken = |device: &&ManagedDevice| device.jail_broken == Some(JailBroken::True);
    assert_eq!(managed.iter().filter(jailbroken).count(), 1);
    assert!(managed.iter().all(|device| device.os_version.is_some()
        && device.user_id.is_some()
        && device.is_supervised == Some(false)));
    let directory: Vec<Device> = rows(&kept, Resource::Devices);
    assert_eq!(directory.len(), 184);
    let hybrid = |device: &&Device| device.trust_type == Some(TrustType::ServerAd);
    assert_eq!(directory.iter().filter(hybrid).count(), 36);
    let backups: Vec<DeviceLocalCredentialInfo> = rows(&kept, Resource::DeviceLocalCredentials);
    assert_eq!(backups.len(), 3);
    for backup in &backups {
        assert!(directory.iter().any(|device| device.device_id == backup.id));
    }

    let compliance: Vec<DeviceCompliancePolicy> = rows(&kept, Resource::DeviceCompliancePolicies);
    assert!(compliance.iter().any(|policy| {
        policy.bit_locker_enabled == Some(true)
            && policy.os_minimum_version == Some("10.0.22631.0".into())
    }));
    assert!(
        compliance
            .iter()
            .any(|policy| policy.security_block_jailbroken_devices == Some(true))
    );
    let profiles: Vec<DeviceConfiguration> = rows(&kept, Resource::DeviceConfigurations);
    let has = |test: fn(&DeviceConfiguration) -> bool| profiles.iter().any(test);
    assert!(has(|one| one.bit_locker_encrypt_device == Some(true)));
    assert!(has(|one| one.file_vault_enabled == Some(true)));
    assert!(has(|one| one.quality_updates_paused == Some(true)));
    let rules = settings(&kept, "Attack surface rules - watch");
    let rule = "device_vendor_msft_policy_config_defender_attacksurfacereductionrules_blockpersistencethroughwmieventsubscription";
    assert_eq!(rules[rule], format!("{rule}_off"), "two levels down");
    let defender = settings(&kept, "Defender");
    assert_eq!(
        defender["device_vendor_msft_policy_config_defender_cloudextendedtimeout"],
        "10"
    );
    let intent: DeviceManagementIntent = one(&kept, Resource::Intents);
    assert_eq!(intent.is_assigned, Some(false));

    let app: ManagedAppProtection = one(&kept, Resource::IosManagedAppProtections);
    assert_eq!(
        app.allowed_outbound_clipboard_sharing_level,
        Some(ManagedAppClipboardSharingLevel::ManagedAppsWithPasteIn)
    );
    assert_eq!(
        app.allowed_data_storage_locations.map(|list| list.len()),
        Some(2)
    );
    let app: ManagedAppProtectionBeta = one(&kept, Resource::IosManagedAppProtectionsBeta);
    assert_eq!(app.app_action_if_unable_to_authenticate_user, None);
    assert_eq!(
        app.app_action_if_device_compliance_required,
        Some(ManagedAppRemediationAction::Warn)
    );
    assert_eq!(
        app.period_online_before_access_check
            .map(|time| time.0.as_hours()),
        Some(12)
    );
    let app: ManagedAppProtectionBeta = one(&kept, Resource::AndroidManagedAppProtectionsBeta);
    assert_eq!(
        app.required_android_safety_net_device_attestation_type,
        Some(SafetyNetDeviceAttestationType::None)
    );
}

#[tokio::test]
async fn intune_as_a_service_comes_as_typed_rows() {
    let kept = read(demo(), devices(), Options::default()).await;
    let enrolment: Vec<DeviceEnrollmentConfiguration> =
        rows(&kept, Resource::DeviceEnrollmentConfigurations);
    let restriction = enrolment
        .iter()
        .find_map(|one| one.mac_os_restriction.as_ref());
    assert_eq!(
        restriction.unwrap().personal_device_enrollment_blocked,
        Some(false)
    );
    let hello = enrolment.iter().find_map(|one| one.state.as_ref());
    assert_eq!(hello, Some(&Enablement::NotConfigured));
    let token: DepOnboardingSetting = one(&kept, Resource::DepOnboardingSettings);
    let day = "2026-11-20T00:00:00Z".parse().ok();
    assert_eq!(token.token_expiration_date_time, day);
    let profiles: Vec<EnrollmentProfile> = rows(&kept, Resource::DepEnrollmentProfiles);
    assert_eq!(profiles.len(), 2);
    assert!(profiles.iter().all(|one| {
        one.dep_profile_admin_account_password_rotation_setting
            .is_none()
    }));
    let secret = |row: &str| row.contains("\"adminAccountPassword\"");
    let all = kept.all(Resource::DepEnrollmentProfiles);
    assert!(all.iter().all(|(_, row)| !secret(row)), "{all:?}");
    let token: VppToken = one(&kept, Resource::VppTokens);
    assert_eq!(token.state, Some(VppTokenState::Valid));
    let push: ApplePushNotificationCertificate =
        one(&kept, Resource::ApplePushNotificationCertificate);
    assert_eq!(
        push.expiration_date_time,
        "2026-11-14T00:00:00Z".parse().ok()
    );
    let play: AndroidManagedStoreAccountEnterpriseSettings = one(
        &kept,
        Resource::AndroidManagedStoreAccountEnterpriseSettings,
    );
    assert_eq!(
        play.bind_status,
        Some(AndroidManagedStoreAccountBindStatus::BoundAndValidated)
    );
    assert_eq!(
        play.last_app_sync_status,
        Some(AndroidManagedStoreAccountAppSyncStatus::Success)
    );
    let connectors: Vec<MobileThreatDefenseConnector> =
        rows(&kept, Resource::MobileThreatDefenseConnectors);
    let states: Vec<_> = connectors
        .into_iter()
        .filter_map(|one| one.partner_state)
        .collect();
    assert_eq!(states.len(), 2);
    assert!(states.contains(&MobileThreatPartnerTenantState::Unresponsive));
    let connectors: Vec<NdesConnector> = rows(&kept, Resource::NdesConnectors);
    assert!(
        connectors
            .iter()
            .any(|one| one.state == Some(NdesConnectorState::Inactive)
                && one.last_connection_date_time.is_some())
    );
    assert!(kept.all(Resource::ManagedDeviceCleanupRules).is_empty());
    let update: WindowsFeatureUpdateProfile = one(&kept, Resource::WindowsFeatureUpdateProfiles);
    assert_eq!(
        update.end_of_support_date,
        "2025-10-14T00:00:00Z".parse().ok()
    );
    let processor: DataProcessorServiceForWindowsFeaturesOnboarding = one(
        &kept,
        Resource::DataProcessorServiceForWindowsFeaturesOnboarding,
    );
    assert_eq!(
        processor.are_data_processor_service_for_windows_features_enabled,
        Some(false)
    );
    let branding: IntuneBrandingProfile = one(&kept, Resource::IntuneBrandingProfiles);
    assert_eq!(branding.is_default_profile, Some(true));
    let listed: OperationApprovalPolicy = one(&kept, Resource::OperationApprovalPolicies);
    assert_eq!(listed.approver_group_ids, None);
    let policy: OperationApprovalPolicy = one(&kept, Resource::OperationApprovalPolicy);
    assert_eq!(policy.id, listed.id);
    assert_eq!(policy.approver_group_ids, Some(Vec::new()));
    let by_id: DeviceAndAppManagementRoleAssignment = one(&kept, Resource::IntuneRoleAssignment);
    assert_eq!(by_id.members.map(|groups| groups.len()), Some(1));
}

#[tokio::test]
async fn the_sound_tenant_is_read_to_its_end() {
    let kept = read(sound(), devices(), Options::default()).await;
    let troubles = kept.troubles();
    let of_devices: BTreeMap<_, _> = troubles
        .into_iter()
        .filter(|(resource, _)| devices().contains(resource))
        .collect();
    let skipped = BTreeMap::from([(Resource::CompliancePolicies, "skipped")]);
    assert_eq!(of_devices, skipped, "{:#?}", kept.records);
    assert_eq!(
        settings(&kept, "Windows antivirus").len(),
        24,
        "every setting that a rule asks for"
    );
    let control = settings(&kept, "App control");
    let trust =
        "device_vendor_msft_policy_config_applicationcontrolv2_trustappsfrommanagedinstaller";
    assert_eq!(control[trust], format!("{trust}_enabled"));
    for nothing_to_look_for in ["Windows firewall", "Mac antivirus", "Elevation"] {
        assert_eq!(settings(&kept, nothing_to_look_for), BTreeMap::new());
    }
    let mut policies: Vec<OperationApprovalPolicy> = rows(&kept, Resource::OperationApprovalPolicy);
    policies.retain(|policy| {
        policy
            .approver_group_ids
            .as_ref()
            .is_some_and(|all| !all.is_empty())
    });
    assert_eq!(policies.len(), 2);
    let profiles: Vec<EnrollmentProfile> = rows(&kept, Resource::DepEnrollmentProfiles);
    let rotates = |one: &EnrollmentProfile| {
        let setting = one
            .dep_profile_admin_account_password_rotation_setting
            .as_ref();
        setting.and_then(|setting| setting.auto_rotation_period_in_days)
    };
    assert_eq!(profiles.iter().find_map(rotates), Some(30));
}

/// Graph says 404 where no certificate was ever uploaded; any other refusal stays one.
#[tokio::test]
async fn a_tenant_without_a_push_certificate_has_none() {
    let resource = Resource::ApplePushNotificationCertificate;
    for (status, wanted) in [(404, "collected"), (403, "forbidden"), (400, "failed")] {
        let at = [(
            "/applePushNotificationCertificate",
            Nth::Always,
            FaultKind::Status(status),
        )];
        let kept = read(demo(), [resource].into(), faults(at)).await;
        let record = &kept.records[&resource];
        assert_eq!(word(&record.state), wanted, "{status}: {record:?}");
        assert_eq!((record.count, record.requests), (0, 1), "{status}");
    }
    // Where every tenant has an object, 404 is a failure.
    let resource = Resource::DataProcessorServiceForWindowsFeaturesOnboarding;
    let at = [("/dataProcessorService", Nth::Always, FaultKind::Status(404))];
    let kept = read(demo(), [resource].into(), faults(at)).await;
    assert_eq!(word(kept.state(resource)), "failed");
}

/// A list by object is asked for no object at all when the list that names the objects was refused, and says which it was.
#[tokio::test]
async fn nothing_is_asked_below_a_list_that_was_refused() {
    for (list, child, below) in [
        (
            Resource::ConfigurationPolicies,
            Resource::ConfigurationPolicySettings,
            "/settings",
        ),
        (
            Resource::DepOnboardingSettings,
            Resource::DepEnrollmentProfiles,
            "/enrollmentProfiles",
        ),
        (
            Resource::OperationApprovalPolicies,
            Resource::OperationApprovalPolicy,
            "/operationApprovalPolicies/",
        ),
        (
            Resource::IntuneRoleAssignments,
            Resource::IntuneRoleAssignment,
            "/deviceManagement/roleAssignments/",
        ),
    ] {
        let at = [(list.path(), Nth::Always, FaultKind::Status(403))];
        let run = run(demo(), [list, child].into(), faults(at)).await;
        run.ended.unwrap();
        assert_eq!(word(run.kept.state(list)), "forbidden", "{list}");
        assert_eq!(word(run.kept.state(child)), "failed", "{child}");
        let error = error(run.kept.state(child));
        assert!(error.contains(&list.source()), "{error}");
        assert!(
            run.requests.iter().all(|line| !line.path.contains(below)),
            "{child}"
        );
    }
}

/// One policy of which the settings are refused is not taken for a policy without settings.
#[tokio::test]
async fn settings_that_are_missing_for_one_policy_leave_the_rest_partial() {
    let resources = BTreeSet::from([
        Resource::ConfigurationPolicies,
        Resource::ConfigurationPolicySettings,
    ]);
    let at = [("/settings", Nth::Only(2), FaultKind::Status(400))];
    let kept = read(demo(), resources, faults(at)).await;
    let state = kept.state(Resource::ConfigurationPolicySettings);
    assert_eq!(word(state), "partial", "{state:?}");
    assert_eq!(kept.rows[&Resource::ConfigurationPolicySettings].len(), 4);
}
