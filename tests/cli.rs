//! The program as its users meet it: arguments in, report, words and exit code out.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail wherever it finds something else"
)]

mod support;

#[path = "cli/access_prove.rs"]
mod access_prove;
#[path = "cli/access_review.rs"]
mod access_review;
#[path = "cli/access_what_if.rs"]
mod access_what_if;
#[path = "cli/credentials.rs"]
mod credentials;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/faults.rs"]
mod faults;
#[path = "cli/network.rs"]
mod network;
#[path = "cli/output.rs"]
mod output;
#[path = "cli/permissions.rs"]
mod permissions;
#[path = "cli/resume.rs"]
mod resume;
#[path = "cli/select.rs"]
mod select;
#[path = "cli/sign_in.rs"]
mod sign_in;
#[path = "cli/snapshot.rs"]
mod snapshot;
#[path = "cli/tenants.rs"]
mod tenants;
#[path = "cli/usage.rs"]
mod usage;
