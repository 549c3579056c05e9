//! Campaigns at work: members are asked by tasks, woken, watched and counted.
//!
//! When to do what is told by [`crate::rollout`]; here it is done, and made
//! durable before it is done. A device's task, its place in the campaign and the
//! campaign's counts are one commit, and the task's id follows from what it is
//! for: however the server ends, an attempt has one task or none.
//!
//! In memory are the devices at work only, of which a campaign has at most its
//! `concurrency`; those that wait are read page by page.

mod change;
mod collect;
mod error;
mod fleet;
mod gather;
mod service;
mod work;

pub use error::CampaignError;
pub use gather::Preview;
pub use service::{Campaigns, CampaignsDeps, WakeDevice};
