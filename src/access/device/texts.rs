//! The texts that the tests on one attribute can tell apart.

use super::{Comparison, Literal, fold};
use crate::access::bits::Bits;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// More texts than this are not listed for one attribute.
const MOST: usize = 512;

/// Every literal that one attribute is compared with, by kind of comparison.
#[derive(Debug, Clone, Default)]
pub(super) struct Probes {
    equals: Kind,
    starts: Kind,
    ends: Kind,
    contains: Kind,
}

/// Literals in order, each once.
type Kind = BTreeMap<String, Literal>;

impl Probes {
    pub(super) fn add(&mut self, comparison: &Comparison) {
        let (kind, literals) = match comparison {
            Comparison::Is(literals) => (&mut self.equals, literals.as_slice()),
            Comparison::StartsWith(literal) => (&mut self.starts, std::slice::from_ref(literal)),
            Comparison::EndsWith(literal) => (&mut self.ends, std::slice::from_ref(literal)),
            Comparison::Contains(literal) => (&mut self.contains, std::slice::from_ref(literal)),
        };
        for literal in literals {
            kind.entry(literal.folded.clone())
                .or_insert_with(|| literal.clone());
        }
    }

    /// Whether every literal of the comparison is here.
    fn know(&self, comparison: &Comparison) -> bool {
        let (kind, literals) = match comparison {
            Comparison::Is(literals) => (&self.equals, literals.as_slice()),
            Comparison::StartsWith(literal) => (&self.starts, std::slice::from_ref(literal)),
            Comparison::EndsWith(literal) => (&self.ends, std::slice::from_ref(literal)),
            Comparison::Contains(literal) => (&self.contains, std::slice::from_ref(literal)),
        };
        literals
            .iter()
            .all(|literal| kind.contains_key(&literal.folded))
    }

    fn len(&self) -> usize {
        self.equals.len() + self.starts.len() + self.ends.len() + self.contains.len()
    }

    /// Which literals hold of a text in small letters: those for `eq` first, then prefixes, suffixes and parts.
    fn holding(&self, text: &str) -> Bits {
        let equals = self.equals.keys().map(|literal| literal == text);
        let starts = self
            .starts
            .keys()
            .map(|literal| text.starts_with(literal.as_str()));
        let ends = self
            .ends
            .keys()
            .map(|literal| text.ends_with(literal.as_str()));
        let contains = self
            .contains
            .keys()
            .map(|literal| text.contains(literal.as_str()));
        let all = equals.chain(starts).chain(ends).chain(contains);
        let mut found = Bits::none(self.len());
        for (index, holds) in all.enumerate() {
            if holds {
                found.insert(index);
            }
        }
        found
    }

    /// A character that is in none of the literals.
    fn joiner(&self) -> char {
        let kinds = [&self.equals, &self.starts, &self.ends, &self.contains];
        let used: BTreeSet<char> = kinds
            .iter()
            .flat_map(|kind| kind.keys())
            .flat_map(|literal| literal.chars())
            .collect();
        // The readable ones first, then those for private use, which nobody writes; the literals cannot have all of them.
        "-_ .~0x"
            .chars()
            .chain('\u{e000}'..='\u{10ffff}')
            .find(|character| !used.contains(character))
            .unwrap_or('\0')
    }
}

/// One text for every set of literals that can hold together, and which text stands for which set.
///
/// Why these are all: take any text that is none of the `eq` literals, its longest prefix among the literals, its longest suffix,
/// and the parts it contains, and join them by a character that is in no literal. A literal holds of the joined text only if it lies
/// in one of the pieces, so it held of the first text already; and what held of that lies in one of the pieces.
#[derive(Debug, Clone)]
pub(super) struct Texts {
    probes: Probes,
    /// As they are shown, and in small letters.
    values: Vec<Literal>,
    by_holding: BTreeMap<Bits, usize>,
}

