//! What comes out of a question: the verdict, what it rests on, who is affected, and witnesses that can be checked by hand.
//!
//! The JSON form is the contract of `access prove`. Names of people, groups, policies and places are a tenant's text.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::analyzer::{Analyzer, Answer, Verdict};
use super::device::{Rule, parse};
use super::guarantee::Guarantee;
use crate::snapshot::{Guid, Untrusted};

/// How many ids of a set of accounts are listed.
const LISTED: usize = 100;

/// Accounts, the first of them by id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Accounts {
    /// How many there are.
    pub count: u64,
    /// The first hundred, in order.
    pub ids: Vec<Guid>,
    /// There are more than are listed.
    pub truncated: bool,
}

impl Accounts {
    /// Lists the first of some accounts.
    pub(super) fn first_of(ids: impl Iterator<Item = Guid>) -> Self {
        let mut count = 0;
        let mut first = BTreeSet::new();
        for id in ids {
            count += 1;
            if first.len() < LISTED || first.last().is_some_and(|last| id < *last) {
                first.insert(id);
                if first.len() > LISTED {
                    first.pop_last();
                }
            }
        }
        Self {
            count,
            truncated: count > first.len() as u64,
            ids: first.into_iter().collect(),
        }
    }
}

/// A guarantee answered.
#[derive(Debug, Clone, Serialize)]
pub struct Proof {
    /// The guarantee's id.
    pub id: String,
    /// What it says.
    pub says: String,
    /// Whether it holds.
    pub verdict: Verdict,
    /// What the verdict takes for granted or does not know, in sentences. Names in them are inert.
    pub assumptions: Vec<Untrusted>,
    /// Accounts with a sign-in that does not meet it; of a verdict that depends, those that may have one.
    pub affected_users: Accounts,
    /// Accounts that are left out: declared emergency access and synchronisation accounts.
    pub left_out: Accounts,
    /// How many accounts are asked about.
    pub asked_users: u64,
    /// What is open, the most people first.
    pub witnesses: Vec<Witness>,
    /// How many more there are.
    pub witnesses_not_shown: usize,
}

impl Serialize for Verdict {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One part of what is open.
#[derive(Debug, Clone, Serialize)]
pub struct Witness {
    /// What is open and why, in one sentence.
    pub sentence: Untrusted,
    /// How many accounts it is open to.
    pub users: u64,
    /// What of each dimension is in it, in words; dimensions of which everything is in it are left out.
    pub region: BTreeMap<&'static str, Vec<Untrusted>>,
    /// One sign-in of it.
    pub example: Example,
    /// Policies that miss it in one dimension only.
    pub near_misses: Vec<NearMiss>,
    /// The single change that closes it.
    pub closed_by: Option<Change>,
}

/// One concrete sign-in; what is left out is any value.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names are Graph's")]
pub struct Example {
    pub user: Option<String>,
    pub target: Option<ExampleTarget>,
    pub client_app_type: Option<&'static str>,
    pub platform: Option<&'static str>,
    pub ip: Option<String>,
    pub country: Option<String>,
    pub device: Option<BTreeMap<String, Untrusted>>,
    pub sign_in_risk: Option<&'static str>,
    pub user_risk: Option<&'static str>,
    pub insider_risk: Option<&'static str>,
    pub authentication_flow: Option<&'static str>,
    /// Template ids of roles that are activated.
    pub roles: Vec<Guid>,
    pub evidence: Evidence,
}

/// What is signed in to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExampleTarget {
    /// `resource`, `userAction`, `authContext`, `baselineScopes` or `anyOther`.
    pub kind: &'static str,
    /// An app id, an urn or the id of a context.
    pub id: Option<String>,
}

/// What is shown to get in: the smallest that does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Combinations of methods, in Graph's words.
    pub methods: Vec<&'static str>,
    /// Other controls that are met.
    pub controls: Vec<String>,
}

/// A policy that nearly covers a witness.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NearMiss {
    /// The policy's id.
    pub policy: Untrusted,
    /// Its name.
    pub name: Untrusted,
    /// Where it misses: `who`, `target`, `client_app`, `platform`, `network`, `device`, a risk or `authentication_flow`.
    pub dimension: &'static str,
    /// `exclusion` or `missing_inclusion`.
    pub kind: &'static str,
    /// What is excluded, or what is not included, in words.
    pub detail: Untrusted,
}

/// A change to one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The policy's id.
    pub policy: Untrusted,
    /// Its name.
    pub name: Untrusted,
    /// `remove_exclusion`, `add_inclusion`, `enable` or `require_all_controls`.
    pub kind: &'static str,
    /// What to do, in words.
    pub detail: Untrusted,
    /// How many of the affected accounts it closes the gap for.
    pub users_closed: u64,
}

impl Analyzer<'_> {
    /// Answers a guarantee, with witnesses. `leave_out`: the accounts that are shown apart are left out of it.
    pub fn prove(&self, guarantee: &Guarantee, leave_out: bool) -> Proof {
        // Rules that only the question has tell devices apart that no policy does.
        let rules = [&guarantee.when.matches, &guarantee.when.not_matches];
        let rules: Vec<Rule> = rules
            .into_iter()
            .flatten()
            .filter_map(|rule| parse(rule).ok())
            .collect();
        if !rules.is_empty() {
            let policies = self.space.policies.clone();
            let wider = Self::with_policies(self.tenant, self.settings.clone(), policies, &rules);
            return wider.prove_here(guarantee, leave_out);
        }
        self.prove_here(guarantee, leave_out)
    }

    fn prove_here(&self, guarantee: &Guarantee, leave_out: bool) -> Proof {
        if Self::is_about_workloads(guarantee) {
            return self.prove_workloads(guarantee);
        }
        let nobody = BTreeSet::new();
        let apart = if leave_out {
            &self.settings.apart
        } else {
            &nobody
        };
        let answer = self.answer(guarantee, apart);
        self.put_into_words(guarantee, &answer, apart)
    }

    fn put_into_words(
        &self,
        guarantee: &Guarantee,
        answer: &Answer,
        apart: &BTreeSet<Guid>,
    ) -> Proof {
        let users = self.facts().users;
        let (witnesses, witnesses_not_shown) = self.witnesses(guarantee, answer);
        let mut verdict = answer.verdict;
        let mut denied = None;
        if witnesses.is_none() {
            // Two evaluators that share no code disagree: neither is believed.
            verdict = Verdict::Unknown;
            denied = Some(
                "the check of a witness failed, so the answer is not trusted: please report this"
                    .to_owned(),
            );
        }
        let witnesses = witnesses.unwrap_or_default();
        let taken = self.assumptions(guarantee, &answer.crowd, verdict);
        let untold = denied.into_iter().chain(answer.untold.iter().cloned());
        let assumptions: Vec<String> = untold.chain(taken).collect();
        let (count, ids) =
            answer
                .crowd
                .affected(&answer.found.open, &self.space.people, users, LISTED);
        Proof {
            id: guarantee.id.clone(),
            says: guarantee.says.clone(),
            verdict,
            assumptions: assumptions.into_iter().map(Untrusted::from).collect(),
            affected_users: Accounts {
                count,
                truncated: count > ids.len() as u64,
                ids: ids.into_iter().collect(),
            },
            left_out: Accounts::first_of(apart.iter().copied()),
            asked_users: answer.crowd.accounts(),
            witnesses,
            witnesses_not_shown,
        }
    }
}
