//! Attribute RPCs: `SetParameterAttributes`, `GetParameterAttributes`
//! (TR-069 §A.3.2.4, §A.3.2.5).

use crate::param::ParamPath;

/// `SetParameterAttributes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetParameterAttributes {
    /// What to change.
    pub changes: Vec<AttributeChange>,
}

/// `SetParameterAttributesStruct`: `None` leaves an attribute as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeChange {
    /// A parameter, or an object for all that lies below it.
    pub name: ParamPath,
    /// `Notification`: 0 off, 1 passive, 2 active, 3 to 6 with lightweight
    /// notifications (from version 1.4 on).
    pub notification: Option<u32>,
    /// `AccessList`: who besides the server may write; only `Subscriber` is
    /// defined.
    pub access_list: Option<Vec<Box<str>>>,
}

/// `GetParameterAttributes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetParameterAttributes {
    /// Full names, or partial paths that end with a dot.
    pub names: Vec<ParamPath>,
}

/// `ParameterAttributeStruct` of `GetParameterAttributesResponse`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterAttributes {
    /// The parameter's full name.
    pub name: ParamPath,
    /// 0 off, 1 passive, 2 active, 3 to 6 with lightweight notifications.
    pub notification: u32,
    /// Who besides the server may write.
    pub access_list: Vec<Box<str>>,
}
