//! Shared by the tests.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses its own part, and a test may fail wherever it finds something else"
)]

pub mod binary;
pub mod cases;
pub mod tls;
