//! Accounts, in compact form.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::Tenant;
use super::compact::{Moment, Table, Texts};
use super::fold::{Bad, Fold};
use crate::snapshot::model::{self, AssignedLicense, ExternalUserState, UserType};
use crate::snapshot::{Guid, UntrustedRef};

/// What is held of an account besides its id and its names.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent facts, as Graph sends them"
)]
struct Account {
    created: Moment,
    hired: Moment,
    invitation_changed: Moment,
    /// Which set of licences it has.
    licences: u32,
    has_mail: bool,
    is_password_strength_waived: bool,
    is_enabled: Option<bool>,
    is_guest: bool,
    is_foreign: bool,
    is_invited: bool,
    is_pending: bool,
    is_synchronised: bool,
    is_licensed: bool,
}

/// All accounts, by id: some hundred bytes each, names included.
#[derive(Debug, Clone, Default)]
pub struct Users {
    accounts: Table<Account>,
    /// The name to sign in with and the name to show, of each in turn.
    names: Texts,
    /// Each set of licences that occurs, once: a handful for any number of accounts. The first one is empty.
    licences: Vec<Vec<AssignedLicense>>,
    /// Where each set stands, by the ids in it.
    licence_sets: HashMap<Vec<Option<Guid>>, u32>,
}

/// An account.
#[derive(Debug, Clone, Copy)]
pub struct User<'a> {
    users: &'a Users,
    index: u32,
    row: &'a (Guid, Account),
}

impl<'a> User<'a> {
    /// Place in the list of accounts, from 0: what tables beside the list are indexed by.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Object id.
    pub fn id(self) -> Guid {
        self.row.0
    }

    /// The name to sign in with.
    pub fn user_principal_name(self) -> UntrustedRef<'a> {
        self.users.names.get(2 * self.index as usize)
    }

    /// The name to show.
    pub fn display_name(self) -> UntrustedRef<'a> {
        self.users.names.get(2 * self.index as usize + 1)
    }

    /// The domain of the UPN; for an invited account that of this tenant, not of its home.
    pub fn domain(self) -> Option<&'a str> {
        let name = self.user_principal_name().raw();
        name.rsplit_once('@').map(|(_, domain)| domain)
    }

    /// `userType` is Guest. Null counts as member.
    pub fn is_guest(self) -> bool {
        self.row.1.is_guest
    }

    /// The UPN has `#EXT#` in it, as that of an account from another organization has.
    pub fn is_foreign(self) -> bool {
        self.row.1.is_foreign
    }

    /// Invited from another organization, whatever the user type: `creationType` Invitation with `#EXT#` in the UPN.
    pub fn is_invited(self) -> bool {
        self.row.1.is_invited
    }

    /// An invitation that was never taken up.
    pub fn is_pending(self) -> bool {
        self.row.1.is_pending
    }

    /// `accountEnabled`; `None` when Graph did not say.
    pub fn account_enabled(self) -> Option<bool> {
        self.row.1.is_enabled
    }

    /// Whether the account can sign in.
    pub fn is_enabled(self) -> bool {
        self.account_enabled() == Some(true)
    }

    /// An enabled member: what most rules judge.
    pub fn is_enabled_member(self) -> bool {
        self.is_enabled() && !self.is_guest()
    }

    /// An enabled guest.
    pub fn is_enabled_guest(self) -> bool {
        self.is_enabled() && self.is_guest()
    }

    /// Synchronised from on-premises; null is cloud-only.
    pub fn is_synchronised(self) -> bool {
        self.row.1.is_synchronised
    }

    /// Has at least one licence.
    pub fn is_licensed(self) -> bool {
        self.row.1.is_licensed
    }

    /// When the account was made, to the second; `None` for some old or synchronised accounts.
    pub fn created(self) -> Option<Timestamp> {
        self.row.1.created.get()
    }

    /// When the invitation was sent or taken up.
    pub fn invitation_changed(self) -> Option<Timestamp> {
        self.row.1.invitation_changed.get()
    }

    /// `passwordPolicies` waives the strength of the password (`DisableStrongPassword`).
    pub fn is_password_strength_waived(self) -> bool {
        self.row.1.is_password_strength_waived
    }

    /// Has a mail address.
    pub fn has_mail(self) -> bool {
        self.row.1.has_mail
    }

    /// The licences with the service plans that are switched off in each. Which plans are left follows from `subscribedSkus`;
    /// `assignedPlans` says the same at twenty times the length.
    pub fn licences(self) -> &'a [AssignedLicense] {
        let sets = &self.users.licences;
        sets.get(self.row.1.licences as usize)
            .map_or(&[], Vec::as_slice)
    }

    /// The first day of work, where readable.
    pub fn hired(self) -> Option<Timestamp> {
        self.row.1.hired.get()
    }
}

