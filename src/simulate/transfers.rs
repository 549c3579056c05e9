//! The files that a device was told to fetch, from the Download to the
//! TransferCompleteResponse.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::image::read_firmware_image;
use crate::cwmp::{
    AnyQueuedTransfer, Download, FaultCode, QueuedTransfer, ScheduleDownload, TransferComplete,
    Upload,
};
use crate::device::Secret;
use crate::time::Timestamp;

/// How many transfers are queued before Download is refused with 9004; the
/// standard asks for three at least.
const MAX_QUEUED: usize = 8;

/// The file type whose file is a firmware image.
const FIRMWARE: &str = "1 Firmware Upgrade Image";

/// The file types that are taken.
const KNOWN_TYPES: [&str; 2] = [FIRMWARE, "3 Vendor Configuration File"];

/// The file types that are sent.
const SENT_TYPES: [&str; 4] = [
    "1 Vendor Configuration File",
    "2 Vendor Log File",
    "3 Vendor Configuration File",
    "4 Vendor Log File",
];

/// The time that is not known (TR-069 §A.2.3.1).
pub(super) const UNKNOWN_TIME: &str = "0001-01-01T00:00:00Z";

/// A file to fetch by HTTP GET, or to send by HTTP PUT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Where it lies.
    pub url: Box<str>,
    /// What to show when the file server asks; empty for nothing.
    pub username: Box<str>,
    /// The password to it.
    pub password: Secret,
    /// Its size in bytes, 0 if unknown.
    pub file_size: u64,
    /// The type of the file that is to be sent; `None` if it is fetched.
    pub sends: Option<Box<str>>,
    /// What is to be sent.
    pub content: Box<[u8]>,
}

/// Why a file could not be fetched or sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFailure {
    /// The file server cannot be reached.
    #[error("the file server cannot be reached")]
    Unreachable,
    /// The file server does not accept the credentials.
    #[error("the file server does not accept the credentials")]
    Unauthorized,
    /// The file server has no such file.
    #[error("the file server has no such file")]
    Missing,
    /// The transfer broke off, or the file is larger than a device takes.
    #[error("the transfer broke off")]
    Broken,
}

impl FetchFailure {
    /// What it means to whoever asked.
    pub const fn class(self) -> crate::class::Class {
        crate::class::Class::Upstream
    }

    /// What TransferComplete tells of it (TR-069 §A.5.1).
    pub const fn code(self) -> FaultCode {
        match self {
            Self::Unauthorized => FaultCode(9012),
            Self::Unreachable => FaultCode(9015),
            Self::Missing => FaultCode(9016),
            Self::Broken => FaultCode(9017),
        }
    }
}

/// How far a transfer has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Waiting {
        from: Timestamp,
    },
    Running {
        since: Timestamp,
    },
    /// The image is here and runs after the next restart.
    Applying {
        since: Timestamp,
    },
    /// TransferComplete is owed.
    Over(TransferComplete),
}

#[derive(Clone, Debug)]
struct Transfer {
    /// The method that asked for it.
    method: &'static str,
    order: Download,
    stage: Stage,
}

/// What became of the bytes.
pub(super) enum Taken {
    /// An image, in force after the next restart.
    Firmware { version: Box<str>, sha256: Box<str> },
    /// A file that was sent.
    Sent { file_type: Box<str> },
    /// A file that needs no restart.
    Other { file_type: Box<str>, sha256: Box<str> },
}

/// A fetch that is over.
pub(super) struct Done {
    pub(super) method: &'static str,
    pub(super) command_key: Box<str>,
    pub(super) taken: Result<Taken, FaultCode>,
}

/// The transfers of a device, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Transfers {
    queue: Vec<Transfer>,
}

impl Transfers {
    /// Takes an order, or says why not (TR-069 §A.3.2.8).
    pub(super) fn order(
        &mut self,
        order: Download,
        now: Timestamp,
    ) -> Result<(), (FaultCode, &'static str)> {
        check(&order, &KNOWN_TYPES)?;
        self.queue("Download", order, now)
    }

    /// Takes a ScheduleDownload; it begins when its first window does.
    pub(super) fn schedule(
        &mut self,
        order: ScheduleDownload,
        now: Timestamp,
    ) -> Result<(), (FaultCode, &'static str)> {
        let Some(first) = order.windows.first() else {
            return Err((FaultCode::INVALID_ARGUMENTS, "there is no window"));
        };
        let free_from = order.windows.get(1).map_or(u32::MAX, |second| second.start);
        if first.end > free_from || order.windows.iter().any(|one| one.end <= one.start) {
            return Err((FaultCode::INVALID_ARGUMENTS, "the windows overlap"));
        }
        let order = Download {
            delay_seconds: first.start,
            command_key: order.command_key,
            file_type: order.file_type,
            url: order.url,
            username: order.username,
            password: order.password,
            file_size: order.file_size,
            target_file_name: order.target_file_name,
        };
        check(&order, &KNOWN_TYPES)?;
        self.queue("ScheduleDownload", order, now)
    }

