//! The names of settings: a small grammar over the elements of the vendor's XML.
//!
//! ```text
//! time_zone                              <setting id="time_zone" value=…/>
//! network_vlan_id@1                      … network_id="1"
//! setting-attr/logo_file/md5             a further attribute of that setting
//! network/1/cidr                         <network id="1" cidr=…/>
//! firmware/D65@1/version                 <firmwares network_id="1"><firmware model="D65" version=…/>
//! public_firmware/D65/1/url              <public_firmware model="D65" url=…/>, tried in this order
//! account/0/dial_plan                    <account index="0" dial_plan=…/>
//! account/0/host_alternate/server        <host_alternate server=…/> in it
//! account/0/permission/record_own_calls  <permission id="record_own_calls" value=…/> in it
//! contacts/sales@1/url                   <contacts id="sales" network_id="1" url=…/>
//! codec/PCMU/priority, tone/T/url, alert/answer/ringtone_id,
//! multicastpage/1/address, appconfig/A/…, smart_blf/1/url
//! ```
//!
//! `allow_dpma` and `contacts_form` are words to Provost and stand in no file.

use crate::provision::RenderError;

/// The longest word of a name, in bytes.
const LONGEST: usize = 64;
/// Attributes that the place of a setting decides.
const PLACED: [&str; 5] = ["id", "index", "model", "network_id", "value"];

/// What a setting's name means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name<'a> {
    /// A `<setting>`.
    Setting {
        /// Its ID.
        id: &'a str,
        /// The network that it is for; all if `None`.
        network: Option<u16>,
    },
    /// A further attribute of a `<setting>`.
    Attribute {
        /// The ID of the setting.
        id: &'a str,
        /// The network that the setting is for.
        network: Option<u16>,
        /// The attribute.
        attribute: &'a str,
    },
    /// An attribute of a `<network>`.
    Network {
        /// Its ID.
        id: u16,
        /// `display_name` or `cidr`.
        attribute: &'a str,
    },
    /// An attribute of a `<firmware>`.
    Firmware {
        /// The model.
        model: &'a str,
        /// The network that it is for.
        network: Option<u16>,
        /// `version` or `url`.
        attribute: &'a str,
    },
    /// An attribute of a `<public_firmware>`.
    PublicFirmware {
        /// The model.
        model: &'a str,
        /// Its place among those of the model.
        place: u16,
        /// `version` or `url`.
        attribute: &'a str,
    },
    /// Something of an `<account>`.
    Account {
        /// Its index, from 0.
        index: u8,
        /// Where in it.
        part: Part<'a>,
    },
    /// An attribute of an element of one of the lists.
    Item {
        /// The list.
        list: List,
        /// The ID.
        id: &'a str,
        /// The network that it is for.
        network: Option<u16>,
        /// The attribute.
        attribute: &'a str,
    },
    /// A word to Provost.
    Choice(Choice),
}

