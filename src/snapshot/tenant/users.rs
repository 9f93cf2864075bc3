//! Accounts, their last sign-in and their registered methods, in compact form.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::{Bad, Tenant};
use crate::snapshot::model::{
    self, AssignedLicense, ExternalUserState, SignInActivityRow, UserRegistrationDetails, UserType,
};
use crate::snapshot::{Guid, GuidMap, Untrusted};

/// An account.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent facts, as Graph sends them"
)]
pub struct User {
    /// Place in the list of accounts, from 0: what tables beside the list are indexed by.
    pub index: u32,
    /// Object id.
    pub id: Guid,
    /// The name to sign in with.
    pub user_principal_name: Untrusted,
    /// The name to show.
    pub display_name: Untrusted,
    /// `userType` is Guest. Null counts as member.
    pub is_guest: bool,
    /// Invited from another organization, whatever the user type: `creationType` Invitation with `#EXT#` in the UPN.
    pub is_invited: bool,
    /// `accountEnabled`; `None` when Graph did not say.
    pub account_enabled: Option<bool>,
    /// When the account was made; `None` for some old or synchronised accounts.
    pub created: Option<Timestamp>,
    /// The first day of work, where readable.
    pub hired: Option<Timestamp>,
    /// Synchronised from on-premises; null is cloud-only.
    pub is_synchronised: bool,
    /// Has at least one licence.
    pub is_licensed: bool,
    /// An invitation that was never taken up.
    pub is_pending: bool,
    /// When the invitation was sent or taken up.
    pub invitation_changed: Option<Timestamp>,
    /// `passwordPolicies` waives the strength of the password (`DisableStrongPassword`).
    pub is_password_strength_waived: bool,
    /// Has a mail address.
    pub has_mail: bool,
    /// Which set of licences it has: an index into [`Users::licences`].
    licences: u32,
}

impl User {
    /// Whether the account can sign in.
    pub fn is_enabled(&self) -> bool {
        self.account_enabled == Some(true)
    }

    /// An enabled member: what most rules judge.
    pub fn is_enabled_member(&self) -> bool {
        self.is_enabled() && !self.is_guest
    }

    /// An enabled guest.
    pub fn is_enabled_guest(&self) -> bool {
        self.is_enabled() && self.is_guest
    }

    /// The domain of the UPN; for an invited account that of this tenant, not of its home.
    pub fn domain(&self) -> Option<&str> {
        self.user_principal_name
            .raw()
            .rsplit_once('@')
            .map(|(_, domain)| domain)
    }
}

/// All accounts, by id.
#[derive(Debug, Clone, Default)]
pub struct Users {
    list: Vec<User>,
    by_id: GuidMap<u32>,
    /// Each set of licences that occurs, once: a handful for any number of accounts. The first one is empty.
    licences: Vec<Vec<AssignedLicense>>,
    /// Where each set stands, by the ids in it.
    licence_sets: HashMap<Vec<Option<Guid>>, u32>,
}

impl Users {
    pub(super) fn push(&mut self, row: model::User) -> Result<(), Bad> {
        let id = row.id.ok_or_else(|| Bad::new("id", "missing"))?;
        let Ok(index) = u32::try_from(self.list.len()) else {
            return Err(Bad::new("id", "more accounts than this version can hold"));
        };
        let user_principal_name = row.user_principal_name.unwrap_or_default();
        let is_invited = row
            .creation_type
            .as_ref()
            .is_some_and(|kind| kind.is("Invitation"))
            && user_principal_name
                .raw()
                .to_ascii_uppercase()
                .contains("#EXT#");
        let licences = self.licence_set(row.assigned_licenses.unwrap_or_default());
        let user = User {
            index,
            id,
            is_invited,
            user_principal_name,
            display_name: row.display_name.unwrap_or_default(),
            is_guest: row.user_type == Some(UserType::Guest),
            account_enabled: row.account_enabled,
            created: row.created_date_time,
            hired: row.employee_hire_date,
            is_synchronised: row.on_premises_sync_enabled == Some(true),
            is_licensed: licences > 0,
            is_pending: row.external_user_state == Some(ExternalUserState::PendingAcceptance),
            invitation_changed: row.external_user_state_change_date_time,
            is_password_strength_waived: row.password_policies.is_some_and(|policies| {
                let mut flags = policies.raw().split(',');
                flags.any(|flag| flag.trim().eq_ignore_ascii_case("DisableStrongPassword"))
            }),
            has_mail: row.mail.is_some_and(|mail| !mail.raw().is_empty()),
            licences,
        };
        // A row that comes twice (a page repeated after a retry) counts once.
        match self.by_id.insert(id, index) {
            Some(earlier) => {
                self.by_id.insert(id, earlier);
            }
            None => self.list.push(user),
        }
        Ok(())
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

    /// The licences of an account with the service plans that are switched off in each. Which plans are left follows from
    /// `subscribedSkus`; `assignedPlans` says the same at twenty times the length.
    pub fn licences(&self, user: &User) -> &[AssignedLicense] {
        self.licences
            .get(user.licences as usize)
            .map_or(&[], Vec::as_slice)
    }

    /// All accounts, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The account with this object id.
    pub fn get(&self, id: Guid) -> Option<&User> {
        self.by_id
            .get(&id)
            .and_then(|&index| self.list.get(index as usize))
    }

    /// The account that a person means by an object id or a UPN.
    pub fn find(&self, id_or_name: &str) -> Option<&User> {
        match id_or_name.parse::<Guid>() {
            Ok(id) => self.get(id),
            Err(_) => self
                .list
                .iter()
                .find(|user| user.user_principal_name.is(id_or_name)),
        }
    }
}

/// When accounts were last used.
#[derive(Debug, Clone, Default)]
pub struct SignIns(GuidMap<Option<Timestamp>>);

impl SignIns {
    pub(super) fn push(&mut self, row: SignInActivityRow) -> Result<(), Bad> {
        let id = row.id.ok_or_else(|| Bad::new("id", "missing"))?;
        let last = row.sign_in_activity.and_then(|activity| {
            [
                activity.last_sign_in_date_time,
                activity.last_non_interactive_sign_in_date_time,
                activity.last_successful_sign_in_date_time,
            ]
            .into_iter()
            .flatten()
            .filter(|&at| at > FIRST_REAL_DATE)
            .max()
        });
        self.0.insert(id, last);
        Ok(())
    }

