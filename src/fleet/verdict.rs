//! What is to be done about what differs: repaired now, tried later, or left as it
//! is, and why. Decides only: neither clock nor store.

use std::time::Duration;

use crate::config::FleetConfig;
use crate::device::{Drift, FaultRecord, Repair};
use crate::profile::Drifting;
use crate::time::Timestamp;

/// The longest reason, in characters.
const MAX_WHY: usize = 256;

/// Within which bounds devices are asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Between the first attempt that failed and the next.
    pub first: Duration,
    /// The most between two attempts.
    pub most: Duration,
    /// Attempts that a device took and that did not help, after which it is left.
    pub attempts: u32,
    /// Repairs of one path within [`Bounds::window`] after which it is left.
    pub repairs: u32,
    /// In which repairs are counted.
    pub window: Duration,
}

impl From<&FleetConfig> for Bounds {
    fn from(config: &FleetConfig) -> Self {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Self {
            first: seconds(config.retry_first),
            most: seconds(config.retry_most),
            attempts: config.max_attempts,
            repairs: config.max_repairs,
            window: seconds(config.repair_window),
        }
    }
}

/// Under which circumstances a device is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The time.
    pub now: Timestamp,
    /// Whether the same was wanted of it when it was last looked at.
    pub same_wants: bool,
    /// Whether the same firmware ran when it was last tried.
    pub same_firmware: bool,
    /// Whether an operator asked for the repair.
    pub asked: bool,
    /// What becomes of what strays.
    pub drifting: Drifting,
    /// What was repaired lately.
    pub repairs: &'a [Repair],
    /// Within which bounds it is asked again.
    pub bounds: Bounds,
}

/// What is done about one difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It is repaired, now or after a pause.
    Repair,
    /// It is told, and left until somebody asks.
    Report,
    /// It is left for the reason that the drift tells.
    Hold,
}

/// Judges one difference that was just found, by what was known of it before: what
/// it is, since when, and what is done about it.
pub fn judge(mut drift: Drift, before: Option<&Drift>, look: &Look<'_>) -> (Drift, Deed) {
    let known = before.filter(|before| before.digest == drift.digest);
    match known {
        Some(known) => {
            drift.since = known.since;
            drift.strayed = known.strayed;
            if look.same_firmware && !look.asked {
                drift.held.clone_from(&known.held);
            }
        }
        // What it had when it was last looked at, with the same wanted, it lost.
        None => drift.strayed = look.same_wants,
    }
    if drift.strayed && !look.asked && drift.held.is_empty() {
        let lately = repaired_lately(&drift.path, look);
        if lately >= look.bounds.repairs {
            let why =
                format!("it was repaired {lately} times, and the device changed it back each time");
            drift.held = why.into();
        }
    }
    let deed = if !drift.held.is_empty() {
        Deed::Hold
    } else if drift.strayed && look.drifting == Drifting::Report && !look.asked {
        Deed::Report
    } else {
        Deed::Repair
    };
    (drift, deed)
}

fn repaired_lately(path: &str, look: &Look<'_>) -> u32 {
    let since = look.now.before(look.bounds.window);
    let lately = look.repairs.iter().filter(|repair| *repair.path == *path && repair.at > since);
    u32::try_from(lately.count()).unwrap_or(u32::MAX)
}

/// How an attempt did not bring a device where it was to be.
#[derive(Clone, Copy, Debug)]
pub enum Failure<'a> {
    /// It refused something, or said yes and did no.
    Fault(&'a FaultRecord),
    /// It said that all is well, and it is not.
    Ineffective,
    /// It said that it applies it later.
    Later,
    /// It did not answer.
    Silence,
}

/// What follows from an attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// When what is left is tried again; `None` if nothing is left that is to be.
    pub retry_at: Option<Timestamp>,
    /// Something was found to be hopeless, so that the rest may pass without it:
    /// that is tried at once.
    pub at_once: bool,
    /// How it ended, in words.
    pub why: Box<str>,
}

