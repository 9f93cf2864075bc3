//! What is signed in to: resources, the sets of them that Microsoft keeps, user actions.
//!
//! Only resources that some policy or question names are told apart; all others, those that do not exist yet among them, are one
//! value that `All` alone matches. A service that Microsoft puts into a set without saying so is treated by policies either as the
//! published members are or as the rest is, and both are values here; an app that a policy names and that is not published as a
//! member is taken to be none. Source: Microsoft Entra, Conditional Access: Target resources.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::policy::{Mode, Reading, Span, Target};
use crate::snapshot::{Guid, Untrusted};

/// The apps of each set, `app_id<TAB>set,set<TAB>name`. Of Office 365, those of Microsoft's page "Apps included in Conditional Access
/// Microsoft 365 app suite" as of the end of 2024, joined with their ids by name in listings of August 2026 (some 20 names could not be
/// joined). Of the admin portals Microsoft publishes the names alone: the ids are those of the known apps of these portals.
const SETS: &str = include_str!("resource-sets.tsv");

/// Windows Azure Active Directory: what sign-ins for baseline scopes alone are evaluated as.
pub(super) const DIRECTORY: Guid = Guid::new(0x0000_0002_0000_0000_c000_0000_0000_0000);
/// Windows Azure Service Management API, which stands for a set.
pub(super) const AZURE_MANAGEMENT: Guid = Guid::new(0x797f_4846_ba00_4fd7_ba43_dac1_f8f6_3013);
/// Registration of security info.
pub(super) const REGISTER_SECURITY_INFO: &str = "urn:user:registersecurityinfo";
/// Registration of a device.
pub(super) const REGISTER_DEVICE: &str = "urn:user:registerdevice";

/// A set of resources that Microsoft keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Suite {
    Office365,
    AdminPortals,
    AzureManagement,
}

impl Suite {
    /// What a word of `includeApplications` stands for, if it stands for a set.
    pub(super) fn named(word: &Untrusted) -> Option<Self> {
        match word.raw().parse::<Guid>() {
            Ok(AZURE_MANAGEMENT) => Some(Self::AzureManagement),
            Err(_) if word.is("Office365") => Some(Self::Office365),
            Err(_) if word.is("MicrosoftAdminPortals") => Some(Self::AdminPortals),
            _ => None,
        }
    }

    /// The apps that are published as members.
    pub(super) fn apps(self) -> impl Iterator<Item = Guid> {
        known()
            .iter()
            .filter(move |(_, known)| known.suites.contains(&self))
            .map(|(id, _)| *id)
    }
}

struct Known {
    suites: BTreeSet<Suite>,
    name: &'static str,
}

fn known() -> &'static BTreeMap<Guid, Known> {
    static KNOWN: LazyLock<BTreeMap<Guid, Known>> = LazyLock::new(|| {
        let rows = SETS
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| {
                let mut fields = line.split('\t');
                let id = fields.next()?.parse().ok()?;
                let suites = fields.next()?.split(',').filter_map(|set| match set {
                    "office365" => Some(Suite::Office365),
                    "admin-portals" => Some(Suite::AdminPortals),
                    "azure-management" => Some(Suite::AzureManagement),
                    _ => None,
                });
                Some((
                    id,
                    Known {
                        suites: suites.collect(),
                        name: fields.next()?,
                    },
                ))
            });
        rows.collect()
    });
    &KNOWN
}

/// The apps that have a well-known name.
pub fn well_known_apps() -> impl Iterator<Item = (Guid, &'static str)> {
    known().iter().map(|(&id, known)| (id, known.name))
}

/// The name of a well-known app.
pub fn well_known_name(app: Guid) -> Option<&'static str> {
    known().get(&app).map(|known| known.name)
}

/// One value of the dimension, before those that no policy tells apart are put together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Resource {
    /// An app, by its app id.
    App(Guid),
    /// Any resource that nothing names.
    Other,
    /// Sign-ins that ask for nothing but baseline scopes.
    BaselineScopes,
    /// A user action, by its urn in lower case.
    Action(String),
}

/// How sign-ins for baseline scopes are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BaselineScopes {
    /// As sign-ins to Windows Azure Active Directory: the behaviour that was rolled out from June 2026.
    #[default]
    Enforced,
    /// A policy for all resources with any exclusion does not apply to them.
    Legacy,
}

impl Target {
    /// Whether the policy is about this resource or action.
    pub(super) fn matches(
        &self,
        resource: &Resource,
        baseline: BaselineScopes,
        reading: Reading,
    ) -> bool {
        match resource {
            Resource::Action(urn) => self.actions.iter().any(|word| word.is(urn)),
            Resource::BaselineScopes => match baseline {
                BaselineScopes::Enforced => {
                    self.matches(&Resource::App(DIRECTORY), baseline, reading)
                }
                BaselineScopes::Legacy => {
                    let all = self.include.iter().any(|word| word.is("All"));
                    let narrowed = !self.exclude.is_empty() || self.filter.is_some();
                    all && (!narrowed || (reading == Reading::May && self.exclude.is_empty()))
                }
            },
            Resource::App(_) | Resource::Other => {
                let out = reading.swapped();
                let included = names(&self.include, resource, reading)
                    || self.filter_takes(Mode::Include, reading);
                included
                    && !(names(&self.exclude, resource, out)
                        || self.filter_takes(Mode::Exclude, out))
            }
        }
    }

