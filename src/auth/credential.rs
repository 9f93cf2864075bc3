//! Kinds of credential, and the two that this version signs in with.

use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;

use super::certificate::Certificate;
use super::error::AuthError;

/// How to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthKind {
    /// Client secret of an application.
    Secret,
    /// Certificate of an application.
    Certificate,
    /// Token of another issuer (Kubernetes, GitHub Actions).
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

/// What proves that we are the application.
#[derive(Clone)]
pub enum Credential {
    /// A client secret (its value, not its id).
    Secret(SecretString),
    /// A certificate with its private key.
    Certificate(Certificate),
}

impl Credential {
    /// Which kind it is.
    pub fn kind(&self) -> AuthKind {
        match self {
            Self::Secret(_) => AuthKind::Secret,
            Self::Certificate(_) => AuthKind::Certificate,
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(_) => f.debug_struct("Secret").finish_non_exhaustive(),
            Self::Certificate(certificate) => certificate.fmt(f),
        }
    }
}
