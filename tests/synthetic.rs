//! Tenants that are computed: the same each time, cut by ranges without a gap, and answered as stored ones are.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

#[path = "support/emulated.rs"]
mod emulated;
#[path = "synthetic/floor.rs"]
mod floor;
#[path = "synthetic/lists.rs"]
mod lists;
#[path = "synthetic/service.rs"]
mod service;

use std::collections::BTreeMap;
use std::path::Path;

use emulated::{Answer, Client};
use m365audit::emulator::{Mix, Options, Order, Synthetic, TenantData};
use serde_json::Value;

/// Small enough to look at every row.
const MIX: Mix = Mix {
    users: 700,
    guests: 120,
    devices: 400,
    service_principals: 300,
    applications: 60,
    groups: 200,
    grants: 240,
    at_risk: 600,
    managed_devices: 150,
};

fn sound() -> TenantData {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tenants/sound");
    TenantData::load(&folder).unwrap()
}

fn grown(seed: u64, order: Order) -> TenantData {
    let mix = MIX;
    sound().grown(&Synthetic { seed, mix, order })
}

impl Answer {
    fn count(&self) -> u64 {
        let body = self.json();
        body["@odata.count"]
            .as_u64()
            .unwrap_or_else(|| panic!("{}", self.text))
    }
}

impl Client {
    async fn of(order: Order) -> Self {
        Self::new(grown(1, order), Options::default()).await
    }

    /// Every row of a list, page after page, and what its first page counted.
    async fn all(&self, path: &str) -> (Vec<Value>, Option<u64>) {
        let (mut rows, mut count, mut next) = (Vec::new(), None, Some(path.to_owned()));
        while let Some(path) = next {
            let answer = self.eventual(&path).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            let mut body = answer.json();
            count = count.or(body["@odata.count"].as_u64());
            next = body["@odata.nextLink"].as_str().map(ToOwned::to_owned);
            match body["value"].take() {
                Value::Array(page) => rows.extend(page),
                other => panic!("{path}: {other}"),
            }
        }
        (rows, count)
    }
}

/// Rows by id; none may come twice.
fn by_id(rows: Vec<Value>) -> BTreeMap<String, Value> {
    let many = rows.len();
    let found: BTreeMap<String, Value> = rows
        .into_iter()
        .map(|row| (row["id"].as_str().unwrap().to_owned(), row))
        .collect();
    assert_eq!(found.len(), many, "an id came twice");
    found
}
