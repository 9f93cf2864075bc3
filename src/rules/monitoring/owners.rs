//! Who answers for an area: names in the configuration, and whether they still stand for somebody.

use crate::rules::prelude::*;
use crate::snapshot::tenant::User;

/// The person named for an area; a name of blanks is none.
fn owner<'a>(cx: &Context<'a>, area: Area) -> Option<&'a str> {
    cx.config()
        .owners
        .of(area.key())
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

fn area_object(area: Area) -> Object {
    Object::new(ObjectType::Area, area.key(), area.name())
}

declare_rule! {
    /// A list of names is only worth something while the people on it are there.
    ///
    /// When the account behind a name is disabled or gone, its area has silently lost the one who would have acted.
    pub(crate) static AREA_OWNER_DISABLED = {
        id: "area-owner-disabled",
        title: "The named owner of an area has left",
        area: Area::Monitoring,
        kind: Kind::Owners,
        risk: Risk(2, 2, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Nobody,
        after: &["area-owner-missing"],
        licence: Licence::Any,
        reads: &[Resource::Users],
        controls: &[NistCsf2("GV.RR-02")],
        evidence: Expected { source: Some(Resource::Users), property: "accountEnabled", expected: "true for everybody named under [owners]" },
        remediation: Remediation {
            summary: "Somebody who is there takes over each area whose owner has left.",
            notices: "The new owner, and whoever appoints him.",
            check_first: "Ask whether the person left, is on leave, or goes by another name now.",
            steps: &[
                "Appoint a new owner together with whoever is responsible for the tenant.",
                "Hand over the open findings of the area.",
                "Write the new owner's user id or UPN under [owners] in m365audit.toml.",
            ],
            portal: "m365audit.toml, section [owners]",
            request: "",
            roll_out: "At once; nothing in the tenant changes.",
            verify: "Everybody named under [owners] is an enabled account.",
            roll_back: "Write the former name again.",
            dangers: &[],
            learn: &[],
        },
        check: area_owner_disabled,
    }
}

fn area_owner_disabled(cx: &Context<'_>) -> Verdict {
    let users = cx.users()?;
    // A name that is not in a list that broke off may be in the part that is missing.
    let all_read = cx.whole(Resource::Users).is_ok();
    let mut tally = Tally::new();
    for area in Area::ALL {
        let Some(name) = owner(cx, area) else {
            continue;
        };
        let wrong = match users.find(name).map(User::account_enabled) {
            Some(Some(true)) => {
                tally.pass();
                continue;
            }
            Some(Some(false)) => "is disabled",
            None if all_read => "is no account of this tenant",
            Some(None) | None => {
                tally.unknown();
                continue;
            }
        };
        tally.fail(area_object(area).detail(format!("{name} {wrong}")));
    }
    Ok(
        tally.outcome("nobody is named under [owners]", |left, all| {
            format!("the owners of {left} of {all} areas with a named owner are disabled or gone")
        }),
    )
}

declare_rule! {
    /// What belongs to everybody is looked after by nobody.
    ///
    /// Findings of an area without an owner are read, agreed with and found again next year. One name per area is enough to ask somebody,
    /// and to have somebody ask back.
    pub(crate) static AREA_OWNER_MISSING = {
        id: "area-owner-missing",
        title: "An area has no named owner",
        area: Area::Monitoring,
        kind: Kind::Owners,
        risk: Risk(2, 2, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Nobody,
        licence: Licence::Any,
        reads: &[],
        controls: &[NistCsf2("GV.RR-02")],
        evidence: Expected { source: None, property: "owners", expected: "a user id or UPN for each of the five areas" },
        remediation: Remediation {
            summary: "Each of the five areas has one person who answers for it.",
            notices: "The people who are named; nothing in the tenant changes.",
            check_first: "Find out who decides about each area today, and who is called when something is wrong with it.",
            steps: &[
                "Agree on one person for each area; the same person may have several.",
                "Write their user ids or UPNs under [owners] in m365audit.toml: identity, data, sharing, devices, monitoring.",
                "Go through the plan with each owner once.",
            ],
            portal: "m365audit.toml, section [owners]",
            request: "",
            roll_out: "In one meeting.",
            verify: "[owners] names somebody for all five areas.",
            roll_back: "Remove the names.",
            dangers: &[],
            learn: &[],
        },
        check: area_owner_missing,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every check answers a verdict")]
fn area_owner_missing(cx: &Context<'_>) -> Verdict {
    let areas = Area::ALL.len() as u64;
    let ownerless: Affected = Area::ALL
        .iter()
        .filter(|&&area| owner(cx, area).is_none())
        .map(|&area| area_object(area).detail("no named owner"))
        .collect();
    let missing = ownerless.count();
    let actual = format!("{} of {areas}", areas - missing);
    Ok(if missing == 0 {
        Outcome::pass(format!("all {areas} areas have a named owner"))
            .actual(actual)
            .affecting(ownerless, areas)
    } else if missing == areas {
        // Nobody has begun: one line says it, five would repeat it.
        let all = Object::new(ObjectType::Area, "all", "All areas").detail("no named owner");
        Outcome::fail(format!("none of the {areas} areas has a named owner"))
            .actual(actual)
            .affecting([all].into_iter().collect(), 1)
    } else {
        Outcome::fail(format!("{missing} of {areas} areas have no named owner"))
            .actual(actual)
            .affecting(ownerless, areas)
    })
}
