//! Logging by tracing: human at a terminal, JSON otherwise, always to stderr.
//!
//! Fields are dotted (`device.id`, `session.id`, `peer.address`). What is
//! logged and how it looks comes from `[log]`.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::class::Class;
use crate::config::{LogConfig, LogFormat};

/// Why logging cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// `log.level` is no filter.
    #[error("log.level = {level}: {problem}")]
    BadFilter {
        /// The text that was given.
        level: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Somebody else set up logging in this process before.
    #[error("logging is set up already")]
    SetUpAlready,
}

impl LogError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::BadFilter { .. } => Class::Invalid,
            Self::SetUpAlready => Class::Internal,
        }
    }
}

type Change = Box<dyn Fn(EnvFilter) -> bool + Send + Sync>;

/// Exchanges the filter of the logging that runs.
static CHANGE: OnceLock<Change> = OnceLock::new();

/// Starts logging for the whole process.
///
/// # Errors
/// [`LogError`] when the filter is none, or logging runs already.
pub fn init(config: &LogConfig) -> Result<(), LogError> {
    let filter = filter(&config.level)?;
    let builder =
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_span_events(FmtSpan::NONE);
    let human = match config.format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let (started, change): (_, Change) = if human {
        let builder = builder.with_ansi(std::io::stderr().is_terminal());
        let builder = builder.with_env_filter(filter).with_filter_reloading();
        let handle = builder.reload_handle();
        (builder.finish().try_init(), Box::new(move |filter| handle.reload(filter).is_ok()))
    } else {
        let builder = builder.json().flatten_event(true).with_current_span(true);
        let builder = builder.with_env_filter(filter).with_filter_reloading();
        let handle = builder.reload_handle();
        (builder.finish().try_init(), Box::new(move |filter| handle.reload(filter).is_ok()))
    };
    started.map_err(|_| LogError::SetUpAlready)?;
    // The first one counts, as with the logging itself.
    let _ = CHANGE.set(change);
    Ok(())
}

/// Puts another `log.level` in force; where logging was not begun here, nothing.
///
/// # Errors
/// [`LogError::BadFilter`], in one line; what was logged before is logged on.
pub fn change(config: &LogConfig) -> Result<(), LogError> {
    let filter = filter(&config.level)?;
    if let Some(change) = CHANGE.get() {
        change(filter);
    }
    Ok(())
}

/// Reads `log.level`; exposed to `check-config`, which starts no logging.
///
/// # Errors
/// [`LogError::BadFilter`], in one line.
pub fn check(config: &LogConfig) -> Result<(), LogError> {
    filter(&config.level).map(drop)
}

fn filter(level: &str) -> Result<EnvFilter, LogError> {
    // `parse_lossy` drops what it cannot read; a typing error must be told.
    EnvFilter::builder().parse(level).map_err(|error| LogError::BadFilter {
        level: level.to_owned(),
        problem: error.to_string().replace('\n', " "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_or_refused() {
        let config = |level: &str| LogConfig { level: level.to_owned(), ..LogConfig::default() };
        assert!(check(&LogConfig::default()).is_ok());
        assert!(check(&config("info,provost::acs=debug")).is_ok());
        let error = check(&config("info,provost::acs=lod")).unwrap_err();
        assert!(error.to_string().starts_with("log.level = info,provost::acs=lod: "), "{error}");
    }
}
