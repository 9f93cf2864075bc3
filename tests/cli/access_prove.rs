//! `access prove`: the same answers live, from a snapshot and in the demo; exit codes; own guarantees and what is wrong with them.

use std::collections::BTreeSet;

use m365audit::access::Guarantee;
use m365audit::emulator::{Options, TenantData};
use serde_json::{Value, json};

use crate::support::binary::{Desk, Stage, changed, folder};

/// An account of the demo.
const ACCOUNT: &str = "burdock.quartz@tideglass.example";

fn guarantees(page: &Value) -> &Vec<Value> {
    assert_eq!(page["schema_version"], "1");
    page["guarantees"].as_array().unwrap()
}

fn verdicts(page: &Value) -> Vec<(&str, &str)> {
    let all = guarantees(page).iter();
    all.map(|one| {
        (
            one["id"].as_str().unwrap(),
            one["verdict"].as_str().unwrap(),
        )
    })
    .collect()
}

/// The demo, told to the letter: the forms of the contract.
#[test]
fn all_named_guarantees_are_answered_for_programs_and_for_people() {
    let desk = Desk::new();
    let page = desk
        .call("access prove --demo --format json")
        .run()
        .code(1)
        .json();
    let named: Vec<String> = Guarantee::named().into_iter().map(|one| one.id).collect();
    let ids: Vec<&str> = verdicts(&page).iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, named);
    let words = ["proved", "violated", "depends", "unknown", "vacuous"];
    for one in guarantees(&page) {
        let verdict = one["verdict"].as_str().unwrap();
        assert!(words.contains(&verdict), "{one}");
        assert!(
            one["assumptions"].is_array() && one["witnesses"].is_array(),
            "{one}"
        );
        let affected = &one["affected_users"];
        let ids = affected["ids"].as_array().unwrap();
        let count = affected["count"].as_u64().unwrap();
        assert_eq!(
            affected["truncated"],
            json!(count > ids.len() as u64),
            "{one}"
        );
        assert!(ids.is_sorted_by_key(|id| id.as_str().unwrap()), "{one}");
        if verdict == "proved" || verdict == "vacuous" {
            assert_eq!(count, 0, "{one}");
        }
        for witness in one["witnesses"].as_array().unwrap() {
            for key in ["sentence", "region", "example", "near_misses", "closed_by"] {
                assert!(witness.get(key).is_some(), "{key}: {witness}");
            }
        }
    }
    let table = desk.call("access prove --demo").run().code(1).out();
    assert!(table.starts_with("Tideglass Lanterns"), "{table}");
    for (id, verdict) in verdicts(&page) {
        let line = table.lines().find(|line| line.contains(&format!(" {id} ")));
        assert!(line.unwrap().contains(verdict), "{id}: {table}");
    }
    assert!(
        table.contains("declared for emergency access"),
        "accounts that are left out are shown apart: {table}"
    );
    let one = desk
        .call("access prove --demo --format json --guarantee guests-mfa --guarantee legacy-blocked")
        .run()
        .code(1)
        .json();
    let ids: Vec<&str> = verdicts(&one).iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, ["legacy-blocked", "guests-mfa"], "only what is asked");
}

#[test]
fn live_from_a_snapshot_and_the_demo_answer_the_same() {
    let stage = Stage::of("demo");
    let config = stage
        .desk
        .write("demo.toml", m365audit::emulator::demo::CONFIG);
    let prove = "access prove --format json --quiet --config demo.toml";
    let live = stage.run(stage.call(prove)).code(1);
    let demo = stage.desk.call("access prove --demo --format json").run();
    assert!(live.bytes == demo.code(1).bytes);
    stage.desk.call("collect --demo --save s.gz").run().code(0);
    let saved = stage
        .desk
        .call(&format!("{prove} --from s.gz"))
        .run()
        .code(1);
    assert!(live.bytes == saved.bytes);
    assert_eq!(saved.err, "", "nothing is read from anywhere else");
    assert!(config.exists());
}

#[test]
fn only_what_the_answers_rest_on_is_read() {
    let stage = Stage::of("demo");
    let asked = |flags: &str| {
        let before = stage.emulator.requests().len();
        let call = format!("access prove --guarantee legacy-blocked {flags}");
        stage.run(stage.call(&call)).code(1);
        let lines = stage.emulator.requests();
        let graph = lines[before..].iter().map(|line| line.path.clone());
        graph.collect::<BTreeSet<String>>()
    };
    let plain = asked("");
    let has = |asked: &BTreeSet<String>, part: &str| asked.iter().any(|path| path.contains(part));
    for part in [
        "/conditionalAccess/policies",
        "/users",
        "/servicePrincipals",
        // Who may sign in to an application decides whether policies on workload identities reach it.
        "/applications",
    ] {
        assert!(has(&plain, part), "{part}: {plain:?}");
    }
    for part in ["/subscribedSkus", "authentication/requirements", "devices"] {
        assert!(!has(&plain, part), "{part}: {plain:?}");
    }
    assert!(asked("--with per-user-mfa").len() >= plain.len());
    stage
        .desk
        .call("access prove --demo --with per-user-mf")
        .run()
        .code(2)
        .says("per-user-mfa");
}

