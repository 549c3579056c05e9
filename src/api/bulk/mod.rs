//! `/bulk`: the same change over many devices, found by a search.
//!
//! A change is asked for with how many devices it is expected to be about, and
//! goes on by itself: what is done for a device and how far the change is are one
//! commit, so that after a crash it goes on behind the last device and does
//! nothing twice. It reaches no further than whoever asked for it did, and does now.
//!
//! `ask` reads and refuses, `run` goes on, `asker` judges whose change it is, `prepare`
//! says what is done for a device, `view` tells.

mod ask;
mod asker;
mod prepare;
mod run;
mod view;

pub(super) use ask::*;
pub(super) use run::{Bulks, keep_up};
pub(super) use view::*;
