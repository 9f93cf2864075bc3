//! A plain client for comparison: one request at a time, list after list, along the next links.

use std::fmt;
use std::time::Instant;

use m365audit::emulator::Mix;
use serde_json::Value;

use super::serve::{Server, sound};

/// Pages that are timed.
const TIMED: u32 = 200;

/// (list, request, rows of a page)
const LISTS: &[(&str, &str, u32)] = &[
    (
        "/users",
        "/v1.0/users?$select=id,userPrincipalName,displayName,mail,userType,accountEnabled,createdDateTime,assignedLicenses&$top=999",
        999,
    ),
    (
        "/devices",
        "/v1.0/devices?$select=id,deviceId,displayName,accountEnabled,operatingSystem,approximateLastSignInDateTime&$top=999",
        999,
    ),
    (
        "/groups",
        "/v1.0/groups?$select=id,displayName,groupTypes,securityEnabled&$top=999",
        999,
    ),
    (
        "/servicePrincipals",
        "/v1.0/servicePrincipals?$select=id,appId,displayName,accountEnabled,passwordCredentials&$top=999",
        999,
    ),
    (
        "/oauth2PermissionGrants",
        "/v1.0/oauth2PermissionGrants?$top=999",
        999,
    ),
    (
        "/applications",
        "/v1.0/applications?$select=id,appId,displayName,passwordCredentials&$top=999",
        999,
    ),
];

/// What the plain client takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain {
    timed: u32,
    /// Seconds of one page.
    page: f64,
    pages: u32,
    longest: u32,
    /// Seconds, list after list.
    pub(crate) one_by_one: f64,
    /// Seconds where all lists are read at the same time, each page after page.
    pub(crate) beside: f64,
}

/// Times so many pages and works out the rest.
pub(crate) fn time(server: &Server, mix: &Mix, read: &dyn Fn(&str) -> bool) -> Plain {
    let rows = |list: &str| match list {
        "/users" => mix.users,
        "/devices" => mix.devices,
        "/groups" => mix.groups,
        "/servicePrincipals" => mix.service_principals,
        "/oauth2PermissionGrants" => mix.grants,
        _ => mix.applications,
    };
    let lists: Vec<_> = LISTS.iter().filter(|(list, ..)| read(list)).collect();
    let pages: Vec<u32> = lists
        .iter()
        .map(|(list, _, page)| rows(list).div_ceil(*page))
        .collect();
    let (timed, seconds) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(timed(server, lists.iter().map(|(_, path, _)| *path)))
        .unwrap();
    let page = seconds / f64::from(timed);
    let (all, longest) = (pages.iter().sum(), pages.iter().max().copied().unwrap_or(0));
    Plain {
        timed,
        page,
        pages: all,
        longest,
        one_by_one: page * f64::from(all),
        beside: page * f64::from(longest),
    }
}

async fn timed(
    server: &Server,
    lists: impl Iterator<Item = &'static str>,
) -> Result<(u32, f64), reqwest::Error> {
    let tenant = sound();
    let http = reqwest::Client::builder().no_proxy().build()?;
    let scope = format!("{}/.default", server.url);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", tenant.client_id()),
        ("client_secret", tenant.first_secret().unwrap()),
        ("scope", &scope),
    ];
    let url = format!("{}/{}/oauth2/v2.0/token", server.url, tenant.tenant_id());
    let answer = http.post(url).form(&form).send().await?.text().await?;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let token = answer["access_token"].as_str().unwrap();
    let (mut pages, begun) = (0, Instant::now());
    for list in lists {
        let mut next = Some(format!("{}{list}", server.url));
        while let Some(url) = next {
            let text = http
                .get(url)
                .bearer_auth(token)
                .send()
                .await?
                .text()
                .await?;
            let page: Value = serde_json::from_str(&text).unwrap();
            assert!(page["value"].is_array(), "{text}");
            next = page["@odata.nextLink"].as_str().map(ToOwned::to_owned);
            pages += 1;
            if pages == TIMED {
                return Ok((pages, begun.elapsed().as_secs_f64()));
            }
        }
    }
    Ok((pages, begun.elapsed().as_secs_f64()))
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.timed < self.pages {
            "extrapolated from"
        } else {
            "measured on"
        };
        write!(
            f,
            "one request at a time: {:.0} s for {} pages, {how} {} pages of {:.3} s; lists beside each other: {:.0} s for the longest chain of {}",
            self.one_by_one, self.pages, self.timed, self.page, self.beside, self.longest
        )
    }
}
