//! Where the data comes from: a tenant, the demo, or a file.

use std::path::Path;
use std::sync::Arc;

use jiff::{Timestamp, Unit};

use super::World;
use super::args::{Cli, ConfigArgs, SignInArgs};
use super::failure::Failure;
use super::intake::Intake;
use super::progress::Progress;
use crate::auth::{
    self, AppTokens, Cloud, Credential, Endpoints, Renewal, SignIn, TokenSource as _,
};
use crate::collect::{self, Ask};
use crate::config::{self, Config};
use crate::emulator::{self, Emulator, Fault, FaultKind, Nth, RetryAfter, TenantData};
use crate::graph::{Clock, GraphClient, Pace, SystemClock, http};
use crate::snapshot::file::{Snapshot, Writer};
use crate::snapshot::{Header, Resource};

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
struct Target {
    sign_in: SignIn,
    cloud: Cloud,
    endpoints: Endpoints,
    pace: Pace,
    /// When the run began, in whole seconds: the moment of the snapshot.
    started: Timestamp,
    clock: Arc<dyn Clock>,
    /// Serves the demo for as long as it is asked.
    _emulator: Option<Emulator>,
}

/// Signs in and collects, live or from the demo. `save` keeps what was read in a file as well.
pub(super) fn collect(
    sign_in: &SignInArgs,
    demo: bool,
    save: Option<&Path>,
    resources: std::collections::BTreeSet<Resource>,
    config: &Config,
    cli: &Cli,
    world: &World,
) -> Result<Snapshot, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let target = if demo {
            demo_target().await?
        } else {
            live_target(sign_in, config, world)?
        };
        collect_from(target, save, resources, config, cli, world).await
    })
}

async fn collect_from(
    target: Target,
    save: Option<&Path>,
    resources: std::collections::BTreeSet<Resource>,
    config: &Config,
    cli: &Cli,
    world: &World,
) -> Result<Snapshot, Failure> {
    let Target {
        sign_in,
        cloud,
        endpoints,
        pace,
        started,
        clock,
        _emulator,
    } = target;
    let http = http::client(&[&endpoints.login, &endpoints.graph])?;
    let tenant = sign_in.tenant.clone();
    let graph = endpoints.graph.clone();
    let tokens = Arc::new(AppTokens::new(
        sign_in,
        endpoints,
        http.clone(),
        clock.clone(),
    ));
    tokens.token(Renewal::IfNeeded).await?;
    let client = GraphClient::new(http, graph, tokens, clock, pace)?;

    let ask = Ask {
        resources,
        now: started,
        alert_days: config.monitoring.window_days,
        emergency_accounts: config.emergency_access.accounts.clone(),
    };
    let asked = ask.resources.iter().copied().collect();
    let header = Header::new(tenant, cloud.name().to_owned(), ask.now, asked);
    let writer = match save {
        Some(path) if path.as_os_str() == "-" => {
            Some(Writer::to_pipe(Box::new(std::io::stdout()), &header)?)
        }
        Some(path) => Some(Writer::create(path, &header)?),
        None => None,
    };
    let mut intake = Intake::new(
        writer,
        Progress::new(cli.quiet, world.interactive, cli.verbose),
    );
    collect::collect(&client, &ask, &mut intake).await?;
    let (tenant, records) = intake.finish()?;
    Ok(Snapshot {
        header,
        tenant,
        records,
    })
}

async fn demo_target() -> Result<Target, Failure> {
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
        ..emulator::Options::default()
    };
    let emulator = Emulator::start(tenant, options).await?;
    let endpoints = Endpoints::new(
        Cloud::Global,
        Some(&emulator.login_url()),
        Some(&emulator.graph_url()),
    )?;
    Ok(Target {
        sign_in,
        cloud: Cloud::Global,
        endpoints,
        pace: Pace::fast(),
        started: now,
        clock: Arc::new(SystemClock::starting_at(now)),
        _emulator: Some(emulator),
    })
}

fn live_target(args: &SignInArgs, config: &Config, world: &World) -> Result<Target, Failure> {
    let cloud = match (args.cloud, &config.cloud) {
        (Some(cloud), _) => cloud,
        (None, Some(name)) => name.parse()?,
        (None, None) => Cloud::default(),
    };
    let authority = world
        .environment
        .get("AZURE_AUTHORITY_HOST")
        .map(String::as_str)
        .filter(|host| !host.is_empty());
    let login = args.login_url.as_deref().or(authority);
    let endpoints = Endpoints::new(cloud, login, args.graph_url.as_deref())?;
    let options = auth::Options {
        auth: args.auth,
        tenant: args
            .tenant
            .clone()
            .or_else(|| environment_or(world, "AZURE_TENANT_ID", config.tenant.as_ref())),
        client_id: args
            .client_id
            .clone()
            .or_else(|| environment_or(world, "AZURE_CLIENT_ID", config.client_id.as_ref())),
        client_secret_file: args.client_secret_file.clone(),
        certificate: args.certificate.clone(),
    };
    let sign_in = auth::discover(&options, &world.environment)?;
    // A Graph on this machine is an emulator: it needs no consideration for Microsoft's limits.
    let pace = if http::is_loopback(&endpoints.graph) {
        Pace::fast()
    } else {
        Pace::published()
    };
    let clock = Arc::new(SystemClock::starting_at(world.now));
    let started = world.now.round(Unit::Second).unwrap_or(world.now);
    Ok(Target {
        sign_in,
        cloud,
        endpoints,
        pace,
        started,
        clock,
        _emulator: None,
    })
}

/// The environment comes before the configuration file.
fn environment_or(world: &World, variable: &str, configured: Option<&String>) -> Option<String> {
    world
        .environment
        .get(variable)
        .filter(|value| !value.is_empty())
        .or(configured)
        .cloned()
}
