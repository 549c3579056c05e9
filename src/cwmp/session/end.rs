//! Why a session ends by the order of the protocol.

/// Why there is nothing to answer with but an empty message (HTTP 204).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The session was over already, and the device ends it once more (Q20).
    Again,
    /// An empty message, or one other than an Inform, came without a session
    /// (Q45).
    NoSession,
    /// A response or a fault came that answers nothing.
    Unasked,
    /// A response came that does not fit the request that is outstanding, or
    /// belongs to an earlier one.
    WrongAnswer,
    /// A message came that only a server writes.
    NotFromADevice,
}

impl Ending {
    /// The end in plain words, for a log.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Again => "the session was over already",
            Self::NoSession => "a message came without an Inform before it",
            Self::Unasked => "a response came that answers no request",
            Self::WrongAnswer => "a response came that belongs to another request",
            Self::NotFromADevice => "a message came that only a server writes",
        }
    }
}
