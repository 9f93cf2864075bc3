//! One policy in normal form: what each condition certainly and possibly matches, and what the policy asks for.
//!
//! Every condition has two readings, what it surely covers and what it may cover; they differ where the configuration does not
//! tell, or says it in words that this version does not know. Exclusions swap the two. Sources: Graph, conditionalAccessPolicy and
//! its condition and control types; Microsoft Entra, Conditional Access: Conditions, Target resources, Grant.

use super::assignment::Assignment;
use super::device::{self, Rule};
use crate::snapshot::model::{
    AuthenticationStrengthPolicy, ConditionalAccessApplications,
    ConditionalAccessClientApp as ClientApp, ConditionalAccessConditionSet,
    ConditionalAccessFilter, ConditionalAccessGrantControl as Control,
    ConditionalAccessGrantControls, ConditionalAccessPolicy, ConditionalAccessPolicyState,
    ConditionalAccessSessionControls, RiskLevel,
};
use crate::snapshot::{Guid, Untrusted};

/// The two readings of one condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span<T> {
    /// What it surely covers.
    pub(super) must: T,
    /// What it may cover, all of the former included.
    pub(super) may: T,
}

impl<T: Clone> Span<T> {
    pub(super) fn sure(value: T) -> Self {
        Self {
            must: value.clone(),
            may: value,
        }
    }

    /// One of the readings.
    pub(super) fn read(&self, reading: Reading) -> &T {
        match reading {
            Reading::Must => &self.must,
            Reading::May => &self.may,
        }
    }
}

/// Which of the two readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// What certainly holds.
    Must,
    /// What may hold.
    May,
}

impl Reading {
    /// The reading of what is taken away: to hold for certain, it must not even perhaps be taken away.
    pub(super) fn swapped(self) -> Self {
        match self {
            Self::Must => Self::May,
            Self::May => Self::Must,
        }
    }
}

/// A set of values of a small dimension, one bit for each.
pub(super) type Mask = u16;

/// A dimension whose values are words of Graph.
pub(super) struct Words(pub(super) &'static [&'static str]);

/// Client types.
pub(super) const CLIENTS: Words = Words(&[
    "browser",
    "mobileAppsAndDesktopClients",
    "exchangeActiveSync",
    "other",
]);
/// Clients that can do what a control asks for.
pub(super) const MODERN: Mask = 0b0011;
/// Clients that cannot.
pub(super) const LEGACY: Mask = 0b1100;
/// Platforms; the last one stands for everything that Entra does not recognise.
pub(super) const PLATFORMS: Words = Words(&[
    "android",
    "iOS",
    "windows",
    "macOS",
    "linux",
    "windowsPhone",
    "unknown",
]);
/// Levels of sign-in risk and user risk.
pub(super) const RISKS: Words = Words(&["none", "low", "medium", "high"]);
/// Levels of insider risk.
pub(super) const INSIDER_RISKS: Words = Words(&["none", "minor", "moderate", "elevated"]);
/// Ways in which a sign-in is handed from one device to another.
pub(super) const FLOWS: Words = Words(&["none", "deviceCodeFlow", "authenticationTransfer"]);
/// The bit of the device code flow.
pub(super) const DEVICE_CODE: Mask = 0b010;

impl Words {
    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Every value.
    pub(super) fn all(&self) -> Mask {
        (1 << self.len()) - 1
    }

    /// The bit of a word.
    pub(super) fn bit(&self, word: &str) -> Option<Mask> {
        self.index(word).map(|index| 1 << index)
    }

    /// The place of a word.
    pub(super) fn index(&self, word: &str) -> Option<usize> {
        self.0
            .iter()
            .position(|known| known.eq_ignore_ascii_case(word))
    }

    /// The word at a place.
    pub(super) fn word(&self, index: usize) -> &'static str {
        self.0.get(index).copied().unwrap_or("?")
    }

    /// The values listed. A word that is not known may stand for any value, and surely for none; an empty list is no restriction.
    fn listed<'w>(&self, words: impl Iterator<Item = &'w str>) -> Span<Mask> {
        let mut words = words.peekable();
        if words.peek().is_none() {
            return Span::sure(self.all());
        }
        let mut span = Span::sure(0);
        for word in words {
            match self.bit(word) {
                Some(bit) => {
                    span.must |= bit;
                    span.may |= bit;
                }
                None => span.may = self.all(),
            }
        }
        span
    }
}

