//! Why a file cannot be had.

use crate::class::Class;
use crate::files::FilesError;
use crate::phone::Mac;
use crate::provision::RenderError;
use crate::store::StoreError;

/// Why a file cannot be had, for operators. A phone is told nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum SupplyError {
    /// There is no such phone.
    #[error("there is no phone {0}")]
    UnknownPhone(Mac),
    /// The phone has no file of this name.
    #[error("the phone {mac} has no file {name}; see what it has by listing its files")]
    NoSuchFile {
        /// The phone.
        mac: Mac,
        /// The name, cut to 64 characters.
        name: String,
    },
    /// An image is named that was never uploaded.
    #[error("the firmware {0} is not uploaded")]
    NoImage(Box<str>),
    /// The file cannot be made of what is set.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The store, or a secret that cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The image on disk.
    #[error(transparent)]
    Files(#[from] FilesError),
}

impl SupplyError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::UnknownPhone(_) | Self::NoSuchFile { .. } | Self::NoImage(_) => Class::NotFound,
            Self::Render(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::Files(error) => error.class(),
        }
    }
}
