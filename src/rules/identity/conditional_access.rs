//! What all rules share that ask Conditional Access for a guarantee: what they read, whom they judge, how the answer is told.

use std::collections::BTreeSet;

use crate::access::{Answer, Coverage, Facts, Gap, Question, Shapes, Subject};
use crate::rules::Evidence;
use crate::rules::prelude::*;
use crate::snapshot::State;
use crate::snapshot::model::{
    ConditionalAccessPolicy, ConditionalAccessPolicyState, NamedLocation,
};
use crate::snapshot::tenant::{User, Users};

/// How sure a failure is that single policies do not rule out: several might close the gap together.
const STRICTER_READING: u8 = 80;

/// The policies, read to their end: what fails because no policy covers something needs all of them. A tenant without a licence
/// for Conditional Access has none.
pub(in crate::rules) fn all_policies<'a>(
    cx: &Context<'a>,
) -> Result<&'a [ConditionalAccessPolicy], NotEvaluated> {
    match cx.conditional_access_policies() {
        Ok(policies) => {
            cx.whole(Resource::ConditionalAccessPolicies)?;
            Ok(policies)
        }
        Err(NotEvaluated::Unread(unread))
            if matches!(unread.state, State::NotLicensed { .. })
                && cx.owns(Licence::ENTRA_P1) == Some(false) =>
        {
            Ok(&[])
        }
        Err(why) => Err(why),
    }
}

/// The policies in the form in which questions are asked.
pub(in crate::rules) struct Policies<'a> {
    /// The policies.
    pub(in crate::rules) shapes: Shapes<'a>,
    /// What enabled policies rest on and was not read: the reason for an answer that cannot be given.
    pub(in crate::rules) missing: Option<NotEvaluated>,
}

/// Reads the policies. Members of groups and eligible roles that were not read matter only for those whom they could reach:
/// the answer for these is unknown. `locations` tell which named locations are trusted; empty where no place is asked about.
pub(in crate::rules) fn read_policies<'a>(
    cx: &Context<'a>,
    policies: &'a [ConditionalAccessPolicy],
    locations: &'a [NamedLocation],
) -> Result<Policies<'a>, NotEvaluated> {
    let named = Named::by_enabled(policies);
    cx.whole(Resource::RoleAssignments)?;
    let groups = cx.whole(Resource::GroupTransitiveMembers);
    let eligible = match cx.owns(Licence::PIM) {
        Some(false) => Ok(()),
        _ => cx.whole(Resource::RoleEligibilityScheduleInstances),
    };
    // Graph sends a strength's content inside the policy; the list only helps where it did not.
    let strengths = if named.bare_strengths {
        cx.authentication_strengths()
    } else {
        Ok(&[][..])
    };
    let facts = Facts {
        policies,
        strengths: strengths.as_ref().copied().unwrap_or_default(),
        locations,
        group_members: match &groups {
            Ok(()) => Some(cx.group_members()?),
            Err(_) => None,
        },
        users: cx.known_users(),
        holders: cx.known_holders()?,
        active_known: true,
        eligible_known: eligible.is_ok(),
    };
    let shapes = cx.shapes(&facts);
    let missing = [
        groups.err().filter(|_| named.groups || named.roles),
        eligible.err().filter(|_| named.excluded_roles),
        strengths.err(),
    ];
    Ok(Policies {
        shapes,
        missing: missing.into_iter().flatten().next(),
    })
}

/// What enabled policies name.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "four independent facts")]
struct Named {
    groups: bool,
    roles: bool,
    excluded_roles: bool,
    bare_strengths: bool,
}

impl Named {
    fn by_enabled(policies: &[ConditionalAccessPolicy]) -> Self {
        let mut named = Self::default();
        let any = |words: Option<&Vec<Untrusted>>| words.is_some_and(|words| !words.is_empty());
        for policy in policies
            .iter()
            .filter(|policy| policy.state == Some(ConditionalAccessPolicyState::Enabled))
        {
            if let Some(users) = policy
                .conditions
                .as_ref()
                .and_then(|conditions| conditions.users.as_ref())
            {
                named.groups |=
                    any(users.include_groups.as_ref()) || any(users.exclude_groups.as_ref());
                named.roles |=
                    any(users.include_roles.as_ref()) || any(users.exclude_roles.as_ref());
                named.excluded_roles |= any(users.exclude_roles.as_ref());
            }
            named.bare_strengths |= policy
                .grant_controls
                .as_ref()
                .and_then(|grant| grant.authentication_strength.as_ref())
                .is_some_and(|strength| {
                    strength.requirements_satisfied.is_none()
                        || strength.allowed_combinations.is_none()
                });
        }
        named
    }
}

