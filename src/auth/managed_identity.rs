//! Managed identity: the token that the Azure machine or service gives to whoever runs on it.
//!
//! Promises that the platform's endpoint is asked directly (no proxy, no redirect), and that an Azure Arc agent can name no file
//! but a key of its own. Sources: <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>,
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity>,
//! <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, HeaderMap, WWW_AUTHENTICATE};
use secrecy::SecretString;
use serde::Deserialize;

use super::cloud::Endpoints;
use super::credential::{check_tenant, guid};
use super::discover::Env;
use super::error::AuthError;
use super::grant::{Failure, Granted, Seconds, lifetime};
use super::platform::{Answer, PROBE, PlatformProblem, Provider, Service, hidden};
use crate::graph::Clock;
use crate::graph::http::{self, Url};

/// The metadata service of an Azure machine; the address does not leave its host.
const METADATA: &str = "http://169.254.169.254";
/// Where it stands in for a cluster.
const METADATA_HOST: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
/// Tries when the metadata service says 404, 429 or 5xx: with the back-off of 1, 2, 4, 8 s at most about half a minute.
const TRIES: u32 = 6;
/// 410: the metadata service is being updated, which takes up to 70 seconds.
const UPDATE: (Duration, u32) = (Duration::from_secs(10), 8);
/// The key of an Azure Arc agent is some hundred bytes.
const KEY: u64 = 4096;

/// The identity of where this runs.
#[derive(Debug, Clone)]
pub struct ManagedIdentity {
    /// The tenant that is expected, if one was given: a GUID in lower case or a domain. The identity knows its own.
    pub tenant: Option<String>,
    /// Which of the identities; `None`: the system-assigned one.
    pub assigned: Option<UserAssigned>,
    /// Who is asked.
    pub platform: Platform,
}

/// A user-assigned identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserAssigned {
    /// By its client id, a GUID in lower case.
    ClientId(String),
    /// By its resource id, `/subscriptions/…/userAssignedIdentities/…`.
    ResourceId(String),
}

/// Who hands out the token.
#[derive(Clone)]
pub enum Platform {
    /// App Service, Functions, Container Apps, Automation.
    AppService {
        /// `IDENTITY_ENDPOINT`.
        endpoint: Url,
        /// `IDENTITY_HEADER`.
        header: SecretString,
    },
    /// A machine elsewhere with the Azure Arc agent.
    Arc {
        /// `IDENTITY_ENDPOINT`.
        endpoint: Url,
        /// The folder in which the agent puts its keys.
        keys: PathBuf,
    },
    /// The metadata service of an Azure machine.
    InstanceMetadata {
        /// Its root: `http://169.254.169.254`, or `AZURE_POD_IDENTITY_AUTHORITY_HOST`.
        root: Url,
    },
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = match self {
            Self::AppService { .. } => f.debug_struct("AppService"),
            Self::Arc { .. } => f.debug_struct("Arc"),
            Self::InstanceMetadata { .. } => f.debug_struct("InstanceMetadata"),
        };
        shown.finish_non_exhaustive()
    }
}

/// The answer of all of them; numbers come as texts.
#[derive(Deserialize)]
struct Wire {
    access_token: SecretString,
    expires_on: Option<Seconds>,
    expires_in: Option<Seconds>,
}

impl UserAssigned {
    /// A client id (a GUID) or a resource id.
    pub fn parse(text: &str) -> Result<Self, AuthError> {
        let text = text.trim();
        if let Some(client_id) = guid(text) {
            return Ok(Self::ClientId(client_id));
        }
        let is_resource = text.to_ascii_lowercase().starts_with("/subscriptions/")
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_resource {
            Ok(Self::ResourceId(text.to_owned()))
        } else {
            Err(AuthError::invalid(
                "client id",
                text,
                "it is neither a GUID nor the resource id of a user-assigned identity",
            ))
        }
    }
}

