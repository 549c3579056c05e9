//! One piece of news.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::NewsKind;
use crate::device::DeviceId;
use crate::time::Timestamp;

/// Something that happened, as it is handed to the store; the store numbers it.
///
/// Nothing in it is secret: values that are were masked when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewsDraft {
    /// When.
    pub at: Timestamp,
    /// What kind it is.
    pub kind: NewsKind,
    /// The device it is about, if it is about one.
    pub device: Option<DeviceId>,
    /// Whose it is; empty for nobody's.
    pub tenant: Box<str>,
    /// The site where it happened; may be empty.
    pub site: Box<str>,
    /// What happened, in words.
    pub text: Box<str>,
    /// What there is besides for programs: `task`, `outcome`, `campaign`, `from`.
    pub details: BTreeMap<Box<str>, Box<str>>,
}

/// A piece of news with its number, which is the event's id in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Its number, rising.
    pub number: u64,
    /// What it says.
    pub draft: NewsDraft,
}
