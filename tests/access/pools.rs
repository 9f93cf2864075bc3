//! Small random tenants and random guarantees.

use std::collections::BTreeMap;

use m365audit::access::{Asked, Assume, Atom, Guarantee, Pim, RoleScope, SessionAtom, When, Who};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::brute::{APPS, CLIENTS, FLOWS, INSIDER_RISKS, KINDS, PLATFORMS, RISKS};
use super::evaluator::{ISSUERS, MFA, MODELS, OIDS, PASSWORDLESS, PHISHING_RESISTANT};
use super::world::{World, id};

pub(crate) const USERS: [&str; 6] = [
    "00000000-0000-0000-0000-000000000001",
    "00000000-0000-0000-0000-000000000002",
    "00000000-0000-0000-0000-000000000003",
    "00000000-0000-0000-0000-000000000004",
    "00000000-0000-0000-0000-000000000005",
    "00000000-0000-0000-0000-000000000006",
];
pub(crate) const GROUPS: [&str; 3] = [
    "00000000-0000-0000-0000-0000000000a1",
    "00000000-0000-0000-0000-0000000000a2",
    "00000000-0000-0000-0000-0000000000a3",
];
/// Global Administrator, User Administrator.
pub(crate) const ROLES: [&str; 2] = [
    "62e90394-69f5-4237-9190-012177145e10",
    "fe930be7-5e62-47db-91af-98c3a49a38b1",
];
pub(crate) const TENANTS: [&str; 3] = [
    "00000000-0000-0000-0000-0000000000f1",
    "00000000-0000-0000-0000-0000000000f2",
    "00000000-0000-0000-0000-0000000000f3",
];
pub(crate) const LOCATIONS: [&str; 7] = [
    "00000000-0000-0000-0000-0000000000c1",
    "00000000-0000-0000-0000-0000000000c2",
    "00000000-0000-0000-0000-0000000000c3",
    "00000000-0000-0000-0000-0000000000c4",
    "00000000-0000-0000-0000-0000000000c5",
    "00000000-0000-0000-0000-0000000000c6",
    "00000000-0000-0000-0000-0000000000c7",
];
pub(crate) const SINGLE_FACTOR: &str = "00000000-0000-0000-0000-0000000000b1";
pub(crate) const KEYS: &str = "00000000-0000-0000-0000-0000000000b2";
pub(crate) const MIXED: &str = "00000000-0000-0000-0000-0000000000b3";
pub(crate) const CERTIFICATES: &str = "00000000-0000-0000-0000-0000000000b4";
pub(crate) const STRENGTHS: [&str; 7] = [
    MFA,
    PASSWORDLESS,
    PHISHING_RESISTANT,
    SINGLE_FACTOR,
    KEYS,
    MIXED,
    CERTIFICATES,
];
const TERMS: [&str; 2] = ["terms-1", "terms-2"];
const RULES: [&str; 12] = [
    "device.isCompliant -eq True",
    "device.isCompliant -ne True",
    "device.trustType -eq \"ServerAD\"",
    "device.trustType -ne \"ServerAD\" -or device.isCompliant -eq False",
    "device.model -startsWith \"Kiosk\" -and device.model -notEndsWith \"9\"",
    "device.model -in [\"Kiosk9\", \"Hub\"]",
    "device.model -notIn [\"Kiosk9\", \"Hub\"]",
    "not (device.model -contains \"osk\") and device.isCompliant -eq True",
    "device.physicalIds -contains \"[Tag]:A\"",
    "device.physicalIds -notContains \"[Tag]:A\"",
    "device.manufacturer -ne \"Contoso\" -or device.model -eq \"Hub\"",
    "device.manufacturer -notStartsWith \"Con\"",
];
fn direct_connect(access: &str) -> Value {
    json!({"usersAndGroups": {"accessType": access, "targets": [{"target": "AllUsers", "targetType": "user"}]},
        "applications": {"accessType": access, "targets": [{"target": "AllApplications", "targetType": "application"}]}})
}

/// Null mostly.
fn rarely(one_in: u32, what: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    prop_oneof![one_in - 1 => Just(Value::Null), 1 => what].boxed()
}

