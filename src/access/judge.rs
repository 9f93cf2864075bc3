//! A guarantee as rules need it: who is asked about, who is open, for whom it cannot be told, and in short why.
//!
//! Unlike [`Analyzer::prove`], a judgement does not weigh which lists were read to their end: a rule declares what it reads, and the
//! engine keeps what was not read from becoming a pass. What was not read and matters to somebody shows in the judgement all the
//! same: that account is neither proved nor open.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::analyzer::{Analyzer, Answer, BUDGET, Verdict};
use super::bits::Bits;
use super::crowd::{Crowd, Untold};
use super::guarantee::{Guarantee, Who};
use super::near::{Nearness, Walls};
use super::policy::Reading;
use super::search::{Found, open_sign_ins};
use super::subjects::ExternalKind;
use crate::snapshot::tenant::User;
use crate::snapshot::{Guid, Untrusted};

/// How many values of a dimension are named in a detail.
const NAMED: usize = 4;
/// How many policies are.
const POLICIES: usize = 2;

/// A guarantee judged.
pub struct Judgement<'j, 'a> {
    /// Whether it holds.
    pub verdict: Verdict,
    /// Accounts that were judged: all that are asked about but those of whom it cannot be told.
    pub judged: u64,
    /// Accounts of whom it cannot be told.
    pub unknown: u64,
    /// Kinds of people without an account that were asked about.
    pub kinds: BTreeSet<ExternalKind>,
    /// Those of them that are open, with the number of what is.
    pub open_kinds: BTreeMap<ExternalKind, u32>,
    /// Those of whom it cannot be told.
    pub unknown_kinds: BTreeSet<ExternalKind>,
    /// Accounts that are left out and would be asked about.
    pub apart: u64,
    /// Those of them of whom it is not proved.
    pub apart_open: u64,
    /// What is not known, in words.
    pub untold: Vec<String>,
    walls: Walls,
    analyzer: &'j Analyzer<'a>,
    guarantee: &'j Guarantee,
    answer: Answer,
    numbers: Numbers,
    details: RefCell<HashMap<u32, String>>,
}

/// Of each part of the crowd, the first gap that is open to it.
#[derive(Debug, Default)]
struct Numbers {
    surely: Vec<Option<u32>>,
    perhaps: Vec<Option<u32>>,
}

impl Numbers {
    fn open(&self, part: usize) -> Option<u32> {
        self.surely.get(part).copied().flatten()
    }

    fn is_unknown(&self, part: usize) -> bool {
        self.open(part).is_none() && self.perhaps.get(part).copied().flatten().is_some()
    }
}

impl<'a> Analyzer<'a> {
    /// Judges a guarantee. `apart` are accounts that are left out, and counted apart.
    pub fn judge<'j>(
        &'j self,
        guarantee: &'j Guarantee,
        apart: &BTreeSet<Guid>,
    ) -> Judgement<'j, 'a> {
        let (people, users) = (&self.space.people, self.tenant.users.hints());
        let mut untold = Vec::new();
        let crowd = match self.crowd(guarantee, apart) {
            Ok(crowd) => crowd,
            Err(Untold(why)) => {
                untold.push(why);
                Crowd::nobody()
            }
        };
        untold.extend(crowd.not_told.clone());
        let mut budget = BUDGET;
        let mut search =
            |reading| open_sign_ins(&self.space, guarantee, &crowd, reading, &mut budget);
        let must = search(Reading::Must);
        let may = if must.gaps.is_empty() {
            Found::default()
        } else {
            search(Reading::May)
        };
        let spent = must.spent || may.spent;
        let numbers = Numbers {
            surely: crowd.first_of(&by_state(&may)),
            perhaps: crowd.first_of(&by_state(&must)),
        };
        let verdict = if !may.gaps.is_empty() {
            Verdict::Violated
        } else if spent {
            Verdict::Unknown
        } else if !untold.is_empty() || !must.gaps.is_empty() {
            Verdict::Depends
        } else if must.vacuous {
            Verdict::Vacuous
        } else {
            Verdict::Proved
        };
        if verdict == Verdict::Depends {
            untold.extend(self.undecided(guarantee, &must.gaps));
        }
        if spent {
            untold.push("the question took more steps than it may".to_owned());
        }
        let kinds = crowd.kinds();
        let open_kinds = crowd.first_by_kind(&by_state(&may));
        let unknown_kinds = crowd
            .first_by_kind(&by_state(&must))
            .into_keys()
            .filter(|kind| !open_kinds.contains_key(kind))
            .collect();
        let unknown = crowd
            .members(people, users)
            .filter(|&(_, part)| numbers.is_unknown(part))
            .count() as u64;
        let (apart, apart_open) = self.look_apart(guarantee, apart);
        Judgement {
            verdict,
            judged: crowd.accounts() - unknown,
            unknown,
            kinds,
            open_kinds,
            unknown_kinds,
            apart,
            apart_open,
            untold,
            analyzer: self,
            guarantee,
            walls: Walls::of(self, guarantee, Reading::May),
            answer: Answer {
                verdict,
                crowd,
                found: may,
                reading: Reading::May,
                untold: Vec::new(),
            },
            numbers,
            details: RefCell::default(),
        }
    }

    /// How many accounts are asked about, and why more may be.
    pub fn asked(&self, guarantee: &Guarantee, apart: &BTreeSet<Guid>) -> (u64, Option<String>) {
        match self.crowd(guarantee, apart) {
            Ok(crowd) => (crowd.accounts(), crowd.not_told),
            Err(Untold(why)) => (0, Some(why)),
        }
    }

    fn crowd(&self, guarantee: &Guarantee, apart: &BTreeSet<Guid>) -> Result<Crowd, Untold> {
        Crowd::of(
            guarantee,
            &self.space.people,
            &self.facts(),
            &self.trusts,
            apart,
        )
    }

    /// How many of the accounts that are left out would be asked about, and for how many of these the guarantee is not proved.
    fn look_apart(&self, guarantee: &Guarantee, apart: &BTreeSet<Guid>) -> (u64, u64) {
        let users = self.tenant.users.hints();
        let meant = apart
            .iter()
            .filter_map(|&id| users.get(id))
            .filter(|user| match guarantee.who {
                Who::Members => !user.is_guest(),
                Who::Guests | Who::EveryExternal { .. } => user.is_guest(),
                _ => true,
            })
            .map(User::id)
            .collect();
        // Whoever is asked about by role or by name is few; of the rest only these accounts are looked at.
        let who = match &guarantee.who {
            Who::All
            | Who::EveryAccount
            | Who::Members
            | Who::Guests
            | Who::EveryExternal { .. } => Who::Users(meant),
            listed => listed.clone(),
        };
        let asked = Guarantee {
            who,
            ..guarantee.clone()
        };
        let Ok(crowd) = self.crowd(&asked, &BTreeSet::new()) else {
            return (0, 0);
        };
        if crowd.is_empty() {
            return (0, 0);
        }
        let found = open_sign_ins(&self.space, &asked, &crowd, Reading::Must, &mut { BUDGET });
        let open = crowd.first_of(&by_state(&found));
        let mut counts = (0, 0);
        for (user, part) in crowd.members(&self.space.people, users) {
            if apart.contains(&user.id()) {
                counts.0 += 1;
                counts.1 += u64::from(open.get(part).copied().flatten().is_some());
            }
        }
        counts
    }
}

