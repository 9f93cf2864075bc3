//! The plan: the worked example of the design, and the invariants over random tasks.

use std::collections::BTreeMap;

use m365audit::plan::schedule::{Horizon, Item, Part, Slot, schedule};
use m365audit::rules::{Effort, Risk, Severity};
use proptest::prelude::*;

/// A control of the worked example.
struct Control {
    id: &'static str,
    score: u32,
    expected: &'static str,
    effort: Effort,
    disruption: u8,
    first: Vec<&'static str>,
}

fn worked_example() -> Vec<Control> {
    let number = |text: &str| text.parse::<u8>().expect("a number");
    include_str!("../fixtures/plan/controls.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<&'static str> = line.split('\t').collect();
            let risk: Vec<u8> = fields[1].split('/').map(number).collect();
            let score = Risk(risk[0], risk[1], risk[2]).full();
            assert_eq!(
                score.to_string(),
                fields[2],
                "{}: the published score",
                fields[0]
            );
            Control {
                id: fields[0],
                score,
                expected: fields[3],
                effort: effort(fields[4]),
                disruption: number(fields[5]),
                first: fields[6].split(',').filter(|id| !id.is_empty()).collect(),
            }
        })
        .collect()
}

fn effort(letter: &str) -> Effort {
    match letter {
        "S" => Effort::S,
        "M" => Effort::M,
        _ => Effort::L,
    }
}

fn items(controls: &[Control]) -> Vec<Item<'_>> {
    controls
        .iter()
        .map(|control| Item {
            id: control.id,
            severity: Severity::of(control.score),
            score: control.score,
            effort: control.effort,
            disruption: control.disruption,
            after: &control.first,
            prepared: false,
            compensating: false,
        })
        .collect()
}

