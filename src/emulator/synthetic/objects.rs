//! Everything that is no account: devices, service principals and applications, groups, grants.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::names;
use super::row::{Of, Property, Row, boolean, guid, moment, properties, raw, text};

/// What the other GUID of a row is for.
const OTHER: u64 = 0xD0;

const SYSTEMS: &[&str] = &[
    "Windows", "Windows", "Windows", "IPhone", "Android", "MacMDM",
];

/// Properties of `device`.
pub(super) const DEVICE: &[Property] = properties! {
    "id" => |row, out| guid(out, row.id()),
    "deviceId" => |row, out| guid(out, row.device_id()),
    "displayName" => |row, out| text(out, &row.device_name()),
    "accountEnabled" => |row, out| boolean(out, row.chance(2, 960)),
    "operatingSystem" => |row, out| text(out, row.one_of(3, SYSTEMS)),
    "operatingSystemVersion" => |row, out| text(out, row.one_of(4, &["10.0.26100.6725", "10.0.22631.5", "18.6", "14"])),
    "approximateLastSignInDateTime" => |row, out| if row.chance(5, 20) { raw(out, "null") } else { row.ago(out, 6, 700) },
    "registrationDateTime" => |row, out| row.ago(out, 7, 2_000),
    "isCompliant" => |row, out| if row.chance(8, 300) { raw(out, "null") } else { boolean(out, row.chance(9, 850)) },
    "isManaged" => |row, out| if row.chance(8, 300) { raw(out, "null") } else { raw(out, "true") },
    "isRooted" => |_, out| raw(out, "null"),
    "trustType" => |row, out| text(out, row.one_of(10, &["AzureAd", "ServerAd", "Workplace"])),
    "profileType" => |_, out| raw(out, "\"RegisteredDevice\""),
    "deviceOwnership" => |row, out| text(out, row.one_of(11, &["Company", "Personal"])),
    "enrollmentType" => |_, out| raw(out, "null"),
    "managementType" => |row, out| if row.chance(8, 300) { raw(out, "null") } else { raw(out, "\"MDM\"") },
    "manufacturer" => |row, out| text(out, row.one_of(12, &["Dell", "LENOVO", "Apple", "samsung"])),
    "model" => |row, out| text(out, row.one_of(13, &["Latitude 5450", "21F8", "iPhone", "SM-A536B"])),
    "onPremisesSyncEnabled" => |row, out| raw(out, if row.chance(14, 300) { "true" } else { "null" }),
};

/// Properties of `managedDevice`.
pub(super) const MANAGED_DEVICE: &[Property] = properties! {
    "id" => |row, out| guid(out, row.id()),
    "azureADDeviceId" => |row, out| guid(out, row.device_id()),
    "deviceName" => |row, out| text(out, &row.device_name()),
    "managedDeviceOwnerType" => |row, out| text(out, row.one_of(11, &["company", "personal"])),
    "enrolledDateTime" => |row, out| row.ago(out, 7, 2_000),
    "lastSyncDateTime" => |row, out| row.ago(out, 6, 200),
    "operatingSystem" => |row, out| text(out, row.one_of(3, &["Windows", "iOS", "Android", "macOS"])),
    "osVersion" => |row, out| text(out, row.one_of(4, &["10.0.26100.6725", "18.6", "14"])),
    "complianceState" => |row, out| text(out, if row.chance(9, 880) { "compliant" } else { "noncompliant" }),
    "jailBroken" => |_, out| raw(out, "\"Unknown\""),
    "managementAgent" => |_, out| raw(out, "\"mdm\""),
    "isEncrypted" => |row, out| boolean(out, row.chance(15, 930)),
    "isSupervised" => |_, out| raw(out, "false"),
    "partnerReportedThreatState" => |_, out| raw(out, "\"unknown\""),
    "userPrincipalName" => |row, out| text(out, &row.any(Of::Users, 16, row.world.users).principal_name()),
    "userId" => |row, out| guid(out, row.any(Of::Users, 16, row.world.users).id()),
    "model" => |row, out| text(out, row.one_of(13, &["Latitude 5450", "21F8", "iPhone", "SM-A536B"])),
    "manufacturer" => |row, out| text(out, row.one_of(12, &["Dell", "LENOVO", "Apple", "samsung"])),
};

