//! What can go wrong before there is a token, and what to do about it.

use std::path::PathBuf;

use thiserror::Error as ThisError;

use super::azure_cli::CliProblem;
use super::credential::AuthKind;
use super::device_code::DeviceCodeProblem;
use super::platform::{PlatformProblem, Provider};
use super::refusal::Refused;
use crate::graph::http::{HttpError, NetworkProblem};
use crate::graph::printable;

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum AuthError {
    /// A platform whose endpoint for managed identities this program does not speak to.
    #[error("managed identity is not supported on {0}")]
    NotSupported(&'static str),
    /// Neither flag nor environment names a credential, and the machine offers none.
    #[error("no credential to sign in with was found")]
    NothingFound,
    /// The kind was chosen, but what it needs is absent.
    #[error("sign-in by {kind} was chosen, but there is no {what}")]
    NoCredential {
        /// The kind that was chosen.
        kind: AuthKind,
        /// What is absent.
        what: &'static str,
        /// Where it can be given.
        sources: &'static str,
    },
    /// Tenant or client id were not given.
    #[error("the {what} is missing")]
    Missing {
        /// `tenant` or `client id`.
        what: &'static str,
        /// The flag that gives it.
        flag: &'static str,
        /// The variable that gives it.
        variable: &'static str,
    },
    /// A value that cannot be right.
    #[error("the {what} \"{value}\" cannot be used: {reason}")]
    Invalid {
        /// What it should be.
        what: &'static str,
        /// The value, printable and cut.
        value: String,
        /// Why not.
        reason: &'static str,
    },
    /// Two flags that name different credentials.
    #[error("{first} and {second} cannot be used together")]
    Conflict {
        /// One flag.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A root URL that is not acceptable.
    #[error("{flag}: {problem}")]
    Endpoint {
        /// The flag.
        flag: &'static str,
        /// What is wrong with it.
        problem: HttpError,
    },
    /// The file with the client secret cannot be used.
    #[error("the client secret file {} {reason}", file.display())]
    SecretFile {
        /// The file.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The certificate cannot be used.
    #[error("the certificate file {} {problem}", file.display())]
    Certificate {
        /// The file.
        file: PathBuf,
        /// Why not.
        problem: CertificateProblem,
    },
    /// The file with the token of another issuer cannot be used.
    #[error("the federated token file {} {reason}", file.display())]
    TokenFile {
        /// The file.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The platform gave no token.
    #[error("could not get a token from {provider} at {host}: {problem}")]
    Platform {
        /// Who was asked.
        provider: Provider,
        /// Where.
        host: String,
        /// Why not.
        problem: PlatformProblem,
    },
    /// The Azure CLI gave no token.
    #[error("could not get a token from the Azure CLI (az): {0}")]
    AzureCli(CliProblem),
    /// No person signed in.
    #[error("nobody signed in with the device code: {0}")]
    DeviceCode(DeviceCodeProblem),
    /// A token came that is for another tenant than the one that was asked for.
    #[error("sign-in by {kind} gave a token for tenant {found}, not for {asked}")]
    OtherTenant {
        /// How the token was got.
        kind: AuthKind,
        /// Tenant as given, a GUID.
        asked: String,
        /// Tenant that the token names, a GUID.
        found: String,
    },
    /// A token came that cannot be sent.
    #[error("sign-in by {0} gave a token that cannot be sent")]
    Unusable(AuthKind),
    /// The crypto library could not sign.
    #[error("the assertion could not be signed with the certificate's key")]
    Signing,
    /// Entra refused the sign-in.
    #[error("{0}")]
    Refused(Box<Refused>),
    /// No answer from the sign-in service.
    #[error("could not sign in to tenant {tenant} at {host}: {problem}")]
    Network {
        /// Tenant as given.
        tenant: String,
        /// Host of the sign-in service.
        host: String,
        /// What happened.
        problem: NetworkProblem,
    },
    /// The sign-in service (or something in its place) answered, but not as it should.
    #[error(
        "could not sign in to tenant {tenant}: {host} answered with status {status} and {what}"
    )]
    NotEntra {
        /// Tenant as given.
        tenant: String,
        /// Host of the sign-in service.
        host: String,
        /// HTTP status.
        status: u16,
        /// What the answer was.
        what: &'static str,
    },
}

impl AuthError {
    pub(crate) fn invalid(what: &'static str, value: &str, reason: &'static str) -> Self {
        Self::Invalid {
            what,
            value: printable(value, 80),
            reason,
        }
    }

    /// What to do next.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::NotSupported(_) => {
                "sign in with a certificate, a client secret or federation instead"
            }
            Self::NothingFound => {
                "set one of: M365AUDIT_CLIENT_SECRET or AZURE_CLIENT_SECRET; --client-secret-file FILE; --certificate FILE or \
                 AZURE_CLIENT_CERTIFICATE_PATH (PEM or PKCS#12, password in M365AUDIT_CERTIFICATE_PASSWORD or \
                 AZURE_CLIENT_CERTIFICATE_PASSWORD); AZURE_FEDERATED_TOKEN_FILE. Also looked for and not found: the token endpoints of \
                 GitHub Actions and Azure DevOps, a managed identity of this machine, the Azure CLI (az) on PATH. A person can sign in \
                 with --auth device-code"
            }
            Self::NoCredential { sources, .. } => return Some(format!("set {sources}")),
            Self::Missing { flag, variable, .. } => {
                return Some(format!("give {flag}, or set {variable}"));
            }
            Self::Invalid { what: "tenant", .. } => {
                "give the tenant's id (a GUID, on the overview page of the Entra admin center) or one of its domains"
            }
            Self::Invalid {
                what: "client id", ..
            } => {
                "give the application (client) id of the app registration, a GUID; not the object id"
            }
            Self::Invalid { .. } => return None,
            Self::TokenFile { .. } => {
                "AZURE_FEDERATED_TOKEN_FILE must name a file that holds one token of the other issuer; its platform writes and renews it"
            }
            Self::Platform {
                provider, problem, ..
            } => provider.help(problem),
            Self::AzureCli(problem) => problem.help(),
            Self::DeviceCode(_) => {
                "run again and enter the code that is shown, or sign in with a certificate or a client secret"
            }
            Self::OtherTenant {
                kind: AuthKind::AzureCli,
                ..
            } => {
                "run `az login --tenant ID` for the tenant that is to be read, or leave out --tenant"
            }
            Self::OtherTenant { .. } => {
                "leave out --tenant (AZURE_TENANT_ID), or run where an identity of that tenant is"
            }
            Self::Unusable(_) => "run again; if it stays, something other than Microsoft answers",
            Self::Endpoint { flag, problem } if !flag.starts_with("--") => return problem.help(),
            Self::Conflict { .. } => "leave one of them out",
            Self::Endpoint { .. } => "give an address like https://graph.microsoft.com",
            Self::SecretFile { .. } => {
                "the file must hold the value of the client secret and nothing else"
            }
            Self::Certificate { problem, .. } => problem.help(),
            Self::Signing => {
                "create the certificate anew with a plain RSA key of at least 2048 bits"
            }
            Self::Refused(refused) => return Some(refused.help()),
            Self::Network { problem, .. } => problem.help(),
            Self::NotEntra { .. } => {
                "check --login-url and --cloud; a proxy or a captive portal may be answering instead of Entra"
            }
        };
        Some(help.to_owned())
    }

    /// The AADSTS number, when Entra gave one.
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::Refused(refused) => refused.code,
            _ => None,
        }
    }
}