/// Whether a policy decides anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Enforced.
    Enabled,
    /// Evaluated and not enforced.
    ReportOnly,
    /// Switched off, or in a state that is not known.
    Disabled,
}

/// What a policy asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ask {
    /// Nobody gets in.
    Block,
    /// A second factor.
    Mfa,
    /// A strength, by its id and, where Graph sent it, its content.
    Strength(Option<Guid>, Option<Box<AuthenticationStrengthPolicy>>),
    /// A compliant device.
    CompliantDevice,
    /// A hybrid joined device.
    DomainJoinedDevice,
    /// A client app that Microsoft approved.
    ApprovedApplication,
    /// A client app under an app protection policy.
    CompliantApplication,
    /// A new password.
    PasswordChange,
    /// What Entra finds right for the risk.
    RiskRemediation,
    /// Terms to be accepted, by id.
    TermsOfUse(Untrusted),
    /// A provider outside; anybody may satisfy it, and it is no second factor here.
    CustomFactor,
    /// Something that this version does not know.
    Unknown(Untrusted),
}

/// The controls and what joins them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Grant {
    /// Each control.
    pub(super) asks: Vec<Ask>,
    /// All are needed; otherwise any one is enough.
    pub(super) all: bool,
}

/// What a policy does to the session of those that it applies to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent controls, as Graph sends them"
)]
pub(super) struct Session {
    pub(super) application_enforced_restrictions: bool,
    pub(super) cloud_app_security: Option<Untrusted>,
    /// `always` or `never`.
    pub(super) persistent_browser: Option<Untrusted>,
    /// Hours after which to sign in again; 0 is every time.
    pub(super) sign_in_frequency: Option<i64>,
    /// `secureSignInSession`.
    pub(super) token_protection: bool,
}

/// Which resources, actions and contexts are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) include: Vec<Untrusted>,
    pub(super) exclude: Vec<Untrusted>,
    pub(super) actions: Vec<Untrusted>,
    pub(super) contexts: Vec<Untrusted>,
    /// Of a filter on custom security attributes: whether it excludes. The attributes themselves are not read.
    pub(super) filter: Option<Mode>,
}

/// Whether a filter includes or excludes what it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Include,
    Exclude,
    /// A word that is not known.
    Unknown,
}

/// A device filter.
#[derive(Debug, Clone)]
pub(super) struct DeviceFilter {
    pub(super) mode: Mode,
    /// `None` when it does not parse.
    pub(super) rule: Option<Rule>,
}

/// Workload identities that a policy is about.
#[derive(Debug, Clone, Default)]
pub(super) struct Workloads {
    pub(super) include: Vec<Untrusted>,
    pub(super) exclude: Vec<Untrusted>,
    pub(super) has_filter: bool,
}

/// One policy.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    /// Its id; of what is no policy but acts like one, a name in plain words.
    pub(super) id: Untrusted,
    pub(super) name: Untrusted,
    pub(super) effect: Effect,
    /// Security defaults, per-user MFA and the like, which are no policies of the tenant.
    pub(super) is_virtual: bool,
    /// Whom it includes and excludes; `None` for policies about workload identities.
    pub(super) who: Option<Assignment>,
    pub(super) workloads: Option<Workloads>,
    pub(super) target: Target,
    pub(super) clients: Span<Mask>,
    pub(super) platforms: Span<Mask>,
    /// Words of the locations condition; `None` when it is not set.
    pub(super) locations: Option<(Vec<Untrusted>, Vec<Untrusted>)>,
    pub(super) devices: Option<DeviceFilter>,
    pub(super) sign_in_risk: Span<Mask>,
    pub(super) user_risk: Span<Mask>,
    pub(super) insider_risk: Span<Mask>,
    pub(super) service_principal_risk: Span<Mask>,
    pub(super) flows: Span<Mask>,
    pub(super) grant: Grant,
    pub(super) session: Session,
    /// What in it this version does not understand, in words for the reader.
    pub(super) not_understood: Vec<String>,
    /// It may have conditions that are not known: it surely applies to nothing.
    pub(super) has_unknown_condition: bool,
}

