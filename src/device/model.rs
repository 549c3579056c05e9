//! What a model of device can take, with one firmware.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Device, Learned};

/// A model with one firmware: what lessons are learned for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ModelKey {
    /// The OUI, upper case.
    pub oui: Box<str>,
    /// The product class; may be empty.
    pub product_class: Box<str>,
    /// The software version; may be empty.
    pub software_version: Box<str>,
}

impl ModelKey {
    /// The model that a device is of, with the firmware that it runs.
    pub fn of(device: &Device) -> Self {
        Self {
            oui: device.identity.oui.clone(),
            product_class: device.identity.product_class.clone(),
            software_version: device.software_version.clone(),
        }
    }
}

/// `OUI/ProductClass/SoftwareVersion`; `/` and `%` inside a part are
/// percent-encoded, so that no two models share a text.
impl fmt::Display for ModelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |text: &str| text.replace('%', "%25").replace('/', "%2F");
        write!(
            f,
            "{}/{}/{}",
            part(&self.oui),
            part(&self.product_class),
            part(&self.software_version)
        )
    }
}

/// What was learned of a model. Only the device's door writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRecord {
    /// The model.
    pub key: ModelKey,
    /// What its devices can take.
    pub learned: Learned,
}

/// What an operator says of a model: it goes before what was learned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelWishes {
    /// The model.
    pub key: ModelKey,
    /// Raised by one with each change; a change on an old revision is refused.
    pub revision: u32,
    /// Read batch, if it is to be another than learned.
    pub read_batch: Option<u16>,
    /// Write batch, if it is to be another than learned.
    pub write_batch: Option<u16>,
}
