//! Single sign-ins, decided one condition at a time straight from the documented semantics: no classes, no boxes.

use std::collections::BTreeSet;

use ipnet::IpNet;
use serde_json::Value;

use super::filter;
use super::world::{Evidence, Network, Performed, Person, SignIn, Target, World};

pub(crate) const MFA: &str = "00000000-0000-0000-0000-000000000002";
pub(crate) const PASSWORDLESS: &str = "00000000-0000-0000-0000-000000000003";
pub(crate) const PHISHING_RESISTANT: &str = "00000000-0000-0000-0000-000000000004";

pub(crate) const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
pub(crate) const SHAREPOINT: &str = "00000003-0000-0ff1-ce00-000000000000";
pub(crate) const EXCHANGE_PORTAL: &str = "497effe9-df71-4043-a8bb-14cf78c4b63b";
pub(crate) const OFFICE_PORTAL: &str = "00000006-0000-0ff1-ce00-000000000000";
pub(crate) const INTUNE_PORTAL: &str = "5926fc8e-304e-4f59-8bed-58ca97cc39a4";
pub(crate) const AZURE_PORTAL: &str = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c";
pub(crate) const AZURE_API: &str = "797f4846-ba00-4fd7-ba43-dac1f8f63013";
pub(crate) const DIRECTORY: &str = "00000002-0000-0000-c000-000000000000";

/// Combinations that are a second factor, with whether they need no password and whether they cannot be phished. Source:
/// Conditional Access authentication strength.
const FACTORS: [(&str, bool, bool); 17] = [
    ("windowsHelloForBusiness", true, true),
    ("fido2", true, true),
    ("x509CertificateMultiFactor", true, true),
    ("deviceBasedPush", true, false),
    ("temporaryAccessPassOneTime", false, false),
    ("temporaryAccessPassMultiUse", false, false),
    ("password,microsoftAuthenticatorPush", false, false),
    ("password,softwareOath", false, false),
    ("password,hardwareOath", false, false),
    ("password,sms", false, false),
    ("password,voice", false, false),
    ("federatedMultiFactor", false, false),
    (
        "federatedSingleFactor,microsoftAuthenticatorPush",
        false,
        false,
    ),
    ("federatedSingleFactor,softwareOath", false, false),
    ("federatedSingleFactor,hardwareOath", false, false),
    ("federatedSingleFactor,sms", false, false),
    ("federatedSingleFactor,voice", false, false),
];

const SINGLE: [&str; 4] = [
    "password",
    "sms",
    "x509CertificateSingleFactor",
    "federatedSingleFactor",
];

/// The order of the parts of a combination says nothing.
fn same_combination(left: &str, right: &str) -> bool {
    let parts = |text: &str| {
        text.split(',')
            .map(|part| part.trim().to_owned())
            .collect::<BTreeSet<_>>()
    };
    left == right || parts(left) == parts(right)
}

pub(crate) const MODELS: [&str; 3] = [
    "00000000-0000-0000-0000-00000000aa01",
    "00000000-0000-0000-0000-00000000aa02",
    "another model",
];
pub(crate) const ISSUERS: [&str; 2] =
    ["9A4248C6AC8C2931AB2A86537818E92E7B6C97B6", "another issuer"];
pub(crate) const OIDS: [&str; 2] = ["1.2.3.4", "another policy"];

/// Everything that can be performed.
pub(crate) fn all_performed() -> Vec<Performed> {
    let mut all = Vec::new();
    for combination in FACTORS.iter().map(|row| row.0).chain(SINGLE) {
        let one = |model, issuer, oid| Performed {
            combination,
            model,
            issuer,
            oid,
        };
        if combination == "fido2" {
            all.extend(MODELS.map(|model| one(model, "", "")));
        } else if combination.starts_with("x509") {
            for issuer in ISSUERS {
                all.extend(OIDS.map(|oid| one("", issuer, oid)));
            }
        } else {
            all.push(one("", "", ""));
        }
    }
    all
}

pub(crate) fn is_mfa(performed: &Performed) -> bool {
    FACTORS.iter().any(|row| row.0 == performed.combination)
}

pub(crate) fn is_phishing_resistant(performed: &Performed) -> bool {
    FACTORS
        .iter()
        .any(|row| row.0 == performed.combination && row.2)
}

fn items(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn has(value: &Value, word: &str) -> bool {
    items(value).any(|item| item.eq_ignore_ascii_case(word))
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_none_or(Vec::is_empty)
}

fn flags(value: &Value, word: &str) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.split(',').any(|flag| flag.trim() == word))
}