fn some_of(all: &'static [&'static str], most: usize) -> BoxedStrategy<Value> {
    subsequence(all, 1..=most.min(all.len()))
        .prop_map(|list| json!(list))
        .boxed()
}

fn joined(all: &'static [&'static str]) -> BoxedStrategy<Value> {
    subsequence(all, 1..=all.len())
        .prop_map(|list| json!(list.join(",")))
        .boxed()
}

fn kinds() -> BoxedStrategy<Value> {
    let tenants = prop_oneof![
        2 => Just(json!({"membershipKind": "all"})),
        1 => some_of(&TENANTS, 2).prop_map(|members| json!({"membershipKind": "enumerated", "members": members})),
    ];
    (joined(&KINDS), tenants)
        .prop_map(|(kinds, tenants)| json!({"guestOrExternalUserTypes": kinds, "externalTenants": tenants}))
        .boxed()
}

fn assignment() -> BoxedStrategy<Value> {
    let include = prop_oneof![
        8 => Just(json!({"includeUsers": ["All"]})),
        1 => some_of(&USERS, 3).prop_map(|users| json!({"includeUsers": users})),
        1 => some_of(&GROUPS, 2).prop_map(|groups| json!({"includeGroups": groups})),
        1 => (some_of(&ROLES, 2), rarely(2, some_of(&GROUPS, 1))).prop_map(|(roles, groups)| json!({"includeRoles": roles, "includeGroups": groups})),
        1 => Just(json!({"includeUsers": ["GuestsOrExternalUsers"]})),
        1 => kinds().prop_map(|kinds| json!({"includeGuestsOrExternalUsers": kinds})),
        1 => Just(json!({"includeUsers": ["None"]})),
    ];
    (
        include,
        rarely(5, some_of(&USERS, 2)),
        rarely(5, some_of(&GROUPS, 1)),
        rarely(6, some_of(&ROLES, 1)),
        rarely(8, kinds()),
        rarely(16, Just(json!(["GuestsOrExternalUsers"]))),
    )
        .prop_map(|(mut users, named, groups, roles, kinds, guests)| {
            users["excludeUsers"] = if guests.is_null() { named } else { guests };
            users["excludeGroups"] = groups;
            users["excludeRoles"] = roles;
            users["excludeGuestsOrExternalUsers"] = kinds;
            users
        })
        .boxed()
}

fn app_word() -> BoxedStrategy<&'static str> {
    prop_oneof![
        3 => select(&APPS[..]),
        1 => Just("Office365"),
        1 => Just("MicrosoftAdminPortals"),
    ]
    .boxed()
}

fn applications() -> BoxedStrategy<Value> {
    let words = || prop::collection::vec(app_word(), 1..3).prop_map(|words| json!(words));
    prop_oneof![
        7 => rarely(4, words()).prop_map(|exclude| json!({"includeApplications": ["All"], "excludeApplications": exclude})),
        2 => (words(), rarely(4, words())).prop_map(|(include, exclude)| json!({"includeApplications": include, "excludeApplications": exclude})),
        1 => Just(json!({"includeApplications": ["None"]})),
        1 => some_of(&["urn:user:registersecurityinfo", "urn:user:registerdevice"], 2).prop_map(|actions| json!({"includeApplications": [], "includeUserActions": actions})),
        1 => some_of(&["c1", "c2"], 2).prop_map(|contexts| json!({"includeApplications": [], "includeAuthenticationContextClassReferences": contexts})),
    ]
    .boxed()
}

