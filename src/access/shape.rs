//! One policy, read: whom and what it is about.

use super::Facts;
use super::grant::Grant;
use super::question::{Clients, Devices, Places, RiskLevels, Target};
use super::subjects::{Belongs, Directory, ExternalKind, Kinds, Named, Subject};
use super::who::{By, Side, excluded, included};
use crate::snapshot::model::{
    ConditionalAccessApplications, ConditionalAccessClientApp as ClientApp,
    ConditionalAccessConditionSet, ConditionalAccessPolicy, ConditionalAccessPolicyState as State,
    NamedLocation, RiskLevel,
};
use crate::snapshot::{Guid, Untrusted};

/// Which resources, actions or contexts a policy is about.
struct Aim {
    all: bool,
    included: Vec<Untrusted>,
    excluded: Vec<Untrusted>,
    actions: Vec<Untrusted>,
    filtered: bool,
}

/// How far one policy goes in one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Everything that is asked about.
    Whole,
    /// A part.
    Part,
    /// Nothing.
    Nothing,
}

/// One policy as it is read here.
pub struct Shape<'a> {
    pub(super) policy: &'a ConditionalAccessPolicy,
    pub(super) include: Side,
    pub(super) exclude: Side,
    aim: Aim,
    pub(super) clients: Clients,
    /// What it may be about, where the list of client types is open to two readings.
    pub(super) clients_at_most: Clients,
    pub(super) sign_in_risk: RiskLevels,
    pub(super) user_risk: RiskLevels,
    pub(super) any_insider_risk: bool,
    pub(super) any_platform: bool,
    places: Option<Places>,
    devices: Option<Devices>,
    flows: Option<Vec<String>>,
    pub(super) grant: Grant<'a>,
}

impl<'a> Shape<'a> {
    /// Reads one policy.
    pub(super) fn read(policy: &'a ConditionalAccessPolicy, facts: &Facts<'a>) -> Self {
        static NOTHING: std::sync::LazyLock<ConditionalAccessConditionSet> =
            std::sync::LazyLock::new(ConditionalAccessConditionSet::default);
        let conditions = policy.conditions.as_ref().unwrap_or(&NOTHING);
        let workload = conditions
            .client_applications
            .as_ref()
            .is_some_and(|apps| apps.include_service_principals.iter().flatten().count() > 0)
            || conditions
                .service_principal_risk_levels
                .iter()
                .flatten()
                .count()
                > 0;
        // A policy about workload identities reaches no user.
        let users = conditions.users.as_ref().filter(|_| !workload);
        let (clients, clients_at_most) = clients(conditions, policy.created_date_time);
        Self {
            policy,
            include: users.map(included).unwrap_or_default(),
            exclude: users.map(excluded).unwrap_or_default(),
            aim: aim(conditions.applications.as_ref()),
            clients,
            clients_at_most,
            sign_in_risk: levels(conditions.sign_in_risk_levels.as_deref()),
            user_risk: levels(conditions.user_risk_levels.as_deref()),
            any_insider_risk: conditions
                .insider_risk_levels
                .as_ref()
                .is_none_or(Untrusted::is_blank),
            any_platform: any_platform(conditions),
            places: places(conditions, facts.locations),
            devices: devices(conditions),
            flows: flows(conditions),
            grant: Grant::read(policy, facts.strengths),
        }
    }

