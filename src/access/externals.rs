//! External users: where they come from, and what of their home tenant is trusted here.
//!
//! Inbound trust comes from the partner's entry of the cross-tenant access policy, else from the default, field by field. Sources:
//! Graph, crossTenantAccessPolicyInboundTrust; Microsoft Entra, Authentication and Conditional Access for External ID.

use std::collections::{BTreeMap, BTreeSet};

use super::policy::Span;
use super::subjects::{ExternalKind, Kinds};
use crate::snapshot::Guid;
use crate::snapshot::model::{
    AccessType, CrossTenantAccessPolicyB2BSetting, CrossTenantAccessPolicyConfigurationDefault,
    CrossTenantAccessPolicyConfigurationPartner, CrossTenantAccessPolicyInboundTrust,
};

/// The tenant that a person is at home in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Home {
    /// This one.
    Here,
    /// Another one.
    Tenant(Guid),
    /// One that nothing names.
    Elsewhere,
    /// It is not known which.
    Unknown,
}

/// What is trusted of a person: whether they are external at all, and whether claims of the home tenant are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trust {
    /// Signs in at another tenant.
    pub(super) external: Span<bool>,
    /// A second factor done at home does not count, and those done here are few.
    pub(super) no_mfa: Span<bool>,
    /// As `no_mfa`, and none can be done here.
    pub(super) no_mfa_here: Span<bool>,
    /// A compliant device does not count.
    pub(super) no_compliant: Span<bool>,
    /// A hybrid joined device does not count.
    pub(super) no_hybrid: Span<bool>,
}

/// Who is trusted, and who may come without an object in this directory.
#[derive(Debug, Default)]
pub(super) struct Trusts {
    default: Accepted,
    partners: BTreeMap<Guid, Accepted>,
    /// Tenants that some policy or setting names.
    named: BTreeSet<Guid>,
    /// Tenants whose people may use Teams shared channels; `None` among them is any tenant.
    direct: BTreeSet<Option<Guid>>,
    providers: BTreeSet<Guid>,
    /// The policy was not read: nothing is known of trust.
    unread: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Accepted {
    mfa: bool,
    compliant: bool,
    hybrid: bool,
}

impl Accepted {
    fn read(trust: Option<&CrossTenantAccessPolicyInboundTrust>, otherwise: Self) -> Self {
        let Some(trust) = trust else { return otherwise };
        Self {
            mfa: trust.is_mfa_accepted.unwrap_or(otherwise.mfa),
            compliant: trust
                .is_compliant_device_accepted
                .unwrap_or(otherwise.compliant),
            hybrid: trust
                .is_hybrid_joined_device_accepted
                .unwrap_or(otherwise.hybrid),
        }
    }
}

impl Trusts {
    /// Reads the cross-tenant access policy; `named` are the tenants that policies list.
    pub(super) fn read(
        default: Option<&CrossTenantAccessPolicyConfigurationDefault>,
        partners: Option<&[CrossTenantAccessPolicyConfigurationPartner]>,
        named: BTreeSet<Guid>,
    ) -> Self {
        let trust = default.and_then(|default| default.inbound_trust.as_ref());
        let base = Accepted::read(trust, Accepted::default());
        let mut trusts = Self {
            default: base,
            named,
            unread: default.is_none() || partners.is_none(),
            ..Self::default()
        };
        let open = default.and_then(|default| default.b2b_direct_connect_inbound.as_ref());
        let open_by_default = open.is_some_and(lets_in);
        if open_by_default {
            trusts.direct.insert(None);
        }
        for partner in partners.unwrap_or_default() {
            let Some(tenant) = partner.tenant_id else {
                continue;
            };
            let accepted = Accepted::read(partner.inbound_trust.as_ref(), base);
            trusts.partners.insert(tenant, accepted);
            let open = partner.b2b_direct_connect_inbound.as_ref();
            if open.map_or(open_by_default, lets_in) {
                trusts.direct.insert(Some(tenant));
            }
            if partner.is_service_provider == Some(true) {
                trusts.providers.insert(tenant);
            }
        }
        trusts
    }

    /// What is trusted of people of these possible kinds.
    pub(super) fn of(&self, kinds: Kinds, home: Home) -> Trust {
        let internal = Kinds::AT_HOME_HERE;
        let external = Span {
            must: !kinds.meets(internal),
            may: !kinds.within(internal),
        };
        let possible: Vec<Accepted> = match home {
            Home::Here => vec![Accepted {
                mfa: true,
                compliant: true,
                hybrid: true,
            }],
            _ if self.unread => vec![
                Accepted::default(),
                Accepted {
                    mfa: true,
                    compliant: true,
                    hybrid: true,
                },
            ],
            Home::Tenant(tenant) => {
                vec![self.partners.get(&tenant).copied().unwrap_or(self.default)]
            }
            Home::Elsewhere => vec![self.default],
            Home::Unknown => {
                let all = self.partners.values().copied();
                all.chain([self.default]).collect()
            }
        };
        let lacks = |accepts: fn(&Accepted) -> bool| Span {
            must: external.must && !possible.iter().any(accepts),
            may: external.may && !possible.iter().all(accepts),
        };
        let no_mfa = lacks(|accepted| accepted.mfa);
        let direct = Kinds::of(ExternalKind::B2bDirectConnectUser);
        Trust {
            external,
            no_mfa,
            no_mfa_here: Span {
                must: no_mfa.must && kinds.within(direct),
                may: no_mfa.may && kinds.meets(direct),
            },
            no_compliant: lacks(|accepted| accepted.compliant),
            no_hybrid: lacks(|accepted| accepted.hybrid),
        }
    }

    /// One person for each kind without an object here and each home tenant that something tells apart.
    pub(super) fn people_without_object(&self) -> Vec<(ExternalKind, Home)> {
        let tenants = self.named.iter().chain(self.partners.keys()).copied();
        let homes: BTreeSet<Home> = tenants.map(Home::Tenant).chain([Home::Elsewhere]).collect();
        let here = BTreeSet::from([Home::Here]);
        ExternalKind::ALL
            .into_iter()
            .flat_map(|kind| {
                let homes = if kind == ExternalKind::InternalGuest {
                    &here
                } else {
                    &homes
                };
                homes.iter().map(move |&home| (kind, home))
            })
            .collect()
    }

    /// Whether people of this kind and home may come at all without an object here.
    pub(super) fn lets_in(&self, kind: ExternalKind, home: Home) -> bool {
        match kind {
            ExternalKind::B2bDirectConnectUser => match home {
                Home::Tenant(tenant) if self.partners.contains_key(&tenant) => {
                    self.direct.contains(&Some(tenant))
                }
                _ => self.direct.contains(&None),
            },
            ExternalKind::ServiceProvider => {
                matches!(home, Home::Tenant(tenant) if self.providers.contains(&tenant))
            }
            _ => false,
        }
    }
}

/// Whether a setting lets anybody in at all.
fn lets_in(setting: &CrossTenantAccessPolicyB2BSetting) -> bool {
    let users = setting.users_and_groups.as_ref();
    let allowed = users.is_some_and(|users| users.access_type == Some(AccessType::Allowed));
    let some_blocked = users.is_some_and(|users| {
        users.access_type == Some(AccessType::Blocked)
            && !users.targets.iter().flatten().any(|target| {
                target
                    .target
                    .as_ref()
                    .is_some_and(|target| target.is("AllUsers"))
            })
            && users.targets.iter().flatten().count() > 0
    });
    allowed || some_blocked
}
