//! Whether a policy applies to one sign-in, condition by condition, and why or why not.

use super::names::{self, LISTED, Names, listed_words};
use super::{SignIn, Someone};
use crate::access::analyzer::Analyzer;
use crate::access::assignment::{Assignment, Entry, Side, Tenants};
use crate::access::device::{Attribute, Device, Truth, Value};
use crate::access::externals::{Home, Trust};
use crate::access::network::{COMPLIANT_NETWORK, GPS_COUNTRY, IP, IP_COUNTRY, Place};
use crate::access::policy::{
    CLIENTS, DeviceFilter, FLOWS, INSIDER_RISKS, Mask, Mode, PLATFORMS, Policy, RISKS, Reading,
    Span, Target, Words,
};
use crate::access::resources::{BaselineScopes, DIRECTORY, Resource, names_one};
use crate::access::subjects::{Belongs, Kinds, Named, Subject};
use crate::snapshot::{Guid, Resource as List, Untrusted};

/// A code that is no country's: a country that no named location lists.
const ELSEWHERE: &str = "ZZ";

/// Whether something holds of the sign-in, and what decides that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) truth: Truth,
    /// In plain words, to follow the name of the policy; names in it are inert.
    pub(super) why: String,
}

impl Found {
    fn new(truth: Truth, why: impl Into<String>) -> Self {
        Self {
            truth,
            why: why.into(),
        }
    }
}

/// Who signs in, as far as policies see it.
pub(super) struct Person {
    /// `None` for an account that is not known.
    subject: Option<Subject>,
    kinds: Kinds,
    home: Home,
    pub(super) trust: Trust,
    /// Roles that are activated.
    roles: Vec<Guid>,
    all_reaches: bool,
    has_object: bool,
}

/// A sign-in beside the tenant that it goes to.
pub(super) struct Scene<'s, 'a> {
    pub(super) analyzer: &'s Analyzer<'a>,
    pub(super) sign_in: &'s SignIn,
    pub(super) person: Person,
    /// The devices that policies may see: more than one where it is not known whether the home tenant's are trusted.
    pub(super) devices: Vec<Device>,
    names: Names<'s>,
    roles_known: bool,
    places_known: bool,
}

impl<'s, 'a> Scene<'s, 'a> {
    pub(super) fn of(analyzer: &'s Analyzer<'a>, sign_in: &'s SignIn) -> Self {
        let person = person(analyzer, &sign_in.who);
        let is_read = |list| {
            !analyzer
                .unread()
                .iter()
                .any(|unread| unread.resource == list)
        };
        Self {
            devices: devices(sign_in, person.trust),
            person,
            names: Names::of(analyzer.tenant),
            roles_known: is_read(List::RoleAssignments),
            places_known: is_read(List::NamedLocations),
            analyzer,
            sign_in,
        }
    }

    /// Whether a policy applies. The reason is the first condition that fails; else the first that is not known; else whom and what
    /// it includes.
    pub(super) fn applies(&self, policy: &Policy) -> Found {
        let Some(assignment) = &policy.who else {
            return Found::new(Truth::No, "is about workload identities");
        };
        let who = self.who(assignment);
        let target = self.target(&policy.target);
        let through = format!("{}, and {}", who.why, target.why);
        let mut doubts = Vec::new();
        let conditions: [&dyn Fn() -> Found; 10] = [
            &|| who.clone(),
            &|| target.clone(),
            &|| self.client(policy),
            &|| self.platform(policy),
            &|| self.location(policy),
            &|| self.device(policy),
            &|| {
                risk(
                    "sign-in risk",
                    &RISKS,
                    policy.sign_in_risk,
                    self.sign_in.sign_in_risk,
                )
            },
            &|| {
                risk(
                    "user risk",
                    &RISKS,
                    policy.user_risk,
                    self.sign_in.user_risk,
                )
            },
            &|| {
                let given = self.sign_in.insider_risk;
                risk("insider risk", &INSIDER_RISKS, policy.insider_risk, given)
            },
            &|| self.flow(policy),
        ];
        for condition in conditions {
            let found = condition();
            match found.truth {
                Truth::No => return found,
                Truth::Unknown => doubts.push(found.why),
                Truth::Yes => {}
            }
        }
        if policy.has_unknown_condition {
            let what: Vec<&str> = policy.not_understood.iter().map(String::as_str).collect();
            doubts.push(match what.as_slice() {
                [] => "has conditions that this version does not know".to_owned(),
                what => format!("{} is not understood", what.join(", ")),
            });
        }
        if doubts.is_empty() {
            Found::new(Truth::Yes, through)
        } else {
            Found::new(Truth::Unknown, doubts.join("; "))
        }
    }

