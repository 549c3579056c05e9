//! Writing values and reading them back.

use super::context::{Answer, Context, failure, mismatch, record_fault};
use super::reader::Reader;
use crate::cwmp::{AcsRequest, CpeResponse, Fault, FaultCode, ParameterValue, SetParameterValues};
use crate::device::{FaultRecord, Outcome};
use crate::param::{ParamPath, Value};
use crate::schema::Schema;

/// Writes a list of values in one atomic SetParameterValues where the device
/// takes as many, then reads them back and compares.
#[derive(Debug)]
pub(super) struct Writer {
    values: Vec<ParameterValue>,
    /// How many of `values` have been written.
    written: usize,
    /// How many are on their way.
    on_their_way: usize,
    read_back: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Write,
    ReadBack(Reader),
    Done { outcome: Outcome, notes: Vec<Box<str>> },
}

impl Writer {
    /// Writes these values.
    pub(super) fn new(values: &[(ParamPath, Value)], context: &Context<'_>) -> Self {
        let values = values
            .iter()
            .map(|(name, value)| ParameterValue {
                name: name.clone(),
                value: context.typed(name, value),
            })
            .collect();
        Self { values, written: 0, on_their_way: 0, read_back: true, state: State::Write }
    }

    /// Writes these values and takes the device's word for it: for secrets,
    /// which cannot be read back anyway.
    pub(super) fn without_read_back(values: &[(ParamPath, Value)], context: &Context<'_>) -> Self {
        Self { read_back: false, ..Self::new(values, context) }
    }

    /// The next request; `None` when [`Writer::outcome`] is known.
    pub(super) fn next(&mut self, context: &mut Context<'_>) -> Option<AcsRequest> {
        match &mut self.state {
            State::Write => {
                let limit = usize::from(context.learned.write_batch.max(1));
                let end = self.values.len().min(self.written + limit);
                self.on_their_way = end - self.written;
                Some(AcsRequest::SetParameterValues(SetParameterValues {
                    values: self.values[self.written..end].to_vec(),
                    parameter_key: "".into(),
                }))
            }
            State::ReadBack(reader) => {
                let request = reader.next(context);
                if request.is_none() {
                    self.state = self.compare();
                }
                request
            }
            State::Done { .. } => None,
        }
    }

    /// Takes the answer to the last request.
    pub(super) fn answer(&mut self, answer: Answer, context: &mut Context<'_>) {
        match &mut self.state {
            State::Write => self.after_write(answer, context),
            State::ReadBack(reader) => reader.answer(answer, context),
            State::Done { .. } => {}
        }
    }

    /// How it ended, and what there is to tell; `None` while it goes on.
    pub(super) const fn outcome(&self) -> Option<(&Outcome, &Vec<Box<str>>)> {
        match &self.state {
            State::Done { outcome, notes } => Some((outcome, notes)),
            State::Write | State::ReadBack(_) => None,
        }
    }

    fn after_write(&mut self, answer: Answer, context: &mut Context<'_>) {
        let fault = match answer {
            Ok(CpeResponse::SetParameterValues(0)) => {
                self.written += self.on_their_way;
                if self.written >= self.values.len() {
                    self.state = self.after_last_write();
                }
                return;
            }
            Ok(CpeResponse::SetParameterValues(_)) => {
                let notes = vec!["the device stored the values and applies them later".into()];
                self.state = State::Done { outcome: Outcome::Accepted, notes };
                return;
            }
            Ok(_) => mismatch(),
            Err(fault) => fault,
        };
        if fault.code == FaultCode::RESOURCES_EXCEEDED && self.on_their_way > 1 {
            context.learned.write_batch =
                u16::try_from(self.on_their_way / 2).unwrap_or(u16::MAX).max(1);
            return;
        }
        let mut notes = Vec::new();
        if self.written > 0 {
            let text = format!(
                "{} of {} values were written before the device refused",
                self.written,
                self.values.len()
            );
            notes.push(text.into());
        }
        let asked = &self.values[self.written..self.written + self.on_their_way];
        self.state = State::Done { outcome: Outcome::Failed(blame(&fault, asked)), notes };
    }

    fn after_last_write(&self) -> State {
        if !self.read_back {
            return State::Done { outcome: Outcome::Applied, notes: Vec::new() };
        }
        let names = self.values.iter().map(|value| value.name.clone()).collect();
        State::ReadBack(Reader::keeping(names))
    }

    /// What the reading back says: every value agrees, or the device said yes
    /// and did no.
    fn compare(&self) -> State {
        let State::ReadBack(reader) = &self.state else {
            return State::Done { outcome: Outcome::Applied, notes: Vec::new() };
        };
        let mut notes: Vec<Box<str>> = Vec::new();
        let mut differing: Vec<(Box<str>, u32, Box<str>)> = Vec::new();
        for written in &self.values {
            let read = reader.values().iter().rev().find(|value| value.name == written.name);
            match read {
                Some(read) if written.value.agrees(&read.value) => {}
                // Secrets read back empty by rule (TR-069 §A.3.2.1), or masked.
                _ if Schema::core().is_secret(&written.name) => {
                    notes.push(
                        format!(
                            "{} was taken; it is a secret and cannot be read back",
                            written.name
                        )
                        .into(),
                    );
                }
                Some(read) => {
                    let text = format!("reads back as {:?}", clip(&read.value.text));
                    differing.push((written.name.as_str().into(), 0, text.into()));
                }
                None => {
                    differing.push((written.name.as_str().into(), 0, "cannot be read back".into()))
                }
            }
        }
        let outcome = if differing.is_empty() {
            Outcome::Applied
        } else {
            let text = "the device accepted the values but did not apply them".to_owned();
            Outcome::Failed(FaultRecord { parameters: differing, ..failure(text) })
        };
        State::Done { outcome, notes }
    }
}

/// The fault with the parameters to blame: those that the device named, else
/// all that were asked (Q42).
fn blame(fault: &Fault, asked: &[ParameterValue]) -> FaultRecord {
    let mut record = record_fault(fault);
    if record.parameters.is_empty() {
        record.parameters = asked
            .iter()
            .take(100)
            .map(|value| (value.name.as_str().into(), fault.code.0, "".into()))
            .collect();
    }
    record
}

fn clip(text: &str) -> String {
    text.chars().take(64).collect()
}
