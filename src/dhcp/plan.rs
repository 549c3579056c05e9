//! Which phones and devices get which options.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::{dnsmasq, isc, kea};
use crate::class::Class;
use crate::phone::{Mac, Vendor};
use crate::provision::family;

/// The longest value of one option.
const MAX_VALUE: usize = 255;

/// Whose configuration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// dnsmasq.
    Dnsmasq,
    /// Kea, version 2.2 and later.
    Kea,
    /// ISC dhcpd, version 4.
    Isc,
}

/// What a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// The address block.
    Oui([u8; 3]),
    /// Option 60 begins so.
    ClassPrefix(&'static str),
    /// Option 60 has this in it.
    ClassHas(&'static str),
}

/// What an option is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(u8, String),
    /// Encapsulated sub-options of option 43.
    Vendor(Vec<(u8, String)>),
    /// Sub-options of the DSL Forum in option 125.
    DslForum(Vec<(u8, String)>),
}

/// Options for one phone, or for all that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Lower-case letters, digits and hyphens.
    pub name: String,
    /// Any of these; empty in the rule of one phone.
    pub matches: Vec<Match>,
    /// What they get.
    pub values: Vec<Value>,
}

/// What devices under TR-069 are told (TR-069 §3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcsOption {
    /// The URL of the ACS.
    pub url: String,
    /// The provisioning code; left out if empty.
    pub provisioning_code: String,
}

/// Which phones and devices get which options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Phones that are known, by address. They win over the groups.
    pub phones: Vec<(Mac, Rule)>,
    /// Phones that are told by their vendor.
    pub groups: Vec<Rule>,
    /// Devices under TR-069, besides.
    pub devices: Option<Rule>,
}

/// Why a plan cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No DHCP server is called so.
    #[error("write configuration for dnsmasq, kea or isc")]
    Dialect,
    /// A value does not fit into an option.
    #[error("{0}: an option holds at most {MAX_VALUE} bytes")]
    TooLong(String),
    /// A value has characters that a configuration cannot hold.
    #[error("{0}: only printable ASCII without quotes and backslashes can be written")]
    Characters(String),
    /// The option's number is taken or out of range.
    #[error("option {0} cannot carry a provisioning URL; use 66, 43, or 128 to 254")]
    Number(u8),
}

impl PlanError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }
}

impl FromStr for Dialect {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        match text {
            "dnsmasq" => Ok(Self::Dnsmasq),
            "kea" => Ok(Self::Kea),
            "isc" => Ok(Self::Isc),
            _ => Err(PlanError::Dialect),
        }
    }
}

impl Plan {
    /// Adds a known phone, which is told `address` in its vendor's way. `option`
    /// is the one that Fanvil phones look at; 66 as they leave the factory.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn phone(
        &mut self,
        mac: Mac,
        vendor: Vendor,
        address: &str,
        option: u8,
    ) -> Result<(), PlanError> {
        let values = values(vendor, address, option)?;
        let rule = Rule { name: format!("phone-{mac}"), matches: Vec::new(), values };
        self.phones.push((mac, rule));
        Ok(())
    }

    /// Adds all phones of a vendor that are not known one by one.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn vendor(&mut self, vendor: Vendor, address: &str, option: u8) -> Result<(), PlanError> {
        let mut matches: Vec<Match> =
            family(vendor).ouis().iter().copied().map(Match::Oui).collect();
        if vendor == Vendor::Digium {
            matches.push(Match::ClassPrefix("digium_"));
        }
        if matches.is_empty() {
            return Ok(());
        }
        let values = values(vendor, address, option)?;
        self.groups.push(Rule { name: vendor.word().to_owned(), matches, values });
        Ok(())
    }

    /// Says where devices under TR-069 find their ACS: in option 43, and for
    /// those that look there in option 125 (TR-069 §3.1).
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn acs(&mut self, acs: &AcsOption) -> Result<(), PlanError> {
        let told = |first: u8| {
            let code = Some((first + 1, acs.provisioning_code.clone()));
            let code = code.filter(|(_, code)| !code.is_empty());
            std::iter::once((first, acs.url.clone())).chain(code).collect::<Vec<_>>()
        };
        let values = vec![Value::Vendor(told(1)), Value::DslForum(told(11))];
        values.iter().try_for_each(check)?;
        let matches = vec![Match::ClassHas("dslforum.org")];
        self.devices = Some(Rule { name: "cwmp".to_owned(), matches, values });
        Ok(())
    }

    /// The codes of all texts of which `which` holds.
    pub(super) fn codes(&self, which: impl Fn(u8) -> bool) -> BTreeSet<u8> {
        let phones = self.phones.iter().map(|(_, rule)| rule);
        let values = phones.chain(&self.groups).chain(&self.devices).flat_map(|rule| &rule.values);
        let code = |value: &Value| match value {
            Value::Text(code, _) => Some(*code),
            Value::Vendor(_) | Value::DslForum(_) => None,
        };
        values.filter_map(code).filter(|code| which(*code)).collect()
    }

    /// The configuration, as a part to be included: options, classes and
    /// reservations, no subnets and no pools.
    pub fn write(&self, dialect: Dialect) -> String {
        match dialect {
            Dialect::Dnsmasq => dnsmasq::write(self),
            Dialect::Kea => kea::write(self),
            Dialect::Isc => isc::write(self),
        }
    }
}

/// How a vendor's phones are told an address.
fn values(vendor: Vendor, address: &str, option: u8) -> Result<Vec<Value>, PlanError> {
    let text = |code| Value::Text(code, address.to_owned());
    let values = match vendor {
        Vendor::Fanvil => match option {
            43 | 66 | 128..=254 => vec![text(option)],
            other => return Err(PlanError::Number(other)),
        },
        Vendor::Digium => vec![text(66)],
        Vendor::AudioCodes => vec![text(160)],
        // snom and Yealink take the URL in 66, and in 43 where a server
        // answers their vendor class.
        Vendor::AstLinux => vec![text(66), Value::Vendor(vec![(66, address.to_owned())])],
    };
    values.iter().try_for_each(check)?;
    Ok(values)
}

fn check(value: &Value) -> Result<(), PlanError> {
    let texts: Vec<&String> = match value {
        Value::Text(_, text) => vec![text],
        Value::Vendor(list) | Value::DslForum(list) => list.iter().map(|(_, text)| text).collect(),
    };
    let encapsulated = !matches!(value, Value::Text(..));
    // The enterprise number and its length, then code and length of each.
    let length: usize = texts.iter().map(|text| text.len() + 2 * usize::from(encapsulated)).sum();
    let first = || texts.first().map(|text| text.chars().take(64).collect()).unwrap_or_default();
    if length + 5 > MAX_VALUE {
        return Err(PlanError::TooLong(first()));
    }
    let sound = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '\'');
    match texts.iter().find(|text| text.is_empty() || !text.chars().all(sound)) {
        Some(text) => Err(PlanError::Characters(text.chars().take(64).collect())),
        None => Ok(()),
    }
}

/// `0c:38:3e:07:e1:6c`.
pub(super) fn colons(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

/// Sub-options as their bytes.
pub(super) fn encapsulate(list: &[(u8, String)]) -> Vec<u8> {
    let one = |(code, text): &(u8, String)| {
        let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
        [&[*code, length], text.as_bytes()].concat()
    };
    list.iter().flat_map(one).collect()
}

#[cfg(test)]
mod tests;
