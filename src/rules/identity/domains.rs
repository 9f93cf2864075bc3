//! Who signs in the users of a domain.

use crate::rules::prelude::*;
use crate::snapshot::model::DomainAuthenticationType;

declare_rule! {
    /// A federated domain lets a server outside of Entra ID say who somebody is, and Entra ID believes it.
    ///
    /// Whoever holds the signing certificate of that server signs in as anybody of the domain, with a second factor if he says so and
    /// without a trace in the password logs. Intruders have added a federation of their own to a domain for that reason, so each
    /// federated domain should be one that somebody knows about and has written down.
    pub(crate) static FEDERATED_DOMAIN_UNDECLARED = {
        id: "federated-domain-undeclared",
        title: "A domain signs in through a federation that is not declared",
        area: Area::Identity,
        kind: Kind::Population,
        risk: Risk(1, 4, 2),
        effort: Effort::S.always(),
        disruption: Disruption::Nobody,
        licence: Licence::Any,
        reads: &[Resource::Domains],
        controls: &[MitreAttack("T1484.002"), MitreAttack("T1556.007"), NistCsf2("PR.AA-04")],
        evidence: Expected { source: Some(Resource::Domains), property: "authenticationType", expected: "Managed, or declared under [domains] federated" },
        remediation: Remediation {
            summary: "Every federated domain is either declared as intended or turned back into a managed one.",
            notices: "Nobody while a domain is only declared; users of a domain that is turned back sign in with Entra ID from then on.",
            check_first: "Read the federation's issuer and signing certificate (GET /v1.0/domains/{id}/federationConfiguration) and the audit log activities 'Set domain authentication' and 'Set federation settings on domain'; ask who set it up.",
            steps: &[
                "Compare issuer, sign-in address and signing certificate with your own federation server.",
                "If nobody knows it, treat it as an intrusion: preserve the audit log, then turn the domain into a managed one and revoke sessions.",
                "If it is yours and still needed, list the domain under [domains] federated in m365audit.toml.",
                "If it is yours and no longer needed, move its users to cloud authentication with a staged rollout, then convert the domain.",
            ],
            portal: "Entra admin center > Entra ID > Domain names",
            request: "PATCH /v1.0/domains/{id} {\"authenticationType\": \"Managed\"}",
            roll_out: "Declaring takes effect with the next scan; converting a domain that is in use needs a staged rollout of two weeks first.",
            verify: "No verified domain is federated that is not listed under [domains] federated.",
            roll_back: "Remove the domain from the list; a converted domain is federated again with its former settings, so export them before.",
            dangers: &[Danger::CanLockOut],
            learn: &["https://learn.microsoft.com/entra/identity/hybrid/connect/migrate-from-federation-to-cloud-authentication"],
        },
        check: federated_domain_undeclared,
    }
}

fn federated_domain_undeclared(cx: &Context<'_>) -> Verdict {
    let declared = &cx.config().domains.federated;
    let mut tally = Tally::new();
    let mut allowed = 0;
    for domain in cx.domains()? {
        match (domain.is_verified, &domain.authentication_type) {
            (Some(false), _) => {}
            (Some(true), Some(DomainAuthenticationType::Federated)) => {
                if declared.iter().any(|name| domain.id.is(name.trim())) {
                    allowed += 1;
                    tally.pass();
                } else {
                    let mut object =
                        Object::new(ObjectType::Domain, domain.id.raw(), domain.id.raw());
                    // One such domain is enough to become anybody in it.
                    object.tier_0 = true;
                    tally.fail(object.detail("federated, not declared"));
                }
            }
            (Some(true), Some(_)) => tally.pass(),
            // Neither verified nor unverified, or nobody says who signs in its users.
            (None, _) | (Some(true), None) => tally.unknown(),
        }
    }
    Ok(
        tally.outcome("the tenant has no verified domain", |undeclared, all| {
            let of = format!(
                "{undeclared} of {all} verified domains are federated without being declared"
            );
            match allowed {
                0 => of,
                allowed => format!("{of}; {allowed} are declared"),
            }
        }),
    )
}
