//! Breaking the chain: how a long list is cut into disjoint parts that can be read side by side.
//!
//! The pages of one list come one after the other by contract, because only a page tells where the next one is. Filters that exclude
//! each other give several such chains. Whatever order the server sorts by, half-open ranges of one key are disjoint and leave
//! nothing out; that the server really filtered is checked row by row, and the parts are checked against a count of the whole.
//! Only filters are used that Graph documents for the property (`ge`, `le`, `startsWith`, `eq`).

use std::collections::BTreeSet;

use crate::graph::odata::quote;
use crate::snapshot::Shard;

/// By which property a list can be cut, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Partition {
    /// Into ranges of a text that every row has.
    Ranges(&'static str),
    /// By the first digits of a GUID.
    Digits(&'static str),
    /// By the values of an enumeration, all of them named here.
    Values(&'static str, &'static [&'static str]),
}

/// Characters that boundaries are made of: their order is the same in every collation that could matter.
const ALPHABET: &str = "0123456789abcdefghijklmnopqrstuvwxyz";
const HEX: &str = "0123456789abcdef";
/// Boundaries are at most this long.
const LONGEST: usize = 12;

impl Partition {
    /// The property that tells rows apart.
    pub(super) const fn property(self) -> &'static str {
        match self {
            Self::Ranges(property) | Self::Digits(property) | Self::Values(property, _) => property,
        }
    }

    /// The filter that selects a part.
    pub(super) fn filter(self, shard: &Shard) -> String {
        let property = self.property();
        match shard {
            Shard::Range { from, to } => {
                // Graph documents no `lt`: a boundary is no key of a user (it has no `@`), and a row that is called exactly like a
                // boundary comes in both parts and is known the second time.
                let ends = [("ge", from), ("le", to)];
                let ends: Vec<String> = ends
                    .into_iter()
                    .filter_map(|(operator, end)| {
                        Some(format!("{property} {operator} {}", quote(end.as_ref()?)))
                    })
                    .collect();
                ends.join(" and ")
            }
            Shard::Prefix(start) => format!("startsWith({property},{})", quote(start)),
            Shard::Value(value) => format!("{property} eq {}", quote(value)),
        }
    }

    /// The first cut of a list: into about `parts`, guided by keys that were seen of it.
    pub(super) fn cut(self, keys: &[String], parts: usize) -> Vec<Shard> {
        match self {
            Self::Ranges(_) => cut_range(None, None, keys, parts),
            Self::Digits(_) => prefixes(""),
            Self::Values(_, values) => values
                .iter()
                .map(|&value| Shard::Value(value.to_owned()))
                .collect(),
        }
    }

    /// What is left of the list beside these parts, which are disjoint.
    pub(super) fn rest<'a>(self, known: impl Iterator<Item = &'a Shard>) -> Vec<Shard> {
        match self {
            Self::Ranges(_) => gaps(known),
            Self::Digits(_) => {
                let known: BTreeSet<&str> = known
                    .filter_map(|shard| match shard {
                        Shard::Prefix(start) => Some(start.as_str()),
                        _ => None,
                    })
                    .collect();
                let mut rest = Vec::new();
                uncovered("", &known, &mut rest);
                rest
            }
            Self::Values(_, values) => {
                let known: BTreeSet<&Shard> = known.collect();
                values
                    .iter()
                    .map(|&value| Shard::Value(value.to_owned()))
                    .filter(|shard| !known.contains(shard))
                    .collect()
            }
        }
    }
}

/// Cuts a part that turned out too long into smaller ones; nothing where it cannot be cut.
pub(super) fn split(shard: &Shard, keys: &[String], parts: usize) -> Vec<Shard> {
    let smaller = match shard {
        Shard::Range { from, to } => cut_range(from.as_deref(), to.as_deref(), keys, parts),
        Shard::Prefix(start) if start.len() < 4 => prefixes(start),
        Shard::Prefix(_) | Shard::Value(_) => Vec::new(),
    };
    if smaller.len() < 2 {
        Vec::new()
    } else {
        smaller
    }
}

/// Whether a row with this key belongs to the part; `None` where that rests on how the server sorts.
pub(super) fn holds(shard: &Shard, key: &str) -> Option<bool> {
    match shard {
        Shard::Range { from, to } => {
            let above = from.as_deref().map_or(Some(true), |from| {
                Some(order(key, from)? != std::cmp::Ordering::Less)
            });
            // A row that is called like the boundary is let through: the filter says `le`.
            let below = to.as_deref().map_or(Some(true), |to| {
                Some(order(key, to)? != std::cmp::Ordering::Greater)
            });
            match (above, below) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            }
        }
        Shard::Prefix(start) => Some(
            key.get(..start.len())
                .is_some_and(|begins| begins.eq_ignore_ascii_case(start)),
        ),
        Shard::Value(value) => Some(key.eq_ignore_ascii_case(value)),
    }
}

