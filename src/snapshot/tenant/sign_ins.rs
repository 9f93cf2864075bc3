//! When accounts were last used, in compact form.

use jiff::Timestamp;

use super::compact::{Beside, Moment, Table};
use super::fold::{Bad, Fold};
use crate::snapshot::Guid;
use crate::snapshot::model::SignInActivityRow;

/// When accounts were last used.
#[derive(Debug, Clone, Default)]
pub struct SignIns(Table<Moment>);

impl SignIns {
    pub(super) fn push(&mut self, row: SignInActivityRow) -> Result<Fold, Bad> {
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
        self.0.insert(id, || Ok(last.into()))
    }

    /// The latest of the last interactive, non-interactive and successful sign-in, to the second.
    ///
    /// `None`: Graph holds none for the account, which does not prove that there never was one (nothing before April
    /// 2020 is kept, and data lags up to a day). Source: `user.signInActivity`, Graph v1.0.
    pub fn last(&self, user: Guid) -> Option<Timestamp> {
        self.0.get(user).and_then(|(_, (_, last))| last.get())
    }

    /// The same for one account after the other, quickest in the order of the list of accounts.
    pub fn in_turn(&self) -> impl FnMut(Guid) -> Option<Timestamp> {
        let mut beside = Beside::new(&self.0);
        move |user| beside.get(user).and_then(|last| last.get())
    }
}

/// Graph writes 0001-01-01 where there is no date.
const FIRST_REAL_DATE: Timestamp = Timestamp::UNIX_EPOCH;
