//! RPCs about later: `ScheduleInform`, `ScheduleDownload`, `CancelTransfer`
//! (TR-069 §A.4.1.2, §A.4.1.8, §A.4.1.9).

use super::read::{ReadError, Scanner};
use super::write::Writer;
use crate::device::Secret;

/// `ScheduleInform`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScheduleInform {
    /// Seconds from now; above 0.
    pub delay_seconds: u32,
    /// Comes back with the `M ScheduleInform` event; at most 32 characters.
    pub command_key: Box<str>,
}

/// `ScheduleDownload`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CancelTransfer {
    /// The CommandKey of the transfers to cancel.
    pub command_key: Box<str>,
}

impl ScheduleInform {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            match tag.local() {
                "DelaySeconds" => one.delay_seconds = xml.number()?,
                "CommandKey" => one.command_key = xml.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.number("DelaySeconds", self.delay_seconds);
        xml.text("CommandKey", &self.command_key);
    }
}

impl ScheduleDownload {
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
                "TimeWindowList" => {
                    one.windows = xml.list(|xml, _| TimeWindow::read(xml).map(Some))?;
                }
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
        xml.array("TimeWindowList", "cwmp:TimeWindowStruct", &self.windows, |xml, one| {
            xml.element("TimeWindowStruct", |xml| one.write(xml));
        });
    }
}

impl TimeWindow {
    fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            match tag.local() {
                "WindowStart" => one.start = xml.number()?,
                "WindowEnd" => one.end = xml.number()?,
                "WindowMode" => one.mode = xml.text()?,
                "UserMessage" => one.user_message = xml.text()?,
                "MaxRetries" => one.max_retries = xml.number()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }

    fn write(&self, xml: &mut Writer) {
        xml.number("WindowStart", self.start);
        xml.number("WindowEnd", self.end);
        xml.text("WindowMode", &self.mode);
        xml.text("UserMessage", &self.user_message);
        xml.number("MaxRetries", self.max_retries);
    }
}

impl CancelTransfer {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            if tag.local() == "CommandKey" {
                one.command_key = xml.text()?;
            }
            Ok(())
        })?;
        Ok(one)
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.text("CommandKey", &self.command_key);
    }
}
