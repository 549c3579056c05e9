//! What every part of the planner works on while it handles an answer.

use crate::cwmp::{CpeResponse, Fault, FaultCode, Version};
use crate::device::{Ability, FaultRecord, Learned, Proof};
use crate::param::{ParamPath, Tree, Value, ValueType};
use crate::schema::Schema;
use crate::time::Timestamp;

/// The answer to an RPC: a response, or the fault in its place.
pub(super) type Answer = Result<CpeResponse, Fault>;

/// What is known and may be learned.
pub(super) struct Context<'a> {
    /// The device's parameters as they are known.
    pub(super) tree: &'a mut Tree,
    /// What the device can take.
    pub(super) learned: &'a mut Learned,
    /// The version of the protocol that the session speaks.
    pub(super) version: Version,
    /// The present time.
    pub(super) now: Timestamp,
}

impl Context<'_> {
    /// Takes a lesson that an answer of the device shows.
    pub(super) fn teach(&mut self, ability: Ability, words: &str) {
        self.learned.teach(ability, Proof::Answer, words, self.now);
    }

    /// Takes note of a value that the device reported. Of a secret only its
    /// being there is kept: some devices answer in clear what the standard
    /// has them answer empty.
    pub(super) fn learn(&mut self, path: &ParamPath, value: &Value) {
        let value = if Schema::core().is_secret(path) {
            Value::new("", value.kind.clone())
        } else {
            value.clone()
        };
        self.tree.learn_value(path, value, self.now);
    }

    /// The value as it has to be written: with the type that the device last
    /// reported, else the schema's, and booleans in the form that most devices
    /// take (Q11).
    ///
    /// A type other than string was asked for on purpose and stays.
    pub(super) fn typed(&self, path: &ParamPath, value: &Value) -> Value {
        let kind = match &value.kind {
            ValueType::String => self
                .tree
                .alike(path)
                .and_then(|param| Some(&param.value.as_ref()?.kind))
                .or_else(|| Schema::core().kind(path.as_str()))
                .cloned()
                .unwrap_or_default(),
            asked => asked.clone(),
        };
        if kind == ValueType::Boolean
            && let Some(on) = value.as_bool()
        {
            return Value::boolean(on);
        }
        Value::new(value.text.clone(), kind)
    }
}

/// A device's fault as it is recorded with a task.
pub(super) fn record_fault(fault: &Fault) -> FaultRecord {
    FaultRecord {
        code: fault.code.0,
        text: clip(&fault.text),
        parameters: fault
            .parameters
            .iter()
            .take(100)
            .map(|parameter| (parameter.name.clone(), parameter.code.0, clip(&parameter.text)))
            .collect(),
    }
}

/// A failure that the device gave no fault for; code 0.
pub(super) fn failure(text: String) -> FaultRecord {
    FaultRecord { code: 0, text: text.into(), parameters: Vec::new() }
}

/// The fault for an answer that does not belong to the request.
pub(super) fn mismatch() -> Fault {
    Fault {
        code: FaultCode::INTERNAL_ERROR,
        text: "the device answered with another RPC's response".into(),
        parameters: Vec::new(),
    }
}

fn clip(text: &str) -> Box<str> {
    text.chars().take(256).collect()
}
