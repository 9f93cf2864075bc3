//! What is left to be met, and what lets in.

use serde_json::{Value, json};

use super::super::{Outcome, SignIn, SignInDevice, Someone};
use super::{STRENGTH, UNREAD_GROUP, decide, policy, sign_in, tenant};
use crate::access::device::Truth;
use crate::access::proof::Evidence;
use crate::access::subjects::ExternalKind;
use crate::access::{Analyzer, Settings};
use crate::snapshot::{Resource, State};

/// Policies, a sign-in, how it ends, and what is still to be met.
type Asked<'a> = (&'a [Value], SignIn, Outcome, &'a [&'a [&'a str]]);
/// A policy, a sign-in, the methods performed, the controls met, and whether that lets in.
type Shown<'a> = (
    &'a Value,
    &'a SignIn,
    &'a [&'static str],
    &'a [&'a str],
    Truth,
);

fn admits(
    policies: &[Value],
    sign_in: &SignIn,
    methods: &[&'static str],
    controls: &[&str],
) -> Truth {
    let tenant = tenant(policies);
    let evidence = Evidence {
        methods: methods.to_vec(),
        controls: controls.iter().map(ToString::to_string).collect(),
    };
    Analyzer::read(&tenant, Settings::default()).admits(sign_in, &evidence)
}

#[test]
fn what_is_left_to_be_met() {
    let ask = |operator: &str, controls: &[&str]| policy("P", json!({}), operator, controls);
    let with = |device: SignInDevice| SignIn {
        device: Some(device),
        ..sign_in(0)
    };
    let compliant = || {
        SignInDevice::registered()
            .with("isCompliant", "true")
            .unwrap()
    };
    let legacy = SignIn {
        client_app: Some("other"),
        ..sign_in(0)
    };
    let desktop = SignIn {
        platform: Some("macOS"),
        ..sign_in(0)
    };
    let none: &[&[&str]] = &[];
    let cases: [Asked<'_>; 17] = [
        (&[], sign_in(0), Outcome::Allowed, none),
        (&[ask("OR", &[])], sign_in(0), Outcome::Allowed, none),
        (&[ask("OR", &["block"])], sign_in(0), Outcome::Blocked, none),
        (
            &[ask("OR", &["mfa"]), ask("OR", &["mfa", "compliantDevice"])],
            sign_in(0),
            Outcome::AllowedWithControls,
            &[&["mfa"]],
        ),
        (
            &[
                ask("OR", &["compliantDevice", "domainJoinedDevice"]),
                ask("OR", &["mfa"]),
            ],
            sign_in(0),
            Outcome::AllowedWithControls,
            &[&["mfa"], &["compliantDevice", "domainJoinedDevice"]],
        ),
        (
            &[ask("AND", &["mfa", "compliantDevice"])],
            with(compliant()),
            Outcome::AllowedWithControls,
            &[&["mfa"]],
        ),
        (
            &[ask("OR", &["mfa", "compliantDevice"])],
            with(compliant()),
            Outcome::Allowed,
            none,
        ),
        (
            &[ask("OR", &["compliantDevice"])],
            with(SignInDevice::registered()),
            Outcome::AllowedWithControls,
            &[&["compliantDevice"]],
        ),
        (
            &[ask("OR", &["compliantDevice"])],
            with(SignInDevice::unregistered()),
            Outcome::CannotBeSatisfied,
            none,
        ),
        (
            &[ask("OR", &["mfa", "compliantDevice"])],
            with(SignInDevice::unregistered()),
            Outcome::AllowedWithControls,
            &[&["mfa"]],
        ),
        (
            &[ask("OR", &["mfa"])],
            legacy.clone(),
            Outcome::CannotBeSatisfied,
            none,
        ),
        (&[ask("OR", &[])], legacy.clone(), Outcome::Allowed, none),
        (
            &[ask("OR", &["mfa"]), ask("OR", &["block"])],
            legacy,
            Outcome::Blocked,
            none,
        ),
        (
            &[ask("OR", &["compliantDevice"])],
            sign_in(2),
            Outcome::CannotBeSatisfied,
            none,
        ),
        (
            &[ask("OR", &["mfa"])],
            sign_in(2),
            Outcome::AllowedWithControls,
            &[&["mfa"]],
        ),
        (
            &[ask("OR", &["approvedApplication"])],
            desktop,
            Outcome::CannotBeSatisfied,
            none,
        ),
        (
            &[ask("AND", &["somethingNew"])],
            sign_in(0),
            Outcome::Unknown,
            none,
        ),
    ];
    for (policies, sign_in, outcome, required) in cases {
        let mut policies = policies.to_vec();
        for (index, policy) in policies.iter_mut().enumerate() {
            policy["id"] = json!(format!("P{index}"));
        }
        let decision = decide(&policies, &sign_in);
        assert_eq!(decision.decision, outcome, "{policies:?} {sign_in:?}");
        assert_eq!(decision.required, required, "{policies:?} {sign_in:?}");
    }
}

#[test]
fn a_doubt_that_changes_nothing_is_none() {
    let maybe = json!({"users": {"includeGroups": [UNREAD_GROUP]}});
    let (maybe_mfa, maybe_block) = (
        policy("M", maybe.clone(), "OR", &["mfa"]),
        policy("M", maybe, "OR", &["block"]),
    );
    let (mfa, block) = (
        policy("A", json!({}), "OR", &["mfa"]),
        policy("A", json!({}), "OR", &["block"]),
    );
    for (policies, outcome) in [
        ([&maybe_mfa, &mfa], Outcome::AllowedWithControls),
        ([&maybe_block, &mfa], Outcome::Unknown),
        ([&maybe_block, &block], Outcome::Blocked),
    ] {
        assert_eq!(
            decide(&policies.map(Clone::clone), &sign_in(0)).decision,
            outcome
        );
    }
}

#[test]
fn report_only_counts_when_it_is_asked_for() {
    let mut policy = policy("P", json!({}), "OR", &["block"]);
    policy["state"] = json!("enabledForReportingButNotEnforced");
    let tenant = tenant(&[policy]);
    let analyzer = Analyzer::read(&tenant, Settings::default());
    let without = analyzer.decide(&sign_in(0), false);
    assert_eq!(without.decision, Outcome::Allowed);
    assert_eq!(without.policies[0].applies, Some(false));
    assert!(
        without.policies[0]
            .reason
            .raw()
            .contains("switched on, it would apply")
    );
    assert_eq!(
        analyzer.decide(&sign_in(0), true).decision,
        Outcome::Blocked
    );
}

#[test]
fn policies_that_were_not_read_leave_it_open() {
    let mut tenant = tenant(&[]);
    let error = "no".into();
    let permission = "Policy.Read.All".to_owned();
    tenant.end(
        Resource::ConditionalAccessPolicies,
        State::Forbidden { permission, error },
    );
    let decision = Analyzer::read(&tenant, Settings::default()).decide(&sign_in(0), false);
    assert_eq!(decision.decision, Outcome::Unknown);
    assert!(
        decision.undecided[0].raw().contains("Policy.Read"),
        "{:?}",
        decision.undecided
    );
}

#[test]
fn what_is_shown_lets_in_or_not() {
    let mfa = policy("P", json!({}), "OR", &["mfa"]);
    let both = policy("P", json!({}), "AND", &["mfa", "passwordChange"]);
    let either = policy("P", json!({}), "OR", &["mfa", "compliantDevice"]);
    let device = policy("P", json!({}), "OR", &["compliantDevice"]);
    let mut strength = policy("P", json!({}), "OR", &[]);
    strength["grantControls"]["authenticationStrength"] = json!({"id": STRENGTH});
    let maybe = policy(
        "P",
        json!({"users": {"includeGroups": [UNREAD_GROUP]}}),
        "OR",
        &["mfa"],
    );
    let compliant = SignInDevice::registered()
        .with("isCompliant", "True")
        .unwrap();
    let managed = SignIn {
        device: Some(compliant),
        ..sign_in(0)
    };
    let other_device = SignIn {
        authentication_flow: "deviceCodeFlow",
        ..sign_in(0)
    };
    let legacy = SignIn {
        client_app: Some("other"),
        ..sign_in(0)
    };
    let direct = SignIn {
        who: Someone::External {
            kind: ExternalKind::B2bDirectConnectUser,
            tenant: None,
            all_reaches: true,
        },
        ..sign_in(0)
    };
    let perhaps = SignIn {
        who: Someone::External {
            kind: ExternalKind::B2bDirectConnectUser,
            tenant: None,
            all_reaches: false,
        },
        ..sign_in(0)
    };
    let push: &[&'static str] = &["password,microsoftAuthenticatorPush"];
    let cases: [Shown<'_>; 18] = [
        (&mfa, &sign_in(0), &["password"], &[], Truth::No),
        (&mfa, &sign_in(0), push, &[], Truth::Yes),
        (&mfa, &sign_in(0), &[], &["mfa"], Truth::No),
        (&mfa, &legacy, push, &[], Truth::No),
        (&mfa, &sign_in(2), push, &[], Truth::Yes),
        (&mfa, &sign_in(2), &["fido2"], &[], Truth::No),
        (&mfa, &direct, push, &[], Truth::No),
        (&mfa, &perhaps, push, &[], Truth::Unknown),
        (&both, &sign_in(0), push, &[], Truth::No),
        (&both, &sign_in(0), push, &["passwordChange"], Truth::Yes),
        (&either, &managed, &["password"], &[], Truth::Yes),
        (&device, &sign_in(0), push, &["compliantDevice"], Truth::No),
        (&device, &managed, &[], &[], Truth::Yes),
        (
            &device,
            &other_device,
            &[],
            &["compliantDevice"],
            Truth::Yes,
        ),
        (&strength, &sign_in(0), push, &[], Truth::No),
        (&strength, &sign_in(0), &["fido2"], &[], Truth::Yes),
        (&maybe, &sign_in(0), &["password"], &[], Truth::Unknown),
        (&maybe, &sign_in(0), push, &[], Truth::Yes),
    ];
    for (policy, sign_in, methods, controls, expected) in cases {
        let truth = admits(std::slice::from_ref(policy), sign_in, methods, controls);
        assert_eq!(
            truth, expected,
            "{policy} {sign_in:?} {methods:?} {controls:?}"
        );
    }
}
