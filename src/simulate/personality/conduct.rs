//! What a personality does when it is asked.

use super::{Habit, Personality, WireHabit};
use crate::cwmp::{
    AcsRequest, AddObjectResponse, CpeResponse, Fault, FaultCode, ParameterInfo, SetParameterValues,
};
use crate::param::{ParamPath, Value, ValueType};

/// What comes of a request.
#[derive(Debug)]
pub(in crate::simulate) enum Conduct {
    /// It is carried out by the standard, and the answer goes through
    /// [`Personality::answered`].
    Honest,
    /// It is answered by this in place of being carried out.
    Answer(Result<CpeResponse, Fault>),
    /// It is answered by an empty POST.
    EmptyPost,
    /// The device hangs up.
    HangUp,
    /// It is carried out, and the device hangs up in place of an answer.
    LoseAnswer,
}

impl Personality {
    /// Whether the device hangs up on a message as soon as it sees its bytes.
    pub(in crate::simulate) fn hangs_up_on(&self, message: &[u8]) -> bool {
        let declared = message.starts_with(b"<?xml");
        if message.is_empty() {
            return false;
        }
        (declared && self.does(Habit::HatesDeclaration))
            || (!declared && self.does(Habit::NeedsDeclaration))
    }

    /// What it does with a request. `answered` is how many requests it has
    /// answered in this session, `retries` how many attempts failed before it.
    pub(in crate::simulate) fn conduct(
        &self,
        request: &AcsRequest,
        root: &str,
        answered: u32,
        retries: u32,
    ) -> Conduct {
        let fault = |code, text| Conduct::Answer(Err(bare(code, text)));
        for habit in self.habits {
            let conduct = match (*habit, request) {
                (Habit::VanishesAfter(count), _) if retries == 0 && answered >= count => {
                    Conduct::HangUp
                }
                (Habit::LosesAnswerAfter(count), _) if retries == 0 && answered >= count => {
                    Conduct::LoseAnswer
                }
                (Habit::WantsWords, AcsRequest::SetParameterValues(asked)) => {
                    match digit_boolean(asked) {
                        Some(name) => Conduct::Answer(Err(bad_value(name))),
                        None => Conduct::Honest,
                    }
                }
                (Habit::NoRootNames, AcsRequest::GetParameterNames(asked))
                    if asked.path.as_ref().is_none_or(|path| path.as_str() == root)
                        && !asked.next_level =>
                {
                    fault(FaultCode::INVALID_PARAMETER_NAME, "no such parameter")
                }
                (Habit::EmptyNamesInOne, AcsRequest::GetParameterNames(asked))
                    if !asked.next_level =>
                {
                    Conduct::Answer(Ok(CpeResponse::GetParameterNames(Vec::new())))
                }
                (Habit::NamesExceed, AcsRequest::GetParameterNames(asked)) if !asked.next_level => {
                    fault(FaultCode::RESOURCES_EXCEEDED, "too many names")
                }
                (Habit::NoNames, AcsRequest::GetParameterNames(_)) if self.is_silent() => {
                    Conduct::EmptyPost
                }
                (Habit::NoNames, AcsRequest::GetParameterNames(_)) => {
                    fault(FaultCode::METHOD_NOT_SUPPORTED, "the method is not supported")
                }
                (Habit::EndlessTree, AcsRequest::GetParameterNames(asked)) => {
                    endless(asked.path.as_ref())
                }
                (Habit::ReadsAtMost(most), AcsRequest::GetParameterValues(asked))
                    if asked.names.len() > most =>
                {
                    fault(FaultCode::RESOURCES_EXCEEDED, "too many names")
                }
                (Habit::ChokesOnReads(most), AcsRequest::GetParameterValues(asked))
                    if asked.names.len() > most =>
                {
                    Conduct::HangUp
                }
                (Habit::WritesAtMost(most), AcsRequest::SetParameterValues(asked))
                    if asked.values.len() > most =>
                {
                    fault(FaultCode::RESOURCES_EXCEEDED, "too many values")
                }
                (Habit::YesMan, AcsRequest::SetParameterValues(_)) => {
                    Conduct::Answer(Ok(CpeResponse::SetParameterValues(0)))
                }
                (Habit::RowZero, AcsRequest::AddObject(_)) => {
                    Conduct::Answer(Ok(CpeResponse::AddObject(AddObjectResponse {
                        instance: 0,
                        status: 0,
                    })))
                }
                (Habit::SameRow, AcsRequest::AddObject(_)) => {
                    Conduct::Answer(Ok(CpeResponse::AddObject(AddObjectResponse {
                        instance: 1,
                        status: 0,
                    })))
                }
                _ => Conduct::Honest,
            };
            if !matches!(conduct, Conduct::Honest) {
                return conduct;
            }
        }
        Conduct::Honest
    }

