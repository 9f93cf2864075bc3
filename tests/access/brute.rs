//! Every sign-in of a small world, one representative for each region that the JSON itself tells apart.
//!
//! Conditions are joined by AND and each looks at one dimension, so what each value of a dimension matches is looked up once with
//! the evaluator's own functions. The test `the_table_says_what_the_evaluator_says` compares that with whole sign-ins.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::IpNet;
use m365audit::access::{Asked, Atom, Clause, Guarantee, Pim, RoleScope, SessionAtom, When, Who};
use serde_json::{Value, json};

use super::evaluator::{
    AZURE_API, AZURE_PORTAL, DIRECTORY, EXCHANGE, EXCHANGE_PORTAL, INTUNE_PORTAL, Means,
    OFFICE_PORTAL, SHAREPOINT, all_performed, in_strength, is_compliant, is_hybrid, is_legacy,
    is_mfa, is_phishing_resistant, stands_for,
};
use super::filter::{self, Device, Rule};
use super::world::{Evidence, Network, Person, SignIn, Target, World};

pub(crate) const APPS: [&str; 8] = [
    EXCHANGE,
    OFFICE_PORTAL,
    INTUNE_PORTAL,
    AZURE_PORTAL,
    AZURE_API,
    DIRECTORY,
    "00000000-0000-0000-0000-0000000a0001",
    "00000000-0000-0000-0000-0000000a0002",
];
/// Members of the sets that nothing names one by one: they stand for the rest of their sets.
const REST_OF_SETS: [&str; 2] = [SHAREPOINT, EXCHANGE_PORTAL];
pub(crate) const CLIENTS: [&str; 4] = [
    "browser",
    "mobileAppsAndDesktopClients",
    "exchangeActiveSync",
    "other",
];
pub(crate) const PLATFORMS: [&str; 7] = [
    "android",
    "iOS",
    "windows",
    "windowsPhone",
    "macOS",
    "linux",
    "unknown",
];
pub(crate) const RISKS: [&str; 4] = ["none", "low", "medium", "high"];
pub(crate) const INSIDER_RISKS: [&str; 4] = ["none", "minor", "moderate", "elevated"];
pub(crate) const KINDS: [&str; 6] = [
    "b2bCollaborationGuest",
    "b2bCollaborationMember",
    "b2bDirectConnectUser",
    "internalGuest",
    "otherExternalUser",
    "serviceProvider",
];
pub(crate) const FLOWS: [&str; 3] = ["none", "deviceCodeFlow", "authenticationTransfer"];

/// What brute force says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Truth {
    /// Whether any sign-in is asked about.
    pub(crate) asked: bool,
    /// Whether one gets in without what is asked.
    pub(crate) open: bool,
    /// Accounts with such a sign-in.
    pub(crate) affected: BTreeSet<String>,
}

/// Values of each dimension.
pub(crate) struct Domain {
    pub(crate) people: Vec<(Person, BTreeSet<usize>)>,
    pub(crate) targets: Vec<Target>,
    pub(crate) clients: Vec<&'static str>,
    pub(crate) platforms: Vec<&'static str>,
    pub(crate) networks: Vec<Network>,
    pub(crate) devices: Vec<Option<Device>>,
    pub(crate) sign_in_risks: Vec<&'static str>,
    pub(crate) user_risks: Vec<&'static str>,
    pub(crate) insider_risks: Vec<&'static str>,
    pub(crate) flows: Vec<&'static str>,
}

fn guids(ids: &[m365audit::snapshot::Guid]) -> BTreeSet<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn named(words: &[String], word: &str) -> bool {
    words.is_empty() || words.iter().any(|each| each == word)
}

