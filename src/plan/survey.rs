//! Reading a whole tree, or a part of it: first the names, then the values.

use std::collections::{HashSet, VecDeque};

use super::alias::same_depth;
use super::context::{Answer, Context, mismatch};
use super::names;
use super::reader::Reader;
use crate::cwmp::{AcsRequest, CpeResponse, Fault, FaultCode, GetParameterNames, ParameterInfo};
use crate::device::Ability;
use crate::param::{ParamPath, Tree, rows_agree};

/// More GetParameterNames than this are not sent in one walk.
const MAX_WALK: usize = 20_000;

/// The root objects that data models have.
const ROOTS: [&str; 2] = ["Device.", "InternetGatewayDevice."];

/// A survey of everything below an object.
#[derive(Debug)]
pub(super) struct Survey {
    /// The object that is surveyed; `None` while the root is looked for.
    below: Option<ParamPath>,
    state: State,
    /// The other form of NextLevel is being tried, or was.
    other_form: Trial,
}

#[derive(Debug)]
enum State {
    /// The root object is asked for: these are left to be tried (Q29).
    Root(VecDeque<Option<ParamPath>>),
    /// GetParameterNames with NextLevel = 0: everything in one answer.
    AllNames,
    /// GetParameterNames with NextLevel = 1, object by object (Q30).
    Walk(Walk),
    /// The names are known; their values are read.
    Values(Reader),
    /// The device did not even tell names.
    Failed(Fault),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trial {
    Never,
    Running,
    Over,
}

#[derive(Debug, Default)]
struct Walk {
    waiting: VecDeque<ParamPath>,
    seen: HashSet<ParamPath>,
    found: Vec<ParameterInfo>,
    asked: usize,
    /// Names without a dot may be objects as well.
    bare: bool,
    /// The first fault.
    fault: Option<Fault>,
}

impl Survey {
    /// Surveys everything below `below` (with its trailing dot).
    pub(super) fn new(below: ParamPath, context: &Context<'_>) -> Self {
        let state = begin(&below, context);
        Self { below: Some(below), state, other_form: Trial::Never }
    }

    /// Surveys a device that never named a parameter: the root is found first.
    pub(super) fn of_unknown_root(context: &Context<'_>) -> Self {
        let known = ParamPath::parse(&context.learned.root).ok();
        let mut roots: VecDeque<Option<ParamPath>> = VecDeque::new();
        roots.extend(known.map(Some));
        roots.push_back(None);
        roots.extend(ROOTS.iter().map(|root| ParamPath::parse(root).ok()));
        Self { below: None, state: State::Root(roots), other_form: Trial::Never }
    }

    /// The root that was found, if it had to be looked for.
    pub(super) fn root(&self) -> Option<&str> {
        self.below.as_ref().map(ParamPath::as_str)
    }