/// Enabled accounts to be judged, and those that are left out and shown apart: declared emergency access accounts and the
/// accounts that synchronise the local directory. Microsoft's guidance excludes both from policies.
pub(in crate::rules) struct Population<'a> {
    users: &'a Users,
    /// Judged, by their places in the list of accounts.
    judged: Vec<u32>,
    /// Shown apart.
    pub(in crate::rules) apart: Vec<User<'a>>,
}

impl<'a> Population<'a> {
    fn of(
        cx: &Context<'a>,
        users: &'a Users,
        wanted: impl Iterator<Item = User<'a>>,
    ) -> Result<Self, NotEvaluated> {
        // Synchronisation accounts are known by their role: without the assignments, one of them would be judged.
        cx.whole(Resource::RoleAssignments)?;
        let (mut judged, mut apart) = (Vec::new(), Vec::new());
        for user in wanted.filter(|user| user.is_enabled()) {
            if cx.is_emergency(user.id()) || cx.is_sync_account(user.id()) {
                apart.push(user);
            } else {
                judged.push(user.index());
            }
        }
        Ok(Self {
            users,
            judged,
            apart,
        })
    }

    /// Those who are judged.
    pub(in crate::rules) fn judged(&self) -> impl Iterator<Item = User<'a>> {
        self.judged.iter().filter_map(|&index| self.users.at(index))
    }

    /// How many are judged.
    pub(in crate::rules) fn len(&self) -> usize {
        self.judged.len()
    }

    /// Whether nobody is judged.
    pub(in crate::rules) fn is_empty(&self) -> bool {
        self.judged.is_empty()
    }
}

/// Enabled accounts, members only or guests too.
pub(in crate::rules) fn population<'a>(
    cx: &Context<'a>,
    wanted: impl Fn(User<'a>) -> bool,
) -> Result<Population<'a>, NotEvaluated> {
    let users = cx.users()?;
    Population::of(cx, users, users.iter().filter(|&user| wanted(user)))
}

/// Enabled accounts among a few that are named.
pub(in crate::rules) fn population_among<'a>(
    cx: &Context<'a>,
    ids: &BTreeSet<Guid>,
) -> Result<Population<'a>, NotEvaluated> {
    let users = cx.users()?;
    Population::of(cx, users, ids.iter().filter_map(|&id| users.get(id)))
}

/// What a guarantee says, in words: `pass` and `fail` complete sentences about accounts.
pub(in crate::rules) struct Words {
    /// Whom: `enabled members`.
    pub(in crate::rules) who: &'static str,
    /// What must hold for each: `are asked for a second factor in every sign-in`.
    pub(in crate::rules) held: &'static str,
    /// The reason when there is nobody.
    pub(in crate::rules) nobody: &'static str,
}

/// Asks for a guarantee, account by account.
pub(in crate::rules) struct Guarantee<'s, 'a> {
    shapes: &'s Shapes<'a>,
    missing: Option<&'s NotEvaluated>,
    answers: Vec<Answer<'s, 'a>>,
    pub(in crate::rules) tally: Tally,
    certain: bool,
    unknown: BTreeSet<String>,
    apart: Option<(u64, u64)>,
}

/// The worst answer to any of the questions in any of the states.
enum Worst {
    Covered,
    Unknown(String),
    /// Which question, and in which state.
    Open(usize, Subject),
}

impl<'s, 'a> Guarantee<'s, 'a> {
    /// All of the questions must be answered well.
    pub(in crate::rules) fn new(policies: &'s Policies<'a>, questions: &[Question]) -> Self {
        let ask = |&question| policies.shapes.ask(question);
        Self {
            shapes: &policies.shapes,
            missing: policies.missing.as_ref(),
            answers: questions.iter().map(ask).collect(),
            tally: Tally::new(),
            certain: true,
            unknown: BTreeSet::new(),
            apart: None,
        }
    }

    /// Asks for every account of a population as it is.
    pub(in crate::rules) fn judge_all(&mut self, cx: &Context<'_>, population: &Population<'_>) {
        for user in population.judged() {
            self.judge_user(cx, user, &[self.shapes.subject(user)]);
        }
        self.show_apart(&population.apart);
    }

    /// Asks for one account in each of its states.
    pub(in crate::rules) fn judge_user(
        &mut self,
        cx: &Context<'_>,
        user: User<'_>,
        states: &[Subject],
    ) {
        if let Some((answer, state)) = self.open(states)
            && let Some(Coverage::Open(gap)) =
                self.answers.get_mut(answer).map(|answer| answer.of(state))
        {
            self.certain &= gap.certain;
            self.tally.fail_user(cx, user, || describe(gap));
        }
    }