/// How far what somebody from another tenant brings along is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Trust {
    pub(crate) mfa: bool,
    pub(crate) compliant: bool,
    pub(crate) hybrid: bool,
}

/// What of a sign-in decides whether controls can be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "one field for each fact, under its own name"
)]
pub(crate) struct Means {
    pub(crate) legacy: bool,
    /// Of somebody from another tenant.
    pub(crate) trust: Option<Trust>,
    pub(crate) direct_connect: bool,
    pub(crate) compliant: bool,
    pub(crate) hybrid: bool,
    pub(crate) device_code: bool,
    pub(crate) platform: &'static str,
}

impl World {
    pub(crate) fn user(&self, person: &Person) -> Option<&Value> {
        match person {
            Person::Account(place) => Some(&self.users[*place]),
            Person::Stranger(..) => None,
        }
    }

    pub(crate) fn user_id(&self, person: &Person) -> Option<&str> {
        self.user(person)?["id"].as_str()
    }

    /// The kind of guest or external user, if any.
    pub(crate) fn kind(&self, person: &Person) -> Option<&'static str> {
        let user = match person {
            Person::Stranger(kind, _) => return Some(kind),
            Person::Account(place) => &self.users[*place],
        };
        let guest = user["userType"] == "Guest";
        let invited = user["creationType"] == "Invitation"
            && user["userPrincipalName"]
                .as_str()
                .is_some_and(|name| name.contains("#EXT#"));
        match (guest, invited) {
            (true, true) => Some("b2bCollaborationGuest"),
            (true, false) => Some("internalGuest"),
            (false, true) => Some("b2bCollaborationMember"),
            (false, false) => None,
        }
    }

    fn home<'a>(&'a self, person: &'a Person) -> Option<&'a str> {
        match person {
            Person::Stranger(_, home) => Some(home),
            Person::Account(_) => self.homes.get(self.user_id(person)?).map(String::as_str),
        }
    }

    /// None: authenticates here like everybody.
    pub(crate) fn trust(&self, person: &Person) -> Option<Trust> {
        let kind = self.kind(person)?;
        if kind == "internalGuest" {
            return None;
        }
        let home = self.home(person);
        let entry = self
            .partners
            .iter()
            .find(|partner| partner["tenantId"].as_str() == home);
        let field = |key: &str| {
            let own = entry.and_then(|entry| entry["inboundTrust"][key].as_bool());
            own.or_else(|| self.trust_default["inboundTrust"][key].as_bool())
                .unwrap_or(false)
        };
        Some(Trust {
            mfa: field("isMfaAccepted"),
            compliant: field("isCompliantDeviceAccepted"),
            hybrid: field("isHybridAzureADJoinedDeviceAccepted"),
        })
    }

    /// The principal of an assignment is this account, or a group that it is in.
    pub(crate) fn assigned(&self, row: &Value, user: &str) -> bool {
        let principal = row["principalId"].as_str().unwrap();
        principal == user || self.members(principal).contains(user)
    }

    /// Role assignments that hold in this state: role and scope.
    pub(crate) fn held(&self, person: &Person, activated: &BTreeSet<usize>) -> Vec<(&str, &str)> {
        let Some(user) = self.user_id(person) else {
            return Vec::new();
        };
        let eligible = self
            .eligible
            .iter()
            .enumerate()
            .filter(|(place, _)| activated.contains(place))
            .map(|(_, row)| row);
        self.role_assignments
            .iter()
            .chain(eligible)
            .filter(|row| self.assigned(row, user))
            .map(|row| {
                (
                    row["roleDefinitionId"].as_str().unwrap(),
                    row["directoryScopeId"].as_str().unwrap(),
                )
            })
            .collect()
    }

    fn is_built_in(&self, role: &str) -> bool {
        !self
            .role_definitions
            .iter()
            .any(|row| row["id"] == role && row["isBuiltIn"] == false)
    }

    fn names_person(
        &self,
        users: &Value,
        side: &str,
        person: &Person,
        activated: &BTreeSet<usize>,
    ) -> bool {
        let part = |key: &str| &users[format!("{side}{key}")];
        let has_account = matches!(person, Person::Account(_));
        if has(part("Users"), "All") && (has_account || !self.all_misses_strangers) {
            return true;
        }
        let kind = self.kind(person);
        if kind.is_some() && has(part("Users"), "GuestsOrExternalUsers") {
            return true;
        }
        if let Some(kind) = kind {
            let guests = part("GuestsOrExternalUsers");
            let tenants = &guests["externalTenants"];
            let from = match tenants["membershipKind"].as_str() {
                Some("enumerated") => self
                    .home(person)
                    .is_some_and(|home| has(&tenants["members"], home)),
                _ => true,
            };
            if flags(&guests["guestOrExternalUserTypes"], kind) && from {
                return true;
            }
        }
        let Some(user) = self.user_id(person) else {
            return false;
        };
        has(part("Users"), user)
            || items(part("Groups")).any(|group| self.members(group).contains(user))
            || self.held(person, activated).iter().any(|(role, scope)| {
                *scope == "/" && self.is_built_in(role) && has(part("Roles"), role)
            })
    }

    pub(crate) fn applies_to_person(
        &self,
        policy: &Value,
        person: &Person,
        activated: &BTreeSet<usize>,
    ) -> bool {
        let users = &policy["conditions"]["users"];
        self.names_person(users, "include", person, activated)
            && !self.names_person(users, "exclude", person, activated)
    }

    pub(crate) fn applies_to_target(&self, policy: &Value, target: &Target) -> bool {
        let apps = &policy["conditions"]["applications"];
        let names = |key: &str, app: &str| items(&apps[key]).any(|word| stands_for(word, app));
        let contexts = |contexts: &[String]| {
            contexts.iter().any(|context| {
                has(
                    &apps["includeAuthenticationContextClassReferences"],
                    context,
                )
            })
        };
        let all = has(&apps["includeApplications"], "All");
        match target {
            Target::Action(urn) => has(&apps["includeUserActions"], urn),
            Target::App(app, asked) => {
                contexts(asked)
                    || (all || names("includeApplications", app))
                        && !names("excludeApplications", app)
            }
            Target::AnyOther(asked) => contexts(asked) || all,
            Target::Baseline if self.legacy_scopes => all && is_empty(&apps["excludeApplications"]),
            Target::Baseline => {
                (all || names("includeApplications", DIRECTORY))
                    && !names("excludeApplications", DIRECTORY)
            }
        }
    }

    pub(crate) fn applies_to_client(policy: &Value, client: &str) -> bool {
        let clients = &policy["conditions"]["clientAppTypes"];
        is_empty(clients) || has(clients, "all") || has(clients, client)
    }

    pub(crate) fn applies_to_platform(policy: &Value, platform: &str) -> bool {
        let platforms = &policy["conditions"]["platforms"];
        let named = |key: &str| has(&platforms[key], "all") || has(&platforms[key], platform);
        platforms.is_null() || named("includePlatforms") && !named("excludePlatforms")
    }

    pub(crate) fn is_trusted(&self, network: &Network) -> bool {
        let listed = self
            .mfa_trusted_ips
            .iter()
            .any(|range| range.parse::<IpNet>().unwrap().contains(&network.ip));
        listed
            || self
                .locations
                .iter()
                .any(|location| location["isTrusted"] == true && is_in(location, network))
    }

    pub(crate) fn is_in_location(&self, id: &str, network: &Network) -> bool {
        self.locations
            .iter()
            .any(|location| location["id"] == id && is_in(location, network))
    }

    pub(crate) fn applies_to_network(&self, policy: &Value, network: &Network) -> bool {
        let locations = &policy["conditions"]["locations"];
        let named = |key: &str| {
            items(&locations[key]).any(|word| match word {
                "All" => true,
                "AllTrusted" => self.is_trusted(network),
                id => self.is_in_location(id, network),
            })
        };
        locations.is_null() || named("includeLocations") && !named("excludeLocations")
    }

    pub(crate) fn applies_to_device(policy: &Value, device: Option<&filter::Device>) -> bool {
        let rule = &policy["conditions"]["devices"]["deviceFilter"];
        let Some(text) = rule["rule"].as_str() else {
            return true;
        };
        let matches = filter::parse(text).matches(device);
        if rule["mode"] == "exclude" {
            !matches
        } else {
            matches
        }
    }

    pub(crate) fn applies_to_level(policy: &Value, key: &str, level: &str) -> bool {
        let levels = &policy["conditions"][key];
        is_empty(levels) || has(levels, level)
    }

    pub(crate) fn applies_to_insider_risk(policy: &Value, level: &str) -> bool {
        let levels = &policy["conditions"]["insiderRiskLevels"];
        levels.is_null() || flags(levels, level)
    }

    pub(crate) fn applies_to_flow(policy: &Value, flow: &str) -> bool {
        let methods = &policy["conditions"]["authenticationFlows"]["transferMethods"];
        methods.is_null() || flags(methods, flow)
    }

    /// The device that a policy sees.
    pub(crate) fn visible<'a>(&self, sign_in: &'a SignIn) -> Option<&'a filter::Device> {
        let trusted = self
            .trust(&sign_in.person)
            .is_none_or(|trust| trust.compliant || trust.hybrid);
        sign_in
            .device
            .as_ref()
            .filter(|_| trusted && !is_legacy(sign_in.client))
    }

    pub(crate) fn applies(&self, policy: &Value, sign_in: &SignIn) -> bool {
        self.applies_to_person(policy, &sign_in.person, &sign_in.activated)
            && self.applies_to_target(policy, &sign_in.target)
            && Self::applies_to_client(policy, sign_in.client)
            && Self::applies_to_platform(policy, sign_in.platform)
            && self.applies_to_network(policy, &sign_in.network)
            && Self::applies_to_device(policy, self.visible(sign_in))
            && Self::applies_to_level(policy, "signInRiskLevels", sign_in.sign_in_risk)
            && Self::applies_to_level(policy, "userRiskLevels", sign_in.user_risk)
            && Self::applies_to_insider_risk(policy, sign_in.insider_risk)
            && Self::applies_to_flow(policy, sign_in.flow)
    }

    pub(crate) fn means(&self, sign_in: &SignIn) -> Means {
        let device = self.visible(sign_in);
        Means {
            legacy: is_legacy(sign_in.client),
            trust: self.trust(&sign_in.person),
            direct_connect: self.kind(&sign_in.person) == Some("b2bDirectConnectUser"),
            compliant: is_compliant(device),
            hybrid: is_hybrid(device),
            device_code: sign_in.flow == "deviceCodeFlow",
            platform: sign_in.platform,
        }
    }

    pub(crate) fn strength(&self, policy: &Value) -> Value {
        let strength = &policy["grantControls"]["authenticationStrength"];
        if strength.is_null() || strength.get("allowedCombinations").is_some() {
            return strength.clone();
        }
        self.strength_by_id(strength["id"].as_str().unwrap())
    }

    pub(crate) fn strength_by_id(&self, id: &str) -> Value {
        let custom = self.strengths.iter().find(|row| row["id"] == id);
        custom.cloned().unwrap_or_else(|| built_in_strength(id))
    }

    /// Whether what is shown meets what a policy asks for.
    pub(crate) fn satisfied(&self, policy: &Value, means: &Means, evidence: &Evidence) -> bool {
        let grant = &policy["grantControls"];
        let strength = self.strength(policy);
        let mut met: Vec<bool> = items(&grant["builtInControls"])
            .map(|control| meets(control, means, evidence))
            .collect();
        if met.is_empty()
            && is_empty(&grant["termsOfUse"])
            && is_empty(&grant["customAuthenticationFactors"])
            && strength.is_null()
        {
            return true;
        }
        met.extend(items(&grant["termsOfUse"]).map(|terms| evidence.terms.contains(terms)));
        met.extend(items(&grant["customAuthenticationFactors"]).map(|_| evidence.custom_factor));
        if !strength.is_null() {
            met.push(usable(means, evidence).any(|performed| in_strength(&strength, performed)));
        }
        // Legacy protocols can answer nothing that is asked for.
        if means.legacy || has(&grant["builtInControls"], "block") {
            return false;
        }
        if grant["operator"] == "AND" {
            met.into_iter().all(|met| met)
        } else {
            met.into_iter().any(|met| met)
        }
    }

    /// Whether a sign-in gets its token.
    pub(crate) fn admitted(&self, sign_in: &SignIn, evidence: &Evidence) -> bool {
        let means = self.means(sign_in);
        self.policies
            .iter()
            .filter(|policy| policy["state"] == "enabled")
            .filter(|policy| self.applies(policy, sign_in))
            .all(|policy| self.satisfied(policy, &means, evidence))
    }
}

