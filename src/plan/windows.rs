//! When a device may fetch a file by ScheduleDownload (TR-069 §A.4.1.8).

use crate::class::Class;
use crate::device::TransferWindow;

/// The modes of the standard.
const MODES: [&str; 4] = ["1 At Any Time", "2 Immediately", "3 When Idle", "4 Confirmation Needed"];

/// Why a list of windows cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// None, or more than two.
    #[error("one window, or two")]
    Count,
    /// It ends before it began.
    #[error("a window ends after its start")]
    Backwards,
    /// The second begins before the first is over.
    #[error("the second window begins when the first is over, or later")]
    Overlap,
    /// A mode that the standard does not have, and no vendor either.
    #[error(
        "a mode is `1 At Any Time`, `2 Immediately`, `3 When Idle`, `4 Confirmation Needed`, or a vendor's that begins with `X `"
    )]
    Mode,
    /// A text is longer than a device has to take.
    #[error("at most 64 characters of mode and 256 of message")]
    Long,
    /// A message without a user who is asked.
    #[error("a message is shown with `4 Confirmation Needed` only")]
    Message,
    /// Fewer than no retries.
    #[error("retries: -1 as the device likes, 0 none, or a number")]
    Retries,
}

impl WindowError {
    /// What it means to whoever asked.
    pub const fn class(self) -> Class {
        Class::Invalid
    }
}

/// Whether the windows can be sent: one or two, each with an end after its
/// start, the second after the first.
///
/// # Errors
/// [`WindowError`]: the first thing that is wrong.
pub fn check_windows(windows: &[TransferWindow]) -> Result<(), WindowError> {
    if !matches!(windows.len(), 1 | 2) {
        return Err(WindowError::Count);
    }
    let mut free_from = 0;
    for window in windows {
        if window.end <= window.start {
            return Err(WindowError::Backwards);
        }
        if window.start < free_from {
            return Err(WindowError::Overlap);
        }
        free_from = window.end;
        if window.mode.chars().count() > 64 || window.user_message.chars().count() > 256 {
            return Err(WindowError::Long);
        }
        if !MODES.contains(&&*window.mode) && !window.mode.starts_with("X ") {
            return Err(WindowError::Mode);
        }
        if !window.user_message.is_empty()
            && (window.mode.starts_with("1 ")
                || window.mode.starts_with("2 ")
                || window.mode.starts_with("3 "))
        {
            return Err(WindowError::Message);
        }
        if window.max_retries < -1 {
            return Err(WindowError::Retries);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: u32, end: u32) -> TransferWindow {
        TransferWindow {
            start,
            end,
            mode: "1 At Any Time".into(),
            user_message: "".into(),
            max_retries: -1,
        }
    }

    #[test]
    fn t16_windows_are_one_or_two_that_do_not_overlap() {
        use WindowError::{Backwards, Count, Long, Message, Mode, Overlap, Retries};
        let odd = |change: fn(&mut TransferWindow)| {
            let mut one = window(0, 60);
            change(&mut one);
            vec![one]
        };
        let cases = [
            (vec![window(0, 60)], Ok(())),
            (vec![window(0, 60), window(60, 90)], Ok(())),
            (vec![], Err(Count)),
            (vec![window(0, 1), window(1, 2), window(2, 3)], Err(Count)),
            (vec![window(60, 60)], Err(Backwards)),
            (vec![window(0, 60), window(59, 90)], Err(Overlap)),
            (vec![window(100, 160), window(0, 60)], Err(Overlap)),
            (odd(|one| one.mode = "5 At Night".into()), Err(Mode)),
            (odd(|one| one.mode = "X EXAMPLE At Night".into()), Ok(())),
            (odd(|one| one.mode = format!("X {}", "y".repeat(63)).into()), Err(Long)),
            (odd(|one| one.user_message = "May I?".into()), Err(Message)),
            (odd(|one| one.max_retries = -2), Err(Retries)),
            (
                odd(|one| {
                    one.mode = "4 Confirmation Needed".into();
                    one.user_message = "May I?".into();
                }),
                Ok(()),
            ),
        ];
        for (windows, expected) in cases {
            assert_eq!(check_windows(&windows), expected, "{windows:?}");
        }
    }
}
