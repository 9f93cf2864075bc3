//! The figures, side by side.

use std::fmt;

use super::saved::Saved;

/// One scenario.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    /// Seconds.
    pub(crate) wall: f64,
    pub(crate) floor: Option<f64>,
    /// Bytes.
    pub(crate) peak: Option<u64>,
    /// Seconds of processor time.
    pub(crate) cpu: f64,
    pub(crate) server_cpu: Option<f64>,
    pub(crate) requests: u64,
    pub(crate) throttled: u64,
    pub(crate) bytes: u64,
    pub(crate) missing: u64,
    pub(crate) repeated: u64,
    /// Goal, what was found, and whether it is met.
    pub(crate) goals: Vec<(&'static str, String, bool)>,
}

impl Line {
    pub(crate) fn goal(&mut self, name: &'static str, found: String, met: bool) {
        self.goals.push((name, found, met));
    }

    /// Whether everything came, and once.
    pub(crate) fn whole(&mut self, name: &'static str, saved: &Saved) {
        let (missing, twice) = (self.missing, self.repeated);
        let found = format!("{}, {missing} missing, {twice} twice", saved.verdict());
        self.goal(name, found, missing == 0 && twice == 0 && saved.is_whole());
    }
}

/// All scenarios that were played.
#[derive(Debug)]
pub(crate) struct Table {
    lines: Vec<Line>,
    /// What plays the same again.
    command: String,
}

impl Table {
    pub(crate) fn of(command: String) -> Self {
        Self {
            lines: Vec::new(),
            command,
        }
    }

    pub(crate) fn add(&mut self, line: Line) {
        self.lines.push(line);
    }
}

#[allow(clippy::cast_precision_loss, reason = "for reading")]
pub(crate) fn mebi(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<20} {:>8} {:>8} {:>7} {:>9} {:>8} {:>8} {:>9} {:>6} {:>9} {:>8} {:>8}",
            "scenario",
            "wall s",
            "floor s",
            "wall/F",
            "peak MiB",
            "CPU s",
            "emul. s",
            "requests",
            "429",
            "MiB",
            "missing",
            "repeated"
        )?;
        for line in &self.lines {
            let or_dash = |value: Option<f64>| {
                value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"))
            };
            writeln!(
                f,
                "{:<20} {:>8.2} {:>8} {:>7} {:>9} {:>8.2} {:>8} {:>9} {:>6} {:>9.1} {:>8} {:>8}",
                line.name,
                line.wall,
                or_dash(line.floor),
                or_dash(
                    line.floor
                        .filter(|floor| *floor > 0.0)
                        .map(|floor| line.wall / floor)
                ),
                or_dash(line.peak.map(mebi)),
                line.cpu,
                or_dash(line.server_cpu),
                line.requests,
                line.throttled,
                mebi(line.bytes),
                line.missing,
                line.repeated
            )?;
        }
        writeln!(
            f,
            "\n{:<20} {:<42} {:<8} found",
            "scenario", "goal", "verdict"
        )?;
        for line in &self.lines {
            for (name, found, met) in &line.goals {
                let met = if *met { "met" } else { "NOT met" };
                writeln!(f, "{:<20} {name:<42} {met:<8} {found}", line.name)?;
            }
        }
        write!(f, "\n{}", self.command)
    }
}
