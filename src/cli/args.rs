//! Flags and commands: one declaration for parsing, help and (later) man page and completions.

#![allow(
    clippy::doc_markdown,
    reason = "these comments are the help that users read on a terminal"
)]

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

use crate::auth::{AuthKind, Cloud};
use crate::collect::Group;
use crate::rules::{Area, Severity, Tier};

/// Microsoft 365 tenant posture auditor.
///
/// Reads a tenant through Microsoft Graph (read-only), judges it, and says where it is most exposed, which protections are owned and
/// not used, and what to do in the next 30, 60 and 90 days.
#[derive(Debug, Parser)]
#[command(name = "m365audit", version, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,

    /// No progress on stderr
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,

    /// Log requests on stderr, without secrets (-vv for more)
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(super) verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign in, collect, evaluate, report: the main job
    ///
    /// Exit codes: 0 done; 1 a finding at or above --fail-on; 2 usage or configuration error; 3 could not sign in; 4 no such finding, but a
    /// rule that could reach --fail-on could not be evaluated; 5 could not be carried out.
    Scan(Box<ScanArgs>),
    /// Sign in, collect, write a snapshot; no evaluation
    Collect(Box<CollectArgs>),
    /// The catalogue of rules
    Rules(RulesArgs),
    /// What has to be granted: as a table, for a manifest, or as ready commands
    ///
    /// Talks to nobody. The least that the selected rules need: application permissions of Microsoft Graph, none of them to write. A
    /// permission that covers more is never asked for where Graph takes a narrower one: Directory.Read.All is for delegated grants alone
    /// (--without delegated-grants does without), Policy.Read.All for Conditional Access and tenant policies. Where one is granted that
    /// covers a narrower one in the list (Directory.Read.All for users, RoleManagement.Read.Directory for role schedules,
    /// Policy.Read.All for authentication strengths), the narrower one may be left off; doctor knows.
    Permissions(Box<PermissionsArgs>),
    /// Sign in and say what can be read, which rules would go unevaluated, and how well the own application is kept
    ///
    /// Collects nothing. Asks Entra for the tenant's public metadata and for a token, and reads at most six things of Graph: the organization,
    /// its subscribedSkus, our own application and service principal, and the app roles and directory roles that were granted to it.
    ///
    /// Exit codes: 0 all selected rules can be evaluated, as far as the tenant is licensed and nothing was left out; 2 usage or
    /// configuration error; 3 could not sign in; 4 a selected rule goes, or may go, unevaluated for want of a permission; 5 could not be
    /// carried out. What is said of the clock and of the own application does not change the code.
    Doctor(Box<DoctorArgs>),
    /// What Conditional Access lets in, for all sign-ins at once: proved, or violated with a witness
    Access(super::access::AccessArgs),
}

/// Flags of `scan`.
#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) sign_in: SignInArgs,
    #[command(flatten)]
    pub(super) read: ReadArgs,

    /// Keep what was collected in FILE
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Output",
        conflicts_with = "from"
    )]
    pub(super) save: Option<PathBuf>,

    /// Go on with an interrupted collection (FILE.partial of --save FILE); begins anew where there is none
    #[arg(long, requires = "save", help_heading = "Output")]
    pub(super) resume: bool,

    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = Format::Table, help_heading = "Output")]
    pub(super) format: Format,

    #[command(flatten)]
    pub(super) select: SelectArgs,

    /// Exit with 1 when a finding is at least this severe
    #[arg(long, value_enum, default_value_t = FailOn::Never, value_name = "SEVERITY", help_heading = "What fails the run")]
    pub(super) fail_on: FailOn,

    /// Rules that could not be evaluated do not fail the run
    #[arg(long, help_heading = "What fails the run")]
    pub(super) allow_incomplete: bool,

    #[command(flatten)]
    pub(super) config: ConfigArgs,

    /// Count ages to this moment instead of the time of collection (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(super) now: Option<Timestamp>,
}

/// Flags of `collect`.
#[derive(Debug, Args)]
pub(crate) struct CollectArgs {
    /// Collect the built-in sample tenant
    #[arg(long, help_heading = "Source", conflicts_with_all = ["tenant", "client_id", "auth", "certificate", "client_secret_file", "login_url", "graph_url"])]
    pub(super) demo: bool,
    #[command(flatten)]
    pub(super) sign_in: SignInArgs,

    /// Where to write the snapshot; - for a pipe
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) save: PathBuf,

    /// Go on with an interrupted collection (FILE.partial); begins anew where there is none
    #[arg(long, help_heading = "Output")]
    pub(super) resume: bool,

    #[command(flatten)]
    pub(super) read: ReadArgs,

    #[command(flatten)]
    pub(super) config: ConfigArgs,
}

