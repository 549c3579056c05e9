//! Why a device was not woken, in words that an operator can act on.

use crate::class::Class;
use crate::store::StoreError;

/// Why a device was not woken. Each is told as it is: a device that cannot be
/// woken still comes by itself at its next periodic Inform.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WakeError {
    /// The store knows no such device.
    #[error("no such device")]
    Unknown,
    /// The device has reported no ConnectionRequestURL, or switched it off.
    #[error("no way in: the device has not told where it can be woken")]
    NoUrl,
    /// What it reported is no URL to which a connection request may go.
    #[error("no way in: the device's connection request URL is unusable: {0}")]
    BadUrl(String),
    /// The URL leads somewhere else than to the device.
    #[error("no way in: {0}")]
    Forbidden(String),
    /// It answered 503: in a session already, or asked too often.
    #[error("busy: the device asks to be woken later")]
    Busy,
    /// It refused the credentials, or there are none to show.
    #[error("refused: {0}")]
    Refused(&'static str),
    /// No connection, or no answer in two seconds.
    #[error("offline: {0}")]
    Offline(String),
    /// It answered something that no connection request is answered with.
    #[error("the device answered {0} to a connection request")]
    BadAnswer(u16),
    /// It was woken too often of late, or all devices together were.
    #[error("woken too often; try again later")]
    Throttled,
    /// The store failed.
    #[error("the store failed: {0}")]
    Store(String),
}

impl WakeError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Unknown => Class::NotFound,
            Self::NoUrl | Self::BadUrl(_) | Self::Forbidden(_) => Class::Failed,
            Self::Busy | Self::Refused(_) | Self::Offline(_) | Self::BadAnswer(_) => {
                Class::Upstream
            }
            Self::Throttled => Class::Throttled,
            Self::Store(_) => Class::Unavailable,
        }
    }
}

impl From<StoreError> for WakeError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}
