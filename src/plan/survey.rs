//! Reading a whole tree, or a part of it: first the names, then the values.

use std::collections::{HashSet, VecDeque};

use super::alias::same_depth;
use super::context::{Answer, Context, mismatch};
use super::reader::Reader;
use crate::cwmp::{AcsRequest, CpeResponse, Fault, FaultCode, GetParameterNames, ParameterInfo};
use crate::device::Ability;
use crate::param::{ParamPath, Tree, rows_agree};

/// More names than this are not taken from one device (security: endless trees).
const MAX_NAMES: usize = Tree::MAX_ENTRIES;

/// More GetParameterNames than this are not sent in one walk.
const MAX_WALK: usize = 20_000;

/// A survey of everything below an object.
#[derive(Debug)]
pub(super) struct Survey {
    /// The object that is surveyed.
    below: ParamPath,
    state: State,
}

#[derive(Debug)]
enum State {
    /// GetParameterNames with NextLevel = 0: everything in one answer.
    AllNames,
    /// GetParameterNames with NextLevel = 1, object by object (Q30).
    Walk(Walk),
    /// The names are known; their values are read.
    Values(Reader),
    /// The device did not even tell names.
    Failed(Fault),
}

#[derive(Debug, Default)]
struct Walk {
    waiting: VecDeque<ParamPath>,
    seen: HashSet<ParamPath>,
    found: Vec<ParameterInfo>,
    asked: usize,
    /// The fault to the very first question, if that is all there was.
    fault: Option<Fault>,
}

impl Survey {
    /// Surveys everything below `below` (with its trailing dot).
    pub(super) fn new(below: ParamPath, context: &Context<'_>) -> Self {
        let state = if context.learned.names_in_one {
            State::AllNames
        } else {
            State::Walk(Walk::from(below.clone()))
        };
        Self { below, state }
    }

    /// The next request; `None` when the survey is over.
    pub(super) fn next(&mut self, context: &mut Context<'_>) -> Option<AcsRequest> {
        loop {
            match &mut self.state {
                State::AllNames => return Some(names_of(self.below.clone(), false)),
                State::Walk(walk) => match walk.next() {
                    Some(path) => return Some(names_of(path, true)),
                    None => {
                        let walk = std::mem::take(walk);
                        self.state = match walk.fault {
                            Some(fault) if walk.found.is_empty() => State::Failed(fault),
                            _ => State::Values(self.adopt(walk.found, context)),
                        };
                    }
                },
                State::Values(reader) => return reader.next(context),
                State::Failed(_) => return None,
            }
        }
    }

    /// Takes the answer to the last request.
    pub(super) fn answer(&mut self, answer: Answer, context: &mut Context<'_>) {
        match &mut self.state {
            State::AllNames => self.state = self.after_all_names(answer, context),
            State::Walk(walk) => walk.answer(answer),
            State::Values(reader) => reader.answer(answer, context),
            State::Failed(_) => {}
        }
    }

    /// The fault that stopped the survey before it knew a single name.
    pub(super) const fn fault(&self) -> Option<&Fault> {
        match &self.state {
            State::Failed(fault) => Some(fault),
            State::AllNames | State::Walk(_) | State::Values(_) => None,
        }
    }

    fn after_all_names(&self, answer: Answer, context: &mut Context<'_>) -> State {
        match answer {
            Ok(CpeResponse::GetParameterNames(infos)) if !infos.is_empty() => {
                State::Values(self.adopt(infos, context))
            }
            Err(fault) if fault.code == FaultCode::METHOD_NOT_SUPPORTED => State::Failed(fault),
            // An empty list or any other fault: object by object, and so from
            // now on (Q29, Q30).
            Ok(_) | Err(_) => {
                let words = "GetParameterNames with NextLevel = 0 did not list the names";
                context.teach(Ability::NamesInOne(false), words);
                State::Walk(Walk::from(self.below.clone()))
            }
        }
    }

    /// The object that is surveyed as the device calls it: it may be asked by
    /// alias and answer by number.
    fn told_below(&self, infos: &[ParameterInfo]) -> ParamPath {
        let asked = self.below.as_str();
        if infos.iter().any(|info| info.name.as_str().starts_with(asked)) {
            return self.below.clone();
        }
        let heads = infos.iter().filter_map(|info| same_depth(asked, info.name.as_str()));
        let told = heads.into_iter().find(|head| rows_agree(asked, head));
        told.and_then(|head| ParamPath::parse(head).ok()).unwrap_or_else(|| self.below.clone())
    }

    /// Takes the names over into the tree, forgets what is gone, and begins to
    /// read the values.
    fn adopt(&self, infos: Vec<ParameterInfo>, context: &mut Context<'_>) -> Reader {
        let below = self.told_below(&infos);
        let below = below.as_str();
        let names: Vec<(ParamPath, bool)> = infos
            .into_iter()
            .take(MAX_NAMES)
            .filter(|info| info.name.as_str().starts_with(below))
            .map(|info| (info.name, info.writable))
            .collect();
        let parameters = names.iter().filter(|(name, _)| !name.is_object());
        let reader = Reader::new(parameters.map(|(name, _)| name.clone()).collect());
        context.tree.adopt_names(below, names, context.now);
        reader
    }
}

fn names_of(path: ParamPath, next_level: bool) -> AcsRequest {
    AcsRequest::GetParameterNames(GetParameterNames { path: Some(path), next_level })
}

impl From<ParamPath> for Walk {
    fn from(below: ParamPath) -> Self {
        Self { waiting: VecDeque::from([below]), ..Self::default() }
    }
}

impl Walk {
    fn next(&mut self) -> Option<ParamPath> {
        if self.asked >= MAX_WALK || self.found.len() >= MAX_NAMES {
            return None;
        }
        let path = self.waiting.pop_front()?;
        self.asked += 1;
        Some(path)
    }

    fn answer(&mut self, answer: Answer) {
        let infos = match answer {
            Ok(CpeResponse::GetParameterNames(infos)) => infos,
            other => {
                // A branch that faults is left out; the rest is still worth having.
                let fault = other.err().unwrap_or_else(mismatch);
                self.fault.get_or_insert(fault);
                return;
            }
        };
        for info in infos {
            // Each name once: a tree that points back at itself ends here.
            if self.found.len() >= MAX_NAMES || !self.seen.insert(info.name.clone()) {
                continue;
            }
            if info.name.is_object() {
                self.waiting.push_back(info.name.clone());
            }
            self.found.push(info);
        }
    }
}
