//! `access review`.

use clap::Args;

use crate::cli::args::Cli;
use crate::cli::failure::Failure;
use crate::cli::{Ended, World};

/// Flags of `access review`.
#[derive(Debug, Args)]
pub(super) struct ReviewArgs {}

pub(super) fn run(_args: &ReviewArgs, _cli: &Cli, _world: &World) -> Ended {
    Err(Failure::usage("being built", None))
}
