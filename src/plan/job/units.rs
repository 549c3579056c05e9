//! Software modules: ChangeDUState and what became of its operations.

use super::{Job, Work};
use crate::cwmp::{AcsRequest, ChangeDuState, CpeResponse, Operation};
use crate::device::{Action, DeploymentWish, Phase, Secret};
use crate::plan::context::{Answer, Context};

/// Operations in one ChangeDUState that every device has to take (TR-069
/// §A.4.1.10).
pub const MAX_OPERATIONS: usize = 16;

impl Job {
    /// ChangeDUState.
    pub(super) fn units_request(&self) -> Result<AcsRequest, String> {
        let Action::ChangeDuState(wishes) = &self.task.action else {
            return Err("it is about no deployment unit".to_owned());
        };
        if wishes.is_empty() || wishes.len() > MAX_OPERATIONS {
            return Err(format!("from 1 to {MAX_OPERATIONS} operations"));
        }
        Ok(AcsRequest::ChangeDuState(ChangeDuState {
            operations: wishes.iter().map(operation).collect(),
            command_key: self.task.command_key().into(),
        }))
    }

    pub(super) fn after_units(&mut self, answer: Answer, context: &Context<'_>) {
        match answer {
            Ok(CpeResponse::ChangeDuState) => {
                self.wait_for(Phase::DeploymentUnits, context);
                self.work = Work::Rest;
            }
            other => self.fail(other, context),
        }
    }
}

/// What is empty is left out.
fn operation(wish: &DeploymentWish) -> Operation {
    let some = |text: &str| (!text.is_empty()).then(|| Box::<str>::from(text));
    let secret = |text: &str| (!text.is_empty()).then(|| Secret::new(text));
    match wish {
        DeploymentWish::Install { url, uuid, username, password, execution_env } => {
            Operation::Install {
                url: url.clone(),
                uuid: some(uuid),
                username: some(username),
                password: secret(password),
                execution_environment: some(execution_env),
            }
        }
        DeploymentWish::Update { uuid, version, url, username, password } => Operation::Update {
            uuid: some(uuid),
            version: some(version),
            url: some(url),
            username: some(username),
            password: secret(password),
        },
        DeploymentWish::Uninstall { uuid, version, execution_env } => Operation::Uninstall {
            uuid: uuid.clone(),
            version: some(version),
            execution_environment: some(execution_env),
        },
    }
}