    /// Takes an Upload.
    pub(super) fn send(
        &mut self,
        order: Upload,
        now: Timestamp,
    ) -> Result<(), (FaultCode, &'static str)> {
        let order = Download {
            command_key: order.command_key,
            file_type: order.file_type,
            url: order.url,
            username: order.username,
            password: order.password,
            delay_seconds: order.delay_seconds,
            ..Download::default()
        };
        check(&order, &SENT_TYPES)?;
        self.queue("Upload", order, now)
    }

    /// Lets go of the transfers with a CommandKey that have not begun.
    pub(super) fn cancel(&mut self, command_key: &str) -> Result<(), (FaultCode, &'static str)> {
        let is_it = |transfer: &Transfer| *transfer.order.command_key == *command_key;
        let begun = |transfer: &Transfer| !matches!(transfer.stage, Stage::Waiting { .. });
        if self.queue.iter().any(|transfer| is_it(transfer) && begun(transfer)) {
            return Err((FaultCode(9021), "the transfer has begun"));
        }
        self.queue.retain(|transfer| !is_it(transfer));
        Ok(())
    }

    /// What is before it, as GetQueuedTransfers tells it.
    pub(super) fn queued(&self) -> Vec<QueuedTransfer> {
        let all = self.all_queued().into_iter();
        all.map(|one| QueuedTransfer { command_key: one.command_key, state: one.state }).collect()
    }

    /// What is before it, as GetAllQueuedTransfers tells it.
    pub(super) fn all_queued(&self) -> Vec<AnyQueuedTransfer> {
        let told = |transfer: &Transfer| AnyQueuedTransfer {
            command_key: transfer.order.command_key.clone(),
            state: match transfer.stage {
                Stage::Waiting { .. } => 1,
                Stage::Running { .. } | Stage::Applying { .. } => 2,
                Stage::Over(_) => 3,
            },
            is_download: transfer.method != "Upload",
            file_type: transfer.order.file_type.clone(),
            file_size: transfer.order.file_size,
            target_file_name: transfer.order.target_file_name.clone(),
        };
        self.queue.iter().map(told).collect()
    }

    fn queue(
        &mut self,
        method: &'static str,
        order: Download,
        now: Timestamp,
    ) -> Result<(), (FaultCode, &'static str)> {
        if self.queue.len() >= MAX_QUEUED {
            return Err((FaultCode::RESOURCES_EXCEEDED, "too many transfers are queued"));
        }
        let from = now.after(Duration::from_secs(order.delay_seconds.into()));
        self.queue.push(Transfer { method, order, stage: Stage::Waiting { from } });
        Ok(())
    }

    /// The next file to fetch, if its time has come; one at a time.
    pub(super) fn start(&mut self, now: Timestamp) -> Option<Fetch> {
        if self.queue.iter().any(|transfer| matches!(transfer.stage, Stage::Running { .. })) {
            return None;
        }
        let due = |transfer: &&mut Transfer| matches!(transfer.stage, Stage::Waiting { from } if from <= now);
        let transfer = self.queue.iter_mut().find(due)?;
        transfer.stage = Stage::Running { since: now };
        let Download { url, username, password, file_size, file_type, .. } = transfer.order.clone();
        let sends = (transfer.method == "Upload").then_some(file_type);
        Some(Fetch { url, username, password, file_size, sends, content: Box::default() })
    }

