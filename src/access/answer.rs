//! Answers: who is covered, who is not, and which policy came nearest.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use super::grant::Forces;
use super::question::{Cells, Clients, Question, RiskLevels, Target};
use super::shape::{Reach, Shape};
use super::subjects::{Belongs, Directory, Named, Subject};
use super::who::By;
use super::{Facts, Requirement};
use crate::snapshot::model::{ConditionalAccessPolicy, ConditionalAccessPolicyState as State};
use crate::snapshot::tenant::User;
use crate::snapshot::{Guid, GuidHasher};

/// All policies, read once; questions are asked of it.
pub struct Shapes<'a> {
    shapes: Vec<Shape<'a>>,
    directory: Arc<Directory>,
}

/// Whether a subject's sign-ins are all denied or forced to what is required.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// Every one of them.
    Covered,
    /// It rests on something that was not read: the phrase says what, without names from the tenant.
    Unknown(String),
    /// Not by single enabled policies.
    Open(Gap),
}

/// What is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Client types among the open sign-ins.
    pub clients: Clients,
    /// Sign-in risks among them.
    pub sign_in_risk: RiskLevels,
    /// User risks among them.
    pub user_risk: RiskLevels,
    /// The policy that came nearest and what it misses by, in words. Holds the policy's name, so it is a tenant's text.
    pub nearest: Option<String>,
    /// A sign-in certainly gets through; otherwise several policies might close the gap together.
    pub certain: bool,
}

/// A policy that can keep an account out.
pub struct Denial<'a> {
    /// The policy.
    pub policy: &'a ConditionalAccessPolicy,
    /// Its name.
    pub name: &'a str,
    /// What it does, as the end of a sentence.
    pub how: &'static str,
    /// It certainly applies to the account; otherwise what was read does not tell.
    pub certain: bool,
}

impl<'a> Shapes<'a> {
    /// Reads the policies; `known` keeps the directory for the next reading of the same facts, and for those who read them at the
    /// same time.
    pub fn read(facts: &Facts<'a>, known: &OnceLock<Arc<Directory>>) -> Self {
        let shapes: Vec<Shape<'a>> = facts
            .policies
            .iter()
            .map(|policy| Shape::read(policy, facts))
            .collect();
        let build = || {
            Arc::new(Directory::build(
                shapes.iter().flat_map(Shape::names),
                facts,
            ))
        };
        let directory = Arc::clone(known.get_or_init(build));
        Self { shapes, directory }
    }

    /// Every policy, in every state.
    pub fn iter(&self) -> impl Iterator<Item = &Shape<'a>> {
        self.shapes.iter()
    }

    /// Those that protect.
    pub fn enabled(&self) -> impl Iterator<Item = &Shape<'a>> {
        self.iter().filter(|shape| shape.is_enabled())
    }

    /// The subject that an account is.
    pub fn subject(&self, user: User<'_>) -> Subject {
        self.directory.subject(user)
    }

    /// Whether a policy applies to the subject, whatever eligible roles it activates.
    pub fn applies(&self, shape: &Shape<'_>, subject: Subject) -> Belongs {
        shape.surely_applies(subject, &self.directory).0
    }

    /// Whether a policy's exclusions take the subject out, at least with an eligible role activated.
    pub fn excludes(&self, shape: &Shape<'_>, subject: Subject) -> Belongs {
        shape.excludes(subject, &self.directory)
    }

    /// Enabled policies on resources that can keep out somebody who has nothing but a second factor. Policies about legacy
    /// clients only, about special sign-in flows or about risk are left out: an emergency sign-in is none of these.
    pub fn denials(&self, subject: Subject) -> Vec<Denial<'a>> {
        self.enabled()
            .filter(|shape| shape.is_about_resources() && !shape.is_about_special_sign_ins())
            .filter_map(|shape| {
                let how = shape.grant.stops_bare_mfa()?;
                let applies = shape.can_apply(subject, &self.directory);
                (applies > Belongs::No).then(|| Denial {
                    policy: shape.policy(),
                    name: shape.name(),
                    how,
                    certain: applies == Belongs::Yes,
                })
            })
            .collect()
    }

    /// Asks one question of all policies.
    pub fn ask(&self, question: Question) -> Answer<'_, 'a> {
        let reaches = self
            .shapes
            .iter()
            .map(|shape| PolicyReach::of(shape, &question))
            .collect();
        Answer {
            shapes: self,
            question,
            reaches,
            known: HashMap::default(),
            decided: Vec::new(),
            last: None,
        }
    }
}