impl Domain {
    /// What a guarantee asks about.
    pub(crate) fn of(world: &World, guarantee: &Guarantee) -> Self {
        let when = &guarantee.when;
        let pick = |all: &[&'static str], words: &[String]| -> Vec<&'static str> {
            all.iter()
                .copied()
                .filter(|one| named(words, one))
                .collect()
        };
        Self {
            people: people(world, guarantee),
            targets: targets(&guarantee.target),
            clients: pick(&CLIENTS, &when.client_app_types),
            platforms: pick(&PLATFORMS, &when.platforms),
            networks: networks(world, when),
            devices: devices(world, when),
            sign_in_risks: pick(&RISKS, &when.sign_in_risk),
            user_risks: pick(&RISKS, &when.user_risk),
            insider_risks: pick(&INSIDER_RISKS, &when.insider_risk),
            flows: pick(&FLOWS, &when.authentication_flows),
        }
    }
}

fn people(world: &World, guarantee: &Guarantee) -> Vec<(Person, BTreeSet<usize>)> {
    let mut found = Vec::new();
    let except = guids(&guarantee.except_users);
    for (place, user) in world.users.iter().enumerate() {
        let id = user["id"].as_str().unwrap();
        if user["accountEnabled"] != true || except.contains(id) {
            continue;
        }
        let person = Person::Account(place);
        let eligible: Vec<usize> = (0..world.eligible.len())
            .filter(|&row| world.assigned(&world.eligible[row], id))
            .collect();
        for subset in 0..1_u32 << eligible.len() {
            if subset > 0 && guarantee.assume.pim == Pim::Inactive {
                break;
            }
            let activated: BTreeSet<usize> = eligible
                .iter()
                .enumerate()
                .filter(|(bit, _)| subset >> bit & 1 == 1)
                .map(|(_, &row)| row)
                .collect();
            let guest = user["userType"] == "Guest";
            let asked = match &guarantee.who {
                Who::All | Who::EveryAccount => true,
                Who::Members => !guest,
                Who::Guests | Who::EveryExternal { .. } => guest,
                Who::Users(ids) => guids(ids).contains(id),
                Who::Groups(ids) => guids(ids)
                    .iter()
                    .any(|group| world.members(group).contains(id)),
                Who::Roles(ids, scope) => {
                    let roles = guids(ids);
                    world
                        .held(&person, &activated)
                        .iter()
                        .any(|(role, where_held)| {
                            roles.contains(*role)
                                && (*scope == RoleScope::Any || *where_held == "/")
                        })
                }
                Who::ServicePrincipals(_) => false,
            };
            if asked {
                found.push((person.clone(), activated));
            }
        }
    }
    // People without an account here have nothing to register here.
    if !matches!(guarantee.target, Asked::UserAction(_)) {
        found.extend(
            strangers(world, &guarantee.who)
                .into_iter()
                .map(|person| (person, BTreeSet::new())),
        );
    }
    found
}

/// A tenant that nothing names.
const ELSEWHERE: &str = "00000000-0000-0000-0000-0000000000ff";

fn allows(setting: &Value) -> Option<bool> {
    setting["usersAndGroups"]["accessType"]
        .as_str()
        .map(|access| access == "allowed")
}

/// People without an account here: those who may come, or all that there could be.
fn strangers(world: &World, who: &Who) -> Vec<Person> {
    let homes = world
        .partners
        .iter()
        .map(|partner| partner["tenantId"].as_str().unwrap())
        .chain(super::pools::TENANTS)
        .chain([ELSEWHERE])
        .collect::<BTreeSet<_>>();
    let entry = |home: &str| {
        world
            .partners
            .iter()
            .find(|partner| partner["tenantId"] == home)
    };
    let may_come = |kind: &str, home: &str| match kind {
        "b2bDirectConnectUser" => entry(home)
            .and_then(|entry| allows(&entry["b2bDirectConnectInbound"]))
            .or_else(|| allows(&world.trust_default["b2bDirectConnectInbound"]))
            .unwrap_or(false),
        "serviceProvider" => entry(home).is_some_and(|entry| entry["isServiceProvider"] == true),
        _ => false,
    };
    let mut found = Vec::new();
    for kind in KINDS {
        for &home in &homes {
            let asked = match who {
                Who::All | Who::Guests => may_come(kind, home),
                Who::EveryExternal { providers } => *providers || kind != "serviceProvider",
                _ => false,
            };
            if asked {
                found.push(Person::Stranger(kind, home.to_owned()));
            }
        }
    }
    found
}

fn targets(asked: &Asked) -> Vec<Target> {
    let apps = |contexts: &[String]| {
        APPS.iter()
            .chain(&REST_OF_SETS)
            .map(|&app| Target::App(app.to_owned(), contexts.to_vec()))
            .chain([Target::AnyOther(contexts.to_vec())])
            .collect::<Vec<_>>()
    };
    match asked {
        Asked::AnyResource => {
            let mut all = apps(&[]);
            all.push(Target::Baseline);
            all
        }
        Asked::Resources(words) => apps(&[])
            .into_iter()
            .filter(|target| match target {
                Target::App(app, _) => words.iter().any(|word| stands_for(word, app)),
                _ => false,
            })
            .collect(),
        Asked::UserAction(urn) => vec![Target::Action(urn.clone())],
        Asked::AuthContext(context) => apps(std::slice::from_ref(context)),
    }
}

fn before_and_after(ip: IpAddr) -> [Option<IpAddr>; 2] {
    match ip {
        IpAddr::V4(ip) => {
            let number = u32::from(ip);
            [number.checked_sub(1), number.checked_add(1)]
                .map(|number| number.map(|number| IpAddr::V4(Ipv4Addr::from(number))))
        }
        IpAddr::V6(ip) => {
            let number = u128::from(ip);
            [number.checked_sub(1), number.checked_add(1)]
                .map(|number| number.map(|number| IpAddr::V6(Ipv6Addr::from(number))))
        }
    }
}

fn networks(world: &World, when: &When) -> Vec<Network> {
    let mut addresses: BTreeSet<IpAddr> = ["192.0.2.200", "2001:db8:ffff::1"]
        .map(|ip| ip.parse().unwrap())
        .into();
    let mut countries: BTreeSet<Option<String>> = [None, Some("ZZ".to_owned())].into();
    let mut gps: BTreeSet<Option<String>> = [None].into();
    let mut compliant = vec![false];
    // A location that nobody names tells nothing apart.
    let mut words: BTreeSet<String> = when
        .named
        .iter()
        .chain(&when.not_named)
        .map(ToString::to_string)
        .collect();
    for policy in &world.policies {
        let condition = &policy["conditions"]["locations"];
        for key in ["includeLocations", "excludeLocations"] {
            let listed = condition[key].as_array().into_iter().flatten();
            words.extend(listed.map(|word| word.as_str().unwrap().to_owned()));
        }
    }
    let trusted = when.trusted.is_some() || words.contains("AllTrusted");
    let locations: Vec<&Value> = world
        .locations
        .iter()
        .filter(|location| {
            words.contains(location["id"].as_str().unwrap())
                || trusted && location["isTrusted"] == true
        })
        .collect();
    let listed = locations.iter().flat_map(|location| {
        let ranges = location["ipRanges"].as_array().into_iter().flatten();
        ranges.map(|range| range["cidrAddress"].as_str().unwrap())
    });
    let service = world.mfa_trusted_ips.iter().filter(|_| trusted);
    for range in listed.chain(service.map(String::as_str)) {
        let range: IpNet = range.parse().unwrap();
        let (first, last) = (range.network(), range.broadcast());
        addresses.extend([first, last]);
        addresses.extend(before_and_after(first)[0]);
        addresses.extend(before_and_after(last)[1]);
    }
    for location in locations {
        let found = location["countriesAndRegions"].as_array();
        let found = found
            .into_iter()
            .flatten()
            .map(|country| Some(country.as_str().unwrap().to_owned()));
        if location["countryLookupMethod"] == "authenticatorAppGps" {
            gps.extend(found);
            gps.insert(Some("ZZ".to_owned()));
        } else {
            countries.extend(found);
        }
        if location["@odata.type"] == "#microsoft.graph.compliantNetworkNamedLocation" {
            compliant = vec![false, true];
        }
    }
    for country in when.country_in.iter().chain(&when.country_not_in) {
        countries.insert(Some(country.clone()));
    }
    let mut all = Vec::new();
    for &ip in &addresses {
        for country in &countries {
            for gps in &gps {
                for &compliant in &compliant {
                    let network = Network {
                        ip,
                        country: country.clone(),
                        gps: gps.clone(),
                        compliant,
                    };
                    if is_asked(world, when, &network) {
                        all.push(network);
                    }
                }
            }
        }
    }
    all
}

fn is_asked(world: &World, when: &When, network: &Network) -> bool {
    let within = |id: &m365audit::snapshot::Guid| world.is_in_location(&id.to_string(), network);
    let country_in = |list: &[String]| {
        network
            .country
            .as_ref()
            .is_some_and(|country| list.contains(country))
    };
    when.trusted
        .is_none_or(|trusted| trusted == world.is_trusted(network))
        && (when.named.is_empty() || when.named.iter().any(within))
        && !when.not_named.iter().any(within)
        && (when.country_in.is_empty() || country_in(&when.country_in))
        && !country_in(&when.country_not_in)
}

/// Values that tell apart whatever can be said of an attribute with these literals.
fn values(attribute: &str, literals: &BTreeSet<String>) -> Vec<Value> {
    match attribute {
        "iscompliant" => return vec![json!(true), json!(false), Value::Null],
        "trusttype" => {
            return ["AzureAD", "ServerAD", "Workplace"]
                .map(Value::from)
                .to_vec();
        }
        "physicalids" | "systemlabels" => {
            let mut sets = vec![json!([]), json!(["another"])];
            sets.extend(literals.iter().map(|literal| json!([literal])));
            sets.push(json!(literals.iter().collect::<Vec<_>>()));
            return sets;
        }
        _ => {}
    }
    let mut texts: BTreeSet<String> = [String::from("~")].into();
    for first in literals {
        texts.extend([
            first.clone(),
            format!("{first}~"),
            format!("~{first}"),
            format!("~{first}~"),
        ]);
        for second in literals {
            texts.extend([format!("{first}~{second}"), format!("~{first}~{second}~")]);
            for third in literals {
                texts.insert(format!("{first}~{second}~{third}"));
            }
        }
    }
    texts
        .into_iter()
        .map(Value::String)
        .chain([Value::Null])
        .collect()
}

fn devices(world: &World, when: &When) -> Vec<Option<Device>> {
    let rules: Vec<Arc<Rule>> = world
        .policies
        .iter()
        .filter_map(|policy| policy["conditions"]["devices"]["deviceFilter"]["rule"].as_str())
        .chain(when.matches.as_deref())
        .chain(when.not_matches.as_deref())
        .map(filter::parse)
        .collect();
    let mut literals: BTreeMap<String, BTreeSet<String>> = ["iscompliant", "trusttype"]
        .map(|name| (name.to_owned(), BTreeSet::new()))
        .into();
    for rule in &rules {
        let mut comparisons = Vec::new();
        rule.comparisons(&mut comparisons);
        for comparison in comparisons {
            literals
                .entry(comparison.attribute.clone())
                .or_default()
                .extend(comparison.literals.iter().cloned());
        }
    }
    let mut registered = vec![Device::new()];
    for (attribute, literals) in &literals {
        let values = values(attribute, literals);
        registered = registered
            .into_iter()
            .flat_map(|device| {
                values.iter().map(move |value| {
                    let mut device = device.clone();
                    device.insert(attribute.clone(), value.clone());
                    device
                })
            })
            .collect();
    }
    registered
        .into_iter()
        .map(Some)
        .chain([None])
        .filter(|device| is_asked_device(when, device.as_ref()))
        .collect()
}

fn is_asked_device(when: &When, device: Option<&Device>) -> bool {
    let managed = is_compliant(device) || is_hybrid(device);
    let matches = |rule: &String| filter::parse(rule).matches(device);
    when.registered
        .is_none_or(|registered| registered == device.is_some())
        && when.managed.is_none_or(|asked| asked == managed)
        && when.matches.as_ref().is_none_or(matches)
        && !when.not_matches.as_ref().is_some_and(matches)
}

/// The largest evidence without any part of a clause.
pub(crate) fn largest_without(world: &World, guarantee: &Guarantee, clause: &Clause) -> Evidence {
    let lacks = |atom: Atom| !clause.contains(&atom);
    let mut performed = all_performed();
    performed.retain(|performed| {
        clause.iter().all(|atom| match atom {
            Atom::Mfa => !is_mfa(performed),
            Atom::PhishingResistantMfa => !is_phishing_resistant(performed),
            Atom::Strength(id) => !in_strength(&world.strength_by_id(&id.to_string()), performed),
            _ => true,
        })
    });
    let terms = world.policies.iter().flat_map(|policy| {
        let listed = policy["grantControls"]["termsOfUse"].as_array();
        listed
            .into_iter()
            .flatten()
            .map(|terms| terms.as_str().unwrap().to_owned())
    });
    Evidence {
        performed,
        approved_app: lacks(Atom::ApprovedApplication),
        compliant_app: lacks(Atom::CompliantApplication),
        password_change: lacks(Atom::PasswordChange),
        risk_remediation: lacks(Atom::RiskRemediation),
        custom_factor: true,
        terms: terms
            .filter(|terms| lacks(Atom::TermsOfUse(terms.clone())))
            .collect(),
        foreign_compliant: guarantee.assume.device_code_shows_any_device,
        foreign_hybrid: guarantee.assume.device_code_shows_any_device,
    }
}

/// Whether a policy stamps a session with what is asked. Source: the session controls of Conditional Access.
pub(crate) fn stamps(policy: &Value, atom: &SessionAtom) -> bool {
    let session = &policy["sessionControls"];
    let on = |key: &str| session[key]["isEnabled"] == true;
    match atom {
        SessionAtom::ApplicationEnforcedRestrictions => on("applicationEnforcedRestrictions"),
        SessionAtom::CloudAppSecurity(kind) => {
            on("cloudAppSecurity")
                && kind.as_ref().is_none_or(|kind| {
                    session["cloudAppSecurity"]["cloudAppSecurityType"] == kind.as_str()
                })
        }
        SessionAtom::PersistentBrowser(mode) => {
            on("persistentBrowser") && session["persistentBrowser"]["mode"] == mode.as_str()
        }
        SessionAtom::SignInFrequency(hours) => {
            let frequency = &session["signInFrequency"];
            on("signInFrequency")
                && (frequency["frequencyInterval"] == "everyTime"
                    || frequency["value"].as_i64().is_some_and(|value| {
                        let unit = if frequency["type"] == "days" { 24 } else { 1 };
                        value * unit <= *hours
                    }))
        }
        SessionAtom::SecureSignInSession => on("secureSignInSession"),
    }
}

type Mask = u32;

fn mask(policies: &[&Value], test: impl Fn(&Value) -> bool) -> Mask {
    policies
        .iter()
        .enumerate()
        .filter(|(_, policy)| test(policy))
        .fold(0, |mask, (place, _)| mask | 1 << place)
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "it is cloned for every element"
)]
fn products(left: &BTreeSet<Mask>, right: impl Iterator<Item = Mask> + Clone) -> BTreeSet<Mask> {
    left.iter()
        .flat_map(|left| right.clone().map(move |right| left & right))
        .collect()
}

