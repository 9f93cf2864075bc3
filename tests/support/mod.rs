//! Shared by the tests.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod binary;
pub mod cases;
pub mod tls;
