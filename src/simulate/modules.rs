//! Software modules of a device: ChangeDUState and its results (TR-069
//! §A.4.1.10, §A.4.2.3).

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use crate::cwmp::{ChangeDuState, DuStateChangeComplete, FaultCode, Operation, OperationResult};
use crate::time::Timestamp;

/// Operations in one request beyond which it is refused.
const MAX_OPERATIONS: usize = 16;

/// The one execution environment.
const ENVIRONMENT: &str = "Device.SoftwareModules.ExecEnv.1.";

/// A deployment unit that is installed.
#[derive(Clone, Debug)]
struct Unit {
    number: u32,
    uuid: Box<str>,
    url: Box<str>,
    version: u32,
}

/// The deployment units of a device.
#[derive(Clone, Debug, Default)]
pub(super) struct Modules {
    units: Vec<Unit>,
    next: u32,
    waiting: Vec<ChangeDuState>,
    over: Vec<DuStateChangeComplete>,
}

impl Modules {
    /// Takes an order, or says why not.
    pub(super) fn order(&mut self, order: ChangeDuState) -> Result<(), (FaultCode, &'static str)> {
        if order.operations.is_empty() || order.operations.len() > MAX_OPERATIONS {
            return Err((FaultCode::RESOURCES_EXCEEDED, "from 1 to 16 operations"));
        }
        self.waiting.push(order);
        Ok(())
    }

    /// Carries out what was ordered; returns the CommandKeys of what is over.
    pub(super) fn work(&mut self, now: Timestamp) -> Vec<Box<str>> {
        let mut keys = Vec::new();
        for order in std::mem::take(&mut self.waiting) {
            let results =
                order.operations.iter().map(|operation| self.carry_out(operation, now)).collect();
            keys.push(order.command_key.clone());
            self.over.push(DuStateChangeComplete { results, command_key: order.command_key });
        }
        keys
    }

    /// The DUStateChangeComplete calls that are owed, oldest first.
    pub(super) fn owed(&self) -> &[DuStateChangeComplete] {
        &self.over
    }

    /// The ACS has answered this one.
    pub(super) fn answered(&mut self, report: &DuStateChangeComplete) {
        if let Some(at) = self.over.iter().position(|told| told == report) {
            self.over.remove(at);
        }
    }

    fn carry_out(&mut self, operation: &Operation, now: Timestamp) -> OperationResult {
        let done = match operation {
            Operation::Install { url, uuid, execution_environment, .. } => {
                self.install(url, uuid.as_deref(), execution_environment.as_deref())
            }
            Operation::Update { uuid, url, .. } => self.update(uuid.as_deref(), url.as_deref()),
            Operation::Uninstall { uuid, .. } => self.uninstall(uuid),
        };
        let mut result = match done {
            Ok((state, unit)) => OperationResult {
                uuid: unit.uuid,
                deployment_unit: format!("Device.SoftwareModules.DeploymentUnit.{}.", unit.number)
                    .into(),
                version: format!("{}.0", unit.version).into(),
                current_state: state.into(),
                resolved: true,
                ..OperationResult::default()
            },
            Err((code, text)) => OperationResult {
                uuid: named(operation).into(),
                current_state: "Failed".into(),
                fault_code: FaultCode(code),
                fault_string: text.into(),
                ..OperationResult::default()
            },
        };
        result.start_time = now.to_string().into();
        result.complete_time = now.to_string().into();
        result
    }

    fn install(&mut self, url: &str, uuid: Option<&str>, environment: Option<&str>) -> Done {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err((9013, "only HTTP and HTTPS are supported"));
        }
        if environment.is_some_and(|path| path != ENVIRONMENT) {
            return Err((9023, "there is no such execution environment"));
        }
        self.next += 1;
        let uuid = uuid
            .map_or_else(|| format!("00000000-0000-5000-8000-{:012}", self.next).into(), Box::from);
        if self.units.iter().any(|unit| unit.uuid == uuid) {
            return Err((9026, "it is installed already"));
        }
        let unit = Unit { number: self.next, uuid, url: url.into(), version: 1 };
        self.units.push(unit.clone());
        Ok(("Installed", unit))
    }

    fn update(&mut self, uuid: Option<&str>, url: Option<&str>) -> Done {
        let is_it = |unit: &&mut Unit| match (uuid, url) {
            (Some(uuid), _) => *unit.uuid == *uuid,
            (None, Some(url)) => *unit.url == *url,
            (None, None) => true,
        };
        let unit = self.units.iter_mut().find(is_it).ok_or((9028, "there is no such unit"))?;
        unit.version += 1;
        Ok(("Installed", unit.clone()))
    }

    fn uninstall(&mut self, uuid: &str) -> Done {
        let at = self.units.iter().position(|unit| *unit.uuid == *uuid);
        let at = at.ok_or((9028, "there is no such unit"))?;
        Ok(("Uninstalled", self.units.remove(at)))
    }
}

/// What became of an operation: the state and the unit, or a fault.
type Done = Result<(&'static str, Unit), (u32, &'static str)>;

fn named(operation: &Operation) -> &str {
    match operation {
        Operation::Install { uuid, .. } | Operation::Update { uuid, .. } => {
            uuid.as_deref().unwrap_or_default()
        }
        Operation::Uninstall { uuid, .. } => uuid,
    }
}