fn conditions() -> BoxedStrategy<Value> {
    let clients = prop_oneof![
        5 => Just(json!(["all"])),
        1 => Just(json!([])),
        3 => some_of(&CLIENTS, 3),
    ];
    let platforms = (
        prop_oneof![Just(json!(["all"])), some_of(&PLATFORMS, 6)],
        rarely(2, some_of(&PLATFORMS, 2)),
    )
        .prop_map(
            |(include, exclude)| json!({"includePlatforms": include, "excludePlatforms": exclude}),
        );
    let places = || prop_oneof![Just(json!(["AllTrusted"])), some_of(&LOCATIONS, 2)];
    let locations = prop_oneof![
        2 => places().prop_map(|exclude| json!({"includeLocations": ["All"], "excludeLocations": exclude})),
        2 => places().prop_map(|include| json!({"includeLocations": include})),
        1 => (places(), places()).prop_map(|(include, exclude)| json!({"includeLocations": include, "excludeLocations": exclude})),
    ];
    let devices = (select(&["include", "exclude"][..]), select(&RULES[..]))
        .prop_map(|(mode, rule)| json!({"deviceFilter": {"mode": mode, "rule": rule}}));
    let flows = joined(&FLOWS[1..]).prop_map(|flows| json!({"transferMethods": flows}));
    (
        (assignment(), applications(), clients),
        rarely(6, platforms),
        rarely(4, locations),
        rarely(5, devices),
        rarely(8, some_of(&RISKS, 3)),
        rarely(8, some_of(&RISKS, 3)),
        rarely(10, joined(&INSIDER_RISKS[1..])),
        rarely(8, flows),
    )
        .prop_map(
            |((users, applications, clients), platforms, locations, devices, sign_in, user, insider, flows)| {
                json!({"users": users, "applications": applications, "clientAppTypes": clients, "platforms": platforms,
                    "locations": locations, "devices": devices, "signInRiskLevels": sign_in, "userRiskLevels": user,
                    "insiderRiskLevels": insider, "authenticationFlows": flows})
            },
        )
        .boxed()
}

fn grant() -> BoxedStrategy<Value> {
    let operator = || select(&["OR", "AND"][..]);
    let controls = prop_oneof![
        4 => Just(json!(["mfa"])),
        2 => Just(json!(["compliantDevice"])),
        1 => Just(json!(["domainJoinedDevice"])),
        3 => some_of(&["mfa", "compliantDevice", "domainJoinedDevice", "approvedApplication", "compliantApplication", "passwordChange", "riskRemediation"], 3),
        2 => Just(json!([])),
    ];
    let asked = (
        operator(),
        controls,
        rarely(4, select(&STRENGTHS[..]).prop_map(|id| json!({"id": id}))),
        rarely(8, some_of(&TERMS, 2)),
        rarely(12, Just(json!(["factor"]))),
    )
        .prop_map(|(operator, controls, strength, terms, custom)| {
            json!({"operator": operator, "builtInControls": controls, "authenticationStrength": strength, "termsOfUse": terms, "customAuthenticationFactors": custom})
        });
    prop_oneof![
        6 => asked,
        4 => Just(json!({"operator": "OR", "builtInControls": ["block"]})),
        1 => Just(Value::Null),
    ]
    .boxed()
}

fn session() -> BoxedStrategy<Value> {
    let on = || Just(json!({"isEnabled": true}));
    let either = || any::<bool>().prop_map(|on| json!({"isEnabled": on}));
    let full = (
        rarely(3, either()),
        rarely(3, select(&["mcasConfigured", "monitorOnly", "blockDownloads"][..]).prop_map(|kind| json!({"isEnabled": true, "cloudAppSecurityType": kind}))),
        rarely(3, select(&["always", "never"][..]).prop_map(|mode| json!({"isEnabled": true, "mode": mode}))),
        rarely(3, select(vec![json!({"isEnabled": true, "frequencyInterval": "timeBased", "type": "hours", "value": 4}), json!({"isEnabled": true, "frequencyInterval": "timeBased", "type": "days", "value": 1}), json!({"isEnabled": true, "frequencyInterval": "everyTime"})])),
        rarely(3, on()),
    )
        .prop_map(|(restrictions, cloud, browser, frequency, token)| {
            json!({"applicationEnforcedRestrictions": restrictions, "cloudAppSecurity": cloud, "persistentBrowser": browser, "signInFrequency": frequency, "secureSignInSession": token})
        });
    rarely(4, full)
}

/// A policy.
pub(crate) fn policy() -> BoxedStrategy<Value> {
    let state = prop_oneof![
        8 => Just("enabled"),
        1 => Just("disabled"),
        1 => Just("enabledForReportingButNotEnforced"),
    ];
    (conditions(), grant(), session(), state)
        .prop_map(|(conditions, grant, session, state)| {
            json!({"displayName": "policy", "state": state, "createdDateTime": "2026-01-01T00:00:00Z",
                "conditions": conditions, "grantControls": grant, "sessionControls": session})
        })
        .boxed()
}

