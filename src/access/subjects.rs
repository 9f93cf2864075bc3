//! Who is meant: accounts sorted into classes that no policy tells apart.
//!
//! Policies name accounts, groups and roles; most accounts are named by none. Each account is put once into the class of exactly
//! the named sets that it belongs to, so a question is answered per class and not per account.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Facts;
use crate::snapshot::Guid;
use crate::snapshot::tenant::{Held, PrincipalKind, User};

/// Whether somebody belongs to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Belongs {
    /// Certainly not.
    No,
    /// What was read does not tell.
    Perhaps,
    /// Certainly.
    Yes,
}

/// Kinds of guests and external users, as `guestOrExternalUserTypes` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are Graph's")]
pub enum ExternalKind {
    InternalGuest,
    B2bCollaborationGuest,
    B2bCollaborationMember,
    B2bDirectConnectUser,
    OtherExternalUser,
    ServiceProvider,
}

impl ExternalKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::InternalGuest,
        Self::B2bCollaborationGuest,
        Self::B2bCollaborationMember,
        Self::B2bDirectConnectUser,
        Self::OtherExternalUser,
        Self::ServiceProvider,
    ];

    /// The value as Graph writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InternalGuest => "internalGuest",
            Self::B2bCollaborationGuest => "b2bCollaborationGuest",
            Self::B2bCollaborationMember => "b2bCollaborationMember",
            Self::B2bDirectConnectUser => "b2bDirectConnectUser",
            Self::OtherExternalUser => "otherExternalUser",
            Self::ServiceProvider => "serviceProvider",
        }
    }

    /// Whether such users have no object in this directory.
    pub const fn has_no_object(self) -> bool {
        matches!(self, Self::B2bDirectConnectUser | Self::ServiceProvider)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of kinds; one bit more stands for "not external at all".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Kinds(u8);

impl Kinds {
    const NOT_EXTERNAL: Self = Self(1 << 6);
    /// Those whose user type is Guest.
    pub(super) const GUESTS: Self = Self(
        ExternalKind::InternalGuest.bit()
            | ExternalKind::B2bCollaborationGuest.bit()
            | ExternalKind::OtherExternalUser.bit(),
    );
    /// Members and guests who sign in at this tenant.
    pub(super) const AT_HOME_HERE: Self =
        Self(Self::NOT_EXTERNAL.0 | ExternalKind::InternalGuest.bit());
    /// Every kind of guest and external user.
    pub(super) const EXTERNAL: Self = Self((1 << 6) - 1);

    pub(super) fn of(kind: ExternalKind) -> Self {
        Self(kind.bit())
    }

    /// Reads the flags, comma separated; the kinds known, and whether there was one that is not.
    pub(super) fn parse(flags: &str) -> (Self, bool) {
        let mut kinds = Self::default();
        let mut unknown = false;
        for flag in flags
            .split(',')
            .map(str::trim)
            .filter(|flag| !flag.is_empty())
        {
            match ExternalKind::ALL
                .iter()
                .find(|kind| kind.as_str().eq_ignore_ascii_case(flag))
            {
                Some(&kind) => kinds.0 |= kind.bit(),
                None => unknown |= !flag.eq_ignore_ascii_case("none"),
            }
        }
        (kinds, unknown)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Graph's words for the kinds in it.
    pub(super) fn words(self) -> Vec<&'static str> {
        let kinds = ExternalKind::ALL.into_iter();
        kinds
            .filter(|kind| self.0 & kind.bit() != 0)
            .map(ExternalKind::as_str)
            .collect()
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What an account may be to a policy. An invitation is certain; a foreign UPN without one may be several things.
    fn of_user(user: User<'_>) -> Self {
        let mut kinds = Self::default();
        match (user.is_guest(), user.is_invited(), user.is_foreign()) {
            (true, true, _) => kinds.add(Self::of(ExternalKind::B2bCollaborationGuest)),
            (true, false, true) => {
                kinds.add(Self::of(ExternalKind::B2bCollaborationGuest));
                kinds.add(Self::of(ExternalKind::OtherExternalUser));
            }
            (true, false, false) => kinds.add(Self::of(ExternalKind::InternalGuest)),
            (false, true, _) => kinds.add(Self::of(ExternalKind::B2bCollaborationMember)),
            (false, false, true) => {
                kinds.add(Self::of(ExternalKind::B2bCollaborationMember));
                kinds.add(Self::NOT_EXTERNAL);
            }
            (false, false, false) => kinds.add(Self::NOT_EXTERNAL),
        }
        kinds
    }
}

/// Whom a question is asked about: all accounts that policies cannot tell apart are one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Subject {
    class: u32,
    pub(super) kinds: Kinds,
    /// A whole kind of external users, from every tenant, rather than an account.
    pub(super) every_tenant: bool,
}

impl Subject {
    /// All external users of one kind, from every tenant.
    pub(super) fn external(kind: ExternalKind) -> Self {
        Self {
            class: 0,
            kinds: Kinds::of(kind),
            every_tenant: true,
        }
    }

    /// Whether it is, or may be, a guest or external user.
    pub(super) fn may_be_external(self) -> bool {
        self.kinds.meets(Kinds::EXTERNAL)
    }
}

/// A set of accounts that a policy names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    Account(Guid),
    Group(Guid),
    /// Active, tenant-wide holders of a role.
    Active(Guid),
    /// Eligible, tenant-wide holders of a role.
    Eligible(Guid),
}

