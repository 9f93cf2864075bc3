//! What the tenant's own record says about whom to call.

use std::fmt::Write as _;

use crate::rules::Evidence;
use crate::rules::prelude::*;
use crate::snapshot::model::Organization;

declare_rule! {
    /// When Microsoft or a partner sees that something is wrong with the tenant, it writes to the recorded security contact.
    ///
    /// Without one the warning goes to whoever once signed up, or nowhere. An address that several people read is better than a
    /// person's, and it has to outlive the person.
    pub(crate) static SECURITY_CONTACT_MISSING = {
        id: "security-contact-missing",
        title: "No security contact is recorded for the tenant",
        area: Area::Monitoring,
        kind: Kind::Setting,
        risk: Risk(2, 2, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Nobody,
        licence: Licence::Any,
        reads: &[Resource::Organization],
        may_read: &[Resource::Users],
        controls: &[NistCsf2("RS.CO-02")],
        evidence: Expected { source: Some(Resource::Organization), property: "securityComplianceNotificationMails", expected: "at least one address" },
        remediation: Remediation {
            summary: "The tenant's record names an address that several people read for security messages.",
            notices: "Nobody; the readers of the mailbox get Microsoft's messages.",
            check_first: "Choose a shared mailbox of a verified domain that somebody reads every working day, holidays included.",
            steps: &[
                "Make a shared mailbox such as security@ your domain, with two readers or more, open to senders from outside.",
                "Record it with Microsoft Graph PowerShell: Update-MgOrganization -SecurityComplianceNotificationMails.",
                "Record the technical contact and the privacy contact in Entra admin center > Entra ID > Overview > Properties as well.",
                "Send a message to it from outside and see who answers.",
            ],
            portal: "No page of a portal; Microsoft Graph PowerShell, Update-MgOrganization",
            request: "PATCH /v1.0/organization/{id} {\"securityComplianceNotificationMails\": [\"security@{your-domain}\"]}",
            roll_out: "At once.",
            verify: "securityComplianceNotificationMails has an address.",
            roll_back: "Send the same request with the former list.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/graph/api/organization-update"],
        },
        check: security_contact_missing,
    }
}

fn security_contact_missing(cx: &Context<'_>) -> Verdict {
    let organization = cx.organization()?;
    let Some(mails) = &organization.security_compliance_notification_mails else {
        return Err(NotEvaluated::unknown(
            "securityComplianceNotificationMails is absent",
        ));
    };
    let mails: Vec<&str> = mails
        .iter()
        .map(|mail| mail.raw().trim())
        .filter(|mail| !mail.is_empty())
        .collect();
    if mails.is_empty() {
        return Ok(Outcome::fail("no security contact is recorded").actual("empty"));
    }
    let mut reason = format!("{} security contacts are recorded", mails.len());
    let mut evidence = Vec::new();
    for (what, named) in [
        ("of a disabled account", disabled(cx, &mails)),
        ("of a foreign domain", foreign(organization, &mails)),
    ] {
        if !named.is_empty() {
            let _ = write!(reason, ", {} {what}", named.len());
            evidence.push(Evidence::new(
                Some(Resource::Organization),
                "securityComplianceNotificationMails",
                "an address that somebody here reads",
                format!("{what}: {}", named.join(", ")),
            ));
        }
    }
    let outcome = Outcome::pass(reason).actual(mails.join(", "));
    Ok(evidence.into_iter().fold(outcome, Outcome::with_evidence))
}

/// Addresses that are the UPN of a disabled account: a hint, only where the list of accounts was read to its end.
fn disabled<'a>(cx: &Context<'_>, mails: &[&'a str]) -> Vec<&'a str> {
    // Asked for only when whole: a list cut short must not stand in the way of a verdict that does not rest on it.
    let Ok(users) = cx.whole(Resource::Users).and_then(|()| cx.users()) else {
        return Vec::new();
    };
    let is_disabled = |mail: &str| {
        users
            .find(mail)
            .is_some_and(|user| user.account_enabled() == Some(false))
    };
    mails
        .iter()
        .copied()
        .filter(|mail| is_disabled(mail))
        .collect()
}

/// Addresses whose domain is none of the tenant's verified ones.
fn foreign<'a>(organization: &Organization, mails: &[&'a str]) -> Vec<&'a str> {
    let Some(domains) = &organization.verified_domains else {
        return Vec::new();
    };
    let is_own = |mail: &str| {
        let domain = mail.rsplit_once('@').map_or("", |(_, domain)| domain);
        domains
            .iter()
            .filter_map(|own| own.name.as_ref())
            .any(|own| own.is(domain))
    };
    mails.iter().copied().filter(|mail| !is_own(mail)).collect()
}
