//! Whom a question is about: accounts by class and by the states that count.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Facts;
use super::bits::Bits;
use super::externals::Trusts;
use super::guarantee::{Asked, Guarantee, Pim, RoleScope, Who};
use super::people::{Class, People};
use super::subjects::{ExternalKind, Kinds};
use crate::snapshot::Guid;
use crate::snapshot::tenant::{Held, Holders, PrincipalKind, User, Users};

/// Accounts that are alike in class and states.
#[derive(Debug)]
struct Part {
    states: Vec<usize>,
    accounts: u32,
    external: Option<ExternalKind>,
}

/// The people of a question.
#[derive(Debug)]
pub(super) struct Crowd {
    parts: Vec<Part>,
    who: Membership,
    except: BTreeSet<Guid>,
    /// More people may be meant than are known, and why.
    pub(super) not_told: Option<String>,
}

/// How an account is found in the crowd again.
#[derive(Debug)]
enum Membership {
    /// By its class: the part of each class.
    Classes(Vec<Option<usize>>),
    /// By its id.
    Listed(BTreeMap<Guid, usize>),
}

/// What could not be told of a crowd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Untold(pub(super) String);

impl Crowd {
    /// Finds the people of a guarantee. `apart` are accounts that are left out and shown apart.
    pub(super) fn of(
        guarantee: &Guarantee,
        people: &People,
        facts: &Facts<'_>,
        trusts: &Trusts,
        apart: &BTreeSet<Guid>,
    ) -> Result<Self, Untold> {
        let except: BTreeSet<Guid> = guarantee
            .except_users
            .iter()
            .chain(apart)
            .copied()
            .collect();
        let mut crowd = Self {
            parts: Vec::new(),
            who: Membership::Listed(BTreeMap::new()),
            except,
            not_told: None,
        };
        let pim = guarantee.assume.pim;
        let users = facts.users;
        match &guarantee.who {
            Who::All
            | Who::EveryAccount
            | Who::Members
            | Who::Guests
            | Who::EveryExternal { .. } => {
                crowd.take_classes(guarantee, people, users, trusts);
            }
            Who::Users(ids) => {
                let found = ids.iter().filter_map(|&id| users.get(id));
                crowd.list(found.map(|user| (user, Vec::new())), people, pim);
            }
            Who::Groups(ids) => {
                let mut members = BTreeSet::new();
                for id in ids {
                    let Some(of) = facts.group_members.and_then(|groups| groups.get(id)) else {
                        return Err(Untold(format!("the members of group {id} were not read")));
                    };
                    members.extend(of.iter().copied());
                }
                let found = members.iter().filter_map(|&id| users.get(id));
                crowd.list(found.map(|user| (user, Vec::new())), people, pim);
            }
            Who::Roles(roles, scope) => {
                if !facts.active_known {
                    return Err(Untold("who holds which role was not read".to_owned()));
                }
                let (held, unknown_group) = holders(facts.holders, roles, *scope, pim);
                crowd.not_told = unknown_group
                    .map(|group| format!("the members of group {group}, which holds a role that counts, were not read"));
                let found = held
                    .iter()
                    .filter_map(|(&id, roles)| Some((users.get(id)?, roles.clone())));
                crowd.list(found, people, pim);
            }
            Who::ServicePrincipals(_) => {}
        }
        Ok(crowd)
    }

    /// Nobody at all.
    pub(super) fn nobody() -> Self {
        Self {
            parts: Vec::new(),
            who: Membership::Listed(BTreeMap::new()),
            except: BTreeSet::new(),
            not_told: None,
        }
    }

