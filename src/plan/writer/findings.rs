//! What came of values one by one, where one that is refused does not hold up the
//! others.

use std::collections::{HashSet, VecDeque};

use super::why_too_long;
use crate::cwmp::{Fault, FaultCode};
use crate::param::{ParamPath, Value, rows_agree};
use crate::plan::context::{Context, clip};

/// What a device made of the values that it was asked to set.
#[derive(Debug, Default)]
pub(in crate::plan) struct Findings {
    /// What it refused, with its code and words; code 0 if it was not even asked.
    pub(in crate::plan) refused: Vec<(ParamPath, FaultCode, Box<str>)>,
    /// What it said yes to, and reads back otherwise, or not at all.
    pub(in crate::plan) differing: Vec<(Box<str>, u32, Box<str>)>,
    /// What it applies later.
    later: HashSet<ParamPath>,
    /// The names in `refused`.
    names: HashSet<ParamPath>,
}

impl Findings {
    /// Sets apart what is too long for the model; returns what can be sent.
    pub(super) fn new(
        values: Vec<(ParamPath, Value)>,
        context: &Context<'_>,
    ) -> (Self, Vec<(ParamPath, Value)>) {
        let mut findings = Self::default();
        let mut fits = Vec::with_capacity(values.len());
        for (name, value) in values {
            match why_too_long(&name, &value, context.learned) {
                Some(why) => findings.blame(name, FaultCode(0), why.into()),
                None => fits.push((name, value)),
            }
        }
        (findings, fits)
    }

    /// Whether a value was taken, and is to be read back.
    pub(in crate::plan) fn is_written(&self, name: &ParamPath) -> bool {
        !self.names.contains(name) && !self.later.contains(name)
    }

    /// Whether the device applies a value later.
    pub(in crate::plan) fn is_later(&self, name: &ParamPath) -> bool {
        self.later.contains(name)
    }

    /// These are applied later.
    pub(super) fn put_off(&mut self, values: Vec<(ParamPath, Value)>) {
        self.later.extend(values.into_iter().map(|(name, _)| name));
    }

    /// A batch was refused: what the fault names is to blame, and the rest is
    /// tried again. A fault that names none is one of all (Q42): the halves are
    /// tried, unless the device cannot set anything at all.
    pub(super) fn refuse(
        &mut self,
        fault: &Fault,
        asked: Vec<(ParamPath, Value)>,
        waiting: &mut VecDeque<Vec<(ParamPath, Value)>>,
    ) {
        let named = |name: &ParamPath| {
            let exact = fault.parameters.iter().find(|bad| *bad.name == *name.as_str());
            exact.or_else(|| {
                name.has_alias()
                    .then(|| {
                        fault.parameters.iter().find(|bad| rows_agree(&bad.name, name.as_str()))
                    })
                    .flatten()
            })
        };
        if asked.iter().any(|(name, _)| named(name).is_some()) {
            let mut rest = Vec::new();
            for (name, value) in asked {
                match named(&name) {
                    Some(bad) => self.blame(name, bad.code, clip(&bad.text)),
                    None => rest.push((name, value)),
                }
            }
            if !rest.is_empty() {
                waiting.push_front(rest);
            }
        } else if fault.code == FaultCode::METHOD_NOT_SUPPORTED {
            for (name, _) in asked.into_iter().chain(waiting.drain(..).flatten()) {
                self.blame(name, fault.code, clip(&fault.text));
            }
        } else if asked.len() > 1 {
            let mut first = asked;
            let second = first.split_off(first.len() / 2);
            waiting.push_front(second);
            waiting.push_front(first);
        } else {
            for (name, _) in asked {
                self.blame(name, fault.code, clip(&fault.text));
            }
        }
    }

    fn blame(&mut self, name: ParamPath, code: FaultCode, text: Box<str>) {
        if self.names.insert(name.clone()) {
            self.refused.push((name, code, text));
        }
    }
}
