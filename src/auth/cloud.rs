//! The clouds: where to sign in, where Graph is.
//!
//! Source: Microsoft's page on national clouds (<https://learn.microsoft.com/graph/deployments>).

use std::fmt;
use std::str::FromStr;

use super::error::AuthError;
use crate::graph::http::{self, Url};

/// A cloud of Microsoft's. Tokens and applications of one mean nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Cloud {
    /// The worldwide cloud; Microsoft 365 GCC (US local government) is in it, too.
    #[default]
    Global,
    /// US Government L4 (GCC High).
    UsGov,
    /// US Government L5 (Department of Defense).
    Dod,
    /// China, run by 21Vianet.
    China,
}

impl Cloud {
    /// All clouds.
    pub const ALL: [Self; 4] = [Self::Global, Self::UsGov, Self::Dod, Self::China];

    /// The name on the command line: `global`, `usgov`, `dod`, `china`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGov => "usgov",
            Self::Dod => "dod",
            Self::China => "china",
        }
    }

    /// Root of the sign-in service.
    pub fn login(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGov | Self::Dod => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }

    /// Root of Graph.
    pub fn graph(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGov => "https://graph.microsoft.us",
            Self::Dod => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    /// The one scope that an application can ask for: everything granted to it on Graph.
    pub fn scope(self) -> String {
        format!("{}/.default", self.graph())
    }

    /// Audience of a token of another issuer that is exchanged for one of Entra (workload identity federation).
    pub fn federation_audience(self) -> &'static str {
        match self {
            Self::Global => "api://AzureADTokenExchange",
            Self::UsGov | Self::Dod => "api://AzureADTokenExchangeUSGov",
            Self::China => "api://AzureADTokenExchangeChina",
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Cloud {
    type Err = AuthError;

    fn from_str(text: &str) -> Result<Self, AuthError> {
        Self::ALL
            .into_iter()
            .find(|cloud| cloud.name() == text)
            .ok_or_else(|| {
                AuthError::invalid("cloud", text, "it is none of global, usgov, dod, china")
            })
    }
}

/// Where this run signs in and reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Root of the sign-in service.
    pub login: Url,
    /// Root of Graph.
    pub graph: Url,
    scope: String,
}

impl Endpoints {
    /// The roots of a cloud, or those that replace them (`--login-url` or `AZURE_AUTHORITY_HOST`, `--graph-url`).
    ///
    /// [`AuthError::Endpoint`]: no plain `https` root, nor an `http` one of this machine.
    pub fn new(cloud: Cloud, login: Option<&str>, graph: Option<&str>) -> Result<Self, AuthError> {
        let read = |flag, text: Option<&str>, default| {
            http::root(text.unwrap_or(default))
                .map_err(|problem| AuthError::Endpoint { flag, problem })
        };
        let login = read("--login-url", login, cloud.login())?;
        let root = read("--graph-url", graph, cloud.graph())?;
        // A Graph on this machine is an emulator and no resource that Entra knows.
        let scope = if graph.is_none() || http::is_loopback(&root) {
            cloud.scope()
        } else {
            format!("{}/.default", root.as_str().trim_end_matches('/'))
        };
        Ok(Self {
            login,
            graph: root,
            scope,
        })
    }

    /// The scope to ask for.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The resource that the scope belongs to: what managed identities are asked for.
    pub fn resource(&self) -> &str {
        self.scope.strip_suffix("/.default").unwrap_or(&self.scope)
    }

    /// Where a device code is asked for.
    pub(super) fn device_code_url(&self, tenant: &str) -> String {
        format!(
            "{}/{tenant}/oauth2/v2.0/devicecode",
            self.login.as_str().trim_end_matches('/')
        )
    }

    /// The token endpoint of a tenant, which is also the audience of a certificate's assertion.
    pub fn token_url(&self, tenant: &str) -> String {
        format!(
            "{}/{tenant}/oauth2/v2.0/token",
            self.login.as_str().trim_end_matches('/')
        )
    }
}

impl From<Cloud> for Endpoints {
    fn from(cloud: Cloud) -> Self {
        Self::new(cloud, None, None)
            .expect("the roots in this file are https addresses, see the test")
    }
}
