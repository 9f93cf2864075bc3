//! What users have registered to sign in with, in compact form.

use super::compact::{Beside, Table};
use super::fold::{Bad, Fold};
use crate::snapshot::Guid;
use crate::snapshot::model::UserRegistrationDetails;

/// What one user has registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Registration {
    /// `isMfaCapable`: registered a second factor that policy allows. `None`: the report does not say.
    pub mfa_capable: Option<bool>,
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
pub struct RegistrationDetails(Table<Registration>);

impl RegistrationDetails {
    pub(super) fn push(&mut self, row: UserRegistrationDetails) -> Result<Fold, Bad> {
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
        self.0.insert(id, || Ok(registration))
    }

    /// The row of one user; `None` when the report has none, which is neither registered nor unregistered.
    pub fn get(&self, user: Guid) -> Option<Registration> {
        self.0.get(user).map(|(_, (_, registration))| *registration)
    }

    /// The same for one user after the other, quickest in the order of the list of accounts.
    pub fn in_turn(&self) -> impl FnMut(Guid) -> Option<Registration> {
        let mut beside = Beside::new(&self.0);
        move |user| beside.get(user).copied()
    }
}
