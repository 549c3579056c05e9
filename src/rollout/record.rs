//! Campaigns as they are stored.

use serde::{Deserialize, Serialize};

use super::member::Place;
use crate::time::Timestamp;

/// The longest name of a campaign, in bytes.
pub const MAX_NAME: usize = 64;

/// Lines of history that are kept of a campaign.
pub const MAX_HISTORY: usize = 100;

/// A change over many devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignRecord {
    /// The key.
    pub name: Box<str>,
    /// Raised by one with each change; a change on an old revision is refused.
    pub revision: u32,
    /// What it is to do, as JSON; parsed when it is put and when it is loaded.
    pub text: Box<str>,
    /// When it was made.
    pub at: Timestamp,
    /// Who made it.
    pub by: Box<str>,
    /// Why; may be empty.
    pub why: Box<str>,
    /// Where it stands.
    pub state: CampaignState,
    /// When it was started; `None` before.
    pub started_at: Option<Timestamp>,
    /// Who approved it, and when; `None` if nobody had to or has.
    pub approved: Option<(Timestamp, Box<str>)>,
    /// How many devices stand where, wave by wave.
    pub waves: Vec<Counts>,
    /// What is judged: the devices of the wave that finished.
    pub tally: Tally,
    /// Devices of which it is not known what they have now.
    pub unknown: u32,
    /// Devices that could not be brought back to what they were.
    pub cannot_undo: u32,
    /// What happened to it, oldest first; bounded by [`MAX_HISTORY`].
    pub history: Vec<HistoryLine>,
    /// The tenant whose it is: it asks devices of this tenant alone, whatever its
    /// target says. Empty for the installation's.
    pub tenant: Box<str>,
}

/// Where a campaign stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CampaignState {
    /// Its members are being chosen.
    Gathering,
    /// Its members are chosen, and it was not started.
    Draft,
    /// It was started, and somebody has to approve it.
    NeedsApproval {
        /// Who started it.
        by: Box<str>,
        /// When.
        at: Timestamp,
    },
    /// Devices are asked.
    Running {
        /// The wave, from 0.
        wave: u32,
        /// When the wave began.
        since: Timestamp,
        /// Devices are not asked before this time.
        not_before: Timestamp,
    },
    /// An operator holds it; what was sent goes on.
    Paused {
        /// The wave.
        wave: u32,
        /// When the wave began.
        since: Timestamp,
        /// Who holds it.
        by: Box<str>,
    },
    /// Too much failed.
    Halted {
        /// The wave.
        wave: u32,
        /// When the wave began.
        since: Timestamp,
        /// Why.
        why: Box<str>,
    },
    /// Devices that were changed are brought back.
    RollingBack {
        /// When that began.
        since: Timestamp,
        /// Why.
        why: Box<str>,
    },
    /// Devices were brought back.
    RolledBack {
        /// When.
        at: Timestamp,
    },
    /// It was ended before its time.
    Stopped {
        /// When.
        at: Timestamp,
        /// Why, and by whom.
        why: Box<str>,
    },
    /// Every device had its turn.
    Finished {
        /// When.
        at: Timestamp,
    },
    /// It is being forgotten.
    Removing,
}

impl CampaignState {
    /// One word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Gathering => "gathering",
            Self::Draft => "draft",
            Self::NeedsApproval { .. } => "needs_approval",
            Self::Running { .. } => "running",
            Self::Paused { .. } => "paused",
            Self::Halted { .. } => "halted",
            Self::RollingBack { .. } => "rolling_back",
            Self::RolledBack { .. } => "rolled_back",
            Self::Stopped { .. } => "stopped",
            Self::Finished { .. } => "finished",
            Self::Removing => "removing",
        }
    }

    /// The wave at work, and when it began.
    pub const fn wave(&self) -> Option<(u32, Timestamp)> {
        match self {
            Self::Running { wave, since, .. }
            | Self::Paused { wave, since, .. }
            | Self::Halted { wave, since, .. } => Some((*wave, *since)),
            _ => None,
        }
    }

    /// Whether nothing follows by itself.
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::RolledBack { .. } | Self::Stopped { .. } | Self::Finished { .. })
    }
}

