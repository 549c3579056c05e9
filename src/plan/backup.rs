//! What of a device is worth keeping, so that it, or another in its place, can
//! be brought back to it.

use crate::device::{Device, DeviceBackup};
use crate::param::{ParamPath, Tree};
use crate::schema::Schema;
use crate::time::Timestamp;

/// The most parameters and rows that a backup holds.
const MAX_VALUES: usize = 20_000;

/// Objects that are not kept, below the root: who may manage the device is set by
/// the server, and diagnostics are no configuration.
const NOT_KEPT: [&str; 12] = [
    "ManagementServer.",
    "DownloadDiagnostics.",
    "UploadDiagnostics.",
    "UDPEchoConfig.",
    "IPPingDiagnostics.",
    "TraceRouteDiagnostics.",
    "NSLookupDiagnostics.",
    "IP.Diagnostics.",
    "DNS.Diagnostics.",
    "WiFi.NeighboringWiFiDiagnostic.",
    "SelfTestDiagnostics.",
    "SoftwareModules.",
];

/// Names of parameters that are not kept wherever they stand: they order
/// something, or change by themselves.
const NOT_KEPT_NAMES: [&str; 8] = [
    "DiagnosticsState",
    "Reboot",
    "Reset",
    "FactoryReset",
    "Renew",
    "CurrentLocalTime",
    "ParameterKey",
    "X_ResetStatistics",
];

/// Whether a parameter or a row belongs into a backup, by its path alone.
pub fn is_kept(path: &ParamPath) -> bool {
    let text = path.as_str();
    let below_root = text.strip_prefix(path.root()).unwrap_or(text);
    !NOT_KEPT.iter().any(|object| below_root.starts_with(object))
        && !NOT_KEPT_NAMES.contains(&path.leaf())
        && !Schema::core().is_secret(path)
}

/// What is known of a device that can be written, secrets left out: the device
/// does not tell them. `id` is a fresh UUID; who asked for it, and why, are told
/// with it.
pub fn backup(
    id: u128,
    device: &Device,
    tree: &Tree,
    (by, why): (&str, &str),
    now: Timestamp,
) -> DeviceBackup {
    let kept = tree.iter().filter(|(path, param)| param.writable == Some(true) && is_kept(path));
    let values = kept.filter_map(|(path, param)| {
        if path.is_object() {
            // Of a table it is said that rows can be made: a row alone matters.
            is_row(path).then(|| (path.as_str().into(), None))
        } else {
            let value = param.value.as_ref()?;
            Some((path.as_str().into(), Some(value.clone())))
        }
    });
    DeviceBackup {
        id,
        device: device.id.clone(),
        at: now,
        by: by.into(),
        why: why.into(),
        root: device.root.clone(),
        model: (device.identity.oui.clone(), device.identity.product_class.clone()),
        software_version: device.software_version.clone(),
        values: values.take(MAX_VALUES).collect(),
    }
}

/// Whether an object is the row of a table.
pub(super) fn is_row(path: &ParamPath) -> bool {
    path.is_object() && path.leaf().bytes().all(|byte| byte.is_ascii_digit())
}
