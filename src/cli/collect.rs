//! `collect`: a snapshot, without evaluation.

use super::args::{Cli, CollectArgs};
use super::failure::Failure;
use super::{Ended, World, select, source};
use crate::ExitStatus;
use source::{Keep, Reading};

pub(super) fn run(args: &CollectArgs, cli: &Cli, world: &World) -> Ended {
    if args.resume && args.save.as_os_str() == "-" {
        return Err(Failure::usage(
            "--resume needs a file, and --save - writes to a pipe",
            Some("give --save a file name".to_owned()),
        ));
    }
    let config = source::config(&args.config, args.demo)?;
    let collected = source::collect(
        &args.sign_in,
        args.demo,
        &Reading {
            resources: select::all_resources(&args.read.groups),
            timeout: args.read.timeout,
            keep: Some(Keep {
                path: &args.save,
                resume: args.resume,
            }),
            config: &config,
        },
        cli,
        world,
    )?;
    match collected.lost {
        None => Ok(ExitStatus::Done),
        Some(lost) => Err(lost.into()),
    }
}
