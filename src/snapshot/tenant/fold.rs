//! How a row is taken in: read as its type, and counted once however often it comes.

use std::hash::{BuildHasher, Hash};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::ById;
use crate::json;
use crate::snapshot::{Guid, Resource};

/// Whether a row was there before. A shard that is read again after its token broke sends rows that are held already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// It was not: the row is held now.
    New,
    /// It was: nothing has changed.
    Known,
}

/// A row that does not read as its type.
#[derive(Debug, thiserror::Error)]
#[error("a row of {resource} cannot be read: {path}: {message}")]
pub struct RowError {
    /// Which list.
    pub resource: Resource,
    /// Where in the row.
    pub path: String,
    /// What is wrong; names types and positions, never values.
    pub message: String,
}

/// Why a row does not read.
pub(crate) struct Bad {
    path: String,
    message: String,
}

impl Bad {
    pub(super) fn new(path: &str, message: &str) -> Self {
        Self {
            path: path.to_owned(),
            message: message.to_owned(),
        }
    }

    pub(super) fn too_many() -> Self {
        Self::new("id", "more rows than this version can hold")
    }

    pub(super) fn at(self, resource: Resource) -> RowError {
        RowError {
            resource,
            path: self.path,
            message: self.message,
        }
    }
}

/// What is known of a row besides its text.
pub(super) struct Arrival<'a> {
    /// The object that it belongs to, in a list by object.
    pub(super) subject: Option<Guid>,
    /// The rows of this list that came before it.
    pub(super) seen: &'a mut Seen,
}

/// Rows that have come, for lists that keep no table of their ids: eight bytes for each, given back when the list ends.
///
/// Two ids share a keyed hash of 64 bits once in 10^19 pairs: for a list of a million rows once in forty million runs. The row that is then
/// taken for a repeated one makes the list shorter than Graph said that it is, which is `partial` and never a pass.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    hashes: HashTable<u64>,
    key: foldhash::quality::RandomState,
}

impl Seen {
    /// Notes what tells a row from all others of its list.
    pub(super) fn note(&mut self, key: impl Hash) -> Fold {
        let hash = self.key.hash_one(key);
        match self
            .hashes
            .entry(hash, |&known| known == hash, |&known| known)
        {
            Entry::Occupied(_) => Fold::Known,
            Entry::Vacant(place) => {
                place.insert(hash);
                Fold::New
            }
        }
    }
}

/// Reads a row as its type.
pub(super) fn parse<'a, T: Deserialize<'a>>(row: &'a RawValue) -> Result<T, Bad> {
    serde_json::from_str(row.get()).map_err(|error| bad(row, &error))
}

/// Where and how a row does not read. The parser's message may quote the value, so only its kind is kept.
#[cold]
#[inline(never)]
fn bad(row: &RawValue, error: &serde_json::Error) -> Bad {
    Bad {
        path: json::place(row.get(), error),
        message: kind_of(error),
    }
}

fn kind_of(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Data => "not of the expected type",
        serde_json::error::Category::Syntax => "not JSON",
        serde_json::error::Category::Eof => "cut short",
        serde_json::error::Category::Io => "cannot be read",
    };
    format!("{kind} (column {})", error.column())
}

/// A row's `id` as it is written, whatever its type; most short lists have one.
#[derive(Deserialize)]
struct Id<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
}

impl Arrival<'_> {
    /// Whether the row is new by its `id`; without one every row is.
    pub(super) fn note(&mut self, row: &RawValue) -> Result<Fold, Bad> {
        let Id { id } = parse(row)?;
        Ok(id.map_or(Fold::New, |id| self.seen.note((self.subject, id.get()))))
    }

    /// Whether a row is new that something else than an `id` tells from the others; where it lacks that, it is.
    pub(super) fn note_key(&mut self, key: Option<impl Hash>) -> Fold {
        key.map_or(Fold::New, |key| self.seen.note((self.subject, key)))
    }

    /// The object that a row of a list by object must name.
    pub(super) fn subject(&self) -> Result<Guid, Bad> {
        self.subject
            .ok_or_else(|| Bad::new(".", "names no object that it belongs to"))
    }
}

/// Keeps a row of a short list as it came.
pub(super) fn push<T: for<'a> Deserialize<'a>>(
    rows: &mut Vec<T>,
    mut arrival: Arrival<'_>,
    row: &RawValue,
) -> Result<Fold, Bad> {
    let parsed = parse(row)?;
    let fold = arrival.note(row)?;
    if fold == Fold::New {
        rows.push(parsed);
    }
    Ok(fold)
}

