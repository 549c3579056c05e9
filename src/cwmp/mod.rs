//! The CPE WAN Management Protocol (TR-069): messages by family, envelope,
//! faults, the XML reader and writer, and the order of a session.
//!
//! Pure: bytes in, values out. The reader is lenient where the field is broken
//! and bounded everywhere; the writer is exact. What is *wanted* of a device is
//! not known here (see [`crate::plan`]).

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod attributes;
mod control;
mod deployment;
mod dispatch;
mod envelope;
mod fault;
mod inform;
mod kicked;
mod lightweight;
pub mod mask;
mod message;
mod objects;
mod options;
mod parameters;
mod queue;
mod read;
mod schedule;
mod session;
pub mod story;
mod transfer;
mod write;

pub use attributes::{
    AttributeChange, GetParameterAttributes, ParameterAttributes, SetParameterAttributes,
};
pub use control::{GetRpcMethodsResponse, Reboot};
pub use deployment::{
    AutonomousDuStateChangeComplete, AutonomousResult, ChangeDuState, DuStateChangeComplete,
    Operation, OperationResult,
};
pub use envelope::{Envelope, Namespace};
pub use fault::{Fault, FaultCode, ParameterFault};
pub use inform::{Inform, InformEvent};
pub use kicked::{Kicked, KickedResponse};
pub use lightweight::{LightweightDatagram, LightweightError, LightweightNotification};
pub use message::{AcsRequest, AcsResponse, CpeRequest, CpeResponse, Message, Side};
pub use objects::{AddObject, AddObjectResponse, DeleteObject};
pub use options::{GetOptions, OptionState, SetVouchers};
pub use parameters::{
    GetParameterNames, GetParameterValues, ParameterInfo, ParameterValue, SetParameterValues,
};
pub use queue::{AnyQueuedTransfer, QueuedTransfer};
pub use read::{Oddity, Parsed, Problem, ReadError, ReadLimits, Warning, read};
pub use schedule::{CancelTransfer, ScheduleDownload, ScheduleInform, TimeWindow};
pub use session::{
    Asked, AwaitInform, AwaitResponse, Draining, Ended, Ending, Greeting, Input, Output, Session,
    Turn, Version,
};
pub use transfer::{
    AutonomousTransferComplete, Download, RequestDownload, TransferComplete, TransferResponse,
    Upload,
};
pub use write::{WriteStyle, write};
