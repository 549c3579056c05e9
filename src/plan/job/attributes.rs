//! What a device notifies about: SetParameterAttributes with a reading back,
//! GetParameterAttributes.

use std::collections::{BTreeMap, VecDeque};

use super::{Job, MAX_NOTES, Work};
use crate::cwmp::{
    AcsRequest, AttributeChange, CpeResponse, Fault, FaultCode, GetParameterAttributes,
    ParameterAttributes, SetParameterAttributes, Version,
};
use crate::device::{Ability, Action, AttributeWish, FaultRecord, Outcome};
use crate::param::ParamPath;
use crate::plan::context::{Answer, Context, clip, failure, mismatch, record_fault};

/// The highest Notification before version 1.4.
pub(super) const ACTIVE: u8 = 2;

/// Reading or changing attributes, in batches that the device can take (Q41).
#[derive(Debug)]
pub(super) struct Attributes {
    /// What is to be changed; empty if it is only read.
    wishes: Vec<AttributeWish>,
    /// How many of them the device took.
    set: usize,
    /// How many are on their way.
    on_their_way: usize,
    waiting: VecDeque<Vec<ParamPath>>,
    asked: Vec<ParamPath>,
    found: Vec<ParameterAttributes>,
    missing: Vec<(ParamPath, Fault)>,
    refused: Option<FaultRecord>,
    /// What it was found to take at once.
    limit: usize,
    /// What was refused by its place among the wishes, if a refusal does not end
    /// it all.
    rejected: Option<BTreeMap<usize, (u32, Box<str>)>>,
    /// How many are set at once while what is to blame is looked for.
    narrow: usize,
}

/// What came of one wish.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is set, and reads back so.
    Set,
    /// It was taken, and the device does not tell attributes.
    Untold,
    /// The device refused it, with this code.
    Refused(u32, Box<str>),
    /// It reads back otherwise.
    Differs(String),
}

/// So many names were too many: half of them from now on, whatever an operator
/// said, and as a lesson unless he did.
fn teach_limit(method: &str, count: usize, code: FaultCode, context: &mut Context<'_>) -> usize {
    let half = (count / 2).max(1);
    let words = format!("{method} of {count} names was answered with fault {code}");
    context.teach(Ability::AttributeBatch(u16::try_from(half).unwrap_or(u16::MAX)), &words);
    half
}

impl Attributes {
    /// Reads the attributes of these names or partial paths.
    pub(super) fn read(names: Vec<ParamPath>) -> Self {
        Self {
            wishes: Vec::new(),
            set: 0,
            on_their_way: 0,
            waiting: VecDeque::from([names]),
            asked: Vec::new(),
            found: Vec::new(),
            missing: Vec::new(),
            refused: None,
            limit: usize::MAX,
            rejected: None,
            narrow: usize::MAX,
        }
    }

    /// Changes attributes, then reads them back.
    pub(super) fn change(wishes: Vec<AttributeWish>) -> Self {
        let names = wishes.iter().map(|wish| wish.path.clone()).collect();
        Self { wishes, ..Self::read(names) }
    }

    /// Changes what the device takes of it, then reads that back. A batch that is
    /// refused is tried by halves.
    pub(super) fn tolerant(wishes: Vec<AttributeWish>) -> Self {
        Self { rejected: Some(BTreeMap::new()), ..Self::change(wishes) }
    }

    /// What came of a wish, by its place among them.
    pub(super) fn verdict(&self, place: usize, wish: &AttributeWish) -> Verdict {
        if let Some((code, text)) = self.rejected.as_ref().and_then(|all| all.get(&place)) {
            return Verdict::Refused(*code, text.clone());
        }
        let missing = self.missing.iter().find(|(name, _)| *name == wish.path);
        if missing.is_some_and(|(_, fault)| fault.code == FaultCode::METHOD_NOT_SUPPORTED) {
            return Verdict::Untold;
        }
        match self.disagrees(wish) {
            Some(text) => Verdict::Differs(text),
            None => Verdict::Set,
        }
    }

