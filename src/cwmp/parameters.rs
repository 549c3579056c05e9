//! Parameter RPCs: `GetParameterNames`, `GetParameterValues`,
//! `SetParameterValues` (TR-069 §A.3.2.1 to §A.3.2.3).

use crate::param::{ParamPath, Value};

/// `ParameterValueStruct`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterValue {
    /// The parameter's full name.
    pub name: ParamPath,
    /// Its value; a missing `Value` element is an empty string (Q9).
    pub value: Value,
}

/// `ParameterInfoStruct`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterInfo {
    /// The name of a parameter, or of an object with its trailing dot.
    pub name: ParamPath,
    /// Parameter: can be set. Table: AddObject. Instance: DeleteObject.
    pub writable: bool,
}

/// `GetParameterNames`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetParameterNames {
    /// The path to look below; `None` is the empty path, the root.
    pub path: Option<ParamPath>,
    /// True: direct children only.
    pub next_level: bool,
}

/// `GetParameterValues`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetParameterValues {
    /// Full names, or partial paths that end with a dot.
    pub names: Vec<ParamPath>,
}

/// `SetParameterValues`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetParameterValues {
    /// What to set, all or nothing.
    pub values: Vec<ParameterValue>,
    /// ParameterKey; empty if it is of no use.
    pub parameter_key: Box<str>,
}
