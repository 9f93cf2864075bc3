//! Random tenants and random guarantees, the analyzer against brute force.

use std::collections::BTreeSet;

use m365audit::access::{Guarantee, Proof, Verdict};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::brute::{Domain, Truth, largest_without, truth};
use super::pools;
use super::world::World;

/// The number of cases, unless `PROPTEST_CASES` says another.
#[expect(
    clippy::disallowed_methods,
    reason = "how many cases are run is for the one who runs them"
)]
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(usual);
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..ProptestConfig::default()
    }
}

/// What the proof has to say where everything is known.
pub(crate) fn agree(
    world: &World,
    guarantee: &Guarantee,
    proof: &Proof,
    truth: &Truth,
) -> Result<(), TestCaseError> {
    let affected: BTreeSet<String> = proof
        .affected_users
        .ids
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = match (truth.asked, truth.open) {
        (false, _) => Verdict::Vacuous,
        (true, false) => Verdict::Proved,
        (true, true) => Verdict::Violated,
    };
    // Attributes that only the question tests are not told apart by the analyzer: it says that it depends.
    let only_asked = [&guarantee.when.matches, &guarantee.when.not_matches]
        .into_iter()
        .flatten()
        .any(|rule| {
            world.policies.iter().all(|policy| {
                policy["conditions"]["devices"]["deviceFilter"]["rule"] != rule.as_str()
            })
        });
    if only_asked && proof.verdict == Verdict::Depends {
        return Ok(());
    }
    if only_asked && proof.verdict == Verdict::Proved {
        prop_assert!(!truth.open);
        return Ok(());
    }
    prop_assert_eq!(
        (proof.verdict, &affected),
        (expected, &truth.affected),
        "{:?}",
        proof.assumptions
    );
    Ok(())
}

fn compare(world: &World, guarantee: &Guarantee) -> Result<(), TestCaseError> {
    agree(
        world,
        guarantee,
        &world.prove(guarantee),
        &truth(world, guarantee),
    )
}

proptest! {
    #![proptest_config(cases(400))]

    /// Where everything is known: proved is proved, violated is violated, and the accounts are those.
    #[test]
    fn the_analyzer_says_what_brute_force_finds(world in pools::world(), guarantee in pools::guarantee()) {
        compare(&world, &guarantee)?;
    }

    /// The same where many policies cover the whole together: most of these are proved.
    #[test]
    fn policies_that_cover_together_are_told_from_those_that_nearly_do((world, guarantee) in pools::nearly_covered()) {
        compare(&world, &guarantee)?;
    }
}

proptest! {
    #![proptest_config(cases(150))]

    /// The table of brute force against whole sign-ins: what gets in with the largest evidence is in it, and nothing else.
    #[test]
    fn the_table_says_what_the_evaluator_says(
        world in pools::world(),
        guarantee in pools::guarantee(),
        numbers in prop::collection::vec(prop::array::uniform10(0_usize..10_000), 40),
        few in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<bool>(), any::<bool>()), 40),
    ) {
        use m365audit::access::Atom;
        let domain = Domain::of(&world, &guarantee);
        let truth = truth(&world, &guarantee);
        for (numbers, (first, second, apps, interactive)) in numbers.iter().zip(few) {
            let Some(sign_in) = domain.sign_in(numbers) else { continue };
            // A device that nobody sees stands for none.
            if sign_in.device.is_some() != world.visible(&sign_in).is_some() {
                continue;
            }
            for clause in &guarantee.must {
                let means = world.means(&sign_in);
                if clause.contains(&Atom::CompliantDevice) && means.compliant
                    || clause.contains(&Atom::DomainJoinedDevice) && means.hybrid {
                    continue;
                }
                let largest = largest_without(&world, &guarantee, clause);
                let stamped = world.policies.iter().any(|policy| {
                    policy["state"] == "enabled" && world.applies(policy, &sign_in) && clause.iter().any(|atom| {
                        matches!(atom, Atom::Session(session) if super::brute::stamps(policy, session))
                    })
                });
                let admitted = world.admitted(&sign_in, &largest);
                if admitted && !stamped {
                    prop_assert!(truth.open);
                    prop_assert!(world.user_id(&sign_in.person).is_none_or(|id| truth.affected.contains(id)));
                }
                // Less evidence never opens what more does not.
                let mut less = largest.clone();
                less.performed = if largest.performed.is_empty() { Vec::new() } else {
                    [first, second].map(|index| index.get(&largest.performed).clone()).to_vec()
                };
                less.approved_app &= apps;
                less.compliant_app &= apps;
                less.password_change &= interactive;
                less.risk_remediation &= interactive;
                less.custom_factor &= interactive;
                prop_assert!(admitted || !world.admitted(&sign_in, &less));
            }
        }
    }
}
