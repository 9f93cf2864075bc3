//! Whom a policy names, in symbols.

use super::subjects::{Kinds, Named};
use crate::snapshot::model::{ConditionalAccessGuestsOrExternalUsers, ConditionalAccessUsers};
use crate::snapshot::{Guid, Untrusted};

/// `conditions.users`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) include: Side,
    pub(super) exclude: Side,
}

/// One half of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Side {
    /// `All`.
    pub(super) everyone: bool,
    pub(super) accounts: Vec<Guid>,
    pub(super) groups: Vec<Guid>,
    /// Role templates.
    pub(super) roles: Vec<Guid>,
    /// Kinds of guests and external users, each entry with the tenants that it is about.
    pub(super) kinds: Vec<(Kinds, Tenants)>,
    /// Something in it has no meaning that is known here.
    pub(super) has_unknown: bool,
}

/// Home tenants of external users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tenants {
    /// Any.
    All,
    /// These.
    Listed(Vec<Guid>),
    /// Words that are not known here.
    Unknown,
}

/// One thing that a side names, with the words to show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
    /// `All`.
    Everyone,
    /// The place in `kinds`.
    Kind(usize),
    /// An account, group or active role.
    Named(Named),
    /// Not known.
    Unknown,
}

impl Assignment {
    pub(super) fn read(users: &ConditionalAccessUsers) -> Self {
        Self {
            include: Side::read(
                users.include_users.as_ref(),
                users.include_groups.as_ref(),
                users.include_roles.as_ref(),
                users.include_guests_or_external_users.as_ref(),
            ),
            exclude: Side::read(
                users.exclude_users.as_ref(),
                users.exclude_groups.as_ref(),
                users.exclude_roles.as_ref(),
                users.exclude_guests_or_external_users.as_ref(),
            ),
        }
    }

    /// Includes everybody.
    pub(super) fn everyone() -> Self {
        Self {
            include: Side {
                everyone: true,
                ..Side::default()
            },
            exclude: Side::default(),
        }
    }

    /// The sets of accounts that it names.
    pub(super) fn names(&self) -> impl Iterator<Item = Named> {
        self.include.names().chain(self.exclude.names())
    }
}

impl Side {
    fn read(
        users: Option<&Vec<Untrusted>>,
        groups: Option<&Vec<Untrusted>>,
        roles: Option<&Vec<Untrusted>>,
        guests: Option<&ConditionalAccessGuestsOrExternalUsers>,
    ) -> Self {
        let mut side = Self::default();
        for word in users.into_iter().flatten() {
            match word.raw().parse() {
                Ok(id) => side.accounts.push(id),
                Err(_) if word.is("All") => side.everyone = true,
                Err(_) if word.is("GuestsOrExternalUsers") => {
                    side.kinds.push((Kinds::EXTERNAL, Tenants::All));
                }
                Err(_) if word.is("None") => {}
                Err(_) => side.has_unknown = true,
            }
        }
        for (words, ids) in [(groups, &mut side.groups), (roles, &mut side.roles)] {
            for word in words.into_iter().flatten() {
                match word.raw().parse() {
                    Ok(id) => ids.push(id),
                    Err(_) if word.is("None") => {}
                    Err(_) => side.has_unknown = true,
                }
            }
        }
        if let Some(guests) = guests {
            let flags = guests.guest_or_external_user_types.as_ref();
            let (kinds, unknown) = Kinds::parse(flags.map_or("", Untrusted::raw));
            side.has_unknown |= unknown;
            if !kinds.is_empty() {
                side.kinds.push((kinds, tenants(guests)));
            }
        }
        side
    }

    /// The sets of accounts that it names.
    pub(super) fn names(&self) -> impl Iterator<Item = Named> {
        let accounts = self.accounts.iter().map(|&id| Named::Account(id));
        let groups = self.groups.iter().map(|&id| Named::Group(id));
        let roles = self
            .roles
            .iter()
            .flat_map(|&id| [Named::Active(id), Named::Eligible(id)]);
        accounts.chain(groups).chain(roles)
    }

    /// Everything that it names, one by one: what can be taken out of it.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        let everyone = self.everyone.then_some(Entry::Everyone);
        let kinds = (0..self.kinds.len()).map(Entry::Kind);
        let named = self
            .names()
            .filter(|name| !matches!(name, Named::Eligible(_)))
            .map(Entry::Named);
        let unknown = self.has_unknown.then_some(Entry::Unknown);
        everyone
            .into_iter()
            .chain(kinds)
            .chain(named)
            .chain(unknown)
    }

    /// The same without one entry.
    #[must_use]
    pub(super) fn without(&self, entry: Entry) -> Self {
        let mut side = self.clone();
        match entry {
            Entry::Everyone => side.everyone = false,
            Entry::Kind(at) => {
                if at < side.kinds.len() {
                    side.kinds.remove(at);
                }
            }
            Entry::Named(Named::Account(id)) => side.accounts.retain(|&held| held != id),
            Entry::Named(Named::Group(id)) => side.groups.retain(|&held| held != id),
            Entry::Named(Named::Active(id) | Named::Eligible(id)) => {
                side.roles.retain(|&held| held != id);
            }
            Entry::Unknown => side.has_unknown = false,
        }
        side
    }
}

/// No list of tenants is no restriction, as with every condition that is absent.
fn tenants(guests: &ConditionalAccessGuestsOrExternalUsers) -> Tenants {
    let Some(tenants) = &guests.external_tenants else {
        return Tenants::All;
    };
    match &tenants.membership_kind {
        Some(kind) if kind.is("all") => Tenants::All,
        Some(kind) if kind.is("enumerated") => {
            let ids = tenants.members.iter().flatten().map(|id| id.raw().parse());
            ids.collect::<Result<_, _>>()
                .map_or(Tenants::Unknown, Tenants::Listed)
        }
        _ => Tenants::Unknown,
    }
}
