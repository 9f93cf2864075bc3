//! Who has registered which sign-in methods, as the registration report tells.
//!
//! A user without a row is neither registered nor unregistered. The report's own `isAdmin` is not used: it knows active roles only.

use super::admins::{Admins, NOBODY};
use crate::rules::prelude::*;

declare_rule! {
    /// An administrator without a second factor is one password away from losing the tenant.
    ///
    /// Nor does a policy that asks for the factor help while none is registered: the first one to sign in with the right password is
    /// asked to register, and that may be the attacker.
    pub(crate) static ADMINS_WITHOUT_MFA_METHOD = {
        id: "admins-without-mfa-method",
        title: "An admin has no second factor registered",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(4, 4, 3),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::RegistrationDetails, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments, Resource::GroupTransitiveMembers],
        may_read: &[Resource::RoleEligibilityScheduleInstances],
        controls: &[MitreAttack("T1556.006"), MitreAttack("T1078.004"), NistCsf2("PR.AA-02")],
        evidence: Expected { source: Some(Resource::RegistrationDetails), property: "isMfaCapable", expected: "true for every administrator" },
        remediation: Remediation {
            summary: "Every administrator registers a second factor, with somebody watching; accounts that nobody claims lose their roles.",
            notices: "The administrators named in the finding register a method.",
            check_first: "Look at the sign-in log of each account for the last 30 days: a sign-in that its owner does not know comes first.",
            steps: &[
                "Call each owner and find out whether the account is still needed; remove the roles where it is not.",
                "Set a new password and issue a Temporary Access Pass, handed over in person or on a known number.",
                "Let the owner register a passkey or security key at once at aka.ms/mysecurityinfo.",
                "Check in User registration details that the account is capable of multifactor authentication.",
            ],
            portal: "Entra admin center > Entra ID > Authentication methods > User registration details",
            request: "POST /v1.0/users/{id}/authentication/temporaryAccessPassMethods {\"lifetimeInMinutes\": 60, \"isUsableOnce\": true}",
            roll_out: "Today, account by account; no pilot is needed.",
            verify: "isMfaCapable is true for every enabled holder of an admin role.",
            roll_back: "Delete the registered method on the user's page Authentication methods.",
            dangers: &[],
            learn: &[
                "https://learn.microsoft.com/entra/identity/authentication/howto-authentication-methods-activity",
                "https://learn.microsoft.com/entra/identity/authentication/howto-authentication-temporary-access-pass",
            ],
        },
        check: admins_without_mfa_method,
    }
}

fn admins_without_mfa_method(cx: &Context<'_>) -> Verdict {
    let (admins, report) = (Admins::all(cx)?, cx.registration_details()?);
    let mut tally = admins.tally();
    for admin in &admins.enabled {
        match report.get(admin.user.id()).and_then(|row| row.mfa_capable) {
            Some(capable) => tally.judge(!capable, || admin.object(cx, "")),
            None => tally.unknown(),
        }
    }
    Ok(tally.outcome(NOBODY, |without, all| {
        format!(
            "{without} of {all} enabled holders of an admin role have no second factor registered"
        )
    }))
}

declare_rule! {
    /// A code or a tap on a phone can be talked out of a person; a key that is bound to the site cannot.
    ///
    /// Fake sign-in pages pass passwords and codes on in real time and keep the session. Passkeys, security keys and Windows Hello refuse to
    /// answer such a page. Before a policy may ask administrators for one, each of them must have one.
    pub(crate) static ADMINS_WITHOUT_PHISHING_RESISTANT_METHOD = {
        id: "admins-without-phishing-resistant-method",
        title: "An admin has no phishing-resistant method registered",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(3, 4, 2),
        effort: Effort::M.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::RegistrationDetails, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments, Resource::GroupTransitiveMembers],
        may_read: &[Resource::RoleEligibilityScheduleInstances],
        controls: &[MitreAttack("T1566.002"), MitreAttack("T1557"), NistCsf2("PR.AA-03")],
        evidence: Expected { source: Some(Resource::RegistrationDetails), property: "methodsRegistered", expected: "a FIDO2 key, a passkey, Windows Hello for Business or a Secure Enclave key" },
        remediation: Remediation {
            summary: "Every administrator registers a passkey, a security key or Windows Hello for Business.",
            notices: "Administrators, who register a method once and then sign in faster than before.",
            check_first: "List the administrators of the finding with the devices they use; accounts that sign in with a certificate do not show in the report: accept those.",
            steps: &[
                "Enable Passkey (FIDO2) in the authentication methods policy for the administrators.",
                "Hand out two security keys each, or let them make a passkey in Microsoft Authenticator.",
                "Let them register at aka.ms/mysecurityinfo; issue a Temporary Access Pass where no strong method is there yet.",
                "Only then require the authentication strength Phishing-resistant MFA for the admin roles.",
            ],
            portal: "Entra admin center > Entra ID > Authentication methods > Policies > Passkey (FIDO2)",
            request: "PATCH /v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/fido2 {\"@odata.type\": \"#microsoft.graph.fido2AuthenticationMethodConfiguration\", \"state\": \"enabled\"}",
            roll_out: "Two administrators first, the others within two weeks.",
            verify: "methodsRegistered of every enabled holder of an admin role names a phishing-resistant method.",
            roll_back: "Registered keys do no harm; remove one on the user's page Authentication methods.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/authentication/concept-authentication-strengths"],
        },
        check: admins_without_phishing_resistant_method,
    }
}