    pub(super) fn next(&mut self, context: &Context<'_>) -> Option<AcsRequest> {
        if self.refused.is_some() {
            return None;
        }
        if self.set < self.wishes.len() {
            let limit = self.limit.min(usize::from(context.learned.attribute_batch));
            let limit = limit.min(self.narrow).max(1);
            let batch: Vec<_> = self.wishes.iter().skip(self.set).take(limit).map(change).collect();
            self.on_their_way = batch.len();
            return Some(AcsRequest::SetParameterAttributes(SetParameterAttributes {
                changes: batch,
            }));
        }
        let mut batch = self.waiting.pop_front().filter(|batch| !batch.is_empty())?;
        let limit = self.limit.min(usize::from(context.learned.attribute_batch)).max(1);
        if batch.len() > limit {
            let rest = batch.split_off(limit);
            self.waiting.push_front(rest);
        }
        self.asked.clone_from(&batch);
        Some(AcsRequest::GetParameterAttributes(GetParameterAttributes { names: batch }))
    }

    pub(super) fn answer(&mut self, answer: Answer, context: &mut Context<'_>) {
        let setting = std::mem::take(&mut self.on_their_way);
        if setting > 0 {
            return self.after_set(setting, answer, context);
        }
        let asked = std::mem::take(&mut self.asked);
        let fault = match answer {
            Ok(CpeResponse::GetParameterAttributes(found)) => {
                let room = crate::device::MAX_RESULTS.saturating_sub(self.found.len());
                self.found.extend(found.into_iter().take(room));
                return;
            }
            Ok(_) => mismatch(),
            Err(fault) => fault,
        };
        if asked.len() < 2 {
            self.missing.extend(asked.into_iter().map(|name| (name, fault.clone())));
            return;
        }
        // Too many at once (Q30, Q41), or one of them is unknown (Q32).
        if fault.code == FaultCode::METHOD_NOT_SUPPORTED {
            self.waiting.clear();
            self.missing.extend(asked.into_iter().map(|name| (name, fault.clone())));
            return;
        }
        if matches!(fault.code, FaultCode::RESOURCES_EXCEEDED | FaultCode::INTERNAL_ERROR) {
            self.limit = teach_limit("GetParameterAttributes", asked.len(), fault.code, context);
        }
        let mut first = asked;
        let second = first.split_off(first.len() / 2);
        self.waiting.push_front(second);
        self.waiting.push_front(first);
    }

    fn after_set(&mut self, count: usize, answer: Answer, context: &mut Context<'_>) {
        let fault = match answer {
            Ok(CpeResponse::SetParameterAttributes) => {
                self.narrow = self.narrow.saturating_mul(2);
                return self.pass(count);
            }
            Ok(_) => mismatch(),
            Err(fault) => fault,
        };
        if fault.code == FaultCode::RESOURCES_EXCEEDED && count > 1 {
            self.limit = teach_limit("SetParameterAttributes", count, fault.code, context);
            return;
        }
        if let Some(rejected) = &mut self.rejected {
            let none_at_all = fault.code == FaultCode::METHOD_NOT_SUPPORTED;
            if count > 1 && !none_at_all {
                self.narrow = count / 2;
                return;
            }
            let gone = if none_at_all { self.wishes.len() - self.set } else { count };
            let text = clip(&fault.text);
            rejected
                .extend((self.set..self.set + gone).map(|at| (at, (fault.code.0, text.clone()))));
            self.narrow = self.narrow.saturating_mul(2);
            return self.pass(gone);
        }
        // The fault does not say which: all that were asked are to blame.
        let mut record = record_fault(&fault);
        if record.parameters.is_empty() {
            let asked = self.wishes.iter().skip(self.set).take(count).take(100);
            record.parameters =
                asked.map(|wish| (wish.path.as_str().into(), fault.code.0, "".into())).collect();
        }
        self.refused = Some(record);
    }

    /// So many are dealt with. What was refused need not be read back.
    fn pass(&mut self, count: usize) {
        self.set += count;
        let Some(rejected) = self.rejected.as_ref().filter(|_| self.set >= self.wishes.len())
        else {
            return;
        };
        let taken = self.wishes.iter().enumerate().filter(|(at, _)| !rejected.contains_key(at));
        let names: Vec<ParamPath> = taken.map(|(_, wish)| wish.path.clone()).collect();
        self.waiting = VecDeque::from([names]);
    }

