//! What a value may be: type, ranges, lengths, words, patterns, lists (TR-106
//! §3.2, Annex A).

use std::fmt;
use std::str::FromStr;

use super::field::{LineError, escape, join, split, unescape};
use crate::param::ValueType;

/// The types that the standard knows, by name.
const KINDS: [(&str, ValueType); 10] = [
    ("string", ValueType::String),
    ("int", ValueType::Int),
    ("unsignedInt", ValueType::UnsignedInt),
    ("long", ValueType::Long),
    ("unsignedLong", ValueType::UnsignedLong),
    ("boolean", ValueType::Boolean),
    ("dateTime", ValueType::DateTime),
    ("base64", ValueType::Base64),
    ("hexBinary", ValueType::HexBinary),
    ("decimal", ValueType::Decimal),
];

static OTHER: ValueType = ValueType::String;

/// The type of a name that the standard knows.
pub(in crate::schema) fn basic_kind(name: &str) -> Option<&'static ValueType> {
    static TABLE: [(&str, ValueType); 10] = KINDS;
    TABLE.iter().find(|(known, _)| *known == name).map(|(_, kind)| kind)
}

/// The same, and a string for any other.
pub(super) fn kind_named(name: &str) -> &'static ValueType {
    basic_kind(name).unwrap_or(&OTHER)
}

/// Whole numbers from one to another, both included, in steps.
///
/// Of decimals only the whole part of a bound is kept, and it is widened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberRange {
    /// The least; none if there is no bound.
    pub least: Option<i128>,
    /// The greatest; none if there is no bound.
    pub greatest: Option<i128>,
    /// Only each so manieth, counted from the least; 1 for all.
    pub step: u32,
}

impl NumberRange {
    /// Whether a number is in it.
    pub fn holds(&self, number: i128) -> bool {
        let step = i128::from(self.step.max(1));
        self.least.is_none_or(|least| number >= least)
            && self.greatest.is_none_or(|greatest| number <= greatest)
            && (step == 1 || number.saturating_sub(self.least.unwrap_or(0)) % step == 0)
    }
}

impl fmt::Display for NumberRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.greatest) {
            (Some(least), Some(greatest)) if least == greatest => write!(f, "{least}")?,
            (least, greatest) => {
                if let Some(least) = least {
                    write!(f, "{least}")?;
                }
                f.write_str("..")?;
                if let Some(greatest) = greatest {
                    write!(f, "{greatest}")?;
                }
            }
        }
        if self.step > 1 { write!(f, "/{}", self.step) } else { Ok(()) }
    }
}

impl FromStr for NumberRange {
    type Err = LineError;

    fn from_str(text: &str) -> Result<Self, LineError> {
        let bad = || LineError::bad("range", text);
        let (bounds, step) = match text.split_once('/') {
            Some((bounds, step)) => {
                (bounds, step.parse().ok().filter(|step| *step > 1).ok_or_else(bad)?)
            }
            None => (text, 1),
        };
        let bound = |text: &str| {
            if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| bad()) }
        };
        let (least, greatest) = match bounds.split_once("..") {
            Some((least, greatest)) => (bound(least)?, bound(greatest)?),
            None => {
                let only = bounds.parse().map_err(|_| bad())?;
                (Some(only), Some(only))
            }
        };
        match (least, greatest) {
            (Some(least), Some(greatest)) if least > greatest => Err(bad()),
            _ => Ok(Self { least, greatest, step }),
        }
    }
}

/// A length from one to another, both included: characters of a string, bytes
/// of what is binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthRange {
    /// The least.
    pub least: u32,
    /// The greatest; none if there is no bound.
    pub greatest: Option<u32>,
}

impl LengthRange {
    /// Whether a length is in it.
    pub fn holds(&self, length: usize) -> bool {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        length >= self.least && self.greatest.is_none_or(|greatest| length <= greatest)
    }
}

impl fmt::Display for LengthRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.greatest) {
            (least, Some(greatest)) if least == greatest => write!(f, "{least}"),
            (0, Some(greatest)) => write!(f, "..{greatest}"),
            (least, Some(greatest)) => write!(f, "{least}..{greatest}"),
            (least, None) => write!(f, "{least}.."),
        }
    }
}

impl FromStr for LengthRange {
    type Err = LineError;

    fn from_str(text: &str) -> Result<Self, LineError> {
        let bad = || LineError::bad("length", text);
        let number = |text: &str| text.parse::<u32>().map_err(|_| bad());
        let (least, greatest) = match text.split_once("..") {
            Some(("", greatest)) => (0, Some(number(greatest)?)),
            Some((least, "")) => (number(least)?, None),
            Some((least, greatest)) => (number(least)?, Some(number(greatest)?)),
            None => (number(text)?, Some(number(text)?)),
        };
        if greatest.is_some_and(|greatest| least > greatest) {
            return Err(bad());
        }
        Ok(Self { least, greatest })
    }
}

/// What holds for a list, whose items are parted by commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRule {
    /// How many items it has.
    pub items: LengthRange,
    /// How long the list is as a whole; several are alternatives.
    pub lengths: Vec<LengthRange>,
    /// Lists stand inside of it, in brackets.
    pub nested: bool,
}

/// What the device may make of a wish to be notified (TR-106 §3.7.1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifyRule {
    /// It may refuse to notify actively.
    CanDeny,
    /// It always notifies actively.
    ForceEnabled,
    /// It notifies actively unless it is told otherwise.
    ForceDefaultEnabled,
}

