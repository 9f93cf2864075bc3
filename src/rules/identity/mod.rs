//! Identity and access.

mod admin_accounts;
mod admin_consent_request_policy;
mod admins;
mod application_owners;
mod application_permissions;
mod authorization_policy;
mod domains;
mod emergency_access;
mod oauth2_permission_grants;
mod privileged_service_principals;
mod registration_details;
mod role_assignments;
mod service_principal_credentials;
mod stale_accounts;

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
    &application_permissions::APPLICATION_BULK_DATA_PERMISSION,
    &application_owners::APPLICATION_TAKEOVER_OWNER,
    &application_permissions::APPLICATION_TENANT_TAKEOVER_PERMISSION,
    &emergency_access::EMERGENCY_ACCESS_ACCOUNT_MISSING,
    &emergency_access::EMERGENCY_ACCESS_ACCOUNT_WITHOUT_STRONG_METHOD,
    &domains::FEDERATED_DOMAIN_UNDECLARED,
    &service_principal_credentials::FIRST_PARTY_SERVICE_PRINCIPAL_CREDENTIAL,
    &role_assignments::GLOBAL_ADMINISTRATORS_TOO_MANY,
    &role_assignments::PRIVILEGED_ROLE_PERMANENTLY_ACTIVE,
    &application_owners::SERVICE_PRINCIPAL_PRIVILEGED_ROLE_WITH_OWNER,
    &service_principal_credentials::SERVICE_PRINCIPAL_PRIVILEGED_ROLE_WITH_SECRET,
    &authorization_policy::USERS_CAN_REGISTER_APPS,
    &registration_details::USERS_WITHOUT_MFA_METHOD,
    &oauth2_permission_grants::USER_CONSENTED_RISKY_GRANT,
    &authorization_policy::USER_CONSENT_UNRESTRICTED,
];