    /// What reading back says of a wish.
    fn disagrees(&self, wish: &AttributeWish) -> Option<String> {
        let mut seen = false;
        for found in &self.found {
            if found.name != wish.path && !(wish.path.is_object() && below(&wish.path, &found.name))
            {
                continue;
            }
            seen = true;
            let other =
                wish.notification.is_some_and(|wanted| found.notification != u32::from(wanted))
                    || wish.access_list.as_ref().is_some_and(|wanted| *wanted != found.access_list);
            if other {
                return Some(format!("{} reads back as {}", found.name, in_words(found)));
            }
        }
        (!seen && !wish.path.is_object()).then(|| "cannot be read back".to_owned())
    }
}

impl Job {
    /// The work that changing or reading attributes begins with; an error if
    /// the device does not speak what is asked.
    pub(super) fn attributes(&self, context: &Context<'_>) -> Result<Attributes, String> {
        match &self.task.action {
            Action::GetAttributes(names) => Ok(Attributes::read(names.clone())),
            Action::SetAttributes(wishes) => {
                let lightweight =
                    |wish: &AttributeWish| wish.notification.is_some_and(|n| n > ACTIVE);
                if context.version < Version::V1_4 && wishes.iter().any(lightweight) {
                    return Err(format!(
                        "lightweight notifications (3 to 6) came with version 1.4; the device speaks {}",
                        context.version
                    ));
                }
                Ok(Attributes::change(wishes.clone()))
            }
            _ => Err("it is about no attributes".to_owned()),
        }
    }

    pub(super) fn conclude_attributes(&mut self, work: Attributes, context: &Context<'_>) {
        for found in &work.found {
            self.result(found.name.as_str(), &in_words(found));
        }
        for (name, fault) in work.missing.iter().take(MAX_NOTES) {
            self.note(format!("{name}: the device does not tell it (fault {})", fault.code).into());
        }
        let differing: Vec<_> = work
            .wishes
            .iter()
            .filter_map(|wish| {
                let text = work.disagrees(wish)?;
                Some((Box::from(wish.path.as_str()), 0, text.chars().take(256).collect()))
            })
            .take(100)
            .collect();
        let deaf =
            work.missing.iter().any(|(_, fault)| fault.code == FaultCode::METHOD_NOT_SUPPORTED);
        let outcome = match (work.refused, work.missing.first()) {
            (Some(refused), _) => {
                if work.set > 0 {
                    let (set, all) = (work.set, work.wishes.len());
                    let text = format!("{set} of {all} were changed before the device refused");
                    self.note(text.into());
                }
                Outcome::Failed(refused)
            }
            (None, _) if !work.wishes.is_empty() && deaf => Outcome::Accepted,
            (None, _) if !differing.is_empty() => {
                let text = "the device accepted the attributes but did not apply them".to_owned();
                Outcome::Failed(FaultRecord { parameters: differing, ..failure(text) })
            }
            (None, Some((_, fault))) if work.wishes.is_empty() && work.found.is_empty() => {
                Outcome::Failed(record_fault(fault))
            }
            (None, _) => Outcome::Applied,
        };
        self.work = Work::Rest;
        self.end(outcome, context);
    }
}

fn change(wish: &AttributeWish) -> AttributeChange {
    AttributeChange {
        name: wish.path.clone(),
        notification: wish.notification.map(u32::from),
        access_list: wish.access_list.clone(),
    }
}

fn below(object: &ParamPath, name: &ParamPath) -> bool {
    name.as_str().starts_with(object.as_str())
}

/// `2 active`, `0 off; Subscriber`.
fn in_words(found: &ParameterAttributes) -> String {
    let word = match found.notification {
        0 => "off",
        1 => "passive",
        2 => "active",
        3 => "passive lightweight",
        4 => "passive and passive lightweight",
        5 => "active lightweight",
        6 => "passive and active lightweight",
        _ => "unknown to the standard",
    };
    let mut text = format!("{} {word}", found.notification);
    if !found.access_list.is_empty() {
        text = format!("{text}; {}", found.access_list.join(", "));
    }
    text
}