    /// Asks for one kind of external users; the object is only made when it fails.
    pub(in crate::rules) fn judge(
        &mut self,
        subject: Subject,
        object: impl FnOnce(&Gap) -> Object,
    ) {
        if let Some((answer, state)) = self.open(&[subject])
            && let Some(Coverage::Open(gap)) =
                self.answers.get_mut(answer).map(|answer| answer.of(state))
        {
            self.certain &= gap.certain;
            self.tally.fail(object(gap).detail(describe(gap)));
        }
    }

    /// The first question and state in which something is open; counts what passes and what is unknown.
    fn open(&mut self, states: &[Subject]) -> Option<(usize, Subject)> {
        match self.worst(states) {
            Worst::Open(answer, state) => return Some((answer, state)),
            Worst::Covered => self.tally.pass(),
            Worst::Unknown(why) => {
                self.tally.unknown();
                self.unknown.insert(why);
            }
        }
        None
    }

    /// Accounts that are left out: how many, and how many of them are not covered, stands in the evidence.
    pub(in crate::rules) fn show_apart(&mut self, accounts: &[User<'_>]) {
        if accounts.is_empty() {
            return;
        }
        let open = accounts
            .iter()
            .filter(|&&user| {
                let subject = self.shapes.subject(user);
                !matches!(self.worst(&[subject]), Worst::Covered)
            })
            .count();
        self.apart = Some((accounts.len() as u64, open as u64));
    }

    fn worst(&mut self, states: &[Subject]) -> Worst {
        let mut worst = Worst::Covered;
        for (index, answer) in self.answers.iter_mut().enumerate() {
            for &state in states {
                match (answer.of(state), &worst) {
                    (Coverage::Open(_), _) => return Worst::Open(index, state),
                    (Coverage::Unknown(why), Worst::Covered) => worst = Worst::Unknown(why.clone()),
                    _ => {}
                }
            }
        }
        worst
    }

    /// Draws the conclusion.
    pub(in crate::rules) fn verdict(self, words: &Words) -> Verdict {
        let failing = self.tally.failing();
        if failing == 0
            && let Some(why) = self.unknown.first()
        {
            return Err(self.missing.cloned().unwrap_or_else(|| {
                NotEvaluated::unknown(format!(
                    "whether all {} {} cannot be told: {why}",
                    words.who, words.held
                ))
            }));
        }
        let any_enabled = self.shapes.enabled().next().is_some();
        let outcome = self.tally.outcome(words.nobody, |failing, all| {
            let Words { who, held, .. } = words;
            if failing == 0 {
                format!("all {all} {who} {held}")
            } else if any_enabled {
                format!(
                    "no single enabled policy makes sure that {failing} of {all} {who} {held}"
                )
            } else {
                format!("no Conditional Access policy is enabled to make sure that {failing} of {all} {who} {held}")
            }
        });
        let outcome = if failing > 0 && !self.certain {
            outcome.confidence(STRICTER_READING)
        } else {
            outcome
        };
        Ok(match self.apart {
            None => outcome,
            Some((accounts, open)) => outcome.with_evidence(Evidence::new(
                Some(Resource::Users),
                "declared emergency access and synchronisation accounts",
                "left out of the judgement",
                format!("{accounts} left out, {open} of them not covered"),
            )),
        })
    }
}

/// What is open for one account, in words; the policy's name in it is a tenant's text.
fn describe(gap: &Gap) -> String {
    let mut open = Vec::new();
    let part = |words: Vec<&'static str>| (words.len() < 4).then(|| words.join(", "));
    open.extend(part(gap.clients.words()).map(|words| format!("open for {words}")));
    open.extend(
        part(gap.sign_in_risk.words()).map(|words| format!("open at sign-in risk {words}")),
    );
    open.extend(part(gap.user_risk.words()).map(|words| format!("open at user risk {words}")));
    match &gap.nearest {
        Some(nearest) => open.push(format!("nearest: {nearest}")),
        None => open.push("no policy comes near".to_owned()),
    }
    open.join("; ")
}

/// Security defaults as proof: the outcome where they are on or where there is nobody to judge, `None` where policies must answer.
pub(in crate::rules) fn security_defaults_are_on(
    cx: &Context<'_>,
    judged: usize,
    words: &Words,
    reason: &str,
) -> Result<Option<Outcome>, NotEvaluated> {
    if judged == 0 {
        return Ok(Some(Outcome::not_applicable(words.nobody)));
    }
    match cx.security_defaults()?.is_enabled {
        Some(true) => Ok(Some(
            Outcome::pass(reason)
                .actual("security defaults are on")
                .affecting(Affected::default(), judged as u64),
        )),
        Some(false) => Ok(None),
        None => Err(NotEvaluated::unknown(
            "isEnabled of the security defaults is absent",
        )),
    }
}
