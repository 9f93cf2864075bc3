//! Flags, names and the configuration file: what cannot be meant is refused with what was meant.

use crate::support::binary::{Desk, Ran};

fn run(arguments: &str) -> Ran {
    Desk::new().call(arguments).run()
}

#[test]
fn help_and_version_are_answers() {
    for arguments in ["--help", "scan --help", "--version", "help scan"] {
        let ran = run(arguments).code(0);
        assert!(ran.err.is_empty());
        assert!(ran.out().contains("m365audit"), "{}", ran.out());
    }
    assert!(run("scan --help").out().contains("Exit codes"));
}

#[test]
fn flags_that_do_not_exist_or_do_not_go_together() {
    for (arguments, says) in [
        ("scan --tennant x", "--tenant"),
        ("scan --demo --format tabel", "table"),
        ("scan --demo --fail-on severe", "critical"),
        ("scan --demo --area identty", "identity"),
        ("scan --demo --now yesterday", "--now"),
        ("scan --auth password", "device-code"),
        ("scan --cloud mars", "--cloud"),
        ("scan --demo --tenant x", "cannot be used with"),
        ("scan --demo --client-id x", "cannot be used with"),
        (
            "scan --demo --login-url http://127.0.0.1:1",
            "cannot be used with",
        ),
        ("scan --from x --demo", "cannot be used with"),
        ("scan --from x --tenant y", "cannot be used with"),
        ("scan --from x --save y", "cannot be used with"),
        ("collect --demo --save x --tenant y", "cannot be used with"),
        ("collect --demo", "--save"),
        ("scan --demo --concurrency 0", "from 1 to 256"),
        ("scan --demo --concurrency 257", "from 1 to 256"),
        ("scan --demo --concurrency many", "--concurrency"),
        (
            "scan --demo --max-requests-per-second 0",
            "from 0.1 to 10000",
        ),
        (
            "scan --demo --max-requests-per-second=-1",
            "from 0.1 to 10000",
        ),
        (
            "collect --demo --save x --max-requests-per-second NaN",
            "from 0.1 to 10000",
        ),
        (
            "collect --demo --save x --max-requests-per-second 10001",
            "--max-requests-per-second",
        ),
        ("scan --demo --pace slow", "published"),
        ("scan --from x --concurrency 2", "cannot be used with"),
        (
            "scan --from x --max-requests-per-second 2",
            "cannot be used with",
        ),
        ("audit", "unrecognized subcommand"),
        ("", "Usage"),
    ] {
        let ran = run(arguments).code(2).says(says);
        assert_eq!(ran.out(), "", "{arguments}");
    }
    run("scan --demo --save -").failed(2, &["--save -", "stdout"], &["m365audit collect --save -"]);
    run("scan --client-secret-file a --certificate b --tenant c.example").failed(
        2,
        &["--client-secret-file and --certificate"],
        &["leave one of them out"],
    );
}

#[test]
fn the_pace_can_be_set() {
    let help = run("scan --help").out();
    let read = help.split("What is read:").nth(1).unwrap();
    assert!(
        read.contains("--concurrency <N>") && read.contains("--max-requests-per-second <R>"),
        "{help}"
    );
    assert!(!help.contains("--pace"), "for benchmarks");
    run("scan --demo --quiet --concurrency 1 --max-requests-per-second 1000").code(0);
    run("scan --demo --quiet --concurrency 256 --max-requests-per-second 10000 --pace fast")
        .code(0);
}

#[test]
fn a_rule_that_does_not_exist_is_answered_with_the_nearest() {
    for arguments in [
        "scan --demo --rule guest-invitation-opn",
        "scan --demo --skip-rule guest-invitation-opn",
        "rules show guest-invitation-opn",
    ] {
        run(arguments).failed(
            2,
            &["no rule `guest-invitation-opn`"],
            &["did you mean `guest-invitation-open`?", "rules list"],
        );
    }
    let ran = Desk::new().call("rules show").arg("\u{1b}[31mred").run();
    let ran = ran.failed(2, &["no rule"], &[]);
    assert!(!ran.err.contains('\u{1b}'), "{:?}", ran.err);
}

#[test]
fn the_rules_can_be_listed_and_shown() {
    let desk = Desk::new();
    let ids: Vec<String> = m365audit::rules::registry()
        .map(|rule| rule.id.to_owned())
        .collect();
    let listed = desk.call("rules list --format json").run().code(0).json();
    let table = desk.call("rules list").run().code(0).out();
    for id in &ids {
        assert!(listed.to_string().contains(&format!("\"{id}\"")), "{id}");
        assert!(table.contains(id.as_str()), "{id}");
        let page = desk.call(&format!("rules show {id}")).run().code(0).out();
        assert!(
            page.starts_with(id.as_str()) && page.contains("\nVerify "),
            "{page}"
        );
    }
    let some = desk
        .call("rules list --area sharing --format json")
        .run()
        .json();
    assert!(some.to_string().contains("guest-invitation-open"));
    assert!(!some.to_string().contains("account-stale"));
}

#[test]
fn a_configuration_that_cannot_be_used() {
    let desk = Desk::new();
    desk.write("typo.toml", "# a comment\n[accounts]\nstale-dais = 30\n");
    desk.call("scan --demo --config typo.toml").run().failed(
        2,
        &["typo.toml: line 3", "unknown field `stale-dais`"],
        &["did you mean `stale-days`?"],
    );
    desk.write("broken.toml", "[accounts\n");
    desk.call("scan --demo --config broken.toml")
        .run()
        .code(2)
        .says("broken.toml: line 1");
    desk.write("type.toml", "[accounts]\nstale-days = \"many\"\n");
    desk.call("scan --demo --config type.toml")
        .run()
        .code(2)
        .says("type.toml: line 2");
    desk.call("scan --demo --config absent.toml").run().failed(
        2,
        &["could not read the configuration absent.toml"],
        &["--config"],
    );
    let ran = desk
        .call("scan --demo --config .")
        .run()
        .failed(2, &["could not read"], &[]);
    assert!(
        !ran.err.contains("cause:"),
        "the cause is said once: {}",
        ran.err
    );

    // The file of the working directory counts for a snapshot and a tenant, not for the demo.
    desk.write("m365audit.toml", "nonsense = 1\n");
    desk.call("scan --demo --rule guest-invitation-open")
        .run()
        .code(0);
    desk.call("scan --from absent.gz")
        .run()
        .code(2)
        .says("m365audit.toml: line 1");
}

#[test]
fn the_configuration_counts() {
    let desk = Desk::new();
    let stale = |config: &str| {
        let path = desk.write("c.toml", config);
        let call = desk.call("scan --demo --rule account-stale --format json --config");
        let report = call.arg(path).run().code(0).json();
        report["results"][0]["affected"]["count"].as_u64().unwrap()
    };
    let (usual, patient) = (stale(""), stale("[accounts]\nstale-days = 1000\n"));
    assert!(0 < patient && patient < usual, "{patient} of {usual}");
}