/// Keeps a row of a list by object as it came.
pub(super) fn push_by_id<T: for<'a> Deserialize<'a>>(
    rows: &mut ById<T>,
    arrival: Arrival<'_>,
    row: &RawValue,
) -> Result<Fold, Bad> {
    push(rows.entry(arrival.subject()?).or_default(), arrival, row)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::snapshot::Tenant;

    const ONE: &str = "00000000-0000-4000-8000-000000000001";

    /// Every row twice, the second time after another one: as when a shard is read again.
    #[test]
    fn a_row_that_comes_twice_counts_once() {
        let (a, b) = (Guid::new(1), Guid::new(2));
        let other = "00000000-0000-4000-8000-000000000002";
        for (resource, subjects, key) in [
            (Resource::Users, [None, None], "id"),
            (Resource::SignInActivity, [None, None], "id"),
            (Resource::RegistrationDetails, [None, None], "id"),
            (Resource::ServicePrincipals, [None, None], "id"),
            (Resource::ManagedDevices, [None, None], "id"),
            (Resource::OAuth2PermissionGrants, [None, None], "id"),
            (Resource::RiskyUsers, [None, None], "id"),
            (Resource::Applications, [None, None], "id"),
            (Resource::Alerts, [None, None], "id"),
            (Resource::GroupTransitiveMembers, [Some(a), Some(a)], "id"),
            (Resource::ApplicationOwners, [Some(a), Some(a)], "id"),
        ] {
            let mut tenant = Tenant::default();
            let mut fold = |subject, id: &str| {
                let row = serde_json::value::to_raw_value(&json!({key: id})).unwrap();
                tenant.fold(resource, subject, &row).unwrap()
            };
            let [first, second] = subjects;
            assert_eq!(fold(first, ONE), Fold::New, "{resource}");
            assert_eq!(fold(second, other), Fold::New, "{resource}");
            assert_eq!(fold(first, ONE), Fold::Known, "{resource}");
            let mut counted = 2;
            if resource.is_per_object() {
                assert_eq!(
                    fold(Some(b), ONE),
                    Fold::New,
                    "{resource}: of another object"
                );
                counted += 1;
            }
            assert_eq!(tenant.state(resource).1, counted, "{resource}");
        }
    }

    #[test]
    fn rows_without_an_id_are_all_new() {
        let mut tenant = Tenant::default();
        for (resource, row) in [
            (Resource::SharePointSettings, json!({"isLoopEnabled": true})),
            (Resource::EmailActivity, json!({"userPrincipalName": ""})),
            (Resource::CrossTenantAccessPartners, json!({})),
        ] {
            let row = serde_json::value::to_raw_value(&row).unwrap();
            for _ in 0..2 {
                let fold = tenant.fold(resource, None, &row);
                assert_eq!(fold.unwrap(), Fold::New, "{resource}");
            }
            assert_eq!(tenant.state(resource).1, 2, "{resource}");
        }
    }

    #[test]
    fn where_rows_have_no_id_their_key_tells_them_apart() {
        for (resource, key) in [
            (Resource::CrossTenantAccessPartners, "tenantId"),
            (Resource::EmailActivity, "userPrincipalName"),
        ] {
            let mut tenant = Tenant::default();
            let other = "00000000-0000-4000-8000-000000000002";
            let mut fold = |value: &str| {
                let row = serde_json::value::to_raw_value(&json!({key: value})).unwrap();
                tenant.fold(resource, None, &row).unwrap()
            };
            let folds = [fold(ONE), fold(other), fold(ONE)];
            assert_eq!(folds, [Fold::New, Fold::New, Fold::Known], "{resource}");
            assert_eq!(tenant.state(resource).1, 2, "{resource}");
        }
    }

    /// Also where a value is read by hand, and where it comes last: then the parser could be past it before the error is known.
    #[test]
    fn a_row_that_does_not_read_says_where() {
        for (resource, row, place) in [
            (
                Resource::EmailActivity,
                r#"{"userPrincipalName": "a", "sendCount": "many"}"#,
                "sendCount",
            ),
            (
                Resource::IosManagedAppProtectionsBeta,
                r#"{"id": "a", "periodOnlineBeforeAccessCheck": "P1M"}"#,
                "periodOnlineBeforeAccessCheck",
            ),
            (
                Resource::ConditionalAccessPolicies,
                r#"{"conditions": {"users": {"includeUsers": ["All", 7]}}}"#,
                "conditions.users.includeUsers[1]",
            ),
            // Nothing is taken by its position.
            (Resource::Alerts, r#"["a", "b"]"#, "[0]"),
        ] {
            let row = RawValue::from_string(row.to_owned()).unwrap();
            let error = Tenant::default().fold(resource, None, &row).unwrap_err();
            assert_eq!(error.path, place, "{resource}");
        }
    }

    #[test]
    fn a_row_that_does_not_read_leaves_no_trace() {
        let mut tenant = Tenant::default();
        let row = |value| serde_json::value::to_raw_value(&value).unwrap();
        let bad = row(json!({"id": ONE, "displayName": 7}));
        for resource in [Resource::Users, Resource::Applications] {
            let error = tenant.fold(resource, None, &bad).unwrap_err();
            assert_eq!(error.path, "displayName");
            assert_eq!(tenant.state(resource).1, 0);
            let good = row(json!({"id": ONE, "displayName": "x"}));
            assert_eq!(tenant.fold(resource, None, &good).unwrap(), Fold::New);
        }
    }
}