fn words(slots: &[Slot<'_>], id: &str) -> String {
    let of = |part| {
        slots
            .iter()
            .find(|slot| slot.id == id && slot.part == part)
            .map(|slot| slot.horizon.days())
    };
    match (of(Part::Prepare), of(Part::Enforce), of(Part::Do)) {
        (Some(prepare), Some(enforce), None) => format!("prepare {prepare}, enforce {enforce}"),
        (None, None, Some(days)) => days.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn the_worked_example_comes_out_control_by_control() {
    let controls = worked_example();
    assert_eq!(controls.len(), 53);
    let slots = schedule(&items(&controls));
    let wrong: Vec<String> = controls
        .iter()
        .map(|control| (control, words(&slots, control.id)))
        .filter(|(control, found)| found != control.expected)
        .map(|(control, found)| format!("{}: {found}, published {}", control.id, control.expected))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let settled = |horizon| {
        controls
            .iter()
            .filter(|control| {
                slots.iter().any(|slot| {
                    slot.id == control.id && slot.part != Part::Prepare && slot.horizon == horizon
                })
            })
            .count()
    };
    assert_eq!(
        Horizon::ALL.map(settled),
        [28, 13, 12],
        "published: 28 tasks in 30, 13 in 60, 12 in 90"
    );
}

#[test]
fn emergency_access_comes_first_whenever_something_can_lock_out() {
    let controls = worked_example();
    let slots = schedule(&items(&controls));
    let waiting: Vec<&Slot<'_>> = slots
        .iter()
        .filter(|slot| slot.after.contains(&"IA-01"))
        .collect();
    assert!(waiting.len() > 5);
    let place = |id: &str| slots.iter().position(|slot| slot.id == id).unwrap();
    assert!(waiting.iter().all(|slot| place("IA-01") < place(slot.id)));
}

#[test]
fn measured_preparation_puts_enforcement_into_thirty_days() {
    let controls = worked_example();
    let mut items = items(&controls);
    items
        .iter_mut()
        .find(|item| item.id == "IA-04")
        .unwrap()
        .prepared = true;
    assert_eq!(words(&schedule(&items), "IA-04"), "30");
}

#[test]
fn this_week_takes_critical_short_gentle_and_free_work_only() {
    let base = Item {
        id: "a",
        severity: Severity::Critical,
        score: 100,
        effort: Effort::S,
        disruption: 1,
        after: &[],
        prepared: false,
        compensating: false,
    };
    let this_week = |item: Item<'_>| schedule(&[item])[0].this_week;
    assert!(this_week(base.clone()));
    assert!(!this_week(Item {
        severity: Severity::High,
        ..base.clone()
    }));
    assert!(!this_week(Item {
        effort: Effort::M,
        ..base.clone()
    }));
    assert!(!this_week(Item {
        disruption: 2,
        ..base.clone()
    }));
    let waits = Item {
        id: "b",
        after: &["a"],
        ..base.clone()
    };
    let slots = schedule(&[base, waits]);
    assert_eq!(
        slots
            .iter()
            .map(|slot| (slot.id, slot.this_week))
            .collect::<Vec<_>>(),
        [("a", true), ("b", false)]
    );
}

#[test]
fn a_cycle_among_prerequisites_ends() {
    let item = |id, after| Item {
        id,
        severity: Severity::High,
        score: 50,
        effort: Effort::M,
        disruption: 1,
        after,
        prepared: false,
        compensating: false,
    };
    let slots = schedule(&[item("a", &["b"]), item("b", &["a"]), item("c", &["c"])]);
    assert_eq!(slots.len(), 3);
}

/// A task as the generator makes it: prerequisites point at earlier tasks only, so there is no cycle.
#[derive(Debug, Clone)]
struct Made {
    score: u32,
    effort: Effort,
    disruption: u8,
    after: Vec<String>,
    prepared: bool,
    compensating: bool,
}

fn tasks() -> impl Strategy<Value = Vec<Made>> {
    let one = (
        0u32..=100,
        0u8..3,
        0u8..4,
        prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        any::<bool>(),
        prop::bool::weighted(0.1),
    );
    prop::collection::vec(one, 0..24).prop_map(|made| {
        made.into_iter()
            .enumerate()
            .map(
                |(position, (score, effort, disruption, after, prepared, compensating))| Made {
                    score,
                    effort: [Effort::S, Effort::M, Effort::L][usize::from(effort)],
                    disruption,
                    after: if position == 0 {
                        Vec::new()
                    } else {
                        after
                            .iter()
                            .map(|index| format!("t{:02}", index.index(position)))
                            .collect()
                    },
                    prepared,
                    compensating,
                },
            )
            .collect()
    })
}

fn after(made: &[Made]) -> Vec<Vec<&str>> {
    made.iter()
        .map(|task| task.after.iter().map(String::as_str).collect())
        .collect()
}

fn generated<'a>(made: &[Made], ids: &'a [String], after: &'a [Vec<&'a str>]) -> Vec<Item<'a>> {
    made.iter()
        .zip(ids)
        .zip(after)
        .map(|((task, id), after)| Item {
            id,
            severity: Severity::of(task.score),
            score: task.score,
            effort: task.effort,
            disruption: task.disruption,
            after,
            prepared: task.prepared,
            compensating: task.compensating,
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_plan_keeps_its_rules_whatever_fails(made in tasks(), rotation in any::<prop::sample::Index>()) {
        let ids: Vec<String> = (0..made.len()).map(|position| format!("t{position:02}")).collect();
        let after = after(&made);
        let items = generated(&made, &ids, &after);
        let slots = schedule(&items);

        // Every task stands in the plan once, or as one preparation and one enforcement.
        let mut parts: BTreeMap<&str, Vec<Part>> = BTreeMap::new();
        for slot in &slots {
            parts.entry(slot.id).or_default().push(slot.part);
        }
        prop_assert_eq!(parts.len(), items.len());
        for item in &items {
            let two = item.disruption >= 2 && !item.prepared && !item.compensating;
            let expected = if two { vec![Part::Prepare, Part::Enforce] } else { vec![Part::Do] };
            prop_assert_eq!(&parts[item.id], &expected);
        }

        let last: BTreeMap<&str, Horizon> = slots.iter().filter(|slot| slot.part != Part::Prepare).map(|slot| (slot.id, slot.horizon)).collect();
        let place: BTreeMap<(&str, Part), usize> = slots.iter().enumerate().map(|(place, slot)| ((slot.id, slot.part), place)).collect();
        for (position, slot) in slots.iter().enumerate() {
            let item = items.iter().find(|item| item.id == slot.id).unwrap();
            // Nothing stands before its prerequisites, in horizon or in order.
            for &before in &slot.after {
                prop_assert!(last[before] <= slot.horizon, "{} before {before}", slot.id);
                let settled = place.get(&(before, Part::Do)).or_else(|| place.get(&(before, Part::Enforce))).unwrap();
                prop_assert!(*settled < position, "{} before {before}", slot.id);
                // Work that can stop stands a bucket after what it needs, as far as there is one.
                if item.disruption >= 3 && slot.part != Part::Prepare {
                    prop_assert!(slot.horizon > last[before] || slot.horizon == Horizon::Days90);
                }
            }
            // What users notice is never enforced in the first 30 days without preparation.
            if slot.part == Part::Enforce {
                prop_assert!(slot.horizon >= Horizon::Days60);
                prop_assert!(place[&(slot.id, Part::Prepare)] < position);
            }
            if slot.this_week {
                prop_assert!(slot.horizon == Horizon::Days30 && slot.after.is_empty());
                prop_assert!(slots[..position].iter().all(|earlier| earlier.this_week), "this week stands first");
            }
            // Critical work that nothing holds back is wanted in 30 days.
            if item.severity == Severity::Critical && item.disruption <= 1 && slot.after.is_empty() {
                prop_assert_eq!(slot.horizon, Horizon::Days30);
            }
        }
        // Horizons ascend.
        prop_assert!(slots.windows(2).all(|pair| pair[0].horizon <= pair[1].horizon));

        // The order of the findings does not matter.
        if !items.is_empty() {
            let mut turned = items.clone();
            turned.rotate_left(rotation.index(items.len()));
            prop_assert_eq!(schedule(&turned).iter().map(|slot| (slot.id, slot.part, slot.horizon)).collect::<Vec<_>>(),
                            slots.iter().map(|slot| (slot.id, slot.part, slot.horizon)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_worse_finding_delays_nothing(made in tasks(), worse in any::<prop::sample::Index>()) {
        prop_assume!(!made.is_empty());
        let ids: Vec<String> = (0..made.len()).map(|position| format!("t{position:02}")).collect();
        let after = after(&made);
        let mut items = generated(&made, &ids, &after);
        let before: BTreeMap<_, _> = schedule(&items).into_iter().map(|slot| ((slot.id, slot.part), slot.horizon)).collect();
        let worse = worse.index(items.len());
        items[worse].score = 100;
        items[worse].severity = Severity::Critical;
        for slot in schedule(&items) {
            prop_assert!(slot.horizon <= before[&(slot.id, slot.part)], "{} {:?}", slot.id, slot.part);
        }
    }
}