/// The first gap of each state.
fn by_state(found: &Found) -> HashMap<usize, u32> {
    let mut first = HashMap::new();
    for (gap, number) in found.gaps.iter().zip(0..) {
        for state in gap.product.first().into_iter().flat_map(Bits::iter) {
            first.entry(state).or_insert(number);
        }
    }
    first
}

impl<'j> Judgement<'j, '_> {
    /// The accounts that are open, each with the number of what is open for it: see [`detail`](Self::detail).
    pub fn affected(&self) -> impl Iterator<Item = (User<'_>, u32)> {
        let people = &self.analyzer.space.people;
        let users = self.analyzer.tenant.users.hints();
        let members = self.answer.crowd.members(people, users);
        members.filter_map(|(user, part)| Some((user, self.numbers.open(part)?)))
    }

    /// What is open, and which policies come near; names in it are a tenant's text.
    pub fn detail(&self, number: u32) -> String {
        if let Some(known) = self.details.borrow().get(&number) {
            return known.clone();
        }
        let detail = self.describe(number);
        self.details.borrow_mut().insert(number, detail.clone());
        detail
    }

    fn describe(&self, number: u32) -> String {
        let Some(gap) = self.answer.found.gaps.get(number as usize) else {
            return String::new();
        };
        let region = self.analyzer.region(self.guarantee, gap);
        let parts: Vec<String> = region
            .iter()
            // Countries that some other policy blocks say little about why the rest is open.
            .filter(|(dimension, words)| {
                **dimension != "country" || words.iter().any(|word| !word.raw().starts_with("not "))
            })
            .map(|(dimension, words)| {
                let mut named: Vec<&str> = words.iter().take(NAMED).map(Untrusted::raw).collect();
                if words.len() > NAMED {
                    named.push("and more");
                }
                format!("{} {}", dimension.replace('_', " "), named.join(", "))
            })
            .collect();
        let reading = self.answer.reading;
        let walls = &self.walls;
        let mut near = Nearness::of(self.analyzer, self.guarantee, gap, reading, walls).misses();
        near.sort_by_key(|near| (near.kind != "exclusion", near.dimension == "who"));
        let mut why: Vec<String> = near
            .iter()
            .take(POLICIES)
            .map(|near| format!("policy '{}' {}", near.name.raw(), near.detail.raw()))
            .collect();
        if why.is_empty() {
            let change = self
                .analyzer
                .closed_by(self.guarantee, &self.answer, gap, &near, walls)
                .filter(|change| change.kind == "enable");
            why.push(match change {
                Some(change) => format!("policy '{}' is report-only", change.name.raw()),
                None => "no enabled policy comes near".to_owned(),
            });
        }
        let mut detail = why.join("; ");
        if !parts.is_empty() {
            detail.push_str(&format!("; open: {}", parts.join("; ")));
        }
        detail
    }

    /// The question.
    pub fn guarantee(&self) -> &'j Guarantee {
        self.guarantee
    }
}
