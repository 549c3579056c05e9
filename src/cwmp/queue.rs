//! What transfers a device has before it: `GetQueuedTransfers`,
//! `GetAllQueuedTransfers` (TR-069 §A.4.1.1, §A.4.1.7).

use super::read::{ReadError, Scanner};
use super::write::Writer;

/// `QueuedTransferStruct` of `GetQueuedTransfersResponse`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueuedTransfer {
    /// The CommandKey of the Download or Upload.
    pub command_key: Box<str>,
    /// 1 not started, 2 in progress, 3 completed.
    pub state: u32,
}

/// `AllQueuedTransferStruct` of `GetAllQueuedTransfersResponse`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

impl QueuedTransfer {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            match tag.local() {
                "CommandKey" => one.command_key = xml.text()?,
                "State" => one.state = xml.number()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }

    fn write(&self, xml: &mut Writer) {
        xml.text("CommandKey", &self.command_key);
        xml.number("State", self.state);
    }
}

impl QueuedTransfer {
    /// Writes a `TransferList`.
    pub(super) fn write_list(xml: &mut Writer, list: &[Self]) {
        xml.array("TransferList", "cwmp:QueuedTransferStruct", list, |xml, one| {
            xml.element("QueuedTransferStruct", |xml| one.write(xml));
        });
    }
}

impl AnyQueuedTransfer {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            match tag.local() {
                "CommandKey" => one.command_key = xml.text()?,
                "State" => one.state = xml.number()?,
                "IsDownload" => one.is_download = xml.boolean()?,
                "FileType" => one.file_type = xml.text()?,
                "FileSize" => one.file_size = xml.number()?,
                "TargetFileName" => one.target_file_name = xml.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }

    fn write(&self, xml: &mut Writer) {
        xml.text("CommandKey", &self.command_key);
        xml.number("State", self.state);
        xml.boolean("IsDownload", self.is_download);
        xml.text("FileType", &self.file_type);
        xml.number("FileSize", self.file_size);
        xml.text("TargetFileName", &self.target_file_name);
    }
}

impl AnyQueuedTransfer {
    /// Writes a `TransferList`.
    pub(super) fn write_list(xml: &mut Writer, list: &[Self]) {
        xml.array("TransferList", "cwmp:AllQueuedTransferStruct", list, |xml, one| {
            xml.element("AllQueuedTransferStruct", |xml| one.write(xml));
        });
    }
}
