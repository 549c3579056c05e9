//! What devices report outside of sessions.

use serde::{Deserialize, Serialize};

use super::DeviceId;
use crate::time::Timestamp;

/// By which way a report came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReportSource {
    /// HTTP bulk data (TR-069 Annex N).
    BulkData,
    /// A lightweight notification (TR-069 Annex M).
    LightweightNotification,
}

/// One report of a device, as history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The device.
    pub device: DeviceId,
    /// When it arrived, by the server's clock.
    pub at: Timestamp,
    /// By which way.
    pub source: ReportSource,
    /// When the device says that it was collected.
    pub collected_at: Option<Timestamp>,
    /// Names and values; secrets are left out, and the whole is bounded.
    pub values: Vec<(Box<str>, Box<str>)>,
    /// How many values there were beyond what is kept.
    pub left_out: u32,
}