#[test]
fn what_was_not_read_is_named_and_decides() {
    let mut data = TenantData::load(&folder("demo")).unwrap();
    data.permissions_mut()
        .retain(|name| !name.starts_with("Policy.Read"));
    let stage = Stage::serve(data, Options::default());
    let call = "access prove --guarantee legacy-blocked --guarantee guests-mfa";
    let page = stage.run(stage.call(&format!("{call} --format json")));
    let page = page.code(4).json();
    assert_eq!(
        verdicts(&page),
        [("legacy-blocked", "depends"), ("guests-mfa", "depends")]
    );
    let says = guarantees(&page)[0]["assumptions"].to_string();
    assert!(
        says.contains("GET /identity/conditionalAccess/policies")
            && says.contains("Policy.Read.All"),
        "{says}"
    );
    let table = stage.run(stage.call(call)).code(4).out();
    let table = table.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        table.contains("GET /identity/conditionalAccess/policies was not read"),
        "{table}"
    );
    assert!(table.contains("Policy.Read.All"), "{table}");
    // A snapshot that was taken for something else.
    let desk = Desk::new();
    desk.call("scan --demo --rule guest-invitation-open --save s.gz")
        .run()
        .code(0);
    desk.call("access prove --guarantee legacy-blocked --from s.gz")
        .run()
        .code(4);
}

#[test]
fn own_guarantees_are_answered_as_they_are_written() {
    let desk = Desk::new();
    let own = format!(
        r#"
        [[guarantee]]
        id = "nobody-from-bouvet"
        who = {{ kind = "users", ids = ["{}"] }}
        when.locations.countryIn = ["BV"]
        must = "block"

        [[guarantee]]
        id = "asks-of-nobody"
        who = {{ kind = "users", ids = [] }}
        must = "mfa"
    "#,
        ACCOUNT.to_uppercase()
    );
    desk.write("q.toml", own);
    let page = desk
        .call("access prove --demo --format json --query q.toml")
        .run()
        .code(0)
        .json();
    let proved = [
        ("nobody-from-bouvet", "proved"),
        ("asks-of-nobody", "vacuous"),
    ];
    assert_eq!(verdicts(&page), proved, "named ones are not asked");
    assert_eq!(guarantees(&page)[0]["asked_users"], 1);

    let phone = json!({"id": "phones", "who": {"kind": "users", "ids": [ACCOUNT]},
        "when": {"platforms": ["android"]}, "must": "phishingResistantMfa"});
    desk.write("q.json", phone.to_string());
    let both = desk
        .call("access prove --demo --format json --query q.json --guarantee guests-mfa")
        .run()
        .code(1)
        .json();
    assert_eq!(
        verdicts(&both),
        [("guests-mfa", "violated"), ("phones", "violated")]
    );
    let table = desk
        .call("access prove --demo --query q.json")
        .run()
        .code(1)
        .out();
    assert!(
        table.contains("1 of 1") && table.contains(ACCOUNT),
        "{table}"
    );

    // Emergency access accounts are left out of named guarantees alone.
    let left_out = |place: usize| {
        guarantees(&both)[place]["left_out"]["count"]
            .as_u64()
            .unwrap()
    };
    assert!(left_out(0) > 0 && left_out(1) == 0);
}

