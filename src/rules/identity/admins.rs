//! Users who hold an admin role, for the rules that judge them one by one.
//!
//! Knows who they are and what they hold; what is wrong with one is each rule's own business.

use std::collections::{BTreeMap, BTreeSet};

use crate::rules::prelude::*;
use crate::snapshot::reference;
use crate::snapshot::tenant::{Held, Holder, PrincipalKind, User};

/// Why such a rule has nothing to judge.
pub(super) const NOBODY: &str = "no enabled account holds an admin role";

/// An enabled account with the admin roles that it holds.
pub(super) struct Admin<'a> {
    pub(super) user: User<'a>,
    roles: Vec<&'a Holder>,
}

/// The enabled accounts that hold an admin role.
pub(super) struct Admins<'a> {
    pub(super) enabled: Vec<Admin<'a>>,
    /// Holders of whom nobody can say whether they are enabled: not in the list of accounts, `accountEnabled` absent, or a group whose
    /// members were not read.
    unknown: u64,
}

impl<'a> Admins<'a> {
    /// Active and eligible holders, groups expanded.
    pub(super) fn all(cx: &Context<'a>) -> Result<Self, NotEvaluated> {
        Self::holding(cx, |_| true)
    }

    /// Holders of an active assignment, groups expanded.
    pub(super) fn active(cx: &Context<'a>) -> Result<Self, NotEvaluated> {
        Self::holding(cx, |holder| holder.held == Held::Active)
    }

    fn holding(cx: &Context<'a>, counts: impl Fn(&Holder) -> bool) -> Result<Self, NotEvaluated> {
        let (holders, users) = (cx.holders()?, cx.users()?);
        let mut by_user: BTreeMap<Guid, Vec<&Holder>> = BTreeMap::new();
        let mut groups = BTreeSet::new();
        for holder in holders.admins().filter(|holder| counts(holder)) {
            match holder.kind {
                PrincipalKind::User => by_user.entry(holder.principal).or_default().push(holder),
                PrincipalKind::Group => drop(groups.insert(holder.principal)),
                // Neither an account nor a group of this tenant: applications have rules of their own.
                PrincipalKind::ServicePrincipal | PrincipalKind::Unknown => {}
            }
        }
        let mut admins = Self {
            enabled: Vec::with_capacity(by_user.len()),
            unknown: groups.len() as u64,
        };
        for (id, roles) in by_user {
            match users.get(id).map(|user| (user, user.account_enabled())) {
                Some((user, Some(true))) => admins.enabled.push(Admin { user, roles }),
                Some((_, Some(false))) => {}
                Some((_, None)) | None => admins.unknown += 1,
            }
        }
        Ok(admins)
    }

    /// A tally that already counts those who cannot be told.
    pub(super) fn tally(&self) -> Tally {
        let mut tally = Tally::new();
        (0..self.unknown).for_each(|_| tally.unknown());
        tally
    }
}

impl Admin<'_> {
    /// The roles as a phrase, at most three by name: `Global Administrator, User Administrator (eligible)`.
    pub(super) fn roles(&self) -> String {
        const NAMED: usize = 3;
        let roles: BTreeSet<(&str, Held)> = self
            .roles
            .iter()
            .map(|holder| (role_name(holder.role), holder.held))
            .collect();
        let mut names: Vec<String> = roles
            .iter()
            .take(NAMED)
            .map(|&(name, held)| match held {
                Held::Active => name.to_owned(),
                Held::Eligible => format!("{name} (eligible)"),
            })
            .collect();
        if roles.len() > NAMED {
            names.push(format!("{} more", roles.len() - NAMED));
        }
        names.join(", ")
    }

    /// This account as an affected object: what is wrong with it, then its roles.
    pub(super) fn object(&self, cx: &Context<'_>, wrong: &str) -> Object {
        let roles = self.roles();
        cx.user_object(self.user).detail(if wrong.is_empty() {
            roles
        } else {
            format!("{wrong}; {roles}")
        })
    }
}

/// The name of a built-in role.
pub(super) fn role_name(role: Guid) -> &'static str {
    reference::role(role).map_or("a custom role", |role| role.name)
}
