//! Managed devices: who they are, what is known of them, what is asked of them
//! and what became of it.
//!
//! Pure words, shared by the store, the planner and the doors. Records that
//! are stored derive serde and are encoded by [`crate::store`]; what the
//! northbound shows is shaped in `api`, never here.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod association;
mod change;
mod claims;
mod compliance;
mod credentials;
mod desired;
mod event;
mod id;
mod labels;
mod learned;
mod lesson;
mod model;
mod preload;
mod record;
mod report;
mod secret;
mod session;
mod task;
mod trace;

pub use association::{Association, Kinship, Teller};
pub use change::{Cause, ChangeSet, DeviceBackup, MAX_CHANGES, ValueChange};
pub use claims::{MAX_CLAIMS, bears_on_claims, changed_claims, claims};
pub use compliance::{
    Compliance, Drift, FirmwareStanding, MAX_DRIFTS, Repair, Settlement, WrittenValues,
};
pub use credentials::{Credentials, Stage};
pub use desired::{
    Desired, MAX_WANTED, OtherRows, Source, Wanted, WantedAttribute, WantedRow, WantedTable,
    WantedValue,
};
pub use event::{Event, EventCode, EventKind};
pub use id::{DeviceId, DeviceIdentity, IdError};
pub use labels::{HIDDEN, LabelFault, Labels, LabelsChange, MAX_FIELDS, MAX_TAGS, is_secret_field};
pub use learned::Learned;
pub use lesson::{Ability, AbilityError, Lesson, Lessons, Proof};
pub use model::{Heard, ModelKey, ModelKeyError, ModelLesson, ModelRecord, ModelWishes};
pub use preload::{Decision, Preload, PreloadKey, PreloadKeyError, Stranger, Vouched, expected_as};
pub use record::Device;
pub use report::{Report, ReportSource};
pub use secret::{Sealed, Secret, without_users};
pub use session::{MAX_SESSION_RPCS, RpcOutcome, RpcRecord, SessionRecord};
pub use task::{
    Action, AttributeWish, DeploymentWish, Diagnostic, DiagnosticKind, DownloadFile, FaultRecord,
    MAX_RESULTS, Outcome, Phase, ProvisionedFile, Redirection, Task, TaskId, TaskResult, TaskState,
    TransferWindow, UploadWish,
};
pub use trace::{TraceDirection, TraceEntry};
