//! The bucket rules, on tasks that know nothing of Graph.
//!
//! The numbers in the comments are those of the published rules (README, "How the plan is made").

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use crate::rules::{Effort, Severity};

/// Within how many days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Horizon {
    /// 30.
    Days30,
    /// 60.
    Days60,
    /// 90.
    Days90,
}

impl Horizon {
    /// All of them, nearest first.
    pub const ALL: [Self; 3] = [Self::Days30, Self::Days60, Self::Days90];

    /// 30, 60 or 90.
    pub const fn days(self) -> u8 {
        match self {
            Self::Days30 => 30,
            Self::Days60 => 60,
            Self::Days90 => 90,
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Days30 => Self::Days60,
            Self::Days60 | Self::Days90 => Self::Days90,
        }
    }

    const fn previous(self) -> Self {
        match self {
            Self::Days30 | Self::Days60 => Self::Days30,
            Self::Days90 => Self::Days60,
        }
    }
}

/// Which part of the work a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// All of it.
    Do,
    /// Report-only, inventory, registration, announcement.
    Prepare,
    /// Switching it on.
    Enforce,
    /// Whether to buy the licence.
    Decide,
}

/// A finding as the schedule sees it.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    /// Rule id.
    pub id: &'a str,
    /// Severity of the finding.
    pub severity: Severity,
    /// Its risk score.
    pub score: u32,
    /// Effort in this tenant.
    pub effort: Effort,
    /// 0 nobody notices, 1 administrators, 2 many users, 3 work can stop.
    pub disruption: u8,
    /// Rule ids that come first, whether they fail or not.
    pub after: &'a [&'a str],
    /// The preparation is measured as done.
    pub prepared: bool,
    /// Stands in for a control that is not licensed.
    pub compensating: bool,
}

/// A task in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot<'a> {
    /// Rule id.
    pub id: &'a str,
    /// Do, prepare or enforce.
    pub part: Part,
    /// Its bucket.
    pub horizon: Horizon,
    /// Where the finding alone would have put it, before prerequisites moved it.
    pub own_horizon: Horizon,
    /// Belongs into the first week.
    pub this_week: bool,
    /// Prerequisites that are tasks themselves.
    pub after: Vec<&'a str>,
    /// Tasks that wait for this one.
    pub unlocks: Vec<&'a str>,
}

/// Puts every item into its buckets: in order of horizon, then in the order to follow.
///
/// Unknown ids in `after` (rules that do not fail) are met prerequisites. A cycle among prerequisites is cut at
/// its first member by id; the registry's tests forbid cycles.
pub fn schedule<'a>(items: &[Item<'a>]) -> Vec<Slot<'a>> {
    let graph = Graph::new(items);
    let order = graph.topological();
    let own: Vec<Horizon> = items.iter().map(own_horizon).collect();
    let pulled = graph.pull_forward(items, &own, &order);
    let placed = graph.push_back(items, &pulled, &order);
    let priority = graph.inherited_priority(items, &order);

    let mut slots = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let slot = |part, horizon| Slot {
            id: item.id,
            part,
            horizon,
            own_horizon: own[index],
            this_week: part == Part::Do && is_this_week(item, &graph.before[index]),
            after: graph.before[index]
                .iter()
                .map(|&other| items[other].id)
                .collect(),
            unlocks: graph.behind[index]
                .iter()
                .map(|&other| items[other].id)
                .collect(),
        };
        let Placed { first, last } = placed[index];
        if is_two_part(item) {
            slots.push((index, slot(Part::Prepare, first)));
            slots.push((index, slot(Part::Enforce, last)));
        } else {
            slots.push((index, slot(Part::Do, last)));
        }
    }
    in_order(&slots, items, &priority)
}

/// Rule 2.
fn own_horizon(item: &Item<'_>) -> Horizon {
    let gentle = item.disruption <= 1;
    let (short, medium) = (item.effort == Effort::S, item.effort <= Effort::M);
    let horizon = match item.severity {
        Severity::Critical => Horizon::Days30,
        Severity::High if medium && gentle => Horizon::Days30,
        Severity::Medium if short && gentle => Horizon::Days30,
        Severity::High => Horizon::Days60,
        Severity::Medium if medium && gentle => Horizon::Days60,
        _ => Horizon::Days90,
    };
    // Rule 6: what stands in for a missing licence is wanted now.
    if item.compensating {
        return Horizon::Days30;
    }
    // Rule 3: what users notice is not enforced before day 60, unless its preparation is measured as done.
    if is_two_part(item) {
        horizon.max(Horizon::Days60)
    } else {
        horizon
    }
}

fn is_two_part(item: &Item<'_>) -> bool {
    item.disruption >= 2 && !item.prepared && !item.compensating
}

/// Rule 1.
fn is_this_week(item: &Item<'_>, before: &BTreeSet<usize>) -> bool {
    item.severity == Severity::Critical
        && item.effort == Effort::S
        && item.disruption <= 1
        && before.is_empty()
}

#[derive(Debug, Clone, Copy)]
struct Placed {
    /// Where the preparation stands; the same as `last` for a task of one part.
    first: Horizon,
    last: Horizon,
}

/// Who waits for whom, by position.
struct Graph {
    before: Vec<BTreeSet<usize>>,
    behind: Vec<BTreeSet<usize>>,
}

