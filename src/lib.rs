//! Microsoft 365 tenant posture auditor.
//!
//! Data flows one way, and each step is a room of its own:
//!
//! ```text
//! auth -> graph -> collect -> snapshot -> rules (with access) -> plan -> report
//! ```
//!
//! [`auth`] signs in, [`graph`] reads (and can do nothing else), [`collect`] asks for every resource
//! that a rule needs, [`snapshot`] holds what was read and remembers what was not, [`rules`] judge it,
//! [`plan`] puts the findings into an order that can be followed, and [`report`] says so.
//! [`emulator`] is a Microsoft Graph of our own for demos and tests; [`cli`] wires the rooms together.
#![forbid(unsafe_code)]

pub mod access;
pub mod auth;
pub mod cli;
pub mod collect;
pub mod config;
pub mod emulator;
pub mod graph;
pub mod plan;
pub mod report;
pub mod rules;
pub mod snapshot;
