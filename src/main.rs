//! The `m365audit` command.

fn main() {}
