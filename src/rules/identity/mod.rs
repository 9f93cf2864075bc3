//! Identity and access.

mod admin_consent_request_policy;
mod application_owners;
mod application_permissions;
mod authorization_policy;
mod oauth2_permission_grants;
mod privileged_service_principals;
mod service_principal_credentials;
mod stale_accounts;

use super::Rule;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &stale_accounts::ACCOUNT_STALE,
    &admin_consent_request_policy::ADMIN_CONSENT_WORKFLOW_OFF,
    &application_permissions::APPLICATION_BULK_DATA_PERMISSION,
    &application_owners::APPLICATION_TAKEOVER_OWNER,
    &application_permissions::APPLICATION_TENANT_TAKEOVER_PERMISSION,
    &service_principal_credentials::FIRST_PARTY_SERVICE_PRINCIPAL_CREDENTIAL,
    &application_owners::SERVICE_PRINCIPAL_PRIVILEGED_ROLE_WITH_OWNER,
    &service_principal_credentials::SERVICE_PRINCIPAL_PRIVILEGED_ROLE_WITH_SECRET,
    &authorization_policy::USER_CONSENT_UNRESTRICTED,
    &oauth2_permission_grants::USER_CONSENTED_RISKY_GRANT,
    &authorization_policy::USERS_CAN_REGISTER_APPS,
];
