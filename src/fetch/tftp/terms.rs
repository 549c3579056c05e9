//! What is agreed on with a client before a transfer.

use std::time::Duration;

use super::packet::Request;

/// The block size without an option (RFC 1350 §2).
const BLOCK: usize = 512;

/// What the door is willing to agree to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Willing {
    /// The largest block, in bytes.
    pub(super) block: usize,
    /// The largest window, in blocks.
    pub(super) window: u16,
}

/// The terms of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// Bytes of each block but the last.
    pub(super) block: usize,
    /// Blocks that are sent before an acknowledgement is awaited.
    pub(super) window: u16,
    /// How long the client wants to be waited for before a block is sent again.
    pub(super) timeout: Option<Duration>,
    /// The options that are acknowledged; without any, none was asked for, or
    /// none that is known.
    pub(super) acknowledged: Vec<(&'static str, u64)>,
}

impl Terms {
    /// The terms for a file of `size` bytes. An option that is out of its range
    /// counts as not asked for (RFC 2347 §3).
    pub(super) fn agree(request: &Request<'_>, size: u64, willing: Willing) -> Self {
        let mut terms = Self { block: BLOCK, window: 1, timeout: None, acknowledged: Vec::new() };
        // RFC 2348: 8 to 65,464; the answer may be smaller.
        let asked = request.number("blksize").filter(|block| (8..=65_464).contains(block));
        if let Some(asked) = asked.and_then(|asked| usize::try_from(asked).ok()) {
            terms.block = asked.min(willing.block);
            terms.acknowledged.push(("blksize", terms.block as u64));
        }
        // RFC 2349: 1 to 255 seconds; the answer must be the same.
        if let Some(seconds) = request.number("timeout").filter(|s| (1..=255).contains(s)) {
            terms.timeout = Some(Duration::from_secs(seconds));
            terms.acknowledged.push(("timeout", seconds));
        }
        // A size of 0 counts as malformed with some clients, curl among them.
        if request.number("tsize").is_some() && size > 0 {
            terms.acknowledged.push(("tsize", size));
        }
        // RFC 7440: 1 to 65,535 blocks; the answer may be smaller.
        let asked = request.number("windowsize").and_then(|window| u16::try_from(window).ok());
        if let Some(asked) = asked.filter(|window| *window > 0) {
            terms.window = asked.min(willing.window).max(1);
            terms.acknowledged.push(("windowsize", terms.window.into()));
        }
        terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::tftp::Mode;

    const WILLING: Willing = Willing { block: 1468, window: 64 };

    fn agree(options: &[(&str, &str)]) -> Terms {
        let request = Request { name: "a", mode: Mode::Octet, options: options.to_vec() };
        Terms::agree(&request, 7000, WILLING)
    }

    #[test]
    fn nothing_asked_nothing_acknowledged() {
        let plain = Terms { block: 512, window: 1, timeout: None, acknowledged: Vec::new() };
        assert_eq!(agree(&[]), plain);
        for (option, value) in [
            ("blksize", "7"),
            ("blksize", "65465"),
            ("blksize", "-1"),
            ("timeout", "0"),
            ("timeout", "256"),
            ("windowsize", "0"),
            ("windowsize", "65536"),
            ("multicast", ""),
            ("tsize", "x"),
        ] {
            assert_eq!(agree(&[(option, value)]), plain, "{option} {value}");
        }
    }

    #[test]
    fn what_is_asked_is_given_within_bounds() {
        let terms = agree(&[
            ("tsize", "0"),
            ("windowsize", "65535"),
            ("blksize", "65464"),
            ("timeout", "255"),
            ("blksize", "8"),
        ]);
        let acknowledged =
            [("blksize", 1468), ("timeout", 255), ("tsize", 7000), ("windowsize", 64)];
        assert_eq!(terms.acknowledged, acknowledged);
        assert_eq!((terms.block, terms.window), (1468, 64));
        assert_eq!(terms.timeout, Some(Duration::from_secs(255)));
        assert_eq!(agree(&[("blksize", "8"), ("windowsize", "1")]).block, 8);
    }
}
