//! Whether a new session is let in now, or told to come again later.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
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
    informs: Informs,
}

/// Holds off devices that inform without end: retry storms (Q43), and values
/// that change every second (security: C6).
#[derive(Debug)]
struct Informs {
    /// Milliseconds in which one more Inform is free; 0 if all are.
    interval: i64,
    /// For each device the time at which it has its whole burst again.
    devices: Mutex<HashMap<DeviceId, i64>>,
}

/// So many Informs of a device are free at once: a device that is worked on
/// opens many sessions in a row.
const BURST: i64 = 300;

/// From this many devices on those that are quiet are forgotten.
const REMEMBERED: usize = 65_536;

impl Informs {
    /// Whether a device may inform now; else the seconds until it may.
    fn allow(&self, id: &DeviceId, now: Timestamp) -> Result<(), u64> {
        if self.interval == 0 {
            return Ok(());
        }
        let now = now.as_millis();
        let most = now.saturating_add(self.interval.saturating_mul(BURST));
        let mut devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        if devices.len() >= REMEMBERED {
            devices.retain(|_, full_at| *full_at > now);
            if devices.len() >= REMEMBERED {
                // More than can be remembered inform at once: that is no storm
                // of one of them.
                devices.clear();
            }
        }
        let full_at = devices.entry(id.clone()).or_insert(now);
        // Beyond empty there is nothing: the clock was set back.
        let level = if *full_at > most { now } else { now.max(*full_at) };
        let after = level.saturating_add(self.interval);
        if after > most {
            let wait = u64::try_from((after - most) / 1000).unwrap_or_default();
            return Err(wait.saturating_add(1));
        }
        *full_at = after;
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Minute {
    began: Timestamp,
    devices: u32,
}

impl Admission {
    pub(super) fn new(
        max_sessions: usize,
        new_devices_per_minute: u32,
        informs_per_minute: u32,
    ) -> Self {
        let interval = 60_000_i64.checked_div(informs_per_minute.into()).unwrap_or_default();
        let informs = Informs { interval, devices: Mutex::default() };
        Self { max_sessions, new_devices_per_minute, minute: Mutex::default(), informs }
    }

    /// Whether a device that has shown who it is may inform now; else the
    /// seconds after which to come again, with up to a minute of `spread`.
    pub(super) fn inform(&self, id: &DeviceId, now: Timestamp) -> Result<(), u64> {
        self.informs.allow(id, now).map_err(|seconds| seconds + spread(id) % 30)
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
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
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
    fn q43_c06_a_device_that_informs_without_end_is_held_off_and_others_are_not() {
        let admission = Admission::new(10, 10, 30);
        let (chatty, quiet) =
            (DeviceId::parse("00D09E-1").unwrap(), DeviceId::parse("00D09E-2").unwrap());
        let mut now = Timestamp::from_millis(1_000_000);
        let mut let_in = 0;
        for _ in 0..3600 {
            now = now.after(Duration::from_secs(1));
            match admission.inform(&chatty, now) {
                Ok(()) => let_in += 1,
                Err(seconds) => assert!((1..=32).contains(&seconds), "{seconds}"),
            }
        }
        // Its burst, and thirty a minute.
        assert!((2090..=2110).contains(&let_in), "{let_in}");
        assert_eq!(admission.inform(&quiet, now), Ok(()));
        now = now.after(Duration::from_secs(600));
        assert_eq!(admission.inform(&chatty, now), Ok(()), "and is forgiven");
        let unlimited = Admission::new(10, 10, 0);
        assert!((0..1000).all(|_| unlimited.inform(&chatty, now).is_ok()));
    }

    #[test]
    fn the_memory_of_informs_is_bounded() {
        let admission = Admission::new(10, 10, 30);
        let now = Timestamp::from_millis(1_000_000);
        for number in 0..REMEMBERED + 10 {
            let id = DeviceId::parse(&format!("00D09E-{number}")).unwrap();
            assert_eq!(admission.inform(&id, now), Ok(()));
        }
        let remembered = admission.informs.devices.lock().unwrap().len();
        assert!(remembered <= REMEMBERED, "{remembered}");
    }

    #[test]
    fn a_flood_of_new_devices_is_spread_over_the_minutes() {
        let admission = Admission::new(10, 2, 0);
        let now = Timestamp::from_millis(1_000_000);
        assert_eq!(admission.new_device(0, now), Ok(()));
        assert_eq!(admission.new_device(0, now), Ok(()));
        assert!((60..120).contains(&admission.new_device(77, now).unwrap_err()));
        assert_eq!(admission.new_device(0, now.after(Duration::from_secs(60))), Ok(()));
        assert_eq!(admission.session(9, 3), Ok(()));
        assert_eq!(admission.session(10, 3), Err(8));
    }
}
