//! What an error means to whoever asked: the one table that turns any error of
//! the house into an HTTP status and an exit code.
//!
//! Each module keeps its own typed error enum and says of every variant which
//! [`Class`] it belongs to. Nothing else in the package chooses a status or an
//! exit code by hand.

/// The meaning of an error for the caller, independent of where it arose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The request is malformed or a value is out of its range.
    Invalid,
    /// No or wrong credentials.
    Unauthorized,
    /// Known who it is, but not allowed.
    Forbidden,
    /// The thing asked for does not exist.
    NotFound,
    /// The thing changed meanwhile, or exists already.
    Conflict,
    /// The body or an answer would exceed a limit.
    TooLarge,
    /// Too many requests from this source; later is better.
    Throttled,
    /// The service cannot serve now (store read-only, shutting down, disk full).
    Unavailable,
    /// Another system (a device, a file server) answered badly or not at all.
    Upstream,
    /// The operation was carried out and ended in failure.
    Failed,
    /// A fault of Provost itself.
    Internal,
}

impl Class {
    /// The HTTP status code that the northbound answers with.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::Throttled => 429,
            Self::Unavailable => 503,
            Self::Upstream => 502,
            Self::Failed => 422,
            Self::Internal => 500,
        }
    }

    /// The exit code of the command line.
    ///
    /// 0 is success and 2 is what clap uses for wrong usage; the others tell
    /// scripts apart what happened without parsing text.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Invalid | Self::TooLarge => 2,
            Self::NotFound => 3,
            Self::Unauthorized | Self::Forbidden => 4,
            Self::Conflict => 5,
            Self::Failed => 6,
            Self::Unavailable | Self::Throttled | Self::Upstream => 7,
        }
    }

    /// The class of an HTTP status, for clients of the northbound.
    pub const fn from_http_status(status: u16) -> Self {
        match status {
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            409 | 412 => Self::Conflict,
            413 => Self::TooLarge,
            422 => Self::Failed,
            429 => Self::Throttled,
            502 | 504 => Self::Upstream,
            503 => Self::Unavailable,
            400..=499 => Self::Invalid,
            _ => Self::Internal,
        }
    }

    /// The stable short word that stands in problem documents and logs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::TooLarge => "too-large",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Upstream => "upstream",
            Self::Failed => "failed",
            Self::Internal => "internal",
        }
    }
}
