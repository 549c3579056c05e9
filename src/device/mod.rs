//! Managed devices: who they are, what is known of them, what is asked of them
//! and what became of it.
//!
//! Pure words, shared by the store, the planner and the doors. Records that
//! are stored derive serde and are encoded by [`crate::store`]; what the
//! northbound shows is shaped in `api`, never here.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod credentials;
mod event;
mod id;
mod learned;
mod record;
mod secret;
mod task;

pub use credentials::{Credentials, Stage};
pub use event::{Event, EventCode, EventKind};
pub use id::{DeviceId, DeviceIdentity, IdError};
pub use learned::Learned;
pub use record::{Device, Labels};
pub use secret::{Sealed, Secret};
pub use task::{
    Action, DownloadFile, FaultRecord, Outcome, Phase, ProvisionedFile, Task, TaskId, TaskState,
};
