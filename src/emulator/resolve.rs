//! From a request path to the data of the tenant: bodies that are there, and what follows from them (single objects by id, name or
//! `(appId='...')`, OData casts, transitive members).
use std::collections::BTreeSet;

use serde_json::Value;

use super::routes::{self, Version, cast_of};
use super::schema;
use super::tenant::{Absent, Body, List, TenantData, key_of};

/// Collections of directory objects with the type of their rows.
const DIRECTORY: &[(&str, &str)] = &[
    ("/users", "microsoft.graph.user"),
    ("/groups", "microsoft.graph.group"),
    ("/servicePrincipals", "microsoft.graph.servicePrincipal"),
    ("/applications", "microsoft.graph.application"),
    ("/devices", "microsoft.graph.device"),
    ("/directoryRoles", "microsoft.graph.directoryRole"),
    (
        "/directory/administrativeUnits",
        "microsoft.graph.administrativeUnit",
    ),
    ("/contacts", "microsoft.graph.orgContact"),
];

/// Relations that lead to directory objects of mixed types, in lower case.
pub(super) const RELATIONS: &[&str] = &[
    "members",
    "transitivemembers",
    "owners",
    "memberof",
    "transitivememberof",
    "sponsors",
];

/// One object of an answer.
#[derive(Debug, Clone)]
pub(super) struct Row<'a> {
    pub(super) value: &'a Value,
    /// `#microsoft.graph.user` in collections of mixed types.
    pub(super) odata_type: Option<String>,
}

impl<'a> Row<'a> {
    pub(super) fn plain(value: &'a Value) -> Self {
        Self {
            value,
            odata_type: None,
        }
    }
}

/// The rows of a collection, borrowed from the tenant.
#[derive(Debug)]
pub(super) enum Rows<'a> {
    Stored(&'a [Value]),
    Picked(Vec<Row<'a>>),
}

impl<'a> Rows<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Stored(rows) => rows.len(),
            Self::Picked(rows) => rows.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Row<'a>> {
        match self {
            Self::Stored(rows) => rows.get(index).map(Row::plain),
            Self::Picked(rows) => rows.get(index).cloned(),
        }
    }

    pub(super) fn into_vec(self) -> Vec<Row<'a>> {
        match self {
            Self::Stored(rows) => rows.iter().map(Row::plain).collect(),
            Self::Picked(rows) => rows,
        }
    }
}

/// What a path leads to.
#[derive(Debug)]
pub(super) enum Found<'a> {
    List(Rows<'a>),
    One(Row<'a>),
    /// The tenant holds nothing for this path: refused as if the application might not read it.
    NotHeld,
    /// The collection is held, the object is not in it.
    UnknownObject(String),
}

/// Looks into one tenant for one version of Graph.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolver<'a> {
    pub(super) tenant: &'a TenantData,
    pub(super) version: Version,
}

pub(super) fn joined(segments: &[String]) -> String {
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        path.push_str(segment);
    }
    path
}

