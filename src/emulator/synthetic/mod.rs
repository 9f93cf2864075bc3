//! Tenants of any size, computed: a row follows from the seed and its index and is never stored, so a tenant of two million objects
//! fits in a few dozen megabytes. The rows of a stored tenant come first in each list, and everything that is no big list is its own.
//!
//! - `draw`: numbers, GUIDs and permutations from a seed
//! - `names`: names by frequency
//! - `row`, `people`, `objects`: what a row holds
//! - `list`: filters and orders
//! - `answer`: pages and single objects

mod answer;
mod draw;
mod list;
mod names;
mod objects;
mod people;
mod row;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::routes::Version;
use super::tenant::TenantData;
pub(super) use answer::Computed;
pub(super) use draw::Source;
use list::{Key, Kind};
pub(super) use list::{List, View};
use row::{Of, World};

/// In which order a list gives its rows. Graph promises none, so a client may rely on neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As if by a hash: neighbours of a page have nothing in common.
    #[default]
    Hashed,
    /// By the property by which the list can be cut: `userPrincipalName`, `deviceId`, `displayName`.
    ByKey,
}

/// How many rows each list has, stored ones included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the lists")]
pub struct Mix {
    /// Guests included.
    pub users: u32,
    pub guests: u32,
    pub devices: u32,
    pub service_principals: u32,
    pub applications: u32,
    pub groups: u32,
    /// `oauth2PermissionGrants`, half of them for all principals.
    pub grants: u32,
    /// Computed risky users that are at risk (a tenth as many were): deleted accounts stay in that list, so a small tenant can have
    /// more of them than accounts.
    pub at_risk: u32,
    /// Managed devices; 0: those of the stored tenant only.
    pub managed_devices: u32,
}

impl Mix {
    /// About a thousand objects: 600 users of which 100 are guests.
    pub const THOUSAND: Self = Self {
        users: 600,
        guests: 100,
        devices: 200,
        service_principals: 150,
        applications: 20,
        groups: 30,
        grants: 270,
        at_risk: 1_750,
        managed_devices: 0,
    };
    /// A hundred thousand objects: 60,000 users.
    pub const HUNDRED_THOUSAND: Self = Self {
        users: 60_000,
        guests: 10_000,
        devices: 20_000,
        service_principals: 8_000,
        applications: 2_000,
        groups: 10_000,
        grants: 14_400,
        at_risk: 2_750,
        managed_devices: 0,
    };
    /// Two million objects: 1,200,000 users.
    pub const TWO_MILLION: Self = Self {
        users: 1_200_000,
        guests: 200_000,
        devices: 500_000,
        service_principals: 110_000,
        applications: 10_000,
        groups: 180_000,
        grants: 198_000,
        at_risk: 21_750,
        managed_devices: 0,
    };
}

/// What a synthetic tenant is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Synthetic {
    /// Another seed, another tenant.
    pub seed: u64,
    /// How large.
    pub mix: Mix,
    /// The order of rows in answers.
    pub order: Order,
}

/// The big lists of one tenant, by path.
pub(super) struct Lists {
    lists: BTreeMap<&'static str, List>,
    mix: Mix,
}

const USER_NAME: Key = Key {
    name: "userPrincipalName",
    text: |row| row.principal_name(),
};
const PERSON: Key = Key {
    name: "displayName",
    text: |row| row.person_name(),
};
const DEVICE_ID: Key = Key {
    name: "deviceId",
    text: |row| row.device_id().to_string(),
};
const DEVICE_NAME: Key = Key {
    name: "displayName",
    text: |row| row.device_name(),
};
const THING: Key = Key {
    name: "displayName",
    text: |row| row.thing_name(),
};

