//! Applications, service principals and what they were granted.

use super::{DirectoryObject, SignInActivity, graph_enum, wire};
use crate::snapshot::{Guid, Untrusted};

wire! {
    /// An application registration of this tenant.
    Application = "application" {
        id: Option<Guid>,
        app_id: Option<Guid>,
        display_name: Option<Untrusted>,
        /// Who may sign in: `AzureADMyOrg`, `AzureADMultipleOrgs`, `AzureADandPersonalMicrosoftAccount`, `PersonalMicrosoftAccount`.
        sign_in_audience: Option<Untrusted>,
        disabled_by_microsoft_status: Option<Untrusted>,
        /// Null: not locked.
        service_principal_lock_configuration: Option<ServicePrincipalLockConfiguration>,
        web: Option<WebApplication>,
        spa: Option<SpaApplication>,
        public_client: Option<PublicClientApplication>,
        password_credentials: Option<Vec<PasswordCredential>>,
        key_credentials: Option<Vec<KeyCredential>>,
    }

    /// Where a web application has its answers sent.
    WebApplication = "webApplication" {
        redirect_uris: Option<Vec<Untrusted>>,
    }

    /// Where a single-page application has its answers sent.
    SpaApplication = "spaApplication" {
        redirect_uris: Option<Vec<Untrusted>>,
    }

    /// Where an application on a device has its answers sent.
    PublicClientApplication = "publicClientApplication" {
        redirect_uris: Option<Vec<Untrusted>>,
    }

    /// What of an application's service principals in other tenants cannot be changed there.
    ServicePrincipalLockConfiguration = "servicePrincipalLockConfiguration" {
        is_enabled: Option<bool>,
        all_properties: Option<bool>,
        credentials_with_usage_sign: Option<bool>,
        credentials_with_usage_verify: Option<bool>,
        token_encryption_key_id: Option<bool>,
    }

    /// A row of `/applications?$select=id&$expand=owners`: twenty owners at most, without a link to more.
    ApplicationWithOwners = "application" {
        id: Option<Guid>,
        owners: Option<Vec<DirectoryObject>>,
    }

    /// A token of somebody else's that an application takes for a credential.
    FederatedIdentityCredential = "federatedIdentityCredential" {
        id: Option<Untrusted>,
        name: Option<Untrusted>,
        issuer: Option<Untrusted>,
        /// Null where a flexible expression (beta) is used instead.
        subject: Option<Untrusted>,
        audiences: Option<Vec<Untrusted>>,
    }

    /// A row of `/applications/{id}?$select=…,onPremisesPublishing`, beta only.
    PublishedApplication = "application" {
        id: Option<Guid>,
        on_premises_publishing: Option<OnPremisesPublishing>,
    }

    /// How Application Proxy or Private Access publishes an application.
    OnPremisesPublishing = "onPremisesPublishing" {
        external_authentication_type: Option<ExternalAuthenticationType>,
        external_url: Option<Untrusted>,
        internal_url: Option<Untrusted>,
    }

    /// A part of the own network that a Private Access application opens.
    IpApplicationSegment = "ipApplicationSegment" {
        id: Option<Untrusted>,
        /// An address, a range, a name or a suffix; `destination_type` says which.
        destination_host: Option<Untrusted>,
        destination_type: Option<PrivateNetworkDestinationType>,
        /// Single ports (`445`) or ranges (`1-65535`).
        ports: Option<Vec<Untrusted>>,
        /// Comma separated: `tcp,udp`.
        protocol: Option<Untrusted>,
    }

    /// An application in this tenant, whoever wrote it.
    ServicePrincipal = "servicePrincipal" {
        id: Option<Guid>,
        app_id: Option<Guid>,
        display_name: Option<Untrusted>,
        service_principal_type: Option<Untrusted>,
        account_enabled: Option<bool>,
        app_owner_organization_id: Option<Guid>,
        app_role_assignment_required: Option<bool>,
        disabled_by_microsoft_status: Option<Untrusted>,
        verified_publisher: Option<VerifiedPublisher>,
        preferred_single_sign_on_mode: Option<Untrusted>,
        /// Thumbprint of the certificate that signs SAML answers, hexadecimal.
        preferred_token_signing_key_thumbprint: Option<Untrusted>,
        tags: Option<Vec<Untrusted>>,
        reply_urls: Option<Vec<Untrusted>>,
    }

    /// A row of `/servicePrincipals?$select=id,passwordCredentials,keyCredentials`.
    ServicePrincipalCredentials = "servicePrincipal" {
        id: Option<Guid>,
        password_credentials: Option<Vec<PasswordCredential>>,
        key_credentials: Option<Vec<KeyCredential>>,
    }

    /// A row of `/servicePrincipals?$select=id&$expand=owners`: twenty owners at most, without a link to more.
    ServicePrincipalWithOwners = "servicePrincipal" {
        id: Option<Guid>,
        owners: Option<Vec<DirectoryObject>>,
    }

    /// The identity of an AI agent, with those who answer for it; beta only.
    AgentIdentity = "agentIdentity" {
        id: Option<Guid>,
        display_name: Option<Untrusted>,
        account_enabled: Option<bool>,
        sponsors: Option<Vec<DirectoryObject>>,
    }

    /// When an application was last signed in to or with; one row per application, beta only.
    ServicePrincipalSignInActivity = "servicePrincipalSignInActivity" {
        app_id: Option<Guid>,
        last_sign_in_activity: Option<SignInActivity>,
    }

    /// A delegated permission that the tenant calls low, medium or high in its consequences.
    DelegatedPermissionClassification = "delegatedPermissionClassification" {
        id: Option<Untrusted>,
        classification: Option<PermissionClassificationType>,
        permission_name: Option<Untrusted>,
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
        /// `Verify`: to sign in with. `Sign`: to sign tokens with (SAML).
        usage: Option<Untrusted>,
        /// SHA-1 thumbprint, base64.
        custom_key_identifier: Option<Untrusted>,
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
    /// Who signs people in to a published application: Entra, or nobody before they reach it.
    ExternalAuthenticationType { Passthru = "passthru", AadPreAuthentication = "aadPreAuthentication" }
    /// What a segment's destination is.
    PrivateNetworkDestinationType { IpAddress = "ipAddress", IpRange = "ipRange", IpRangeCidr = "ipRangeCidr", Fqdn = "fqdn", DnsSuffix = "dnsSuffix", ServicePrincipalName = "servicePrincipalName" }
    /// How much harm a permission could do, by the tenant's own word.
    PermissionClassificationType { Low = "low", Medium = "medium", High = "high" }
}
