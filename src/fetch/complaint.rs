//! Telling of trouble at a door without filling the log.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use crate::http::Full;

/// Refusals are logged at most this often.
const EVERY: Duration = Duration::from_secs(60);

/// What a door has to complain about.
pub(super) struct Complaint {
    door: &'static str,
    /// The settings that cap it, in all and of each source.
    caps: (&'static str, &'static str),
    last: Option<Instant>,
    refused: u64,
}

impl Complaint {
    pub(super) const fn new(door: &'static str, caps: (&'static str, &'static str)) -> Self {
        Self { door, caps, last: None, refused: 0 }
    }

    /// A cap is reached; said once a minute, with how many met it since.
    pub(super) fn refused(&mut self, full: Full, source: IpAddr) {
        self.refused += 1;
        if !self.is_due() {
            return;
        }
        let cap = if full == Full::InAll { self.caps.0 } else { self.caps.1 };
        let (door, refused) = (self.door, std::mem::take(&mut self.refused));
        warn!(door, source.address = %source, refused, "{cap} is reached: some are turned away");
    }

    /// The door's socket failed.
    pub(super) fn failed(&mut self, error: &std::io::Error) {
        if self.is_due() {
            warn!(door = self.door, %error, "the door's socket failed; it is tried again");
        }
    }

    fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let due = self.last.is_none_or(|last| now.duration_since(last) >= EVERY);
        if due {
            self.last = Some(now);
        }
        due
    }
}
