//! Accounts and what is told of them: users, their registered methods, those at risk.

use super::names;
use super::row::{Of, Property, Row, boolean, guid, properties, raw, text};

impl Row<'_> {
    /// Guests come first in the count of rows; no list is in that order.
    pub(super) const fn is_guest(&self) -> bool {
        self.index < self.world.guests
    }

    fn first(&self) -> (&'static str, &'static str) {
        names::first().pick(self.draw(1))
    }

    fn last(&self) -> (&'static str, &'static str) {
        names::last().pick(self.draw(2))
    }

    /// Accounts of programs and rooms: 12 in 100 members.
    const fn is_person(&self) -> bool {
        self.is_guest() || self.below(3, 100) < 88
    }

    /// Unique by the index at its end, and never without a letter or digit before it.
    pub(super) fn principal_name(&self) -> String {
        let (index, world) = (self.index, self.world);
        let ((first, _), (last, _)) = (self.first(), self.last());
        if self.is_guest() {
            let (partner, _) = names::partner().pick(self.draw(4));
            let home = &world.initial_domain;
            return format!("{first}.{last}{index}_{partner}#EXT#@{home}");
        }
        let domain = &world.domain;
        match self.below(3, 100) {
            0..66 => format!("{first}.{last}{index}@{domain}"),
            66..71 => format!("{first}_{last}{index}@{domain}"),
            71..76 => format!("{last}-{first}{index}@{domain}"),
            76..88 => format!("{}{last}{index}@{domain}", first.get(..1).unwrap_or("x")),
            88..93 => format!("{index:07}@{domain}"),
            93..97 => format!("svc-{}{index}@{domain}", self.subject()),
            97..99 => format!("_{}{index}@{domain}", self.subject()),
            _ => format!(
                "room-{}{index}@{domain}",
                self.one_of(5, &["north", "south", "lab"])
            ),
        }
    }

    fn subject(&self) -> &'static str {
        match names::subject().pick(self.draw(6)).0 {
            // Brackets are not allowed in an address.
            "[old]" => "old",
            plain => plain,
        }
    }

    /// Many share one: a display name is not unique.
    pub(super) fn person_name(&self) -> String {
        if self.is_person() {
            return format!("{} {}", self.first().1, self.last().1);
        }
        match self.below(3, 100) {
            0..93 => format!("Payroll {:03}", self.below(7, 400)),
            93..99 => format!("Service {}", names::subject().pick(self.draw(6)).1),
            _ => "Meeting room".to_owned(),
        }
    }

    fn has_mail(&self) -> bool {
        self.is_person()
    }

    fn mail(&self) -> String {
        let name = self.principal_name();
        match name.split_once("#EXT#") {
            Some((address, _)) => match address.rsplit_once('_') {
                Some((name, domain)) => format!("{name}@{domain}"),
                None => address.to_owned(),
            },
            None => name,
        }
    }

    /// The older switch of each account, which most tenants have left off.
    pub(super) const fn per_user_mfa(&self) -> &'static str {
        if self.chance(33, 20) {
            "enforced"
        } else {
            "disabled"
        }
    }

    const fn is_synced(&self) -> bool {
        !self.is_guest() && self.chance(8, 550)
    }
}