    /// The policy itself.
    pub fn policy(&self) -> &'a ConditionalAccessPolicy {
        self.policy
    }

    /// Only an enabled policy protects.
    pub fn is_enabled(&self) -> bool {
        self.policy.state == Some(State::Enabled)
    }

    /// Its name, or its id where it has none.
    pub fn name(&self) -> &'a str {
        let blank = |text: &&Untrusted| !text.is_blank();
        self.policy
            .display_name
            .as_ref()
            .filter(blank)
            .or(self.policy.id.as_ref())
            .map_or("without a name", Untrusted::raw)
    }

    /// `All` users are included.
    pub fn includes_everyone(&self) -> bool {
        self.include.everyone
    }

    /// Every kind of guest and external user, of every tenant, is included as such.
    pub fn includes_all_guests(&self) -> bool {
        Kinds::EXTERNAL.within(self.include.kinds)
    }

    /// Any kind of guest or external user is included as such.
    pub fn is_about_guests(&self) -> bool {
        !self.include.kinds.is_empty()
    }

    /// One kind is included as such, of every tenant.
    pub fn names_kind(&self, kind: ExternalKind) -> bool {
        Kinds::of(kind).within(self.include.kinds)
    }

    /// Whether every one of these roles is included.
    pub fn includes_roles(&self, roles: impl IntoIterator<Item = Guid>) -> bool {
        roles
            .into_iter()
            .all(|role| self.include.roles.contains(&role))
    }

    /// It asks for block, a second factor, a strength or a managed device.
    pub fn guards(&self) -> bool {
        self.grant.guards()
    }

    /// It is about all resources without exception.
    pub fn is_about_all_resources(&self) -> bool {
        self.aims_at(Target::AllResources) == Reach::Whole
    }

    /// It is about some resource, and not only about user actions or authentication contexts.
    pub fn is_about_resources(&self) -> bool {
        self.aim.included.iter().any(|app| !app.is("None")) || self.aim.filtered
    }

    /// Applies only to legacy clients, to special sign-in flows, or at a risk.
    pub fn is_about_special_sign_ins(&self) -> bool {
        self.clients_at_most.within(Clients::LEGACY)
            || self.flows.is_some()
            || self.sign_in_risk != RiskLevels::ALL
            || self.user_risk != RiskLevels::ALL
    }

    pub(super) fn names(&self) -> impl Iterator<Item = Named> {
        self.include.names().chain(self.exclude.names())
    }

    /// Whether it applies to the subject in every state that the subject can bring about: an eligible role does not include
    /// (it may be left inactive) and does exclude (it may be activated). With what decided.
    pub(super) fn surely_applies(&self, subject: Subject, directory: &Directory) -> (Belongs, By) {
        let (included, by) = self.include.holds(subject, directory, false);
        // Of a whole kind, some tenants included is not all, and some tenants excluded is a hole.
        let every = |belongs: Belongs, otherwise: Belongs| match belongs {
            Belongs::Perhaps if subject.every_tenant => otherwise,
            belongs => belongs,
        };
        let included = every(included, Belongs::No);
        if included == Belongs::No {
            return (Belongs::No, By::Nothing);
        }
        let (out, out_by) = self.exclude.holds(subject, directory, true);
        match every(out, Belongs::Yes) {
            Belongs::No => (included, by),
            out => (out.not(), out_by),
        }
    }

    /// Whether it can apply to the subject in some state.
    pub(super) fn can_apply(&self, subject: Subject, directory: &Directory) -> Belongs {
        let (included, _) = self.include.holds(subject, directory, true);
        let (out, _) = self.exclude.holds(subject, directory, false);
        included.min(out.not())
    }

    /// Whether the subject is excluded, now or with an eligible role activated.
    pub(super) fn excludes(&self, subject: Subject, directory: &Directory) -> Belongs {
        self.exclude.holds(subject, directory, true).0
    }

    /// How much of the target it is about.
    pub(super) fn aims_at(&self, target: Target) -> Reach {
        let aim = &self.aim;
        match target {
            Target::AllResources => match (aim.all, aim.included.is_empty()) {
                (true, _) if aim.excluded.is_empty() && !aim.filtered => Reach::Whole,
                (false, true) if !aim.filtered => Reach::Nothing,
                _ => Reach::Part,
            },
            Target::OfficeResource(app) => {
                let named = |word: &Untrusted| {
                    word.is("Office365") || word.raw().parse::<Guid>() == Ok(app)
                };
                // A word that is no id and not Office365 is a set of resources that is not known here.
                let may_name =
                    |word: &Untrusted| named(word) || word.raw().parse::<Guid>().is_err();
                if aim.excluded.iter().any(named) {
                    Reach::Nothing
                } else if aim.filtered || aim.excluded.iter().any(may_name) {
                    Reach::Part
                } else if aim.all || aim.included.iter().any(named) {
                    Reach::Whole
                } else {
                    Reach::Nothing
                }
            }
            Target::UserAction(action) => {
                if aim.actions.iter().any(|word| word.is(action)) {
                    Reach::Whole
                } else {
                    Reach::Nothing
                }
            }
        }
    }

    pub(super) fn excludes_resources(&self) -> bool {
        self.aim.all && !self.aim.excluded.is_empty()
    }

    pub(super) fn covers_places(&self, places: Places) -> bool {
        self.places == Some(Places::Everywhere) || self.places == Some(places)
    }

    pub(super) fn covers_devices(&self, devices: Devices) -> bool {
        self.devices == Some(Devices::Any) || self.devices == Some(devices)
    }

    /// Whether it is about this flow; `None` asks about every sign-in, whatever the flow.
    pub(super) fn covers_flow(&self, flow: Option<&str>) -> Reach {
        match (&self.flows, flow) {
            (None, _) => Reach::Whole,
            (Some(_), None) => Reach::Part,
            (Some(flows), Some(flow)) => {
                if flows.iter().any(|known| known.eq_ignore_ascii_case(flow)) {
                    Reach::Whole
                } else {
                    Reach::Nothing
                }
            }
        }
    }
}

fn aim(applications: Option<&ConditionalAccessApplications>) -> Aim {
    let list = |words: Option<&Vec<Untrusted>>| words.cloned().unwrap_or_default();
    let included = list(applications.and_then(|apps| apps.include_applications.as_ref()));
    Aim {
        all: included.iter().any(|word| word.is("All")),
        included,
        excluded: list(applications.and_then(|apps| apps.exclude_applications.as_ref())),
        actions: list(applications.and_then(|apps| apps.include_user_actions.as_ref())),
        filtered: applications.is_some_and(|apps| apps.application_filter.is_some()),
    }
}

