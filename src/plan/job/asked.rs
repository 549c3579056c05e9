//! RPCs that end with their answer.

use super::{Job, MAX_NOTES, Work};
use crate::cwmp::CpeResponse;
use crate::device::Outcome;
use crate::plan::context::{Answer, Context};

impl Job {
    pub(super) fn after_methods(&mut self, answer: Answer, context: &mut Context<'_>) {
        self.work = Work::Rest;
        match answer {
            Ok(CpeResponse::GetRpcMethods(response)) => {
                let methods: Vec<Box<str>> = response.methods.into_iter().take(MAX_NOTES).collect();
                for method in &methods {
                    self.note(method.clone());
                }
                context.learned.methods = methods;
                self.end(Outcome::Applied, context);
            }
            other => self.fail(other, context),
        }
    }
}
