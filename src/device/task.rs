//! Tasks: what is asked of one device once, and what became of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Desired, DeviceId};
use crate::param::{ParamPath, Value};
use crate::time::Timestamp;

/// The key of a task: a UUID of version 7, so that keys sort by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskId(pub u128);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        uuid::Uuid::from_u128(self.0).hyphenated().fmt(f)
    }
}

impl TaskId {
    /// The CommandKey (TR-069: at most 32 characters) that ties what a device
    /// tells later to this task.
    pub fn command_key(self) -> String {
        format!("{:032x}", self.0)
    }

    /// The task of a CommandKey, if it has the form of one of ours.
    pub fn of_command_key(key: &str) -> Option<Self> {
        let key = key.trim();
        let sound = key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
        sound.then(|| u128::from_str_radix(key, 16).ok().map(Self)).flatten()
    }
}

impl std::str::FromStr for TaskId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        uuid::Uuid::parse_str(text).map(|id| Self(id.as_u128()))
    }
}

/// The file that a Download brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownloadFile {
    /// The SHA-256 of the content in lower-case hex: the file's key.
    pub sha256: Box<str>,
    /// `FileType` as the standard spells it: `1 Firmware Upgrade Image`.
    pub file_type: Box<str>,
    /// The name under which it was uploaded; also `TargetFileName`.
    pub name: Box<str>,
    /// Its size in bytes.
    pub size: u64,
    /// The software version that the device must report afterwards.
    pub version: Option<Box<str>>,
}

/// A file that is made for a phone which is provisioned by file and speaks CWMP
/// too: a Download brings it, and where it lies is found out when that is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisionedFile {
    /// The phone's hardware address.
    pub mac: [u8; 6],
    /// The name below the phone's folder: `0c383e07e16c.cfg`.
    pub name: Box<str>,
    /// `FileType` as the standard spells it: `3 Vendor Configuration File`.
    pub file_type: Box<str>,
}

/// A change of what a device is to notify about (TR-069 §A.3.2.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeWish {
    /// A parameter, or an object with its trailing dot for all below it.
    pub path: ParamPath,
    /// 0 off, 1 passive, 2 active, 3 to 6 with lightweight notifications; `None`
    /// leaves it as it is.
    pub notification: Option<u8>,
    /// Who but the server may write: `Subscriber`, or nobody; `None` leaves it
    /// as it is.
    pub access_list: Option<Vec<Box<str>>>,
}

/// A file that a device is to send (TR-069 §A.4.1.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadWish {
    /// `FileType` as the standard spells it: `3 Vendor Configuration File 1`.
    pub file_type: Box<str>,
    /// Seconds that the device is to wait before it sends.
    pub delay_seconds: u32,
}

/// When a device may fetch a file (TR-069 §A.4.1.8 TimeWindowStruct), in
/// seconds from its receiving the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferWindow {
    /// First second.
    pub start: u32,
    /// Last second.
    pub end: u32,
    /// `1 At Any Time`, `2 Immediately`, `3 When Idle`, `4 Confirmation Needed`.
    pub mode: Box<str>,
    /// What the user is shown with `4 Confirmation Needed`.
    pub user_message: Box<str>,
    /// How often it may try again: -1 as it likes, 0 not at all.
    pub max_retries: i32,
}

/// One operation on software modules (TR-069 §A.4.1.10). A password stands
/// here in clear, because tasks are sealed whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeploymentWish {
    /// Install a deployment unit.
    Install {
        /// Where it is fetched.
        url: Box<str>,
        /// Its UUID; empty lets the device derive one.
        uuid: Box<str>,
        /// User name at the file server; may be empty.
        username: Box<str>,
        /// Password at the file server; may be empty.
        password: Box<str>,
        /// Path of the execution environment; empty leaves it to the device.
        execution_env: Box<str>,
    },
    /// Update one (by UUID or URL), or all if neither is named.
    Update {
        /// Its UUID; may be empty.
        uuid: Box<str>,
        /// The version to update; may be empty.
        version: Box<str>,
        /// Where the new one is fetched; may be empty.
        url: Box<str>,
        /// User name at the file server; may be empty.
        username: Box<str>,
        /// Password at the file server; may be empty.
        password: Box<str>,
    },
    /// Remove one.
    Uninstall {
        /// Its UUID.
        uuid: Box<str>,
        /// The version to remove; empty for all.
        version: Box<str>,
        /// Path of the execution environment; empty for all.
        execution_env: Box<str>,
    },
}

/// What a device can be asked to find out (TR-143, TR-181 `.Diagnostics.`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DiagnosticKind {
    /// IP ping.
    Ping,
    /// Trace route.
    TraceRoute,
    /// Throughput of a download.
    Download,
    /// Throughput of an upload.
    Upload,
    /// UDP echo, as the client.
    UdpEcho,
    /// Name server look-up.
    NsLookup,
    /// Wi-Fi networks in the neighbourhood.
    WifiNeighbours,
}

