//! The devices of a campaign as they are stored.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::device::{DeviceId, TaskId};
use crate::param::Value;
use crate::time::Timestamp;

/// One device of a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The campaign.
    pub campaign: Box<str>,
    /// The device.
    pub device: DeviceId,
    /// The wave, from 0.
    pub wave: u32,
    /// How often it was asked, to be brought back included: numbers its tasks.
    pub asks: u32,
    /// Attempts that came to nothing; begins anew when it is brought back.
    pub attempts: u32,
    /// Whether an attempt was made that failed: something was sent to it.
    pub tried: bool,
    /// What it had before it was asked.
    pub before: Before,
    /// Where it stands.
    pub state: MemberState,
}

/// What a device had before it was asked. Secrets are not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Before {
    /// Nothing that could be brought back.
    #[default]
    Nothing,
    /// This software version.
    Version(Box<str>),
    /// These values; `None` where the value was not known.
    Values(Vec<(Box<str>, Option<Value>)>),
}

/// Where a device of a campaign stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemberState {
    /// Its turn has not come.
    Waiting,
    /// It was asked.
    Asked {
        /// When.
        at: Timestamp,
        /// By this task.
        task: TaskId,
    },
    /// It did what it was asked, and has to show that it is well.
    Checking {
        /// Since when.
        since: Timestamp,
        /// How many sessions it had opened by then.
        sessions: u64,
        /// Until when.
        until: Timestamp,
    },
    /// Between two attempts.
    Resting {
        /// Until when.
        until: Timestamp,
        /// How the last one ended.
        why: Box<str>,
    },
    /// It has what it was to have.
    Done {
        /// Since when.
        at: Timestamp,
    },
    /// It had that before.
    Already {
        /// When that was seen.
        at: Timestamp,
    },
    /// It refused, broke, or nobody knows.
    Failed {
        /// When.
        at: Timestamp,
        /// Why.
        why: Box<str>,
    },
    /// It did not come; nothing was sent to it.
    Unreached {
        /// When it was given up.
        at: Timestamp,
        /// Why.
        why: Box<str>,
    },
    /// It cannot be asked, or somebody withdrew what was asked.
    Skipped {
        /// When.
        at: Timestamp,
        /// Why.
        why: Box<str>,
    },
    /// It was asked to be what it was before.
    UndoAsked {
        /// When.
        at: Timestamp,
        /// By this task.
        task: TaskId,
    },
    /// Between two attempts to bring it back.
    UndoResting {
        /// Until when.
        until: Timestamp,
        /// How the last one ended.
        why: Box<str>,
    },
    /// It is what it was before.
    Undone {
        /// Since when.
        at: Timestamp,
    },
    /// It could not be brought back.
    NotUndone {
        /// When.
        at: Timestamp,
        /// Why.
        why: Box<str>,
    },
}

