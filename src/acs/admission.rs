//! Whether a new session is let in now, or told to come again later.

use std::sync::Mutex;
use std::time::Duration;

use crate::device::DeviceId;
use crate::time::Timestamp;

/// Counts new devices, so that a flood of invented serial numbers fills
/// neither the disk nor the time of the others (security: B11).
#[derive(Debug)]
pub(super) struct Admission {
    max_sessions: usize,
    new_devices_per_minute: u32,
    minute: Mutex<Minute>,
}

#[derive(Debug, Default)]
struct Minute {
    began: Timestamp,
    devices: u32,
}

impl Admission {
    pub(super) fn new(max_sessions: usize, new_devices_per_minute: u32) -> Self {
        Self { max_sessions, new_devices_per_minute, minute: Mutex::default() }
    }

    /// Whether there is room for one more session; else the seconds after
    /// which to come again.
    ///
    /// The seconds are spread by `spread`, any number that differs between
    /// devices, so that those who were refused together do not come together.
    pub(super) const fn session(&self, live: usize, spread: u64) -> Result<(), u64> {
        if live < self.max_sessions { Ok(()) } else { Err(5 + spread % 55) }
    }

    /// Whether one more unknown device may be taken in this minute.
    pub(super) fn new_device(&self, spread: u64, now: Timestamp) -> Result<(), u64> {
        let mut minute = self.minute.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if now.since(minute.began) >= Duration::from_secs(60) || now < minute.began {
            *minute = Minute { began: now, devices: 0 };
        }
        if minute.devices >= self.new_devices_per_minute {
            return Err(60 + spread % 60);
        }
        minute.devices += 1;
        Ok(())
    }
}

/// A number that differs between devices.
pub(super) fn spread(id: &DeviceId) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_new_devices_is_spread_over_the_minutes() {
        let admission = Admission::new(10, 2);
        let now = Timestamp::from_millis(1_000_000);
        assert_eq!(admission.new_device(0, now), Ok(()));
        assert_eq!(admission.new_device(0, now), Ok(()));
        assert!((60..120).contains(&admission.new_device(77, now).unwrap_err()));
        assert_eq!(admission.new_device(0, now.after(Duration::from_secs(60))), Ok(()));
        assert_eq!(admission.session(9, 3), Ok(()));
        assert_eq!(admission.session(10, 3), Err(8));
    }
}
