//! The `provost` program; see [`provost::cli`] for its commands.

use std::process::ExitCode;
use std::time::Duration;

/// How long threads that block may go on when all else is done.
const LET_GO_AFTER: Duration = Duration::from_millis(400);

fn main() -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(provost::cli::main());
            // What still blocks a thread then, such as a slow disk, keeps no process.
            runtime.shutdown_timeout(LET_GO_AFTER);
            code
        }
        Err(error) => provost::cli::no_runtime(&error),
    }
}
