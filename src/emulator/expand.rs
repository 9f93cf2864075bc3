//! `$expand`: the objects that the relations of a row lead to, each as its own options ask for it.
use serde_json::{Map, Value};

use super::odata::select::{Expand, Projection};
use super::resolve::{Found, Resolver, Row, joined};
use super::routes;
use super::schema;
use super::tenant::{Body, key_of};

/// `$expand` on directory objects stops here, without a nextLink.
const EXPAND_LIMIT: usize = 20;

impl<'a> Resolver<'a> {
    /// The values of the expanded relations of a row. `path`: where the row lives, without a cast; empty if not known.
    pub(super) fn expand<'q>(
        &self,
        path: &[String],
        row: &'a Value,
        expands: &'q [Expand],
        limited: bool,
    ) -> Vec<(&'q str, Value)> {
        expands
            .iter()
            .map(|expand| {
                (
                    expand.name.as_str(),
                    self.relation(path, row, expand, limited),
                )
            })
            .collect()
    }

    fn relation(&self, path: &[String], row: &'a Value, expand: &Expand, limited: bool) -> Value {
        let home = match (path.is_empty(), key_of(row)) {
            (false, Some(id)) => {
                let mut home = path.to_vec();
                home.push(id.to_owned());
                home
            }
            _ => Vec::new(),
        };
        let embedded = row.get(&expand.name);
        if expand.collection || embedded.is_some_and(Value::is_array) {
            let rows = match embedded {
                Some(Value::Array(rows)) => rows
                    .iter()
                    .map(|row| self.object_like(row, expand))
                    .collect(),
                _ if home.is_empty() => Vec::new(),
                _ => {
                    let mut child = home.clone();
                    child.push(expand.name.clone());
                    match self.held(&child) {
                        Some(Found::List(rows)) => rows.into_vec(),
                        _ => Vec::new(),
                    }
                }
            };
            let limit = if limited { EXPAND_LIMIT } else { usize::MAX };
            let mut child = home;
            child.push(expand.name.clone());
            let values = rows
                .into_iter()
                .take(limit)
                .map(|row| self.project(&child, &row, expand));
            return Value::Array(values.collect());
        }
        let found = match embedded {
            Some(value @ Value::Object(_)) => Some((Row::plain(value), Vec::new())),
            _ => self.referenced(&home, row, expand),
        };
        found.map_or(Value::Null, |(row, home)| self.project(&home, &row, expand))
    }

    /// An embedded row that is only `{id}` of a directory object shows that object.
    fn object_like(&self, row: &'a Value, expand: &Expand) -> Row<'a> {
        let bare = row
            .as_object()
            .is_some_and(|object| object.keys().all(|key| key == "id" || key == "@odata.type"));
        if bare && schema::is_a(&expand.type_name, "microsoft.graph.directoryObject") {
            self.object_of(row)
        } else {
            Row::plain(row)
        }
    }

    /// A single-valued relation: a body of its own below the row, or the object that `{name}Id` names. With where it lives.
    fn referenced(
        &self,
        home: &[String],
        row: &'a Value,
        expand: &Expand,
    ) -> Option<(Row<'a>, Vec<String>)> {
        if !home.is_empty() {
            let mut child = home.to_vec();
            child.push(expand.name.clone());
            if let Some(Body::One(value)) = self.tenant.body(self.version, &joined(&child)) {
                return Some((Row::plain(value), Vec::new()));
            }
        }
        let id = row.get(format!("{}Id", expand.name))?.as_str()?;
        if expand.type_name == "microsoft.graph.directoryObject" {
            return self.directory_object(id).map(|row| (row, Vec::new()));
        }
        let collection = routes::home_of(&expand.type_name)?;
        let value = self.tenant.list(self.version, &collection)?.by_id(id)?;
        let path = collection
            .split('/')
            .skip(1)
            .map(ToOwned::to_owned)
            .collect();
        Some((Row::plain(value), path))
    }

    fn project(&self, path: &[String], row: &Row<'a>, expand: &Expand) -> Value {
        let path: Vec<String> = if path.is_empty() && !expand.below.is_empty() {
            routes::home_of(&expand.type_name)
                .map(|home| home.split('/').skip(1).map(ToOwned::to_owned).collect())
                .unwrap_or_default()
        } else {
            path.to_vec()
        };
        let expanded = self.expand(&path, row.value, &expand.below, false);
        let projection = Projection {
            version: self.version,
            type_name: &expand.type_name,
            select: expand.select.as_deref(),
            listed: true,
        };
        let mut out = Vec::new();
        projection.write(&mut out, row.value, row.odata_type.as_deref(), &expanded);
        serde_json::from_slice(&out).unwrap_or_else(|_| Value::Object(Map::new()))
    }
}
