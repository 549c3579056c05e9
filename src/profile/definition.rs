//! What a profile says, after it was read and before it is compiled.

use std::collections::BTreeMap;

use super::Drifting;
use crate::device::{OtherRows, Source};
use crate::param::{ParamPath, ValueType};

/// The longest text of a profile, in bytes.
pub const MAX_PROFILE: usize = 1 << 20;

/// A profile: whom it is about, and what it wants.
///
/// Sound in its form; whether its rule and its expressions can be read was
/// looked at when it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Its name: letters, digits, `-`, `_` and `.`, at most 64.
    pub name: Box<str>,
    /// What it is for; may be empty.
    pub description: Box<str>,
    /// Whether it is in force.
    pub enabled: bool,
    /// Where it stands among others.
    pub layer: Layer,
    /// Its place within the layer: the higher one is stronger.
    pub priority: i32,
    /// The rule (CEL); empty for every device of the layer.
    pub rule: Box<str>,
    /// Values of parameters.
    pub parameters: BTreeMap<ParamPath, Wish>,
    /// What devices are to notify about.
    pub attributes: BTreeMap<ParamPath, AttributeForm>,
    /// Rows of tables, in the order in which they stand.
    pub tables: Vec<TableForm>,
    /// How old what is known may become, in seconds.
    pub refresh: BTreeMap<ParamPath, u32>,
    /// The firmware to run.
    pub firmware: Option<Firmware>,
    /// Tags, and whether they are to be there.
    pub tags: BTreeMap<Box<str>, bool>,
    /// What becomes of a device that strays; `None` leaves that to others.
    pub drift: Option<Drifting>,
    /// What is wanted without naming a path.
    pub intents: Vec<IntentForm>,
}

/// Where a profile stands among others, from the weakest layer to the strongest.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Every device.
    Global,
    /// The devices of a tenant.
    Tenant(Box<str>),
    /// The devices at a site.
    Site(Box<str>),
    /// The devices of a model.
    Model {
        /// The OUI, upper case.
        oui: Box<str>,
        /// The product class; `None` for all of the OUI.
        product_class: Option<Box<str>>,
    },
    /// Whatever the rule says.
    #[default]
    Profile,
    /// One device, by its id.
    Device(Box<str>),
}

impl Layer {
    /// Its place, from 0.
    pub const fn rank(&self) -> u8 {
        match self {
            Self::Global => 0,
            Self::Tenant(_) => 1,
            Self::Site(_) => 2,
            Self::Model { .. } => 3,
            Self::Profile => 4,
            Self::Device(_) => 5,
        }
    }

    /// The word and name under which it is told; see [`Source::layer`].
    pub fn words(&self) -> String {
        match self {
            Self::Global => "global".to_owned(),
            Self::Tenant(name) => format!("tenant {name}"),
            Self::Site(name) => format!("site {name}"),
            Self::Model { oui, product_class: Some(class) } => format!("model {oui}/{class}"),
            Self::Model { oui, product_class: None } => format!("model {oui}"),
            Self::Profile => "profile".to_owned(),
            Self::Device(_) => "device".to_owned(),
        }
    }
}

/// What a parameter is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Whole(i64),
    /// A text as it stands, whatever brackets are in it.
    Text {
        /// The text.
        text: Box<str>,
        /// Its type, if it is said.
        kind: Option<ValueType>,
    },
    /// An expression.
    Template {
        /// The expression.
        text: Box<str>,
        /// The type of what comes out, if it is said.
        kind: Option<ValueType>,
    },
    /// The path of the row of this name.
    Row(Box<str>),
}

/// What a device is to notify about, and who may write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributeForm {
    /// See [`crate::device::AttributeWish::notification`].
    pub notification: Option<u8>,
    /// See [`crate::device::AttributeWish::access_list`].
    pub access_list: Option<Vec<Box<str>>>,
}

/// Rows of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableForm {
    /// See [`crate::device::WantedTable::table`].
    pub table: Box<str>,
    /// See [`crate::device::WantedTable::keys`].
    pub keys: Vec<Box<str>>,
    /// What becomes of other rows; `None` leaves that to weaker layers.
    pub others: Option<OtherRows>,
    /// The rows.
    pub rows: Vec<RowForm>,
}

/// One row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowForm {
    /// See [`crate::device::WantedRow::name`].
    pub name: Box<str>,
    /// Whether it is to be gone: its values are its keys then, and it has no name.
    pub absent: bool,
    /// Its parameters by their names relative to it.
    pub values: BTreeMap<Box<str>, Wish>,
}

/// The firmware to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Firmware {
    /// `DeviceInfo.SoftwareVersion` that devices are to report.
    pub version: Box<str>,
    /// The SHA-256 or the name of the stored file; may be empty.
    pub file: Box<str>,
}

/// What is wanted without naming a path. Its fields belong to
/// [`crate::intent`]; texts among them may be expressions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntentForm {
    /// All of it, the member `intent` among it.
    pub fields: serde_json::Map<String, serde_json::Value>,
}

impl Profile {
    /// Who wants what this profile says, in a version.
    pub fn source(&self, name: &str, version: u32) -> Source {
        Source { layer: self.layer.words().into(), name: name.into(), version }
    }
}
