//! What the pace of answers, silence, and methods that do not exist teach.

use super::context::Answer;
use crate::cwmp::{AcsRequest, FaultCode};
use crate::device::{Ability, Learned, Proof};
use crate::time::Timestamp;

/// What a session may be silent if nothing else is known, in seconds: an answer
/// that takes half of it is a slow one.
const USUAL_SILENCE: u16 = 60;

/// The longest silence that is learned, in seconds (Q47).
const MAX_SILENCE: u64 = 600;

/// A request that is on its way.
#[derive(Debug)]
pub(super) struct Exchange {
    method: Box<str>,
    size: Size,
    sent_at: Timestamp,
}

/// How much was asked at once.
#[derive(Clone, Copy, Debug)]
enum Size {
    Read(usize),
    Write(usize),
    Attributes(usize),
    AllNames,
    Other,
}

impl Exchange {
    pub(super) fn of(request: &AcsRequest, now: Timestamp) -> Self {
        let size = match request {
            AcsRequest::GetParameterValues(asked) => Size::Read(asked.names.len()),
            AcsRequest::SetParameterValues(asked) => Size::Write(asked.values.len()),
            AcsRequest::GetParameterAttributes(names) => Size::Attributes(names.names.len()),
            AcsRequest::SetParameterAttributes(set) => Size::Attributes(set.changes.len()),
            AcsRequest::GetParameterNames(asked) if !asked.next_level => Size::AllNames,
            _ => Size::Other,
        };
        Self { method: request.method().into(), size, sent_at: now }
    }

    /// It was answered: how long did that take, and is there such a method?
    pub(super) fn answered(self, answer: &Answer, learned: &mut Learned, now: Timestamp) {
        let Self { method, sent_at, .. } = self;
        let missing = matches!(answer, Err(fault) if fault.code == FaultCode::METHOD_NOT_SUPPORTED);
        if missing != learned.lacks(&method) {
            let mut methods = learned.missing_methods.clone();
            methods.retain(|known| *known != method);
            let words = if missing {
                methods.push(method.clone());
                format!("{method} was answered with fault 9000")
            } else {
                format!("{method} was answered, and not with fault 9000")
            };
            learned.teach(Ability::MissingMethods(methods), Proof::Answer, &words, now);
        }
        let took = now.since(sent_at).as_secs();
        if took.saturating_mul(2) >= u64::from(learned.silence.max(USUAL_SILENCE)) {
            let seconds = took.saturating_mul(4).clamp(USUAL_SILENCE.into(), MAX_SILENCE);
            let words = format!("an answer to {method} took {took} seconds");
            learn_pace(learned, seconds, Proof::Answer, &words, now);
        }
    }

    /// The device fell silent instead: it asked too much, or it is slow, or the
    /// network broke. Less is asked the next time; where less cannot be asked,
    /// the device is given more time.
    pub(super) fn silence(self, learned: &mut Learned, now: Timestamp) {
        let method = &self.method;
        let again = |learned: &Learned, like: &Ability| match learned.own_lesson(like) {
            Some(lesson) => match lesson.proof {
                Proof::Answer => Proof::Answer,
                Proof::Silence(times) => Proof::Silence(times.saturating_add(1)),
            },
            None => Proof::Silence(1),
        };
        match self.size {
            // Far less than what it takes otherwise is not too much.
            Size::Read(count) if count > 1 && count * 2 > usize::from(learned.read_batch) => {
                let words = format!("{method} of {count} names was answered with silence");
                learned.halve_reading(count, true, &words, now);
            }
            Size::Write(count) if count > 1 => {
                let ability = Ability::WriteBatch(half(count));
                let words = format!("{method} of {count} values was answered with silence");
                learned.teach(ability.clone(), again(learned, &ability), &words, now);
            }
            Size::Attributes(count) if count > 1 => {
                let ability = Ability::AttributeBatch(half(count));
                let words = format!("{method} of {count} names was answered with silence");
                learned.teach(ability.clone(), again(learned, &ability), &words, now);
            }
            Size::AllNames if learned.silence > USUAL_SILENCE => {
                let words = format!("{method} with NextLevel = 0 was answered with silence");
                learned.teach(Ability::NamesInOne(false), Proof::Silence(2), &words, now);
            }
            Size::Read(_) | Size::Write(_) | Size::Attributes(_) | Size::AllNames | Size::Other => {
                let seconds = u64::from(learned.silence.max(USUAL_SILENCE)) * 2;
                let proof = again(learned, &Ability::Silence(0));
                let words = format!("{method} was answered with silence");
                learn_pace(learned, seconds.min(MAX_SILENCE), proof, &words, now);
            }
        }
    }
}

fn learn_pace(learned: &mut Learned, seconds: u64, proof: Proof, words: &str, now: Timestamp) {
    let seconds = u16::try_from(seconds).unwrap_or(USUAL_SILENCE);
    if seconds > learned.silence {
        learned.teach(Ability::Silence(seconds), proof, words, now);
    }
}

fn half(count: usize) -> u16 {
    u16::try_from(count / 2).unwrap_or(u16::MAX).max(1)
}
