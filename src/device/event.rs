//! Event codes of an Inform (TR-069 §3.7.1.5) and the history of a device.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::DeviceId;
use crate::time::Timestamp;

/// Why a device opened a session. Unknown codes are kept as text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventCode {
    /// `0 BOOTSTRAP`: first contact, or factory reset, or a new ACS URL.
    Bootstrap,
    /// `1 BOOT`.
    Boot,
    /// `2 PERIODIC`.
    Periodic,
    /// `3 SCHEDULED`.
    Scheduled,
    /// `4 VALUE CHANGE`.
    ValueChange,
    /// `5 KICKED`.
    Kicked,
    /// `6 CONNECTION REQUEST`.
    ConnectionRequest,
    /// `7 TRANSFER COMPLETE`.
    TransferComplete,
    /// `8 DIAGNOSTICS COMPLETE`.
    DiagnosticsComplete,
    /// `9 REQUEST DOWNLOAD`.
    RequestDownload,
    /// `10 AUTONOMOUS TRANSFER COMPLETE`.
    AutonomousTransferComplete,
    /// `11 DU STATE CHANGE COMPLETE`.
    DuStateChangeComplete,
    /// `12 AUTONOMOUS DU STATE CHANGE COMPLETE`.
    AutonomousDuStateChangeComplete,
    /// `13 WAKEUP`.
    Wakeup,
    /// `14 HEARTBEAT`.
    Heartbeat,
    /// `M Reboot`, `M Download` and the like: the method's name.
    Method(Box<str>),
    /// Anything else, as it came.
    Other(Box<str>),
}

impl EventCode {
    /// Reads a code; case and surrounding blanks do not matter, and of the
    /// numbered codes the number decides.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let (head, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        match head {
            "0" => Self::Bootstrap,
            "1" => Self::Boot,
            "2" => Self::Periodic,
            "3" => Self::Scheduled,
            "4" => Self::ValueChange,
            "5" => Self::Kicked,
            "6" => Self::ConnectionRequest,
            "7" => Self::TransferComplete,
            "8" => Self::DiagnosticsComplete,
            "9" => Self::RequestDownload,
            "10" => Self::AutonomousTransferComplete,
            "11" => Self::DuStateChangeComplete,
            "12" => Self::AutonomousDuStateChangeComplete,
            "13" => Self::Wakeup,
            "14" => Self::Heartbeat,
            "M" | "m" if !rest.trim().is_empty() => {
                Self::Method(rest.trim().chars().take(64).collect())
            }
            _ => Self::Other(text.chars().take(64).collect()),
        }
    }
}

impl fmt::Display for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bootstrap => "0 BOOTSTRAP",
            Self::Boot => "1 BOOT",
            Self::Periodic => "2 PERIODIC",
            Self::Scheduled => "3 SCHEDULED",
            Self::ValueChange => "4 VALUE CHANGE",
            Self::Kicked => "5 KICKED",
            Self::ConnectionRequest => "6 CONNECTION REQUEST",
            Self::TransferComplete => "7 TRANSFER COMPLETE",
            Self::DiagnosticsComplete => "8 DIAGNOSTICS COMPLETE",
            Self::RequestDownload => "9 REQUEST DOWNLOAD",
            Self::AutonomousTransferComplete => "10 AUTONOMOUS TRANSFER COMPLETE",
            Self::DuStateChangeComplete => "11 DU STATE CHANGE COMPLETE",
            Self::AutonomousDuStateChangeComplete => "12 AUTONOMOUS DU STATE CHANGE COMPLETE",
            Self::Wakeup => "13 WAKEUP",
            Self::Heartbeat => "14 HEARTBEAT",
            Self::Method(method) => return write!(f, "M {method}"),
            Self::Other(text) => text,
        })
    }
}

/// One line in the history of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The device.
    pub device: DeviceId,
    /// When it happened, by the server's clock.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
}

/// What can happen to a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// An Inform with these codes; purely periodic ones are not kept.
    Inform(Vec<EventCode>),
    /// The device was seen for the first time.
    FirstContact,
    /// The software version changed.
    SoftwareChanged {
        /// The version before.
        from: Box<str>,
        /// The version now.
        to: Box<str>,
    },
    /// Something that an operator should look at; the text says what.
    Alarm(Box<str>),
    /// The device told something by an RPC of its own that is kept as history:
    /// an autonomous transfer, a request for a download.
    Told(Box<str>),
    /// It has strayed from what is wanted of it; the text names what differs,
    /// without values.
    Drifted(Box<str>),
    /// What had strayed is as it is wanted again.
    Repaired(Box<str>),
    /// The device was taken in, and why: it was expected, or an operator or a
    /// rule adopted it.
    TakenIn(Box<str>),
}

impl EventKind {
    /// The word for each kind.
    pub const WORDS: [&str; 8] = [
        "inform",
        "first_contact",
        "software_changed",
        "alarm",
        "told",
        "drifted",
        "repaired",
        "taken_in",
    ];

    /// The word for programs and filters.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Inform(_) => "inform",
            Self::FirstContact => "first_contact",
            Self::SoftwareChanged { .. } => "software_changed",
            Self::Alarm(_) => "alarm",
            Self::Told(_) => "told",
            Self::Drifted(_) => "drifted",
            Self::Repaired(_) => "repaired",
            Self::TakenIn(_) => "taken_in",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back_and_tolerate_case() {
        for number in 0..15 {
            let code = EventCode::parse(&format!("{number} whatever"));
            assert_eq!(EventCode::parse(&code.to_string()), code);
            assert!(!matches!(code, EventCode::Other(_)), "{number}");
        }
        assert_eq!(EventCode::parse("\n 2 periodic "), EventCode::Periodic);
        assert_eq!(EventCode::parse("M Download").to_string(), "M Download");
        assert_eq!(EventCode::parse("X 00D09E Odd"), EventCode::Other("X 00D09E Odd".into()));
    }
}
