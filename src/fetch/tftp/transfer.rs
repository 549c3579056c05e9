//! When which block is sent.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::terms::Terms;

/// Sendings of the first datagram before its source has answered at all: what
/// a forged request can cost somebody else.
const UNANSWERED: u32 = 3;
/// Sendings of one window before a client that has answered is given up.
const SENDINGS: u32 = 6;
/// The first pause before something is sent again, unless the client wants
/// another; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// The longest without progress, whatever the client wants.
const STALLED: Duration = Duration::from_secs(120);

/// One transfer: acknowledgements and the time in, blocks to send out. Times
/// are since it began.
#[derive(Clone, Debug)]
pub(super) struct Transfer {
    size: u64,
    block: u64,
    window: u64,
    pause: Option<Duration>,
    /// Whether the options are still to be acknowledged.
    offering: bool,
    /// Whether the client has answered.
    answered: bool,
    /// The last block that the client has, from 1; 0 is none.
    acknowledged: u64,
    /// The last block that was sent.
    sent: u64,
    sendings: u32,
    progress_at: Duration,
    again_at: Duration,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Send the option acknowledgement.
    Offer,
    /// Send these blocks, counted from 1.
    Send(RangeInclusive<u64>),
    /// Nothing; what came was late or odd.
    Nothing,
    /// All of it has arrived.
    Done,
    /// The client is gone.
    GivenUp,
}

impl Transfer {
    /// A transfer of `size` bytes, and its first step.
    pub(super) fn begin(terms: &Terms, size: u64) -> (Self, Step) {
        let mut transfer = Self {
            size,
            block: terms.block as u64,
            window: terms.window.into(),
            pause: terms.timeout,
            offering: !terms.acknowledged.is_empty(),
            answered: false,
            acknowledged: 0,
            sent: 0,
            sendings: 0,
            progress_at: Duration::ZERO,
            again_at: Duration::ZERO,
        };
        let step = transfer.send(Duration::ZERO);
        (transfer, step)
    }

    /// When [`Transfer::wait_ended`] is to be called.
    pub(super) const fn again_at(&self) -> Duration {
        self.again_at
    }

    /// Whether the client has answered, so that it is who it says it is.
    pub(super) const fn is_answered(&self) -> bool {
        self.answered
    }

    /// Bytes that the client is known to have.
    pub(super) fn arrived(&self) -> u64 {
        self.acknowledged.saturating_mul(self.block).min(self.size)
    }

    /// Where a block lies in the file.
    pub(super) const fn offset(&self, block: u64) -> u64 {
        block.saturating_sub(1).saturating_mul(self.block)
    }

    /// The client acknowledges a block.
    pub(super) fn acknowledged(&mut self, number: u16, now: Duration) -> Step {
        if self.offering {
            if number != 0 {
                return Step::Nothing;
            }
            self.offering = false;
            self.answered = true;
            self.progressed(now);
            return self.send(now);
        }
        // Numbers wrap; at most a window lies between the two ends.
        let [.., high, low] = self.acknowledged.to_be_bytes();
        let ahead = u64::from(number.wrapping_sub(u16::from_be_bytes([high, low])));
        // What was acknowledged before is never answered: else each duplicate
        // makes another, to the end of the file (RFC 1123 §4.2.3.1).
        if ahead == 0 || ahead > self.sent - self.acknowledged {
            return Step::Nothing;
        }
        self.acknowledged += ahead;
        self.answered = true;
        self.progressed(now);
        if self.acknowledged == self.last() {
            return Step::Done;
        }
        // Before the window's end, this says that the next block was lost.
        self.send(now)
    }

    /// Nothing has come until [`Transfer::again_at`].
    pub(super) fn wait_ended(&mut self, now: Duration) -> Step {
        if now < self.again_at {
            return Step::Nothing;
        }
        let most = if self.answered { SENDINGS } else { UNANSWERED };
        if self.sendings >= most || now.saturating_sub(self.progress_at) >= STALLED {
            return Step::GivenUp;
        }
        self.send(now)
    }

    /// The number of the last block: a full one is never the last (RFC 1350 §6).
    const fn last(&self) -> u64 {
        self.size / self.block + 1
    }

    const fn progressed(&mut self, now: Duration) {
        self.sendings = 0;
        self.progress_at = now;
    }

    fn send(&mut self, now: Duration) -> Step {
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.sendings.min(8)).min(LONGEST_PAUSE);
        let until = self.progress_at.saturating_add(STALLED);
        self.again_at = now.saturating_add(self.pause.unwrap_or(doubled)).min(until.max(now));
        self.sendings += 1;
        if self.offering {
            return Step::Offer;
        }
        let first = self.acknowledged + 1;
        // Until the client has answered, one block and no window.
        let window = if self.answered { self.window } else { 1 };
        self.sent = (self.acknowledged + window).min(self.last());
        Step::Send(first..=self.sent)
    }
}

#[cfg(test)]
mod tests;
