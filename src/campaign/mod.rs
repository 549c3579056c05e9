//! Campaigns at work: members are asked by tasks, woken, watched and counted.
//!
//! When to do what is told by [`crate::rollout`]; here it is done, and made
//! durable before it is done.