/// Where in an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part<'a> {
    /// An attribute of the account itself.
    Itself(&'a str),
    /// An attribute of `<host_primary>`.
    Primary(&'a str),
    /// An attribute of `<host_alternate>`.
    Alternate(&'a str),
    /// The value of a `<permission>`.
    Permission(&'a str),
}

/// Lists whose elements have an ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// `<contacts>`.
    Contacts,
    /// `<codec>`.
    Codec,
    /// `<tone>`.
    Tone,
    /// `<alert>`; its ID is `alert_info`.
    Alert,
    /// `<multicastpage>`.
    MulticastPage,
    /// `<appconfig>`.
    AppConfig,
    /// `<blf_items>`.
    SmartBlf,
}

/// A word to Provost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    /// `allow_dpma`: the one `sip:proxy@…` that phones may be sent to.
    AllowDpma,
    /// `contacts_form`: `actions` or, for older firmware, `numbers`.
    ContactsForm,
}

impl<'a> Name<'a> {
    /// Reads a name.
    ///
    /// # Errors
    /// [`RenderError::SettingName`].
    pub fn parse(name: &'a str) -> Result<Self, RenderError> {
        Self::read(name).ok_or_else(|| RenderError::SettingName {
            name: name.chars().take(LONGEST).collect(),
            wanted: "write an ID as time_zone or time_zone@1, or a path as network/1/cidr; docs/DIGIUM.md lists them",
        })
    }

    fn read(name: &'a str) -> Option<Self> {
        if name.len() > 256 {
            return None;
        }
        let parts: Vec<&str> = name.split('/').collect();
        match *parts.as_slice() {
            ["allow_dpma"] => Some(Self::Choice(Choice::AllowDpma)),
            ["contacts_form"] => Some(Self::Choice(Choice::ContactsForm)),
            [plain] => {
                let (id, network) = with_network(plain)?;
                Some(Self::Setting { id: setting_id(id)?, network })
            }
            ["setting-attr", plain, attribute] => {
                let (id, network) = with_network(plain)?;
                let (id, attribute) = (setting_id(id)?, its_attribute(attribute)?);
                Some(Self::Attribute { id, network, attribute })
            }
            ["network", id, attribute @ ("display_name" | "cidr")] => {
                Some(Self::Network { id: number(id)?, attribute })
            }
            ["firmware", model, attribute @ ("version" | "url")] => {
                let (model, network) = with_network(model)?;
                Some(Self::Firmware { model: its_model(model)?, network, attribute })
            }
            ["public_firmware", model, place, attribute @ ("version" | "url")] => {
                let (model, place) = (its_model(model)?, number(place)?);
                Some(Self::PublicFirmware { model, place, attribute })
            }
            ["account", index, ref rest @ ..] => {
                let part = match *rest {
                    ["host_primary" | "host_alternate" | "permission"] => return None,
                    [attribute] => Part::Itself(its_attribute(attribute)?),
                    ["host_primary", attribute] => Part::Primary(its_attribute(attribute)?),
                    ["host_alternate", attribute] => Part::Alternate(its_attribute(attribute)?),
                    ["permission", id] => Part::Permission(setting_id(id)?),
                    _ => return None,
                };
                let index: u8 = index.parse().ok().filter(|_| canonical(index))?;
                Some(Self::Account { index, part })
            }
            [list, id, attribute] => {
                let list = List::named(list)?;
                let (id, network) = with_network(id)?;
                let (id, attribute) = (item_id(id)?, its_attribute(attribute)?);
                (network.is_none() || list == List::Contacts).then_some(Self::Item {
                    list,
                    id,
                    network,
                    attribute,
                })
            }
            _ => None,
        }
    }

    /// The network that it is for.
    pub const fn network(&self) -> Option<u16> {
        match self {
            Self::Setting { network, .. }
            | Self::Attribute { network, .. }
            | Self::Firmware { network, .. }
            | Self::Item { network, .. } => *network,
            _ => None,
        }
    }

    /// The last word, which says what kind of value it is: an ID or an attribute.
    pub const fn word(&self) -> &'a str {
        match self {
            Self::Setting { id, .. } => id,
            Self::Attribute { attribute, .. }
            | Self::Network { attribute, .. }
            | Self::Firmware { attribute, .. }
            | Self::PublicFirmware { attribute, .. }
            | Self::Item { attribute, .. } => attribute,
            Self::Account { part, .. } => match part {
                Part::Itself(word)
                | Part::Primary(word)
                | Part::Alternate(word)
                | Part::Permission(word) => word,
            },
            Self::Choice(_) => "",
        }
    }
}

impl List {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "contacts" => Self::Contacts,
            "codec" => Self::Codec,
            "tone" => Self::Tone,
            "alert" => Self::Alert,
            "multicastpage" => Self::MulticastPage,
            "appconfig" => Self::AppConfig,
            "smart_blf" => Self::SmartBlf,
            _ => return None,
        })
    }
}

