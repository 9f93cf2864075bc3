//! What one policy leaves out and no other takes up, by name.

use crate::rules::prelude::*;
use crate::snapshot::model::{
    ConditionalAccessConditionSet, ConditionalAccessPolicy, ConditionalAccessPolicyState,
};
use crate::snapshot::reference;

use super::conditional_access::all_policies;

declare_rule! {
    /// An exclusion says what a policy is not for. Unless another policy is for it, nothing holds there.
    ///
    /// This looks at names only, as other tools do: whatever is excluded here must be included there. Whether the other policy asks
    /// for enough is what the guarantees decide.
    pub(crate) static CONDITIONAL_ACCESS_EXCLUSION_UNCOVERED = {
        id: "conditional-access-exclusion-uncovered",
        title: "Something excluded from one policy is covered by no other",
        area: Area::Identity,
        tier: Tier::Standard,
        kind: Kind::Analyzer,
        risk: Risk(3, 2, 1),
        effort: Effort::M.always(),
        disruption: Disruption::Admins,
        after: &["emergency-access-account-missing"],
        licence: Licence::Any,
        reads: &[Resource::ConditionalAccessPolicies, Resource::Users, Resource::RoleDefinitions, Resource::RoleAssignments],
        may_read: &[Resource::GroupTransitiveMembers, Resource::NamedLocations],
        controls: &[Maester("MT.1036"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::ConditionalAccessPolicies), property: "conditions", expected: "everything that is excluded from one enabled policy with a grant is included in another" },
        remediation: Remediation {
            summary: "Whatever one policy leaves out is held by another one.",
            notices: "The people and applications that are left out today.",
            check_first: "Look at each exclusion with its owner: whether it is still needed, and what should hold instead.",
            steps: &[
                "Remove exclusions that nobody can explain.",
                "For the rest create a policy of its own that includes exactly what is excluded, with a grant that can be met there: a trusted place, a managed device, another strength.",
                "Emergency access accounts: declare them in m365audit.toml, and ask them for a security key by a policy of their own.",
            ],
            portal: "Entra admin center > Protection > Conditional Access > Policies",
            request: "",
            roll_out: "One exclusion at a time; the new policy report-only for 7 days first.",
            verify: "No exclusion is left that no other policy includes.",
            roll_back: "Add the exclusion again.",
            dangers: &[Danger::BreaksIntegrations],
            learn: &[],
        },
        check: conditional_access_exclusion_uncovered,
    }
}

fn conditional_access_exclusion_uncovered(cx: &Context<'_>) -> Verdict {
    let enabled: Vec<&ConditionalAccessPolicy> = all_policies(cx)?
        .iter()
        .filter(|policy| policy.state == Some(ConditionalAccessPolicyState::Enabled))
        .filter(|policy| asks_for_something(policy))
        .collect();
    cx.users()?;
    cx.whole(Resource::RoleAssignments)?;
    let mut tally = Tally::new();
    for (index, policy) in enabled.iter().enumerate() {
        let excluded = named(policy, false);
        if excluded.is_empty() {
            continue;
        }
        let others = || {
            let others = enabled.iter().enumerate();
            others.filter(move |(other, _)| *other != index)
        };
        let mut left = Vec::new();
        let mut unsure = false;
        for (kind, word) in &excluded {
            if is_exempt(cx, *kind, word) {
                continue;
            }
            let covers = |other: &ConditionalAccessPolicy| includes(cx, other, *kind, word);
            match others().map(|(_, other)| covers(other)).max() {
                Some(Covers::Yes) => {}
                Some(Covers::Perhaps) => unsure = true,
                _ => left.push(format!("{} {}", kind.as_str(), word.raw())),
            }
        }
        if left.is_empty() && unsure {
            tally.unknown();
            continue;
        }
        tally.judge(!left.is_empty(), || {
            let id = policy.id.as_ref().map_or("", Untrusted::raw);
            let name = policy.display_name.clone().unwrap_or_default();
            Object::new(ObjectType::ConditionalAccessPolicy, id, name)
                .detail(format!("in no other policy: {}", left.join(", ")))
        });
    }
    if tally.judged() == 0 && !tally.is_empty() {
        cx.whole(Resource::NamedLocations)?;
    }
    Ok(tally.outcome(
        "no enabled policy with a grant excludes anything",
        |failing, all| {
            if failing == 0 {
                format!("whatever {all} policies exclude is included in another one")
            } else {
                format!("{failing} of {all} policies with exclusions exclude something that no other includes")
            }
        },
    ))
}

/// What can be left out of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    User,
    Group,
    Role,
    Application,
    Platform,
    Location,
    ServicePrincipal,
}

impl Left {
    const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
            Self::Application => "application",
            Self::Platform => "platform",
            Self::Location => "location",
            Self::ServicePrincipal => "service principal",
        }
    }
}

/// Whether another policy includes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Covers {
    No,
    Perhaps,
    Yes,
}

