//! The phone that a device is as well: one thing in the world, two in the store.

use super::{Store, StoreError};
use crate::device::{Device, DeviceId, Labels};
use crate::phone::{Mac, Phone};

/// The phone that a device is as well, by its serial number.
///
/// A serial number is what a device says of itself, and may say of another's
/// phone: both must be one tenant's, or nobody's.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub async fn phone_of(
    store: &dyn Store,
    device: &Device,
    labels: &Labels,
) -> Result<Option<Phone>, StoreError> {
    let Some(mac) = Mac::of_serial(&device.identity.serial_number) else { return Ok(None) };
    let Some(phone) = store.phone(mac).await? else { return Ok(None) };
    let is_one = *tenant_of(store, &phone).await? == *labels.tenant;
    Ok(is_one.then_some(phone))
}

/// The device that a phone is as well, by its address; found the same way, and under
/// the same condition.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub async fn device_of(store: &dyn Store, phone: &Phone) -> Result<Option<DeviceId>, StoreError> {
    let Some(id) = store.device_of_phone(phone.mac).await? else { return Ok(None) };
    let labels = store.labels(&id).await?.unwrap_or_default();
    let is_one = *tenant_of(store, phone).await? == *labels.tenant;
    Ok(is_one.then_some(id))
}

/// Whose a phone is: the tenant of its site.
async fn tenant_of(store: &dyn Store, phone: &Phone) -> Result<Box<str>, StoreError> {
    Ok(store.site(&phone.site).await?.map(|site| site.tenant).unwrap_or_default())
}
