//! Sign-ins of a small tenant, decided; each case can only come out by the condition that it is about.

mod controls;

use serde_json::{Value, json};

use super::{Decision, Outcome, SignIn, SignInDevice, SignInTarget, Someone};
use crate::access::{Analyzer, Settings};
use crate::snapshot::{Guid, Resource, State, Tenant};

const ROLE: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8"; // Helpdesk Administrator
const GROUP: &str = "00000000-0000-0000-0000-0000000000aa";
const UNREAD_GROUP: &str = "00000000-0000-0000-0000-0000000000ab";
const OFFICE: &str = "00000000-0000-0000-0000-0000000000bb";
const GERMANY: &str = "00000000-0000-0000-0000-0000000000bc";
const APP: &str = "00000000-0000-0000-0000-0000000000cc";
const STRENGTH: &str = "00000000-0000-0000-0000-000000000004"; // Phishing-resistant MFA
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
/// Named by nothing; in the group; a guest by invitation.
const USERS: [&str; 3] = [
    "00000000-0000-0000-0000-000000000001",
    "00000000-0000-0000-0000-000000000002",
    "00000000-0000-0000-0000-000000000003",
];

fn guid(text: &str) -> Guid {
    text.parse().unwrap()
}

fn tenant(policies: &[Value]) -> Tenant {
    let mut tenant = Tenant::empty();
    let mut fold = |resource, subject: Option<&str>, row: Value| {
        let raw = serde_json::value::to_raw_value(&row).unwrap();
        tenant.fold(resource, subject.map(guid), &raw).unwrap();
    };
    for (index, id) in USERS.iter().enumerate() {
        let is_guest = index == 2;
        let upn = if is_guest {
            "g_p.example#EXT#@t.example".to_owned()
        } else {
            format!("u{index}@t.example")
        };
        fold(
            Resource::Users,
            None,
            json!({"id": id, "userPrincipalName": upn, "accountEnabled": true,
                "userType": if is_guest { "Guest" } else { "Member" }, "creationType": is_guest.then_some("Invitation")}),
        );
    }
    fold(
        Resource::GroupTransitiveMembers,
        Some(GROUP),
        json!({"id": USERS[1]}),
    );
    fold(
        Resource::Groups,
        None,
        json!({"id": GROUP, "displayName": "Exceptions\u{1b}[31m"}),
    );
    fold(
        Resource::NamedLocations,
        None,
        json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": OFFICE, "displayName": "Office",
            "isTrusted": true, "ipRanges": [{"cidrAddress": "203.0.113.0/24"}]}),
    );
    fold(
        Resource::NamedLocations,
        None,
        json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "id": GERMANY, "displayName": "Germany",
            "countriesAndRegions": ["DE"], "countryLookupMethod": "clientIpAddress"}),
    );
    fold(
        Resource::CrossTenantAccessDefault,
        None,
        json!({"inboundTrust": {"isMfaAccepted": false, "isCompliantDeviceAccepted": false, "isHybridAzureADJoinedDeviceAccepted": false}}),
    );
    for policy in policies {
        fold(Resource::ConditionalAccessPolicies, None, policy.clone());
    }
    for list in [
        Resource::Users,
        Resource::GroupTransitiveMembers,
        Resource::Groups,
        Resource::NamedLocations,
        Resource::CrossTenantAccessDefault,
        Resource::CrossTenantAccessPartners,
        Resource::ConditionalAccessPolicies,
        Resource::RoleAssignments,
        Resource::RoleEligibilityScheduleInstances,
        Resource::SecurityDefaults,
    ] {
        tenant.end(list, State::Collected);
    }
    tenant
}

/// A policy for everybody and everything that asks for `controls`, with `change` over its conditions.
fn policy(id: &str, change: Value, operator: &str, controls: &[&str]) -> Value {
    let mut conditions = json!({"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]},
        "clientAppTypes": ["all"]});
    if let Value::Object(change) = change {
        conditions.as_object_mut().unwrap().extend(change);
    }
    json!({"id": id, "displayName": id, "state": "enabled", "createdDateTime": "2026-01-01T00:00:00Z",
        "conditions": conditions, "grantControls": {"operator": operator, "builtInControls": controls}})
}

fn sign_in(user: usize) -> SignIn {
    let who = Someone::Account {
        id: guid(USERS[user]),
        roles: Vec::new(),
    };
    SignIn::new(who, SignInTarget::App(guid(APP)))
}

fn decide(policies: &[Value], sign_in: &SignIn) -> Decision {
    let tenant = tenant(policies);
    Analyzer::read(&tenant, Settings::default()).decide(sign_in, false)
}

