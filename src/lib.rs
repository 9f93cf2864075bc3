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
mod json;
pub mod plan;
pub mod report;
pub mod rules;
pub mod snapshot;

use std::process::ExitCode;

/// How a run ends, for the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// Done; nothing at or above `--fail-on`.
    Done = 0,
    /// Done; at least one finding at or above `--fail-on`.
    Findings = 1,
    /// Usage or configuration error.
    Usage = 2,
    /// Could not sign in.
    SignIn = 3,
    /// Done, no such finding, but a rule that could reach `--fail-on` could not be evaluated.
    Incomplete = 4,
    /// Could not be carried out: network, Graph, file.
    Failed = 5,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}