pub(crate) fn is_legacy(client: &str) -> bool {
    matches!(client, "exchangeActiveSync" | "other")
}

pub(crate) fn is_compliant(device: Option<&filter::Device>) -> bool {
    device.is_some_and(|device| device.get("iscompliant") == Some(&Value::Bool(true)))
}

pub(crate) fn is_hybrid(device: Option<&filter::Device>) -> bool {
    device.is_some_and(|device| {
        device
            .get("trusttype")
            .is_some_and(|kind| kind == "ServerAD")
    })
}

/// Whether a word of a list of applications stands for an app. Source: Conditional Access: Target resources.
pub(crate) fn stands_for(word: &str, app: &str) -> bool {
    match word {
        "Office365" => matches!(app, EXCHANGE | SHAREPOINT | OFFICE_PORTAL),
        "MicrosoftAdminPortals" => matches!(
            app,
            OFFICE_PORTAL | INTUNE_PORTAL | AZURE_PORTAL | EXCHANGE_PORTAL
        ),
        AZURE_API => matches!(app, AZURE_API | AZURE_PORTAL),
        _ => word == app,
    }
}

fn is_in(location: &Value, network: &Network) -> bool {
    let country = |found: &Option<String>| match found {
        Some(country) => has(&location["countriesAndRegions"], country),
        None => location["includeUnknownCountriesAndRegions"] == true,
    };
    match location["@odata.type"].as_str().unwrap() {
        "#microsoft.graph.ipNamedLocation" => location["ipRanges"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|range| {
                let range: IpNet = range["cidrAddress"].as_str().unwrap().parse().unwrap();
                range.contains(&network.ip)
            }),
        "#microsoft.graph.countryNamedLocation"
            if location["countryLookupMethod"] == "authenticatorAppGps" =>
        {
            country(&network.gps)
        }
        "#microsoft.graph.countryNamedLocation" => country(&network.country),
        "#microsoft.graph.compliantNetworkNamedLocation" => network.compliant,
        other => panic!("location of type {other}"),
    }
}

