//! When a request over UDP is sent again.

use std::time::Duration;

/// The estimate of a round trip (RFC 3261 §17.1.1.1).
const T1: Duration = Duration::from_millis(500);
/// The longest pause between two sendings.
const T2: Duration = Duration::from_secs(4);

/// The pauses of timer E (RFC 3261 §17.1.2.2): 0.5, 1, 2, 4, 4 … seconds, and
/// 4 seconds once a provisional answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resend {
    pause: Duration,
}

impl Default for Resend {
    fn default() -> Self {
        Self { pause: T1 }
    }
}

impl Resend {
    /// How long to wait for an answer before sending again, this time.
    pub fn pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = pause.saturating_mul(2).min(T2);
        pause
    }

    /// A provisional answer has come: there is no hurry.
    pub const fn proceeding(&mut self) {
        self.pause = T2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_double_up_to_four_seconds() {
        let mut resend = Resend::default();
        let pauses: Vec<u128> = (0..6).map(|_| resend.pause().as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 4000, 4000]);
        let mut resend = Resend::default();
        resend.proceeding();
        assert_eq!(resend.pause(), T2);
    }
}
