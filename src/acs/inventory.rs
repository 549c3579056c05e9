//! What an Inform changes in the device's record.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;

use crate::cwmp::{Inform, Namespace};
use crate::device::{Device, Event, EventCode, EventKind, Lessons, Settlement, bears_on_claims};
use crate::param::{Tree, Value};
use crate::schema::Schema;
use crate::time::Timestamp;

/// The most event codes that are kept in the hot record.
const MAX_EVENTS: usize = 16;

/// What came with the Inform besides its content.
pub(super) struct Arrival<'a> {
    /// The namespace that the device spoke.
    pub(super) namespace: &'a Namespace,
    /// From where it called.
    pub(super) address: IpAddr,
    /// When.
    pub(super) now: Timestamp,
}

/// The device's record after an Inform.
pub(super) struct Updated {
    /// The record.
    pub(super) device: Device,
    /// Lines for its history.
    pub(super) events: Vec<Event>,
    /// Whether the Inform brought values that the tree does not hold yet.
    pub(super) brings_news: bool,
    /// Whether these are about devices around it.
    pub(super) bears_on_claims: bool,
}

/// Brings a device's record up to date, or makes one at first contact.
pub(super) fn update(known: Option<Device>, inform: &Inform, arrival: &Arrival<'_>) -> Updated {
    let now = arrival.now;
    let is_new = known.is_none();
    let mut device = known.unwrap_or_else(|| new_device(inform, arrival));
    let mut events = Vec::new();
    let mut tell = |kind| events.push(Event { device: device.id.clone(), at: now, kind });
    let bootstrap = inform.has(&EventCode::Bootstrap);

    if is_new {
        tell(EventKind::FirstContact);
    } else if bootstrap && device.address.is_some_and(|before| before != arrival.address) {
        // A replayed bootstrap would make the ACS give its secrets to a
        // stranger (security: B13).
        let text = format!("bootstrapped again, now from {}", arrival.address);
        tell(EventKind::Alarm(text.into()));
    }
    if inform.events.iter().any(|event| event.code != EventCode::Periodic) {
        let codes = inform.events.iter().take(MAX_EVENTS).map(|event| event.code.clone()).collect();
        tell(EventKind::Inform(codes));
    }
    let version = reported(inform, "DeviceInfo.SoftwareVersion");
    if let Some(version) = version.filter(|version| *version != &*device.software_version) {
        if !is_new {
            let (from, to) = (device.software_version.clone(), version.into());
            tell(EventKind::SoftwareChanged { from, to });
            // Other firmware may have other parameters, and other quirks.
            device.tree_read_at = None;
            device.lessons = Lessons::default();
        }
        device.software_version = version.into();
    }

    take_summary(&mut device, inform);
    device.identity = inform.device.clone();
    if device.namespace.as_ref() != arrival.namespace.as_str() {
        device.namespace = arrival.namespace.as_str().into();
    }
    device.last_inform = now;
    device.address = Some(arrival.address);
    device.sessions = device.sessions.saturating_add(1);
    device.last_events.clear();
    device
        .last_events
        .extend(inform.events.iter().take(MAX_EVENTS).map(|event| event.code.clone()));
    if inform.has(&EventCode::Boot) {
        device.last_boot = Some(now);
    }
    if bootstrap {
        device.last_bootstrap = Some(now);
        device.tree_read_at = None;
        device.settlement = Settlement::default();
    }
    let hash = hash_of(inform);
    let brings_news = device.inform_hash != hash;
    device.inform_hash = hash;
    let bears_on_claims =
        brings_news && inform.parameters.iter().any(|told| bears_on_claims(&told.name));
    Updated { device, events, brings_news, bears_on_claims }
}

/// Takes the values of an Inform over into the tree; secrets are not kept.
pub(super) fn learn(tree: &mut Tree, inform: &Inform, now: Timestamp) {
    for parameter in &inform.parameters {
        let value = if Schema::core().is_secret(&parameter.name) {
            Value::new("", parameter.value.kind.clone())
        } else {
            parameter.value.clone()
        };
        tree.learn_value(&parameter.name, value, now);
    }
}

fn new_device(inform: &Inform, arrival: &Arrival<'_>) -> Device {
    let namespace = arrival.namespace.as_str().into();
    Device { namespace, ..Device::new(inform.device.clone(), arrival.now) }
}

/// The columns that lists show.
fn take_summary(device: &mut Device, inform: &Inform) {
    // A device may change its data model with its firmware; the Inform knows.
    if let Some(root) = inform.parameters.first().map(|parameter| parameter.name.root())
        && root.ends_with('.')
        && *root != *device.root
    {
        device.root = root.into();
    }
    let take = |field: &mut Box<str>, name: &str| {
        if let Some(text) = reported(inform, name).filter(|text| *text != &**field) {
            *field = text.chars().take(512).collect();
        }
    };
    take(&mut device.hardware_version, "DeviceInfo.HardwareVersion");
    take(&mut device.provisioning_code, "DeviceInfo.ProvisioningCode");
    take(&mut device.connection_request_url, "ManagementServer.ConnectionRequestURL");
}

/// The text of a parameter of the Inform, named below the root object.
fn reported<'a>(inform: &'a Inform, below_root: &str) -> Option<&'a str> {
    inform
        .parameters
        .iter()
        .find(|parameter| {
            let name = parameter.name.as_str();
            name.strip_suffix(below_root)
                .and_then(|root| root.strip_suffix('.'))
                .is_some_and(|root| !root.contains('.'))
        })
        .map(|parameter| &*parameter.value.text)
}

/// A hash that differs when any name, value or type differs.
///
/// It is stored, so that it must not change between builds of Rust in a way
/// that matters: when it does, each tree is written once more, and that is all.
fn hash_of(inform: &Inform) -> u64 {
    let mut hasher = DefaultHasher::new();
    for parameter in &inform.parameters {
        parameter.name.hash(&mut hasher);
        parameter.value.hash(&mut hasher);
    }
    hasher.finish()
}
