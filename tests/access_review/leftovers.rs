//! What was forgotten, or does not do what it seems to.

use m365audit::access::LeftoverKind;

use super::*;

fn leftovers(policies: &[Value]) -> Vec<(String, LeftoverKind, String)> {
    let found = review(policies).leftovers.into_iter();
    found
        .map(|one| {
            (
                one.policy.raw().to_owned(),
                one.kind,
                one.detail.raw().to_owned(),
            )
        })
        .collect()
}

#[test]
fn trials_that_never_ended_are_leftovers() {
    let at = |change: &[(&str, Value)]| {
        leftovers(&[policy("p", "mfa", &[&[report_only()], change].concat())])
    };
    let modified = |day: &str| at(&[("modifiedDateTime", json!(format!("2026-{day}T00:00:00Z")))]);
    assert_eq!(
        modified("01-30"),
        [(
            "p".to_owned(),
            LeftoverKind::ReportOnly,
            "report-only for 30 days".to_owned()
        )]
    );
    assert_eq!(modified("01-31"), []);
    assert_eq!(at(&[]).len(), 1, "by the day it was created");
    assert_eq!(leftovers(&[policy("p", "mfa", &[])]), []);
}

#[test]
fn references_to_what_is_gone_are_leftovers() {
    let gone = |path: &'static str, value: Value| -> Vec<String> {
        let found = leftovers(&[policy("p", "mfa", &[(path, value)])]).into_iter();
        found
            .filter(|(_, kind, _)| *kind == LeftoverKind::DeletedReference)
            .map(|(.., detail)| detail)
            .collect()
    };
    for (path, value) in [
        (
            USERS,
            json!({"includeUsers": ["All"], "excludeUsers": [GONE]}),
        ),
        (
            USERS,
            json!({"includeUsers": ["All"], "excludeGroups": [GONE]}),
        ),
        (
            "conditions/applications",
            json!({"includeApplications": ["All"], "excludeApplications": [GONE]}),
        ),
        (
            PLACES,
            json!({"includeLocations": ["All"], "excludeLocations": [GONE]}),
        ),
        (
            "grantControls",
            json!({"operator": "OR", "authenticationStrength": {"id": GONE}}),
        ),
    ] {
        let found = gone(path, value);
        assert!(
            matches!(found.as_slice(), [one] if one.contains(GONE)),
            "{path}: {found:?}"
        );
    }
    let here = json!({"includeUsers": ["All"], "excludeUsers": [ANNA, OFF], "excludeGroups": [GROUP, EMPTY_GROUP]});
    assert_eq!(gone(USERS, here), Vec::<String>::new());
    assert_eq!(
        gone(
            PLACES,
            json!({"includeLocations": ["All", OFFICE, "AllTrusted"]})
        ),
        Vec::<String>::new()
    );
    // A list that was not read says nothing.
    let mut tenant = tenant(&[policy(
        "p",
        "mfa",
        &[(
            USERS,
            json!({"includeUsers": ["All"], "excludeGroups": [GONE]}),
        )],
    )]);
    tenant.end(Resource::Groups, State::Skipped);
    let found = review_of(&tenant, Settings::default()).leftovers;
    assert!(
        !found
            .iter()
            .any(|one| one.kind == LeftoverKind::DeletedReference)
    );
}

#[test]
fn exclusions_that_nothing_else_covers_are_leftovers() {
    let excluding = policy(
        "p",
        "mfa",
        &[(
            USERS,
            json!({"includeUsers": ["All"], "excludeGroups": [GROUP, EMPTY_GROUP]}),
        )],
    );
    let found = leftovers(std::slice::from_ref(&excluding));
    assert!(
        matches!(found.as_slice(), [(_, LeftoverKind::UncoveredExclusion, detail)] if detail.contains(GROUP) && detail.contains("1 account")),
        "{found:?}"
    );
    let covering = policy("q", "mfa", &[(USERS, json!({"includeUsers": [BEN]}))]);
    assert_eq!(leftovers(&[excluding.clone(), covering]), []);
    let half = policy(
        "q",
        "mfa",
        &[
            (USERS, json!({"includeUsers": [BEN]})),
            ("conditions/clientAppTypes", json!(["browser"])),
        ],
    );
    assert_eq!(leftovers(&[excluding.clone(), half]).len(), 1);
    let another = policy(
        "q",
        "compliantDevice",
        &[(USERS, json!({"includeUsers": [BEN]}))],
    );
    assert_eq!(leftovers(&[excluding.clone(), another]).len(), 1);
    // Accounts that stand apart are excluded on purpose.
    let settings = Settings {
        apart: [BEN.parse().unwrap()].into(),
        ..Settings::default()
    };
    assert!(
        review_of(&tenant(&[excluding]), settings)
            .leftovers
            .is_empty()
    );
    for change in [
        (
            PLACES,
            json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
        ),
        (
            "conditions/applications",
            json!({"includeApplications": ["All"], "excludeApplications": [APP]}),
        ),
    ] {
        assert_eq!(
            leftovers(&[policy("p", "mfa", std::slice::from_ref(&change))]).len(),
            1
        );
        assert_eq!(
            leftovers(&[policy("p", "mfa", &[change]), policy("q", "mfa", &[])]),
            []
        );
    }
}

#[test]
fn conditions_that_a_client_can_fake_are_leftovers() {
    let excluded = (
        "conditions/platforms",
        json!({"includePlatforms": ["all"], "excludePlatforms": ["iOS"]}),
    );
    let some = (
        "conditions/platforms",
        json!({"includePlatforms": ["windows", "macOS"]}),
    );
    let editable = (
        "conditions/devices",
        json!({"deviceFilter": {"mode": "exclude", "rule": "device.displayName -startsWith \"kiosk\""}}),
    );
    for change in [excluded, some.clone(), editable] {
        let found = leftovers(&[policy("p", "mfa", std::slice::from_ref(&change))]);
        assert!(
            matches!(found.as_slice(), [(_, LeftoverKind::SpoofableCondition, _)]),
            "{change:?}: {found:?}"
        );
        assert_eq!(
            leftovers(&[policy("p", "mfa", &[change]), policy("q", "mfa", &[])]),
            []
        );
    }
    let firm = (
        "conditions/devices",
        json!({"deviceFilter": {"mode": "exclude", "rule": "device.isCompliant -eq True"}}),
    );
    assert_eq!(leftovers(&[policy("p", "mfa", &[firm])]), []);
    let rest = (
        "conditions/platforms",
        json!({"includePlatforms": ["all"], "excludePlatforms": ["windows", "macOS"]}),
    );
    assert_eq!(
        leftovers(&[policy("p", "mfa", &[some]), policy("q", "mfa", &[rest])]),
        []
    );
}
