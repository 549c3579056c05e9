//! Reading values in batches that the device can take.

use std::collections::{HashMap, HashSet, VecDeque};

use super::alias;
use super::context::{Answer, Context, mismatch};
use crate::cwmp::{AcsRequest, CpeResponse, FaultCode, GetParameterValues, ParameterValue};
use crate::device::Ability;
use crate::param::{ParamPath, Tree, is_match};

/// After so many batches of full size in a row that were answered, a size that
/// was only suspected is doubled.
const ANSWERED_OFTEN: u32 = 8;

/// Reads a list of names, however the device likes them served.
///
/// A batch that is too large (9002, 9004) is halved, and so is what follows (Q30,
/// Q41); if a name alone is refused in this way, the name was to blame, and
/// what follows is asked in full again. A batch faulted for a name that it does not
/// name (9005) is bisected until the name stands alone (Q32). So each name
/// costs at most a logarithmic number of RPCs, and the reading always ends.
#[derive(Debug)]
pub(super) struct Reader {
    waiting: VecDeque<Vec<ParamPath>>,
    asked: Option<Vec<ParamPath>>,
    missing: Vec<(ParamPath, FaultCode)>,
    values: Vec<ParameterValue>,
    keep_values: bool,
    /// What the device was found to take in this reading, if it is less than
    /// what was known, and what taught it.
    limit: Option<(usize, Box<str>)>,
    /// Batches of full size in a row that were answered.
    answered: u32,
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
            limit: None,
            answered: 0,
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
    pub(super) fn next(&mut self, context: &mut Context<'_>) -> Option<AcsRequest> {
        let mut batch = loop {
            let Some(batch) = self.waiting.pop_front() else {
                self.learn(context);
                return None;
            };
            if !batch.is_empty() {
                break batch;
            }
        };
        let limit = self.limit(context);
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
        self.answered = 0;
        match fault.code {
            code @ (FaultCode::RESOURCES_EXCEEDED | FaultCode::INTERNAL_ERROR) => {
                if asked.len() > 1 {
                    let count = asked.len();
                    let words = format!(
                        "GetParameterValues of {count} names was answered with fault {code}"
                    );
                    self.limit = Some((count / 2, words.into()));
                    self.bisect(asked);
                } else {
                    self.limit = None;
                    self.missing.extend(asked.into_iter().map(|name| (name, code)));
                }
            }
            FaultCode::INVALID_PARAMETER_NAME | FaultCode::INVALID_ARGUMENTS if asked.len() > 1 => {
                self.bisect(asked);
            }
            code => self.missing.extend(asked.into_iter().map(|name| (name, code))),
        }
    }

    fn limit(&self, context: &Context<'_>) -> usize {
        let known = usize::from(context.learned.read_batch.max(1));
        self.limit.as_ref().map_or(known, |(limit, _)| known.min((*limit).max(1)))
    }

    fn bisect(&mut self, mut asked: Vec<ParamPath>) {
        let second = asked.split_off(asked.len() / 2);
        self.waiting.push_front(second);
        self.waiting.push_front(asked);
    }

    /// Everything is read: what is the device known to take now?
    fn learn(&mut self, context: &mut Context<'_>) {
        if let Some((limit, words)) = self.limit.take()
            && limit < usize::from(context.learned.read_batch)
        {
            let limit = u16::try_from(limit).unwrap_or(u16::MAX).max(1);
            context.teach(Ability::ReadBatch(limit), &words);
        } else if self.answered >= ANSWERED_OFTEN {
            self.answered = 0;
            let words = format!(
                "GetParameterValues of {} names was answered {ANSWERED_OFTEN} times in a row",
                context.learned.read_batch
            );
            context.learned.raise_reading(&words, context.now);
        }
    }

    fn take(
        &mut self,
        asked: Vec<ParamPath>,
        values: Vec<ParameterValue>,
        context: &mut Context<'_>,
    ) {
        if asked.len() >= usize::from(context.learned.read_batch) {
            self.answered = self.answered.saturating_add(1);
        }
        // Nearly all devices answer what was asked in its order, and nothing
        // needs to be looked up.
        let in_order = asked.len() == values.len()
            && asked.iter().zip(&values).all(|(name, value)| *name == value.name);
        let mut told_as = HashMap::new();
        let values = if in_order {
            values
        } else {
            let translated = alias::translate(&asked, values);
            told_as = translated.told_as;
            self.sort_out(&asked, translated.values)
        };
        for value in &values {
            match told_as.get(&value.name) {
                Some(told) => alias::learn(&value.name, told, &value.value, context),
                None => context.learn(&value.name, &value.value),
            }
        }
        if self.keep_values {
            self.values.extend(values);
        }
    }

    /// Keeps what was asked, each name once with its last value, and notes what
    /// was left out (Q32). What nobody asked for is not taken, so that one answer
    /// cannot fill a tree (security: A18).
    fn sort_out(
        &mut self,
        asked: &[ParamPath],
        values: Vec<ParameterValue>,
    ) -> Vec<ParameterValue> {
        let names: HashSet<&str> = asked.iter().map(ParamPath::as_str).collect();
        let objects: Vec<&str> =
            asked.iter().filter(|name| name.is_object()).map(ParamPath::as_str).collect();
        let wildcards: Vec<&str> =
            asked.iter().filter(|name| name.has_wildcard()).map(ParamPath::as_str).collect();
        let mut kept: Vec<ParameterValue> = Vec::with_capacity(values.len().min(asked.len()));
        let mut places: HashMap<ParamPath, usize> = HashMap::new();
        for value in values {
            let name = value.name.as_str();
            let wanted = names.contains(name)
                || objects.iter().any(|object| name.starts_with(object))
                || wildcards.iter().any(|pattern| is_match(pattern, name));
            if !wanted || kept.len() >= Tree::MAX_ENTRIES {
                continue;
            }
            match places.get(name).and_then(|place| kept.get_mut(*place)) {
                Some(before) => *before = value,
                None => {
                    places.insert(value.name.clone(), kept.len());
                    kept.push(value);
                }
            }
        }
        // That nothing matches a wildcard is no fault.
        let silent = asked.iter().filter(|name| {
            !name.is_object() && !name.has_wildcard() && !places.contains_key(name.as_str())
        });
        self.missing.extend(silent.map(|name| (name.clone(), FaultCode::INVALID_PARAMETER_NAME)));
        kept
    }
}
