//! What a run takes from outside, read once: arguments, environment, time, terminal.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal as _;

use jiff::Timestamp;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Columns of a report that does not go to a terminal.
const WIDTH_OF_A_PIPE: u16 = 100;
/// Below this many columns a table cannot be read.
const NARROWEST: u16 = 60;

/// The outside of one run.
#[derive(Debug, Clone)]
pub struct World {
    /// The command line, program name first.
    pub arguments: Vec<OsString>,
    /// Environment variables that are text.
    pub environment: BTreeMap<String, String>,
    /// The time at the start.
    pub now: Timestamp,
    /// Columns of the terminal behind stdout.
    pub width: u16,
    /// Whether stdout takes colours.
    pub colour: bool,
    /// Whether stderr is a terminal.
    pub interactive: bool,
}

impl World {
    /// The outside of this process: the one place where environment, clock and terminal are looked at.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub fn of_this_process() -> Self {
        let stdout = std::io::stdout();
        let width =
            terminal_size::terminal_size_of(&stdout).map_or(WIDTH_OF_A_PIPE, |(width, _)| width.0);
        let colour = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        Self {
            arguments: std::env::args_os().collect(),
            environment: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            now: Timestamp::now(),
            width: width.max(NARROWEST),
            colour,
            interactive: std::io::stderr().is_terminal(),
        }
    }
}

/// Starts the log on stderr: nothing without `-v`, requests with it. Other crates stay silent: their lines may hold links.
pub(super) fn start_log(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::OFF,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .without_time()
        .with_ansi(false)
        .with_filter(Targets::new().with_target(env!("CARGO_PKG_NAME"), level));
    // A second start (tests in one process) keeps the first log.
    let _ = tracing_subscriber::registry().with(lines).try_init();
}
