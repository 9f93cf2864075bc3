//! Sign-in with the credential of an application, for Microsoft Graph only.
//!
//! Promises: secrets and tokens appear in no `Debug`, `Display`, log line or error; text from Entra is reduced to its
//! AADSTS code and ids, and each code has a sentence of ours that says what to do. The
//! environment is handed in, never read. Must not know what the token is used for.

mod certificate;
mod cloud;
mod credential;
mod discover;
mod error;
mod refusal;
mod token;

pub use certificate::{Certificate, Thumbprints};
pub use cloud::{Cloud, Endpoints};
pub use credential::{AuthKind, Credential};
pub use discover::{Options, SignIn, discover};
pub use error::{AuthError, CertificateProblem};
pub use refusal::Refused;
pub use token::{AccessToken, AppTokens, Renewal, TokenId, TokenSource};