/// Flags of `permissions`.
#[derive(Debug, Args)]
pub(crate) struct PermissionsArgs {
    /// Everything that collect can read, opt-in groups too, whatever the rules
    #[arg(long, conflicts_with_all = ["tier", "area", "rule", "skip_rule", "min_severity", "with", "without", "no_beta", "mailbox_rules"])]
    pub(super) all: bool,

    #[command(flatten)]
    pub(super) select: SelectArgs,
    #[command(flatten)]
    pub(super) read: GroupArgs,

    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = PermissionsFormat::Table, help_heading = "Output")]
    pub(super) format: PermissionsFormat,

    /// In the table, one line per rule instead of one per permission
    #[arg(long, help_heading = "Output")]
    pub(super) by_rule: bool,
}

/// Flags of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Look at the built-in sample tenant
    #[arg(long, help_heading = "Source", conflicts_with_all = ["tenant", "client_id", "auth", "certificate", "client_secret_file", "login_url", "graph_url"])]
    pub(super) demo: bool,
    #[command(flatten)]
    pub(super) sign_in: SignInArgs,
    #[command(flatten)]
    pub(super) read: GroupArgs,

    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = Format::Table, help_heading = "Output")]
    pub(super) format: Format,

    #[command(flatten)]
    pub(super) select: SelectArgs,

    #[command(flatten)]
    pub(super) config: ConfigArgs,
}

/// Where the data comes from.
#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// Evaluate a saved snapshot, without network
    #[arg(long, value_name = "SNAPSHOT", help_heading = "Source", conflicts_with_all = ["demo", "tenant", "client_id", "auth", "certificate", "client_secret_file", "login_url", "graph_url", "mailbox_rules", "with", "without", "no_beta", "timeout", "concurrency", "max_requests_per_second", "pace"])]
    pub(super) from: Option<PathBuf>,

    /// Use a sample tenant, served by the built-in Graph emulator on this machine; needs no account and no network
    #[arg(long, help_heading = "Source", conflicts_with_all = ["tenant", "client_id", "auth", "certificate", "client_secret_file", "login_url", "graph_url"])]
    pub(super) demo: bool,
}

/// Which groups of resources are read.
#[derive(Debug, Args)]
pub(crate) struct GroupArgs {
    /// Leave out, separated by commas: registration-report, sign-in-activity, devices, ... (a wrong name lists all)
    #[arg(
        long,
        value_name = "GROUP",
        value_delimiter = ',',
        help_heading = "What is read"
    )]
    pub(super) without: Vec<Group>,

    /// Also read, separated by commas: what is private or takes one request per account
    #[arg(
        long,
        value_name = "GROUP",
        value_delimiter = ',',
        help_heading = "What is read"
    )]
    pub(super) with: Vec<Group>,

    /// Also read the inbox rules of every mailbox (one request each); the same as --with mailbox-rules
    #[arg(long, help_heading = "What is read")]
    pub(super) mailbox_rules: bool,

    /// Ask Graph's beta version for nothing
    #[arg(long, help_heading = "What is read")]
    pub(super) no_beta: bool,
}

/// What is read, and for how long.
#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    pub(super) groups: GroupArgs,

    /// Stop asking after this long, for example 90s, 45m, 2h; what is open by then counts as not read
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "What is read")]
    pub(super) timeout: Option<Duration>,
}

/// A length of time with its unit.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a length of time such as 90s, 45m or 2h");
    let (number, unit) =
        text.split_at(text.len() - text.chars().next_back().map_or(0, char::len_utf8));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = number.checked_mul(seconds).filter(|&seconds| seconds > 0);
    seconds.map(Duration::from_secs).ok_or_else(wrong)
}

/// How to sign in.
#[derive(Debug, Args)]
pub(crate) struct SignInArgs {
    /// Tenant id or domain [env: AZURE_TENANT_ID]
    #[arg(long, value_name = "ID|DOMAIN", help_heading = "Sign-in")]
    pub(super) tenant: Option<String>,

    /// Application (client) id; for a managed identity, client or resource id of the user-assigned one [env: AZURE_CLIENT_ID]
    #[arg(long, value_name = "ID", help_heading = "Sign-in")]
    pub(super) client_id: Option<String>,

    /// secret, certificate, federated, managed-identity, azure-cli or device-code [default: the first of them that is there, in this
    /// order; device-code only when named]
    ///
    /// federated: AZURE_FEDERATED_TOKEN_FILE, or the job's own variables in GitHub Actions and Azure DevOps. managed-identity: of the
    /// Azure machine or service that this runs on. azure-cli: whoever az login signed in. device-code: a person, in a browser.
    #[arg(long, value_name = "KIND", help_heading = "Sign-in")]
    pub(super) auth: Option<AuthKind>,

    /// Read the client secret from FILE; or set M365AUDIT_CLIENT_SECRET or AZURE_CLIENT_SECRET
    #[arg(long, value_name = "FILE", help_heading = "Sign-in")]
    pub(super) client_secret_file: Option<PathBuf>,

