//! Who signs in: accounts sorted into classes that no policy tells apart, each in the states that it can bring itself into.
//!
//! An account that may activate a role has one state for each set of such roles that policies tell apart. External users without
//! an object in this directory stand as one person for each kind and home tenant that matters. Source: Microsoft Entra, Conditional
//! Access: Users, groups, agents, and workload identities; Authentication and Conditional Access for External ID.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Facts;
use super::assignment::{Assignment, Side, Tenants};
use super::bits::Bits;
use super::externals::{Home, Trust, Trusts};
use super::policy::Span;
use super::subjects::{Belongs, Directory, ExternalKind, Kinds, Named, Subject};
use crate::snapshot::Guid;
use crate::snapshot::tenant::User;

/// At most so many roles that one account may activate are told apart; beyond, all of its states are one that may be any.
const ROLES_TOLD_APART: usize = 6;

/// Accounts that policies treat alike.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) subject: Subject,
    pub(super) home: Home,
    pub(super) trust: Trust,
    /// How many accounts; 1 for a kind of people without an object here.
    pub(super) count: u32,
    /// The account with the smallest id.
    pub(super) first: Option<Guid>,
    /// Its states, as values of the dimension.
    pub(super) states: std::ops::Range<usize>,
    /// Of people without an object here.
    pub(super) external: Option<ExternalKind>,
    /// Of these: whether `All` reaches them is taken for certain.
    pub(super) all_reaches: bool,
    /// Roles that it may activate and that policies tell apart, those that change the same together. State by state, each is
    /// activated or not.
    pub(super) activatable: Vec<Vec<Guid>>,
}

/// One state of a class.
#[derive(Debug)]
pub(super) struct State {
    pub(super) class: usize,
    /// Roles that are activated in it.
    pub(super) activated: Vec<Guid>,
    /// More roles may be activated than are told apart.
    pub(super) is_any: bool,
}

/// The dimension.
#[derive(Debug)]
pub(super) struct People {
    directory: Arc<Directory>,
    classes: Vec<Class>,
    states: Vec<State>,
    /// By place in the list of accounts; accounts that cannot sign in have none.
    class_of: Vec<Option<u32>>,
    /// Places of accounts, class by class.
    members: Vec<u32>,
    /// Where the accounts of each class begin among them.
    first_member: Vec<usize>,
    by_first: Vec<usize>,
    /// Two bits for each policy and state: surely and perhaps applies.
    rows: Vec<Span<Bits>>,
}

