//! Tenants of which something is not known: what is proved holds however it turns out, what is violated is so however it does.

use std::collections::BTreeSet;

use m365audit::access::Verdict;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::brute::{Truth, truth};
use super::evaluator::all_performed;
use super::pools::{self, GROUPS, TENANTS, USERS};
use super::random::cases;
use super::world::World;

/// What is seen of a world, and every way in which the rest may be.
type Veiled = (World, Vec<World>);

const GONE: &str = "00000000-0000-0000-0000-00000000dead";

fn of_policy(world: &World, index: usize, change: impl Fn(&mut Value)) -> World {
    let mut world = world.clone();
    change(&mut world.policies[index]);
    world
}

/// The policy applies to nothing.
fn never(policy: &mut Value) {
    policy["conditions"]["users"] = json!({"includeUsers": ["None"]});
}

fn push(list: &mut Value, word: &str) {
    match list.as_array_mut() {
        Some(list) => list.push(json!(word)),
        None => *list = json!([word]),
    }
}

/// How many kinds of things may be unknown.
const VEILS: usize = 17;

#[allow(clippy::too_many_lines, reason = "one arm for each kind of unknown")]
fn veil(world: &World, kind: usize, index: usize) -> Veiled {
    let at = index % world.policies.len();
    let on = |change: &dyn Fn(&mut Value)| of_policy(world, at, change);
    match kind % VEILS {
        // Members of a group.
        0 => {
            let group = GROUPS[index % GROUPS.len()];
            let mut world = world.clone();
            for members in world.groups.values_mut() {
                members.retain(|member| member != group);
            }
            let with = |members: Vec<String>| {
                let mut world = world.clone();
                world.groups.insert(group.to_owned(), members);
                world
            };
            let users = world
                .users
                .iter()
                .map(|user| user["id"].as_str().unwrap().to_owned());
            let mut ways = vec![
                world.clone(),
                with(Vec::new()),
                with(users.clone().collect()),
            ];
            ways.extend(users.map(|user| with(vec![user])));
            let mut seen = world.clone();
            seen.unread_groups.insert(group.to_owned());
            (seen, ways)
        }
        // A location that is gone, included or excluded.
        1 | 2 => {
            let key = ["includeLocations", "excludeLocations"][kind % 2];
            let name = |policy: &mut Value| {
                if policy["conditions"]["locations"].is_null() {
                    policy["conditions"]["locations"] = json!({"includeLocations": if key == "includeLocations" { json!([]) } else { json!(["All"]) }});
                }
                push(&mut policy["conditions"]["locations"][key], GONE);
            };
            let seen = on(&name);
            let with = |ranges: &[&str]| {
                let mut world = seen.clone();
                let ranges: Vec<Value> = ranges
                    .iter()
                    .map(|range| json!({"cidrAddress": range}))
                    .collect();
                world.locations.push(json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": GONE, "isTrusted": false, "ipRanges": ranges}));
                world
            };
            let ways = vec![
                with(&[]),
                with(&["0.0.0.0/0", "::/0"]),
                with(&["198.51.100.0/25"]),
            ];
            (seen, ways)
        }
        // A condition of which nothing is known.
        3 => (
            on(&|policy| policy["conditions"]["phaseOfTheMoon"] = json!({"include": ["full"]})),
            vec![world.clone(), on(&never)],
        ),
        // A control of which nothing is known: met, or never met.
        4 => {
            let unmet = |policy: &mut Value| {
                let grant = &mut policy["grantControls"];
                let others = [
                    "builtInControls",
                    "termsOfUse",
                    "customAuthenticationFactors",
                ]
                .iter()
                .any(|key| grant[key].as_array().is_some_and(|list| !list.is_empty()))
                    || !grant["authenticationStrength"].is_null();
                if !others || grant["operator"] == "AND" {
                    *grant = json!({"operator": "OR", "builtInControls": ["block"]});
                }
            };
            let asks = |policy: &mut Value| {
                if policy["grantControls"].is_null() {
                    policy["grantControls"] = json!({"operator": "OR"});
                }
                push(
                    &mut policy["grantControls"]["builtInControls"],
                    "retinaScan",
                );
            };
            let met = |policy: &mut Value| {
                if policy["grantControls"].is_null() {
                    policy["grantControls"] = json!({"operator": "OR"});
                }
                push(
                    &mut policy["grantControls"]["customAuthenticationFactors"],
                    "retina",
                );
            };
            (on(&asks), vec![on(&unmet), on(&met)])
        }
        // A level, a platform, a client type that is not known.
        5 => with_word(
            world,
            at,
            |policy| &mut policy["conditions"]["signInRiskLevels"],
            "severe",
        ),
        6 => with_word(
            world,
            at,
            |policy| &mut policy["conditions"]["userRiskLevels"],
            "severe",
        ),
        7 => with_word(
            world,
            at,
            |policy| &mut policy["conditions"]["clientAppTypes"],
            "telepathy",
        ),
        8 => {
            let seen = on(&|policy| {
                if policy["conditions"]["platforms"].is_null() {
                    policy["conditions"]["platforms"] = json!({"includePlatforms": ["all"]});
                }
                push(
                    &mut policy["conditions"]["platforms"]["excludePlatforms"],
                    "watchOS",
                );
            });
            (seen, vec![world.clone(), on(&never)])
        }
        // Where guests come from.
        9 => {
            let user = USERS[index % USERS.len()];
            let mut seen = world.clone();
            seen.homes.remove(user);
            let ways = TENANTS
                .iter()
                .map(|home| {
                    let mut world = world.clone();
                    world.homes.insert(user.to_owned(), (*home).to_owned());
                    world
                })
                .chain([seen.clone()])
                .collect();
            (seen, ways)
        }
        // A word for people, included or excluded.
        10 => (
            on(&|policy| {
                push(
                    &mut policy["conditions"]["users"]["includeUsers"],
                    "Everybody",
                );
            }),
            vec![
                world.clone(),
                on(&|policy| push(&mut policy["conditions"]["users"]["includeUsers"], "All")),
            ],
        ),
        11 => (
            on(&|policy| {
                push(
                    &mut policy["conditions"]["users"]["excludeUsers"],
                    "Somebody",
                );
            }),
            vec![world.clone(), on(&never)],
        ),
        // A strength that is gone.
        12 => {
            let ask = |policy: &mut Value| {
                if policy["grantControls"].is_null() {
                    policy["grantControls"] = json!({"operator": "OR"});
                }
                policy["grantControls"]["authenticationStrength"] = json!({"id": GONE});
            };
            let seen = on(&ask);
            let with = |combinations: Vec<&str>| {
                let mut world = seen.clone();
                world
                    .strengths
                    .push(json!({"id": GONE, "allowedCombinations": combinations}));
                world
            };
            let all = all_performed().iter().map(|one| one.combination).collect();
            let ways = vec![with(Vec::new()), with(all), with(vec!["fido2"])];
            (seen, ways)
        }
        // An empty list of client types on an old policy.
        13 => (
            on(&|policy| {
                policy["createdDateTime"] = json!("2019-05-01T00:00:00Z");
                policy["conditions"]["clientAppTypes"] = json!([]);
            }),
            vec![
                on(&|policy| policy["conditions"]["clientAppTypes"] = json!(["all"])),
                on(&|policy| {
                    policy["conditions"]["clientAppTypes"] =
                        json!(["browser", "mobileAppsAndDesktopClients"]);
                }),
            ],
        ),
        // A device filter that cannot be read.
        14 => {
            let seen = on(&|policy| {
                policy["conditions"]["devices"] = json!({"deviceFilter": {"mode": if index.is_multiple_of(2) { "include" } else { "exclude" }, "rule": "device.model -resembles \"Hub\""}});
            });
            let all = |policy: &mut Value| policy["conditions"]["devices"] = Value::Null;
            (seen, vec![on(&all), on(&never)])
        }
        // A flow that is not known.
        15 => {
            let seen = on(&|policy| {
                policy["conditions"]["authenticationFlows"] =
                    json!({"transferMethods": "carrierPigeon"});
            });
            let all =
                |policy: &mut Value| policy["conditions"]["authenticationFlows"] = Value::Null;
            (seen, vec![on(&all), on(&never)])
        }
        // A filter on attributes of applications.
        _ => {
            let exclude = index.is_multiple_of(2);
            let seen = on(&|policy| {
                policy["conditions"]["applications"]["applicationFilter"] = json!({"mode": if exclude { "exclude" } else { "include" }, "rule": "CustomSecurityAttribute.a_b -eq \"c\""});
            });
            let none = |policy: &mut Value| {
                policy["conditions"]["applications"]["includeApplications"] = json!([]);
            };
            let all = |policy: &mut Value| {
                push(
                    &mut policy["conditions"]["applications"]["includeApplications"],
                    "All",
                );
            };
            // Whether sign-ins for baseline scopes count a filter as an exclusion is told apart.
            let other = if exclude { on(&none) } else { on(&all) };
            (seen, vec![world.clone(), other])
        }
    }
}

/// A list with a word in it that is not known: it stands for nothing, or for everything.
fn with_word(world: &World, at: usize, list: fn(&mut Value) -> &mut Value, word: &str) -> Veiled {
    let seen = of_policy(world, at, |policy| push(list(policy), word));
    let was_empty = |policy: &mut Value| list(policy).as_array().is_none_or(Vec::is_empty);
    let nothing = of_policy(world, at, |policy| {
        if was_empty(policy) {
            never(policy);
        }
    });
    let everything = of_policy(world, at, |policy| *list(policy) = json!([]));
    (seen, vec![nothing, everything])
}

fn check(
    (seen, ways): &Veiled,
    guarantee: &m365audit::access::Guarantee,
) -> Result<Verdict, TestCaseError> {
    let proof = seen.prove(guarantee);
    let truths: Vec<Truth> = ways.iter().map(|world| truth(world, guarantee)).collect();
    let affected: BTreeSet<String> = proof
        .affected_users
        .ids
        .iter()
        .map(ToString::to_string)
        .collect();
    for (truth, way) in truths.iter().zip(ways) {
        match proof.verdict {
            Verdict::Proved => prop_assert!(!truth.open, "proved, and open here: {way:?}"),
            Verdict::Vacuous => prop_assert!(!truth.asked, "vacuous, and not so here: {way:?}"),
            Verdict::Violated => {
                prop_assert!(truth.open, "violated, and covered here: {way:?}");
                prop_assert!(
                    affected.is_subset(&truth.affected),
                    "{affected:?} and not {:?}: {way:?}",
                    truth.affected
                );
            }
            Verdict::Depends => prop_assert!(
                truth.affected.is_subset(&affected) || guarantee_is_untold(&proof),
                "perhaps {affected:?}, and {:?} here: {way:?}",
                truth.affected
            ),
            Verdict::Unknown => prop_assert!(false, "the budget is larger than that"),
        }
    }
    Ok(proof.verdict)
}

/// Nobody knows whom the question is about.
fn guarantee_is_untold(proof: &m365audit::access::Proof) -> bool {
    proof
        .assumptions
        .iter()
        .any(|why| why.raw().contains("were not read"))
}

proptest! {
    #![proptest_config(cases(200))]

    /// One thing or two that are not known.
    #[test]
    fn a_verdict_stands_however_the_unknown_turns_out(
        (world, guarantee) in prop_oneof![
            2 => pools::nearly_covered(),
            1 => (pools::world(), pools::guarantee()),
        ],
        first in (0..VEILS, any::<Index>()),
        reaches in any::<bool>(),
        second in prop_oneof![2 => Just(None), 1 => (0..VEILS, any::<Index>()).prop_map(Some)],
    ) {
        let (mut world, mut guarantee) = (world, guarantee);
        // A group must not be read as nested where it is to be unread.
        for group in GROUPS {
            for members in world.groups.values_mut() {
                members.retain(|member| member != group);
            }
        }
        let (kind, index) = first;
        let (mut seen, mut ways) = veil(&world, kind, index.index(60));
        if let Some((kind, index)) = second.filter(|second| second.0 != kind) {
            let index = index.index(60);
            ways = ways.iter().flat_map(|way| veil(way, kind, index).1).collect();
            seen = veil(&seen, kind, index).0;
        }
        // Whether `All` means people who have no account here.
        guarantee.assume.all_reaches_everyone = reaches;
        if !reaches {
            let missed = ways.iter().map(|way| World { all_misses_strangers: true, ..way.clone() });
            ways = missed.chain(ways.iter().cloned()).collect();
        }
        check(&(seen, ways), &guarantee)?;
    }
}
