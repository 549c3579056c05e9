//! The files that a device was told to fetch, from the Download to the
//! TransferCompleteResponse.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::image::read_firmware_image;
use crate::cwmp::{Download, FaultCode, TransferComplete};
use crate::device::Secret;
use crate::time::Timestamp;

/// How many transfers are queued before Download is refused with 9004; the
/// standard asks for three at least.
const MAX_QUEUED: usize = 8;

/// The file type whose file is a firmware image.
const FIRMWARE: &str = "1 Firmware Upgrade Image";

/// The file types that are taken.
const KNOWN_TYPES: [&str; 2] = [FIRMWARE, "3 Vendor Configuration File"];

/// The time that is not known (TR-069 §A.2.3.1).
pub(super) const UNKNOWN_TIME: &str = "0001-01-01T00:00:00Z";

/// A file to fetch by HTTP GET.
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
}

/// Why a file could not be fetched.
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
    order: Download,
    stage: Stage,
}

/// What became of the bytes.
pub(super) enum Taken {
    /// An image, in force after the next restart.
    Firmware { version: Box<str>, sha256: Box<str> },
    /// A file that needs no restart.
    Other { file_type: Box<str>, sha256: Box<str> },
}

/// A fetch that is over.
pub(super) struct Done {
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
        check(&order)?;
        if self.queue.len() >= MAX_QUEUED {
            return Err((FaultCode::RESOURCES_EXCEEDED, "too many transfers are queued"));
        }
        let from = now.after(Duration::from_secs(order.delay_seconds.into()));
        self.queue.push(Transfer { order, stage: Stage::Waiting { from } });
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
        let Download { url, username, password, file_size, .. } = transfer.order.clone();
        Some(Fetch { url, username, password, file_size })
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
        let taken =
            result.map_err(FetchFailure::code).and_then(|bytes| take(&transfer.order, bytes));
        let command_key = transfer.order.command_key.clone();
        transfer.stage = match &taken {
            Ok(Taken::Firmware { .. }) => Stage::Applying { since },
            Ok(Taken::Other { .. }) => Stage::Over(report(&command_key, FaultCode(0), since, now)),
            Err(code) => Stage::Over(report(&command_key, *code, since, now)),
        };
        Some(Done { command_key, taken })
    }

    /// The running fetch, if any, broke off with the device: it begins again.
    pub(super) fn interrupted(&mut self, now: Timestamp) {
        for transfer in &mut self.queue {
            if matches!(transfer.stage, Stage::Running { .. }) {
                transfer.stage = Stage::Waiting { from: now };
            }
        }
    }

    /// The image of this CommandKey runs now.
    pub(super) fn complete(&mut self, command_key: &str, now: Timestamp) {
        for transfer in &mut self.queue {
            if let Stage::Applying { since } = transfer.stage
                && *transfer.order.command_key == *command_key
            {
                transfer.stage = Stage::Over(report(command_key, FaultCode(0), since, now));
                return;
            }
        }
    }

    /// The TransferComplete calls that are owed, oldest first.
    pub(super) fn owed(&self) -> Vec<TransferComplete> {
        let owed = self.queue.iter().filter_map(|transfer| match &transfer.stage {
            Stage::Over(report) => Some(report.clone()),
            Stage::Waiting { .. } | Stage::Running { .. } | Stage::Applying { .. } => None,
        });
        owed.collect()
    }

    /// The ACS has answered this TransferComplete.
    pub(super) fn answered(&mut self, report: &TransferComplete) {
        let over =
            |transfer: &Transfer| matches!(&transfer.stage, Stage::Over(told) if told == report);
        if let Some(at) = self.queue.iter().position(over) {
            self.queue.remove(at);
        }
    }
}

/// Why an order is refused at once.
fn check(order: &Download) -> Result<(), (FaultCode, &'static str)> {
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
    if !KNOWN_TYPES.contains(&&*order.file_type) {
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