/// Whether one policy with these conditions applies, and why or why not.
#[track_caller]
fn applies(change: Value, sign_in: &SignIn, expected: Option<bool>, says: &str) {
    let decision = decide(&[policy("P", change, "OR", &["mfa"])], sign_in);
    let policy = &decision.policies[0];
    assert_eq!(policy.applies, expected, "{:?}", policy.reason);
    assert!(policy.reason.raw().contains(says), "{:?}", policy.reason);
    assert!(!policy.reason.raw().contains('\u{1b}'));
    let outcome = match expected {
        Some(true) => Outcome::AllowedWithControls,
        Some(false) => Outcome::Allowed,
        None => Outcome::Unknown,
    };
    assert_eq!(decision.decision, outcome);
    assert_eq!(decision.undecided.len(), usize::from(expected.is_none()));
}

#[test]
fn who_is_meant() {
    let users = |users: Value| json!({"users": users});
    applies(
        json!({}),
        &sign_in(0),
        Some(true),
        "includes the user through 'All users'",
    );
    let excluded = users(json!({"includeUsers": ["All"], "excludeGroups": [GROUP]}));
    applies(
        excluded.clone(),
        &sign_in(1),
        Some(false),
        "excludes the user through group 'Exceptions",
    );
    applies(excluded, &sign_in(0), Some(true), "");
    let group = users(json!({"includeGroups": [GROUP]}));
    applies(
        group.clone(),
        &sign_in(0),
        Some(false),
        "does not include the user: it is about group 'Exceptions",
    );
    applies(group, &sign_in(1), Some(true), "through group");
    let unread = users(json!({"includeUsers": ["All"], "excludeGroups": [UNREAD_GROUP]}));
    applies(
        unread,
        &sign_in(0),
        None,
        "whether it excludes the user through group 0",
    );
    let guests = users(
        json!({"includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "b2bCollaborationGuest,internalGuest",
        "externalTenants": {"membershipKind": "all"}}}),
    );
    applies(
        guests.clone(),
        &sign_in(0),
        Some(false),
        "guests and external users (internalGuest, b2bCollaborationGuest)",
    );
    applies(guests, &sign_in(2), Some(true), "");
    let from_one = users(
        json!({"includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "b2bCollaborationGuest",
        "externalTenants": {"membershipKind": "enumerated", "members": [USERS[0]]}}}),
    );
    applies(from_one, &sign_in(2), None, "whether it includes the user");
    let role = users(json!({"includeRoles": [ROLE]}));
    applies(
        role.clone(),
        &sign_in(0),
        Some(false),
        "role 'Helpdesk Administrator'",
    );
    let activated = SignIn {
        who: Someone::Account {
            id: guid(USERS[0]),
            roles: vec![guid(ROLE)],
        },
        ..sign_in(0)
    };
    applies(
        role,
        &activated,
        Some(true),
        "through role 'Helpdesk Administrator'",
    );
}

#[test]
fn what_is_signed_in_to() {
    let apps = |apps: Value| json!({"applications": apps});
    let to = |target| SignIn {
        target,
        ..sign_in(0)
    };
    let except = apps(json!({"includeApplications": ["All"], "excludeApplications": [EXCHANGE]}));
    applies(
        except.clone(),
        &sign_in(0),
        Some(true),
        "through 'All resources'",
    );
    let exchange = to(SignInTarget::App(guid(EXCHANGE)));
    applies(
        except,
        &exchange,
        Some(false),
        "excludes 'Office 365 Exchange Online'",
    );
    let office = apps(json!({"includeApplications": ["Office365"]}));
    applies(
        office.clone(),
        &exchange,
        Some(true),
        "through 'Office 365'",
    );
    applies(office, &sign_in(0), Some(false), "it is about 'Office 365'");
    let action = apps(json!({"includeUserActions": ["urn:user:registersecurityinfo"]}));
    let register = to(SignInTarget::Action(
        "urn:user:registersecurityinfo".to_owned(),
    ));
    applies(
        action.clone(),
        &register,
        Some(true),
        "names the registration of security info",
    );
    applies(
        action,
        &sign_in(0),
        Some(false),
        "it is about the registration of security info",
    );
    applies(
        json!({}),
        &register,
        Some(false),
        "it is about 'All resources'",
    );
    let context = apps(json!({"includeAuthenticationContextClassReferences": ["c1"]}));
    let asks = |context: &str| SignIn {
        auth_context: Some(context.to_owned()),
        ..sign_in(0)
    };
    applies(
        context.clone(),
        &asks("c1"),
        Some(true),
        "names the authentication context c1",
    );
    applies(
        context,
        &asks("c2"),
        Some(false),
        "it is about authentication context c1",
    );
    applies(json!({}), &asks("c2"), Some(true), "");
    let filter = apps(
        json!({"includeApplications": ["All"], "applicationFilter": {"mode": "exclude", "rule": "x"}}),
    );
    applies(filter, &sign_in(0), None, "custom security attributes");
}

