//! The inventory record of a device.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{DeviceId, DeviceIdentity, EventCode, Lessons, Settlement};
use crate::time::Timestamp;

/// The small hot record: all that a periodic session reads and writes.
///
/// Only the device's session writes it; what operators edit stands in
/// [`super::Labels`], what is asked of the device in [`super::Task`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The key.
    pub id: DeviceId,
    /// What the device says of itself.
    pub identity: DeviceIdentity,
    /// The root object of its data model with the dot (`Device.`); empty if
    /// no parameter was ever reported.
    pub root: Box<str>,
    /// The namespace that the device uses for CWMP.
    pub namespace: Box<str>,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it last informed.
    pub last_inform: Timestamp,
    /// When it last said that it booted.
    pub last_boot: Option<Timestamp>,
    /// When it last said `0 BOOTSTRAP`.
    pub last_bootstrap: Option<Timestamp>,
    /// The event codes of the last Inform.
    pub last_events: Vec<EventCode>,
    /// The address from which it last informed.
    pub address: Option<IpAddr>,
    /// `ManagementServer.ConnectionRequestURL` as last reported; hostile input.
    pub connection_request_url: Box<str>,
    /// `DeviceInfo.SoftwareVersion`.
    pub software_version: Box<str>,
    /// `DeviceInfo.HardwareVersion`.
    pub hardware_version: Box<str>,
    /// `DeviceInfo.ProvisioningCode`.
    pub provisioning_code: Box<str>,
    /// A hash over the parameters of the last Inform that was merged into the
    /// tree: an Inform that hashes alike brings no news, and the tree need not
    /// be loaded.
    pub inform_hash: u64,
    /// When the whole tree was last read; `None` if that is still to be done.
    pub tree_read_at: Option<Timestamp>,
    /// How many parameters the tree holds.
    pub parameter_count: u32,
    /// How many sessions the device has opened.
    pub sessions: u64,
    /// What it taught beyond what its model is known for.
    pub lessons: Lessons,
    /// Whether it has what is wanted of it.
    pub settlement: Settlement,
}

impl Device {
    /// A device that is seen for the first time, and of which nothing is known but who
    /// it is.
    pub fn new(identity: DeviceIdentity, at: Timestamp) -> Self {
        Self {
            id: identity.id(),
            identity,
            root: "".into(),
            namespace: "".into(),
            first_seen: at,
            last_inform: at,
            last_boot: None,
            last_bootstrap: None,
            last_events: Vec::new(),
            address: None,
            connection_request_url: "".into(),
            software_version: "".into(),
            hardware_version: "".into(),
            provisioning_code: "".into(),
            inform_hash: 0,
            tree_read_at: None,
            parameter_count: 0,
            sessions: 0,
            lessons: Lessons::default(),
            settlement: Settlement::default(),
        }
    }
}