fn licences(row: &Row<'_>, out: &mut Vec<u8>) {
    out.push(b'[');
    let many = if row.is_guest() || !row.is_person() {
        0
    } else {
        row.below(20, 3)
    };
    for (number, sku) in (0..many).zip(&row.world.skus) {
        if number > 0 {
            out.push(b',');
        }
        raw(out, r#"{"disabledPlans":[],"skuId":"#);
        text(out, sku);
        out.push(b'}');
    }
    out.push(b']');
}

fn or_null(out: &mut Vec<u8>, some: bool, write: impl FnOnce(&mut Vec<u8>)) {
    if some {
        write(out);
    } else {
        raw(out, "null");
    }
}

/// Properties of `user`.
pub(super) const USER: &[Property] = properties! {
    "id" => |row, out| guid(out, row.id()),
    "userPrincipalName" => |row, out| text(out, &row.principal_name()),
    "displayName" => |row, out| text(out, &row.person_name()),
    "givenName" => |row, out| or_null(out, row.is_person(), |out| text(out, row.first().1)),
    "surname" => |row, out| or_null(out, row.is_person(), |out| text(out, row.last().1)),
    "mail" => |row, out| or_null(out, row.has_mail(), |out| text(out, &row.mail())),
    "businessPhones" => |_, out| raw(out, "[]"),
    "mobilePhone" => |_, out| raw(out, "null"),
    "jobTitle" => |row, out| or_null(out, row.chance(9, 600), |out| text(out, row.one_of(10, &["Engineer", "Manager", "Clerk", "Nurse", "Teacher"]))),
    "officeLocation" => |_, out| raw(out, "null"),
    "preferredLanguage" => |row, out| or_null(out, row.chance(11, 700), |out| text(out, row.one_of(12, &["en-GB", "de-DE", "sv-SE", "pt-BR"]))),
    "usageLocation" => |row, out| or_null(out, !row.is_guest(), |out| text(out, row.one_of(13, &["DE", "SE", "BR", "GB", "US"]))),
    "userType" => |row, out| text(out, if row.is_guest() { "Guest" } else { "Member" }),
    "accountEnabled" => |row, out| boolean(out, row.chance(14, 930)),
    // Documented as null for users from before June 2018.
    "createdDateTime" => |row, out| or_null(out, !row.chance(15, 12), |out| row.ago(out, 16, 4_000)),
    "creationType" => |row, out| or_null(out, row.is_guest(), |out| raw(out, "\"Invitation\"")),
    "externalUserState" => |row, out| or_null(out, row.is_guest(), |out| text(out, if row.chance(17, 800) { "Accepted" } else { "PendingAcceptance" })),
    "externalUserStateChangeDateTime" => |row, out| or_null(out, row.is_guest(), |out| row.ago(out, 18, 1_500)),
    "onPremisesSyncEnabled" => |row, out| or_null(out, row.is_synced(), |out| raw(out, "true")),
    "onPremisesImmutableId" => |row, out| or_null(out, row.is_synced(), |out| text(out, &format!("{:016x}", row.draw(19)))),
    "assignedLicenses" => licences,
    "passwordPolicies" => |row, out| or_null(out, row.is_synced(), |out| raw(out, "\"DisablePasswordExpiration\"")),
    "lastPasswordChangeDateTime" => |row, out| row.ago(out, 21, 900),
    "signInSessionsValidFromDateTime" => |row, out| row.ago(out, 21, 900),
    "department" => |row, out| or_null(out, row.chance(22, 700), |out| text(out, names::subject().pick(row.draw(23)).1)),
    "employeeType" => |_, out| raw(out, "null"),
    "isResourceAccount" => |_, out| raw(out, "null"),
    "signInActivity" => sign_in,
};

fn sign_in(row: &Row<'_>, out: &mut Vec<u8>) {
    if row.chance(24, 60) {
        return raw(out, "null");
    }
    raw(out, r#"{"lastSignInDateTime":"#);
    row.ago(out, 25, 400);
    raw(out, r#","lastNonInteractiveSignInDateTime":"#);
    row.ago(out, 26, 200);
    raw(out, r#","lastSuccessfulSignInDateTime":"#);
    row.ago(out, 25, 400);
    out.push(b'}');
}

/// Properties of `userRegistrationDetails`: one row for each user.
pub(super) const REGISTRATION: &[Property] = properties! {
    "id" => |row, out| guid(out, row.id()),
    "userPrincipalName" => |row, out| text(out, &row.principal_name()),
    "userDisplayName" => |row, out| text(out, &row.person_name()),
    "userType" => |row, out| text(out, if row.is_guest() { "guest" } else { "member" }),
    "isAdmin" => |_, out| raw(out, "false"),
    "isSsprRegistered" => |row, out| boolean(out, is_strong(row)),
    "isSsprEnabled" => |_, out| raw(out, "true"),
    "isSsprCapable" => |row, out| boolean(out, is_strong(row)),
    "isMfaRegistered" => |row, out| boolean(out, is_strong(row)),
    "isMfaCapable" => |row, out| boolean(out, is_strong(row)),
    "isPasswordlessCapable" => |row, out| boolean(out, is_strong(row) && row.chance(31, 150)),
    "methodsRegistered" => |row, out| raw(out, match (is_strong(row), row.chance(31, 150)) {
        (true, true) => r#"["microsoftAuthenticatorPush","passKeyDeviceBound"]"#,
        (true, false) => r#"["microsoftAuthenticatorPush","softwareOneTimePasscode"]"#,
        (false, _) => "[]",
    }),
    "isSystemPreferredAuthenticationMethodEnabled" => |_, out| raw(out, "true"),
    "systemPreferredAuthenticationMethods" => |row, out| raw(out, if is_strong(row) { r#"["PhoneAppNotification"]"# } else { "[]" }),
    "userPreferredMethodForSecondaryAuthentication" => |row, out| text(out, if is_strong(row) { "push" } else { "none" }),
    "lastUpdatedDateTime" => |row, out| row.ago(out, 32, 20),
};

const fn is_strong(row: &Row<'_>) -> bool {
    row.chance(30, 780)
}

impl<'a> Row<'a> {
    /// The account that a risky user is; `None`: it was deleted, which the list of risky users outlives.
    fn account(&self) -> Option<Row<'a>> {
        let many = self.world.users / 20;
        (self.index < many).then(|| self.world.row(Of::Users, self.index * 20))
    }

    pub(super) fn account_id(&self) -> uuid::Uuid {
        self.account()
            .map_or_else(|| self.id(), |account| account.id())
    }
}

/// Properties of `riskyUser`.
pub(super) const RISKY_USER: &[Property] = properties! {
    "id" => |row, out| guid(out, row.account_id()),
    "isDeleted" => |row, out| boolean(out, row.account().is_none()),
    "isProcessing" => |_, out| raw(out, "false"),
    "riskLevel" => |row, out| text(out, if is_at_risk(row) { row.one_of(1, &["low", "medium", "high"]) } else { "none" }),
    "riskState" => |row, out| text(out, match is_at_risk(row) {
        true if row.chance(2, 900) => "atRisk",
        true => "confirmedCompromised",
        false => row.one_of(3, &["remediated", "dismissed"]),
    }),
    "riskDetail" => |row, out| text(out, if is_at_risk(row) { "none" } else { "adminDismissedAllRiskForUser" }),
    "riskLastUpdatedDateTime" => |row, out| row.ago(out, 4, 300),
    "userDisplayName" => |row, out| text(out, &row.account().unwrap_or(*row).person_name()),
    "userPrincipalName" => |row, out| text(out, &row.account().unwrap_or(*row).principal_name()),
};

const fn is_at_risk(row: &Row<'_>) -> bool {
    row.index < row.world.at_risk
}
