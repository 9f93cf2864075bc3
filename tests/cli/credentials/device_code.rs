//! A person with a code, played by the emulator.

use super::*;

fn person(polls: &[&str]) -> impl Fn(&mut Value) {
    let polls = json!(polls);
    move |content| {
        content["app"]["secrets"] = json!([]);
        content["app"]["person"] = json!({"interval": 1, "polls": polls});
    }
}

fn call(stage: &Stage) -> Call {
    stage.bare(SCAN).arg("--auth").arg("device-code")
}

#[test]
fn a_person_signs_in_and_is_not_asked_again() {
    let options = Options {
        token_requests: Some(1),
        ..Options::default()
    };
    let stage = Stage::serve(demo(person(&["pending", "granted"])), options);
    let ran = good(&stage, call(&stage).arg("--quiet"));
    assert!(
        ran.err
            .starts_with("To sign in, use a web browser to open the page"),
        "{}",
        ran.err
    );
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert_eq!(asked(&stage.emulator, "/devicecode"), 1);
    assert!(
        asked(&stage.emulator, "/token") >= 3,
        "two polls, and the refresh token after that"
    );
    good(&stage, call(&stage))
        .says("Global Reader")
        .says("/directory/onPremisesSynchronization needs the role Global Administrator");
}

#[test]
fn it_is_never_found_by_itself() {
    let stage = stage(person(&["granted"]));
    stage
        .run(stage.bare(SCAN))
        .failed(2, &["no credential"], &["--auth device-code"]);
    assert!(stage.emulator.requests().is_empty());
}

#[test]
fn sign_ins_that_come_to_nothing() {
    for (polls, error, help) in [
        (["declined"], "declined", "run again"),
        (["expired"], "was not used in time", "run again"),
        (["53003"], "AADSTS53003", "device code"),
        (["530036"], "AADSTS530036", "client secret or a certificate"),
    ] {
        let stage = stage(person(&polls));
        stage.run(call(&stage)).code(3).says(error).says(help);
    }
    let stage = stage(|content| content["app"]["secrets"] = json!([]));
    stage
        .run(call(&stage).arg("--quiet"))
        .code(3)
        .says("AADSTS7000218")
        .says("Allow public client flows");
}