/// Judges an attempt that failed: holds what is hopeless among `left`, the drifts
/// that were to be repaired and still differ, and tells when the rest is tried
/// again. `attempts` counts this one; `spread` differs between devices.
pub fn after_failure(
    failure: Failure<'_>,
    left: &mut [&mut Drift],
    attempts: u32,
    spread: u64,
    look: &Look<'_>,
) -> Next {
    let held_before = left.iter().filter(|drift| !drift.held.is_empty()).count();
    let why = match failure {
        Failure::Silence => "the session broke off before the device answered".to_owned(),
        Failure::Later => "the device said that it applies it later".to_owned(),
        Failure::Ineffective => {
            "the device said that it took everything, and it differs still".to_owned()
        }
        Failure::Fault(fault) => {
            hold_refused(fault, left);
            format!("the device refused it: {} {}", fault.code, fault.text)
        }
    };
    if attempts >= look.bounds.attempts {
        let tired = left.iter_mut().filter(|drift| drift.held.is_empty());
        for drift in tired.filter(|drift| took_it(failure, &drift.path)) {
            drift.held = format!("it differs still after {attempts} attempts").into();
        }
    }
    let is_open = left.iter().any(|drift| drift.held.is_empty());
    let held = left.iter().filter(|drift| !drift.held.is_empty()).count();
    Next {
        retry_at: is_open.then(|| look.now.after(back_off(&look.bounds, attempts, spread))),
        at_once: is_open && held > held_before,
        why: why.chars().take(MAX_WHY).collect(),
    }
}

/// Whether the device said yes to it, and did no.
fn took_it(failure: Failure<'_>, drift: &str) -> bool {
    match failure {
        Failure::Ineffective => true,
        Failure::Later | Failure::Silence => false,
        Failure::Fault(fault) => {
            let named = fault.parameters.iter().find(|(name, ..)| is_about(name, drift));
            named.map_or(fault.code, |(_, code, _)| *code) == 0
        }
    }
}

/// Holds what a device refuses for good.
fn hold_refused(fault: &FaultRecord, left: &mut [&mut Drift]) {
    let hold = |drift: &mut Drift, code: u32, text: &str| {
        let why = format!("the device refuses it: {code} {text}");
        drift.held = why.trim_end().chars().take(MAX_WHY).collect();
    };
    for drift in left.iter_mut() {
        let named = fault.parameters.iter().find(|(name, ..)| is_about(name, &drift.path));
        match named {
            Some((_, code, text)) if is_permanent(*code) => hold(drift, *code, text),
            Some(_) => {}
            // It does not say what it is about: all of it.
            None if fault.parameters.is_empty() && is_permanent(fault.code) => {
                hold(drift, fault.code, &fault.text);
            }
            None => {}
        }
    }
}

/// Whether a name of a fault is of a drift: the same, or within its row.
fn is_about(name: &str, drift: &str) -> bool {
    let row = drift.strip_suffix("{i}.").unwrap_or(drift);
    name == drift || (row.ends_with('.') && name.starts_with(row))
}

/// Whether asking the same again is in vain (TR-069 §A.5.1): the method, the
/// parameter, its type or its value is not to the device's liking.
const fn is_permanent(code: u32) -> bool {
    matches!(code, 9000 | 9003 | 9005..=9008)
}

/// How long a device is left in peace after so many attempts: doubled each time,
/// and other for each device by up to a quarter, so that a fleet does not come
/// back together; never more than the most.
pub fn back_off(bounds: &Bounds, attempts: u32, spread: u64) -> Duration {
    let doubled = 1u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX).max(1);
    let pause = bounds.first.saturating_mul(doubled).min(bounds.most);
    // Between 75 and 100 hundredths.
    let hundredths = 75 + u32::try_from(spread % 26).unwrap_or(0);
    pause / 100 * hundredths
}

#[cfg(test)]
mod tests;
