//! Kinds of sign-in, and what each needs to know.

use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;

use super::azure_cli::AzureCli;
use super::certificate::Certificate;
use super::device_code::DeviceCode;
use super::error::AuthError;
use super::federated::Federated;
use super::managed_identity::ManagedIdentity;

/// How to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthKind {
    /// Client secret of an application.
    Secret,
    /// Certificate of an application.
    Certificate,
    /// Token of another issuer (Kubernetes, GitHub Actions, Azure DevOps).
    Federated,
    /// Managed identity of an Azure resource.
    ManagedIdentity,
    /// Whoever the Azure CLI is signed in as.
    AzureCli,
    /// A person, by a code typed into a browser.
    DeviceCode,
}

impl AuthKind {
    /// All kinds, in the order in which they are looked for.
    pub const ALL: [Self; 6] = [
        Self::Secret,
        Self::Certificate,
        Self::Federated,
        Self::ManagedIdentity,
        Self::AzureCli,
        Self::DeviceCode,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Certificate => "certificate",
            Self::Federated => "federated",
            Self::ManagedIdentity => "managed-identity",
            Self::AzureCli => "azure-cli",
            Self::DeviceCode => "device-code",
        }
    }
}

impl fmt::Display for AuthKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for AuthKind {
    type Err = AuthError;

    fn from_str(text: &str) -> Result<Self, AuthError> {
        let known = "it is none of secret, certificate, federated, managed-identity, azure-cli, device-code";
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| AuthError::invalid("kind of sign-in", text, known))
    }
}

/// Who signs in, and with what.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// An application, by itself.
    Application(Application),
    /// The identity of the Azure machine or service that this runs on.
    ManagedIdentity(ManagedIdentity),
    /// Whoever the Azure CLI is signed in as.
    AzureCli(AzureCli),
    /// A person, in a browser.
    DeviceCode(DeviceCode),
}

/// An application and its proof.
#[derive(Debug, Clone)]
pub struct Application {
    /// The tenant: a GUID in lower case or a domain.
    pub tenant: String,
    /// The application (client) id: a GUID in lower case.
    pub client_id: String,
    /// What proves that we are the application.
    pub credential: Credential,
}

impl SignIn {
    /// An application; tenant and client id are checked, see [`AuthError::Invalid`].
    pub fn new(tenant: &str, client_id: &str, credential: Credential) -> Result<Self, AuthError> {
        Ok(Self::Application(Application {
            tenant: check_tenant(tenant)?,
            client_id: check_client_id(client_id)?,
            credential,
        }))
    }

    /// Which kind it is.
    pub fn kind(&self) -> AuthKind {
        match self {
            Self::Application(application) => application.credential.kind(),
            Self::ManagedIdentity(_) => AuthKind::ManagedIdentity,
            Self::AzureCli(_) => AuthKind::AzureCli,
            Self::DeviceCode(_) => AuthKind::DeviceCode,
        }
    }

    /// The application (client) id, where it was given; others know it from their token.
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::Application(application) => Some(&application.client_id),
            Self::DeviceCode(person) => Some(&person.client_id),
            Self::ManagedIdentity(_) | Self::AzureCli(_) => None,
        }
    }

    /// The tenant as it was given, a GUID or a domain; a managed identity and the Azure CLI know their own.
    pub fn tenant(&self) -> Option<&str> {
        match self {
            Self::Application(application) => Some(&application.tenant),
            Self::ManagedIdentity(identity) => identity.tenant.as_deref(),
            Self::AzureCli(cli) => cli.tenant.as_deref(),
            Self::DeviceCode(person) => Some(&person.tenant),
        }
    }
}

/// What proves that we are the application.
#[derive(Clone)]
pub enum Credential {
    /// A client secret (its value, not its id).
    Secret(SecretString),
    /// A certificate with its private key.
    Certificate(Certificate),
    /// The token of another issuer, fetched when it is needed.
    Federated(Federated),
}

impl Credential {
    /// Which kind it is.
    pub fn kind(&self) -> AuthKind {
        match self {
            Self::Secret(_) => AuthKind::Secret,
            Self::Certificate(_) => AuthKind::Certificate,
            Self::Federated(_) => AuthKind::Federated,
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(_) => f.debug_struct("Secret").finish_non_exhaustive(),
            Self::Certificate(certificate) => certificate.fmt(f),
            Self::Federated(federated) => federated.fmt(f),
        }
    }
}

pub(super) fn check_tenant(text: &str) -> Result<String, AuthError> {
    let tenant = text.trim().to_ascii_lowercase();
    let invalid = |reason| Err(AuthError::invalid("tenant", text, reason));
    if matches!(tenant.as_str(), "common" | "organizations" | "consumers") {
        return invalid("sign-in is to one tenant, so its id or domain is needed");
    }
    if let Some(guid) = guid(&tenant) {
        return Ok(guid);
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if tenant.len() <= 253 && tenant.contains('.') && tenant.split('.').all(is_label) {
        Ok(tenant)
    } else {
        invalid("it is neither a GUID nor a domain")
    }
}

pub(super) fn check_client_id(text: &str) -> Result<String, AuthError> {
    guid(text.trim()).ok_or_else(|| AuthError::invalid("client id", text, "it is not a GUID"))
}

/// A GUID in its usual form with hyphens, in lower case.
pub(super) fn guid(text: &str) -> Option<String> {
    let hyphenated = text.len() == 36;
    uuid::Uuid::try_parse(text)
        .ok()
        .filter(|_| hyphenated)
        .map(|id| id.to_string())
}
