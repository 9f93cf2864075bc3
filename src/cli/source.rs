//! Where the data comes from: a tenant, the demo, or a file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{Timestamp, Unit};

use super::World;
use super::args::{Cli, ConfigArgs, PaceArgs, PaceTable, SignInArgs};
use super::failure::Failure;
use super::intake::Intake;
use super::progress::Progress;
use super::sign_in::{self, Live};
use crate::auth::{Cloud, Credential, Endpoints, Renewal, SignIn, TokenSource as _, Tokens};
use crate::collect::{self, Ask};
use crate::config::{self, Config};
use crate::emulator::{self, Emulator, Fault, FaultKind, Nth, RetryAfter, TenantData};
use crate::graph::http::{self, Client};
use crate::graph::{Clock, GraphClient, GraphError, Pace, SystemClock};
use crate::snapshot::file::{self, Snapshot, Writer};
use crate::snapshot::{Earlier, Header, Resource};

/// The configuration file that is read when none is named.
const CONFIG_FILE: &str = "m365audit.toml";

/// The configuration: named, found in the working directory, the demo's own, or none.
pub(super) fn config(args: &ConfigArgs, demo: bool) -> Result<Config, Failure> {
    Ok(match &args.config {
        Some(path) => config::load(path)?,
        None if demo => config::parse(emulator::demo::CONFIG, CONFIG_FILE)?,
        None if Path::new(CONFIG_FILE).exists() => config::load(Path::new(CONFIG_FILE))?,
        None => Config::default(),
    })
}

/// Whom to ask, and as whom.
pub(super) struct Target {
    pub(super) tokens: Tokens,
    pub(super) http: Client,
    pub(super) cloud: Cloud,
    pub(super) endpoints: Endpoints,
    pub(super) pace: Pace,
    /// When the run began, in whole seconds: the moment of the snapshot.
    started: Timestamp,
    pub(super) clock: Arc<dyn Clock>,
    /// Serves the demo for as long as it is asked.
    pub(super) _emulator: Option<Emulator>,
}

/// A tenant or the demo; nobody was asked for anything yet.
pub(super) async fn target(
    args: &SignInArgs,
    demo: bool,
    config: &Config,
    world: &World,
) -> Result<Target, Failure> {
    if demo {
        demo_target(&args.pace).await
    } else {
        live_target(args, config, world).await
    }
}

/// What to read, and what to keep of it.
pub(super) struct Reading<'a> {
    pub(super) resources: BTreeSet<Resource>,
    pub(super) timeout: Option<Duration>,
    pub(super) keep: Option<Keep<'a>>,
    pub(super) config: &'a Config,
}

/// The snapshot file to write.
pub(super) struct Keep<'a> {
    /// Where; `-` for a pipe.
    pub(super) path: &'a Path,
    /// Go on with what an interrupted run has left there.
    pub(super) resume: bool,
}

/// What was read.
pub(super) struct Collected {
    pub(super) snapshot: Snapshot,
    /// The collection did not come to its end.
    pub(super) lost: Option<Lost>,
}

/// Graph could not be reached any more, or did not let us in any more.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) error: GraphError,
    /// The unfinished file, which `--resume` goes on with.
    pub(super) place: Option<PathBuf>,
}

/// Signs in and collects, live or from the demo.
pub(super) fn collect(
    args: &SignInArgs,
    demo: bool,
    reading: &Reading<'_>,
    cli: &Cli,
    world: &World,
) -> Result<Collected, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let target = target(args, demo, reading.config, world).await?;
        collect_from(target, reading, cli, world).await
    })
}

async fn collect_from(
    target: Target,
    reading: &Reading<'_>,
    cli: &Cli,
    world: &World,
) -> Result<Collected, Failure> {
    let Target {
        tokens,
        http,
        cloud,
        endpoints,
        pace,
        started,
        clock,
        _emulator,
    } = target;
    let token = tokens.token(Renewal::IfNeeded).await?;
    sign_in::note(tokens.sign_in().kind(), &token, cli);
    // As it was given; who signs in without naming a tenant has a token that names it.
    let tenant = tokens.sign_in().tenant().map(str::to_owned);
    let tenant = tenant
        .or_else(|| token.claims()?.tenant.clone())
        .unwrap_or_else(|| "unknown".to_owned());
    let client_id = token.claims().and_then(|claims| claims.app_id.as_deref());
    let client_id = client_id.or_else(|| tokens.sign_in().client_id());
    let client_id = client_id.and_then(|id| id.parse().ok());
    let client = GraphClient::new(http, endpoints.graph, Arc::new(tokens), clock, pace)?;

    let asked = reading.resources.iter().copied().collect();
    let mut header = Header::new(tenant, cloud.name().to_owned(), started, asked);
    let progress = Progress::new(cli.quiet, world.interactive, cli.verbose);
    let (mut intake, earlier) = intake(reading.keep.as_ref(), &mut header, progress)?;
    let ask = Ask {
        resources: reading.resources.clone(),
        now: header.collected_at,
        alert_days: reading.config.monitoring.window_days,
        emergency_accounts: reading.config.emergency_access.accounts.clone(),
        client_id,
        earlier,
        timeout: reading.timeout,
    };
    let outcome = collect::collect(&client, &ask, &mut intake).await?;
    let ((tenant, records), lost) = match outcome.lost {
        None => (intake.finish()?, None),
        Some(error) => {
            let (taken, place) = intake.leave()?;
            (taken, Some(Lost { error, place }))
        }
    };
    let snapshot = Snapshot {
        header,
        tenant,
        records,
    };
    Ok(Collected { snapshot, lost })
}