/// How many devices stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Their turn has not come.
    pub waiting: u32,
    /// Asked, watched, or between two attempts.
    pub at_work: u32,
    /// They have what they were to have.
    pub done: u32,
    /// They had it before.
    pub already: u32,
    /// They refused, broke, or nobody knows.
    pub failed: u32,
    /// They did not come; nothing was sent to them.
    pub unreached: u32,
    /// They cannot be asked, or somebody withdrew what was asked.
    pub skipped: u32,
    /// They are being brought back.
    pub undoing: u32,
    /// They are what they were before.
    pub undone: u32,
    /// They could not be brought back.
    pub not_undone: u32,
}

impl Counts {
    /// The count of a place.
    pub const fn of(&self, place: Place) -> u32 {
        match place {
            Place::Waiting => self.waiting,
            Place::AtWork => self.at_work,
            Place::Done => self.done,
            Place::Already => self.already,
            Place::Failed => self.failed,
            Place::Unreached => self.unreached,
            Place::Skipped => self.skipped,
            Place::Undoing => self.undoing,
            Place::Undone => self.undone,
            Place::NotUndone => self.not_undone,
        }
    }

    const fn slot(&mut self, place: Place) -> &mut u32 {
        match place {
            Place::Waiting => &mut self.waiting,
            Place::AtWork => &mut self.at_work,
            Place::Done => &mut self.done,
            Place::Already => &mut self.already,
            Place::Failed => &mut self.failed,
            Place::Unreached => &mut self.unreached,
            Place::Skipped => &mut self.skipped,
            Place::Undoing => &mut self.undoing,
            Place::Undone => &mut self.undone,
            Place::NotUndone => &mut self.not_undone,
        }
    }

    /// A device went from one place to another.
    pub const fn moved(&mut self, from: Place, to: Place) {
        let slot = self.slot(from);
        *slot = slot.saturating_sub(1);
        let slot = self.slot(to);
        *slot = slot.saturating_add(1);
    }

    /// All devices.
    pub fn all(&self) -> u64 {
        Place::ALL.into_iter().map(|place| u64::from(self.of(place))).sum()
    }
}

/// The devices that are judged: those of the wave that finished since it began,
/// or since the campaign was resumed after it had halted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Done or failed.
    pub finished: u32,
    /// Failed.
    pub failed: u32,
}

/// One thing that happened to a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// When.
    pub at: Timestamp,
    /// Who did it; `provost` for the campaign itself.
    pub by: Box<str>,
    /// What, in words.
    pub what: Box<str>,
}

impl CampaignRecord {
    /// The devices of all waves.
    pub fn devices(&self) -> u64 {
        self.waves.iter().map(Counts::all).sum()
    }

    /// How many devices of all waves stand somewhere.
    pub fn count(&self, place: Place) -> u64 {
        self.waves.iter().map(|wave| u64::from(wave.of(place))).sum()
    }

    /// A device of a wave went from one place to another.
    pub fn moved(&mut self, wave: u32, from: Place, to: Place) {
        if from == to {
            return;
        }
        let at = usize::try_from(wave).unwrap_or(usize::MAX);
        if let Some(counts) = self.waves.get_mut(at) {
            counts.moved(from, to);
        }
        if from == Place::AtWork && matches!(to, Place::Done | Place::Failed) {
            self.tally.finished = self.tally.finished.saturating_add(1);
            self.tally.failed = self.tally.failed.saturating_add(u32::from(to == Place::Failed));
        }
    }

    /// Notes what happened.
    pub fn note(&mut self, at: Timestamp, by: &str, what: impl Into<Box<str>>) {
        if self.history.len() >= MAX_HISTORY {
            // The first line tells who made it: that one stays.
            self.history.remove(1);
        }
        self.history.push(HistoryLine { at, by: by.into(), what: what.into() });
    }
}
