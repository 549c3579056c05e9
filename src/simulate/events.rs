//! The events that a device still has to deliver, and what delivers each
//! (TR-069 §3.7.1.5, table 8).

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use crate::cwmp::InformEvent;
use crate::device::EventCode;

/// The most events that an Inform carries (TR-069 §A.3.3.1).
const MAX_EVENTS: usize = 64;

/// The undelivered events in the order in which they arose.
#[derive(Clone, Debug, Default)]
pub(super) struct Events {
    pending: Vec<Pending>,
}

#[derive(Clone, Debug)]
struct Pending {
    event: InformEvent,
    /// Whether it stands in the Inform of the running session.
    sent: bool,
}

impl Events {
    /// Takes note of an event. Single codes stand at most once.
    pub(super) fn raise(&mut self, code: EventCode, command_key: &str) {
        let single = !matches!(code, EventCode::Method(_));
        let known = self.pending.iter().any(|pending| !pending.sent && pending.event.code == code);
        if !(single && known) {
            let event = InformEvent { code, command_key: command_key.into() };
            self.pending.push(Pending { event, sent: false });
        }
    }

    /// Whether something is to be told.
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// The events for an Inform, which count as sent from now on.
    pub(super) fn send(&mut self) -> Vec<InformEvent> {
        let mut told: Vec<InformEvent> = Vec::new();
        for pending in self.pending.iter_mut().take(MAX_EVENTS) {
            pending.sent = true;
            // A single event that was repeated while its delivery was open.
            if !told.contains(&pending.event) {
                told.push(pending.event.clone());
            }
        }
        told
    }

    /// An InformResponse came: what it delivers is done.
    pub(super) fn inform_answered(&mut self) {
        self.pending.retain(|pending| !pending.sent || waits_for_its_own(&pending.event.code));
    }

    /// The answer came to the request that delivers `code`, and with it the
    /// event of this method and CommandKey. The code itself goes with the last
    /// of its methods.
    pub(super) fn answered(&mut self, code: &EventCode, method: Option<(&str, &str)>) {
        let done = method.and_then(|(method, key)| {
            self.pending.iter().position(|pending| {
                matches!(&pending.event.code, EventCode::Method(name) if **name == *method)
                    && *pending.event.command_key == *key
            })
        });
        if let Some(done) = done {
            self.pending.remove(done);
        }
        let open = self.pending.iter().any(|pending| comes_with(&pending.event.code) == Some(code));
        if !open {
            self.pending.retain(|pending| !(pending.sent && pending.event.code == *code));
        }
    }

    /// The session is over: a connection request is never told again, and the
    /// rest may be sent again.
    pub(super) fn session_over(&mut self) {
        self.pending.retain(|pending| {
            !(pending.sent && pending.event.code == EventCode::ConnectionRequest)
        });
        for pending in &mut self.pending {
            pending.sent = false;
        }
    }

    /// A reboot: what was only worth telling until then is dropped.
    pub(super) fn restarted(&mut self) {
        self.pending.retain(|pending| {
            !matches!(
                pending.event.code,
                EventCode::Boot
                    | EventCode::ValueChange
                    | EventCode::ConnectionRequest
                    | EventCode::DiagnosticsComplete
            )
        });
    }

    /// A new ACS, or a factory reset: nothing of the past is told.
    pub(super) fn forget(&mut self) {
        self.pending.clear();
    }
}

/// Whether another response than the InformResponse delivers this event.
fn waits_for_its_own(code: &EventCode) -> bool {
    matches!(
        code,
        EventCode::TransferComplete
            | EventCode::Kicked
            | EventCode::RequestDownload
            | EventCode::AutonomousTransferComplete
            | EventCode::DuStateChangeComplete
            | EventCode::AutonomousDuStateChangeComplete
    ) || comes_with(code).is_some()
}

/// The event whose report tells of a method, too.
fn comes_with(code: &EventCode) -> Option<&'static EventCode> {
    match code {
        EventCode::Method(name) => match &**name {
            "Download" | "ScheduleDownload" | "Upload" => Some(&EventCode::TransferComplete),
            "ChangeDUState" => Some(&EventCode::DuStateChangeComplete),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(events: &mut Events) -> Vec<String> {
        events.send().iter().map(|event| format!("{}:{}", event.code, event.command_key)).collect()
    }

    #[test]
    fn single_codes_stand_once_and_methods_per_key() {
        let mut events = Events::default();
        for key in ["a", "b"] {
            events.raise(EventCode::Boot, "");
            events.raise(EventCode::Method("Reboot".into()), key);
        }
        assert_eq!(told(&mut events), ["1 BOOT:", "M Reboot:a", "M Reboot:b"]);
    }

    #[test]
    fn each_answer_delivers_its_own() {
        let mut events = Events::default();
        for (code, key) in [
            (EventCode::Boot, ""),
            (EventCode::TransferComplete, ""),
            (EventCode::Method("Download".into()), "a"),
            (EventCode::Method("Download".into()), "b"),
        ] {
            events.raise(code, key);
        }
        told(&mut events);
        events.inform_answered();
        assert_eq!(told(&mut events), ["7 TRANSFER COMPLETE:", "M Download:a", "M Download:b"]);
        events.answered(&EventCode::TransferComplete, Some(("Download", "a")));
        assert_eq!(told(&mut events), ["7 TRANSFER COMPLETE:", "M Download:b"]);
        events.answered(&EventCode::TransferComplete, Some(("Download", "b")));
        assert!(events.is_empty());
    }

    #[test]
    fn a_connection_request_is_not_told_twice() {
        let mut events = Events::default();
        events.raise(EventCode::Periodic, "");
        events.raise(EventCode::ConnectionRequest, "");
        told(&mut events);
        events.session_over();
        assert_eq!(told(&mut events), ["2 PERIODIC:"]);
    }

    #[test]
    fn what_arises_during_a_session_stays_for_the_next() {
        let mut events = Events::default();
        events.raise(EventCode::ConnectionRequest, "");
        told(&mut events);
        events.raise(EventCode::ConnectionRequest, "");
        events.inform_answered();
        events.session_over();
        assert_eq!(told(&mut events), ["6 CONNECTION REQUEST:"]);
    }
}
