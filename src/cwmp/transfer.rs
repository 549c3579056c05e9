//! File transfers: `Download`, `Upload`, `TransferComplete`,
//! `AutonomousTransferComplete`, `RequestDownload` (TR-069 §A.3.2.8, §A.4.1.5,
//! §A.3.3.2, §A.3.3.3, §A.4.2.2).

use super::fault::FaultCode;
use crate::device::Secret;

/// `Download`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
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
    /// Seconds to wait before the transfer.
    pub delay_seconds: u32,
}

/// `DownloadResponse` and `UploadResponse`: status 0 means done, 1 that a
/// TransferComplete follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferResponse {
    /// 0 done and applied, 1 later.
    pub status: u32,
    /// When it began, as the device wrote it.
    pub start_time: Box<str>,
    /// When it ended, as the device wrote it.
    pub complete_time: Box<str>,
}

/// `TransferComplete`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferComplete {
    /// The CommandKey of the Download; may be empty or unknown (Q38).
    pub command_key: Box<str>,
    /// 0 on success.
    pub fault_code: FaultCode,
    /// Empty on success.
    pub fault_string: Box<str>,
    /// When it began, as the device wrote it.
    pub start_time: Box<str>,
    /// When it ended, as the device wrote it.
    pub complete_time: Box<str>,
}

/// `Upload`: the device sends a file by HTTP PUT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Ties the TransferComplete to this request; at most 32 characters.
    pub command_key: Box<str>,
    /// `3 Vendor Configuration File 1`, `4 Vendor Log File 1` and the like.
    pub file_type: Box<str>,
    /// Where to send it; no user information in it.
    pub url: Box<str>,
    /// The user name at the file server; empty if none is needed.
    pub username: Box<str>,
    /// The password at the file server.
    pub password: Secret,
    /// Seconds to wait before the transfer.
    pub delay_seconds: u32,
}

/// `AutonomousTransferComplete`: a transfer that the server did not ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutonomousTransferComplete {
    /// Where the device learned of the file; may be empty.
    pub announce_url: Box<str>,
    /// Where the file came from or went to.
    pub transfer_url: Box<str>,
    /// To the device, or from it.
    pub is_download: bool,
    /// The file type; numbers here mean other things than in a Download.
    pub file_type: Box<str>,
    /// Bytes; 0 if unknown.
    pub file_size: u64,
    /// The name that it is stored under.
    pub target_file_name: Box<str>,
    /// 0 on success.
    pub fault_code: FaultCode,
    /// Empty on success.
    pub fault_string: Box<str>,
    /// When it began, as the device wrote it.
    pub start_time: Box<str>,
    /// When it ended, as the device wrote it.
    pub complete_time: Box<str>,
}

/// `RequestDownload`: the device would like a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestDownload {
    /// `1 Firmware Upgrade Image` and the like.
    pub file_type: Box<str>,
    /// `FileTypeArg`: names and values that describe the file.
    pub arguments: Vec<(Box<str>, Box<str>)>,
}
