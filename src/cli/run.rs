//! Reads the command line, runs the command, turns errors into exit codes.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::{CliError, Global};
use crate::class::Class;

/// TR-069 (CWMP) auto-configuration server and IP-phone provisioning server.
#[derive(Debug, Parser)]
#[command(name = "provost", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(super::serve::Args),
    /// Check the configuration and say what is wrong with it
    CheckConfig,
    /// Print the effective configuration
    PrintConfig,
}

/// Runs the program.
pub async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap chooses the stream, and 0 for --help or 2 for wrong usage.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match dispatch(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string(), error.class()),
    }
}

/// What `main` answers when not even the runtime can be built.
pub fn no_runtime(error: &std::io::Error) -> ExitCode {
    fail(&format!("the runtime cannot be started: {error}"), Class::Internal)
}

async fn dispatch(cli: Cli) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match cli.command {
        Command::Serve(args) => {
            drop(out);
            super::serve::run(&cli.global, &args).await?;
        }
        Command::CheckConfig => {
            let config = cli.global.config()?;
            crate::log::check(&config.log)?;
            writeln!(out, "the configuration is sound")?;
        }
        Command::PrintConfig => write!(out, "{}", cli.global.config()?.to_toml())?,
    }
    Ok(())
}

/// One line on stderr and the exit code of the class.
fn fail(message: &str, class: Class) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "error: {}", message.replace('\n', " "));
    ExitCode::from(class.exit_code())
}
