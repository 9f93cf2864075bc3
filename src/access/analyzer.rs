//! A tenant made ready for questions, and the proofs that answer them.

use std::collections::{BTreeMap, BTreeSet};

use super::Facts;
use super::assignment::{Assignment, Side, Tenants};
use super::crowd::{Crowd, Untold};
use super::device::{Dimensions, Rule};
use super::externals::{Home, Trusts};
use super::guarantee::{Atom, Guarantee};
use super::methods::Methods;
use super::network::Networks;
use super::people::People;
use super::policy::{Ask, CLIENTS, Effect, LEGACY, MODERN, Policy, Reading, Span, Target};
use super::resources::{AZURE_MANAGEMENT, BaselineScopes, REGISTER_DEVICE, Resources, Suite};
use super::search::{Found, open_sign_ins};
use super::space::Space;
use crate::snapshot::model::{MultiFactorAuthConfiguration, PerUserMfaState};
use crate::snapshot::tenant::{Holders, Licences, User};
use crate::snapshot::{Guid, Licence, Resource, State, Tenant, Unread, Untrusted, reference};

/// What Graph does not tell and the reader may.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How sign-ins for baseline scopes are treated.
    pub baseline_scopes: BaselineScopes,
    /// The trusted addresses of the old service settings of multi-factor authentication.
    pub mfa_trusted_ips: Vec<ipnet::IpNet>,
    /// Home tenants of guests, by object id.
    pub home_tenants: BTreeMap<Guid, Guid>,
    /// Accounts that named guarantees leave out and show apart: emergency access and synchronisation.
    pub apart: BTreeSet<Guid>,
    /// Of these, the accounts that are declared for emergencies.
    pub emergency: BTreeSet<Guid>,
    /// Groups and apps are called by their ids: what is said must not rest on lists that the caller does not say it reads.
    pub groups_and_apps_by_id: bool,
}

impl Settings {
    /// Accounts that stand apart: those that are declared for emergencies, by object id or UPN, and those that synchronise the local
    /// directory.
    pub fn apart(tenant: &Tenant, emergency: &[String]) -> BTreeSet<Guid> {
        let synchronise = Holders::build(tenant, false).sync_accounts();
        let declared = Self::emergency(tenant, emergency);
        declared.into_iter().chain(synchronise).collect()
    }

    /// Accounts that are declared for emergencies, by object id or UPN, as far as they exist.
    pub fn emergency(tenant: &Tenant, declared: &[String]) -> BTreeSet<Guid> {
        let users = tenant.users.hints();
        declared
            .iter()
            .filter_map(|name| users.find(name))
            .map(User::id)
            .collect()
    }
}

impl std::fmt::Debug for Analyzer<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Analyzer")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A tenant made ready.
pub struct Analyzer<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) holders: Holders,
    pub(super) settings: Settings,
    pub(super) space: Space<'a>,
    pub(super) trusts: Trusts,
    /// What verdicts rest on and was not read, or not to its end.
    unread: Vec<Unread>,
}

/// The steps that one question may take. A guarantee over the largest tenants takes some thousands.
pub(super) const BUDGET: u64 = 20_000_000;

/// What is known of a guarantee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It holds for every sign-in that is asked about.
    Proved,
    /// Nothing is asked about.
    Vacuous,
    /// It holds or not by something that is not known.
    Depends,
    /// The budget was used up.
    Unknown,
    /// Some sign-in certainly does not meet it.
    Violated,
}

impl Verdict {
    /// The word in the JSON report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Vacuous => "vacuous",
            Self::Depends => "depends",
            Self::Unknown => "unknown",
            Self::Violated => "violated",
        }
    }
}

/// A guarantee answered, before witnesses are put into words.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) verdict: Verdict,
    pub(super) crowd: Crowd,
    /// The gaps that the verdict rests on, and the reading in which they were found.
    pub(super) found: Found,
    pub(super) reading: Reading,
    /// What is not known, in words.
    pub(super) untold: Vec<String>,
}

impl<'a> Analyzer<'a> {
    /// Reads a tenant.
    pub fn read(tenant: &'a Tenant, settings: Settings) -> Self {
        Self::with_policies(tenant, settings, read_policies(tenant), &[])
    }

