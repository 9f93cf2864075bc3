//! What the published cut of beta leaves out: it names properties, and the reference pages tell their types and what derives from what.
//! Source: Microsoft Graph beta reference, resource pages of Intune, August 2026.

/// Bases of beta types.
pub(crate) const BASES: &[(&str, &str)] = &[
    ("deviceManagementConfigurationPolicy", "entity"),
    ("deviceManagementIntent", "entity"),
    ("depOnboardingSetting", "entity"),
    ("enrollmentProfile", "entity"),
    ("depEnrollmentBaseProfile", "enrollmentProfile"),
    ("depMacOSEnrollmentProfile", "depEnrollmentBaseProfile"),
    ("intuneBrandingProfile", "entity"),
    ("managedDeviceCleanupRule", "entity"),
    ("ndesConnector", "entity"),
    ("operationApprovalPolicy", "entity"),
    ("windowsFeatureUpdateProfile", "entity"),
    (
        "macOSEndpointProtectionConfiguration",
        "deviceConfiguration",
    ),
    ("macOSSoftwareUpdateConfiguration", "deviceConfiguration"),
    (
        "androidDeviceOwnerCompliancePolicy",
        "deviceCompliancePolicy",
    ),
    (
        "deviceManagementConfigurationChoiceSettingInstance",
        "deviceManagementConfigurationSettingInstance",
    ),
    (
        "deviceManagementConfigurationChoiceSettingCollectionInstance",
        "deviceManagementConfigurationSettingInstance",
    ),
    (
        "deviceManagementConfigurationSimpleSettingInstance",
        "deviceManagementConfigurationSettingInstance",
    ),
    (
        "deviceManagementConfigurationSimpleSettingCollectionInstance",
        "deviceManagementConfigurationSettingInstance",
    ),
    (
        "deviceManagementConfigurationGroupSettingInstance",
        "deviceManagementConfigurationSettingInstance",
    ),
    (
        "deviceManagementConfigurationGroupSettingCollectionInstance",
        "deviceManagementConfigurationSettingInstance",
    ),
    (
        "deviceManagementConfigurationIntegerSettingValue",
        "deviceManagementConfigurationSimpleSettingValue",
    ),
    (
        "deviceManagementConfigurationStringSettingValue",
        "deviceManagementConfigurationSimpleSettingValue",
    ),
    (
        "deviceManagementConfigurationSecretSettingValue",
        "deviceManagementConfigurationSimpleSettingValue",
    ),
];

