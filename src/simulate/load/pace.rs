//! Whose turn it is, and when.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::LoadPlan;

/// Hands out turns until the plan ends.
#[derive(Debug)]
pub(super) struct Pace {
    next: AtomicU64,
    start: Instant,
    rate: Option<f64>,
    end: Option<Instant>,
    sessions: u64,
}

/// One session to lead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Turn {
    /// Counts from 0.
    pub(super) number: u64,
    /// When it is due; `None` is now.
    pub(super) due: Option<Instant>,
}

impl Pace {
    pub(super) fn new(plan: &LoadPlan, start: Instant) -> Self {
        Self {
            next: AtomicU64::new(0),
            start,
            rate: plan.rate,
            end: plan.duration.and_then(|duration| start.checked_add(duration)),
            sessions: plan.sessions.unwrap_or(u64::MAX),
        }
    }

    /// The next turn; `None` when there are no more.
    pub(super) fn next(&self) -> Option<Turn> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number >= self.sessions {
            return None;
        }
        let due = self.rate.map(|rate| self.start + due_after(number, rate));
        let begins = due.unwrap_or_else(Instant::now);
        let over = self.end.is_some_and(|end| begins >= end);
        (!over).then_some(Turn { number, due })
    }
}

/// When a turn is due, counted from the start.
fn due_after(number: u64, rate: f64) -> Duration {
    #[allow(clippy::cast_precision_loss, reason = "2^52 sessions are out of reach")]
    let seconds = number as f64 / rate;
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(rate: Option<f64>, duration: Option<u64>, sessions: u64) -> Pace {
        let start = Instant::now();
        let end = duration.map(|seconds| start + Duration::from_secs(seconds));
        Pace { next: AtomicU64::new(0), start, rate, end, sessions }
    }

    #[test]
    fn at_a_fixed_rate_turns_are_due_at_even_times() {
        let pace = pace(Some(4.0), Some(1), u64::MAX);
        let due: Vec<u128> = std::iter::from_fn(|| pace.next())
            .map(|turn| (turn.due.unwrap() - pace.start).as_millis())
            .collect();
        assert_eq!(due, [0, 250, 500, 750]);
    }

    #[test]
    fn a_count_ends_the_turns() {
        let pace = pace(None, None, 3);
        let numbers: Vec<u64> =
            std::iter::from_fn(|| pace.next()).map(|turn| turn.number).collect();
        assert_eq!(numbers, [0, 1, 2]);
        assert_eq!(pace.next(), None);
    }
}