impl People {
    /// Sorts the accounts.
    pub(super) fn read(
        facts: &Facts<'_>,
        assignments: &[Option<&Assignment>],
        trusts: &Trusts,
        home_of: &dyn Fn(User<'_>) -> Home,
    ) -> Self {
        let names = assignments
            .iter()
            .flatten()
            .flat_map(|assignment| assignment.names());
        let directory = Arc::new(Directory::build(names, facts));
        let mut people = Self {
            classes: Vec::new(),
            states: Vec::new(),
            class_of: vec![None; facts.users.len()],
            members: Vec::new(),
            first_member: Vec::new(),
            by_first: Vec::new(),
            rows: Vec::new(),
            directory,
        };
        let mut known: HashMap<(Subject, Home), u32, foldhash::fast::RandomState> =
            HashMap::default();
        let mut last: Option<((Subject, Home), u32)> = None;
        for user in facts.users.iter().filter(|user| user.is_enabled()) {
            let subject = people.directory.subject(user);
            let home = if subject.may_be_external() {
                home_of(user)
            } else {
                Home::Here
            };
            let key = (subject, home);
            let like_last = last
                .filter(|(known, _)| *known == key)
                .map(|(_, class)| class);
            let class = like_last.unwrap_or_else(|| {
                *known.entry(key).or_insert_with(|| {
                    people.classes.push(Class {
                        subject,
                        home,
                        trust: trusts.of(subject.kinds, home),
                        count: 0,
                        first: None,
                        states: 0..0,
                        external: None,
                        all_reaches: true,
                        activatable: Vec::new(),
                    });
                    u32::try_from(people.classes.len() - 1).unwrap_or(u32::MAX)
                })
            });
            last = Some((key, class));
            if let Some(class) = people.classes.get_mut(class as usize) {
                class.count += 1;
                class.first = Some(class.first.map_or(user.id(), |first| first.min(user.id())));
            }
            if let Some(place) = people.class_of.get_mut(user.index() as usize) {
                *place = Some(class);
            }
        }
        people.put_in_order();
        for (kind, home) in trusts.people_without_object() {
            for all_reaches in [false, true] {
                let subject = Subject::external(kind);
                people.classes.push(Class {
                    subject,
                    home,
                    trust: trusts.of(subject.kinds, home),
                    count: 1,
                    first: None,
                    states: 0..0,
                    external: Some(kind),
                    all_reaches,
                    activatable: Vec::new(),
                });
            }
        }
        people.group_members();
        people.make_rows(assignments);
        people
    }

    /// Puts the accounts of each class side by side.
    fn group_members(&mut self) {
        let mut next = Vec::with_capacity(self.classes.len());
        let mut total = 0_usize;
        for class in &self.classes {
            next.push(total);
            if class.external.is_none() {
                total += class.count as usize;
            }
        }
        self.first_member.clone_from(&next);
        self.members = vec![0; total];
        for (user, class) in self.class_of.iter().enumerate() {
            let place = class.and_then(|class| next.get_mut(class as usize));
            if let Some(place) = place {
                if let Some(member) = self.members.get_mut(*place) {
                    *member = u32::try_from(user).unwrap_or(u32::MAX);
                }
                *place += 1;
            }
        }
        let with_accounts = self
            .classes
            .iter()
            .enumerate()
            .filter(|(_, class)| class.first.is_some());
        self.by_first = with_accounts.map(|(index, _)| index).collect();
        let classes = &self.classes;
        self.by_first
            .sort_unstable_by_key(|&index| classes.get(index).and_then(|class| class.first));
    }

    /// The accounts of a class, by their places in the list of accounts.
    pub(super) fn members(&self, class: usize) -> &[u32] {
        let from = self.first_member.get(class).copied().unwrap_or_default();
        let count = self
            .classes
            .get(class)
            .map_or(0, |class| class.count as usize);
        self.members.get(from..from + count).unwrap_or_default()
    }

    /// The classes that have accounts, in the order of the smallest id in each.
    pub(super) fn classes_by_first(&self) -> impl Iterator<Item = (usize, &Class)> {
        self.by_first
            .iter()
            .filter_map(|&index| Some((index, self.classes.get(index)?)))
    }

    /// Numbers the classes by their smallest accounts, whatever the order in which accounts came.
    fn put_in_order(&mut self) {
        let mut order: Vec<usize> = (0..self.classes.len()).collect();
        order.sort_by_key(|&class| self.classes.get(class).and_then(|class| class.first));
        let mut place_of = vec![0_u32; order.len()];
        for (&class, place) in order.iter().zip(0..) {
            if let Some(known) = place_of.get_mut(class) {
                *known = place;
            }
        }
        self.classes.sort_by_key(|class| class.first);
        for class in self.class_of.iter_mut().flatten() {
            *class = place_of.get(*class as usize).copied().unwrap_or_default();
        }
    }

    fn make_rows(&mut self, assignments: &[Option<&Assignment>]) {
        let effects = Effects::read(assignments, &self.directory);
        let mut bases: HashMap<(Kinds, Home, bool, bool), Row> = HashMap::new();
        for index in 0..self.classes.len() {
            let Some(class) = self.classes.get(index) else {
                continue;
            };
            let without_object = class.external.is_some();
            let key = (
                class.subject.kinds,
                class.home,
                class.all_reaches,
                without_object,
            );
            let base = bases
                .entry(key)
                .or_insert_with(|| effects.base(assignments, class))
                .clone();
            let sets = self.directory.sets_of(class.subject);
            let held = sets
                .iter()
                .fold(base, |row, &set| row.with(effects.of(set)));
            let activatable = self.activatable(class.subject, &effects);
            let first = self.states.len();
            let is_many = activatable.len() > ROLES_TOLD_APART;
            let subsets: u32 = if is_many { 1 } else { 1 << activatable.len() };
            for subset in 0..subsets {
                let activated: Vec<Guid> = activatable
                    .iter()
                    .enumerate()
                    .filter(|(place, _)| subset >> place & 1 == 1)
                    .flat_map(|(_, (roles, _))| roles.iter().copied())
                    .collect();
                let mut row = held.clone();
                for (place, (_, set)) in activatable.iter().enumerate() {
                    if is_many {
                        row = row.perhaps(effects.of(*set));
                    } else if subset >> place & 1 == 1 {
                        row = row.with(effects.of(*set));
                    }
                }
                self.rows.push(row.applies());
                self.states.push(State {
                    class: index,
                    activated,
                    is_any: is_many,
                });
            }
            let states = first..self.states.len();
            if let Some(class) = self.classes.get_mut(index) {
                class.states = states;
                class.activatable = activatable.into_iter().map(|(roles, _)| roles).collect();
            }
        }
    }

    /// Roles that the subject may activate and that change what applies to it, those that change the same together.
    fn activatable(&self, subject: Subject, effects: &Effects) -> Vec<(Vec<Guid>, u32)> {
        let mut by_effect: BTreeMap<&Effect, (Vec<Guid>, u32)> = BTreeMap::new();
        for role in self.directory.eligible_roles(subject) {
            let Some(set) = self.directory.set(Named::Active(role)) else {
                continue;
            };
            let effect = effects.of(set);
            if !effect.is_nothing() {
                by_effect
                    .entry(effect)
                    .or_insert_with(|| (Vec::new(), set))
                    .0
                    .push(role);
            }
        }
        by_effect.into_values().collect()
    }

    /// How many values the dimension has.
    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    /// All classes.
    pub(super) fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// The state that a value stands for.
    pub(super) fn state(&self, value: usize) -> Option<&State> {
        self.states.get(value)
    }

    /// The class of a state.
    pub(super) fn class_of_state(&self, value: usize) -> Option<&Class> {
        self.classes.get(self.states.get(value)?.class)
    }

    /// The class of an account; `None` when it cannot sign in.
    pub(super) fn class_of(&self, user: User<'_>) -> Option<usize> {
        let class = self.class_of.get(user.index() as usize)?;
        class.map(|class| class as usize)
    }

    /// Whether a policy with this assignment applies in a state; slow, for policies that are not among those of the rows.
    pub(super) fn applies(&self, assignment: &Assignment, value: usize) -> Span<bool> {
        let included = self.holds(&assignment.include, value);
        let excluded = self.holds(&assignment.exclude, value);
        Span {
            must: included == Belongs::Yes && excluded == Belongs::No,
            may: included != Belongs::No && excluded != Belongs::Yes,
        }
    }

    /// Whether a side means those in a state.
    pub(super) fn holds(&self, side: &Side, value: usize) -> Belongs {
        let (Some(state), Some(class)) = (self.state(value), self.class_of_state(value)) else {
            return Belongs::No;
        };
        let named = side.names().map(|name| self.is_in(name, state, class));
        named.fold(by_kind(side, class), Belongs::max)
    }

    /// Whether those in a state belong to a named set.
    pub(super) fn is_in(&self, name: Named, state: &State, class: &Class) -> Belongs {
        match name {
            Named::Eligible(_) => Belongs::No,
            Named::Active(role) if state.activated.contains(&role) => Belongs::Yes,
            Named::Active(role) if state.is_any => self.directory.belongs(class.subject, name).max(
                self.directory
                    .belongs(class.subject, Named::Eligible(role))
                    .min(Belongs::Perhaps),
            ),
            name => self.directory.belongs(class.subject, name),
        }
    }

    /// Which policies apply in a state.
    pub(super) fn row(&self, value: usize) -> Option<&Span<Bits>> {
        self.rows.get(value)
    }

    /// The accounts sorted by the sets that policies name.
    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }
}