/// Where rows go: into a new file, to the end of an unfinished one, or into memory alone.
fn intake(
    keep: Option<&Keep<'_>>,
    header: &mut Header,
    progress: Progress,
) -> Result<(Intake, Earlier), Failure> {
    let writer = match keep {
        None => None,
        Some(keep) if keep.path.as_os_str() == "-" => {
            Some(Writer::to_pipe(Box::new(std::io::stdout()), header)?)
        }
        Some(keep) if keep.resume && file::is_interrupted(keep.path) => {
            let resumed = file::resume(keep.path, header)?;
            *header = resumed.header;
            let intake = Intake::go_on(resumed.tenant, resumed.counts, resumed.writer, progress);
            return Ok((intake, resumed.earlier));
        }
        Some(keep) => Some(Writer::create(keep.path, header)?),
    };
    Ok((Intake::new(writer, progress), Earlier::default()))
}

async fn demo_target(pace: &PaceArgs) -> Result<Target, Failure> {
    let tenant = TenantData::demo()?;
    let now = tenant.now();
    let secret = tenant.first_secret().unwrap_or_default().to_owned();
    let sign_in = SignIn::new(
        tenant.tenant_id(),
        tenant.client_id(),
        Credential::Secret(secret.into()),
    )?;
    // Pages of a hundred and one refusal for being too fast: the demo shows what a run against Microsoft's Graph is like.
    let options = emulator::Options {
        max_page: Some(100),
        faults: vec![Fault {
            path_contains: "/identity/conditionalAccess/policies".to_owned(),
            nth: Nth::First(1),
            kind: FaultKind::Throttle {
                retry_after: RetryAfter::None,
            },
        }],
        // The time of the data is the time of the service, too.
        clock: emulator::Clock::Fixed(now),
        ..emulator::Options::default()
    };
    let emulator = Emulator::start(tenant, options).await?;
    let endpoints = Endpoints::new(
        Cloud::Global,
        Some(&emulator.login_url()),
        Some(&emulator.graph_url()),
    )?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at(now));
    let http = http::client(&[&endpoints.login, &endpoints.graph])?;
    Ok(Target {
        tokens: Tokens::new(sign_in, endpoints.clone(), http.clone(), Arc::clone(&clock)),
        http,
        cloud: Cloud::Global,
        endpoints,
        pace: paced(pace, true),
        started: now,
        clock,
        _emulator: Some(emulator),
    })
}

async fn live_target(args: &SignInArgs, config: &Config, world: &World) -> Result<Target, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at(world.now));
    let Live {
        cloud,
        endpoints,
        http,
        tokens,
    } = sign_in::live(args, config, world, &clock).await?;
    let pace = paced(&args.pace, http::is_loopback(&endpoints.graph));
    let started = world.now.round(Unit::Second).unwrap_or(world.now);
    Ok(Target {
        tokens,
        http,
        cloud,
        endpoints,
        pace,
        started,
        clock,
        _emulator: None,
    })
}

/// The pace that is asked for. A Graph on this machine is an emulator: it needs no consideration for Microsoft's limits.
fn paced(args: &PaceArgs, on_this_machine: bool) -> Pace {
    let table = args.pace.unwrap_or(if on_this_machine {
        PaceTable::Fast
    } else {
        PaceTable::Published
    });
    let mut pace = match table {
        PaceTable::Published => Pace::published(),
        PaceTable::Fast => Pace::fast(),
    };
    if let Some(streams) = args.concurrency {
        pace = pace.with_concurrency(streams);
    }
    if let Some(most) = args.max_requests_per_second {
        pace = pace.with_max_requests_per_second(most);
    }
    pace
}
