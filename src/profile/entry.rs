//! TOML and JSON in one shape, with the lines of TOML.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::definition::MAX_PROFILE;

/// A value with the line on which it stands, from 1; 0 if nobody knows.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) form: Form,
}

/// What it is.
#[derive(Debug)]
pub(super) enum Form {
    Null,
    Bool(bool),
    Whole(i64),
    Decimal(f64),
    Text(String),
    Time(String),
    List(Vec<Entry>),
    Map(Vec<(Key, Entry)>),
}

/// The name of a member.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) line: usize,
    pub(super) name: String,
}

impl Form {
    /// What it is, as an error tells it.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Whole(_) => "a whole number",
            Self::Decimal(_) => "a decimal number",
            Self::Text(_) => "a text",
            Self::Time(_) => "a time",
            Self::List(_) => "a list",
            Self::Map(_) => "a table",
        }
    }
}

impl Entry {
    /// Reads TOML.
    ///
    /// # Errors
    /// What is wrong, in one line that begins with the number of the line.
    pub(super) fn of_toml(text: &str) -> Result<Self, String> {
        check_length(text)?;
        let lines = Lines::of(text);
        let table = DeTable::parse(text).map_err(|error| {
            let line = error.span().map_or(0, |span| lines.at(span.start));
            let message = error.message().lines().next().unwrap_or_default().to_owned();
            at_line(line, &message)
        })?;
        table_of(table.into_inner(), 1, &lines)
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// What is wrong, in one line.
    pub(super) fn of_json(text: &str) -> Result<Self, String> {
        check_length(text)?;
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}

/// A problem with the line on which it stands, if it is known.
pub(super) fn at_line(line: usize, problem: &str) -> String {
    if line == 0 { problem.to_owned() } else { format!("line {line}: {problem}") }
}

fn check_length(text: &str) -> Result<(), String> {
    if text.len() > MAX_PROFILE {
        return Err(format!("a profile has at most {MAX_PROFILE} bytes"));
    }
    Ok(())
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset) + 1
    }
}

fn table_of(table: DeTable<'_>, line: usize, lines: &Lines) -> Result<Entry, String> {
    let mut members = Vec::with_capacity(table.len());
    for (key, value) in table {
        let line = lines.at(key.span().start);
        let key = Key { line, name: key.into_inner().into_owned() };
        members.push((key, value_of(value, lines)?));
    }
    // The parser sorts by name; people read from the top.
    members.sort_by_key(|(key, _)| key.line);
    Ok(Entry { line, form: Form::Map(members) })
}

fn value_of(value: Spanned<DeValue<'_>>, lines: &Lines) -> Result<Entry, String> {
    let line = lines.at(value.span().start);
    let form = match value.into_inner() {
        DeValue::String(text) => Form::Text(text.into_owned()),
        DeValue::Integer(number) => {
            let text = number.as_str().replace('_', "");
            let read = i64::from_str_radix(&text, number.radix());
            Form::Whole(read.map_err(|_| at_line(line, "the number is too large"))?)
        }
        DeValue::Float(number) => {
            let read = number.as_str().replace('_', "").parse();
            Form::Decimal(read.map_err(|_| at_line(line, "this is no number"))?)
        }
        DeValue::Boolean(truth) => Form::Bool(truth),
        DeValue::Datetime(time) => Form::Time(time.to_string()),
        DeValue::Array(array) => {
            let members: Result<_, _> =
                array.into_iter().map(|member| value_of(member, lines)).collect();
            Form::List(members?)
        }
        DeValue::Table(table) => return table_of(table, line, lines),
    };
    Ok(Entry { line, form })
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(|form| Self { line: 0, form })
    }
}

/// Takes whatever stands there; a name that stands twice is refused.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Form;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Form, E> {
        Ok(Form::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Form, E> {
        Ok(Form::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Form, E> {
        Ok(Form::Whole(number))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Form, E> {
        i64::try_from(number).map(Form::Whole).map_err(|_| E::custom("the number is too large"))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Form, E> {
        Ok(Form::Decimal(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Form, E> {
        Ok(Form::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Form, E> {
        Ok(Form::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Form, A::Error> {
        let mut list = Vec::new();
        while let Some(member) = members.next_element()? {
            list.push(member);
        }
        Ok(Form::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Form, A::Error> {
        let mut map: Vec<(Key, Entry)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        while let Some((name, entry)) = members.next_entry::<String, Entry>()? {
            if !names.insert(name.clone()) {
                return Err(serde::de::Error::custom(format!("`{name}` stands twice")));
            }
            map.push((Key { line: 0, name }, entry));
        }
        Ok(Form::Map(map))
    }
}
