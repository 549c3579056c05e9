//! How many devices may be asked now, so that no minute sees more than it may.

use std::time::Duration;

use crate::time::Timestamp;

/// Thousandths of a device.
const ONE: u64 = 1000;

/// Counts out the devices of a minute, evenly. In memory only: after a restart it
/// begins with one device.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    credit: u64,
    at: Timestamp,
}

impl Pace {
    /// Begins with one device.
    pub const fn new(now: Timestamp) -> Self {
        Self { credit: ONE, at: now }
    }

    /// How many may be asked now. A clock that was set forward gives no more than
    /// a second's worth, one that was set back nothing.
    pub fn allows(&mut self, per_minute: u32, now: Timestamp) -> u32 {
        let passed = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let gained = passed.saturating_mul(u64::from(per_minute)).saturating_mul(ONE) / 60_000;
        if gained > 0 || now < self.at {
            let most = (u64::from(per_minute) * ONE / 60).max(ONE);
            self.credit = self.credit.saturating_add(gained).min(most);
            self.at = now;
        }
        u32::try_from(self.credit / ONE).unwrap_or(u32::MAX)
    }

    /// So many were asked.
    pub fn take(&mut self, devices: u32) {
        self.credit = self.credit.saturating_sub(u64::from(devices) * ONE);
    }

    /// When the next one may be asked.
    pub fn next(&self, per_minute: u32) -> Timestamp {
        let missing = ONE.saturating_sub(self.credit);
        let millis = (missing * 60_000).div_ceil(ONE * u64::from(per_minute.max(1)));
        self.at.after(Duration::from_millis(millis))
    }
}
