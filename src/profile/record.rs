//! Profiles and plans as they are stored.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// One version of a profile.
///
/// What it says stands as text, so that its form can grow; it is parsed when it
/// is put and when it is loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileRecord {
    /// The key.
    pub name: Box<str>,
    /// From 1, raised by one with each change; also the revision.
    pub version: u32,
    /// What it says, as JSON; secrets in clear, because records of this kind
    /// are sealed.
    pub text: Box<str>,
    /// Whether it is in force. One that is not wants nothing.
    pub enabled: bool,
    /// When this version was made.
    pub at: Timestamp,
    /// Who made it.
    pub by: Box<str>,
    /// Why; may be empty.
    pub why: Box<str>,
    /// The tenant whose it is: it is about devices of this tenant alone, whatever
    /// its rule says. Empty for the installation's.
    pub tenant: Box<str>,
}

/// A plan that was made and may be applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRecord {
    /// The key: a UUID of version 7.
    pub id: u128,
    /// When it was made.
    pub at: Timestamp,
    /// Who made it.
    pub by: Box<str>,
    /// Why; may be empty.
    pub why: Box<str>,
    /// The profiles that it was made upon: while these are in force it can be
    /// applied.
    pub base: u64,
    /// What it would change about profiles; empty if it tells what those in
    /// force would do.
    pub changes: Vec<ProfileChange>,
    /// Which devices it was asked for, as a rule; empty for all.
    pub rule: Box<str>,
    /// What it would do, as JSON of the northbound.
    pub summary: Box<str>,
    /// When it was applied, and by whom.
    pub applied: Option<(Timestamp, Box<str>)>,
    /// The tenant whose it is: it tells of devices of this tenant alone. Empty for
    /// the installation's.
    pub tenant: Box<str>,
}

/// A change of one profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileChange {
    /// The profile.
    pub name: Box<str>,
    /// What it is to say; `None` if it is to be removed.
    pub text: Option<Box<str>>,
    /// Whether it is to be in force.
    pub enabled: bool,
}