fn user(place: usize) -> BoxedStrategy<Value> {
    prop_oneof![
        5 => Just(("u@t.example", "Member", Value::Null, true)),
        2 => Just(("g_p.example#EXT#@t.example", "Guest", json!("Invitation"), true)),
        1 => Just(("m_p.example#EXT#@t.example", "Member", json!("Invitation"), true)),
        1 => Just(("i@t.example", "Guest", Value::Null, true)),
        1 => Just(("d@t.example", "Member", Value::Null, false)),
    ]
    .prop_map(move |(name, kind, creation, enabled)| {
        json!({"id": USERS[place], "userPrincipalName": format!("{place}{name}"), "userType": kind, "creationType": creation, "accountEnabled": enabled})
    })
    .boxed()
}

fn assignments(most: usize) -> BoxedStrategy<Vec<Value>> {
    let scopes = [
        "/",
        "/",
        "/administrativeUnits/00000000-0000-0000-0000-0000000000e1",
    ];
    let principal = prop_oneof![
        4 => select(&USERS[..3]).prop_map(|id| (id, "#microsoft.graph.user")),
        1 => select(&GROUPS[..]).prop_map(|id| (id, "#microsoft.graph.group")),
    ];
    let row = (principal, select(&ROLES[..]), select(scopes.to_vec())).prop_map(|((id, kind), role, scope)| {
        json!({"principalId": id, "roleDefinitionId": role, "directoryScopeId": scope, "principal": {"@odata.type": kind, "id": id}})
    });
    prop::collection::vec(row, 0..=most)
        .prop_map(|rows| {
            rows.into_iter()
                .enumerate()
                .map(|(place, mut row)| {
                    row["id"] = json!(format!("assignment {place}"));
                    row
                })
                .collect()
        })
        .boxed()
}

fn trust() -> BoxedStrategy<Value> {
    (any::<bool>(), any::<bool>())
        .prop_map(|(mfa, devices)| {
            json!({"isMfaAccepted": mfa, "isCompliantDeviceAccepted": devices, "isHybridAzureADJoinedDeviceAccepted": devices})
        })
        .boxed()
}

fn locations() -> BoxedStrategy<Vec<Value>> {
    (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>())
        .prop_map(|(first, second, unknown, gps_unknown)| {
            let ranges = |ranges: &[&str]| {
                json!(ranges.iter().map(|range| json!({"cidrAddress": range})).collect::<Vec<_>>())
            };
            let ip = |place: usize, trusted: bool, list: &[&str]| {
                json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": LOCATIONS[place], "displayName": "ip", "isTrusted": trusted, "ipRanges": ranges(list)})
            };
            let country = |place: usize, lookup: &str, unknown: bool, list: &[&str]| {
                json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "id": LOCATIONS[place], "displayName": "country",
                    "countryLookupMethod": lookup, "includeUnknownCountriesAndRegions": unknown, "countriesAndRegions": list})
            };
            vec![
                ip(0, first, &["198.51.100.0/24", "2001:db8:1::/48"]),
                ip(1, second, &["198.51.100.128/25", "203.0.113.0/28"]),
                ip(2, false, &["0.0.0.0/1", "128.0.0.0/1"]),
                country(3, "clientIpAddress", unknown, &["DE", "FR"]),
                country(4, "clientIpAddress", !unknown, &["FR", "US"]),
                country(5, "authenticatorAppGps", gps_unknown, &["DE"]),
                json!({"@odata.type": "#microsoft.graph.compliantNetworkNamedLocation", "id": LOCATIONS[6], "displayName": "compliant"}),
            ]
        })
        .boxed()
}