    fn take_classes(
        &mut self,
        guarantee: &Guarantee,
        people: &People,
        users: &Users,
        trusts: &Trusts,
    ) {
        let mut left_out: BTreeMap<usize, u32> = BTreeMap::new();
        for user in self.except.iter().filter_map(|&id| users.get(id)) {
            if let Some(class) = people.class_of(user) {
                *left_out.entry(class).or_default() += 1;
            }
        }
        let mut part_of = vec![None; people.classes().len()];
        for (index, class) in people.classes().iter().enumerate() {
            let accounts = class.count
                - left_out
                    .get(&index)
                    .copied()
                    .unwrap_or_default()
                    .min(class.count);
            // People without an account here have nothing to register here.
            let registers_nothing =
                class.external.is_some() && matches!(guarantee.target, Asked::UserAction(_));
            if accounts == 0
                || registers_nothing
                || !is_meant(
                    &guarantee.who,
                    class,
                    guarantee.assume.all_reaches_everyone,
                    trusts,
                )
            {
                continue;
            }
            if let Some(part) = part_of.get_mut(index) {
                *part = Some(self.parts.len());
            }
            self.parts.push(Part {
                states: states(people, class, &[], guarantee.assume.pim),
                accounts,
                external: class.external,
            });
        }
        self.who = Membership::Classes(part_of);
    }

    fn list<'u>(
        &mut self,
        found: impl Iterator<Item = (User<'u>, Vec<Guid>)>,
        people: &People,
        pim: Pim,
    ) {
        let mut known: BTreeMap<(usize, Vec<usize>), usize> = BTreeMap::new();
        let mut listed = BTreeMap::new();
        for (user, activated) in found.filter(|(user, _)| !self.except.contains(&user.id())) {
            let Some(index) = people.class_of(user) else {
                continue;
            };
            let Some(class) = people.classes().get(index) else {
                continue;
            };
            let states = states(people, class, &activated, pim);
            let parts = &mut self.parts;
            let part = *known.entry((index, states.clone())).or_insert_with(|| {
                parts.push(Part {
                    states,
                    accounts: 0,
                    external: None,
                });
                parts.len() - 1
            });
            let new = listed.insert(user.id(), part).is_none();
            if let Some(part) = self.parts.get_mut(part)
                && new
            {
                part.accounts += 1;
            }
        }
        self.who = Membership::Listed(listed);
    }

    /// Nobody is meant.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// How many accounts are meant.
    pub(super) fn accounts(&self) -> u64 {
        let own = self.parts.iter().filter(|part| part.external.is_none());
        own.map(|part| u64::from(part.accounts)).sum()
    }

    /// All states that count, each once.
    pub(super) fn states(&self) -> Vec<usize> {
        let states = self
            .parts
            .iter()
            .flat_map(|part| part.states.iter().copied());
        let mut states: Vec<usize> = states.collect();
        states.sort_unstable();
        states.dedup();
        states
    }

    /// How many accounts have one of these states.
    pub(super) fn count(&self, open: &BTreeSet<usize>) -> u64 {
        self.hit(open)
            .filter(|part| part.external.is_none())
            .map(|part| u64::from(part.accounts))
            .sum()
    }

    /// How many accounts have one of these states.
    pub(super) fn count_in(&self, states: &Bits) -> u64 {
        let own = self.parts.iter().filter(|part| part.external.is_none());
        own.filter(|part| part.states.iter().any(|&state| states.has(state)))
            .map(|part| u64::from(part.accounts))
            .sum()
    }

    /// Kinds of people without an account that have one of these states.
    pub(super) fn externals(&self, open: &Bits) -> BTreeSet<ExternalKind> {
        let hit = self.parts.iter().filter(|part| part.external.is_some());
        hit.filter(|part| part.states.iter().any(|&state| open.has(state)))
            .filter_map(|part| part.external)
            .collect()
    }

    /// The accounts that have one of these states: how many, and the first ones by id.
    pub(super) fn affected(
        &self,
        open: &BTreeSet<usize>,
        people: &People,
        users: &Users,
        limit: usize,
    ) -> (u64, BTreeSet<Guid>) {
        let is_open = |part: &Part| part.states.iter().any(|state| open.contains(state));
        let open_parts: Vec<bool> = self.parts.iter().map(is_open).collect();
        let is_hit = |part: &usize| open_parts.get(*part) == Some(&true);
        let mut first = BTreeSet::new();
        let take = |first: &mut BTreeSet<Guid>, id: Guid| {
            if first.len() < limit || first.last().is_some_and(|last| id < *last) {
                first.insert(id);
                if first.len() > limit {
                    first.pop_last();
                }
            }
        };
        match &self.who {
            Membership::Listed(listed) => {
                let hit = listed.iter().filter(|(_, part)| is_hit(part));
                for (id, _) in hit.take(limit) {
                    take(&mut first, *id);
                }
            }
            Membership::Classes(parts) => {
                for (index, class) in people.classes_by_first() {
                    let part = parts.get(index).copied().flatten();
                    if !part.is_some_and(|part| is_hit(&part)) {
                        continue;
                    }
                    // Classes come by the smallest id in each: when that is too large, so are all that follow.
                    let is_full = first.len() >= limit;
                    if is_full && class.first > first.last().copied() {
                        break;
                    }
                    let ids = people
                        .members(index)
                        .iter()
                        .filter_map(|&place| users.at(place));
                    for id in ids.map(User::id).filter(|id| !self.except.contains(id)) {
                        take(&mut first, id);
                    }
                }
            }
        }
        let count = self.count(open);
        (count, first)
    }

