//! Plans over the whole fleet: what a change of profiles would do, on which
//! devices, by which RPCs, before anything is sent.
//!
//! - [`Proposal`]: the profiles as they are and as they are to be.
//! - [`DevicePlan`]: what one device would be asked.
//! - [`Outage`]: what a change interrupts.
//! - [`Summary`]: the same counted over all devices.
//! - [`FleetPlanner`]: walks the inventory, in bounded memory, beside the doors.
//!
//! A plan is made from what is known. It asks no device anything, and what it
//! says is as fresh as what is stored.

mod device;
mod outage;
mod proposal;
mod summary;
mod walk;

pub use device::{DevicePlan, FirmwareChange, PlannedChange};
pub use outage::Outage;
pub use proposal::{Proposal, base_of, proposed};
pub use summary::{Kinds, ProfileShare, Summary};
pub use walk::{FleetPlanner, PlanPage, Progress};
