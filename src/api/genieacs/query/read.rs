//! From the text of a query to a [`Condition`], within bounds.

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::super::node::Node;
use super::Collection;
use super::condition::{Condition, Literal, Test};
use super::expand::{meanings, moment};

/// The longest query, in bytes.
const MAX_QUERY: usize = 64 << 10;

/// Values inside values at most.
const MAX_DEPTH: usize = 16;

/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 1024;

/// Patterns in one query at most.
const MAX_PATTERNS: usize = 64;

/// How much memory one compiled pattern may take, in bytes.
const PATTERN_SIZE: usize = 1 << 20;

/// The longest path, in bytes.
const MAX_PATH: usize = 1200;

/// Why a query is not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in super::super) enum QueryError {
    /// It is no JSON.
    #[error("SyntaxError: {0}")]
    Syntax(String),
    /// It asks for what is not answered.
    #[error("Error: {0}")]
    Refused(String),
}

fn refused<T>(why: impl Into<String>) -> Result<T, QueryError> {
    Err(QueryError::Refused(why.into()))
}

/// Reads a query.
///
/// # Errors
/// [`QueryError`] when it is no JSON, asks for code to be run, or is too large.
pub(in super::super) fn read(text: &str, about: Collection) -> Result<Condition, QueryError> {
    if text.len() > MAX_QUERY {
        return refused(format!("a query has at most {MAX_QUERY} bytes"));
    }
    let value: Value =
        serde_json::from_str(text).map_err(|error| QueryError::Syntax(error.to_string()))?;
    if depth(&value) > MAX_DEPTH {
        return refused(format!("a query has at most {MAX_DEPTH} levels"));
    }
    let Value::Object(members) = value else {
        return refused("a query is an object");
    };
    Reader { about, patterns: 0 }.all(members)
}

/// The path under which a member of a query or a sort order is looked up: that of a
/// parameter's value for the parameter.
pub(in super::super) fn value_path(name: &str, about: Collection) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    let is_own = about != Collection::Devices || last.starts_with('_');
    if is_own { name.to_owned() } else { format!("{name}._value") }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Reads one query.
pub(super) struct Reader {
    about: Collection,
    /// How many patterns there were.
    patterns: usize,
}

impl Reader {
    fn all(&mut self, members: Map<String, Value>) -> Result<Condition, QueryError> {
        let mut all = Vec::with_capacity(members.len());
        for (name, value) in members {
            match name.as_str() {
                "$comment" => {}
                "$and" => all.push(Condition::All(self.list(&name, value)?)),
                "$or" => all.push(Condition::Any(self.list(&name, value)?)),
                "$nor" => {
                    let none = Condition::Any(self.list(&name, value)?);
                    all.push(Condition::Not(Box::new(none)));
                }
                operator if operator.starts_with('$') => return unknown(operator),
                _ => all.push(self.field(&name, value)?),
            }
        }
        Ok(match all.len() {
            1 => all.remove(0),
            _ => Condition::All(all),
        })
    }

    /// The conditions of `$and`, `$or`, `$nor`.
    fn list(&mut self, name: &str, value: Value) -> Result<Vec<Condition>, QueryError> {
        let Value::Array(items) = value else { return refused(format!("{name} takes a list")) };
        if items.is_empty() {
            return refused(format!("{name} takes a list that is not empty"));
        }
        let read = items.into_iter().map(|item| match item {
            Value::Object(members) => self.all(members),
            _ => refused(format!("{name} takes a list of conditions")),
        });
        read.collect()
    }

    fn field(&mut self, name: &str, value: Value) -> Result<Condition, QueryError> {
        if name.is_empty() || name.len() > MAX_PATH || name.contains('\0') {
            return refused("the name of a member is empty or too long");
        }
        let path = value_path(name, self.about);
        match value {
            Value::Object(members) if members.keys().any(|key| key.starts_with('$')) => {
                self.operators(&path, members)
            }
            value => {
                Ok(Condition::Is(path.as_str().into(), Test::In(self.literals(&path, value)?)))
            }
        }
    }

    fn operators(
        &mut self,
        path: &str,
        mut members: Map<String, Value>,
    ) -> Result<Condition, QueryError> {
        let options = members.remove("$options");
        let mut all = Vec::with_capacity(members.len());
        if options.is_some() && !members.contains_key("$regex") {
            return refused("$options goes with $regex");
        }
        for (operator, value) in members {
            let condition = match operator.as_str() {
                "$regex" => self.regex(path, &value, options.as_ref())?,
                _ => self.operator(path, &operator, value)?,
            };
            all.push(condition);
        }
        Ok(match all.len() {
            1 => all.remove(0),
            _ => Condition::All(all),
        })
    }

