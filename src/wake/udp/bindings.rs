//! Where devices are seen from. In memory only: each device binds again within
//! its keep-alive period, so a server that starts knows all of them a minute later.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::device::DeviceId;
use crate::time::Timestamp;

/// How long a binding counts after it was last heard of. NATs forget sooner,
/// but a device that binds rarely has reasons to.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// How many devices are known at most.
const MAX_DEVICES: usize = 1 << 20;

/// How many addresses of one device are known: a replayed request from
/// somewhere else must not drive out the real one.
const MAX_ADDRESSES: usize = 4;

/// From this many devices on those not heard of are thrown away.
const SWEEP_FROM: usize = 4_096;

#[derive(Clone, Copy, Debug)]
struct Binding {
    at: SocketAddr,
    seen: Timestamp,
}

impl Binding {
    fn counts(&self, now: Timestamp) -> bool {
        self.seen.after(LIFETIME) > now
    }
}

/// The bindings of all devices.
#[derive(Debug, Default)]
pub(super) struct Bindings {
    of: HashMap<DeviceId, Vec<Binding>>,
    sweep_at: usize,
    swept_at: i64,
}

impl Bindings {
    /// A device was seen at an address, and proved that it is the device.
    /// Returns whether that is new.
    pub(super) fn record(&mut self, id: &DeviceId, at: SocketAddr, now: Timestamp) -> bool {
        // Once a second at most, also when the table is full.
        let second = now.as_secs();
        if self.of.len() >= self.sweep_at.max(SWEEP_FROM) && self.swept_at != second {
            self.swept_at = second;
            self.of.retain(|_, bindings| bindings.iter().any(|binding| binding.counts(now)));
            self.sweep_at = self.of.len().saturating_mul(2).min(MAX_DEVICES);
        }
        if self.of.len() >= MAX_DEVICES && !self.of.contains_key(id) {
            return false;
        }
        let bindings = self.of.entry(id.clone()).or_default();
        let is_new = !bindings.iter().any(|binding| binding.at == at && binding.counts(now));
        bindings.retain(|binding| binding.at.ip() != at.ip());
        if bindings.len() >= MAX_ADDRESSES {
            bindings.remove(0);
        }
        bindings.push(Binding { at, seen: now });
        is_new
    }

    /// Where a device is bound: at the address that it calls from, else where it
    /// was seen last.
    pub(super) fn of(
        &self,
        id: &DeviceId,
        caller: Option<IpAddr>,
        now: Timestamp,
    ) -> Option<SocketAddr> {
        let bindings = self.of.get(id)?;
        let counting = || bindings.iter().filter(|binding| binding.counts(now)).rev();
        let is_caller = |binding: &&Binding| {
            caller.is_some_and(|caller| caller.to_canonical() == binding.at.ip().to_canonical())
        };
        counting().find(is_caller).or_else(|| counting().next()).map(|binding| binding.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn d09_a_binding_from_elsewhere_does_not_drive_out_the_real_one() {
        let mut bindings = Bindings::default();
        let id: DeviceId = "00D09E-1".parse().unwrap();
        let now = Timestamp::from_millis(1_000_000);
        let real = at("203.0.113.7:41000");
        let caller = Some(real.ip());
        assert_eq!(bindings.of(&id, caller, now), None);
        assert!(bindings.record(&id, real, now));
        assert!(!bindings.record(&id, real, now));
        for port in 1..100 {
            bindings.record(&id, SocketAddr::new([192, 0, 2, 1].into(), port), now);
        }
        assert_eq!(bindings.of(&id, caller, now), Some(real));
        assert_eq!(bindings.of(&id, None, now), Some(at("192.0.2.1:99")));
        let moved = at("203.0.113.7:41001");
        assert!(bindings.record(&id, moved, now));
        assert_eq!(bindings.of(&id, caller, now), Some(moved));
        for last in 2..9 {
            bindings.record(&id, SocketAddr::new([192, 0, 2, last].into(), 9), now);
        }
        assert!(bindings.of.values().all(|of| of.len() <= MAX_ADDRESSES));
    }

    #[test]
    fn a_binding_is_forgotten_in_time_and_memory_stays_bounded() {
        let mut bindings = Bindings::default();
        let start = Timestamp::from_millis(1_000_000);
        let id: DeviceId = "00D09E-1".parse().unwrap();
        bindings.record(&id, at("203.0.113.7:41000"), start);
        assert!(bindings.of(&id, None, start.after(LIFETIME - Duration::from_secs(1))).is_some());
        assert_eq!(bindings.of(&id, None, start.after(LIFETIME)), None);
        for number in 0_u32..50_000 {
            let id = format!("00D09E-{number}").parse().unwrap();
            let now = start.after(Duration::from_millis(u64::from(number) * 1000));
            bindings.record(&id, at("203.0.113.7:41000"), now);
        }
        assert!(bindings.of.len() <= 2 * SWEEP_FROM, "{}", bindings.of.len());
    }
}
