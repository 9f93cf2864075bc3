//! A digest of a set of rows.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use crate::snapshot::Guid;

/// The sum, modulo 2^256, of the SHA-256 of each row: the same whatever the order, different when a row is
/// added, lost, repeated or changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SetDigest([u64; 4]);

impl SetDigest {
    /// Takes in one row of a list by object together with the object that it belongs to; `None` for a plain list. A page
    /// without rows counts with its object alone: that a group has no members is a fact as well.
    pub fn add_of(&mut self, of: Option<Guid>, row: &[u8]) {
        match of {
            None => self.add(row),
            Some(of) => self.add(&[of.to_string().as_bytes(), b" ", row].concat()),
        }
    }

    /// Takes in one row.
    pub fn add(&mut self, row: &[u8]) {
        let hash = sha256(row);
        let mut carry = false;
        for (word, bytes) in self.0.iter_mut().zip(hash.chunks_exact(8)) {
            let add = bytes
                .iter()
                .rev()
                .fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
            let (sum, first) = word.overflowing_add(add);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *word = sum;
            carry = first || second;
        }
    }
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

impl Serialize for SetDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let [a, b, c, d] = self.0;
        serializer.collect_str(&format_args!("{a:016x}{b:016x}{c:016x}{d:016x}"))
    }
}

impl<'de> Deserialize<'de> for SetDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let word = |index: usize| {
            text.get(index * 16..index * 16 + 16)
                .and_then(|part| u64::from_str_radix(part, 16).ok())
        };
        match (word(0), word(1), word(2), word(3), text.len()) {
            (Some(a), Some(b), Some(c), Some(d), 64) => Ok(Self([a, b, c, d])),
            _ => Err(de::Error::custom("not a digest")),
        }
    }
}
