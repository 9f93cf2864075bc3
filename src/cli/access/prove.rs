//! `access prove`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{AccessFormat, TenantArgs, settings, tenant};
use crate::ExitStatus;
use crate::access::query::{self, Names};
use crate::access::{Analyzer, Guarantee, Proof, Verdict};
use crate::cli::args::Cli;
use crate::cli::failure::Failure;
use crate::cli::scan::ended;
use crate::cli::{Ended, World};
use crate::report::TenantName;
use crate::report::access::prove::{self as page, Answered, Page};
use crate::report::table::Style;

/// Flags of `access prove`.
#[derive(Debug, Args)]
pub(super) struct ProveArgs {
    /// Only this guarantee; repeatable [default: all that have a name, unless --query is given]
    #[arg(long, value_name = "ID", help_heading = "What is asked")]
    guarantee: Vec<String>,

    /// Own guarantees, in TOML or JSON; every sign-in they describe counts, that of emergency access accounts too
    #[arg(long, value_name = "FILE", help_heading = "What is asked")]
    query: Option<PathBuf>,

    /// Show the guarantees that have a name, and ask nothing
    #[arg(long, help_heading = "What is asked", conflicts_with_all = ["guarantee", "query", "from", "demo"])]
    list: bool,

    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = AccessFormat::Table)]
    format: AccessFormat,

    #[command(flatten)]
    tenant: TenantArgs,
}

pub(super) fn run(args: &ProveArgs, cli: &Cli, world: &World) -> Ended {
    let style = Style {
        width: world.width,
        colour: world.colour,
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if args.list {
        let named = Guarantee::named();
        let written = match args.format {
            AccessFormat::Table => page::write_list(&named, style, &mut out),
            AccessFormat::Json => page::write_list_json(&named, &mut out),
        };
        ended(written.and_then(|()| out.flush()))?;
        return Ok(ExitStatus::Done);
    }
    // What can be wrong with the question is said before anything is read.
    let named = named(args)?;
    let file = args.query.as_deref().map(QueryFile::read).transpose()?;
    if let Some(file) = &file {
        let own = file.guarantees(Names::Later)?;
        if let Some(twice) = own
            .iter()
            .find(|own| named.iter().any(|named| named.id == own.id))
        {
            return Err(Failure::usage(
                format!("two guarantees are called `{}`", twice.id),
                "give the one in the file another `id`".to_owned(),
            ));
        }
    }

    let (snapshot, config) = tenant(&args.tenant, cli, world)?;
    let own = match &file {
        Some(file) => file.guarantees(Names::In(&snapshot.tenant))?,
        None => Vec::new(),
    };
    let analyzer = Analyzer::read(&snapshot.tenant, settings(&config, &snapshot.tenant));
    // Own guarantees are taken as they are written: they have a way to leave accounts out.
    let asked = named.iter().map(|guarantee| (guarantee, true));
    let asked = asked.chain(own.iter().map(|guarantee| (guarantee, false)));
    let (guarantees, proofs): (Vec<&Guarantee>, Vec<Proof>) = asked
        .map(|(guarantee, leave_out)| (guarantee, analyzer.prove(guarantee, leave_out)))
        .unzip();
    let written = match args.format {
        AccessFormat::Json => page::write_json(&proofs, &mut out),
        AccessFormat::Table => {
            let answered: Vec<Answered<'_>> = guarantees
                .into_iter()
                .zip(&proofs)
                .map(|(guarantee, proof)| Answered { guarantee, proof })
                .collect();
            let page = Page {
                tenant: &TenantName::of(&snapshot.header, &snapshot.tenant),
                collected_at: snapshot.header.collected_at,
                answered: &answered,
                users: snapshot.tenant.users.hints(),
            };
            page::write_table(&page, style, &mut out)
        }
    };
    ended(written.and_then(|()| out.flush()))?;
    Ok(exit_status(&proofs))
}

/// The guarantees with a name that are asked for, in the order of all.
fn named(args: &ProveArgs) -> Result<Vec<Guarantee>, Failure> {
    let mut named = Guarantee::named();
    for id in &args.guarantee {
        if !named.iter().any(|guarantee| guarantee.id == *id) {
            let nearest = query::nearest(id, named.iter().map(|guarantee| guarantee.id.as_str()));
            let all = "`m365audit access prove --list` shows all";
            return Err(Failure::usage(
                format!("there is no guarantee `{id}`"),
                match nearest {
                    Some(nearest) => format!("did you mean `{nearest}`? {all}"),
                    None => all.to_owned(),
                },
            ));
        }
    }
    if args.query.is_some() || !args.guarantee.is_empty() {
        named.retain(|guarantee| args.guarantee.contains(&guarantee.id));
    }
    Ok(named)
}

/// A file with own guarantees.
struct QueryFile {
    name: String,
    text: String,
}

impl QueryFile {
    fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self { name, text }),
            Err(error) => Err(Failure::usage(
                format!("could not read the guarantees in {name}: {error}"),
                "check the path given with --query".to_owned(),
            )),
        }
    }

    fn guarantees(&self, names: Names<'_>) -> Result<Vec<Guarantee>, Failure> {
        query::parse(&self.text, &self.name, names).map_err(|error| {
            let help = error.help();
            Failure::usage(
                error.to_string(),
                help.unwrap_or_else(|| "docs/access.md has the question language".to_owned()),
            )
        })
    }
}

/// The exit code of some answers: the worst of them.
fn exit_status(proofs: &[Proof]) -> ExitStatus {
    match proofs.iter().map(|proof| proof.verdict).max() {
        Some(Verdict::Violated) => ExitStatus::Findings,
        Some(Verdict::Depends | Verdict::Unknown) => ExitStatus::Incomplete,
        Some(Verdict::Proved | Verdict::Vacuous) | None => ExitStatus::Done,
    }
}
