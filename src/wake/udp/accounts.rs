//! What devices show at the STUN server.

use std::fmt;

use ring::hmac;

use crate::device::{DeviceId, Secret};
use crate::store::Vault;

/// Makes the STUN password of each device out of its id and a key of this
/// installation: none has to be stored, and a forged request costs a hash and
/// no look into the store. The user name is the device's id.
pub struct StunAccounts(hmac::Key);

impl fmt::Debug for StunAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StunAccounts")
    }
}

impl StunAccounts {
    /// The accounts of an installation.
    pub fn new(vault: &Vault) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &vault.derive("stun passwords")))
    }

    /// `ManagementServer.STUNPassword` of a device: 32 hex digits.
    pub fn password(&self, id: &DeviceId) -> Secret {
        let tag = hmac::sign(&self.0, id.as_str().as_bytes());
        Secret::new(hex::encode(tag.as_ref().get(..16).unwrap_or_default()))
    }
}
