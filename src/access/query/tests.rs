use super::*;
use crate::access::guarantee::{Asked, Atom, Pim, RoleScope, SessionAtom, Who};
use crate::snapshot::Guid;

fn one(text: &str) -> Guarantee {
    let mut all = parse(text, "q", Names::Later).unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn refused(text: &str) -> QueryError {
    parse(text, "q", Names::Later).unwrap_err()
}

fn must(text: &str) -> Vec<Vec<Atom>> {
    one(&format!("{{\"must\": {text}}}")).must
}

#[test]
fn the_whole_language_reads_the_same_in_both_forms() {
    let toml = r#"
        type = "guarantee"
        id = "browsers"
        must = { anyOf = ["managedDevice", "session:applicationEnforcedRestrictions"] }
        [who]
        kind = "roles"
        ids = ["62e90394-69f5-4237-9190-012177145e10", "Security Reader"]
        scope = "directory"
        exceptUsers = ["6d82083c-b522-569e-84b4-0b83e368144e"]
        [target]
        kind = "resources"
        ids = ["Office365", "797F4846-ba00-4fd7-ba43-dac1f8f63013"]
        [when]
        clientAppTypes = ["browser"]
        platforms = ["iOS", "unknown"]
        signInRisk = ["none"]
        userRisk = ["high"]
        insiderRisk = ["elevated"]
        authenticationFlows = ["none"]
        [when.locations]
        trusted = false
        named = ["3008a549-e83c-5a85-baa8-4b24bc278f67"]
        notNamed = []
        countryIn = ["de"]
        countryNotIn = ["US"]
        [when.device]
        registered = true
        managed = false
        matches = 'device.isCompliant -ne True'
        notMatches = 'device.model -eq "x"'
        [assume]
        pim = "inactive"
    "#;
    let value: toml::Value = toml::from_str(toml).unwrap();
    let json = serde_json::to_string_pretty(&value).unwrap();
    let read = one(toml);
    assert_eq!(one(&json), read);
    assert_eq!(
        parse(&json, "q.json", Names::Later).unwrap(),
        std::slice::from_ref(&read)
    );
    assert_eq!(read.id, "browsers");
    let Who::Roles(roles, RoleScope::Directory) = &read.who else {
        panic!("{read:?}")
    };
    assert_eq!(roles.len(), 2);
    assert_eq!(read.except_users.len(), 1);
    assert_eq!(
        read.target,
        Asked::Resources(vec![
            "Office365".to_owned(),
            "797f4846-ba00-4fd7-ba43-dac1f8f63013".to_owned()
        ])
    );
    assert_eq!(read.assume.pim, Pim::Inactive);
    assert_eq!(read.when.country_in, ["DE"]);
    assert_eq!(
        (read.when.trusted, read.when.managed),
        (Some(false), Some(false))
    );
    assert_eq!(
        read.must,
        [[
            Atom::CompliantDevice,
            Atom::DomainJoinedDevice,
            Atom::Session(SessionAtom::ApplicationEnforcedRestrictions)
        ]]
    );
}

#[test]
fn several_guarantees_stand_in_a_list_of_any_form() {
    for text in [
        "[[guarantee]]\nmust = 'mfa'\n[[guarantee]]\nid = 'b'\nmust = 'block'",
        "guarantees = [{ must = 'mfa' }, { id = 'b', must = 'block' }]",
        r#"[{"must": "mfa"}, {"id": "b", "must": "block"}]"#,
        r#"{"guarantees": [{"must": "mfa"}, {"id": "b", "must": "block"}]}"#,
        "\u{feff}{\"guarantee\": [{\"must\": \"mfa\"}, {\"id\": \"b\", \"must\": \"block\"}]}",
    ] {
        let all = parse(text, "q", Names::Later).unwrap();
        let ids: Vec<&str> = all.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["query-1", "b"], "{text}");
    }
    assert_eq!(one("[guarantee]\nmust = 'mfa'").id, "query");
    assert!(refused("[]").message.contains("no guarantee"));
    let twice = refused(r#"[{"id": "a", "must": "mfa"}, {"id": "a", "must": "mfa"}]"#);
    assert!(twice.message.contains("called `a`"));
}

#[test]
fn demands_become_a_conjunction_that_means_the_same() {
    use Atom::{CompliantDevice, DomainJoinedDevice, Mfa, PasswordChange, RiskRemediation};
    assert_eq!(must("\"mfa\""), [[Mfa]]);
    assert_eq!(must("\"block\""), [[]]);
    assert_eq!(
        must("\"managedDevice\""),
        [[CompliantDevice, DomainJoinedDevice]]
    );
    // Being kept out always satisfies: beside alternatives it adds nothing, beside demands it is all.
    assert_eq!(must(r#"{"anyOf": ["block", "mfa"]}"#), [[Mfa]]);
    assert_eq!(must(r#"{"allOf": ["mfa", "block"]}"#), [[]]);
    assert_eq!(must(r#"{"anyOf": ["block"]}"#), [[]]);
    assert_eq!(
        must(r#"{"anyOf": [{"allOf": ["mfa", "passwordChange"]}, "riskRemediation"]}"#),
        [[Mfa, RiskRemediation], [PasswordChange, RiskRemediation]]
    );
    // (a and b) or (a and c) is a and (b or c).
    assert_eq!(
        must(
            r#"{"anyOf": [{"allOf": ["mfa", "compliantDevice"]}, {"allOf": ["mfa", "passwordChange"]}]}"#
        ),
        vec![vec![Mfa], vec![CompliantDevice, PasswordChange]]
    );
    assert_eq!(must(r#"{"allOf": ["mfa", "mfa"]}"#), [[Mfa]]);
}

/// Against the truth of every assignment, for demands that were nested at random.
#[test]
fn a_conjunction_agrees_with_the_demand_it_came_from() {
    const WORDS: [&str; 4] = ["mfa", "compliantDevice", "passwordChange", "block"];
    fn grow(seed: &mut u64, depth: usize) -> serde_json::Value {
        let mut next = |below: u64| {
            *seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (*seed >> 33) % below
        };
        let kind = next(if depth == 0 { 1 } else { 3 });
        let (word, parts) = (next(4), next(3) + 1);
        match kind {
            0 => WORDS[usize::try_from(word).unwrap()].into(),
            kind => {
                let parts: Vec<_> = (0..parts).map(|_| grow(seed, depth - 1)).collect();
                serde_json::json!({ if kind == 1 { "anyOf" } else { "allOf" }: parts })
            }
        }
    }
    // Not kept out, and only these are shown.
    fn is_met(demand: &serde_json::Value, shown: usize) -> bool {
        if let Some(word) = demand.as_str() {
            let place = WORDS.iter().position(|known| *known == word).unwrap();
            return place < 3 && shown >> place & 1 == 1;
        }
        if let Some(parts) = demand["anyOf"].as_array() {
            return parts.iter().any(|part| is_met(part, shown));
        }
        let parts = demand["allOf"].as_array().unwrap();
        parts.iter().all(|part| is_met(part, shown))
    }
    let atoms = [Atom::Mfa, Atom::CompliantDevice, Atom::PasswordChange];
    let mut seed = 7;
    for _ in 0..500 {
        let demand = grow(&mut seed, 3);
        let clauses = must(&demand.to_string());
        for shown in 0..8 {
            let has = |atom: &Atom| {
                let place = atoms.iter().position(|known| known == atom).unwrap();
                shown >> place & 1 == 1
            };
            let met = clauses.iter().all(|clause| clause.iter().any(has));
            assert_eq!(met, is_met(&demand, shown), "{demand} with {shown:b}");
        }
    }
}

#[test]
fn every_control_has_a_word() {
    let id = "00000000-0000-0000-0000-000000000002";
    let strength = Atom::Strength(Guid::new(2));
    for (word, atom) in [
        (format!("strength:{id}"), strength),
        (format!("termsOfUse:{id}"), Atom::TermsOfUse(id.to_owned())),
        (
            "session:cloudAppSecurity".to_owned(),
            Atom::Session(SessionAtom::CloudAppSecurity(None)),
        ),
        (
            "session:cloudAppSecurity:monitorOnly".to_owned(),
            Atom::Session(SessionAtom::CloudAppSecurity(Some(
                "monitorOnly".to_owned(),
            ))),
        ),
        (
            "session:persistentBrowser:always".to_owned(),
            Atom::Session(SessionAtom::PersistentBrowser("always".to_owned())),
        ),
        (
            "session:signInFrequency".to_owned(),
            Atom::Session(SessionAtom::SignInFrequency(i64::MAX)),
        ),
        (
            "session:signInFrequency:everyTime".to_owned(),
            Atom::Session(SessionAtom::SignInFrequency(0)),
        ),
        (
            "session:signInFrequency:12".to_owned(),
            Atom::Session(SessionAtom::SignInFrequency(12)),
        ),
        (
            "session:secureSignInSession".to_owned(),
            Atom::Session(SessionAtom::SecureSignInSession),
        ),
    ] {
        let read = one(&format!("must = '{word}'"));
        assert_eq!(read.must, [[atom]], "{word}");
        assert_eq!(read.must_in_words(), word, "as it is said again");
    }
    let never = Atom::Session(SessionAtom::PersistentBrowser("never".to_owned()));
    assert_eq!(must("\"session:persistentBrowser\""), [[never]]);
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_what_was_meant() {
    for (text, line, column, says, nearest) in [
        (
            "must = 'mfa'\nwhoo = 1",
            2,
            1,
            "unknown key `whoo`",
            Some("who"),
        ),
        (
            "must = 'mfa'\n[when]\nclientAppType = []",
            3,
            1,
            "`clientAppType`",
            Some("clientAppTypes"),
        ),
        (
            "[[guarantees]]\nmust = 'mfa'\n[other]\n",
            3,
            2,
            "unknown key `other`",
            None,
        ),
        (
            "guarantes = []",
            1,
            1,
            "unknown key `guarantes`",
            Some("guarantees"),
        ),
        ("must = 'mfaa'", 1, 8, "unknown control `mfaa`", Some("mfa")),
        (
            "must = 'compliantDevices'",
            1,
            8,
            "compliantDevices",
            Some("compliantDevice"),
        ),
        ("must = 'mfa:x'", 1, 8, "takes nothing", None),
        ("must = 'strength'", 1, 8, "strength:<id>", None),
        ("must = 'strength:x'", 1, 8, "GUID", None),
        (
            "must = 'sesion:cloudAppSecurity'",
            1,
            8,
            "sesion",
            Some("session:cloudAppSecurity"),
        ),
        (
            "must = 'session:cloudAppSecurty'",
            1,
            8,
            "session control",
            Some("session:cloudAppSecurity"),
        ),
        (
            "must = 'session:signInFrequency:0'",
            1,
            8,
            "everyTime",
            None,
        ),
        ("must = { anyOff = [] }", 1, 10, "anyOff", Some("anyOf")),
        ("must = { anyOf = [] }", 1, 18, "must name something", None),
        (
            "must = { anyOf = ['mfa'], allOf = ['mfa'] }",
            1,
            8,
            "either",
            None,
        ),
        ("must = 3", 1, 8, "a number", None),
        ("id = 'a'", 1, 1, "`must` is missing", None),
        (
            "must = 'mfa'\nwho = { kind = 'admins' }",
            2,
            16,
            "`admins`",
            None,
        ),
        (
            "must = 'mfa'\nwho = { kind = 'user', ids = [] }",
            2,
            16,
            "`user`",
            Some("users"),
        ),
        (
            "must = 'mfa'\nwho = { kind = 'users' }",
            2,
            7,
            "needs `ids`",
            None,
        ),
        (
            "must = 'mfa'\nwho = { kind = 'all', ids = [] }",
            2,
            23,
            "does not go with",
            None,
        ),
        (
            "must = 'mfa'\nwho = { kind = 'groups', ids = ['Vendors'] }",
            2,
            33,
            "GUID",
            None,
        ),
        (
            "must = 'mfa'\nwho = { kind = 'users', ids = ['Ann'] }",
            2,
            32,
            "nor a UPN",
            None,
        ),
        (
            "must = 'mfa'\nwho = { kind = 'roles', ids = ['Global Admin'] }",
            2,
            32,
            "role",
            Some("Global Administrator"),
        ),
        (
            "must = 'mfa'\ntarget = { kind = 'resources', ids = ['Office356'] }",
            2,
            39,
            "Office356",
            Some("Office365"),
        ),
        (
            "must = 'mfa'\ntarget = { kind = 'authContext', id = 'c100' }",
            2,
            39,
            "c1",
            None,
        ),
        (
            "must = 'mfa'\ntarget = { kind = 'userAction', id = 'urn:user:registerdevce' }",
            2,
            38,
            "urn",
            Some("urn:user:registerdevice"),
        ),
        (
            "must = 'mfa'\nwhen.locations.countryIn = ['DE', 'UK']",
            2,
            35,
            "`UK`",
            None,
        ),
        (
            "must = 'mfa'\nwhen.locations.named = ['Office']",
            2,
            25,
            "GUID",
            None,
        ),
        (
            "must = 'mfa'\nwhen.locations.trusted = 'no'",
            2,
            26,
            "true or false",
            None,
        ),
        (
            "must = 'mfa'\nwhen.device.matches = 'device.isCompliant -eq'",
            2,
            23,
            "column 23",
            None,
        ),
        (
            "must = 'mfa'\nwhen.platforms = ['ios', 'andriod']",
            2,
            26,
            "andriod",
            Some("android"),
        ),
        (
            "must = 'mfa'\nassume = { pim = 'active' }",
            2,
            18,
            "`active`",
            Some("inactive"),
        ),
        ("must = 'mfa'\ntype = 'warranty'", 2, 8, "`warranty`", None),
        ("must = 'mfa'\nmust = 'block'", 2, 1, "duplicate", None),
        ("must = ", 1, 8, "", None),
    ] {
        let error = refused(text);
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{text}\n{error}"
        );
        assert!(error.message.contains(says), "{text}\n{error}");
        assert_eq!(error.nearest.as_deref(), nearest, "{text}\n{error}");
    }
}

#[test]
fn json_is_told_where_it_is_wrong_too() {
    for (text, line, column, says) in [
        (
            "{\"must\": \"mfa\",\n  \"é\": {\"a\": 1}, \"who\": {}}",
            2,
            3,
            "unknown key `é`",
        ),
        (
            "{\"must\": \"mfa\",\n \"who\": {\"kind\": \"all\", \"kid\": 1}}",
            2,
            25,
            "unknown key `kid`",
        ),
        (
            "{\"must\": \"mfa\", \"must\": \"mfa\"}",
            1,
            17,
            "stands here twice",
        ),
        ("{\"must\": \"mfa\",\n}", 2, 1, ""),
        ("{\"must\": null}", 1, 10, "null"),
        ("[[]]", 1, 2, "must be a table"),
    ] {
        let error = parse(text, "q.json", Names::Later).unwrap_err();
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{text}\n{error}"
        );
        assert!(error.message.contains(says), "{text}\n{error}");
    }
}

#[test]
fn what_has_no_end_is_refused() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(5_000), close.repeat(5_000));
    refused(&deep("{\"a\":[", "]}"));
    refused(&format!("must = {}", deep("[", "]")));
    let wide: Vec<String> = (0..12)
        .map(|hours| {
            format!(
                r#"{{"allOf": ["session:signInFrequency:{}", "session:signInFrequency:{}"]}}"#,
                2 * hours + 1,
                2 * hours + 2
            )
        })
        .collect();
    let error = refused(&format!(r#"{{"must": {{"anyOf": [{}]}}}}"#, wide.join(",")));
    assert!(error.message.contains("256"), "{error}");
}

#[test]
fn a_question_can_be_said() {
    let text = r#"{"who": {"kind": "members", "exceptUsers": ["ann@contoso.example"]}, "when": {"clientAppTypes": ["exchangeActiveSync", "other"], "locations": {"trusted": false}}, "must": {"allOf": ["mfa", "managedDevice"]}}"#;
    assert_eq!(
        one(text).says,
        "members but one, any resource, by exchangeActiveSync or other, outside trusted locations: mfa and (compliantDevice or domainJoinedDevice)"
    );
    for guarantee in Guarantee::named() {
        assert!(!guarantee.who_in_words().contains("roles"), "{guarantee:?}");
        assert!(
            !guarantee.what_in_words().contains('-')
                || guarantee.what_in_words().contains("sign-in"),
            "{guarantee:?}"
        );
    }
}
