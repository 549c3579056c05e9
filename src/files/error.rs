//! What the shelf could not do.

use std::io;
use std::path::PathBuf;

use crate::class::Class;

/// What the shelf could not do.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The upload is larger than one file may be.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// The limit for this upload in bytes.
        limit: u64,
    },
    /// All files together would be more than the quota.
    #[error(
        "the files would take more than {quota} bytes together; remove some, or raise files.quota"
    )]
    Quota {
        /// The quota in bytes.
        quota: u64,
    },
    /// The disk is full; nothing of the upload was kept.
    #[error("the disk is full; nothing of the file was kept")]
    DiskFull,
    /// A name is no SHA-256 in lower-case hex.
    #[error("a file is named by its SHA-256: 64 hex digits")]
    BadName,
    /// There is no such file.
    #[error("there is no such file")]
    NotFound,
    /// The disk failed otherwise.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl FilesError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::TooLarge { .. } => Class::TooLarge,
            Self::Quota { .. } | Self::DiskFull => Class::Unavailable,
            Self::BadName => Class::Invalid,
            Self::NotFound => Class::NotFound,
            Self::Io { .. } => Class::Internal,
        }
    }

    /// Wraps a failure of the disk, telling a full disk from others.
    pub(super) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::NotFound => Self::NotFound,
            _ => Self::Io { path: path.into(), source },
        }
    }
}
