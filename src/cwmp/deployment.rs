//! Software modules: `ChangeDUState`, `DUStateChangeComplete`,
//! `AutonomousDUStateChangeComplete` (TR-069 §A.4.1.10, §A.4.2.3, §A.4.2.4).

use super::fault::FaultCode;
use super::read::{Problem, ReadError, Scanner};
use super::write::Writer;
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AutonomousResult {
    /// What became of it.
    pub result: OperationResult,
    /// `Install`, `Update` or `Uninstall`.
    pub operation: Box<str>,
}

/// `OpResultStruct`: what became of one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

impl ChangeDuState {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self { operations: Vec::new(), command_key: Box::default() };
        xml.members(|xml, tag| {
            match tag.local() {
                "Operations" if one.operations.len() >= xml.limits().items => {
                    return Err(xml.error(Problem::TooMuch("members in a list")));
                }
                "Operations" => {
                    let kind = tag.attribute("type").unwrap_or_default();
                    let kind = kind.rsplit(':').next().unwrap_or_default();
                    one.operations.extend(Members::read(xml)?.into_operation(kind));
                }
                "CommandKey" => one.command_key = xml.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        for operation in &self.operations {
            operation.write(xml);
        }
        xml.text("CommandKey", &self.command_key);
    }
}

/// The members of all three operations.
#[derive(Default)]
struct Members {
    url: Option<Box<str>>,
    uuid: Option<Box<str>>,
    version: Option<Box<str>>,
    username: Option<Box<str>>,
    password: Option<Secret>,
    execution_environment: Option<Box<str>>,
}

impl Members {
    fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            match tag.local() {
                "URL" => one.url = Some(xml.text()?),
                "UUID" => one.uuid = Some(xml.text()?),
                "Version" => one.version = Some(xml.text()?),
                "Username" => one.username = Some(xml.text()?),
                "Password" => one.password = Some(Secret::new(xml.text()?)),
                "ExecutionEnvRef" => one.execution_environment = Some(xml.text()?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }

    /// The operation that `xsi:type` names; the type is abstract without it.
    fn into_operation(self, kind: &str) -> Option<Operation> {
        let Self { url, uuid, version, username, password, execution_environment } = self;
        match kind {
            "InstallOpStruct" => {
                let url = url.unwrap_or_default();
                Some(Operation::Install { url, uuid, username, password, execution_environment })
            }
            "UpdateOpStruct" => Some(Operation::Update { uuid, version, url, username, password }),
            "UninstallOpStruct" => {
                let uuid = uuid.unwrap_or_default();
                Some(Operation::Uninstall { uuid, version, execution_environment })
            }
            _ => None,
        }
    }
}

impl Operation {
    fn write(&self, xml: &mut Writer) {
        match self {
            Self::Install { url, uuid, username, password, execution_environment } => {
                xml.typed("Operations", "InstallOpStruct", |xml| {
                    xml.text("URL", url);
                    xml.text_if("UUID", uuid.as_deref());
                    xml.text_if("Username", username.as_deref());
                    xml.text_if("Password", password.as_ref().map(Secret::expose));
                    xml.text_if("ExecutionEnvRef", execution_environment.as_deref());
                });
            }
            Self::Update { uuid, version, url, username, password } => {
                xml.typed("Operations", "UpdateOpStruct", |xml| {
                    xml.text_if("UUID", uuid.as_deref());
                    xml.text_if("Version", version.as_deref());
                    xml.text_if("URL", url.as_deref());
                    xml.text_if("Username", username.as_deref());
                    xml.text_if("Password", password.as_ref().map(Secret::expose));
                });
            }
            Self::Uninstall { uuid, version, execution_environment } => {
                xml.typed("Operations", "UninstallOpStruct", |xml| {
                    xml.text("UUID", uuid);
                    xml.text_if("Version", version.as_deref());
                    xml.text_if("ExecutionEnvRef", execution_environment.as_deref());
                });
            }
        }
    }
}

impl DuStateChangeComplete {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let (results, command_key) = read_results(xml)?;
        let results = results.into_iter().map(|one| one.result).collect();
        Ok(Self { results, command_key })
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        for one in &self.results {
            xml.element("Results", |xml| one.write(xml));
        }
        xml.text("CommandKey", &self.command_key);
    }
}

impl AutonomousDuStateChangeComplete {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        Ok(Self { results: read_results(xml)?.0 })
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        for one in &self.results {
            xml.element("Results", |xml| {
                one.result.write(xml);
                xml.text("OperationPerformed", &one.operation);
            });
        }
    }
}

/// Reads `Results`, which are repeated elements and no SOAP array, and the
/// CommandKey behind them. Stacks that do make an array of them are met: then
/// the results stand one level deeper.
fn read_results(xml: &mut Scanner<'_>) -> Result<(Vec<AutonomousResult>, Box<str>), ReadError> {
    let (mut results, mut command_key) = (Vec::new(), Box::default());
    xml.members(|xml, tag| {
        match tag.local() {
            "Results" if results.len() >= xml.limits().items => {
                return Err(xml.error(Problem::TooMuch("members in a list")));
            }
            "Results" => read_result(xml, &mut results)?,
            "CommandKey" => command_key = xml.text()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok((results, command_key))
}

fn read_result(
    xml: &mut Scanner<'_>,
    results: &mut Vec<AutonomousResult>,
) -> Result<(), ReadError> {
    let mut one = AutonomousResult::default();
    let mut is_array = false;
    xml.members(|xml, tag| match tag.local() {
        "OpResultStruct" | "AutonOpResultStruct" => {
            is_array = true;
            if results.len() >= xml.limits().items {
                return Err(xml.error(Problem::TooMuch("members in a list")));
            }
            let mut inner = AutonomousResult::default();
            xml.members(|xml, tag| inner.take(xml, tag.local()))?;
            results.push(inner);
            Ok(())
        }
        name => one.take(xml, name),
    })?;
    if !is_array {
        results.push(one);
    }
    Ok(())
}

impl AutonomousResult {
    /// Takes one member of a result.
    fn take(&mut self, xml: &mut Scanner<'_>, name: &str) -> Result<(), ReadError> {
        let Self { result: one, operation } = self;
        match name {
            "UUID" => one.uuid = xml.text()?,
            "DeploymentUnitRef" => one.deployment_unit = xml.text()?,
            "Version" => one.version = xml.text()?,
            "CurrentState" => one.current_state = xml.text()?,
            "Resolved" => one.resolved = xml.boolean()?,
            "ExecutionUnitRefList" => one.execution_units = xml.text()?,
            "StartTime" => one.start_time = xml.text()?,
            "CompleteTime" => one.complete_time = xml.text()?,
            "Fault" => (one.fault_code, one.fault_string) = FaultCode::read_struct(xml)?,
            "OperationPerformed" => *operation = xml.text()?,
            _ => {}
        }
        Ok(())
    }
}

impl OperationResult {
    fn write(&self, xml: &mut Writer) {
        xml.text("UUID", &self.uuid);
        xml.text("DeploymentUnitRef", &self.deployment_unit);
        xml.text("Version", &self.version);
        xml.text("CurrentState", &self.current_state);
        xml.boolean("Resolved", self.resolved);
        xml.text("ExecutionUnitRefList", &self.execution_units);
        xml.text("StartTime", &self.start_time);
        xml.text("CompleteTime", &self.complete_time);
        self.fault_code.write_struct(xml, "Fault", &self.fault_string);
    }
}
