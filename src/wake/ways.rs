//! The ways to a device, and what is told of each that was tried.

use std::fmt;

use async_trait::async_trait;

use super::error::WakeError;
use crate::device::Secret;
use crate::time::Timestamp;
use crate::xmpp::Jid;

/// A way by which a device can be asked to open a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A GET on its ConnectionRequestURL (TR-069 §3.2.2).
    Http,
    /// A signed datagram through its NAT (TR-069 Annex G).
    Udp,
    /// A stanza through an XMPP server (TR-069 Annex K).
    Xmpp,
}

impl Way {
    /// The word for programs: `http`, `udp`, `xmpp`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Udp => "udp",
            Self::Xmpp => "xmpp",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "HTTP",
            Self::Udp => "UDP",
            Self::Xmpp => "XMPP",
        })
    }
}

/// How far a device was woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// It answered that it will open a session, which comes within 30 seconds.
    Agreed(Way),
    /// The datagrams left. No device answers them, so whether they arrived
    /// shows only by its Inform.
    Sent,
    /// It has informed since it was asked.
    Informed,
}

impl Woken {
    /// The word for programs: `woken` or `sent`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Agreed(_) | Self::Informed => "woken",
            Self::Sent => "sent",
        }
    }
}

impl fmt::Display for Woken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agreed(way) => write!(f, "woken by {way}"),
            Self::Sent => f.write_str("sent by UDP; the device has not answered yet"),
            Self::Informed => f.write_str("woken: the device has informed"),
        }
    }
}

/// One way that was tried, and what came of it.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The way.
    pub way: Way,
    /// What came of it.
    pub outcome: Result<Woken, WakeError>,
}

/// What came of waking a device.
#[derive(Clone, Debug)]
pub struct WakeReport {
    /// When it was first asked.
    pub asked_at: Timestamp,
    /// The ways that were tried, in order; none when the device was asked a
    /// moment ago and its session is still to come.
    pub tried: Vec<Attempt>,
    /// What came of it all.
    pub outcome: Result<Woken, WakeError>,
    /// How many sessions the device had opened when it was asked.
    pub(super) sessions: u64,
}

impl WakeReport {
    /// A wake that ended before any way was tried.
    pub(super) const fn failed(asked_at: Timestamp, error: WakeError) -> Self {
        Self { asked_at, tried: Vec::new(), outcome: Err(error), sessions: 0 }
    }
}

/// Asks devices over XMPP: the house's own client of an XMPP server, as far as
/// the waker needs to know it.
#[async_trait]
pub trait XmppAsk: Send + Sync + 'static {
    /// Sends a connection request to a device's JID, as the device reported it
    /// (hostile input), and waits for its answer. Returns within a few seconds.
    ///
    /// # Errors
    /// [`WakeError::Refused`] for `not-authorized`, [`WakeError::Busy`] for
    /// `service-unavailable`, [`WakeError::Offline`] where nothing came back,
    /// [`WakeError::Forbidden`] for a JID that no request may go to, and
    /// [`WakeError::NotReady`] where the server's own connection is down.
    async fn ask(&self, jid: &str, username: &str, password: &Secret) -> Result<(), WakeError>;

    /// How the server's own connection stands.
    fn standing(&self) -> XmppStanding;
}

/// How the connection to the XMPP server stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmppStanding {
    /// Our own address there; without a resource while there is no connection.
    pub address: Jid,
    /// Why there is no connection, in words.
    pub problem: Option<String>,
}
