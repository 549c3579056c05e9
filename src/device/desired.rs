//! What a device is to be brought to: values, attributes and rows of tables.
//!
//! Profiles, intents, backups and campaigns all end in a [`Desired`]; the
//! planner alone knows how a device gets there.

use serde::{Deserialize, Serialize};

use super::AttributeWish;
use crate::param::{ParamPath, Value};

/// The most values, rows and attributes that one device is brought to at once.
pub const MAX_WANTED: usize = 10_000;

/// A state that a device is to be brought to.
///
/// Paths have the root of the device's own data model. Order has no meaning
/// but among the rows of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// Values of parameters that are there.
    pub values: Vec<WantedValue>,
    /// What the device is to notify about.
    pub attributes: Vec<WantedAttribute>,
    /// Rows of tables.
    pub tables: Vec<WantedTable>,
    /// Who wants it; the other members name them by their place.
    pub sources: Vec<Source>,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedValue {
    /// The parameter. `*` stands for every row that is there, `[name]` for the
    /// row with this alias.
    pub path: ParamPath,
    /// What it is to be. Its type is a hint: what the device reported, and what
    /// its data model says, go before it.
    pub value: Wanted,
    /// Place in [`Desired::sources`].
    pub source: u16,
}

/// What a parameter is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wanted {
    /// This value.
    Value(Value),
    /// The path, without its last dot, of the row that [`WantedRow::name`]
    /// names: for parameters that refer to rows.
    Row(Box<str>),
}

/// What the device is to notify about, and who may write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedAttribute {
    /// The change.
    pub wish: AttributeWish,
    /// Place in [`Desired::sources`].
    pub source: u16,
}

/// Rows of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedTable {
    /// The table with its last dot: `Device.NAT.PortMapping.`. A table inside a
    /// row that is wanted itself begins with `@` and that row's name:
    /// `@lan.IPv4Address.`.
    pub table: Box<str>,
    /// The parameters by which rows are told apart, as the data model's unique
    /// keys do. Empty only if `rows` is empty.
    pub keys: Vec<Box<str>>,
    /// The rows that are wanted; with [`OtherRows::Alone`] those that are to go.
    pub rows: Vec<WantedRow>,
    /// What becomes of rows that do not stand here.
    pub others: OtherRows,
    /// Place in [`Desired::sources`].
    pub source: u16,
}

/// One row of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedRow {
    /// The name by which others refer to it; empty if none does. No part of
    /// what is on the device.
    pub name: Box<str>,
    /// Its parameters by their names relative to it, the keys among them.
    pub values: Vec<(Box<str>, Wanted)>,
}

/// What becomes of the rows of a table that are not listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OtherRows {
    /// They stay.
    #[default]
    Keep,
    /// They are deleted.
    Remove,
    /// They alone stay: the rows that are listed are deleted, all that have these
    /// keys.
    Alone,
}

/// Who wants something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Source {
    /// The layer: `global`, `tenant NAME`, `site NAME`, `model OUI/CLASS`,
    /// `profile`, `device`; or `operator`, `campaign`, `backup` for what is
    /// wanted once.
    pub layer: Box<str>,
    /// The profile's, campaign's or backup's name, or the operator's.
    pub name: Box<str>,
    /// The profile's version; 0 if there are none.
    pub version: u32,
}

impl Desired {
    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.attributes.is_empty() && self.tables.is_empty()
    }

    /// Who wants something, by its place.
    pub fn source(&self, place: u16) -> Option<&Source> {
        self.sources.get(usize::from(place))
    }

    /// The place of a source, which is noted if it is new.
    pub fn place_of(&mut self, source: Source) -> u16 {
        let known = self.sources.iter().position(|known| *known == source);
        let place = known.unwrap_or_else(|| {
            self.sources.push(source);
            self.sources.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }
}