/// Looks at every sign-in.
pub(crate) fn truth(world: &World, guarantee: &Guarantee) -> Truth {
    let domain = Domain::of(world, guarantee);
    let policies: Vec<&Value> = world
        .policies
        .iter()
        .filter(|policy| policy["state"] == "enabled")
        .collect();
    let level = |key, levels: &[&str]| -> BTreeSet<Mask> {
        levels
            .iter()
            .map(|level| {
                mask(&policies, |policy| {
                    World::applies_to_level(policy, key, level)
                })
            })
            .collect()
    };
    // Whatever no control looks at.
    let mut rest: BTreeSet<Mask> = domain
        .targets
        .iter()
        .map(|target| mask(&policies, |policy| world.applies_to_target(policy, target)))
        .collect();
    let networks: BTreeSet<Mask> = domain
        .networks
        .iter()
        .map(|network| {
            mask(&policies, |policy| {
                world.applies_to_network(policy, network)
            })
        })
        .collect();
    rest = products(&rest, networks.iter().copied());
    rest = products(
        &rest,
        level("signInRiskLevels", &domain.sign_in_risks)
            .iter()
            .copied(),
    );
    rest = products(
        &rest,
        level("userRiskLevels", &domain.user_risks).iter().copied(),
    );
    let insider: BTreeSet<Mask> = domain
        .insider_risks
        .iter()
        .map(|level| {
            mask(&policies, |policy| {
                World::applies_to_insider_risk(policy, level)
            })
        })
        .collect();
    rest = products(&rest, insider.iter().copied());
    let mut truth = Truth::default();
    if rest.is_empty() {
        return truth;
    }
    let evidence: Vec<(&Clause, Evidence)> = guarantee
        .must
        .iter()
        .map(|clause| (clause, largest_without(world, guarantee, clause)))
        .collect();
    let devices: BTreeSet<(Mask, bool, bool, bool)> = domain
        .devices
        .iter()
        .map(|device| {
            let device = device.as_ref();
            (
                mask(&policies, |policy| World::applies_to_device(policy, device)),
                is_compliant(device),
                is_hybrid(device),
                device.is_some(),
            )
        })
        .collect();
    let platforms: BTreeSet<(Mask, &str)> = domain
        .platforms
        .iter()
        .map(|platform| {
            let matching = mask(&policies, |policy| {
                World::applies_to_platform(policy, platform)
            });
            (matching, *platform)
        })
        .collect();
    let flows: BTreeSet<(Mask, bool)> = domain
        .flows
        .iter()
        .map(|flow| {
            let matching = mask(&policies, |policy| World::applies_to_flow(policy, flow));
            (matching, *flow == "deviceCodeFlow")
        })
        .collect();
    let mut unmet: BTreeMap<(usize, Means), Mask> = BTreeMap::new();
    let mut stamped: Vec<Mask> = Vec::new();
    for (clause, _) in &evidence {
        stamped.push(mask(&policies, |policy| {
            clause
                .iter()
                .any(|atom| matches!(atom, Atom::Session(session) if stamps(policy, session)))
        }));
    }
    for (person, activated) in &domain.people {
        let who = mask(&policies, |policy| {
            world.applies_to_person(policy, person, activated)
        });
        let trust = world.trust(person);
        let direct_connect = world.kind(person) == Some("b2bDirectConnectUser");
        let shows_devices = trust.is_none_or(|trust| trust.compliant || trust.hybrid);
        for client in &domain.clients {
            let by_client =
                who & mask(&policies, |policy| World::applies_to_client(policy, client));
            let shows_device = shows_devices && !is_legacy(client);
            for &(by_device, compliant, hybrid, registered) in &devices {
                if registered && !shows_device {
                    continue;
                }
                for &(by_platform, platform) in &platforms {
                    for &(by_flow, device_code) in &flows {
                        truth.asked = true;
                        let applying = by_client & by_device & by_platform & by_flow;
                        let means = Means {
                            legacy: is_legacy(client),
                            trust,
                            direct_connect,
                            compliant,
                            hybrid,
                            device_code,
                            platform,
                        };
                        for (number, (clause, evidence)) in evidence.iter().enumerate() {
                            if clause.contains(&Atom::CompliantDevice) && compliant
                                || clause.contains(&Atom::DomainJoinedDevice) && hybrid
                            {
                                continue;
                            }
                            let unmet = *unmet.entry((number, means)).or_insert_with(|| {
                                mask(&policies, |policy| {
                                    !world.satisfied(policy, &means, evidence)
                                })
                            }) | stamped[number];
                            if rest.iter().any(|rest| applying & rest & unmet == 0) {
                                truth.open = true;
                                truth
                                    .affected
                                    .extend(world.user_id(person).map(ToOwned::to_owned));
                            }
                        }
                    }
                }
            }
        }
    }
    truth
}

impl Domain {
    /// One sign-in of the product, by a number for each dimension.
    pub(crate) fn sign_in(&self, numbers: &[usize; 10]) -> Option<SignIn> {
        fn one<T: Clone>(list: &[T], number: usize) -> Option<T> {
            list.get(number % list.len().max(1)).cloned()
        }
        let (person, activated) = one(&self.people, numbers[0])?;
        Some(SignIn {
            person,
            activated,
            target: one(&self.targets, numbers[1])?,
            client: one(&self.clients, numbers[2])?,
            platform: one(&self.platforms, numbers[3])?,
            network: one(&self.networks, numbers[4])?,
            device: one(&self.devices, numbers[5])?,
            sign_in_risk: one(&self.sign_in_risks, numbers[6])?,
            user_risk: one(&self.user_risks, numbers[7])?,
            insider_risk: one(&self.insider_risks, numbers[8])?,
            flow: one(&self.flows, numbers[9])?,
        })
    }
}