fn asks_for_something(policy: &ConditionalAccessPolicy) -> bool {
    policy.grant_controls.as_ref().is_some_and(|grant| {
        grant.authentication_strength.is_some()
            || grant.built_in_controls.iter().flatten().count() > 0
            || grant.terms_of_use.iter().flatten().count() > 0
            || grant.custom_authentication_factors.iter().flatten().count() > 0
    })
}

/// What a policy includes or excludes, by kind.
fn named(policy: &ConditionalAccessPolicy, included: bool) -> Vec<(Left, &Untrusted)> {
    policy
        .conditions
        .as_ref()
        .map_or_else(Vec::new, |conditions| {
            let sides = sides(conditions);
            sides
                .into_iter()
                .flat_map(|(kind, include, exclude)| {
                    let words = if included { include } else { exclude };
                    words.into_iter().flatten().map(move |word| (kind, word))
                })
                .filter(|(_, word)| !word.is("None"))
                .collect()
        })
}

type Words<'a> = Option<&'a Vec<Untrusted>>;

fn sides(conditions: &ConditionalAccessConditionSet) -> Vec<(Left, Words<'_>, Words<'_>)> {
    let mut sides = Vec::new();
    if let Some(users) = &conditions.users {
        sides.extend([
            (
                Left::User,
                users.include_users.as_ref(),
                users.exclude_users.as_ref(),
            ),
            (
                Left::Group,
                users.include_groups.as_ref(),
                users.exclude_groups.as_ref(),
            ),
            (
                Left::Role,
                users.include_roles.as_ref(),
                users.exclude_roles.as_ref(),
            ),
        ]);
    }
    if let Some(apps) = &conditions.applications {
        sides.push((
            Left::Application,
            apps.include_applications.as_ref(),
            apps.exclude_applications.as_ref(),
        ));
    }
    if let Some(platforms) = &conditions.platforms {
        sides.push((
            Left::Platform,
            platforms.include_platforms.as_ref(),
            platforms.exclude_platforms.as_ref(),
        ));
    }
    if let Some(locations) = &conditions.locations {
        sides.push((
            Left::Location,
            locations.include_locations.as_ref(),
            locations.exclude_locations.as_ref(),
        ));
    }
    if let Some(clients) = &conditions.client_applications {
        sides.push((
            Left::ServicePrincipal,
            clients.include_service_principals.as_ref(),
            clients.exclude_service_principals.as_ref(),
        ));
    }
    sides
}

/// Declared emergency access accounts, groups of nobody else, and the roles of directory synchronisation.
fn is_exempt(cx: &Context<'_>, kind: Left, word: &Untrusted) -> bool {
    let Ok(id) = word.raw().parse::<Guid>() else {
        return false;
    };
    match kind {
        Left::User => cx.is_emergency(id),
        Left::Group => {
            let members = cx.group_members().ok().and_then(|groups| groups.get(&id));
            members.is_some_and(|members| {
                !members.is_empty() && members.iter().all(|&member| cx.is_emergency(member))
            })
        }
        Left::Role => reference::SYNC_ROLES.contains(&id),
        _ => false,
    }
}

/// Whether another policy includes what is excluded: by the same word, or by one for all of its kind.
fn includes(
    cx: &Context<'_>,
    policy: &ConditionalAccessPolicy,
    kind: Left,
    word: &Untrusted,
) -> Covers {
    let included = named(policy, true);
    let of_kind = |wanted: Left| {
        let words = included.iter().filter(move |(kind, _)| *kind == wanted);
        words.map(|(_, word)| *word)
    };
    let all = match kind {
        Left::User | Left::Group | Left::Role => of_kind(Left::User).any(|word| word.is("All")),
        Left::ServicePrincipal => of_kind(kind).any(|word| word.is("ServicePrincipalsInMyTenant")),
        // A condition that is not set holds for all.
        Left::Platform | Left::Location => {
            is_about_users(policy)
                && (of_kind(kind).next().is_none() || of_kind(kind).any(|word| word.is("All")))
        }
        Left::Application => of_kind(kind).any(|word| word.is("All")),
    };
    if all || of_kind(kind).any(|other| other.is(word.raw())) {
        return Covers::Yes;
    }
    if kind == Left::Location && of_kind(kind).any(|other| other.is("AllTrusted")) {
        return is_trusted(cx, word);
    }
    Covers::No
}

fn is_about_users(policy: &ConditionalAccessPolicy) -> bool {
    let conditions = policy.conditions.as_ref();
    conditions.is_some_and(|conditions| conditions.users.is_some())
}

fn is_trusted(cx: &Context<'_>, word: &Untrusted) -> Covers {
    let Ok(locations) = cx.named_locations() else {
        return Covers::Perhaps;
    };
    let known = locations
        .iter()
        .find(|location| location.id.is_some_and(|id| word.raw().parse() == Ok(id)));
    match known {
        Some(location) if location.is_trusted == Some(true) => Covers::Yes,
        None if cx.whole(Resource::NamedLocations).is_err() => Covers::Perhaps,
        _ => Covers::No,
    }
}
