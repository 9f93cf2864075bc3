//! A list of which some rows are stored and the others computed, and finding those that a filter asks for without looking at all.
//!
//! A row has one index for its whole life: first the stored ones, then the computed ones. What is kept beside them is, for each
//! property by which the list can be cut, the indexes in the order of that property (4 bytes a row, made when first needed).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::errors::Failure;
use super::super::odata::Query;
use super::super::odata::conjunction::Limit;
use super::super::odata::filter::Filter;
use super::super::odata::select::ObjectWriter;
use super::super::tenant::key_of;
use super::Order;
use super::draw::Scatter;
use super::row::{Of, Property, Row, World};

/// A text property by which the list is kept in order.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) text: fn(&Row<'_>) -> String,
}

/// What distinguishes one list from another.
pub(super) struct Kind {
    /// Path without version, in lower case.
    pub(super) path: &'static str,
    pub(super) of: Of,
    pub(super) properties: &'static [Property],
    /// The first is the order of the list where it is asked to be in one.
    pub(super) keys: &'static [Key],
}

/// One list.
pub(in super::super) struct List {
    kind: &'static Kind,
    world: Arc<World>,
    order: Order,
    stored: Vec<Value>,
    by_id: HashMap<String, u32>,
    /// Computed rows.
    computed: u32,
    sorted: Vec<OnceLock<Sorted>>,
    picked: Mutex<Picks>,
}

/// Indexes in the order of a key; rows without it come first.
struct Sorted {
    rows: Vec<u32>,
    without: usize,
}

/// What filters other than ranges picked, the latest last.
#[derive(Default)]
struct Picks(Vec<(String, Arc<Vec<u32>>)>);

/// Indexes that are kept in picks at most: 8 MB.
const MOST_PICKED: usize = 2_000_000;

impl Picks {
    fn get(&mut self, filter: &str) -> Option<Arc<Vec<u32>>> {
        let at = self.0.iter().position(|(own, _)| own == filter)?;
        let found = self.0.remove(at);
        let rows = Arc::clone(&found.1);
        self.0.push(found);
        Some(rows)
    }

    fn keep(&mut self, filter: String, rows: &Arc<Vec<u32>>) {
        self.0.push((filter, Arc::clone(rows)));
        let size = |picks: &[(String, Arc<Vec<u32>>)]| {
            picks.iter().map(|(_, rows)| rows.len()).sum::<usize>()
        };
        while self.0.len() > 1 && size(&self.0) > MOST_PICKED {
            self.0.remove(0);
        }
    }
}

/// The rows that a query chose, in the order of the answer.
pub(in super::super) struct View<'a> {
    rows: Chosen<'a>,
    scatter: Option<Scatter>,
    backwards: bool,
}

enum Chosen<'a> {
    All(u32),
    Span(&'a [u32]),
    Picked(Arc<Vec<u32>>),
}

impl View<'_> {
    pub(in super::super) fn len(&self) -> usize {
        match &self.rows {
            Chosen::All(many) => *many as usize,
            Chosen::Span(rows) => rows.len(),
            Chosen::Picked(rows) => rows.len(),
        }
    }

    /// The index of the row at a position of the answer.
    pub(in super::super) fn at(&self, position: usize) -> Option<u32> {
        let position = if self.backwards {
            self.len().checked_sub(position + 1)?
        } else {
            position
        };
        let position = self
            .scatter
            .map_or(position, |scatter| scatter.at(position));
        match &self.rows {
            Chosen::All(many) => u32::try_from(position).ok().filter(|index| index < many),
            Chosen::Span(rows) => rows.get(position).copied(),
            Chosen::Picked(rows) => rows.get(position).copied(),
        }
    }
}

impl List {
    pub(super) fn new(
        kind: &'static Kind,
        world: Arc<World>,
        order: Order,
        stored: Vec<Value>,
        computed: u32,
    ) -> Self {
        let mut by_id = HashMap::with_capacity(stored.len());
        for (index, row) in (0..).zip(&stored) {
            if let Some(id) = key_of(row) {
                by_id.entry(id.to_ascii_lowercase()).or_insert(index);
            }
        }
        Self {
            kind,
            world,
            order,
            stored,
            by_id,
            computed,
            sorted: kind.keys.iter().map(|_| OnceLock::new()).collect(),
            picked: Mutex::default(),
        }
    }

    pub(in super::super) fn len(&self) -> u32 {
        u32::try_from(self.stored.len())
            .unwrap_or(u32::MAX)
            .saturating_add(self.computed)
    }