    /// What a filter matches rests on attributes that are not read: surely nothing, perhaps everything.
    fn filter_takes(&self, as_mode: Mode, reading: Reading) -> bool {
        reading == Reading::May
            && self
                .filter
                .is_some_and(|mode| mode == as_mode || mode == Mode::Unknown)
    }

    /// Whether it names an authentication context.
    pub(super) fn names_context(&self, context: &str) -> bool {
        self.contexts.iter().any(|word| word.is(context))
    }

    /// The apps that it names one by one.
    pub(super) fn apps(&self) -> impl Iterator<Item = Guid> {
        self.include
            .iter()
            .chain(&self.exclude)
            .filter_map(|word| word.raw().parse().ok())
    }
}

fn names(words: &[Untrusted], resource: &Resource, reading: Reading) -> bool {
    words.iter().any(|word| names_one(word, resource, reading))
}

/// Whether a word of a list stands for a resource.
pub(super) fn names_one(word: &Untrusted, resource: &Resource, reading: Reading) -> bool {
    if word.is("All") {
        return true;
    }
    if word.is("None") {
        return false;
    }
    let may = reading == Reading::May;
    match (Suite::named(word), word.raw().parse::<Guid>()) {
        (Some(suite), _) => match resource {
            Resource::App(app) => known()
                .get(app)
                .is_some_and(|known| known.suites.contains(&suite)),
            _ => false,
        },
        (None, Ok(id)) => *resource == Resource::App(id),
        // A word that this version does not know.
        (None, Err(_)) => may,
    }
}

/// The dimension: resources and actions, put together where no policy tells them apart.
#[derive(Debug)]
pub(super) struct Resources {
    classes: Vec<Vec<Resource>>,
    place: BTreeMap<Resource, usize>,
}

impl Resources {
    /// Sorts what the policies name, and `also`, into classes.
    pub(super) fn read(
        targets: &[&Target],
        also: impl Iterator<Item = Guid>,
        baseline: BaselineScopes,
    ) -> Self {
        let mut values: BTreeSet<Resource> = known().keys().copied().map(Resource::App).collect();
        values.extend(
            targets
                .iter()
                .flat_map(|target| target.apps())
                .map(Resource::App),
        );
        values.extend(also.map(Resource::App));
        values.extend([
            Resource::App(DIRECTORY),
            Resource::Other,
            Resource::BaselineScopes,
        ]);
        let actions = targets
            .iter()
            .flat_map(|target| &target.actions)
            .map(Untrusted::raw);
        for action in actions.chain([REGISTER_SECURITY_INFO, REGISTER_DEVICE]) {
            values.insert(Resource::Action(action.to_ascii_lowercase()));
        }
        let mut classes: Vec<Vec<Resource>> = Vec::new();
        let mut by_row: BTreeMap<(u8, Vec<(bool, bool)>), usize> = BTreeMap::new();
        let mut place = BTreeMap::new();
        for value in values {
            // What a question may ask about apart stays apart: the sets, actions, baseline scopes and the rest.
            let kind = match &value {
                Resource::App(app) => known().get(app).map_or(0, |known| {
                    known
                        .suites
                        .iter()
                        .fold(0, |kind, suite| kind | 1 << (*suite as u8))
                }),
                Resource::Other => 0,
                Resource::BaselineScopes => 9,
                Resource::Action(_) => 10,
            };
            let row = targets
                .iter()
                .map(|target| {
                    let reads = |reading| target.matches(&value, baseline, reading);
                    (reads(Reading::Must), reads(Reading::May))
                })
                .collect();
            let class = *by_row.entry((kind, row)).or_insert_with(|| {
                classes.push(Vec::new());
                classes.len() - 1
            });
            if let Some(class) = classes.get_mut(class) {
                class.push(value.clone());
            }
            place.insert(value, class);
        }
        Self { classes, place }
    }

    /// How many values the dimension has.
    pub(super) fn len(&self) -> usize {
        self.classes.len()
    }

    /// What is in one class; never empty.
    pub(super) fn class(&self, value: usize) -> &[Resource] {
        self.classes.get(value).map_or(&[], Vec::as_slice)
    }

    /// The class of a resource; of an app that nothing names, that of the rest.
    pub(super) fn place(&self, resource: &Resource) -> Option<usize> {
        self.place
            .get(resource)
            .copied()
            .or_else(|| match resource {
                Resource::App(_) => self.place.get(&Resource::Other).copied(),
                _ => None,
            })
    }

    /// The two readings of a policy's condition, as predicates on classes.
    pub(super) fn covered(
        &self,
        target: &Target,
        value: usize,
        baseline: BaselineScopes,
    ) -> Span<bool> {
        let first = self.class(value).first();
        let reads =
            |reading| first.is_some_and(|resource| target.matches(resource, baseline, reading));
        Span {
            must: reads(Reading::Must),
            may: reads(Reading::May),
        }
    }
}
