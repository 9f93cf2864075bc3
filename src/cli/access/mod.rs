//! `access`: what Conditional Access lets in, for all sign-ins at once.

mod compare;
mod prove;
mod review;
mod what_if;

use clap::{Args, Subcommand, ValueEnum};

use super::args::{Cli, ConfigArgs, ReadArgs, SignInArgs, SourceArgs};
use super::failure::Failure;
use super::source::{self, Reading};
use super::{Ended, World};
use crate::access::Settings;
use crate::collect;
use crate::config::Config;
use crate::rules;
use crate::snapshot::file::{self, Snapshot};
use crate::snapshot::{Resource, Tenant};

/// Flags of `access`.
#[derive(Debug, Args)]
pub(crate) struct AccessArgs {
    #[command(subcommand)]
    command: AccessCommand,
}

/// What to ask.
#[derive(Debug, Subcommand)]
enum AccessCommand {
    /// Prove that every sign-in meets a guarantee, or show sign-ins that do not
    ///
    /// A guarantee says what every sign-in of some people, to some resources, under some conditions has to meet. It is answered for all
    /// such sign-ins at once, from the configuration alone: proved; violated, with witnesses, the policies that come near, and the
    /// change that closes the gap; depends, on what is not known; unknown, where the steps ran out; or vacuous, where nobody is asked
    /// about. Without --guarantee and --query, all guarantees that have a name are answered. docs/access.md has the question language.
    ///
    /// Exit codes: 0 all that was asked is proved, or asks about nobody; 1 something is violated; 2 usage or configuration error; 3
    /// could not sign in; 4 something depends on what is not known, and nothing is violated; 5 could not be carried out.
    Prove(Box<prove::ProveArgs>),
    /// What happens to one sign-in, policy by policy
    ///
    /// Exit codes: 0 decided; 2 usage or configuration error, such as a user that does not exist; 3 could not sign in; 4 the decision
    /// rests on something that is not known; 5 could not be carried out.
    WhatIf(Box<what_if::WhatIfArgs>),
    /// Policies that change nothing, reach nobody, contradict each other, lock out; what report-only policies would change
    Review(Box<review::ReviewArgs>),
    /// Sign-ins that became weaker, stronger or blocked between two snapshots
    Compare(Box<compare::CompareArgs>),
}

/// Where the tenant comes from.
#[derive(Debug, Args)]
#[command(
    mut_arg("with", |arg| arg.help("Also read `per-user-mfa`: the old per-user state of multifactor authentication, one request per account")),
    mut_arg("without", |arg| arg.help("Leave out `groups`: their names, on which no verdict rests")),
    mut_arg("mailbox_rules", |arg| arg.hide(true)),
)]
struct TenantArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    sign_in: SignInArgs,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Forms of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AccessFormat {
    /// For people
    Table,
    /// For programs
    Json,
}

pub(super) fn run(args: &AccessArgs, cli: &Cli, world: &World) -> Ended {
    match &args.command {
        AccessCommand::Prove(args) => prove::run(args, cli, world),
        AccessCommand::WhatIf(args) => what_if::run(args, cli, world),
        AccessCommand::Review(args) => review::run(args, cli, world),
        AccessCommand::Compare(args) => compare::run(args, cli, world),
    }
}

/// What the analyzer rests on. Groups and service principals are there for their names; the states of per-user multi-factor
/// authentication take a request per account, and are read with `--with per-user-mfa` alone.
const READS: [Resource; 17] = [
    Resource::Organization,
    Resource::Users,
    Resource::RoleDefinitions,
    Resource::RoleAssignments,
    Resource::RoleEligibilityScheduleInstances,
    Resource::GroupTransitiveMembers,
    Resource::Groups,
    Resource::ServicePrincipals,
    Resource::Applications,
    Resource::ConditionalAccessPolicies,
    Resource::NamedLocations,
    Resource::AuthenticationStrengthPolicies,
    Resource::SecurityDefaults,
    Resource::CrossTenantAccessDefault,
    Resource::CrossTenantAccessPartners,
    Resource::DeviceRegistrationPolicy,
    Resource::AuthenticationRequirements,
];

/// Reads the tenant, live or from a file, and the configuration.
fn tenant(args: &TenantArgs, cli: &Cli, world: &World) -> Result<(Snapshot, Config), Failure> {
    let config = source::config(&args.config, args.source.demo)?;
    if let Some(path) = &args.source.from {
        return Ok((file::read(path)?, config));
    }
    let groups = &args.read.groups;
    let resources = collect::choose(
        READS.into_iter().collect(),
        &groups.with,
        &groups.without,
        !groups.no_beta,
    );
    let collected = source::collect(
        &args.sign_in,
        args.source.demo,
        &Reading {
            resources,
            timeout: args.read.timeout,
            keep: None,
            config: &config,
        },
        cli,
        world,
    )?;
    match collected.lost {
        Some(lost) => Err(lost.into()),
        None => Ok((collected.snapshot, config)),
    }
}

/// What the configuration tells the analyzer. Emergency access accounts and those that synchronise the local directory stand apart.
fn settings(config: &Config, tenant: &Tenant) -> Settings {
    rules::access_settings(tenant, config)
}