    /// Whether it answers by silence where others answer by fault 9000.
    pub(in crate::simulate) fn is_silent(&self) -> bool {
        self.does(Habit::SilentOnUnknown)
    }

    /// What becomes of an honest answer.
    pub(in crate::simulate) fn answered(
        &self,
        request: &AcsRequest,
        mut answer: Result<CpeResponse, Fault>,
    ) -> Result<CpeResponse, Fault> {
        for habit in self.habits {
            match (*habit, &mut answer) {
                (Habit::NamesNoParameter, Err(fault)) => fault.parameters.clear(),
                (Habit::NoTrailingDots, Ok(CpeResponse::GetParameterNames(infos))) => {
                    infos.iter_mut().for_each(drop_dot);
                }
                (Habit::ListsItself, Ok(CpeResponse::GetParameterNames(infos))) => {
                    if let AcsRequest::GetParameterNames(asked) = request
                        && let Some(path) = asked.path.clone().filter(|_| asked.next_level)
                    {
                        infos.insert(0, ParameterInfo { name: path, writable: false });
                    }
                }
                (Habit::SaysReadOnly, Ok(CpeResponse::GetParameterNames(infos))) => {
                    infos.iter_mut().for_each(|info| info.writable = false);
                }
                (Habit::DoubleValues, Ok(CpeResponse::GetParameterValues(values))) => {
                    values.extend_from_within(..);
                }
                (Habit::TrailingBlanks, Ok(CpeResponse::GetParameterValues(values))) => {
                    for value in values.iter_mut().filter(|v| v.value.kind == ValueType::String) {
                        value.value = Value::string(format!("{}  ", value.value.text));
                    }
                }
                (Habit::MasksSecrets, Ok(CpeResponse::GetParameterValues(values))) => {
                    for value in values.iter_mut().filter(|v| v.name.leaf().ends_with("Password")) {
                        value.value = Value::string("********");
                    }
                }
                _ => {}
            }
        }
        answer
    }

    /// Whether names that it does not have are left out of a read, so that the
    /// others can be answered.
    pub(in crate::simulate) fn omits_unknown(&self) -> bool {
        self.does(Habit::OmitsUnknown)
    }

    /// Whether strings are of this type in its own words.
    pub(in crate::simulate) fn calls_strings(&self, kind: &ValueType) -> bool {
        self.wire
            .iter()
            .any(|habit| matches!(habit, WireHabit::StrangeTypes(name) if kind.name() == *name))
    }

    /// Whether it reports a transfer that nobody asked for.
    pub(in crate::simulate) fn brags(&self) -> bool {
        self.does(Habit::StrayTransferComplete)
    }
}

/// The first boolean that is written as a digit.
fn digit_boolean(asked: &SetParameterValues) -> Option<ParamPath> {
    let digit = asked.values.iter().find(|value| {
        value.value.kind == ValueType::Boolean && matches!(&*value.value.text, "0" | "1")
    });
    digit.map(|value| value.name.clone())
}

fn bad_value(name: ParamPath) -> Fault {
    let refused = crate::cwmp::ParameterFault {
        name: name.as_str().into(),
        code: FaultCode::INVALID_PARAMETER_VALUE,
        text: "true or false".into(),
    };
    Fault {
        code: FaultCode::INVALID_ARGUMENTS,
        text: "invalid arguments".into(),
        parameters: vec![refused],
    }
}

/// One object below whatever is asked for.
fn endless(path: Option<&ParamPath>) -> Conduct {
    let below = path.map_or("Device.", ParamPath::as_str);
    let deeper = ParamPath::parse(&format!("{below}X.")).or_else(|_| ParamPath::parse("Device.X."));
    let infos = deeper.into_iter().map(|name| ParameterInfo { name, writable: false }).collect();
    Conduct::Answer(Ok(CpeResponse::GetParameterNames(infos)))
}

fn drop_dot(info: &mut ParameterInfo) {
    if let Ok(name) = ParamPath::parse(info.name.as_str().trim_end_matches('.')) {
        info.name = name;
    }
}

fn bare(code: FaultCode, text: &str) -> Fault {
    Fault { code, text: text.into(), parameters: Vec::new() }
}
