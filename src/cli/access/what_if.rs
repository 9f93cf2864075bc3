//! `access what-if`.

use clap::Args;

use crate::cli::args::Cli;
use crate::cli::failure::Failure;
use crate::cli::{Ended, World};

/// Flags of `access what-if`.
#[derive(Debug, Args)]
pub(super) struct WhatIfArgs {}

pub(super) fn run(_args: &WhatIfArgs, _cli: &Cli, _world: &World) -> Ended {
    Err(Failure::usage("being built", None))
}