const KINDS: &[Kind] = &[
    Kind {
        path: "/users",
        of: Of::Users,
        properties: people::USER,
        keys: &[USER_NAME, PERSON],
    },
    Kind {
        path: "/reports/authenticationmethods/userregistrationdetails",
        of: Of::Users,
        properties: people::REGISTRATION,
        keys: &[USER_NAME],
    },
    Kind {
        path: "/identityprotection/riskyusers",
        of: Of::RiskyUsers,
        properties: people::RISKY_USER,
        keys: &[],
    },
    Kind {
        path: "/devices",
        of: Of::Devices,
        properties: objects::DEVICE,
        keys: &[DEVICE_ID, DEVICE_NAME],
    },
    Kind {
        path: "/devicemanagement/manageddevices",
        of: Of::ManagedDevices,
        properties: objects::MANAGED_DEVICE,
        keys: &[],
    },
    Kind {
        path: "/serviceprincipals",
        of: Of::ServicePrincipals,
        properties: objects::SERVICE_PRINCIPAL,
        keys: &[THING],
    },
    Kind {
        path: "/applications",
        of: Of::Applications,
        properties: objects::APPLICATION,
        keys: &[THING],
    },
    Kind {
        path: "/groups",
        of: Of::Groups,
        properties: objects::GROUP,
        keys: &[THING],
    },
    Kind {
        path: "/oauth2permissiongrants",
        of: Of::Grants,
        properties: objects::GRANT,
        keys: &[],
    },
];

impl Lists {
    /// `stored`: the tenant whose rows come first.
    pub(super) fn new(synthetic: &Synthetic, stored: &TenantData) -> Self {
        let rows = |path: &str| {
            stored
                .list(Version::V1, path)
                .map(|list| list.rows.clone())
                .unwrap_or_default()
        };
        let having = |path: &str, name: &str, value: &str| {
            let rows = rows(path).into_iter();
            let many = rows
                .filter(|row| row.get(name).and_then(Value::as_str) == Some(value))
                .count();
            u32::try_from(many).unwrap_or(u32::MAX)
        };
        let held = |path: &str| u32::try_from(rows(path).len()).unwrap_or(u32::MAX);
        let mix = synthetic.mix;
        let texts = |path: &str, name: &str| -> Vec<String> {
            let rows = rows(path).into_iter();
            rows.filter_map(|row| Some(row.get(name)?.as_str()?.to_owned()))
                .collect()
        };
        let mut domains = stored.profile.domains.iter();
        let domain = domains
            .next()
            .cloned()
            .unwrap_or_else(|| "synthetic.example".to_owned());
        let world = Arc::new(World {
            seed: Source(synthetic.seed).of(0),
            tenant_id: stored.tenant_id().to_owned(),
            initial_domain: domains.next_back().unwrap_or(&domain).clone(),
            domain,
            now: stored.now().as_second(),
            skus: texts("/subscribedSkus", "skuId"),
            users: mix.users.saturating_sub(held("/users")),
            guests: mix
                .guests
                .saturating_sub(having("/users", "userType", "Guest")),
            at_risk: mix.at_risk,
            service_principals: mix
                .service_principals
                .saturating_sub(held("/servicePrincipals")),
            for_all: (mix.grants / 2).saturating_sub(having(
                "/oauth2PermissionGrants",
                "consentType",
                "AllPrincipals",
            )),
            resources: texts("/servicePrincipals", "id")
                .into_iter()
                .take(8)
                .collect(),
        });
        let lists = KINDS.iter().map(|kind| {
            let stored = rows(kind.path);
            let wanted = match kind.of {
                // One row of the report for each computed user.
                Of::Users => world.users.saturating_add(held(kind.path)),
                Of::Devices => mix.devices,
                Of::ServicePrincipals => mix.service_principals,
                Of::Applications => mix.applications,
                Of::Groups => mix.groups,
                Of::Grants => mix.grants,
                Of::RiskyUsers => (mix.at_risk + mix.at_risk / 10).saturating_add(held(kind.path)),
                Of::ManagedDevices => mix.managed_devices,
            };
            let computed = wanted.saturating_sub(held(kind.path));
            (
                kind.path,
                List::new(kind, Arc::clone(&world), synthetic.order, stored, computed),
            )
        });
        let mut lists = Self {
            lists: lists.collect(),
            mix,
        };
        lists.mix.users = lists.get("/users").map_or(0, List::len);
        lists
    }

    pub(super) fn get(&self, path: &str) -> Option<&List> {
        self.lists.get(path)
    }

    /// The sizes as they are.
    pub(super) const fn mix(&self) -> &Mix {
        &self.mix
    }

    /// Makes all orders; else each is made when first asked for.
    pub(super) fn prepare(&self) {
        for list in self.lists.values() {
            list.prepare();
        }
    }
}

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.lists.iter().map(|(path, list)| (path, list.len())))
            .finish()
    }
}
