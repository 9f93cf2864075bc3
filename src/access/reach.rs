//! Single enabled policies: whom each is about, whom it leaves out, and whom it keeps out.

use super::analyzer::Analyzer;
use super::assignment::Tenants;
use super::people::Class;
use super::policy::{Ask, Effect, FLOWS, MODERN, Policy, RISKS};
use super::subjects::{Belongs, Kinds};
use crate::snapshot::tenant::User;
use crate::snapshot::{Guid, Untrusted};

/// One enabled policy about users.
#[derive(Clone, Copy)]
pub struct EnabledPolicy<'p, 'a> {
    analyzer: &'p Analyzer<'a>,
    index: usize,
    policy: &'p Policy,
}

/// Accounts that no policy tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeopleClass(usize);

/// How a policy keeps out somebody who has nothing but a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// What it does, as the end of a sentence.
    pub how: &'static str,
    /// It certainly applies; otherwise what was read does not tell.
    pub certain: bool,
}

impl<'a> Analyzer<'a> {
    /// The tenant's enabled policies about users.
    pub fn enabled_policies(&self) -> impl Iterator<Item = EnabledPolicy<'_, 'a>> {
        let policies = self.space.policies.iter().enumerate();
        policies
            .filter(|(_, policy)| {
                policy.effect == Effect::Enabled && !policy.is_virtual && policy.who.is_some()
            })
            .map(|(index, policy)| EnabledPolicy {
                analyzer: self,
                index,
                policy,
            })
    }

    /// The class of an account; `None` when it cannot sign in.
    pub fn class_of(&self, user: User<'_>) -> Option<PeopleClass> {
        self.space.people.class_of(user).map(PeopleClass)
    }

    /// Whether a class is, or may be, of guests or external users.
    pub fn may_be_external(&self, class: PeopleClass) -> bool {
        self.class(class)
            .is_some_and(|class| class.subject.kinds.meets(Kinds::EXTERNAL))
    }

    fn class(&self, class: PeopleClass) -> Option<&Class> {
        self.space.people.classes().get(class.0)
    }
}

impl<'p> EnabledPolicy<'p, '_> {
    /// Its id.
    pub fn id(&self) -> &'p str {
        self.policy.id.raw()
    }

    /// Its name, or its id where it has none.
    pub fn name(&self) -> &'p Untrusted {
        &self.policy.name
    }

    /// It asks for block, a second factor, a strength or a managed device.
    pub fn guards(&self) -> bool {
        self.policy.grant.asks.iter().any(|ask| {
            matches!(
                ask,
                Ask::Block
                    | Ask::Mfa
                    | Ask::Strength(..)
                    | Ask::CompliantDevice
                    | Ask::DomainJoinedDevice
            )
        })
    }

    /// It is about all resources without exception.
    pub fn is_about_all_resources(&self) -> bool {
        let target = &self.policy.target;
        target.include.iter().any(|word| word.is("All"))
            && target.exclude.is_empty()
            && target.filter.is_none()
    }

    /// `All` users are included.
    pub fn includes_everyone(&self) -> bool {
        let who = self.policy.who.as_ref();
        who.is_some_and(|who| who.include.everyone)
    }

    /// Every kind of guest and external user, of every tenant, is included as such.
    pub fn includes_all_guests(&self) -> bool {
        let mut named = Kinds::default();
        for kind in self.kinds() {
            named.add(kind);
        }
        Kinds::EXTERNAL.within(named)
    }

    /// Any kind of guest or external user is included as such.
    pub fn is_about_guests(&self) -> bool {
        let who = self.policy.who.as_ref();
        who.is_some_and(|who| !who.include.kinds.is_empty())
    }

    /// Whether every one of these roles is included.
    pub fn includes_roles(&self, roles: impl IntoIterator<Item = Guid>) -> bool {
        let who = self.policy.who.as_ref();
        who.is_some_and(|who| {
            roles
                .into_iter()
                .all(|role| who.include.roles.contains(&role))
        })
    }

    fn kinds(&self) -> impl Iterator<Item = Kinds> {
        let sides = self.policy.who.iter().flat_map(|who| &who.include.kinds);
        sides
            .filter(|(_, tenants)| *tenants == Tenants::All)
            .map(|(kinds, _)| *kinds)
    }

    /// Whether its exclusions take a class out, at least with a role activated.
    pub fn excludes(&self, class: PeopleClass) -> Belongs {
        let Some(assignment) = &self.policy.who else {
            return Belongs::No;
        };
        let people = &self.analyzer.space.people;
        let states = self.states(class);
        states
            .map(|state| people.holds(&assignment.exclude, state))
            .max()
            .unwrap_or(Belongs::No)
    }

    /// Whether it applies to a class whatever roles are activated.
    pub fn applies(&self, class: PeopleClass) -> Belongs {
        self.in_states(class).min().unwrap_or(Belongs::No)
    }

    /// Whether, and how, it keeps out somebody of a class who has nothing but a second factor. Policies about legacy clients only,
    /// about special sign-in flows or about risk are left out, as are those that are not about resources.
    pub fn keeps_out(&self, class: PeopleClass) -> Option<Kept> {
        let policy = self.policy;
        let target = &policy.target;
        let about_resources =
            target.include.iter().any(|word| !word.is("None")) || target.filter.is_some();
        let special = policy.clients.may & MODERN == 0
            || policy.flows.must != FLOWS.all()
            || policy.sign_in_risk.must != RISKS.all()
            || policy.user_risk.must != RISKS.all();
        if !about_resources || special {
            return None;
        }
        let how = stops_bare_mfa(policy)?;
        let applies = self.in_states(class).max().unwrap_or(Belongs::No);
        (applies > Belongs::No).then_some(Kept {
            how,
            certain: applies == Belongs::Yes && !policy.has_unknown_condition,
        })
    }

    fn states(&self, class: PeopleClass) -> std::ops::Range<usize> {
        self.analyzer
            .class(class)
            .map_or(0..0, |class| class.states.clone())
    }

    fn in_states(&self, class: PeopleClass) -> impl Iterator<Item = Belongs> {
        let people = &self.analyzer.space.people;
        self.states(class).map(|state| match people.row(state) {
            Some(row) if row.must.has(self.index) => Belongs::Yes,
            Some(row) if row.may.has(self.index) => Belongs::Perhaps,
            _ => Belongs::No,
        })
    }
}

/// Why an account that has nothing but its second factor cannot get in.
fn stops_bare_mfa(policy: &Policy) -> Option<&'static str> {
    let asks = &policy.grant.asks;
    let met = |ask: &Ask| matches!(ask, Ask::Mfa | Ask::Strength(..));
    if asks.contains(&Ask::Block) {
        return Some("blocks it");
    }
    let passable = if policy.grant.all || asks.is_empty() {
        asks.iter().all(met)
    } else {
        asks.iter().any(met)
    };
    (!passable).then_some("asks it for more than a second factor")
}
