//! Sign-in for Microsoft Graph only: as an application, as the identity of a machine, or as a person.
//!
//! Promises: secrets and tokens appear in no `Debug`, `Display`, log line or error; text from Entra is reduced to its
//! AADSTS code and ids, and each code has a sentence of ours that says what to do. The
//! environment is handed in, never read. Must not know what the token is used for.

mod application;
mod azure_cli;
mod certificate;
mod claims;
mod cloud;
mod credential;
mod device_code;
mod discover;
mod entra;
mod error;
mod federated;
mod grant;
mod managed_identity;
mod metadata;
mod platform;
mod refusal;
mod token;

pub use azure_cli::{AzureCli, CliProblem, SCOPES as AZURE_CLI_SCOPES};
pub use certificate::{Certificate, Thumbprints};
pub use claims::Claims;
pub use cloud::{Cloud, Endpoints};
pub use credential::{Application, AuthKind, Credential, SignIn};
pub use device_code::{BEYOND_ROLE, DeviceCode, DeviceCodeProblem, Prompt, ROLE};
pub use discover::{Options, discover, sign_in};
pub use error::{AuthError, CertificateProblem};
pub use federated::Federated;
pub use managed_identity::{ManagedIdentity, Platform, UserAssigned};
pub use metadata::Metadata;
pub use platform::{PlatformProblem, Provider};
pub use refusal::{Presented, Refused};
pub use token::{AccessToken, Renewal, TokenId, TokenSource, Tokens};