impl Row<'_> {
    /// `deviceId`, spread as evenly as the id and not in its order.
    pub(super) fn device_id(&self) -> Uuid {
        self.other_id(OTHER)
    }

    /// `appId`.
    pub(super) fn app_id(&self) -> Uuid {
        self.other_id(OTHER)
    }

    pub(super) fn device_name(&self) -> String {
        match self.below(17, 10) {
            0..6 => format!("DESKTOP-{:07X}", self.draw(18) & 0xFFF_FFFF),
            6..8 => format!("LAP-{:06}", self.index),
            8 => names::first().pick(self.draw(19)).1.to_owned() + "'s iPhone",
            _ => "Samsung Galaxy".to_owned(),
        }
    }

    /// Two words of a list: one name in five is shared by many, others carry a number.
    pub(super) fn thing_name(&self) -> String {
        let (_, subject) = names::subject().pick(self.draw(1));
        let (_, purpose) = names::purpose().pick(self.draw(2));
        match self.below(3, 5) {
            0 => format!("{subject} {purpose}"),
            1 => format!("{subject}-{:05}", self.below(4, 100_000)),
            _ => format!("{subject} {purpose} {:04}", self.below(4, 10_000)),
        }
    }

    const fn is_own(&self) -> bool {
        self.below(5, 100) < 40
    }
}