impl Platform {
    /// What the environment names; `None`: nothing, so that only the metadata service is left.
    ///
    /// [`AuthError::NotSupported`]: a platform whose endpoint this program does not speak to.
    pub(super) fn find(env: Env<'_>) -> Result<Option<Self>, AuthError> {
        let Some(endpoint) = env.get("IDENTITY_ENDPOINT") else {
            return Ok(None);
        };
        let header = env.get("IDENTITY_HEADER");
        if header.is_some() && env.get("IDENTITY_SERVER_THUMBPRINT").is_some() {
            return Err(AuthError::NotSupported(
                "Service Fabric (its endpoint is known by a thumbprint only, IDENTITY_SERVER_THUMBPRINT)",
            ));
        }
        let endpoint = http::platform_address(endpoint).map_err(|problem| AuthError::Endpoint {
            flag: "IDENTITY_ENDPOINT",
            problem,
        })?;
        Ok(match header {
            Some(header) => Some(Self::AppService {
                endpoint,
                header: header.into(),
            }),
            None => env.get("IMDS_ENDPOINT").map(|_| Self::Arc {
                endpoint,
                keys: keys(env),
            }),
        })
    }

    /// The metadata service, at the address that the environment names or at its own.
    pub(super) fn metadata(env: Env<'_>) -> Result<Self, AuthError> {
        let root = env.get(METADATA_HOST).unwrap_or(METADATA);
        let root = http::platform_address(root).map_err(|problem| AuthError::Endpoint {
            flag: METADATA_HOST,
            problem,
        })?;
        Ok(Self::InstanceMetadata { root })
    }
}

/// Where the agent of Azure Arc keeps its keys.
fn keys(env: Env<'_>) -> PathBuf {
    if cfg!(windows) {
        let data = env.get("ProgramData").unwrap_or(r"C:\ProgramData");
        [data, "AzureConnectedMachineAgent", "Tokens"]
            .iter()
            .collect()
    } else {
        PathBuf::from("/var/opt/azcmagent/tokens")
    }
}

impl ManagedIdentity {
    /// An identity of this platform; `tenant` and `assigned` as they were given.
    pub(super) fn new(
        platform: Platform,
        tenant: Option<&str>,
        assigned: Option<&str>,
    ) -> Result<Self, AuthError> {
        Ok(Self {
            tenant: tenant.map(check_tenant).transpose()?,
            assigned: assigned.map(UserAssigned::parse).transpose()?,
            platform,
        })
    }

    /// Whether the metadata service answers here; known after a second. What is configured is not asked.
    pub(super) async fn is_here(&self, clock: &Arc<dyn Clock>) -> bool {
        let Platform::InstanceMetadata { root } = &self.platform else {
            return true;
        };
        let service = Service::new(Provider::InstanceMetadata, root, clock.as_ref());
        let Ok(client) = service.client() else {
            return false;
        };
        // Without its header, Azure's service answers 400; other clouds, which use the same address, do not know the path.
        let request = client.get(metadata_url(root)).timeout(PROBE);
        matches!(service.send(request).await, Ok(answer) if answer.status == 400)
    }
}

