//! Which devices a simulated gateway lists behind itself, and which gateway a
//! simulated member names (TR-069 Annex F).

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use super::model::{Model, Parameter};
use crate::device::DeviceIdentity;
use crate::param::Value;

/// Puts `ManagementServer.ManageableDevice.` and `GatewayInfo.` into the model,
/// where there is something to say.
pub(super) fn define(
    model: &mut Model,
    root: &str,
    members: &[DeviceIdentity],
    gateway: Option<&DeviceIdentity>,
) {
    if !members.is_empty() {
        let management = format!("{root}ManagementServer.");
        let counter = format!("{management}ManageableDeviceNumberOfEntries");
        model.define(&counter, Parameter::fixed(Value::unsigned(0)));
        let table = format!("{management}ManageableDevice.");
        model.define_table(&table, None);
        for member in members {
            if let Some(row) = model.define_row(&table) {
                identity(model, &format!("{table}{row}."), member);
            }
        }
    }
    if let Some(gateway) = gateway {
        identity(model, &format!("{root}GatewayInfo."), gateway);
    }
}

fn identity(model: &mut Model, object: &str, of: &DeviceIdentity) {
    for (name, text) in [
        ("ManufacturerOUI", &of.oui),
        ("ProductClass", &of.product_class),
        ("SerialNumber", &of.serial_number),
    ] {
        let parameter = Parameter::fixed(Value::string(text.clone()));
        model.define(&format!("{object}{name}"), parameter);
    }
}
