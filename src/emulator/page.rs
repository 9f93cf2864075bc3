//! Pages of a collection: sizes, opaque page tokens, and the trouble that faults make of them.
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::errors::Failure;
use super::faults::FaultKind;
use super::odata::select::{ObjectWriter, Projection, push_json};
use super::odata::{Query, compare};
use super::resolve::{Resolver, Row, Rows};
use super::synthetic::{List, View};

/// Page tokens. A token carries its place itself, sealed, so that a million pages cost no memory.
#[derive(Debug)]
pub(super) struct Places {
    key: uuid::Uuid,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            key: uuid::Uuid::new_v4(),
        }
    }
}

/// What each token begins with; the rest looks like nothing.
const TOKEN: &str = "RFNwdAIAAQ";

impl Places {
    /// A token for the rows from `offset` on. `list`: path and query without the token, as a token of another list is refused.
    fn token(&self, list: &str, offset: usize) -> String {
        let seal = self.seal(list, offset);
        let hidden = offset as u64 ^ self.mask(seal);
        format!("{TOKEN}{seal:032x}{hidden:016x}")
    }

    fn offset(&self, token: &str, list: &str) -> Result<usize, Failure> {
        let place = || {
            let sealed = token.strip_prefix(TOKEN)?;
            let seal = u128::from_str_radix(sealed.get(..32)?, 16).ok()?;
            let hidden = u64::from_str_radix(sealed.get(32..)?, 16).ok()?;
            let offset = usize::try_from(hidden ^ self.mask(seal)).ok()?;
            (self.seal(list, offset) == seal).then_some(offset)
        };
        place().ok_or_else(|| Failure::new("expiredPageToken", &[]))
    }

    fn seal(&self, list: &str, offset: usize) -> u128 {
        let mut hash = Sha256::new();
        hash.update(self.key.as_bytes());
        hash.update((offset as u64).to_be_bytes());
        hash.update(list.as_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        let (half, _) = digest.split_at(16);
        u128::from_be_bytes(half.try_into().unwrap_or_default())
    }

    fn mask(&self, seal: u128) -> u64 {
        let mixed = (seal ^ self.key.as_u128()).to_be_bytes();
        let digest: [u8; 32] = Sha256::digest(mixed).into();
        let (eighth, _) = digest.split_at(8);
        u64::from_be_bytes(eighth.try_into().unwrap_or_default())
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
        let rows = self.chosen(rows);
        self.write_with(rows.len(), places, |out, position| {
            if let Some(row) = rows.get(position) {
                self.write_row(out, &row);
            }
        })
    }

    /// The same for a computed list.
    ///
    /// # Errors
    /// 400 `Directory_ExpiredPageToken` for a page token that this list did not give out.
    pub(super) fn write_view(
        &self,
        list: &'a List,
        view: &View<'_>,
        places: &Places,
    ) -> Result<Vec<u8>, Failure> {
        let writer = list.writer(self.projection, &self.query.expand);
        self.write_with(view.len(), places, |out, position| {
            if let Some(index) = view.at(position) {
                writer.write(out, index, |stored| {
                    let (path, limited) = (self.path, self.limited_expand);
                    self.resolver
                        .expand(path, stored, &self.query.expand, limited)
                });
            }
        })
    }

    /// The same for `total` rows that are already chosen and in order: `write` writes the one at a position below `total`.
    ///
    /// # Errors
    /// 400 `Directory_ExpiredPageToken` for a page token that this list did not give out.
    fn write_with(
        &self,
        total: usize,
        places: &Places,
        write: impl Fn(&mut Vec<u8>, usize),
    ) -> Result<Vec<u8>, Failure> {
        let list = format!("{}?{}", self.raw_path, self.query.without_token);
        let start = match &self.query.skip_token {
            Some(token) => places.offset(token, &list)?,
            None => self.query.skip,
        };
        let size = self.size.unwrap_or(usize::MAX).max(1);
        let end = start.saturating_add(size).min(total);
        let mut next = (end < total).then_some(end);
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
            body.field("@odata.count", &Value::from(total));
        }
        if let Some(link) = self.next_link(&list, next, places) {
            body.field("@odata.nextLink", &Value::from(link));
        }
        if self.fault != Some(&FaultKind::MissingValue) {
            let out = body.start("value");
            out.push(b'[');
            for (index, position) in (from..to.min(total)).enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(out, position);
            }
            out.push(b']');
        }
        body.end();
        Ok(out)
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
