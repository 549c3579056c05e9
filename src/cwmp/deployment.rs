//! Software modules: `ChangeDUState`, `DUStateChangeComplete`,
//! `AutonomousDUStateChangeComplete` (TR-069 §A.4.1.10, §A.4.2.3, §A.4.2.4).

use super::fault::FaultCode;
use crate::device::Secret;

/// `ChangeDUState`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeDuState {
    /// What to do; the device chooses the order.
    pub operations: Vec<Operation>,
    /// Comes back with the `M ChangeDUState` event; at most 32 characters.
    pub command_key: Box<str>,
}

/// One operation on a deployment unit. Members that are `None` are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `InstallOpStruct`.
    Install {
        /// Where the unit lies.
        url: Box<str>,
        /// Its UUID.
        uuid: Option<Box<str>>,
        /// The user name at the file server.
        username: Option<Box<str>>,
        /// The password at the file server.
        password: Option<Secret>,
        /// The execution environment to install into.
        execution_environment: Option<Box<str>>,
    },
    /// `UpdateOpStruct`: without UUID and URL every unit is updated.
    Update {
        /// The unit's UUID.
        uuid: Option<Box<str>>,
        /// The version to update, if only one is meant.
        version: Option<Box<str>>,
        /// Where the update lies.
        url: Option<Box<str>>,
        /// The user name at the file server.
        username: Option<Box<str>>,
        /// The password at the file server.
        password: Option<Secret>,
    },
    /// `UninstallOpStruct`.
    Uninstall {
        /// The unit's UUID.
        uuid: Box<str>,
        /// The version to remove, if only one is meant.
        version: Option<Box<str>>,
        /// The execution environment to remove it from.
        execution_environment: Option<Box<str>>,
    },
}

/// `DUStateChangeComplete`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuStateChangeComplete {
    /// One result per operation, in their order.
    pub results: Vec<OperationResult>,
    /// The CommandKey of the ChangeDUState.
    pub command_key: Box<str>,
}

/// `AutonomousDUStateChangeComplete`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutonomousDuStateChangeComplete {
    /// What was done, and what became of it.
    pub results: Vec<AutonomousResult>,
}

/// `AutonOpResultStruct`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutonomousResult {
    /// What became of it.
    pub result: OperationResult,
    /// `Install`, `Update` or `Uninstall`.
    pub operation: Box<str>,
}

/// `OpResultStruct`: what became of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationResult {
    /// The unit's UUID.
    pub uuid: Box<str>,
    /// The path of the unit's object.
    pub deployment_unit: Box<str>,
    /// The unit's version.
    pub version: Box<str>,
    /// `Installed`, `Uninstalled` or `Failed`.
    pub current_state: Box<str>,
    /// Whether all that the unit depends on is there.
    pub resolved: bool,
    /// The paths of its execution units, separated by commas.
    pub execution_units: Box<str>,
    /// When it began, as the device wrote it.
    pub start_time: Box<str>,
    /// When it ended, as the device wrote it.
    pub complete_time: Box<str>,
    /// 0 on success.
    pub fault_code: FaultCode,
    /// Empty on success.
    pub fault_string: Box<str>,
}
