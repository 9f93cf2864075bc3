//! What long lists are made of: rows by id, texts in one piece, moments of five bytes, values that many rows share.

use std::hash::{BuildHasher, Hash};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use jiff::Timestamp;

use super::fold::{Bad, Fold};
use crate::snapshot::{Guid, GuidHasher, UntrustedRef};

/// Rows in the order in which they came, and by id. The table that finds them holds nothing but their places: ids stand in the rows.
#[derive(Debug, Clone)]
pub(super) struct Table<T> {
    rows: Vec<(Guid, T)>,
    places: HashTable<u32>,
    hasher: GuidHasher,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            places: HashTable::new(),
            hasher: GuidHasher::default(),
        }
    }
}

impl<T> Table<T> {
    /// Adds a row, unless there is one of this id; it is only made when it is new.
    pub(super) fn insert(
        &mut self,
        id: Guid,
        make: impl FnOnce() -> Result<T, Bad>,
    ) -> Result<Fold, Bad> {
        let Self {
            rows,
            places,
            hasher,
        } = self;
        let id_at = |&place: &u32| rows.get(place as usize).map(|(id, _)| *id);
        let entry = places.entry(
            hasher.hash_one(id),
            |place| id_at(place) == Some(id),
            |place| id_at(place).map_or(0, |id| hasher.hash_one(id)),
        );
        match entry {
            Entry::Occupied(_) => Ok(Fold::Known),
            Entry::Vacant(entry) => {
                let place = u32::try_from(rows.len()).map_err(|_| Bad::too_many())?;
                let row = make()?;
                entry.insert(place);
                rows.push((id, row));
                Ok(Fold::New)
            }
        }
    }

    /// The row of this id, with its place.
    pub(super) fn get(&self, id: Guid) -> Option<(u32, &(Guid, T))> {
        let place = *self.places.find(self.hasher.hash_one(id), |&place| {
            self.at(place).is_some_and(|(known, _)| *known == id)
        })?;
        Some((place, self.at(place)?))
    }

    /// The row at a place.
    pub(super) fn at(&self, place: u32) -> Option<&(Guid, T)> {
        self.rows.get(place as usize)
    }

    /// All rows with their places, in the order in which they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &(Guid, T))> {
        (0..).zip(&self.rows)
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }
}

/// The readers of a list whose rows stand in a [`Table`] called `list`, each shown as `$item` by the method `show`.
macro_rules! readers {
    ($list:ident of $item:ident) => {
        impl $list {
            /// All of them, in the order in which they came.
            pub fn iter(&self) -> impl Iterator<Item = $item<'_>> {
                self.list
                    .iter()
                    .filter_map(|(place, row)| self.show(place, row))
            }

            /// The one with this object id.
            pub fn get(&self, id: Guid) -> Option<$item<'_>> {
                let (place, row) = self.list.get(id)?;
                self.show(place, row)
            }

            /// How many there are.
            pub fn len(&self) -> usize {
                self.list.len()
            }

            /// Whether there are none.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }
        }
    };
}
pub(super) use readers;

/// Rows looked up in the order of another list. Lists of the same objects come in runs of the same order, so the row after the last one
/// found is tried first: among a million rows the memory for a search costs more than all the rest.
#[derive(Debug)]
pub(super) struct Beside<'a, T> {
    table: &'a Table<T>,
    next: u32,
}

impl<'a, T> Beside<'a, T> {
    pub(super) fn new(table: &'a Table<T>) -> Self {
        Self { table, next: 0 }
    }

    /// The row of this id.
    pub(super) fn get(&mut self, id: Guid) -> Option<&'a T> {
        let beside = self.table.at(self.next).filter(|(known, _)| *known == id);
        let (place, (_, row)) = match beside {
            Some(row) => (self.next, row),
            None => self.table.get(id)?,
        };
        self.next = place + 1;
        Some(row)
    }
}

/// Texts in the order in which they came, one after the other in one piece: four bytes each besides the text itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    all: String,
    /// Where each ends, and the next one begins.
    ends: Vec<u32>,
}

impl Texts {
    pub(super) fn push(&mut self, text: &str) -> Result<(), Bad> {
        let end = u32::try_from(self.all.len() + text.len())
            .map_err(|_| Bad::new(".", "more text than this version can hold"))?;
        self.all.push_str(text);
        self.ends.push(end);
        Ok(())
    }

    /// The text that came at this place, counted from 0.
    pub(super) fn get(&self, place: usize) -> UntrustedRef<'_> {
        let end_of = |place: usize| self.ends.get(place).map_or(0, |&end| end as usize);
        let begin = place.checked_sub(1).map_or(0, end_of);
        self.all
            .get(begin..end_of(place))
            .unwrap_or_default()
            .into()
    }
}