/// Types of properties that beta names: type, then each property with its own.
pub(crate) const PROPERTIES: &[(&str, &[(&str, &str)])] = &[
    (
        "deviceManagementConfigurationPolicy",
        &[
            ("name", "Edm.String"),
            ("platforms", "deviceManagementConfigurationPlatforms"),
            ("isAssigned", "Edm.Boolean"),
            (
                "templateReference",
                "deviceManagementConfigurationPolicyTemplateReference",
            ),
            (
                "assignments",
                "Collection(deviceManagementConfigurationPolicyAssignment)",
            ),
        ],
    ),
    (
        "deviceManagementConfigurationPolicyTemplateReference",
        &[
            (
                "templateFamily",
                "deviceManagementConfigurationTemplateFamily",
            ),
            ("templateDisplayName", "Edm.String"),
        ],
    ),
    (
        "deviceManagementConfigurationPolicyAssignment",
        &[("target", "deviceAndAppManagementAssignmentTarget")],
    ),
    (
        "deviceManagementConfigurationSetting",
        &[(
            "settingInstance",
            "deviceManagementConfigurationSettingInstance",
        )],
    ),
    (
        "deviceManagementConfigurationSettingInstance",
        &[("settingDefinitionId", "Edm.String")],
    ),
    (
        "deviceManagementConfigurationChoiceSettingInstance",
        &[(
            "choiceSettingValue",
            "deviceManagementConfigurationChoiceSettingValue",
        )],
    ),
    (
        "deviceManagementConfigurationChoiceSettingCollectionInstance",
        &[(
            "choiceSettingCollectionValue",
            "Collection(deviceManagementConfigurationChoiceSettingValue)",
        )],
    ),
    (
        "deviceManagementConfigurationSimpleSettingInstance",
        &[(
            "simpleSettingValue",
            "deviceManagementConfigurationSimpleSettingValue",
        )],
    ),
    (
        "deviceManagementConfigurationSimpleSettingCollectionInstance",
        &[(
            "simpleSettingCollectionValue",
            "Collection(deviceManagementConfigurationSimpleSettingValue)",
        )],
    ),
    (
        "deviceManagementConfigurationGroupSettingInstance",
        &[(
            "groupSettingValue",
            "deviceManagementConfigurationGroupSettingValue",
        )],
    ),
    (
        "deviceManagementConfigurationGroupSettingCollectionInstance",
        &[(
            "groupSettingCollectionValue",
            "Collection(deviceManagementConfigurationGroupSettingValue)",
        )],
    ),
    (
        "deviceManagementConfigurationChoiceSettingValue",
        &[
            ("value", "Edm.String"),
            (
                "children",
                "Collection(deviceManagementConfigurationSettingInstance)",
            ),
        ],
    ),
    (
        "deviceManagementConfigurationGroupSettingValue",
        &[(
            "children",
            "Collection(deviceManagementConfigurationSettingInstance)",
        )],
    ),
    (
        "deviceManagementIntent",
        &[
            ("displayName", "Edm.String"),
            ("templateId", "Edm.String"),
            ("isAssigned", "Edm.Boolean"),
        ],
    ),
    (
        "macOSEndpointProtectionConfiguration",
        &[("fileVaultEnabled", "Edm.Boolean")],
    ),
    (
        "managedAppProtection",
        &[
            (
                "appActionIfUnableToAuthenticateUser",
                "managedAppRemediationAction",
            ),
            (
                "appActionIfDeviceComplianceRequired",
                "managedAppRemediationAction",
            ),
        ],
    ),
    (
        "androidManagedAppProtection",
        &[
            (
                "requiredAndroidSafetyNetDeviceAttestationType",
                "androidManagedAppSafetyNetDeviceAttestationType",
            ),
            (
                "appActionIfAndroidSafetyNetDeviceAttestationFailed",
                "managedAppRemediationAction",
            ),
        ],
    ),
    (
        "depOnboardingSetting",
        &[
            ("tokenName", "Edm.String"),
            ("tokenExpirationDateTime", "Edm.DateTimeOffset"),
            ("lastSuccessfulSyncDateTime", "Edm.DateTimeOffset"),
        ],
    ),
    ("enrollmentProfile", &[("displayName", "Edm.String")]),
    (
        "depMacOSEnrollmentProfile",
        &[(
            "depProfileAdminAccountPasswordRotationSetting",
            "depProfileAdminAccountPasswordRotationSetting",
        )],
    ),
    (
        "depProfileAdminAccountPasswordRotationSetting",
        &[("autoRotationPeriodInDays", "Edm.Int32")],
    ),
    (
        "ndesConnector",
        &[
            ("displayName", "Edm.String"),
            ("machineName", "Edm.String"),
            ("state", "ndesConnectorState"),
            ("connectorVersion", "Edm.String"),
            ("lastConnectionDateTime", "Edm.DateTimeOffset"),
        ],
    ),
    (
        "managedDeviceCleanupRule",
        &[
            ("displayName", "Edm.String"),
            ("deviceInactivityBeforeRetirementInDays", "Edm.Int32"),
        ],
    ),
    (
        "intuneBrandingProfile",
        &[
            ("profileName", "Edm.String"),
            ("displayName", "Edm.String"),
            ("isDefaultProfile", "Edm.Boolean"),
            ("privacyUrl", "Edm.String"),
        ],
    ),
    (
        "operationApprovalPolicy",
        &[
            ("displayName", "Edm.String"),
            ("approverGroupIds", "Collection(Edm.String)"),
        ],
    ),
    (
        "windowsFeatureUpdateProfile",
        &[
            ("displayName", "Edm.String"),
            ("featureUpdateVersion", "Edm.String"),
            ("endOfSupportDate", "Edm.DateTimeOffset"),
        ],
    ),
    (
        "androidManagedStoreAccountEnterpriseSettings",
        &[
            ("bindStatus", "androidManagedStoreAccountBindStatus"),
            (
                "lastAppSyncStatus",
                "androidManagedStoreAccountAppSyncStatus",
            ),
            ("lastAppSyncDateTime", "Edm.DateTimeOffset"),
        ],
    ),
    (
        "dataProcessorServiceForWindowsFeaturesOnboarding",
        &[
            (
                "areDataProcessorServiceForWindowsFeaturesEnabled",
                "Edm.Boolean",
            ),
            ("hasValidWindowsLicense", "Edm.Boolean"),
        ],
    ),
];