    /// A stored row, or the index that a computed one has among the computed.
    pub(super) fn stored_or_computed(&self, index: u32) -> Result<&Value, Row<'_>> {
        let first = u32::try_from(self.stored.len()).unwrap_or(u32::MAX);
        match self.stored.get(index as usize) {
            Some(row) => Ok(row),
            None => Err(self.world.row(self.kind.of, index.saturating_sub(first))),
        }
    }

    pub(super) fn properties(&self) -> &'static [Property] {
        self.kind.properties
    }

    /// The index of a computed row by its id or, for a user, by its name. Stored rows are found where they are stored.
    pub(super) fn computed_by_id(&self, id: &str) -> Option<u32> {
        let first = u32::try_from(self.stored.len()).ok()?;
        if id.contains('@') {
            let index = self.by_key("userPrincipalName", id);
            return index.filter(|index| *index >= first);
        }
        let index = self.unguid(id)?;
        (index < self.computed).then_some(index + first)
    }

    fn unguid(&self, id: &str) -> Option<u32> {
        if self.by_id.contains_key(&id.to_ascii_lowercase()) {
            return None;
        }
        let own = self.world.row(self.kind.of, 0).source;
        let guid = match self.kind.of {
            Of::Grants => {
                use base64::Engine as _;
                let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
                    .decode(id)
                    .ok()?;
                Uuid::from_slice(bytes.get(..16)?).ok()?
            }
            _ => Uuid::parse_str(id).ok()?,
        };
        let index = own.index_of(guid).filter(|index| *index < self.computed);
        match self.kind.of {
            Of::RiskyUsers => {
                let found =
                    |index: &u32| self.world.row(Of::RiskyUsers, *index).account_id() == guid;
                let account = self.world.row(Of::Users, 0).source.index_of(guid);
                index
                    .filter(found)
                    .or_else(|| account.map(|account| account / 20).filter(found))
            }
            Of::Grants => index.filter(|index| self.world.row(Of::Grants, *index).grant_id() == id),
            _ => index,
        }
    }

    fn by_key(&self, key: &str, text: &str) -> Option<u32> {
        let position = self.kind.keys.iter().position(|own| own.name == key)?;
        let span = self.span(position, &[Limit::Is(text.to_lowercase())]);
        span.first().copied()
    }

    /// A row as a whole.
    pub(super) fn value(&self, index: u32) -> Value {
        self.part(index, &|_| true)
    }

    /// A single answer below a computed row; `None`: nothing is computed there.
    pub(super) fn value_below(&self, index: u32, below: &[String]) -> Option<Value> {
        let [first, second] = below else { return None };
        let is_there = self.kind.path == "/users"
            && first.eq_ignore_ascii_case("authentication")
            && second.eq_ignore_ascii_case("requirements");
        let row = self.stored_or_computed(index).err().filter(|_| is_there)?;
        Some(json!({"perUserMfaState": row.per_user_mfa()}))
    }

    /// A row with the properties that `wanted` names; stored rows come whole.
    fn part(&self, index: u32, wanted: &dyn Fn(&str) -> bool) -> Value {
        let row = match self.stored_or_computed(index) {
            Ok(stored) => return stored.clone(),
            Err(row) => row,
        };
        let mut text = Vec::with_capacity(512);
        let mut writer = ObjectWriter::new(&mut text);
        for property in self.kind.properties {
            if wanted(property.name) {
                (property.write)(&row, writer.start(property.name));
            }
        }
        writer.end();
        serde_json::from_slice(&text).unwrap_or_else(|_| Value::Object(Map::new()))
    }

    /// The rows that a query asks for.
    ///
    /// # Errors
    /// 400 where the list cannot be sorted as asked.
    pub(in super::super) fn view(&self, query: &Query) -> Result<View<'_>, Failure> {
        let sorting = match query.order_by.as_slice() {
            [] => None,
            [(path, backwards)] => {
                let key = self.kind.keys.iter().position(|key| *path == [key.name]);
                let key = key.ok_or_else(|| {
                    Failure::unsupported("Sorting not supported for current query.")
                })?;
                Some((key, *backwards))
            }
            _ => {
                return Err(Failure::unsupported(
                    "Sorting not supported for current query.",
                ));
            }
        };
        let backwards = sorting.is_some_and(|(_, backwards)| backwards);
        let by_key = sorting
            .map(|(key, _)| key)
            .or_else(|| (self.order == Order::ByKey && !self.kind.keys.is_empty()).then_some(0));
        let rows = match &query.filter {
            None => match by_key {
                None => Chosen::All(self.len()),
                Some(key) => Chosen::Span(&self.sorted(key).rows),
            },
            Some(filter) => self.filtered(filter, sorting.map(|(key, _)| key)),
        };
        let scattered =
            self.order == Order::Hashed && sorting.is_none() && !matches!(rows, Chosen::Picked(_));
        let mut view = View {
            rows,
            scatter: None,
            backwards,
        };
        if scattered {
            view.scatter = Some(Scatter::new(
                view.len(),
                self.world.seed.of(self.kind.of as u64).0,
            ));
        }
        Ok(view)
    }

    /// `key`: the order that is asked for.
    fn filtered(&self, filter: &Filter, key: Option<usize>) -> Chosen<'_> {
        let keys = self.kind.keys.iter().enumerate();
        let narrowed = keys
            .filter(|(position, _)| key.is_none_or(|key| key == *position))
            .find_map(|(position, own)| {
                let (limits, whole) = filter.limits(own.name);
                (!limits.is_empty()).then(|| (self.span(position, &limits), whole))
            });
        if let Some((span, true)) = narrowed {
            return Chosen::Span(span);
        }
        let name = format!(
            "{}\u{0}{}",
            key.map_or("", |key| self.kind.keys.get(key).map_or("", |key| key.name)),
            filter.text
        );
        if let Some(found) = self.picks().get(&name) {
            return Chosen::Picked(found);
        }
        let candidates = match (narrowed, key) {
            (Some((span, _)), _) => Chosen::Span(span),
            (None, Some(key)) => Chosen::Span(&self.sorted(key).rows),
            (None, None) => Chosen::All(self.len()),
        };
        let mut candidates = View {
            rows: candidates,
            scatter: None,
            backwards: false,
        };
        if self.order == Order::Hashed && key.is_none() {
            candidates.scatter = Some(Scatter::new(candidates.len(), self.world.seed.0));
        }
        let wanted = |name: &str| filter.mentions(name);
        let fits = |index: &u32| filter.matches(&self.part(*index, &wanted));
        let found: Vec<u32> = (0..candidates.len())
            .filter_map(|position| candidates.at(position))
            .filter(fits)
            .collect();
        let found = Arc::new(found);
        self.picks().keep(name, &found);
        Chosen::Picked(found)
    }

    /// A panic elsewhere leaves nothing half done in the picks.
    fn picks(&self) -> std::sync::MutexGuard<'_, Picks> {
        self.picked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text of a row for a key, in lower case; `None`: null.
    fn text(&self, key: &Key, index: u32) -> Option<String> {
        match self.stored_or_computed(index) {
            Ok(stored) => Some(stored.get(key.name)?.as_str()?.to_lowercase()),
            Err(row) => Some((key.text)(&row).to_lowercase()),
        }
    }

    fn sorted(&self, key: usize) -> &Sorted {
        const NONE: &Sorted = &Sorted {
            rows: Vec::new(),
            without: 0,
        };
        let (Some(own), Some(cell)) = (self.kind.keys.get(key), self.sorted.get(key)) else {
            return NONE;
        };
        cell.get_or_init(|| {
            // The first 16 bytes decide nearly always, and cost no allocation; null comes before all of them.
            let mut rows: Vec<(Option<u128>, u32)> = (0..self.len())
                .map(|index| {
                    let head = self.text(own, index).map(|text| {
                        let mut head = [0; 16];
                        for (to, from) in head.iter_mut().zip(text.as_bytes()) {
                            *to = *from;
                        }
                        u128::from_be_bytes(head)
                    });
                    (head, index)
                })
                .collect();
            rows.sort_unstable_by(|left, right| {
                left.0
                    .cmp(&right.0)
                    .then_with(|| self.text(own, left.1).cmp(&self.text(own, right.1)))
                    .then(left.1.cmp(&right.1))
            });
            Sorted {
                without: rows.partition_point(|(head, _)| head.is_none()),
                rows: rows.into_iter().map(|(_, index)| index).collect(),
            }
        })
    }

    /// The part of an order that meets all limits.
    fn span(&self, key: usize, limits: &[Limit]) -> &[u32] {
        let Some(own) = self.kind.keys.get(key) else {
            return &[];
        };
        let sorted = self.sorted(key);
        let rows = sorted.rows.get(sorted.without..).unwrap_or_default();
        let before = |holds: &dyn Fn(&str) -> bool| {
            rows.partition_point(|index| holds(&self.text(own, *index).unwrap_or_default()))
        };
        let (mut from, mut to) = (0, rows.len());
        for limit in limits {
            let (start, end) = match limit {
                Limit::From(text) => (before(&|own| own < text.as_str()), rows.len()),
                Limit::Above(text) => (before(&|own| own <= text.as_str()), rows.len()),
                Limit::To(text) => (0, before(&|own| own <= text.as_str())),
                Limit::Below(text) => (0, before(&|own| own < text.as_str())),
                Limit::Is(text) => (
                    before(&|own| own < text.as_str()),
                    before(&|own| own <= text.as_str()),
                ),
                Limit::Prefix(text) => (
                    before(&|own| own < text.as_str()),
                    before(&|own| own < text.as_str() || own.starts_with(text.as_str())),
                ),
            };
            from = from.max(start);
            to = to.min(end);
        }
        rows.get(from..to.max(from)).unwrap_or_default()
    }

    /// Makes all orders, so that no request has to wait for one.
    pub(super) fn prepare(&self) {
        for key in 0..self.kind.keys.len() {
            self.sorted(key);
        }
    }
}
