//! What users granted to applications.

use std::collections::{BTreeMap, BTreeSet};

use crate::rules::prelude::*;
use crate::snapshot::model::ConsentType;
use crate::snapshot::tenant::DelegatedGrant;

declare_rule! {
    /// This is what consent phishing leaves behind: an application of an unknown publisher that may read somebody's mail or
    /// files. It needs no password any more, and changing the password does not stop it.
    ///
    /// Not every entry is an attack. Many are mail clients, note takers and add-ins that somebody tried once; they hold the
    /// same access, and a breach at their maker is a breach here.
    pub(crate) static USER_CONSENTED_RISKY_GRANT = {
        id: "user-consented-risky-grant",
        title: "Users granted an application lasting access to their mail or files",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(3, 3, 3),
        effort: Effort::M.always(),
        disruption: Disruption::Admins,
        after: &["user-consent-unrestricted"],
        licence: Licence::Any,
        reads: &[Resource::OAuth2PermissionGrants, Resource::ServicePrincipals],
        may_read: &[Resource::Organization],
        controls: &[MitreAttack("T1528"), MitreAttack("T1114.002"), NistCsf2("DE.CM-09")],
        evidence: Expected { source: Some(Resource::OAuth2PermissionGrants), property: "scope", expected: "no access to mail, files, notes or chats granted by a user to an unverified publisher" },
        remediation: Remediation {
            summary: "Users' consents to applications that nobody vouches for are revoked; what is needed is approved by an administrator.",
            notices: "Users of these applications: the application asks for consent again, and they ask for approval.",
            check_first: "For each application: its publisher and reply addresses, how many users, since when (audit log, activity 'Consent to application'), and whether it is used (sign-in logs by application). Few users, a new name and addresses without a sign-in page speak for an attack.",
            steps: &[
                "Close user consent first (user-consent-unrestricted), or the grants come back.",
                "An application that nobody knows: disable it, revoke its grants, look at what it read (Purview audit log by its app id) and treat its users as victims of phishing.",
                "A known one that is needed: have an administrator review and approve it with the least permissions, for the people who need it.",
                "Everything else: tell the users, revoke the grants after a week.",
            ],
            portal: "Entra admin center > Enterprise apps > All applications > (application) > Permissions > User consent",
            request: "DELETE /v1.0/oauth2PermissionGrants/{id}",
            roll_out: "Suspicious ones at once; the others in batches with a week's notice.",
            verify: "No grant by a user to an unverified publisher has one of these scopes.",
            roll_back: "The user, or an administrator for everybody, consents again.",
            dangers: &[Danger::BreaksIntegrations],
            learn: &[
                "https://learn.microsoft.com/security/operations/incident-response-playbook-app-consent",
                "https://learn.microsoft.com/entra/identity/enterprise-apps/manage-application-permissions",
            ],
        },
        check: user_consented_risky_grant,
    }
}

/// Delegated permissions that reach mail, files, notes or chats, of Microsoft Graph and of Exchange Online.
const RISKY: [&str; 20] = [
    "Mail.Read",
    "Mail.ReadWrite",
    "Mail.Send",
    "Mail.Read.Shared",
    "Mail.ReadWrite.Shared",
    "MailboxSettings.ReadWrite",
    "Contacts.ReadWrite",
    "Files.Read.All",
    "Files.ReadWrite",
    "Files.ReadWrite.All",
    "Sites.Read.All",
    "Sites.ReadWrite.All",
    "Notes.Read.All",
    "Chat.Read",
    "Chat.ReadWrite",
    "EWS.AccessAsUser.All",
    "full_access_as_user",
    "IMAP.AccessAsUser.All",
    "POP.AccessAsUser.All",
    "SMTP.Send",
];

const _: () = assert!(RISKY.len() <= u32::BITS as usize, "a bit for each");

/// What users granted one application.
#[derive(Default)]
struct Granted {
    /// Users who granted something risky, once for each grant.
    users: Vec<Guid>,
    /// What they granted of it: a bit for each of [`RISKY`].
    scopes: u32,
    /// Risky grants, whoever made them.
    risky: u64,
    /// A grant does not say what it is.
    unknown: bool,
}

impl Granted {
    fn add(&mut self, grant: DelegatedGrant<'_>) {
        let Some(scope) = grant.scope() else {
            self.unknown = true;
            return;
        };
        let risky = scope
            .raw()
            .split_whitespace()
            .filter_map(|one| RISKY.iter().position(|name| name.eq_ignore_ascii_case(one)))
            .fold(0, |bits, place| bits | 1 << place);
        if risky == 0 {
            return;
        }
        if grant.consent_type().is_none() {
            // Granted by one user or by an administrator for all: nobody knows.
            self.unknown = true;
            return;
        }
        self.risky += 1;
        self.users.extend(grant.principal_id());
        self.scopes |= risky;
    }

    /// What was granted and by how many, in words.
    fn describe(mut self) -> String {
        self.users.sort_unstable();
        self.users.dedup();
        let scopes: BTreeSet<&str> = (0..)
            .zip(RISKY)
            .filter(|(place, _)| self.scopes >> place & 1 == 1)
            .map(|(_, name)| name)
            .collect();
        let scopes: Vec<&str> = scopes.into_iter().collect();
        format!("users: {}; {}", self.users.len(), scopes.join(", "))
    }
}

fn user_consented_risky_grant(cx: &Context<'_>) -> Verdict {
    let principals = cx.service_principals()?;
    let mut by_client: BTreeMap<Guid, Granted> = BTreeMap::new();
    let mut tally = Tally::new();
    for grant in cx.oauth2_permission_grants()?.iter() {
        match (grant.consent_type(), grant.client_id()) {
            (Some(ConsentType::Principal) | None, Some(client)) => {
                by_client.entry(client).or_default().add(grant);
            }
            (Some(ConsentType::Principal) | None, None) => tally.unknown(),
            (Some(ConsentType::AllPrincipals | ConsentType::Other(_)), _) => {}
        }
    }
    for (client, granted) in by_client {
        let clean = granted.risky == 0 && !granted.unknown;
        let Some(principal) = principals.get(client).filter(|_| !clean) else {
            // Who made the application matters only for what is risky.
            if clean {
                tally.pass();
            } else {
                tally.unknown();
            }
            continue;
        };
        if principal.is_microsoft_owned()
            || principal.has_verified_publisher()
            || is_own(cx, principal.app_owner_organization_id)?
        {
            tally.pass();
        } else if granted.risky > 0 {
            tally.fail_service_principal(cx, client, || granted.describe());
        } else {
            tally.unknown();
        }
    }
    Ok(tally.outcome("no user has granted anything", |risky, all| {
        format!("{risky} of {all} applications to which users consented hold lasting access to mail or files for a publisher that nobody verified")
    }))
}

/// Whether an application is registered in this tenant.
fn is_own(cx: &Context<'_>, owner: Option<Guid>) -> Result<bool, NotEvaluated> {
    let Some(owner) = owner else {
        return Ok(false);
    };
    let tenant = cx.organization()?.id;
    tenant
        .map(|tenant| tenant == owner)
        .ok_or_else(|| NotEvaluated::unknown("the tenant's id is absent"))
}
