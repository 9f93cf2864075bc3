//! `collect`: a snapshot, without evaluation.

use super::args::{Cli, CollectArgs};
use super::{Ended, World, select, source};
use crate::ExitStatus;
use crate::rules;

pub(super) fn run(args: &CollectArgs, cli: &Cli, world: &World) -> Ended {
    let config = source::config(&args.config, args.demo)?;
    let all: Vec<_> = rules::registry().collect();
    let resources = select::resources(&all, args.mailbox_rules);
    source::collect(
        &args.sign_in,
        args.demo,
        Some(&args.save),
        resources,
        &config,
        cli,
        world,
    )?;
    Ok(ExitStatus::Done)
}