/// A moment to the second, or none, in five bytes: seconds since 1970, and whatever [`Timestamp`] cannot be stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment([u8; 5]);

impl From<Option<Timestamp>> for Moment {
    fn from(at: Option<Timestamp>) -> Self {
        // Timestamps end with the year 9999, at less than half of what 40 bits hold.
        let seconds = at.map_or(i64::MIN >> 24, Timestamp::as_second);
        let [_, _, _, low @ ..] = seconds.to_be_bytes();
        Self(low)
    }
}

impl Moment {
    pub(super) fn get(self) -> Option<Timestamp> {
        let mut bytes = [0; 8];
        bytes[..5].copy_from_slice(&self.0);
        // Shifted down with their sign.
        let seconds = i64::from_be_bytes(bytes) >> 24;
        Timestamp::from_second(seconds).ok()
    }
}

/// Values of which many rows have the same: each is held once.
#[derive(Debug, Clone)]
pub(super) struct Distinct<T> {
    values: Vec<T>,
    places: HashTable<u32>,
    hasher: GuidHasher,
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            places: HashTable::new(),
            hasher: GuidHasher::default(),
        }
    }
}

impl<T: Hash + Eq> Distinct<T> {
    /// The place of this value.
    pub(super) fn place(&mut self, value: T) -> Result<u32, Bad> {
        let Self {
            values,
            places,
            hasher,
        } = self;
        let at = |&place: &u32| values.get(place as usize);
        let entry = places.entry(
            hasher.hash_one(&value),
            |place| at(place) == Some(&value),
            |place| at(place).map_or(0, |value| hasher.hash_one(value)),
        );
        match entry {
            Entry::Occupied(entry) => Ok(*entry.get()),
            Entry::Vacant(entry) => {
                let place = u32::try_from(values.len()).map_err(|_| Bad::too_many())?;
                entry.insert(place);
                values.push(value);
                Ok(place)
            }
        }
    }
}

impl<T> Distinct<T> {
    /// The value at a place.
    pub(super) fn at(&self, place: u32) -> Option<&T> {
        self.values.get(place as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_what_it_was_to_the_second() {
        for text in [
            "-009999-01-02T01:59:59Z",
            "0001-01-01T00:00:00Z",
            "1601-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00Z",
            "2026-11-02T08:00:01Z",
            "2106-02-07T06:28:16Z",
            "9999-12-30T22:00:00Z",
        ] {
            let at: Timestamp = text.parse().unwrap();
            assert_eq!(Moment::from(Some(at)).get(), Some(at), "{text}");
        }
        assert_eq!(Moment::from(None).get(), None);
        for edge in [Timestamp::MIN, Timestamp::MAX] {
            let at = Moment::from(Some(edge)).get().unwrap();
            assert_eq!(at.as_second(), edge.as_second());
        }
    }

    #[test]
    fn texts_come_back_as_they_were() {
        let mut texts = Texts::default();
        for text in ["", "ü", "", "a b"] {
            assert!(texts.push(text).is_ok());
        }
        let all: Vec<&str> = (0..5).map(|place| texts.get(place).raw()).collect();
        assert_eq!(all, ["", "ü", "", "a b", ""]);
    }

    #[test]
    fn rows_are_found_at_every_size() {
        let mut table = Table::default();
        for number in 0..10_000u32 {
            let id = Guid::new(u128::from(number) << 64);
            assert!(matches!(table.insert(id, || Ok(number)), Ok(Fold::New)));
            assert!(matches!(table.insert(id, || Ok(0)), Ok(Fold::Known)));
        }
        for number in 0..10_000u32 {
            let id = Guid::new(u128::from(number) << 64);
            assert_eq!(table.get(id), Some((number, &(id, number))));
        }
        assert_eq!(table.get(Guid::new(1)), None);
        assert_eq!(table.len(), 10_000);
        let mut beside = Beside::new(&table);
        for number in [0, 1, 2, 9_999, 3, 4, 4, 20_000, 5] {
            let id = Guid::new(u128::from(number) << 64);
            assert_eq!(beside.get(id), Some(&number).filter(|_| number < 10_000));
        }
    }

    #[test]
    fn equal_values_share_a_place() {
        let mut distinct = Distinct::default();
        let places: Vec<u32> = ["a", "b", "a", "c", "b"]
            .iter()
            .filter_map(|value| distinct.place(*value).ok())
            .collect();
        assert_eq!(places, [0, 1, 0, 2, 1]);
        assert_eq!(distinct.at(1), Some(&"b"));
        assert_eq!(distinct.at(3), None);
    }
}
