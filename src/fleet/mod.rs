//! What is wanted of the fleet: the profiles in force, what they want of one
//! device, and plans over all of them.
//!
//! The device's door and the northbound both stand before it. What profiles mean
//! is for [`crate::profile`]; how a device gets there for [`crate::plan`].

mod plan;
mod profiles;

pub use plan::{
    DevicePlan, FirmwareChange, FleetPlanner, FleetPlannerDeps, Kinds, Outage, PlanPage,
    PlannedChange, ProfileShare, Progress, Proposal, Summary, base_of, proposed,
};
pub use profiles::Profiles;
