//! Writing values and reading them back.
//!
//! - `findings`: what came of each value, where one refusal does not end it all.

mod findings;

use std::collections::{HashMap, VecDeque};

pub(super) use self::findings::Findings;
use super::context::{Answer, Context, Forms, failure, is_mask, mismatch, record_fault};
use super::reader::Reader;
use crate::cwmp::{AcsRequest, CpeResponse, Fault, FaultCode, ParameterValue, SetParameterValues};
use crate::device::{Ability, FaultRecord, Learned, Outcome};
use crate::param::{ParamPath, Value, ValueType};
use crate::schema::Schema;

/// What a SetParameterValues takes besides its values, in bytes, at most.
const ENVELOPE: usize = 1024;

/// What a value takes besides its name and text, in bytes, at most.
const MEMBER: usize = 160;

/// Writes a list of values in one atomic SetParameterValues where the device
/// takes as many, then reads them back and compares.
///
/// A device that refuses the form of a boolean (Q11) or a time (Q12) is offered
/// the other form once; which one it takes is a lesson.
///
/// By rule the first refusal ends it. [`Writer::tolerant`] goes on without what
/// was refused: each value is then to blame in at most two messages for each time
/// that a batch is halved, so that `n` values take at most `4n` messages to write.
#[derive(Debug)]
pub(super) struct Writer {
    values: Vec<(ParamPath, Value)>,
    /// What is still to be written, a batch each or more.
    waiting: VecDeque<Vec<(ParamPath, Value)>>,
    /// How many of `values` have been written.
    written: usize,
    /// What is on its way, as it is sent.
    on_its_way: Vec<ParameterValue>,
    /// The same as it was wanted.
    asked: Vec<(ParamPath, Value)>,
    /// What came of the values, if a refusal does not end it all.
    findings: Option<Box<Findings>>,
    /// What the device was found to take at once.
    limit: usize,
    /// The forms that are tried, and the fault to the usual ones.
    trial: Option<(Forms, Fault)>,
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
    /// Writes these values, unless the model is known to take none so long
    /// (security: C12).
    pub(super) fn new(values: &[(ParamPath, Value)], context: &Context<'_>) -> Self {
        let state = match too_long(values, context) {
            Some(fault) => State::Done { outcome: Outcome::Failed(fault), notes: Vec::new() },
            None => State::Write,
        };
        Self {
            values: values.to_vec(),
            waiting: VecDeque::from([values.to_vec()]),
            written: 0,
            on_its_way: Vec::new(),
            asked: Vec::new(),
            findings: None,
            limit: usize::MAX,
            trial: None,
            read_back: true,
            state,
        }
    }

