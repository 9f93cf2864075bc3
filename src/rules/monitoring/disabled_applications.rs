//! Applications that Microsoft switched off.

use crate::rules::prelude::*;

declare_rule! {
    /// Microsoft disables an application when it finds it abusive or in breach of its terms of service. If it is in this
    /// tenant, somebody here consented to it or registered it, and it may have read data before it was stopped.
    ///
    /// The switch stops new tokens. It undoes neither what was read nor what the application changed or left behind.
    pub(crate) static APPLICATION_DISABLED_BY_MICROSOFT = {
        id: "application-disabled-by-microsoft",
        title: "Microsoft disabled an application in this tenant",
        area: Area::Monitoring,
        kind: Kind::Population,
        risk: Risk(3, 3, 3),
        effort: Effort::S.always(),
        disruption: Disruption::Nobody,
        licence: Licence::Any,
        reads: &[Resource::ServicePrincipals, Resource::Applications],
        controls: &[MitreAttack("T1528"), NistCsf2("DE.AE-02")],
        act_now: true,
        evidence: Expected { source: Some(Resource::ServicePrincipals), property: "disabledByMicrosoftStatus", expected: "null or NotDisabled" },
        remediation: Remediation {
            summary: "What the application did here is known, what it left behind is undone, and it is gone.",
            notices: "Nobody: the application no longer works anyway.",
            check_first: "Audit log, category ApplicationManagement, by the application's name: who consented or registered it, and when. Sign-in logs, tabs for users and for service principals: from where and how long it was used.",
            steps: &[
                "Note its permissions and the users who consented, then revoke all of its permissions.",
                "Look in the Purview audit log for what it read and changed with its app id: mails, files, inbox rules, new credentials and new accounts.",
                "For the users who consented: revoke sessions, look for inbox rules and forwarding, change the password if there is any doubt.",
                "If it is an application of your own: find out who holds its secrets, replace them, and ask Microsoft support for a review.",
                "Delete it once nothing more is to be learned from it.",
            ],
            portal: "Entra admin center > Enterprise apps > All applications",
            request: "PATCH /v1.0/servicePrincipals/{id} {\"accountEnabled\": false}",
            roll_out: "At once: this is an incident until shown otherwise, not a change to plan.",
            verify: "No application and no service principal has a disabledByMicrosoftStatus other than NotDisabled.",
            roll_back: "A deleted application can be restored for 30 days; Microsoft's switch cannot be undone in the tenant.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/security/operations/incident-response-playbook-app-consent"],
        },
        check: application_disabled_by_microsoft,
    }
}

fn application_disabled_by_microsoft(cx: &Context<'_>) -> Verdict {
    let mut tally = Tally::new();
    for principal in cx.service_principals()?.iter() {
        let Some(id) = principal.id else {
            tally.unknown();
            continue;
        };
        judge(
            &mut tally,
            principal.disabled_by_microsoft_status.as_ref(),
            || cx.service_principal_object(id),
        );
    }
    for application in cx.applications()? {
        let Some(id) = application.id else {
            tally.unknown();
            continue;
        };
        judge(
            &mut tally,
            application.disabled_by_microsoft_status.as_ref(),
            || {
                let name = application.display_name.clone();
                Object::directory(
                    ObjectType::Application,
                    id,
                    name.unwrap_or_else(|| id.to_string().into()),
                )
            },
        );
    }
    Ok(tally.outcome("there are no applications", |disabled, all| {
        format!("Microsoft disabled {disabled} of {all} service principals and application registrations")
    }))
}

fn judge(tally: &mut Tally, status: Option<&Untrusted>, object: impl FnOnce() -> Object) {
    match status {
        Some(status) if !status.is("NotDisabled") => tally.fail(object().detail(status.clone())),
        _ => tally.pass(),
    }
}
