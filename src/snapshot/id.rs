//! Directory object ids.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A GUID: the id of a directory object, a role template, an app role or a tenant.
///
/// Kept as its bytes, so comparison is without regard to case (Graph sends lower case mostly, not always) and sixteen bytes are all
/// that it costs: a number of that size would be aligned to sixteen and pad whatever stands beside it. The order is that of the text.
/// Printed in lower case with hyphens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guid([u8; 16]);

impl Guid {
    /// The GUID with this value; `0x62e90394_69f5_4237_9190_012177145e10` reads like the text form.
    pub const fn new(value: u128) -> Self {
        Self(value.to_be_bytes())
    }

    const fn value(self) -> u128 {
        u128::from_be_bytes(self.0)
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
        Self::new(first & !version & !variant | 5 << 76 | 0b10 << 62)
    }
}

/// As one number: what hashers take in fastest.
impl Hash for Guid {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u128(self.value());
    }
}

/// How ids are hashed. Lookups by the million are what evaluation is made of; the seed is random for each process, so ids chosen by
/// somebody else do not pile up in one place.
pub type GuidHasher = foldhash::fast::RandomState;

/// A map by GUID.
pub type GuidMap<V> = std::collections::HashMap<Guid, V, GuidHasher>;

/// A set of GUIDs.
pub type GuidSet = std::collections::HashSet<Guid, GuidHasher>;

/// The value of each byte as a hexadecimal digit; `0xff` for what is none.
const HEX: [u8; 256] = {
    let mut digits = [0xff; 256];
    let mut digit = 0;
    while digit < 16 {
        let byte = b"0123456789abcdef"[digit as usize];
        digits[byte as usize] = digit;
        digits[byte.to_ascii_uppercase() as usize] = digit;
        digit += 1;
    }
    digits
};

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
        let (mut value, mut wrong) = (0u128, 0u8);
        for (position, &byte) in bytes.iter().enumerate() {
            if matches!(position, 8 | 13 | 18 | 23) {
                wrong |= byte ^ b'-';
            } else {
                let digit = HEX[byte as usize];
                wrong |= digit & 0xf0;
                value = value << 4 | u128::from(digit & 0xf);
            }
        }
        if wrong != 0 {
            return Err(NotAGuid);
        }
        Ok(Self::new(value))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v = self.value();
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
