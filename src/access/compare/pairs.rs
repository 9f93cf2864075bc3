//! People in both states of a tenant at once.
//!
//! Accounts that neither state tells apart are one class, which is a class of the one and a class of the other. Roles that are
//! activated are so in both, wherever the account may activate them in both.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::access::bits::Bits;
use crate::access::controls::people_rows;
use crate::access::externals::{Home, Trust, Trusts};
use crate::access::people::{Class, People};
use crate::access::policy::{Reading, Span};
use crate::access::space::{Patch, Space};
use crate::snapshot::{Guid, Tenant};

pub(super) struct Pairs {
    /// Sets of people of the old state; those of the new one come after them.
    shift: usize,
    rows: Span<Vec<Bits>>,
    /// The class of each state.
    class_of_state: Vec<usize>,
    /// The class of each account.
    accounts: Vec<(Guid, usize)>,
    /// Policies of the old state.
    policies: [usize; 2],
    trust_differs: bool,
    traits_differ: bool,
}

impl Pairs {
    pub(super) fn read(
        tenants: [&Tenant; 2],
        spaces: [&Space<'_>; 2],
        trusts: [&Trusts; 2],
    ) -> Self {
        let [old, new] = spaces;
        let [rows_of_old, rows_of_new] = [people_rows(old), people_rows(new)];
        let mut pairs = Self {
            shift: old.people_sets(),
            rows: Span {
                must: Vec::new(),
                may: Vec::new(),
            },
            class_of_state: Vec::new(),
            accounts: Vec::new(),
            policies: [old.policies.len(), new.policies.len()],
            trust_differs: false,
            traits_differ: false,
        };
        let mut classes: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        let there = tenants[1].users.hints();
        for user in tenants[0].users.hints().iter() {
            let then = old.people.class_of(user);
            let now = there
                .get(user.id())
                .and_then(|user| new.people.class_of(user));
            let (Some(then), Some(now)) = (then, now) else {
                continue;
            };
            let next = classes.len();
            let class = *classes.entry((then, now)).or_insert(next);
            pairs.accounts.push((user.id(), class));
        }
        for pair in without_object([&old.people, &new.people], trusts) {
            let next = classes.len();
            classes.entry(pair).or_insert(next);
        }
        for ((then, now), class) in classes {
            let (Some(before), Some(after)) = (
                old.people.classes().get(then),
                new.people.classes().get(now),
            ) else {
                continue;
            };
            pairs.trust_differs |= devices(before.trust) != devices(after.trust);
            for one in before.states.clone() {
                for other in after.states.clone() {
                    if !go_together((before, one), (after, other)) {
                        continue;
                    }
                    for reading in [Reading::Must, Reading::May] {
                        let joined = rows_of_old
                            .read(reading)
                            .get(one)
                            .zip(rows_of_new.read(reading).get(other))
                            .map(|(old, new)| joined(old, new));
                        let rows = match reading {
                            Reading::Must => &mut pairs.rows.must,
                            Reading::May => &mut pairs.rows.may,
                        };
                        rows.extend(joined);
                    }
                    pairs.class_of_state.push(class);
                }
            }
        }
        pairs.traits_differ = pairs.find_traits();
        pairs
    }

    /// Whether what is trusted of anybody is not the same in both.
    fn find_traits(&self) -> bool {
        let [old, new] = self.policies;
        let count = self.shift - old;
        [&self.rows.must, &self.rows.may].into_iter().any(|rows| {
            rows.iter().any(|row| {
                (0..count).any(|which| row.has(old + which) != row.has(self.shift + new + which))
            })
        })
    }

    /// Patches of the new state, with its sets of people where they stand here.
    pub(super) fn moved(&self, patches: Vec<Patch>) -> Vec<Patch> {
        let moved = |patch: Patch| Patch {
            people: patch.people.iter().map(|set| set + self.shift).collect(),
            ..patch
        };
        patches.into_iter().map(moved).collect()
    }

    pub(super) fn rows(&self, reading: Reading) -> &[Bits] {
        self.rows.read(reading)
    }

    /// The states that a box is about.
    pub(super) fn inside<'s>(
        &'s self,
        patch: &'s Patch,
        reading: Reading,
    ) -> impl Iterator<Item = usize> + 's {
        let rows = self.rows(reading).iter().enumerate();
        rows.filter(|(_, row)| patch.people.iter().all(|&set| row.has(set)))
            .map(|(state, _)| state)
    }

    /// Whether a policy of one state reaches in every state of people whom another one reaches in the other, as surely.
    pub(super) fn is_same_for_all(&self, which: usize, index: usize, twin: usize) -> bool {
        let (then, now) = if which == 0 {
            (index, self.shift + twin)
        } else {
            (twin, self.shift + index)
        };
        let same = |rows: &[Bits]| rows.iter().all(|row| row.has(then) == row.has(now));
        !self.traits_differ && same(&self.rows.must) && same(&self.rows.may)
    }

    /// Whether devices of anybody count in one and not in the other.
    pub(super) fn device_trust_differs(&self) -> bool {
        self.trust_differs
    }

    /// The accounts that can be in one of these states.
    pub(super) fn accounts(&self, states: &BTreeSet<usize>) -> Vec<Guid> {
        let classes: BTreeSet<usize> = states
            .iter()
            .filter_map(|&state| self.class_of_state.get(state).copied())
            .collect();
        let meant = |(_, class): &&(Guid, usize)| classes.contains(class);
        self.accounts
            .iter()
            .filter(meant)
            .map(|(id, _)| *id)
            .collect()
    }
}

