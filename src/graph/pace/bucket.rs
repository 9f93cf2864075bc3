//! A token bucket: units come back at a rate, and requests take them.
//!
//! Promises that no window of any length sees more than `burst + rate × window` units, apart from one request that alone costs
//! more than the burst. Must not know services, nor what a refusal is.

use std::time::Duration;

use jiff::Timestamp;

use crate::graph::clock::until;

/// Units that are there, and how fast they come back. Where the rate is infinite nothing is ever waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    /// Units that come back in a second.
    rate: f64,
    /// The most that gathers during a rest.
    burst: f64,
    /// What is there; below zero when more was taken than was known.
    level: f64,
    /// When the level was true.
    filled: Timestamp,
}

impl Bucket {
    /// A bucket that is full at first.
    pub(super) const fn new(rate: f64, burst: f64) -> Self {
        Self {
            rate,
            burst,
            level: burst,
            filled: Timestamp::MIN,
        }
    }

    pub(super) const fn rate(&self) -> f64 {
        self.rate
    }

    /// What was there when it was last looked at.
    pub(super) const fn level(&self) -> f64 {
        self.level
    }

    pub(super) const fn is_unlimited(&self) -> bool {
        self.rate.is_infinite()
    }

    /// Takes so many units, or says how long it is until they are there. More than the burst can hold is taken from a full
    /// bucket, and missing afterwards.
    pub(super) fn take(&mut self, units: u32, now: Timestamp) -> Result<(), Duration> {
        if self.is_unlimited() {
            return Ok(());
        }
        self.fill(now);
        let units = f64::from(units);
        let missing = units.min(self.burst) - self.level;
        // Sums of fractions miss a whole number by a hair.
        if missing < 1e-6 {
            self.level -= units;
            return Ok(());
        }
        // Rounded up to whole nanoseconds, or the sleeper would come a moment too early.
        let wait = (missing / self.rate * 1e9).ceil() / 1e9;
        Err(Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX))
    }

    /// Corrects what was taken: positive units were taken as well, negative ones were not.
    pub(super) fn charge(&mut self, units: f64) {
        self.level = (self.level - units).min(self.burst);
    }

    /// Whether units are given out one at a time, so that it matters when each is used.
    pub(super) const fn is_spaced(&self) -> bool {
        self.burst <= 1.0 && !self.is_unlimited()
    }

    /// Counts from `now`, where units are spaced: what was taken is used only now, and `by` so much later than it should have been.
    pub(super) fn put_off(&mut self, by: Duration, now: Timestamp) {
        if self.is_spaced() {
            self.fill(now);
            self.level = self.level.min(0.0) - by.as_secs_f64() * self.rate;
        }
    }

    /// Changes how fast units come back, from `now` on.
    pub(super) fn set_rate(&mut self, rate: f64, now: Timestamp) {
        self.fill(now);
        self.rate = rate;
    }

    /// Changes both, keeping what is there as far as it fits.
    pub(super) fn resize(&mut self, rate: f64, burst: f64, now: Timestamp) {
        self.set_rate(rate, now);
        self.burst = burst;
        self.level = self.level.min(burst);
    }

    /// Begins anew at `then` with so many units.
    pub(super) fn restart(&mut self, units: u32, then: Timestamp) {
        self.level = f64::from(units).min(self.burst);
        self.filled = then;
    }

    fn fill(&mut self, now: Timestamp) {
        if self.filled == Timestamp::MIN {
            self.filled = now;
        }
        let passed = until(self.filled, now);
        if !passed.is_zero() && !self.is_unlimited() {
            self.level = passed
                .as_secs_f64()
                .mul_add(self.rate, self.level)
                .min(self.burst);
            self.filled = now;
        }
    }
}
