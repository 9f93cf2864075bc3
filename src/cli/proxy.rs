//! Which proxy stands between us and a host: the same rules as those of the HTTP library, asked instead of copied.

use std::collections::BTreeMap;

use hyper_util::client::proxy::matcher::Matcher;

use crate::graph::http::{self, Url};

/// Host and port of the proxy that requests to `target` go through, by the environment; never its user name and password.
///
/// Source of the names: `reqwest::Proxy`, which reads `ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, upper case first.
pub(super) fn of(environment: &BTreeMap<String, String>, target: &Url) -> Option<String> {
    if http::is_loopback(target) {
        return None;
    }
    let get = |upper: &str| {
        let set = environment
            .get(upper)
            .or_else(|| environment.get(&upper.to_ascii_lowercase()));
        set.cloned().unwrap_or_default()
    };
    let matcher = Matcher::builder()
        .all(get("ALL_PROXY"))
        .https(get("HTTPS_PROXY"))
        .http(get("HTTP_PROXY"))
        .no(get("NO_PROXY"))
        .build();
    let proxy = matcher.intercept(&target.as_str().parse().ok()?)?;
    let uri = proxy.uri();
    let host = uri.host()?;
    Some(match uri.port_u16() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(variables: &[(&str, &str)], target: &str) -> Option<String> {
        let environment = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        of(&environment, &Url::parse(target).unwrap())
    }

    #[test]
    fn a_proxy_is_named_without_its_password() {
        let graph = "https://graph.microsoft.com";
        for (variables, found) in [
            (&[][..], None),
            (
                &[("HTTPS_PROXY", "http://ada:s3cret@proxy.example:3128")],
                Some("proxy.example:3128"),
            ),
            (
                &[("https_proxy", "proxy.example:8080")],
                Some("proxy.example:8080"),
            ),
            (
                &[("ALL_PROXY", "http://proxy.example")],
                Some("proxy.example"),
            ),
            (&[("HTTP_PROXY", "http://proxy.example:1")], None),
            (&[("HTTPS_PROXY", "")], None),
            (
                &[
                    ("HTTPS_PROXY", "http://p.example:1"),
                    ("NO_PROXY", ".microsoft.com"),
                ],
                None,
            ),
        ] {
            assert_eq!(proxy(variables, graph).as_deref(), found, "{variables:?}");
        }
        let all = [("ALL_PROXY", "http://proxy.example:1")];
        assert_eq!(proxy(&all, "http://127.0.0.1:8080"), None);
    }
}
