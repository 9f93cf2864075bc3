//! Directory object ids.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A GUID: the id of a directory object, a role template, an app role or a tenant.
///
/// Kept as a number, so comparison is without regard to case (Graph sends lower case mostly, not always)
/// and sixteen bytes are all that it costs. Printed in lower case with hyphens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(u128);

impl Guid {
    /// The GUID with this value; `0x62e90394_69f5_4237_9190_012177145e10` reads like the text form.
    pub const fn new(value: u128) -> Self {
        Self(value)
    }

    /// The GUID that stands for a domain where Graph has none: an object is named by its GUID everywhere else, a domain by its name.
    /// Version 5 in the namespace of domain names, over the name in lower case, so that anybody can compute it again.
    /// Source: RFC 9562, sections 5.5 and 6.6.
    pub fn of_domain(name: &str) -> Self {
        use sha1::Digest as _;
        const DNS: u128 = 0x6ba7_b810_9dad_11d1_80b4_00c0_4fd4_30c8;
        let hash = sha1::Sha1::new()
            .chain_update(DNS.to_be_bytes())
            .chain_update(name.to_ascii_lowercase())
            .finalize();
        let first = hash
            .iter()
            .take(16)
            .fold(0u128, |value, &byte| value << 8 | u128::from(byte));
        let (version, variant) = (0xf << 76, 0b11 << 62);
        Self(first & !version & !variant | 5 << 76 | 0b10 << 62)
    }
}

/// A map by GUID. Lookups by the million are what evaluation is made of; the hasher is seeded at random for each process, so ids chosen
/// by somebody else do not pile up in one place.
pub type GuidMap<V> = std::collections::HashMap<Guid, V, foldhash::fast::RandomState>;

/// The text is not a GUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a GUID")]
pub struct NotAGuid;

impl FromStr for Guid {
    type Err = NotAGuid;

    fn from_str(text: &str) -> Result<Self, NotAGuid> {
        let bytes = text.as_bytes();
        if bytes.len() != 36 {
            return Err(NotAGuid);
        }
        let mut value = 0u128;
        for (position, byte) in bytes.iter().enumerate() {
            let digit = match (position, byte) {
                (8 | 13 | 18 | 23, b'-') => continue,
                (8 | 13 | 18 | 23, _) => return Err(NotAGuid),
                (_, b'0'..=b'9') => byte - b'0',
                (_, b'a'..=b'f') => byte - b'a' + 10,
                (_, b'A'..=b'F') => byte - b'A' + 10,
                _ => return Err(NotAGuid),
            };
            value = value << 4 | u128::from(digit);
        }
        Ok(Self(value))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            v >> 96,
            v >> 80 & 0xffff,
            v >> 64 & 0xffff,
            v >> 48 & 0xffff,
            v & 0xffff_ffff_ffff
        )
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Guid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Guid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Guid;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a GUID")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Guid, E> {
                text.parse()
                    .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_number_agree_whatever_the_case() {
        let text = "62e90394-69f5-4237-9190-012177145e10";
        let id: Guid = text.parse().unwrap();
        assert_eq!(id, Guid::new(0x62e9_0394_69f5_4237_9190_0121_7714_5e10));
        assert_eq!(id.to_string(), text);
        assert_eq!(text.to_uppercase().parse(), Ok(id));
    }

    /// The example of RFC 9562, appendix A.4.
    #[test]
    fn a_domain_has_the_guid_that_the_standard_gives_it() {
        let wanted = "2ed6657d-e927-568b-95e1-2665a8aea6a2";
        assert_eq!(Guid::of_domain("www.example.com").to_string(), wanted);
        assert_eq!(Guid::of_domain("WWW.Example.com").to_string(), wanted);
    }

    #[test]
    fn what_is_not_a_guid_is_refused() {
        for text in [
            "",
            "All",
            "62e9039469f542379190012177145e10",
            "62e90394-69f5-4237-9190-012177145e1g",
            "62e90394x69f5-4237-9190-012177145e10",
        ] {
            assert_eq!(text.parse::<Guid>(), Err(NotAGuid), "{text}");
        }
    }
}