/// A word and the network behind its `@`.
fn with_network(word: &str) -> Option<(&str, Option<u16>)> {
    match word.split_once('@') {
        None => Some((word, None)),
        Some((word, network)) => Some((word, Some(number(network)?))),
    }
}

/// A number as it is written shortest, so that one thing has one name.
fn canonical(text: &str) -> bool {
    text == "0" || text.starts_with(|c: char| matches!(c, '1'..='9'))
}

fn number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|number| *number > 0 && canonical(text))
}

fn setting_id(id: &str) -> Option<&str> {
    let sound = (1..=LONGEST).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    sound.then_some(id)
}

fn its_attribute(word: &str) -> Option<&str> {
    let sound = (1..=LONGEST).contains(&word.len())
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !PLACED.contains(&word);
    sound.then_some(word)
}

fn its_model(word: &str) -> Option<&str> {
    let sound = (2..=16).contains(&word.len())
        && word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    sound.then_some(word)
}

fn item_id(word: &str) -> Option<&str> {
    let sound = (1..=LONGEST).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b" _.+-".contains(&b))
        && word.trim() == word;
    sound.then_some(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_read() {
        let read = |name: &'static str| Name::parse(name).unwrap();
        assert_eq!(read("time_zone"), Name::Setting { id: "time_zone", network: None });
        assert_eq!(read("8021x_mode@3"), Name::Setting { id: "8021x_mode", network: Some(3) });
        assert_eq!(
            read("setting-attr/logo_file@1/md5"),
            Name::Attribute { id: "logo_file", network: Some(1), attribute: "md5" }
        );
        assert_eq!(read("network/1/cidr"), Name::Network { id: 1, attribute: "cidr" });
        assert_eq!(
            read("firmware/D65@1/url"),
            Name::Firmware { model: "D65", network: Some(1), attribute: "url" }
        );
        assert_eq!(
            read("public_firmware/P330/2/version"),
            Name::PublicFirmware { model: "P330", place: 2, attribute: "version" }
        );
        let account = |part| Name::Account { index: 0, part };
        assert_eq!(read("account/0/dial_plan"), account(Part::Itself("dial_plan")));
        assert_eq!(read("account/0/host_primary/port"), account(Part::Primary("port")));
        assert_eq!(read("account/0/host_alternate/server"), account(Part::Alternate("server")));
        assert_eq!(read("account/0/permission/x"), account(Part::Permission("x")));
        let item = |list, id, network, attribute| Name::Item { list, id, network, attribute };
        assert_eq!(read("contacts/sales@2/url"), item(List::Contacts, "sales", Some(2), "url"));
        assert_eq!(read("codec/G726-32/priority"), item(List::Codec, "G726-32", None, "priority"));
        assert_eq!(read("allow_dpma"), Name::Choice(Choice::AllowDpma));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in [
            "",
            "Time_zone",
            "time zone",
            "time_zone@",
            "time_zone@0",
            "time_zone@01",
            "time_zone@x",
            "network/0/cidr",
            "network/1/mask",
            "network/1",
            "firmware/d65/url",
            "firmware/D65/sha256",
            "account/256/x",
            "account/00/x",
            "account/0",
            "account/0/index",
            "account/0/host_primary",
            "account/0/host_third/server",
            "account/0/a b",
            "account/0/x\" y=\"1",
            "codec/PCMU@1/priority",
            "codec/PC<MU/priority",
            "no_such/1/x",
            "setting-attr/logo_file/value",
            "setting-attr/logo_file/1x",
            "a/b",
            "a/b/c/d/e",
            &"x".repeat(300),
        ] {
            assert!(Name::parse(name).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(name in "(?s).{0,60}") {
            let _ = Name::parse(&name);
        }

        /// What passes can stand in XML as it is.
        #[test]
        fn words_that_pass_are_xml_names(word in "[ -~]{1,12}") {
            if Name::parse(&format!("account/0/{word}")).is_ok() {
                prop_assert!(word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
            }
        }
    }
}