    fn who(&self, assignment: &Assignment) -> Found {
        let Some(subject) = self.person.subject else {
            return Found::new(Truth::Unknown, "the account was not read");
        };
        let (included, by) = self.side(&assignment.include, subject);
        let (excluded, out) = self.side(&assignment.exclude, subject);
        let through = |side: &Side, entry: Option<Entry>| {
            entry.map_or_else(
                || "nothing".to_owned(),
                |entry| self.names.entry(side, entry),
            )
        };
        if included == Truth::No {
            let about = self.names.side(&assignment.include);
            return Found::new(
                Truth::No,
                format!("does not include the user: it is about {about}"),
            );
        }
        match excluded {
            Truth::Yes => {
                let through = through(&assignment.exclude, out);
                Found::new(Truth::No, format!("excludes the user through {through}"))
            }
            Truth::Unknown => {
                let through = through(&assignment.exclude, out);
                let why = format!("whether it excludes the user through {through} is not known");
                Found::new(Truth::Unknown, why)
            }
            Truth::No => {
                let through = through(&assignment.include, by);
                match included {
                    Truth::Yes => {
                        Found::new(Truth::Yes, format!("includes the user through {through}"))
                    }
                    _ => Found::new(
                        Truth::Unknown,
                        format!("whether it includes the user through {through} is not known"),
                    ),
                }
            }
        }
    }

    /// Whether a side means the person, and the entry that says so.
    fn side(&self, side: &Side, subject: Subject) -> (Truth, Option<Entry>) {
        let mut best = (Truth::No, None);
        for entry in side.entries() {
            let truth = self.entry(side, entry, subject);
            if truth > best.0 {
                best = (truth, Some(entry));
            }
        }
        // Somebody who is one of several kinds is meant when each of them is.
        let mut surely = Kinds::default();
        for (kinds, tenants) in &side.kinds {
            if from(tenants, self.person.home) == Truth::Yes {
                surely.add(*kinds);
            }
        }
        if best.0 == Truth::Unknown && !surely.is_empty() && self.person.kinds.within(surely) {
            best.0 = Truth::Yes;
        }
        best
    }

    fn entry(&self, side: &Side, entry: Entry, subject: Subject) -> Truth {
        match entry {
            Entry::Everyone if self.person.has_object || self.person.all_reaches => Truth::Yes,
            Entry::Everyone | Entry::Unknown => Truth::Unknown,
            Entry::Kind(at) => side.kinds.get(at).map_or(Truth::No, |(kinds, tenants)| {
                let is_kind = match () {
                    () if self.person.kinds.within(*kinds) => Truth::Yes,
                    () if self.person.kinds.meets(*kinds) => Truth::Unknown,
                    () => Truth::No,
                };
                is_kind.and(from(tenants, self.person.home))
            }),
            Entry::Named(Named::Active(role)) if self.person.roles.contains(&role) => Truth::Yes,
            Entry::Named(named) => {
                match self
                    .analyzer
                    .space
                    .people
                    .directory()
                    .belongs(subject, named)
                {
                    Belongs::Yes => Truth::Yes,
                    Belongs::Perhaps => Truth::Unknown,
                    Belongs::No if matches!(named, Named::Active(_)) && !self.roles_known => {
                        Truth::Unknown
                    }
                    Belongs::No => Truth::No,
                }
            }
        }
    }

    fn target(&self, target: &Target) -> Found {
        let baseline = self.analyzer.settings.baseline_scopes;
        if let Some(context) = &self.sign_in.auth_context
            && target.names_context(context)
        {
            return Found::new(
                Truth::Yes,
                format!("names the authentication context {}", inert(context)),
            );
        }
        let resource = self.sign_in.target.resource();
        let reads = |reading| target.matches(&resource, baseline, reading);
        let truth = match (reads(Reading::Must), reads(Reading::May)) {
            (true, _) => Truth::Yes,
            (false, true) => Truth::Unknown,
            (false, false) => Truth::No,
        };
        Found::new(truth, self.target_why(target, &resource, baseline, truth))
    }

