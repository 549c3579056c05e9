//! What can be asked of a device.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::device::is_secret_field;
use crate::expr::Subject;
use crate::param::{Extent, ParamPath, Value, is_match, is_wildcard};
use crate::phone::Mac;
use crate::term;
use crate::time::Timestamp;

/// Something that is known of a device. Texts are compared in any case, but ids
/// and values of parameters, which are what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// Its id, letter by letter.
    Id,
    /// Its manufacturer's name.
    Manufacturer,
    /// Its OUI.
    Oui,
    /// Its product class, which operators call the model.
    ProductClass,
    /// Its serial number.
    SerialNumber,
    /// Its software version.
    SoftwareVersion,
    /// Its hardware version.
    HardwareVersion,
    /// Its provisioning code.
    ProvisioningCode,
    /// The root object of its data model.
    Root,
    /// The address from which it last informed.
    Address,
    /// Any address by which people know it: that from which it last informed, and
    /// the external ones of its connections, as read from the device.
    Ip,
    /// A MAC address of one of its interfaces, or in its serial number.
    Mac,
    /// The user name of a PPP connection, as read from the device or as known of
    /// the subscriber.
    Login,
    /// A tag.
    Tag,
    /// Its tenant.
    Tenant,
    /// Its site.
    Site,
    /// A field of the subscriber, or any of them; secret ones are never asked.
    Subscriber(Option<Box<str>>),
    /// When it last informed.
    LastInform,
    /// When it was first seen.
    FirstSeen,
    /// When it last booted.
    LastBoot,
    /// When it last said `0 BOOTSTRAP`.
    LastBootstrap,
    /// How many parameters are known.
    ParameterCount,
    /// The value of a parameter; `*` stands for any row. An object, with its last
    /// dot, has no value and yet may exist.
    Parameter(ParamPath),
    /// Any of the texts that people search by, but those in the parameters: id,
    /// serial number, manufacturer, product class, software version, address, tags,
    /// site, and what is known of the subscriber.
    Any,
}

/// One value of a field.
#[derive(Clone, Debug)]
pub(super) enum Known<'a> {
    /// A text that is what it is.
    Exact(&'a str),
    /// A text in any case.
    Text(&'a str),
    /// A MAC address.
    Mac(Mac),
    /// An address.
    Address(IpAddr),
    /// A number.
    Number(u64),
    /// A time.
    Time(Timestamp),
    /// A parameter's value.
    Value(&'a Value),
    /// It is there, and has no value that could be compared.
    Unspoken,
}

impl<'a> Known<'a> {
    /// The value as a text.
    pub(super) fn text(&self) -> Option<Cow<'a, str>> {
        Some(match self {
            Self::Exact(text) | Self::Text(text) => Cow::Borrowed(*text),
            Self::Value(value) => Cow::Borrowed(&*value.text),
            Self::Mac(mac) => Cow::Owned(mac.to_string()),
            Self::Address(address) => Cow::Owned(address.to_canonical().to_string()),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Time(at) => Cow::Owned(at.to_string()),
            Self::Unspoken => return None,
        })
    }
}

/// What looks at the values of a field; true to see no more of them.
pub(super) type Look<'l, 'a> = &'l mut dyn FnMut(Known<'a>) -> bool;

impl Field {
    /// Whether the parameters have to be loaded to answer it.
    pub const fn needs_tree(&self) -> bool {
        matches!(self, Self::Ip | Self::Mac | Self::Login | Self::Parameter(_))
    }

    /// Which parameters have to be loaded to answer it.
    pub(super) fn parameters(&self) -> Extent {
        match self {
            Self::Parameter(path) => Extent::of([path]),
            field if field.needs_tree() => Extent::Whole,
            _ => Extent::Nothing,
        }
    }

    /// Whether the labels have to be loaded to answer it.
    pub const fn needs_labels(&self) -> bool {
        matches!(
            self,
            Self::Login | Self::Tag | Self::Tenant | Self::Site | Self::Subscriber(_) | Self::Any
        )
    }

    /// Whether a device has at most one value of it.
    pub(super) fn is_single(&self) -> bool {
        match self {
            Self::Ip | Self::Mac | Self::Login | Self::Tag | Self::Any => false,
            Self::Subscriber(name) => name.is_some(),
            Self::Parameter(path) => !is_wildcard(path.as_str()),
            _ => true,
        }
    }

