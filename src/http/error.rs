//! What keeps a door from opening.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::class::Class;

/// Why a door cannot open or its certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is taken, not ours, or needs a privilege.
    #[error("the {door} door cannot listen on {at}: {source}")]
    Bind {
        /// The door's name.
        door: &'static str,
        /// The address that was asked for.
        at: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A certificate or key file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds no certificate or no key, or one that cannot be used.
    #[error("{path}: {problem}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The key is not the certificate's.
    #[error("{key}: this key does not belong to the certificate in {certificate}")]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// One of `tls.certificate` and `tls.key` is set without the other.
    #[error("tls.certificate and tls.key must be set together, or neither of them")]
    HalfConfigured,
    /// A name in `tls.names` is neither a host name nor an address.
    #[error("tls.names: {0:?} is neither a host name nor an address")]
    BadName(String),
    /// The certificate could not be made.
    #[error("the server's certificate could not be made: {0}")]
    Making(#[from] rcgen::Error),
    /// The TLS library refused its settings.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

impl HttpError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Bind { .. } | Self::File { .. } => Class::Unavailable,
            Self::Unusable { .. }
            | Self::Mismatch { .. }
            | Self::HalfConfigured
            | Self::BadName(_) => Class::Invalid,
            Self::Making(_) | Self::Tls(_) => Class::Internal,
        }
    }
}
