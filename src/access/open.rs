//! What patches leave open of a part of the space, and to whom.
//!
//! People are put together where no patch of the question tells them apart; the search then runs over few values, and each part that
//! it finds is widened to everybody who has it too.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, Hasher as _};

use super::bits::Bits;
use super::cover::{Product, Region, Search, find_open, widen};
use super::space::Patch;
use super::space::dimension::WHO;

/// What of a part of the space is open, and to whom.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    /// Parts that are open, as large as they come. Nobody is in two of them.
    pub(super) products: Vec<Opening>,
    /// States of people to whom some part is open.
    pub(super) open: BTreeSet<usize>,
    /// The budget was used up: there may be more.
    pub(super) spent: bool,
}

/// One part that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opening {
    /// By dimension; people as states. Every sign-in of it that can be is open; combinations that cannot be are not left out.
    pub(super) product: Product,
    /// One sign-in of it that can be, by dimension; its people are all of the product's.
    pub(super) point: Vec<usize>,
}

/// Looks for everything of `product` that no patch covers, for people in these states. `sets` are the sets of people that each state
/// is in; what the product says of people does not count.
pub(super) fn open_parts(
    sets: &[Bits],
    states: impl IntoIterator<Item = usize>,
    mut product: Product,
    patches: &[Patch],
    budget: &mut u64,
) -> Parts {
    let mut parts = Parts::default();
    if product.iter().skip(1).any(Bits::is_empty) {
        return parts;
    }
    let merged = Merged::of(sets, states, patches, &product);
    merged.search(&mut product, &mut parts, budget);
    parts
}

/// Whether patches cover all of `product` for people in these states; `None` when the budget is used up before it is certain.
pub(super) fn is_covered(
    sets: &[Bits],
    states: impl IntoIterator<Item = usize>,
    mut product: Product,
    patches: &[Patch],
    budget: &mut u64,
) -> Option<bool> {
    if product.iter().skip(1).any(Bits::is_empty) {
        return Some(true);
    }
    let merged = Merged::of(sets, states, patches, &product);
    if let Some(who) = product.get_mut(WHO) {
        *who = Bits::all(merged.rows.len());
    }
    match find_open(&product, &merged.boxes, budget) {
        Search::Covered => Some(true),
        Search::Open(_) => Some(false),
        Search::Spent => None,
    }
}

/// People put together where no patch tells them apart.
struct Merged {
    /// The sets of people, of those that some patch names, that each value is in.
    rows: Vec<Bits>,
    /// Each state with its value.
    values: Vec<(usize, u32)>,
    /// How many states there are at all.
    len: usize,
    boxes: Vec<Region>,
    /// Those of the boxes that come from policies.
    policies: Vec<Region>,
}

impl Merged {
    fn of(
        sets: &[Bits],
        asked: impl IntoIterator<Item = usize>,
        patches: &[Patch],
        product: &Product,
    ) -> Self {
        // What the product has of people is not known yet.
        let meets = |patch: &&Patch| patch.region.misses(product).all(|missed| missed == WHO);
        let relevant: Vec<&Patch> = patches.iter().filter(meets).collect();
        let mut mask = Bits::none(sets.first().map_or(0, Bits::len));
        let named = relevant.iter().flat_map(|patch| &patch.people);
        named.for_each(|&set| mask.insert(set));
        let (rows, values) = merge(sets, asked, &mask);
        let region = |patch: &&Patch| {
            if patch.people.is_empty() {
                return patch.region.clone();
            }
            let in_all = |row: &Bits| patch.people.iter().all(|&set| row.has(set));
            let people = Bits::of(rows.len(), |value| rows.get(value).is_some_and(in_all));
            patch.region.clone().with(WHO, people)
        };
        let (mut boxes, mut policies) = (Vec::new(), Vec::new());
        for patch in &relevant {
            let region = region(patch);
            if region.is_empty() {
                continue;
            }
            if patch.policy.is_some() {
                policies.push(region.clone());
            }
            boxes.push(region);
        }
        Self {
            len: sets.len(),
            rows,
            values,
            boxes,
            policies,
        }
    }

    fn search(&self, product: &mut Product, parts: &mut Parts, budget: &mut u64) {
        let people = self.rows.len();
        if let Some(who) = product.get_mut(WHO) {
            *who = Bits::all(people);
        }
        let everything = product.clone();
        let mut open_values = Bits::none(people);
        loop {
            let mut open = match find_open(product, &self.boxes, budget) {
                Search::Covered => break,
                Search::Spent => {
                    parts.spent = true;
                    break;
                }
                Search::Open(open) => open,
            };
            // From one sign-in, as ordinary as it comes, to as many people as possible, and then to as much else.
            let first = |side: &Bits| side.first().unwrap_or_default();
            let point: Vec<usize> = open.iter().map(first).collect();
            for (side, &value) in open.iter_mut().zip(&point).skip(1) {
                *side = Bits::one(side.len(), value);
            }
            widen(&mut open, &everything, &self.boxes, [WHO]);
            let dimensions = open.len();
            widen(&mut open, &everything, &self.policies, 1..dimensions);
            let who = open.first().cloned().unwrap_or(Bits::none(people));
            open_values.add(&who);
            if let Some(side) = product.get_mut(WHO) {
                side.cut(&who);
            }
            if let Some(side) = open.get_mut(WHO) {
                *side = self.states_of(&who);
            }
            parts.products.push(Opening {
                product: open,
                point,
            });
        }
        parts.open = self.states_of(&open_values).iter().collect();
    }

    /// The states behind some values.
    fn states_of(&self, values: &Bits) -> Bits {
        let mut states = Bits::none(self.len);
        let of = self
            .values
            .iter()
            .filter(|(_, value)| values.has(*value as usize));
        of.for_each(|(state, _)| states.insert(*state));
        states
    }
}

/// Puts states together that are in the same sets of those that the mask has.
fn merge(
    sets: &[Bits],
    asked: impl IntoIterator<Item = usize>,
    mask: &Bits,
) -> (Vec<Bits>, Vec<(usize, u32)>) {
    let hasher = foldhash::fast::FixedState::default();
    let mut table: hashbrown::HashTable<u32> = hashbrown::HashTable::new();
    let mut rows: Vec<Bits> = Vec::new();
    let mut values = Vec::new();
    for state in asked {
        let Some(row) = sets.get(state) else { continue };
        let hash = row
            .masked(mask)
            .fold(hasher.build_hasher(), |mut hasher, word| {
                hasher.write_u64(word);
                hasher
            });
        let hash = hash.finish();
        let is_like = |&value: &u32| {
            rows.get(value as usize)
                .is_some_and(|known| known.is_masked(row, mask))
        };
        let value = if let Some(&value) = table.find(hash, is_like) {
            value
        } else {
            let value = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            rows.push(row.clone().and(mask));
            table.insert_unique(hash, value, |&value| {
                rows.get(value as usize).map_or(0, |row| {
                    let words = row.masked(mask);
                    words
                        .fold(hasher.build_hasher(), |mut hasher, word| {
                            hasher.write_u64(word);
                            hasher
                        })
                        .finish()
                })
            });
            value
        };
        values.push((state, value));
    }
    (rows, values)
}