    /// Writes what the device takes of these values; [`Writer::findings`] tells
    /// what it did not take.
    pub(super) fn tolerant(values: Vec<(ParamPath, Value)>, context: &Context<'_>) -> Self {
        let (findings, values) = Findings::new(values, context);
        let state = if values.is_empty() {
            State::Done { outcome: Outcome::Applied, notes: Vec::new() }
        } else {
            State::Write
        };
        Self { findings: Some(Box::new(findings)), state, ..Self::new(&values, context) }
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
                self.take_batch(context);
                Some(AcsRequest::SetParameterValues(SetParameterValues {
                    values: self.on_its_way.clone(),
                    parameter_key: "".into(),
                }))
            }
            State::ReadBack(reader) => {
                let request = reader.next(context);
                if request.is_none() {
                    self.state = self.compare(context);
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

    /// What came of the values one by one.
    pub(super) fn findings(&self) -> Option<&Findings> {
        self.findings.as_deref()
    }

    /// Puts the next values on their way: as many as the device takes, in number
    /// and in bytes, but always one.
    fn take_batch(&mut self, context: &Context<'_>) {
        let limit = self.limit.min(usize::from(context.learned.write_batch)).max(1);
        let forms = self.trial.as_ref().map_or_else(|| context.forms(), |(forms, _)| *forms);
        let most = most_bytes(context.learned);
        let mut asked = self.waiting.pop_front().unwrap_or_default();
        let mut bytes = 0_usize;
        self.on_its_way.clear();
        for (name, value) in asked.iter().take(limit) {
            let value = context.typed_in(forms, name, value);
            bytes = bytes.saturating_add(size_of(name.as_str(), &value.text));
            if bytes > most && !self.on_its_way.is_empty() {
                break;
            }
            self.on_its_way.push(ParameterValue { name: name.clone(), value });
        }
        let rest = asked.split_off(self.on_its_way.len());
        if !rest.is_empty() {
            self.waiting.push_front(rest);
        }
        self.asked = asked;
    }

    fn after_write(&mut self, answer: Answer, context: &mut Context<'_>) {
        let sent = std::mem::take(&mut self.on_its_way);
        let asked = std::mem::take(&mut self.asked);
        let fault = match answer {
            Ok(CpeResponse::SetParameterValues(status)) => {
                self.learn_forms(&sent, context);
                note_secrets(&sent, context);
                self.written += sent.len();
                match &mut self.findings {
                    Some(findings) if status != 0 => findings.put_off(asked),
                    None if status != 0 => {
                        let notes =
                            vec!["the device stored the values and applies them later".into()];
                        self.state = State::Done { outcome: Outcome::Accepted, notes };
                        return;
                    }
                    Some(_) | None => {}
                }
                return self.go_on();
            }
            Ok(_) => mismatch(),
            Err(fault) => fault,
        };
        if fault.code == FaultCode::RESOURCES_EXCEEDED && sent.len() > 1 {
            let (count, half) = (sent.len(), sent.len() / 2);
            self.waiting.push_front(asked);
            self.limit = half;
            let words = format!(
                "SetParameterValues of {count} values was answered with fault {}",
                fault.code
            );
            let half = u16::try_from(half).unwrap_or(u16::MAX);
            return context.teach(Ability::WriteBatch(half), &words);
        }
        if self.trial.is_none()
            && let Some(other) = other_forms(&fault, &sent, context.forms())
        {
            self.waiting.push_front(asked);
            self.trial = Some((other, fault));
            return;
        }
        // The other form was no better: what the device said of the usual one
        // counts.
        let fault = self.trial.take().map_or(fault, |(_, first)| first);
        if let Some(findings) = &mut self.findings {
            findings.refuse(&fault, asked, &mut self.waiting);
            return self.go_on();
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
        self.state = State::Done { outcome: Outcome::Failed(blame(&fault, &sent)), notes };
    }

    /// A batch is dealt with: the next one, or the reading back.
    fn go_on(&mut self) {
        if self.waiting.is_empty() {
            self.state = self.after_last_write();
        }
    }

    /// The device took the forms that were tried: they are its own from now on.
    fn learn_forms(&mut self, sent: &[ParameterValue], context: &mut Context<'_>) {
        let Some((forms, fault)) = self.trial.take() else { return };
        let usual = context.forms();
        let has = |kind| sent.iter().any(|one| one.value.kind == kind);
        if forms.boolean_words != usual.boolean_words && has(ValueType::Boolean) {
            let (refused, taken) = if forms.boolean_words {
                ("1 or 0", "true or false")
            } else {
                ("true or false", "1 or 0")
            };
            let words = format!(
                "SetParameterValues with a boolean as {refused} was answered with fault {}, and as {taken} it was taken",
                code_of(&fault)
            );
            context.teach(Ability::BooleanWords(forms.boolean_words), &words);
        }
        if forms.zoned_times != usual.zoned_times && has(ValueType::DateTime) {
            let (refused, taken) =
                if forms.zoned_times { ("without", "with") } else { ("with", "without") };
            let words = format!(
                "SetParameterValues with a time {refused} its zone was answered with fault {}, and {taken} it it was taken",
                code_of(&fault)
            );
            context.teach(Ability::ZonedTimes(forms.zoned_times), &words);
        }
    }

    fn after_last_write(&self) -> State {
        if !self.read_back {
            return State::Done { outcome: Outcome::Applied, notes: Vec::new() };
        }
        let mut names: Vec<ParamPath> = self.values.iter().map(|(name, _)| name.clone()).collect();
        if let Some(findings) = &self.findings {
            names.retain(|name| findings.is_written(name));
        }
        State::ReadBack(Reader::keeping(names))
    }

    /// What the reading back says: every value agrees, or the device said yes
    /// and did no.
    fn compare(&mut self, context: &mut Context<'_>) -> State {
        let State::ReadBack(reader) = &self.state else {
            return State::Done { outcome: Outcome::Applied, notes: Vec::new() };
        };
        let mut notes: Vec<Box<str>> = Vec::new();
        let mut differing: Vec<(Box<str>, u32, Box<str>)> = Vec::new();
        let (mut masked, mut read_only) = (false, false);
        let told: HashMap<&str, &ParameterValue> =
            reader.values().iter().map(|value| (value.name.as_str(), value)).collect();
        for (name, wanted) in &self.values {
            if self.findings.as_ref().is_some_and(|findings| !findings.is_written(name)) {
                continue;
            }
            let written = context.typed(name, wanted);
            match told.get(name.as_str()) {
                Some(read) if is_same(name, &written, &read.value) => {
                    read_only |= context.tree.get(name.as_str()).and_then(|param| param.writable)
                        == Some(false);
                }
                // Secrets read back empty by rule (TR-069 §A.3.2.1), or masked.
                read if Schema::core().is_secret(name)
                    && !(self.findings.is_some()
                        && read.is_some_and(|read| is_clear(&read.value.text))) =>
                {
                    notes.push(
                        format!("{name} was taken; it is a secret and cannot be read back").into(),
                    );
                }
                Some(read) if is_mask(&read.value.text) => {
                    masked = true;
                    context.written.note(name.as_str(), &wanted.text);
                    notes.push(format!("{name} was taken; it reads back masked").into());
                }
                Some(read) => {
                    let text = if Schema::core().is_secret(name) {
                        "reads back as something else".to_owned()
                    } else {
                        format!("reads back as {:?}", clip(&read.value.text))
                    };
                    differing.push((name.as_str().into(), 0, text.into()));
                }
                None => differing.push((name.as_str().into(), 0, "cannot be read back".into())),
            }
        }
        if masked {
            let words = "a value that was set read back as asterisks";
            context.teach(Ability::MaskedValues(true), words);
        }
        if read_only {
            let words = "a parameter that GetParameterNames calls read-only took a value";
            context.teach(Ability::HonestWritable(false), words);
        }
        if let Some(findings) = &mut self.findings {
            findings.differing.clone_from(&differing);
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

/// Secrets that a device took, since it will not tell them again.
fn note_secrets(sent: &[ParameterValue], context: &mut Context<'_>) {
    for value in sent.iter().filter(|value| Schema::core().is_secret(&value.name)) {
        let name = context.tree.by_number(&value.name);
        context.written.note(name.as_str(), &value.value.text);
    }
}

/// The values that are longer than the model is known to take, as the failure
/// that this is; `None` if all of them fit.
fn too_long(values: &[(ParamPath, Value)], context: &Context<'_>) -> Option<FaultRecord> {
    let parameters: Vec<_> = values
        .iter()
        .filter_map(|(name, wanted)| {
            let text = why_too_long(name, wanted, context.learned)?;
            Some((name.as_str().into(), 0, text.into()))
        })
        .take(100)
        .collect();
    let text = "nothing was sent: it is too long for this model".to_owned();
    (!parameters.is_empty()).then(|| FaultRecord { parameters, ..failure(text) })
}

/// Why a value is longer than the model is known to take; `None` if it fits.
fn why_too_long(name: &ParamPath, wanted: &Value, learned: &Learned) -> Option<String> {
    let most = match learned.max_value {
        0 => usize::MAX,
        bytes => usize::try_from(bytes).unwrap_or(usize::MAX),
    };
    let bytes = wanted.text.len();
    if bytes > most {
        Some(format!("has {bytes} bytes, and this model takes at most {most}"))
    } else if size_of(name.as_str(), &wanted.text) > most_bytes(learned) {
        let message = learned.max_message;
        Some(format!("makes a message of more than {message} bytes, which this model takes"))
    } else {
        None
    }
}

/// What the values of one message may take, in bytes.
pub(super) fn most_bytes(learned: &Learned) -> usize {
    match learned.max_message {
        0 => usize::MAX,
        bytes => usize::try_from(bytes).unwrap_or(usize::MAX).saturating_sub(ENVELOPE),
    }
}

/// What a value takes in a message, in bytes, rather more than less.
pub(super) fn size_of(name: &str, text: &str) -> usize {
    let escaped = text.bytes().filter(|byte| matches!(byte, b'<' | b'>' | b'&' | 0..=31));
    let escapes = escaped.count().saturating_mul(4);
    name.len().saturating_add(text.len()).saturating_add(escapes) + MEMBER
}

/// Whether a value reads back as it was written; one that a device tells without
/// its type (Q8) by the type that the data model has.
fn is_same(name: &ParamPath, written: &Value, read: &Value) -> bool {
    written.agrees(read)
        || (written.kind == ValueType::String
            && Schema::core()
                .kind(name.as_str())
                .is_some_and(|kind| kind.same(&written.text, &read.text)))
}

/// Whether a device tells a secret in clear.
fn is_clear(text: &str) -> bool {
    !text.trim().is_empty() && !is_mask(text.trim())
}

/// The other forms of what the fault blames for its type or value; `None` if
/// there are none.
fn other_forms(fault: &Fault, sent: &[ParameterValue], usual: Forms) -> Option<Forms> {
    let is_form = |code: FaultCode| matches!(code.0, 9006 | 9007);
    if !is_form(fault.code) && !fault.parameters.iter().any(|one| is_form(one.code)) {
        return None;
    }
    let blamed = |one: &&ParameterValue| {
        let mut named = fault.parameters.iter().filter(|bad| is_form(bad.code)).peekable();
        named.peek().is_none() || named.any(|bad| *bad.name == *one.name.as_str())
    };
    let has = |kind| sent.iter().filter(blamed).any(|one| one.value.kind == kind);
    let (booleans, times) = (has(ValueType::Boolean), has(ValueType::DateTime));
    (booleans || times).then_some(Forms {
        boolean_words: usual.boolean_words != booleans,
        zoned_times: usual.zoned_times != times,
    })
}

/// The code that tells most: that of a parameter, if there is one.
fn code_of(fault: &Fault) -> FaultCode {
    fault.parameters.first().map_or(fault.code, |parameter| parameter.code)
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