/// What one policy does for one question, whoever signs in.
struct PolicyReach {
    /// Cells that it covers over the whole rest of the space.
    whole: Cells,
    /// The same with everything unread turning out well.
    at_most: Cells,
    /// Cells that it touches somewhere: where it could close a gap together with others.
    touched: Cells,
    /// What it misses by.
    misses: Vec<Miss>,
}

impl PolicyReach {
    fn of(shape: &Shape<'_>, question: &Question) -> Self {
        let forces = shape.grant.forces(question.requirement);
        let denies_legacy = shape.grant.asks_for_anything();
        // Cells for which the controls do at least so much, with the policy's own clients and risks.
        let cells = |enough: Forces, clients: Clients| {
            let modern = if forces >= enough {
                Clients::MODERN
            } else {
                Clients::NONE
            };
            let legacy = if denies_legacy {
                Clients::LEGACY
            } else {
                Clients::NONE
            };
            Cells::of(
                clients.common(modern.and(legacy)).common(question.clients),
                shape.sign_in_risk.common(question.sign_in_risk),
                shape.user_risk.common(question.user_risk),
            )
        };
        let aims = shape.aims_at(question.target);
        let flow = shape.covers_flow(question.flow.name());
        let disjoint = aims == Reach::Nothing || flow == Reach::Nothing;
        // A policy that only asks again at every sign-in closes a gap together with one that asks for the factor.
        let helps = question.requirement == Requirement::FreshMfa && shape.grant.every_time();
        let at_least = if helps {
            Forces::No
        } else {
            Forces::Alternative
        };
        let narrow = aims != Reach::Whole
            || flow != Reach::Whole
            || !shape.covers_places(question.places)
            || !shape.covers_devices(question.devices_that_matter())
            || !shape.any_platform
            || !shape.any_insider_risk;
        let none = Cells::default();
        let unless = |hindered: bool, cells: Cells| if hindered { none } else { cells };
        Self {
            whole: unless(disjoint || narrow, cells(Forces::Yes, shape.clients)),
            at_most: unless(
                disjoint || narrow,
                cells(Forces::Unknown, shape.clients_at_most),
            ),
            touched: unless(disjoint, cells(at_least, shape.clients_at_most)),
            misses: misses(shape, question, aims, forces),
        }
    }
}

fn misses(shape: &Shape<'_>, question: &Question, aims: Reach, forces: Forces) -> Vec<Miss> {
    let modern = question
        .clients
        .common(Clients::MODERN)
        .common(shape.clients)
        != Clients::NONE;
    let state = shape.policy().state.as_ref();
    let target = match question.target {
        Target::AllResources if shape.excludes_resources() => "leaves out resources",
        Target::UserAction(_) => "is about something else",
        _ => "is about some resources only",
    };
    let flow = shape.covers_flow(question.flow.name());
    [
        (state == Some(&State::ReportOnly), SWITCH, "is report-only"),
        (
            !matches!(state, Some(State::Enabled | State::ReportOnly)),
            ENTRY,
            "is disabled",
        ),
        (
            modern && forces == Forces::Alternative,
            ENTRY,
            "also lets in with another control",
        ),
        (
            modern && forces == Forces::NotEveryTime,
            ENTRY,
            "does not ask at every sign-in",
        ),
        (
            modern && forces == Forces::No,
            OTHER_PURPOSE,
            "asks for something else",
        ),
        (
            modern && forces == Forces::Unknown,
            ENTRY,
            "asks for something that cannot be read",
        ),
        (aims != Reach::Whole, CONDITION, target),
        (
            !shape.any_insider_risk,
            CONDITION,
            "is only for some insider risks",
        ),
        (!shape.any_platform, CONDITION, "is not for every platform"),
        (
            !shape.covers_places(question.places),
            CONDITION,
            "is not for every location",
        ),
        (
            !shape.covers_devices(question.devices_that_matter()),
            CONDITION,
            "leaves out devices by a filter",
        ),
        (
            flow != Reach::Whole,
            CONDITION,
            "is only for some sign-in flows",
        ),
    ]
    .into_iter()
    .filter(|(holds, ..)| *holds)
    .map(|(_, weight, text)| Miss {
        weight,
        text: text.into(),
    })
    .collect()
}

