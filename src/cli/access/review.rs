//! `access review`.

use clap::Args;

use super::{AccessFormat, TenantArgs, settings, tenant};
use crate::ExitStatus;
use crate::access::{Analyzer, ReviewedAt};
use crate::cli::args::Cli;
use crate::cli::scan::ended;
use crate::cli::{Ended, World};
use crate::report;

/// Flags of `access review`.
#[derive(Debug, Args)]
pub(super) struct ReviewArgs {
    #[command(flatten)]
    tenant: TenantArgs,
    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = AccessFormat::Table)]
    format: AccessFormat,
}

pub(super) fn run(args: &ReviewArgs, cli: &Cli, world: &World) -> Ended {
    let (snapshot, config) = tenant(&args.tenant, cli, world)?;
    let analyzer = Analyzer::read(&snapshot.tenant, settings(&config, &snapshot.tenant));
    let review = analyzer.review(&ReviewedAt {
        at: snapshot.header.collected_at,
        report_only_days: config.conditional_access.report_only_days,
    });
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    ended(match args.format {
        AccessFormat::Json => report::access::review::write_json(&review, &mut out),
        AccessFormat::Table => report::access::review::write_table(&review, &mut out),
    })?;
    let known = analyzer.unread().is_empty();
    Ok(if known {
        ExitStatus::Done
    } else {
        ExitStatus::Incomplete
    })
}
