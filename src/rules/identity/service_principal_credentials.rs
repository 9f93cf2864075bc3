//! Secrets and certificates on service principals that should have none.

use super::privileged_service_principals::{self as privileged, Privileged};
use crate::rules::prelude::*;
use crate::snapshot::model::PasswordCredential;

declare_rule! {
    /// Microsoft's own applications are in every tenant and nobody looks at them. A secret added to one of them signs in under
    /// a name that every log reader trusts, with whatever permissions Microsoft gave it.
    ///
    /// A few Microsoft services do place keys of their own, hybrid Exchange among them. They are shown all the same: find out
    /// which one it is and accept it with an end date.
    pub(crate) static FIRST_PARTY_SERVICE_PRINCIPAL_CREDENTIAL = {
        id: "first-party-service-principal-credential",
        title: "A Microsoft-owned service principal carries a credential",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(1, 4, 2),
        effort: Effort::S.always(),
        disruption: Disruption::Nobody,
        licence: Licence::Any,
        reads: &[Resource::ServicePrincipals, Resource::ServicePrincipalCredentials],
        controls: &[MitreAttack("T1098.001"), NistCsf2("DE.CM-09")],
        act_now: true,
        evidence: Expected { source: Some(Resource::ServicePrincipalCredentials), property: "passwordCredentials, keyCredentials", expected: "both empty" },
        remediation: Remediation {
            summary: "Nobody but Microsoft can sign in as one of Microsoft's applications in this tenant.",
            notices: "Nobody, unless the credential belongs to a hybrid set-up such as Exchange on-premises, which would then stop.",
            check_first: "Audit log, category ApplicationManagement, activities 'Add service principal credentials' and 'Update application - Certificates and secrets management' for this service principal: who added it and when. Sign-in logs, tab for service principals, by its app id: from where it was used.",
            steps: &[
                "If the Hybrid Configuration Wizard or another Microsoft set-up added it, note which, check the thumbprint against that server's certificate, and accept the finding with an end date.",
                "Otherwise treat it as an intrusion: keep the logs, remove the credential, revoke the sessions of whoever added it and look for what else this account changed.",
                "Look for the same on the other Microsoft-owned service principals.",
            ],
            portal: "Microsoft Graph only: the Entra admin center shows no credentials of Microsoft-owned service principals",
            request: "POST /v1.0/servicePrincipals/{id}/removePassword {\"keyId\": \"{key-id}\"}; for certificates PATCH /v1.0/servicePrincipals/{id} {\"keyCredentials\": []}",
            roll_out: "At once after the check: this is an incident until shown otherwise, not a change to plan.",
            verify: "passwordCredentials and keyCredentials of every Microsoft-owned service principal are empty.",
            roll_back: "A removed secret cannot be restored; run the set-up that needs it again and it places a new one.",
            dangers: &[Danger::BreaksIntegrations],
            learn: &["https://learn.microsoft.com/security/operations/incident-response-playbook-compromised-malicious-app"],
        },
        check: first_party_credential,
    }
}

fn first_party_credential(cx: &Context<'_>) -> Verdict {
    let mut tally = Tally::new();
    let credentials = cx.service_principal_credentials()?;
    for principal in cx
        .service_principals()?
        .iter()
        .filter(|principal| principal.is_microsoft_owned())
    {
        let carried = principal.id.and_then(|id| credentials.get(id));
        let Some(carried) = carried else {
            tally.unknown();
            continue;
        };
        let (secrets, keys) = (&carried.password_credentials, &carried.key_credentials);
        let count = (
            secrets.as_ref().map_or(0, Vec::len),
            keys.as_ref().map_or(0, Vec::len),
        );
        match (count, principal.id) {
            ((0, 0), _) if secrets.is_none() || keys.is_none() => tally.unknown(),
            ((0, 0), _) => tally.pass(),
            (_, None) => tally.unknown(),
            ((number_of_secrets, number_of_keys), Some(id)) => {
                let secrets = secrets.iter().flatten();
                let keys = keys.iter().flatten();
                let added = secrets
                    .clone()
                    .map(|secret| secret.start_date_time)
                    .chain(keys.clone().map(|key| key.start_date_time));
                let ends = secrets
                    .map(|secret| secret.end_date_time)
                    .chain(keys.map(|key| key.end_date_time));
                tally.fail(cx.service_principal_object(id).detail(format!(
                    "secrets: {number_of_secrets}, certificates: {number_of_keys}; the newest from {}, the last until {}",
                    day(added.max().flatten()),
                    day(ends.max().flatten()),
                )));
            }
        }
    }
    Ok(tally.outcome("no service principal is Microsoft-owned", |carrying, all| {
        format!("{carrying} of {all} Microsoft-owned service principals carry a secret or a certificate")
    }))
}

