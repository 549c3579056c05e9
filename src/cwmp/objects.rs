//! Object RPCs: `AddObject`, `DeleteObject` (TR-069 §A.3.2.6, §A.3.2.7).

use crate::param::ParamPath;

/// `AddObject`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddObject {
    /// The table, with its trailing dot.
    pub table: ParamPath,
    /// ParameterKey; empty if it is of no use.
    pub parameter_key: Box<str>,
}

/// `AddObjectResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddObjectResponse {
    /// The number of the new instance, as the device wrote it; 1 and above by
    /// the standard.
    pub instance: u32,
    /// 0: made; 1: made later.
    pub status: u32,
}

/// `DeleteObject`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteObject {
    /// The instance, with its trailing dot.
    pub instance: ParamPath,
    /// ParameterKey; empty if it is of no use.
    pub parameter_key: Box<str>,
}