    /// Reads a tenant as if it had these policies. `also` are device filter rules that only a question has.
    pub(super) fn with_policies(
        tenant: &'a Tenant,
        settings: Settings,
        policies: Vec<Policy>,
        also: &[Rule],
    ) -> Self {
        let holders = self::holders(tenant);
        let (people, trusts) = self::people(tenant, &holders, &settings, &policies);
        let targets: Vec<&Target> = policies.iter().map(|policy| &policy.target).collect();
        let resources = Resources::read(&targets, std::iter::empty(), settings.baseline_scopes);
        let networks = Networks::read(tenant.named_locations.hints(), &settings.mfa_trusted_ips);
        let rules: Vec<_> = policies
            .iter()
            .filter_map(|policy| policy.devices.as_ref()?.rule.as_ref())
            .chain(also)
            .collect();
        let devices = Dimensions::read(&rules);
        let methods = Methods::read(strengths(tenant));
        let places_known = self::places_known(tenant);
        let space = Space::new(
            policies,
            people,
            resources,
            networks,
            devices,
            methods,
            settings.baseline_scopes,
            places_known,
        );
        Self {
            tenant,
            holders,
            settings,
            space,
            trusts,
            unread: all_unread(tenant),
        }
    }

    pub(super) fn facts(&self) -> Facts<'_> {
        facts(self.tenant, &self.holders)
    }

    /// How many classes of people policies tell apart, each state for itself.
    pub fn classes(&self) -> usize {
        self.space.people.len()
    }

    /// What verdicts rest on and was not read.
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// Strengths that a guarantee names and that were not read.
    fn unknown_strengths(&self, guarantee: &Guarantee) -> Vec<String> {
        let named = guarantee
            .must
            .iter()
            .flatten()
            .filter_map(|atom| match atom {
                Atom::Strength(id) => Some(*id),
                _ => None,
            });
        named
            .filter(|id| self.space.methods.strength(*id).is_none())
            .map(|id| format!("what authentication strength {id} accepts was not read"))
            .collect()
    }

    /// Answers one guarantee.
    pub(super) fn answer(&self, guarantee: &Guarantee, apart: &BTreeSet<Guid>) -> Answer {
        let crowd = Crowd::of(
            guarantee,
            &self.space.people,
            &self.facts(),
            &self.trusts,
            apart,
        );
        let mut untold: Vec<String> = self.unread.iter().map(not_read).collect();
        untold.extend(self.unknown_strengths(guarantee));
        let crowd = match crowd {
            Ok(crowd) => crowd,
            Err(Untold(why)) => {
                untold.push(why);
                let found = Found::default();
                return Answer {
                    verdict: Verdict::Depends,
                    crowd: Crowd::nobody(),
                    found,
                    reading: Reading::Must,
                    untold,
                };
            }
        };
        untold.extend(crowd.not_told.clone());
        let mut budget = BUDGET;
        let must = open_sign_ins(&self.space, guarantee, &crowd, Reading::Must, &mut budget);
        if must.vacuous && untold.is_empty() {
            return Answer {
                verdict: Verdict::Vacuous,
                crowd,
                found: must,
                reading: Reading::Must,
                untold,
            };
        }
        if must.gaps.is_empty() {
            let verdict = match (must.spent, untold.is_empty()) {
                (true, _) => Verdict::Unknown,
                (false, true) => Verdict::Proved,
                (false, false) => Verdict::Depends,
            };
            return Answer {
                verdict,
                crowd,
                found: must,
                reading: Reading::Must,
                untold,
            };
        }
        let may = open_sign_ins(&self.space, guarantee, &crowd, Reading::May, &mut budget);
        if !self.unknown_strengths(guarantee).is_empty() {
            return Answer {
                verdict: Verdict::Depends,
                crowd,
                found: must,
                reading: Reading::Must,
                untold,
            };
        }
        // A list of policies that was cut short may go on with the one that closes the gap.
        let policies_known = !self
            .unread
            .iter()
            .any(|unread| unread.resource == Resource::ConditionalAccessPolicies);
        if !may.gaps.is_empty() && policies_known {
            return Answer {
                verdict: Verdict::Violated,
                crowd,
                found: may,
                reading: Reading::May,
                untold,
            };
        }
        untold.extend(self.undecided(guarantee, &must.gaps));
        let verdict = if may.spent {
            Verdict::Unknown
        } else {
            Verdict::Depends
        };
        Answer {
            verdict,
            crowd,
            found: must,
            reading: Reading::Must,
            untold,
        }
    }
}

/// What verdicts about a tenant rest on and was not read, or not to its end.
pub(super) fn all_unread(tenant: &Tenant) -> Vec<Unread> {
    [
        Resource::ConditionalAccessPolicies,
        Resource::NamedLocations,
        Resource::Users,
        Resource::RoleAssignments,
    ]
    .into_iter()
    .filter_map(|resource| unread(tenant, resource))
    .collect()
}