#[test]
fn under_which_conditions() {
    let clients = json!({"clientAppTypes": ["exchangeActiveSync", "other"]});
    applies(
        clients.clone(),
        &sign_in(0),
        Some(false),
        "is about other client apps: exchangeActiveSync, other (no client app",
    );
    let browser = SignIn {
        client_app: Some("browser"),
        ..sign_in(0)
    };
    applies(
        clients,
        &browser,
        Some(false),
        "is about other client apps: exchangeActiveSync, other",
    );
    let platforms =
        json!({"platforms": {"includePlatforms": ["all"], "excludePlatforms": ["iOS"]}});
    applies(platforms.clone(), &sign_in(0), Some(true), "");
    let phone = SignIn {
        platform: Some("iOS"),
        ..sign_in(0)
    };
    applies(
        platforms,
        &phone,
        Some(false),
        "is not about the platforms iOS",
    );
    let risk = json!({"signInRiskLevels": ["high"]});
    applies(
        risk.clone(),
        &sign_in(0),
        Some(false),
        "is about other levels of sign-in risk: high",
    );
    applies(
        risk,
        &SignIn {
            sign_in_risk: "high",
            ..sign_in(0)
        },
        Some(true),
        "",
    );
    let flow = json!({"authenticationFlows": {"transferMethods": "deviceCodeFlow"}});
    applies(
        flow.clone(),
        &sign_in(0),
        Some(false),
        "is about other authentication flows: deviceCodeFlow",
    );
    let device_code = SignIn {
        authentication_flow: "deviceCodeFlow",
        ..sign_in(0)
    };
    applies(flow, &device_code, Some(true), "");
}

#[test]
fn from_where() {
    let at = |address: &str| SignIn {
        ip: Some(address.parse().unwrap()),
        ..sign_in(0)
    };
    for word in ["AllTrusted", OFFICE] {
        let outside =
            json!({"locations": {"includeLocations": ["All"], "excludeLocations": [word]}});
        applies(
            outside.clone(),
            &at("203.0.113.7"),
            Some(false),
            "excludes sign-ins from",
        );
        applies(outside.clone(), &at("203.0.114.7"), Some(true), "");
        applies(outside, &sign_in(0), Some(true), "");
    }
    let germany = json!({"locations": {"includeLocations": [GERMANY]}});
    applies(
        germany.clone(),
        &sign_in(0),
        Some(false),
        "is about sign-ins from 'Germany' (no country was given",
    );
    applies(
        germany.clone(),
        &at("203.0.113.7"),
        Some(false),
        "(no country was given",
    );
    let there = SignIn {
        country: Some("DE".to_owned()),
        ..sign_in(0)
    };
    applies(germany, &there, Some(true), "");
    let gone = json!({"locations": {"includeLocations": ["All"], "excludeLocations": [APP]}});
    applies(
        gone,
        &sign_in(0),
        None,
        "whether it excludes the sign-in by location 0",
    );
}

/// The documented treatment of devices without attributes: all four combinations.
#[test]
fn device_filters() {
    let filter =
        |mode: &str, rule: &str| json!({"devices": {"deviceFilter": {"mode": mode, "rule": rule}}});
    let positive = "device.trustType -eq \"ServerAD\"";
    let negative = "device.trustType -ne \"ServerAD\"";
    applies(
        filter("include", positive),
        &sign_in(0),
        Some(false),
        "includes other devices only: device.trustType -eq",
    );
    applies(filter("include", negative), &sign_in(0), Some(true), "");
    applies(filter("exclude", positive), &sign_in(0), Some(true), "");
    applies(
        filter("exclude", negative),
        &sign_in(0),
        Some(false),
        "excludes the device",
    );
    let hybrid = SignInDevice::registered()
        .with("TrustType", "serverad")
        .unwrap();
    let shown = SignIn {
        device: Some(hybrid),
        ..sign_in(0)
    };
    applies(
        filter("exclude", positive),
        &shown,
        Some(false),
        "excludes the device",
    );
    // Devices of guests count where their tenant is trusted.
    let guest = SignIn {
        who: sign_in(2).who,
        ..shown
    };
    applies(filter("exclude", positive), &guest, Some(true), "");
    applies(
        filter("exclude", "device.x -eq"),
        &sign_in(0),
        None,
        "cannot be read",
    );
}
