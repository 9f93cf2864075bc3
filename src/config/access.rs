//! `[access]`: what Graph does not tell the Conditional Access analyzer.
//!
//! Its keys are written with underscores; with hyphens, as everywhere else in the file, they are understood, too.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de};
use uuid::Uuid;

/// `[access]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// How sign-ins are treated that ask for nothing but baseline scopes, where a policy for all resources excludes one; `None`: as
    /// Microsoft does since June 2026.
    #[serde(alias = "baseline-scopes")]
    pub baseline_scopes: Option<BaselineScopes>,
    /// Trusted addresses of the old service settings of multi-factor authentication: IPv4 or IPv6 ranges, or single addresses.
    #[serde(alias = "mfa-trusted-ips", deserialize_with = "ranges")]
    pub mfa_trusted_ips: Vec<IpNet>,
    /// Home tenants of guests: tenant id by the guest's object id.
    #[serde(alias = "home-tenants", deserialize_with = "tenants")]
    pub home_tenants: BTreeMap<Uuid, Uuid>,
}

/// How sign-ins for baseline scopes are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BaselineScopes {
    /// As sign-ins to Windows Azure Active Directory.
    Enforced,
    /// Policies for all resources that exclude any do not apply to them.
    Legacy,
}

/// Text that means something else; an error stands where the text does.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Read<T>(T);

/// What can be read from text.
trait FromText: Sized {
    fn from_text(text: &str) -> Result<Self, String>;
}

impl FromText for IpNet {
    fn from_text(text: &str) -> Result<Self, String> {
        let range = text.parse().ok();
        let single = || text.parse::<IpAddr>().ok().map(Self::from);
        range.or_else(single).ok_or_else(|| {
            format!("`{text}` is no range of addresses: write it as 192.0.2.0/24 or 2001:db8::/32")
        })
    }
}

impl FromText for Uuid {
    fn from_text(text: &str) -> Result<Self, String> {
        let id = Some(text).filter(|text| text.len() == 36);
        id.and_then(|text| Self::try_parse(text).ok())
            .ok_or_else(|| format!("`{text}` is not a GUID"))
    }
}

impl<'de, T: FromText> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Only what a visitor refuses is told with its place.
        struct Text<T>(PhantomData<T>);
        impl<T: FromText> de::Visitor<'_> for Text<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
                T::from_text(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text(PhantomData)).map(Self)
    }
}

fn ranges<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let ranges: Vec<Read<IpNet>> = Vec::deserialize(deserializer)?;
    Ok(ranges.into_iter().map(|Read(range)| range).collect())
}

fn tenants<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Uuid, Uuid>, D::Error> {
    let pairs: BTreeMap<Read<Uuid>, Read<Uuid>> = BTreeMap::deserialize(deserializer)?;
    let pairs = pairs.into_iter();
    Ok(pairs
        .map(|(Read(guest), Read(tenant))| (guest, tenant))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    const GUEST: &str = "6d82083c-b522-569e-84b4-0b83e368144e";
    const HOME: &str = "3008A549-e83c-5a85-baa8-4b24bc278f67";

    #[test]
    fn keys_are_taken_with_underscores_and_with_hyphens() {
        let text = format!(
            "[access]\nbaseline_scopes = \"legacy\"\nmfa_trusted_ips = [\"192.0.2.0/24\", \"2001:db8::1\"]\n[access.home_tenants]\n{GUEST} = \"{HOME}\"\n"
        );
        let read = parse(&text, "t").unwrap().access;
        assert_eq!(read.baseline_scopes, Some(BaselineScopes::Legacy));
        let ranges: Vec<String> = read.mfa_trusted_ips.iter().map(IpNet::to_string).collect();
        assert_eq!(ranges, ["192.0.2.0/24", "2001:db8::1/128"]);
        assert_eq!(
            read.home_tenants,
            BTreeMap::from([(GUEST.parse().unwrap(), HOME.parse().unwrap())])
        );
        let hyphens = text
            .replace("baseline_", "baseline-")
            .replace("mfa_trusted_ips", "mfa-trusted-ips")
            .replace("home_", "home-");
        assert_eq!(parse(&hyphens, "t").unwrap().access, read);
        assert_eq!(parse("", "t").unwrap().access, Access::default());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_line() {
        for (text, line, says, help) in [
            (
                "[access]\nbaseline_scope = \"legacy\"",
                2,
                "baseline_scope",
                Some("baseline_scopes"),
            ),
            (
                "[access]\nbaseline_scopes = \"legcy\"",
                2,
                "legcy",
                Some("legacy"),
            ),
            (
                "[access]\nmfa_trusted_ips = [\n\"192.0.2.0/24\",\n\"192.0.2.0/33\"]",
                4,
                "192.0.2.0/33",
                None,
            ),
            (
                "[access.home_tenants]\na = \"b\"",
                2,
                "`a` is not a GUID",
                None,
            ),
            (
                "\n[access.home_tenants]\nann = \"3008a549-e83c-5a85-baa8-4b24bc278f67\"",
                3,
                "`ann` is not a GUID",
                None,
            ),
        ] {
            let error = parse(text, "t").unwrap_err();
            let said = error.to_string();
            assert!(said.starts_with(&format!("t: line {line}: ")), "{said}");
            assert!(said.contains(says), "{said}");
            let help = help.map(|help| format!("did you mean `{help}`?"));
            assert_eq!(error.help(), help, "{said}");
        }
    }
}
