//! The JSON report as text.

use std::io::{self, Write};

use super::Assessment;
use super::model::Report;

/// Writes the report, indented by two, with a line break at its end. Same assessment, same bytes.
pub fn write(assessment: &Assessment<'_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Report::new(assessment))?;
    out.write_all(b"\n")
}