impl Policy {
    /// Reads a policy as Graph sent it.
    pub(super) fn read(policy: &ConditionalAccessPolicy) -> Self {
        let nothing = ConditionalAccessConditionSet::default();
        let conditions = policy.conditions.as_ref().unwrap_or(&nothing);
        let id = policy.id.clone().unwrap_or_default();
        let named = |name: &&Untrusted| !name.is_blank();
        let name = policy.display_name.as_ref().filter(named).unwrap_or(&id);
        let workloads = workloads(conditions);
        let mut not_understood: Vec<String> = policy
            .unknown_members
            .iter()
            .map(|path| format!("its member {}", path.for_terminal()))
            .collect();
        let has_unknown_condition = policy
            .unknown_members
            .iter()
            .any(|path| !path.raw().starts_with("grantControls"));
        let mut grant = policy
            .grant_controls
            .as_ref()
            .map(Grant::read)
            .unwrap_or_default();
        for path in &policy.unknown_members {
            if path.raw().starts_with("grantControls") {
                grant.asks.push(Ask::Unknown(path.clone()));
            }
        }
        let devices = conditions
            .devices
            .as_ref()
            .and_then(|devices| devices.device_filter.as_ref())
            .map(|filter| device_filter(filter, &mut not_understood));
        for ask in &grant.asks {
            if let Ask::Unknown(word) = ask {
                not_understood.push(format!("its control {}", word.for_terminal()));
            }
        }
        let clients = clients(conditions, policy.created_date_time);
        let no_client_listed = conditions.client_app_types.iter().flatten().count() == 0;
        if no_client_listed && clients.must != clients.may {
            not_understood
                .push("its empty list of client types, from before August 2020,".to_owned());
        }
        Self {
            name: name.clone(),
            effect: match &policy.state {
                Some(ConditionalAccessPolicyState::Enabled) => Effect::Enabled,
                Some(ConditionalAccessPolicyState::ReportOnly) => Effect::ReportOnly,
                _ => Effect::Disabled,
            },
            is_virtual: false,
            who: workloads.is_none().then(|| {
                conditions
                    .users
                    .as_ref()
                    .map(Assignment::read)
                    .unwrap_or_default()
            }),
            workloads,
            target: conditions
                .applications
                .as_ref()
                .map(Target::read)
                .unwrap_or_default(),
            clients,
            platforms: platforms(conditions),
            locations: conditions.locations.as_ref().map(|locations| {
                let words = |words: &Option<Vec<Untrusted>>| words.clone().unwrap_or_default();
                (
                    words(&locations.include_locations),
                    words(&locations.exclude_locations),
                )
            }),
            devices,
            sign_in_risk: risks(conditions.sign_in_risk_levels.as_deref()),
            user_risk: risks(conditions.user_risk_levels.as_deref()),
            insider_risk: INSIDER_RISKS.listed(flags(conditions.insider_risk_levels.as_ref())),
            service_principal_risk: risks(conditions.service_principal_risk_levels.as_deref()),
            flows: FLOWS.listed(flags(
                conditions
                    .authentication_flows
                    .as_ref()
                    .and_then(|flows| flows.transfer_methods.as_ref()),
            )),
            grant,
            session: policy
                .session_controls
                .as_ref()
                .map(Session::read)
                .unwrap_or_default(),
            not_understood,
            has_unknown_condition,
            id,
        }
    }

    /// Something that acts like an enabled policy on all sign-ins, to be narrowed.
    pub(super) fn acting(name: &str, who: Assignment, asks: Ask) -> Self {
        Self {
            id: name.into(),
            name: name.into(),
            effect: Effect::Enabled,
            is_virtual: true,
            who: Some(who),
            workloads: None,
            target: Target {
                include: vec!["All".into()],
                ..Target::default()
            },
            clients: Span::sure(CLIENTS.all()),
            platforms: Span::sure(PLATFORMS.all()),
            locations: None,
            devices: None,
            sign_in_risk: Span::sure(RISKS.all()),
            user_risk: Span::sure(RISKS.all()),
            insider_risk: Span::sure(INSIDER_RISKS.all()),
            service_principal_risk: Span::sure(RISKS.all()),
            flows: Span::sure(FLOWS.all()),
            grant: Grant {
                asks: vec![asks],
                all: false,
            },
            session: Session::default(),
            not_understood: Vec::new(),
            has_unknown_condition: false,
        }
    }
}

