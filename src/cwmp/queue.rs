//! What transfers a device has before it: `GetQueuedTransfers`,
//! `GetAllQueuedTransfers` (TR-069 §A.4.1.1, §A.4.1.7).

/// `QueuedTransferStruct` of `GetQueuedTransfersResponse`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedTransfer {
    /// The CommandKey of the Download or Upload.
    pub command_key: Box<str>,
    /// 1 not started, 2 in progress, 3 completed.
    pub state: u32,
}

/// `AllQueuedTransferStruct` of `GetAllQueuedTransfersResponse`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnyQueuedTransfer {
    /// The CommandKey; empty if nobody asked for the transfer.
    pub command_key: Box<str>,
    /// 1 not started, 2 in progress, 3 completed.
    pub state: u32,
    /// To the device, or from it.
    pub is_download: bool,
    /// The file type; numbers here mean other things than in a Download.
    pub file_type: Box<str>,
    /// Bytes; 0 if unknown.
    pub file_size: u64,
    /// The name that it is stored under.
    pub target_file_name: Box<str>,
}