/// Strengths as Graph sends them.
pub(crate) fn strengths() -> Vec<Value> {
    let second = [
        "microsoftAuthenticatorPush",
        "softwareOath",
        "hardwareOath",
        "sms",
        "voice",
    ];
    let mut mfa: Vec<String> = [
        "windowsHelloForBusiness",
        "fido2",
        "x509CertificateMultiFactor",
        "deviceBasedPush",
        "temporaryAccessPassOneTime",
        "temporaryAccessPassMultiUse",
        "federatedMultiFactor",
    ]
    .map(ToOwned::to_owned)
    .into();
    mfa.extend(second.iter().map(|second| format!("password,{second}")));
    mfa.extend(
        second
            .iter()
            .map(|second| format!("{second},federatedSingleFactor")),
    );
    let built_in = |id: &str, list: Value| json!({"id": id, "displayName": "built in", "policyType": "builtIn", "requirementsSatisfied": "mfa", "allowedCombinations": list, "combinationConfigurations": []});
    let custom = |id: &str, satisfies: &str, list: &[&str], narrowed: Value| json!({"id": id, "displayName": "custom", "policyType": "custom", "requirementsSatisfied": satisfies, "allowedCombinations": list, "combinationConfigurations": narrowed});
    vec![
        built_in(MFA, json!(mfa)),
        built_in(
            PASSWORDLESS,
            json!([
                "windowsHelloForBusiness",
                "fido2",
                "x509CertificateMultiFactor",
                "deviceBasedPush"
            ]),
        ),
        built_in(
            PHISHING_RESISTANT,
            json!([
                "windowsHelloForBusiness",
                "fido2",
                "x509CertificateMultiFactor"
            ]),
        ),
        custom(SINGLE_FACTOR, "none", &["password", "fido2"], json!([])),
        custom(
            KEYS,
            "mfa",
            &["fido2"],
            json!([{"@odata.type": "#microsoft.graph.fido2CombinationConfiguration", "id": "k", "appliesToCombinations": ["fido2"], "allowedAAGUIDs": [MODELS[0]]}]),
        ),
        custom(
            MIXED,
            "mfa",
            &["password,sms", "fido2"],
            json!([{"@odata.type": "#microsoft.graph.fido2CombinationConfiguration", "id": "k", "appliesToCombinations": ["fido2"], "allowedAAGUIDs": [MODELS[0], MODELS[1]]}]),
        ),
        custom(
            CERTIFICATES,
            "mfa",
            &["x509CertificateMultiFactor", "windowsHelloForBusiness"],
            json!([{"@odata.type": "#microsoft.graph.x509CertificateCombinationConfiguration", "id": "x", "appliesToCombinations": ["x509CertificateMultiFactor"], "allowedIssuerSkis": [ISSUERS[0]], "allowedPolicyOIDs": [OIDS[0]]}]),
        ),
    ]
}

/// A tenant of which everything is known.
pub(crate) fn world() -> BoxedStrategy<World> {
    let users: Vec<_> = (0..6).map(user).collect();
    let direct = prop::collection::vec(select(&USERS[..]), 0..3);
    let nested = [(); 3].map(|()| prop::collection::vec(select(&GROUPS[..]), 0..2));
    (
        (3_usize..=6, users),
        ([direct.clone(), direct.clone(), direct], nested),
        (assignments(3), assignments(2)),
        prop::collection::vec(policy(), 1..=5),
        locations(),
        (trust(), rarely(2, trust()), prop::collection::vec(select(&TENANTS[..]), 6)),
        (
            select(&["blocked", "blocked", "allowed"][..]),
            select(&[None, Some("blocked"), Some("allowed")][..]),
            any::<bool>(),
        ),
        (prop_oneof![3 => Just(false), 1 => Just(true)], prop_oneof![3 => Just(Vec::new()), 1 => Just(vec!["192.0.2.0/25".to_owned()])]),
    )
        .prop_map(|((count, mut users), (direct, nested), (active, eligible), mut policies, locations, (default, partner, homes), (by_default, by_partner, provider), (legacy_scopes, mfa_trusted_ips))| {
            users.truncate(count);
            number(&mut policies);
            let known: Vec<&str> = users.iter().map(|user| user["id"].as_str().unwrap()).collect();
            let groups: BTreeMap<String, Vec<String>> = GROUPS
                .iter()
                .zip(direct.iter().zip(&nested))
                .map(|(group, (direct, nested))| {
                    let direct = direct.iter().filter(|user| known.contains(user));
                    ((*group).to_owned(), direct.chain(nested).map(|&id| id.to_owned()).collect())
                })
                .collect();
            let homes = known.iter().zip(&homes).map(|(user, home)| ((*user).to_owned(), (*home).to_owned())).collect();
            World {
                groups,
                homes,
                role_assignments: active,
                eligible,
                policies,
                locations,
                strengths: strengths(),
                trust_default: json!({"isServiceDefault": false, "b2bDirectConnectInbound": direct_connect(by_default), "inboundTrust": default}),
                partners: vec![
                    json!({"tenantId": TENANTS[0], "inboundTrust": partner, "isServiceProvider": provider,
                        "b2bDirectConnectInbound": by_partner.map_or(Value::Null, direct_connect)}),
                ],
                mfa_trusted_ips,
                legacy_scopes,
                users,
                ..World::default()
            }
        })
        .boxed()
}

