//! What is kept of one session: every RPC in order, and how the session ended.
//! Names only, never values.

use std::net::IpAddr;

use crate::cwmp::Fault;
use crate::cwmp::mask::text as masked;
use crate::device::{
    DeviceId, EventCode, MAX_SESSION_RPCS, RpcOutcome, RpcRecord, SessionRecord, TaskId,
};
use crate::metrics::{FAULTS, RPCS};
use crate::time::Timestamp;

/// Letters that are kept of the text of a fault.
const FAULT_TEXT: usize = 160;

/// Letters that are kept of the name of a method: vendors invent some.
const METHOD: usize = 64;

/// Counts a fault of a device by its code, as far as it is of the standard.
fn count_fault(code: u32) {
    match code {
        9000..=9032 => FAULTS.one_of(&code.to_string()),
        9800..=9899 => FAULTS.one_of("vendor"),
        _ => FAULTS.one_of("other"),
    }
}

/// The RPCs of a live session. A session without any leaves nothing behind.
#[derive(Debug)]
pub(super) struct Diary {
    began_at: Timestamp,
    events: Vec<EventCode>,
    rpcs: Vec<RpcRecord>,
    left_out: u32,
    /// The method that the device has yet to answer, as it is counted.
    unanswered: Option<&'static str>,
    /// When the RPC began that the device has not followed by a message yet.
    open: Option<Timestamp>,
    /// Why the session broke off.
    broke_off: Option<&'static str>,
    written: bool,
}

impl Diary {
    /// Of a session that begins with an Inform.
    pub(super) const fn new(began_at: Timestamp, events: Vec<EventCode>) -> Self {
        Self {
            began_at,
            events,
            rpcs: Vec::new(),
            left_out: 0,
            unanswered: None,
            open: None,
            broke_off: None,
            written: false,
        }
    }

    /// A request leaves for the device.
    pub(super) fn asked(&mut self, method: &str, task: Option<TaskId>, now: Timestamp) {
        self.unanswered = Some(RPCS.row(method));
        self.add(method, false, RpcOutcome::Unanswered, task, now);
    }

    /// The device answered the last request.
    pub(super) fn answered(&mut self, fault: Option<&Fault>) {
        if let Some(method) = self.unanswered.take() {
            RPCS.one_at(method, if fault.is_some() { "fault" } else { "answered" });
        }
        if let Some(fault) = fault {
            count_fault(fault.code.0);
        }
        let outcome = fault.map_or(RpcOutcome::Answered, |fault| {
            RpcOutcome::Fault(fault.code.0, shortened(&masked(&fault.text), FAULT_TEXT))
        });
        // What is beyond the bound is counted, and not told of.
        if self.left_out == 0
            && let Some(last) = self.rpcs.last_mut()
        {
            last.outcome = outcome;
        }
    }

    /// A request of the device, and what it was answered with.
    pub(super) fn told(&mut self, method: &str, refused: Option<(u32, &str)>, now: Timestamp) {
        RPCS.one_at(method, if refused.is_some() { "fault" } else { "answered" });
        let outcome = refused.map_or(RpcOutcome::Answered, |(code, text)| {
            RpcOutcome::Fault(code, shortened(text, FAULT_TEXT))
        });
        self.add(method, true, outcome, None, now);
    }

    /// The device sent something: the last RPC took until now.
    pub(super) fn heard(&mut self, now: Timestamp) {
        let Some(since) = self.open.take() else { return };
        if self.left_out == 0
            && let Some(last) = self.rpcs.last_mut()
        {
            last.took = millis(since, now);
        }
    }

    /// The session does not go on, for this reason. The first one counts.
    pub(super) const fn break_off(&mut self, why: &'static str) {
        if self.broke_off.is_none() {
            self.broke_off = Some(why);
        }
    }

