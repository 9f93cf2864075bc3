//! Applications, service principals and what they were granted.

use super::{graph_enum, wire};
use crate::snapshot::{Guid, Untrusted};

wire! {
    /// An application registration of this tenant.
    Application = "application" {
        id: Option<Guid>,
        app_id: Option<Guid>,
        display_name: Option<Untrusted>,
        disabled_by_microsoft_status: Option<Untrusted>,
        password_credentials: Option<Vec<PasswordCredential>>,
        key_credentials: Option<Vec<KeyCredential>>,
    }

    /// An application in this tenant, whoever wrote it.
    ServicePrincipal = "servicePrincipal" {
        id: Option<Guid>,
        app_id: Option<Guid>,
        display_name: Option<Untrusted>,
        service_principal_type: Option<Untrusted>,
        account_enabled: Option<bool>,
        app_owner_organization_id: Option<Guid>,
        disabled_by_microsoft_status: Option<Untrusted>,
        verified_publisher: Option<VerifiedPublisher>,
        password_credentials: Option<Vec<PasswordCredential>>,
        key_credentials: Option<Vec<KeyCredential>>,
    }

    /// A client secret; its text is never sent.
    PasswordCredential = "passwordCredential" {
        key_id: Option<Guid>,
        start_date_time: Option<jiff::Timestamp>,
        end_date_time: Option<jiff::Timestamp>,
    }

    /// A certificate; its key is not asked for.
    KeyCredential = "keyCredential" {
        key_id: Option<Guid>,
        start_date_time: Option<jiff::Timestamp>,
        end_date_time: Option<jiff::Timestamp>,
    }

    /// Whom Microsoft verified as the publisher.
    VerifiedPublisher = "verifiedPublisher" {
        verified_publisher_id: Option<Untrusted>,
    }

    /// An application permission that a resource offers.
    AppRole = "appRole" {
        id: Option<Guid>,
        value: Option<Untrusted>,
    }

    /// An application permission granted to a principal.
    AppRoleAssignment = "appRoleAssignment" {
        app_role_id: Option<Guid>,
        created_date_time: Option<jiff::Timestamp>,
        principal_id: Option<Guid>,
        principal_type: Option<Untrusted>,
        resource_id: Option<Guid>,
    }

    /// A delegated permission granted by one user or for all.
    OAuth2PermissionGrant = "oAuth2PermissionGrant" {
        client_id: Option<Guid>,
        consent_type: Option<ConsentType>,
        principal_id: Option<Guid>,
        resource_id: Option<Guid>,
        /// Names of permissions, separated by blanks.
        scope: Option<Untrusted>,
    }
}

graph_enum! {
    /// For one user or for everybody.
    ConsentType { Principal = "Principal", AllPrincipals = "AllPrincipals" }
}