impl DiagnosticKind {
    /// The word for it in the northbound and in sentences.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::TraceRoute => "traceroute",
            Self::Download => "download",
            Self::Upload => "upload",
            Self::UdpEcho => "udp_echo",
            Self::NsLookup => "nslookup",
            Self::WifiNeighbours => "wifi_neighbours",
        }
    }
}

/// A diagnostic with what the operator chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Which.
    pub kind: DiagnosticKind,
    /// Input parameters by their name in the data model: `Host`,
    /// `NumberOfRepetitions`.
    pub inputs: Vec<(Box<str>, Box<str>)>,
}

/// Another server to which a device is sent for one session (TR-069 §3.4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirection {
    /// Its URL, `http` or `https`, without user information.
    pub url: Box<str>,
    /// 302 or 307.
    pub status: u16,
}

/// What is to be done. New actions are appended, because records name them by
/// their place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// GetParameterValues of these names or partial paths.
    Get(Vec<ParamPath>),
    /// SetParameterValues, then read back.
    Set(Vec<(ParamPath, Value)>),
    /// Read the names and values below a path again; the whole tree if `None`.
    Refresh(Option<ParamPath>),
    /// AddObject on a table, then set the row's values (by leaf name), then
    /// read back.
    AddObject {
        /// The table, with its trailing dot.
        table: ParamPath,
        /// Values of the new row by name relative to it.
        values: Vec<(Box<str>, Value)>,
    },
    /// DeleteObject of an instance (with its trailing dot).
    DeleteObject(ParamPath),
    /// Download of a stored file.
    Download(DownloadFile),
    /// Reboot.
    Reboot,
    /// FactoryReset.
    FactoryReset,
    /// GetRPCMethods.
    GetRpcMethods,
    /// Download of a file that is made for the phone that the device is.
    Provision(ProvisionedFile),
    /// SetParameterAttributes, then read back.
    SetAttributes(Vec<AttributeWish>),
    /// GetParameterAttributes of these names or partial paths.
    GetAttributes(Vec<ParamPath>),
    /// Upload: the device sends a file to the file door.
    Upload(UploadWish),
    /// ScheduleInform after so many seconds.
    ScheduleInform(u32),
    /// ScheduleDownload of a stored file in one or two windows.
    ScheduleDownload(DownloadFile, Vec<TransferWindow>),
    /// CancelTransfer of the transfer that another task asked for.
    CancelTransfer(TaskId),
    /// GetQueuedTransfers, deprecated.
    GetQueuedTransfers,
    /// GetAllQueuedTransfers.
    GetAllQueuedTransfers,
    /// ChangeDUState, then wait for the results.
    ChangeDuState(Vec<DeploymentWish>),
    /// SetVouchers, deprecated: base64 texts.
    SetVouchers(Vec<Box<str>>),
    /// GetOptions, deprecated: one option, or all if empty.
    GetOptions(Box<str>),
    /// A diagnostic: set, wait for `8 DIAGNOSTICS COMPLETE`, read the results.
    Diagnose(Diagnostic),
    /// No RPC: the device's next Inform is answered by a redirect.
    Redirect(Redirection),
    /// Whatever it takes to bring the device to a state: reading, writing, rows,
    /// attributes; then reading back.
    Converge(Box<Desired>),
}

impl Action {
    /// The word for it in the northbound and the logs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Get(_) => "get",
            Self::Set(_) => "set",
            Self::Refresh(_) => "refresh",
            Self::AddObject { .. } => "add_object",
            Self::DeleteObject(_) => "delete_object",
            Self::Download(_) => "download",
            Self::Reboot => "reboot",
            Self::FactoryReset => "factory_reset",
            Self::GetRpcMethods => "get_rpc_methods",
            Self::Provision(_) => "provision",
            Self::SetAttributes(_) => "set_attributes",
            Self::GetAttributes(_) => "get_attributes",
            Self::Upload(_) => "upload",
            Self::ScheduleInform(_) => "schedule_inform",
            Self::ScheduleDownload(..) => "schedule_download",
            Self::CancelTransfer(_) => "cancel_transfer",
            Self::GetQueuedTransfers => "get_queued_transfers",
            Self::GetAllQueuedTransfers => "get_all_queued_transfers",
            Self::ChangeDuState(_) => "change_du_state",
            Self::SetVouchers(_) => "set_vouchers",
            Self::GetOptions(_) => "get_options",
            Self::Diagnose(_) => "diagnose",
            Self::Redirect(_) => "redirect",
            Self::Converge(_) => "converge",
        }
    }

    /// Whether sending it twice would do it twice: these are recorded as sent
    /// before their bytes leave.
    pub const fn once_only(&self) -> bool {
        matches!(
            self,
            Self::AddObject { .. }
                | Self::Download(_)
                | Self::Provision(_)
                | Self::Reboot
                | Self::FactoryReset
                | Self::Upload(_)
                | Self::ScheduleInform(_)
                | Self::ScheduleDownload(..)
                | Self::ChangeDuState(_)
                | Self::SetVouchers(_)
                | Self::Diagnose(_)
                | Self::Redirect(_)
        )
    }

    /// Whether it is a Download, ScheduleDownload or Upload, which a
    /// TransferComplete ends.
    pub const fn is_transfer(&self) -> bool {
        matches!(
            self,
            Self::Download(_) | Self::Provision(_) | Self::ScheduleDownload(..) | Self::Upload(_)
        )
    }
}