/// What was performed and counts: people from other tenants perform few methods here.
fn usable<'a>(means: &Means, evidence: &'a Evidence) -> impl Iterator<Item = &'a Performed> {
    let trust = means.trust;
    let direct = means.direct_connect;
    evidence.performed.iter().filter(move |performed| {
        let second = performed.combination.rsplit(',').next().unwrap();
        match trust {
            None | Some(Trust { mfa: true, .. }) => true,
            Some(_) if !is_mfa(performed) => true,
            Some(_) => {
                !direct
                    && performed.combination.contains(',')
                    && matches!(
                        second,
                        "sms" | "voice" | "microsoftAuthenticatorPush" | "softwareOath"
                    )
            }
        }
    })
}

fn meets(control: &str, means: &Means, evidence: &Evidence) -> bool {
    let foreign = means.device_code;
    let external = means.trust.is_some();
    match control {
        "block" => false,
        "mfa" => usable(means, evidence).any(is_mfa),
        "compliantDevice" => {
            (means.compliant || foreign && evidence.foreign_compliant)
                && means.trust.is_none_or(|trust| trust.compliant)
        }
        "domainJoinedDevice" => {
            (means.hybrid || foreign && evidence.foreign_hybrid)
                && means.trust.is_none_or(|trust| trust.hybrid)
        }
        "approvedApplication" => {
            evidence.approved_app && !external && matches!(means.platform, "iOS" | "android")
        }
        "compliantApplication" => {
            evidence.compliant_app
                && !external
                && matches!(means.platform, "iOS" | "android" | "windows")
        }
        "passwordChange" => evidence.password_change && !external,
        "riskRemediation" => evidence.risk_remediation && !external,
        other => panic!("control {other}"),
    }
}

/// Whether a strength accepts what was performed.
pub(crate) fn in_strength(strength: &Value, performed: &Performed) -> bool {
    let listed = items(&strength["allowedCombinations"])
        .any(|combination| same_combination(combination, performed.combination));
    listed
        && strength["combinationConfigurations"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|narrowed| has(&narrowed["appliesToCombinations"], performed.combination))
            .all(|narrowed| {
                let allows =
                    |key: &str, value: &str| is_empty(&narrowed[key]) || has(&narrowed[key], value);
                allows("allowedAAGUIDs", performed.model)
                    && allows("allowedIssuerSkis", performed.issuer)
                    && allows("allowedPolicyOIDs", performed.oid)
            })
}

fn built_in_strength(id: &str) -> Value {
    let rows = FACTORS.iter().filter(|row| match id {
        MFA => true,
        PASSWORDLESS => row.1,
        PHISHING_RESISTANT => row.2,
        other => panic!("strength {other}"),
    });
    serde_json::json!({"id": id, "allowedCombinations": rows.map(|row| row.0).collect::<Vec<_>>()})
}
