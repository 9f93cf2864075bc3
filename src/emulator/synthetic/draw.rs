//! Numbers that look random and are computed from where they stand: the same seed and index give the same row, in any order of
//! asking, and nothing is stored.

use uuid::{Builder, Uuid};

/// The finaliser of `SplitMix64` (Steele, Lea, Flood 2014): a bijection that changes half of the bits for each bit that changes.
pub(super) const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A source of numbers for one list: its seed is that of the tenant, changed by the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Source(pub(super) u64);

impl Source {
    /// The source for everything that is drawn from a seed.
    pub(in super::super) const fn of_seed(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The n-th number of a purpose.
    pub(in super::super) const fn number(self, n: u64, purpose: u64) -> u64 {
        mix(self.of(purpose).0 ^ mix(n))
    }

    /// The same as a share, from 0 up to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub(in super::super) fn share(self, n: u64, purpose: u64) -> f64 {
        (self.number(n, purpose) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The source of another list or purpose.
    pub(super) const fn of(self, purpose: u64) -> Self {
        Self(mix(self.0 ^ mix(purpose)))
    }

    /// The number `what` of row `index`.
    pub(super) const fn draw(self, index: u32, what: u64) -> u64 {
        mix(self.0 ^ mix(((index as u64) << 16) ^ what))
    }

    /// A number below `below` (which is not 0).
    pub(super) const fn below(self, index: u32, what: u64, below: u64) -> u64 {
        // The high half of a product: no bias that matters, and no division.
        ((self.draw(index, what) as u128 * below as u128) >> 64) as u64
    }

    /// Whether something holds for row `index` that holds for so many in a thousand.
    pub(super) const fn chance(self, index: u32, what: u64, per_thousand: u64) -> bool {
        self.below(index, what, 1_000) < per_thousand
    }

    /// The GUID of a row: its first 32 bits are a permutation of all indexes, so that [`Self::index_of`] finds the row again without
    /// a table; ids are spread evenly and never equal.
    pub(super) fn guid(self, index: u32) -> Uuid {
        let first = u128::from(permute(index, self.0)) << 96;
        let high = u128::from(self.draw(index, 0xA1)) << 64 & ((1 << 96) - 1);
        let bits = first | high | u128::from(self.draw(index, 0xA2));
        Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }

    /// The index of the row with this GUID, if it is one of this source; whether there is such a row is not known here.
    pub(super) fn index_of(self, guid: Uuid) -> Option<u32> {
        let first = u32::try_from(guid.as_u128() >> 96).ok()?;
        let index = unpermute(first, self.0);
        (self.guid(index) == guid).then_some(index)
    }
}

const ODD: u32 = 0x9E37_79B1;
/// The inverse of [`ODD`] modulo 2^32.
const BACK: u32 = inverse(ODD);

const fn inverse(odd: u32) -> u32 {
    // Newton: each step doubles the bits that are right, from three on.
    let mut x = odd;
    let mut step = 0;
    while step < 4 {
        x = x.wrapping_mul(2_u32.wrapping_sub(odd.wrapping_mul(x)));
        step += 1;
    }
    x
}

/// The two halves of a seed.
const fn keys(seed: u64) -> [u32; 2] {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "each half is meant to be cut off"
    )]
    [seed as u32, (seed >> 32) as u32]
}

/// A permutation of all 32-bit numbers: multiplications by odd numbers and shifted sums undo one by one.
const fn permute(index: u32, seed: u64) -> u32 {
    let [a, b] = keys(seed);
    let mut x = (index ^ a).wrapping_mul(ODD);
    x ^= x >> 16;
    x = (x ^ b).wrapping_mul(ODD);
    x ^ (x >> 16)
}

const fn unpermute(value: u32, seed: u64) -> u32 {
    let [a, b] = keys(seed);
    let mut x = value ^ (value >> 16);
    x = x.wrapping_mul(BACK) ^ b;
    x ^= x >> 16;
    x.wrapping_mul(BACK) ^ a
}

/// A permutation of `0..length` for any length: a Feistel network over the next even number of bits, walked until it is inside
/// (at most four steps on average).
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Scatter {
    length: u64,
    half: u32,
    seed: u64,
}

impl Scatter {
    pub(super) fn new(length: usize, seed: u64) -> Self {
        let length = length as u64;
        let bits = u64::BITS - length.saturating_sub(1).leading_zeros();
        Self {
            length,
            half: bits.div_ceil(2).max(1),
            seed,
        }
    }

    /// Where position `position` leads; positions from the length on stay where they are.
    pub(super) fn at(&self, position: usize) -> usize {
        let mut x = position as u64;
        if x >= self.length {
            return position;
        }
        loop {
            x = self.round(x);
            if x < self.length {
                return usize::try_from(x).unwrap_or(position);
            }
        }
    }

    fn round(&self, x: u64) -> u64 {
        let mask = (1_u64 << self.half) - 1;
        let (mut left, mut right) = (x >> self.half, x & mask);
        for key in 0..4 {
            let next = left ^ (mix(self.seed ^ mix(right << 3 | key)) & mask);
            (left, right) = (right, next);
        }
        left << self.half | right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_leads_back_to_its_row_and_to_no_other() {
        let source = Source(7).of(1);
        for index in [0, 1, 2, 999, 1_199_999, u32::MAX] {
            let guid = source.guid(index);
            assert_eq!(guid.get_version_num(), 4, "{guid}");
            assert_eq!(source.index_of(guid), Some(index));
            assert_eq!(Source(7).of(2).index_of(guid), None);
            assert_eq!(source.index_of(Uuid::from_u128(guid.as_u128() ^ 1)), None);
        }
    }

    #[test]
    fn a_scatter_is_a_permutation_of_any_length() {
        for length in [0, 1, 2, 3, 5, 64, 65, 1_000, 4_097] {
            let scatter = Scatter::new(length, 9);
            let mut seen: Vec<usize> = (0..length).map(|position| scatter.at(position)).collect();
            if length > 60 {
                assert!(seen.windows(2).any(|pair| pair[0] > pair[1]), "{length}");
            }
            seen.sort_unstable();
            assert_eq!(seen, (0..length).collect::<Vec<_>>());
        }
    }

    #[test]
    fn first_digits_of_guids_are_even() {
        let source = Source(3);
        let mut counts = [0_u32; 16];
        for index in 0..16_000 {
            counts[usize::try_from(source.guid(index).as_u128() >> 124).unwrap()] += 1;
        }
        assert!(
            counts.iter().all(|count| (850..1_150).contains(count)),
            "{counts:?}"
        );
    }
}
