//! `[[cwmp.identity]]`: who a device is whose own word on it is no good.

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::param::ParamPath;

/// One rule for devices of a kind: those whose serial number is not unique, or
/// whose OUI changes from boot to boot. The first rule that fits counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityRule {
    /// The OUI that devices say, upper case; any if empty.
    #[serde(default)]
    pub oui: String,
    /// The product class that they say; any if empty.
    #[serde(default)]
    pub product_class: String,
    /// The serial number that they say; any if empty. For the ones that are
    /// known to be used twice.
    #[serde(default)]
    pub serial_number: String,
    /// A parameter of the Inform whose value takes the place of the serial
    /// number, below the root object: `DeviceInfo.X_EXAMPLE_MAC`. Devices that
    /// do not tell it keep what they say.
    #[serde(default)]
    pub serial_from: String,
    /// The OUI that counts in place of what they say.
    #[serde(default)]
    pub count_as_oui: String,
    /// Whether the product class is no part of who they are.
    #[serde(default)]
    pub ignore_product_class: bool,
}

impl IdentityRule {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let fail = |key, value: &str, problem| {
            Err(ConfigError::OutOfRange { key, value: value.to_owned(), problem })
        };
        let oui = |text: &str| text.len() == 6 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !self.count_as_oui.is_empty() && !oui(&self.count_as_oui) {
            return fail(
                "cwmp.identity.count_as_oui",
                &self.count_as_oui,
                "an OUI is six hex digits, as in 00D09E",
            );
        }
        if !self.serial_from.is_empty() && ParamPath::parse(&self.serial_from).is_err() {
            return fail(
                "cwmp.identity.serial_from",
                &self.serial_from,
                "a parameter below the root object, as in DeviceInfo.X_EXAMPLE_MAC",
            );
        }
        if self.serial_from.is_empty() && self.count_as_oui.is_empty() && !self.ignore_product_class
        {
            return fail("cwmp.identity", "", "the rule changes nothing");
        }
        Ok(())
    }
}
