//! Giving a device credentials of its own.
//!
//! They are recorded durably before they are sent: a password cannot be read
//! back from a device (Q54). Until the device took them both are accepted, what
//! it had and what it was offered; afterwards only its own, except after a
//! factory reset.

use crate::device::{Credentials, DeviceId, Secret, Stage};
use crate::plan::Onboarding;
use crate::store::{StoreError, Vault};
use crate::time::Timestamp;

/// Offers that a device refuses are not repeated forever.
const MAX_OFFERS: u32 = 3;

/// Whether the device is to be offered credentials in this session.
pub(super) fn is_due(own: Option<&Credentials>, bootstrap: bool) -> bool {
    match own {
        None => true,
        // A reset device has lost what it was given.
        Some(_) if bootstrap => true,
        Some(own) => own.stage == Stage::Offered && own.offers < MAX_OFFERS,
    }
}

/// The credentials to offer: those that were offered before and not confirmed,
/// since the device may have taken them after all; else new ones.
pub(super) fn offer(
    device: &DeviceId,
    own: Option<Credentials>,
    vault: &Vault,
    now: Timestamp,
) -> Result<Credentials, StoreError> {
    match own {
        Some(own) if own.stage == Stage::Offered => {
            Ok(Credentials { offers: own.offers.saturating_add(1), ..own })
        }
        _ => Ok(Credentials {
            device: device.clone(),
            username: device.as_str().into(),
            password: vault.seal(&Secret::new(vault.random_hex(16))),
            connection_request_username: "provost".into(),
            connection_request_password: vault.seal(&Secret::new(vault.random_hex(16))),
            stage: Stage::Offered,
            made_at: now,
            offers: 1,
        }),
    }
}

/// The values to set on the device.
pub(super) fn values(
    offered: &Credentials,
    vault: &Vault,
    inform_interval: u32,
) -> Result<Onboarding, StoreError> {
    Ok(Onboarding {
        username: offered.username.clone(),
        password: vault.unseal(&offered.password)?,
        connection_request_username: offered.connection_request_username.clone(),
        connection_request_password: vault.unseal(&offered.connection_request_password)?,
        inform_interval,
    })
}