/// Why a certificate file cannot be used; read after "the certificate file x".
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::ErrorKind),
    /// Neither PEM nor PKCS#12.
    #[error("is neither PEM nor PKCS#12, or it is damaged")]
    UnknownFormat,
    /// PEM with unreadable sections.
    #[error("holds a section that cannot be read")]
    Damaged,
    /// No private key.
    #[error("holds no private key")]
    NoKey,
    /// No certificate.
    #[error("holds no certificate")]
    NoCertificate,
    /// No key belongs to a certificate.
    #[error("holds a private key that does not belong to its certificate")]
    NoMatch,
    /// EC or another kind.
    #[error("holds a key that is not RSA")]
    NotRsa,
    /// Fewer than 2048 bits.
    #[error("holds an RSA key of {bits} bits, and Entra takes 2048 or more")]
    TooShort {
        /// Length of the modulus.
        bits: usize,
    },
    /// Encrypted, and no password was given.
    #[error("is protected by a password, and none was given")]
    PasswordNeeded,
    /// The password is wrong.
    #[error("cannot be opened with the password that was given")]
    WrongPassword,
    /// Encrypted in a way that is not supported.
    #[error("is encrypted in an old way that is not supported")]
    OldEncryption,
}

impl CertificateProblem {
    fn help(self) -> &'static str {
        match self {
            Self::Unreadable(_) => "check the path and the permissions of the file",
            Self::UnknownFormat => {
                "give a PEM file with certificate and private key, or a PKCS#12 (.pfx, .p12) file"
            }
            Self::Damaged => "export the certificate anew",
            Self::NoKey => {
                "put the private key into the same file: `cat certificate.pem key.pem > both.pem`, or export as PKCS#12 with the key"
            }
            Self::NoCertificate => {
                "put the certificate into the same file: `cat certificate.pem key.pem > both.pem`"
            }
            Self::NoMatch => "put the certificate that was made from this key into the file",
            Self::NotRsa | Self::TooShort { .. } => {
                "create a certificate with an RSA key: `openssl req -x509 -newkey rsa:3072 -nodes -keyout key.pem -out certificate.pem`"
            }
            Self::PasswordNeeded | Self::WrongPassword => {
                "set M365AUDIT_CERTIFICATE_PASSWORD or AZURE_CLIENT_CERTIFICATE_PASSWORD to the password of the file"
            }
            Self::OldEncryption => {
                "convert the key: `openssl pkcs8 -topk8 -v2 aes-256-cbc -in key.pem -out key8.pem`, or export the PKCS#12 file anew with AES"
            }
        }
    }
}
