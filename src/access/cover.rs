//! Whether boxes cover a space, and if not, where it is open.
//!
//! A space is the product of finite dimensions; a box is a product of one set for each. The search keeps what remains of every
//! dimension and treats each box as a clause, "leave it in some dimension": a box that can be left in one dimension only takes
//! that dimension's values away, a box that cannot be left at all ends the branch, and when no box is left the whole remaining
//! product is open. Nothing is sampled: the answer is exact, or [`Search::Spent`] when the budget of steps is used up.

use super::bits::Bits;

/// A product of sets, one for each dimension.
pub(super) type Product = Vec<Bits>;

/// A box by the dimensions that it narrows, in ascending order; it has every value of the others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Region(Vec<(usize, Bits)>);

impl Region {
    /// The whole space.
    pub(super) fn whole() -> Self {
        Self(Vec::new())
    }

    /// Keeps only these values of a dimension.
    #[must_use]
    pub(super) fn with(mut self, dimension: usize, values: Bits) -> Self {
        match self.0.binary_search_by_key(&dimension, |side| side.0) {
            Ok(at) => {
                if let Some((_, held)) = self.0.get_mut(at) {
                    held.keep(&values);
                }
            }
            Err(at) => self.0.insert(at, (dimension, values)),
        }
        self
    }

    /// What both have.
    #[must_use]
    pub(super) fn and(self, other: &Self) -> Self {
        other.0.iter().fold(self, |all, (dimension, values)| {
            all.with(*dimension, values.clone())
        })
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().any(|(_, values)| values.is_empty())
    }

    /// The dimensions that it narrows.
    pub(super) fn sides(&self) -> impl Iterator<Item = (usize, &Bits)> {
        self.0
            .iter()
            .map(|(dimension, values)| (*dimension, values))
    }

    /// Its values of one dimension; `None` is every value.
    pub(super) fn side(&self, dimension: usize) -> Option<&Bits> {
        let at = self
            .0
            .binary_search_by_key(&dimension, |side| side.0)
            .ok()?;
        self.0.get(at).map(|(_, values)| values)
    }

    /// The dimensions in which it has nothing of the product.
    pub(super) fn misses<'s>(&'s self, product: &'s Product) -> impl Iterator<Item = usize> + 's {
        self.sides()
            .filter(|(dimension, values)| {
                product
                    .get(*dimension)
                    .is_none_or(|held| !held.meets(values))
            })
            .map(|(dimension, _)| dimension)
    }

    /// Whether it has something of the product.
    pub(super) fn meets(&self, product: &Product) -> bool {
        self.misses(product).next().is_none()
    }