/// Whether named locations were read to their end.
pub(super) fn places_known(tenant: &Tenant) -> bool {
    unread(tenant, Resource::NamedLocations).is_none()
}

/// Who holds which role. Without Privileged Identity Management nobody is eligible.
pub(super) fn holders(tenant: &Tenant) -> Holders {
    let eligible = tenant.state(Resource::RoleEligibilityScheduleInstances).0;
    Holders::build(tenant, !matches!(eligible, State::NotLicensed { .. }))
}

/// The people of a tenant as these policies see them, and what is trusted of those who come from outside.
pub(super) fn people(
    tenant: &Tenant,
    holders: &Holders,
    settings: &Settings,
    policies: &[Policy],
) -> (People, Trusts) {
    let assignments: Vec<Option<&Assignment>> =
        policies.iter().map(|policy| policy.who.as_ref()).collect();
    let trusts = Trusts::read(
        tenant
            .cross_tenant_access_default
            .complete()
            .ok()
            .and_then(|list| list.first()),
        tenant
            .cross_tenant_access_partners
            .complete()
            .ok()
            .map(Vec::as_slice),
        named_tenants(&assignments),
    );
    let home_of = |user: User<'_>| {
        settings
            .home_tenants
            .get(&user.id())
            .map_or(Home::Unknown, |&tenant| Home::Tenant(tenant))
    };
    let people = People::read(&facts(tenant, holders), &assignments, &trusts, &home_of);
    (people, trusts)
}

/// What was not read, in words: the request, and what grants it.
pub(super) fn not_read(unread: &Unread) -> String {
    let resource = unread.resource;
    let permissions = resource.permissions().join(" or ");
    match &unread.state {
        State::Partial { .. } => format!("GET {} was not read to its end", resource.path()),
        _ => format!(
            "GET {} was not read (it takes {permissions})",
            resource.path()
        ),
    }
}

pub(super) fn unread(tenant: &Tenant, resource: Resource) -> Option<Unread> {
    let (state, read) = tenant.state(resource);
    match state {
        State::Collected => None,
        // Without the licence there are none.
        State::NotLicensed { .. }
            if matches!(
                resource,
                Resource::ConditionalAccessPolicies | Resource::NamedLocations
            ) =>
        {
            None
        }
        state => Some(Unread {
            resource,
            state: state.clone(),
            read,
        }),
    }
}

/// Without Privileged Identity Management nobody is eligible for a role.
fn lacks_pim(tenant: &Tenant) -> bool {
    tenant
        .subscribed_skus
        .complete()
        .is_ok_and(|skus| !Licences::from_skus(skus).owns_any(Licence::EntraP2OrGovernance.plans()))
}

pub(super) fn facts<'a>(tenant: &'a Tenant, holders: &'a Holders) -> Facts<'a> {
    let eligible = tenant.state(Resource::RoleEligibilityScheduleInstances).0;
    Facts {
        policies: tenant.conditional_access_policies.hints(),
        strengths: tenant.authentication_strengths.hints(),
        locations: tenant.named_locations.hints(),
        group_members: tenant.group_members.complete().ok(),
        users: tenant.users.hints(),
        holders,
        active_known: *tenant.state(Resource::RoleAssignments).0 == State::Collected,
        eligible_known: matches!(eligible, State::Collected | State::NotLicensed { .. })
            || lacks_pim(tenant),
    }
}

/// The strengths of the list, and those that policies carry inside.
pub(super) fn strengths(
    tenant: &Tenant,
) -> impl Iterator<Item = &crate::snapshot::model::AuthenticationStrengthPolicy> + Clone {
    let inside = tenant
        .conditional_access_policies
        .hints()
        .iter()
        .filter_map(|policy| {
            policy
                .grant_controls
                .as_ref()?
                .authentication_strength
                .as_ref()
        });
    tenant.authentication_strengths.hints().iter().chain(inside)
}

fn named_tenants(assignments: &[Option<&Assignment>]) -> BTreeSet<Guid> {
    let sides = assignments
        .iter()
        .flatten()
        .flat_map(|assignment| [&assignment.include, &assignment.exclude]);
    let listed =
        sides
            .flat_map(|side: &Side| &side.kinds)
            .filter_map(|(_, tenants)| match tenants {
                Tenants::Listed(listed) => Some(listed),
                _ => None,
            });
    listed.flatten().copied().collect()
}