fn atom() -> BoxedStrategy<Atom> {
    prop_oneof![
        5 => Just(Atom::Mfa),
        2 => Just(Atom::PhishingResistantMfa),
        2 => select(&STRENGTHS[..]).prop_map(|strength| Atom::Strength(id(strength))),
        2 => Just(Atom::CompliantDevice),
        1 => Just(Atom::DomainJoinedDevice),
        1 => Just(Atom::CompliantApplication),
        1 => Just(Atom::ApprovedApplication),
        1 => Just(Atom::PasswordChange),
        1 => Just(Atom::RiskRemediation),
        1 => select(&TERMS[..]).prop_map(|terms| Atom::TermsOfUse(terms.to_owned())),
        1 => Just(Atom::Session(SessionAtom::ApplicationEnforcedRestrictions)),
        1 => select(&[None, Some("blockDownloads")][..]).prop_map(|kind| Atom::Session(SessionAtom::CloudAppSecurity(kind.map(ToOwned::to_owned)))),
        1 => Just(Atom::Session(SessionAtom::PersistentBrowser("never".to_owned()))),
        1 => select(&[0_i64, 4, 24][..]).prop_map(|hours| Atom::Session(SessionAtom::SignInFrequency(hours))),
        1 => Just(Atom::Session(SessionAtom::SecureSignInSession)),
    ]
    .boxed()
}

fn ids(all: &'static [&'static str], most: usize) -> BoxedStrategy<Vec<m365audit::snapshot::Guid>> {
    subsequence(all, 1..=most)
        .prop_map(|list| list.into_iter().map(id).collect())
        .boxed()
}

fn texts(all: &'static [&'static str], one_in: u32) -> BoxedStrategy<Vec<String>> {
    prop_oneof![
        one_in - 1 => Just(Vec::new()),
        1 => subsequence(all, 1..=all.len()).prop_map(|list| list.into_iter().map(ToOwned::to_owned).collect()),
    ]
    .boxed()
}

fn when() -> BoxedStrategy<When> {
    let rarely_ids =
        |one_in: u32| prop_oneof![one_in - 1 => Just(Vec::new()), 1 => ids(&LOCATIONS, 2)];
    let flag =
        |one_in: u32| prop_oneof![one_in - 1 => Just(None), 1 => any::<bool>().prop_map(Some)];
    let rule = |one_in: u32| prop_oneof![one_in - 1 => Just(None), 1 => select(&RULES[..]).prop_map(|rule| Some(rule.to_owned()))];
    (
        (
            texts(&CLIENTS, 3),
            texts(&PLATFORMS, 8),
            flag(4),
            rarely_ids(10),
            rarely_ids(10),
        ),
        (
            texts(&["DE", "US", "XX"], 10),
            texts(&["DE", "US", "XX"], 10),
            flag(8),
            flag(5),
            rule(12),
            rule(12),
        ),
        (
            texts(&RISKS, 6),
            texts(&RISKS, 6),
            texts(&INSIDER_RISKS, 8),
            texts(&FLOWS, 5),
        ),
    )
        .prop_map(
            |(
                (client_app_types, platforms, trusted, named, not_named),
                (country_in, country_not_in, registered, managed, matches, not_matches),
                (sign_in_risk, user_risk, insider_risk, authentication_flows),
            )| When {
                client_app_types,
                platforms,
                trusted,
                named,
                not_named,
                country_in,
                country_not_in,
                registered,
                managed,
                matches,
                not_matches,
                sign_in_risk,
                user_risk,
                insider_risk,
                authentication_flows,
            },
        )
        .boxed()
}

