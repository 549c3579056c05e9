//! Filters.

use std::sync::Arc;

use super::Field;
use crate::class::Class;
use crate::expr::Rule;
use crate::param::Extent;
use crate::schema::Schema;
use crate::time::Timestamp;

/// How deep conditions may stand in each other.
pub const MAX_DEPTH: usize = 32;

/// How many conditions one filter may have.
pub const MAX_CONDITIONS: usize = 256;

/// How many values one filter may name.
pub const MAX_VALUES: usize = 2000;

/// The longest text to compare with, in bytes.
pub const MAX_TEXT: usize = 4096;

/// The longest regular expression, in bytes.
pub const MAX_PATTERN: usize = 1024;

/// How large a regular expression may be once it is compiled, in bytes.
const MAX_COMPILED: usize = 256 * 1024;

/// Which devices are meant.
#[derive(Clone, Debug)]
pub enum Filter {
    /// All of them.
    All,
    /// Those that fit every one.
    And(Vec<Self>),
    /// Those that fit any.
    Or(Vec<Self>),
    /// Those that do not fit.
    Not(Box<Self>),
    /// Those of which something is so. A field with several values (tags, MAC
    /// addresses) fits if one of them does; a field that is unknown, or an empty
    /// text in anything but a parameter, fits none but `Exists(false)`.
    Is(Field, Test),
    /// Those that a rule matches (CEL). A device of which it cannot be told is not
    /// matched. Secrets of the subscriber are not there for it.
    Rule(Arc<Rule>),
}

/// What is asked of a value.
#[derive(Clone, Debug)]
pub enum Test {
    /// It is this.
    Equals(Value),
    /// It is one of these.
    In(Vec<Value>),
    /// It comes before.
    Less(Value),
    /// It comes before or is this.
    AtMost(Value),
    /// It comes behind.
    Greater(Value),
    /// It comes behind or is this.
    AtLeast(Value),
    /// It begins so, in any case.
    Begins(Box<str>),
    /// It holds this part, in any case.
    Contains(Box<str>),
    /// A regular expression is found in it; runs in linear time. Make it by
    /// [`Test::matches`], which bounds its size.
    Matches(regex::Regex),
    /// Whether it is known at all.
    Exists(bool),
}

/// A value to compare with. Texts are compared as texts, or as numbers, truths or
/// times where the field is one; numbers and times with texts that are such.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text.
    Text(Box<str>),
    /// A number; of a time, milliseconds since 1970.
    Number(f64),
    /// A truth.
    Boolean(bool),
    /// A time.
    Time(Timestamp),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

/// Why a filter cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(pub String);

impl FilterError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }
}

impl Test {
    /// A test by a regular expression, in any case if that is wanted.
    ///
    /// # Errors
    /// [`FilterError`] when it cannot be read, or is too large.
    pub fn matches(pattern: &str, any_case: bool) -> Result<Self, FilterError> {
        if pattern.len() > MAX_PATTERN {
            return Err(FilterError(format!("a pattern has at most {MAX_PATTERN} bytes")));
        }
        let built = regex::RegexBuilder::new(pattern)
            .case_insensitive(any_case)
            .size_limit(MAX_COMPILED)
            .dfa_size_limit(MAX_COMPILED)
            .nest_limit(32)
            .build();
        built.map(Self::Matches).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                FilterError("a pattern is too large; write fewer or smaller repetitions".to_owned())
            }
            error => {
                // Only the last line of it says what is wrong.
                let told = error.to_string();
                let told = told.lines().last().unwrap_or_default().trim_start_matches("error: ");
                FilterError(format!("a pattern cannot be read: {told}"))
            }
        })
    }

    /// The values that it names.
    fn values(&self) -> &[Value] {
        match self {
            Self::Equals(value)
            | Self::Less(value)
            | Self::AtMost(value)
            | Self::Greater(value)
            | Self::AtLeast(value) => std::slice::from_ref(value),
            Self::In(values) => values,
            Self::Begins(_) | Self::Contains(_) | Self::Matches(_) | Self::Exists(_) => &[],
        }
    }
}

/// What a filter costs.
#[derive(Debug, Default)]
struct Cost {
    conditions: usize,
    values: usize,
}