/// The policies, and what acts like one.
pub(super) fn read_policies(tenant: &Tenant) -> Vec<Policy> {
    let mut policies: Vec<Policy> = tenant
        .conditional_access_policies
        .hints()
        .iter()
        .map(Policy::read)
        .collect();
    // Stable, whatever the order in which they came.
    policies.sort_by(|left, right| left.id.cmp(&right.id));
    let any_enabled = policies
        .iter()
        .any(|policy| policy.effect == Effect::Enabled);
    let defaults = tenant
        .security_defaults
        .hints()
        .first()
        .and_then(|defaults| defaults.is_enabled);
    match defaults {
        Some(true) => policies.extend(security_defaults()),
        Some(false) => {}
        // They cannot be on beside an enabled policy.
        None if any_enabled => {}
        None => policies.extend(security_defaults().map(|policy| Policy {
            has_unknown_condition: true,
            not_understood: vec!["whether security defaults are on was not read; that".to_owned()],
            ..policy
        })),
    }
    let required = tenant
        .device_registration_policy
        .hints()
        .first()
        .and_then(|policy| policy.multi_factor_auth_configuration.as_ref());
    if required == Some(&MultiFactorAuthConfiguration::Required) {
        policies.push(Policy {
            target: Target {
                actions: vec![REGISTER_DEVICE.into()],
                ..Target::default()
            },
            ..Policy::acting(
                "Device settings: MFA to register or join devices",
                Assignment::everyone(),
                Ask::Mfa,
            )
        });
    }
    let enforced: Vec<Guid> = tenant
        .authentication_requirements
        .hints()
        .iter()
        .filter(|(_, rows)| {
            rows.iter()
                .any(|row| row.per_user_mfa_state == Some(PerUserMfaState::Enforced))
        })
        .map(|(&user, _)| user)
        .collect();
    if !enforced.is_empty() {
        let include = Side {
            accounts: enforced,
            ..Side::default()
        };
        policies.push(Policy {
            clients: Span::sure(MODERN),
            ..Policy::acting(
                "Per-user MFA (enforced)",
                Assignment {
                    include,
                    ..Assignment::default()
                },
                Ask::Mfa,
            )
        });
    }
    policies
}

/// Roles of whom security defaults ask a second factor at every sign-in. Source: Security defaults in Microsoft Entra ID.
const SECURITY_DEFAULT_ROLES: [&str; 16] = [
    "Global Administrator",
    "Application Administrator",
    "Authentication Administrator",
    "Authentication Policy Administrator",
    "Billing Administrator",
    "Cloud Application Administrator",
    "Conditional Access Administrator",
    "Exchange Administrator",
    "Helpdesk Administrator",
    "Identity Governance Administrator",
    "Password Administrator",
    "Privileged Authentication Administrator",
    "Privileged Role Administrator",
    "Security Administrator",
    "SharePoint Administrator",
    "User Administrator",
];

/// Security defaults as policies: legacy clients are blocked for all; a second factor for administrators, and for all who manage
/// Azure. For everybody else it is asked for when Microsoft sees need, which promises nothing.
fn security_defaults() -> impl Iterator<Item = Policy> {
    let synchronisation = Side {
        roles: reference::SYNC_ROLES.to_vec(),
        ..Side::default()
    };
    let everyone = || Assignment {
        exclude: synchronisation.clone(),
        ..Assignment::everyone()
    };
    let administrators = Side {
        roles: SECURITY_DEFAULT_ROLES
            .iter()
            .filter_map(|name| reference::role_named(name))
            .collect(),
        ..Side::default()
    };
    let administrators = Assignment {
        include: administrators,
        exclude: synchronisation.clone(),
    };
    let azure: Vec<Untrusted> = [AZURE_MANAGEMENT.to_string()]
        .into_iter()
        .chain(Suite::AzureManagement.apps().map(|app| app.to_string()))
        .map(Untrusted::from)
        .collect();
    [
        Policy {
            clients: Span::sure(LEGACY),
            ..Policy::acting(
                "Security defaults: legacy authentication",
                everyone(),
                Ask::Block,
            )
        },
        Policy::acting(
            "Security defaults: administrators",
            administrators,
            Ask::Mfa,
        ),
        Policy {
            target: Target {
                include: azure,
                ..Target::default()
            },
            clients: Span::sure(CLIENTS.all()),
            ..Policy::acting("Security defaults: Azure management", everyone(), Ask::Mfa)
        },
    ]
    .into_iter()
}
