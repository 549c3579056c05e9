//! What is counted of sessions, and of those who get none.

use std::time::Instant;

use super::driver::Refusal;
use super::endpoint::SUPERSEDED;
use super::sweep::{SILENT, STOPPED};
use crate::cwmp::Inform;
use crate::device::EventCode;
use crate::gate::Denied;
use crate::metrics::{
    Door, Occasion, RPCS, Reason, SESSION_SECONDS, SESSIONS, SESSIONS_LIVE, SessionEnd,
};

/// A session that is counted as live until it is dropped.
#[derive(Debug)]
pub(super) struct Counted {
    occasion: Occasion,
    began: Instant,
    end: Option<SessionEnd>,
}

impl Counted {
    /// A session begins.
    pub(super) fn begin(is_new: bool, inform: &Inform) -> Self {
        RPCS.one_at("Inform", "answered");
        SESSIONS_LIVE.shift(1);
        Self { occasion: occasion(is_new, inform), began: Instant::now(), end: None }
    }

    /// How it ended; the first word counts.
    pub(super) fn end(&mut self, end: SessionEnd) {
        self.end.get_or_insert(end);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        SESSIONS_LIVE.shift(-1);
        // One that nobody ended went with its connection: the server stops.
        let end = self.end.unwrap_or(SessionEnd::Stopped);
        SESSIONS.add(self.occasion as usize, end as usize, 1);
        SESSION_SECONDS.took(0, self.began.elapsed());
    }
}

/// What a session is for, by the most telling of its events.
fn occasion(is_new: bool, inform: &Inform) -> Occasion {
    if is_new {
        return Occasion::First;
    }
    let known = [
        (EventCode::Bootstrap, Occasion::Bootstrap),
        (EventCode::Boot, Occasion::Boot),
        (EventCode::ConnectionRequest, Occasion::ConnectionRequest),
        (EventCode::Periodic, Occasion::Periodic),
    ];
    let found = known.into_iter().find(|(event, _)| inform.has(event));
    found.map_or(Occasion::Other, |(_, occasion)| occasion)
}

/// How a session that is given up ended, by the words for it.
pub(super) fn ended_by(why: &str) -> SessionEnd {
    match why {
        SUPERSEDED => SessionEnd::Superseded,
        SILENT => SessionEnd::Silent,
        STOPPED => SessionEnd::Stopped,
        _ => SessionEnd::Broken,
    }
}

/// Counts somebody who did not show who it is. That a device sends no credentials
/// at first, or an old nonce, is how Digest works and no refusal.
pub(super) fn count_denied(denied: &Denied, tls: bool) {
    let reason = match denied {
        Denied::Missing | Denied::Stale => return,
        Denied::Wrong | Denied::BasicInClear => Reason::Credentials,
        Denied::TooMany => Reason::Throttled,
        Denied::Certificate(_) | Denied::OtherCredentials { .. } => Reason::Certificate,
        Denied::Store(_) => Reason::Store,
    };
    Door::cwmp(tls).refused(reason);
}

/// Counts an Inform that opens no session. One that is answered, and waits, or is
/// sent to another server is not turned away.
pub(super) fn count_refused(refusal: &Refusal, tls: bool) {
    let reason = match refusal {
        Refusal::Waits(_) | Refusal::Elsewhere(_) => {
            RPCS.one_at("Inform", "answered");
            return;
        }
        Refusal::Fault(_) => {
            RPCS.one_at("Inform", "fault");
            Reason::Malformed
        }
        Refusal::Mismatch(_) => Reason::Credentials,
        Refusal::Denied(_) => Reason::NotServed,
        Refusal::Later(_) => Reason::Throttled,
        Refusal::Store(_) => Reason::Store,
    };
    Door::cwmp(tls).refused(reason);
}