impl Graph {
    fn new(items: &[Item<'_>]) -> Self {
        let position: BTreeMap<&str, usize> = items
            .iter()
            .enumerate()
            .map(|(index, item)| (item.id, index))
            .collect();
        let mut graph = Self {
            before: vec![BTreeSet::new(); items.len()],
            behind: vec![BTreeSet::new(); items.len()],
        };
        for (index, item) in items.iter().enumerate() {
            for &other in item
                .after
                .iter()
                .filter_map(|id| position.get(id))
                .filter(|&&other| other != index)
            {
                graph.before[index].insert(other);
                graph.behind[other].insert(index);
            }
        }
        graph
    }

    /// Prerequisites before what waits for them; ties by position.
    fn topological(&self) -> Vec<usize> {
        let mut waiting: Vec<usize> = self.before.iter().map(BTreeSet::len).collect();
        let mut ready: BTreeSet<usize> = (0..waiting.len())
            .filter(|&index| waiting[index] == 0)
            .collect();
        let mut done = BTreeSet::new();
        let mut order = Vec::with_capacity(waiting.len());
        while order.len() < waiting.len() {
            let next = ready
                .pop_first()
                .or_else(|| (0..waiting.len()).find(|index| !done.contains(index)));
            let Some(index) = next.filter(|&index| done.insert(index)) else {
                continue;
            };
            order.push(index);
            for &other in &self.behind[index] {
                waiting[other] = waiting[other].saturating_sub(1);
                if waiting[other] == 0 && !done.contains(&other) {
                    ready.insert(other);
                }
            }
        }
        order
    }

    /// Rule 4: a short, gentle prerequisite of something urgent becomes as urgent.
    fn pull_forward(&self, items: &[Item<'_>], own: &[Horizon], order: &[usize]) -> Vec<Horizon> {
        // What urgent work, directly or through others, waits for this one.
        let mut wanted: Vec<Option<Horizon>> = vec![None; items.len()];
        let mut pulled = own.to_vec();
        for &index in order.iter().rev() {
            let item = &items[index];
            for &other in &self.behind[index] {
                let urgent = items[other].severity >= Severity::High && items[other].disruption < 3;
                let own = urgent.then_some(own[other]);
                wanted[index] = [wanted[index], wanted[other], own]
                    .into_iter()
                    .flatten()
                    .min();
            }
            if let Some(wanted) = wanted[index]
                && item.effort <= Effort::M
                && item.disruption <= 1
            {
                pulled[index] = pulled[index].min(wanted);
            }
        }
        pulled
    }

    /// Rules 3 and 5: nothing stands before its prerequisites, work that can stop stands a bucket after them.
    fn push_back(&self, items: &[Item<'_>], pulled: &[Horizon], order: &[usize]) -> Vec<Placed> {
        let mut placed: Vec<Placed> = pulled
            .iter()
            .map(|&horizon| Placed {
                first: horizon,
                last: horizon,
            })
            .collect();
        for &index in order {
            let item = &items[index];
            let ready = self.before[index]
                .iter()
                .map(|&other| placed[other].last)
                .max();
            let mut last = pulled[index].max(ready.unwrap_or(Horizon::Days30));
            if let Some(ready) = ready
                && item.disruption >= 3
            {
                last = last.max(ready.next());
            }
            let mut first = last;
            if is_two_part(item) {
                first = last.previous().max(ready.unwrap_or(Horizon::Days30));
                if first == last {
                    last = last.next();
                }
            }
            placed[index] = Placed { first, last };
        }
        placed
    }

    /// The highest score among a task and everything that waits for it.
    fn inherited_priority(&self, items: &[Item<'_>], order: &[usize]) -> Vec<u32> {
        let mut priority: Vec<u32> = items.iter().map(|item| item.score).collect();
        for &index in order.iter().rev() {
            let inherited = self.behind[index]
                .iter()
                .map(|&other| priority[other])
                .max();
            priority[index] = priority[index].max(inherited.unwrap_or(0));
        }
        priority
    }
}

/// Rule 8: inside a bucket prerequisites first, then this week's, then by inherited priority, effort and id.
fn in_order<'a>(
    slots: &[(usize, Slot<'a>)],
    items: &[Item<'a>],
    priority: &[u32],
) -> Vec<Slot<'a>> {
    let mut ordered = Vec::with_capacity(slots.len());
    for horizon in Horizon::ALL {
        let bucket: Vec<&(usize, Slot<'a>)> = slots
            .iter()
            .filter(|(_, slot)| slot.horizon == horizon)
            .collect();
        // A task waits inside its bucket for every part of its prerequisites that is there too, and enforcing for preparing.
        let waits_for = |slot: &Slot<'a>, other: &Slot<'a>| {
            slot.after.contains(&other.id)
                || (slot.id == other.id
                    && slot.part == Part::Enforce
                    && other.part == Part::Prepare)
        };
        let mut waiting: Vec<usize> = bucket
            .iter()
            .map(|(_, slot)| {
                bucket
                    .iter()
                    .filter(|(_, other)| waits_for(slot, other))
                    .count()
            })
            .collect();
        let key = |place: usize| {
            let (index, slot) = bucket[place];
            (
                slot.this_week,
                priority[*index],
                Reverse(items[*index].effort),
                Reverse(slot.id),
                Reverse(slot.part),
                Reverse(place),
            )
        };
        let mut ready: BinaryHeap<_> = (0..bucket.len())
            .filter(|&place| waiting[place] == 0)
            .map(|place| (key(place), place))
            .collect();
        let mut left: BTreeSet<usize> = (0..bucket.len()).collect();
        while let Some(place) = ready
            .pop()
            .map(|(_, place)| place)
            .or_else(|| left.first().copied())
        {
            if !left.remove(&place) {
                continue;
            }
            let slot = &bucket[place].1;
            ordered.push(slot.clone());
            for other in 0..bucket.len() {
                if left.contains(&other) && waits_for(&bucket[other].1, slot) {
                    waiting[other] = waiting[other].saturating_sub(1);
                    if waiting[other] == 0 {
                        ready.push((key(other), other));
                    }
                }
            }
        }
    }
    ordered
}