    /// The record, once; `None` if nothing was asked or told.
    pub(super) fn finish(
        &mut self,
        device: &DeviceId,
        address: IpAddr,
        now: Timestamp,
    ) -> Option<SessionRecord> {
        if let Some(method) = self.unanswered.take() {
            RPCS.one_at(method, "unanswered");
        }
        if self.rpcs.is_empty() || self.written {
            return None;
        }
        self.written = true;
        if let (Some(since), Some(last)) = (self.open.take(), self.rpcs.last_mut())
            && self.left_out == 0
        {
            last.took = millis(since, now);
        }
        Some(SessionRecord {
            device: device.clone(),
            began_at: self.began_at,
            took: millis(self.began_at, now),
            address: Some(address),
            events: std::mem::take(&mut self.events),
            rpcs: std::mem::take(&mut self.rpcs),
            left_out: self.left_out,
            end: self.broke_off.unwrap_or("nothing was left to ask").into(),
        })
    }

    fn add(
        &mut self,
        method: &str,
        by_device: bool,
        outcome: RpcOutcome,
        task: Option<TaskId>,
        now: Timestamp,
    ) {
        self.open = Some(now);
        if self.rpcs.len() >= MAX_SESSION_RPCS {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.rpcs.push(RpcRecord {
            method: shortened(method, METHOD),
            by_device,
            after: millis(self.began_at, now),
            took: 0,
            outcome,
            task,
        });
    }
}

fn shortened(text: &str, letters: usize) -> Box<str> {
    text.chars().take(letters).collect()
}

fn millis(from: Timestamp, to: Timestamp) -> u32 {
    u32::try_from(to.since(from).as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;
    use crate::cwmp::FaultCode;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).after(Duration::from_millis(millis))
    }

    fn id() -> DeviceId {
        DeviceId::parse("00D09E-A").unwrap()
    }

    #[test]
    fn a_session_without_rpcs_leaves_nothing() {
        let mut diary = Diary::new(at(0), vec![EventCode::Periodic]);
        diary.heard(at(5));
        assert_eq!(diary.finish(&id(), HERE, at(9)), None);
    }

    #[test]
    fn each_rpc_has_its_time_and_its_outcome() {
        let mut diary = Diary::new(at(0), vec![EventCode::Boot]);
        diary.told("TransferComplete", None, at(10));
        diary.heard(at(25));
        diary.asked("Download", Some(TaskId(7)), at(30));
        diary.heard(at(130));
        let fault = Fault {
            code: FaultCode(9010),
            text: "cannot fetch http://u:canary@h/x".into(),
            parameters: Vec::new(),
        };
        diary.answered(Some(&fault));
        diary.asked("Reboot", None, at(140));
        diary.break_off("the device fell silent");
        diary.break_off("a later word");
        let record = diary.finish(&id(), HERE, at(1140)).unwrap();
        let told: Vec<_> = record
            .rpcs
            .iter()
            .map(|rpc| (&*rpc.method, rpc.by_device, rpc.after, rpc.took, rpc.outcome.clone()))
            .collect();
        assert_eq!(told[0], ("TransferComplete", true, 10, 15, RpcOutcome::Answered));
        let RpcOutcome::Fault(9010, text) = &told[1].4 else { panic!("{told:?}") };
        assert!(text.starts_with("cannot fetch") && !text.contains("canary"), "{text}");
        assert_eq!((told[1].2, told[1].3), (30, 100));
        assert_eq!(told[2], ("Reboot", false, 140, 1000, RpcOutcome::Unanswered));
        assert_eq!(record.rpcs[1].task, Some(TaskId(7)));
        assert_eq!((&*record.end, record.took), ("the device fell silent", 1140));
        assert_eq!(diary.finish(&id(), HERE, at(2000)), None, "told once");
    }

    #[test]
    fn what_is_beyond_the_bound_is_counted() {
        let mut diary = Diary::new(at(0), Vec::new());
        for n in 0..MAX_SESSION_RPCS as u64 + 5 {
            diary.asked("GetParameterValues", None, at(n));
            diary.heard(at(n + 1));
            diary.answered(None);
        }
        let record = diary.finish(&id(), HERE, at(1000)).unwrap();
        assert_eq!((record.rpcs.len(), record.left_out), (MAX_SESSION_RPCS, 5));
        assert!(record.rpcs.iter().all(|rpc| rpc.outcome == RpcOutcome::Answered));
    }
}
