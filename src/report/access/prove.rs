//! Guarantees with their verdicts and witnesses.

use std::io::{self, Write};

use serde::Serialize;

use crate::access::Proof;

/// The JSON form: `{"schema_version": "1", "guarantees": [...]}`.
#[derive(Serialize)]
struct Answers<'a> {
    schema_version: &'static str,
    guarantees: &'a [Proof],
}

/// Writes the JSON form, indented by two, with a line break at its end.
pub fn write_json(proofs: &[Proof], out: &mut dyn Write) -> io::Result<()> {
    let answers = Answers {
        schema_version: "1",
        guarantees: proofs,
    };
    serde_json::to_writer_pretty(&mut *out, &answers)?;
    out.write_all(b"\n")
}