/// Asks once.
pub(super) async fn ask(
    identity: &ManagedIdentity,
    endpoints: &Endpoints,
    clock: &Arc<dyn Clock>,
) -> Result<Granted, Failure> {
    let clock = clock.as_ref();
    let resource = endpoints.resource();
    let started = clock.now();
    let (provider, address) = match &identity.platform {
        Platform::AppService { endpoint, .. } => (Provider::AppService, endpoint),
        Platform::Arc { endpoint, .. } => (Provider::Arc, endpoint),
        Platform::InstanceMetadata { root } => (Provider::InstanceMetadata, root),
    };
    let service = Service::new(provider, address, clock);
    let client = service.client()?;
    let answer = match &identity.platform {
        Platform::AppService { endpoint, header } => {
            let names = ("client_id", "mi_res_id");
            let url = asked(endpoint.clone(), "2019-08-01", resource, identity, names);
            let header =
                hidden("", header).ok_or_else(|| service.lasting(PlatformProblem::NoToken))?;
            let request = client.get(url).header("X-IDENTITY-HEADER", header);
            let answer = service.send(request).await?;
            let gone = matches!(answer.status, 400 | 404) && identity.assigned.is_some();
            if gone || answer.says("identity not found") {
                return Err(service.lasting(PlatformProblem::NoIdentity));
            }
            answer
        }
        Platform::InstanceMetadata { root } => {
            let names = ("client_id", "msi_res_id");
            let url = asked(metadata_url(root), "2018-02-01", resource, identity, names);
            let answer = service.send(with_metadata(client.get(url))).await?;
            patient(&service, answer)?
        }
        Platform::Arc { endpoint, keys } => {
            if identity.assigned.is_some() {
                // The agent knows the identity of its machine only, and would answer for that.
                return Err(service.lasting(PlatformProblem::NoIdentity));
            }
            let names = ("client_id", "msi_res_id");
            let url = asked(endpoint.clone(), "2020-06-01", resource, identity, names);
            let challenge = service.send(with_metadata(client.get(url.clone()))).await?;
            if challenge.status == 401 {
                let problem = |what| service.lasting(PlatformProblem::Challenge(what));
                let key = key(&challenge.headers, keys).map_err(problem)?;
                let proof = hidden("Basic ", &key).ok_or_else(|| problem("has no usable key"))?;
                let request = with_metadata(client.get(url)).header(AUTHORIZATION, proof);
                service.send(request).await?
            } else {
                challenge
            }
        }
    };
    let wire: Wire = service.read(&answer)?;
    Ok(Granted {
        lifetime: lifetime(started, wire.expires_on.as_ref(), wire.expires_in.as_ref()),
        secret: wire.access_token,
        started,
        refresh: None,
    })
}

fn metadata_url(root: &Url) -> Url {
    let mut url = root.clone();
    url.set_path("/metadata/identity/oauth2/token");
    url
}

fn with_metadata(request: RequestBuilder) -> RequestBuilder {
    request.header("Metadata", "true")
}

/// The address with what is asked for; `names` are those of a client id and of a resource id.
fn asked(
    mut url: Url,
    version: &str,
    resource: &str,
    identity: &ManagedIdentity,
    names: (&str, &str),
) -> Url {
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("api-version", version);
        query.append_pair("resource", resource);
        match &identity.assigned {
            Some(UserAssigned::ClientId(id)) => query.append_pair(names.0, id),
            Some(UserAssigned::ResourceId(id)) => query.append_pair(names.1, id),
            None => &mut query,
        };
    }
    url
}

/// Sorts the answers of the metadata service, which asks for more patience than others.
fn patient(service: &Service<'_>, answer: Answer) -> Result<Answer, Failure> {
    let failure = service.refused(&answer);
    let (wait, tries) = match answer.status {
        200 => return Ok(answer),
        400 if answer.says("identity not found") => {
            return Err(service.lasting(PlatformProblem::NoIdentity));
        }
        410 => (Some(UPDATE.0), UPDATE.1),
        404 | 429 | 500.. => (failure.wait, TRIES),
        _ => return Err(failure),
    };
    Err(Failure {
        error: failure.error,
        wait,
        passing: true,
        tries,
    })
}

/// The key that an Azure Arc agent asks to be shown. What cannot be shown, read after "its challenge".
fn key(headers: &HeaderMap, folder: &Path) -> Result<SecretString, &'static str> {
    let file = headers
        .get(WWW_AUTHENTICATE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Basic realm="))
        .ok_or("names no file")?;
    // Both resolved: neither `..` nor a link leads out of the folder.
    let folder = folder
        .canonicalize()
        .map_err(|_| "names a file, but the agent's folder of keys cannot be read")?;
    let file = Path::new(file.trim_matches('"'))
        .canonicalize()
        .map_err(|_| "names a file that cannot be read")?;
    if !file.starts_with(&folder) || file.extension().is_none_or(|end| end != "key") {
        return Err("names a file that is no key of the agent; it was not read");
    }
    let mut text = String::new();
    let read = std::fs::File::open(&file)
        .and_then(|open| open.take(KEY + 1).read_to_string(&mut text))
        .map_err(|_| "names a file that cannot be read")?;
    if read as u64 > KEY {
        return Err("names a file that is too long for a key");
    }
    Ok(SecretString::from(text.trim()))
}