    /// The latest of the last interactive, non-interactive and successful sign-in.
    ///
    /// `None`: Graph holds none for the account, which does not prove that there never was one (nothing before April
    /// 2020 is kept, and data lags up to a day). Source: `user.signInActivity`, Graph v1.0.
    pub fn last(&self, user: Guid) -> Option<Timestamp> {
        self.0.get(&user).copied().flatten()
    }
}

/// Graph writes 0001-01-01 where there is no date.
const FIRST_REAL_DATE: Timestamp = Timestamp::UNIX_EPOCH;

/// Methods that can be phished, taken over with a SIM card, or guessed.
const WEAK: [&str; 5] = [
    "mobilePhone",
    "alternateMobilePhone",
    "officePhone",
    "email",
    "securityQuestion",
];

/// What one user has registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent facts, as the report has them"
)]
pub struct Registration {
    /// `isMfaCapable`: registered a second factor that policy allows. `None`: the report does not say.
    pub mfa_capable: Option<bool>,
    /// `isMfaRegistered`: registered a second factor, whether policy allows it or not.
    pub mfa_registered: Option<bool>,
    /// `isSsprEnabled`: self-service password reset is enabled for the user.
    pub sspr_enabled: Option<bool>,
    /// Every method that is listed is a telephone number, a mail address or a set of questions; at least one is listed.
    pub weak_only: bool,
    /// Whether the row lists methods at all (`methodsRegistered` is there, empty or not); without it the two flags below say nothing.
    pub lists_methods: bool,
    /// Has a FIDO2 key, a passkey or Windows Hello for Business.
    pub passkey: bool,
    /// Has a Secure Enclave key of a Mac.
    pub secure_enclave: bool,
}

impl Registration {
    /// Has any method that cannot be phished.
    pub fn phishing_resistant(&self) -> bool {
        self.passkey || self.secure_enclave
    }
}

/// The registration report, by user.
#[derive(Debug, Clone, Default)]
pub struct RegistrationDetails(GuidMap<Registration>);

impl RegistrationDetails {
    pub(super) fn push(&mut self, row: UserRegistrationDetails) -> Result<(), Bad> {
        let id = row.id.ok_or_else(|| Bad::new("id", "missing"))?;
        let lists_methods = row.methods_registered.is_some();
        let methods = row.methods_registered.unwrap_or_default();
        let has = |names: &[&str]| {
            methods
                .iter()
                .any(|method| names.iter().any(|name| method.is(name)))
        };
        let registration = Registration {
            mfa_capable: row.is_mfa_capable,
            mfa_registered: row.is_mfa_registered,
            sspr_enabled: row.is_sspr_enabled,
            weak_only: !methods.is_empty()
                && methods
                    .iter()
                    .all(|method| WEAK.iter().any(|weak| method.is(weak))),
            lists_methods,
            passkey: has(&[
                "fido2SecurityKey",
                "passKeyDeviceBound",
                "passKeyDeviceBoundAuthenticator",
                "passKeyDeviceBoundWindowsHello",
                "passKeySynced",
                "windowsHelloForBusiness",
            ]),
            secure_enclave: has(&["macOsSecureEnclaveKey"]),
        };
        self.0.insert(id, registration);
        Ok(())
    }

    /// The row of one user; `None` when the report has none, which is neither registered nor unregistered.
    pub fn get(&self, user: Guid) -> Option<Registration> {
        self.0.get(&user).copied()
    }
}

impl Tenant {
    /// The accounts that people mean by these ids or UPNs, as far as they exist and the registration report has no row for them.
    pub fn without_registration_row(&self, names: &[String]) -> BTreeSet<Guid> {
        let (users, report) = (self.users.hints(), self.registration_details.hints());
        names
            .iter()
            .filter_map(|name| users.find(name))
            .map(|user| user.id)
            .filter(|&id| report.get(id).is_none())
            .collect()
    }

    /// Enabled accounts, guests included.
    pub fn enabled_accounts(&self) -> BTreeSet<Guid> {
        let users = self.users.hints().iter();
        users
            .filter(|user| user.is_enabled())
            .map(|user| user.id)
            .collect()
    }

    /// Enabled members with a mail address, licensed or not: a shared mailbox needs no licence.
    pub fn accounts_with_mail(&self) -> BTreeSet<Guid> {
        let users = self.users.hints().iter();
        users
            .filter(|user| user.is_enabled_member() && user.has_mail)
            .map(|user| user.id)
            .collect()
    }

    /// Accounts that may have a mailbox: enabled members with a licence.
    pub fn mailbox_candidates(&self) -> BTreeSet<Guid> {
        let users = self.users.hints().iter();
        users
            .filter(|user| user.is_enabled_member() && user.is_licensed)
            .map(|user| user.id)
            .collect()
    }
}