/// A question.
pub(crate) fn guarantee() -> BoxedStrategy<Guarantee> {
    let who = prop_oneof![
        4 => Just(Who::All),
        1 => Just(Who::Members),
        1 => Just(Who::Guests),
        1 => any::<bool>().prop_map(|providers| Who::EveryExternal { providers }),
        1 => ids(&USERS[..3], 2).prop_map(Who::Users),
        1 => ids(&GROUPS, 2).prop_map(Who::Groups),
        1 => (ids(&ROLES, 2), select(&[RoleScope::Directory, RoleScope::Any][..])).prop_map(|(roles, scope)| Who::Roles(roles, scope)),
    ];
    let target = prop_oneof![
        4 => Just(Asked::AnyResource),
        2 => prop::collection::vec(app_word(), 1..3).prop_map(|words| Asked::Resources(words.into_iter().map(ToOwned::to_owned).collect())),
        1 => select(&["urn:user:registersecurityinfo", "urn:user:registerdevice"][..]).prop_map(|urn| Asked::UserAction(urn.to_owned())),
        1 => Just(Asked::AuthContext("c1".to_owned())),
    ];
    let must = prop_oneof![
        4 => Just(vec![vec![Atom::Mfa]]),
        2 => Just(vec![Vec::new()]),
        4 => prop::collection::vec(prop::collection::vec(atom(), 1..3), 1..3),
    ];
    let except = prop_oneof![5 => Just(Vec::new()), 1 => ids(&USERS, 2)];
    let pim = select(&[Pim::MayActivate, Pim::Inactive][..]);
    (who, target, must, when(), except, pim, any::<bool>())
        .prop_map(
            |(who, target, must, when, except_users, pim, any_device)| Guarantee {
                except_users,
                assume: Assume {
                    pim,
                    device_code_shows_any_device: any_device,
                    all_reaches_everyone: true,
                },
                ..Guarantee::new("random", "whatever was drawn", must)
                    .who(who)
                    .target(target)
                    .when(when)
            },
        )
        .boxed()
}

/// One way to split what a policy is about into two halves that together are the whole: the key of the condition, both halves.
pub(crate) fn split() -> BoxedStrategy<(&'static str, Value, Value)> {
    let complement = |all: &'static [&'static str]| {
        subsequence(all, 1..all.len()).prop_map(move |some| {
            let rest: Vec<&str> = all
                .iter()
                .copied()
                .filter(|one| !some.contains(one))
                .collect();
            (json!(some), json!(rest))
        })
    };
    let place = prop_oneof![Just("AllTrusted"), select(&LOCATIONS[..])];
    let people = prop_oneof![
        select(&GROUPS[..]).prop_map(|group| (
            json!({"includeGroups": [group]}),
            json!({"includeUsers": ["All"], "excludeGroups": [group]})
        )),
        select(&ROLES[..]).prop_map(|role| (
            json!({"includeRoles": [role]}),
            json!({"includeUsers": ["All"], "excludeRoles": [role]})
        )),
        select(&USERS[..]).prop_map(|user| (
            json!({"includeUsers": [user]}),
            json!({"includeUsers": ["All"], "excludeUsers": [user]})
        )),
        kinds().prop_map(|kinds| (
            json!({"includeGuestsOrExternalUsers": kinds}),
            json!({"includeUsers": ["All"], "excludeGuestsOrExternalUsers": kinds})
        )),
    ];
    prop_oneof![
        people.prop_map(|(one, other)| ("users", one, other)),
        app_word().prop_map(|app| (
            "applications",
            json!({"includeApplications": [app]}),
            json!({"includeApplications": ["All"], "excludeApplications": [app]})
        )),
        complement(&CLIENTS).prop_map(|(one, other)| ("clientAppTypes", one, other)),
        complement(&PLATFORMS).prop_map(|(one, other)| {
            let rest = json!({"includePlatforms": ["all"], "excludePlatforms": one});
            if other.as_array().is_some_and(|list| list.len() > 3) {
                ("platforms", json!({"includePlatforms": one}), rest)
            } else {
                (
                    "platforms",
                    json!({"includePlatforms": one}),
                    json!({"includePlatforms": other}),
                )
            }
        }),
        place.prop_map(|place| (
            "locations",
            json!({"includeLocations": [place]}),
            json!({"includeLocations": ["All"], "excludeLocations": [place]})
        )),
        select(&RULES[..]).prop_map(|rule| {
            let half = |mode: &str| json!({"deviceFilter": {"mode": mode, "rule": rule}});
            ("devices", half("include"), half("exclude"))
        }),
        complement(&RISKS).prop_map(|(one, other)| ("signInRiskLevels", one, other)),
        complement(&RISKS).prop_map(|(one, other)| ("userRiskLevels", one, other)),
    ]
    .boxed()
}