/// A state without what belongs to it: what is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// See [`MemberState::Waiting`].
    Waiting,
    /// [`MemberState::Asked`], [`MemberState::Checking`] or
    /// [`MemberState::Resting`].
    AtWork,
    /// See [`MemberState::Done`].
    Done,
    /// See [`MemberState::Already`].
    Already,
    /// See [`MemberState::Failed`].
    Failed,
    /// See [`MemberState::Unreached`].
    Unreached,
    /// See [`MemberState::Skipped`].
    Skipped,
    /// [`MemberState::UndoAsked`] or [`MemberState::UndoResting`].
    Undoing,
    /// See [`MemberState::Undone`].
    Undone,
    /// See [`MemberState::NotUndone`].
    NotUndone,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Waiting,
        Self::AtWork,
        Self::Done,
        Self::Already,
        Self::Failed,
        Self::Unreached,
        Self::Skipped,
        Self::Undoing,
        Self::Undone,
        Self::NotUndone,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::AtWork => "at_work",
            Self::Done => "done",
            Self::Already => "already",
            Self::Failed => "failed",
            Self::Unreached => "unreached",
            Self::Skipped => "skipped",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::NotUndone => "not_undone",
        }
    }

    /// Whether the device keeps a place among those at work.
    pub const fn is_at_work(self) -> bool {
        matches!(self, Self::AtWork | Self::Undoing)
    }

    /// Whether the device was changed, or may have been, and nobody has tried to
    /// bring it back.
    pub const fn is_changed(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

impl MemberState {
    /// Where it is counted.
    pub const fn place(&self) -> Place {
        match self {
            Self::Waiting => Place::Waiting,
            Self::Asked { .. } | Self::Checking { .. } | Self::Resting { .. } => Place::AtWork,
            Self::Done { .. } => Place::Done,
            Self::Already { .. } => Place::Already,
            Self::Failed { .. } => Place::Failed,
            Self::Unreached { .. } => Place::Unreached,
            Self::Skipped { .. } => Place::Skipped,
            Self::UndoAsked { .. } | Self::UndoResting { .. } => Place::Undoing,
            Self::Undone { .. } => Place::Undone,
            Self::NotUndone { .. } => Place::NotUndone,
        }
    }

    /// The task that it waits for.
    pub const fn task(&self) -> Option<TaskId> {
        match self {
            Self::Asked { task, .. } | Self::UndoAsked { task, .. } => Some(*task),
            _ => None,
        }
    }

    /// When it is to be looked at again whatever happens.
    pub const fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Checking { until, .. }
            | Self::Resting { until, .. }
            | Self::UndoResting { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// Why it stands there; empty if there is nothing to tell.
    pub fn why(&self) -> &str {
        match self {
            Self::Resting { why, .. }
            | Self::Failed { why, .. }
            | Self::Unreached { why, .. }
            | Self::Skipped { why, .. }
            | Self::UndoResting { why, .. }
            | Self::NotUndone { why, .. } => why,
            _ => "",
        }
    }

    /// Since when it stands there, or until when; `None` if that is not told.
    pub const fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Waiting => None,
            Self::Asked { at, .. }
            | Self::Done { at }
            | Self::Already { at }
            | Self::Failed { at, .. }
            | Self::Unreached { at, .. }
            | Self::Skipped { at, .. }
            | Self::UndoAsked { at, .. }
            | Self::Undone { at }
            | Self::NotUndone { at, .. } => Some(*at),
            Self::Checking { since, .. } => Some(*since),
            Self::Resting { until, .. } | Self::UndoResting { until, .. } => Some(*until),
        }
    }
}

/// The task by which a device is asked for the `ask`-th time. It is the same
/// whoever computes it, whenever: however a server ends, one ask never becomes
/// two tasks. `began` is when the wave began, and `made` when the campaign was
/// made, which tells apart two campaigns of one name.
pub fn task_id(
    campaign: &str,
    made: Timestamp,
    began: Timestamp,
    device: &DeviceId,
    ask: u32,
) -> TaskId {
    let mut digest = Sha256::new();
    digest.update(campaign.as_bytes());
    digest.update([0]);
    digest.update(made.as_millis().to_be_bytes());
    digest.update(device.as_str().as_bytes());
    digest.update([0]);
    digest.update(ask.to_be_bytes());
    let digest = digest.finalize();
    let mut random = [0; 10];
    for (to, from) in random.iter_mut().zip(digest) {
        *to = from;
    }
    let millis = u64::try_from(began.as_millis()).unwrap_or(0);
    TaskId(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().as_u128())
}

/// A device's lot in a campaign: the smallest go first, so that a canary is drawn
/// from the whole fleet and not from those with the lowest serial numbers.
pub fn lot(campaign: &str, made: Timestamp, device: &DeviceId) -> u128 {
    let mut digest = Sha256::new();
    digest.update(made.as_millis().to_be_bytes());
    digest.update(campaign.as_bytes());
    digest.update([1]);
    digest.update(device.as_str().as_bytes());
    let digest: [u8; 32] = digest.finalize().into();
    digest.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes))
}
