//! What a template can do with a value. Each is bounded, so that no template
//! makes much of little; the ready-made ones of the template machine are not,
//! and stay out.

use std::borrow::Cow;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value, tests};

use super::operate::bucket;
use super::template::MAX_OUTPUT;
use crate::phone::Mac;

/// The most letters that `pad` fills up to.
const MAX_PAD: usize = 256;

type Text = Result<String, Error>;

/// Adds all of them.
pub(super) fn add_all(machine: &mut Environment<'static>) {
    machine.add_filter("upper", |value: Value| Ok::<_, Error>(text(&value)?.to_uppercase()));
    machine.add_filter("lower", |value: Value| Ok::<_, Error>(text(&value)?.to_lowercase()));
    machine.add_filter("trim", |value: Value| Ok::<_, Error>(text(&value)?.trim().to_owned()));
    machine.add_filter("first", first);
    machine.add_filter("last", last);
    machine.add_filter("replace", replace);
    machine.add_filter("pad", pad);
    machine.add_filter("join", join);
    machine.add_filter("length", length);
    machine.add_filter("int", int);
    machine.add_filter("times", times);
    machine.add_filter("default", default);
    machine.add_filter("spread", spread);
    machine.add_filter("mac", mac);
    machine.add_filter("mac_add", mac_add);
    machine.add_test("defined", tests::is_defined);
    machine.add_test("undefined", tests::is_undefined);
    machine.add_test("string", tests::is_string);
    machine.add_test("number", tests::is_number);
    machine.add_test("startingwith", tests::is_startingwith);
    machine.add_test("endingwith", tests::is_endingwith);
}

/// The names of the filters, for errors.
pub(super) const NAMES: &[&str] = &[
    "upper", "lower", "trim", "first", "last", "replace", "pad", "join", "length", "int", "times",
    "default", "spread", "mac", "mac_add",
];

fn wrong(problem: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, problem)
}

/// A value as text.
fn text(value: &Value) -> Result<Cow<'_, str>, Error> {
    if let Some(text) = value.as_str() {
        return Ok(Cow::Borrowed(text));
    }
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Bool => Ok(Cow::Borrowed(if value.is_true() { "true" } else { "false" })),
        ValueKind::Number => Ok(Cow::Owned(value.to_string())),
        _ => Err(wrong("a filter takes a text or a number")),
    }
}

fn bounded(text: String) -> Text {
    if text.len() > MAX_OUTPUT {
        return Err(wrong(format!("more than {MAX_OUTPUT} bytes come out")));
    }
    Ok(text)
}

fn first(value: Value, count: Option<u32>) -> Text {
    let text = text(&value)?;
    Ok(text.chars().take(count.unwrap_or(1) as usize).collect())
}

fn last(value: Value, count: Option<u32>) -> Text {
    let text = text(&value)?;
    let count = count.unwrap_or(1) as usize;
    let skipped = text.chars().count().saturating_sub(count);
    Ok(text.chars().skip(skipped).collect())
}

fn replace(value: Value, from: Cow<'_, str>, to: Cow<'_, str>) -> Text {
    let text = text(&value)?;
    if from.is_empty() {
        return Err(wrong("replace() takes what is to be replaced, and by what"));
    }
    let longest = text.len() + text.matches(&*from).count() * to.len();
    if longest > MAX_OUTPUT * 2 {
        return Err(wrong(format!("more than {MAX_OUTPUT} bytes come out")));
    }
    bounded(text.replace(&*from, &to))
}

fn pad(value: Value, width: u32, with: Option<char>) -> Text {
    let text = text(&value)?;
    let missing = (width as usize).min(MAX_PAD).saturating_sub(text.chars().count());
    let mut padded: String = std::iter::repeat_n(with.unwrap_or('0'), missing).collect();
    padded.push_str(&text);
    Ok(padded)
}

fn join(value: Value, between: Option<Cow<'_, str>>) -> Text {
    let between = between.unwrap_or(Cow::Borrowed(","));
    let mut joined = String::new();
    for (place, member) in value.try_iter()?.enumerate() {
        if place > 0 {
            joined.push_str(&between);
        }
        joined.push_str(&text(&member)?);
        joined = bounded(joined)?;
    }
    Ok(joined)
}

fn length(value: Value) -> Result<usize, Error> {
    match value.as_str() {
        Some(text) => Ok(text.chars().count()),
        None => value.len().ok_or_else(|| wrong("length() takes a text or a list")),
    }
}

fn int(value: Value) -> Result<i64, Error> {
    text(&value)?.trim().parse().map_err(|_| wrong("int() finds no whole number"))
}

fn times(value: Value, by: i64) -> Result<i64, Error> {
    int(value)?.checked_mul(by).ok_or_else(|| wrong("times() makes too large a number"))
}

fn default(value: Value, instead: Value, rest: Rest<Value>, _named: Kwargs) -> Value {
    let also_empty = rest.first().is_some_and(Value::is_true);
    if value.is_undefined() || value.is_none() || (also_empty && !value.is_true()) {
        instead
    } else {
        value
    }
}

/// A number below `count` that stays the same for the same text: what spreads
/// devices over a time.
fn spread(value: Value, count: u32, seed: Option<Cow<'_, str>>) -> Result<u32, Error> {
    if count == 0 {
        return Err(wrong("spread() takes how many numbers there are: spread(3600)"));
    }
    Ok(bucket(seed.as_deref().unwrap_or_default(), &text(&value)?, count))
}

fn mac_of(value: &Value) -> Result<[u8; 6], Error> {
    let text = text(value)?;
    let found: Mac =
        text.trim().parse().map_err(|_| wrong("a hardware address has twelve hex digits"))?;
    Ok(found.bytes())
}

/// Twelve lower-case hex digits, in pairs if something is to stand between.
fn mac(value: Value, between: Option<Cow<'_, str>>) -> Text {
    let pairs = mac_of(&value)?.map(|byte| format!("{byte:02x}"));
    Ok(pairs.join(between.as_deref().unwrap_or_default()))
}

/// The hardware address so many after this one.
fn mac_add(value: Value, count: i32) -> Text {
    let mut bytes = [0; 8];
    bytes[2..].copy_from_slice(&mac_of(&value)?);
    let sum = u64::from_be_bytes(bytes).wrapping_add_signed(count.into());
    Ok(hex::encode(&sum.to_be_bytes()[2..]))
}
