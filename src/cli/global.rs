//! The options that every command takes.

use std::path::PathBuf;

use crate::cli::CliError;
use crate::config::{Config, ConfigError};

/// Options of every command.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The data folder
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "PROVOST_DATA",
        default_value = "./provost-data"
    )]
    pub data: PathBuf,
    /// A configuration file (TOML); without one everything has its default
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Override one key of the configuration; may be repeated
    #[arg(long = "set", global = true, value_name = "SECTION.KEY=VALUE")]
    pub sets: Vec<String>,
    /// Print JSON instead of tables
    #[arg(long, global = true)]
    pub json: bool,
    /// Where the server answers; default: what DIR/northbound.url says
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// The authorities (PEM) of a server that answers at https://; default:
    /// DIR/tls/ca.pem
    #[arg(long, global = true, value_name = "FILE", env = "PROVOST_CA")]
    pub ca: Option<PathBuf>,
    /// The bearer token; default: what DIR/admin.token says
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        env = "PROVOST_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
}

impl Global {
    /// The settings: the defaults, the file over them, `--set` over both.
    ///
    /// # Errors
    /// [`CliError::Config`] in one line that says what to change.
    pub fn config(&self) -> Result<Config, CliError> {
        let Some(path) = &self.config else {
            return Ok(Config::read("defaults", "", &self.sets)?);
        };
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::File { path: path.clone(), source })?;
        Ok(Config::read(&path.display().to_string(), &text, &self.sets)?)
    }
}
