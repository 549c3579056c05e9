//! Why the demonstration ended early.

use std::path::PathBuf;

use crate::class::Class;
use crate::device::IdError;
use crate::simulate::{ImageError, SimError};

/// Why the demonstration ended early.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A temporary file cannot be made or read.
    #[error("{path}: {source}")]
    Folder {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The server process cannot be started or killed.
    #[error("the server process: {0}")]
    Process(std::io::Error),
    /// The server ended, or did not open its doors in time.
    #[error("the server did not open its doors: {0}")]
    NotServing(String),
    /// A step did not come out as it must.
    #[error("not verified: {0}")]
    NotVerified(String),
    /// A simulated device cannot be run.
    #[error(transparent)]
    Simulate(#[from] SimError),
    /// A simulated device cannot be made.
    #[error(transparent)]
    Identity(#[from] IdError),
    /// A simulated firmware image cannot be made.
    #[error(transparent)]
    Image(#[from] ImageError),
}

impl DemoError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::NotVerified(_) => Class::Failed,
            Self::NotServing(_) => Class::Unavailable,
            Self::Folder { .. }
            | Self::Process(_)
            | Self::Simulate(_)
            | Self::Identity(_)
            | Self::Image(_) => Class::Internal,
        }
    }
}
