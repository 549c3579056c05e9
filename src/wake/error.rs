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
    /// The device has reported no ConnectionRequestURL, or switched it off,
    /// and nothing else by which it could be woken.
    #[error("no way in: the device has not told where it can be woken")]
    NoUrl,
    /// What it reported is no URL to which a connection request may go.
    #[error("no way in: the device's connection request URL is unusable: {0}")]
    BadUrl(String),
    /// The place that it reported is somewhere else than the device.
    #[error("no way in: {0}")]
    Forbidden(String),
    /// It can be reached from its own network only.
    #[error("behind NAT with no way in: {0}")]
    BehindNat(String),
    /// It answered 503: in a session already, or asked too often.
    #[error("busy: the device asks to be woken later")]
    Busy,
    /// It refused the credentials, or there are none to show.
    #[error("refused: {0}")]
    Refused(&'static str),
    /// No connection, or no answer in time.
    #[error("offline: {0}")]
    Offline(String),
    /// It answered something that no connection request is answered with.
    #[error("the device answered {0} to a connection request")]
    BadAnswer(u16),
    /// It was woken too often of late, or all devices together were.
    #[error("woken too often; try again later")]
    Throttled,
    /// This server cannot go that way now.
    #[error("not possible now: {0}")]
    NotReady(String),
    /// The store failed.
    #[error("the store failed: {0}")]
    Store(String),
}

impl WakeError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Unknown => Class::NotFound,
            Self::NoUrl | Self::BadUrl(_) | Self::Forbidden(_) | Self::BehindNat(_) => {
                Class::Failed
            }
            Self::Busy | Self::Refused(_) | Self::Offline(_) | Self::BadAnswer(_) => {
                Class::Upstream
            }
            Self::Throttled => Class::Throttled,
            Self::NotReady(_) | Self::Store(_) => Class::Unavailable,
        }
    }

    /// The word for programs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown_device",
            Self::NoUrl | Self::BadUrl(_) => "no_way_in",
            Self::Forbidden(_) => "forbidden",
            Self::BehindNat(_) => "behind_nat",
            Self::Busy => "busy",
            Self::Refused(_) => "refused",
            Self::Offline(_) => "offline",
            Self::BadAnswer(_) => "bad_answer",
            Self::Throttled => "throttled",
            Self::NotReady(_) => "not_ready",
            Self::Store(_) => "failed",
        }
    }

    /// Whether another way may succeed where this one failed.
    pub(super) const fn lets_try_on(&self) -> bool {
        match self {
            Self::Unknown | Self::Busy | Self::Throttled | Self::Store(_) => false,
            Self::NoUrl
            | Self::BadUrl(_)
            | Self::Forbidden(_)
            | Self::BehindNat(_)
            | Self::Refused(_)
            | Self::Offline(_)
            | Self::BadAnswer(_)
            | Self::NotReady(_) => true,
        }
    }

    /// How much it tells, when several ways failed: a device that answered
    /// tells more than one that was not there, and that more than a place to
    /// which nothing may be sent.
    pub(super) const fn weight(&self) -> u8 {
        match self {
            Self::NoUrl => 0,
            Self::BadUrl(_) => 1,
            Self::Forbidden(_) => 2,
            Self::BehindNat(_) => 3,
            Self::NotReady(_) => 4,
            Self::Offline(_) => 5,
            Self::BadAnswer(_) => 6,
            Self::Refused(_) => 7,
            Self::Unknown | Self::Busy | Self::Throttled | Self::Store(_) => 8,
        }
    }
}

impl From<StoreError> for WakeError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}