fn passwords(row: &Row<'_>, out: &mut Vec<u8>, per_thousand: u64) {
    if !row.chance(20, per_thousand) {
        return raw(out, "[]");
    }
    raw(
        out,
        r#"[{"customKeyIdentifier":null,"displayName":"secret","keyId":"#,
    );
    guid(out, row.other_id(21));
    raw(out, r#","hint":"abc","secretText":null,"startDateTime":"#);
    moment(out, row.world.now, -86_400 * span(row, 22, 700));
    raw(out, r#","endDateTime":"#);
    moment(out, row.world.now, 86_400 * (span(row, 23, 900) - 200));
    raw(out, "}]");
}

fn keys(row: &Row<'_>, out: &mut Vec<u8>, per_thousand: u64) {
    if !row.chance(24, per_thousand) {
        return raw(out, "[]");
    }
    raw(
        out,
        r#"[{"customKeyIdentifier":"nLC6/8Oa8vs5DVx6EPZCRItIEdk=","displayName":"CN=app","key":null,"type":"AsymmetricX509Cert","usage":"Verify","keyId":"#,
    );
    guid(out, row.other_id(25));
    raw(out, r#","startDateTime":"#);
    moment(out, row.world.now, -86_400 * span(row, 26, 700));
    raw(out, r#","endDateTime":"#);
    moment(out, row.world.now, 86_400 * (span(row, 27, 900) - 200));
    raw(out, "}]");
}

fn span(row: &Row<'_>, what: u64, days: u64) -> i64 {
    i64::try_from(row.below(what, days)).unwrap_or(0)
}

const NO_PUBLISHER: &str =
    r#"{"displayName":null,"verifiedPublisherId":null,"addedDateTime":null}"#;

/// Properties of `servicePrincipal`.
pub(super) const SERVICE_PRINCIPAL: &[Property] = properties! {
    "id" => |row, out| guid(out, row.id()),
    "appId" => |row, out| guid(out, row.app_id()),
    "displayName" => |row, out| text(out, &row.thing_name()),
    "servicePrincipalType" => |row, out| text(out, if row.chance(6, 120) { "ManagedIdentity" } else { "Application" }),
    "accountEnabled" => |row, out| boolean(out, row.chance(7, 970)),
    "appOwnerOrganizationId" => |row, out| if row.is_own() { text(out, &row.world.tenant_id) } else { guid(out, row.other_id(8)) },
    "appRoleAssignmentRequired" => |row, out| boolean(out, row.chance(9, 200)),
    "signInAudience" => |row, out| text(out, if row.is_own() { "AzureADMyOrg" } else { "AzureADMultipleOrgs" }),
    "disabledByMicrosoftStatus" => |_, out| raw(out, "null"),
    "verifiedPublisher" => |_, out| raw(out, NO_PUBLISHER),
    "passwordCredentials" => |row, out| passwords(row, out, 60),
    "keyCredentials" => |row, out| keys(row, out, 90),
    "replyUrls" => |_, out| raw(out, "[]"),
    "tags" => |_, out| raw(out, r#"["WindowsAzureActiveDirectoryIntegratedApp"]"#),
    "servicePrincipalNames" => |row, out| {
        raw(out, "[");
        guid(out, row.app_id());
        raw(out, "]");
    },
    "alternativeNames" => |_, out| raw(out, "[]"),
    "appRoles" => |_, out| raw(out, "[]"),
    "oauth2PermissionScopes" => |_, out| raw(out, "[]"),
    "preferredSingleSignOnMode" => |_, out| raw(out, "null"),
    "homepage" => |_, out| raw(out, "null"),
    "isDisabled" => |_, out| raw(out, "null"),
};

/// Properties of `application`.
pub(super) const APPLICATION: &[Property] = properties! {
    "id" => |row, out| guid(out, row.id()),
    "appId" => |row, out| guid(out, row.app_id()),
    "displayName" => |row, out| text(out, &row.thing_name()),
    "createdDateTime" => |row, out| row.ago(out, 10, 3_000),
    "signInAudience" => |row, out| text(out, row.one_of(11, &["AzureADMyOrg", "AzureADMyOrg", "AzureADMultipleOrgs"])),
    "publisherDomain" => |row, out| text(out, &row.world.domain),
    "identifierUris" => |_, out| raw(out, "[]"),
    "isFallbackPublicClient" => |_, out| raw(out, "null"),
    "disabledByMicrosoftStatus" => |_, out| raw(out, "null"),
    "tags" => |_, out| raw(out, "[]"),
    "passwordCredentials" => |row, out| passwords(row, out, 450),
    "keyCredentials" => |row, out| keys(row, out, 150),
    "requiredResourceAccess" => |_, out| raw(out, "[]"),
    "web" => |_, out| raw(out, r#"{"redirectUris":[],"implicitGrantSettings":{"enableIdTokenIssuance":false,"enableAccessTokenIssuance":false}}"#),
    "spa" => |_, out| raw(out, r#"{"redirectUris":[]}"#),
    "publicClient" => |_, out| raw(out, r#"{"redirectUris":[]}"#),
    "verifiedPublisher" => |_, out| raw(out, NO_PUBLISHER),
};

/// Properties of `group`.
pub(super) const GROUP: &[Property] = properties! {
    "id" => |row, out| guid(out, row.id()),
    "displayName" => |row, out| text(out, &row.thing_name()),
    "description" => |_, out| raw(out, "null"),
    "mail" => |row, out| if row.is_unified() { text(out, &format!("group{}@{}", row.index, row.world.domain)) } else { raw(out, "null") },
    "mailEnabled" => |row, out| boolean(out, row.is_unified()),
    "mailNickname" => |row, out| text(out, &format!("group{}", row.index)),
    "securityEnabled" => |row, out| boolean(out, !row.is_unified()),
    "groupTypes" => |row, out| raw(out, match (row.is_unified(), row.chance(7, 80)) {
        (true, true) => r#"["Unified","DynamicMembership"]"#,
        (true, false) => r#"["Unified"]"#,
        (false, true) => r#"["DynamicMembership"]"#,
        (false, false) => "[]",
    }),
    "visibility" => |row, out| if row.is_unified() { text(out, row.one_of(8, &["Private", "Public"])) } else { raw(out, "null") },
    "isAssignableToRole" => |_, out| raw(out, "null"),
    "membershipRule" => |row, out| raw(out, if row.chance(7, 80) { "\"user.department -eq \\\"Sales\\\"\"" } else { "null" }),
    "membershipRuleProcessingState" => |row, out| raw(out, if row.chance(7, 80) { "\"On\"" } else { "null" }),
    "onPremisesSyncEnabled" => |row, out| raw(out, if !row.is_unified() && row.chance(9, 500) { "true" } else { "null" }),
    "createdDateTime" => |row, out| row.ago(out, 10, 3_000),
    "renewedDateTime" => |row, out| row.ago(out, 10, 3_000),
    "expirationDateTime" => |_, out| raw(out, "null"),
    "resourceProvisioningOptions" => |row, out| raw(out, if row.is_unified() && row.chance(11, 700) { r#"["Team"]"# } else { "[]" }),
    "assignedLabels" => |_, out| raw(out, "[]"),
    "assignedLicenses" => |_, out| raw(out, "[]"),
    "classification" => |_, out| raw(out, "null"),
};

impl Row<'_> {
    const fn is_unified(&self) -> bool {
        self.chance(6, 350)
    }

    const fn is_for_all(&self) -> bool {
        self.index < self.world.for_all
    }

    /// Graph builds it from the three ids, so it is as opaque and as unique as they are.
    pub(super) fn grant_id(&self) -> String {
        let mut bytes = self.id().into_bytes().to_vec();
        bytes.extend_from_slice(self.other_id(OTHER).as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// Properties of `oAuth2PermissionGrant`.
pub(super) const GRANT: &[Property] = properties! {
    "id" => |row, out| text(out, &row.grant_id()),
    "clientId" => |row, out| guid(out, row.any(Of::ServicePrincipals, 1, row.world.service_principals).id()),
    "consentType" => |row, out| text(out, if row.is_for_all() { "AllPrincipals" } else { "Principal" }),
    "principalId" => |row, out| if row.is_for_all() { raw(out, "null") } else { guid(out, row.any(Of::Users, 2, row.world.users).id()) },
    "resourceId" => |row, out| match row.world.resources.len() {
        0 => guid(out, row.other_id(3)),
        many => {
            let at = usize::try_from(row.below(3, many as u64)).unwrap_or(0);
            text(out, row.world.resources.get(at).map_or("", String::as_str));
        }
    },
    "scope" => |row, out| text(out, row.one_of(4, &["User.Read", "openid profile email", "User.Read openid profile offline_access", "Mail.Read", "Files.Read.All"])),
};
