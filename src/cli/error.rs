//! What a command can fail with, and the exit code of it.

use std::path::PathBuf;

use axum::http::Error as HttpError;

use super::datamodel::DatamodelError;
use super::demo::DemoError;
use super::fanvil::FanvilError;
use super::inspect::InspectError;
use super::simulate::SimulateError;
use crate::class::Class;
use crate::config::ConfigError;
use crate::http::{BodyError, TargetError};
use crate::log::LogError;
use crate::server::ServerError;
use crate::store::StoreError;

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
    /// A file holds what it must not hold.
    #[error("{path}: {problem}")]
    BadFile {
        /// The file.
        path: PathBuf,
        /// Where and what.
        problem: String,
    },
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] std::io::Error),
    /// An argument holds what it must not hold.
    #[error("{argument}: {problem}")]
    BadArgument {
        /// The argument as it was given.
        argument: String,
        /// What would be right.
        problem: &'static str,
    },
    /// The data folder does not tell where the server answers.
    #[error(
        "no server has been started on {data}; start it with `provost serve --data {data}`, or say --server URL"
    )]
    NoUrl {
        /// The data folder.
        data: String,
    },
    /// The data folder holds no token.
    #[error(
        "there is no token in {path} ({source}); say --token, or --data DIR of the running server"
    )]
    NoToken {
        /// The token's file.
        path: String,
        /// Why it cannot be read.
        source: std::io::Error,
    },
    /// The server's URL is none.
    #[error("{url}: {problem}")]
    BadUrl {
        /// The URL.
        url: String,
        /// What is wrong with it.
        problem: TargetError,
    },
    /// Over TLS nobody is believed without an authority.
    #[error(
        "{0}: name the authority of its certificate with --ca; the server's own is tls/ca.pem in its data folder"
    )]
    NoAuthority(String),
    /// A file holds no authority.
    #[error("{0}: there is no certificate of an authority in it, in PEM")]
    BadAuthority(PathBuf),
    /// Nobody answers at the server's URL.
    #[error("no server answers at {url} ({source}); start it with `provost serve --data {data}`")]
    NoServer {
        /// Where.
        url: String,
        /// The data folder.
        data: String,
        /// Why.
        source: std::io::Error,
    },
    /// The server did not answer in time.
    #[error("the server at {0} did not answer in time")]
    Timeout(String),
    /// The exchange with the server broke off.
    #[error("the exchange with the server broke off: {0}")]
    Exchange(#[from] hyper::Error),
    /// The request cannot be put into words of HTTP.
    #[error("the request cannot be made: {0}")]
    Request(#[from] HttpError),
    /// The answer could not be read.
    #[error("the server's answer could not be read: {0}")]
    Answer(#[from] BodyError),
    /// What answers is no Provost.
    #[error("what answers at {url} is no Provost northbound (status {status})")]
    NotOurs {
        /// Where.
        url: String,
        /// The status that it answered.
        status: u16,
    },
    /// The server refused, and says why.
    #[error("{detail}{}", hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
    Refused {
        /// What it means.
        class: Class,
        /// Why.
        detail: String,
        /// What to do about it.
        hint: Option<String>,
        /// What is wrong in a file that was to be imported, by line.
        faults: Vec<serde_json::Value>,
    },
    /// A phone was not told to fetch its files, or did not fetch any.
    #[error("{mac}: {words}")]
    NotResynced {
        /// The phone.
        mac: String,
        /// What came of it.
        words: String,
    },
    /// The task ended, but not well.
    #[error("task {id}: {outcome}")]
    TaskFailed {
        /// The task.
        id: String,
        /// How it ended, in words.
        outcome: String,
    },
    /// A change over many devices went no further.
    #[error("it was stopped: {why}")]
    BulkStopped {
        /// Why.
        why: String,
    },
    /// A change over many devices could not be made on all of them.
    #[error("it could not be done for {failed} of {total} devices")]
    BulkFailed {
        /// For how many not.
        failed: u64,
        /// Of how many.
        total: u64,
    },
    /// The task is still open.
    #[error(
        "task {id} is still {state}; the device will be asked when it comes by itself: `provost task wait {id}`"
    )]
    TaskOpen {
        /// The task.
        id: String,
        /// Where it stands.
        state: String,
    },
    /// A device was not woken; the command has said why.
    #[error("{id} was not woken")]
    NotWoken {
        /// The device.
        id: String,
    },
    /// The command has said what went wrong, and chose its own exit code.
    #[error("ended with {0}")]
    Ended(u8),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An option is none.
    #[error(transparent)]
    DhcpOption(#[from] crate::dhcp::OptionsError),
    /// No DHCP server was heard.
    #[error(
        "no DHCP server was heard on {interface} ({source}); this needs root, or the right to use port 68"
    )]
    Probe {
        /// The interface.
        interface: String,
        /// Why.
        source: std::io::Error,
    },
    /// A Fanvil file could not be worked on.
    #[error(transparent)]
    Fanvil(#[from] FanvilError),
    /// The demonstration ended early.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// Files hold no messages, or cannot be read.
    #[error(transparent)]
    Inspect(InspectError),
    /// A data model could not be worked on.
    #[error(transparent)]
    Datamodel(#[from] DatamodelError),
    /// Nothing could be simulated.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
}

impl From<InspectError> for CliError {
    fn from(error: InspectError) -> Self {
        match error {
            InspectError::Output(error) => Self::Output(error),
            error => Self::Inspect(error),
        }
    }
}

impl CliError {
    /// What it means to whoever asked.
    pub fn class(&self) -> Class {
        match self {
            Self::Config(error) => error.class(),
            Self::Log(error) => error.class(),
            Self::Server(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::Fanvil(error) => error.class(),
            Self::Demo(error) => error.class(),
            Self::Inspect(error) => error.class(),
            Self::Simulate(error) => error.class(),
            Self::Datamodel(error) => error.class(),
            Self::DhcpOption(error) => error.class(),
            Self::Probe { .. } => Class::Upstream,
            Self::File { .. }
            | Self::BadFile { .. }
            | Self::BadArgument { .. }
            | Self::BadUrl { .. }
            | Self::NoAuthority(_)
            | Self::BadAuthority(_) => Class::Invalid,
            Self::NoToken { .. } => Class::Unauthorized,
            Self::Output(_) | Self::Request(_) => Class::Internal,
            Self::NoUrl { .. } | Self::NoServer { .. } | Self::TaskOpen { .. } => {
                Class::Unavailable
            }
            Self::Timeout(_) | Self::Exchange(_) | Self::Answer(_) | Self::NotOurs { .. } => {
                Class::Upstream
            }
            Self::Refused { class, .. } => *class,
            Self::TaskFailed { .. }
            | Self::BulkFailed { .. }
            | Self::BulkStopped { .. }
            | Self::NotWoken { .. }
            | Self::NotResynced { .. }
            | Self::Ended(_) => Class::Failed,
        }
    }
}