impl Filter {
    /// A condition.
    pub fn equals(field: Field, value: impl Into<Value>) -> Self {
        Self::Is(field, Test::Equals(value.into()))
    }

    /// Whether it may be asked: it is bounded, and asks for no secret. Every search
    /// sees to that itself.
    ///
    /// # Errors
    /// [`FilterError`] with what is wrong.
    pub fn check(&self) -> Result<(), FilterError> {
        self.check_at(0, &mut Cost::default())
    }

    fn check_at(&self, depth: usize, cost: &mut Cost) -> Result<(), FilterError> {
        cost.conditions += 1;
        if depth > MAX_DEPTH {
            return Err(FilterError(format!(
                "conditions stand in each other more than {MAX_DEPTH} times"
            )));
        }
        if cost.conditions > MAX_CONDITIONS {
            return Err(FilterError(format!("a filter has at most {MAX_CONDITIONS} conditions")));
        }
        match self {
            Self::All => Ok(()),
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().try_for_each(|part| part.check_at(depth + 1, cost))
            }
            Self::Not(part) => part.check_at(depth + 1, cost),
            Self::Is(field, test) => {
                check_field(field)?;
                check_test(test, cost)
            }
            Self::Rule(rule) => {
                let secret = rule.reads().iter().find(|path| Schema::core().is_secret(path));
                secret.map_or(Ok(()), |path| Err(of_secret(path.as_str())))
            }
        }
    }

    /// Whether the parameters have to be loaded to answer it.
    pub fn needs_tree(&self) -> bool {
        match self {
            Self::All => false,
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::needs_tree),
            Self::Not(part) => part.needs_tree(),
            Self::Is(field, _) => field.needs_tree(),
            Self::Rule(rule) => rule.needs_tree(),
        }
    }

    /// Which parameters have to be loaded to answer it.
    pub(super) fn parameters(&self) -> Extent {
        match self {
            Self::All => Extent::Nothing,
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().fold(Extent::Nothing, |all, part| all.with(&part.parameters()))
            }
            Self::Not(part) => part.parameters(),
            Self::Is(field, _) => field.parameters(),
            Self::Rule(rule) => Extent::of(rule.reads()),
        }
    }

    /// Whether the labels have to be loaded to answer it.
    pub fn needs_labels(&self) -> bool {
        match self {
            Self::All => false,
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::needs_labels),
            Self::Not(part) => part.needs_labels(),
            Self::Is(field, _) => field.needs_labels(),
            Self::Rule(_) => true,
        }
    }

    /// Whether the phone has to be loaded to answer it.
    pub fn needs_phone(&self) -> bool {
        match self {
            Self::All | Self::Is(..) => false,
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::needs_phone),
            Self::Not(part) => part.needs_phone(),
            Self::Rule(rule) => rule.needs_phone(),
        }
    }
}

fn of_secret(path: &str) -> FilterError {
    FilterError(format!("{path} is a secret; nobody finds one by guessing"))
}

/// Refuses fields that hold secrets.
pub(super) fn check_field(field: &Field) -> Result<(), FilterError> {
    match field {
        Field::Parameter(path) if Schema::core().is_secret(path) => Err(of_secret(path.as_str())),
        Field::Subscriber(Some(name)) if crate::device::is_secret_field(name) => {
            Err(of_secret(&format!("subscriber.{name}")))
        }
        _ => Ok(()),
    }
}

fn check_test(test: &Test, cost: &mut Cost) -> Result<(), FilterError> {
    let values = test.values();
    cost.values += values.len();
    if cost.values > MAX_VALUES {
        return Err(FilterError(format!("a filter names at most {MAX_VALUES} values")));
    }
    let longest = match test {
        Test::Begins(text) | Test::Contains(text) => text.len(),
        Test::Matches(pattern) => pattern.as_str().len(),
        _ => {
            let texts = values.iter().map(|value| match value {
                Value::Text(text) => text.len(),
                _ => 0,
            });
            texts.max().unwrap_or(0)
        }
    };
    if longest > MAX_TEXT {
        return Err(FilterError(format!("a text to compare with has at most {MAX_TEXT} bytes")));
    }
    Ok(())
}
