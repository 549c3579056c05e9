//! The planner: what is known of a device and what is asked of it → the next
//! RPC, or satisfied.
//!
//! Pure. It knows intent and no session: neither cookies nor envelopes nor who
//! spoke last. `acs::driver` asks [`Planner::next`] for a [`Step`], sends it,
//! and brings the answer to [`Planner::answer`], until the planner is
//! satisfied.
//!
//! - [`planner`](Planner): the order of the jobs of one session.
//! - `job`: one task of an operator from queued to its outcome.
//! - `survey`: reading the whole tree or a part of it.
//! - `reader`: reading values in batches that the device can take.
//! - `writer`: writing values and reading them back.
//! - `names`: lists of names as devices make them.
//! - `exchange`: what the pace of answers, and silence, teach.
//! - `gap`: what stands between a device and a state.
//! - `assess`: what it would take, without asking.
//! - `backup`, `restore`: what a device can be brought back to, and how.
//! - `written`: what was written that cannot be read.
//! - `evidence`: what an Inform, a TransferComplete or a DUStateChangeComplete
//!   proves about tasks that were sent before.
//! - `stun`: what a device behind NAT is told of the STUN server.
//! - `windows`: when a ScheduleDownload may happen.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod alias;
mod assess;
mod backup;
mod context;
mod evidence;
mod exchange;
mod gap;
mod job;
mod names;
mod planner;
mod reader;
mod restore;
mod stun;
mod survey;
mod windows;
mod writer;
mod written;

#[cfg(test)]
mod tests;

pub use assess::{Assessment, Difference, PlannedRpc, assess};
pub use backup::{backup, is_kept};
pub use evidence::{Evidence, patience_of, settle, settle_transfer, settle_units, settle_upload};
pub use job::{MAX_OPERATIONS, cancel_transfer};
pub use planner::{DownloadLink, Onboarding, OnboardingResult, Planner, Situation, Step};
pub use restore::{Extent, RestoreError, Restored, restore};
pub use stun::StunSetup;
pub use windows::{WindowError, check_windows};
pub use written::{Digest, Written};
