//! What a check says.

use std::collections::BTreeMap;

use super::{Context, Evidence};
use crate::snapshot::tenant::User;
use crate::snapshot::{Guid, Unread, Untrusted};

/// A check's answer: an outcome, or what kept it from one.
pub type Verdict = Result<Outcome, NotEvaluated>;

/// What kept a check from a verdict. A check gets it from the context and passes it on with `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotEvaluated {
    /// Something was not read, or not to its end.
    Unread(Unread),
    /// Everything was read and it does not tell: the sentence says what is missing.
    Unknown(Untrusted),
}

impl From<Unread> for NotEvaluated {
    fn from(unread: Unread) -> Self {
        Self::Unread(unread)
    }
}

impl NotEvaluated {
    /// The data was read and does not tell.
    pub fn unknown(reason: impl Into<Untrusted>) -> Self {
        Self::Unknown(reason.into())
    }
}

/// What a check found. Made by the constructors, refined by the methods; only the engine turns it into a status.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub(crate) answer: Answer,
    pub(crate) reason: Untrusted,
    pub(crate) judged: u64,
    pub(crate) unknown: u64,
    pub(crate) affected: Affected,
    pub(crate) actual: Option<Untrusted>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) confidence: Option<u8>,
    pub(crate) entitlement: Option<EntitlementState>,
}

/// Which way it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Pass,
    Fail,
    NotApplicable,
}

impl Outcome {
    fn new(answer: Answer, reason: Untrusted) -> Self {
        Self {
            answer,
            reason,
            judged: 1,
            unknown: 0,
            affected: Affected::default(),
            actual: None,
            evidence: Vec::new(),
            confidence: None,
            entitlement: None,
        }
    }

    /// The control is in place; the sentence says how, with the numbers.
    pub fn pass(reason: impl Into<Untrusted>) -> Self {
        Self::new(Answer::Pass, reason.into())
    }

    /// The control is not in place; the sentence says what was found, with the numbers.
    pub fn fail(reason: impl Into<Untrusted>) -> Self {
        Self::new(Answer::Fail, reason.into())
    }

    /// There is nothing to judge; the sentence says why.
    pub fn not_applicable(reason: impl Into<Untrusted>) -> Self {
        Self::new(Answer::NotApplicable, reason.into())
    }

    /// One setting: `actual` is its value as read, the two sentences say what it means.
    pub fn setting(
        in_place: bool,
        actual: impl Into<Untrusted>,
        passes: &str,
        fails: &str,
    ) -> Self {
        let outcome = if in_place {
            Self::pass(passes)
        } else {
            Self::fail(fails)
        };
        outcome.actual(actual)
    }

    /// The value that was compared, for the evidence.
    pub fn actual(mut self, actual: impl Into<Untrusted>) -> Self {
        self.actual = Some(actual.into());
        self
    }

    /// The objects that the finding is about, out of how many that were judged.
    pub fn affecting(mut self, affected: Affected, judged: u64) -> Self {
        self.affected = affected;
        self.judged = judged;
        self
    }

    /// One more line of evidence.
    pub fn with_evidence(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    /// Lowers the confidence below the rule's own, in percent.
    pub fn confidence(mut self, percent: u8) -> Self {
        self.confidence = Some(percent);
        self
    }

    /// How far an owned protection is used, for rules of kind entitlement.
    pub fn entitlement(mut self, state: EntitlementState) -> Self {
        self.entitlement = Some(state);
        self
    }
}

/// How far an owned protection is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntitlementState {
    /// No licence offers it.
    NotOwned,
    /// Owned and off.
    Off,
    /// Configured and not enforced: report-only, unassigned, test mode.
    NotEnforced,
    /// Covers a part.
    Partial,
    /// In use.
    InUse,
    /// Cannot be told.
    Unknown,
}

/// Objects judged one by one.
///
/// Counts what passes, what fails and what is unknown; [`outcome`](Self::outcome) draws the conclusion. An unknown object never
/// fails, and with no failing object the rule passes only when at least 95 % of the population is known.
#[derive(Debug, Default)]
pub struct Tally {
    judged: u64,
    unknown: u64,
    affected: Affected,
}

impl Tally {
    /// Nothing judged yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One object that passes.
    pub fn pass(&mut self) {
        self.judged += 1;
    }

    /// So many more that pass.
    pub fn pass_more(&mut self, count: u64) {
        self.judged += count;
    }

    /// So many more of which the data does not tell.
    pub fn unknown_more(&mut self, count: u64) {
        self.unknown += count;
    }

    /// One object that fails.
    pub fn fail(&mut self, object: Object) {
        self.judged += 1;
        self.affected.add(object);
    }

    /// One account that fails. In a large tenant most failing accounts are only counted: `detail`, what is wrong with this one, is
    /// asked for only when the account is kept by name.
    pub fn fail_user(&mut self, cx: &Context<'_>, user: User<'_>, detail: impl FnOnce() -> String) {
        self.judged += 1;
        let tier_0 = || cx.is_privileged(user.id());
        self.affected
            .add_lazily(ObjectType::User, user.id(), tier_0, || {
                cx.user_object(user).detail(detail())
            });
    }

    /// One service principal that fails; `detail` as in [`fail_user`](Self::fail_user).
    pub fn fail_service_principal(
        &mut self,
        cx: &Context<'_>,
        id: Guid,
        detail: impl FnOnce() -> String,
    ) {
        self.judged += 1;
        let tier_0 = || cx.leads_to_tier_0(id);
        self.affected
            .add_lazily(ObjectType::ServicePrincipal, id, tier_0, || {
                cx.service_principal_object(id).detail(detail())
            });
    }