/// A fault that a device gave (TR-069 §A.5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRecord {
    /// The code; 9000 and above by the standard, anything in the field.
    pub code: u32,
    /// The text, cut to a sane length.
    pub text: Box<str>,
    /// SetParameterValuesFault: the parameters that were refused, each with
    /// its own code and text.
    pub parameters: Vec<(Box<str>, u32, Box<str>)>,
}

/// What a sent task waits for. New phases are appended, because records name
/// them by their place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// The answer to the RPC.
    Response,
    /// TransferComplete (TR-069 §A.3.2.8).
    Transfer,
    /// The device to come back from a reboot.
    Boot,
    /// The row that AddObject made still wants its values.
    Row {
        /// The instance that the device gave.
        instance: u32,
    },
    /// Values to be read back.
    ReadBack,
    /// DUStateChangeComplete (TR-069 §A.4.2.3).
    DeploymentUnits,
    /// `8 DIAGNOSTICS COMPLETE`.
    Diagnostics,
    /// `3 SCHEDULED` with the task's CommandKey.
    ScheduledInform,
    /// The answer to an AddObject, one of the steps that a state takes; the rows
    /// that the table had before tell which one it made.
    MakeRow {
        /// The table, with its trailing dot.
        table: ParamPath,
        /// The instances that were there.
        before: Vec<u32>,
    },
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Done, and seen to be so by reading back.
    Applied,
    /// The device said that it will apply it later.
    Accepted,
    /// The device refused, or did not do what it said; with its fault if any.
    Failed(FaultRecord),
    /// It was sent and it cannot be known whether it was done; never repeated.
    Unknown(Box<str>),
    /// The deadline passed before it was sent.
    Expired,
    /// An operator withdrew it before it was sent.
    Cancelled,
}

/// Where a task stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskState {
    /// Waits for the device.
    Queued,
    /// An RPC of it has left; recorded before the bytes did.
    Sent {
        /// When.
        at: Timestamp,
        /// What it waits for.
        phase: Phase,
    },
    /// Over.
    Ended {
        /// When.
        at: Timestamp,
        /// How.
        outcome: Outcome,
    },
}

impl TaskState {
    /// One word: `queued`, `sent`, `applied`, `accepted`, `failed`, `unknown`,
    /// `expired` or `cancelled`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent { .. } => "sent",
            Self::Ended { outcome, .. } => match outcome {
                Outcome::Applied => "applied",
                Outcome::Accepted => "accepted",
                Outcome::Failed(_) => "failed",
                Outcome::Unknown(_) => "unknown",
                Outcome::Expired => "expired",
                Outcome::Cancelled => "cancelled",
            },
        }
    }

    /// Whether the task is over.
    pub const fn is_ended(&self) -> bool {
        matches!(self, Self::Ended { .. })
    }
}

/// One thing asked of one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The key; its text form is the CommandKey of the RPC, without hyphens.
    pub id: TaskId,
    /// The device.
    pub device: DeviceId,
    /// Raised by one with each change; a change on an old revision is refused.
    pub revision: u32,
    /// What to do.
    pub action: Action,
    /// When it was asked.
    pub created_at: Timestamp,
    /// Who asked.
    pub created_by: Box<str>,
    /// When it is to be given up if it was not sent until then.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub state: TaskState,
    /// What there is to tell: the instance made, how the transfer went. One
    /// line each, oldest first; bounded.
    pub notes: Vec<Box<str>>,
    /// What came of it by name: results of a diagnostic, options, transfers in
    /// the queue, deployment units; bounded by [`MAX_RESULTS`].
    pub results: Vec<TaskResult>,
}

/// The most results that a task keeps.
pub const MAX_RESULTS: usize = 1000;

/// One thing that came of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskResult {
    /// What it is: a parameter's name below the diagnostic, an option.
    pub name: Box<str>,
    /// Its value as text; cut to 1,024 characters.
    pub value: Box<str>,
}

impl TaskResult {
    /// A result, cut to its bounds.
    pub fn new(name: &str, value: &str) -> Self {
        let cut = |text: &str, most| text.chars().take(most).collect();
        Self { name: cut(name, 256), value: cut(value, 1024) }
    }
}

impl Task {
    /// The CommandKey (TR-069: at most 32 characters) that ties a later
    /// TransferComplete or `M Reboot` to this task.
    pub fn command_key(&self) -> String {
        self.id.command_key()
    }
}
