//! The CPE WAN Management Protocol (TR-069): messages by family, envelope,
//! faults, the XML reader and writer, and the order of a session.
//!
//! Pure: bytes in, values out. The reader is lenient where the field is broken
//! and bounded everywhere; the writer is exact. What is *wanted* of a device is
//! not known here (see [`crate::plan`]).

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod control;
mod envelope;
mod fault;
mod inform;
mod message;
mod objects;
mod parameters;
mod transfer;

pub use control::{GetRpcMethodsResponse, Reboot};
pub use envelope::{Envelope, Namespace};
pub use fault::{Fault, FaultCode, ParameterFault};
pub use inform::{Inform, InformEvent};
pub use message::{AcsRequest, AcsResponse, CpeRequest, CpeResponse, Message, Side};
pub use objects::{AddObject, AddObjectResponse, DeleteObject};
pub use parameters::{
    GetParameterNames, GetParameterValues, ParameterInfo, ParameterValue, SetParameterValues,
};
pub use transfer::{Download, TransferComplete, TransferResponse};
