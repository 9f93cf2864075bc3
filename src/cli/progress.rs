//! Progress on stderr: bars on a terminal, lines where there is none, nothing when asked for.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::snapshot::{Record, Resource, State};

/// How progress is shown.
pub(super) enum Progress {
    Hidden,
    Lines,
    Bars {
        all: MultiProgress,
        bars: BTreeMap<Resource, ProgressBar>,
    },
}

impl Progress {
    /// Bars on a terminal, but not under a log that would tear them.
    pub(super) fn new(quiet: bool, interactive: bool, verbose: u8) -> Self {
        match (quiet, interactive && verbose == 0) {
            (true, _) => Self::Hidden,
            (false, true) => Self::Bars {
                all: MultiProgress::new(),
                bars: BTreeMap::new(),
            },
            (false, false) => Self::Lines,
        }
    }

    pub(super) fn begin(&mut self, resource: Resource) {
        if let Self::Bars { all, bars } = self {
            let style =
                ProgressStyle::with_template("{spinner} {msg:<48} {pos:>9} rows  {elapsed}")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let bar = all.add(
                ProgressBar::new_spinner()
                    .with_style(style)
                    .with_message(resource.key()),
            );
            bar.enable_steady_tick(Duration::from_millis(120));
            bars.insert(resource, bar);
        }
    }

    pub(super) fn rows(&mut self, resource: Resource, count: u64) {
        if let Self::Bars { bars, .. } = self
            && let Some(bar) = bars.get(&resource)
        {
            bar.set_position(count);
        }
    }

    pub(super) fn end(&mut self, resource: Resource, record: &Record) {
        match self {
            Self::Hidden => {}
            Self::Lines => {
                let how = match &record.state {
                    State::Skipped => "skipped".to_owned(),
                    State::Collected => format!("{} rows", record.count),
                    State::Partial { of: Some(of), .. } => {
                        format!("broke off after {} of {of} rows", record.count)
                    }
                    State::Partial { of: None, .. } => {
                        format!("broke off after {} rows", record.count)
                    }
                    State::Forbidden { permission, .. } => format!("refused, needs {permission}"),
                    State::NotLicensed { .. } => "not licensed".to_owned(),
                    State::Failed { .. } => "failed".to_owned(),
                };
                // A stderr that is gone is no reason to stop.
                let _ = writeln!(anstream::stderr(), "{resource}: {how}");
            }
            Self::Bars { bars, .. } => {
                if let Some(bar) = bars.remove(&resource) {
                    bar.finish_and_clear();
                }
            }
        }
    }

    pub(super) fn finish(&self) {
        if let Self::Bars { all, .. } = self {
            let _ = all.clear();
        }
    }
}
