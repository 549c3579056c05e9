//! File transfers: `Download`, `Upload`, `TransferComplete`,
//! `AutonomousTransferComplete`, `RequestDownload` (TR-069 §A.3.2.8, §A.4.1.5,
//! §A.3.3.2, §A.3.3.3, §A.4.2.2).

use super::fault::FaultCode;
use super::read::{ReadError, Scanner};
use super::write::Writer;
use crate::device::Secret;

/// `Download`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransferResponse {
    /// 0 done and applied, 1 later.
    pub status: u32,
    /// When it began, as the device wrote it.
    pub start_time: Box<str>,
    /// When it ended, as the device wrote it.
    pub complete_time: Box<str>,
}

/// `TransferComplete`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestDownload {
    /// `1 Firmware Upgrade Image` and the like.
    pub file_type: Box<str>,
    /// `FileTypeArg`: names and values that describe the file.
    pub arguments: Vec<(Box<str>, Box<str>)>,
}

impl Download {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            match tag.local() {
                "CommandKey" => one.command_key = xml.text()?,
                "FileType" => one.file_type = xml.text()?,
                "URL" => one.url = xml.text()?,
                "Username" => one.username = xml.text()?,
                "Password" => one.password = Secret::new(xml.text()?),
                "FileSize" => one.file_size = xml.number()?,
                "TargetFileName" => one.target_file_name = xml.text()?,
                "DelaySeconds" => one.delay_seconds = xml.number()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.text("CommandKey", &self.command_key);
        xml.text("FileType", &self.file_type);
        xml.text("URL", &self.url);
        xml.text("Username", &self.username);
        xml.text("Password", self.password.expose());
        xml.number("FileSize", self.file_size);
        xml.text("TargetFileName", &self.target_file_name);
        xml.number("DelaySeconds", self.delay_seconds);
        // For a browser that waits; there is none.
        xml.text("SuccessURL", "");
        xml.text("FailureURL", "");
    }
}

impl TransferResponse {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            match tag.local() {
                "Status" => one.status = xml.number()?,
                "StartTime" => one.start_time = xml.text()?,
                "CompleteTime" => one.complete_time = xml.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.number("Status", self.status);
        xml.text("StartTime", &self.start_time);
        xml.text("CompleteTime", &self.complete_time);
    }
}

impl TransferComplete {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            match tag.local() {
                "CommandKey" => one.command_key = xml.text()?,
                "FaultStruct" => (one.fault_code, one.fault_string) = FaultCode::read_struct(xml)?,
                "StartTime" => one.start_time = xml.text()?,
                "CompleteTime" => one.complete_time = xml.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.text("CommandKey", &self.command_key);
        self.fault_code.write_struct(xml, "FaultStruct", &self.fault_string);
        xml.text("StartTime", &self.start_time);
        xml.text("CompleteTime", &self.complete_time);
    }
}

impl Upload {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            match tag.local() {
                "CommandKey" => one.command_key = xml.text()?,
                "FileType" => one.file_type = xml.text()?,
                "URL" => one.url = xml.text()?,
                "Username" => one.username = xml.text()?,
                "Password" => one.password = Secret::new(xml.text()?),
                "DelaySeconds" => one.delay_seconds = xml.number()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.text("CommandKey", &self.command_key);
        xml.text("FileType", &self.file_type);
        xml.text("URL", &self.url);
        xml.text("Username", &self.username);
        xml.text("Password", self.password.expose());
        xml.number("DelaySeconds", self.delay_seconds);
    }
}

impl AutonomousTransferComplete {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            match tag.local() {
                "AnnounceURL" => one.announce_url = xml.text()?,
                "TransferURL" => one.transfer_url = xml.text()?,
                "IsDownload" => one.is_download = xml.boolean()?,
                "FileType" => one.file_type = xml.text()?,
                "FileSize" => one.file_size = xml.number()?,
                "TargetFileName" => one.target_file_name = xml.text()?,
                "FaultStruct" => (one.fault_code, one.fault_string) = FaultCode::read_struct(xml)?,
                "StartTime" => one.start_time = xml.text()?,
                "CompleteTime" => one.complete_time = xml.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.text("AnnounceURL", &self.announce_url);
        xml.text("TransferURL", &self.transfer_url);
        xml.boolean("IsDownload", self.is_download);
        xml.text("FileType", &self.file_type);
        xml.number("FileSize", self.file_size);
        xml.text("TargetFileName", &self.target_file_name);
        self.fault_code.write_struct(xml, "FaultStruct", &self.fault_string);
        xml.text("StartTime", &self.start_time);
        xml.text("CompleteTime", &self.complete_time);
    }
}

impl RequestDownload {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            match tag.local() {
                "FileType" => one.file_type = xml.text()?,
                "FileTypeArg" => one.arguments = xml.list(|xml, _| read_argument(xml).map(Some))?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.text("FileType", &self.file_type);
        xml.array("FileTypeArg", "cwmp:ArgStruct", &self.arguments, |xml, (name, value)| {
            xml.element("ArgStruct", |xml| {
                xml.text("Name", name);
                xml.text("Value", value);
            });
        });
    }
}

/// Reads an `ArgStruct`.
fn read_argument(xml: &mut Scanner<'_>) -> Result<(Box<str>, Box<str>), ReadError> {
    let (mut name, mut value) = <(Box<str>, Box<str>)>::default();
    xml.members(|xml, tag| {
        match tag.local() {
            "Name" => name = xml.text()?,
            "Value" => value = xml.text()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok((name, value))
}
