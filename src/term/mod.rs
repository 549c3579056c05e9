//! By what devices are searched: the texts that stand for a device in indexes,
//! in the one form in which both the store writes them and searches ask for
//! them.
//!
//! Pure. The store keeps an entry for each [`Term`] of a device; `find` asks for
//! those entries, and looks at each device itself before it believes them. So a
//! term may stand for more devices than are meant, but a device must have every
//! term under which it may be meant. A change of what a device's terms are, or of
//! their form, raises [`FORM`], and all indexes are made anew.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod fold;
mod tree;

pub use fold::{KEPT, fold, lower};
pub use tree::{addresses_of, logins_of, macs_of};

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::device::{Device, Labels, is_secret_field};
use crate::param::Tree;
use crate::phone::Mac;

/// The form of all terms; raised by one with each change of it.
pub const FORM: u8 = 1;

macro_rules! indexes {
    ($($(#[$doc:meta])* $name:ident = $letter:literal;)+) => {
        /// What is indexed. Each is filled from one source, so that what one source
        /// no longer says is not taken from another.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Index {
            $($(#[$doc])* $name,)+
        }

        impl Index {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The letter of its keys.
            pub const fn letter(self) -> u8 {
                match self { $(Self::$name => $letter,)+ }
            }
        }
    };
}

indexes! {
    /// Of the hot record: the serial number.
    Serial = b's';
    /// Of the hot record: the MAC address in the serial number.
    SerialMac = b'm';
    /// Of the hot record: the OUI.
    Oui = b'o';
    /// Of the hot record: the manufacturer.
    Manufacturer = b'n';
    /// Of the hot record: the product class.
    Model = b'p';
    /// Of the hot record: the software version.
    Version = b'v';
    /// Of the hot record: the address from which it last informed.
    Address = b'a';
    /// Of the labels: each tag.
    Tag = b't';
    /// Of the labels: the tenant.
    Tenant = b'c';
    /// Of the labels: the site.
    Site = b'z';
    /// Of the labels: the value of each field of the subscriber that is no secret.
    Subscriber = b'u';
    /// Of the tree: the MAC addresses of its interfaces.
    TreeMac = b'h';
    /// Of the tree: the user names of its PPP connections.
    TreeLogin = b'l';
    /// Of the tree: the external addresses of its connections.
    TreeAddress = b'e';
}

impl Index {
    /// Whether every device has exactly one entry, an empty one if there is
    /// nothing to say: then the index gives an order of all devices.
    pub const fn is_whole(self) -> bool {
        matches!(
            self,
            Self::Serial
                | Self::Oui
                | Self::Manufacturer
                | Self::Model
                | Self::Version
                | Self::Address
        )
    }
}

/// One text under which a device is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term {
    /// In which index.
    pub index: Index,
    /// The text, folded and cut; holds no zero byte.
    pub value: Box<[u8]>,
}

impl Term {
    /// The term for a text.
    pub fn new(index: Index, text: &str) -> Self {
        Self { index, value: fold(text) }
    }

    /// The term for a MAC address.
    pub fn of_mac(index: Index, mac: Mac) -> Self {
        Self::new(index, &mac.to_string())
    }

    /// The term for an address.
    pub fn of_address(index: Index, address: IpAddr) -> Self {
        Self::new(index, &address.to_canonical().to_string())
    }
}

/// The terms of a hot record.
pub fn of_device(device: &Device) -> Vec<Term> {
    let identity = &device.identity;
    let mut terms = vec![
        Term::new(Index::Serial, &identity.serial_number),
        Term::new(Index::Oui, &identity.oui),
        Term::new(Index::Manufacturer, &identity.manufacturer),
        Term::new(Index::Model, &identity.product_class),
        Term::new(Index::Version, &device.software_version),
        device.address.map_or_else(
            || Term::new(Index::Address, ""),
            |address| Term::of_address(Index::Address, address),
        ),
    ];
    terms
        .extend(serial_mac(&identity.serial_number).map(|mac| Term::of_mac(Index::SerialMac, mac)));
    terms
}

/// A number that is another one, but for one chance in four milliards, when the
/// terms of a hot record are others. Never 0. Costs far less than the terms.
pub fn print_of_device(device: &Device) -> u32 {
    let identity = &device.identity;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[FORM]);
    for text in [
        &identity.serial_number,
        &identity.oui,
        &identity.manufacturer,
        &identity.product_class,
        &device.software_version,
    ] {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    match device.address.map(|address| address.to_canonical()) {
        Some(IpAddr::V4(address)) => hasher.update(&address.octets()),
        Some(IpAddr::V6(address)) => hasher.update(&address.octets()),
        None => {}
    }
    hasher.finalize().max(1)
}

/// The terms of labels; of a tenant or a site only where there is one.
pub fn of_labels(labels: &Labels) -> Vec<Term> {
    let mut terms: BTreeSet<Term> =
        labels.tags.iter().map(|tag| Term::new(Index::Tag, tag)).collect();
    for (index, text) in [(Index::Tenant, &labels.tenant), (Index::Site, &labels.site)] {
        if !text.is_empty() {
            terms.insert(Term::new(index, text));
        }
    }
    let open = labels.subscriber.iter().filter(|(name, _)| !is_secret_field(name));
    terms.extend(open.map(|(_, value)| Term::new(Index::Subscriber, value)));
    terms.into_iter().collect()
}

/// The terms of a tree.
pub fn of_tree(tree: &Tree) -> Vec<Term> {
    let told = tree::told(tree);
    let mut terms: BTreeSet<Term> = BTreeSet::new();
    terms.extend(told.macs.iter().map(|mac| Term::of_mac(Index::TreeMac, *mac)));
    terms.extend(told.logins.iter().map(|login| Term::new(Index::TreeLogin, login)));
    terms.extend(told.addresses.iter().map(|ip| Term::of_address(Index::TreeAddress, *ip)));
    terms.into_iter().collect()
}

/// The MAC address in a serial number: all of it, with or without separators, or
/// its last twelve digits.
pub fn serial_mac(serial: &str) -> Option<Mac> {
    serial.parse().ok().or_else(|| Mac::of_serial(serial))
}

/// The fields of a subscriber that hold the user name of a PPP connection.
const LOGIN_FIELDS: [&str; 8] = [
    "login",
    "username",
    "ppp_login",
    "ppp_user",
    "ppp_username",
    "pppoe_login",
    "pppoe_user",
    "pppoe_username",
];

/// Whether a field of the subscriber holds the user name of a PPP connection.
pub fn is_login_field(name: &str) -> bool {
    LOGIN_FIELDS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::DeviceIdentity;

    fn device() -> Device {
        let identity =
            DeviceIdentity::new("Acme", "00D09E", "HG-100", "0C:38:3E:25:99:FE").unwrap();
        let at = crate::time::Timestamp::from_millis(1);
        Device { root: "Device.".into(), software_version: "1".into(), ..Device::new(identity, at) }
    }

    #[test]
    fn letters_are_distinct() {
        let letters: BTreeSet<u8> = Index::ALL.iter().map(|index| index.letter()).collect();
        assert_eq!(letters.len(), Index::ALL.len());
    }

    #[test]
    fn the_print_changes_with_the_terms_and_with_nothing_else() {
        let first = device();
        let mut same = first.clone();
        same.sessions += 1;
        same.last_inform = same.last_inform.after(std::time::Duration::from_secs(300));
        assert_eq!(print_of_device(&first), print_of_device(&same));
        let change: [fn(&mut Device); 6] = [
            |device| device.software_version = "2".into(),
            |device| device.address = Some("192.0.2.1".parse().unwrap()),
            |device| device.identity.serial_number = "1".into(),
            |device| device.identity.oui = "00D09F".into(),
            |device| device.identity.manufacturer = "".into(),
            |device| device.identity.product_class = "HG-101".into(),
        ];
        for change in change {
            let mut other = first.clone();
            change(&mut other);
            assert_ne!(print_of_device(&first), print_of_device(&other));
            assert_ne!(of_device(&first), of_device(&other));
        }
    }

    #[test]
    fn a_device_has_one_entry_in_each_whole_index() {
        let terms = of_device(&device());
        for index in Index::ALL.iter().filter(|index| index.is_whole()) {
            assert_eq!(terms.iter().filter(|term| term.index == *index).count(), 1, "{index:?}");
        }
        assert!(terms.contains(&Term::new(Index::SerialMac, "0c383e2599fe")));
    }

    #[test]
    fn secrets_of_a_subscriber_have_no_terms() {
        let mut labels = Labels::default();
        labels.subscriber.insert("pppoe_password".into(), "hush".into());
        labels.subscriber.insert("pppoe_username".into(), "Anna@ISP".into());
        assert_eq!(of_labels(&labels), [Term::new(Index::Subscriber, "anna@isp")]);
    }
}
