//! `Inform` (TR-069 §A.3.3.1).

use super::parameters::ParameterValue;
use crate::device::{DeviceIdentity, EventCode};

/// A device opens a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Inform {
    /// Who it is.
    pub device: DeviceIdentity,
    /// Why it calls, without repetitions of single events (Q15); may be empty.
    pub events: Vec<InformEvent>,
    /// The device's clock as it wrote it; never trusted for order (Q13).
    pub current_time: Box<str>,
    /// Failed attempts since the last successful session.
    pub retry_count: u32,
    /// The parameters that ride along.
    pub parameters: Vec<ParameterValue>,
}

/// One event with its CommandKey, which is empty unless the code is `M …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InformEvent {
    /// The code.
    pub code: EventCode,
    /// The CommandKey of the RPC that caused it.
    pub command_key: Box<str>,
}

impl Inform {
    /// Whether an event of this code is among the reasons.
    pub fn has(&self, code: &EventCode) -> bool {
        self.events.iter().any(|event| event.code == *code)
    }
}
