//! What rules and templates can name of a device and of a phone: one table for
//! both languages.

use super::value::Val;
use crate::device::Device;
use crate::phone::Phone;

/// A member of `device`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeviceField {
    Id,
    Manufacturer,
    Oui,
    ProductClass,
    Serial,
    SoftwareVersion,
    HardwareVersion,
    ProvisioningCode,
    Root,
    Address,
    FirstSeen,
    LastInform,
    LastBoot,
    LastBootstrap,
    Sessions,
    ParameterCount,
}

impl DeviceField {
    /// All of them by name.
    pub(super) const ALL: &[(&'static str, Self)] = &[
        ("id", Self::Id),
        ("manufacturer", Self::Manufacturer),
        ("oui", Self::Oui),
        ("product_class", Self::ProductClass),
        ("serial", Self::Serial),
        ("software_version", Self::SoftwareVersion),
        ("hardware_version", Self::HardwareVersion),
        ("provisioning_code", Self::ProvisioningCode),
        ("root", Self::Root),
        ("address", Self::Address),
        ("first_seen", Self::FirstSeen),
        ("last_inform", Self::LastInform),
        ("last_boot", Self::LastBoot),
        ("last_bootstrap", Self::LastBootstrap),
        ("sessions", Self::Sessions),
        ("parameter_count", Self::ParameterCount),
    ];

    /// The one of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
    }

    /// What a device has there. Times are whole seconds since 1970, 0 if it
    /// never happened.
    pub(super) fn of(self, device: &Device) -> Val<'_> {
        let seconds =
            |at: Option<crate::time::Timestamp>| Val::Int(at.map_or(0, |at| at.as_secs()));
        let count = |count: u64| Val::Int(i64::try_from(count).unwrap_or(i64::MAX));
        match self {
            Self::Id => Val::Text(device.id.as_str()),
            Self::Manufacturer => Val::Text(&device.identity.manufacturer),
            Self::Oui => Val::Text(&device.identity.oui),
            Self::ProductClass => Val::Text(&device.identity.product_class),
            Self::Serial => Val::Text(&device.identity.serial_number),
            Self::SoftwareVersion => Val::Text(&device.software_version),
            Self::HardwareVersion => Val::Text(&device.hardware_version),
            Self::ProvisioningCode => Val::Text(&device.provisioning_code),
            Self::Root => Val::Text(&device.root),
            Self::Address => device
                .address
                .map_or(Val::Text(""), |address| Val::made(address.to_canonical().to_string())),
            Self::FirstSeen => seconds(Some(device.first_seen)),
            Self::LastInform => seconds(Some(device.last_inform)),
            Self::LastBoot => seconds(device.last_boot),
            Self::LastBootstrap => seconds(device.last_bootstrap),
            Self::Sessions => count(device.sessions),
            Self::ParameterCount => count(device.parameter_count.into()),
        }
    }
}

/// A member of `phone`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PhoneField {
    Mac,
    Vendor,
    Model,
    Site,
    Template,
    Enabled,
}

impl PhoneField {
    /// All of them by name.
    pub(super) const ALL: &[(&'static str, Self)] = &[
        ("mac", Self::Mac),
        ("vendor", Self::Vendor),
        ("model", Self::Model),
        ("site", Self::Site),
        ("template", Self::Template),
        ("enabled", Self::Enabled),
    ];

    /// The one of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
    }

    /// What a phone has there.
    pub(super) fn of(self, phone: &Phone) -> Val<'_> {
        match self {
            Self::Mac => Val::made(phone.mac.to_string()),
            Self::Vendor => Val::Text(phone.vendor.word()),
            Self::Model => Val::Text(&phone.model),
            Self::Site => Val::Text(&phone.site),
            Self::Template => Val::Text(&phone.template),
            Self::Enabled => Val::Bool(phone.enabled),
        }
    }
}