declare_rule! {
    /// A client secret is a password for a program: it stands in scripts, pipelines and chats, it has no second factor, and
    /// nobody notices when it is used from somewhere else. With an admin role behind it, it is an administrator's password.
    ///
    /// A certificate whose key cannot be copied, a managed identity or workload identity federation do the same work
    /// without a string that can leak.
    pub(crate) static SERVICE_PRINCIPAL_PRIVILEGED_ROLE_WITH_SECRET = {
        id: "service-principal-privileged-role-with-secret",
        title: "A service principal with a password secret holds an admin role",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(2, 4, 2),
        effort: Effort::M.always(),
        disruption: Disruption::Admins,
        licence: Licence::Any,
        reads: &[Resource::RoleDefinitions, Resource::RoleAssignments, Resource::GroupTransitiveMembers, Resource::ServicePrincipals, Resource::ServicePrincipalCredentials, Resource::Applications],
        may_read: &[Resource::RoleEligibilityScheduleInstances],
        controls: &[Maester("MT.1027"), MitreAttack("T1552.001"), MitreAttack("T1078.004"), NistCsf2("PR.AA-01")],
        evidence: Expected { source: Some(Resource::ServicePrincipalCredentials), property: "passwordCredentials.endDateTime", expected: "no secret that is still valid, on the service principal or on its application" },
        remediation: Remediation {
            summary: "Applications that hold an admin role sign in with a certificate, a managed identity or workload identity federation, or lose the role.",
            notices: "Whoever runs the script or service behind the application; nobody else.",
            check_first: "Sign-in logs, tab for service principals, by the application's id: from which addresses it signs in, and with which credential (column 'Service principal credential key ID').",
            steps: &[
                "Find out what the application does with the role. Take the role away where a single permission would do.",
                "Give it a managed identity if it runs in Azure, federation if it runs in a pipeline, otherwise a certificate from the machine's own key store.",
                "Change the script or service to the new credential and watch the sign-in logs until only the new one is used.",
                "Delete every secret, on the application registration and on the service principal.",
            ],
            portal: "Entra admin center > App registrations > All applications > (application) > Certificates & secrets",
            request: "POST /v1.0/applications/{id}/removePassword {\"keyId\": \"{key-id}\"}; POST /v1.0/servicePrincipals/{id}/removePassword {\"keyId\": \"{key-id}\"}",
            roll_out: "One application at a time: add the new credential, run both for a week, then delete the secret.",
            verify: "No service principal with an admin role has a secret whose end lies ahead.",
            roll_back: "Add a new secret on the same page; a deleted one cannot be restored.",
            dangers: &[Danger::BreaksIntegrations],
            learn: &[
                "https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
                "https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/overview",
            ],
        },
        check: privileged_role_with_secret,
    }
}

fn privileged_role_with_secret(cx: &Context<'_>) -> Verdict {
    let applications = cx.applications()?;
    let principals = cx.service_principals()?;
    let credentials = cx.service_principal_credentials()?;
    let Privileged {
        admins,
        of_unknown_kind,
    } = match privileged::find(cx)? {
        Ok(found) => found,
        Err(outcome) => return Ok(outcome),
    };
    let mut tally = Tally::new();
    (0..of_unknown_kind).for_each(|_| tally.unknown());
    for (id, roles) in admins {
        let Some(principal) = principals.get(id) else {
            tally.unknown();
            continue;
        };
        // A service principal without app id has no application that could be looked up: what is on it alone can make it fail.
        let carried = credentials.get(id);
        let own = secrets(
            carried.and_then(|carried| carried.password_credentials.as_deref()),
            cx,
        );
        let behind = match principal.app_id {
            Some(app_id) => applications
                .iter()
                .find(|application| application.app_id == Some(app_id))
                .map_or(Secrets::NONE, |application| {
                    secrets(application.password_credentials.as_deref(), cx)
                }),
            None => Secrets::UNKNOWN,
        };
        let live = own.live + behind.live;
        if live > 0 {
            tally.fail(cx.service_principal_object(id).detail(format!(
                "valid secrets: {live}, the last until {}; holds {}",
                day(own.last.max(behind.last)),
                privileged::role_names(&roles),
            )));
        } else if own.unknown || behind.unknown {
            tally.unknown();
        } else {
            tally.pass();
        }
    }
    Ok(tally.outcome("no service principal holds a directory role", |with, all| {
        format!("{with} of {all} service principals that hold an admin role can sign in with a secret")
    }))
}

/// What a list of secrets says.
struct Secrets {
    /// Secrets that end in the future.
    live: usize,
    /// When the last of them ends.
    last: Option<jiff::Timestamp>,
    /// The list, or an end, is missing.
    unknown: bool,
}

impl Secrets {
    const NONE: Self = Self {
        live: 0,
        last: None,
        unknown: false,
    };
    const UNKNOWN: Self = Self {
        unknown: true,
        ..Self::NONE
    };
}

fn secrets(list: Option<&[PasswordCredential]>, cx: &Context<'_>) -> Secrets {
    let Some(list) = list else {
        return Secrets::UNKNOWN;
    };
    let live = || {
        list.iter()
            .filter_map(|secret| secret.end_date_time)
            .filter(|&end| end > cx.now())
    };
    Secrets {
        live: live().count(),
        last: live().max(),
        unknown: list.iter().any(|secret| secret.end_date_time.is_none()),
    }
}

fn day(at: Option<jiff::Timestamp>) -> String {
    at.map_or_else(
        || "an unknown date".to_owned(),
        |at| at.strftime("%Y-%m-%d").to_string(),
    )
}
