//! What partner tenants may do here.

use std::collections::BTreeSet;

use crate::rules::prelude::*;

declare_rule! {
    /// A partner tenant that may synchronise users writes accounts into this directory, and writes them again when somebody
    /// deletes them. Where invitations from it are redeemed without asking, nobody on either side sees a prompt.
    ///
    /// Between the tenants of one group this is how it should be. An entry that nobody remembers, or that an intruder made, is
    /// a way back in that survives every password reset.
    pub(crate) static CROSS_TENANT_SYNC_OPEN = {
        id: "cross-tenant-sync-open",
        title: "Another tenant can push users into this one",
        area: Area::Sharing,
        kind: Kind::Population,
        risk: Risk(1, 4, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Nobody,
        licence: Licence::Any,
        reads: &[Resource::CrossTenantAccessPartners],
        controls: &[MitreAttack("T1136.003"), MitreAttack("T1484.002"), NistCsf2("PR.AA-01")],
        evidence: Expected {
            source: Some(Resource::CrossTenantAccessPartners),
            property: "identitySynchronization.userSyncInbound.isSyncAllowed, automaticUserConsentSettings.inboundAllowed",
            expected: "false, except for tenants in [partners] tenants",
        },
        remediation: Remediation {
            summary: "Only tenants of your own group may synchronise users into this one; every other entry is closed.",
            notices: "Nobody, if the tenant is foreign; in a group of companies new colleagues from there are no longer created here.",
            check_first: "Audit log, category CrossTenantAccessSettings: who made the entry and when. List the accounts that came from it: users with creationType Invitation and the partner's domain in their UPN.",
            steps: &[
                "Ask who runs the tenant behind each id; Entra shows its name and domain when the id is entered under 'Add organization'.",
                "If it belongs to your group, add its id to [partners] tenants in m365audit.toml.",
                "Otherwise clear 'Allow user synchronization into this tenant' on the tab 'Cross-tenant sync' and 'Automatically redeem invitations with the tenant' on the tab 'Trust settings' of its inbound access.",
                "Look through the accounts that came from it and delete those that nobody needs. If nobody knows the entry, treat it as an incident.",
            ],
            portal: "Entra admin center > External Identities > Cross-tenant access settings > Organizational settings",
            request: "PATCH /v1.0/policies/crossTenantAccessPolicy/partners/{tenant-id}/identitySynchronization {\"userSyncInbound\": {\"isSyncAllowed\": false}}; PATCH /v1.0/policies/crossTenantAccessPolicy/partners/{tenant-id} {\"automaticUserConsentSettings\": {\"inboundAllowed\": false}}",
            roll_out: "At once for tenants that nobody knows; for the others after a word with the partner's administrator.",
            verify: "No partner outside [partners] tenants has isSyncAllowed or inboundAllowed true.",
            roll_back: "Tick both boxes again on the same page; synchronisation goes on with its next cycle.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview"],
        },
        check: cross_tenant_sync_open,
    }
}

fn cross_tenant_sync_open(cx: &Context<'_>) -> Verdict {
    let declared: BTreeSet<Guid> = cx
        .config()
        .partners
        .tenants
        .iter()
        .filter_map(|tenant| tenant.trim().parse().ok())
        .collect();
    let mut tally = Tally::new();
    for partner in cx.cross_tenant_access_partners()? {
        // Null is false for both: nothing is open that nobody opened.
        let synchronises = partner
            .identity_synchronization
            .as_ref()
            .and_then(|policy| policy.user_sync_inbound.as_ref())
            .and_then(|inbound| inbound.is_sync_allowed)
            == Some(true);
        let redeems = partner
            .automatic_user_consent_settings
            .as_ref()
            .and_then(|settings| settings.inbound_allowed)
            == Some(true);
        let detail = match (synchronises, redeems) {
            (true, true) => "may synchronise users, and their invitations are redeemed unasked",
            (true, false) => "may synchronise users",
            (false, true) => "invitations of its users are redeemed unasked",
            (false, false) => {
                tally.pass();
                continue;
            }
        };
        match partner.tenant_id {
            Some(tenant) => tally.judge(!declared.contains(&tenant), || {
                Object::directory(ObjectType::Tenant, tenant, tenant.to_string()).detail(detail)
            }),
            None => tally.unknown(),
        }
    }
    Ok(tally.outcome("no partner tenant has an entry of its own", |open, all| {
        format!("{open} of {all} partner tenants can push users into this one without being declared")
    }))
}
