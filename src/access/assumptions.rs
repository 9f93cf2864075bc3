//! What a verdict takes for granted, and what it would take to decide it.

use std::collections::BTreeSet;

use super::analyzer::{Analyzer, Verdict};
use super::assignment::Tenants;
use super::bits::Bits;
use super::crowd::Crowd;
use super::externals::Home;
use super::guarantee::{Asked, Atom, Guarantee, Pim, Who};
use super::policy::{Effect, Policy, Reading};
use super::resources::{BaselineScopes, Suite};
use super::search::{Gap, enforcing};
use super::subjects::Named;
use crate::snapshot::{Resource, State, Untrusted};

impl Analyzer<'_> {
    /// Defaults that the answer rests on.
    pub(super) fn assumptions(
        &self,
        guarantee: &Guarantee,
        crowd: &Crowd,
        verdict: Verdict,
    ) -> Vec<String> {
        let mut taken = Vec::new();
        let relevant: Vec<&Policy> = self.relevant(guarantee);
        let is = |word: &Untrusted, text: &str| word.is(text);
        let any_resource = guarantee.target == Asked::AnyResource;
        let narrowed = |policy: &&Policy| {
            policy.target.include.iter().any(|word| is(word, "All"))
                && !policy.target.exclude.is_empty()
        };
        if any_resource && relevant.iter().any(narrowed) {
            taken.push(match self.settings.baseline_scopes {
                BaselineScopes::Enforced => "a sign-in that asks for baseline scopes alone counts as one to Windows Azure Active Directory (access.baseline_scopes = \"enforced\")",
                BaselineScopes::Legacy => "a sign-in that asks for baseline scopes alone passes by policies that exclude a resource (access.baseline_scopes = \"legacy\")",
            }.to_owned());
        }
        let may_activate = guarantee.assume.pim == Pim::MayActivate;
        let has_states = |state: &usize| {
            self.space
                .people
                .state(*state)
                .is_some_and(|state| !state.activated.is_empty())
        };
        if may_activate && crowd.states().iter().any(has_states) {
            taken.push("a role that may be activated is looked at both active and inactive (assume.pim = \"mayActivate\")".to_owned());
        }
        let places = |policy: &&Policy| {
            let (include, exclude) = policy
                .locations
                .as_ref()
                .map_or((&[][..], &[][..]), |(include, exclude)| (include, exclude));
            include
                .iter()
                .chain(exclude)
                .any(|word| is(word, "AllTrusted"))
        };
        if guarantee.when.trusted.is_some() || relevant.iter().any(places) {
            taken.push(match self.settings.mfa_trusted_ips.len() {
                0 => "the old service settings of multi-factor authentication trust no address (access.mfa_trusted_ips = [])".to_owned(),
                ranges => format!("the old service settings of multi-factor authentication trust {ranges} ranges (access.mfa_trusted_ips)"),
            });
        }
        let names_suite = |word: &Untrusted| Suite::named(word).is_some();
        let by_suite = |policy: &&Policy| {
            policy
                .target
                .include
                .iter()
                .chain(&policy.target.exclude)
                .any(names_suite)
        };
        let asks_suite = matches!(&guarantee.target, Asked::Resources(words) if words.iter().any(|word| names_suite(&word.as_str().into())));
        if asks_suite || relevant.iter().any(by_suite) {
            taken.push("Office365, MicrosoftAdminPortals and Azure management are the apps that Microsoft has published as their members".to_owned());
        }
        let about_factors = guarantee
            .must
            .iter()
            .flatten()
            .any(|atom| matches!(atom, Atom::Mfa));
        let per_user = self.tenant.state(Resource::AuthenticationRequirements).0;
        if about_factors && verdict == Verdict::Violated && *per_user != State::Collected {
            taken.push(
                "per-user MFA was not read and counts as off (--with per-user-mfa reads it)"
                    .to_owned(),
            );
        }
        taken
    }

    /// Enabled policies that enforce a part of a guarantee somewhere.
    fn relevant(&self, guarantee: &Guarantee) -> Vec<&Policy> {
        let enforces = |index: usize, policy: &Policy| {
            guarantee.must.iter().any(|clause| {
                !enforcing(&self.space, index, policy, guarantee, clause, Reading::May).is_empty()
            })
        };
        let policies = self.space.policies.iter().enumerate();
        policies
            .filter(|(index, policy)| policy.effect == Effect::Enabled && enforces(*index, policy))
            .map(|(_, policy)| policy)
            .collect()
    }

    /// What would have to be known to decide whether these gaps are any.
    pub(super) fn undecided(&self, guarantee: &Guarantee, gaps: &[Gap]) -> BTreeSet<String> {
        let mut why = BTreeSet::new();
        for gap in gaps.iter().take(64) {
            let Some(clause) = guarantee.must.get(gap.clause) else {
                continue;
            };
            let states: Vec<usize> = gap
                .product
                .first()
                .into_iter()
                .flat_map(Bits::iter)
                .take(64)
                .collect();
            for (index, policy) in self.space.policies.iter().enumerate() {
                if policy.effect != Effect::Enabled {
                    continue;
                }
                let touches = |reading| {
                    let patches = enforcing(&self.space, index, policy, guarantee, clause, reading);
                    patches.iter().any(|patch| patch.region.meets(&gap.product))
                };
                let row = |state: usize| self.space.people.row(state);
                let may_reach = states
                    .iter()
                    .any(|&state| row(state).is_some_and(|row| row.may.has(index)));
                if !may_reach || !touches(Reading::May) {
                    continue;
                }
                let unsure = states
                    .iter()
                    .copied()
                    .find(|&state| row(state).is_some_and(|row| !row.must.has(index)));
                if let Some(state) = unsure {
                    why.insert(self.who_is_unsure(policy, state));
                } else {
                    let name = policy.name.raw();
                    if policy.not_understood.is_empty() {
                        why.insert(format!("what policy '{name}' covers or asks for rests on a location, strength, filter or device that is not known"));
                    }
                    why.extend(
                        policy
                            .not_understood
                            .iter()
                            .map(|what| format!("policy '{name}': {what} is not understood")),
                    );
                }
            }
        }
        why
    }

    /// Why it is not known whether a policy reaches somebody.
    fn who_is_unsure(&self, policy: &Policy, state: usize) -> String {
        let name = policy.name.raw();
        let people = &self.space.people;
        let Some(class) = people.class_of_state(state) else {
            return format!("whom policy '{name}' reaches is not known");
        };
        if let Some(kind) = class.external {
            return format!(
                "whether policy '{name}' reaches people without an account here ({}) is not published for 'All users'",
                kind.as_str()
            );
        }
        let Some(assignment) = &policy.who else {
            return format!("whom policy '{name}' reaches is not known");
        };
        let open = assignment.names().find(|named| {
            self.space
                .people
                .directory()
                .set(*named)
                .is_some_and(|set| people.directory().is_open(set))
        });
        match open {
            Some(Named::Group(id)) => {
                let known = self.tenant.group_members.complete().is_ok();
                let how = if known {
                    "is gone or has members that were not read"
                } else {
                    "has members that were not read (it takes GroupMember.Read.All)"
                };
                return format!(
                    "policy '{name}' names group '{}', which {how}",
                    self.group_name(id)
                );
            }
            Some(Named::Active(id) | Named::Eligible(id)) => {
                return format!("policy '{name}' names role {id}, whose holders were not all read");
            }
            _ => {}
        }
        let lists_tenants = [&assignment.include, &assignment.exclude]
            .into_iter()
            .flat_map(|side| &side.kinds)
            .any(|(_, tenants)| *tenants != Tenants::All);
        if class.home == Home::Unknown && lists_tenants {
            return format!(
                "policy '{name}' names home tenants, and those of guests are not known (access.home_tenants)"
            );
        }
        format!("policy '{name}' names users or kinds of guests that cannot be told")
    }

    /// Whether a guarantee is about workload identities.
    pub(super) fn is_about_workloads(guarantee: &Guarantee) -> bool {
        matches!(guarantee.who, Who::ServicePrincipals(_))
    }
}