    /// Whether it has a point, given by one value for each dimension.
    #[cfg(test)]
    pub(super) fn has(&self, point: &[usize]) -> bool {
        self.sides()
            .all(|(dimension, values)| point.get(dimension).is_some_and(|&value| values.has(value)))
    }
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Search {
    /// Every point is in some box.
    Covered,
    /// A product of which no point is in any box.
    Open(Product),
    /// The budget was used up before either was certain.
    Spent,
}

/// Looks for a part of `space` that is in none of the boxes. Each box that is looked at costs one step of the budget.
pub(super) fn find_open(space: &Product, boxes: &[Region], budget: &mut u64) -> Search {
    let active = (0..boxes.len()).collect();
    if space.iter().any(Bits::is_empty) {
        return Search::Covered;
    }
    descend(space.clone(), active, boxes, budget)
}

/// Where a box can be left, at most as many as it takes to choose the box with the fewest.
struct Exits {
    region: usize,
    dimensions: Vec<usize>,
}

fn descend(
    mut rest: Product,
    mut active: Vec<usize>,
    boxes: &[Region],
    budget: &mut u64,
) -> Search {
    let exits = loop {
        let mut changed = false;
        let mut fewest: Option<Exits> = None;
        let mut kept = Vec::with_capacity(active.len());
        for &index in &active {
            if *budget == 0 {
                return Search::Spent;
            }
            *budget -= 1;
            let Some(region) = boxes.get(index) else {
                continue;
            };
            match ways_out(region, &rest) {
                Ways::Outside => {}
                Ways::Out(dimensions) => match dimensions.as_slice() {
                    [] => return Search::Covered,
                    [only] => {
                        if let (Some(values), Some(held)) =
                            (region.side(*only), rest.get_mut(*only))
                        {
                            held.cut(values);
                        }
                        changed = true;
                    }
                    _ => {
                        kept.push(index);
                        if fewest
                            .as_ref()
                            .is_none_or(|best| dimensions.len() < best.dimensions.len())
                        {
                            fewest = Some(Exits {
                                region: index,
                                dimensions,
                            });
                        }
                    }
                },
            }
        }
        active = kept;
        if !changed {
            break fewest;
        }
    };
    let Some(exits) = exits else {
        return Search::Open(rest);
    };
    let Some(region) = boxes.get(exits.region) else {
        return Search::Open(rest);
    };
    // Disjoint: leave it in the first dimension; or stay in it there and leave it in the second; and so on.
    active.retain(|&index| index != exits.region);
    for dimension in exits.dimensions {
        let Some(values) = region.side(dimension) else {
            continue;
        };
        let mut branch = rest.clone();
        if let Some(held) = branch.get_mut(dimension) {
            held.cut(values);
        }
        match descend(branch, active.clone(), boxes, budget) {
            Search::Covered => {}
            found => return found,
        }
        if let Some(held) = rest.get_mut(dimension) {
            held.keep(values);
        }
    }
    Search::Covered
}

enum Ways {
    /// Nothing of the product is in the box.
    Outside,
    /// The dimensions in which the product goes beyond the box.
    Out(Vec<usize>),
}

fn ways_out(region: &Region, rest: &Product) -> Ways {
    let mut out = Vec::new();
    for (dimension, values) in region.sides() {
        let Some(held) = rest.get(dimension) else {
            continue;
        };
        if !held.meets(values) {
            return Ways::Outside;
        }
        if !held.within(values) {
            out.push(dimension);
        }
    }
    Ways::Out(out)
}

/// Widens an open product as far as it stays open: dimension by dimension in the order given, every value of `space` that no box
/// forbids. No value can be added to the result in any of these dimensions.
pub(super) fn widen(
    open: &mut Product,
    space: &Product,
    boxes: &[Region],
    order: impl IntoIterator<Item = usize>,
) {
    for dimension in order {
        let Some(whole) = space.get(dimension) else {
            continue;
        };
        let mut free = whole.clone();
        for region in boxes {
            // Only a box that is left in this dimension alone stands in the way.
            let elsewhere = region.misses(open).any(|missed| missed != dimension);
            if elsewhere {
                continue;
            }
            if let Some(values) = region.side(dimension) {
                free.cut(values);
            }
        }
        if let Some(held) = open.get_mut(dimension) {
            held.add(&free);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZES: [usize; 4] = [3, 2, 4, 3];

    fn product() -> Product {
        SIZES.iter().map(|&size| Bits::all(size)).collect()
    }

    fn points() -> Vec<Vec<usize>> {
        let mut points = vec![Vec::new()];
        for size in SIZES {
            points = points
                .into_iter()
                .flat_map(|point| (0..size).map(move |value| [point.clone(), vec![value]].concat()))
                .collect();
        }
        points
    }

    fn a_region() -> impl Strategy<Value = Region> {
        proptest::collection::vec((any::<bool>(), 0_u8..16), SIZES.len()).prop_map(|sides| {
            sides
                .into_iter()
                .enumerate()
                .filter(|(_, (narrowed, _))| *narrowed)
                .fold(Region::whole(), |region, (dimension, (_, mask))| {
                    let size = SIZES.get(dimension).copied().unwrap_or_default();
                    region.with(dimension, Bits::of(size, |value| mask >> value & 1 == 1))
                })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        /// Point by point: an open product has no covered point and cannot grow; a covered space has no open point.
        #[test]
        fn it_agrees_with_looking_at_every_point(boxes in proptest::collection::vec(a_region(), 0..9)) {
            let space = product();
            let covered = |point: &Vec<usize>| boxes.iter().any(|region| region.has(point));
            match find_open(&space, &boxes, &mut 1_000_000) {
                Search::Covered => prop_assert!(points().iter().all(covered)),
                Search::Spent => prop_assert!(false, "so few boxes cannot use up the budget"),
                Search::Open(mut open) => {
                    let inside = |open: &Product, point: &[usize]| open.iter().zip(point).all(|(side, &value)| side.has(value));
                    prop_assert!(!open.iter().any(Bits::is_empty));
                    prop_assert!(points().iter().filter(|point| inside(&open, point)).all(|point| !covered(point)));
                    widen(&mut open, &space, &boxes, 0..SIZES.len());
                    prop_assert!(points().iter().filter(|point| inside(&open, point)).all(|point| !covered(point)));
                    for dimension in 0..SIZES.len() {
                        let out = open.get(dimension).map_or(Bits::none(0), Bits::not);
                        for value in out.iter() {
                            let mut wider = open.clone();
                            if let Some(side) = wider.get_mut(dimension) { side.insert(value); }
                            prop_assert!(points().iter().any(|point| inside(&wider, point) && covered(point)), "it could grow");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_budget_that_is_used_up_is_told() {
        let boxes = [Region::whole()
            .with(0, Bits::one(3, 0))
            .with(1, Bits::one(2, 0))];
        assert_eq!(find_open(&product(), &boxes, &mut 0), Search::Spent);
        assert!(matches!(
            find_open(&product(), &boxes, &mut 10),
            Search::Open(_)
        ));
    }

    #[test]
    fn nothing_is_covered_by_nothing() {
        let mut space = product();
        if let Some(first) = space.first_mut() {
            *first = Bits::none(3);
        }
        assert_eq!(find_open(&space, &[], &mut 10), Search::Covered);
    }
}
