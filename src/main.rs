//! The `provost` program; see [`provost::cli`] for its commands.

fn main() {}
