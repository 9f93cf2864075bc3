//! The `m365audit` command.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    m365audit::cli::run(&m365audit::cli::World::of_this_process()).into()
}
