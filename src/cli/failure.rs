//! What went wrong, for a person: what happened, why, what to do next.

use std::fmt;

use super::source::Lost;
use crate::ExitStatus;
use crate::auth::AuthError;
use crate::collect::CollectError;
use crate::config::ConfigError;
use crate::emulator::EmulatorError;
use crate::graph::GraphError;
use crate::graph::http::HttpError;
use crate::snapshot::SnapshotError;

/// A run that ended early.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: ExitStatus,
    error: anyhow::Error,
    help: Option<String>,
}

impl Failure {
    /// A usage error.
    pub(super) fn usage(message: impl Into<String>, help: impl Into<Option<String>>) -> Self {
        Self {
            status: ExitStatus::Usage,
            error: anyhow::anyhow!(message.into()),
            help: help.into(),
        }
    }

    fn new(status: ExitStatus, error: impl Into<anyhow::Error>, help: Option<String>) -> Self {
        Self {
            status,
            error: error.into(),
            help,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |text: &dyn fmt::Display| {
            crate::snapshot::Untrusted::from(text.to_string()).for_terminal()
        };
        let mut said = line(&self.error);
        writeln!(f, "error: {said}")?;
        for cause in self.error.chain().skip(1) {
            let cause = line(&cause);
            // Some errors end with the words of their cause: once is enough.
            if !said.ends_with(&cause) {
                writeln!(f, "  cause: {cause}")?;
            }
            said = cause;
        }
        match &self.help {
            Some(help) => writeln!(f, "  help: {}", line(help)),
            None => Ok(()),
        }
    }
}

impl From<Lost> for Failure {
    fn from(lost: Lost) -> Self {
        let Lost { error, place } = lost;
        let failure = Self::from(error);
        let (kept, help) = match place {
            Some(place) => (
                format!("; what was read is in {}", place.display()),
                Some("run the same command with --resume to go on from there".to_owned()),
            ),
            None => (String::new(), failure.help),
        };
        Self {
            status: failure.status,
            error: failure
                .error
                .context(format!("the collection was interrupted{kept}")),
            help,
        }
    }
}

impl From<AuthError> for Failure {
    fn from(error: AuthError) -> Self {
        let status = match &error {
            AuthError::NothingFound
            | AuthError::NoCredential { .. }
            | AuthError::Missing { .. }
            | AuthError::Invalid { .. }
            | AuthError::Conflict { .. }
            | AuthError::Endpoint { .. } => ExitStatus::Usage,
            AuthError::Network { .. } | AuthError::NotEntra { .. } => ExitStatus::Failed,
            _ => ExitStatus::SignIn,
        };
        let help = error.help();
        Self::new(status, error, help)
    }
}

impl From<CollectError> for Failure {
    fn from(error: CollectError) -> Self {
        match error {
            CollectError::Graph(GraphError::SignIn(error)) => error.into(),
            CollectError::Graph(graph) => {
                let help = graph.help();
                Self::new(ExitStatus::Failed, CollectError::Graph(graph), help)
            }
            CollectError::File(error) => error.into(),
        }
    }
}

impl From<GraphError> for Failure {
    fn from(error: GraphError) -> Self {
        CollectError::Graph(error).into()
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let help = error.help();
        Self::new(ExitStatus::Usage, error, help)
    }
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        let help = error.help();
        let status = match error {
            // Another question than that of the interrupted run.
            SnapshotError::Different(..) => ExitStatus::Usage,
            _ => ExitStatus::Failed,
        };
        Self::new(status, error, help)
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        let help = error.help();
        Self::new(ExitStatus::Failed, error, help)
    }
}

impl From<EmulatorError> for Failure {
    fn from(error: EmulatorError) -> Self {
        let help = error.help();
        Self::new(ExitStatus::Failed, error, help)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let error = anyhow::Error::new(error).context("could not write the output");
        Self::new(ExitStatus::Failed, error, None)
    }
}
