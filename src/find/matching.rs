//! Whether a device fits a filter. Pure.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use super::field::{Known, holds_credentials};
use super::{Filter, Test, Value};
use crate::device::{Labels, is_secret_field};
use crate::expr::{Rule, Subject};
use crate::param::{self, Tree, ValueType};
use crate::phone::Mac;
use crate::term::lower;
use crate::time::Timestamp;

impl Filter {
    /// Whether a device fits. What [`Filter::needs_tree`] and the like ask for
    /// must be there.
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::All => true,
            Self::And(parts) => parts.iter().all(|part| part.matches(subject)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(subject)),
            Self::Not(part) => !part.matches(subject),
            Self::Is(field, Test::Exists(wanted)) => field.look(subject, &mut |_| true) == *wanted,
            Self::Is(field, test) => field.look(subject, &mut |known| test.fits(&known)),
            Self::Rule(rule) => rule_matches(rule, subject),
        }
    }
}

/// A rule's answer, without the secrets that it could be made to tell bit by bit.
fn rule_matches(rule: &Rule, subject: &Subject<'_>) -> bool {
    let labels = open_labels(subject.labels);
    let tree = subject.tree.map(|tree| open_tree(tree, rule));
    let subject = Subject { labels: &labels, tree: tree.as_deref(), ..*subject };
    rule.matches(&subject).unwrap_or(false)
}

fn open_labels(labels: &Labels) -> Cow<'_, Labels> {
    if !labels.subscriber.keys().any(|name| is_secret_field(name)) {
        return Cow::Borrowed(labels);
    }
    let mut open = labels.clone();
    open.subscriber.retain(|name, _| !is_secret_field(name));
    Cow::Owned(open)
}

fn open_tree<'a>(tree: &'a Tree, rule: &Rule) -> Cow<'a, Tree> {
    let told = |param: &param::Param| {
        param.value.as_ref().is_some_and(|value| holds_credentials(&value.text))
    };
    let read = || rule.reads().iter().flat_map(|path| tree.under(path.as_str()));
    if !read().any(|(_, param)| told(param)) {
        return Cow::Borrowed(tree);
    }
    let open = read().filter(|(_, param)| !told(param));
    Cow::Owned(Tree::from_entries(open.map(|(path, param)| (path.clone(), param.clone()))))
}

impl Test {
    /// Whether one value is as asked.
    fn fits(&self, known: &Known<'_>) -> bool {
        let order = |value: &Value| compare(known, value);
        match self {
            Self::Equals(value) => order(value) == Some(Ordering::Equal),
            Self::In(values) => values.iter().any(|value| order(value) == Some(Ordering::Equal)),
            Self::Less(value) => order(value) == Some(Ordering::Less),
            Self::AtMost(value) => order(value).is_some_and(Ordering::is_le),
            Self::Greater(value) => order(value) == Some(Ordering::Greater),
            Self::AtLeast(value) => order(value).is_some_and(Ordering::is_ge),
            Self::Begins(part) => known
                .text()
                .is_some_and(|text| lower(&text).starts_with(&lower(&sought(known, part)))),
            Self::Contains(part) => {
                known.text().is_some_and(|text| holds(&text, &sought(known, part)))
            }
            Self::Matches(pattern) => known.text().is_some_and(|text| pattern.is_match(&text)),
            Self::Exists(wanted) => *wanted,
        }
    }
}

/// A part of a text as it is looked for: of a MAC address without what stands
/// between its digits.
fn sought<'a>(known: &Known<'_>, part: &'a str) -> Cow<'a, str> {
    match known {
        Known::Mac(_) => Cow::Owned(
            part.chars().filter(|letter| !matches!(letter, ':' | '-' | '.' | ' ')).collect(),
        ),
        _ => Cow::Borrowed(part),
    }
}

/// Whether a text holds a part, in any case.
fn holds(text: &str, part: &str) -> bool {
    if text.is_ascii() && part.is_ascii() {
        let (text, part) = (text.as_bytes(), part.as_bytes());
        return part.is_empty()
            || text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part));
    }
    lower(text).contains(&lower(part))
}

