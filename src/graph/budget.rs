//! How many repetitions a whole run may spend.

use std::sync::atomic::{AtomicI64, Ordering};

/// Repetitions that a run may spend before anything was answered.
const START: i64 = 1_000;

/// The repetitions that are left to a run: [`START`] and one more for each answer.
///
/// A run in which every second request is refused to the end can go on for good; one in which nothing is answered any more stops
/// repeating after a thousand vain tries instead of trying seven times each of what is left. What is not repeated is reported as
/// failed, never as absent.
#[derive(Debug)]
pub(crate) struct RunBudget(AtomicI64);

impl RunBudget {
    pub(crate) const fn new() -> Self {
        Self(AtomicI64::new(START))
    }

    /// A request was answered.
    pub(crate) fn earn(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one repetition, if there is one.
    pub(crate) fn spend(&self) -> bool {
        self.0
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                (left > 0).then(|| left - 1)
            })
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_and_one_for_each_answer() {
        let budget = RunBudget::new();
        budget.earn();
        budget.earn();
        let spent = std::iter::repeat_with(|| budget.spend()).take_while(|granted| *granted);
        assert_eq!(spent.count(), 1_002);
        assert!(!budget.spend());
        budget.earn();
        assert!(budget.spend() && !budget.spend());
    }
}
