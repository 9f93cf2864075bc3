//! What report-only policies would change if they were on.

use std::collections::BTreeSet;

use super::{Everybody, Impact, ImpactOf, Walls, patches_of};
use crate::access::analyzer::Analyzer;
use crate::access::controls::{Scene, demands, denying, kept_out, scenes};
use crate::access::guarantee::Clause;
use crate::access::policy::{Effect, Policy, Reading};
use crate::access::proof::Accounts;
use crate::access::space::Patch;
use crate::snapshot::tenant::User;

/// All together, each alone, and what is not known. A policy may be on or not by itself: what two of them change together is what
/// either changes. Where it is not certain whom a policy reaches, everybody counts whom it may reach.
pub(super) fn impact(
    analyzer: &Analyzer<'_>,
    everybody: &Everybody,
) -> (Impact, Vec<ImpactOf>, Vec<String>) {
    let space = &analyzer.space;
    let mut walls = Walls::default();
    let (mut stronger, mut blocked) = (BTreeSet::new(), BTreeSet::new());
    let (mut each, mut unsure) = (Vec::new(), Vec::new());
    let accounts = |open: &BTreeSet<usize>| {
        let users = analyzer.facts().users;
        let found = everybody.crowd.accounts_in(open, &space.people, users);
        Accounts::first_of(found.map(User::id))
    };
    for (index, policy) in space.policies.iter().enumerate() {
        if policy.effect != Effect::ReportOnly || policy.who.is_none() {
            continue;
        }
        let mut news = News::default();
        for scene in scenes(policy) {
            news.add(analyzer, everybody, &mut walls, index, policy, &scene);
        }
        let name = policy.name.for_terminal();
        if news.spent {
            unsure.push(format!(
                "policy '{name}': all that it would change takes more steps to find than are allowed"
            ));
        }
        if news.is_unsure {
            unsure.push(format!(
                "policy '{name}': whom it would reach is not known for certain, and everybody counts whom it may reach"
            ));
        }
        stronger.extend(&news.stronger);
        blocked.extend(&news.blocked);
        each.push(ImpactOf {
            policy: policy.id.clone(),
            name: policy.name.clone(),
            stronger_users: accounts(&news.stronger),
            newly_blocked_users: accounts(&news.blocked),
        });
    }
    let together = Impact {
        weaker_users: Accounts::default(),
        stronger_users: accounts(&stronger),
        newly_blocked_users: accounts(&blocked),
    };
    (together, each, unsure)
}

/// States of people for whom a policy would change something.
#[derive(Default)]
struct News {
    stronger: BTreeSet<usize>,
    blocked: BTreeSet<usize>,
    is_unsure: bool,
    spent: bool,
}

impl News {
    fn add(
        &mut self,
        analyzer: &Analyzer<'_>,
        everybody: &Everybody,
        walls: &mut Walls,
        index: usize,
        policy: &Policy,
        scene: &Scene,
    ) {
        let space = &analyzer.space;
        let impossible = space.impossible();
        let mut open = |boxes: &[Patch], clause: &Clause| {
            let wall = walls.against(space, clause, scene, Reading::Must);
            let patches = patches_of(&impossible, &wall, |_| true);
            let found = everybody.open(space, boxes, Reading::May, &patches);
            self.spent |= found.spent;
            found.open
        };
        for demand in demands(space, policy) {
            let read = |reading| kept_out(space, index, policy, &demand, scene, reading);
            let boxes = read(Reading::May);
            let same_people = everybody.states.iter().all(|&state| {
                let has = |rows: &[crate::access::bits::Bits]| {
                    rows.get(state).is_some_and(|row| row.has(index))
                };
                has(&everybody.must) == has(&everybody.may)
            });
            self.is_unsure |= !same_people || boxes != read(Reading::Must);
            self.stronger.extend(open(&boxes, &demand.clause));
        }
        let nothing = Clause::new();
        let boxes = denying(space, index, policy, &nothing, scene, Reading::May);
        self.blocked.extend(open(&boxes, &nothing));
    }
}
