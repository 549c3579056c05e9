//! How long to wait before connecting again.

use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_secs(1);

/// The longest.
const LONGEST: Duration = Duration::from_secs(300);

/// Counts attempts that failed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// A stream came about: the next wait is the first again.
    pub const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after one more failure: about one second, doubled each
    /// time up to five minutes, of which `random` takes up to a half away, so that
    /// not all clients of a server that restarted come back at once.
    pub fn failed(&mut self, random: u16) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        whole - whole.mul_f64(f64::from(random) / f64::from(u16::MAX) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes_and_begin_again() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..12).map(|_| backoff.failed(0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        backoff.succeeded();
        assert_eq!(backoff.failed(u16::MAX), Duration::from_millis(500));
        assert_eq!(backoff.failed(u16::MAX), Duration::from_secs(1));
        for _ in 0..100 {
            let wait = backoff.failed(30_000);
            assert!(wait > Duration::from_secs(1) && wait <= LONGEST);
        }
    }
}
