//! Sign-ins of workload identities: a world of its own.
//!
//! Policies on them reach single-tenant service principals of this tenant only, never multi-tenant applications or managed identities,
//! and can do nothing but block. Source: Microsoft Entra, Conditional Access for workload identities.

use std::collections::BTreeMap;

use super::analyzer::{Analyzer, Verdict, not_read, unread};
use super::bits::Bits;
use super::cover::{Product, Region, Search, find_open, widen};
use super::guarantee::{Guarantee, Who};
use super::policy::{Ask, Effect, Policy, Reading, Span, Workloads};
use super::proof::{Accounts, Example, ExampleTarget, Proof, Witness};
use super::search::scope;
use super::space::dimension::{NETWORK, TARGET, WHO};
use crate::snapshot::model::ServicePrincipal;
use crate::snapshot::{Guid, Resource};

/// The steps that one question may take.
const BUDGET: u64 = 2_000_000;

/// Service principals that policies treat alike: which policies on workload identities reach them, surely and perhaps.
type Classes<'a> = BTreeMap<Vec<(bool, bool)>, Vec<&'a ServicePrincipal>>;

impl Analyzer<'_> {
    /// Answers a guarantee about workload identities.
    pub(super) fn prove_workloads(&self, guarantee: &Guarantee) -> Proof {
        let wanted = match &guarantee.who {
            Who::ServicePrincipals(ids) => ids.as_slice(),
            _ => &[],
        };
        let classes = self.workload_classes(wanted, guarantee);
        let asked: u64 = classes.values().map(|class| class.len() as u64).sum();
        let missing = unread(self.tenant, Resource::ServicePrincipals);
        let mut assumptions: Vec<String> =
            self.unread().iter().chain(&missing).map(not_read).collect();
        let must = self.open_workloads(guarantee, &classes, Reading::Must);
        let may = self.open_workloads(guarantee, &classes, Reading::May);
        let (verdict, open) = match (must, may) {
            (Open::Spent, _) | (_, Open::Spent) => (Verdict::Unknown, Vec::new()),
            (Open::At(must), _) if must.is_empty() && !assumptions.is_empty() => {
                (Verdict::Depends, must)
            }
            (Open::At(must), _) if must.is_empty() && asked == 0 => (Verdict::Vacuous, must),
            (Open::At(must), _) if must.is_empty() => (Verdict::Proved, must),
            (Open::At(must), Open::At(may)) if may.is_empty() || !self.unread().is_empty() => {
                (Verdict::Depends, must)
            }
            (_, Open::At(may)) => (Verdict::Violated, may),
        };
        let outside = self.workloads_out_of_reach();
        if outside > 0 {
            assumptions.push(format!(
                "{outside} multi-tenant applications and managed identities are not asked about: no policy reaches them"
            ));
        }
        let ids = open
            .iter()
            .flat_map(|(class, _)| class.iter())
            .filter_map(|principal| principal.id);
        Proof {
            id: guarantee.id.clone(),
            says: guarantee.says.clone(),
            verdict,
            assumptions: assumptions.into_iter().map(Into::into).collect(),
            affected_users: Accounts::first_of(ids),
            left_out: Accounts::default(),
            asked_users: asked,
            witnesses: open
                .iter()
                .map(|(class, product)| self.workload_witness(guarantee, class, product))
                .collect(),
            witnesses_not_shown: 0,
        }
    }

    /// The service principals that are asked about: this tenant's own, enabled, single-tenant.
    fn workload_classes<'s>(&'s self, wanted: &[Guid], guarantee: &Guarantee) -> Classes<'s> {
        let mut classes = Classes::new();
        let policies = &self.space.policies;
        for principal in self.tenant.service_principals.hints().iter() {
            let Some(id) = principal.id else { continue };
            let is_wanted = if wanted.is_empty() {
                self.is_own(principal)
            } else {
                wanted.contains(&id)
            };
            if !is_wanted
                || principal.account_enabled == Some(false)
                || guarantee.except_users.contains(&id)
            {
                continue;
            }
            let row = policies.iter().map(|policy| {
                let reach = self.reaches(policy, principal);
                (reach.must, reach.may)
            });
            classes.entry(row.collect()).or_default().push(principal);
        }
        classes
    }

    /// A single-tenant application of this tenant.
    fn is_own(&self, principal: &ServicePrincipal) -> bool {
        let tenant = self
            .tenant
            .organization()
            .and_then(|organization| organization.id);
        let is_application = principal
            .service_principal_type
            .as_ref()
            .is_some_and(|kind| kind.is("Application"));
        is_application
            && tenant.is_some()
            && principal.app_owner_organization_id == tenant
            && !self.is_multi_tenant(principal)
    }

    fn is_multi_tenant(&self, principal: &ServicePrincipal) -> bool {
        let applications = self.tenant.applications.hints();
        let registration = applications
            .iter()
            .find(|app| app.app_id.is_some() && app.app_id == principal.app_id);
        let audience = registration.and_then(|app| app.sign_in_audience.as_ref());
        audience.is_some_and(|audience| !audience.is("AzureADMyOrg"))
    }

    fn workloads_out_of_reach(&self) -> usize {
        let own = |principal: &&ServicePrincipal| {
            let tenant = self
                .tenant
                .organization()
                .and_then(|organization| organization.id);
            let is_managed = principal
                .service_principal_type
                .as_ref()
                .is_some_and(|kind| kind.is("ManagedIdentity"));
            is_managed
                || (principal.app_owner_organization_id == tenant
                    && self.is_multi_tenant(principal))
        };
        self.tenant
            .service_principals
            .hints()
            .iter()
            .filter(own)
            .count()
    }

    fn reaches(&self, policy: &Policy, principal: &ServicePrincipal) -> Span<bool> {
        let Some(Workloads {
            include,
            exclude,
            has_filter,
        }) = &policy.workloads
        else {
            return Span::sure(false);
        };
        if policy.effect != Effect::Enabled
            || !policy.grant.asks.contains(&Ask::Block)
            || !self.is_own(principal)
        {
            return Span::sure(false);
        }
        let id = principal.id.map(|id| id.to_string()).unwrap_or_default();
        let included = include
            .iter()
            .any(|word| word.is("ServicePrincipalsInMyTenant") || word.is(&id));
        let excluded = exclude
            .iter()
            .any(|word| word.is(&id) || word.is("ServicePrincipalsInMyTenant"));
        // What the filter matches rests on attributes that are not read.
        Span {
            must: included && !excluded && !has_filter && !policy.has_unknown_condition,
            may: (included || (*has_filter && include.is_empty())) && !excluded,
        }
    }

    fn open_workloads<'c, 's>(
        &self,
        guarantee: &Guarantee,
        classes: &'c Classes<'s>,
        reading: Reading,
    ) -> Open<'c, 's> {
        let mut open = Vec::new();
        let mut budget = BUDGET;
        let whole: Product = self.space.whole();
        for (row, class) in classes {
            let mut boxes: Vec<Region> = Vec::new();
            for (index, (must, may)) in row.iter().enumerate() {
                let applies = if reading == Reading::Must { must } else { may };
                let (Some(conditions), Some(target)) =
                    (self.space.conditions.get(index), self.space.target(index))
                else {
                    continue;
                };
                if *applies {
                    let target = target.read(reading).clone();
                    boxes.extend(
                        conditions
                            .read(reading)
                            .iter()
                            .map(|region| region.clone().with(TARGET, target.clone())),
                    );
                }
            }
            for region in scope(&self.space, guarantee, reading) {
                let mut product = whole.clone();
                if let Some(who) = product.get_mut(WHO) {
                    *who = Bits::all(1);
                }
                for (dimension, values) in region.sides() {
                    if let Some(side) = product.get_mut(dimension) {
                        side.keep(values);
                    }
                }
                match find_open(&product, &boxes, &mut budget) {
                    Search::Covered => {}
                    Search::Spent => return Open::Spent,
                    Search::Open(mut found) => {
                        widen(&mut found, &product, &boxes, TARGET..product.len());
                        open.push((class, found));
                        break;
                    }
                }
            }
        }
        Open::At(open)
    }

    fn workload_witness(
        &self,
        guarantee: &Guarantee,
        class: &[&ServicePrincipal],
        product: &Product,
    ) -> Witness {
        let first = class.iter().min_by_key(|principal| principal.id);
        let name = first
            .and_then(|principal| principal.display_name.as_ref())
            .map_or("one without a name", |name| name.raw());
        let region = self.region_of(guarantee, product);
        let places: Vec<&str> = region
            .values()
            .flatten()
            .map(crate::snapshot::Untrusted::raw)
            .collect();
        let place = if places.is_empty() {
            "anywhere".to_owned()
        } else {
            places.join(", ")
        };
        let pick = |dimension: usize| {
            product
                .get(dimension)
                .and_then(Bits::first)
                .unwrap_or_default()
        };
        Witness {
            sentence: format!("{} workload identities ('{name}' among them) sign in from {place}; no policy blocks them there.", class.len()).into(),
            users: class.len() as u64,
            region,
            example: Example {
                user: first.and_then(|principal| principal.id).map(|id| id.to_string()),
                target: Some(ExampleTarget { kind: "anyOther", id: None }),
                ip: self.space.networks.ip_example(pick(NETWORK)).map(|ip| ip.to_string()),
                ..Example::default()
            },
            near_misses: Vec::new(),
            closed_by: None,
        }
    }
}

/// Classes with something open, or that the budget was used up.
enum Open<'c, 's> {
    At(Vec<(&'c Vec<&'s ServicePrincipal>, Product)>),
    Spent,
}
