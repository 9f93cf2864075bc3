//! Trouble on the way: what passes leaves no trace, what stays is never taken for the whole.

use super::*;
use m365audit::emulator::RetryAfter;

/// Lists of several pages at sixty rows a page.
const LONG: [&str; 5] = [
    "/v1.0/users?",
    "/v1.0/reports/authenticationMethods/userRegistrationDetails",
    "/v1.0/deviceManagement/managedDevices?",
    "/transitiveMembers",
    "/appRoleAssignedTo",
];

/// Every other list, by a part of its path that no other has.
const SHORT: [&str; 16] = [
    "/v1.0/applications?",
    "/v1.0/servicePrincipals?",
    "/roleManagement/directory/roleAssignments?",
    "/roleEligibilityScheduleInstances",
    "/roleAssignmentScheduleInstances",
    "/conditionalAccess/policies",
    "/namedLocations",
    "/oauth2PermissionGrants",
    "/riskyUsers",
    "/security/incidents",
    "/secureScoreControlProfiles",
    "/v1.0/domains",
    "/v1.0/subscribedSkus",
    "/v1.0/groupSettings",
    "/permissionGrantPolicies",
    "/authenticationStrengthPolicies",
];

/// How many of either are never asked for in a batch; they stand first.
const ALONE: (usize, usize) = (3, 11);

async fn whole() -> Kept {
    let kept = read(demo(), most(), faults([])).await;
    assert!(kept.records[&Resource::Users].requests > 5, "several pages");
    kept
}

#[track_caller]
fn assert_same(kept: &Kept, whole: &Kept, what: &str) {
    assert_eq!(
        kept.troubles(),
        whole.troubles(),
        "{what}: {:#?}",
        kept.records
    );
    for &resource in Resource::ALL {
        assert!(
            kept.all(resource) == whole.all(resource),
            "{what}: rows of {resource} differ"
        );
    }
}

