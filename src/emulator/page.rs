//! Pages of a collection: sizes, opaque page tokens, and the trouble that faults make of them.
use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::Value;

use super::errors::Failure;
use super::faults::FaultKind;
use super::odata::select::{ObjectWriter, Projection, push_json};
use super::odata::{Query, compare};
use super::resolve::{Resolver, Row, Rows};

/// Where a page token leads.
#[derive(Debug, Clone)]
struct Place {
    /// Path and query without the token: a token of another list is refused.
    list: String,
    offset: usize,
}

/// The page tokens that were given out.
#[derive(Debug, Default)]
pub(super) struct Places {
    places: Mutex<HashMap<String, Place>>,
}

impl Places {
    /// A fresh token for the rows from `offset` on.
    fn token(&self, list: &str, offset: usize) -> String {
        let token = format!(
            "RFNwdAIAAQ{}{}",
            uuid::Uuid::new_v4().simple(),
            uuid::Uuid::new_v4().simple()
        );
        let place = Place {
            list: list.to_owned(),
            offset,
        };
        if let Ok(mut places) = self.places.lock() {
            places.insert(token.clone(), place);
        }
        token
    }

    fn offset(&self, token: &str, list: &str) -> Result<usize, Failure> {
        let place = self
            .places
            .lock()
            .ok()
            .and_then(|places| places.get(token).cloned());
        match place {
            Some(place) if place.list == list => Ok(place.offset),
            _ => Err(Failure::new("expiredPageToken", &[])),
        }
    }
}

/// What is needed to write a page.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) resolver: Resolver<'a>,
    pub(super) query: &'a Query,
    pub(super) projection: Projection<'a>,
    /// Segments of the collection without a cast: children of rows are looked up below it.
    pub(super) path: &'a [String],
    /// Scheme and host of the request.
    pub(super) origin: &'a str,
    /// Path as sent, with the version.
    pub(super) raw_path: &'a str,
    pub(super) context: String,
    /// Rows of a page at most; `None`: the list is not paged.
    pub(super) size: Option<usize>,
    /// `$expand` stops at 20.
    pub(super) limited_expand: bool,
    pub(super) fault: Option<&'a FaultKind>,
}

impl<'a> Page<'a> {
    /// Filters, sorts and cuts the rows, and writes the body of the page.
    ///
    /// # Errors
    /// 400 `Directory_ExpiredPageToken` for a page token that this list did not give out.
    pub(super) fn write(&self, rows: Rows<'a>, places: &Places) -> Result<Vec<u8>, Failure> {
        let list = format!("{}?{}", self.raw_path, self.query.without_token);
        let start = match &self.query.skip_token {
            Some(token) => places.offset(token, &list)?,
            None => self.query.skip,
        };
        let rows = self.chosen(rows);
        let size = self.size.unwrap_or(usize::MAX).max(1);
        let end = start.saturating_add(size).min(rows.len());
        let mut next = (end < rows.len()).then_some(end);
        let (mut from, mut to) = (start, end);
        match self.fault {
            Some(FaultKind::RepeatPage) => {
                from = start.saturating_sub(size);
                to = start.max(from);
                if start == 0 {
                    to = end;
                }
            }
            Some(FaultKind::EmptyPageWithNextLink) => {
                to = from;
                next = Some(start);
            }
            Some(FaultKind::DropRows(count)) => to = end.saturating_sub(*count).max(start),
            _ => {}
        }
        let mut out = Vec::with_capacity(256 * (to.saturating_sub(from) + 1));
        let mut body = ObjectWriter::new(&mut out);
        body.field("@odata.context", &Value::from(self.context.as_str()));
        if self.query.count && self.query.skip_token.is_none() {
            body.field("@odata.count", &Value::from(rows.len()));
        }
        if let Some(link) = self.next_link(&list, next, places) {
            body.field("@odata.nextLink", &Value::from(link));
        }
        if self.fault != Some(&FaultKind::MissingValue) {
            self.write_rows(body.start("value"), &rows, from..to);
        }
        body.end();
        Ok(out)
    }

    fn write_rows(&self, out: &mut Vec<u8>, rows: &Rows<'a>, range: std::ops::Range<usize>) {
        out.push(b'[');
        for (index, position) in range.enumerate() {
            let Some(row) = rows.get(position) else {
                break;
            };
            if index > 0 {
                out.push(b',');
            }
            self.write_row(out, &row);
        }
        out.push(b']');
    }

    fn write_row(&self, out: &mut Vec<u8>, row: &Row<'a>) {
        let expanded = self.resolver.expand(
            self.path,
            row.value,
            &self.query.expand,
            self.limited_expand,
        );
        self.projection
            .write(out, row.value, row.odata_type.as_deref(), &expanded);
    }

    /// Rows after `$filter` and `$orderby`.
    fn chosen(&self, rows: Rows<'a>) -> Rows<'a> {
        if self.query.filter.is_none() && self.query.order_by.is_empty() {
            return rows;
        }
        let mut rows = rows.into_vec();
        if let Some(filter) = &self.query.filter {
            rows.retain(|row| filter.matches(row.value));
        }
        if !self.query.order_by.is_empty() {
            rows.sort_by(|left, right| {
                let mut orders = self.query.order_by.iter().map(|(path, descending)| {
                    let order = compare(
                        super::odata::at(left.value, path),
                        super::odata::at(right.value, path),
                    );
                    if *descending { order.reverse() } else { order }
                });
                orders
                    .find(|order| order.is_ne())
                    .unwrap_or(std::cmp::Ordering::Equal)
            });
        }
        Rows::Picked(rows)
    }

    fn next_link(&self, list: &str, next: Option<usize>, places: &Places) -> Option<String> {
        match self.fault {
            Some(FaultKind::WrongHostNextLink(url)) => return Some(url.clone()),
            Some(FaultKind::LoopNextLink) => {
                let token = self
                    .query
                    .skip_token
                    .as_ref()
                    .map(|token| format!("$skiptoken={token}"));
                return Some(self.link(token.as_deref()));
            }
            _ => {}
        }
        let token = places.token(list, next?);
        Some(self.link(Some(&format!("$skiptoken={token}"))))
    }

    fn link(&self, token: Option<&str>) -> String {
        let query = &self.query.without_token;
        let parts: Vec<&str> = [Some(query.as_str()), token]
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
            .collect();
        let mark = if parts.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{}", self.origin, self.raw_path, parts.join("&"))
    }
}

/// The body of an empty collection.
pub(super) fn empty(context: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut body = ObjectWriter::new(&mut out);
    body.field("@odata.context", &Value::from(context));
    push_json(body.start("value"), &[(); 0]);
    body.end();
    out
}
