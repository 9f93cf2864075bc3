//! `access compare`.

use std::path::PathBuf;

use clap::Args;

use super::{AccessFormat, settings};
use crate::ExitStatus;
use crate::access::{Sameness, compare};
use crate::cli::args::{Cli, ConfigArgs};
use crate::cli::scan::ended;
use crate::cli::source;
use crate::cli::{Ended, World};
use crate::report;
use crate::snapshot::file;

/// Flags of `access compare`.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// The earlier snapshot
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The later snapshot
    #[arg(value_name = "NEW")]
    new: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = AccessFormat::Table)]
    format: AccessFormat,
}

pub(super) fn run(args: &CompareArgs, _cli: &Cli, _world: &World) -> Ended {
    let config = source::config(&args.config, false)?;
    let (old, new) = (file::read(&args.old)?, file::read(&args.new)?);
    let [before, after] = [&old, &new].map(|snapshot| settings(&config, &snapshot.tenant));
    let comparison = compare((&old.tenant, &before), (&new.tenant, &after));
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    ended(match args.format {
        AccessFormat::Json => report::access::compare::write_json(&comparison, &mut out),
        AccessFormat::Table => report::access::compare::write_table(&comparison, &mut out),
    })?;
    Ok(match comparison.verdict {
        Sameness::Equivalent | Sameness::Different => ExitStatus::Done,
        Sameness::Unknown => ExitStatus::Incomplete,
    })
}
