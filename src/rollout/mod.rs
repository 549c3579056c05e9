//! Campaigns as a state machine: waves, windows, rates, and when to stop.
//!
//! Pure. What happened and `now` go in, what to do next comes out; storing,
//! tasks and waking are [`crate::campaign`]'s. [`CampaignSpec`] is what an
//! operator writes, [`CampaignRecord`] where a campaign stands, [`advance()`] what
//! it does next, [`settle()`] what becomes of one device, [`at_most`] how many
//! devices it can harm before it halts.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod action;
mod advance;
mod bound;
mod member;
mod pace;
mod record;
mod settle;
mod span;
mod spec;
mod window;

pub use action::{Asked, ask, undo};
pub use advance::{Step, advance};
pub use bound::{at_most, ends_not_before, threshold_reached, wave_sizes};
pub use member::{Before, Member, MemberState, Place, lot, task_id};
pub use pace::Pace;
pub use record::{
    CampaignRecord, CampaignState, Counts, HistoryLine, MAX_HISTORY, MAX_NAME, Tally,
};
pub use settle::{Seen, settle};
pub use span::Span;
pub use spec::{
    Abort, Attempts, CampaignAction, CampaignSpec, Contact, Health, MAX_CONCURRENCY, MAX_DEVICES,
    MAX_WAVES, PaceSpec, Rollback, Share, SpecError, Target, WaveSize, Waves, text_of,
};
pub use window::{Day, Window, WindowNow, WindowSpec};

#[cfg(test)]
mod tests;
