use super::dimensions::{HIDDEN, NOT_SET, REGISTRATION, UNREGISTERED, VISIBLE};
use super::parse::FilterError;
use super::terms::{Term, Terms};
use super::texts::{Probes, Texts};
use super::{Attribute, Comparison, Device, Dimensions, Literal, Rule, Truth, Value, parse};
use crate::access::bits::Bits;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn rule(text: &str) -> Rule {
    parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A registered device with these attributes; `;` separates the elements of a collection.
fn device(attributes: &[(&str, &str)]) -> Device {
    let read = |&(name, text): &(&str, &str)| {
        let attribute = Attribute::named(name).unwrap();
        let value = if attribute.is_collection() {
            Value::Texts(text.split(';').map(String::from).collect())
        } else {
            Value::Text(text.to_owned())
        };
        (attribute, value)
    };
    Device {
        registered: true,
        extension_attributes_visible: true,
        attributes: attributes.iter().map(read).collect(),
    }
}

fn outcome(text: &str, device: &Device) -> Truth {
    rule(text).matches(device)
}

use Truth::{No, Unknown, Yes};

/// The table of the page "Filter for devices": on a device that is not registered, an included filter with a positive operator
/// leaves the policy out, every other combination decides as written there.
#[test]
fn an_unregistered_device_fails_positive_tests_and_passes_negative_ones() {
    let unregistered = Device {
        registered: false,
        ..device(&[
            ("model", "Surface"),
            ("physicalIds", "A"),
            ("extensionAttribute1", "SAW"),
        ])
    };
    let positive = [
        r#"device.model -eq "Surface""#,
        r#"device.model -startsWith "Sur""#,
        r#"device.model -endsWith "face""#,
        r#"device.model -contains "rf""#,
        r#"device.model -in ["Surface"]"#,
        r#"device.physicalIds -contains "A""#,
        r#"device.extensionAttribute1 -eq "SAW""#,
    ];
    let negative = [
        r#"device.model -ne "x""#,
        r#"device.model -notStartsWith "x""#,
        r#"device.model -notEndsWith "x""#,
        r#"device.model -notContains "x""#,
        r#"device.model -notIn ["x"]"#,
        r#"device.physicalIds -notContains "x""#,
        r#"device.extensionAttribute1 -ne "SAW""#,
    ];
    let applies = |text: &str, exclude: bool| (outcome(text, &unregistered) == Yes) != exclude;
    for text in positive {
        assert_eq!(outcome(text, &unregistered), No, "{text}");
        assert!(!applies(text, false) && applies(text, true), "{text}");
    }
    for text in negative {
        assert_eq!(outcome(text, &unregistered), Yes, "{text}");
        assert!(applies(text, false) && !applies(text, true), "{text}");
    }
    assert_eq!(outcome(r#"not device.model -eq "x""#, &unregistered), Yes);
}

#[test]
fn the_scenarios_of_the_page() {
    // Block Azure management except from privileged workstations.
    let workstation = r#"device.extensionAttribute1 -eq "SAW""#;
    assert_eq!(
        outcome(workstation, &device(&[("extensionAttribute1", "saw")])),
        Yes
    );
    assert_eq!(
        outcome(workstation, &device(&[("extensionAttribute1", "PAW")])),
        No
    );
    // Block all but Windows 10.
    let modern = r#"device.operatingSystem -eq "Windows" -and device.operatingSystemVersion -startsWith "10.0""#;
    let windows = |version| {
        device(&[
            ("operatingSystem", "Windows"),
            ("operatingSystemVersion", version),
        ])
    };
    assert_eq!(outcome(modern, &windows("10.0.19045")), Yes);
    assert_eq!(outcome(modern, &windows("6.3")), No);
    // No second factor for a shared account on meeting room devices.
    let room =
        r#"device.displayName -startsWith "ROOM-" and device.systemLabels -contains "MultiUser""#;
    let named = |labels| device(&[("displayName", "Room-12"), ("systemLabels", labels)]);
    assert_eq!(outcome(room, &named("M365Managed;multiuser")), Yes);
    assert_eq!(outcome(room, &named("MultiUserX")), No);
}

#[test]
fn hidden_extension_attributes_leave_negative_tests_open() {
    let hidden = |more: &[(&str, &str)]| Device {
        extension_attributes_visible: false,
        ..device(&[&[("extensionAttribute15", "SAW")], more].concat())
    };
    let (is, is_not) = (
        r#"device.extensionAttribute15 -eq "SAW""#,
        r#"device.extensionAttribute15 -ne "SAW""#,
    );
    let joined = hidden(&[("trustType", "AzureAD"), ("isCompliant", "False")]);
    assert_eq!(outcome(is, &joined), No);
    assert_eq!(outcome(is_not, &joined), Unknown);
    assert_eq!(outcome(&format!("not ({is_not})"), &joined), Unknown);
    assert_eq!(outcome(&format!("not ({is})"), &joined), Yes);
    for shown in [("isCompliant", "True"), ("trustType", "ServerAD")] {
        assert_eq!(outcome(is, &hidden(&[shown])), Yes);
        assert_eq!(outcome(is_not, &hidden(&[shown])), No);
    }
}

#[test]
fn what_is_not_understood_is_unknown_and_not_an_error() {
    let any = device(&[("model", "x"), ("trustType", "AzureAD")]);
    for text in [
        "device.model -eq null",
        "device.model -ne $null",
        r#"device.model -in ["x", null]"#,
        r#"device.model -match "x""#,
        r#"device.model -noteq "x""#,
        r#"device.colour -eq "x""#,
        r#"device.extensionAttribute16 -eq "x""#,
        r#"device.extensionAttribute01 -eq "x""#,
        r#"device.physicalIds -eq "x""#,
        r#"device.trustType -startsWith "Azure""#,
        r#"device.deviceId -contains "x""#,
        r#"device.model -in "x""#,
        r#"device.model -eq ["x"]"#,
    ] {
        for device in [&any, &Device::default()] {
            assert_eq!(outcome(text, device), Unknown, "{text}");
            assert_eq!(outcome(&format!("-not({text})"), device), Unknown, "{text}");
        }
        let decided = format!(r#"{text} or device.model -eq "X""#);
        assert_eq!(outcome(&decided, &any), Yes);
    }
}

#[test]
fn not_binds_before_and_and_and_before_or() {
    let same = [
        (
            r#"device.model eq "a" or device.model eq "b" and device.isCompliant eq True"#,
            r#"device.model -eq 'a' -or (device.model -eq 'b' -and device.isCompliant -eq "true")"#,
        ),
        (
            r#"NOT device.model eq "a" AND device.isCompliant eq True"#,
            r#"(-not (device.model -eq "a")) -and DEVICE.ISCOMPLIANT -Eq True"#,
        ),
        (
            r#"not not device.model eq "a""#,
            r#"(((device.model eq "a")))"#,
        ),
    ];
    for (left, right) in same {
        let (left, right) = (rule(left), rule(right));
        for model in ["a", "b", "c"] {
            for compliant in ["True", "False"] {
                let device = device(&[("model", model), ("isCompliant", compliant)]);
                assert_eq!(left.matches(&device), right.matches(&device));
            }
        }
    }
    let quotes = r#"device.model -in ["it`"s", 'it''s', '', "`a"]"#;
    for (model, truth) in [
        ("it\"s", Yes),
        ("it's", Yes),
        ("", Yes),
        ("`a", Yes),
        ("its", No),
    ] {
        assert_eq!(
            outcome(quotes, &device(&[("model", model)])),
            truth,
            "{model}"
        );
    }
}

#[test]
fn an_error_says_where() {
    for (text, column) in [
        ("", 1),
        ("   ", 4),
        (r#"device.model -eq "é" xor"#, 22),
        (r#"device.model -eq "open"#, 18),
        ("device.model -eq", 17),
        ("device.model", 13),
        (r#"model -eq "x""#, 1),
        (r#"device. -eq "x""#, 1),
        (r#"device.model -and "x""#, 14),
        ("device.model -eq -and", 18),
        ("device.model -eq and", 18),
        (r#"(device.model -eq "x""#, 22),
        (r#"device.model -eq "x")"#, 21),
        (r#"device.model -in ["a" "b"]"#, 23),
        (r#"device.model -in ["a",]"#, 23),
        (r#"device.model -in ["a""#, 22),
        (r#"device.model -in [["a"]]"#, 19),
        (r#"device.model -eq "x" or"#, 24),
    ] {
        let error: FilterError = parse(text).expect_err(text);
        assert_eq!(error.column, column, "{text}: {error}");
    }
}

#[test]
fn long_and_deep_rules_are_refused_at_the_limit() {
    let test = r#"device.model eq "a""#;
    let nested = |depth: usize| format!("{}{test}{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(64)).is_ok());
    assert_eq!(parse(&nested(65)).unwrap_err().column, 65);
    assert_eq!(parse(&"(".repeat(3072)).unwrap_err().column, 65);
    assert_eq!(
        outcome(&format!("{}{test}", "not ".repeat(701)), &Device::default()),
        Yes
    );
    let long = |length: usize| {
        let most = length - r#"device.model -eq """#.len();
        format!(r#"device.model -eq "{}""#, "ä".repeat(most))
    };
    assert!(parse(&long(3072)).is_ok());
    assert_eq!(parse(&long(3073)).unwrap_err().column, 3073);
    assert!(parse(&"\u{1f600}(".repeat(40_000)).is_err());
}

#[test]
fn dimensions_stand_in_a_stable_order_with_plain_words() {
    let (first, second) = (
        rule(r#"device.systemLabels -contains "B" or device.displayName -startsWith "R""#),
        rule(r#"device.systemLabels -contains "A" or device.deviceOwnership -eq "Company""#),
    );
    let dims = Dimensions::read(&[&first, &second]);
    let again = Dimensions::read(&[&second, &first]);
    let words = |dims: &Dimensions| -> Vec<Vec<String>> {
        let labels = |dim| {
            (0..dims.size(dim))
                .map(|value| dims.label(dim, value))
                .collect()
        };
        (0..dims.len()).map(labels).collect()
    };
    assert_eq!(words(&dims), words(&again));
    let words = words(&dims);
    assert_eq!(words.len(), 7);
    assert_eq!(
        words[1],
        [
            "device.isCompliant is not set",
            "device.isCompliant = \"False\"",
            "device.isCompliant = \"True\""
        ]
    );
    assert_eq!(
        words[3],
        [
            "device.displayName is not set",
            "device.displayName = \"other\"",
            "device.displayName = \"R\""
        ]
    );
    assert_eq!(
        words[5],
        [
            "device.systemLabels does not have \"A\"",
            "device.systemLabels has \"A\""
        ]
    );
    assert_eq!(dims.attribute(REGISTRATION), None);
    assert_eq!(dims.attribute(6), Some(Attribute::SystemLabels));
    let none = Dimensions::read(&[]);
    assert_eq!(
        (none.len(), none.size(0), none.size(1), none.size(2)),
        (3, 3, 3, 4)
    );
    let hostile = rule("device.model -eq \"\u{1b}[2J\"");
    assert!(!Dimensions::read(&[&hostile]).label(3, 1).contains('\u{1b}'));
}

#[test]
fn what_cannot_be_counted_is_unknown_for_registered_devices_only() {
    let parts: Vec<String> = ('a'..='l')
        .map(|letter| format!(r#"device.model -contains "{letter}""#))
        .collect();
    let many = rule(&parts.join(" or "));
    let dims = Dimensions::read(&[&many]);
    assert_eq!(
        dims.coarse().iter().copied().collect::<Vec<_>>(),
        [Attribute::Model]
    );
    assert_eq!(dims.len(), 3);
    let registered = vec![vec![(REGISTRATION, Bits::one(3, UNREGISTERED).not())]];
    let unregistered = vec![vec![(REGISTRATION, Bits::one(3, UNREGISTERED))]];
    let terms = |negated| dims.terms(&many, negated).unwrap();
    assert_eq!(
        terms(false),
        Terms {
            must: vec![],
            may: registered
        }
    );
    assert_eq!(
        terms(true),
        Terms {
            must: unregistered,
            may: vec![vec![]]
        }
    );
    // A rule that the dimensions were not read from is no more certain.
    let other = rule(r#"device.deviceOwnership -eq "Company" or device.isCompliant -eq True"#);
    assert_eq!(dims.terms(&other, false).unwrap().must.len(), 1);
}

#[test]
fn alternatives_on_one_attribute_become_one_and_too_many_are_refused() {
    let names: Vec<String> = (0..60)
        .map(|n| format!(r#"device.displayName -eq "PC-{n}""#))
        .collect();
    let any = rule(&names.join(" or "));
    let dims = Dimensions::read(&[&any]);
    assert_eq!(dims.terms(&any, false).unwrap().must.len(), 1);
    let pairs = |count: u8| {
        let pair = |n| {
            format!(
                r#"(device.physicalIds -contains "a{n}" or device.physicalIds -contains "b{n}")"#
            )
        };
        rule(&(0..count).map(pair).collect::<Vec<_>>().join(" and "))
    };
    let (twelve, thirteen) = (pairs(12), pairs(13));
    let dims = Dimensions::read(&[&twelve, &thirteen]);
    assert_eq!(dims.terms(&twelve, false).unwrap().must.len(), 4096);
    assert_eq!(dims.terms(&thirteen, false), None);
    assert_eq!(dims.terms(&thirteen, true).unwrap().must.len(), 13);
}

fn has(terms: &[Term], class: &[usize]) -> bool {
    let within = |term: &Term| term.iter().all(|(dim, values)| values.has(class[*dim]));
    terms.iter().any(within)
}

/// Every class, possible or not.
fn classes(dims: &Dimensions) -> Vec<Vec<usize>> {
    (0..dims.len()).fold(vec![vec![]], |classes, dim| {
        let grown = |class: Vec<usize>| {
            (0..dims.size(dim)).map(move |value| [class.as_slice(), &[value]].concat())
        };
        classes.into_iter().flat_map(grown).collect()
    })
}

fn some_test() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec![
        "eq",
        "ne",
        "startsWith",
        "notStartsWith",
        "endsWith",
        "notEndsWith",
        "contains",
        "notContains",
    ]);
    let texts = (
        "[ab]{0,2}",
        operator,
        prop::sample::select(vec!["model", "extensionAttribute1"]),
    )
        .prop_map(|(text, operator, name)| format!(r#"device.{name} -{operator} "{text}""#));
    let lists = (vec("[aB]{0,2}", 0..3), any::<bool>()).prop_map(|(list, not)| {
        let operator = if not { "notIn" } else { "in" };
        format!("device.extensionAttribute1 {operator} {list:?}")
    });
    let fixed = prop::sample::select(vec![
        "device.isCompliant -eq True",
        "device.isCompliant -ne True",
        r#"device.trustType -eq "ServerAD""#,
        r#"device.trustType -ne "Workplace""#,
        r#"device.systemLabels -contains "a""#,
        r#"device.systemLabels -notContains "A""#,
        r#"device.systemLabels -contains "b""#,
        "device.model -eq null",
    ]);
    prop_oneof![4 => texts, 1 => lists, 3 => fixed.prop_map(String::from)]
}

fn some_rule() -> impl Strategy<Value = String> {
    some_test().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| format!("not ({inner})")),
            vec(inner.clone(), 2..4).prop_map(|all| format!("({})", all.join(" -and "))),
            vec(inner, 2..4).prop_map(|any| format!("({})", any.join(" -or "))),
        ]
    })
}

fn some_device() -> impl Strategy<Value = Device> {
    let text = || prop::option::of("[abcB]{0,4}");
    let picked = |from: &'static [&'static str]| prop::sample::select(from);
    let labels = vec("[aAbc]", 0..3);
    let compliant = prop::option::of(picked(&["true", "False"]));
    let trust = picked(&["AzureAD", "ServerAD", "workplace"]);
    (
        any::<(bool, bool)>(),
        text(),
        text(),
        compliant,
        trust,
        labels,
    )
        .prop_map(
            |(
                (registered, extension_attributes_visible),
                model,
                extension,
                compliant,
                trust,
                labels,
            )| {
                let text = |attribute, text: Option<String>| Some((attribute, Value::Text(text?)));
                let attributes = [
                    text(Attribute::Model, model),
                    text(Attribute::Extension(1), extension),
                    text(Attribute::IsCompliant, compliant.map(String::from)),
                    text(Attribute::TrustType, Some(trust.to_owned())),
                    Some((Attribute::SystemLabels, Value::Texts(labels))),
                ];
                Device {
                    registered,
                    extension_attributes_visible,
                    attributes: attributes.into_iter().flatten().collect::<BTreeMap<_, _>>(),
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))] // each looks at thousands of classes

    /// The terms say of each class what the rule says of its example, and the example lies in the class.
    #[test]
    fn terms_are_what_the_rule_says(texts in vec(some_rule(), 1..3)) {
        let rules: Vec<Rule> = texts.iter().map(|text| rule(text)).collect();
        let dims = Dimensions::read(&rules.iter().collect::<Vec<_>>());
        let impossible = dims.impossible();
        let all = classes(&dims);
        prop_assume!(all.len() <= 5_000);
        let possible: Vec<(Vec<usize>, Device)> = all
            .into_iter()
            .filter(|class| !has(&impossible, class))
            .map(|class| { let device = dims.example(&class); (class, device) })
            .collect();
        for (class, device) in &possible {
            prop_assert_eq!(&dims.locate(device), class);
        }
        for rule in &rules {
            for negated in [false, true] {
                let terms = dims.terms(rule, negated).unwrap();
                for (dim, values) in terms.must.iter().chain(&terms.may).chain(&impossible).flatten() {
                    prop_assert_eq!(values.len(), dims.size(*dim));
                    prop_assert!(values.first().is_some() && !values.is_all());
                }
                for (class, device) in &possible {
                    let truth = if negated { rule.matches(device).not() } else { rule.matches(device) };
                    prop_assert_eq!(has(&terms.must, class), truth == Yes);
                    prop_assert_eq!(has(&terms.may, class), truth != No);
                }
            }
        }
    }
}

proptest! {
    /// Any device is to every rule what the example of its class is, and its class is possible.
    #[test]
    fn a_device_is_as_its_class(texts in vec(some_rule(), 1..3), devices in vec(some_device(), 8)) {
        let rules: Vec<Rule> = texts.iter().map(|text| rule(text)).collect();
        let dims = Dimensions::read(&rules.iter().collect::<Vec<_>>());
        for device in &devices {
            let class = dims.locate(device);
            prop_assert!(!has(&dims.impossible(), &class), "{:?}", device);
            for rule in &rules {
                prop_assert_eq!(rule.matches(device), rule.matches(&dims.example(&class)));
            }
        }
    }

    /// What holds of the texts that were chosen is what can hold of texts at all: of each string over three letters the
    /// same literals hold as of exactly one chosen text.
    #[test]
    fn the_chosen_texts_are_all_there_are(literals in vec((0_u8..4, "[abc]{0,3}"), 0..7)) {
        let comparisons: Vec<Comparison> = literals
            .iter()
            .map(|(kind, text)| {
                let literal = Literal::from(text.clone());
                match kind {
                    0 => Comparison::Is(vec![literal]),
                    1 => Comparison::StartsWith(literal),
                    2 => Comparison::EndsWith(literal),
                    _ => Comparison::Contains(literal),
                }
            })
            .collect();
        let mut probes = Probes::default();
        for comparison in &comparisons {
            probes.add(comparison);
        }
        let texts = Texts::read(probes, "other").unwrap();
        let truths = |text: &str| -> Vec<bool> { comparisons.iter().map(|comparison| comparison.holds(text)).collect() };
        let chosen: Vec<Vec<bool>> = (0..texts.len())
            .map(|value| truths(&super::fold(texts.written(value).unwrap())))
            .collect();
        prop_assert_eq!(chosen.iter().collect::<BTreeSet<_>>().len(), chosen.len());
        let mut strings = vec![String::new()];
        for length in 0..=5 {
            for text in &strings {
                prop_assert_eq!(&chosen[texts.locate(text)], &truths(text), "{}", text);
            }
            if length < 5 {
                strings = strings.iter().flat_map(|text| ["a", "b", "c"].map(|letter| format!("{text}{letter}"))).collect();
            }
        }
    }

    /// Any text is read or refused, never more.
    #[test]
    fn no_text_is_too_strange(text in r#"([()\[\], "'`-]|device\.model|-eq|and|not|null|"x"|\PC){0,60}"#) {
        if let Ok(rule) = parse(&text) {
            let dims = Dimensions::read(&[&rule]);
            prop_assert!(dims.terms(&rule, false).is_some());
        }
    }
}

#[test]
fn the_registrations_differ() {
    let rule = rule(r#"device.extensionAttribute1 -ne "SAW""#);
    let dims = Dimensions::read(&[&rule]);
    let class = |registration| vec![registration, NOT_SET, 1, NOT_SET];
    let truth = |registration| rule.matches(&dims.example(&class(registration)));
    assert_eq!(
        [UNREGISTERED, VISIBLE, HIDDEN].map(truth),
        [Yes, Yes, Unknown]
    );
}