impl Users {
    pub(super) fn push(&mut self, row: model::User) -> Result<Fold, Bad> {
        let id = row.id.ok_or_else(|| Bad::new("id", "missing"))?;
        let name = row.user_principal_name.unwrap_or_default();
        let is_foreign = name
            .raw()
            .as_bytes()
            .windows(5)
            .any(|part| part.eq_ignore_ascii_case(b"#EXT#"));
        let invitation = |kind: &crate::snapshot::Untrusted| kind.is("Invitation");
        let licences = self.licence_set(row.assigned_licenses.unwrap_or_default());
        let account = Account {
            created: row.created_date_time.into(),
            hired: row.employee_hire_date.into(),
            invitation_changed: row.external_user_state_change_date_time.into(),
            licences,
            has_mail: row.mail.is_some_and(|mail| !mail.raw().is_empty()),
            is_password_strength_waived: row.password_policies.is_some_and(|policies| {
                let mut flags = policies.raw().split(',');
                flags.any(|flag| flag.trim().eq_ignore_ascii_case("DisableStrongPassword"))
            }),
            is_enabled: row.account_enabled,
            is_guest: row.user_type == Some(UserType::Guest),
            is_foreign,
            is_invited: is_foreign && row.creation_type.as_ref().is_some_and(invitation),
            is_pending: row.external_user_state == Some(ExternalUserState::PendingAcceptance),
            is_synchronised: row.on_premises_sync_enabled == Some(true),
            is_licensed: licences > 0,
        };
        let names = &mut self.names;
        self.accounts.insert(id, || {
            names.push(name.raw())?;
            names.push(row.display_name.unwrap_or_default().raw())?;
            Ok(account)
        })
    }

    /// The index of a set of licences, which is added when it is new.
    fn licence_set(&mut self, set: Vec<AssignedLicense>) -> u32 {
        if self.licences.is_empty() {
            self.licences.push(Vec::new());
            self.licence_sets.insert(Vec::new(), 0);
        }
        let plans = |licence: &AssignedLicense| licence.disabled_plans.clone().unwrap_or_default();
        let ids: Vec<Option<Guid>> = set
            .iter()
            .flat_map(|licence| {
                let disabled = plans(licence).into_iter().map(Some);
                [licence.sku_id, None]
                    .into_iter()
                    .chain(disabled)
                    .chain([None])
            })
            .collect();
        // There are fewer sets than accounts, and those were counted.
        let next = u32::try_from(self.licences.len()).unwrap_or(u32::MAX);
        let index = *self.licence_sets.entry(ids).or_insert(next);
        if index == next {
            self.licences.push(set);
        }
        index
    }

    /// All accounts, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = User<'_>> {
        self.accounts.iter().map(|(index, row)| User {
            users: self,
            index,
            row,
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The account with this object id.
    pub fn get(&self, id: Guid) -> Option<User<'_>> {
        self.accounts.get(id).map(|(index, row)| User {
            users: self,
            index,
            row,
        })
    }

    /// The account at this place of the list.
    pub fn at(&self, index: u32) -> Option<User<'_>> {
        self.accounts.at(index).map(|row| User {
            users: self,
            index,
            row,
        })
    }

    /// The account that a person means by an object id or a UPN.
    pub fn find(&self, id_or_name: &str) -> Option<User<'_>> {
        match id_or_name.parse::<Guid>() {
            Ok(id) => self.get(id),
            Err(_) => self
                .iter()
                .find(|user| user.user_principal_name().is(id_or_name)),
        }
    }
}

impl Tenant {
    /// The accounts that people mean by these ids or UPNs, as far as they exist and the registration report has no row for them.
    pub fn without_registration_row(&self, names: &[String]) -> BTreeSet<Guid> {
        let (users, report) = (self.users.hints(), self.registration_details.hints());
        names
            .iter()
            .filter_map(|name| users.find(name))
            .map(User::id)
            .filter(|&id| report.get(id).is_none())
            .collect()
    }

    /// Accounts that may have a mailbox: enabled members with a licence.
    pub fn mailbox_candidates(&self) -> BTreeSet<Guid> {
        let users = self.users.hints().iter();
        users
            .filter(|user| user.is_enabled_member() && user.is_licensed())
            .map(User::id)
            .collect()
    }

    /// Enabled accounts, guests included.
    pub fn enabled_accounts(&self) -> BTreeSet<Guid> {
        let users = self.users.hints().iter();
        users
            .filter(|user| user.is_enabled())
            .map(User::id)
            .collect()
    }

    /// Enabled members with a mail address, licensed or not: a shared mailbox needs no licence.
    pub fn accounts_with_mail(&self) -> BTreeSet<Guid> {
        let users = self.users.hints().iter();
        users
            .filter(|user| user.is_enabled_member() && user.has_mail())
            .map(User::id)
            .collect()
    }
}
