//! Tasks: what is asked of one device once, and what became of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::DeviceId;
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
        )
    }

    /// Whether it is a Download, which a TransferComplete ends.
    pub const fn is_transfer(&self) -> bool {
        matches!(self, Self::Download(_) | Self::Provision(_))
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

/// What a sent task waits for.
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
    /// What there is to tell: values read, the instance made, how the transfer
    /// went. One line each, oldest first; bounded.
    pub notes: Vec<Box<str>>,
}

impl Task {
    /// The CommandKey (TR-069: at most 32 characters) that ties a later
    /// TransferComplete or `M Reboot` to this task.
    pub fn command_key(&self) -> String {
        format!("{:032x}", self.id.0)
    }
}
