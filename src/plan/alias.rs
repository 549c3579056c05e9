//! Answers that name rows in another way than the question did (TR-069 §3.6.1):
//! a device may be asked by alias and answer by number, or the other way round.

use std::collections::{HashMap, HashSet};

use super::context::Context;
use crate::cwmp::ParameterValue;
use crate::param::{ParamPath, Value, rows_agree};

/// The most values of one answer that are compared with the questions.
const MAX_COMPARED: usize = 20_000;

/// An answer in the words of the question.
#[derive(Debug, Default)]
pub(super) struct Translated {
    /// The values, under the names that were asked where those are known.
    pub(super) values: Vec<ParameterValue>,
    /// How the device called what stands under another name here.
    pub(super) told_as: HashMap<ParamPath, ParamPath>,
}

/// Gives the values of an answer the names under which they were asked. A value
/// that could answer two questions answers the one in its place.
pub(super) fn translate(asked: &[ParamPath], values: Vec<ParameterValue>) -> Translated {
    let by_alias: Vec<(usize, &ParamPath)> =
        asked.iter().enumerate().filter(|(_, name)| name.has_alias()).collect();
    let compares = |value: &ParameterValue| !by_alias.is_empty() || value.name.has_alias();
    if !values.iter().any(compares) {
        return Translated { values, told_as: HashMap::new() };
    }
    let names: HashSet<&str> = asked.iter().map(ParamPath::as_str).collect();
    let all: Vec<(usize, &ParamPath)> = asked.iter().enumerate().collect();
    let same_length = asked.len() == values.len();
    let mut out = Translated::default();
    let mut answered: HashSet<ParamPath> = HashSet::new();
    for (position, mut value) in values.into_iter().enumerate() {
        if position < MAX_COMPARED && !names.contains(value.name.as_str()) {
            let questions = if value.name.has_alias() { &all } else { &by_alias };
            let fits = |(_, name): &&(usize, &ParamPath)| renamed(name, &value.name).is_some();
            let in_place =
                questions.iter().filter(fits).find(|(at, _)| same_length && *at == position);
            let mut open = questions
                .iter()
                .filter(fits)
                .filter(|(_, name)| name.is_object() || !answered.contains(*name));
            let only = open.next().filter(|_| open.next().is_none());
            let name = in_place.or(only).and_then(|(_, name)| renamed(name, &value.name));
            if let Some(name) = name {
                answered.insert(name.clone());
                out.told_as.insert(name.clone(), value.name);
                value.name = name;
            }
        }
        out.values.push(value);
    }
    out
}

/// The name of a value in the words of a question; `None` if it is no answer to
/// it.
fn renamed(question: &ParamPath, told: &ParamPath) -> Option<ParamPath> {
    if !question.is_object() {
        return rows_agree(question.as_str(), told.as_str()).then(|| question.clone());
    }
    let head = same_depth(question.as_str(), told.as_str())?;
    let rest = told.as_str().strip_prefix(head)?;
    rows_agree(question.as_str(), head)
        .then(|| ParamPath::parse(&format!("{question}{rest}")).ok())
        .flatten()
}

/// The beginning of a path that is as deep as an object, with its dot.
pub(super) fn same_depth<'a>(object: &str, path: &'a str) -> Option<&'a str> {
    let depth = object.matches('.').count();
    let (dot, _) = path.match_indices('.').nth(depth.checked_sub(1)?)?;
    path.get(..=dot)
}

/// Takes note of a value that a device told under another name than was asked:
/// under its own name, by number where either side has it, and of which alias
/// the row is seen to have.
pub(super) fn learn(asked: &ParamPath, told: &ParamPath, value: &Value, context: &mut Context<'_>) {
    context.learn(told, value);
    if !asked.has_alias() {
        context.learn(asked, value);
    }
    let mut row = String::new();
    for (ours, theirs) in asked.as_str().split('.').zip(told.as_str().split('.')) {
        row.push_str(theirs);
        row.push('.');
        let alias = ours.strip_prefix('[').and_then(|alias| alias.strip_suffix(']'));
        if let Some(alias) = alias.filter(|_| ours != theirs)
            && let Ok(name) = ParamPath::parse(&format!("{row}Alias"))
        {
            context.learn(&name, &Value::string(alias));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ParamPath {
        ParamPath::parse(text).unwrap()
    }

    fn translated(asked: &[&str], told: &[&str]) -> Vec<String> {
        let asked: Vec<_> = asked.iter().map(|name| path(name)).collect();
        let values = told
            .iter()
            .map(|name| ParameterValue { name: path(name), value: Value::string(*name) })
            .collect();
        let names = translate(&asked, values).values.into_iter();
        names.map(|value| format!("{} <- {}", value.name, value.value.text)).collect()
    }

    #[test]
    fn answers_are_put_in_the_words_of_the_question() {
        for (asked, told, expected) in [
            (&["D.T.[a].X"][..], &["D.T.3.X"][..], &["D.T.[a].X <- D.T.3.X"][..]),
            (&["D.T.3.X"], &["D.T.[cpe-3].X"], &["D.T.3.X <- D.T.[cpe-3].X"]),
            (
                &["D.T.[a].X", "D.T.[b].X"],
                &["D.T.9.X", "D.T.2.X"],
                &["D.T.[a].X <- D.T.9.X", "D.T.[b].X <- D.T.2.X"],
            ),
            (
                &["D.T.[a]."],
                &["D.T.3.X", "D.T.3.S.1.Y"],
                &["D.T.[a].X <- D.T.3.X", "D.T.[a].S.1.Y <- D.T.3.S.1.Y"],
            ),
            // Nobody can say which of the two it is.
            (&["D.T.[a].X", "D.T.[b].X"], &["D.T.9.X"], &["D.T.9.X <- D.T.9.X"]),
            (&["D.T.[a].X"], &["D.T.[b].X"], &["D.T.[b].X <- D.T.[b].X"]),
            (&["D.T.1.X"], &["D.T.2.X"], &["D.T.2.X <- D.T.2.X"]),
            (&["D.T.1.X", "D.U"], &["D.U"], &["D.U <- D.U"]),
        ] {
            assert_eq!(translated(asked, told), expected, "{asked:?}");
        }
    }
}
