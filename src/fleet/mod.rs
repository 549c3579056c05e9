//! What is wanted of the fleet: the profiles in force, what they want of one
//! device, and plans over all of them.
//!
//! The device's door and the northbound both stand before it. What profiles mean
//! is for [`crate::profile`]; how a device gets there for [`crate::plan`].
//!
//! - `profiles`, `models`: what sessions need of profiles and models, at hand.
//! - `known`: all that is known of one device.
//! - `standing`: where one device stands, without asking it.
//! - `verdict`: what is to be done about what differs.
//! - `digest`: keyed digests of values and states.

mod digest;
mod known;
mod models;
mod plan;
mod profiles;
mod standing;
mod verdict;

pub use digest::digest;
pub use known::Known;
pub use models::Models;
pub use plan::{
    DevicePlan, FirmwareChange, FleetPlanner, Kinds, Outage, PlanPage, PlannedChange, ProfileShare,
    Progress, Proposal, Summary, base_of, proposed,
};
pub use profiles::Profiles;
pub use standing::{Standing, asks_repair, standing};
pub use verdict::{Bounds, Deed, Failure, Look, Next, after_failure, back_off, judge};

use std::sync::Arc;

use self::digest::StateDigest;
use crate::device::{Desired, Learned};
use crate::plan::Digest;
use crate::profile::FirmwareTarget;
use crate::store::{Store, Vault};

/// The fleet, as the doors share it.
pub struct Fleet {
    store: Arc<dyn Store>,
    profiles: Profiles,
    models: Models,
    digest: Digest,
    state_digest: StateDigest,
}

impl Fleet {
    /// On a store. `assumed` is what devices are taken to bear of which nothing is
    /// known. Nothing is read yet.
    pub fn new(store: Arc<dyn Store>, vault: &Vault, assumed: Learned) -> Arc<Self> {
        Arc::new(Self {
            profiles: Profiles::new(store.clone()),
            models: Models::new(store.clone(), assumed),
            digest: digest(vault),
            state_digest: StateDigest::new(vault),
            store,
        })
    }

    /// The profiles in force.
    pub const fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// What is known of models.
    pub const fn models(&self) -> &Models {
        &self.models
    }

    /// Makes digests of what is written.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Stands for a state: the same number for the same state, whoever wants it;
    /// never 0.
    pub fn digest_of_state(&self, desired: &Desired, firmware: Option<&FirmwareTarget>) -> u64 {
        self.state_digest.of(desired, firmware)
    }
}
