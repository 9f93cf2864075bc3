//! What Entra says of a tenant to anybody: its OpenID metadata, and by the way what the time is there.
//!
//! Promises that no credential is sent. Source: the tenant-independent members are those of OpenID Connect Discovery 1.0; `msgraph_host`,
//! `tenant_region_scope` and `tenant_region_sub_scope` are Entra's own
//! (<https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc>).

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, HeaderMap};
use serde::Deserialize;

use super::cloud::Endpoints;
use crate::graph::Clock;
use crate::graph::http::{self, Client, NetworkProblem};

/// What Entra says of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// How far this machine's clock is ahead of Entra's (`Date`), to the second; negative when it is behind.
    pub ahead: Option<SignedDuration>,
    /// Host of the Graph that the tenant belongs to (`msgraph_host`), with the port if there is one.
    pub graph_host: Option<String>,
}

impl Metadata {
    /// Asks for the metadata of a tenant, by id or domain. An answer of any status has a date.
    pub async fn read(
        http: &Client,
        endpoints: &Endpoints,
        tenant: &str,
        clock: &dyn Clock,
    ) -> Result<Self, NetworkProblem> {
        let url = format!(
            "{}/{tenant}/v2.0/.well-known/openid-configuration",
            endpoints.login.as_str().trim_end_matches('/')
        );
        let sent = clock.now();
        let answer = http
            .get(url)
            .send()
            .await
            .map_err(|error| NetworkProblem::of(&error))?;
        let ahead = date(answer.headers()).map(|date| ahead(sent, clock.now(), date));
        let body = answer
            .bytes()
            .await
            .map_err(|error| NetworkProblem::of(&error))?;
        let known: Option<Wire> = serde_json::from_slice(&body).ok();
        Ok(Self {
            ahead,
            graph_host: known.and_then(|known| known.msgraph_host),
        })
    }

    /// Whether the tenant's Graph is another than the one in use: the tenant lives in another cloud. Nothing is said of a Graph on this
    /// machine.
    pub fn is_elsewhere(&self, endpoints: &Endpoints) -> bool {
        let here = http::host(&endpoints.graph);
        self.graph_host.as_ref().is_some_and(|host| {
            !http::is_loopback(&endpoints.graph) && !host.eq_ignore_ascii_case(&here)
        })
    }
}

#[derive(Deserialize)]
struct Wire {
    msgraph_host: Option<String>,
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    Timestamp::try_from(date).ok()
}

/// Our time half way between question and answer, against a date that was cut to whole seconds: half a second is added to it.
fn ahead(sent: Timestamp, received: Timestamp, date: Timestamp) -> SignedDuration {
    let middle = sent.duration_since(date) + received.duration_since(sent) / 2;
    SignedDuration::from_secs((middle - SignedDuration::from_millis(500)).as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_on_its_way_half_of_the_time() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let date = at("2026-08-20T10:00:00Z");
        for (sent, received, seconds) in [
            ("2026-08-20T10:00:00.1Z", "2026-08-20T10:00:00.2Z", 0),
            ("2026-08-20T10:00:00.9Z", "2026-08-20T10:00:00.95Z", 0),
            ("2026-08-20T10:02:00Z", "2026-08-20T10:02:03Z", 121),
            ("2026-08-20T09:54:59Z", "2026-08-20T09:54:59.2Z", -301),
        ] {
            let found = ahead(at(sent), at(received), date);
            assert_eq!(found, SignedDuration::from_secs(seconds), "{sent}");
        }
    }

    #[test]
    fn a_tenant_of_another_cloud_names_another_graph() {
        let metadata = |host: &str| Metadata {
            graph_host: Some(host.to_owned()),
            ..Metadata::default()
        };
        let global = Endpoints::from(super::super::Cloud::Global);
        assert!(!metadata("graph.microsoft.com").is_elsewhere(&global));
        assert!(metadata("graph.microsoft.us").is_elsewhere(&global));
        assert!(!Metadata::default().is_elsewhere(&global));
    }
}
