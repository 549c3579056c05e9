//! Reading values in batches that the device can take.

use std::collections::VecDeque;

use super::context::{Answer, Context, mismatch};
use crate::cwmp::{AcsRequest, CpeResponse, FaultCode, GetParameterValues, ParameterValue};
use crate::param::ParamPath;

/// Reads a list of names, however the device likes them served.
///
/// A batch that is too large (9002, 9004) is halved, and what was learned goes
/// for the rest (Q30, Q41). A batch faulted for a name that it does not name
/// (9005) is bisected until the name stands alone (Q32). So each name costs at
/// most a logarithmic number of RPCs, and the reading always ends.
#[derive(Debug)]
pub(super) struct Reader {
    waiting: VecDeque<Vec<ParamPath>>,
    asked: Option<Vec<ParamPath>>,
    missing: Vec<(ParamPath, FaultCode)>,
    values: Vec<ParameterValue>,
    keep_values: bool,
}

impl Reader {
    /// Reads these names into the tree.
    pub(super) fn new(names: Vec<ParamPath>) -> Self {
        Self {
            waiting: VecDeque::from([names]),
            asked: None,
            missing: Vec::new(),
            values: Vec::new(),
            keep_values: false,
        }
    }

    /// Reads these names into the tree and keeps what was read for
    /// [`Reader::values`].
    pub(super) fn keeping(names: Vec<ParamPath>) -> Self {
        Self { keep_values: true, ..Self::new(names) }
    }

    /// What was read, if it was kept.
    pub(super) fn values(&self) -> &[ParameterValue] {
        &self.values
    }

    /// The names that the device does not have, and how it said so.
    pub(super) fn missing(&self) -> &[(ParamPath, FaultCode)] {
        &self.missing
    }

    /// The next request; `None` when everything is read.
    pub(super) fn next(&mut self, context: &Context<'_>) -> Option<AcsRequest> {
        let mut batch = loop {
            let batch = self.waiting.pop_front()?;
            if !batch.is_empty() {
                break batch;
            }
        };
        let limit = usize::from(context.learned.read_batch.max(1));
        if batch.len() > limit {
            let rest = batch.split_off(limit);
            self.waiting.push_front(rest);
        }
        self.asked = Some(batch.clone());
        Some(AcsRequest::GetParameterValues(GetParameterValues { names: batch }))
    }

    /// Takes the answer to the last request.
    pub(super) fn answer(&mut self, answer: Answer, context: &mut Context<'_>) {
        let Some(asked) = self.asked.take() else { return };
        let fault = match answer {
            Ok(CpeResponse::GetParameterValues(values)) => {
                return self.take(asked, values, context);
            }
            Ok(_) => mismatch(),
            Err(fault) => fault,
        };
        match fault.code {
            FaultCode::RESOURCES_EXCEEDED | FaultCode::INTERNAL_ERROR if asked.len() > 1 => {
                context.learned.read_batch =
                    u16::try_from(asked.len() / 2).unwrap_or(u16::MAX).max(1);
                self.waiting.push_front(asked);
            }
            FaultCode::INVALID_PARAMETER_NAME | FaultCode::INVALID_ARGUMENTS if asked.len() > 1 => {
                let mut first = asked;
                let second = first.split_off(first.len() / 2);
                self.waiting.push_front(second);
                self.waiting.push_front(first);
            }
            code => self.missing.extend(asked.into_iter().map(|name| (name, code))),
        }
    }

    fn take(
        &mut self,
        asked: Vec<ParamPath>,
        values: Vec<ParameterValue>,
        context: &mut Context<'_>,
    ) {
        for value in &values {
            context.learn(&value.name, &value.value);
        }
        // Some devices leave out what they do not have (Q32).
        if values.len() < asked.len() {
            let told: std::collections::HashSet<&str> =
                values.iter().map(|value| value.name.as_str()).collect();
            let silent =
                asked.iter().filter(|name| !name.is_object() && !told.contains(name.as_str()));
            self.missing
                .extend(silent.map(|name| (name.clone(), FaultCode::INVALID_PARAMETER_NAME)));
        }
        if self.keep_values {
            self.values.extend(values);
        }
    }
}