fn devices(trust: Trust) -> (Span<bool>, Span<bool>) {
    (trust.no_compliant, trust.no_hybrid)
}

fn joined(old: &Bits, new: &Bits) -> Bits {
    let mut all = Bits::none(old.len() + new.len());
    old.iter().for_each(|set| all.insert(set));
    new.iter().for_each(|set| all.insert(old.len() + set));
    all
}

/// Whether the same roles can be activated in both.
fn go_together((before, one): (&Class, usize), (after, other): (&Class, usize)) -> bool {
    let split = |class: &Class, state: usize| {
        let subset = state - class.states.start;
        let (mut active, mut inactive) = (Vec::new(), BTreeSet::new());
        // Of many, nothing is told: one state stands for all.
        if class.states.len() > 1 {
            for (place, roles) in class.activatable.iter().enumerate() {
                if subset >> place & 1 == 1 {
                    active.push(roles.clone());
                } else {
                    inactive.extend(roles.iter().copied());
                }
            }
        }
        (active, inactive)
    };
    let ((active, mut not), (more, not_either)) = (split(before, one), split(after, other));
    not.extend(not_either);
    active
        .iter()
        .chain(&more)
        .all(|roles| roles.iter().any(|role| !not.contains(role)))
}

/// Classes of people without an object that stand for the same people in both.
fn without_object(people: [&People; 2], trusts: [&Trusts; 2]) -> BTreeSet<(usize, usize)> {
    let comes = |which: usize, class: &Class| {
        let trusts: Option<&&Trusts> = trusts.get(which);
        class
            .external
            .is_some_and(|kind| trusts.is_some_and(|trusts| trusts.lets_in(kind, class.home)))
    };
    let find = |which: usize, of: &Class| {
        let classes = people.get(which).map_or(&[][..], |people| people.classes());
        let at = |home: Home| {
            classes.iter().position(|class| {
                class.external == of.external
                    && class.all_reaches == of.all_reaches
                    && class.home == home
            })
        };
        let place = at(of.home).or_else(|| at(Home::Elsewhere))?;
        comes(which, classes.get(place)?).then_some(place)
    };
    let [old, new] = people;
    let mut found = BTreeSet::new();
    for (place, class) in old.classes().iter().enumerate() {
        if comes(0, class)
            && let Some(other) = find(1, class)
        {
            found.insert((place, other));
        }
    }
    for (place, class) in new.classes().iter().enumerate() {
        if comes(1, class)
            && let Some(other) = find(0, class)
        {
            found.insert((other, place));
        }
    }
    found
}