/// One reason why a policy does not close a gap.
#[derive(Clone)]
struct Miss {
    /// How far it is from closing it.
    weight: u8,
    text: Cow<'static, str>,
}

/// Weights of misses: turning on what is tried out, changing one entry, dropping a condition, a policy made for something else.
const SWITCH: u8 = 1;
const ENTRY: u8 = 2;
const CONDITION: u8 = 4;
const OTHER_PURPOSE: u8 = 6;

/// The answers to one question.
pub struct Answer<'s, 'a> {
    shapes: &'s Shapes<'a>,
    question: Question,
    reaches: Vec<PolicyReach>,
    /// Where each subject that was looked at stands among those decided.
    known: HashMap<Subject, usize, GuidHasher>,
    decided: Vec<Coverage>,
    /// The subject of the last answer: most accounts are like the one before.
    last: Option<(Subject, usize)>,
}

/// A policy that misses by more than this is not called near.
const NEAR: usize = 2;

impl Answer<'_, '_> {
    /// The answer for one subject; equal subjects are looked at once.
    pub fn of(&mut self, subject: Subject) -> &Coverage {
        let place = match self.last {
            Some((last, place)) if last == subject => place,
            _ => self.place(subject),
        };
        self.last = Some((subject, place));
        self.decided.get(place).unwrap_or(&Coverage::Covered)
    }

    fn place(&mut self, subject: Subject) -> usize {
        if let Some(&place) = self.known.get(&subject) {
            return place;
        }
        self.decided.push(self.decide(subject));
        let place = self.decided.len() - 1;
        self.known.insert(subject, place);
        place
    }

