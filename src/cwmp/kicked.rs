//! `Kicked`, deprecated: the subscriber's browser asks for a session
//! (TR-069 §A.4.2.1).

/// `Kicked`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kicked {
    /// What the web site asks for.
    pub command: Box<str>,
    /// The web site.
    pub referer: Box<str>,
    /// Arguments of the command.
    pub arg: Box<str>,
    /// Where the browser is to go next.
    pub next: Box<str>,
}

/// `KickedResponse`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KickedResponse {
    /// Where the browser is to go next.
    pub next_url: Box<str>,
}