/// What belonging to a named set changes: one bit for each policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Effect {
    included: Bits,
    excluded: Bits,
}

impl Effect {
    fn nothing(policies: usize) -> Self {
        Self {
            included: Bits::none(policies),
            excluded: Bits::none(policies),
        }
    }

    fn is_nothing(&self) -> bool {
        self.included.is_empty() && self.excluded.is_empty()
    }
}

struct Effects {
    by_set: Vec<Effect>,
    none: Effect,
    /// What belonging to any of the sets whose members are not known would change.
    open: Effect,
    policies: usize,
}

impl Effects {
    fn read(assignments: &[Option<&Assignment>], directory: &Directory) -> Self {
        let policies = assignments.len();
        let none = Effect::nothing(policies);
        let mut effects = Self {
            by_set: vec![none.clone(); directory.set_count()],
            open: none.clone(),
            none,
            policies,
        };
        for (policy, assignment) in assignments.iter().enumerate() {
            let Some(assignment) = assignment else {
                continue;
            };
            for (side, is_exclude) in [(&assignment.include, false), (&assignment.exclude, true)] {
                for name in side.names() {
                    let Some(set) = directory.set(name) else {
                        continue;
                    };
                    // Whoever may hold a role as eligible may activate it.
                    let mut targets = match name {
                        Named::Eligible(_) => Vec::new(),
                        _ => vec![effects.by_set.get_mut(set as usize)],
                    };
                    if directory.is_open(set) {
                        targets.push(Some(&mut effects.open));
                    }
                    for effect in targets.into_iter().flatten() {
                        if is_exclude {
                            effect.excluded.insert(policy);
                        } else {
                            effect.included.insert(policy);
                        }
                    }
                }
            }
        }
        effects
    }

