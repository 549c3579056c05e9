//! What a device tells and asks by requests of its own (TR-069 §A.3.3, §A.4.2),
//! and what it does later because it was told to.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::time::Duration;

use super::cpe::Cpe;
use crate::cwmp::{CpeRequest, Kicked, RequestDownload, ScheduleInform, TransferComplete};
use crate::device::EventCode;
use crate::time::Timestamp;

/// What a device has before it besides transfers.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    /// Informs that were asked for: when, and the CommandKey.
    scheduled: Vec<(Timestamp, Box<str>)>,
    /// Requests without a memory of their own: they are kept until the ACS has
    /// answered.
    wishes: Vec<CpeRequest>,
}

impl Own {
    /// When the next Inform is due that was asked for.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.scheduled.iter().map(|(at, _)| *at).min()
    }
}

impl Cpe {
    /// A subscriber asks for a session by his browser.
    pub fn kick(&mut self, kicked: Kicked) {
        self.own.wishes.push(CpeRequest::Kicked(kicked));
        self.raise(EventCode::Kicked, "");
    }

    /// It would like to have a file.
    pub fn request_download(&mut self, wanted: RequestDownload) {
        self.own.wishes.push(CpeRequest::RequestDownload(wanted));
        self.raise(EventCode::RequestDownload, "");
    }

    /// It has something to tell that nobody asked for; an Inform is none.
    pub fn tell(&mut self, request: CpeRequest) {
        let code = match &request {
            CpeRequest::AutonomousTransferComplete(_) => EventCode::AutonomousTransferComplete,
            CpeRequest::AutonomousDuStateChangeComplete(_) => {
                EventCode::AutonomousDuStateChangeComplete
            }
            _ => EventCode::Periodic,
        };
        self.own.wishes.push(request);
        self.raise(code, "");
    }

    pub(super) fn schedule(&mut self, asked: ScheduleInform, now: Timestamp) {
        let at = now.after(Duration::from_secs(asked.delay_seconds.into()));
        self.own.scheduled.push((at, asked.command_key));
    }

    /// Does what is due: scheduled Informs, operations on software modules.
    pub(super) fn do_what_is_due(&mut self, now: Timestamp) {
        let (due, later) =
            std::mem::take(&mut self.own.scheduled).into_iter().partition(|(at, _)| *at <= now);
        self.own.scheduled = later;
        let due: Vec<(Timestamp, Box<str>)> = due;
        for (_, key) in due {
            self.raise(EventCode::Scheduled, "");
            self.raise(EventCode::Method("ScheduleInform".into()), &key);
        }
        for key in self.modules.work(now) {
            self.raise(EventCode::DuStateChangeComplete, "");
            self.raise(EventCode::Method("ChangeDUState".into()), &key);
        }
    }

    /// The requests that a session is for, oldest kind first.
    pub(super) fn requests(&self, transfers: Vec<TransferComplete>) -> Vec<CpeRequest> {
        let transfers = transfers.into_iter().map(CpeRequest::TransferComplete);
        let units = self.modules.owed().iter().cloned().map(CpeRequest::DuStateChangeComplete);
        transfers.chain(units).chain(self.own.wishes.iter().cloned()).collect()
    }

    /// The ACS has answered: it is told.
    pub(super) fn delivered(&mut self, request: &CpeRequest) {
        if let Some(at) = self.own.wishes.iter().position(|known| known == request) {
            self.own.wishes.remove(at);
        }
        match request {
            CpeRequest::TransferComplete(report) => {
                let method = self.transfers.answered(report).unwrap_or("Download");
                self.events
                    .answered(&EventCode::TransferComplete, Some((method, &report.command_key)));
            }
            CpeRequest::DuStateChangeComplete(report) => {
                self.modules.answered(report);
                let key = &report.command_key;
                self.events
                    .answered(&EventCode::DuStateChangeComplete, Some(("ChangeDUState", key)));
            }
            wish => {
                let code = match wish {
                    CpeRequest::Kicked(_) => EventCode::Kicked,
                    CpeRequest::RequestDownload(_) => EventCode::RequestDownload,
                    CpeRequest::AutonomousTransferComplete(_) => {
                        EventCode::AutonomousTransferComplete
                    }
                    CpeRequest::AutonomousDuStateChangeComplete(_) => {
                        EventCode::AutonomousDuStateChangeComplete
                    }
                    _ => return,
                };
                self.events.answered(&code, None);
            }
        }
    }

    /// A file that it is asked to send: its configuration, or its log.
    pub(super) fn file_of_its_own(&self, file_type: &str) -> Vec<u8> {
        let mut text = format!("# {} of {}\n", file_type, self.identity().serial_number);
        if file_type.contains("Log") {
            text.push_str("the device works as it should\n");
        } else {
            for name in ["DeviceInfo.SoftwareVersion", "DeviceInfo.ProvisioningCode"] {
                text.push_str(&format!("{name} = {}\n", self.own(name)));
            }
        }
        text.into_bytes()
    }
}
