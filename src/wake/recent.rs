//! Who was asked a moment ago: several wakes before one session are one
//! (TR-069 §3.2.2.1), and nobody is asked again within 30 seconds.

use std::collections::HashMap;
use std::time::Duration;

use super::ways::Woken;
use crate::device::DeviceId;
use crate::time::Timestamp;

/// How long a device that agreed is left alone (TR-069 §3.2.2.3).
const PATIENCE: Duration = Duration::from_secs(30);

/// From this many on those that are over are thrown away; the pace of all
/// wakes together bounds how many can be in force.
const SWEEP_FROM: usize = 4_096;

/// Devices that were asked and have not been heard since.
#[derive(Debug, Default)]
pub(super) struct Recent {
    asked: HashMap<DeviceId, Asked>,
    sweep_at: usize,
}

/// One device that was asked.
#[derive(Clone, Copy, Debug)]
struct Asked {
    at: Timestamp,
    woken: Woken,
    /// How many sessions it had opened before: a session may come and be over
    /// within the millisecond of the asking, so that no time tells it.
    sessions: u64,
}

impl Recent {
    /// When the device was asked and what it said, if its session is still to
    /// be waited for; `sessions` is how many it has opened.
    pub(super) fn pending(
        &mut self,
        id: &DeviceId,
        sessions: u64,
        now: Timestamp,
    ) -> Option<(Timestamp, Woken)> {
        let asked = *self.asked.get(id)?;
        // A clock that was set back holds nobody up.
        if sessions != asked.sessions || now < asked.at || asked.at.after(PATIENCE) <= now {
            self.asked.remove(id);
            return None;
        }
        Some((asked.at, asked.woken))
    }

    /// The device was asked, when it had opened so many sessions.
    pub(super) fn asked(&mut self, id: &DeviceId, sessions: u64, at: Timestamp, woken: Woken) {
        if self.asked.len() >= self.sweep_at.max(SWEEP_FROM) {
            self.asked.retain(|_, asked| asked.at.after(PATIENCE) > at);
            self.sweep_at = self.asked.len().saturating_mul(2);
        }
        self.asked.insert(id.clone(), Asked { at, woken, sessions });
    }
}

#[cfg(test)]
mod tests {
    use super::super::ways::Way;
    use super::*;

    #[test]
    fn t18_a_device_is_asked_once_a_session() {
        let mut recent = Recent::default();
        let id: DeviceId = "00D09E-1".parse().unwrap();
        let agreed = Woken::Agreed(Way::Http);
        let start = Timestamp::from_millis(1_000_000);
        let later = |seconds| start.after(Duration::from_secs(seconds));
        let before = Timestamp::from_millis(900_000);
        assert_eq!(recent.pending(&id, 7, start), None);
        recent.asked(&id, 7, start, agreed);
        assert_eq!(recent.pending(&id, 7, start), Some((start, agreed)));
        assert_eq!(recent.pending(&id, 7, later(29)), Some((start, agreed)));
        assert_eq!(recent.pending(&id, 8, start), None, "it has informed in the same millisecond");
        recent.asked(&id, 7, start, agreed);
        assert_eq!(recent.pending(&id, 7, later(30)), None, "it may be asked again");
        recent.asked(&id, 7, start, agreed);
        assert_eq!(recent.pending(&id, 7, before), None, "the clock was set back");
    }

    #[test]
    fn memory_stays_bounded() {
        let mut recent = Recent::default();
        let start = Timestamp::from_millis(1_000_000);
        for number in 0_u64..100_000 {
            let id = format!("00D09E-{number}").parse().unwrap();
            recent.asked(&id, 0, start.after(Duration::from_millis(number * 50)), Woken::Sent);
        }
        assert!(recent.asked.len() <= 2 * SWEEP_FROM, "{}", recent.asked.len());
    }
}