/// Policies that together cover everything, by splitting one again and again; and what they all ask for.
fn backbone() -> BoxedStrategy<(Vec<Value>, Vec<Atom>)> {
    let whole = json!({"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}, "clientAppTypes": ["all"]});
    let goal = prop_oneof![
        3 => Just((vec![Atom::Mfa], vec![json!(["mfa"]), json!(["block"]), json!(["mfa", "compliantDevice"])])),
        1 => Just((vec![Atom::Mfa, Atom::CompliantDevice], vec![json!(["mfa"]), json!(["compliantDevice"]), json!(["block"])])),
        1 => Just((vec![Atom::CompliantDevice, Atom::DomainJoinedDevice], vec![json!(["compliantDevice"]), json!(["domainJoinedDevice"])])),
        1 => Just((vec![Atom::CompliantApplication, Atom::PasswordChange], vec![json!(["compliantApplication"]), json!(["passwordChange"])])),
        1 => Just((vec![], vec![json!(["block"])])),
    ];
    let splits = prop::collection::vec((any::<prop::sample::Index>(), split()), 0..4);
    (goal, splits, prop::collection::vec(any::<prop::sample::Index>(), 5))
        .prop_map(move |((clause, controls), splits, picks)| {
            let mut leaves = vec![whole.clone()];
            for (index, (key, one, other)) in splits {
                let place = index.index(leaves.len());
                let leaf = leaves[place].clone();
                if leaf[key] != whole[key] {
                    continue;
                }
                let with = |half: &Value| {
                    let mut leaf = leaf.clone();
                    leaf[key] = half.clone();
                    leaf
                };
                leaves[place] = with(&one);
                leaves.push(with(&other));
            }
            let policies = leaves
                .into_iter()
                .zip(picks)
                .map(|(conditions, pick)| {
                    json!({"displayName": "leaf", "state": "enabled", "createdDateTime": "2026-01-01T00:00:00Z", "conditions": conditions,
                        "grantControls": {"operator": "AND", "builtInControls": pick.get(&controls)}})
                })
                .collect();
            (policies, clause)
        })
        .boxed()
}

/// Number the policies.
pub(crate) fn number(policies: &mut [Value]) {
    for (place, policy) in policies.iter_mut().enumerate() {
        policy["id"] = json!(format!("00000000-0000-0000-0000-00000000d{place:03}"));
    }
}

/// A tenant whose policies together cover what is asked, or nearly so.
pub(crate) fn nearly_covered() -> BoxedStrategy<(World, Guarantee)> {
    let holes = prop_oneof![
        3 => Just(Vec::new()),
        2 => prop::collection::vec((any::<prop::sample::Index>(), policy()), 1..2),
    ];
    (
        world(),
        guarantee(),
        backbone(),
        holes,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(mut world, mut guarantee, (mut policies, clause), holes, plain, scoped)| {
                // Of a leaf with a hole one condition is another policy's.
                for (index, (which, other)) in holes.into_iter().enumerate() {
                    let place = which.index(policies.len());
                    let keys = [
                        "locations",
                        "devices",
                        "platforms",
                        "users",
                        "clientAppTypes",
                    ];
                    let key = keys[(place + index) % keys.len()];
                    policies[place]["conditions"][key] = other["conditions"][key].clone();
                }
                if !plain {
                    world.policies.truncate(2);
                    policies.append(&mut world.policies);
                }
                world.policies = policies;
                number(&mut world.policies);
                guarantee.must = vec![clause];
                if !scoped {
                    guarantee.when = When::default();
                    guarantee.who = Who::All;
                }
                (world, guarantee)
            },
        )
        .boxed()
}