/// The accounts that policies name, sorted into classes. The same for every question about the same facts.
#[derive(Debug)]
pub(super) struct Directory {
    sets: BTreeMap<Named, SetId>,
    /// Groups whose members nobody knows, and roles held by such groups.
    open: BTreeSet<SetId>,
    classes: Vec<Vec<SetId>>,
    /// By place in the list of accounts.
    class_of: Vec<u32>,
}

/// Which class an account comes into that is found in one more set.
type Next = HashMap<(u32, SetId), u32, foldhash::fast::RandomState>;

/// Index of a named set.
pub(super) type SetId = u32;

impl Directory {
    /// Sorts the accounts by the sets that policies name.
    pub(super) fn build(named: impl IntoIterator<Item = Named>, facts: &Facts<'_>) -> Self {
        let distinct: BTreeSet<Named> = named.into_iter().collect();
        let sets: BTreeMap<Named, SetId> = distinct.into_iter().zip(0..).collect();
        let mut directory = Self {
            open: BTreeSet::new(),
            classes: vec![Vec::new()],
            class_of: vec![0; facts.users.len()],
            sets: BTreeMap::new(),
        };
        let mut next = HashMap::default();
        // In the order of the indexes, so that every class is sorted.
        for (&name, &set) in &sets {
            match name {
                Named::Account(id) => directory.put(id, set, facts, &mut next),
                Named::Group(id) => match facts.group_members.and_then(|groups| groups.get(&id)) {
                    Some(ids) => ids
                        .iter()
                        .for_each(|&id| directory.put(id, set, facts, &mut next)),
                    None => drop(directory.open.insert(set)),
                },
                Named::Active(role) => {
                    directory.put_holders(role, Held::Active, set, facts, &mut next);
                }
                Named::Eligible(role) => {
                    directory.put_holders(role, Held::Eligible, set, facts, &mut next);
                }
            }
        }
        directory.sets = sets;
        directory
    }

    fn put_holders(
        &mut self,
        role: Guid,
        held: Held,
        set: SetId,
        facts: &Facts<'_>,
        next: &mut Next,
    ) {
        let is_known = match held {
            Held::Active => facts.active_known,
            Held::Eligible => facts.eligible_known,
        };
        if !is_known {
            self.open.insert(set);
        }
        for holder in facts
            .holders
            .iter()
            .filter(|holder| holder.role == role && holder.held == held && holder.is_tenant_wide())
        {
            // Of a group that was read in part, others may hold the role too.
            if holder.through.is_some() && facts.group_members.is_none() {
                self.open.insert(set);
            }
            match holder.kind {
                PrincipalKind::User => self.put(holder.principal, set, facts, next),
                PrincipalKind::Group => drop(self.open.insert(set)),
                // Graph names the type of every principal that still exists: an unknown one is gone.
                PrincipalKind::ServicePrincipal | PrincipalKind::Unknown => {}
            }
        }
    }

    fn put(&mut self, account: Guid, set: SetId, facts: &Facts<'_>, next: &mut Next) {
        // Nobody asks about an account that is not in the list.
        let user = facts.users.get(account);
        let Some(class) = user.and_then(|user| self.class_of.get_mut(user.index() as usize)) else {
            return;
        };
        let sets = self.classes.get(*class as usize);
        if sets.is_some_and(|sets| sets.last() == Some(&set)) {
            return;
        }
        let classes = &mut self.classes;
        *class = *next.entry((*class, set)).or_insert_with(|| {
            let mut wider = classes.get(*class as usize).cloned().unwrap_or_default();
            wider.push(set);
            classes.push(wider);
            u32::try_from(classes.len() - 1).unwrap_or(u32::MAX)
        });
    }

    /// The subject that an account is.
    pub(super) fn subject(&self, user: User<'_>) -> Subject {
        Subject {
            class: self
                .class_of
                .get(user.index() as usize)
                .map_or(0, |&class| class),
            kinds: Kinds::of_user(user),
            every_tenant: false,
        }
    }

    /// The named sets that an account belongs to.
    pub(super) fn sets_of(&self, subject: Subject) -> &[SetId] {
        self.classes
            .get(subject.class as usize)
            .map_or(&[], Vec::as_slice)
    }

    /// How many named sets there are.
    pub(super) fn set_count(&self) -> usize {
        self.sets.len()
    }

    /// Whether more accounts may belong to a set than are known.
    pub(super) fn is_open(&self, set: SetId) -> bool {
        self.open.contains(&set)
    }

    /// Roles that policies name and that the account may activate for the whole tenant, and does not hold anyway.
    pub(super) fn eligible_roles(&self, subject: Subject) -> impl Iterator<Item = Guid> {
        let held = self.sets_of(subject);
        let has = |name: Named| {
            let set = self.set(name);
            set.is_some_and(|set| held.binary_search(&set).is_ok())
        };
        self.sets.keys().filter_map(move |name| match name {
            Named::Eligible(role) if has(*name) && !has(Named::Active(*role)) => Some(*role),
            _ => None,
        })
    }

    /// The index of a set that some policy names.
    pub(super) fn set(&self, name: Named) -> Option<SetId> {
        self.sets.get(&name).copied()
    }

    /// Whether the subject belongs to a named set.
    pub(super) fn belongs(&self, subject: Subject, name: Named) -> Belongs {
        let Some(set) = self.set(name) else {
            return Belongs::No;
        };
        let listed = self
            .classes
            .get(subject.class as usize)
            .is_some_and(|sets| sets.binary_search(&set).is_ok());
        if listed {
            Belongs::Yes
        } else if self.open.contains(&set) && !subject.every_tenant {
            Belongs::Perhaps
        } else {
            Belongs::No
        }
    }
}