    /// One object of the directory that fails; made only when it is kept, and not one that leads to control of the tenant.
    pub fn fail_directory(&mut self, kind: ObjectType, id: Guid, object: impl FnOnce() -> Object) {
        self.judged += 1;
        self.affected.add_lazily(kind, id, || false, object);
    }

    /// One object, failing or not; the object is only made when it fails.
    pub fn judge(&mut self, fails: bool, object: impl FnOnce() -> Object) {
        if fails {
            self.fail(object());
        } else {
            self.pass();
        }
    }

    /// One object of which the data does not tell.
    pub fn unknown(&mut self) {
        self.unknown += 1;
    }

    /// Objects judged, passing and failing.
    pub fn judged(&self) -> u64 {
        self.judged
    }

    /// Whether there was nothing to judge, not even an unknown object: for rules that always apply, where this is a pass.
    pub fn is_empty(&self) -> bool {
        self.judged == 0 && self.unknown == 0
    }

    /// Objects failing.
    pub fn failing(&self) -> u64 {
        self.affected.count()
    }

    /// Draws the conclusion. `nobody` is the reason when there was nothing to judge; `sentence` is the reason otherwise and
    /// gets the numbers failing and judged (an addition about unknown ones is made here).
    pub fn outcome(self, nobody: &str, sentence: impl FnOnce(u64, u64) -> String) -> Outcome {
        let Self {
            judged,
            unknown,
            affected,
        } = self;
        let failing = affected.count();
        if judged == 0 && unknown == 0 {
            return Outcome::not_applicable(nobody);
        }
        let mut reason = sentence(failing, judged);
        if unknown > 0 {
            reason.push_str(&format!("; {unknown} could not be judged"));
        }
        let mut outcome = if failing > 0 {
            Outcome::fail(reason)
        } else {
            Outcome::pass(reason)
        };
        outcome.unknown = unknown;
        outcome
            .actual(format!("{failing} of {judged}"))
            .affecting(affected, judged)
    }
}

/// The objects that a finding is about: all are counted, the first [`Affected::KEPT`] by id are kept, so two million users
/// cost no more memory than a hundred.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Affected {
    count: u64,
    tier_0: bool,
    kept: BTreeMap<(ObjectType, String), Object>,
    /// The last one kept, once no more are: set by [`Affected::add_lazily`].
    last: Option<(ObjectType, Guid)>,
}

impl Affected {
    /// How many objects are kept by name.
    pub const KEPT: usize = 100;

    /// Counts one object. The same object (type and id) twice, while kept, counts once.
    pub fn add(&mut self, object: Object) {
        self.tier_0 |= object.tier_0;
        let key = (object.kind, object.id.clone());
        if self.kept.insert(key, object).is_none() {
            self.count += 1;
            if self.kept.len() > Self::KEPT {
                self.kept.pop_last();
            }
        }
    }

    /// Counts one directory object and makes it only if it is kept.
    pub fn add_lazily(
        &mut self,
        kind: ObjectType,
        id: Guid,
        tier_0: impl FnOnce() -> bool,
        make: impl FnOnce() -> Object,
    ) {
        if self.last.is_some_and(|last| (kind, id) > last) {
            self.count += 1;
            self.tier_0 = self.tier_0 || tier_0();
            return;
        }
        self.add(make());
        // The texts of ids sort as the ids do, so everything beyond the last one kept can be told without making its text.
        self.last = self
            .kept
            .last_key_value()
            .filter(|_| self.kept.len() == Self::KEPT)
            .and_then(|((kind, id), _)| Some((*kind, id.parse().ok()?)));
    }

    /// How many there are in all.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether one of them leads to control of the tenant.
    pub fn touches_tier_0(&self) -> bool {
        self.tier_0
    }

    /// Those kept, by type and id.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.kept.values()
    }
}

impl FromIterator<Object> for Affected {
    fn from_iter<I: IntoIterator<Item = Object>>(objects: I) -> Self {
        let mut affected = Self::default();
        for object in objects {
            affected.add(object);
        }
        affected
    }
}

/// One object that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: ObjectType,
    /// Its id in Graph.
    pub id: String,
    /// The name to show.
    pub name: Untrusted,
    /// What is wrong with this one, where objects differ; empty otherwise.
    pub detail: Untrusted,
    /// Whether it leads to control of the tenant.
    pub tier_0: bool,
}

impl Object {
    /// An object; [`Context`](super::Context) has shorter ways for users and service principals, which know about tier 0.
    pub fn new(kind: ObjectType, id: impl Into<String>, name: impl Into<Untrusted>) -> Self {
        Self {
            kind,
            id: id.into(),
            name: name.into(),
            detail: Untrusted::default(),
            tier_0: false,
        }
    }

    /// Adds what is wrong with this one.
    pub fn detail(mut self, detail: impl Into<Untrusted>) -> Self {
        self.detail = detail.into();
        self
    }

    /// An object known by its directory id.
    pub fn directory(kind: ObjectType, id: Guid, name: impl Into<Untrusted>) -> Self {
        Self::new(kind, id.to_string(), name)
    }
}

/// What an affected object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names are Graph's")]
pub enum ObjectType {
    User,
    Group,
    ServicePrincipal,
    Application,
    ConditionalAccessPolicy,
    RoleAssignment,
    Domain,
    Tenant,
    Device,
    Platform,
    Alert,
    Incident,
    MessageRule,
    Setting,
    SecureScoreControl,
    PermissionGrantPolicy,
    Area,
    GuestType,
}
