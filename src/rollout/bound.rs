//! How large waves are, how many devices can be harmed, and how long it takes.

use std::time::Duration;

use super::spec::{Abort, CampaignSpec, WaveSize};
use super::window::{Window, WindowNow};
use crate::time::Timestamp;

/// How many windows are looked at when the end is estimated.
const MAX_WINDOWS: u32 = 5000;

/// The sizes of the waves of a fleet. None is empty, and together they are the
/// fleet.
pub fn wave_sizes(spec: &CampaignSpec, fleet: u32) -> Vec<u32> {
    let mut sizes = Vec::new();
    let mut reached = 0_u32;
    let mut add = |size: u32| {
        let size = size.min(fleet.saturating_sub(reached));
        reached = reached.saturating_add(size);
        if size > 0 {
            sizes.push(size);
        }
        reached
    };
    let mut so_far = add(spec.waves.canary);
    for size in &spec.waves.sizes {
        let size = match size {
            WaveSize::Count(count) => *count,
            WaveSize::UpTo(share) => {
                u32::try_from(share.of(fleet.into())).unwrap_or(u32::MAX).saturating_sub(so_far)
            }
        };
        so_far = add(size);
    }
    add(u32::MAX);
    sizes
}

/// Whether a wave has to halt: of those that finished, so many failed. At the end
/// of a wave the minimum does not count: a canary is smaller than that.
pub fn threshold_reached(abort: &Abort, finished: u32, failed: u32, wave_is_over: bool) -> bool {
    finished > 0
        && (wave_is_over || finished >= abort.minimum)
        && abort.failures.is_reached(failed.into(), finished.into())
}

/// How many devices can be harmed at most before the campaign halts by itself,
/// whatever goes wrong and in whatever order.
///
/// A wave goes on while fewer than the threshold of its finished devices failed,
/// so it passes with at most that many less one. The wave that halts does so, at
/// the latest, when its minimum has finished or when one failure more than it
/// may have comes in; all that were at work besides may fail after it.
///
/// A device that is asked more than once waits for its next turn with whatever the
/// attempt before did to it, and is judged only after the last: so with more than
/// one attempt all of the wave that halts may be harmed.
pub fn at_most(spec: &CampaignSpec, fleet: u32) -> u64 {
    let mut passed = 0_u64;
    let mut worst = 0_u64;
    for size in wave_sizes(spec, fleet) {
        let size = u64::from(size);
        let trigger = u64::from(spec.abort.minimum).max(spec.abort.failures.of(size - 1)).max(1);
        let at_work = u64::from(spec.pace.concurrency).saturating_sub(1);
        let once = spec.attempts.most <= 1;
        let halting = if once { size.min(trigger.saturating_add(at_work)) } else { size };
        worst = worst.max(passed.saturating_add(halting));
        passed = passed.saturating_add(spec.abort.failures.of(size).saturating_sub(1));
    }
    worst
}

/// When the last device can have been asked at the earliest, if it began now:
/// from the rate, the pauses between waves and the window. `None` if the window
/// never opens, or not for years.
pub fn ends_not_before(
    spec: &CampaignSpec,
    window: Option<&Window>,
    fleet: u32,
    now: Timestamp,
) -> Option<Timestamp> {
    let rate = u64::from(spec.pace.per_minute.max(1));
    let mut at = now;
    let mut windows = 0;
    for (wave, size) in wave_sizes(spec, fleet).into_iter().enumerate() {
        if wave > 0 {
            at = at.after(spec.waves.soak.duration());
        }
        let mut left = Duration::from_millis(u64::from(size) * 60_000 / rate);
        loop {
            let open = match window.map(|window| window.at(at)) {
                None => left,
                Some(WindowNow::Open(until)) => until.since(at),
                Some(WindowNow::Closed(opens)) => {
                    at = opens?;
                    windows += 1;
                    if windows > MAX_WINDOWS {
                        return None;
                    }
                    continue;
                }
            };
            let used = left.min(open);
            at = at.after(used);
            left = left.saturating_sub(used);
            if left.is_zero() {
                break;
            }
        }
    }
    Some(at)
}
