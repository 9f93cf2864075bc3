//! What the tenant owns.

use std::collections::BTreeMap;

use super::Tenant;
use crate::snapshot::model::{ProvisioningStatus, SkuCapabilityStatus, SubscribedSku};
use crate::snapshot::{Guid, Untrusted, reference};

/// Service plans that the tenant owns and has switched on, with the seats and SKUs that carry them.
#[derive(Debug, Clone, Default)]
pub struct Licences {
    plans: BTreeMap<Guid, Owned>,
    seats: u64,
}

/// How one service plan is owned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owned {
    /// Part numbers of the SKUs that carry it.
    pub through: Vec<Untrusted>,
    /// Seats bought: `prepaidUnits.enabled` of those SKUs.
    pub seats: u64,
    /// Seats assigned: `consumedUnits` of those SKUs.
    pub consumed: u64,
}

impl Licences {
    /// What the tenant owns, as far as its subscriptions were read.
    pub fn of(tenant: &Tenant) -> Self {
        Self::from_skus(tenant.subscribed_skus.hints())
    }

    /// Reads the subscriptions. A plan is owned when its SKU is Enabled or in Warning, has enabled seats, and the plan is
    /// provisioned (`provisioningStatus` Success).
    pub fn from_skus(skus: &[SubscribedSku]) -> Self {
        let mut licences = Self::default();
        for sku in skus {
            let alive = matches!(
                sku.capability_status,
                Some(SkuCapabilityStatus::Enabled | SkuCapabilityStatus::Warning)
            );
            let seats = sku
                .prepaid_units
                .as_ref()
                .and_then(|units| units.enabled)
                .and_then(|seats| u64::try_from(seats).ok());
            let (true, Some(seats @ 1..)) = (alive, seats) else {
                continue;
            };
            let consumed = sku
                .consumed_units
                .and_then(|units| u64::try_from(units).ok())
                .unwrap_or(0);
            licences.seats = licences.seats.max(consumed);
            for plan in sku.service_plans.iter().flatten() {
                let (Some(id), Some(ProvisioningStatus::Success)) =
                    (plan.service_plan_id, &plan.provisioning_status)
                else {
                    continue;
                };
                let owned = licences.plans.entry(id).or_default();
                owned.through.extend(sku.sku_part_number.clone());
                owned.seats = owned.seats.saturating_add(seats);
                owned.consumed = owned.consumed.saturating_add(consumed);
            }
        }
        licences
    }

    /// Whether any of these service plans (by name, as in Microsoft's licensing list) is owned.
    pub fn owns_any(&self, plans: &[&str]) -> bool {
        self.owned(plans).is_some()
    }

    /// How the first owned one of these plans is owned, all SKUs that carry any of them together.
    pub fn owned(&self, plans: &[&str]) -> Option<Owned> {
        let mut all: Option<Owned> = None;
        for owned in plans
            .iter()
            .filter_map(|name| self.plans.get(&reference::service_plan(name)?))
        {
            match &mut all {
                None => all = Some(owned.clone()),
                // Plans of one family often come in the same SKU: the widest counts, seats are not added twice.
                Some(sum) => {
                    sum.seats = sum.seats.max(owned.seats);
                    sum.consumed = sum.consumed.max(owned.consumed);
                    for sku in &owned.through {
                        if !sum.through.contains(sku) {
                            sum.through.push(sku.clone());
                        }
                    }
                }
            }
        }
        all
    }

    /// Seats in use of the largest subscription: how big the tenant is.
    pub fn largest_seat_count(&self) -> u64 {
        self.seats
    }
}
