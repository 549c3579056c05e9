//! What happened in a session.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{DeviceId, EventCode, TaskId};
use crate::time::Timestamp;

/// The most RPCs that are kept of one session; further ones are counted.
pub const MAX_SESSION_RPCS: usize = 250;

/// How an RPC ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RpcOutcome {
    /// It was answered.
    Answered,
    /// It was answered by this fault: the code, and the text without what it may
    /// hold of credentials.
    Fault(u32, Box<str>),
    /// The session ended before the answer.
    Unanswered,
}

/// One RPC of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpcRecord {
    /// Its name: `GetParameterValues`.
    pub method: Box<str>,
    /// Whether the device called it.
    pub by_device: bool,
    /// Milliseconds after the session began.
    pub after: u32,
    /// Milliseconds until the device's next message: of a request of ours, until
    /// its answer.
    pub took: u32,
    /// How it ended.
    pub outcome: RpcOutcome,
    /// The task that it belongs to, if any.
    pub task: Option<TaskId>,
}

/// One session with what was done in it: names, never values. A session in
/// which nothing was asked or told besides the Inform is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// The device.
    pub device: DeviceId,
    /// When its Inform came.
    pub began_at: Timestamp,
    /// Milliseconds until it was over.
    pub took: u32,
    /// From where it came.
    pub address: Option<IpAddr>,
    /// The event codes of the Inform.
    pub events: Vec<EventCode>,
    /// The RPCs in order; bounded.
    pub rpcs: Vec<RpcRecord>,
    /// RPCs beyond those that are kept.
    pub left_out: u32,
    /// How it ended, in words.
    pub end: Box<str>,
}
