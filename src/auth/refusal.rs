//! Entra's refusals: each AADSTS code in our own words.
//!
//! Promises that nothing of Entra's text is shown but the code and two ids that are GUIDs: the text can hold
//! names that anybody in the tenant chose. What a federated token presented is read from the token itself. Source of the codes:
//! <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

use std::fmt;

use serde::Deserialize;

use super::certificate::Thumbprints;
use super::claims;
use crate::graph::printable;

/// What has changed on GitHub's side; a federated credential that fitted for years can stop to fit.
const GITHUB_SUBJECT: &str = "; since 15 July 2026 GitHub puts ids into the subject of repositories that were created, renamed or \
     transferred (repo:OWNER@ID/NAME@ID:…), and the federated credential must say the same";

/// A sign-in that Entra refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// AADSTS number; `None` when the answer had none.
    pub code: Option<u32>,
    /// HTTP status (400 or 401, without meaning of its own).
    pub status: u16,
    /// Tenant as given.
    pub tenant: String,
    /// Client id as given.
    pub client_id: String,
    /// Entra's id of the request, a GUID.
    pub trace_id: Option<String>,
    /// Entra's id of the conversation, a GUID.
    pub correlation_id: Option<String>,
    /// Of the certificate that signed, when one did.
    pub thumbprints: Option<Thumbprints>,
    /// What the token of another issuer said, when one was shown.
    pub presented: Option<Presented>,
}

/// What a federated credential is compared with: the claims of the token of another issuer, printable and cut. None is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `aud`; several, one after the other.
    pub audience: String,
}

impl Presented {
    /// Reads them out of a token; `None`: it cannot be read.
    pub(crate) fn of(token: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Claims {
            #[serde(default)]
            iss: String,
            #[serde(default)]
            sub: String,
            #[serde(default)]
            aud: Audience,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Audience {
            One(String),
            Many(Vec<String>),
        }
        impl Default for Audience {
            fn default() -> Self {
                Self::One(String::new())
            }
        }
        let claims: Claims = serde_json::from_slice(&claims::payload(token)?).ok()?;
        let audience = match claims.aud {
            Audience::One(audience) => audience,
            Audience::Many(audiences) => audiences.join(" "),
        };
        Some(Self {
            issuer: printable(&claims.iss, 200),
            subject: printable(&claims.sub, 200),
            audience: printable(&audience, 200),
        })
    }

    /// GitHub's own issuers, of github.com and of an enterprise on it.
    fn is_of_github(&self) -> bool {
        self.issuer
            .starts_with("https://token.actions.githubusercontent.com")
    }
}

/// Entra's error body, as far as it is read.
#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_codes: Vec<u32>,
    #[serde(default)]
    error_description: String,
    #[serde(default)]
    trace_id: String,
    #[serde(default)]
    correlation_id: String,
}

impl Refused {
    /// Reads Entra's error body; `None` when it is none.
    pub(crate) fn read(status: u16, body: &[u8], tenant: &str, client_id: &str) -> Option<Self> {
        let wire: Wire = serde_json::from_slice(body).ok()?;
        if wire.error.is_empty() && wire.error_codes.is_empty() {
            return None;
        }
        let guid = |text: &str| uuid::Uuid::try_parse(text).ok().map(|id| id.to_string());
        Some(Self {
            code: wire
                .error_codes
                .first()
                .copied()
                .or_else(|| code_in(&wire.error_description)),
            status,
            tenant: tenant.to_owned(),
            client_id: client_id.to_owned(),
            trace_id: guid(&wire.trace_id),
            correlation_id: guid(&wire.correlation_id),
            thumbprints: None,
            presented: None,
        })
    }

    /// What to do next; never empty.
    pub fn help(&self) -> String {
        let (_, help) = self.words();
        match (&self.thumbprints, self.code) {
            (Some(prints), Some(700_027)) => {
                format!(
                    "{help}; this certificate has thumbprint {} (SHA-256 {})",
                    prints.sha1, prints.sha256
                )
            }
            _ => match &self.presented {
                Some(presented) if self.is_about_the_assertion() => {
                    let Presented {
                        issuer,
                        subject,
                        audience,
                    } = presented;
                    let github = if self.code == Some(700_213) && presented.is_of_github() {
                        GITHUB_SUBJECT
                    } else {
                        ""
                    };
                    format!(
                        "{help}; presented were issuer \"{issuer}\", subject \"{subject}\", audience \"{audience}\"{github}"
                    )
                }
                _ => help.to_owned(),
            },
        }
    }

    /// Whether Entra disliked what the token of another issuer said.
    fn is_about_the_assertion(&self) -> bool {
        let codes = [
            700_211, 700_212, 700_213, 70_021, 700_238, 7_002_131, 700_021, 700_022, 700_023,
        ];
        self.code.is_some_and(|code| codes.contains(&code))
    }