    fn target_why(
        &self,
        target: &Target,
        resource: &Resource,
        baseline: BaselineScopes,
        truth: Truth,
    ) -> String {
        let about = self.names.target(target);
        let asked = self.names.resource(resource);
        if let Resource::Action(_) = resource {
            return match truth {
                Truth::Yes => format!("names {asked}"),
                _ => format!("is not about {asked}: it is about {about}"),
            };
        }
        let evaluated = match (resource, baseline) {
            (Resource::BaselineScopes, BaselineScopes::Enforced) => &Resource::App(DIRECTORY),
            _ => resource,
        };
        let named = |words: &[Untrusted], reading| {
            words
                .iter()
                .find(|word| names_one(word, evaluated, reading))
                .map(|word| self.names.resource_word(word))
        };
        if *evaluated == Resource::BaselineScopes && truth != Truth::Yes {
            return format!("leaves resources out, and so does not reach {asked}");
        }
        match truth {
            Truth::Yes => match named(&target.include, Reading::Must) {
                Some(word) => format!("{asked} through {word}"),
                None => asked,
            },
            Truth::No => match named(&target.exclude, Reading::Must) {
                Some(word) if named(&target.include, Reading::May).is_some() => {
                    format!("excludes {asked} through {word}")
                }
                _ => format!("is not about {asked}: it is about {about}"),
            },
            Truth::Unknown => match target.filter {
                Some(_) => {
                    "its filter for apps rests on custom security attributes, which are not read"
                        .to_owned()
                }
                None => format!("whether it is about {asked} is not known: it is about {about}"),
            },
        }
    }

    fn client(&self, policy: &Policy) -> Found {
        let found = word(
            &CLIENTS,
            policy.clients,
            self.sign_in.client(),
            "client apps",
        );
        if found.truth == Truth::Unknown {
            let why = "its client apps were never set, or are in words that this version does not know; whether it is about legacy \
                       clients is not known";
            return Found::new(Truth::Unknown, why);
        }
        let not_given = self.sign_in.client_app.is_none();
        found.with(&assumed(
            not_given,
            "no client app was given: taken as a browser",
        ))
    }

    fn platform(&self, policy: &Policy) -> Found {
        let given = self.sign_in.platform;
        let assumed = assumed(given.is_none(), "no platform was given: taken as unknown");
        word(
            &PLATFORMS,
            policy.platforms,
            given.unwrap_or("unknown"),
            "platforms",
        )
        .with(&assumed)
    }

    fn flow(&self, policy: &Policy) -> Found {
        let given = self.sign_in.authentication_flow;
        word(&FLOWS, policy.flows, given, "authentication flows")
    }

    fn location(&self, policy: &Policy) -> Found {
        let Some((include, exclude)) = &policy.locations else {
            return Found::new(Truth::Yes, "");
        };
        if include.is_empty() && exclude.is_empty() {
            return Found::new(Truth::Yes, "");
        }
        let name = |word: &Untrusted| self.names.place(word);
        let excluded = self
            .is_in_any(exclude)
            .filter(|(truth, _)| *truth != Truth::No);
        match (self.is_in_any(include), excluded) {
            (None | Some((Truth::No, _)), _) => {
                let about = listed_words(include.iter().map(name));
                let named: Vec<&Untrusted> = include.iter().collect();
                Found::new(Truth::No, format!("is about sign-ins from {about}"))
                    .with(&self.place_not_given(&named))
            }
            (_, Some((Truth::Yes, word))) => {
                Found::new(Truth::No, format!("excludes sign-ins from {}", name(word)))
                    .with(&self.place_not_given(&[word]))
            }
            (_, Some((_, word))) => Found::new(
                Truth::Unknown,
                format!(
                    "whether it excludes the sign-in by {} is not known",
                    name(word)
                ),
            ),
            (Some((Truth::Unknown, word)), None) => Found::new(
                Truth::Unknown,
                format!("whether the sign-in comes from {} is not known", name(word)),
            ),
            (Some((Truth::Yes, _)), None) => Found::new(Truth::Yes, ""),
        }
    }

