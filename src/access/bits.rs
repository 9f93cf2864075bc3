//! Sets of small numbers: values of a dimension, policies, boxes.

/// A set of numbers below a length that is fixed when it is made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Bits {
    words: Box<[u64]>,
    len: usize,
}

impl Bits {
    /// The empty set of numbers below `len`.
    pub(super) fn none(len: usize) -> Self {
        Self {
            words: vec![0; len.div_ceil(64)].into_boxed_slice(),
            len,
        }
    }

    /// Every number below `len`.
    pub(super) fn all(len: usize) -> Self {
        let mut words = vec![u64::MAX; len.div_ceil(64)].into_boxed_slice();
        if let (Some(last), tail @ 1..) = (words.last_mut(), len % 64) {
            *last = (1 << tail) - 1;
        }
        Self { words, len }
    }

    /// Those below `len` of which the closure says yes.
    pub(super) fn of(len: usize, has: impl Fn(usize) -> bool) -> Self {
        (0..len)
            .filter(|&value| has(value))
            .fold(Self::none(len), |mut set, value| {
                set.insert(value);
                set
            })
    }

    /// One number alone.
    pub(super) fn one(len: usize, value: usize) -> Self {
        let mut set = Self::none(len);
        set.insert(value);
        set
    }

    /// What its numbers are below.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn insert(&mut self, value: usize) {
        debug_assert!(value < self.len);
        if let Some(word) = self.words.get_mut(value / 64) {
            *word |= 1 << (value % 64);
        }
    }

    pub(super) fn remove(&mut self, value: usize) {
        if let Some(word) = self.words.get_mut(value / 64) {
            *word &= !(1 << (value % 64));
        }
    }

    pub(super) fn has(&self, value: usize) -> bool {
        self.words
            .get(value / 64)
            .is_some_and(|word| word >> (value % 64) & 1 == 1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Whether it has every number below its length.
    pub(super) fn is_all(&self) -> bool {
        self.count() == self.len
    }

    pub(super) fn count(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// The smallest number in it.
    pub(super) fn first(&self) -> Option<usize> {
        self.iter().next()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(index, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let low = rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    index * 64 + low
                })
            })
        })
    }

    fn pairs<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (u64, u64)> {
        self.words.iter().copied().zip(other.words.iter().copied())
    }

    /// Whether the two have a number in common.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.pairs(other).any(|(ours, theirs)| ours & theirs != 0)
    }

    /// Whether the other has all that this one has.
    pub(super) fn within(&self, other: &Self) -> bool {
        self.pairs(other).all(|(ours, theirs)| ours & !theirs == 0)
    }

    /// Its words, with what the mask has only.
    pub(super) fn masked<'a>(&'a self, mask: &'a Self) -> impl Iterator<Item = u64> {
        self.pairs(mask).map(|(ours, theirs)| ours & theirs)
    }

    /// Whether it is what the other has of the mask.
    pub(super) fn is_masked(&self, other: &Self, mask: &Self) -> bool {
        self.words.iter().copied().eq(other.masked(mask))
    }

    fn update(&mut self, other: &Self, how: impl Fn(u64, u64) -> u64) {
        for (ours, &theirs) in self.words.iter_mut().zip(&other.words) {
            *ours = how(*ours, theirs);
        }
    }

    /// Adds what the other has.
    pub(super) fn add(&mut self, other: &Self) {
        self.update(other, |ours, theirs| ours | theirs);
    }

    /// Keeps what the other has too.
    pub(super) fn keep(&mut self, other: &Self) {
        self.update(other, |ours, theirs| ours & theirs);
    }

    /// Takes out what the other has.
    pub(super) fn cut(&mut self, other: &Self) {
        self.update(other, |ours, theirs| ours & !theirs);
    }

    /// What both have.
    #[must_use]
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.keep(other);
        self
    }

    /// What either has.
    #[must_use]
    pub(super) fn or(mut self, other: &Self) -> Self {
        self.add(other);
        self
    }

    /// What is not in it.
    #[must_use]
    pub(super) fn not(&self) -> Self {
        let mut all = Self::all(self.len);
        all.cut(self);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// The operations are those of sets, at lengths on both sides of a word's end.
        #[test]
        fn it_is_a_set(len in 1_usize..200, left in proptest::collection::btree_set(0_usize..200, 0..40), right in proptest::collection::btree_set(0_usize..200, 0..40)) {
            let cut = |set: &BTreeSet<usize>| -> BTreeSet<usize> { set.iter().copied().filter(|&value| value < len).collect() };
            let (left, right) = (cut(&left), cut(&right));
            let bits = |set: &BTreeSet<usize>| Bits::of(len, |value| set.contains(&value));
            let (a, b) = (bits(&left), bits(&right));
            let back = |bits: Bits| bits.iter().collect::<BTreeSet<_>>();
            prop_assert_eq!(back(a.clone().and(&b)), left.intersection(&right).copied().collect());
            prop_assert_eq!(back(a.clone().or(&b)), left.union(&right).copied().collect());
            prop_assert_eq!(back(a.clone().and(&b.not())), left.difference(&right).copied().collect());
            prop_assert_eq!(a.meets(&b), !left.is_disjoint(&right));
            prop_assert_eq!(a.within(&b), left.is_subset(&right));
            prop_assert_eq!(a.count(), left.len());
            prop_assert_eq!(a.not().count() + a.count(), len);
            prop_assert_eq!(a.is_all(), left.len() == len);
        }
    }
}
