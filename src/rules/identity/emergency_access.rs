//! The accounts that get in when nobody else does.

use std::collections::BTreeSet;

use crate::rules::Evidence;
use crate::rules::prelude::*;
use crate::snapshot::model::{
    AuthenticationMethod, ConditionalAccessPolicyState, ConditionalAccessUsers,
    DomainAuthenticationType,
};
use crate::snapshot::reference::GLOBAL_ADMINISTRATOR;
use crate::snapshot::tenant::{SCOPE_TENANT, User};

/// How many sound accounts there should be: one may be lost.
const WANTED: usize = 2;

declare_rule! {
    /// Every rule that can block a sign-in can block all of them: a wrong condition, an outage of the second factor, a
    /// federation server that is down.
    ///
    /// Two accounts that depend on none of this let somebody in to put it right. They live in the cloud only, hold Global Administrator
    /// permanently, are left out of the policies and are used for nothing else. Until they exist, nothing that can lock people out is
    /// safe to switch on.
    pub(crate) static EMERGENCY_ACCESS_ACCOUNT_MISSING = {
        id: "emergency-access-account-missing",
        title: "Fewer than two usable emergency access accounts are declared",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(1, 4, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Nobody,
        licence: Licence::Any,
        reads: &[Resource::Users, Resource::RoleAssignments, Resource::Domains],
        may_read: &[Resource::ConditionalAccessPolicies, Resource::GroupTransitiveMembers],
        controls: &[Cis7("1.1.2"), Cis6("1.1.2"), MitreAttack("T1531"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: None, property: "emergency-access.accounts", expected: "at least 2 enabled cloud-only accounts that hold Global Administrator directly, permanently and for the whole tenant" },
        remediation: Remediation {
            summary: "Two cloud-only accounts with permanent Global Administrator are kept for emergencies and declared to this tool.",
            notices: "Nobody; two or three people know where the keys are.",
            check_first: "Look whether such accounts exist already under another name: the finding lists accounts that every enabled policy excludes.",
            steps: &[
                "Make two accounts on the initial onmicrosoft.com domain, with names that do not tell what they are.",
                "Assign Global Administrator to each of them directly, active and permanent.",
                "Register two security keys for each, kept in two places, and write down who may fetch them.",
                "Exclude both from every Conditional Access policy, or from all but the one that asks for the security key.",
                "Raise an alert on every sign-in of theirs and test them every quarter.",
                "List both under [emergency-access] accounts in m365audit.toml.",
            ],
            portal: "Entra admin center > Entra ID > Users > New user",
            request: "POST /v1.0/roleManagement/directory/roleAssignments {\"principalId\": \"{account}\", \"roleDefinitionId\": \"62e90394-69f5-4237-9190-012177145e10\", \"directoryScopeId\": \"/\"}",
            roll_out: "In one afternoon; sign in with both before anything else on this plan is switched on.",
            verify: "Two declared accounts are enabled, cloud-only, on a managed domain and hold Global Administrator at \"/\".",
            roll_back: "Remove the role assignments, delete the accounts and take them off the list.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/role-based-access-control/security-emergency-access"],
        },
        check: emergency_access_account_missing,
    }
}

fn emergency_access_account_missing(cx: &Context<'_>) -> Verdict {
    let declared = &cx.config().emergency_access.accounts;
    if declared.is_empty() {
        return Ok(none_declared(cx));
    }
    let users = cx.users()?;
    let mut seen = BTreeSet::new();
    let (mut sound, mut unknown) = (0, 0);
    let mut unsound = Affected::default();
    for entry in declared {
        let Some(user) = users.find(entry) else {
            cx.whole(Resource::Users)?;
            let object = Object::new(ObjectType::User, entry.as_str(), entry.as_str());
            unsound.add(at_stake(object).detail("no such account"));
            continue;
        };
        // The same account by id and by name is one account.
        if !seen.insert(user.id()) {
            continue;
        }
        match soundness(cx, user)? {
            Sound::Yes => sound += 1,
            Sound::Unknown => unknown += 1,
            Sound::No(faults) => unsound.add(at_stake(cx.user_object(user)).detail(faults)),
        }
    }
    let judged = sound as u64 + unsound.count();
    if sound >= WANTED {
        return Ok(Outcome::pass(format!(
            "{sound} declared emergency access accounts are sound"
        ))
        .actual(format!("{sound} sound"))
        .affecting(Affected::default(), judged));
    }
    if sound + unknown >= WANTED {
        return Err(NotEvaluated::unknown(format!(
            "{unknown} of the declared emergency access accounts cannot be judged: a property that tells is absent"
        )));
    }
    // What is at stake is the tenant, however many accounts are declared: nothing is gained by one that is sound.
    let judged = if unsound.count() == 0 { 0 } else { judged };
    Ok(Outcome::fail(format!(
        "{sound} of the declared emergency access accounts are sound, {WANTED} are needed"
    ))
    .actual(format!("{sound} sound"))
    .affecting(unsound, judged))
}

/// Without this account the tenant may be lost, whatever it holds today.
fn at_stake(mut object: Object) -> Object {
    object.tier_0 = true;
    object
}

/// What one declared account is worth.
pub(super) enum Sound {
    Yes,
    /// With what is wrong, as one phrase.
    No(String),
    /// Nothing is wrong as far as it goes, and a property is absent.
    Unknown,
}

/// Judges one declared account: enabled, cloud-only, on a managed domain, Global Administrator directly and for the whole tenant.
pub(super) fn soundness(cx: &Context<'_>, user: User<'_>) -> Result<Sound, NotEvaluated> {
    let mut faults = Vec::new();
    let mut unknown = false;
    match user.account_enabled() {
        Some(true) => {}
        Some(false) => faults.push("disabled"),
        None => unknown = true,
    }
    if user.is_synchronised() {
        faults.push("synchronised from on-premises");
    }
    let name = user.domain().unwrap_or_default();
    match cx.domains()?.iter().find(|domain| domain.id.is(name)) {
        None => {
            cx.whole(Resource::Domains)?;
            unknown = true;
        }
        Some(domain) => match &domain.authentication_type {
            Some(DomainAuthenticationType::Federated) => faults.push("on a federated domain"),
            Some(_) => {}
            None => unknown = true,
        },
    }
    let scopes: Vec<Option<&str>> = cx
        .role_assignments()?
        .iter()
        .filter(|row| {
            row.principal_id == Some(user.id())
                && row.role_definition_id == Some(GLOBAL_ADMINISTRATOR)
        })
        .map(|row| row.directory_scope_id.as_ref().map(Untrusted::raw))
        .collect();
    if !scopes.contains(&Some(SCOPE_TENANT)) {
        cx.whole(Resource::RoleAssignments)?;
        if scopes.contains(&None) {
            unknown = true;
        } else {
            faults.push(
                "does not hold Global Administrator directly, actively and for the whole tenant",
            );
        }
    }
    Ok(match (faults.is_empty(), unknown) {
        (false, _) => Sound::No(faults.join("; ")),
        (true, true) => Sound::Unknown,
        (true, false) => Sound::Yes,
    })
}

fn none_declared(cx: &Context<'_>) -> Outcome {
    let candidates: Affected = candidates(cx)
        .into_iter()
        .map(|id| {
            cx.user_id_object(id)
                .detail("candidate: excluded from every enabled policy, not declared")
        })
        .collect();
    let hint = match candidates.count() {
        0 => String::new(),
        found => {
            format!("; {found} accounts are excluded from every enabled policy and may be meant")
        }
    };
    Outcome::fail(format!("no emergency access account is declared{hint}"))
        .actual("none")
        .affecting(candidates, 0)
}

/// Users whom every enabled policy about users excludes: a hint, only where everything that it rests on was read.
fn candidates(cx: &Context<'_>) -> BTreeSet<Guid> {
    let Ok(policies) = cx
        .whole(Resource::ConditionalAccessPolicies)
        .and_then(|()| cx.conditional_access_policies())
    else {
        return BTreeSet::new();
    };
    policies
        .iter()
        .filter(|policy| policy.state == Some(ConditionalAccessPolicyState::Enabled))
        .filter_map(|policy| policy.conditions.as_ref()?.users.as_ref())
        .filter(|users| is_about_users(users))
        .map(|users| excluded(cx, users))
        .reduce(|all, one| &all & &one)
        .unwrap_or_default()
}

fn is_about_users(users: &ConditionalAccessUsers) -> bool {
    let names_any =
        |list: &Option<Vec<Untrusted>>| list.iter().flatten().any(|name| !name.is("None"));
    names_any(&users.include_users)
        || names_any(&users.include_groups)
        || names_any(&users.include_roles)
        || users.include_guests_or_external_users.is_some()
}

fn excluded(cx: &Context<'_>, users: &ConditionalAccessUsers) -> BTreeSet<Guid> {
    let ids = |list: &Option<Vec<Untrusted>>| -> Vec<Guid> {
        list.iter()
            .flatten()
            .filter_map(|id| id.raw().parse().ok())
            .collect()
    };
    let mut found: BTreeSet<Guid> = ids(&users.exclude_users).into_iter().collect();
    if let Ok(members) = cx.group_members() {
        found.extend(
            ids(&users.exclude_groups)
                .iter()
                .filter_map(|group| members.get(group))
                .flatten(),
        );
    }
    found
}

declare_rule! {
    /// Emergency access accounts hold the widest rights and are left out of the policies that protect everybody else.
    ///
    /// A password in a drawer, or a telephone that somebody carries, is too little for that. A security key is not phished, does
    /// not depend on a mobile network and can be locked away.
    pub(crate) static EMERGENCY_ACCESS_ACCOUNT_WITHOUT_STRONG_METHOD = {
        id: "emergency-access-account-without-strong-method",
        title: "An emergency access account has no phishing-resistant sign-in method",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(2, 4, 1),
        confidence: 80,
        effort: Effort::S.always(),
        disruption: Disruption::Nobody,
        after: &["emergency-access-account-missing"],
        licence: Licence::Any,
        reads: &[Resource::Users],
        may_read: &[Resource::RegistrationDetails, Resource::AuthenticationMethods],
        controls: &[Cis7("1.1.2"), Cis6("1.1.2"), MitreAttack("T1078.004"), NistCsf2("PR.AA-03")],
        evidence: Expected { source: Some(Resource::RegistrationDetails), property: "methodsRegistered", expected: "a FIDO2 key, a passkey or Windows Hello for Business" },
        remediation: Remediation {
            summary: "Every emergency access account signs in with a security key.",
            notices: "The two or three people who keep the accounts.",
            check_first: "Find out who can use each account today and how; accounts that sign in with a certificate do not show in the report: accept those.",
            steps: &[
                "Enable Passkey (FIDO2) in the authentication methods policy for the emergency access accounts.",
                "Buy two security keys for each account and set a PIN on each.",
                "Sign in as the account, with a Temporary Access Pass if need be, and register both keys at aka.ms/mysecurityinfo.",
                "Test each key in a private window, then remove telephone numbers and apps from the account.",
                "Set a long random password, keep it apart from the keys, and put the keys in two places.",
            ],
            portal: "Entra admin center > Entra ID > Users > (account) > Authentication methods",
            request: "",
            roll_out: "One account, test it, then the other: never both on the same day.",
            verify: "Every declared emergency access account has a phishing-resistant method registered.",
            roll_back: "Delete the key on the account's page Authentication methods; the password goes on working.",
            dangers: &[Danger::CanLockOut],
            learn: &["https://learn.microsoft.com/entra/identity/role-based-access-control/security-emergency-access"],
        },
        check: emergency_access_account_without_strong_method,
    }
}

fn emergency_access_account_without_strong_method(cx: &Context<'_>) -> Verdict {
    let declared = &cx.config().emergency_access.accounts;
    if declared.is_empty() {
        return Ok(Outcome::not_applicable(
            "no emergency access account is declared",
        ));
    }
    let users = cx.users()?;
    let mut seen = BTreeSet::new();
    let mut tally = Tally::new();
    let (mut unknown, mut by_list) = (0, 0);
    // An entry without an account is the business of emergency-access-account-missing.
    for user in declared.iter().filter_map(|entry| users.find(entry)) {
        if !seen.insert(user.id()) {
            continue;
        }
        if let Some((strong, source)) = has_strong_method(cx, user.id())? {
            by_list += u64::from(source == Resource::AuthenticationMethods);
            tally.judge(!strong, || cx.user_object(user));
        } else {
            unknown += 1;
            tally.unknown();
        }
    }
    if unknown > 0 && tally.failing() == 0 {
        // Name the cheaper of the two requests that would tell.
        if owns_report(cx) {
            cx.whole(Resource::RegistrationDetails)?;
        }
        cx.whole(Resource::AuthenticationMethods)?;
        return Err(NotEvaluated::unknown(format!(
            "{unknown} of {} declared accounts have neither a row in the registration report nor a list of methods",
            seen.len()
        )));
    }
    let outcome = tally.outcome(
        "none of the declared emergency access accounts exists",
        |without, all| format!("{without} of {all} declared emergency access accounts have no phishing-resistant method"),
    );
    Ok(match by_list {
        0 => outcome,
        accounts => outcome.with_evidence(Evidence::new(
            Some(Resource::AuthenticationMethods),
            "@odata.type",
            "fido2AuthenticationMethod, windowsHelloForBusinessAuthenticationMethod or platformCredentialAuthenticationMethod",
            format!("{accounts} accounts judged by their own lists"),
        )),
    })
}

/// The registration report needs Entra ID P1. When licences could not be read, a report that was read proves itself.
fn owns_report(cx: &Context<'_>) -> bool {
    cx.owns(Licence::ENTRA_P1) != Some(false)
}

/// From the report where it was read, else from the account's own list, with where it stands; `None` when neither tells.
fn has_strong_method(
    cx: &Context<'_>,
    user: Guid,
) -> Result<Option<(bool, Resource)>, NotEvaluated> {
    if owns_report(cx) && cx.whole(Resource::RegistrationDetails).is_ok() {
        let row = cx.registration_details()?.get(user);
        if let Some(row) = row.filter(|row| row.lists_methods) {
            return Ok(Some((row.passkey, Resource::RegistrationDetails)));
        }
    }
    let Ok(lists) = cx.authentication_methods() else {
        return Ok(None);
    };
    let Some(methods) = lists.get(&user) else {
        return Ok(None);
    };
    let strong = methods.iter().any(is_strong);
    // That a strong one is missing can only be said of a list that is whole and says what everything in it is.
    let all_told = cx.whole(Resource::AuthenticationMethods).is_ok()
        && methods.iter().all(|method| method.odata_type.is_some());
    Ok((strong || all_told).then_some((strong, Resource::AuthenticationMethods)))
}

fn is_strong(method: &AuthenticationMethod) -> bool {
    const STRONG: [&str; 3] = [
        "#microsoft.graph.fido2AuthenticationMethod",
        "#microsoft.graph.windowsHelloForBusinessAuthenticationMethod",
        "#microsoft.graph.platformCredentialAuthenticationMethod",
    ];
    method
        .odata_type
        .as_ref()
        .is_some_and(|kind| STRONG.iter().any(|strong| kind.is(strong)))
}