    /// Whether the sign-in comes from one of some places, and the first that says so.
    fn is_in_any<'w>(&self, words: &'w [Untrusted]) -> Option<(Truth, &'w Untrusted)> {
        words
            .iter()
            .map(|word| (self.is_in(word.raw()), word))
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
    }

    /// In brackets, what was not given of what these places are told by.
    fn place_not_given(&self, words: &[&Untrusted]) -> String {
        let rests_on = |wanted: usize| {
            words.iter().any(|word| {
                let place = self.analyzer.space.networks.place(word.raw());
                !word.is("All") && place.may.iter().any(|(dimension, _)| *dimension == wanted)
            })
        };
        let sign_in = self.sign_in;
        let no_country = (sign_in.country.is_none() && rests_on(IP_COUNTRY))
            || (sign_in.gps_country.is_none() && rests_on(GPS_COUNTRY));
        let why = match (sign_in.ip.is_none() && rests_on(IP), no_country) {
            (true, true) => "no place was given: taken as outside every named location",
            (true, false) => "no address was given: taken as outside every named location",
            (false, true) => "no country was given: taken as one that no named location lists",
            (false, false) => return String::new(),
        };
        assumed(true, why)
    }

    /// Whether the sign-in comes from a named location, or from one of those that a word stands for.
    fn is_in(&self, word: &str) -> Truth {
        if !self.places_known && !word.eq_ignore_ascii_case("All") {
            return Truth::Unknown;
        }
        let Place { must, may } = self.analyzer.space.networks.place(word);
        let lies = |sets: &[(usize, crate::access::bits::Bits)]| {
            sets.iter().any(|(dimension, set)| {
                set.is_all() || self.class(*dimension).is_some_and(|class| set.has(class))
            })
        };
        match (lies(&must), lies(&may)) {
            (true, _) => Truth::Yes,
            (false, true) => Truth::Unknown,
            (false, false) => Truth::No,
        }
    }

    /// Where the sign-in lies in one dimension of the network; nowhere when no address was given and locations list all there are.
    fn class(&self, dimension: usize) -> Option<usize> {
        let networks = &self.analyzer.space.networks;
        let country = |code: &Option<String>| code.clone().unwrap_or_else(|| ELSEWHERE.to_owned());
        match dimension {
            IP => match self.sign_in.ip {
                Some(address) => Some(networks.ip_class(address)),
                None => (0..networks.size(IP)).find(|&class| {
                    networks.locations_of(class).is_empty() && !networks.is_mfa_trusted(class)
                }),
            },
            IP_COUNTRY => Some(networks.ip_country_class(&country(&self.sign_in.country))),
            GPS_COUNTRY => Some(networks.gps_country_class(&country(&self.sign_in.gps_country))),
            COMPLIANT_NETWORK => Some(usize::from(self.sign_in.compliant_network)),
            _ => None,
        }
    }

    fn device(&self, policy: &Policy) -> Found {
        let Some(DeviceFilter { mode, rule }) = &policy.devices else {
            return Found::new(Truth::Yes, "");
        };
        let Some(rule) = rule else {
            return Found::new(Truth::Unknown, "its device filter cannot be read");
        };
        let truths = self.devices.iter().map(|device| rule.matches(device));
        let matches = truths
            .reduce(|one, other| if one == other { one } else { Truth::Unknown })
            .unwrap_or(Truth::Unknown);
        let text = self.names.device_filter(&policy.id);
        let seen = match (&self.sign_in.device, self.sign_in.is_legacy()) {
            (Some(device), true) if device.0.registered => {
                assumed(true, "legacy clients do not show their device")
            }
            (None, _) => assumed(true, "no device was given: taken as unregistered"),
            _ => String::new(),
        };
        let found = match (mode, matches) {
            (Mode::Unknown, _) => Found::new(
                Truth::Unknown,
                "its device filter is in words that this version does not know",
            ),
            (_, Truth::Unknown) => Found::new(
                Truth::Unknown,
                format!("whether its device filter matches is not known: {text}"),
            ),
            (Mode::Include, Truth::No) => Found::new(
                Truth::No,
                format!("its device filter includes other devices only: {text}"),
            ),
            (Mode::Exclude, Truth::Yes) => Found::new(
                Truth::No,
                format!("its device filter excludes the device: {text}"),
            ),
            (Mode::Include, Truth::Yes) | (Mode::Exclude, Truth::No) => Found::new(Truth::Yes, ""),
        };
        found.with(&seen)
    }
}

impl Found {
    fn with(mut self, more: &str) -> Self {
        self.why.push_str(more);
        self
    }
}

fn risk(what: &str, words: &Words, span: Span<Mask>, given: &str) -> Found {
    word(words, span, given, &format!("levels of {what}"))
}

fn inert(text: &str) -> String {
    Untrusted::from(text).for_terminal()
}

/// In brackets, what was not given.
fn assumed(is: bool, why: &str) -> String {
    if is {
        format!(" ({why})")
    } else {
        String::new()
    }
}