/// Whether one part lies inside another, or is it.
pub(super) fn contains(outer: &Shard, inner: &Shard) -> bool {
    match (outer, inner) {
        (
            Shard::Range { from, to },
            Shard::Range {
                from: inner_from,
                to: inner_to,
            },
        ) => {
            let ends_before = match (inner_to, to) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(inner_to), Some(to)) => inner_to <= to,
            };
            from <= inner_from && ends_before
        }
        (Shard::Prefix(outer), Shard::Prefix(inner)) => inner.starts_with(outer.as_str()),
        _ => outer == inner,
    }
}

/// How a key stands to a boundary, where no collation can see it otherwise: at the first difference both have a letter or
/// digit, or one of them ends.
fn order(key: &str, boundary: &str) -> Option<std::cmp::Ordering> {
    let mut key = key.bytes().map(|byte| byte.to_ascii_lowercase());
    for ours in boundary.bytes() {
        match key.next() {
            None => return Some(std::cmp::Ordering::Less),
            Some(theirs) if theirs == ours => {}
            Some(theirs) if theirs.is_ascii_alphanumeric() => return Some(theirs.cmp(&ours)),
            Some(_) => return None,
        }
    }
    match key.next() {
        None => Some(std::cmp::Ordering::Equal),
        Some(next) if next.is_ascii_alphanumeric() => Some(std::cmp::Ordering::Greater),
        // Some collations pass over a hyphen or an apostrophe.
        Some(_) => None,
    }
}

fn prefixes(start: &str) -> Vec<Shard> {
    HEX.chars()
        .map(|digit| Shard::Prefix(format!("{start}{digit}")))
        .collect()
}

/// The shortest prefixes below `start` that no known one covers.
fn uncovered(start: &str, known: &BTreeSet<&str>, rest: &mut Vec<Shard>) {
    for digit in HEX.chars() {
        let next = format!("{start}{digit}");
        if known.contains(next.as_str()) {
            continue;
        }
        if known.iter().any(|known| known.starts_with(&next)) {
            uncovered(&next, known, rest);
        } else {
            rest.push(Shard::Prefix(next));
        }
    }
}

/// The ranges between known ones.
fn gaps<'a>(known: impl Iterator<Item = &'a Shard>) -> Vec<Shard> {
    let mut ranges: Vec<(Option<&str>, Option<&str>)> = known
        .filter_map(|shard| match shard {
            Shard::Range { from, to } => Some((from.as_deref(), to.as_deref())),
            _ => None,
        })
        .collect();
    ranges.sort_unstable();
    let mut gaps = Vec::new();
    // Up to where everything is known; the outer `None` is the open end.
    let mut reached: Option<Option<&str>> = Some(None);
    for (from, to) in ranges {
        let Some(at) = reached else { break };
        if from > at {
            gaps.push(Shard::range(at, from));
        }
        reached = match to {
            None => None,
            Some(to) if Some(to) > at => Some(Some(to)),
            Some(_) => Some(at),
        };
    }
    if let Some(at) = reached {
        gaps.push(Shard::range(at, None));
    }
    gaps
}

/// Cuts a range at boundaries that divide it evenly, as far as that can be known.
fn cut_range(from: Option<&str>, to: Option<&str>, keys: &[String], parts: usize) -> Vec<Shard> {
    let wanted = parts.max(2) - 1;
    let inside = |boundary: &str| {
        from.is_none_or(|from| boundary > from) && to.is_none_or(|to| boundary < to)
    };
    let mut boundaries = if is_sorted(keys) {
        // A list that comes sorted shows its beginning only.
        BTreeSet::new()
    } else {
        quantiles(keys, wanted, &inside)
    };
    if boundaries.len() * 2 < wanted {
        boundaries = grid(from, to, wanted, &inside);
    }
    let mut shards = Vec::with_capacity(boundaries.len() + 1);
    let mut start = from;
    for boundary in &boundaries {
        shards.push(Shard::range(start, Some(boundary)));
        start = Some(boundary);
    }
    shards.push(Shard::range(start, to));
    shards
}

