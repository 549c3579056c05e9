//! What a command can fail with, and the exit code of it.

use std::path::PathBuf;

use crate::class::Class;
use crate::config::ConfigError;
use crate::log::LogError;
use crate::server::ServerError;

/// Why a command failed: one line for stderr.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The server does not start.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// Logging cannot begin.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] std::io::Error),
}

impl CliError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Config(error) => error.class(),
            Self::Log(error) => error.class(),
            Self::Server(error) => error.class(),
            Self::File { .. } => Class::Invalid,
            Self::Output(_) => Class::Internal,
        }
    }
}