    fn hit<'s>(&'s self, open: &'s BTreeSet<usize>) -> impl Iterator<Item = &'s Part> {
        self.parts
            .iter()
            .filter(|part| part.states.iter().any(|state| open.contains(state)))
    }

    /// The account with the smallest id among those that have one of these states.
    pub(super) fn first_account<'u>(
        &'u self,
        open: &'u BTreeSet<usize>,
        people: &'u People,
        users: &'u Users,
    ) -> Option<User<'u>> {
        if let Membership::Classes(_) = self.who {
            let classes = open
                .iter()
                .filter_map(|&state| people.class_of_state(state));
            let first = classes.filter_map(|class| class.first).min()?;
            if !self.except.contains(&first) {
                return users.get(first);
            }
        }
        self.accounts_in(open, people, users)
            .min_by_key(|user| user.id())
    }

    /// Kinds of people without an account that are meant.
    pub(super) fn kinds(&self) -> BTreeSet<ExternalKind> {
        self.parts.iter().filter_map(|part| part.external).collect()
    }

    /// For each part of the crowd the smallest of the numbers that its states have; the parts that [`Self::members`] names.
    pub(super) fn first_of(&self, numbers: &HashMap<usize, u32>) -> Vec<Option<u32>> {
        let first = |part: &Part| {
            let numbers = part.states.iter().filter_map(|state| numbers.get(state));
            numbers.min().copied()
        };
        self.parts.iter().map(first).collect()
    }

    /// For each kind of people without an account the smallest of the numbers that its states have.
    pub(super) fn first_by_kind(
        &self,
        numbers: &HashMap<usize, u32>,
    ) -> BTreeMap<ExternalKind, u32> {
        let mut by_kind = BTreeMap::new();
        for (part, first) in self.parts.iter().zip(self.first_of(numbers)) {
            if let (Some(kind), Some(first)) = (part.external, first) {
                let known = by_kind.entry(kind).or_insert(first);
                *known = first.min(*known);
            }
        }
        by_kind
    }

    /// Every account that is meant, with its part of the crowd; in the order of the list of accounts, or of ids.
    pub(super) fn members<'u>(
        &'u self,
        people: &'u People,
        users: &'u Users,
    ) -> Box<dyn Iterator<Item = (User<'u>, usize)> + 'u> {
        match &self.who {
            Membership::Listed(listed) => Box::new(
                listed
                    .iter()
                    .filter_map(|(&id, &part)| Some((users.get(id)?, part))),
            ),
            Membership::Classes(parts) => Box::new(users.iter().filter_map(move |user| {
                let part = people.class_of(user).and_then(|class| *parts.get(class)?)?;
                (!self.except.contains(&user.id())).then_some((user, part))
            })),
        }
    }

    /// The accounts that have one of these states, in no certain order.
    pub(super) fn accounts_in<'u>(
        &'u self,
        open: &'u BTreeSet<usize>,
        people: &'u People,
        users: &'u Users,
    ) -> impl Iterator<Item = User<'u>> {
        let is_open = |part: &Part| part.states.iter().any(|state| open.contains(state));
        self.accounts_of(is_open, people, users)
    }

    /// The accounts that have none of these states, in no certain order.
    pub(super) fn accounts_out_of<'u>(
        &'u self,
        open: &'u BTreeSet<usize>,
        people: &'u People,
        users: &'u Users,
    ) -> impl Iterator<Item = User<'u>> {
        let is_shut = |part: &Part| !part.states.iter().any(|state| open.contains(state));
        self.accounts_of(is_shut, people, users)
    }

    fn accounts_of<'u>(
        &'u self,
        is_meant: impl Fn(&Part) -> bool,
        people: &'u People,
        users: &'u Users,
    ) -> impl Iterator<Item = User<'u>> {
        let is_open: Vec<bool> = self.parts.iter().map(is_meant).collect();
        users.iter().filter(move |&user| {
            let part = match &self.who {
                Membership::Classes(parts) => {
                    people.class_of(user).and_then(|class| *parts.get(class)?)
                }
                Membership::Listed(listed) => listed.get(&user.id()).copied(),
            };
            part.is_some_and(|part| is_open.get(part) == Some(&true))
                && !self.except.contains(&user.id())
        })
    }
}