    fn of(&self, set: u32) -> &Effect {
        self.by_set.get(set as usize).unwrap_or(&self.none)
    }

    /// What holds for everybody of a class whatever named sets they belong to.
    fn base(&self, assignments: &[Option<&Assignment>], class: &Class) -> Row {
        let mut row = Row {
            included: Span::sure(Bits::none(self.policies)),
            excluded: Span::sure(Bits::none(self.policies)),
        };
        for (policy, assignment) in assignments.iter().enumerate() {
            let Some(assignment) = assignment else {
                continue;
            };
            let sides = [
                (&assignment.include, &mut row.included),
                (&assignment.exclude, &mut row.excluded),
            ];
            for (side, bits) in sides {
                match by_kind(side, class) {
                    Belongs::Yes => {
                        bits.must.insert(policy);
                        bits.may.insert(policy);
                    }
                    Belongs::Perhaps => bits.may.insert(policy),
                    Belongs::No => {}
                }
            }
        }
        if class.external.is_some() {
            row
        } else {
            row.perhaps(&self.open)
        }
    }
}

/// Whether a side means everybody of a class by `All` or by its kind.
fn by_kind(side: &Side, class: &Class) -> Belongs {
    let mut best = Belongs::No;
    if side.has_unknown {
        best = Belongs::Perhaps;
    }
    if side.everyone {
        // Whether `All` reaches people without an object here is not published.
        best = best.max(if class.all_reaches {
            Belongs::Yes
        } else {
            Belongs::Perhaps
        });
    }
    let kinds = class.subject.kinds;
    let surely = side
        .kinds
        .iter()
        .filter(|(_, tenants)| from(tenants, class.home) == Belongs::Yes)
        .fold(Kinds::default(), |mut all, (kinds, _)| {
            all.add(*kinds);
            all
        });
    if !surely.is_empty() && kinds.within(surely) {
        return Belongs::Yes;
    }
    let perhaps = side
        .kinds
        .iter()
        .any(|(named, tenants)| kinds.meets(*named) && from(tenants, class.home) != Belongs::No);
    if perhaps {
        best.max(Belongs::Perhaps)
    } else {
        best
    }
}

/// Whether people of a home tenant are meant.
fn from(tenants: &Tenants, home: Home) -> Belongs {
    match (tenants, home) {
        (Tenants::All, _) => Belongs::Yes,
        (Tenants::Unknown, _) | (Tenants::Listed(_), Home::Unknown) => Belongs::Perhaps,
        (Tenants::Listed(listed), Home::Tenant(home)) if listed.contains(&home) => Belongs::Yes,
        (Tenants::Listed(_), _) => Belongs::No,
    }
}

/// Which policies include and exclude somebody.
#[derive(Debug, Clone)]
struct Row {
    included: Span<Bits>,
    excluded: Span<Bits>,
}

impl Row {
    fn with(mut self, effect: &Effect) -> Self {
        self.included.must.add(&effect.included);
        self.included.may.add(&effect.included);
        self.excluded.must.add(&effect.excluded);
        self.excluded.may.add(&effect.excluded);
        self
    }

    fn perhaps(mut self, effect: &Effect) -> Self {
        self.included.may.add(&effect.included);
        self.excluded.may.add(&effect.excluded);
        self
    }

    /// Exclusions beat inclusions.
    fn applies(mut self) -> Span<Bits> {
        self.included.must.cut(&self.excluded.may);
        self.included.may.cut(&self.excluded.must);
        self.included
    }
}
