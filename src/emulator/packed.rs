//! Data of the emulator that is part of the program, compressed: as text it would be a tenth of the binary.
//!
//! What is packed lies readable in `fixtures/`; `UPDATE_GENERATED=1 cargo test --test generated` packs it again, and that test fails where
//! the two differ.

use std::io::Read as _;

/// The sample tenant: an object of all its files by name.
pub(super) fn demo() -> String {
    unpacked(include_bytes!("../../fixtures/packed/demo.json.gz"))
}

/// The schema of v1.0, cut to what an audit reaches.
pub(super) fn v1_schema() -> String {
    unpacked(include_bytes!("../../fixtures/packed/v1.0-subset.csdl.gz"))
}

/// The names of beta.
pub(super) fn beta_names() -> String {
    unpacked(include_bytes!("../../fixtures/packed/beta-subset.json.gz"))
}

fn unpacked(file: &[u8]) -> String {
    let mut text = String::with_capacity(file.len() * 16);
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("the file is part of the program and read by a test");
    text
}