impl Texts {
    /// `None` when there are too many. `plain` is tried first where no literal is to hold.
    pub(super) fn read(probes: Probes, plain: &str) -> Option<Self> {
        let bases = (probes.starts.len() + 1).saturating_mul(probes.ends.len() + 1);
        if bases > MOST || probes.equals.len() > MOST || probes.contains.len() > MOST {
            return None;
        }
        let joiner = probes.joiner();
        let mut texts = Self {
            probes: Probes::default(),
            values: Vec::new(),
            by_holding: BTreeMap::new(),
        };
        for literal in probes.equals.values() {
            texts.add(literal.clone(), probes.holding(&literal.folded));
        }
        let inside: Vec<Bits> = probes
            .contains
            .keys()
            .map(|literal| probes.parts_of(literal))
            .collect();
        let mut open = VecDeque::new();
        let nothing = String::new();
        for start in std::iter::once(&nothing).chain(probes.starts.keys()) {
            for end in std::iter::once(&nothing).chain(probes.ends.keys()) {
                open.push_back(probes.holding(&format!("{start}{joiner}{end}")));
            }
        }
        while let Some(holding) = open.pop_front() {
            if texts.by_holding.contains_key(&holding) {
                continue;
            }
            if texts.values.len() == MOST {
                return None;
            }
            for part in &inside {
                if !part.within(&holding) {
                    open.push_back(holding.clone().or(part));
                }
            }
            texts.add(probes.text(&holding, joiner, plain), holding);
        }
        texts.probes = probes;
        Some(texts)
    }

    fn add(&mut self, literal: Literal, holding: Bits) {
        self.by_holding.insert(holding, self.values.len());
        self.values.push(literal);
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// As it is shown.
    pub(super) fn written(&self, value: usize) -> Option<&str> {
        self.values
            .get(value)
            .map(|literal| literal.written.as_str())
    }

    /// Which text stands for this one, given in small letters.
    pub(super) fn locate(&self, text: &str) -> usize {
        self.by_holding
            .get(&self.probes.holding(text))
            .copied()
            .expect("every set of literals that holds of a text has its representative")
    }

    /// Of which texts the comparison holds; `None` if it was not among those that were read.
    pub(super) fn holding(&self, comparison: &Comparison) -> Option<Vec<bool>> {
        let hold = |literal: &Literal| comparison.holds(&literal.folded);
        self.probes
            .know(comparison)
            .then(|| self.values.iter().map(hold).collect())
    }
}

impl Probes {
    /// Which literals for `contains` hold of a text, as [`Probes::holding`] numbers them.
    fn parts_of(&self, text: &str) -> Bits {
        let first = self.len() - self.contains.len();
        let mut found = self.holding(text);
        for index in 0..first {
            found.remove(index);
        }
        found
    }

    /// A text of which exactly these literals hold: short and readable if possible. None of them is one for `eq`.
    fn text(&self, holding: &Bits, joiner: char, plain: &str) -> Literal {
        let longest = |kind: &Kind, first: usize| {
            kind.values()
                .enumerate()
                .filter(|(index, _)| holding.has(first + index))
                .max_by_key(|(_, literal)| literal.folded.len())
                .map_or_else(String::new, |(_, literal)| literal.written.clone())
        };
        let starts = self.equals.len();
        let ends = starts + self.starts.len();
        let contains = ends + self.ends.len();
        let start = longest(&self.starts, starts);
        let end = longest(&self.ends, ends);
        let parts: Vec<&Literal> = self
            .contains
            .values()
            .enumerate()
            .filter(|(index, _)| holding.has(contains + index))
            .map(|(_, literal)| literal)
            .collect();
        let (folded_start, folded_end) = (fold(&start), fold(&end));
        let needed = |literal: &&&Literal| {
            let inside = |other: &str| other.contains(&literal.folded);
            !inside(&folded_start)
                && !inside(&folded_end)
                && !parts
                    .iter()
                    .any(|other| other.folded != literal.folded && inside(&other.folded))
        };
        let parts: Vec<&str> = parts
            .iter()
            .filter(needed)
            .map(|literal| literal.written.as_str())
            .collect();
        let joiner = joiner.to_string();
        let pieces = || {
            std::iter::once(start.as_str())
                .chain(parts.iter().copied())
                .chain([end.as_str()])
        };
        let some: Vec<&str> = pieces().filter(|piece| !piece.is_empty()).collect();
        let every: Vec<&str> = pieces().collect();
        let candidates = [plain.to_owned(), some.concat(), some.join(&joiner)];
        candidates
            .into_iter()
            .filter(|text| !text.is_empty())
            .map(Literal::from)
            .find(|literal| self.holding(&literal.folded) == *holding)
            .unwrap_or_else(|| Literal::from(every.join(&joiner)))
    }
}
