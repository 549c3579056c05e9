//! Certificates: the operator's own or made ones, and their reload.

use std::path::Path;
use std::sync::Arc;

use super::error::HttpError;
use crate::config::TlsConfig;

/// The server's certificate and key, exchangeable while doors are open.
#[derive(Debug)]
pub struct TlsMaterial {
    server: Arc<rustls::ServerConfig>,
}

impl TlsMaterial {
    /// Loads the certificate and key that the settings name, or those in
    /// `data/tls/`, which are made if there are none yet.
    ///
    /// # Errors
    /// [`HttpError`], naming the file that cannot be used.
    pub fn load_or_make(_data: &Path, _config: &TlsConfig) -> Result<Arc<Self>, HttpError> {
        Err(HttpError::HalfConfigured)
    }

    /// Reads the files again; new connections get what they hold. On an error
    /// what was served before is served on.
    ///
    /// # Errors
    /// [`HttpError`], naming the file that cannot be used.
    pub fn reload(&self) -> Result<(), HttpError> {
        Err(HttpError::HalfConfigured)
    }

    /// The settings that a listener accepts connections with.
    pub fn server_config(&self) -> Arc<rustls::ServerConfig> {
        Arc::clone(&self.server)
    }
}
