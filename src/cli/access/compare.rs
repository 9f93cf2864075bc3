//! `access compare`.

use clap::Args;

use crate::cli::args::Cli;
use crate::cli::failure::Failure;
use crate::cli::{Ended, World};

/// Flags of `access compare`.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {}

pub(super) fn run(_args: &CompareArgs, _cli: &Cli, _world: &World) -> Ended {
    Err(Failure::usage("being built", None))
}
