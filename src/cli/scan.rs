//! `scan`: the main job.

use std::io::Write;

use super::args::{Cli, Format, ScanArgs};
use super::failure::Failure;
use super::source::{Keep, Reading};
use super::{Ended, World, select, source};
use crate::ExitStatus;
use crate::access::{Analyzer, Guarantee, Settings};
use crate::plan;
use crate::report::table::Style;
use crate::report::{self, Assessment, TenantName};
use crate::rules::{self, Finding, Severity, Status};
use crate::snapshot::tenant::Licences;
use crate::snapshot::{Resource, State, file};

pub(super) fn run(args: &ScanArgs, cli: &Cli, world: &World) -> Ended {
    if args
        .save
        .as_ref()
        .is_some_and(|path| path.as_os_str() == "-")
    {
        return Err(Failure::usage(
            "--save - would mix the snapshot with the report on stdout",
            Some("use `m365audit collect --save -`, or save to a file".to_owned()),
        ));
    }
    let rules = select::rules(&args.select)?;
    let config = source::config(&args.config, args.source.demo)?;
    let snapshot = if let Some(path) = &args.source.from {
        file::read(path)?
    } else {
        let collected = source::collect(
            &args.sign_in,
            args.source.demo,
            &Reading {
                resources: select::resources(&rules, &args.read.groups),
                timeout: args.read.timeout,
                keep: args.save.as_deref().map(|path| Keep {
                    path,
                    resume: args.resume,
                }),
                config: &config,
            },
            cli,
            world,
        )?;
        if let Some(lost) = collected.lost {
            // The report says of each rule what was not read; why all of it ended at once is said here.
            let _ = write!(anstream::stderr(), "{}", Failure::from(lost));
        }
        collected.snapshot
    };

    let now = args.now.unwrap_or(snapshot.header.collected_at);
    let findings = select::at_least(
        &args.select,
        rules::evaluate(rules, &snapshot.tenant, &config, now),
    );
    let plan = plan::plan(&findings);
    let licences = Licences::of(&snapshot.tenant);
    let entitlements = plan::entitlements(&findings, &licences);
    let questions = plan::questions(&findings, &plan, &entitlements);
    let asked_policies = snapshot.tenant.state(Resource::ConditionalAccessPolicies).0;
    let access = if *asked_policies == State::Skipped {
        Vec::new()
    } else {
        // Named by what a scan reads, whatever else a snapshot holds: the report is the same either way.
        let settings = Settings {
            groups_and_apps_by_id: true,
            ..rules::access_settings(&snapshot.tenant, &config)
        };
        let analyzer = Analyzer::read(&snapshot.tenant, settings);
        let named = Guarantee::named();
        named
            .iter()
            .map(|guarantee| analyzer.prove(guarantee, true))
            .collect()
    };
    let assessment = Assessment {
        header: &snapshot.header,
        tenant: TenantName::of(&snapshot.header, &snapshot.tenant),
        evaluated_at: now,
        findings,
        plan,
        entitlements,
        questions,
        access,
        records: &snapshot.records,
        owners: &config.owners,
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let written = match args.format {
        Format::Table => report::table::write(
            &assessment,
            Style {
                width: world.width,
                colour: world.colour,
            },
            &mut out,
        ),
        Format::Json => report::json::write(&assessment, &mut out),
    };
    ended(written.and_then(|()| out.flush()))?;
    Ok(verdict(
        &assessment.findings,
        args.fail_on.severity(),
        args.allow_incomplete,
    ))
}

/// A reader that has seen enough is no failure.
pub(super) fn ended(written: std::io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// The exit code of a finished scan.
fn verdict(findings: &[Finding], fail_on: Option<Severity>, allow_incomplete: bool) -> ExitStatus {
    let Some(least) = fail_on else {
        return ExitStatus::Done;
    };
    if plan::worst(findings).is_some_and(|worst| worst >= least) {
        return ExitStatus::Findings;
    }
    let could_fail = |finding: &Finding| {
        finding.status == Status::NotEvaluated && finding.worst_severity() >= least
    };
    if !allow_incomplete && findings.iter().any(could_fail) {
        return ExitStatus::Incomplete;
    }
    ExitStatus::Done
}
