//! Shared by the tests.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses its own part; a test that cannot go on panics"
)]

pub mod cases;