/// Nine in ten neighbours in order: the server sorts by this key.
fn is_sorted(keys: &[String]) -> bool {
    let in_order = keys.windows(2).filter(|pair| match pair {
        [left, right] => left <= right,
        _ => true,
    });
    keys.len() < 2 || in_order.count() * 10 >= (keys.len() - 1) * 9
}

/// Boundaries at even distances through a sample of keys.
fn quantiles(keys: &[String], wanted: usize, inside: &impl Fn(&str) -> bool) -> BTreeSet<String> {
    let mut sample: Vec<String> = keys.iter().map(|key| plain_start(key)).collect();
    sample.sort_unstable();
    (1..=wanted)
        .filter_map(|number| sample.get(number * sample.len() / (wanted + 1)))
        .filter(|boundary| !boundary.is_empty() && inside(boundary))
        .cloned()
        .collect()
}

/// The letters and digits that a key begins with.
fn plain_start(key: &str) -> String {
    key.chars()
        .map(|character| character.to_ascii_lowercase())
        .take_while(char::is_ascii_alphanumeric)
        .take(LONGEST)
        .collect()
}

/// Boundaries at even distances through the letters that can follow what all keys of the range have in common.
fn grid(
    from: Option<&str>,
    to: Option<&str>,
    wanted: usize,
    inside: &impl Fn(&str) -> bool,
) -> BTreeSet<String> {
    let (lower, upper) = (from.unwrap_or_default(), to.unwrap_or_default());
    let common: String = lower
        .chars()
        .zip(upper.chars())
        .take_while(|(left, right)| left == right)
        .map(|(left, _)| left)
        .collect();
    let starts = BTreeSet::from([common.as_str(), lower]);
    let candidates: BTreeSet<String> = starts
        .iter()
        .filter(|start| start.len() < LONGEST)
        .flat_map(|start| ALPHABET.chars().map(move |next| format!("{start}{next}")))
        .filter(|boundary| inside(boundary))
        .collect();
    if candidates.len() <= wanted {
        return candidates;
    }
    let all: Vec<String> = candidates.into_iter().collect();
    (1..=wanted)
        .filter_map(|number| all.get(number * all.len() / (wanted + 1)))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: Partition = Partition::Ranges("userPrincipalName");
    const DEVICES: Partition = Partition::Digits("deviceId");
    const GRANTS: Partition = Partition::Values("consentType", &["AllPrincipals", "Principal"]);

    fn keys(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|&key| key.to_owned()).collect()
    }

    /// Parts of a range meet end to end from one open end to the other.
    #[track_caller]
    fn assert_covers(shards: &[Shard], from: Option<&str>, to: Option<&str>) {
        let mut at = from.map(str::to_owned);
        for (number, shard) in shards.iter().enumerate() {
            let Shard::Range { from, to: end } = shard else {
                panic!("{shard:?} is no range");
            };
            assert_eq!(*from, at, "{shards:?}");
            assert!(end.is_some() || number + 1 == shards.len(), "{shards:?}");
            assert!(end.is_none() || *end > at, "{shards:?}");
            at.clone_from(end);
        }
        assert_eq!(at.as_deref(), to, "{shards:?}");
    }

    #[test]
    fn a_sample_in_no_order_gives_even_boundaries() {
        let sample = keys(&["m@x", "a@x", "z@x", "k@x", "c@x", "Q@x", "e@x", "b@x"]);
        let shards = USERS.cut(&sample, 4);
        assert_covers(&shards, None, None);
        assert_eq!(
            shards,
            [
                Shard::range(None, Some("c")),
                Shard::range(Some("c"), Some("k")),
                Shard::range(Some("k"), Some("q")),
                Shard::range(Some("q"), None),
            ]
        );
    }

    #[test]
    fn a_sorted_sample_says_nothing_about_the_rest() {
        let sample = keys(&["a1@x", "a2@x", "a3@x", "a4@x"]);
        let shards = USERS.cut(&sample, 4);
        assert_covers(&shards, None, None);
        assert_eq!(
            shards,
            [
                Shard::range(None, Some("9")),
                Shard::range(Some("9"), Some("i")),
                Shard::range(Some("i"), Some("r")),
                Shard::range(Some("r"), None),
            ]
        );
    }

    #[test]
    fn every_split_covers_what_it_splits() {
        for (from, to) in [
            (None, Some("0")),
            (None, Some("1")),
            (Some("a"), Some("b")),
            (Some("mz"), Some("n")),
            (Some("m"), Some("mb")),
            (Some("z"), None),
            (None, None),
            (Some("anna"), Some("annb")),
        ] {
            for parts in [2, 3, 40, 1_000] {
                let shard = Shard::range(from, to);
                let split = split(&shard, &[], parts);
                if split.is_empty() {
                    assert_eq!((from, to), (None, Some("0")), "nothing stands before 0");
                    continue;
                }
                assert_covers(&split, from, to);
            }
        }
        assert_eq!(
            split(
                &Shard::range(Some("aaaaaaaaaaaa"), Some("aaaaaaaaaaab")),
                &[],
                4
            ),
            [],
            "as narrow as it gets"
        );
    }

    #[test]
    fn filters_use_documented_operators() {
        assert_eq!(
            USERS.filter(&Shard::range(Some("a"), Some("o'b"))),
            "userPrincipalName ge 'a' and userPrincipalName le 'o''b'"
        );
        assert_eq!(
            USERS.filter(&Shard::range(None, Some("b"))),
            "userPrincipalName le 'b'"
        );
        assert_eq!(
            DEVICES.filter(&Shard::Prefix("3f".to_owned())),
            "startsWith(deviceId,'3f')"
        );
        assert_eq!(
            GRANTS.filter(&Shard::Value("Principal".to_owned())),
            "consentType eq 'Principal'"
        );
    }

    #[test]
    fn rows_outside_are_told_from_rows_that_only_the_server_can_place() {
        let shard = Shard::range(Some("anna"), Some("bo"));
        for (key, inside) in [
            ("anna", Some(true)),
            ("Anna.Berg@x", None), // a collation may pass over the dot; it never leads below the boundary by a letter
            ("annab@x", Some(true)),
            ("ann", Some(false)),
            ("bo", Some(true)),
            ("bob@x", Some(false)),
            ("bn@x", Some(true)),
            ("c@x", Some(false)),
            ("'t@x", None),
            ("Élodie", None),
        ] {
            assert_eq!(holds(&shard, key), inside, "{key}");
        }
        assert_eq!(holds(&Shard::Prefix("3f".to_owned()), "3F00"), Some(true));
        assert_eq!(holds(&Shard::Prefix("3f".to_owned()), "4f00"), Some(false));
        assert_eq!(
            holds(&Shard::Value("Principal".to_owned()), "principal"),
            Some(true)
        );
    }

    #[test]
    fn the_rest_is_what_no_part_covers() {
        let rest = |known: &[Shard]| USERS.rest(known.iter());
        assert_eq!(rest(&[]), [Shard::range(None, None)]);
        assert_eq!(
            rest(&[
                Shard::range(Some("k"), Some("m")),
                Shard::range(None, Some("c"))
            ]),
            [
                Shard::range(Some("c"), Some("k")),
                Shard::range(Some("m"), None)
            ]
        );
        assert_eq!(
            rest(&[Shard::range(None, Some("c")), Shard::range(Some("c"), None)]),
            []
        );
        // A part that was split after a page of it was kept lies inside another.
        assert_eq!(
            rest(&[
                Shard::range(None, Some("m")),
                Shard::range(Some("a"), Some("c"))
            ]),
            [Shard::range(Some("m"), None)]
        );
        let known: Vec<Shard> = HEX
            .chars()
            .filter(|&digit| digit != '7')
            .map(|digit| Shard::Prefix(digit.to_string()))
            .chain([Shard::Prefix("70".to_owned())])
            .collect();
        let rest = DEVICES.rest(known.iter());
        assert_eq!(rest.len(), 15);
        assert_eq!(rest.first(), Some(&Shard::Prefix("71".to_owned())));
        assert_eq!(
            GRANTS.rest([Shard::Value("Principal".to_owned())].iter()),
            [Shard::Value("AllPrincipals".to_owned())]
        );
    }
}
