//! What the analyzer proves against what a literal evaluator finds when it looks at every sign-in of a small tenant.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail wherever it finds something else"
)]

#[path = "access/brute.rs"]
mod brute;
#[path = "access/evaluator.rs"]
mod evaluator;
#[path = "access/examples.rs"]
mod examples;
#[path = "access/filter.rs"]
mod filter;
#[path = "access/laws.rs"]
mod laws;
#[path = "access/pools.rs"]
mod pools;
#[path = "access/random.rs"]
mod random;
#[path = "access/rules.rs"]
mod rules;
#[path = "access/unknowns.rs"]
mod unknowns;
#[path = "access/world.rs"]
mod world;