impl Grant {
    fn read(grant: &ConditionalAccessGrantControls) -> Self {
        let mut asks = Vec::new();
        for control in grant.built_in_controls.iter().flatten() {
            asks.push(match control {
                Control::Block => Ask::Block,
                Control::Mfa => Ask::Mfa,
                Control::CompliantDevice => Ask::CompliantDevice,
                Control::DomainJoinedDevice => Ask::DomainJoinedDevice,
                Control::ApprovedApplication => Ask::ApprovedApplication,
                Control::CompliantApplication => Ask::CompliantApplication,
                Control::PasswordChange => Ask::PasswordChange,
                Control::RiskRemediation => Ask::RiskRemediation,
                Control::Other(word) => Ask::Unknown(word.clone()),
            });
        }
        if let Some(strength) = &grant.authentication_strength {
            let id = strength.id.as_ref().and_then(|id| id.raw().parse().ok());
            let content = strength.allowed_combinations.is_some();
            asks.push(Ask::Strength(
                id,
                content.then(|| Box::new(strength.clone())),
            ));
        }
        asks.extend(
            grant
                .terms_of_use
                .iter()
                .flatten()
                .cloned()
                .map(Ask::TermsOfUse),
        );
        asks.extend(
            grant
                .custom_authentication_factors
                .iter()
                .flatten()
                .map(|_| Ask::CustomFactor),
        );
        // Without a word that joins them, any one may be enough.
        let all = grant.operator.as_ref().is_some_and(|word| word.is("AND"));
        Self { asks, all }
    }
}

impl Session {
    fn read(session: &ConditionalAccessSessionControls) -> Self {
        let frequency = session
            .sign_in_frequency
            .as_ref()
            .filter(|control| control.is_enabled == Some(true));
        Self {
            application_enforced_restrictions: session
                .application_enforced_restrictions
                .as_ref()
                .is_some_and(|control| control.is_enabled == Some(true)),
            cloud_app_security: session
                .cloud_app_security
                .as_ref()
                .filter(|control| control.is_enabled == Some(true))
                .map(|control| control.cloud_app_security_type.clone().unwrap_or_default()),
            persistent_browser: session
                .persistent_browser
                .as_ref()
                .filter(|control| control.is_enabled == Some(true))
                .map(|control| control.mode.clone().unwrap_or_default()),
            sign_in_frequency: frequency.and_then(|control| {
                if control
                    .frequency_interval
                    .as_ref()
                    .is_some_and(|word| word.is("everyTime"))
                {
                    return Some(0);
                }
                let unit = if control.unit.as_ref().is_some_and(|unit| unit.is("days")) {
                    24
                } else {
                    1
                };
                control
                    .value
                    .filter(|&value| value > 0)
                    .map(|value| value.saturating_mul(unit))
            }),
            token_protection: session
                .secure_sign_in_session
                .as_ref()
                .is_some_and(|control| control.is_enabled == Some(true)),
        }
    }
}

impl Target {
    fn read(applications: &ConditionalAccessApplications) -> Self {
        let words = |words: &Option<Vec<Untrusted>>| words.clone().unwrap_or_default();
        Self {
            include: words(&applications.include_applications),
            exclude: words(&applications.exclude_applications),
            actions: words(&applications.include_user_actions),
            contexts: words(&applications.include_authentication_context_class_references),
            filter: applications
                .application_filter
                .as_ref()
                .map(|filter| mode(filter.mode.as_ref())),
        }
    }
}

fn mode(word: Option<&Untrusted>) -> Mode {
    match word {
        Some(word) if word.is("include") => Mode::Include,
        Some(word) if word.is("exclude") => Mode::Exclude,
        _ => Mode::Unknown,
    }
}

