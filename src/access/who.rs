//! Whom one policy includes and excludes.

use super::subjects::{Belongs, Directory, Kinds, Named, Subject};
use crate::snapshot::model::{ConditionalAccessGuestsOrExternalUsers, ConditionalAccessUsers};
use crate::snapshot::{Guid, Untrusted};

/// One half of `conditions.users`.
#[derive(Default)]
pub(super) struct Side {
    pub(super) everyone: bool,
    pub(super) kinds: Kinds,
    /// Kinds of which only some tenants are named.
    some_tenants: Kinds,
    accounts: Vec<Guid>,
    groups: Vec<Guid>,
    pub(super) roles: Vec<Guid>,
    /// Something in it has no meaning that is known here.
    unreadable: bool,
}

/// Through what somebody is included or excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Everyone,
    Account,
    Group,
    Role,
    EligibleRole,
    Kind,
    /// What an id or word stands for is not known.
    Unreadable,
    /// Through nothing: nobody named it.
    Nothing,
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
                Err(_) if word.is("GuestsOrExternalUsers") => side.kinds.add(Kinds::EXTERNAL),
                Err(_) if word.is("None") => {}
                Err(_) => side.unreadable = true,
            }
        }
        for (words, ids) in [(groups, &mut side.groups), (roles, &mut side.roles)] {
            for word in words.into_iter().flatten() {
                match word.raw().parse() {
                    Ok(id) => ids.push(id),
                    Err(_) => side.unreadable = true,
                }
            }
        }
        if let Some(guests) = guests {
            let flags = guests.guest_or_external_user_types.as_ref();
            let (kinds, unknown) = Kinds::parse(flags.map_or("", Untrusted::raw));
            side.unreadable |= unknown;
            // No list of tenants is no restriction, as with every condition that is absent.
            let all = guests.external_tenants.as_ref().is_none_or(|tenants| {
                tenants
                    .membership_kind
                    .as_ref()
                    .is_some_and(|kind| kind.is("all"))
            });
            if all {
                side.kinds.add(kinds);
            } else {
                side.some_tenants.add(kinds);
            }
        }
        side
    }

    /// The sets that it names.
    pub(super) fn names(&self) -> impl Iterator<Item = Named> {
        let accounts = self.accounts.iter().map(|&id| Named::Account(id));
        let groups = self.groups.iter().map(|&id| Named::Group(id));
        let roles = self
            .roles
            .iter()
            .flat_map(|&id| [Named::Active(id), Named::Eligible(id)]);
        accounts.chain(groups).chain(roles)
    }

    /// Whether the subject is among those named, and through what. `eligible`: an eligible role counts as held.
    pub(super) fn holds(
        &self,
        subject: Subject,
        directory: &Directory,
        eligible: bool,
    ) -> (Belongs, By) {
        if self.everyone {
            return (Belongs::Yes, By::Everyone);
        }
        if !self.kinds.is_empty() && subject.kinds.within(self.kinds) {
            return (Belongs::Yes, By::Kind);
        }
        let named = |by: By, names: &mut dyn Iterator<Item = Named>| {
            let best = names
                .map(|name| directory.belongs(subject, name))
                .max()
                .unwrap_or(Belongs::No);
            (best, by)
        };
        let mut found = vec![
            named(
                By::Account,
                &mut self.accounts.iter().map(|&id| Named::Account(id)),
            ),
            named(
                By::Group,
                &mut self.groups.iter().map(|&id| Named::Group(id)),
            ),
            named(
                By::Role,
                &mut self.roles.iter().map(|&id| Named::Active(id)),
            ),
        ];
        if eligible {
            found.push(named(
                By::EligibleRole,
                &mut self.roles.iter().map(|&id| Named::Eligible(id)),
            ));
        }
        if subject.kinds.meets(self.kinds) || subject.kinds.meets(self.some_tenants) {
            found.push((Belongs::Perhaps, By::Kind));
        }
        if self.unreadable {
            found.push((Belongs::Perhaps, By::Unreadable));
        }
        // The first of the surest.
        found
            .into_iter()
            .rev()
            .max_by_key(|(belongs, _)| *belongs)
            .unwrap_or((Belongs::No, By::Account))
    }
}

/// Whom a policy includes.
pub(super) fn included(users: &ConditionalAccessUsers) -> Side {
    Side::read(
        users.include_users.as_ref(),
        users.include_groups.as_ref(),
        users.include_roles.as_ref(),
        users.include_guests_or_external_users.as_ref(),
    )
}

/// Whom a policy excludes.
pub(super) fn excluded(users: &ConditionalAccessUsers) -> Side {
    Side::read(
        users.exclude_users.as_ref(),
        users.exclude_groups.as_ref(),
        users.exclude_roles.as_ref(),
        users.exclude_guests_or_external_users.as_ref(),
    )
}