    fn decide(&self, subject: Subject) -> Coverage {
        let asked = self.question.cells();
        let (mut whole, mut at_most) = (Cells::default(), Cells::default());
        let applying: Vec<(&Shape<'_>, &PolicyReach, Belongs, By)> = self
            .shapes
            .shapes
            .iter()
            .zip(&self.reaches)
            .map(|(shape, reach)| {
                let (applies, by) = shape.surely_applies(subject, &self.shapes.directory);
                (shape, reach, applies, by)
            })
            .collect();
        for (shape, reach, applies, _) in &applying {
            if !shape.is_enabled() || *applies == Belongs::No {
                continue;
            }
            if *applies == Belongs::Yes {
                whole = whole.with(reach.whole);
            }
            at_most = at_most.with(reach.at_most);
        }
        let open = asked.without(whole);
        if open.is_empty() {
            return Coverage::Covered;
        }
        if asked.without(at_most).is_empty() {
            return Coverage::Unknown(self.unread(open, subject, &applying));
        }
        // With one narrow policy the rest of the space is open for certain; only several could close it together.
        let open = asked.without(at_most);
        let together = applying
            .iter()
            .filter(|(shape, reach, applies, _)| {
                shape.is_enabled() && *applies > Belongs::No && reach.touched.meets(open)
            })
            .count();
        let (clients, sign_in_risk, user_risk) = open.spread();
        Coverage::Open(Gap {
            clients,
            sign_in_risk,
            user_risk,
            nearest: nearest(open, &applying),
            certain: together < 2,
        })
    }

    /// What would have to be known: the groups first, since they can be named.
    fn unread(
        &self,
        open: Cells,
        subject: Subject,
        applying: &[(&Shape<'_>, &PolicyReach, Belongs, By)],
    ) -> String {
        let mut groups = BTreeSet::new();
        let mut other = "a control of a policy cannot be read";
        for (shape, reach, applies, by) in applying {
            if !shape.is_enabled() || !reach.at_most.meets(open) || *applies == Belongs::No {
                continue;
            }
            if !shape.clients_at_most.within(shape.clients) {
                other = "a policy from before August 2020 has an empty list of client types";
            }
            if *applies == Belongs::Yes {
                continue;
            }
            match by {
                By::Group => groups.extend(self.unknown_groups(shape, subject)),
                By::Role | By::EligibleRole => {
                    other = "a role is held by a group whose members were not read";
                }
                By::Kind => other = "it depends on which tenant or kind of guest an account is",
                _ => other = "a policy names users in words that are not known",
            }
        }
        if groups.is_empty() {
            other.to_owned()
        } else {
            let ids: Vec<String> = groups.iter().map(Guid::to_string).collect();
            format!("the members of group {} were not read", ids.join(", "))
        }
    }

    fn unknown_groups(&self, shape: &Shape<'_>, subject: Subject) -> Vec<Guid> {
        shape
            .names()
            .filter_map(|name| match name {
                Named::Group(id)
                    if self.shapes.directory.belongs(subject, name) == Belongs::Perhaps =>
                {
                    Some(id)
                }
                _ => None,
            })
            .collect()
    }
}

/// The policy that would close the gap, or a part of it, with the fewest changes.
fn nearest(open: Cells, applying: &[(&Shape<'_>, &PolicyReach, Belongs, By)]) -> Option<String> {
    applying
        .iter()
        .filter(|(_, reach, ..)| reach.touched.meets(open))
        .map(|(shape, reach, applies, by)| {
            let mut misses = reach.misses.clone();
            misses.extend(narrower(shape, open));
            if let Some(who) = who_is_missed(*applies, *by) {
                misses.insert(0, who);
            }
            (shape, misses)
        })
        .filter(|(_, misses)| !misses.is_empty() && misses.len() <= NEAR)
        // The first of the nearest.
        .min_by_key(|(_, misses)| misses.iter().map(|miss| miss.weight).sum::<u8>())
        .map(|(shape, misses)| {
            let texts: Vec<&str> = misses.iter().map(|miss| &*miss.text).collect();
            format!("policy '{}' {}", shape.name(), texts.join(" and "))
        })
}

/// Client types and risks of which the gap has some and the policy not all.
fn narrower(shape: &Shape<'_>, open: Cells) -> Vec<Miss> {
    let (clients, sign_in_risk, user_risk) = open.spread();
    let only = |what: &str, words: &[&str]| Miss {
        weight: CONDITION,
        text: format!("is only for {what} {}", words.join(", ")).into(),
    };
    let mut misses = Vec::new();
    if !clients.within(shape.clients) {
        misses.push(only("client type", &shape.clients.words()));
    }
    if !sign_in_risk.within(shape.sign_in_risk) {
        misses.push(only("sign-in risk", &shape.sign_in_risk.words()));
    }
    if !user_risk.within(shape.user_risk) {
        misses.push(only("user risk", &shape.user_risk.words()));
    }
    misses
}

fn who_is_missed(applies: Belongs, by: By) -> Option<Miss> {
    let (weight, text) = match (applies, by) {
        (Belongs::Yes, _) => return None,
        (Belongs::Perhaps, _) => (ENTRY, "may leave it out"),
        (Belongs::No, By::Nothing) => (OTHER_PURPOSE, "does not include it"),
        (Belongs::No, By::Everyone) => (OTHER_PURPOSE, "excludes everybody"),
        (Belongs::No, By::Account) => (ENTRY, "excludes it by name"),
        (Belongs::No, By::Group) => (ENTRY, "excludes a group that it belongs to"),
        (Belongs::No, By::Role) => (ENTRY, "excludes a role that it holds"),
        (Belongs::No, By::EligibleRole) => (ENTRY, "excludes a role that it can activate"),
        (Belongs::No, By::Kind) => (ENTRY, "excludes its kind of external user"),
        (Belongs::No, By::Unreadable) => (ENTRY, "may exclude it"),
    };
    Some(Miss {
        weight,
        text: text.into(),
    })
}
