//! The values that a rule works with, and when two of them are equal.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::param::{Value, ValueType};
use crate::phone::Phone;

/// A value. Texts of the device are borrowed; what a rule makes is shared.
#[derive(Clone, Debug)]
pub(super) enum Val<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(&'a str),
    Made(Rc<str>),
    List(Rc<[Self]>),
    /// The device's tags, as a list.
    Tags(&'a BTreeSet<Box<str>>),
    /// The subscriber, as a map of texts.
    Subscriber(&'a BTreeMap<Box<str>, Box<str>>),
    /// A phone; equal to nothing but another.
    Phone(&'a Phone),
}

impl<'a> Val<'a> {
    /// A text that was made.
    pub(super) fn made(text: impl Into<Rc<str>>) -> Self {
        Self::Made(text.into())
    }

    /// The typed value of a parameter: a boolean, a number, or else a text.
    pub(super) fn of(value: &'a Value) -> Self {
        let text = || Self::Text(&value.text);
        match value.kind {
            ValueType::Boolean => value.as_bool().map_or_else(text, Self::Bool),
            ValueType::Int | ValueType::UnsignedInt | ValueType::Long | ValueType::UnsignedLong => {
                value.text.trim().parse().map_or_else(|_| text(), Self::Int)
            }
            ValueType::Decimal => match value.text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => Self::Double(number),
                _ => text(),
            },
            _ => text(),
        }
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Made(text) => Some(text),
            _ => None,
        }
    }

    /// What it is, as an error tells it.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Double(_) => "a number",
            Self::Text(_) | Self::Made(_) => "a text",
            Self::List(_) | Self::Tags(_) => "a list",
            Self::Subscriber(_) => "the subscriber",
            Self::Phone(_) => "the phone",
        }
    }

    /// How many members a list or the subscriber has; `None` for all else.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Self::List(list) => Some(list.len()),
            Self::Tags(tags) => Some(tags.len()),
            Self::Subscriber(map) => Some(map.len()),
            _ => None,
        }
    }

    /// The members of a list, or the names of the subscriber's.
    pub(super) fn members(&self) -> Option<Members<'_, 'a>> {
        match self {
            Self::List(list) => Some(Members::List(list.iter())),
            Self::Tags(tags) => Some(Members::Tags(tags.iter())),
            Self::Subscriber(map) => Some(Members::Names(map.keys())),
            _ => None,
        }
    }

    /// What it costs to look at it once, in steps.
    pub(super) fn weight(&self) -> u64 {
        let long = |length: usize| 1 + (length as u64) / 32;
        match self {
            Self::Text(text) => long(text.len()),
            Self::Made(text) => long(text.len()),
            Self::List(list) => list.iter().fold(1, |sum, member| sum + member.weight()),
            Self::Tags(tags) => long(tags.len() * 32),
            _ => 1,
        }
    }

    /// Whether both are the same; values of different kinds never are, but
    /// numbers are numbers.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Subscriber(a), Self::Subscriber(b)) => a == b,
            (Self::Phone(a), Self::Phone(b)) => a.mac == b.mac,
            (Self::Int(_) | Self::Double(_), Self::Int(_) | Self::Double(_)) => {
                self.order(other) == Some(Ordering::Equal)
            }
            _ => match (self.text(), other.text()) {
                (Some(a), Some(b)) => a == b,
                (None, None) => self.is_same_list(other),
                _ => false,
            },
        }
    }

    fn is_same_list(&self, other: &Self) -> bool {
        let is_list = |val: &Self| matches!(val, Self::List(_) | Self::Tags(_));
        if !is_list(self) || !is_list(other) || self.len() != other.len() {
            return false;
        }
        match (self.members(), other.members()) {
            (Some(a), Some(b)) => a.zip(b).all(|(a, b)| a.equals(&b)),
            _ => false,
        }
    }

    /// Which comes first; `None` if they cannot be compared.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b),
            (Self::Int(a), Self::Double(b)) => (*a as f64).partial_cmp(b),
            (Self::Double(a), Self::Int(b)) => a.partial_cmp(&(*b as f64)),
            _ => Some(self.text()?.cmp(other.text()?)),
        }
    }
}

/// Walks through a list.
pub(super) enum Members<'v, 'a> {
    List(std::slice::Iter<'v, Val<'a>>),
    Tags(std::collections::btree_set::Iter<'a, Box<str>>),
    Names(std::collections::btree_map::Keys<'a, Box<str>, Box<str>>),
}

impl<'a> Iterator for Members<'_, 'a> {
    type Item = Val<'a>;

    fn next(&mut self) -> Option<Val<'a>> {
        match self {
            Self::List(list) => list.next().cloned(),
            Self::Tags(tags) => tags.next().map(|tag| Val::Text(tag)),
            Self::Names(names) => names.next().map(|name| Val::Text(name)),
        }
    }
}