    /// The next request; `None` when the survey is over.
    pub(super) fn next(&mut self, context: &mut Context<'_>) -> Option<AcsRequest> {
        loop {
            match &mut self.state {
                State::Root(roots) => match roots.front() {
                    Some(root) => return Some(names_of(root.clone(), true)),
                    None => self.state = State::Failed(no_root()),
                },
                State::AllNames => return Some(names_of(self.below.clone(), false)),
                State::Walk(walk) => match walk.next() {
                    Some(path) => return Some(names_of(Some(path), true)),
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
        let answer = match answer {
            Err(fault) if self.tries_other_form(&fault, context) => return,
            answer => self.judge_other_form(answer, context),
        };
        match &mut self.state {
            State::Root(_) => self.after_root(answer, context),
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
            State::Root(_) | State::AllNames | State::Walk(_) | State::Values(_) => None,
        }
    }

    /// A device that does not understand `0` for NextLevel may understand
    /// `false` (Q11): the same is asked once more.
    fn tries_other_form(&mut self, fault: &Fault, context: &mut Context<'_>) -> bool {
        let asks_names = match &self.state {
            State::Root(_) | State::AllNames => true,
            State::Walk(walk) => walk.asked <= 1,
            State::Values(_) | State::Failed(_) => false,
        };
        let may_be_form =
            matches!(fault.code, FaultCode::INVALID_ARGUMENTS | FaultCode(9006 | 9007));
        let other = Ability::NextLevelWords(!context.learned.next_level_words);
        if !asks_names
            || !may_be_form
            || self.other_form != Trial::Never
            || !context.learned.try_out(&other)
        {
            return false;
        }
        self.other_form = Trial::Running;
        if let State::Walk(walk) = &mut self.state {
            walk.again(self.below.clone());
        }
        true
    }

    /// The other form was tried: is it the one to keep?
    fn judge_other_form(&mut self, answer: Answer, context: &mut Context<'_>) -> Answer {
        if self.other_form == Trial::Running {
            self.other_form = Trial::Over;
            let tried = context.learned.next_level_words;
            let _ = context.learned.try_out(&Ability::NextLevelWords(!tried));
            if answer.is_ok() {
                let words = "GetParameterNames was understood with NextLevel in this form only";
                context.teach(Ability::NextLevelWords(tried), words);
            }
        }
        answer
    }

    fn after_root(&mut self, answer: Answer, context: &mut Context<'_>) {
        let State::Root(roots) = &mut self.state else { return };
        let asked = roots.pop_front().flatten();
        let Ok(CpeResponse::GetParameterNames(infos)) = answer else { return };
        let Some(first) = infos.first() else { return };
        // The answer names the root, or what lies below it.
        let root = asked.map_or_else(|| dotted(first.name.root()), |asked| dotted(asked.as_str()));
        let Some(root) = root else { return };
        let words = "GetParameterNames found the root object, since the Inform named none";
        context.teach(Ability::Root(root.as_str().into()), words);
        self.state = begin(&root, context);
        self.below = Some(root);
    }

    fn after_all_names(&self, answer: Answer, context: &mut Context<'_>) -> State {
        let below = self.below.as_ref().map_or("", ParamPath::as_str);
        match answer {
            Ok(CpeResponse::GetParameterNames(infos)) if names::are_of_one_level(&infos, below) => {
                let words = "GetParameterNames with NextLevel = 0 listed one level only";
                context.teach(Ability::NamesInOne(false), words);
                let mut walk = Walk::from(self.below.clone());
                walk.waiting.clear();
                walk.asked = 1;
                walk.answer(Ok(CpeResponse::GetParameterNames(infos)));
                State::Walk(walk)
            }
            Ok(CpeResponse::GetParameterNames(infos)) if !infos.is_empty() => {
                State::Values(self.adopt(infos, context))
            }
            Err(fault) if fault.code == FaultCode::METHOD_NOT_SUPPORTED => State::Failed(fault),
            // An empty list or any other fault: object by object, and so from
            // now on (Q29, Q30).
            other => {
                let words = match &other {
                    Err(fault) => format!(
                        "GetParameterNames with NextLevel = 0 was answered with fault {}",
                        fault.code
                    ),
                    Ok(_) => "GetParameterNames with NextLevel = 0 listed nothing".to_owned(),
                };
                context.teach(Ability::NamesInOne(false), &words);
                State::Walk(Walk::from(self.below.clone()))
            }
        }
    }

    /// The object that is surveyed as the device calls it: it may be asked by
    /// alias and answer by number.
    fn told_below(&self, infos: &[ParameterInfo]) -> Option<ParamPath> {
        let below = self.below.clone()?;
        let asked = below.as_str();
        if infos.iter().any(|info| info.name.as_str().starts_with(asked)) {
            return Some(below);
        }
        let heads = infos.iter().filter_map(|info| same_depth(asked, info.name.as_str()));
        let told = heads.into_iter().find(|head| rows_agree(asked, head));
        Some(told.and_then(|head| ParamPath::parse(head).ok()).unwrap_or(below))
    }

    /// Takes the names over into the tree, forgets what is gone, and begins to
    /// read the values.
    fn adopt(&self, infos: Vec<ParameterInfo>, context: &mut Context<'_>) -> Reader {
        let below = self.told_below(&infos);
        let below = below.as_ref().map_or("", ParamPath::as_str);
        let mut names: Vec<(ParamPath, bool)> = infos
            .into_iter()
            .filter(|info| info.name.as_str().starts_with(below))
            .take(Tree::MAX_ENTRIES)
            .map(|info| (info.name, info.writable))
            .collect();
        if names::add_dots(&mut names) {
            let words = "GetParameterNames named objects without their trailing dot";
            context.teach(Ability::DottedObjects(false), words);
        }
        let parameters = names.iter().filter(|(name, _)| !name.is_object());
        let reader = Reader::new(parameters.map(|(name, _)| name.clone()).collect());
        context.tree.adopt_names(below, names, context.now);
        reader
    }
}

fn begin(below: &ParamPath, context: &Context<'_>) -> State {
    if context.learned.names_in_one {
        State::AllNames
    } else {
        State::Walk(Walk::from(Some(below.clone())))
    }
}

fn names_of(path: Option<ParamPath>, next_level: bool) -> AcsRequest {
    AcsRequest::GetParameterNames(GetParameterNames { path, next_level })
}

fn dotted(name: &str) -> Option<ParamPath> {
    let dot = if name.ends_with('.') { "" } else { "." };
    ParamPath::parse(&format!("{name}{dot}")).ok()
}

fn no_root() -> Fault {
    Fault {
        code: FaultCode::INVALID_PARAMETER_NAME,
        text: "the device has no root object".into(),
        parameters: Vec::new(),
    }
}

impl From<Option<ParamPath>> for Walk {
    fn from(below: Option<ParamPath>) -> Self {
        let waiting: VecDeque<ParamPath> = below.into_iter().collect();
        Self { seen: waiting.iter().cloned().collect(), waiting, ..Self::default() }
    }
}

impl Walk {
    fn next(&mut self) -> Option<ParamPath> {
        if self.asked >= MAX_WALK || self.found.len() >= Tree::MAX_ENTRIES {
            return None;
        }
        let path = self.waiting.pop_front()?;
        self.asked += 1;
        Some(path)
    }

    /// The first question is asked once more.
    fn again(&mut self, below: Option<ParamPath>) {
        self.waiting.extend(below);
        self.asked = 0;
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
        // Below a root there are objects; a device that names none leaves their
        // dots out, and any name may be an object.
        if self.asked <= 1 && !infos.is_empty() && !infos.iter().any(|info| info.name.is_object()) {
            self.bare = infos.iter().all(|info| info.name.as_str().matches('.').count() == 1);
        }
        for info in infos {
            // Each name once: a tree that points back at itself ends here.
            if self.found.len() >= Tree::MAX_ENTRIES || !self.seen.insert(info.name.clone()) {
                continue;
            }
            if info.name.is_object() {
                self.waiting.push_back(info.name.clone());
            } else if self.bare
                && let Some(object) = dotted(info.name.as_str())
                && self.seen.insert(object.clone())
            {
                self.waiting.push_back(object);
            }
            self.found.push(info);
        }
    }
}
