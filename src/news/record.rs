//! One piece of news.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::NewsKind;
use crate::device::DeviceId;
use crate::time::Timestamp;

/// The most values that stand in one piece of news.
pub const MAX_VALUES: usize = 20;

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
    /// The first values that changed, at most [`MAX_VALUES`].
    pub values: Vec<NewsValue>,
}

/// A value that changed, as others are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NewsValue {
    /// The parameter, or a row with its last dot.
    pub path: Box<str>,
    /// What it was; null if it was not there or not known, `***` for a secret.
    pub before: Option<Box<str>>,
    /// What it is; null if it is gone, `***` for a secret.
    pub after: Option<Box<str>>,
    /// Who did it: `device`, `task`, `server`, `bootstrap` or `firmware`.
    pub cause: Box<str>,
}

/// A piece of news with its number, which is the event's id in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Its number, rising.
    pub number: u64,
    /// What it says.
    pub draft: NewsDraft,
}

impl NewsDraft {
    /// News without anything but its kind, its time and what it says.
    pub fn new(at: Timestamp, kind: NewsKind, text: impl Into<Box<str>>) -> Self {
        Self {
            at,
            kind,
            device: None,
            tenant: "".into(),
            site: "".into(),
            text: text.into(),
            details: BTreeMap::new(),
            values: Vec::new(),
        }
    }

    /// The same about a device.
    #[must_use]
    pub fn about(mut self, device: &DeviceId) -> Self {
        self.device = Some(device.clone());
        self
    }

    /// The same with a detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Box<str>>) -> Self {
        self.details.insert(name.into(), value.into());
        self
    }
}