/// Policies from before August 2020 that never set the condition kept the older meaning, modern clients only: an empty list of
/// such a policy is surely about those and at most about all. Source: Conditional Access: Conditions, client apps.
fn clients(
    conditions: &ConditionalAccessConditionSet,
    created: Option<jiff::Timestamp>,
) -> (Clients, Clients) {
    const AUGUST_2020: i64 = 1_596_240_000;
    let listed = conditions.client_app_types.as_deref().unwrap_or_default();
    if listed.is_empty() {
        let old = created.is_none_or(|at| at.as_second() < AUGUST_2020);
        let surely = if old { Clients::MODERN } else { Clients::ALL };
        return (surely, Clients::ALL);
    }
    let clients = listed.iter().fold(Clients::NONE, |clients, listed| {
        clients.and(match listed {
            ClientApp::All => Clients::ALL,
            ClientApp::Browser => Clients::BROWSER,
            ClientApp::MobileAppsAndDesktopClients => Clients::APPS,
            ClientApp::ExchangeActiveSync | ClientApp::EasSupported => Clients::ACTIVE_SYNC,
            ClientApp::OtherClients => Clients::OTHER,
            ClientApp::Other(_) => Clients::NONE,
        })
    });
    (clients, clients)
}

fn levels(listed: Option<&[RiskLevel]>) -> RiskLevels {
    match listed {
        None | Some([]) => RiskLevels::ALL,
        Some(listed) => listed.iter().fold(RiskLevels::NOTHING, |levels, listed| {
            levels.and(match listed {
                RiskLevel::None => RiskLevels::NONE,
                RiskLevel::Low => RiskLevels::LOW,
                RiskLevel::Medium => RiskLevels::MEDIUM,
                RiskLevel::High => RiskLevels::HIGH,
                RiskLevel::Hidden | RiskLevel::Other(_) => RiskLevels::NOTHING,
            })
        }),
    }
}

/// `all` includes platforms that are not known; a list of all known ones does not.
fn any_platform(conditions: &ConditionalAccessConditionSet) -> bool {
    conditions.platforms.as_ref().is_none_or(|platforms| {
        let include = platforms.include_platforms.as_deref().unwrap_or_default();
        let exclude = platforms.exclude_platforms.as_deref().unwrap_or_default();
        exclude.is_empty() && (include.is_empty() || include.iter().any(|word| word.is("all")))
    })
}

/// `None`: a part of the places that cannot be told in these words.
fn places(conditions: &ConditionalAccessConditionSet, known: &[NamedLocation]) -> Option<Places> {
    let Some(locations) = &conditions.locations else {
        return Some(Places::Everywhere);
    };
    let include = locations.include_locations.as_deref().unwrap_or_default();
    let exclude = locations.exclude_locations.as_deref().unwrap_or_default();
    let trusted = |word: &Untrusted| {
        word.is("AllTrusted")
            || known.iter().any(|location| {
                location.id.is_some_and(|id| word.raw().parse() == Ok(id))
                    && location.is_trusted == Some(true)
                    && location
                        .odata_type
                        .as_ref()
                        .is_some_and(|kind| kind.is("#microsoft.graph.ipNamedLocation"))
            })
    };
    if include.is_empty() && exclude.is_empty() {
        Some(Places::Everywhere)
    } else if !include.iter().any(|word| word.is("All")) {
        None
    } else if exclude.is_empty() {
        Some(Places::Everywhere)
    } else {
        exclude.iter().all(trusted).then_some(Places::Untrusted)
    }
}

/// `None`: a part of the devices that cannot be told in these words.
fn devices(conditions: &ConditionalAccessConditionSet) -> Option<Devices> {
    let Some(filter) = conditions
        .devices
        .as_ref()
        .and_then(|devices| devices.device_filter.as_ref())
    else {
        return Some(Devices::Any);
    };
    let excludes = filter.mode.as_ref().is_some_and(|mode| mode.is("exclude"));
    let rule = filter.rule.as_ref().map_or("", Untrusted::raw);
    (excludes && names_managed_devices_only(rule)).then_some(Devices::Unmanaged)
}

/// Whether a device filter matches managed devices and nothing else: alternatives of `device.isCompliant -eq True` and
/// `device.trustType -eq "ServerAD"`. Positive comparisons are false for a device that is not registered, so a policy that
/// excludes them applies to every unmanaged device. Source: Conditional Access: Filter for devices.
fn names_managed_devices_only(rule: &str) -> bool {
    let plain: String = rule
        .chars()
        .filter(|character| !matches!(character, '(' | ')' | '"' | '\''))
        .collect::<String>()
        .to_ascii_lowercase();
    let words: Vec<&str> = plain.split_whitespace().collect();
    words
        .split(|word| matches!(*word, "-or" | "or"))
        .all(|term| {
            matches!(
                term,
                ["device.iscompliant", "-eq" | "eq", "true"]
                    | ["device.trusttype", "-eq" | "eq", "serverad"]
            )
        })
}

fn flows(conditions: &ConditionalAccessConditionSet) -> Option<Vec<String>> {
    let methods = conditions
        .authentication_flows
        .as_ref()?
        .transfer_methods
        .as_ref()
        .filter(|methods| !methods.is_blank())?;
    Some(
        methods
            .raw()
            .split(',')
            .map(|method| method.trim().to_owned())
            .collect(),
    )
}
