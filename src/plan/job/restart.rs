//! Reboot and FactoryReset.

use super::{Job, Work};
use crate::cwmp::{AcsRequest, CpeResponse, Reboot};
use crate::device::{Action, Phase};
use crate::plan::context::{Answer, Context};

impl Job {
    /// Reboot or FactoryReset.
    pub(super) fn restart_request(&self) -> Result<AcsRequest, &'static str> {
        match &self.task.action {
            Action::Reboot => {
                Ok(AcsRequest::Reboot(Reboot { command_key: self.task.command_key().into() }))
            }
            Action::FactoryReset => Ok(AcsRequest::FactoryReset),
            _ => Err("it is no restart"),
        }
    }

    pub(super) fn after_restart(&mut self, answer: Answer, context: &Context<'_>) {
        match answer {
            Ok(CpeResponse::Reboot | CpeResponse::FactoryReset) => {
                self.wait_for(Phase::Boot, context);
                self.work = Work::Rest;
            }
            other => self.fail(other, context),
        }
    }
}