/// Whether a class is meant as a whole.
fn is_meant(who: &Who, class: &Class, all_reaches: bool, trusts: &Trusts) -> bool {
    let kinds = class.subject.kinds;
    if let Some(kind) = class.external {
        if class.all_reaches != all_reaches {
            return false;
        }
        return match who {
            Who::All | Who::Guests => trusts.lets_in(kind, class.home),
            Who::EveryExternal { providers } => *providers || kind != ExternalKind::ServiceProvider,
            _ => false,
        };
    }
    let is_guest = kinds.meets(Kinds::GUESTS);
    match who {
        Who::All | Who::EveryAccount => true,
        Who::Members => !is_guest,
        Who::Guests | Who::EveryExternal { .. } => is_guest,
        _ => false,
    }
}

/// The states of a class in which these roles are active, as far as they are told apart.
fn states(people: &People, class: &Class, activated: &[Guid], pim: Pim) -> Vec<usize> {
    let wanted = |value: usize| {
        let Some(state) = people.state(value) else {
            return false;
        };
        if state.is_any {
            return true;
        }
        pim == Pim::MayActivate || state.activated.is_empty()
    };
    let told_apart: BTreeSet<Guid> = class
        .states
        .clone()
        .filter_map(|value| people.state(value))
        .flat_map(|state| state.activated.iter().copied())
        .collect();
    // A role that no state tells may be active in any of them.
    let in_any = activated.iter().any(|role| !told_apart.contains(role));
    let active = |value: usize| {
        activated.is_empty()
            || in_any
            || people.state(value).is_some_and(|state| {
                state.is_any || state.activated.iter().any(|role| activated.contains(role))
            })
    };
    class
        .states
        .clone()
        .filter(|&value| wanted(value) && active(value))
        .collect()
}

/// Who holds one of the roles; for those who hold none actively, the ones that they may activate. And a group that holds one and
/// whose members are not known.
fn holders(
    holders: &Holders,
    roles: &[Guid],
    scope: RoleScope,
    pim: Pim,
) -> (BTreeMap<Guid, Vec<Guid>>, Option<Guid>) {
    let mut unknown_group = None;
    let mut active = BTreeSet::new();
    let mut eligible: BTreeMap<Guid, Vec<Guid>> = BTreeMap::new();
    for holder in holders.iter() {
        let counts =
            roles.contains(&holder.role) && (scope == RoleScope::Any || holder.is_tenant_wide());
        if !counts {
            continue;
        }
        match (holder.kind, holder.held) {
            (PrincipalKind::Group, _) => {
                unknown_group = unknown_group.or(Some(holder.principal));
            }
            (PrincipalKind::User, Held::Active) => drop(active.insert(holder.principal)),
            // Active in a part of the directory, it changes no state.
            (PrincipalKind::User, Held::Eligible)
                if pim == Pim::MayActivate && !holder.is_tenant_wide() =>
            {
                active.insert(holder.principal);
            }
            (PrincipalKind::User, Held::Eligible) if pim == Pim::MayActivate => {
                eligible
                    .entry(holder.principal)
                    .or_default()
                    .push(holder.role);
            }
            _ => {}
        }
    }
    for id in active {
        eligible.insert(id, Vec::new());
    }
    (eligible, unknown_group)
}
