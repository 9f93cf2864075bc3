//! `access prove`.

use clap::Args;

use super::{AccessFormat, TenantArgs, settings, tenant};
use crate::ExitStatus;
use crate::access::{Analyzer, Guarantee, Proof, Verdict};
use crate::cli::args::Cli;
use crate::cli::scan::ended;
use crate::cli::{Ended, World};
use crate::report;

/// Flags of `access prove`.
#[derive(Debug, Args)]
pub(super) struct ProveArgs {
    #[command(flatten)]
    tenant: TenantArgs,
    /// Only these guarantees [default: all that have a name]
    #[arg(long, value_name = "ID")]
    guarantee: Vec<String>,
    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = AccessFormat::Table)]
    format: AccessFormat,
}

pub(super) fn run(args: &ProveArgs, cli: &Cli, world: &World) -> Ended {
    let (snapshot, config) = tenant(&args.tenant, cli, world)?;
    let analyzer = Analyzer::read(&snapshot.tenant, settings(&config, &snapshot.tenant));
    let proofs: Vec<Proof> = Guarantee::named()
        .iter()
        .filter(|guarantee| args.guarantee.is_empty() || args.guarantee.contains(&guarantee.id))
        .map(|guarantee| analyzer.prove(guarantee, true))
        .collect();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    ended(report::access::prove::write_json(&proofs, &mut out))?;
    let _ = args.format;
    Ok(exit_status(&proofs))
}

/// The exit code of some answers: the worst of them.
fn exit_status(proofs: &[Proof]) -> ExitStatus {
    match proofs.iter().map(|proof| proof.verdict).max() {
        Some(Verdict::Violated) => ExitStatus::Findings,
        Some(Verdict::Depends | Verdict::Unknown) => ExitStatus::Incomplete,
        Some(Verdict::Proved | Verdict::Vacuous) | None => ExitStatus::Done,
    }
}
