//! The command line: wires the rooms together and holds no logic of its own.

mod access;
mod args;
mod collect;
mod doctor;
mod failure;
mod intake;
mod permissions;
mod progress;
mod proxy;
mod rules;
mod scan;
mod select;
mod sign_in;
mod source;
mod world;

use std::io::Write as _;

use clap::Parser as _;
use clap::error::ErrorKind;

pub use args::Cli;
use args::Command;
pub use world::World;

use crate::ExitStatus;
use failure::Failure;

/// Runs the command that the process was started with, and says how it ended.
pub fn run(world: &World) -> ExitStatus {
    let cli = match Cli::try_parse_from(&world.arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not errors; clap knows the stream and the colours.
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitStatus::Done,
                _ => ExitStatus::Usage,
            };
        }
    };
    world::start_log(cli.verbose);
    let ended = match &cli.command {
        Command::Scan(scan) => scan::run(scan, &cli, world),
        Command::Collect(collect) => collect::run(collect, &cli, world),
        Command::Rules(rules) => rules::run(rules, world),
        Command::Permissions(permissions) => permissions::run(permissions, world),
        Command::Doctor(doctor) => doctor::run(doctor, world),
        Command::Access(access) => access::run(access, &cli, world),
    };
    ended.unwrap_or_else(|failure| {
        let _ = write!(anstream::stderr(), "{failure}");
        failure.status
    })
}

/// What a command gives back.
type Ended = Result<ExitStatus, Failure>;