#[test]
fn a_question_that_cannot_be_meant_is_refused_before_anything_is_read() {
    let desk = Desk::new();
    let ask = |file: &str, text: &str| {
        desk.write(file, text);
        // A source that is not there: it is not looked at.
        desk.call(&format!("access prove --from gone.gz --query {file}"))
            .run()
    };
    ask(
        "a.toml",
        "must = \"mfa\"\n[when]\nclientAppType = [\"browser\"]\n",
    )
    .failed(
        2,
        &["a.toml: line 3, column 1: unknown key `clientAppType`"],
        &["did you mean `clientAppTypes`?"],
    );
    ask(
        "b.json",
        "{\"must\": \"mfa\",\n \"when\": {\"locations\": {\"countryIn\": [\"UK\"]}}}",
    )
    .failed(
        2,
        &["b.json: line 2, column 39: `UK` is no country code"],
        &["docs/access.md"],
    );
    ask(
        "c",
        "must = 'mfa'\nwhen.device.matches = 'device.model -eq'",
    )
    .failed(2, &["c: line 2, column 23", "column 17"], &[]);
    ask("d.toml", "id = \"guests-mfa\"\nmust = \"mfa\"")
        .code(5)
        .says("gone.gz");
    desk.call("access prove --from gone.gz --query d.toml --guarantee guests-mfa")
        .run()
        .failed(2, &["two guarantees are called `guests-mfa`"], &["id"]);
    desk.call("access prove --demo --query none.toml")
        .run()
        .failed(
            2,
            &["could not read the guarantees in none.toml"],
            &["--query"],
        );
    desk.call("access prove --from gone.gz --guarantee guest-mfa")
        .run()
        .failed(
            2,
            &["there is no guarantee `guest-mfa`"],
            &["did you mean `guests-mfa`?", "--list"],
        );
    desk.call("access prove --guarantee guests-mfa --from gone.gz")
        .run()
        .code(5);
    // Accounts and places are looked up in the tenant.
    desk.write(
        "e.toml",
        "must = 'mfa'\nwho = { kind = 'users', ids = ['burdock.quarz@tideglass.example'] }",
    );
    desk.call("access prove --demo --quiet --query e.toml")
        .run()
        .failed(
            2,
            &["e.toml: line 2, column 32: there is no account `burdock.quarz@tideglass.example`"],
            &["did you mean `burdock.quartz@tideglass.example`?"],
        );
    desk.write(
        "f.toml",
        "must = 'mfa'\nwhen.locations.named = ['00000000-0000-0000-0000-000000000001']",
    );
    desk.call("access prove --demo --quiet --query f.toml")
        .run()
        .failed(2, &["there is no named location"], &[]);
}

#[test]
fn the_named_guarantees_can_be_listed_without_a_tenant() {
    let desk = Desk::new();
    let page = desk
        .call("access prove --list --format json")
        .run()
        .code(0)
        .json();
    let table = desk.call("access prove --list").run().code(0).out();
    for (named, listed) in Guarantee::named().iter().zip(guarantees(&page)) {
        assert_eq!(listed["id"], named.id);
        assert_eq!(listed["says"], named.says);
        assert!(table.contains(&named.id), "{table}");
    }
    desk.call("access prove --list --demo")
        .run()
        .code(2)
        .says("cannot be used with");
}

/// What only the configuration tells changes answers, and is refused when it cannot be meant.
#[test]
fn the_configuration_tells_what_graph_does_not() {
    let desk = Desk::new();
    let mfa = |config: &str| {
        desk.write("m365audit.toml", config);
        desk.call(
            "access prove --demo --format json --guarantee mfa-untrusted --config m365audit.toml",
        )
        .run()
    };
    assert_eq!(
        verdicts(&mfa("").code(1).json()),
        [("mfa-untrusted", "violated")]
    );
    let everywhere = "[access]\nmfa_trusted_ips = [\"0.0.0.0/0\", \"::/0\"]\n";
    assert_eq!(
        verdicts(&mfa(everywhere).code(0).json()),
        [("mfa-untrusted", "vacuous")]
    );
    mfa("[access]\n\nmfa_trusted_ip = []\n").failed(
        2,
        &["m365audit.toml: line 3: unknown field `mfa_trusted_ip`"],
        &["did you mean `mfa_trusted_ips`?"],
    );
    mfa("[access]\nbaseline_scopes = \"enforce\"\n").failed(
        2,
        &["line 2", "`enforce`"],
        &["did you mean `enforced`?"],
    );
    mfa("[access]\nmfa_trusted_ips = [\"192.0.2.0/33\"]\n")
        .code(2)
        .says("line 2: `192.0.2.0/33` is no range of addresses");
}

#[test]
fn names_are_inert_on_a_terminal() {
    let evil = "\u{1b}]8;;https://evil.example\u{7}\u{202e}red";
    let data = changed("demo", |file, content| {
        if file == "conditional-access.json" {
            for policy in content["/identity/conditionalAccess/policies"]
                .as_array_mut()
                .unwrap()
            {
                policy["displayName"] = json!(evil);
            }
        }
        if file == "users.json" {
            for user in content["/users"].as_array_mut().unwrap() {
                user["userPrincipalName"] = json!(format!("{evil}@tideglass.example"));
            }
        }
    });
    let stage = Stage::serve(data, Options::default());
    let own = json!({"id": evil, "must": "block"});
    stage.desk.write("q.json", own.to_string());
    for flags in ["", "--query q.json"] {
        let call = stage.call(&format!("access prove {flags}"));
        let table = stage.run(call).code(1).out();
        assert!(table.contains("evil.example"), "{table}");
        assert!(
            !table.contains(['\u{1b}', '\u{7}', '\u{202e}']),
            "{table:?}"
        );
    }
}
