//! What can be asked of a device.

use crate::param::ParamPath;

/// Something that is known of a device. Texts are compared in any case where
/// people write them by hand: ids, serial numbers, addresses, tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// Its id.
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
    /// A field of the subscriber, or any of them.
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
    /// The value of a parameter.
    Parameter(ParamPath),
    /// Any of the texts that people search by, a part of it.
    Any,
}