impl<'a> Resolver<'a> {
    /// What the path leads to; `single`: the route answers one object.
    pub(super) fn find(&self, segments: &[String], single: bool) -> Found<'a> {
        let path = match self.with_ids(segments) {
            Ok(path) => path,
            Err(unknown) => return Found::UnknownObject(unknown),
        };
        if let Some(found) = self.held(&path) {
            return found;
        }
        self.absent(&path, single)
    }

    /// Replaces names of objects (`user@domain`, `appId='...'`) by their ids.
    fn with_ids(&self, segments: &[String]) -> Result<Vec<String>, String> {
        let mut path: Vec<String> = Vec::with_capacity(segments.len());
        for segment in segments {
            let parent = joined(&path);
            let by_key = segment
                .split_once("='")
                .and_then(|(name, rest)| Some((name, rest.strip_suffix('\'')?)));
            let by_name = match by_key {
                Some((name, value)) => Some((name, value)),
                None if segment.contains('@') && parent.eq_ignore_ascii_case("/users") => {
                    Some(("userPrincipalName", segment.as_str()))
                }
                None => None,
            };
            let (Some((name, value)), Some(list)) =
                (by_name, self.tenant.list(self.version, &parent))
            else {
                path.push(segment.clone());
                continue;
            };
            let row = list.rows.iter().find(|row| {
                row.get(name)
                    .and_then(Value::as_str)
                    .is_some_and(|found| found.eq_ignore_ascii_case(value))
            });
            match row.and_then(key_of) {
                Some(id) => path.push(id.to_owned()),
                None => return Err(value.to_owned()),
            }
        }
        Ok(path)
    }

    /// What is there or follows from what is there.
    pub(super) fn held(&self, path: &[String]) -> Option<Found<'a>> {
        match self.tenant.body(self.version, &joined(path)) {
            Some(Body::List(list)) => return Some(Found::List(self.listed(path, list))),
            Some(Body::One(value)) => return Some(Found::One(Row::plain(value))),
            None => {}
        }
        let (last, parent) = path.split_last()?;
        if let Some(type_name) = cast_of(last) {
            return match self.held(parent)? {
                Found::List(rows) => Some(Found::List(self.cast(rows, parent, &type_name))),
                other => Some(other),
            };
        }
        if let Some(rows) = self.computed(path) {
            return Some(Found::List(Rows::Picked(rows)));
        }
        if parent.len() == 1 && parent[0].eq_ignore_ascii_case("directoryObjects") {
            return Some(
                self.directory_object(last)
                    .map_or_else(|| Found::UnknownObject(last.clone()), Found::One),
            );
        }
        match self.held(parent)? {
            Found::List(rows) => {
                let row = match self.tenant.list(self.version, &joined(parent)) {
                    Some(list) => list.by_id(last).map(Row::plain),
                    None => rows.into_vec().into_iter().find(|row| {
                        key_of(row.value).is_some_and(|id| id.eq_ignore_ascii_case(last))
                    }),
                };
                Some(row.map_or_else(|| Found::UnknownObject(last.clone()), Found::One))
            }
            Found::One(row) => {
                let (_, value) = row
                    .value
                    .as_object()?
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(last))?;
                match value {
                    Value::Array(rows) => Some(Found::List(Rows::Stored(rows))),
                    Value::Object(_) => Some(Found::One(Row::plain(value))),
                    _ => None,
                }
            }
            Found::NotHeld => None,
            unknown @ Found::UnknownObject(_) => Some(unknown),
        }
    }

    /// Rows of a stored collection. Relations to directory objects show the object itself where the tenant has it.
    fn listed(&self, path: &[String], list: &'a List) -> Rows<'a> {
        let name = match path {
            [.., relation, cast] if cast_of(cast).is_some() => relation,
            [_, .., relation] => relation,
            _ => return Rows::Stored(&list.rows),
        };
        let name = name.to_ascii_lowercase();
        if path.len() < 3 || !RELATIONS.contains(&name.as_str()) {
            return Rows::Stored(&list.rows);
        }
        let rows = list.rows.iter().map(|row| self.object_of(row));
        if path.last().is_some_and(|last| cast_of(last).is_some()) {
            return Rows::Picked(rows.map(|row| Row::plain(row.value)).collect());
        }
        Rows::Picked(rows.collect())
    }

    /// The directory object that a row of a relation stands for, or the row.
    pub(super) fn object_of(&self, row: &'a Value) -> Row<'a> {
        key_of(row)
            .and_then(|id| self.directory_object(id))
            .unwrap_or_else(|| Row::plain(row))
    }

    pub(super) fn directory_object(&self, id: &str) -> Option<Row<'a>> {
        DIRECTORY.iter().find_map(|(path, type_name)| {
            let value = self.tenant.list(self.version, path)?.by_id(id)?;
            let own = value.get("@odata.type").and_then(Value::as_str);
            Some(Row {
                value,
                odata_type: own.is_none().then(|| format!("#{type_name}")),
            })
        })
    }

    /// Rows of one type; in the answer they carry no `@odata.type`.
    fn cast(&self, rows: Rows<'a>, parent: &[String], type_name: &str) -> Rows<'a> {
        let declared = routes::find(self.version, parent)
            .map(|found| found.type_name)
            .unwrap_or_default();
        let picked = rows
            .into_vec()
            .into_iter()
            .filter(|row| {
                let own = row
                    .odata_type
                    .as_deref()
                    .or_else(|| row.value.get("@odata.type").and_then(Value::as_str))
                    .map_or(declared.as_str(), |own| own.trim_start_matches('#'));
                schema::is_a(own, type_name)
            })
            .map(|row| Row::plain(row.value))
            .collect();
        Rows::Picked(picked)
    }

    /// `transitiveMembers`, `memberOf` and `transitiveMemberOf`, from the `members` of groups and roles; `appRoleAssignments`, from
    /// the `appRoleAssignedTo` of all resources.
    fn computed(&self, path: &[String]) -> Option<Vec<Row<'a>>> {
        let [collection, id, relation] = path else {
            return None;
        };
        let known = self
            .tenant
            .list(self.version, &format!("/{collection}"))?
            .by_id(id)
            .is_some();
        let group = collection.eq_ignore_ascii_case("groups");
        match relation.to_ascii_lowercase().as_str() {
            "transitivemembers" if known && group => self.transitive_members(id),
            "memberof" if known => Some(self.member_of(&[id.to_ascii_lowercase()])),
            "approleassignments" if known => Some(self.granted_to(id)),
            "transitivememberof" if known => {
                let mut of = Vec::new();
                let mut asked = BTreeSet::from([id.to_ascii_lowercase()]);
                let mut open = vec![id.to_ascii_lowercase()];
                while !open.is_empty() {
                    let found = self.member_of(&open);
                    open.clear();
                    for row in found {
                        let id = key_of(row.value).unwrap_or_default().to_ascii_lowercase();
                        if asked.insert(id.clone()) {
                            open.push(id);
                            of.push(row);
                        }
                    }
                }
                Some(of)
            }
            _ => None,
        }
    }

    /// All members of a group and of the groups in it, each once. `None`: the members of the group itself are not held.
    fn transitive_members(&self, group: &str) -> Option<Vec<Row<'a>>> {
        let members = |id: &str| {
            self.tenant
                .list(self.version, &format!("/groups/{id}/members"))
        };
        members(group)?;
        let mut seen = BTreeSet::from([group.to_ascii_lowercase()]);
        let mut open = vec![group.to_ascii_lowercase()];
        let mut found = Vec::new();
        while let Some(id) = open.pop() {
            for member in members(&id)
                .map(|list| list.rows.as_slice())
                .unwrap_or_default()
            {
                let row = self.object_of(member);
                let Some(id) = key_of(row.value).map(str::to_ascii_lowercase) else {
                    continue;
                };
                if seen.insert(id.clone()) {
                    open.push(id);
                    found.push(row);
                }
            }
        }
        Some(found)
    }

    /// What a principal was granted on any resource.
    fn granted_to(&self, principal: &str) -> Vec<Row<'a>> {
        let of = |row: &&Value| {
            let id = row.get("principalId").and_then(Value::as_str);
            id.is_some_and(|id| id.eq_ignore_ascii_case(principal))
        };
        let lists = self
            .tenant
            .children("/serviceprincipals", "approleassignedto");
        lists
            .flat_map(|(_, list)| list.rows.iter().filter(of).map(Row::plain))
            .collect()
    }

    /// Groups, roles and units with one of these members.
    fn member_of(&self, ids: &[String]) -> Vec<Row<'a>> {
        let mut found = Vec::new();
        for start in [
            "/groups",
            "/directoryroles",
            "/directory/administrativeunits",
        ] {
            for (parent, list) in self.tenant.children(start, "members") {
                if ids.iter().any(|id| list.by_id(id).is_some())
                    && let Some(row) = self.directory_object(parent)
                {
                    found.push(row);
                }
            }
        }
        found
    }

    /// The answer for a path below an object of which nothing more is held.
    pub(super) fn below(&self, id: String, single: bool) -> Found<'a> {
        match self.tenant.profile.absent {
            Absent::Forbidden => Found::NotHeld,
            Absent::Empty if single => Found::UnknownObject(id),
            Absent::Empty => Found::List(Rows::Picked(Vec::new())),
        }
    }

    /// The answer for a path without data.
    fn absent(&self, path: &[String], single: bool) -> Found<'a> {
        for length in (1..path.len()).rev() {
            let (parent, id) = (&path[..length], &path[length]);
            let Some(list) = self.tenant.list(self.version, &joined(parent)) else {
                continue;
            };
            let Some(object) = list.by_id(id) else {
                return Found::UnknownObject(id.clone());
            };
            if self.tenant.profile.absent == Absent::Forbidden || length + 1 == path.len() {
                return Found::NotHeld;
            }
            // Documented: a managed domain answers 404.
            let managed = path
                .last()
                .is_some_and(|last| last == "federationConfiguration")
                && object.get("authenticationType").and_then(Value::as_str) != Some("Federated");
            return if single || managed {
                Found::UnknownObject(id.clone())
            } else {
                Found::List(Rows::Picked(Vec::new()))
            };
        }
        Found::NotHeld
    }
}
