//! A rule as alternatives of sets of values: the boxes it stands for.

use super::dimensions::{Dimensions, HIDDEN, REGISTRATION, UNREGISTERED};
use super::{Node, Rule, Test};
use crate::access::bits::Bits;
use std::collections::{BTreeMap, BTreeSet};

/// A rule with more alternatives than this is not taken apart.
const MOST: usize = 4096;

/// Alternatives may be this many for a moment, before those that others contain are dropped.
const MOST_ON_THE_WAY: usize = 4 * MOST;

/// Values that each named dimension must have; all others may have any. In the order of the dimensions.
pub(in crate::access) type Term = Vec<(usize, Bits)>;

/// A rule as alternatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::access) struct Terms {
    /// Devices that match for certain.
    pub(in crate::access) must: Vec<Term>,
    /// Devices that may match; those of `must` among them.
    pub(in crate::access) may: Vec<Term>,
}

/// What is asked of a part of a rule.
#[derive(Clone, Copy)]
struct Wanted {
    /// Whether it is to hold or not to hold.
    holds: bool,
    /// Whether for certain, or perhaps.
    certain: bool,
}

impl Dimensions {
    /// The alternatives of a rule, or of its opposite. `None` if there are more than 4,096. Only for rules that the dimensions
    /// were read from: tests of others count as unknown.
    pub(in crate::access) fn terms(&self, rule: &Rule, negated: bool) -> Option<Terms> {
        let part = |certain| {
            let holds = !negated;
            self.part(&rule.root, Wanted { holds, certain })
        };
        Some(Terms {
            must: part(true)?,
            may: part(false)?,
        })
    }

    fn part(&self, node: &Node, wanted: Wanted) -> Option<Vec<Term>> {
        match (node, wanted.holds) {
            (Node::Test(test), _) => Some(reduced(self.test(test, wanted))),
            (Node::Unknown, _) => Some(if wanted.certain { vec![] } else { vec![vec![]] }),
            (Node::Not(inner), holds) => {
                let holds = !holds;
                self.part(inner, Wanted { holds, ..wanted })
            }
            (Node::And(parts), true) | (Node::Or(parts), false) => {
                let factors = parts.iter().map(|part| self.part(part, wanted));
                let mut factors = factors.collect::<Option<Vec<_>>>()?;
                factors.sort_by_key(Vec::len); // the product grows as late as it can
                let product = |all: Vec<Term>, factor: &Vec<Term>| both(&all, factor);
                factors.iter().try_fold(vec![vec![]], product)
            }
            (Node::And(parts), false) | (Node::Or(parts), true) => {
                let mut any = Vec::new();
                for part in parts {
                    any.extend(self.part(part, wanted)?);
                    if any.len() > MOST {
                        any = limited(any)?;
                    }
                }
                limited(any)
            }
        }
    }

    fn test(&self, test: &Test, wanted: Wanted) -> Vec<Term> {
        let registration = |has: &dyn Fn(usize) -> bool| {
            let size = self.size(REGISTRATION);
            (REGISTRATION, Bits::of(size, has))
        };
        let Some((dim, holding)) = self.holding(test) else {
            // Without a dimension only this is known: without a value a negative test is true, a positive one false.
            return match (test.negative == wanted.holds, wanted.certain) {
                (true, true) => vec![vec![registration(&|value| value == UNREGISTERED)]],
                (true, false) => vec![vec![]],
                (false, true) => vec![],
                (false, false) => vec![vec![registration(&|value| value != UNREGISTERED)]],
            };
        };
        let values = if test.negative == wanted.holds {
            holding.not()
        } else {
            holding
        };
        let here = vec![(dim, values.clone())];
        if !(test.negative && test.attribute.is_extension()) {
            return vec![here];
        }
        // A negative test on a hidden attribute is unknown; hidden attributes have no value here.
        match (wanted.certain, wanted.holds) {
            (true, _) => vec![vec![registration(&|value| value != HIDDEN), (dim, values)]],
            (false, true) => vec![here],
            (false, false) => vec![here, vec![registration(&|value| value == HIDDEN)]],
        }
    }
}

/// What is in one of the left and in one of the right.
fn both(left: &[Term], right: &[Term]) -> Option<Vec<Term>> {
    if left.len().saturating_mul(right.len()) > MOST_ON_THE_WAY {
        return None;
    }
    let pairs = left
        .iter()
        .flat_map(|left| right.iter().map(move |right| (left, right)));
    limited(pairs.map(|(left, right)| meet(left, right)).collect())
}

fn meet(left: &Term, right: &Term) -> Term {
    let mut all: BTreeMap<usize, Bits> = left.iter().cloned().collect();
    for (dim, values) in right {
        all.entry(*dim)
            .and_modify(|ours| ours.keep(values))
            .or_insert_with(|| values.clone());
    }
    all.into_iter().collect()
}

fn limited(terms: Vec<Term>) -> Option<Vec<Term>> {
    let terms = reduced(terms);
    (terms.len() <= MOST).then_some(terms)
}

/// The same devices in fewer terms: none empty, none within another, and those that differ in one dimension only made one.
fn reduced(terms: Vec<Term>) -> Vec<Term> {
    let mut kept: BTreeSet<Term> = terms.into_iter().filter_map(tidy).collect();
    let dims: BTreeSet<usize> = kept.iter().flatten().map(|(dim, _)| *dim).collect();
    for dim in dims {
        let mut merged: BTreeMap<Term, Bits> = BTreeMap::new();
        let mut rest = BTreeSet::new();
        for mut term in kept {
            match term.iter().position(|(other, _)| *other == dim) {
                None => _ = rest.insert(term),
                Some(at) => {
                    let (_, values) = term.remove(at);
                    merged
                        .entry(term)
                        .and_modify(|ours| ours.add(&values))
                        .or_insert(values);
                }
            }
        }
        let merged = merged.into_iter().filter_map(|(mut term, values)| {
            let at = term.partition_point(|(other, _)| *other < dim);
            term.insert(at, (dim, values));
            tidy(term)
        });
        rest.extend(merged);
        kept = rest;
    }
    if kept.len() > MOST {
        return kept.into_iter().collect(); // too many anyhow
    }
    let mut terms: Vec<Term> = kept.into_iter().collect();
    terms.sort_by_key(Vec::len); // a term lies in none that names more dimensions
    // Most pairs name different dimensions: then one look at a mask says that neither lies in the other.
    let mask = |term: &Term| {
        term.iter()
            .fold(0_u128, |mask, (dim, _)| mask | 1 << (dim % 128))
    };
    let mut found: Vec<(u128, Term)> = Vec::new();
    for term in terms {
        let ours = mask(&term);
        let holds = |(theirs, other): &(u128, Term)| theirs & !ours == 0 && lies_in(&term, other);
        if !found.iter().any(holds) {
            found.push((ours, term));
        }
    }
    let mut found: Vec<Term> = found.into_iter().map(|(_, term)| term).collect();
    found.sort();
    found
}

/// Without the dimensions that may have any value; none if one can have none.
fn tidy(mut term: Term) -> Option<Term> {
    if term.iter().any(|(_, values)| values.is_empty()) {
        return None;
    }
    term.retain(|(_, values)| !values.is_all());
    Some(term)
}

fn lies_in(inner: &Term, outer: &Term) -> bool {
    let mut inner = inner.iter();
    outer.iter().all(|(dim, values)| {
        inner
            .find(|(other, _)| other >= dim)
            .is_some_and(|(other, ours)| other == dim && ours.within(values))
    })
}