    /// What happened, and what to do.
    fn words(&self) -> (&'static str, &'static str) {
        const CLOCK: &str = "set the clock of this machine (a few minutes are enough to be refused), then run again";
        const ASSERTION: &str =
            "check --login-url, --cloud and the client id; the assertion names them";
        const FEDERATED: &str = "compare issuer, subject and audience of the federated credential with the presented token, letter by letter";
        const PERSON: &str =
            "sign in with a client secret or a certificate of an application instead of a person";
        match self.code {
            Some(7_000_215) => (
                "the client secret is wrong",
                "use the secret's value, not its id, and check that it belongs to this application; if the value is lost, create a new secret",
            ),
            Some(7_000_222) => (
                "the client secret has expired",
                "create a new client secret, or better a certificate, under Certificates & secrets of the app registration",
            ),
            Some(700_016) => (
                "the application is not known in this tenant",
                "check tenant and client id; if both are right, grant admin consent in this tenant first",
            ),
            Some(7_000_229) => (
                "the application has no service principal in this tenant",
                "grant admin consent for the application in this tenant first",
            ),
            Some(7_000_112) => (
                "the application is disabled",
                "enable sign-in under Enterprise applications > Properties of this application",
            ),
            Some(90_002) => (
                "the tenant was not found",
                "check the spelling of the tenant; a tenant of a national cloud needs --cloud usgov, dod or china",
            ),
            Some(900_023) => (
                "the tenant is neither a GUID nor a domain",
                "give the tenant's id or one of its verified domains with --tenant",
            ),
            Some(700_027) => (
                "the certificate is not registered on the application, has expired, or its signature was not accepted",
                "upload the certificate under Certificates & secrets of the app registration, or use the one that is registered there",
            ),
            Some(700_024) if self.presented.is_some() => (
                "the token of the other issuer is outside its time range",
                "check that the token file is renewed by its platform, and set the clock of this machine",
            ),
            Some(700_024) => ("the assertion is outside its time range", CLOCK),
            Some(700_023) => ("the assertion has the wrong audience", ASSERTION),
            Some(700_021) => (
                "the assertion has the wrong issuer or names another application",
                ASSERTION,
            ),
            Some(700_022) => ("the assertion has the wrong subject", ASSERTION),
            Some(50_027) => (
                "the assertion is malformed",
                "use a certificate with a plain RSA key; if it stays, report it with the trace id",
            ),
            Some(700_211) => ("no federated credential has this issuer", FEDERATED),
            Some(700_212) => ("no federated credential has this audience", FEDERATED),
            Some(700_213) => ("no federated credential has this subject", FEDERATED),
            Some(70_021) => (
                "no federated credential matches the presented token",
                "compare issuer, subject and audience; a new federated credential needs some seconds to take effect",
            ),
            Some(700_238 | 7_002_131) => (
                "the expression of the flexible federated credential does not match",
                FEDERATED,
            ),
            Some(70_011 | 1_002_012) => (
                "the scope was not accepted",
                "check --graph-url: it must be the Graph root of the tenant's cloud, since the scope is made from it",
            ),
            Some(500_011) => (
                "Graph is not known in this tenant under this root",
                "check --cloud and --graph-url: each cloud has a Graph root of its own",
            ),
            Some(53_003) => (
                "a Conditional Access policy blocks the sign-in",
                "for an application: exclude it from the policy for workload identities, or run from a network that the policy allows; for a person \
                 with a device code: many tenants block that flow, so sign in with a certificate or a client secret",
            ),
            Some(530_035) => (
                "security defaults block the sign-in",
                "sign in with an application's secret or certificate, which security defaults do not block",
            ),
            Some(530_036) => ("a policy blocks the device code flow", PERSON),
            Some(65_001) => (
                "nobody has consented to the application",
                "grant admin consent under API permissions of the app registration",
            ),
            Some(7_000_218) => (
                "the request had no credential, or the application does not allow public client flows",
                "set a client secret or a certificate; for device code, switch on \"Allow public client flows\" under Authentication of the app registration",
            ),
            Some(70_016) => ("the device code has not been used yet", PERSON),
            Some(70_020) => ("the device code has expired", PERSON),
            Some(70_018) => ("the device code is wrong", PERSON),
            Some(700_082 | 50_173 | 70_043) => (
                "the person's sign-in is not good any more",
                "sign in again; a run that takes longer than the tenant lets a sign-in last needs a certificate or a client secret",
            ),
            Some(50_076 | 50_079 | 50_158) => ("a second factor is needed", PERSON),
            Some(50_196) => (
                "too many sign-ins in a short time",
                "wait some minutes, and stop whatever else signs in with this application in a loop",
            ),
            Some(_) | None => (
                "the reason is in the code",
                "look the code up at https://login.microsoftonline.com/error, or give the trace id to Microsoft's support",
            ),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tenant,
            client_id,
            status,
            ..
        } = self;
        write!(
            f,
            "could not sign in to tenant {tenant} as application {client_id}: "
        )?;
        match self.code {
            Some(code) => write!(f, "{} (AADSTS{code})", self.words().0)?,
            None => write!(f, "Entra refused with status {status} and no code")?,
        }
        if let Some(id) = &self.trace_id {
            write!(f, " [trace id {id}]")?;
        }
        if let Some(id) = &self.correlation_id {
            write!(f, " [correlation id {id}]")?;
        }
        Ok(())
    }
}

/// The number after `AADSTS` at the beginning of the description.
fn code_in(description: &str) -> Option<u32> {
    let digits: String = description
        .strip_prefix("AADSTS")?
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}