    /// When the next file is due.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let times = self.queue.iter().filter_map(|transfer| match transfer.stage {
            Stage::Waiting { from } => Some(from),
            Stage::Running { .. } | Stage::Applying { .. } | Stage::Over(_) => None,
        });
        times.min()
    }

    /// The running fetch is over. `None` if there is none.
    pub(super) fn finish(
        &mut self,
        result: Result<&[u8], FetchFailure>,
        now: Timestamp,
    ) -> Option<Done> {
        let (transfer, since) =
            self.queue.iter_mut().find_map(|transfer| match transfer.stage {
                Stage::Running { since } => Some((transfer, since)),
                Stage::Waiting { .. } | Stage::Applying { .. } | Stage::Over(_) => None,
            })?;
        let sends = transfer.method == "Upload";
        let file_type = transfer.order.file_type.clone();
        let taken = match result {
            Ok(_) if sends => Ok(Taken::Sent { file_type }),
            Ok(bytes) => take(&transfer.order, bytes),
            Err(FetchFailure::Unauthorized) => Err(FetchFailure::Unauthorized.code()),
            Err(_) if sends => Err(FaultCode(9011)),
            Err(failure) => Err(failure.code()),
        };
        let command_key = transfer.order.command_key.clone();
        transfer.stage = match &taken {
            Ok(Taken::Firmware { .. }) => Stage::Applying { since },
            Ok(Taken::Other { .. } | Taken::Sent { .. }) => {
                Stage::Over(report(&command_key, FaultCode(0), since, now))
            }
            Err(code) => Stage::Over(report(&command_key, *code, since, now)),
        };
        Some(Done { method: transfer.method, command_key, taken })
    }

    /// The running fetch, if any, broke off with the device: it begins again.
    pub(super) fn interrupted(&mut self, now: Timestamp) {
        for transfer in &mut self.queue {
            if matches!(transfer.stage, Stage::Running { .. }) {
                transfer.stage = Stage::Waiting { from: now };
            }
        }
    }

    /// The image of this CommandKey runs now. Returns the method that asked for
    /// it.
    pub(super) fn complete(&mut self, command_key: &str, now: Timestamp) -> Option<&'static str> {
        for transfer in &mut self.queue {
            if let Stage::Applying { since } = transfer.stage
                && *transfer.order.command_key == *command_key
            {
                transfer.stage = Stage::Over(report(command_key, FaultCode(0), since, now));
                return Some(transfer.method);
            }
        }
        None
    }

    /// The TransferComplete calls that are owed, oldest first.
    pub(super) fn owed(&self) -> Vec<TransferComplete> {
        let owed = self.queue.iter().filter_map(|transfer| match &transfer.stage {
            Stage::Over(report) => Some(report.clone()),
            Stage::Waiting { .. } | Stage::Running { .. } | Stage::Applying { .. } => None,
        });
        owed.collect()
    }

    /// The ACS has answered this TransferComplete. Returns the method that asked
    /// for the transfer.
    pub(super) fn answered(&mut self, report: &TransferComplete) -> Option<&'static str> {
        let over =
            |transfer: &Transfer| matches!(&transfer.stage, Stage::Over(told) if told == report);
        let at = self.queue.iter().position(over)?;
        Some(self.queue.remove(at).method)
    }
}

/// Why an order is refused at once.
fn check(order: &Download, types: &[&str]) -> Result<(), (FaultCode, &'static str)> {
    let invalid = |text| Err((FaultCode::INVALID_ARGUMENTS, text));
    let Some((scheme, rest)) = order.url.split_once("://") else {
        return invalid("the URL has no scheme");
    };
    if !matches!(scheme, "http" | "https") {
        return Err((FaultCode(9013), "only HTTP and HTTPS are supported"));
    }
    let authority = rest.split('/').next().unwrap_or(rest);
    if authority.contains('@') {
        return invalid("the URL holds user information");
    }
    if order.url.chars().count() > 256 || order.command_key.chars().count() > 32 {
        return invalid("an argument is too long");
    }
    let is_known = |known: &&str| {
        // `3 Vendor Configuration File 1`: the instance does not matter.
        let rest = order.file_type.strip_prefix(*known);
        rest.is_some_and(|rest| rest.trim().bytes().all(|byte| byte.is_ascii_digit()))
    };
    if !types.iter().any(is_known) {
        return invalid("the file type is not supported");
    }
    Ok(())
}

/// Uses the bytes of a file.
fn take(order: &Download, bytes: &[u8]) -> Result<Taken, FaultCode> {
    const UNUSABLE: FaultCode = FaultCode(9018);
    if order.file_size != 0 && u64::try_from(bytes.len()).ok() != Some(order.file_size) {
        return Err(UNUSABLE);
    }
    let sha256 = hex::encode(Sha256::digest(bytes)).into();
    if *order.file_type != *FIRMWARE {
        return Ok(Taken::Other { file_type: order.file_type.clone(), sha256 });
    }
    let version = read_firmware_image(bytes).map_err(|_| UNUSABLE)?;
    Ok(Taken::Firmware { version: version.into(), sha256 })
}

fn report(
    command_key: &str,
    code: FaultCode,
    since: Timestamp,
    now: Timestamp,
) -> TransferComplete {
    let fault_string = match code.0 {
        0 => "",
        9012 => "the file server does not accept the credentials",
        9015 => "the file server cannot be reached",
        9016 => "the file server has no such file",
        9011 => "the file server did not take the file",
        9018 => "the file is of no use",
        _ => "the transfer broke off",
    };
    TransferComplete {
        command_key: command_key.into(),
        fault_code: code,
        fault_string: fault_string.into(),
        start_time: since.to_string().into(),
        complete_time: now.to_string().into(),
    }
}