    /// Shows the values that a device has of it, one by one. True if one was what
    /// was looked for.
    pub(super) fn look<'a>(&self, subject: &Subject<'a>, found: Look<'_, 'a>) -> bool {
        let device = subject.device;
        let identity = &device.identity;
        let mut text = |text: &'a str| !text.is_empty() && found(Known::Text(text));
        match self {
            Self::Id => found(Known::Exact(device.id.as_str())),
            Self::Manufacturer => text(&identity.manufacturer),
            Self::Oui => text(&identity.oui),
            Self::ProductClass => text(&identity.product_class),
            Self::SerialNumber => text(&identity.serial_number),
            Self::SoftwareVersion => text(&device.software_version),
            Self::HardwareVersion => text(&device.hardware_version),
            Self::ProvisioningCode => text(&device.provisioning_code),
            Self::Root => text(&device.root),
            Self::Tenant => text(&subject.labels.tenant),
            Self::Site => text(&subject.labels.site),
            Self::Tag => subject.labels.tags.iter().any(|tag| text(tag)),
            Self::Subscriber(name) => look_subscriber(subject, name.as_deref(), &mut text),
            Self::Address => device.address.is_some_and(|address| found(Known::Address(address))),
            Self::Ip => {
                device.address.is_some_and(|address| found(Known::Address(address)))
                    || subject.tree.is_some_and(|tree| {
                        let mut told = term::addresses_of(tree).into_iter();
                        told.any(|address| found(Known::Address(address)))
                    })
            }
            Self::Mac => {
                term::serial_mac(&identity.serial_number).is_some_and(|mac| found(Known::Mac(mac)))
                    || subject.tree.is_some_and(|tree| {
                        term::macs_of(tree).into_iter().any(|mac| found(Known::Mac(mac)))
                    })
            }
            Self::Login => look_logins(subject, &mut text),
            Self::LastInform => found(Known::Time(device.last_inform)),
            Self::FirstSeen => found(Known::Time(device.first_seen)),
            Self::LastBoot => device.last_boot.is_some_and(|at| found(Known::Time(at))),
            Self::LastBootstrap => device.last_bootstrap.is_some_and(|at| found(Known::Time(at))),
            Self::ParameterCount => found(Known::Number(device.parameter_count.into())),
            Self::Parameter(path) => look_parameter(path, subject, found),
            Self::Any => look_any(subject, found),
        }
    }
}

fn look_subscriber<'a>(
    subject: &Subject<'a>,
    name: Option<&str>,
    text: &mut dyn FnMut(&'a str) -> bool,
) -> bool {
    let labels = subject.labels;
    labels.subscriber.iter().any(|(field, value)| {
        name.is_none_or(|name| *name == **field) && !is_secret_field(field) && text(value)
    })
}

fn look_logins<'a>(subject: &Subject<'a>, text: &mut dyn FnMut(&'a str) -> bool) -> bool {
    let labels = subject.labels;
    let known = labels.subscriber.iter();
    let mut known = known.filter(|(name, _)| term::is_login_field(name));
    known.any(|(_, value)| text(value))
        || subject.tree.is_some_and(|tree| term::logins_of(tree).into_iter().any(&mut *text))
}

fn look_any<'a>(subject: &Subject<'a>, found: Look<'_, 'a>) -> bool {
    [
        Field::Id,
        Field::SerialNumber,
        Field::Manufacturer,
        Field::ProductClass,
        Field::SoftwareVersion,
        Field::Address,
        Field::Tag,
        Field::Site,
        Field::Subscriber(None),
    ]
    .into_iter()
    .any(|field| field.look(subject, found))
}

fn look_parameter<'a>(path: &ParamPath, subject: &Subject<'a>, found: Look<'_, 'a>) -> bool {
    let Some(tree) = subject.tree else { return false };
    let mut known = |value: Option<&'a Value>| match value {
        // A URL may hold a user and a password, which nobody finds by guessing.
        Some(value) if holds_credentials(&value.text) => found(Known::Unspoken),
        Some(value) => found(Known::Value(value)),
        None => found(Known::Unspoken),
    };
    let text = path.as_str();
    if is_wildcard(text) {
        let fixed = text.split("*").next().unwrap_or_default();
        let mut below = tree.under(fixed);
        return below.any(|(name, param)| {
            is_match(text, name.as_str())
                && name.is_object() == path.is_object()
                && known(param.value.as_ref())
        });
    }
    if path.is_object() {
        return tree.under(text).next().is_some() && known(None);
    }
    tree.get(text).is_some_and(|param| known(param.value.as_ref()))
}

/// Whether a value is a URL with a user in it.
pub(super) fn holds_credentials(text: &str) -> bool {
    text.split_once("://").is_some_and(|(_, rest)| rest.contains('@'))
}
