//! What comes later by itself: Reboot, FactoryReset, ScheduleInform.

use super::{Job, Work};
use crate::cwmp::{AcsRequest, CpeResponse, Reboot, ScheduleInform};
use crate::device::{Action, Phase};
use crate::plan::context::{Answer, Context};

impl Job {
    /// Reboot, FactoryReset or ScheduleInform.
    pub(super) fn later_request(&self) -> Result<AcsRequest, String> {
        let command_key = self.task.command_key().into();
        match &self.task.action {
            Action::Reboot => Ok(AcsRequest::Reboot(Reboot { command_key })),
            Action::FactoryReset => Ok(AcsRequest::FactoryReset),
            Action::ScheduleInform(0) => Err("a delay is at least 1 second".to_owned()),
            Action::ScheduleInform(delay_seconds) => {
                let delay_seconds = *delay_seconds;
                Ok(AcsRequest::ScheduleInform(ScheduleInform { delay_seconds, command_key }))
            }
            _ => Err("nothing comes later of it".to_owned()),
        }
    }

    pub(super) fn after_later(&mut self, answer: Answer, context: &Context<'_>) {
        let phase = match answer {
            Ok(CpeResponse::Reboot | CpeResponse::FactoryReset) => Phase::Boot,
            Ok(CpeResponse::ScheduleInform) => Phase::ScheduledInform,
            other => return self.fail(other, context),
        };
        self.wait_for(phase, context);
        self.work = Work::Rest;
    }
}
