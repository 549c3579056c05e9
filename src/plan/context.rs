//! What every part of the planner works on while it handles an answer.

use super::written::Written;
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
    /// What was written that cannot be read.
    pub(super) written: &'a mut Written,
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
            self.written.hear(path.as_str(), &value.text);
            Value::new("", value.kind.clone())
        } else {
            value.clone()
        };
        self.tree.learn_value(path, value, self.now);
    }

    /// The forms that the device is known to take.
    pub(super) const fn forms(&self) -> Forms {
        Forms { boolean_words: self.learned.boolean_words, zoned_times: self.learned.zoned_times }
    }

    /// The value as it has to be written: with the type that the device last
    /// reported, else the schema's, and in the forms that the device takes.
    ///
    /// A type other than string was asked for on purpose and stays.
    pub(super) fn typed(&self, path: &ParamPath, value: &Value) -> Value {
        self.typed_in(self.forms(), path, value)
    }

    /// The same in forms that are tried.
    pub(super) fn typed_in(&self, forms: Forms, path: &ParamPath, value: &Value) -> Value {
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
        match (&kind, value.as_bool()) {
            (ValueType::Boolean, Some(on)) if forms.boolean_words => {
                Value::new(if on { "true" } else { "false" }, kind)
            }
            (ValueType::Boolean, Some(on)) => Value::boolean(on),
            (ValueType::DateTime, _) => Value::new(time_in(forms, &value.text), kind),
            _ => Value::new(value.text.clone(), kind),
        }
    }
}

/// In which forms values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forms {
    /// Booleans as words rather than digits (Q11).
    pub(super) boolean_words: bool,
    /// Times in UTC with their `Z` (Q12).
    pub(super) zoned_times: bool,
}

/// A time without a fraction of a second, which some devices refuse, and with
/// or without the zone of UTC (Q12). What is no time stays as it is.
fn time_in(forms: Forms, text: &str) -> Box<str> {
    let text = text.trim();
    let Some((date, time)) = text.split_once('T') else { return text.into() };
    let clock_ends = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(clock_ends);
    let clock = clock.split('.').next().unwrap_or(clock);
    let zone = match zone {
        "Z" | "+00:00" | "-00:00" if forms.zoned_times => "Z",
        "Z" | "+00:00" | "-00:00" => "",
        other => other,
    };
    format!("{date}T{clock}{zone}").into()
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

/// Whether a text stands for another that is not told.
pub(super) fn is_mask(text: &str) -> bool {
    text.len() >= 3 && text.bytes().all(|byte| byte == b'*')
}

/// A device's words, cut to a sane length.
pub(super) fn clip(text: &str) -> Box<str> {
    text.chars().take(256).collect()
}