fn device_filter(
    filter: &ConditionalAccessFilter,
    not_understood: &mut Vec<String>,
) -> DeviceFilter {
    let text = filter.rule.as_ref().map_or("", Untrusted::raw);
    let rule = device::parse(text)
        .map_err(|error| {
            not_understood.push(format!(
                "its device filter, at column {}: {}",
                error.column,
                Untrusted::from(error.what).for_terminal()
            ));
        })
        .ok();
    DeviceFilter {
        mode: mode(filter.mode.as_ref()),
        rule,
    }
}

fn workloads(conditions: &ConditionalAccessConditionSet) -> Option<Workloads> {
    let has_risk = conditions
        .service_principal_risk_levels
        .iter()
        .flatten()
        .count()
        > 0;
    let apps = conditions.client_applications.as_ref();
    let words = |words: Option<&Vec<Untrusted>>| words.cloned().unwrap_or_default();
    let workloads = Workloads {
        include: words(apps.and_then(|apps| apps.include_service_principals.as_ref())),
        exclude: words(apps.and_then(|apps| apps.exclude_service_principals.as_ref())),
        has_filter: apps.is_some_and(|apps| apps.service_principal_filter.is_some()),
    };
    (!workloads.include.is_empty() || workloads.has_filter || has_risk).then_some(workloads)
}

/// Policies from before August 2020 that never set the condition kept the older meaning, modern clients only: an empty list of such
/// a policy surely covers those and may cover all. Source: Conditional Access: Conditions, client apps.
fn clients(
    conditions: &ConditionalAccessConditionSet,
    created: Option<jiff::Timestamp>,
) -> Span<Mask> {
    const AUGUST_2020: i64 = 1_596_240_000;
    let listed = conditions.client_app_types.as_deref().unwrap_or_default();
    if listed.is_empty() {
        // A date that is missing may be an old one.
        let is_old = created.is_none_or(|at| at.as_second() < AUGUST_2020);
        return Span {
            must: if is_old { MODERN } else { CLIENTS.all() },
            may: CLIENTS.all(),
        };
    }
    listed.iter().fold(Span::sure(0), |span, listed| {
        let (must, may) = match listed {
            ClientApp::All => (CLIENTS.all(), CLIENTS.all()),
            // ActiveSync on some platforms only, an old value.
            ClientApp::EasSupported => (0b0100, 0b0100),
            ClientApp::Other(_) => (0, CLIENTS.all()),
            known => {
                let bit = CLIENTS.bit(known.as_str()).unwrap_or_default();
                (bit, bit)
            }
        };
        Span {
            must: span.must | must,
            may: span.may | may,
        }
    })
}

/// `all` includes platforms that are not known; a list of all known ones does not.
fn platforms(conditions: &ConditionalAccessConditionSet) -> Span<Mask> {
    let Some(platforms) = &conditions.platforms else {
        return Span::sure(PLATFORMS.all());
    };
    let include = platforms.include_platforms.as_deref().unwrap_or_default();
    let exclude = platforms.exclude_platforms.as_deref().unwrap_or_default();
    let raw = |words: &[Untrusted]| {
        let mut span = Span::sure(0);
        for word in words {
            let (must, may) = match PLATFORMS.bit(word.raw()) {
                _ if word.is("all") => (PLATFORMS.all(), PLATFORMS.all()),
                Some(bit) => (bit, bit),
                None => (0, PLATFORMS.all()),
            };
            span.must |= must;
            span.may |= may;
        }
        span
    };
    let included = if include.is_empty() {
        Span::sure(PLATFORMS.all())
    } else {
        raw(include)
    };
    let excluded = raw(exclude);
    Span {
        must: included.must & !excluded.may,
        may: included.may & !excluded.must,
    }
}

fn risks(levels: Option<&[RiskLevel]>) -> Span<Mask> {
    RISKS.listed(levels.unwrap_or_default().iter().map(RiskLevel::as_str))
}

/// The members of a flags value, comma separated in one string.
fn flags(text: Option<&Untrusted>) -> impl Iterator<Item = &str> {
    text.map_or("", Untrusted::raw)
        .split(',')
        .map(str::trim)
        .filter(|flag| !flag.is_empty())
}
