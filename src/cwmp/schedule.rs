//! RPCs about later: `ScheduleInform`, `ScheduleDownload`, `CancelTransfer`
//! (TR-069 §A.4.1.2, §A.4.1.8, §A.4.1.9).

use crate::device::Secret;

/// `ScheduleInform`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleInform {
    /// Seconds from now; above 0.
    pub delay_seconds: u32,
    /// Comes back with the `M ScheduleInform` event; at most 32 characters.
    pub command_key: Box<str>,
}

/// `ScheduleDownload`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleDownload {
    /// Ties the TransferComplete to this request; at most 32 characters.
    pub command_key: Box<str>,
    /// `1 Firmware Upgrade Image` and the like.
    pub file_type: Box<str>,
    /// Where the file lies; no user information in it.
    pub url: Box<str>,
    /// The user name at the file server; empty if none is needed.
    pub username: Box<str>,
    /// The password at the file server.
    pub password: Secret,
    /// Bytes; 0 if unknown.
    pub file_size: u64,
    /// The name to store it under; empty if the device decides.
    pub target_file_name: Box<str>,
    /// When it may happen: one or two windows that do not overlap.
    pub windows: Vec<TimeWindow>,
}

/// `TimeWindowStruct`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeWindow {
    /// Seconds from the receipt of the request.
    pub start: u32,
    /// Seconds from the receipt of the request.
    pub end: u32,
    /// `1 At Any Time`, `2 Immediately`, `3 When Idle`, `4 Confirmation Needed`.
    pub mode: Box<str>,
    /// What to ask the user in the mode `4 Confirmation Needed`.
    pub user_message: Box<str>,
    /// Tries after the first; -1 leaves it to the device.
    pub max_retries: i32,
}

/// `CancelTransfer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelTransfer {
    /// The CommandKey of the transfers to cancel.
    pub command_key: Box<str>,
}
