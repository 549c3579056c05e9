//! What a client certificate says of who shows it (TR-069 §3.4.4).

use std::collections::HashMap;

use crate::config::{CertificateIdentity, TrustConfig};
use crate::device::{DeviceId, DeviceIdentity};
use crate::http::ClientCertificate;

/// The trust stores' rules by their name.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    rules: HashMap<Box<str>, Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    identity: CertificateIdentity,
    /// Upper case; empty for all.
    ouis: Vec<Box<str>>,
}

/// Why a certificate that is good is no proof of who shows it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// It stands in a store of devices' certificates and names no device.
    #[error(
        "the certificate by {authority} names no device as OUI-SerialNumber or OUI-ProductClass-SerialNumber: {names}"
    )]
    NoDevice {
        /// The trust store.
        authority: Box<str>,
        /// What it names instead, cut.
        names: Box<str>,
    },
    /// Its names are of more than one device.
    #[error("the certificate by {authority} names two devices, {one} and {other}")]
    TwoDevices {
        /// The trust store.
        authority: Box<str>,
        /// One of them.
        one: DeviceId,
        /// Another.
        other: DeviceId,
    },
    /// Its authority may not speak for this OUI.
    #[error("the certificate for {device} is by {authority}, which may not speak for its OUI")]
    ForeignOui {
        /// The trust store.
        authority: Box<str>,
        /// The device that it names.
        device: DeviceId,
    },
}

impl Certificates {
    /// The rules of `[[cwmp.trust]]`.
    pub fn new(stores: &[TrustConfig]) -> Self {
        let rule = |store: &TrustConfig| Rule {
            identity: store.identity,
            ouis: store.ouis.iter().map(|oui| oui.to_ascii_uppercase().into()).collect(),
        };
        Self {
            rules: stores.iter().map(|store| (store.name.as_str().into(), rule(store))).collect(),
        }
    }

    /// The device that a certificate is for; `None` if it is a model's, which is
    /// no identity. A two-part id, `OUI-SerialNumber`, leaves the product class
    /// open.
    pub(super) fn device(
        &self,
        shown: &ClientCertificate,
    ) -> Result<Option<DeviceId>, CertificateProblem> {
        let authority = || Box::<str>::from(&*shown.authority);
        // A store without a rule can only be of another configuration.
        let Some(rule) = self.rules.get(&*shown.authority) else { return Ok(None) };
        if rule.identity == CertificateIdentity::Model {
            return Ok(None);
        }
        let mut named = shown.names.iter().filter_map(|name| identity_in(name));
        let Some(first) = named.next() else {
            let names = shown.names.join(", ");
            let names = names.chars().take(200).filter(|letter| !letter.is_control()).collect();
            return Err(CertificateProblem::NoDevice { authority: authority(), names });
        };
        let id = first.id();
        for other in named {
            let other = other.id();
            if other != id && !stands_for(&id, &other) && !stands_for(&other, &id) {
                return Err(CertificateProblem::TwoDevices {
                    authority: authority(),
                    one: id,
                    other,
                });
            }
        }
        if !rule.ouis.is_empty() && !rule.ouis.contains(&first.oui) {
            return Err(CertificateProblem::ForeignOui { authority: authority(), device: id });
        }
        Ok(Some(id))
    }
}

impl CertificateProblem {
    /// The device whose history should tell of it.
    pub const fn device(&self) -> Option<&DeviceId> {
        match self {
            Self::NoDevice { .. } | Self::TwoDevices { .. } => None,
            Self::ForeignOui { device, .. } => Some(device),
        }
    }
}

/// Whether a certificate for `certified` is one for `device`: the same, or
/// without a product class and else the same.
pub(super) fn stands_for(certified: &DeviceId, device: &DeviceId) -> bool {
    if certified == device {
        return true;
    }
    let mut own = certified.as_str().split('-');
    let mut whole = device.as_str().split('-');
    let (oui, serial) = (own.next(), own.next());
    own.next().is_none()
        && whole.next() == oui
        && whole.next().is_some()
        && serial.is_some()
        && whole.next() == serial
}

/// `OUI-SerialNumber` or `OUI-ProductClass-SerialNumber`, each part
/// percent-encoded; the OUI is six hex digits.
fn identity_in(name: &str) -> Option<DeviceIdentity> {
    let parts: Vec<&str> = name.trim().split('-').collect();
    let (oui, class, serial) = match *parts.as_slice() {
        [oui, serial] => (oui, "", serial),
        [oui, class, serial] if !class.is_empty() => (oui, class, serial),
        _ => return None,
    };
    if oui.len() != 6 || !oui.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    DeviceIdentity::new("", oui, &decoded(class)?, &decoded(serial)?).ok()
}

/// Undoes percent-encoding; `None` if it is broken or no UTF-8 comes of it.
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        if byte == b'%' {
            let (digits, after) = tail.split_at_checked(2)?;
            bytes.extend(hex::decode(digits).ok()?);
            rest = after;
        } else {
            bytes.push(byte);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}