impl NotifyRule {
    /// All of them with their names.
    const NAMES: [(Self, &'static str); 3] = [
        (Self::CanDeny, "canDeny"),
        (Self::ForceEnabled, "forceEnabled"),
        (Self::ForceDefaultEnabled, "forceDefaultEnabled"),
    ];

    /// Its name in TR-106.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(one, _)| *one == self).map_or("", |(_, name)| name)
    }

    /// The rule of a name.
    pub(in crate::schema) fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(one, _)| *one)
    }
}

/// What a value may be.
///
/// Several ranges, lengths, or patterns are alternatives. All but the rule of
/// the list is about the items, where it is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Syntax {
    /// `string`, `unsignedInt`, or the name of a type that the model explains:
    /// `MACAddress`.
    pub type_name: Box<str>,
    /// It is a list of such.
    pub list: Option<ListRule>,
    /// The ranges of a number.
    pub ranges: Vec<NumberRange>,
    /// The lengths of a text.
    pub lengths: Vec<LengthRange>,
    /// The words that can be written; none if there is no such list.
    pub words: Vec<Box<str>>,
    /// The words that only the device sets.
    pub device_words: Vec<Box<str>>,
    /// The parameter that lists the words, as the model names it.
    pub words_of: Option<Box<str>>,
    /// Patterns in the language of XML Schema.
    pub patterns: Vec<Box<str>>,
    /// It names a row or parameter below one of these objects.
    pub refers_to: Vec<Box<str>>,
    /// It names one; of what, is not said.
    pub is_reference: bool,
    /// The unit of a number.
    pub unit: Option<Box<str>>,
}

impl Syntax {
    /// The same with what its type says where it says nothing itself. Words add
    /// up.
    #[must_use]
    pub(in crate::schema) fn over(mut self, of_type: &Self) -> Self {
        fn fill<T: Clone>(own: &mut Vec<T>, other: &[T]) {
            if own.is_empty() {
                *own = other.to_vec();
            }
        }
        self.list = self.list.or_else(|| of_type.list.clone());
        fill(&mut self.ranges, &of_type.ranges);
        fill(&mut self.lengths, &of_type.lengths);
        fill(&mut self.patterns, &of_type.patterns);
        fill(&mut self.refers_to, &of_type.refers_to);
        self.is_reference |= of_type.is_reference;
        let known =
            |word: &str| self.words.iter().chain(&self.device_words).any(|own| **own == *word);
        let (words, device_words): (Vec<_>, Vec<_>) = (
            of_type.words.iter().filter(|word| !known(word)).cloned().collect(),
            of_type.device_words.iter().filter(|word| !known(word)).cloned().collect(),
        );
        self.words.splice(0..0, words);
        self.device_words.splice(0..0, device_words);
        self.words_of = self.words_of.or_else(|| of_type.words_of.clone());
        self.unit = self.unit.or_else(|| of_type.unit.clone());
        self
    }

    /// Takes a fact of a line, if it is about the syntax.
    pub(in crate::schema) fn take(&mut self, name: &str, text: &str) -> Result<bool, LineError> {
        match name {
            "list" => {
                let items = if text.is_empty() { "0.." } else { text };
                let list = self.list.get_or_insert_with(no_rule);
                list.items = items.parse()?;
            }
            "list-length" => {
                self.list.get_or_insert_with(no_rule).lengths = alternatives(text)?;
            }
            "nested" => self.list.get_or_insert_with(no_rule).nested = true,
            "range" => self.ranges = alternatives(text)?,
            "length" => self.lengths = alternatives(text)?,
            "words" => self.words = split(text),
            "device-words" => self.device_words = split(text),
            "words-of" => self.words_of = Some(unescape(text)),
            "pattern" => self.patterns = split(text),
            "reference" => {
                self.is_reference = true;
                self.refers_to = if text.is_empty() { Vec::new() } else { split(text) };
            }
            "unit" => self.unit = Some(unescape(text)),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Adds its facts to a line.
    pub(super) fn write(&self, line: &mut String) {
        let mut fact = |name: &str, text: &str| {
            line.push('\t');
            line.push_str(name);
            if !text.is_empty() {
                line.push('=');
                line.push_str(text);
            }
        };
        if let Some(list) = &self.list {
            let any = LengthRange { least: 0, greatest: None };
            let items = if list.items == any { String::new() } else { list.items.to_string() };
            fact("list", &items);
            if !list.lengths.is_empty() {
                fact("list-length", &among(&list.lengths));
            }
            if list.nested {
                fact("nested", "");
            }
        }
        if !self.ranges.is_empty() {
            fact("range", &among(&self.ranges));
        }
        if !self.lengths.is_empty() {
            fact("length", &among(&self.lengths));
        }
        let listed = [
            ("words", &self.words),
            ("device-words", &self.device_words),
            ("pattern", &self.patterns),
        ];
        for (name, words) in listed {
            if !words.is_empty() {
                fact(name, &join(words));
            }
        }
        if let Some(other) = &self.words_of {
            fact("words-of", &escape(other));
        }
        if self.is_reference {
            fact("reference", &join(&self.refers_to));
        }
        if let Some(unit) = &self.unit {
            fact("unit", &escape(unit));
        }
    }
}

const fn no_rule() -> ListRule {
    ListRule { items: LengthRange { least: 0, greatest: None }, lengths: Vec::new(), nested: false }
}

fn alternatives<T: FromStr<Err = LineError>>(text: &str) -> Result<Vec<T>, LineError> {
    text.split('|').map(str::parse).collect()
}

/// Alternatives as they stand in a line and in words for people.
pub(in crate::schema) fn among<T: fmt::Display>(alternatives: &[T]) -> String {
    alternatives.iter().map(T::to_string).collect::<Vec<_>>().join("|")
}