    fn operator(
        &mut self,
        path: &str,
        operator: &str,
        value: Value,
    ) -> Result<Condition, QueryError> {
        let is = |test| Condition::Is(path.into(), test);
        Ok(match operator {
            "$eq" => is(Test::In(self.literals(path, value)?)),
            "$ne" => Condition::Not(Box::new(is(Test::In(self.literals(path, value)?)))),
            "$in" => is(Test::In(self.listed(path, operator, value)?)),
            "$nin" => Condition::Not(Box::new(is(Test::In(self.listed(path, operator, value)?)))),
            "$lt" => self.compared(path, value, Test::Less)?,
            "$lte" => self.compared(path, value, Test::AtMost)?,
            "$gt" => self.compared(path, value, Test::Greater)?,
            "$gte" => self.compared(path, value, Test::AtLeast)?,
            "$exists" => is(Test::Exists(truth(&value))),
            "$all" => {
                let Value::Array(items) = value else { return refused("$all takes a list") };
                if items.is_empty() {
                    return Ok(Condition::Any(Vec::new()));
                }
                let all =
                    items.into_iter().map(|item| Ok(is(Test::In(self.literals(path, item)?))));
                Condition::All(all.collect::<Result<_, QueryError>>()?)
            }
            "$size" => {
                let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
                let Some(size) = size else { return refused("$size takes a whole number") };
                is(Test::Size(size))
            }
            "$not" => {
                let inner = match value {
                    Value::Object(members) if !members.is_empty() => {
                        self.operators(path, members)?
                    }
                    Value::String(_) if self.about == Collection::Devices => {
                        is(Test::In(self.literals(path, value)?))
                    }
                    _ => return refused("$not takes conditions, as in {\"$not\": {\"$gt\": 5}}"),
                };
                Condition::Not(Box::new(inner))
            }
            _ => return unknown(operator),
        })
    }

    fn regex(
        &mut self,
        path: &str,
        value: &Value,
        options: Option<&Value>,
    ) -> Result<Condition, QueryError> {
        let flags = match options {
            None => "",
            Some(Value::String(flags)) => flags.as_str(),
            Some(_) => return refused("$options takes a text"),
        };
        let Value::String(text) = value else { return refused("$regex takes a text") };
        // Some clients write the slashes of other languages.
        let slashed = text.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
        let (pattern, flags) = match slashed {
            Some((pattern, own)) if own.bytes().all(|flag| b"gimsuy".contains(&flag)) => {
                (pattern, if own.is_empty() { flags } else { own })
            }
            _ => (text.as_str(), flags),
        };
        let pattern = self.pattern(pattern, flags)?;
        Ok(Condition::Is(path.into(), Test::In(vec![Literal::Pattern(pattern)])))
    }

    /// A pattern that runs in linear time.
    pub(super) fn pattern(&mut self, pattern: &str, flags: &str) -> Result<Regex, QueryError> {
        self.patterns += 1;
        if self.patterns > MAX_PATTERNS {
            return refused(format!("a query has at most {MAX_PATTERNS} patterns"));
        }
        if pattern.len() > MAX_PATTERN {
            return refused(format!("a pattern has at most {MAX_PATTERN} bytes"));
        }
        if let Some(flag) = flags.chars().find(|flag| !"gimsuxy".contains(*flag)) {
            return refused(format!("there is no flag {} of patterns", flag.escape_default()));
        }
        let has = |flag| flags.contains(flag);
        let built = RegexBuilder::new(pattern)
            .case_insensitive(has('i'))
            .multi_line(has('m'))
            .dot_matches_new_line(has('s'))
            .ignore_whitespace(has('x'))
            .size_limit(PATTERN_SIZE)
            .dfa_size_limit(PATTERN_SIZE)
            .nest_limit(50)
            .build();
        built.map_err(|error| {
            let line = error.to_string().lines().last().unwrap_or_default().trim().to_owned();
            QueryError::Refused(format!(
                "the pattern cannot be used ({line}); patterns run in linear time, so that there is no looking around and no reference back"
            ))
        })
    }

    fn compared(
        &mut self,
        path: &str,
        value: Value,
        test: fn(Literal) -> Test,
    ) -> Result<Condition, QueryError> {
        let literals = self.literals(path, value)?.into_iter();
        let comparable = literals.filter(|literal| !matches!(literal, Literal::Pattern(_)));
        let any: Vec<_> =
            comparable.map(|literal| Condition::Is(path.into(), test(literal))).collect();
        Ok(Condition::Any(any))
    }

    fn listed(
        &mut self,
        path: &str,
        operator: &str,
        value: Value,
    ) -> Result<Vec<Literal>, QueryError> {
        let Value::Array(items) = value else { return refused(format!("{operator} takes a list")) };
        let mut all = Vec::with_capacity(items.len());
        for item in items {
            all.extend(self.literals(path, item)?);
        }
        Ok(all)
    }

    /// What a value may mean at a path.
    fn literals(&mut self, path: &str, value: Value) -> Result<Vec<Literal>, QueryError> {
        Ok(match value {
            Value::Null => vec![Literal::Null],
            Value::Bool(truth) => vec![Literal::Boolean(truth)],
            Value::Number(number) => number.as_f64().map(Literal::Number).into_iter().collect(),
            Value::String(text) => self.texts(path, &text)?,
            whole => vec![Literal::Whole(Node::from(whole))],
        })
    }

    fn texts(&mut self, path: &str, text: &str) -> Result<Vec<Literal>, QueryError> {
        if self.about == Collection::Devices {
            return meanings(path, text, self);
        }
        let known = match (self.about, path) {
            (Collection::Work, "timestamp" | "expiry") => moment(text).map(Literal::Time),
            (Collection::Work, "retries") => text.trim().parse().ok().map(Literal::Number),
            _ => None,
        };
        Ok(vec![known.unwrap_or_else(|| Literal::Text(text.into()))])
    }
}

/// What MongoDB takes for true.
fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => true,
    }
}

fn unknown<T>(operator: &str) -> Result<T, QueryError> {
    let shown: String = operator.chars().take(40).flat_map(char::escape_default).collect();
    match operator {
        "$where" | "$function" | "$expr" | "$accumulator" => {
            refused(format!("{shown} would run a program; ask with $and, $or, $regex and the like"))
        }
        _ => refused(format!("{shown} is not known")),
    }
}
