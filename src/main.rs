//! The `provost` program; see [`provost::cli`] for its commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(provost::cli::main()),
        Err(error) => provost::cli::no_runtime(&error),
    }
}