/// A condition whose values are words.
fn word(words: &Words, span: Span<Mask>, given: &str, what: &str) -> Found {
    let truth = match words.bit(given) {
        Some(bit) if span.must & bit != 0 => Truth::Yes,
        Some(bit) if span.may & bit == 0 => Truth::No,
        None if span.must == words.all() => Truth::Yes,
        _ => Truth::Unknown,
    };
    let has = |mask: Mask| (0..words.len()).filter(move |place| mask >> place & 1 == 1);
    let list = |mask: Mask| names::joined(has(mask).map(|place| words.word(place).to_owned()));
    let given = inert(given);
    let why = match truth {
        Truth::Yes => String::new(),
        Truth::Unknown => format!("whether its {what} include {given} is not known"),
        Truth::No if span.may == 0 => format!("its {what} leave nothing"),
        // Of a long list it is shorter to say what is left out.
        Truth::No if has(span.may).count() > LISTED => {
            format!("is not about the {what} {}", list(words.all() & !span.may))
        }
        Truth::No => format!("is about other {what}: {}", list(span.may)),
    };
    Found::new(truth, why)
}

/// Whether people of a home tenant are meant.
fn from(tenants: &Tenants, home: Home) -> Truth {
    match (tenants, home) {
        (Tenants::All, _) => Truth::Yes,
        (Tenants::Unknown, _) | (Tenants::Listed(_), Home::Unknown) => Truth::Unknown,
        (Tenants::Listed(listed), Home::Tenant(home)) => listed.contains(&home).into(),
        (Tenants::Listed(_), Home::Here | Home::Elsewhere) => Truth::No,
    }
}

fn person(analyzer: &Analyzer<'_>, who: &Someone) -> Person {
    match who {
        Someone::Account { id, roles } => {
            let user = analyzer.tenant.users.hints().get(*id);
            let subject = user.map(|user| analyzer.space.people.directory().subject(user));
            let mut kinds = Kinds::AT_HOME_HERE;
            kinds.add(Kinds::EXTERNAL);
            let kinds = subject.map_or(kinds, |subject| subject.kinds);
            let home = match analyzer.settings.home_tenants.get(id) {
                _ if !kinds.meets(Kinds::EXTERNAL) => Home::Here,
                Some(&tenant) => Home::Tenant(tenant),
                None => Home::Unknown,
            };
            Person {
                subject,
                kinds,
                home,
                trust: analyzer.trusts.of(kinds, home),
                roles: roles.clone(),
                all_reaches: true,
                has_object: true,
            }
        }
        Someone::External {
            kind,
            tenant,
            all_reaches,
        } => {
            let subject = Subject::external(*kind);
            let home = match tenant {
                _ if Kinds::of(*kind).within(Kinds::AT_HOME_HERE) => Home::Here,
                Some(tenant) => Home::Tenant(*tenant),
                None => Home::Elsewhere,
            };
            Person {
                kinds: subject.kinds,
                home,
                trust: analyzer.trusts.of(subject.kinds, home),
                subject: Some(subject),
                roles: Vec::new(),
                all_reaches: *all_reaches,
                has_object: false,
            }
        }
    }
}

/// The devices that policies may see: legacy clients show none, and those of external users count where the home tenant's are trusted.
fn devices(sign_in: &SignIn, trust: Trust) -> Vec<Device> {
    let shown = match &sign_in.device {
        Some(device) if !sign_in.is_legacy() => device.0.clone(),
        _ => return vec![Device::default()],
    };
    let mut devices = Vec::new();
    for (no_compliant, no_hybrid) in [(false, false), (true, false), (false, true), (true, true)] {
        let may = |span: Span<bool>, is: bool| if is { span.may } else { !span.must };
        if !may(trust.no_compliant, no_compliant) || !may(trust.no_hybrid, no_hybrid) {
            continue;
        }
        let mut device = shown.clone();
        if no_compliant && no_hybrid {
            device = Device::default();
        }
        if no_compliant {
            device.attributes.remove(&Attribute::IsCompliant);
        }
        let is_hybrid = matches!(
            device.attributes.get(&Attribute::TrustType),
            Some(Value::Text(text)) if text.eq_ignore_ascii_case("ServerAD")
        );
        if no_hybrid && is_hybrid {
            device.attributes.remove(&Attribute::TrustType);
        }
        if !devices.contains(&device) {
            devices.push(device);
        }
    }
    devices
}