fn admins_without_phishing_resistant_method(cx: &Context<'_>) -> Verdict {
    let (admins, report) = (Admins::all(cx)?, cx.registration_details()?);
    let mut tally = admins.tally();
    for admin in &admins.enabled {
        match report.get(admin.user.id()).filter(|row| row.lists_methods) {
            Some(row) => tally.judge(!row.phishing_resistant(), || admin.object(cx, "")),
            None => tally.unknown(),
        }
    }
    Ok(tally.outcome(NOBODY, |without, all| {
        format!("{without} of {all} enabled holders of an admin role have no phishing-resistant method registered")
    }))
}

declare_rule! {
    /// People who have registered nothing are the ones whom a stolen password betrays at once.
    ///
    /// They are also the ones who would be locked out on the day on which multifactor authentication is required, and in whose name an
    /// attacker can register a method of his own. Registration comes before enforcement.
    pub(crate) static USERS_WITHOUT_MFA_METHOD = {
        id: "users-without-mfa-method",
        title: "Members have no second factor registered",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(3, 3, 2),
        effort: EffortBySize(Effort::M, Effort::M, Effort::L),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::ENTRA_P1,
        reads: &[Resource::RegistrationDetails, Resource::Users],
        controls: &[Cis7("5.2.3.4"), Cis6("5.2.3.4"), MitreAttack("T1556.006"), NistCsf2("PR.AA-02")],
        evidence: Expected { source: Some(Resource::RegistrationDetails), property: "isMfaCapable", expected: "true for every enabled member" },
        remediation: Remediation {
            summary: "Everybody registers a second factor before it is required.",
            notices: "The users named in the finding are asked to register at their next sign-in.",
            check_first: "Sort the list into people, shared mailboxes, service accounts and forgotten accounts: only people register; shared mailboxes need no sign-in at all.",
            steps: &[
                "Disable sign-in for shared mailboxes and rooms, and the accounts that nobody uses.",
                "Replace service accounts by applications with a managed identity or a certificate.",
                "Run a registration campaign for Microsoft Authenticator or passkeys.",
                "Help those who have no telephone for it with a security key, handed out with a Temporary Access Pass.",
                "Require multifactor authentication when 95 of 100 are registered, and call the rest.",
            ],
            portal: "Entra admin center > Entra ID > Authentication methods > Registration campaign",
            request: "PATCH /v1.0/policies/authenticationMethodsPolicy {\"registrationEnforcement\": {\"authenticationMethodsRegistrationCampaign\": {\"state\": \"enabled\"}}}",
            roll_out: "Department by department, two weeks each, with a date that everybody knows.",
            verify: "isMfaCapable is true for every enabled member that the report lists.",
            roll_back: "Set the registration campaign back to its former state.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/authentication/howto-authentication-methods-activity"],
        },
        check: users_without_mfa_method,
    }
}

fn users_without_mfa_method(cx: &Context<'_>) -> Verdict {
    let (users, mut row_of) = (cx.users()?, cx.registration_details()?.in_turn());
    let mut tally = Tally::new();
    for user in users.iter().filter(|user| {
        // Whoever starts next month has had no occasion yet.
        !user.is_guest() && user.hired().is_none_or(|first_day| first_day <= cx.now())
    }) {
        let capable = row_of(user.id()).and_then(|row| row.mfa_capable);
        match (user.account_enabled(), capable) {
            (Some(false), _) => {}
            (Some(true), Some(true)) => tally.pass(),
            (Some(true), Some(false)) => tally.fail_user(cx, user, String::new),
            _ => tally.unknown(),
        }
    }
    Ok(tally.outcome("there is no enabled member", |without, all| {
        format!("{without} of {all} enabled members have no second factor registered")
    }))
}
