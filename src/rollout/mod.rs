//! Campaigns as a state machine: waves, windows, rates, and when to stop.
//!
//! Pure. What happened and `now` go in, what to do next comes out; storing,
//! tasks and waking are [`crate::campaign`]'s.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod record;

pub use record::{CampaignRecord, CampaignState, Member, MemberState};