    /// Certificate with its key, PEM or PKCS#12 [env: AZURE_CLIENT_CERTIFICATE_PATH]; its password only from M365AUDIT_CERTIFICATE_PASSWORD or AZURE_CLIENT_CERTIFICATE_PASSWORD
    #[arg(long, value_name = "FILE", help_heading = "Sign-in")]
    pub(super) certificate: Option<PathBuf>,

    /// global, usgov, dod or china [default: global]
    #[arg(long, value_name = "CLOUD", help_heading = "Sign-in")]
    pub(super) cloud: Option<Cloud>,

    /// Replace the root of the sign-in service (plain http only on this machine) [env: AZURE_AUTHORITY_HOST]
    #[arg(long, value_name = "URL", help_heading = "Sign-in")]
    pub(super) login_url: Option<String>,

    /// Replace the root of Graph (plain http only on this machine)
    #[arg(long, value_name = "URL", help_heading = "Sign-in")]
    pub(super) graph_url: Option<String>,

    #[command(flatten)]
    pub(super) pace: PaceArgs,
}

/// How hard Graph is asked, in a live run and in the demo.
#[derive(Debug, Args)]
pub(crate) struct PaceArgs {
    /// Lists of users, groups and the like are read over N requests at a time [default: 64]
    #[arg(long, value_name = "N", help_heading = "What is read", value_parser = concurrency)]
    pub(super) concurrency: Option<usize>,

    /// Ask Graph at most R times per second in all, to leave room for others; parts of a batch count [default: the published limits of each service]
    #[arg(long, value_name = "R", help_heading = "What is read", value_parser = requests_per_second)]
    pub(super) max_requests_per_second: Option<f64>,

    /// The pace table: the published limits, or none of them
    #[arg(long, value_enum, value_name = "PACE", hide = true)]
    pub(super) pace: Option<PaceTable>,
}

/// The pace tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PaceTable {
    /// Microsoft's published limits
    Published,
    /// No limits: for a Graph of one's own
    Fast,
}

/// Reads `--concurrency`.
fn concurrency(text: &str) -> Result<usize, &'static str> {
    text.parse()
        .ok()
        .filter(|streams| (1..=256).contains(streams))
        .ok_or("a whole number from 1 to 256 is needed")
}

/// Reads `--max-requests-per-second`.
fn requests_per_second(text: &str) -> Result<f64, &'static str> {
    text.parse()
        .ok()
        .filter(|most| (0.1..=10_000.0).contains(most))
        .ok_or("a number from 0.1 to 10000 is needed, such as 20 or 0.5")
}

/// What is looked at.
#[derive(Debug, Args)]
pub(crate) struct SelectArgs {
    /// How much of the catalogue
    #[arg(long, value_enum, default_value_t = Tier::Standard, help_heading = "What is looked at")]
    pub(super) tier: Tier,

    /// Only this area; repeatable
    #[arg(
        long,
        value_enum,
        value_name = "AREA",
        help_heading = "What is looked at"
    )]
    pub(super) area: Vec<Area>,

    /// Only this rule; repeatable
    #[arg(long, value_name = "ID", help_heading = "What is looked at")]
    pub(super) rule: Vec<String>,

    /// Not this rule; repeatable
    #[arg(long, value_name = "ID", help_heading = "What is looked at")]
    pub(super) skip_rule: Vec<String>,

    /// Only rules and findings that are at least this severe
    #[arg(
        long,
        value_enum,
        value_name = "SEVERITY",
        help_heading = "What is looked at"
    )]
    pub(super) min_severity: Option<Severity>,
}

/// Which configuration.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Configuration [default: m365audit.toml in the working directory, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// Flags of `rules`.
#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    #[command(subcommand)]
    pub(super) command: RulesCommand,
}

/// What to say about the rules.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// One line per rule
    List {
        /// Only this area
        #[arg(long, value_enum, value_name = "AREA")]
        area: Option<Area>,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// What a rule judges, why, and how to fix it
    Show {
        /// Rule id
        id: String,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
}

/// Formats of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For programs
    Json,
}

/// Forms of what has to be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PermissionsFormat {
    /// For people
    Table,
    /// The requiredResourceAccess array, for a manifest, Terraform or Bicep
    Json,
    /// A shell script that registers the application with the Azure CLI
    Az,
}

/// From which severity on a finding fails the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the severities")]
pub(crate) enum FailOn {
    Critical,
    High,
    Medium,
    Low,
    Never,
}

impl FailOn {
    /// The severity, or nothing for `never`.
    pub(super) const fn severity(self) -> Option<Severity> {
        match self {
            Self::Critical => Some(Severity::Critical),
            Self::High => Some(Severity::High),
            Self::Medium => Some(Severity::Medium),
            Self::Low => Some(Severity::Low),
            Self::Never => None,
        }
    }
}