#[tokio::test]
async fn trouble_that_passes_leaves_no_trace_in_any_list() {
    let whole = whole().await;
    let throttle = |retry_after| FaultKind::Throttle { retry_after };
    for kind in [
        throttle(RetryAfter::None),
        throttle(RetryAfter::Seconds(7)),
        throttle(RetryAfter::HttpDate(7)),
        throttle(RetryAfter::Decimal(2.128)),
        FaultKind::Status(503),
        FaultKind::Status(504),
        FaultKind::ResetConnection,
        FaultKind::CutBody,
        FaultKind::EmptyPageWithNextLink,
        FaultKind::IgnoreTop,
    ] {
        // In the middle of the long lists, and at the one page of the others. A part of a batch has no connection of its own to lose.
        let transport = matches!(kind, FaultKind::ResetConnection | FaultKind::CutBody);
        let (long, short) = if transport {
            (&LONG[..ALONE.0], &SHORT[..ALONE.1])
        } else {
            (&LONG[..], &SHORT[..])
        };
        let long = long.iter().map(|path| (*path, Nth::Only(2), kind.clone()));
        let short = short.iter().map(|path| (*path, Nth::Only(1), kind.clone()));
        let batches = [("/$batch", Nth::Only(2), kind.clone())];
        let all = long
            .chain(short)
            .chain(batches.into_iter().filter(|_| transport));
        let kept = read(demo(), most(), faults(all)).await;
        assert_same(&kept, &whole, &format!("{kind:?}"));
        if !matches!(
            kind,
            FaultKind::EmptyPageWithNextLink | FaultKind::IgnoreTop
        ) {
            for resource in [
                Resource::RegistrationDetails,
                Resource::ManagedDevices,
                Resource::RiskyUsers,
            ] {
                let retries = kept.records[&resource].retries;
                assert_eq!(retries, 1, "{kind:?}: {resource}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_of_a_list_is_renewed_there() {
    let whole = whole().await;
    for kind in [FaultKind::ExpiredToken, FaultKind::ClaimsChallenge] {
        for path in LONG {
            let kept = read(demo(), most(), faults([(path, Nth::Only(3), kind.clone())])).await;
            assert_same(&kept, &whole, &format!("{kind:?} at {path}"));
        }
    }
    let every = Options {
        token_requests: Some(40),
        ..faults([])
    };
    let kept = read(demo(), most(), every).await;
    assert_same(&kept, &whole, "a token for forty requests");
}

#[tokio::test]
async fn a_list_that_goes_wrong_is_read_again_and_never_taken_for_whole() {
    let few: BTreeSet<Resource> = [
        Resource::ManagedDevices,
        Resource::ManagedDeviceOverview,
        Resource::Applications,
    ]
    .into();
    let elsewhere = FaultKind::WrongHostNextLink("https://graph.example/v1.0/users".to_owned());
    let path = "/v1.0/deviceManagement/managedDevices?";
    let devices = read(demo(), few.clone(), faults([])).await;
    let devices = devices.all(Resource::ManagedDevices).len();
    // The first page, the second page once, and the second page of each attempt.
    for (kind, first, once, always) in [
        (FaultKind::LoopNextLink, "failed", "collected", "partial"),
        (FaultKind::RepeatPage, "collected", "collected", "partial"),
        (elsewhere, "failed", "collected", "partial"),
        (FaultKind::MissingValue, "failed", "collected", "partial"),
        (FaultKind::ErrorUnder200, "failed", "collected", "partial"),
        (FaultKind::Html(200), "failed", "collected", "partial"),
        (FaultKind::Status(400), "failed", "partial", "partial"),
    ] {
        for (nth, wanted) in [
            (Nth::Only(1), first),
            (Nth::Only(2), once),
            (Nth::Every(2), always),
        ] {
            let at = faults([(path, nth, kind.clone())]);
            let kept = read(demo(), few.clone(), at).await;
            let state = kept.state(Resource::ManagedDevices);
            assert_eq!(word(state), wanted, "{kind:?} {nth:?}: {state:?}");
            if wanted == "collected" {
                assert_eq!(
                    kept.all(Resource::ManagedDevices).len(),
                    devices,
                    "{kind:?} {nth:?}"
                );
            }
            for other in [Resource::ManagedDeviceOverview, Resource::Applications] {
                assert_eq!(kept.state(other), &State::Collected, "{kind:?} {nth:?}");
            }
        }
    }
}
#[tokio::test]
async fn a_service_that_stays_down_ends_its_lists_only() {
    let whole = whole().await;
    for kind in [
        FaultKind::Status(503),
        FaultKind::Throttle {
            retry_after: RetryAfter::None,
        },
        FaultKind::ResetConnection,
        FaultKind::CutBody,
    ] {
        let at = [
            ("skiptoken", Nth::Always, kind.clone()),
            ("/riskyUsers", Nth::Always, kind.clone()),
            ("/security/incidents", Nth::Always, kind.clone()),
        ];
        let kept = read(demo(), most(), faults(at)).await;
        assert_eq!(word(kept.state(Resource::Users)), "partial", "{kind:?}");
        let read = kept.all(Resource::Users).len();
        assert!((60..349).contains(&read), "{kind:?}: the first pages");
        for resource in [Resource::RiskyUsers, Resource::Incidents] {
            assert_eq!(word(kept.state(resource)), "failed", "{kind:?}: {resource}");
            assert!(kept.records[&resource].retries > 0, "{kind:?}: {resource}");
        }
        let State::Partial { of, .. } = kept.state(Resource::Users) else {
            unreachable!()
        };
        assert_eq!(*of, Some(349), "{kind:?}");
        for &resource in Resource::ALL {
            if kept.state(resource) == &State::Collected && !resource.is_per_object() {
                assert!(
                    kept.all(resource) == whole.all(resource),
                    "{kind:?}: {resource}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_list_that_ends_before_its_count_is_partial() {
    for (path, resource, of) in [
        ("/v1.0/users?", Resource::Users, 349),
        ("/v1.0/applications?", Resource::Applications, 11),
        ("/v1.0/servicePrincipals?", Resource::ServicePrincipals, 42),
    ] {
        let kept = read(
            demo(),
            [resource].into(),
            faults([(path, Nth::Always, FaultKind::DropRows(1))]),
        )
        .await;
        let State::Partial { of: counted, error } = kept.state(resource) else {
            panic!("{resource}: {:?}", kept.state(resource));
        };
        assert_eq!(*counted, Some(of), "{resource}");
        let words = format!("of the {of} rows that Graph counted");
        assert!(error.raw().contains(&words), "{error:?}");
        assert!(kept.all(resource).len() < usize::try_from(of).unwrap());
    }
}

#[tokio::test]
async fn members_fewer_than_counted_leave_the_groups_partial() {
    let at = [("/transitiveMembers", Nth::Always, FaultKind::DropRows(1))];
    let kept = read(demo(), most(), faults(at)).await;
    let record = &kept.records[&Resource::GroupTransitiveMembers];
    assert!(record.expected > Some(record.count), "{record:?}");
    let State::Partial { of, error } = &record.state else {
        panic!("{:?}", record.state);
    };
    assert_eq!(*of, record.expected);
    assert!(error.raw().contains("rows that Graph counted"), "{error:?}");
    // A row that is missing once is there when the group is read again.
    let at = [("/transitiveMembers", Nth::Only(2), FaultKind::DropRows(1))];
    let kept = read(demo(), most(), faults(at)).await;
    let state = kept.state(Resource::GroupTransitiveMembers);
    assert_eq!(state, &State::Collected);
}

/// A mailbox that nobody knows of is not asked for its rules; "no rule forwards mail" would be said of it all the same.
#[tokio::test]
async fn what_follows_from_a_list_read_in_part_is_partial_too() {
    let mut resources = most();
    resources.insert(Resource::InboxRules);
    let at = [
        (
            "/v1.0/users?$select=id,userPrincipalName",
            Nth::Always,
            FaultKind::DropRows(1),
        ),
        (
            "/v1.0/servicePrincipals?",
            Nth::Always,
            FaultKind::DropRows(1),
        ),
    ];
    let kept = read(demo(), resources, faults(at)).await;
    for (resource, source) in [
        (Resource::InboxRules, Resource::Users),
        (Resource::AppRoleAssignedTo, Resource::ServicePrincipals),
        (
            Resource::ServicePrincipalOwners,
            Resource::AppRoleAssignedTo,
        ),
        (Resource::ApplicationOwners, Resource::AppRoleAssignedTo),
    ] {
        let State::Partial { of: None, error } = kept.state(resource) else {
            panic!("{resource}: {:?}", kept.state(resource));
        };
        let words = format!("{}, which was read in part", source.source());
        assert!(error.raw().contains(&words), "{error:?}");
    }
}
