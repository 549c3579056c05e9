//! Messages of a session as they crossed the wire.

use serde::{Deserialize, Serialize};

use super::DeviceId;
use crate::time::Timestamp;

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TraceDirection {
    /// The device.
    FromDevice,
    /// The server.
    ToDevice,
}

/// One message, kept while a trace of the device is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEntry {
    /// The device.
    pub device: DeviceId,
    /// When the session's Inform came: entries of a session share it.
    pub session: Timestamp,
    /// When the message came or left.
    pub at: Timestamp,
    /// Who sent it.
    pub direction: TraceDirection,
    /// The message in one sentence, without values.
    pub sentence: Box<str>,
    /// The body with its secrets masked; empty for an empty message, and for one
    /// that was not understood from its first byte on.
    pub body: Box<str>,
    /// Bytes of the body as it crossed the wire.
    pub size: u32,
    /// Whether the body is there to its end.
    pub is_whole: bool,
}
