//! Answers from computed rows: pages written property by property, and single objects.

use serde_json::Value;

use super::super::odata::select::{Expand, Keep, ObjectWriter, Projection, inner_of, push_json};
use super::row::Property;
use super::{List, Lists};

/// What a path leads to among the computed rows.
pub(in super::super) enum Computed<'a> {
    List(&'a List),
    One(Value),
    /// Something below a computed object, of which nothing is held.
    Below(String),
}

impl Lists {
    /// What is computed for a path; `None`: it is stored, if it is anywhere. A computed object is found by its id and a user by its
    /// name, not by `appId='..'` or below `/directoryObjects`.
    pub(in super::super) fn find(&self, path: &[String]) -> Option<Computed<'_>> {
        let mut parent = String::new();
        for (depth, segment) in path.iter().enumerate() {
            if let Some(list) = self.get(&parent)
                && let Some(index) = list.computed_by_id(segment)
            {
                let below = path.get(depth + 1..).unwrap_or_default();
                return Some(if below.is_empty() {
                    Computed::One(list.value(index))
                } else if let Some(value) = list.value_below(index, below) {
                    Computed::One(value)
                } else {
                    Computed::Below(segment.clone())
                });
            }
            parent.push('/');
            parent.push_str(&segment.to_ascii_lowercase());
        }
        self.get(&parent).map(Computed::List)
    }
}

/// Writes the rows of one list for one query.
pub(in super::super) struct RowWriter<'a> {
    list: &'a List,
    projection: Projection<'a>,
    kept: Vec<(&'static Property, Keep)>,
    expand: &'a [Expand],
}

impl<'a> RowWriter<'a> {
    fn new(list: &'a List, projection: Projection<'a>, expand: &'a [Expand]) -> Self {
        let kept = list.properties().iter().filter_map(|property| {
            match projection.keeps(projection.type_name, property.name) {
                Keep::No => None,
                keep => Some((property, keep)),
            }
        });
        Self {
            list,
            projection,
            kept: kept.collect(),
            expand,
        }
    }

    /// Writes a row. `expanded`: the relations of a stored row; computed rows have none.
    pub(in super::super) fn write<'q>(
        &self,
        out: &mut Vec<u8>,
        index: u32,
        expanded: impl Fn(&'a Value) -> Vec<(&'q str, Value)>,
    ) {
        let row = match self.list.stored_or_computed(index) {
            Ok(stored) => return self.projection.write(out, stored, None, &expanded(stored)),
            Err(row) => row,
        };
        let mut writer = ObjectWriter::new(out);
        for (property, keep) in &self.kept {
            match keep {
                Keep::No => {}
                Keep::All => (property.write)(&row, writer.start(property.name)),
                Keep::Inner(names) => {
                    let mut whole = Vec::new();
                    (property.write)(&row, &mut whole);
                    let whole = serde_json::from_slice(&whole).unwrap_or(Value::Null);
                    writer.field(property.name, &inner_of(&whole, names));
                }
            }
        }
        for expand in self.expand {
            let none = if expand.collection {
                Value::Array(Vec::new())
            } else {
                Value::Null
            };
            push_json(writer.start(&expand.name), &none);
        }
        writer.end();
    }
}

impl List {
    /// What writes rows of this list for a query.
    pub(in super::super) fn writer<'a>(
        &'a self,
        projection: Projection<'a>,
        expand: &'a [Expand],
    ) -> RowWriter<'a> {
        RowWriter::new(self, projection, expand)
    }
}