/// How a value stands to one that it is compared with; `None` if they cannot be
/// compared, and then it is neither the same nor less nor greater.
fn compare(known: &Known<'_>, value: &Value) -> Option<Ordering> {
    match known {
        Known::Exact(text) => match value {
            Value::Text(other) => Some((**text).cmp(other)),
            _ => compare_text(text, value),
        },
        Known::Text(text) => compare_text(text, value),
        Known::Mac(mac) => match value {
            Value::Text(text) => {
                let other: Mac = text.trim().parse().ok()?;
                Some(mac.cmp(&other))
            }
            _ => None,
        },
        Known::Address(address) => compare_address(*address, value),
        Known::Number(number) => compare_number(*number as f64, value),
        Known::Time(at) => compare_time(*at, value),
        Known::Value(known) => compare_parameter(known, value),
        Known::Unspoken => None,
    }
}

/// A text in any case.
fn compare_text(text: &str, value: &Value) -> Option<Ordering> {
    match value {
        Value::Text(other) if text.is_ascii() && other.is_ascii() => {
            let other = other.bytes().map(|byte| byte.to_ascii_lowercase());
            Some(text.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(other))
        }
        Value::Text(other) => Some(lower(text).cmp(&lower(other))),
        _ => compare_other(text, value),
    }
}

/// A text with what is none.
fn compare_other(text: &str, value: &Value) -> Option<Ordering> {
    match value {
        Value::Text(_) => None,
        Value::Number(number) => text.trim().parse::<f64>().ok()?.partial_cmp(number),
        Value::Boolean(truth) => Some(truth_of(text)?.cmp(truth)),
        Value::Time(at) => Some(Timestamp::parse(text)?.cmp(at)),
    }
}

fn compare_address(address: IpAddr, value: &Value) -> Option<Ordering> {
    let Value::Text(text) = value else { return None };
    let other: IpAddr = text.trim().parse().ok()?;
    Some(address.to_canonical().cmp(&other.to_canonical()))
}

fn compare_number(number: f64, value: &Value) -> Option<Ordering> {
    let other = match value {
        Value::Number(other) => *other,
        Value::Text(text) => text.trim().parse().ok()?,
        Value::Boolean(_) | Value::Time(_) => return None,
    };
    number.partial_cmp(&other)
}

fn compare_time(at: Timestamp, value: &Value) -> Option<Ordering> {
    match value {
        Value::Time(other) => Some(at.cmp(other)),
        Value::Text(text) => Some(at.cmp(&Timestamp::parse(text)?)),
        Value::Number(millis) => (at.as_millis() as f64).partial_cmp(millis),
        Value::Boolean(_) => None,
    }
}

/// A parameter's value, by its type; texts letter by letter.
fn compare_parameter(known: &param::Value, value: &Value) -> Option<Ordering> {
    let text = &*known.text;
    let Value::Text(other) = value else {
        return match (&known.kind, value) {
            (ValueType::DateTime, Value::Number(_)) => compare_time(Timestamp::parse(text)?, value),
            _ => compare_other(text, value),
        };
    };
    let as_texts = Some(text.cmp(other));
    match known.kind {
        ValueType::Int | ValueType::UnsignedInt | ValueType::Long | ValueType::UnsignedLong => {
            match (text.trim().parse::<i128>(), other.trim().parse::<i128>()) {
                (Ok(one), Ok(two)) => Some(one.cmp(&two)),
                (Ok(_), Err(_)) => compare_other(text, &Value::Number(other.trim().parse().ok()?)),
                _ => as_texts,
            }
        }
        ValueType::Decimal => match other.trim().parse() {
            Ok(number) => compare_other(text, &Value::Number(number)).or(as_texts),
            Err(_) => as_texts,
        },
        ValueType::Boolean => match truth_of(other) {
            Some(truth) => compare_other(text, &Value::Boolean(truth)).or(as_texts),
            None => as_texts,
        },
        ValueType::DateTime => match (Timestamp::parse(text), Timestamp::parse(other)) {
            (Some(one), Some(two)) => Some(one.cmp(&two)),
            _ => as_texts,
        },
        _ => as_texts,
    }
}

fn truth_of(text: &str) -> Option<bool> {
    let text = text.trim();
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
