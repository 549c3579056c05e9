//! The credentials that the ACS gave a device.

use serde::{Deserialize, Serialize};

use super::{DeviceId, Sealed};
use crate::time::Timestamp;

/// How far the handing over of credentials has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Recorded, and perhaps sent: the device may use them or what it had.
    Offered,
    /// The device has used them, or confirmed them: nothing else is accepted
    /// but onboarding again after a factory reset.
    Confirmed,
}

/// One device's own credentials in both directions (TR-069 §3.4.4, §3.2.2).
///
/// Recorded durably before they are sent, since a password can never be read
/// back from a device (Q54).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Whose they are.
    pub device: DeviceId,
    /// `ManagementServer.Username`: what the device shows at the ACS.
    pub username: Box<str>,
    /// `ManagementServer.Password`.
    pub password: Sealed,
    /// `ManagementServer.ConnectionRequestUsername`: what the ACS shows at the device.
    pub connection_request_username: Box<str>,
    /// `ManagementServer.ConnectionRequestPassword`.
    pub connection_request_password: Sealed,
    /// How far the handing over has come.
    pub stage: Stage,
    /// When they were made.
    pub made_at: Timestamp,
    /// How often they were offered without the device confirming them.
    pub offers: u32,
}
