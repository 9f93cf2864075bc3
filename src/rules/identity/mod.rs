//! Identity and access.

mod admin_accounts;
mod admin_consent_request_policy;
mod admins;
mod application_owners;
mod application_permissions;
mod authentication_transfer;
mod authorization_policy;
pub(in crate::rules) mod conditional_access;
mod conditional_access_exclusions;
mod conditional_access_policies;
mod device_code;
mod domains;
mod emergency_access;
mod emergency_lockout;
mod exclusions_uncovered;
mod legacy_authentication;
pub(in crate::rules) mod mfa;
mod mfa_guests;
mod mfa_phishing_resistant;
mod oauth2_permission_grants;
mod portals;
mod privileged_service_principals;
mod registration;
mod registration_details;
mod risk;
mod risk_blocked;
mod role_assignments;
mod security_defaults;
mod service_principal_credentials;
mod session;
mod stale_accounts;
mod untrusted_locations;

use super::Rule;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &stale_accounts::ACCOUNT_STALE,
    &registration_details::ADMINS_WITHOUT_MFA_METHOD,
    &registration_details::ADMINS_WITHOUT_PHISHING_RESISTANT_METHOD,
    &admin_accounts::ADMIN_ACCOUNT_GUEST,
    &admin_accounts::ADMIN_ACCOUNT_STALE,
    &admin_accounts::ADMIN_ACCOUNT_SYNCHRONISED,
    &admin_consent_request_policy::ADMIN_CONSENT_WORKFLOW_OFF,
    &portals::ADMIN_PORTALS_OPEN_TO_NON_ADMINS,
    &session::ADMIN_SESSION_UNLIMITED,
    &application_permissions::APPLICATION_BULK_DATA_PERMISSION,
    &application_owners::APPLICATION_TAKEOVER_OWNER,
    &application_permissions::APPLICATION_TENANT_TAKEOVER_PERMISSION,
    &authentication_transfer::AUTHENTICATION_TRANSFER_ALLOWED,
    &portals::AZURE_MANAGEMENT_WITHOUT_MFA,
    &conditional_access_exclusions::CONDITIONAL_ACCESS_EXCLUSION_LARGE,
    &exclusions_uncovered::CONDITIONAL_ACCESS_EXCLUSION_UNCOVERED,
    &conditional_access_policies::CONDITIONAL_ACCESS_POLICY_REPORT_ONLY,
    &conditional_access_policies::CONDITIONAL_ACCESS_UNUSED,
    &device_code::DEVICE_CODE_FLOW_ALLOWED,
    &risk_blocked::ELEVATED_INSIDER_RISK_ALLOWED,
    &emergency_lockout::EMERGENCY_ACCESS_ACCOUNT_LOCKED_OUT,
    &emergency_access::EMERGENCY_ACCESS_ACCOUNT_MISSING,
    &emergency_access::EMERGENCY_ACCESS_ACCOUNT_WITHOUT_STRONG_METHOD,
    &domains::FEDERATED_DOMAIN_UNDECLARED,
    &service_principal_credentials::FIRST_PARTY_SERVICE_PRINCIPAL_CREDENTIAL,
    &role_assignments::GLOBAL_ADMINISTRATORS_TOO_MANY,
    &session::GUEST_SESSION_UNLIMITED,
    &risk::IDENTITY_PROTECTION_UNUSED,
    &legacy_authentication::LEGACY_AUTHENTICATION_ALLOWED,
    &mfa::MFA_NOT_ENFORCED_FOR_ADMINS,
    &mfa::MFA_NOT_ENFORCED_FOR_ALL_USERS,
    &mfa_guests::MFA_NOT_ENFORCED_FOR_GUESTS,
    &session::PERSISTENT_BROWSER_ON_UNMANAGED_DEVICE,
    &mfa_phishing_resistant::PHISHING_RESISTANT_MFA_NOT_ENFORCED_FOR_ADMINS,
    &mfa_phishing_resistant::PHISHING_RESISTANT_MFA_NOT_ENFORCED_FOR_ALL_USERS,
    &role_assignments::PRIVILEGED_ROLE_PERMANENTLY_ACTIVE,
    &risk_blocked::RISKY_SIGN_IN_NOT_BLOCKED,
    &risk::RISKY_SIGN_IN_NOT_CHALLENGED,
    &risk::RISKY_USER_ACCESS_UNRESTRICTED,
    &risk_blocked::RISKY_USER_NOT_BLOCKED,
    &security_defaults::SECURITY_DEFAULTS_OFF,
    &registration::SECURITY_INFO_REGISTRATION_FROM_UNMANAGED_DEVICE,
    &registration::SECURITY_INFO_REGISTRATION_UNPROTECTED,
    &application_owners::SERVICE_PRINCIPAL_PRIVILEGED_ROLE_WITH_OWNER,
    &service_principal_credentials::SERVICE_PRINCIPAL_PRIVILEGED_ROLE_WITH_SECRET,
    &session::SIGN_IN_FREQUENCY_UNSET_FOR_ALL_USERS,
    &session::SIGN_IN_FREQUENCY_UNSET_ON_UNMANAGED_DEVICE,
    &session::TOKEN_PROTECTION_MISSING,
    &untrusted_locations::UNTRUSTED_LOCATION_ACCESS_ALLOWED,
    &authorization_policy::USERS_CAN_REGISTER_APPS,
    &registration_details::USERS_WITHOUT_MFA_METHOD,
    &oauth2_permission_grants::USER_CONSENTED_RISKY_GRANT,
    &authorization_policy::USER_CONSENT_UNRESTRICTED,
];
